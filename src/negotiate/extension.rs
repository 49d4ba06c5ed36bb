//! The list of extensions in Sec-WebSocket-Extensions (RFC 6455 §9.1).

use super::extension_grammar::{self, ExtensionError};
use crate::{http::list, rule::Rule};
use core::fmt;

/// The extensions of one Sec-WebSocket-Extensions line, in order (W104).
///
/// The line is checked whole by [`parse`](Self::parse), so that going over it cannot fail. A request may have several
/// such lines, which count as one list.
///
/// ```
/// use websocket_proto::Extensions;
///
/// let mut extensions = Extensions::parse(b"permessage-deflate; client_max_window_bits; x=\"1\\0\", mux")?;
/// let deflate = extensions.next().unwrap();
/// assert_eq!(deflate.name(), "permessage-deflate");
/// let params: Vec<_> = deflate.params().collect();
/// assert_eq!((params[0].name(), params[0].value()), ("client_max_window_bits", None));
/// assert_eq!(params[1].value().unwrap(), "10");
/// assert_eq!(extensions.next().unwrap().name(), "mux");
/// assert!(extensions.next().is_none());
/// # Ok::<(), websocket_proto::ExtensionError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Extensions<'h> {
    rest: &'h [u8],
}

/// One extension: a name and its parameters. See [`Extensions`].
#[derive(Clone, Copy, Debug)]
pub struct Extension<'h> {
    name: &'h [u8],
    params: Option<&'h [u8]>,
}

/// The parameters of an [`Extension`], in order.
#[derive(Clone, Debug)]
pub struct Params<'h> {
    rest: Option<&'h [u8]>,
}

/// One parameter of an [`Extension`]: a name, with a value or without.
#[derive(Clone, Copy, Debug)]
pub struct Param<'h> {
    name: &'h [u8],
    value: Option<Value<'h>>,
}

/// The value of a [`Param`]: a token, whether it was written as one or quoted.
///
/// It compares and displays as the token, without quotes and with quoted pairs resolved. It is never empty.
///
/// ```
/// use websocket_proto::Extensions;
///
/// let quoted = Extensions::parse(br#"x; bits="1\5""#)?.next().unwrap().params().next().unwrap();
/// let value = quoted.value().unwrap();
/// assert_eq!(value, "15");
/// assert_eq!(value, b"15".as_slice());
/// assert_eq!(value.to_string().parse(), Ok(15));
/// # Ok::<(), websocket_proto::ExtensionError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Value<'h> {
    /// What was between the quotes, or all.
    text: &'h [u8],
}

impl<'h> Extensions<'h> {
    /// Checks the value of one Sec-WebSocket-Extensions line, by RFC 6455 §9.1 with its white space (spaces and tabs
    /// between any two elements) and the empty list elements of RFC 9110 §5.6.1.
    ///
    /// `value` is of any length; the time taken is linear in it. A value without any element is no error, since
    /// another line may have some.
    ///
    /// # Errors
    ///
    /// The first byte that breaks the grammar. A quoted value that does not hold a token does: "When using the
    /// quoted-string syntax variant, the value after quoted-string unescaping MUST conform to the 'token' ABNF."
    ///
    /// ```
    /// use websocket_proto::Extensions;
    ///
    /// assert_eq!(Extensions::parse(b"a, ,b;c=d")?.count(), 2);
    /// assert!(Extensions::parse(b"a; c=\"d e\"").is_err());
    /// # Ok::<(), websocket_proto::ExtensionError>(())
    /// ```
    pub fn parse(value: &'h [u8]) -> Result<Self, ExtensionError> {
        extension_grammar::has_any(value)?;
        Ok(Self { rest: value })
    }
}

// A value is a token, quoted or not, so no comma, semicolon or equals sign ever stands inside one: what `parse` has
// accepted can simply be split.

impl<'h> Iterator for Extensions<'h> {
    type Item = Extension<'h>;

    fn next(&mut self) -> Option<Extension<'h>> {
        while !self.rest.is_empty() {
            let (element, rest) = split(self.rest, b',');
            self.rest = rest.unwrap_or_default();
            let (name, params) = split(element, b';');
            if !name.is_empty() {
                return Some(Extension { name, params });
            }
        }
        None
    }
}

