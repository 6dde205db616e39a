import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { test } from 'node:test';

import { ALL, App, Bank, call, connect } from './support.js';

test('a restart keeps port, tokens, sessions, consents and payments', async (t) => {
  const bank = await Bank.start();
  t.after(() => bank.remove());
  const { app, browser, tokens, accounts } = await connect(bank);
  const [{ payeeId }] = (await call(bank, tokens.access_token, '/payees')).body.payees;
  await call(bank, tokens.access_token, '/payments', { method: 'POST', body: { fromAccountId: accounts[0], toPayeeId: payeeId, amount: 5, currency: 'USD' } });
  const before = { issuer: bank.issuer, account: (await call(bank, tokens.access_token, `/accounts/${accounts[0]}`)).body };
  assert.deepEqual(await bank.stop(), { code: 0, signal: null });

  await bank.open();
  assert.equal(bank.issuer, before.issuer);
  assert.equal((await call(bank, tokens.access_token, `/accounts/${accounts[0]}`)).body.currentBalance, before.account.currentBalance);
  assert.equal((await app.refresh(tokens.refresh_token)).status, 200);
  assert.match((await browser.go('/connected-apps')).text, /data-consent=/);
});

test('what was answered survives kill -9 at any moment, and a torn last line', async (t) => {
  const bank = await Bank.start();
  t.after(() => bank.remove());
  const { app, tokens } = await connect(bank);
  let newest = tokens;
  for (let round = 0; round < 5; round += 1) {
    newest = (await app.refresh(newest.refresh_token)).body;
    assert.equal((await bank.stop('SIGKILL')).signal, 'SIGKILL');
    if (round === 2) await writeFile(path.join(bank.data, 'state.jsonl'), '{"kind":"AccessTo', { flag: 'a' });
    await bank.open();
    assert.equal((await call(bank, newest.access_token, '/accounts')).status, 200);
  }
  await app.revoke(newest.refresh_token);
  await bank.stop('SIGKILL');
  await bank.open();
  assert.equal((await app.refresh(newest.refresh_token)).body.error, 'invalid_grant', 'what was revoked stays revoked');
  assert.equal((await call(bank, newest.access_token, '/accounts')).status, 401);
});

test('a port that is taken is said, and another is not tried', async (t) => {
  const bank = await Bank.start();
  t.after(() => bank.remove());
  const port = Number(new URL(bank.issuer).port);
  await bank.stop();
  const squatter = createServer();
  await new Promise((resolve) => { squatter.listen(port, '127.0.0.1', resolve); });
  bank.log = '';
  await assert.rejects(bank.open(), { code: 1 });
  assert.match(bank.log, new RegExp(`port ${port} on 127\\.0\\.0\\.1 is taken`));
  assert.equal(bank.stdout, '');
  await new Promise((resolve) => { squatter.close(resolve); });
});

test('a second bank on the same folder is refused, with its port or another', async (t) => {
  const bank = await Bank.start();
  t.after(() => bank.remove());
  for (const args of [[], ['--port', '16999']]) {
    const second = Object.assign(new Bank(), { data: bank.data, args, log: '' });
    await assert.rejects(second.open(), { code: 1 });
  }
});

test('standard output is one line, and the provider file says what the metadata says', async (t) => {
  const bank = await Bank.start('--id', 'harbour', '--name', 'Harbour "& Sons" Bank', '--monogram', 'HB', '--colour', '#7a1f3d');
  t.after(() => bank.remove());
  assert.deepEqual(JSON.parse(bank.stdout), { ready: true, id: 'harbour', issuer: bank.issuer, catalogue: path.join(bank.data, 'catalogue') });
  const file = await readFile(path.join(bank.catalogue, 'harbour.toml'), 'utf8');
  const metadata = await (await fetch(`${bank.issuer}/.well-known/openid-configuration`)).json();
  for (const key of ['issuer', 'authorization_endpoint', 'token_endpoint', 'revocation_endpoint', 'jwks_uri', 'pushed_authorization_request_endpoint', 'userinfo_endpoint']) {
    assert.ok(file.includes(`${key} = "${metadata[key]}"\n`), key);
  }
  assert.deepEqual(metadata.code_challenge_methods_supported, ['S256']);
  assert.equal(metadata.authorization_response_iss_parameter_supported, true);
  assert.equal(metadata.dpop_signing_alg_values_supported, undefined);
  assert.equal(metadata.require_pushed_authorization_requests, undefined);
  assert.match(file, /name = "Harbour \\"& Sons\\" Bank"/);
  assert.match(await (await fetch(`${bank.issuer}/connected-apps`)).text(), /Harbour &quot;&amp; Sons&quot; Bank/);
  const { tokens } = await connect(bank);
  assert.ok(tokens.access_token);
});

test('every scope of the API profile is served', async (t) => {
  const profile = await readFile(path.join(import.meta.dirname, '../../../src-tauri/crates/oauth/providers/profiles/fdx-v6.toml'), 'utf8').catch(() => undefined);
  if (profile === undefined) return t.skip('this package stands alone here');
  assert.deepEqual([...profile.matchAll(/^scope = "(.+)"$/gm)].map(([, scope]) => scope).sort(), ALL.toSorted());
});

test('no token, code, verifier or password is in the logs, and the data folder is private', async (t) => {
  const bank = await Bank.start();
  t.after(() => bank.remove());
  const { app, params, tokens, browser } = await connect(bank);
  const newer = (await app.refresh(tokens.refresh_token)).body;
  await call(bank, newer.access_token, '/accounts');
  await fetch(`${bank.issuer}/fdx/v6/accounts?access_token=${newer.access_token}`);
  await fetch(`${bank.issuer}/${newer.refresh_token}?code=${params.code}`);
  await browser.go(new App(bank).link({ client_id: 'countersign', request_uri: newer.access_token }));
  await app.revoke(newer.refresh_token);
  await bank.stop();
  assert.ok(bank.log.includes('/fdx/v6/accounts'), 'there is a log');
  for (const secret of [params.code, app.verifier, app.state, tokens.access_token, tokens.refresh_token, tokens.id_token, newer.access_token, newer.refresh_token, 'sandbox&', '"sandbox"']) {
    assert.equal(bank.log.includes(secret), false);
  }
  for (const name of (await readdir(bank.data)).filter((each) => /json/.test(each))) {
    assert.equal((await stat(path.join(bank.data, name))).mode & 0o077, 0, name);
  }
});

test('a command line it does not understand ends with 2', async () => {
  for (const args of [['--id', 'No Good'], ['--colour', 'red'], ['--port', '0'], ['--what']]) {
    await assert.rejects(Bank.start(...args), { code: 2 });
  }
});
