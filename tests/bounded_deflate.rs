//! The faults of compression that other implementations shipped, each a test by its name: what memory and what work a
//! peer's few bytes can make this side spend. And what a connection costs: `--nocapture` prints the table.
#![cfg(all(feature = "deflate", feature = "alloc"))]
#![allow(unsafe_code, reason = "a global allocator cannot be written without it")]

#[path = "deflate/bits.rs"]
#[allow(dead_code, reason = "a part is used")]
mod bits;
#[path = "bounded/counting.rs"]
mod counting;
#[path = "deflate/runner.rs"]
#[allow(dead_code, reason = "a part is used")]
mod runner;

use bits::bits;
use counting::{asked, held, peak};
use runner::{BINARY, FIN, binary, connection, frame, in_memory, sides};
use websocket_proto::{Assembler, Buffer, DeflateSide, Engine, Event, Inflate, Input, Rule, SliceOutput};

const KIB: usize = 1024;
/// An implementation's state and window, whichever it is.
const ENGINE: usize = 100 * KIB;

/// A thousand to one: copies of 258 bytes, two bits of code and five of distance each.
fn bomb(len: usize) -> Vec<u8> {
    let copies = (0..len / 258).fold(bits().fixed(false).literals(b"a"), |bits, _| bits.copy(258, 1));
    copies.end().message()
}

/// What a stream does to a memory: the lengths of its messages, or the rule.
fn assemble<E: Engine, B: Buffer>(
    inflate: &mut Inflate<E>,
    whole: &mut Assembler<B>,
    side: DeflateSide,
    stream: &mut [u8],
    step: usize,
) -> (usize, usize, Option<Rule>) {
    let mut conn = connection(side);
    let mut out = SliceOutput::new([0; 200]);
    let (mut messages, mut bytes) = (0, 0);
    for read in stream.chunks_mut(step) {
        let mut input = Input::new(read);
        while let Some(event) = conn.receive(&mut input, &mut out) {
            let Event::Data(data) = event else { panic!("{event:?}") };
            match whole.inflate(data, inflate) {
                Ok(None) => {}
                Ok(Some(message)) => {
                    messages += 1;
                    bytes += message.payload().len();
                }
                Err(rule) => return (messages, bytes, Some(rule)),
            }
        }
    }
    (messages, bytes, None)
}

/// CVE-2026-1526, CVE-2024-27983's kin: what comes out is a thousand times what came in.
#[test]
fn inflate_bomb() {
    const LIMIT: usize = 64 * KIB;
    let payload = bomb(8 * 1024 * KIB);
    let fragments =
        [frame(BINARY, b""), payload.chunks(1).flat_map(|byte| frame(0, byte)).collect(), frame(FIN, b"")]
            .concat();
    for stream in [binary(&payload), fragments] {
        for side in sides(true) {
            for step in [1, 1000, usize::MAX] {
                let mut stream = stream.clone();
                // W141: memory is bounded by the limit, though the message goes on.
                let held = peak(|| {
                    let mut inflate = Inflate::new(side, LIMIT as u64);
                    let mut whole = Assembler::new(Vec::new());
                    let end = assemble(&mut inflate, &mut whole, side, &mut stream, step);
                    assert_eq!(end, (0, 0, Some(Rule::MessageTooLong)));
                });
                assert!(held <= ENGINE + 4 * LIMIT, "{held} bytes, {side:?}");
                // In memory of the caller's: none at all.
                let mut inflate = in_memory(side, u64::MAX);
                let mut whole = Assembler::new([0; 1000]);
                let held = peak(|| {
                    let end = assemble(&mut inflate, &mut whole, side, &mut stream, step);
                    assert_eq!(end, (0, 0, Some(Rule::MessageTooLong)));
                });
                assert_eq!(held, 0);
            }
        }
    }
}

