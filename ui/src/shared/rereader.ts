/**
 * Runs a read again whenever asked, one at a time, and never loses the last request: an event that arrives
 * while a read is on its way leads to one more read after it.
 */
export class Rereader {
  readonly #read: () => Promise<void>;
  #running: Promise<void> | null = null;
  #again = false;

  constructor(read: () => Promise<void>) {
    this.#read = read;
  }

  /** Resolves when a read that began after this request has been taken in. */
  ask(): Promise<void> {
    if (this.#running) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#loop().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #loop(): Promise<void> {
    do {
      this.#again = false;
      await this.#read();
    } while (this.#again);
  }
}
