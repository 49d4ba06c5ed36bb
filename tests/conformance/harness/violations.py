"""Frames that must fail a connection, each cut at the earliest byte that proves the fault.

Nothing is sent behind that byte, so an endpoint that waits for the rest of the
header or of the payload never answers, and its case fails.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from .wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_body, frame, header

Key = bytes | None


@dataclass(frozen=True)
class Violation:
    name: str
    rules: str
    code: int
    # As a client sends it under a key, or as a server sends it without one.
    make: Callable[[Key], bytes]


def _first_byte(byte: int) -> Callable[[Key], bytes]:
    return lambda mask: bytes([byte])


def _length(byte: int, form: int, size: int) -> Callable[[Key], bytes]:
    """A header up to the end of its length, without its key."""

    def make(mask: Key) -> bytes:
        whole = header(byte & 15, size, fin=bool(byte & 0x80), mask=mask, form=form)
        return whole[: {7: 2, 16: 4, 64: 10}[form]]

    return make


def _open_then(byte: int) -> Callable[[Key], bytes]:
    """A message is open, then the first byte of another frame."""
    return lambda mask: frame(TEXT, b"", fin=False, mask=mask) + bytes([byte])


def _text(start: bytes, fin: bool = True) -> Callable[[Key], bytes]:
    """The start of a text frame that announces 100 bytes."""
    return lambda mask: frame(TEXT, start.ljust(100, b"."), fin=fin, mask=mask)[: len(start) - 100]


def _close(body: bytes) -> Callable[[Key], bytes]:
    return lambda mask: frame(CLOSE, body, mask=mask)


def _code(code: int) -> Callable[[Key], bytes]:
    return _close(close_body(code))


def _rsv(rules: str, bit: int, opcode: int) -> Violation:
    return Violation(f"reserved bit {bit} on opcode {opcode}", rules, 1002, _first_byte(0x80 | 0x80 >> bit | opcode))


RESERVED_CODES = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)

VIOLATIONS: list[Violation] = [
    *(Violation(f"the reserved opcode {n}", "W13 W14", 1002, _first_byte(0x80 | n)) for n in (3, 4, 5, 6, 7)),
    *(Violation(f"the reserved opcode {n}", "W13 W14", 1002, _first_byte(0x80 | n)) for n in range(11, 16)),
    *(_rsv("W9 W14", 1, opcode) for opcode in (TEXT, BINARY)),
    *(_rsv("W9 W10 W14", 1, opcode) for opcode in (CLOSE, PING, PONG)),
    *(_rsv("W8 W14", bit, opcode) for bit in (2, 3) for opcode in (TEXT, BINARY, CLOSE, PING, PONG)),
    Violation("a fragmented ping", "W22 W14", 1002, _first_byte(PING)),
    Violation("a fragmented pong", "W22 W14", 1002, _first_byte(PONG)),
    Violation("a fragmented Close", "W22 W14", 1002, _first_byte(CLOSE)),
    Violation("a ping of 126 bytes", "W21 W14", 1002, lambda mask: header(PING, 126, mask=mask)[:2]),
    Violation("a pong of 126 bytes", "W21 W14", 1002, lambda mask: header(PONG, 126, mask=mask)[:2]),
    Violation("a Close of 65536 bytes", "W21 W14", 1002, lambda mask: header(CLOSE, 65536, mask=mask)[:2]),
    Violation("a continuation of nothing", "W34 W14", 1002, _first_byte(0x80 | CONTINUATION)),
    Violation("an unfinished continuation of nothing", "W34 W14", 1002, _first_byte(CONTINUATION)),
    Violation("a text frame inside a message", "W35 W14", 1002, _open_then(0x80 | TEXT)),
    Violation("a binary frame inside a message", "W35 W14", 1002, _open_then(BINARY)),
    Violation("a continuation with reserved bit 1", "W11 W9", 1002, _open_then(0xC0 | CONTINUATION)),
    *(Violation(f"{n} as a 16-bit length", "W2 W14", 1002, _length(0x82, 16, n)) for n in (0, 1, 125)),
    *(Violation(f"{n} as a 64-bit length", "W3 W14", 1002, _length(0x82, 64, n)) for n in (0, 125, 126, 65535)),
    Violation("a length of 2^63", "W1 W14", 1002, _length(0x82, 64, 1 << 63)),
    Violation("a length of 2^64 - 1", "W1 W14", 1002, _length(0x82, 64, (1 << 64) - 1)),
    Violation("a Close of one byte", "W57", 1002, _close(b"\x03")),
    *(Violation(f"the close code {code}", "W59 W60", 1002, _code(code)) for code in RESERVED_CODES),
    Violation("a reserved close code with a reason", "W59 W60", 1002, _close(struct.pack(">H", 1005) + b"why")),
    Violation("a close reason that is not UTF-8", "W54", 1007, _close(close_body(1000, b"\xff"))),
    Violation("a close reason cut inside a character", "W54", 1007, _close(close_body(1000, b"a\xe2\x82"))),
    Violation("a close reason with a surrogate", "W54 W49", 1007, _close(close_body(1000, b"\xed\xa0\x80"))),
    *(
        Violation(f"text starting {start.hex(' ')}", "W47 W49", 1007, _text(start))
        for start in (
            b"\xf4\x90",
            b"\xe0\x80",
            b"\xed\xa0",
            b"\xf0\x80",
            b"\xc0",
            b"\xc1",
            b"\xf5",
            b"\xff",
            b"\x80",
            b"\xc3\x28",
            b"\xe2\x28",
            b"\xe2\x82\x28",
            b"\xf0\x9f\x28",
            b"ok\xfe",
        )
    ),
    Violation("unfinished text starting f4 90", "W47 W49", 1007, _text(b"\xf4\x90", fin=False)),
    Violation("text that ends inside a character", "W48", 1007, lambda mask: frame(TEXT, b"\xe2\x82", mask=mask)),
    Violation(
        "a character broken over fragments",
        "W46 W47",
        1007,
        lambda mask: (
            frame(TEXT, b"\xf4", fin=False, mask=mask)
            + header(CONTINUATION, 50, mask=mask)
            + frame(CONTINUATION, b"\x90", mask=mask)[-1:]
        ),
    ),
    Violation(
        "an empty last fragment behind half a character",
        "W48",
        1007,
        lambda mask: frame(TEXT, b"\xc3", fin=False, mask=mask) + frame(CONTINUATION, b"", mask=mask),
    ),
]
