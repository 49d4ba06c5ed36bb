//! Proves facts about types: what may cross threads, what may be copied, how large it is, and that nothing happens
//! when it is dropped.

mod common;

use std::{
    error::Error,
    fmt::{Debug, Display},
    hash::Hash,
    mem::needs_drop,
};

use common::keys::Keys;
use websocket_proto::*;

fn shared<T: Send + Sync + Unpin + 'static>() {}
fn cloned<T: Clone + Debug>() {}
fn copied<T: Copy + Debug + Eq>() {}
fn hashed<T: Hash + Eq>() {}
fn error<T: Error + Display + Copy + Eq + Send + Sync + 'static>() {}

type Source = fn() -> MaskKey;

#[test]
fn what_may_cross_threads() {
    shared::<Connection<Server>>();
    shared::<Connection<Client<Source>>>();
    shared::<Reader<ServerSide>>();
    shared::<Reader<ClientSide>>();
    shared::<Writer<Server>>();
    shared::<Writer<Client<Source>>>();
    shared::<Input<'static>>();
    shared::<Event<'static>>();
    shared::<Data<'static>>();
    shared::<Outgoing<'static>>();
    shared::<Reply>();
    shared::<Control>();
    shared::<CloseFrame>();
    shared::<Closure>();
    shared::<Config>();
    shared::<Agreed>();
    shared::<Prepared<Vec<u8>>>();
    shared::<SliceOutput<[u8; MIN_OUTPUT]>>();
    #[cfg(feature = "alloc")]
    shared::<QueueOutput>();
}

#[test]
fn what_may_be_copied() {
    cloned::<Connection<Server>>();
    cloned::<Connection<Client<Source>>>();
    cloned::<Reader<ServerSide>>();
    cloned::<Writer<Server>>();
    cloned::<Reply>();
    cloned::<Control>();
    cloned::<CloseFrame>();
    cloned::<Prepared<[u8; 9]>>();
    cloned::<SliceOutput<[u8; 9]>>();
    cloned::<Outgoing<'static>>();
    copied::<Part>();
    copied::<FrameHeader>();
    copied::<Rsv>();
    copied::<Opcode>();
    copied::<Kind>();
    copied::<Rule>();
    copied::<CloseCode>();
    copied::<Closure>();
    copied::<Cause>();
    copied::<Closer>();
    copied::<Transport>();
    copied::<Config>();
    copied::<Agreed>();
    hashed::<Rule>();
    hashed::<CloseCode>();
    hashed::<Opcode>();
    hashed::<Kind>();
    error::<ProtocolError>();
    error::<SendError>();
    error::<HandshakeError>();
    error::<RestoreError>();
}

