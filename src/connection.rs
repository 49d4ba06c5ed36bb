//! A connection after the opening handshake: its two halves, and the line that joins them.

mod debt;
pub(crate) mod endpoint;
mod flags;
pub(crate) mod reader;
pub(crate) mod save;
pub(crate) mod writer;

use self::{reader::Reader, writer::Writer};
use crate::{
    bytes::{Input, Output},
    close::CloseCode,
    config::Config,
    error::{ProtocolError, SendError},
    event::{Due, Event, Outgoing},
    frame::{decode::End, prepared::Prepared},
    message::Open,
    negotiate::agreed::Agreed,
    opcode::Opcode,
    role::{Role, Server, Side},
    rule::Rule,
    state::{Cause, Closure, Transport},
};

/// A WebSocket connection after the opening handshake: bytes in, events out, and bytes out.
///
/// Its methods are of four kinds, and know nothing of sockets or clocks:
///
/// - **receive** ([`receive`](Self::receive), [`receive_eof`](Self::receive_eof)): hand over what was read. An event
///   borrows the buffer and not the connection, so answer it inside the loop. Replies that the protocol demands are
///   put into the same output.
/// - **send** ([`send`](Self::send), [`close`](Self::close), [`send_header`](Self::send_header) and the debts behind
///   it): whole frames into the output, or an `Err` and nothing.
/// - **transmit** ([`poll_transmit`](Self::poll_transmit)): once the output has room again, a reply that had found
///   none.
/// - **ask** ([`transport`](Self::transport), [`closure`](Self::closure), [`frame_remaining`](Self::frame_remaining)).
///
/// A peer's mistake is an event, the caller's an `Err`. Memory is bounded: this struct and nothing else. No call
/// panics.
///
/// ```
/// use websocket_proto::{Agreed, Config, Connection, Event, Input, SendError, Server, SliceOutput};
///
/// let mut conn = Connection::new(Server, &Config::default(), Agreed::default());
/// let mut out = SliceOutput::new([0; 1024]);
///
/// // RFC 6455 §5.7: a masked "Hello", as a socket would give it.
/// let mut read = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
/// let mut input = Input::new(&mut read);
/// while let Some(event) = conn.receive(&mut input, &mut out) {
///     if let Event::Data(data) = event {
///         assert_eq!(data.payload(), b"Hello");
///         match conn.send(data.echo(), &mut out) {
///             Ok(()) | Err(SendError::Closed) => {} // data may still come after our Close
///             Err(error) => panic!("{error}"),
///         }
///     }
/// }
/// assert_eq!(out.pending(), b"\x81\x05Hello"); // for the socket
/// ```
#[derive(Clone, Debug)]
pub struct Connection<R: Role> {
    reader: Reader<R::Side>,
    writer: Writer<R>,
}

/// Signs of life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signs {
    /// Bytes received in all.
    pub(crate) bytes: u64,
    /// The number that the last pong of four bytes carried.
    pub(crate) pong: u32,
    /// Control frames received since the last time.
    pub(crate) controls: u16,
    /// Whether data frames came or went since the last time.
    pub(crate) active: bool,
}

impl<R: Role> Connection<R> {
    /// A connection whose opening handshake, of whatever kind, is done and agreed on `agreed`.
    pub fn new(role: R, config: &Config, agreed: Agreed) -> Self {
        Self { reader: Reader::new(config, agreed), writer: Writer::new(role, agreed) }
    }

