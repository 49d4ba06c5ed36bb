//! Runs the corpus, `tests/corpus/*.json`: streams and what they must lead to, for an implementation in any language.
//! The format is in docs/corpus.md. Every case runs at once, byte by byte, and split in two at every offset.
#![cfg(feature = "alloc")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Map, Value, json};
use websocket_proto::{
    Agreed, Cause, Client, CloseCode, Closer, Closure, Config, Connection, Event, HeadLimits, Input, Kind,
    Lenient, MaskKey, MaskSource, Origin, OriginPolicy, Outgoing, ProtocolError, Role, Rsv, Rule, SendError,
    Server, Session, Transport, Uri, client,
};

const CHAPTERS: [&str; 8] = [
    "frame_header",
    "control",
    "fragmentation",
    "utf8",
    "close",
    "masking",
    "handshake_server",
    "handshake_client",
];

/// Inputs above this length are split near their ends and at some places between.
const SHORT: usize = 1024;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn chapter(name: &str) -> Value {
    let text = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

macro_rules! chapters {
    ($($name:ident)*) => { $(#[test] fn $name() { run(stringify!($name)); })* };
}

chapters! { frame_header control fragmentation utf8 close masking handshake_server handshake_client }

/// A case with its file's defaults.
struct Case {
    name: String,
    case: Value,
    config: Map<String, Value>,
    responses: Value,
}

impl Case {
    fn list(&self, field: &str) -> &[Value] {
        self.case.get(field).map_or(&[], |list| list.as_array().unwrap())
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.config.get(field).map(|text| text.as_str().unwrap())
    }

    fn texts(&self, field: &str) -> Vec<&str> {
        let list = self.config.get(field).and_then(Value::as_array);
        list.map(|list| list.iter().map(|text| text.as_str().unwrap()).collect()).unwrap_or_default()
    }

    fn limits(&self) -> Config {
        let default = Config::default();
        // `null` is no limit.
        let limit = |field: &str, default: u64| match self.config.get(field) {
            None => default,
            Some(Value::Null) => u64::MAX,
            Some(limit) => limit.as_u64().unwrap(),
        };
        let head = |field: &str, default: u32| match self.config.get("head").and_then(|head| head.get(field))
        {
            None => default,
            Some(limit) => u32::try_from(limit.as_u64().unwrap()).unwrap(),
        };
        let lenient = self.texts("lenient");
        assert!(lenient.iter().all(|flag| ["non_minimal_length", "unmasked_frames"].contains(flag)));
        Config {
            frame_limit: limit("frame_limit", default.frame_limit),
            message_limit: limit("message_limit", default.message_limit),
            fragment_limit: u32::try_from(limit("fragment_limit", default.fragment_limit.into()))
                .unwrap_or(u32::MAX),
            lenient: Lenient {
                non_minimal_length: lenient.contains(&"non_minimal_length"),
                unmasked_frames: lenient.contains(&"unmasked_frames"),
            },
            head: HeadLimits {
                bytes: head("bytes", default.head.bytes),
                lines: u16::try_from(head("lines", default.head.lines.into())).unwrap(),
                line: head("line", default.head.line),
            },
        }
    }

    /// The reserved bits agreed on: of the connection, or by extension.
    fn reserved(&self) -> &Value {
        self.config.get("reserved").unwrap_or(&Value::Null)
    }

    fn keys(&self) -> Client<FixedKey> {
        Client(FixedKey(unhex(self.text("key").unwrap()).try_into().unwrap()))
    }
}

struct FixedKey(MaskKey);

impl MaskSource for FixedKey {
    fn next_key(&mut self) -> Option<MaskKey> {
        Some(self.0)
    }
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.is_ascii() && text.len().is_multiple_of(2), "{text:?}");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of the corpus' notation: hex, or a list of parts.
fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => unhex(text),
        Value::Array(parts) => parts.iter().flat_map(part).collect(),
        other => panic!("no bytes: {other}"),
    }
}

fn part(part: &Value) -> Vec<u8> {
    let (sort, value) = part.as_object().unwrap().iter().next().unwrap();
    match sort.as_str() {
        "hex" => unhex(value.as_str().unwrap()),
        "text" => value.as_str().unwrap().as_bytes().to_vec(),
        "repeat" => {
            unhex(value[0].as_str().unwrap()).repeat(usize::try_from(value[1].as_u64().unwrap()).unwrap())
        }
        other => panic!("no part: {other}"),
    }
}

/// An expected event with all its bytes as hex.
fn plain(event: &Value) -> Value {
    let mut event = event.clone();
    let compressed = event.get("compressed").is_some();
    let fields = event.as_object_mut().unwrap();
    for (name, value) in fields.iter_mut() {
        match (name.as_str(), &*value) {
            ("text", Value::String(text)) if !compressed => *value = hex(text.as_bytes()).into(),
            ("text" | "binary" | "ping" | "pong" | "body", _) => *value = hex(&bytes(value)).into(),
            _ => {}
        }
    }
    event
}

fn reserved(names: &Value) -> Rsv {
    let names = names.as_array().map(Vec::as_slice).unwrap_or_default();
    names.iter().fold(Rsv::NONE, |sum, name| {
        sum.with(match name.as_str().unwrap() {
            "rsv1" => Rsv::RSV1,
            "rsv2" => Rsv::RSV2,
            "rsv3" => Rsv::RSV3,
            other => panic!("no bit: {other}"),
        })
    })
}

/// What the three machines have in common.
trait Machine {
    fn receive<'b>(&mut self, input: &mut Input<'b>, out: &mut Vec<u8>) -> Option<Event<'b>>;
    fn act(&mut self, action: &Value, out: &mut Vec<u8>) -> Result<(), SendError>;
    /// What an event of the handshake tells; a request is answered.
    fn handshake(&mut self, case: &Case, out: &mut Vec<u8>) -> Value;
    /// The stream ends.
    fn end(&mut self) -> Closure;
    fn ended(&self) -> (Transport, Closure, Option<ProtocolError>);
}

