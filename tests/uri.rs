//! WebSocket URIs: what is taken, what is refused and where, and what a request writes (W166).

use proptest::prelude::*;
use websocket_proto::{Uri, UriError, UriFault, UriOptions};

const HTTP: UriOptions = UriOptions { http: true, user_info: false };
const USER: UriOptions = UriOptions { http: false, user_info: true };
const STRICT: UriOptions = UriOptions { http: false, user_info: false };

/// W166: text, options, over TLS, host, port, Host field, target.
type Legal = (&'static str, UriOptions, bool, &'static str, u16, &'static str, &'static str);

#[rustfmt::skip]
const LEGAL: &[Legal] = &[
    // RFC 6455 §3, with and without each part.
    ("ws://example.com", STRICT, false, "example.com", 80, "example.com", "/"),
    ("ws://example.com/", STRICT, false, "example.com", 80, "example.com", "/"),
    ("wss://example.com/chat?x=1", STRICT, true, "example.com", 443, "example.com", "/chat?x=1"),
    // W166: the scheme has no case; the host keeps its own.
    ("WsS://Example.COM/Chat", STRICT, true, "Example.COM", 443, "Example.COM", "/Chat"),
    ("WS://h", STRICT, false, "h", 80, "h", "/"),
    // W166: http and https where asked for.
    ("http://h/x", HTTP, false, "h", 80, "h", "/x"),
    ("HTTPS://h", HTTP, true, "h", 443, "h", "/"),
    ("wss://h", HTTP, true, "h", 443, "h", "/"),
    // W166: the default port is left out of Host, the other scheme's is not.
    ("ws://h:80/", STRICT, false, "h", 80, "h", "/"),
    ("wss://h:443/", STRICT, true, "h", 443, "h", "/"),
    ("ws://h:443/", STRICT, false, "h", 443, "h:443", "/"),
    ("wss://h:80/", STRICT, true, "h", 80, "h:80", "/"),
    ("ws://h:00080/", STRICT, false, "h", 80, "h", "/"),
    ("ws://h:/", STRICT, false, "h", 80, "h", "/"),
    ("ws://h:0/", STRICT, false, "h", 0, "h:0", "/"),
    ("ws://h:9", STRICT, false, "h", 9, "h:9", "/"),
    ("ws://h:10", STRICT, false, "h", 10, "h:10", "/"),
    ("ws://h:65535", STRICT, false, "h", 65535, "h:65535", "/"),
    // W166: an empty path is `/`.
    ("ws://h?q", STRICT, false, "h", 80, "h", "/?q"),
    ("ws://h:81?q/?", STRICT, false, "h", 81, "h:81", "/?q/?"),
    ("ws://h?", STRICT, false, "h", 80, "h", "/?"),
    ("ws://h/?", STRICT, false, "h", 80, "h", "/?"),
    // W166: IPv6 in brackets.
    ("ws://[::1]", STRICT, false, "::1", 80, "[::1]", "/"),
    ("wss://[2001:DB8::7]:8443/a", STRICT, true, "2001:DB8::7", 8443, "[2001:DB8::7]:8443", "/a"),
    ("ws://[::ffff:1.2.3.4]:80?q", STRICT, false, "::ffff:1.2.3.4", 80, "[::ffff:1.2.3.4]", "/?q"),
    ("ws://127.0.0.1:1/", STRICT, false, "127.0.0.1", 1, "127.0.0.1:1", "/"),
    // W166: percent-encoding stays as written, dots and slashes too.
    ("ws://h/%41%2f%2F%00?%23", STRICT, false, "h", 80, "h", "/%41%2f%2F%00?%23"),
    ("ws://a%20b/", STRICT, false, "a%20b", 80, "a%20b", "/"),
    ("ws://h//a/../b/.", STRICT, false, "h", 80, "h", "//a/../b/."),
    // RFC 3986: every other character of a path and of a query; `@` and `:` are no user info and port there.
    ("ws://h/-._~!$&'()*+,;=:@aZ09", STRICT, false, "h", 80, "h", "/-._~!$&'()*+,;=:@aZ09"),
    ("ws://h?-._~!$&'()*+,;=:@/?", STRICT, false, "h", 80, "h", "/?-._~!$&'()*+,;=:@/?"),
    ("ws://h/ws://u@g:1", STRICT, false, "h", 80, "h", "/ws://u@g:1"),
    ("ws://-._~!$&'()*+,;=/", STRICT, false, "-._~!$&'()*+,;=", 80, "-._~!$&'()*+,;=", "/"),
    // W166: user info is never part of Host or target.
    ("ws://ann:pw@h:81/x", USER, false, "h", 81, "h:81", "/x"),
    ("wss://@[::1]", USER, true, "::1", 443, "[::1]", "/"),
];

