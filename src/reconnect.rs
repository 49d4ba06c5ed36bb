//! How long to wait before connecting again (RFC 6455 §7.2.3, W128).

use core::time::Duration;

/// The delay before the reconnection number `attempt` (0 is the first) after an abnormal closure.
///
/// "Should the first reconnect attempt be delayed by a random amount of time. [...] a value chosen randomly between
/// 0 and 5 seconds is a reasonable initial delay"; "subsequent reconnect attempts SHOULD be delayed by increasingly
/// longer amounts of time, using a method such as truncated binary exponential backoff". From the second on the delay
/// is between half and the whole of 10 s, 20 s, 40 s … 320 s, so that clients that were cut off together do not come
/// back together. `random` is 32 fresh random bits.
///
/// ```
/// use core::time::Duration;
/// use websocket_proto::reconnect_delay;
///
/// assert_eq!(reconnect_delay(0, 0), Duration::ZERO);
/// assert!(reconnect_delay(0, u32::MAX) < Duration::from_secs(5));
/// assert_eq!(reconnect_delay(1, 0), Duration::from_secs(5));
/// assert_eq!(reconnect_delay(1000, 0), Duration::from_secs(160));
/// ```
pub fn reconnect_delay(attempt: u32, random: u32) -> Duration {
    const FIRST: u64 = 5000;
    const MOST_DOUBLINGS: u32 = 6;
    let whole = FIRST << attempt.min(MOST_DOUBLINGS);
    let (least, spread) = if attempt == 0 { (0, whole) } else { (whole / 2, whole / 2) };
    // spread * random / 2^32, in milliseconds: below 2^19 * 2^32.
    let jitter = spread.saturating_mul(u64::from(random)) >> 32;
    Duration::from_millis(least.saturating_add(jitter))
}
