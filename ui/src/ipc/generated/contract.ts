// Written by `cargo xtask bindings` from src-tauri/crates/contract. Do not edit.

export type AccountView = { 
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
export type AttemptRef = { 
/**
 * Its id.
 */
attempt: string, };
export type AttemptStep = "preparing" | "at_bank" | "answered" | "reading_accounts" | "saving" | "ended";
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
grant: string | null, };
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
at: number, } | { "kind": "not_offered" } | { "kind": "not_yet", 
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
extra: Array<string>, } | { "kind": "declined" } | { "kind": "interrupted" } | { "kind": "keychain_key_lost" } | { "kind": "keychain_locked" } | { "kind": "keychain_unavailable" } | { "kind": "nothing_allowed" } | { "kind": "not_saved", 
/**
 * Whether the bank confirmed that it has forgotten the access.
 */
bank_told: boolean, } | { "kind": "port_taken" } | { "kind": "timed_out" } | { "kind": "unexpected_server" };
export type ErrorCode = "agent_key_known" | "agent_key_malformed" | "agent_key_private" | "agent_name_known" | "agent_name_unfit" | "agent_unknown" | "attempt_ended" | "attempt_unknown" | "browser_not_opened" | "data_folder_unfit" | "date_out_of_range" | "grant_revoked" | "grant_unknown" | "host_gone" | "internal" | "keychain_key_lost" | "keychain_locked" | "keychain_unavailable" | "permissions_unfit" | "provider_unknown" | "request_malformed" | "store_damaged" | "store_failed" | "store_newer" | "too_many_attempts";
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
 * What the agent may use.
 */
permissions: Array<PermissionView>, 
/**
 * How many accounts.
 */
accounts: number, 
/**
 * When it was made.
 */
created_at: number, 
/**
 * When it ends by itself.
 */
ends_at: number, 
/**
 * When the agent last used it.
 */
last_used_at: number | null, 
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
ends_soon: boolean, } | { "kind": "ended" } | { "kind": "revoked", 
/**
 * What is known of that.
 */
facts: RevocationView, };
export type GrantView = { 
/**
 * What the list shows.
 */
row: GrantRow, 
/**
 * The accounts.
 */
accounts: Array<AccountView>, 
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
export type HistoryKind = "bank_confirmed" | "connected" | "given_up" | "not_kept" | "revoked";
export type KeychainState = "absent" | "blocked" | "key_missing" | "key_replaced" | "locked" | "ready";
export type Nothing = Record<symbol, never>;
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
export type RevocationView = { 
/**
 * Cut off here.
 */
cut_off_at: number, 
/**
 * The bank.
 */
bank: BankTold, 
/**
 * Access that the bank handed out earlier may work there until then, unless the bank has confirmed.
 */
valid_until: number | null, };
export type RiskView = "money" | "personal" | "read";
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
  copy_link: { request: AttemptRef; answer: AttemptView };
  quit: { request: Nothing; answer: null };
  start_again: { request: Nothing; answer: null };
};
