"""The emulated boards, and what is said of them."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.dont_write_bytecode = True
CONFORMANCE = Path(__file__).resolve().parents[3] / "tests" / "conformance"
sys.path.insert(0, str(CONFORMANCE))

from harness.programs import Unusable, child  # noqa: E402
from harness.wire import Mismatch  # noqa: E402

PEERS = Path(__file__).resolve().parent
START_LIMIT = 10.0
HOST = "127.0.0.1"
QEMU = ("qemu-system-arm", "-nographic", "-monitor", "none")


def image(name: str) -> str:
    """The path of a program: `run` says where it has built them."""
    return str(Path(os.environ["FIRMWARE_IMAGES"]) / name)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])


@dataclass
class Board:
    """A board that runs, and the lines that it has printed."""

    process: Process
    port: int
    lines: list[str] = field(default_factory=list)
    printed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"ws://{HOST}:{self.port}"

    async def collect(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            async with self.printed:
                self.lines.append(line.decode(errors="replace").strip())
                self.printed.notify_all()

    async def says(self, text: str, limit: float = START_LIMIT, times: int = 1) -> None:
        """Waits for lines that begin like this."""

        def said() -> bool:
            return sum(line.startswith(text) for line in self.lines) >= times

        async with self.printed:
            try:
                await asyncio.wait_for(self.printed.wait_for(said), limit)
            except TimeoutError:
                raise Mismatch(f"{text!r} {times} times within {limit:g} s", self.lines) from None

    async def end(self, limit: float = START_LIMIT) -> int:
        return await asyncio.wait_for(self.process.wait(), limit)

    def running(self) -> bool:
        return self.process.returncode is None


@asynccontextmanager
async def board(command: Sequence[str], port: int) -> AsyncIterator[Board]:
    async with child(command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT) as process:
        started = Board(process, port)
        reading = asyncio.create_task(started.collect())
        try:
            yield started
        finally:
            if started.running():
                process.kill()
            await asyncio.wait_for(reading, 10)


def ethernet(restrict: str, forward: str = "") -> tuple[str, ...]:
    return ("-M", "mps2-an386", "-serial", "none", "-nic", f"user,model=lan9118,restrict={restrict}{forward}")


def semihosting(*arguments: str) -> tuple[str, ...]:
    words = "".join(f",arg={argument}" for argument in arguments)
    return ("-semihosting-config", f"enable=on,target=native{words}")


@asynccontextmanager
async def server() -> AsyncIterator[Board]:
    """The echo server; nothing can be reached from it."""
    port = free_port()
    nic = ethernet("on", f",hostfwd=tcp:{HOST}:{port}-10.0.2.15:8080")
    async with board((*QEMU, *nic, *semihosting(), "-kernel", image("server")), port) as started:
        await started.says("listening")
        yield started


@asynccontextmanager
async def client(port: int = 0, uri: str | None = None) -> AsyncIterator[Board]:
    """The sensor, which reports to the host's port, or wherever the URI says."""
    arguments = semihosting("client", uri or f"ws://10.0.2.2:{port}/readings")
    async with board((*QEMU, *ethernet("off"), *arguments, "-kernel", image("client")), port) as started:
        yield started


@asynccontextmanager
async def tiny() -> AsyncIterator[Board]:
    """The echo over a serial line, which is a TCP connection here: whoever connects first has it."""
    port = free_port()
    line = f"socket,id=line,host={HOST},port={port},server=on,wait=off,nodelay=on"
    uart = ("-M", "microbit", "-chardev", line, "-serial", "chardev:line")
    async with board((*QEMU, *uart, *semihosting(), "-kernel", image("tiny")), port) as started:
        await started.says("ready")
        yield started


@dataclass
class Report:
    """What was checked."""

    name: str
    passed: int = 0
    failed: int = 0

    async def check(self, what: str, does: Awaitable[str | None], limit: float = 30.0) -> None:
        """`does` gives what there is to add, and raises what is wrong."""
        started = time.monotonic()
        fault: str | None = None
        more: str | None = None
        try:
            more = await asyncio.wait_for(does, limit)
        except TimeoutError:
            fault = f"no end within {limit:g} s"
        except (Mismatch, AssertionError, OSError, EOFError) as error:
            fault = str(error) or type(error).__name__
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
        self.passed += fault is None
        self.failed += fault is not None
        tail = f"; {more}" if more else ""
        seconds = f"{time.monotonic() - started:.1f} s"
        if fault is None:
            print(f"PASS {self.name}: {what}{tail} ({seconds})", flush=True)
        else:
            print(f"FAIL {self.name}: {what}: {fault}", flush=True)

    def end(self) -> int:
        print(f"{self.name}: {self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0


async def scripted(*command: str, limit: float = 60.0) -> str:
    """Runs a peer that is a program of its own, and gives what it printed."""
    async with child(command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT) as process:
        output, _ = await asyncio.wait_for(process.communicate(), limit)
    text = output.decode(errors="replace").strip()
    if process.returncode:
        raise Mismatch("a peer that is content", text)
    return text


__all__ = ["CONFORMANCE", "HOST", "PEERS", "Board", "Mismatch", "Report", "Unusable", "child", "client", "free_port",
           "image", "scripted", "server", "tiny"]
