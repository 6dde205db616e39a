/** Where a customer sees which apps have access, and withdraws it. */
import { readForm } from './body.js';
import { consentsOf, findConsent, withdrawConsent } from './consents.js';
import { checkPassword, findCustomerById } from './customers.js';

const HOME = '/connected-apps';

export function makeConnectedApps({ ledger, pages, provider, signIn, store }) {
  const routes = {
    [`GET ${HOME}`]: show,
    [`POST ${HOME}/sign-in`]: acceptSignIn,
    [`POST ${HOME}/sign-out`]: signOut,
    [`POST ${HOME}/withdraw`]: withdraw,
  };

  return (req, res, pathname) => {
    const route = routes[`${req.method} ${pathname}`];
    if (!route) return pages.send(res, 404, pages.problem(['There is no such page', 'Check the address.']));
    return route(req, res);
  };

  async function show(req, res) {
    const customer = await signedIn(req, res);
    if (!customer) return pages.send(res, 200, pages.signIn({ action: HOME }));
    return pages.send(res, 200, pages.connectedApps({
      action: HOME,
      customer,
      accounts: ledger.accountsOf(customer),
      consents: consentsOf(store, customer.id),
      withdrawn: new URL(req.url, 'http://bank').searchParams.has('withdrawn'),
    }));
  }

  async function acceptSignIn(req, res) {
    const form = await readForm(req);
    const login = (form.get('login') ?? '').trim();
    const customer = checkPassword(login, form.get('password') ?? '');
    if (!customer) return pages.send(res, 401, pages.signIn({ action: HOME, login, wrong: true }));
    await signIn.start(req, res, customer.id);
    return pages.redirect(res, HOME);
  }

  async function signOut(req, res) {
    await signIn.end(req, res);
    return pages.redirect(res, HOME);
  }

  async function withdraw(req, res) {
    const customer = await signedIn(req, res);
    const consent = findConsent(store, (await readForm(req)).get('consent') ?? '');
    if (!customer) return pages.redirect(res, HOME);
    if (consent?.customer === customer.id) await withdrawConsent({ provider }, consent.id);
    return pages.redirect(res, `${HOME}?withdrawn`);
  }

  async function signedIn(req, res) {
    const { accountId } = await signIn.find(req, res);
    return accountId && findCustomerById(accountId);
  }
}
