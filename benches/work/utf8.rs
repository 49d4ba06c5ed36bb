//! Checking text: whole messages to a client, so that no unmasking is paid and no copy is needed.

use websocket_proto::{Agreed, Config, Connection, MIN_OUTPUT, Opcode};

use crate::{
    decode::{Out, receive},
    payload::{ASCII, CJK, CLIENT, EMOJI, LATIN, frame, text},
    work::{Work, size, times},
};

pub(crate) fn works() -> Vec<Work> {
    over("", |frame, _| {
        let mut frame = frame.to_vec();
        let mut conn = Connection::new(CLIENT, &Config::default(), Agreed::default());
        let mut out = Out::new([0; MIN_OUTPUT]);
        Box::new(move || receive(&mut conn, &mut frame, None, &mut out))
    })
}

/// What `prepare` makes of each text's frame, whose payload begins at its second argument. `name` stands behind the
/// text's.
pub(crate) fn over(name: &str, prepare: impl Fn(&[u8], usize) -> Box<dyn FnMut()>) -> Vec<Work> {
    let mut works = Vec::new();
    for (kind, sample) in [("ASCII", ASCII), ("Latin", LATIN), ("CJK", CJK), ("emoji", EMOJI)] {
        for len in [125, 1 << 10, 64 << 10] {
            let frame = frame(Opcode::Text, true, false, &text(sample, len));
            let mut check = prepare(&frame, frame.len() - len);
            let times = times(len);
            works.push(Work {
                group: "utf8",
                name: format!("{} {kind}{name}", size(len)),
                messages: times,
                bytes: len * times,
                round: Box::new(move || (0..times).for_each(|_| check())),
            });
        }
    }
    works
}
