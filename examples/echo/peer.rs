//! One connection: a socket, a machine, and the few decisions between them.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr},
    time::Duration,
};

use mio::net::TcpStream;
use websocket_proto::{
    CloseCode, Config, Data, Due, Event, Input, Keepalive, MIN_OUTPUT, Output, QueueOutput, SendError,
    Server, Session, Timing, Transport,
};

use crate::{
    answer::answer,
    codec::{Codec, Compression, Compressors},
    in_place,
    log::{Ending, Log},
};

/// The longest message that is echoed.
const MESSAGE_LIMIT: usize = 16 << 20;

/// The most bytes that wait for a peer to read them; whoever reads nothing is not read from any more.
///
/// Whoever writes a whole message before it reads the echo (many clients do, Autobahn's test suite among them) must
/// find room for all of it here, or both sides wait for ever. An echo is at most three times as long as its message:
/// that is when every byte comes alone, and goes back in a frame of its own. The queue allocates what it holds, so a
/// peer that reads costs nothing. One that does not costs this much until the timers drop it; a server that does not
/// echo whole messages can do with far less.
const OUTPUT_LIMIT: usize = 3 * (MESSAGE_LIMIT + READ_BUFFER);

/// The size of the buffer that all connections share. A message of 64 KiB and its header come in one read.
const READ_BUFFER: usize = 128 << 10;

/// Reading fewer bytes at a time than this is not worth a system call.
const LEAST_READ: usize = 1 << 10;

/// After so many reads the other connections have their turn.
const READS: usize = 16;

/// The longest head of a request. It is kept until the handshake is done, and room for a few kilobytes of cookies.
const HEAD_LIMIT: usize = 8 << 10;

/// A connection. While it idles it holds no buffer: the head's memory went with the handshake, the output is empty.
pub(crate) struct Peer {
    socket: TcpStream,
    address: SocketAddr,
    session: Session<Server, Box<[u8]>>,
    out: QueueOutput,
    timers: Keepalive,
    /// From the first message on that is inflated or compressed.
    codec: Option<Box<Codec>>,
    /// The end of the peer's stream has arrived, perhaps behind bytes that are yet to be read.
    ending: bool,
    /// The peer's stream was read to its end.
    ended: bool,
    /// This side ended its own.
    shut: bool,
}

/// What all connections use, one at a time.
pub(crate) struct Shared {
    /// What is read lies here and nowhere else: an event is answered before the next connection has its turn.
    buf: Box<[u8]>,
    compressors: Compressors,
    /// What is agreed to of compression, if anything.
    deflate: Option<Compression>,
}

impl Shared {
    pub(crate) fn new(deflate: Option<Compression>) -> Self {
        Self { buf: vec![0; READ_BUFFER].into(), compressors: Compressors::new(), deflate }
    }
}

/// What is to become of a connection.
pub(crate) enum Next {
    /// Another turn when its socket is ready, or at this time, if there is one.
    Wait(Option<Duration>),
    /// Drop it.
    Over,
}

impl Peer {
    pub(crate) fn new(socket: TcpStream, address: SocketAddr, now: Duration) -> Self {
        let config = Config { message_limit: MESSAGE_LIMIT as u64, ..Config::default() };
        Self {
            socket,
            address,
            session: Session::server(vec![0; HEAD_LIMIT].into(), config),
            out: QueueOutput::with_limit(OUTPUT_LIMIT),
            timers: Keepalive::new(now, Timing::default()),
            codec: None,
            ending: false,
            ended: false,
            shut: false,
        }
    }

    /// Whatever the socket is ready for, and whatever is due. Calling it for nothing does no harm.
    pub(crate) fn turn(&mut self, shared: &mut Shared, now: Duration, log: Log) -> Next {
        let next = self.try_turn(shared, now, log).unwrap_or_else(|error| {
            log.line(format_args!("{} failed: {error}", self.address));
            Next::Over
        });
        if let Next::Over = next {
            log.line(format_args!("{} {}", self.address, Ending(self.session.closure())));
        }
        next
    }

    /// Begins the closing handshake: this server goes away. False if there is nothing to be closed.
    pub(crate) fn close(&mut self) -> bool {
        self.session.close(CloseCode::GOING_AWAY, "", &mut self.out).is_ok()
    }

    /// The end of the peer's stream has arrived: no other event tells of it.
    pub(crate) fn ends(&mut self) {
        self.ending = true;
    }

