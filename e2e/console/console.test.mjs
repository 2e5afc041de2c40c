// Looks at the page in a browser, as a person in a back office does.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Visit, start, world } from './browser.mjs';

const { demo, app } = world;
const pictures = process.env.SCREENSHOTS; // a directory, or undefined
const history = `#/streams?month=${world.month}`;
const present = `#/streams?month=${world.present}`;

let browser;
before(async () => {
  browser = await start();
});
after(() => browser?.close());

// visit runs a test in a tab of its own, and then checks that the page did nothing that it must not do.
function visit(name, server, options, run) {
  test(name, { timeout: 600_000 }, async () => {
    const one = await Visit.begin(browser, server, options);
    try {
      await run(one, one.page);
      one.check();
    } finally {
      await one.end();
    }
  });
}

async function control() {
  const response = await fetch(app.control, { method: 'POST' });
  assert.equal(response.status, 200);
}

// ---- Signing in and out ----

visit('a wrong key is refused, with the id of the request', demo, {}, async (one, page) => {
  one.expected = [401];
  await one.signIn('wrong');
  await page.waitForSelector('#sign-in .error p');
  const error = await one.text('#sign-in .error');
  assert.match(error, /^This key is not accepted.*Request ID: \w{10,}$/);
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  assert.ok(await page.locator('#nav').isHidden());

  await one.signIn('密钥');
  await page.locator('#sign-in .error', { hasText: 'Latin letters' }).waitFor();
  assert.equal(one.calls('/v1/streams').length, 1, 'a key that cannot be one is not sent');
});

visit('the key stays in the tab, and signing out forgets it', demo, {}, async (one, page) => {
  await one.look('saturday-show', 'alice');
  await page.waitForSelector('#live:visible');
  await page.reload();
  await page.waitForSelector('#live:visible'); // the tab remembers key and room
  const kept = await page.evaluate(() => [Object.values(sessionStorage), localStorage.length, document.cookie, location.href]);
  assert.deepEqual(kept, [[demo.key], 0, '', `${demo.url}/#/now?room_id=saturday-show&account=alice`]);
  assert.ok(!(await page.content()).includes(demo.key), 'the key is in the document');

  await page.click('#sign-out');
  await page.waitForSelector('#key:visible');
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  assert.equal(page.url(), `${demo.url}/`);
  const content = await page.content();
  for (const gone of ['alice', 'saturday-show', 'carol']) assert.ok(!content.includes(gone), `${gone} is still in the document`);
  await page.goBack();
  assert.ok(await page.locator('#key').isVisible(), 'going back does not sign in');
});

visit('a key that is revoked in the meantime leads back to signing in', app, {}, async (one, page) => {
  one.expected = [401];
  await one.stopClock();
  await one.look('saturday-show', 'alice');
  await page.waitForSelector('#live:visible');
  await page.route('**/v1/*', route => route.continue({ headers: { ...route.request().headers(), authorization: 'Bearer revoked' } }));
  await page.click('nav a[href="#/streams"]');
  await page.waitForSelector('#sign-in .error p');
  assert.match(await one.text('#sign-in .error'), /^This key is not accepted/);
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  assert.ok(await page.locator('#list').isHidden());
});

// ---- Now ----

visit('the numbers of the simulated show move by themselves', demo, {}, async (one, page) => {
  await one.look('saturday-show');
  await page.waitForSelector('#live:visible');
  const before = await one.number('live-numbers', 'Coins');
  await page.waitForFunction(text => document.querySelector('#live-numbers dd').textContent !== text, before);
  assert.match(await one.text('#gain'), /^\+[\d,]+ coins in (\d+ min ?)?(\d+ s)?$/);
  assert.match(await one.text('#live-state'), /^Live · updated at /);
  assert.ok((await page.locator('#live-senders tbody tr').count()) > 0, 'there are top senders');
  assert.equal(await page.locator('#chart canvas').count(), 1);
});

