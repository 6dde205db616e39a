//! The command tables: every request a window may make, once; one table for each window.
//!
//! The window's `build.rs` (Tauri's own allow-list), its command functions, the host's routes and the TypeScript
//! types are all made from these tables.

/// Calls a macro with the main window's table: `name(Request) -> Answer;` lines.
#[macro_export]
macro_rules! command_table {
    ($then:ident) => {
        $then! {
            app_state(Nothing) -> AppState;
            list_providers(Nothing) -> Vec<ProviderView>;
            list_agents(Nothing) -> AgentsView;
            add_agent(AddAgent) -> AgentView;
            connect_account(ConnectAccount) -> AttemptView;
            list_attempts(Nothing) -> Vec<AttemptView>;
            show_attempt(AttemptRef) -> AttemptView;
            open_again(AttemptRef) -> AttemptView;
            cancel_attempt(AttemptRef) -> AttemptView;
            list_grants(Nothing) -> GrantsView;
            show_grant(GrantRef) -> GrantView;
            revoke_grant(GrantRef) -> GrantView;
            stop_telling_bank(GrantRef) -> GrantView;
            check_keychain(Nothing) -> AppState;
            unlock_keychain(Nothing) -> AppState;
            keep_running(Nothing) -> AppState;
            pause_grant(GrantRef) -> GrantView;
            resume_grant(GrantRef) -> GrantView;
            narrow_grant(NarrowGrant) -> GrantView;
            widen_grant(GrantRef) -> GrantView;
            check_grant(GrantRef) -> GrantView;
            renew_grant(RenewGrant) -> AttemptView;
            decide_account(DecideAccount) -> AttemptView;
            stop_reminding(GrantRef) -> GrantView;
            show_receipt(ReceiptRef) -> ReceiptView;
            save_receipt(ReceiptRef) -> SavedFile;
            stop_agents(Nothing) -> AppState;
            resume_agents(Nothing) -> AppState;
            revoke_all(Nothing) -> GrantsView;
            lock(Nothing) -> AppState;
            unlock(Unlock) -> AppState;
            set_lock_settings(LockSettingsView) -> AppState;
            change_protection(ChangeProtection) -> AppState;
            answer_asked(AnswerAsked) -> AppState;
            answer_enrolment(AnswerEnrolment) -> AgentsView;
            pause_agent(AgentRef) -> AgentView;
            resume_agent(AgentRef) -> AgentView;
            remove_agent(AgentRef) -> AgentView;
            forget_choice(ChoiceRef) -> AgentView;
            list_activity(ActivityFilter) -> ActivityPage;
            show_activity(ActivityRef) -> ActivityDetails;
            check_activity(Nothing) -> ActivityVerdict;
            export_activity(Nothing) -> SavedFile;
            list_rules(Nothing) -> Vec<RuleView>;
            set_rule(SetRule) -> Vec<RuleView>;
            dismiss_alert(AlertRef) -> AppState;
        }
    };
}

/// The table of the approval window, which may do nothing else; no other window may do this.
#[macro_export]
macro_rules! approval_table {
    ($then:ident) => {
        $then! {
            pending_approval(Nothing) -> PendingApproval;
            answer_approval(AnswerApproval) -> PendingApproval;
        }
    };
}

macro_rules! names {
    ($($name:ident($request:ident) -> $answer:ty;)*) => {
        /// Commands of the main window that the host answers.
        pub const HOST_COMMANDS: &[&str] = &[$(stringify!($name)),*];
    };
}
command_table!(names);

macro_rules! approval_names {
    ($($name:ident($request:ident) -> $answer:ty;)*) => {
        /// Commands of the approval window; the host answers them.
        pub const APPROVAL_COMMANDS: &[&str] = &[$(stringify!($name)),*];
    };
}
approval_table!(approval_names);

/// Commands of the main window that the window process answers itself, from what the host tells it:
/// `copy_link` puts the bank's address on the clipboard (the webview never sees it), `quit` stops the host too,
/// `start_again` runs the host anew.
pub const WINDOW_COMMANDS: &[&str] = &["copy_link", "quit", "start_again"];

/// The event the window process sends to its webview; the payload is [`crate::ui::Event`].
pub const EVENT_NAME: &str = "countersign";
