import { NOTHING } from "../ipc/client";
import type { AppState, CommandError, Commands, ErrorCode, KeychainState } from "../ipc/generated/contract";
import { Rereader } from "../shared/rereader";
import type { Session } from "../shared/session.svelte";
import type { Held } from "../text/standing";

/** Codes that no command gets around. */
export function neverOpens(code: ErrorCode): boolean {
  return code === "data_folder_unfit" || code === "store_damaged" || code === "store_newer";
}

/** Commands that change the app as a whole and answer with how it is then. */
export type AppCommand =
  | "answer_asked"
  | "change_protection"
  | "dismiss_alert"
  | "lock"
  | "resume_agents"
  | "set_lock_settings"
  | "stop_agents"
  | "unlock";

/** The whole app in a glance: keychain, catalogue, and whether the person asked to quit. */
export class AppGlance {
  state: AppState | null = $state(null);
  problem: CommandError | null = $state(null);
  /** The host could not open its data: nothing can be shown or done. */
  unopened: CommandError | null = $state(null);
  /** The keychain is being asked. */
  working = $state(false);
  /** After a start again: waiting for the new window. */
  starting = $state(false);
  /** The quit question is being answered. */
  leaving: "keep" | "quit" | null = $state(null);
  readonly #session: Session;
  /** Counts answers to what was done here, so that a read begun before one is dropped. */
  #changes = 0;
  readonly #reader = new Rereader(() => this.#read());

  constructor(session: Session) {
    this.#session = session;
  }

  /** The keychain's trouble, if it has any; under a passphrase alone no keychain is used. */
  get keychainTrouble(): Exclude<KeychainState, "ready"> | null {
    if (this.state?.protection === "passphrase") return null;
    const keychain = this.state?.keychain ?? "ready";
    return keychain === "ready" ? null : keychain;
  }

  /** What holds every agent back at once, the gravest first. */
  get held(): Held {
    if (this.state?.stopped) return "stopped";
    if (this.locked) return "locked";
    return this.keychainTrouble === "locked" || this.keychainTrouble === "blocked" ? "keychain" : null;
  }

  get locked(): boolean {
    return this.state?.lock.kind === "locked";
  }

  /** How many things about the whole app stand in *Needs attention*, beside the keychain. */
  get warnings(): number {
    return (this.state?.restored_at ? 1 : 0) + (this.state?.clock_ahead ? 1 : 0);
  }

  /** The quit question is to be put. */
  get askQuit(): boolean {
    return this.state?.quit_asked === true;
  }

  read(): Promise<void> {
    return this.#reader.ask();
  }

  async #read(): Promise<void> {
    const begun = this.#changes;
    const outcome = await this.#session.ask("app_state", NOTHING);
    if (begun !== this.#changes) return;
    if (outcome.ok) return this.#take(outcome.answer);
    this.problem = outcome.problem;
    const { code } = outcome.problem;
    // What refuses even this from the start refuses everything.
    if (code !== "host_gone" && (this.state === null || neverOpens(code))) this.unopened = outcome.problem;
  }

  #take(state: AppState): void {
    this.state = state;
    this.problem = null;
    this.unopened = null;
  }

  /** Changes something of the whole; comes back with why not, if so. */
  async change<K extends AppCommand>(
    command: K,
    request: Commands[K]["request"],
  ): Promise<CommandError | null> {
    const outcome = await this.#session.ask(command, request);
    this.#changes += 1;
    if (outcome.ok) this.#take(outcome.answer);
    // The answer may be older than an event that came meanwhile.
    void this.read();
    return outcome.ok ? null : outcome.problem;
  }

  /** Asks the keychain again: unlocking it, or only looking. */
  async ask(what: "unlock" | "check"): Promise<void> {
    if (this.working) return;
    this.working = true;
    const outcome = await this.#session.ask(
      what === "unlock" ? "unlock_keychain" : "check_keychain",
      NOTHING,
    );
    this.working = false;
    this.#changes += 1;
    if (outcome.ok) this.#take(outcome.answer);
    else this.problem = outcome.problem;
  }

  /** The person does not want to quit after all. */
  async keepRunning(): Promise<void> {
    if (this.leaving) return;
    this.leaving = "keep";
    const outcome = await this.#session.ask("keep_running", NOTHING);
    this.leaving = null;
    this.#changes += 1;
    if (outcome.ok) this.#take(outcome.answer);
    else this.problem = outcome.problem;
  }

  async quit(): Promise<void> {
    if (this.leaving) return;
    this.leaving = "quit";
    const outcome = await this.#session.ask("quit", NOTHING);
    if (outcome.ok) return;
    this.leaving = null;
    this.problem = outcome.problem;
  }

  /** Starts the host anew; where it answers this window, the window goes on. */
  async startAgain(): Promise<void> {
    if (this.starting) return;
    this.starting = true;
    const outcome = await this.#session.ask("start_again", NOTHING);
    if (!outcome.ok) {
      this.starting = false;
      this.problem = outcome.problem;
      return;
    }
    const back = await this.#session.ask("app_state", NOTHING);
    if (back.ok) {
      this.#take(back.answer);
      this.starting = false;
      this.#session.gone = false;
      return;
    }
    setTimeout(() => {
      this.starting = false;
    }, 15_000);
  }
}
