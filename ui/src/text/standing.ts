import type {
  BankTold,
  ConsentTold,
  GrantsView,
  LockedByView,
  ReconnectWhyView,
  TroubleKind,
  TroubleView,
} from "../ipc/generated/contract";
import { at, date, day, moment, until } from "../shared/time";
import { count, movesMoney } from "./sentences";

/** How things stand: sentences that say what is true now, and how old that knowledge is. */

/** What holds every agent back at once, or this one. */
export type Held = "stopped" | "locked" | "keychain" | "agent" | null;

/** Agents that are paused as a whole, by id: none of their connections gives them anything. */
type PausedAgents = ReadonlySet<string>;

function agentsSentence(grants: GrantsView, held: Held, pausedAgents: PausedAgents): string[] {
  if (held === "stopped") return ["All agents are stopped. None can see your accounts."];
  if (held === "locked") return ["Countersign is locked. No agent can see your accounts."];
  if (held === "keychain") return ["No agent can see your accounts until your keychain is open."];
  if (grants.agents === 0) return ["No agent can see your accounts."];
  const accounts =
    grants.accounts === 1 ? "1 of your accounts" : `${grants.accounts || "none"} of your accounts`;
  const sentences = [`${count(grants.agents, "agent")} can see ${accounts}.`];
  const payers = new Set(
    grants.current
      .filter((row) => row.state.kind === "active" && !pausedAgents.has(row.agent.id))
      .filter((row) => movesMoney(row.permissions))
      .map((row) => row.agent.id),
  );
  if (payers.size === 1)
    sentences.push(grants.agents === 1 ? "It can move money." : "1 of them can move money.");
  if (payers.size > 1) sentences.push(`${payers.size} of them can move money.`);
  return sentences;
}

/** The one sentence that is the whole truth. */
export function homeSentence(
  grants: GrantsView,
  attention: number,
  held: Held = null,
  pausedAgents: PausedAgents = new Set(),
): string {
  const sentences = agentsSentence(grants, held, pausedAgents);
  const paused = grants.current.filter((row) => row.state.kind === "paused").length;
  const broken = grants.current.filter((row) => row.state.kind === "reconnect").length;
  if (paused > 0) sentences.push(`${count(paused, "connection")} ${paused === 1 ? "is" : "are"} paused.`);
  if (pausedAgents.size > 0)
    sentences.push(`${count(pausedAgents.size, "agent")} ${pausedAgents.size === 1 ? "is" : "are"} paused.`);
  if (broken > 0)
    sentences.push(`${count(broken, "connection")} ${broken === 1 ? "needs" : "need"} reconnecting.`);
  if (attention === 0)
    sentences.push(held ? "Nothing else needs your attention." : "Nothing needs your attention.");
  else
    sentences.push(
      attention === 1 ? "1 thing needs your attention." : `${attention} things need your attention.`,
    );
  return sentences.join(" ");
}

/** How old the knowledge is: "Sandbox Bank confirmed this today 09:14." */
export function confirmedSentence(bank: string, confirmedAt: number, now: number, over = false): string {
  return over
    ? `${bank} last confirmed that it worked ${moment(confirmedAt, now)}.`
    : `${bank} confirmed this ${moment(confirmedAt, now)}.`;
}

/** Why a connection does not go on, and what that means. */
export function reconnectSentences(why: ReconnectWhyView, names: { agent: string; bank: string }): string[] {
  const { agent, bank } = names;
  const held = `${agent} gets nothing until you reconnect.`;
  switch (why) {
    case "answer_lost":
      return [`${bank} answered, but the answer got lost on the way.`, "Asking again did not help.", held];
    case "another_person":
      return [`${bank} answered about somebody else's accounts. We stopped.`, held];
    case "damaged_record":
      return ["What was kept for this connection is damaged, or its key is gone.", held];
    case "ended_at_bank":
      return [`${bank} says that it is over.`, "You or the bank may have ended it there.", held];
    case "no_refresh_token":
      return [`${bank} gave access for a short time only. That time is over.`, held];
    case "refused_at_bank":
      return [`${bank} refuses what it allowed before.`, held];
    case "store_restored":
      return [
        "Countersign's data was put back from an older copy.",
        "What it says may be out of date.",
        held,
      ];
  }
}

/** What trying again alone does not cure. */
const HELPLESS: TroubleKind[] = ["keychain", "known_address", "locked"];

