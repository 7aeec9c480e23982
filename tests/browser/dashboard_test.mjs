// The dashboard in the browser that CLAWWS_BROWSER names, as a person has it before them. Leaves a picture of
// each view in the build folder.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import test from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openBrowser } from './support/browsers.mjs';
import { Dashboards } from './support/dashboards.mjs';
import { eventually, throughout } from './support/eventually.mjs';
import { agentStatus, cronExecuted, gatewayStatus, percentile, range, sessionCreated, sessionKilled } from './support/events.mjs';
import {
  clientHas, clientIs, clientRecord, feedPositions, feedTotal, gapsInFeed, linkIs, linkText, newestInFeedIs, startClient, tableTexts,
} from './support/in_page.mjs';

const dashboards = new Dashboards();
const { server, name } = dashboards;

/** With an empty feed: what it begins with is a test of its own. */
async function openDashboard(size) {
  const page = await openWithOlder(size);
  await page.evaluate(() => document.getElementById('clear').click());
  return page;
}

const openWithOlder = (size) => dashboards.open(size);

async function picture(page, view) {
  const path = dashboards.pictureOf(view);
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)).then(() => true));
  await page.screenshot(path);
  assert.ok(statSync(path).size > 5_000, `${path} shows something`);
}

/** Nothing complained: no script, no policy, no failed request. */
async function assertQuiet(page) {
  assert.deepEqual(page.problems, []);
  assert.deepEqual(await page.evaluate(() => globalThis.seen.violations), []);
}

const isWithinWidth = () => document.documentElement.scrollWidth <= window.innerWidth;

test('it logs in, shows the state, and goes live by a ticket', async () => {
  const empty = await openDashboard();
  await picture(empty, 'empty');
  await assertQuiet(empty);
  await empty.close();

  await server.publish(gatewayStatus('running'), agentStatus('writer', 'idle', { activeSessionCount: 0 }),
    agentStatus('research-agent', 'running', { activeSessionCount: 2, taskCount: 5 }),
    sessionCreated('abc-123', { agentId: 'research-agent', label: 'read the news' }), sessionCreated('def-456', { kind: 'cron' }),
    sessionCreated('gone'), sessionKilled('gone'), cronExecuted('nightly'),
    cronExecuted('crypto:briefing', 3, { stderr: 'no network', durationMs: 83 }));
  const page = await openDashboard();
  assert.deepEqual(await page.evaluate(tableTexts, 'agents', 4), [['research-agent', 'running', '2', '5'], ['writer', 'idle', '0', '–']]);
  assert.deepEqual(await page.evaluate(tableTexts, 'cronJobs', 3), [['crypto:briefing', 'exit 3', '83 ms'], ['nightly', 'ok', '1.2 s']]);
  assert.deepEqual(await page.evaluate(tableTexts, 'sessions', 4),
    [['def-456', 'main', 'cron', '–'], ['abc-123', 'research-agent', 'direct', 'read the news']]);
  assert.equal(await page.evaluate(() => document.getElementById('gateway').textContent), 'gateway running · v2026.2.21');
  assert.deepEqual(await page.evaluate(feedPositions), []);
  const asked = await page.evaluate(() => performance.getEntriesByType('resource').map((entry) => new URL(entry.name).pathname));
  assert.ok(asked.includes('/clawws/tickets'), asked.join());

  const { last } = await server.publish(agentStatus('writer', 'error'), cronExecuted('nightly', 1),
    sessionCreated('ghi-789', { label: 'a question' }), gatewayStatus('stopped'));
  await page.until('the events are in the feed', newestInFeedIs, { args: [last] });
  await page.until('the tables have them', () => document.querySelector('#agents td.bad')?.textContent === 'error');
  assert.deepEqual(await page.evaluate(feedPositions), range(last - 3, last));
  assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('.toast p')].map((toast) => toast.textContent)),
    ['Agent writer is in error', 'Cron job nightly failed: exit 1', 'The gateway is down']);
  await picture(page, 'alarms');
  await page.evaluate(() => document.querySelectorAll('.toast button').forEach((button) => button.click()));
  await server.publish(gatewayStatus('running'), agentStatus('writer', 'running', { taskCount: 1 }), cronExecuted('nightly'));
  await page.until('all is well again', () => document.getElementById('gateway').dataset.status === 'running');
  await picture(page, 'desktop');
  await page.resize(390, 844);
  await page.until('the page fits a telephone', isWithinWidth);
  await picture(page, 'phone');
  await assertQuiet(page);
  await page.close();
});

