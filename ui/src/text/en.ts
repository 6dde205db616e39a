/** Every fixed word on screen. Sentences that are put together stand in sentences.ts; errors and endings beside it. */
import type {
  AttemptStep,
  CommandError,
  DamagedKind,
  HistoryKind,
  KeychainState,
} from "../ipc/generated/contract";
import { count, lastSigns } from "./sentences";

export const APP = "Countersign";

export const nav = {
  label: "Main",
  connections: "Connections",
  activity: "Activity",
  agents: "Agents",
  settings: "Settings",
};

export const frame = {
  sandbox: "Sandbox",
  sandboxMeans: "This build talks to test banks only.",
  version: (version: string) => `Countersign ${version}`,
  home: (folder: string) => `Data folder: ${folder}`,
  noTray:
    "This desktop has no tray. Closing the window hides Countersign; start it again to see it. Agents keep their access.",
  loading: "Reading your connections…",
  loadingBanks: "Reading the banks…",
  loadingAgents: "Reading the agents…",
};

export const common = {
  cancel: "Cancel",
  back: "Back",
  details: "Details",
  tryAgain: "Try again",
  backToConnections: "Back to connections",
  search: "Search",
  nothingFound: "Nothing found.",
  agentSays: "The agent says:",
  for: "for",
};

export const hostGone = {
  title: "Countersign stopped",
  means: "Agents can't use your connections while it is stopped.",
  stays: "Nothing is revoked.",
  again: "Start again",
  starting: "Starting. This window closes when a new one opens.",
};

/** The page that stands alone when the host could not open its data. */
export const unopened = {
  agents: "Agents can't use your connections now.",
  banks: "Nothing was changed at your banks. What you allowed there still stands.",
  worried: "You can take it back on the bank's own page.",
};

export const quit = {
  title: "Quit Countersign",
  means: "Agents can't use your connections until you start it again. Nothing is revoked.",
  quit: "Quit",
  quitting: "Quitting…",
  keep: "Keep it running",
};

export const keychain: Record<
  Exclude<KeychainState, "ready">,
  { title: string; means: string; action: "unlock" | "check" | null }
> = {
  locked: {
    title: "Your keychain is locked.",
    means: "Agents can't use your connections until it is unlocked. Revoking still works.",
    action: "unlock",
  },
  blocked: {
    title: "Your keychain does not answer.",
    means: "Agents can't use your connections until it does. Revoking still works.",
    action: "check",
  },
  absent: {
    title: "This computer has no keychain Countersign can use.",
    means: "You can't connect an account without one. Set one up, or choose a passphrase in Settings.",
    action: "check",
  },
  key_missing: {
    title: "Your keychain no longer has Countersign's key.",
    means: "Agents can't use older connections. Revoke them and connect again.",
    action: "check",
  },
  key_replaced: {
    title: "Your keychain has a different key now.",
    means: "Agents can't use older connections. Revoke them and connect again.",
    action: "check",
  },
};

export const keychainActions = {
  unlock: "Unlock keychain",
  check: "Try again",
  working: "Asking your keychain…",
};

export const catalogue = {
  title: (n: number) => `${count(n, "bank or agent file", "bank or agent files")} could not be read.`,
  means: "Some banks or agents may be missing from the lists. Your connections go on.",
};

export const home = {
  title: "Connections",
  connect: "Connect account",
  attention: "Needs attention",
  current: "Current",
  history: "History",
  tabs: "Which connections",
  searchLabel: "Search connections",
  emptyTitle: "Nothing is connected yet.",
  empty: "Connect your bank to an agent and choose what it may do. You can take it back at any time.",
  noCurrent: "No agent has a connection now.",
  noHistory: "Connections that have ended will stand here.",
  revoke: "Revoke",
  revokeOf: (agent: string, bank: string) => `Revoke ${agent} at ${bank}`,
  pause: "Pause",
  pauseOf: (agent: string, bank: string) => `Pause ${agent} at ${bank}`,
  resume: "Resume",
  resumeOf: (agent: string, bank: string) => `Resume ${agent} at ${bank}`,
  reconnect: "Reconnect",
  reconnectOf: (agent: string, bank: string) => `Reconnect ${agent} at ${bank}`,
  at: "at",
  open: (agent: string, bank: string) => `${agent} at ${bank}`,
  lastUsed: "last used",
  neverUsed: "not used yet",
  stateActive: "Active",
  stateSoon: "Ends soon",
  statePaused: "Paused",
  stateAgentPaused: "Agent paused",
  stateReconnect: "Needs reconnecting",
  stateStopped: "Stopped with all agents",
  stateLocked: "Waits until you unlock",
  stateEnded: "Ended",
  stateRevoked: "Revoked",
  stateReplaced: "Replaced",
  narrowed: "narrowed here",
};

