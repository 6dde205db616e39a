import type { Place } from "../shared/place.svelte";
import type { Fake } from "./fake";
import {
  agent,
  appState,
  attempt,
  bankMark,
  BANKS,
  DAY,
  grant,
  LONG_AGENT,
  permissions,
  provider,
  revoked,
} from "./fake-data";
import type { AttemptView, BankTold, EndingView, ErrorCode, KeychainState } from "./generated/contract";

/** Sets the fake's world up and says where the window stands. */
export type Scenario = (fake: Fake, now: number) => Place | undefined;

const MINUTE = 60_000;

/** What every command is refused with where the host could not open its data. */
export const UNOPENED = [
  "data_folder_unfit",
  "store_damaged",
  "store_newer",
  "store_failed",
  "internal",
] as const satisfies ErrorCode[];

/** Every ending, with the data it comes with. */
export const EVERY_ENDING: { [K in EndingView["kind"]]: Extract<EndingView, { kind: K }> } = {
  addresses_changed: { kind: "addresses_changed", member: "token_endpoint" },
  bank_misbehaved: { kind: "bank_misbehaved", rule: "missing_token_type" },
  bank_refused: { kind: "bank_refused", code: "temporarily_unavailable", retry: true },
  bank_unreachable: { kind: "bank_unreachable" },
  cancelled: { kind: "cancelled" },
  connected: { kind: "connected", missing: [], extra: [] },
  declined: { kind: "declined" },
  interrupted: { kind: "interrupted" },
  keychain_key_lost: { kind: "keychain_key_lost" },
  keychain_locked: { kind: "keychain_locked" },
  keychain_unavailable: { kind: "keychain_unavailable" },
  nothing_allowed: { kind: "nothing_allowed" },
  not_saved: { kind: "not_saved", bank_told: true },
  port_taken: { kind: "port_taken" },
  timed_out: { kind: "timed_out" },
  unexpected_server: { kind: "unexpected_server" },
};

/** Every state of a revocation at the bank. */
export function everyTold(now: number): Record<string, BankTold> {
  const waiting = {
    kind: "not_yet",
    tries: 3,
    last_try: now - 2 * MINUTE,
    next_try: now + 3 * MINUTE,
  } as const;
  return {
    confirmed: { kind: "confirmed", at: now - MINUTE },
    given_up: { kind: "given_up", at: now - MINUTE },
    not_offered: { kind: "not_offered" },
    first_try: { ...waiting, tries: 0, last_try: null, next_try: now, waits_for: "first_try" },
    bank_to_answer: { ...waiting, waits_for: "bank_to_answer" },
    bank_to_accept: { ...waiting, waits_for: "bank_to_accept" },
    keychain: { ...waiting, waits_for: "keychain" },
    known_address: { ...waiting, waits_for: "known_address" },
    damaged_record: { ...waiting, waits_for: "damaged_record" },
    lost_key: { ...waiting, waits_for: "lost_key" },
  };
}

function one(fake: Fake, now: number): void {
  fake.agents = [agent("budget-buddy", "Budget Buddy", now, 1)];
  fake.grants = [grant("one", now, { accounts: 3 })];
}

function full(fake: Fake, now: number): undefined {
  const names = ["Budget Buddy", "Rent Reminder", "Tax Helper", "Ledgerly"];
  fake.agents = names.map((name, i) => agent(name.toLowerCase().replace(" ", "-"), name, now - i * DAY, 3));
  fake.providers = BANKS.map((bank, i) =>
    provider(bank, { unverified: i === 5, max_days: i === 3 ? 60 : 90 }),
  );
  fake.grants = Array.from({ length: 12 }, (_, i) => {
    const who = fake.agents[i % 4] ?? agent("x", "X", now);
    return grant(`full-${i}`, now, {
      agent: { id: who.id, name: who.name, thumbprint: who.thumbprint },
      bank: BANKS[i % BANKS.length] ?? bankMark(),
      accounts: 1 + (i % 4),
      last_used_at: i % 5 === 4 ? null : now - i * 9 * 3_600_000 - 5 * MINUTE,
      ends_at: now + (i === 2 ? 4 : 20 + i * 7) * DAY,
      state: { kind: "active", ends_soon: i === 2 },
      has_extra: i === 6,
      allowed:
        i % 4 === 1
          ? ["accounts", "balances"]
          : i % 4 === 3
            ? ["accounts", "transactions", "identity", "payees", "payments"]
            : ["accounts", "balances", "transactions"],
    });
  });
  const told = everyTold(now);
  fake.grants.push(
    revoked(
      grant("over-1", now),
      now - 3 * MINUTE,
      told.bank_to_answer ?? { kind: "not_offered" },
      now + 55 * MINUTE,
    ),
    revoked(grant("over-2", now, { bank: BANKS[1] ?? bankMark() }), now - 2 * DAY, {
      kind: "confirmed",
      at: now - 2 * DAY + MINUTE,
    }),
    grant("over-3", now, { state: { kind: "ended" }, ends_at: now - 20 * DAY, created_at: now - 110 * DAY }),
  );
}

