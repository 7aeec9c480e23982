// One interface over three browsers: Chromium and Firefox by puppeteer, WebKit by its own WebDriver. All are
// headless, take the server's self-signed certificate, and have a fresh profile.
//
//   const browser = await openBrowser('firefox', { credentials: server });
//   const page = await browser.newPage({ width: 1280, height: 900 });
//   await page.goto(server.dashboard);
//   await page.evaluate((id) => document.getElementById(id).textContent, 'link');
import { accessSync } from 'node:fs';
import puppeteer from 'puppeteer-core';
import { Page } from './page.mjs';
import { openWebKit } from './webkit.mjs';

export const BROWSERS = ['chromium', 'firefox', 'webkit'];

// Without these Chromium looks for hosts of its own in the network.
const CHROMIUM_ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--lang=en-US'];
const FIREFOX_PREFERENCES = {
  'app.update.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'browser.safebrowsing.update.enabled': false,
  'intl.accept_languages': 'en-US',
};

/**
 * @param {'chromium'|'firefox'|'webkit'} name
 * @param {{credentials?: {user: string, password: string}, scheme?: 'light'|'dark'}} [options] what is typed into the
 *   browser's prompt, and which of its colour schemes a page is told
 */
export async function openBrowser(name, { credentials, scheme = 'light' } = {}) {
  if (name === 'webkit') return openWebKit({ credentials, scheme });
  const executablePath = firstOf(name === 'chromium' ? ['/usr/bin/chromium'] : ['/usr/bin/firefox-esr', '/usr/bin/firefox']);
  const browser = await puppeteer.launch({
    browser: name === 'chromium' ? 'chrome' : 'firefox',
    executablePath, headless: true, acceptInsecureCerts: true, defaultViewport: null,
    args: name === 'chromium' ? CHROMIUM_ARGUMENTS : [],
    extraPrefsFirefox: { ...FIREFOX_PREFERENCES, 'layout.css.prefers-color-scheme.content-override': scheme === 'dark' ? 0 : 1 },
  });
  return new PuppeteerBrowser(name, browser, credentials, scheme);
}

function firstOf(paths) {
  for (const path of paths) {
    try {
      accessSync(path);
      return path;
    } catch {
      // the next one
    }
  }
  throw new Error(`none of ${paths.join(', ')} is installed: see apps/common/packages.sh`);
}

class PuppeteerBrowser {
  #browser;
  #credentials;
  #scheme;

  constructor(name, browser, credentials, scheme) {
    this.name = name;
    this.#browser = browser;
    this.#credentials = credentials;
    this.#scheme = scheme;
  }

  /** In a window of its own, so that each is visible and draws. */
  async newPage({ width = 1280, height = 900 } = {}) {
    const page = await this.#browser.newPage({ type: 'window' });
    await page.setViewport({ width, height });
    if (this.#credentials) await page.authenticate({ username: this.#credentials.user, password: this.#credentials.password });
    if (this.name === 'chromium') await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: this.#scheme }]);
    return new PuppeteerPage(page);
  }

  async close() {
    await this.#browser.close();
  }
}

class PuppeteerPage extends Page {
  /** Errors that the page's console shows, policy violations among them. */
  problems = [];
  #page;

  constructor(page) {
    super();
    this.#page = page;
    page.on('console', (message) => message.type() === 'error' && this.problems.push(message.text() + ' ' + (message.location().url ?? '')));
    page.on('pageerror', (problem) => this.problems.push(String(problem)));
  }

  async goto(url) {
    await this.#page.goto(url);
  }
  evaluate(call, ...args) {
    return this.#page.evaluate(call, ...args);
  }
  async resize(width, height) {
    await this.#page.setViewport({ width, height });
  }
  async screenshot(path) {
    await this.#page.bringToFront();
    await this.#page.screenshot({ path });
  }
  async close() {
    await this.#page.close();
  }
}
