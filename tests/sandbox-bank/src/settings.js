/** What the command line asks for, and what the data folder remembers from the first start. */
import path from 'node:path';
import { parseArgs } from 'node:util';

import { readJson, writeAtomically } from './files.js';

/** The command line is not one this bank understands. */
export class UsageProblem extends Error {}

const USAGE = 'usage: node src/main.js --data DIR [--id sandbox-bank] [--name "Sandbox Bank"] [--monogram SB] [--colour "#0b5d6b"] [--port N]';
const FIRST = { id: 'sandbox-bank', name: 'Sandbox Bank', monogram: 'SB', colour: '#0b5d6b' };
const RULES = {
  id: [/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, 'small letters, digits and hyphens'],
  name: [/^[^\p{Cc}]{1,60}$/u, '1 to 60 characters'],
  monogram: [/^[\p{L}\p{N}]{1,3}$/u, '1 to 3 letters'],
  colour: [/^#[0-9a-fA-F]{6}$/, 'like #0b5d6b'],
  port: [/^[1-9][0-9]{0,4}$/, 'a port number'],
};

/** @param {string[]} argv */
export function parseArguments(argv) {
  const option = { type: /** @type {const} */ ('string') };
  let values;
  try {
    ({ values } = parseArgs({
      args: argv,
      options: { data: option, id: option, name: option, monogram: option, colour: option, port: option },
    }));
  } catch (err) {
    throw new UsageProblem(`${err.message}\n${USAGE}`);
  }
  if (!values.data) throw new UsageProblem(`--data is missing\n${USAGE}`);
  for (const [key, [pattern, wanted]] of Object.entries(RULES)) {
    if (values[key] !== undefined && !pattern.test(values[key])) throw new UsageProblem(`--${key}: ${wanted}, please`);
  }
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port > 65535) throw new UsageProblem('--port: at most 65535');
  return { ...values, data: path.resolve(values.data), port };
}

/**
 * Reads DIR/bank.json and lays the command line over it.
 *
 * `opened` is the day the books begin, 18 months before the first start, so that history grows instead of sliding.
 */
export async function openSettings({ data, port, ...asked }) {
  const file = path.join(data, 'bank.json');
  const remembered = (await readJson(file)) ?? {};
  const settings = {
    ...FIRST,
    opened: firstDayOfBooks(new Date()),
    ...remembered,
    ...Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)),
    remembered: remembered.port,
    asked: port,
    port: /** @type {number | undefined} */ (undefined),
  };
  settings.save = async () => {
    const { id, name, monogram, colour, opened } = settings;
    await writeAtomically(file, `${JSON.stringify({ id, name, monogram, colour, port: settings.port, opened }, null, 2)}\n`);
  };
  return settings;
}

function firstDayOfBooks(now) {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 18, 1)).toISOString().slice(0, 10);
}
