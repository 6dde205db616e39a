import { screen, waitFor, within } from "@testing-library/svelte";
import axe from "axe-core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { DAY, grant, LONG_AGENT } from "../src/ipc/fake-data";
import { EVERY_TROUBLE, EVERY_WHY } from "../src/ipc/scenarios-life";
import { reconnectSentences, troubleSentences } from "../src/text/standing";
import { open, settle } from "./window";

type User = Awaited<ReturnType<typeof open>>["user"];
const button = (name: string | RegExp) => screen.getByRole("button", { name });
const asked = (fake: Awaited<ReturnType<typeof open>>["fake"], name: string) =>
  fake.calls.filter((call) => call.name === name).map((call) => call.request);

async function click(user: User, testid: string): Promise<void> {
  await user.click(screen.getByTestId(testid));
  await settle();
}

async function tabTo(user: User, testid: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    if (document.activeElement?.getAttribute("data-testid") === testid) return;
    await user.tab();
  }
  throw new Error(`${testid} can't be reached`);
}

async function clean(): Promise<void> {
  const found = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } } });
  expect(found.violations.map((one) => `${one.id}: ${one.nodes[0]?.html}`)).toEqual([]);
  expect(document.querySelectorAll("[style]")).toHaveLength(0);
}

describe("pausing", () => {
  test("holds an agent back from its row, at once, and lets it go on", async () => {
    const { fake, user } = await open("one");
    await user.click(button("Pause Budget Buddy at Sandbox Bank"));
    await settle();
    expect(asked(fake, "pause_grant")).toEqual([{ grant: "one" }]);
    const row = screen.getByTestId("grant-row-one");
    expect(within(row).getByTestId("state-paused")).toHaveTextContent("Paused");
    expect(row).toHaveTextContent("Could see balances and transactions of 3 accounts.");
    expect(screen.getByTestId("home-sentence")).toHaveTextContent(
      "No agent can see your accounts. 1 connection is paused. Nothing needs your attention.",
    );
    await user.click(button("Resume Budget Buddy at Sandbox Bank"));
    await settle();
    expect(within(screen.getByTestId("grant-row-one")).getByTestId("state-active")).toBeVisible();
  });

  test("a refused pause says so on the row", async () => {
    const { fake, user } = await open("one");
    fake.refuse("pause_grant", "store_failed");
    await click(user, "pause-row");
    expect(within(screen.getByTestId("grant-row-one")).getByRole("alert")).toHaveTextContent(
      "could not write to your disk",
    );
    expect(screen.getByTestId("state-active")).toBeVisible();
  });

  test("on the page: since when, and that the bank is not told", async () => {
    await open("paused");
    expect(screen.getByTestId("connection-summary")).toHaveTextContent("You paused it.");
    expect(screen.getByTestId("paused")).toHaveTextContent(/Since .* gets nothing until you resume it/);
  });
});

describe("reconnecting", () => {
  test.each(EVERY_WHY)("%s: the reason in plain words, and both ways from there", async (why) => {
    await open(`reconnect-${why}-row`);
    const notice = screen.getByTestId("attention-reconnect-one");
    const said = reconnectSentences(why, { agent: "Budget Buddy", bank: "Sandbox Bank" }).join(" ");
    expect(notice).toHaveTextContent(said);
    expect(within(notice).getByTestId("reconnect-one")).toBeVisible();
    expect(within(notice).getByTestId("revoke-one")).toBeVisible();
    expect(screen.getByTestId("state-reconnect")).toHaveTextContent("Needs reconnecting");
    expect(screen.getByTestId("home-sentence")).toHaveTextContent("1 connection needs reconnecting.");
  });

  test("asks for the same as before and goes on at the bank", async () => {
    const { fake, user } = await open("reconnect-ended_at_bank");
    const { row } = fake.grant("one");
    await click(user, "reconnect-one");
    expect(asked(fake, "renew_grant")).toEqual([
      { grant: "one", permissions: row.permissions.map((one) => one.id), until: row.ends_at },
    ]);
    expect(screen.getByText("Renew connection")).toBeVisible();
    expect(screen.getByTestId("step-at_bank")).toBeVisible();
  });

  test("what can't be asked for again is chosen anew", async () => {
    const { fake, user } = await open("reconnect-ended_at_bank-row");
    fake.refuse("renew_grant", "date_out_of_range");
    await click(user, "reconnect-row");
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("What may it do from now on?");
  });

  test("a refusal stands in the notice", async () => {
    const { fake, user } = await open("reconnect-ended_at_bank-row");
    fake.refuse("renew_grant", "too_many_attempts");
    await click(user, "reconnect-one");
    expect(screen.getByTestId("problem-too_many_attempts")).toBeVisible();
  });
});

