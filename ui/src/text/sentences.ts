import type { GrantRow, PermissionView } from "../ipc/generated/contract";
import { date, day } from "../shared/time";
import type { Held } from "./standing";

const AND = new Intl.ListFormat("en-GB", { type: "conjunction" });
const OR = new Intl.ListFormat("en-GB", { type: "disjunction" });

export function listed(parts: string[]): string {
  return AND.format(parts);
}

/** "1 account", "2 accounts", "no accounts". */
export function count(n: number, one: string, many = `${one}s`): string {
  return n === 1 ? `1 ${one}` : `${n === 0 ? "no" : n} ${many}`;
}

/** The last signs of an account's number, without the dots that stand for the rest. */
export function lastSigns(masked: string): string {
  return masked.replace(/^[\s.*•·●-]+/, "") || masked;
}

/** Whether any of these moves money. */
export function movesMoney(permissions: PermissionView[]): boolean {
  return permissions.some((one) => one.risk === "money");
}

/** Read permissions worth naming: one that all the others rest on goes without saying. */
function namedReads(permissions: PermissionView[]): PermissionView[] {
  const reads = permissions.filter((one) => one.group === "see" && one.risk === "read");
  const named = reads.filter(
    (one) => !reads.some((other) => other.id !== one.id && other.needs.includes(one.id)),
  );
  return named.length > 0 ? named : reads;
}

/** "balances and transactions of 2 accounts, and your name and contact details", or null. */
function seen(permissions: PermissionView[], ofWhat: string, bare: string): string | null {
  const reads = namedReads(permissions);
  const personal = permissions.filter((one) => one.group === "see" && one.risk !== "read");
  const parts: string[] = [];
  if (reads.length === 1 && reads[0]?.short === "accounts") parts.push(bare);
  else if (reads.length > 0) parts.push(`${listed(reads.map((one) => one.short))} of ${ofWhat}`);
  parts.push(...personal.map((one) => `your ${one.short}`));
  if (parts.length === 0) return null;
  const last = parts.pop() ?? "";
  return parts.length === 0 ? last : `${parts.join(", ")}, and ${last}`;
}

function done(permissions: PermissionView[]): string | null {
  const does = permissions.filter((one) => one.group === "do");
  return does.length === 0 ? null : listed(does.map((one) => one.text));
}

/** What it can: one sentence for seeing, one for doing. */
function abilities(can: string, permissions: PermissionView[], ofWhat: string, bare: string): string[] {
  const sees = seen(permissions, ofWhat, bare);
  const does = done(permissions);
  const sentences: string[] = [];
  if (sees) sentences.push(`${can} see ${sees}.`);
  if (does) sentences.push(`${can} ${does}.`);
  return sentences;
}

/** "Can't move money." where nothing granted does. */
function cannotMove(subject: string, permissions: PermissionView[]): string[] {
  return movesMoney(permissions) ? [] : [`${subject} move money.`];
}

/** "Can see balances and transactions of 2 accounts. Can't move money." */
export function rowSentence(row: Pick<GrantRow, "permissions" | "accounts">): string {
  const accounts = count(row.accounts, "account");
  return [
    ...abilities("Can", row.permissions, accounts, accounts),
    ...cannotMove("Can't", row.permissions),
  ].join(" ");
}

/** The past of a row: what it could, for what is over; nothing, where connecting was not completed. */
export function pastSentence(row: Pick<GrantRow, "permissions" | "accounts">): string {
  if (row.permissions.length === 0) return "Connecting was not completed. Nothing was shared here.";
  const accounts = count(row.accounts, "account");
  return abilities("Could", row.permissions, accounts, accounts).join(" ");
}

/** "until 21 February". */
export function untilWords(until: number, now: number): string {
  return `until ${day(until, now) === "today" ? "tonight" : date(until, now)}`;
}

/** The sentence that rewrites itself while the person chooses. */
export function choiceSentences(
  choice: { agent: string | null; bank: string; permissions: PermissionView[]; until: number | null },
  now: number,
): string[] {
  if (choice.permissions.length === 0) return ["Nothing is chosen yet."];
  const who = choice.agent ?? "The agent";
  const when = choice.until === null ? "" : ` ${untilWords(choice.until, now)}`;
  const picked = "the accounts you pick";
  const sees = seen(choice.permissions, picked, picked);
  const does = done(choice.permissions);
  const sentences: string[] = [];
  if (sees) sentences.push(`${who} will see ${sees} at ${choice.bank}${when}.`);
  if (does) sentences.push(sees ? `It can ${does}.` : `${who} can ${does} at ${choice.bank}${when}.`);
  sentences.push(...(movesMoney(choice.permissions) ? ["That moves money."] : ["It can't move money."]));
  return sentences;
}

