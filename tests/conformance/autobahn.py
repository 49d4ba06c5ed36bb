"""Autobahn's cases against the examples `echo` and `autobahn`, by way of kosoku.

kosoku takes zero cases for a success, and a peer that falls silent hangs it. So the
cases are listed beforehand, each result is looked for by its name, and every case has
a time limit: one by one against the server; a section at a time against the client,
and a section that hangs is run again case by case, which names the culprit.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

sys.dont_write_bytecode = True

import kosoku  # noqa: E402

from harness.programs import Unusable, child, listening, program, run_script  # noqa: E402


class Section(NamedTuple):
    number: str
    title: str
    cases: int
    limit: float  # seconds a case


SECTIONS = (
    Section("1", "framing", 16, 20),
    Section("2", "pings and pongs", 11, 20),
    Section("3", "reserved bits", 7, 20),
    Section("4", "opcodes", 10, 20),
    Section("5", "fragmentation", 20, 20),
    Section("6", "UTF-8", 145, 20),
    Section("7", "closing", 37, 20),
    Section("9", "limits and performance", 54, 110),
    Section("10", "automatic fragmentation", 1, 20),
    Section("12", "compression of different payloads", 90, 600),
    Section("13", "compression with different parameters", 126, 600),
)
TOTAL = 517
SIDE_BY_SIDE = 2  # against the server; more only makes timed cases late
ENUMERATION_LIMIT = 60.0
GIVE_UP = 3  # hung cases of a role; the rest would hang too
PATIENCE = 10.0  # for the client to start, and to end

Table = dict[str, list[str]]  # the names of the cases, by section
Results = dict[str, list[kosoku._kosoku.CaseResult]]  # type: ignore[name-defined]


@dataclass
class Fault:
    case: str
    behavior: str
    close: str
    why: str


@dataclass
class Summary:
    role: str
    cases: int = 0
    ok: int = 0
    informational: int = 0
    non_strict: int = 0
    failed: int = 0
    missing: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        bad = self.non_strict or self.failed or self.missing or self.notes
        return not bad and self.cases == self.ok + self.informational > 0


async def enumerate_cases() -> Table:
    """Names every case by section: kosoku tells them for a server nobody can reach."""
    with socket.socket() as closed:  # bound, but not listening
        closed.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{closed.getsockname()[1]}"
        results = await asyncio.wait_for(_ask(kosoku.run_fuzzingclient(url, concurrency=8)), ENUMERATION_LIMIT)
    names = [result.case_id for result in results]
    table: Table = {}
    for section in SECTIONS:
        table[section.number] = [name for name in names if name.split(".")[0] == section.number]
        found = len(table[section.number])
        if found != section.cases:
            raise Unusable(f"section {section.number} has {found} cases, not {section.cases}")
    if sum(map(len, table.values())) != TOTAL:
        raise Unusable(f"{sum(map(len, table.values()))} cases, not {TOTAL}")
    return table


async def _ask(run: object) -> list:
    """A run's results, whether it calls itself a success or a failure."""
    try:
        return list(await run)  # type: ignore[misc]
    except kosoku.FailureError as failure:
        return list(failure.results)


def collect(results: Results, found: list, wanted: set[str]) -> None:
    for result in found:
        if result.case_id in wanted:
            results.setdefault(result.case_id, []).append(result)


def tell(role: str, section: Section, started: float) -> None:
    print(f"{role}: section {section.number}, {section.title}: {time.monotonic() - started:.1f} s", flush=True)


async def check_server(table: Table, results: Results, notes: list[str]) -> None:
    gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(url: str, name: str, limit: float) -> None:
        async with gate:
            if len(notes) >= GIVE_UP:
                return
            try:
                found = await asyncio.wait_for(_ask(kosoku.run_fuzzingclient(url, [name])), limit)
            except TimeoutError:
                notes.append(f"case {name} did not end in {limit:g} s")
                return
        collect(results, found, {name})

    async with listening([program("echo"), "--quiet", "127.0.0.1:0"]) as server:
        for section in SECTIONS:
            started = time.monotonic()
            await asyncio.gather(*(one(server.url, name, section.limit) for name in table[section.number]))
            tell("server", section, started)
        if server.process.returncode is not None:
            notes.append(f"echo ended by itself with {server.process.returncode}")


async def check_client(table: Table, results: Results, notes: list[str]) -> None:
    hung = 0
    for section in SECTIONS:
        started = time.monotonic()
        names = table[section.number]
        # A few slow cases are expected in a section, not slow ones only.
        limit = section.limit + 0.5 * len(names)
        if not await _serve(names, limit, results, notes):
            # A failure even if every case passes alone: something depends on the order.
            notes.append(f"section {section.number} did not end in {limit:g} s")
            for name in names:
                if not await _serve([name], section.limit, results, notes):
                    notes.append(f"case {name} did not end in {section.limit:g} s")
                    hung += 1
                if hung >= GIVE_UP:
                    return
        tell("client", section, started)


