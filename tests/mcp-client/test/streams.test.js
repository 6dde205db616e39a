/** What passes through the streams, and that the process ends with them (attacks.md 99). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Broker, GRANT } from './broker.js';
import { Bare } from './server.js';

const LIMIT = { timeout: 30_000 };
const CALL = { name: 'call_bank', arguments: { connection: GRANT.id, operation: 'list_accounts', purpose: 'Look' } };

async function playing(play, more) {
  const broker = await Broker.start();
  const server = new Bare(broker, more);
  try {
    await play(server, broker);
  } finally {
    server.child.kill('SIGKILL');
    await server.gone;
    await broker.stop();
  }
}

describe('the streams', () => {
  test('carry the protocol alone, however much is to be logged', LIMIT, () => playing(async (server) => {
    await server.hello();
    server.say('this is no JSON');
    server.say('{"jsonrpc":"2.0","id":1,"method":"tools/list"');
    server.say({ id: 2, method: 'no/such/method' });
    server.say({ id: 3, method: 'tools/call', params: CALL });
    server.say(`{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"${'x'.repeat(300_000)}"}}`);
    server.say({ id: 5, method: 'tools/call', params: { name: 'list_connections', arguments: {} } });
    const answered = await Promise.all([server.answer(3), server.answer(5)]);
    assert.ok(answered.every((answer) => !answer.result.isError));
    server.child.stdin.end();
    assert.equal(await server.gone, 0);
    for (const line of server.lines) assert.equal(JSON.parse(line).jsonrpc, '2.0');
    assert.ok(!server.lines.some((line) => JSON.parse(line).id === 4), 'what is too long is dropped');
    assert.equal(server.errors, '');
  }, { RUST_LOG: 'trace', COUNTERSIGN_LOG: 'trace', RUST_BACKTRACE: '1' }));

  test('end the process when the input ends', LIMIT, () => playing(async (server) => {
    await server.hello();
    server.child.stdin.end();
    assert.equal(await server.gone, 0);
  }));

  test('end it before anything was said, too', LIMIT, () => playing(async (server) => {
    server.child.stdin.end();
    assert.equal(await server.gone, 0);
  }));

  test('end what waits for the person when the input ends', LIMIT, () => playing(async (server, broker) => {
    broker.token = () => undefined;
    await server.hello();
    server.say({ id: 1, method: 'tools/call', params: CALL });
    await broker.until(() => broker.heard.some((heard) => heard.task));
    const begin = Date.now();
    server.child.stdin.end();
    assert.equal(await server.gone, 0);
    await broker.until(() => broker.left === 1);
    assert.ok(Date.now() - begin < 3_000, 'at once');
  }));

  test('end the process when nobody reads any more', LIMIT, () => playing(async (server) => {
    await server.hello();
    server.child.stdout.destroy();
    server.say({ id: 1, method: 'tools/list' });
    server.child.stdin.end();
    assert.equal(typeof await server.gone, 'number');
  }));
});
