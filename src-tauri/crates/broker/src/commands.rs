//! The window's commands: parse into domain types, call the use case, done.

use std::future::{Ready, ready};

use app::port::Ports;
use app::{App, Refusal};
use contract::ui::{
    ActivityDetails, ActivityFilter, ActivityPage, ActivityRef, ActivityVerdict, AddAgent, AgentRef,
    AgentView, AgentsView, AlertRef, AnswerApproval, AnswerAsked, AnswerEnrolment, AppState, ApprovalRef,
    AttemptRef, AttemptView, ChangeProtection, ChoiceRef, ConnectAccount, DecideAccount, GrantRef, GrantView,
    GrantsView, LockSettingsView, NarrowGrant, Nothing, PassphraseText, PendingApproval, ProtectionView,
    ProviderView, ReceiptRef, ReceiptView, RenewGrant, RuleView, SavedFile, SetRule, Unlock,
};
use domain::id::{AgentId, AskedId, AttemptId, ChoiceId, GrantId, QuestionId, ReceiptId};
use domain::lock::{LockSettings, LockedBy, Protection};
use domain::secret::Passphrase;

pub(crate) async fn app_state<P: Ports>(app: &App<P>, _: Nothing) -> Result<AppState, Refusal> {
    app.app_state().await
}

pub(crate) fn list_providers<P: Ports>(
    app: &App<P>,
    _: Nothing,
) -> Ready<Result<Vec<ProviderView>, Refusal>> {
    ready(Ok(app.list_providers()))
}

pub(crate) async fn list_agents<P: Ports>(app: &App<P>, _: Nothing) -> Result<AgentsView, Refusal> {
    app.list_agents().await
}

pub(crate) async fn add_agent<P: Ports>(app: &App<P>, request: AddAgent) -> Result<AgentView, Refusal> {
    app.add_agent(&request).await
}

pub(crate) async fn connect_account<P: Ports>(
    app: &App<P>,
    request: ConnectAccount,
) -> Result<AttemptView, Refusal> {
    let attempt = app.connect_account(&request).await?;
    app.show_attempt(attempt.id).await
}

pub(crate) async fn list_attempts<P: Ports>(app: &App<P>, _: Nothing) -> Result<Vec<AttemptView>, Refusal> {
    app.list_attempts().await
}

pub(crate) async fn show_attempt<P: Ports>(
    app: &App<P>,
    request: AttemptRef,
) -> Result<AttemptView, Refusal> {
    app.show_attempt(attempt(&request)?).await
}

pub(crate) async fn open_again<P: Ports>(app: &App<P>, request: AttemptRef) -> Result<AttemptView, Refusal> {
    let id = attempt(&request)?;
    app.open_again(id).await?;
    app.show_attempt(id).await
}

pub(crate) async fn cancel_attempt<P: Ports>(
    app: &App<P>,
    request: AttemptRef,
) -> Result<AttemptView, Refusal> {
    let id = attempt(&request)?;
    app.cancel_attempt(id).await?;
    app.show_attempt(id).await
}

pub(crate) async fn list_grants<P: Ports>(app: &App<P>, _: Nothing) -> Result<GrantsView, Refusal> {
    app.list_grants().await
}

pub(crate) async fn show_grant<P: Ports>(app: &App<P>, request: GrantRef) -> Result<GrantView, Refusal> {
    app.show_grant(grant(&request)?).await
}

pub(crate) async fn revoke_grant<P: Ports>(app: &App<P>, request: GrantRef) -> Result<GrantView, Refusal> {
    let id = grant(&request)?;
    app.revoke_grant(id).await?;
    app.show_grant(id).await
}

pub(crate) async fn stop_telling_bank<P: Ports>(
    app: &App<P>,
    request: GrantRef,
) -> Result<GrantView, Refusal> {
    let id = grant(&request)?;
    app.stop_telling_bank(id).await?;
    app.show_grant(id).await
}

pub(crate) async fn check_keychain<P: Ports>(app: &App<P>, _: Nothing) -> Result<AppState, Refusal> {
    app.check_keychain().await
}

pub(crate) async fn unlock_keychain<P: Ports>(app: &App<P>, _: Nothing) -> Result<AppState, Refusal> {
    app.unlock_keychain().await
}

pub(crate) async fn keep_running<P: Ports>(app: &App<P>, _: Nothing) -> Result<AppState, Refusal> {
    app.ask_quit(false);
    app.app_state().await
}

