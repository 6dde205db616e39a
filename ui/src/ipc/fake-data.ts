import type {
  AccountView,
  AgentView,
  AppState,
  AttemptView,
  BankMark,
  BankTold,
  GrantRow,
  GrantView,
  HistoryKind,
  PermissionView,
  ProviderView,
  RevocationView,
} from "./generated/contract";

/** Realistic data for the fake: made here, never read from anywhere. */

const MINUTE = 60_000;
export const DAY = 86_400_000;

export const PERMISSIONS: PermissionView[] = [
  {
    id: "accounts",
    short: "accounts",
    text: "your accounts: name, type and the last four digits",
    cannot: "see your accounts",
    group: "see",
    risk: "read",
    needs: [],
  },
  {
    id: "balances",
    short: "balances",
    text: "your balances: what is in each account now",
    cannot: "see your balances",
    group: "see",
    risk: "read",
    needs: ["accounts"],
  },
  {
    id: "transactions",
    short: "transactions",
    text: "your transactions: date, amount, and who was paid",
    cannot: "see your transactions",
    group: "see",
    risk: "read",
    needs: ["accounts"],
  },
  {
    id: "identity",
    short: "name and contact details",
    text: "your name, address, e-mail and phone number",
    cannot: "see your name or address",
    group: "see",
    risk: "personal",
    needs: [],
  },
  {
    id: "payees",
    short: "saved payees",
    text: "the people and companies you have saved to pay",
    cannot: "see who you have saved to pay",
    group: "see",
    risk: "personal",
    needs: [],
  },
  {
    id: "payments",
    short: "payments",
    text: "pay your saved payees, after you allow each payment",
    cannot: "move money",
    group: "do",
    risk: "money",
    needs: ["accounts", "payees"],
  },
];

export function permissions(...ids: string[]): PermissionView[] {
  return PERMISSIONS.filter((one) => ids.includes(one.id));
}

function without(granted: PermissionView[]): PermissionView[] {
  return PERMISSIONS.filter((one) => !granted.some((other) => other.id === one.id));
}

export function bankMark(
  id = "sandbox-bank",
  name = "Sandbox Bank",
  monogram = "SB",
  colour = "#0b5d6b",
): BankMark {
  return { id, name, monogram, colour, host: `${id}.example`, help: `https://${id}.example/connected-apps` };
}

export function provider(bank: BankMark = bankMark(), changes: Partial<ProviderView> = {}): ProviderView {
  return {
    id: bank.id,
    name: bank.name,
    monogram: bank.monogram,
    colour: bank.colour,
    host: bank.host,
    unverified: false,
    shared_consents: false,
    max_days: 90,
    permissions: PERMISSIONS,
    ...changes,
  };
}

export const BANKS: BankMark[] = [
  bankMark(),
  bankMark("first-harbour", "First Harbour Savings", "FH", "#f2c14e"),
  bankMark("alder-and-finch", "Alder & Finch", "AF", "#2f4858"),
  bankMark("genossenschaft", "Genossenschaftsbank Oberes Donautal eG", "GOD", "#c6371d"),
  bankMark("cordillera", "Banco de la Cordillera", "BC", "#e8e3d3"),
  bankMark("meridian", "Meridian Credit Union", "MC", "#5b3a8c"),
  bankMark("northwind", "Northwind", "N", "#1d6b34"),
];

export function agent(id: string, name: string, now: number, connections = 0): AgentView {
  return {
    id,
    name,
    thumbprint: `${id}-thumbprint-Zr8kQ1xW0bT`,
    added_at: now - 12 * DAY,
    connections,
    paused: null,
    removed_at: null,
    last_seen: null,
    choices: [],
  };
}

export const LONG_AGENT = "The Household Budget and Rent Reminder Assistant for Aleksandra";

export function account(
  id: string,
  name: string,
  masked: string,
  currency: string | null = "EUR",
): AccountView {
  return { id, allowed: true, name, masked, currency };
}