/// The same through a place of the caller's: output stops when the limit is reached, not when the input ends.
#[test]
fn inflate_bomb_in_pieces() {
    for side in sides(false) {
        let mut conn = connection(side);
        let mut inflate = in_memory(side, 10_000);
        let mut out = SliceOutput::new([0; 200]);
        let mut stream = binary(&bomb(2048 * KIB));
        let mut input = Input::new(&mut stream);
        let Some(Event::Data(data)) = conn.receive(&mut input, &mut out) else { panic!() };
        let mut piece = inflate.begin(data);
        let (mut place, mut made, mut failed) = ([0; 64], 0, None);
        while let Some(event) = inflate.next(&mut piece, &mut place, &mut conn, &mut out) {
            match event {
                Event::Data(data) => made += data.payload().len(),
                Event::Failed(error) => failed = Some(error.rule),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((made / 64, failed), (10_000 / 64, Some(Rule::MessageTooLong)));
    }
}

/// Each message is at the limit, and the next one reaches back into it: memory does not add up.
#[test]
fn repeated_bombs_under_takeover() {
    const LEN: usize = 258 * 500 + 1;
    let one = binary(&bomb(LEN));
    let mut stream = one.repeat(20);
    for side in sides(true) {
        let held = peak(|| {
            let mut inflate = Inflate::new(side, LEN as u64);
            let mut whole = Assembler::new(Vec::new());
            let end = assemble(&mut inflate, &mut whole, side, &mut stream, 5000);
            assert_eq!(end, (20, 20 * LEN, None));
        });
        assert!(held <= ENGINE + 4 * LEN, "{held} bytes, {side:?}");
    }
}

/// W142: the last bytes of a message make output that was held back: it is limited as well.
#[test]
fn a_bomb_in_what_is_flushed() {
    for side in sides(true) {
        for (limit, rule) in [(259, None), (258, Some(Rule::MessageTooLong)), (1, Some(Rule::MessageTooLong))]
        {
            let mut stream = binary(&bomb(258));
            let held = peak(|| {
                let mut inflate = Inflate::new(side, limit);
                let mut whole = Assembler::new(Vec::new());
                assert_eq!(assemble(&mut inflate, &mut whole, side, &mut stream, 1).2, rule);
            });
            assert!(held <= ENGINE + 4 * KIB, "{held} bytes");
        }
    }
}

/// Two bytes begin and end a stream of their own (W131): a frame of them must not cost a window each.
#[test]
fn final_blocks_without_end() {
    let payload = bits().block(true, b"").bytes();
    assert_eq!(payload, [3, 0]);
    for side in sides(true).into_iter().chain(sides(false)) {
        // A window full of history, then the blocks: in one message, and a message each.
        let history = binary(&bits().all_stored(&vec![b'h'; 40_000]).message());
        let mut once = [&history[..], &binary(&payload.repeat(20_000))].concat();
        let mut each = [history, binary(&payload).repeat(5_000)].concat();
        for stream in [&mut once, &mut each] {
            let mut inflate = Inflate::new(side, 50_000);
            let mut whole = Assembler::new(Vec::new());
            let asked = asked(|| {
                let end = assemble(&mut inflate, &mut whole, side, stream, usize::MAX);
                assert_eq!((end.1, end.2), (40_000, None));
            });
            assert!(asked <= 2 * ENGINE + 200_000, "{asked} bytes asked for, {side:?}");
        }
    }
}

/// Messages, fragments and blocks without a byte in them: nothing is allocated for any.
#[test]
fn empty_messages_without_end() {
    for side in sides(true).into_iter().chain(sides(false)) {
        let mut inflate = Inflate::new(side, 100);
        let mut whole = Assembler::new(Vec::new());
        let mut none = b"\xc2\x00".repeat(50_000);
        assert_eq!(
            asked(|| {
                assert_eq!(assemble(&mut inflate, &mut whole, side, &mut none, 4096), (50_000, 0, None));
            }) / (4 * KIB),
            0
        );
        let mut empty =
            [b"\xc2\x01\x00".repeat(5_000), b"\x42\x00\x00\x00\x80\x01\x00".repeat(5_000)].concat();
        let asked = asked(|| {
            let end = assemble(&mut inflate, &mut whole, side, &mut empty, 4096);
            assert_eq!(end, (10_000, 0, None));
        });
        assert!(asked <= ENGINE, "{asked} bytes asked for, {side:?}");
    }
}

/// A piece that is inflated byte by byte costs no more calls than bytes.
#[test]
fn dripping() {
    for side in sides(true) {
        let mut inflate = in_memory(side, u64::MAX);
        let mut whole = Assembler::new(vec![0; 200_000].into_boxed_slice());
        let mut stream = binary(&bomb(100_000));
        let mut conn = connection(side);
        let mut out = SliceOutput::new([0; 200]);
        let (mut calls, mut place) = (0, [0; 1]);
        let mut input = Input::new(&mut stream);
        let Some(Event::Data(data)) = conn.receive(&mut input, &mut out) else { panic!() };
        let mut piece = inflate.begin(data);
        while inflate.next(&mut piece, &mut place, &mut conn, &mut out).is_some() {
            calls += 1;
        }
        assert_eq!(calls, 100_000 / 258 * 258 + 1 + 1);
        let mut again = binary(&bomb(100_000));
        assert_eq!(assemble(&mut in_memory(side, 1 << 20), &mut whole, side, &mut again, 1).0, 1);
    }
}

/// What a connection costs beside the connection itself: bytes held, in each state of its life.
#[test]
fn memory_of_a_connection() {
    println!("inflating    takeover  value  before  after   released");
    for window_bits in 8..=15_u8 {
        for takeover in [false, true] {
            let side = DeflateSide { window_bits, takeover };
            let start = held();
            let mut inflate = Inflate::new(side, 1 << 20);
            let before = held() - start;
            let mut message = binary(&bits().all_stored(&vec![b'x'; 70_000]).message());
            let mut whole = Assembler::new(vec![0; 70_000].into_boxed_slice());
            let end = assemble(&mut inflate, &mut whole, side, &mut message, 4096);
            assert_eq!(end, (1, 70_000, None));
            drop((whole, message));
            let after = held() - start;
            inflate.release();
            let released = held() - start;
            assert_eq!(before, 0);
            let window = 1 << window_bits;
            let zlib = cfg!(feature = "zlib") && window_bits == 15;
            assert!(after <= if zlib { 2 * window + 16 * KIB } else { window + 12 * KIB }, "{after}");
            // What is said beforehand is the most, and not much more than that.
            let said = Inflate::memory(side);
            assert!(after <= said && said <= after + 2 * KIB, "{after} {said}");
            assert!(released <= if !takeover { 0 } else { window + if zlib { 0 } else { 12 * KIB } });
            let value = size_of_val(&inflate);
            drop(inflate);
            assert_eq!(held(), start);
            println!(
                "{window_bits:>2} bits      {takeover:<8} {value:>6} {before:>7} {after:>7} {released:>9}"
            );
        }
    }
}

/// What is kept between messages grows with what they were, not to the whole window at once.
#[cfg(feature = "zlib")]
#[test]
fn short_messages_take_a_short_history() {
    let side = DeflateSide { window_bits: 15, takeover: true };
    let mut inflate = Inflate::new(side, 1 << 20);
    let mut whole = Assembler::new([0; 100]);
    let mut messages = binary(&bits().block(false, b"ten bytes.").message()).repeat(30);
    let start = held();
    let end = assemble(&mut inflate, &mut whole, side, &mut messages, 4096);
    assert_eq!(end, (30, 300, None));
    inflate.release();
    let kept = held() - start;
    assert!((300..=600).contains(&kept), "{kept} bytes for 300");
}

#[cfg(feature = "zlib")]
#[test]
fn memory_of_a_compressor() {
    use websocket_proto::{Agreed, Config, Connection, Deflate, DeflateOptions, DeflateTerms, Kind, Server};
    println!("compressing  memory_level  value  before  after   released");
    for window_bits in 8..=15_u8 {
        for memory_level in [1, 8, 9] {
            let side = DeflateSide { window_bits, takeover: true };
            let options = DeflateOptions { memory_level, ..DeflateOptions::default() };
            let agreed = Agreed::default().with_deflate(DeflateTerms { server: side, client: side });
            let mut conn = Connection::new(Server, &Config::default(), agreed);
            let mut out = SliceOutput::new(vec![0; 200_000]);
            let payload = vec![b'x'; 100_000];
            let start = held();
            let mut deflate = Deflate::new(side, options);
            let before = held() - start;
            let mut message = deflate.begin(Kind::Binary, &payload).unwrap();
            assert_eq!(deflate.write(&mut message, &mut conn, &mut out), Ok(false));
            let after = held() - start;
            deflate.release();
            let released = held() - start;
            println!(
                "{window_bits:>2} bits      {memory_level:<12} {:>6} {before:>7} {after:>7} {released:>9}",
                size_of_val(&deflate)
            );
            assert_eq!((before, released), (0, 0));
            // What is said beforehand is the most, and not much more than that.
            let said = Deflate::memory(side, &options);
            assert!(after <= said && said <= after + 2 * KIB, "{after} {said}");
        }
    }
}

/// A policy for a budget keeps to it, and uses it.
#[cfg(feature = "zlib")]
#[test]
fn policies_within_a_budget() {
    use websocket_proto::{Deflate, DeflateOptions, DeflatePolicy};
    for bytes in (0..600 * KIB).step_by(KIB / 2) {
        let DeflatePolicy { own, peer } = DeflatePolicy::within(bytes);
        let compressing = if own.takeover { Deflate::memory(own, &DeflateOptions::default()) } else { 0 };
        let inflating = if peer.takeover { Inflate::memory(peer) } else { 0 };
        assert!(compressing + inflating <= bytes, "{bytes}");
        let smallest = DeflateSide { window_bits: 8, takeover: true };
        assert!(peer.takeover || Inflate::memory(smallest) > bytes, "{bytes}");
        let larger = DeflateSide { window_bits: (peer.window_bits + 1).min(15), takeover: true };
        let spare = own.takeover || larger == peer || Inflate::memory(larger) > bytes;
        assert!(
            spare || !peer.takeover && Inflate::memory(DeflateSide { takeover: true, ..peer }) > bytes,
            "{bytes}"
        );
    }
}
