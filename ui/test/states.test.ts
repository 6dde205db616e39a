import { afterEach, describe, expect, test, vi } from "vitest";
import { AddAgentForm, Agents } from "../src/agents/agents.svelte";
import { Choice } from "../src/connect/choice.svelte";
import { Connect } from "../src/connect/connect.svelte";
import { gather } from "../src/grants/attention";
import { Connection } from "../src/grants/connection.svelte";
import { Narrowing } from "../src/grants/narrow.svelte";
import { Connections } from "../src/grants/connections.svelte";
import { asCommandError, NOTHING } from "../src/ipc/client";
import { Fake, startScenario } from "../src/ipc/fake";
import { agent, attempt, bankMark, DAY, grant, permissions, provider, revoked } from "../src/ipc/fake-data";
import { AppGlance } from "../src/settings/app-state.svelte";
import { Rereader } from "../src/shared/rereader";
import { PATIENCE, Session } from "../src/shared/session.svelte";
import { settle } from "./window";

const now = Date.UTC(2026, 1, 10, 12, 0);

function world(): { fake: Fake; session: Session } {
  const fake = startScenario("one").client;
  return { fake, session: new Session(fake) };
}

describe("the line to the host", () => {
  test.each([
    [
      { code: "keychain_locked", reference: "K7" },
      { code: "keychain_locked", reference: "K7" },
    ],
    [{ code: "internal" }, { code: "internal", reference: null }],
    ["text", { code: "internal", reference: null }],
    [undefined, { code: "internal", reference: null }],
    [new Error("no"), { code: "internal", reference: null }],
  ])("%o is read as %o", (thrown, read) => expect(asCommandError(thrown)).toEqual(read));

  test("a host that is gone is noticed from an answer and from an event", async () => {
    const { fake, session } = world();
    fake.refuse("list_agents", "host_gone");
    await session.ask("list_agents", {});
    expect(session.gone).toBe(true);

    const other = world();
    await other.session.listen();
    other.fake.emit({ type: "host_gone" });
    expect(other.session.gone).toBe(true);
  });

  test("a request during a read leads to one more read", async () => {
    let reads = 0;
    const reader = new Rereader(async () => {
      reads += 1;
      await Promise.resolve();
    });
    await Promise.all([reader.ask(), reader.ask(), reader.ask()]);
    expect(reads).toBe(2);
    await reader.ask();
    expect(reads).toBe(3);
  });
});

describe("connections", () => {
  test("an older answer is ignored", async () => {
    const { fake, session } = world();
    const connections = new Connections(session);
    await connections.read();
    const old = connections.view;
    fake.grants = [];
    fake.changeGrants();
    await connections.read();
    expect(connections.view?.current).toEqual([]);
    if (old) connections.take(old);
    expect(connections.view?.current).toEqual([]);
  });

  test("only attempts that have not ended are open", async () => {
    const { fake, session } = world();
    fake.attempts = [attempt("a", now), attempt("b", now, { step: "ended", ending: { kind: "declined" } })];
    const connections = new Connections(session);
    await connections.read();
    expect(connections.open.map((one) => one.id)).toEqual(["a"]);
  });

  test("a refusal is kept and goes with the next good answer", async () => {
    const { fake, session } = world();
    const connections = new Connections(session);
    fake.refuse("list_grants", "store_failed", "K7-4MQ");
    await connections.read();
    expect(connections.problem).toEqual({ code: "store_failed", reference: "K7-4MQ" });
    await connections.read();
    expect(connections.problem).toBeNull();
  });

  test("what needs attention, and what does not", () => {
    const waiting = {
      kind: "not_yet",
      tries: 1,
      last_try: now,
      next_try: now,
      waits_for: "bank_to_answer",
    } as const;
    const trouble = { what: "bank_unreachable", detail: null, tried_at: now, next_try: now } as const;
    const rows = (views: ReturnType<typeof grant>[]) => views.map((view) => view.row);
    const view = {
      agents: 1,
      accounts: 2,
      revision: 1,
      current: rows([
        grant("fine", now),
        grant("soon", now, { state: { kind: "active", ends_soon: true } }),
        grant("extra", now, { has_extra: true }),
        grant("quiet", now, { state: { kind: "active", ends_soon: true }, no_reminders: true }),
        grant("paused-soon", now, { state: { kind: "paused", since: now, ends_soon: true } }),
        grant("broken", now, { state: { kind: "reconnect", since: now, why: "answer_lost" }, trouble }),
        grant("down", now, { trouble, confirmed_at: now - 1000 }),
        grant("down-longer", now, { trouble, confirmed_at: now - 2000 }),
        grant("shut", now, { trouble: { ...trouble, what: "keychain" } }),
      ]),
      history: rows([
        revoked(grant("untold", now), now, waiting),
        revoked(grant("told", now), now, { kind: "confirmed", at: now }),
        revoked(grant("given-up", now), now, { kind: "given_up", at: now }),
        revoked(grant("by-hand", now), now - DAY, { kind: "not_offered" }),
        revoked(grant("by-hand-long-ago", now), now - 30 * DAY, { kind: "not_offered" }),
        grant("ended", now, { state: { kind: "ended", facts: null }, has_extra: true }),
      ]),
      damaged: [{ what: "connection" as const, id: null, name: "First Harbour" }],
    };
    const shown = [
      "attempt-a",
      "reconnect-broken",
      "untold-untold",
      "untold-by-hand",
      "damaged-0",
      "extra-extra",
      "soon-soon",
      "soon-paused-soon",
      "trouble-down-longer",
    ];
    const ids = (held: "keychain" | null) =>
      gather(view, [attempt("a", now)], now, held).map((item) => item.id);
    expect(ids(null)).toEqual([...shown, "trouble-shut"]);
    expect(ids("keychain"), "where the keychain has a notice of its own").toEqual(shown);
  });
});

