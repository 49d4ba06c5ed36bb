//! A connection as bytes: saved in one process, restored in another, in the middle of a frame if need be.
//!
//! Plain fields in a fixed order and byte order. What a saved state does not hold: the driver's unread input and
//! unwritten output, and the source of masking keys.

use core::{error::Error, fmt};

use super::{
    Connection, Reader,
    flags::Flags,
    reader::Stage,
    writer::{Slot, Waiting, Writer},
};
use crate::{
    bytes::copy,
    close::CloseFrame,
    config::{Config, Lenient},
    frame::decode::{End, Place},
    mask::MaskKey,
    message::{Message, Open},
    negotiate::agreed::Agreed,
    opcode::{Control, Opcode},
    role::{Role, Side},
    rule::Rule,
    state::State,
    utf8::Utf8,
};

/// The most bytes that a saved connection takes.
pub const SAVED: usize = 352;

/// Raised whenever the layout or the catalogue of rules changes.
const VERSION: u8 = 3;

/// Why saved bytes are not restored. Nothing is guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RestoreError {
    /// Another version of the crate saved them.
    Version,
    /// A server's state for a client, or the other way round.
    Role,
    /// There are fewer or more bytes than a state has.
    Length,
    /// A field has a value that no connection has.
    Value,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "another version saved this state",
            Self::Role => "the state is of the other role",
            Self::Length => "the state is cut off or has bytes behind it",
            Self::Value => "the state has a field that no connection has",
        })
    }
}

impl Error for RestoreError {}

impl<R: Role> Connection<R> {
    /// Saves the state to the front of `to`, and says how many bytes it took.
    ///
    /// Hand over with it: what is left of the `Input`, and what the output holds.
    pub fn save(&self, to: &mut [u8; SAVED]) -> usize {
        let mut pen = Pen { rest: to, written: 0 };
        pen.put(&[VERSION, u8::from(<R::Side as Side>::SERVER)]);
        save_reader(&self.reader, &mut pen);
        save_writer(&self.writer, &mut pen);
        pen.written
    }

    /// The connection that was saved, with its role anew: a client draws its keys from a source of this process.
    ///
    /// # Errors
    /// [`RestoreError`], if `from` is not what [`save`](Self::save) wrote.
    pub fn restore(role: R, from: &[u8]) -> Result<Self, RestoreError> {
        let mut bytes = Bytes { rest: from };
        if bytes.u8()? != VERSION {
            return Err(RestoreError::Version);
        }
        if bytes.bool()? != <R::Side as Side>::SERVER {
            return Err(RestoreError::Role);
        }
        let reader = restore_reader(&mut bytes)?;
        let writer = restore_writer(role, reader.terms.agreed, &mut bytes)?;
        if bytes.rest.is_empty() { Ok(Self { reader, writer }) } else { Err(RestoreError::Length) }
    }
}

fn save_reader<S>(reader: &Reader<S>, pen: &mut Pen<'_>) {
    let terms = &reader.terms;
    pen.u64(terms.frame_limit);
    pen.u64(terms.message_limit);
    pen.put(&terms.fragment_limit.to_be_bytes());
    pen.put(&[u8::from(terms.lenient().non_minimal_length), u8::from(terms.lenient().unmasked_frames)]);
    pen.put(&terms.agreed.to_bytes());

    let decoder = &reader.decoder;
    pen.u64(decoder.offset);
    pen.u64(decoder.remaining);
    // Between frames nothing is left of the last one.
    let (len, key) = match decoder.place {
        Place::Header => (0, [0; 4]),
        Place::Payload { .. } => (decoder.len, decoder.key),
    };
    pen.u64(len);
    pen.put(&key);
    pen.control(&decoder.stash);
    pen.put(&match decoder.place {
        Place::Header => [0xff, 0],
        Place::Payload { opcode, bits } => [opcode as u8, bits],
    });
    pen.put(&decoder.controls.to_be_bytes());
    pen.put(&[u8::from(decoder.active)]);
    pen.put(&[match decoder.end {
        None => 0,
        Some(End::BetweenFrames) => 1,
        Some(End::InFrame) => 2,
    }]);

    pen.u64(reader.message.len);
    pen.put(&reader.message.fragments.to_be_bytes());
    pen.open(reader.message.open);
    pen.put(&[u8::from(reader.message.compressed)]);

    pen.put(&match reader.stage {
        Stage::Frames => [0, 0],
        Stage::Closed => [1, 0],
        Stage::Failing(rule) => [2, rule.number()],
        Stage::Failed(rule) => [3, rule.number()],
    });
    pen.put(&reader.received.to_be_bytes());
    pen.put(&reader.pong.to_be_bytes());
}

