/** Amounts: whole minor units inside, decimal numbers outside. */

const DECIMALS = { EUR: 2, JPY: 0, USD: 2 };

/** @returns {number} for JSON, in major units */
export function toMajor(minor, currency) {
  return Number((minor / 10 ** DECIMALS[currency]).toFixed(DECIMALS[currency]));
}

/** @returns {number | undefined} undefined for what is no positive amount of this currency, such as half a cent */
export function parseMajor(amount, currency) {
  if (typeof amount !== 'number' || !Number.isFinite(amount) || amount <= 0 || amount > 1e9) return undefined;
  const minor = Math.round(amount * 10 ** DECIMALS[currency]);
  return toMajor(minor, currency) === amount ? minor : undefined;
}