visit('numbers are refreshed every 5 seconds, but not while paused or hidden', app, {}, async (one, page) => {
  await one.stopClock();
  const asked = () => one.calls('/v1/gift-stats').length;
  const settle = () => page.waitForFunction(() => !document.querySelector('#live').hidden);
  await one.look('saturday-show', 'alice');
  await settle();
  const before = await one.number('live-numbers', 'Coins');
  await control();
  const refreshed = page.waitForResponse('**/v1/top-senders?*');
  await page.clock.runFor(5000);
  await refreshed;
  await page.waitForFunction(text => document.querySelector('#live-numbers dd').textContent !== text, before);
  assert.equal(asked(), 2);
  assert.match(await page.getAttribute('#chart', 'aria-label'), /^Line chart: [\d,]+ coins at .*, [\d,]+ coins at /);

  await page.click('#pause');
  assert.match(await one.text('#live-state'), /^Paused/);
  await page.clock.runFor(60_000);
  assert.equal(asked(), 2, 'it asks while paused');
  const resumed = page.waitForResponse('**/v1/top-senders?*');
  await page.click('#pause');
  const state = await one.text('#live-state');
  assert.match(state, /^Live/);
  await page.clock.runFor(1000);
  await resumed;
  await page.waitForFunction(text => document.querySelector('#live-state').textContent !== text, state); // the new numbers are there
  assert.equal(asked(), 3);

  const hide = hidden => page.evaluate(value => {
    Object.defineProperty(document, 'hidden', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
  await hide(true);
  await page.clock.runFor(60_000);
  assert.equal(asked(), 3, 'it asks while hidden');
  const woken = page.waitForRequest('**/v1/gift-stats?*');
  await hide(false);
  await page.clock.runFor(1000);
  await woken;
});

visit('a rate limit is shown, and respected', app, {}, async (one, page) => {
  one.expected = [429];
  await one.stopClock();
  await one.look('saturday-show', 'alice');
  await page.waitForSelector('#live:visible');
  const asked = () => one.calls('/v1/gift-stats').length;
  const before = asked();
  const problem = { status: 429, code: 'rate_limited', detail: 'Tencent limits the rate', retryable: true, request_id: 'request-1' };
  await page.route('**/v1/gift-stats?*', route =>
    route.fulfill({ status: 429, headers: { 'Retry-After': '40' }, contentType: 'application/problem+json', body: JSON.stringify(problem) }));
  await page.clock.runFor(5000);
  await page.waitForSelector('#now .error p');
  assert.match(await one.text('#now .error'), /Too many requests were sent to Tencent\..*Tencent limits the rate.*Trying again in 40 s\..*request-1/);
  assert.ok(await page.locator('#live').isVisible(), 'the last numbers stay');
  await page.unroute('**/v1/gift-stats?*');
  await page.clock.runFor(38_000);
  assert.equal(asked(), before + 1);
  await page.clock.runFor(3000);
  await page.waitForFunction(() => !document.querySelector('#now .error p'));
  assert.equal(asked(), before + 2);
});

visit('an answer of the gateway itself is shown, and asked again ever less often', app, {}, async (one, page) => {
  one.expected = [503];
  await one.stopClock();
  await page.route('**/v1/room-stats?*', route => route.fulfill({ status: 503, contentType: 'application/json', body: '{"message":"Down"}' }));
  await one.look('saturday-show');
  for (const [wait, seconds] of [['10 s', 10], ['20 s', 20], ['40 s', 40], ['1 min', 60]]) {
    await page.getByText(`Trying again in ${wait}.`).waitFor();
    assert.match(await one.text('#now .error'), /The server answered with status 503\./);
    if (seconds === 60) await page.unroute('**/v1/room-stats?*');
    await page.clock.runFor(1000 * seconds + 500);
  }
  await page.waitForSelector('#live:visible');
});

visit('a lost connection and an answer of somebody else are shown, and asked again', app, {}, async (one, page) => {
  one.expected = ['ERR_FAILED'];
  await one.stopClock();
  await one.look('saturday-show');
  await page.waitForSelector('#live:visible');
  const page200 = { status: 200, contentType: 'text/html', body: '<title>Please sign in to the network</title>' };
  await page.route('**/v1/room-stats?*', route => route.fulfill(page200));
  await page.clock.runFor(5000);
  await page.getByText('The answer does not come from giftstats.').waitFor();
  await page.unroute('**/v1/room-stats?*');
  await page.route('**/v1/room-stats?*', route => route.abort());
  await page.clock.runFor(10_500);
  await page.getByText('The server cannot be reached.').waitFor();
  await page.unroute('**/v1/room-stats?*');
  await page.clock.runFor(20_500);
  await page.waitForFunction(() => !document.querySelector('#now .error p'));
});

visit('an error shows what is wrong and the id of the request', app, {}, async (one, page) => {
  one.expected = [404];
  const answered = page.waitForResponse('**/v1/room-stats?*');
  await one.look('no-such-room');
  const problem = await (await answered).json();
  await page.waitForSelector('#now .error p');
  const shown = await one.text('#now .error');
  assert.ok(shown.includes(problem.detail), `${shown} lacks ${problem.detail}`);
  assert.ok(shown.includes(`Request ID: ${problem.request_id}`), `${shown} lacks ${problem.request_id}`);
  const again = page.waitForResponse('**/v1/room-stats?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  const second = await (await again).json();
  await page.getByText(second.request_id).waitFor();
  await page.click('#now .error a');
  await page.waitForSelector('#list:visible');
});

visit('in Chinese, an error is explained in Chinese, with the detail of the server beneath it', app, { locale: 'zh-CN' }, async (one, page) => {
  one.expected = [404];
  const answered = page.waitForResponse('**/v1/room-stats?*');
  await one.look('no-such-room');
  const problem = await (await answered).json();
  await page.waitForSelector('#now .error p');
  const lines = await page.locator('#now .error p').allTextContents();
  assert.equal(lines[1], '没有这个房间：它从未创建，或者直播已经结束，腾讯已不再保留。请检查房间 ID。');
  assert.equal(lines[2], `服务器的说明（英文）：${problem.detail}`);
  assert.equal(lines.at(-1), `请求 ID：${problem.request_id}`);
  assert.equal(await page.locator('#now .error [lang=en]').textContent(), problem.detail);
});

visit('a code that the page does not know is shown by the detail of the server alone', app, {}, async (one, page) => {
  one.expected = [418];
  const problem = { status: 418, code: 'constructor', detail: 'I am a teapot', retryable: false, request_id: 'request-3' };
  await page.route('**/v1/room-stats?*', route =>
    route.fulfill({ status: 418, contentType: 'application/problem+json', body: JSON.stringify(problem) }));
  await one.look('saturday-show');
  await page.waitForSelector('#now .error p');
  const lines = await page.locator('#now .error p').allTextContents();
  assert.deepEqual(lines, ['The request failed', 'I am a teapot', 'Request ID: request-3']);
});

visit('a stream that is over shows what is remembered, and is not asked for again', app, {}, async (one, page) => {
  await one.stopClock();
  await one.look('early-show', 'alice');
  await page.waitForSelector('#live:visible');
  assert.match(await one.text('#live-state'), /^The stream ended at /);
  assert.ok(await page.locator('#pause').isHidden());
  assert.ok(await page.locator('#chart').isHidden());
  await page.clock.runFor(60_000);
  assert.equal(one.calls('/v1/gift-stats').length, 1);
});

visit('without a ledger, the page says so', app, {}, async (one, page) => {
  one.expected = [404];
  const problem = { status: 404, code: 'not_found', detail: 'no ledger is configured', retryable: false, request_id: 'request-2' };
  for (const call of ['streams', 'top-senders']) {
    await page.route(`**/v1/${call}?*`, route =>
      route.fulfill({ status: 404, contentType: 'application/problem+json', body: JSON.stringify(problem) }));
  }
  await one.stopClock();
  await one.look('saturday-show');
  await page.getByText('This deployment has no ledger').waitFor();
  await page.clock.runFor(20_000);
  assert.equal(one.calls('/v1/top-senders').length, 1, 'it asks for senders again');
  await page.click('nav a[href="#/streams"]');
  await page.waitForSelector('#streams .error p');
  assert.match(await one.text('#streams .error'), /^This deployment has no ledger.*no ledger is configured.*request-2/);
});

// ---- Streams ----

visit('a month of streams: totals, pages, order', app, { at: history }, async (one, page) => {
  await one.signIn();
  await page.waitForSelector('#list-table tbody tr');
  const rows = page.locator('#list-table tbody tr');
  assert.equal(await rows.count(), 100);
  assert.equal(await one.number('list-numbers', 'Streams loaded so far'), '100');
  await page.click('#more');
  await page.waitForFunction(() => document.querySelector('#more').hidden);
  assert.equal(await rows.count(), world.streams, 'the stream just after midnight is in the month of the browser');
  assert.equal(await one.number('list-numbers', 'Streams'), String(world.streams));

  const column = async n => (await page.locator(`#list-table tbody tr > :nth-child(${n})`).allTextContents());
  const coins = async () => (await column(5)).map(text => Number(text.replaceAll(',', '')));
  const total = (await coins()).reduce((sum, value) => sum + value);
  assert.equal(await one.number('list-numbers', 'Coins'), total.toLocaleString('en-US'));
  await page.getByRole('button', { name: 'Coins' }).click();
  assert.equal(await page.locator('th[aria-sort]').getAttribute('aria-sort'), 'descending');
  const falling = await coins();
  assert.deepEqual(falling, falling.toSorted((a, b) => b - a));
  const bars = await page.locator('#list-table .share div div').evaluateAll(all => all.map(bar => bar.getBoundingClientRect().width));
  assert.ok(Math.abs(bars.at(-1) / bars[0] - falling.at(-1) / falling[0]) < 0.02, 'the bars are not in proportion');
  await page.getByRole('button', { name: 'Coins' }).click();
  assert.deepEqual(await coins(), falling.toReversed());
  await page.getByRole('button', { name: 'Room ID' }).click();
  const rooms = await column(2);
  assert.deepEqual(rooms, rooms.toSorted((a, b) => a.localeCompare(b, 'en-US')));
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Room ID', 'the focus stays on the heading');
});

visit('one host, and a stream of it', app, { at: history }, async (one, page) => {
  await one.signIn();
  await page.fill('#host', 'alice');
  await page.press('#host', 'Enter');
  await page.getByRole('heading', { name: /^alice, / }).waitFor();
  const links = page.locator('#list-table tbody a');
  assert.equal(await links.count(), world.ofAlice);
  await page.getByRole('button', { name: 'Coins' }).click();
  const coins = await page.locator('#list-table tbody tr').first().locator('td').nth(3).textContent();
  await page.locator('#list-table tbody tr').first().locator('td').nth(2).click(); // anywhere in the row
  await page.waitForSelector('#stream:visible');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'stream-title');
  assert.equal(await page.locator('#stream-hosts tbody tr').count(), 1);
  assert.equal(await page.locator('#stream-hosts tbody td').nth(1).textContent(), coins);
  assert.match(await one.text('#obtained'), /^Tencent gave the numbers of alice after the end of the stream\. They are exactly the totals/);
  await page.reload();
  await page.waitForSelector('#stream:visible'); // its address finds it again
  await page.goBack();
  await page.waitForSelector('#list:visible');
  assert.equal(await links.count(), world.ofAlice);
});

visit('a stream whose numbers do not add up says so', app, { at: history }, async (one, page) => {
  await one.signIn();
  await page.locator('#list-table tbody tr', { hasText: 'cooking-live-104' }).locator('a').click();
  await page.waitForSelector('#stream:visible');
  assert.match(await one.text('#obtained'), /They do not add up to the totals of the room\. 2 gifts and 200 coins cannot be assigned/);
  await page.click('#back');
  await page.waitForSelector('#list:visible');
});

visit('a stream with two hosts, senders and gifts', demo, { at: present }, async (one, page) => {
  await one.signIn();
  await page.locator('#list-table tbody a').click();
  await page.waitForSelector('#stream:visible');
  assert.equal(await one.text('#obtained'), 'The numbers of alice are the last ones that Tencent gave while the stream was live. ' +
    'The numbers of bob are the last ones that Tencent gave while the stream was live, plus the gifts that were recorded after that. ' +
    'Together, the hosts have exactly the totals of the room.');
  const table = async part => page.locator(`#${part} tbody tr`).evaluateAll(rows =>
    rows.map(row => [...row.cells].map(cell => cell.textContent).filter(Boolean).join(' ')));
  assert.deepEqual(await table('stream-hosts'), ['alice 113 1,409 3 Tencent, while live', 'bob 6 2,400 3 Tencent, plus gifts recorded since']);
  assert.deepEqual(await table('stream-senders'), ['frank 2 2,000', 'erin 2 1,100', 'dave 16 610', 'carol 99 99']);
  assert.deepEqual(await table('stream-gifts'), ['rocket 3 3,000', 'car 7 700', 'rose 109 109']);
});

visit('guests who only took a seat, and a number that JavaScript cannot represent', app, { at: '#/streams' }, async (one, page) => {
  const account = (name, coins) => `{"account":"${name}","total_count":${coins && 7},"total_coins":${coins},"gift_sender_count":1,"from":"room"}`;
  await page.route('**/v1/streams?*account=dora*', route => route.fulfill({ contentType: 'application/json', body:
    `{"streams":[{"event_id":"e","room_id":"r","ended_at":"${new Date().toISOString()}","room":null,"reconciled":true,"accounts":[` +
    `${account('dora', '9007199254740993')},${account('bob', 0)},${account('carol', 0)}]}],"total_count":7,"total_coins":9007199254740993}` }));
  await one.signIn();
  await page.fill('#host', 'dora');
  await page.press('#host', 'Enter');
  await page.getByRole('heading', { name: /^dora, / }).waitFor();
  assert.equal(await one.number('list-numbers', 'Coins'), '≈ 9,007,199,254,740,992');
  assert.equal(await one.number('list-numbers', 'Gifts'), '7');
  await page.locator('#list-table tbody a').click();
  await page.waitForSelector('#stream:visible');
  assert.equal(await one.text('#obtained'), 'dora is the only account known to receive gifts in this stream, so its numbers are the totals ' +
    'of the room. No gift to bob and carol is known. Together, the hosts have exactly the totals of the room.');
});

visit('the CSV file has all streams of the month', app, { at: history }, async (one, page) => {
  await one.signIn();
  await page.waitForSelector('#csv:visible');
  // Small pages, so that there are several.
  await page.route('**/v1/streams?*limit=1000*', route => route.continue({ url: route.request().url().replace('limit=1000', 'limit=40') }));
  const started = page.waitForEvent('download');
  await page.click('#csv');
  const download = await started;
  assert.equal(download.suggestedFilename(), `giftstats-${world.month}.csv`);
  const text = fs.readFileSync(await download.path(), 'utf8');
  assert.ok(text.startsWith('\uFEFFroom_id,account,started_at,'), text.slice(0, 80));
  const rows = text.trimEnd().split('\r\n').slice(1);
  assert.equal(rows.length, world.streams);
  assert.equal(new Set(rows).size, world.streams, 'a stream is listed twice');
  assert.ok(!rows.some(row => row.startsWith('room_id,')), 'the names of the columns appear twice');
  assert.equal(one.requests.filter(request => request.headers().accept === 'text/csv').length, 3);
  await page.waitForFunction(() => document.querySelector('#streams-status').textContent.includes('downloaded'));
});

visit('a month without streams says so', app, { at: '#/streams?account=nobody' }, async (one, page) => {
  await one.signIn();
  await page.waitForSelector('#list:visible');
  assert.equal(await one.text('#list-table'), 'No stream ended in this month.');
  assert.ok(await page.locator('#csv').isHidden());
});

// ---- Hostile names ----

const hostileRoom = '<img src=x onerror="document.title=\'taken\'">';
const hostileHost = '"><script>taken=1</script>';
const hostileGift = '<svg/onload=taken=1>';
const hostileSender = '\u202e\u05d0\u05d1\u05d2 &lt;b&gt;';

async function wantOnlyText(page) {
  assert.equal(await page.evaluate(() => globalThis.taken), undefined, 'a script of a name has run');
  assert.doesNotMatch(await page.title(), /^taken/);
  assert.equal(await page.locator('main :is(img, svg, script, iframe, b)').count(), 0, 'a name has become an element');
}

for (const width of [1200, 360]) {
  visit(`hostile names stay text, in a window of ${width} pixels`, app, { width }, async (one, page) => {
    await one.look(hostileRoom, hostileHost);
    await page.waitForSelector('#live-senders tbody tr');
    assert.equal(await one.text('#live-title'), `${hostileHost} in room ${hostileRoom}`);
    assert.ok((await page.locator('#live-senders tbody th').allTextContents()).includes(hostileSender));
    await one.wantNoSidewaysScroll('Now');
    await wantOnlyText(page);
    if (pictures) await page.screenshot({ path: path.join(pictures, `hostile-now-${width}.png`), fullPage: true });

    await page.goto(`${app.url}/${present}`);
    await page.locator('#list-table tbody tr', { hasText: `x${hostileRoom}` }).waitFor();
    await one.wantNoSidewaysScroll('Streams');
    await page.locator('#list-table tbody tr', { hasText: `x${hostileRoom}` }).locator('a').click();
    await page.waitForSelector('#stream:visible');
    assert.equal(await one.text('#stream-title'), `Room x${hostileRoom}`);
    assert.ok((await page.locator('#stream-hosts tbody th').allTextContents()).includes(hostileHost));
    assert.ok((await page.locator('#stream-senders tbody th').allTextContents()).includes(hostileSender));
    assert.ok((await page.locator('#stream-gifts tbody th').allTextContents()).includes(hostileGift));
    await one.wantNoSidewaysScroll('a stream');
    await wantOnlyText(page);
    if (pictures) await page.screenshot({ path: path.join(pictures, `hostile-stream-${width}.png`), fullPage: true });
  });
}

visit('the browser would refuse code in the page, even if there were some', app, {}, async (one, page) => {
  const refused = await page.evaluate(() => {
    const tries = {
      html: () => { document.body.innerHTML = '<p>'; },
      script: () => {
        const script = document.createElement('script');
        script.append('globalThis.taken = 1');
        document.head.append(script);
        if (globalThis.taken !== 1) throw new Error('refused');
      },
      style: () => {
        const mark = document.createElement('p');
        mark.setAttribute('style', 'color: red');
        if (getComputedStyle(mark).color !== 'rgb(255, 0, 0)') throw new Error('refused');
      },
    };
    return Object.keys(tries).filter(name => {
      try {
        tries[name]();
        return false;
      } catch {
        return true;
      }
    });
  });
  assert.deepEqual(refused, ['html', 'script', 'style']);
  assert.ok(one.complaints.length >= 3 && one.complaints.every(text => /policy violated|Content Security Policy|TrustedHTML|Trusted/.test(text)),
    one.complaints.join('\n'));
  one.complaints = [];
});

// ---- Everybody ----

visit('everything works with the keyboard alone', app, { at: history }, async (one, page) => {
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const focused = () => page.evaluate(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    return { id: document.activeElement.id, text: document.activeElement.textContent, outline: `${outlineStyle} ${outlineWidth}` };
  });
  await press('Tab', 'Tab');
  assert.deepEqual(await focused(), { id: 'key', text: '', outline: 'solid 2px' });
  await page.keyboard.type(app.key);
  await press('Enter');
  await page.waitForSelector('#list:visible');
  const seen = [];
  await page.evaluate(() => document.querySelector('.brand').focus());
  for (let i = 0; i < 20; i++) {
    await press('Tab');
    const { id, text, outline } = await focused();
    assert.equal(outline, 'solid 2px', `the focus on ${id || text} cannot be seen`);
    seen.push(id || text);
  }
  for (const want of ['Now', 'Streams', 'sign-out', 'host', 'month', 'Show', 'csv', 'sort-coins']) {
    assert.ok(seen.includes(want), `${want} cannot be reached: ${seen}`);
  }
  await page.locator('#list-table tbody a').first().focus();
  await press('Enter');
  await page.waitForSelector('#stream:visible');
});

const views = {
  'sign-in': async () => {},
  now: async (one, page) => {
    await one.look('saturday-show', 'alice');
    await page.waitForSelector('#live-senders tbody tr');
  },
  error: async (one, page) => {
    await one.look('no-such-room');
    await page.waitForSelector('#now .error p');
  },
  streams: async (one, page) => {
    await one.signIn();
    await page.goto(`${app.url}/${history}&account=alice`);
    await page.waitForSelector('#list-table tbody tr');
  },
  stream: async (one, page) => {
    await one.signIn();
    await page.goto(`${app.url}/${present}&account=alice`);
    await page.locator('#list-table tbody a').first().click();
    await page.waitForSelector('#stream:visible');
  },
};

for (const locale of ['en-US', 'zh-CN']) {
  for (const colorScheme of ['light', 'dark']) {
    for (const [name, width] of [['wide', 1200], ['phone', 360]]) {
      for (const [view, show] of Object.entries(views)) {
        visit(`${view} in ${locale}, ${colorScheme}, ${name}`, app, { locale, colorScheme, width, height: 900 }, async (one, page) => {
          one.expected = [404];
          if (pictures && view === 'now') await page.clock.install();
          await show(one, page);
          assert.equal(await page.evaluate(() => document.documentElement.lang), locale === 'zh-CN' ? 'zh-CN' : 'en');
          const text = await page.locator('body').innerText();
          assert.doesNotMatch(text, /undefined|NaN|Invalid|\{\w+\}/, 'a text is missing');
          if (locale === 'zh-CN') assert.doesNotMatch(await page.title(), /Now|Sign|Streams|Room/);
          await one.wantNoSidewaysScroll(view);
          if (pictures) await picture(one, page, `${view}-${locale}-${colorScheme}-${name}.png`);
          one.check();
          await one.wantNoSeriousFindings(view);
        });
      }
    }
  }
}

// picture takes a picture. Of a live room it waits until the chart has some minutes.
async function picture(one, page, file) {
  if (await page.locator('#live').isVisible()) {
    for (let i = 0; i < 50; i++) {
      await control();
      const gain = await one.text('#gain');
      await page.clock.runFor(5100);
      await page.waitForFunction(before => document.querySelector('#gain').textContent !== before, gain);
    }
  }
  await page.screenshot({ path: path.join(pictures, file), fullPage: !file.startsWith('streams') });
}

// ---- The library ----

test('the chart library is the file that its authors have published', () => {
  for (const [ours, theirs] of [['LICENSE', 'LICENSE'], ['uPlot.iife.min.js', 'dist/uPlot.iife.min.js'], ['uPlot.min.css', 'dist/uPlot.min.css']]) {
    const [our, their] = [path.join('../pkg/console/uPlot-1.6.32', ours), path.join(world.tools, 'node_modules/uplot', theirs)];
    assert.deepEqual(fs.readFileSync(our), fs.readFileSync(their), ours);
  }
});
