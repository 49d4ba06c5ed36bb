//! Proves the encoding and decoding of headers over all of their first two bytes, with every length at which a field
//! or an integer ends, both ways and cut short everywhere. What a connection makes of them is in `tests/oracle.rs`.

use websocket_proto::{FrameHeader, Opcode, Rsv, Rule};

/// The lengths around every border: of the three fields, and of integers of 8 to 64 bits, signed and not, wherever
/// `usize` may end.
const LENGTHS: [u64; 33] = [
    0,
    1,
    124,
    125,
    126,
    127,
    128,
    254,
    255,
    256,
    (1 << 15) - 1,
    1 << 15,
    (1 << 16) - 2,
    (1 << 16) - 1,
    1 << 16,
    (1 << 16) + 1,
    (1 << 24) - 1,
    1 << 24,
    (1 << 31) - 1,
    1 << 31,
    (1 << 31) + 1,
    (1 << 32) - 1,
    1 << 32,
    (1 << 32) + 1,
    1 << 40,
    (1 << 53) - 1,
    1 << 53,
    (1 << 53) + 1,
    (1 << 62) + 1,
    (1 << 63) - 1,
    1 << 63,
    (1 << 63) + 1,
    u64::MAX,
];

const KEY: [u8; 4] = [0x80, 0, 0x7f, 0xff];

fn opcode(bits: u8) -> Option<Opcode> {
    let all = [Opcode::Continuation, Opcode::Text, Opcode::Binary, Opcode::Close, Opcode::Ping, Opcode::Pong];
    all.into_iter()
        .zip([0, 1, 2, 8, 9, 10])
        .find(|(_, number)| *number == bits & 15)
        .map(|(opcode, _)| opcode)
}

fn rsv(first: u8) -> Rsv {
    let bits = [(0x40, Rsv::RSV1), (0x20, Rsv::RSV2), (0x10, Rsv::RSV3)];
    bits.iter().filter(|(bit, _)| first & bit != 0).fold(Rsv::NONE, |set, (_, rsv)| set.with(*rsv))
}

/// What is wrong with a header of these bytes, and how many of them show it (RFC 6455 §5.2, §5.5).
fn fault(first: u8, second: u8, len: u64) -> Option<(Rule, usize)> {
    let control = first & 8 != 0;
    match (opcode(first), second & 0x7f) {
        (None, _) => Some((Rule::ReservedOpcode, 1)),
        _ if control && first & 0x80 == 0 => Some((Rule::FragmentedControl, 1)),
        (_, 126 | 127) if control => Some((Rule::ControlTooLong, 2)),
        (_, 126) if len < 126 => Some((Rule::NonMinimalLength16, 4)),
        (_, 127) if len >= 1 << 63 => Some((Rule::LengthTopBit, 10)),
        (_, 127) if len < 1 << 16 => Some((Rule::NonMinimalLength64, 10)),
        _ => None,
    }
}

/// All 65,536 pairs of first bytes, with every length behind them, cut short everywhere (W1 to W3, W6, W13, W15, W21,
/// W22).
#[test]
fn every_two_bytes_and_every_length() {
    let mut sound = 0;
    for [first, second] in (0..=u16::MAX).map(u16::to_be_bytes) {
        let (size, lengths) = match second & 0x7f {
            126 => (2, LENGTHS.iter().copied().filter(|&len| len < 1 << 16).collect()),
            127 => (8, LENGTHS.to_vec()),
            short => (0, vec![u64::from(short)]),
        };
        for len in lengths {
            let mut bytes = vec![first, second];
            bytes.extend(&len.to_be_bytes()[8 - size..]);
            let masked = second & 0x80 != 0;
            if masked {
                bytes.extend(KEY);
            }
            let whole = bytes.len();
            bytes.extend([0xff; 3]);
            let header = opcode(first).map(|opcode| FrameHeader {
                fin: first & 0x80 != 0,
                rsv: rsv(first),
                opcode,
                mask: masked.then_some(KEY),
                len,
            });
            let fault = fault(first, second, len);
            for cut in 0..=bytes.len() {
                let expected = match (fault, header) {
                    (Some((rule, shown)), _) if cut >= shown => Err(rule),
                    (None, Some(header)) if cut >= whole => Ok(Some((header, whole))),
                    _ => Ok(None),
                };
                assert_eq!(FrameHeader::decode(&bytes[..cut]), expected, "{:02x?}", &bytes[..cut]);
            }
            if let (None, Some(header)) = (fault, header) {
                assert_eq!(header.encode().unwrap()[..], bytes[..whole], "{header:?}");
                sound += 1;
            }
        }
    }
    // FIN, reserved bits and mask on three opcodes of data, each with 126 short, 10 medium and 16 long lengths; on three
    // of control, with FIN, 126 short ones.
    assert_eq!(sound, 3 * 32 * (126 + 10 + 16) + 3 * 16 * 126);
}

/// Every header that can be said, encoded: the bytes are the shortest that say it, and say it back (W1, W4).
#[test]
fn every_header_and_every_length() {
    for (first, masked) in (0..=u8::MAX).flat_map(|first| [false, true].map(|masked| (first, masked))) {
        let Some(opcode) = opcode(first) else { continue };
        for len in LENGTHS {
            let mask = masked.then_some(KEY);
            let header = FrameHeader { fin: first & 0x80 != 0, rsv: rsv(first), opcode, mask, len };
            let bit = if masked { 0x80 } else { 0 };
            let mut bytes = match len {
                0..126 => vec![first, bit | len as u8],
                126..65_536 => vec![first, bit | 126, (len >> 8) as u8, len as u8],
                _ if len >> 63 != 0 => {
                    assert_eq!(header.encode(), None, "{header:?}");
                    continue;
                }
                _ => [vec![first, bit | 127], (0..8).rev().map(|place| (len >> (8 * place)) as u8).collect()]
                    .concat(),
            };
            bytes.extend(mask.iter().flatten());
            let encoded = header.encode().unwrap();
            assert_eq!(encoded[..], bytes, "{header:?}");
            assert!(encoded.len() <= FrameHeader::MAX);
            let legal = !opcode.is_control() || (header.fin && len <= 125);
            let decoded = FrameHeader::decode(&encoded);
            assert_eq!(decoded.is_ok(), legal, "{header:?}");
            assert!(!legal || decoded == Ok(Some((header, bytes.len()))), "{header:?}");
        }
    }
}
