//! Masking (RFC 6455 §5.3): `transformed[i] = original[i] XOR key[i MOD 4]`, its own inverse.

/// A masking key as it stands on the wire (RFC 6455 §5.3).
///
/// "The masking key needs to be unpredictable; thus, the masking key MUST be derived from a strong source of
/// entropy". The crate has no such source and takes none of its own: see [`MaskSource`](crate::MaskSource).
pub type MaskKey = [u8; 4];

/// Vectors of this many bytes are what the compiler turns the loops below into.
const LANE: usize = 16;

/// Masks or unmasks `payload` in place. Its first byte meets the first byte of `key`.
///
/// Returns the key for the byte that follows, so that a payload in pieces keeps its phase (RFC 6455 §5.3: the index
/// runs over the payload, not over the piece; W16). Never panics.
///
/// ```
/// // The RFC's own example, §5.7: a masked "Hello".
/// let mut payload = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
/// let (head, tail) = payload.split_at_mut(3);
/// let key = websocket_proto::mask([0x37, 0xfa, 0x21, 0x3d], head);
/// websocket_proto::mask(key, tail);
/// assert_eq!(&payload, b"Hello");
/// ```
pub fn mask(key: MaskKey, payload: &mut [u8]) -> MaskKey {
    let next = advance(key, payload.len());
    // No loop over single bytes at any length: the last vector is loaded before the others are stored, and stored
    // over them. Its length divides by four, so its phase is that of the payload's end (W89).
    if let Some(tail) = payload.last_chunk::<LANE>() {
        let tail = xor(*tail, repeat(next));
        let lanes = repeat::<LANE>(key);
        for chunk in payload.as_chunks_mut::<LANE>().0 {
            *chunk = xor(*chunk, lanes);
        }
        if let Some(place) = payload.last_chunk_mut::<LANE>() {
            *place = tail;
        }
    } else if !overlapped::<8>(key, payload) && !overlapped::<4>(key, payload) {
        for (byte, key) in payload.iter_mut().zip(key) {
            *byte ^= key;
        }
    }
    next
}

/// The key as it stands `by` bytes further into the payload.
pub(crate) const fn advance(key: MaskKey, by: usize) -> MaskKey {
    let bits = ((by & 3) as u32) << 3;
    u32::from_le_bytes(key).rotate_right(bits).to_le_bytes()
}

/// Masks `N..=2 * N` bytes as two vectors that may overlap; false if there are fewer.
fn overlapped<const N: usize>(key: MaskKey, payload: &mut [u8]) -> bool {
    let (Some(head), Some(tail)) = (payload.first_chunk::<N>(), payload.last_chunk::<N>()) else {
        return false;
    };
    let head = xor(*head, repeat(key));
    // N divides by four: the tail's phase is the length's.
    let tail = xor(*tail, repeat(advance(key, payload.len())));
    if let Some(place) = payload.last_chunk_mut::<N>() {
        *place = tail;
    }
    if let Some(place) = payload.first_chunk_mut::<N>() {
        *place = head;
    }
    true
}

fn repeat<const N: usize>(key: MaskKey) -> [u8; N] {
    let mut lanes = [0; N];
    for chunk in lanes.as_chunks_mut::<4>().0 {
        *chunk = key;
    }
    lanes
}

fn xor<const N: usize>(bytes: [u8; N], lanes: [u8; N]) -> [u8; N] {
    let mut result = bytes;
    for (byte, lane) in result.iter_mut().zip(lanes) {
        *byte ^= lane;
    }
    result
}
