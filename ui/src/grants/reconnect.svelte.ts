import type { CommandError, ErrorCode, GrantRow } from "../ipc/generated/contract";
import type { Place } from "../shared/place.svelte";
import type { Session } from "../shared/session.svelte";

/** Refusals that the person can cure by choosing anew. */
const CHOOSE: ErrorCode[] = ["date_out_of_range", "permissions_unfit"];

/** An end nearer than this is not worth asking for again. */
const SOON = 3_600_000;

/** Asks the bank for the same as before. */
export class Reconnect {
  busy = $state(false);
  refusal: CommandError | null = $state(null);
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Begins; where it goes on from there, or null with the refusal. */
  async begin(row: GrantRow, now: number): Promise<Place | null> {
    if (this.busy) return null;
    const choose: Place = { view: "renew", grant: row.id };
    if (row.ends_at < now + SOON) return choose;
    this.busy = true;
    this.refusal = null;
    const outcome = await this.#session.ask("renew_grant", {
      grant: row.id,
      permissions: row.permissions.map((one) => one.id),
      until: row.ends_at,
    });
    this.busy = false;
    if (outcome.ok) return { view: "connect", attempt: outcome.answer.id };
    if (CHOOSE.includes(outcome.problem.code)) return choose;
    this.refusal = outcome.problem;
    return null;
  }
}
