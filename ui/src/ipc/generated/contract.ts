// Written by `cargo xtask bindings` from src-tauri/crates/contract. Do not edit.

export type AccessRefusedWhy = "agent_paused" | "agents_stopped" | "bank_failed" | "bad_task" | "connection_not_usable" | "locked" | "not_allowed" | "not_this_access" | "person" | "replay" | "too_many" | "unknown_connection";
export type AccountView = { 
/**
 * The bank's opaque id.
 */
id: string, 
/**
 * Whether the agent may use it now.
 */
allowed: boolean, 
/**
 * Its name, in the bank's words.
 */
name: string, 
/**
 * The last four signs of its number.
 */
masked: string, 
/**
 * ISO 4217 code.
 */
currency: string | null, };
export type ActivityDetails = { 
/**
 * What the list shows.
 */
entry: ActivityEntry, 
/**
 * Its hash, in hexadecimal digits.
 */
hash: string, 
/**
 * The hash of the record before it.
 */
before: string, 
/**
 * What is stored, as JSON that is laid out for reading.
 */
body: string, };
export type ActivityEntry = { 
/**
 * Its number.
 */
seq: number, 
/**
 * When.
 */
at: number, 
/**
 * What it is about.
 */
kind: ActivityKind, 
/**
 * Which agent.
 */
agent: AgentMark | null, 
/**
 * Which bank.
 */
bank: BankMark | null, 
/**
 * Which connection.
 */
grant: string | null, 
/**
 * What happened.
 */
what: ActivityWhat, 
/**
 * What the agent said it was for.
 */
quoted: string | null, 
/**
 * How it went.
 */
outcome: ActivityOutcome, };
export type ActivityFilter = { 
/**
 * Of one agent.
 */
agent: string | null, 
/**
 * Of one connection.
 */
grant: string | null, 
/**
 * At one bank.
 */
bank: string | null, 
/**
 * Of these kinds; all, where none is named.
 */
kinds: Array<ActivityKind>, 
/**
 * Before this record.
 */
before: number | null, 
/**
 * With these words in it.
 */
text: string | null, 
/**
 * As many at most.
 */
most: number, };
export type ActivityKind = "access" | "approvals" | "calls" | "connections" | "refusals" | "security";
export type ActivityOutcome = "done" | "failed" | "refused" | "waiting";
export type ActivityPage = { 
/**
 * The records.
 */
entries: Array<ActivityEntry>, 
/**
 * There are older ones that fit.
 */
more: boolean, };
export type ActivityRef = { 
/**
 * Its number.
 */
seq: number, };
export type ActivityVerdict = { 
/**
 * How many records there are.
 */
records: number, 
/**
 * Each follows from the one before it.
 */
sound: boolean, 
/**
 * The first that does not.
 */
first_bad: number | null, 
/**
 * What the keychain says to it.
 */
anchored: AnchoredView, 
/**
 * When this was checked.
 */
checked_at: number, };
export type ActivityWhat = { "kind": "access_given", 
/**
 * What it may do, in plain words.
 */
operations: Array<string>, 
/**
 * On how many accounts.
 */
accounts: number, 
/**
 * How many calls.
 */
uses: number, 
/**
 * Until when.
 */
until: number, } | { "kind": "access_returned" } | { "kind": "access_refused", 
/**
 * Why.
 */
why: AccessRefusedWhy, } | { "kind": "agent_added" } | { "kind": "agent_declined", 
/**
 * The person said no; else nobody answered.
 */
by_person: boolean, } | { "kind": "agent_enrolled", 
/**
 * It took another agent's place.
 */
replaces: boolean, } | { "kind": "agent_paused", 
/**
 * By whom.
 */
why: AgentPausedWhy, } | { "kind": "agent_removed" } | { "kind": "agent_resumed" } | { "kind": "agents_resumed" } | { "kind": "agents_stopped" } | { "kind": "approval_asked", 
/**
 * For what, in plain words.
 */
operations: Array<string>, } | { "kind": "approved", 
/**
 * For how many days it is not asked again; none for once.
 */
days: number | null, } | { "kind": "attempt_ended", 
/**
 * How.
 */
ending: EndingView, } | { "kind": "attempt_started" } | { "kind": "bank_confirmed" } | { "kind": "called", 
/**
 * What it did, in plain words.
 */
operation: string, 
/**
 * The bank's HTTP status, where it answered.
 */
status: number | null, } | { "kind": "call_refused", 
/**
 * What it wanted to do, in plain words, where that is known.
 */
operation: string | null, 
/**
 * Why.
 */
why: AccessRefusedWhy, } | { "kind": "choice_forgotten", 
/**
 * What, in plain words.
 */
operation: string, } | { "kind": "connect_asked" } | { "kind": "connected", 
/**
 * What it allows, in one or two words each.
 */
permissions: Array<string>, 
/**
 * How many accounts.
 */
accounts: number, 
/**
 * It took an older one's place.
 */
renewed: boolean, } | { "kind": "denied", 
/**
 * By whom.
 */
by: DeniedBy, } | { "kind": "ended" } | { "kind": "forgotten" } | { "kind": "given_up" } | { "kind": "interference", 
/**
 * How many.
 */
strays: number, } | { "kind": "key_made" } | { "kind": "key_replaced", 
/**
 * How it is kept.
 */
protection: ProtectionView, } | { "kind": "late_tokens" } | { "kind": "narrowed" } | { "kind": "not_kept" } | { "kind": "other", 
/**
 * Its own name for it.
 */
name: string, } | { "kind": "paused" } | { "kind": "reconnect_needed", 
/**
 * Why.
 */
why: ReconnectWhyView, } | { "kind": "refreshed" } | { "kind": "refresh_unanswered" } | { "kind": "reminded" } | { "kind": "replaced" } | { "kind": "restored" } | { "kind": "resumed" } | { "kind": "revoked" } | { "kind": "rule_changed", 
/**
 * Which.
 */
rule: RuleKind, 
/**
 * What it does from then on.
 */
act: RuleAct, } | { "kind": "rule_triggered", 
/**
 * Which.
 */
rule: RuleKind, 
/**
 * What it did.
 */
act: RuleAct, } | { "kind": "vault_locked", 
/**
 * By whom.
 */
by: LockedByView, } | { "kind": "vault_opened" } | { "kind": "widened" };
export type AddAgent = { 
/**
 * What the person calls it.
 */
name: string, 
/**
 * A JWK or 43 base64url characters.
 */
key: string, };
export type AgentMark = { 
/**
 * Its id.
 */
id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Its key's thumbprint.
 */
thumbprint: string, };
export type AgentPausedView = { 
/**
 * Since when.
 */
at: number, 
/**
 * By whom.
 */
why: AgentPausedWhy, 
/**
 * Which rule, where it was one.
 */
rule: RuleKind | null, };
export type AgentPausedWhy = "not_mine" | "person" | "rule";
export type AgentRef = { 
/**
 * Its id.
 */
agent: string, };
export type AgentView = { 
/**
 * Its id.
 */
id: string, 
/**
 * The name the person gave it.
 */
name: string, 
/**
 * Its key's thumbprint, from which its mark is drawn.
 */
thumbprint: string, 
/**
 * When it was added.
 */
added_at: number, 
/**
 * How many connections it has now.
 */
connections: number, 
/**
 * It is held back.
 */
paused: AgentPausedView | null, 
/**
 * When the person removed it.
 */
removed_at: number | null, 
/**
 * When it last asked for something.
 */
last_seen: number | null, 
/**
 * What the person has allowed it for longer than once.
 */
choices: Array<ChoiceView>, };
export type AgentsView = { 
/**
 * The agents, oldest first.
 */
agents: Array<AgentView>, 
/**
 * Programs that ask to be added, oldest first.
 */
enrolments: Array<EnrolmentView>, };
export type AlertRef = { 
/**
 * Its id.
 */
alert: string, };
export type AnchoredView = "agrees" | "behind" | "cut" | "none";
export type AnswerApproval = { 
/**
 * Which.
 */
id: string, 
/**
 * What was drawn; an answer to anything else is refused.
 */
drawn: string, 
/**
 * What the person said.
 */
answer: ApprovalAnswer, 
/**
 * Where a yes needs it.
 */
passphrase: PassphraseText | null, };
export type AnswerAsked = { 
/**
 * Which question.
 */
id: string, 
/**
 * Do it.
 */
yes: boolean, };
export type AnswerEnrolment = { 
/**
 * Which.
 */
id: string, 
/**
 * Add it.
 */
accept: boolean, 
/**
 * What the person calls it; needed to add it.
 */
name: string | null, 
/**
 * The agent whose key it takes the place of: that one is removed.
 */
replaces: string | null, };
export type AppState = { 
/**
 * This build talks to sandbox banks: the window is marked.
 */
sandbox: boolean, 
/**
 * The data folder, where it is not the platform's own.
 */
home: string | null, 
/**
 * The program's version.
 */
version: string, 
/**
 * How the keychain is.
 */
keychain: KeychainState, 
/**
 * Whether the vault is locked.
 */
lock: LockView, 
/**
 * How the key is kept.
 */
protection: ProtectionView, 
/**
 * What the person has chosen about the lock.
 */
lock_settings: LockSettingsView, 
/**
 * Whether every agent is stopped.
 */
stopped: StoppedView | null, 
/**
 * When it was noticed in this run that the store was put back from an older copy.
 */
restored_at: number | null, 
/**
 * How many seconds this computer's clock is ahead of the banks', where that is worth telling; negative for behind.
 */
clock_ahead: number | null, 
/**
 * What other programs of this computer have asked for, oldest first; nothing of it happens without a click.
 */
asked: Array<AskedView>, 
/**
 * What rules have noticed and the person has not put away, oldest first.
 */
rule_alerts: Array<RuleAlertView>, 
/**
 * Provider or agent files that could not be read.
 */
catalogue_problems: Array<CatalogueProblem>, 
/**
 * The person asked to quit in the tray: ask once more, saying what it means.
 */
quit_asked: boolean, 
/**
 * The desktop has no tray: closing the window hides everything until Countersign is started again.
 */
no_tray: boolean, };
export type ApprovalAnswer = { "kind": "allow_for", 
/**
 * How many.
 */
days: number, } | { "kind": "allow_once", } | { "kind": "deny", } | { "kind": "not_mine", };
export type ApprovalOperation = { 
/**
 * Its id in the API profile.
 */
id: string, 
/**
 * What it does: "see your name and contact details".
 */
says: string, 
/**
 * How much harm it can do.
 */
risk: RiskView, };
export type ApprovalView = { 
/**
 * Its id.
 */
id: string, 
/**
 * A hash over everything that is drawn, as the host has built it. It goes back with the answer.
 */
drawn: string, 
/**
 * Who asks.
 */
agent: AgentMark, 
/**
 * The path of the program that holds the connection, where it is known; shown and no more.
 */
program: string | null, 
/**
 * At which bank.
 */
bank: BankMark, 
/**
 * On which connection.
 */
grant: string, 
/**
 * For what.
 */
what: ApprovalWhat, 
/**
 * What it is for, in the agent's words.
 */
purpose: string, 
/**
 * And as a class.
 */
purpose_class: PurposeClassView, 
/**
 * When the agent asked.
 */
asked_at: number, 
/**
 * When this turns into a no.
 */
runs_out_at: number, 
/**
 * For how many seconds the access would last.
 */
lease_seconds: number, 
/**
 * It can be allowed for longer than once; never so for payments.
 */
may_remember: boolean, 
/**
 * A yes needs the passphrase.
 */
needs_passphrase: boolean, 
/**
 * How many more questions wait behind this one.
 */
waiting: number, };
export type ApprovalWhat = { "kind": "operations", 
/**
 * Which.
 */
operations: Array<ApprovalOperation>, 
/**
 * On which accounts.
 */
accounts: Array<AccountView>, 
/**
 * How many calls.
 */
uses: number, 
/**
 * From which day on, `YYYY-MM-DD`, where the agent said so.
 */
date_from: string | null, 
/**
 * Up to which day.
 */
date_to: string | null, } | { "kind": "payment", 
/**
 * To whom.
 */
to: string, 
/**
 * To which account, masked.
 */
to_account: string | null, 
/**
 * How much.
 */
amount: MoneyView, 
/**
 * From which account.
 */
from: AccountView | null, 
/**
 * What the payee is told, in the agent's words.
 */
reference: string | null, 
/**
 * What it is: "pay a bill".
 */
says: string, };
export type AskedView = { 
/**
 * Its id.
 */
id: string, 
/**
 * When.
 */
at: number, 
/**
 * What.
 */
what: AskedWhat, };
export type AskedWhat = { "kind": "connect", 
/**
 * Which bank.
 */
bank: BankMark, 
/**
 * Which agent.
 */
agent: AgentMark, 
/**
 * What it may do.
 */
permissions: Array<PermissionView>, 
/**
 * Until when.
 */
until: number, 
/**
 * The agent asks for itself; else a program of the person does.
 */
by_agent: boolean, 
/**
 * What it is for, in the agent's words.
 */
purpose: string | null, } | { "kind": "resume", 
/**
 * Which.
 */
grant: string, 
/**
 * Its bank.
 */
bank: BankMark, 
/**
 * Its agent.
 */
agent: AgentMark, } | { "kind": "resume_agent", 
/**
 * Which.
 */
agent: AgentMark, } | { "kind": "resume_agents" } | { "kind": "widen", 
/**
 * Which.
 */
grant: string, 
/**
 * Its bank.
 */
bank: BankMark, 
/**
 * Its agent.
 */
agent: AgentMark, };
export type AttemptRef = { 
/**
 * Its id.
 */
attempt: string, };
export type AttemptStep = "preparing" | "at_bank" | "answered" | "reading_accounts" | "other_account" | "saving" | "ended";
export type AttemptView = { 
/**
 * Its id.
 */
id: string, 
/**
 * What the person can read to support.
 */
reference: string, 
/**
 * Counts every change.
 */
revision: number, 
/**
 * Which bank.
 */
bank: BankMark, 
/**
 * Which agent.
 */
agent: AgentMark, 
/**
 * What was chosen.
 */
permissions: Array<PermissionView>, 
/**
 * What the bank offers and was not chosen.
 */
not_chosen: Array<PermissionView>, 
/**
 * Until when.
 */
until: number, 
/**
 * When it began.
 */
started_at: number, 
/**
 * When waiting for the bank ends.
 */
waiting_until: number | null, 
/**
 * What became of the last try to open the browser.
 */
browser: BrowserView, 
/**
 * Where it stands.
 */
step: AttemptStep, 
/**
 * How it ended, if it has.
 */
ending: EndingView | null, 
/**
 * The grant it made.
 */
grant: string | null, 
/**
 * The grant it renews.
 */
renews: string | null, 
/**
 * What a renewal came back with instead of the accounts it was for; the person decides.
 */
other: OtherAccountView | null, };
export type BankMark = { 
/**
 * Its id.
 */
id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Letters for its tile.
 */
monogram: string, 
/**
 * The tile's colour.
 */
colour: string, 
/**
 * The host name where the person signs in.
 */
host: string, 
/**
 * Where a customer withdraws consent at the bank; shown as text, to be typed or copied.
 */
help: string | null, };
export type BankTold = { "kind": "confirmed", 
/**
 * When.
 */
at: number, } | { "kind": "given_up", 
/**
 * When.
 */
at: number, } | { "kind": "not_offered" } | { "kind": "replaced", 
/**
 * When.
 */
at: number, } | { "kind": "not_yet", 
/**
 * How often it was tried.
 */
tries: number, 
/**
 * When it was last tried.
 */
last_try: number | null, 
/**
 * When it is tried next.
 */
next_try: number, 
/**
 * What is in the way.
 */
waits_for: WaitsForView, };
export type Blame = "agent" | "machine" | "person" | "provider" | "us";
export type BrowserView = "failed" | "link_copied" | "not_yet" | "opened";
export type CatalogueProblem = { 
/**
 * The file's name, without its folder.
 */
file: string, 
/**
 * The rule it breaks, for support; names and positions, no content.
 */
rule: string, };
export type ChangeProtection = { 
/**
 * How.
 */
protection: ProtectionView, 
/**
 * The passphrase so far, where there is one.
 */
current: PassphraseText | null, 
/**
 * The passphrase from now on, where there is to be one.
 */
new: PassphraseText | null, };
export type ChoiceRef = { 
/**
 * Whose.
 */
agent: string, 
/**
 * Which.
 */
choice: string, };
export type ChoiceView = { 
/**
 * Its id.
 */
id: string, 
/**
 * On which connection.
 */
grant: string, 
/**
 * At which bank.
 */
bank: BankMark, 
/**
 * What: "see your name and contact details".
 */
operation: string, 
/**
 * For which class of purposes.
 */
purpose_class: PurposeClassView, 
/**
 * Until when.
 */
until: number, };
export type CommandError = { 
/**
 * Why.
 */
code: ErrorCode, 
/**
 * What a person can read to support, where there is a record of it.
 */
reference: string | null, };
export type ConnectAccount = { 
/**
 * Which bank.
 */
provider: string, 
/**
 * Which agent.
 */
agent: string, 
/**
 * What it may do.
 */
permissions: Array<string>, 
/**
 * Until when.
 */
until: number, };
export type ConsentTold = { "kind": "at_bank" } | { "kind": "not_yet" } | { "kind": "withdrawn", 
/**
 * When.
 */
at: number, };
export type DamagedKind = "agent" | "connection";
export type DamagedRecord = { 
/**
 * What it was.
 */
what: DamagedKind, 
/**
 * Its id, if that can be read.
 */
id: string | null, 
/**
 * The bank's or the agent's name, if that can be read.
 */
name: string | null, };
export type DayCount = { 
/**
 * When the day begins, where this computer is.
 */
day: number, 
/**
 * Calls that reached the bank.
 */
calls: number, 
/**
 * Requests that were refused.
 */
refused: number, };
export type DecideAccount = { 
/**
 * Which attempt.
 */
attempt: string, 
/**
 * Keep them as a connection of its own; the old one stays as it is either way.
 */
keep: boolean, };
export type DeniedBy = "not_mine" | "person" | "stopped" | "time_out" | "withdrawn";
export type EndingView = { "kind": "addresses_changed", 
/**
 * Which metadata member differs, for support.
 */
member: string, } | { "kind": "bank_misbehaved", 
/**
 * The rule, for support.
 */
rule: string, } | { "kind": "bank_refused", 
/**
 * The code.
 */
code: string, 
/**
 * Whether trying again later makes sense.
 */
retry: boolean, } | { "kind": "bank_unreachable" } | { "kind": "cancelled" } | { "kind": "connected", 
/**
 * Chosen, but not allowed at the bank.
 */
missing: Array<PermissionView>, 
/**
 * Allowed by the bank without being asked, in the bank's words; never used.
 */
extra: Array<string>, } | { "kind": "declined" } | { "kind": "interrupted" } | { "kind": "keychain_key_lost" } | { "kind": "keychain_locked" } | { "kind": "keychain_unavailable" } | { "kind": "nothing_allowed" } | { "kind": "other_account" } | { "kind": "not_saved", 
/**
 * Whether the bank confirmed that it has forgotten the access.
 */
bank_told: boolean, } | { "kind": "port_taken" } | { "kind": "timed_out" } | { "kind": "unexpected_server" };
export type EnrolmentView = { 
/**
 * Its id.
 */
id: string, 
/**
 * The short code, to be compared with the one that the program shows.
 */
code: string, 
/**
 * Its key's thumbprint.
 */
thumbprint: string, 
/**
 * What it calls itself.
 */
suggested_name: string, 
/**
 * The path of the program that holds the connection, where it is known; shown and no more.
 */
program: string | null, 
/**
 * When it asked.
 */
at: number, 
/**
 * When this turns into a no.
 */
runs_out_at: number, 
/**
 * An agent has this name already, with another key.
 */
same_name_as: AgentMark | null, };
export type ErrorCode = "activity_unknown" | "agent_key_known" | "agent_key_malformed" | "agent_key_private" | "agent_name_known" | "agent_name_unfit" | "agent_unknown" | "agent_removed" | "agents_stopped" | "alert_unknown" | "approval_over" | "asked_unknown" | "attempt_ended" | "attempt_unknown" | "browser_not_opened" | "choice_unknown" | "data_folder_unfit" | "bank_unavailable" | "date_out_of_range" | "enrolment_unknown" | "grant_needs_reconnect" | "grant_over" | "grant_paused" | "grant_revoked" | "grant_unknown" | "host_gone" | "internal" | "keychain_key_lost" | "keychain_locked" | "keychain_unavailable" | "locked" | "not_written" | "passphrase_later" | "passphrase_unfit" | "passphrase_wrong" | "permissions_unfit" | "provider_unknown" | "receipt_unknown" | "record_damaged" | "request_malformed" | "store_damaged" | "store_failed" | "store_newer" | "still_stopped" | "too_many_attempts";
export type Event = { "type": "activity_changed" } | { "type": "agents_changed" } | { "type": "app_changed" } | { "type": "approval_changed" } | { "type": "attempt_changed", 
/**
 * Which.
 */
id: string, 
/**
 * Its revision now.
 */
revision: number, } | { "type": "grants_changed", 
/**
 * The list's revision now.
 */
revision: number, } | { "type": "host_gone" };
export type GrantRef = { 
/**
 * Its id.
 */
grant: string, };
export type GrantRow = { 
/**
 * Its id.
 */
id: string, 
/**
 * Which bank.
 */
bank: BankMark, 
/**
 * Which agent.
 */
agent: AgentMark, 
/**
 * What the agent may use now.
 */
permissions: Array<PermissionView>, 
/**
 * How many accounts it may use now.
 */
accounts: number, 
/**
 * When it was made.
 */
created_at: number, 
/**
 * Until when the agent may use it.
 */
ends_at: number, 
/**
 * When the agent last used it.
 */
last_used_at: number | null, 
/**
 * How often the agent has used it in the last seven days.
 */
used_this_week: number, 
/**
 * When the bank last showed that it works: how old the knowledge is.
 */
confirmed_at: number, 
/**
 * The person has taken something back here; the bank still allows more.
 */
narrowed: boolean, 
/**
 * Why the bank could not confirm it lately.
 */
trouble: TroubleView | null, 
/**
 * The person wants no more reminders of its end.
 */
no_reminders: boolean, 
/**
 * Where it stands.
 */
state: GrantState, 
/**
 * Allowed by the bank without being asked; the person may want to revoke.
 */
has_extra: boolean, };
export type GrantState = { "kind": "active", 
/**
 * It ends within seven days.
 */
ends_soon: boolean, } | { "kind": "ended", 
/**
 * What is known of its end at the bank; none in the moment before that is begun.
 */
facts: RevocationView | null, } | { "kind": "paused", 
/**
 * Since when.
 */
since: number, 
/**
 * It ends within seven days.
 */
ends_soon: boolean, } | { "kind": "reconnect", 
/**
 * Since when that is known.
 */
since: number, 
/**
 * Why.
 */
why: ReconnectWhyView, } | { "kind": "revoked", 
/**
 * What is known of that.
 */
facts: RevocationView, 
/**
 * The connection that took its place, if one did.
 */
replaced_by: string | null, };
export type GrantView = { 
/**
 * What the list shows.
 */
row: GrantRow, 
/**
 * The accounts of the consent.
 */
accounts: Array<AccountView>, 
/**
 * What the consent at the bank allows, which is more than the row says where something was taken back here.
 */
consented: Array<PermissionView>, 
/**
 * When the consent ends.
 */
consent_ends_at: number, 
/**
 * Receipts, newest first.
 */
receipts: Array<ReceiptEntry>, 
/**
 * The connection whose place it took.
 */
renews: string | null, 
/**
 * Whose accounts these are, as the bank says.
 */
holder: string | null, 
/**
 * Chosen, but not allowed at the bank.
 */
missing: Array<PermissionView>, 
/**
 * Allowed by the bank without being asked, in the bank's words; never used.
 */
extra: Array<string>, 
/**
 * What this bank offers and the agent may not.
 */
cannot: Array<PermissionView>, 
/**
 * Revoking one agent's consent at this bank ends the others' too.
 */
shared_consents: boolean, 
/**
 * What happened, newest first.
 */
history: Array<HistoryEntry>, 
/**
 * What the agent did on each of the last thirty days, oldest first.
 */
days: Array<DayCount>, 
/**
 * The reference of the attempt that made it.
 */
reference: string | null, };
export type GrantsView = { 
/**
 * Agents with at least one current connection.
 */
agents: number, 
/**
 * Different accounts they can see.
 */
accounts: number, 
/**
 * Current ones, newest first.
 */
current: Array<GrantRow>, 
/**
 * Ended ones, newest first.
 */
history: Array<GrantRow>, 
/**
 * Records that cannot be read; they spoil no other, and nothing acts on them.
 */
damaged: Array<DamagedRecord>, 
/**
 * Counts every change.
 */
revision: number, };
export type HistoryEntry = { 
/**
 * When.
 */
at: number, 
/**
 * What.
 */
what: HistoryKind, };
export type HistoryKind = "bank_confirmed" | "connected" | "ended" | "forgotten" | "given_up" | "late_tokens" | "narrowed" | "not_kept" | "paused" | "reconnect_needed" | "refreshed" | "refresh_unanswered" | "reminded" | "replaced" | "resumed" | "revoked" | "widened";
export type KeychainState = "absent" | "blocked" | "key_missing" | "key_replaced" | "locked" | "ready";
export type LockSettingsView = { 
/**
 * After how many minutes without use it locks; none for never.
 */
idle_minutes: number | null, 
/**
 * Whether it locks with the screen, where the system tells.
 */
with_screen: boolean, };
export type LockView = { "kind": "locked", 
/**
 * Since when.
 */
since: number, 
/**
 * By whom.
 */
by: LockedByView, } | { "kind": "open" };
export type LockedByView = "idle" | "person" | "screen" | "start";
export type MoneyView = { 
/**
 * A decimal number: "12.50".
 */
amount: string, 
/**
 * ISO 4217 code.
 */
currency: string, };
export type NarrowGrant = { 
/**
 * Which.
 */
grant: string, 
/**
 * The permissions that are left.
 */
permissions: Array<string>, 
/**
 * The accounts that are left, by their ids in [`AccountView`].
 */
accounts: Array<string>, 
/**
 * The end that is left.
 */
until: number, };
export type Nothing = Record<symbol, never>;
export type OtherAccountView = { 
/**
 * Whose they are, as the bank says.
 */
holder: string | null, 
/**
 * The accounts.
 */
accounts: Array<AccountView>, 
/**
 * Until when the person can decide; after that the answer is no.
 */
until: number, };
export type PassphraseText = string;
export type PendingApproval = { 
/**
 * The oldest question that is open.
 */
question: ApprovalView | null, };
export type PermissionGroup = "do" | "see";
export type PermissionView = { 
/**
 * Its id.
 */
id: string, 
/**
 * One or two words: "balances".
 */
short: string, 
/**
 * The whole line: "your balances: what is in each account now".
 */
text: string, 
/**
 * What the agent cannot do without it: "move money".
 */
cannot: string, 
/**
 * Can see, or can do.
 */
group: PermissionGroup, 
/**
 * How much harm it can do.
 */
risk: RiskView, 
/**
 * Other permissions it makes no sense without.
 */
needs: Array<string>, };
export type ProtectionView = "keychain" | "keychain_and_passphrase" | "passphrase";
export type ProviderView = { 
/**
 * Its id.
 */
id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Letters for its tile.
 */
monogram: string, 
/**
 * The tile's colour, `#rrggbb`.
 */
colour: string, 
/**
 * The host name where the person signs in, in ASCII.
 */
host: string, 
/**
 * Added by address, not from the catalogue.
 */
unverified: boolean, 
/**
 * Revoking one agent's consent ends the others' too.
 */
shared_consents: boolean, 
/**
 * The longest the bank allows.
 */
max_days: number, 
/**
 * What an agent can be allowed.
 */
permissions: Array<PermissionView>, };
export type PurposeClassView = "bookkeeping" | "budgeting" | "lending" | "other" | "payments" | "support" | "taxes";
export type ReceiptAccount = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its masked number.
 */
