import { screen, within } from "@testing-library/svelte";
import axe from "axe-core";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Fake } from "../src/ipc/fake";
import { open, settle } from "./window";

type User = Awaited<ReturnType<typeof open>>["user"];
const asked = (fake: Fake, name: string) =>
  fake.calls.filter((call) => call.name === name).map((call) => call.request);

async function click(user: User, testid: string): Promise<void> {
  await user.click(screen.getByTestId(testid));
  await settle();
}

async function clean(): Promise<void> {
  const found = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } } });
  expect(found.violations.map((one) => `${one.id}: ${one.nodes[0]?.html}`)).toEqual([]);
}

const field = (testid: string) => screen.getByTestId<HTMLInputElement>(testid);

describe("stopping all agents", () => {
  test.each(["one", "page", "agents", "settings", "waiting", "receipt", "locked-idle"])(
    "is in the corner of %s and acts at once",
    async (scenario) => {
      const { fake, user } = await open(scenario);
      await click(user, "stop-agents");
      expect(asked(fake, "stop_agents")).toHaveLength(1);
      expect(screen.getByTestId("stopped")).toHaveTextContent("All agents are stopped.");
      expect(screen.getByTestId("stop-agents")).toHaveAttribute("aria-disabled", "true");
      await click(user, "stop-agents");
      expect(asked(fake, "stop_agents")).toHaveLength(1);
    },
  );

  test("the list tells nothing else then", async () => {
    const { user } = await open("one");
    await click(user, "stop-agents");
    expect(screen.getByTestId("home-sentence")).toHaveTextContent(
      "All agents are stopped. None can see your accounts. Nothing else needs your attention.",
    );
    const row = screen.getByTestId("grant-row-one");
    expect(row).toHaveTextContent("Stopped with all agents");
    expect(row).not.toHaveTextContent("Can see");
  });

  test("what is not on the disk yet is said", async () => {
    const { fake, user } = await open("one");
    fake.diskUp = false;
    await click(user, "stop-agents");
    expect(screen.getByTestId("stop-unrecorded")).toHaveTextContent("not yet written to disk");
    fake.setApp({ stopped: { since: Date.now(), recorded: true } });
    await settle();
    expect(screen.queryByTestId("stop-unrecorded")).toBeNull();
  });

  test("a refused stop says that agents may go on", async () => {
    const { fake, user } = await open("one");
    fake.refuse("stop_agents", "internal");
    await click(user, "stop-agents");
    expect(screen.getByTestId("stop-failed")).toHaveTextContent("The agents may not be stopped.");
    await click(user, "stop-agents");
    expect(screen.queryByTestId("stop-failed")).toBeNull();
  });

  test("resuming is asked once, and the way back has the focus", async () => {
    const { fake, user } = await open("stopped");
    await click(user, "resume-agents");
    await clean();
    expect(screen.getByTestId("resume-agents-keep")).toHaveFocus();
    await user.keyboard("{Escape}");
    await settle();
    expect(asked(fake, "resume_agents")).toEqual([]);
    fake.diskUp = false;
    await click(user, "resume-agents");
    await click(user, "resume-agents-confirm");
    expect(screen.getByTestId("problem-still_stopped")).toHaveTextContent("All of them are still stopped.");
    fake.diskUp = true;
    await click(user, "resume-agents-confirm");
    expect(screen.queryByTestId("stopped")).toBeNull();
    expect(screen.getByTestId("stop-agents")).toHaveTextContent("Stop all agents");
  });

  test("revoking everything is asked once, then every connection is cut off", async () => {
    const { fake, user } = await open("stopped");
    await click(user, "revoke-all");
    await clean();
    expect(screen.getByTestId("revoke-all-keep")).toHaveFocus();
    expect(asked(fake, "revoke_all")).toEqual([]);
    await click(user, "revoke-all-confirm");
    expect(fake.grants.every((view) => view.row.state.kind === "revoked")).toBe(true);
    expect(screen.getAllByTestId("cut-off").length).toBe(2);
    expect(screen.queryByTestId("revoke-all")).toBeNull();
    expect(screen.getByTestId("stopped")).toBeVisible();
  });
});

