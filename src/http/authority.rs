//! `host[:port]`, as Host, Origin and URIs have it (RFC 3986 §3.2), without user info.

use super::{
    class::Class,
    ipv6,
    uri_error::{UriError, UriFault},
};

/// A host and, if one was written, a port (W157).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Authority<'a> {
    /// As written, an IPv6 address in its brackets: ASCII.
    host: &'a [u8],
    port: Option<u16>,
}

impl<'a> Authority<'a> {
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        Self::read(text).ok()
    }

    /// [`parse`](Self::parse) that says what is wrong, at a byte of `text`.
    pub(crate) fn read(text: &'a [u8]) -> Result<Self, UriError> {
        // A name or IPv4 address without port, as most are.
        if !text.is_empty() && Class::HOST.fills(text) {
            return Ok(Self { host: text, port: None });
        }
        Self::take_apart(text)
    }

    fn take_apart(text: &'a [u8]) -> Result<Self, UriError> {
        let (host, port) = match text.first() {
            Some(b'[') => split_ipv6(text)?,
            _ => split_name(text)?,
        };
        let port = read_port(port).map_err(|error| error.behind(host.len()))?;
        Ok(Self { host, port })
    }

    /// The host as written, an IPv6 address in its brackets: ASCII.
    pub(crate) const fn host(self) -> &'a [u8] {
        self.host
    }

    /// The host as written, an IPv6 address without its brackets.
    pub(crate) fn bare_host(self) -> &'a str {
        core::str::from_utf8(self.bracketed().unwrap_or(self.host)).unwrap_or_default()
    }

    /// The port as written. RFC 3986 §3.2.3 allows a colon with nothing behind it: that is no port.
    pub(crate) fn port(self) -> Option<u16> {
        self.port
    }

    /// The port, or what the scheme has for it.
    pub(crate) fn effective_port(self, default: u16) -> u16 {
        self.port.unwrap_or(default)
    }

    /// Whether both are the same host: names without case, IPv6 addresses by value.
    ///
    /// Nothing else is normalised: a trailing dot or percent-encoding makes another host.
    pub(crate) fn same_host(self, other: Authority<'_>) -> bool {
        match (self.ipv6(), other.ipv6()) {
            (Some(own), Some(other)) => own == other,
            (None, None) => self.host.eq_ignore_ascii_case(other.host),
            _ => false,
        }
    }

    fn ipv6(self) -> Option<ipv6::Groups> {
        ipv6::parse(self.bracketed()?)
    }

    fn bracketed(self) -> Option<&'a [u8]> {
        bracketed(self.host)
    }
}

/// Checks that `text` has only bytes of `class` and whole `pct-encoded` (RFC 3986 §2.1).
pub(crate) fn check_characters(text: &[u8], class: Class) -> Result<(), UriError> {
    let (found, rest) = split(text, class)?;
    if rest.is_empty() { Ok(()) } else { Err(UriError::new(UriFault::Character, found.len())) }
}

/// The bytes of `class` and whole `pct-encoded` that `text` begins with, and what follows.
fn split(text: &[u8], class: Class) -> Result<(&[u8], &[u8]), UriError> {
    let mut at = 0_usize;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let run = class.run(rest);
        at = at.saturating_add(run);
        match rest.get(run..).unwrap_or_default() {
            [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                at = at.saturating_add(3);
            }
            [b'%', ..] => return Err(UriError::new(UriFault::Percent, at)),
            rest => return Ok((text.get(..at).unwrap_or_default(), rest)),
        }
    }
}

/// A host in brackets, and the colon and port behind it.
fn split_ipv6(text: &[u8]) -> Result<(&[u8], &[u8]), UriError> {
    let fault = UriError::new(UriFault::Ipv6, 0);
    let end = text.iter().position(|&byte| byte == b']').ok_or(fault)?;
    let (host, port) = text.split_at_checked(end.saturating_add(1)).ok_or(fault)?;
    // No zone, and no `IPvFuture`.
    ipv6::parse(bracketed(host).ok_or(fault)?).ok_or(fault)?;
    Ok((host, port))
}

/// A name or IPv4 address, and the colon and port behind it.
fn split_name(text: &[u8]) -> Result<(&[u8], &[u8]), UriError> {
    let (host, port) = split(text, Class::HOST)?;
    match (host, port) {
        // RFC 9110 §4.2.1: "A recipient that processes such a URI reference MUST reject it as invalid."
        ([], [] | [b':', ..]) => Err(UriError::new(UriFault::Host, 0)),
        _ => Ok((host, port)),
    }
}

fn bracketed(host: &[u8]) -> Option<&[u8]> {
    host.strip_prefix(b"[")?.strip_suffix(b"]")
}