export type GrantChanges = Partial<GrantRow> & { allowed?: string[]; view?: Partial<GrantView> };

export function grant(id: string, now: number, changes: GrantChanges = {}): GrantView {
  const { allowed = ["accounts", "balances", "transactions"], view = {}, ...row } = changes;
  const granted = permissions(...allowed);
  const created = now - 11 * DAY;
  return {
    row: {
      id,
      bank: bankMark(),
      agent: { id: "budget-buddy", name: "Budget Buddy", thumbprint: "budget-buddy-thumbprint-Zr8kQ1xW0bT" },
      permissions: granted,
      accounts: 2,
      created_at: created,
      ends_at: now + 79 * DAY,
      last_used_at: now - 42 * MINUTE,
      used_this_week: 12,
      confirmed_at: now - 42 * MINUTE,
      narrowed: false,
      trouble: null,
      no_reminders: false,
      state: { kind: "active", ends_soon: false },
      has_extra: false,
      ...row,
    },
    accounts: [account("everyday", "Everyday account", "4417"), account("savings", "Savings", "0932")],
    consented: granted,
    consent_ends_at: row.ends_at ?? now + 79 * DAY,
    receipts: [{ id: `receipt-${id}`, at: row.created_at ?? created, what: "connected" }],
    renews: null,
    holder: "Aleksandra Nowak",
    missing: [],
    extra: [],
    cannot: without(granted),
    shared_consents: false,
    history: [{ at: row.created_at ?? created, what: "connected" }],
    days: [],
    reference: "K7-4MQ-2P",
    ...view,
  };
}

/** How the bank's own list follows: at the fake's banks only the person removes what stands there. */
export function revocation(cutOff: number, bank: BankTold, validUntil: number | null = null): RevocationView {
  return { cut_off_at: cutOff, bank, consent: { kind: "at_bank" }, valid_until: validUntil };
}

/** The same connection after it was revoked, or after another one took its place. */
export function revoked(
  view: GrantView,
  at: number,
  bank: BankTold,
  validUntil: number | null = null,
  replacedBy: string | null = null,
): GrantView {
  const history = [{ at, what: "revoked" as HistoryKind }, ...view.history];
  if (bank.kind === "confirmed") history.unshift({ at: bank.at, what: "bank_confirmed" });
  if (bank.kind === "given_up") history.unshift({ at: bank.at, what: "given_up" });
  if (replacedBy !== null) history.unshift({ at, what: "replaced" });
  return {
    ...view,
    row: {
      ...view.row,
      trouble: null,
      state: { kind: "revoked", facts: revocation(at, bank, validUntil), replaced_by: replacedBy },
    },
    receipts: [{ id: `receipt-${view.row.id}-end`, at, what: "revoked" }, ...view.receipts],
    history,
  };
}

export function attempt(id: string, now: number, changes: Partial<AttemptView> = {}): AttemptView {
  const chosen = permissions("accounts", "balances", "transactions");
  return {
    id,
    reference: "K7-4MQ-2P",
    revision: 1,
    bank: bankMark(),
    agent: { id: "budget-buddy", name: "Budget Buddy", thumbprint: "budget-buddy-thumbprint-Zr8kQ1xW0bT" },
    permissions: chosen,
    not_chosen: without(chosen),
    until: now + 30 * DAY,
    started_at: now - MINUTE,
    waiting_until: now + 4 * MINUTE,
    browser: "opened",
    step: "at_bank",
    ending: null,
    grant: null,
    renews: null,
    other: null,
    ...changes,
  };
}

export function appState(changes: Partial<AppState> = {}): AppState {
  return {
    sandbox: true,
    home: null,
    version: "0.1.0",
    keychain: "ready",
    lock: { kind: "open" },
    protection: "keychain",
    lock_settings: { idle_minutes: null, with_screen: false },
    stopped: null,
    restored_at: null,
    clock_ahead: null,
    asked: [],
    rule_alerts: [],
    catalogue_problems: [],
    quit_asked: false,
    no_tray: false,
    ...changes,
  };
}
