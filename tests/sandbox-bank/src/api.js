/** The bank's API, in the shapes of FDX v6: what profiles/fdx-v6.toml of the app describes. */
import { randomUUID } from 'node:crypto';

import { authorize, CallRefused } from './bearer.js';
import { readBody } from './body.js';
import { PaymentRefused } from './ledger.js';
import { logProblem } from './log.js';
import { toMajor } from './money.js';

const BASE = '/fdx/v6';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The request itself is at fault. */
class BadCall extends Error {
  constructor(status, code, message, headers = {}) {
    super(message);
    Object.assign(this, { status, code, headers });
  }
}

export function makeApi({ ledger, provider, store }) {
  const routes = [
    ['GET', /^\/accounts$/, 'fdx:accountbasic:read', listAccounts],
    ['GET', /^\/accounts\/([^/]+)$/, 'fdx:accountdetailed:read', getAccount],
    ['GET', /^\/accounts\/([^/]+)\/transactions$/, 'fdx:transactions:read', listTransactions],
    ['GET', /^\/customers\/current$/, 'fdx:customercontact:read', getCustomer],
    ['GET', /^\/payees$/, 'fdx:payees:read', listPayees],
    ['POST', /^\/payments$/, 'fdx:payments:write', makePayment],
  ];

  return async (req, res) => {
    const interaction = req.headers['x-fapi-interaction-id'];
    res.setHeader('x-fapi-interaction-id', UUID.test(interaction) ? interaction : randomUUID());
    try {
      const { status = 200, body } = await answer(req);
      sendJson(res, status, body);
    } catch (err) {
      refuse(res, err);
    }
  };

  async function answer(req) {
    const url = new URL(req.url, 'http://bank');
    const pathname = url.pathname.slice(BASE.length);
    const matching = routes.filter(([, pattern]) => pattern.test(pathname));
    if (matching.length === 0) throw new BadCall(404, '404', 'There is no such resource');
    const [, pattern, scope, call] = matching.find(([method]) => method === req.method) ?? [];
    if (!call) throw new BadCall(405, '405', 'Method not allowed', { allow: matching.map(([method]) => method).join(', ') });
    const allowed = await authorize({ provider, store }, req, scope);
    return call({ ...allowed, req, query: url.searchParams, id: pattern.exec(pathname)[1] });
  }

  function listAccounts({ accounts, query }) {
    return paged(query, 'accounts', accounts.map(basics), `${BASE}/accounts`);
  }

  function getAccount({ customer, accounts, id }) {
    const account = sharedAccount(accounts, id);
    const minor = ledger.balance(customer, account);
    const money = (amount) => toMajor(amount, account.currency);
    const balances = account.type === 'CREDITCARD'
      ? { currentBalance: money(-minor), creditLine: money(account.creditLine), availableCredit: money(account.creditLine + minor) }
      : { currentBalance: money(minor), availableBalance: money(minor) };
    return { body: { ...basics(account), balanceAsOf: new Date().toISOString(), ...balances } };
  }

  function listTransactions({ customer, accounts, id, query }) {
    const account = sharedAccount(accounts, id);
    const from = readTime(query, 'startTime', -Infinity, 0);
    const to = readTime(query, 'endTime', Infinity, 24 * 60 * 60 * 1000 - 1);
    if (from > to) throw new BadCall(400, '703', 'startTime is after endTime');
    const found = ledger.postingsOf(customer, account).filter(({ at }) => Date.parse(at) >= from && Date.parse(at) <= to);
    return paged(query, 'transactions', found.map((posting) => transaction(account, posting)), `${BASE}/accounts/${account.id}/transactions`);
  }

  function getCustomer({ customer, accounts }) {
    return {
      body: {
        customerId: customer.id,
        name: { first: customer.first, last: customer.last },
        email: [customer.email],
        telephones: [{ type: 'CELL', country: '1', number: customer.phone }],
        addresses: [{ type: 'HOME', ...customer.address }],
        accounts: accounts.map(({ id }) => ({ accountId: id, relationship: 'PRIMARY' })),
      },
    };
  }

  function listPayees({ customer, query }) {
    const payees = customer.payees.map(({ id, name, kind, display }) => ({ payeeId: id, name, type: kind, accountNumberDisplay: display }));
    return paged(query, 'payees', payees, `${BASE}/payees`);
  }

  async function makePayment({ customer, accounts, req }) {
    if (!/^application\/json\s*(;|$)/i.test(req.headers['content-type'] ?? '')) throw new BadCall(415, '415', 'Send application/json');
    const text = await readBody(req);
    if (text === undefined) throw new BadCall(413, '413', 'The request is too long', { connection: 'close' });
    const key = req.headers['idempotency-key'];
    if (key !== undefined && (key === '' || key.length > 256)) throw new BadCall(400, '400', 'idempotency-key must have 1 to 256 characters');
    return { status: 201, body: await ledger.pay(customer, accounts, parseObject(text), key) };
  }
}

