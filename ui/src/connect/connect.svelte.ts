import { NOTHING } from "../ipc/client";
import type {
  AgentView,
  AttemptView,
  CommandError,
  GrantView,
  ProviderView,
} from "../ipc/generated/contract";
import { Rereader } from "../shared/rereader";
import type { Outcome, Session } from "../shared/session.svelte";
import { DAY } from "../shared/time";
import { Choice } from "./choice.svelte";

/** The four steps. */
export type ConnectStep = "bank" | "may" | "at_bank" | "done";

/** Connect account, from the choice of a bank to its named ending. */
export class Connect {
  providers: ProviderView[] | null = $state.raw(null);
  agents: AgentView[] | null = $state.raw(null);
  choice: Choice | null = $state.raw(null);
  attempt: AttemptView | null = $state.raw(null);
  /** The connection that was made. */
  grant: GrantView | null = $state.raw(null);
  problem: CommandError | null = $state(null);
  busy = $state(false);
  /** The connection that is to be renewed. */
  old: GrantView | null = $state.raw(null);
  /** The bank of the connection to renew is not in the catalogue any more. */
  bankGone = $state(false);
  /** The link is on the clipboard. */
  copied = $state(false);
  readonly #session: Session;
  readonly #attemptReader = new Rereader(() => this.#readAttempt());
  readonly #listReader = new Rereader(() => this.#readLists());

  constructor(session: Session) {
    this.#session = session;
  }

  get step(): ConnectStep {
    if (this.attempt) return this.attempt.ending ? "done" : "at_bank";
    return this.choice || this.renewing ? "may" : "bank";
  }

  /** A connection there is gets a new one in its place. */
  get renewing(): boolean {
    return this.attempt ? this.attempt.renews !== null : this.old !== null;
  }

  /** Begins; with an attempt's id, goes on with that one; with a connection's, renews that. */
  async start(attempt: string | null, renews: string | null = null): Promise<void> {
    if (attempt) {
      const shown = await this.#session.ask("show_attempt", { attempt });
      if (shown.ok) this.#take(shown.answer);
      else this.problem = shown.problem;
    }
    const renewed = renews ?? this.attempt?.renews ?? null;
    if (renewed !== null) await this.#readOld(renewed);
    await this.readLists();
    if (renews !== null) this.#chooseAsBefore(Date.now());
  }

