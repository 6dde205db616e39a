/** Reads what was sent, up to a size no honest request reaches. */

const LIMIT = 64 * 1024;

/** @returns {Promise<string | undefined>} undefined where it is too long */
export async function readBody(req) {
  const parts = [];
  let size = 0;
  for await (const part of req) {
    size += part.length;
    if (size > LIMIT) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

export async function readForm(req) {
  return new URLSearchParams(await readBody(req) ?? '');
}
