import { NOTHING } from "../ipc/client";
import type { CommandError, RuleAct, RuleKind, RuleView } from "../ipc/generated/contract";
import type { Session } from "../shared/session.svelte";
import { rules as words } from "../text/agents";

/** The rules that watch over agents. */
export class Rules {
  list: RuleView[] | null = $state.raw(null);
  problem: CommandError | null = $state.raw(null);
  /** The rule that was saved last. */
  saved: RuleKind | null = $state(null);
  /** What is wrong with a number that was typed. */
  wrong: Partial<Record<RuleKind, string>> = $state({});
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async read(): Promise<void> {
    const outcome = await this.#session.ask("list_rules", NOTHING);
    if (outcome.ok) {
      this.list = outcome.answer;
      this.problem = null;
    } else this.problem = outcome.problem;
  }

  setAct(rule: RuleView, act: RuleAct): Promise<void> {
    return this.#set({ ...rule, act });
  }

  /** Takes a number as it was typed. */
  async setThreshold(rule: RuleView, typed: string): Promise<void> {
    const threshold = /^\d{1,6}$/.test(typed.trim()) ? Number(typed) : 0;
    this.wrong = { ...this.wrong, [rule.id]: threshold === 0 ? words.unfit : undefined };
    if (threshold > 0 && threshold !== rule.threshold) await this.#set({ ...rule, threshold });
  }

  async #set(rule: RuleView): Promise<void> {
    this.saved = null;
    const outcome = await this.#session.ask("set_rule", rule);
    if (outcome.ok) {
      this.list = outcome.answer;
      this.problem = null;
      this.saved = rule.id;
    } else {
      this.problem = outcome.problem;
      // The fields go back to what holds.
      this.list = this.list && [...this.list];
    }
  }
}
