import type { CommandError, GrantView } from "../ipc/generated/contract";
import { Rereader } from "../shared/rereader";
import type { Session } from "../shared/session.svelte";

/** One connection's page. */
export class Connection {
  view: GrantView | null = $state.raw(null);
  problem: CommandError | null = $state(null);
  /** Why the last change was refused; reading again does not clear it. */
  refusal: CommandError | null = $state(null);
  /** A request that changes it is on its way. */
  busy = $state(false);
  readonly id: string;
  readonly #session: Session;
  readonly #reader = new Rereader(() => this.#read());
  /** Counts changes made here, so that a read begun before one is dropped. */
  #changes = 0;

  constructor(session: Session, id: string) {
    this.#session = session;
    this.id = id;
  }

  read(): Promise<void> {
    return this.#reader.ask();
  }

  async #read(): Promise<void> {
    const begun = this.#changes;
    const outcome = await this.#session.ask("show_grant", { grant: this.id });
    if (begun !== this.#changes || this.busy) return;
    if (outcome.ok) {
      this.view = outcome.answer;
      this.problem = null;
    } else this.problem = outcome.problem;
  }

  /** Ends it, here and at the bank. */
  revoke(): Promise<boolean> {
    return this.#change("revoke_grant");
  }

  /** Gives up telling the bank. */
  stopTelling(): Promise<boolean> {
    return this.#change("stop_telling_bank");
  }

  async #change(command: "revoke_grant" | "stop_telling_bank"): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.refusal = null;
    const outcome = await this.#session.ask(command, { grant: this.id });
    this.busy = false;
    this.#changes += 1;
    if (outcome.ok) {
      this.view = outcome.answer;
      this.problem = null;
    } else this.refusal = outcome.problem;
    // The answer may be older than an event that came meanwhile.
    void this.read();
    return outcome.ok;
  }
}
