// An echo server by npm `ws`. CommonJS, because NODE_PATH does not hold for imports.
'use strict';
const { WebSocketServer } = require('ws');

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: false,
  maxPayload: 256 * 1024 * 1024,
  handleProtocols: (offered) => ['echo', 'chat'].find((name) => offered.has(name)) ?? false,
});
server.on('listening', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
server.on('connection', (socket) => {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('error', (fault) => console.error(`ws: ${fault.message}`));
});
