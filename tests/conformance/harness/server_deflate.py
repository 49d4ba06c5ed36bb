"""permessage-deflate in the echo server: what is agreed to, and what is read then."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

from .cases import Case, rules
from .compressed import AGAIN, FAULTS, HELLO, NOISE, PASSES, RSV1, Fault, Passes, deflate, inflate, marked
from .server_frames import closed
from .server_handshake import Request, check_accepted
from .wire import BINARY, CLOSE, CONTINUATION, TEXT, Frame, Peer, close_body, expect, frame, masked

PMD = "permessage-deflate"
OWN = "server_no_context_takeover"  # the server never keeps its window

# Name, rules, the lines of offers, the parameters of the answer besides `OWN`.
ANSWERED: list[tuple[str, str, list[str], set[str]]] = [
    ("a plain offer", "W162", [PMD], set()),
    ("what browsers offer", "W161", [f"{PMD}; client_max_window_bits"], set()),
    ("the server's takeover forgone", "W162", [f"{PMD}; {OWN}"], set()),
    ("the client's takeover forgone", "W135", [f"{PMD}; client_no_context_takeover"], {"client_no_context_takeover"}),
    *(
        (
            f"a window of {bits} bits for the server",
            "W162 W121",
            [f"{PMD}; server_max_window_bits={bits}"],
            {f"server_max_window_bits={bits}"},
        )
        for bits in range(8, 16)
    ),
    *(
        (
            f"a window of {bits} bits for the client",
            "W161 W121",
            [f"{PMD}; client_max_window_bits={bits}"],
            {f"client_max_window_bits={bits}"},
        )
        for bits in range(8, 15)
    ),
    (
        "the client's window, in quotes",
        "W106 W121",
        [f'{PMD}; client_max_window_bits="10"'],
        {"client_max_window_bits=10"},
    ),
    (
        "everything at once",
        "W162 W161",
        [f"{PMD};client_max_window_bits=9 ;server_max_window_bits=10; client_no_context_takeover; {OWN}"],
        {"client_no_context_takeover", "client_max_window_bits=9", "server_max_window_bits=10"},
    ),
    ("an offer behind another extension", "W104", [f"x-a; b=1, {PMD}"], set()),
    ("the first of two good offers", "W107", [f"{PMD}; server_max_window_bits=9, {PMD}"], {"server_max_window_bits=9"}),
    (
        "the good offer behind a bad one",
        "W107",
        [f"{PMD}; x=1, {PMD}; client_max_window_bits=10"],
        {"client_max_window_bits=10"},
    ),
    (
        "the good offer on the second line",
        "W107",
        [f"{PMD}; server_max_window_bits=7", f"{PMD}; server_max_window_bits=8"],
        {"server_max_window_bits=8"},
    ),
    (
        "the third offer",
        "W107",
        [f"{PMD}; {OWN}=1, {PMD}; {OWN}; {OWN}", f"{PMD}; client_no_context_takeover"],
        {"client_no_context_takeover"},
    ),
]

# Parameters that make an offer one that must be declined.
DECLINED: list[tuple[str, str]] = [
    ("an unknown parameter", "x-never"),
    ("an unknown parameter beside good ones", f"{OWN}; x-never=1; client_max_window_bits"),
    ("a parameter of another extension", "s2c_max_window_bits=10"),
    *((f"{name} with a value", f"{name}=1") for name in (OWN, "client_no_context_takeover")),
    *((f"{name} twice", f"{name}; {name}") for name in (OWN, "client_no_context_takeover", "client_max_window_bits")),
    ("server_max_window_bits twice", "server_max_window_bits=10; server_max_window_bits=10"),
    ("client_max_window_bits with and without a value", "client_max_window_bits; client_max_window_bits=10"),
    ("server_max_window_bits without a value", "server_max_window_bits"),
    *(
        (f"{side}_max_window_bits={value}", f"{side}_max_window_bits={value}")
        for side in ("server", "client")
        for value in ("0", "7", "16", "08", "010", "+9", "-9", "1e1", "0xa", "9.0", "true", "264", "4294967306")
    ),
]


class Deflate:
    """The cases, bound to one server."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @asynccontextmanager
    async def open(self, offers: list[str], answer: set[str] | None) -> AsyncIterator[Peer]:
        peer = await Peer.connect(self.host, self.port)
        try:
            request = Request(change={"Sec-WebSocket-Extensions": offers})
            await peer.send(request.bytes(self.authority))
            head = await peer.head()
            check_accepted(head, request.key, extensions=answer is not None)
            if answer is not None:
                name, *params = (word.strip() for word in head.one("Sec-WebSocket-Extensions").split(";"))
                expect(name == PMD and "," not in "".join(params), f"{PMD} once", head)
                expect(sorted(params) == sorted({OWN} | answer), {OWN} | answer, params)
            yield peer
        finally:
            peer.close()

    async def answered(self, offers: list[str], answer: set[str]) -> None:
        async with self.open(offers, answer) as peer:
            await self._echoes(peer)

    async def declined(self, offers: list[str]) -> None:
        """No extension, and so no RSV1."""
        async with self.open(offers, None) as peer:
            await peer.send(masked(TEXT, b"plain"))
            echo = await peer.frame("an echo")
            expect((echo.opcode, echo.rsv, echo.payload) == (TEXT, 0, b"plain"), "an echo", echo)
            await peer.send(b"\xc1")
            await closed(peer, 1002)

    async def passes(self, item: Passes) -> None:
        async with self.open([PMD], set()) as peer:
            await peer.send(item.make(os.urandom(4)))
            for wanted in item.messages:
                await self._echo(peer, wanted)
            await self._ends(peer)

    async def bytewise(self) -> None:
        async with self.open([PMD], set()) as peer:
            await peer.send_bytewise(marked(TEXT, HELLO, os.urandom(4)) + marked(TEXT, AGAIN, os.urandom(4)))
            await self._echo(peer, b"Hello")
            await self._echo(peer, b"Hello")
            await self._ends(peer)

    async def takeover(self, kept: bool) -> None:
        """The second message refers to the first, which only a client that keeps its window may do."""
        offer, answer = (PMD, set()) if kept else (f"{PMD}; client_no_context_takeover", {"client_no_context_takeover"})
        async with self.open([offer], answer) as peer:
            await peer.send(marked(TEXT, HELLO, os.urandom(4)) + marked(TEXT, AGAIN, os.urandom(4)))
            await self._echo(peer, b"Hello")
            if kept:
                await self._echo(peer, b"Hello")
                await self._ends(peer)
            else:
                await closed(peer, 1007)

    async def window(self, bits: int, fits: bool) -> None:
        """Noise that comes again, at the longest distance allowed or one beyond."""
        distance = (1 << bits) + (not fits)
        data = NOISE[:distance] + NOISE[:64]
        name = f"client_max_window_bits={bits}"
        async with self.open([f"{PMD}; {name}"], {name}) as peer:
            payload = deflate(data)
            expect(len(payload) < len(deflate(data, 9)), "a distance beyond the smallest window", payload)
            await peer.send(marked(BINARY, payload, os.urandom(4)))
            if fits:
                await self._echo(peer, data, BINARY)
                await self._ends(peer)
            else:
                await closed(peer, 1007)

    async def bomb(self) -> None:
        """32 MiB in 32 KiB, twice the limit: refused without being made."""
        async with self.open([PMD], set()) as peer:
            await peer.send(marked(BINARY, deflate(bytes(32 << 20)), os.urandom(4)))
            await closed(peer, 1009)

    async def fault(self, item: Fault) -> None:
        async with self.open([PMD], set()) as peer:
            await peer.send(item.make(os.urandom(4)))
            if item.first is not None:
                await self._echo(peer, item.first)
            reply = await peer.frame("a Close")
            while reply.opcode in (TEXT, BINARY, CONTINUATION):  # the echo of plain fragments begins at once
                expect(not reply.fin, "no complete echo", reply)
                reply = await peer.frame("a Close")
            expect(
                (reply.opcode, reply.payload[:2]) == (CLOSE, close_body(item.code)), f"a Close with {item.code}", reply
            )
            expect(reply.rsv == 0, "no RSV1 on a Close", reply)
            await peer.end()

    async def _echoes(self, peer: Peer) -> None:
        for data in (b"Hello", b"", b"Hello" * 1000):
            await peer.send(marked(TEXT, deflate(data, 9), os.urandom(4)))
            await self._echo(peer, data)
        await self._ends(peer)

    async def _echo(self, peer: Peer, wanted: bytes, opcode: int = TEXT) -> None:
        first = reply = await peer.frame("an echo")
        payload, frames = bytearray(reply.payload), [reply]
        while not reply.fin:
            reply = await peer.frame("the rest of an echo")
            payload += reply.payload
            frames.append(reply)
        self._check_marks(frames)
        data = inflate(bytes(payload)) if first.rsv else bytes(payload)
        expect((first.opcode, data) == (opcode, wanted), f"{len(wanted)} bytes, {wanted[:40]!r}", first)
        expect(first.rsv == RSV1 or wanted == b"plain", "a compressed echo", first)

    def _check_marks(self, frames: list[Frame]) -> None:
        for number, one in enumerate(frames):
            expect(one.mask is None and one.minimal, "an unmasked frame of the shortest form", one)
            expect(one.rsv in ((0, RSV1) if number == 0 else (0,)), "RSV1 on the first frame only", one)

    async def _ends(self, peer: Peer) -> None:
        await peer.send(masked(CLOSE, close_body(1000)))
        await closed(peer, 1000)


