/** Where in the window the person is. */
export type Place =
  | { view: "connections"; tab: "current" | "history" }
  | { view: "connection"; id: string }
  | { view: "connect"; attempt: string | null }
  | { view: "renew"; grant: string }
  | { view: "receipt"; id: string; grant: string }
  | { view: "agents" }
  | { view: "activity"; agent?: string; grant?: string }
  | { view: "settings" };

export const HOME: Place = { view: "connections", tab: "current" };

/** The place now; there is no address bar and no history to keep. */
export class Way {
  place: Place = $state(HOME);
  /** False until the first move: the first view takes no focus. */
  moved = $state(false);

  constructor(place: Place) {
    this.place = place;
  }

  go(place: Place): void {
    this.moved = true;
    this.place = place;
    window.scrollTo?.(0, 0);
  }
}
