/** Files that are either wholly the old ones or wholly the new ones. */
import { open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';

/** @returns {Promise<any>} what the JSON file holds; undefined where there is no such file */
export async function readJson(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (err) {
    if (err.code === 'ENOENT') return undefined;
    throw new Error(`${path.basename(file)} cannot be read: ${err.code ?? 'it is not JSON'}`);
  }
}

/** Writes beside the file, waits for the disk, then renames over it. */
export async function writeAtomically(file, text, mode = 0o600) {
  const beside = `${file}.new`;
  const handle = await open(beside, 'w', mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
  await syncFolder(path.dirname(file));
}

async function syncFolder(folder) {
  const handle = await open(folder, 'r').catch(() => undefined);   // Windows has no such thing
  await handle?.sync().catch(() => {});
  await handle?.close();
}
