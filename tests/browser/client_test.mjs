// clawws.js, and what ClawPanel's own hook does, in pages of the browser that CLAWWS_BROWSER names: logins,
// pages of other origins, and the way from the state to live events.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { openBrowser } from './support/browsers.mjs';
import { clawpanelHook } from './support/clawpanel_hook.mjs';
import { ClawwsServer } from './support/clawws_server.mjs';
import { eventually, throughout } from './support/eventually.mjs';
import { agentStatus, cronExecuted, gatewayStatus, range, sessionCreated, sessionKilled } from './support/events.mjs';
import { clientHas, clientIs, clientRecord, closeClient, firstCellsAre, linkIs, startClient, tableTexts } from './support/in_page.mjs';
import { PageServer } from './support/page_server.mjs';

const pages = await new PageServer().start();
const server = new ClawwsServer();
const open = new ClawwsServer(['--origin', pages.origin]);
const brief = new ClawwsServer(['--retain-events', '100']);
let browser;

before(async () => {
  await server.start();
  await open.start();
  await brief.start();
  browser = await openBrowser(process.env.CLAWWS_BROWSER, { credentials: server });
});
after(async () => {
  await browser?.close();
  await server.dispose();
  await open.dispose();
  await brief.dispose();
  await pages.dispose();
});

async function openOther() {
  const page = await browser.newPage();
  await page.goto(pages.origin + '/');
  return page;
}

const loadScript = (url) => new Promise((resolve) => {
  const script = Object.assign(document.createElement('script'), { type: 'module', src: url });
  script.onload = () => resolve('loaded');
  script.onerror = () => resolve('forbidden');
  document.body.append(script);
});

test('the state, and from there every event, while others publish all the time', async () => {
  let published = 0;
  let publishing = true;
  const one = (i) => [
    sessionCreated('session-' + (i % 40)), agentStatus('agent-' + (i % 7), i % 5 ? 'running' : 'idle', { taskCount: i }),
    sessionKilled('session-' + ((i * 7) % 40)), cronExecuted('job-' + (i % 9), i % 3), gatewayStatus(i % 2 ? 'running' : 'error'),
  ][i % 5];
  const publisher = (async () => {
    for (; publishing; ++published) await server.publish(one(published));
  })();
  try {
    const dashboard = await browser.newPage();
    await dashboard.goto(server.dashboard);
    await dashboard.until('the dashboard is live', linkIs, { args: ['live'] });
    const page = await browser.newPage();
    await page.goto(server.origin + '/clawws/icon.svg');
    for (let i = 0; i < 8; ++i) {
      await page.evaluate(startClient, server.origin + '/clawws/clawws.js', { url: server.webSocket, state: true });
      await page.until('events arrive', clientHas, { args: [20] });
      if (i === 7) break;
      const { events, statuses, gaps } = await page.evaluate(clientRecord);
      await page.evaluate(closeClient);
      const from = statuses.find(({ link }) => link === 'live').position.seq;
      assert.deepEqual(events.map(({ seq }) => seq), range(from + 1, from + events.length));
      assert.deepEqual(gaps, []);
    }
    publishing = false;
    await publisher;
    const told = await server.state();
    const [epoch, newest] = told.position.split(':');
    await page.until('the client is where the server is', (seq) => globalThis.client.live.status.position.seq === seq,
      { args: [Number(newest)] });
    const { state, position, gaps } = await page.evaluate(clientRecord);
    const { sessions, agents, cronJobs, gateway } = told;
    assert.deepEqual(state, { sessions, agents, cronJobs, gateway });
    assert.deepEqual(position, { epoch, seq: Number(newest) });
    assert.deepEqual(gaps, []);
    assert.ok(agents.length === 7 && published > 200, `${published} events`);
    // The dashboard draws the same: the newest first, but agents by what they do and by name, so that they stay in their places.
    await dashboard.until('its table shows the same sessions', firstCellsAre,
      { args: ['sessions', sessions.map(({ sessionKey }) => sessionKey).reverse()] });
    assert.deepEqual(await dashboard.evaluate(tableTexts, 'agents', 1),
      ['running', 'idle'].flatMap((is) => agents.filter(({ status }) => status === is).map(({ agentId }) => [agentId]).sort()));
    await page.close();
    await dashboard.close();
  } finally {
    publishing = false;
  }
});

