//! What the clock times and valgrind counts: the same rounds for both.

/// A round that can be done again and again, and is the same each time.
pub(crate) struct Work {
    pub(crate) group: &'static str,
    pub(crate) name: String,
    /// In a round.
    pub(crate) messages: usize,
    /// Of payload, in a round.
    #[allow(dead_code, reason = "valgrind's counts are of messages alone")]
    pub(crate) bytes: usize,
    pub(crate) round: Box<dyn FnMut()>,
}

/// How often a round does what is done with `len` bytes: small work again and again, so that the call of the round
/// is lost in it.
#[allow(dead_code, reason = "reading has messages of its own")]
pub(crate) fn times(len: usize) -> usize {
    ((16 << 10) / len).clamp(1, 64)
}

/// A size as it is said.
#[allow(dead_code, reason = "reading has names of its own")]
pub(crate) fn size(len: usize) -> String {
    match len {
        0..1024 => format!("{len} B"),
        1024..0x10_0000 => format!("{} KiB", len >> 10),
        _ => format!("{} MiB", len >> 20),
    }
}
