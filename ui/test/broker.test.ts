import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, test } from "vitest";
import { byDay } from "../src/activity/activity.svelte";
import { BROKER, enrolment, EVERY_WHAT } from "../src/ipc/scenarios-broker";
import type { ActivityEntry, ActivityVerdict } from "../src/ipc/generated/contract";
import { daysSentence, entrySentence, timesThisWeek, verdictSentences } from "../src/text/activity";
import * as agentWords from "../src/text/agents";
import { open, settle } from "./window";

const button = (name: string | RegExp) => screen.getByRole("button", { name });
const ready = () =>
  waitFor(() => expect(screen.getByTestId("enrolment-accept")).toHaveAttribute("aria-disabled", "false"), {
    timeout: 3_000,
  });

describe("a program that asks to be added", () => {
  test("shows its code, its own words as such, and gets the name that the person gives", async () => {
    const { fake, user } = await open("enrolment");
    expect(screen.getByTestId("enrolment-code")).toHaveTextContent("H7KM-2QXP");
    expect(screen.getByText(/The program calls itself:/)).toHaveTextContent("“Ledgerly”");
    const name = screen.getByTestId("enrolment-name");
    expect(name).toHaveValue("Ledgerly");
    await user.clear(name);
    await user.type(name, "Books");
    await ready();
    await user.click(button("Codes match, add it"));
    await settle();
    expect(fake.agents.map((agent) => agent.name)).toContain("Books");
    expect(screen.queryByTestId("enrolment-code")).toBeNull();
    expect(screen.getByText("Books was added.")).toBeInTheDocument();
  });

  test("is not added by a click that was meant for what stood there before", async () => {
    const { fake, user } = await open("enrolment");
    await user.click(button("Codes match, add it"));
    await settle();
    expect(fake.calls.some((call) => call.name === "answer_enrolment")).toBe(false);
  });

  test("is declined at once, and nothing is added", async () => {
    const { fake, user } = await open("enrolment");
    const before = fake.agents.length;
    await user.click(screen.getByTestId("enrolment-decline"));
    await settle();
    expect(fake.agents).toHaveLength(before);
    expect(screen.queryByTestId("enrolment-code")).toBeNull();
  });

  test("with a known name is another agent: both marks and both keys are drawn, and the name is refused", async () => {
    const { user } = await open("enrolment-same-name");
    const notice = screen.getByTestId("enrolment-same-name");
    expect(notice).toHaveTextContent("This one has another key, so it is another program.");
    expect(notice.querySelectorAll("svg.mark")).toHaveLength(2);
    const [old, fresh] = notice.querySelectorAll("svg.mark path");
    expect(old?.getAttribute("d")).not.toBe(fresh?.getAttribute("d"));
    await ready();
    await user.click(button("Codes match, add it"));
    await settle();
    expect(screen.getByTestId("enrolment-name")).toHaveFocus();
    expect(screen.getByText(/Another agent already has this name/)).toBeVisible();
  });

  test("can take the place of the one that has its name, which is removed", async () => {
    const { fake, user } = await open("enrolment-same-name");
    await user.click(screen.getByTestId("enrolment-replace"));
    await ready();
    await user.click(button("Codes match, add it"));
    await settle();
    expect(fake.agents.find((agent) => agent.id === "budget-buddy")?.removed_at).not.toBeNull();
    expect(fake.agents.filter((agent) => agent.removed_at === null)).toHaveLength(1);
    expect(screen.getByTestId("removed-agents")).toBeInTheDocument();
  });

  test("can hide nothing in its words", async () => {
    await open("enrolment-hostile");
    expect(screen.getByTestId("enrolment-name")).toHaveValue("⟨U+202E⟩yddu⟨U+202C⟩ Budget <b>Buddy</b>");
    expect(document.querySelector("b")).toBeNull();
  });

  test("stands in Needs attention", async () => {
    const { user } = await open("home-enrolment");
    expect(screen.getByTestId("home-sentence")).toHaveTextContent("1 thing needs your attention.");
    await user.click(screen.getByTestId(`look-enrolment-${enrolment(0).id}`));
    await settle();
    expect(screen.getByTestId("enrolment-code")).toBeVisible();
  });
});

