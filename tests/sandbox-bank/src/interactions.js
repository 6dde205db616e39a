/** What the customer does in the middle of an app's request: sign in, choose, allow or decline. */
import { readForm } from './body.js';
import { makeConsent } from './consents.js';
import { checkPassword, findCustomerById } from './customers.js';
import { PERMISSIONS, PLAIN_SCOPES } from './permissions.js';

const PATH = /^\/interaction\/([^/]+)(?:\/(sign-in|switch|consent|decline))?$/;

export function makeInteractions({ ledger, pages, provider, signIn, store }) {
  const actions = { 'sign-in': acceptSignIn, switch: switchCustomer, consent: acceptConsent, decline };

  return async (req, res, pathname) => {
    const [, uid, action] = PATH.exec(pathname) ?? [];
    const details = uid && await provider.interactionDetails(req, res).catch(() => undefined);
    if (!details || details.uid !== uid) return pages.send(res, 400, pages.problem(EXPIRED));
    if (req.method === 'GET' && !action) return showPage(req, res, details);
    if (req.method === 'POST' && action) return actions[action](req, res, details);
    return pages.send(res, 405, pages.problem(EXPIRED));
  };

  async function showPage(req, res, details) {
    const customer = await signedIn(req, res, details);
    if (!customer) return pages.send(res, 200, signInPage(details), returnsTo(details));
    return showConsent(res, details, customer);
  }

  function showConsent(res, details, customer, draft = {}) {
    const page = pages.consent({
      action: `/interaction/${details.uid}`,
      customer,
      accounts: ledger.accountsOf(customer),
      permissions: asked(details),
      ...draft,
    });
    return pages.send(res, draft.problem ? 422 : 200, page, returnsTo(details));
  }

  function signInPage(details, draft = {}) {
    return pages.signIn({ action: `/interaction/${details.uid}`, forApp: true, ...draft });
  }

  async function acceptSignIn(req, res, details) {
    const form = await readForm(req);
    const login = (form.get('login') ?? '').trim();
    const customer = checkPassword(login, form.get('password') ?? '');
    if (!customer) return pages.send(res, 401, signInPage(details, { login, wrong: true }), returnsTo(details));
    const session = await signIn.find(req, res);
    if (session.accountId && session.accountId !== customer.id) await leave(req, res, details);
    return provider.interactionFinished(req, res, { login: { accountId: customer.id } }, { mergeWithLastSubmission: false });
  }

  async function switchCustomer(req, res, details) {
    await leave(req, res, details);
    return pages.redirect(res, `/interaction/${details.uid}`);
  }

  /** Signs out and starts the app's request over at the sign-in; it is no longer tied to who was here before. */
  async function leave(req, res, details) {
    await signIn.end(req, res);
    Object.assign(details, { prompt: { name: 'login', reasons: ['no_session'], details: {} }, session: undefined, lastSubmission: undefined });
    await details.persist();
  }

  async function acceptConsent(req, res, details) {
    const customer = await signedIn(req, res, details);
    if (!customer) return pages.redirect(res, `/interaction/${details.uid}`);
    const form = await readForm(req);
    const own = ledger.accountsOf(customer).map(({ id }) => id);
    const accounts = own.filter((id) => form.getAll('account').includes(id));
    const offered = asked(details).map(({ scope }) => scope);
    const scopes = offered.filter((scope) => form.getAll('scope').includes(scope));
    const problem = offered.length && ((!accounts.length && 'accounts') || (!scopes.length && 'permissions'));
    if (form.has('stay')) return showConsent(res, details, customer, { accountsChosen: accounts, scopesChosen: scopes });
    if (problem) return showConsent(res, details, customer, { problem, accountsChosen: accounts, scopesChosen: scopes });

    const plain = PLAIN_SCOPES.filter((scope) => askedScopes(details).includes(scope));
    const grantId = await makeConsent({ provider, store }, {
      customer: customer.id,
      client: details.params.client_id,
      accounts,
      scopes: [...plain, ...scopes],
      declined: offered.filter((scope) => !scopes.includes(scope)),
    });
    return provider.interactionFinished(req, res, { consent: { grantId } });
  }

  function decline(req, res) {
    const result = { error: 'access_denied', error_description: 'the customer declined' };
    return provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
  }

  /** Who is signed in, unless this request wants a fresh sign-in or the customer has just left. */
  async function signedIn(req, res, details) {
    if (details.prompt.name === 'login') return undefined;
    const session = await signIn.find(req, res);
    return session.accountId && session.accountId === details.session?.accountId
      ? findCustomerById(session.accountId)
      : undefined;
  }
}

const EXPIRED = ['This page has expired', 'Nothing was shared. Return to the app and connect again.'];

const askedScopes = (details) => (details.params.scope ?? '').split(' ');

const asked = (details) => PERMISSIONS.filter(({ scope }) => askedScopes(details).includes(scope));

/** Where the answer will take the browser; the page's policy has to let the form end there. */
const returnsTo = (details) => ({ returnsTo: new URL(details.params.redirect_uri).origin });
