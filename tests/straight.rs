//! The straight path and the general way give the same events.
//!
//! A frame whose first byte comes alone goes the general way, and its payload in one piece all the same. So two
//! connections are fed the same frames, one of them cut there, and must not differ in anything: events, output, state.

use proptest::{collection::vec, prelude::*};
use websocket_proto::{
    Agreed, Client, CloseCode, Config, Connection, Event, FrameHeader, Input, Kind, MaskKey, MaskSource,
    Opcode, Outgoing, Output, Role, Rsv, SAVED, SendError, Server, SliceOutput,
};

/// Payloads of each kind of text there is, and of none.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let len = prop_oneof![
        6 => 0_usize..140,
        2 => prop::sample::select(vec![15, 16, 17, 31, 32, 33, 63, 64, 65, 124, 125, 126, 127, 128, 129]),
        2 => 140_usize..1400,
        1 => prop::sample::select(vec![65_535, 65_536, 65_537]),
    ];
    let ascii = len.clone().prop_map(|len| vec![b'a'; len]);
    let bytes = (len.clone(), any::<u8>())
        .prop_map(|(len, seed)| (0..len).map(|i| (i as u8).wrapping_mul(37).wrapping_add(seed)).collect());
    // A character of four bytes or a byte that is none, somewhere in ASCII.
    let spoilt = (len, any::<prop::sample::Index>(), prop::sample::select(vec!["é", "漢", "🦀", ""]))
        .prop_map(|(len, at, character)| {
            let mut text = vec![b'a'; len];
            let at = at.index(len + 1);
            match character {
                "" if at < len => text[at] = 0x80,
                _ => drop(text.splice(at..at, character.bytes())),
            }
            text
        });
    prop_oneof![3 => ascii, 2 => bytes, 3 => spoilt]
}

/// A frame as bytes; most are legal.
fn frame(masked: bool) -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        6 => prop::sample::select(vec![0x81_u8, 0x82]),
        3 => prop::sample::select(vec![0x01_u8, 0x02, 0x00, 0x80]),
        2 => prop::sample::select(vec![0x89_u8, 0x8a]),
        1 => prop::sample::select(vec![0x88_u8, 0x09, 0xc9, 0xc1, 0xc2]),
        1 => any::<u8>(),
    ];
    let key = prop_oneof![3 => any::<[u8; 4]>(), 1 => Just([0; 4])];
    (first, key, payload(), prop::bool::weighted(0.02), prop::bool::weighted(0.02)).prop_map(
        move |(first, key, payload, other_mask, long_form)| {
            let masked = masked != other_mask;
            let bit = u8::from(masked) << 7;
            let mut frame = match payload.len() {
                len @ ..=125 if !long_form => vec![first, bit | len as u8],
                len @ ..=65_535 if !long_form || len < 126 => {
                    [&[first, bit | 126][..], &(len as u16).to_be_bytes()].concat()
                }
                len => [&[first, bit | 127][..], &(len as u64).to_be_bytes()].concat(),
            };
            if masked {
                frame.extend(key);
            }
            let at = frame.len();
            frame.extend(&payload);
            if masked {
                for (i, byte) in frame[at..].iter_mut().enumerate() {
                    *byte ^= key[i % 4];
                }
            }
            frame
        },
    )
}

fn config() -> impl Strategy<Value = Config> {
    let limit = || prop_oneof![4 => Just(u64::MAX), 1 => 0_u64..200, 1 => 65_534_u64..65_538];
    let fragments = prop_oneof![4 => Just(u32::MAX), 1 => 0_u32..3];
    (limit(), limit(), fragments).prop_map(|(frame_limit, message_limit, fragment_limit)| Config {
        frame_limit,
        message_limit,
        fragment_limit,
        ..Config::default()
    })
}

/// The events that these bytes give, word for word.
fn feed<R: Role>(conn: &mut Connection<R>, bytes: &[u8], out: &mut impl Output) -> Vec<String> {
    let mut bytes = bytes.to_vec();
    let mut input = Input::new(&mut bytes);
    std::iter::from_fn(|| conn.receive(&mut input, out).map(|event| format!("{event:?}"))).collect()
}

fn saved<R: Role>(conn: &Connection<R>) -> Vec<u8> {
    let mut bytes = [0; SAVED];
    let len = conn.save(&mut bytes);
    bytes[..len].to_vec()
}

