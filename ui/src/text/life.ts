/** Words of a connection's life: pausing, narrowing, renewing, checking, receipts. */
import type { ReceiptKind } from "../ipc/generated/contract";

export const pause = {
  paused: "You paused this connection.",
  since: "Since",
  means: (agent: string) => `${agent} gets nothing until you resume it. The bank is not told.`,
};

export const reconnect = {
  title: (agent: string, bank: string) => `${agent} at ${bank} needs reconnecting.`,
  button: "Reconnect",
  todo: (bank: string) => `Reconnecting asks for the same as before. You sign in at ${bank} again.`,
};

export const narrow = {
  button: "Narrow",
  title: (agent: string, bank: string) => `Narrow ${agent} at ${bank}`,
  lead: "Untick what it may no longer use, or choose an earlier day.",
  permissions: "It may",
  accounts: "At these accounts",
  until: "Last day",
  becomes: "From now on",
  stops: (agent: string) => `${agent} can't use the rest from then on.`,
  unchanged: "Untick something, or choose an earlier day.",
  noPermission: "Leave at least one thing. To end it all, pause or revoke.",
  noAccount: "Leave at least one account. To end it all, pause or revoke.",
  dateMissing: "Choose a day.",
  dateUnfit: (first: string, last: string) => `Choose a day from ${first} to ${last}.`,
  needed: (what: string) => `Needed for ${what}.`,
  confirm: "Narrow",
  working: "Narrowing…",
  keep: "Leave it as it is",
  done: "You narrowed this connection.",
  bankAllows: (bank: string) => `${bank} still allows more than this. Renew to change it there.`,
};

export const widen = {
  button: "Give back",
  title: (agent: string) => `Give back what you took from ${agent}`,
  lead: "Then this is true again:",
  confirm: "Give back",
  working: "Giving back…",
  keep: "Leave it narrowed",
};

export const renew = {
  button: "Renew",
  heading: "Renew connection",
  mayTitle: "What may it do from now on?",
  stays: "The connection you have stays as it is until the new one is stored.",
  nothing: "If you stop on the way, nothing changes.",
  agent: "Agent",
  go: "Renew at the bank",
  replaced: "It took the place of the connection you had. That one is revoked.",
  bankGone: "This bank is no longer in the list. The connection can't be renewed.",
  seeOld: "See the connection it replaced",
  seeNew: "See the connection that took its place",
  quiet: "Don't remind me again",
  ended: "Its time is over.",
  endedMeans: "You can renew it. You sign in at the bank again.",
  quieted: "You are not reminded of its end.",
  live: "Save the new connection",
};

export const otherAccount = {
  title: "These are not the accounts this connection was for",
  whose: (holder: string) => `You signed in as “${holder}”.`,
  somebody: "You signed in as somebody else, or picked other accounts.",
  stays: (agent: string) => `The connection that ${agent} has stays as it is.`,
  accounts: "The accounts the bank showed now",
  noAccounts: "The bank named no account.",
  choose: "If you do nothing, they are not kept.",
  keep: "Keep as a new connection",
  not: "Don't keep",
};

export const check = {
  button: "Check now",
  working: "Asking the bank…",
  confirmed: (bank: string) => `${bank} has just confirmed that it works.`,
  not: (bank: string) => `${bank} did not confirm it now.`,
};

export const receipts = {
  title: "Receipts",
  none: "There is no receipt yet.",
  kinds: {
    connected: "Connected",
    ended: "Ended",
    narrowed: "Narrowed",
    renewed: "Renewed",
    revoked: "Revoked",
    widened: "Given back",
  } satisfies Record<ReceiptKind, string>,
  show: "Show receipt",
  showOf: (kind: string, when: string) => `Show receipt: ${kind}, ${when}`,
};

export const receipt = {
  back: "Back to the connection",
  heading: "Receipt",
  print: "Print",
  save: "Save a copy",
  saving: "Saving…",
  saved: "Saved to",
  number: "Receipt number",
  what: "What happened",
  when: "When",
  bank: "Bank",
  issuer: "The bank's address",
  agent: "Agent",
  key: "Agent's key",
  holder: "Account holder",
  may: "Allowed",
  nothing: "Nothing.",
  accounts: "Accounts",
  noAccounts: "The bank named no account.",
  until: "Until",
  stands: "How it stands now",
  asOf: "as of",
  data: "The same for programs",
  reading: "Reading the receipt…",
  titles: {
    connected: (agent: string, bank: string) => `You connected ${agent} to ${bank}.`,
    ended: (agent: string, bank: string) => `The time of ${agent} at ${bank} was over.`,
    narrowed: (agent: string, bank: string) => `You narrowed ${agent} at ${bank}.`,
    renewed: (agent: string, bank: string) => `You renewed ${agent} at ${bank}.`,
    revoked: (agent: string, bank: string) => `${agent} at ${bank} was revoked.`,
    widened: (agent: string, bank: string) => `You gave back to ${agent} at ${bank} what you had taken.`,
  } satisfies Record<ReceiptKind, (agent: string, bank: string) => string>,
};