#[test]
#[cfg(target_pointer_width = "64")]
fn how_large_it_is() {
    let sizes = [
        ("Connection<Server>", size_of::<Connection<Server>>(), 352),
        ("Connection<Client>", size_of::<Connection<Client<Source>>>(), 360),
        ("Reader", size_of::<Reader<ServerSide>>(), 208),
        ("Writer", size_of::<Writer<Server>>(), 152),
        ("Event", size_of::<Event<'_>>(), 136),
        ("Data", size_of::<Data<'_>>(), 48),
        ("Outgoing", size_of::<Outgoing<'_>>(), 24),
        ("Reply", size_of::<Reply>(), 128),
        ("Control", size_of::<Control>(), 126),
        ("CloseFrame", size_of::<CloseFrame>(), 128),
        ("ProtocolError", size_of::<ProtocolError>(), 16),
        ("SendError", size_of::<SendError>(), 16),
        ("Closure", size_of::<Closure>(), 40),
        ("FrameHeader", size_of::<FrameHeader>(), 24),
        ("Config", size_of::<Config>(), 40),
        ("Rule", size_of::<Rule>(), 1),
        ("Agreed", size_of::<Agreed>(), 2),
        ("Rsv", size_of::<Rsv>(), 1),
    ];
    for (name, size, most) in sizes {
        assert!(size <= most, "{name} takes {size} bytes, more than {most}");
    }
}

/// An error is returned in registers or nearly so, on every target: none of them has more than 16 bytes.
#[test]
fn errors_are_small() {
    let sizes = [
        ("ProtocolError", size_of::<ProtocolError>()),
        ("SendError", size_of::<SendError>()),
        ("HandshakeError", size_of::<HandshakeError>()),
        ("RestoreError", size_of::<RestoreError>()),
        ("ExtensionError", size_of::<ExtensionError>()),
        ("UriError", size_of::<UriError>()),
        ("UriFault", size_of::<UriFault>()),
        ("Rule", size_of::<Rule>()),
        ("Timeout", size_of::<Timeout>()),
        ("Cause", size_of::<Cause>()),
    ];
    for (name, size) in sizes {
        println!("{name} {size}");
        assert!(size <= 16, "{name} takes {size} bytes");
    }
}

#[test]
fn nothing_happens_when_it_is_dropped() {
    let drops = [
        ("Connection<Server>", needs_drop::<Connection<Server>>()),
        ("Connection<Client>", needs_drop::<Connection<Client<Source>>>()),
        ("Reader<ServerSide>", needs_drop::<Reader<ServerSide>>()),
        ("Reader<ClientSide>", needs_drop::<Reader<ClientSide>>()),
        ("Writer<Server>", needs_drop::<Writer<Server>>()),
        ("Event", needs_drop::<Event<'_>>()),
        ("Reply", needs_drop::<Reply>()),
        ("SliceOutput<[u8; 9]>", needs_drop::<SliceOutput<[u8; 9]>>()),
    ];
    for (name, drops) in drops {
        assert!(!drops, "{name} is not plain data");
    }
}

/// `dyn Output` does wherever an output is asked for, and so does a borrowed one.
#[test]
fn an_output_may_be_dyn() {
    fn all(conn: &mut Connection<Client<Keys>>, out: &mut dyn Output) {
        let mut bytes = *b"\x89\x00";
        let mut input = Input::new(&mut bytes);
        while conn.receive(&mut input, out).is_some() {}
        conn.send(Outgoing::text("hi"), out).unwrap();
        conn.send_header(Outgoing::text(""), 1, out).unwrap();
        assert_eq!(conn.pay(b"x", out), Ok(1));
        assert!(!conn.poll_transmit(out));
        conn.close(CloseCode::NORMAL, "", out).unwrap();
        conn.close_without_code(out);
        conn.fail(Rule::Policy, out);
    }
    let mut conn = Connection::new(Client(Keys::default()), &Config::default(), Agreed::default());
    let mut out: SliceOutput<Box<[u8]>> = SliceOutput::new(Box::new([0; 100]));
    let mut borrowed = &mut out;
    all(&mut conn.clone(), &mut borrowed);
    let mut outputs: Vec<Box<dyn Output>> = vec![Box::new(out), Box::new(heapless::Vec::<u8, 100>::new())];
    for out in &mut outputs {
        all(&mut conn, &mut **out);
        conn = Connection::new(Client(Keys::default()), &Config::default(), Agreed::default());
    }
}

/// The halves are the connection, taken apart: what one reads the other answers.
#[test]
fn the_halves_are_the_whole() {
    let conn = Connection::new(Server, &Config::default(), Agreed::default());
    let (mut reader, mut writer) = conn.into_halves();
    let mut out = SliceOutput::new([0; MIN_OUTPUT]);
    let mut bytes = *b"\x89\x82\0\0\0\0hi\x88\x82\0\0\0\0\x03\xe8";
    let mut input = Input::new(&mut bytes);
    let replies = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut replies = Vec::new();
            while let Some(event) = reader.receive(&mut input) {
                replies.extend(event.reply());
            }
            replies
        });
        reading.join().unwrap()
    });
    for reply in replies {
        writer.reply(reply, &mut out);
    }
    assert_eq!(out.pending(), b"\x8a\x02hi\x88\x02\x03\xe8");
    let mut conn = Connection::from_halves(reader, writer);
    assert_eq!(conn.transport(), Transport::Shut);
    assert!(conn.receive_eof().clean);
}
