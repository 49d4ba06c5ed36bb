//! URIs: no panic, parts that fit together, and against the `url` crate, which reads by the WHATWG's rules. Wherever
//! the two disagree, W166 says why: in [`refused`] for what `url` takes, in [`is_left_to_the_resolver`] and
//! [`same_host`] for hosts.

use std::net::{Ipv4Addr, Ipv6Addr};

use arbitrary::Unstructured;
use url::{Host, Url};
use websocket_proto::{Uri, UriError, UriFault, UriOptions, client};

use crate::{support::byte, words};

pub fn uri(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let flags = byte(&mut u);
    let Ok(text) = std::str::from_utf8(u.take_rest()) else { return };
    let options = UriOptions { http: flags & 1 != 0, user_info: flags & 2 != 0 };
    let theirs = Url::parse(text);
    match Uri::parse_with(text, options) {
        Ok(uri) => {
            check_parts(uri, text, options);
            match theirs {
                Ok(url) => compare(uri, &url),
                Err(error) => assert!(is_left_to_the_resolver(uri.host()), "{text:?}: {error}"),
            }
        }
        Err(error) => {
            assert!(error.at() <= text.len());
            words::placed_error(&error, error.id(), error.rfc(), error.at());
            refused(error, text, options, theirs.is_ok());
        }
    }
}

/// W166: a client's request carries the parts as they were written.
fn check_parts(uri: Uri<'_>, text: &str, options: UriOptions) {
    let (authority, resource) = (uri.authority().to_string(), uri.resource().to_string());
    assert_eq!((authority.len(), resource.len()), (uri.authority().len(), uri.resource().len()));
    assert!(text.is_ascii() && !text.contains([' ', '#', '\t', '\r', '\n']));
    assert!(!uri.host().is_empty() && text.contains(uri.host()));
    assert!(resource.starts_with('/') && text.ends_with(resource.strip_prefix('/').unwrap()));
    assert_eq!(
        uri.user_info().is_some(),
        options.user_info && text.contains('@') && uri.user_info().is_some()
    );
    assert!(crate::heads::is_host(authority.as_bytes()));
    let scheme = if uri.is_secure() { "wss" } else { "ws" };
    let again = format!("{scheme}://{authority}{resource}");
    let same = Uri::parse(&again).unwrap();
    assert_eq!((same.host(), same.port(), same.is_secure()), (uri.host(), uri.port(), uri.is_secure()));
    assert_eq!((same.authority().to_string(), same.resource().to_string()), (authority, resource));

    // User info is a secret: what is told is the same without it.
    let bare = uri.user_info().map_or(text.to_owned(), |info| text.replacen(&format!("{info}@"), "", 1));
    assert_eq!(format!("{uri:?}"), format!("{:?}", Uri::parse_with(&bare, options).unwrap()));

    let mut out = Vec::new();
    let request = client::Request::new(uri, [0; 16]);
    client::Handshake::new([0; 64], websocket_proto::HeadLimits::default(), &request, &mut out).unwrap();
    let head = String::from_utf8(out).unwrap();
    let start = format!("GET {} HTTP/1.1\r\nHost: {}\r\n", uri.resource(), uri.authority());
    assert!(head.starts_with(&start));
    assert_eq!(head.contains("\r\nAuthorization: Basic "), uri.user_info().is_some());
}

/// Both took it.
fn compare(uri: Uri<'_>, url: &Url) {
    let secure = matches!(url.scheme(), "wss" | "https");
    assert_eq!(uri.is_secure(), secure);
    assert_eq!(Some(uri.port()), url.port_or_known_default());
    assert!(same_host(uri.host(), url.host()), "{:?}, url {:?}", uri.host(), url.host());
    // W166: nothing is resolved: `.` and `..` go out as they stand.
    let resource = uri.resource().to_string();
    let path = resource.split('?').next().unwrap_or_default();
    let is_dots = |segment: &str| matches!(&segment.to_ascii_lowercase().replace("%2e", ".")[..], "." | "..");
    if !path.split('/').any(is_dots) {
        let query = url.query().map_or(String::new(), |query| format!("?{query}"));
        // W166: percent-encoding stays as written, where `url` adds some: of `'` in queries.
        let encoded = match resource.split_once('?') {
            Some((path, query)) => format!("{path}?{}", query.replace('\'', "%27")),
            None => resource,
        };
        assert_eq!(encoded, format!("{}{query}", url.path()));
    }
    let user_info = match (url.username(), url.password()) {
        (user, Some(password)) => format!("{user}:{password}"),
        (user, None) => user.to_owned(),
    };
    // As for the path: `url` encodes some that may stand there, and drops a colon with nothing behind it.
    let written = uri.user_info().unwrap_or_default();
    let decode = |text: &str| percent_decoded(text).trim_end_matches(':').to_owned();
    assert_eq!(decode(written), decode(&user_info));
}

fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| byte == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) => {
                decoded.push(value);
                rest = &tail[2..];
            }
            None => {
                decoded.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// W166: a host is as it was written. `url` gives IPv6 by value, decodes percent-encoding and Punycode, folds case,
/// and reads numbers of any base as IPv4.
fn same_host(ours: &str, theirs: Option<Host<&str>>) -> bool {
    match theirs {
        Some(Host::Ipv6(address)) => ours.parse::<Ipv6Addr>() == Ok(address),
        Some(Host::Ipv4(address)) => {
            ours.parse::<Ipv4Addr>() == Ok(address) || is_number(ours) || ours.contains('%')
        }
        Some(Host::Domain(name)) => {
            ours.eq_ignore_ascii_case(name) || ours.contains('%') || is_left_to_the_resolver(ours)
        }
        None => false,
    }
}

/// W166: whether a host is one that `url` refuses by rules of names, which RFC 6455 §3 and RFC 3986 §3.2.2 leave to
/// who resolves it: a bad IPv4 number, percent-encoding, Punycode.
fn is_left_to_the_resolver(host: &str) -> bool {
    is_number(host) || host.contains('%') || host.to_ascii_lowercase().contains("xn--")
}

/// Whether the last label is a number, in whichever base.
fn is_number(host: &str) -> bool {
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    match hex {
        Some(digits) => digits.chars().all(|c| c.is_ascii_hexdigit()),
        None => !last.is_empty() && last.chars().all(|c| c.is_ascii_digit()),
    }
}

/// W166: what is refused is faulty where it is said to be. `taken`: `url` takes it.
fn refused(error: UriError, text: &str, options: UriOptions, taken: bool) {
    let at = error.at();
    let (here, rest) = (text.as_bytes().get(at).copied(), text.as_bytes().get(at..).unwrap_or_default());
    let behind_scheme = text.split_once(':').map(|(_, rest)| rest);
    let authority = behind_scheme.and_then(|rest| rest.strip_prefix("//"));
    let authority = authority.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    // `url` takes out tabs and line feeds wherever they stand: it has read another text. Of several `@` the last ends
    // its user info: it has read another host. RFC 3986 §3.2.1: one in user info is percent-encoded, so the first does.
    let several = authority.is_some_and(|authority| authority.matches('@').count() > 1);
    let taken = taken && !several && !text.contains(['\t', '\n', '\r']);
    let holds = match error.fault() {
        UriFault::Scheme => {
            let mut schemes = vec!["ws", "wss"];
            if options.http {
                schemes.extend(["http", "https"]);
            }
            let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
            at == 0 && scheme.is_none_or(|scheme| !schemes.contains(&&scheme[..]))
        }
        UriFault::Authority => authority.is_none(),
        UriFault::UserInfo => authority.is_some_and(|authority| {
            authority.contains('@')
                && (!options.user_info || matches!(here, Some(b':' | b'%' | 0..=0x1f | 0x7f)))
        }),
        UriFault::Host => authority.is_some_and(|authority| {
            let host = authority.split_once('@').map_or(authority, |(_, host)| host);
            host.is_empty() || host.starts_with(':')
        }),
        UriFault::Ipv6 => here == Some(b'[') && !taken,
        UriFault::Port => {
            let digits = &rest[..rest.iter().position(|b| b"/?#".contains(b)).unwrap_or(rest.len())];
            // The digit that is too much, or what is no digit at all; `url` takes out tabs and line feeds.
            here.is_some_and(|byte| byte.is_ascii_digit()) && !taken
                || here.is_some_and(|byte| !byte.is_ascii_digit()) && !digits.is_empty()
        }
        UriFault::Character => here.is_some_and(|byte| {
            let may_stand = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:/?".contains(&byte);
            // Behind the brackets of an IPv6 address stands a colon or nothing.
            !may_stand || (text[..at].ends_with(']') && byte != b':' && !taken)
        }),
        UriFault::Percent => {
            let hex = rest.get(1..3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
            here == Some(b'%') && !hex
        }
        UriFault::Fragment => here == Some(b'#'),
        other => panic!("{other:?}"),
    };
    assert!(holds, "{error} of {text:?}, taken by url: {taken}");
}
