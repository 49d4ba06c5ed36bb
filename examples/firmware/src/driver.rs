//! A WebSocket on a TCP connection: what `server` and `client` have in common.

use core::{future::poll_fn, task::Poll, time::Duration};

use websocket_proto::{
    Due, Keepalive, MIN_OUTPUT, Opens, Outgoing, SendError, Session, SliceOutput, Timing, Transport,
};

use crate::{
    clock,
    net::{End, Link, Read},
};

/// Memory for the head of a handshake. Browsers send some 500 bytes and the cookies of the host.
pub type Head = [u8; 1024];

/// What is to be written.
pub type Out = SliceOutput<[u8; OUT]>;

/// How much of it.
pub const OUT: usize = 1024;

/// What is read, and inflated, at a time.
pub const PIECE: usize = 512;

// A piece, its header, and a reply before it: whatever finds no room finds it when all was written.
const _: () = assert!(PIECE + 2 * MIN_OUTPUT <= OUT);

/// Shorter than the defaults: there are few places, and a silent peer is in one of them.
const TIMING: Timing = Timing {
    handshake: Some(Duration::from_secs(5)),
    ping: Some(Duration::from_secs(10)),
    pong: Some(Duration::from_secs(10)),
    idle: None,
    close: Some(Duration::from_secs(3)),
    control_rate: None,
};

/// A connection and all that belongs to it, in somebody else's memory.
pub struct Driver<'m, R: Opens<Head>> {
    link: &'m Link<'m>,
    pub session: &'m mut Session<R, Head>,
    pub out: &'m mut Out,
    timers: Keepalive,
    shut: bool,
}

impl<'m, R: Opens<Head>> Driver<'m, R> {
    /// A driver of a connection that was made just now.
    pub fn new(link: &'m Link<'m>, session: &'m mut Session<R, Head>, out: &'m mut Out) -> Self {
        Self { link, session, out, timers: Keepalive::new(clock::now(), TIMING), shut: false }
    }

    /// Writes everything, and then waits for bytes: who does not take its answers is not read from. `None`: it is
    /// `until`, and nothing came.
    ///
    /// # Errors
    /// How to leave the connection: it is over.
    pub fn read(
        &mut self,
        buf: &mut [u8],
        until: Option<Duration>,
    ) -> impl Future<Output = Result<Option<usize>, End>> {
        poll_fn(move |_| {
            self.turn()?;
            if !self.out.is_empty() {
                return Poll::Pending;
            }
            match self.link.read(buf) {
                Read::Bytes(n) => Poll::Ready(Ok(Some(n))),
                Read::End => {
                    self.session.receive_eof();
                    Poll::Pending
                }
                Read::Nothing if until.is_some_and(|until| clock::now() >= until) => Poll::Ready(Ok(None)),
                Read::Nothing => Poll::Pending,
            }
        })
    }

    /// Puts a frame out, if need be when what is before it has been written.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn send(&mut self, frame: Outgoing<'_>) -> impl Future<Output = Result<(), End>> {
        poll_fn(move |_| {
            loop {
                match self.session.send(frame, self.out) {
                    Ok(()) => return Poll::Ready(Ok(())),
                    // Data may still come after our Close, and there is no answer to it.
                    Err(SendError::Closed) => return Poll::Ready(Ok(())),
                    Err(SendError::NoRoom { .. }) => {}
                    Err(_) => return Poll::Ready(Err(End::Abort)),
                }
                self.turn()?;
                if !self.out.is_empty() {
                    return Poll::Pending;
                }
            }
        })
    }

    /// Does what is due: by the clock, towards the socket, and with the transport.
    fn turn(&mut self) -> Result<(), End> {
        if let Due::Drop(_) = self.timers.turn(clock::now(), self.session.connection(), self.out) {
            return Err(End::Abort);
        }
        loop {
            self.session.poll_transmit(self.out);
            if self.out.is_empty() {
                break;
            }
            match self.link.write(self.out.pending()).ok_or(End::Abort)? {
                0 => return Ok(()),
                n => self.out.advance(n),
            }
        }
        match self.session.transport() {
            Transport::Keep | Transport::AwaitEnd => {}
            Transport::Shut if self.shut => {}
            Transport::Shut => {
                self.shut = true;
                self.link.shut();
            }
            Transport::Drop => return Err(End::Close),
        }
        Ok(())
    }
}
