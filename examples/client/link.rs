//! A client's driver: one connection over TCP, from the request to the end of the stream.
//!
//! Shared by the examples `autobahn` and `wscat`, which hand it a closure for the events.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{self, Shutdown, ToSocketAddrs},
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};
use websocket_proto::{
    Client, Config, Due, Event, Input, Keepalive, MaskKey, MaskSource, QueueOutput, Session, Timing,
    Transport, Uri, client::Request,
};

/// A client's machine with all that it needs: keys, and memory for the head of the answer.
pub(crate) type Machine = Session<Client<Keys>, Vec<u8>>;

/// Masking keys, fresh from the system for each frame.
pub(crate) struct Keys;

impl MaskSource for Keys {
    fn next_key(&mut self) -> Option<MaskKey> {
        let mut key = MaskKey::default();
        getrandom::fill(&mut key).ok()?;
        Some(key)
    }
}

/// A connection to a server.
pub(crate) struct Link {
    pub(crate) session: Machine,
    /// What was sent and not written yet. Without a bound: these clients hold what they send in memory anyway, and a
    /// server may write a whole message before it reads its echo.
    pub(crate) out: QueueOutput,
    socket: TcpStream,
    timers: Keepalive,
    /// When the connection was made.
    pub(crate) start: Instant,
    /// What a turn waits with: other sources of events may be registered here.
    pub(crate) poll: Poll,
    events: Events,
    /// Whether there may be something to read: readiness is told only when it begins.
    ready: bool,
    /// The server ended its stream.
    ended: bool,
    /// This side ended its own.
    shut: bool,
}

/// Other tokens are free for other sources of events.
const SOCKET: Token = Token(0);

/// For the TCP connection, and the longest head of an answer with the body of a refusal.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const HEAD_LIMIT: usize = 16 << 10;

impl Link {
    /// Connects and sends the request, which `prepare` may add to.
    pub(crate) fn connect<'a>(
        uri: &'a str,
        prepare: impl FnOnce(Request<'a>) -> Request<'a>,
    ) -> io::Result<Self> {
        let uri = Uri::parse(uri).map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;
        if uri.is_secure() {
            return Err(io::Error::new(
                ErrorKind::Unsupported,
                "wss runs over TLS, which is not built in: use ws",
            ));
        }
        let mut socket = TcpStream::from_std(connect(uri)?);
        socket.set_nodelay(true)?;
        let poll = Poll::new()?;
        poll.registry().register(&mut socket, SOCKET, Interest::READABLE | Interest::WRITABLE)?;

        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        let request = prepare(Request::new(uri, nonce));
        let mut out = QueueOutput::with_limit(usize::MAX);
        let memory = vec![0; HEAD_LIMIT];
        let session = Session::client(Client(Keys), memory, Config::default(), &request, &mut out)
            .map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;

        #[expect(clippy::disallowed_methods, reason = "the driver's clock, the only one of the program")]
        let start = Instant::now();
        Ok(Self {
            session,
            out,
            socket,
            timers: Keepalive::new(Duration::ZERO, Timing::default()),
            start,
            poll,
            events: Events::with_capacity(4),
            ready: false,
            ended: false,
            shut: false,
        })
    }

    /// Writes, waits if there is nothing to read, reads once, and hands out what happened. False: the connection is
    /// over, and [`Session::closure`] tells how.
    ///
    /// It waits until something happens on the socket or on another source of events, or `patience` is over.
    ///
    /// # Errors
    /// Those of the socket, of `each`, and [`ErrorKind::TimedOut`] if the server does not answer any more.
    pub(crate) fn turn(
        &mut self,
        patience: Option<Duration>,
        mut each: impl FnMut(Event<'_>, &mut Machine, &mut QueueOutput) -> io::Result<()>,
    ) -> io::Result<bool> {
        let now = self.start.elapsed();
        let alarm = match self.timers.turn(now, self.session.connection(), &mut self.out) {
            Due::Wait(time) => time.map(|time| time.saturating_sub(now)),
            Due::Drop(timeout) => {
                return Err(io::Error::new(
                    ErrorKind::TimedOut,
                    format!("the server is too slow: {timeout:?}"),
                ));
            }
        };
        self.write()?;
        if self.is_over()? {
            return Ok(false);
        }
        if !self.ready {
            let patience = [patience, alarm].into_iter().flatten().min();
            match self.poll.poll(&mut self.events, patience) {
                Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
                result => result?,
            }
            self.ready = !self.events.is_empty();
        }
        if self.ready && !self.ended {
            self.read(&mut each)?;
        }
        Ok(true)
    }

    /// Writes as much as the socket takes, and never waits for it to take more: a server that is still writing itself
    /// may not read before it is done.
    fn write(&mut self) -> io::Result<()> {
        loop {
            self.session.poll_transmit(&mut self.out);
            if self.out.is_empty() {
                return Ok(());
            }
            match self.socket.write(self.out.pending()) {
                Ok(n) => self.out.advance(n),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return Ok(()),
                    ErrorKind::Interrupted => {}
                    // The server reads no more. What it wrote before is still to be read, and says why.
                    ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => self.out.advance(usize::MAX),
                    _ => return Err(error),
                },
            }
        }
    }

    fn read(
        &mut self,
        each: &mut impl FnMut(Event<'_>, &mut Machine, &mut QueueOutput) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut buf = [0; 16 << 10];
        let n = match self.socket.read(&mut buf) {
            Ok(n) => n,
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => {
                    self.ready = false;
                    return Ok(());
                }
                ErrorKind::Interrupted => return Ok(()),
                ErrorKind::ConnectionReset => 0, // an end, if not a good one
                _ => return Err(error),
            },
        };
        if n == 0 {
            self.ended = true;
            self.session.receive_eof();
            return Ok(());
        }
        let mut input = Input::new(&mut buf[..n]);
        while let Some(event) = self.session.receive(&mut input, &mut self.out) {
            each(event, &mut self.session, &mut self.out)?;
        }
        Ok(())
    }

    /// Does what the machine wants done to the socket, once everything was written to it. True: drop it.
    fn is_over(&mut self) -> io::Result<bool> {
        match self.session.transport() {
            Transport::Drop => Ok(true),
            // The server ends its stream when it has read the end of this one.
            Transport::Shut if self.out.is_empty() && !self.shut => {
                self.shut = true;
                match self.socket.shutdown(Shutdown::Write) {
                    Err(error) if error.kind() != ErrorKind::NotConnected => Err(error),
                    _ => Ok(false),
                }
            }
            // A client leaves it to the server to end the connection (RFC 6455 §7.1.1).
            Transport::Shut | Transport::AwaitEnd | Transport::Keep => Ok(false),
        }
    }
}

/// Connects to the first of the host's addresses that takes the connection.
fn connect(uri: Uri<'_>) -> io::Result<net::TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for address in (uri.host(), uri.port()).to_socket_addrs()? {
        match net::TcpStream::connect_timeout(&address, CONNECT_LIMIT) {
            Ok(socket) => {
                socket.set_nonblocking(true)?;
                return Ok(socket);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