pub(crate) async fn pause_grant<P: Ports>(app: &App<P>, request: GrantRef) -> Result<GrantView, Refusal> {
    let id = grant(&request)?;
    app.pause_grant(id).await?;
    app.show_grant(id).await
}

pub(crate) async fn resume_grant<P: Ports>(app: &App<P>, request: GrantRef) -> Result<GrantView, Refusal> {
    let id = grant(&request)?;
    app.resume_grant(id).await?;
    app.show_grant(id).await
}

pub(crate) async fn narrow_grant<P: Ports>(app: &App<P>, request: NarrowGrant) -> Result<GrantView, Refusal> {
    let id = app.narrow_grant(&request).await?;
    app.show_grant(id).await
}

pub(crate) async fn widen_grant<P: Ports>(app: &App<P>, request: GrantRef) -> Result<GrantView, Refusal> {
    let id = grant(&request)?;
    app.widen_grant(id).await?;
    app.show_grant(id).await
}

pub(crate) async fn check_grant<P: Ports>(app: &App<P>, request: GrantRef) -> Result<GrantView, Refusal> {
    let id = grant(&request)?;
    app.check_grant(id).await?;
    app.show_grant(id).await
}

pub(crate) async fn renew_grant<P: Ports>(app: &App<P>, request: RenewGrant) -> Result<AttemptView, Refusal> {
    let attempt = app.renew_grant(&request).await?;
    app.show_attempt(attempt.id).await
}

pub(crate) async fn decide_account<P: Ports>(
    app: &App<P>,
    request: DecideAccount,
) -> Result<AttemptView, Refusal> {
    let id = app.decide_account(&request).await?;
    app.show_attempt(id).await
}

pub(crate) async fn stop_reminding<P: Ports>(app: &App<P>, request: GrantRef) -> Result<GrantView, Refusal> {
    let id = grant(&request)?;
    app.stop_reminding(id).await?;
    app.show_grant(id).await
}

pub(crate) async fn show_receipt<P: Ports>(
    app: &App<P>,
    request: ReceiptRef,
) -> Result<ReceiptView, Refusal> {
    app.show_receipt(receipt(&request)?).await
}

pub(crate) async fn save_receipt<P: Ports>(app: &App<P>, request: ReceiptRef) -> Result<SavedFile, Refusal> {
    app.save_receipt(receipt(&request)?).await
}

pub(crate) async fn stop_agents<P: Ports>(app: &App<P>, _: Nothing) -> Result<AppState, Refusal> {
    app.stop_agents().await;
    app.app_state().await
}

pub(crate) async fn resume_agents<P: Ports>(app: &App<P>, _: Nothing) -> Result<AppState, Refusal> {
    app.resume_agents().await?;
    app.app_state().await
}

pub(crate) async fn revoke_all<P: Ports>(app: &App<P>, _: Nothing) -> Result<GrantsView, Refusal> {
    app.revoke_all().await
}

pub(crate) async fn lock<P: Ports>(app: &App<P>, _: Nothing) -> Result<AppState, Refusal> {
    app.lock(LockedBy::Person).await;
    app.app_state().await
}

pub(crate) async fn unlock<P: Ports>(app: &App<P>, request: Unlock) -> Result<AppState, Refusal> {
    // What cannot be one is not the one.
    let passphrase = passphrase(request.passphrase).map_err(|_| Refusal::PassphraseWrong)?;
    app.unlock(passphrase).await?;
    app.app_state().await
}

pub(crate) async fn set_lock_settings<P: Ports>(
    app: &App<P>,
    request: LockSettingsView,
) -> Result<AppState, Refusal> {
    let LockSettingsView { idle_minutes, with_screen } = request;
    app.set_lock_settings(LockSettings { idle_minutes, with_screen }).await?;
    app.app_state().await
}

pub(crate) async fn change_protection<P: Ports>(
    app: &App<P>,
    request: ChangeProtection,
) -> Result<AppState, Refusal> {
    let to = match request.protection {
        ProtectionView::Keychain => Protection::Keychain,
        ProtectionView::KeychainAndPassphrase => Protection::KeychainAndPassphrase,
        ProtectionView::Passphrase => Protection::Passphrase,
    };
    // Whatever was chosen before is at worst another one; only the new one has to be fit.
    let current = passphrase(request.current).map_err(|_| Refusal::PassphraseWrong)?;
    app.change_protection(to, current, passphrase(request.new)?).await?;
    app.app_state().await
}

