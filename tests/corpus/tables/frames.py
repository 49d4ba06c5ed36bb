"""The chapters about frames."""

from .build import (
    EITHER, OWN_KEY, PEER_KEY, Chapter, announce, binary, close, closure, data, exactly, frame, payload, ping, pong, text,
)  # fmt: skip
from .build import Frame as raw

SERVER, CLIENT = ("server",), ("client",)
# `null` is no limit. Numbers stay below 2^53, so that every reader of JSON has them exactly.
# Cases about limits name them: other implementations have other defaults.
MIB16 = {"frame_limit": 16 << 20}
UNLIMITED = {"frame_limit": None, "message_limit": None, "fragment_limit": None}
LENIENT = {"lenient": ["non_minimal_length"]}


def short(length, first=0x82):
    """A header with a length of 16 bits, whatever the length."""
    return [first, 126, *length.to_bytes(2, "big")]


def long(length, first=0x82):
    """A header with a length of 64 bits, whatever the length."""
    return [first, 127, *length.to_bytes(8, "big")]


def fragment(kind, body, **more):
    """An action: a frame of a message goes out."""
    return {"fragment": kind, "payload": body.hex(), **more}


REFUSED = {"refused": True}


def frame_header():
    c = Chapter()

    for length in [2**63, 2**63 + 5, 2**64 - 1]:
        c.fault(f"64-bit length {length:#x}", [raw(long(length), "never read")], "LengthTopBit", (0, 9), rules="W1")
    c.fault("top bit, limits off", [raw(long(2**63))], "LengthTopBit", (0, 9), rules="W1", config=UNLIMITED)
    for length in [0, 1, 5, 124, 125]:
        c.fault(f"length {length} in 16 bits", [raw(short(length), "x")], "NonMinimalLength16", (0, 3), rules="W2",
                roles=EITHER)  # fmt: skip
    for length in [0, 5, 125, 126, 255, 65534, 65535]:
        c.fault(f"length {length} in 64 bits", [raw(long(length), "x")], "NonMinimalLength64", (0, 9), rules="W3",
                roles=EITHER)  # fmt: skip
    for rule, form, body in [("W2", short, ""), ("W2", short, "Hello"), ("W3", long, ""), ("W3", long, "Hello")]:
        c.add(f"length {len(body)} in {16 if form is short else 64} bits forgiven", [raw(form(len(body)), body), text("next")],
              [data("binary", body), data("text", "next")], rules=rule, config=LENIENT)  # fmt: skip
    c.fault("top bit not forgiven", [raw(long(2**63))], "LengthTopBit", (0, 9), rules="W1 W3",
            config=LENIENT)  # fmt: skip
    for length in [0, 1, 125, 126, 127, 128, 255, 256, 33023, 65280, 65535, 65536, 70000]:
        body = b"x" * length
        c.add(f"length {length}", [binary(body), text("next")], [data("binary", body), data("text", "next")],
              rules="W2 W3 W6" if length < 65536 else "W2 W3 W6 W18", roles=EITHER)  # fmt: skip

    for length in [2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**32 + 5, 2**53, 2**62, 2**63 - 1]:
        head = announce(0x82, length)
        c.fault(f"length {length:#x} above the limit", [head], "FrameTooLong", (0, 9), rules="W4 W14 W40",
                config=MIB16, roles=EITHER)  # fmt: skip
        c.add(f"length {length:#x} without limits", [head], rules="W4", config=UNLIMITED, roles=EITHER)
        if length <= 2**53:
            c.fault(f"length {length:#x} one above the limit of a message", [head], "MessageTooLong", (0, 9),
                    rules="W4 W41", config=UNLIMITED | {"message_limit": length - 1}, roles=EITHER)  # fmt: skip
    most = 2**63 - 1
    c.add("the first bytes of a huge frame", [raw(announce(0x82, 2**62).head, "abcdefgh")], rules="W4 W18",
          config=UNLIMITED, partial=("binary", "abcdefgh"))  # fmt: skip
    begun = [frame(0x02, "12345")]
    rest = ("binary", "12345")
    c.add("5 and 2^63-1 bytes without limits", [*begun, announce(0x80, most)], rules="W5", config=UNLIMITED,
          partial=rest)  # fmt: skip
    for limit in [2**53 - 1, 8]:
        c.fault(f"5 and 2^63-1 bytes, limit {limit}", [*begun, announce(0x80, most)], "MessageTooLong", (1, 9),
                rules="W5 W7", config=UNLIMITED | {"message_limit": limit}, partial=rest)  # fmt: skip
    c.fault("one byte above what is left of the limit", [*begun, announce(0x80, 4)], "MessageTooLong", (1, 1),
            rules="W7 W41", config={"message_limit": 8}, partial=rest)  # fmt: skip
    c.add("the limit reached in two fragments", [*begun, frame(0x80, "678")], [data("binary", "12345678")], rules="W7",
          config={"message_limit": 8})  # fmt: skip

    # Reserved bits: with nothing agreed on, on every sort of frame.
    for bits in range(1, 8):
        rule, number = ("ReservedBit", "W8") if bits & 3 else ("CompressionNotNegotiated", "W9")
        for opcode in [0, 1, 2, 8, 9, 10]:
            if opcode != 1 and bits not in (1, 2, 4):
                continue
            before = [frame(0x02, "a")] if opcode == 0 else []
            c.fault(f"RSV {bits:03b} on opcode {opcode}", [*before, frame(0x80 | bits << 4 | opcode)], rule,
                    (len(before), 0), rules=number, partial=("binary", "a") if opcode == 0 else None,
                    roles=("server", "client") if opcode == 1 else EITHER)  # fmt: skip
    # With bits agreed on.
    rsv1, rsv2 = {"reserved": ["rsv1"]}, {"reserved": ["rsv2"]}
    for opcode in [8, 9, 10]:
        c.fault(f"RSV1 agreed on, opcode {opcode}", [frame(0xC0 | opcode)], "CompressedControl", (0, 0), rules="W10",
                config=rsv1)  # fmt: skip
    c.fault("RSV1 agreed on, continuation", [frame(0x02, "a"), frame(0xC0)], "CompressedContinuation", (1, 0),
            rules="W11", config=rsv1, partial=("binary", "a"))  # fmt: skip
    c.fault("RSV1 agreed on, RSV2 set", [frame(0xA2)], "ReservedBit", (0, 0), rules="W8 W12", config=rsv1)
    c.fault("RSV2 agreed on, RSV1 set", [frame(0xC2)], "CompressionNotNegotiated", (0, 0), rules="W9 W12", config=rsv2)
    c.add("RSV1 agreed on and set", [frame(0xC2, "a"), binary("b")], [data("binary", "a") | {"compressed": True},
          data("binary", "b")], rules="W9 W12", config=rsv1)  # fmt: skip
    c.add("RSV2 agreed on and set", [frame(0xA2, "a"), frame(0xA9), frame(0x02), frame(0xA0, "b")],
          [data("binary", "a"), payload("ping", ""), data("binary", "b")], [pong()], rules="W8 W12",
          config=rsv2)  # fmt: skip

    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]:
        c.fault(f"opcode {opcode}", [frame(0x80 | opcode, "Hello")], "ReservedOpcode", (0, 0), rules="W13 W14")
        if opcode in (3, 11):
            c.fault(f"opcode {opcode} without FIN", [frame(opcode, "Hello")], "ReservedOpcode", (0, 0), rules="W13")
            c.fault(f"opcode {opcode} and all reserved bits", [frame(0xF0 | opcode)], "ReservedOpcode", (0, 0),
                    rules="W13 W14")  # fmt: skip
            c.fault(f"opcode {opcode} inside a message", [frame(0x01, "a"), ping("b"), frame(0x80 | opcode)],
                    "ReservedOpcode", (2, 0), [payload("ping", "b")], [pong("b")], rules="W13",
                    partial=("text", "a"))  # fmt: skip

    # The first byte that proves a fault counts, and nothing behind it is waited for.
    c.fault("FIN, then length", [raw([0x09, 127, *[255] * 8])], "FragmentedControl", (0, 0), rules="W14")
    c.fault("7 bits of length, then the rest", [raw([0x89, 127, 255])], "ControlTooLong", (0, 1), rules="W14")
    c.fault("mask bit, then length", [exactly(b"\x82\xff\xff")], "MaskedFrame", (0, 1), rules="W14", roles=CLIENT)
    c.fault("mask bit, then control length", [exactly(b"\x89\x7e")], "UnmaskedFrame", (0, 1), rules="W14",
            roles=SERVER)  # fmt: skip
    c.fault("a limit, before the key", [announce(0x82, 1 << 30)], "FrameTooLong", (0, 9), rules="W14", config=MIB16)
    c.fault("length in 16 bits, before the key", [exactly(b"\x82\xfe\x00\x01")], "NonMinimalLength16", (0, 3),
            rules="W14", roles=SERVER)  # fmt: skip

    for length in [1, 125, 126, 300]:
        c.add(f"two fragments, {length} bytes and 1", [frame(0x01, "x" * length), frame(0x80, "y")],
              [data("text", "x" * length + "y")], rules="W15")  # fmt: skip
    body = bytes(range(256))
    c.add("the mask's phase over frames", [frame(0x02, body[:3]), frame(0x80, body), ping(body[:5]), binary(body[:6])],
          [data("binary", body[:3] + body), payload("ping", body[:5]), data("binary", body[:6])], [pong(body[:5])],
          rules="W16 W89")  # fmt: skip
    c.add("inside a header", [exactly(b"\x82")], rules="W15")
    return c


