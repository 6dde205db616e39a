//! The TypeScript of everything a webview sees, written from the types; a test compares it with the committed file.

use ts_rs::{Config, TS};

use crate::commands::{APPROVAL_COMMANDS, HOST_COMMANDS, WINDOW_COMMANDS};
use crate::error_code::{Blame, CommandError, ErrorCode};
use crate::ui::{
    AccessRefusedWhy, AccountView, ActivityDetails, ActivityEntry, ActivityFilter, ActivityKind,
    ActivityOutcome, ActivityPage, ActivityRef, ActivityVerdict, ActivityWhat, AddAgent, AgentMark,
    AgentPausedView, AgentPausedWhy, AgentRef, AgentView, AgentsView, AlertRef, AnchoredView, AnswerApproval,
    AnswerAsked, AnswerEnrolment, AppState, ApprovalAnswer, ApprovalOperation, ApprovalView, ApprovalWhat,
    AskedView, AskedWhat, AttemptRef, AttemptStep, AttemptView, BankMark, BankTold, BrowserView,
    CatalogueProblem, ChangeProtection, ChoiceRef, ChoiceView, ConnectAccount, ConsentTold, DamagedKind,
    DamagedRecord, DayCount, DecideAccount, DeniedBy, EndingView, EnrolmentView, Event, GrantRef, GrantRow,
    GrantState, GrantView, GrantsView, HistoryEntry, HistoryKind, KeychainState, LockSettingsView, LockView,
    LockedByView, MoneyView, NarrowGrant, Nothing, OtherAccountView, PassphraseText, PendingApproval,
    PermissionGroup, PermissionView, ProtectionView, ProviderView, PurposeClassView, ReceiptAccount,
    ReceiptEntry, ReceiptKind, ReceiptRef, ReceiptView, ReconnectWhyView, RenewGrant, RevocationView,
    RiskView, RuleAct, RuleAlertView, RuleFact, RuleFactName, RuleKind, RuleView, SavedFile, SetRule,
    StoppedView, TroubleKind, TroubleView, Unlock, WaitsForView,
};

/// The whole of `ui/src/ipc/generated/contract.ts`.
#[must_use]
pub fn typescript() -> String {
    let config = Config::default();
    let mut out =
        String::from("// Written by `cargo xtask bindings` from src-tauri/crates/contract. Do not edit.\n\n");
    macro_rules! declare {
        ($($name:ident)*) => {$(
            out.push_str("export ");
            out.push_str(&$name::decl(&config));
            out.push('\n');
        )*};
    }
    declare! {
        AccessRefusedWhy AccountView ActivityDetails ActivityEntry ActivityFilter ActivityKind ActivityOutcome ActivityPage ActivityRef ActivityVerdict ActivityWhat AddAgent AgentMark AgentPausedView AgentPausedWhy AgentRef AgentView AgentsView AlertRef AnchoredView AnswerApproval AnswerAsked AnswerEnrolment AppState ApprovalAnswer ApprovalOperation ApprovalView ApprovalWhat AskedView AskedWhat AttemptRef AttemptStep AttemptView BankMark BankTold Blame BrowserView CatalogueProblem ChangeProtection ChoiceRef ChoiceView CommandError ConnectAccount ConsentTold DamagedKind DamagedRecord DayCount DecideAccount DeniedBy EndingView EnrolmentView ErrorCode Event GrantRef GrantRow GrantState GrantView GrantsView HistoryEntry HistoryKind KeychainState LockSettingsView LockView LockedByView MoneyView NarrowGrant Nothing OtherAccountView PassphraseText PendingApproval PermissionGroup PermissionView ProtectionView ProviderView PurposeClassView ReceiptAccount ReceiptEntry ReceiptKind ReceiptRef ReceiptView ReconnectWhyView RenewGrant RevocationView RiskView RuleAct RuleAlertView RuleFact RuleFactName RuleKind RuleView SavedFile SetRule StoppedView TroubleKind TroubleView Unlock WaitsForView
    }
    out.push_str("\n/** Every request the main window may make. */\nexport type Commands = {\n");
    macro_rules! command {
        ($($name:ident($request:ident) -> $answer:ty;)*) => {$(
            out.push_str(&format!("  {}: {{ request: {}; answer: {} }};\n",
                stringify!($name), $request::name(&config), <$answer as TS>::name(&config)));
        )*};
    }
    crate::command_table!(command);
    out.push_str("  copy_link: { request: AttemptRef; answer: AttemptView };\n");
    out.push_str("  quit: { request: Nothing; answer: null };\n  start_again: { request: Nothing; answer: null };\n};\n");
    out.push_str("\n/** Every request the approval window may make. */\nexport type ApprovalCommands = {\n");
    crate::approval_table!(command);
    out.push_str("};\n");
    out
}

/// Every command a main window may call.
#[must_use]
pub fn main_window_commands() -> Vec<&'static str> {
    HOST_COMMANDS.iter().chain(WINDOW_COMMANDS).copied().collect()
}

/// Every command an approval window may call.
#[must_use]
pub fn approval_window_commands() -> &'static [&'static str] {
    APPROVAL_COMMANDS
}

/// Every command of any window, for Tauri's own allow-list.
#[must_use]
pub fn all_commands() -> Vec<&'static str> {
    main_window_commands().into_iter().chain(APPROVAL_COMMANDS.iter().copied()).collect()
}
