//! WebSocket URIs (RFC 6455 §3): what a client dials, and what it writes into its request.

use super::{
    authority::{Authority, check_characters},
    class::Class,
    uri_error::{UriError, UriFault},
};
use core::fmt;

/// A `ws` or `wss` URI, taken apart (W166).
///
/// It borrows the text and changes nothing of it: percent-encoding and case stay as written. Its `Debug` form leaves
/// the user info out.
///
/// ```
/// use websocket_proto::Uri;
///
/// let uri = Uri::parse("wss://[2001:db8::7]:8443/chat?room=1")?;
/// // Where to connect:
/// assert!(uri.is_secure());
/// assert_eq!((uri.host(), uri.port()), ("2001:db8::7", 8443));
/// // What the request says:
/// assert_eq!(uri.authority().to_string(), "[2001:db8::7]:8443");
/// assert_eq!(uri.resource().to_string(), "/chat?room=1");
/// # Ok::<(), websocket_proto::UriError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Uri<'u> {
    secure: bool,
    user_info: Option<&'u str>,
    authority: Authority<'u>,
    /// Path and query as written: empty, or from a `/` or `?` on.
    resource: &'u str,
}

/// What else [`Uri::parse_with`] takes. Nothing by default.
///
/// ```
/// use websocket_proto::{Uri, UriOptions};
///
/// let options = UriOptions { http: true, user_info: true };
/// let uri = Uri::parse_with("https://ann:secret@example.com", options)?;
/// assert_eq!((uri.is_secure(), uri.user_info()), (true, Some("ann:secret")));
/// assert!(Uri::parse("https://ann:secret@example.com").is_err());
/// # Ok::<(), websocket_proto::UriError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UriOptions {
    /// `http` is taken as `ws`, `https` as `wss`.
    pub http: bool,
    /// User info is taken; a client's request carries it as Basic credentials in Authorization (RFC 7617), and
    /// nowhere else. Without this it is an error, since RFC 6455 §3 has no place for it.
    pub user_info: bool,
}

/// A piece of a URI as a request carries it: see [`Uri::authority`] and [`Uri::resource`].
///
/// Its `Display` form writes exactly [`len`](Self::len) bytes of ASCII.
///
/// ```
/// use websocket_proto::Uri;
///
/// let uri = Uri::parse("ws://example.com?lang=en")?;
/// assert_eq!(uri.resource().to_string(), "/?lang=en");
/// assert_eq!(uri.resource().len(), 9);
/// # Ok::<(), websocket_proto::UriError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct UriPart<'u> {
    texts: [&'u str; 2],
    port: Option<u16>,
}

impl<'u> Uri<'u> {
    /// Takes a `ws` or `wss` URI apart, by RFC 6455 §3 and with only the characters of RFC 3986.
    ///
    /// `text` is the URI and nothing else: of any length, without white space around it. The time taken is linear
    /// in it.
    ///
    /// # Errors
    ///
    /// The first fault from the left, with its byte: another scheme, user info, no host, a bad IPv6 address or port,
    /// a character that a URI cannot have (spaces, controls, anything not ASCII), a broken percent-encoding, or a
    /// fragment, even an empty one.
    ///
    /// ```
    /// use websocket_proto::Uri;
    ///
    /// assert_eq!(Uri::parse("WS://example.com").unwrap().port(), 80);
    /// assert_eq!(Uri::parse("ws://example.com/a b").unwrap_err().at(), 18);
    /// ```
    pub fn parse(text: &'u str) -> Result<Self, UriError> {
        Self::parse_with(text, UriOptions::default())
    }

