//! Subprotocols (RFC 6455 §1.9, §11.3.4): what a client offers, and what a server answers.

use crate::{http::list, rule::Rule};

/// As many subprotocols as one request may offer, so that looking for repetitions stays linear in the request (W105).
pub(crate) const MAX_OFFERED: usize = 64;

/// Checks every Sec-WebSocket-Protocol line of a request, in order (W103). No line is no offer, and legal.
///
/// RFC 6455 §4.1: "The elements that comprise this value MUST be non-empty strings with characters in the range U+0021
/// to U+007E not including separator characters \[...\] and MUST all be unique strings."
pub(crate) fn check_offer<'h>(lines: impl Iterator<Item = &'h [u8]> + Clone) -> Result<(), Rule> {
    let (mut none, mut count) = (true, 0_usize);
    for line in lines.clone() {
        none = false;
        for name in list::elements(line) {
            let mut earlier = lines.clone().flat_map(list::elements).take(count);
            if count >= MAX_OFFERED || !list::is_token(name) || earlier.any(|earlier| earlier == name) {
                return Err(Rule::ProtocolOffer);
            }
            count = count.saturating_add(1);
        }
    }
    // RFC 6455 §11.3.4 has "1#token": a line promises an element.
    if none || count != 0 { Ok(()) } else { Err(Rule::ProtocolOffer) }
}

/// The subprotocols that a request offers, the preferred first. What is no token is skipped.
pub(crate) fn offered<'h>(
    lines: impl Iterator<Item = &'h [u8]> + Clone,
) -> impl Iterator<Item = &'h [u8]> + Clone {
    lines.flat_map(list::elements).filter(|name| list::is_token(name))
}

/// Checks the value of a response's Sec-WebSocket-Protocol line: one of those offered, compared by case (W117).
pub(crate) fn check_answer<'o>(
    value: &[u8],
    mut offered: impl Iterator<Item = &'o [u8]>,
) -> Result<(), Rule> {
    let value = list::trim(value);
    // A single token even if this side should have offered something else: an answer is no list (RFC 6455 §11.3.4).
    if list::is_token(value) && offered.any(|name| name == value) {
        Ok(())
    } else {
        Err(Rule::ProtocolNotOffered)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::{string::String, vec::Vec};

    fn lines<'h>(lines: &'h [&'h str]) -> impl Iterator<Item = &'h [u8]> + Clone {
        lines.iter().map(|line| line.as_bytes())
    }

    #[test]
    fn offers() {
        let rows: [(&[&str], Option<&[&str]>); 15] = [
            (&[], Some(&[])),                           // W103: nothing offered
            (&["chat"], Some(&["chat"])),               // W103
            (&["a, b", "c"], Some(&["a", "b", "c"])),   // W103: over lines
            (&[" ,a ,,\tb, "], Some(&["a", "b"])),      // W103: empty elements are skipped
            (&["", "a"], Some(&["a"])),                 // W103
            (&["chat, Chat"], Some(&["chat", "Chat"])), // W103: compared by case
            (&["v10.stomp, a!#$%&'*+-.^_`|~"], Some(&["v10.stomp", "a!#$%&'*+-.^_`|~"])),
            (&[""], None),            // W103: no element
            (&[" , ,\t", ""], None),  // W103
            (&["a, a"], None),        // W103: repeated
            (&["a, b", "c,a"], None), // W103: repeated over lines
            (&["a b"], None),         // W103: no token
            (&["a;q=1"], None),       // W103
            (&["\"a\""], None),       // W103
            (&["é"], None),           // W103
        ];
        for (given, expected) in rows {
            let result = check_offer(lines(given));
            assert_eq!(result, expected.map(|_| ()).ok_or(Rule::ProtocolOffer), "{given:?}");
            if let Some(expected) = expected {
                let found: Vec<_> = offered(lines(given)).collect();
                let expected: Vec<_> = expected.iter().map(|name| name.as_bytes()).collect();
                assert_eq!(found, expected, "{given:?}");
            }
        }
    }

    #[test]
    fn as_many_as_the_limit() {
        // W103, W105
        for (count, legal) in [(MAX_OFFERED, true), (MAX_OFFERED.saturating_add(1), false)] {
            let names: Vec<String> = (0..count).map(|number| std::format!("p{number}")).collect();
            let line = names.join(",,");
            assert_eq!(check_offer(lines(&[&line])).is_ok(), legal, "{count}");
        }
        // Commas alone are no elements, and cost no comparisons.
        let commas = ",".repeat(100_000);
        assert_eq!(check_offer(lines(&[&commas, "a"])), Ok(()));
    }

    #[test]
    fn answers() {
        let rows = [
            ("chat", true),      // W117
            ("\t b ", true),     // W99: trimmed
            ("", false),         // W117: empty
            (" ", false),        // W117
            ("c", false),        // W117: not offered
            ("Chat", false),     // W117: by case
            ("chat, b", false),  // W117: several
            ("chat,", false),    // W117
            ("chat b", false),   // W117
            ("x,y", false),      // W117: even if offered so
            ("\"chat\"", false), // W117
        ];
        for (value, legal) in rows {
            let result =
                check_answer(value.as_bytes(), ["chat", "b", "x,y", ""].map(str::as_bytes).into_iter());
            assert_eq!(result, if legal { Ok(()) } else { Err(Rule::ProtocolNotOffered) }, "{value:?}");
        }
        assert_eq!(check_answer(b"chat", core::iter::empty()), Err(Rule::ProtocolNotOffered)); // W117
    }
}
