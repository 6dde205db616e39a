import { NOTHING } from "../ipc/client";
import type { CommandError } from "../ipc/generated/contract";
import type { Session } from "../shared/session.svelte";
import type { AppGlance } from "./app-state.svelte";

/** Stopping every agent, and what can follow. */
export class StopAll {
  /** What is on its way. */
  working: "stop" | "resume" | "revoke" | null = $state(null);
  /** Why the last of them was refused. */
  problem: CommandError | null = $state(null);
  /** The stop was refused: agents may go on. */
  failed = $state(false);
  readonly #session: Session;
  readonly #glance: AppGlance;

  constructor(session: Session, glance: AppGlance) {
    this.#session = session;
    this.#glance = glance;
  }

  /** Acts at once; whatever else is on its way does not hold it up. */
  async stop(): Promise<void> {
    if (this.working === "stop") return;
    this.working = "stop";
    this.problem = await this.#glance.change("stop_agents", NOTHING);
    this.failed = this.problem !== null;
    this.working = null;
  }

  async resume(): Promise<boolean> {
    if (this.working) return false;
    this.working = "resume";
    this.problem = await this.#glance.change("resume_agents", NOTHING);
    this.working = null;
    return this.problem === null;
  }

  async revokeAll(): Promise<boolean> {
    if (this.working) return false;
    this.working = "revoke";
    const outcome = await this.#session.ask("revoke_all", NOTHING);
    this.problem = outcome.ok ? null : outcome.problem;
    this.working = null;
    return outcome.ok;
  }

  /** The person turned away from a question. */
  forget(): void {
    this.problem = null;
    this.failed = false;
  }
}
