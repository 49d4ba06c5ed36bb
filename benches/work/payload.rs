//! Payloads, and the frames that carry them. Fixed, so that every run does the same.

#![allow(dead_code, reason = "every benchmark compiles all of this and uses a part")]

use websocket_proto::{Client, FrameHeader, MaskKey, MaskSource, Opcode, Rsv, mask};

/// Of every masked frame. No byte of it is 0, and none is another's.
pub(crate) const KEY: MaskKey = [0x37, 0xfa, 0x21, 0x3d];

/// A client that masks with it. There is one such type, so that the compiler makes one of each function.
pub(crate) const CLIENT: Client<Keys> = Client(Keys);

pub(crate) struct Keys;

impl MaskSource for Keys {
    fn next_key(&mut self) -> Option<MaskKey> {
        Some(KEY)
    }
}

pub(crate) const ASCII: &str = "The quick brown fox jumps over the lazy dog. ";
/// One and two bytes a character.
pub(crate) const LATIN: &str = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. ";
/// Three bytes a character.
pub(crate) const CJK: &str = "敏捷的棕色狐狸跳过了那只懒狗，然后在树下睡着了。";
/// Four bytes a character.
pub(crate) const EMOJI: &str = "😀🎉🚀🐱🌍🍕🎸🔥";

/// `sample` again and again, in `len` bytes: what is too little for a character is filled with full stops.
pub(crate) fn text(sample: &str, len: usize) -> Vec<u8> {
    let mut text = sample.repeat(len / sample.len() + 1);
    while text.len() > len {
        text.pop();
    }
    let mut bytes = text.into_bytes();
    bytes.resize(len, b'.');
    bytes
}

/// Bytes that look random.
pub(crate) fn binary(len: usize) -> Vec<u8> {
    let mut random = 1_u64;
    let next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 56) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// A frame as it is on the wire, masked with [`KEY`] or not at all.
pub(crate) fn frame(opcode: Opcode, fin: bool, masked: bool, payload: &[u8]) -> Vec<u8> {
    let key = masked.then_some(KEY);
    let header = FrameHeader { fin, rsv: Rsv::NONE, opcode, mask: key, len: payload.len() as u64 };
    let mut bytes = header.encode().expect("short enough").to_vec();
    let at = bytes.len();
    bytes.extend_from_slice(payload);
    if let Some(key) = key {
        mask(key, &mut bytes[at..]);
    }
    bytes
}
