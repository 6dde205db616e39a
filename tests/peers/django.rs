//! Habits of django-oauth-toolkit that break naive clients, each with what the app makes of it.

use contract::ui::EndingView;
use oauth::callback::CallbackQuery;
use oauth::connect::{Callback, CallbackError};
use oauth::metadata::MetadataError;
use oauth::refusal::ProviderRule;
use oauth::revoke::TokenKind;
use support::django::DjangoBank;
use support::fakes::{SharedKeychain, TestApp, get, parameter, private_folder};
use support::person::{Person, Wish};

use crate::client::{Client, READS};

const ISSUER: &str = "/o\"\nauthorization_endpoint";

/// One attempt at this bank with this file; how it ends, and how often the token endpoint was asked.
async fn attempt(bank: &DjangoBank, file: String, chosen: &[&str]) -> (EndingView, usize) {
    let mut app = TestApp::start_with_files(private_folder(), SharedKeychain::empty(), vec![file]).await;
    let attempt = app.click_connect("django-bank", chosen).await;
    let back = Person::new("edda").go(&app.opened().await, Wish::Allow).await;
    assert_eq!(get(back.as_str()).await.0, 200);
    let ending = app.ended(&attempt).await.ending.unwrap();
    (ending, bank.noted_at("/o/token/").len())
}

