//! What is sent and what must come of it: frames are built here, byte by byte, by none of the peers.

use std::hint::black_box;

/// A stream of whole messages, and how it arrives. It is read again and again from its beginning.
pub struct Wire {
    pub bytes: &'static [u8],
    /// What one read gives at most.
    pub read: usize,
    /// What its messages are.
    pub seen: Seen,
    /// What they oblige to send.
    pub replies: Vec<u8>,
}

impl Wire {
    /// What the reads of one pass give.
    pub fn reads(&self) -> std::slice::Chunks<'_, u8> {
        self.bytes.chunks(self.read)
    }
}

/// What was decoded, in two numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub messages: usize,
    hash: u64,
}

/// Who consumes messages: it touches them, and if it is asked to it takes a hash of them.
#[derive(Default)]
pub struct Sink {
    checked: Option<Hash>,
}

impl Sink {
    pub fn checking() -> Self {
        Self { checked: Some(Hash::default()) }
    }

    #[inline(always)]
    pub fn message(&mut self, text: bool, payload: &[u8]) {
        black_box((text, payload.len(), payload.first(), payload.last()));
        if let Some(hash) = &mut self.checked {
            hash.message(text, payload);
        }
    }

    pub fn seen(&self) -> Seen {
        self.checked.as_ref().map(Hash::seen).unwrap_or_default()
    }
}

/// FNV-1a over kind, length and bytes.
pub struct Hash(Seen);

impl Default for Hash {
    fn default() -> Self {
        Self(Seen { messages: 0, hash: 0xcbf2_9ce4_8422_2325 })
    }
}

impl Hash {
    pub fn seen(&self) -> Seen {
        self.0
    }

    #[cold]
    pub fn message(&mut self, text: bool, payload: &[u8]) {
        self.0.messages += 1;
        let len = (payload.len() as u64).to_le_bytes();
        for &byte in [u8::from(text)].iter().chain(&len).chain(payload) {
            self.0.hash = (self.0.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// Xorshift: the same numbers in every run.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }

    pub fn ascii(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| b' ' + (self.next() % 95) as u8).collect()
    }

    /// Characters of three bytes with a digit or a space among twelve, and letters behind them to come to `len`.
    pub fn cjk(&mut self, len: usize) -> Vec<u8> {
        let mut text = String::new();
        while text.len() + 3 <= len {
            text.push(match self.next() % 0x5000 {
                n if n % 12 == 0 => char::from(b"0123456789 "[n as usize % 11]),
                n => char::from_u32(0x4e00 + n as u32).unwrap(),
            });
        }
        text.extend(std::iter::repeat_n('x', len - text.len()));
        text.into_bytes()
    }
}

/// The bytes for as long as the program runs, from the beginning of a line of the cache on.
pub fn placed(bytes: &[u8]) -> &'static [u8] {
    let memory = vec![0; bytes.len() + 64].leak();
    let at = memory.as_ptr().align_offset(64);
    memory[at..][..bytes.len()].copy_from_slice(bytes);
    &memory[at..][..bytes.len()]
}

/// The same `at` bytes behind the beginning of a page of 4 KiB.
pub fn placed_at(bytes: &[u8], at: usize) -> &'static [u8] {
    let memory = vec![0; bytes.len() + 4096 + at].leak();
    let at = memory.as_ptr().align_offset(4096) + at;
    memory[at..][..bytes.len()].copy_from_slice(bytes);
    &memory[at..][..bytes.len()]
}

/// A frame with this first byte.
pub fn frame(first: u8, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let mut frame = vec![first];
    let bit = if key.is_some() { 0x80 } else { 0 };
    match payload.len() {
        len @ 0..126 => frame.push(bit | len as u8),
        len @ 126..0x1_0000 => {
            frame.push(bit | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(bit | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(key.iter().flatten());
    let key = key.unwrap_or_default();
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// The payload of the one unfragmented binary message that `output` is to be.
pub fn payload_of(output: &[u8], masked: bool) -> Result<Vec<u8>, String> {
    let (first, second) = (*output.first().ok_or("nothing")?, *output.get(1).ok_or("one byte")?);
    if first != 0x82 || (second & 0x80 != 0) != masked {
        return Err(format!("begins with {first:#x} {second:#x}"));
    }
    let at = match second & 0x7f {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    if !masked {
        let payload = output.get(at..).ok_or("half a header")?;
        return if frame(0x82, payload, None) == output {
            Ok(payload.to_vec())
        } else {
            Err("its length".into())
        };
    }
    let key = output.get(at..at + 4).ok_or("half a header")?.try_into().unwrap();
    let unmasked: Vec<u8> = frame(0x82, &output[at + 4..], Some(key))[at + 4..].to_vec();
    if frame(0x82, &unmasked, Some(key)) == output { Ok(unmasked) } else { Err("its length".into()) }
}
