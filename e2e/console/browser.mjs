// A browser for the tests of the page, which notices everything that a page must not do.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

// The Go test describes the servers, and what they hold.
export const world = JSON.parse(process.env.WORLD ?? assert.fail('WORLD is not set; run the tests by: make e2e'));

const require = createRequire(path.join(world.tools, 'package.json'));
const { chromium } = require('playwright-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const unpacked = path.join(world.tools, 'chromium');

const patience = 120_000; // ms that a busy machine has for one step

export const start = () => chromium.launch({
  executablePath: path.join(unpacked, 'chromium'),
  // No sandbox, because it is not available everywhere, and the browser opens nothing but the page.
  args: ['--no-sandbox', '--no-zygote', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
  env: { ...process.env, LD_LIBRARY_PATH: path.join(unpacked, 'lib'),
    FONTCONFIG_FILE: process.env.FONTCONFIG_FILE ?? path.join(unpacked, 'fonts.conf') },
  timeout: patience,
});

// Visit is a tab without history. Its check fails if the page has asked another origin for something, violated its policy, or written
// an error to the console.
export class Visit {
  requests = []; // URLs, with method and headers
  complaints = [];
  expected = []; // what the browser reports as errors: statuses of answers, or a part of the text

  static async begin(browser, server, { locale = 'en-US', colorScheme = 'light', width = 1200, height = 900, at = '' } = {}) {
    const visit = new Visit();
    visit.server = server;
    visit.context = await browser.newContext({
      locale, colorScheme, viewport: { width, height }, timezoneId: 'Asia/Singapore', reducedMotion: 'reduce',
    });
    visit.context.setDefaultTimeout(patience);
    visit.page = await visit.context.newPage();
    await visit.watch();
    await visit.page.goto(`${server.url}/${at}`);
    return visit;
  }

  async watch() {
    await this.page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', event =>
        console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
    });
    this.page.on('request', request => this.requests.push(request));
    this.page.on('pageerror', error => this.complaints.push(`exception: ${error.stack}`));
    this.page.on('console', message => {
      if (!['error', 'warning'].includes(message.type())) return;
      const status = /status of (\d+)/.exec(message.text())?.[1];
      if (this.expected.some(each => each === Number(status) || (typeof each === 'string' && message.text().includes(each)))) return;
      this.complaints.push(`console: ${message.text()} ${message.location().url}`);
    });
  }

  // stopClock makes the time of the page go on only by page.clock.runFor. Otherwise a page on a busy machine would ask again by itself.
  async stopClock() {
    const now = Date.now();
    await this.page.clock.install({ time: now - 3_600_000 }); // it could not stop at a time in the past
    await this.page.clock.pauseAt(now);
  }

  check() {
    const { origin } = new URL(this.server.url);
    const others = this.requests.map(request => request.url()).filter(url => new URL(url).origin !== origin);
    assert.deepEqual(others, [], 'requests to other origins');
    for (const request of this.requests) {
      assert.ok(!request.url().includes(this.server.key), `the key is in an address: ${request.url()}`);
      assert.equal(request.headers().referer ?? '', '', `${request.url()} has a referrer`);
    }
    assert.deepEqual(this.complaints, []);
  }

  async end() {
    await this.context.close();
  }

  // calls returns the paths of the calls of the API so far, without their query.
  calls(ending) {
    return this.requests.map(request => new URL(request.url()).pathname).filter(name => name.endsWith(ending));
  }

  async signIn(key = this.server.key) {
    await this.page.fill('#key', key);
    await this.page.press('#key', 'Enter');
  }

  // look signs in and shows a room.
  async look(room, account = '') {
    await this.signIn();
    await this.page.fill('#room', room);
    await this.page.fill('#account', account);
    await this.page.click('#now form button');
  }

  // number returns the number with this name, as it is shown.
  async number(list, name) {
    return this.page.locator(`#${list} div`, { hasText: name }).locator('dd').textContent();
  }

  text(selector) {
    return this.page.locator(selector).textContent();
  }

  async wantNoSeriousFindings(what) {
    await this.page.evaluate(axe);
    const { violations } = await this.page.evaluate(() => globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }));
    const found = violations.filter(({ impact }) => impact !== 'minor').map(({ id, impact, nodes }) =>
      `${impact} ${id}: ${nodes.map(node => node.html).slice(0, 3).join(' ')}`);
    assert.deepEqual(found, [], `accessibility of ${what}`);
  }

  async wantNoSidewaysScroll(what) {
    const [content, window] = await this.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(content <= window, `${what} is ${content} pixels wide in a window of ${window}`);
  }
}
