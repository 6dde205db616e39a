//! What the approval window shows and asks: one question of one agent.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::agents::AgentMark;
use super::grants::AccountView;
use super::lock::PassphraseText;
use super::providers::{BankMark, RiskView};

/// The question that is to be drawn now, if there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PendingApproval {
    /// The oldest question that is open.
    pub question: Option<ApprovalView>,
}

/// An open question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ApprovalView {
    /// Its id.
    pub id: String,
    /// A hash over everything that is drawn, as the host has built it. It goes back with the answer.
    pub drawn: String,
    /// Who asks.
    pub agent: AgentMark,
    /// The path of the program that holds the connection, where it is known; shown and no more.
    pub program: Option<String>,
    /// At which bank.
    pub bank: BankMark,
    /// On which connection.
    pub grant: String,
    /// For what.
    pub what: ApprovalWhat,
    /// What it is for, in the agent's words.
    pub purpose: String,
    /// And as a class.
    pub purpose_class: PurposeClassView,
    /// When the agent asked.
    #[ts(type = "number")]
    pub asked_at: i64,
    /// When this turns into a no.
    #[ts(type = "number")]
    pub runs_out_at: i64,
    /// For how many seconds the access would last.
    pub lease_seconds: u32,
    /// It can be allowed for longer than once; never so for payments.
    pub may_remember: bool,
    /// A yes needs the passphrase.
    pub needs_passphrase: bool,
    /// How many more questions wait behind this one.
    pub waiting: u32,
}

/// What an agent asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ApprovalWhat {
    /// To use operations of the bank.
    Operations {
        /// Which.
        operations: Vec<ApprovalOperation>,
        /// On which accounts.
        accounts: Vec<AccountView>,
        /// How many calls.
        uses: u16,
        /// From which day on, `YYYY-MM-DD`, where the agent said so.
        date_from: Option<String>,
        /// Up to which day.
        date_to: Option<String>,
    },
    /// To make one payment.
    Payment {
        /// To whom.
        to: String,
        /// To which account, masked.
        to_account: Option<String>,
        /// How much.
        amount: MoneyView,
        /// From which account.
        from: Option<AccountView>,
        /// What the payee is told, in the agent's words.
        reference: Option<String>,
        /// What it is: "pay a bill".
        says: String,
    },
}

/// One operation, as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ApprovalOperation {
    /// Its id in the API profile.
    pub id: String,
    /// What it does: "see your name and contact details".
    pub says: String,
    /// How much harm it can do.
    pub risk: RiskView,
}

/// An amount of money, exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MoneyView {
    /// A decimal number: "12.50".
    pub amount: String,
    /// ISO 4217 code.
    pub currency: String,
}

/// What an access is for, of a fixed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PurposeClassView {
    /// Keeping books.
    Bookkeeping,
    /// Keeping a budget.
    Budgeting,
    /// A loan.
    Lending,
    /// Something else, or nothing was said.
    Other,
    /// Paying.
    Payments,
    /// Helping a customer.
    Support,
    /// Taxes.
    Taxes,
}

/// Names a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRef {
    /// Its id.
    pub id: String,
}

/// Answers a question.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AnswerApproval {
    /// Which.
    pub id: String,
    /// What was drawn; an answer to anything else is refused.
    pub drawn: String,
    /// What the person said.
    pub answer: ApprovalAnswer,
    /// Where a yes needs it.
    pub passphrase: Option<PassphraseText>,
}

/// What the person said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ApprovalAnswer {
    /// Yes, and for some days without being asked again.
    AllowFor {
        /// How many.
        days: u16,
    },
    /// Yes, this once.
    AllowOnce {},
    /// No.
    Deny {},
    /// No, and they had not asked for this: the agent is held back.
    NotMine {},
}
