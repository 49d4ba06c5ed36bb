//! The reading half: bytes to events. It wires the floors below together and has no rules of its own.

use core::marker::PhantomData;

use crate::{
    bytes::Input,
    close::{CloseCode, CloseFrame},
    config::Config,
    error::ProtocolError,
    event::{Data, Event, Part},
    frame::{
        decode::{Decoder, Place},
        header::{First, FrameHeader, Gate, Rsv},
        straight,
    },
    message::{Message, Open, Terms},
    negotiate::agreed::Agreed,
    opcode::{Control, Kind, Opcode},
    role::Side,
    rule::Rule,
};

/// The reading half of a connection.
///
/// It answers nothing: [`Event::reply`] says what the other half owes for an event. [`Connection`](crate::Connection)
/// joins the two and sees to that itself.
#[derive(Clone, Debug)]
pub struct Reader<S> {
    pub(super) side: PhantomData<S>,
    pub(super) decoder: Decoder,
    pub(super) message: Message,
    pub(super) terms: Terms,
    pub(super) stage: Stage,
    /// The code of the peer's Close; 0 if none came, 1005 if it had none.
    pub(super) received: u16,
    /// The number that the last pong of four bytes carried: see `Keepalive`.
    pub(super) pong: u32,
}

/// Whether frames are still read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Frames,
    /// The peer's Close came: what follows is thrown away (W66).
    Closed,
    /// A fault was found behind bytes that are delivered first: it is told next.
    Failing(Rule),
    /// The fault was told: what follows is thrown away (W68).
    Failed(Rule),
}

/// What the next bytes were, if no data.
pub(super) enum Rare {
    /// A control frame, complete: its payload is in the stash.
    Control(Opcode),
    Fault(ProtocolError),
}

impl<S: Side> Reader<S> {
    pub(super) fn new(config: &Config, agreed: Agreed) -> Self {
        Self {
            side: PhantomData,
            decoder: Decoder::new(Control::default()),
            message: Message::default(),
            terms: Terms::new(config, agreed),
            stage: Stage::Frames,
            received: 0,
            pong: 0,
        }
    }

