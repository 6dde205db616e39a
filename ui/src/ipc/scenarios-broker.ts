import { agent, bankMark, BANKS, DAY, grant } from "./fake-data";
import type {
  ActivityEntry,
  ActivityKind,
  ActivityOutcome,
  ActivityVerdict,
  ActivityWhat,
  AgentMark,
  AgentPausedView,
  DayCount,
  EnrolmentView,
  RuleAlertView,
  RuleKind,
} from "./generated/contract";
import { MINUTE, one, type Scenario } from "./scenarios-base";

/** Worlds in which agents do something. */

const BUDDY: AgentMark = {
  id: "budget-buddy",
  name: "Budget Buddy",
  thumbprint: "budget-buddy-thumbprint-Zr8kQ1xW0bT",
};

export function enrolment(now: number, changes: Partial<EnrolmentView> = {}): EnrolmentView {
  return {
    id: "018bcfe5-6800-7000-8000-00000000000e",
    code: "H7KM-2QXP",
    thumbprint: "another-thumbprint-3mV9pL0sYc",
    suggested_name: "Ledgerly",
    program: "/usr/bin/ledgerly",
    at: now - MINUTE,
    runs_out_at: now + 4 * MINUTE,
    same_name_as: null,
    ...changes,
  };
}

type Row = [ActivityKind, ActivityOutcome, ActivityWhat, string?];

/** Every kind of record there is, for whoever wants to see each. */
export const EVERY_WHAT: Row[] = [
  [
    "access",
    "done",
    { kind: "access_given", operations: ["see your transactions"], accounts: 2, uses: 10, until: 0 },
    "Sum up what was spent on food in January",
  ],
  ["calls", "done", { kind: "called", operation: "see your transactions", status: 200 }],
  ["calls", "failed", { kind: "called", operation: "see your balances", status: null }],
  ["calls", "refused", { kind: "called", operation: "see your balances", status: 403 }],
  ["access", "done", { kind: "access_returned" }],
  ["refusals", "refused", { kind: "access_refused", why: "not_allowed" }, "See who you have saved to pay"],
  ["refusals", "refused", { kind: "call_refused", operation: "see your payees", why: "not_this_access" }],
  ["refusals", "refused", { kind: "call_refused", operation: null, why: "replay" }],
  [
    "approvals",
    "waiting",
    { kind: "approval_asked", operations: ["see your name and contact details"] },
    "Fill in your name on the rent letter",
  ],
  ["approvals", "done", { kind: "approved", days: null }],
  ["approvals", "done", { kind: "approved", days: 30 }],
  ["approvals", "refused", { kind: "denied", by: "person" }],
  ["approvals", "refused", { kind: "denied", by: "not_mine" }],
  ["approvals", "refused", { kind: "denied", by: "time_out" }],
  ["approvals", "refused", { kind: "denied", by: "withdrawn" }],
  ["approvals", "refused", { kind: "denied", by: "stopped" }],
  ["security", "done", { kind: "choice_forgotten", operation: "see your name and contact details" }],
  ["connections", "done", { kind: "connect_asked" }, "To keep your budget up to date"],
  ["connections", "done", { kind: "attempt_started" }],
  ["connections", "failed", { kind: "attempt_ended", ending: { kind: "timed_out" } }],
  [
    "connections",
    "done",
    { kind: "connected", permissions: ["balances", "transactions"], accounts: 2, renewed: false },
  ],
  ["connections", "done", { kind: "refreshed" }],
  ["connections", "failed", { kind: "refresh_unanswered" }],
  ["connections", "failed", { kind: "reconnect_needed", why: "ended_at_bank" }],
  ["connections", "done", { kind: "paused" }],
  ["connections", "done", { kind: "resumed" }],
  ["connections", "done", { kind: "narrowed" }],
  ["connections", "done", { kind: "widened" }],
  ["connections", "done", { kind: "reminded" }],
  ["connections", "done", { kind: "replaced" }],
  ["connections", "done", { kind: "revoked" }],
  ["connections", "done", { kind: "bank_confirmed" }],
  ["connections", "done", { kind: "given_up" }],
  ["connections", "done", { kind: "ended" }],
  ["connections", "done", { kind: "forgotten" }],
  ["connections", "done", { kind: "late_tokens" }],
  ["connections", "failed", { kind: "not_kept" }],
  ["security", "refused", { kind: "interference", strays: 3 }],
  ["security", "done", { kind: "agent_added" }],
  ["security", "done", { kind: "agent_enrolled", replaces: false }],
  ["security", "done", { kind: "agent_enrolled", replaces: true }],
  ["security", "refused", { kind: "agent_declined", by_person: true }],
  ["security", "refused", { kind: "agent_declined", by_person: false }],
  ["security", "done", { kind: "agent_paused", why: "person" }],
  ["security", "done", { kind: "agent_paused", why: "not_mine" }],
  ["security", "done", { kind: "agent_paused", why: "rule" }],
  ["security", "done", { kind: "agent_resumed" }],
  ["security", "done", { kind: "agent_removed" }],
  ["security", "done", { kind: "agents_stopped" }],
  ["security", "done", { kind: "agents_resumed" }],
  ["security", "done", { kind: "rule_triggered", rule: "too_many_refusals", act: "pause" }],
  ["security", "done", { kind: "rule_changed", rule: "unusual_hours", act: "notify" }],
  ["security", "done", { kind: "key_made" }],
  ["security", "done", { kind: "key_replaced", protection: "passphrase" }],
  ["security", "done", { kind: "restored" }],
  ["security", "done", { kind: "vault_locked", by: "screen" }],
  ["security", "done", { kind: "vault_opened" }],
  ["security", "done", { kind: "other", name: "lent_out" }],
];

