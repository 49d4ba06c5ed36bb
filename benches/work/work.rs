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
