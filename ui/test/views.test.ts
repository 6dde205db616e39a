import { render, screen, waitFor, within } from "@testing-library/svelte";
import axe from "axe-core";
import { describe, expect, test } from "vitest";
import { EVERY_ENDING, SCENARIOS, UNOPENED } from "../src/ipc/scenarios";
import { everyTold } from "../src/ipc/scenarios-base";
import { account, permissions } from "../src/ipc/fake-data";
import type { EndingView } from "../src/ipc/generated/contract";
import { keychain } from "../src/text/en";
import { endingWords } from "../src/text/endings";
import App from "../src/App.svelte";
import { startScenario } from "../src/ipc/fake";
import { open, settle } from "./window";

const names = { bank: "Sandbox Bank", agent: "Budget Buddy" };
const button = (name: string | RegExp) => screen.getByRole("button", { name });

async function toStepTwo(user: Awaited<ReturnType<typeof open>>["user"]) {
  await user.click(button("Connect account"));
  await settle();
  await user.click(button(/Sandbox Bank/));
}

describe("every scenario", () => {
  // Ten thousand rows are for a real browser, and of a busy host there is nothing to see yet.
  test.each(Object.keys(SCENARIOS).filter((name) => name !== "many" && name !== "busy"))(
    "%s has no accessibility fault and no inline style",
    async (name) => {
      await open(name);
      if (name === "host-gone") await screen.findByTestId("host-gone");
      const found = await axe.run(document.body, {
        rules: { "color-contrast": { enabled: false }, region: { enabled: true } },
      });
      expect(found.violations.map((one) => `${one.id}: ${one.nodes[0]?.html}`)).toEqual([]);
      expect(document.querySelectorAll("[style]")).toHaveLength(0);
      expect(document.querySelectorAll("body style, body script")).toHaveLength(0);
    },
  );

  test("step 2 with everything open has none either", async () => {
    const { user } = await open("connect");
    await user.click(button(/First Harbour/));
    await user.click(button("Add an agent"));
    await user.click(button("Add agent"));
    await user.click(screen.getByRole("radio", { name: "A date" }));
    await user.clear(screen.getByLabelText("Last day"));
    await user.click(button("Continue at the bank"));
    const found = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } } });
    expect(found.violations.map((one) => `${one.id}: ${one.nodes[0]?.html}`)).toEqual([]);
    expect(screen.getByText("Choose a day.")).toBeVisible();
    expect(document.querySelectorAll("[style]")).toHaveLength(0);
  });
});

