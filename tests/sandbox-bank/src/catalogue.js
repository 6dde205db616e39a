/** The provider file by which Countersign learns of this bank: the truth about this server, nothing more. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';

import { CONSENT_DAYS } from './consents.js';
import { writeAtomically } from './files.js';
import { CLIENT_ID, PATHS } from './provider.js';

/** @returns {Promise<string>} the folder it was written to */
export async function writeCatalogue(data, bank) {
  const folder = path.join(data, 'catalogue');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeAtomically(path.join(folder, `${bank.id}.toml`), providerFile(bank), 0o644);
  return folder;
}

function providerFile({ id, name, monogram, colour, issuer }) {
  return `# Written by the bank itself at every start.
id = ${toml(id)}
name = ${toml(name)}
monogram = ${toml(monogram)}
colour = ${toml(colour)}
help = ${toml(`${issuer}/connected-apps`)}
unverified = false

[authorization_server]
issuer = ${toml(issuer)}
authorization_endpoint = ${toml(issuer + PATHS.authorization)}
token_endpoint = ${toml(issuer + PATHS.token)}
revocation_endpoint = ${toml(issuer + PATHS.revocation)}
jwks_uri = ${toml(issuer + PATHS.jwks)}
pushed_authorization_request_endpoint = ${toml(issuer + PATHS.pushed_authorization_request)}
userinfo_endpoint = ${toml(issuer + PATHS.userinfo)}
discovery = "oidc"

[client]
client_id = ${toml(CLIENT_ID)}
token_endpoint_auth_method = "none"
redirect_uri_in_token_request = true
loopback_port = "any"

[authorization_request]
extra = { prompt = "consent" }
always_scopes = ["openid", "offline_access"]

[behaviour]
pkce = "advertised"
iss = "advertised"
par = "offered"
dpop = "absent"
consents = "independent"
rotation = "always"
narrowed_refresh = "keeps"
revocation = "cascades"
consent_withdrawal = "with_token"
consent_days = ${CONSENT_DAYS}

[holder]
source = "userinfo"
name_claim = "name"

[api]
profile = "fdx-v6"
base = ${toml(`${issuer}/fdx/v6`)}
`;
}

/** A TOML basic string; JSON's escapes are a subset of TOML's. */
function toml(text) {
  return JSON.stringify(text);
}
