import type { CommandError, ReceiptView } from "../ipc/generated/contract";
import type { Session } from "../shared/session.svelte";

/** One receipt, to read, print and keep. */
export class Receipt {
  view: ReceiptView | null = $state.raw(null);
  problem: CommandError | null = $state(null);
  saving = $state(false);
  /** Where a copy was written. */
  saved: string | null = $state(null);
  readonly #session: Session;
  readonly #id: string;

  constructor(session: Session, id: string) {
    this.#session = session;
    this.#id = id;
  }

  async read(): Promise<void> {
    const outcome = await this.#session.ask("show_receipt", { receipt: this.#id });
    if (outcome.ok) {
      this.view = outcome.answer;
      this.problem = null;
    } else this.problem = outcome.problem;
  }

  async save(): Promise<void> {
    if (this.saving) return;
    this.saving = true;
    this.saved = null;
    this.problem = null;
    const outcome = await this.#session.ask("save_receipt", { receipt: this.#id });
    this.saving = false;
    if (outcome.ok) this.saved = outcome.answer.path;
    else this.problem = outcome.problem;
  }
}
