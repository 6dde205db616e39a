import { NOTHING } from "../ipc/client";
import type { AgentView, AnswerEnrolment, CommandError, EnrolmentView } from "../ipc/generated/contract";
import { Rereader } from "../shared/rereader";
import { visible } from "../shared/quoted";
import type { Outcome, Session } from "../shared/session.svelte";
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

/** Commands that change an agent and need no more than its id. */
type AgentCommand = "pause_agent" | "remove_agent" | "resume_agent";

/** One agent, and what the person does with it. */
export class OneAgent {
  busy: AgentCommand | "forget_choice" | null = $state(null);
  refusal: CommandError | null = $state.raw(null);
  readonly #session: Session;
  readonly #agents: Agents;
  readonly #id: string;

  constructor(session: Session, agents: Agents, id: string) {
    this.#session = session;
    this.#agents = agents;
    this.#id = id;
  }

  pause(): Promise<boolean> {
    return this.#change("pause_agent");
  }

  resume(): Promise<boolean> {
    return this.#change("resume_agent");
  }

  /** Removes it, and ends its connections. */
  remove(): Promise<boolean> {
    return this.#change("remove_agent");
  }

  /** Forgets what was allowed for longer: from then on it is asked again. */
  forget(choice: string): Promise<boolean> {
    return this.#take("forget_choice", () => this.#session.ask("forget_choice", { agent: this.#id, choice }));
  }

  #change(command: AgentCommand): Promise<boolean> {
    return this.#take(command, () => this.#session.ask(command, { agent: this.#id }));
  }

  async #take(
    what: AgentCommand | "forget_choice",
    ask: () => Promise<Outcome<AgentView>>,
  ): Promise<boolean> {
    if (this.busy !== null) return false;
    this.busy = what;
    this.refusal = null;
    const outcome = await ask();
    if (!outcome.ok) this.refusal = outcome.problem;
    await this.#agents.read();
    this.busy = null;
    return outcome.ok;
  }
}

/** The longest name that an agent can have. */
const LONGEST_NAME = 40;

/** The answer to a program that asks to be added. */
export class EnrolmentForm {
  name = $state("");
  /** It takes the place of the agent that has its name. */
  replaces = $state(false);
  busy: "accept" | "decline" | null = $state(null);
  nameWrong: string | null = $state(null);
  problem: CommandError | null = $state.raw(null);
  readonly #session: Session;
  readonly #agents: Agents;
  readonly #asked: EnrolmentView;

  constructor(session: Session, agents: Agents, asked: EnrolmentView) {
    this.#session = session;
    this.#agents = agents;
    this.#asked = asked;
    this.name = visible(asked.suggested_name, LONGEST_NAME);
  }

  /** Adds it under the name in the field; false when that is wrong or the host refused. */
  async accept(): Promise<boolean> {
    const name = this.name.trim();
    this.nameWrong = name === "" ? words.nameMissing : null;
    if (this.nameWrong !== null) return false;
    const replaces = this.replaces ? (this.#asked.same_name_as?.id ?? null) : null;
    return this.#answer("accept", { id: this.#asked.id, accept: true, name, replaces });
  }

  decline(): Promise<boolean> {
    return this.#answer("decline", { id: this.#asked.id, accept: false, name: null, replaces: null });
  }

  async #answer(what: "accept" | "decline", answer: AnswerEnrolment): Promise<boolean> {
    if (this.busy !== null) return false;
    this.busy = what;
    this.problem = null;
    const outcome = await this.#session.ask("answer_enrolment", answer);
    this.busy = null;
    if (!outcome.ok) {
      const { what: happened, todo } = advice(outcome.problem.code);
      if (fieldOf(outcome.problem) === "name") this.nameWrong = `${happened} ${todo}`;
      else this.problem = outcome.problem;
    }
    await this.#agents.read();
    return outcome.ok;
  }
}
