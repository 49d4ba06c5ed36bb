//! What comes out of the machine and what is sent through it.

use crate::{
    close::{CloseCode, CloseFrame},
    error::ProtocolError,
    frame::header::Rsv,
    opcode::{Control, Kind, Opcode},
};

/// What happened. An event borrows the bytes that were read, and never the connection: answer it at once, in the
/// same loop.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Event<'b> {
    /// A piece of a message.
    Data(Data<'b>),
    /// A ping. The pong is in the output already, or waits for room there.
    Ping(Control),
    /// A pong, asked for or not (RFC 6455 §5.5.3, W29).
    Pong(Control),
    /// The peer's Close, `None` if it had no code. The answering Close is in the output already, or waits.
    Close(Option<CloseFrame>),
    /// The peer broke a rule. Final, and told once: _Fail the WebSocket Connection_ (RFC 6455 §7.1.7) has been done,
    /// and our Close, or the refusal of the handshake, is in the output or waits.
    Failed(ProtocolError),
    /// A [`Session`](crate::Session) of a server: a request awaits its answer. See `Session::request`.
    Requested,
    /// A [`Session`](crate::Session) of a client: the server accepted, and messages may go out.
    Opened,
    /// A [`Session`](crate::Session) of a client: the server gave another answer than 101. See `Session::response`.
    Refused,
}

impl Event<'_> {
    /// A ping, or else a pong, with at most [`Control::MAX`] bytes.
    pub(crate) fn of_control(opcode: Opcode, payload: &[u8]) -> Self {
        let payload = Control::new(payload).unwrap_or_default();
        if opcode == Opcode::Ping { Self::Ping(payload) } else { Self::Pong(payload) }
    }

    /// What the event obliges this side to send: for whoever reads with a [`Reader`](crate::Reader) and writes
    /// elsewhere. `None` where nothing is due.
    pub fn reply(&self) -> Option<Reply> {
        Some(Reply(match self.due()? {
            Due::Pong(payload) => Due::Pong(Control::new(payload)?),
            Due::Close(code) => Due::Close(code),
            Due::Failure(code) => Due::Failure(code),
        }))
    }

    /// The same, borrowed.
    pub(crate) fn due(&self) -> Option<Due<&[u8]>> {
        match self {
            Self::Ping(payload) => Some(Due::Pong(payload)),
            Self::Close(frame) => Some(Due::Close(frame.as_ref().map(CloseFrame::code))),
            // The rules of the handshake have no code, and are not broken after it.
            Self::Failed(error) => {
                Some(Due::Failure(error.rule.close_code().unwrap_or(CloseCode::PROTOCOL_ERROR)))
            }
            Self::Data(_) | Self::Pong(_) | Self::Requested | Self::Opened | Self::Refused => None,
        }
    }
}

/// What a reading half owes to the peer: plain data that may cross a channel, for
/// [`Writer::reply`](crate::Writer::reply).
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Reply(pub(crate) Due<Control>);

/// What is owed, with the payload of a pong.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Due<P> {
    /// It "must have identical "Application data" as found in the message body of the Ping frame" (§5.5.3, W25).
    Pong(P),
    /// "the endpoint typically echos the status code it received" (RFC 6455 §5.5.1, W64): no code, no code back.
    Close(Option<CloseCode>),
    Failure(CloseCode),
}

/// Where a piece of payload stands in its frame and message (W19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Part {
    /// What the message is.
    pub kind: Kind,
    /// Whether the message begins with this piece.
    pub first: bool,
    /// Whether the message ends with this piece.
    pub last: bool,
    /// Whether a frame begins with this piece.
    pub starts_frame: bool,
    /// Whether the frame ends with this piece.
    pub ends_frame: bool,
    /// Whether the frame is its message's last (FIN).
    pub fin: bool,
    /// The frame's reserved bits, which the negotiated extensions define.
    pub rsv: Rsv,
    /// Whether the message is compressed (RSV1 on its first frame): its text is not checked yet.
    pub compressed: bool,
    /// The length of the frame's whole payload, in bytes.
    pub frame_len: u64,
}

impl Part {
    /// The whole of a message in one frame without reserved bits.
    #[inline]
    pub(crate) const fn whole(kind: Kind, len: usize) -> Self {
        Self {
            kind,
            first: true,
            last: true,
            starts_frame: true,
            ends_frame: true,
            fin: true,
            rsv: Rsv::NONE,
            compressed: false,
            frame_len: len as u64,
        }
    }
}

/// A piece of a message, unmasked, in the buffer that it was read into.
///
/// Text is checked: in what was delivered of a message, only its end may lie inside a character. A frame arrives in
/// as many pieces as there were reads; an empty frame is one empty piece.
#[derive(Debug)]
pub struct Data<'b> {
    payload: &'b mut [u8],
    part: Part,
}

impl<'b> Data<'b> {
    pub(crate) const fn new(payload: &'b mut [u8], part: Part) -> Self {
        Self { payload, part }
    }

    /// The piece.
    pub const fn payload(&self) -> &[u8] {
        self.payload
    }

    /// Where it stands.
    pub const fn part(&self) -> Part {
        self.part
    }

