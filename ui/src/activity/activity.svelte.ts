import { NOTHING } from "../ipc/client";
import type {
  ActivityDetails,
  ActivityEntry,
  ActivityFilter,
  ActivityKind,
  ActivityVerdict,
  CommandError,
} from "../ipc/generated/contract";
import type { Outcome, Session } from "../shared/session.svelte";

/** As many records as are read at a time. */
export const PAGE = 50;

/** What narrows the list down; an empty text is no choice. */
export type Chosen = { agent: string; bank: string; kind: ActivityKind | ""; text: string };

export const EVERYTHING: Chosen = { agent: "", bank: "", kind: "", text: "" };

/** Entries of one day. */
export type Day = { at: number; entries: ActivityEntry[] };

/** The records of a list, by the days on which they were made. */
export function byDay(entries: ActivityEntry[]): Day[] {
  const days: Day[] = [];
  for (const entry of entries) {
    const last = days.at(-1);
    if (last && new Date(last.at).toDateString() === new Date(entry.at).toDateString())
      last.entries.push(entry);
    else days.push({ at: entry.at, entries: [entry] });
  }
  return days;
}

/** The Activity page. What is new is not put over what is being read: it is offered. */
export class Activity {
  entries: ActivityEntry[] | null = $state.raw(null);
  more = $state(false);
  /** Something was recorded since this was read. */
  fresh = $state(false);
  chosen: Chosen = $state.raw(EVERYTHING);
  reading: "first" | "more" | null = $state(null);
  problem: CommandError | null = $state.raw(null);
  verdict: ActivityVerdict | null = $state.raw(null);
  saved: string | null = $state(null);
  busy: "check" | "export" | null = $state(null);
  refusal: CommandError | null = $state.raw(null);
  readonly #session: Session;
  readonly #grant: string | null;
  /** Counts readings, so that the answer to an older choice is dropped. */
  #readings = 0;

  constructor(session: Session, grant: string | null, agent: string) {
    this.#session = session;
    this.#grant = grant;
    this.chosen = { ...EVERYTHING, agent };
  }

  #filter(before: number | null): ActivityFilter {
    const { agent, bank, kind, text } = this.chosen;
    return {
      agent: agent || null,
      grant: this.#grant,
      bank: bank || null,
      kinds: kind ? [kind] : [],
      before,
      text: text.trim() || null,
      most: PAGE,
    };
  }

  choose(changes: Partial<Chosen>): Promise<void> {
    this.chosen = { ...this.chosen, ...changes };
    return this.read();
  }

  async read(): Promise<void> {
    const reading = ++this.#readings;
    this.reading = "first";
    this.fresh = false;
    const outcome = await this.#session.ask("list_activity", this.#filter(null));
    if (reading !== this.#readings) return;
    this.reading = null;
    if (outcome.ok) {
      this.entries = outcome.answer.entries;
      this.more = outcome.answer.more;
      this.problem = null;
    } else this.problem = outcome.problem;
  }

  /** Reads on from the oldest that is shown. */
  async readMore(): Promise<void> {
    const oldest = this.entries?.at(-1)?.seq;
    if (oldest === undefined || this.reading !== null) return;
    const reading = ++this.#readings;
    this.reading = "more";
    const outcome = await this.#session.ask("list_activity", this.#filter(oldest));
    if (reading !== this.#readings) return;
    this.reading = null;
    if (outcome.ok) {
      this.entries = [...(this.entries ?? []), ...outcome.answer.entries];
      this.more = outcome.answer.more;
      this.problem = null;
    } else this.problem = outcome.problem;
  }

  /** Something was recorded. */
  changed(): void {
    if (this.entries?.length === 0) void this.read();
    else this.fresh = true;
  }

  details(seq: number): Promise<Outcome<ActivityDetails>> {
    return this.#session.ask("show_activity", { seq });
  }

  async check(): Promise<void> {
    if (this.busy) return;
    this.busy = "check";
    this.verdict = null;
    this.refusal = null;
    const outcome = await this.#session.ask("check_activity", NOTHING);
    this.busy = null;
    if (outcome.ok) this.verdict = outcome.answer;
    else this.refusal = outcome.problem;
  }

  async export(): Promise<void> {
    if (this.busy) return;
    this.busy = "export";
    this.saved = null;
    this.refusal = null;
    const outcome = await this.#session.ask("export_activity", NOTHING);
    this.busy = null;
    if (outcome.ok) this.saved = outcome.answer.path;
    else this.refusal = outcome.problem;
  }
}