    /// Takes the next event out of `input`. `None`: every byte was taken, read more.
    ///
    /// Payloads are unmasked in place. After [`Event::Close`] and [`Event::Failed`] whatever comes is taken and
    /// thrown away.
    #[inline]
    pub fn receive<'b>(&mut self, input: &mut Input<'b>) -> Option<Event<'b>> {
        match self.whole(input) {
            Some(data) => Some(Event::Data(data)),
            None => self.receive_any(input),
        }
    }

    /// A message in one frame of no great length, if that comes next as a whole and is flawless; the events are those of
    /// [`next`](Self::next).
    #[inline(always)]
    pub(super) fn whole<'b>(&mut self, input: &mut Input<'b>) -> Option<Data<'b>> {
        if !self.is_between_frames() || self.message.open != Open::None {
            return None;
        }
        let (kind, len) = straight::message(input.as_slice(), S::SERVER)?;
        if len < self.terms.short {
            let frame = straight::short(input, S::SERVER, kind, len)?;
            return self.straight(kind, frame, FrameHeader::short(S::SERVER));
        }
        if len != 126 || self.terms.short == 0 {
            return None;
        }
        let most = self.terms.frame_limit.min(self.terms.message_limit);
        let frame = straight::medium(input, S::SERVER, kind, most)?;
        self.straight(kind, frame, FrameHeader::short(S::SERVER).saturating_add(2))
    }

    /// Whether a frame that comes next as a whole may go a straight path.
    #[inline(always)]
    fn is_between_frames(&self) -> bool {
        cfg!(feature = "fast")
            && self.stage == Stage::Frames
            && self.decoder.place == Place::Header
            && self.decoder.stash.is_blank()
    }

    #[inline(always)]
    fn straight<'b>(&mut self, kind: Kind, frame: &'b mut [u8], header: usize) -> Option<Data<'b>> {
        self.decoder.count(frame.len());
        self.decoder.active = true;
        let payload = frame.get_mut(header..)?;
        let part = Part::whole(kind, payload.len());
        Some(Data::new(payload, part))
    }

    #[cfg_attr(feature = "fast", inline(never))]
    fn receive_any<'b>(&mut self, input: &mut Input<'b>) -> Option<Event<'b>> {
        if let Some((opcode, payload)) = self.whole_control(input) {
            return Some(Event::of_control(opcode, payload));
        }
        self.next(input, |reader, rare, input| Some(reader.tell(rare, input)))
    }

    /// Whether a fault is to be told of, though nothing more comes.
    #[inline]
    pub(super) const fn is_failing(&self) -> bool {
        matches!(self.stage, Stage::Failing(_))
    }

    /// Whatever comes next, in however many pieces. `tell` makes an event of what is no data, and sees to the reply.
    #[inline(always)]
    pub(super) fn next<'b>(
        &mut self,
        input: &mut Input<'b>,
        tell: impl FnOnce(&mut Self, Rare, &mut Input<'b>) -> Option<Event<'b>>,
    ) -> Option<Event<'b>> {
        let rare = 'rare: {
            if self.stage != Stage::Frames {
                break 'rare Rare::Fault(self.receive_ended(input)?);
            }
            if self.decoder.place == Place::Header && !(cfg!(feature = "fast") && self.begin(input)) {
                let gate = Demands { message: &self.message, terms: &self.terms, side: PhantomData::<S> };
                match self.decoder.header(input, &gate) {
                    Ok(Some(header)) if !header.opcode.is_control() => {
                        self.message.begin(header.opcode, header.rsv.contains(Rsv::RSV1), header.len);
                    }
                    Ok(Some(_)) => {}
                    Ok(None) => return None,
                    Err(error) => break 'rare Rare::Fault(error),
                }
            }
            // An empty payload is complete with its header (W28), any other goes on when its next byte is there.
            let Place::Payload { opcode, bits } = self.decoder.place else { return None };
            if input.is_empty() && self.decoder.remaining != 0 {
                return None;
            }
            if opcode.is_control() {
                break 'rare self.control(opcode, input)?;
            }
            let (payload, part, verdict) = self.data(opcode, bits, input);
            let sound = match verdict {
                Ok(()) => Data::new(payload, part),
                Err(fault) => match self.fault_within(fault, payload, part, input) {
                    Ok(sound) => sound,
                    Err(error) => break 'rare Rare::Fault(error),
                },
            };
            return Some(Event::Data(sound));
        };
        tell(self, rare, input)
    }

    /// A ping or a pong, if that comes next as a whole and is flawless; the event is that of [`next`](Self::next).
    #[inline(always)]
    pub(super) fn whole_control<'b>(&mut self, input: &mut Input<'b>) -> Option<(Opcode, &'b [u8])> {
        if !self.is_between_frames() {
            return None;
        }
        let before = input.len();
        let (opcode, payload) = straight::control(input, S::SERVER)?;
        self.decoder.count(before.wrapping_sub(input.len()));
        self.note_control(opcode, payload);
        Some((opcode, payload))
    }

    /// Notes what a complete control frame tells beside its event.
    fn note_control(&mut self, opcode: Opcode, payload: &[u8]) {
        self.decoder.controls = self.decoder.controls.saturating_add(1);
        if opcode == Opcode::Pong
            && let Ok(number) = <[u8; 4]>::try_from(payload)
        {
            self.pong = u32::from_be_bytes(number);
        }
    }

    /// Begins a data frame whose header is there as a whole and without fault. False: nothing was done.
    #[inline(always)]
    fn begin(&mut self, input: &mut Input<'_>) -> bool {
        let Some(header) = straight::data_header(input.as_slice(), S::SERVER) else { return false };
        let expected = (header.opcode == Opcode::Continuation) == (self.message.open != Open::None)
            && self.decoder.stash.is_blank()
            && self.message.fragments < self.terms.fragment_limit
            && self.message.admit_length(header.len, &self.terms).is_ok();
        if expected {
            self.message.begin(header.opcode, false, header.len);
            self.decoder.begin(header.opcode, header.fin, header.len, header.key);
            self.decoder.take(input, header.size);
        }
        expected
    }

    /// The event that tells of what is no data.
    #[cfg_attr(feature = "fast", inline(never))]
    pub(super) fn tell(&mut self, rare: Rare, input: &mut Input<'_>) -> Event<'static> {
        match rare {
            Rare::Control(opcode) => self.tell_control(opcode, input),
            Rare::Fault(error) => {
                self.stop(error, input);
                self.stage = Stage::Failed(error.rule);
                Event::Failed(error)
            }
        }
    }

    /// The stream ended: nothing more will come. A repeated end changes nothing.
    pub fn receive_eof(&mut self) {
        self.decoder.end();
    }

    /// How much of the frame under way is still to come, in bytes; 0 between frames and inside a header.
    pub const fn frame_remaining(&self) -> u64 {
        self.decoder.remaining
    }

    /// The same of a data frame alone.
    pub(crate) const fn data_remaining(&self) -> u64 {
        match self.decoder.place {
            Place::Payload { opcode, .. } if !opcode.is_control() => self.decoder.remaining,
            Place::Payload { .. } | Place::Header => 0,
        }
    }

    /// [`fail`](Self::fail), told by the next `receive`.
    pub(super) fn fail_next(&mut self, rule: Rule) {
        if let Stage::Frames = self.stage {
            self.stage = Stage::Failing(rule);
            self.drop_frame();
        }
    }

    /// Fails the connection for a rule that the application, or a stage behind this one, found broken. The event
    /// tells it; its [`reply`](Event::reply) is due. After an earlier failure that one stands.
    pub fn fail(&mut self, rule: Rule) -> Event<'static> {
        self.drop_frame();
        match self.stage {
            Stage::Frames | Stage::Closed => self.stage = Stage::Failed(rule),
            Stage::Failing(earlier) | Stage::Failed(earlier) => self.stage = Stage::Failed(earlier),
        }
        Event::Failed(self.failure().unwrap_or(ProtocolError { rule, offset: self.decoder.offset }))
    }

    /// The rule that the peer broke, if it did.
    pub const fn failure(&self) -> Option<ProtocolError> {
        match self.stage {
            Stage::Failing(rule) | Stage::Failed(rule) => {
                Some(ProtocolError { rule, offset: self.decoder.offset })
            }
            Stage::Frames | Stage::Closed => None,
        }
    }

    /// How many bytes were received, the handshake's head not counted. A sign of life.
    pub const fn bytes_received(&self) -> u64 {
        self.decoder.offset
    }

    /// The code of the peer's Close.
    pub(super) const fn received(&self) -> Option<CloseCode> {
        match self.received {
            0 => None,
            code => Some(CloseCode::new(code)),
        }
    }

    /// The next piece of a message, and whether it may be.
    #[inline(always)]
    fn data<'b>(
        &mut self,
        opcode: Opcode,
        bits: u8,
        input: &mut Input<'b>,
    ) -> (&'b mut [u8], Part, Result<(), (Rule, usize)>) {
        let fin = bits & 0x80 != 0;
        let starts_frame = self.decoder.remaining == self.decoder.len;
        let (payload, ascii) = self.decoder.payload(input);
        let ends_frame = self.decoder.remaining == 0;
        let last = ends_frame && fin; // W44
        self.decoder.active = true;
        let part = Part {
            kind: self.message.open.kind(),
            first: starts_frame && opcode != Opcode::Continuation,
            last,
            starts_frame,
            ends_frame,
            fin,
            rsv: Rsv::from_bits(bits),
            compressed: self.message.compressed,
            frame_len: self.decoder.len,
        };
        let verdict = self.message.push(payload, ascii, last);
        if last && verdict.is_ok() {
            self.message.end();
        }
        (payload, part, verdict)
    }

    /// `payload[at]` proves a fault. The bytes before it are delivered first, so that a stream gives the same events
    /// wherever it is cut.
    #[cold]
    fn fault_within<'b>(
        &mut self,
        (rule, at): (Rule, usize),
        payload: &'b mut [u8],
        part: Part,
        input: &mut Input<'_>,
    ) -> Result<Data<'b>, ProtocolError> {
        let behind = payload.len().saturating_sub(at).max(usize::from(payload.is_empty()));
        let error = ProtocolError { rule, offset: self.decoder.offset.saturating_sub(behind as u64) };
        match payload.split_at_mut_checked(at) {
            Some((sound, _)) if !sound.is_empty() => {
                self.stop(error, input);
                self.stage = Stage::Failing(rule);
                Ok(Data::new(sound, Part { last: false, ends_frame: false, ..part }))
            }
            _ => Err(error),
        }
    }

    /// A control frame comes in whatever pieces and is told whole; a Close is checked in each (W81).
    #[cfg_attr(feature = "fast", inline(never))]
    fn control(&mut self, opcode: Opcode, input: &mut Input<'_>) -> Option<Rare> {
        let start = self.decoder.stash_offset();
        let complete = self.decoder.control(input);
        if opcode == Opcode::Close
            && let Err((rule, at)) = CloseFrame::check(&self.decoder.stash, complete)
        {
            let offset = start.saturating_add(at as u64);
            return Some(Rare::Fault(ProtocolError { rule, offset }));
        }
        complete.then_some(Rare::Control(opcode))
    }

    /// The control frame that the stash holds.
    fn tell_control(&mut self, opcode: Opcode, input: &mut Input<'_>) -> Event<'static> {
        let payload = core::mem::take(&mut self.decoder.stash);
        self.note_control(opcode, &payload);
        match opcode {
            Opcode::Ping => Event::Ping(payload),
            Opcode::Close => {
                let frame = CloseFrame::from_body(&payload);
                self.received = frame.as_ref().map_or(CloseCode::NO_STATUS, CloseFrame::code).get();
                self.stage = Stage::Closed;
                input.take_all();
                Event::Close(frame)
            }
            _ => Event::Pong(payload),
        }
    }

    /// Reads no more: the stream's position stays at the byte that proves the fault.
    fn stop(&mut self, error: ProtocolError, input: &mut Input<'_>) {
        input.take_all();
        self.decoder.offset = error.offset;
        self.drop_frame();
    }

    /// Nothing more is expected of the frame under way.
    fn drop_frame(&mut self) {
        self.decoder.remaining = 0;
        self.decoder.stash.clear();
    }

    #[cold]
    fn receive_ended(&mut self, input: &mut Input<'_>) -> Option<ProtocolError> {
        input.take_all();
        match self.stage {
            Stage::Failing(rule) => Some(ProtocolError { rule, offset: self.decoder.offset }),
            Stage::Frames | Stage::Closed | Stage::Failed(_) => None,
        }
    }
}

