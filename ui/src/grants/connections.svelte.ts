import { NOTHING } from "../ipc/client";
import type { AttemptView, CommandError, GrantsView } from "../ipc/generated/contract";
import { Rereader } from "../shared/rereader";
import type { Session } from "../shared/session.svelte";

/** All connections and the attempts that still wait. */
export class Connections {
  view: GrantsView | null = $state.raw(null);
  /** Attempts that have not ended. */
  open: AttemptView[] = $state.raw([]);
  problem: CommandError | null = $state(null);
  readonly #session: Session;
  readonly #reader = new Rereader(() => this.#read());

  constructor(session: Session) {
    this.#session = session;
  }

  read(): Promise<void> {
    return this.#reader.ask();
  }

  async #read(): Promise<void> {
    const [grants, attempts] = await Promise.all([
      this.#session.ask("list_grants", NOTHING),
      this.#session.ask("list_attempts", NOTHING),
    ]);
    this.problem = null;
    if (grants.ok) this.take(grants.answer);
    else this.problem = grants.problem;
    if (attempts.ok) this.open = attempts.answer.filter((attempt) => attempt.ending === null);
    else this.problem = attempts.problem;
  }

  /** Takes an answer in, unless a newer one is known. */
  take(view: GrantsView): void {
    if (this.view && view.revision < this.view.revision) return;
    this.view = view;
  }
}
