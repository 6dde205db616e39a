import { NOTHING } from "../ipc/client";
import type { AgentView, CommandError, EnrolmentView } from "../ipc/generated/contract";
import { Rereader } from "../shared/rereader";
import type { Session } from "../shared/session.svelte";
import { agents as words, fieldOf } from "../text/en";
import { advice } from "../text/errors";

/** The agents this install knows. */
export class Agents {
  list: AgentView[] | null = $state.raw(null);
  enrolments: EnrolmentView[] = $state.raw([]);
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
    const outcome = await this.#session.ask("list_agents", NOTHING);
    if (outcome.ok) {
      this.list = outcome.answer.agents;
      this.enrolments = outcome.answer.enrolments;
      this.problem = null;
    } else this.problem = outcome.problem;
  }
}

/** The form that adds one. */
export class AddAgentForm {
  name = $state("");
  key = $state("");
  busy = $state(false);
  wrong: { name: string | null; key: string | null } = $state({ name: null, key: null });
  /** A refusal that is about neither field. */
  problem: CommandError | null = $state(null);
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Adds the agent; null when a field is wrong or the host refused. */
  async save(): Promise<AgentView | null> {
    if (this.busy) return null;
    const [name, key] = [this.name.trim(), this.key.trim()];
    this.problem = null;
    this.wrong = { name: name ? null : words.nameMissing, key: key ? null : words.keyMissing };
    if (this.wrong.name || this.wrong.key) return null;
    this.busy = true;
    const outcome = await this.#session.ask("add_agent", { name, key });
    this.busy = false;
    if (outcome.ok) {
      this.name = "";
      this.key = "";
      return outcome.answer;
    }
    // What was pasted may be a secret: it does not stay on screen.
    if (outcome.problem.code === "agent_key_private") this.key = "";
    const field = fieldOf(outcome.problem);
    const { what, todo } = advice(outcome.problem.code);
    if (field) this.wrong[field] = `${what} ${todo}`;
    else this.problem = outcome.problem;
    return null;
  }
}
