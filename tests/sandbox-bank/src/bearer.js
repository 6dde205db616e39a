/** Who may call the API, and for what: the bearer token, looked up where it was made. */
import { findConsent, noteUse } from './consents.js';
import { findCustomerById } from './customers.js';

/** The call is refused before anything was looked at. */
export class CallRefused extends Error {
  constructor(status, challenge, code, message) {
    super(message);
    Object.assign(this, { status, challenge, code });
  }
}

const REALM = 'Bearer realm="fdx-v6"';

/**
 * @returns {Promise<{ customer: import('./customers.js').Customer, consent: import('./consents.js').Consent,
 *   accounts: import('./customers.js').Account[] }>} the accounts are those the customer chose to share
 */
export async function authorize({ provider, store }, req, scope) {
  const [, value] = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(req.headers.authorization ?? '') ?? [];
  if (!value) throw new CallRefused(401, REALM, '401', 'A bearer token is needed');   // RFC 6750 §3.1: no error code without a token
  const token = await provider.AccessToken.find(value);
  const grant = token && await provider.Grant.find(token.grantId);
  const consent = grant && findConsent(store, token.grantId);
  const customer = consent && findCustomerById(token.accountId);
  if (!customer || !await sessionLives(provider, token)) {
    throw new CallRefused(401, `${REALM}, error="invalid_token", error_description="the token is expired, revoked or unknown"`, '401', 'The token is expired, revoked or unknown');
  }
  if (!token.scopes.has(scope)) {
    throw new CallRefused(403, `${REALM}, error="insufficient_scope", scope="${scope}"`, '602', 'The customer has not allowed this');
  }
  noteUse(store, consent);
  return { customer, consent, accounts: customer.accounts.filter(({ id }) => consent.accounts.includes(id)) };
}

/** Without offline access a token ends with the sign-in session it came from. */
async function sessionLives(provider, token) {
  if (!token.expiresWithSession) return true;
  const session = await provider.Session.findByUid(token.sessionUid);
  return session?.accountId === token.accountId;
}
