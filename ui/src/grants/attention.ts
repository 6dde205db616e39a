import type { AttemptView, DamagedRecord, GrantRow, GrantsView } from "../ipc/generated/contract";
import { DAY } from "../shared/time";

/** What stands in *Needs attention*, most pressing first. */
export type Attention =
  | { kind: "open_attempt"; id: string; attempt: AttemptView }
  | { kind: "bank_untold"; id: string; row: GrantRow }
  | { kind: "damaged"; id: string; record: DamagedRecord }
  | { kind: "extra"; id: string; row: GrantRow }
  | { kind: "ends_soon"; id: string; row: GrantRow };

/** Where the person must act at the bank, it stays here this long. */
const REMIND = 7 * DAY;

function untold(row: GrantRow, now: number): boolean {
  if (row.state.kind !== "revoked") return false;
  const { bank, cut_off_at, valid_until } = row.state.facts;
  if (bank.kind === "not_yet") return true;
  if (bank.kind !== "not_offered") return false;
  return now < Math.max(valid_until ?? 0, cut_off_at + REMIND);
}

/** Gathers what needs attention; the keychain and the catalogue have notices of their own. */
export function gather(grants: GrantsView, open: AttemptView[], now: number): Attention[] {
  const rows = [...grants.current, ...grants.history];
  return [
    ...open.map((attempt) => ({ kind: "open_attempt" as const, id: `attempt-${attempt.id}`, attempt })),
    ...rows
      .filter((row) => untold(row, now))
      .map((row) => ({ kind: "bank_untold" as const, id: `untold-${row.id}`, row })),
    ...grants.damaged.map((record, i) => ({ kind: "damaged" as const, id: `damaged-${i}`, record })),
    ...grants.current
      .filter((row) => row.has_extra && row.state.kind === "active")
      .map((row) => ({ kind: "extra" as const, id: `extra-${row.id}`, row })),
    ...grants.current
      .filter((row) => row.state.kind === "active" && row.state.ends_soon)
      .map((row) => ({ kind: "ends_soon" as const, id: `soon-${row.id}`, row })),
  ];
}
