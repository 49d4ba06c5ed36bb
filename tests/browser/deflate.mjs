// The checks behind tests/browser/run, second part: messages compressed between browsers and the echo example.
//
// A browser is only started: its page connects to one echo example for each of the terms, and posts what came of it. Between
// the two a proxy reads the heads and counts the frames with RSV1, so neither side is judge of itself.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, createServer as createProxy } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import assert from 'node:assert/strict';

const PAGE = readFileSync(new URL('deflate.html', import.meta.url));
const PATIENCE = 60_000;
const OWN = 'server_no_context_takeover', CLIENTS = 'client_no_context_takeover';

// The arguments of the example, the parameters of its answer, whether it asks for a smaller window of the client's:
// that can be answered only to an offer of `client_max_window_bits`.
const TERMS = [
  [['--no-deflate'], null],
  [[], [OWN]],
  [['--deflate', '/'], []],
  [['--deflate', '15,no-takeover/15,no-takeover'], [OWN, CLIENTS]],
  [['--deflate', '12/'], ['server_max_window_bits=12']],
  [['--deflate', '8/no-takeover'], [CLIENTS, 'server_max_window_bits=8']],
  [['--deflate', '9,no-takeover/'], [OWN, 'server_max_window_bits=9']],
  [['--deflate', '/10'], ['client_max_window_bits=10'], true],
  [['--deflate', '9,no-takeover/9'], [OWN, 'server_max_window_bits=9', 'client_max_window_bits=9'], true],
  [['--deflate', '10/8,no-takeover'], [CLIENTS, 'server_max_window_bits=10', 'client_max_window_bits=8'], true],
];

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];
const PREFERENCES = ['app.update.enabled', 'browser.shell.checkDefaultBrowser', 'datareporting.policy.dataSubmissionEnabled',
  'network.captive-portal-service.enabled', 'network.connectivity-service.enabled', 'extensions.getAddons.cache.enabled',
  'browser.safebrowsing.update.enabled', 'app.normandy.enabled', 'browser.region.update.enabled'];

const BROWSERS = {
  Chromium: folder => spawn('chromium', [...FLAGS, `--user-data-dir=${folder}`, pageUrl()], { stdio: 'ignore' }),
  Firefox: folder => {
    writeFileSync(join(folder, 'user.js'), PREFERENCES.map(name => `user_pref("${name}", false);\n`).join(''));
    return spawn('firefox-esr', ['--headless', '--no-remote', '--profile', folder, pageUrl()],
      { stdio: 'ignore', env: { ...process.env, HOME: folder, MOZ_CRASHREPORTER_DISABLE: '1' } });
  },
};

let passed = 0, failed = 0;
const children = new Set(), taps = [];

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

function started(child) {
  children.add(child);
  child.on('error', error => console.log(`     ${error.message}`));
  child.ended = once(child, 'exit').then(() => children.delete(child), () => children.delete(child));
  return child;
}

