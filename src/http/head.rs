//! A complete head, read in place: its first line and its fields, without a map.

use super::list::trim;
use crate::rule::Rule;

/// A head that the scanner found sound, normalised: lines end with CR LF, the last is empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'h> {
    bytes: &'h [u8],
}

/// The fields of a head, in the order of its lines: names as they were written (compare them without case), and
/// values without the white space around them.
///
/// Values may hold any bytes but controls (RFC 9110 §5.5), and need not be UTF-8 (W56).
#[derive(Clone, Copy, Debug)]
pub struct Headers<'h> {
    rest: &'h [u8],
}

impl<'h> Head<'h> {
    pub(crate) const fn new(bytes: &'h [u8]) -> Self {
        Self { bytes }
    }

    /// The first line's three parts: method, target and version, or version, status and reason.
    pub(crate) fn first_line(self) -> [&'h [u8]; 3] {
        let (line, _) = split_line(self.bytes);
        let mut parts = line.splitn(3, |&byte| byte == b' ');
        core::array::from_fn(|_| parts.next().unwrap_or_default())
    }

    pub(crate) fn headers(self) -> Headers<'h> {
        Headers { rest: split_line(self.bytes).1 }
    }

    /// Every value of a field, in order; names are compared without case (W159).
    pub(crate) fn all<'n>(self, name: &'n str) -> impl Iterator<Item = &'h [u8]> + Clone + use<'h, 'n> {
        self.headers().filter(move |(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The value of a field that may stand once.
    pub(crate) fn at_most_one(self, name: &str, repeated: Rule) -> Result<Option<&'h [u8]>, Rule> {
        let mut values = self.all(name);
        let value = values.next();
        if values.next().is_some() { Err(repeated) } else { Ok(value) }
    }

    /// The value of a field that must stand once.
    pub(crate) fn one(self, name: &str, missing: Rule, repeated: Rule) -> Result<&'h [u8], Rule> {
        self.at_most_one(name, repeated)?.ok_or(missing)
    }
}

impl<'h> Iterator for Headers<'h> {
    type Item = (&'h str, &'h [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (line, rest) = split_line(self.rest);
        let colon = line.iter().position(|&byte| byte == b':')?;
        self.rest = rest;
        let (name, value) = line.split_at_checked(colon)?;
        Some((core::str::from_utf8(name).ok()?, trim(value.get(1..)?)))
    }
}

/// The first line without its CR LF, and what follows. A value has no CR: the scanner saw to that.
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|&byte| byte == b'\r').unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    (line, rest.get(2..).unwrap_or_default())
}