impl<R: Role> Machine for Connection<R> {
    fn receive<'b>(&mut self, input: &mut Input<'b>, out: &mut Vec<u8>) -> Option<Event<'b>> {
        Self::receive(self, input, out)
    }

    fn act(&mut self, action: &Value, out: &mut Vec<u8>) -> Result<(), SendError> {
        let payload = |value: &Value| unhex(value.as_str().unwrap());
        if let Some(text) = action.get("text") {
            self.send(Outgoing::text(text.as_str().unwrap()), out)
        } else if let Some(body) = action.get("binary") {
            self.send(Outgoing::binary(&payload(body)), out)
        } else if let Some(body) = action.get("ping") {
            self.send(Outgoing::ping(&payload(body)), out)
        } else if let Some(body) = action.get("pong") {
            self.send(Outgoing::pong(&payload(body)), out)
        } else if let Some(place) = action.get("fragment") {
            let body = payload(&action["payload"]);
            let frame = match place.as_str().unwrap() {
                "text" => Outgoing::first(Kind::Text, &body),
                "binary" => Outgoing::first(Kind::Binary, &body),
                "next" => Outgoing::next(&body),
                "last" => Outgoing::last(&body),
                other => panic!("no fragment: {other}"),
            };
            self.send(frame, out)
        } else if let Value::Array(close) = &action["close"] {
            let code = u16::try_from(close[0].as_u64().unwrap()).unwrap();
            self.close(CloseCode::new(code), close[1].as_str().unwrap(), out)
        } else {
            assert!(action.get("close").is_some_and(Value::is_null), "no action: {action}");
            self.close_without_code(out);
            Ok(())
        }
    }

    fn handshake(&mut self, _: &Case, _: &mut Vec<u8>) -> Value {
        panic!("an event of the handshake behind it")
    }

    fn end(&mut self) -> Closure {
        self.receive_eof()
    }

    fn ended(&self) -> (Transport, Closure, Option<ProtocolError>) {
        (self.transport(), self.closure(), self.failure())
    }
}

