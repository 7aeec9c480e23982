// One port for clawws and an Express app behind it: REST, files, streams and the app's own WebSocket go
// through, and the app sees who asks.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import https from 'node:https';
import test, { after, before } from 'node:test';
import WebSocket from 'ws';
import { ClawwsServer } from './support/clawws_server.mjs';
import { eventually } from './support/eventually.mjs';
import { sessionCreated } from './support/events.mjs';
import { ExpressApp, LIMIT } from './support/express_app.mjs';

const app = await new ExpressApp({ user: 'panel', password: randomBytes(9).toString('hex') }).start();
const server = new ClawwsServer(['--upstream', app.url]);
const authorization = 'Basic ' + btoa(`${app.user}:${app.password}`);
const asPanel = { headers: { Authorization: authorization } };

before(() => server.start());
after(async () => {
  await server.dispose();
  await app.stop();
});

const messagesOf = (socket) => {
  const messages = [];
  socket.on('message', (data, isBinary) => messages.push(isBinary ? data : JSON.parse(data)));
  return messages;
};
const opened = (socket) => new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
const live = (headers, port = server) => new WebSocket(port.webSocket, { ca: port.certificate, headers });

test("REST and events on one port, with the app's own login", async () => {
  const answer = await server.request('/api/me', asPanel);
  assert.equal(answer.status, 200);
  assert.deepEqual(JSON.parse(answer.text), { user: app.user, secure: true });
  const refused = await server.request('/api/me', { headers: { Authorization: 'Basic ' + btoa('panel:wrong') } });
  assert.equal(refused.status, 401);
  assert.equal(refused.headers['www-authenticate'], 'Basic realm="Dashboard"');
  assert.equal((await server.request('/nowhere', asPanel)).status, 404);

  const socket = live({ Authorization: server.authorization });
  const messages = messagesOf(socket);
  await opened(socket);
  const { last } = await server.publish(sessionCreated('beside'));
  await eventually('the event arrives', () => messages.some(({ seq }) => seq === last));
  socket.terminate();
  assert.ok(app.seen.every(({ path }) => path !== '/ws' && !path.startsWith('/clawws/')));
});

test("the rate limiter counts each client's address", async () => {
  const ask = (localAddress) => server.request('/limited', { localAddress, headers: { 'X-Forwarded-For': '192.0.2.1', Forwarded: 'for=192.0.2.1' } });
  for (let i = 0; i < LIMIT; ++i) assert.deepEqual(JSON.parse((await ask('127.0.0.2')).text), { ip: '127.0.0.2' });
  assert.equal((await ask('127.0.0.2')).status, 429);
  const other = await ask('127.0.0.3');
  assert.equal(other.status, 200);
  assert.deepEqual(JSON.parse(other.text), { ip: '127.0.0.3' });
});

test('files go up and down whole', async () => {
  const file = randomBytes(8 << 20);
  const up = await server.request('/files/picture.bin', { method: 'PUT', body: file, headers: { Authorization: authorization, 'Content-Type': 'application/octet-stream' } });
  assert.equal(up.status, 201, up.text);
  assert.deepEqual(JSON.parse(up.text), { name: 'picture.bin', bytes: file.length, sha256: createHash('sha256').update(file).digest('hex') });
  const bytes = 20_000_003;
  const down = await server.request('/files/' + bytes, asPanel);
  assert.equal(down.status, 200);
  assert.equal(down.text.length, bytes);
  assert.ok(down.text.startsWith('clawpanel clawpanel ') && !/[^clawpne ]/.test(down.text.slice(-65_536)));
});

test('a stream arrives as it is written', async () => {
  const request = https.get(server.origin + '/ticks', { ca: server.certificate, ...asPanel });
  const response = await new Promise((resolve, reject) => request.once('response', resolve).once('error', reject));
  let text = '';
  response.on('data', (chunk) => (text += chunk));
  await eventually('three of its events are here', () => text.includes('data: 3\n\n'));
  assert.match(response.headers['content-type'], /^text\/event-stream/);
  request.destroy();
});

test("the app's own WebSocket passes, /ws does not reach it", async () => {
  const socket = new WebSocket(server.origin.replace('https', 'wss') + '/other', { ca: server.certificate });
  const messages = messagesOf(socket);
  await opened(socket);
  socket.send(JSON.stringify({ hello: 'app' }));
  const binary = randomBytes(200_000);
  socket.send(binary);
  await eventually('both come back', () => messages.length === 2);
  assert.deepEqual(messages[0], { hello: 'app' });
  assert.ok(binary.equals(messages[1]));
  const closed = new Promise((resolve) => socket.once('close', (code) => resolve(code)));
  socket.close(4321, 'done');
  assert.equal(await closed, 4321);
});

test('while the app is away: 502, and the events go on; when it is back it is used again', async () => {
  const socket = live({ Authorization: server.authorization });
  const messages = messagesOf(socket);
  await opened(socket);
  await app.stop();
  const away = await server.request('/api/me', asPanel);
  assert.equal(away.status, 502);
  assert.equal(away.headers['content-type'].split(';')[0], 'application/json');
  assert.ok(JSON.parse(away.text).error);
  const { last } = await server.publish(sessionCreated('meanwhile'));
  await eventually('the event arrives', () => messages.some(({ seq }) => seq === last));
  await app.start();
  await eventually('the app is used again', async () => (await server.request('/api/me', asPanel)).status === 200);
  socket.terminate();
});
test('whom the app knows, clawws knows, and nobody else', async (t) => {
  const byApp = new ClawwsServer(['--upstream', app.url, '--auth-upstream', '/api/me'], { users: 'none' });
  t.after(() => byApp.dispose());
  await byApp.start();
  const refusal = (socket) => new Promise((resolve, reject) => {
    socket.once('unexpected-response', (_, response) => resolve(response.statusCode)).once('open', () => reject(new Error('it was let in')));
    socket.on('error', () => undefined);  // what the refusal is to this package
  });
  const socket = live({ Authorization: authorization }, byApp);
  const messages = messagesOf(socket);
  await opened(socket);
  await eventually('it is welcome', () => messages.length > 0);
  assert.equal(messages[0].payload.userId, app.user);
  assert.equal(await refusal(live({ Authorization: 'Basic ' + btoa('panel:wrong') }, byApp)), 401);
  assert.equal(await refusal(live({}, byApp)), 401);
  socket.terminate();
  // An app that is away has said nothing about a password.
  await app.stop();
  assert.equal(await refusal(live({ Authorization: 'Basic ' + btoa('panel:other') }, byApp)), 503);
  await app.start();
});
