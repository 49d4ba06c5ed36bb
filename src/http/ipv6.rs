//! IPv6 addresses in text (RFC 4291 §2.2, RFC 3986 §3.2.2), without a zone.
//!
//! The standard library has this too, but with bounds checks in it that leave a panic in every image that links it.

use super::list::cut;

/// An address, in groups of 16 bits.
pub(crate) type Groups = [u16; 8];

/// The address that `text` writes; `None` if it writes none.
pub(crate) fn parse(text: &[u8]) -> Option<Groups> {
    let mut groups = Groups::default();
    let mut count = 0_usize;
    let mut gap = None;
    let mut rest = text;
    if let [b':', b':', tail @ ..] = text {
        (gap, rest) = (Some(0), tail);
    }
    while !rest.is_empty() {
        let (part, tail) = cut(rest, b':');
        // An IPv4 address stands for the last two.
        if tail.is_none() && cut(part, b'.').1.is_some() {
            let [a, b, c, d] = ipv4(part)?;
            *groups.get_mut(count)? = u16::from_be_bytes([a, b]);
            *groups.get_mut(count.wrapping_add(1))? = u16::from_be_bytes([c, d]);
            count = count.wrapping_add(2);
            break;
        }
        *groups.get_mut(count)? = group(part)?;
        count = count.wrapping_add(1);
        rest = match tail {
            None => break,
            Some([b':', tail @ ..]) if gap.is_none() => {
                gap = Some(count);
                tail
            }
            Some([]) => return None,
            Some(tail) => tail,
        };
    }
    let zeros = groups.len().wrapping_sub(count);
    match gap {
        None => (zeros == 0).then_some(groups),
        // "The use of "::" indicates one or more groups of 16 bits of zeros" (RFC 4291 §2.2).
        Some(_) if zeros == 0 => None,
        Some(gap) => {
            for at in (gap..count).rev() {
                let group = core::mem::take(groups.get_mut(at)?);
                *groups.get_mut(at.wrapping_add(zeros))? = group;
            }
            Some(groups)
        }
    }
}

/// One to four hexadecimal digits.
fn group(text: &[u8]) -> Option<u16> {
    if text.is_empty() || text.len() > 4 {
        return None;
    }
    text.iter().try_fold(0_u16, |group, &byte| {
        let digit = char::from(byte).to_digit(16)?;
        Some(group << 4 | u16::try_from(digit).ok()?)
    })
}

/// Four decimal numbers from 0 to 255 without leading zeros (RFC 3986 §3.2.2, `IPv4address`).
fn ipv4(text: &[u8]) -> Option<[u8; 4]> {
    let mut address = [0; 4];
    let mut parts = text.split(|&byte| byte == b'.');
    for place in &mut address {
        *place = match parts.next()? {
            [digit @ b'0'..=b'9'] => digit & 0x0f,
            part @ ([b'1'..=b'9', _] | [b'1'..=b'9', _, _]) => {
                part.iter().try_fold(0_u8, |number, &byte| {
                    let digit = byte.is_ascii_digit().then_some(byte & 0x0f)?;
                    number.checked_mul(10)?.checked_add(digit)
                })?
            }
            _ => return None,
        };
    }
    parts.next().is_none().then_some(address)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use core::net::Ipv6Addr;
    use std::{format, string::String, vec::Vec};

    /// The standard library is the oracle, over every short combination of what addresses are made of.
    #[test]
    fn as_the_standard_library() {
        let parts = [
            "",
            ":",
            "::",
            "0",
            "1",
            "f",
            "a1",
            "FFFF",
            "12345",
            "g",
            ".",
            "1.2.3.4",
            "255.0.0.1",
            "256.1.1.1",
            "01.1.1.1",
            "%1",
        ];
        let mut texts: Vec<String> = parts.iter().map(|part| (*part).into()).collect();
        for _ in 0..3 {
            texts =
                texts.iter().flat_map(|text| parts.iter().map(move |part| format!("{text}{part}"))).collect();
        }
        for groups in 0..10 {
            for gap in 0..=groups {
                for end in ["", ":1.2.3.4", "::", ":"] {
                    let colon = |n: usize| ["1"].repeat(n).join(":");
                    texts.push(format!("{}::{}{end}", colon(gap), colon(groups - gap)));
                    texts.push(format!("{}{end}", colon(groups)));
                }
            }
        }
        for text in texts {
            let expected = text.parse::<Ipv6Addr>().ok().map(|address| address.segments());
            assert_eq!(parse(text.as_bytes()), expected, "{text:?}");
        }
    }
}
