/** countersign-mcp as a process: with the protocol's own client, or by its bare streams. */
import { spawn } from 'node:child_process';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const program = process.env.COUNTERSIGN_MCP ?? fileURLToPath(new URL('../../../target/debug/countersign-mcp', import.meta.url));

function environment(broker, more) {
  return { HOME: broker.home, COUNTERSIGN_HOME: broker.home, COUNTERSIGN_AGENT_KEY_FILE: broker.keyFile, ...more };
}

/** A client that has said hello. */
export async function connected(broker, more = {}) {
  const transport = new StdioClientTransport({ command: program, args: [], env: environment(broker, more), stderr: 'inherit' });
  const client = new Client({ name: 'tests', version: '0' });
  await client.connect(transport);
  return client;
}

/** The bare process: lines in, lines out. */
export class Bare {
  lines = [];
  errors = '';
  #waiting = [];

  constructor(broker, more = {}) {
    this.child = spawn(program, [], { env: environment(broker, more), stdio: ['pipe', 'pipe', 'pipe'] });
    readline.createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.lines.push(line);
      this.#waiting.splice(0).forEach((resolve) => resolve());
    });
    this.child.stderr.on('data', (data) => { this.errors += data; });
    this.gone = new Promise((resolve, reject) => {
      this.child.once('close', (code, signal) => resolve(signal ?? code));
      this.child.once('error', reject);
    });
  }

  say(message) {
    this.child.stdin.write(`${typeof message === 'string' ? message : JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  async hello() {
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bare', version: '0' } };
    this.say({ id: 0, method: 'initialize', params });
    await this.answer(0);
    this.say({ method: 'notifications/initialized' });
  }

  async answer(id) {
    for (;;) {
      const line = this.lines.find((line) => JSON.parse(line).id === id);
      if (line) return JSON.parse(line);
      await new Promise((resolve) => this.#waiting.push(resolve));
    }
  }
}
