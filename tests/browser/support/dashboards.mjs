// What the tests of the dashboard share: a server and the browser that CLAWWS_BROWSER names for all tests of a
// file, pages that are ready, and pictures of them in the build folder.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { openBrowser } from './browsers.mjs';
import { ClawwsServer } from './clawws_server.mjs';
import { linkIs, watchDashboard } from './in_page.mjs';

export class Dashboards {
  name = process.env.CLAWWS_BROWSER;
  server;
  browser = null;
  #pictures = join(process.env.CLAWWS_BINARY_DIR, 'browser/pictures');

  /** To be made where tests are declared: it begins before them and ends after them. `options` are the server's. */
  constructor(options = []) {
    this.server = new ClawwsServer(options);
    before(async () => {
      mkdirSync(this.#pictures, { recursive: true });
      await this.server.start();
      this.browser = await openBrowser(this.name, { credentials: this.server });
    });
    after(async () => {
      await this.browser?.close();
      await this.server.dispose();
    });
  }

  /** A page that is live and whose feed has begun. */
  async open(size) {
    const page = await this.browser.newPage(size);
    await page.goto(this.server.dashboard);
    await page.evaluate(watchDashboard);
    await page.until('the dashboard is live', linkIs, { args: ['live'] });
    await page.until('its feed has begun', () => document.getElementById('feed').getAttribute('aria-busy') === 'false');
    return page;
  }

  /** Where the picture of a view goes. */
  pictureOf(view) {
    return join(this.#pictures, `${this.name}-${view}.png`);
  }
}