test('what the server no longer keeps is told, what it keeps comes, and the state is as there', async () => {
  const { epoch } = await brief.publish(sessionCreated('lost-0'));
  for (let i = 0; i < 5; ++i) await brief.publish(...range(1, 500).map((n) => sessionCreated(`lost-${i}-${n}`)));
  const kept = () => brief.request('/clawws/events?since=earliest&limit=1').then(({ text }) => JSON.parse(text).events[0].seq);
  await eventually('old events are gone', async () => await kept() > 1);
  const { last } = await brief.publish(agentStatus('agent-1', 'error'), sessionKilled('lost-4-500'));
  const page = await browser.newPage();
  await page.goto(brief.origin + '/clawws/icon.svg');
  for (const state of [true, false]) {
    const oldest = await kept();
    await page.evaluate(startClient, brief.origin + '/clawws/clawws.js',
      { url: brief.webSocket, user: brief.user, password: brief.password, state, since: `${epoch}:1` });
    await page.until('all that is kept has come', (seq) => globalThis.client.events.at(-1)?.seq === seq, { args: [last] });
    const { events, gaps } = await page.evaluate(clientRecord);
    assert.deepEqual(events.map(({ seq }) => seq), range(oldest, last), `with state: ${state}`);
    assert.deepEqual(gaps, [{ from: { epoch, seq: 1 }, to: { epoch, seq: oldest - 1 }, lost: oldest - 2, cause: 'retention' }]);
    if (state) {
      const { sessions, agents, cronJobs, gateway } = await brief.state();
      await page.until('its state is complete', (count) => globalThis.client.live.state.sessions.size === count, { args: [sessions.length] });
      assert.deepEqual((await page.evaluate(clientRecord)).state, { sessions, agents, cronJobs, gateway });
    }
    await page.evaluate(closeClient);
  }
  await page.close();
});

test('older events on demand, beside the state', async () => {
  const { last } = await server.publish(...range(1, 20).map((n) => sessionCreated('older-' + n)));
  const page = await browser.newPage();
  await page.goto(server.origin + '/clawws/icon.svg');
  await page.evaluate(startClient, server.origin + '/clawws/clawws.js', { url: server.webSocket, state: true, last: 5 });
  await page.until('they have come', clientHas, { args: [5] });
  const { events, state } = await page.evaluate(clientRecord);
  assert.deepEqual(events.map(({ seq }) => seq), range(last - 4, last));
  assert.deepEqual(state.sessions, (await server.state()).sessions);
  await page.close();
});

test('what can never work is said, and not tried for ever', async () => {
  const page = await openOther();
  for (const [options, reason] of [
    [{ password: 'wrong' }, /password/], [{ types: ['BAD!'] }, /BAD!/], [{ since: 'nonsense' }, /since/],
    [{ ticket: true, last: -1 }, /last/],
  ]) {
    await page.evaluate(startClient, open.origin + '/clawws/clawws.js',
      { url: open.webSocket, user: open.user, password: open.password, ...options });
    await page.until('it is refused', clientIs, { args: ['refused'] });
    const { statuses } = await page.evaluate(clientRecord);
    assert.deepEqual(statuses.map(({ link }) => link), ['connecting', 'refused'], JSON.stringify(options));
    assert.match(statuses[1].reason, reason);
    await page.evaluate(closeClient);
  }
  const thrown = await page.evaluate(async (module) => {
    const { connect } = await import(module);
    try {
      connect({ url: 'localhost:8443' });
    } catch (problem) {
      return `${problem.name}: ${problem.message}`;
    }
  }, open.origin + '/clawws/clawws.js');
  assert.match(thrown ?? 'nothing', /^TypeError: .*'localhost:8443'.*wss:/);
  // Nobody is there: that may change.
  await page.evaluate(startClient, open.origin + '/clawws/clawws.js',
    { url: open.webSocket.replace(/\/ws$/, '/elsewhere'), user: open.user, password: open.password });
  await page.until('it waits', () => globalThis.client.statuses.some(({ link }) => link === 'waiting'));
  const { statuses } = await page.evaluate(clientRecord);
  assert.match(statuses.find(({ link }) => link === 'waiting').reason, /did not open a WebSocket at \/elsewhere/);
  await page.close();
});