impl core::iter::FusedIterator for Extensions<'_> {}

impl<'h> Extension<'h> {
    /// The extension's name, a token. Names are compared exactly (W106).
    pub const fn name(self) -> &'h str {
        text(self.name)
    }

    pub(crate) const fn name_bytes(self) -> &'h [u8] {
        self.name
    }

    /// The parameters, in order; they may repeat.
    pub const fn params(self) -> Params<'h> {
        Params { rest: self.params }
    }
}

impl<'h> Iterator for Params<'h> {
    type Item = Param<'h>;

    fn next(&mut self) -> Option<Param<'h>> {
        let (param, rest) = split(self.rest?, b';');
        self.rest = rest;
        let (name, value) = split(param, b'=');
        let value = value.map(|value| Value { text: unquoted(value) });
        Some(Param { name, value })
    }
}

impl core::iter::FusedIterator for Params<'_> {}

impl<'h> Param<'h> {
    /// The parameter's name, a token. Names are compared exactly (W106).
    pub const fn name(self) -> &'h str {
        text(self.name)
    }

    pub(crate) const fn name_bytes(self) -> &'h [u8] {
        self.name
    }

    /// The parameter's value, if it has one.
    pub const fn value(self) -> Option<Value<'h>> {
        self.value
    }
}

impl<'h> Value<'h> {
    /// The characters of the token, all ASCII: one at least.
    ///
    /// ```
    /// use websocket_proto::Extensions;
    ///
    /// let param = Extensions::parse(br#"x; y="\a\b""#)?.next().unwrap().params().next().unwrap();
    /// assert!(param.value().unwrap().chars().eq(['a', 'b']));
    /// # Ok::<(), websocket_proto::ExtensionError>(())
    /// ```
    pub fn chars(self) -> impl Iterator<Item = char> + Clone + use<'h> {
        self.bytes().map(char::from)
    }

    pub(crate) fn bytes(self) -> impl Iterator<Item = u8> + Clone + use<'h> {
        // A token has no backslash: each begins a quoted pair, and the character behind it is what is meant.
        self.text.iter().copied().filter(|&byte| byte != b'\\')
    }
}

impl PartialEq<[u8]> for Value<'_> {
    fn eq(&self, other: &[u8]) -> bool {
        self.bytes().eq(other.iter().copied())
    }
}

impl PartialEq<&[u8]> for Value<'_> {
    fn eq(&self, other: &&[u8]) -> bool {
        *self == **other
    }
}

impl PartialEq<str> for Value<'_> {
    fn eq(&self, other: &str) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl PartialEq<&str> for Value<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl Eq for Value<'_> {}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|character| fmt::Write::write_char(f, character))
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Checks every Sec-WebSocket-Extensions line of a request (W104). No line is no offer, and legal.
pub(crate) fn check_offer<'h>(lines: impl Iterator<Item = &'h [u8]>) -> Result<(), Rule> {
    check_lines(lines).ok_or(Rule::ExtensionOffer)
}

/// Checks every Sec-WebSocket-Extensions line of a response: each extension was offered (W119) and comes once, however
/// often it was offered, since repeated offers of a name are alternatives (RFC 7692 §5).
///
/// The time taken is linear in the lines, times the number of names offered.
pub(crate) fn check_answer<'h>(
    lines: impl Iterator<Item = &'h [u8]> + Clone,
    is_offered: impl Fn(&[u8]) -> bool,
) -> Result<(), Rule> {
    check_lines(lines.clone()).ok_or(Rule::ExtensionAnswer)?;
    for (index, answer) in each(lines.clone()).enumerate() {
        // All names before this one differ and were offered, so there are no more of them than offers.
        let mut earlier = each(lines.clone()).take(index);
        if !is_offered(answer.name) || earlier.any(|earlier| earlier.name == answer.name) {
            return Err(Rule::ExtensionNotOffered);
        }
    }
    Ok(())
}

