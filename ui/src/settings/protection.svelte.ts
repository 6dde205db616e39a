import type { ChangeProtection, CommandError, ProtectionView } from "../ipc/generated/contract";
import { advice } from "../text/errors";
import { changeProtection as words } from "../text/lock";
import type { AppGlance } from "./app-state.svelte";

/** The fewest characters of a passphrase; the host has the last word. */
const SHORTEST = 8;

/** Whether a passphrase opens it. */
export function hasPassphrase(protection: ProtectionView): boolean {
  return protection !== "keychain";
}

/** What is wrong, beside its field. */
export type ProtectionProblems = { how: string | null; current: string | null; fresh: string | null };

const NONE: ProtectionProblems = { how: null, current: null, fresh: null };

/** What was typed: read from the fields for one request, kept nowhere. */
export type Typed = { current: string; fresh: string; again: string };

/** Keeping the key in another way, or under another passphrase. */
export class ProtectionForm {
  chosen: ProtectionView = $state("keychain");
  busy = $state(false);
  wrong: ProtectionProblems = $state(NONE);
  /** A refusal that is about no field. */
  problem: CommandError | null = $state(null);
  readonly now: ProtectionView;
  readonly #glance: AppGlance;

  constructor(glance: AppGlance) {
    this.#glance = glance;
    this.now = glance.state?.protection ?? "keychain";
    this.chosen = this.now;
  }

  /** The passphrase there is has to be known. */
  get needsCurrent(): boolean {
    return hasPassphrase(this.now);
  }

  /** There is to be a new one. */
  get needsFresh(): boolean {
    return hasPassphrase(this.chosen);
  }

  #check({ current, fresh, again }: Typed): ProtectionProblems {
    const same = this.chosen === this.now && !this.needsFresh;
    const short = [...fresh].length < SHORTEST ? words.short : null;
    const differ = fresh === again ? null : words.differ;
    return {
      how: same ? words.unchanged : null,
      current: this.needsCurrent && current === "" ? words.currentMissing : null,
      fresh: this.needsFresh ? (fresh === "" ? words.missing : (short ?? differ)) : null,
    };
  }

  async save(typed: Typed): Promise<boolean> {
    if (this.busy) return false;
    this.problem = null;
    this.wrong = this.#check(typed);
    if (Object.values(this.wrong).some((one) => one !== null)) return false;
    const request: ChangeProtection = {
      protection: this.chosen,
      current: this.needsCurrent ? typed.current : null,
      new: this.needsFresh ? typed.fresh : null,
    };
    this.busy = true;
    const refused = await this.#glance.change("change_protection", request);
    this.busy = false;
    if (refused?.code === "passphrase_wrong") this.wrong = { ...NONE, current: advice(refused.code).what };
    else if (refused?.code === "passphrase_unfit") this.wrong = { ...NONE, fresh: words.short };
    else this.problem = refused;
    return refused === null;
  }
}
