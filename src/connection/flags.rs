//! What a writer remembers in single bits.

use crate::negotiate::agreed::Agreed;

#[derive(Clone, Copy, Debug)]
pub(super) struct Flags(pub(super) u8);

impl Flags {
    /// The frame whose payload is owed is its message's last.
    pub(super) const OWED_FIN: u8 = 1;
    /// The message under way goes out compressed: its bytes are not text.
    pub(super) const COMPRESSED: u8 = 2;
    /// Data frames went out since the last time somebody asked.
    pub(super) const ACTIVE: u8 = 4;
    /// A message that was compressed once for many may go out here: the peer inflates each message by itself, in the
    /// whole window.
    pub(super) const INDEPENDENT: u8 = 8;
    const CHANGING: u8 = Self::OWED_FIN | Self::COMPRESSED | Self::ACTIVE;

    /// The reserved bits share the byte: they lie above the flags, where they stand on the wire.
    pub(super) fn new(agreed: Agreed) -> Self {
        let mut flags = Self(agreed.reserved().bits());
        let independent = agreed.deflate().is_some_and(|terms| terms.server.is_independent());
        flags.set(Self::INDEPENDENT, independent);
        flags
    }

    /// Whether a connection with this agreement can come to have these flags.
    pub(super) fn fit(self, agreed: Agreed) -> bool {
        self.0 & !Self::CHANGING == Self::new(agreed).0
    }

    pub(super) const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    pub(super) fn set(&mut self, flag: u8, on: bool) {
        self.0 = if on { self.0 | flag } else { self.0 & !flag };
    }
}
