/** The same way with a client library that nobody here wrote. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import * as client from 'openid-client';

import { accountsOn, ALL, Bank, Browser, call } from './support.js';

let bank;
before(async () => { bank = await Bank.start(); });
after(() => bank.remove());

test('openid-client discovers, pushes, exchanges, reads userinfo, refreshes and revokes', async () => {
  const config = await client.discovery(new URL(bank.issuer), 'countersign', undefined, client.None(), { execute: [client.allowInsecureRequests] });
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const url = await client.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: `http://127.0.0.1:51111/callback/${bank.id}`,
    scope: ['openid', 'offline_access', ...ALL].join(' '),
    prompt: 'consent',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  });
  const browser = new Browser(bank);
  const page = await browser.signIn(await browser.go(url.href));
  const { callback } = await browser.submit(page, 'consent', [['account', accountsOn(page)[0]], ...ALL.map((scope) => ['scope', scope])]);
  const tokens = await client.authorizationCodeGrant(config, callback, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
  const holder = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  assert.equal(holder.name, 'Ada Quist');
  const newer = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.equal((await call(bank, newer.access_token, '/accounts')).status, 200);
  await client.tokenRevocation(config, newer.refresh_token);
  assert.equal((await call(bank, newer.access_token, '/accounts')).status, 401);
  await assert.rejects(client.refreshTokenGrant(config, newer.refresh_token), { error: 'invalid_grant' });
});