impl Machine for Session<Server, Vec<u8>> {
    fn receive<'b>(&mut self, input: &mut Input<'b>, out: &mut Vec<u8>) -> Option<Event<'b>> {
        Self::receive(self, input, out)
    }

    fn act(&mut self, action: &Value, out: &mut Vec<u8>) -> Result<(), SendError> {
        self.connection().ok_or(SendError::NotOpen)?.act(action, out)
    }

    fn handshake(&mut self, case: &Case, out: &mut Vec<u8>) -> Value {
        let request = self.request().unwrap();
        let mut facts = json!({"target": request.target(), "host": request.host()});
        let origin = match request.origin() {
            Origin::Missing => None,
            Origin::Null => Some("null"),
            Origin::Value(value) => Some(std::str::from_utf8(value).unwrap()),
        };
        if let Some(origin) = origin {
            facts["origin"] = origin.into();
        }
        if !request.is_upgrade() {
            facts["plain"] = true.into();
        }
        let protocols: Vec<&str> = request.protocols().collect();
        let extensions: Vec<&str> = request.extensions().map(|extension| extension.name()).collect();
        for (name, list) in [("protocols", protocols), ("extensions", extensions)] {
            if !list.is_empty() {
                facts[name] = list.into();
            }
        }

        if let Some(status) = case.config.get("respond") {
            let status = u16::try_from(status.as_u64().unwrap()).unwrap();
            request.respond(status).write(out).unwrap();
            return json!({"requested": facts});
        }
        let list = case.texts("origin");
        let policy = match case.config.get("origin") {
            None => OriginPolicy::Any,
            Some(Value::Array(_)) => OriginPolicy::List(&list),
            Some(name) => match name.as_str().unwrap() {
                "same_host" => OriginPolicy::SameHost,
                "none" => OriginPolicy::NonBrowser,
                "any" => OriginPolicy::Any,
                other => panic!("no policy: {other}"),
            },
        };
        let mut accept = request.accept(policy).protocol(case.text("protocol"));
        if let Some(extensions) = case.text("extensions") {
            accept = accept.extensions(extensions, reserved(case.reserved()));
        }
        accept.write(out).unwrap();
        json!({"requested": facts})
    }

    fn end(&mut self) -> Closure {
        self.receive_eof()
    }

    fn ended(&self) -> (Transport, Closure, Option<ProtocolError>) {
        (self.transport(), self.closure(), self.failure())
    }
}

impl Machine for Session<Client<FixedKey>, Vec<u8>> {
    fn receive<'b>(&mut self, input: &mut Input<'b>, out: &mut Vec<u8>) -> Option<Event<'b>> {
        Self::receive(self, input, out)
    }

    fn act(&mut self, action: &Value, out: &mut Vec<u8>) -> Result<(), SendError> {
        self.connection().ok_or(SendError::NotOpen)?.act(action, out)
    }

    fn handshake(&mut self, _: &Case, _: &mut Vec<u8>) -> Value {
        let response = self.response().unwrap();
        if response.status() != 101 {
            let mut told = json!({"refused": response.status()});
            if !response.body().is_empty() {
                told["body"] = hex(response.body()).into();
            }
            return told;
        }
        let mut facts = json!({});
        if let Some(protocol) = response.protocol() {
            facts["protocol"] = protocol.into();
        }
        let extensions: Vec<&str> = response.extensions().map(|extension| extension.name()).collect();
        if !extensions.is_empty() {
            facts["extensions"] = extensions.into();
        }
        json!({"opened": facts})
    }

    fn end(&mut self) -> Closure {
        self.receive_eof()
    }

    fn ended(&self) -> (Transport, Closure, Option<ProtocolError>) {
        (self.transport(), self.closure(), self.failure())
    }
}

/// A machine under test, and what it told and sent.
struct Probe<'c> {
    case: &'c Case,
    machine: Box<dyn Machine>,
    out: Vec<u8>,
    events: Vec<Value>,
    /// The message under way.
    message: Option<(Kind, Vec<u8>)>,
}

impl<'c> Probe<'c> {
    /// `None`: the URI was refused.
    fn new(case: &'c Case, chapter: &Value) -> Option<Self> {
        let (config, mut out) = (case.limits(), Vec::new());
        let frames = chapter["starts"] == "frames";
        let agreed = || Agreed::with_reserved(reserved(case.reserved()));
        let machine: Box<dyn Machine> = match (case.case["role"].as_str().unwrap(), frames) {
            ("server", true) => Box::new(Connection::new(Server, &config, agreed())),
            ("client", true) => Box::new(Connection::new(case.keys(), &config, agreed())),
            ("server", false) => Box::new(Session::server(vec![0; 16 << 10], config)),
            ("client", false) => {
                let uri = Uri::parse(case.text("uri").unwrap()).ok()?;
                let nonce = unhex(case.text("nonce").unwrap()).try_into().unwrap();
                let protocols = case.texts("protocols");
                let extensions: Vec<(&str, Rsv)> = case
                    .texts("extensions")
                    .into_iter()
                    .map(|offer| (offer, reserved(&case.reserved()[offer.split(';').next().unwrap()])))
                    .collect();
                let mut request =
                    client::Request::new(uri, nonce).protocols(&protocols).extensions(&extensions);
                if case.config.get("require_protocol").is_some() {
                    request = request.require_protocol();
                }
                Box::new(Session::client(case.keys(), vec![0; 16 << 10], config, &request, &mut out).unwrap())
            }
            other => panic!("no role: {other:?}"),
        };
        let mut probe = Self { case, machine, out, events: Vec::new(), message: None };
        probe.act("before");
        Some(probe)
    }