describe("the lock", () => {
  test.each([
    ["idle", /^It locked .*at .*, because nobody used this computer\.$/],
    ["person", /^You locked it .*at/],
    ["screen", /^It locked with your screen .*at/],
    ["start", /^It has been locked since it started .*at/],
  ])("%s: since when and by what", async (by, said) => {
    await open(`locked-${by}`);
    expect(screen.getByTestId("locked-since")).toHaveTextContent(said);
    expect(screen.queryByTestId("nav-connections")).toBeNull();
  });

  test("without a passphrase one button opens it", async () => {
    const { fake, user } = await open("locked-person");
    expect(screen.queryByTestId("unlock-passphrase")).toBeNull();
    await click(user, "unlock");
    expect(asked(fake, "unlock")).toEqual([{ passphrase: null }]);
    expect(screen.getByTestId("home-sentence")).toBeVisible();
    expect(screen.getByRole("heading", { level: 1 })).toHaveFocus();
  });

  test("a wrong passphrase leaves the field and is said beside it", async () => {
    const { fake, user } = await open("locked-idle");
    expect(field("unlock-passphrase")).toHaveAttribute("autocomplete", "off");
    await click(user, "unlock");
    expect(field("unlock-passphrase")).toHaveAccessibleDescription("Type your passphrase.");
    expect(asked(fake, "unlock")).toEqual([]);
    await user.type(field("unlock-passphrase"), "wrong horse{Enter}");
    await settle();
    expect(field("unlock-passphrase")).toHaveValue("");
    expect(field("unlock-passphrase")).toHaveFocus();
    expect(field("unlock-passphrase")).toHaveAccessibleDescription("This is not the passphrase.");
    await user.type(field("unlock-passphrase"), "correct horse{Enter}");
    await settle();
    expect(screen.queryByTestId("locked")).toBeNull();
    expect(document.body).not.toHaveTextContent("correct horse");
  });

  test("a refusal about something else stands by itself", async () => {
    const { fake, user } = await open("locked-person");
    fake.refuse("unlock", "keychain_locked");
    await click(user, "unlock");
    expect(screen.getByTestId("problem-keychain_locked")).toBeVisible();
  });

  test("pausing and revoking stay within reach; what starts something does not", async () => {
    const { fake, user } = await open("locked-person");
    await click(user, "see-locked");
    expect(screen.getByTestId("locked-notice")).toBeVisible();
    expect(screen.getByTestId("home-sentence")).toHaveTextContent(
      "Countersign is locked. No agent can see your accounts.",
    );
    await click(user, "pause-row");
    expect(asked(fake, "pause_grant")).toHaveLength(1);
    await user.click(screen.getAllByTestId("resume-row")[0] ?? document.body);
    await settle();
    expect(screen.getByTestId("problem-locked")).toBeVisible();
    await user.click(screen.getAllByTestId("revoke-row")[0] ?? document.body);
    await click(user, "revoke-confirm");
    expect(screen.getByTestId("cut-off")).toBeVisible();
    await click(user, "to-unlock");
    expect(screen.getByTestId("locked")).toBeVisible();
  });

  test("a new lock closes what the person was looking at", async () => {
    const { fake, user } = await open("locked-person");
    await click(user, "see-locked");
    fake.setApp({ lock: { kind: "locked", since: Date.now(), by: "screen" } });
    await settle();
    expect(screen.getByTestId("locked")).toBeVisible();
  });
});

