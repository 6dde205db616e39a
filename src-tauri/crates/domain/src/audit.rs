//! The audit log's events and its hash chain.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::agent::PauseWhy;
use crate::attempt::Ending;
use crate::grant::{ReconnectWhy, Reminder};
use crate::id::{
    AgentId, AttemptId, ChoiceId, EnrolmentId, GrantId, LeaseId, OperationId, PermissionId, ProviderId,
    QuestionId,
};
use crate::lock::{LockedBy, Protection};
use crate::money::Money;
use crate::rule::{RuleAct, RuleKind};
use crate::task::{Purpose, PurposeClass};
use crate::time::Timestamp;

pub mod file;

/// One decision or change: ids and codes. The one text from outside is an agent's purpose, cleaned, and marked by its type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AuditEvent {
    /// The person added an agent, or the sandbox's catalogue folder named it.
    AgentAdded {
        /// Which.
        agent: AgentId,
        /// Its key's thumbprint.
        thumbprint: String,
    },
    /// A program asked to be added as an agent.
    AgentAsked {
        /// Its request.
        enrolment: EnrolmentId,
        /// Its key's thumbprint.
        thumbprint: String,
    },
    /// The person did not add it, or nobody answered.
    AgentNotAdded {
        /// The request.
        enrolment: EnrolmentId,
        /// Its key's thumbprint.
        thumbprint: String,
    },
    /// An agent is held back.
    AgentPaused {
        /// Which.
        agent: AgentId,
        /// Why.
        #[serde(flatten)]
        why: PauseWhy,
    },
    /// The person removed an agent.
    AgentRemoved {
        /// Which.
        agent: AgentId,
    },
    /// The person let an agent go on.
    AgentResumed {
        /// Which.
        agent: AgentId,
    },
    /// The person let the agents go on.
    AgentsResumed,
    /// The person stopped every agent.
    AgentsStopped,
    /// An attempt ended.
    AttemptEnded {
        /// Which.
        attempt: AttemptId,
        /// How.
        #[serde(flatten)]
        ending: Ending,
    },
    /// The person chose Connect.
    AttemptStarted {
        /// Which.
        attempt: AttemptId,
        /// At which bank.
        provider: ProviderId,
        /// For which agent.
        agent: AgentId,
        /// What was chosen.
        permissions: Vec<PermissionId>,
    },
    /// The bank answered a call. Written after the answer was passed on.
    CallAnswered {
        /// By which grant.
        grant: GrantId,
        /// For which agent.
        agent: AgentId,
        /// Under which lease.
        lease: LeaseId,
        /// With which status; 0 for no answer that could be used.
        status: u16,
    },
    /// A call is about to go to the bank.
    CallMade {
        /// By which grant.
        grant: GrantId,
        /// For which agent.
        agent: AgentId,
        /// Under which lease.
        lease: LeaseId,
        /// Which operation.
        operation: OperationId,
        /// At which account, by the bank's id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<String>,
        /// The sum of a payment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        money: Option<Money>,
        /// To whom, by the bank's id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payee: Option<String>,
    },
    /// A call did not go to the bank.
    CallRefused {
        /// By which grant.
        grant: GrantId,
        /// For which agent.
        agent: AgentId,
        /// Why.
        why: String,
    },
    /// False answers arrived at the loopback listener.
    CallbackInterference {
        /// During which attempt.
        attempt: AttemptId,
        /// How many so far.
        strays: u32,
    },
    /// The person took back what they had said once for a while.
    ChoiceForgotten {
        /// For which agent.
        agent: AgentId,
        /// Under which grant.
        grant: GrantId,
        /// Which choice.
        choice: ChoiceId,
    },
    /// The person said once for a while.
    ChoiceMade {
        /// For which agent.
        agent: AgentId,
        /// Under which grant.
        grant: GrantId,
        /// Which choice.
        choice: ChoiceId,
        /// Which operation.
        operation: OperationId,
        /// For which purposes.
        purpose_class: PurposeClass,
        /// Until when.
        until: Timestamp,
    },
    /// A grant was made.
    GrantConnected {
        /// Which.
        grant: GrantId,
        /// By which attempt.
        attempt: AttemptId,
        /// At which bank.
        provider: ProviderId,
        /// For which agent.
        agent: AgentId,
        /// What the agent may use.
        permissions: Vec<PermissionId>,
        /// How many accounts.
        accounts: u32,
        /// When it ends by itself.
        ends_at: Timestamp,
        /// The grant whose place it took.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        renews: Option<GrantId>,
    },
    /// A grant's time was over: it was cut off here.
    GrantEnded {
        /// Which.
        grant: GrantId,
    },
    /// The person took something back from a grant, here.
    GrantNarrowed {
        /// Which.
        grant: GrantId,
        /// What is left.
        permissions: Vec<PermissionId>,
        /// How many accounts are left.
        accounts: u32,
        /// The end that is left.
        ends_at: Timestamp,
    },
    /// An attempt ended after the bank had issued something: it is not used, and is revoked at the bank.
    GrantNotKept {
        /// The ended connection that stands for it.
        grant: GrantId,
        /// Of which attempt.
        attempt: AttemptId,
    },
    /// The person holds a grant back.
    GrantPaused {
        /// Which.
        grant: GrantId,
    },
    /// A new grant took the place of this one, which was cut off here.
    GrantReplaced {
        /// Which.
        grant: GrantId,
        /// The new one.
        by: GrantId,
    },
    /// The person let a grant go on.
    GrantResumed {
        /// Which.
        grant: GrantId,
    },
    /// A grant was cut off here.
    GrantRevoked {
        /// Which.
        grant: GrantId,
    },
    /// The person took back what was taken from a grant.
    GrantWidened {
        /// Which.
        grant: GrantId,
    },
    /// The first key was made and stored in the keychain.
    KeyMade {
        /// Its id.
        kek: String,
    },
    /// Everything was sealed anew under another key.
    KeyReplaced {
        /// Its id.
        kek: String,
        /// How it is kept.
        protection: Protection,
    },
    /// The answer to a refresh arrived when the grant had been cut off: what it brought goes to the outbox.
    LateTokens {
        /// Of which grant.
        grant: GrantId,
    },
    /// An agent was given what its task asked for.
    LeaseGiven {
        /// By which grant.
        grant: GrantId,
        /// To which agent.
        agent: AgentId,
        /// The lease.
        lease: LeaseId,
        /// The task's content, as a hash.
        task: String,
        /// Which operations.
        operations: Vec<OperationId>,
        /// At how many accounts.
        accounts: u32,
        /// How many calls.
        uses: u16,
        /// Until when.
        ends_at: Timestamp,
        /// The question that was answered with yes, where one was asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        question: Option<QuestionId>,
        /// What for, in the agent's words.
        purpose: Purpose,
        /// What for.
        purpose_class: PurposeClass,
    },
    /// An agent gave a lease back.
    LeaseReturned {
        /// By which grant.
        grant: GrantId,
        /// By which agent.
        agent: AgentId,
        /// The lease.
        lease: LeaseId,
    },
    /// A question of an agent was answered, or was over.
    QuestionAnswered {
        /// By which grant.
        grant: GrantId,
        /// Of which agent.
        agent: AgentId,
        /// The question.
        question: QuestionId,
        /// How.
        answer: QuestionEnd,
    },
    /// A task was put before the person.
    QuestionAsked {
        /// By which grant.
        grant: GrantId,
        /// Of which agent.
        agent: AgentId,
        /// The question.
        question: QuestionId,
        /// Which operations.
        operations: Vec<OperationId>,
        /// The sum of a payment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        money: Option<Money>,
        /// To whom, by the bank's id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payee: Option<String>,
        /// What for, in the agent's words.
        purpose: Purpose,
    },
    /// A grant cannot go on without the person.
    ReconnectNeeded {
        /// Which.
        grant: GrantId,
        /// Why.
        why: ReconnectWhy,
    },
    /// It is not known whether the bank has carried out a refresh.
    RefreshUnanswered {
        /// Of which grant.
        grant: GrantId,
        /// Which generation was sent.
        generation: u32,
    },
    /// The person was reminded of an end that comes.
    Reminded {
        /// Of which grant.
        grant: GrantId,
        /// Which reminder.
        reminder: Reminder,
    },
    /// The bank answered a revocation.
    RevocationConfirmed {
        /// Of which grant.
        grant: GrantId,
    },
    /// The person stopped the tries to tell the bank.
    RevocationGivenUp {
        /// Of which grant.
        grant: GrantId,
    },
    /// The person set a rule.
    RuleSet {
        /// Which.
        rule: RuleKind,
        /// From how many on.
        threshold: u32,
        /// What follows.
        act: RuleAct,
    },
    /// A rule applied.
    RuleTriggered {
        /// To which agent.
        agent: AgentId,
        /// Which.
        rule: RuleKind,
        /// What followed.
        act: RuleAct,
        /// How many were seen.
        seen: u32,
    },
    /// What was kept sealed of a grant that is over was deleted, after thirty days.
    SealedForgotten {
        /// Of which grant.
        grant: GrantId,
    },
    /// The store is older than what was anchored in the keychain: it was put back from a copy.
    StoreRestored {
        /// The record that is missing.
        seq: u64,
    },
    /// A task was refused.
    TaskRefused {
        /// Which grant it named, where that is the agent's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<GrantId>,
        /// Whose.
        agent: AgentId,
        /// Why.
        why: String,
        /// What the person can read to support.
        reference: String,
    },
    /// The bank gave new tokens.
    TokensRefreshed {
        /// Of which grant.
        grant: GrantId,
        /// Which generation they are.
        generation: u32,
    },
    /// The vault was locked.
    VaultLocked {
        /// By whom.
        by: LockedBy,
    },
    /// The person opened the vault.
    VaultOpened,
}