/// The file with the issuer that somebody might take for this server's.
fn with_issuer(bank: &DjangoBank, path: &str) -> String {
    let file = bank.provider_file();
    assert!(file.contains(ISSUER));
    file.replacen(ISSUER, &format!("{path}\"\nauthorization_endpoint"), 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_is_asked_for_where_rfc_8414_puts_it() {
    let folder = private_folder();
    let bank = DjangoBank::start(folder.path());
    let client = Client::by_file(&bank.provider_file());
    let endpoints = client.endpoints().await.unwrap();
    assert!(endpoints.iss_required, "it advertises `iss`");
    let asked: Vec<_> =
        bank.noted().into_iter().map(|noted| (noted.method, noted.path, noted.status)).collect();
    let path = "/.well-known/oauth-authorization-server/o";
    assert_eq!(asked, [("GET".to_owned(), path.to_owned(), 200)]);
}

/// Its metadata at the root says that the root is the issuer; its answers say otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn the_root_of_the_server_is_not_its_issuer() {
    let folder = private_folder();
    let bank = DjangoBank::start(folder.path());
    let (ending, exchanges) = attempt(&bank, with_issuer(&bank, ""), &["accounts"]).await;
    assert_eq!((ending, exchanges), (EndingView::UnexpectedServer, 0));
    assert_eq!(bank.noted_at("/.well-known/oauth-authorization-server").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_differs_by_a_slash_is_another_one() {
    let folder = private_folder();
    let bank = DjangoBank::start(folder.path());
    let client = Client::by_file(&with_issuer(&bank, "/o/"));
    let mismatch = MetadataError::Misbehaved(ProviderRule::IssuerMismatch);
    assert_eq!(client.endpoints().await.unwrap_err(), mismatch);
    let files = vec![with_issuer(&bank, "/o/")];
    let mut app = TestApp::start_with_files(private_folder(), SharedKeychain::empty(), files).await;
    let attempt = app.click_connect("django-bank", &["accounts"]).await;
    let misbehaved = EndingView::BankMisbehaved { rule: "issuer_mismatch".into() };
    assert_eq!(app.ended(&attempt).await.ending, Some(misbehaved));
    assert!(app.nothing_opened());
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_carry_the_issuer_and_refusals_do_not() {
    let folder = private_folder();
    let bank = DjangoBank::start(folder.path());
    let client = Client::by_file(&bank.provider_file());
    let has_iss = |url: &url::Url| url.query_pairs().any(|(name, _)| name == "iss");

    let (back, expect) = client.answer(&mut Person::new("edda"), Wish::Allow, &READS).await;
    assert_eq!(parameter(&back, "iss"), client.provider.server.issuer.as_str());
    assert!(matches!(expect.accept(&CallbackQuery::parse(back.query().unwrap())), Ok(Callback::Mine(..))));

    let (back, expect) = client.answer(&mut Person::new("edda"), Wish::Refuse, &READS).await;
    assert_eq!((parameter(&back, "error").as_str(), has_iss(&back)), ("access_denied", false));
    let judged = expect.accept(&CallbackQuery::parse(back.query().unwrap()));
    assert_eq!(judged.err(), Some(CallbackError::UnexpectedServer));
}

/// This bank offers a part of the profile only; asked for more it refuses, and leaves `iss` out again.
#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_the_bank_does_not_have_shares_nothing() {
    let folder = private_folder();
    let bank = DjangoBank::start(folder.path());
    let (ending, exchanges) = attempt(&bank, bank.provider_file(), &["accounts", "payments"]).await;
    assert_eq!((ending, exchanges), (EndingView::UnexpectedServer, 0));
}

/// Its metadata lists `client_secret_post` and `client_secret_basic`, and yet it serves public clients.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_secrets_does_not_make_the_client_send_one() {
    let folder = private_folder();
    let bank = DjangoBank::start(folder.path());
    let client = Client::by_file(&bank.provider_file());
    let reply = client.send(oauth::metadata::request(&client.provider).unwrap()).await;
    let document = oauth::json::object_of(&reply).unwrap();
    let methods = document["token_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(!methods.is_empty() && methods.iter().all(|method| method != "none"), "{methods:?}");

    let (ending, exchanges) = attempt(&bank, bank.provider_file(), &["accounts"]).await;
    assert!(matches!(ending, EndingView::Connected { .. }), "{ending:?}");
    assert_eq!(exchanges, 1);
    let exchange = &bank.noted_at("/o/token/")[0];
    assert_eq!((exchange.status, &exchange.authorization), (200, &None));
    let fields = ["client_id", "code", "code_verifier", "grant_type", "redirect_uri"];
    assert_eq!(exchange.form, fields);
    assert!(exchange.query.is_empty());

    let issued = client.issued(&mut Person::new("edda"), &READS).await;
    assert_eq!(client.revoke(TokenKind::Refresh, issued.refresh.unwrap().expose_secret()).await, 200);
    let revoked = &bank.noted_at("/o/revoke_token/")[0];
    assert_eq!((revoked.method.as_str(), &revoked.authorization), ("POST", &None));
    assert_eq!(revoked.form, ["client_id", "token", "token_type_hint"]);
    assert!(revoked.query.is_empty());
}

/// A bank may allow more than was asked. It is shown, and the name that it opens is not looked up.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_bank_allows_beyond_the_question_is_shown_and_not_used() {
    let folder = private_folder();
    let bank = DjangoBank::start(folder.path());
    let files = vec![bank.provider_file()];
    let mut app = TestApp::start_with_files(private_folder(), SharedKeychain::empty(), files).await;
    let attempt = app.click_connect("django-bank", &["accounts"]).await;
    let wish = Wish::AllowMore("fdx:customercontact:read");
    let back = Person::new("edda").go(&app.opened().await, wish).await;
    assert_eq!(get(back.as_str()).await.0, 200);
    let ended = app.ended(&attempt).await;
    let extra = vec!["name and contact details".to_owned()];
    assert_eq!(ended.ending, Some(EndingView::Connected { missing: vec![], extra }));
    assert!(bank.noted_at("/fdx/v6/customers/current").is_empty());
    assert_eq!(bank.noted_at("/fdx/v6/accounts").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn s256_is_taken_where_plain_is_offered_too() {
    let folder = private_folder();
    let bank = DjangoBank::start_with(folder.path(), &["--plain-too"]);
    let client = Client::by_file(&bank.provider_file());
    let reply = client.send(oauth::metadata::request(&client.provider).unwrap()).await;
    let document = oauth::json::object_of(&reply).unwrap();
    assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["plain", "S256"]));
    let files = vec![bank.provider_file()];
    let mut app = TestApp::start_with_files(private_folder(), SharedKeychain::empty(), files).await;
    let attempt = app.click_connect("django-bank", &["accounts"]).await;
    let opened = app.opened().await;
    assert_eq!(parameter(&opened, "code_challenge_method"), "S256");
    assert_eq!(parameter(&opened, "code_challenge").len(), 43);
    let back = Person::new("edda").go(&opened, Wish::Allow).await;
    assert_eq!(get(back.as_str()).await.0, 200);
    assert!(matches!(app.ended(&attempt).await.ending, Some(EndingView::Connected { .. })));
}

/// Its OpenID document names no revocation endpoint and its RFC 8414 document no UserInfo endpoint: the pins stand.
#[tokio::test(flavor = "multi_thread")]
async fn either_document_of_an_openid_bank_will_do() {
    let folder = private_folder();
    let bank = DjangoBank::start_with(folder.path(), &["--openid"]);
    let by_oidc = bank.provider_file();
    let by_rfc8414 = by_oidc.replacen("discovery = \"oidc\"", "discovery = \"rfc8414\"", 1);
    assert_ne!(by_oidc, by_rfc8414);
    for (file, absent) in [(&by_oidc, "revocation_endpoint"), (&by_rfc8414, "userinfo_endpoint")] {
        let client = Client::by_file(file);
        let reply = client.send(oauth::metadata::request(&client.provider).unwrap()).await;
        assert!(!oauth::json::object_of(&reply).unwrap().contains_key(absent), "{absent}");
        let endpoints = client.endpoints().await.unwrap();
        assert!(endpoints.revocation.is_some() && endpoints.userinfo.is_some());
    }
    let (ending, exchanges) = attempt(&bank, by_rfc8414, &["accounts"]).await;
    assert!(matches!(ending, EndingView::Connected { .. }), "{ending:?}");
    assert_eq!((exchanges, bank.noted_at("/o/userinfo/").len()), (1, 1));
    // The same name, signed, in the id_token.
    let by_id_token = by_oidc.replacen("\"userinfo\"", "\"id_token\"", 1);
    let files = vec![by_id_token];
    let mut app = TestApp::start_with_files(private_folder(), SharedKeychain::empty(), files).await;
    let attempt = app.click_connect("django-bank", &["accounts"]).await;
    let back = Person::new("noor").go(&app.opened().await, Wish::Allow).await;
    assert_eq!(get(back.as_str()).await.0, 200);
    let grant = app.ended(&attempt).await.grant.unwrap();
    let grant = app.app.show_grant(domain::id::GrantId::parse(&grant).unwrap()).await.unwrap();
    assert_eq!(grant.holder.as_deref(), Some("Noor Östervåll"));
    assert_eq!(bank.noted_at("/o/userinfo/").len(), 1, "asked no second time");
}
