//! A grant's whole life, run many times: refreshes whose answers are lost, many that need a token at once, revocations at
//! the worst moment. The figures take these runs in full, the suite `life` a sample of them.
//!
//! Each run is the real app over real store and HTTP, in a runtime of its own that can be stopped dead.

pub mod canary;
pub mod cut;
pub mod halt;
pub mod housed;
pub mod lost;
pub mod many;
pub mod outbox;
pub mod race;
pub mod remembered;
pub mod swap;

use std::time::Duration;

use domain::id::GrantId;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::fake_provider::FakeProvider;
use crate::fakes::{SharedKeychain, TestApp, come_back, private_folder_in};

/// A little longer than the fake bank's access tokens live.
pub(crate) const LIFE: Duration = Duration::from_secs(600);

/// Numbers that look like chance and follow from a seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The numbers of one run of many.
    #[must_use]
    pub fn of(seed: u64, run: usize) -> Self {
        let run = u64::try_from(run).unwrap_or(u64::MAX);
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ run.wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// The next one, below this.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end.max(1)
    }
}

/// A runtime that does nothing while nobody waits in it: what runs in it can be stopped between two steps.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A folder in memory where there is one: what is measured is order, not the disk.
pub(crate) fn folder() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    private_folder_in(if memory.is_dir() { memory } else { std::path::Path::new("/tmp") })
}

/// An app with one connection.
pub(crate) async fn connected(bank: &FakeProvider) -> (TestApp, GrantId) {
    let mut app = TestApp::start_in(folder(), SharedKeychain::empty(), &[bank]).await;
    let grant = connect(&mut app).await;
    (app, grant)
}

/// One connection more.
pub(crate) async fn connect(app: &mut TestApp) -> GrantId {
    let attempt = app.click_connect("bank-1", &["accounts"]).await;
    come_back(&app.opened().await).await;
    let grant = app.ended(&attempt).await.grant.expect("a grant");
    GrantId::parse(&grant).expect("an id")
}

/// Time passes for both.
pub(crate) fn pass(app: &TestApp, bank: &FakeProvider, span: Duration) {
    bank.pass(span);
    app.clock.pass(span);
}

/// Waits for something while the app's clock runs many times faster than ours.
pub(crate) async fn hurried<T>(app: &TestApp, what: impl Future<Output = T>) -> T {
    let clock = app.clock.clone();
    let hurry = async {
        loop {
            tokio::time::sleep(Duration::from_millis(2)).await;
            clock.pass(Duration::from_millis(100));
        }
    };
    tokio::select! {
        done = what => done,
        never = hurry => never,
    }
}

/// So many days from now, as the window says it.
pub(crate) fn days_from_now(days: u64) -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("before the year 300 million") + days * 86_400_000
}