describe("a bank's trouble", () => {
  test.each(EVERY_TROUBLE)(
    "%s: when it was tried, when it is tried again, and nothing alarming",
    async (what) => {
      const { fake } = await open(`trouble-${what}`);
      const notice = screen.getByTestId("attention-trouble-one");
      const { trouble } = fake.grant("one").row;
      const [first = ""] = trouble ? troubleSentences(trouble, "Sandbox Bank", Date.now()) : [];
      expect(notice).toHaveTextContent(first);
      expect(notice).toHaveTextContent(/Last try (yesterday )?at/);
      expect(notice).toHaveTextContent(
        what === "known_address" ? /Look for an update/ : /Next try (tomorrow )?at/,
      );
      expect(notice).toHaveTextContent(/Sandbox Bank confirmed this (yesterday|2 days ago)/);
      expect(notice).toHaveClass("info");
      expect(screen.getByTestId("state-active")).toBeVisible();
    },
  );

  test("check now: confirmed, and the trouble is gone", async () => {
    const { user } = await open("trouble-page");
    expect(screen.getByTestId("trouble")).toBeVisible();
    await click(user, "check-now");
    expect(screen.getByTestId("checked")).toHaveTextContent("Sandbox Bank has just confirmed that it works.");
    expect(screen.queryByTestId("trouble")).toBeNull();
  });

  test("check now: not confirmed, and refused", async () => {
    const { fake, user } = await open("page");
    fake.banksUp = false;
    await click(user, "check-now");
    expect(screen.getByTestId("checked")).toHaveTextContent("Sandbox Bank did not confirm it now.");
    expect(screen.getByTestId("trouble")).toHaveTextContent("Sandbox Bank could not be reached.");
    fake.refuse("check_grant", "bank_unavailable");
    await click(user, "check-now");
    expect(screen.getByTestId("problem-bank_unavailable")).toHaveTextContent("Nothing changed.");
  });
});

describe("the end is near", () => {
  test("is said with its day, until the person wants to hear no more of it", async () => {
    const { fake, user } = await open("soon");
    expect(screen.getAllByTestId(/^attention-soon-/)).toHaveLength(1);
    expect(screen.getByTestId("attention-soon-one")).toHaveTextContent(
      /Budget Buddy at Sandbox Bank ends on/,
    );
    await click(user, "quiet-one");
    expect(asked(fake, "stop_reminding")).toEqual([{ grant: "one" }]);
    expect(screen.queryByTestId("attention-soon-one")).toBeNull();
    expect(screen.getByTestId("home-sentence")).toHaveTextContent("Nothing needs your attention.");
  });
});

describe("narrowing", () => {
  test("by keyboard alone: untick, see the sentence change, confirm", async () => {
    const { fake, user } = await open("page");
    await tabTo(user, "narrow");
    await user.keyboard("{Enter}");
    await settle();
    await clean();
    const sentence = screen.getByTestId("narrow-sentence");
    expect(sentence).toHaveTextContent("Budget Buddy can see balances and transactions of 2 accounts");
    await tabTo(user, "narrow-permission-transactions");
    await user.keyboard(" ");
    expect(sentence).toHaveTextContent("Budget Buddy can see balances of 2 accounts");
    await tabTo(user, "narrow-account-savings");
    await user.keyboard(" ");
    expect(sentence).toHaveTextContent("Budget Buddy can see balances of 1 account");
    const { ends_at } = fake.grant("one").row;
    await tabTo(user, "narrow-confirm");
    await user.keyboard("{Enter}");
    await settle();
    expect(asked(fake, "narrow_grant")).toEqual([
      { grant: "one", permissions: ["accounts", "balances"], accounts: ["everyday"], until: ends_at },
    ]);
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(document.activeElement).toHaveAttribute("data-testid", "narrow");
    expect(screen.getByTestId("narrowed")).toHaveTextContent(
      "Sandbox Bank still allows more than this. Renew to change it there.",
    );
    expect(screen.getByTestId("bank-allows")).toHaveTextContent("transactions");
    expect(screen.getByText("taken back here")).toBeVisible();
  });

  test("Escape leaves it as it is", async () => {
    const { fake, user } = await open("page");
    await click(user, "narrow");
    await user.click(screen.getByTestId("narrow-permission-transactions"));
    await user.keyboard("{Escape}");
    await settle();
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(asked(fake, "narrow_grant")).toEqual([]);
  });

  test("nothing unticked, everything unticked, and a day that is none are said beside the fields", async () => {
    const { fake, user } = await open("page");
    await click(user, "narrow");
    await click(user, "narrow-confirm");
    expect(screen.getByText("Untick something, or choose an earlier day.")).toBeVisible();
    for (const id of ["transactions", "balances", "accounts"])
      await user.click(screen.getByTestId(`narrow-permission-${id}`));
    for (const id of ["everyday", "savings"]) await user.click(screen.getByTestId(`narrow-account-${id}`));
    await user.clear(screen.getByTestId("narrow-until"));
    await click(user, "narrow-confirm");
    expect(screen.getAllByText("Leave at least one thing. To end it all, pause or revoke.").length).toBe(2);
    expect(screen.getByText("Leave at least one account. To end it all, pause or revoke.")).toBeVisible();
    expect(screen.getByText("Choose a day.")).toBeVisible();
    expect(asked(fake, "narrow_grant")).toEqual([]);
    await clean();
  });

  test("what others need stays on", async () => {
    const { user } = await open("page");
    await click(user, "narrow");
    const accounts = screen.getByTestId("narrow-permission-accounts");
    await user.click(accounts);
    expect(accounts).toBeChecked();
    expect(accounts).toHaveAccessibleDescription("Needed for balances and transactions.");
  });

  test("a refusal stays in the question", async () => {
    const { fake, user } = await open("page");
    fake.refuse("narrow_grant", "store_failed");
    await click(user, "narrow");
    await user.click(screen.getByTestId("narrow-permission-transactions"));
    await click(user, "narrow-confirm");
    expect(within(screen.getByTestId("narrow-dialog")).getByRole("alert")).toBeVisible();
  });

  test("giving back says what is true then, and asks once", async () => {
    const { fake, user } = await open("narrowed");
    await click(user, "widen");
    const dialog = screen.getByTestId("widen-dialog");
    expect(dialog).toHaveTextContent("Budget Buddy can see balances and transactions of 2 accounts");
    expect(within(dialog).getByTestId("widen-keep")).toHaveFocus();
    await click(user, "widen-confirm");
    expect(fake.grant("one").row.narrowed).toBe(false);
    expect(screen.queryByTestId("narrowed")).toBeNull();
  });
});

