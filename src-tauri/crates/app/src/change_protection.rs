//! Keeps the key in another way: everything is sealed anew under a new key, in one transaction, or nothing changes.
//!
//! Order: both keys are noted as litter; the new item is written to the keychain and read back; one transaction moves
//! every sealed record, the key's row and the log; the old item is deleted; the note is cleared. Wherever that breaks off, the
//! store names the key that is in force, and the other one is deleted when the keychain is there again.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::ui::Event;
use domain::audit::AuditEvent;
use domain::grant::{Grant, ReconnectWhy};
use domain::id::{GrantId, KekId};
use domain::lock::{Lock, Protection};
use domain::secret::{KeyEncryptionKey, Passphrase};
use domain::time::Timestamp;
use tokio::sync::OwnedRwLockWriteGuard;
use vault::envelope::Fresh;
use vault::rewrap::rewrap;

use crate::key::{KeyError, NewKey};
use crate::port::{
    Clock as _, DiceError, Events as _, KekRow, Keychain as _, KeychainError, Ports, SealedRow, Store as _,
    StoreError, Tx,
};
use crate::report::Refusal;
use crate::start::{App, Inner};

/// How long a use of the old key is waited for: a bank that is slow, and a disk that is full for a while.
const PATIENCE: Duration = Duration::from_secs(30);

impl<P: Ports> App<P> {
    /// Keeps the key in this way from now on, under a key that is new. Before there is any, the first one is made so.
    ///
    /// # Errors
    /// The vault is locked, a passphrase is missing, unfit or another one, the keychain or the disk failed, or a record
    /// does not open. Nothing was changed then, but that the record's grant is named.
    pub async fn change_protection(
        &self,
        to: Protection,
        current: Option<Passphrase>,
        new: Option<Passphrase>,
    ) -> Result<(), Refusal> {
        match (to.has_passphrase(), &new) {
            (true, Some(_)) | (false, None) => {}
            (true, None) => return Err(Refusal::PassphraseUnfit),
            (false, Some(_)) => return Err(Refusal::Malformed),
        }
        let inner = Arc::clone(&self.0);
        // In a task of its own: nobody drops it half way.
        let work = tokio::spawn(async move { inner.change_protection(to, current, new).await });
        work.await.unwrap_or(Err(Refusal::Store(StoreError::Stopped)))
    }
}

impl<P: Ports> Inner<P> {
    async fn change_protection(
        self: Arc<Self>,
        to: Protection,
        current: Option<Passphrase>,
        new: Option<Passphrase>,
    ) -> Result<(), Refusal> {
        let _busy = self.busy();
        let _one = self.key_making.lock().await;
        if let Lock::Locked { .. } = self.lock_state() {
            return Err(Refusal::Locked);
        }
        match self.ports.store().read(|tx| tx.kek()).await? {
            None => self.make_key(to, new).await?,
            Some(row) => {
                self.compare_anchor(row.protection).await?;
                let old = self.old_key(&row, current).await?;
                self.replace_key(&row, old, to, new).await?;
            }
        }
        self.ports.events().send(Event::AppChanged);
        self.outbox.notify_one();
        self.anchored.wake.notify_one();
        Ok(())
    }

    /// The key so far. Whoever changes how it is kept shows the passphrase again.
    async fn old_key(
        &self,
        row: &KekRow,
        current: Option<Passphrase>,
    ) -> Result<Arc<KeyEncryptionKey>, Refusal> {
        match row.protection {
            Protection::Keychain => Ok(self.open_key(row).await?),
            Protection::KeychainAndPassphrase | Protection::Passphrase => {
                let current = current.ok_or(Refusal::PassphraseWrong)?;
                Ok(Arc::new(self.open_with(row, current, &self.guesses).await?))
            }
        }
    }

    async fn replace_key(
        self: &Arc<Self>,
        row: &KekRow,
        old: Arc<KeyEncryptionKey>,
        to: Protection,
        passphrase: Option<Passphrase>,
    ) -> Result<(), Refusal> {
        let locks = self.door.locks();
        let new = self.draw_key(to, passphrase).await?;
        let alone = self.alone_with_key().await?;
        let outcome = self.put_in_place(row, old, &new).await;
        if outcome.is_ok() {
            self.door.keep(locks, &new);
        }
        drop(alone);
        // Whichever of both is not in force goes; what cannot be deleted now stays noted.
        if let Err(error) = self.tidy_keys().await {
            tracing::warn!(%error, "a key that is not used any more is still in the keychain");
        }
        outcome?;
        tracing::info!(kek = %new.row.id, protection = ?to, "the key was replaced");
        // What was sealed under the old key, and the old key under the old passphrase, leave the log of the database too.
        self.forget.store(true, Ordering::Relaxed);
        self.forget_deleted().await;
        Ok(())
    }

    /// Waits until nobody uses the key, and keeps it so.
    async fn alone_with_key(&self) -> Result<OwnedRwLockWriteGuard<()>, Refusal> {
        tokio::select! {
            alone = Arc::clone(&self.key_use).write_owned() => Ok(alone),
            () = self.ports.clock().sleep(PATIENCE) => Err(Refusal::BankUnavailable),
        }
    }