  async #readOld(grant: string): Promise<void> {
    const outcome = await this.#session.ask("show_grant", { grant });
    if (outcome.ok) this.old = outcome.answer;
    // Of an attempt that is on its way, nothing depends on it.
    else if (!this.attempt) this.problem = outcome.problem;
  }

  /** A renewal begins with what the connection may do now, for as long as it was given before. */
  #chooseAsBefore(now: number): void {
    const old = this.old;
    if (!old || !this.providers) return;
    const bank = this.providers.find((one) => one.id === old.row.bank.id);
    this.bankGone = !bank;
    if (!bank) return;
    this.choice = new Choice(bank, [], now);
    this.choice.agent = old.row.agent;
    this.choice.choose(old.row.permissions.map((one) => one.id));
    const days = (old.consent_ends_at - old.row.created_at) / DAY;
    if (days > 60 && this.choice.allowed("90")) this.choice.until = "90";
  }

  /** Reads banks and agents. */
  readLists(): Promise<void> {
    return this.#listReader.ask();
  }

  async #readLists(): Promise<void> {
    const [providers, agents] = await Promise.all([
      this.#session.ask("list_providers", NOTHING),
      this.#session.ask("list_agents", NOTHING),
    ]);
    if (providers.ok) this.providers = providers.answer;
    else this.problem = providers.problem;
    if (agents.ok) this.agents = agents.answer.agents.filter((one) => one.removed_at === null);
    else this.problem = agents.problem;
  }

  chooseBank(bank: ProviderView): void {
    this.problem = null;
    const agent = this.choice?.agent ?? null;
    this.choice = new Choice(bank, this.agents ?? [], Date.now());
    if (agent) this.choice.agent = agent;
  }

  changeBank(): void {
    this.problem = null;
    this.choice = null;
  }

  /** An agent was added here: it is the chosen one. */
  async added(agent: AgentView): Promise<void> {
    await this.readLists();
    if (this.choice) this.choice.agent = this.agents?.find((one) => one.id === agent.id) ?? agent;
  }

  /** Asks for the connection; false when something has to be chosen first or the host refused. */
  async go(now: number): Promise<boolean> {
    const choice = this.choice;
    if (!choice || this.busy) return false;
    choice.tried = true;
    const until = choice.untilAt(now);
    if (until === null || !choice.agent || choice.permissions.length === 0) return false;
    const permissions = choice.permissions.map((one) => one.id);
    const [provider, agent, old] = [choice.bank.id, choice.agent.id, this.old];
    return this.#change(() =>
      old
        ? this.#session.ask("renew_grant", { grant: old.row.id, permissions, until })
        : this.#session.ask("connect_account", { provider, agent, permissions, until }),
    );
  }

  openAgain(): Promise<boolean> {
    this.copied = false;
    return this.#changeAttempt("open_again");
  }

  async copyLink(): Promise<boolean> {
    this.copied = await this.#changeAttempt("copy_link");
    return this.copied;
  }

  cancel(): Promise<boolean> {
    return this.#changeAttempt("cancel_attempt");
  }

  /** Keeps accounts that a renewal brought and nobody expected, or not. */
  async decide(keep: boolean): Promise<boolean> {
    const attempt = this.attempt?.id;
    return attempt ? this.#change(() => this.#session.ask("decide_account", { attempt, keep })) : false;
  }

  /** Back to the choices, as they were. */
  again(now: number): void {
    const old = this.attempt;
    this.attempt = null;
    this.grant = null;
    this.problem = null;
    this.copied = false;
    if (this.choice || !old) return;
    if (this.old) return this.#chooseAsBefore(now);
    const bank = this.providers?.find((one) => one.id === old.bank.id);
    if (!bank) return;
    this.choice = new Choice(bank, this.agents ?? [], now);
    this.choice.choose(old.permissions.map((one) => one.id));
    this.choice.agent = this.agents?.find((one) => one.id === old.agent.id) ?? null;
  }

  /** An event said that an attempt moved on. */
  changed(id: string): Promise<void> {
    return this.attempt?.id === id ? this.#attemptReader.ask() : Promise.resolve();
  }

  async #readAttempt(): Promise<void> {
    const id = this.attempt?.id;
    if (!id) return;
    const outcome = await this.#session.ask("show_attempt", { attempt: id });
    if (this.attempt?.id !== id) return;
    if (outcome.ok) this.#take(outcome.answer);
    else this.problem = outcome.problem;
  }

  async #changeAttempt(command: "open_again" | "copy_link" | "cancel_attempt"): Promise<boolean> {
    const id = this.attempt?.id;
    return id ? this.#change(() => this.#session.ask(command, { attempt: id })) : false;
  }

  async #change(ask: () => Promise<Outcome<AttemptView>>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.problem = null;
    const outcome = await ask();
    this.busy = false;
    if (outcome.ok) this.#take(outcome.answer);
    else this.problem = outcome.problem;
    // An event may have come before the answer: read once more.
    await this.#attemptReader.ask();
    return outcome.ok;
  }

  /** Takes an answer in, unless a newer one is known. */
  #take(attempt: AttemptView): void {
    const known = this.attempt;
    if (known?.id === attempt.id && attempt.revision < known.revision) return;
    this.attempt = attempt;
    if (attempt.grant && this.grant?.row.id !== attempt.grant) void this.#readGrant(attempt.grant);
  }

  async #readGrant(id: string): Promise<void> {
    const outcome = await this.#session.ask("show_grant", { grant: id });
    if (outcome.ok && this.attempt?.grant === id) this.grant = outcome.answer;
  }
}
