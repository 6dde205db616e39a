import { isCurrent } from "../grants/standing";
import { HOME, type Place } from "../shared/place.svelte";
import type { Client, CommandName } from "./client";
import * as broker from "./fake-broker";
import * as data from "./fake-data";
import * as life from "./fake-life";
import { refuse } from "./fake-life";
import type {
  ActivityEntry,
  ActivityVerdict,
  AgentView,
  AppState,
  AskedWhat,
  AttemptView,
  CommandError,
  Commands,
  DamagedRecord,
  EnrolmentView,
  EndingView,
  ErrorCode,
  Event,
  GrantsView,
  GrantView,
  ProviderView,
  RuleView,
} from "./generated/contract";
import { SCENARIOS } from "./scenarios";

/** A host in memory. Tests set its world and script its refusals; `vite dev?fake=…` shows it. */
export class Fake implements Client {
  app: AppState = data.appState();
  providers: ProviderView[] = [data.provider()];
  agents: AgentView[] = [];
  enrolments: EnrolmentView[] = [];
  activity: ActivityEntry[] = [];
  /** What a check of the log ends with, where it is not sound. */
  verdict: Partial<ActivityVerdict> = {};
  rules: RuleView[] = broker.RULES;
  grants: GrantView[] = [];
  damaged: DamagedRecord[] = [];
  attempts: AttemptView[] = [];
  revision = 1;
  /** Every request, in order. */
  readonly calls: { name: CommandName; request: unknown }[] = [];
  /** The host could not open its data: it refuses all but to quit. */
  unopened: ErrorCode | null = null;
  /** How the next unlocking ends. */
  afterUnlock: AppState["keychain"] = "ready";
  /** The passphrase, where the key is under one. */
  passphrase = "correct horse";
  /** Whether the banks answer. */
  banksUp = true;
  /** Whether the disk takes what is written. */
  diskUp = true;
  /** What a new attempt starts as. */
  newAttempt: Partial<AttemptView> = {};
  readonly #hearers = new Set<(event: Event) => void>();
  readonly #refusals = new Map<CommandName, CommandError[]>();
  readonly #held = new Map<CommandName, Promise<void>[]>();
  #made = 0;

  /** Refuses the next request of this name. */
  refuse(name: CommandName, code: ErrorCode, reference: string | null = null): void {
    this.#refusals.set(name, [...(this.#refusals.get(name) ?? []), { code, reference }]);
  }

  /** Keeps the next answer of this name back (as it is at the time of asking) until released. */
  hold(name: CommandName): () => void {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    this.#held.set(name, [...(this.#held.get(name) ?? []), held]);
    return release;
  }

