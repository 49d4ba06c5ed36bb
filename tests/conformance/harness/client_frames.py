"""Frames and the closing handshake of the client, against a server of raw bytes."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator

from .cases import Case, rules
from .client_run import Run, connected
from .violations import VIOLATIONS, Violation
from .wire import CLOSE, CONTINUATION, PING, PONG, TEXT, close_body, expect, frame, masked

CLOSE_CODES = (None, 1000, 1001, 1003, 1007, 1011, 1012, 3000, 4999)


async def _close(run: Run) -> None:
    """The client closes at the end of its input, then waits for the server to drop TCP."""
    run.end_input()
    await run.close_frame(1000)
    await run.peer.send(frame(CLOSE, close_body(1000)))
    run.peer.shut()
    await run.exits(0)


async def masks() -> None:
    lines = [b"line %d" % n for n in range(40)]
    async with connected() as run:
        await run.type(*lines)
        keys: list[bytes] = []
        for line in lines:
            opcode, payload, used = await run.message()
            expect((opcode, payload) == (TEXT, line), line, (opcode, payload))
            keys += used
        for n in range(20):
            await run.peer.send(frame(PING, bytes([n])))
            keys.append((await run.frame()).mask or b"")
        run.end_input()
        keys.append((await run.close_frame(1000)).mask or b"")
        # Two of 61 random keys are equal once in two million runs.
        expect(len(set(keys)) == len(keys), "a fresh key for each frame", [key.hex() for key in keys])
        expect(b"\0\0\0\0" not in keys, "no zero key", keys)
        await run.peer.send(frame(CLOSE, close_body(1000)))
        run.peer.shut()
        await run.exits(0)


async def sizes() -> None:
    async with connected() as run:
        for size in (1, 125, 126, 127, 65535, 65536, 65537):
            await run.type(b"x" * size)
            opcode, payload, _ = await run.message()
            expect((opcode, payload) == (TEXT, b"x" * size), f"{size} bytes", f"{opcode}, {len(payload)} bytes")
        await _close(run)


async def pings() -> None:
    async with connected() as run:
        for size in range(126):
            payload = os.urandom(size)
            await run.peer.send(frame(PING, payload))
            pong = await run.frame()
            expect((pong.opcode, pong.payload) == (PONG, payload), f"a pong of {payload.hex()}", pong)
        await _close(run)


async def messages() -> None:
    """Fragments with a ping between, a character split over them, and bytes one by one."""
    text = "κόσμε".encode()
    async with connected() as run:
        await run.peer.send(frame(TEXT, text[:3], fin=False) + frame(PING, b"between"))
        pong = await run.frame()
        expect((pong.opcode, pong.payload) == (PONG, b"between"), "a pong between fragments", pong)
        await run.peer.send(frame(CONTINUATION, b"", fin=False) + frame(CONTINUATION, text[3:]))
        await run.printed(text)
        await run.peer.send(frame(PONG, b"unsolicited") + frame(TEXT, b"one") + frame(TEXT, b"two"))
        await run.printed(b"one")
        await run.printed(b"two")
        await run.peer.send_bytewise(frame(TEXT, b"b" * 130))
        await run.printed(b"b" * 130)
        await _close(run)


async def violation(item: Violation) -> None:
    async with connected() as run:
        await run.peer.send(item.make(None))
        await _failed(run, item.code, rules(item.rules))


async def masked_frame() -> None:
    async with connected() as run:
        await run.peer.send(masked(TEXT, b"masked")[:2])  # the fault is in the second byte
        await _failed(run, 1002, ("W83",))


async def _failed(run: Run, code: int, names: tuple[str, ...]) -> None:
    await run.close_frame(code)
    run.peer.shut()
    await run.fails(names)


async def after_failure() -> None:
    late = frame(TEXT, b"late") + frame(PING, b"late") + frame(CLOSE, close_body(1000))
    async with connected() as run:
        await run.peer.send(frame(3, b"bad") + late)
        await run.close_frame(1002)
        run.peer.shut()
        await run.peer.end()
        out, _ = await run.exits(1)
        expect("late" not in out, "nothing processed after the failure", repr(out))


async def server_closes(code: int | None) -> None:
    async with connected() as run:
        reason = b"" if code is None else b"enough"
        await run.peer.send(frame(CLOSE, close_body(code, reason)))
        answer = await run.close_frame(code)
        expect(answer.payload == close_body(code), f"the code {code} alone", answer)
        await run.peer.silence(0.5)  # the server closes TCP first
        run.peer.shut()
        await run.peer.end()
        await run.exits(0 if code == 1000 else None)


async def client_closes() -> None:
    async with connected() as run:
        run.end_input()
        await run.close_frame(1000)
        await run.peer.silence(0.3)  # it waits for the server's Close
        await run.peer.send(frame(TEXT, b"still delivered") + frame(CLOSE, close_body(1000)))
        await run.peer.silence(0.5)  # and then for the server to close TCP
        run.peer.shut()
        await run.peer.end()
        await run.exits(0)


async def after_close() -> None:
    async with connected() as run:
        await run.peer.send(frame(CLOSE, close_body(1000)) + frame(TEXT, b"late") + frame(PING) + b"\xff" * 50)
        await run.close_frame(1000)
        await run.peer.silence(0.3)
        run.peer.shut()
        await run.peer.end()
        out, _ = await run.exits(0)
        expect("late" not in out, "nothing printed after the Close", repr(out))


async def close_bytewise() -> None:
    async with connected() as run:
        await run.peer.send_bytewise(frame(CLOSE, close_body(1001, "grün".encode())))
        await run.close_frame(1001)
        run.peer.shut()
        await run.exits(None)


async def vanishes(data: bytes) -> None:
    async with connected() as run:
        await run.peer.send(data)
        run.peer.shut()
        await run.peer.end(3)
        _, err = await run.exits(1)
        expect(bool(err.strip()), "a message on standard error", "none")


def cases() -> Iterator[Case]:
    def case(name: str, names: str, check: Callable[..., Awaitable[None]], *args: object) -> Case:
        return Case(name, rules(names), lambda: check(*args))

    yield case("masks every frame under a fresh key", "W84 W88", masks)
    yield case("sends the shortest length form", "W2 W3", sizes)
    yield case("answers pings of 0 to 125 bytes", "W25 W28", pings)
    yield case("prints messages, whatever their fragments", "W15 W23 W37 W46", messages)
    yield case("fails a masked frame", "W83 W14", masked_frame)
    for item in VIOLATIONS:
        yield case(f"fails {item.name}", item.rules, violation, item)
    yield case("processes nothing after its failure", "W68", after_failure)
    for code in CLOSE_CODES:
        yield case(f"answers a Close with {code}, leaving TCP to the server", "W58 W64 W69", server_closes, code)
    yield case("closes at the end of its input, leaving TCP to the server", "W69 W31", client_closes)
    yield case("ignores whatever follows a Close", "W30 W66", after_close)
    yield case("reads a Close byte by byte", "W81", close_bytewise)
    for name, data in (
        ("right behind the 101", b""),
        ("inside a frame", frame(TEXT, b"abc")[:-1]),
        ("inside a message", frame(TEXT, b"abc", fin=False)),
    ):
        yield case(f"reports an end {name}", "W71 W72", vanishes, data)