/** What the agent may use, as a promise, a wish or a fact: "Budget Buddy can see balances of 2 accounts …" */
export function mayUse(
  who: string,
  can: "can" | "will" | "could",
  use: { permissions: PermissionView[]; accounts: number; bank: string; until: number },
  now: number,
): string[] {
  const accounts = count(use.accounts, "account");
  const sees = seen(use.permissions, accounts, accounts);
  const does = done(use.permissions);
  const place = `at ${use.bank} ${untilWords(use.until, now)}`;
  const sentences: string[] = [];
  if (sees) sentences.push(`${who} ${can} see ${sees} ${place}.`);
  if (does) sentences.push(sees ? `It ${can} ${does}.` : `${who} ${can} ${does} ${place}.`);
  sentences.push(...cannotMove("It can't", use.permissions));
  return sentences;
}

/** Why no agent can use anything, where that is so. */
const HELD: Record<Exclude<Held, null>, (who: string) => string> = {
  stopped: (who) => `${who} can't use this connection while all agents are stopped.`,
  locked: (who) => `${who} can't use this connection until you unlock Countersign.`,
  keychain: (who) => `${who} can't use this connection until your keychain is open.`,
  agent: (who) => `${who} is paused. It can't use this connection until you resume it.`,
};

/** The connection's page in one breath. */
export function summarySentences(row: GrantRow, now: number, held: Held = null): string[] {
  const who = row.agent.name;
  const use = {
    permissions: row.permissions,
    accounts: row.accounts,
    bank: row.bank.name,
    until: row.ends_at,
  };
  switch (row.state.kind) {
    case "revoked":
      if (row.permissions.length === 0)
        return ["Connecting was not completed.", `${who} never had access here.`];
      if (row.state.replaced_by !== null)
        return [`${who} can't use this connection.`, "A newer one has taken its place."];
      return [`${who} can't use this connection. It was revoked.`];
    case "ended":
      return [`${who} can't use this connection. Its time is over.`];
    case "reconnect":
      return [`${who} can't use this connection until you reconnect it.`];
    case "paused":
      return [`${who} can't use this connection. You paused it.`];
    case "active":
      return held !== null ? [HELD[held](who)] : mayUse(who, "can", use, now);
  }
}

/** What was just connected, while the connection itself is being read. */
export function madeSentences(
  made: { agent: string; bank: string; permissions: PermissionView[]; until: number },
  now: number,
): string[] {
  const picked = "the accounts you picked";
  const sees = seen(made.permissions, picked, picked);
  const does = done(made.permissions);
  const place = `at ${made.bank} ${untilWords(made.until, now)}`;
  const sentences: string[] = [];
  if (sees) sentences.push(`${made.agent} can see ${sees} ${place}.`);
  if (does) sentences.push(sees ? `It can ${does}.` : `${made.agent} can ${does} ${place}.`);
  sentences.push(...cannotMove("It can't", made.permissions));
  return sentences;
}

/** How many phrases one sentence carries. */
const PHRASES = 3;

/** "It can't see your name or address, or who you have saved to pay." One verb is said once. */
export function cannotSentence(cannot: PermissionView[]): string | null {
  const byVerb = new Map<string, string[]>();
  for (const { cannot: phrase } of moneyFirst(cannot)) {
    const [verb = "", ...rest] = phrase.split(" ");
    byVerb.set(verb, [...(byVerb.get(verb) ?? []), rest.join(" ")]);
  }
  const sentences: string[] = [];
  for (const [verb, what] of byVerb) {
    for (let i = 0; i < what.length; i += PHRASES) {
      sentences.push(`It can't ${verb} ${either(what.slice(i, i + PHRASES))}.`.replace(" .", "."));
    }
  }
  return sentences.length === 0 ? null : sentences.join(" ");
}

/** "a or b"; with a comma before the last where a part has an "or" of its own. */
function either(parts: string[]): string {
  if (!parts.some((part) => / or /.test(part))) return OR.format(parts);
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")}, or ${last}`;
}

/** What moves money first: it is what people look for. */
export function moneyFirst(permissions: PermissionView[]): PermissionView[] {
  return [...permissions].sort((a, b) => Number(b.risk === "money") - Number(a.risk === "money"));
}

/** "Needed for balances and transactions." */
export function neededSentence(dependents: PermissionView[]): string {
  return `Needed for ${listed(dependents.map((one) => one.short))}.`;
}
