//! Sec-WebSocket-Key and Sec-WebSocket-Accept (RFC 6455 §1.3, §4.1, §4.2.2).

use super::class::Class;
use base64ct::{Base64, Encoding};

/// The accept value that belongs to a key, as received and trimmed.
///
/// The key goes in as text. RFC 6455 §4.2.2: "It is not necessary for the server to base64-decode the
/// |Sec-WebSocket-Key| value."
pub(crate) fn accept(key: &[u8; 24]) -> [u8; 28] {
    // In one piece of a length that the compiler knows, so that it sees the hash's own bounds kept.
    let mut text = [0; 60];
    if let Some(place) = text.first_chunk_mut() {
        *place = *key;
    }
    if let Some(place) = text.last_chunk_mut() {
        *place = *GUID;
    }
    let mut hash = sha1_smol::Sha1::new();
    hash.update(&text);
    encode(&hash.digest().bytes())
}

/// Whether `text` is 16 bytes in base64: 22 characters and `==` (W95).
///
/// The four spare bits of the last character may be set: RFC 6455 §4.1's own example sets them. So it is the alphabet
/// that is checked, and nothing is decoded.
pub(crate) fn is_key(text: &[u8]) -> bool {
    let Some((text, b"==")) = text.split_at_checked(22) else { return false };
    text.iter().all(|&byte| Class::BASE64.has(byte))
}

/// The key that a client sends for its nonce.
pub(crate) fn key(nonce: [u8; 16]) -> [u8; 24] {
    encode(&nonce)
}

fn encode<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut text = [0; N];
    // The encoder fails if the text does not fit. Both callers' do: 20 bytes give 28 characters and 16 give 24. Were it
    // otherwise, the zeros left would be a value that no peer accepts.
    let (Ok(_) | Err(_)) = Base64::encode(bytes, &mut text);
    text
}

/// RFC 6455 §1.3.
const GUID: &[u8; 36] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_values() {
        // W115: RFC 6455 §1.3, and a key whose spare bits are set, hashed as it stands.
        assert_eq!(&accept(b"dGhlIHNhbXBsZSBub25jZQ=="), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(&accept(b"AQIDBAUGBwgJCgsMDQ4PEC=="), b"OfS0wDaT5NoxF2gqm7Zj2YtetzM=");
    }

    #[test]
    fn keys() {
        let rows: [(&[u8], bool); 14] = [
            (b"dGhlIHNhbXBsZSBub25jZQ==", true),   // W95
            (b"AQIDBAUGBwgJCgsMDQ4PEC==", true),   // W95: spare bits set (RFC 6455 §4.1)
            (b"+/+/+/+/+/+/+/+/+/+/+/==", true),   // W95
            (b"", false),                          // W95
            (b"==", false),                        // W95
            (b"dGhlIHNhbXBsZSBub25jZQ=", false),   // W95
            (b"dGhlIHNhbXBsZSBub25jZQ", false),    // W95
            (b"dGhlIHNhbXBsZSBub25jZQ===", false), // W95
            (b"dGhlIHNhbXBsZSBub25jZ===", false),  // W95: 15 bytes
            (b"dGhlIHNhbXBsZSBub25jZQAA", false),  // W95: 18 bytes
            (b"dGhlIHNhbXBsZSBub25jAZQ==", false), // W95: 23 characters
            (b"-_hlIHNhbXBsZSBub25jZQ==", false),  // W95: the other alphabet
            (b"dGhlIHNhbXB ZSBub25jZQ==", false),  // W95
            (b"dGhlIHNhbXB\xFFZSBub25jZQ==", false),
        ];
        for (text, legal) in rows {
            assert_eq!(is_key(text), legal, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn nonces() {
        // W111: RFC 6455 §1.3 read backwards.
        assert_eq!(&key(*b"the sample nonce"), b"dGhlIHNhbXBsZSBub25jZQ==");
        for byte in 0..=255 {
            assert!(is_key(&key([byte; 16])));
        }
    }
}
