"""The opening handshake of the client, against good and bad answers."""

from __future__ import annotations

import asyncio
import base64
import binascii
import socket
from collections.abc import Awaitable, Callable, Iterator

from .cases import Case, Skip, rules
from .client_run import Run, connecting, runs
from .wire import CLOSE, TEXT, accept_for, close_body, expect, frame

Answer = Callable[[Run], bytes]


def _with(*change: tuple[str, str | list[str] | None], first: str | None = None) -> Answer:
    def answer(run: Run) -> bytes:
        return run.answer(*change) if first is None else run.answer(*change, first=first)

    return answer


def _extra(raw: bytes) -> Answer:
    """A good 101 with raw lines at its end."""
    return lambda run: run.answer()[:-2] + raw + b"\r\n"


def _accept(spoil: Callable[[str], str | list[str] | None]) -> Answer:
    return lambda run: run.answer(("Sec-WebSocket-Accept", spoil(accept_for(run.key))))


def _before(raw: bytes) -> Answer:
    return lambda run: raw + run.answer()


def _only(raw: bytes) -> Answer:
    return lambda run: raw


def _status(line: str, extra: str = "", body: bytes = b"no") -> Answer:
    head = f"HTTP/1.1 {line}\r\n{extra}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    return _only(head.encode() + body)


FOLDED = b"X-Fold: a\r\n b\r\n\tc\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nContent-Length: 9\r\n\r\n"

# Each must be taken, and a message behind it printed.
GOOD: list[tuple[str, str, Answer]] = [
    ("a plain 101", "W112", _with()),
    ("another reason phrase", "W112", _with(first="HTTP/1.1 101 Go ahead, please")),
    ("an empty reason phrase", "W112", _with(first="HTTP/1.1 101 ")),
    ("odd case in values", "W114", _with(("Upgrade", "WebSocket"), ("Connection", "uPGRADE"))),
    ("odd case in names", "W159", lambda run: run.answer().replace(b"Sec-WebSocket-Accept", b"SEC-WEBSOCKET-ACCEPT")),
    ("Connection in a list", "W114", _with(("Connection", "keep-alive, Upgrade"))),
    ("Connection over two lines", "W114", _with(("Connection", ["keep-alive", "Upgrade"]))),
    ("white space around the accept value", "W115", _accept(lambda value: f" \t{value}\t ")),
    ("no white space behind the colon", "W99", lambda run: run.answer().replace(b": ", b":")),
    ("unknown fields", "W159", _extra(b"X-A: b\r\nServer: raw\r\nX-Empty:\r\n")),
    ("bytes 80 to FF in a value", "W99 W56", _extra(b"X-A: \x80\xff\xc3\x28\r\n")),
    ("an obsolete fold in an unknown field", "W99", _extra(FOLDED)),
    ("an obsolete fold in Connection", "W99", _with(("Connection", "keep-alive,\r\n Upgrade"))),
    ("an obsolete fold before the accept value", "W99", _accept(lambda value: f"\r\n {value}")),
    ("100 before the 101", "W123", _before(INTERIM)),
    ("100 and 103 before the 101", "W123 W164", _before(INTERIM + HINTS)),
    ("Content-Length in the 101", "W164", _extra(b"Content-Length: 5\r\n")),
    ("Transfer-Encoding in the 101", "W164", _extra(b"Transfer-Encoding: chunked\r\n")),
]

