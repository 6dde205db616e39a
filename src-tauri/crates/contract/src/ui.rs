//! What the window shows and asks. Times are milliseconds since 1970; texts are drawn as text, never as markup.

mod activity;
mod agents;
mod app_state;
mod approval;
mod asked;
mod attempts;
mod event;
mod grants;
mod lock;
mod providers;
mod receipts;
mod revocation;
mod rules;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use activity::{
    AccessRefusedWhy, ActivityDetails, ActivityEntry, ActivityFilter, ActivityKind, ActivityOutcome,
    ActivityPage, ActivityRef, ActivityVerdict, ActivityWhat, AnchoredView, DeniedBy,
};
pub use agents::{
    AddAgent, AgentMark, AgentPausedView, AgentPausedWhy, AgentRef, AgentView, AgentsView, AnswerEnrolment,
    ChoiceRef, ChoiceView, EnrolmentView,
};
pub use app_state::{AppState, CatalogueProblem, KeychainState, StoppedView};
pub use approval::{
    AnswerApproval, ApprovalAnswer, ApprovalOperation, ApprovalRef, ApprovalView, ApprovalWhat, MoneyView,
    PendingApproval, PurposeClassView,
};
pub use asked::{AnswerAsked, AskedView, AskedWhat};
pub use attempts::{
    AttemptRef, AttemptStep, AttemptView, BrowserView, ConnectAccount, DecideAccount, EndingView,
    OtherAccountView, RenewGrant,
};
pub use event::Event;
pub use grants::{
    AccountView, DamagedKind, DamagedRecord, DayCount, GrantRef, GrantRow, GrantState, GrantView, GrantsView,
    HistoryEntry, HistoryKind, NarrowGrant, ReconnectWhyView, TroubleKind, TroubleView,
};
pub use lock::{
    ChangeProtection, LockSettingsView, LockView, LockedByView, PassphraseText, ProtectionView, Unlock,
};
pub use providers::{BankMark, PermissionGroup, PermissionView, ProviderView, RiskView};
pub use receipts::{ReceiptAccount, ReceiptEntry, ReceiptKind, ReceiptRef, ReceiptView};
pub use revocation::{BankTold, ConsentTold, RevocationView, WaitsForView};
pub use rules::{AlertRef, RuleAct, RuleAlertView, RuleFact, RuleFactName, RuleKind, RuleView, SetRule};

/// No request data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A file that was written for the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SavedFile {
    /// Where it is.
    pub path: String,
}
