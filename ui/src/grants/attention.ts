import type {
  AgentView,
  AttemptView,
  DamagedRecord,
  EnrolmentView,
  GrantRow,
  GrantsView,
  RuleAlertView,
} from "../ipc/generated/contract";
import { DAY } from "../shared/time";
import type { Held } from "../text/standing";
import { endsSoon } from "./standing";

/** What stands in *Needs attention*, most pressing first. */
export type Attention =
  | { kind: "enrolment"; id: string; asked: EnrolmentView }
  | { kind: "agent_paused"; id: string; agent: AgentView }
  | { kind: "alert"; id: string; alert: RuleAlertView }
  | { kind: "open_attempt"; id: string; attempt: AttemptView }
  | { kind: "reconnect"; id: string; row: GrantRow }
  | { kind: "bank_untold"; id: string; row: GrantRow }
  | { kind: "damaged"; id: string; record: DamagedRecord }
  | { kind: "extra"; id: string; row: GrantRow }
  | { kind: "ends_soon"; id: string; row: GrantRow }
  | { kind: "trouble"; id: string; row: GrantRow; agents: string[] };

/** Where the person must act at the bank, it stays here this long. */
const REMIND = 7 * DAY;

function untold(row: GrantRow, now: number): boolean {
  if (row.state.kind !== "revoked" && row.state.kind !== "ended") return false;
  if (!row.state.facts) return false;
  const { bank, cut_off_at, valid_until } = row.state.facts;
  if (bank.kind === "not_yet") return true;
  if (bank.kind !== "not_offered") return false;
  return now < Math.max(valid_until ?? 0, cut_off_at + REMIND);
}

/** A bank's trouble is said once, with the oldest knowledge; not where the whole app says why. */
function troubles(rows: GrantRow[], held: Held): Attention[] {
  const found = new Map<string, Extract<Attention, { kind: "trouble" }>>();
  for (const row of rows) {
    const what = row.trouble?.what;
    if (!what || row.state.kind === "reconnect") continue;
    if ((what === "locked" || what === "keychain") && held !== null) continue;
    const key = `${row.bank.id} ${what}`;
    const known = found.get(key);
    const agents = [...(known?.agents ?? []), row.agent.name];
    const oldest = known && known.row.confirmed_at <= row.confirmed_at ? known.row : row;
    found.set(key, { kind: "trouble", id: `trouble-${oldest.id}`, row: oldest, agents });
  }
  return [...found.values()];
}

/** What agents have to do with it. */
export type OfAgents = { agents: AgentView[]; enrolments: EnrolmentView[]; alerts: RuleAlertView[] };

const NOBODY: OfAgents = { agents: [], enrolments: [], alerts: [] };

/** Whom the person paused is where they wanted it; whom a rule or a surprise paused waits for them. */
function ofAgents({ agents, enrolments, alerts }: OfAgents): Attention[] {
  return [
    ...enrolments.map((asked) => ({ kind: "enrolment" as const, id: `enrolment-${asked.id}`, asked })),
    ...agents
      .filter(({ paused, removed_at }) => removed_at === null && paused !== null && paused.why !== "person")
      .map((agent) => ({ kind: "agent_paused" as const, id: `agent-${agent.id}`, agent })),
    ...alerts.map((alert) => ({ kind: "alert" as const, id: `alert-${alert.id}`, alert })),
  ];
}

/** Gathers what needs attention; what concerns the whole app has notices of its own. */
export function gather(
  grants: GrantsView,
  open: AttemptView[],
  now: number,
  held: Held = null,
  agents: OfAgents = NOBODY,
): Attention[] {
  const rows = [...grants.current, ...grants.history];
  return [
    ...ofAgents(agents),
    ...open.map((attempt) => ({ kind: "open_attempt" as const, id: `attempt-${attempt.id}`, attempt })),
    ...grants.current
      .filter((row) => row.state.kind === "reconnect")
      .map((row) => ({ kind: "reconnect" as const, id: `reconnect-${row.id}`, row })),
    ...rows
      .filter((row) => untold(row, now))
      .map((row) => ({ kind: "bank_untold" as const, id: `untold-${row.id}`, row })),
    ...grants.damaged.map((record, i) => ({ kind: "damaged" as const, id: `damaged-${i}`, record })),
    ...grants.current
      .filter((row) => row.has_extra && row.state.kind === "active")
      .map((row) => ({ kind: "extra" as const, id: `extra-${row.id}`, row })),
    ...grants.current
      .filter((row) => endsSoon(row.state) && !row.no_reminders)
      .map((row) => ({ kind: "ends_soon" as const, id: `soon-${row.id}`, row })),
    ...troubles(grants.current, held),
  ];
}
