//! Random streams of frames, mostly legal, some with a fault.

use proptest::{collection::vec, prelude::*, sample::Index};
use websocket_proto::Lenient;

use super::oracle::Setup;

/// How a length is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    Shortest,
    Sixteen,
    SixtyFour,
    /// Another length than the payload's, in 64 bits.
    Lie(u64),
}

/// A frame, legal or not.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) first: u8,
    pub(crate) key: Option<[u8; 4]>,
    pub(crate) form: Form,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let (len, form) = match self.form {
            Form::Lie(len) => (len, 127),
            _ => match (self.payload.len(), self.form) {
                (len, Form::SixtyFour) | (len @ 65536.., _) => (len as u64, 127),
                (len, Form::Sixteen) | (len @ 126.., _) => (len as u64, 126),
                (len, _) => (len as u64, len as u8),
            },
        };
        let mut bytes = vec![self.first, if self.key.is_some() { 0x80 | form } else { form }];
        match form {
            126 => bytes.extend((len as u16).to_be_bytes()),
            127 => bytes.extend(len.to_be_bytes()),
            _ => {}
        }
        let key = self.key.inspect(|key| bytes.extend(key)).unwrap_or_default();
        bytes.extend(self.payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes
    }
}

/// One message or control frame of a legal stream.
#[derive(Clone, Debug)]
enum Item {
    Message { text: bool, compressed: bool, payload: Vec<u8>, cuts: Vec<Index>, between: Option<Vec<u8>> },
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
}

/// What is done to a legal stream.
#[derive(Clone, Debug)]
enum Flaw {
    None,
    First(Index, u8),
    Mask(Index),
    Form(Index, Form),
    Payload(Index, Index, u8),
    Remove(Index),
    Twice(Index),
    /// The body of a Close, any bytes.
    CloseBody(Vec<u8>),
    Truncate(Index),
    Byte(Index, u8),
}

/// A setup and a stream for it.
pub(crate) fn setup_and_stream() -> impl Strategy<Value = (Setup, Vec<u8>)> {
    (setup(), vec(item(), 0..7), any::<[u8; 4]>(), flaw(), flaw()).prop_map(
        |(setup, items, key, flaw, other)| {
            let mut frames = frames(&setup, &items, key);
            spoil(&mut frames, &flaw);
            let mut stream: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
            match &other {
                Flaw::Truncate(at) => stream.truncate(at.index(stream.len() + 1)),
                Flaw::Byte(at, byte) if !stream.is_empty() => {
                    let at = at.index(stream.len());
                    stream[at] = *byte;
                }
                _ => {}
            }
            (setup, stream)
        },
    )
}

/// A legal stream for the strict setup, in whole frames, without a Close unless it is the last.
pub(crate) fn legal(server: bool) -> impl Strategy<Value = Vec<u8>> {
    (vec(item(), 0..12), any::<[u8; 4]>()).prop_map(move |(mut items, key)| {
        if let Some(close) = items.iter().position(|item| matches!(item, Item::Close(_))) {
            items.truncate(close + 1);
        }
        frames(&Setup::strict(server), &items, key).iter().flat_map(Frame::bytes).collect()
    })
}

fn setup() -> impl Strategy<Value = Setup> {
    let limits = prop_oneof![
        6 => Just((1 << 24, 1 << 26, 1 << 17)),
        2 => (0..200_u64, 0..400_u64, 0..6_u32),
        1 => Just((u64::MAX, u64::MAX, u32::MAX)),
    ];
    let reserved = prop_oneof![4 => Just(0_u8), 3 => Just(0x40), 1 => Just(0x20), 1 => Just(0x70)];
    (any::<bool>(), reserved, limits, prop::bool::weighted(0.2), prop::bool::weighted(0.2)).prop_map(
        |(
            server,
            reserved,
            (frame_limit, message_limit, fragment_limit),
            non_minimal_length,
            unmasked_frames,
        )| {
            let lenient = Lenient { non_minimal_length, unmasked_frames };
            Setup { server, reserved, frame_limit, message_limit, fragment_limit, lenient }
        },
    )
}

/// Text of characters of one to four bytes, a byte order mark and a NUL among them.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let character =
        prop::sample::select(vec!['a', 'b', '\0', 'é', '߿', '€', '\u{feff}', '\u{ffff}', '😀', '\u{10ffff}']);
    vec(character, 0..40).prop_map(|characters| characters.into_iter().collect())
}

fn item() -> impl Strategy<Value = Item> {
    let control = || prop_oneof![4 => vec(any::<u8>(), 0..8), 1 => vec(any::<u8>(), 120..=125)];
    let size = prop_oneof![20 => 0..20_usize, 4 => 120..135_usize, 1 => 65530..65540_usize];
    let payload = prop_oneof![
        3 => text().prop_map(|text| (true, text.into_bytes())),
        2 => (size, any::<u8>()).prop_map(|(size, seed)| {
            (false, (0..size).map(|i| (i as u8).wrapping_mul(31) ^ seed).collect())
        }),
    ];
    let message =
        (payload, prop::bool::weighted(0.2), vec(any::<Index>(), 0..4), prop::option::of(control()));
    let codes = prop::sample::select(vec![
        1000_u16, 1001, 1007, 1010, 1011, 1014, 3000, 4999, 1004, 1005, 999, 1016, 2999, 5000,
    ]);
    let reason = text().prop_map(|text| websocket_proto::CloseFrame::shorten(&text).to_owned());
    prop_oneof![
        8 => message.prop_map(|((text, payload), compressed, cuts, between)| {
            Item::Message { text, compressed, payload, cuts, between }
        }),
        2 => control().prop_map(Item::Ping),
        1 => control().prop_map(Item::Pong),
        1 => prop::option::of((codes, reason)).prop_map(Item::Close),
    ]
}

