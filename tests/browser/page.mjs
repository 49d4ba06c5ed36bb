// The checks behind tests/browser/run: the echo example, seen through its own page in Chromium.
//
// What was sent and received is read from the browser's own record of the messages, so that a fault of the page cannot
// hide one of the server.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import assert from 'node:assert/strict';

const cache = process.env.BROWSER_CACHE;
const { chromium } = createRequire(join(cache, 'here.js'))('playwright-core');
const MIB = 1 << 20, PATIENCE = 15_000;
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

let passed = 0, failed = 0, echo, browser;

async function check(name, act) {
  try {
    await act();
    passed += 1;
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${String(error?.message ?? error).split('\n').slice(0, 12).join('\n     ')}`);
  }
}

async function within(promise, what) {
  const late = new AbortController();
  try {
    return await Promise.race([promise, sleep(PATIENCE, null, { signal: late.signal }).then(() => assert.fail(`${what}: too late`))]);
  } finally {
    late.abort();
  }
}

async function start() {
  echo = spawn(process.env.ECHO_PROGRAM, ['127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  echo.ended = once(echo, 'exit');
  const address = new Promise((resolve, reject) => {
    echo.on('error', reject);
    echo.ended.then(([code]) => reject(new Error(`the example ended with ${code} before it listened`)), reject);
    createInterface(echo.stdout).on('line', line => {
      const found = /^listening on (127\.0\.0\.1:\d+)$/.exec(line);
      if (found) resolve(found[1]);
    });
  });
  return within(address, 'the line "listening on"');
}

// A page in a context of its own, with what it said and moved.
async function open(address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const seen = { page, complaints: [], requests: [], sent: [], received: [] };
  page.on('console', message => { if (['error', 'warning'].includes(message.type())) seen.complaints.push(message.text()); });
  page.on('pageerror', error => seen.complaints.push(String(error)));
  page.on('request', request => seen.requests.push(request.url()));
  const record = await context.newCDPSession(page); // Playwright's own event leaves empty messages out
  for (const [event, messages] of [['Network.webSocketFrameSent', seen.sent], ['Network.webSocketFrameReceived', seen.received]]) {
    record.on(event, ({ response: { opcode, payloadData } }) => {
      if (opcode === 1 || opcode === 2) messages.push(opcode === 1 ? payloadData : Buffer.from(payloadData, 'base64'));
    });
  }
  await record.send('Network.enable');
  seen.response = await page.goto(`http://${address}/`);
  return seen;
}

const text = (page, id) => page.locator(`#${id}`).innerText();
const state = (page, name) => page.waitForSelector(`#status[data-state=${name}]`);
const rows = (page, filter) => page.locator(`#log tr${filter}`);
const number = async (page, id) => Number((await text(page, id)).replaceAll(',', ''));
const bytes = message => (typeof message === 'string' ? Buffer.from(message) : message);

async function connect({ page }, protocols = '') {
  await page.fill('#protocols', protocols);
  await page.click('#connect');
  await state(page, 'open');
}

// Runs `act`, which sends one message, waits for its echo, and compares the two with `expected` and the page's own rows.
async function echoes(seen, act, expected) {
  const at = seen.received.length;
  assert.equal(seen.sent.length, at, 'an earlier message has no echo');
  await act(seen.page);
  for (const end = Date.now() + PATIENCE; seen.received.length === at; await sleep(5)) {
    assert(Date.now() < end, 'no echo came');
  }
  const [sent, received] = [seen.sent[at], seen.received[at]];
  assert.equal(typeof received, typeof sent, 'text or binary');
  if (expected !== undefined) {
    assert.equal(typeof sent, typeof expected, 'text or binary');
    assert(bytes(sent).equals(bytes(expected)), `sent was ${bytes(sent).toString('hex').slice(0, 80)}`);
  }
  assert(bytes(received).equals(bytes(sent)), `the echo of ${bytes(sent).length} bytes has ${bytes(received).length} and differs`);
  const size = bytes(sent).length, type = typeof sent === 'string' ? 'text' : 'binary';
  const row = seen.page.locator('#log tr:last-child[data-dir=in]');
  await row.waitFor();
  assert.deepEqual({ ...await row.evaluate(line => ({ ...line.dataset })), note: '' }, { dir: 'in', type, size: `${size}`, same: 'true', note: '' });
  return sent;
}

const sendText = value => async page => {
  await page.fill('#text', value);
  await page.press('#text', 'Enter');
};
const sendHex = value => async page => {
  await page.fill('#hex', value);
  await page.click('#send-hex');
};

async function closeRow(page, expected) {
  const row = rows(page, ':last-child[data-type=close][data-dir=none]');
  await row.waitFor();
  const { code, reason, clean } = await row.evaluate(line => ({ ...line.dataset }));
  assert.deepEqual({ code, reason, clean }, expected);
}

async function complains(page, act, id, pattern) {
  await act();
  assert.match(await text(page, `${id}-error`), pattern);
  assert.equal(await page.getAttribute(`#${id}`, 'aria-invalid'), 'true');
}

async function main() {
  const address = await start();
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: FLAGS });
  console.log(`     Chromium ${browser.version()}, ${process.env.ECHO_PROGRAM} on ${address}`);
  const seen = await open(address), { page } = seen;

  await check('GET / answers the page, as HTML in UTF-8 under a strict Content-Security-Policy', async () => {
    assert.equal(seen.response.status(), 200);
    assert.match(await seen.response.headerValue('content-type') ?? '', /^text\/html; ?charset=utf-8$/i);
    assert.match(await seen.response.headerValue('content-security-policy') ?? '', /^default-src 'none';/);
    assert.equal(await page.title(), 'WebSocket echo');
  });
  await check('the page needs nothing else', async () => {
    assert.deepEqual(seen.requests, [`http://${address}/`]);
    assert.deepEqual(seen.complaints, []);
  });
  await check('it starts not connected, with this host as the URL', async () => {
    assert.equal(await text(page, 'state'), 'Not connected');
    assert.equal(await page.inputValue('#url'), `ws://${address}/echo`);
    assert(await page.isDisabled('#send-text'));
  });
  await check('a URL and subprotocols that cannot be are refused in place', async () => {
    for (const url of ['nonsense', 'ftp://localhost/', `ws://${address}/echo#part`, 'ws://local host/', 'ws://localhost:99999/']) {
      await page.fill('#url', url);
      await complains(page, () => page.click('#connect'), 'url', /./);
    }
    await page.fill('#url', `ws://${address}/echo`);
    assert.equal(await text(page, 'url-error'), '');
    for (const names of ['chat, chat', 'two words', 'a/b']) {
      await page.fill('#protocols', names);
      await complains(page, () => page.click('#connect'), 'protocols', /token/);
    }
    assert.equal(await text(page, 'state'), 'Not connected');
  });

  await check('it connects, and the subprotocol chat is chosen', async () => {
    await connect(seen, 'unknown.example, chat');
    assert.equal(await text(page, 'state'), 'Connected');
    assert.match(await text(page, 'about'), /^Subprotocol chat,/);
  });
  console.log(`     ${await text(page, 'about')}`);
  for (const [name, value] of [
    ['text', 'Hello'],
    ['text of one to four bytes a character', 'é ß — 漢字 \u{10ffff} 🦀 👩‍👩‍👧 e\u0301'],
    ['text that begins with a byte order mark', '\ufeffmark'],
    ['text of two lines', 'one\ntwo'],
    ['empty text', ''],
  ]) await check(`${name} comes back`, () => echoes(seen, sendText(value), value));
  await check('binary given in hex comes back', () => echoes(seen, sendHex('00 01,7f:80 0xff c3 28'), Buffer.from('00017f80ffc328', 'hex')));
  await check('empty binary comes back', () => echoes(seen, sendHex(''), Buffer.alloc(0)));
  await check('hex that is none is refused in place', async () => {
    for (const value of ['0g', 'abc']) await complains(page, () => sendHex(value)(page), 'hex', /0–9/);
  });
  for (const size of [125, 126, 65_535, 65_536]) {
    await check(`${size} random bytes come back`, async () => {
      await page.fill('#random', `${size}`);
      assert.equal((await echoes(seen, () => page.click('#send-random'))).length, size);
    });
  }
  await check('a number of random bytes that is none is refused in place', async () => {
    for (const value of ['', '-1', '1e3', '16777217']) {
      await page.fill('#random', value);
      await complains(page, () => page.click('#send-random'), 'random', /number/);
    }
  });
  await check('a file comes back', async () => {
    await complains(page, () => page.click('#send-file'), 'file', /Choose/);
    const buffer = Buffer.from(Array.from({ length: 5000 }, (_, i) => i * 7 & 255));
    await page.setInputFiles('#file', { name: 'file.bin', mimeType: 'application/octet-stream', buffer });
    await echoes(seen, () => page.click('#send-file'), buffer);
  });
  await check('1 MiB of text comes back', async () => {
    const sent = await echoes(seen, () => page.click('#mib-text'));
    assert.equal(bytes(sent).length, MIB);
    assert(sent.includes('é') && sent.includes('€') && sent.includes('😀'));
  });
  await check('1 MiB of binary comes back', async () => {
    assert.equal((await echoes(seen, () => page.click('#mib-binary'))).length, MIB);
  });
  await check('a round trip is measured', async () => {
    await echoes(seen, () => page.click('#ping'), 'ping 1');
    assert.match(await text(page, 'rtt'), /^\d+\.\d ms$/);
  });
  await check('the counters agree with the browser', async () => {
    for (const [dir, messages] of [['out', seen.sent], ['in', seen.received]]) {
      assert.equal(await number(page, `${dir}-messages`), messages.length);
      assert.equal(await number(page, `${dir}-bytes`), messages.reduce((sum, one) => sum + bytes(one).length, 0));
    }
  });

  await check('300 messages at once come back in order, and the log keeps 500 rows', async () => {
    const before = seen.received.length;
    await page.evaluate(() => { for (let i = 0; i < 300; i++) document.getElementById('ping').click(); });
    for (const end = Date.now() + PATIENCE; seen.received.length < before + 300; await sleep(20)) assert(Date.now() < end, 'an echo is missing');
    assert.deepEqual(seen.received.slice(before), seen.sent.slice(before));
    assert.equal(await rows(page, '').count(), 500);
    assert.equal(await rows(page, '[data-same=false]').count(), 0);
  });
  await check('Clear empties the log and the counters', async () => {
    await page.click('#clear');
    assert.equal(await rows(page, '').count(), 0);
    for (const id of ['out-messages', 'out-bytes', 'in-messages', 'in-bytes']) assert.equal(await text(page, id), '0');
  });

  await check('a code and a reason that cannot be sent are refused in place', async () => {
    for (const code of ['', '999', '1001', '1005', '2999', '5000', '3e3', 'x']) {
      await page.fill('#code', code);
      await complains(page, () => page.click('#close'), 'code', /1000/);
    }
    await page.fill('#code', '3001');
    await page.fill('#reason', 'é'.repeat(62));
    await complains(page, () => page.click('#close'), 'reason', /123/);
    assert.equal(await text(page, 'state'), 'Connected');
  });
  await check('Close with 3001 and a reason: 3001 comes back without it, wasClean', async () => {
    await page.fill('#reason', 'bye, wörld');
    await page.click('#close');
    await closeRow(page, { code: '3001', reason: '', clean: 'true' });
    assert.equal(await text(page, 'state'), 'Closed');
    const size = await rows(page, '[data-type=close][data-dir=out]').getAttribute('data-size');
    assert.equal(size, '13');
    assert(await page.isDisabled('#send-text'));
    assert.equal(await page.evaluate(() => document.activeElement.id), 'connect');
  });
  await check('a reason of 123 bytes is sent', async () => {
    await connect(seen);
    await page.fill('#reason', 'é'.repeat(61) + '.');
    assert.match(await text(page, 'reason-size'), /^123 /);
    await page.click('#close');
    await closeRow(page, { code: '3001', reason: '', clean: 'true' });
  });
  await check('it connects again, without a subprotocol, and Disconnect ends with 1005, wasClean', async () => {
    await connect(seen);
    assert.match(await text(page, 'about'), /^Subprotocol none,/);
    await echoes(seen, sendText('again'), 'again');
    await page.click('#connect');
    await closeRow(page, { code: '1005', reason: '', clean: 'true' });
  });

  const other = await open(address, { colorScheme: 'dark' });
  await check('a second page, in dark, works beside the first', async () => {
    await connect(seen, 'chat');
    await connect(other, 'chat');
    for (const one of [seen, other, seen]) await echoes(one, sendText('Hello, wörld 😀'), 'Hello, wörld 😀');
    await echoes(other, sendHex('00 7f 80 ff'), Buffer.from('007f80ff', 'hex'));
    for (const id of ['send-random', 'mib-text', 'mib-binary', 'ping']) await echoes(other, () => other.page.click(`#${id}`));
    assert.deepEqual(other.complaints, []);
  });
  await other.page.evaluate(() => document.activeElement.blur());
  await other.page.mouse.move(0, 0);
  for (const colorScheme of ['light', 'dark']) {
    await other.page.emulateMedia({ colorScheme });
    await other.page.screenshot({ path: join(cache, `${colorScheme}.png`) });
  }
  await check('a narrow page does not scroll sideways', async () => {
    await other.page.setViewportSize({ width: 360, height: 800 });
    await other.page.screenshot({ path: join(cache, 'phone.png'), fullPage: true });
    assert.equal(await other.page.evaluate(() => document.documentElement.scrollWidth), 360);
  });

  await check('the browser had nothing to complain about', () => assert.deepEqual(seen.complaints, []));
  await check('SIGINT: both pages see 1001, wasClean, and the example ends with 0', async () => {
    echo.kill('SIGINT');
    for (const one of [page, other.page]) await closeRow(one, { code: '1001', reason: '', clean: 'true' });
    assert.equal(await text(page, 'state'), 'Closed');
    assert.deepEqual(await within(echo.ended, 'the end of the example'), [0, null]);
  });
  await check('a connection that fails is shown: 1006, not wasClean', async () => {
    await page.click('#connect');
    await closeRow(page, { code: '1006', reason: '', clean: 'false' });
    assert.equal(await text(page, 'state'), 'Failed');
    assert(await page.isEnabled('#connect'));
  });
}

process.on('exit', () => { if (echo?.exitCode === null && echo.signalCode === null) echo.kill('SIGKILL'); });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    console.log(`FAIL the run was ended by ${signal}\n${passed} passed, ${failed + 1} failed`);
    process.exit(1);
  });
}
await main().catch(error => {
  failed += 1;
  console.log(`FAIL the run broke off: ${error?.stack ?? error}`);
});
await browser?.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
