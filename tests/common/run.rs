//! Feeds a stream to a connection in given pieces and notes what it says, in the oracle's words.

use websocket_proto::{Agreed, Config, Connection, Event, Input, Output, Role, Rsv};

use super::oracle::{self, Seen, Setup};

/// The reserved bits as the crate's type.
pub(crate) fn agreed(reserved: u8) -> Agreed {
    let bits = [(0x40, Rsv::RSV1), (0x20, Rsv::RSV2), (0x10, Rsv::RSV3)];
    let all = bits.into_iter().filter(|(bit, _)| reserved & bit != 0).map(|(_, rsv)| rsv);
    Agreed::with_reserved(all.fold(Rsv::NONE, Rsv::with))
}

/// A connection of this setup.
pub(crate) fn connection<R: Role>(role: R, setup: &Setup) -> Connection<R> {
    let config: Config = setup.config();
    Connection::new(role, &config, agreed(setup.reserved))
}

/// Adds an event to what was seen, joining the pieces of one frame, and checks that the pieces fit together.
pub(crate) fn note(seen: &mut Vec<Seen>, event: &Event<'_>) {
    match event {
        Event::Data(data) => {
            let part = data.part();
            if part.starts_frame {
                seen.push(Seen::Frame {
                    kind: part.kind,
                    first: part.first,
                    fin: part.fin,
                    compressed: part.compressed,
                    len: part.frame_len,
                    payload: data.payload().to_vec(),
                    whole: part.ends_frame,
                });
            } else {
                let Some(Seen::Frame { kind, fin, compressed, len, payload, whole, .. }) = seen.last_mut()
                else {
                    panic!("a piece without the frame's first: {data:?} behind {seen:?}");
                };
                assert!(!*whole, "a piece behind the frame's end");
                assert!(!part.first, "a message begins with its first piece only");
                assert!(!data.payload().is_empty(), "an empty piece of a frame that is not empty");
                assert_eq!(
                    (*kind, *fin, *compressed, *len),
                    (part.kind, part.fin, part.compressed, part.frame_len)
                );
                payload.extend(data.payload());
                *whole = part.ends_frame;
            }
            let Some(Seen::Frame { payload, whole, len, .. }) = seen.last() else { unreachable!() };
            assert_eq!(part.last, part.fin && part.ends_frame);
            assert!(payload.len() as u64 <= *len && (!whole || payload.len() as u64 == *len));
        }
        Event::Ping(payload) => seen.push(Seen::Ping(payload.to_vec())),
        Event::Pong(payload) => seen.push(Seen::Pong(payload.to_vec())),
        Event::Close(frame) => seen
            .push(Seen::Close(frame.as_ref().map(|frame| (frame.code().get(), frame.reason().to_owned())))),
        Event::Failed(error) => seen.push(Seen::Failed(error.rule, error.offset)),
        other => panic!("a connection gives no {other:?}"),
    }
}

/// Feeds one piece, whole, and notes the events.
pub(crate) fn feed<R: Role>(
    conn: &mut Connection<R>,
    piece: &[u8],
    out: &mut dyn Output,
    seen: &mut Vec<Seen>,
) {
    let mut bytes = piece.to_vec();
    let mut input = Input::new(&mut bytes);
    while let Some(event) = conn.receive(&mut input, out) {
        note(seen, &event);
    }
    assert!(input.is_empty(), "`None` means that every byte was taken");
}

/// Feeds `stream` cut at these offsets.
pub(crate) fn feed_cut<R: Role>(
    conn: &mut Connection<R>,
    stream: &[u8],
    cuts: impl IntoIterator<Item = usize>,
    out: &mut dyn Output,
) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut start = 0;
    for cut in cuts.into_iter().chain([stream.len()]) {
        feed(conn, &stream[start..cut], out, &mut seen);
        start = cut;
    }
    seen
}

/// Has a frame of the peer's read.
pub(crate) fn hear<R: Role>(
    conn: &mut Connection<R>,
    first: u8,
    payload: &[u8],
    server: bool,
    out: &mut dyn Output,
) {
    let bytes = oracle::frame(first, payload, server.then_some([0x11, 0x22, 0x33, 0x44]));
    feed(conn, &bytes, out, &mut Vec::new());
}