const OF_AN_AGENT =
  /^(access|call|approv|denied|choice|agent_(?!declined)|attempt|connect|refresh|reconnect|paused|resumed|narrowed|widened|reminded|replaced|revoked|ended|forgotten|given_up|bank_confirmed|late|not_kept|rule_triggered)/;

function entries(now: number, rows: Row[], step = 40 * MINUTE): ActivityEntry[] {
  return rows.map(([kind, outcome, what, quoted], i) => {
    const at = now - (i + 1) * step;
    const told = what.kind === "access_given" ? { ...what, until: at + 5 * MINUTE } : what;
    const has = OF_AN_AGENT.test(what.kind);
    return {
      seq: rows.length - i,
      at,
      kind,
      agent: has ? BUDDY : null,
      bank: has && kind !== "security" ? bankMark() : null,
      grant: has && kind !== "security" ? "one" : null,
      what: told,
      quoted: quoted ?? null,
      outcome,
    };
  });
}

function days(now: number): DayCount[] {
  return Array.from({ length: 30 }, (_, i) => ({
    day: now - (29 - i) * DAY,
    calls: i < 18 ? 0 : ([4, 0, 12, 7, 0, 0, 3, 18, 1, 9, 0, 12][i - 18] ?? 0),
    refused: i === 25 ? 5 : 0,
  }));
}

/** One agent that is at work. */
function busy(fake: Parameters<Scenario>[0], now: number): void {
  one(fake, now);
  fake.agents = [{ ...agent("budget-buddy", "Budget Buddy", now, 1), last_seen: now - 42 * MINUTE }];
  fake.grants = [grant("one", now, { view: { days: days(now) } })];
  fake.activity = entries(now, EVERY_WHAT);
}

function paused(paused: AgentPausedView["why"], rule: RuleKind | null = null, page = true): Scenario {
  return (fake, now) => {
    busy(fake, now);
    fake.agents = fake.agents.map((agent) => ({
      ...agent,
      paused: { at: now - 12 * MINUTE, why: paused, rule },
    }));
    return page ? { view: "agents" } : undefined;
  };
}

