//! The protocol without the app: its requests and judges, sent by hand, for what the app does not do yet and for what
//! it never lets anybody see.

use app::port::Http as _;
use domain::profile::Profile;
use domain::provider::{AddressRule, Provider};
use domain::secret::AccessToken;
use net::http::{HttpClient, Settings};
use oauth::callback::CallbackQuery;
use oauth::connect::{Authorization, Callback, Draft, ExpectCallback};
use oauth::fresh::Fresh;
use oauth::message::{Reply, Request};
use oauth::metadata::{self, Endpoints, MetadataError};
use oauth::revoke::{self, TokenKind};
use oauth::token::Issued;
use oauth::userinfo;
use support::person::{Person, Wish};
use url::Url;

const FDX: &str = include_str!("../../src-tauri/crates/oauth/providers/profiles/fdx-v6.toml");

/// What the tests ask for by hand.
pub(crate) const READS: [&str; 2] = ["fdx:accountbasic:read", "fdx:transactions:read"];

/// A client of one bank.
pub(crate) struct Client {
    /// What its file says.
    pub(crate) provider: Provider,
    http: HttpClient,
}

impl Client {
    /// By the provider file alone.
    pub(crate) fn by_file(file: &str) -> Self {
        let rule = AddressRule::DangerLoopback;
        let provider = Provider::parse(file, Profile::parse(FDX).unwrap(), rule).unwrap();
        let http = HttpClient::new(Settings { addresses: rule, extra_roots_pem: None }).unwrap();
        Self { provider, http }
    }

    pub(crate) async fn send(&self, request: Request) -> Reply {
        self.http.send(request).await.unwrap()
    }

    /// Reads and judges the metadata.
    pub(crate) async fn endpoints(&self) -> Result<Endpoints, MetadataError> {
        let reply = self.send(metadata::request(&self.provider).unwrap()).await;
        Endpoints::accept(&self.provider, &reply)
    }

    /// Sends a person to the bank. Where the bank sends the browser in the end, and what waits for that.
    pub(crate) async fn answer(
        &self,
        person: &mut Person,
        wish: Wish<'_>,
        scopes: &[&str],
    ) -> (Url, ExpectCallback) {
        let scopes: Vec<_> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let draft = Draft::new(&self.provider, self.endpoints().await.unwrap(), &scopes).unwrap();
        let mut random = [0; 96];
        getrandom::fill(&mut random).unwrap();
        let redirect =
            Url::parse(&format!("http://127.0.0.1:50505{}", self.provider.callback_path())).unwrap();
        let (authorization, expect) = draft.prepare(Fresh::from_random(random).unwrap(), &redirect).unwrap();
        let url = match authorization {
            Authorization::Open(url) => url,
            Authorization::Push(request, pushed) => pushed.accept(&self.send(*request).await).unwrap(),
        };
        (person.go(&url, wish).await, expect)
    }

    /// Connects: what the bank issues.
    pub(crate) async fn issued(&self, person: &mut Person, scopes: &[&str]) -> Issued {
        let (back, expect) = self.answer(person, Wish::Allow, scopes).await;
        let query = CallbackQuery::parse(back.query().unwrap());
        let Ok(Callback::Mine(request, code, expect)) = expect.accept(&query) else {
            panic!("the bank's answer is not taken: {back}")
        };
        let reply = self.send(request.build(&code).unwrap()).await;
        expect.accept(&reply).unwrap()
    }

    /// What the bank's API answers at a path with this token.
    pub(crate) async fn api(&self, path: &str, access: &AccessToken) -> u16 {
        let url = Url::parse(&self.provider.operation_url(path)).unwrap();
        self.send(userinfo::bearer_get(&url, access).unwrap()).await.status
    }

    /// Revokes by hand; the answer's status.
    pub(crate) async fn revoke(&self, kind: TokenKind, token: &str) -> u16 {
        let endpoint = self.provider.server.revocation_endpoint.as_ref().unwrap();
        let request = revoke::request(endpoint.url(), &self.provider.client_id, kind, token).unwrap();
        self.send(request).await.status
    }
}
