/**
 * The Sandbox Bank: one process, one address on 127.0.0.1, one data folder.
 *
 * Standard output carries exactly one line, when the bank is open; everything else goes to standard error.
 */
import { Console } from 'node:console';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';

import { makeApi } from './api.js';
import { writeCatalogue } from './catalogue.js';
import { makeConnectedApps } from './connected-apps.js';
import { makeInteractions } from './interactions.js';
import { openKeys } from './keys.js';
import { makeLedger } from './ledger.js';
import { listen, PortTaken } from './listen.js';
import { makePages } from './pages.js';
import { makeProvider } from './provider.js';
import { makeRouter } from './router.js';
import { openSettings, parseArguments, UsageProblem } from './settings.js';
import { makeSignIn } from './sign-in.js';
import { Store } from './store.js';

// Libraries say their notices with console.info, which would end up on standard output.
globalThis.console = new Console(process.stderr, process.stderr);

const GRACE_MS = 2000;

async function main() {
  const asked = parseArguments(process.argv.slice(2));
  await mkdir(asked.data, { recursive: true, mode: 0o700 });
  const settings = await openSettings(asked);

  let open;
  const opened = new Promise((resolve) => { open = resolve; });
  const server = createServer(async (req, res) => (await opened)(req, res));
  settings.port = await listen(server, settings);
  await settings.save();

  const store = await Store.open(path.join(asked.data, 'state.jsonl'));
  endOnSignal(server, store);

  const issuer = `http://127.0.0.1:${settings.port}`;
  const bank = { ...settings, issuer };
  const keys = await openKeys(path.join(asked.data, 'keys.json'));
  const pages = makePages(bank);
  const ledger = makeLedger(store, settings.opened);
  const provider = makeProvider({ bank, keys, pages, store });
  const signIn = makeSignIn(provider);
  open(makeRouter({
    bank,
    pages,
    provider,
    api: makeApi({ ledger, provider, store }),
    interactions: makeInteractions({ ledger, pages, provider, signIn, store }),
    connectedApps: makeConnectedApps({ ledger, pages, provider, signIn, store }),
  }));

  const catalogue = await writeCatalogue(asked.data, bank);
  process.stdout.write(`${JSON.stringify({ ready: true, id: bank.id, issuer, catalogue })}\n`);
}

/** Ends the process promptly: no new connection, a moment for requests under way, then the state is on disk. */
function endOnSignal(server, store) {
  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    const closed = new Promise((resolve) => { server.close(resolve); });
    server.closeIdleConnections();
    const grace = setTimeout(() => server.closeAllConnections(), GRACE_MS);
    await closed;
    clearTimeout(grace);
    await store.close();
    process.exit(0);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

main().catch((err) => {
  const expected = err instanceof UsageProblem || err instanceof PortTaken;
  process.stderr.write(`sandbox-bank: ${expected ? err.message : err.stack}\n`);
  process.exit(err instanceof UsageProblem ? 2 : 1);
});
