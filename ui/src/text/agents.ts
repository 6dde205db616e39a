import type {
  AgentPausedView,
  ChoiceView,
  RuleAct,
  RuleAlertView,
  RuleFact,
  RuleKind,
} from "../ipc/generated/contract";
import { date } from "../shared/time";
import { purposeClass } from "./approval";
import { count } from "./sentences";

/** Words about agents: who asks to become one, who is held back, and what was allowed for longer. */

export const enrolment = {
  title: "Asks to be added",
  asks: "A program asks to be added as an agent.",
  compare: "Compare this code with the one that the program shows.",
  differs: "If it shows another code, or none, decline.",
  calls: "The program calls itself:",
  asked: "asked",
  runsOut: "Runs out",
  name: "Name",
  nameHint: "The program's own words. Change them to what you call it.",
  nameMissing: "Give it a name.",
  program: "Program",
  key: "Key",
  can: "It can do nothing until you connect a bank to it.",
  accept: "Codes match, add it",
  adding: "Adding…",
  decline: "Decline",
  declining: "Declining…",
  declined: "Declined. Nothing was added.",
  added: (name: string) => `${name} was added.`,
  same: (name: string) => `You have an agent called ${name} already.`,
  sameMeans: "This one has another key, so it is another program.",
  old: "The one you have",
  fresh: "The one that asks",
  keepBoth: "Keep both, under different names",
  replace: (name: string) => `It takes the place of ${name}`,
  replaceMeans: (name: string) => `${name} as you have it is removed. Its connections are revoked.`,
};

export const agentCard = {
  connections: "What it can reach",
  nothing: "Nothing. No bank is connected to it.",
  lastSeen: "last seen",
  neverSeen: "not seen yet",
  pause: "Pause",
  pauseOf: (agent: string) => `Pause ${agent}`,
  resume: "Resume",
  resumeOf: (agent: string) => `Resume ${agent}`,
  remove: "Remove",
  removeOf: (agent: string) => `Remove ${agent}`,
  paused: "Paused",
  since: "Since",
  activity: "What it did",
  activityOf: (agent: string) => `What it did: ${agent}`,
  choices: "Allowed without asking again",
  forget: "Forget",
  forgetOf: (what: string) => `Forget: ${what}`,
  removed: "Removed agents",
  removedAt: "removed",
};

function endings(connections: number): string[] {
  if (connections === 0) return [];
  return connections === 1
    ? ["Its connection ends here, and the bank is told."]
    : [`Its ${count(connections, "connection")} end here, and the banks are told.`];
}

export const remove = {
  title: (agent: string) => `Remove ${agent}`,
  means: (agent: string, connections: number) => [
    `${agent} gets nothing from now on.`,
    ...endings(connections),
    `${agent} may keep what it has already seen.`,
    "To have it back, you add it and connect it again.",
  ],
  confirm: "Remove",
  working: "Removing…",
  keep: "Keep it",
};

/** Why an agent is held back, and what that means. */
export function pausedSentences(agent: string, { why, rule }: AgentPausedView): string[] {
  const held = `${agent} gets nothing until you resume it.`;
  switch (why) {
    case "person":
      return ["You paused it.", held];
    case "not_mine":
      return ["It asked for something you had not asked for.", held];
    case "rule":
      return [rule === null ? "A rule paused it." : `A rule paused it: ${ruleWords[rule].saw}.`, held];
  }
}

/** "see your name and contact details at Sandbox Bank, for Bookkeeping, until 21 February" */
export function choiceWords(choice: ChoiceView, now: number): string {
  const { operation, bank, purpose_class: purpose, until } = choice;
  return `${operation} at ${bank.name}, for ${purposeClass[purpose].toLowerCase()}, until ${date(until, now)}`;
}

export const attentionOf = {
  enrolment: "A program asks to be added as an agent.",
  enrolmentMeans: "It can do nothing yet. Compare its code first.",
  paused: (agent: string) => `${agent} is paused.`,
  alert: (agent: string, rule: RuleKind) => `${agent}: ${ruleWords[rule].saw}.`,
  seen: "Seen",
  look: "Look",
  dismiss: "Put away",
};

/** What a rule did when it noticed something. */
export const ruleDid: Record<RuleAct, (agent: string) => string> = {
  nothing: () => "It was recorded, and no more.",
  notify: (agent) => `${agent} goes on.`,
  pause: (agent) => `${agent} was paused.`,
  stop_all: () => "All agents were stopped.",
};

export const rules = {
  title: "Watch over agents",
  lead: "Countersign counts what agents do. Choose what happens when something is unusual.",
  acts: {
    nothing: { name: "Only record it", means: "You find it under Activity." },
    notify: { name: "Tell me", means: "You get a notice. The agent goes on." },
    pause: { name: "Pause the agent", means: "The agent gets nothing until you resume it." },
    stop_all: { name: "Stop all agents", means: "No agent gets anything until you resume them." },
  } satisfies Record<RuleAct, { name: string; means: string }>,
  then: "Then",
  saved: "Saved.",
  reading: "Reading the rules…",
  unfit: "Choose a whole number from 1 on.",
};

/** Each rule: its name, what is counted, and what it saw when it acts. */
export const ruleWords: Record<RuleKind, { name: string; from: string; unit: string; saw: string }> = {
  too_many_calls: {
    name: "Many calls",
    from: "From how many calls in an hour",
    unit: "calls in an hour",
    saw: "many calls in an hour",
  },
  too_many_refusals: {
    name: "Many refusals",
    from: "From how many refusals in an hour",
    unit: "refusals in an hour",
    saw: "many refusals in an hour",
  },
  unknown_operation: {
    name: "Things the bank does not offer",
    from: "From how many in an hour",
    unit: "in an hour",
    saw: "it asked for things the bank does not offer",
  },
  unusual_hours: {
    name: "Unusual hours",
    from: "From how many hours away from its usual times",
    unit: "hours",
    saw: "it came at an unusual hour",
  },
  replays: {
    name: "The same request twice",
    from: "From how many repeats in an hour",
    unit: "in an hour",
    saw: "it sent the same request again",
  },
};

const FACTS: Record<RuleFact["name"], string> = {
  calls: "Calls in an hour",
  hour: "Hour",
  operation: "What it asked for",
  refusals: "Refusals in an hour",
  replays: "Repeated requests",
  threshold: "Your limit",
  usual: "Usual for it",
};

/** "Calls in an hour: 412." for each. */
export function factSentences(alert: Pick<RuleAlertView, "facts">): string[] {
  return alert.facts.map(({ name, value }) => `${FACTS[name]}: ${value}.`);
}
