// What the dashboard shows of ordinary and of odd data, from a telephone to a wide screen, and where the
// keyboard's focus is when a thing goes. In the browser that CLAWWS_BROWSER names.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { openBrowser } from './support/browsers.mjs';
import { Dashboards } from './support/dashboards.mjs';
import { throughout } from './support/eventually.mjs';
import { agentStatus, cronExecuted, gatewayStatus, range, sessionCreated } from './support/events.mjs';
import { linkIs, newestInFeedIs } from './support/in_page.mjs';

const dashboards = new Dashboards(['--allow-type', 'deploy.*']);
const { server, name } = dashboards;
const openDashboard = (size) => dashboards.open(size);

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
  for (const cell of document.querySelectorAll('thead th, td.good, td.bad, td.took')) {
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
    await page.screenshot(dashboards.pictureOf(`width-${width}`));
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
      if (line.querySelector('.type').getBoundingClientRect().width < 30) found.push('no room for the type');
      if (line.querySelector('time').getBoundingClientRect().right > line.getBoundingClientRect().right) found.push('the time is pushed out');
    }
    return found;
  });
  assert.deepEqual(overlaps, []);
  await page.evaluate(() => document.getElementById('feed').scrollIntoView());
  await page.screenshot(dashboards.pictureOf('own-types'));
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

test('the title says that the link is lost, the page stays as bright as it is, and the gateway is said to be up again', async () => {
  const page = await openDashboard();
  await server.publish(gatewayStatus('stopped'));
  const gatewayToasts = () => [...document.querySelectorAll('.toast')].map((toast) => `${toast.className}: ${toast.querySelector('p').textContent}`);
  await page.until('the gateway is down', () => document.getElementById('gateway').dataset.status === 'stopped');
  assert.deepEqual(await page.evaluate(gatewayToasts), ['toast warn: The gateway is down']);
  assert.equal(await page.evaluate(() => document.querySelector('#feed summary').className), 'warn');
  await server.publish(gatewayStatus('running'));
  await page.until('it is up again', () => document.getElementById('gateway').dataset.status === 'running');
  assert.deepEqual(await page.evaluate(gatewayToasts), ['toast good: The gateway is up again']);

  assert.equal(await page.evaluate(() => document.title), 'clawws');
  await server.stop();
  await page.until('the title says it', () => document.title === 'Not live · clawws');
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('main')).opacity), '1');
  assert.match(await page.evaluate(() => document.getElementById('banner-text').textContent), /as long as the server keeps it/);
  await page.screenshot(dashboards.pictureOf('outage'));
  await server.start();
  await page.until('the title is as before', () => document.title === 'clawws');
  await page.close();
});