describe("a connection", () => {
  test("a read that began before the revocation is dropped", async () => {
    const { fake, session } = world();
    const connection = new Connection(session, "one");
    await connection.read();
    const release = fake.hold("show_grant");
    const reading = connection.read();
    await settle();
    await connection.revoke();
    release();
    await reading;
    await settle();
    expect(connection.view?.row.state.kind).toBe("revoked");
  });

  test("a refused revocation changes nothing", async () => {
    const { fake, session } = world();
    const connection = new Connection(session, "one");
    await connection.read();
    fake.refuse("revoke_grant", "store_failed");
    expect(await connection.revoke()).toBe(false);
    expect(connection.view?.row.state.kind).toBe("active");
  });

  test("giving up telling the bank", async () => {
    const { session } = world();
    const connection = new Connection(session, "one");
    await connection.revoke();
    expect(await connection.stopTelling()).toBe(true);
    expect(connection.view?.row.state).toMatchObject({ facts: { bank: { kind: "given_up" } } });
  });
});

describe("narrowing", () => {
  const make = () => new Narrowing(grant("one", now, { ends_at: Date.UTC(2026, 2, 1, 9) }));

  test("only becomes less, and asks for nothing as long as nothing is less", () => {
    const narrowing = make();
    expect(narrowing.request(now)).toBeNull();
    expect(narrowing.problems(now).all).not.toBeNull();
    narrowing.toggle("transactions");
    expect(narrowing.request(now)).toEqual({
      permissions: ["accounts", "balances"],
      accounts: ["everyday", "savings"],
      until: Date.UTC(2026, 2, 1, 9),
    });
    narrowing.toggle("payments");
    expect(narrowing.permissions.map((one) => one.id)).toEqual(["accounts", "balances"]);
  });

  test("what is ticked again brings what it needs", () => {
    const narrowing = make();
    for (const id of ["transactions", "balances", "accounts"]) narrowing.toggle(id);
    expect(narrowing.permissions).toEqual([]);
    narrowing.toggle("balances");
    expect(narrowing.permissions.map((one) => one.id)).toEqual(["accounts", "balances"]);
  });

  test("an earlier day is the end of that day, a later one is none", () => {
    const narrowing = make();
    narrowing.date = "2026-02-20";
    expect(narrowing.request(now)?.until).toBe(Date.UTC(2026, 1, 21) - 1);
    for (const date of ["2026-03-02", "2026-02-09", "", "soon"]) {
      narrowing.date = date;
      expect(narrowing.request(now), date).toBeNull();
    }
    expect(narrowing.problems(now).until).not.toBeNull();
  });

  test("what was taken back before is not offered again", () => {
    const view = grant("one", now);
    view.accounts = view.accounts.map((one) => ({ ...one, allowed: one.id === "savings" }));
    expect(new Narrowing(view).accounts.map((one) => one.id)).toEqual(["savings"]);
  });
});