describe("settings", () => {
  test("when it locks is chosen, saved, and shown", async () => {
    const { fake, user } = await open("settings");
    await click(user, "idle-15");
    await click(user, "with-screen");
    expect(asked(fake, "set_lock_settings")).toEqual([
      { idle_minutes: 15, with_screen: false },
      { idle_minutes: 15, with_screen: true },
    ]);
    expect(screen.getByTestId("settings-saved")).toHaveTextContent("Saved.");
    fake.refuse("set_lock_settings", "store_failed");
    await click(user, "idle-never");
    expect(screen.getByTestId("problem-store_failed")).toBeVisible();
    expect(screen.getByTestId("settings-saved")).toBeEmptyDOMElement();
    expect(field("idle-15")).toBeChecked();
  });

  test("a time that was chosen elsewhere is shown as it is", async () => {
    await open("settings-passphrase");
    expect(field("idle-30")).toBeChecked();
    expect(screen.getByTestId("settings-home")).toHaveTextContent("/home/aleksandra");
  });

  test("lock now", async () => {
    const { user } = await open("settings");
    await click(user, "lock-now");
    expect(screen.getByTestId("locked")).toBeVisible();
    expect(screen.getByRole("heading", { level: 1 })).toHaveFocus();
  });

  test("a passphrase is set, twice, and leaves no trace", async () => {
    const { fake, user } = await open("settings");
    await click(user, "change-protection");
    await click(user, "protection-keychain_and_passphrase");
    await clean();
    expect(screen.queryByTestId("passphrase-current")).toBeNull();
    expect(screen.getByTestId("protection-dialog")).toHaveTextContent(
      "If you forget it, nobody can open this again.",
    );
    expect(field("passphrase-fresh")).toHaveAttribute("autocomplete", "new-password");
    const fill = async (fresh: string, again: string) => {
      if (fresh) await user.type(field("passphrase-fresh"), fresh);
      if (again) await user.type(field("passphrase-again"), again);
      await click(user, "protection-confirm");
    };
    await fill("", "");
    expect(field("passphrase-fresh")).toHaveAccessibleDescription(/Type a passphrase\.$/);
    await fill("short", "short");
    expect(field("passphrase-fresh")).toHaveAccessibleDescription(/Use at least 8 characters\.$/);
    await fill("long enough words", "other words here");
    expect(field("passphrase-fresh")).toHaveAccessibleDescription(/not the same/);
    expect(field("passphrase-fresh")).toHaveFocus();
    expect(field("passphrase-fresh")).toHaveValue("");
    expect(field("passphrase-again")).toHaveValue("");
    expect(asked(fake, "change_protection")).toEqual([]);
    await fill("long enough words", "long enough words");
    expect(asked(fake, "change_protection")).toEqual([
      { protection: "keychain_and_passphrase", current: null, new: "long enough words" },
    ]);
    expect(screen.getByTestId("protection-now")).toHaveTextContent("under a passphrase");
    expect(screen.getByTestId("protection-changed")).toHaveTextContent("Changed.");
    expect(document.activeElement).toHaveAttribute("data-testid", "change-protection");
  });

  test("the passphrase there is has to be known", async () => {
    const { fake, user } = await open("settings-passphrase");
    await click(user, "change-protection");
    await click(user, "protection-keychain");
    expect(screen.queryByTestId("passphrase-fresh")).toBeNull();
    await click(user, "protection-confirm");
    expect(field("passphrase-current")).toHaveAccessibleDescription("Type the passphrase you have now.");
    await user.type(field("passphrase-current"), "wrong horse");
    await click(user, "protection-confirm");
    expect(field("passphrase-current")).toHaveAccessibleDescription("This is not the passphrase.");
    expect(field("passphrase-current")).toHaveValue("");
    await user.type(field("passphrase-current"), "correct horse");
    fake.refuse("change_protection", "keychain_unavailable");
    await click(user, "protection-confirm");
    expect(screen.getByTestId("problem-keychain_unavailable")).toBeVisible();
    await user.type(field("passphrase-current"), "correct horse");
    await click(user, "protection-confirm");
    expect(fake.app.protection).toBe("keychain");
  });

  test("keeping it as it is asks for nothing", async () => {
    const { fake, user } = await open("settings");
    await click(user, "change-protection");
    await click(user, "protection-confirm");
    expect(screen.getByText("It is kept this way already.")).toBeVisible();
    await click(user, "protection-keep");
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(asked(fake, "change_protection")).toEqual([]);
  });

  test("the host has the last word on what is long enough", async () => {
    const { fake, user } = await open("settings");
    fake.refuse("change_protection", "passphrase_unfit");
    await click(user, "change-protection");
    await click(user, "protection-passphrase");
    await user.type(field("passphrase-fresh"), "long enough words");
    await user.type(field("passphrase-again"), "long enough words");
    await click(user, "protection-confirm");
    expect(field("passphrase-fresh")).toHaveAccessibleDescription(/at least 8/);
  });
});

