//! What happened: listed, searched, checked, written out, and checked again without us.

use app::port::Clock as _;
use app::{AgentCall, Refused};
use contract::error_code::ErrorCode;
use contract::ui::{
    ActivityEntry, ActivityFilter, ActivityKind, ActivityOutcome, ActivityWhat, AnchoredView,
};
use domain::audit::file::{FileCheck, FileFault, Header};
use domain::id::GrantId;
use serde_json::Value;
use support::agent::{TestAgent, look};
use support::fake_provider::FakeProvider;
use support::fakes::TestApp;

const PURPOSE: &str = "Find the \"rent\"\n{\"event\":\"grant_revoked\"}\n2026-11-27 all is well";

struct Stage {
    bank: FakeProvider,
    app: TestApp,
    grant: GrantId,
    agent: TestAgent,
}

impl Stage {
    /// A connection whose agent has asked for something and looked at one account.
    async fn set() -> Self {
        let bank = FakeProvider::start().await;
        bank.marks("-Zq7RrT2mWc9KxLf4");
        let mut app = TestApp::start(&[&bank]).await;
        let grant = app.connect("bank-1", &["accounts", "balances"]).await;
        let stage = Self { bank, app, grant, agent: TestAgent::buddy() };
        stage.use_it().await;
        stage
    }

    async fn use_it(&self) {
        let (agent, now) = (&self.agent, self.app.clock.now().secs());
        let app = &self.app.app;
        let mut claims = agent.claims(&app.issuer(), &self.grant.to_string(), &look(&["get_balance"]), now);
        claims["purpose"] = Value::from(PURPOSE);
        let task = agent.sign(&agent.task_header(), &claims);
        let answer = app.request_lease(&self.greet("POST", "/token", None), &task, None).await.unwrap();
        let again = app.request_lease(&self.greet("POST", "/token", None), &task, None).await;
        assert!(again.is_err(), "a task is presented once");
        assert_eq!(self.call(answer.lease.as_str()).await, Ok(200));
        while self.app.raw("SELECT count(*) FROM audit WHERE kind = 'call_answered'") == 0 {
            tokio::task::yield_now().await;
        }
    }

    async fn list(&self, filter: ActivityFilter) -> Vec<ActivityEntry> {
        self.app.app.list_activity(&filter).await.unwrap().entries
    }
}

/// What an agent asks for, and what comes of it.
impl Stage {
    fn greet(&self, method: &str, path: &str, lease: Option<&str>) -> app::Proof {
        let (app, now) = (&self.app.app, self.app.clock.now().secs());
        let proof = self.agent.proof(method, &format!("{}{path}", app.issuer()), lease, now);
        app.greet_agent(&proof, method, path, lease).unwrap()
    }

    async fn ask(&self) -> Result<String, Refused> {
        let (agent, now) = (&self.agent, self.app.clock.now().secs());
        let app = &self.app.app;
        let task = agent.task(&app.issuer(), &self.grant.to_string(), &look(&["get_balance"]), now);
        let answer = app.request_lease(&self.greet("POST", "/token", None), &task, None).await;
        answer.map(|answer| answer.lease.as_str().to_owned()).map_err(|refused| refused.why)
    }

    async fn call(&self, lease: &str) -> Result<u16, Refused> {
        let path = format!("/call/{}/accounts/a1", self.grant);
        let call = AgentCall {
            grant: self.grant,
            method: "GET".into(),
            path: "/accounts/a1".into(),
            query: None,
            body: Vec::new(),
        };
        let mut answer = self.app.app.call_bank(&self.greet("GET", &path, Some(lease)), lease, call).await?;
        while answer.next().await.unwrap().is_some() {}
        Ok(answer.status)
    }
}

/// Attack 74: the disk takes everything but the log.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_down_is_not_given() {
    let stage = Stage::set().await;
    let lease = stage.ask().await.unwrap();
    let (before, records) = (stage.bank.all_seen().len(), stage.app.audit().len());
    stage.app.execute(
        "CREATE TRIGGER audit_full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END",
    );
    for _ in 0..3 {
        assert!(matches!(stage.ask().await, Err(Refused::Store(_))), "no lease without its record");
        assert!(matches!(stage.call(&lease).await, Err(Refused::Store(_) | Refused::LeaseUnknown)));
    }
    assert_eq!((stage.bank.all_seen().len(), stage.app.audit().len()), (before, records));
    stage.app.execute("DROP TRIGGER audit_full");
    let lease = stage.ask().await.unwrap();
    assert_eq!(stage.call(&lease).await, Ok(200), "and it goes on when there is room");
    assert_eq!(stage.bank.all_seen().len(), before + 1);
}

