"""Compressed messages by hand: those that must be read once permessage-deflate is agreed on, and those that must not."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from .violations import Key
from .wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_body, frame

RSV1 = 4
TAIL = b"\0\0\xff\xff"
HELLO = bytes.fromhex("f248cdc9c90700")  # RFC 7692 §7.2.3.1


def deflate(data: bytes, bits: int = 15) -> bytes:
    """A message alone."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -bits)
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)


def inflate(data: bytes) -> bytes:
    """A message alone, or one whose sender keeps no window."""
    return zlib.decompressobj(-15).decompress(data + TAIL)


def marked(opcode: int, payload: bytes, mask: Key, **rest: object) -> bytes:
    return frame(opcode, payload, mask=mask, rsv=RSV1, **rest)


def _noise(size: int) -> bytes:
    """Printable, and without repetitions that are worth a distance."""
    state, out = 1, bytearray()
    for _ in range(size):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        out.append(32 + (state >> 16) % 95)
    return bytes(out)


NOISE = _noise(600)


@dataclass(frozen=True)
class Passes:
    name: str
    rules: str
    # What goes over the wire, and the messages in it.
    make: Callable[[Key], bytes]
    messages: tuple[bytes, ...] = (b"Hello",)


def _whole(text: str) -> Callable[[Key], bytes]:
    return lambda mask: marked(TEXT, bytes.fromhex(text), mask)


# The examples of RFC 7692 §7.2.3, and what they leave out.
PASSES: list[Passes] = [
    Passes("a message", "W129", _whole("f248cdc9c90700")),
    Passes(
        "a message in two fragments",
        "W12 W129",
        lambda mask: marked(TEXT, HELLO[:3], mask, fin=False) + frame(CONTINUATION, HELLO[3:], mask=mask),
    ),
    Passes(
        "a message of many fragments, most of them empty",
        "W12 W129",
        lambda mask: (
            marked(TEXT, b"", mask, fin=False)
            + b"".join(
                frame(CONTINUATION, piece, fin=False, mask=mask) for n in range(7) for piece in (b"", HELLO[n : n + 1])
            )
            + frame(CONTINUATION, b"", mask=mask)
        ),
    ),
    Passes(
        "a message with a pong between its fragments",
        "W137",
        lambda mask: (
            marked(TEXT, HELLO[:4], mask, fin=False)
            + frame(PONG, b"?", mask=mask)
            + frame(CONTINUATION, HELLO[4:], mask=mask)
        ),
    ),
    Passes("a stored block", "W133", _whole("000500faff48656c6c6f00")),
    Passes("a block marked as the last", "W131", _whole("f348cdc9c9070000")),
    Passes("two blocks", "W133", _whole("f248050000 00ffffcac9c90700")),
    Passes("an empty message", "W130", _whole("00"), (b"",)),
    Passes("a message without a byte", "W130", lambda mask: marked(TEXT, b"", mask), (b"",)),
    Passes(
        "a message that is not compressed between two that are",
        "W136 W144",
        lambda mask: marked(TEXT, HELLO, mask) + frame(TEXT, b"plain", mask=mask) + marked(TEXT, HELLO, mask),
        (b"Hello", b"plain", b"Hello"),
    ),
]

# The same message again, by a reference to the one before: with takeover only (RFC 7692 §7.2.3.2).
AGAIN = bytes.fromhex("f200110000")


@dataclass(frozen=True)
class Fault:
    name: str
    rules: str
    code: int
    make: Callable[[Key], bytes]
    # A message that is complete before the fault.
    first: bytes | None = None


def _byte(byte: int) -> Callable[[Key], bytes]:
    return lambda mask: bytes([byte])


def _corrupt(name: str, payload: bytes, rules: str = "W132", **rest: object) -> Fault:
    return Fault(name, rules, 1007, lambda mask: marked(TEXT, payload, mask), **rest)  # type: ignore[arg-type]


FAULTS: list[Fault] = [
    *(
        Fault(f"RSV1 on a {name}", "W10 W14", 1002, _byte(0xC0 | opcode))
        for name, opcode in (("ping", PING), ("pong", PONG), ("Close", CLOSE))
    ),
    *(
        Fault(f"RSV1 on the reserved opcode {opcode}", "W13 W14", 1002, _byte(0xC0 | opcode))
        for opcode in (3, 7, 11, 15)
    ),
    *(Fault(f"reserved bit {bit} beside RSV1", "W8 W14", 1002, _byte(0xC0 | 0x80 >> bit | TEXT)) for bit in (2, 3)),
    *(Fault(f"reserved bit {bit} without RSV1", "W8 W14", 1002, _byte(0x80 | 0x80 >> bit | BINARY)) for bit in (2, 3)),
    Fault("RSV1 on a continuation of nothing", "W11 W34 W14", 1002, _byte(0xC0 | CONTINUATION)),
    Fault(
        "RSV1 on the second fragment of a compressed message",
        "W11 W14",
        1002,
        lambda mask: marked(TEXT, HELLO[:3], mask, fin=False) + bytes([0xC0 | CONTINUATION]),
    ),
    Fault(
        "RSV1 on the second fragment of a message that is not compressed",
        "W11 W14",
        1002,
        lambda mask: frame(TEXT, b"", fin=False, mask=mask) + bytes([0x40 | CONTINUATION]),
    ),
    Fault(
        "a compressed text inside a compressed message",
        "W35 W14",
        1002,
        lambda mask: marked(TEXT, HELLO[:3], mask, fin=False) + bytes([0xC0 | TEXT]),
    ),
    Fault(
        "a Close with RSV1 behind a message",
        "W10 W14",
        1002,
        lambda mask: marked(TEXT, HELLO, mask) + marked(CLOSE, close_body(1000), mask)[:1],
        b"Hello",
    ),
    _corrupt("a block of the reserved type", b"\x06"),
    _corrupt("a stored block whose lengths differ", bytes.fromhex("000500ffff48656c6c6f00")),
    _corrupt("a stored block cut short", bytes.fromhex("000500faff4865")),
    _corrupt("a message cut inside a block", HELLO[:4]),
    _corrupt("plain text marked as compressed", b"Hello, Hello"),
    _corrupt("a distance before the first byte", AGAIN, "W140 W132"),
    _corrupt("text that is not UTF-8 when inflated", deflate(b"ok\xff"), "W47 W170"),
    _corrupt("text that ends inside a character when inflated", deflate(b"ok\xe2\x82"), "W48 W170"),
]