def control():
    c = Chapter()
    for opcode in [8, 9, 10]:
        for length in [126, 127]:
            c.fault(f"opcode {opcode}, length code {length}", [raw([0x80 | opcode, length, 0, 126])], "ControlTooLong",
                    (0, 1), rules="W21")  # fmt: skip
        c.fault(f"opcode {opcode} without FIN", [frame(opcode)], "FragmentedControl", (0, 0), rules="W22")
        c.fault(f"opcode {opcode} without FIN, inside a message", [frame(0x01, "a"), frame(opcode, "b")],
                "FragmentedControl", (1, 0), rules="W22", partial=("text", "a"))  # fmt: skip
    longest = "x" * 125
    c.add("125 bytes of ping and pong", [ping(longest), pong(longest)],
          [payload("ping", longest), payload("pong", longest)], [pong(longest)], rules="W21 W25")  # fmt: skip
    c.add("125 bytes of Close", [close(1000, longest[2:])], [{"close": [1000, longest[2:]]}], [close(1000)],
          rules="W21 W75", closed=True)  # fmt: skip
    for action in ["ping", "pong"]:
        c.add(f"a {action} of 126 bytes is not sent", before=[{action: "00" * 126, **REFUSED}, {action: "00" * 125}],
              output=[frame(0x89 if action == "ping" else 0x8A, bytes(125))], rules="W21")  # fmt: skip

    c.add("control frames inside a message",
          [frame(0x01, "Hel"), ping("1"), frame(0x00), pong("2"), ping(), frame(0x80, "lo")],
          [payload("ping", "1"), payload("pong", "2"), payload("ping", ""), data("text", "Hello")],
          [pong("1"), pong()], rules="W23")  # fmt: skip
    c.add("a ping inside a character", [frame(0x01, b"\xe2\x82"), ping(b"\xff"), frame(0x80, b"\xac")],
          [payload("ping", b"\xff"), data("text", "€")], [pong(b"\xff")], rules="W23 W46")  # fmt: skip
    c.add("control frames do not count as fragments", [frame(0x01), ping("1"), pong("2"), frame(0x80)],
          [payload("ping", "1"), payload("pong", "2"), data("text", "")], [pong("1")], rules="W23",
          config={"frame_limit": 0, "message_limit": 0, "fragment_limit": 2})  # fmt: skip
    c.fault("a ping opens no message", [ping("1"), frame(0x80, "lo")], "UnexpectedContinuation", (1, 0),
            [payload("ping", "1")], [pong("1")], rules="W23 W34")  # fmt: skip
    c.add("control frames go out between fragments",
          before=[fragment("text", b"Hel"), {"ping": "31"}, fragment("next", b"l"), {"pong": "32"},
                  fragment("last", b"o")],
          output=[frame(0x01, "Hel"), ping("1"), frame(0x00, "l"), pong("2"), frame(0x80, "o")], rules="W24")  # fmt: skip

    body = bytes(i * 2 + 1 for i in range(125))
    for length in [0, 1, 2, 3, 4, 5, 7, 8, 31, 124, 125]:
        c.add(f"a ping of {length} bytes", [ping(body[:length])], [payload("ping", body[:length])],
              [pong(body[:length])], rules="W25 W28" if length == 0 else "W25", roles=EITHER)  # fmt: skip
    c.add("pings are answered in order", [ping("1"), ping("2"), ping("3")],
          [payload("ping", "1"), payload("ping", "2"), payload("ping", "3")], [pong("1"), pong("2"), pong("3")],
          rules="W25 W26")  # fmt: skip
    c.add("empty ping and pong", [ping(), pong(), ping()],
          [payload("ping", ""), payload("pong", ""), payload("ping", "")], [pong(), pong()], rules="W28")  # fmt: skip
    c.add("a pong without a ping", [pong("unasked"), text("a"), pong(b"\xff\0")],
          [payload("pong", "unasked"), data("text", "a"), payload("pong", b"\xff\0")], rules="W29")  # fmt: skip

    ours = {"close": [1000, ""]}
    c.add("no pong behind their Close", [ping("1"), close(1000), ping("2")],
          [payload("ping", "1"), {"close": [1000, ""]}], [pong("1"), close(1000)], rules="W30", closed=True)  # fmt: skip
    c.add("pings are answered behind our Close", [ping("1"), frame(0x01, "a"), ping("2"), frame(0x80, "b")],
          [payload("ping", "1"), payload("ping", "2"), data("text", "ab")], [close(1000), pong("1"), pong("2")],
          rules="W30 W31", before=[ours])  # fmt: skip
    c.add("nothing behind both Closes", [binary("a"), close(1000), ping("2")],
          [data("binary", "a"), {"close": [1000, ""]}], [close(1000)], rules="W30 W31", before=[ours],
          closed=True)  # fmt: skip
    c.add("faults are found behind our Close", [frame(0x83), ping("2")], [], [close(1000)], rules="W31 W155",
          before=[ours], fault=("ReservedOpcode", (0, 0)))  # fmt: skip
    c.fault("no pong behind a failure", [frame(0x83), ping("1")], "ReservedOpcode", (0, 0), rules="W30 W68")
    c.add("a Close goes behind what was sent",
          before=[{"text": "a"}, {"ping": "31"}, fragment("binary", b"b"), {"close": [1001, "bye"]}],
          output=[text("a"), ping("1"), frame(0x02, "b"), close(1001, "bye")], rules="W32")  # fmt: skip
    return c


