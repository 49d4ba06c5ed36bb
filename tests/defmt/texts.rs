//! What `defmt` prints of errors, events and values: the bytes that a device would send, read back by its decoder with
//! the strings of this very program.

use std::{
    env, fs,
    sync::{LazyLock, Mutex, MutexGuard},
    time::Duration,
};

use defmt::{Encoder, Format, Logger};
use defmt_decoder::Table;
use websocket_proto::*;

#[test]
fn errors_are_told_by_their_names() {
    let violation = ProtocolError { rule: Rule::ReservedOpcode, offset: 7 };
    let rows = [
        (text(violation), "ProtocolError { rule: ReservedOpcode, offset: 7 }"),
        (text(Rule::ControlRate), "ControlRate"),
        (text(SendError::NoRoom { needed: 9 }), "NoRoom { needed: 9 }"),
        (text(SendError::Owed { bytes: 8 }), "Owed { bytes: 8 }"),
        (text(SendError::Closed), "Closed"),
        (text(HandshakeError::NoMemory { needed: 6 }), "NoMemory { needed: 6 }"),
        (text(HandshakeError::Status), "Status"),
        (text(RestoreError::Role), "Role"),
        (text(Uri::parse("ws://example.com/#news").unwrap_err()), "UriError { fault: Fragment, at: 17 }"),
        (text(Extensions::parse(b"mux; =1").err()), "Some(ExtensionError { at: 5 })"),
        (text(Due::Drop(Timeout::Pong)), "Drop(Pong)"),
        (
            text(Due::Wait(Some(Duration::from_millis(1500)))),
            "Wait(Some(Duration { secs: 1, nanos: 500000000 }))",
        ),
        (text(Cause::Violation(violation)), "Violation(ProtocolError { rule: ReservedOpcode, offset: 7 })"),
        (text(Cause::EndInFrame), "EndInFrame"),
        (text(CloseCode::GOING_AWAY), "1001"),
        (text(CloseFrame::new(CloseCode::GOING_AWAY, "bye")), "Some(CloseFrame { code: 1001, reason: bye })"),
        (text(Rsv::RSV1), "Rsv(100)"),
    ];
    for (text, expected) in rows {
        assert_eq!(text, expected);
    }
}

/// The derived names are those of the catalogue, so that what is logged can be looked up.
#[test]
fn every_rule_is_told_by_its_name() {
    for rule in Rule::ALL {
        assert_eq!(text(rule), rule.name());
    }
}

/// A whole life: the request, a ping, a message, a Close, the end.
#[test]
fn events_are_told_without_payloads() {
    let mut session = Session::server([0; 1024], Config::default());
    let mut out = Vec::new();
    let mut read = *b"GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Cookie: hidden\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\
        \x89\x86\0\0\0\0hidden\x81\x86\0\0\0\0hidden\x88\x85\0\0\0\0\x03\xe8bye";
    let mut told = Vec::new();
    let mut input = Input::new(&mut read);
    while let Some(event) = session.receive(&mut input, &mut out) {
        told.push(text(&event));
        if let Some(request) = session.request() {
            told.push(text(&request));
            request.accept(OriginPolicy::SameHost).write(&mut out).unwrap();
        }
        if let Event::Data(data) = event {
            told.push(text(data.echo()));
        }
    }
    session.receive_eof();
    told.extend([text(session.closure()), text(&session), text(session.connection())]);
    let part = "Part { kind: Text, first: true, last: true, starts_frame: true, ends_frame: true, fin: true, \
        rsv: Rsv(000), compressed: false, frame_len: 6 }";
    let closure =
        "Closure { sent: Some(1000), received: Some(1000), first: Some(Peer), clean: true, cause: None }";
    assert_eq!(
        told,
        [
            "Requested",
            "Request { target: /chat, host: h, upgrade: true }",
            "Ping(Control(6 bytes))",
            &format!("Data(Data {{ len: 6, part: {part} }})"),
            "Outgoing { opcode: Text, fin: true, rsv: Rsv(000), len: 6 }",
            "Close(Some(CloseFrame { code: 1000, reason: bye }))",
            closure,
            &format!("Session {{ open: true, transport: Drop, closure: {closure} }}"),
            &format!("Some(Connection {{ transport: Drop, closure: {closure} }})"),
        ]
    );
}

/// Keys, payloads and user info are in no text.
#[test]
fn secrets_stay_out() {
    let options = UriOptions { http: false, user_info: true };
    let uri = Uri::parse_with("wss://ann:hidden@example.com/chat", options).unwrap();
    let key = *b"hide";
    let header = FrameHeader { fin: true, rsv: Rsv::NONE, opcode: Opcode::Text, mask: Some(key), len: 6 };
    let mut frame = *b"\x01\x03hid\x80\x03den\x8a\x06hidden";
    let mut input = Input::new(&mut frame);
    let mut conn = Connection::new(Client(move || key), &Config::default(), Agreed::default());
    let (mut whole, mut told) = (Assembler::new([0; 6]), Vec::new());
    while let Some(event) = conn.receive(&mut input, &mut Vec::new()) {
        told.push(text(&event));
        told.extend(event.reply().map(text));
        if let Event::Data(data) = event
            && let Some(message) = whole.push(data).unwrap()
        {
            told.push(text(message));
        }
    }
    told.extend([text(uri), text(header), text(Control::new(b"hidden")), text(conn)]);
    told.extend([
        text(Outgoing::text("hidden")),
        text(Event::Ping(Control::new(b"hidden").unwrap()).reply()),
    ]);
    assert_eq!(told[told.len() - 6], "Uri { secure: true, host: example.com, port: 443, resource: /chat }");
    assert!(told.contains(&"Message { kind: Text, len: 6 }".to_owned()), "{told:#?}");
    for text in told {
        for part in ["hid", "den", "104", "[", "ann"] {
            assert!(!text.contains(part), "{text}");
        }
    }
}

/// The text of a value, as a host shows it.
fn text(value: impl Format) -> String {
    static PRINTING: Mutex<()> = Mutex::new(());
    static TABLE: LazyLock<Table> = LazyLock::new(|| {
        let program = fs::read(env::current_exe().unwrap()).unwrap();
        Table::parse(&program).unwrap().expect("the program has strings of defmt")
    });
    let _alone = PRINTING.lock();
    sink().bytes.clear();
    defmt::println!("{}", value);
    let mut decoder = TABLE.new_stream_decoder();
    decoder.received(&sink().bytes);
    decoder.decode().unwrap().display_message().to_string()
}

struct Sink {
    encoder: Encoder,
    bytes: Vec<u8>,
}

fn sink() -> MutexGuard<'static, Sink> {
    static SINK: Mutex<Sink> = Mutex::new(Sink { encoder: Encoder::new(), bytes: Vec::new() });
    SINK.lock().unwrap()
}

#[defmt::global_logger]
struct Memory;

// SAFETY: `text` logs from one thread at a time, and each call locks the memory.
unsafe impl Logger for Memory {
    fn acquire() {
        let Sink { encoder, bytes } = &mut *sink();
        encoder.start_frame(|part| bytes.extend_from_slice(part));
    }

    unsafe fn flush() {}

    unsafe fn release() {
        let Sink { encoder, bytes } = &mut *sink();
        encoder.end_frame(|part| bytes.extend_from_slice(part));
    }

    unsafe fn write(written: &[u8]) {
        let Sink { encoder, bytes } = &mut *sink();
        encoder.write(written, |part| bytes.extend_from_slice(part));
    }
}