test('the feed begins with what came before, and nothing is left out or doubled while events come', async () => {
  const { first } = await server.publish(...range(1, 30).map((i) => sessionCreated('older-' + i)));
  let isPublishing = true;
  const publishing = (async () => {
    let said;
    for (let i = 0; isPublishing; ++i) {
      said = await server.publish(sessionCreated('meanwhile-' + i));
      await pause(5);  // a pace
    }
    return said.last;
  })();
  const page = await openWithOlder();
  isPublishing = false;
  const last = await publishing;
  await page.until('the newest is there', newestInFeedIs, { args: [last] });
  const shown = await page.evaluate(feedPositions);
  assert.deepEqual(shown, range(shown[0], last));
  assert.ok(shown.length >= Math.min(200, last - first + 1), String(shown.length));
  assert.deepEqual(await page.evaluate(() => document.querySelectorAll('.toast').length), 0, 'what is old is no alarm');

  // One stop for the Tab key; arrows go from line to line, and a line opens to the whole event.
  const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  await page.evaluate(() => document.getElementById('feed').focus());
  await page.evaluate(press, 'ArrowDown');
  await page.evaluate(press, 'ArrowDown');
  await page.evaluate(() => document.activeElement.click());
  await page.until('the second line is open', () => document.querySelector('#feed li:nth-child(2) pre') !== null);
  const whole = JSON.parse(await page.evaluate(() => document.querySelector('#feed pre').textContent));
  assert.equal(whole.seq, last - 1);
  assert.equal(await page.evaluate(() => document.querySelectorAll('#feed summary:not([tabindex="-1"])').length), 0);
  await assertQuiet(page);
  await page.close();
});

test('a browser with a dark scheme gets a dark page', async () => {
  const dark = await openBrowser(name, { credentials: server, scheme: 'dark' });
  try {
    const page = await dark.newPage();
    await page.goto(server.dashboard);
    await page.until('the dashboard is live', linkIs, { args: ['live'] });
    const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const brightness = Math.max(...colour.match(/[0-9]+/g).slice(0, 3).map(Number));
    assert.ok(brightness < 64, `background ${brightness}`);
    await page.evaluate(() => window.scrollTo(0, 0));
    await picture(page, 'dark');
  } finally {
    await dark.close();
  }
});

test('filter and pause', async () => {
  const page = await openDashboard();
  const { last } = await server.publish(agentStatus('writer'), sessionCreated('needle-1'), cronExecuted('nightly'));
  await page.until('the feed has them', newestInFeedIs, { args: [last] });
  const type = (text) => {
    const field = document.getElementById('filter');
    field.value = text;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  };
  await page.evaluate(type, 'needle');
  assert.deepEqual(await page.evaluate(feedPositions), [last - 1]);
  await page.evaluate(type, '');
  assert.deepEqual(await page.evaluate(feedPositions), range(last - 2, last));

  await page.evaluate(() => document.getElementById('pause').click());
  await server.publish(sessionCreated('while-paused'));
  await page.until('the button counts', () => document.getElementById('pause').textContent === 'Resume (1 new)');
  assert.deepEqual(await page.evaluate(feedPositions), range(last - 2, last));
  await picture(page, 'paused');
  await page.evaluate(() => document.getElementById('pause').click());
  assert.deepEqual(await page.evaluate(feedPositions), range(last - 2, last + 1));
  await assertQuiet(page);
  await page.close();
});

test('what events hold is shown as text, and the page runs no other script', async () => {
  const page = await openDashboard();
  const markup = '<img src=x onerror="globalThis.injected=1"><b>bold</b>';
  const { last } = await server.publish(sessionCreated(markup, { label: markup, agentId: markup }),
    cronExecuted(markup, 1, { command: markup, stderr: markup }));
  await page.until('they are in the feed', newestInFeedIs, { args: [last] });
  await page.until('they are in the table', (text) => document.querySelector('#sessions td')?.textContent === text, { args: [markup] });
  assert.equal(await page.evaluate(() => document.querySelectorAll('main b, main img').length), 0);
  // A long name leaves each column in sight.
  assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('.scroll')].map((box) => box.scrollWidth - box.clientWidth)), [0, 0, 0]);
  await assertQuiet(page);

  await page.evaluate(() => {
    const button = document.createElement('button');
    try {
      button.setAttribute('onclick', 'globalThis.injected = 1');
    } catch {
      // Where Trusted Types are known, it does not come to a click.
    }
    document.body.append(button);
    button.click();
    const picture = document.createElement('img');
    picture.src = 'https://127.0.0.2:9/picture.png';
    document.body.append(picture);
  });
  await page.until('the policy forbids both', () => globalThis.seen.violations.length >= 2);
  assert.equal(await page.evaluate(() => 'injected' in globalThis), false);
  await page.close();
});

test('two windows see each event within 100 ms of each other', async (t) => {
  const pages = [await openDashboard(), await openDashboard()];
  const apart = [];
  for (let i = 0; i < 20; ++i) {
    const { last } = await server.publish(sessionCreated('seen-' + i));
    const shownAt = (seq) => globalThis.seen.events.find((event) => event.seq === seq)?.at;
    const times = await Promise.all(pages.map((page) => page.until('the window shows it', shownAt, { args: [last] })));
    apart.push(Math.abs(times[0] - times[1]));
  }
  t.diagnostic(`apart, ms: p50 ${percentile(apart, 0.5)}, most ${Math.max(...apart)}`);
  assert.ok(Math.max(...apart) < 100, apart.join());
  for (const page of pages) {
    await assertQuiet(page);
    await page.close();
  }
});

