//! Opcodes (RFC 6455 §5.2, §11.8), the two kinds of message, and a control frame's payload.

use core::{fmt, ops::Deref};

/// What a frame is. A reserved opcode is a fault and not a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Opcode {
    /// A fragment of the message under way.
    Continuation = 0,
    /// A text message, or its first fragment.
    Text = 1,
    /// A binary message, or its first fragment.
    Binary = 2,
    /// The closing handshake.
    Close = 8,
    /// "Are you there?"
    Ping = 9,
    /// "I am."
    Pong = 10,
}

impl Opcode {
    /// The opcode in the low four bits of a frame's first byte; `None` if it is reserved.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits & 0x0f {
            0 => Some(Self::Continuation),
            1 => Some(Self::Text),
            2 => Some(Self::Binary),
            8 => Some(Self::Close),
            9 => Some(Self::Ping),
            10 => Some(Self::Pong),
            _ => None,
        }
    }

    /// "Control frames are identified by opcodes where the most significant bit of the opcode is 1" (RFC 6455 §5.5).
    pub const fn is_control(self) -> bool {
        self as u8 & 8 != 0
    }
}

/// What a message is, as its first fragment says (RFC 6455 §5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Kind {
    /// UTF-8, checked while it arrives.
    Text,
    /// Any bytes.
    Binary,
}

impl Kind {
    /// The opcode of the message's first frame.
    pub(crate) const fn opcode(self) -> Opcode {
        match self {
            Self::Text => Opcode::Text,
            Self::Binary => Opcode::Binary,
        }
    }
}

/// The payload of a ping or pong: at most 125 bytes (RFC 6455 §5.5), owned, so that it outlives the read it came in.
///
/// ```
/// use websocket_proto::Control;
///
/// let payload = Control::new(b"are you there?").unwrap();
/// assert_eq!(&*payload, b"are you there?");
/// assert!(Control::new(&[0; 126]).is_none());
/// ```
#[derive(Clone)]
pub struct Control {
    /// At most [`MAX`](Self::MAX).
    len: u8,
    bytes: [u8; Control::MAX],
}

impl Control {
    /// The longest payload of a control frame, in bytes.
    pub const MAX: usize = 125;

    /// A payload of these bytes; `None` if they are more than [`MAX`](Self::MAX).
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut payload = Self::default();
        (payload.append(bytes) == bytes.len()).then_some(payload)
    }

    /// Adds as many of `bytes` as there is room for, and says how many.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> usize {
        let Some(room) = self.bytes.get_mut(usize::from(self.len)..) else { return 0 };
        let n = room.len().min(bytes.len());
        for (place, byte) in room.iter_mut().zip(bytes) {
            *place = *byte;
        }
        self.len = self.len.saturating_add(n as u8);
        n
    }

    /// Whether there are no bytes, asked of the length alone.
    pub(crate) const fn is_blank(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }
}

impl Default for Control {
    fn default() -> Self {
        Self { len: 0, bytes: [0; Self::MAX] }
    }
}

impl PartialEq for Control {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Control {}

impl Deref for Control {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Control {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escape_ascii())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Control {
    /// Its length alone: the bytes are the application's.
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Control({=u8} bytes)", self.len);
    }
}
