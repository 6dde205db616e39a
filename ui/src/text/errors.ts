import type { ErrorCode } from "../ipc/generated/contract";

/** What happened (and what that means for access), and what to do. */
export type Advice = { what: string; todo: string };

/** One pair per code; a missing one does not compile. */
export const ADVICE: Record<ErrorCode, Advice> = {
  activity_unknown: {
    what: "Countersign has no record of this.",
    todo: "Nothing changed. Go back to Activity to see what is recorded.",
  },
  agent_key_known: {
    what: "Another agent already has this key.",
    todo: "Nothing was added. Choose that agent, or paste another key.",
  },
  agent_key_malformed: {
    what: "This is not an agent's public key.",
    todo: "Copy the whole key from the agent. It has 43 letters and digits.",
  },
  agent_key_private: {
    what: "This is a private key.",
    todo: "Nothing was kept. Paste the public key. Make a new pair if others saw this one.",
  },
  agent_name_known: {
    what: "Another agent already has this name.",
    todo: "Nothing was added. Choose a name you can tell apart.",
  },
  agent_name_unfit: {
    what: "This name can't be used.",
    todo: "Use 1 to 40 ordinary letters, digits and spaces.",
  },
  agent_removed: {
    what: "This agent was removed.",
    todo: "Nothing changed. Add it again if you want it back.",
  },
  agent_unknown: {
    what: "Countersign does not know this agent.",
    todo: "Nothing was connected. Choose another agent, or add this one.",
  },
  agents_stopped: {
    what: "All agents are stopped.",
    todo: "Nothing changed. Resume the agents first, or leave them stopped.",
  },
  alert_unknown: {
    what: "This notice is gone already.",
    todo: "Nothing changed. There is nothing left to do here.",
  },
  approval_over: {
    what: "This question is over.",
    todo: "Nothing was allowed. The agent can ask again.",
  },
  asked_unknown: {
    what: "This has been answered already.",
    todo: "Nothing changed. There is nothing left to do here.",
  },
  attempt_ended: {
    what: "This has already ended.",
    todo: "Nothing changed. Go back to your connections to see how it stands.",
  },
  attempt_unknown: {
    what: "Countersign has no record of this.",
    todo: "Nothing changed. Start again with Connect account.",
  },
  bank_unavailable: {
    what: "The bank is busy or can't be reached.",
    todo: "Nothing changed. Try again in a few minutes.",
  },
  browser_not_opened: {
    what: "Your browser did not open.",
    todo: "Nothing is lost. Choose Copy link and open it in your browser.",
  },
  data_folder_unfit: {
    what: "Countersign's data folder is not private to you.",
    todo: "Nothing was changed. Make the folder yours alone, then start Countersign again.",
  },
  choice_unknown: {
    what: "This was forgotten already.",
    todo: "Nothing changed. Countersign asks you the next time.",
  },
  date_out_of_range: {
    what: "The bank does not allow this date.",
    todo: "Nothing was connected. Choose an earlier date that is not in the past.",
  },
  enrolment_unknown: {
    what: "The program no longer asks for this.",
    todo: "Nothing was added. Have the program ask again.",
  },
  grant_needs_reconnect: {
    what: "This connection does not work any more.",
    todo: "Nothing changed. Reconnect it, or revoke it.",
  },
  grant_over: {
    what: "This connection's time is over.",
    todo: "Nothing changed. Connect again if you still want it.",
  },
  grant_paused: {
    what: "This connection is paused.",
    todo: "Nothing changed. Resume it first, or leave it paused.",
  },
  grant_revoked: {
    what: "This connection is already revoked.",
    todo: "Nothing changed. The agent can't use it.",
  },
  grant_unknown: {
    what: "Countersign has no record of this connection.",
    todo: "Nothing changed. Go back to your connections.",
  },
  host_gone: {
    what: "Countersign stopped.",
    todo: "Agents can't use your connections now. Start it again.",
  },
  internal: {
    what: "Something went wrong in Countersign.",
    todo: "Check your connections to see how things stand. Then try again.",
  },
  keychain_key_lost: {
    what: "Your keychain no longer has Countersign's key.",
    todo: "Nothing was shared. Revoke the old connections and connect again.",
  },
  keychain_locked: {
    what: "Your keychain is locked.",
    todo: "Nothing changed. Unlock your login keychain, then try again.",
  },
  keychain_unavailable: {
    what: "Your keychain does not answer.",
    todo: "Nothing changed. Check that it is running, then try again.",
  },
  locked: {
    what: "Countersign is locked.",
    todo: "Nothing changed. Unlock it, then try again.",
  },
  not_written: {
    what: "The file could not be written.",
    todo: "Nothing was saved. Check that the disk has room, then try again.",
  },
  passphrase_later: {
    what: "That was not the passphrase a moment ago.",
    todo: "Nothing changed. Wait a minute, then type it again.",
  },
  passphrase_unfit: {
    what: "This passphrase is too short or too long.",
    todo: "Nothing changed. Use 8 to 1,024 characters.",
  },
  passphrase_wrong: {
    what: "This is not the passphrase.",
    todo: "Nothing changed. Type it again. Capitals and spaces count.",
  },
  permissions_unfit: {
    what: "These choices don't work at this bank.",
    todo: "Nothing was connected. Choose at least one thing the agent may do.",
  },
  provider_unknown: {
    what: "This bank is no longer in the list.",
    todo: "Nothing was connected. Choose another bank.",
  },
  receipt_unknown: {
    what: "Countersign has no record of this receipt.",
    todo: "Nothing changed. Go back to the connection.",
  },
  record_damaged: {
    what: "A stored record of a connection is damaged.",
    todo: "Nothing changed. The connection is named in the list. Revoke it there, then try again.",
  },
  request_malformed: {
    what: "Countersign did not understand this window.",
    todo: "Nothing changed. Quit Countersign and start it again.",
  },
  still_stopped: {
    what: "The agents could not be resumed.",
    todo: "All of them are still stopped. Check that the disk has room, then try again.",
  },
  store_damaged: {
    what: "Countersign can't read its own data.",
    todo: "Nothing was changed. Put a backup of the data folder back, or call support.",
  },
  store_failed: {
    what: "Countersign could not write to your disk.",
    todo: "Nothing changed. Check that the disk has room, then try again.",
  },
  store_newer: {
    what: "A newer Countersign has used this data.",
    todo: "Nothing was changed. Install that version again.",
  },
  too_many_attempts: {
    what: "Too many connections are waiting at once.",
    todo: "Nothing was started. Finish or cancel one of them first.",
  },
};

/** Where the same code means that nothing could be opened at all. */
const UNOPENED: Partial<Record<ErrorCode, Advice>> = {
  internal: {
    what: "Countersign could not open its data.",
    todo: "Quit and start it again. If this comes back, call support.",
  },
  store_failed: {
    what: "Countersign could not read your disk.",
    todo: "Nothing was changed. Check the disk and its free room, then start Countersign again.",
  },
};

/** The words for the page that stands alone when the data could not be opened. */
export function unopenedAdvice(code: ErrorCode): Advice {
  return UNOPENED[code] ?? advice(code);
}

/** The words for a code; one from a newer host than this window gets the words for a fault of ours. */
export function advice(code: ErrorCode): Advice {
  return Object.hasOwn(ADVICE, code) ? ADVICE[code] : ADVICE.internal;
}
