//! The writing half: frames and replies into an output. It wires the floors below together and has no rules of its
//! own.

use super::flags::Flags;
use crate::{
    bytes::{Body, Output},
    close::{CloseCode, CloseFrame},
    error::SendError,
    event::{Due, Outgoing, Reply},
    frame::{
        encode,
        header::{FrameHeader, Rsv},
        prepared::Prepared,
    },
    mask::{MaskKey, advance, mask},
    message::Open,
    negotiate::agreed::Agreed,
    opcode::{Control, Opcode},
    role::{Role, Server, Side},
    state::{Effect, State, Step},
};

/// The writing half of a connection.
#[derive(Clone, Debug)]
pub struct Writer<R> {
    pub(super) role: R,
    /// What is still to be paid of a payload that `send_header` announced.
    pub(super) owed: u64,
    /// The key for its next byte.
    pub(super) key: MaskKey,
    /// The code of our Close; 0 if none was sent, 1005 if it had none.
    pub(super) sent: u16,
    /// The reply that waits for room, for a key, or for a debt to be paid.
    pub(super) slot: Slot,
    pub(super) state: State,
    /// The outgoing message under way (W42).
    pub(super) open: Open,
    pub(super) flags: Flags,
}

/// The one reply that may wait: the latest pong, or our Close.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    pub(super) kind: Waiting,
    pub(super) payload: Control,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Waiting {
    #[default]
    Nothing,
    Pong,
    Close,
}

impl<R: Role> Writer<R> {
    const MASKS: bool = !<R::Side as Side>::SERVER;

    pub(super) fn new(role: R, agreed: Agreed) -> Self {
        Self {
            role,
            owed: 0,
            key: [0; 4],
            sent: 0,
            slot: Slot::default(),
            state: State::default(),
            open: Open::default(),
            flags: Flags::new(agreed),
        }
    }

    /// Puts a frame out, whole.
    ///
    /// # Errors
    /// [`SendError`] says why nothing of the frame was written. A reply that waited may have gone before it.
    #[inline(always)]
    pub fn send(&mut self, frame: Outgoing<'_>, out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
        // What is common: a whole message that is no text or known to be one, and nothing before it.
        let straight = frame.is_plain_message()
            && frame.payload.len() <= 0xffff
            && self.state.may_send()
            && self.owed == 0
            && self.slot.kind == Waiting::Nothing
            && self.open == Open::None;
        if straight { self.send_straight(frame, out) } else { self.send_any(frame, out) }
    }

    /// [`send_any`](Self::send_any), for what [`send`](Self::send) has found common.
    #[inline(always)]
    fn send_straight(
        &mut self,
        frame: Outgoing<'_>,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        let len = frame.payload.len();
        // Only when there is room, so that no key is lost.
        if Self::MASKS && out.room() < FrameHeader::size(len as u64, true).saturating_add(len) {
            return Err(self.no_room(len as u64, len));
        }
        let key = self.next_key()?;
        if !encode::message(frame.opcode, key, frame.payload, out) {
            return Err(self.no_room(len as u64, len));
        }
        self.flags.set(Flags::ACTIVE, true);
        self.flags.set(Flags::COMPRESSED, false);
        Ok(())
    }

    #[inline(never)]
    fn send_any(&mut self, frame: Outgoing<'_>, out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
        let open = self.check(&frame, frame.payload.len() as u64)?;
        let open = self.check_payload(&frame, open)?;
        let header = self.header(&frame, frame.payload.len() as u64, frame.payload.len(), out)?;
        if !encode::frame(header, frame.payload, out) {
            return Err(self.no_room(frame.payload.len() as u64, frame.payload.len()));
        }
        self.begin(&frame, open);
        self.end_frame(frame.fin && !frame.opcode.is_control());
        Ok(())
    }

    /// Puts out the header of a frame with `len` bytes of payload, which are owed from then on: see
    /// [`owed`](Self::owed). The payload that `frame` itself may have is left aside.
    ///
    /// # Errors
    /// As [`send`](Self::send); a control frame cannot be owed ([`SendError::ControlTooLong`]).
    pub fn send_header(
        &mut self,
        frame: Outgoing<'_>,
        len: u64,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        if frame.opcode.is_control() {
            return Err(SendError::ControlTooLong);
        }
        let open = self.check(&frame, len)?;
        if len == 0 && frame.fin && !self.may_end(open, &frame) {
            return Err(SendError::Utf8);
        }
        let header = self.header(&frame, len, 0, out)?;
        if !encode::header_only(header, out) {
            return Err(self.no_room(len, 0));
        }
        self.begin(&frame, open);
        self.owed = len;
        self.key = header.mask.unwrap_or_default();
        self.flags.set(Flags::OWED_FIN, frame.fin);
        self.end_debt();
        Ok(())
    }

