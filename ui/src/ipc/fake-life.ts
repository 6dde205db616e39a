import { isCurrent } from "../grants/standing";
import type { Fake } from "./fake";
import * as data from "./fake-data";
import type {
  CommandError,
  ErrorCode,
  GrantRow,
  GrantView,
  HistoryKind,
  NarrowGrant,
  ReceiptKind,
  ReceiptView,
} from "./generated/contract";

/** What the fake host does to connections: what the real one does, without a bank. */

export function refuse(code: ErrorCode): never {
  const refusal: CommandError = { code, reference: null };
  // The host rejects with a plain object.
  // eslint-disable-next-line @typescript-eslint/only-throw-error
  throw refusal;
}

/** Whether it has not ended. */
export function lives(view: GrantView): boolean {
  return isCurrent(view.row.state);
}

function living(view: GrantView): GrantView {
  if (view.row.state.kind === "revoked") return refuse("grant_revoked");
  return view.row.state.kind === "ended" ? refuse("grant_over") : view;
}

function changed(
  view: GrantView,
  row: Partial<GrantRow>,
  now: number,
  what: HistoryKind,
  receipt: ReceiptKind | null = null,
): GrantView {
  const kept = { id: `receipt-${view.row.id}-${view.receipts.length}`, at: now };
  return {
    ...view,
    row: { ...view.row, ...row },
    history: [{ at: now, what }, ...view.history],
    receipts: receipt ? [{ ...kept, what: receipt }, ...view.receipts] : view.receipts,
  };
}

export function pause(view: GrantView, now: number): GrantView {
  const { state } = living(view).row;
  if (state.kind === "reconnect") return refuse("grant_needs_reconnect");
  if (state.kind !== "active") return view;
  return changed(view, { state: { kind: "paused", since: now, ends_soon: state.ends_soon } }, now, "paused");
}

export function resume(view: GrantView, now: number): GrantView {
  const { state } = living(view).row;
  if (state.kind === "reconnect") return refuse("grant_needs_reconnect");
  if (state.kind !== "paused") return view;
  return changed(view, { state: { kind: "active", ends_soon: state.ends_soon } }, now, "resumed");
}

function withAllowed(view: GrantView, permissions: string[], accounts: string[], until: number): GrantView {
  const left = view.consented.filter((one) => permissions.includes(one.id));
  const marked = view.accounts.map((one) => ({ ...one, allowed: accounts.includes(one.id) }));
  const all = left.length === view.consented.length && marked.every((one) => one.allowed);
  return {
    ...view,
    accounts: marked,
    cannot: data.PERMISSIONS.filter((one) => !left.some((other) => other.id === one.id)),
    row: {
      ...view.row,
      permissions: left,
      accounts: marked.filter((one) => one.allowed).length,
      ends_at: until,
      narrowed: !all || until !== view.consent_ends_at,
    },
  };
}

export function narrow(view: GrantView, request: NarrowGrant, now: number): GrantView {
  const { row } = living(view);
  const more = request.permissions.some((id) => !row.permissions.some((one) => one.id === id));
  if (more || request.permissions.length === 0 || request.accounts.length === 0)
    return refuse("permissions_unfit");
  if (request.until < now || request.until > row.ends_at) return refuse("date_out_of_range");
  const next = withAllowed(view, request.permissions, request.accounts, request.until);
  return changed(next, {}, now, "narrowed", "narrowed");
}

export function widen(view: GrantView, now: number): GrantView {
  const all = living(view);
  const ids = all.consented.map((one) => one.id);
  const accounts = all.accounts.map((one) => one.id);
  return changed(withAllowed(all, ids, accounts, all.consent_ends_at), {}, now, "widened", "widened");
}

export function check(view: GrantView, bankUp: boolean, now: number): GrantView {
  if (living(view).row.state.kind === "reconnect") return refuse("grant_needs_reconnect");
  if (bankUp) return changed(view, { confirmed_at: now, trouble: null }, now, "refreshed");
  const trouble = { what: "bank_unreachable", detail: null, tried_at: now, next_try: now + 300_000 } as const;
  return { ...view, row: { ...view.row, trouble } };
}

export function revoke(view: GrantView, now: number): GrantView {
  if (view.row.state.kind === "revoked") return refuse("grant_revoked");
  const told = {
    kind: "not_yet",
    tries: 0,
    last_try: null,
    next_try: now,
    waits_for: "first_try",
  } as const;
  return data.revoked(view, now, told, now + 3_600_000);
}

export function stopTelling(view: GrantView, now: number): GrantView {
  if (view.row.state.kind !== "revoked") return refuse("grant_unknown");
  const { state } = view.row;
  const facts = { ...state.facts, bank: { kind: "given_up" as const, at: now } };
  return changed(view, { state: { ...state, facts } }, now, "given_up");
}

/** A renewal's new connection ends the one it was for. */
export function replace(fake: Fake, old: string, by: string, now: number): void {
  fake.grants = fake.grants.map((view) =>
    view.row.id === old && lives(view)
      ? data.revoked(view, now, { kind: "confirmed", at: now }, null, by)
      : view,
  );
}

export function receipt(fake: Fake, id: string): ReceiptView {
  for (const view of fake.grants) {
    const entry = view.receipts.find((one) => one.id === id);
    if (!entry) continue;
    const { row } = view;
    const over = entry.what === "revoked" || entry.what === "ended";
    const facts = "facts" in row.state ? row.state.facts : null;
    const shown = {
      ...entry,
      bank: row.bank.name,
      issuer: `https://${row.bank.host}`,
      agent: row.agent.name,
      thumbprint: row.agent.thumbprint,
      holder: view.holder,
      permissions: over ? [] : row.permissions.map((one) => one.text),
      accounts: view.accounts.map((one) => ({ name: one.name, number: one.masked })),
      until: over ? null : row.ends_at,
    };
    return { ...shown, facts: over ? facts : null, json: JSON.stringify(shown, null, 2) };
  }
  return refuse("receipt_unknown");
}
