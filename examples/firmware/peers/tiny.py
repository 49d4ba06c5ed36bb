"""`tiny` against a client by PyPI `websockets`, one by npm `ws`, and bytes made by hand; and how deep its stack was."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable

sys.path.insert(0, os.path.dirname(__file__))
from boards import HOST, PEERS, Board, Mismatch, Report, scripted, tiny  # noqa: E402
from harness.programs import run_script  # noqa: E402
from harness.server_handshake import Request, check_accepted  # noqa: E402
from harness.wire import (  # noqa: E402
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Peer,
    close_body,
    expect,
    masked,
)
from websockets.asyncio.client import connect  # noqa: E402

STACK = 1500  # bytes
HEAD = 512
LONG = 16 * 1024


async def by_websockets(board: Board) -> str:
    options = {"compression": None, "ping_interval": None, "proxy": None, "close_timeout": 1}
    async with connect(board.url, **options) as connection:
        for number in range(1000):
            await connection.send(f"message {number}")
            expect(await connection.recv() == f"message {number}", f"message {number}", "another")
        for message in ("", b"", "κόσμε – 10 € 🎈" * 50, os.urandom(LONG)):
            await connection.send(message)
            expect(await connection.recv() == message, "the message", "another")
        await connection.send(["in ", "five ", "", "frag", "ments"])
        expect(await connection.recv() == "in five fragments", "in five fragments", "something else")
        await (await connection.ping(b"p" * 125))
        await connection.close(1000, "r" * 123)
        expect(connection.close_code == 1000, 1000, connection.close_code)
    return "1000"


async def by_ws(board: Board) -> str:
    await scripted(shutil.which("node") or "node", str(PEERS / "caller.cjs"), board.url, "1000")
    return "1000"


async def opened(board: Board, extra: list[tuple[str, str]] | None = None) -> Peer:
    peer = await Peer.connect(HOST, board.port)
    request = Request()
    head = request.bytes(f"{HOST}:{board.port}")
    if extra:
        lines = "".join(f"{name}: {value}\r\n" for name, value in extra).encode()
        head = head.removesuffix(b"\r\n") + lines + b"\r\n"
    await peer.send(head)
    check_accepted(await peer.head(), request.key)
    return peer


async def failed(peer: Peer, code: int) -> None:
    """A Close with this code, behind what was echoed before the fault."""
    while (frame := await peer.frame("a Close")).opcode in (TEXT, BINARY, CONTINUATION):
        pass
    expect((frame.opcode, frame.payload[:2]) == (CLOSE, close_body(code)), f"a Close with {code}", frame)


async def in_bytes(board: Board) -> str:
    """Each byte a read of its own."""
    peer = await opened(board)
    await peer.send_bytewise(masked(PING, b"p" * 20) + masked(TEXT, "κόσμε".encode()))
    pong = await peer.frame("a pong")
    expect((pong.opcode, pong.payload) == (PONG, b"p" * 20), "a pong", pong)
    text = b""
    while True:
        frame = await peer.frame("a fragment")
        text += frame.payload
        if frame.fin:
            break
    expect(text.decode() == "κόσμε", "κόσμε", text)
    await peer.send_bytewise(masked(CLOSE, close_body(4999, b"done")))
    await failed(peer, 4999)
    return "4999"


async def long_head(board: Board) -> str:
    """As long as the memory for it."""
    peer = await opened(board, [("Cookie", "c" * 250)])
    await peer.send(masked(CLOSE, close_body(1000)))
    await failed(peer, 1000)
    return "1000"


def violation(code: int, *frames: bytes) -> Callable[[Board], Awaitable[str]]:
    async def check(board: Board) -> str:
        peer = await opened(board)
        for frame in frames:
            await peer.send(frame)
        await failed(peer, code)
        return "1006"

    return check


def refusal(status: int, request: bytes) -> Callable[[Board], Awaitable[str]]:
    async def check(board: Board) -> str:
        peer = await Peer.connect(HOST, board.port)
        await peer.send(request)
        expect((head := await peer.head()).status == status, status, head)
        return "1006"

    return check


CASES: dict[str, Callable[[Board], Awaitable[str]]] = {
    "1000 echoes, 16 KiB, fragments, a ping and the closing handshake with `websockets`": by_websockets,
    "1000 echoes and the closing handshake with `ws`": by_ws,
    "a conversation byte by byte": in_bytes,
    "a long head": long_head,
    "a frame without a mask": violation(1002, b"\x81\x02hi"),
    "text that is not UTF-8": violation(1007, masked(TEXT, b"caf\xc3"), masked(CONTINUATION, b"(")),
    "a reserved opcode between fragments": violation(1002, masked(TEXT, b"a", fin=False), masked(3)),
    "a plain GET": refusal(400, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
    "a head that is too long by a byte": refusal(431, b"GET / HTTP/1.1\r\nHost: h\r\nCookie: ".ljust(HEAD + 1, b"c")),
    "a version that is not spoken": refusal(
        426,
        b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n",
    ),
}


async def main() -> int:
    report = Report("tiny")
    stacks: list[int] = []

    async def run(check: Callable[[Board], Awaitable[str]]) -> str:
        async with tiny() as board:
            code = await check(board)
            await board.says("closed with")
            expect(await board.end() == 0, "exit code 0", board.process.returncode)
            said = dict(line.rsplit(" ", 1) for line in board.lines if " " in line)
            expect(said.get("closed with") == code, f"closed with {code}", board.lines)
            stacks.append(int(said["stack:"]))
        return f"{stacks[-1]} bytes of stack"

    for name, check in CASES.items():
        await report.check(name, run(check))

    async def bounded() -> str:
        if len(stacks) != len(CASES) or max(stacks) > STACK:
            raise Mismatch(f"{STACK} bytes at most, in {len(CASES)} runs", stacks)
        return f"{max(stacks)} at most"

    await report.check(f"no more than {STACK} bytes of stack in any of them", bounded())
    return report.end()


run_script(main)