async def _serve(names: list[str], limit: float, results: Results, notes: list[str]) -> bool:
    """Lets the client run these cases. False: it hung, and nothing was collected."""
    async with kosoku.run_fuzzingserver(names, port=0) as server:
        command = [program("autobahn"), f"ws://{server.address}:{server.port}"]
        async with child(command, stdout=asyncio.subprocess.DEVNULL) as client:
            verdict = asyncio.ensure_future(_ask(server.get_result()))
            ended = asyncio.ensure_future(client.wait())
            try:
                await asyncio.wait({verdict, ended}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
                # Either the client has asked for the reports, or it will not any more.
                done, _ = await asyncio.wait({verdict, ended}, timeout=PATIENCE)
                if verdict not in done:
                    return False
                if ended not in done:
                    notes.append("autobahn did not end after /updateReports")
                elif client.returncode:
                    notes.append(f"autobahn ended with {client.returncode}")
            finally:
                for task in (verdict, ended):
                    task.cancel()
                await asyncio.gather(verdict, ended, return_exceptions=True)
    collect(results, verdict.result(), set(names))
    return True


def summarize(role: str, table: Table, results: Results, notes: list[str]) -> Summary:
    summary = Summary(role, notes=notes)
    for section in SECTIONS:
        for name in table[section.number]:
            found = results.get(name, [])
            if not found:
                summary.missing.append(name)
                continue
            if len(found) > 1:
                summary.notes.append(f"case {name} was run {len(found)} times")
            summary.cases += 1
            judge(summary, found[0])
    return summary


def judge(summary: Summary, result: object) -> None:
    behavior, close = result.behavior.value, result.behavior_close.value  # type: ignore[attr-defined]
    if behavior == "OK" and close == "OK":
        summary.ok += 1
    elif behavior in ("OK", "INFORMATIONAL") and close in ("OK", "INFORMATIONAL"):
        summary.informational += 1
    else:
        if behavior == "NON-STRICT" and close in ("OK", "INFORMATIONAL"):
            summary.non_strict += 1
        else:  # UNIMPLEMENTED and ERROR too
            summary.failed += 1
        summary.faults.append(Fault(result.case_id, behavior, close, explain(result)))  # type: ignore[attr-defined]


def explain(result: object) -> str:
    def short(value: object) -> str:
        text = repr(value)
        return text if len(text) <= 120 else text[:117] + "..."

    return (
        f"{result.result} {result.result_close} expected {short(result.expected)}, "  # type: ignore[attr-defined]
        f"received {short(result.received)}, close code {result.remote_close_code}"  # type: ignore[attr-defined]
    )


async def check(role: str, table: Table, limit: float) -> Summary:
    started = time.monotonic()
    results: Results = {}
    notes: list[str] = []
    run = check_server if role == "server" else check_client
    try:
        async with asyncio.timeout(limit):
            await run(table, results, notes)
    except TimeoutError:
        notes.append(f"no end within {limit:g} s")
    except Unusable as fault:
        notes.append(str(fault))
    summary = summarize(role, table, results, notes)
    summary.seconds = round(time.monotonic() - started, 1)
    return summary


def write_json(folder: Path, summary: Summary) -> None:
    row = {"expected": TOTAL, "passed": summary.passed} | asdict(summary)
    (folder / f"autobahn-{summary.role}.json").write_text(json.dumps(row, indent=2) + "\n")


def report(summaries: list[Summary]) -> None:
    for summary in summaries:
        for fault in summary.faults:
            print(f"{summary.role}: case {fault.case}: {fault.behavior}, close {fault.close}: {fault.why}")
        if summary.missing:
            print(f"{summary.role}: missing: {' '.join(summary.missing)}")
        for note in summary.notes:
            print(f"{summary.role}: {note}")
    columns = ("role", "cases", "ok", "informational", "non-strict", "failed", "missing", "seconds")
    print("  ".join(f"{name:>13}" for name in columns))
    for s in summaries:
        row = (s.role, s.cases, s.ok, s.informational, s.non_strict, s.failed, len(s.missing), s.seconds)
        print("  ".join(f"{value!s:>13}" for value in row))


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("role", choices=["both", "server", "client"])
    parser.add_argument("--json", type=Path, default=Path("."), metavar="FOLDER", help="where to write the summaries")
    parser.add_argument("--limit", type=float, default=2400.0, help="seconds for one role")
    options = parser.parse_args()
    table = await enumerate_cases()
    roles = ["server", "client"] if options.role == "both" else [options.role]
    summaries = [await check(role, table, options.limit) for role in roles]
    report(summaries)
    for summary in summaries:
        write_json(options.json, summary)
    good = sum(summary.ok + summary.informational for summary in summaries)
    print(f"{good} passed, {TOTAL * len(roles) - good} failed")
    return 0 if all(summary.passed and summary.cases == TOTAL for summary in summaries) else 1


if __name__ == "__main__":
    run_script(main)
