import type { Place } from "../shared/place.svelte";
import { historySentences } from "../text/en";
import type { Fake } from "./fake";
import {
  account,
  appState,
  attempt,
  bankMark,
  BANKS,
  DAY,
  grant,
  revocation,
  type GrantChanges,
} from "./fake-data";
import { narrow } from "./fake-life";
import type {
  AppState,
  AskedWhat,
  AttemptView,
  HistoryKind,
  ReconnectWhyView,
  TroubleKind,
} from "./generated/contract";
import { alive, atRevoked, everyTold, MINUTE, one, type Scenario } from "./scenarios-base";

/** A connection's life, the lock and the stop, for `?fake=<name>`. */

/** One connection, in this state. */
function atGrant(changes: (now: number) => GrantChanges, page = true): Scenario {
  return (fake, now) => {
    one(fake, now);
    fake.grants = [grant("one", now, changes(now))];
    return page ? { view: "connection", id: "one" } : undefined;
  };
}

function paused(now: number): GrantChanges {
  return { state: { kind: "paused", since: now - 26 * 3_600_000, ends_soon: false } };
}

/** Why a connection may need the person. */
export const EVERY_WHY = [
  "answer_lost",
  "another_person",
  "damaged_record",
  "ended_at_bank",
  "no_refresh_token",
  "refused_at_bank",
  "store_restored",
] as const satisfies ReconnectWhyView[];

/** What may stand between a connection and its bank. */
export const EVERY_TROUBLE = [
  "bank_busy",
  "bank_misbehaved",
  "bank_refused",
  "bank_unreachable",
  "keychain",
  "known_address",
  "locked",
] as const satisfies TroubleKind[];

/** A bank's trouble as it stands three minutes after the last try. */
export function troubled(what: TroubleKind, now: number): GrantChanges {
  const detail = what === "bank_refused" ? "temporarily_unavailable" : null;
  const trouble = { what, detail, tried_at: now - 3 * MINUTE, next_try: now + 7 * MINUTE };
  return { trouble, confirmed_at: now - 26 * 3_600_000 };
}

/** Two connections, one paused, and one that needs the person; the whole as given. */
function whole(changes: Partial<AppState>, place?: Place): Scenario {
  return (fake, now) => {
    one(fake, now);
    fake.grants = [
      grant("one", now),
      grant("two", now, {
        agent: { id: "rent", name: "Rent Reminder", thumbprint: "rent-thumbprint-2" },
        bank: BANKS[1] ?? bankMark(),
        allowed: ["accounts", "balances"],
        state: { kind: "paused", since: now - 2 * DAY, ends_soon: false },
      }),
    ];
    fake.app = appState(changes);
    return place;
  };
}

function asking(what: AskedWhat["kind"]): Scenario {
  return (fake, now) => {
    one(fake, now);
    const { row } = grant("one", now);
    const mark = { grant: "one", bank: row.bank, agent: row.agent };
    const all: AskedWhat[] = [
      {
        kind: "connect",
        bank: row.bank,
        agent: row.agent,
        permissions: row.permissions,
        until: now + 30 * DAY,
        by_agent: false,
        purpose: null,
      },
      { kind: "resume", ...mark },
      { kind: "resume_agent", agent: row.agent },
      { kind: "resume_agents" },
      { kind: "widen", ...mark },
    ];
    const first = all.find((one) => one.kind === what) ?? { kind: "resume_agents" };
    const asked = [first, { kind: "resume_agents" } as const];
    fake.app = appState({
      asked: asked.map((what, i) => ({ id: `asked-${i}`, at: now - (2 - i) * MINUTE, what })),
      stopped: what === "resume_agents" ? { since: now - DAY, recorded: true } : null,
    });
    if (what === "resume")
      fake.grants = [grant("one", now, { state: { kind: "paused", since: now - DAY, ends_soon: false } })];
    if (what === "widen") narrowed(fake, now);
    return undefined;
  };
}

function narrowed(fake: Fake, now: number): Place {
  const view = grant("one", now - MINUTE);
  const left = { permissions: ["accounts", "balances"], accounts: ["everyday"], until: now + 20 * DAY };
  fake.grants = [narrow(view, { grant: "one", ...left }, now - MINUTE)];
  return { view: "connection", id: "one" };
}

/** Everything that has happened to one connection, with each receipt. */
function longLife(fake: Fake, now: number): Place {
  one(fake, now);
  const view = grant("one", now);
  const kinds = Object.keys(historySentences) as HistoryKind[];
  view.history = kinds.map((what, i) => ({ at: now - i * 11 * 3_600_000, what })).reverse();
  const receipts = ["widened", "narrowed", "renewed", "connected"] as const;
  view.receipts = receipts.map((what, i) => ({ id: `receipt-${what}`, at: now - i * 3 * DAY, what }));
  fake.grants = [view];
  return { view: "connection", id: "one" };
}

function renewing(changes: Partial<AttemptView>): Scenario {
  return (fake, now) => {
    one(fake, now);
    fake.attempts = [attempt("open", now, { renews: "one", ...changes })];
    return { view: "connect", attempt: "open" };
  };
}

function otherAccount(fake: Fake, now: number): Place {
  one(fake, now);
  const other = {
    holder: "Jakob Nowak",
    accounts: [account("jakob", "Current account", "7710"), account("holiday", "Holiday", "0025")],
    until: now + 4 * MINUTE,
  };
  fake.attempts = [
    attempt("open", now, { renews: "one", step: "other_account", other, waiting_until: null }),
  ];
  return { view: "connect", attempt: "open" };
}