    fn try_turn(&mut self, shared: &mut Shared, now: Duration, log: Log) -> io::Result<Next> {
        let mut reads = 0;
        self.write()?;
        while reads < READS && self.read(shared, log)? {
            // All replies to one read leave in one write.
            self.write()?;
            reads += 1;
        }
        let due = self.timers.turn(now, self.session.connection(), &mut self.out);
        self.write()?; // the last replies, and perhaps a ping
        self.out.release();
        if let Some(codec) = &mut self.codec {
            codec.release();
        }
        if self.is_over()? {
            return Ok(Next::Over);
        }
        Ok(match due {
            Due::Wait(_) if reads == READS => Next::Wait(Some(now)), // there may be more, and no event will tell
            Due::Wait(time) => Next::Wait(time),
            Due::Drop(timeout) => {
                log.line(format_args!("{} timed out: {timeout:?}", self.address));
                Next::Over
            }
        })
    }

    /// Writes until nothing is left or the socket takes no more: only then does `mio` tell that it takes more again.
    fn write(&mut self) -> io::Result<()> {
        loop {
            self.session.poll_transmit(&mut self.out);
            if self.out.is_empty() {
                return Ok(());
            }
            match self.socket.write(self.out.pending()) {
                Ok(n) => self.out.advance(n),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads once and answers. False: the socket has no more for now, or the answers have no room.
    fn read(&mut self, shared: &mut Shared, log: Log) -> io::Result<bool> {
        let Shared { buf, compressors, deflate } = shared;
        // The echo of n bytes takes at most 3 n + 2 MIN_OUTPUT. Whoever reads no more than there is room for never
        // meets `SendError::NoRoom`, and TCP slows the peer down.
        let most = (self.out.room().saturating_sub(2 * MIN_OUTPUT) / 3).min(buf.len());
        if self.ended || most < LEAST_READ {
            return Ok(false);
        }
        match self.socket.read(&mut buf[..most]) {
            Ok(0) => {
                self.session.receive_eof();
                self.ended = true;
                Ok(false)
            }
            Ok(n) => {
                self.receive(Input::new(&mut buf[..n]), compressors, deflate.as_ref(), log)?;
                // A read that leaves room has emptied the socket, and what comes then brings an event, on epoll and
                // kqueue: asking for `WouldBlock` would be a second system call for each message. The end of the
                // stream may lie behind the bytes, and brought its event with them.
                Ok(n == most || self.ending)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The application: it answers requests and echoes messages. Pongs and Closes are in the output already.
    fn receive(
        &mut self,
        mut input: Input<'_>,
        compressors: &mut Compressors,
        deflate: Option<&Compression>,
        log: Log,
    ) -> io::Result<()> {
        while let Some(event) = self.session.receive(&mut input, &mut self.out) {
            match event {
                Event::Requested => {
                    if let Some(request) = self.session.request() {
                        log.line(format_args!("{} requested {}", self.address, request.target()));
                        let policy = deflate.map(|deflate| &deflate.policy);
                        answer(request, policy, &mut self.out).map_err(io::Error::other)?;
                    }
                }
                Event::Data(data) => self.echo(data, input.is_empty(), compressors, deflate)?,
                Event::Failed(error) => {
                    log.line(format_args!("{} failed: {error}", self.address));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Piece by piece: a message need not be complete to be sent back. One that is compressed must be.
    ///
    /// `last`: nothing of what was read is left behind it.
    fn echo(
        &mut self,
        data: Data<'_>,
        last: bool,
        compressors: &mut Compressors,
        deflate: Option<&Compression>,
    ) -> io::Result<()> {
        let terms = self.session.agreed().and_then(|agreed| agreed.deflate());
        let wanted = data.part().compressed || deflate.is_some_and(|deflate| deflate.all);
        let sent = if let Some(terms) = terms.filter(|_| wanted) {
            let codec = self.codec.get_or_insert_with(|| Box::new(Codec::new(terms, MESSAGE_LIMIT as u64)));
            codec.echo(data, &mut self.session, compressors, &mut self.out)
        } else if last && in_place::is_worth_it(&data) {
            in_place::echo(&data, &mut self.session, &mut self.socket, &mut self.out)?
        } else {
            self.session.send(data.echo(), &mut self.out)
        };
        match sent {
            // Data may still come after our Close, and there is no answer to it.
            Ok(()) | Err(SendError::Closed) => Ok(()),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    /// Does what the machine wants done to the socket, once everything was written to it. True: drop it.
    fn is_over(&mut self) -> io::Result<bool> {
        if !self.out.is_empty() {
            return Ok(false);
        }
        match self.session.transport() {
            Transport::Keep | Transport::AwaitEnd => Ok(false),
            Transport::Shut => {
                // Not dropped yet: what the peer still sends is read and thrown away, until it ends its stream or the
                // timers say that it had long enough. Dropping a socket with unread bytes resets the connection, and
                // a reset overtakes our Close.
                if !self.shut {
                    self.shut = true;
                    self.socket.shutdown(Shutdown::Write)?;
                }
                Ok(false)
            }
            Transport::Drop => Ok(true),
        }
    }
}
