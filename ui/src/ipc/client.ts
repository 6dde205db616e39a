import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { ApprovalCommands, CommandError, Commands, ErrorCode, Event } from "./generated/contract";

/** Every command's name. */
export type CommandName = keyof Commands;

/** What the window needs from whoever answers it: the host through Tauri, or the fake. */
export interface Client {
  /** Asks; a refusal is thrown as a `CommandError`. */
  call<K extends CommandName>(name: K, request: Commands[K]["request"]): Promise<Commands[K]["answer"]>;
  /** Hears that something changed; resolves, once it is listening, with what stops it. */
  on(hear: (event: Event) => void): Promise<() => void>;
}

/** What the approval window needs: it may ask nothing else. */
export interface ApprovalClient {
  call<K extends keyof ApprovalCommands>(
    name: K,
    request: ApprovalCommands[K]["request"],
  ): Promise<ApprovalCommands[K]["answer"]>;
  on(hear: (event: Event) => void): Promise<() => void>;
}

/** The one event of the contract (`EVENT_NAME`). */
const EVENT_NAME = "countersign";

/** The request of commands that take no data. */
export const NOTHING: Commands["app_state"]["request"] = {};

/** Reads a refusal; what is not one of ours becomes `internal`. */
export function asCommandError(thrown: unknown): CommandError {
  if (typeof thrown === "object" && thrown !== null && "code" in thrown && typeof thrown.code === "string") {
    const reference = "reference" in thrown && typeof thrown.reference === "string" ? thrown.reference : null;
    return { code: thrown.code as ErrorCode, reference };
  }
  return { code: "internal", reference: null };
}

const on: Client["on"] = (hear) => listen<Event>(EVENT_NAME, (message) => hear(message.payload));

/** The host, through Tauri. */
export const tauri: Client = { call: (name, request) => invoke(name, { request }), on };

/** The same for the approval window. */
export const tauriApproval: ApprovalClient = { call: (name, request) => invoke(name, { request }), on };