fn all() -> ActivityFilter {
    ActivityFilter { most: 200, ..ActivityFilter::default() }
}

fn seqs(entries: &[ActivityEntry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_did_is_shown_newest_first_with_its_own_words() {
    let stage = Stage::set().await;
    let entries = stage.list(all()).await;
    assert!(seqs(&entries).is_sorted_by(|a, b| a > b), "{:?}", seqs(&entries));
    let called = &entries[0];
    let ActivityWhat::Called { operation, status } = &called.what else { panic!("{called:?}") };
    assert!(operation.starts_with("see ") && *status == Some(200), "{called:?}");
    assert_eq!((called.kind, called.outcome), (ActivityKind::Calls, ActivityOutcome::Done));
    assert_eq!(called.grant.as_deref(), Some(stage.grant.to_string().as_str()));
    assert!(called.bank.is_some() && called.agent.is_some());
    let refused = &entries[1];
    assert!(matches!(refused.what, ActivityWhat::AccessRefused { .. }), "{refused:?}");
    let given = &entries[2];
    assert!(matches!(given.what, ActivityWhat::AccessGiven { accounts: 2, uses: 1, .. }), "{given:?}");
    // Words are words: one line, and no record of their own.
    assert_eq!(given.quoted.as_deref(), Some(PURPOSE.replace('\n', " ").as_str()));
    assert!(entries.iter().any(|entry| matches!(entry.what, ActivityWhat::Connected { renewed: false, .. })));

    let view = stage.app.app.show_grant(stage.grant).await.unwrap();
    assert_eq!((view.days.len(), view.days[29].calls, view.row.used_this_week), (30, 1, 1));
    let rows = stage.app.app.list_grants().await.unwrap().current;
    assert_eq!((rows[0].used_this_week, rows[0].last_used_at), (1, view.row.last_used_at));
    assert!(view.row.last_used_at.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_looked_for_is_found_and_nothing_else() {
    let stage = Stage::set().await;
    let everything = stage.list(all()).await;
    let agent = everything[0].agent.as_ref().unwrap().id.clone();
    let only = |change: fn(&mut ActivityFilter)| {
        let mut filter = all();
        change(&mut filter);
        filter
    };
    let of_agent = stage.list(ActivityFilter { agent: Some(agent.clone()), ..all() }).await;
    assert!(of_agent.len() > 5 && of_agent.iter().all(|entry| entry.agent.as_ref().unwrap().id == agent));
    assert!(of_agent.iter().any(|entry| matches!(entry.what, ActivityWhat::AttemptEnded { .. })));
    let of_grant = stage.list(ActivityFilter { grant: Some(stage.grant.to_string()), ..all() }).await;
    assert!(of_grant.iter().all(|entry| entry.grant.as_deref() == Some(&*stage.grant.to_string())));
    assert_eq!(
        seqs(&of_grant)[..2],
        [everything[0].seq, everything[2].seq],
        "a task that is refused unread names none"
    );
    let of_bank = stage.list(only(|filter| filter.bank = Some("bank-1".into()))).await;
    assert!(of_bank.len() >= of_grant.len());
    assert!(stage.list(only(|filter| filter.bank = Some("bank-2".into()))).await.is_empty());
    let access = stage.list(only(|filter| filter.kinds = vec![ActivityKind::Access])).await;
    assert_eq!(access.len(), 1);
    let two = [ActivityKind::Access, ActivityKind::Refusals];
    assert_eq!(stage.list(ActivityFilter { kinds: two.to_vec(), ..all() }).await.len(), 2);
    for (text, found) in [
        ("RENT", 1),
        ("all is well", 1),
        ("budget buddy", of_agent.len()),
        ("no such words", 0),
        ("grant_revoked", 1),
        ("  ", everything.len()),
    ] {
        let some = stage.list(ActivityFilter { text: Some(text.into()), ..all() }).await;
        assert_eq!(some.len(), found, "{text}");
    }
    for malformed in [
        only(|filter| filter.agent = Some("me".into())),
        only(|filter| filter.grant = Some("1".into())),
        only(|filter| filter.bank = Some("A Bank".into())),
        only(|filter| filter.text = Some("x".repeat(101))),
    ] {
        let refusal = stage.app.app.list_activity(&malformed).await.unwrap_err();
        assert_eq!(refusal.code(), ErrorCode::RequestMalformed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_without_a_gap() {
    let stage = Stage::set().await;
    let everything = stage.list(all()).await;
    let (mut pages, mut before) = (Vec::new(), None);
    loop {
        let filter = ActivityFilter { before, most: 2, ..ActivityFilter::default() };
        let page = stage.app.app.list_activity(&filter).await.unwrap();
        before = page.entries.last().map(|entry| entry.seq);
        pages.extend(page.entries);
        if !page.more {
            break;
        }
    }
    assert_eq!(pages, everything);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_shown_whole_with_what_it_follows() {
    let stage = Stage::set().await;
    let entries = stage.list(all()).await;
    let given = &entries[2];
    let details = stage.app.app.show_activity(given.seq).await.unwrap();
    assert_eq!(details.entry, *given);
    let body: Value = serde_json::from_str(&details.body).unwrap();
    assert_eq!((&body["event"], &body["grant"]), (&"lease_given".into(), &stage.grant.to_string().into()));
    assert!(details.body.lines().count() > 5, "laid out for reading");
    let before = stage.app.app.show_activity(given.seq - 1).await;
    assert!(before.is_err() || before.unwrap().hash == details.before);
    let first = stage.app.app.show_activity(1).await.unwrap();
    assert_eq!(first.before, "0".repeat(64));
    for seq in [0, 1_000_000, u64::MAX] {
        let refusal = stage.app.app.show_activity(seq).await.unwrap_err();
        assert_eq!(refusal.code(), ErrorCode::ActivityUnknown, "{seq}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_checked_against_itself_and_against_the_keychain() {
    let stage = Stage::set().await;
    stage.app.app.shut_down().await;
    let verdict = stage.app.app.check_activity().await.unwrap();
    assert!(verdict.sound && verdict.first_bad.is_none() && verdict.records > 5, "{verdict:?}");
    assert_eq!(verdict.anchored, AnchoredView::Agrees);
    for change in [
        "DROP TRIGGER audit_is_not_changed",
        "UPDATE audit SET body = replace(body, 'vault', 'fault'), at = at + 1 WHERE seq = 3",
    ] {
        stage.app.execute(change);
    }
    let verdict = stage.app.app.check_activity().await.unwrap();
    assert_eq!((verdict.sound, verdict.first_bad), (false, Some(3)));
    for change in ["DROP TRIGGER audit_is_not_cut", "DELETE FROM audit WHERE seq >= 3"] {
        stage.app.execute(change);
    }
    let verdict = stage.app.app.check_activity().await.unwrap();
    assert!(verdict.sound, "what is left of a chain that was cut is a chain");
    assert_eq!((verdict.records, verdict.anchored), (2, AnchoredView::Cut));
}

fn check(text: &str) -> Result<Header, FileFault> {
    let mut check = FileCheck::default();
    text.split_inclusive('\n').try_for_each(|line| check.accept(line.as_bytes()))?;
    check.finish()
}

/// Attack 98: what an agent says has line ends and JSON in it, and is one record all the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_file_holds_every_record_exactly_and_is_checked_without_us() {
    let stage = Stage::set().await;
    stage.app.app.shut_down().await;
    let saved = stage.app.app.export_activity().await.unwrap();
    assert!(saved.path.ends_with(".jsonl"), "{}", saved.path);
    let [(name, documents)] = stage.app.files.written().try_into().unwrap();
    assert!(name.starts_with("Countersign activity 20"), "{name}");
    let text = &documents[0].text;
    let header = check(text).unwrap();
    let bodies: Vec<String> = text
        .lines()
        .skip(1)
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["body"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(bodies, stage.app.audit());
    assert_eq!(header.records, u64::try_from(bodies.len()).unwrap());
    assert_eq!(header.anchor.unwrap().seq, header.records, "the keychain knows the last one");
    let forged = text.replacen("\\\"accounts\\\":2", "\\\"accounts\\\":1", 1);
    assert!(forged != *text && matches!(check(&forged), Err(FileFault::Changed(_))));
    let short = text.get(..=text.trim_end().rfind('\n').unwrap()).unwrap();
    assert_eq!(check(short), Err(FileFault::Missing(header.records)));
    stage.app.files.fill();
    let refusal = stage.app.app.export_activity().await.unwrap_err();
    assert_eq!(refusal.code(), ErrorCode::NotWritten);
}
