//! Two banks at once: what belongs to one never gets to the other (RFC 9700 §4.4, RFC 9207).

use contract::ui::EndingView;
use serde_json::{Value, json};
use support::fake_provider::FakeProvider;
use support::fakes::{TestApp, come_back, get, parameter, sent_back};
use url::Url;
use url::form_urlencoded::byte_serialize;

const READS: &[&str] = &["accounts", "transactions"];

/// Who a part of a crossed answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Own,
    Other,
    Nobody,
}

/// Two honest banks, and an attempt at each.
struct Two {
    banks: [FakeProvider; 2],
    app: TestApp,
    attempts: [domain::attempt::Attempt; 2],
    urls: [Url; 2],
}

impl Two {
    async fn start(prepare: impl Fn(&FakeProvider)) -> Self {
        let banks = [FakeProvider::start().await, FakeProvider::start().await];
        banks.iter().for_each(prepare);
        let mut app = TestApp::start(&[&banks[0], &banks[1]]).await;
        let first = app.click_connect("bank-1", READS).await;
        let one = app.opened().await;
        let second = app.click_connect("bank-2", READS).await;
        let two = app.opened().await;
        Self { banks, app, attempts: [first, second], urls: [one, two] }
    }

    fn redirect(&self, bank: usize) -> String {
        parameter(&self.urls[bank], "redirect_uri")
    }

    fn state(&self, bank: usize) -> String {
        parameter(&self.urls[bank], "state")
    }

    fn iss(&self, bank: usize) -> String {
        byte_serialize(self.banks[bank].issuer.as_bytes()).collect()
    }

    /// Nothing of the code got anywhere.
    fn assert_no_code_arrived(&self, context: &str) {
        for bank in &self.banks {
            let all = bank.all_seen();
            let heard =
                all.iter().any(|seen| seen.body.contains("CROSSED") || seen.query.contains("CROSSED"));
            assert!(!heard && bank.seen("token").is_empty(), "{context}: a bank saw the code");
        }
    }
}

