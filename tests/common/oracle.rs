//! A naive decoder of a whole stream at once, written from the RFC's text for clarity and without a look at the
//! crate: no resumption, no borrowing, no state beyond local variables. What it says is what the machine must say.

use websocket_proto::{Config, Kind, Lenient, Rule};

/// What the oracle is told about the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// Whether the reader is the server.
    pub(crate) server: bool,
    /// The reserved bits that extensions define, as they stand in a frame's first byte.
    pub(crate) reserved: u8,
    pub(crate) frame_limit: u64,
    pub(crate) message_limit: u64,
    pub(crate) fragment_limit: u32,
    pub(crate) lenient: Lenient,
}

impl Setup {
    /// The defaults of the crate.
    pub(crate) fn strict(server: bool) -> Self {
        let Config { frame_limit, message_limit, fragment_limit, lenient, .. } = Config::default();
        Self { server, reserved: 0, frame_limit, message_limit, fragment_limit, lenient }
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            frame_limit: self.frame_limit,
            message_limit: self.message_limit,
            fragment_limit: self.fragment_limit,
            lenient: self.lenient,
            ..Config::default()
        }
    }
}

/// What a reader has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A data frame, or as much of it as came before the end of the stream or a fault.
    Frame {
        kind: Kind,
        /// It is its message's first.
        first: bool,
        /// It is its message's last.
        fin: bool,
        compressed: bool,
        /// The length its header declares.
        len: u64,
        payload: Vec<u8>,
        /// All of it came.
        whole: bool,
    },
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
    Failed(Rule, u64),
}

/// Where a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    BetweenMessages,
    BetweenFragments,
    InFrame,
    /// Behind a Close.
    Closed,
    Failed(Rule, u64),
}

/// A stream, read.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) seen: Vec<Seen>,
    /// The replies due, in order: opcode and payload.
    pub(crate) replies: Vec<(u8, Vec<u8>)>,
    pub(crate) end: End,
    /// How many bytes were read before a Close or a fault, or all.
    pub(crate) taken: u64,
}

/// A message under way.
struct Open {
    kind: Kind,
    compressed: bool,
    frames: u32,
    declared: u128,
    /// What came of it, for the UTF-8 check.
    bytes: Vec<u8>,
}

/// The code of the Close that answers a violation.
pub(crate) fn answer(rule: Rule) -> u16 {
    match rule {
        Rule::InvalidUtf8 | Rule::TruncatedUtf8 | Rule::InvalidReason | Rule::InvalidPayload => 1007,
        Rule::TooManyFragments | Rule::ControlRate | Rule::Policy => 1008,
        Rule::FrameTooLong | Rule::MessageTooLong => 1009,
        Rule::Unacceptable => 1003,
        Rule::InternalError => 1011,
        _ => 1002,
    }
}

/// The first byte of `text` that no text can have there, if there is one.
pub(crate) fn invalid_at(text: &[u8]) -> Option<usize> {
    let error = std::str::from_utf8(text).err()?;
    // Not where the bad character begins, but the byte that makes it bad: the shortest prefix that is beyond repair.
    let start = error.valid_up_to();
    (start..text.len())
        .find(|&i| std::str::from_utf8(&text[start..=i]).is_err_and(|error| error.error_len().is_some()))
}

/// The fault of a close code (§7.4): 1000 to 1014 and 3000 to 4999 are legal but for the reserved ones.
fn code_fault(code: u16) -> Option<Rule> {
    if [1004, 1005, 1006, 1015].contains(&code) {
        Some(Rule::ReservedCloseCode)
    } else if (1000..1015).contains(&code) || (3000..5000).contains(&code) {
        None
    } else {
        Some(Rule::UnassignedCloseCode)
    }
}

/// Reads a stream.
pub(crate) fn read(setup: &Setup, stream: &[u8]) -> Reading {
    let mut reading = Reading {
        seen: Vec::new(),
        replies: Vec::new(),
        end: End::BetweenMessages,
        taken: stream.len() as u64,
    };
    let end = walk(setup, stream, &mut reading);
    if let End::Failed(rule, offset) = end {
        reading.seen.push(Seen::Failed(rule, offset));
        reading.replies.push((8, answer(rule).to_be_bytes().to_vec()));
        reading.taken = offset;
    }
    reading.end = end;
    reading
}

