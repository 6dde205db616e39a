//! An agent's task in, a lease out, calls under it: what was agreed goes through, all else is refused or asked.

use std::time::Duration;

use app::port::Clock as _;
use app::{AgentCall, Refused, RefusedTask};
use contract::agent::TokenAnswer;
use contract::ui::{AnswerApproval, ApprovalAnswer, ApprovalWhat, NarrowGrant};
use domain::id::{AgentId, GrantId};
use domain::lease::Beyond;
use domain::policy::Denial;
use serde_json::{Value, json};
use support::agent::{TestAgent, look};
use support::fake_provider::FakeProvider;
use support::fakes::TestApp;

pub(crate) const ALL: &[&str] = &["accounts", "balances", "transactions", "identity", "payments"];
pub(crate) const PAYMENT: &str = r#"{"fromAccountId":"a1","toPayeeId":"p1","amount":12.5,"currency":"EUR"}"#;

/// A bank, an app with one grant at it, and its agent.
pub(crate) struct Stage {
    pub(crate) bank: FakeProvider,
    pub(crate) app: TestApp,
    pub(crate) grant: GrantId,
    agent: TestAgent,
}

impl Stage {
    pub(crate) async fn set(permissions: &[&str]) -> Self {
        let bank = FakeProvider::start().await;
        // Long enough not to be found in an answer by chance.
        bank.marks("-Zq7RrT2mWc9KxLf4");
        let mut app = TestApp::start(&[&bank]).await;
        let grant = app.connect("bank-1", permissions).await;
        bank.forget_seen();
        Self { bank, app, grant, agent: TestAgent::buddy() }
    }

    fn now(&self) -> i64 {
        self.app.clock.now().secs()
    }

    pub(crate) fn task(&self, details: &Value) -> String {
        self.agent.task(&self.app.app.issuer(), &self.grant.to_string(), details, self.now())
    }

    pub(crate) fn task_with(&self, details: &Value, change: impl FnOnce(&mut Value)) -> String {
        let mut claims =
            self.agent.claims(&self.app.app.issuer(), &self.grant.to_string(), details, self.now());
        change(&mut claims);
        self.agent.sign(&self.agent.task_header(), &claims)
    }

    fn proof_by(&self, agent: &TestAgent, method: &str, path: &str, lease: Option<&str>) -> app::Proof {
        let address = format!("{}{path}", self.app.app.issuer());
        let proof = agent.proof(method, &address, lease, self.now());
        self.app.app.greet_agent(&proof, method, path, lease).unwrap()
    }

    pub(crate) async fn present(&self, task: &str) -> Result<TokenAnswer, RefusedTask> {
        self.present_by(&self.agent, task).await
    }

    async fn present_by(&self, agent: &TestAgent, task: &str) -> Result<TokenAnswer, RefusedTask> {
        let proof = self.proof_by(agent, "POST", "/token", None);
        self.app.app.request_lease(&proof, task, None).await
    }

    pub(crate) async fn refused(&self, task: &str) -> Refused {
        self.present(task).await.unwrap_err().why
    }

