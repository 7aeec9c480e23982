// A broadcaster as one writes it with `ws` on Node: POST /clawws/events takes an event or an array of them and sends
// each to all who are connected. Each event is made a buffer once, which is kinder than the usual `client.send(text)`.
//   node ws.mjs MODULES CERTIFICATE KEY PORT
import fs from 'node:fs';
import https from 'node:https';
import { createRequire } from 'node:module';

const [modules, cert, key, port] = process.argv.slice(2);
const { WebSocket, WebSocketServer } = createRequire(`${modules}/`)('ws');

const server = https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) });
server.keepAliveTimeout = 0;
const wss = new WebSocketServer({ server, path: '/ws', perMessageDeflate: false, handleProtocols: (offered) => [...offered][0] });

wss.on('connection', (client) => {
  client.on('error', () => client.terminate());
  client.send('{"type":"auth.success","payload":{}}');
});

function broadcast(event) {
  const frame = Buffer.from(JSON.stringify(event));
  for (const client of wss.clients) {
    if (client.readyState === WebSocket.OPEN) client.send(frame, { binary: false });
  }
}

server.on('request', (request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const events = Array.isArray(body) ? body : [body];
    events.forEach(broadcast);
    response.writeHead(201, { 'Content-Type': 'application/json' });
    response.end(`{"count":${events.length}}`);
  });
});

server.listen({ host: '127.0.0.1', port: Number(port), backlog: 4096 });