def fragmentation():
    c = Chapter()
    for fin in [0x00, 0x80]:
        name = "a last fragment" if fin else "a fragment"
        c.fault(f"{name} of nothing", [frame(fin, "a")], "UnexpectedContinuation", (0, 0), rules="W34")
        c.fault(f"{name} behind a whole message", [text("a"), frame(fin, "b")], "UnexpectedContinuation", (1, 0),
                [data("text", "a")], rules="W34")  # fmt: skip
        c.fault(f"{name} behind an empty message", [frame(0x02), frame(0x80), frame(fin, "b")],
                "UnexpectedContinuation", (2, 0), [data("binary", "")], rules="W34 W37")  # fmt: skip
    for opener, kind in [(0x01, "text"), (0x02, "binary")]:
        for intruder in [0x01, 0x02, 0x81, 0x82]:
            for body in ["", "a"]:
                c.fault(f"frame {intruder:02x} inside {kind} of {len(body)}",
                        [frame(opener, body), frame(0x00), ping("1"), frame(intruder, "b")], "InterruptedMessage",
                        (3, 0), [payload("ping", "1")], [pong("1")], rules="W35",
                        partial=(kind, body) if body else None, roles=EITHER)  # fmt: skip
        for body in ["...", "a..", ".b.", "..c", "ab.", "abc"]:
            sent = [part.strip(".") for part in body]
            c.add(f"{kind}, fragments {body}",
                  [frame(opener, sent[0]), frame(0x00, sent[1]), frame(0x80, sent[2]), text("t"), binary(b"\xff")],
                  [data(kind, "".join(sent)), data("text", "t"), data("binary", b"\xff")], rules="W36 W37",
                  roles=EITHER)  # fmt: skip
        c.add(f"empty {kind}", [frame(opener), frame(0x80), frame(opener | 0x80)], [data(kind, ""), data(kind, "")],
              rules="W36 W37")  # fmt: skip

    for body in ["", "x"]:
        first, following, last = frame(0x02, body), frame(0x00, body), frame(0x80, body)
        c.add(f"3 fragments of {len(body)}, limit 3", [first, following, ping("1"), last] * 2,
              [payload("ping", "1"), data("binary", body * 3)] * 2, [pong("1")] * 2, rules="W38 W39",
              config={"fragment_limit": 3})  # fmt: skip
        c.fault(f"3 fragments of {len(body)}, limit 2", [first, following, last], "TooManyFragments", (2, 0),
                rules="W38 W39", config={"fragment_limit": 2},
                partial=("binary", body * 2) if body else None)  # fmt: skip
        c.fault(f"a message of {len(body)}, no fragment allowed", [ping("1"), binary(body)], "TooManyFragments", (1, 0),
                [payload("ping", "1")], [pong("1")], rules="W39", config={"fragment_limit": 0})  # fmt: skip
    c.add("whole messages are one fragment each", [binary("a"), text("b")], [data("binary", "a"), data("text", "b")],
          rules="W39", config={"fragment_limit": 1})  # fmt: skip
    many = exactly(b"\x02\x00" + b"\x00\x00" * 131071)
    limit = {"fragment_limit": 131072}
    c.add("131,072 fragments", [many], rules="W38 W39", roles=CLIENT, config=limit)
    c.fault("one fragment above 131,072", [many, frame(0x80)], "TooManyFragments", (1, 0), rules="W38 W39",
            roles=CLIENT, config=limit)  # fmt: skip

    for length in [0, 1, 125, 126, 65535, 65536]:
        body, more = b"x" * length, announce(0x82, length + 1)
        size = len(more.head) - 1
        limit = {"frame_limit": length}
        c.add(f"frames at the limit of {length}", [binary(body), frame(0x01, body), frame(0x80, body)],
              [data("binary", body), data("text", body * 2)], rules="W40", config=limit, roles=EITHER)  # fmt: skip
        c.fault(f"a frame above the limit of {length}", [more], "FrameTooLong", (0, size), rules="W40", config=limit,
                roles=EITHER)  # fmt: skip
        limit, half = {"message_limit": length}, length // 2
        c.add(f"messages at the limit of {length}", [frame(0x01, body[:half]), frame(0x80, body[half:])] * 2,
              [data("text", body)] * 2, rules="W41", config=limit, roles=EITHER)  # fmt: skip
        c.fault(f"a message above the limit of {length}", [more], "MessageTooLong", (0, size), rules="W40 W41",
                config=limit, roles=EITHER)  # fmt: skip
        c.fault(f"the last byte above the limit of {length}",
                [frame(0x02, body), frame(0x00), announce(0x00, 1), text("late")], "MessageTooLong", (2, 1),
                rules="W40 W41", config=limit, partial=("binary", body) if length else None,
                roles=EITHER)  # fmt: skip
    c.add("a frame of 16 MiB", [announce(0x82, 16 << 20)], rules="W40", config=MIB16)
    c.fault("one byte above 16 MiB", [announce(0x82, (16 << 20) + 1)], "FrameTooLong", (0, 9), rules="W40",
            config=MIB16)  # fmt: skip
    limit = {"frame_limit": None, "message_limit": 64 << 20}
    c.add("a message of 64 MiB", [announce(0x82, 64 << 20)], rules="W41", config=limit)
    c.fault("one byte above 64 MiB", [announce(0x82, (64 << 20) + 1)], "MessageTooLong", (0, 9), rules="W41",
            config=limit)  # fmt: skip

    orphans = [fragment("next", b"x", **REFUSED), fragment("last", b"x", **REFUSED)]
    intruders = [{"text": "x", **REFUSED}, {"binary": "78", **REFUSED}, fragment("text", b"x", **REFUSED),
                 fragment("binary", b"x", **REFUSED)]  # fmt: skip
    c.add("one outgoing message at a time",
          before=[*orphans, fragment("binary", b""), *intruders, fragment("next", b"a"), {"ping": ""},
                  fragment("last", b"b"), *orphans, {"text": "c"}],
          output=[frame(0x02), frame(0x00, "a"), ping(), frame(0x80, "b"), text("c")], rules="W42")  # fmt: skip
    c.add("a Close between fragments", [frame(0x01, "Hel"), frame(0x00, "lo"), close(1001)], [{"close": [1001, ""]}],
          [close(1001)], rules="W44", partial=("text", "Hello"), closed=True)  # fmt: skip
    c.add("a Close inside a character", [frame(0x01, b"\xe2\x82"), close(1001)], [{"close": [1001, ""]}],
          [close(1001)], rules="W44 W48", partial=("text", b"\xe2\x82"), closed=True)  # fmt: skip

    noise, rsv1 = b"\xff\xfe\x80", {"reserved": ["rsv1"]}

    def squeezed(kind, body):
        return {kind: body.hex(), "compressed": True}

    c.add("compressed messages",
          [frame(0x41, noise), ping("1"), frame(0x00), frame(0x00, noise), frame(0x80), binary("a"), frame(0xC2, "b"),
           frame(0x41), frame(0x80, noise)],
          [payload("ping", "1"), squeezed("text", noise * 2), data("binary", "a"), squeezed("binary", b"b"),
           squeezed("text", noise)], [pong("1")], rules="W45 W51", config=rsv1)  # fmt: skip
    c.fault("RSV1 on a later fragment", [frame(0x41, noise), frame(0xC0, noise)], "CompressedContinuation", (1, 0),
            rules="W11 W45", config=rsv1, partial=("text", noise))  # fmt: skip
    tight = rsv1 | {"frame_limit": 10, "message_limit": 15}
    c.fault("a compressed message above the limit", [frame(0x42, b"\1" * 10), announce(0x80, 6)], "MessageTooLong",
            (1, 1), rules="W154", config=tight, partial=("binary", b"\1" * 10))  # fmt: skip
    c.fault("a compressed frame above the limit", [announce(0xC2, 11)], "FrameTooLong", (0, 1), rules="W154",
            config=tight)  # fmt: skip
    return c


