import type {
  AccessRefusedWhy,
  ActivityEntry,
  ActivityKind,
  ActivityVerdict,
  ActivityWhat,
  DayCount,
  DeniedBy,
} from "../ipc/generated/contract";
import { clock, day } from "../shared/time";
import { ruleDid, ruleWords } from "./agents";
import { historySentences } from "./en";
import { endingWords } from "./endings";
import { count, listed } from "./sentences";

/** Words of the Activity page: one sentence for each record. */

export const activity = {
  title: "Activity",
  lead: "Everything agents asked for, and everything you decided.",
  reading: "Reading what happened…",
  none: "Nothing has happened yet.",
  noneFits: "Nothing fits what you chose.",
  filters: "Show",
  agent: "Agent",
  everyAgent: "Every agent",
  bank: "Bank",
  everyBank: "Every bank",
  kind: "What",
  everyKind: "Everything",
  search: "Search activity",
  clear: "Show everything",
  connection: "One connection only.",
  more: "Show older",
  loading: "Reading…",
  fresh: "Something new happened. Show it",
  details: "Details",
  detailsOf: (said: string) => `Details: ${said}`,
  export: "Save as a file",
  saving: "Saving…",
  saved: "Saved:",
  check: "Check that nothing was changed",
  checking: "Checking…",
  agentSays: "The agent says:",
  close: "Close",
};

export const kinds: Record<ActivityKind, string> = {
  access: "Access",
  approvals: "Questions",
  calls: "Calls to banks",
  connections: "Connections",
  refusals: "Refusals",
  security: "Security",
};

/** What stands in the dialog of one record. */
export const details = {
  title: (seq: number) => `Record ${seq}`,
  when: "When",
  agent: "Agent",
  bank: "Bank",
  said: "What happened",
  body: "As it is stored",
  hash: "Its seal",
  before: "Seal of the record before",
  means: "Each seal covers the record and the seal before it. A change anywhere shows.",
};

const WHY: Record<AccessRefusedWhy, string> = {
  agent_paused: "it is paused",
  agents_stopped: "all agents are stopped",
  bad_task: "its request does not hold",
  bank_failed: "the bank did not answer as it should",
  connection_not_usable: "the connection can't be used now",
  locked: "Countersign is locked",
  not_allowed: "you did not allow that",
  not_this_access: "its access was for something else, or over",
  person: "you said no, or nothing",
  replay: "it sent the same request again",
  too_many: "it asked too often",
  unknown_connection: "it has no such connection",
};

const DENIED: Record<DeniedBy, (agent: string) => string> = {
  not_mine: (agent) => `You had not asked for this. ${agent} was paused.`,
  person: (agent) => `You said no to ${agent}.`,
  stopped: (agent) => `All agents were stopped. ${agent} got nothing.`,
  time_out: (agent) => `Nobody answered ${agent}. Nothing was allowed.`,
  withdrawn: (agent) => `${agent} no longer asked. Nothing was allowed.`,
};

