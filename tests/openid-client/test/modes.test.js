/** Every mode of the list: openid-client does with it what the list says. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { verdict } from './journey.js';
import { modes, Provider } from './provider.js';

describe('openid-client and a hostile bank', { concurrency: 12 }, () => {
  for (const mode of modes()) {
    test(mode.name, { timeout: 60_000 }, async () => {
      const provider = await Provider.start(mode.name);
      const said = await verdict(mode, provider);
      await provider.stop();
      const { difference, other, ...expected } = mode.openid_client;
      assert.deepEqual(said, expected);
      assert.equal(provider.seen.other.join(' '), other ?? mode.expect.other ?? '', 'what reaches the other bank');
      const strange = provider.seen.bank.filter((at) => at.startsWith('/'));
      assert.deepEqual(strange, [], 'no redirect is followed');
    });
  }
});