describe("connections", () => {
  test("empty: two sentences and one button", async () => {
    await open("empty");
    expect(screen.getByTestId("home-sentence")).toHaveTextContent(
      "No agent can see your accounts. Nothing needs your attention.",
    );
    expect(screen.getAllByRole("button", { name: "Connect account" })).toHaveLength(1);
  });

  test("one sentence is the whole truth, and a row says the rest", async () => {
    await open("one");
    expect(screen.getByTestId("home-sentence")).toHaveTextContent(
      "1 agent can see 3 of your accounts. Nothing needs your attention.",
    );
    const row = screen.getByTestId("grant-row-one");
    expect(row).toHaveTextContent("Can see balances and transactions of 3 accounts. Can't move money.");
    expect(within(row).getByRole("button", { name: "Revoke Budget Buddy at Sandbox Bank" })).toBeVisible();
  });

  test("search appears with many rows and finds by agent and bank", async () => {
    const { user } = await open("full");
    const list = screen.getByRole("list", { name: "Current" });
    expect(within(list).getAllByRole("listitem")).toHaveLength(12);
    await user.type(screen.getByRole("searchbox", { name: "Search connections" }), "cordill");
    expect(within(list).getAllByRole("listitem").length).toBeLessThan(3);
    await user.type(screen.getByRole("searchbox"), "xyz");
    expect(screen.getByText("Nothing found.")).toBeVisible();
  });

  test("tabs by arrow keys", async () => {
    const { user } = await open("full");
    screen.getByRole("tab", { name: /Current/ }).focus();
    await user.keyboard("{ArrowRight}");
    expect(screen.getByRole("tab", { name: /History/ })).toHaveFocus();
    expect(screen.getByRole("tabpanel", { name: /History/ })).toHaveTextContent(
      "First Harbour Savings confirmed",
    );
  });

  test("an attempt from before goes on", async () => {
    const { user } = await open("continue");
    await user.click(button(/Continue/));
    await screen.findByRole("heading", { name: "At Sandbox Bank" });
  });

  test("a damaged record is named, and the others stand", async () => {
    const { fake } = await open("damaged");
    const said = fake.damaged.map((_, n) => screen.getByTestId(`attention-damaged-${n}`).textContent);
    expect(said[0]).toContain("What is stored of a connection to First Harbour is damaged.");
    expect(said[0]).toContain("Withdraw the access at the bank yourself.");
    expect(said[1]).toContain("What is stored of a connection is damaged.");
    expect(said[2]).toContain("What is stored of the agent Tax Helper is damaged.");
    expect(said[3]).toContain("What is stored of an agent is damaged.");
    expect(screen.getByTestId("home-sentence")).toHaveTextContent("4 things need your attention.");
    expect(screen.getByTestId("grant-row-one")).toBeVisible();
  });

  test("where only a damaged record is left, nobody says that nothing is connected", async () => {
    const { fake } = await open("damaged");
    fake.grants = [];
    fake.changeGrants();
    await settle();
    expect(screen.queryByTestId("empty")).toBeNull();
    expect(screen.getByTestId("attention-damaged-0")).toBeVisible();
  });

  test.each(Object.entries(keychain))("keychain %s: words and a way out", async (state, words) => {
    const { fake, user } = await open(`keychain-${state}`);
    const notice = screen.getByTestId(`keychain-${state}`);
    expect(notice).toHaveTextContent(words.title);
    fake.afterUnlock = "ready";
    if (words.action === "check") fake.app = { ...fake.app, keychain: "ready" };
    await user.click(within(notice).getByRole("button"));
    await settle();
    expect(screen.queryByTestId(`keychain-${state}`)).toBeNull();
    expect(screen.getByTestId("home-sentence")).toHaveTextContent("Nothing needs your attention.");
  });

  test("a refused read says what happened, with the reference", async () => {
    const { fake } = await open("one");
    fake.refuse("list_grants", "store_failed", "K7-4MQ");
    fake.changeGrants();
    await settle();
    expect(screen.getByRole("alert")).toHaveTextContent("could not write to your disk");
    expect(screen.getByRole("alert")).toHaveTextContent("K7-4MQ");
  });

  test("an event makes it read again", async () => {
    const { fake } = await open("one");
    fake.grants = [];
    fake.changeGrants();
    await settle();
    expect(screen.getByTestId("home-sentence")).toHaveTextContent("No agent can see your accounts.");
  });
});

