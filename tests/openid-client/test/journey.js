/** The whole way of one connection with openid-client, used as its documentation says. */
import * as client from 'openid-client';

const READS = ['openid', 'offline_access', 'fdx:accountbasic:read', 'fdx:accountdetailed:read', 'fdx:transactions:read'];
const REDIRECT = 'http://127.0.0.1:51111/callback/bank-1';
/** In seconds; it waits for half a minute if it is not told. */
const TIMEOUT = 5;

/** What openid-client makes of a mode: `completes`, or `refuses` at a step with a code. */
export async function verdict(mode, provider) {
  const at = { step: 'discovery', answers: [] };
  try {
    await go(mode, provider, at);
    return { verdict: 'completes' };
  } catch (error) {
    return { verdict: 'refuses', at: at.step, code: code(error) };
  } finally {
    // A body that the library leaves unread has to be let go: Node stumbles over the end of a connection it paused.
    await Promise.all(at.answers.filter((answer) => answer.body && !answer.bodyUsed).map((answer) => answer.body.cancel().catch(() => {})));
  }
}

async function go(mode, provider, at) {
  const file = mode.bank?.file ?? {};
  const config = await client.discovery(new URL(provider.issuer), 'countersign', undefined, client.None(), {
    algorithm: file['authorization_server.discovery'] === 'oidc' ? 'oidc' : 'oauth2',
    execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
    [client.customFetch]: async (...request) => {
      const answer = await fetch(...request);
      at.answers.push(answer);
      return answer;
    },
    timeout: TIMEOUT,
  });

  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const asked = {
    redirect_uri: REDIRECT,
    scope: READS.join(' '),
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  };
  const pushes = (file['behaviour.par'] ?? 'absent') !== 'absent';
  at.step = pushes ? 'push' : 'authorize';
  const url = pushes ? await client.buildAuthorizationUrlWithPAR(config, asked) : client.buildAuthorizationUrl(config, asked);

  at.step = 'authorize';
  const answer = await fetch(url, { redirect: 'manual' });
  const callback = answer.headers.get('location');
  if (!callback) throw new Stop('not_sent_back');

  at.step = 'exchange';
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  for (const stray of mode.bank?.strays ?? []) {
    const taken = await client.authorizationCodeGrant(config, new URL(`${REDIRECT}?${stray}`), checks).then(() => true, () => false);
    if (taken) throw new Stop('stray_taken');
  }
  const tokens = await client.authorizationCodeGrant(config, new URL(callback), checks);

  at.step = 'userinfo';
  await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);

  at.step = 'accounts';
  const api = await client.fetchProtectedResource(config, tokens.access_token, new URL(`${provider.issuer}/fdx/v6/accounts`), 'GET');
  if (api.status !== 200) throw new Stop(`status_${api.status}`);
  await api.json();

  if (mode.expect.told) {
    at.step = 'revoke';
    await client.tokenRevocation(config, tokens.refresh_token ?? tokens.access_token);
  }
}

/** Something that we saw where the library leaves it to us to look. */
class Stop extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** The library's own code or a word of the protocol; what Node says of a connection differs from version to version. */
function code(error) {
  if (error instanceof Stop) return error.code;
  if (typeof error.error === 'string') return error.error;
  return String(error.code).startsWith('OAUTH_') ? error.code : 'failed';
}
