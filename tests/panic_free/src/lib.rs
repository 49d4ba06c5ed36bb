//! Every public entry point, exported. A panic, from whatever depth, ends in the handler below, which calls a function
//! that nobody defines: if the linked object asks for it, a panic is reachable.
#![no_std]

use core::{hint::black_box, time::Duration};

use websocket_proto::{
    Agreed, Assembler, Client, CloseCode, CloseFrame, Config, Connection, Control, Event, Extensions,
    FrameHeader, Input, Keepalive, Kind, MaskKey, MaskSource, Origin, OriginPolicy, Outgoing, Prepared,
    Reader, Role, Rsv, Rule, SAVED, Server, ServerSide, Session, SliceOutput, Timing, Uri, UriOptions,
    Writer, client, mask, reconnect_delay, server,
};

unsafe extern "C" {
    fn a_panic_is_reachable() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: never linked into anything that runs.
    unsafe { a_panic_is_reachable() }
}

/// Keys that the caller of the object gives.
pub struct Keys(extern "C" fn(&mut MaskKey) -> bool);

impl MaskSource for Keys {
    fn next_key(&mut self) -> Option<MaskKey> {
        let mut key = [0; 4];
        (self.0)(&mut key).then_some(key)
    }
}

type Out = SliceOutput<[u8; 512]>;
type AnyClient = Client<Keys>;

fn look(event: Option<Event<'_>>) -> bool {
    let Some(event) = event else { return false };
    black_box(event.reply());
    match event {
        Event::Data(data) => {
            black_box(data.part());
            black_box(data.forward());
            black_box(data.echo());
            black_box(data.into_payload());
        }
        Event::Close(Some(frame)) => {
            black_box((frame.code(), frame.reason().len()));
        }
        Event::Failed(error) => {
            black_box((
                error.rule.name(),
                error.rule.id(),
                error.rule.rfc(),
                error.rule.status(),
                error.rule.close_code(),
            ));
        }
        other => {
            black_box(other);
        }
    }
    true
}