# Sequences that are not UTF-8, and which of their bytes shows it.
IMPOSSIBLE = [
    (b"\x80", 0), (b"\xbf", 0), (b"\xc0", 0), (b"\xc1\xbf", 0), (b"\xf5\x80\x80\x80", 0), (b"\xfe", 0), (b"\xff", 0),
    (b"\xc2\x7f", 1), (b"\xc2\xc0", 1), (b"\xdf\xff", 1), (b"\xe0\x80\x80", 1), (b"\xe0\x9f\xbf", 1),
    (b"\xed\xa0\x80", 1), (b"\xed\xbf\xbf", 1), (b"\xef\x41", 1), (b"\xf0\x80\x80\x80", 1), (b"\xf0\x8f\xbf\xbf", 1),
    (b"\xf4\x90\x80\x80", 1), (b"\xf4\xbf", 1), (b"\xe2\x82\x41", 2), (b"\xe0\xa0\xc0", 2), (b"\xed\x9f\x20", 2),
    (b"\xf0\x90\x28\xbc", 2), (b"\xf4\x8f\xff", 2), (b"\xf0\x90\x80\x28", 3), (b"\xf4\x8f\xbf\xc0", 3),
]  # fmt: skip


def utf8():
    c = Chapter()
    word = "é€𐍈".encode()
    every = "é\u07ff\u0800€\ud7ff\ue000\uffff\U00010000𐍈\U0010ffff\0"
    c.add("characters at every border", [text(every), frame(0x01, every), frame(0x80)],
          [data("text", every), data("text", every)], rules="W46 W49")  # fmt: skip
    for at in range(1, len(word)):
        c.add(f"fragments cut at byte {at}", [frame(0x01, word[:at]), frame(0x00), ping(b"\xff"), frame(0x80, word[at:])],
              [payload("ping", b"\xff"), data("text", word)], [pong(b"\xff")], rules="W46", roles=EITHER)  # fmt: skip

    for bad, place in IMPOSSIBLE:
        rules = "W47 W49"
        whole = b"Hello-" + bad + b" and more"
        c.fault(f"{bad.hex()} in a message", [text(whole)], "InvalidUtf8", (0, "body", 6 + place), rules=rules,
                partial=("text", whole[: 6 + place]), roles=EITHER)  # fmt: skip
        if place:
            c.fault(f"{bad.hex()} cut by a fragment",
                    [frame(0x01, bad[:place]), frame(0x00), frame(0x00, bad[place:])], "InvalidUtf8", (2, "body", 0),
                    rules=rules, partial=("text", bad[:place]), roles=EITHER)  # fmt: skip
        else:
            c.fault(f"{bad.hex()} as the first byte", [frame(0x01, bad)], "InvalidUtf8", (0, "body", 0), rules=rules,
                    roles=EITHER)  # fmt: skip
        if place != 1:
            c.add(f"{bad.hex()} in binary", [binary(bad), ping(bad), pong(bad)],
                  [data("binary", bad), payload("ping", bad), payload("pong", bad)], [pong(bad)], rules="W53",
                  roles=EITHER)  # fmt: skip
        c.fault(f"{bad.hex()} in a reason", [close(1000, b"reason " + bad)], "InvalidReason",
                (0, "body", 2 + 7 + place), rules="W54", roles=EITHER)  # fmt: skip
        outgoing = [{"fragment": "text", "payload": (b"ok" + bad).hex(), **REFUSED}]
        output = []
        if place:
            # A character begun may be continued, but not by that, and not by nothing.
            outgoing += [fragment("text", bad[:place]), fragment("next", bad[place:], **REFUSED),
                         fragment("last", b"", **REFUSED)]  # fmt: skip
            output = [frame(0x01, bad[:place])]
        c.add(f"{bad.hex()} is not sent as text", before=outgoing, output=output, rules="W55",
              roles=EITHER)  # fmt: skip
    for cut in [b"\xc3", b"\xe2", b"\xe2\x82", b"\xf0", b"\xf0\x90", b"\xf0\x90\x8d"]:
        c.fault(f"a message ends with {cut.hex()}", [text(b"ab" + cut)], "TruncatedUtf8", (0, "body", 1 + len(cut)),
                rules="W48", partial=("text", b"ab" + cut[:-1]))  # fmt: skip
        c.fault(f"an empty last fragment behind {cut.hex()}", [frame(0x01, cut), frame(0x00), frame(0x80)],
                "TruncatedUtf8", (2, "end"), rules="W48", partial=("text", cut))  # fmt: skip
        c.fault(f"a reason ends with {cut.hex()}", [close(1000, b"bye " + cut)], "InvalidReason",
                (0, "body", 5 + len(cut)), rules="W54")  # fmt: skip
    c.add("a byte order mark in text", [text("\ufeffa\ufeff"), frame(0x01, "\ufeff"), frame(0x80, "\ufeff")],
          [data("text", "\ufeffa\ufeff"), data("text", "\ufeff\ufeff")], rules="W50")  # fmt: skip
    c.add("a byte order mark in a reason", [close(1000, "\ufeffbye")], [{"close": [1000, "\ufeffbye"]}], [close(1000)],
          rules="W50 W76", closed=True)  # fmt: skip
    c.add("a reason of several scripts", [close(1000, "κόσμε € 𐍈")], [{"close": [1000, "κόσμε € 𐍈"]}], [close(1000)],
          rules="W54", closed=True)  # fmt: skip
    c.fault("compressed text is not checked, the next is",
            [frame(0xC1, b"\xff\xc3"), frame(0x41, b"\xe2"), frame(0x80, b"\xff"), text(b"a\xff")], "InvalidUtf8",
            (3, "body", 1),
            [{"text": "ffc3", "compressed": True}, {"text": "e2ff", "compressed": True}], rules="W51",
            config={"reserved": ["rsv1"]}, partial=("text", "a"))  # fmt: skip
    c.add("binary fragments are not checked", [frame(0x02, b"\xe2"), frame(0x00, b"\xff"), frame(0x80, b"\xc3")],
          [data("binary", b"\xe2\xff\xc3")], rules="W53")  # fmt: skip
    c.add("outgoing text cut inside a character", before=[fragment("text", b"\xe2"), fragment("next", b"\x82"),
          fragment("last", b"\xac")], output=[frame(0x01, b"\xe2"), frame(0x00, b"\x82"), frame(0x80, b"\xac")],
          rules="W55")  # fmt: skip
    return c


