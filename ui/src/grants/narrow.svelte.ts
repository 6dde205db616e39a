import type { GrantView, NarrowGrant, PermissionView } from "../ipc/generated/contract";
import { asField, date, endOfDate } from "../shared/time";
import { narrow as words } from "../text/life";

/** What keeps the person from narrowing, beside its field. */
export type NarrowProblems = {
  permissions: string | null;
  accounts: string | null;
  until: string | null;
  all: string | null;
};

/** What is left of a connection while the person takes something back. It can only become less. */
export class Narrowing {
  date = $state("");
  tried = $state(false);
  readonly #view: GrantView;
  #permissions: string[] = $state([]);
  #accounts: string[] = $state([]);

  constructor(view: GrantView) {
    this.#view = view;
    this.#permissions = view.row.permissions.map((one) => one.id);
    this.#accounts = this.accounts.map((one) => one.id);
    this.date = asField(view.row.ends_at);
  }

  /** The accounts that it may use so far. */
  get accounts() {
    return this.#view.accounts.filter((one) => one.allowed);
  }

  /** What it may do so far. */
  get offered(): PermissionView[] {
    return this.#view.row.permissions;
  }

  /** What is left of that. */
  get permissions(): PermissionView[] {
    return this.offered.filter((one) => this.has(one.id));
  }

  /** How many accounts are left. */
  get accountsLeft(): number {
    return this.#accounts.length;
  }

  has(id: string): boolean {
    return this.#permissions.includes(id);
  }

  hasAccount(id: string): boolean {
    return this.#accounts.includes(id);
  }

  /** What is left and makes no sense without this one. */
  dependents(id: string): PermissionView[] {
    return this.permissions.filter((one) => one.id !== id && one.needs.includes(id));
  }

  toggle(id: string): void {
    if (!this.has(id)) this.#permissions = [...new Set([...this.#permissions, ...this.#withNeeds(id)])];
    else if (this.dependents(id).length === 0) {
      this.#permissions = this.#permissions.filter((one) => one !== id);
    }
  }

  #withNeeds(id: string, seen: string[] = []): string[] {
    const known = this.offered.find((one) => one.id === id);
    if (!known || seen.includes(id)) return [];
    return [id, ...known.needs.flatMap((need) => this.#withNeeds(need, [...seen, id]))];
  }

  toggleAccount(id: string): void {
    this.#accounts = this.hasAccount(id)
      ? this.#accounts.filter((one) => one !== id)
      : [...this.#accounts, id];
  }

  /** The end that is left, or null where the field holds none that fits. */
  untilAt(now: number): number | null {
    const { ends_at } = this.#view.row;
    if (this.date === asField(ends_at)) return ends_at;
    const end = endOfDate(this.date);
    return end !== null && end >= now && end < ends_at ? end : null;
  }

  problems(now: number): NarrowProblems {
    const until = this.untilAt(now);
    const wrong = {
      permissions: this.permissions.length > 0 ? null : words.noPermission,
      accounts: this.#accounts.length > 0 || this.accounts.length === 0 ? null : words.noAccount,
      until: until === null ? this.#dateProblem(now) : null,
    };
    const same =
      this.permissions.length === this.offered.length &&
      this.#accounts.length === this.accounts.length &&
      until === this.#view.row.ends_at;
    return { ...wrong, all: same ? words.unchanged : null };
  }

  #dateProblem(now: number): string {
    if (!this.date) return words.dateMissing;
    return words.dateUnfit(date(now, now), date(this.#view.row.ends_at, now));
  }

  /** What to ask for, once nothing is wrong. */
  request(now: number): Omit<NarrowGrant, "grant"> | null {
    this.tried = true;
    const until = this.untilAt(now);
    if (until === null || Object.values(this.problems(now)).some((one) => one !== null)) return null;
    return { permissions: this.permissions.map((one) => one.id), accounts: this.#accounts, until };
  }
}
