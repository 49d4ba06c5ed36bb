//! What is sent: one message, built before anything is measured.

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

pub(crate) struct Traffic {
    pub(crate) payload: Vec<u8>,
    /// How many messages each connection has under way.
    pub(crate) depth: usize,
    /// Neither handshakes nor frames: bytes.
    pub(crate) raw: bool,
    /// The message as it is sent, once more than `depth`: what is to be sent lies there in one piece, wherever in the
    /// message it begins.
    copies: Vec<u8>,
    len: usize,
}

impl Traffic {
    pub(crate) fn new(payload: usize, depth: usize, raw: bool) -> Self {
        let payload: Vec<u8> = (0..payload).map(|at| (at * 7 + at / 251) as u8).collect();
        let message = if raw { payload.clone() } else { frame(&payload) };
        Self { copies: message.repeat(depth + 1), len: message.len(), payload, depth, raw }
    }

    /// A message's length on the wire.
    pub(crate) fn message(&self) -> usize {
        self.len
    }

    /// `n` bytes that begin so far into a message.
    pub(crate) fn bytes(&self, at: usize, n: usize) -> &[u8] {
        &self.copies[at..at + n]
    }
}

/// A binary message of a client.
fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x82];
    match payload.len() {
        len @ 0..=125 => frame.push(0x80 | len as u8),
        len @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}