def cases(host: str, port: int) -> Iterator[Case]:
    bound = Deflate(host, port)

    def case(name: str, names: str, check: Callable[..., Awaitable[None]], *args: object) -> Case:
        return Case(name, rules(names), lambda: check(*args))

    for name, names, offers, answer in ANSWERED:
        yield case(f"agrees to {name}", names, bound.answered, offers, answer)
    for name, params in DECLINED:
        yield case(f"declines compression with {name}", "W107 W121", bound.declined, [f"{PMD}; {params}"])
    yield case(
        "declines what is not offered by its name", "W119", bound.declined, ["x-webkit-deflate-frame, deflate-frame"]
    )
    yield case("answers no bad offer of several", "W107", bound.declined, [f"{PMD}; x, {PMD}; {OWN}=1", f"{PMD}; y"])
    for item in PASSES:
        yield case(f"inflates {item.name}", item.rules, bound.passes, item)
    yield case("inflates messages byte by byte", "W133 W15", bound.bytewise)
    yield case("inflates by the message before", "W135", bound.takeover, True)
    yield case("fails a reference to the message before, where that is ruled out", "W135 W140", bound.takeover, False)
    for bits in (8, 9):
        yield case(
            f"inflates a distance of {1 << bits} in a window of {bits} bits", "W139 W140", bound.window, bits, True
        )
        yield case(
            f"fails a distance of {(1 << bits) + 1} in a window of {bits} bits", "W139 W140", bound.window, bits, False
        )
    yield case("fails a message that is too long when inflated", "W141", bound.bomb)
    for fault in FAULTS:
        yield case(f"fails {fault.name}", fault.rules, bound.fault, fault)