export const attention = {
  continue: "Continue",
  look: "Look",
  more: (n: number) => `Show ${n} more`,
  waiting: (bank: string, agent: string) => `Connecting ${agent} to ${bank} is not finished.`,
  waitingMeans: "Nothing is connected until you finish at the bank.",
  soon: (agent: string, bank: string, when: string) => `${agent} at ${bank} ends ${when}.`,
  soonMeans: "It then can't use your accounts. Renew it if you still want it.",
  renew: "Renew",
  quiet: "Don't remind me again",
  reconnect: (agent: string, bank: string) => `${agent} at ${bank} needs reconnecting.`,
  extra: (bank: string, agent: string) => `${bank} allowed more than you chose for ${agent}.`,
  extraMeans: "Countersign never uses the extra. You can revoke the connection.",
  untold: (bank: string, agent: string) => `${agent} is cut off here. ${bank} has not confirmed.`,
  damaged: {
    connection: (bank: string | null) =>
      `What is stored of a connection${bank === null ? "" : ` to ${bank}`} is damaged.`,
    agent: (agent: string | null) =>
      `What is stored of ${agent === null ? "an agent" : `the agent ${agent}`} is damaged.`,
  } satisfies Record<DamagedKind, (name: string | null) => string>,
  damagedMeans: {
    connection: "No agent can use it here. Withdraw the access at the bank yourself.",
    agent: "It can't use your connections. You can revoke them.",
  } satisfies Record<DamagedKind, string>,
};

export const connect = {
  title: "Connect account",
  steps: ["Bank", "What it may do", "At your bank", "Done"] as const,
  stepsLabel: "Steps",
  stepOf: (n: number) => `Step ${n} of 4`,
  stepDone: "done",
  stepStopped: "stopped",
  notConnected: "Not connected",
  bankTitle: "Which bank?",
  bankLead: "You sign in at the bank itself, in your own browser.",
  bankSearch: "Search banks",
  noBanks: "There is no bank to connect yet.",
  noBanksMeans: "Banks appear here when Countersign gets a file that describes them.",
  unverified: "Not verified",
  unverifiedMeans: "Added by address. Countersign does not know this bank.",
  mayTitle: "What may it do?",
  agentLegend: "Agent",
  noAgents: "No agent is known yet. Add yours by its key.",
  addAgent: "Add an agent",
  canSee: "Can see",
  canDo: "Can do",
  nothingToDo: "Nothing at this bank.",
  money: "Moves money",
  personal: "Personal",
  until: "Until when",
  untilToday: "Today",
  until30: "30 days",
  until90: "90 days",
  untilDate: "A date",
  untilDateLabel: "Last day",
  tooLong: (bank: string, days: number) => `${bank} allows ${count(days, "day")} at most.`,
  dateMissing: "Choose a day.",
  dateUnfit: (first: string, last: string) => `Choose a day from ${first} to ${last}.`,
  agentMissing: "Choose an agent.",
  nothingChosen: "Choose at least one thing it may see or do.",
  youAllow: "You are about to allow this",
  shared: (bank: string) => `${bank} keeps one permission for all your agents.`,
  sharedMeans: "Revoking one agent here ends the others at this bank too.",
  go: "Continue at the bank",
  going: "Starting…",
  changeBank: "Change bank",
};

export const atBank = {
  title: (bank: string) => `At ${bank}`,
  preparing: "Countersign checks the bank's addresses. Your browser opens next.",
  opening: (host: string) => `Your browser is about to open ${host}.`,
  opened: (host: string) => `Your browser is at ${host}. Sign in there.`,
  password: "Countersign never sees your password.",
  failed: "Your browser did not open.",
  failedTodo: (host: string) => `Copy the link and open it in your browser. It leads to ${host}.`,
  copiedTodo: (host: string) => `Open the link in your browser. It leads to ${host}.`,
  copied: "Link copied.",
  once: "It works once, until",
  openAgain: "Open again",
  copy: "Copy link",
  waiting: "Waiting until",
  answered: "The bank has answered. This takes a moment.",
  stepsLabel: "What has happened",
  now: "now",
  done: "done",
  next: "not yet",
};

/** The live steps, in order, as they are said while they last. */
export const liveSteps: Record<Exclude<AttemptStep, "ended" | "other_account">, (bank: string) => string> = {
  preparing: () => "Check the bank's addresses",
  at_bank: (bank) => `You sign in and choose at ${bank}`,
  answered: () => "Check the bank's answer",
  reading_accounts: () => "Read which accounts you picked",
  saving: () => "Save the connection",
};

export const connected = {
  title: "Connected",
  accounts: "Accounts",
  holder: "Account holder",
  missing: "You allowed less than you chose",
  works: "What works",
  extra: "The bank allowed more than you chose",
  extraMeans: "Countersign never uses it. You can revoke the connection.",
  bankSays: (bank: string) => `${bank} calls it:`,
  done: "Done",
  see: "See the connection",
};

export const ending = {
  means: "What it means",
  todo: "What you can do",
  again: "Try again",
};

/** Where no answer came for a while. */
export const slow = {
  title: "Countersign is slow to answer.",
  means: "You can wait. What you asked for may still be done.",
  revoking: "No answer yet. Until it comes, don't count on the agent being cut off.",
};