    /// [`parse`](Self::parse) that takes what `options` ask for, too.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse). User info that is taken must be fit for Basic credentials: RFC 7617 §2 allows no
    /// colon in the user's name and no control characters, not even percent-encoded.
    ///
    /// ```
    /// use websocket_proto::{Uri, UriOptions};
    ///
    /// let options = UriOptions { http: true, ..UriOptions::default() };
    /// assert_eq!(Uri::parse_with("http://example.com/", options).unwrap().port(), 80);
    /// ```
    pub fn parse_with(text: &'u str, options: UriOptions) -> Result<Self, UriError> {
        // Each remainder is a suffix of the text, so its length tells where it begins.
        let at = |rest: &str| text.len().saturating_sub(rest.len());

        let scheme_fault = UriError::new(UriFault::Scheme, 0);
        let (scheme, rest) = split_once(text, b':').ok_or(scheme_fault)?;
        // RFC 3986 §3.1: "schemes are case-insensitive".
        let is = |name: &str| scheme.eq_ignore_ascii_case(name);
        let secure = is("wss") || (options.http && is("https"));
        let plain = is("ws") || (options.http && is("http"));
        if !secure && !plain {
            return Err(scheme_fault);
        }

        let rest = rest.strip_prefix("//").ok_or(UriError::new(UriFault::Authority, at(rest)))?;
        let end = rest.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
        let (authority, resource) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (user_info, host) = match split_once(authority, b'@') {
            Some((user_info, host)) => (Some(user_info), host),
            None => (None, authority),
        };
        if let Some(user_info) = user_info {
            if !options.user_info {
                return Err(UriError::new(UriFault::UserInfo, at(rest)));
            }
            check_user_info(user_info).map_err(|error| error.behind(at(rest)))?;
        }
        let resource_at = at(resource);
        let host_at = resource_at.saturating_sub(host.len());
        let authority = Authority::read(host.as_bytes()).map_err(|error| error.behind(host_at))?;

        // RFC 6455 §3: "Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used".
        let (resource, fragment) = match split_once(resource, b'#') {
            Some((resource, fragment)) => (resource, Some(fragment)),
            None => (resource, None),
        };
        check_resource(resource.as_bytes()).map_err(|error| error.behind(resource_at))?;
        if let Some(fragment) = fragment {
            return Err(UriError::new(UriFault::Fragment, at(fragment).saturating_sub(1)));
        }
        Ok(Self { secure, user_info, authority, resource })
    }

    /// Whether the connection runs over TLS: `wss` or `https`.
    pub const fn is_secure(self) -> bool {
        self.secure
    }

    /// The host as written, an IPv6 address without its brackets: for a resolver or TLS. Never empty.
    pub fn host(self) -> &'u str {
        self.authority.bare_host()
    }

    /// The port to connect to: the one written, or else 80, over TLS 443.
    pub fn port(self) -> u16 {
        self.authority.effective_port(self.default_port())
    }

    /// The value of the request's Host field: the host as written, an IPv6 address in brackets, and the port unless
    /// it is the scheme's own (RFC 6455 §4.1).
    pub fn authority(self) -> UriPart<'u> {
        let (host, port) = self.host_field();
        UriPart { texts: [core::str::from_utf8(host).unwrap_or_default(), ""], port }
    }

    /// The resource name, which is the request's target (RFC 6455 §3): path and query as written, a `/` where there
    /// is no path.
    pub fn resource(self) -> UriPart<'u> {
        UriPart { texts: self.target(), port: None }
    }

    /// What stands before an `@`, as written. `None` without one, and then [`UriOptions::user_info`] is not needed.
    ///
    /// This is a secret: keep it out of logs.
    pub const fn user_info(self) -> Option<&'u str> {
        self.user_info
    }

    /// The host as Host has it, and the port that belongs behind it.
    pub(crate) fn host_field(self) -> (&'u [u8], Option<u16>) {
        let port = self.authority.port().filter(|&port| port != self.default_port());
        (self.authority.host(), port)
    }

    /// The request's target, in two pieces that belong together.
    pub(crate) fn target(self) -> [&'u str; 2] {
        // RFC 6455 §3 begins the resource name with "/" if the path component is empty.
        [if self.resource.starts_with('/') { "" } else { "/" }, self.resource]
    }

    /// The bytes that Basic credentials have before base64: `user-id ":" password` (RFC 7617 §2).
    pub(crate) fn credentials(self) -> Option<impl Iterator<Item = u8> + Clone + use<'u>> {
        let user_info = self.user_info?;
        let colon = if user_info.bytes().any(|byte| byte == b':') { None } else { Some(b':') };
        Some(Decoded { rest: user_info.as_bytes() }.chain(colon))
    }

    fn default_port(self) -> u16 {
        if self.secure { 443 } else { 80 }
    }
}