/// How a question of an agent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionEnd {
    /// Allowed for a while.
    AllowedFor,
    /// Allowed this once.
    AllowedOnce,
    /// No.
    Denied,
    /// The person did not ask for it.
    NotMine,
    /// Nobody answered in time, or nothing could be allowed any more.
    RanOut,
    /// Who asked has gone away.
    Withdrawn,
}

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// 1, 2, 3, …
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The event's canonical bytes, as hashed.
    pub body: String,
    /// Over the hash before it and all of the above.
    pub hash: [u8; 32],
}

/// Where a chain breaks.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ChainError {
    /// The record's content or the link to the one before was changed.
    #[error("record {0} was changed")]
    Changed(u64),
    /// A number is missing.
    #[error("record {0} is missing")]
    Missing(u64),
}

/// The hash before the first record.
pub const CHAIN_START: [u8; 32] = [0; 32];

impl AuditRecord {
    /// Makes the record that follows `seq - 1` with hash `before`.
    #[must_use]
    pub fn next(before: &[u8; 32], seq: u64, at: Timestamp, event: &AuditEvent) -> Self {
        let body = serde_json::to_string(event).unwrap_or_default();
        let hash = link(before, seq, at, &body);
        Self { seq, at, body, hash }
    }

    /// The event, if this version knows it.
    #[must_use]
    pub fn event(&self) -> Option<AuditEvent> {
        serde_json::from_str(&self.body).ok()
    }
}

