import { HOME, type Place } from "../shared/place.svelte";
import type { Client, CommandName } from "./client";
import * as data from "./fake-data";
import type {
  AgentView,
  AppState,
  AttemptView,
  CommandError,
  Commands,
  DamagedRecord,
  EndingView,
  ErrorCode,
  Event,
  GrantsView,
  GrantView,
  ProviderView,
} from "./generated/contract";
import { SCENARIOS } from "./scenarios";

/** A host in memory. Tests set its world and script its refusals; `vite dev?fake=…` shows it. */
export class Fake implements Client {
  app: AppState = data.appState();
  providers: ProviderView[] = [data.provider()];
  agents: AgentView[] = [];
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

  /** Ends an attempt; a connected one makes its grant. */
  end(id: string, ending: EndingView, view: Partial<GrantView> = {}): AttemptView {
    let grant: string | null = null;
    if (ending.kind === "connected") {
      const attempt = this.#attempt(id);
      const allowed = attempt.permissions.filter(
        (one) => !ending.missing.some((other) => other.id === one.id),
      );
      grant = `grant-${id}`;
      const now = Date.now();
      const made = data.grant(grant, now, {
        bank: attempt.bank,
        agent: attempt.agent,
        allowed: allowed.map((one) => one.id),
        created_at: now,
        ends_at: attempt.until,
        last_used_at: null,
        has_extra: ending.extra.length > 0,
        view: { missing: ending.missing, extra: ending.extra, ...view },
      });
      this.grants = [made, ...this.grants];
      this.changeGrants();
    }
    return this.move(id, { step: "ended", ending, grant, waiting_until: null });
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
    list_agents: () => this.agents,
    add_agent: ({ name, key }) => this.#addAgent(name, key),
    connect_account: (request) => this.#connect(request),
    list_attempts: () => this.attempts,
    show_attempt: ({ attempt }) => this.#attempt(attempt),
    open_again: ({ attempt }) => this.move(attempt, { browser: "opened" }),
    copy_link: ({ attempt }) => this.move(attempt, { browser: "link_copied" }),
    cancel_attempt: ({ attempt }) => this.end(attempt, { kind: "cancelled" }),
    list_grants: () => this.#grantsView(),
    show_grant: ({ grant }) => this.#grant(grant),
    revoke_grant: ({ grant }) => this.#revoke(grant),
    stop_telling_bank: ({ grant }) => this.#stopTelling(grant),
    check_keychain: () => this.app,
    unlock_keychain: () => this.setApp({ keychain: this.afterUnlock }),
    keep_running: () => this.setApp({ quit_asked: false }),
    quit: () => null,
    start_again: () => null,
  };

  #grantsView(): GrantsView {
    const rows = this.grants.map((view) => view.row);
    const current = rows.filter((row) => row.state.kind === "active");
    return {
      agents: new Set(current.map((row) => row.agent.id)).size,
      accounts: current.reduce((sum, row) => sum + row.accounts, 0),
      current,
      history: rows.filter((row) => row.state.kind !== "active"),
      damaged: this.damaged,
      revision: this.revision,
    };
  }

  #attempt(id: string): AttemptView {
    return this.attempts.find((one) => one.id === id) ?? refuse("attempt_unknown");
  }

  #grant(id: string): GrantView {
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
    return made;
  }

  #revoke(id: string): GrantView {
    const view = this.#grant(id);
    if (view.row.state.kind === "revoked") return refuse("grant_revoked");
    const now = Date.now();
    const told = {
      kind: "not_yet",
      tries: 0,
      last_try: null,
      next_try: now,
      waits_for: "first_try",
    } as const;
    return this.setGrant(data.revoked(view, now, told, now + 3_600_000));
  }

  #stopTelling(id: string): GrantView {
    const view = this.#grant(id);
    if (view.row.state.kind !== "revoked") return refuse("grant_unknown");
    const { cut_off_at, valid_until } = view.row.state.facts;
    return this.setGrant(data.revoked(view, cut_off_at, { kind: "given_up", at: Date.now() }, valid_until));
  }
}

function refuse(code: ErrorCode): never {
  const refusal: CommandError = { code, reference: null };
  // eslint-disable-next-line @typescript-eslint/only-throw-error
  throw refusal;
}

/** Sets a named scenario up, for `?fake=<scenario>`. */
export function startScenario(name: string): { client: Fake; place: Place } {
  const fake = new Fake();
  const place = SCENARIOS[name]?.(fake, Date.now()) ?? HOME;
  return { client: fake, place };
}