describe("renewing", () => {
  test("by keyboard alone: what it may do is filled in, and the old one lives until the new one is stored", async () => {
    const { fake, user } = await open("page");
    await tabTo(user, "renew");
    await user.keyboard("{Enter}");
    await settle();
    expect(screen.getByRole("heading", { level: 1 })).toHaveFocus();
    expect(screen.getByTestId("renew-stays")).toHaveTextContent("stays as it is until the new one is stored");
    expect(screen.getByTestId("permission-balances")).toBeChecked();
    expect(screen.getByTestId("permission-identity")).not.toBeChecked();
    expect(screen.queryByTestId("change-bank")).toBeNull();
    await tabTo(user, "permission-transactions");
    await user.keyboard(" ");
    await tabTo(user, "go-connect");
    await user.keyboard("{Enter}");
    await settle();
    expect(asked(fake, "renew_grant")).toMatchObject([
      { grant: "one", permissions: ["accounts", "balances"] },
    ]);
    expect(asked(fake, "connect_account")).toEqual([]);
    expect(fake.grant("one").row.state.kind).toBe("active");
    fake.end(fake.attempts[0]?.id ?? "", { kind: "connected", missing: [], extra: [] });
    await settle();
    expect(await screen.findByTestId("took-place")).toHaveTextContent("That one is revoked.");
    expect(fake.grant("one").row.state).toMatchObject({ kind: "revoked" });
    await tabTo(user, "see-connection");
    await user.keyboard("{Enter}");
    await settle();
    await click(user, "see-older");
    expect(screen.getByTestId("connection-summary")).toHaveTextContent("A newer one has taken its place.");
    await click(user, "see-newer");
    expect(screen.getByTestId("see-older")).toBeVisible();
  });

  test("a no at the bank changes nothing", async () => {
    await open("renew-declined");
    expect(screen.getByTestId("ending-declined")).toHaveTextContent(
      "Nothing changed. The connection you had is as it was.",
    );
    expect(screen.getByTestId("ending-declined")).not.toHaveTextContent("Nothing was connected.");
  });

  test("trying again goes back to the renewal, with its choices", async () => {
    const { user } = await open("renew-declined");
    await click(user, "try-again");
    expect(screen.getByTestId("renew-stays")).toBeVisible();
    expect(screen.getByTestId("permission-balances")).toBeChecked();
  });

  test("is offered after the end too, and a decision is carried out as the last step", async () => {
    const { user, unmount } = await open("ended-facts");
    await click(user, "renew-ended");
    expect(screen.getByTestId("permission-balances")).toBeChecked();
    unmount();
    await open("renew-saving", (fake) => {
      fake.attempts = fake.attempts.map((one) => ({ ...one, step: "other_account" }));
    });
    expect(screen.getByTestId("live-saving")).toHaveTextContent("Save the new connection");
    expect(screen.getByTestId("live-saving")).toHaveTextContent("now");
  });

  test("a bank that has left the list can't be renewed, and that is said", async () => {
    await open("renew-bank-gone");
    expect(screen.getByTestId("bank-gone")).toHaveTextContent("can't be renewed");
  });
});

