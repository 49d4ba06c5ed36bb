//! The grammar of Sec-WebSocket-Extensions (RFC 6455 §9.1).

use crate::http::list;
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

/// Checks one line (W104) and gives it back as the text that it then is.
pub(crate) fn check(value: &[u8]) -> Result<&str, ExtensionError> {
    let mut scan = Scan { value, at: 0 };
    scan.list().ok_or(ExtensionError { at: scan.at })?;
    // What fits the grammar is ASCII.
    core::str::from_utf8(value).map_err(|error| ExtensionError { at: error.valid_up_to() })
}

/// A reading head on the line. Each method goes over what it names and the white space behind it; `None` leaves `at`
/// on the byte that does not fit.
struct Scan<'h> {
    value: &'h [u8],
    at: usize,
}

impl Scan<'_> {
    /// `extension-list = 1#extension`, without the one.
    fn list(&mut self) -> Option<()> {
        self.white_space();
        loop {
            match self.peek() {
                None => return Some(()),
                Some(b',') => {}
                Some(_) => self.extension()?,
            }
            if self.peek().is_some() {
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
                if self.peek() == Some(b'"') { self.quoted() } else { self.token() }?;
            }
        }
        Some(())
    }

    fn token(&mut self) -> Option<()> {
        self.tchar()?;
        while self.tchar().is_some() {}
        self.white_space();
        Some(())
    }

    /// A `quoted-string` that holds a token: so no white space after the first quote, and no empty one.
    fn quoted(&mut self) -> Option<()> {
        self.step();
        loop {
            if self.peek() == Some(b'\\') {
                self.step();
            }
            self.tchar()?;
            if self.mark(b'"').is_some() {
                return Some(());
            }
        }
    }

    /// One delimiter.
    fn mark(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.step())?;
        self.white_space();
        Some(())
    }

    fn tchar(&mut self) -> Option<()> {
        self.peek().filter(|&byte| list::is_tchar(byte)).map(|_| self.step())
    }

    /// RFC 6455 §9.1 has the "implied *LWS rule" of RFC 2616: white space may stand between any two elements.
    fn white_space(&mut self) {
        while let Some(b' ' | b'\t') = self.peek() {
            self.step();
        }
    }

    fn peek(&self) -> Option<u8> {
        self.value.get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }
}
