// A clawws-serve of a test's own: state directory, certificate and password made for this run, a port that
// it keeps when it is killed and started again.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.mjs';

const BINARY = join(process.env.CLAWWS_BIN, 'clawws-serve');
const USER = 'admin';

// `user:password` as ClawPanel's old hook can send it: a length divisible by 3, and no '/' in its base64.
function newPassword() {
  for (;;) {
    const password = randomBytes(12).toString('hex');
    if (!/[=/]/.test(btoa(`${USER}:${password}`))) return password;
  }
}

export class ClawwsServer {
  user = USER;
  password = newPassword();
  port = 0;
  #folder = mkdtempSync(join(tmpdir(), 'clawws-browser-'));
  #options;
  #child = null;
  #agent = new https.Agent({ keepAlive: true });
  #onExit = () => this.#child?.kill('SIGKILL');

  /**
   * @param {string[]} [options] of clawws-serve, beside those that every test needs
   * @param {{users?: 'file'|'none'}} [how] a .env file with one user; 'none' when the options say who may come
   */
  constructor(options = [], { users = 'file' } = {}) {
    this.#writeUsers();
    this.#options = users === 'file' ? ['--env-file', this.#file('env'), ...options] : options;
    process.on('exit', this.#onExit);
  }

  get origin() {
    return `https://127.0.0.1:${this.port}`;
  }
  get dashboard() {
    return this.origin + '/clawws/';
  }
  get webSocket() {
    return `wss://127.0.0.1:${this.port}/ws`;
  }
  get certificate() {
    return readFileSync(join(this.#folder, 'state/cert.pem'));
  }

  /** Until it answers; on the port that it had, if it had one. */
  async start() {
    const log = openSync(this.#file('log'), 'a');
    const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CLAWWS_')));
    this.#child = spawn(BINARY, ['--state-dir', this.#file('state'), '--listen', `127.0.0.1:${this.port}`,
      '--log-format', 'logfmt', ...this.#options], { stdio: ['ignore', 'ignore', log], env: environment });
    closeSync(log);
    const child = this.#child;
    const record = await eventually('clawws-serve listens', () => {
      if (child.exitCode !== null) return 'none, it ended';
      const found = JSON.parse(readFileSync(this.#file('state/server.json')));
      return found.pid === child.pid && found;
    });
    if (!record.port) throw new Error('clawws-serve ended: ' + this.log);
    this.port = record.port;
    await eventually('clawws-serve is ready', async () => (await this.request('/clawws/ready')).status === 200);
    return this;
  }

  /** Ends it; the log, the port and everything in the state directory stay for the next start. */
  async stop(signal = 'SIGKILL') {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
    this.#agent.destroy();
    this.#agent = new https.Agent({ keepAlive: true });
  }

  async dispose() {
    await this.stop();
    process.off('exit', this.#onExit);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get log() {
    return readFileSync(this.#file('log'), 'utf8');
  }

  /** As somebody does who changes it in ClawPanel: the file is written anew and the server notices. */
  changePassword() {
    this.password = newPassword();
    this.#writeUsers();
  }

  get authorization() {
    return 'Basic ' + btoa(`${this.user}:${this.password}`);
  }

  /** @returns {Promise<{status: number, headers: object, text: string}>} of one request, with credentials unless `headers` has its own */
  request(path, { method = 'GET', headers = {}, body, localAddress } = {}) {
    return new Promise((resolve, reject) => {
      const request = https.request(this.origin + path, {
        method, localAddress, ca: this.certificate, agent: this.#agent, headers: { Authorization: this.authorization, ...headers },
      }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() }));
        response.on('error', reject);
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  /** Publishes and returns the receipt; anything else than 201 is an error. */
  async publish(...events) {
    const answer = await this.request('/clawws/events',
      { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(events) });
    if (answer.status !== 201) throw new Error(`publishing: ${answer.status} ${answer.text}`);
    return JSON.parse(answer.text);
  }

  async state() {
    return JSON.parse((await this.request('/clawws/state')).text);
  }

  /** How many requests and logins it has refused since it was started. */
  async refusals() {
    const before = this.log.length;
    this.#child.kill('SIGUSR1');
    const [, count] = await eventually('the summary is logged', () => /msg="?summary"?.*\brefused=([0-9]+)/.exec(this.log.slice(before)));
    return Number(count);
  }

  #file(name) {
    return join(this.#folder, name);
  }
  #writeUsers() {
    writeFileSync(this.#file('env'), `DASHBOARD_USERNAME=${this.user}\nDASHBOARD_PASSWORD=${this.password}\n`, { mode: 0o600 });
  }
}