fn link(before: &[u8; 32], seq: u64, at: Timestamp, body: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"countersign-audit-v1\0");
    hasher.update(before);
    hasher.update(seq.to_be_bytes());
    hasher.update(at.millis().to_be_bytes());
    hasher.update((body.len() as u64).to_be_bytes());
    hasher.update(body.as_bytes());
    hasher.finalize().into()
}

impl ChainError {
    /// The first record that does not fit.
    #[must_use]
    pub fn seq(self) -> u64 {
        match self {
            Self::Changed(seq) | Self::Missing(seq) => seq,
        }
    }
}

/// A chain that is checked record by record, from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    length: u64,
    head: [u8; 32],
}

impl Default for Chain {
    fn default() -> Self {
        Self { length: 0, head: CHAIN_START }
    }
}

impl Chain {
    /// Takes the next record.
    ///
    /// # Errors
    /// It is not the next one, or not what was written; the chain stays as it was.
    pub fn accept(&mut self, record: &AuditRecord) -> Result<(), ChainError> {
        self.accept_parts(record.seq, record.at, &record.body, &record.hash)
    }

    /// Takes the next record in its parts.
    ///
    /// # Errors
    /// As for [`Chain::accept`].
    pub fn accept_parts(
        &mut self,
        seq: u64,
        at: Timestamp,
        body: &str,
        hash: &[u8; 32],
    ) -> Result<(), ChainError> {
        let expected = self.length + 1;
        if seq != expected {
            return Err(ChainError::Missing(expected));
        }
        if link(&self.head, seq, at, body) != *hash {
            return Err(ChainError::Changed(seq));
        }
        (self.length, self.head) = (seq, *hash);
        Ok(())
    }

    /// How many records it has.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The hash of the last of them.
    #[must_use]
    pub fn head(&self) -> [u8; 32] {
        self.head
    }
}

/// Checks a chain from its start and gives the last hash.
///
/// # Errors
/// The first record that does not fit.
pub fn verify<'r>(mut records: impl Iterator<Item = &'r AuditRecord>) -> Result<[u8; 32], ChainError> {
    let mut chain = Chain::default();
    records.try_for_each(|record| chain.accept(record))?;
    Ok(chain.head())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(n: u64) -> Vec<AuditRecord> {
        let mut before = CHAIN_START;
        (1..=n)
            .map(|seq| {
                let grant = GrantId::make_from(Timestamp::from_millis(1), [1; 10]);
                let at = Timestamp::from_millis(i64::try_from(seq).unwrap());
                let record = AuditRecord::next(&before, seq, at, &AuditEvent::GrantRevoked { grant });
                before = record.hash;
                record
            })
            .collect()
    }

    #[test]
    fn an_untouched_chain_verifies() {
        let records = chain(20);
        assert_eq!(verify(records.iter()), Ok(records[19].hash));
        assert!(records[0].event().is_some());
    }

    #[test]
    fn every_change_names_the_first_bad_record() {
        for at in 0..20 {
            let mut edited = chain(20);
            edited[at].body.push(' ');
            assert_eq!(verify(edited.iter()), Err(ChainError::Changed(at as u64 + 1)));
            let mut cut = chain(20);
            cut.remove(at);
            let expected =
                if at == 19 { Ok(chain(19)[18].hash) } else { Err(ChainError::Missing(at as u64 + 1)) };
            assert_eq!(verify(cut.iter()), expected, "only a cut tail goes unseen; the anchor finds that");
        }
        let mut moved = chain(20);
        moved.swap(3, 4);
        assert_eq!(verify(moved.iter()), Err(ChainError::Missing(4)));
    }
}
