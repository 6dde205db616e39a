//! Locks the vault and opens it: by the person, by an idle computer, with the screen.

use std::sync::Arc;
use std::time::Duration;

use contract::ui::Event;
use domain::audit::AuditEvent;
use domain::id::KekId;
use domain::lock::{Lock, LockSettings, LockedBy, Protection};
use domain::secret::{KeyEncryptionKey, Passphrase};
use vault::passphrase::{UnwrapError, unwrap};

use crate::key::KeyError;
use crate::port::{Clock as _, Events as _, KekRow, Memory as _, Ports, Store as _, StoreError};
use crate::report::Refusal;
use crate::start::{App, Inner};

/// The pause after the first wrong passphrase; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Other programs can put items beside ours; each one costs a stretching, so there is an end to it.
const MOST_ITEMS: usize = 8;
/// The longest time without use that can be chosen.
const MOST_MINUTES: u16 = 24 * 60;

/// Wrong passphrases of this run, and when the next one is looked at.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    wrong: u32,
    not_before: Duration,
}

impl Guesses {
    fn may_try(&self, now: Duration) -> bool {
        now >= self.not_before
    }

    fn was_wrong(&mut self, now: Duration) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.wrong.min(6)).min(LONGEST_PAUSE);
        self.wrong = self.wrong.saturating_add(1);
        self.not_before = now + pause;
    }
}

impl<P: Ports> App<P> {
    /// Whether the vault is locked.
    #[must_use]
    pub fn lock_state(&self) -> Lock {
        self.0.lock_state()
    }

    /// Whether a passphrase opens the vault.
    ///
    /// # Errors
    /// The store.
    pub async fn has_passphrase(&self) -> Result<bool, Refusal> {
        let row = self.0.ports.store().read(|tx| tx.kek()).await?;
        Ok(row.is_some_and(|row| row.protection.has_passphrase()))
    }

    /// Locks the vault: at once, whatever the disk does. What is under way with a bank is carried through.
    pub async fn lock(&self, by: LockedBy) {
        let now = self.0.ports.clock().now();
        if !self.0.door.lock(now, by) {
            return;
        }
        tracing::info!(?by, "locked");
        let stored =
            self.0.ports.store().write(move |tx| tx.append_audit(now, &AuditEvent::VaultLocked { by }));
        if let Err(error) = stored.await {
            tracing::error!(%error, "that the vault was locked could not be recorded");
        }
        self.0.ports.events().send(Event::AppChanged);
    }

    /// Opens the vault; with the passphrase, where one was chosen. It is recorded first.
    ///
    /// # Errors
    /// The passphrase is missing or another one, too many were wrong, the keychain's part is not to be had, the disk
    /// failed, or the vault was locked again meanwhile.
    pub async fn unlock(&self, passphrase: Option<Passphrase>) -> Result<(), Refusal> {
        self.open_vault(passphrase, &self.0.guesses).await
    }

    /// The same for another program, which has nothing but the passphrase to show for the person.
    ///
    /// # Errors
    /// As [`Self::unlock`]; and no passphrase was chosen.
    pub async fn unlock_from_elsewhere(&self, passphrase: Passphrase) -> Result<(), Refusal> {
        if !self.has_passphrase().await? {
            return Err(Refusal::PassphraseWrong);
        }
        self.open_vault(Some(passphrase), &self.0.guesses_elsewhere).await
    }

    async fn open_vault(
        &self,
        passphrase: Option<Passphrase>,
        guesses: &tokio::sync::Mutex<Guesses>,
    ) -> Result<(), Refusal> {
        if self.lock_state() == Lock::Open {
            return Ok(());
        }
        let locks = self.0.door.locks();
        let row = self.0.ports.store().read(|tx| tx.kek()).await?;
        let key = match row.filter(|row| row.protection.has_passphrase()) {
            None => None,
            Some(row) => {
                let passphrase = passphrase.ok_or(Refusal::PassphraseWrong)?;
                Some((Arc::new(self.0.open_with(&row, passphrase, guesses).await?), row.id))
            }
        };
        let now = self.0.ports.clock().now();
        self.0.ports.store().write(move |tx| tx.append_audit(now, &AuditEvent::VaultOpened)).await?;
        if !self.0.door.open(locks, key) {
            return Err(Refusal::Locked);
        }
        tracing::info!("opened");
        self.touched();
        self.0.outbox.notify_one();
        self.0.upkeep.notify_one();
        self.0.ports.events().send(Event::AppChanged);
        Ok(())
    }

    /// Checks a passphrase and opens nothing: for what only the person may start, where there is no window to click in.
    ///
    /// # Errors
    /// It is another one, none was chosen, too many were wrong, or the keychain's part is not to be had.
    pub async fn check_passphrase(&self, passphrase: Passphrase) -> Result<(), Refusal> {
        let row = self.0.ports.store().read(|tx| tx.kek()).await?;
        let row = row.filter(|row| row.protection.has_passphrase()).ok_or(Refusal::PassphraseWrong)?;
        self.0.open_with(&row, passphrase, &self.0.guesses_elsewhere).await.map(drop)
    }

