import type {
  AccountView,
  ApprovalOperation,
  ApprovalView,
  PurposeClassView,
} from "../ipc/generated/contract";
import { count, lastSigns, listed } from "./sentences";

/** The words of the approval window. */

export const approval = {
  reading: "Reading what is asked…",
  amount: "Amount",
  to: "To",
  toAccount: "Their account",
  from: "From",
  anyAccount: "The bank chooses",
  when: "When",
  whenPayment: "Right away",
  runsOut: "Runs out",
  runsOutIn: (left: string) => `in ${left}`,
  runsOutMeans: "Then the answer is no.",
  bank: "Bank",
  accounts: "Accounts",
  noAccounts: "None in particular",
  lasts: "Access",
  lastsFor: (seconds: number, uses: number) => `${span(seconds)}, ${count(uses, "call")} at most`,
  dates: "Dates",
  what: "What",
  reference: "Payment text",
  asFor: "For",
  who: "Who asks",
  program: "Program",
  key: "Key",
  agentSays: "The agent says:",
  passphrase: "Passphrase",
  passphraseMissing: "Type your passphrase to allow a payment.",
  deny: "Deny",
  denying: "Denying…",
  allowOnce: "Allow once",
  allowFor: (days: number) => `Allow for ${days} days`,
  allowing: "Allowing…",
  notMine: "I didn't ask for this",
  inert: "You can allow it in a moment.",
  ready: "Nothing happens until you choose.",
  clickOnce: "That was a double click. Nothing was allowed.",
  held: "The key was held down. Nothing was allowed.",
  waiting: (n: number) => (n === 1 ? "1 more waits." : `${n} more wait.`),
  closes: "This window closes by itself.",
  gone: "Countersign stopped.",
  goneMeans: "Nothing was allowed.",
};

/** How a question ended, as the window says it before it goes. */
export const over = {
  allowed: { title: "Allowed once", means: (agent: string) => `${agent} can do this one thing now.` },
  remembered: {
    title: "Allowed",
    means: (agent: string) => `You can take this back under Agents, at ${agent}.`,
  },
  denied: { title: "Denied", means: () => "Nothing was allowed." },
  not_mine: {
    title: "Denied and paused",
    means: (agent: string) => `Nothing was allowed. ${agent} is paused until you resume it.`,
  },
  timed_out: { title: "Nobody answered", means: () => "Nothing was allowed." },
  withdrawn: { title: "No longer asked", means: () => "The agent went away. Nothing was allowed." },
  none: { title: "Nobody asks", means: () => "There is nothing to answer." },
} satisfies Record<string, { title: string; means: (agent: string) => string }>;

export type Over = keyof typeof over;

export const purposeClass: Record<PurposeClassView, string> = {
  bookkeeping: "Bookkeeping",
  budgeting: "Budgeting",
  lending: "A loan",
  other: "Something else",
  payments: "Payments",
  support: "Customer support",
  taxes: "Taxes",
};

/** "Budget Buddy asks to pay a bill." Many things are counted, and listed below. */
export function asks({ agent, bank, what }: Pick<ApprovalView, "agent" | "bank" | "what">): string {
  if (what.kind === "payment") return `${agent.name} asks to ${what.says}.`;
  const says = what.operations.map((one: ApprovalOperation) => one.says);
  if (says.length > 2) return `${agent.name} asks for ${says.length} things at ${bank.name}.`;
  return `${agent.name} asks to ${listed(says)}.`;
}

/** "“Everyday account”, ends in 4417": the name is the bank's words. */
export function accountName({ name, masked }: AccountView): string {
  return `“${name}”, ends in ${lastSigns(masked)}`;
}

/** "5 minutes", "90 seconds". */
export function span(seconds: number): string {
  return seconds % 60 === 0 ? count(seconds / 60, "minute") : count(seconds, "second");
}

/** "4:12", never below nothing. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** "1,240.50 USD" with every digit that was asked for: a decimal text is never made a number. */
export function money(amount: string, currency: string): string {
  const parts = /^(-?)(\d+)(\.\d+)?$/.exec(amount);
  if (!parts) return `${amount} ${currency}`;
  const [, sign = "", whole = "", rest = ""] = parts;
  return `${sign}${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${rest} ${currency}`;
}

/** "from 2026-01-01 to 2026-01-31" and its halves. */
export function dates(from: string | null, to: string | null): string | null {
  if (from === null && to === null) return null;
  if (from === null) return `up to ${to}`;
  return to === null ? `from ${from}` : `from ${from} to ${to}`;
}
