//! Time: the system's clocks, or, in a sandbox build, faster ones.

use std::time::Duration;

use app::port::Clock;
use domain::time::Timestamp;

/// The system's clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock {
    started: i64,
    booted: Duration,
    offset: i64,
    speed: u32,
}

impl SystemClock {
    /// The plain clock; `setting` is `COUNTERSIGN_CLOCK` of a sandbox build: `offset=SECONDS,speed=N`, either alone too.
    pub(crate) fn new(setting: Option<&str>) -> Self {
        let value = |name: &str| {
            let mut parts = setting?.split(',').filter_map(|part| part.trim().split_once('='));
            parts.find(|(n, _)| *n == name)?.1.parse::<i64>().ok()
        };
        let speed =
            value("speed").and_then(|speed| u32::try_from(speed).ok()).unwrap_or(1).clamp(1, 1_000_000);
        Self {
            started: wall(),
            booted: since_boot(),
            offset: value("offset").unwrap_or(0).saturating_mul(1000),
            speed,
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let passed = wall().saturating_sub(self.started).saturating_mul(i64::from(self.speed));
        Timestamp::from_millis(self.started.saturating_add(passed).saturating_add(self.offset))
    }

    fn monotonic(&self) -> Duration {
        since_boot().saturating_sub(self.booted) * self.speed
    }

    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span / self.speed).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]
fn wall() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Time since the computer was started, its sleep included.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn since_boot() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// The same where the monotonic clock counts sleep (macOS: `mach_continuous_time` behind it; Windows: it does).
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[expect(clippy::disallowed_methods, reason = "the one place where the monotonic clock is read")]
fn since_boot() -> Duration {
    static BEGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    BEGIN.get_or_init(std::time::Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_moves_and_speeds_the_clock() {
        let clock = |setting| SystemClock::new(Some(setting));
        assert_eq!((clock("speed=60").speed, clock("speed=60").offset), (60, 0));
        assert_eq!((clock("offset=-5, speed=2").speed, clock("offset=-5, speed=2").offset), (2, -5000));
        assert_eq!(clock("speed=0").speed, 1);
        assert_eq!(clock("nonsense").speed, 1);
        let ahead = clock("offset=86400").now().millis() - SystemClock::new(None).now().millis();
        assert!((86_399_000..=86_401_000).contains(&ahead));
    }
}