    /// Stores when the vault locks by itself.
    ///
    /// # Errors
    /// No such time, or the disk failed.
    pub async fn set_lock_settings(&self, settings: LockSettings) -> Result<(), Refusal> {
        if settings.idle_minutes.is_some_and(|minutes| minutes == 0 || minutes > MOST_MINUTES) {
            return Err(Refusal::Malformed);
        }
        self.0.ports.store().write(move |tx| tx.set_lock_settings(settings)).await?;
        self.touched();
        self.0.ports.events().send(Event::AppChanged);
        Ok(())
    }

    /// When the vault locks by itself.
    ///
    /// # Errors
    /// The store.
    pub async fn lock_settings(&self) -> Result<LockSettings, Refusal> {
        Ok(self.0.ports.store().read(|tx| tx.lock_settings()).await?)
    }

    /// The person did something in the window.
    pub fn touched(&self) {
        let now = self.0.ports.clock().monotonic();
        let mut last = self.0.touched.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *last = now.max(*last);
    }

    /// The screen was locked, or the computer goes to sleep.
    pub async fn screen_locked(&self) {
        match self.lock_settings().await {
            Ok(LockSettings { with_screen: false, .. }) => {}
            // What the person chose cannot be read: the careful choice.
            Ok(LockSettings { with_screen: true, .. }) | Err(_) => self.lock(LockedBy::Screen).await,
        }
    }

    /// How long nobody has used the computer, as far as the system tells; else it counts from the last click in the
    /// window.
    pub async fn idle(&self, system: Option<Duration>) {
        let Ok(LockSettings { idle_minutes: Some(minutes), .. }) = self.lock_settings().await else { return };
        let now = self.0.ports.clock().monotonic();
        let touched = *self.0.touched.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let ours = now.saturating_sub(touched);
        // Whoever has just opened the vault is there, whatever the system has noticed of it.
        let idle = system.map_or(ours, |system| system.min(ours));
        if idle >= Duration::from_secs(60 * u64::from(minutes)) {
            self.lock(LockedBy::Idle).await;
        }
    }
}

impl<P: Ports> Inner<P> {
    /// The key that a passphrase opens, kept out of swap files. One guess at a time, and after a wrong one a pause.
    pub(crate) async fn open_with(
        &self,
        row: &KekRow,
        passphrase: Passphrase,
        guesses: &tokio::sync::Mutex<Guesses>,
    ) -> Result<KeyEncryptionKey, Refusal> {
        let mut guesses = guesses.lock().await;
        if !guesses.may_try(self.ports.clock().monotonic()) {
            return Err(Refusal::PassphraseLater);
        }
        let halves: Vec<Option<KeyEncryptionKey>> = match row.protection {
            Protection::Keychain => return Err(Refusal::PassphraseWrong),
            Protection::KeychainAndPassphrase => {
                self.read_items(row.id).await?.into_iter().map(Some).collect()
            }
            Protection::Passphrase => vec![None],
        };
        let blob = row.wrapped.clone().ok_or(StoreError::Damaged)?;
        let passphrase = Arc::new(passphrase);
        for half in halves.into_iter().take(MOST_ITEMS) {
            let opened = self.try_half(blob.clone(), row.id, Arc::clone(&passphrase), half).await?;
            let ours = opened.filter(|key| vault::key::is_key(&row.check, &self.install, key, row.id));
            if let Some(key) = ours {
                *guesses = Guesses::default();
                return Ok(key);
            }
        }
        guesses.was_wrong(self.ports.clock().monotonic());
        tracing::warn!(wrong = guesses.wrong, "a wrong passphrase");
        Err(Refusal::PassphraseWrong)
    }

    async fn try_half(
        &self,
        blob: Vec<u8>,
        id: KekId,
        passphrase: Arc<Passphrase>,
        half: Option<KeyEncryptionKey>,
    ) -> Result<Option<KeyEncryptionKey>, Refusal> {
        let install = self.install.clone();
        let work = move || unwrap(&blob, &install, id, &passphrase, half.as_ref());
        match tokio::task::spawn_blocking(work).await.map_err(|_| KeyError::Unstretched)? {
            Ok(key) => Ok(Some(self.ports.memory().shield(key))),
            Err(UnwrapError::DoesNotOpen) => Ok(None),
            Err(UnwrapError::Cipher | UnwrapError::NoMemory) => Err(KeyError::Unstretched.into()),
            Err(
                UnwrapError::Cost(_)
                | UnwrapError::OtherFactors
                | UnwrapError::OtherKey
                | UnwrapError::Truncated
                | UnwrapError::UnknownFormat,
            ) => Err(StoreError::Damaged.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_each_wrong_passphrase_the_next_one_waits_longer_and_never_more_than_a_minute() {
        let mut guesses = Guesses::default();
        let mut now = Duration::from_secs(1000);
        assert!(guesses.may_try(now));
        for pause in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            guesses.was_wrong(now);
            assert!(!guesses.may_try(now));
            let pause = Duration::from_secs(pause);
            assert!(!guesses.may_try(now + pause - Duration::from_millis(1)), "{pause:?}");
            now += pause;
            assert!(guesses.may_try(now), "{pause:?}");
        }
    }
}
