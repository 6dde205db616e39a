import type { CommandError } from "../ipc/generated/contract";
import { advice } from "../text/errors";
import { locked as words } from "../text/lock";
import type { AppGlance } from "./app-state.svelte";

/** Opening the lock. The passphrase is handed through and kept nowhere here. */
export class UnlockForm {
  busy = $state(false);
  /** What is wrong with the passphrase. */
  wrong: string | null = $state(null);
  /** A refusal that is about something else. */
  problem: CommandError | null = $state(null);
  readonly #glance: AppGlance;

  constructor(glance: AppGlance) {
    this.#glance = glance;
  }

  /** Unlocks; null as passphrase where none was chosen. */
  async unlock(passphrase: string | null): Promise<boolean> {
    if (this.busy) return false;
    this.problem = null;
    this.wrong = passphrase === "" ? words.missing : null;
    if (this.wrong) return false;
    this.busy = true;
    const refused = await this.#glance.change("unlock", { passphrase });
    this.busy = false;
    const about = refused?.code === "passphrase_wrong" || refused?.code === "passphrase_unfit";
    if (about) this.wrong = advice("passphrase_wrong").what;
    else this.problem = refused;
    return refused === null;
  }
}
