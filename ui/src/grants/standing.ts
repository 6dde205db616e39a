import type { GrantState } from "../ipc/generated/contract";

/** Whether a connection has not ended. */
export function isCurrent(state: GrantState): boolean {
  return state.kind !== "ended" && state.kind !== "revoked";
}

/** Whether its end is near enough to say so. */
export function endsSoon(state: GrantState): boolean {
  return (state.kind === "active" || state.kind === "paused") && state.ends_soon;
}
