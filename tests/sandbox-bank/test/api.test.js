import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Bank, call, connect, READS } from './support.js';

let bank;
let ada;
before(async () => {
  bank = await Bank.start();
  ada = await connect(bank);
});
after(() => bank.remove());

const get = (where, token = ada.tokens.access_token) => call(bank, token, where);
const pay = (body, headers, token = ada.tokens.access_token) => call(bank, token, '/payments', { method: 'POST', body, headers });

async function everyTransaction(id, token) {
  const all = [];
  for (let offset = '0'; offset !== undefined;) {
    const { body } = await get(`/accounts/${id}/transactions?limit=200&offset=${offset}`, token);
    all.push(...body.transactions);
    offset = body.page.nextOffset;
  }
  return all;
}

test('balances are what the transactions add up to, for every account of every customer', async () => {
  for (const login of ['ada', 'bo', 'mia']) {
    const { tokens, accounts } = await connect(bank, { login });
    for (const id of accounts) {
      const { body: account } = await get(`/accounts/${id}`, tokens.access_token);
      const all = await everyTransaction(id, tokens.access_token);
      const sum = all.reduce((total, { amount, debitCreditMemo }) => total + (debitCreditMemo === 'DEBIT' ? -1 : 1) * Math.round(amount * 100), 0);
      const shown = Math.round(account.currentBalance * 100) * (account.accountType === 'CREDITCARD' ? -1 : 1);
      assert.equal(sum, shown, account.nickname);
      assert.ok(account.accountType === 'CREDITCARD' || sum > 0, `${account.nickname} is overdrawn`);
      assert.equal(new Set(all.map(({ transactionId }) => transactionId)).size, all.length);
      assert.ok(Date.now() - Date.parse(all.at(-1).postedTimestamp) > 17 * 30 * 86_400_000);
      assert.ok(all.every(({ postedTimestamp }) => Date.parse(postedTimestamp) <= Date.now()));
    }
  }
});

test('transactions are paged, newest first, and cut by time', async () => {
  const [id] = ada.accounts;
  const all = await everyTransaction(id);
  assert.ok(all.length > 100);
  assert.deepEqual(all, all.toSorted((a, b) => b.postedTimestamp.localeCompare(a.postedTimestamp)));
  const day = all[20].postedTimestamp.slice(0, 10);
  const { body } = await get(`/accounts/${id}/transactions?startTime=${day}&endTime=${day}&limit=500`);
  assert.deepEqual(body.transactions, all.filter(({ postedTimestamp }) => postedTimestamp.startsWith(day)));
  for (const [query, code] of [['startTime=yesterday', '702'], ['startTime=2030-01-02&endTime=2030-01-01', '703'], ['limit=0', '400'], ['offset=-1', '400']]) {
    const bad = await get(`/accounts/${id}/transactions?${query}`);
    assert.deepEqual([bad.status, bad.body.code], [400, code], query);
  }
});

test('without a token, with a wrong one and with a revoked one', async () => {
  const none = await call(bank, undefined, '/accounts');
  assert.equal(none.status, 401);
  assert.doesNotMatch(none.challenge, /error=/);
  const wrong = await get('/accounts', 'nonsense');
  assert.equal(wrong.status, 401);
  assert.match(wrong.challenge, /error="invalid_token"/);
  assert.match(wrong.headers.get('content-type'), /^application\/json/);
  assert.deepEqual(Object.keys(wrong.body), ['code', 'message']);
  const { app, tokens } = await connect(bank);
  await app.revoke(tokens.refresh_token);
  assert.match((await get('/accounts', tokens.access_token)).challenge, /error="invalid_token"/);
  assert.equal((await get('/accounts', tokens.refresh_token)).status, 401, 'a refresh token is no access token');
  assert.equal((await get('/accounts', tokens.id_token)).status, 401);
});

test('each operation needs its own scope', async () => {
  const { tokens, accounts } = await connect(bank, { keep: ['fdx:payees:read'] });
  const [id] = accounts;
  const needs = { '/accounts': READS[0], [`/accounts/${id}`]: READS[1], [`/accounts/${id}/transactions`]: READS[2], '/customers/current': READS[3] };
  for (const [where, scope] of Object.entries(needs)) {
    const { status, challenge } = await get(where, tokens.access_token);
    assert.equal(status, 403, where);
    assert.ok(challenge.includes(`error="insufficient_scope", scope="${scope}"`), challenge);
  }
  assert.equal((await get('/payees', tokens.access_token)).status, 200);
  assert.equal((await pay({}, {}, tokens.access_token)).status, 403);
});

test('an account of another customer does not exist', async () => {
  const bo = await connect(bank, { login: 'bo' });
  assert.deepEqual((await get(`/accounts/${bo.accounts[0]}`)).body, { code: '701', message: 'Account not found' });
  assert.equal((await get(`/accounts/${bo.accounts[0]}/transactions`)).status, 404);
});

test('a payment moves the balance once for one idempotency-key', async () => {
  const [fromAccountId] = ada.accounts;
  const [{ payeeId }] = (await get('/payees')).body.payees;
  const before = (await get(`/accounts/${fromAccountId}`)).body.currentBalance;
  const request = { fromAccountId, toPayeeId: payeeId, amount: 12.34, currency: 'USD' };
  const answers = await Promise.all([1, 2, 3].map(() => pay(request, { 'idempotency-key': 'one' })));
  assert.deepEqual(answers.map(({ status }) => status), [201, 201, 201]);
  assert.equal(new Set(answers.map(({ body }) => body.paymentId)).size, 1);
  const after = (await get(`/accounts/${fromAccountId}`)).body.currentBalance;
  assert.equal(Math.round((before - after) * 100), 1234);
  assert.equal((await everyTransaction(fromAccountId))[0].amount, 12.34);
  assert.equal((await pay({ ...request, amount: 1 }, { 'idempotency-key': 'one' })).status, 422);
});

test('payments that a bank would not make', async () => {
  const [checking, savings] = ada.accounts;
  const [{ payeeId }] = (await get('/payees')).body.payees;
  const good = { fromAccountId: checking, toPayeeId: payeeId, amount: 1, currency: 'USD' };
  for (const [change, status, code] of [
    [{ amount: 1e8 }, 422, '1104'], [{ amount: -5 }, 400, '400'], [{ amount: 0.001 }, 400, '400'], [{ amount: '5' }, 400, '400'],
    [{ currency: 'EUR' }, 422, '1106'], [{ toPayeeId: 'payee_x' }, 404, '1105'], [{ fromAccountId: 'acct_x' }, 404, '701'], [{ fromAccountId: savings }, 422, '704'],
  ]) {
    const { status: seen, body } = await pay({ ...good, ...change });
    assert.deepEqual([seen, body.code], [status, code], JSON.stringify(change));
  }
  const narrow = await connect(bank, { pick: (ids) => ids.slice(1, 2) });
  assert.equal((await pay(good, {}, narrow.tokens.access_token)).status, 404, 'an account that was not shared');
});

test('unknown resources and methods', async () => {
  assert.equal((await get('/nothing')).status, 404);
  const wrong = await call(bank, ada.tokens.access_token, '/accounts', { method: 'DELETE' });
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'GET']);
});
