import { fireEvent, render, screen } from "@testing-library/svelte";
import axe from "axe-core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import Approval from "../src/approval/Approval.svelte";
import { DOUBLE, INERT } from "../src/approval/approval.svelte";
import { APPROVALS, FakeApproval, payment, reading } from "../src/ipc/fake-approval";
import type { ApprovalView } from "../src/ipc/generated/contract";
import { visible } from "../src/shared/quoted";
import { asks, countdown, dates, money } from "../src/text/approval";

const deny = () => screen.getByTestId("approval-deny");
const once = () => screen.getByTestId("approval-once");

/** Lets time pass, and what it wakes be drawn. */
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

async function ask(...questions: ApprovalView[]): Promise<FakeApproval> {
  const fake = new FakeApproval();
  fake.questions = questions;
  render(Approval, { client: fake });
  await pass(10);
  return fake;
}

/** A click as a pointer makes it; `n` counts clicks in a row. */
const click = (on: HTMLElement, n = 1) => fireEvent.click(on, { detail: n });

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 1, 10, 12) });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a question", () => {
  test.each(Object.keys(APPROVALS))("%s has no accessibility fault and no inline style", async (name) => {
    await ask(...(APPROVALS[name]?.() ?? []));
    vi.useRealTimers();
    const found = await axe.run(document.body, {
      rules: { "color-contrast": { enabled: false }, region: { enabled: true } },
    });
    expect(found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join()}`)).toEqual(
      [],
    );
    expect(document.body.querySelector("[style]")).toBeNull();
  });

  test("no has the focus, and everything that can cost is in sight", async () => {
    await ask(payment());
    expect(deny()).toHaveFocus();
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Budget Buddy asks to pay a bill.");
    expect(screen.getByTestId("approval-amount")).toHaveTextContent("1,240.50 EUR");
    expect(screen.getByTestId("approval-to")).toHaveTextContent("Water Works, ends in 3301");
    expect(screen.getByTestId("approval-from")).toHaveTextContent("“Everyday account”, ends in 4417");
    expect(screen.getByTestId("approval-runs-out")).toHaveTextContent("in 4:12");
    // None of it is in the part that scrolls.
    for (const place of ["amount", "to", "from", "when", "runs-out"])
      expect(screen.getByTestId(`approval-${place}`).closest(".more")).toBeNull();
    expect(screen.getByTestId("approval-purpose").textContent).toContain(
      "The agent says: “The water bill for January is due on Friday”",
    );
  });

  test("a payment is never remembered, and nothing is ticked beforehand", async () => {
    await ask(payment());
    expect(screen.queryByTestId("approval-remember")).toBeNull();
    expect(document.querySelector("input:checked")).toBeNull();
  });

  test("time runs down second by second", async () => {
    await ask(payment());
    await pass(2_000);
    expect(screen.getByTestId("approval-runs-out")).toHaveTextContent("in 4:10");
  });

  test("what agents write can hide nothing", async () => {
    await ask(...(APPROVALS.hostile?.() ?? []));
    expect(screen.getByTestId("approval-purpose").textContent).toContain("⟨U+202E⟩RUE 00.1 yap");
    expect(screen.getByTestId("approval-to").textContent).toContain("Water⟨U+2066⟩ Works⟨U+202E⟩ skroW");
    expect(document.querySelector("img")).toBeNull();
  });
});

describe("a yes", () => {
  test("is inert at first, and then counts once no second click has come", async () => {
    const fake = await ask(reading());
    await pass(INERT - 100);
    await click(once());
    await pass(DOUBLE + 10);
    expect(fake.answers).toEqual([]);
    expect(once()).toHaveAttribute("aria-disabled", "false");
    await click(once());
    await pass(DOUBLE - 10);
    expect(fake.answers).toEqual([]);
    await pass(20);
    const { id, drawn } = reading();
    expect(fake.answers).toEqual([{ id, drawn, answer: { kind: "allow_once" }, passphrase: null }]);
    expect(screen.getByTestId("approval-over-allowed")).toBeVisible();
  });

  test("goes inert again when the window comes back to the front", async () => {
    const fake = await ask(reading());
    await pass(INERT);
    once().focus();
    window.dispatchEvent(new FocusEvent("focus"));
    await pass(1);
    expect(deny()).toHaveFocus();
    await click(once());
    await pass(DOUBLE + 10);
    expect(fake.answers).toEqual([]);
    await pass(INERT);
    await click(once());
    await pass(DOUBLE + 10);
    expect(fake.answers).toHaveLength(1);
  });

  test("goes inert again when the question changes under it", async () => {
    const fake = await ask(reading());
    await pass(INERT);
    await click(once());
    fake.questions = [payment()];
    fake.emit({ type: "approval_changed" });
    await pass(DOUBLE + 10);
    expect(fake.answers, "the click was for the other question").toEqual([]);
    expect(once()).toHaveAttribute("aria-disabled", "true");
    expect(deny()).toHaveFocus();
  });

  test("goes inert again when the same question is drawn otherwise", async () => {
    const fake = await ask(reading());
    await pass(INERT);
    fake.questions = [reading({ drawn: "77aa".repeat(16), lease_seconds: 900 })];
    fake.emit({ type: "approval_changed" });
    await pass(10);
    expect(once()).toHaveAttribute("aria-disabled", "true");
    expect(screen.getByTestId("approval-lasts")).toHaveTextContent("15 minutes");
  });

  test("a double click allows nothing", async () => {
    const fake = await ask(reading());
    await pass(INERT);
    await click(once(), 1);
    await pass(120);
    await click(once(), 2);
    await pass(2_000);
    expect(fake.answers).toEqual([]);
    expect(screen.getByTestId("approval-hint")).toHaveTextContent("Nothing was allowed.");
  });

  test("a key held down allows nothing, and one pressed before its time neither", async () => {
    const fake = await ask(reading());
    once().focus();
    await fireEvent.keyDown(once(), { key: "Enter" });
    await pass(INERT);
    await fireEvent.keyUp(once(), { key: "Enter" });
    expect(fake.answers, "it went down while inert").toEqual([]);
    await fireEvent.keyDown(once(), { key: "Enter" });
    await fireEvent.keyDown(once(), { key: "Enter", repeat: true });
    await fireEvent.keyUp(once(), { key: "Enter" });
    await pass(2_000);
    expect(fake.answers).toEqual([]);
    await fireEvent.keyDown(once(), { key: " " });
    await fireEvent.keyUp(once(), { key: " " });
    await pass(10);
    expect(fake.answers).toHaveLength(1);
  });

  test("a key that comes up without having gone down on it allows nothing", async () => {
    const fake = await ask(reading());
    await pass(INERT);
    once().focus();
    await fireEvent.keyUp(once(), { key: "Enter" });
    await pass(100);
    expect(fake.answers).toEqual([]);
  });

  test("for thirty days is another button", async () => {
    const fake = await ask(reading());
    await pass(INERT);
    await click(screen.getByTestId("approval-remember"));
    await pass(DOUBLE + 10);
    expect(fake.answers[0]?.answer).toEqual({ kind: "allow_for", days: 30 });
  });

  test("of a payment takes the passphrase where there is one", async () => {
    const fake = await ask(payment({ needs_passphrase: true }));
    await pass(INERT);
    await click(once());
    await pass(DOUBLE + 10);
    expect(fake.answers).toEqual([]);
    const field = screen.getByTestId("approval-passphrase");
    expect(field).toHaveFocus();
    await fireEvent.input(field, { target: { value: "wrong" } });
    await click(once());
    await pass(DOUBLE + 10);
    expect(screen.getByTestId("problem-passphrase_wrong")).toBeVisible();
    expect(field).toHaveValue("");
    await fireEvent.input(field, { target: { value: fake.passphrase } });
    await click(once());
    await pass(DOUBLE + 10);
    expect(screen.getByTestId("approval-over-allowed")).toBeVisible();
  });
});

describe("a no", () => {
  test("is one key away, and sends no passphrase", async () => {
    const fake = await ask(payment({ needs_passphrase: true }));
    await fireEvent.input(screen.getByTestId("approval-passphrase"), { target: { value: "correct horse" } });
    await fireEvent.keyDown(window, { key: "Escape" });
    await pass(10);
    expect(fake.answers).toMatchObject([{ answer: { kind: "deny" }, passphrase: null }]);
    expect(screen.getByTestId("approval-over-denied")).toHaveTextContent("Nothing was allowed.");
  });

  test("by a double click answers one question only", async () => {
    const fake = await ask(reading(), payment());
    expect(screen.getByTestId("approval-waiting")).toHaveTextContent("1 more waits.");
    await click(deny(), 1);
    await pass(50);
    await click(deny(), 2);
    await pass(50);
    expect(fake.answers).toHaveLength(1);
    expect(screen.getByTestId("approval-payment")).toBeVisible();
  });

  test("of what the person had not asked for says that the agent is paused", async () => {
    const fake = await ask(payment());
    await click(screen.getByTestId("approval-not-mine"));
    await pass(10);
    expect(fake.answers[0]?.answer).toEqual({ kind: "not_mine" });
    expect(screen.getByTestId("approval-over-not_mine")).toHaveTextContent(
      "Budget Buddy is paused until you resume it.",
    );
    const reads = fake.reads;
    await pass(5_000);
    expect(fake.reads, "it stays to be read").toBe(reads);
    await pass(2_000);
    expect(fake.reads).toBe(reads + 1);
  });

  test("comes by itself when time runs out", async () => {
    const fake = await ask(...(APPROVALS.soon?.() ?? []));
    await pass(9_500);
    const said = screen.getByTestId("approval-over-timed_out");
    expect(said).toHaveTextContent("Nobody answered");
    expect(said).toHaveTextContent("Nothing was allowed.");
    expect(fake.answers, "the host says no by itself").toEqual([]);
  });
});

describe("around it", () => {
  test("a question that is withdrawn is gone", async () => {
    const fake = await ask(reading());
    fake.questions = [];
    fake.emit({ type: "approval_changed" });
    await pass(10);
    expect(screen.getByTestId("approval-over-withdrawn")).toBeVisible();
  });

  test("an answer to what is not drawn any more is refused, and the next question drawn", async () => {
    const fake = await ask(reading());
    fake.questions = [payment()];
    await click(deny());
    await pass(10);
    expect(screen.getByTestId("approval-payment")).toBeVisible();
    expect(fake.answers).toHaveLength(1);
  });

  test("without a host nothing is asked", async () => {
    const fake = await ask(reading());
    fake.emit({ type: "host_gone" });
    await pass(10);
    expect(screen.getByTestId("approval-gone")).toHaveTextContent("Nothing was allowed.");
    expect(screen.queryByTestId("approval-once")).toBeNull();
  });

  test("the keyboard alone gets everywhere", async () => {
    await ask(payment({ needs_passphrase: true }));
    const stops = [...document.querySelectorAll<HTMLElement>("button, input, [tabindex='0']")];
    expect(stops.map((stop) => stop.dataset.testid ?? stop.className.split(" ")[0])).toEqual([
      "more",
      "approval-passphrase",
      "approval-deny",
      "approval-once",
      "approval-not-mine",
    ]);
  });
});

describe("words", () => {
  test.each([
    ["0.1", "EUR", "0.1 EUR"],
    ["1234567.000000001", "BTC", "1,234,567.000000001 BTC"],
    ["999", "JPY", "999 JPY"],
    ["1e9", "EUR", "1e9 EUR"],
  ])("%s %s is said with every digit", (amount, currency, said) => {
    expect(money(amount, currency)).toBe(said);
  });

  test("what is left is never less than nothing", () => {
    expect([252_000, 59_001, 1, 0, -5].map(countdown)).toEqual(["4:12", "1:00", "0:01", "0:00", "0:00"]);
  });

  test("what is asked for is one sentence", () => {
    expect(asks(reading())).toBe("Budget Buddy asks to see your name and contact details.");
    const several = APPROVALS.several?.()[0];
    expect(several && asks(several)).toBe("Budget Buddy asks for 4 things at Sandbox Bank.");
    expect(dates("2026-01-01", null)).toBe("from 2026-01-01");
    expect(dates(null, null)).toBeNull();
  });

  test("nothing unseen stays unseen, and nothing is endless", () => {
    expect(visible("a\u200bb\u202ec\td\u2028e\u{e0041}f")).toBe(
      "a⟨U+200B⟩b⟨U+202E⟩c⟨U+0009⟩d⟨U+2028⟩e⟨U+E0041⟩f",
    );
    expect(visible("é e\u0301 漢字 👍")).toBe("é e\u0301 漢字 👍");
    expect(visible(`e${"\u0301".repeat(50)}`)).toBe(`e${"\u0301".repeat(3)}`);
    expect(visible("x".repeat(500))).toBe(`${"x".repeat(200)}…`);
  });
});