    /// How many bytes of payload are owed. While it is not 0, other frames are refused with [`SendError::Owed`] and
    /// replies wait.
    pub const fn owed(&self) -> u64 {
        self.owed
    }

    /// Pays as much of `chunk` as is owed and fits, masked if need be, and says how many bytes that is. 0: there is
    /// no room now.
    ///
    /// # Errors
    /// [`SendError::Owed`] with 0 bytes if nothing is owed, [`SendError::Utf8`] if the message is text and this is
    /// not: nothing was paid.
    pub fn pay(&mut self, chunk: &[u8], out: &mut (impl Output + ?Sized)) -> Result<usize, SendError> {
        if self.owed == 0 && !chunk.is_empty() {
            return Err(SendError::Owed { bytes: 0 });
        }
        let most = usize::try_from(self.owed).unwrap_or(usize::MAX).min(out.room());
        let paid = chunk.get(..most).unwrap_or(chunk);
        if paid.is_empty() {
            return Ok(0);
        }
        let open = self.check_debt(paid)?;
        let body = if Self::MASKS { Body::masked(paid, self.key) } else { Body::plain(paid) };
        if !out.put(&[], body) {
            return Ok(0);
        }
        self.paid(paid.len(), open);
        self.poll_transmit(out);
        Ok(paid.len())
    }

    /// Pays with bytes that the caller writes itself, behind what is in the output: masks them in place if need be.
    ///
    /// # Errors
    /// [`SendError::Owed`] if `chunk` is longer than what is owed, [`SendError::Utf8`] if the message is text and
    /// this is not: nothing was paid, and `chunk` is as it was.
    pub fn pay_in_place(&mut self, chunk: &mut [u8]) -> Result<(), SendError> {
        let open = self.check_handed_over(chunk)?;
        if Self::MASKS {
            mask(self.key, chunk);
        }
        self.paid(chunk.len(), open);
        Ok(())
    }

    /// Begins the closing handshake: puts a Close out, or has it wait for room, which counts as sent. A second
    /// `close`, or one after a failure, does nothing.
    ///
    /// # Errors
    /// [`SendError::CloseCode`], [`SendError::ReasonTooLong`]: nothing was done.
    pub fn close(
        &mut self,
        code: CloseCode,
        reason: &str,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        if !code.may_be_sent(<R::Side as Side>::SERVER) {
            return Err(SendError::CloseCode);
        }
        let body = CloseFrame::new(code, reason).ok_or(SendError::ReasonTooLong)?.into_body();
        self.step(Step::Close, code, body, out);
        Ok(())
    }

    /// Begins the closing handshake without a code: the peer reads 1005. Otherwise as [`close`](Self::close).
    pub fn close_without_code(&mut self, out: &mut (impl Output + ?Sized)) {
        self.step(Step::Close, CloseCode::NO_STATUS, Control::default(), out);
    }

    /// Puts a reply out that a [`Reader`](crate::Reader)'s event asked for, or has it wait.
    ///
    /// A pong behind a waiting one replaces it: "an endpoint MAY elect to send a Pong frame for only the most
    /// recently processed Ping frame" (RFC 6455 §5.5.3). A Close replaces a pong.
    pub fn reply(&mut self, reply: Reply, out: &mut (impl Output + ?Sized)) {
        match reply.0 {
            Due::Pong(payload) => {
                if !self.state.may_pong() {
                    return;
                }
                self.poll_transmit(out);
                if self.slot.kind != Waiting::Close {
                    self.slot = Slot { kind: Waiting::Pong, payload };
                    self.poll_transmit(out);
                }
            }
            Due::Close(None) => self.step(Step::PeerClose, CloseCode::NO_STATUS, Control::default(), out),
            Due::Close(Some(code)) => self.step(Step::PeerClose, code, close_body(code), out),
            Due::Failure(code) => self.step(Step::Failure, code, close_body(code), out),
        }
    }

