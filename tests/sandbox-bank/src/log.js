/** One line for each request on standard error.  Nothing that came from outside is repeated, save method and known paths. */

/** @param {string} route the name of the route, never the address asked for: that may carry a code */
export function logRequest({ method, route, status, started }) {
  const line = { at: new Date().toISOString(), method: /^[A-Z]{1,10}$/.test(method) ? method : '?', route, status, ms: Math.round(performance.now() - started) };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}

/** Logs where it broke; the message could quote what was sent, so only its kind is kept. */
export function logProblem(err) {
  const where = String(err?.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)).slice(0, 8).map((line) => line.trim());
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), problem: err?.name, code: err?.code, where })}\n`);
}
