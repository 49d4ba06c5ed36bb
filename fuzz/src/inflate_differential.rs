//! Compressed messages, against zlib as `flate2` has it: the same bytes, or both refuse. Where they disagree the rule
//! stands in this file.

use arbitrary::Unstructured;
use flate2::{Decompress, FlushDecompress, Status};
use websocket_proto::{
    Agreed, Assembler, Client, Config, Connection, DeflateSide, DeflateTerms, Event, Inflate, Input, Rule,
};

use crate::{
    common::{keys::Keys, oracle},
    inflate::message,
    rfc1951::{self, Fault},
    support::byte,
};

const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

pub fn differential(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let flags = byte(&mut u);
    let side = DeflateSide { window_bits: 15, takeover: flags & 1 == 0 };
    let agreed = Agreed::default().with_deflate(DeflateTerms { server: side, ..DeflateTerms::default() });
    let mut conn = Connection::new(Client(Keys::default()), &Config::default(), agreed);
    let mut heap = Inflate::new(side, u64::MAX);
    let mut window = Inflate::in_memory(side, u64::MAX, vec![0xa5; 1 << 15]).expect("it is large enough");
    let mut history = Vec::new();
    for _ in 0..1 + (flags >> 5) {
        let payload = message(&mut u, side).payload;
        // What DEFLATE refuses is to be seen, and not what UTF-8 does.
        let mut frame = oracle::frame(0xc2, &payload, None);
        let mut input = Input::new(&mut frame);
        let Some(Event::Data(data)) = conn.receive(&mut input, &mut Vec::new()) else { panic!("a frame") };
        let mut whole = Assembler::new(Vec::new());
        let ours = whole.inflate(data, &mut heap).map(|message| message.expect("it is whole").into_payload());

        let mut frame = oracle::frame(0xc2, &payload, None);
        let mut again = Connection::new(Client(Keys::default()), &Config::default(), agreed);
        let mut input = Input::new(&mut frame);
        let Some(Event::Data(data)) = again.receive(&mut input, &mut Vec::new()) else { panic!("a frame") };
        let mut whole = Assembler::new(Vec::new());
        let other =
            whole.inflate(data, &mut window).map(|message| message.expect("it is whole").into_payload());
        assert_eq!(ours, other, "zlib-rs and miniz_oxide");

        let theirs = zlib(&history, &payload);
        match (&ours, &theirs) {
            (Ok(ours), Some(theirs)) => assert_eq!(ours, theirs),
            (Err(rule), None) => assert_eq!(*rule, Rule::CorruptCompression),
            (Err(rule), Some(theirs)) => {
                // W132: zlib waits for more of what is cut off, and takes what is cut off between two blocks for whole.
                // That a code has no symbol at all it finds when one is missing.
                let reading = rfc1951::read(&history, 1 << 15, &payload, usize::MAX);
                assert_eq!(*rule, Rule::CorruptCompression);
                assert!(matches!(reading.fault, Some(Fault::CutOff | Fault::Incomplete)), "{reading:?}");
                assert!(theirs.starts_with(&reading.made));
            }
            (Ok(_), None) => panic!("zlib refuses {payload:02x?}"),
        }
        let Ok(made) = ours else { return };
        if side.takeover {
            history.extend_from_slice(made);
        }
    }
}

/// What zlib makes of a message with the tail behind it: `None` if it refuses.
fn zlib(history: &[u8], payload: &[u8]) -> Option<Vec<u8>> {
    let mut made = Vec::new();
    // W130: a message without a byte is empty, and the tail would be half a block.
    if payload.is_empty() {
        return Some(made);
    }
    let bytes = [payload, &TAIL].concat();
    let mut rest = &bytes[..];
    loop {
        let mut zlib = Decompress::new(false);
        let known = [history, &made].concat();
        zlib.set_dictionary(&known[known.len().saturating_sub(1 << 15)..])
            .expect("a stream without a header");
        loop {
            let mut place = [0; 4096];
            let (taken, before) = (zlib.total_in(), zlib.total_out());
            let status = zlib.decompress(rest, &mut place, FlushDecompress::Sync).ok()?;
            rest = &rest[(zlib.total_in() - taken) as usize..];
            made.extend_from_slice(&place[..(zlib.total_out() - before) as usize]);
            match status {
                // W131: zlib stops at a final block. Behind it the tail or another block is to come.
                Status::StreamEnd if rest.is_empty() || rest == TAIL => return Some(made),
                Status::StreamEnd => break,
                _ if rest.is_empty() && zlib.total_out() - before < place.len() as u64 => return Some(made),
                _ => {}
            }
        }
    }
}