    /// Takes the next event out of `input`, and puts what it obliges to send into `out`: pongs, the answering Close,
    /// the Close after a violation. `None`: every byte was taken, read more.
    ///
    /// A reply without room in `out` waits in the connection, and goes first next time: the latest pong, or a Close.
    /// Reading never waits for writing. After [`Event::Close`] and [`Event::Failed`] whatever comes is taken and
    /// thrown away.
    #[cfg_attr(feature = "fast", inline(always))]
    #[cfg_attr(not(feature = "fast"), inline(never))]
    pub fn receive<'b>(
        &mut self,
        input: &mut Input<'b>,
        out: &mut (impl Output + ?Sized),
    ) -> Option<Event<'b>> {
        if !self.is_reply_waiting()
            && let Some(data) = self.reader.whole(input)
        {
            return Some(Event::Data(data));
        }
        if input.is_empty() && !self.is_reply_waiting() && !self.reader.is_failing() {
            return None;
        }
        self.receive_any(input, out)
    }

    /// [`receive`](Self::receive), on the general way.
    #[cfg_attr(feature = "fast", inline(never))]
    fn receive_any<'b>(
        &mut self,
        input: &mut Input<'b>,
        out: &mut (impl Output + ?Sized),
    ) -> Option<Event<'b>> {
        if self.is_reply_waiting() {
            self.writer.poll_transmit(out);
        }
        if let Some((opcode, payload)) = self.reader.whole_control(input) {
            if opcode == Opcode::Ping {
                self.writer.pay_due(Due::Pong(payload), out);
            }
            return Some(Event::of_control(opcode, payload));
        }
        self.reader.next(input, |reader, rare, input| {
            let event = reader.tell(rare, input);
            if let Some(due) = event.due() {
                self.writer.pay_due(due, out);
            }
            Some(event)
        })
    }

    /// The stream ended: nothing more will come. A repeated end changes nothing.
    pub fn receive_eof(&mut self) -> Closure {
        self.reader.receive_eof();
        self.closure()
    }

    /// Fails the connection for a rule that the application, or a stage behind this one, found broken (W145, W169,
    /// W170, W171, or any other): the Close
    /// with [`Rule::close_code`] is in `out` or waits. After an earlier failure that one stands, and no second Close
    /// is sent.
    pub fn fail(&mut self, rule: Rule, out: &mut (impl Output + ?Sized)) -> Event<'static> {
        let event = self.reader.fail(rule);
        if let Some(due) = event.due() {
            self.writer.pay_due(due, out);
        }
        event
    }

    /// The rule that the peer broke, if it did.
    pub const fn failure(&self) -> Option<ProtocolError> {
        self.reader.failure()
    }

    /// What to do with the transport once everything in the output was written to it.
    pub fn transport(&self) -> Transport {
        let ended = self.reader.decoder.end.is_some();
        self.writer.state.transport(<R::Side as Side>::SERVER, self.writer.is_waiting(), ended)
    }

    /// How the connection ended, or how far it has come in ending (W71, W79).
    pub fn closure(&self) -> Closure {
        let received = self.reader.received();
        let cause = match (self.reader.failure(), self.reader.decoder.end) {
            (Some(error), _) => Some(Cause::Violation(error)),
            (None, Some(End::InFrame)) if received.is_none() => Some(Cause::EndInFrame),
            (None, Some(End::BetweenFrames)) if received.is_none() => match self.reader.message.open {
                Open::None => Some(Cause::EndWithoutClose),
                Open::Binary | Open::Text(_) => Some(Cause::EndInMessage),
            },
            _ => None,
        };
        Closure {
            sent: self.writer.sent(),
            received,
            first: self.writer.state.first(),
            // A Close that waits for room was not exchanged (W71).
            clean: self.writer.state.is_complete()
                && !self.writer.is_waiting()
                && self.reader.decoder.end.is_some(),
            cause,
        }
    }

    /// What the opening handshake agreed on.
    pub const fn agreed(&self) -> Agreed {
        self.reader.terms.agreed
    }

    /// How much of the frame under way is still to come, in bytes; 0 between frames and inside a header. Who has
    /// room for that much can have it read straight to where it stays: see `Assembler::place`.
    pub const fn frame_remaining(&self) -> u64 {
        self.reader.frame_remaining()
    }

    /// How many bytes were received, the handshake's head not counted. A sign of life.
    pub const fn bytes_received(&self) -> u64 {
        self.reader.bytes_received()
    }

    /// Whether a reply waits for room in the output, for a masking key, or for a debt to be paid.
    pub fn is_reply_waiting(&self) -> bool {
        self.writer.slot.kind != writer::Waiting::Nothing
    }

    /// The two halves, for two threads without a lock, or for a proxy that answers no pings itself.
    pub fn into_halves(self) -> (Reader<R::Side>, Writer<R>) {
        (self.reader, self.writer)
    }

    /// Joins the two halves again.
    pub fn from_halves(reader: Reader<R::Side>, writer: Writer<R>) -> Self {
        Self { reader, writer }
    }

    /// What came and went since the last call, for `Keepalive`.
    pub(crate) fn take_signs(&mut self) -> Signs {
        let received = core::mem::take(&mut self.reader.decoder.active);
        Signs {
            bytes: self.reader.bytes_received(),
            pong: core::mem::take(&mut self.reader.pong),
            controls: core::mem::take(&mut self.reader.decoder.controls),
            active: self.writer.take_active() || received,
        }
    }

    /// [`fail`](Self::fail), told by the next `receive`, for whoever has no way to tell it.
    pub(crate) fn fail_next(&mut self, rule: Rule, out: &mut (impl Output + ?Sized)) {
        self.reader.fail_next(rule);
        if let Some(error) = self.reader.failure()
            && let Some(due) = Event::Failed(error).due()
        {
            self.writer.pay_due(due, out);
        }
    }

    /// How much of the data frame under way is still to come.
    pub(crate) const fn data_remaining(&self) -> u64 {
        self.reader.data_remaining()
    }

    /// Whether the closing handshake has begun, in whatever way.
    pub(crate) const fn is_ending(&self) -> bool {
        !self.writer.state.may_send()
    }
}

