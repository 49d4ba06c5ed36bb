//! UTF-8 in pieces (RFC 3629): a character may be split over frames and reads (W46), and the first byte that no valid
//! continuation allows is found at once. A byte order mark is a character like any other (W50).

/// What the bytes so far require of the next one.
///
/// One state for each range that a following byte is held to (RFC 3629 §4); this is all that is kept between pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Utf8 {
    /// Between two characters.
    #[default]
    Boundary,
    /// One more byte, 80 to BF.
    One,
    /// Two more bytes, 80 to BF.
    Two,
    /// Three more bytes, 80 to BF.
    Three,
    /// After E0: A0 to BF, or the form would be overlong.
    AfterE0,
    /// After ED: 80 to 9F, or it would be a surrogate.
    AfterEd,
    /// After F0: 90 to BF, or the form would be overlong.
    AfterF0,
    /// After F4: 80 to 8F, or it would lie above U+10FFFF.
    AfterF4,
}

/// Whether `text` is UTF-8.
#[cfg(feature = "fast")]
#[inline]
pub(crate) fn is_valid(text: &[u8]) -> bool {
    simdutf8::basic::from_utf8(text).is_ok()
}

/// Whether `text` is UTF-8.
#[cfg(not(feature = "fast"))]
pub(crate) fn is_valid(text: &[u8]) -> bool {
    let mut state = Utf8::Boundary;
    state.push(text).is_ok() && state.is_boundary()
}

/// How many bytes of `text` come before a character that its end cuts off, if its end is UTF-8.
fn whole_characters(text: &[u8]) -> usize {
    for (back, &byte) in (1_usize..=3).zip(text.iter().rev()) {
        let cut = match byte {
            0x80..=0xbf => continue,
            0xc2..=0xdf => back < 2,
            0xe0..=0xef => back < 3,
            0xf0..=0xf4 => true,
            _ => false,
        };
        return if cut { text.len().saturating_sub(back) } else { text.len() };
    }
    text.len()
}

#[cold]
fn valid_up_to(text: &[u8]) -> usize {
    core::str::from_utf8(text).map_or_else(|fault| fault.valid_up_to(), str::len)
}

impl Utf8 {
    const ALL: [Self; 8] = [
        Self::Boundary,
        Self::One,
        Self::Two,
        Self::Three,
        Self::AfterE0,
        Self::AfterEd,
        Self::AfterF0,
        Self::AfterF4,
    ];

    /// Takes the next piece. `Err(i)`: `piece[i]` is the first byte that cannot be where it stands (W47, W49).
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), usize> {
        let mut at = 0_usize;
        if cfg!(feature = "fast") {
            // The rest of a character that an earlier piece began.
            for &byte in piece.iter().take(3) {
                if *self == Self::Boundary {
                    break;
                }
                *self = self.step(byte).ok_or(at)?;
                at = at.saturating_add(1);
            }
            let Some(rest) = piece.get(at..).filter(|rest| !rest.is_empty()) else { return Ok(()) };
            // Whole characters by vectors; then at most four bytes by hand, which either leave a character open or show
            // the very byte that is wrong.
            let whole = rest.get(..whole_characters(rest)).unwrap_or_default();
            let sound = if is_valid(whole) { whole.len() } else { valid_up_to(whole) };
            at = at.saturating_add(sound);
        }
        for &byte in piece.get(at..).unwrap_or_default() {
            *self = self.step(byte).ok_or(at)?;
            at = at.saturating_add(1);
        }
        Ok(())
    }

    /// Whether the text may end here (W48).
    pub(crate) const fn is_boundary(self) -> bool {
        matches!(self, Self::Boundary)
    }

    /// The state as a number, for a saved state.
    pub(crate) const fn number(self) -> u8 {
        self as u8
    }

    /// The state that a number stands for.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    fn step(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Boundary, 0x00..=0x7f) => Some(Self::Boundary),
            (Self::Boundary, 0xc2..=0xdf) => Some(Self::One),
            (Self::Boundary, 0xe0) => Some(Self::AfterE0),
            (Self::Boundary, 0xed) => Some(Self::AfterEd),
            (Self::Boundary, 0xe1..=0xef) => Some(Self::Two),
            (Self::Boundary, 0xf0) => Some(Self::AfterF0),
            (Self::Boundary, 0xf1..=0xf3) => Some(Self::Three),
            (Self::Boundary, 0xf4) => Some(Self::AfterF4),
            (Self::One, 0x80..=0xbf) => Some(Self::Boundary),
            (Self::Two, 0x80..=0xbf) | (Self::AfterE0, 0xa0..=0xbf) | (Self::AfterEd, 0x80..=0x9f) => {
                Some(Self::One)
            }
            (Self::Three, 0x80..=0xbf) | (Self::AfterF0, 0x90..=0xbf) | (Self::AfterF4, 0x80..=0x8f) => {
                Some(Self::Two)
            }
            _ => None,
        }
    }
}
