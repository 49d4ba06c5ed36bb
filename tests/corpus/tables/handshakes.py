"""The chapters about the opening handshake. In a row of bytes `^` stands before the byte that proves the fault."""

import re

from .build import (
    OWN_KEY, PEER_KEY, close, closure, data, failed, fields, frame, notation, payload, ping, pong, text,
)  # fmt: skip
from .rules import RULES

HOST = "Host: h\r\n"
UPGRADE = "Upgrade: websocket\r\n"
CONNECTION = "Connection: Upgrade\r\n"
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
VERSION = "Sec-WebSocket-Version: 13\r\n"
STATUS = "HTTP/1.1 101 Switching Protocols\r\n"
ACCEPT = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
PROTOCOL, EXTENSIONS = "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"
NOT_HTTP = closure(1006, cause="end_in_handshake")


def chunks(head):
    """A head as parts: ASCII as text, what is not as hex."""
    head = head.encode() if isinstance(head, str) else head
    parts = re.findall(rb"[\t\r\n -~]+|[^\t\r\n -~]+", head)
    return [part.decode() if part[0] in b"\t\r\n" or 32 <= part[0] < 127 else part for part in parts]


def completed(stream, lines):
    """A head that goes on soundly behind its fault and ends, for those who look at whole heads or lines alone."""
    if not stream.endswith(b"\n"):
        return stream
    there = {line.partition(b":")[0].strip() for line in stream.split(b"\n")}
    return stream + "".join(line for line in lines if line[:-2].partition(":")[0].encode() not in there).encode() + b"\r\n"


def shown(row):
    """A row with its mark, as a name."""
    row = row if isinstance(row, bytes) else row.encode()
    return repr(row.replace(b"GET / HTTP/1.1\r\n", b"").replace(b"HTTP/1.1 101\r\n", b""))[2:-1]


def marked(stream):
    stream = stream.encode("latin-1") if isinstance(stream, str) else stream
    at = stream.index(b"^")
    return stream[:at] + stream[at + 1 :], at


class Handshake:
    starts = "handshake"

    def __init__(self):
        self.cases = []

    def put(self, name, rules, head, events, frames=(), **more):
        wire = chunks(head) if head else []
        wire += [frame.bytes(self.key) for frame in frames]
        self.cases.append(fields(name=name, rules=rules.split(), role=self.role, input=notation(wire),
                                 events=events, **more))  # fmt: skip


