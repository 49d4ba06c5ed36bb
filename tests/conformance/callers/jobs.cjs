// What the clients share: jobs as lines of JSON on standard input, a line of JSON for each, and the messages to be echoed.
'use strict';
const { createInterface } = require('node:readline');

const PATIENCE = 10_000;

// Lengths at the borders of the three forms of a frame's length, data with a short period, and noise that comes again
// at distances near the borders of all windows.
function* messages() {
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 1 << 20]) {
    const bytes = Buffer.from({ length: size }, (_, at) => at % 251);
    yield Buffer.from(bytes.map((byte) => 97 + (byte % 23))).toString();
    yield bytes;
  }
  yield 'κόσμε – 10 € 🎈';
  let state = 1;
  const noise = Buffer.from({ length: 40_000 }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return 32 + ((state >>> 24) % 95);
  });
  for (let bits = 8; bits <= 15; bits += 1) {
    for (const away of [-262, -1, 0, 1]) {
      const piece = noise.subarray(bits * 100, bits * 100 + Math.max((1 << bits) + away, 0));
      yield Buffer.concat([piece, piece]);
      yield piece.toString();
    }
  }
}

const bytes = (data) => Buffer.from(data);

// Whether an echo is the message. Otherwise, why not.
function differs(sent, came) {
  if (typeof sent !== typeof came) return `text came for binary, or the other way round: ${typeof came}`;
  if (!bytes(sent).equals(bytes(came))) return `${bytes(came).length} bytes that differ came for ${bytes(sent).length}`;
  return null;
}

// `run(job)` gives the extensions as the client has them. A fault is a result, too.
function serve(run) {
  createInterface({ input: process.stdin }).on('line', (line) => {
    let timer;
    const late = new Promise((_, reject) => { timer = setTimeout(reject, PATIENCE, new Error('no end in 10 s')); });
    Promise.race([run(JSON.parse(line)), late])
      .then((extensions) => ({ extensions }), (fault) => ({ fault: String(fault?.message ?? fault) }))
      .then((result) => console.log(JSON.stringify(result)), console.error)
      .finally(() => clearTimeout(timer));
  });
}

module.exports = { differs, messages, serve };
