//! A data folder of its own for each test, and one of everything to put into it.

use app::port::{ReceiptRow, SealedRow, Store as _, StoreError, Tx};
use domain::agent::{Agent, AgentKey, AgentName};
use domain::attempt::{Attempt, Browser};
use domain::grant::{
    Account, Grant, Narrowing, Paused, Reconnect, ReconnectWhy, Reminder, Revocation, TokenRevocation,
    WaitsFor,
};
use domain::id::{AgentId, AttemptId, GrantId, InstallId, PermissionId, ProviderId, ReceiptId};
use domain::reference::{RandomPart, Stage};
use domain::time::Timestamp;
use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use store::{OpenStoreError, SqliteStore};
use tempfile::TempDir;
use vault::label::Kind;

/// A data folder that is removed at the end.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.folder().join("countersign.sqlite")
    }

    pub(crate) fn open(&self) -> SqliteStore {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<SqliteStore, OpenStoreError> {
        SqliteStore::open(&self.db(), install())
    }

    /// The database as any other program could open it.
    pub(crate) fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.db()).unwrap()
    }

    /// The bytes of every file in the folder, but for the index of the log, which every reader rebuilds.
    pub(crate) fn content(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        content(&self.folder())
    }
}

pub(crate) fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.is_file() && !path.to_string_lossy().ends_with("-shm"));
    files.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub(crate) fn write<R: Send + 'static>(
    store: &SqliteStore,
    job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError> + Send + 'static,
) -> Result<R, StoreError> {
    wait(store.write(job))
}

pub(crate) fn read<R: Send + 'static>(
    store: &SqliteStore,
    job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError> + Send + 'static,
) -> Result<R, StoreError> {
    wait(store.read(job))
}

/// Values without `PartialEq` are compared by what they show.
pub(crate) fn shown<T: std::fmt::Debug>(value: &T) -> String {
    format!("{value:?}")
}

pub(crate) fn install() -> InstallId {
    InstallId::make_from([0x1d; 8])
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

fn ten(number: u32) -> [u8; 10] {
    let [a, b, c, d] = number.to_be_bytes();
    [0, 0, 0, 0, 0, 0, a, b, c, d]
}

pub(crate) fn grant_id(number: u32) -> GrantId {
    GrantId::make_from(at(0), ten(number))
}

pub(crate) fn agent(number: u32) -> Agent {
    Agent {
        id: AgentId::make_from(at(0), ten(number)),
        name: AgentName::parse(&format!("Agent {number}")).unwrap(),
        key: key(number),
        added_at: at(number.into()),
        paused: None,
        removed_at: None,
    }
}

/// Every second text of 32 bytes is a point of the curve.
pub(crate) fn key(number: u32) -> AgentKey {
    let candidates = (0..=255u8).filter_map(|last| {
        let mut bytes = [0x11; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        bytes[31] = last;
        AgentKey::from_bytes(bytes).ok()
    });
    candidates.into_iter().next().unwrap()
}

fn permission(name: &str) -> PermissionId {
    PermissionId::parse(name).unwrap()
}

pub(crate) fn attempt(number: u32) -> Attempt {
    Attempt {
        id: AttemptId::make_from(at(0), ten(number)),
        random: RandomPart::from_number(number),
        provider: ProviderId::parse("sandbox-bank").unwrap(),
        agent: agent(1).id,
        permissions: [permission("balances"), permission("accounts")].into_iter().collect(),
        until: at(1_000_000),
        started_at: at(number.into()),
        deadline: None,
        openings: 0,
        strays: 0,
        browser: Browser::NotYet,
        stage: Stage::Start,
        ending: None,
        ended_at: None,
        grant: None,
        revision: 1,
        renews: None,
    }
}

pub(crate) fn grant(number: u32) -> Grant {
    Grant {
        id: grant_id(number),
        provider: ProviderId::parse("sandbox-bank").unwrap(),
        provider_name: "Sandbox „Bank“".to_owned(),
        issuer: "https://bank.example".to_owned(),
        agent: agent(1).id,
        permissions: [permission("balances"), permission("accounts")].into_iter().collect(),
        missing: vec![permission("payments")],
        extra: vec!["offline_access".to_owned()],
        accounts: vec![Account {
            id: "acc-1".to_owned(),
            name: "Main".to_owned(),
            masked: "••••3000".to_owned(),
            currency: Some("EUR".to_owned()),
        }],
        holder: Some("Ada L.".to_owned()),
        created_at: at(number.into()),
        ends_at: at(90 * 86_400_000),
        scopes: Some(vec!["accounts".to_owned()]),
        access_token_ends_at: Some(at(3_600_000)),
        generation: 1,
        confirmed_at: at(number.into()),
        narrowing: None,
        paused: None,
        reconnect: None,
        renews: None,
        reminded: None,
        revocation: None,
    }
}

/// A grant with everything that its life can bring but an end; it took the place of the second one.
pub(crate) fn full() -> Grant {
    Grant {
        narrowing: Some(Narrowing {
            at: at(3),
            permissions: [permission("balances")].into_iter().collect(),
            accounts: Some(["acc-1".to_owned()].into()),
            ends_at: at(99),
        }),
        paused: Some(Paused { at: at(4) }),
        reconnect: Some(Reconnect { since: at(5), why: ReconnectWhy::EndedAtBank }),
        renews: Some(grant_id(2)),
        reminded: Some(Reminder::Week),
        scopes: None,
        ..grant(3)
    }
}

pub(crate) fn sealed(number: u32, kind: Kind) -> SealedRow {
    SealedRow {
        grant: grant_id(number),
        kind,
        generation: 1,
        ends_at: None,
        blob: format!("sealed {number} {kind:?}").into_bytes(),
    }
}

pub(crate) fn receipt(number: u32) -> ReceiptRow {
    ReceiptRow {
        id: ReceiptId::make_from(at(0), ten(number)),
        grant: grant_id(number),
        at: at(0),
        body: format!(r#"{{"grant":{number}}}"#),
    }
}

pub(crate) fn cut_off(millis: i64, token: TokenRevocation) -> Revocation {
    Revocation { cut_off_at: at(millis), token }
}

pub(crate) fn pending(tries: u32) -> TokenRevocation {
    TokenRevocation::Pending { tries, last_try: None, next_try: at(5), waits_for: WaitsFor::FirstTry }
}

/// Writes a file that only its owner may read.
pub(crate) fn private_file(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    mode(path, 0o600);
}

/// Sets a mode, where there are modes.
pub(crate) fn mode(path: &Path, mode: u32) {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    #[cfg(not(unix))]
    let _ = (path, mode);
}
