"""A wire between a client and a server that looks at what goes over it: the negotiation of permessage-deflate, which
messages are compressed, and whether they keep to what was agreed on. Without any WebSocket library."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from .wire import CLOSE, Mismatch, expect, parse_head, xor

NAME = "permessage-deflate"
TAIL = b"\0\0\xff\xff"
# Inflated at a time. zlib checks a distance against its window only where it leaves the piece, so it is not a byte each:
# one of 64 distances beyond the window passes.
PIECE = 64

Params = dict[str, str | None]


@dataclass(frozen=True)
class Side:
    """What may be asked of one side. `None`: nothing is said."""

    no_takeover: bool = False
    bits: int | None = None

    def __and__(self, other: Side) -> Side:
        bits = [bits for bits in (self.bits, other.bits) if bits is not None]
        return Side(self.no_takeover or other.no_takeover, min(bits, default=None))

    @property
    def terms(self) -> tuple[bool, int]:
        return self.no_takeover, self.bits or 15

    def __str__(self) -> str:
        """As `wscat` and `echo` take it."""
        words = [str(self.bits)] * (self.bits is not None) + ["no-takeover"] * self.no_takeover
        return ",".join(words)


def grid(smallest: int) -> list[Side]:
    return [Side(flag, bits) for flag in (False, True) for bits in (None, smallest, 10, 15)]


def parse_extensions(lines: list[str]) -> list[tuple[str, Params]]:
    """Extensions without commas in quotes, which no parameter of permessage-deflate has."""
    found: list[tuple[str, Params]] = []
    for element in ",".join(lines).split(","):
        name, *params = (word.strip() for word in element.split(";"))
        if not name:
            continue
        values: Params = {}
        for param in params:
            key, sign, value = param.partition("=")
            expect(key not in values, f"{key} once", element)
            values[key] = value.strip('"') if sign else None
        found.append((name, values))
    return found


def sides(params: Params) -> tuple[Side, Side]:
    """The server's and the client's, of an answer."""
    known = {f"{side}_{what}" for side in ("server", "client") for what in ("no_context_takeover", "max_window_bits")}
    expect(set(params) <= known, "known parameters", params)

    def side(name: str) -> Side:
        flag, bits = f"{name}_no_context_takeover", f"{name}_max_window_bits"
        expect(params.get(flag) is None, f"{flag} without a value", params)
        value = params.get(bits, "")
        expect(bits not in params or value in map(str, range(8, 16)), f"{bits} from 8 to 15", params)
        return Side(flag in params, int(value) if value else None)

    return side("server"), side("client")


def check_answer(offers: list[tuple[str, Params]], answers: list[tuple[str, Params]]) -> None:
    """RFC 7692 §7.1: nothing in the answer that the offer rules out."""
    expect(len(answers) <= 1, "one extension at most", answers)
    for name, params in answers:
        server, client = sides(params)
        expect(
            any(_fits(offer, server, client) for other, offer in offers if other == name),
            f"what {offers} allows",
            answers,
        )


def _fits(offer: Params, server: Side, client: Side) -> bool:
    asked, own = (offer.get(f"{side}_max_window_bits") for side in ("server", "client"))
    return not (
        ("server_no_context_takeover" in offer and not server.no_takeover)
        or (asked is not None and (server.bits is None or server.bits > int(asked)))
        or (client.bits is not None and ("client_max_window_bits" not in offer or (own and client.bits > int(own))))
    )


@dataclass
class Way:
    """One direction of a connection, from its head on."""

    messages: int = 0
    compressed: int = 0
    fragments: int = 0
    wire: int = 0  # bytes of compressed messages as they came, and as they are
    plain: int = 0
    head: bytes = b""
    fault: str | None = None
    done: bool = False
    _buffer: bytearray = field(default_factory=bytearray)
    _message: bytearray | None = None
    _inflater: object = None

    def feed(self, data: bytes, side: Side | None) -> None:
        if self.done or self.fault:
            return
        self._buffer += data
        try:
            while self._frame(side):
                pass
        except (Mismatch, zlib.error) as fault:
            self.fault = str(fault)

    def _frame(self, side: Side | None) -> bool:
        data = self._buffer
        if len(data) < 2:
            return False
        size, at = data[1] & 127, 2
        if size >= 126:
            at += 2 if size == 126 else 8
            size = int.from_bytes(data[2:at], "big") if len(data) >= at else 0
        mask = bytes(data[at : at + 4]) if data[1] & 128 else b""
        at += len(mask) if not data[1] & 128 else 4
        if len(data) < at + size:
            return False
        payload = xor(bytes(data[at : at + size]), mask) if mask else bytes(data[at : at + size])
        first = data[0]
        del data[: at + size]
        self._take(first & 15, bool(first & 0x40), bool(first & 0x80), payload, side)
        return True

    def _take(self, opcode: int, marked: bool, fin: bool, payload: bytes, side: Side | None) -> None:
        if opcode >= CLOSE:
            expect(not marked, "no RSV1 on a control frame", opcode)
            self.done = opcode == CLOSE
            return
        if opcode:
            self.messages += 1
            expect(not marked or side is not None, "no RSV1 without permessage-deflate", opcode)
            self._message = bytearray() if marked else None
        else:
            expect(not marked, "RSV1 on the first frame only", opcode)
            self.fragments += self._message is not None
        if self._message is not None:
            self._message += payload
            if fin:
                self._inflate(bytes(self._message), side or Side())

    def _inflate(self, message: bytes, side: Side) -> None:
        if side.no_takeover or self._inflater is None:
            self._inflater = zlib.decompressobj(-(side.bits or 15))
        rest, size = message + TAIL, 0
        while rest:
            size += len(self._inflater.decompress(rest, PIECE))
            rest = self._inflater.unconsumed_tail
        size += len(self._inflater.decompress(b""))
        self.compressed += 1
        self.wire += len(message)
        self.plain += size


@dataclass
class Record:
    """What went over one connection."""

    sent: Way = field(default_factory=Way)
    received: Way = field(default_factory=Way)
    status: int = 0
    offers: list[tuple[str, Params]] = field(default_factory=list)
    answers: list[tuple[str, Params]] = field(default_factory=list)
    answer: str = ""  # as it came

    @property
    def terms(self) -> tuple[Side, Side] | None:
        return sides(self.answers[0][1]) if self.answers else None

    def check(self) -> None:
        check_answer(self.offers, self.answers)
        for way, name in ((self.sent, "client"), (self.received, "server")):
            expect(way.fault is None, f"frames of the {name} as agreed", way.fault)


@dataclass
class Tap:
    port: int
    records: list[Record] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


@asynccontextmanager
async def tapped(host: str, port: int) -> AsyncIterator[Tap]:
    """A port that leads to the server; each connection to it leaves a record."""
    tap = Tap(0)
    tasks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        record = Record()
        tap.records.append(record)
        try:
            there, onward = await asyncio.open_connection(host, port)
            try:
                await asyncio.gather(
                    _carry(reader, onward, record, record.sent), _carry(there, writer, record, record.received)
                )
            finally:
                onward.close()
        except (OSError, asyncio.CancelledError):
            pass  # the ends see it too
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    tap.port = server.sockets[0].getsockname()[1]
    try:
        yield tap
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, record: Record, way: Way) -> None:
    upgraded = False
    while data := await reader.read(1 << 18):
        seen = data
        if not upgraded:
            way.head += data
            end = way.head.find(b"\r\n\r\n") + 4
            if end >= 4:
                upgraded, way.head, seen = True, way.head[:end], way.head[end:]
                _note(record, way)
        if upgraded:
            _feed(record, way, seen)
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def _note(record: Record, way: Way) -> None:
    try:
        head = parse_head(way.head)
        lines = head.all("Sec-WebSocket-Extensions")
        if way is record.sent:
            record.offers = parse_extensions(lines)
        else:
            record.answers, record.answer, record.status = parse_extensions(lines), ", ".join(lines), head.status
    except Mismatch as fault:
        way.fault = str(fault)


def _feed(record: Record, way: Way, data: bytes) -> None:
    try:
        terms = record.terms
    except Mismatch as fault:
        way.fault = str(fault)
        return
    way.feed(data, None if terms is None else terms[way is record.sent])