# Each must fail the connection before anything is sent.
BAD: list[tuple[str, str, Answer]] = [
    ("another accept value", "W115", _accept(lambda value: accept_for("other"))),
    ("an accept value in other case", "W115", _accept(str.swapcase)),
    ("an accept value with more behind it", "W115", _accept(lambda value: value + "AA")),
    ("an accept value cut short", "W115", _accept(lambda value: value[:-1])),
    ("an empty accept value", "W115", _accept(lambda value: "")),
    ("no accept value", "W115", _accept(lambda value: None)),
    ("the accept value twice", "W116 W115", _accept(lambda value: [value, value])),
    ("a right and a wrong accept value", "W116 W115", _accept(lambda value: [value, accept_for("")])),
    ("no Upgrade", "W114", _with(("Upgrade", None))),
    ("another Upgrade", "W114", _with(("Upgrade", "h2c"))),
    ("Upgrade with a longer word", "W114", _with(("Upgrade", "websockets"))),
    ("Upgrade with a version", "W114", _with(("Upgrade", "websocket/13"))),
    ("Upgrade with a list", "W114", _with(("Upgrade", "websocket, h2c"))),
    ("Upgrade over two lines", "W114", _with(("Upgrade", ["websocket", "websocket"]))),
    ("no Connection", "W114", _with(("Connection", None))),
    ("Connection without upgrade", "W114", _with(("Connection", "keep-alive"))),
    ("a subprotocol not offered", "W117", _with(("Sec-WebSocket-Protocol", "never-offered"))),
    ("an empty subprotocol", "W117", _with(("Sec-WebSocket-Protocol", ""))),
    ("an extension not offered", "W119", _with(("Sec-WebSocket-Extensions", "x-never-offered"))),
    (
        "permessage-deflate with an unknown parameter",
        "W119 W120",
        _with(("Sec-WebSocket-Extensions", "permessage-deflate; x-never=1")),
    ),
    ("an extension list that does not fit the grammar", "W104 W119", _with(("Sec-WebSocket-Extensions", "x-a; =1"))),
    ("HTTP/1.0", "W124", _with(first="HTTP/1.0 101 Switching Protocols")),
    ("HTTP/2.0", "W124", _with(first="HTTP/2.0 101 Switching Protocols")),
    ("the banner of another protocol", "W124", _only(b"SSH-2.0-OpenSSH_9.2\r\n")),
    ("a status of four digits", "W124 W112", _with(first="HTTP/1.1 1010 Switching")),
    ("a status that is no number", "W124 W112", _with(first="HTTP/1.1 abc Switching")),
    ("lines ended by LF alone", "W99 W124", lambda run: run.answer().replace(b"\r\n", b"\n")),
    ("NUL in a value", "W99", _extra(b"X-A: a\0b\r\n")),
    ("a bare CR in a value", "W99", _extra(b"X-A: a\rb\r\n")),
    ("a bare LF in a value", "W99", _extra(b"X-A: a\nX-B: b\r\n")),
    ("a space before the colon", "W99 W159", _extra(b"X-A : b\r\n")),
    ("a fold before the first field", "W99 W159", _with(first="HTTP/1.1 101 Switching\r\n folded")),
    ("a field name that is no token", "W159 W99", _extra(b"X(A): b\r\n")),
    ("a line without a colon", "W159 W99", _extra(b"X-A\r\n")),
    ("a header line of 500000 bytes", "W100", _extra(b"X-A: " + b"a" * 500_000 + b"\r\n")),
    ("20000 header lines", "W100", _extra(b"".join(b"X-%d: a\r\n" % n for n in range(20_000)))),
    ("10000 answers 100", "W123 W100", _before(INTERIM * 10_000)),
]

