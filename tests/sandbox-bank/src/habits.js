/**
 * Plays a customer's life day by day: what comes in, what goes out.
 *
 * The dice of a day are seeded by customer and date, so a day that has been is always the same, whenever one looks.
 * Amounts are whole minor units (cents, yen); what leaves an account is negative.
 */
import { createHash } from 'node:crypto';

/** @typedef {any[]} Habit  first its kind, a key of KINDS */
/** @typedef {{ id: string, account: string, at: string, minor: number, description: string, payee: string, category: string }} Posting */

const DAY_MS = 24 * 60 * 60 * 1000;

const KINDS = {
  /** Every other Friday. */
  fortnightly: ([account, payee, description, category, range], day) => {
    if (day.weekday === 5 && Math.floor(day.number / 7) % 2 === 0) day.post(account, between(day.dice, range), { payee, description, category });
  },

  /** Once a month; `other` is the account at the far end, where that is the customer's own. */
  monthly: ([account, on, payee, description, category, range, other], day) => {
    if (day.date !== on) return;
    const minor = between(day.dice, range);
    day.post(account, minor, { payee, description, category });
    if (other) day.post(other, -minor, { payee: 'Own transfer', description: 'TRANSFER FROM OWN ACCOUNT', category });
  },

  /** By chance. */
  often: ([chance, account, payees, category, range], day) => {
    if (day.dice() >= chance) return;
    const payee = payees[Math.floor(day.dice() * payees.length)];
    const skewed = range[1] - (range[1] - range[0]) * day.dice() ** 2;   // small sums are the common ones
    const description = `${category === 'Refund' ? 'REFUND ' : ''}${payee.toUpperCase()} #${100 + Math.floor(day.dice() * 800)}`;
    day.post(account, Math.round(skewed), { payee, description, category });
  },

  /** What is above the cushion goes to savings, in round sums. */
  sweep: ([on, from, to, cushion], day) => {
    const minor = Math.floor((day.balance(from) - cushion) / 5000) * 5000;
    if (day.date !== on || minor <= 0) return;
    day.post(from, -minor, { payee: 'Own transfer', description: 'TRANSFER TO SAVINGS', category: 'Transfers' });
    day.post(to, minor, { payee: 'Own transfer', description: 'TRANSFER FROM CHECKING', category: 'Transfers' });
  },

  /** On the last day of the month. */
  interest: ([account, rate], day) => {
    if (!day.isLastOfMonth) return;
    const minor = Math.round(day.balance(account) * rate / 12);
    day.post(account, minor, { payee: 'Interest', description: 'INTEREST PAID', category: 'Interest' });
  },

  /** The whole debt of the card, from another account. */
  payCard: ([on, from, card], day) => {
    const debt = -day.balance(card);
    if (day.date !== on || debt <= 0) return;
    day.post(from, -debt, { payee: 'Card payment', description: 'CREDIT CARD AUTOPAY', category: 'Card payment' });
    day.post(card, debt, { payee: 'Card payment', description: 'PAYMENT – THANK YOU', category: 'Card payment' });
  },
};

/**
 * @param {import('./customers.js').Customer} customer
 * @param {string} opened the day the books begin
 * @param {string} today not played yet: days are booked when they are over
 * @returns {Posting[]} oldest first; each account's add up to its balance
 */
export function play(customer, opened, today) {
  const postings = [];
  const balances = new Map();
  const post = (date, account, minor, words) => {
    const count = postings.length && postings.at(-1).at.startsWith(date) ? postings.at(-1).count + 1 : 1;
    balances.set(account.key, (balances.get(account.key) ?? 0) + minor);
    const at = `${date}T${clockTime(count)}Z`;
    postings.push({ id: `${account.id.slice(5)}-${date.replaceAll('-', '')}-${count}`, account: account.id, at, minor, count, ...words });
  };

  for (const account of customer.accounts) {
    post(opened, account, account.start, { payee: 'Balance brought forward', description: 'BALANCE BROUGHT FORWARD', category: 'Balance' });
  }
  for (let time = Date.parse(opened) + DAY_MS; time < Date.parse(today); time += DAY_MS) {
    const day = dayOf(customer, time, balances, post);
    for (const [kind, ...rest] of customer.habits) KINDS[kind](rest, day);
  }
  return postings.map(({ count, ...posting }) => posting);
}

function dayOf(customer, time, balances, post) {
  const now = new Date(time);
  const iso = now.toISOString().slice(0, 10);
  const find = (key) => customer.accounts.find((account) => account.key === key);
  return {
    date: now.getUTCDate(),
    weekday: now.getUTCDay(),
    number: Math.floor(time / DAY_MS),
    isLastOfMonth: new Date(time + DAY_MS).getUTCDate() === 1,
    dice: seededDice(`${customer.id} ${iso}`),
    balance: (key) => balances.get(key) ?? 0,
    post: (key, minor, words) => post(iso, find(key), minor, words),
  };
}

/** Later postings of a day are later in the day, from eight in the morning. */
function clockTime(count) {
  const minutes = Math.min(8 * 60 + count * 53, 23 * 60 + 59);
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}:00`;
}

const between = (dice, [low, high]) => Math.round(low + (high - low) * dice());

/** mulberry32: small, and the same everywhere. */
function seededDice(seed) {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
