import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { tauri, type Client } from "./ipc/client";
import { HOME, type Place } from "./shared/place.svelte";

async function choose(): Promise<{ client: Client; place: Place }> {
  // The condition is a constant in a production build, so the fake is left out of it.
  if (import.meta.env.MODE !== "production") {
    const scenario = new URLSearchParams(location.search).get("fake");
    if (scenario !== null) {
      const { startScenario } = await import("./ipc/fake");
      return startScenario(scenario);
    }
  }
  return { client: tauri, place: HOME };
}

const target = document.getElementById("app");
if (target) void choose().then(({ client, place }) => mount(App, { target, props: { client, place } }));
