//! A refresh whose answer is lost, at every point where it can be, at three kinds of bank.
//!
//! A run ends well in two ways. Either the connection works and uses the newest tokens that the bank gave, or the person
//! is asked to reconnect, with the reason, and only where the bank has really ended it over a lost answer.

use std::path::Path;
use std::time::Duration;

use contract::ui::{GrantState, GrantView, HistoryKind, ReconnectWhyView};
use domain::id::GrantId;
use rusqlite::Connection;
use tokio::runtime::Handle;

use super::{Chance, LIFE, connected, folder, hurried, pass, runtime};
use crate::fake_provider::{Answer, FakeProvider, Habit, Wire};
use crate::fakes::TestApp;

/// Where the request or its answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// The connection is closed before the bank reads the request.
    NotRead,
    /// The bank reads it and does nothing.
    NotDone,
    /// The bank has replaced the token, and closes.
    NoByte,
    /// The answer breaks off in its head.
    HalfHead,
    /// The answer breaks off in its body.
    HalfBody,
    /// The whole answer is sent, and then the connection is reset or we are killed before anything of it is stored.
    Whole,
}

impl Point {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::NotRead, Self::NotDone, Self::NoByte, Self::HalfHead, Self::HalfBody, Self::Whole];

    /// Whether the bank has replaced its token by then.
    fn is_done_at_bank(self) -> bool {
        !matches!(self, Self::NotRead | Self::NotDone)
    }
}

/// What the bank does with a refresh token that comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rotation {
    /// It ends the whole consent.
    EndsFamily,
    /// It gives the lost answer anew for a while.
    Grace,
    /// It never replaces a refresh token.
    Keeps,
}

impl Rotation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::EndsFamily, Self::Grace, Self::Keeps];

    fn habit(self) -> Option<Habit> {
        match self {
            Self::EndsFamily => None,
            Self::Grace => Some(Habit::GraceForLostAnswers),
            Self::Keeps => Some(Habit::KeepsRefreshToken),
        }
    }
}

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Where.
    pub point: Point,
    /// At which bank.
    pub rotation: Rotation,
    /// Which of the runs of this point at this bank.
    pub run: usize,
    /// What differs from run to run follows from it.
    pub seed: u64,
    /// The fault that must be noticed: the app forgets that an answer is missing.
    pub forgets: bool,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It works, with the newest tokens.
    Recovered,
    /// The person is asked to reconnect, with the reason.
    Asked,
    /// It does not work, and is shown as if it did.
    Silent(String),
    /// Anything else that breaks a rule.
    Wrong(String),
}

impl End {
    /// Whether it is one of the two that may be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Recovered | Self::Asked)
    }
}

impl Case {
    /// Runs it. The bank lives in another runtime, which is given.
    #[must_use]
    pub fn run(self, banks: &Handle) -> End {
        let bank = banks.block_on(FakeProvider::start());
        self.rotation.habit().into_iter().for_each(|habit| bank.habit(habit));
        let mut chance = Chance::of(self.seed, self.run);
        // One run in two at the last point: killed.
        if self.point == Point::Whole && self.run % 2 == 1 {
            return self.killed(&bank, &mut chance);
        }
        bank.delays("token", chance.below(4));
        let runtime = runtime();
        runtime.block_on(async {
            let (app, grant) = connected(&bank).await;
            self.plant(&app);
            self.arrange(&bank);
            pass(&app, &bank, LIFE);
            // What comes of this call is not what is judged: what is shown and what works is.
            let _ = hurried(&app, app.app.check_grant(grant)).await;
            self.judge(&app, &bank, grant).await
        })
    }

    /// Has the next refresh lost.
    fn arrange(self, bank: &FakeProvider) {
        let wire = match self.point {
            Point::NotRead => return bank.turns_away(),
            Point::NotDone => return bank.play_once("token", Answer::wire(Wire::Close).unheard()),
            Point::NoByte => Wire::Close,
            Point::HalfHead => Wire::HalfHead,
            Point::HalfBody => Wire::HalfBody,
            Point::Whole => Wire::ResetAfter,
        };
        bank.play_once("token", Answer::wire(wire));
    }

    /// A build that forgets: what is known of a lost answer is deleted as soon as it is stored.
    fn plant(self, app: &TestApp) {
        if self.forgets {
            let forget = "BEGIN DELETE FROM refreshes WHERE grant_id = NEW.grant_id; END;";
            app.execute(&format!(
                "CREATE TRIGGER forget_new AFTER INSERT ON refreshes WHEN NEW.unanswered > 0 {forget}
                 CREATE TRIGGER forget_old AFTER UPDATE ON refreshes WHEN NEW.unanswered > 0 {forget}"
            ));
        }
    }