    fn act(&mut self, when: &str) {
        for action in self.case.list(when) {
            let result = self.machine.act(action, &mut self.out);
            let refused = action.get("refused").is_some();
            assert_eq!(result.is_err(), refused, "{}: {action}: {result:?}", self.case.name);
        }
    }

    fn feed(&mut self, piece: &[u8]) {
        let mut memory = piece.to_vec();
        let mut input = Input::new(&mut memory);
        while let Some(event) = self.machine.receive(&mut input, &mut self.out) {
            match event {
                Event::Requested | Event::Opened | Event::Refused => {
                    self.events.push(self.machine.handshake(self.case, &mut self.out));
                }
                event => note(event, &mut self.events, &mut self.message),
            }
        }
        assert!(input.is_empty(), "{}: bytes are left over", self.case.name);
    }

    fn end(&mut self) -> Closure {
        let before = self.machine.ended().0;
        let closure = self.machine.end();
        // A refusal whose body lasts until the end of the stream is complete with that.
        if before == Transport::Keep && closure.cause == Some(Cause::Refused) {
            self.events.push(self.machine.handshake(self.case, &mut self.out));
        }
        closure
    }

    /// Everything that a case says, as the machine has it.
    fn outcome(mut self) -> Value {
        let (transport, ..) = self.machine.ended();
        let (request, response) = (self.request(), self.response());
        let mut outcome = json!({
            "transport": match transport {
                Transport::Keep => "keep",
                Transport::Shut => "shut",
                Transport::AwaitEnd => "await_end",
                Transport::Drop => "drop",
            },
            "output": hex(&self.out),
            "closure": null,
        });
        for (name, value) in [("request", request), ("response", response)] {
            if let Some(value) = value {
                outcome[name] = value;
            }
        }
        if self.case.case.get("eof").is_some() {
            let closure = self.end();
            assert_eq!(self.end(), closure, "{}: the end again", self.case.name);
            assert_eq!(self.machine.ended().0, Transport::Drop, "{}: behind the end", self.case.name);
            let code = |code: Option<CloseCode>| code.map(CloseCode::get);
            outcome["closure"] = json!({
                "code": closure.code().get(),
                "clean": closure.clean,
                "cause": closure.cause.map(cause),
                "sent": code(closure.sent),
                "received": code(closure.received),
                "first": closure.first.map(|first| match first {
                    Closer::Local => "local",
                    Closer::Peer => "peer",
                }),
            });
        }
        let partial = self.message.take().filter(|(_, bytes)| !bytes.is_empty());
        outcome["partial"] = partial.map_or(Value::Null, |(kind, bytes)| json!({name(kind): hex(&bytes)}));
        if self.case.case["role"] == "client" {
            // The grammar of heads is shared: a client that fails on an answer has no status to send.
            for event in self.events.iter_mut().filter_map(|event| event.get_mut("failed")) {
                event.as_object_mut().unwrap().remove("status");
            }
        }
        outcome["events"] = self.events.into();
        outcome
    }

    /// The request taken off the output, and what the case asks of it.
    fn request(&mut self) -> Option<Value> {
        self.case.config.get("nonce")?;
        let head = Head::take(&mut self.out);
        let expected = self.case.case.get("request")?;
        assert_eq!(head.first[0], "GET", "{}", self.case.name);
        assert_eq!(head.first[2], "HTTP/1.1", "{}", self.case.name);
        head.check(&expected["required"], &expected["forbidden"], &self.case.name);
        let mut request = expected.clone();
        request["target"] = head.first[1].clone().into();
        Some(request)
    }