function parseObject(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new BadCall(400, '400', 'The body must be a JSON object');
  return value;
}

/** An account that was not shared is answered like one that does not exist. */
function sharedAccount(accounts, id) {
  const account = accounts.find((each) => each.id === id);
  if (!account) throw new BadCall(404, '701', 'Account not found');
  return account;
}

function basics(account) {
  const { id, type, productName, nickname, display, currency } = account;
  return {
    accountCategory: type === 'CREDITCARD' ? 'LOC_ACCOUNT' : 'DEPOSIT_ACCOUNT',
    accountId: id, accountType: type, productName, nickname, accountNumberDisplay: display, currency, status: 'OPEN',
  };
}

/** FDX amounts are positive; the memo says which way. */
function transaction(account, { id, at, minor, description, payee, category }) {
  return {
    accountCategory: account.type === 'CREDITCARD' ? 'LOC_ACCOUNT' : 'DEPOSIT_ACCOUNT',
    accountId: account.id, transactionId: id, transactionTimestamp: at, postedTimestamp: at, status: 'POSTED',
    description, payee, category, debitCreditMemo: minor < 0 ? 'DEBIT' : 'CREDIT', amount: toMajor(Math.abs(minor), account.currency),
    currency: account.currency,
  };
}

const MOST = 500;

/** One page: `offset` is where to go on, as the page before said in `page.nextOffset`. */
function paged(query, name, all, path) {
  const offset = readCount(query, 'offset', 0, 0, 1e6);
  const limit = readCount(query, 'limit', 50, 1, MOST);
  const next = offset + limit < all.length ? String(offset + limit) : undefined;
  const rest = new URLSearchParams([...query].filter(([key]) => key === 'startTime' || key === 'endTime'));
  const links = next && { next: { href: `${path}?${new URLSearchParams([...rest, ['offset', next], ['limit', String(limit)]])}`, action: 'GET' } };
  return { body: { page: { ...(next && { nextOffset: next }), totalElements: all.length }, ...(links && { links }), [name]: all.slice(offset, offset + limit) } };
}

function readCount(query, key, fallback, low, high) {
  const text = query.get(key);
  if (text === null) return fallback;
  const count = /^\d{1,7}$/.test(text) ? Number(text) : -1;
  if (count < low || count > high) throw new BadCall(400, '400', `${key} must be a number from ${low} to ${high}`);
  return count;
}

/** A date or a time; a date alone means the whole of that day. */
function readTime(query, key, fallback, wholeDay) {
  const text = query.get(key);
  if (text === null) return fallback;
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const time = isDate || /^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:?\d{2})$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time)) throw new BadCall(400, '702', `${key} must be a date or a time with its zone (ISO 8601)`);
  return isDate ? time + wholeDay : time;
}

function refuse(res, err) {
  if (err instanceof CallRefused) return sendJson(res, err.status, problem(err), { 'www-authenticate': err.challenge });
  if (err instanceof BadCall || err instanceof PaymentRefused) return sendJson(res, err.status, problem(err), err.headers);
  logProblem(err);
  return sendJson(res, 500, { code: '500', message: 'Something went wrong on our side' });
}

const problem = ({ code, message }) => ({ code, message });

function sendJson(res, status, body, headers = {}) {
  res.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers });
  res.end(JSON.stringify(body));
}
