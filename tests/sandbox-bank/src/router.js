/** Who answers which path.  What is not the bank's own is the authorization server's. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { logProblem, logRequest } from './log.js';
import { PATHS } from './provider.js';

const STYLE = readFileSync(path.join(import.meta.dirname, 'assets/style.css'), 'utf8');

export function makeRouter({ api, bank, connectedApps, interactions, pages, provider }) {
  const authorizationServer = provider.callback();
  const host = new URL(bank.issuer).host;
  const assets = {
    '/assets/bank.css': ['text/css; charset=utf-8', pages.brandStyle + STYLE],
    '/assets/icon.svg': ['image/svg+xml', pages.icon],
  };

  async function answer(req, res, pathname) {
    if (req.headers.host !== host) {   // another name for this address: a page elsewhere that was pointed at it
      return pages.send(res, 421, pages.problem(['This is not our address', `The bank is at ${bank.issuer}.`]));
    }
    if (pathname.startsWith('/fdx/v6/')) return api(req, res);
    if (req.method === 'POST' && isPage(pathname) && fromElsewhere(req, bank.issuer)) {
      return pages.send(res, 403, pages.problem(['This did not come from our page', 'Nothing was changed.']));
    }
    if (assets[pathname] && req.method === 'GET') return sendAsset(res, assets[pathname]);
    if (pathname === '/' && req.method === 'GET') return pages.redirect(res, '/connected-apps');
    if (pathname.startsWith('/connected-apps')) return connectedApps(req, res, pathname);
    if (pathname.startsWith('/interaction/')) return interactions(req, res, pathname);
    if (routeName(pathname) === '(unknown)') {
      return pages.send(res, 404, pages.problem(['There is no such page', 'Check the address, or start again from the app.']));
    }
    return authorizationServer(req, res);
  }

  return async (req, res) => {
    const started = performance.now();
    const pathname = req.url.split('?', 1)[0];
    res.on('close', () => logRequest({ method: req.method, route: routeName(pathname), status: res.statusCode, started }));
    try {
      await answer(req, res, pathname);
    } catch (err) {
      logProblem(err);
      if (res.headersSent) res.destroy();
      else pages.send(res, 500, pages.problem(['Something went wrong on our side', 'Nothing was shared. Please try again in a moment.']));
    }
  };
}

const isPage = (pathname) => pathname.startsWith('/interaction/') || pathname.startsWith('/connected-apps');

/** A form on another page: browsers name the page it came from.  Programs without a browser name none. */
function fromElsewhere(req, issuer) {
  const { origin, 'sec-fetch-site': site } = req.headers;
  return (origin !== undefined && origin !== issuer) || (site !== undefined && site !== 'same-origin');
}

function sendAsset(res, [type, body]) {
  res.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' });
  res.end(body);
}

const ROUTES = [
  ...Object.values(PATHS).map((known) => [new RegExp(`^${known}$`), known]),
  [/^\/authorize\/[^/]+$/, '/authorize/{resume}'],
  [/^\/\.well-known\/openid-configuration$/, '/.well-known/openid-configuration'],
  [/^\/assets\/(bank\.css|icon\.svg)$/, '/assets'],
  [/^\/$/, '/'],
  [/^\/connected-apps(\/sign-in|\/sign-out|\/withdraw)?$/, '/connected-apps'],
  [/^\/interaction\/[^/]+(\/sign-in|\/switch|\/consent|\/decline)?$/, '/interaction'],
  [/^\/fdx\/v6\/accounts$/, '/fdx/v6/accounts'],
  [/^\/fdx\/v6\/accounts\/[^/]+$/, '/fdx/v6/accounts/{account}'],
  [/^\/fdx\/v6\/accounts\/[^/]+\/transactions$/, '/fdx/v6/accounts/{account}/transactions'],
  [/^\/fdx\/v6\/(customers\/current|payees|payments)$/, '/fdx/v6'],
];

function routeName(pathname) {
  return ROUTES.find(([pattern]) => pattern.test(pathname))?.[1] ?? '(unknown)';
}
