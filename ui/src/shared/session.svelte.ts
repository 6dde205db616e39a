import { asCommandError, type Client, type CommandName } from "../ipc/client";
import type { CommandError, Commands, Event } from "../ipc/generated/contract";

/** What came of a request. */
export type Outcome<T> = { ok: true; answer: T } | { ok: false; problem: CommandError };

/** After this long without an answer the window says so. */
export const PATIENCE = 10_000;

/** The line to the host, and whether the host is still there. */
export class Session {
  /** The host has stopped. */
  gone = $state(false);
  /** Requests that have waited too long for their answer. */
  #late = $state(0);
  readonly #client: Client;
  readonly #hearers = new Set<(event: Event) => void>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** The host takes long to answer. */
  get slow(): boolean {
    return this.#late > 0 && !this.gone;
  }

  /** Asks; a refusal comes back as a value. */
  async ask<K extends CommandName>(
    name: K,
    request: Commands[K]["request"],
  ): Promise<Outcome<Commands[K]["answer"]>> {
    let late = false;
    const timer = setTimeout(() => {
      // Unlocking waits for the person, in a window of the keychain.
      late = name !== "unlock_keychain";
      if (late) this.#late += 1;
    }, PATIENCE);
    try {
      return { ok: true, answer: await this.#client.call(name, request) };
    } catch (thrown) {
      const problem = asCommandError(thrown);
      if (problem.code === "host_gone") this.gone = true;
      return { ok: false, problem };
    } finally {
      clearTimeout(timer);
      if (late) this.#late -= 1;
    }
  }

  /** Passes every event on; an event only tells that something changed. */
  hear(hearer: (event: Event) => void): () => void {
    this.#hearers.add(hearer);
    return () => this.#hearers.delete(hearer);
  }

  /** Begins to listen; resolves once no event can be missed. */
  listen(): Promise<() => void> {
    return this.#client.on((event) => {
      if (event.type === "host_gone") this.gone = true;
      for (const hearer of [...this.#hearers]) hearer(event);
    });
  }
}