impl fmt::Debug for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uri")
            .field("secure", &self.secure)
            .field("authority", &self.authority)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Uri<'_> {
    /// Without the user info.
    fn format(&self, f: defmt::Formatter<'_>) {
        let (secure, host, port, resource) = (self.is_secure(), self.host(), self.port(), self.resource);
        defmt::write!(
            f,
            "Uri {{ secure: {=bool}, host: {=str}, port: {=u16}, resource: {=str} }}",
            secure,
            host,
            port,
            resource
        );
    }
}

impl UriPart<'_> {
    /// The length of the `Display` form, in bytes: 1 at least.
    #[expect(clippy::len_without_is_empty, reason = "no part is ever empty")]
    pub fn len(self) -> usize {
        let digits = self.port.map(|port| port.checked_ilog10().unwrap_or(0).saturating_add(2));
        let port = digits.and_then(|digits| usize::try_from(digits).ok()).unwrap_or(0);
        self.texts.iter().fold(port, |sum, text| sum.saturating_add(text.len()))
    }
}

impl fmt::Display for UriPart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for text in self.texts {
            f.write_str(text)?;
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// Checks the characters of a path with its query: `pchar`, `/` and `?` (RFC 3986 §3.3, §3.4).
pub(crate) fn check_resource(text: &[u8]) -> Result<(), UriError> {
    check_characters(text, Class::RESOURCE)
}

/// Checks the characters of user info (RFC 3986 §3.2.1), and that Basic credentials can carry them.
fn check_user_info(text: &str) -> Result<(), UriError> {
    check_characters(text.as_bytes(), Class::USER_INFO)?;
    let user = text.bytes().position(|byte| byte == b':').unwrap_or(text.len());
    let mut decoded = Decoded { rest: text.as_bytes() };
    loop {
        let at = text.len().saturating_sub(decoded.rest.len());
        let Some(byte) = decoded.next() else { return Ok(()) };
        // RFC 7617 §2: "a user-id containing a colon character is invalid"; "The user-id and password MUST NOT contain
        // any control characters".
        if byte.is_ascii_control() || (byte == b':' && at < user) {
            return Err(UriError::new(UriFault::UserInfo, at));
        }
    }
}

/// Percent-decoded bytes. A triplet that is none stays as it is.
#[derive(Clone)]
struct Decoded<'u> {
    rest: &'u [u8],
}

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (&byte, tail) = self.rest.split_first()?;
        if let (b'%', [high, low, behind @ ..]) = (byte, tail)
            && let (Some(high), Some(low)) = (nibble(*high), nibble(*low))
        {
            self.rest = behind;
            return Some((high << 4) | low);
        }
        self.rest = tail;
        Some(byte)
    }
}

/// What stands before and behind the first `mark`, an ASCII character.
fn split_once(text: &str, mark: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == mark)?;
    Some((text.get(..at)?, text.get(at.saturating_add(1)..)?))
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    #[test]
    fn credentials() {
        // W166: what Authorization carries.
        let rows: [(&str, Option<&[u8]>); 6] = [
            ("ws://h", None),
            ("ws://ann:secret@h", Some(b"ann:secret")),
            ("ws://ann@h", Some(b"ann:")), // RFC 7617 §2 needs the colon.
            ("ws://@h", Some(b":")),
            ("ws://a%6eN:p%3a:%C3%a9%25@h", Some(b"anN:p::\xC3\xA9%")),
            ("ws://a+b:%2541@h", Some(b"a+b:%41")), // Decoded once.
        ];
        for (text, expected) in rows {
            let uri = Uri::parse_with(text, UriOptions { http: false, user_info: true }).unwrap();
            let found: Option<Vec<u8>> = uri.credentials().map(Iterator::collect);
            assert_eq!(found.as_deref(), expected, "{text:?}");
        }
    }
}