    /// Puts out the reply that waits, if there is one and it fits. True: it went out.
    pub fn poll_transmit(&mut self, out: &mut (impl Output + ?Sized)) -> bool {
        let opcode = match self.slot.kind {
            Waiting::Nothing => return false,
            Waiting::Pong => Opcode::Pong,
            Waiting::Close => Opcode::Close,
        };
        let len = self.slot.payload.len();
        if self.owed != 0 || out.room() < FrameHeader::size(len as u64, Self::MASKS).saturating_add(len) {
            return false;
        }
        let Ok(mask) = self.next_key() else { return false };
        let header = FrameHeader { fin: true, rsv: Rsv::NONE, opcode, mask, len: len as u64 };
        if !encode::frame(header, &self.slot.payload, out) {
            return false;
        }
        self.slot.kind = Waiting::Nothing;
        self.slot.payload.clear();
        true
    }

    /// Whether data frames went out since the last call.
    pub(super) fn take_active(&mut self) -> bool {
        let active = self.flags.has(Flags::ACTIVE);
        self.flags.set(Flags::ACTIVE, false);
        active
    }

    /// Whether our Close, or a debt before it, is not in the output yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.slot.kind == Waiting::Close
    }

    /// The code of our Close.
    pub(super) const fn sent(&self) -> Option<CloseCode> {
        match self.sent {
            0 => None,
            code => Some(CloseCode::new(code)),
        }
    }

    /// Takes a step of the closing handshake.
    fn step(&mut self, step: Step, code: CloseCode, body: Control, out: &mut (impl Output + ?Sized)) {
        let (state, effect) = self.state.next(step);
        self.state = state;
        // A pong that still waits is excused by the peer's Close, and forbidden after a failure (W30).
        if self.slot.kind == Waiting::Pong && !state.may_pong() {
            self.slot = Slot::default();
        }
        // Otherwise it goes first, where there is room (W26).
        self.poll_transmit(out);
        let goes_out = match effect {
            Effect::Nothing => false,
            Effect::Send => true,
            Effect::Replace => self.slot.kind == Waiting::Close,
        };
        if goes_out {
            self.sent = code.get();
            self.slot = Slot { kind: Waiting::Close, payload: body };
            self.poll_transmit(out);
        }
    }

    /// Checks what does not depend on the payload's bytes, and says what message the frame belongs to.
    #[inline]
    fn check(&self, frame: &Outgoing<'_>, len: u64) -> Result<Open, SendError> {
        if !self.state.may_send() {
            return Err(SendError::Closed);
        }
        if self.owed != 0 {
            return Err(SendError::Owed { bytes: self.owed }); // W24
        }
        if len >> 63 != 0 {
            return Err(SendError::Length);
        }
        if frame.opcode.is_control() && len > Control::MAX as u64 {
            return Err(SendError::ControlTooLong);
        }
        let open = self.open.admit(frame.opcode).map_err(|_| SendError::Fragment)?;
        // RSV1 on a first frame alone (W45).
        frame.rsv.check(frame.opcode, Rsv::from_bits(self.flags.0)).map_err(|_| SendError::Reserved)?;
        Ok(open)
    }

    /// Checks a payload as text, if it is (W55), and says where the message stands behind it.
    #[inline]
    fn check_payload(&self, frame: &Outgoing<'_>, mut open: Open) -> Result<Open, SendError> {
        if frame.checked || frame.opcode.is_control() || self.is_compressed(frame) {
            return Ok(open);
        }
        open.push(frame.payload, frame.fin).map_err(|_| SendError::Utf8)?;
        Ok(open)
    }

    fn may_end(&self, mut open: Open, frame: &Outgoing<'_>) -> bool {
        self.is_compressed(frame) || open.push(&[], true).is_ok()
    }

    fn is_compressed(&self, frame: &Outgoing<'_>) -> bool {
        match frame.opcode {
            Opcode::Continuation => self.flags.has(Flags::COMPRESSED),
            _ => frame.rsv.contains(Rsv::RSV1),
        }
    }

    /// Makes way for a frame of `len` bytes, of which `present` follow at once (W32), and draws its key: only when
    /// there is room, so that no key is lost.
    #[inline]
    fn header(
        &mut self,
        frame: &Outgoing<'_>,
        len: u64,
        present: usize,
        out: &mut (impl Output + ?Sized),
    ) -> Result<FrameHeader, SendError> {
        if self.slot.kind != Waiting::Nothing {
            self.poll_transmit(out);
        }
        let no_room = self.no_room(len, present);
        match no_room {
            SendError::NoRoom { needed } if out.room() < needed => return Err(no_room),
            // There was room, and no key.
            _ if self.slot.kind != Waiting::Nothing => return Err(SendError::NoKey),
            _ => {}
        }
        let mask = self.next_key()?;
        Ok(FrameHeader { fin: frame.fin, rsv: frame.rsv, opcode: frame.opcode, mask, len })
    }

    #[inline]
    fn no_room(&self, len: u64, present: usize) -> SendError {
        let before = match self.slot.kind {
            Waiting::Nothing => 0,
            Waiting::Pong | Waiting::Close => {
                let len = self.slot.payload.len();
                FrameHeader::size(len as u64, Self::MASKS).saturating_add(len)
            }
        };
        let frame = FrameHeader::size(len, Self::MASKS).saturating_add(present);
        SendError::NoRoom { needed: before.saturating_add(frame) }
    }

    #[inline]
    fn next_key(&mut self) -> Result<Option<MaskKey>, SendError> {
        match Self::MASKS {
            false => Ok(None),
            true => self.role.next_key().map(Some).ok_or(SendError::NoKey), // W84, W87, W88
        }
    }

    #[inline]
    fn begin(&mut self, frame: &Outgoing<'_>, open: Open) {
        if !frame.opcode.is_control() {
            self.flags.set(Flags::ACTIVE, true);
        }
        if matches!(frame.opcode, Opcode::Text | Opcode::Binary) {
            self.flags.set(Flags::COMPRESSED, frame.rsv.contains(Rsv::RSV1));
        }
        self.open = open;
    }

    #[inline]
    fn end_frame(&mut self, ends_message: bool) {
        if ends_message {
            self.open = Open::None;
        }
    }

    /// Checks bytes that are to be paid, and says where the message stands behind them.
    fn check_debt(&self, chunk: &[u8]) -> Result<Open, SendError> {
        let mut open = self.open;
        let ends = self.owed == chunk.len() as u64 && self.flags.has(Flags::OWED_FIN);
        if !self.flags.has(Flags::COMPRESSED) {
            open.push(chunk, ends).map_err(|_| SendError::Utf8)?;
        }
        Ok(open)
    }

    fn check_handed_over(&self, chunk: &[u8]) -> Result<Open, SendError> {
        if chunk.len() as u64 > self.owed {
            return Err(SendError::Owed { bytes: self.owed });
        }
        if chunk.is_empty() { Ok(self.open) } else { self.check_debt(chunk) }
    }

    fn paid(&mut self, n: usize, open: Open) {
        if n == 0 {
            return;
        }
        self.open = open;
        self.key = advance(self.key, n);
        self.flags.set(Flags::ACTIVE, true);
        self.owed = self.owed.saturating_sub(n as u64);
        self.end_debt();
    }

    fn end_debt(&mut self) {
        if self.owed == 0 {
            self.end_frame(self.flags.has(Flags::OWED_FIN));
        }
    }
}

