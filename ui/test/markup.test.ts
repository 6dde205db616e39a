import { readFileSync } from "node:fs";
import { cleanup } from "@testing-library/svelte";
import { ESLint } from "eslint";
import { afterEach, describe, expect, test } from "vitest";
import { Fake } from "../src/ipc/fake";
import {
  account,
  agent,
  attempt,
  bankMark,
  grant,
  permissions,
  provider,
  revoked,
} from "../src/ipc/fake-data";
import { everyTold } from "../src/ipc/scenarios-base";
import type { PermissionView } from "../src/ipc/generated/contract";
import { HOME, type Place } from "../src/shared/place.svelte";
import { show } from "./window";

/** Names that are markup, the same five hundred as the real window is shown. */
const PAYLOADS = readFileSync("../tests/tables/markup.jsonl", "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as { name: string; payload: string });

/** A name that is none. */
const PLAIN = "Everyday";

/** A world in which everything that somebody else wrote is this text. */
function world(text: string): Fake {
  const now = Date.now();
  const fake = new Fake();
  const bank = { ...bankMark("bank"), name: text, monogram: text, colour: text, host: text, help: text };
  const words = (one: PermissionView) => ({ ...one, short: text, text, cannot: text });
  const all = permissions("accounts", "balances", "payments").map(words);
  const mark = { id: "agent", name: text, thumbprint: "thumbprint" };
  fake.app = { ...fake.app, home: text, version: text, catalogue_problems: [{ file: text, rule: text }] };
  const what = {
    kind: "connect",
    bank,
    agent: mark,
    permissions: all,
    until: now,
    by_agent: true,
    purpose: "To plan",
  } as const;
  fake.app.asked = [{ id: "asked", at: now, what }];
  fake.providers = [provider(bank, { permissions: all, unverified: true, shared_consents: true })];
  fake.agents = [{ ...agent("agent", text, now, 1), thumbprint: "thumbprint" }];
  const view = {
    accounts: [account("everyday", text, text, text)],
    holder: text,
    extra: [text],
    missing: all.slice(0, 1),
    cannot: all,
    reference: text,
    shared_consents: true,
  };
  const one = grant("one", now, { bank, agent: mark, permissions: all, has_extra: true, view });
  const two = grant("two", now, { bank, agent: mark, permissions: all, view });
  fake.grants = [
    one,
    revoked(two, now - 1000, everyTold(now).bank_to_answer ?? { kind: "not_offered" }, now + 1000),
  ];
  const other = { holder: text, accounts: [account("other", text, text, text)], until: now + 60_000 };
  const chosen = { bank, agent: mark, permissions: all, not_chosen: all, reference: text };
  const trouble = { what: "bank_refused", detail: text, tried_at: now, next_try: now + 1000 } as const;
  const narrowed = grant("three", now, {
    bank,
    agent: mark,
    permissions: all,
    narrowed: true,
    trouble,
    view,
  });
  const reconnect = grant("four", now, {
    bank,
    agent: mark,
    permissions: all,
    state: { kind: "reconnect", since: now, why: "ended_at_bank" },
    view,
  });
  fake.grants.push(narrowed, reconnect);
  fake.attempts = [
    attempt("other", now, { ...chosen, renews: "one", step: "other_account", other }),
    attempt("open", now, { bank, agent: mark, permissions: all, not_chosen: all, reference: text }),
    attempt("extra", now, { bank, agent: mark, permissions: all, not_chosen: all, reference: text }),
    attempt("rule", now, { bank, agent: mark, permissions: all, not_chosen: all, reference: text }),
  ];
  fake.end("extra", { kind: "connected", missing: all.slice(0, 1), extra: [text] }, view);
  fake.end("rule", { kind: "bank_misbehaved", rule: text });
  return fake;
}

const PLACES: Place[] = [
  HOME,
  { view: "connections", tab: "history" },
  { view: "connection", id: "one" },
  { view: "connection", id: "two" },
  { view: "connect", attempt: null },
  { view: "connect", attempt: "open" },
  { view: "connect", attempt: "extra" },
  { view: "connect", attempt: "rule" },
  { view: "connection", id: "three" },
  { view: "connection", id: "four" },
  { view: "renew", grant: "one" },
  { view: "connect", attempt: "other" },
  { view: "receipt", id: "receipt-one", grant: "one" },
  { view: "receipt", id: "receipt-two-end", grant: "two" },
  { view: "settings" },
  { view: "agents" },
];

/** Elements and the names of their attributes: what is left when all text is gone. */
function skeleton(element: Element): string {
  const attributes = [...element.attributes].map((one) => one.name).sort();
  const inside = [...element.children].map(skeleton).join("");
  return `<${element.localName} ${attributes.join(" ")}>${inside}`;
}

async function drawn(text: string, place: Place): Promise<string> {
  await show(world(text), place);
  const shape = skeleton(document.body);
  const ran = "pwned" in window;
  cleanup();
  expect(ran).toBe(false);
  return shape;
}

afterEach(cleanup);

describe("what others wrote is text", () => {
  test.each(PLACES.map((place, i) => [JSON.stringify(place), place, i] as const))(
    "five hundred names leave the shape of %s as it is",
    async (_, place, i) => {
      const plain = await drawn(PLAIN, place);
      expect(plain.length).toBeGreaterThan(500);
      // Each place is shown its share, and all of them in the end; those that break out of attributes are shown in each.
      const some = PAYLOADS.filter(
        ({ name }, n) => n % PLACES.length === i || name.startsWith("out of an attribute"),
      );
      expect(some.length).toBeGreaterThan(40);
      const changed: string[] = [];
      for (const { name, payload } of some) {
        // A name that is nothing, or white space, is no name: the host refuses it.
        if (payload.trim() !== "" && (await drawn(payload, place)) !== plain) changed.push(name);
      }
      expect(changed).toEqual([]);
    },
  );

  test("a shape that markup has changed would be seen", async () => {
    await show(world(PLAIN), HOME);
    const before = skeleton(document.body);
    const name = document.querySelector("main p");
    name?.setAttribute("onclick", "");
    const attribute = skeleton(document.body);
    name?.append(document.createElement("b"));
    expect(new Set([before, attribute, skeleton(document.body)]).size).toBe(3);
  });
});

describe("the linter", () => {
  const lint = async (text: string, filePath: string) => {
    const [result] = await new ESLint({ cwd: process.cwd() }).lintText(text, { filePath });
    return result?.messages.map((one) => one.ruleId) ?? [];
  };

  test("refuses every way to draw text as markup", async () => {
    const ways = [
      "export const f = (e: Element, t: string) => (e.innerHTML = t);",
      "export const f = (e: Element, t: string) => (e.outerHTML = t);",
      'export const f = (e: Element, t: string) => e.insertAdjacentHTML("beforeend", t);',
      "export const f = (t: string) => document.write(t);",
      "export const f = (t: string) => document.writeln(t);",
      "export const f = (t: string) => new Range().createContextualFragment(t);",
      'export const f = (t: string) => new DOMParser().parseFromString(t, "text/html");',
      "export const f = (e: HTMLIFrameElement, t: string) => (e.srcdoc = t);",
      'export const f = (e: Element, t: string) => (e["innerHTML"] = t);',
    ];
    for (const way of ways) {
      const rules = await lint(`${way}\n`, "src/shared/colour.ts");
      expect(rules, way).toContain("no-restricted-syntax");
    }
    expect(
      await lint(
        "export const f = (e: Element, t: string) => (e.textContent = t);\n",
        "src/shared/colour.ts",
      ),
    ).toEqual([]);
  }, 60_000);

  test("refuses markup in a component", async () => {
    const component = '<script lang="ts">\n  let { t }: { t: string } = $props();\n</script>\n\n';
    expect(await lint(`${component}<p>{@html t}</p>\n`, "src/shared/When.svelte")).toContain(
      "svelte/no-at-html-tags",
    );
    expect(
      await lint(`${component}<p bind:innerHTML={t} contenteditable="true"></p>\n`, "src/shared/When.svelte"),
    ).toContain("no-restricted-syntax");
    expect(await lint(`${component}<p>{t}</p>\n`, "src/shared/When.svelte")).toEqual([]);
  }, 60_000);
});