fn walk(setup: &Setup, stream: &[u8], reading: &mut Reading) -> End {
    let mut open: Option<Open> = None;
    let mut start = 0; // of the frame

    while start < stream.len() {
        let fault = |rule, at: usize| End::Failed(rule, (start + at) as u64);
        let frame = &stream[start..];

        // The first byte: FIN, reserved bits, opcode.
        let (fin, rsv, opcode) = (frame[0] & 0x80 != 0, frame[0] & 0x70, frame[0] & 0x0f);
        let control = opcode >= 8;
        if !matches!(opcode, 0 | 1 | 2 | 8 | 9 | 10) {
            return fault(Rule::ReservedOpcode, 0);
        }
        if rsv & 0x30 & !setup.reserved != 0 {
            return fault(Rule::ReservedBit, 0);
        }
        if rsv & 0x40 != 0 {
            if setup.reserved & 0x40 == 0 {
                return fault(Rule::CompressionNotNegotiated, 0);
            }
            if control {
                return fault(Rule::CompressedControl, 0);
            }
            if opcode == 0 {
                return fault(Rule::CompressedContinuation, 0);
            }
        }
        if !control {
            if opcode == 0 && open.is_none() {
                return fault(Rule::UnexpectedContinuation, 0);
            }
            if opcode != 0 && open.is_some() {
                return fault(Rule::InterruptedMessage, 0);
            }
            if open.as_ref().map_or(0, |open| open.frames) >= setup.fragment_limit {
                return fault(Rule::TooManyFragments, 0);
            }
        } else if !fin {
            return fault(Rule::FragmentedControl, 0);
        }

        // The second byte: the mask bit and a length.
        let Some(&second) = frame.get(1) else { return End::InFrame };
        let masked = second & 0x80 != 0;
        if setup.server && !masked && !setup.lenient.unmasked_frames {
            return fault(Rule::UnmaskedFrame, 1);
        }
        if !setup.server && masked {
            return fault(Rule::MaskedFrame, 1);
        }
        if control && second & 0x7f > 125 {
            return fault(Rule::ControlTooLong, 1);
        }

        // The extended length, most significant byte first.
        let extended = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some(digits) = frame.get(2..2 + extended) else { return End::InFrame };
        let last = 1 + extended;
        let len = match extended {
            0 => u64::from(second & 0x7f),
            _ => digits.iter().fold(0_u64, |sum, &digit| sum << 8 | u64::from(digit)),
        };
        if extended == 8 && digits[0] & 0x80 != 0 {
            return fault(Rule::LengthTopBit, last);
        }
        if !setup.lenient.non_minimal_length {
            if extended == 2 && len < 126 {
                return fault(Rule::NonMinimalLength16, last);
            }
            if extended == 8 && len < 65536 {
                return fault(Rule::NonMinimalLength64, last);
            }
        }
        if opcode == 8 && len == 1 {
            return fault(Rule::CloseBodyTooShort, last);
        }
        if !control {
            if len > setup.frame_limit {
                return fault(Rule::FrameTooLong, last);
            }
            let before = open.as_ref().map_or(0, |open| open.declared);
            if before + u128::from(len) > u128::from(setup.message_limit) {
                return fault(Rule::MessageTooLong, last);
            }
        }

        // The masking key.
        let key_at = 2 + extended;
        let payload_at = key_at + if masked { 4 } else { 0 };
        if frame.len() < payload_at {
            return End::InFrame;
        }

        // The payload: octet i is unmasked with octet i MOD 4 of the key.
        let present = usize::try_from(len).unwrap_or(usize::MAX).min(frame.len() - payload_at);
        let mut payload = frame[payload_at..payload_at + present].to_vec();
        if masked {
            for (i, octet) in payload.iter_mut().enumerate() {
                *octet ^= frame[key_at + i % 4];
            }
        }
        let whole = present as u64 == len;

        match opcode {
            8 => {
                if payload.len() >= 2 {
                    let code = u16::from_be_bytes([payload[0], payload[1]]);
                    if let Some(rule) = code_fault(code) {
                        return fault(rule, payload_at + 1);
                    }
                    if let Some(at) = invalid_at(&payload[2..]) {
                        return fault(Rule::InvalidReason, payload_at + 2 + at);
                    }
                }
                if !whole {
                    return End::InFrame;
                }
                if payload.is_empty() {
                    reading.seen.push(Seen::Close(None));
                    reading.replies.push((8, Vec::new()));
                } else {
                    let Ok(reason) = String::from_utf8(payload[2..].to_vec()) else {
                        return fault(Rule::InvalidReason, payload_at + present - 1);
                    };
                    let code = u16::from_be_bytes([payload[0], payload[1]]);
                    reading.seen.push(Seen::Close(Some((code, reason))));
                    reading.replies.push((8, payload[..2].to_vec()));
                }
                reading.taken = (start + payload_at + present) as u64;
                return End::Closed;
            }
            9 | 10 if !whole => return End::InFrame,
            9 => {
                reading.seen.push(Seen::Ping(payload.clone()));
                reading.replies.push((10, payload));
            }
            10 => reading.seen.push(Seen::Pong(payload)),
            _ => {
                let message = open.get_or_insert(Open {
                    kind: if opcode == 1 { Kind::Text } else { Kind::Binary },
                    compressed: rsv & 0x40 != 0,
                    frames: 0,
                    declared: 0,
                    bytes: Vec::new(),
                });
                message.frames += 1;
                message.declared += u128::from(len);
                let before = message.bytes.len();
                message.bytes.extend(&payload);
                let mut rule = None;
                if message.kind == Kind::Text && !message.compressed {
                    if let Some(at) = invalid_at(&message.bytes) {
                        rule = Some((Rule::InvalidUtf8, payload_at + at - before));
                        payload.truncate(at - before);
                    } else if fin && whole && std::str::from_utf8(&message.bytes).is_err() {
                        rule = Some((Rule::TruncatedUtf8, payload_at + present - 1));
                        payload.pop();
                    }
                }
                // Nothing is told of a frame before its payload begins, unless it has none.
                if !payload.is_empty() || (len == 0 && rule.is_none()) {
                    reading.seen.push(Seen::Frame {
                        kind: message.kind,
                        first: opcode != 0,
                        fin,
                        compressed: message.compressed,
                        len,
                        payload,
                        whole: whole && rule.is_none(),
                    });
                }
                if let Some((rule, at)) = rule {
                    return fault(rule, at);
                }
                if !whole {
                    return End::InFrame;
                }
                if fin {
                    open = None;
                }
            }
        }
        start += payload_at + present;
    }
    if open.is_some() { End::BetweenFragments } else { End::BetweenMessages }
}

/// The bytes of a frame with its length in the shortest form, masked if there is a key.
pub(crate) fn frame(first: u8, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let mask = if key.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..126 => bytes.push(mask | len as u8),
        len @ 126..65536 => {
            bytes.push(mask | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(mask | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    let key = key.inspect(|key| bytes.extend(key)).unwrap_or_default();
    bytes.extend(payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]));
    bytes
}