  emit(event: Event): void {
    for (const hear of [...this.#hearers]) hear(event);
  }

  on(hear: (event: Event) => void): Promise<() => void> {
    this.#hearers.add(hear);
    return Promise.resolve(() => this.#hearers.delete(hear));
  }

  async call<K extends CommandName>(
    name: K,
    request: Commands[K]["request"],
  ): Promise<Commands[K]["answer"]> {
    this.calls.push({ name, request });
    await Promise.resolve();
    if (this.unopened && name !== "quit") return refuse(this.unopened);
    const refusal = this.#refusals.get(name)?.shift();
    // The host rejects with a plain object.
    // eslint-disable-next-line @typescript-eslint/only-throw-error
    if (refusal) throw refusal;
    const answer = structuredClone(this.#answers[name](request as never));
    await this.#held.get(name)?.shift();
    return answer;
  }

  /** Moves an attempt on, as the host does. */
  move(id: string, changes: Partial<AttemptView>): AttemptView {
    const old = this.#attempt(id);
    const next = { ...old, ...changes, revision: old.revision + 1 };
    this.attempts = this.attempts.map((one) => (one.id === id ? next : one));
    this.emit({ type: "attempt_changed", id, revision: next.revision });
    return next;
  }

  /** Ends an attempt; a connected one makes its grant, and a renewal ends the one it was for. */
  end(id: string, ending: EndingView, view: Partial<GrantView> = {}): AttemptView {
    let grant: string | null = null;
    if (ending.kind === "connected") {
      const attempt = this.#attempt(id);
      const allowed = attempt.permissions.filter(
        (one) => !ending.missing.some((other) => other.id === one.id),
      );
      grant = `grant-${id}`;
      // Other accounts that were kept are a connection of their own.
      const renews = attempt.other ? null : attempt.renews;
      const now = Date.now();
      const made = data.grant(grant, now, {
        bank: attempt.bank,
        agent: attempt.agent,
        allowed: allowed.map((one) => one.id),
        created_at: now,
        ends_at: attempt.until,
        last_used_at: null,
        has_extra: ending.extra.length > 0,
        view: { missing: ending.missing, extra: ending.extra, renews, ...view },
      });
      made.row.confirmed_at = now;
      this.grants = [made, ...this.grants];
      if (renews !== null) life.replace(this, renews, grant, now);
      this.changeGrants();
    }
    return this.move(id, { step: "ended", ending, grant, waiting_until: null, other: null });
  }

  changeGrants(): void {
    this.revision += 1;
    this.emit({ type: "grants_changed", revision: this.revision });
  }

  setGrant(view: GrantView): GrantView {
    this.grants = this.grants.map((one) => (one.row.id === view.row.id ? view : one));
    this.changeGrants();
    return view;
  }

  setApp(changes: Partial<AppState>): AppState {
    this.app = { ...this.app, ...changes };
    this.emit({ type: "app_changed" });
    return this.app;
  }

  readonly #answers: { [K in CommandName]: (request: Commands[K]["request"]) => Commands[K]["answer"] } = {
    app_state: () => this.app,
    list_providers: () => this.providers,
    list_agents: () => ({ agents: this.agents, enrolments: this.enrolments }),
    answer_enrolment: (answer) => broker.answerEnrolment(this, answer),
    pause_agent: ({ agent }) => broker.pause(this, agent),
    resume_agent: ({ agent }) => broker.resume(this.#unlocked(), agent),
    remove_agent: ({ agent }) => broker.remove(this, agent),
    forget_choice: ({ agent, choice }) => broker.forget(this, agent, choice),
    list_activity: (filter) => broker.list(this, filter),
    show_activity: ({ seq }) => broker.details(this, seq),
    check_activity: () => broker.verdict(this),
    export_activity: () =>
      this.diskUp ? { path: "/home/aleksandra/Downloads/countersign-activity.jsonl" } : refuse("not_written"),
    list_rules: () => this.rules,
    set_rule: (rule) => broker.setRule(this, rule),
    dismiss_alert: ({ alert }) => broker.dismiss(this, alert),
    add_agent: ({ name, key }) => this.#addAgent(name, key),
    connect_account: (request) => this.#connect(request),
    list_attempts: () => this.attempts,
    show_attempt: ({ attempt }) => this.#attempt(attempt),
    open_again: ({ attempt }) => this.move(attempt, { browser: "opened" }),
    copy_link: ({ attempt }) => this.move(attempt, { browser: "link_copied" }),
    cancel_attempt: ({ attempt }) => this.end(attempt, { kind: "cancelled" }),
    list_grants: () => this.#grantsView(),
    show_grant: ({ grant }) => this.grant(grant),
    revoke_grant: ({ grant }) => this.setGrant(life.revoke(this.grant(grant), Date.now())),
    stop_telling_bank: ({ grant }) => this.setGrant(life.stopTelling(this.grant(grant), Date.now())),
    pause_grant: ({ grant }) => this.setGrant(life.pause(this.grant(grant), Date.now())),
    resume_grant: ({ grant }) => this.setGrant(life.resume(this.#unlocked().grant(grant), Date.now())),
    narrow_grant: (request) => this.setGrant(life.narrow(this.grant(request.grant), request, Date.now())),
    widen_grant: ({ grant }) => this.setGrant(life.widen(this.#unlocked().grant(grant), Date.now())),
    check_grant: ({ grant }) =>
      this.setGrant(life.check(this.#unlocked().grant(grant), this.banksUp, Date.now())),
    renew_grant: (request) => this.#renew(request),
    decide_account: ({ attempt, keep }) =>
      this.end(attempt, keep ? { kind: "connected", missing: [], extra: [] } : { kind: "other_account" }),
    stop_reminding: ({ grant }) => {
      const view = this.grant(grant);
      return this.setGrant({ ...view, row: { ...view.row, no_reminders: true } });
    },
    show_receipt: ({ receipt }) => life.receipt(this, receipt),
    save_receipt: ({ receipt }) => {
      if (!this.diskUp) return refuse("not_written");
      return { path: `/home/aleksandra/Downloads/countersign-${life.receipt(this, receipt).id}.json` };
    },
    stop_agents: () => this.setApp({ stopped: { since: Date.now(), recorded: this.diskUp } }),
    resume_agents: () => (this.diskUp ? this.setApp({ stopped: null }) : refuse("still_stopped")),
    revoke_all: () => {
      const now = Date.now();
      this.grants = this.grants.map((view) => (life.lives(view) ? life.revoke(view, now) : view));
      this.changeGrants();
      return this.#grantsView();
    },
    lock: () => this.setApp({ lock: { kind: "locked", since: Date.now(), by: "person" } }),
    unlock: ({ passphrase }) => {
      this.#knows(passphrase);
      return this.setApp({ lock: { kind: "open" } });
    },
    set_lock_settings: (settings) => this.setApp({ lock_settings: settings }),
    change_protection: ({ protection, current, new: fresh }) => {
      this.#knows(current);
      if (protection !== "keychain" && (fresh === null || fresh.length < 8))
        return refuse("passphrase_unfit");
      this.passphrase = fresh ?? this.passphrase;
      return this.setApp({ protection });
    },
    answer_asked: ({ id, yes }) => {
      const asked = this.app.asked.find((one) => one.id === id) ?? refuse("asked_unknown");
      if (yes) this.#carryOut(asked.what);
      return this.setApp({ asked: this.app.asked.filter((one) => one.id !== id) });
    },
    check_keychain: () => this.app,
    unlock_keychain: () => this.setApp({ keychain: this.afterUnlock }),
    keep_running: () => this.setApp({ quit_asked: false }),
    quit: () => null,
    start_again: () => null,
  };

  #grantsView(): GrantsView {
    const rows = this.grants.map((view) => view.row);
    const working = rows.filter((row) => row.state.kind === "active");
    return {
      agents: new Set(working.map((row) => row.agent.id)).size,
      accounts: working.reduce((sum, row) => sum + row.accounts, 0),
      current: rows.filter((row) => isCurrent(row.state)),
      history: rows.filter((row) => !isCurrent(row.state)),
      damaged: this.damaged,
      revision: this.revision,
    };
  }

  #attempt(id: string): AttemptView {
    return this.attempts.find((one) => one.id === id) ?? refuse("attempt_unknown");
  }

  grant(id: string): GrantView {
    return this.grants.find((view) => view.row.id === id) ?? refuse("grant_unknown");
  }

  #addAgent(name: string, key: string): AgentView {
    if (key.includes('"d"')) return refuse("agent_key_private");
    if (!/^[\w-]{43}$/.test(key) && !key.startsWith("{")) return refuse("agent_key_malformed");
    if (this.agents.some((one) => one.name === name)) return refuse("agent_name_known");
    const added = { ...data.agent(`agent-${++this.#made}`, name, Date.now()), added_at: Date.now() };
    this.agents = [...this.agents, added];
    this.emit({ type: "agents_changed" });
    return added;
  }

  #connect(request: Commands["connect_account"]["request"]): AttemptView {
    this.#unlocked();
    const bank = this.providers.find((one) => one.id === request.provider) ?? refuse("provider_unknown");
    const agent = this.agents.find((one) => one.id === request.agent) ?? refuse("agent_unknown");
    const mark = {
      id: bank.id,
      name: bank.name,
      monogram: bank.monogram,
      colour: bank.colour,
      host: bank.host,
    };
    const made = data.attempt(`attempt-${++this.#made}`, Date.now(), {
      bank: { ...mark, help: null },
      agent: { id: agent.id, name: agent.name, thumbprint: agent.thumbprint },
      permissions: bank.permissions.filter((one) => request.permissions.includes(one.id)),
      not_chosen: bank.permissions.filter((one) => !request.permissions.includes(one.id)),
      until: request.until,
      started_at: Date.now(),
      step: "preparing",
      browser: "not_yet",
      ...this.newAttempt,
    });
    this.attempts = [made, ...this.attempts];
    this.emit({ type: "attempt_changed", id: made.id, revision: made.revision });
    return made;
  }

  #renew(request: Commands["renew_grant"]["request"]): AttemptView {
    const { row } = this.#unlocked().grant(request.grant);
    if (row.state.kind === "revoked") return refuse("grant_revoked");
    const made = this.#connect({ ...request, provider: row.bank.id, agent: row.agent.id });
    return this.move(made.id, { renews: request.grant, agent: row.agent });
  }

  /** Starting verbs wait until it is unlocked. */
  #unlocked(): this {
    return this.app.lock.kind === "open" ? this : refuse("locked");
  }

  #knows(passphrase: string | null): void {
    if (this.app.protection !== "keychain" && passphrase !== this.passphrase) refuse("passphrase_wrong");
  }

  #carryOut(what: AskedWhat): void {
    if (what.kind === "resume") this.#answers.resume_grant({ grant: what.grant });
    if (what.kind === "widen") this.#answers.widen_grant({ grant: what.grant });
    if (what.kind === "resume_agent") this.#answers.resume_agent({ agent: what.agent.id });
    if (what.kind === "resume_agents") this.#answers.resume_agents({});
    if (what.kind === "connect")
      this.#connect({
        provider: what.bank.id,
        agent: what.agent.id,
        permissions: what.permissions.map((one) => one.id),
        until: what.until,
      });
  }
}

/** Sets a named scenario up, for `?fake=<scenario>`. */
export function startScenario(name: string): { client: Fake; place: Place } {
  const fake = new Fake();
  const place = SCENARIOS[name]?.(fake, Date.now()) ?? HOME;
  return { client: fake, place };
}
