/**
 * What a customer allowed, in the bank's own words: which accounts and permissions, since when, until when.
 *
 * There is one for each Grant of the authorization server, under the same id, and it ends with it.
 */

/** How long a consent lasts. */
export const CONSENT_DAYS = 90;
const DAY_S = 24 * 60 * 60;
export const CONSENT_S = CONSENT_DAYS * DAY_S;

/** @typedef {{ id: string, customer: string, accounts: string[], scopes: string[], since: number, until: number, usedAt?: number }} Consent */

/** Makes the Grant and the consent that goes with it: always new ones, never those of an earlier visit. */
export async function makeConsent({ provider, store }, { customer, client, accounts, scopes, declined }) {
  const grant = new provider.Grant({ accountId: customer, clientId: client });
  grant.addOIDCScope(scopes);
  if (declined.length) grant.rejectOIDCScope(declined);
  const id = await grant.save();
  const since = Math.floor(Date.now() / 1000);
  store.put('Consent', id, { id, customer, accounts, scopes, since, until: since + CONSENT_S }, since + CONSENT_S);
  await store.settled();
  return id;
}

/** @returns {Consent | undefined} */
export function findConsent(store, id) {
  const consent = store.find('Consent', id);
  return consent && consent.until > Date.now() / 1000 ? consent : undefined;
}

/** @returns {Consent[]} newest first */
export function consentsOf(store, customer) {
  return store.all('Consent')
    .filter((consent) => consent.customer === customer && consent.until > Date.now() / 1000)
    .sort((a, b) => b.since - a.since);
}

/** Notes that the consent was used; to the minute is enough, and saves writes. */
export function noteUse(store, consent) {
  const now = Math.floor(Date.now() / 1000);
  if (consent.usedAt && now - consent.usedAt < 60) return;
  store.put('Consent', consent.id, { ...consent, usedAt: now }, consent.until);
}

/** Called when the Grant has ended. */
export function endConsent(store, id) {
  store.drop('Consent', id);
}

/** Ends a Grant with all its tokens and codes, as the customer asks for on the bank's own page. */
export async function withdrawConsent({ provider }, id) {
  await provider.Grant.adapter.destroy(id);
  await Promise.all([provider.AccessToken, provider.RefreshToken, provider.AuthorizationCode]
    .map((model) => model.adapter.revokeByGrantId(id)));
}
