/**
 * openid-client gets a lease from the broker, calls the bank with it and gives it back. All it is told of us is a socket:
 * its fetch is Node's own HTTP client on that.
 *
 * Where things are comes from the environment: COUNTERSIGN_SOCKET, COUNTERSIGN_ISSUER, COUNTERSIGN_GRANT and
 * COUNTERSIGN_AGENT_KEY_FILE.
 */
import { createHash, randomUUID, webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';

import * as client from 'openid-client';

const { COUNTERSIGN_SOCKET: socketPath, COUNTERSIGN_ISSUER: issuer, COUNTERSIGN_GRANT: grant, COUNTERSIGN_AGENT_KEY_FILE: keyFile } = process.env;

/** fetch over a Unix socket. */
function overSocket(url, { method = 'GET', headers = {}, body } = {}) {
  const { host, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path: pathname + search, headers: { ...Object.fromEntries(new Headers(headers)), host } }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode, headers: answer.headers })));
      answer.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body === undefined || body === null ? undefined : String(body));
  });
}

const { kty, crv, x, d } = JSON.parse(readFileSync(keyFile, 'utf8'));
const publicJwk = { crv, kty, x };
const keys = {
  privateKey: await webcrypto.subtle.importKey('jwk', { kty, crv, x, d }, 'Ed25519', false, ['sign']),
  publicKey: await webcrypto.subtle.importKey('jwk', publicJwk, 'Ed25519', true, ['verify']),
};
const thumbprint = createHash('sha256').update(JSON.stringify(publicJwk)).digest('base64url');

/** The task: the one thing that no OAuth library has a word for. */
async function task(content) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: thumbprint, aud: issuer, iat: now, exp: now + 120, jti: randomUUID(), ...content };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'EdDSA', typ: 'countersign-task+jwt', kid: thumbprint })}.${part(claims)}`;
  const signature = await webcrypto.subtle.sign('Ed25519', keys.privateKey, Buffer.from(signed));
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
}

const config = await client.discovery(new URL(issuer), thumbprint, undefined, client.None(), {
  algorithm: 'oauth2',
  execute: [client.allowInsecureRequests],
  [client.customFetch]: overSocket,
});
const DPoP = client.getDPoPHandle(config, keys);
const assertion = await task({
  grant,
  purpose: 'See what there is',
  authorization_details: [{ type: 'account_information', actions: ['list_accounts'] }],
  uses: 2,
});
const lease = await client.genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:jwt-bearer', { assertion }, { DPoP });
console.log('lease:', lease.token_type, lease.expires_in, lease.scope);

const answer = await client.fetchProtectedResource(config, lease.access_token, new URL(`${issuer}/call/${grant}/accounts`), 'GET', undefined, undefined, { DPoP });
if (answer.headers.get('countersign-answer') !== 'bank') throw new Error(`not the bank's answer: ${await answer.text()}`);
console.log('accounts:', (await answer.json()).accounts.length);

// RFC 7009 has no proof of its own in the library: it is sent by hand.
const proof = await (async () => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { jti: randomUUID(), htm: 'POST', htu: config.serverMetadata().revocation_endpoint, iat: Math.floor(Date.now() / 1000) };
  const signed = `${part({ alg: 'EdDSA', typ: 'dpop+jwt', jwk: publicJwk })}.${part(claims)}`;
  const signature = await webcrypto.subtle.sign('Ed25519', keys.privateKey, Buffer.from(signed));
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
})();
const headers = { dpop: proof, 'content-type': 'application/x-www-form-urlencoded' };
const returned = await overSocket(config.serverMetadata().revocation_endpoint, { method: 'POST', headers, body: new URLSearchParams({ token: lease.access_token }) });
if (returned.status !== 200) throw new Error(`not given back: ${returned.status}`);
const after = await client
  .fetchProtectedResource(config, lease.access_token, new URL(`${issuer}/call/${grant}/accounts`), 'GET', undefined, undefined, { DPoP })
  .catch((error) => error);
if (after.status !== 401) throw new Error(`a lease that was given back is good for something: ${after}`);
