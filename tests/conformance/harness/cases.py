"""A table of cases, run side by side, and its report."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from .wire import Mismatch

CASE_LIMIT = 20.0


class Skip(Exception):
    """The machine cannot show this, for example without IPv6."""


@dataclass(frozen=True)
class Case:
    name: str
    rules: tuple[str, ...]
    check: Callable[[], Awaitable[None]]


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


def rules(text: str) -> tuple[str, ...]:
    return tuple(text.split())


async def run(role: str, cases: Sequence[Case], jobs: int, verbose: bool) -> Tally:
    gate = asyncio.Semaphore(jobs)
    tally = Tally()

    async def one(case: Case) -> None:
        async with gate:
            fault = await _outcome(case)
        _report(role, case, fault, tally, verbose)

    await asyncio.gather(*(one(case) for case in cases))
    return tally


async def _outcome(case: Case) -> Exception | None:
    try:
        await asyncio.wait_for(case.check(), CASE_LIMIT)
    except TimeoutError:
        return Mismatch(f"an end within {CASE_LIMIT:g} s", "none")
    except (Mismatch, Skip, OSError) as fault:
        return fault
    except Exception as fault:  # a fault of the harness: one case fails, the others run
        traceback.print_exc()
        return fault
    return None


def _report(role: str, case: Case, fault: Exception | None, tally: Tally, verbose: bool) -> None:
    label = f"{role}: {case.name} [{' '.join(case.rules)}]"
    if fault is None:
        tally.passed += 1
        if verbose:
            print(f"PASS {label}")
    elif isinstance(fault, Skip):
        tally.skipped += 1
        print(f"SKIP {label}: {fault}")
    else:
        tally.failed += 1
        print(f"FAIL {label}: {fault or type(fault).__name__}", flush=True)