async function echo(options) {
  const child = started(spawn(process.env.ECHO_PROGRAM, ['--quiet', ...options, '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] }));
  for await (const line of createInterface(child.stdout)) {
    const found = /^listening on 127\.0\.0\.1:(\d+)$/.exec(line);
    if (found) return Number(found[1]);
  }
  assert.fail('the example did not listen');
}

// What goes one way: its head, and its messages.
class Way {
  head = ''; messages = 0; marked = 0; faults = [];
  #rest = Buffer.alloc(0); #open = false;

  feed(data) {
    this.#rest = Buffer.concat([this.#rest, data]);
    if (!this.#open) {
      const end = this.#rest.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.head = this.#rest.toString('latin1', 0, end + 2);
      this.#rest = this.#rest.subarray(end + 4);
      this.#open = true;
    }
    while (this.#frame()) { /* the next one */ }
  }

  get extensions() {
    return /^sec-websocket-extensions: *(.*)\r$/im.exec(this.head)?.[1] ?? '';
  }

  #frame() {
    const data = this.#rest;
    if (data.length < 10 && (data.length < 2 || (data[1] & 127) > 125)) return false;
    const short = data[1] & 127;
    const [size, at] = short < 126 ? [short, 2] : short === 126 ? [data.readUInt16BE(2), 4] : [Number(data.readBigUInt64BE(2)), 10];
    const end = at + (data[1] & 128 ? 4 : 0) + size;
    if (data.length < end) return false;
    const opcode = data[0] & 15, marked = (data[0] & 0x40) !== 0;
    if (opcode === 1 || opcode === 2) {
      this.messages += 1;
      this.marked += marked;
    } else if (marked) this.faults.push(`RSV1 on opcode ${opcode}`);
    this.#rest = data.subarray(end);
    return true;
  }
}

// A port that leads to the example, and what went over its last connection.
async function tap(port) {
  const made = { sent: new Way(), received: new Way() };
  const proxy = createProxy(near => {
    Object.assign(made, { sent: new Way(), received: new Way() });
    const far = connect(port, '127.0.0.1');
    for (const [from, to, way] of [[near, far, made.sent], [far, near, made.received]]) {
      from.on('data', data => way.feed(data));
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return Object.assign(made, { url: `ws://127.0.0.1:${proxy.address().port}/` });
}

const pageUrl = () => `http://127.0.0.1:${http.address().port}/?${taps.map(({ url }) => `url=${encodeURIComponent(url)}`).join('&')}`;
let posted = new Map(), arrived = () => {};
const http = createServer(async (request, response) => {
  if (request.method === 'POST') {
    let body = '';
    for await (const piece of request) body += piece;
    const result = JSON.parse(body);
    posted.set(result.url, { ...result, agent: request.headers['user-agent'] });
    arrived();
    response.end();
  } else if (request.url.startsWith('/?')) response.setHeader('Content-Type', 'text/html; charset=utf-8').end(PAGE);
  else response.writeHead(404).end();
});

async function result(url, browser) {
  const end = Date.now() + PATIENCE;
  while (!posted.has(url)) {
    assert(Date.now() < end, 'the page did not report');
    assert(browser.exitCode === null && browser.signalCode === null, 'the browser ended');
    await Promise.race([sleep(1000), new Promise(resolve => { arrived = resolve; })]);
  }
  return posted.get(url);
}

async function visit(name) {
  posted = new Map();
  const browser = started(BROWSERS[name](mkdtempSync(join(tmpdir(), 'browser-'))));
  let agent;
  for (const [at, [options, parameters, smaller]] of TERMS.entries()) {
    await check(`${name}: echo ${options.join(' ') || 'as it is'}`, async () => {
      const got = await result(taps[at].url, browser), { sent: out, received: back } = taps[at];
      agent ??= got.agent;
      assert.match(out.extensions, /^permessage-deflate/, 'the offer');
      const declined = parameters === null || (smaller && !out.extensions.includes('client_max_window_bits'));
      const expected = declined ? '' : ['permessage-deflate', ...parameters].join('; ');
      assert.equal(back.extensions, expected, `the answer to ${out.extensions}`);
      // Chromium gives the answer as it came, Firefox the name alone.
      assert.equal(got.extensions, name === 'Firefox' ? expected.split(';')[0] : expected, 'socket.extensions');
      assert.deepEqual(got.wrong, [], 'echoes');
      assert.deepEqual([got.came, got.code, got.wasClean], [got.sent, 1000, true], 'the end');
      assert.deepEqual([out.messages, back.messages], [got.sent, got.sent], 'messages on the wire');
      assert.deepEqual([...out.faults, ...back.faults], []);
      // What a browser leaves uncompressed is its own affair, as long as most of it is not.
      if (declined) assert.deepEqual([out.marked, back.marked], [0, 0], 'compressed messages');
      else assert(out.marked > got.sent / 2 && back.marked >= out.marked, `compressed: ${out.marked} and ${back.marked} of ${got.sent}`);
      console.log(`     offer: ${out.extensions}; answer: ${expected || 'none'}; compressed: ${out.marked} sent, ${back.marked} received of ${got.sent}`);
    });
  }
  console.log(`     ${name}: ${agent ?? 'no report'}`);
  browser.kill('SIGTERM');
  await Promise.race([browser.ended, sleep(5000)]);
}

process.on('exit', () => children.forEach(child => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    console.log(`FAIL the run was ended by ${signal}\n${passed} passed, ${failed + 1} failed`);
    process.exit(1);
  });
}
try {
  await once(http.listen(0, '127.0.0.1'), 'listening');
  for (const [options] of TERMS) taps.push(await tap(await echo(options)));
  for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(BROWSERS)) await visit(name);
} catch (error) {
  failed += 1;
  console.log(`FAIL the run broke off: ${error?.stack ?? error}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
