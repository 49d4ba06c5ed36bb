// A client by npm `undici`, which is the WebSocket of Node. It offers permessage-deflate, inflates, and does not compress.
'use strict';
const { WebSocket } = require('undici');
const { differs, messages, serve } = require('./jobs.cjs');

serve(({ url }) => new Promise((resolve, reject) => {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const expected = [...messages()];
  let came = 0, fault = null, extensions = '';
  socket.addEventListener('open', () => {
    ({ extensions } = socket);
    for (const message of expected) socket.send(message);
  });
  socket.addEventListener('message', ({ data }) => {
    fault ??= differs(expected[came], typeof data === 'string' ? data : Buffer.from(data));
    came += 1;
    if (came === expected.length) socket.close(1000);
  });
  socket.addEventListener('error', ({ error }) => { fault ??= String(error?.message ?? 'an error'); });
  socket.addEventListener('close', ({ code, wasClean }) => {
    fault ??= came < expected.length ? `${came} of ${expected.length} echoes, then a close with ${code}` : null;
    fault ??= code === 1000 && wasClean ? null : `closed with ${code}, clean: ${wasClean}`;
    if (fault) reject(fault);
    else resolve(extensions);
  });
}));
