/** The time as the window shows it, moved on often enough that no sentence goes stale. */
class Now {
  ms = $state(Date.now());

  /** Keeps the time going; returns what stops it. */
  run(): () => void {
    this.ms = Date.now();
    const timer = setInterval(() => {
      this.ms = Date.now();
    }, 10_000);
    return () => clearInterval(timer);
  }
}

export const now = new Now();
