import { render, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import App from "../src/App.svelte";
import { Fake, startScenario } from "../src/ipc/fake";
import { HOME, type Place } from "../src/shared/place.svelte";

/** Opens the whole window on a scenario's world. */
export async function open(scenario: string, change: (fake: Fake) => void = () => {}) {
  const { client, place } = startScenario(scenario);
  change(client);
  return show(client, place);
}

/** Opens the window on this world. */
export async function show(fake: Fake, place: Place = HOME) {
  delete document.documentElement.dataset.ready;
  const user = userEvent.setup();
  const rendered = render(App, { client: fake, place });
  await waitFor(() => {
    if (!fake.unopened && document.documentElement.dataset.ready !== "true") throw new Error("not ready");
  });
  await settle();
  return { fake, user, ...rendered };
}

/** Lets every answer of the fake arrive and be drawn. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}
