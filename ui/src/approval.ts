import { mount } from "svelte";
import "./app.css";
import Approval from "./approval/Approval.svelte";
import { tauriApproval, type ApprovalClient } from "./ipc/client";

async function choose(): Promise<ApprovalClient> {
  // The condition is a constant in a production build, so the fake is left out of it.
  if (import.meta.env.MODE !== "production") {
    const scenario = new URLSearchParams(location.search).get("fake");
    if (scenario !== null) {
      const { startApproval } = await import("./ipc/fake-approval");
      return startApproval(scenario);
    }
  }
  return tauriApproval;
}

const target = document.getElementById("app");
if (target) void choose().then((client) => mount(Approval, { target, props: { client } }));