    async fn put_in_place(
        self: &Arc<Self>,
        row: &KekRow,
        old: Arc<KeyEncryptionKey>,
        new: &NewKey,
    ) -> Result<(), Refusal> {
        let noted: Vec<KekId> = [(row.protection, row.id), (new.row.protection, new.row.id)]
            .into_iter()
            .filter_map(|(protection, id)| protection.has_keychain().then_some(id))
            .collect();
        let note = move |tx: &mut dyn Tx| {
            let mut litter = tx.kek_litter()?;
            litter.extend(noted);
            litter.dedup();
            tx.set_kek_litter(&litter)
        };
        self.ports.store().write(note).await?;
        if let Some(item) = new.item() {
            self.ports.keychain().write_kek(&self.install, new.row.id, item).await?;
            let kept = self.ports.keychain().read_keks(&self.install, new.row.id).await?;
            if !kept.iter().any(|kept| kept.same_as(item)) {
                return Err(KeychainError::NotLasting.into());
            }
        }
        let damaged = Arc::new(Mutex::new(None));
        let mover = Mover {
            inner: Arc::clone(self),
            old,
            old_id: row.id,
            new: Arc::clone(&new.key),
            row: new.row.clone(),
            damaged: Arc::clone(&damaged),
        };
        let now = self.ports.clock().now();
        match self.ports.store().write(move |tx| mover.run(tx, now)).await {
            Ok(()) => Ok(()),
            Err(StoreError::Damaged) => {
                let grant = *damaged.lock().unwrap_or_else(PoisonError::into_inner);
                // Agents get nothing by it any more, and the person sees which one to end before trying again.
                if let Some((grant, generation)) = grant {
                    self.need_reconnect(grant, generation, ReconnectWhy::DamagedRecord).await?;
                }
                Err(Refusal::RecordDamaged)
            }
            Err(err @ (StoreError::Exists | StoreError::Io | StoreError::Missing | StoreError::Stopped)) => {
                Err(err.into())
            }
        }
    }

    /// Deletes keys that a change left in the keychain, unless one is just under way.
    pub(crate) async fn tidy_keys_once(&self) {
        let Ok(_one) = self.key_making.try_lock() else { return };
        if let Err(error) = self.tidy_keys().await {
            tracing::debug!(%error, "a key that is not used any more is still in the keychain");
        }
    }

    /// Deletes every noted key that is not the one in force. Whoever calls has compared the log with its anchor, and
    /// makes no key meanwhile.
    async fn tidy_keys(&self) -> Result<(), KeyError> {
        let (litter, kek) = self.ports.store().read(|tx| Ok((tx.kek_litter()?, tx.kek()?))).await?;
        if litter.is_empty() {
            return Ok(());
        }
        self.ports.keychain().status().await?;
        for id in litter.into_iter().filter(|id| kek.as_ref().is_none_or(|kek| kek.id != *id)) {
            self.ports.keychain().delete_kek(&self.install, id).await?;
        }
        Ok(self.ports.store().write(|tx| tx.set_kek_litter(&[])).await?)
    }
}

/// Moves everything from the old key to the new one, in one transaction.
struct Mover<P: Ports> {
    inner: Arc<Inner<P>>,
    old: Arc<KeyEncryptionKey>,
    old_id: KekId,
    new: Arc<KeyEncryptionKey>,
    row: KekRow,
    /// The grant whose record does not open, and its generation.
    damaged: Arc<Mutex<Option<(GrantId, u32)>>>,
}

impl<P: Ports> Mover<P> {
    fn run(&self, tx: &mut dyn Tx, now: Timestamp) -> Result<(), StoreError> {
        for sealed in tx.all_sealed()? {
            let grant = tx.grant(sealed.grant)?.ok_or(StoreError::Damaged)?;
            let blob = self.moved(&sealed, &grant)?;
            tx.replace_sealed(&SealedRow { blob, ..sealed })?;
        }
        tx.replace_kek(self.old_id, &self.row)?;
        let (kek, protection) = (self.row.id.to_string(), self.row.protection);
        tx.append_audit(now, &AuditEvent::KeyReplaced { kek, protection })
    }

    fn moved(&self, sealed: &SealedRow, grant: &Grant) -> Result<Vec<u8>, StoreError> {
        let label = self.inner.label(grant.id, &grant.issuer, sealed.kind, sealed.generation);
        // Without randomness nothing is sealed: as if the disk had failed.
        let fresh = self.inner.random().map_err(|DiceError| StoreError::Io)?;
        let (old, new) = ((&*self.old, self.old_id), (&*self.new, self.row.id));
        let moved = rewrap(&sealed.blob, &label, old, new, Fresh::from_random(fresh));
        moved.map_err(|err| match err {
            vault::rewrap::RewrapError::Open(_) => {
                *self.damaged.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((grant.id, grant.generation));
                StoreError::Damaged
            }
            vault::rewrap::RewrapError::SameId | vault::rewrap::RewrapError::Seal(_) => StoreError::Io,
        })
    }
}
