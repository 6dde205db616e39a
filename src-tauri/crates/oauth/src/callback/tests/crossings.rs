//! Answers that come to the wrong attempt: each request takes its own, once, with its own verifier (attacks 11 and
//! 17, PKCE-05).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::Digest as _;
use std::collections::BTreeMap;

use super::{CallbackQuery, IssParameter, Noise, bank, out, verdict};
use crate::connect::{Callback, ExpectCallback};

fn answer(asked: &BTreeMap<String, String>, name: &str, code: &str) -> String {
    format!("code={code}&state={}&iss=https%3A%2F%2Fauth.{name}", asked["state"])
}

/// Takes an answer as far as the token request: where it goes, whether it proves the challenge that was sent, and
/// the code.
fn exchange(
    expect: ExpectCallback,
    query: &str,
    asked: &BTreeMap<String, String>,
) -> Option<(String, bool, String)> {
    let Ok(Callback::Mine(request, code, _)) = expect.accept(&CallbackQuery::parse(query)) else {
        return None;
    };
    let request = request.build(&code).unwrap();
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(request.body()).into_owned().collect();
    let challenge = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(&form["code_verifier"]));
    Some((request.uri().to_string(), challenge == asked["code_challenge"], form["code"].clone()))
}

/// All crossings of three requests at two banks: state, issuer and code of one at the wait of another.
#[test]
fn an_answer_is_taken_by_its_own_request_alone_and_with_its_own_verifier() {
    let banks = ["bank.example", "other-bank.example", "bank.example"];
    let request =
        |at: usize| out(&bank(banks[at], IssParameter::Advertised), 10 + u64::try_from(at).unwrap());
    for waiting in 0..3 {
        for answered in 0..3 {
            let ((own, expect), (asked, _)) = (request(waiting), request(answered));
            let query = answer(&asked, banks[answered], &format!("code-{answered}"));
            let taken = exchange(expect, &query, &own);
            if waiting == answered {
                let endpoint = format!("https://auth.{}/token", banks[waiting]);
                assert_eq!(taken, Some((endpoint, true, format!("code-{waiting}"))));
            } else {
                assert_eq!(taken, None, "the answer to {answered} at the wait of {waiting}");
            }
        }
    }
}

/// The state of one bank's request with the code and name of the other: nothing is sent to either.
#[test]
fn an_answer_of_another_bank_with_our_state_is_not_believed() {
    for (own, other) in [("bank.example", "other-bank.example"), ("other-bank.example", "bank.example")] {
        for iss in [IssParameter::Advertised, IssParameter::Absent] {
            let (asked, expect) = out(&bank(own, iss), 1);
            assert_eq!(verdict(expect, &answer(&asked, other, "C2")).0, "unexpected_server");
            let (asked, expect) = out(&bank(own, iss), 1);
            let refusal =
                format!("error=access_denied&state={}&iss=https%3A%2F%2Fauth.{other}", asked["state"]);
            assert_eq!(verdict(expect, &refusal).0, "unexpected_server");
        }
    }
}

/// Attempts at three banks, as the model of attack 11 has them: how each was made, and whether it still waits.
#[derive(Default)]
struct Attempts {
    made: Vec<(usize, BTreeMap<String, String>)>,
    waiting: Vec<Option<ExpectCallback>>,
}

impl Attempts {
    /// Offers an answer to everybody who waits; gives back who took it.
    fn offer(&mut self, query: &str, code: &str) -> Vec<usize> {
        let mut takers = Vec::new();
        for (index, wait) in self.waiting.iter_mut().enumerate() {
            let Some(expect) = wait.take() else { continue };
            match expect.accept(&CallbackQuery::parse(query)) {
                Ok(Callback::NotMine(still)) => *wait = Some(still),
                Ok(Callback::Mine(_, taken, _)) if taken.same_as(code) => takers.push(index),
                Ok(Callback::Mine(..)) | Err(_) => panic!("{index} took a part of {query}"),
            }
        }
        takers
    }
}

/// Attack 11 against a small model: attempts start, end and are answered in any order; an answer is taken by its own
/// attempt if that still waits, by nobody if not, and never twice.
#[test]
fn an_answer_to_an_attempt_that_is_over_is_taken_by_nobody() {
    let names = ["bank.example", "other-bank.example", "third-bank.example"];
    let banks = names.map(|name| bank(name, IssParameter::Advertised));
    let mut noise = Noise(11);
    let (mut taken, mut ignored) = (0, 0);
    for run in 0..200_u64 {
        let mut attempts = Attempts::default();
        let mut model: Vec<bool> = Vec::new();
        for step in 0..40 {
            let which = noise.below(model.len().max(1));
            match noise.below(5) {
                0 | 1 => {
                    let at = noise.below(3);
                    let (asked, expect) = out(&banks[at], run * 1000 + step);
                    attempts.made.push((at, asked));
                    attempts.waiting.push(Some(expect));
                    model.push(true);
                }
                _ if model.is_empty() => {}
                // Cancelled, or out of time.
                2 => {
                    attempts.waiting[which] = None;
                    model[which] = false;
                }
                _ => {
                    let (at, asked) = &attempts.made[which];
                    let code = format!("code-{which}");
                    let query = answer(asked, names[*at], &code);
                    let expected = if model[which] { vec![which] } else { vec![] };
                    assert_eq!(attempts.offer(&query, &code), expected, "run {run}, step {step}");
                    model[which] = false;
                    taken += expected.len();
                    ignored += 1 - expected.len();
                }
            }
        }
    }
    assert!(taken > 500 && ignored > 500, "{taken} taken, {ignored} ignored");
}