impl Writer<Server> {
    /// Pays with bytes that the caller writes itself, behind what is in the output, and that nobody changes: a
    /// server masks nothing.
    ///
    /// # Errors
    /// As [`pay_in_place`](Self::pay_in_place).
    pub fn pay_by_reference(&mut self, chunk: &[u8]) -> Result<(), SendError> {
        let open = self.check_handed_over(chunk)?;
        self.paid(chunk.len(), open);
        Ok(())
    }

    /// Sends a message that was encoded before: the bytes returned are to be written next, behind what is in the
    /// output. They count as sent.
    ///
    /// # Errors
    /// As [`send`](Self::send). [`SendError::NoRoom`] can only mean a reply that goes first.
    pub fn send_prepared<'p, B: AsRef<[u8]>>(
        &mut self,
        message: &'p Prepared<B>,
        out: &mut (impl Output + ?Sized),
    ) -> Result<&'p [u8], SendError> {
        self.check(&Outgoing::binary(&[]), 0)?;
        if self.slot.kind != Waiting::Nothing && !self.poll_transmit(out) {
            let len = self.slot.payload.len();
            return Err(SendError::NoRoom {
                needed: FrameHeader::size(len as u64, false).saturating_add(len),
            });
        }
        self.flags.set(Flags::ACTIVE, true);
        Ok(if self.flags.has(Flags::INDEPENDENT) { message.compressed_bytes() } else { message.as_bytes() })
    }
}

/// A Close body of a code alone.
fn close_body(code: CloseCode) -> Control {
    Control::new(&code.get().to_be_bytes()).unwrap_or_default()
}
