import { describe, expect, test } from "vitest";
import { EVERY_ENDING } from "../src/ipc/scenarios";
import { everyTold } from "../src/ipc/scenarios-base";
import { grant, permissions } from "../src/ipc/fake-data";
import { EVERY_TROUBLE, EVERY_WHY } from "../src/ipc/scenarios-life";
import type { EndingView, GrantState } from "../src/ipc/generated/contract";
import * as approval from "../src/text/approval";
import * as en from "../src/text/en";
import { historySentences } from "../src/text/en";
import { endingWords } from "../src/text/endings";
import { ADVICE } from "../src/text/errors";
import * as life from "../src/text/life";
import * as lock from "../src/text/lock";
import { cannotSentence, choiceSentences, rowSentence } from "../src/text/sentences";
import * as stop from "../src/text/stop";
import * as standing from "../src/text/standing";

const FORBIDDEN = /!|\b(token|scope|grant|oauth|redirect|please|oops|sorry)/i;

function keepsTheVoice(text: string): void {
  expect(text).not.toMatch(FORBIDDEN);
  for (const sentence of text.split(/(?<=[.?])\s+/)) {
    expect(sentence.split(/\s+/).length, sentence).toBeLessThanOrEqual(15);
  }
}

const names = { bank: "Sandbox Bank", agent: "Budget Buddy" };
const endings: EndingView[] = [
  ...Object.values(EVERY_ENDING),
  { kind: "bank_refused", code: "access_denied", retry: false },
  { kind: "not_saved", bank_told: false },
];

describe("words", () => {
  test.each(Object.entries(ADVICE))("advice for %s keeps the voice", (_, { what, todo }) => {
    keepsTheVoice(what);
    keepsTheVoice(todo);
    expect(what).toMatch(/\.$/);
    expect(todo).toMatch(/\.$/);
  });

  test.each(endings.map((ending) => [ending.kind, ending] as const))(
    "ending %s keeps the voice",
    (kind, ending) => {
      const said = endingWords(ending, names);
      for (const text of [said.title, ...said.means, ...said.todo]) keepsTheVoice(text);
      if (kind !== "connected") {
        expect(said.means.join(" "), "says what it means for access").toMatch(
          kind === "other_account" ? /Nothing changed\./ : /Nothing was connected\./,
        );
        expect(said.todo.length, "says what to do").toBeGreaterThan(0);
      }
    },
  );

  test("an answer from elsewhere says that we stopped", () => {
    expect(endingWords({ kind: "unexpected_server" }, names).means).toContain(
      "We stopped. Nothing was shared.",
    );
  });

  test.each(Object.entries(everyTold(1_000_000)))("bank told: %s keeps the voice", (_, told) => {
    standing.bankToldSentences(told, "Sandbox Bank", 900_000).forEach(keepsTheVoice);
  });

  test("what is said of how things stand keeps the voice", () => {
    const now = Date.UTC(2026, 1, 10, 12);
    for (const why of EVERY_WHY) standing.reconnectSentences(why, names).forEach(keepsTheVoice);
    for (const what of EVERY_TROUBLE) {
      const trouble = { what, detail: null, tried_at: now - 1000, next_try: now + 60_000 };
      standing.troubleSentences(trouble, names.bank, now).forEach(keepsTheVoice);
    }
    for (const kind of ["at_bank", "not_yet", "withdrawn"] as const)
      standing.consentSentences({ kind, at: now }, names.bank, now).forEach(keepsTheVoice);
    for (const by of ["idle", "person", "screen", "start"] as const)
      keepsTheVoice(standing.lockedSentence(by, now, now));
    for (const what of Object.values(historySentences)) keepsTheVoice(what(names));
    for (const what of Object.values(life.receipt.titles)) keepsTheVoice(what(names.agent, names.bank));
  });

  test("every fixed word keeps the voice", () => {
    const walk = (value: unknown): void => {
      if (typeof value === "string") keepsTheVoice(value);
      else if (Array.isArray(value)) value.forEach(walk);
      else if (typeof value === "object" && value !== null) Object.values(value).forEach(walk);
    };
    walk({ ...approval, ...en, ...life, ...lock, ...stop });
    for (const { means } of Object.values(approval.over)) keepsTheVoice(means(names.agent));
  });
});

