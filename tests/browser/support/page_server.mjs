// Pages of another origin than clawws: those of a folder, or an empty one and a copy of the client as a project
// of its own would serve it.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

const CLIENT = join(process.env.CLAWWS_SOURCE_DIR, 'lib/web/clawws.js');
const EMPTY = '<!doctype html><link rel="icon" href="data:,"><title>another origin</title><body>';
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

export class PageServer {
  #folder;
  #server = createServer((request, response) => {
    const path = request.url === '/' ? '/index.html' : request.url.replaceAll('..', '');
    let body;
    try {
      body = this.#folder ? readFileSync(join(this.#folder, path)) : path === '/clawws.js' ? readFileSync(CLIENT) : EMPTY;
    } catch {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('Content-Type', TYPES[extname(path)] ?? 'application/octet-stream').end(body);
  });

  /** @param {string} [folder] what to serve */
  constructor(folder) {
    this.#folder = folder;
  }
  async start() {
    this.#server.listen(0, '127.0.0.1');
    await new Promise((resolve) => this.#server.once('listening', resolve));
    return this;
  }
  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }
  dispose() {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }
}
