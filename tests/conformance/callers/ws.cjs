// A client by npm `ws`: whole messages, then one in fragments.
'use strict';
const WebSocket = require('ws');
const { differs, messages, serve } = require('./jobs.cjs');

const number = (bits) => bits ?? undefined;

serve(({ url, offer }) => new Promise((resolve, reject) => {
  const perMessageDeflate = offer && {
    serverNoContextTakeover: offer.server.no_takeover || undefined,
    clientNoContextTakeover: offer.client.no_takeover || undefined,
    serverMaxWindowBits: number(offer.server.bits),
    clientMaxWindowBits: offer.hides ? false : number(offer.client.bits),
    threshold: 0,
  };
  const socket = new WebSocket(url, { perMessageDeflate: perMessageDeflate ?? false });
  const expected = [...messages(), 'in seven fragments '.repeat(700)];
  socket.on('open', () => {
    for (const message of expected.slice(0, -1)) socket.send(message);
    const pieces = expected.at(-1).match(/.{1,2000}/gs);
    pieces.forEach((piece, at) => socket.send(piece, { fin: at === pieces.length - 1 }));
  });
  let came = 0, fault = null;
  socket.on('message', (data, binary) => {
    fault ??= differs(expected[came], binary ? data : data.toString());
    came += 1;
    if (came === expected.length) socket.close(1000);
  });
  socket.on('error', reject);
  socket.on('close', (code) => {
    fault ??= came < expected.length ? `${came} of ${expected.length} echoes, then a close with ${code}` : null;
    fault ??= code === 1000 ? null : `closed with ${code}`;
    if (fault) reject(fault);
    else resolve(socket.extensions);
  });
}));