describe("an agent", () => {
  test("shows what it can reach, and leads there", async () => {
    const { user } = await open("agents-choices");
    const row = screen.getByTestId("agent-row-budget-buddy");
    expect(row).toHaveTextContent("Can see balances and transactions of 2 accounts.");
    expect(row).toHaveTextContent(/last seen/);
    await user.click(within(row).getByTestId("agent-grant-one"));
    await settle();
    expect(screen.getByTestId("connection-page")).toBeVisible();
  });

  test("is paused and resumed in one place, and its connections say so", async () => {
    const { fake, user } = await open("agents-choices");
    await user.click(button("Pause Budget Buddy"));
    await settle();
    expect(screen.getByTestId("agent-paused")).toHaveTextContent("You paused it.");
    await user.click(screen.getByTestId("nav-connections"));
    await settle();
    expect(screen.getByTestId("state-active")).toHaveTextContent("Agent paused");
    await user.click(screen.getByTestId("nav-agents"));
    await settle();
    await user.click(button("Resume Budget Buddy"));
    await settle();
    expect(fake.agents[0]?.paused).toBeNull();
  });

  test.each([
    ["agent-not-mine", "It asked for something you had not asked for."],
    ["agent-paused-by-rule", "A rule paused it: many refusals in an hour."],
  ])("%s says why it is held back", async (scenario, why) => {
    await open(scenario);
    const notice = screen.getByTestId("agent-paused");
    expect(notice).toHaveTextContent(why);
    expect(notice).toHaveTextContent("Budget Buddy gets nothing until you resume it.");
  });

  test("is removed after the consequences were said", async () => {
    const { fake, user } = await open("agents-choices");
    await user.click(button("Remove Budget Buddy"));
    const dialog = screen.getByTestId("remove-agent-dialog");
    expect(dialog).toHaveTextContent("Its connection ends here, and the bank is told.");
    expect(dialog).toHaveTextContent("Budget Buddy may keep what it has already seen.");
    await user.click(screen.getByTestId("remove-agent-keep"));
    expect(fake.agents[0]?.removed_at).toBeNull();
    await user.click(button("Remove Budget Buddy"));
    await user.click(screen.getByTestId("remove-agent-confirm"));
    await settle();
    expect(fake.agents[0]?.removed_at).not.toBeNull();
    expect(screen.queryByTestId("remove-agent-dialog")).toBeNull();
  });

  test("asks again for what is forgotten", async () => {
    const { fake, user } = await open("agents-choices");
    await user.click(screen.getByTestId(/^forget-/));
    await settle();
    expect(fake.agents[0]?.choices).toEqual([]);
    expect(screen.queryByTestId(/^choice-/)).toBeNull();
  });

  test("that was removed can't be chosen for a connection", async () => {
    const { user } = await open("agents-choices");
    await user.click(screen.getByTestId("nav-connections"));
    await user.click(screen.getByTestId("connect-account"));
    await settle();
    await user.click(screen.getByTestId("bank-sandbox-bank"));
    await settle();
    expect(screen.getByTestId("agent-budget-buddy")).toBeInTheDocument();
    expect(screen.queryByTestId("agent-tax-helper")).toBeNull();
  });

  test("that a rule noticed stands in Needs attention until it is put away", async () => {
    const { user } = await open("home-alerts");
    const alert = screen.getByTestId("attention-alert-41");
    expect(alert).toHaveTextContent("Budget Buddy: many calls in an hour.");
    expect(alert).toHaveTextContent("Calls in an hour: 412. Your limit: 300.");
    await user.click(screen.getByTestId("dismiss-41"));
    await settle();
    expect(screen.queryByTestId("attention-alert-41")).toBeNull();
    expect(screen.getByTestId("attention-alert-42")).toBeVisible();
  });

  test("that asks to connect a bank is named, and its words are quoted", async () => {
    await open("asked-by-agent");
    expect(screen.getByTestId("asked-dialog")).toHaveTextContent("An agent asks to connect an account");
    expect(screen.getByTestId("asked-purpose")).toHaveTextContent(
      "The agent says: “To keep your budget up to date”",
    );
    expect(screen.getByTestId("asked-dialog")).toHaveTextContent("Asked by Budget Buddy");
  });
});

