/** The provider of the tests as a process of its own: `hostile-provider`, which plays one mode of the list. */
import { execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import readline from 'node:readline';

const program = process.env.COUNTERSIGN_HOSTILE_PROVIDER
  ?? fileURLToPath(new URL('../../../target/debug/hostile-provider', import.meta.url));

/** Every mode, as the list has it. */
export function modes() {
  return execFileSync(program, ['list'], { encoding: 'utf8' }).trimEnd().split('\n').map((line) => JSON.parse(line));
}

/** One provider and the other bank beside it. */
export class Provider {
  /** Endpoints in the order in which they were asked. */
  seen = { bank: [], other: [] };

  static async start(mode) {
    const provider = new Provider();
    provider.child = spawn(program, ['serve', mode], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = readline.createInterface({ input: provider.child.stdout });
    await new Promise((resolve, reject) => {
      provider.child.once('exit', () => reject(new Error(`hostile-provider ended in mode ${mode}`)));
      lines.on('line', (line) => {
        const said = JSON.parse(line);
        if (said.issuer) {
          provider.issuer = said.issuer;
          provider.other = said.other;
          resolve();
        } else {
          provider.seen[said.seen_by].push(said.at);
        }
      });
    });
    return provider;
  }

  /** Ends it, once everything it saw has been told. */
  async stop() {
    const gone = new Promise((resolve) => this.child.once('close', resolve));
    this.child.stdin.end();
    await gone;
  }
}