number: string, };
export type ReceiptEntry = { 
/**
 * Its id.
 */
id: string, 
/**
 * When.
 */
at: number, 
/**
 * About what.
 */
what: ReceiptKind, };
export type ReceiptKind = "connected" | "ended" | "narrowed" | "renewed" | "revoked" | "widened";
export type ReceiptRef = { 
/**
 * Its id.
 */
receipt: string, };
export type ReceiptView = { 
/**
 * Its id.
 */
id: string, 
/**
 * About what.
 */
what: ReceiptKind, 
/**
 * When.
 */
at: number, 
/**
 * The bank's name.
 */
bank: string, 
/**
 * Where it is on the net: the issuer.
 */
issuer: string, 
/**
 * The agent's name.
 */
agent: string, 
/**
 * The agent's key's thumbprint.
 */
thumbprint: string, 
/**
 * Whose accounts.
 */
holder: string | null, 
/**
 * What the agent may do, in plain words, after what the receipt is about.
 */
permissions: Array<string>, 
/**
 * Name and masked number of each account.
 */
accounts: Array<ReceiptAccount>, 
/**
 * Until when.
 */
until: number | null, 
/**
 * For an end: what is known of it now, not when the receipt was made.
 */
facts: RevocationView | null, 
/**
 * The whole receipt for programs.
 */
json: string, };
export type ReconnectWhyView = "answer_lost" | "another_person" | "damaged_record" | "ended_at_bank" | "no_refresh_token" | "refused_at_bank" | "store_restored";
export type RenewGrant = { 
/**
 * Which.
 */
grant: string, 
/**
 * What the agent may do from then on.
 */
permissions: Array<string>, 
/**
 * Until when.
 */
until: number, };
export type RevocationView = { 
/**
 * Cut off here.
 */
cut_off_at: number, 
/**
 * The token at the bank.
 */
bank: BankTold, 
/**
 * The consent at the bank.
 */
consent: ConsentTold, 
/**
 * Access that the bank handed out earlier may work there until then, unless the bank has confirmed.
 */
valid_until: number | null, };
export type RiskView = "money" | "personal" | "read";
export type RuleAct = "nothing" | "notify" | "pause" | "stop_all";
export type RuleAlertView = { 
/**
 * Its id.
 */
id: string, 
/**
 * When.
 */
at: number, 
/**
 * Of which agent.
 */
agent: AgentMark, 
/**
 * Which rule.
 */
rule: RuleKind, 
/**
 * What it did.
 */
act: RuleAct, 
/**
 * What it saw.
 */
facts: Array<RuleFact>, };
export type RuleFact = { 
/**
 * What was counted or seen.
 */
name: RuleFactName, 
/**
 * A number, an hour or an operation's id.
 */
value: string, };
export type RuleFactName = "calls" | "hour" | "usual" | "operation" | "refusals" | "replays" | "threshold";
export type RuleKind = "replays" | "too_many_calls" | "too_many_refusals" | "unknown_operation" | "unusual_hours";
export type RuleView = { 
/**
 * Which.
 */
id: RuleKind, 
/**
 * From how many on it acts. What is counted is the rule's own; hours for [`RuleKind::UnusualHours`].
 */
threshold: number, 
/**
 * What it does then.
 */
act: RuleAct, };
export type SavedFile = { 
/**
 * Where it is.
 */
path: string, };
export type SetRule = { 
/**
 * Which.
 */
id: RuleKind, 
/**
 * From how many on it acts.
 */
threshold: number, 
/**
 * What it does then.
 */
act: RuleAct, };
export type StoppedView = { 
/**
 * Since when, where that could be recorded.
 */
since: number | null, 
/**
 * Whether it outlives a restart; written again and again until it does.
 */
recorded: boolean, };
export type TroubleKind = "bank_busy" | "bank_misbehaved" | "bank_refused" | "bank_unreachable" | "keychain" | "known_address" | "locked";
export type TroubleView = { 
/**
 * What.
 */
what: TroubleKind, 
/**
 * The registered code or the rule, for support.
 */
detail: string | null, 
/**
 * When it was last tried.
 */
tried_at: number | null, 
/**
 * When it is tried again.
 */
next_try: number | null, };
export type Unlock = { 
/**
 * Where one was chosen.
 */
passphrase: PassphraseText | null, };
export type WaitsForView = "bank_to_accept" | "bank_to_answer" | "damaged_record" | "first_try" | "keychain" | "known_address" | "lost_key";

