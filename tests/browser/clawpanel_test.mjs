// What ClawPanel's scripts and its hook do today, with the `ws` package in Node, unchanged.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import WebSocket from 'ws';
import { clawpanelHook } from './support/clawpanel_hook.mjs';
import { ClawwsServer } from './support/clawws_server.mjs';
import { eventually } from './support/eventually.mjs';
import { agentStatus, cronExecuted, gatewayStatus, sessionCreated, sessionKilled } from './support/events.mjs';

const server = new ClawwsServer();
before(() => server.start());
after(() => server.dispose());

const received = (socket) => {
  const messages = [];
  socket.on('message', (data) => messages.push(JSON.parse(data)));
  return messages;
};
const opened = (socket) => new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
const refusal = (socket) => new Promise((resolve, reject) => {
  socket.once('unexpected-response', (_, response) => resolve(response.statusCode)).once('open', () => reject(new Error('it was let in')));
  socket.on('error', () => undefined);  // what the refusal is to this package
});

test('a script logs in by header, gets auth.success first, and the events as ClawPanel names them', async () => {
  const socket = new WebSocket(server.webSocket, { ca: server.certificate, headers: { Authorization: server.authorization } });
  const messages = received(socket);
  await opened(socket);
  assert.equal(socket.protocol, '');
  await eventually('the first message arrives', () => messages.length > 0);
  assert.equal(messages[0].type, 'auth.success');
  assert.equal(messages[0].payload.message, 'Connected successfully');
  assert.equal(messages[0].payload.userId, server.user);
  assert.ok(Date.parse(messages[0].payload.connectionTime) > 0);

  const events = [sessionCreated('s'), agentStatus('a', 'running', { taskCount: 1 }), cronExecuted('j', 1, { stdout: 'o', stderr: 'e' }),
    gatewayStatus('running'), sessionKilled('s')];
  await server.publish(...events);
  await eventually('all five arrive', () => messages.length >= 6);
  assert.deepEqual(messages.slice(1).map(({ type, payload }) => ({ type, payload })), events);
  assert.ok(messages.slice(1).every(({ timestamp }) => Date.parse(timestamp) > 0));

  const timestamp = new Date().toISOString();
  socket.send(JSON.stringify({ type: 'ping', timestamp }));
  await eventually('the ping is answered', () => messages.length >= 7);
  assert.equal(messages[6].type, 'pong');
  assert.equal(messages[6].payload.receivedAt, timestamp);
  socket.close(1000);
  await new Promise((resolve) => socket.once('close', resolve));
});

test('wrong credentials are a 401, by header and by subprotocol', async () => {
  const header = new WebSocket(server.webSocket, { ca: server.certificate, headers: { Authorization: 'Basic ' + btoa('admin:wrong') } });
  assert.equal(await refusal(header), 401);
  const subprotocol = new WebSocket(server.webSocket, ['clawpanel', btoa('admin:nopass')], { ca: server.certificate });
  assert.equal(await refusal(subprotocol), 401);
});

test('its hook comes back by its own rules when the server was killed, was stopped, or was away for a while', async (t) => {
  class Socket extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols, { ca: server.certificate });
      this.on('error', () => undefined);  // 'close' follows, which is what the hook looks at
    }
  }
  const hook = clawpanelHook(server.webSocket, server.user, server.password, Socket);
  await eventually('it is welcome', () => hook.messages.some(({ type }) => type === 'pong'));
  assert.equal(hook.messages[0].type, 'auth.success');
  assert.equal(hook.protocol, 'clawpanel');

  for (const [signal, failures] of [['SIGKILL', 0], ['SIGTERM', 0], ['SIGKILL', 2]]) {
    const ends = hook.ends.length;
    await server.stop(signal);
    await eventually(`it has failed ${failures} times`, () => !hook.isConnected && hook.ends.length >= ends + 1 + failures);
    await server.start();
    const readyAt = Date.now();
    await eventually('it is back', () => hook.isConnected);
    t.diagnostic(`${signal}, ${failures} failures: back after ${Date.now() - readyAt} ms`);
    const { last } = await server.publish(sessionCreated('again'));
    await eventually('events arrive again', () => hook.messages.some(({ seq }) => seq === last));
  }
  assert.ok(hook.ends.every(({ wasClean, code }) => !wasClean && code === 1006), JSON.stringify(hook.ends));
  assert.equal(hook.error, null);
  hook.isOver = true;
});
