//! Refresh: rotation, the end of a family whose old token comes back, and what a narrowed refresh does to a grant.

use app::port::Clock as _;
use domain::secret::{AccessToken, Nonce, RefreshToken};
use oauth::id_token::{KnownIdentity, jwks_request};
use oauth::refresh::{ExpectRefreshed, Granted, NarrowingRefused, RefreshError, RefreshRequest, Refreshed};
use oauth::refusal::OAuthCode;
use oauth::revoke::TokenKind;
use oauth::token::Issued;
use support::django::DjangoBank;
use support::fakes::{TestClock, private_folder};
use support::person::Person;

use crate::client::{Client, READS};
use crate::peer::{Peer, against_each};

against_each! {
    a_refresh_token_is_good_once_and_its_return_ends_the_family
    a_refresh_outlives_the_banks_restart
    a_revoked_refresh_token_has_ended
    what_the_customer_withdraws_at_the_bank_has_ended
    a_task_never_shrinks_the_grant
    a_token_given_back_early_may_take_the_grant_along
}

const ACCOUNTS: &str = READS[0];

/// A grant as the app will hold it.
struct Held {
    client: Client,
    access: AccessToken,
    refresh: RefreshToken,
    scopes: Vec<String>,
    /// Subject and nonce of the first id_token; oidc-provider repeats both in every later one.
    known: Option<(String, String)>,
}

impl Held {
    async fn by_file(file: &str, person: &mut Person) -> Self {
        let client = Client::by_file(file);
        let Issued { access, refresh, scopes, identity, .. } = client.issued(person, &READS).await;
        let known = match identity {
            None => None,
            Some((token, expect)) => {
                let jwks = client.provider.server.jwks_uri.as_ref().unwrap();
                let keys = client.send(jwks_request(jwks.url()).unwrap()).await;
                let known = expect.accept(&token, &keys, TestClock::default().now(), "name").unwrap();
                Some((known.subject, known.nonce.expose_secret().to_owned()))
            }
        };
        Self { client, access, refresh: refresh.unwrap(), scopes, known }
    }

    async fn at(peer: &Peer) -> Self {
        Self::by_file(&peer.file(), &mut peer.person()).await
    }

    fn granted(&self) -> Granted {
        let identity = self
            .known
            .clone()
            .map(|(subject, nonce)| KnownIdentity { subject, nonce: Some(Nonce::parse(nonce).unwrap()) });
        Granted { scopes: self.scopes.clone(), identity }
    }

    /// Sends one, with the latest refresh token or an older one.
    async fn send(
        &self,
        (request, expect): (RefreshRequest, ExpectRefreshed),
        token: &RefreshToken,
    ) -> Result<Refreshed, RefreshError> {
        let reply = self.client.send(request.build(token).unwrap()).await;
        expect.accept(&reply)
    }

    async fn refresh(&self, token: &RefreshToken) -> Result<Refreshed, RefreshError> {
        self.send(RefreshRequest::new(&self.client.provider, self.granted()), token).await
    }

    /// Refreshes with the latest token and holds what comes.
    async fn go_on(&mut self) -> Vec<String> {
        let Refreshed { access, refresh, scopes, identity, .. } = self.refresh(&self.refresh).await.unwrap();
        if let Some((token, expect)) = identity {
            let jwks = self.client.provider.server.jwks_uri.as_ref().unwrap();
            let keys = self.client.send(jwks_request(jwks.url()).unwrap()).await;
            expect.accept(&token, &keys, TestClock::default().now()).unwrap();
        }
        self.access = access;
        self.refresh = refresh.expect("all rotate always, as their files say");
        sorted(scopes)
    }

    async fn narrowed(&self, scopes: &[&str]) -> Result<Result<Refreshed, RefreshError>, NarrowingRefused> {
        let scopes: Vec<_> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let request = RefreshRequest::narrowed(&self.client.provider, self.granted(), &scopes)?;
        Ok(self.send(request, &self.refresh).await)
    }
}

fn sorted(mut scopes: Vec<String>) -> Vec<String> {
    scopes.sort();
    scopes
}

fn same(token: &RefreshToken) -> RefreshToken {
    RefreshToken::parse(token.expose_secret().to_owned()).unwrap()
}

/// A second process, or a backup of yesterday: after an old token came back, the newest is no good either.
async fn a_refresh_token_is_good_once_and_its_return_ends_the_family(peer: Peer) {
    let mut held = Held::at(&peer).await;
    let all = sorted(held.scopes.clone());
    let first = same(&held.refresh);
    assert_eq!(held.go_on().await, all);
    let second = same(&held.refresh);
    assert!(!second.same_as(first.expose_secret()), "rotated");
    assert_eq!(held.go_on().await, all, "the new one works");
    assert!(!held.refresh.same_as(second.expose_secret()), "rotated again");
    assert_eq!(held.client.api("/accounts", &held.access).await, 200);
    assert_eq!(held.refresh(&first).await.unwrap_err(), RefreshError::Ended);
    assert_eq!(held.refresh(&held.refresh).await.unwrap_err(), RefreshError::Ended, "and with it the newest");
    assert_eq!(held.client.api("/accounts", &held.access).await, 401);
    assert_eq!(peer.consents().await, 0);
}

async fn a_refresh_outlives_the_banks_restart(mut peer: Peer) {
    let mut held = Held::at(&peer).await;
    let all = sorted(held.scopes.clone());
    peer.down();
    peer.up();
    assert_eq!(held.go_on().await, all);
    assert_eq!(held.client.api("/accounts", &held.access).await, 200);
}

