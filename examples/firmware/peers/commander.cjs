// A server by npm `ws` for `client`: as commander.py.
'use strict';
const { WebSocketServer } = require('ws');

const [port, which] = [Number(process.argv[2]), process.argv[3]];
const server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: false });

function first(socket) {
  let asked = 0;
  const readings = [];
  const told = () => {
    if (asked < 1000 || readings.length < 2) return;
    if (readings.some((reading, at) => reading !== at)) throw new Error(`readings ${readings}`);
    console.log('done', readings.length);
  };
  socket.on('pong', (payload) => {
    if (payload.toString() !== `ping ${asked}`) throw new Error(`pong ${payload}`);
    if (asked < 1000) socket.send(`command ${asked}`);
    told();
  });
  socket.on('message', (data) => {
    if (data.toString() === `command ${asked}`) {
      asked += 1;
      socket.ping(`ping ${asked}`);
    } else {
      readings.push(JSON.parse(data).reading);
      told();
    }
  });
  socket.send('command 0');
}

function second(socket) {
  socket.once('message', (data) => {
    console.log('again', JSON.parse(data).reading);
    socket.close(1000);
  });
  socket.on('close', (code) => console.log('closed', code));
}

server.on('listening', () => console.log('listening'));
server.on('connection', which === 'first' ? first : second);
