import type { Place } from "../shared/place.svelte";
import type { Fake } from "./fake";
import { agent, grant, revoked } from "./fake-data";
import type { AttemptView, BankTold } from "./generated/contract";

/** What scenarios are made of. */

export const MINUTE = 60_000;

/** Sets the fake's world up and says where the window stands. */
export type Scenario = (fake: Fake, now: number) => Place | undefined;

/** Every state of a revocation at the bank. */
export function everyTold(now: number): Record<string, BankTold> {
  const waiting = {
    kind: "not_yet",
    tries: 3,
    last_try: now - 2 * MINUTE,
    next_try: now + 3 * MINUTE,
  } as const;
  return {
    confirmed: { kind: "confirmed", at: now - MINUTE },
    given_up: { kind: "given_up", at: now - MINUTE },
    not_offered: { kind: "not_offered" },
    replaced: { kind: "replaced", at: now - MINUTE },
    first_try: { ...waiting, tries: 0, last_try: null, next_try: now, waits_for: "first_try" },
    bank_to_answer: { ...waiting, waits_for: "bank_to_answer" },
    bank_to_accept: { ...waiting, waits_for: "bank_to_accept" },
    keychain: { ...waiting, waits_for: "keychain" },
    known_address: { ...waiting, waits_for: "known_address" },
    damaged_record: { ...waiting, waits_for: "damaged_record" },
    lost_key: { ...waiting, waits_for: "lost_key" },
  };
}

export function one(fake: Fake, now: number): void {
  fake.agents = [agent("budget-buddy", "Budget Buddy", now, 1)];
  fake.grants = [grant("one", now, { accounts: 3 })];
}

export function atRevoked(told: string): Scenario {
  return (fake, now) => {
    one(fake, now);
    const facts = everyTold(now)[told] ?? { kind: "not_offered" as const };
    fake.grants = [revoked(grant("one", now), now - 3 * MINUTE, facts, now + 57 * MINUTE)];
    return { view: "connection", id: "one" };
  };
}

/** Starts attempts that go all the way by themselves, for a look at the whole path. */
export function alive(fake: Fake): void {
  const go = fake.call.bind(fake);
  fake.call = async (name, request) => {
    const answer = await go(name, request);
    if (name === "connect_account" || name === "renew_grant") {
      const { id } = answer as AttemptView;
      const steps: Partial<AttemptView>[] = [
        { step: "at_bank", browser: "opened" },
        { step: "answered" },
        { step: "reading_accounts" },
        { step: "saving" },
      ];
      steps.forEach((step, i) => setTimeout(() => fake.move(id, step), 1500 * (i + 1)));
      setTimeout(() => fake.end(id, { kind: "connected", missing: [], extra: [] }), 7500);
    }
    return answer;
  };
}
