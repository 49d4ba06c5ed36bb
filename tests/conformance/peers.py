"""`wscat --check` against echo servers that others wrote, plain and over the terms of permessage-deflate."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True

from harness import cases  # noqa: E402
from harness.programs import Listening, child, listening, program, run_script  # noqa: E402
from harness.tap import NAME, Record, Side, grid, tapped  # noqa: E402
from harness.wire import expect  # noqa: E402

SERVERS = Path(__file__).resolve().parent / "servers"
CHECKS = 19


@dataclass(frozen=True)
class Peer:
    interpreter: str
    script: str
    # zlib cannot compress with window bits of 8, and `websockets` says so.
    server_bits: int = 8
    # Asked for a window smaller than the one it is told to use, `ws` refuses instead of using the smaller one.
    takes_smaller: bool = True


PEERS = {
    "ws": Peer(shutil.which("node") or "node", "ws.cjs", takes_smaller=False),
    "websockets": Peer(sys.executable, "websockets_echo.py", server_bits=9),
}

FULL = Side()
# What `wscat` offers if nothing else is said.
DEFAULT = (Side(no_takeover=True), FULL)
MIXED = [
    ((Side(True, 10), Side(False, 12)), (Side(False, 11), Side(False, 9))),
    ((Side(False, 9), Side(True, 15)), (Side(False, 10), Side(True, 15))),
    ((Side(False, 13), Side(False, 9)), (Side(True, 9), Side(False, 14))),
]


def query(server: Side, client: Side) -> str:
    words = []
    for name, side in (("server", server), ("client", client)):
        words += [f"{name}_no_context_takeover"] * side.no_takeover
        words += [f"{name}_max_window_bits={side.bits}"] * (side.bits is not None)
    return "&".join(words)


async def wscat(server: Listening, path: str, *options: str) -> list[Record]:
    """Runs all checks, and gives a record of each one's connection."""
    async with tapped(server.host, server.port) as tap:
        command = [program("wscat"), *options, "--check", tap.url + path]
        async with child(command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT) as client:
            out, _ = await client.communicate()
        lines = out.decode(errors="replace").splitlines()
        bad = [line for line in lines if not line.startswith("PASS")]
        # Exit code 0 without a single check would prove nothing.
        expect(bad == [f"{CHECKS} passed, 0 failed"], f"{CHECKS} passed", bad)
        expect(client.returncode == 0, "exit code 0", client.returncode)
        expect(len(tap.records) == CHECKS, f"{CHECKS} connections", len(tap.records))
        return tap.records


async def plain(server: Listening, path: str, *options: str) -> None:
    for record in await wscat(server, path, *options):
        record.check()
        expect(record.answer == "", "no extension", record.answer)
        expect(bool(record.offers) == (not options), "an offer, if it is not switched off", record.offers)


async def compressed(server: Listening, own: tuple[Side, Side], offer: tuple[Side, Side] | None) -> None:
    """`own`: the server's terms, its own side first; `offer`: the client's, its own side first."""
    options = [] if offer is None else ["--deflate", f"{offer[0]}/{offer[1]}"]
    records = await wscat(server, f"/deflate?{query(*own)}", *options)
    client, peer = offer or DEFAULT
    wanted = (own[0] & peer).terms, (own[1] & client).terms
    for record in records:
        record.check()
        agreed = tuple(side.terms for side in record.terms) if record.terms else None
        if agreed is not None:
            # "the client is not going to use context takeover" (RFC 7692 §7.1.1.2), answered or not.
            agreed = (agreed[0], (agreed[1][0] or client.no_takeover, agreed[1][1]))
        expect(agreed == wanted, f"{NAME} with {wanted}", record.answer)
        # `wscat` sends its fragments uncompressed.
        expect(record.received.compressed == record.received.messages, "every answer compressed", record.received)
    whole = [record for record in records if record.sent.messages and record.sent.compressed == record.sent.messages]
    expect(len(whole) == 13, "compressed messages in thirteen checks", len(whole))
    for way in ("sent", "received"):
        plain, wire = (sum(getattr(getattr(record, way), what) for record in whole) for what in ("plain", "wire"))
        # Windows of 8 and 9 bits are too small for half of the data, whose period is 251 bytes.
        expect(plain > 3_000_000 and wire < plain * 2 // 3, f"{plain} bytes {way} as two thirds or less", wire)


def table(name: str, peer: Peer, server: Listening) -> Iterator[cases.Case]:
    def case(what: str, check: object, *args: object) -> cases.Case:
        return cases.Case(f"{name}: {what}", ("RFC7692",), lambda: check(server, *args))  # type: ignore[operator]

    yield case("plain, nothing offered", plain, "/plain", "--no-deflate")
    yield case("plain, the offer declined", plain, "/plain")
    yield case("its own terms, the usual offer", compressed, (FULL, FULL), None)
    for first in grid(peer.server_bits):
        for second in grid(8):
            yield case(f"asks for {first}/{second}", compressed, (first, second), (FULL, FULL))
            yield case(f"is offered {second}/{first}", compressed, (FULL, FULL), (second, first))
    for own, offer in MIXED:
        takes = all(a.bits is None or b.bits is None or a.bits <= b.bits for a, b in zip(own, reversed(offer)))
        if takes or peer.takes_smaller:
            what = f"asks for {own[0]}/{own[1]}, is offered {offer[0]}/{offer[1]}"
            yield case(what, compressed, own, offer)


async def check(name: str, options: argparse.Namespace) -> cases.Tally:
    peer = PEERS[name]
    async with listening([peer.interpreter, str(SERVERS / peer.script)]) as server:
        chosen = [case for case in table(name, peer, server) if options.only in case.name]
        tally = await cases.run("peers", chosen, options.jobs, options.verbose)
    verdict = "FAIL" if tally.failed or not tally.passed else "PASS"
    print(f"{verdict} {name}: {tally.passed} runs of {CHECKS} checks passed, {tally.failed} failed", flush=True)
    return tally


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="PEER", help=", ".join(PEERS))
    parser.add_argument("--only", default="", metavar="TEXT", help="a part of the names of runs")
    parser.add_argument("--jobs", type=int, default=3, help="runs side by side")
    parser.add_argument("--verbose", action="store_true", help="print passed runs too")
    options = parser.parse_args()
    if unknown := set(options.names) - set(PEERS):
        print(f"no such peer: {' '.join(unknown)}; there are {' '.join(PEERS)}", file=sys.stderr)
        return 2
    started, tally = time.monotonic(), cases.Tally()
    for name in options.names or list(PEERS):
        tally += await check(name, options)
    print(f"peers: {time.monotonic() - started:.1f} s")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    run_script(main)
