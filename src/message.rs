//! Messages (RFC 6455 §5.4, §5.6): the order of fragments, limits, and UTF-8 across them. Nothing is stored of a
//! message but this.

use crate::{
    config::{Config, Lenient},
    negotiate::agreed::Agreed,
    opcode::{Kind, Opcode},
    rule::Rule,
    utf8::Utf8,
};

/// A message that began and has not ended.
///
/// The text's state lies in the enum, so that this is one byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Open {
    /// There is none: the next data frame begins one, whether or not it has bytes (W37).
    #[default]
    None,
    Binary,
    Text(Utf8),
}

impl Open {
    /// A message of this kind, before its first byte.
    pub(crate) const fn new(kind: Kind) -> Self {
        match kind {
            Kind::Binary => Self::Binary,
            Kind::Text => Self::Text(Utf8::Boundary),
        }
    }

    /// A message that begins with a frame of this opcode, if one does.
    #[inline(always)]
    pub(crate) const fn of(opcode: Opcode) -> Self {
        match opcode {
            Opcode::Text => Self::new(Kind::Text),
            Opcode::Binary => Self::new(Kind::Binary),
            _ => Self::None,
        }
    }

    /// Checks the order of fragments: what follows this, if a frame of this opcode comes next.
    #[inline]
    pub(crate) const fn admit(self, opcode: Opcode) -> Result<Self, Rule> {
        match (self, opcode) {
            (_, Opcode::Close | Opcode::Ping | Opcode::Pong) => Ok(self), // W23
            (Self::None, Opcode::Text | Opcode::Binary) => Ok(Self::of(opcode)),
            (Self::None, Opcode::Continuation) => Err(Rule::UnexpectedContinuation), // W34
            (_, Opcode::Continuation) => Ok(self),
            // "The fragments of one message MUST NOT be interleaved between the fragments of another message".
            (_, Opcode::Text | Opcode::Binary) => Err(Rule::InterruptedMessage), // W35
        }
    }

    /// The message's kind, which is its first fragment's (W36).
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::None | Self::Binary => Kind::Binary,
        }
    }

    /// Whether ASCII may follow and leaves things as they are.
    #[inline]
    const fn is_at_boundary(self) -> bool {
        !matches!(self, Self::Text(utf8) if !utf8.is_boundary())
    }

    /// Checks the next piece of payload. `ends`: the message ends behind it.
    /// `Err((rule, i))`: `piece[i]` is the first byte that proves the fault.
    #[inline]
    pub(crate) fn push(&mut self, piece: &[u8], ends: bool) -> Result<(), (Rule, usize)> {
        let Self::Text(utf8) = self else { return Ok(()) }; // W53
        utf8.push(piece).map_err(|at| (Rule::InvalidUtf8, at))?;
        if ends && !utf8.is_boundary() {
            return Err((Rule::TruncatedUtf8, piece.len().saturating_sub(1)));
        }
        Ok(())
    }
}

/// The incoming message under way; all default between two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    /// The declared lengths of its frames so far, as they are on the wire (W154).
    pub(crate) len: u64,
    pub(crate) fragments: u32,
    pub(crate) open: Open,
    /// RSV1 stood on its first frame: its bytes are not text before they are inflated (W51).
    pub(crate) compressed: bool,
}

/// What this side allows of incoming frames and messages, and what both sides agreed on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) frame_limit: u64,
    pub(crate) message_limit: u64,
    pub(crate) fragment_limit: u32,
    lenient: u8,
    pub(crate) agreed: Agreed,
    /// One more than the longest message of one frame with a length of seven bits that these terms let in whatever
    /// came before; 0 if they let none in.
    pub(crate) short: u8,
}

impl Terms {
    pub(crate) const fn new(config: &Config, agreed: Agreed) -> Self {
        let limit =
            if config.frame_limit < config.message_limit { config.frame_limit } else { config.message_limit };
        let short = match (config.fragment_limit, limit) {
            (0, _) => 0,
            (_, ..=124) => (limit as u8).saturating_add(1),
            _ => 126,
        };
        Self {
            short,
            frame_limit: config.frame_limit,
            message_limit: config.message_limit,
            fragment_limit: config.fragment_limit,
            lenient: (config.lenient.non_minimal_length as u8) | (config.lenient.unmasked_frames as u8) << 1,
            agreed,
        }
    }

    /// What is forgiven.
    pub(crate) const fn lenient(&self) -> Lenient {
        Lenient { non_minimal_length: self.lenient & 1 != 0, unmasked_frames: self.lenient & 2 != 0 }
    }
}

impl Message {
    /// Checks a frame's first byte against the fragments so far; empty ones count (W38, W39).
    #[inline]
    pub(crate) const fn admit(&self, opcode: Opcode, terms: &Terms) -> Result<(), Rule> {
        match self.open.admit(opcode) {
            Err(rule) => Err(rule),
            Ok(_) if opcode.is_control() || self.fragments < terms.fragment_limit => Ok(()),
            Ok(_) if terms.fragment_limit == u32::MAX => Ok(()), // Unlimited, and the count saturates.
            Ok(_) => Err(Rule::TooManyFragments),
        }
    }

    /// Checks a data frame's declared length, before anything is reserved (W20, W40).
    #[inline]
    pub(crate) const fn admit_length(&self, len: u64, terms: &Terms) -> Result<(), Rule> {
        if len > terms.frame_limit {
            return Err(Rule::FrameTooLong);
        }
        // By subtraction, so that no sum can wrap (W5, W7).
        if len > terms.message_limit.saturating_sub(self.len) {
            return Err(Rule::MessageTooLong); // W41
        }
        Ok(())
    }

    /// A data frame that was admitted begins.
    #[inline]
    pub(crate) fn begin(&mut self, opcode: Opcode, compressed: bool, len: u64) {
        if opcode != Opcode::Continuation {
            self.open = Open::of(opcode);
            self.compressed = compressed;
        }
        self.len = self.len.saturating_add(len);
        self.fragments = self.fragments.saturating_add(1);
    }

    /// Checks the next piece of payload: [`Open::push`], unless it is compressed. `ascii`: it is known to be ASCII.
    #[inline]
    pub(crate) fn push(&mut self, piece: &[u8], ascii: bool, ends: bool) -> Result<(), (Rule, usize)> {
        if self.compressed || (ascii && self.open.is_at_boundary()) {
            Ok(())
        } else {
            self.open.push(piece, ends)
        }
    }

    /// The message is complete.
    pub(crate) fn end(&mut self) {
        *self = Self::default();
    }
}