describe("other accounts than it was for", () => {
  test("whose, which, how long, and doing nothing is a no", async () => {
    await open("other-account");
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent(
      "These are not the accounts this connection was for",
    );
    const page = screen.getByTestId("other-account");
    expect(page).toHaveTextContent("You signed in as “Jakob Nowak”.");
    expect(page).toHaveTextContent("“Current account” ends in 7710");
    expect(page).toHaveTextContent("If you do nothing, they are not kept.");
    expect(screen.getByTestId("time-left")).toHaveTextContent(/^4 minutes left, until/);
  });

  test("not keeping them changes nothing", async () => {
    const { fake, user } = await open("other-account");
    await click(user, "other-not");
    expect(asked(fake, "decide_account")).toEqual([{ attempt: "open", keep: false }]);
    expect(screen.getByTestId("ending-other_account")).toHaveTextContent("Nothing changed.");
    expect(fake.grant("one").row.state.kind).toBe("active");
  });

  test("keeping them makes a connection of its own, beside the old one", async () => {
    const { fake, user } = await open("other-account");
    await click(user, "other-keep");
    expect(screen.getByTestId("ending-connected")).toBeVisible();
    expect(screen.queryByTestId("took-place")).toBeNull();
    expect(fake.grants).toHaveLength(2);
    expect(fake.grant("one").row.state.kind).toBe("active");
  });
});

describe("receipts", () => {
  afterEach(() => vi.restoreAllMocks());

  test("are listed, read, printed and saved", async () => {
    const print = vi.fn();
    vi.stubGlobal("print", print);
    const { user } = await open("page");
    await click(user, "receipt-receipt-one");
    expect(screen.getByRole("heading", { level: 1 })).toHaveFocus();
    const page = screen.getByTestId("receipt-page");
    expect(page).toHaveTextContent("You connected Budget Buddy to Sandbox Bank.");
    expect(page).toHaveTextContent("https://sandbox-bank.example");
    await click(user, "print-receipt");
    expect(print).toHaveBeenCalledOnce();
    await click(user, "save-receipt");
    expect(screen.getByTestId("receipt-saved")).toHaveTextContent("Saved to /home/");
    await click(user, "back");
    expect(screen.getByTestId("connection-page")).toBeVisible();
  });

  test("a copy that could not be written says so", async () => {
    const { fake, user } = await open("receipt");
    fake.diskUp = false;
    await click(user, "save-receipt");
    expect(screen.getByTestId("problem-not_written")).toBeVisible();
    expect(screen.getByTestId("receipt-saved")).toBeEmptyDOMElement();
  });

  test("of an end: how it stands now", async () => {
    await open("receipt-revoked");
    expect(screen.getByTestId("receipt-page")).toHaveTextContent("How it stands now");
    expect(screen.getByTestId("bank-told-not_yet")).toBeVisible();
  });
});

describe("the three facts of a revocation", () => {
  test("what only the person can do at the bank, with its page", async () => {
    await open("revoked-confirmed");
    expect(screen.getByTestId("cut-off")).toBeVisible();
    expect(screen.getByTestId("bank-told-confirmed")).toBeVisible();
    expect(screen.getByTestId("consent-at_bank")).toHaveTextContent("Only you can remove it there.");
    expect(screen.getAllByTestId("bank-help")).toHaveLength(1);
  });

  test("withdrawn with its time; not yet, with how long access may last", async () => {
    const { unmount } = await open("consent-withdrawn");
    expect(screen.getByTestId("consent-withdrawn")).toHaveTextContent(/took it off its list/);
    unmount();
    await open("consent-not_yet");
    expect(screen.getByTestId("consent-not_yet")).toHaveTextContent("once it has confirmed");
    expect(screen.getByTestId("valid-until")).toHaveTextContent(/may work at Sandbox Bank until/);
  });

  test("where the new connection lives on it, nobody is sent to remove it", async () => {
    await open("revoked-replaced");
    expect(screen.getByTestId("consent-at_bank")).toHaveTextContent("goes on for the new connection");
    expect(screen.queryByTestId("bank-help")).toBeNull();
  });
});

test("long names break nothing and stand whole in the questions", async () => {
  const { fake, user } = await open("long-page");
  expect(screen.getByTestId("connection-summary")).toHaveTextContent(LONG_AGENT);
  await click(user, "narrow");
  expect(screen.getByRole("dialog")).toHaveAccessibleName(new RegExp(LONG_AGENT));
  fake.setGrant(grant("long", Date.now() - DAY));
  await waitFor(() => expect(screen.getByRole("dialog")).toBeVisible());
});