/// W166: text, options, fault, byte.
#[rustfmt::skip]
const ILLEGAL: &[(&str, UriOptions, UriFault, usize)] = &[
    ("", STRICT, UriFault::Scheme, 0),
    ("ws", STRICT, UriFault::Scheme, 0),
    ("://h", STRICT, UriFault::Scheme, 0),
    ("//h/", STRICT, UriFault::Scheme, 0),
    ("/chat", STRICT, UriFault::Scheme, 0),
    ("example.com:80", STRICT, UriFault::Scheme, 0),
    ("wsss://h", STRICT, UriFault::Scheme, 0),
    (" ws://h", STRICT, UriFault::Scheme, 0),
    ("ftp://h", HTTP, UriFault::Scheme, 0),
    // W166: http and https only where asked for.
    ("http://h", STRICT, UriFault::Scheme, 0),
    ("https://h", USER, UriFault::Scheme, 0),
    ("ws:h", STRICT, UriFault::Authority, 3),
    ("ws:/h", STRICT, UriFault::Authority, 3),
    ("wss:\\\\h", STRICT, UriFault::Authority, 4),
    ("ws:", STRICT, UriFault::Authority, 3),
    // W166: no empty host.
    ("ws://", STRICT, UriFault::Host, 5),
    ("ws:///path", STRICT, UriFault::Host, 5),
    ("ws://:80", STRICT, UriFault::Host, 5),
    ("ws://?q", STRICT, UriFault::Host, 5),
    ("ws://u@", USER, UriFault::Host, 7),
    ("ws://::1/", STRICT, UriFault::Host, 5),
    // W166: a fragment, even an empty one.
    ("ws://h#", STRICT, UriFault::Fragment, 6),
    ("ws://h/#", STRICT, UriFault::Fragment, 7),
    ("ws://h/a?b#c", HTTP, UriFault::Fragment, 10),
    ("ws://h/##", STRICT, UriFault::Fragment, 7),
    // The first fault from the left.
    ("ws://h/a b#c", STRICT, UriFault::Character, 8),
    ("ws://h/#a b", STRICT, UriFault::Fragment, 7),
    // W166: user info where it is not asked for.
    ("ws://ann:pw@h/", STRICT, UriFault::UserInfo, 5),
    ("ws://@h/", STRICT, UriFault::UserInfo, 5),
    ("http://ann@h/", HTTP, UriFault::UserInfo, 7),
    // W166: user info that Basic credentials cannot carry (RFC 7617 §2).
    ("ws://a%3Ab:pw@h", USER, UriFault::UserInfo, 6),
    ("ws://a%3ab@h", USER, UriFault::UserInfo, 6),
    ("ws://a:p%0d%0a@h", USER, UriFault::UserInfo, 8),
    ("ws://%7F@h", USER, UriFault::UserInfo, 5),
    ("ws://a b@h", USER, UriFault::Character, 6),
    ("ws://a%4@h", USER, UriFault::Percent, 6),
    ("ws://a[b@h", USER, UriFault::Character, 6),
    ("ws://a@b@h", USER, UriFault::Character, 8),
    // W166: IPv6 in brackets without zone, and nothing else in them.
    ("ws://[::1", STRICT, UriFault::Ipv6, 5),
    ("ws://[::1/]", STRICT, UriFault::Ipv6, 5),
    ("ws://[]", STRICT, UriFault::Ipv6, 5),
    ("ws://[::g]", STRICT, UriFault::Ipv6, 5),
    ("ws://[1.2.3.4]", STRICT, UriFault::Ipv6, 5),
    ("ws://[fe80::1%eth0]/", STRICT, UriFault::Ipv6, 5),
    ("ws://[fe80::1%25eth0]/", STRICT, UriFault::Ipv6, 5),
    ("ws://[v1.a]/", STRICT, UriFault::Ipv6, 5),
    ("ws://u@[x]/", USER, UriFault::Ipv6, 7),
    ("ws://[::1]x/", STRICT, UriFault::Character, 10),
    ("ws://h]/", STRICT, UriFault::Character, 6),
    // W166: a bad port.
    ("ws://h:65536/", STRICT, UriFault::Port, 11),
    ("ws://h:18446744073709551696/", STRICT, UriFault::Port, 12),
    ("ws://[::1]:65536", STRICT, UriFault::Port, 15),
    ("ws://h:-1", STRICT, UriFault::Port, 7),
    ("ws://h:+1", STRICT, UriFault::Port, 7),
    ("ws://h:8x", STRICT, UriFault::Port, 8),
    ("ws://h:80:80", STRICT, UriFault::Port, 9),
    ("ws://h:\u{0661}", STRICT, UriFault::Port, 7),
    // W166: spaces, controls, non-ASCII.
    ("ws://h /", STRICT, UriFault::Character, 6),
    ("ws://h/ ", STRICT, UriFault::Character, 7),
    ("ws://h/\n", STRICT, UriFault::Character, 7),
    ("ws://h\r\nX: y/", STRICT, UriFault::Character, 6),
    ("ws://h/\r\nX: y", STRICT, UriFault::Character, 7),
    ("ws://h/\0", STRICT, UriFault::Character, 7),
    ("ws://h/?\t", STRICT, UriFault::Character, 8),
    ("ws://h/\u{7f}", STRICT, UriFault::Character, 7),
    ("ws://b\u{fc}cher.example/", STRICT, UriFault::Character, 6),
    ("ws://h/\u{fc}", STRICT, UriFault::Character, 7),
    // W166: characters that RFC 3986 has nowhere, and brackets outside a host.
    ("ws://h/\\", STRICT, UriFault::Character, 7),
    ("ws://h\\@g/", STRICT, UriFault::UserInfo, 5),
    ("ws://h\\g/", STRICT, UriFault::Character, 6),
    ("ws://h/<>", STRICT, UriFault::Character, 7),
    ("ws://h/?a={b}", STRICT, UriFault::Character, 10),
    ("ws://h/\"^`|", STRICT, UriFault::Character, 7),
    ("ws://h/a[0]", STRICT, UriFault::Character, 8),
    // W166: broken percent-encoding.
    ("ws://h/%", STRICT, UriFault::Percent, 7),
    ("ws://h/%4", STRICT, UriFault::Percent, 7),
    ("ws://h/%4g", STRICT, UriFault::Percent, 7),
    ("ws://h/?%%41", STRICT, UriFault::Percent, 8),
    ("ws://%zz/", STRICT, UriFault::Percent, 5),
    ("ws://h%4/1", STRICT, UriFault::Percent, 6),
    ("ws://h/%4\u{fc}", STRICT, UriFault::Percent, 7),
];

