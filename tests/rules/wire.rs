//! Frames as bytes, built, masked and read by hand: what is expected is written a second time, without the
//! crate's own encoder.

use websocket_proto::MaskKey;

/// The key of every frame that a server reads: the RFC's own example.
pub(crate) const PEER_KEY: MaskKey = [0x37, 0xfa, 0x21, 0x3d];
/// The key of every frame that a client writes.
pub(crate) const OWN_KEY: MaskKey = [1, 2, 3, 4];

/// Which side reads the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
}

pub(crate) const BOTH: &[Side] = &[Side::Server, Side::Client];

/// A frame as it is before anybody masks it.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// The header without mask bit and key.
    head: Vec<u8>,
    pub(crate) body: Vec<u8>,
    /// On the wire as it stands here, whoever reads it.
    verbatim: bool,
}

/// A frame with the shortest length there is.
pub(crate) fn frame(first: u8, body: impl AsRef<[u8]>) -> Frame {
    let body = body.as_ref();
    Frame { body: body.to_vec(), ..announce(first, body.len() as u64) }
}

/// The header of a frame of `len` bytes, of which none follow.
pub(crate) fn announce(first: u8, len: u64) -> Frame {
    let mut head = vec![first];
    match len {
        0..=125 => head.push(len as u8),
        126..=0xffff => {
            head.push(126);
            head.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            head.push(127);
            head.extend_from_slice(&len.to_be_bytes());
        }
    }
    Frame { head, body: Vec::new(), verbatim: false }
}

/// A frame with a header of the test's own making, without mask bit and key.
pub(crate) fn raw(head: &[u8], body: impl AsRef<[u8]>) -> Frame {
    Frame { head: head.to_vec(), body: body.as_ref().to_vec(), verbatim: false }
}

/// Bytes that go on the wire as they are.
pub(crate) fn exactly(bytes: &[u8]) -> Frame {
    Frame { head: bytes.to_vec(), body: Vec::new(), verbatim: true }
}

pub(crate) fn ping(body: impl AsRef<[u8]>) -> Frame {
    frame(0x89, body)
}

pub(crate) fn pong(body: impl AsRef<[u8]>) -> Frame {
    frame(0x8a, body)
}

pub(crate) fn close(code: u16, reason: impl AsRef<[u8]>) -> Frame {
    let mut body = code.to_be_bytes().to_vec();
    body.extend_from_slice(reason.as_ref());
    frame(0x88, body)
}

/// The bytes of frames that `side` reads.
pub(crate) fn incoming(side: Side, frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(|frame| frame.bytes((side == Side::Server).then_some(PEER_KEY))).collect()
}

/// The bytes of frames that `side` writes.
pub(crate) fn outgoing(side: Side, frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(|frame| frame.bytes((side == Side::Client).then_some(OWN_KEY))).collect()
}

impl Frame {
    pub(crate) fn bytes(&self, key: Option<MaskKey>) -> Vec<u8> {
        let mut bytes = self.head.clone();
        let body = match key {
            Some(key) if !self.verbatim => {
                if let Some(second) = bytes.get_mut(1) {
                    *second |= 0x80;
                    bytes.extend_from_slice(&key);
                }
                naive_mask(key, 0, &self.body)
            }
            _ => self.body.clone(),
        };
        bytes.extend_from_slice(&body);
        bytes
    }
}

/// RFC 6455 §5.3, letter by letter: "transformed-octet-i = original-octet-i XOR masking-key-octet-j", j = i
/// MOD 4.
pub(crate) fn naive_mask(key: MaskKey, start: usize, bytes: &[u8]) -> Vec<u8> {
    bytes.iter().enumerate().map(|(i, byte)| byte ^ key[(start + i) % 4]).collect()
}
