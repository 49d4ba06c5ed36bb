"""`client` against servers by PyPI `websockets` and npm `ws`, killed and started again in the middle."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT

sys.path.insert(0, os.path.dirname(__file__))
from boards import HOST, PEERS, Board, Mismatch, Report, child, client, free_port  # noqa: E402
from harness.programs import run_script  # noqa: E402
from harness.wire import expect  # noqa: E402

COMMANDERS = {
    "websockets": (sys.executable, str(PEERS / "commander.py")),
    "ws": (shutil.which("node") or "node", str(PEERS / "commander.cjs")),
}


async def line(process: asyncio.subprocess.Process, text: str, limit: float) -> int:
    """The number behind the next line, which is this one."""
    assert process.stdout is not None
    said = (await asyncio.wait_for(process.stdout.readline(), limit)).decode().strip()
    word, _, number = said.partition(" ")
    if word != text:
        rest = (await process.stdout.read(2000)).decode() if said else "an end"
        raise Mismatch(text, f"{said} {rest}")
    return int(number or 0)


async def served(name: str) -> str:
    """1000 echoes and 1000 pongs, a server that is killed, the way back to the next one, and a dismissal."""
    port = free_port()
    pipes = {"stdin": DEVNULL, "stdout": PIPE, "stderr": STDOUT}
    command = (*COMMANDERS[name], str(port))
    async with client(port) as board:
        # Nobody is there yet: it comes back, 0 to 5 seconds later.
        await board.says("no connection")
        async with child((*command, "first"), **pipes) as server:
            await line(server, "listening", 10)
            await board.says("connected")
            readings = await line(server, "done", 30)
            server.kill()
        await board.says("closed with 1006")
        async with child((*command, "second"), **pipes) as server:
            await line(server, "listening", 10)
            await board.says("connected", limit=20, times=2)
            again = await line(server, "again", 5)
            expect(again >= readings, f"reading {readings} or a later one", again)
            expect(await line(server, "closed", 5) == 1000, "a Close with 1000", "another")
        expect(await board.end() == 0, "exit code 0", board.lines)
        delays = [text.split()[2] for text in board.lines if text.startswith("again in")]
        stack = next(text.split()[-4] for text in board.lines if text.startswith("dismissed"))
        return f"came back after {', '.join(delays)} ms, {stack} bytes of stack"


async def refused() -> str:
    """A server that speaks HTTP only."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, HOST, 0)
    async with server, client(server.sockets[0].getsockname()[1]) as board:
        await board.says("refused with 404")
        await board.says("again in")
    return "refused with 404"


async def misled() -> None:
    """A name is no address, and there is no TLS."""
    for uri in ("ws://localhost/", "wss://10.0.2.2/", "ws://10.0.2.2:99999/"):
        async with client(uri=uri) as board:
            await board.says("usage")
            expect(await board.end() == 1, "exit code 1", board.process.returncode)


async def main() -> int:
    report = Report("client")
    what = "1000 echoes, 1000 pongs, a server killed and started again, a dismissal; with `{}`"
    await asyncio.gather(
        *(report.check(what.format(name), served(name), 60) for name in COMMANDERS),
        report.check("an answer that is no WebSocket", refused()),
        report.check("an address that is none", misled()),
    )
    return report.end()


run_script(main)