    /// The answer taken off the output, and what the case asks of it: a fault's status is in its event.
    fn response(&mut self) -> Option<Value> {
        let mut failed =
            self.case.list("events").iter().filter_map(|event| event.get("failed")?.get("status"));
        let implied = failed.next_back().map(|status| json!({"status": status}));
        let expected = self.case.case.get("response").or(implied.as_ref())?;
        let head = Head::take(&mut self.out);
        let status = &head.first[1];
        let responses = &self.case.responses;
        let default = responses.get(status).unwrap_or(&responses["other"]);
        let mut required = default["required"].clone();
        let more = expected.get("required").and_then(Value::as_object).cloned().unwrap_or_default();
        required.as_object_mut().unwrap().extend(more);
        let forbidden = default["forbidden"].as_array().unwrap().iter();
        let forbidden: Vec<&Value> =
            forbidden.filter(|name| required.get(name.as_str().unwrap()).is_none()).collect();
        head.check(&required, &json!(forbidden), &self.case.name);
        if status != "101" {
            let length = head.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("Content-Length"));
            let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
            assert_eq!(self.out.len(), length, "{}: the body", self.case.name);
            self.out.clear();
        }
        assert_eq!(expected["status"].to_string(), *status, "{}", self.case.name);
        self.case.case.get("response").cloned()
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Binary => "binary",
    }
}

fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Violation(_) => "violation",
        Cause::EndInHandshake => "end_in_handshake",
        Cause::Refused => "refused",
        Cause::EndInFrame => "end_in_frame",
        Cause::EndInMessage => "end_in_message",
        Cause::EndWithoutClose => "end_without_close",
        other => panic!("a new cause: {other}"),
    }
}

/// Writes an event down; the pieces of a message are joined.
fn note(event: Event<'_>, events: &mut Vec<Value>, message: &mut Option<(Kind, Vec<u8>)>) {
    events.push(match event {
        Event::Data(data) => {
            let part = data.part();
            assert_eq!(part.first, message.is_none(), "a message begins where the last one ended");
            let (kind, bytes) = message.get_or_insert_with(|| (part.kind, Vec::new()));
            assert_eq!(*kind, part.kind, "a message is of one kind");
            bytes.extend_from_slice(data.payload());
            if !part.last {
                return;
            }
            let mut event = json!({name(*kind): hex(bytes)});
            if part.compressed {
                event["compressed"] = true.into();
            }
            *message = None;
            event
        }
        Event::Ping(payload) => json!({"ping": hex(&payload)}),
        Event::Pong(payload) => json!({"pong": hex(&payload)}),
        Event::Close(None) => json!({"close": null}),
        Event::Close(Some(frame)) => json!({"close": [frame.code().get(), frame.reason()]}),
        Event::Failed(ProtocolError { rule, offset }) => {
            let mut failed = json!({"rule": rule.id(), "name": rule.name(), "offset": offset});
            if let Some(code) = rule.close_code() {
                failed["close_code"] = code.get().into();
            }
            if let Some(status) = rule.status() {
                failed["status"] = status.into();
            }
            json!({"failed": failed})
        }
        other => panic!("an event that the corpus does not know: {other:?}"),
    });
}

/// A request or a response: its first line in three, and its fields.
struct Head {
    first: Vec<String>,
    fields: Vec<(String, String)>,
}

impl Head {
    fn take(out: &mut Vec<u8>) -> Self {
        let end = out.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head is in the output");
        let text = String::from_utf8(out.drain(..end + 4).collect()).unwrap();
        let mut lines = text.trim_end().split("\r\n");
        let first = lines.next().unwrap().splitn(3, ' ').map(str::to_owned).collect();
        let field = |line: &str| {
            line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap()
        };
        Self { first, fields: lines.map(field).collect() }
    }

    fn check(&self, required: &Value, forbidden: &Value, case: &str) {
        let all = |name: &str| -> Vec<&str> {
            let fields = self.fields.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
            fields.map(|(_, value)| value.as_str()).collect()
        };
        for (name, value) in required.as_object().unwrap() {
            let found = all(name);
            let [found] = found[..] else { panic!("{case}: {name}: {found:?}") };
            let Some(value) = value.as_str() else { continue };
            // These three are lists without case.
            let sound = match name.as_str() {
                "Upgrade" | "Connection" | "Allow" => {
                    found.split(',').any(|element| element.trim().eq_ignore_ascii_case(value))
                }
                _ => found == value,
            };
            assert!(sound, "{case}: {name}: {found} instead of {value}");
        }
        for name in forbidden.as_array().unwrap() {
            assert!(all(name.as_str().unwrap()).is_empty(), "{case}: {name} is there");
        }
    }
}

