"""One run of the client under test against a server made of raw bytes."""

from __future__ import annotations

import asyncio
import re
import socket
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .programs import child, program
from .wire import CLOSE, CONTINUATION, Frame, Head, Mismatch, Peer, accept_for, close_body, expect

START_LIMIT = 10.0
EXIT_LIMIT = 5.0
RULE = re.compile(r"\bW\d+\b")


@dataclass
class Run:
    """A client that has connected and sent its request."""

    process: Process
    peer: Peer
    request: Head
    port: int

    @property
    def key(self) -> str:
        return self.request.one("Sec-WebSocket-Key")

    def answer(
        self, *change: tuple[str, str | list[str] | None], first: str = "HTTP/1.1 101 Switching Protocols"
    ) -> bytes:
        """A good 101, or one with some fields replaced (None: left out)."""
        fields: dict[str, str | list[str] | None] = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": accept_for(self.key),
        }
        fields |= dict(change)
        out = first + "\r\n"
        for name, value in fields.items():
            for line in [] if value is None else [value] if isinstance(value, str) else value:
                out += f"{name}: {line}\r\n"
        return (out + "\r\n").encode("latin-1")

    async def type(self, *lines: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(line + b"\n" for line in lines))
        await self.process.stdin.drain()

    def end_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    async def printed(self, wanted: bytes) -> None:
        """The next line of standard output."""
        assert self.process.stdout is not None
        try:
            line = await asyncio.wait_for(self.process.stdout.readline(), 3)
        except TimeoutError:
            line = b"nothing in 3 s"
        expect(line.rstrip(b"\r\n") == wanted, f"{wanted!r} on standard output", repr(line))

    async def frame(self) -> Frame:
        frame = await self.peer.frame()
        expect(frame.mask is not None, "a masked frame from a client", frame)
        expect(frame.minimal, "the shortest length form", frame)
        expect(frame.rsv == 0, "no reserved bit", frame)
        return frame

    async def message(self) -> tuple[int, bytes, list[bytes]]:
        """A whole message: its opcode, its payload, the masking keys of its frames."""
        first = frame = await self.frame()
        payload, keys = bytearray(frame.payload), [frame.mask or b""]
        while not frame.fin:
            frame = await self.frame()
            expect(frame.opcode == CONTINUATION, "a continuation", frame)
            payload += frame.payload
            keys.append(frame.mask or b"")
        return first.opcode, bytes(payload), keys

    async def close_frame(self, code: int | None) -> Frame:
        frame = await self.frame()
        expect(frame.opcode == CLOSE, f"a Close with {code}", frame)
        expect(frame.payload[:2] == close_body(code), f"a Close with {code}", frame)
        return frame

    async def exits(self, code: int | None) -> tuple[str, str]:
        """The process ends by itself; gives its remaining standard output and error."""
        try:
            out, err = await asyncio.wait_for(self.process.communicate(), EXIT_LIMIT)
        except TimeoutError:
            raise Mismatch(f"an exit within {EXIT_LIMIT:g} s", "a client still running") from None
        text = err.decode(errors="replace")
        got = self.process.returncode
        expect(code is None or got == code, f"exit code {code}", f"{got} with {text.strip()!r}")
        return out.decode(errors="replace"), text

    async def fails(self, rules: tuple[str, ...]) -> None:
        """Exit code 1, and the message names one of the rules."""
        _, err = await self.exits(1)
        named = set(RULE.findall(err))
        expect(bool(named & set(rules)), f"a message naming {' or '.join(rules)}", repr(err.strip()))


@asynccontextmanager
async def connecting(target: str = "/", host: str = "127.0.0.1", options: tuple[str, ...] = ()) -> AsyncIterator[Run]:
    """Starts the client on `ws://HOST:PORT` and `target`, and reads its request."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        port = listener.getsockname()[1]
        listener.setblocking(False)
        name = f"[{host}]" if ":" in host else host
        command = [program("wscat"), *options, f"ws://{name}:{port}{target}"]
        async with child(command, stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
            peer = await _accept(listener)
            try:
                yield Run(process, peer, await peer.head(), port)
            finally:
                peer.close()


@asynccontextmanager
async def connected(target: str = "/") -> AsyncIterator[Run]:
    """The same, with the opening handshake done."""
    async with connecting(target) as run:
        await run.peer.send(run.answer())
        yield run


async def _accept(listener: socket.socket) -> Peer:
    loop = asyncio.get_running_loop()
    try:
        sock, _ = await asyncio.wait_for(loop.sock_accept(listener), START_LIMIT)
    except TimeoutError:
        raise Mismatch("a connection from the client", "none") from None
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Peer(sock)


async def runs(uri: str) -> tuple[int, str]:
    """Runs the client on a URI and gives its exit code and standard error."""
    async with child([program("wscat"), uri], stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        try:
            _, err = await asyncio.wait_for(process.communicate(), EXIT_LIMIT)
        except TimeoutError:
            raise Mismatch(f"an exit within {EXIT_LIMIT:g} s", "a client still running") from None
        return process.returncode or 0, err.decode(errors="replace")
