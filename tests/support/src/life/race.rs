//! Many callers that need a token of one connection in the same moment, at a bank that ends everything where a refresh
//! token comes twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::id::GrantId;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::{LIFE, connected, pass};
use crate::fake_provider::FakeProvider;
use crate::fakes::TestApp;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Race {
    /// How often the token ran out.
    pub expiries: usize,
    /// Refreshes that the bank was sent.
    pub posts: usize,
    /// How often the bank saw a refresh token twice.
    pub reuses: u32,
    /// Callers that got no answer from the bank's API.
    pub refused: usize,
    /// For each expiry, in milliseconds: from the moment the bank had answered the refresh to the moment the last of the
    /// callers had the new token's record and asked for the key to it. The commit lies between, and counts as ours; what
    /// each then asks of the bank does not.
    pub adopted: Vec<f64>,
}

impl Race {
    /// Refreshes too many, or too few.
    #[must_use]
    pub fn posts_off(&self) -> usize {
        self.posts.abs_diff(self.expiries)
    }
}

/// Lets the token run out so many times. `beside` is the fault that must be noticed: somebody refreshes without waiting
/// for the others.
pub async fn race(expiries: usize, callers: usize, beside: bool) -> Race {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    // Whose token it is was checked when it was connected; here only the tokens count.
    bank.token("id_token", serde_json::Value::Null);
    bank.delays("token", 10);
    let posts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&posts);
    bank.tells(move |seen| {
        counted.fetch_add(usize::from(seen.at == "token"), Ordering::SeqCst);
    });
    let mut race = Race { expiries, ..Race::default() };
    for _ in 0..expiries {
        pass(&app, &bank, LIFE);
        bank.forgets_what_it_saw();
        race.refused += once(&app, grant, &bank, callers, beside).await;
        let answered = bank.busy().into_iter().map(|(_, went)| went).min();
        let span = answered
            .zip(app.keychain.last_read())
            .and_then(|(answered, last)| last.duration_since(answered).ok());
        race.adopted.extend(span.map(|span| span.as_secs_f64() * 1000.0));
    }
    race.posts = posts.load(Ordering::SeqCst);
    race.reuses = bank.reuses();
    race
}

/// All callers at once; how many got nothing.
async fn once(app: &TestApp, grant: GrantId, bank: &FakeProvider, callers: usize, beside: bool) -> usize {
    let (mut all, start) = (JoinSet::new(), Arc::new(Barrier::new(callers)));
    let token = bank.newest(1).map(|(_, refresh)| refresh);
    for _ in 0..callers {
        let (app, start) = (app.app.clone(), Arc::clone(&start));
        all.spawn(async move {
            start.wait().await;
            app.check_grant(grant).await.is_ok()
        });
    }
    if let Some(token) = token.filter(|_| beside) {
        bank.takes("token", &[("grant_type", "refresh_token"), ("refresh_token", &token)]).await;
    }
    all.join_all().await.into_iter().filter(|served| !served).count()
}