/// What the connection demands of the next header: each question goes to the floor that knows the answer.
struct Demands<'r, S> {
    message: &'r Message,
    terms: &'r Terms,
    side: PhantomData<S>,
}

impl<S: Side> Gate for Demands<'_, S> {
    #[inline]
    fn first(&self, first: First) -> Result<(), Rule> {
        first.rsv.check(first.opcode, self.terms.agreed.reserved())?;
        self.message.admit(first.opcode, self.terms)
    }

    #[inline]
    fn masked(&self, masked: bool) -> Result<(), Rule> {
        match (S::SERVER, masked) {
            // "a client MUST mask all frames that it sends to the server" (§5.1, W82).
            (true, false) if !self.terms.lenient().unmasked_frames => Err(Rule::UnmaskedFrame),
            // "A server MUST NOT mask any frames that it sends to the client" (§5.1, W83).
            (false, true) => Err(Rule::MaskedFrame),
            _ => Ok(()),
        }
    }

    #[inline]
    fn minimal(&self) -> bool {
        !self.terms.lenient().non_minimal_length
    }

    #[inline]
    fn length(&self, first: First, len: u64) -> Result<(), Rule> {
        match first.opcode {
            Opcode::Close => CloseFrame::check_len(len),
            Opcode::Ping | Opcode::Pong => Ok(()),
            Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                self.message.admit_length(len, self.terms)
            }
        }
    }
}