/** Every request the main window may make. */
export type Commands = {
  app_state: { request: Nothing; answer: AppState };
  list_providers: { request: Nothing; answer: Array<ProviderView> };
  list_agents: { request: Nothing; answer: AgentsView };
  add_agent: { request: AddAgent; answer: AgentView };
  connect_account: { request: ConnectAccount; answer: AttemptView };
  list_attempts: { request: Nothing; answer: Array<AttemptView> };
  show_attempt: { request: AttemptRef; answer: AttemptView };
  open_again: { request: AttemptRef; answer: AttemptView };
  cancel_attempt: { request: AttemptRef; answer: AttemptView };
  list_grants: { request: Nothing; answer: GrantsView };
  show_grant: { request: GrantRef; answer: GrantView };
  revoke_grant: { request: GrantRef; answer: GrantView };
  stop_telling_bank: { request: GrantRef; answer: GrantView };
  check_keychain: { request: Nothing; answer: AppState };
  unlock_keychain: { request: Nothing; answer: AppState };
  keep_running: { request: Nothing; answer: AppState };
  pause_grant: { request: GrantRef; answer: GrantView };
  resume_grant: { request: GrantRef; answer: GrantView };
  narrow_grant: { request: NarrowGrant; answer: GrantView };
  widen_grant: { request: GrantRef; answer: GrantView };
  check_grant: { request: GrantRef; answer: GrantView };
  renew_grant: { request: RenewGrant; answer: AttemptView };
  decide_account: { request: DecideAccount; answer: AttemptView };
  stop_reminding: { request: GrantRef; answer: GrantView };
  show_receipt: { request: ReceiptRef; answer: ReceiptView };
  save_receipt: { request: ReceiptRef; answer: SavedFile };
  stop_agents: { request: Nothing; answer: AppState };
  resume_agents: { request: Nothing; answer: AppState };
  revoke_all: { request: Nothing; answer: GrantsView };
  lock: { request: Nothing; answer: AppState };
  unlock: { request: Unlock; answer: AppState };
  set_lock_settings: { request: LockSettingsView; answer: AppState };
  change_protection: { request: ChangeProtection; answer: AppState };
  answer_asked: { request: AnswerAsked; answer: AppState };
  answer_enrolment: { request: AnswerEnrolment; answer: AgentsView };
  pause_agent: { request: AgentRef; answer: AgentView };
  resume_agent: { request: AgentRef; answer: AgentView };
  remove_agent: { request: AgentRef; answer: AgentView };
  forget_choice: { request: ChoiceRef; answer: AgentView };
  list_activity: { request: ActivityFilter; answer: ActivityPage };
  show_activity: { request: ActivityRef; answer: ActivityDetails };
  check_activity: { request: Nothing; answer: ActivityVerdict };
  export_activity: { request: Nothing; answer: SavedFile };
  list_rules: { request: Nothing; answer: Array<RuleView> };
  set_rule: { request: SetRule; answer: Array<RuleView> };
  dismiss_alert: { request: AlertRef; answer: AppState };
  copy_link: { request: AttemptRef; answer: AttemptView };
  quit: { request: Nothing; answer: null };
  start_again: { request: Nothing; answer: null };
};

/** Every request the approval window may make. */
export type ApprovalCommands = {
  pending_approval: { request: Nothing; answer: PendingApproval };
  answer_approval: { request: AnswerApproval; answer: PendingApproval };
};