macro_rules! both_roles {
    ($($role:ty, $receive:ident, $send:ident, $owe:ident, $close:ident, $ask:ident, $halves:ident, $timers:ident,
        $assemble:ident;)*) => { $(
        #[unsafe(no_mangle)]
        pub extern "C" fn $receive(conn: &mut Connection<$role>, read: &mut &mut [u8], out: &mut Out) -> bool {
            let mut input = Input::new(core::mem::take(read));
            let more = look(conn.receive(&mut input, out));
            *read = input.into_rest();
            more
        }

        #[unsafe(no_mangle)]
        pub extern "C" fn $send(conn: &mut Connection<$role>, bytes: &&[u8], out: &mut Out) {
            for frame in [
                Outgoing::binary(bytes),
                Outgoing::whole(Kind::Text, bytes),
                Outgoing::first(Kind::Text, bytes),
                Outgoing::next(bytes),
                Outgoing::last(bytes),
                Outgoing::ping(bytes),
                Outgoing::pong(bytes),
                Outgoing::binary(bytes).compressed(),
            ] {
                let _ = black_box(conn.send(frame, out));
            }
            if let Ok(text) = core::str::from_utf8(bytes) {
                let _ = black_box(conn.send(Outgoing::text(text), out));
            }
            black_box(conn.poll_transmit(out));
        }

        #[unsafe(no_mangle)]
        pub extern "C" fn $owe(conn: &mut Connection<$role>, chunk: &mut &mut [u8], len: u64, out: &mut Out) {
            let _ = black_box(conn.send_header(Outgoing::first(Kind::Text, chunk), len, out));
            let _ = black_box(conn.send_header(Outgoing::binary(&[]), len, out));
            let _ = black_box(conn.pay(chunk, out));
            let _ = black_box(conn.pay_in_place(chunk));
            black_box(conn.owed());
        }

        #[unsafe(no_mangle)]
        pub extern "C" fn $close(conn: &mut Connection<$role>, code: u16, reason: &&str, rule: &Rule, out: &mut Out) {
            let _ = black_box(conn.close(CloseCode::new(code), CloseFrame::shorten(reason), out));
            let _ = black_box(conn.close(CloseCode::new(code), reason, out));
            conn.close_without_code(out);
            black_box(conn.fail(*rule, out));
        }

        #[unsafe(no_mangle)]
        pub extern "C" fn $ask(conn: &mut Connection<$role>, to: &mut [u8; SAVED], from: &&[u8], keys: extern "C" fn(&mut MaskKey) -> bool) -> usize {
            black_box((conn.transport(), conn.closure(), conn.failure(), conn.frame_remaining(), conn.bytes_received()));
            black_box((conn.is_reply_waiting(), conn.receive_eof(), conn.closure().code()));
            if let Ok(other) = Connection::restore(<$role as Make>::make(keys), from) {
                *conn = other;
            }
            conn.save(to)
        }

        #[unsafe(no_mangle)]
        pub extern "C" fn $halves(
            reader: &mut Reader<<$role as Role>::Side>,
            writer: &mut Writer<$role>,
            read: &mut &mut [u8],
            out: &mut Out,
        ) {
            let mut input = Input::new(core::mem::take(read));
            while let Some(event) = reader.receive(&mut input) {
                if let Some(reply) = event.reply() {
                    writer.reply(reply, out);
                }
            }
            reader.receive_eof();
            black_box(reader.fail(Rule::Policy));
        }

        #[unsafe(no_mangle)]
        pub extern "C" fn $timers(timers: &mut Keepalive, now: &Duration, conn: Option<&mut Connection<$role>>, out: &mut Out) {
            black_box(timers.turn(*now, conn, out));
            black_box(timers.round_trip());
        }

        #[unsafe(no_mangle)]
        pub extern "C" fn $assemble(
            whole: &mut Assembler<[u8; 1024]>,
            conn: &mut Connection<$role>,
            read: &mut &mut [u8],
            n: usize,
            out: &mut Out,
        ) {
            let mut input = Input::new(core::mem::take(read));
            while let Some(event) = conn.receive(&mut input, out) {
                if let Event::Data(data) = event {
                    match whole.push(data) {
                        Ok(Some(message)) => {
                            black_box((message.kind(), message.text(), message.is_compressed()));
                            let _ = black_box(conn.send(message.echo(), out));
                        }
                        Ok(None) => {}
                        Err(rule) => {
                            black_box(conn.fail(rule, out));
                        }
                    }
                }
            }
            black_box(whole.place(conn).len());
            let _ = black_box(whole.placed(n, conn, out).map(|message| message.map(|message| message.into_payload().len())));
        }
    )* };
}

both_roles! {
    Server, server_receive, server_send, server_owe, server_close, server_ask, server_halves, server_timers, server_assemble;
    AnyClient, client_receive, client_send, client_owe, client_close, client_ask, client_halves, client_timers, client_assemble;
}

/// A role out of what the caller gives.
pub trait Make {
    fn make(keys: extern "C" fn(&mut MaskKey) -> bool) -> Self;
}

impl Make for Server {
    fn make(_: extern "C" fn(&mut MaskKey) -> bool) -> Self {
        Server
    }
}

