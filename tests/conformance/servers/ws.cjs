// An echo server by npm `ws`. CommonJS, because NODE_PATH does not hold for imports.
//
// The path says what to do about compression: /plain declines it, /deflate?PARAMETERS (as RFC 7692 names them) insists
// on it on those terms.
'use strict';
const { createServer } = require('node:http');
const { WebSocketServer } = require('ws');

function terms(query) {
  const bits = (side) => (query.has(`${side}_max_window_bits`) ? Number(query.get(`${side}_max_window_bits`)) : undefined);
  const flag = (side) => query.has(`${side}_no_context_takeover`) || undefined;
  return {
    serverNoContextTakeover: flag('server'),
    clientNoContextTakeover: flag('client'),
    serverMaxWindowBits: bits('server'),
    clientMaxWindowBits: bits('client'),
    threshold: 0,
  };
}

const http = createServer();
http.on('upgrade', (request, socket, head) => {
  const url = new URL(request.url, 'http://localhost');
  const deflate = url.pathname === '/deflate';
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: deflate && terms(url.searchParams),
    maxPayload: 256 * 1024 * 1024,
    handleProtocols: (offered) => ['echo', 'chat'].find((name) => offered.has(name)) ?? false,
  });
  server.handleUpgrade(request, socket, head, (peer) => {
    if (deflate && !peer.extensions) return peer.close(1008, 'no compression');
    peer.on('message', (data, binary) => peer.send(data, { binary }));
    peer.on('error', (fault) => console.error(`ws: ${fault.message}`));
  });
});
http.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${http.address().port}`));
