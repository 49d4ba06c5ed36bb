//! Origins against a second reading of RFC 6454 and W108: which pages each policy lets in.

use std::net::Ipv6Addr;

use websocket_proto::{Origin, OriginPolicy};

use crate::heads::is_host;

/// The first byte chooses the policy and what kind of origin it is; the lines behind it are the host asked for, the
/// origin, and the entries of a list.
pub fn origin(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else { return };
    let mut lines = rest.split(|&byte| byte == b'\n');
    let host = lines.next().unwrap_or_default();
    let value = lines.next().unwrap_or_default();
    let entries: Vec<String> =
        lines.take(16).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
    let (origin, known) = match choice & 0x30 {
        0x10 => (Origin::Null, None),
        0x20 => (Origin::Missing, None),
        _ => (Origin::Value(value), page(value)),
    };
    let policies =
        [OriginPolicy::SameHost, OriginPolicy::List(&entries), OriginPolicy::NonBrowser, OriginPolicy::Any];
    let policy = policies[usize::from(choice & 3)];
    let expected = match (policy, origin) {
        (_, Origin::Missing) | (OriginPolicy::Any, _) => true,
        (OriginPolicy::NonBrowser, _) | (OriginPolicy::SameHost, Origin::Null) => false,
        (OriginPolicy::List(list), Origin::Null) => list.contains(&"null"),
        (OriginPolicy::List(list), _) => {
            known.is_some() && list.iter().any(|entry| page(entry.as_bytes()) == known)
        }
        (OriginPolicy::SameHost, _) => known.is_some_and(|(scheme, name, port)| {
            let asked = authority(host, default_port(&scheme));
            ["http", "https"].contains(&&scheme[..]) && asked == Some((name, port))
        }),
    };
    assert_eq!(policy.allows(origin, host), expected, "{policy:?} {origin:?} {}", host.escape_ascii());
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

/// A host in the form in which equal ones are equal, and its port.
fn authority(text: &[u8], default: Option<u16>) -> Option<(String, Option<u16>)> {
    let text = std::str::from_utf8(text).ok().filter(|text| is_host(text.as_bytes()))?;
    let (host, port) = match text.rfind(':').filter(|at| !text[*at..].contains(']')) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, ""),
    };
    let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => format!("[{:?}]", address.parse::<Ipv6Addr>().ok()?.octets()),
        None => host.to_ascii_lowercase(),
    };
    Some((host, port.parse().ok().or(default)))
}

/// `scheme://host[:port]`: the scheme in lower case, the host, the port that is meant.
fn page(text: &[u8]) -> Option<(String, String, Option<u16>)> {
    let text = std::str::from_utf8(text).ok()?;
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let sound = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let (host, port) = authority(rest.as_bytes(), default_port(&scheme)).filter(|_| sound)?;
    Some((scheme, host, port))
}
