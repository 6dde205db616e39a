import type { Fake } from "./fake";
import { refuse } from "./fake-life";
import type {
  ActivityDetails,
  ActivityEntry,
  ActivityFilter,
  ActivityPage,
  ActivityVerdict,
  AgentsView,
  AgentView,
  AnswerEnrolment,
  AppState,
  RuleView,
  SetRule,
} from "./generated/contract";

/** What the fake host does with agents, their activity and the rules that watch over them. */

export const RULES: RuleView[] = [
  { id: "too_many_calls", threshold: 300, act: "notify" },
  { id: "too_many_refusals", threshold: 20, act: "pause" },
  { id: "unknown_operation", threshold: 5, act: "pause" },
  { id: "unusual_hours", threshold: 3, act: "nothing" },
  { id: "replays", threshold: 3, act: "pause" },
];

function agentOf(fake: Fake, id: string): AgentView {
  return fake.agents.find((one) => one.id === id) ?? refuse("agent_unknown");
}

/** Changes an agent. */
export function change(fake: Fake, id: string, changes: Partial<AgentView>): AgentView {
  const next = { ...agentOf(fake, id), ...changes };
  fake.agents = fake.agents.map((one) => (one.id === id ? next : one));
  fake.emit({ type: "agents_changed" });
  return next;
}

export function pause(fake: Fake, id: string): AgentView {
  if (agentOf(fake, id).removed_at !== null) return refuse("agent_removed");
  return change(fake, id, { paused: { at: Date.now(), why: "person", rule: null } });
}

export function resume(fake: Fake, id: string): AgentView {
  if (agentOf(fake, id).removed_at !== null) return refuse("agent_removed");
  return change(fake, id, { paused: null });
}

export function remove(fake: Fake, id: string): AgentView {
  return change(fake, id, { removed_at: Date.now(), connections: 0, paused: null, choices: [] });
}

export function forget(fake: Fake, id: string, choice: string): AgentView {
  const agent = agentOf(fake, id);
  if (!agent.choices.some((one) => one.id === choice)) return refuse("choice_unknown");
  return change(fake, id, { choices: agent.choices.filter((one) => one.id !== choice) });
}

export function answerEnrolment(fake: Fake, answer: AnswerEnrolment): AgentsView {
  const asked = fake.enrolments.find((one) => one.id === answer.id) ?? refuse("enrolment_unknown");
  if (answer.accept) {
    const name = answer.name ?? "";
    if (name.trim() === "") return refuse("agent_name_unfit");
    const same = fake.agents.some(
      (one) => one.name === name && one.removed_at === null && one.id !== answer.replaces,
    );
    if (same) return refuse("agent_name_known");
    if (answer.replaces !== null) remove(fake, answer.replaces);
    fake.agents = [
      ...fake.agents,
      {
        id: `agent-${asked.id}`,
        name,
        thumbprint: asked.thumbprint,
        added_at: Date.now(),
        connections: 0,
        paused: null,
        removed_at: null,
        last_seen: null,
        choices: [],
      },
    ];
  }
  fake.enrolments = fake.enrolments.filter((one) => one.id !== answer.id);
  fake.emit({ type: "agents_changed" });
  return { agents: fake.agents, enrolments: fake.enrolments };
}

function fits(entry: ActivityEntry, filter: ActivityFilter): boolean {
  const text = JSON.stringify(entry).toLowerCase();
  return (
    (filter.agent === null || entry.agent?.id === filter.agent) &&
    (filter.grant === null || entry.grant === filter.grant) &&
    (filter.bank === null || entry.bank?.id === filter.bank) &&
    (filter.kinds.length === 0 || filter.kinds.includes(entry.kind)) &&
    (filter.before === null || entry.seq < filter.before) &&
    (filter.text === null || text.includes(filter.text.toLowerCase()))
  );
}

export function list(fake: Fake, filter: ActivityFilter): ActivityPage {
  const all = fake.activity.filter((entry) => fits(entry, filter)).sort((a, b) => b.seq - a.seq);
  return { entries: all.slice(0, filter.most), more: all.length > filter.most };
}

export function details(fake: Fake, seq: number): ActivityDetails {
  const entry = fake.activity.find((one) => one.seq === seq) ?? refuse("activity_unknown");
  const hash = (of: number) => of.toString(16).padStart(4, "0").repeat(16);
  return { entry, hash: hash(seq), before: hash(seq - 1), body: JSON.stringify(entry.what, null, 2) };
}

export function verdict(fake: Fake): ActivityVerdict {
  const records = fake.activity.length;
  const sound = {
    records,
    sound: true,
    first_bad: null,
    anchored: "agrees",
    checked_at: Date.now(),
  } as const;
  return { ...sound, ...fake.verdict };
}

export function setRule(fake: Fake, rule: SetRule): RuleView[] {
  if (rule.threshold === 0) return refuse("request_malformed");
  fake.rules = fake.rules.map((one) => (one.id === rule.id ? { ...rule } : one));
  return fake.rules;
}

export function dismiss(fake: Fake, alert: string): AppState {
  if (!fake.app.rule_alerts.some((one) => one.id === alert)) return refuse("alert_unknown");
  return fake.setApp({ rule_alerts: fake.app.rule_alerts.filter((one) => one.id !== alert) });
}
