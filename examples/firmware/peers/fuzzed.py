"""Autobahn's cases against `server`: fuzzed.py [SECTION...], by default those that CI has time for."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
import time
from collections.abc import Callable
from typing import Any

sys.path.insert(0, os.path.dirname(__file__))
from boards import CONFORMANCE, Unusable, server  # noqa: E402
from harness.programs import run_script  # noqa: E402

# Under another name than its own: kosoku has a module `autobahn` too.
_spec = importlib.util.spec_from_file_location("conformance", CONFORMANCE / "autobahn.py")
assert _spec is not None and _spec.loader is not None
conformance = importlib.util.module_from_spec(_spec)
sys.modules["conformance"] = conformance
_spec.loader.exec_module(conformance)

SECTIONS = ("1", "2", "3", "4", "5", "6", "7", "10")
SIDE_BY_SIDE = 2
GIVE_UP = 3


def take_uncompressed() -> None:
    """Has the cases about compression take messages that are not compressed, which is any server's right.

    kosoku gives them what came uncompressed as a `str`, and they hash bytes.
    """
    import kosoku.cases

    for case in kosoku.cases.CASES.values():
        if case.__name__.startswith(("Case12_", "Case13_")):
            case.onMessage = in_bytes(case.onMessage)


def in_bytes(judge: Callable[[Any, bytes, bool], None]) -> Callable[[Any, str | bytes, bool], None]:
    def on_message(case: Any, message: str | bytes, binary: bool) -> None:
        judge(case, message.encode("latin-1" if binary else "utf-8") if isinstance(message, str) else message, binary)

    return on_message


async def main() -> int:
    wanted = sys.argv[1:] or list(SECTIONS)
    if unknown := set(wanted) - {section.number for section in conformance.SECTIONS}:
        raise Unusable(f"no such section: {' '.join(unknown)}")
    every = await conformance.enumerate_cases()
    take_uncompressed()
    table = {number: names if number in wanted else [] for number, names in every.items()}
    results: dict[str, list] = {}
    notes: list[str] = []
    gate = asyncio.Semaphore(SIDE_BY_SIDE)
    started = time.monotonic()
    async with server() as board:

        async def one(name: str, limit: float) -> None:
            async with gate:
                if len(notes) >= GIVE_UP:
                    return
                run = conformance.kosoku.run_fuzzingclient(board.url, [name])
                try:
                    found = await asyncio.wait_for(conformance._ask(run), limit)
                except TimeoutError:
                    notes.append(f"case {name} did not end in {limit:g} s")
                    return
            conformance.collect(results, found, {name})

        for section in conformance.SECTIONS:
            begun = time.monotonic()
            await asyncio.gather(*(one(name, section.limit) for name in table[section.number]))
            if table[section.number]:
                conformance.tell("server", section, begun)
        if not board.running():
            notes.append(f"it ended by itself: {board.lines}")
    summary = conformance.summarize("server", table, results, notes)
    summary.seconds = round(time.monotonic() - started, 1)
    conformance.report([summary])
    expected = sum(map(len, table.values()))
    passed = summary.passed and summary.cases == expected
    verdict = "PASS" if passed else "FAIL"
    print(f"{verdict} autobahn: {summary.ok + summary.informational} of {expected} cases as they should be")
    return 0 if passed else 1


run_script(main)
