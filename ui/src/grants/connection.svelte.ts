import type { CommandError, GrantView, NarrowGrant } from "../ipc/generated/contract";
import { Rereader } from "../shared/rereader";
import type { Outcome, Session } from "../shared/session.svelte";

/** Commands that change a connection and need no more than its id. */
type GrantCommand =
  | "check_grant"
  | "pause_grant"
  | "resume_grant"
  | "revoke_grant"
  | "stop_reminding"
  | "stop_telling_bank"
  | "widen_grant";

/** One connection's page. */
export class Connection {
  view: GrantView | null = $state.raw(null);
  problem: CommandError | null = $state(null);
  /** Why the last change was refused; reading again does not clear it. */
  refusal: CommandError | null = $state(null);
  /** A request that changes it is on its way. */
  busy = $state(false);
  /** The bank is being asked. */
  checking = $state(false);
  /** What came of asking the bank just now. */
  checked: "confirmed" | "not" | null = $state(null);
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

  /** Holds it back; the bank is not told. */
  pause(): Promise<boolean> {
    return this.#change("pause_grant");
  }

  /** Lets it go on. */
  resume(): Promise<boolean> {
    return this.#change("resume_grant");
  }

  /** Gives back what was taken here. */
  widen(): Promise<boolean> {
    return this.#change("widen_grant");
  }

  stopReminding(): Promise<boolean> {
    return this.#change("stop_reminding");
  }

  /** Takes something back, here and at once. */
  narrow(left: Omit<NarrowGrant, "grant">): Promise<boolean> {
    return this.#take(() => this.#session.ask("narrow_grant", { grant: this.id, ...left }));
  }

  /** Asks the bank whether it works; what came of that stands in `checked`. */
  async check(): Promise<void> {
    this.checked = null;
    const before = this.view?.row.confirmed_at ?? 0;
    this.checking = true;
    const done = await this.#change("check_grant");
    this.checking = false;
    if (done) this.checked = (this.view?.row.confirmed_at ?? 0) > before ? "confirmed" : "not";
  }

  #change(command: GrantCommand): Promise<boolean> {
    return this.#take(() => this.#session.ask(command, { grant: this.id }));
  }

  async #take(ask: () => Promise<Outcome<GrantView>>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.refusal = null;
    const outcome = await ask();
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
