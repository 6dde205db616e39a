/** What an app can ask for, in the bank's words to its customer. */

/** @typedef {{ scope: string, short: string, says: string, money?: boolean }} Permission */

/** @type {Permission[]} */
export const PERMISSIONS = [
  { scope: 'fdx:accountbasic:read', short: 'Accounts', says: 'See the name, type and last four digits of the accounts you choose' },
  { scope: 'fdx:accountdetailed:read', short: 'Balances', says: 'See how much is in them' },
  { scope: 'fdx:transactions:read', short: 'Transactions', says: 'See payments in and out: date, amount, and who was paid' },
  { scope: 'fdx:customercontact:read', short: 'Contact details', says: 'See your name, address, e-mail and phone number' },
  { scope: 'fdx:payees:read', short: 'Saved payees', says: 'See the people and companies you have saved to pay' },
  { scope: 'fdx:payments:write', short: 'Payments', says: 'Pay your saved payees from the accounts you choose', money: true },
];

/** Scopes that are no choice of their own: to know whose consent it is, and to stay connected. */
export const PLAIN_SCOPES = ['openid', 'offline_access'];

export const SCOPES = [...PLAIN_SCOPES, ...PERMISSIONS.map(({ scope }) => scope)];
