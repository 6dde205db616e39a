import type { ApprovalClient } from "./client";
import { account, bankMark } from "./fake-data";
import type {
  AnswerApproval,
  ApprovalCommands,
  ApprovalView,
  ApprovalWhat,
  CommandError,
  ErrorCode,
  Event,
  PendingApproval,
} from "./generated/contract";

/** The approval window's host in memory: questions wait in a row, and each answer brings the next. */
export class FakeApproval implements ApprovalClient {
  questions: ApprovalView[] = [];
  passphrase = "correct horse";
  /** Every answer, in order. */
  readonly answers: AnswerApproval[] = [];
  /** How often the question was read. */
  reads = 0;
  readonly #hearers = new Set<(event: Event) => void>();
  readonly #refusals: CommandError[] = [];

  /** Refuses the next answer. */
  refuse(code: ErrorCode, reference: string | null = null): void {
    this.#refusals.push({ code, reference });
  }

  emit(event: Event): void {
    for (const hear of [...this.#hearers]) hear(event);
  }

  on(hear: (event: Event) => void): Promise<() => void> {
    this.#hearers.add(hear);
    return Promise.resolve(() => this.#hearers.delete(hear));
  }

  async call<K extends keyof ApprovalCommands>(
    name: K,
    request: ApprovalCommands[K]["request"],
  ): Promise<ApprovalCommands[K]["answer"]> {
    await Promise.resolve();
    if (name === "pending_approval") {
      this.reads += 1;
      return this.#pending();
    }
    return this.#answer(request as AnswerApproval);
  }

  #pending(): PendingApproval {
    const [first, ...rest] = this.questions;
    return structuredClone({ question: first ? { ...first, waiting: rest.length } : null });
  }

  #answer(answer: AnswerApproval): PendingApproval {
    this.answers.push(answer);
    const refusal = this.#refusals.shift();
    // The host rejects with a plain object.
    // eslint-disable-next-line @typescript-eslint/only-throw-error
    if (refusal) throw refusal;
    const [first] = this.questions;
    if (first?.id !== answer.id || first.drawn !== answer.drawn) return refused("approval_over");
    const allows = answer.answer.kind === "allow_once" || answer.answer.kind === "allow_for";
    if (allows && first.needs_passphrase && answer.passphrase !== this.passphrase)
      return refused("passphrase_wrong");
    this.questions = this.questions.slice(1);
    return this.#pending();
  }
}

function refused(code: ErrorCode): never {
  const refusal: CommandError = { code, reference: null };
  // eslint-disable-next-line @typescript-eslint/only-throw-error
  throw refusal;
}

const AGENT = {
  id: "budget-buddy",
  name: "Budget Buddy",
  thumbprint: "budget-buddy-thumbprint-Zr8kQ1xW0bT",
};

export function reading(changes: Partial<ApprovalView> = {}): ApprovalView {
  return {
    id: "018bcfe5-6800-7000-8000-000000000001",
    drawn: "5f2b".repeat(16),
    agent: AGENT,
    program: "/home/aleksandra/.local/bin/budget-buddy",
    bank: bankMark(),
    grant: "one",
    what: {
      kind: "operations",
      operations: [{ id: "get_contact", says: "see your name and contact details", risk: "personal" }],
      accounts: [],
      uses: 1,
      date_from: null,
      date_to: null,
    },
    purpose: "Fill in your name on the rent letter",
    purpose_class: "bookkeeping",
    asked_at: Date.now() - 48_000,
    runs_out_at: Date.now() + 252_000,
    lease_seconds: 300,
    may_remember: true,
    needs_passphrase: false,
    waiting: 0,
    ...changes,
  };
}

type Payment = Extract<ApprovalWhat, { kind: "payment" }>;

export function payment(changes: Partial<ApprovalView> = {}, what: Partial<Payment> = {}): ApprovalView {
  return reading({
    id: "018bcfe5-6800-7000-8000-000000000002",
    what: {
      kind: "payment",
      to: "Water Works",
      to_account: "••••3301",
      amount: { amount: "1240.50", currency: "EUR" },
      from: account("everyday", "Everyday account", "••••4417"),
      reference: "Invoice 12",
      says: "pay a bill",
      ...what,
    },
    purpose: "The water bill for January is due on Friday",
    purpose_class: "payments",
    may_remember: false,
    ...changes,
  });
}

const LONG = "The Association of Owners and Tenants of the Houses at the Lower Harbour Street ".repeat(2);

/** Worlds of the approval window. */
export const APPROVALS: Record<string, () => ApprovalView[]> = {
  reading: () => [reading()],
  several: () => [
    reading({
      what: {
        kind: "operations",
        operations: [
          { id: "list_accounts", says: "see your accounts", risk: "read" },
          { id: "list_transactions", says: "see your transactions", risk: "read" },
          { id: "get_contact", says: "see your name and contact details", risk: "personal" },
          { id: "list_payees", says: "see who you have saved to pay", risk: "personal" },
        ],
        accounts: [
          account("everyday", "Everyday account", "••••4417"),
          account("savings", "Savings for the roof of the summer house", "••••0932"),
          account("joint", "Joint account", "••••7700"),
        ],
        uses: 40,
        date_from: "2025-12-01",
        date_to: "2026-01-31",
      },
    }),
    payment(),
    reading({ id: "018bcfe5-6800-7000-8000-000000000003" }),
  ],
  payment: () => [payment()],
  passphrase: () => [payment({ needs_passphrase: true })],
  long: () => [
    payment(
      {
        agent: { ...AGENT, name: "The Household Budget and Rent Reminder Assistant for Aleksandra" },
        purpose: LONG + LONG,
        program: `/home/aleksandra/${"a-very-deep-folder/".repeat(12)}budget-buddy`,
        needs_passphrase: true,
        waiting: 2,
      },
      {
        to: LONG.slice(0, 140),
        amount: { amount: "123456789012.12345678", currency: "EUR" },
        reference: LONG,
      },
    ),
  ],
  hostile: () => [
    payment(
      {
        purpose:
          "</p><img src=x onerror=alert(1)> \u202eRUE 00.1 yap\u202c\u200b\n\n\nAllow once is the safe choice.",
        program: "/tmp/\u202efdp.sh",
      },
      { to: "Water\u2066 Works\u202e skroW", reference: "\u0007\u001b[2J" },
    ),
  ],
  soon: () => [payment({ runs_out_at: Date.now() + 9_000 })],
  nobody: () => [],
};

/** Sets a world up, for `approval.html?fake=<name>`. */
export function startApproval(name: string): FakeApproval {
  const fake = new FakeApproval();
  fake.questions = APPROVALS[name]?.() ?? [];
  return fake;
}
