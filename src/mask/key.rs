//! The masking key, and its phase.

/// A masking key as it stands on the wire (RFC 6455 §5.3).
///
/// "The masking key needs to be unpredictable; thus, the masking key MUST be derived from a strong source of
/// entropy". The crate has no such source and takes none of its own: see [`MaskSource`](crate::MaskSource).
pub type MaskKey = [u8; 4];

/// The key as it stands `by` bytes further into the payload.
#[inline]
pub(crate) const fn advance(key: MaskKey, by: usize) -> MaskKey {
    let bits = ((by & 3) as u32) << 3;
    u32::from_le_bytes(key).rotate_right(bits).to_le_bytes()
}
