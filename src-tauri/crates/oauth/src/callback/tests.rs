//! Queries against the judge of callbacks: the table, a reference to compare with, and attempts that cross.

mod crossings;
mod reference;
mod table;

use domain::profile::Profile;
use domain::provider::{AddressRule, IssParameter, Par, Provider};
use std::collections::BTreeMap;
use url::Url;

use super::CallbackQuery;
use crate::connect::{Authorization, Callback, CallbackError, Draft, ExpectCallback};
use crate::fresh::Fresh;
use crate::metadata::Endpoints;

/// The example bank, by any name, with or without `iss` in its answers.
fn bank(name: &str, iss: IssParameter) -> Provider {
    let profile = Profile::parse(include_str!("../../providers/profiles/fdx-v6.toml")).unwrap();
    let file = include_str!("../../providers/example.toml").replace("bank.example", name);
    let mut provider = Provider::parse(&file, profile, AddressRule::Public).unwrap();
    provider.behaviour.iss = iss;
    provider.behaviour.par = Par::Absent;
    provider
}

/// A request that is out, and the parameters it was made with.
fn out(bank: &Provider, seed: u64) -> (BTreeMap<String, String>, ExpectCallback) {
    let mut noise = Noise(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut random = [0; 96];
    random.iter_mut().for_each(|byte| *byte = noise.next().to_le_bytes()[3]);
    let draft = Draft::new(bank, Endpoints::pinned(bank), &["fdx:transactions:read".into()]).unwrap();
    let redirect = Url::parse("http://127.0.0.1:4321/callback/example-bank").unwrap();
    let prepared = draft.prepare(Fresh::from_random(random).unwrap(), &redirect).unwrap();
    let (Authorization::Open(url), expect) = prepared else { panic!("pushed") };
    (url.query_pairs().into_owned().collect(), expect)
}

/// What the judge says, in the table's words; a code that is taken is given beside.
fn verdict(expect: ExpectCallback, query: &str) -> (String, Option<String>) {
    match expect.accept(&CallbackQuery::parse(query)) {
        Ok(Callback::NotMine(_)) => ("not_mine".to_owned(), None),
        Ok(Callback::Mine(_, code, _)) => ("ok".to_owned(), Some(code.expose_secret().to_owned())),
        Err(CallbackError::Misbehaved(rule)) => (rule.to_string(), None),
        Err(CallbackError::Refused(code)) => (format!("refused: {code}"), None),
        Err(CallbackError::UnexpectedServer) => ("unexpected_server".to_owned(), None),
    }
}

/// Numbers that look random and are the same each time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % limit
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}