/// What was done before the frames come, and how much of an output there is for what they oblige to.
#[derive(Clone, Copy, Debug)]
struct Setting {
    before: Before,
    room: usize,
    /// All frames come in one read, to the connection that has none of them cut.
    joined: bool,
}

#[derive(Clone, Copy, Debug)]
enum Before {
    Nothing,
    Close,
    /// As the writing half knows; the reading half does not.
    Answer,
    Header,
    Fragment,
}

fn setting() -> impl Strategy<Value = Setting> {
    let before = prop::sample::select(vec![
        Before::Nothing,
        Before::Nothing,
        Before::Close,
        Before::Answer,
        Before::Header,
        Before::Fragment,
    ]);
    let room = prop_oneof![2 => Just(4096_usize), 1 => 0_usize..300];
    (before, room, any::<bool>()).prop_map(|(before, room, joined)| Setting { before, room, joined })
}

const PLAIN: Setting = Setting { before: Before::Nothing, room: 4096, joined: false };

/// Another key each time: what is sent shows how many were drawn.
#[derive(Clone, Debug)]
struct Keys(u8);

impl MaskSource for Keys {
    fn next_key(&mut self) -> Option<MaskKey> {
        self.0 = self.0.wrapping_add(1);
        Some([self.0, 2, 3, 4])
    }
}

fn same_events<R: Role + Clone>(
    role: R,
    config: &Config,
    rsv: Rsv,
    frames: &[Vec<u8>],
    Setting { before, room, joined }: Setting,
) {
    let begun = |role: R| {
        let mut conn = Connection::new(role, config, Agreed::with_reserved(rsv));
        let mut out = SliceOutput::new(vec![0; room]);
        let _unless_there_is_no_room = match before {
            Before::Nothing => Ok(()),
            Before::Close => conn.close(CloseCode::NORMAL, "", &mut out),
            Before::Answer => {
                let (reader, mut writer) = conn.into_halves();
                writer.reply(Event::Close(None).reply().expect("a Close is answered"), &mut out);
                conn = Connection::from_halves(reader, writer);
                Ok(())
            }
            Before::Header => conn.send_header(Outgoing::binary(&[]), 7, &mut out),
            Before::Fragment => conn.send(Outgoing::first(Kind::Binary, b"a"), &mut out),
        };
        (conn, out)
    };
    let (mut straight, mut straight_out) = begun(role.clone());
    let (mut general, mut general_out) = begun(role.clone());
    let mut general_events = Vec::new();
    for frame in frames {
        let mut events = feed(&mut general, &frame[..1], &mut general_out);
        events.extend(feed(&mut general, &frame[1..], &mut general_out));
        if !joined {
            assert_eq!(feed(&mut straight, frame, &mut straight_out), events);
            assert_eq!(saved(&straight), saved(&general));
        }
        general_events.extend(events);
    }
    if joined {
        assert_eq!(feed(&mut straight, &frames.concat(), &mut straight_out), general_events);
        assert_eq!(saved(&straight), saved(&general));
    }
    assert_eq!(straight_out.pending(), general_out.pending());
    // A reader alone gives the same events.
    let (mut reader, _) = Connection::new(role, config, Agreed::with_reserved(rsv)).into_halves();
    let mut bytes = frames.concat();
    let mut input = Input::new(&mut bytes);
    let events: Vec<_> =
        std::iter::from_fn(|| reader.receive(&mut input).map(|event| format!("{event:?}"))).collect();
    assert_eq!(events, general_events);
}

fn rsv() -> impl Strategy<Value = Rsv> {
    prop::sample::select(vec![Rsv::NONE, Rsv::NONE, Rsv::RSV1, Rsv::RSV2])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_server_sees_the_same_on_both_ways(
        config in config(), rsv in rsv(), frames in vec(frame(true), 1..6), setting in setting(),
    ) {
        same_events(Server, &config, rsv, &frames, setting);
    }

    #[test]
    fn a_client_sees_the_same_on_both_ways(
        config in config(), rsv in rsv(), frames in vec(frame(false), 1..6), setting in setting(),
    ) {
        same_events(Client(Keys(0)), &config, rsv, &frames, setting);
    }
}

