/**
 * Everything the bank must not forget, in one file of JSON lines that is only ever appended to.
 *
 * A change counts once `settled()` resolves: its line is on disk.  Lines of one moment share one write.
 * At start the file is read, expired entries are left out, and the rest is written anew beside it and renamed over it,
 * so a line cut short by a crash is never followed by another.
 */
import { open, readFile } from 'node:fs/promises';

import { writeAtomically } from './files.js';

const PRUNE_EVERY_MS = 60_000;
const KEEP_EXPIRED_S = 60;
const COMPACT_AT_LEAST = 5000;

/** @typedef {{ kind: string, id: string, value: any, until?: number }} Entry  `until` in seconds since 1970 */

export class Store {
  /** @type {Map<string, Map<string, Entry>>} by kind, then by id */ #kinds = new Map();

  #size = 0;

  /** @type {Map<string, Set<Entry>>} the entries that belong to a grant */ #ofGrant = new Map();

  #file;

  #handle;

  #pending = '';

  #lines = 0;

  /** @type {Promise<void>} */ #writing = Promise.resolve();

  /** @type {Promise<void> | undefined} */ #next;

  #timer;

  constructor(file) {
    this.#file = file;
  }

  static async open(file) {
    const store = new Store(file);
    const text = await readFile(file, 'utf8').catch((err) => {
      if (err.code === 'ENOENT') return '';
      throw err;
    });
    for (const line of text.split('\n')) store.#replay(line);
    await store.#compact();
    store.#timer = setInterval(() => store.#prune(), PRUNE_EVERY_MS).unref();
    return store;
  }

  /** @returns {any} a copy of the value, or undefined */
  find(kind, id) {
    const entry = this.#kinds.get(kind)?.get(id);
    return entry && structuredClone(entry.value);
  }

  /** @returns {any[]} copies of all values of a kind, in the order they were made */
  all(kind) {
    return [...this.#kinds.get(kind)?.values() ?? []].map((entry) => structuredClone(entry.value));
  }

  /** Keeps a value; where it has a `grantId` it can later be dropped with its grant. */
  put(kind, id, value, until = undefined) {
    const entry = { kind, id, value: structuredClone(value), until };
    this.#apply(entry);
    this.#append(entry);
  }

  drop(kind, id) {
    if (this.#remove(kind, id)) this.#append({ kind, id });
  }

  /** Drops every entry of a kind that belongs to the grant. */
  dropOfGrant(kind, grantId) {
    for (const entry of [...this.#ofGrant.get(grantId) ?? []]) {
      if (entry.kind === kind) this.drop(kind, entry.id);
    }
  }

  /** @returns {Promise<void>} resolves when every change made so far is on disk */
  settled() {
    return this.#next ?? this.#writing;
  }

  async close() {
    clearInterval(this.#timer);
    await this.settled();
    await this.#handle?.close();
  }

  #replay(line) {
    if (!line) return;
    let entry;
    try {
      entry = JSON.parse(line);
    } catch {
      return;   // the last line of a process that was killed while writing it
    }
    if ('value' in entry) this.#apply(entry);
    else this.#remove(entry.kind, entry.id);
  }

  #apply(entry) {
    this.#remove(entry.kind, entry.id);
    if (!this.#kinds.has(entry.kind)) this.#kinds.set(entry.kind, new Map());
    this.#kinds.get(entry.kind).set(entry.id, entry);
    this.#size += 1;
    const { grantId } = entry.value;
    if (!grantId) return;
    if (!this.#ofGrant.has(grantId)) this.#ofGrant.set(grantId, new Set());
    this.#ofGrant.get(grantId).add(entry);
  }

  #remove(kind, id) {
    const entry = this.#kinds.get(kind)?.get(id);
    if (!entry) return false;
    this.#kinds.get(kind).delete(id);
    this.#size -= 1;
    const { grantId } = entry.value;
    this.#ofGrant.get(grantId)?.delete(entry);
    if (this.#ofGrant.get(grantId)?.size === 0) this.#ofGrant.delete(grantId);
    return true;
  }

  *#entries() {
    for (const kind of this.#kinds.values()) yield* kind.values();
  }

  #append(entry) {
    this.#pending += `${JSON.stringify(entry)}\n`;
    this.#lines += 1;
    this.#next ??= this.#writing.catch(() => {}).then(() => this.#write());
    this.#next.catch(() => {});   // those who wait for it hear of it
  }

  async #write() {
    const text = this.#pending;
    this.#pending = '';
    this.#writing = this.#next;
    this.#next = undefined;
    try {
      if (this.#lines > COMPACT_AT_LEAST && this.#lines > 4 * this.#size) {
        await this.#compact();
      } else {
        await this.#handle.appendFile(text);
        await this.#handle.datasync();
      }
    } catch (err) {
      this.#pending = `\n${text}${this.#pending}`;   // half of it may be there: the next write starts on a line of its own
      throw err;
    }
  }

  async #compact() {
    this.#prune();
    const text = [...this.#entries()].map((entry) => `${JSON.stringify(entry)}\n`).join('');
    this.#lines = this.#size;
    await writeAtomically(this.#file, text);
    await this.#handle?.close();
    this.#handle = await open(this.#file, 'a', 0o600);
  }

  #prune() {
    const before = Date.now() / 1000 - KEEP_EXPIRED_S;
    for (const { kind, id, until } of [...this.#entries()]) {
      if (until !== undefined && until < before) this.#remove(kind, id);
    }
  }
}
