//! Which origins each policy accepts (W108).

use proptest::prelude::*;
use websocket_proto::{Origin, OriginPolicy};

fn value(text: &str) -> Origin<'_> {
    Origin::Value(text.as_bytes())
}

#[test]
fn same_host() {
    // W108: Origin, Host, accepted.
    #[rustfmt::skip]
    let rows = [
        ("https://example.com", "example.com", true),
        ("http://example.com", "example.com", true),
        // W108: without case.
        ("HTTPS://EXAMPLE.com", "example.COM", true),
        // W108: a Host without port stands for the default port of the origin's scheme.
        ("https://example.com:443", "example.com", true),
        ("http://example.com:80", "example.com", true),
        ("http://example.com", "example.com:80", true),
        ("https://example.com", "example.com:443", true),
        ("https://example.com:", "example.com:", true),
        ("https://example.com:8443", "example.com:8443", true),
        // W108: other ports.
        ("https://example.com:80", "example.com", false),
        ("http://example.com:443", "example.com", false),
        ("http://example.com", "example.com:443", false),
        ("https://example.com", "example.com:80", false),
        ("https://example.com", "example.com:8443", false),
        ("https://example.com:8443", "example.com", false),
        ("http://localhost:3000", "localhost:8080", false),
        // W108: other hosts.
        ("https://example.org", "example.com", false),
        ("https://evil-example.com", "example.com", false),
        ("https://www.example.com", "example.com", false),
        ("https://example.com", "www.example.com", false),
        ("https://example.com.evil.org", "example.com", false),
        // W108: a trailing dot is another host.
        ("https://example.com.", "example.com", false),
        ("https://example.com", "example.com.", false),
        ("https://example.com.", "example.com.", true),
        // W108: IPv6 by value.
        ("http://[::1]:8080", "[0:0:0:0:0:0:0:1]:8080", true),
        ("http://[::1]", "[::2]", false),
        ("http://[::ffff:127.0.0.1]", "127.0.0.1", false),
        // W108: other schemes.
        ("ws://example.com", "example.com", false),
        ("wss://example.com", "example.com", false),
        ("ftp://example.com", "example.com", false),
        ("chrome-extension://example.com", "example.com", false),
        // W108: user info.
        ("https://example.com@evil.org", "example.com", false),
        ("https://evil.org@example.com", "example.com", false),
        ("https://example.com:443@evil.org", "example.com", false),
        ("https://u:p@example.com", "example.com", false),
        ("https://example.com", "u@example.com", false),
        // W108: not exactly `scheme://host[:port]`.
        ("https://example.com/", "example.com", false),
        ("https://example.com/x", "example.com", false),
        ("https://example.com?x", "example.com", false),
        ("https://example.com#x", "example.com", false),
        ("https://evil.org/https://example.com", "example.com", false),
        ("https://evil.org\\@example.com", "example.com", false),
        (" https://example.com", "example.com", false),
        ("https://example.com ", "example.com", false),
        ("https:// example.com", "example.com", false),
        ("https://example.com https://evil.org", "example.com", false),
        ("https://evil.org https://example.com", "example.com", false),
        ("https://example.com, https://example.com", "example.com", false),
        ("https://example.com,https://example.com", "example.com", false),
        ("https:/example.com", "example.com", false),
        ("https:example.com", "example.com", false),
        ("//example.com", "example.com", false),
        ("://example.com", "example.com", false),
        ("example.com", "example.com", false),
        ("https", "example.com", false),
        ("https://", "example.com", false),
        ("https://", "", false),
        ("", "", false),
        ("", "example.com", false),
        ("https://example.com:99999", "example.com:99999", false),
        ("https://example.com\0", "example.com\0", false),
        ("https://example.com%00", "example.com", false),
        ("https://ex%61mple.com", "example.com", false),
        // W108: `null` and what looks like it.
        ("null", "null", false),
        ("null", "example.com", false),
        ("NULL", "null", false),
        // A Host that is none.
        ("https://example.com", "", false),
        ("https://example.com", "example.com/", false),
        ("https://example.com", "https://example.com", false),
        ("https://example.com", "example.com,example.com", false),
    ];
    for (origin, host, accepted) in rows {
        assert_eq!(
            OriginPolicy::SameHost.allows(value(origin), host.as_bytes()),
            accepted,
            "{origin:?} to {host:?}"
        );
    }
}

