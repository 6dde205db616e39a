import { describe, expect, test } from "vitest";
import { EVERY_ENDING } from "../src/ipc/scenarios";
import { everyTold } from "../src/ipc/scenarios-base";
import { permissions } from "../src/ipc/fake-data";
import type { EndingView } from "../src/ipc/generated/contract";
import * as en from "../src/text/en";
import { endingWords } from "../src/text/endings";
import { ADVICE } from "../src/text/errors";
import * as life from "../src/text/life";
import * as lock from "../src/text/lock";
import { cannotSentence, choiceSentences, rowSentence } from "../src/text/sentences";
import * as stop from "../src/text/stop";
import { bankToldSentences } from "../src/text/standing";

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
    bankToldSentences(told, "Sandbox Bank", 900_000).forEach(keepsTheVoice);
  });

  test("every fixed word keeps the voice", () => {
    const walk = (value: unknown): void => {
      if (typeof value === "string") keepsTheVoice(value);
      else if (Array.isArray(value)) value.forEach(walk);
      else if (typeof value === "object" && value !== null) Object.values(value).forEach(walk);
    };
    walk({ ...en, ...life, ...lock, ...stop });
  });
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