function longNames(fake: Fake, now: number): Place {
  const bank = bankMark(
    "genossenschaft",
    "Genossenschaftsbank für Handel, Handwerk und Landwirtschaft Oberes Donautal eG",
    "GOD",
    "#c6371d",
  );
  fake.agents = [agent("long", LONG_AGENT, now, 1)];
  fake.providers = [provider(bank)];
  fake.grants = [
    grant("long", now, {
      bank,
      agent: { id: "long", name: LONG_AGENT, thumbprint: "long-thumbprint" },
      allowed: ["accounts", "balances", "transactions", "identity", "payees", "payments"],
      accounts: 14,
      view: {
        holder: "Dr. Maximiliane-Alexandra Gräfin von und zu Hohenstaufen-Oberndorf",
        accounts: [
          {
            name: "Gemeinschaftskonto Hausverwaltung Lindenallee Nebenkosten",
            masked: "0041",
            currency: "EUR",
          },
          { name: "Donaudampfschifffahrtsgesellschaftskapitänskonto", masked: "9912", currency: null },
        ],
      },
    }),
  ];
  return { view: "connections", tab: "current" };
}

function atAttempt(changes: Partial<AttemptView>): Scenario {
  return (fake, now) => {
    one(fake, now);
    fake.attempts = [attempt("open", now, changes)];
    return { view: "connect", attempt: "open" };
  };
}

function atEnding(ending: EndingView): Scenario {
  return (fake, now) => {
    fake.agents = [agent("budget-buddy", "Budget Buddy", now, 0)];
    if (ending.kind === "keychain_locked") fake.app = appState({ keychain: "locked" });
    fake.attempts = [attempt("open", now)];
    fake.end("open", ending);
    return { view: "connect", attempt: "open" };
  };
}

function atKeychain(keychain: KeychainState): Scenario {
  return (fake, now) => {
    one(fake, now);
    fake.app = appState({ keychain });
    return undefined;
  };
}

function atRevoked(told: string): Scenario {
  return (fake, now) => {
    one(fake, now);
    const facts = everyTold(now)[told] ?? { kind: "not_offered" as const };
    fake.grants = [revoked(grant("one", now), now - 3 * MINUTE, facts, now + 57 * MINUTE)];
    return { view: "connection", id: "one" };
  };
}

/** Starts attempts that go all the way by themselves, for a look at the whole path. */
function alive(fake: Fake): void {
  const go = fake.call.bind(fake);
  fake.call = async (name, request) => {
    const answer = await go(name, request);
    if (name === "connect_account") {
      const { id } = answer as AttemptView;
      const steps: Partial<AttemptView>[] = [
        { step: "at_bank", browser: "opened" },
        { step: "answered" },
        { step: "reading_accounts" },
        { step: "saving" },
      ];
      steps.forEach((step, i) => setTimeout(() => fake.move(id, step), 1500 * (i + 1)));
      setTimeout(() => fake.end(id, { kind: "connected", missing: [], extra: [] }), 7500);
    }
    return answer;
  };
}

