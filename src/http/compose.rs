//! Heads on their way out: all or nothing, and nothing of the caller's unchecked (W109).

use super::list::is_token;
use crate::{
    bytes::{Body, Output},
    error::HandshakeError,
};

/// Puts out all pieces that `each` names, in order, or none of them.
///
/// `each` is called twice: once to measure, once to write.
pub(crate) fn write(
    out: &mut (impl Output + ?Sized),
    each: impl Fn(&mut dyn FnMut(&[u8])),
) -> Result<(), HandshakeError> {
    let (mut needed, mut fits) = (0_usize, true);
    // One call in a loop, so that firmware has the code of `each` once.
    for measure in [true, false] {
        if !measure && out.room() < needed {
            fits = false;
            break;
        }
        each(&mut |piece| match measure {
            true => needed = needed.saturating_add(piece.len()),
            false => fits = fits && (piece.is_empty() || out.put(piece, Body::plain(&[]))),
        });
    }
    if fits { Ok(()) } else { Err(HandshakeError::NoRoom { needed }) }
}

/// Checks fields of the caller's. The names in `own`, all `Sec-WebSocket-` names and those that frame a body are the
/// handshake's to write; so a 101 never has the latter (W164).
pub(crate) fn check_fields(fields: &[(&str, &str)], own: &[&str]) -> Result<(), HandshakeError> {
    const FRAMING: [&str; 2] = ["Content-Length", "Transfer-Encoding"];
    for (name, value) in fields {
        let reserved = own.iter().chain(&FRAMING).any(|own| own.eq_ignore_ascii_case(name))
            || name.get(..14).is_some_and(|start| start.eq_ignore_ascii_case("Sec-WebSocket-"));
        if reserved || !is_token(name.as_bytes()) {
            return Err(HandshakeError::FieldName);
        }
        if !is_field_value(value) {
            return Err(HandshakeError::FieldValue);
        }
    }
    Ok(())
}

/// Writes fields: a line each, behind the end of the one before.
pub(crate) fn fields(fields: &[(&str, &str)], put: &mut dyn FnMut(&[u8])) {
    for (name, value) in fields {
        field(name, value.as_bytes(), put);
    }
}

pub(crate) fn field(name: &str, value: &[u8], put: &mut dyn FnMut(&[u8])) {
    put(b"\r\n");
    put(name.as_bytes());
    put(b": ");
    put(value);
}

/// A number in decimal digits.
pub(crate) struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    pub(crate) fn new(mut number: usize) -> Self {
        let mut decimal = Self { digits: [b'0'; 20], start: 20 };
        for (at, digit) in decimal.digits.iter_mut().enumerate().rev() {
            *digit = b'0'.saturating_add((number % 10) as u8);
            number /= 10;
            decimal.start = at;
            if number == 0 {
                break;
            }
        }
        decimal
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.digits.get(self.start..).unwrap_or_default()
    }
}

fn is_field_value(value: &str) -> bool {
    value.bytes().all(|byte| byte == b'\t' || byte >= 0x20 && byte != 0x7f)
}

/// The reason phrase of a status, for people who read along; it may be empty (RFC 9112 §4).
pub(crate) const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        414 => "URI Too Long",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals() {
        for (number, text) in
            [(0, "0"), (9, "9"), (10, "10"), (65_535, "65535"), (4_294_967_295, "4294967295")]
        {
            assert_eq!(Decimal::new(number).as_bytes(), text.as_bytes());
        }
    }
}
