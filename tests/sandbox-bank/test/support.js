/** Drives the real bank from outside: a process, a browser with cookies and without scripts, and an app. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

const MAIN = path.join(import.meta.dirname, '../src/main.js');
export const READS = ['fdx:accountbasic:read', 'fdx:accountdetailed:read', 'fdx:transactions:read', 'fdx:customercontact:read', 'fdx:payees:read'];
export const ALL = [...READS, 'fdx:payments:write'];

/** The bank as a child process, with a data folder of its own that outlives restarts. */
export class Bank {
  static async start(...args) {
    const bank = new Bank();
    bank.data = await mkdtemp(path.join(os.tmpdir(), 'sandbox-bank-'));
    bank.args = args;
    bank.log = '';
    try {
      await bank.open();
    } catch (err) {
      await rm(bank.data, { recursive: true, force: true });
      throw err;
    }
    return bank;
  }

  async open() {
    this.child = spawn(process.execPath, [MAIN, '--data', this.data, ...this.args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.stdout = '';
    this.ended = new Promise((resolve) => { this.child.on('exit', (code, signal) => resolve({ code, signal })); });
    this.child.stderr.on('data', (part) => { this.log += part; });
    const ready = new Promise((resolve) => {
      this.child.stdout.on('data', (part) => {
        this.stdout += part;
        if (this.stdout.includes('\n')) resolve();
      });
    });
    const early = await Promise.race([ready, this.ended]);
    if (early) throw Object.assign(new Error(`the bank ended: ${this.log}`), early);
    Object.assign(this, JSON.parse(this.stdout));
  }

  async stop(signal = 'SIGTERM') {
    this.child.kill(signal);
    return this.ended;
  }

  async remove() {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.stop();
    await rm(this.data, { recursive: true, force: true });
  }
}

/** A browser that follows redirects inside the bank and stops at the app's callback. */
export class Browser {
  constructor(bank) {
    this.bank = bank;
    this.cookies = new Map();
  }

  async go(url, { method = 'GET', form, headers = {} } = {}) {
    const at = new URL(url, this.url ?? this.bank.issuer);
    if (at.origin !== this.bank.issuer) {
      return { callback: at, params: Object.fromEntries(at.searchParams) };
    }
    const cookie = [...this.cookies.values()].filter(({ scope }) => at.pathname.startsWith(scope)).map(({ pair }) => pair).join('; ');
    const res = await fetch(at, {
      method,
      redirect: 'manual',
      headers: { ...(cookie && { cookie }), ...(form && { origin: this.bank.issuer, 'sec-fetch-site': 'same-origin' }), ...headers },
      body: form && new URLSearchParams(form),
    });
    for (const line of res.headers.getSetCookie()) this.#keep(line);
    this.url = at.href;
    if (res.status >= 300 && res.status < 400) return this.go(res.headers.get('location'));
    return { status: res.status, headers: res.headers, text: await res.text(), url: at };
  }

  #keep(line) {
    const [pair, ...attributes] = line.split(/;\s*/);
    const name = pair.slice(0, pair.indexOf('='));
    const scope = attributes.find((each) => /^path=/i.test(each))?.slice(5) ?? '/';
    if (pair.endsWith('=') || /expires=Thu, 01 Jan 1970/i.test(line)) this.cookies.delete(`${name} ${scope}`);
    else this.cookies.set(`${name} ${scope}`, { pair, scope });
  }

  submit(page, action, form) {
    return this.go(`${page.url.pathname.replace(/\/(sign-in|consent)$/, '')}/${action}`, { method: 'POST', form });
  }

  signIn(page, login = 'ada', password = 'sandbox') {
    return this.submit(page, 'sign-in', { login, password });
  }
}

export const accountsOn = (page) => [...page.text.matchAll(/name="account" value="([^"]+)"/g)].map(([, id]) => id);
export const scopesOn = (page) => [...page.text.matchAll(/name="scope" value="([^"]+)"/g)].map(([, scope]) => scope);

/** An app that does what RFC 8252 says, by hand. */
export class App {
  constructor(bank, port = 49152) {
    this.bank = bank;
    this.redirect = `http://127.0.0.1:${port}/callback/${bank.id}`;
  }

  request(scopes = ALL, changes = {}) {
    this.verifier = randomBytes(32).toString('base64url');
    this.state = randomBytes(16).toString('base64url');
    this.nonce = randomBytes(16).toString('base64url');
    return {
      client_id: 'countersign',
      response_type: 'code',
      redirect_uri: this.redirect,
      scope: ['openid', 'offline_access', ...scopes].join(' '),
      prompt: 'consent',
      state: this.state,
      nonce: this.nonce,
      code_challenge: createHash('sha256').update(this.verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...changes,
    };
  }

  async push(params) {
    return this.post('/par', params);
  }

  async post(where, params) {
    const res = await fetch(this.bank.issuer + where, { method: 'POST', body: new URLSearchParams(params) });
    const text = await res.text();
    return { status: res.status, body: text && JSON.parse(text) };
  }

  link(params) {
    return `${this.bank.issuer}/authorize?${new URLSearchParams(params)}`;
  }

  async pushedLink(scopes) {
    const { body } = await this.push(this.request(scopes));
    return this.link({ client_id: 'countersign', request_uri: body.request_uri });
  }

  exchange(params) {
    return this.post('/token', {
      grant_type: 'authorization_code', client_id: 'countersign', code: params.code, redirect_uri: this.redirect, code_verifier: this.verifier,
    });
  }

  refresh(token, changes = {}) {
    return this.post('/token', { grant_type: 'refresh_token', client_id: 'countersign', refresh_token: token, ...changes });
  }

  revoke(token) {
    return this.post('/revoke', { client_id: 'countersign', token });
  }
}

/** Walks the whole way and comes back with the tokens. */
export async function connect(bank, { browser = new Browser(bank), login = 'ada', scopes = ALL, keep = scopes, pick = (ids) => ids } = {}) {
  const app = new App(bank);
  let page = await browser.go(await app.pushedLink(scopes));
  if (page.text.includes('id="sign-in"')) page = await browser.signIn(page, login);
  const accounts = pick(accountsOn(page));
  const { params } = await browser.submit(page, 'consent', [...accounts.map((id) => ['account', id]), ...keep.map((scope) => ['scope', scope])]);
  const { body: tokens } = await app.exchange(params);
  return { app, browser, page, params, tokens, accounts };
}

/** Calls the API. */
export async function call(bank, token, where, { method = 'GET', body, headers = {} } = {}) {
  const res = await fetch(`${bank.issuer}/fdx/v6${where}`, {
    method,
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body && { 'content-type': 'application/json' }), ...headers },
    body: body && JSON.stringify(body),
  });
  return { status: res.status, headers: res.headers, challenge: res.headers.get('www-authenticate'), body: await res.json() };
}