pub(crate) async fn answer_asked<P: Ports>(app: &App<P>, request: AnswerAsked) -> Result<AppState, Refusal> {
    let id = AskedId::parse(&request.id).map_err(|_| Refusal::Malformed)?;
    app.answer_asked(id, request.yes).await?;
    app.app_state().await
}

pub(crate) async fn answer_enrolment<P: Ports>(
    app: &App<P>,
    request: AnswerEnrolment,
) -> Result<AgentsView, Refusal> {
    app.answer_enrolment(&request).await
}

pub(crate) async fn pause_agent<P: Ports>(app: &App<P>, request: AgentRef) -> Result<AgentView, Refusal> {
    let id = agent(&request.agent)?;
    app.pause_agent(id).await?;
    app.show_agent(id).await
}

pub(crate) async fn resume_agent<P: Ports>(app: &App<P>, request: AgentRef) -> Result<AgentView, Refusal> {
    let id = agent(&request.agent)?;
    app.resume_agent(id).await?;
    app.show_agent(id).await
}

pub(crate) async fn remove_agent<P: Ports>(app: &App<P>, request: AgentRef) -> Result<AgentView, Refusal> {
    let id = agent(&request.agent)?;
    app.remove_agent(id).await?;
    app.show_agent(id).await
}

pub(crate) async fn forget_choice<P: Ports>(app: &App<P>, request: ChoiceRef) -> Result<AgentView, Refusal> {
    let id = agent(&request.agent)?;
    let choice = ChoiceId::parse(&request.choice).map_err(|_| Refusal::Malformed)?;
    app.forget_choice(id, choice).await?;
    app.show_agent(id).await
}

pub(crate) async fn list_activity<P: Ports>(
    app: &App<P>,
    request: ActivityFilter,
) -> Result<ActivityPage, Refusal> {
    app.list_activity(&request).await
}

pub(crate) async fn show_activity<P: Ports>(
    app: &App<P>,
    request: ActivityRef,
) -> Result<ActivityDetails, Refusal> {
    app.show_activity(request.seq).await
}

pub(crate) async fn check_activity<P: Ports>(app: &App<P>, _: Nothing) -> Result<ActivityVerdict, Refusal> {
    app.check_activity().await
}

pub(crate) async fn export_activity<P: Ports>(app: &App<P>, _: Nothing) -> Result<SavedFile, Refusal> {
    app.export_activity().await
}

pub(crate) async fn list_rules<P: Ports>(app: &App<P>, _: Nothing) -> Result<Vec<RuleView>, Refusal> {
    app.list_rules().await
}

pub(crate) async fn set_rule<P: Ports>(app: &App<P>, request: SetRule) -> Result<Vec<RuleView>, Refusal> {
    app.set_rule(request).await
}

pub(crate) async fn dismiss_alert<P: Ports>(app: &App<P>, request: AlertRef) -> Result<AppState, Refusal> {
    app.dismiss_alert(&request)?;
    app.app_state().await
}

pub(crate) async fn pending_approval<P: Ports>(app: &App<P>, _: Nothing) -> Result<PendingApproval, Refusal> {
    app.pending_approval().await
}

pub(crate) async fn answer_approval<P: Ports>(
    app: &App<P>,
    request: AnswerApproval,
) -> Result<PendingApproval, Refusal> {
    app.answer_approval(request).await
}

pub(crate) fn agent(id: &str) -> Result<AgentId, Refusal> {
    AgentId::parse(id).map_err(|_| Refusal::Malformed)
}

pub(crate) fn question(request: &ApprovalRef) -> Result<QuestionId, Refusal> {
    QuestionId::parse(&request.id).map_err(|_| Refusal::Malformed)
}

pub(crate) fn attempt(request: &AttemptRef) -> Result<AttemptId, Refusal> {
    AttemptId::parse(&request.attempt).map_err(|_| Refusal::Malformed)
}

/// What the person typed. Nothing typed is no passphrase.
pub(crate) fn passphrase(text: Option<PassphraseText>) -> Result<Option<Passphrase>, Refusal> {
    let text = text.map(|mut text| text.take()).filter(|text| !text.is_empty());
    text.map(Passphrase::parse).transpose().map_err(|_| Refusal::PassphraseUnfit)
}

pub(crate) fn grant(request: &GrantRef) -> Result<GrantId, Refusal> {
    GrantId::parse(&request.grant).map_err(|_| Refusal::Malformed)
}

fn receipt(request: &ReceiptRef) -> Result<ReceiptId, Refusal> {
    ReceiptId::parse(&request.receipt).map_err(|_| Refusal::Malformed)
}
