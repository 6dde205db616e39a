import assert from 'node:assert/strict';
import { get } from 'node:http';
import { after, before, test } from 'node:test';

import { accountsOn, ALL, App, Bank, Browser, call, connect, READS, scopesOn } from './support.js';

let bank;
before(async () => { bank = await Bank.start(); });
after(() => bank.remove());

test('the whole way by PAR gives tokens for what was allowed', async () => {
  const { app, params, tokens } = await connect(bank);
  assert.equal(params.state, app.state);
  assert.equal(params.iss, bank.issuer);
  assert.equal(tokens.token_type, 'Bearer');
  assert.equal(tokens.expires_in, 600);
  assert.deepEqual(tokens.scope.split(' ').sort(), ['openid', 'offline_access', ...ALL].sort());
  const claims = JSON.parse(Buffer.from(tokens.id_token.split('.')[1], 'base64url'));
  assert.equal(claims.nonce, app.nonce);
  const res = await fetch(`${bank.issuer}/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  assert.deepEqual(await res.json(), { sub: claims.sub, name: 'Ada Quist' });
});

test('the way without PAR and the IPv6 loopback work too', async () => {
  const app = new App(bank);
  app.redirect = `http://[::1]:50123/callback/${bank.id}`;
  const browser = new Browser(bank);
  const page = await browser.signIn(await browser.go(app.link(app.request())));
  const { callback, params } = await browser.submit(page, 'consent', [['account', accountsOn(page)[0]], ['scope', ALL[0]]]);
  assert.equal(callback.host, '[::1]:50123');
  assert.equal((await app.exchange(params)).status, 200);
});

test('declining says access_denied with state and iss, at the sign-in and at the choice', async () => {
  const app = new App(bank);
  const browser = new Browser(bank);
  const first = await browser.submit(await browser.go(await app.pushedLink()), 'decline', {});
  assert.equal(first.params.error, 'access_denied');
  assert.equal(first.params.state, app.state);
  assert.equal(first.params.iss, bank.issuer);
  const page = await browser.signIn(await browser.go(await app.pushedLink()));
  const second = await browser.submit(page, 'decline', {});
  assert.deepEqual([second.params.error, second.params.state, second.params.iss], ['access_denied', app.state, bank.issuer]);
});

test('a wrong password keeps the number and says so', async () => {
  const browser = new Browser(bank);
  const page = await browser.signIn(await browser.go(await new App(bank).pushedLink()), 'ada', 'guess');
  assert.equal(page.status, 401);
  assert.match(page.text, /role="alert"/);
  assert.match(page.text, /name="login" value="ada"/);
  assert.doesNotMatch(page.text, /guess/);
});

test('who is signed in goes straight to the choice and can become someone else', async () => {
  const { browser } = await connect(bank);
  const app = new App(bank);
  const page = await browser.go(await app.pushedLink());
  assert.match(page.text, /signed in as <strong>Ada Quist/);
  const again = await browser.signIn(await browser.submit(page, 'switch', {}), 'mia');
  assert.match(again.text, /signed in as <strong>Mia Ōtsuka/);
  const { params } = await browser.submit(again, 'consent', [['account', accountsOn(again)[0]], ['scope', ALL[3]]]);
  const { body } = await app.exchange(params);
  assert.equal((await call(bank, body.access_token, '/customers/current')).body.name.last, 'Ōtsuka');
});

test('two sign-ins at once in one browser, as two customers, do not mix', async () => {
  const browser = new Browser(bank);
  const [one, two] = [await browser.go(await new App(bank).pushedLink()), await browser.go(await new App(bank).pushedLink())];
  assert.match((await browser.signIn(one, 'ada')).text, /signed in as <strong>Ada/);
  assert.match((await browser.signIn(two, 'bo')).text, /signed in as <strong>Bo/);
});

test('fewer permissions give a narrower scope, and only the fewer accounts', async () => {
  const keep = ['fdx:accountbasic:read', 'fdx:accountdetailed:read'];
  const { tokens, accounts, page } = await connect(bank, { keep, pick: (ids) => ids.slice(0, 1) });
  assert.deepEqual(tokens.scope.split(' ').sort(), ['openid', 'offline_access', ...keep].sort());
  const { body } = await call(bank, tokens.access_token, '/accounts');
  assert.deepEqual(body.accounts.map(({ accountId }) => accountId), accounts);
  assert.equal((await call(bank, tokens.access_token, `/accounts/${accountsOn(page)[1]}`)).status, 404);
});

test('only what was asked for is offered, and what was not cannot be slipped in', async () => {
  const asked = READS.slice(0, 2);
  const app = new App(bank);
  const browser = new Browser(bank);
  const page = await browser.signIn(await browser.go(await app.pushedLink(asked)));
  assert.deepEqual(scopesOn(page), asked);
  const form = [['account', accountsOn(page)[0]], ['account', 'acct_of_another'], ...ALL.map((scope) => ['scope', scope])];
  const { params } = await browser.submit(page, 'consent', form);
  const { body } = await app.exchange(params);
  assert.deepEqual(body.scope.split(' ').sort(), ['openid', 'offline_access', ...asked].sort());
});

test('no account or no permission is asked about again', async () => {
  const browser = new Browser(bank);
  const page = await browser.signIn(await browser.go(await new App(bank).pushedLink()));
  const again = await browser.submit(page, 'consent', [['scope', ALL[0]]]);
  assert.equal(again.status, 422);
  assert.match(again.text, /at least one account/);
  const third = await browser.submit(page, 'consent', [['account', accountsOn(page)[0]]]);
  assert.match(third.text, /at least one permission/);
});

test('the button that Enter presses in a checkbox allows nothing and keeps the choices', async () => {
  const browser = new Browser(bank);
  const page = await browser.signIn(await browser.go(await new App(bank).pushedLink()));
  const [, first] = /<button[^>]* name="([^"]+)"[^>]*><\/button>\s*<fieldset>/.exec(page.text);
  const [, account] = accountsOn(page);
  const again = await browser.submit(page, 'consent', [[first, 'yes'], ['account', account], ['scope', ALL[0]]]);
  assert.equal(again.status, 200);
  assert.ok(again.text.includes(`value="${account}" checked`));
  assert.equal(again.text.match(/ checked>/g).length, 2);
});