/// What follows a host: nothing, or a colon and digits.
fn read_port(text: &[u8]) -> Result<Option<u16>, UriError> {
    let (colon, digits) = match text {
        [] | [b':'] => return Ok(None),
        [colon, digits @ ..] => (*colon, digits),
    };
    if colon != b':' {
        return Err(UriError::new(UriFault::Character, 0));
    }
    let mut port = 0_u16;
    for (index, byte) in digits.iter().enumerate() {
        let digit = byte.is_ascii_digit().then(|| u16::from(byte & 0xF));
        let longer = digit.and_then(|digit| port.checked_mul(10)?.checked_add(digit));
        port = longer.ok_or(UriError::new(UriFault::Port, index.saturating_add(1)))?;
    }
    Ok(Some(port))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn legal() {
        let rows = [
            ("example.com", "example.com", None),                // W157
            ("example.com:8080", "example.com", Some(8080)),     // W157
            ("example.com:", "example.com", None),               // W157: RFC 3986 §3.2.3, port = *DIGIT
            ("example.com:0", "example.com", Some(0)),           // W157
            ("example.com:0000000080", "example.com", Some(80)), // W157
            ("example.com:65535", "example.com", Some(65535)),   // W157
            ("127.0.0.1:1", "127.0.0.1", Some(1)),               // W157
            ("[::1]", "[::1]", None),                            // W157
            ("[::1]:443", "[::1]", Some(443)),                   // W157
            ("[::ffff:1.2.3.4]:", "[::ffff:1.2.3.4]", None),     // W157
            ("a%20b!$&'()*+,;=-._~", "a%20b!$&'()*+,;=-._~", None),
        ];
        for (text, host, port) in rows {
            let authority = Authority::parse(text.as_bytes()).unwrap();
            assert_eq!((authority.host(), authority.port()), (host.as_bytes(), port), "{text:?}");
        }
        assert_eq!(Authority::parse(b"[::1]:443").unwrap().bare_host(), "::1");
        assert_eq!(Authority::parse(b"h").unwrap().effective_port(80), 80);
        assert_eq!(Authority::parse(b"h:81").unwrap().effective_port(80), 81);
    }

    #[test]
    fn illegal() {
        use UriFault::{Character, Host, Ipv6, Percent, Port};
        let rows: [(&[u8], UriFault, usize); 25] = [
            (b"", Host, 0),            // W157: not empty
            (b":80", Host, 0),         // W157
            (b"user@h", Character, 4), // W157: no user info
            (b"user:pw@h", Port, 5),   // W157
            (b"h:65536", Port, 6),     // W157
            (b"h:99999999999999999999", Port, 6),
            (b"h:+1", Port, 2),             // W157
            (b"h:8 ", Port, 3),             // W157
            (b"a:b:1", Port, 2),            // W157
            (b"::1", Host, 0),              // W157: IPv6 in brackets
            (b"h ", Character, 1),          // W157
            (b" h", Character, 0),          // W157
            (b"h/", Character, 1),          // W157
            (b"h?x", Character, 1),         // W157
            (b"h,h\\", Character, 3),       // W157
            (b"h\0", Character, 1),         // W157
            (b"\xC3\xA9", Character, 0),    // W157
            (b"a%2", Percent, 1),           // W157
            (b"a%2g", Percent, 1),          // W157
            (b"[::1", Ipv6, 0),             // W157
            (b"[]", Ipv6, 0),               // W157
            (b"[127.0.0.1]", Ipv6, 0),      // W157
            (b"[fe80::1%25eth0]", Ipv6, 0), // W157: no zone
            (b"[v1.x]", Ipv6, 0),           // W157: no IPvFuture
            (b"[::1]80", Character, 5),     // W157
        ];
        for (text, fault, at) in rows {
            let error = Authority::read(text).unwrap_err();
            assert_eq!((error.fault(), error.at()), (fault, at), "{}", text.escape_ascii());
            assert!(Authority::parse(text).is_none());
        }
    }

    #[test]
    fn same() {
        let rows = [
            ("example.com", "EXAMPLE.com:1", true), // W108: without case
            ("example.com", "example.com.", false), // W108: a trailing dot
            ("example.com", "example.org", false),  // W108
            ("[::1]", "[0:0::0001]", true),         // W108
            ("[::FFFF:1.2.3.4]", "[::ffff:102:304]", true),
            ("[::1]", "[::2]", false),               // W108
            ("[::1]", "localhost", false),           // W108
            ("[::ffff:1.2.3.4]", "1.2.3.4", false),  // W108
            ("%65xample.com", "example.com", false), // W108
        ];
        for (one, two, expected) in rows {
            let (a, b) =
                (Authority::parse(one.as_bytes()).unwrap(), Authority::parse(two.as_bytes()).unwrap());
            assert_eq!((a.same_host(b), b.same_host(a)), (expected, expected), "{one:?} {two:?}");
        }
    }
}