describe("connect", () => {
  test("the sentence rewrites itself, and what is needed stays on", async () => {
    const { user } = await open("one");
    await toStepTwo(user);
    const sentence = screen.getByTestId("choice-sentence");
    expect(sentence).toHaveTextContent(
      /^Budget Buddy will see balances and transactions of the accounts you pick/,
    );
    expect(sentence).toHaveTextContent("It can't move money.");
    const accounts = screen.getByRole("checkbox", { name: /your accounts/ });
    await user.click(accounts);
    expect(accounts).toBeChecked();
    expect(accounts).toHaveAccessibleDescription("Needed for balances and transactions.");
    await user.click(screen.getByRole("checkbox", { name: /pay your saved payees/ }));
    expect(sentence).toHaveTextContent("That moves money.");
    await user.click(screen.getByRole("radio", { name: "Today" }));
    expect(sentence).toHaveTextContent("until tonight");
  });

  test("nothing chosen is said beside the choices", async () => {
    const { fake, user } = await open("one");
    await toStepTwo(user);
    for (const name of [/balances:/, /transactions:/, /your accounts/]) {
      await user.click(screen.getByRole("checkbox", { name }));
    }
    await user.click(button("Continue at the bank"));
    expect(screen.getByText("Choose at least one thing it may see or do.")).toBeVisible();
    expect(fake.calls.some((call) => call.name === "connect_account")).toBe(false);
  });

  test("an agent is added on the way", async () => {
    const { user } = await open("one");
    await toStepTwo(user);
    await user.click(button("Add an agent"));
    await user.type(screen.getByLabelText("Name"), "Rent Reminder");
    await user.type(screen.getByLabelText("Public key"), "short");
    await user.click(button("Add agent"));
    await settle();
    expect(screen.getByLabelText("Public key")).toHaveAccessibleDescription(/not an agent's public key/);
    expect(screen.getByLabelText("Public key")).toHaveFocus();
    await user.clear(screen.getByLabelText("Public key"));
    await user.type(screen.getByLabelText("Public key"), "k".repeat(43));
    await user.click(button("Add agent"));
    await settle();
    expect(screen.getByRole("radio", { name: "Rent Reminder" })).toBeChecked();
  });

  test("a bank that keeps one permission for all warns; a longer time is off and says why", async () => {
    const { user } = await open("connect");
    await user.click(button(/First Harbour/));
    expect(screen.getByTestId("shared-consents")).toHaveTextContent(
      "Revoking one agent here ends the others",
    );
    const ninety = screen.getByRole("radio", { name: "90 days" });
    expect(ninety).toBeDisabled();
    expect(ninety).toHaveAccessibleDescription("First Harbour Savings allows 45 days at most.");
  });

  test("at the bank: host, password, link, waiting, reference", async () => {
    const { user } = await open("waiting");
    expect(screen.getByTestId("at-bank-lead")).toHaveTextContent(
      "Your browser is at sandbox-bank.example. Sign in there.",
    );
    expect(screen.getByText("Countersign never sees your password.")).toBeVisible();
    expect(screen.getByText(/Waiting until/)).toBeVisible();
    expect(screen.getByTestId("attempt-reference")).toHaveTextContent("K7-4MQ-2P");
    await user.click(button("Copy link"));
    await settle();
    expect(screen.getByTestId("link-copied")).toHaveTextContent(
      /^Link copied\. It works once, until \d\d:\d\d\.$/,
    );
  });

  test("a browser that did not open: copy the link comes first", async () => {
    await open("browser-failed");
    expect(screen.getByTestId("browser-failed")).toHaveTextContent("Your browser did not open.");
    const copy = button("Copy link");
    expect(
      copy.compareDocumentPosition(button("Open again")) & Node.DOCUMENT_POSITION_FOLLOWING,
    ).toBeTruthy();
  });

  test("steps move on with the attempt", async () => {
    const { fake } = await open("waiting");
    fake.move("open", { step: "reading_accounts" });
    await settle();
    expect(screen.getByTestId("live-answered")).toHaveTextContent("done");
    expect(screen.getByTestId("live-reading_accounts")).toHaveTextContent("now");
    expect(screen.queryByRole("button", { name: "Open again" })).toBeNull();
  });

  test("cancel leaves nothing", async () => {
    const { user } = await open("waiting");
    await user.click(button("Cancel"));
    await settle();
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("You cancelled");
    expect(screen.getByText("Nothing was connected.")).toBeVisible();
  });

  const endings: EndingView[] = Object.values(EVERY_ENDING).filter((one) => one.kind !== "connected");
  test.each(endings.map((ending) => [ending.kind, ending] as const))(
    "ending %s is its own screen",
    async (kind, ending) => {
      const { user } = await open(`ending-${kind}`);
      const said = endingWords(ending, names);
      const heading = screen.getByRole("heading", { level: 1 });
      expect(heading).toHaveTextContent(said.title);
      expect(heading).toHaveFocus();
      const screenOf = screen.getByTestId(`ending-${kind}`);
      for (const sentence of [...said.means, ...said.todo]) expect(screenOf).toHaveTextContent(sentence);
      expect(within(screenOf).getByTestId("attempt-reference")).toHaveTextContent("K7-4MQ-2P");
      if (said.offers.includes("again")) {
        await user.click(button("Try again"));
        expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("What may it do?");
      } else {
        expect(screen.queryByRole("button", { name: "Try again" })).toBeNull();
      }
    },
  );

  test("connected: what it can and can't, accounts, holder", async () => {
    const { user } = await open("ending-connected");
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Connected");
    const page = screen.getByTestId("ending-connected");
    expect(page).toHaveTextContent(
      "Budget Buddy can see balances and transactions of 2 accounts at Sandbox Bank",
    );
    expect(page).toHaveTextContent("It can't move money.");
    expect(page).toHaveTextContent("“Aleksandra Nowak” as Sandbox Bank says");
    expect(page).toHaveTextContent("“Everyday account” ends in 4417 EUR");
    await user.click(screen.getByTestId("done"));
    await settle();
    expect(screen.getByTestId("home-sentence")).toHaveTextContent("1 agent can see 2 of your accounts.");
  });

  test("less was allowed: what works and what will not", async () => {
    await open("connected-less");
    expect(screen.getByTestId("missing")).toHaveTextContent("What works: accounts and balances.");
    expect(screen.getByTestId("missing")).toHaveTextContent("It can't see your transactions.");
  });

  test("more was allowed: quoted, never used, revoke offered", async () => {
    const { user } = await open("connected-extra");
    expect(screen.getByTestId("extra")).toHaveTextContent("“fdx:payments:write”");
    expect(screen.getByTestId("extra")).toHaveTextContent("Countersign never uses it.");
    await user.click(within(screen.getByTestId("extra")).getByRole("button", { name: "Revoke" }));
    expect(screen.getByRole("dialog")).toHaveTextContent("Budget Buddy stops right away.");
  });
});

describe("a connection's page", () => {
  test("an ending where the bank may have a yes says where to take it back", async () => {
    await open("ending-interrupted");
    const page = screen.getByTestId("ending-interrupted");
    expect(page).toHaveTextContent("You may have said yes at Sandbox Bank already.");
    expect(screen.getByTestId("bank-help")).toHaveTextContent("https://sandbox-bank.example/connected-apps");
  });

  test("facts and history", async () => {
    await open("page");
    expect(screen.getByTestId("connection-summary")).toHaveTextContent(/^Budget Buddy can see balances/);
    expect(screen.getByTestId("connection-can")).toHaveTextContent(
      "see your balances: what is in each account now",
    );
    expect(screen.getByTestId("connection-cannot")).toHaveTextContent(/move money/);
    expect(screen.getByText("You connected Budget Buddy to Sandbox Bank.")).toBeVisible();
  });

  test("revoking says its consequences first, then the facts", async () => {
    const { fake, user } = await open("page");
    await user.click(button("Revoke"));
    const dialog = screen.getByRole("dialog", { name: "Revoke Budget Buddy at Sandbox Bank" });
    expect(dialog).toHaveTextContent("Sandbox Bank is told.");
    expect(dialog).toHaveTextContent("Budget Buddy may keep what it has already seen.");
    expect(fake.calls.some((call) => call.name === "revoke_grant")).toBe(false);
    await user.click(within(dialog).getByRole("button", { name: "Revoke" }));
    await settle();
    expect(screen.getByTestId("cut-off")).toHaveTextContent(/^Cut off here at \d\d:\d\d\.$/);
    expect(screen.getByTestId("bank-told-not_yet")).toHaveTextContent("Sandbox Bank is being told now.");
  });

  test("a refused revocation says so and stays", async () => {
    const { fake, user } = await open("page");
    fake.refuse("revoke_grant", "store_failed");
    await user.click(button("Revoke"));
    await user.click(screen.getByTestId("revoke-confirm"));
    await settle();
    expect(within(screen.getByRole("dialog")).getByRole("alert")).toHaveTextContent("Nothing changed.");
  });

  test("the list learns that a bank keeps one permission for all", async () => {
    const { user } = await open("one", (fake) => {
      fake.grants = fake.grants.map((view) => ({ ...view, shared_consents: true }));
    });
    await user.click(button(/^Revoke Budget Buddy/));
    await settle();
    expect(screen.getByRole("dialog")).toHaveTextContent(
      "Your other agents at Sandbox Bank stop working too.",
    );
  });

  test.each(Object.entries(everyTold(Date.now())))("told the bank: %s", async (name, told) => {
    await open(`revoked-${name}`);
    const fact = screen.getByTestId(`bank-told-${told.kind}`);
    expect(fact).toBeVisible();
    expect(screen.queryByTestId("valid-until") === null).toBe(told.kind === "confirmed");
    expect(screen.queryByTestId("stop-telling") !== null).toBe(told.kind === "not_yet");
    if (told.kind === "not_offered") {
      expect(screen.getByTestId("bank-help")).toHaveTextContent(
        "https://sandbox-bank.example/connected-apps",
      );
      expect(screen.queryByRole("link")).toBeNull();
    }
    if (name === "keychain") {
      expect(fact).toHaveTextContent("Waits for your keychain.");
      expect(button("Unlock keychain")).toBeVisible();
    }
  });

  test("giving up telling the bank is asked twice", async () => {
    const { user } = await open("revoked-bank_to_answer");
    await user.click(button("Stop trying to tell the bank"));
    expect(screen.getByRole("dialog")).toHaveTextContent("may go on believing that the access is allowed");
    await user.click(button("Stop trying"));
    await settle();
    expect(screen.getByTestId("bank-told-given_up")).toHaveTextContent("Sandbox Bank has not confirmed.");
  });
});

describe("the frame", () => {
  test("sandbox, data folder, tray, catalogue", async () => {
    await open("problems");
    expect(screen.getByTestId("sandbox-mark")).toHaveTextContent("Sandbox");
    expect(screen.getByTestId("home-folder")).toHaveTextContent("/home/aleksandra");
    expect(screen.getByTestId("no-tray")).toBeVisible();
    expect(screen.getByTestId("catalogue-problems")).toHaveTextContent("first-harbour.toml");
  });

  test("host gone, and start again", async () => {
    const { user, fake } = await open("one");
    fake.emit({ type: "host_gone" });
    await settle();
    expect(screen.getByTestId("host-gone")).toHaveTextContent(
      "Agents can't use your connections while it is stopped.",
    );
    await user.click(button("Start again"));
    await settle();
    expect(screen.getByTestId("home-sentence")).toBeVisible();
  });

  test("of ten thousand rows only those near the window are drawn, and all are found", async () => {
    const { user } = await open("many");
    expect(screen.getByTestId("tab-current")).toHaveTextContent("Current 10000");
    const drawn = screen.getAllByRole("listitem");
    expect(drawn.length).toBeLessThan(60);
    expect(drawn[0]).toHaveAttribute("aria-setsize", "10000");
    await user.type(screen.getByTestId("search-connections"), "buddy 9996");
    await settle();
    expect(screen.getByTestId("grant-row-many-9996")).toBeVisible();
    expect(screen.getAllByRole("listitem")).toHaveLength(1);
  });

  test("nothing is called empty before the list is read", async () => {
    const { client, place } = startScenario("busy");
    delete document.documentElement.dataset.ready;
    render(App, { client, place });
    await settle();
    expect(screen.getByText("Reading your connections…")).toBeInTheDocument();
    expect(screen.queryByTestId("empty")).toBeNull();
    expect(screen.queryByTestId("home-sentence")).toBeNull();
    expect(document.documentElement.dataset.ready).toBeUndefined();
  });

  test.each(UNOPENED)("data that could not be opened: %s", async (code) => {
    const { fake, user } = await open(`unopened-${code}`);
    const page = screen.getByTestId(`problem-${code}`);
    expect(screen.getByRole("heading", { level: 1 })).toHaveFocus();
    expect(page).toHaveTextContent("Agents can't use your connections now.");
    expect(screen.queryByRole("navigation")).toBeNull();
    expect(screen.getAllByRole("button")).toHaveLength(1);
    expect(document.documentElement.dataset.ready).toBeUndefined();
    await user.click(button("Quit"));
    expect(fake.calls.at(-1)?.name).toBe("quit");
  });

  test("quit says what it means", async () => {
    const { fake, user } = await open("quit");
    expect(screen.getByRole("dialog", { name: "Quit Countersign" })).toHaveTextContent("Nothing is revoked.");
    await user.click(button("Keep it running"));
    await settle();
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(fake.calls.some((call) => call.name === "keep_running")).toBe(true);
    expect(fake.calls.some((call) => call.name === "quit")).toBe(false);
  });

  test("agents: adding one by its key", async () => {
    const { user } = await open("one");
    await user.click(button("Agents"));
    expect(screen.getByRole("heading", { level: 1 })).toHaveFocus();
    await user.type(screen.getByLabelText("Name"), "Budget Buddy");
    await user.type(screen.getByLabelText("Public key"), "k".repeat(43));
    await user.click(button("Add agent"));
    await settle();
    expect(screen.getByLabelText("Name")).toHaveAccessibleDescription(/already has this name/);
    await user.clear(screen.getByLabelText("Name"));
    await user.type(screen.getByLabelText("Name"), "Tax Helper");
    await user.click(button("Add agent"));
    await waitFor(() => expect(screen.getAllByText("Tax Helper")).toHaveLength(1));
  });

  test("what a bank or a person wrote is drawn as text", async () => {
    const markup = "<img src=x onerror=alert(1)>";
    await open("page", (fake) => {
      fake.grants = fake.grants.map((view) => ({
        ...view,
        holder: markup,
        extra: [markup],
        accounts: [account("everyday", markup, markup, markup)],
        row: {
          ...view.row,
          agent: { ...view.row.agent, name: markup },
          permissions: permissions("accounts"),
        },
      }));
    });
    expect(document.querySelector("img")).toBeNull();
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent(markup);
  });
});

describe("by keyboard alone", () => {
  async function tabTo(user: Awaited<ReturnType<typeof open>>["user"], testid: string) {
    for (let i = 0; i < 60; i++) {
      if (document.activeElement?.getAttribute("data-testid") === testid) return;
      await user.tab();
    }
    throw new Error(`${testid} can't be reached`);
  }

  test("connect, from the list to done", async () => {
    const { fake, user } = await open("one");
    await tabTo(user, "connect-account");
    await user.keyboard("{Enter}");
    await settle();
    expect(screen.getByRole("heading", { level: 1 })).toHaveFocus();
    await tabTo(user, "bank-sandbox-bank");
    await user.keyboard("{Enter}");
    await settle();
    expect(screen.getByRole("heading", { level: 1 })).toHaveFocus();
    await tabTo(user, "permission-identity");
    await user.keyboard(" ");
    await tabTo(user, "go-connect");
    await user.keyboard("{Enter}");
    await settle();
    expect(screen.getByRole("heading", { level: 1 })).toHaveFocus();
    const made = fake.attempts[0];
    expect(made?.permissions.map((one) => one.id)).toContain("identity");
    fake.end(made?.id ?? "", { kind: "connected", missing: [], extra: [] });
    await settle();
    expect(screen.getByRole("heading", { level: 1, name: "Connected" })).toHaveFocus();
    await tabTo(user, "done");
    await user.keyboard("{Enter}");
    await settle();
    expect(screen.getByRole("heading", { level: 1, name: "Connections" })).toHaveFocus();
  });

  test("revoke, kept once and then done", async () => {
    const { fake, user } = await open("one");
    await tabTo(user, "revoke-row");
    await user.keyboard("{Enter}");
    await settle();
    await user.keyboard("{Escape}");
    await settle();
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(document.activeElement).toHaveAttribute("data-testid", "revoke-row");
    expect(fake.calls.some((call) => call.name === "revoke_grant")).toBe(false);
    await user.keyboard("{Enter}");
    await settle();
    await tabTo(user, "revoke-confirm");
    await user.keyboard("{Enter}");
    await settle();
    expect(screen.getByTestId("cut-off")).toBeVisible();
    expect(screen.getByRole("heading", { level: 1 })).toHaveFocus();
  });
});