fn restore_reader<S: Side>(bytes: &mut Bytes<'_>) -> Result<Reader<S>, RestoreError> {
    let config = Config {
        frame_limit: bytes.u64()?,
        message_limit: bytes.u64()?,
        fragment_limit: bytes.u32()?,
        lenient: Lenient { non_minimal_length: bytes.bool()?, unmasked_frames: bytes.bool()? },
        ..Config::default()
    };
    let agreed = Agreed::from_bytes(bytes.array()?).ok_or(RestoreError::Value)?;
    let mut reader = Reader::new(&config, agreed);

    let decoder = &mut reader.decoder;
    decoder.offset = bytes.u64()?;
    check(decoder.offset >> 63 == 0)?;
    decoder.remaining = bytes.u64()?;
    decoder.len = bytes.u64()?;
    decoder.key = bytes.key()?;
    decoder.stash = bytes.control()?;
    check(decoder.stash.len() as u64 <= decoder.offset)?;
    decoder.place = match (bytes.u8()?, bytes.u8()?) {
        (0xff, 0) => Place::Header,
        (opcode @ ..=15, bits) if bits & 0x0f == 0 => {
            Place::Payload { opcode: Opcode::from_bits(opcode).ok_or(RestoreError::Value)?, bits }
        }
        _ => return Err(RestoreError::Value),
    };
    check(decoder.remaining <= decoder.len && decoder.len >> 63 == 0)?;
    check(decoder.place != Place::Header || (decoder.len == 0 && decoder.key == [0; 4]))?;
    decoder.controls = bytes.u16()?;
    decoder.active = bytes.bool()?;
    decoder.end = match bytes.u8()? {
        0 => None,
        1 => Some(End::BetweenFrames),
        2 => Some(End::InFrame),
        _ => return Err(RestoreError::Value),
    };

    reader.message.len = bytes.u64()?;
    reader.message.fragments = bytes.u32()?;
    reader.message.open = bytes.open()?;
    reader.message.compressed = bytes.bool()?;
    check(reader.message.open != Open::None || reader.message == Message::default())?;

    let stage = bytes.u8()?;
    let number = bytes.u8()?;
    let rule = Rule::from_number(number).ok_or(RestoreError::Value)?;
    check(stage > 1 || number == 0)?;
    reader.stage = match stage {
        0 => Stage::Frames,
        1 => Stage::Closed,
        2 => Stage::Failing(rule),
        3 => Stage::Failed(rule),
        _ => return Err(RestoreError::Value),
    };
    reader.received = bytes.u16()?;
    reader.pong = bytes.u32()?;
    Ok(reader)
}

fn save_writer<R>(writer: &Writer<R>, pen: &mut Pen<'_>) {
    pen.u64(writer.owed);
    pen.put(&writer.key);
    pen.put(&writer.sent.to_be_bytes());
    pen.put(&[match writer.slot.kind {
        Waiting::Nothing => 0,
        Waiting::Pong => 1,
        Waiting::Close => 2,
    }]);
    pen.control(&writer.slot.payload);
    pen.put(&[writer.state.number()]);
    pen.open(writer.open);
    pen.put(&[writer.flags.0]);
}

fn restore_writer<R: Role>(
    role: R,
    agreed: Agreed,
    bytes: &mut Bytes<'_>,
) -> Result<Writer<R>, RestoreError> {
    let mut writer = Writer::new(role, agreed);
    writer.owed = bytes.u64()?;
    check(writer.owed >> 63 == 0)?;
    writer.key = bytes.key()?;
    writer.sent = bytes.u16()?;
    let kind = match bytes.u8()? {
        0 => Waiting::Nothing,
        1 => Waiting::Pong,
        2 => Waiting::Close,
        _ => return Err(RestoreError::Value),
    };
    let payload = bytes.control()?;
    // What waits goes on the wire as it is.
    check(match kind {
        Waiting::Nothing => payload.is_empty(),
        Waiting::Pong => true,
        Waiting::Close => CloseFrame::check_len(payload.len() as u64)
            .and(CloseFrame::check(&payload, true).map_err(|(rule, _)| rule))
            .is_ok(),
    })?;
    writer.slot = Slot { kind, payload };
    writer.state = State::from_number(bytes.u8()?).ok_or(RestoreError::Value)?;
    writer.open = bytes.open()?;
    writer.flags = Flags(bytes.u8()?);
    check(writer.flags.fit(agreed))?;
    Ok(writer)
}

fn check(sound: bool) -> Result<(), RestoreError> {
    if sound { Ok(()) } else { Err(RestoreError::Value) }
}

/// Writes fields one behind the other. [`SAVED`] is more than they all take, as a test shows.
struct Pen<'a> {
    rest: &'a mut [u8],
    written: usize,
}

impl Pen<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let rest = core::mem::take(&mut self.rest);
        let Some((place, rest)) = rest.split_at_mut_checked(bytes.len()) else { return };
        copy(place, bytes);
        self.rest = rest;
        self.written = self.written.saturating_add(bytes.len());
    }

    fn u64(&mut self, value: u64) {
        self.put(&value.to_be_bytes());
    }

    fn control(&mut self, payload: &Control) {
        self.put(&[payload.len() as u8]);
        self.put(payload);
    }

    fn open(&mut self, open: Open) {
        self.put(&[match open {
            Open::None => 0xff,
            Open::Binary => 0xfe,
            Open::Text(utf8) => utf8.number(),
        }]);
    }
}

/// Reads them back.
struct Bytes<'a> {
    rest: &'a [u8],
}

impl Bytes<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], RestoreError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(RestoreError::Length)?;
        self.rest = rest;
        Ok(*array)
    }

    fn u8(&mut self) -> Result<u8, RestoreError> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Result<u16, RestoreError> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, RestoreError> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, RestoreError> {
        self.array().map(u64::from_be_bytes)
    }

    fn key(&mut self) -> Result<MaskKey, RestoreError> {
        self.array()
    }

    fn bool(&mut self) -> Result<bool, RestoreError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(RestoreError::Value),
        }
    }

    fn control(&mut self) -> Result<Control, RestoreError> {
        let len = usize::from(self.u8()?);
        let (payload, rest) = self.rest.split_at_checked(len).ok_or(RestoreError::Length)?;
        self.rest = rest;
        Control::new(payload).ok_or(RestoreError::Value)
    }

    fn open(&mut self) -> Result<Open, RestoreError> {
        match self.u8()? {
            0xff => Ok(Open::None),
            0xfe => Ok(Open::Binary),
            state => Utf8::from_number(state).map(Open::Text).ok_or(RestoreError::Value),
        }
    }
}
