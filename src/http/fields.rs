//! Where the fields of a handshake stand in a head: found while it is read, so that nobody has to look for them again.

use super::words::behind_word;

/// A field that a handshake reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Host,
    Origin,
    Upgrade,
    Connection,
    ContentLength,
    Key,
    TransferEncoding,
    Accept,
    Version,
    Protocol,
    Extensions,
}

/// The first value of each field, and whether there are more.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    starts: [u16; 11],
    lens: [u8; 11],
}

/// Where the first value of a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// These bytes of the head, from and to.
    Value(usize, usize),
    /// It begins at this byte of the head, or behind white space there, and lasts to the line's end.
    Start(usize),
    /// Somewhere in the head.
    Far,
}

/// No line: the head begins with another.
const NONE: u16 = 0;
/// Behind the bytes that can be told.
const FAR: u16 = 1;
const REPEATED: u16 = 1 << 15;
/// A length that is not known, or cannot be told.
const OPEN: u8 = u8::MAX;

impl Field {
    const ALL: [Self; 11] = [
        Self::Host,
        Self::Origin,
        Self::Upgrade,
        Self::Connection,
        Self::ContentLength,
        Self::Key,
        Self::TransferEncoding,
        Self::Accept,
        Self::Version,
        Self::Protocol,
        Self::Extensions,
    ];

    /// The field whose line this is (W159): one that begins with its name and a colon.
    #[inline(never)]
    pub(crate) fn of(line: &[u8]) -> Option<Self> {
        if !cfg!(feature = "fast") {
            let (name, _) = line.split_at_checked(line.iter().position(|byte| *byte == b':')?)?;
            return Self::ALL.into_iter().find(|field| name.eq_ignore_ascii_case(field.name().as_bytes()));
        }
        match u32::from_le_bytes(*line.first_chunk()?) | 0x2020_2020 {
            HOST => Self::Host.begins(line, b"host:"),
            ORIG => Self::Origin.begins(line, b"origin:"),
            UPGR => Self::Upgrade.begins(line, b"upgrade:"),
            CONN => Self::Connection.begins(line, b"connection:"),
            CONT => Self::ContentLength.begins(line, b"content-length:"),
            TRAN => Self::TransferEncoding.begins(line, b"transfer-encoding:"),
            SEC => {
                let rest = behind_word(line, b"sec-websocket-")?;
                match rest.first()? | 0x20 {
                    b'k' => Self::Key.begins(rest, b"key:"),
                    b'a' => Self::Accept.begins(rest, b"accept:"),
                    b'v' => Self::Version.begins(rest, b"version:"),
                    b'p' => Self::Protocol.begins(rest, b"protocol:"),
                    b'e' => Self::Extensions.begins(rest, b"extensions:"),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    #[inline(always)]
    fn begins<const N: usize>(self, line: &[u8], start: &[u8; N]) -> Option<Self> {
        behind_word(line, start).map(|_| self)
    }

    /// What is behind the colon of a line of this field.
    pub(crate) fn value(self, line: &[u8]) -> &[u8] {
        line.get(self.name().len().saturating_add(1)..).unwrap_or_default()
    }

    /// In small letters.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Origin => "origin",
            Self::Upgrade => "upgrade",
            Self::Connection => "connection",
            Self::ContentLength => "content-length",
            Self::Key => "sec-websocket-key",
            Self::TransferEncoding => "transfer-encoding",
            Self::Accept => "sec-websocket-accept",
            Self::Version => "sec-websocket-version",
            Self::Protocol => "sec-websocket-protocol",
            Self::Extensions => "sec-websocket-extensions",
        }
    }
}

const HOST: u32 = u32::from_le_bytes(*b"host");
const ORIG: u32 = u32::from_le_bytes(*b"orig");
const UPGR: u32 = u32::from_le_bytes(*b"upgr");
const CONN: u32 = u32::from_le_bytes(*b"conn");
const CONT: u32 = u32::from_le_bytes(*b"cont");
const TRAN: u32 = u32::from_le_bytes(*b"tran");
const SEC: u32 = u32::from_le_bytes(*b"sec-");

impl Fields {
    pub(crate) const fn new() -> Self {
        Self { starts: [NONE; 11], lens: [OPEN; 11] }
    }

    /// A value of this field begins at byte `start` of the head. It is of `len` bytes, or ends with the line, with white
    /// space before and behind it.
    pub(crate) fn note(&mut self, field: Field, start: usize, len: Option<usize>) {
        let index = field as usize;
        if let (Some(own_start), Some(own_len)) = (self.starts.get_mut(index), self.lens.get_mut(index)) {
            if *own_start == NONE {
                *own_start = u16::try_from(start).ok().filter(|start| start & REPEATED == 0).unwrap_or(FAR);
                *own_len = len.and_then(|len| u8::try_from(len).ok()).unwrap_or(OPEN);
            } else {
                *own_start |= REPEATED;
            }
        }
    }

    /// The last line goes on: whichever field it is, its value ends later.
    pub(crate) fn reopen(&mut self) {
        self.lens = [OPEN; 11];
    }

    /// Where the field's first value is, if it has one.
    pub(crate) fn first(&self, field: Field) -> Option<Place> {
        let start = usize::from(self.start(field) & !REPEATED);
        let len = self.lens.get(field as usize).copied().unwrap_or(OPEN);
        match (self.start(field) & !REPEATED, len) {
            (NONE, _) => None,
            (FAR, _) => Some(Place::Far),
            (_, OPEN) => Some(Place::Start(start)),
            (_, len) => Some(Place::Value(start, start.saturating_add(len.into()))),
        }
    }

    /// Whether the field has several lines.
    pub(crate) fn is_repeated(&self, field: Field) -> bool {
        self.start(field) & REPEATED != 0
    }

    fn start(&self, field: Field) -> u16 {
        self.starts.get(field as usize).copied().unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    extern crate std;

    use super::*;
    use std::format;

    const ALL: [Field; 11] = Field::ALL;

    #[test]
    fn names() {
        for field in ALL {
            for name in [field.name().into(), field.name().to_ascii_uppercase()] {
                assert_eq!(Field::of(format!("{name}:v").as_bytes()), Some(field)); // W159
                for other in
                    [name.clone(), format!("{name} :"), format!("{name}s:"), format!("{}:", &name[1..])]
                {
                    assert_eq!(Field::of(other.as_bytes()), None, "{other:?}");
                }
            }
        }
        for other in ["", ":", "date: ", "sec-websocket-kez:", "sec-websocket\r-key:", "transfer_encoding:"] {
            assert_eq!(Field::of(other.as_bytes()), None, "{other:?}");
        }
    }

    #[test]
    fn places() {
        let rows = [
            (2, Some(0), Place::Value(2, 2)),
            (0x7fff, Some(254), Place::Value(0x7fff, 0x80fd)),
            (9, Some(255), Place::Start(9)),
            (9, None, Place::Start(9)),
            (0x8000, Some(7), Place::Far),
            (1 << 20, None, Place::Far),
        ];
        for (start, len, place) in rows {
            for field in ALL {
                let mut fields = Fields::new();
                assert_eq!((fields.first(field), fields.is_repeated(field)), (None, false));
                fields.note(field, start, len);
                assert_eq!((fields.first(field), fields.is_repeated(field)), (Some(place), false));
                fields.note(field, start + 9, Some(1));
                assert_eq!((fields.first(field), fields.is_repeated(field)), (Some(place), true));
                assert!(
                    ALL.iter().filter(|other| **other != field).all(|other| fields.first(*other).is_none())
                );
            }
        }
    }
}
