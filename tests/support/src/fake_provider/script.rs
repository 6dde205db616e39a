//! What the provider is told to do: data, so that a list of scripts can be read by every suite.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::answer::Answer;

/// Ways in which the provider as a whole is not the honest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Habit {
    /// Sends the browser back with a code that belongs to somebody else's request.
    CodeOfAnother,
    /// Takes a code again and again.
    CodeReuse,
    /// Takes the refresh token before the newest once more, for the same answer: it may have been lost.
    GraceForLostAnswers,
    /// Exchanges a code whatever the verifier is.
    IgnoresPkce,
    /// Gives no new refresh token: the old one stays.
    KeepsRefreshToken,
    /// Makes codes of four kilobytes.
    LongCode,
    /// Revoking a token ends that token alone, not what was given with it.
    RevokesTokenAlone,
    /// Takes a redirect address that was not registered.
    TakesAnyRedirect,
}

/// The provider's script; an empty one is honest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// Changes of the provider file by dotted key; `null` removes one.
    pub file: BTreeMap<String, Value>,
    /// Changes of the metadata; `null` removes a member.
    pub metadata: BTreeMap<String, Value>,
    /// Changes of the id_token's claims.
    pub claims: BTreeMap<String, Value>,
    /// Changes of the token response.
    pub token: BTreeMap<String, Value>,
    /// What is answered at an endpoint: one after the other, the last for good.
    pub answers: BTreeMap<String, Vec<Answer>>,
    /// How long an endpoint takes, in milliseconds.
    pub delays: BTreeMap<String, u64>,
    /// What is unusual about this provider.
    pub habits: BTreeSet<Habit>,
    /// With what the browser is sent back; `{code}`, `{state}` and `{iss}` stand for the honest values.
    pub callback: Option<String>,
    /// What a stranger sends to the callback address before the honest answer.
    pub strays: Vec<String>,
    /// What it does once the browser has been there.
    pub then: Option<Box<Script>>,
}

impl Script {
    /// The next answer for an endpoint, honest where nothing is said.
    pub(super) fn next(&mut self, endpoint: &str) -> Answer {
        let mut answer = match self.answers.get_mut(endpoint) {
            None => Answer::default(),
            Some(answers) if answers.len() > 1 => answers.remove(0),
            Some(answers) => answers.first().cloned().unwrap_or_default(),
        };
        answer.delay_ms = answer.delay_ms.max(self.delays.get(endpoint).copied().unwrap_or(0));
        answer
    }

    /// True if it has this habit.
    pub(super) fn has(&self, habit: Habit) -> bool {
        self.habits.contains(&habit)
    }
}