fn flaw() -> impl Strategy<Value = Flaw> {
    let lengths =
        vec![0, 1, 125, 126, 65535, 65536, 1 << 31, 1 << 32, 1 << 53, (1 << 63) - 1, 1 << 63, u64::MAX];
    let form = prop_oneof![
        Just(Form::Sixteen),
        Just(Form::SixtyFour),
        prop::sample::select(lengths).prop_map(Form::Lie),
    ];
    prop_oneof![
        5 => Just(Flaw::None),
        2 => (any::<Index>(), prop_oneof![any::<u8>(), (0..8_u8).prop_map(|bit| 1 << bit)])
            .prop_map(|(at, bits)| Flaw::First(at, bits)),
        1 => any::<Index>().prop_map(Flaw::Mask),
        1 => (any::<Index>(), form).prop_map(|(at, form)| Flaw::Form(at, form)),
        2 => (any::<Index>(), any::<Index>(), any::<u8>()).prop_map(|(at, byte, value)| Flaw::Payload(at, byte, value)),
        1 => any::<Index>().prop_map(Flaw::Remove),
        1 => any::<Index>().prop_map(Flaw::Twice),
        1 => vec(prop_oneof![any::<u8>(), prop::sample::select(vec![3, 0xe8, 0xe2, 0x82, 0xac])], 0..6)
            .prop_map(Flaw::CloseBody),
        2 => any::<Index>().prop_map(Flaw::Truncate),
        2 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Flaw::Byte(at, byte)),
    ]
}

fn frames(setup: &Setup, items: &[Item], seed: [u8; 4]) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut push = |first: u8, payload: &[u8]| {
        // Every frame has another key, and now and then it is zero (W85).
        let n = frames.len() as u8;
        let key = if n % 5 == 4 { [0; 4] } else { seed.map(|byte| byte.wrapping_mul(n | 1).wrapping_add(n)) };
        frames.push(Frame {
            first,
            key: setup.server.then_some(key),
            form: Form::Shortest,
            payload: payload.to_vec(),
        });
    };
    for item in items {
        match item {
            Item::Message { text, compressed, payload, cuts, between } => {
                let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(payload.len() + 1)).collect();
                cuts.sort_unstable();
                cuts.push(payload.len());
                let mut start = 0;
                for (i, &cut) in cuts.iter().enumerate() {
                    let opcode = match (i, text) {
                        (0, true) => 1,
                        (0, false) => 2,
                        _ => 0,
                    };
                    let rsv = if i == 0 && *compressed && setup.reserved & 0x40 != 0 { 0x40 } else { 0 };
                    let fin = if i + 1 == cuts.len() { 0x80 } else { 0 };
                    push(fin | rsv | opcode, &payload[start..cut]);
                    if let (0, Some(ping)) = (i, between) {
                        push(0x89, ping);
                    }
                    start = cut;
                }
            }
            Item::Ping(payload) => push(0x89, payload),
            Item::Pong(payload) => push(0x8a, payload),
            Item::Close(None) => push(0x88, &[]),
            Item::Close(Some((code, reason))) => {
                push(0x88, &[&code.to_be_bytes(), reason.as_bytes()].concat())
            }
        }
    }
    frames
}

fn spoil(frames: &mut Vec<Frame>, flaw: &Flaw) {
    let n = frames.len();
    if let Flaw::CloseBody(body) = flaw {
        let key = frames.first().and_then(|frame| frame.key);
        frames.push(Frame { first: 0x88, key, form: Form::Shortest, payload: body.clone() });
    }
    if n == 0 {
        return;
    }
    match flaw {
        Flaw::First(at, bits) => frames[at.index(n)].first ^= bits,
        Flaw::Mask(at) => {
            let key = &mut frames[at.index(n)].key;
            *key = if key.is_some() { None } else { Some([1, 2, 3, 4]) };
        }
        Flaw::Form(at, form) => frames[at.index(n)].form = *form,
        Flaw::Payload(at, byte, value) => {
            let payload = &mut frames[at.index(n)].payload;
            if !payload.is_empty() {
                let byte = byte.index(payload.len());
                payload[byte] = *value;
            }
        }
        Flaw::Remove(at) => {
            frames.remove(at.index(n));
        }
        Flaw::Twice(at) => {
            let frame = frames[at.index(n)].clone();
            frames.insert(at.index(n), frame);
        }
        Flaw::None | Flaw::CloseBody(_) | Flaw::Truncate(_) | Flaw::Byte(..) => {}
    }
}
