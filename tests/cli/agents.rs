//! What agents ask, answered from a terminal, and agents held back there.

use app::port::Clock as _;
use contract::agent::Enrolment;
use contract::ui::{AgentPausedWhy, AgentView, AgentsView};
use domain::agent::AgentKey;
use support::agent::{TestAgent, look};
use support::fake_provider::FakeProvider;
use support::fakes::TestApp;

use crate::golden::golden;
use crate::program::{Door, Ran};

fn done(ran: Ran) -> String {
    assert_eq!((ran.exit, &*ran.err), (0, ""), "{ran:?}");
    ran.out
}

async fn agents(app: &TestApp) -> Vec<AgentView> {
    app.app.list_agents().await.unwrap().agents
}

/// An agent asks for what it has not used before, and waits for the answer.
fn ask(app: &TestApp, grant: &str) -> tokio::task::JoinHandle<bool> {
    let (agent, issuer) = (TestAgent::buddy(), app.app.issuer());
    let now = app.clock.now().secs();
    let proof = agent.proof("POST", &format!("{issuer}/token"), None, now);
    let proof = app.app.greet_agent(&proof, "POST", "/token", None).unwrap();
    let task = agent.task(&issuer, grant, &look(&["get_customer"]), now);
    let app = app.app.clone();
    tokio::spawn(async move { app.request_lease(&proof, &task, None).await.is_ok() })
}

/// The id of the question that comes up.
async fn question(app: &TestApp) -> String {
    app.prompt.wanted(1).await;
    app.app.open_questions().await.unwrap()[0].id.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_shown_and_allowed_or_denied() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let grant = app.connect("bank-1", &["accounts", "identity"]).await.to_string();
    let door = Door::open(&app);
    let mut said = format!("$ countersign approve\n{}", done(door.run("approve").await));
    let asked = ask(&app, &grant);
    let id = question(&app).await;
    said += &format!("\n$ countersign approve\n{}", done(door.run("approve").await));
    let elsewhere = door.run(&format!("approve {id}")).await;
    assert_eq!(
        (elsewhere.exit, elsewhere.err.lines().count()),
        (5, 1),
        "it waits for the window: {elsewhere:?}"
    );
    assert_eq!(app.app.open_questions().await.unwrap().len(), 1, "nothing was answered");
    let allowed = done(door.run(&format!("approve {id} --yes")).await);
    assert!(asked.await.unwrap(), "the agent has what it asked for");
    said += &format!("\n$ countersign approve <id> --yes\n{allowed}");
    let gone = door.run(&format!("approve {id} --yes")).await;
    assert_eq!((gone.exit, &*gone.err), (1, "There is no such question. Nothing changed.\n"));
    golden("approve", &said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_needs_nothing() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let grant = app.connect("bank-1", &["accounts", "identity"]).await.to_string();
    let door = Door::open(&app);
    let asked = ask(&app, &grant);
    let id = question(&app).await;
    let denied = done(door.run(&format!("approve {id} --deny")).await);
    assert_eq!(denied, "Denied. Nothing was allowed.\n");
    assert!(!asked.await.unwrap());
    assert!(app.app.open_questions().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_added_by_the_code_that_it_shows() {
    let app = TestApp::start(&[]).await;
    let door = Door::open(&app);
    let stranger = TestAgent::stranger(7);
    let key = AgentKey::parse(&stranger.x()).unwrap();
    let Enrolment::Waiting { code, .. } = app.app.enrol_agent(key, "Led\u{1b}[2Jgerly", None).await.unwrap()
    else {
        panic!("it waits")
    };
    let shown = done(door.run("approve").await);
    assert!(!shown.contains('\u{1b}'), "a terminal would obey it: {shown:?}");
    golden("enrolment", &shown.replace(&code, "<code>"));
    let wrong = door.run("approve AAAA-AAAA --yes").await;
    assert_eq!((wrong.exit, agents(&app).await.len()), (1, 1), "another code adds nobody");
    let words = ["approve", &code.to_lowercase(), "--yes", "--name", "Books"].map(str::to_owned).to_vec();
    let added = done(door.run_words(words).await);
    assert!(added.starts_with("Books\n"), "{added}");
    assert_eq!(agents(&app).await[1].thumbprint, stranger.thumbprint());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_declined_without_a_passphrase() {
    let app = TestApp::start(&[]).await;
    let door = Door::open(&app);
    let key = AgentKey::parse(&TestAgent::stranger(8).x()).unwrap();
    let Enrolment::Waiting { code, .. } = app.app.enrol_agent(key, "Ledgerly", None).await.unwrap() else {
        panic!("it waits")
    };
    assert_eq!(done(door.run(&format!("approve {code} --deny")).await), "Declined. Nothing was added.\n");
    assert_eq!(agents(&app).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_held_back_let_go_on_and_removed() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    app.connect("bank-1", &["accounts"]).await;
    let door = Door::open(&app);
    let mut said = String::new();
    for line in
        ["agents pause Budget Buddy", "agents resume Budget Buddy --yes", "agents remove Budget Buddy"]
    {
        said += &format!("$ countersign {line}\n{}\n", done(door.run(line).await));
        let agent = &agents(&app).await[0];
        let paused = agent.paused.map(|paused| paused.why);
        assert_eq!(paused, line.contains("pause").then_some(AgentPausedWhy::Person));
        assert_eq!(agent.removed_at.is_some(), line.contains("remove"));
    }
    golden("agents", &said);
    let gone = door.run("agents pause Budget Buddy").await;
    assert_eq!((gone.exit, &*gone.err), (1, "There is no such agent. Nothing changed.\n"));
    let all: AgentsView = serde_json::from_str(&done(door.run("agents --json").await)).unwrap();
    assert_eq!(all.agents[0].connections, 0, "its connection is revoked");
}
