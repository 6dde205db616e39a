import type { AgentMark, AgentView, PermissionView, ProviderView } from "../ipc/generated/contract";
import { asField, date, DAY, endOfDate, endOfDay } from "../shared/time";
import { connect as words } from "../text/en";

export type UntilChoice = "today" | "30" | "90" | "date";

/** What keeps the person from going on, beside its field. */
export type ChoiceProblems = { agent: string | null; permissions: string | null; until: string | null };

/** What is chosen in step 2, for one bank. */
export class Choice {
  bank: ProviderView = $state.raw({} as ProviderView);
  agent: AgentMark | null = $state.raw(null);
  until: UntilChoice = $state("30");
  date = $state("");
  /** Shown only once the person has tried to go on. */
  tried = $state(false);
  #chosen: string[] = $state([]);

  constructor(bank: ProviderView, agents: AgentView[], now: number) {
    this.bank = bank;
    this.agent = agents.length === 1 ? (agents[0] ?? null) : null;
    this.#chosen = bank.permissions.filter((one) => one.risk === "read").map((one) => one.id);
    if (!this.allowed("30")) {
      this.until = "date";
      this.date = asField(this.latest(now));
    }
  }

  has(id: string): boolean {
    return this.#chosen.includes(id);
  }

  /** What is chosen, in the bank's order. */
  get permissions(): PermissionView[] {
    return this.bank.permissions.filter((one) => this.has(one.id));
  }

  /** The chosen permissions that make no sense without this one. */
  dependents(id: string): PermissionView[] {
    return this.permissions.filter((one) => one.id !== id && one.needs.includes(id));
  }

  /** Turns a permission on, with what it needs, or off, unless another needs it. */
  toggle(id: string): void {
    if (!this.has(id)) {
      this.#chosen = [...new Set([...this.#chosen, ...this.#withNeeds(id)])];
    } else if (this.dependents(id).length === 0) {
      this.#chosen = this.#chosen.filter((one) => one !== id);
    }
  }

  /** Chooses exactly these, as far as the bank offers them. */
  choose(ids: string[]): void {
    const known = ids.filter((id) => this.bank.permissions.some((one) => one.id === id));
    this.#chosen = [...new Set(known.flatMap((id) => this.#withNeeds(id)))];
  }

  #withNeeds(id: string, seen: string[] = []): string[] {
    if (seen.includes(id)) return [];
    const needs = this.bank.permissions.find((one) => one.id === id)?.needs ?? [];
    return [id, ...needs.flatMap((need) => this.#withNeeds(need, [...seen, id]))];
  }

  /** Whether the bank allows this long. */
  allowed(choice: UntilChoice): boolean {
    if (choice === "30") return this.bank.max_days >= 30;
    if (choice === "90") return this.bank.max_days >= 90;
    return true;
  }

  /** The latest moment the bank allows. */
  latest(now: number): number {
    return now + this.bank.max_days * DAY;
  }

  /** The chosen end, never later than the bank allows; null where there is none yet. */
  untilAt(now: number): number | null {
    if (this.until === "today") return endOfDay(now);
    if (this.until !== "date") return Math.min(endOfDay(now, Number(this.until)), this.latest(now));
    const end = endOfDate(this.date);
    if (end === null || end < now) return null;
    const latest = this.latest(now);
    return end <= latest ? end : asField(latest) === this.date ? latest : null;
  }

  problems(now: number): ChoiceProblems {
    const until = this.untilAt(now) === null ? this.#dateProblem(now) : null;
    return {
      agent: this.agent ? null : words.agentMissing,
      permissions: this.permissions.length > 0 ? null : words.nothingChosen,
      until,
    };
  }

  #dateProblem(now: number): string {
    if (!this.date) return words.dateMissing;
    return words.dateUnfit(date(now, now), date(this.latest(now), now));
  }
}
