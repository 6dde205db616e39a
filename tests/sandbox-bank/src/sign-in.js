/** The customer's sign-in session: the authorization server's own, so that all pages of the bank agree who is here. */
import { SESSION_S } from './provider.js';

/** @typedef {{ find(req: any, res: any): Promise<any>, start(req: any, res: any, id: string): Promise<void>, end(req: any, res: any): Promise<void> }} SignIn */

/** @returns {SignIn} */
export function makeSignIn(provider) {
  const find = (req, res) => provider.Session.get({ req, res });
  return {
    find,

    /** Signs in outside of an app's request. */
    async start(req, res, id) {
      const session = await find(req, res);
      forget(session);
      session.loginAccount({ accountId: id });
      session.resetIdentifier();
      await session.save(SESSION_S);
      provider.createContext(req, res).cookies.set(provider.cookieName('session'), session.jti, {
        httpOnly: true, sameSite: 'lax', overwrite: true, signed: true,
      });
    },

    /** Signs out and keeps the session itself, which an app's request under way is tied to. */
    async end(req, res) {
      const session = await find(req, res);
      if (!session.exp) return;
      forget(session);
      await session.persist();
    },
  };
}

function forget(session) {
  for (const key of ['accountId', 'loginTs', 'acr', 'amr', 'authorizations']) delete session[key];
}
