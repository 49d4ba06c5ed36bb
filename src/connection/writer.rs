//! The writing half: frames and replies into an output. It wires the floors below together and has no rules of its
//! own.

use super::flags::Flags;
use crate::{
    bytes::Output,
    close::{CloseCode, CloseFrame},
    error::SendError,
    event::{Due, Outgoing, Reply},
    frame::{
        encode,
        header::{FrameHeader, Rsv},
        prepared::Prepared,
    },
    mask::MaskKey,
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

impl Slot {
    /// Has these bytes, at most [`Control::MAX`], wait in the place of whatever waited.
    fn put(&mut self, kind: Waiting, payload: &[u8]) {
        self.kind = kind;
        self.payload.clear();
        self.payload.append(payload);
    }
}

impl<R: Role> Writer<R> {
    pub(super) const MASKS: bool = !<R::Side as Side>::SERVER;

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
    #[cfg_attr(feature = "fast", inline(always))]
    pub fn send(&mut self, frame: Outgoing<'_>, out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
        // What is common: a whole message that is no text or known to be one, and nothing before it.
        let straight = cfg!(feature = "fast") && frame.is_plain() && frame.needs_no_look();
        if straight && self.is_free() { self.send_straight(frame, out) } else { self.send_any(frame, out) }
    }

    /// Whether a message may begin at once: nothing waits, is owed, or is under way.
    #[inline(always)]
    pub(super) fn is_free(&self) -> bool {
        self.state.may_send()
            && self.owed == 0
            && self.slot.kind == Waiting::Nothing
            && self.open == Open::None
    }

    /// [`send_any`](Self::send_any), for what [`send`](Self::send) has found common.
    #[inline(always)]
    fn send_straight(
        &mut self,
        frame: Outgoing<'_>,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        let len = frame.payload.len();
        // Only when there is room, so that no key is lost; as a rule there is room for any header.
        if Self::MASKS && out.room().saturating_sub(len) < FrameHeader::MAX && out.room() < Self::size(len) {
            return Err(self.no_room(len as u64, len));
        }
        let key = self.next_key()?;
        if !encode::message(frame.opcode, key, frame.payload, out) {
            return Err(self.no_room(len as u64, len));
        }
        // The message is over, as it was before.
        self.mark(&frame);
        Ok(())
    }

    #[cfg_attr(feature = "fast", inline(never))]
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
        self.step(Step::Close, code, &body, out);
        Ok(())
    }

    /// Begins the closing handshake without a code: the peer reads 1005. Otherwise as [`close`](Self::close).
    pub fn close_without_code(&mut self, out: &mut (impl Output + ?Sized)) {
        self.step(Step::Close, CloseCode::NO_STATUS, &[], out);
    }

    /// Puts a reply out that a [`Reader`](crate::Reader)'s event asked for, or has it wait.
    ///
    /// A pong behind a waiting one replaces it: "an endpoint MAY elect to send a Pong frame for only the most
    /// recently processed Ping frame" (RFC 6455 §5.5.3). A Close replaces a pong.
    pub fn reply(&mut self, reply: Reply, out: &mut (impl Output + ?Sized)) {
        let due = match &reply.0 {
            Due::Pong(payload) => Due::Pong(&**payload),
            Due::Close(code) => Due::Close(*code),
            Due::Failure(code) => Due::Failure(*code),
        };
        self.pay_due(due, out);
    }

    /// [`reply`](Self::reply) of borrowed bytes, at most [`Control::MAX`] of them.
    #[inline]
    pub(super) fn pay_due(&mut self, due: Due<&[u8]>, out: &mut (impl Output + ?Sized)) {
        match due {
            Due::Pong(payload) => self.pong(payload, out),
            Due::Close(None) => self.step(Step::PeerClose, CloseCode::NO_STATUS, &[], out),
            Due::Close(Some(code)) => self.step(Step::PeerClose, code, &code.get().to_be_bytes(), out),
            Due::Failure(code) => self.step(Step::Failure, code, &code.get().to_be_bytes(), out),
        }
    }

    fn pong(&mut self, payload: &[u8], out: &mut (impl Output + ?Sized)) {
        // What is common: nothing before it, and room. So it need not be put aside.
        let straight = cfg!(feature = "fast")
            && self.state.may_pong()
            && self.owed == 0
            && self.slot.kind == Waiting::Nothing
            && out.room() >= Self::size(payload.len());
        if !straight {
            self.pong_any(payload, out);
        } else if !self.next_key().is_ok_and(|key| encode::message(Opcode::Pong, key, payload, out)) {
            self.slot.put(Waiting::Pong, payload);
        }
    }

    #[cfg_attr(feature = "fast", cold)]
    fn pong_any(&mut self, payload: &[u8], out: &mut (impl Output + ?Sized)) {
        if !self.state.may_pong() {
            return;
        }
        self.poll_transmit(out);
        if self.slot.kind != Waiting::Close {
            self.slot.put(Waiting::Pong, payload);
            self.poll_transmit(out);
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
        if self.owed != 0 || out.room() < Self::size(len) {
            return false;
        }
        let Ok(mask) = self.next_key() else { return false };
        let header = FrameHeader { fin: true, rsv: Rsv::NONE, opcode, mask, len: len as u64 };
        if !encode::frame(header, &self.slot.payload, out) {
            return false;
        }
        self.slot.put(Waiting::Nothing, &[]);
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
    fn step(&mut self, step: Step, code: CloseCode, body: &[u8], out: &mut (impl Output + ?Sized)) {
        let (state, effect) = self.state.next(step);
        self.state = state;
        // A pong that still waits is excused by the peer's Close, and forbidden after a failure (W30).
        if self.slot.kind == Waiting::Pong && !state.may_pong() {
            self.slot.put(Waiting::Nothing, &[]);
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
            self.slot.put(Waiting::Close, body);
            self.poll_transmit(out);
        }
    }

    /// Checks what does not depend on the payload's bytes, and says what message the frame belongs to.
    #[inline]
    pub(super) fn check(&self, frame: &Outgoing<'_>, len: u64) -> Result<Open, SendError> {
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

    pub(super) fn may_end(&self, mut open: Open, frame: &Outgoing<'_>) -> bool {
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
    pub(super) fn header(
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
    pub(super) fn no_room(&self, len: u64, present: usize) -> SendError {
        let before = match self.slot.kind {
            Waiting::Nothing => 0,
            Waiting::Pong | Waiting::Close => Self::size(self.slot.payload.len()),
        };
        let frame = FrameHeader::size(len, Self::MASKS).saturating_add(present);
        SendError::NoRoom { needed: before.saturating_add(frame) }
    }

    /// The bytes of a whole frame with `len` bytes of payload.
    #[inline(always)]
    const fn size(len: usize) -> usize {
        FrameHeader::size(len as u64, Self::MASKS).saturating_add(len)
    }

    #[inline]
    fn next_key(&mut self) -> Result<Option<MaskKey>, SendError> {
        match Self::MASKS {
            false => Ok(None),
            true => self.role.next_key().map(Some).ok_or(SendError::NoKey), // W84, W87, W88
        }
    }

    #[inline]
    pub(super) fn begin(&mut self, frame: &Outgoing<'_>, open: Open) {
        self.mark(frame);
        self.open = open;
    }

    /// Notes that the frame went out.
    #[inline]
    fn mark(&mut self, frame: &Outgoing<'_>) {
        if !frame.opcode.is_control() {
            self.flags.set(Flags::ACTIVE, true);
        }
        if matches!(frame.opcode, Opcode::Text | Opcode::Binary) {
            self.flags.set(Flags::COMPRESSED, frame.rsv.contains(Rsv::RSV1));
        }
    }

    #[inline]
    pub(super) fn end_frame(&mut self, ends_message: bool) {
        if ends_message {
            self.open = Open::None;
        }
    }
}

impl Writer<Server> {
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
            return Err(SendError::NoRoom { needed: Self::size(self.slot.payload.len()) });
        }
        self.flags.set(Flags::ACTIVE, true);
        Ok(if self.flags.has(Flags::INDEPENDENT) { message.compressed_bytes() } else { message.as_bytes() })
    }
}