fn iss_absent(bank: &FakeProvider) {
    bank.states("behaviour.iss", json!("absent"));
    bank.metadata("authorization_response_iss_parameter_supported", Value::Null);
    bank.calls_back("code={code}&state={state}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_crossing_of_state_address_and_issuer_sends_a_code() {
    use Whose::{Nobody, Other, Own};
    for flow in [0, 1] {
        let other = 1 - flow;
        // state of, address of, iss of; all twelve but the one that is the honest answer.
        for (state, address, iss) in [
            (Own, Own, Other),
            (Own, Own, Nobody),
            (Own, Other, Own),
            (Own, Other, Other),
            (Own, Other, Nobody),
            (Other, Own, Own),
            (Other, Own, Other),
            (Other, Own, Nobody),
            (Nobody, Own, Own),
            (Nobody, Own, Other),
            (Nobody, Own, Nobody),
        ] {
            let two = Two::start(|_| ()).await;
            let context = format!("flow {flow}: state {state:?}, address {address:?}, iss {iss:?}");
            let index = |whose| if whose == Own { flow } else { other };
            let state_part = match state {
                Nobody => String::new(),
                Own | Other => format!("&state={}", two.state(index(state))),
            };
            let iss_part = match iss {
                Nobody => String::new(),
                Own | Other => format!("&iss={}", two.iss(index(iss))),
            };
            let target = format!("{}?code=CROSSED{state_part}{iss_part}", two.redirect(index(address)));
            let (status, _) = get(&target).await;
            let ours = state == Own && address == Own;
            assert_eq!(status, if ours { 200 } else { 400 }, "{context}");
            if ours {
                let ended = two.app.ended(&two.attempts[flow]).await.ending;
                assert_eq!(ended, Some(EndingView::UnexpectedServer), "{context}");
            }
            two.assert_no_code_arrived(&context);
            // What was not ours ended nothing: both still connect, each with its own verifier.
            for bank in [0, 1] {
                if ours && bank == flow {
                    continue;
                }
                come_back(&two.urls[bank]).await;
                let ended = two.app.ended(&two.attempts[bank]).await.ending;
                assert!(matches!(ended, Some(EndingView::Connected { .. })), "{context}: {ended:?}");
                assert_eq!(two.banks[bank].seen("token").len(), 1, "{context}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn swapped_answers_are_refused_and_unswapped_ones_connect() {
    let two = Two::start(|_| ()).await;
    let answers = [sent_back(&two.urls[0]).await.unwrap(), sent_back(&two.urls[1]).await.unwrap()];
    for (bank, answer) in [(0, &answers[1]), (1, &answers[0])] {
        let target = format!("{}?{}", two.redirect(bank), answer.query().unwrap());
        assert_eq!(get(&target).await.0, 400);
    }
    for bank in [0, 1] {
        let path = |n: usize| Url::parse(&two.redirect(n)).unwrap().path().to_owned();
        let wrong_path = answers[bank].as_str().replace(&path(bank), &path(1 - bank));
        assert_eq!(get(&wrong_path).await.0, 404, "each bank has its own path");
    }
    for (bank, answer) in answers.iter().enumerate() {
        assert_eq!(get(answer.as_str()).await.0, 200);
        assert!(matches!(
            two.app.ended(&two.attempts[bank]).await.ending,
            Some(EndingView::Connected { .. })
        ));
        let [exchange] = &two.banks[bank].seen("token")[..] else { panic!("not once") };
        assert_eq!(exchange.form["code"], "code-1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn banks_that_send_no_iss_are_told_apart_by_their_addresses() {
    let two = Two::start(iss_absent).await;
    let answers = [sent_back(&two.urls[0]).await.unwrap(), sent_back(&two.urls[1]).await.unwrap()];
    assert_eq!(answers[0].query_pairs().count(), 2, "no iss in it");
    // The answer of one bank on the other's address and path, with and without the state that would fit.
    let crossed = format!("{}?{}", two.redirect(1), answers[0].query().unwrap());
    assert_eq!(get(&crossed).await.0, 400);
    let path = Url::parse(&two.redirect(1)).unwrap().path().to_owned();
    let own_path = Url::parse(&two.redirect(0)).unwrap().path().to_owned();
    assert_eq!(get(&answers[0].as_str().replace(&own_path, &path)).await.0, 404);
    for bank in [0, 1] {
        assert!(two.banks[bank].seen("token").is_empty());
        assert_eq!(get(answers[bank].as_str()).await.0, 200);
        assert!(matches!(
            two.app.ended(&two.attempts[bank]).await.ending,
            Some(EndingView::Connected { .. })
        ));
        assert_eq!(two.banks[bank].seen("token").len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_one_attempt_in_another_of_the_same_bank_ends_without_a_grant() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let first = app.click_connect("bank-1", READS).await;
    let one = sent_back(&app.opened().await).await.unwrap();
    let second = app.click_connect("bank-1", READS).await;
    let url_two = app.opened().await;
    // The first answer at the second's address is nobody's: its state is not due there.
    let crossed = format!("{}?{}", parameter(&url_two, "redirect_uri"), one.query().unwrap());
    assert_eq!(get(&crossed).await.0, 400);
    assert!(bank.seen("token").is_empty());
    // With the second's state the bank is asked once, with the second's verifier, and refuses.
    let state = parameter(&url_two, "state");
    let injected = crossed.replace(&parameter(&one, "state"), &state);
    assert_eq!(get(&injected).await.0, 200);
    let ended = app.ended(&second).await.ending;
    assert_eq!(ended, Some(EndingView::BankRefused { code: "invalid_grant".into(), retry: false }));
    assert_eq!(bank.seen("token").len(), 1, "no second try");
    assert_eq!(app.grants().await, 0);
    let said =
        app.audit().iter().any(|body| body.contains("attempt_ended") && body.contains("invalid_grant"));
    assert!(said, "the audit log says that the code was refused");
    app.app.cancel_attempt(first.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_uri_in_the_wrong_browser_brings_the_wrong_state() {
    let bank = FakeProvider::start().await;
    bank.states("behaviour.par", json!("required"));
    let mut app = TestApp::start(&[&bank]).await;
    let first = app.click_connect("bank-1", READS).await;
    let url_one = app.opened().await;
    let second = app.click_connect("bank-1", READS).await;
    let url_two = app.opened().await;
    // The second's browser is led to the first's request: it comes back with the first's state.
    let answer = sent_back(&url_one).await.unwrap();
    let redirect_two = &bank.seen("par")[1].form["redirect_uri"];
    assert_eq!(get(&format!("{redirect_two}?{}", answer.query().unwrap())).await.0, 400);
    assert!(bank.seen("token").is_empty());
    let pushed = bank.seen("par");
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(pushed[0].form[name], pushed[1].form[name], "{name}");
    }
    assert_eq!(get(answer.as_str()).await.0, 200);
    assert_eq!(come_back(&url_two).await.0, 200);
    for attempt in [&first, &second] {
        assert!(matches!(app.ended(attempt).await.ending, Some(EndingView::Connected { .. })));
    }
}

#[test]
fn a_second_file_for_the_same_issuer_is_refused() {
    use app::catalogue::{Catalogue, SourceFile, Sources};
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (bank, other) =
        runtime.block_on(async { (FakeProvider::start().await, FakeProvider::start().await) });
    // The same issuer, and everything else somebody else's.
    other.states("authorization_server.issuer", json!(bank.issuer));
    let profile = include_str!("../../src-tauri/crates/oauth/providers/profiles/fdx-v6.toml");
    let file = |name: &str, text: String| SourceFile { name: name.into(), text };
    let sources = Sources {
        providers: vec![file("a.toml", bank.file("bank-1")), file("b.toml", other.file("bank-2"))],
        profiles: vec![file("fdx-v6.toml", profile.into())],
        ..Sources::default()
    };
    let catalogue = Catalogue::parse(&sources, domain::provider::AddressRule::DangerLoopback);
    let ids: Vec<_> = catalogue.providers().iter().map(|p| p.id.as_str()).collect();
    assert_eq!(ids, ["bank-1"]);
    assert_eq!(catalogue.problems.len(), 1);
    assert_eq!(catalogue.problems[0].rule, "another file has this issuer");
}