function alerts(now: number): RuleAlertView[] {
  return [
    {
      id: "41",
      at: now - 20 * MINUTE,
      agent: BUDDY,
      rule: "too_many_calls",
      act: "notify",
      facts: [
        { name: "calls", value: "412" },
        { name: "threshold", value: "300" },
      ],
    },
    {
      id: "42",
      at: now - 10 * MINUTE,
      agent: BUDDY,
      rule: "unusual_hours",
      act: "notify",
      facts: [
        { name: "hour", value: "03" },
        { name: "usual", value: "08 to 21" },
      ],
    },
  ];
}

function checked(verdict: Partial<ActivityVerdict>): Scenario {
  return (fake, now) => {
    busy(fake, now);
    fake.verdict = verdict;
    return { view: "activity" };
  };
}

export const BROKER: Record<string, Scenario> = {
  enrolment: (fake, now) => {
    busy(fake, now);
    fake.enrolments = [enrolment(now)];
    return { view: "agents" };
  },
  "enrolment-same-name": (fake, now) => {
    busy(fake, now);
    fake.enrolments = [enrolment(now, { suggested_name: "Budget Buddy", same_name_as: BUDDY })];
    return { view: "agents" };
  },
  "enrolment-hostile": (fake, now) => {
    busy(fake, now);
    fake.enrolments = [
      enrolment(now, {
        suggested_name: "\u202eyddu\u202c Budget <b>Buddy</b>",
        program: "/tmp/\u202egnp.sh",
      }),
    ];
    return { view: "agents" };
  },
  "agents-choices": (fake, now) => {
    busy(fake, now);
    const choice = {
      id: "018bcfe5-6800-7000-8000-00000000000c",
      grant: "one",
      bank: bankMark(),
      operation: "see your name and contact details",
      purpose_class: "bookkeeping",
      until: now + 21 * DAY,
    } as const;
    fake.agents = [
      ...fake.agents.map((agent) => ({ ...agent, choices: [choice] })),
      { ...agent("tax-helper", "Tax Helper", now), removed_at: now - 3 * DAY },
    ];
    return { view: "agents" };
  },
  "agent-paused": paused("person"),
  "agent-not-mine": paused("not_mine"),
  "agent-paused-by-rule": paused("rule", "too_many_refusals"),
  "home-agent-paused": paused("rule", "replays", false),
  "home-enrolment": (fake, now) => {
    busy(fake, now);
    fake.enrolments = [enrolment(now)];
    return undefined;
  },
  "home-alerts": (fake, now) => {
    busy(fake, now);
    fake.app.rule_alerts = alerts(now);
    return undefined;
  },
  activity: checked({}),
  "activity-changed": checked({ sound: false, first_bad: 17, anchored: "none" }),
  "activity-behind": checked({ anchored: "behind" }),
  "activity-cut": checked({ anchored: "cut" }),
  "activity-no-anchor": checked({ anchored: "none" }),
  "activity-empty": (fake, now) => {
    one(fake, now);
    return { view: "activity" };
  },
  "activity-many": (fake, now) => {
    busy(fake, now);
    const rows = Array.from({ length: 8 }, () => EVERY_WHAT).flat();
    fake.activity = entries(now, rows).map((entry, i) => ({
      ...entry,
      bank: entry.bank && (BANKS[i % 3] ?? entry.bank),
    }));
    return { view: "activity" };
  },
  "what-it-did": (fake, now) => {
    busy(fake, now);
    return { view: "connection", id: "one" };
  },
  rules: (fake, now) => {
    busy(fake, now);
    return { view: "settings" };
  },
  "asked-by-agent": (fake, now) => {
    busy(fake, now);
    const { row } = grant("one", now);
    fake.app.asked = [
      {
        id: "018bcfe5-6800-7000-8000-00000000000a",
        at: now - MINUTE,
        what: {
          kind: "connect",
          bank: row.bank,
          agent: row.agent,
          permissions: row.permissions,
          until: now + 90 * DAY,
          by_agent: true,
          purpose: "To keep your budget up to date",
        },
      },
    ];
    return undefined;
  },
};