export const connection = {
  back: "Connections",
  facts: "Facts",
  accounts: "Accounts",
  noAccounts: "The bank named no account.",
  endsIn: (masked: string) => `ends in ${lastSigns(masked)}`,
  holder: "Account holder",
  asBankSays: (bank: string) => `as ${bank} says`,
  can: "It can",
  could: "It could",
  cannot: "It can't",
  see: "see",
  since: "Since",
  until: "Until",
  lastUsed: "Last used",
  never: "Not yet",
  signIn: "You signed in at",
  key: "Agent's key",
  reference: "Reference",
  referenceFor: "read it to support if you call them",
  missing: "Chosen, but not allowed at the bank",
  extra: "The bank allowed more than you chose",
  extraMeans: "Countersign never uses it. Revoke the connection if you don't want it.",
  history: "What happened",
  change: "Change it",
  end: "Take it back",
  endMeans: "Revoking ends this connection here and at the bank.",
  revoke: "Revoke",
  revoked: "Revoked",
  unlock: "Unlock keychain",
  takenBack: "taken back here",
  bankAllows: "The bank still allows",
  bankUntil: (bank: string, when: string) => `${bank} allows it until ${when}`,
  confirmed: "Known to work",
  stop: "Stop trying to tell the bank",
  shared: (bank: string) => `${bank} keeps one permission for all your agents.`,
  sharedMeans: "Revoking this one ends the others at this bank too.",
};

export const historySentences: Record<HistoryKind, (names: { agent: string; bank: string }) => string> = {
  connected: ({ agent, bank }) => `You connected ${agent} to ${bank}.`,
  not_kept: ({ bank }) => `Connecting was not completed. ${bank} is told to forget it.`,
  refreshed: ({ bank }) => `${bank} confirmed that it works.`,
  refresh_unanswered: ({ bank }) => `The answer of ${bank} was lost.`,
  reconnect_needed: ({ agent }) => `It stopped working. ${agent} gets nothing until you reconnect.`,
  reminded: () => "You were reminded that it ends soon.",
  paused: ({ agent }) => `You paused it. ${agent} was held back at once.`,
  resumed: ({ agent }) => `You resumed it. ${agent} could use it again.`,
  narrowed: ({ agent }) => `You narrowed what ${agent} may do.`,
  widened: ({ agent }) => `You gave back to ${agent} what you had taken.`,
  replaced: () => "A new connection took its place.",
  revoked: ({ agent }) => `It was revoked. ${agent} was cut off here.`,
  ended: ({ agent }) => `Its time was over. ${agent} was cut off here.`,
  late_tokens: ({ bank }) => `${bank} gave more access after the end. It is being taken back too.`,
  bank_confirmed: ({ bank }) => `${bank} confirmed that it ended.`,
  given_up: ({ bank }) => `You stopped telling ${bank}.`,
  forgotten: () => "What was kept of its access was deleted here.",
};

export const revoke = {
  title: (agent: string, bank: string) => `Revoke ${agent} at ${bank}`,
  stops: (agent: string) => `${agent} stops right away.`,
  told: (bank: string) => `${bank} is told.`,
  keeps: (agent: string) => `${agent} may keep what it has already seen.`,
  shared: (bank: string) => `Your other agents at ${bank} stop working too.`,
  confirm: "Revoke",
  keep: "Keep it",
  working: "Revoking…",
  cutOff: "Cut off here",
  helpAt: "The bank's page for this:",
  goesOn: (bank: string) => `What you allowed at ${bank} goes on for the new connection.`,
  worksUntil: (bank: string) => `Access handed out earlier may work at ${bank} until`,
  facts: "How it stands",
};

export const stopTelling = {
  title: (bank: string) => `Stop trying to tell ${bank}`,
  means: (bank: string) => [
    `${bank} may go on believing that the access is allowed.`,
    "Countersign can't tell it later.",
    "The agent stays cut off here.",
  ],
  confirm: "Stop trying",
  keep: "Keep trying",
};

export const agents = {
  title: "Agents",
  lead: "An agent is a program that acts for you. Countersign knows it by its key.",
  none: "No agent is known yet.",
  connections: (n: number) => count(n, "connection"),
  added: "added",
  wasAdded: (name: string) => `${name} was added.`,
  addTitle: "Add an agent",
  name: "Name",
  nameHint: "What you call it.",
  key: "Public key",
  keyHint: "The agent shows it. Paste all of it.",
  save: "Add agent",
  saving: "Adding…",
  nameMissing: "Give it a name.",
  keyMissing: "Paste the agent's public key.",
  sameName: "An agent with another key has another mark, even under the same name.",
};

/** What stands before a reference. */
export const supportLine = "If you call support, read them this:";

export function referenceLine(reference: string): string {
  return `${supportLine} ${reference}`;
}

/** Which field of the form a refusal is about. */
export function fieldOf(problem: CommandError): "name" | "key" | null {
  if (problem.code === "agent_name_known" || problem.code === "agent_name_unfit") return "name";
  if (problem.code.startsWith("agent_key_")) return "key";
  return null;
}