/// What is expected, in the form of [`Probe::outcome`].
fn expected(case: &Case) -> Value {
    let field = |name: &str| case.case.get(name).cloned().unwrap_or_default();
    let mut expected = json!({
        "transport": field("transport"),
        "output": hex(&bytes(&field("output"))),
        "closure": field("closure"),
        "partial": match field("partial").as_object() {
            None => Value::Null,
            Some(partial) => {
                partial.iter().map(|(kind, value)| (kind.clone(), Value::from(hex(&bytes(value))))).collect()
            }
        },
        "events": case.list("events").iter().map(plain).collect::<Vec<_>>(),
    });
    for name in ["request", "response"] {
        if let Some(value) = case.case.get(name) {
            expected[name] = value.clone();
        }
    }
    expected
}

/// The cases of a file.
fn cases(chapter: &Value) -> Vec<Case> {
    const FIELDS: [&str; 15] = [
        "name",
        "rules",
        "role",
        "config",
        "before",
        "input",
        "after",
        "eof",
        "events",
        "partial",
        "request",
        "response",
        "output",
        "transport",
        "closure",
    ];
    const CONFIG: [&str; 14] = [
        "frame_limit",
        "message_limit",
        "fragment_limit",
        "lenient",
        "head",
        "reserved",
        "key",
        "nonce",
        "uri",
        "protocols",
        "extensions",
        "require_protocol",
        "origin",
        "respond",
    ];
    chapter["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| {
            let name = format!("{} ({}, {})", case["name"], case["role"], case["rules"]);
            let mut config = chapter["defaults"].as_object().unwrap().clone();
            let responses = config.remove("responses").unwrap_or_default();
            config.extend(case.get("config").and_then(Value::as_object).cloned().unwrap_or_default());
            // What a reader does not know it must not pass over.
            let unknown: Vec<_> = case
                .as_object()
                .unwrap()
                .keys()
                .filter(|field| !FIELDS.contains(&field.as_str()))
                .chain(config.keys().filter(|key| *key != "protocol" && !CONFIG.contains(&key.as_str())))
                .collect();
            assert!(unknown.is_empty(), "{name}: {unknown:?}");
            Case { name, case: case.clone(), config, responses }
        })
        .collect()
}

/// How an input is cut.
fn cuts(input: &[u8]) -> Vec<Vec<&[u8]>> {
    let near = if input.len() <= 16 * SHORT { 32 } else { 8 };
    let step = if input.len() <= 16 * SHORT { 1021 } else { 49_999 };
    let splits = (0..=input.len())
        .filter(|&at| input.len() <= SHORT || at < near || input.len() - at < near || at % step == 0)
        .map(|at| vec![&input[..at], &input[at..]]);
    [vec![input], input.chunks(1).collect()].into_iter().chain(splits).collect()
}

