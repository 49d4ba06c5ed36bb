"""`server` against clients by PyPI `websockets` and npm `ws`, and bytes made by hand."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
import zlib
from contextlib import AsyncExitStack

sys.path.insert(0, os.path.dirname(__file__))
from boards import CONFORMANCE, HOST, PEERS, Board, Mismatch, Report, child, scripted, server  # noqa: E402
from harness import cases, server_frames, server_handshake  # noqa: E402
from harness.programs import run_script  # noqa: E402
from harness.server_handshake import Request, check_accepted  # noqa: E402
from harness.wire import BINARY, PING, Peer, expect, masked  # noqa: E402
from websockets.asyncio.client import connect  # noqa: E402
from websockets.exceptions import InvalidStatus  # noqa: E402

PLACES = 4
STACK = 20 * 1024  # bytes, of which 11 KiB are a stage for inflating on its way to its place
LIMIT = 16 << 20  # bytes of a message
NODE = shutil.which("node") or "node"
CALLERS = CONFORMANCE / "callers"
PLAIN = {"compression": None, "ping_interval": None, "proxy": None}
FULL = {"no_takeover": False, "bits": None}
# What the server answers: it does not compress, and inflates in the smallest window that zlib knows.
ANSWER = "permessage-deflate; server_no_context_takeover; client_max_window_bits=9"


async def thousand(board: Board) -> None:
    async with connect(board.url, **PLAIN) as connection:
        for number in range(1000):
            await connection.send(f"message {number}")
            expect(await connection.recv() == f"message {number}", f"message {number}", "another")
    expect(connection.close_code == 1000, "a Close with 1000", connection.close_code)


async def thousand_compressed(board: Board) -> str:
    said = await scripted(NODE, str(PEERS / "caller.cjs"), board.url, "1000")
    expect(said == "permessage-deflate", "permessage-deflate", said)
    return said


async def conversation(board: Board, *command: str, compressed: bool) -> str:
    """80 messages up to 1 MiB, as many at once as TCP takes, and one in fragments: tests/conformance/callers."""
    job = {"url": board.url, "offer": {"server": FULL, "client": FULL, "hides": False} if compressed else None}
    async with child(command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE) as caller:
        output, _ = await asyncio.wait_for(caller.communicate(json.dumps(job).encode() + b"\n"), 30)
    result = json.loads(output)
    if fault := result.get("fault"):
        raise Mismatch("every echo and a clean close", fault)
    expect(bool(result["extensions"]) == compressed, "compression" if compressed else "none", result["extensions"])
    return result["extensions"] or "not compressed"


async def side_by_side(board: Board) -> str:
    """As many connections as there are places, all busy; one more is turned away, and comes in when one has left."""
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connect(board.url, **PLAIN)) for _ in range(PLACES)]

        async def busy(number: int) -> None:
            for turn in range(250):
                message = f"{number}: {turn}"
                await connections[number].send(message)
                expect(await connections[number].recv() == message, message, "another")

        running = asyncio.gather(*(busy(number) for number in range(PLACES)))
        expect(not await comes_in(board), "503 Service Unavailable", "a fifth connection")
        await running
        await connections[0].close()
        started = time.monotonic()
        # Not at once: the end of the connection before has to arrive.
        while not await comes_in(board):
            expect(time.monotonic() - started < 1, "a free place", "none in a second")
        milliseconds = (time.monotonic() - started) * 1000
    codes = [connection.close_code for connection in connections]
    expect(codes == [1000] * PLACES, "a Close with 1000 on each", codes)
    return f"a fifth got 503, and a place {milliseconds:.0f} ms after one was free"


async def comes_in(board: Board) -> bool:
    try:
        async with connect(board.url, **PLAIN) as connection:
            await connection.send("in")
            expect(await connection.recv() == "in", "in", "something else")
    except InvalidStatus as refused:
        expect(refused.response.status_code == 503, 503, refused.response.status_code)
        return False
    return True


async def opened(board: Board, change: dict[str, str | list[str] | None] | None = None) -> Peer:
    peer = await Peer.connect(HOST, board.port)
    request = Request(change=change)
    await peer.send(request.bytes(f"{HOST}:{board.port}"))
    check_accepted(await peer.head(), request.key, extensions=bool(change))
    return peer


async def slow_reader(board: Board) -> str:
    """A client that sends and does not read is not read from; others are; and nothing of its echo is lost."""
    peer = await opened(board)
    payload = os.urandom(12 << 20)
    frame = masked(BINARY, payload)
    loop = asyncio.get_running_loop()
    sent = 0

    async def send() -> None:
        nonlocal sent
        while sent < len(frame):
            await asyncio.wait_for(loop.sock_sendall(peer.sock, frame[sent : sent + 4096]), 20)
            sent += 4096

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(send())
        stuck = -1
        while stuck != sent:
            stuck = sent
            await asyncio.sleep(0.5)
        expect(stuck < len(frame), "a server that waits", "one that has read everything")
        async with connect(board.url, **PLAIN) as other:
            for number in range(100):
                await other.send(str(number))
                expect(await other.recv() == str(number), number, "another")
        opcode, echo = await server_frames.message(peer)
    expect((opcode, echo) == (BINARY, payload), "12 MiB as they were", f"{len(echo)} bytes")
    peer.close()
    return f"stuck at {stuck >> 10} KiB of {len(frame) >> 10}"


async def inflated(board: Board) -> str:
    """What is compressed a thousandfold comes back whole, at the reader's pace; beyond the limit it is refused."""
    peer = await opened(board, {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"})
    packed = deflated(LIMIT)
    await peer.send(masked(BINARY, packed, rsv=4))
    await asyncio.sleep(1)  # the board holds no more of it meanwhile than of any message
    expect(await server_frames.message(peer) == (BINARY, bytes(LIMIT)), "16 MiB of zeros", "something else")
    await peer.send(masked(BINARY, deflated(LIMIT + 1), rsv=4))
    await server_frames.failed(peer, 1009)
    return f"{len(packed)} bytes became {LIMIT}; a byte more is refused with 1009"


def deflated(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -9)
    return (packer.compress(bytes(size)) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


async def silent(board: Board) -> str:
    """A client that answers nothing is pinged, and dropped."""
    peer = await opened(board)
    started = time.monotonic()
    # The board's clock is late when the host is busy.
    while not peer.buffer and time.monotonic() - started < 40:
        await peer.fill(1)
    pinged = time.monotonic() - started
    frame = await peer.frame("a ping")
    expect(frame.opcode == PING, "a ping", frame)
    await peer.end(patience=40, reset_is_fine=True)
    return f"pinged after {pinged:.0f} s, dropped after {time.monotonic() - started:.0f} s"


async def mute(board: Board) -> str:
    """A client that does not even ask is dropped."""
    peer = await Peer.connect(HOST, board.port)
    started = time.monotonic()
    await peer.end(patience=20, reset_is_fine=True)
    return f"dropped after {time.monotonic() - started:.0f} s"


async def half_closed(board: Board) -> None:
    """A client that ends its stream without a Close is answered in kind, and not with a reset."""
    peer = await opened(board)
    await peer.send(masked(BINARY, b"last"))
    peer.shut()
    expect((await peer.frame()).payload == b"last", "the echo", "something else")
    await peer.end()


async def by_hand(board: Board, report: Report) -> str:
    """What tests/conformance/raw checks of handshakes and frames. This server has no page."""
    table = [
        case
        for module in (server_handshake, server_frames)
        for case in module.cases(HOST, board.port)
        if "plain GET" not in case.name
    ]
    # One after the other: a connection that was dropped keeps its place until it has noticed.
    tally = await cases.run(report.name, table, 1, False)
    expect(not tally.failed and tally.passed > 250, "all to pass", tally)
    return f"{tally.passed} cases"


async def main() -> int:
    report = Report("server")
    python, ws = (sys.executable, str(CALLERS / "websockets_client.py")), (NODE, str(CALLERS / "ws.cjs"))
    async with server() as board:
        # They take their time.
        waiting = asyncio.gather(
            report.check("a client that answers no ping is dropped", silent(board), 90),
            report.check("a client that sends nothing is dropped", mute(board)),
            report.check("16 MiB out of a few bytes", inflated(board), 90),
        )
        await report.check("1000 echoes and the closing handshake with `websockets`", thousand(board))
        await report.check("1000 echoes and the closing handshake with `ws`, compressed", thousand_compressed(board))
        for name, command in (("websockets", python), ("ws", ws)):
            for compressed in (False, True):
                what = f"80 messages, up to 1 MiB, with `{name}`"
                await report.check(what, conversation(board, *command, compressed=compressed))
        await waiting
        await report.check(f"{PLACES} connections at once", side_by_side(board))
        await report.check("12 MiB to a client that does not read", slow_reader(board))
        await report.check("a stream that ends without a Close", half_closed(board))
        await report.check("handshakes, frames and violations by hand", by_hand(board, report))

        async def stack() -> str:
            peer = await Peer.connect(HOST, board.port)
            await peer.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            head = await peer.head()
            expect(head.status == 200, 200, head)
            used = int(await peer.take(int(head.one("Content-Length")), "a number"))
            await peer.end()
            expect(used <= STACK, f"{STACK} bytes at most", used)
            return f"{used} bytes"

        await report.check("the stack, asked for by a plain GET", stack())

        async def alive() -> str:
            async with connect(board.url, compression="deflate", proxy=None) as connection:
                answer = connection.response.headers["Sec-WebSocket-Extensions"] if connection.response else ""
                expect(answer == ANSWER, ANSWER, answer)
            expect(board.running() and len(board.lines) == 1, "a server that goes on, silently", board.lines)
            return answer

        await report.check("it is still there", alive())
    return report.end()


run_script(main)
