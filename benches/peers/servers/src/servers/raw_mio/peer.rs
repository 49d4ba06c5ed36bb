//! One connection: what comes goes back. It reads and writes as `examples/echo/peer.rs` does.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::SocketAddr,
    time::Duration,
};

use mio::net::TcpStream;

use crate::{codec::Compression, log::Log};

const READ_BUFFER: usize = 128 << 10;
const READS: usize = 16;

pub(crate) struct Peer {
    socket: TcpStream,
    /// What the socket did not take.
    out: Vec<u8>,
    ending: bool,
}

pub(crate) struct Shared {
    buf: Box<[u8]>,
}

impl Shared {
    pub(crate) fn new(_: Option<Compression>) -> Self {
        Self { buf: vec![0; READ_BUFFER].into() }
    }
}

pub(crate) enum Next {
    Wait(Option<Duration>),
    Over,
}

impl Peer {
    pub(crate) fn new(socket: TcpStream, _: SocketAddr, _: Duration) -> Self {
        Self { socket, out: Vec::new(), ending: false }
    }

    pub(crate) fn turn(&mut self, shared: &mut Shared, now: Duration, _: Log) -> Next {
        self.try_turn(shared, now).unwrap_or(Next::Over)
    }

    /// There is nothing to be closed.
    pub(crate) fn close(&mut self) -> bool {
        false
    }

    pub(crate) fn ends(&mut self) {
        self.ending = true;
    }

    fn try_turn(&mut self, shared: &mut Shared, now: Duration) -> io::Result<Next> {
        if !self.out.is_empty() {
            let written = write(&mut self.socket, &self.out)?;
            self.out.drain(..written);
        }
        for _ in 0..READS {
            if !self.out.is_empty() {
                return Ok(Next::Wait(None));
            }
            match self.socket.read(&mut shared.buf) {
                Ok(0) => return Ok(Next::Over),
                Ok(n) => {
                    let written = write(&mut self.socket, &shared.buf[..n])?;
                    self.out.extend_from_slice(&shared.buf[written..n]);
                    if n < READ_BUFFER && !self.ending {
                        return Ok(Next::Wait(None));
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Next::Wait(None)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Next::Wait(Some(now)))
    }
}

/// Writes until nothing is left or the socket takes no more.
fn write(socket: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < bytes.len() {
        match socket.write(&bytes[written..]) {
            Ok(n) => written += n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}
