// An Express app as ClawPanel's is: its Basic middleware, its rate limiter behind a proxy on loopback, and
// beside that what a proxy may get wrong: uploads, downloads, server-sent events, a WebSocket of its own.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { WebSocketServer } from 'ws';

export const LIMIT = 20;

export class ExpressApp {
  #server = null;
  #port = 0;
  #sockets = null;
  seen = [];

  constructor({ user, password, folder }) {
    this.user = user;
    this.password = password;
    this.folder = folder;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** On the port that it had, if it had one. */
  async start() {
    this.#server = createServer(this.#routes());
    this.#sockets = new WebSocketServer({ noServer: true });
    this.#server.on('upgrade', (request, socket, head) => {
      if (request.url !== '/other') return socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
      this.#sockets.handleUpgrade(request, socket, head, (peer) => peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary })));
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await new Promise((resolve) => this.#server.once('listening', resolve));
    this.#port = this.#server.address().port;
    return this;
  }

  async stop() {
    for (const socket of this.#sockets.clients) socket.terminate();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #routes() {
    const app = express();
    app.set('trust proxy', 'loopback');
    app.use((request, _, next) => {
      this.seen.push({ path: request.path, ip: request.ip, protocol: request.protocol, host: request.headers.host });
      next();
    });
    app.use('/limited', rateLimit({ windowMs: 15 * 60_000, limit: LIMIT, standardHeaders: 'draft-8', legacyHeaders: false }),
      (request, response) => response.json({ ip: request.ip }));
    if (this.folder) app.use('/panel', express.static(this.folder));
    app.use((request, response, next) => {
      const [, text = ''] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? [];
      const given = Buffer.from(text, 'base64').toString();
      if (given === `${this.user}:${this.password}`) return next();
      response.set('WWW-Authenticate', 'Basic realm="Dashboard"').status(401).json({ error: 'Unauthorized' });
    });
    app.get('/api/me', (request, response) => response.json({ user: this.user, secure: request.secure }));
    app.put('/files/:name', (request, response) => {
      const hash = createHash('sha256');
      let bytes = 0;
      request.on('data', (chunk) => {
        bytes += chunk.length;
        hash.update(chunk);
      });
      request.on('end', () => response.status(201).json({ name: request.params.name, bytes, sha256: hash.digest('hex') }));
    });
    app.get('/files/:bytes', (request, response) => {
      const block = Buffer.alloc(65_536, 'clawpanel ');
      let left = Number(request.params.bytes);
      const write = () => {
        while (left > 0) {
          const part = block.subarray(0, Math.min(left, block.length));
          left -= part.length;
          if (!response.write(part)) return response.once('drain', write);
        }
        response.end();
      };
      response.type('application/octet-stream');
      write();
    });
    app.get('/ticks', (request, response) => {
      response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' }).flushHeaders();
      let count = 0;
      const timer = setInterval(() => response.write(`data: ${++count}\n\n`), 50);
      response.on('close', () => clearInterval(timer));
    });
    return app;
  }
}
