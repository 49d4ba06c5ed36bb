//! What a user may set: limits, each with a safe default, and leniency, one flag a rule, all off.

/// Limits and leniency of a connection and of the opening handshake before it.
///
/// None of the limits costs memory: a frame larger than any buffer is delivered in chunks, and nothing is reserved
/// by a declared length (RFC 6455 §10.4). `u64::MAX` and `u32::MAX` mean unlimited.
///
/// ```
/// use websocket_proto::Config;
///
/// let config = Config { message_limit: 64 * 1024, ..Config::default() };
/// assert_eq!(config.frame_limit, 16 * 1024 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The longest payload of one data frame, in bytes. Default: 16 MiB.
    pub frame_limit: u64,
    /// The longest message, in bytes over all its fragments as they are on the wire. Default: 64 MiB.
    pub message_limit: u64,
    /// The most fragments of one message, the first and empty ones included. Default: 131,072, so that a message of
    /// 4 MiB in fragments of 64 bytes passes.
    pub fragment_limit: u32,
    /// What is forgiven. Default: nothing.
    pub lenient: Lenient,
    /// Limits of the head of a request or response.
    pub head: HeadLimits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            frame_limit: 16 << 20,
            message_limit: 64 << 20,
            fragment_limit: 1 << 17,
            lenient: Lenient::default(),
            head: HeadLimits::default(),
        }
    }
}

/// Faults that may be forgiven, one flag a rule. All are off by default, and should stay so wherever the peer can
/// be mended instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lenient {
    /// Lengths that are not written in the shortest form are taken
    /// ([`NonMinimalLength16`](crate::Rule::NonMinimalLength16), [`NonMinimalLength64`](crate::Rule::NonMinimalLength64)).
    pub non_minimal_length: bool,
    /// A server takes frames without a mask ([`UnmaskedFrame`](crate::Rule::UnmaskedFrame)).
    pub unmasked_frames: bool,
}

/// Limits of a request's or response's head (RFC 6585 §5, RFC 9112 §3).
///
/// The memory handed to the handshake limits the head as well, whichever is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// The longest head, in bytes, its empty last line included. Default: 16 KiB.
    pub bytes: u32,
    /// The most field lines. Default: 128.
    pub lines: u16,
    /// The longest line, in bytes without its CR LF, the first line included. Default: 8 KiB.
    pub line: u32,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { bytes: 16 << 10, lines: 128, line: 8 << 10 }
    }
}