def closing():
    c = Chapter()
    theirs = lambda code: closure(code, clean=True, sent=code, received=code, first="peer")  # noqa: E731
    c.fault("a body of one byte", [frame(0x88, b"\3")], "CloseBodyTooShort", (0, 1), rules="W57")
    c.add("a body of one byte as the answer", [frame(0x88, b"\3")], [], [close(1000)], rules="W57 W155",
          before=[{"close": [1000, ""]}], fault=("CloseBodyTooShort", (0, 1)))  # fmt: skip
    c.add("an empty body", [close()], [{"close": None}], [close()], rules="W58", closed=True, closure=theirs(1005))
    c.add("an empty body sent", before=[{"close": None}], output=[close()], rules="W58")
    c.add("an empty body sent, a code read", [close(4000, "x")], [{"close": [4000, "x"]}], [close()], rules="W58 W67",
          before=[{"close": None}], closed=True,
          closure=closure(4000, clean=True, sent=1005, received=4000, first="local"))  # fmt: skip

    for code in [1004, 1005, 1006, 1015]:
        c.fault(f"code {code}", [close(code, "reason")], "ReservedCloseCode", (0, "body", 1), rules="W59")
        c.add(f"code {code} is not sent", before=[{"close": [code, ""], **REFUSED}], rules="W59")
    for code in [0, 1, 999, 1016, 1100, 2000, 2999, 5000, 9999, 0x7FFF, 0x8000, 65535]:
        c.fault(f"code {code}", [close(code, "reason")], "UnassignedCloseCode", (0, "body", 1), rules="W60",
                roles=EITHER)  # fmt: skip
        c.add(f"code {code} is not sent", before=[{"close": [code, ""], **REFUSED}], rules="W60", roles=EITHER)
    assigned = {"W60": [1000, 1001, 1002, 1003, 1007, 1008, 1009], "W61": [1012, 1013, 1014],
                "W62": [3000, 3999, 4000, 4999], "W63": [1010, 1011]}  # fmt: skip
    for rule, codes in assigned.items():
        for code in codes:
            c.add(f"code {code}", [close(code, "reason")], [{"close": [code, "reason"]}], [close(code)],
                  rules=f"{rule} W64", closed=True, closure=theirs(code), roles=EITHER)  # fmt: skip
            c.add(f"code {code} is sent", before=[{"close": [code, ""]}], output=[close(code)], rules=rule,
                  roles=CLIENT if code == 1010 else EITHER)  # fmt: skip
    c.add("code 1010 is not sent by a server", before=[{"close": [1010, ""], **REFUSED}], rules="W63", roles=SERVER)

    c.add("only the first Close counts", [close(1000, "first"), close(1001, "second")], [{"close": [1000, "first"]}],
          [close(1000)], rules="W64 W65", closed=True, closure=theirs(1000))  # fmt: skip
    c.add("what follows a Close is not parsed", [close(1000), text("late"), exactly(b"\xff" * 40)],
          [{"close": [1000, ""]}], [close(1000)], rules="W66", closed=True, closure=theirs(1000))  # fmt: skip
    c.add("a character cut off behind a Close", [frame(0x01, b"\xe2"), close(1000), frame(0x80)],
          [{"close": [1000, ""]}], [close(1000)], rules="W44 W66", partial=("text", b"\xe2"), closed=True)  # fmt: skip
    c.add("both close at once", [close(1001, "theirs")], [{"close": [1001, "theirs"]}], [close(1000, "ours")],
          rules="W67", before=[{"close": [1000, "ours"]}], closed=True,
          closure=closure(1001, clean=True, sent=1000, received=1001, first="local"))  # fmt: skip
    failure = closure(1006, cause="violation", sent=1002, first="local")
    c.fault("a Close behind a failure", [frame(0x83), close(1000)], "ReservedOpcode", (0, 0), rules="W68 W80 W152",
            closure=failure)  # fmt: skip
    c.fault("a Close that is a fault", [close(999, "reason"), close(1000)], "UnassignedCloseCode", (0, "body", 1),
            rules="W60 W68", closure=failure)  # fmt: skip
    c.fault("two faults", [frame(0x83), frame(0x81, b"\xff")], "ReservedOpcode", (0, 0), rules="W68 W152 W155",
            closure=failure)  # fmt: skip

    # What the end of the stream makes of every state.
    open_end = closure(1006, cause="end_without_close")
    in_frame = closure(1006, cause="end_in_frame")
    in_message = closure(1006, cause="end_in_message")
    c.add("the end right behind the handshake", rules="W71 W72", closure=open_end)
    c.add("the end behind a message", [text("a")], [data("text", "a")], rules="W71", closure=open_end)
    c.add("the end inside a header", [exactly(b"\x81")], rules="W71", closure=in_frame)
    c.add("the end behind a header", [announce(0x82, 300)], rules="W71", closure=in_frame)
    c.add("the end inside a payload", [raw([0x81, 5], "Hel")], rules="W71", closure=in_frame, partial=("text", "Hel"))
    c.add("the end inside a ping", [raw([0x89, 5], "Hel")], rules="W71", closure=in_frame)
    c.add("the end inside a Close", [raw([0x88, 5], b"\3\xe8")], rules="W71 W81", closure=in_frame)
    c.add("the end between fragments", [frame(0x01, "Hel"), ping()], [payload("ping", "")], [pong()], rules="W44 W71",
          closure=in_message, partial=("text", "Hel"))  # fmt: skip
    c.add("the end behind an empty fragment", [frame(0x02)], rules="W37 W71", closure=in_message)
    c.add("the end inside a second header", [frame(0x02), exactly(b"\x80")], rules="W71", closure=in_frame)
    c.add("the end behind our Close alone", before=[{"close": [1000, ""]}], output=[close(1000)], rules="W71",
          closure=closure(1006, cause="end_without_close", sent=1000, first="local"))  # fmt: skip
    c.add("the end behind both Closes, theirs first", [close(1000)], [{"close": [1000, ""]}], [close(1000)],
          rules="W69 W71 W79", closed=True, closure=theirs(1000))  # fmt: skip
    c.add("the end behind both Closes, ours first", [close(1000)], [{"close": [1000, ""]}], [close(1000)],
          rules="W69 W71 W79", before=[{"close": [1000, ""]}], closed=True,
          closure=closure(1000, clean=True, sent=1000, received=1000, first="local"))  # fmt: skip
    c.add("behind our Close, theirs is awaited", [text("a")], [data("text", "a")], [close(1000)], rules="W31 W69",
          before=[{"close": [1000, ""]}])  # fmt: skip

    # What is not sent any more.
    late = [{"text": "a", **REFUSED}, {"binary": "", **REFUSED}, {"ping": "", **REFUSED}, {"pong": "", **REFUSED},
            fragment("binary", b"", **REFUSED)]  # fmt: skip
    rest = [fragment("next", b"l", **REFUSED), fragment("last", b"o", **REFUSED)]
    c.add("nothing but replies behind our Close", before=[{"close": [1001, "bye"]}, *late], output=[close(1001, "bye")],
          rules="W74 W78")  # fmt: skip
    c.add("not even the rest of a message", before=[fragment("text", b"Hel"), {"close": [1000, ""]}, *rest],
          output=[frame(0x01, "Hel"), close(1000)], rules="W74")  # fmt: skip
    c.add("nothing behind their Close", [close(1000)], [{"close": [1000, ""]}], [frame(0x01, "Hel"), close(1000)],
          rules="W74", before=[fragment("text", b"Hel")], after=[*late, *rest], closed=True)  # fmt: skip
    c.fault("nothing behind a failure", [frame(0x83)], "ReservedOpcode", (0, 0), rules="W74", after=late)
    c.add("a second close does nothing", before=[{"close": [1001, "bye"]}, {"close": [1000, "again"]}, {"close": None}],
          output=[close(1001, "bye")], rules="W78")  # fmt: skip
    c.add("a close behind theirs does nothing", [close(1000)], [{"close": [1000, ""]}], [close(1000)], rules="W78",
          after=[{"close": [1001, "late"]}], closed=True, closure=theirs(1000))  # fmt: skip
    c.fault("a close behind a failure does nothing", [frame(0x83)], "ReservedOpcode", (0, 0), rules="W78 W155",
            after=[{"close": [1001, "late"]}], closure=failure)  # fmt: skip

    for length in [123, 124]:
        reason = "r" * length
        c.add(f"a reason of {length} bytes sent",
              before=[{"close": [1000, reason], **(REFUSED if length > 123 else {})}],
              output=[close(1000, reason)] if length < 124 else [], rules="W75")  # fmt: skip
    c.add("NUL in a reason", [close(1000, "\0a\0")], [{"close": [1000, "\0a\0"]}], [close(1000)], rules="W76",
          closed=True)  # fmt: skip
    c.add("NUL and a byte order mark are sent", before=[{"close": [1001, "\0\ufeff"]}],
          output=[close(1001, "\0\ufeff")], rules="W76")  # fmt: skip
    c.add("a fault behind our Close", [frame(0x81, b"\xff"), close(1001)], [], [close(1001)], rules="W155 W156",
          before=[{"close": [1001, ""]}], fault=("InvalidUtf8", (0, "body", 0)),
          closure=closure(1006, cause="violation", sent=1001, first="local"))  # fmt: skip
    c.add("a faulty answer to our Close", [close(1006)], [], [close(1001)], rules="W59 W155",
          before=[{"close": [1001, ""]}], fault=("ReservedCloseCode", (0, "body", 1)))  # fmt: skip
    c.add("our Close, then whatever code they answer", [text("b"), close(4999, "so")],
          [data("text", "b"), {"close": [4999, "so"]}], [text("a"), close(1001, "bye")], rules="W67 W155",
          before=[{"text": "a"}, {"close": [1001, "bye"]}], closed=True)  # fmt: skip
    c.fault("who fails the connection shuts it", [frame(0x83), text("a" * 99)], "ReservedOpcode", (0, 0),
            rules="W69 W70 W156")  # fmt: skip
    return c