/** What is shown of all that. */
export const LIFE: Record<string, Scenario> = {
  paused: atGrant(paused),
  "paused-row": atGrant(paused, false),
  soon: (fake, now) => {
    one(fake, now);
    const soon = { state: { kind: "active", ends_soon: true }, ends_at: now + 4 * DAY } as const;
    const quiet = { id: "rent", name: "Rent Reminder", thumbprint: "rent-thumbprint-2" };
    fake.grants = [grant("one", now, soon), grant("two", now, { ...soon, no_reminders: true, agent: quiet })];
    return undefined;
  },
  "soon-page": atGrant((now) => ({ state: { kind: "active", ends_soon: true }, ends_at: now + 4 * DAY })),
  ...Object.fromEntries(
    EVERY_WHY.flatMap((why) => {
      const changes = (now: number): GrantChanges => ({
        state: { kind: "reconnect", since: now - DAY, why },
      });
      return [
        [`reconnect-${why}`, atGrant(changes)],
        [`reconnect-${why}-row`, atGrant(changes, false)],
      ];
    }),
  ),
  ...Object.fromEntries(
    EVERY_TROUBLE.map((what) => [`trouble-${what}`, atGrant((now) => troubled(what, now), false)]),
  ),
  "trouble-page": atGrant((now) => troubled("bank_refused", now)),
  narrowed: (fake, now) => {
    one(fake, now);
    return narrowed(fake, now);
  },
  "long-life": longLife,
  replaced: (fake, now) => {
    one(fake, now);
    fake.attempts = [attempt("renewal", now, { renews: "one" })];
    fake.end("renewal", { kind: "connected", missing: [], extra: [] });
    return { view: "connection", id: "one" };
  },
  renewed: (fake, now) => {
    one(fake, now);
    fake.attempts = [attempt("renewal", now, { renews: "one" })];
    fake.end("renewal", { kind: "connected", missing: [], extra: [] });
    return { view: "connect", attempt: "renewal" };
  },
  "ended-page": atGrant((now) => ({ state: { kind: "ended", facts: null }, ends_at: now - DAY })),
  "ended-facts": atGrant((now) => ({
    state: { kind: "ended", facts: revocation(now - DAY, { kind: "confirmed", at: now - DAY + MINUTE }) },
    ends_at: now - DAY,
  })),
  "consent-withdrawn": atGrant((now) => {
    const facts = revocation(now - DAY, { kind: "confirmed", at: now - DAY + MINUTE });
    const consent = { kind: "withdrawn", at: now - DAY + MINUTE } as const;
    return { state: { kind: "revoked", facts: { ...facts, consent }, replaced_by: null } };
  }),
  "consent-not_yet": atGrant((now) => {
    const told = everyTold(now).bank_to_answer ?? ({ kind: "not_offered" } as const);
    const facts = {
      ...revocation(now - 3 * MINUTE, told, now + 50 * MINUTE),
      consent: { kind: "not_yet" } as const,
    };
    return { state: { kind: "revoked", facts, replaced_by: null } };
  }),
  receipt: (fake, now) => {
    one(fake, now);
    return { view: "receipt", id: "receipt-one", grant: "one" };
  },
  "receipt-revoked": (fake, now) => {
    atRevoked("bank_to_answer")(fake, now);
    return { view: "receipt", id: "receipt-one-end", grant: "one" };
  },
  renew: (fake, now) => {
    one(fake, now);
    alive(fake);
    return { view: "renew", grant: "one" };
  },
  "renew-bank-gone": (fake, now) => {
    one(fake, now);
    fake.providers = [];
    return { view: "renew", grant: "one" };
  },
  "renew-saving": renewing({ step: "saving", waiting_until: null }),
  "renew-declined": (fake, now) => {
    const place = renewing({})(fake, now);
    fake.end("open", { kind: "declined" });
    return place;
  },
  "other-account": otherAccount,
  stopped: (fake, now) => whole({ stopped: { since: now - 2 * MINUTE, recorded: true } })(fake, now),
  "stopped-unrecorded": whole({ stopped: { since: null, recorded: false } }),
  ...Object.fromEntries(
    (["idle", "person", "screen", "start"] as const).map((by): [string, Scenario] => [
      `locked-${by}`,
      (fake, now) => {
        const protection = by === "person" ? "keychain" : "passphrase";
        return whole({ lock: { kind: "locked", since: now - 40 * MINUTE, by }, protection })(fake, now);
      },
    ]),
  ),
  "locked-stopped": (fake, now) =>
    whole({
      lock: { kind: "locked", since: now - 40 * MINUTE, by: "idle" },
      stopped: { since: now - MINUTE, recorded: true },
    })(fake, now),
  restored: (fake, now) => {
    const place = whole({ restored_at: now - 12 * MINUTE })(fake, now);
    fake.grants = fake.grants.map((view) => ({
      ...view,
      row: {
        ...view.row,
        state: { kind: "reconnect", since: now - 12 * MINUTE, why: "store_restored" },
      },
    }));
    return place;
  },
  "clock-ahead": whole({ clock_ahead: 14 * 60 }),
  "clock-behind": whole({ clock_ahead: -3 * 3_600 }),
  settings: whole({}, { view: "settings" }),
  "settings-passphrase": whole(
    {
      protection: "keychain_and_passphrase",
      lock_settings: { idle_minutes: 30, with_screen: true },
      home: "/home/aleksandra/.local/share/countersign-test",
    },
    { view: "settings" },
  ),
  ...Object.fromEntries(
    (["connect", "resume", "resume_agents", "widen"] as const).map((kind) => [`asked-${kind}`, asking(kind)]),
  ),
};
