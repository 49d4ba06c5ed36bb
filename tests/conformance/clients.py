"""Clients that others wrote against `echo`, plain and over the terms of permessage-deflate."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import shutil
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True

from harness import cases  # noqa: E402
from harness.programs import child, listening, program, run_script  # noqa: E402
from harness.tap import NAME, Record, Side, grid, tapped  # noqa: E402
from harness.wire import Mismatch, expect  # noqa: E402

CALLERS = Path(__file__).resolve().parent / "callers"
FULL = Side()


@dataclass(frozen=True)
class Offer:
    """What a client asks for. It names `client_max_window_bits` unless it `hides` that it knows that."""

    server: Side = FULL
    client: Side = FULL
    hides: bool = False

    def __str__(self) -> str:
        return f"{self.client}/{self.server}{', client_max_window_bits hidden' if self.hides else ''}"


@dataclass(frozen=True)
class Client:
    interpreter: str
    script: str
    # zlib cannot compress with window bits of 8, and `websockets` refuses to promise it.
    client_bits: int = 8
    # Offers whatever is wanted, compresses what it sends, and sends fragments; or offers one thing and only inflates.
    whole: bool = True


NODE = shutil.which("node") or "node"
CLIENTS = {
    "ws": Client(NODE, "ws.cjs"),
    "undici": Client(NODE, "undici.cjs", whole=False),
    "websockets": Client(sys.executable, "websockets_client.py", client_bits=9),
}


@dataclass
class Caller:
    """A client's process, which takes one job at a time."""

    process: Process
    turn: asyncio.Lock

    async def call(self, url: str, offer: Offer | None) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        job = {"url": url, "offer": offer and dataclasses.asdict(offer)}
        self.process.stdin.write(json.dumps(job).encode() + b"\n")
        line = await self.process.stdout.readline()
        result = json.loads(line) if line else {"fault": "the client's process ended"}
        if fault := result.get("fault"):
            raise Mismatch("every echo and a clean close", fault)
        return str(result["extensions"])


async def visit(caller: Caller, options: list[str], offer: Offer | None) -> tuple[Record, str]:
    """One connection; gives its record and what the client says its extensions are."""
    async with (
        caller.turn,
        listening([program("echo"), "--quiet", *options, "127.0.0.1:0"]) as server,
        tapped(server.host, server.port) as tap,
    ):
        extensions = await caller.call(tap.url, offer)
        expect(len(tap.records) == 1, "one connection", len(tap.records))
        return tap.records[0], extensions


async def plain(caller: Caller, options: list[str], offer: Offer | None, client: Client) -> None:
    record, extensions = await visit(caller, options, offer)
    record.check()
    expect(record.offers or not client.whole or offer is None, "an offer", record.offers)
    expect(record.answer == "" and extensions == "", "no extension", (record.answer, extensions))


async def compressed(caller: Caller, own: tuple[Side, Side] | None, offer: Offer, client: Client) -> None:
    """`own`: what `echo` agrees to, its own side first; `None`: what it does if nothing is said."""
    options = [] if own is None else ["--deflate", f"{own[0]}/{own[1]}"]
    server, peer = own or (Side(no_takeover=True), FULL)
    record, extensions = await visit(caller, options, offer)
    record.check()
    wanted = (server & offer.server).terms, (peer & offer.client).terms
    agreed = tuple(side.terms for side in record.terms) if record.terms else None
    expect(agreed == wanted, f"{NAME} with {wanted}", record.answer)
    expect(extensions in (record.answer, NAME), record.answer, extensions)
    sent, received = record.sent, record.received
    ways = [way for way, used in ((sent, client.whole), (received, client.whole or own is not None)) if used]
    for way in ways:
        expect(way.compressed == way.messages > 70, "every message compressed", way)
        # Windows of 8 and 9 bits are too small for half of the data, whose period is 251 bytes.
        expect(way.plain > 2_400_000 and way.wire < way.plain * 2 // 3, "two thirds of the bytes or less", way)
    expect(bool(sent.fragments) == client.whole, "compressed fragments", sent.fragments)


def table(name: str, client: Client, caller: Caller) -> Iterator[cases.Case]:
    def case(what: str, check: object, *args: object) -> cases.Case:
        bound = (caller, *args, client)
        return cases.Case(f"{name}: {what}", ("RFC7692",), lambda: check(*bound))  # type: ignore[operator]

    yield case("is declined", plain, ["--no-deflate"], Offer())
    yield case("is answered as usual", compressed, None, Offer())
    for own in grid(8):
        for peer in grid(client.client_bits):
            yield case(f"is asked for {own}/{peer}", compressed, (own, peer), Offer())
    if not client.whole:
        return
    yield case("offers nothing", plain, [], None)
    for first in grid(8):
        for second in grid(client.client_bits):
            yield case(f"offers {second}/{first}", compressed, (FULL, FULL), Offer(first, second))
    for own, offer in (
        ((Side(True, 10), Side(False, 12)), Offer(Side(False, 9), Side(False, 11))),
        ((Side(False, 9), Side(True, 15)), Offer(Side(True, 15), Side(False, 10))),
        ((Side(False, 13), Side(False, 9)), Offer(Side(False, 14), Side(True, 9))),
        ((Side(False, 9), FULL), Offer(Side(True, 10), FULL, hides=True)),
    ):
        yield case(f"is asked for {own[0]}/{own[1]}, offers {offer}", compressed, own, offer)
    yield case("is declined, as it hides its windows", plain, ["--deflate", "/10"], Offer(hides=True))


async def check(name: str, options: argparse.Namespace) -> cases.Tally:
    client = CLIENTS[name]
    command = [client.interpreter, str(CALLERS / client.script)]
    async with child(command, stdin=PIPE, stdout=PIPE) as process:
        caller = Caller(process, asyncio.Lock())
        chosen = [case for case in table(name, client, caller) if options.only in case.name]
        # One after the other: the time limit of a case begins with it.
        tally = await cases.run("clients", chosen, 1, options.verbose)
    verdict = "FAIL" if tally.failed or not tally.passed else "PASS"
    print(f"{verdict} {name}: {tally.passed} connections passed, {tally.failed} failed", flush=True)
    return tally


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="CLIENT", help=", ".join(CLIENTS))
    parser.add_argument("--only", default="", metavar="TEXT", help="a part of the names of connections")
    parser.add_argument("--verbose", action="store_true", help="print passed connections too")
    options = parser.parse_args()
    if unknown := set(options.names) - set(CLIENTS):
        print(f"no such client: {' '.join(unknown)}; there are {' '.join(CLIENTS)}", file=sys.stderr)
        return 2
    started = time.monotonic()
    tallies = await asyncio.gather(*(check(name, options) for name in options.names or CLIENTS))
    tally = sum(tallies, cases.Tally())
    print(f"clients: {time.monotonic() - started:.1f} s")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    run_script(main)
