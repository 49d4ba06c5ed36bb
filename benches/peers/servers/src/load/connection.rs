//! One connection: answers each echo with the next message.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
};

use mio::{Interest, Registry, Token};
use servers::client;

use crate::{echoes::Echoes, traffic::Traffic};

pub(crate) struct Connection {
    socket: mio::net::TcpStream,
    echoes: Echoes,
    /// How far into a message the next byte to be sent lies.
    at: usize,
    /// How many bytes are to be sent.
    due: usize,
}

impl Connection {
    /// Connects, shakes hands, and has one message echoed.
    pub(crate) fn open(address: SocketAddr, traffic: &Traffic, registry: &Registry, token: usize) -> Self {
        let mut socket = match traffic.raw {
            true => TcpStream::connect(address).unwrap(),
            false => client::open(address, ""),
        };
        socket.set_nodelay(true).unwrap();
        socket.write_all(traffic.bytes(0, traffic.message())).unwrap();
        let (mut echoes, mut first, mut buf) = (Echoes::default(), Vec::new(), [0; 4096]);
        loop {
            let n = socket.read(&mut buf).unwrap();
            assert_ne!(n, 0, "the server ended the stream");
            if echoes.take(&buf[..n], traffic, |piece| first.extend_from_slice(piece)) == 1 {
                break;
            }
        }
        assert!(first == traffic.payload, "another message came back");
        socket.set_nonblocking(true).unwrap();
        let mut socket = mio::net::TcpStream::from_std(socket);
        registry.register(&mut socket, Token(token), Interest::READABLE | Interest::WRITABLE).unwrap();
        Self { socket, echoes, at: 0, due: 0 }
    }

    /// Gets the messages under way.
    pub(crate) fn start(&mut self, traffic: &Traffic) {
        self.due += traffic.depth * traffic.message();
        self.write(traffic);
    }

    /// Reads what there is, and sends a message for each that came back. Returns how many came.
    pub(crate) fn turn(&mut self, traffic: &Traffic, buf: &mut [u8]) -> usize {
        self.write(traffic);
        let mut count = 0;
        loop {
            let n = match self.socket.read(buf) {
                Ok(0) => panic!("the server ended the stream"),
                Ok(n) => n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return count,
                Err(error) => panic!("{error}"),
            };
            let came = self.echoes.take(&buf[..n], traffic, |_| ());
            count += came;
            self.due += came * traffic.message();
            self.write(traffic);
            if n < buf.len() {
                return count; // nothing more was there, and what comes brings an event
            }
        }
    }

    fn write(&mut self, traffic: &Traffic) {
        while self.due > 0 {
            match self.socket.write(traffic.bytes(self.at, self.due)) {
                Ok(n) => {
                    self.at = (self.at + n) % traffic.message();
                    self.due -= n;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
        }
    }
}
