"""A client by PyPI `websockets`: jobs as lines of JSON on standard input, a line of JSON for each."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Iterator
from typing import Any

from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

PATIENCE = 10


def messages() -> Iterator[str | bytes]:
    """As those of jobs.cjs."""
    for size in (0, 1, 125, 126, 65_535, 65_536, 1 << 20):
        data = (bytes(range(251)) * (size // 251 + 1))[:size]
        yield bytes(97 + byte % 23 for byte in data).decode()
        yield data
    yield "κόσμε – 10 € 🎈"
    noise = random.Random(1).choices(range(32, 127), k=40_000)
    for bits in range(8, 16):
        for away in (-262, -1, 0, 1):
            piece = bytes(noise[bits * 100 :][: max((1 << bits) + away, 0)])
            yield piece + piece
            yield piece.decode()


def factory(offer: dict[str, Any]) -> ClientPerMessageDeflateFactory:
    server, client = offer["server"], offer["client"]
    return ClientPerMessageDeflateFactory(
        server_no_context_takeover=server["no_takeover"],
        client_no_context_takeover=client["no_takeover"],
        server_max_window_bits=server["bits"],
        client_max_window_bits=None if offer["hides"] else client["bits"] or True,
    )


async def run(url: str, offer: dict[str, Any] | None) -> str:
    extensions = None if offer is None else [factory(offer)]
    options = {"compression": None, "max_size": None, "ping_interval": None, "extensions": extensions, "proxy": None}
    async with connect(url, **options) as connection:
        sent = list(messages())

        async def send() -> None:
            for message in sent:
                await connection.send(message)
            await connection.send(["in seven ", "", "fragments " * 700, "of which ", "one is ", "empty", "."])

        sender = asyncio.create_task(send())
        for message in [*sent, "in seven " + "fragments " * 700 + "of which one is empty."]:
            came = await connection.recv()
            if came != message:
                raise ValueError(f"{type(came)} of {len(came)} came for {type(message)} of {len(message)}")
        await sender
        await connection.close(1000)
        if connection.close_code != 1000:
            raise ValueError(f"closed with {connection.close_code}")
        return ", ".join(extension.name for extension in connection.protocol.extensions)


for line in sys.stdin:
    job = json.loads(line)
    try:
        result = {"extensions": asyncio.run(asyncio.wait_for(run(job["url"], job["offer"]), PATIENCE))}
    except Exception as fault:
        result = {"fault": f"{type(fault).__name__}: {fault}"}
    print(json.dumps(result), flush=True)