    /// The piece, for as long as the buffer is borrowed.
    pub const fn into_payload(self) -> &'b mut [u8] {
        self.payload
    }

    /// The piece as a frame to send: a whole message as one, a piece of a message as a fragment of the same message.
    pub const fn echo(&self) -> Outgoing<'_> {
        let opcode = if self.part.first { self.part.kind.opcode() } else { Opcode::Continuation };
        Outgoing {
            opcode,
            fin: self.part.last,
            rsv: self.part.rsv.only_if(self.part.starts_frame),
            payload: self.payload,
            checked: self.part.first && self.part.last && !self.part.compressed,
        }
    }

    /// The header of the frame that the piece begins, for `send_header` with [`Part::frame_len`]: a proxy that pays
    /// the pieces as they come keeps the frame's borders (W43). Of use where [`Part::starts_frame`] is true.
    pub const fn forward(&self) -> Outgoing<'static> {
        let opcode = if self.part.first { self.part.kind.opcode() } else { Opcode::Continuation };
        Outgoing { opcode, fin: self.part.fin, rsv: self.part.rsv, payload: &[], checked: false }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Data<'_> {
    /// Without the payload.
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Data {{ len: {=usize}, part: {} }}", self.payload.len(), self.part);
    }
}

/// A frame to be sent. What may not be sent is refused by `send`, with nothing written.
///
/// ```
/// use websocket_proto::{Kind, Outgoing};
///
/// let whole = Outgoing::text("hello");
/// let fragments = [Outgoing::first(Kind::Text, b"hel"), Outgoing::next(b"l"), Outgoing::last(b"o")];
/// let ping = Outgoing::ping(b"still there?");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'p> {
    pub(crate) opcode: Opcode,
    pub(crate) fin: bool,
    pub(crate) rsv: Rsv,
    pub(crate) payload: &'p [u8],
    /// The payload is a whole text and known to be UTF-8.
    pub(crate) checked: bool,
}

impl<'p> Outgoing<'p> {
    /// A text message in one frame.
    pub const fn text(text: &'p str) -> Self {
        Self { checked: true, ..Self::data(Opcode::Text, true, text.as_bytes()) }
    }

    /// A binary message in one frame.
    pub const fn binary(bytes: &'p [u8]) -> Self {
        Self::data(Opcode::Binary, true, bytes)
    }

    /// A message in one frame. Text is checked when it is sent.
    pub const fn whole(kind: Kind, bytes: &'p [u8]) -> Self {
        Self::data(kind.opcode(), true, bytes)
    }

    /// The first of several fragments of a message. Text is checked when it is sent; a character may be split
    /// between fragments.
    pub const fn first(kind: Kind, bytes: &'p [u8]) -> Self {
        Self::data(kind.opcode(), false, bytes)
    }

    /// A fragment between the first and the last.
    pub const fn next(bytes: &'p [u8]) -> Self {
        Self::data(Opcode::Continuation, false, bytes)
    }

    /// The last fragment of a message.
    pub const fn last(bytes: &'p [u8]) -> Self {
        Self::data(Opcode::Continuation, true, bytes)
    }

    /// A ping with at most 125 bytes that the pong will repeat.
    pub const fn ping(payload: &'p [u8]) -> Self {
        Self::data(Opcode::Ping, true, payload)
    }

    /// A pong that nobody asked for, with at most 125 bytes: "a unidirectional heartbeat" (RFC 6455 §5.5.3). Pings
    /// are answered without it.
    pub const fn pong(payload: &'p [u8]) -> Self {
        Self::data(Opcode::Pong, true, payload)
    }

    /// Marks a message as compressed by the caller: RSV1 on its first frame (RFC 7692 §6). Its text is not checked.
    #[must_use]
    pub const fn compressed(self) -> Self {
        Self { rsv: Rsv::RSV1, checked: false, ..self }
    }

    /// Whether this is a message in one frame without reserved bits.
    #[inline(always)]
    pub(crate) const fn is_plain(&self) -> bool {
        self.fin && matches!(self.opcode, Opcode::Text | Opcode::Binary) && self.rsv.bits() == 0
    }

    /// Whether its payload goes out without a look at its bytes.
    #[inline(always)]
    pub(crate) const fn needs_no_look(&self) -> bool {
        self.checked || matches!(self.opcode, Opcode::Binary)
    }

    /// A whole message as it was received: text in it was checked.
    pub(crate) const fn received(kind: Kind, compressed: bool, payload: &'p [u8]) -> Self {
        let rsv = if compressed { Rsv::RSV1 } else { Rsv::NONE };
        Self { rsv, checked: !compressed, ..Self::data(kind.opcode(), true, payload) }
    }

    const fn data(opcode: Opcode, fin: bool, payload: &'p [u8]) -> Self {
        Self { opcode, fin, rsv: Rsv::NONE, payload, checked: false }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Outgoing<'_> {
    /// Without the payload.
    fn format(&self, f: defmt::Formatter<'_>) {
        let (opcode, fin, rsv) = (self.opcode, self.fin, self.rsv);
        let len = self.payload.len();
        defmt::write!(
            f,
            "Outgoing {{ opcode: {}, fin: {=bool}, rsv: {}, len: {=usize} }}",
            opcode,
            fin,
            rsv,
            len
        );
    }
}
