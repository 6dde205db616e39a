import type { Place } from "../shared/place.svelte";
import type { Fake } from "./fake";
import {
  account,
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
import type { AttemptView, EndingView, ErrorCode, KeychainState } from "./generated/contract";
import { alive, atRevoked, everyTold, MINUTE, one, type Scenario } from "./scenarios-base";
import { BROKER } from "./scenarios-broker";
import { LIFE } from "./scenarios-life";

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
  other_account: { kind: "other_account" },
  not_saved: { kind: "not_saved", bank_told: true },
  port_taken: { kind: "port_taken" },
  timed_out: { kind: "timed_out" },
  unexpected_server: { kind: "unexpected_server" },
};

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
    grant("over-3", now, {
      state: { kind: "ended", facts: null },
      ends_at: now - 20 * DAY,
      created_at: now - 110 * DAY,
    }),
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
          account("shared", "Gemeinschaftskonto Hausverwaltung Lindenallee Nebenkosten", "0041"),
          account("captain", "Donaudampfschifffahrtsgesellschaftskapitänskonto", "9912", null),
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
    alive(fake);
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
  ...LIFE,
  ...BROKER,
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