def masking():
    c = Chapter()
    sorts = [("text", text("Hello"), data("text", "Hello"), []), ("empty", binary(), data("binary", ""), []),
             ("200 bytes", binary(b"\7" * 200), data("binary", b"\7" * 200), []),
             ("ping", ping("1"), payload("ping", "1"), [pong("1")]), ("pong", pong(), payload("pong", ""), []),
             ("Close", close(1000, "bye"), {"close": [1000, "bye"]}, [close(1000)])]  # fmt: skip
    forgiving = {"lenient": ["unmasked_frames"]}
    for name, sent, told, replies in sorts:
        plain, closed = exactly(sent.bytes(None)), name == "Close"
        c.fault(f"{name} without a mask", [plain], "UnmaskedFrame", (0, 1), rules="W82", roles=SERVER)
        c.add(f"{name} without a mask forgiven", [plain], [told], replies, rules="W82", roles=SERVER, config=forgiving,
              closed=closed)  # fmt: skip
        c.fault(f"{name} with a mask", [exactly(sent.bytes(OWN_KEY))], "MaskedFrame", (0, 1), rules="W83", roles=CLIENT)
        c.add(f"{name} with a key of zeros", [exactly(sent.bytes(bytes(4)))], [told], replies, rules="W85",
              roles=SERVER, closed=closed)  # fmt: skip
    c.add("masked and unmasked in turn", [exactly(text("a").bytes(None)), text("b"), exactly(text("c").bytes(None))],
          [data("text", "a"), data("text", "b"), data("text", "c")], rules="W82", roles=SERVER,
          config=forgiving)  # fmt: skip
    c.fault("a second frame without a mask", [text("a"), exactly(text("b").bytes(None))], "UnmaskedFrame", (1, 1),
            [data("text", "a")], rules="W82", roles=SERVER)  # fmt: skip
    c.fault("a second frame with a mask", [text("a"), exactly(text("b").bytes(PEER_KEY))], "MaskedFrame", (1, 1),
            [data("text", "a")], rules="W83", roles=CLIENT)  # fmt: skip
    c.fault("a mask is never forgiven by a client", [exactly(text("a").bytes(bytes(4)))], "MaskedFrame", (0, 1),
            rules="W83", roles=CLIENT, config={"lenient": ["non_minimal_length", "unmasked_frames"]})  # fmt: skip
    c.add("each frame has a key of its own",
          [exactly(text("ab").bytes(bytes(4))), text("cd"), exactly(frame(0x01, "e").bytes(b"\xff\0\xff\0")),
           exactly(frame(0x80, "f").bytes(b"\0\xff\0\xff"))],
          [data("text", "ab"), data("text", "cd"), data("text", "ef")], rules="W85 W89", roles=SERVER)  # fmt: skip

    # What goes out: masked by a client, every frame under a key, and plain by a server.
    c.add("every sort of frame is sent",
          before=[{"text": "Hello"}, {"text": ""}, {"binary": "00ff"}, {"ping": "31"}, {"ping": ""}, {"pong": ""},
                  fragment("binary", b"a"), fragment("next", b""), fragment("last", b""), {"close": [1000, "bye"]}],
          output=[text("Hello"), text(), binary(b"\0\xff"), ping("1"), ping(), pong(), frame(0x02, "a"), frame(0x00),
                  frame(0x80), close(1000, "bye")], rules="W84 W87 W88")  # fmt: skip
    c.add("an empty Close is sent", before=[{"close": None}], output=[close()], rules="W87 W88")
    c.add("replies", [ping(), ping("1"), close()], [payload("ping", ""), payload("ping", "1"), {"close": None}],
          [pong(), pong("1"), close()], rules="W87 W88", closed=True)  # fmt: skip
    body = bytes(i * 7 & 255 for i in range(300))
    for length in [*range(1, 18), 31, 32, 33, 63, 64, 65, 100, 125, 126, 127]:
        part = body[:length]
        c.add(f"{length} bytes, read and sent", [binary(part)], [data("binary", part)], [binary(part)],
              rules="W16 W89", before=[{"binary": part.hex()}], roles=EITHER if length > 8 else ("server", "client"))  # fmt: skip
    return c


CHAPTERS = {
    "frame_header": frame_header,
    "control": control,
    "fragmentation": fragmentation,
    "utf8": utf8,
    "close": closing,
    "masking": masking,
}