test('a page of an origin that is not listed gets nothing', async () => {
  const page = await openOther();
  assert.equal(await page.evaluate(loadScript, server.origin + '/clawws/clawws.js'), 'forbidden');
  assert.equal(await page.evaluate((url) => fetch(url).then(() => 'read', () => 'forbidden'), server.origin + '/clawws/health'), 'forbidden');
  // Not even with a copy of the client and the right password.
  await page.evaluate(startClient, pages.origin + '/clawws.js', { url: server.webSocket, user: server.user, password: server.password });
  await page.until('it has tried three times', () => globalThis.client.live.status.retries >= 3);
  const { statuses, events } = await page.evaluate(clientRecord);
  assert.ok(statuses.every(({ link }) => link !== 'live'));
  assert.deepEqual(events, []);
  await page.close();
});

test('a page of a listed origin loads the client and connects, by ticket or by subprotocol', async () => {
  const page = await openOther();
  assert.equal(await page.evaluate(loadScript, open.origin + '/clawws/clawws.js'), 'loaded');
  for (const ticket of [true, false]) {
    await page.evaluate(startClient, open.origin + '/clawws/clawws.js',
      { url: open.webSocket, user: open.user, password: open.password, ticket, state: true });
    await page.until('it is live', clientIs, { args: ['live'] });
    const { last } = await open.publish(sessionCreated('across'));
    await page.until('the event arrives', clientHas, { args: [1] });
    const { events, state, gaps } = await page.evaluate(clientRecord);
    assert.deepEqual(events.map(({ seq }) => seq), [last]);
    assert.equal(state.sessions.at(-1).sessionKey, 'across');
    assert.deepEqual(gaps, []);
    await page.evaluate(closeClient);
  }
  await page.close();
});

test('a wrong password: said once, and no try after it', async () => {
  const page = await openOther();
  const before = await open.refusals();
  await page.evaluate(startClient, open.origin + '/clawws/clawws.js', { url: open.webSocket, user: open.user, password: 'wrong', ticket: true });
  await page.until('it is refused', clientIs, { args: ['refused'] });
  assert.equal(await open.refusals(), before + 1);
  // The longest delay before a retry, early in an outage, is 2.05 s.
  await throughout('it stays so', () => page.evaluate(clientIs, 'refused'), 2_500);
  assert.equal(await open.refusals(), before + 1);
  const { statuses } = await page.evaluate(clientRecord);
  assert.deepEqual(statuses.map(({ link }) => link), ['connecting', 'refused']);
  assert.match(statuses[1].reason, /password/);
  await page.close();
});

test("ClawPanel's own hook: its login, its pings, and back after a kill", async (t) => {
  const page = await openOther();
  const has = (type, key) =>
    globalThis.clawpanel.messages.some((message) => message.type === type && (!key || message.payload.sessionKey === key));
  await page.evaluate(clawpanelHook, open.webSocket, open.user, open.password);
  await page.until('its ping is answered', has, { args: ['pong'] });
  const { messages, protocol } = await page.evaluate(() => globalThis.clawpanel);
  assert.equal(messages[0].type, 'auth.success');
  assert.equal(messages[0].payload.userId, open.user);
  assert.equal(protocol, 'clawpanel');
  await open.publish(sessionCreated('old-1'));
  await page.until('an event arrives', has, { args: ['session.created', 'old-1'] });

  for (const signal of ['SIGKILL', 'SIGTERM']) {
    await open.stop(signal);
    await page.until('it is cut off', () => !globalThis.clawpanel.isConnected);
    await open.start();
    const readyAt = Date.now();
    await page.until('it is back', () => globalThis.clawpanel.isConnected);
    t.diagnostic(`back ${Date.now() - readyAt} ms after a ${signal}`);
    await open.publish(sessionCreated(signal));
    await page.until('events arrive again', has, { args: ['session.created', signal] });
  }
  const { ends, error } = await page.evaluate(() => globalThis.clawpanel);
  assert.ok(ends.length >= 2 && ends.every(({ wasClean }) => !wasClean), JSON.stringify(ends));
  assert.equal(error, null);
  await page.close();
});