function troubleFirst(trouble: TroubleView, bank: string): string {
  switch (trouble.what) {
    case "bank_busy":
      return `${bank} is busy and asks to come back later.`;
    case "bank_misbehaved":
      return `${bank} sent an answer that breaks the rules.`;
    case "bank_refused":
      return `${bank} did not confirm it this time.`;
    case "bank_unreachable":
      return `${bank} could not be reached.`;
    case "keychain":
      return `Your keychain is not open, so ${bank} was not asked.`;
    case "known_address":
      return `${bank} answers at addresses Countersign does not know.`;
    case "locked":
      return `Countersign is locked, so ${bank} was not asked.`;
  }
}

/** Why a bank could not confirm a connection lately; it says nothing about the connection itself. */
export function troubleSentences(trouble: TroubleView, bank: string, now: number): string[] {
  const sentences = [troubleFirst(trouble, bank)];
  if (!HELPLESS.includes(trouble.what)) sentences.push("You need do nothing; we keep trying.");
  if (trouble.tried_at !== null) sentences.push(`Last try ${at(trouble.tried_at, now)}.`);
  if (trouble.what === "known_address") sentences.push("Look for an update of Countersign.");
  else if (trouble.next_try !== null)
    sentences.push(trouble.next_try > now ? `Next try ${at(trouble.next_try, now)}.` : "Trying again now.");
  return sentences;
}

/** What is known of the bank's side of a revocation. */
export function bankToldSentences(told: BankTold, bank: string, now: number): string[] {
  if (told.kind === "confirmed") return [`${bank} confirmed ${at(told.at, now)}.`];
  if (told.kind === "given_up") {
    return [`You stopped telling ${bank} ${at(told.at, now)}.`, `${bank} has not confirmed.`];
  }
  if (told.kind === "replaced") {
    return [
      `Replaced at ${bank} ${at(told.at, now)}.`,
      `${bank} keeps one permission for all, so it was not ended there.`,
    ];
  }
  if (told.kind === "not_offered") {
    return [`${bank} can't be told from here.`, "Withdraw the access at the bank yourself."];
  }
  const next = told.next_try > now ? [`Next try ${at(told.next_try, now)}.`] : ["Trying again now."];
  switch (told.waits_for) {
    case "first_try":
      return [`${bank} is being told now.`];
    case "bank_to_answer":
      return [`${bank} has not answered yet; we keep trying.`, ...next];
    case "bank_to_accept":
      return [`${bank} has not agreed yet; we keep trying.`, ...next];
    case "keychain":
      return ["Waits for your keychain.", `${bank} is told once it is unlocked.`];
    case "known_address":
      return [
        `Countersign no longer knows where to tell ${bank}.`,
        "Withdraw the access at the bank yourself.",
      ];
    case "damaged_record":
      return ["What is needed to tell the bank is damaged.", "Withdraw the access at the bank yourself."];
    case "lost_key":
      return ["The key to tell the bank is gone.", "Withdraw the access at the bank yourself."];
  }
}

/** What is known of the permission that the bank keeps in its own list. */
export function consentSentences(told: ConsentTold, bank: string, now: number): string[] {
  switch (told.kind) {
    case "withdrawn":
      return [`${bank} took it off its list ${at(told.at, now)}.`];
    case "not_yet":
      return [`${bank} takes it off its list once it has confirmed.`];
    case "at_bank":
      return [`It may still stand in your list at ${bank}.`, "Only you can remove it there."];
  }
}

/** "tonight", "tomorrow", "on 21 February": the day on which something ends. */
export function onWords(end: number, now: number): string {
  const said = day(end, now);
  if (said === "today") return "tonight";
  return said === "tomorrow" ? said : `on ${date(end, now)}`;
}

/** Since when and by what it is locked. */
export function lockedSentence(by: LockedByView, since: number, now: number): string {
  const when = at(since, now);
  switch (by) {
    case "idle":
      return `It locked ${when}, because nobody used this computer.`;
    case "person":
      return `You locked it ${when}.`;
    case "screen":
      return `It locked with your screen ${when}.`;
    case "start":
      return `It has been locked since it started ${when}.`;
  }
}

/** "14 minutes", "2 hours", "3 days". */
function span(seconds: number): string {
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 120) return count(minutes, "minute");
  const hours = Math.round(minutes / 60);
  return hours < 48 ? count(hours, "hour") : count(Math.round(hours / 24), "day");
}

/** "This computer's clock is 14 minutes ahead." */
export function clockSentence(ahead: number): string {
  return `This computer's clock is ${span(Math.abs(ahead))} ${ahead < 0 ? "behind" : "ahead"}.`;
}

/** How long there is to decide: "4 minutes left, until 14:05." */
export function timeLeft(end: number, now: number): string {
  const minutes = Math.ceil((end - now) / 60_000);
  if (minutes <= 0) return "The time to decide is over.";
  const left = end - now <= 60_000 ? "Less than a minute" : count(minutes, "minute");
  return `${left} left, until ${until(end, now)}.`;
}