/** What happened, in one or two sentences. */
export function entrySentence(entry: ActivityEntry, now: number): string {
  const agent = entry.agent?.name ?? "An agent";
  const bank = entry.bank?.name ?? "the bank";
  const sentence = said(entry.what, agent, bank, now);
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

function said(what: ActivityWhat, agent: string, bank: string, now: number): string {
  const at = { agent, bank };
  switch (what.kind) {
    case "access_given":
      return `${agent} got access to ${things(what.operations)} at ${bank}, ${count(what.uses, "call")} at most, until ${clock(what.until)}.`;
    case "access_refused":
      return `${agent} asked and was refused: ${WHY[what.why]}.`;
    case "access_returned":
      return `${agent} gave its access at ${bank} back.`;
    case "agent_added":
      return `You added ${agent}.`;
    case "agent_declined":
      return what.by_person
        ? "You declined a program that asked to be added."
        : "A program asked to be added. Nobody answered.";
    case "agent_enrolled":
      return what.replaces
        ? `You added ${agent} after comparing its code. It took another's place.`
        : `You added ${agent} after comparing its code.`;
    case "agent_paused":
      return {
        person: `You paused ${agent}.`,
        not_mine: `${agent} was paused: you had not asked for that.`,
        rule: `A rule paused ${agent}.`,
      }[what.why];
    case "agent_removed":
      return `You removed ${agent}.`;
    case "agent_resumed":
      return `You resumed ${agent}.`;
    case "agents_resumed":
      return "You resumed all agents.";
    case "agents_stopped":
      return "All agents were stopped.";
    case "approval_asked":
      return what.operations.length > 2
        ? `${agent} asked you for ${things(what.operations)} at ${bank}.`
        : `${agent} asked whether it may ${things(what.operations)} at ${bank}.`;
    case "approved":
      return what.days === null
        ? `You allowed ${agent} this once.`
        : `You allowed ${agent} this for ${count(what.days, "day")}.`;
    case "attempt_ended":
      return `Connecting ${agent} to ${bank} ended: ${endingWords(what.ending, at).title}.`;
    case "attempt_started":
      return `You began to connect ${agent} to ${bank}.`;
    case "bank_confirmed":
      return historySentences.bank_confirmed(at);
    case "call_refused":
      return what.operation === null
        ? `A call of ${agent} was refused: ${WHY[what.why]}.`
        : `${agent} wanted to ${what.operation}, and was refused: ${WHY[what.why]}.`;
    case "called":
      return `${agent} asked ${bank} to ${what.operation}. ${answered(bank, what.status)}`;
    case "choice_forgotten":
      return `You had ${agent} ask again before it may ${what.operation}.`;
    case "connect_asked":
      return `${agent} asked you to connect ${bank}.`;
    case "connected":
      return `You connected ${agent} to ${bank}: ${listed(what.permissions)} of ${count(what.accounts, "account")}.`;
    case "denied":
      return DENIED[what.by](agent);
    case "ended":
      return historySentences.ended(at);
    case "forgotten":
      return historySentences.forgotten(at);
    case "given_up":
      return historySentences.given_up(at);
    case "interference":
      return `${count(what.strays, "false answer")} came while ${bank} was waited for. None was taken.`;
    case "key_made":
      return "Your key was made and put into the keychain.";
    case "key_replaced":
      return "You changed how your key is kept.";
    case "late_tokens":
      return historySentences.late_tokens(at);
    case "narrowed":
      return historySentences.narrowed(at);
    case "not_kept":
      return historySentences.not_kept(at);
    case "other":
      return `Another version of Countersign recorded this: ${what.name}.`;
    case "paused":
      return `You paused ${agent} at ${bank}.`;
    case "reconnect_needed":
      return `${agent} at ${bank} stopped working.`;
    case "refresh_unanswered":
      return historySentences.refresh_unanswered(at);
    case "refreshed":
      return `${bank} confirmed that ${agent}'s connection works.`;
    case "reminded":
      return `You were reminded that ${agent} at ${bank} ends soon.`;
    case "replaced":
      return `A new connection of ${agent} to ${bank} took this one's place.`;
    case "restored":
      return "Countersign's data was put back from an older copy.";
    case "resumed":
      return `You resumed ${agent} at ${bank}.`;
    case "revoked":
      return `${agent} at ${bank} was revoked. It was cut off here.`;
    case "rule_changed":
      return `You changed a rule: ${ruleWords[what.rule].name.toLowerCase()}.`;
    case "rule_triggered":
      return `A rule noticed ${agent}: ${ruleWords[what.rule].saw}. ${ruleDid[what.act](agent)}`;
    case "vault_locked":
      return {
        idle: "Countersign locked itself: nobody used the computer.",
        person: "You locked Countersign.",
        screen: "Countersign locked itself with the screen.",
        start: "Countersign started, and is locked.",
      }[what.by];
    case "vault_opened":
      return "You unlocked Countersign.";
    case "widened":
      return historySentences.widened(at);
  }
  // A record of a newer host than this window.
  return `Something happened that this window does not know. It was recorded ${day(now, now)}.`;
}

function answered(bank: string, status: number | null): string {
  if (status === null) return `${bank} did not answer.`;
  if (status < 400) return `${bank} answered.`;
  return `${bank} refused (${status}).`;
}

/** What was given or asked for; many things are counted. */
function things(operations: string[]): string {
  if (operations.length === 0) return "nothing";
  return operations.length > 2 ? count(operations.length, "thing") : listed(operations);
}

/** What a check of the log found, and what that means. */
export function verdictSentences(verdict: ActivityVerdict): {
  tone: "good" | "warning" | "stop";
  title: string;
  means: string[];
} {
  const records = count(verdict.records, "record");
  if (!verdict.sound) {
    return {
      tone: "stop",
      title:
        verdict.first_bad === null ? "Something was changed." : `Record ${verdict.first_bad} was changed.`,
      means: [
        "What stands from there on can't be trusted.",
        "Keep a copy of the data folder, and call support.",
      ],
    };
  }
  switch (verdict.anchored) {
    case "agrees":
      return {
        tone: "good",
        title: "Nothing was changed.",
        means: [`All ${records} fit, and your keychain knows the last one.`],
      };
    case "behind":
      return {
        tone: "good",
        title: "Nothing was changed.",
        means: [
          `All ${records} fit.`,
          "Your keychain does not know the newest ones yet. It learns of them in a moment.",
        ],
      };
    case "cut":
      return {
        tone: "stop",
        title: "Records are missing at the end.",
        means: [
          "Your keychain knows a record that is not here.",
          "The data was put back from an older copy, or cut.",
        ],
      };
    case "none":
      return {
        tone: "warning",
        title: "Nothing was changed in what is here.",
        means: [`All ${records} fit.`, "Your keychain could not say whether some are missing at the end."],
      };
  }
}

export const did = {
  title: "What it did",
  none: "It has done nothing in the last 30 days.",
  bars: "Calls on each of the last 30 days",
  table: "As a table",
  day: "Day",
  calls: "Calls",
  refused: "Refused",
  all: "Everything it did",
};

/** "41 calls in the last 30 days, 2 refused." */
export function daysSentence(days: DayCount[]): string {
  const calls = days.reduce((sum, one) => sum + one.calls, 0);
  const refused = days.reduce((sum, one) => sum + one.refused, 0);
  if (calls + refused === 0) return did.none;
  return `${count(calls, "call")} in the last 30 days, ${refused === 0 ? "none" : refused} refused.`;
}

/** "12 times this week". */
export function timesThisWeek(n: number): string {
  return n === 1 ? "once this week" : `${n === 0 ? "not" : `${n} times`} this week`;
}