#[test]
fn list() {
    // W108: list, Origin, accepted. The host that the request went to does not matter.
    #[rustfmt::skip]
    let rows: &[(&[&str], &str, bool)] = &[
        (&["https://example.com"], "https://example.com", true),
        (&["http://a", "https://example.com"], "https://example.com", true),
        // W108: without case, either way.
        (&["https://Example.com"], "HTTPS://eXAMPLE.com", true),
        // W108: default ports are filled in, either way.
        (&["https://example.com:443"], "https://example.com", true),
        (&["https://example.com"], "https://example.com:443", true),
        (&["http://example.com:"], "http://example.com:80", true),
        (&["wss://example.com:443"], "wss://example.com", true),
        (&["ws://example.com"], "ws://example.com:80", true),
        (&["https://[2001:db8::1]:8443"], "https://[2001:DB8:0::1]:8443", true),
        (&["chrome-extension://abcdef"], "chrome-extension://abcdef", true),
        (&["capacitor://localhost"], "capacitor://localhost", true),
        // W108: scheme, host and port each count.
        (&["https://example.com"], "http://example.com", false),
        (&["https://example.com"], "wss://example.com", false),
        (&["https://example.com"], "https://example.org", false),
        (&["https://example.com"], "https://example.com:8443", false),
        (&["https://example.com:8443"], "https://example.com", false),
        (&["http://example.com:443"], "https://example.com", false),
        (&["capacitor://localhost"], "capacitor://localhost:80", false),
        (&["https://example.com"], "https://www.example.com", false),
        (&["https://example.com"], "https://example.com.evil.org", false),
        (&["https://example.com"], "https://notexample.com", false),
        // W108: a trailing dot, user info.
        (&["https://example.com"], "https://example.com.", false),
        (&["https://example.com."], "https://example.com", false),
        (&["https://example.com"], "https://example.com@evil.org", false),
        (&["https://example.com"], "https://u@example.com", false),
        (&["https://u@example.com"], "https://u@example.com", false),
        // W108: an entry of another form allows nothing, not even its like.
        (&["https://example.com/"], "https://example.com", false),
        (&["https://example.com/"], "https://example.com/", false),
        (&["https://example.com"], "https://example.com/", false),
        (&["example.com"], "https://example.com", false),
        (&["example.com"], "example.com", false),
        (&["*"], "https://example.com", false),
        (&["https://*.example.com"], "https://a.example.com", false),
        (&[""], "", false),
        (&["1a://h"], "1a://h", false),
        (&["a b://h"], "a b://h", false),
        (&[], "https://example.com", false),
        // W108: `null` listed is not a page named so.
        (&["null"], "NULL", false),
        (&["null"], "https://null", false),
    ];
    for &(list, origin, accepted) in rows {
        for host in ["example.com", "", "x y"] {
            assert_eq!(
                OriginPolicy::List(list).allows(value(origin), host.as_bytes()),
                accepted,
                "{list:?}: {origin:?}"
            );
        }
    }
}

#[test]
fn missing_and_null() {
    // W108: policy, accepted if missing, if `null`, if a page of the same host.
    #[rustfmt::skip]
    let rows = [
        (OriginPolicy::SameHost, true, false, true),
        (OriginPolicy::NonBrowser, true, false, false),
        (OriginPolicy::Any, true, true, true),
        (OriginPolicy::List(&[]), true, false, false),
        (OriginPolicy::List(&["https://h"]), true, false, true),
        (OriginPolicy::List(&["https://h", "null"]), true, true, true),
        (OriginPolicy::List(&["null"]), true, true, false),
        (OriginPolicy::List(&["Null", "null/", "*", ""]), true, false, false),
    ];
    for (policy, missing, null, page) in rows {
        assert_eq!(policy.allows(Origin::Missing, b"h"), missing, "{policy:?}");
        assert_eq!(policy.allows(Origin::Null, b"h"), null, "{policy:?}");
        assert_eq!(policy.allows(value("https://h"), b"h"), page, "{policy:?}");
    }
}

#[test]
fn any_takes_nonsense() {
    // W108
    for origin in ["", "null", "https://a https://b", "\u{e9}"] {
        assert!(OriginPolicy::Any.allows(value(origin), b""), "{origin:?}");
        assert!(!OriginPolicy::NonBrowser.allows(value(origin), b""), "{origin:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes(origin: Vec<u8>, host: Vec<u8>, entry: String) {
        let list = [entry.as_str(), "https://example.com"];
        for policy in [OriginPolicy::SameHost, OriginPolicy::NonBrowser, OriginPolicy::List(&list)] {
            // What arbitrary bytes hold is no origin.
            prop_assert!(!policy.allows(Origin::Value(&origin), &host));
        }
    }

    #[test]
    fn only_the_same(origin in "(https?|ws)://[ab](\\.[ab])?\\.?(:(80|443|1)?)?[/ @]?", host in "[abAB](\\.[ab])?\\.?(:(80|443|1)?)?") {
        // W108: the rule once more, by text.
        let (scheme, rest) = origin.split_once("://").unwrap();
        let default = match scheme { "http" => "80", "https" => "443", _ => "none" };
        let normal = |text: &str| match text.split_once(':') {
            None | Some((_, "")) => format!("{}:{default}", text.trim_end_matches(':').to_lowercase()),
            Some(_) => text.to_lowercase(),
        };
        let expected = default != "none" && !rest.contains(['/', ' ', '@']) && normal(rest) == normal(&host);
        prop_assert_eq!(OriginPolicy::SameHost.allows(value(&origin), host.as_bytes()), expected);
    }
}