describe("the choice", () => {
  const make = (changes = {}) => new Choice(provider(bankMark(), changes), [agent("a", "A", now)], now);

  test("reads are chosen, personal and money are not", () => {
    expect(make().permissions.map((one) => one.id)).toEqual(["accounts", "balances", "transactions"]);
  });

  test("what another one needs stays on", () => {
    const choice = make();
    choice.toggle("accounts");
    expect(choice.has("accounts")).toBe(true);
    choice.toggle("balances");
    choice.toggle("transactions");
    choice.toggle("accounts");
    expect(choice.permissions).toEqual([]);
    choice.toggle("balances");
    expect(choice.permissions.map((one) => one.id)).toEqual(["accounts", "balances"]);
  });

  test("needs that point at each other come to an end", () => {
    const [a, b] = permissions("accounts", "balances");
    if (!a || !b) throw new Error("no permissions");
    const looped = [
      { ...a, needs: ["balances"], risk: "money" as const },
      { ...b, needs: ["accounts"], risk: "money" as const },
    ];
    const choice = make({ permissions: looped });
    choice.toggle("accounts");
    expect(choice.permissions).toHaveLength(2);
  });

  test("an end is never later than the bank allows", () => {
    const choice = make({ max_days: 45 });
    expect(choice.until).toBe("30");
    expect(choice.allowed("90")).toBe(false);
    choice.until = "date";
    expect(choice.untilAt(now)).toBeNull();
    choice.date = "2026-02-21";
    expect(choice.untilAt(now)).toBe(Date.UTC(2026, 1, 22) - 1);
    choice.date = "2026-03-27";
    expect(choice.untilAt(now)).toBe(now + 45 * DAY);
    choice.date = "2026-03-28";
    expect(choice.untilAt(now)).toBeNull();
    choice.date = "2026-02-09";
    expect(choice.untilAt(now)).toBeNull();
    expect(choice.problems(now).until).toMatch(/from 10 February to 27 March/);
  });

  test("ninety days of ninety stay inside the limit", () => {
    const choice = make();
    choice.until = "90";
    expect(choice.untilAt(now)).toBe(now + 90 * DAY);
  });

  test("a bank that allows less than thirty days starts with its own limit", () => {
    const choice = make({ max_days: 7 });
    expect(choice.until).toBe("date");
    expect(choice.untilAt(now)).toBe(now + 7 * DAY);
  });
});

describe("connect", () => {
  async function begun() {
    const { fake, session } = world();
    const connect = new Connect(session);
    await connect.start(null);
    const bank = connect.providers?.[0];
    if (bank) connect.chooseBank(bank);
    return { fake, connect };
  }

  test("asks for exactly what was chosen and follows the attempt", async () => {
    const { fake, connect } = await begun();
    expect(await connect.go(Date.now())).toBe(true);
    expect(fake.calls.find((call) => call.name === "connect_account")?.request).toMatchObject({
      provider: "sandbox-bank",
      agent: "budget-buddy",
      permissions: ["accounts", "balances", "transactions"],
    });
    expect(connect.step).toBe("at_bank");
    const id = connect.attempt?.id ?? "";
    fake.move(id, { step: "answered" });
    await connect.changed(id);
    expect(connect.attempt?.step).toBe("answered");
    fake.end(id, { kind: "connected", missing: [], extra: [] });
    await connect.changed(id);
    await settle();
    expect(connect.step).toBe("done");
    expect(connect.grant?.row.id).toBe(`grant-${id}`);
  });

  test("an answer older than what is known is ignored", async () => {
    const { fake, connect } = await begun();
    await connect.go(Date.now());
    const id = connect.attempt?.id ?? "";
    const release = fake.hold("open_again");
    const opening = connect.openAgain();
    await settle();
    fake.end(id, { kind: "declined" });
    await connect.changed(id);
    release();
    await opening;
    expect(connect.attempt?.ending?.kind).toBe("declined");
  });

  test("nothing is asked before an agent is chosen", async () => {
    const { fake, connect } = await begun();
    if (connect.choice) connect.choice.agent = null;
    expect(await connect.go(Date.now())).toBe(false);
    expect(fake.calls.some((call) => call.name === "connect_account")).toBe(false);
  });

  test("trying again keeps the choices, also of an attempt from an earlier window", async () => {
    const { fake, session } = world();
    fake.attempts = [attempt("old", Date.now(), { permissions: permissions("accounts", "balances") })];
    fake.end("old", { kind: "timed_out" });
    const connect = new Connect(session);
    await connect.start("old");
    expect(connect.step).toBe("done");
    connect.again(Date.now());
    expect(connect.step).toBe("may");
    expect(connect.choice?.permissions.map((one) => one.id)).toEqual(["accounts", "balances"]);
    expect(connect.choice?.agent?.id).toBe("budget-buddy");
  });

  test("a refused request keeps the choices", async () => {
    const { fake, connect } = await begun();
    fake.refuse("connect_account", "too_many_attempts");
    expect(await connect.go(Date.now())).toBe(false);
    expect(connect.problem?.code).toBe("too_many_attempts");
    expect(connect.step).toBe("may");
  });
});