/// Each length that either way takes, and each place of a byte that is not ASCII.
#[test]
fn every_short_length_and_place() {
    for len in 0..=130_usize {
        for at in (0..=len).step_by(if len < 40 { 1 } else { 7 }) {
            for spoil in [b'a', 0x80, 0xc3] {
                let mut payload = vec![b'a'; len];
                if let Some(byte) = payload.get_mut(at) {
                    *byte = spoil;
                }
                for first in [0x81, 0x82] {
                    for key in [None, Some([0x37, 0xfa, 0x21, 0x3d])] {
                        let bit = u8::from(key.is_some()) << 7;
                        let mut frame = match len {
                            ..=125 => vec![first, bit | len as u8],
                            _ => vec![first, bit | 126, 0, len as u8],
                        };
                        frame.extend(key.into_iter().flatten());
                        let key = key.unwrap_or_default();
                        frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
                        let frames = [frame];
                        match bit {
                            0 => same_events(Client(Keys(0)), &Config::default(), Rsv::NONE, &frames, PLAIN),
                            _ => same_events(Server, &Config::default(), Rsv::NONE, &frames, PLAIN),
                        }
                    }
                }
            }
        }
    }
}

/// What sending gives: the answer, the bytes, the state.
fn sent<R: Role>(role: R, frame: Outgoing<'_>, room: usize) -> (Result<(), SendError>, Vec<u8>, Vec<u8>) {
    let mut conn = Connection::new(role, &Config::default(), Agreed::default());
    let mut out = SliceOutput::new(vec![0; room]);
    let result = conn.send(frame, &mut out);
    (result, out.pending().to_vec(), saved(&conn))
}

/// A text that is known to be one is sent straight; the same bytes, of which nobody knows, are looked at on the way.
#[test]
fn sending_gives_the_same_on_both_ways() {
    for len in (0..300).chain([1023, 1024, 1025, 65_535, 65_536]) {
        let text = "a".repeat(len);
        let (straight, general) = (Outgoing::text(&text), Outgoing::whole(Kind::Text, text.as_bytes()));
        for room in
            [0, len, len + 1, len + 2, len + 3, len + 4, len + 5, len + 6, len + 8, len + 10, len + 14]
        {
            assert_eq!(sent(Server, straight, room), sent(Server, general, room), "{len} in {room}");
            let client = || Client(|| [0x37, 0xfa, 0x21, 0x3d]);
            assert_eq!(sent(client(), straight, room), sent(client(), general, room), "{len} in {room}");
        }
    }
}

/// An output that grows masks in another way than one that is there already.
#[cfg(feature = "alloc")]
#[test]
fn growing_outputs_are_written_the_same() {
    for len in (0..300).chain([2047, 2048, 2049, 4096, 5000, 65_536]) {
        let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
        let client = || Client(|| [0x37, 0xfa, 0x21, 0x3d]);
        let mut conn = Connection::new(client(), &Config::default(), Agreed::default());
        let mut grows = vec![0xee; 3];
        conn.send(Outgoing::binary(&bytes), &mut grows).unwrap();
        assert_eq!(grows[..3], [0xee; 3]);
        assert_eq!(grows[3..], sent(client(), Outgoing::binary(&bytes), len + 14).1);
    }
}

/// A long header of a server goes out on its own.
#[test]
fn a_header_alone_is_the_same_on_both_ways() {
    for len in [0_u64, 1, 65_535, 65_536, 1 << 32, (1 << 63) - 1, 1 << 63, u64::MAX] {
        for (frame, opcode) in
            [(Outgoing::binary(&[]), Opcode::Binary), (Outgoing::whole(Kind::Text, &[]), Opcode::Text)]
        {
            for room in [0, 9, 10, 14] {
                let mut straight = Connection::new(Server, &Config::default(), Agreed::default());
                let mut out = SliceOutput::new(vec![0; room]);
                let result = straight.send_header(frame, len, &mut out);
                let header = FrameHeader { fin: true, rsv: Rsv::NONE, opcode, mask: None, len };
                match header.encode() {
                    None => assert_eq!(result, Err(SendError::Length)),
                    Some(head) if head.len() > room => {
                        assert_eq!(result, Err(SendError::NoRoom { needed: head.len() }));
                        assert!(out.is_empty() && straight.owed() == 0);
                    }
                    Some(head) => {
                        assert_eq!((result, out.pending(), straight.owed()), (Ok(()), &head[..], len));
                    }
                }
            }
        }
    }
}
