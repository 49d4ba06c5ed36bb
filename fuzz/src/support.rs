//! Taking an input apart, and feeding a machine while watching that it moves.

use arbitrary::Unstructured;
use websocket_proto::{Event, Input, Lenient};

use crate::common::oracle::Setup;

pub(crate) fn byte(u: &mut Unstructured<'_>) -> u8 {
    u.arbitrary().unwrap_or(0)
}

pub(crate) fn short(u: &mut Unstructured<'_>) -> usize {
    usize::from(u.arbitrary::<u16>().unwrap_or(0))
}

/// The next `n` bytes, or what is left of them.
pub(crate) fn piece<'a>(u: &mut Unstructured<'a>, n: usize) -> &'a [u8] {
    u.bytes(n.min(u.len())).unwrap_or_default()
}

/// A setup from one byte: leniency, reserved bits, and whether limits follow in four more.
pub(crate) fn setup(u: &mut Unstructured<'_>, server: bool) -> Setup {
    let flags = byte(u);
    let strict = Setup {
        reserved: flags & 0x70,
        lenient: Lenient { non_minimal_length: flags & 1 != 0, unmasked_frames: flags & 2 != 0 },
        ..Setup::strict(server)
    };
    match flags & 0x0c {
        4 => Setup {
            frame_limit: u64::from(byte(u)),
            message_limit: short(u) as u64,
            fragment_limit: u32::from(byte(u)),
            ..strict
        },
        8 => Setup { frame_limit: u64::MAX, message_limit: u64::MAX, fragment_limit: u32::MAX, ..strict },
        _ => strict,
    }
}

/// Offsets to cut a stream of `len` bytes at, ascending.
pub(crate) fn cuts(seed: &[usize], len: usize) -> Vec<usize> {
    let mut cuts: Vec<usize> = seed.iter().map(|cut| cut % (len + 1)).collect();
    cuts.sort_unstable();
    cuts
}

/// Up to seven numbers for [`cuts`].
pub(crate) fn seed(u: &mut Unstructured<'_>) -> Vec<usize> {
    (0..byte(u) % 8).map(|_| short(u)).collect()
}

/// Takes all events out of `piece`, and holds the machine to progress: every event takes a byte, but for a fault's,
/// which may come behind the bytes before it. What `receive` leaves untaken is given back.
pub(crate) fn drain(
    piece: &[u8],
    mut receive: impl for<'b> FnMut(&mut Input<'b>) -> Option<Event<'b>>,
    mut note: impl FnMut(&Event<'_>),
) -> usize {
    let mut bytes = piece.to_vec();
    let mut input = Input::new(&mut bytes);
    loop {
        let before = input.len();
        let Some(event) = receive(&mut input) else { return input.len() };
        let still = input.len() == before;
        assert!(!still || matches!(event, Event::Failed(_) | Event::Requested | Event::Opened), "{event:?}");
        note(&event);
    }
}