test('a redirect URI elsewhere is refused on our own page, pushed or not', async () => {
  const app = new App(bank);
  for (const redirect of ['http://evil.example/callback/sandbox-bank', 'http://localhost:5000/callback/sandbox-bank', 'http://127.0.0.1:5000/callback/other']) {
    const params = app.request(ALL, { redirect_uri: redirect });
    assert.equal((await app.push(params)).status, 400);
    const page = await new Browser(bank).go(app.link(params));
    assert.equal(page.status, 400, redirect);
    assert.match(page.text, /invalid_redirect_uri/);
  }
});

test('PKCE is needed, and S256 alone', async () => {
  const app = new App(bank);
  const { code_challenge: _, code_challenge_method: __, ...without } = app.request();
  assert.equal((await app.push(without)).body.error, 'invalid_request');
  assert.equal((await app.push(app.request(ALL, { code_challenge_method: 'plain' }))).body.error, 'invalid_request');
});

test('a code brought twice at once works once', async () => {
  const { browser } = await connect(bank);
  const app = new App(bank);
  const page = await browser.go(await app.pushedLink());
  const { params } = await browser.submit(page, 'consent', [['account', accountsOn(page)[0]], ['scope', ALL[0]]]);
  const answers = await Promise.all([app.exchange(params), app.exchange(params)]);
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
});

test('forms from another page and calls under another name are refused', async () => {
  const browser = new Browser(bank);
  const page = await browser.go(await new App(bank).pushedLink());
  const forged = await browser.go(`${page.url.pathname}/sign-in`, { method: 'POST', form: { login: 'ada', password: 'sandbox' }, headers: { origin: 'http://127.0.0.1:1' } });
  assert.equal(forged.status, 403);
  const status = await new Promise((resolve, reject) => {
    get({ port: new URL(bank.issuer).port, host: '127.0.0.1', path: '/connected-apps', headers: { host: 'bank.attacker.example' } }, (res) => {
      res.resume();
      resolve(res.statusCode);
    }).on('error', reject);
  });
  assert.equal(status, 421);
});

test('pages allow no script and end only here or at the app', async () => {
  const app = new App(bank);
  const page = await new Browser(bank).go(await app.pushedLink());
  const policy = page.headers.get('content-security-policy');
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /form-action 'self' http:\/\/127\.0\.0\.1:49152$/);
  assert.doesNotMatch(policy, /unsafe|script/);
  assert.doesNotMatch(page.text, /<script|style=/);
});
