/** The bank's customers: made-up people with made-up accounts, habits and payees. */
import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * @typedef {{ key: string, id: string, type: 'CHECKING' | 'SAVINGS' | 'CREDITCARD', typeName: string, productName: string,
 *   nickname: string, display: string, currency: string, start: number, creditLine?: number }} Account  `start` in minor units
 * @typedef {{ id: string, name: string, kind: 'PERSON' | 'MERCHANT', display: string }} Payee
 * @typedef {{ id: string, login: string, name: string, first: string, last: string, email: string, phone: string,
 *   address: object, accounts: Account[], payees: Payee[], habits: import('./habits.js').Habit[] }} Customer
 */

const PASSWORD = createHash('sha256').update('sandbox').digest();

const CHECKING = { type: 'CHECKING', typeName: 'Checking account' };
const SAVINGS = { type: 'SAVINGS', typeName: 'Savings account' };
const CARD = { type: 'CREDITCARD', typeName: 'Credit card' };

/** @type {Customer[]} */
export const CUSTOMERS = [
  customer({
    login: 'ada', first: 'Ada', last: 'Quist', email: 'ada.quist@mail.example', phone: '5035550142',
    address: { line1: '1187 Alder Street', line2: 'Apartment 4', city: 'Portland', region: 'OR', postalCode: '97205', country: 'US' },
    accounts: [
      { ...CHECKING, key: 'everyday', productName: 'Everyday Checking', nickname: 'Everyday', last: '4821', currency: 'USD', start: 214_037 },
      { ...SAVINGS, key: 'savings', productName: 'High-Yield Savings', nickname: 'Rainy day', last: '9034', currency: 'USD', start: 650_000 },
      { ...CARD, key: 'card', productName: 'Rewards Card', nickname: 'Rewards card', last: '1176', currency: 'USD', start: -41_260, creditLine: 800_000 },
    ],
    payees: [
      ['Alder Street Apartments', 'MERCHANT', '7710'], ['Nils Quist', 'PERSON', '0358'],
      ['Willamette Power', 'MERCHANT', '2204'], ['Mulberry Day Care', 'MERCHANT', '6189'],
    ],
    habits: [
      ['fortnightly', 'everyday', 'Harrow & Pine Studio', 'PAYROLL HARROW & PINE STUDIO', 'Salary', [241_850, 241_850]],
      ['monthly', 'everyday', 1, 'Alder Street Apartments', 'ALDER STREET APTS RENT', 'Housing', [-168_500, -168_500]],
      ['monthly', 'everyday', 6, 'Willamette Power', 'WILLAMETTE POWER AUTOPAY', 'Utilities', [-13_900, -6_200]],
      ['monthly', 'everyday', 9, 'Cobalt Fiber', 'COBALT FIBER INTERNET', 'Utilities', [-6_500, -6_500]],
      ['monthly', 'card', 12, 'Lantern Films', 'LANTERN FILMS SUBSCRIPTION', 'Entertainment', [-1_499, -1_499]],
      ['monthly', 'everyday', 15, 'Nils Quist', 'TRANSFER TO NILS QUIST', 'Transfers', [-12_000, -12_000]],
      ['often', 0.34, 'card', ['Green Acre Market', 'Halsey Grocers', 'The Corner Pantry'], 'Groceries', [-11_400, -1_450]],
      ['often', 0.30, 'card', ['Rosemary Bakery', 'Blue Heron Coffee', 'Noodle House 21', 'Taqueria Sol'], 'Dining', [-4_800, -420]],
      ['often', 0.16, 'everyday', ['TriCounty Transit', 'Bridge City Fuel'], 'Transport', [-5_200, -500]],
      ['often', 0.07, 'card', ['Papershop Online', 'Northwind Outdoor', 'Bramble Books'], 'Shopping', [-14_900, -1_200]],
      ['often', 0.012, 'card', ['Northwind Outdoor', 'Papershop Online'], 'Refund', [1_900, 9_800]],
      ['sweep', 26, 'everyday', 'savings', 150_000],
      ['interest', 'savings', 0.038],
      ['payCard', 20, 'everyday', 'card'],
    ],
  }),
  customer({
    login: 'bo', first: 'Bo', last: 'Lindqvist-Featherstonehaugh', email: 'bo.lf@mail.example', phone: '2065550177',
    address: { line1: '24 Larkspur Crescent', city: 'Seattle', region: 'WA', postalCode: '98109', country: 'US' },
    accounts: [
      { ...CHECKING, key: 'main', productName: 'Premier Checking', nickname: 'Main account', last: '3307', currency: 'USD', start: 530_112 },
      { ...CHECKING, key: 'house', productName: 'Everyday Checking', nickname: 'Household with Ingrid', last: '5518', currency: 'USD', start: 122_480 },
      { ...CHECKING, key: 'euro', productName: 'Euro Account', nickname: 'Euros for Stockholm and Lisbon', last: '8845', currency: 'EUR', start: 184_000 },
      { ...SAVINGS, key: 'savings', productName: 'High-Yield Savings', nickname: 'House deposit', last: '2290', currency: 'USD', start: 2_450_000 },
      { ...CARD, key: 'card', productName: 'Travel Card', nickname: 'Travel card', last: '6641', currency: 'USD', start: -96_415, creditLine: 1_500_000 },
    ],
    payees: [
      ['Ingrid Featherstonehaugh', 'PERSON', '1402'], ['Larkspur Homes', 'MERCHANT', '9917'],
      ['Puget Light & Water', 'MERCHANT', '4460'], ['Cascade Motor Insurance', 'MERCHANT', '3185'], ['Tomás Abreu', 'PERSON', '7026'],
    ],
    habits: [
      ['monthly', 'main', 25, 'Meridian Logistics', 'SALARY MERIDIAN LOGISTICS INC', 'Salary', [748_200, 748_200]],
      ['monthly', 'main', 27, 'Household with Ingrid', 'TRANSFER TO HOUSEHOLD 5518', 'Transfers', [-310_000, -310_000], 'house'],
      ['monthly', 'house', 1, 'Larkspur Homes', 'LARKSPUR HOMES RENT', 'Housing', [-214_000, -214_000]],
      ['monthly', 'house', 5, 'Puget Light & Water', 'PUGET LIGHT & WATER', 'Utilities', [-18_800, -9_100]],
      ['monthly', 'main', 11, 'Cascade Motor Insurance', 'CASCADE MOTOR INS PREMIUM', 'Insurance', [-13_725, -13_725]],
      ['monthly', 'euro', 3, 'Tomás Abreu', 'TOMÁS ABREU – RENT LISBON FLAT', 'Rent received', [42_000, 42_000]],
      ['monthly', 'euro', 14, 'Stockholms Fastighetsskötsel', 'AVGIFT LÄGENHET 1103', 'Housing', [-31_500, -31_500]],
      ['often', 0.36, 'house', ['Pike Street Grocer', 'Evergreen Co-op', 'Fishmonger Ballard'], 'Groceries', [-9_800, -1_200]],
      ['often', 0.33, 'card', ['Kettle & Crumb', 'Sound Coffee Works', 'Trattoria Lume', 'Izakaya Kiri'], 'Dining', [-8_900, -475]],
      ['often', 0.10, 'card', ['Cascade Air', 'Harbor Inn', 'Cab Collective'], 'Travel', [-38_000, -1_850]],
      ['often', 0.05, 'euro', ['Café da Praça', 'Pressbyrån', 'Comboios'], 'Travel', [-5_400, -350]],
      ['often', 0.014, 'card', ['Cascade Air', 'Harbor Inn'], 'Refund', [4_500, 31_000]],
      ['sweep', 28, 'main', 'savings', 320_000],
      ['interest', 'savings', 0.041],
      ['payCard', 20, 'main', 'card'],
    ],
  }),
  customer({
    login: 'mia', first: 'Mia', last: 'Ōtsuka', email: 'mia.otsuka@mail.example', phone: '4155550119',
    address: { line1: '902 Juniper Way', city: 'San Francisco', region: 'CA', postalCode: '94114', country: 'US' },
    accounts: [
      { ...CHECKING, key: 'student', productName: 'Student Checking', nickname: 'Student account', last: '7752', currency: 'USD', start: 63_290 },
      { ...SAVINGS, key: 'yen', productName: 'Foreign Currency Savings', nickname: 'Yen from home', last: '0463', currency: 'JPY', start: 380_000 },
    ],
    payees: [['Juniper House Co-op', 'MERCHANT', '5530'], ['Hana Ōtsuka', 'PERSON', '8812'], ['Bay Bicycle Repair', 'MERCHANT', '1947']],
    habits: [
      ['fortnightly', 'student', 'Golden Gate Library', 'PAYROLL GOLDEN GATE LIBRARY', 'Salary', [58_180, 63_650]],
      ['monthly', 'student', 2, 'Juniper House Co-op', 'JUNIPER HOUSE ROOM', 'Housing', [-74_000, -74_000]],
      ['monthly', 'student', 8, 'Pocket Mobile', 'POCKET MOBILE PREPAID', 'Utilities', [-2_500, -2_500]],
      ['monthly', 'yen', 10, 'Hana Ōtsuka', 'HANA OTSUKA 仕送り', 'Transfers', [30_000, 30_000]],
      ['often', 0.24, 'student', ['Mission Produce', 'Sunset Grocery'], 'Groceries', [-4_600, -600]],
      ['often', 0.22, 'student', ['Fog Lifter Coffee', 'Dumpling Corner', 'Campus Canteen'], 'Dining', [-2_100, -350]],
      ['often', 0.12, 'student', ['Bay Transit', 'Bay Bicycle Repair'], 'Transport', [-3_800, -275]],
      ['often', 0.03, 'yen', ['Kinokado Books', 'Washi Online'], 'Shopping', [-9_800, -900]],
      ['often', 0.008, 'student', ['Campus Store'], 'Refund', [900, 4_200]],
    ],
  }),
];

export function findCustomerById(id) {
  return CUSTOMERS.find((each) => each.id === id);
}

/** @returns {Customer | undefined} */
export function checkPassword(login, password) {
  const right = timingSafeEqual(createHash('sha256').update(password).digest(), PASSWORD);
  const found = CUSTOMERS.find((each) => each.login === login.toLowerCase());
  return right ? found : undefined;
}

function customer({ login, first, last, accounts, payees, ...rest }) {
  return {
    id: lasting('cust', login),
    login,
    first,
    last,
    name: `${first} ${last}`,
    accounts: accounts.map(({ last: digits, ...account }) => ({ ...account, id: lasting('acct', login, account.key), display: `••••${digits}` })),
    payees: payees.map(([name, kind, digits]) => ({ id: lasting('payee', login, name), name, kind, display: `••••${digits}` })),
    ...rest,
  };
}

/** An id that is the same at every start and tells nothing. */
function lasting(kind, ...parts) {
  return `${kind}_${createHash('sha256').update([kind, ...parts].join('/')).digest('hex').slice(0, 12)}`;
}
