// WebKit as Safari has it: WebKitGTK's MiniBrowser, driven by the W3C WebDriver protocol on a display of its own.
// Pictures are taken from the display, whose memory Xvfb keeps in a file: the driver's own command never ends.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.mjs';
import { Page } from './page.mjs';
import { pngOfXwd } from './png.mjs';

const SCREEN = { width: 1400, height: 1000 };

export async function openWebKit({ credentials, scheme }) {
  const browser = new WebKit(credentials);
  await browser.start(scheme);
  return browser;
}

class WebKit {
  name = 'webkit';
  #credentials;
  #folder = mkdtempSync(join(tmpdir(), 'clawws-webkit-'));
  #children = [];
  #session = '';
  /** The window that the session began with stays empty: it would end with its last one. */
  #first = '';

  constructor(credentials) {
    this.#credentials = credentials;
    process.on('exit', this.#onExit);
  }
  #onExit = () => this.#children.forEach((child) => child.kill('SIGKILL'));

  async start(scheme) {
    const display = await this.#startDisplay();
    const port = await freePort();
    this.#children.push(spawn('WebKitWebDriver', ['--host=127.0.0.1', `--port=${port}`], {
      stdio: 'ignore',
      env: {
        ...process.env, DISPLAY: display,
        HOME: this.#folder, XDG_RUNTIME_DIR: this.#folder, XDG_DATA_HOME: this.#folder, XDG_CACHE_HOME: this.#folder,
        GTK_THEME: scheme === 'dark' ? 'Adwaita:dark' : 'Adwaita', LANG: 'C.UTF-8',
        // There is neither a sandbox for root nor a graphics card here.
        WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1', WEBKIT_DISABLE_COMPOSITING_MODE: '1', NO_AT_BRIDGE: '1', GSETTINGS_BACKEND: 'memory',
      },
    }));
    const driver = `http://127.0.0.1:${port}`;
    await eventually('WebKitWebDriver answers', async () => (await fetch(driver + '/status')).ok);
    const browserOptions = { binary: miniBrowser(), args: ['--automation'] };
    const { sessionId } = await command('POST', driver + '/session',
      { capabilities: { alwaysMatch: { acceptInsecureCerts: true, 'webkitgtk:browserOptions': browserOptions } } });
    this.#session = `${driver}/session/${sessionId}`;
    this.#first = await command('GET', this.#session + '/window');
    await command('POST', this.#session + '/timeouts', { script: 120_000, pageLoad: 30_000 });
  }

  async #startDisplay() {
    const screen = `${SCREEN.width}x${SCREEN.height}x24`;
    const display = spawn('Xvfb', ['-displayfd', '1', '-screen', '0', screen, '-fbdir', this.#folder, '-nolisten', 'tcp'],
      { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#children.push(display);
    let said = '';
    display.stdout.on('data', (chunk) => (said += chunk));
    return ':' + (await eventually('Xvfb names its display', () => /^([0-9]+)\n/.exec(said)))[1];
  }

  async newPage({ width = 1280, height = 900 } = {}) {
    const { handle } = await inTurn(async () => {
      await command('POST', this.#session + '/window', { handle: this.#first });
      return command('POST', this.#session + '/window/new', { type: 'window' });
    });
    const page = new WebKitPage(this.#session, handle, this.#credentials, join(this.#folder, 'Xvfb_screen0'));
    await page.resize(width, height);
    return page;
  }

  async close() {
    if (this.#session) await command('DELETE', this.#session).catch((problem) => console.error('WebKit did not close:', problem.message));
    for (const child of this.#children.reverse()) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    }
    process.off('exit', this.#onExit);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

class WebKitPage extends Page {
  /** Errors of the page's scripts and policy violations since it was loaded; this driver tells no console. */
  problems = [];
  #session;
  #handle;
  #credentials;
  #screen;

  constructor(session, handle, credentials, screen) {
    super();
    this.#session = session;
    this.#handle = handle;
    this.#credentials = credentials;
    this.#screen = screen;
  }

  // One window at a time takes commands, so each names its own first; the queue keeps the pairs together.
  #command(method, path, body) {
    return inTurn(async () => {
      await command('POST', this.#session + '/window', { handle: this.#handle });
      return command(method, this.#session + path, body);
    });
  }

  async goto(url) {
    const target = new URL(url);
    // Its prompt is out of the driver's reach.
    if (this.#credentials?.origin === target.origin) {
      target.username = this.#credentials.user;
      target.password = this.#credentials.password;
    }
    await this.#command('POST', '/url', { url: target.href });
  }

  async evaluate(call, ...args) {
    const script = `const done = arguments[arguments.length - 1], given = [...arguments].slice(0, -1);
      Promise.resolve().then(() => (${call})(...given))
        .then((value) => done({ value }), (problem) => done({ problem: String(problem.stack ?? problem) }));`;
    const { value, problem } = await this.#command('POST', '/execute/async', { script, args });
    if (problem !== undefined) throw new Error('in the page: ' + problem);
    return value;
  }

  async resize(width, height) {
    await this.#command('POST', '/window/rect', { x: 0, y: 0, width, height });
  }

  async screenshot(path) {
    // Two frames later the last change has been painted.
    await this.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(1)))));
    const rect = await this.#command('GET', '/window/rect');
    writeFileSync(path, pngOfXwd(readFileSync(this.#screen), rect));
  }

  async close() {
    await this.#command('DELETE', '/window');
  }
}

let turn = Promise.resolve();
function inTurn(call) {
  const mine = turn.then(call);
  turn = mine.catch(() => undefined);  // who asked gets the error from `mine`
  return mine;
}

async function command(method, url, body) {
  const answer = await fetch(url, { method, body: body && JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });
  const { value } = await answer.json();
  if (!answer.ok) throw new Error(`WebDriver: ${method} ${new URL(url).pathname}: ${value.error}: ${value.message}`);
  return value;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function miniBrowser() {
  for (const triplet of readdirSync('/usr/lib')) {
    const path = `/usr/lib/${triplet}/webkit2gtk-4.1/MiniBrowser`;
    if (existsSync(path)) return path;
  }
  throw new Error('WebKit is not installed: see apps/common/packages.sh');
}
