//! Which web pages may connect (RFC 6455 §4.2.2, §10.2; RFC 6454).

use crate::http::{authority::Authority, class::Class, list, words::is_word};

/// What a request says of the page that it comes from: its Origin field (RFC 6454 §7).
///
/// ```
/// use websocket_proto::{Origin, OriginPolicy};
///
/// let origin = Origin::Value(b"https://example.com");
/// assert!(OriginPolicy::SameHost.allows(origin, b"example.com"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin<'h> {
    /// There is no Origin field. The client is no browser, since browsers always send one (RFC 6455 §4.1).
    Missing,
    /// `null`: a browser that does not tell, as for a local file or a sandboxed frame. Any page can bring it about.
    Null,
    /// Anything else, trimmed, as it was sent and not checked.
    Value(&'h [u8]),
}

/// Which origins a server accepts (W108).
///
/// Browsers connect to any server from any page, and send the user's cookies along; only this check keeps a foreign
/// page from acting as the user. There is no default: the choice must be made.
///
/// A request without Origin is allowed by every policy. It is not a browser's, and whatever is not a browser can write
/// any Origin it likes: RFC 6455 §10.2 has the check against foreign pages, not against foreign programs. Those are
/// kept out by authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OriginPolicy<'p> {
    /// Pages of the host and port that the request itself was sent to, by `http` or `https`.
    ///
    /// A request without port stands for the default port of the page's scheme, since this side may not know whether
    /// TLS ended in front of it; so both `http://example.com` and `https://example.com` are allowed to `example.com`.
    /// Where that is one too many, use [`List`](Self::List).
    SameHost,
    /// Pages of these origins, each written `scheme://host` or `scheme://host:port`, or `null`.
    ///
    /// Scheme and host are compared without case, IPv6 addresses by value, ports after filling in 80 for `http` and
    /// `ws` and 443 for `https` and `wss`. An entry that is not of this form allows nothing: neither a slash at the
    /// end nor a wildcard has a meaning.
    List(&'p [&'p str]),
    /// No pages: only clients that are no browsers.
    NonBrowser,
    /// All pages of the web, `null` and nonsense too. Right where nothing depends on who the user is.
    Any,
}

impl<'h> Origin<'h> {
    /// The origin in the value of a request's Origin field, if it has one.
    pub(crate) fn new(value: Option<&'h [u8]>) -> Self {
        match value.map(list::trim) {
            None => Self::Missing,
            // RFC 6454 §7.1 has these four letters in this case.
            Some(b"null") => Self::Null,
            Some(value) => Self::Value(value),
        }
    }
}

impl OriginPolicy<'_> {
    /// Whether a request from `origin` is accepted (RFC 6455 §10.2).
    ///
    /// `host` is the request's authority, `host[:port]`: its Host field, or that of an absolute target. Both inputs are
    /// of any length and any content; the time taken is linear in `host` and in `origin` times the entries of a
    /// [`List`](Self::List).
    ///
    /// An origin of any other form than `scheme://host[:port]` — with user info, a path, even `/`, a space, several
    /// origins — is allowed by [`Any`](Self::Any) alone. Hosts are the same only if they are spelled so, case aside:
    /// `example.com.` is not `example.com`.
    ///
    /// ```
    /// use websocket_proto::{Origin, OriginPolicy};
    ///
    /// let policy = OriginPolicy::List(&["https://example.com"]);
    /// assert!(policy.allows(Origin::Value(b"https://EXAMPLE.com:443"), b"ws.example.com"));
    /// assert!(!policy.allows(Origin::Value(b"http://example.com"), b"ws.example.com"));
    /// assert!(!policy.allows(Origin::Null, b"ws.example.com"));
    /// assert!(policy.allows(Origin::Missing, b"ws.example.com"));
    /// ```
    pub fn allows(&self, origin: Origin<'_>, host: &[u8]) -> bool {
        self.allows_at(origin, || host)
    }

    /// [`allows`](Self::allows) that looks for the host only where it matters.
    pub(crate) fn allows_at<'h>(&self, origin: Origin<'_>, host: impl FnOnce() -> &'h [u8]) -> bool {
        match (self, origin) {
            (Self::Any, _) | (_, Origin::Missing) => true,
            (Self::NonBrowser, _) | (Self::SameHost, Origin::Null) => false,
            (Self::List(list), Origin::Null) => list.contains(&"null"),
            (Self::SameHost, Origin::Value(value)) => {
                Page::parse(value).zip(Authority::parse(host())).is_some_and(|(page, host)| page.is_on(host))
            }
            (Self::List(list), Origin::Value(value)) => Page::parse(value).is_some_and(|page| {
                // What is written alike needs no second look.
                let is = |entry: &&[u8]| {
                    value == *entry || Page::parse(entry).is_some_and(|entry| page.equals(entry))
                };
                list.iter().map(|entry| entry.as_bytes()).any(|entry| is(&entry))
            }),
        }
    }
}

/// An origin that has a scheme, a host and a port.
#[derive(Clone, Copy)]
struct Page<'h> {
    scheme: &'h [u8],
    authority: Authority<'h>,
}

impl<'h> Page<'h> {
    /// `scheme "://" host [ ":" port ]` (RFC 6454 §7.1), and nothing else.
    fn parse(value: &'h [u8]) -> Option<Self> {
        // `ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )` (RFC 3986 §3.1)
        let (scheme, rest) = value.split_at_checked(Class::SCHEME.run(value))?;
        let authority = Authority::parse(rest.strip_prefix(b"://")?)?;
        scheme.first()?.is_ascii_alphabetic().then_some(Self { scheme, authority })
    }

    /// Whether this is a web page of the host that a request was sent to.
    fn is_on(self, host: Authority<'_>) -> bool {
        let is = |scheme: &[u8]| is_word(self.scheme, scheme);
        (is(b"http") || is(b"https"))
            && self.authority.same_host(host)
            && self.port() == host.port().or_else(|| self.default_port())
    }

    fn equals(self, other: Page<'_>) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && self.authority.same_host(other.authority)
            && self.port() == other.port()
    }

    fn port(self) -> Option<u16> {
        self.authority.port().or_else(|| self.default_port())
    }

    /// A scheme of some application has none.
    fn default_port(self) -> Option<u16> {
        let is = |scheme: &[u8]| is_word(self.scheme, scheme);
        if is(b"http") || is(b"ws") {
            Some(80)
        } else if is(b"https") || is(b"wss") {
            Some(443)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        let rows: [(Option<&str>, Origin<'_>); 7] = [
            (None, Origin::Missing),                            // W108
            (Some("null"), Origin::Null),                       // W108
            (Some("\t null "), Origin::Null),                   // W99
            (Some("Null"), Origin::Value(b"Null")),             // W108: RFC 6454 §7.1
            (Some("null null"), Origin::Value(b"null null")),   // W108
            (Some(""), Origin::Value(b"")),                     // W108: there, though empty
            (Some(" https://h "), Origin::Value(b"https://h")), // W99
        ];
        for (value, expected) in rows {
            assert_eq!(Origin::new(value.map(str::as_bytes)), expected, "{value:?}");
        }
    }
}