async fn a_revoked_refresh_token_has_ended(peer: Peer) {
    let mut held = Held::at(&peer).await;
    held.go_on().await;
    let revoked = held.client.revoke(TokenKind::Refresh, held.refresh.expose_secret()).await;
    assert_eq!(revoked, 200);
    assert_eq!(held.refresh(&held.refresh).await.unwrap_err(), RefreshError::Ended);
    assert_eq!(held.client.api("/accounts", &held.access).await, 401);
}

/// At the address that the provider file names for that.
async fn what_the_customer_withdraws_at_the_bank_has_ended(peer: Peer) {
    let held = Held::at(&peer).await;
    peer.withdraw().await;
    assert_eq!(held.client.api("/accounts", &held.access).await, 401);
    assert_eq!(held.refresh(&held.refresh).await.unwrap_err(), RefreshError::Ended);
    assert_eq!(peer.consents().await, 0);
}

/// Narrowed where the file says that the bank keeps the grant, and never asked for elsewhere: the grant is whole after.
async fn a_task_never_shrinks_the_grant(peer: Peer) {
    let mut held = Held::at(&peer).await;
    let all = sorted(held.scopes.clone());
    let keeps = peer.file().contains("narrowed_refresh = \"keeps\"");
    match held.narrowed(&[ACCOUNTS]).await {
        Ok(narrow) => {
            let Refreshed { access, refresh, scopes, .. } = narrow.unwrap();
            assert!(keeps);
            assert_eq!(scopes, [ACCOUNTS]);
            assert_eq!(held.client.api("/accounts", &access).await, 200);
            assert_eq!(held.client.api("/accounts/any/transactions", &access).await, 403);
            held.refresh = refresh.unwrap();
        }
        Err(refused) => assert_eq!((refused, keeps), (NarrowingRefused::NotKept, false)),
    }
    assert_eq!(held.go_on().await, all);
}

/// Whoever hands out access tokens for a task has to know this before giving one back.
async fn a_token_given_back_early_may_take_the_grant_along(peer: Peer) {
    let held = Held::at(&peer).await;
    assert_eq!(held.client.revoke(TokenKind::Access, held.access.expose_secret()).await, 200);
    assert_eq!(held.client.api("/accounts", &held.access).await, 401);
    match held.refresh(&held.refresh).await {
        Ok(_) => assert!(peer.access_ends_alone),
        Err(error) => assert_eq!((error, peer.access_ends_alone), (RefreshError::Ended, false)),
    }
}

/// What a plain refresh sends: no scope, no secret, nothing in the address, and to this bank alone.
#[tokio::test(flavor = "multi_thread")]
async fn each_refresh_goes_to_its_own_bank_and_names_no_scope() {
    let folder = private_folder();
    let bank = DjangoBank::start(folder.path());
    let sandbox = Peer::sandbox_bank();
    let mut at_django = Held::by_file(&bank.provider_file(), &mut Person::new("edda")).await;
    let mut at_sandbox = Held::at(&sandbox).await;
    at_sandbox.go_on().await;
    assert_eq!(bank.noted_at("/o/token/").len(), 1, "the exchange alone");
    at_django.go_on().await;
    let noted = bank.noted_at("/o/token/");
    let [_, refresh] = &noted[..] else { panic!("{noted:?}") };
    assert_eq!((refresh.method.as_str(), refresh.status), ("POST", 200));
    assert_eq!(refresh.form, ["client_id", "grant_type", "refresh_token"]);
    assert!(refresh.query.is_empty() && refresh.authorization.is_none());
    // A token of the one is nothing at the other, and does the other no harm.
    assert_eq!(at_django.refresh(&at_sandbox.refresh).await.unwrap_err(), RefreshError::Ended);
    at_django.go_on().await;
    at_sandbox.go_on().await;
}

/// Not every bank rotates (OAuth 2.1 §4.3.1, FAPI 2.0 §5.3.2.1): the same token goes on and on.
#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_does_not_rotate_goes_on_with_the_same_token() {
    let folder = private_folder();
    let bank = DjangoBank::start_with(folder.path(), &["--keep-refresh"]);
    let file = bank.provider_file().replacen("rotation = \"always\"", "rotation = \"never\"", 1);
    let held = Held::by_file(&file, &mut Person::new("edda")).await;
    let all = sorted(held.scopes.clone());
    for _ in 0..3 {
        let refreshed = held.refresh(&held.refresh).await.unwrap();
        assert!(refreshed.refresh.is_none_or(|token| token.same_as(held.refresh.expose_secret())));
        assert_eq!(sorted(refreshed.scopes), all);
        assert_eq!(held.client.api("/accounts", &refreshed.access).await, 200);
    }
}

/// The harm that `shrinks` in the file keeps away: one just-in-time token would cost the customer the grant.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_says_keeps_of_a_bank_that_shrinks_costs_the_grant() {
    let folder = private_folder();
    let bank = DjangoBank::start(folder.path());
    let file = bank.provider_file();
    let false_file = file.replacen("\"shrinks\"", "\"keeps\"", 1);
    assert_ne!(file, false_file);
    let mut held = Held::by_file(&false_file, &mut Person::new("edda")).await;
    let narrow = held.narrowed(&[ACCOUNTS]).await.unwrap().unwrap();
    held.refresh = narrow.refresh.unwrap();
    assert_eq!(held.go_on().await, [ACCOUNTS], "a plain refresh brings no more back");
    let whole = held.narrowed(&READS).await.unwrap();
    assert_eq!(whole.unwrap_err(), RefreshError::Refused(OAuthCode::InvalidScope), "nor does asking for it");
}
