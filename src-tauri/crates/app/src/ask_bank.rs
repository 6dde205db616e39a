//! Asking a bank outside of an attempt, and what its clock says of ours.

use std::sync::atomic::Ordering;

use oauth::message::{Reply, Request};

use crate::port::{Clock as _, Http as _, HttpError, Ports};
use crate::start::Inner;

/// The longest pause between two tries, unless the bank asks for more; in milliseconds, as all pauses here.
pub(crate) const LONGEST: i64 = 15 * 60_000;
/// No pause is longer, not even one that a bank asks for.
pub(crate) const FARTHEST: i64 = 86_400_000;

/// How long a bank is left alone: 2 s, 4 s, 8 s, … 15 min, and up to a quarter more by chance; never sooner than it said.
pub(crate) fn back_off(tries: u32, retry_after: Option<u32>, chance: u8) -> i64 {
    let doubling = (1000_i64 << tries.clamp(1, 12)).min(LONGEST);
    let told = retry_after.map_or(0, |seconds| i64::from(seconds) * 1000);
    let more = doubling * i64::from(chance) / 1024;
    (doubling.max(told) + more).min(FARTHEST)
}

/// No bank's clock has been heard yet.
pub(crate) const UNHEARD: i64 = i64::MIN;
/// A smaller difference is worth nobody's while, and may be the way of the answer.
const WORTH_TELLING: i64 = 120_000;

impl<P: Ports> Inner<P> {
    /// Sends once, and listens to the bank's clock.
    pub(crate) async fn ask_bank(&self, request: Request) -> Result<Reply, HttpError> {
        let reply = self.ports.http().send(request).await?;
        if let Some(date) = reply.date {
            let ahead = self.ports.clock().now().millis().saturating_sub(date.millis());
            self.clock_ahead.store(ahead, Ordering::Relaxed);
        }
        Ok(reply)
    }

    /// How many seconds this computer's clock is ahead of the bank that was heard last, where that is worth telling.
    pub(crate) fn clock_ahead(&self) -> Option<i64> {
        let ahead = self.clock_ahead.load(Ordering::Relaxed);
        Some(ahead)
            .filter(|ahead| *ahead != UNHEARD && ahead.abs() >= WORTH_TELLING)
            .map(|ahead| ahead / 1000)
    }
}