describe("agents", () => {
  test("a private key leaves the field at once", async () => {
    const { session } = world();
    const form = new AddAgentForm(session);
    form.name = "New";
    form.key = '{"d":"secret"}';
    expect(await form.save()).toBeNull();
    expect(form.key).toBe("");
    expect(form.wrong.key).toMatch(/private key/);
  });

  test("empty fields are named and nothing is asked", async () => {
    const { fake, session } = world();
    const form = new AddAgentForm(session);
    await form.save();
    expect(form.wrong.name).not.toBeNull();
    expect(form.wrong.key).not.toBeNull();
    expect(fake.calls).toEqual([]);
  });

  test("a refusal about neither field stands by itself", async () => {
    const { fake, session } = world();
    const form = new AddAgentForm(session);
    form.name = "New";
    form.key = "k".repeat(43);
    fake.refuse("add_agent", "store_failed");
    await form.save();
    expect(form.problem?.code).toBe("store_failed");
    expect((await form.save())?.name).toBe("New");
    const agents = new Agents(session);
    await agents.read();
    expect(agents.list?.map((one) => one.name)).toEqual(["Budget Buddy", "New"]);
  });
});

describe("a host that is slow to answer", () => {
  afterEach(() => vi.useRealTimers());

  test("is said after a while, and no longer once it has answered", async () => {
    const { fake, session } = world();
    vi.useFakeTimers();
    const release = fake.hold("list_grants");
    const asked = session.ask("list_grants", NOTHING);
    await vi.advanceTimersByTimeAsync(PATIENCE - 1);
    expect(session.slow).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(session.slow).toBe(true);
    release();
    await asked;
    expect(session.slow).toBe(false);
  });

  test("is not said while the keychain waits for the person", async () => {
    const { fake, session } = world();
    vi.useFakeTimers();
    const release = fake.hold("unlock_keychain");
    const asked = session.ask("unlock_keychain", NOTHING);
    await vi.advanceTimersByTimeAsync(2 * PATIENCE);
    expect(session.slow).toBe(false);
    release();
    await asked;
  });
});

describe("the app in a glance", () => {
  test("the quit question is put again when asked again", async () => {
    const { fake, session } = world();
    const glance = new AppGlance(session);
    fake.app = { ...fake.app, quit_asked: true };
    await glance.read();
    expect(glance.askQuit).toBe(true);
    await glance.keepRunning();
    expect(fake.app.quit_asked).toBe(false);
    expect(glance.askQuit).toBe(false);
    fake.setApp({ quit_asked: true });
    await glance.read();
    expect(glance.askQuit).toBe(true);
  });

  test("an answer from before the person kept it running is dropped", async () => {
    const { fake, session } = world();
    const glance = new AppGlance(session);
    fake.app = { ...fake.app, quit_asked: true };
    await glance.read();
    const release = fake.hold("app_state");
    const late = glance.read();
    await settle();
    await glance.keepRunning();
    release();
    await late;
    expect(glance.askQuit).toBe(false);
  });

  test("what is refused from the start is not opened, until it is", async () => {
    const { fake, session } = world();
    const glance = new AppGlance(session);
    fake.refuse("app_state", "internal");
    await glance.read();
    expect(glance.unopened?.code).toBe("internal");
    await glance.read();
    expect(glance.unopened).toBeNull();
    fake.refuse("app_state", "internal");
    await glance.read();
    expect(glance.unopened).toBeNull();
    fake.refuse("app_state", "store_damaged");
    await glance.read();
    expect(glance.unopened?.code).toBe("store_damaged");
  });

  test("unlocking and a keychain that stays locked", async () => {
    const { fake, session } = world();
    const glance = new AppGlance(session);
    fake.app = { ...fake.app, keychain: "locked" };
    await glance.read();
    fake.refuse("unlock_keychain", "keychain_locked");
    await glance.ask("unlock");
    expect(glance.problem?.code).toBe("keychain_locked");
    await glance.ask("unlock");
    expect(glance.keychainTrouble).toBeNull();
  });

  test("start again goes on where the host answers", async () => {
    const { fake, session } = world();
    const glance = new AppGlance(session);
    session.gone = true;
    await glance.startAgain();
    expect(session.gone).toBe(false);
    session.gone = true;
    fake.refuse("app_state", "host_gone");
    await glance.startAgain();
    expect(session.gone).toBe(true);
    expect(glance.starting).toBe(true);
  });
});