test('a server that was killed and is back: live again within 3 s, and nothing is missing', async (t) => {
  const pages = [await openDashboard(), await openDashboard()];
  const { last: earliest } = await server.publish(sessionCreated('before'));
  const racing = range(1, 20).map((i) => server.publish(sessionCreated('racing-' + i)));
  const ended = Promise.allSettled(racing);
  await racing[4];
  await server.stop('SIGKILL');
  const acknowledged = (await ended).filter(({ status }) => status === 'fulfilled').map(({ value }) => value.last);
  const hasTriedThrice = () => /try ([3-9]|[1-9][0-9])/.test(document.getElementById('link').textContent);
  for (const page of pages) await page.until('the outage is shown', hasTriedThrice);
  await picture(pages[1], 'reconnecting');

  await server.start();
  const readyAt = Date.now();
  const { last } = await server.publish(...range(1, 5).map((i) => sessionCreated('after-' + i)));
  for (const page of pages) {
    const liveAt = await page.until('it is live again', () => globalThis.seen.links.at(-1).link === 'live' && globalThis.seen.links.at(-1).at);
    t.diagnostic(`live again after ${liveAt - readyAt} ms`);
    assert.ok(liveAt - readyAt < 3_000, `${liveAt - readyAt} ms`);
    await page.until('it has the newest', newestInFeedIs, { args: [last] });
  }
  const { events } = JSON.parse((await server.request('/clawws/events?since=earliest&limit=1000')).text);
  const kept = events.map(({ seq }) => seq).filter((seq) => seq >= earliest);
  assert.deepEqual(kept, range(earliest, last));
  assert.ok(acknowledged.length > 0 && acknowledged.every((seq) => kept.includes(seq)), 'what was acknowledged is kept');
  for (const page of pages) {
    assert.deepEqual(await page.evaluate(feedPositions), kept);
    assert.deepEqual(await page.evaluate(gapsInFeed), []);
    await page.close();
  }
});

test('1,000 events a second for 10 s, and none is dropped', async (t) => {
  const page = await openDashboard();
  // A picture of the same origin: a page with nothing in it that costs time.
  const recorder = await dashboards.browser.newPage({ width: 300, height: 200 });
  await recorder.goto(server.origin + '/clawws/icon.svg');
  await recorder.evaluate(startClient, server.origin + '/clawws/clawws.js', { url: server.webSocket });
  await recorder.until('the recorder is live', clientIs, { args: ['live'] });
  const total = await page.evaluate(feedTotal);

  const begun = Date.now();
  const receipts = [];
  for (let batch = 0; batch < 500; ++batch) {
    await pause(Math.max(0, begun + batch * 20 - Date.now()));
    receipts.push(server.publish(...range(0, 19).map((i) => agentStatus('agent-' + i, 'running', { taskCount: batch, sentAt: Date.now() }))));
  }
  const said = await Promise.all(receipts);
  const publishedAt = Date.now();
  const first = Math.min(...said.map((receipt) => receipt.first));
  const last = Math.max(...said.map((receipt) => receipt.last));
  assert.equal(last - first + 1, 10_000);

  await eventually('the dashboard has counted them all', async () => (await page.evaluate(feedTotal)) >= total + 10_000);
  const behind = Date.now() - publishedAt;
  await recorder.until('the recorder has them all', clientHas, { args: [10_000] });
  const { events, gaps, statuses } = await recorder.evaluate(clientRecord);
  const lags = events.map(({ lag }) => lag);
  t.diagnostic(`published in ${publishedAt - begun} ms; dashboard ${behind} ms behind; ` +
    `publisher to script, ms: p50 ${percentile(lags, 0.5)}, p99 ${percentile(lags, 0.99)}, most ${Math.max(...lags)}`);
  assert.deepEqual(events.map(({ seq }) => seq), range(first, last));
  assert.deepEqual(gaps, []);
  assert.deepEqual(statuses.map(({ link }) => link), ['connecting', 'live']);
  assert.equal(await page.evaluate(feedTotal), total + 10_000);
  assert.deepEqual(await page.evaluate(gapsInFeed), []);
  assert.ok(await page.evaluate(() => document.getElementById('feed').childElementCount) <= 300);
  assert.ok(behind < 2_000, `${behind} ms behind`);
  await recorder.close();
  await assertQuiet(page);
  await page.close();
});

test('a password that was changed: said once, and no try after it', async () => {
  const page = await openDashboard();
  server.changePassword();
  await page.until('it is shown', linkIs, { args: ['refused'] });
  assert.equal(await page.evaluate(linkText), 'not accepted');
  assert.match(await page.evaluate(() => document.getElementById('banner').textContent), /does not accept this login: .+\. Load the page again to log in\./);
  await picture(page, 'refused');
  const refusals = await server.refusals();
  // The longest delay before a retry, early in an outage, is 2.05 s.
  await throughout('it stays so', () => page.evaluate(linkIs, 'refused'), 2_500);
  assert.equal(await server.refusals(), refusals);
  await page.close();
});
