//! An attempt at the example bank, up to where the reply at hand is due.

use std::collections::BTreeMap;

use domain::profile::Profile;
use domain::provider::{AddressRule, Par, Provider};
use domain::secret::AuthorizationCode;
use oauth::callback::CallbackQuery;
use oauth::connect::{Authorization, Callback, Draft};
use oauth::fresh::Fresh;
use oauth::metadata::Endpoints;
use oauth::token::{ExpectTokens, TokenRequest};
use sha2::{Digest as _, Sha256};
use url::Url;

pub(crate) const PROFILE: &str = include_str!("../../providers/profiles/fdx-v6.toml");
pub(crate) const EXAMPLE: &str = include_str!("../../providers/example.toml");

/// The example bank, its file changed first.
pub(crate) fn bank(change: impl FnOnce(String) -> String) -> Provider {
    let profile = Profile::parse(PROFILE).unwrap();
    Provider::parse(&change(EXAMPLE.to_owned()), profile, AddressRule::Public).unwrap()
}

/// A bank that asks for no scope by itself and takes requests unpushed.
pub(crate) fn plain_bank() -> Provider {
    let mut provider = bank(|file| file);
    provider.always_scopes.clear();
    provider.behaviour.par = Par::Absent;
    provider
}

/// Random bytes, the same ones for the same seed.
pub(crate) fn random(seed: u64) -> [u8; 96] {
    let mut random = [0; 96];
    for (block, at) in random.chunks_mut(32).zip(0u8..) {
        block.copy_from_slice(&Sha256::digest([seed.to_le_bytes().as_slice(), &[at]].concat()));
    }
    random
}

pub(crate) fn fresh(seed: u64) -> Fresh {
    Fresh::from_random(random(seed)).unwrap()
}

pub(crate) fn redirect() -> Url {
    Url::parse("http://127.0.0.1:4321/callback/example-bank").unwrap()
}

/// An attempt whose code has arrived.
pub(crate) struct Exchange {
    /// The parameters of the request that the browser was sent with.
    pub(crate) asked: BTreeMap<String, String>,
    pub(crate) request: TokenRequest,
    pub(crate) code: AuthorizationCode,
    pub(crate) expect: ExpectTokens,
}

/// Goes to the bank for some scopes and comes back with a code.
pub(crate) fn exchange(provider: &Provider, scopes: &[String]) -> Exchange {
    exchange_with(provider, scopes, fresh(1), &redirect())
}

/// The same with random values and a redirect address of one's own.
pub(crate) fn exchange_with(
    provider: &Provider,
    scopes: &[String],
    fresh: Fresh,
    redirect: &Url,
) -> Exchange {
    let draft = Draft::new(provider, Endpoints::pinned(provider), scopes).unwrap();
    let (authorization, expect) = draft.prepare(fresh, redirect).unwrap();
    let Authorization::Open(url) = authorization else { panic!("pushed") };
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let asked: BTreeMap<String, String> = pairs.iter().cloned().collect();
    assert_eq!(asked.len(), pairs.len(), "no parameter stands twice");
    let issuer: String =
        url::form_urlencoded::byte_serialize(provider.server.issuer.as_str().as_bytes()).collect();
    let query = format!("code=C1&state={}&iss={issuer}", asked["state"]);
    match expect.accept(&CallbackQuery::parse(&query)) {
        Ok(Callback::Mine(request, code, expect)) => Exchange { asked, request, code, expect },
        Ok(Callback::NotMine(_)) | Err(_) => panic!("not taken"),
    }
}
