//! A complete head, read in place: its first line and its fields, without a map.

use super::{
    fields::{Field, Fields, Place},
    list::{cut, lists, trim},
    words::{is_word, value_run},
};
use crate::rule::Rule;

/// A head that the scanner found sound, normalised: lines end with CR LF, the last is empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'h> {
    bytes: &'h [u8],
    fields: &'h Fields,
}

/// The fields of a head, in the order of its lines: names as they were written (compare them without case), and
/// values without the white space around them.
///
/// Values may hold any bytes but controls (RFC 9110 §5.5), and need not be UTF-8 (W56).
#[derive(Clone, Copy, Debug)]
pub struct Headers<'h> {
    rest: &'h [u8],
}

/// The values of one field, looked for line by line.
#[derive(Clone, Debug)]
pub(crate) struct Values<'h> {
    field: Field,
    /// The only one, if that is known.
    only: Option<&'h [u8]>,
    rest: Headers<'h>,
}

impl<'h> Head<'h> {
    pub(crate) const fn new(bytes: &'h [u8], fields: &'h Fields) -> Self {
        Self { bytes, fields }
    }

    /// The first line's three parts: method, target and version, or version, status and reason.
    pub(crate) fn first_line(self) -> [&'h [u8]; 3] {
        let (line, _) = split_line(self.bytes);
        let (first, rest) = cut(line, b' ');
        let (second, third) = cut(rest.unwrap_or_default(), b' ');
        [first, second, third.unwrap_or_default()]
    }

    /// A request's target.
    pub(crate) fn target(self) -> &'h [u8] {
        let [_, target, _] = self.first_line();
        target
    }

    /// Whether the method is GET.
    pub(crate) fn is_get(self) -> bool {
        self.bytes.starts_with(b"GET ")
    }

    /// Whether the method is GET, and the target an absolute path.
    pub(crate) fn is_get_of_path(self) -> bool {
        self.bytes.starts_with(b"GET /")
    }

    /// The three bytes of a response's status.
    pub(crate) fn status(self) -> [u8; 3] {
        // Behind "HTTP/1.x ".
        self.bytes.get(9..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default()
    }

    pub(crate) fn headers(self) -> Headers<'h> {
        Headers { rest: split_line(self.bytes).1 }
    }

    /// The first value of a field; names are compared without case (W159).
    pub(crate) fn named(self, name: &str) -> Option<&'h [u8]> {
        self.headers().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The first value of a field.
    pub(crate) fn first(self, field: Field) -> Option<&'h [u8]> {
        match self.fields.first(field)? {
            Place::Value(start, end) => self.bytes.get(start..end),
            place => self.look_for(field, place),
        }
    }

    /// The first value of a field that came in pieces, or far behind.
    #[cold]
    fn look_for(self, field: Field, place: Place) -> Option<&'h [u8]> {
        match place {
            Place::Start(start) => Some(trim(split_line(self.bytes.get(start..)?).0)),
            Place::Value(..) | Place::Far => Values { field, only: None, rest: self.headers() }.next(),
        }
    }

    /// Whether a field has several lines.
    pub(crate) fn repeats(self, field: Field) -> bool {
        self.fields.is_repeated(field)
    }

    /// Every value of a field, in order.
    pub(crate) fn all(self, field: Field) -> Values<'h> {
        if self.fields.is_repeated(field) {
            Values { field, only: None, rest: self.headers() }
        } else {
            Values { field, only: self.first(field), rest: Headers { rest: &[] } }
        }
    }

    /// Whether a field, which is a comma list, has `word` among its elements (W97, W98).
    pub(crate) fn lists(self, field: Field, word: &str) -> bool {
        // A single element is the most common, and needs no search for commas.
        self.first(field).is_some_and(|value| is_word(value, word.as_bytes()))
            || self.all(field).any(|value| lists(value, word))
    }

    /// Whether the head has this field.
    pub(crate) fn has(self, field: Field) -> bool {
        self.fields.first(field).is_some()
    }

    /// The value of a field that may stand once.
    pub(crate) fn at_most_one(self, field: Field, repeated: Rule) -> Result<Option<&'h [u8]>, Rule> {
        if self.fields.is_repeated(field) { Err(repeated) } else { Ok(self.first(field)) }
    }

    /// The value of a field that must stand once.
    pub(crate) fn one(self, field: Field, missing: Rule, repeated: Rule) -> Result<&'h [u8], Rule> {
        self.at_most_one(field, repeated)?.ok_or(missing)
    }
}

impl<'h> Iterator for Values<'h> {
    type Item = &'h [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let name = self.field.name().as_bytes();
        while self.only.is_none() {
            let (found, value) = self.rest.next_line()?;
            if is_word(found, name) {
                return Some(value);
            }
        }
        self.only.take()
    }
}

impl<'h> Headers<'h> {
    fn next_line(&mut self) -> Option<(&'h [u8], &'h [u8])> {
        let (line, rest) = split_line(self.rest);
        let colon = line.iter().position(|&byte| byte == b':')?;
        self.rest = rest;
        let (name, value) = line.split_at_checked(colon)?;
        Some((name, trim(value.get(1..)?)))
    }
}

impl<'h> Iterator for Headers<'h> {
    type Item = (&'h str, &'h [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.next_line()?;
        Some((core::str::from_utf8(name).ok()?, value))
    }
}

/// The first line without its CR LF, and what follows. A line has no controls: the scanner saw to that.
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = bytes.split_at_checked(value_run(bytes)).unwrap_or_default();
    (line, rest.get(2..).unwrap_or_default())
}
