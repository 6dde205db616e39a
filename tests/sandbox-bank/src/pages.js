/** What the customer sees.  No scripts, one style sheet, nothing from anywhere else. */
import { brandStyle, icon } from './brand.js';
import { CONSENT_S } from './consents.js';
import { CUSTOMERS } from './customers.js';
import { html } from './html.js';
import { PERMISSIONS } from './permissions.js';

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric' });
const minute = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit' });
const atMinute = (seconds) => minute.format(new Date(seconds * 1000));
const onDay = (seconds) => day.format(new Date(seconds * 1000));

export function makePages(bank) {
  const layout = (title, body, customer) => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} – ${bank.name}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/bank.css">
</head>
<body>
<header class="top"><div class="bar">
<span class="mark" aria-hidden="true">${bank.monogram}</span><span class="bank">${bank.name}</span>
${customer && html`<span class="who">${customer.name}</span>`}
</div></header>
<main>${body}</main>
<footer><p>${bank.name} is a demonstration. The money and the people are made up.</p></footer>
</body>
</html>
`.text;

  return {
    brandStyle: brandStyle(bank.colour),
    icon: icon(bank),

    /** Sends a page under a policy that lets its forms end only here or where the app waits. */
    send(res, status, page, { returnsTo } = {}) {
      res.writeHead(status, {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'content-security-policy': `default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'${formTarget(returnsTo)}`,
        'cross-origin-opener-policy': 'same-origin',
        'referrer-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      });
      res.end(page);
    },

    redirect(res, to) {
      res.writeHead(303, { location: to, 'cache-control': 'no-store' });
      res.end();
    },

    problem([title, text], code) {
      return layout(title, html`<section class="card"><h1>${title}</h1><p>${text}</p>
${code && html`<p class="quiet">Code for our help desk: <code>${code}</code></p>`}</section>`);
    },

    signIn({ action, forApp, login, wrong }) {
      return layout('Sign in', html`<section class="card narrow">
${forApp && html`<p class="asker"><strong>Countersign</strong> asks for access on behalf of an agent. Sign in to see what it asks for.</p>`}
<h1>Sign in</h1>
${wrong && html`<p class="alert" role="alert" id="wrong">That customer number and password do not go together. Please try again.</p>`}
<form method="post" action="${action}/sign-in">
<label for="login">Customer number</label>
<input id="login" name="login" value="${login ?? ''}" autocomplete="username" autocapitalize="none" spellcheck="false" required ${wrong ? html`aria-describedby="wrong"` : html`autofocus`}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required ${wrong && html`autofocus aria-invalid="true" aria-describedby="wrong"`}>
<div class="actions"><button id="sign-in" class="primary" type="submit">Sign in</button></div>
</form>
${forApp && html`<form method="post" action="${action}/decline"><button id="cancel" class="plain" type="submit">Cancel and return to the app</button></form>`}
<p class="quiet hint">Sandbox: sign in as ${CUSTOMERS.map(({ login: l }, i) => html`${i > 0 && (i === CUSTOMERS.length - 1 ? ' or ' : ', ')}<code>${l}</code>`)}, password <code>sandbox</code>.</p>
</section>`);
    },

    /** The first button only shows the page again: it is the one that Enter in a checkbox presses, and that must allow nothing. */
    consent({ action, customer, accounts, permissions, problem, accountsChosen = [], scopesChosen }) {
      const until = onDay(Date.now() / 1000 + CONSENT_S);
      return layout('Share with Countersign', html`<section class="card">
<p class="asker"><strong>Countersign</strong> asks for access on behalf of an agent.</p>
<h1>Choose what to share</h1>
<p class="signed-in">You are signed in as <strong>${customer.name}</strong>.</p>
<form method="post" action="${action}/switch"><button id="switch" class="plain" type="submit">Not you? Sign in as someone else</button></form>
${problem && html`<p class="alert" role="alert">${problem === 'accounts' ? 'Choose at least one account, or decline.' : 'Choose at least one permission, or decline.'}</p>`}
<form method="post" action="${action}/consent">
<button class="inert" type="submit" name="stay" value="yes" aria-hidden="true" tabindex="-1"></button>
<fieldset><legend>Which accounts?</legend>
${accounts.map((account) => html`<label class="row"><input type="checkbox" name="account" value="${account.id}" ${(accountsChosen.includes(account.id)) && html`checked`}>
<span class="what"><span class="title">${account.nickname}</span><span class="detail">${account.typeName} · ${account.currency}</span></span><span class="number">${account.display}</span></label>`)}
</fieldset>
<fieldset><legend>What may it do?</legend>
${permissions.map(({ scope, short, says, money }) => html`<label class="row ${money && 'money'}"><input type="checkbox" name="scope" value="${scope}" ${(scopesChosen ?? [scope]).includes(scope) && html`checked`}>
<span class="what"><span class="title">${short}${money && html` <span class="tag">Moves money</span>`}</span><span class="detail">${says}</span></span></label>`)}
</fieldset>
<ul class="terms">
<li>Countersign also learns your name, to show whose accounts these are.</li>
<li>Access ends on <strong>${until}</strong>. You can withdraw it before then under Connected apps.</li>
<li>Your password is not shared.</li>
</ul>
<div class="actions"><button id="allow" class="primary" type="submit">Allow</button>
<button id="decline" class="secondary" type="submit" formaction="${action}/decline" formnovalidate>Decline</button></div>
</form>
</section>`, customer);
    },

    connectedApps({ action, customer, accounts, consents, withdrawn }) {
      const named = new Map(accounts.map((account) => [account.id, account]));
      return layout('Connected apps', html`<section class="card">
<div class="heading"><h1>Connected apps</h1><form method="post" action="${action}/sign-out"><button id="sign-out" class="plain" type="submit">Sign out</button></form></div>
<p>Apps that may use your accounts. Each stands alone: to withdraw one leaves the others as they are.</p>
${withdrawn && html`<p class="done" role="status">Access was withdrawn. It ended at once.</p>`}
${consents.length === 0 && html`<p class="empty">No app has access to your accounts.</p>`}
${consents.map((consent) => html`<article class="consent" data-consent="${consent.id}">
<h2>Countersign</h2>
<dl><dt>Since</dt><dd>${atMinute(consent.since)}</dd><dt>Until</dt><dd>${onDay(consent.until)}</dd>
<dt>Last used</dt><dd>${consent.usedAt ? atMinute(consent.usedAt) : 'Not yet'}</dd>
<dt>Accounts</dt><dd>${consent.accounts.map((id) => html`<span class="line">${named.get(id)?.nickname} <span class="number">${named.get(id)?.display}</span></span>`)}</dd>
<dt>Permissions</dt><dd>${PERMISSIONS.filter(({ scope }) => consent.scopes.includes(scope)).map(({ short, money }) => html`<span class="line">${short}${money && html` <span class="tag">Moves money</span>`}</span>`)}</dd></dl>
<form method="post" action="${action}/withdraw"><input type="hidden" name="consent" value="${consent.id}">
<button class="secondary withdraw" type="submit" aria-label="Withdraw access given to Countersign on ${atMinute(consent.since)}">Withdraw access</button></form>
</article>`)}
</section>`, customer);
    },
  };
}

/**
 * Browsers hold form-action against the redirects that follow a form (Chromium does), so the app's own loopback
 * address has to be in it.  A policy cannot name an IPv6 address; there the scheme alone has to do.
 */
function formTarget(origin) {
  if (!origin) return '';
  return origin.startsWith('http://127.0.0.1:') ? ` ${origin}` : ' http:';
}
