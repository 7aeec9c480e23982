// What the dashboard shows of ordinary and of odd data, from a telephone to a wide screen, and where the
// keyboard's focus is when a thing goes. In the browser that CLAWWS_BROWSER names.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { openBrowser } from './support/browsers.mjs';
import { ClawwsServer } from './support/clawws_server.mjs';
import { throughout } from './support/eventually.mjs';
import { agentStatus, cronExecuted, gatewayStatus, range, sessionCreated } from './support/events.mjs';
import { linkIs, newestInFeedIs } from './support/in_page.mjs';

const name = process.env.CLAWWS_BROWSER;
const pictures = join(process.env.CLAWWS_BINARY_DIR, 'browser/pictures');
const server = new ClawwsServer(['--allow-type', 'deploy.*']);
let browser;

before(async () => {
  mkdirSync(pictures, { recursive: true });
  await server.start();
  browser = await openBrowser(name, { credentials: server });
});
after(async () => {
  await browser?.close();
  await server.dispose();
});

async function openDashboard(size) {
  const page = await browser.newPage(size);
  await page.goto(server.dashboard);
  await page.until('the dashboard is live', linkIs, { args: ['live'] });
  await page.until('its feed has begun', () => document.getElementById('feed').getAttribute('aria-busy') === 'false');
  return page;
}

const keyOf = (i) => `agent:main:telegram:group:-100${i}:${12345 + i}`;
const old = (event, minutes) => ({ ...event, timestamp: new Date(Date.now() - minutes * 60_000).toISOString() });

/** What of a table is cut off, as texts; empty when all is in sight. */
const cutOff = () => {
  const found = [];
  for (const box of document.querySelectorAll('.scroll')) {
    if (box.scrollWidth > box.clientWidth) found.push(`${box.querySelector('table').id} is ${box.scrollWidth} of ${box.clientWidth} wide`);
  }
  for (const cell of document.querySelectorAll('th.ago, td.ago')) {
    const { right } = cell.closest('.scroll').getBoundingClientRect();
    if (cell.scrollWidth > cell.clientWidth || cell.getBoundingClientRect().right > right + 0.5) found.push('ago: ' + cell.textContent);
  }
  for (const cell of document.querySelectorAll('thead th, td.good, td.bad')) {
    if (cell.scrollWidth > cell.clientWidth) found.push(cell.textContent);
  }
  if (document.documentElement.scrollWidth > window.innerWidth) found.push('the page');
  return found;
};

test('the last column is in sight on each width, whatever the others hold', async () => {
  const agents = ['main', 'research-agent', 'writer-agent', 'code-reviewer'];
  await server.publish(gatewayStatus('running'),
    ...agents.map((agent, i) => old(agentStatus(agent, i === 3 ? 'error' : 'running', { activeSessionCount: 2, taskCount: 3 }), 40 + i)),
    ...range(1, 12).map((i) => old(sessionCreated(keyOf(i), { agentId: 'research-agent', label: 'Summarise papers' }), 99 - i)),
    ...['cron-000', 'cron-001', 'crypto:test-briefing'].map((job, i) => old(cronExecuted(job, i, { durationMs: 800_000, command: 'nightly-report' }), 60 * 47)));
  const { last } = await server.publish(agentStatus('counts', 'idle', { activeSessionCount: 12, taskCount: Number.MAX_SAFE_INTEGER }),
    agentStatus('a-name-of-'.repeat(20), 'idle'), cronExecuted('j'.repeat(200), 255, { durationMs: Number.MAX_SAFE_INTEGER, command: 'c'.repeat(200) }),
    sessionCreated('s'.repeat(200), { agentId: 'g'.repeat(200), kind: 'subagent', label: 'l'.repeat(200) }));
  const page = await openDashboard();
  await page.until('the feed has them', newestInFeedIs, { args: [last] });
  await page.until('the tables have them', () => document.querySelectorAll('#agents tbody tr').length === 6);
  for (const width of [1280, 1440, 1000, 640, 390, 320]) {
    await page.resize(width, 900);
    // WebKit's window has a least width, a bit above a telephone's.
    await page.until('the page has its width', (wanted) => window.innerWidth === wanted || (wanted < window.innerWidth && window.innerWidth < 560), { args: [width] });
    await page.screenshot(join(pictures, `${name}-width-${width}.png`));
    assert.deepEqual(await page.evaluate(cutOff), [], `${width} px`);
  }
  await page.close();
});

test('a key that is too long shows its end, and is whole for who copies it', async () => {
  const { last } = await server.publish(sessionCreated(keyOf(77)));
  const page = await openDashboard({ width: 390, height: 844 });
  await page.until('the feed has it', newestInFeedIs, { args: [last] });
  const looks = await page.until('the table has it', (key) => {
    const places = [document.querySelector('#sessions tbody tr').cells[0], document.querySelector('#feed .subject')];
    if (places[0].textContent !== key) return false;
    return places.map((place) => {
      const tail = place.querySelector('.tail').getBoundingClientRect();
      const box = place.getBoundingClientRect();
      const [head] = place.getElementsByClassName('head');
      return { text: place.textContent, isTailShown: tail.width > 20 && tail.right <= box.right + 0.5, isHeadCut: head.scrollWidth > head.clientWidth,
        isOneLine: tail.height < 30 && box.height < 40 };
    });
  }, { args: [keyOf(77)] });
  for (const look of looks) assert.deepEqual(look, { text: keyOf(77), isTailShown: true, isHeadCut: true, isOneLine: true });
  await page.close();
});

