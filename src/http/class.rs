//! Which bytes may stand where: one table for all of a head's grammars.

/// The bytes that may stand in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class(u8);

impl Class {
    /// `tchar` (RFC 9110 §5.6.2).
    pub(crate) const TOKEN: Self = Self(1);
    /// What a target may be made of: neither controls nor spaces, no fragment (RFC 9112 §3.2), nothing but ASCII.
    pub(crate) const TARGET: Self = Self(1 << 1);
    /// `field-vchar`, which includes 80 to FF, space and tab (RFC 9110 §5.5).
    pub(crate) const VALUE: Self = Self(1 << 2);
    /// `unreserved` and `sub-delims`, of which a host's name is made beside `pct-encoded` (RFC 3986 §3.2.2).
    pub(crate) const HOST: Self = Self(1 << 3);
    /// The same and `:` (RFC 3986 §3.2.1).
    pub(crate) const USER_INFO: Self = Self(1 << 4);
    /// `pchar`, `/` and `?`: a path with its query (RFC 3986 §3.3, §3.4), but for `pct-encoded`.
    pub(crate) const RESOURCE: Self = Self(1 << 5);
    /// The alphabet of RFC 4648 §4.
    pub(crate) const BASE64: Self = Self(1 << 6);
    /// A scheme behind its first letter (RFC 3986 §3.1).
    pub(crate) const SCHEME: Self = Self(1 << 7);

    pub(crate) fn has(self, byte: u8) -> bool {
        Self::of(byte) & self.0 != 0
    }

    /// Whether `text` is of such bytes alone.
    pub(crate) fn fills(self, text: &[u8]) -> bool {
        self.run(text) == text.len()
    }

    /// How many such bytes `text` begins with.
    pub(crate) fn run(self, text: &[u8]) -> usize {
        let mut rest = text;
        // Four in a round, and then the first that is not.
        while cfg!(feature = "fast")
            && let Some((&[a, b, c, d], tail)) = rest.split_first_chunk()
            && self.has(a)
            && self.has(b)
            && self.has(c)
            && self.has(d)
        {
            rest = tail;
        }
        while let [byte, tail @ ..] = rest
            && self.has(*byte)
        {
            rest = tail;
        }
        text.len().saturating_sub(rest.len())
    }

    fn of(byte: u8) -> u8 {
        TABLE.get(usize::from(byte)).copied().unwrap_or_default()
    }

    /// The row of the table.
    const fn classes(byte: u8) -> u8 {
        let alphanumeric = byte.is_ascii_alphanumeric();
        let host = alphanumeric
            || matches!(byte, b'-' | b'.' | b'_' | b'~')
            || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=');
        let rows = [
            (Self::TOKEN, alphanumeric || is_mark_of_token(byte)),
            (Self::TARGET, matches!(byte, 0x21..=0x7e) && byte != b'#'),
            (Self::VALUE, matches!(byte, b'\t' | 0x20..=0x7e | 0x80..)),
            (Self::HOST, host),
            (Self::USER_INFO, host || byte == b':'),
            (Self::RESOURCE, host || matches!(byte, b':' | b'@' | b'/' | b'?')),
            (Self::BASE64, alphanumeric || matches!(byte, b'+' | b'/')),
            (Self::SCHEME, alphanumeric || matches!(byte, b'+' | b'-' | b'.')),
        ];
        let mut classes = 0;
        let mut rest = rows.as_slice();
        while let Some(((class, is_one), others)) = rest.split_first() {
            classes |= if *is_one { class.0 } else { 0 };
            rest = others;
        }
        classes
    }
}

const fn is_mark_of_token(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'#'
            | b'$'
            | b'%'
            | b'&'
            | b'\''
            | b'*'
            | b'+'
            | b'-'
            | b'.'
            | b'^'
            | b'_'
            | b'`'
            | b'|'
            | b'~'
    )
}

const TABLE: &[u8; 256] = &{
    let mut table = [0; 256];
    let mut rest: &mut [u8] = &mut table;
    let mut byte = 0_u8;
    while let Some((place, others)) = rest.split_first_mut() {
        *place = Class::classes(byte);
        byte = byte.wrapping_add(1);
        rest = others;
    }
    table
};
