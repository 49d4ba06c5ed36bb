//! The delay before a reconnection (W128): random first, exponential after, and bounded.

use core::time::Duration;
use proptest::prelude::*;
use websocket_proto::reconnect_delay;

const SECOND: Duration = Duration::from_secs(1);

/// What the documentation promises: the least and the most delay of an attempt.
fn bounds(attempt: u32) -> (Duration, Duration) {
    match attempt {
        0 => (Duration::ZERO, 5 * SECOND),
        1..=6 => (5 * SECOND * (1 << (attempt - 1)), 5 * SECOND * (1 << attempt)),
        _ => (160 * SECOND, 320 * SECOND),
    }
}

#[test]
fn the_ends_of_every_attempt() {
    // W128: RFC 6455 §7.2.3.
    for attempt in (0..70).chain([1000, u32::MAX - 1, u32::MAX]) {
        let (least, most) = bounds(attempt);
        assert_eq!(reconnect_delay(attempt, 0), least, "{attempt}");
        let longest = reconnect_delay(attempt, u32::MAX);
        assert!(longest < most && most - longest <= Duration::from_millis(1), "{attempt}: {longest:?}");
    }
}

proptest! {
    #[test]
    fn within_the_bounds(attempt: u32, random: u32) {
        let (least, most) = bounds(attempt);
        let delay = reconnect_delay(attempt, random);
        prop_assert!(least <= delay && delay < most);
        // A pure function.
        prop_assert_eq!(reconnect_delay(attempt, random), delay);
    }

    // All of the range is used evenly: half of the random numbers gives half of the delay.
    #[test]
    fn grows_with_the_random_number(attempt in 0_u32..9, one: u32, two: u32) {
        let (low, high) = (one.min(two), one.max(two));
        prop_assert!(reconnect_delay(attempt, low) <= reconnect_delay(attempt, high));
        let (least, most) = bounds(attempt);
        let expected = least + (most - least).mul_f64(f64::from(one) / 4_294_967_296.0);
        let delay = reconnect_delay(attempt, one);
        prop_assert!(delay.abs_diff(expected) <= Duration::from_millis(1));
    }

    // "increasingly longer amounts of time"
    #[test]
    fn grows_with_the_attempt(attempt in 0_u32..1000, random: u32, other: u32) {
        prop_assert!(reconnect_delay(attempt, random) <= reconnect_delay(attempt + 1, random));
        if attempt < 6 {
            prop_assert!(reconnect_delay(attempt, random) < bounds(attempt + 1).0.max(Duration::from_secs(5)));
            prop_assert!(reconnect_delay(attempt + 1, other) >= bounds(attempt).1.min(bounds(attempt + 1).0));
        }
    }
}
