// The installed package in a project of somebody else: npm takes the folder, TypeScript its declarations, Vite
// builds a React page with it, and that page shows events in Chromium.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openBrowser } from './support/browsers.mjs';
import { ClawwsServer } from './support/clawws_server.mjs';
import { range, sessionCreated } from './support/events.mjs';
import { PageServer } from './support/page_server.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
// Below the folder that holds node_modules, so that only the package itself has to be fetched.
const work = mkdtempSync(join(here, 'vite-'));
const project = join(work, 'project');
const prefix = mkdtempSync(join(process.env.CLAWWS_BINARY_DIR, 'browser-prefix-'));
let pages;
let server;
let browser;

function run(command, ...parameters) {
  try {
    return execFileSync(command, parameters, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (problem) {
    throw new Error(`${command} ${parameters.join(' ')}: ${problem.stdout}${problem.stderr}`, { cause: problem });
  }
}
const tool = (name) => join(here, 'node_modules/.bin', name);

before(() => {
  cpSync(join(here, 'vite_page'), project, { recursive: true });
  run('cmake', '--install', process.env.CLAWWS_BINARY_DIR, '--prefix', prefix);
});
after(async () => {
  await browser?.close();
  await server?.dispose();
  await pages?.dispose();
  for (const folder of [work, prefix]) rmSync(folder, { recursive: true, force: true });
});

test('npm installs the folder', () => {
  run('npm', 'install', '--install-links', '--offline', '--no-audit', '--no-fund', join(prefix, 'share/clawws/js'));
  assert.deepEqual(readdirSync(join(project, 'node_modules/clawws')).sort(),
    ['clawws.d.ts', 'clawws.js', 'package.json', 'react.d.ts', 'react.js']);
});

test('TypeScript accepts a page that uses it, and refuses wrong uses', () => {
  run(tool('tsc'), '--project', project);
});

test('Vite builds it, and the page shows the state and each event', async () => {
  run(tool('vite'), 'build', '--logLevel', 'warn');
  pages = await new PageServer(join(project, 'dist')).start();
  server = await new ClawwsServer(['--origin', pages.origin]).start();
  await server.publish(sessionCreated('earlier'));
  browser = await openBrowser('chromium');
  const page = await browser.newPage();
  await page.goto(`${pages.origin}/#${new URLSearchParams({ url: server.webSocket, user: server.user, password: server.password })}`);
  const text = (id) => document.getElementById(id)?.textContent;
  await page.until('it is connected', () => document.getElementById('link')?.textContent === 'connected');
  assert.equal(await page.evaluate(text, 'status'), 'live');
  await page.until('the state is shown', () => document.getElementById('sessions').textContent === 'earlier');
  assert.equal(await page.evaluate(text, 'count'), '0');

  for (const i of range(1, 3)) await server.publish(sessionCreated('later-' + i));
  await page.until('the events are counted', () => document.getElementById('count').textContent === '3');
  await page.until('the state has them', () => document.getElementById('sessions').children.length === 4);
  assert.equal(await page.evaluate(text, 'last'), 'session.created');

  // Its handler is a new function at each render, and still it has made one connection.
  await server.stop();
  await page.until('the loss is shown', () => document.getElementById('status').textContent === 'waiting');
  assert.notEqual(await page.evaluate(text, 'error'), '');
  await server.start();
  await server.publish(sessionCreated('after'));
  await page.until('it is connected again and has the event', () => document.getElementById('count').textContent === '4');
  assert.equal(await page.evaluate(text, 'error'), '');
});
