/** The authorization server: oidc-provider, set up as a bank for apps on the customer's own computer. */
import { Provider } from 'oidc-provider';

import { makeAdapter } from './adapter.js';
import { CONSENT_S } from './consents.js';
import { findCustomerById } from './customers.js';
import { logProblem } from './log.js';
import { SCOPES } from './permissions.js';

/** The one app that is registered with this bank. */
export const CLIENT_ID = 'countersign';
const ACCESS_TOKEN_S = 10 * 60;
export const SESSION_S = 60 * 60;

export const PATHS = {
  authorization: '/authorize',
  jwks: '/jwks',
  pushed_authorization_request: '/par',
  revocation: '/revoke',
  token: '/token',
  userinfo: '/userinfo',
};

export function makeProvider({ bank, keys, pages, store }) {
  const provider = new Provider(bank.issuer, {
    adapter: makeAdapter(store),
    clients: [client(bank)],
    jwks: keys.jwks,
    routes: PATHS,
    scopes: SCOPES,
    claims: { openid: ['sub', 'name'] },
    clientAuthMethods: ['none'],
    responseTypes: ['code'],
    pkce: { required: () => true },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'], userinfoSigningAlgValues: ['ES256'] },
    allowOmittingSingleRegisteredRedirectUri: false,
    rotateRefreshToken: () => true,
    // Each visit to the consent page makes a Grant of its own.  The default is to take up the browser session's
    // last one, and then ending one agent's access ends another's.
    loadExistingGrant: (ctx) => {
      const id = ctx.oidc.result?.consent?.grantId;
      return id ? ctx.oidc.provider.Grant.find(id) : undefined;
    },
    findAccount: (_ctx, id) => account(id),
    ttl: {
      AccessToken: ACCESS_TOKEN_S,
      AuthorizationCode: 60,
      Grant: CONSENT_S,
      IdToken: 60 * 60,
      Interaction: 60 * 60,
      RefreshToken: (ctx) => ctx?.oidc?.entities.RotatedRefreshToken?.remainingTTL ?? CONSENT_S,
      Session: SESSION_S,
    },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    // Cookies do not keep ports apart: without the port, two banks on one machine would take each other's.
    cookies: { keys: keys.cookies, names: cookieNames(bank.port) },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: false },
      resourceIndicators: { enabled: false },
      revocation: { enabled: true, allowedPolicy: mayRevoke },
      rpInitiatedLogout: { enabled: false },
    },
    renderError: (ctx, out) => {
      pages.send(ctx.res, ctx.status, pages.problem(PROBLEMS[out.error] ?? PROBLEMS.invalid_request, out.error));
      ctx.respond = false;
    },
  });
  provider.on('server_error', (_ctx, err) => logProblem(err));
  return provider;
}

function client(bank) {
  return {
    client_id: CLIENT_ID,
    client_name: 'Countersign',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    id_token_signed_response_alg: 'ES256',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: [`http://127.0.0.1/callback/${bank.id}`, `http://[::1]/callback/${bank.id}`],
  };
}

/**
 * A client may revoke its own tokens.  A refresh token takes its whole Grant along.  An access token goes alone:
 * the server by itself would take the refresh token with it (RFC 7009 §2.1 lets it), and giving back a token
 * early would cost the customer the consent.
 */
async function mayRevoke(_ctx, asking, token) {
  if (token.clientId !== asking.clientId) return false;
  if (token.kind !== 'AccessToken') return true;
  await token.destroy();
  return false;
}

function account(id) {
  const customer = findCustomerById(id);
  return customer && { accountId: id, claims: async () => ({ sub: id, name: customer.name }) };
}

function cookieNames(port) {
  return { session: `bank_${port}_session`, interaction: `bank_${port}_interaction`, resume: `bank_${port}_resume` };
}

/** What a customer is told when an app's request cannot be answered by sending them back to the app. */
const PROBLEMS = {
  access_denied: ['Access was not given', 'Close this page and return to the app.'],
  invalid_client: ['We do not know this app', 'The app that sent you here is not registered with us. Nothing was shared.'],
  invalid_redirect_uri: ['We do not know where this would send you', 'The app asked us to return you to an address that is not registered with us. Nothing was shared.'],
  invalid_request: ['This request is not complete', 'The app that sent you here made a mistake, or the link is old. Nothing was shared. Start again from the app.'],
  server_error: ['Something went wrong on our side', 'Nothing was shared. Start again from the app in a moment.'],
};
