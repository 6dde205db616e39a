import { asCommandError, NOTHING, type ApprovalClient } from "../ipc/client";
import type { ApprovalAnswer, ApprovalView, CommandError, PendingApproval } from "../ipc/generated/contract";
import { Rereader } from "../shared/rereader";
import { approval as words, type Over } from "../text/approval";

/** A click or a key that was meant for something else comes within this time. */
export const INERT = 800;
/** A second click within this time makes a double click of the first. */
export const DOUBLE = 400;
/** How long the end of a question is said before the host is asked whether there is another. */
const SAID: Partial<Record<Over, number>> = { not_mine: 6_000, timed_out: 4_000 };

/** For how long a yes can be remembered. */
export const DAYS = 30;

/** One question at a time, and what becomes of it. */
export class Approval {
  question: ApprovalView | null = $state.raw(null);
  /** How the last question ended, once there is none. */
  over: Over | null = $state(null);
  /** Who asked it. */
  agent = $state("");
  /** Whether a yes is taken. */
  ready = $state(false);
  /** The yes or no that is on its way. */
  answering: ApprovalAnswer["kind"] | null = $state(null);
  /** Why a yes was not taken here: it looked like an accident. */
  slip: string | null = $state(null);
  problem: CommandError | null = $state.raw(null);
  passphrase = $state("");
  passphraseMissing = $state(false);
  now = $state(Date.now());
  gone = $state(false);
  readonly #client: ApprovalClient;
  readonly #reader = new Rereader(() => this.#read());
  #arming = 0;
  #allowing = 0;
  /** Counts answers, so that a read begun before one is dropped. */
  #answers = 0;

  constructor(client: ApprovalClient) {
    this.#client = client;
  }

  /** What is left until the question turns into a no. */
  get left(): number {
    return this.question === null ? 0 : this.question.runs_out_at - this.now;
  }

  /** Begins; gives what ends it. */
  run(): () => void {
    let stop = () => {};
    let ended = false;
    const tick = setInterval(() => this.#tick(), 250);
    const listening = this.#client.on((event) => {
      if (event.type === "host_gone") this.#hostGone();
      else void this.read();
    });
    void listening
      .then((stopListening) => {
        stop = stopListening;
        if (ended) stop();
      })
      // Without events the question is still read once.
      .catch(() => {})
      .then(() => this.read());
    return () => {
      ended = true;
      clearInterval(tick);
      clearTimeout(this.#arming);
      clearTimeout(this.#allowing);
      stop();
    };
  }

  read(): Promise<void> {
    return this.#reader.ask();
  }

  async #read(): Promise<void> {
    const answers = this.#answers;
    try {
      const pending = await this.#client.call("pending_approval", NOTHING);
      if (answers === this.#answers) this.#take(pending, "withdrawn");
    } catch (thrown) {
      this.#refused(asCommandError(thrown));
    }
  }

  /** From now on a yes is inert for a while: the window came up or back, or draws something else. */
  arm(): void {
    this.ready = false;
    this.#stopAllowing();
    clearTimeout(this.#arming);
    this.#arming = window.setTimeout(() => (this.ready = true), INERT);
  }

  /** A yes by a click; it counts once no second click has made a double click of it. */
  click(answer: ApprovalAnswer, clicks: number): void {
    if (this.#allowing !== 0 || clicks > 1) {
      this.#stopAllowing();
      this.slip = words.clickOnce;
      return;
    }
    if (!this.#mayAllow()) return;
    this.#allowing = window.setTimeout(() => {
      this.#allowing = 0;
      void this.answer(answer);
    }, DOUBLE);
  }

  /** A yes by a key that was pressed and let go. */
  press(answer: ApprovalAnswer): void {
    if (this.#mayAllow()) void this.answer(answer);
  }

  /** A key on a yes was held down. */
  hold(): void {
    this.slip = words.held;
  }

  #mayAllow(): boolean {
    if (!this.ready || this.answering !== null || this.question === null) return false;
    this.slip = null;
    this.passphraseMissing = this.question.needs_passphrase && this.passphrase === "";
    return !this.passphraseMissing;
  }

  #stopAllowing(): void {
    clearTimeout(this.#allowing);
    this.#allowing = 0;
  }

  /** Sends an answer to exactly what is drawn. */
  async answer(answer: ApprovalAnswer): Promise<void> {
    const question = this.question;
    if (question === null || this.answering !== null) return;
    this.#stopAllowing();
    this.answering = answer.kind;
    this.problem = null;
    const says = answer.kind === "allow_once" || answer.kind === "allow_for";
    const passphrase = says && question.needs_passphrase ? this.passphrase : null;
    this.passphrase = "";
    const request = { id: question.id, drawn: question.drawn, answer, passphrase };
    try {
      const pending = await this.#client.call("answer_approval", request);
      this.#answers += 1;
      this.#take(pending, ended(answer));
    } catch (thrown) {
      const problem = asCommandError(thrown);
      this.#refused(problem);
      // Whatever it was about may be over, or another question by now.
      if (problem.code === "approval_over") void this.read();
    } finally {
      this.answering = null;
    }
  }

  #take(pending: PendingApproval, how: Over): void {
    const [before, next] = [this.question, pending.question];
    if (next === null) {
      this.#stopAllowing();
      this.question = null;
      if (before !== null) this.#end(before, how);
      else if (this.over === null) this.over = "none";
      return;
    }
    this.over = null;
    this.now = Date.now();
    this.question = next;
    if (before?.id === next.id && before.drawn === next.drawn) return;
    this.agent = next.agent.name;
    this.passphrase = "";
    this.passphraseMissing = false;
    this.slip = null;
    if (before !== null && before.id !== next.id) this.problem = null;
    this.arm();
  }

  #end(question: ApprovalView, how: Over): void {
    this.agent = question.agent.name;
    this.over = how;
    this.passphrase = "";
    if (how === "withdrawn") return;
    // The host takes the window away once it is asked and has no other question.
    window.setTimeout(() => void this.read(), SAID[how] ?? 0);
  }

  #tick(): void {
    this.now = Date.now();
    const question = this.question;
    if (question === null || this.left > 0 || this.answering !== null) return;
    this.#stopAllowing();
    this.question = null;
    this.#end(question, "timed_out");
  }

  #refused(problem: CommandError): void {
    if (problem.code === "host_gone") this.#hostGone();
    else this.problem = problem;
  }

  #hostGone(): void {
    this.gone = true;
    this.question = null;
    this.passphrase = "";
    this.#stopAllowing();
  }
}

function ended(answer: ApprovalAnswer): Over {
  switch (answer.kind) {
    case "allow_for":
      return "remembered";
    case "allow_once":
      return "allowed";
    case "deny":
      return "denied";
    case "not_mine":
      return "not_mine";
  }
}
