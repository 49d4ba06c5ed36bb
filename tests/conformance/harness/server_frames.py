"""Frames and the closing handshake of the echo server, byte for byte."""

from __future__ import annotations

import os
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

from .cases import Case, rules
from .server_handshake import Request, check_accepted
from .violations import VIOLATIONS, Violation
from .wire import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Frame,
    Peer,
    close_body,
    expect,
    header,
    masked,
)

SIZES = (0, 1, 125, 126, 127, 65535, 65536, 65537)
LEGAL_CODES = (1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999)


def check_server_frame(frame: Frame) -> Frame:
    expect(frame.mask is None, "an unmasked frame from a server", frame)
    expect(frame.minimal, "the shortest length form", frame)
    expect(frame.rsv == 0, "no reserved bit", frame)
    return frame


async def message(peer: Peer, between: list[bytes] | None = None) -> tuple[int, bytes]:
    """A whole message, in whatever fragments; pongs on the way are put into `between`."""
    opcode, payload = None, bytearray()
    while True:
        frame = check_server_frame(await peer.frame("a message"))
        if frame.opcode == PONG and between is not None:
            between.append(frame.payload)
            continue
        wanted = (TEXT, BINARY) if opcode is None else (CONTINUATION,)
        expect(frame.opcode in wanted, f"an opcode of {wanted}", frame)
        opcode = frame.opcode if opcode is None else opcode
        payload += frame.payload
        if frame.fin:
            return opcode, bytes(payload)


async def closed(peer: Peer, code: int | None) -> None:
    """A Close of this code, then the end, the server's side first."""
    await _closed(check_server_frame(await peer.frame("a Close")), peer, code)


async def failed(peer: Peer, code: int) -> None:
    """The same, behind the unfinished echo of what came before the fault."""
    frame = check_server_frame(await peer.frame("a Close"))
    while frame.opcode in (TEXT, BINARY, CONTINUATION):
        expect(not frame.fin, "no complete echo", frame)
        frame = check_server_frame(await peer.frame("a Close"))
    await _closed(frame, peer, code)


async def _closed(frame: Frame, peer: Peer, code: int | None) -> None:
    expect(frame.opcode == CLOSE, f"a Close with {code}", frame)
    got = struct.unpack(">H", frame.payload[:2])[0] if len(frame.payload) > 1 else None
    expect(got == code, f"a Close with {code}", f"one with {got}: {frame}")
    expect(not (got is None and frame.payload), "an empty Close", frame)
    await peer.end()


