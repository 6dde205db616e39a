/** The books: what the customers' habits made of their accounts, and the payments that apps made since. */
import { createHash, randomUUID } from 'node:crypto';

import { play } from './habits.js';
import { parseMajor, toMajor } from './money.js';

/** @typedef {import('./habits.js').Posting} Posting */

/** Why a payment was not made. */
export class PaymentRefused extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

/**
 * @param {import('./store.js').Store} store
 * @param {string} opened the day the books begin
 */
export function makeLedger(store, opened) {
  /** @type {Map<string, { today: string, postings: Posting[] }>} */
  const played = new Map();

  function habitual(customer) {
    const today = new Date().toISOString().slice(0, 10);
    if (played.get(customer.id)?.today !== today) played.set(customer.id, { today, postings: play(customer, opened, today) });
    return played.get(customer.id).postings;
  }

  /** Newest first. */
  function postingsOf(customer, account) {
    const paid = store.all('Payment').filter((payment) => payment.posting.account === account.id).map(({ posting }) => posting);
    return [...habitual(customer).filter((posting) => posting.account === account.id), ...paid]
      .reverse()
      .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
  }

  const balance = (customer, account) => postingsOf(customer, account).reduce((sum, { minor }) => sum + minor, 0);

  /**
   * Pays a saved payee.  The same key with the same request gives the payment that was made before.
   *
   * Nothing is awaited between the look at the funds and the booking, so two payments cannot spend the same money.
   */
  async function pay(customer, accounts, request, key) {
    const digest = createHash('sha256').update(JSON.stringify([request.fromAccountId, request.toPayeeId, request.amount, request.currency])).digest('hex');
    const kept = key && store.all('Payment').find((payment) => payment.key === key && payment.customer === customer.id);
    if (kept) {
      if (kept.digest !== digest) throw new PaymentRefused(422, '1107', 'This idempotency-key was used for another payment');
      await store.settled();
      return kept.answer;
    }
    const { account, payee, minor } = checkPayment(customer, accounts, request);
    const id = randomUUID();
    const at = new Date().toISOString();
    const posting = { id, account: account.id, at, minor: -minor, description: `PAYMENT TO ${payee.name.toUpperCase()}`, payee: payee.name, category: 'Payment' };
    const answer = {
      paymentId: id, status: 'PROCESSED', fromAccountId: account.id, toPayeeId: payee.id, payeeName: payee.name,
      amount: toMajor(minor, account.currency), currency: account.currency, paymentTimestamp: at,
    };
    store.put('Payment', id, { customer: customer.id, key, digest, posting, answer });
    await store.settled();
    return answer;
  }

  function checkPayment(customer, accounts, { fromAccountId, toPayeeId, amount, currency }) {
    const account = accounts.find(({ id }) => id === fromAccountId);
    if (!account) throw new PaymentRefused(404, '701', 'Account not found');
    if (account.type !== 'CHECKING') throw new PaymentRefused(422, '704', 'Payments cannot be made from this account');
    const payee = customer.payees.find(({ id }) => id === toPayeeId);
    if (!payee) throw new PaymentRefused(404, '1105', 'Payee not found');
    if (currency !== account.currency) throw new PaymentRefused(422, '1106', `This account pays in ${account.currency}`);
    const minor = parseMajor(amount, account.currency);
    if (minor === undefined) throw new PaymentRefused(400, '400', 'amount must be a positive number with no more decimals than the currency has');
    if (minor > balance(customer, account)) throw new PaymentRefused(422, '1104', 'There is not enough money in this account');
    return { account, payee, minor };
  }

  return {
    /** @param {import('./customers.js').Customer} customer */
    accountsOf: (customer) => customer.accounts,
    balance,
    pay,
    postingsOf,
  };
}