test('on a telephone an event of a type of its own does not print over itself', async () => {
  const { last } = await server.publish(
    { type: 'deploy.finished', payload: { service: 'api', version: '1.2.3', tookMs: 5_000, by: 'somebody with a long name' } },
    { type: 'deploy.' + 'started'.repeat(7), payload: { service: 'api' } });
  const page = await openDashboard({ width: 390, height: 844 });
  await page.until('the feed has them', newestInFeedIs, { args: [last] });
  const overlaps = await page.evaluate(() => {
    const found = [];
    for (const line of [...document.querySelectorAll('#feed summary')].slice(0, 4)) {
      const parts = [...line.children].filter((part) => part.getClientRects().length > 0);
      for (const [i, a] of parts.entries()) {
        for (const b of parts.slice(i + 1)) {
          const [p, q] = [a.getBoundingClientRect(), b.getBoundingClientRect()];
          if (p.left < q.right - 0.5 && q.left < p.right - 0.5 && p.top < q.bottom - 0.5 && q.top < p.bottom - 0.5) found.push(`${a.className} ${b.className}`);
        }
      }
      if (line.querySelector('.type').getBoundingClientRect().width < 40) found.push('no room for the type');
      if (line.querySelector('time').getBoundingClientRect().right > line.getBoundingClientRect().right) found.push('the time is pushed out');
    }
    return found;
  });
  assert.deepEqual(overlaps, []);
  await page.evaluate(() => document.getElementById('feed').scrollIntoView());
  await page.screenshot(join(pictures, `${name}-own-types.png`));
  await page.close();
});

/** Toasts of a page's own beside the dashboard's, that live a short time. */
const makeAlerts = async (module, millis) => {
  const { Alerts } = await import(module);
  const [before, toasts, button] = ['button', 'div', 'button'].map((kind) => document.body.appendChild(document.createElement(kind)));
  before.textContent = 'before';
  const fallback = document.getElementById('feed');
  const fail = (jobId) => alerts.look({ type: 'cron.executed', timestamp: new Date().toISOString(), payload: { jobId, exitCode: 1 } });
  const alerts = new Alerts({ toasts, button, fallback, millis });
  globalThis.own = { alerts, before, toasts, fail, texts: () => [...toasts.querySelectorAll('.toast p')].map((text) => text.textContent) };
};

test('a toast that goes leaves the focus on the page, and none goes while it is read', async () => {
  const page = await openDashboard();
  await page.evaluate(makeAlerts, server.origin + '/clawws/alerts.js', 150);
  await page.evaluate(() => {
    own.before.focus();
    own.fail('a');
    own.fail('b');
    own.toasts.querySelector('button').focus();
  });
  await throughout('both stay longer than they live', () => page.evaluate(() => own.texts().length === 2), 600);
  const focused = () => document.activeElement.getAttribute('aria-label') ?? (document.activeElement.textContent || document.activeElement.id);
  await page.evaluate(() => document.activeElement.click());
  assert.equal(await page.evaluate(focused), 'Dismiss: Cron job b failed: exit 1');
  await page.evaluate(() => document.activeElement.click());
  assert.equal(await page.evaluate(focused), 'before');

  await page.evaluate(() => {
    own.fail('c');
    own.toasts.dispatchEvent(new PointerEvent('pointerenter'));
  });
  await throughout('it stays while it is pointed at', () => page.evaluate(() => own.texts().length === 1), 600);
  await page.evaluate(() => own.toasts.dispatchEvent(new PointerEvent('pointerleave')));
  await page.until('it goes when nobody reads it', () => own.texts().length === 0);

  // Without a place that the focus came from, the feed has it.
  await page.evaluate(() => {
    document.activeElement.blur();
    own.fail('d');
    own.toasts.querySelector('button').focus();
    document.activeElement.click();
  });
  assert.equal(await page.evaluate(() => document.activeElement.id), 'feed');
  await page.close();
});

test('of many failures at once the last four are shown, and the others are counted', async () => {
  const page = await openDashboard();
  await page.evaluate(makeAlerts, server.origin + '/clawws/alerts.js', 60_000);
  await page.evaluate(() => {
    for (let i = 1; i <= 11; ++i) own.fail('job-' + i);
    own.fail('job-3');
  });
  const more = () => [...own.toasts.querySelectorAll('.more:not([hidden])')].map((text) => text.textContent);
  assert.deepEqual(await page.evaluate(() => own.texts()), [9, 10, 11, 3].map((i) => `Cron job job-${i} failed: exit 1`));
  assert.deepEqual(await page.evaluate(more), ['+7 more']);
  await page.evaluate(() => own.toasts.querySelectorAll('button').forEach((button) => button.click()));
  assert.deepEqual(await page.evaluate(more), []);
  await page.close();
});

test('"Try now" gives the focus to what it was for', async () => {
  const page = await openDashboard();
  await server.stop();
  await page.until('it can be tried again', () => document.getElementById('link').dataset.link === 'waiting');
  await page.evaluate(() => document.getElementById('retry').focus());
  assert.equal(await page.evaluate(() => document.activeElement.id), 'retry');
  await server.start();
  await page.until('it is live again', linkIs, { args: ['live'] });
  assert.equal(await page.evaluate(() => document.activeElement.id), 'link');
  await page.close();
});