/** Every scenario of `?fake=<name>`. */
export const SCENARIOS: Record<string, Scenario> = {
  empty: (fake, now) => {
    fake.agents = [agent("budget-buddy", "Budget Buddy", now)];
    alive(fake);
    return undefined;
  },
  one: (fake, now) => {
    one(fake, now);
    alive(fake);
    return undefined;
  },
  full,
  many: (fake, now) => {
    full(fake, now);
    const some = fake.grants.slice(0, 12);
    fake.grants = Array.from({ length: 10_000 }, (_, i) => {
      const view = some[i % 12] ?? grant("x", now);
      const agent = { ...view.row.agent, name: `${view.row.agent.name} ${i}`, thumbprint: `many-${i}` };
      return { ...view, row: { ...view.row, id: `many-${i}`, agent } };
    });
    return undefined;
  },
  busy: (fake, now) => {
    one(fake, now);
    fake.hold("list_grants");
    return undefined;
  },
  history: (fake, now) => {
    full(fake, now);
    return { view: "connections", tab: "history" };
  },
  long: longNames,
  "long-page": (fake, now) => {
    longNames(fake, now);
    return { view: "connection", id: "long" };
  },
  page: (fake, now) => {
    one(fake, now);
    return { view: "connection", id: "one" };
  },
  "page-extra": (fake, now) => {
    one(fake, now);
    fake.grants = [
      grant("one", now, {
        has_extra: true,
        allowed: ["accounts", "balances"],
        view: { extra: ["fdx:payments:write"], missing: permissions("transactions"), shared_consents: true },
      }),
    ];
    return { view: "connection", id: "one" };
  },
  agents: (fake, now) => {
    full(fake, now);
    return { view: "agents" };
  },
  banks: (fake, now) => {
    full(fake, now);
    return { view: "connect", attempt: null };
  },
  connect: (fake, now) => {
    one(fake, now);
    fake.providers = BANKS.slice(0, 3).map((bank, i) =>
      provider(bank, { max_days: i === 1 ? 45 : 90, shared_consents: i === 1, unverified: i === 2 }),
    );
    alive(fake);
    return { view: "connect", attempt: null };
  },
  "no-banks": (fake) => {
    fake.providers = [];
    return { view: "connect", attempt: null };
  },
  continue: (fake, now) => {
    fake.agents = [agent("budget-buddy", "Budget Buddy", now)];
    fake.attempts = [attempt("open", now)];
    return undefined;
  },
  preparing: atAttempt({ step: "preparing", browser: "not_yet", waiting_until: null }),
  waiting: atAttempt({}),
  "browser-failed": atAttempt({ browser: "failed" }),
  "link-copied": atAttempt({ browser: "link_copied" }),
  reading: atAttempt({ step: "reading_accounts" }),
  "connected-less": atEnding({ kind: "connected", missing: permissions("transactions"), extra: [] }),
  "connected-extra": atEnding({ kind: "connected", missing: [], extra: ["fdx:payments:write"] }),
  "ending-refused-for-good": atEnding({ kind: "bank_refused", code: "unauthorized_client", retry: false }),
  "ending-not-saved-untold": atEnding({ kind: "not_saved", bank_told: false }),
  ...Object.fromEntries(
    Object.values(EVERY_ENDING).map((ending) => [`ending-${ending.kind}`, atEnding(ending)]),
  ),
  ...Object.fromEntries(Object.keys(everyTold(0)).map((told) => [`revoked-${told}`, atRevoked(told)])),
  ...Object.fromEntries(
    (["absent", "blocked", "key_missing", "key_replaced", "locked"] as const).map((state) => [
      `keychain-${state}`,
      atKeychain(state),
    ]),
  ),
  problems: (fake, now) => {
    one(fake, now);
    fake.app = appState({
      home: "/home/aleksandra/.local/share/countersign-test",
      no_tray: true,
      catalogue_problems: [{ file: "first-harbour.toml", rule: "unknown key `colr` at line 4" }],
    });
    return undefined;
  },
  damaged: (fake, now) => {
    one(fake, now);
    fake.damaged = [
      { what: "connection", id: null, name: "First Harbour" },
      { what: "connection", id: "one", name: null },
      { what: "agent", id: "tax-helper", name: "Tax Helper" },
      { what: "agent", id: null, name: null },
    ];
    return undefined;
  },
  quit: (fake, now) => {
    one(fake, now);
    fake.app = appState({ quit_asked: true });
    return undefined;
  },
  ...Object.fromEntries(
    UNOPENED.map((code) => [
      `unopened-${code}`,
      (fake: Fake) => {
        fake.unopened = code;
        return undefined;
      },
    ]),
  ),
  "host-gone": (fake, now) => {
    one(fake, now);
    setTimeout(() => fake.emit({ type: "host_gone" }), 50);
    return undefined;
  },
};
