//! A client and a server that do anything in any order, joined by streams that may break anywhere.

use arbitrary::Unstructured;
use websocket_proto::{Kind, MIN_OUTPUT, Rule};

use crate::{
    common::{
        pair::{Act, Manner, Pair, Planned, Side},
        verify::check_side,
    },
    support::{byte, piece, short},
};

pub fn pair(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let flags = byte(&mut u);
    let sizes = [short(&mut u), short(&mut u)].map(|size| MIN_OUTPUT + size % 270);
    let scripts = [script(&mut u), script(&mut u)];
    let mut pair = Pair::new(sizes, scripts);
    let mut lossless = true;
    if flags & 1 != 0 {
        pair.break_at([short(&mut u) % 700, usize::MAX]);
        lossless = false;
    }
    if flags & 2 != 0 {
        pair.break_at([usize::MAX, short(&mut u) % 700]);
        lossless = false;
    }
    for _ in 0..200 {
        if u.is_empty() {
            break;
        }
        let (side, act) = act(&mut u);
        lossless &= !matches!(act, Act::Cut);
        pair.step(side, &act);
    }
    pair.finish();
    check_side(&pair.client, &pair.server, false, lossless);
    check_side(&pair.server, &pair.client, true, lossless);
}

/// Up to three messages as the frames that send them.
fn script(u: &mut Unstructured<'_>) -> Vec<Planned> {
    let mut frames = Vec::new();
    for _ in 0..byte(u) % 4 {
        let flags = byte(u);
        let len = if flags & 2 != 0 { short(u) % 500 } else { usize::from(byte(u) % 32) };
        let bytes = piece(u, len);
        let (kind, payload) = if flags & 1 != 0 {
            (Kind::Text, String::from_utf8_lossy(bytes).into_owned().into_bytes())
        } else {
            (Kind::Binary, bytes.to_vec())
        };
        let count = usize::from(flags >> 2 & 3) + 1;
        let mut ends: Vec<usize> = (1..count).map(|_| short(u) % (payload.len() + 1)).collect();
        ends.sort_unstable();
        ends.push(payload.len());
        let mut start = 0;
        for (at, &end) in ends.iter().enumerate() {
            let manner = match flags.rotate_right(2 * at as u32) >> 4 & 3 {
                0 | 1 => Manner::Whole,
                2 => Manner::Pay,
                _ => Manner::InPlace,
            };
            let payload = payload[std::mem::replace(&mut start, end)..end].to_vec();
            frames.push(Planned { kind, first: at == 0, fin: at + 1 == count, payload, manner });
        }
    }
    frames
}

fn act(u: &mut Unstructured<'_>) -> (Side, Act) {
    let choice = byte(u);
    let side = if choice & 0x80 == 0 { Side::Client } else { Side::Server };
    let marked = |u: &mut Unstructured<'_>, mark: u8| {
        let n = byte(u);
        [vec![mark], vec![n; if n & 0x80 != 0 { 124 } else { usize::from(n % 6) }]].concat()
    };
    let size = |u: &mut Unstructured<'_>| match byte(u) {
        0 => usize::MAX,
        n => usize::from(n),
    };
    let act = match choice & 0x7f {
        0..24 => Act::Advance(size(u)),
        24..48 => Act::Write(size(u)),
        48..72 => Act::Read(size(u)),
        72..88 => Act::Ping(marked(u, b'p')),
        88..92 => Act::Pong(marked(u, b'u')),
        92..102 => Act::Poll,
        102..110 => {
            let codes = [1000_u16, 1001, 1011, 3000, 4999];
            Act::Close(codes[usize::from(byte(u)) % codes.len()], usize::from(byte(u) % 124))
        }
        110..116 => Act::CloseBare,
        116..124 => {
            let rules = [Rule::Policy, Rule::ControlRate, Rule::InternalError, Rule::MessageTooLong];
            Act::Fail(rules[usize::from(byte(u)) % rules.len()])
        }
        _ => Act::Cut,
    };
    (side, act)
}