describe("how things stand", () => {
  const now = Date.UTC(2026, 1, 10, 12);
  const list = (states: GrantState[], agents: number) => ({
    agents,
    accounts: 2 * agents,
    current: states.map((state, i) => grant(`${i}`, now, { state }).row),
    history: [],
    damaged: [],
    revision: 1,
  });
  const active = { kind: "active", ends_soon: false } as const;
  const paused = { kind: "paused", since: now, ends_soon: false } as const;
  const broken = { kind: "reconnect", since: now, why: "answer_lost" } as const;

  test.each([
    [list([active], 1), 0, null, "1 agent can see 2 of your accounts. Nothing needs your attention."],
    [
      list([active, paused, paused, broken], 1),
      1,
      null,
      "1 agent can see 2 of your accounts. 2 connections are paused. 1 connection needs reconnecting. 1 thing needs your attention.",
    ],
    [list([], 0), 0, null, "No agent can see your accounts. Nothing needs your attention."],
    [
      list([active], 1),
      0,
      "stopped",
      "All agents are stopped. None can see your accounts. Nothing else needs your attention.",
    ],
    [
      list([active], 1),
      2,
      "locked",
      "Countersign is locked. No agent can see your accounts. 2 things need your attention.",
    ],
    [
      list([active], 1),
      1,
      "keychain",
      "No agent can see your accounts until your keychain is open. 1 thing needs your attention.",
    ],
  ] as const)("the sentence on top: %#", (grants, attention, held, said) => {
    const { current, damaged, history } = grants;
    const view = { ...grants, current: [...current], damaged: [...damaged], history: [...history] };
    expect(standing.homeSentence(view, attention, held)).toBe(said);
  });

  test("an agent that is paused counts nowhere and is said", () => {
    const grants = list([active], 0);
    const [row] = grants.current;
    const pays = row!.permissions.map((permission) => ({ ...permission, risk: "money" as const }));
    grants.current = [{ ...row!, permissions: pays }];
    const said = (paused: string[]) =>
      standing.homeSentence({ ...grants, agents: 1 }, 0, null, new Set(paused));
    expect(said([])).toContain("It can move money.");
    expect(said([row!.agent.id])).not.toContain("move money");
    expect(standing.homeSentence(grants, 0, null, new Set([row!.agent.id]))).toBe(
      "No agent can see your accounts. 1 agent is paused. Nothing needs your attention.",
    );
  });

  test.each([
    [14 * 60, "This computer's clock is 14 minutes ahead."],
    [-61, "This computer's clock is 1 minute behind."],
    [3 * 3600, "This computer's clock is 3 hours ahead."],
    [-400 * 86_400, "This computer's clock is 400 days behind."],
  ])("a clock that is %d s ahead", (ahead, said) => expect(standing.clockSentence(ahead)).toBe(said));

  test.each([
    [4 * 60_000, "4 minutes left, until 12:04."],
    [60_001, "2 minutes left, until 12:01."],
    [30_000, "Less than a minute left, until 12:00."],
    [0, "The time to decide is over."],
  ])("%d ms are left", (left, said) => expect(standing.timeLeft(now + left, now)).toBe(said));
});

describe("sentences", () => {
  test("a row says what it can and what it can't", () => {
    expect(
      rowSentence({ permissions: permissions("accounts", "balances", "transactions"), accounts: 2 }),
    ).toBe("Can see balances and transactions of 2 accounts. Can't move money.");
    expect(rowSentence({ permissions: permissions("accounts"), accounts: 1 })).toBe(
      "Can see 1 account. Can't move money.",
    );
    expect(rowSentence({ permissions: permissions("accounts", "payees", "payments"), accounts: 1 })).toBe(
      "Can see 1 account, and your saved payees. Can pay your saved payees, after you allow each payment.",
    );
    expect(rowSentence({ permissions: permissions("identity"), accounts: 0 })).toBe(
      "Can see your name and contact details. Can't move money.",
    );
  });

  test("what it can't is said with each verb once", () => {
    expect(cannotSentence(permissions("identity", "payees"))).toBe(
      "It can't see your name or address, or who you have saved to pay.",
    );
    expect(cannotSentence(permissions("balances", "transactions", "payments"))).toBe(
      "It can't move money. It can't see your balances or your transactions.",
    );
    const all = cannotSentence(
      permissions("accounts", "balances", "transactions", "identity", "payees", "payments"),
    );
    keepsTheVoice(all ?? "");
    expect(cannotSentence([])).toBeNull();
  });

  test("only the last signs of a number follow the words", () => {
    expect(en.connection.endsIn("••••4821")).toBe("ends in 4821");
    expect(en.connection.endsIn("4821")).toBe("ends in 4821");
    expect(en.connection.endsIn("••••")).toBe("ends in ••••");
  });

  test("the choice rewrites itself", () => {
    const now = Date.UTC(2026, 0, 22);
    const choice = { agent: "Budget Buddy", bank: "Sandbox Bank", until: Date.UTC(2026, 1, 21) };
    expect(
      choiceSentences(
        { ...choice, permissions: permissions("accounts", "balances", "transactions") },
        now,
      ).join(" "),
    ).toBe(
      "Budget Buddy will see balances and transactions of the accounts you pick at Sandbox Bank until 21 February." +
        " It can't move money.",
    );
    expect(choiceSentences({ ...choice, permissions: permissions("accounts", "payments") }, now)).toContain(
      "That moves money.",
    );
    expect(choiceSentences({ ...choice, permissions: [] }, now)).toEqual(["Nothing is chosen yet."]);
  });
});
