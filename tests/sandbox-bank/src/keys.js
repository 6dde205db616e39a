/** The bank's own keys, made at the first start: one to sign ID tokens, some to sign cookies. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';

import { readJson, writeAtomically } from './files.js';

/** @returns {Promise<{ jwks: { keys: object[] }, cookies: string[] }>} */
export async function openKeys(file) {
  const kept = await readJson(file);
  if (kept) return kept;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signing = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: randomBytes(8).toString('hex') };
  const keys = { jwks: { keys: [signing] }, cookies: [randomBytes(32).toString('base64url')] };
  await writeAtomically(file, `${JSON.stringify(keys)}\n`);
  return keys;
}
