"""The opening handshake of the echo server, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from .cases import Case, rules
from .wire import (
    SAMPLE_ACCEPT,
    SAMPLE_KEY,
    TEXT,
    Head,
    Mismatch,
    Peer,
    accept_for,
    expect,
    fresh_key,
    masked,
)

SPARE_BITS_KEY = "AQIDBAUGBwgJCgsMDQ4PEC=="
BAD = (400,)
# A request without a proper Upgrade is not a WebSocket request at all, and a
# server may take it for a plain one.
NOT_AN_UPGRADE = (400, 404, 426)


class Request:
    """A good request, to be spoiled in one place.

    `change` replaces the values of a field (None: leaves it out), `extra` is put
    in raw behind all others, `first` replaces the whole request line.
    """

    def __init__(
        self,
        first: str = "GET /chat HTTP/1.1",
        change: dict[str, str | list[str] | None] | None = None,
        extra: bytes = b"",
        tail: bytes = b"",
        lead: bytes = b"",
    ) -> None:
        self.first, self.change, self.extra = first, change or {}, extra
        self.tail, self.lead = tail, lead
        self.key = fresh_key()

    def bytes(self, host: str) -> bytes:
        fields: dict[str, str | list[str] | None] = {
            "Host": host,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": self.key,
            "Sec-WebSocket-Version": "13",
        }
        fields |= self.change
        key = fields["Sec-WebSocket-Key"]
        self.key = key.strip() if isinstance(key, str) else self.key
        out = self.lead + self.first.encode("latin-1") + b"\r\n"
        for name, value in fields.items():
            for line in [] if value is None else [value] if isinstance(value, str) else value:
                out += f"{name}: {line}\r\n".encode("latin-1")
        return out + self.extra + b"\r\n" + self.tail


def _with(**change: str | list[str] | None) -> Request:
    return Request(change={name.replace("_", "-"): value for name, value in change.items()})


def _raw(text: str) -> Request:
    return Request(extra=text.encode("latin-1"))


def _version(*values: str) -> Request:
    return Request(change={"Sec-WebSocket-Version": list(values)})


def _key(*values: str) -> Request:
    return Request(change={"Sec-WebSocket-Key": list(values)})


def _protocol(*values: str) -> Request:
    return Request(change={"Sec-WebSocket-Protocol": list(values)})


def _extension(*values: str) -> Request:
    return Request(change={"Sec-WebSocket-Extensions": list(values)})


def _target(target: str) -> Request:
    return Request(f"GET {target} HTTP/1.1")


# Name, rules, request: each must be accepted, without subprotocol or extension.
ACCEPTED: list[tuple[str, str, Request]] = [
    ("a plain good request", "W90", Request()),
    ("HTTP/1.2, a later 1.x", "W90", Request("GET /chat HTTP/1.2")),
    ("a target with a query", "W158", _target("/chat?a=b&c=%20d")),
    ("bad percent-encoding in the target, none of our business", "W158", _target("/%zz%")),
    ("a target in absolute form", "W158", _target("http://other.example/chat")),
    ("a target in absolute form with https and a port", "W158", _target("https://other.example:8443/chat?x")),
    ("a host name with a port", "W157", _with(Host="example.com:8080")),
    ("a host name without a port", "W157", _with(Host="example.com")),
    ("an IPv6 host", "W157", _with(Host="[::1]:9001")),
    ("an IPv6 host without a port", "W157", _with(Host="[2001:db8::1]")),
    ("a key whose spare bits are set", "W95", Request(change={"Sec-WebSocket-Key": SPARE_BITS_KEY})),
    ("white space around the key", "W95 W99", Request(change={"Sec-WebSocket-Key": f" \t{SAMPLE_KEY}\t "})),
    ("white space around the version", "W92 W99", _version("\t 13 \t")),
    ("Connection in a list", "W97", _with(Connection="keep-alive, Upgrade")),
    ("Connection over two lines", "W97", _with(Connection=["keep-alive", "upgrade"])),
    ("Connection in odd case", "W97", _with(Connection="uPgRaDe")),
    ("Connection with empty elements", "W97", _with(Connection=", ,Upgrade,")),
    ("Upgrade in odd case", "W98", _with(Upgrade="WebSocket")),
    ("Upgrade in a list", "W98", _with(Upgrade="h2c, websocket")),
    ("Upgrade over two lines", "W98", _with(Upgrade=["h2c", "websocket"])),
    (
        "field names in odd case",
        "W159",
        Request(change={"Upgrade": None, "Host": None}, extra=b"uPGRADE: websocket\r\nHOST: a\r\n"),
    ),
    ("an unknown field", "W159", _raw("X-Unknown!#$%&'*+-.^_`|~: yes\r\n")),
    ("an empty value", "W99", _raw("X-Empty:\r\n")),
    ("a tab inside a value", "W99", _raw("X-Tab: a\tb\r\n")),
    ("bytes 80 to FF in a value", "W99 W56", _raw("X-Bytes: \x80\xff\xc3\x28\r\n")),
    ("one empty line before the request", "W160", Request(lead=b"\r\n")),
    ("Content-Length: 0", "W101", _raw("Content-Length: 0\r\n")),
    ("any origin", "W108", _raw("Origin: http://elsewhere.example\r\n")),
    ("the origin null", "W108", _raw("Origin: null\r\n")),
    ("no offered subprotocol known", "W103", _protocol("foo, bar")),
    ("a subprotocol in another case is another", "W103", _protocol("ECHO, Chat")),
    ("permessage-deflate with a bad parameter, declined", "W107", _extension("permessage-deflate; foo=1")),
    ("an unknown extension", "W104", _extension("x-unknown")),
    ("unknown extensions with parameters", "W104", _extension('x-a; b; c=1; d="e" , x-f;g=h')),
    ("extensions over two lines", "W104", _extension("x-a", "x-b; c=1")),
    ("empty elements among extensions", "W104", _extension(", x-a,, x-b ,")),
]

# Name, rules, request, the one subprotocol that must be chosen (or any of several).
CHOSEN: list[tuple[str, str, Request, set[str]]] = [
    ("the subprotocol echo", "W103", _protocol("echo"), {"echo"}),
    ("the subprotocol chat behind an unknown one", "W103", _protocol("foo, chat"), {"chat"}),
    ("one of two known subprotocols", "W103", _protocol("chat, echo"), {"chat", "echo"}),
    ("subprotocols over two lines", "W103", _protocol("foo", "echo"), {"echo"}),
    ("a subprotocol among empty elements", "W103", _protocol(",, echo ,"), {"echo"}),
    ("two subprotocols that differ in case only", "W103", _protocol("ECHO, echo"), {"echo"}),
]

# Name, rules, request, statuses: each must be refused.
REFUSED: list[tuple[str, str, Request, tuple[int, ...]]] = [
    ("POST", "W90", Request("POST /chat HTTP/1.1"), (405,)),
    ("PUT", "W90", Request("PUT /chat HTTP/1.1"), (405,)),
    ("get in small letters is another method", "W90", Request("get /chat HTTP/1.1"), (405,)),
    ("a method that is no token", "W90", Request("G(T /chat HTTP/1.1"), (400, 405)),
    ("HTTP/1.0", "W90", Request("GET /chat HTTP/1.0"), (400, 505)),
    ("HTTP/0.9", "W90", Request("GET /chat HTTP/0.9"), (400, 505)),
    ("HTTP/2.0", "W90", Request("GET /chat HTTP/2.0"), (400, 505)),
    ("HTTP/1.10, two digits", "W90", Request("GET /chat HTTP/1.10"), (400, 505)),
    ("http/1.1 in small letters", "W90", Request("GET /chat http/1.1"), BAD),
    ("no version", "W90", Request("GET /chat"), BAD),
    ("two spaces behind the method", "W90", Request("GET  /chat HTTP/1.1"), BAD),
    ("a tab for a space", "W90", Request("GET\t/chat HTTP/1.1"), BAD),
    ("white space before the method", "W90", Request(" GET /chat HTTP/1.1"), BAD),
    ("white space behind the version", "W90", Request("GET /chat HTTP/1.1 "), BAD),
    ("Host missing", "W157", _with(Host=None), BAD),
    ("Host twice", "W157", _with(Host=["a.example", "b.example"]), BAD),
    ("Host twice, the same", "W157", _with(Host=["a.example", "a.example"]), BAD),
    ("Host empty", "W157", _with(Host=""), BAD),
    ("Host with user info", "W157", _with(Host="user@a.example"), BAD),
    ("Host with a path", "W157", _with(Host="a.example/x"), BAD),
    ("Host with a space", "W157", _with(Host="a b"), BAD),
    ("Host with a port that is no number", "W157", _with(Host="a.example:8a"), BAD),
    ("Host with two ports", "W157", _with(Host="a.example:1:2"), BAD),
    ("Host with an open bracket", "W157", _with(Host="[::1"), BAD),
    ("Host of a port only", "W157", _with(Host=":80"), BAD),
    (
        "Host missing though the target is absolute",
        "W157 W158",
        Request("GET http://a.example/ HTTP/1.1", {"Host": None}),
        BAD,
    ),
    ("the target *", "W158", _target("*"), BAD),
    ("a target in authority form", "W158", _target("a.example:80"), BAD),
    ("a target with a fragment", "W158", _target("/chat#top"), BAD),
    ("a target with an empty fragment", "W158", _target("/chat#"), BAD),
    ("a target with a space", "W158", _target("/a b"), BAD),
    ("a target with a control", "W158", _target("/a\x01b"), BAD),
    ("a target with DEL", "W158", _target("/a\x7fb"), BAD),
    ("a target without a slash", "W158", _target("chat"), BAD),
    ("a target in absolute form of another scheme", "W158", _target("ftp://a.example/"), BAD),
    ("a target in absolute form without a host", "W158", _target("http:///chat"), BAD),
    ("a target in absolute form with user info", "W157 W158", _target("http://u@a.example/"), BAD),
    ("a target of 70000 bytes", "W158", _target("/" + "a" * 70_000), (414,)),
    ("version 12", "W91", _version("12"), (426,)),
    ("version 14", "W91", _version("14"), (426,)),
    ("version 8", "W91", _version("8"), (426,)),
    ("version 0", "W91 W92", _version("0"), (426,)),
    ("version 255", "W91 W92", _version("255"), (426,)),
    ("version 256", "W92", _version("256"), BAD),
    ("version 013", "W92", _version("013"), BAD),
    ("version +13", "W92", _version("+13"), BAD),
    ("version -13", "W92", _version("-13"), BAD),
    ("version 13.0", "W92", _version("13.0"), BAD),
    ("version 1.3e1", "W92", _version("1.3e1"), BAD),
    ("version 0xd", "W92", _version("0xd"), BAD),
    ("version 1 3", "W92", _version("1 3"), BAD),
    ("version empty", "W92", _version(""), BAD),
    ("version 13, 12 in one line", "W92", _version("13, 12"), BAD),
    ("version 13 on two lines", "W92", _version("13", "13"), BAD),
    ("versions 8 and 13 on two lines", "W92", _version("8", "13"), BAD),
    ("version missing", "W93", _version(), (400, 426)),
    ("key missing", "W95", _key(), BAD),
    ("key empty", "W95", _key(""), BAD),
    ("key twice", "W96", _key(SAMPLE_KEY, SPARE_BITS_KEY), BAD),
    ("key twice, the same", "W96", _key(SAMPLE_KEY, SAMPLE_KEY), BAD),
    ("key of 15 bytes", "W95", _key("AAAAAAAAAAAAAAAAAAAA"), BAD),
    ("key of 17 bytes", "W95", _key("AAAAAAAAAAAAAAAAAAAAAAA="), BAD),
    ("key of 18 bytes", "W95", _key("AAAAAAAAAAAAAAAAAAAAAAAA"), BAD),
    ("key without padding", "W95", _key("AAAAAAAAAAAAAAAAAAAAAA"), BAD),
    ("key with one sign too many", "W95", _key("AAAAAAAAAAAAAAAAAAAAAAA=="), BAD),
    ("key in the URL alphabet", "W95", _key("AAAAAAAAAA-_AAAAAAAAAA=="), BAD),
    ("key with a space inside", "W95", _key("AAAAAAAAAA AAAAAAAAAAA=="), BAD),
    ("key with a byte above 7F", "W95 W56", _key("AAAAAAAAAA\xe9AAAAAAAAAAA=="), BAD),
    ("Connection missing", "W97", _with(Connection=None), NOT_AN_UPGRADE),
    ("Connection without upgrade", "W97", _with(Connection="keep-alive"), NOT_AN_UPGRADE),
    ("Connection with a longer word", "W97", _with(Connection="Upgraded"), NOT_AN_UPGRADE),
    ("Connection quoted", "W97", _with(Connection='"Upgrade"'), NOT_AN_UPGRADE),
    ("Upgrade missing", "W98", _with(Upgrade=None), NOT_AN_UPGRADE),
    ("Upgrade to something else", "W98", _with(Upgrade="h2c"), NOT_AN_UPGRADE),
    ("Upgrade with a longer word", "W98", _with(Upgrade="websockets"), NOT_AN_UPGRADE),
    ("Upgrade with a version", "W98", _with(Upgrade="websocket/13"), NOT_AN_UPGRADE),
    ("an obsolete fold", "W99", _raw("X-Fold: a\r\n b\r\n"), BAD),
    ("an obsolete fold by a tab", "W99", _raw("X-Fold: a\r\n\tb\r\n"), BAD),
    ("white space before the first field", "W99", Request("GET /chat HTTP/1.1\r\n X: a"), BAD),
    ("a bare LF in a value", "W99", _raw("X-A: a\nX-B: b\r\n"), BAD),
    ("a bare CR in a value", "W99", _raw("X-A: a\rb\r\n"), BAD),
    ("a bare LF behind the request line", "W99", Request("GET /chat HTTP/1.1\nX: a"), BAD),
    ("NUL in a value", "W99", _raw("X-A: a\0b\r\n"), BAD),
    ("another control in a value", "W99", _raw("X-A: a\x0bb\r\n"), BAD),
    ("DEL in a value", "W99", _raw("X-A: a\x7fb\r\n"), BAD),
    ("a space before the colon", "W99", _raw("X-A : a\r\n"), BAD),
    ("a line without a colon", "W159", _raw("X-A\r\n"), BAD),
    ("an empty field name", "W159", _raw(": a\r\n"), BAD),
    ("a field name that is no token", "W159", _raw("X(A): a\r\n"), BAD),
    ("a field name with a byte above 7F", "W159 W56", _raw("X-\xe9: a\r\n"), BAD),
    ("a header line of 100000 bytes", "W100", _raw("X-Long: " + "a" * 100_000 + "\r\n"), (431,)),
    ("a field name of 100000 bytes", "W100", _raw("X" * 100_000 + ": a\r\n"), (431,)),
    ("5000 header lines", "W100", _raw("".join(f"X-{n}: a\r\n" for n in range(5000))), (431,)),
    ("a body announced by Content-Length", "W101", _raw("Content-Length: 5\r\n"), BAD),
    ("a body announced by Transfer-Encoding", "W101", _raw("Transfer-Encoding: chunked\r\n"), BAD),
    ("a repeated subprotocol", "W103", _protocol("echo, echo"), BAD),
    ("a subprotocol repeated over lines", "W103", _protocol("echo", "chat, echo"), BAD),
    ("an unknown subprotocol repeated", "W103", _protocol("foo, foo"), BAD),
    ("an empty list of subprotocols", "W103", _protocol(""), BAD),
    ("a list of empty subprotocols", "W103", _protocol(" , ,"), BAD),
    ("a subprotocol that is no token", "W103", _protocol("a/b"), BAD),
    ("a subprotocol with a space", "W103", _protocol("echo chat"), BAD),
    ("a quoted subprotocol", "W103", _protocol('"echo"'), BAD),
    ("an extension of two words", "W104", _extension("x-a b"), BAD),
    ("an extension without a name", "W104", _extension("; a=1"), BAD),
    ("an extension with an empty parameter", "W104", _extension("x-a;; b"), BAD),
    ("an extension ended by a semicolon", "W104", _extension("x-a;"), BAD),
    ("an extension parameter without a name", "W104", _extension("x-a; =1"), BAD),
    ("an extension parameter with an empty value", "W104", _extension("x-a; b="), BAD),
    ("an extension parameter quoted without end", "W104", _extension('x-a; b="c'), BAD),
    ("an extension parameter quoting no token", "W104", _extension('x-a; b="c d"'), BAD),
    ("an extension parameter quoting nothing", "W104", _extension('x-a; b=""'), BAD),
    ("an extension name that is no token", "W104", _extension("x@a"), BAD),
    ("a broken extension behind a good one", "W104", _extension("x-a, x-b; c=d e"), BAD),
    ("a broken extension on the second line", "W104", _extension("x-a", "x-b; ="), BAD),
]


def check_accepted(head: Head, key: str, chosen: set[str] | None = None, extensions: bool = False) -> None:
    expect(head.first.startswith("HTTP/1.1 101"), "HTTP/1.1 101", head)
    expect(head.one("Upgrade").lower() == "websocket", "Upgrade: websocket", head)
    expect("upgrade" in head.tokens("Connection"), "Connection: Upgrade", head)
    accept = accept_for(key)
    expect(head.one("Sec-WebSocket-Accept") == accept, f"the accept value {accept}", head)
    protocols = head.all("Sec-WebSocket-Protocol")
    if chosen is None:
        expect(protocols == [], "no subprotocol", head)
    else:
        expect(len(protocols) == 1 and protocols[0] in chosen, f"one subprotocol of {chosen}", head)
    for name in ("Sec-WebSocket-Extensions", "Content-Length", "Transfer-Encoding"):
        if not (extensions and name == "Sec-WebSocket-Extensions"):
            expect(head.all(name) == [], f"no {name}", head)


async def check_refused(peer: Peer, statuses: tuple[int, ...]) -> None:
    head = await peer.head()
    expect(head.first.startswith("HTTP/1.1 "), "an HTTP/1.1 status line", head)
    expect(head.status in statuses, f"status {' or '.join(map(str, statuses))}", head)
    for name in ("Accept", "Protocol", "Extensions"):
        expect(head.all(f"Sec-WebSocket-{name}") == [], f"no Sec-WebSocket-{name} in a refusal", head)
    expect("close" in head.tokens("Connection"), "Connection: close in a refusal", head)
    if head.status == 405:
        expect(head.one("Allow") == "GET", "Allow: GET", head)
    if head.status == 426:
        expect(head.one("Sec-WebSocket-Version") == "13", "Sec-WebSocket-Version: 13", head)
        expect(head.one("Upgrade").lower() == "websocket", "Upgrade: websocket", head)
        expect("upgrade" in head.tokens("Connection"), "Connection: Upgrade", head)
    length = head.one("Content-Length")
    expect(length.isdigit(), "a number in Content-Length", length)
    await peer.take(int(length), f"a body of {length} bytes")
    # Part of a request that was refused early may lie unread, which is a reset.
    await peer.end(reset_is_fine=True)


class Handshakes:
    """The cases, bound to one server."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def accepted(self, request: Request, chosen: set[str] | None = None) -> None:
        peer = await Peer.connect(self.host, self.port)
        try:
            await peer.send(request.bytes(self.authority))
            check_accepted(await peer.head(), request.key, chosen)
            await self._echoes(peer)
        finally:
            peer.close()

    async def refused(self, request: Request, statuses: tuple[int, ...]) -> None:
        peer = await Peer.connect(self.host, self.port)
        # A long request may be refused before it has been sent.
        sender = asyncio.create_task(peer.send(request.bytes(self.authority)))
        try:
            await check_refused(peer, statuses)
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
            peer.close()

    async def _echoes(self, peer: Peer) -> None:
        await peer.send(masked(TEXT, b"ping?"))
        echo = await peer.frame("an echo")
        expect((echo.opcode, echo.payload) == (TEXT, b"ping?"), "an echo", echo)

    async def sample_key(self) -> None:
        peer = await Peer.connect(self.host, self.port)
        try:
            await peer.send(Request(change={"Sec-WebSocket-Key": SAMPLE_KEY}).bytes(self.authority))
            accept = (await peer.head()).one("Sec-WebSocket-Accept")
            expect(accept == SAMPLE_ACCEPT, SAMPLE_ACCEPT, accept)
        finally:
            peer.close()

    async def frames_with_the_head(self) -> None:
        tail = masked(TEXT, b"early") + masked(TEXT, b"bird")
        request = Request(tail=tail)
        peer = await Peer.connect(self.host, self.port)
        try:
            await peer.send(request.bytes(self.authority))
            check_accepted(await peer.head(), request.key)
            for word in (b"early", b"bird"):
                echo = await peer.frame("an echo of a frame sent with the head")
                expect(echo.payload == word, word, echo)
        finally:
            peer.close()

    async def byte_by_byte(self) -> None:
        request = Request(lead=b"\r\n", tail=masked(TEXT, b"slow"))
        peer = await Peer.connect(self.host, self.port)
        try:
            await peer.send_bytewise(request.bytes(self.authority))
            check_accepted(await peer.head(), request.key)
            echo = b""
            while echo != b"slow":  # which may come in as many fragments as the message came in reads
                echo += (await peer.frame("an echo")).payload
                expect(b"slow".startswith(echo), b"slow", echo)
        finally:
            peer.close()

    async def refused_byte_by_byte(self) -> None:
        peer = await Peer.connect(self.host, self.port)
        try:
            await peer.send_bytewise(_version("013").bytes(self.authority))
            await check_refused(peer, BAD)
        finally:
            peer.close()

    async def cut_off(self) -> None:
        """The stream ends inside the head: the connection ends, and nothing else does."""
        peer = await Peer.connect(self.host, self.port)
        try:
            await peer.send(Request().bytes(self.authority)[:60])
            peer.shut()
            try:
                await peer.end()
            except Mismatch:
                expect(peer.buffer.startswith(b"HTTP/1.1 4"), "the end, or a 4xx answer", bytes(peer.buffer))
        finally:
            peer.close()
        await self.accepted(Request())

    async def plain_get(self, target: str, status: int) -> None:
        peer = await Peer.connect(self.host, self.port)
        try:
            await peer.send(f"GET {target} HTTP/1.1\r\nHost: {self.authority}\r\n\r\n".encode())
            await check_refused(peer, (status,))
        finally:
            peer.close()


def cases(host: str, port: int) -> Iterator[Case]:
    bound = Handshakes(host, port)

    def case(name: str, names: str, check: Callable[..., Awaitable[None]], *args: object) -> Case:
        return Case(name, rules(names), lambda: check(*args))

    for name, names, request in ACCEPTED:
        yield case(f"accepts {name}", names, bound.accepted, request)
    for name, names, request, chosen in CHOSEN:
        yield case(f"chooses {name}", names, bound.accepted, request, chosen)
    for name, names, request, statuses in REFUSED:
        yield case(f"refuses {name}", f"{names} W110", bound.refused, request, statuses)
    yield case("answers the RFC's sample key", "W95", bound.sample_key)
    yield case("answers frames that came with the head", "W102", bound.frames_with_the_head)
    yield case("reads the head byte by byte", "W100 W102", bound.byte_by_byte)
    yield case("refuses a head byte by byte", "W92 W110", bound.refused_byte_by_byte)
    yield case("survives a head cut off", "W165", bound.cut_off)
    yield case("serves its page to a plain GET", "W110", bound.plain_get, "/", 200)
    yield case("serves nothing else to a plain GET", "W110", bound.plain_get, "/nothing", 404)
