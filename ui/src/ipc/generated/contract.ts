// Written by `cargo xtask bindings` from src-tauri/crates/contract. Do not edit.

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
connections: number, };
export type AnswerAsked = { 
/**
 * Which question.
 */
id: string, 
/**
 * Do it.
 */
yes: boolean, };
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
until: number, } | { "kind": "resume", 
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
export type DecideAccount = { 
/**
 * Which attempt.
 */
attempt: string, 
/**
 * Keep them as a connection of its own; the old one stays as it is either way.
 */
keep: boolean, };
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
export type ErrorCode = "agent_key_known" | "agent_key_malformed" | "agent_key_private" | "agent_name_known" | "agent_name_unfit" | "agent_unknown" | "agents_stopped" | "asked_unknown" | "attempt_ended" | "attempt_unknown" | "browser_not_opened" | "data_folder_unfit" | "bank_unavailable" | "date_out_of_range" | "grant_needs_reconnect" | "grant_over" | "grant_paused" | "grant_revoked" | "grant_unknown" | "host_gone" | "internal" | "keychain_key_lost" | "keychain_locked" | "keychain_unavailable" | "locked" | "not_written" | "passphrase_later" | "passphrase_unfit" | "passphrase_wrong" | "permissions_unfit" | "provider_unknown" | "receipt_unknown" | "record_damaged" | "request_malformed" | "store_damaged" | "store_failed" | "store_newer" | "still_stopped" | "too_many_attempts";
export type Event = { "type": "agents_changed" } | { "type": "app_changed" } | { "type": "attempt_changed", 
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
export type SavedFile = { 
/**
 * Where it is.
 */
path: string, };
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
  list_agents: { request: Nothing; answer: Array<AgentView> };
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
  copy_link: { request: AttemptRef; answer: AttemptView };
  quit: { request: Nothing; answer: null };
  start_again: { request: Nothing; answer: null };
};