    pub(crate) async fn call(
        &self,
        lease: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<(u16, String), Refused> {
        self.call_by(&self.agent, lease, method, path, body).await
    }

    async fn call_by(
        &self,
        agent: &TestAgent,
        lease: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<(u16, String), Refused> {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let whole = format!("/call/{}{path}", self.grant);
        let proof = self.proof_by(agent, method, &whole, Some(lease));
        let call = AgentCall {
            grant: self.grant,
            method: method.into(),
            path: path.into(),
            query: query.map(str::to_owned),
            body: body.as_bytes().to_vec(),
        };
        let mut answer = self.app.app.call_bank(&proof, lease, call).await?;
        let mut whole = Vec::new();
        while let Some(piece) = answer.next().await? {
            whole.extend(piece);
        }
        Ok((answer.status, String::from_utf8(whole).unwrap()))
    }

    pub(crate) fn records(&self, event: &str) -> usize {
        self.app.audit().iter().filter(|body| body.contains(&format!("\"event\":\"{event}\""))).count()
    }

    /// Waits until a question is open, and answers it.
    pub(crate) async fn answer(&self, answer: ApprovalAnswer) {
        let view = loop {
            match self.app.app.pending_approval().await.unwrap().question {
                Some(view) => break view,
                None => tokio::task::yield_now().await,
            }
        };
        let request = AnswerApproval { id: view.id, drawn: view.drawn, answer, passphrase: None };
        self.app.app.answer_approval(request).await.unwrap();
    }

    async fn agent_id(&self) -> AgentId {
        AgentId::parse(&self.app.app.list_agents().await.unwrap().agents[0].id).unwrap()
    }
}

pub(crate) fn pay() -> Value {
    json!([{"type": "payment_initiation", "actions": ["make_payment"],
        "instructedAmount": {"currency": "EUR", "amount": "12.50"}, "creditorName": "Water Works",
        "creditorAccount": {"id": "p1"}, "debtorAccount": {"id": "a1"}}])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_was_agreed_goes_through_and_the_token_stays() {
    let stage = Stage::set(&["accounts", "balances"]).await;
    let answer = stage.present(&stage.task(&look(&["get_balance"]))).await.unwrap();
    assert_eq!(
        (answer.lease_type.as_str(), answer.expires_in, answer.scope.as_str()),
        ("DPoP", 300, "get_balance")
    );
    assert_eq!(answer.resource, format!("{}/call/{}", stage.app.app.issuer(), stage.grant));
    assert_eq!(answer.authorization_details[0]["identifier"], json!(["a1", "a2"]), "what is given is said");
    assert_eq!(stage.bank.all_seen().len(), 0, "the bank hears nothing of a task");
    let (status, body) = stage.call(answer.lease.as_str(), "GET", "/accounts/a1", "").await.unwrap();
    assert_eq!((status, body.as_str()), (200, r#"{"accountId":"a1","currentBalance":12.5}"#));
    let seen = stage.bank.all_seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].authorization.as_deref().unwrap().starts_with("Bearer access-1"));
    assert_eq!((stage.records("lease_given"), stage.records("call_made")), (1, 1));
    // One use is one use.
    let again = stage.call(answer.lease.as_str(), "GET", "/accounts/a1", "").await;
    assert_eq!(again.unwrap_err(), Refused::LeaseUnknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_outside_is_denied_and_never_trimmed() {
    let stage = Stage::set(&["accounts", "balances"]).await;
    for (details, why) in [
        (look(&["list_transactions"]), Refused::Denied(Denial::OperationOutside)),
        (look(&["get_balance", "list_transactions"]), Refused::Denied(Denial::OperationOutside)),
        (look(&["no_such"]), Refused::Denied(Denial::OperationUnknown)),
        (pay(), Refused::Denied(Denial::OperationOutside)),
        (
            json!([{"type": "account_information", "actions": ["get_balance"], "identifier": ["a1", "a9"]}]),
            Refused::Denied(Denial::AccountOutside),
        ),
    ] {
        assert_eq!(stage.refused(&stage.task(&details)).await, why, "{details}");
    }
    assert_eq!(stage.records("lease_given"), 0);
    assert_eq!(stage.records("task_refused"), 5);
    assert_eq!(stage.bank.all_seen().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_presented_once_across_restarts() {
    let stage = Stage::set(&["accounts", "balances"]).await;
    let task = stage.task(&look(&["get_balance"]));
    let (one, two) = tokio::join!(stage.present(&task), stage.present(&task));
    assert!(one.is_ok() ^ two.is_ok(), "exactly one");
    assert_eq!(stage.refused(&task).await, Refused::TaskUsed);
    let Stage { bank, app, grant, agent } = stage;
    let TestApp { app: running, dir, keychain, .. } = app;
    drop(running);
    let app = TestApp::start_in(dir, keychain, &[&bank]).await;
    let stage = Stage { bank, app, grant, agent };
    assert_eq!(stage.refused(&task).await, Refused::TaskUsed);
    // The clock moved back a day revives nothing.
    stage.app.clock.move_wall(-86_400_000);
    assert!(matches!(stage.refused(&task).await, Refused::TaskUsed | Refused::Task(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_serves_the_agent_it_was_made_for() {
    let stage = Stage::set(&["accounts", "balances"]).await;
    let stranger = TestAgent::stranger(3);
    let task = |agent: &TestAgent| {
        agent.task(&stage.app.app.issuer(), &stage.grant.to_string(), &look(&["get_balance"]), stage.now())
    };
    assert_eq!(stage.present_by(&stranger, &task(&stranger)).await.unwrap_err().why, Refused::AgentUnknown);
    // Another key cannot present the agent's task, nor use its lease.
    let stolen = stage.task(&look(&["get_balance"]));
    assert!(matches!(stage.present_by(&stranger, &stolen).await.unwrap_err().why, Refused::Task(_)));
    let lease = stage.present(&stolen).await.unwrap().lease;
    let used = stage.call_by(&stranger, lease.as_str(), "GET", "/accounts/a1", "").await;
    assert_eq!(used.unwrap_err(), Refused::LeaseUnknown);
    // A second agent has nothing until it is connected itself.
    let key = contract::ui::AddAgent { name: "Tax Helper".into(), key: stranger.x() };
    stage.app.app.add_agent(&key).await.unwrap();
    assert_eq!(stage.present_by(&stranger, &task(&stranger)).await.unwrap_err().why, Refused::GrantUnknown);
    let other = TestAgent::stranger(3);
    let listed =
        stage.app.app.grants_of_agent(stage.proof_by(&other, "GET", "/grants", None).key).await.unwrap();
    assert_eq!(listed.grants.len(), 0);
    let nowhere = other.task(
        &stage.app.app.issuer(),
        "019ab000-0000-7000-8000-000000000000",
        &look(&["get_balance"]),
        stage.now(),
    );
    let unknown = stage.present_by(&stranger, &nowhere).await.unwrap_err();
    assert_eq!(unknown.why, Refused::GrantUnknown, "another's grant and none are one answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_the_one_of_the_task() {
    let stage = Stage::set(ALL).await;
    let task = stage.task_with(&look(&["get_balance"]), |claims| claims["uses"] = json!(50));
    let lease = stage.present(&task).await.unwrap().lease;
    let call = async |method: &'static str, path: &'static str, body: &'static str| {
        stage.call(lease.as_str(), method, path, body).await.unwrap_err()
    };
    assert_eq!(call("GET", "/accounts/a9", "").await, Refused::Beyond(Beyond::Account));
    assert_eq!(call("GET", "/accounts/a1/transactions", "").await, Refused::Beyond(Beyond::Operation));
    assert_eq!(call("POST", "/payments", PAYMENT).await, Refused::Beyond(Beyond::Operation));
    assert!(matches!(call("GET", "/accounts/a1?x=1", "").await, Refused::Call(_)));
    assert!(matches!(call("GET", "//evil.test/accounts/a1", "").await, Refused::Call(_)));
    assert!(matches!(call("GET", "/accounts/..%2f..", "").await, Refused::Call(_)));
    assert_eq!(stage.bank.all_seen().len(), 0, "nothing of it went out");
    assert_eq!((stage.records("call_made"), stage.records("call_refused")), (0, 6));
    assert!(stage.call(lease.as_str(), "GET", "/accounts/a1", "").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_asked_for_each_time_and_made_once() {
    let stage = Stage::set(ALL).await;
    let task = stage.task(&pay());
    let (given, ()) = tokio::join!(stage.present(&task), async {
        let view = loop {
            match stage.app.app.pending_approval().await.unwrap().question {
                Some(view) => break view,
                None => tokio::task::yield_now().await,
            }
        };
        let ApprovalWhat::Payment { to, to_account, amount, from, .. } = &view.what else {
            panic!("{view:?}")
        };
        assert_eq!((to.as_str(), to_account.as_deref()), ("Water Works", Some("p1")));
        assert_eq!((amount.amount.as_str(), amount.currency.as_str()), ("12.50", "EUR"));
        assert_eq!(from.as_ref().map(|account| account.id.as_str()), Some("a1"));
        assert!(!view.may_remember);
        // What was not drawn is not allowed.
        let (id, answer) = (view.id.clone(), ApprovalAnswer::AllowOnce {});
        let other = AnswerApproval { id, drawn: "0".repeat(64), answer, passphrase: None };
        assert!(stage.app.app.answer_approval(other).await.is_err());
        stage.answer(ApprovalAnswer::AllowOnce {}).await;
    });
    let lease = given.unwrap().lease;
    let dearer = PAYMENT.replace("12.5", "125");
    let refused = stage.call(lease.as_str(), "POST", "/payments", &dearer).await;
    assert_eq!(refused.unwrap_err(), Refused::Beyond(Beyond::Payment));
    let (status, _) = stage.call(lease.as_str(), "POST", "/payments", PAYMENT).await.unwrap();
    assert_eq!(status, 200);
    let seen = stage.bank.all_seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].header("idempotency-key").is_some());
    assert_eq!(
        stage.call(lease.as_str(), "POST", "/payments", PAYMENT).await.unwrap_err(),
        Refused::LeaseUnknown
    );
    // The next one is another question.
    let task = stage.task(&pay());
    let (refused, ()) = tokio::join!(stage.present(&task), stage.answer(ApprovalAnswer::Deny {}));
    assert_eq!(refused.unwrap_err().why, Refused::PersonSaidNo);
    let again = stage.task(&pay());
    let (given, ()) = tokio::join!(stage.present(&again), stage.answer(ApprovalAnswer::AllowOnce {}));
    assert!(given.is_ok(), "after a no, the same is asked anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_is_remembered_for_its_operation_and_kind_of_purpose() {
    let stage = Stage::set(ALL).await;
    let task = stage.task(&look(&["get_customer"]));
    let (given, ()) = tokio::join!(stage.present(&task), stage.answer(ApprovalAnswer::AllowFor { days: 30 }));
    given.unwrap();
    let silent = stage.present(&stage.task(&look(&["get_customer"]))).await;
    assert!(silent.is_ok(), "agreed: {silent:?}");
    let other = stage.task_with(&look(&["get_customer"]), |claims| claims["purpose_class"] = json!("taxes"));
    let (refused, ()) = tokio::join!(stage.present(&other), stage.answer(ApprovalAnswer::Deny {}));
    assert_eq!(refused.unwrap_err().why, Refused::PersonSaidNo);
    let listed = stage.app.app.list_agents().await.unwrap();
    let choice = domain::id::ChoiceId::parse(&listed.agents[0].choices[0].id).unwrap();
    stage.app.app.forget_choice(stage.agent_id().await, choice).await.unwrap();
    let task = stage.task(&look(&["get_customer"]));
    let (refused, ()) = tokio::join!(stage.present(&task), stage.answer(ApprovalAnswer::Deny {}));
    assert_eq!(refused.unwrap_err().why, Refused::PersonSaidNo, "forgotten, it is asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn i_did_not_ask_for_this_holds_the_agent_back_before_it_hears() {
    let stage = Stage::set(ALL).await;
    let given = stage.present(&stage.task(&look(&["get_balance"]))).await.unwrap();
    let task = stage.task(&pay());
    let (refused, ()) = tokio::join!(stage.present(&task), stage.answer(ApprovalAnswer::NotMine {}));
    assert_eq!(refused.unwrap_err().why, Refused::PersonSaidNo);
    let read = stage.refused(&stage.task(&look(&["get_balance"]))).await;
    assert_eq!(read, Refused::Denied(Denial::AgentPaused));
    let used = stage.call(given.lease.as_str(), "GET", "/accounts/a1", "").await;
    assert_eq!(used.unwrap_err(), Refused::LeaseUnknown, "what it had is over");
    stage.app.app.resume_agent(stage.agent_id().await).await.unwrap();
    assert!(stage.present(&stage.task(&look(&["get_balance"]))).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_comes_back_to_the_same_question_and_who_goes_takes_it_along() {
    let stage = Stage::set(ALL).await;
    let present = async |stage: &Stage| {
        let task = stage.task(&pay());
        let asked = stage.app.prompt.times();
        let present = stage.present(&task);
        // Once the question is before the person, the request waits by the clock.
        let passes = async {
            stage.app.prompt.wanted(asked + 1).await;
            stage.app.clock.pass(Duration::from_secs(21));
        };
        tokio::join!(present, passes).0
    };
    assert_eq!(present(&stage).await.unwrap_err().why, Refused::Pending);
    assert_eq!(present(&stage).await.unwrap_err().why, Refused::Pending);
    assert_eq!(stage.records("question_asked"), 1, "signed anew, it is the same question");
    stage.answer(ApprovalAnswer::AllowOnce {}).await;
    assert!(stage.present(&stage.task(&pay())).await.is_ok(), "the yes waits for who asked");

    assert_eq!(present(&stage).await.unwrap_err().why, Refused::Pending);
    while stage.records("question_answered") < 2 {
        stage.app.clock.pass(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(stage.app.audit().iter().any(|body| body.contains("\"answer\":\"withdrawn\"")));
    assert!(stage.app.app.pending_approval().await.unwrap().question.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_given_while_stopped_locked_paused_or_narrowed() {
    let stage = Stage::set(&["accounts", "balances", "transactions"]).await;
    let task = || stage.task_with(&look(&["list_transactions"]), |claims| claims["uses"] = json!(20));
    let lease = stage.present(&task()).await.unwrap().lease;
    let path = "/accounts/a1/transactions";

    stage.app.app.pause_grant(stage.grant).await.unwrap();
    assert_eq!(stage.refused(&task()).await, Refused::Denied(Denial::GrantPaused));
    let used = stage.call(lease.as_str(), "GET", path, "").await;
    assert_eq!(used.unwrap_err(), Refused::Denied(Denial::GrantPaused));
    stage.app.app.resume_grant(stage.grant).await.unwrap();

    let until = stage.app.app.show_grant(stage.grant).await.unwrap().row.ends_at;
    let left = NarrowGrant {
        grant: stage.grant.to_string(),
        permissions: vec!["accounts".into(), "transactions".into()],
        accounts: vec!["a2".into()],
        until,
    };
    stage.app.app.narrow_grant(&left).await.unwrap();
    let used = stage.call(lease.as_str(), "GET", path, "").await;
    assert_eq!(
        used.unwrap_err(),
        Refused::Denied(Denial::AccountOutside),
        "the lease is older than the change"
    );
    stage.app.app.widen_grant(stage.grant).await.unwrap();
    assert!(stage.call(lease.as_str(), "GET", path, "").await.is_ok());

    stage.app.app.stop_agents().await;
    assert_eq!(stage.refused(&task()).await, Refused::AgentsStopped);
    assert_eq!(stage.call(lease.as_str(), "GET", path, "").await.unwrap_err(), Refused::AgentsStopped);
    stage.app.app.resume_agents().await.unwrap();
    let used = stage.call(lease.as_str(), "GET", path, "").await;
    assert_eq!(used.unwrap_err(), Refused::LeaseUnknown, "a stop ends every lease for good");
    let lease = stage.present(&task()).await.unwrap().lease;
    stage.app.app.revoke_grant(stage.grant).await.unwrap();
    assert_eq!(stage.refused(&task()).await, Refused::Denied(Denial::GrantRevoked));
    assert!(stage.call(lease.as_str(), "GET", path, "").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_was_removed_is_nobody() {
    let stage = Stage::set(&["accounts", "balances"]).await;
    let lease = stage.present(&stage.task(&look(&["get_balance"]))).await.unwrap().lease;
    stage.app.app.remove_agent(stage.agent_id().await).await.unwrap();
    let refused = stage.refused(&stage.task(&look(&["get_balance"]))).await;
    assert!(matches!(refused, Refused::Denied(Denial::AgentRemoved) | Refused::GrantUnknown), "{refused:?}");
    assert!(stage.call(lease.as_str(), "GET", "/accounts/a1", "").await.is_err());
    assert!(stage.app.app.list_grants().await.unwrap().history.len() == 1, "its connection is revoked");
}