impl Make for AnyClient {
    fn make(keys: extern "C" fn(&mut MaskKey) -> bool) -> Self {
        Client(Keys(keys))
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn server_by_reference(conn: &mut Connection<Server>, chunk: &&[u8], out: &mut Out) {
    let _ = black_box(conn.pay_by_reference(chunk));
    if let Some(message) = Prepared::in_memory(Kind::Text, chunk, [0; 256]) {
        let _ = black_box(conn.send_prepared(&message, out));
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn server_session(
    session: &mut Session<Server, [u8; 1024]>,
    read: &mut &mut [u8],
    text: &[&str; 4],
    out: &mut Out,
) {
    let mut input = Input::new(core::mem::take(read));
    while let Some(event) = session.receive(&mut input, out) {
        if let Event::Requested = event {
            if let Some(request) = session.request() {
                black_box((
                    request.target(),
                    request.path(),
                    request.query(),
                    request.host(),
                    request.is_upgrade(),
                ));
                black_box((
                    request.header(text[0]),
                    request.protocols().count(),
                    request.extensions().count(),
                ));
                black_box((request.headers().count(), request.origin()));
                let (fields, origins) = ([(text[0], text[1])], [text[2]]);
                let mut accept = request
                    .accept(OriginPolicy::List(&origins))
                    .protocol(text[3])
                    .extensions(text[2], Rsv::RSV1)
                    .headers(&fields);
                let _ = black_box(accept.write(out));
            }
            if let Some(request) = session.request() {
                let fields = [(text[0], text[1])];
                let _ = black_box(
                    request
                        .respond(text[0].len() as u16)
                        .headers(&fields)
                        .body(text[1].as_bytes())
                        .write(out),
                );
            }
        } else {
            look(Some(event));
        }
    }
    black_box((
        session.poll_transmit(out),
        session.transport(),
        session.closure(),
        session.failure(),
        session.head().len(),
    ));
    let _ = black_box(session.send(Outgoing::binary(&[]), out));
    let _ = black_box(session.close(CloseCode::NORMAL, "", out));
    black_box(session.receive_eof());
}

#[unsafe(no_mangle)]
pub extern "C" fn client_session(
    session: &mut Session<AnyClient, [u8; 1024]>,
    keys: extern "C" fn(&mut MaskKey) -> bool,
    read: &mut &mut [u8],
    text: &[&str; 6],
    nonce: &[u8; 16],
    out: &mut Out,
) {
    let options = UriOptions { http: text[0].is_empty(), user_info: text[1].is_empty() };
    if let Ok(uri) = Uri::parse_with(text[2], options) {
        black_box((
            uri.host(),
            uri.port(),
            uri.is_secure(),
            uri.authority().len(),
            uri.resource().len(),
            uri.user_info(),
        ));
        let (protocols, extensions, fields) = ([text[3]], [(text[4], Rsv::RSV1)], [(text[0], text[5])]);
        let request = client::Request::new(uri, *nonce)
            .protocols(&protocols)
            .extensions(&extensions)
            .headers(&fields)
            .require_protocol();
        if let Ok(fresh) = Session::client(Client(Keys(keys)), [0; 1024], Config::default(), &request, out) {
            *session = fresh;
        }
    }
    let mut input = Input::new(core::mem::take(read));
    while let Some(event) = session.receive(&mut input, out) {
        look(Some(event));
        if let Some(response) = session.response() {
            black_box((
                response.status(),
                response.reason(),
                response.header(text[0]),
                response.headers().count(),
            ));
            black_box((response.protocol(), response.extensions().count(), response.body().len()));
        }
    }
    black_box(session.receive_eof());
}

#[unsafe(no_mangle)]
pub extern "C" fn handshakes(
    server: &mut server::Handshake<[u8; 512]>,
    client: &mut client::Handshake<[u8; 512]>,
    read: &mut &mut [u8],
    answer: &mut &mut [u8],
    out: &mut Out,
) {
    black_box(matches!(server.receive(Input::new(core::mem::take(read)), out), server::Progress::More));
    black_box((
        server.poll_transmit(out),
        server.agreed(),
        server.failure(),
        server.is_over(),
        server.head().len(),
    ));
    black_box(matches!(client.receive(Input::new(core::mem::take(answer))), client::Progress::More));
    black_box((
        client.receive_eof(),
        client.agreed(),
        client.failure(),
        client.is_refused(),
        client.head().len(),
    ));
}

#[unsafe(no_mangle)]
pub extern "C" fn pieces(
    bytes: &mut &mut [u8],
    text: &[&str; 2],
    header: &FrameHeader,
    key: &MaskKey,
    attempt: u32,
) {
    black_box(header.encode());
    black_box(FrameHeader::decode(bytes).is_ok());
    black_box(Control::new(bytes));
    black_box(CloseFrame::new(CloseCode::new(attempt as u16), text[0]));
    if let Ok(extensions) = Extensions::parse(bytes) {
        for extension in extensions {
            for param in extension.params() {
                black_box(param.value().is_some_and(|value| value == text[0]));
            }
        }
    }
    for policy in
        [OriginPolicy::SameHost, OriginPolicy::List(text), OriginPolicy::NonBrowser, OriginPolicy::Any]
    {
        black_box(policy.allows(Origin::Value(bytes), text[1].as_bytes()));
    }
    black_box(mask(*key, bytes));
    black_box(reconnect_delay(attempt, attempt));
    black_box(Keepalive::new(Duration::ZERO, Timing::default()));
    black_box(Connection::new(Server, &Config::default(), Agreed::with_reserved(Rsv::RSV1)));
    black_box(core::mem::size_of::<Reader<ServerSide>>());
}
