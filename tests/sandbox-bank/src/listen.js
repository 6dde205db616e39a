/** Which port the bank answers on: the same one for as long as its data folder lives. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:http';

/** Another program holds the port that this bank needs. */
export class PortTaken extends Error {}

const HOST = '127.0.0.1';
// Below the range that systems lend to outgoing connections, so that a remembered port is still free tomorrow.
const [LOWEST, HIGHEST] = [17000, 29999];

/**
 * @param {import('node:http').Server} server
 * @param {{ remembered?: number, asked?: number }} ports
 * @returns {Promise<number>} the port the server listens on
 */
export async function listen(server, { remembered, asked }) {
  if (remembered && asked && asked !== remembered) {
    // A second bank on the same folder would damage its books: the first one still holds the remembered port.
    const probe = createServer();
    await bind(probe, remembered);
    await new Promise((resolve) => { probe.close(resolve); });
  }
  if (asked ?? remembered) return bind(server, asked ?? remembered);
  for (let tries = 0; tries < 50; tries += 1) {
    try {
      return await bind(server, randomInt(LOWEST, HIGHEST + 1));
    } catch (err) {
      if (!(err instanceof PortTaken)) throw err;
    }
  }
  return bind(server, 0);
}

function bind(server, port) {
  return new Promise((resolve, reject) => {
    const refuse = (err) => reject(err.code === 'EADDRINUSE' || err.code === 'EACCES'
      ? new PortTaken(`port ${port} on ${HOST} is taken. This bank has to keep its port, because grants name it: `
        + 'end the program that uses it (perhaps this bank is running already), or give another one with --port.')
      : err);
    server.once('error', refuse);
    server.listen({ host: HOST, port, exclusive: true }, () => {
      server.off('error', refuse);
      resolve(server.address().port);
    });
  });
}
