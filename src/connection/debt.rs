//! Payloads that are owed: a header went out, and its payload is paid in pieces, or written elsewhere.

use super::{flags::Flags, writer::Writer};
use crate::{
    bytes::{Body, Output},
    error::SendError,
    event::Outgoing,
    frame::encode,
    mask::{advance, mask},
    message::Open,
    role::{Role, Server},
};

impl<R: Role> Writer<R> {
    /// Puts out the header of a frame with `len` bytes of payload, which are owed from then on: see
    /// [`owed`](Self::owed). The payload that `frame` itself may have is left aside.
    ///
    /// # Errors
    /// As [`send`](Self::send); a control frame cannot be owed ([`SendError::ControlTooLong`]).
    #[inline]
    pub fn send_header(
        &mut self,
        frame: Outgoing<'_>,
        len: u64,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        // What is common: a server's long message, which is written from where it is.
        let straight = cfg!(feature = "fast")
            && !Self::MASKS
            && frame.is_plain()
            && len > 0xffff
            && len >> 63 == 0
            && self.is_free();
        if !straight || !encode::long_header(frame.opcode, len, out) {
            return self.send_header_any(frame, len, out);
        }
        self.begin(&frame, Open::of(frame.opcode));
        self.owed = len;
        self.flags.set(Flags::OWED_FIN, true);
        Ok(())
    }

    #[inline(never)]
    fn send_header_any(
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

    /// Checks bytes that are to be paid, and says where the message stands behind them.
    #[inline]
    fn check_debt(&self, chunk: &[u8]) -> Result<Open, SendError> {
        let mut open = self.open;
        let ends = self.owed == chunk.len() as u64 && self.flags.has(Flags::OWED_FIN);
        if !self.flags.has(Flags::COMPRESSED) {
            open.push(chunk, ends).map_err(|_| SendError::Utf8)?;
        }
        Ok(open)
    }

    #[inline]
    fn check_handed_over(&self, chunk: &[u8]) -> Result<Open, SendError> {
        if chunk.len() as u64 > self.owed {
            return Err(SendError::Owed { bytes: self.owed });
        }
        if chunk.is_empty() { Ok(self.open) } else { self.check_debt(chunk) }
    }

    #[inline]
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
    #[inline]
    pub fn pay_by_reference(&mut self, chunk: &[u8]) -> Result<(), SendError> {
        let open = self.check_handed_over(chunk)?;
        self.paid(chunk.len(), open);
        Ok(())
    }
}