/// The extensions of lines that were checked, in order.
pub(crate) fn each<'h, L: Iterator<Item = &'h [u8]>>(lines: L) -> Each<'h, L> {
    Each { lines, line: Extensions { rest: &[] } }
}

/// See [`each`].
#[derive(Clone)]
pub(crate) struct Each<'h, L> {
    lines: L,
    line: Extensions<'h>,
}

impl<'h, L: Iterator<Item = &'h [u8]>> Iterator for Each<'h, L> {
    type Item = Extension<'h>;

    fn next(&mut self) -> Option<Extension<'h>> {
        loop {
            match self.line.next() {
                None => self.line = Extensions { rest: self.lines.next()? },
                extension => return extension,
            }
        }
    }
}

/// Whether every line fits the grammar, and some line has an element if there is a line: "1#extension" (§9.1).
fn check_lines<'h>(lines: impl Iterator<Item = &'h [u8]>) -> Option<()> {
    let mut elements = None;
    for line in lines {
        let some = extension_grammar::has_any(line).ok()?;
        elements = Some(some || elements == Some(true));
    }
    (elements != Some(false)).then_some(())
}

/// What is before the first `mark`, trimmed, and what is behind it.
fn split(text: &[u8], mark: u8) -> (&[u8], Option<&[u8]>) {
    let (head, tail) = list::cut(text, mark);
    (list::trim(head), tail)
}

/// A token, without the white space and the quotes around it.
fn unquoted(mut token: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'"', rest @ ..] | [rest @ .., b' ' | b'\t' | b'"'] = token {
        token = rest;
    }
    token
}

/// What fits the grammar is ASCII.
const fn text(token: &[u8]) -> &str {
    match core::str::from_utf8(token) {
        Ok(text) => text,
        Err(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines<'h>(lines: &'h [&'h str]) -> impl Iterator<Item = &'h [u8]> + Clone {
        lines.iter().map(|line| line.as_bytes())
    }

    #[test]
    fn offers() {
        let rows: [(&[&str], bool); 7] = [
            (&[], true),                 // W104: nothing offered
            (&["a; b=1, a; b=2"], true), // W104
            (&["a", "b; c", ""], true),  // W104: over lines
            (&["", " , ", "a"], true),   // W104: empty elements are skipped
            (&[""], false),              // W104: 1#extension
            (&[" ,", ""], false),        // W104
            (&["a", "b;"], false),       // W104
        ];
        for (given, legal) in rows {
            let expected = if legal { Ok(()) } else { Err(Rule::ExtensionOffer) };
            assert_eq!(check_offer(lines(given)), expected, "{given:?}");
        }
    }

    #[test]
    fn answers() {
        const OFFERED: [&str; 3] = ["a", "b", "a"];
        let rows: [(&[&str], Result<(), Rule>); 12] = [
            (&[], Ok(())),                                            // W119: none taken
            (&["a"], Ok(())),                                         // W119
            (&["b; x=1, a; y"], Ok(())),                              // W119: in any order
            (&["b", "a"], Ok(())),                                    // W119: over lines
            (&["c"], Err(Rule::ExtensionNotOffered)),                 // W119
            (&["a, c; x"], Err(Rule::ExtensionNotOffered)),           // W119
            (&["A"], Err(Rule::ExtensionNotOffered)),                 // W106
            (&["b, b"], Err(Rule::ExtensionNotOffered)),              // W119: twice
            (&["a; x", "b", "a; y"], Err(Rule::ExtensionNotOffered)), // W119: offers of one name are alternatives
            (&["a b"], Err(Rule::ExtensionAnswer)),                   // W104
            (&["c", "a;"], Err(Rule::ExtensionAnswer)),               // W104: the grammar comes first
            (&[""], Err(Rule::ExtensionAnswer)),                      // W104: 1#extension
        ];
        for (given, expected) in rows {
            let is_offered = |name: &[u8]| OFFERED.iter().any(|offer| offer.as_bytes() == name);
            assert_eq!(check_answer(lines(given), is_offered), expected, "{given:?}");
        }
        assert_eq!(check_answer(lines(&["a"]), |_| false), Err(Rule::ExtensionNotOffered)); // W119
    }
}
