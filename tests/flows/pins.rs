//! Endpoints come from the provider file: what the bank's own document says instead stops the attempt.

use contract::ui::EndingView;
use serde_json::json;
use support::fake_provider::FakeProvider;
use support::fakes::TestApp;
use url::Url;

const READS: &[&str] = &["accounts", "transactions"];

/// The endpoints that a run uses, and their names in metadata.
const ENDPOINTS: [(&str, &str); 5] = [
    ("authorization_endpoint", "/authorize"),
    ("token_endpoint", "/token"),
    ("revocation_endpoint", "/revoke"),
    ("jwks_uri", "/jwks"),
    ("userinfo_endpoint", "/userinfo"),
];

/// Every address that is nearly the pinned one, and some that are far from it.
fn others(pinned: &str, evil: &FakeProvider, path: &str) -> Vec<(&'static str, String)> {
    let url = Url::parse(pinned).unwrap();
    let (port, below) = (url.port().unwrap(), pinned.trim_start_matches("http://"));
    vec![
        ("another host", format!("{}{path}", evil.issuer)),
        ("https", format!("https://{below}")),
        ("with a user name", format!("http://bank@{below}")),
        (
            "with the host as user name",
            format!("http://127.0.0.1:{port}@{}{path}", evil.issuer.trim_start_matches("http://")),
        ),
        ("another port", format!("http://127.0.0.1:{}{path}", port ^ 1)),
        ("another spelling of the host", format!("http://127.1:{port}{path}")),
        ("a name of the host", format!("http://localhost:{port}{path}")),
        ("a slash more", format!("{pinned}/")),
        ("a capital", format!("http://127.0.0.1:{port}{}", path.to_uppercase())),
        ("a query", format!("{pinned}?x=1")),
        ("a fragment", format!("{pinned}#x")),
        (
            "a percent code",
            format!("http://127.0.0.1:{port}/%{:x}{}", path.as_bytes()[1], path.get(2..).unwrap_or_default()),
        ),
        ("a step aside", format!("http://127.0.0.1:{port}/.{path}")),
        ("a space behind", format!("{pinned} ")),
        ("another path", format!("http://127.0.0.1:{port}/evil")),
        ("nothing", String::new()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_not_the_pinned_one_is_never_asked() {
    let evil = FakeProvider::start().await;
    let mut combinations = 0;
    for (member, path) in ENDPOINTS {
        let bank = FakeProvider::start().await;
        let mut app = TestApp::start(&[&bank]).await;
        for (what, address) in others(&format!("{}{path}", bank.issuer), &evil, path) {
            bank.metadata(member, json!(address));
            let attempt = app.click_connect("bank-1", READS).await;
            let ended = app.ended(&attempt).await.ending;
            let changed = EndingView::AddressesChanged { member: member.into() };
            assert_eq!(ended, Some(changed), "{member}, {what}: {address}");
            combinations += 1;
        }
        assert!(app.nothing_opened(), "{member}");
        let asked: Vec<String> = bank.all_seen().into_iter().map(|seen| seen.at).collect();
        assert!(asked.iter().all(|at| at == "metadata"), "{member}: {asked:?}");
        assert_eq!(app.grants().await, 0);
    }
    assert!(evil.all_seen().is_empty());
    assert!(combinations >= 75, "{combinations}");
}
