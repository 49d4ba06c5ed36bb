//! The grammar of Sec-WebSocket-Extensions (RFC 6455 §9.1).

use crate::http::class::Class;
use core::fmt;

/// A list that does not fit the grammar, and the byte that breaks it (W104).
///
/// ```
/// use websocket_proto::Extensions;
///
/// let error = Extensions::parse(b"mux; =1").unwrap_err();
/// assert_eq!(error.at(), 5);
/// assert_eq!(error.to_string(), "W104: extensions are listed by the grammar (RFC 6455 §9.1), at byte 5");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ExtensionError {
    at: usize,
}

impl ExtensionError {
    /// The first byte that breaks the grammar: an index from 0 to the length of the value.
    pub const fn at(self) -> usize {
        self.at
    }
}

impl fmt::Display for ExtensionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "W104: extensions are listed by the grammar (RFC 6455 §9.1), at byte {}", self.at)
    }
}

impl core::error::Error for ExtensionError {}

/// Checks one line (W104) and says whether it has an extension.
pub(crate) fn has_any(value: &[u8]) -> Result<bool, ExtensionError> {
    let mut scan = Scan { rest: value };
    scan.list().ok_or(ExtensionError { at: value.len().saturating_sub(scan.rest.len()) })
}

/// What is still to be read of the line. Each method goes over what it names and the white space behind it; `None`
/// leaves the byte that does not fit.
struct Scan<'h> {
    rest: &'h [u8],
}

impl Scan<'_> {
    /// `extension-list = 1#extension`; true: there is the one.
    fn list(&mut self) -> Option<bool> {
        let mut any = false;
        self.white_space();
        loop {
            match self.rest {
                [] => return Some(any),
                [b',', ..] => {}
                _ => {
                    self.extension()?;
                    any = true;
                }
            }
            if !self.rest.is_empty() {
                self.mark(b',')?;
            }
        }
    }

    /// `extension = extension-token *( ";" extension-param )`
    fn extension(&mut self) -> Option<()> {
        self.token()?;
        while self.mark(b';').is_some() {
            // `extension-param = token [ "=" (token | quoted-string) ]`
            self.token()?;
            if self.mark(b'=').is_some() {
                if let [b'"', ..] = self.rest { self.quoted() } else { self.token() }?;
            }
        }
        Some(())
    }

    fn token(&mut self) -> Option<()> {
        let (token, rest) = self.rest.split_at_checked(Class::TOKEN.run(self.rest))?;
        token.first()?;
        self.rest = rest;
        self.white_space();
        Some(())
    }

    /// A `quoted-string` that holds a token: so no white space after the first quote, and no empty one.
    fn quoted(&mut self) -> Option<()> {
        self.step();
        loop {
            if let [b'\\', ..] = self.rest {
                self.step();
            }
            self.rest.first().filter(|byte| Class::TOKEN.has(**byte))?;
            self.step();
            if self.mark(b'"').is_some() {
                return Some(());
            }
        }
    }

    /// One delimiter.
    fn mark(&mut self, byte: u8) -> Option<()> {
        self.rest = self.rest.strip_prefix(&[byte])?;
        self.white_space();
        Some(())
    }

    /// RFC 6455 §9.1 has the "implied *LWS rule" of RFC 2616: white space may stand between any two elements.
    fn white_space(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn step(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }
}