class Frames:
    """The cases, bound to one server."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Peer]:
        peer = await Peer.connect(self.host, self.port)
        try:
            request = Request()
            await peer.send(request.bytes(f"{self.host}:{self.port}"))
            check_accepted(await peer.head(), request.key)
            yield peer
        finally:
            peer.close()

    async def echo(self, opcode: int, size: int) -> None:
        payload = b"x" * size if opcode == TEXT else os.urandom(size)
        async with self.open() as peer:
            await peer.send(masked(opcode, payload))
            got = await message(peer)
            expect(got == (opcode, payload), f"an echo of {size} bytes", f"opcode {got[0]}, {len(got[1])} bytes")
            await self.ends_well(peer)

    async def ends_well(self, peer: Peer) -> None:
        await peer.send(masked(CLOSE, close_body(1000)))
        await closed(peer, 1000)

    async def pings(self) -> None:
        async with self.open() as peer:
            for size in range(126):
                payload = os.urandom(size)
                await peer.send(masked(PING, payload))
                pong = check_server_frame(await peer.frame("a pong"))
                expect((pong.opcode, pong.payload) == (PONG, payload), f"a pong of {payload.hex()}", pong)
            await self.ends_well(peer)

    async def violation(self, item: Violation) -> None:
        async with self.open() as peer:
            await peer.send(item.make(os.urandom(4)))
            await failed(peer, item.code)

    async def unmasked(self, opcode: int) -> None:
        async with self.open() as peer:
            await peer.send(header(opcode, 5))  # the fault is in the second byte
            await closed(peer, 1002)

    async def close_code(self, code: int, reason: bytes) -> None:
        async with self.open() as peer:
            await peer.send(masked(CLOSE, close_body(code, reason)))
            answer = check_server_frame(await peer.frame("a Close"))
            expect(answer.opcode == CLOSE, "a Close", answer)
            expect(answer.payload == close_body(code), f"the code {code} alone", answer)
            await peer.end()

    async def empty_close(self) -> None:
        async with self.open() as peer:
            await peer.send(masked(CLOSE))
            await closed(peer, None)

    async def after_close(self, junk: bytes) -> None:
        async with self.open() as peer:
            await peer.send(masked(CLOSE, close_body(1000)) + junk)
            await closed(peer, 1000)

    async def after_failure(self) -> None:
        junk = masked(TEXT, b"late") + masked(PING, b"late") + masked(CLOSE, close_body(1000))
        async with self.open() as peer:
            await peer.send(masked(TEXT, b"early") + masked(3, b"bad") + junk)
            expect(await message(peer) == (TEXT, b"early"), "the echo of what came before", "another")
            await closed(peer, 1002)

    async def bytewise(self) -> None:
        async with self.open() as peer:
            await peer.send_bytewise(masked(BINARY, b"\xff" * 130) + masked(PING, b"p"))
            pongs: list[bytes] = []
            expect(await message(peer, pongs) == (BINARY, b"\xff" * 130), "an echo", "another")
            if not pongs:
                pongs.append(check_server_frame(await peer.frame("a pong")).payload)
            expect(pongs == [b"p"], "a pong", pongs)
            await peer.send_bytewise(masked(CLOSE, close_body(3000, "grün".encode())))
            await closed(peer, 3000)

    async def fragments(self) -> None:
        """Empty and split fragments, a character split over them, a ping between."""
        text = "κόσμε".encode()
        async with self.open() as peer:
            await peer.send(masked(TEXT, b"", fin=False) + masked(CONTINUATION, text[:1], fin=False))
            await peer.send(masked(PING, b"between"))
            pongs: list[bytes] = []
            seen = bytearray()
            while not pongs:  # the pong must come before the message is complete
                frame = check_server_frame(await peer.frame("a pong between fragments"))
                if frame.opcode == PONG:
                    pongs.append(frame.payload)
                else:
                    expect(not frame.fin, "an unfinished echo", frame)
                    seen += frame.payload
            expect(pongs == [b"between"], "a pong between fragments", pongs)
            await peer.send(masked(CONTINUATION, b"", fin=False) + masked(CONTINUATION, text[1:]))
            while True:
                frame = check_server_frame(await peer.frame("the rest of the echo"))
                seen += frame.payload
                if frame.fin:
                    break
            expect(bytes(seen) == text, text, bytes(seen))
            await self.ends_well(peer)

    async def passes(self, data: bytes, echo: tuple[int, bytes]) -> None:
        async with self.open() as peer:
            await peer.send(data)
            got = await message(peer)
            expect(got == echo, echo, got)
            await self.ends_well(peer)

    async def character_over_frames(self) -> None:
        """Cut by the end of a frame, a character is fine; by the end of a message it is not."""
        async with self.open() as peer:
            await peer.send(masked(TEXT, b"\xe2\x82", fin=False) + masked(CONTINUATION, b"\xac"))
            got = await message(peer)
            expect(got == (TEXT, "€".encode()), "€", got)
            await peer.send(masked(TEXT, b"", fin=False) + masked(CONTINUATION, b"\xe2\x82"))
            await failed(peer, 1007)

    async def survives(self, data: bytes) -> None:
        """The peer vanishes at a bad moment: the next connection is served."""
        async with self.open() as peer:
            await peer.send(data)
        await self.passes(masked(TEXT, b"still there"), (TEXT, b"still there"))

    async def huge(self) -> None:
        """A length of 2^62: refused for its size, or waited for, but never reserved."""
        async with self.open() as peer:
            await peer.send(header(BINARY, 1 << 62, mask=b"abcd"))
            if await peer.fill(0.5):
                await closed(peer, 1009)
            else:
                expect(peer.ended is None, "a Close with 1009", peer.ended)
        await self.passes(masked(TEXT, b"still there"), (TEXT, b"still there"))


ZERO_KEY = b"\0\0\0\0"
PASSES: list[tuple[str, str, bytes, tuple[int, bytes]]] = [
    ("a zero masking key", "W85", header(TEXT, 3, mask=ZERO_KEY) + b"abc", (TEXT, b"abc")),
    ("an unsolicited pong", "W29", masked(PONG, b"?") + masked(TEXT, b"a"), (TEXT, b"a")),
    ("an empty pong", "W28 W29", masked(PONG) + masked(TEXT, b"a"), (TEXT, b"a")),
    ("an empty message", "W37 W87", masked(TEXT), (TEXT, b"")),
    ("a byte order mark in text", "W50", masked(TEXT, "\ufeffa".encode()), (TEXT, "\ufeffa".encode())),
    ("NUL in text", "W46", masked(TEXT, b"\0"), (TEXT, b"\0")),
    ("any byte in a binary message", "W53", masked(BINARY, bytes(range(256))), (BINARY, bytes(range(256)))),
    ("any byte in a pong", "W53", masked(PONG, b"\xff\xfe") + masked(TEXT, b"a"), (TEXT, b"a")),
    (
        "the kind of the first fragment",
        "W36",
        masked(BINARY, b"\xff", fin=False) + masked(CONTINUATION, b"\xfe"),
        (BINARY, b"\xff\xfe"),
    ),
    (
        "the last characters of each length",
        "W46 W49",
        masked(TEXT, "\x7f\u07ff\ud7ff\ue000\uffff\U0010ffff".encode()),
        (TEXT, "\x7f\u07ff\ud7ff\ue000\uffff\U0010ffff".encode()),
    ),
]
REASONS: list[tuple[str, str, bytes]] = [
    ("of 123 bytes", "W75", b"r" * 123),
    ("with NUL and a byte order mark", "W76 W50", b"\0" + "\ufeff".encode()),
    ("outside ASCII", "W54", "Grüße €".encode()),
]
CUTS: list[tuple[str, bytes]] = [
    ("right behind the 101", b""),
    ("inside a header", b"\x81"),
    ("inside a payload", masked(TEXT, b"abcdef")[:-2]),
    ("between fragments", masked(TEXT, b"abc", fin=False)),
]


def cases(host: str, port: int) -> Iterator[Case]:
    bound = Frames(host, port)

    def case(name: str, names: str, check: Callable[..., Awaitable[None]], *args: object) -> Case:
        return Case(name, rules(names), lambda: check(*args))

    for size in SIZES:
        for kind, opcode in (("text", TEXT), ("binary", BINARY)):
            yield case(f"echoes {size} bytes of {kind}", "W2 W3 W82", bound.echo, opcode, size)
    yield case("answers pings of 0 to 125 bytes", "W25 W28", bound.pings)
    for name, opcode in (("text", TEXT), ("binary", BINARY), ("ping", PING), ("pong", PONG), ("Close", CLOSE)):
        yield case(f"fails an unmasked {name}", "W82 W14", bound.unmasked, opcode)
    for item in VIOLATIONS:
        yield case(f"fails {item.name}", item.rules, bound.violation, item)
    for code in LEGAL_CODES:
        yield case(f"echoes the close code {code}", "W61 W62 W63 W64 W69", bound.close_code, code, b"")
    for name, names, reason in REASONS:
        yield case(f"reads a close reason {name}", names, bound.close_code, 1000, reason)
    yield case("answers an empty Close by an empty one", "W58 W69", bound.empty_close)
    yield case(
        "ignores data after a Close", "W66 W30", bound.after_close, masked(TEXT, b"late") + masked(PING, b"late")
    )
    yield case("ignores rubbish after a Close", "W66", bound.after_close, b"\xff" * 300)
    yield case("ignores a second Close", "W65", bound.after_close, masked(CLOSE, close_body(1002)))
    yield case("processes nothing after its failure", "W68 W13", bound.after_failure)
    yield case("reads frames and a Close byte by byte", "W15 W81", bound.bytewise)
    yield case("reads empty fragments with a ping between", "W23 W37 W46", bound.fragments)
    yield case("tells the end of a frame from that of a message", "W48", bound.character_over_frames)
    for name, names, data, echo in PASSES:
        yield case(f"accepts {name}", names, bound.passes, data, echo)
    for name, data in CUTS:
        yield case(f"survives an end {name}", "W71 W72", bound.survives, data)
    yield case("survives a length of 2^62", "W4 W20 W41", bound.huge)