# Not HTTP, and without the end of a line: an end of stream follows.
NOISE: list[tuple[str, bytes]] = [
    ("an HTTP/2 preface", b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\0\0\xff\xff" + b"\0" * 20),
    ("an alert of TLS", b"\x15\x03\x03\0\x02\x02\x46"),
    ("frames without a 101", frame(TEXT, b"hello")),
]

STATUSES: list[tuple[int, Answer]] = [
    (200, _status("200 OK")),
    (204, _only(b"HTTP/1.1 204 No Content\r\n\r\n")),
    (301, _status("301 Moved Permanently", "Location: /elsewhere\r\n")),
    (401, _status("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"\r\n')),
    (403, _status("403 Forbidden")),
    (404, _status("404 Not Found", body=b"x" * 100_000)),
    (407, _status("407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="x"\r\n')),
    (426, _status("426 Upgrade Required", "Sec-WebSocket-Version: 8, 7\r\n")),
    (503, _status("503 Service Unavailable", "Retry-After: 9\r\n")),
]

URIS: list[tuple[str, str, str]] = [
    ("a fragment", "W166", "ws://127.0.0.1:9/#top"),
    ("an empty fragment", "W166", "ws://127.0.0.1:9/#"),
    ("a port above 65535", "W166", "ws://127.0.0.1:65536/"),
    ("a space", "W166", "ws://127.0.0.1:9/a b"),
    ("another scheme", "W166", "ftp://127.0.0.1:9/"),
    ("no host", "W166", "ws:///chat"),
    ("an IPv6 host without its bracket", "W166", "ws://[::1/"),
]


async def _greets(run: Run) -> None:
    """The connection is open in both directions, and closes well."""
    await run.printed(b"hello")
    await run.type(b"typed")
    opcode, payload, _ = await run.message()
    expect((opcode, payload) == (TEXT, b"typed"), "the line typed", (opcode, payload))
    run.end_input()
    await run.close_frame(1000)
    await run.peer.send(frame(CLOSE, close_body(1000)))
    run.peer.shut()
    await run.exits(0)


async def good(answer: Answer) -> None:
    async with connecting() as run:
        await run.peer.send(answer(run) + frame(TEXT, b"hello"))
        await _greets(run)


async def good_bytewise() -> None:
    async with connecting() as run:
        await run.peer.send_bytewise(INTERIM + _extra(FOLDED)(run) + frame(TEXT, b"hello"))
        await _greets(run)


async def bad(names: tuple[str, ...], answer: Answer) -> None:
    async with connecting() as run:
        await run.type(b"must not be sent")
        await refused(run, answer(run) + frame(TEXT, b"hello"))
        await run.fails(names)


async def refused(run: Run, data: bytes) -> None:
    """Sends what must be refused; nothing may come back but the end."""
    sender = asyncio.create_task(run.peer.send(data))
    try:
        await run.peer.end(3, reset_is_fine=True)
    finally:
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
    run.peer.close()


async def noise(data: bytes) -> None:
    async with connecting() as run:
        await run.peer.send(data)
        run.peer.shut()
        await run.peer.end(3, reset_is_fine=True)
        await run.fails(("W124", "W165"))


async def status(code: int, answer: Answer) -> None:
    async with connecting() as run:
        await run.peer.send(answer(run))
        run.peer.shut()
        await run.peer.end(3, reset_is_fine=True)
        _, err = await run.exits(1)
        expect(str(code) in err, f"the status {code} on standard error", repr(err.strip()))


async def cut_off(size: int) -> None:
    async with connecting() as run:
        await run.peer.send(run.answer()[:size])
        run.peer.shut()
        await run.peer.end(3, reset_is_fine=True)
        await run.fails(("W165",))


async def request(target: str, path: str, host: str = "127.0.0.1") -> None:
    async with connecting(target, host) as run:
        head = run.request
        name = f"[{host}]:{run.port}" if ":" in host else f"{host}:{run.port}"
        expect(head.first == f"GET {path} HTTP/1.1", f"GET {path} HTTP/1.1", head)
        expect(head.one("Host") == name, f"Host: {name}", head)
        expect("websocket" in head.tokens("Upgrade"), "Upgrade: websocket", head)
        expect("upgrade" in head.tokens("Connection"), "Connection: Upgrade", head)
        expect(head.one("Sec-WebSocket-Version") == "13", "version 13", head)
        _check_key(run.key)
        for field in ("Content-Length", "Transfer-Encoding"):
            expect(head.all(field) == [], f"no {field}", head)


def _check_key(key: str) -> None:
    try:
        size = len(base64.b64decode(key, validate=True))
    except binascii.Error:
        size = -1
    expect(size == 16 and len(key) == 24, "a key of 16 bytes in base64", repr(key))


async def request_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        raise Skip("no IPv6 on this machine") from None
    await request("/six", "/six", "::1")


async def fresh_keys() -> None:
    keys = set()
    for _ in range(5):
        async with connecting() as run:
            keys.add(run.key)
    expect(len(keys) == 5, "five different keys", keys)


async def patient() -> None:
    """Nothing is sent before the 101, though there is something to send."""
    async with connecting() as run:
        await run.type(b"typed early")
        await run.peer.silence(0.4)
        await run.peer.send(run.answer() + frame(TEXT, b"hello"))
        opcode, payload, _ = await run.message()
        expect((opcode, payload) == (TEXT, b"typed early"), "the line typed early", (opcode, payload))
        await _greets(run)


async def bad_uri(uri: str) -> None:
    code, err = await runs(uri)
    expect(code != 0 and bool(err.strip()), "a failure with a message", f"exit code {code}, {err.strip()!r}")


async def nobody_there() -> None:
    with socket.socket() as closed:  # bound, but not listening
        closed.bind(("127.0.0.1", 0))
        await bad_uri(f"ws://127.0.0.1:{closed.getsockname()[1]}/")


def cases() -> Iterator[Case]:
    def case(name: str, names: str, check: Callable[..., Awaitable[None]], *args: object) -> Case:
        return Case(name, rules(names), lambda: check(*args))

    yield case("sends a good request", "W111 W125 W166", request, "/chat", "/chat")
    yield case("sends a query", "W166", request, "/chat?room=1&x=%20y", "/chat?room=1&x=%20y")
    yield case("sends / for an empty path", "W166", request, "", "/")
    yield case("sends / before a query without path", "W166", request, "?room=1", "/?room=1")
    yield case("sends an IPv6 host", "W166", request_ipv6)
    yield case("sends a new key each time", "W111", fresh_keys)
    yield case("sends nothing before the 101", "W125", patient)
    for name, names, answer in GOOD:
        yield case(f"takes {name}", f"{names} W122", good, answer)
    yield case("takes a 101 byte by byte", "W100 W122 W123", good_bytewise)
    for name, names, answer in BAD:
        yield case(f"refuses {name}", names, bad, rules(names), answer)
    for name, data in NOISE:
        yield case(f"refuses {name}", "W124", noise, data)
    for code, answer in STATUSES:
        yield case(f"reports the status {code}", "W112 W113", status, code, answer)
    for size in (0, 5, 40):
        yield case(f"reports a head cut off after {size} bytes", "W165", cut_off, size)
    for name, names, uri in URIS:
        yield case(f"refuses a URI with {name}", names, bad_uri, uri)
    yield case("reports a connection refused", "W166", nobody_there)