    /// The answer is there, and we are killed before it is stored: what a fresh start finds is the folder as it was.
    fn killed(self, bank: &FakeProvider, chance: &mut Chance) -> End {
        let before = runtime();
        let (app, grant) = before.block_on(connected(bank));
        bank.delays("token", 10);
        pass(&app, bank, LIFE);
        let database = app.dir.path().join("countersign.sqlite");
        let blocker = Connection::open(&database).expect("the database");
        let (again, wait) = (app.app.clone(), chance.below(6));
        before.block_on(async {
            let answered = bank.busy().len();
            tokio::spawn(async move { again.check_grant(grant).await });
            until(|| !refreshes(bank).is_empty()).await;
            // From here on nothing can be stored.
            blocker.execute_batch("BEGIN IMMEDIATE").expect("the one who writes");
            until(|| bank.busy().len() > answered).await;
            tokio::time::sleep(Duration::from_millis(wait)).await;
        });
        // Nothing of the first app runs any more: nobody waits in its runtime.
        let copy = folder();
        for name in ["countersign.sqlite", "countersign.sqlite-wal"] {
            std::fs::copy(app.dir.path().join(name), copy.path().join(name)).expect("a copy");
        }
        blocker.execute_batch("ROLLBACK").expect("an end");
        let keychain = app.keychain.clone();
        drop(app);
        drop(before);
        if self.forgets {
            forget(copy.path());
        }
        bank.delays("token", chance.below(4));
        let after = runtime();
        after.block_on(async {
            let app = TestApp::start_in(copy, keychain, &[bank]).await;
            app.clock.pass(LIFE);
            self.judge(&app, bank, grant).await
        })
    }

    /// Waits for the end of it, and says which it is.
    async fn judge(self, app: &TestApp, bank: &FakeProvider, grant: GrantId) -> End {
        let Some(page) = hurried(app, settled(app, grant)).await else {
            return End::Wrong("it does not come to an end".to_owned());
        };
        let lost = refreshes(bank).iter().filter(|token| *token == "refresh-1").count();
        if self.rotation != Rotation::Keeps && lost > 2 {
            return End::Wrong(format!("the token was sent {lost} times"));
        }
        match page.row.state {
            GrantState::Active { .. } => works(app, bank, grant).await,
            GrantState::Reconnect { why, .. } => self.judge_reason(app, bank, why),
            GrantState::Ended { .. } | GrantState::Paused { .. } | GrantState::Revoked { .. } => {
                End::Wrong(format!("{:?}", page.row.state))
            }
        }
    }

    fn judge_reason(self, app: &TestApp, bank: &FakeProvider, why: ReconnectWhyView) -> End {
        let may_be = self.rotation == Rotation::EndsFamily && self.point.is_done_at_bank();
        if !may_be || bank.newest(1).is_some() {
            return End::Wrong(format!("{why:?}, where the bank still has it"));
        }
        if why != ReconnectWhyView::AnswerLost {
            return End::Wrong(format!("{why:?} is not the reason"));
        }
        match app.notes.told().len() {
            1 => End::Asked,
            told => End::Wrong(format!("the person was told {told} times")),
        }
    }
}

/// Time passes, and the connection is asked after: it works with the newest tokens, or it only looks as if.
async fn works(app: &TestApp, bank: &FakeProvider, grant: GrantId) -> End {
    pass(app, bank, LIFE);
    let checked = app.app.check_grant(grant).await;
    let page = app.app.show_grant(grant).await.expect("the page");
    if checked.is_err() || !matches!(page.row.state, GrantState::Active { .. }) {
        return End::Silent(format!("{checked:?}, then {:?}", page.row.state));
    }
    let newest = bank.newest(1).map(|(access, _)| access);
    if newest.is_none() || newest != bank.last_call() {
        return End::Silent(format!("{:?} is used, {newest:?} is the newest", bank.last_call()));
    }
    if bank.reuses() > 0 {
        return End::Wrong("a token was used twice and nobody minded".to_owned());
    }
    End::Recovered
}

/// The page once nothing is under way any more; nothing if that does not come.
async fn settled(app: &TestApp, grant: GrantId) -> Option<GrantView> {
    for _ in 0..2000 {
        let page = app.app.show_grant(grant).await.expect("the page");
        let rows = app.raw("SELECT count(*) FROM refreshes");
        if rows == 0 && page.row.trouble.is_none() && is_past_the_loss(&page) {
            return Some(page);
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    None
}

/// Whether what was lost has been tried again.
fn is_past_the_loss(page: &GrantView) -> bool {
    let ended = matches!(page.row.state, GrantState::Reconnect { .. });
    ended || page.history.iter().any(|entry| entry.what == HistoryKind::Refreshed)
}

/// The refresh tokens that the bank was sent.
fn refreshes(bank: &FakeProvider) -> Vec<String> {
    let tokens = bank.seen("token").into_iter().filter_map(|seen| seen.form.get("refresh_token").cloned());
    tokens.collect()
}

fn forget(folder: &Path) {
    let store = Connection::open(folder.join("countersign.sqlite")).expect("the database");
    store.execute_batch("DELETE FROM refreshes").expect("a change");
}

async fn until(fits: impl Fn() -> bool) {
    for _ in 0..20_000 {
        if fits() {
            return;
        }
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    panic!("what was waited for did not come");
}