fn run(name: &str) {
    let chapter = chapter(name);
    assert_eq!((&chapter["chapter"], &chapter["splits"]), (&json!(name), &json!("any")));
    let (mut faults, cases) = (Vec::new(), cases(&chapter));
    assert!(!cases.is_empty());
    for case in &cases {
        let checked = std::panic::catch_unwind(|| check(case, &chapter));
        if checked.is_err() {
            faults.push(case.name.as_str());
        }
    }
    assert!(faults.is_empty(), "{name}: {} of {} differ:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

fn check(case: &Case, chapter: &Value) {
    let input = bytes(&case.case.get("input").cloned().unwrap_or_default());
    let expected = expected(case);
    if expected.get("request").is_some_and(|request| request == "refused") {
        assert!(Probe::new(case, chapter).is_none(), "{}: the URI is taken", case.name);
        return;
    }
    let probe = || Probe::new(case, chapter).unwrap_or_else(|| panic!("{}: the URI is refused", case.name));
    for pieces in cuts(&input) {
        let mut probe = probe();
        pieces.iter().for_each(|piece| probe.feed(piece));
        probe.act("after");
        let outcome = probe.outcome();
        let lens: Vec<usize> = pieces.iter().map(|piece| piece.len()).take(4).collect();
        assert_eq!(outcome, expected, "\n{}, in {} reads: {lens:?} ..", case.name, pieces.len());
    }
    // The byte that proves a fault is the first one with which it shows (W14). Behind a handshake offsets are counted
    // anew.
    let failed = case.list("events").iter().find_map(|event| event.get("failed"));
    if let Some(failed) = failed
        && (chapter["starts"] == "frames" || failed.get("close_code").is_none())
    {
        let offset = usize::try_from(failed["offset"].as_u64().unwrap()).unwrap();
        for (end, fails) in [(offset, false), (offset + 1, true)] {
            let mut probe = probe();
            probe.feed(&input[..end]);
            assert_eq!(probe.machine.ended().2.is_some(), fails, "{}: after {end} bytes", case.name);
        }
    }
}

/// The numbers of rules in a text.
fn numbers(text: &str) -> BTreeSet<u16> {
    let words = text.split(|character: char| !character.is_alphanumeric());
    words.filter_map(|word| word.strip_prefix('W')?.parse().ok()).collect()
}

/// Every rule that stands in docs/compliance.md and is not planned is shown by a case, or docs/corpus.md says why
/// not; no rule is both; and every fault that a stream can show is in the corpus.
#[test]
fn every_rule_has_a_case() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let page = fs::read_to_string(docs.join("compliance.md")).unwrap();
    let rows = page.split("## Not implemented yet").next().unwrap().lines();
    let due: BTreeSet<u16> = rows
        .filter_map(|line| line.strip_prefix("| W")?.split(' ').next()?.parse().ok())
        .filter(|number| matches!(number, 1..=126 | 151..=166))
        .collect();

    let (mut shown, mut faults) = (BTreeSet::new(), BTreeSet::new());
    for name in CHAPTERS {
        for case in cases(&chapter(name)) {
            shown.extend(case.list("rules").iter().flat_map(|rule| numbers(rule.as_str().unwrap())));
            let failed = case.list("events").iter().filter_map(|event| event.get("failed"));
            faults.extend(failed.map(|failed| failed["name"].as_str().unwrap().to_owned()));
        }
    }
    let page = fs::read_to_string(docs.join("corpus.md")).unwrap();
    let (_, example) = page.split_once("```json\n").expect("a case is walked through");
    let example = example.split("```").next().unwrap();
    let files = CHAPTERS.map(|name| fs::read_to_string(folder().join(format!("{name}.json"))).unwrap());
    assert!(files.iter().any(|file| file.contains(example)), "no such case: {example}");
    for name in CHAPTERS {
        let row = format!("| `{name}.json` | {} |", cases(&chapter(name)).len());
        assert!(page.contains(&row), "docs/corpus.md: {row}");
    }
    let section = page.split("## Rules that no case shows").nth(1).expect("the section is there");
    let rows = section.split("\n## ").next().unwrap().lines();
    let not: BTreeSet<u16> =
        rows.filter_map(|line| line.strip_prefix("| ")?.split('|').next()).flat_map(numbers).collect();

    let none = BTreeSet::new();
    assert_eq!(shown.intersection(&not).copied().collect::<BTreeSet<_>>(), none, "shown, and said not to be");
    assert_eq!(&due - &(&shown | &not), none, "neither shown nor said not to be");
    assert_eq!(&(&shown | &not) - &due, none, "no such rule");
    // What an application or a stage finds, what takes time, and what depends on a policy.
    let other = [
        "ControlRate",
        "Unacceptable",
        "InvalidPayload",
        "Policy",
        "InternalError",
        "CorruptCompression",
        "DeflateAnswer",
        "DeflateIgnored",
    ];
    for rule in Rule::ALL {
        assert_eq!(faults.contains(rule.name()), !other.contains(&rule.name()), "{rule}");
    }
}

/// The JSON is what the tables give. Needs Python; without one it is left to a machine that has it.
#[test]
fn the_corpus_is_up_to_date() {
    match Command::new("python3").arg(folder().join("generate.py")).arg("--check").output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => assert!(std::env::var_os("CI").is_none(), "python3: {error}"),
    }
}
