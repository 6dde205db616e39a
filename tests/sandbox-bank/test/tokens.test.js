import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { accountsOn, App, Bank, Browser, call, connect, READS } from './support.js';

let bank;
before(async () => { bank = await Bank.start(); });
after(() => bank.remove());

const works = async (token) => (await call(bank, token, '/accounts')).status === 200;

test('refreshing rotates and keeps the scope', async () => {
  const { app, tokens } = await connect(bank);
  const { status, body } = await app.refresh(tokens.refresh_token);
  assert.equal(status, 200);
  assert.notEqual(body.refresh_token, tokens.refresh_token);
  assert.equal(body.scope, tokens.scope);
  assert.ok(await works(body.access_token));
});

test('a refresh token used twice ends its grant, the newest token included', async () => {
  const { app, tokens } = await connect(bank);
  const { body: newer } = await app.refresh(tokens.refresh_token);
  const reuse = await app.refresh(tokens.refresh_token);
  assert.deepEqual([reuse.status, reuse.body.error], [400, 'invalid_grant']);
  assert.equal((await app.refresh(newer.refresh_token)).body.error, 'invalid_grant');
  assert.equal(await works(newer.access_token), false);
});

test('a refresh token brought twice at once gives one new one', async () => {
  const { app, tokens } = await connect(bank);
  const answers = await Promise.all([1, 2, 3].map(() => app.refresh(tokens.refresh_token)));
  assert.ok(answers.filter(({ status }) => status === 200).length <= 1);
  assert.ok(answers.some(({ body }) => body.error === 'invalid_grant'));
});

test('a refresh for fewer scopes gives a narrow token and keeps the grant whole', async () => {
  const { app, tokens } = await connect(bank);
  const narrow = await app.refresh(tokens.refresh_token, { scope: 'openid fdx:payees:read' });
  assert.equal(narrow.body.scope, 'openid fdx:payees:read');
  assert.equal((await call(bank, narrow.body.access_token, '/accounts')).status, 403);
  const whole = await app.refresh(narrow.body.refresh_token);
  assert.equal(whole.body.scope, tokens.scope);
});

test('revoking ends its own grant, and not the other agent of the same browser', async () => {
  const first = await connect(bank);
  const second = await connect(bank, { browser: first.browser });
  assert.ok(await works(first.tokens.access_token) && await works(second.tokens.access_token));

  assert.equal((await first.app.revoke(first.tokens.refresh_token)).status, 200);
  assert.equal(await works(first.tokens.access_token), false);
  assert.equal((await first.app.refresh(first.tokens.refresh_token)).body.error, 'invalid_grant');

  assert.ok(await works(second.tokens.access_token));
  assert.equal((await second.app.refresh(second.tokens.refresh_token)).status, 200);
});

test('reuse in one grant leaves the other of the same browser alone', async () => {
  const first = await connect(bank);
  const second = await connect(bank, { browser: first.browser });
  await first.app.refresh(first.tokens.refresh_token);
  await first.app.refresh(first.tokens.refresh_token);
  assert.equal((await second.app.refresh(second.tokens.refresh_token)).status, 200);
});

test('revoking an access token ends that token alone', async () => {
  const { app, tokens } = await connect(bank);
  const { body: newer } = await app.refresh(tokens.refresh_token);
  assert.equal((await app.revoke(tokens.access_token)).status, 200);
  assert.equal(await works(tokens.access_token), false);
  assert.ok(await works(newer.access_token));
  assert.equal((await app.refresh(newer.refresh_token)).status, 200);
});

test('an unknown token is revoked with 200', async () => {
  const app = new App(bank);
  assert.equal((await app.revoke('nothing-of-the-kind')).status, 200);
});

test('without offline_access there is no refresh token, and the token ends with the session', async () => {
  const app = new App(bank);
  const browser = new Browser(bank);
  const params = app.request(READS, { scope: `openid ${READS.join(' ')}` });
  const page = await browser.signIn(await browser.go(app.link(params)));
  const answer = await browser.submit(page, 'consent', [['account', accountsOn(page)[0]], ...READS.map((scope) => ['scope', scope])]);
  const { body } = await app.exchange(answer.params);
  assert.equal(body.refresh_token, undefined);
  assert.ok(await works(body.access_token));
  await browser.go('/connected-apps/sign-out', { method: 'POST', form: {} });
  assert.equal(await works(body.access_token), false);
});

test('the customer sees each consent and withdraws one', async () => {
  const browser = new Browser(bank);
  const first = await connect(bank, { browser, login: 'mia', pick: (ids) => ids.slice(0, 1), keep: READS.slice(0, 1) });
  const second = await connect(bank, { browser });
  const page = await browser.go('/connected-apps');
  const listed = [...page.text.matchAll(/data-consent="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(listed.length, 2);
  assert.match(page.text, /Student account/);

  const older = listed.find((id) => page.text.split(`data-consent="${id}"`)[1].split('</article>')[0].match(/Yen from home/) === null);
  const after = await browser.go('/connected-apps/withdraw', { method: 'POST', form: { consent: older } });
  assert.equal(after.text.match(/data-consent=/g).length, 1);
  assert.equal(await works(first.tokens.access_token), false);
  assert.equal((await first.app.refresh(first.tokens.refresh_token)).body.error, 'invalid_grant');
  assert.ok(await works(second.tokens.access_token));
});

test('a customer cannot withdraw the consent of another', async () => {
  const bo = await connect(bank, { login: 'bo' });
  const list = await bo.browser.go('/connected-apps');
  const [, consent] = /data-consent="([^"]+)"/.exec(list.text);
  const other = new Browser(bank);
  const page = await other.go('/connected-apps');
  assert.match((await other.go('/connected-apps/sign-in', { method: 'POST', form: { login: 'ada', password: 'sandbox' } })).text, /Connected apps/);
  assert.match(page.text, /id="sign-in"/);
  await other.go('/connected-apps/withdraw', { method: 'POST', form: { consent } });
  assert.ok(await works(bo.tokens.access_token));
});