#[test]
fn legal() {
    for &(text, options, secure, host, port, authority, resource) in LEGAL {
        let uri = Uri::parse_with(text, options).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!((uri.is_secure(), uri.host(), uri.port()), (secure, host, port), "{text:?}");
        assert_eq!(
            (uri.authority().to_string(), uri.authority().len()),
            (authority.into(), authority.len()),
            "{text:?}"
        );
        assert_eq!(
            (uri.resource().to_string(), uri.resource().len()),
            (resource.into(), resource.len()),
            "{text:?}"
        );
    }
}

#[test]
fn illegal() {
    for &(text, options, fault, at) in ILLEGAL {
        let Err(error) = Uri::parse_with(text, options) else { panic!("{text:?} is taken") };
        assert_eq!((error.fault(), error.at()), (fault, at), "{text:?}");
    }
}

#[test]
fn nothing_more_without_options() {
    // W166: `parse` is `parse_with` with no option.
    assert_eq!(UriOptions::default(), STRICT);
    for &(text, options, ..) in LEGAL {
        let plain = !options.user_info && text.to_ascii_lowercase().starts_with("ws");
        assert_eq!(Uri::parse(text).is_ok(), plain, "{text:?}");
    }
    for &(text, ..) in ILLEGAL {
        assert!(Uri::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn user_info() {
    // W166: as written.
    let rows = [
        ("ws://h", None),
        ("ws://@h", Some("")),
        ("ws://ann@h", Some("ann")),
        ("ws://ann:@h", Some("ann:")),
        ("ws://%61nn:a%3Ab:%C3%A9@h", Some("%61nn:a%3Ab:%C3%A9")),
    ];
    for (text, expected) in rows {
        assert_eq!(Uri::parse_with(text, USER).map(Uri::user_info), Ok(expected), "{text:?}");
    }
    // A secret stays out of logs.
    let shown = format!("{:?}", Uri::parse_with("ws://ann:hunter2@h/x", USER).unwrap());
    assert!(!shown.contains("hunter2") && !shown.contains("ann"), "{shown}");
    assert!(shown.starts_with("Uri { secure: false, ") && shown.ends_with(", .. }"), "{shown}");
}

#[test]
fn every_character() {
    // W166: exactly these of RFC 3986 stand in a path and a query by themselves.
    let legal = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?";
    for byte in 0..=127 {
        let character = char::from(byte);
        for place in ["ws://h/", "ws://h/?"] {
            let text = format!("{place}{character}");
            assert_eq!(Uri::parse(&text).is_ok(), legal.contains(character), "{text:?}");
        }
    }
}

#[test]
fn errors_name_their_rule() {
    let faults = [
        (UriFault::Scheme, "RFC 6455 §3", "scheme is ws or wss"),
        (UriFault::Authority, "RFC 6455 §3", "has // behind its scheme"),
        (UriFault::UserInfo, "RFC 6455 §3", "no user info"),
        (UriFault::Host, "RFC 6455 §3", "host is not empty"),
        (UriFault::Ipv6, "RFC 3986 §3.2.2", "IPv6 address"),
        (UriFault::Port, "RFC 3986 §3.2.3", "up to 65535"),
        (UriFault::Character, "RFC 3986 §2", "only the characters"),
        (UriFault::Percent, "RFC 3986 §2.1", "two hexadecimal digits"),
        (UriFault::Fragment, "RFC 6455 §3", "no fragment"),
    ];
    for (fault, rfc, text) in faults {
        let &(uri, options, _, at) = ILLEGAL.iter().find(|row| row.2 == fault).unwrap();
        let error: UriError = Uri::parse_with(uri, options).unwrap_err();
        let shown = error.to_string();
        assert!(shown.starts_with("W166: ") && shown.contains(text), "{shown}");
        assert!(shown.ends_with(&format!(" ({rfc}), at byte {at}")), "{shown}");
        assert_eq!((error.id(), error.rfc()), ("W166", rfc));
    }
}

proptest! {
    #[test]
    fn any_text(text in "(wss?://|http://)?\\PC*|.*|[a-z:/?#@\\[\\]%0-9. ]*", http: bool, user_info: bool) {
        match Uri::parse_with(&text, UriOptions { http, user_info }) {
            Ok(uri) => {
                prop_assert!(text.is_ascii() && !text.contains(['#', ' ', '\r', '\n']));
                prop_assert!(!uri.host().is_empty());
                prop_assert_eq!(uri.authority().len(), uri.authority().to_string().len());
                prop_assert_eq!(uri.resource().len(), uri.resource().to_string().len());
                prop_assert!(text.ends_with(uri.resource().to_string().trim_start_matches('/')));
            }
            Err(error) => prop_assert!(error.at() <= text.len()),
        }
    }

    #[test]
    fn parts_come_back(
        secure: bool, host in "[a-z0-9.-]{1,20}", port: Option<u16>, path in "(/([a-z~]|%2f){0,9}){0,3}", query in "(\\?[a-z=&/?]{0,9})?",
    ) {
        let scheme = if secure { "wss" } else { "ws" };
        let colon = port.map(|port| format!(":{port}")).unwrap_or_default();
        let text = format!("{scheme}://{host}{colon}{path}{query}");
        let uri = Uri::parse(&text).unwrap();
        prop_assert_eq!(uri.host(), &host);
        prop_assert_eq!(uri.port(), port.unwrap_or(if secure { 443 } else { 80 }));
        let slash = if path.is_empty() { "/" } else { "" };
        prop_assert_eq!(uri.resource().to_string(), format!("{slash}{path}{query}"));
        // What a request says leads to the same place.
        let again = format!("{scheme}://{}{}", uri.authority(), uri.resource());
        let again = Uri::parse(&again).unwrap();
        prop_assert_eq!((again.host(), again.port()), (uri.host(), uri.port()));
    }
}
