//! The grammar of Sec-WebSocket-Extensions (W104, W105, W106).

use proptest::prelude::*;
use websocket_proto::Extensions;

type Listed<'a> = &'a [(&'a str, &'a [(&'a str, Option<&'a str>)])];

type Owned = Vec<(String, OwnedParams)>;
type OwnedParams = Vec<(String, Option<String>)>;

/// The list, written out.
fn read(value: &[u8]) -> Owned {
    Extensions::parse(value)
        .unwrap_or_else(|error| panic!("{}: {error}", value.escape_ascii()))
        .map(|extension| {
            let params = extension.params();
            let params =
                params.map(|param| (param.name().into(), param.value().map(|value| value.to_string())));
            (extension.name().into(), params.collect())
        })
        .collect()
}

#[test]
fn legal() {
    #[rustfmt::skip]
    let rows: &[(&str, Listed<'_>)] = &[
        // W104: RFC 6455 §9.1.
        ("foo", &[("foo", &[])]),
        ("bar; baz=2", &[("bar", &[("baz", Some("2"))])]),
        ("foo, bar; baz=2", &[("foo", &[]), ("bar", &[("baz", Some("2"))])]),
        ("deflate-stream, mux; max-channels=4; flow-control, deflate-stream", &[
            ("deflate-stream", &[]),
            ("mux", &[("max-channels", Some("4")), ("flow-control", None)]),
            ("deflate-stream", &[]),
        ]),
        // W104: RFC 7692 §7.1.
        ("permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate", &[
            ("permessage-deflate", &[("client_max_window_bits", None), ("server_max_window_bits", Some("10"))]),
            ("permessage-deflate", &[]),
        ]),
        // W104: a quoted string that holds a token, with and without quoted pairs.
        (r#"a; b="10""#, &[("a", &[("b", Some("10"))])]),
        (r#"a; b="\1\0""#, &[("a", &[("b", Some("10"))])]),
        (r#"a; b="1\0" ;c="x","#, &[("a", &[("b", Some("10")), ("c", Some("x"))])]),
        // W104: every character of a token.
        ("!#$%&'*+-.^_`|~09azAZ;!#$%&'*+-.^_`|~=!#$%&'*+-.^_`|~", &[
            ("!#$%&'*+-.^_`|~09azAZ", &[("!#$%&'*+-.^_`|~", Some("!#$%&'*+-.^_`|~"))]),
        ]),
        // W104: white space between any two elements.
        ("\t a \t;\tb \t=\t \"c\" \t,\t d \t", &[("a", &[("b", Some("c"))]), ("d", &[])]),
        ("a;b=c,d;e", &[("a", &[("b", Some("c"))]), ("d", &[("e", None)])]),
        // W104: empty elements are skipped.
        (",, a ,\t, b ,", &[("a", &[]), ("b", &[])]),
        ("", &[]),
        (" \t", &[]),
        (" , ,", &[]),
        // W106, W107: case and repetition are kept for whoever knows the extension.
        ("Foo; X=1; x=2; X=1", &[("Foo", &[("X", Some("1")), ("x", Some("2")), ("X", Some("1"))])]),
    ];
    for (value, expected) in rows {
        let expected: Owned = expected
            .iter()
            .map(|(name, params)| {
                let params = params.iter().map(|(name, value)| ((*name).into(), value.map(Into::into)));
                ((*name).into(), params.collect())
            })
            .collect();
        assert_eq!(read(value.as_bytes()), expected, "{value:?}");
    }
}

#[test]
fn illegal() {
    // W104: the value, and the first byte that breaks the grammar.
    let rows: &[(&[u8], usize)] = &[
        (b"a b", 2),
        (b"a, b c", 5),
        (b";", 0),
        (b"; a", 0),
        (b"=1", 0),
        (b"a;", 2),
        (b"a; ", 3),
        (b"a;;b", 2),
        (b"a; ;b", 3),
        (b"a;,b", 2),
        (b"a; b;", 5),
        (b"a=1", 1),
        (b"a; =1", 3),
        (b"a; b=", 5),
        (b"a; b= ", 6),
        (b"a; b=,c", 5),
        (b"a; b=;c", 5),
        (b"a; b==c", 5),
        (b"a; b=c=d", 6),
        (b"a; b=c d", 7),
        (b"\"a\"", 0),
        (b"a; \"b\"", 3),
        // W104: what is quoted must be a token.
        (b"a; b=\"\"", 6),
        (b"a; b=\"", 6),
        (b"a; b=\"c", 7),
        (b"a; b=\"c d\"", 7),
        (b"a; b=\" c\"", 6),
        (b"a; b=\"c \"", 7),
        (b"a; b=\"c,d\"", 7),
        (b"a; b=\"c;d\"", 7),
        (b"a; b=\"c=d\"", 7),
        (b"a; b=\"c\\", 8),
        (b"a; b=\"c\\\"", 8),
        (b"a; b=\"c\\\"\"", 8),
        (b"a; b=\"c\\\\\"", 8),
        (b"a; b=\"c\\ d\"", 8),
        (b"a; b=\"c\\,d\"", 8),
        (b"a; b=\"c\"d", 8),
        (b"a; b=\"c\"\"d\"", 8),
        (b"a; b=c\"d\"", 6),
        (b"a; b='\\c", 6),
        // W104: no other separator, control or byte above 7F.
        (b"a/1", 1),
        (b"a; b=(c)", 5),
        (b"a\0", 1),
        (b"a\r\n b", 1),
        (b"a\x0b", 1),
        (b"a\x7f", 1),
        (b"a\xC3\xA9", 1),
        (b"\xC2\xA0a", 0),
        (b"a; b=\"\xFF\"", 6),
    ];
    for &(value, at) in rows {
        let result = Extensions::parse(value);
        assert_eq!(result.map(|_| ()).map_err(|error| error.at()), Err(at), "{}", value.escape_ascii());
    }
}

#[test]
fn values_compare() {
    // W104: as the token that they are.
    for text in ["x; y=15", "x; y=\"15\"", "x; y=\"\\1\\5\"", "x; y = \"1\\5\" "] {
        let value = Extensions::parse(text.as_bytes())
            .unwrap()
            .next()
            .unwrap()
            .params()
            .next()
            .unwrap()
            .value()
            .unwrap();
        assert!(
            value == "15" && value == *"15" && value == b"15".as_slice() && value == *b"15".as_slice(),
            "{text:?}"
        );
        assert!(
            value != "1" && value != "155" && value != "\"15\"" && value != b"1\xB5".as_slice(),
            "{text:?}"
        );
        assert!(value == value && value.chars().eq("15".chars()), "{text:?}");
        assert_eq!((value.to_string(), format!("{value:?}")), ("15".into(), "\"15\"".into()), "{text:?}");
    }
    // With one another.
    let mut params =
        Extensions::parse(b"x; a=15; b=\"1\\5\"; c=\"51\"; d=1").unwrap().next().unwrap().params();
    let [a, b, c, d] = std::array::from_fn(|_| params.next().unwrap().value().unwrap());
    assert!(a == b && a != c && b != c && a != d && d != b);
    // W106: names compare exactly, and so do values.
    let mut extensions = Extensions::parse(b"A; B=c").unwrap();
    let extension = extensions.next().unwrap();
    assert_ne!(extension.name(), "a");
    let param = extension.params().next().unwrap();
    assert_ne!(param.name(), "b");
    assert_ne!(param.value().unwrap(), "C");
}

#[test]
fn iterators_stay_at_their_end() {
    let mut extensions = Extensions::parse(b"a;b,,").unwrap();
    let mut params = extensions.next().unwrap().params();
    assert!(params.next().is_some());
    for _ in 0..3 {
        assert!(params.next().is_none());
        assert!(extensions.next().is_none());
    }
}

#[test]
fn long_lines() {
    // W105: one pass each; a quadratic reader would take hours here.
    const COUNT: usize = 1_000_000;
    let names = "a,".repeat(COUNT);
    assert_eq!(Extensions::parse(names.as_bytes()).unwrap().count(), COUNT);
    let params = format!("a{}", ";b=\"\\c\"".repeat(COUNT));
    assert_eq!(Extensions::parse(params.as_bytes()).unwrap().next().unwrap().params().count(), COUNT);
    let commas = " ,".repeat(COUNT);
    assert_eq!(Extensions::parse(commas.as_bytes()).unwrap().count(), 0);
    let open = format!("a;b=\"{}", "\\c".repeat(COUNT));
    assert_eq!(Extensions::parse(open.as_bytes()).map(|_| ()).unwrap_err().at(), open.len());
}

/// A token, and a way to write it as a value.
fn value() -> impl Strategy<Value = (String, String)> {
    ("[!#-'*+.0-9A-Z^-z|~-]{1,6}", any::<bool>(), any::<u8>()).prop_map(|(token, quoted, pairs)| {
        let written = token.chars().enumerate().map(|(index, character)| {
            let pair = if quoted && pairs >> (index % 8) & 1 == 1 { "\\" } else { "" };
            format!("{pair}{character}")
        });
        let written: String = written.collect();
        let written = if quoted { format!("\"{written}\"") } else { written };
        (token, written)
    })
}

proptest! {
    #[test]
    fn any_bytes(value: Vec<u8>) {
        match Extensions::parse(&value) {
            Ok(extensions) => prop_assert!(extensions.map(|extension| extension.params().count()).sum::<usize>() <= value.len()),
            Err(error) => prop_assert!(error.at() <= value.len()),
        }
    }

    #[test]
    fn any_near_miss(text in "[ab,;=\"\\\\ \t]{0,24}") {
        // W104: the first byte that breaks the grammar: what is before it can go on, with it nothing can.
        if let Err(error) = Extensions::parse(text.as_bytes()) {
            let at = error.at();
            let endings = ["", "a", "a\"", "\"", "=a"];
            let goes_on = |start: &str| endings.iter().any(|end| Extensions::parse([start, end].concat().as_bytes()).is_ok());
            prop_assert!(goes_on(&text[..at]));
            prop_assert!(at == text.len() || !goes_on(&text[..=at]));
        } else {
            // Every name and value is a token.
            for (name, params) in read(text.as_bytes()) {
                let texts = params.iter().flat_map(|(name, value)| [Some(name), value.as_ref()]).flatten().chain([&name]);
                for text in texts {
                    prop_assert!(!text.is_empty() && text.chars().all(|character| "ab".contains(character)), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_read(
        list in prop::collection::vec(("[a-z_-]{1,8}", prop::collection::vec(("[a-z_-]{1,8}", prop::option::of(value())), 0..4)), 0..4),
        space in "[ \t]{0,2}",
        comma in ",[ ,]{0,2}",
    ) {
        let mut text = String::new();
        for (name, params) in &list {
            text += &format!("{space}{name}{space}");
            for (name, value) in params {
                text += &format!(";{space}{name}{space}");
                if let Some((_, written)) = value {
                    text += &format!("={space}{written}{space}");
                }
            }
            text += &comma;
        }
        let expected: Owned = list
            .into_iter()
            .map(|(name, params)| (name, params.into_iter().map(|(name, value)| (name, value.map(|(token, _)| token))).collect()))
            .collect();
        prop_assert_eq!(read(text.as_bytes()), expected);
    }
}
