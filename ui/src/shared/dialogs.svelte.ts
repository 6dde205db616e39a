import { untrack } from "svelte";

/** How many questions stand over the page, so that none is put over another. */
class Dialogs {
  #open = $state(0);

  get any(): boolean {
    return this.#open > 0;
  }

  // Whoever opens or closes does not wait for the number.
  opened(): void {
    untrack(() => (this.#open += 1));
  }

  closed(): void {
    untrack(() => (this.#open -= 1));
  }
}

export const dialogs = new Dialogs();