test('filter, pause and clear say what came of them', async () => {
  const page = await openDashboard();
  await page.evaluate(() => document.getElementById('clear').click());
  const empty = () => document.getElementById('feed-empty').textContent;
  assert.match(await page.evaluate(empty), /^Cleared/);
  const { last } = await server.publish(...range(1, 5).map((i) => sessionCreated('filtered-' + i)));
  await page.until('the feed has them', newestInFeedIs, { args: [last] });
  const type = (text) => {
    const field = document.getElementById('filter');
    field.value = text;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const said = (text) => document.getElementById('feed-said').textContent === text;
  await page.evaluate(type, 'filtered-3');
  assert.equal(await page.evaluate(() => document.getElementById('feed-count').textContent), '1 of 5');
  await page.until('it is said', said, { args: ['1 of 5 events match'] });
  await page.evaluate(type, 'no such thing');
  await page.until('that none matches is said', said, { args: ['No event here matches the filter.'] });
  const { last: other } = await server.publish(sessionCreated('another'));
  await page.until('it is counted', () => document.getElementById('feed-count').textContent === '0 of 6');
  await page.evaluate(type, '');
  await page.until('the feed has it', newestInFeedIs, { args: [other] });
  const pauseIs = () => [document.getElementById('pause').textContent, document.getElementById('pause').getAttribute('aria-pressed')];
  await page.evaluate(() => document.getElementById('pause').click());
  assert.deepEqual(await page.evaluate(pauseIs), ['Resume', null]);
  await page.close();
});

test('the button for notifications stays, says what came of it, and turns them off', async () => {
  const page = await openDashboard();
  const choose = async (module, answer) => {
    const { Notifier } = await import(module);
    globalThis.Notification = class {
      static permission = 'default';
      static async requestPermission() {
        return (Notification.permission = answer);
      }
      constructor(title, { body }) {
        globalThis.notified = (globalThis.notified ?? []).concat(body);
      }
    };
    const button = document.body.appendChild(document.createElement('button'));
    localStorage.clear();
    globalThis.own = { button, notifier: new Notifier(button) };
    button.focus();
    button.click();
  };
  const isLabel = (text) => own.button.textContent === text && document.activeElement === own.button;
  await page.evaluate(choose, server.origin + '/clawws/notifier.js', 'granted');
  await page.until('they are on', isLabel, { args: ['Notifications on'] });
  await page.evaluate(() => own.notifier.notify({ key: 'a', text: 'first' }));
  await page.evaluate(() => own.button.click());
  await page.until('they are off', isLabel, { args: ['Notify me'] });
  await page.evaluate(() => own.notifier.notify({ key: 'a', text: 'second' }));
  await page.evaluate(() => own.button.click());
  await page.until('they are on again', isLabel, { args: ['Notifications on'] });
  assert.deepEqual(await page.evaluate(() => globalThis.notified), ['first']);
  await page.evaluate(choose, server.origin + '/clawws/notifier.js', 'denied');
  await page.until('they are blocked', isLabel, { args: ['Blocked by the browser'] });
  await page.close();
});

test('marks that turn the order of what is read are written out, not acted on', async () => {
  const { last } = await server.publish(sessionCreated('a\u202etxt.exe\u2066', { label: 'tab\there\u200b\u007f' }),
    { type: 'deploy.finished', payload: { by: 'x\u202ey' } });
  const page = await openDashboard();
  await page.until('the feed has them', newestInFeedIs, { args: [last] });
  await page.until('the table has it', () => document.querySelector('#sessions tbody th')?.textContent === 'a\\u202etxt.exe\\u2066');
  const lines = await page.evaluate(() => [...document.querySelectorAll('#feed summary')].slice(0, 2).map((line) => line.textContent));
  assert.ok(lines[0].includes('{"by":"x\\u202ey"}'), lines[0]);
  assert.ok(lines[1].includes('a\\u202etxt.exe\\u2066') && lines[1].includes('tab\\there\\u200b\\x7f'), lines[1]);
  await page.evaluate(() => document.querySelector('#feed summary').click());
  await page.until('it is open', () => document.querySelector('#feed pre') !== null);
  const whole = await page.evaluate(() => document.querySelector('#feed pre').textContent);
  assert.ok(!whole.includes('\u202e'));
  assert.equal(JSON.parse(whole).payload.by, 'x\u202ey');
  await page.close();
});

test('an event of another day has its date, and tables and regions have a name each', async () => {
  const { last } = await server.publish({ ...sessionCreated('long-ago'), timestamp: '2021-03-04T12:00:00.000Z' }, sessionCreated('just-now'));
  const page = await openDashboard();
  await page.until('the feed has them', newestInFeedIs, { args: [last] });
  const times = await page.evaluate(() => [...document.querySelectorAll('#feed time')].slice(0, 2).map((time) => time.textContent));
  assert.match(times[1], /2021/);
  assert.ok(await page.evaluate(() => [...document.querySelectorAll('#feed time')].every((time) => time.scrollWidth <= time.clientWidth)), 'times are whole');
  assert.match(times[0], /[0-9]:[0-9]/);
  assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('main table')].map((table) => table.caption.textContent.split(',')[0])),
    ['Agents', 'Cron jobs', 'Sessions']);
  const names = await page.evaluate(() => [...document.querySelectorAll('main [aria-labelledby]:not(svg)')]
    .map((region) => document.getElementById(region.getAttribute('aria-labelledby')).textContent));
  assert.deepEqual(names, ['Agents', 'Cron jobs', 'Sessions']);
  await page.close();
});

/** The least contrast of texts and of borders with what is behind them. */
const contrasts = () => {
  const parts = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parts(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  };
  const contrast = (a, b) => {
    const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const found = {};
  for (const text of ['#link', '#gateway', '#agents td.good', '#agents td.bad', '#feed .type', '.note', 'figcaption', '#pause']) {
    const element = document.querySelector(text);
    found[text] = contrast(parts(getComputedStyle(element).color), behind(element));
  }
  const filter = document.getElementById('filter');
  found.placeholder = contrast(parts(getComputedStyle(filter, '::placeholder').color), behind(filter));
  for (const id of ['filter', 'pause']) {
    const element = document.getElementById(id);
    found[`border of ${id}`] = 1.5 * contrast(parts(getComputedStyle(element).borderTopColor), behind(element.parentElement));
  }
  return Object.entries(found).filter(([, value]) => value < 4.5);
};

for (const scheme of ['light', 'dark']) {
  test(`texts and borders of the ${scheme} page are told from what is behind them`, async () => {
    const own = await openBrowser(name, { credentials: server, scheme });
    try {
      const page = await own.newPage();
      await page.goto(server.dashboard);
      await page.until('the dashboard is live', linkIs, { args: ['live'] });
      await page.until('the tables are there', () => document.querySelector('#agents td.bad') !== null);
      assert.deepEqual(await page.evaluate(contrasts), []);
    } finally {
      await own.close();
    }
  });
}

test('durations and ages are short at every length', async () => {
  const { ageText, durationText } = await import(join(process.env.CLAWWS_SOURCE_DIR, 'lib/web/view.js'));
  const minute = 60_000;
  assert.deepEqual([0, 83, 1_200, 65_000, 300 * minute, 305 * minute, 26 * 60 * minute, 1e12].map(durationText),
    ['0 s', '83 ms', '1.2 s', '1 min 5 s', '5 h', '5 h 5 min', '1 d 2 h', '31 y']);
  const at = Date.parse('2026-11-23T12:00:00Z');
  const ago = (millis) => ageText(at, new Date(at - millis).toISOString());
  assert.deepEqual([-5_000, 5_000, 99 * minute, 47 * 60 * minute, 400 * 1_440 * minute, 20_780 * 1_440 * minute].map(ago),
    ['now', '5 s', '99 min', '47 h', '400 d', '56 y']);
});