describe("activity", () => {
  test("is told by days, newest first, and what agents said is quoted", async () => {
    await open("activity");
    const days = screen.getAllByRole("heading", { level: 2 }).map((one) => one.textContent);
    expect(days.length).toBeGreaterThan(1);
    const rows = screen.getAllByTestId(/^activity-\d+$/);
    expect(rows[0]).toHaveTextContent(/Budget Buddy got access to see your transactions at Sandbox Bank/);
    expect(rows[0]).toHaveTextContent("The agent says: “Sum up what was spent on food in January”");
  });

  test("is narrowed down by agent, bank, kind and words, and widened again", async () => {
    const { fake, user } = await open("activity-many");
    const asked = () => fake.calls.filter((call) => call.name === "list_activity").at(-1)?.request;
    await user.selectOptions(screen.getByTestId("filter-kind"), "calls");
    await settle();
    expect(asked()).toMatchObject({ kinds: ["calls"], agent: null });
    expect(screen.queryByText(/You unlocked/)).toBeNull();
    await user.selectOptions(screen.getByTestId("filter-agent"), "budget-buddy");
    await settle();
    expect(asked()).toMatchObject({ kinds: ["calls"], agent: "budget-buddy" });
    await user.type(screen.getByTestId("search-activity"), "payees");
    await waitFor(() => expect(asked()).toMatchObject({ text: "payees" }));
    await user.click(screen.getByTestId("activity-clear"));
    await settle();
    expect(asked()).toMatchObject({ kinds: [], agent: null, text: null });
  });

  test("says when nothing fits, and when nothing has happened", async () => {
    const { user } = await open("activity");
    await user.type(screen.getByTestId("search-activity"), "zzzz");
    expect(await screen.findByText("Nothing fits what you chose.")).toBeVisible();
  });

  test("goes on with older records where it ended", async () => {
    const { fake, user } = await open("activity-many");
    const seqs = () =>
      screen.getAllByTestId(/^activity-\d+$/).map((row) => Number(row.dataset.testid?.slice(9)));
    expect(seqs()).toHaveLength(50);
    const oldest = Math.min(...seqs());
    await user.click(screen.getByTestId("activity-more"));
    await settle();
    expect(fake.calls.at(-1)?.request).toMatchObject({ before: oldest });
    expect(seqs()).toHaveLength(100);
    expect(new Set(seqs()).size).toBe(100);
  });

  test("offers what is new and puts it over nothing", async () => {
    const { fake, user } = await open("activity");
    const first = () => screen.getAllByTestId(/^activity-\d+$/)[0]?.dataset.testid;
    const before = first();
    const [newest] = fake.activity;
    if (!newest) throw new Error("no activity");
    fake.activity = [{ ...newest, seq: 9_001, at: Date.now() }, ...fake.activity];
    fake.emit({ type: "activity_changed" });
    await settle();
    expect(first()).toBe(before);
    await user.click(screen.getByTestId("activity-fresh"));
    await settle();
    expect(first()).toBe("activity-9001");
  });

  test("opens a record to its details", async () => {
    const { user, fake } = await open("activity");
    const seq = fake.activity[0]?.seq;
    await user.click(screen.getByTestId(`details-${seq}`));
    await settle();
    const dialog = screen.getByTestId("activity-dialog");
    expect(dialog).toHaveTextContent(`Record ${seq}`);
    expect(screen.getByTestId("activity-body")).toHaveTextContent('"kind": "access_given"');
    await user.click(screen.getByTestId("activity-close"));
    expect(screen.queryByTestId("activity-dialog")).toBeNull();
  });

  test.each([
    ["activity", "Nothing was changed."],
    ["activity-changed", "Record 17 was changed."],
    ["activity-behind", "Nothing was changed."],
    ["activity-cut", "Records are missing at the end."],
    ["activity-no-anchor", "Nothing was changed in what is here."],
  ])("%s: the check says what it found", async (scenario, title) => {
    const { user } = await open(scenario);
    await user.click(screen.getByTestId("check-activity"));
    await settle();
    expect(within(screen.getByTestId("activity-verdict")).getByText(title)).toBeVisible();
  });

  test("is saved as a file, or says that it was not", async () => {
    const { fake, user } = await open("activity");
    await user.click(screen.getByTestId("export-activity"));
    await settle();
    expect(screen.getByTestId("activity-saved")).toHaveTextContent("countersign-activity.jsonl");
    fake.diskUp = false;
    await user.click(screen.getByTestId("export-activity"));
    await settle();
    expect(screen.queryByTestId("activity-saved")).toBeNull();
    expect(screen.getByTestId("problem-not_written")).toBeVisible();
  });
});

