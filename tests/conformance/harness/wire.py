"""Bytes on the wire, made and read by hand: HTTP heads, frames and a raw socket.

Written independently of the crate, and without any WebSocket library, so that a
mistake would have to be made twice to go unseen.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import os
import socket
import struct
from dataclasses import dataclass, field

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
SAMPLE_KEY = "dGhlIHNhbXBsZSBub25jZQ=="
SAMPLE_ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
PATIENCE = 3.0  # seconds until an answer that must come is missed


class Mismatch(Exception):
    """Something else came than was expected."""

    def __init__(self, expected: object, came: object) -> None:
        super().__init__(f"expected {expected}; came {came}")


def expect(condition: bool, expected: object, came: object) -> None:
    if not condition:
        raise Mismatch(expected, came)


def accept_for(key: str) -> str:
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


@dataclass
class Head:
    """A request or a response head, as it came."""

    first: str
    fields: list[tuple[str, str]]
    raw: bytes

    @property
    def status(self) -> int:
        parts = self.first.split(" ", 2)
        return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else -1

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def one(self, name: str) -> str:
        values = self.all(name)
        expect(len(values) == 1, f"one {name} line", values or f"none in {self}")
        return values[0]

    def tokens(self, name: str) -> list[str]:
        return [token.strip().lower() for line in self.all(name) for token in line.split(",")]

    def __str__(self) -> str:
        return f"{self.first!r} {self.fields}"


def parse_head(raw: bytes) -> Head:
    """Reads a head as strictly as a sender has to write it."""
    text = raw.decode("latin-1")
    expect("\n" not in text.replace("\r\n", ""), "every line ended by CR LF", repr(text))
    first, *lines = text.removesuffix("\r\n\r\n").split("\r\n")
    fields = []
    for line in lines:
        name, colon, value = line.partition(":")
        expect(bool(colon) and name == name.strip() != "", "`Name: value`", repr(line))
        fields.append((name, value.strip(" \t")))
    return Head(first, fields, raw)


@dataclass
class Frame:
    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0
    mask: bytes | None = None
    minimal: bool = True

    def __str__(self) -> str:
        body = self.payload[:40].hex() + ("..." if len(self.payload) > 40 else "")
        mask = "unmasked" if self.mask is None else f"mask {self.mask.hex()}"
        fin = "FIN" if self.fin else "no FIN"
        return f"<opcode {self.opcode}, {fin}, rsv {self.rsv}, {mask}, {len(self.payload)} bytes {body}>"


def xor(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    if size == 0:
        return b""
    pad = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")


def header(
    opcode: int, size: int, *, fin: bool = True, rsv: int = 0, mask: bytes | None = None, form: int | None = None
) -> bytes:
    """A frame header; `form` forces a 7-, 16- or 64-bit length, minimal or not."""
    form = form or (7 if size < 126 else 16 if size < 1 << 16 else 64)
    bit = 0x80 if mask is not None else 0
    first = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if form == 7:
        length = bytes([bit | size])
    elif form == 16:
        length = bytes([bit | 126]) + struct.pack(">H", size)
    else:
        length = bytes([bit | 127]) + struct.pack(">Q", size)
    return first + length + (mask or b"")


def frame(opcode: int, payload: bytes = b"", *, mask: bytes | None = None, **rest: object) -> bytes:
    body = payload if mask is None else xor(payload, mask)
    return header(opcode, len(payload), mask=mask, **rest) + body  # type: ignore[arg-type]


def masked(opcode: int, payload: bytes = b"", **rest: object) -> bytes:
    """A client's frame under a fresh key."""
    return frame(opcode, payload, mask=os.urandom(4), **rest)


def close_body(code: int | None, reason: bytes = b"") -> bytes:
    return b"" if code is None else struct.pack(">H", code) + reason


@dataclass
class Peer:
    """One end of a raw TCP connection, with a buffer of its own.

    asyncio's streams drop what they have buffered when a reset comes; here all
    bytes that arrived can be read, and a reset is told apart from an end of stream.
    """

    sock: socket.socket
    buffer: bytearray = field(default_factory=bytearray)
    ended: str | None = None

    @classmethod
    async def connect(cls, host: str, port: int) -> Peer:
        loop = asyncio.get_running_loop()
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        sock.setblocking(False)
        await loop.sock_connect(sock, (host, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(sock)

    async def send(self, data: bytes) -> None:
        """Sends; a peer that no longer listens shows itself when reading."""
        loop = asyncio.get_running_loop()
        try:
            await asyncio.wait_for(loop.sock_sendall(self.sock, data), PATIENCE)
        except (TimeoutError, ConnectionError):
            pass

    async def send_bytewise(self, data: bytes, pause: float = 0.001) -> None:
        for byte in data:
            await self.send(bytes([byte]))
            await asyncio.sleep(pause)  # so that each byte is a read of its own

    async def fill(self, patience: float = PATIENCE) -> bool:
        """Reads once. False: nothing came in time, or the stream has ended."""
        if self.ended:
            return False
        loop = asyncio.get_running_loop()
        try:
            data = await asyncio.wait_for(loop.sock_recv(self.sock, 1 << 18), patience)
        except TimeoutError:
            return False
        except ConnectionError:
            self.ended = "a reset"
            return False
        if not data:
            self.ended = "end of stream"
        self.buffer += data
        return bool(data)

    async def take(self, size: int, what: str) -> bytes:
        while len(self.buffer) < size:
            if not await self.fill():
                raise Mismatch(what, self._nothing())
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken

    def _nothing(self) -> str:
        rest = f" after {bytes(self.buffer[:80])!r}" if self.buffer else ""
        return f"{self.ended or f'nothing in {PATIENCE:g} s'}{rest}"

    async def head(self) -> Head:
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            if not await self.fill():
                raise Mismatch("a complete HTTP head", self._nothing())
        return parse_head(await self.take(end + 4, "a head"))

    async def frame(self, what: str = "a frame") -> Frame:
        first, second = await self.take(2, what)
        size, minimal = second & 0x7F, True
        if size == 126:
            (size,) = struct.unpack(">H", await self.take(2, what))
            minimal = size >= 126
        elif size == 127:
            (size,) = struct.unpack(">Q", await self.take(8, what))
            minimal = size >= 1 << 16
        mask = await self.take(4, what) if second & 0x80 else None
        payload = await self.take(size, what)
        if mask is not None:
            payload = xor(payload, mask)
        return Frame(first & 15, payload, bool(first & 0x80), first >> 4 & 7, mask, minimal)

    async def end(self, patience: float = 2.0, reset_is_fine: bool = False) -> None:
        """The other side closes, within the patience and without a further byte."""
        deadline = asyncio.get_running_loop().time() + patience
        while not self.ended:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0 or not await self.fill(left):
                break
        expect(not self.buffer, "no further byte", bytes(self.buffer[:80]))
        fine = ("end of stream", "a reset") if reset_is_fine else ("end of stream",)
        expect(self.ended in fine, f"end of stream within {patience:g} s", self.ended or "an open connection")

    async def silence(self, seconds: float) -> None:
        """Nothing comes, not even an end, for this long."""
        await self.fill(seconds)
        expect(not self.buffer, "nothing yet", bytes(self.buffer[:80]))
        expect(self.ended is None, "an open connection", self.ended)

    def shut(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self) -> None:
        self.sock.close()


_counter = itertools.count()


def fresh_key() -> str:
    """A key of 16 bytes that no other connection of this run has used."""
    return base64.b64encode(next(_counter).to_bytes(8, "big") + os.urandom(8)).decode()
