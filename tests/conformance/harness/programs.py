"""Starts the programs under test and sees to it that none of them outlives the script."""

from __future__ import annotations

import asyncio
import ctypes
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[3]
READY = re.compile(r"listening on (\S+)")
START_LIMIT = 15.0
PR_SET_PDEATHSIG = 1


class Unusable(Exception):
    """A program is missing or does not start: nothing can be said about its cases."""


def program(name: str) -> str:
    """The path of an example: from CONFORMANCE_BIN, or where Cargo puts release builds."""
    folder = os.environ.get("CONFORMANCE_BIN")
    if folder is None:
        target = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
        folder = str(ROOT / target / "release" / "examples")
    path = Path(folder) / name
    if not path.is_file():
        raise Unusable(f"{path} is missing: run `cargo build --release --examples --features zlib` first")
    return str(path)


def _die_with_parent() -> None:
    """Linux only: the kernel ends the child even if this script is killed with SIGKILL."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@asynccontextmanager
async def child(command: Sequence[str], **pipes: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    """A child process that is gone when the block ends, whichever way it ends."""
    process = await asyncio.create_subprocess_exec(
        *command,
        **pipes,
        limit=1 << 24,  # a line of output may be a whole message
        preexec_fn=_die_with_parent,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        # `wait` alone can hang on a pipe that nobody reads any more.
        await asyncio.wait_for(process.communicate(), 10)


@dataclass
class Listening:
    process: asyncio.subprocess.Process
    host: str
    port: int

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ws://{host}:{self.port}"


@asynccontextmanager
async def listening(command: Sequence[str]) -> AsyncIterator[Listening]:
    """A server that says `listening on HOST:PORT` on its standard output."""
    pipes = {"stdin": asyncio.subprocess.DEVNULL, "stdout": asyncio.subprocess.PIPE}
    async with child(command, **pipes) as process:
        try:
            host, port = await asyncio.wait_for(_address(process), START_LIMIT)
        except (TimeoutError, EOFError):
            raise Unusable(f"{' '.join(command)} did not say `listening on ADDR`") from None
        drain = asyncio.create_task(_drain(process.stdout))
        try:
            yield Listening(process, host, port)
        finally:
            drain.cancel()
            await asyncio.gather(drain, return_exceptions=True)


async def _address(process: asyncio.subprocess.Process) -> tuple[str, int]:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if found := READY.search(line.decode(errors="replace")):
            return split_address(found[1])
    raise EOFError


async def _drain(stream: asyncio.StreamReader | None) -> None:
    """Reads on, so that a talkative server never blocks on a full pipe."""
    while stream is not None and await stream.read(65536):
        pass


def split_address(text: str) -> tuple[str, int]:
    host, _, port = text.removeprefix("ws://").rstrip("/").rpartition(":")
    return host.strip("[]"), int(port)


def run_script(main: Callable[[], Awaitable[int]]) -> NoReturn:
    """Runs a script; SIGTERM and SIGINT cancel it, so that every `finally` runs."""

    async def guarded() -> int:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(main())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            print("interrupted", file=sys.stderr)
            return 130
        except Unusable as fault:
            print(fault, file=sys.stderr)
        except TimeoutError:
            print("no end within the time limit", file=sys.stderr)
        return 1

    # Python below 3.12 waits for children in threads, which can lose an exit code to the interpreter's own clean-up.
    if sys.version_info < (3, 12) and hasattr(asyncio, "PidfdChildWatcher"):
        asyncio.set_child_watcher(asyncio.PidfdChildWatcher())
    sys.exit(asyncio.run(guarded()))