describe("a connection's page", () => {
  test("shows thirty days as bars and as a table, and the latest entries", async () => {
    const { user, fake } = await open("what-it-did");
    const part = screen.getByTestId("what-it-did");
    expect(within(part).getByRole("img")).toHaveAccessibleName(
      "Calls on each of the last 30 days. 66 calls in the last 30 days, 5 refused.",
    );
    expect(part.querySelectorAll("rect.calls")).toHaveLength(30);
    expect(screen.getByTestId("day-table").querySelectorAll("tbody tr")).toHaveLength(8);
    expect(within(part).getAllByTestId(/^activity-\d+$/)).toHaveLength(5);
    await user.click(screen.getByTestId("all-activity"));
    await settle();
    expect(fake.calls.at(-1)?.request).toMatchObject({ grant: "one" });
    await user.click(screen.getByTestId("activity-everything"));
    await settle();
    expect(fake.calls.at(-1)?.request).toMatchObject({ grant: null });
  });

  test("the row says how often it was used this week", async () => {
    await open("home-alerts");
    expect(screen.getByTestId("used-this-week")).toHaveTextContent("12 times this week");
    expect([0, 1, 2].map(timesThisWeek)).toEqual(["not this week", "once this week", "2 times this week"]);
    expect(daysSentence([])).toBe("It has done nothing in the last 30 days.");
  });
});

describe("rules", () => {
  test("say what follows, and are saved when they change", async () => {
    const { fake, user } = await open("rules");
    const rule = screen.getByTestId("rule-too_many_calls");
    expect(rule).toHaveTextContent("You get a notice. The agent goes on.");
    await user.selectOptions(screen.getByTestId("rule-too_many_calls-act"), "stop_all");
    await settle();
    expect(rule).toHaveTextContent("No agent gets anything until you resume them.");
    expect(screen.getByTestId("rule-too_many_calls-saved")).toHaveTextContent("Saved.");
    expect(fake.rules[0]).toEqual({ id: "too_many_calls", threshold: 300, act: "stop_all" });
  });

  test("take whole numbers from one on", async () => {
    const { fake, user } = await open("rules");
    const field = screen.getByTestId("rule-replays-threshold");
    await user.clear(field);
    await user.type(field, "0");
    await user.tab();
    await settle();
    expect(screen.getByText("Choose a whole number from 1 on.")).toBeVisible();
    expect(fake.calls.some((call) => call.name === "set_rule")).toBe(false);
    await user.clear(field);
    await user.type(field, "7");
    await user.tab();
    await settle();
    expect(fake.rules.find((rule) => rule.id === "replays")?.threshold).toBe(7);
  });
});

describe("words", () => {
  const FORBIDDEN = /!|\b(token|scope|grant|oauth|redirect|please|oops|sorry)/i;
  const at = Date.UTC(2026, 1, 10, 12);
  const entry = (what: ActivityEntry["what"]): ActivityEntry => ({
    seq: 1,
    at,
    kind: "access",
    agent: { id: "a", name: "Budget Buddy", thumbprint: "t" },
    bank: null,
    grant: null,
    what,
    quoted: null,
    outcome: "done",
  });

  test("every kind of record is one sentence or two", () => {
    const said = EVERY_WHAT.map(([, , what]) => entrySentence(entry(what), at));
    for (const sentence of said) {
      expect(sentence).toMatch(/^[A-Z0-9].*\.$/);
      expect(sentence).not.toMatch(FORBIDDEN);
      expect(sentence.split(/\s+/).length, sentence).toBeLessThanOrEqual(24);
    }
    expect(new Set(EVERY_WHAT.map(([, , what]) => what.kind)).size).toBe(46);
  });

  test("verdicts and reasons keep the voice", () => {
    const verdict: ActivityVerdict = {
      records: 3,
      sound: true,
      first_bad: null,
      anchored: "none",
      checked_at: 0,
    };
    for (const anchored of ["agrees", "behind", "cut", "none"] as const)
      for (const sound of [true, false]) {
        const { title, means } = verdictSentences({ ...verdict, anchored, sound });
        for (const text of [title, ...means]) expect(text).not.toMatch(FORBIDDEN);
      }
    for (const sentence of agentWords.remove.means("Budget Buddy", 2))
      expect(sentence).not.toMatch(FORBIDDEN);
  });

  test("a day is what the calendar says", () => {
    const noon = new Date(2026, 1, 10, 12).getTime();
    const one = entry({ kind: "vault_opened" });
    const days = byDay([
      { ...one, at: noon },
      { ...one, at: noon - 11 * 3_600_000 },
      { ...one, at: noon - 13 * 3_600_000 },
    ]);
    expect(days.map((day) => day.entries.length)).toEqual([2, 1]);
  });

  test("every scenario of agents stands in the list that is looked at", () => {
    expect(Object.keys(BROKER).length).toBeGreaterThan(15);
  });
});
