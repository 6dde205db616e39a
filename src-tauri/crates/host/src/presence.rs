//! Whether somebody sits at the computer, as far as the desktop tells: the vault locks with the screen, before sleep,
//! and after some time without use, where the person chose so.
//!
//! What is heard here can only lock. Another program of the person that sends the same signals locks too, and that is all.

use std::time::Duration;

use app::App;
use app::port::Ports;
use domain::lock::Lock;
use futures_util::StreamExt as _;
use zbus::zvariant::OwnedObjectPath;
use zbus::{Connection, MatchRule, Message, MessageStream, message};

/// How often the desktop is asked how long nobody has used it.
const ASK: Duration = Duration::from_secs(15);
/// A bus that was lost is looked for again.
const AGAIN: Duration = Duration::from_secs(30);
/// A desktop that takes longer tells nothing.
const PATIENCE: Duration = Duration::from_secs(3);

const LOGIN: &str = "org.freedesktop.login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SESSION: &str = "org.freedesktop.login1.Session";

/// The addresses of both buses.
#[derive(Clone, Debug)]
pub(crate) struct Buses {
    /// The desktop's, if there is one.
    pub(crate) session: Option<String>,
    /// The computer's.
    pub(crate) system: String,
}

impl Buses {
    /// The desktop's bus, and the computer's where every system has it.
    pub(crate) fn new(session: Option<String>) -> Self {
        Self { session, system: "unix:path=/run/dbus/system_bus_socket".to_owned() }
    }
}

/// Locks when the desktop says so, for as long as the host runs.
pub(crate) async fn watch<P: Ports>(app: App<P>, buses: Buses) {
    let system = watch_bus(Some(&buses.system), Source::System, &app);
    let session = watch_bus(buses.session.as_deref(), Source::Session, &app);
    tokio::join!(system, session, watch_idle(&app, &buses));
}

async fn watch_idle<P: Ports>(app: &App<P>, buses: &Buses) {
    loop {
        tokio::time::sleep(ASK).await;
        let chosen = app.lock_settings().await.is_ok_and(|settings| settings.idle_minutes.is_some());
        if chosen && app.lock_state() == Lock::Open {
            app.idle(idle_time(buses).await).await;
        }
    }
}

async fn watch_bus<P: Ports>(address: Option<&str>, source: Source, app: &App<P>) {
    let Some(address) = address else { return };
    loop {
        if let Ok(mut signals) = Signals::listen(address, source).await {
            while signals.next_lock().await.is_some() {
                app.screen_locked().await;
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Which bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The desktop's: its screen saver.
    Session,
    /// The computer's: its login manager.
    System,
}

/// What says that the screen is locked, or soon dark.
struct Signals {
    stream: MessageStream,
    /// Our own session at the login manager, if it knows one.
    session: Option<OwnedObjectPath>,
    _bus: Connection,
}

impl Signals {
    async fn listen(address: &str, source: Source) -> zbus::Result<Self> {
        let bus = connect(address).await?;
        let rule = MatchRule::builder().msg_type(message::Type::Signal);
        let (rule, session) = match source {
            Source::Session => (rule.member("ActiveChanged")?.build(), None),
            Source::System => (rule.sender(LOGIN)?.build(), own_session(&bus).await),
        };
        let stream = MessageStream::for_match_rule(rule, &bus, None).await?;
        Ok(Self { stream, session, _bus: bus })
    }

    /// The next time that the vault is to be locked; none when the bus is gone.
    async fn next_lock(&mut self) -> Option<()> {
        loop {
            match self.stream.next().await? {
                Ok(message) if self.says_lock(&message) => return Some(()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    fn says_lock(&self, message: &Message) -> bool {
        let header = message.header();
        let Some((interface, member)) = header.interface().zip(header.member()) else { return false };
        let yes = || message.body().deserialize::<bool>().is_ok_and(|is| is);
        match (interface.as_str(), member.as_str()) {
            ("org.freedesktop.ScreenSaver" | "org.gnome.ScreenSaver", "ActiveChanged")
            | (MANAGER, "PrepareForSleep") => yes(),
            // Another person's session is locked for itself; where ours is not known, any counts.
            (SESSION, "Lock") => self
                .session
                .as_ref()
                .is_none_or(|own| header.path().is_some_and(|path| path.as_str() == own.as_str())),
            _ => false,
        }
    }
}

async fn connect(address: &str) -> zbus::Result<Connection> {
    let connecting = zbus::connection::Builder::address(address)?.build();
    tokio::time::timeout(PATIENCE, connecting)
        .await
        .unwrap_or(Err(zbus::Error::InputOutput(std::sync::Arc::new(std::io::ErrorKind::TimedOut.into()))))
}

async fn own_session(bus: &Connection) -> Option<OwnedObjectPath> {
    let path = "/org/freedesktop/login1";
    let asking = bus.call_method(Some(LOGIN), path, Some(MANAGER), "GetSession", &"auto");
    let reply = tokio::time::timeout(PATIENCE, asking).await.ok()?.ok()?;
    reply.body().deserialize().ok()
}

/// How long nobody has used the computer, as far as the desktop tells.
///
/// `org.freedesktop.ScreenSaver` has a question for it too, which some desktops answer in seconds and some in milliseconds:
/// it is not asked.
async fn idle_time(buses: &Buses) -> Option<Duration> {
    let asked = tokio::time::timeout(PATIENCE, async {
        match idle_by_desktop(buses.session.as_deref()).await {
            Some(idle) => Some(idle),
            None => idle_by_login(&buses.system).await,
        }
    });
    asked.await.ok().flatten()
}

async fn idle_by_desktop(address: Option<&str>) -> Option<Duration> {
    let bus = connect(address?).await.ok()?;
    let (name, path) = ("org.gnome.Mutter.IdleMonitor", "/org/gnome/Mutter/IdleMonitor/Core");
    let reply = bus.call_method(Some(name), path, Some(name), "GetIdletime", &()).await.ok()?;
    reply.body().deserialize().ok().map(Duration::from_millis)
}

/// A session that is not idle may be one whose desktop never says: that tells nothing.
async fn idle_by_login(address: &str) -> Option<Duration> {
    let bus = connect(address).await.ok()?;
    let session = zbus::Proxy::new(&bus, LOGIN, own_session(&bus).await?, SESSION).await.ok()?;
    if !session.get_property::<bool>("IdleHint").await.ok()? {
        return None;
    }
    let since: u64 = session.get_property("IdleSinceHintMonotonic").await.ok()?;
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let now = Duration::new(u64::try_from(now.tv_sec).ok()?, u32::try_from(now.tv_nsec).ok()?);
    Some(now.saturating_sub(Duration::from_micros(since)))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