describe("what another program asked for", () => {
  afterEach(() => vi.useRealTimers());

  async function ready(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    await settle();
  }

  test.each([
    ["connect", /Budget Buddy will see balances and transactions/],
    ["resume", /It could be used again/],
    ["resume_agents", /All agents are stopped/],
    ["widen", /You had narrowed Budget Buddy/],
  ])("%s: what it is, one at a time, and the no has the focus", async (kind, said) => {
    await open(`asked-${kind}`);
    const dialog = screen.getByTestId("asked-dialog");
    expect(dialog).toHaveTextContent(said);
    expect(dialog).toHaveTextContent("If you did not start this yourself, say no.");
    expect(dialog).toHaveTextContent("1 more is waiting after this.");
    expect(screen.getAllByRole("dialog")).toHaveLength(1);
    expect(within(dialog).getByTestId("asked-no")).toHaveFocus();
  });

  test("a click that comes at once does nothing; after a moment it is meant", async () => {
    const { fake, user } = await open("asked-resume");
    await click(user, "asked-yes");
    await user.keyboard("{Escape}");
    await settle();
    expect(asked(fake, "answer_asked")).toEqual([]);
    await ready();
    window.dispatchEvent(new Event("focus"));
    await settle();
    await click(user, "asked-yes");
    expect(asked(fake, "answer_asked"), "nor after the window came back").toEqual([]);
    await ready();
    await click(user, "asked-yes");
    expect(asked(fake, "answer_asked")).toEqual([{ id: "asked-0", yes: true }]);
    expect(fake.grant("one").row.state.kind).toBe("active");
  });

  test("no is no, and the next one follows, inert again", async () => {
    const { fake, user } = await open("asked-resume");
    await ready();
    await click(user, "asked-no");
    expect(asked(fake, "answer_asked")).toEqual([{ id: "asked-0", yes: false }]);
    expect(fake.grant("one").row.state.kind).toBe("paused");
    expect(screen.getByTestId("asked-dialog")).toHaveTextContent("All agents are stopped");
    expect(screen.getByTestId("asked-yes")).toHaveAttribute("aria-disabled", "true");
  });

  test("an allowed connection goes on at the bank", async () => {
    const { fake, user } = await open("asked-connect");
    fake.app = { ...fake.app, asked: fake.app.asked.slice(0, 1) };
    await ready();
    await click(user, "asked-yes");
    expect(screen.getByTestId("step-at_bank")).toBeVisible();
  });

  test("waits while it is locked and while another question stands", async () => {
    const { fake, user } = await open("asked-resume", (fake) => {
      fake.app = { ...fake.app, lock: { kind: "locked", since: Date.now(), by: "idle" } };
    });
    expect(screen.queryByTestId("asked-dialog")).toBeNull();
    await click(user, "unlock");
    expect(screen.getByTestId("asked-dialog")).toBeVisible();
    const [first, second] = fake.app.asked;
    fake.setApp({ asked: [] });
    await settle();
    await click(user, "revoke-row");
    fake.setApp({ asked: [first, second].flatMap((one) => one ?? []) });
    await settle();
    expect(screen.queryByTestId("asked-dialog")).toBeNull();
    await click(user, "revoke-keep");
    expect(screen.getByTestId("asked-dialog")).toBeVisible();
  });

  test("one that was answered elsewhere says so", async () => {
    const { fake, user } = await open("asked-resume");
    fake.refuse("answer_asked", "asked_unknown");
    await ready();
    await click(user, "asked-yes");
    expect(screen.getByTestId("problem-asked_unknown")).toBeVisible();
  });
});

describe("what the whole app has to say", () => {
  test("under a passphrase alone no keychain is asked for", async () => {
    await open("settings", (fake) => {
      fake.app = { ...fake.app, keychain: "absent", protection: "passphrase" };
    });
    expect(screen.queryByTestId("keychain-absent")).toBeNull();
  });

  test("an older copy of the data", async () => {
    await open("restored");
    expect(screen.getByTestId("store-restored")).toHaveTextContent("put back from an older copy");
    expect(screen.getByTestId("home-sentence")).toHaveTextContent(
      "No agent can see your accounts. 2 connections need reconnecting. 3 things need your attention.",
    );
  });

  test.each([
    ["clock-ahead", "This computer's clock is 14 minutes ahead."],
    ["clock-behind", "This computer's clock is 3 hours behind."],
  ])("%s", async (scenario, said) => {
    await open(scenario);
    expect(screen.getByTestId("clock-wrong")).toHaveTextContent(said);
    expect(screen.getByTestId("home-sentence")).toHaveTextContent("1 thing needs your attention.");
  });
});