# What an answer of a status must have beside its status, and what it must not have.
REFUSAL = {"required": {}, "forbidden": ["Sec-WebSocket-Accept", PROTOCOL, EXTENSIONS]}
RESPONSES = {
    "101": {
        "required": {"Upgrade": "websocket", "Connection": "Upgrade",
                     "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
        "forbidden": ["Content-Length", "Transfer-Encoding", PROTOCOL, EXTENSIONS],
    },
    "405": REFUSAL | {"required": {"Allow": "GET"}},
    "426": REFUSAL | {"required": {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}},
    "other": REFUSAL,
}  # fmt: skip


class ServerChapter(Handshake):
    role, key = "server", PEER_KEY
    defaults = {"responses": RESPONSES}

    def accepted(self, name, rules, head, facts=None, frames=(), events=(), required=None, output=(),
                 transport="keep", **more):  # fmt: skip
        """A 101. Without a subprotocol and extensions, unless they are required."""
        response = {"status": 101} | ({"required": required} if required else {})
        requested = {"target": "/", "host": "h"} | (facts or {})
        self.put(name, rules, head, [{"requested": requested}, *events], frames, response=response,
                 output=notation([frame.bytes(None) for frame in output]), transport=transport, **more)  # fmt: skip

    def answered(self, name, rules, head, status, facts=None, required=None, **more):
        """Whatever else the application answers."""
        requested = {"target": "/", "host": "h"} | (facts or {})
        self.put(name, rules, head, [{"requested": requested}], response=self.refusal(status, required or {}),
                 transport="shut", config={"respond": status}, **more)  # fmt: skip

    def refused(self, name, rules, head, rule, offset, required=None, facts=None, **more):
        status = RULES[rule][1]
        before = [{"requested": {"target": "/", "host": "h"} | facts}] if facts is not None else []
        response = self.refusal(status, required) if required else None  # the status of the event
        self.put(name, rules, head, [*before, failed(rule, offset)], response=response,
                 transport="shut", **more)  # fmt: skip

    @staticmethod
    def refusal(status, required):
        return {"status": status} | ({"required": required} if required else {})


def request(more=""):
    return f"GET / HTTP/1.1\r\n{HOST}{UPGRADE}{CONNECTION}{KEY}{VERSION}{more}\r\n"


def server():
    c = ServerChapter()

    def instead(line, more):
        assert line in request()
        return request().replace(line, more)

    def target(value):
        return instead("GET / ", f"GET {value} ")

    example = ("GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + KEY
               + "Origin: http://example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\n" + VERSION + "\r\n")  # fmt: skip
    facts = {"target": "/chat", "host": "server.example.com", "origin": "http://example.com",
             "protocols": ["chat", "superchat"]}  # fmt: skip
    c.accepted("the example of RFC 6455 1.3", "W90 W103", example, facts, config={"protocol": "chat"},
               required={PROTOCOL: "chat"})  # fmt: skip
    c.accepted("no subprotocol is chosen", "W103", example, facts)
    c.accepted("the second subprotocol is chosen", "W103", example, facts, config={"protocol": "superchat"},
               required={PROTOCOL: "superchat"})  # fmt: skip
    c.accepted("frames behind the head", "W102", request(), frames=[ping("1"), text("Hello"), close(1000)],
               events=[payload("ping", "1"), data("text", "Hello"), {"close": [1000, ""]}],
               output=[pong("1"), close(1000)], transport="shut")  # fmt: skip
    c.accepted("a fault behind the head, counted from the first frame", "W102", request(),
               frames=[text("a"), frame(0x83)], events=[data("text", "a"), failed("ReservedOpcode", 7)],
               output=[close(1002)], transport="shut")  # fmt: skip
    c.accepted("the stream ends behind the head", "W72", request(), eof=True,
               closure=closure(1006, cause="end_without_close"))  # fmt: skip
    c.put("the stream ends in the head", "W165", request()[:40], [], eof=True, closure=NOT_HTTP, transport="keep")
    c.put("the head is not complete", "W14", request()[:-2], [], transport="keep")

    # The grammar.
    grammar = [
        ("W90", "RequestLine", [
            "^ GET / HTTP/1.1\r\n", "^\nGET / HTTP/1.1\r\n", b"^\x16\x03\x01\x02\x00\x01", b"^\x81\x85",
            "G^\tET / HTTP/1.1\r\n", "GET^\r\n", "GET^\n", "GET^(/ HTTP/1.1\r\n", "GET /^\r\n", "GET /^\n",
            "GET / ^\r\n", "GET / ^ HTTP/1.1\r\n", "GET /a ^b HTTP/1.1\r\n", "GET / ^http/1.1\r\n",
            "GET / HTTP^ 1.1\r\n", "GET / HTTP/1.1^ \r\n", "GET / HTTP/1.1^\n", "GET / HTTP/1.1^1\r\n"]),
        ("W90", "RequestVersion", [
            "GET / HTTP/1.^0\r\n", "GET / HTTP/^0.9\r\n", "GET / HTTP/^2\r\n", "PRI * HTTP/^2.0\r\n\r\nSM\r\n\r\n",
            "GET / HTTP/^3.1\r\n", "GET / HTTP/1^1\r\n", "GET / HTTP/1.^x\r\n"]),
        ("W158", "TargetForm", [
            "GET /^#a HTTP/1.1\r\n", b"GET /a^\0b HTTP/1.1\r\n", "GET /^\tb HTTP/1.1\r\n",
            b"GET /^\x7f HTTP/1.1\r\n", b"GET /^\xc3\xa9 HTTP/1.1\r\n"]),
        ("W160", "RequestLine", ["\r\n^\r\nGET / HTTP/1.1\r\n"]),
        ("W160 W99", "LineEnding", ["\r^GET / HTTP/1.1\r\n"]),
        ("W99", "LineEnding", [
            "GET / HTTP/1.1\r^Host: h\r\n", "GET / HTTP/1.1\r^\r\n", "GET / HTTP/1.1\r\nHost: h^\nA: b\r\n",
            "GET / HTTP/1.1\r\nHost: h\r^A: b\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r^x"]),
        ("W99 W159", "FieldName", [
            "GET / HTTP/1.1\r\nHost: h\r\n^\n", "GET / HTTP/1.1\r\nHost^ : h\r\n", "GET / HTTP/1.1\r\nHost^\t: h\r\n",
            "GET / HTTP/1.1\r\n^ Host: h\r\n", "GET / HTTP/1.1\r\n^\tHost: h\r\n"]),
        ("W159", "FieldName", [
            "GET / HTTP/1.1\r\n^: h\r\n", "GET / HTTP/1.1\r\nHost^\r\n", "GET / HTTP/1.1\r\nHo^(st: h\r\n",
            b"GET / HTTP/1.1\r\nA^\0: h\r\n"]),
        ("W56 W159", "FieldName", [b"GET / HTTP/1.1\r\nH^\xc3\xa9: h\r\n", b"GET / HTTP/1.1\r\n^\xff: h\r\n"]),
        ("W99", "Folding", [
            "GET / HTTP/1.1\r\nHost: h\r\n^ x\r\n", "GET / HTTP/1.1\r\nHost: h\r\n^\tx\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n^ \r\n"]),
        ("W99", "FieldValue", [
            b"GET / HTTP/1.1\r\nA: ^\0\r\n", b"GET / HTTP/1.1\r\nA: b^\x01c\r\n", b"GET / HTTP/1.1\r\nA:^\x0b\r\n",
            b"GET / HTTP/1.1\r\nA: b^\x1f\r\n", b"GET / HTTP/1.1\r\nA: b^\x7f\r\n"]),
    ]  # fmt: skip
    for rules, rule, rows in grammar:
        for row in rows:
            stream, at = marked(row)
            lines = [HOST, UPGRADE, CONNECTION, KEY, VERSION]
            c.refused(f"{rule} at {shown(row)}", rules, completed(stream, lines), rule, at)

    # What is found at the head's end.
    def version(value):
        return instead("Version: 13", f"Version: {value}")

    def key(value):
        return instead("dGhlIHNhbXBsZSBub25jZQ==", value)

    def host(value):
        return instead(HOST, f"Host: {value}\r\n")

    def line(name, *values):
        return request("".join(f"{name}: {value}\r\n" for value in values))

    rows = [
        *[("W90", "MethodNotAllowed", f"method {name}", instead("GET", name))
          for name in ["POST", "HEAD", "CONNECT", "get", "GETS", "!#$%&'*+-.^_`|~"]],
        ("W90", "MethodNotAllowed", "method OPTIONS *", instead("GET / ", "OPTIONS * ")),
        *[("W158", "TargetForm", f"target {value or 'empty'}", target(value))
          for value in ["*", "h:80", "?a", "", "ws://h/", "http:/h/", "http://", "http:///a", "http://u@h/",
                        "http://h:65536/", "http://[::1/"]],
        ("W157", "HostMissing", "no Host", instead(HOST, "")),
        ("W157", "HostMissing", "no Host, absolute target", instead("/ HTTP/1.1\r\nHost: h\r\n", "http://h/ HTTP/1.1\r\n")),
        ("W157", "HostRepeated", "Host twice", request(HOST)),
        ("W157", "HostRepeated", "Host twice, in another case", request("hOST: h\r\n")),
        *[("W157", "HostInvalid", f"Host {value.strip() or ('of white space' if value else 'empty')}", host(value))
          for value in ["", " \t", ":80", "u@h", "h:65536", "h:x", "::1", "[::1]x", "[::1", "h, h", "h h", "h/a"]],
        ("W56 W157", "HostInvalid", "Host not ASCII", host("h\u00e9")),
        *[("W101", "BodyAnnounced", f"Content-Length {value or 'empty'}", line("Content-Length", value))
          for value in ["1", "18446744073709551616", "-0", "+0", "0x0", ""]],
        ("W101", "BodyAnnounced", "Content-Length 0 and 5", line("Content-Length", "0", "5")),
        *[("W101", "BodyAnnounced", f"Transfer-Encoding {value or 'empty'}", line("transfer-encoding", value))
          for value in ["chunked", "", "identity"]],
        ("W98", "UpgradeWithoutWebsocket", "no Upgrade", instead(UPGRADE, "")),
        ("W98", "UpgradeWithoutWebsocket", "only a version", instead(UPGRADE + CONNECTION + KEY, "")),
        *[("W98", "UpgradeWithoutWebsocket", f"Upgrade {value or 'empty'}", instead(UPGRADE, f"Upgrade: {value}\r\n"))
          for value in ["", "websocket/13", "web socket", "h2c, websockets"]],
        ("W97", "ConnectionWithoutUpgrade", "no Connection", instead(CONNECTION, "")),
        *[("W97", "ConnectionWithoutUpgrade", f"Connection {value or 'empty'}",
           instead(CONNECTION, f"Connection: {value}\r\n"))
          for value in ["", "keep-alive", "Upgraded", '"Upgrade"', "keep-alive Upgrade"]],
        ("W93", "VersionMissing", "no version", instead(VERSION, "")),
        *[("W91", "VersionUnsupported", f"version {value}", version(value)) for value in [0, 8, 12, 14, 255]],
        *[("W92", "VersionInvalid", f"version {value or 'empty'}", version(value))
          for value in ["256", "", "013", "00", "+13", "-13", "13.0", "1 3", "13, 8", "13,"]],
        ("W56 W92", "VersionInvalid", "version in other digits", version("\u0661\u0663")),
        ("W92", "VersionInvalid", "version twice", request(VERSION)),
        ("W95", "KeyMissing", "no key", instead(KEY, "")),
        ("W96", "KeyRepeated", "key twice", request(KEY)),
        ("W96", "KeyRepeated", "key twice, in another case", request("sec-websocket-key: x\r\n")),
        *[("W95", "KeyInvalid", f"key {value or 'empty'}", key(value))
          for value in ["", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ===",
                        "dGhlIHNhbXBsZSBub25jZQAA", "dGhlIHNhbXBsZSBub25j-_==", "dGhlIHNhbXBsZSBub25j ZQ==",
                        "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="]],
        *[("W103", "ProtocolOffer", f"subprotocols {value or 'empty'}", line(PROTOCOL, value))
          for value in ["", ", ,", "a b", "a, b, a", "a;q=1"]],
        ("W103", "ProtocolOffer", "a subprotocol twice, over lines", line(PROTOCOL, "a", "b, a")),
        ("W56 W103", "ProtocolOffer", "a subprotocol not ASCII", line(PROTOCOL, "\u00e9")),
        *[("W104", "ExtensionOffer", f"extensions {value or 'empty'}", line(EXTENSIONS, value))
          for value in ["", ",", "a;", 'a; b="c d"', 'a; b=""', "a b", "a=b", ";a"]],
        ("W104", "ExtensionOffer", "extensions, a bad second line", line(EXTENSIONS, "a", "b;=1")),
    ]  # fmt: skip
    for rules, rule, name, head in rows:
        more = {"Connection": "close", "Content-Length": None} if name in ("no key", "no Host", "method POST") else {}
        c.refused(name, rules + (" W110" if more else ""), head, rule, len(head.encode()) - 1, more)
    c.refused("what follows a refusal changes nothing", "W110 W152", "GET\r\n" + request(),
              "RequestLine", 3)  # fmt: skip
    # Several faults: the method before Host, HTTP before WebSocket, the version before the key.
    for rule, head in [
        ("MethodNotAllowed", "POST * HTTP/1.1\r\n\r\n"),
        ("HostMissing", "GET * HTTP/1.1\r\nContent-Length: 1\r\n\r\n"),
        ("TargetForm", "GET * HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n"),
        ("BodyAnnounced", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nSec-WebSocket-Key: x\r\n\r\n"),
        ("VersionUnsupported", f"GET / HTTP/1.1\r\nHost: h\r\n{UPGRADE}{CONNECTION}Sec-WebSocket-Version: 14\r\n\r\n"),
    ]:
        c.refused(f"several faults, {rule}", RULES[rule][0], head, rule, len(head) - 1)

    # What is legal.
    for name in ["HTTP/1.2", "HTTP/1.9"]:
        c.accepted(name, "W90", instead("HTTP/1.1", name))
    c.accepted("an empty line first", "W160", "\r\n" + request())
    for value in ["/chat", "/chat?", "/chat?a=b?c&d", "/?x", "//a/../b", "/%2e%2F%zz\"<>\\^`{|}"]:
        c.accepted(f"target {value}", "W158", target(value), {"target": value})
    for value, authority in [("http://g", "g"), ("http://g:81/", "g:81"), ("HTTPS://G/a?b", "G"),
                             ("http://g?x", "g"), ("http://[::1]:8080/a", "[::1]:8080")]:  # fmt: skip
        c.accepted(f"target {value}", "W158", target(value), {"target": value, "host": authority})
    for value in ["h", " \t h \t", " h:8080", " h:", " [::1]:80", " 127.0.0.1"]:
        around = " with white space" if value.endswith("\t") else ""
        c.accepted(f"Host {value.strip()}{around}", "W157 W99",
                   instead(HOST, f"Host:{value}\r\n"), {"host": value.strip()})  # fmt: skip
    for n, lines in enumerate(["Connection: keep-alive, Upgrade\r\n", "Connection: ,\tUPGRADE ,,x\r\n",
                               "Connection: keep-alive\r\nCONNECTION: upgrade\r\n"], 1):  # fmt: skip
        c.accepted(f"Connection as a list {n}", "W97", instead(CONNECTION, lines))
    for n, lines in enumerate(["Upgrade: WebSocket\r\n", "Upgrade: h2c, websocket\r\n",
                               "Upgrade: h2c\r\nupgrade: x/1,WEBSOCKET\r\n"], 1):  # fmt: skip
        c.accepted(f"Upgrade as a list {n}", "W98", instead(UPGRADE, lines))
    c.accepted("white space around the version", "W92 W99", instead(" 13\r", "\t 13\t \r"))
    c.accepted("a key with spare bits", "W95", key("AQIDBAUGBwgJCgsMDQ4PEC=="), 
               required={"Sec-WebSocket-Accept": "OfS0wDaT5NoxF2gqm7Zj2YtetzM="})  # fmt: skip
    c.accepted("names in another case", "W159", instead("Sec-WebSocket-Key", "sEC-wEBsOCKET-kEY"))
    c.accepted("unknown fields", "W159", request("X-Unknown: y\r\n!#$%&'*+-.^_`|~0: z\r\n"))
    c.accepted("bytes above 7F and empty values", "W56 W99", request("X: \u00e9\r\nY:\r\nZ: \t \r\n"))
    c.accepted("no body", "W101", request("Content-Length: 00\r\nContent-Length: 0\r\n"))
    c.accepted("subprotocols over lines", "W103", line(PROTOCOL, "a, ,b", "A,", ""), {"protocols": ["a", "b", "A"]},
               config={"protocol": "A"}, required={PROTOCOL: "A"})  # fmt: skip
    c.accepted("extensions over lines", "W104 W106", line(EXTENSIONS, 'x; a="1", ,y', "x;b", "X"),
               {"extensions": ["x", "y", "x", "X"]})  # fmt: skip
    c.accepted("extensions are answered", "W104 W12", line(EXTENSIONS, "x; a, y"), {"extensions": ["x", "y"]},
               config={"extensions": "y; b", "reserved": ["rsv2"]}, required={EXTENSIONS: "y; b"},
               frames=[frame(0xA2, "a")], events=[data("binary", "a")])  # fmt: skip

    origin = lambda value: f"Origin: {value}\r\n"  # noqa: E731
    for policy, value, allowed in [
        ("same_host", "http://h", True), ("same_host", "https://H", True), ("same_host", "http://h:8080", False),
        ("same_host", "http://g", False), ("same_host", "null", False), ("same_host", "", False),
        ("same_host", "http://h/", False), ("same_host", "http://u@h", False), ("none", "http://h", False),
        ("any", "null", True), ("any", "nonsense", True),
        (["https://example.com", "null"], "https://example.com", True),
        (["https://example.com", "null"], "HTTPS://EXAMPLE.COM:443", True),
        (["https://example.com", "null"], "null", True),
        (["https://example.com", "null"], "http://example.com", False),
        (["https://example.com", "null"], "https://example.com:8443", False),
        (["https://example.com", "null"], "https://example.com.other", False),
    ]:  # fmt: skip
        head, asked = request(origin(value)), {"origin": value}
        name = f"origin {value or 'empty'}, policy {policy if isinstance(policy, str) else 'list'}"
        if allowed:
            c.accepted(name, "W108", head, asked, config={"origin": policy})
        else:
            c.refused(name, "W108", head, "OriginRefused", len(head) - 1, facts=asked, config={"origin": policy})
    for policy in ["same_host", "none", ["https://example.com"]]:
        name = policy if isinstance(policy, str) else "list"
        c.accepted(f"no origin, policy {name}", "W108", request(), config={"origin": policy})

    for status in [200, 302, 401, 404, 503]:
        c.answered(f"the application answers {status}", "W110", request(), status,
                   required={"Connection": "close", "Content-Length": None})  # fmt: skip
    c.answered("the application answers 204", "W110", request(), 204, required={"Connection": "close"})
    c.answered("a plain GET is shown a page", "W98 W110", "GET /page HTTP/1.1\r\nHost: h\r\n\r\n", 200,
               {"target": "/page", "plain": True})  # fmt: skip
    c.answered("another upgrade is a plain GET", "W98", f"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\n{CONNECTION}\r\n",
               200, {"plain": True})  # fmt: skip
    plain = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    c.refused("a plain GET is not accepted", "W98", plain, "UpgradeWithoutWebsocket", len(plain) - 1,
              facts={"plain": True})  # fmt: skip

    size = len(request())
    key_at = request().index(KEY)
    limits = [
        ("bytes", size, None, 0), ("bytes", size - 1, "HeadTooLong", size - 1), ("bytes", 10, "TargetTooLong", 10),
        ("lines", 5, None, 0), ("lines", 4, "TooManyLines", request().index(VERSION)),
        ("line", len(KEY) - 2, None, 0), ("line", len(KEY) - 3, "LineTooLong", key_at + len(KEY) - 3),
        ("line", 13, "TargetTooLong", 13),
    ]  # fmt: skip
    for what, limit, rule, at in limits:
        name, config = f"limit of {what}, {limit}", {"head": {what: limit}}
        if rule:
            c.refused(name, f"{RULES[rule][0]} W100" if rule == "TargetTooLong" else "W100", request(), rule, at,
                      config=config)  # fmt: skip
        else:
            c.accepted(name, "W100", request(), config=config)
    return c


class ClientChapter(Handshake):
    role, key = "client", None
    defaults = {"uri": "ws://server.example.com/chat", "nonce": b"the sample nonce".hex(), "key": OWN_KEY.hex()}

    def failed(self, name, rules, head, rule, offset, **more):
        self.put(name, rules, head, [failed(rule, offset)], transport="drop", **more)

    def opened(self, name, rules, head, facts=None, frames=(), events=(), output=(), transport="keep", **more):
        self.put(name, rules, head, [{"opened": facts or {}}, *events], frames, transport=transport,
                 output=notation([frame.bytes(OWN_KEY) for frame in output]), **more)  # fmt: skip

    def refused(self, name, rules, head, status, body="", **more):
        event = {"refused": status} | ({"body": notation([body.encode()])} if body else {})
        self.put(name, rules, head, [event], transport="drop", **more)


OFFERS = {"protocols": ["chat", "b"], "extensions": ["x; y", "z", "x"]}


def answer(more=""):
    return f"{STATUS}{UPGRADE}{CONNECTION}{ACCEPT}{more}\r\n"


def client():
    c = ClientChapter()

    def instead(line, more):
        assert line in answer()
        return answer().replace(line, more)

    # The request.
    def asks(name, rules, required=None, target="/chat", forbidden=(PROTOCOL, EXTENSIONS, "Origin"), **config):
        c.put(name, rules, "", [], transport="keep", config=config,
              request={"target": target, "required": required or {}, "forbidden": list(forbidden)})  # fmt: skip

    asks("the request of RFC 6455 1.3", "W111",
         {"Host": "server.example.com", "Upgrade": "websocket", "Connection": "Upgrade",
          "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"})  # fmt: skip
    asks("another nonce", "W111", {"Sec-WebSocket-Key": "AAECAwQFBgcICQoLDA0ODw=="}, nonce=bytes(range(16)).hex())
    asks("subprotocols and extensions are offered", "W117 W119",
         {PROTOCOL: "chat, b", EXTENSIONS: "x; y, z, x"}, forbidden=["Origin"], **OFFERS)  # fmt: skip
    for uri, host, target in [
        ("ws://example.com", "example.com", "/"), ("wss://example.com/chat?x=1", "example.com", "/chat?x=1"),
        ("WsS://Example.COM/Chat", "Example.COM", "/Chat"), ("ws://h:80/", "h", "/"), ("wss://h:443/", "h", "/"),
        ("ws://h:443/", "h:443", "/"), ("wss://h:80/", "h:80", "/"), ("ws://h:/", "h", "/"), ("ws://h:0/", "h:0", "/"),
        ("ws://h:65535", "h:65535", "/"), ("ws://h?q", "h", "/?q"), ("ws://h:81?q/?", "h:81", "/?q/?"),
        ("ws://h?", "h", "/?"), ("ws://[::1]", "[::1]", "/"), ("wss://[2001:DB8::7]:8443/a", "[2001:DB8::7]:8443", "/a"),
        ("ws://h/%41%2f%2F%00?%23", "h", "/%41%2f%2F%00?%23"), ("ws://a%20b/", "a%20b", "/"),
        ("ws://h//a/../b/.", "h", "//a/../b/."),
    ]:  # fmt: skip
        asks(f"URI {uri}", "W166", {"Host": host}, target, (), uri=uri)
    for uri in ["", "ws", "//h/", "/chat", "wsss://h", " ws://h", "http://h", "https://h", "ws:h", "ws:/h", "ws://",
                "ws:///path", "ws://:80", "ws://?q", "ws://::1/", "ws://h#", "ws://h/#", "ws://h/a?b#c",
                "ws://ann:pw@h/", "ws://@h/", "ws://[::1", "ws://[]", "ws://[::g]", "ws://[1.2.3.4]",
                "ws://[fe80::1%25eth0]/", "ws://[::1]x/", "ws://h]/", "ws://h:65536/", "ws://h:-1", "ws://h:8x",
                "ws://h:80:80", "ws://h /", "ws://h/ ", "ws://h/\n", "ws://h\r\nX: y/", "ws://h/\0",
                "ws://b\u00fccher.example/", "ws://h/\u00fc", "ws://h\\@g/", "ws://h/<>", "ws://h/a[0]", "ws://h/%",
                "ws://h/%4g"]:  # fmt: skip
        c.put(f"URI {uri!r} is no URI", "W166", "", [], request="refused", config={"uri": uri})

    # A 101.
    example = instead(ACCEPT, ACCEPT + f"{PROTOCOL}: chat\r\n")
    c.opened("the example of RFC 6455 1.3", "W114 W115 W117", example, {"protocol": "chat"}, config=OFFERS)
    c.opened("frames behind the head", "W122", answer(), frames=[ping("1"), text("Hello"), close(1000)],
             events=[payload("ping", "1"), data("text", "Hello"), {"close": [1000, ""]}],
             output=[pong("1"), close(1000)], transport="await_end")  # fmt: skip
    c.opened("a fault behind the head, counted from the first frame", "W122", answer(),
             frames=[text("a"), frame(0x83)], events=[data("text", "a"), failed("ReservedOpcode", 3)],
             output=[close(1002)], transport="shut")  # fmt: skip
    c.opened("no frame goes out before the 101", "W125", answer(), after=[{"text": "b"}], output=[text("b")],
             before=[{"text": "a", "refused": True}, {"close": [1000, ""], "refused": True}])  # fmt: skip
    c.put("no frame goes out without an answer", "W125", "", [], transport="keep",
          before=[{"text": "a", "refused": True}, {"ping": "", "refused": True}])  # fmt: skip
    c.opened("the stream ends behind the head", "W72", answer(), eof=True,
             closure=closure(1006, cause="end_without_close"))  # fmt: skip
    for n, line in enumerate(["", "HTTP/1.1 ", "HTTP/1.1 101 Switching Protocols\r\nUp", answer()[:-1]], 1):
        c.put(f"the stream ends in the head {n}", "W165", line, [], eof=True, closure=NOT_HTTP, transport="keep")

    def line(name, *values):
        return answer("".join(f"{name}: {value}\r\n" for value in values))

    for name, rules, head, facts in [
        ("nothing of what was offered", "W118", answer(), {}),
        ("HTTP/1.9", "W124", instead("HTTP/1.1", "HTTP/1.9"), {}),
        ("an empty reason", "W124", instead("Switching Protocols", ""), {}),
        ("no space before an empty reason", "W124", instead(" Switching Protocols", ""), {}),
        ("a reason that is not ASCII", "W56 W124", instead("Switching Protocols", "a \t b\u00e9"), {}),
        ("Upgrade in another case", "W99 W114", instead(UPGRADE, "UPGRADE:WebSocket \t\r\n"), {}),
        ("Connection as a list", "W114", instead(CONNECTION, "connection: keep-alive, UPGRADE\r\n"), {}),
        ("Connection over lines", "W114", instead(CONNECTION, "Connection: x\r\nConnection: ,upgrade\r\n"), {}),
        ("white space around Accept", "W99 W115",
         instead(ACCEPT, "sec-websocket-accept:\ts3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n"), {}),
        ("the second subprotocol", "W117", line(PROTOCOL, "b"), {"protocol": "b"}),
        ("a subprotocol and white space", "W99 W117", answer(f"{PROTOCOL}:chat\t\r\n"), {"protocol": "chat"}),
        ("an extension", "W119", line(EXTENSIONS, "z"), {"extensions": ["z"]}),
        ("extensions in another order", "W104 W119", line(EXTENSIONS, "z, ,x; q=1"), {"extensions": ["z", "x"]}),
        ("extensions over lines", "W104 W119", line(EXTENSIONS, "x", "z"), {"extensions": ["x", "z"]}),
        ("Accept behind a fold", "W99 W115",
         instead(ACCEPT, "Sec-WebSocket-Accept:\r\n  \t s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), {}),
        ("Connection with folds", "W99", instead(CONNECTION, "Connection: a,\r\n\tUpgrade\r\n ,b\r\n"), {}),
        ("folds of white space", "W99", answer("X: a\r\n \r\n\t\r\n  b\r\n"), {}),
        ("an interim answer", "W123", "HTTP/1.1 100 \r\n\r\n" + answer(), {}),
        ("two interim answers", "W123 W164", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
         "HTTP/1.1 102\r\nContent-Length: 9\r\n\r\n" + answer(), {}),
    ]:  # fmt: skip
        c.opened(name, rules, head, facts, config=OFFERS)
    for field in ["Content-Length: 2", "Transfer-Encoding: chunked"]:
        c.opened(f"a 101 with {field}", "W164", answer(f"{field}\r\n"), frames=[text("")], events=[data("text", "")])
    interim = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    c.opened("8 interim answers", "W123", interim * 8 + answer())
    c.failed("9 interim answers", "W123", interim * 9 + answer(), "TooManyInterim", len(interim) * 9 - 1)
    must = OFFERS | {"require_protocol": True}
    c.opened("a subprotocol is required and chosen", "W118", line(PROTOCOL, "chat"), {"protocol": "chat"}, config=must)
    c.failed("a subprotocol is required and none chosen", "W118", answer(), "ProtocolNotChosen", len(answer()) - 1,
             config=must)  # fmt: skip
    c.opened("reserved bits of an extension that was answered", "W12 W119", line(EXTENSIONS, "x"),
             {"extensions": ["x"]}, frames=[frame(0xA2, "a")], events=[data("binary", "a")],
             config=OFFERS | {"reserved": {"x": ["rsv2"], "z": ["rsv3"]}})  # fmt: skip
    c.opened("reserved bits of an extension that was not answered", "W8 W12", line(EXTENSIONS, "x"),
             {"extensions": ["x"]}, frames=[frame(0x92, "a")], events=[failed("ReservedBit", 0)], output=[close(1002)],
             transport="shut", config=OFFERS | {"reserved": {"x": ["rsv2"], "z": ["rsv3"]}})  # fmt: skip

    grammar = [
        ("W124", "NotHttp", [
            "^\r\nHTTP/1.1 101\r\n", "^SSH-2.0-OpenSSH_9.6\r\n", b"^\x15\x03\x01\x00\x02\x02\x46",
            "^PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"^\0\0\x12\x04\0\0\0\0\0", b"^\x81\x00", "^http/1.1 101\r\n",
            "HT^P/1.1 101\r\n", "HTTP^ 1.1 101\r\n"]),
        ("W124", "ResponseVersion", [
            "HTTP/^2 200\r\n", "HTTP/^2.0 200\r\n", "HTTP/1.^0 101 Switching\r\n", "HTTP/^0.9 200\r\n",
            "HTTP/1^ 101\r\n", "HTTP/1.^x 101\r\n"]),
        ("W124", "StatusLine", [
            "HTTP/1.1^\r\n", "HTTP/1.1^1 101\r\n", "HTTP/1.1^\t101\r\n", "HTTP/1.1 ^ 101\r\n", "HTTP/1.1 ^0101\r\n",
            "HTTP/1.1 ^099\r\n", "HTTP/1.1 ^+101\r\n", "HTTP/1.1 10^ \r\n", "HTTP/1.1 1^x1\r\n", "HTTP/1.1 10^\r\n",
            "HTTP/1.1 101^1\r\n", "HTTP/1.1 101^\n", b"HTTP/1.1 101 a^\0\r\n", "HTTP/1.1 101 a^\n",
            b"HTTP/1.1 101 a^\x7f\r\n"]),
        ("W99", "LineEnding", [
            "HTTP/1.1 101\r^x", "HTTP/1.1 101\r\nA: b^\n", "HTTP/1.1 101\r\nA: b\r^C: d\r\n",
            "HTTP/1.1 101\r\nA: b\r\n\r^\r", "HTTP/1.1 101\r\nA: b\r\n ^\n", "HTTP/1.1 101\r\nA: b\r\n \r^x"]),
        ("W99 W159", "FieldName", [
            "HTTP/1.1 101\r\n^ Upgrade: a\r\n", "HTTP/1.1 101\r\n^: a\r\n", "HTTP/1.1 101\r\n^\n",
            "HTTP/1.1 101\r\nUpgrade^ : a\r\n", "HTTP/1.1 101\r\nUpgrade^\r\n"]),
        ("W56 W159", "FieldName", [b"HTTP/1.1 101\r\nUp^\xffgrade: a\r\n"]),
        ("W99", "FieldValue", [
            b"HTTP/1.1 101\r\nA: b^\0\r\n", b"HTTP/1.1 101\r\nA: b^\x08\r\n", b"HTTP/1.1 101\r\nA: b\r\n ^\0\r\n"]),
    ]  # fmt: skip
    for rules, rule, rows in grammar:
        for row in rows:
            stream, at = marked(row)
            lines = [UPGRADE, CONNECTION, ACCEPT]
            c.failed(f"{rule} at {shown(row)}", rules, completed(stream, lines), rule, at)
    c.failed("a fault behind an interim answer", "W123 W124", "HTTP/1.1 100\r\n\r\nHTTP/2 200\r\n", "ResponseVersion",
             21)  # fmt: skip

    for rules, rule, name, head in [
        ("W114", "UpgradeAnswer", "no Upgrade", instead(UPGRADE, "")),
        *[("W114", "UpgradeAnswer", f"Upgrade {value or 'empty'}", instead(UPGRADE, f"Upgrade: {value}\r\n"))
          for value in ["", "websocket, h2c", "websocket,", "websocket/13", "h2c"]],
        ("W114", "UpgradeAnswer", "Upgrade twice", instead(UPGRADE, UPGRADE + UPGRADE.lower())),
        ("W114", "ConnectionAnswer", "no Connection", instead(CONNECTION, "")),
        ("W114", "ConnectionAnswer", "Connection close", instead(CONNECTION, "Connection: close\r\n")),
        ("W114", "ConnectionAnswer", "Connection Upgrade d", instead(CONNECTION, "Connection: Upgrade d\r\n")),
        ("W115", "AcceptMissing", "no Accept", instead(ACCEPT, "")),
        ("W115", "AcceptMismatch", "Accept empty", instead(ACCEPT, "Sec-WebSocket-Accept:\r\n")),
        ("W115", "AcceptMismatch", "Accept in another case", instead("s3pPLMB", "S3pPLMB")),
        ("W115", "AcceptMismatch", "Accept without padding", instead("xOo=\r", "xOo\r")),
        ("W115", "AcceptMismatch", "Accept with more padding", instead("xOo=\r", "xOo==\r")),
        ("W115", "AcceptMismatch", "Accept and a comma", instead("xOo=\r", "xOo=,\r")),
        ("W115", "AcceptMismatch", "Accept folded", instead(" s3pPLMB", " s3pPLMB\r\n ")),
        ("W115", "AcceptMismatch", "Accept is the key",
         instead("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "dGhlIHNhbXBsZSBub25jZQ==")),
        ("W116", "AcceptRepeated", "Accept twice", answer(ACCEPT)),
        ("W116", "ProtocolRepeated", "a subprotocol twice", line(PROTOCOL, "chat", "chat")),
        ("W116", "ProtocolRepeated", "a subprotocol and an empty one", line(PROTOCOL, "chat", "")),
        *[("W117", "ProtocolNotOffered", f"subprotocol {value or 'empty'}", line(PROTOCOL, value))
          for value in ["", "Chat", "other", "chat, b", "chat,", "chatb"]],
        ("W56 W117", "ProtocolNotOffered", "a subprotocol not ASCII", line(PROTOCOL, "\u00e9")),
        *[("W104", "ExtensionAnswer", f"extensions {value or 'empty'}", line(EXTENSIONS, value))
          for value in ["", "x;", 'x; y=""', "x y"]],
        ("W104", "ExtensionAnswer", "extensions, a bad second line", line(EXTENSIONS, "x", "z z")),
        *[("W119", "ExtensionNotOffered", f"extensions {value}", line(EXTENSIONS, value))
          for value in ["y", "x, permessage-deflate", "x, z, x"]],
        ("W106", "ExtensionNotOffered", "an extension in another case", line(EXTENSIONS, "X")),
        ("W119", "ExtensionNotOffered", "an extension twice, over lines", line(EXTENSIONS, "x", "x")),
    ]:  # fmt: skip
        c.failed(name, rules, head, rule, len(head.encode()) - 1, config=OFFERS)
    for name, head, rule in [
        ("a subprotocol without an offer", line(PROTOCOL, "chat"), "ProtocolNotOffered"),
        ("an empty subprotocol without an offer", line(PROTOCOL, ""), "ProtocolNotOffered"),
        ("an extension without an offer", line(EXTENSIONS, "x"), "ExtensionNotOffered"),
    ]:
        c.failed(name, RULES[rule][0], head, rule, len(head) - 1)

    # Another answer.
    for status, rules in [(200, "W112"), (204, "W112"), (301, "W112"), (307, "W112"), (400, "W112"), (401, "W113"),
                          (407, "W113"), (426, "W112"), (503, "W112"), (999, "W112")]:  # fmt: skip
        c.refused(f"status {status}", rules, f"HTTP/1.1 {status} a b\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", status)
    c.refused("status 200 with the fields of a 101", "W112", answer("Content-Length: 0\r\n").replace("101", "200"), 200)
    for n, (status, rest, body) in enumerate([
        (200, "Content-Length: 5\r\n\r\nhello", "hello"),
        (403, "content-length:\t05 \r\n\r\nhello", "hello"),
        (304, "Content-Length: 5\r\n\r\n", ""),
        (200, "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""),
        (200, "Transfer-Encoding: CHUNKED\r\n\r\n1\r\na\r\n00A\r\nbcdefghijk\r\n000\r\n\r\n", "abcdefghijk"),
        (200, "Transfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n0\r\nX: y\r\nZ:\r\n\r\n", "a"),
        (200, "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "ab"),
    ], 1):  # fmt: skip
        c.refused(f"a body {n}", "W112", f"HTTP/1.1 {status}\r\n{rest}HTTP/1.1 200 OK\r\n\r\n", status, body)
    c.put("a body that is not complete", "W112", "HTTP/1.1 500\r\nContent-Length: 5\r\n\r\nhell", [], transport="keep")
    c.put("a body until the end of the stream", "W112", "HTTP/1.1 500\r\n\r\nhello",
          [{"refused": 500, "body": b"hello".hex()}], transport="keep", eof=True,
          closure=closure(1006, cause="refused"))  # fmt: skip

    size = len(answer())
    at = answer().index(ACCEPT)
    for what, limit, rule, offset in [
        ("bytes", size, None, 0), ("bytes", size - 1, "HeadTooLong", size - 1), ("lines", 3, None, 0),
        ("lines", 2, "TooManyLines", at), ("line", len(ACCEPT) - 2, None, 0),
        ("line", len(ACCEPT) - 3, "LineTooLong", at + len(ACCEPT) - 3), ("line", 20, "LineTooLong", 20),
    ]:  # fmt: skip
        name, config = f"limit of {what}, {limit}", {"head": {what: limit}}
        if rule:
            # The answer is a server's: a client that fails on it has no status to send.
            event = {"failed": {"rule": "W100", "name": rule, "offset": offset}}
            c.put(name, "W100", answer(), [event], transport="drop", config=config)
        else:
            c.opened(name, "W100", answer(), config=config)
    for case in c.cases:
        for event in case.get("events", []):
            event.get("failed", {}).pop("status", None)
    return c


CHAPTERS = {"handshake_server": server, "handshake_client": client}