// A million idle connections are a promise: both halves and the limits included, nothing on the heap.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Connection<Server>>() <= 352);

/// Sending: what [`Writer`] does, on the whole connection.
impl<R: Role> Connection<R> {
    /// Puts a frame out, whole: see [`Writer::send`].
    ///
    /// # Errors
    /// [`SendError`] says why nothing of the frame was written. A reply that waited may have gone before it.
    #[cfg_attr(feature = "fast", inline(always))]
    #[cfg_attr(not(feature = "fast"), inline(never))]
    pub fn send(&mut self, frame: Outgoing<'_>, out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
        self.writer.send(frame, out)
    }

    /// Puts out the header of a frame whose `len` bytes of payload are owed: see [`Writer::send_header`].
    ///
    /// # Errors
    /// As [`send`](Self::send).
    #[inline]
    pub fn send_header(
        &mut self,
        frame: Outgoing<'_>,
        len: u64,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.writer.send_header(frame, len, out)
    }

    /// How many bytes of payload are owed: see [`Writer::owed`].
    pub const fn owed(&self) -> u64 {
        self.writer.owed()
    }

    /// Pays as much of `chunk` as is owed and fits, and says how much that is: see [`Writer::pay`].
    ///
    /// # Errors
    /// [`SendError::Owed`], [`SendError::Utf8`].
    pub fn pay(&mut self, chunk: &[u8], out: &mut (impl Output + ?Sized)) -> Result<usize, SendError> {
        self.writer.pay(chunk, out)
    }

    /// Pays with bytes that the caller writes itself: see [`Writer::pay_in_place`].
    ///
    /// # Errors
    /// [`SendError::Owed`], [`SendError::Utf8`].
    pub fn pay_in_place(&mut self, chunk: &mut [u8]) -> Result<(), SendError> {
        self.writer.pay_in_place(chunk)
    }

    /// Begins the closing handshake: see [`Writer::close`]. Go on reading until [`transport`](Self::transport) says
    /// otherwise: data may still come, and the peer's Close will (W31).
    ///
    /// # Errors
    /// [`SendError::CloseCode`], [`SendError::ReasonTooLong`].
    pub fn close(
        &mut self,
        code: CloseCode,
        reason: &str,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.writer.close(code, reason, out)
    }

    /// Begins the closing handshake without a code: see [`Writer::close_without_code`].
    pub fn close_without_code(&mut self, out: &mut (impl Output + ?Sized)) {
        self.writer.close_without_code(out);
    }

    /// Puts out the reply that waits, if there is one and it fits: see [`Writer::poll_transmit`]. True: it went out.
    pub fn poll_transmit(&mut self, out: &mut (impl Output + ?Sized)) -> bool {
        self.writer.poll_transmit(out)
    }
}

/// Sending without a copy: a server masks nothing.
impl Connection<Server> {
    /// Pays with bytes that nobody changes: see [`Writer::pay_by_reference`].
    ///
    /// # Errors
    /// [`SendError::Owed`], [`SendError::Utf8`].
    #[inline]
    pub fn pay_by_reference(&mut self, chunk: &[u8]) -> Result<(), SendError> {
        self.writer.pay_by_reference(chunk)
    }

    /// Sends a message that was encoded before: see [`Writer::send_prepared`]. Write the bytes returned next.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_prepared<'p, B: AsRef<[u8]>>(
        &mut self,
        message: &'p Prepared<B>,
        out: &mut (impl Output + ?Sized),
    ) -> Result<&'p [u8], SendError> {
        self.writer.send_prepared(message, out)
    }
}

#[cfg(feature = "defmt")]
impl<R: Role> defmt::Format for Connection<R> {
    /// Without what is held back of a payload or a reply.
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Connection {{ transport: {}, closure: {} }}", self.transport(), self.closure());
    }
}
