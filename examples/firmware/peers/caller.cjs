// A client by npm `ws`: caller.cjs URL COUNT sends a message, waits for its echo, COUNT times, and closes.
'use strict';
const WebSocket = require('ws');

const [url, count] = [process.argv[2], Number(process.argv[3])];
const socket = new WebSocket(url, { perMessageDeflate: { threshold: 0 } });
const message = (number) => `message ${number} of ${count}, ${'again and '.repeat(number % 20)}again`;
let echoed = 0;

function fail(why) {
  console.log(why);
  process.exit(1);
}

socket.on('open', () => socket.send(message(0)));
socket.on('message', (data) => {
  if (data.toString() !== message(echoed)) fail(`${data} came for ${message(echoed)}`);
  echoed += 1;
  if (echoed < count) socket.send(message(echoed));
  else socket.close(1000, 'done');
});
socket.on('error', (error) => fail(error.message));
socket.on('close', (code) => {
  if (echoed !== count || code !== 1000) fail(`${echoed} of ${count} echoes, closed with ${code}`);
  console.log(socket.extensions || 'no extension');
  process.exit(0);
});
