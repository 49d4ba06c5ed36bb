//! What the fuzz targets of compression have found, one test a finding.
#![cfg(feature = "zlib")]

use websocket_proto::{
    Agreed, Assembler, Client, Config, Connection, DeflateSide, DeflateTerms, Engine, Event, Inflate, Input,
    Rule,
};

type Key = fn() -> [u8; 4];

fn connection() -> Connection<Client<Key>> {
    let agreed = Agreed::default().with_deflate(DeflateTerms::default());
    Connection::new(Client((|| [1, 2, 3, 4]) as Key), &Config::default(), agreed)
}

/// The bytes of all messages, and the fault behind them, through a place of this size.
fn pieces<E: Engine>(mut inflate: Inflate<E>, frames: &[u8], place: usize) -> (Vec<u8>, Option<Rule>) {
    let mut conn = connection();
    let mut out = Vec::new();
    let mut made = Vec::new();
    let mut place = vec![0; place];
    let mut read = frames.to_vec();
    let mut input = Input::new(&mut read);
    while let Some(Event::Data(data)) = conn.receive(&mut input, &mut out) {
        let mut piece = inflate.begin(data);
        while let Some(event) = inflate.next(&mut piece, &mut place, &mut conn, &mut out) {
            match event {
                Event::Data(data) => made.extend_from_slice(data.payload()),
                Event::Failed(error) => return (made, Some(error.rule)),
                _ => {}
            }
        }
    }
    (made, None)
}

fn heap(limit: u64) -> Inflate<websocket_proto::Heap> {
    Inflate::new(DeflateSide::FULL, limit)
}

fn memory(limit: u64) -> Inflate<websocket_proto::Window<Vec<u8>>> {
    Inflate::in_memory(DeflateSide::FULL, limit, vec![0xa5; 1 << 15]).unwrap()
}

/// `inflate`: a message whose empty block, which the tail completes, is final was read by one engine and refused by the
/// other. RFC 7692 §7.2.1: "An endpoint MAY use both DEFLATE blocks with the "BFINAL" bit set to 0 and DEFLATE blocks with
/// the "BFINAL" bit set to 1" (W131).
#[test]
fn the_block_that_the_tail_completes_may_be_final() {
    // "Hello", an empty block, and a final one; and a message that uses its window.
    let frames =
        *b"\xc1\x0c\xf2\x48\xcd\xc9\xc9\x07\0\0\0\xff\xff\x01\xc1\x05\xf2\x00\x11\x00\x00\xc1\x01\x01";
    for place in [1, 5, 6, 100] {
        assert_eq!(pieces(heap(100), &frames, place), (b"HelloHello".to_vec(), None), "{place}");
        assert_eq!(pieces(memory(100), &frames, place), (b"HelloHello".to_vec(), None), "{place}");
    }
}

/// `inflate`: of several faults in a message the place, the cuts and the engine decided which one was told, and how much of
/// what came before it was delivered.
#[test]
fn the_first_fault_is_told_and_what_comes_before_it_is_delivered() {
    // Stored blocks: text that is none, and what is no block behind it; a sound text in place of that.
    let both = *b"\xc1\x0a\x00\x04\x00\xfb\xffabc\xff\xff";
    let corrupt = *b"\xc1\x0a\x00\x04\x00\xfb\xffabcd\xff";
    for place in [1, 3, 4, 100] {
        for (frames, limit, made, rule) in [
            (&both[..], 100, "abc", Rule::InvalidUtf8),
            (&both, 4, "abc", Rule::InvalidUtf8),
            (&both, 3, "abc", Rule::MessageTooLong),
            (&corrupt, 100, "abcd", Rule::CorruptCompression),
            (&corrupt, 4, "abcd", Rule::CorruptCompression),
            (&corrupt, 3, "abc", Rule::MessageTooLong),
        ] {
            let expected = (made.as_bytes().to_vec(), Some(rule));
            assert_eq!(pieces(heap(limit), frames, place), expected, "{place} {limit}");
            assert_eq!(pieces(memory(limit), frames, place), expected, "{place} {limit}");
            let mut read = frames.to_vec();
            let mut conn = connection();
            let mut input = Input::new(&mut read);
            let Some(Event::Data(data)) = conn.receive(&mut input, &mut Vec::new()) else {
                panic!("a frame")
            };
            let whole = Assembler::new(Vec::new()).inflate(data, &mut heap(limit)).map(|_| ());
            assert_eq!(whole, Err(rule), "{place} {limit}");
        }
    }
}
