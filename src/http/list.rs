//! Tokens and comma lists of HTTP fields (RFC 9110 §5.6).

use super::{class::Class, words::is_word};

/// Whether `text` is a token: one `tchar` or more (RFC 9110 §5.6.2).
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && Class::TOKEN.fills(text)
}

/// `value` without the optional white space around it (W99): spaces and tabs, nothing else.
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    trim_end(trim_start(value))
}

pub(crate) fn trim_start(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    value
}

pub(crate) fn trim_end(mut value: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// The elements of a comma list, trimmed.
///
/// RFC 9110 §5.6.1.2: "A recipient MUST parse and ignore a reasonable number of empty list elements". A comma inside
/// a quoted string divides too: this is for lists of tokens.
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    value.split(|&byte| byte == b',').map(trim).filter(|element| !element.is_empty())
}

/// Whether some element of the comma list equals `word`, in small letters, case aside (W97, W98).
pub(crate) fn lists(value: &[u8], word: &str) -> bool {
    elements(value).any(|element| is_word(element, word.as_bytes()))
}

/// What stands before the first `mark`, and what behind it if there is one.
pub(crate) fn cut(text: &[u8], mark: u8) -> (&[u8], Option<&[u8]>) {
    let at = text.iter().position(|&byte| byte == mark).unwrap_or(text.len());
    let (head, tail) = text.split_at_checked(at).unwrap_or_default();
    (head, tail.get(1..))
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    #[test]
    fn tokens() {
        // RFC 9110 §5.6.2 lists every `tchar`.
        let tchars = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        for byte in 0..=255 {
            assert_eq!(is_token(&[byte]), tchars.contains(&byte), "{byte:#x}");
        }
        assert!(is_token(tchars));
        for (text, legal) in
            [("chat", true), ("", false), ("a b", false), (" a", false), ("a\0", false), ("é", false)]
        {
            assert_eq!(is_token(text.as_bytes()), legal, "{text:?}");
        }
    }

    #[test]
    fn white_space() {
        // W99: space and tab are trimmed, other controls are not.
        for (value, trimmed) in [
            ("", ""),
            (" \t ", ""),
            ("\t a b ", "a b"),
            ("a", "a"),
            ("\u{b}a\u{c}", "\u{b}a\u{c}"),
            ("\na\r", "\na\r"),
        ] {
            assert_eq!(trim(value.as_bytes()), trimmed.as_bytes(), "{value:?}");
        }
    }

    #[test]
    fn comma_lists() {
        let rows: [(&str, &[&str]); 5] = [
            ("", &[]),
            (" ,\t,, ", &[]),
            ("a", &["a"]),
            (",a ,\tb c\t,, d,", &["a", "b c", "d"]),
            ("\"x,y\"", &["\"x", "y\""]),
        ];
        for (value, expected) in rows {
            let found: Vec<&[u8]> = elements(value.as_bytes()).collect();
            let expected: Vec<&[u8]> = expected.iter().map(|element| element.as_bytes()).collect();
            assert_eq!(found, expected, "{value:?}");
        }
    }

    #[test]
    fn words() {
        let rows = [
            ("upgrade", true),               // W97
            ("keep-alive, Upgrade", true),   // W97: a list, without case
            ("UPGRADE ,x", true),            // W97
            ("upgraded", false),             // W97: whole elements
            ("up grade", false),             // W97
            ("x-upgrade,keep-alive", false), // W97
            ("upgrade/1", false),            // W98: without version
            ("\"upgrade\"", false),          // W97
            ("", false),
        ];
        for (value, expected) in rows {
            assert_eq!(lists(value.as_bytes(), "upgrade"), expected, "{value:?}");
        }
    }
}
