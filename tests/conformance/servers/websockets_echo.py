"""An echo server by PyPI `websockets`.

The path says what to do about compression: /plain declines it, /deflate?PARAMETERS (as RFC 7692 names them) insists on
it on those terms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.typing import Subprotocol


def choose(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return next((name for name in offered if name in ("echo", "chat")), None)


def prepare(connection: ServerConnection, request: Request) -> None:
    """Each connection has terms of its own."""
    url = urlsplit(request.path)
    if url.path == "/deflate":
        query = parse_qs(url.query, keep_blank_values=True)
        flags = {name: True for name in query if name.endswith("takeover")}
        bits = {name: int(value[0]) for name, value in query.items() if name.endswith("bits")}
        connection.protocol.available_extensions = [ServerPerMessageDeflateFactory(**flags, **bits)]


async def echo(connection: ServerConnection) -> None:
    assert connection.request is not None
    if connection.request.path.startswith("/deflate") and not connection.protocol.extensions:
        await connection.close(1008, "no compression")
    try:
        async for message in connection:
            await connection.send(message)
    except ConnectionClosed:
        pass  # the client decides how it ends


async def main() -> None:
    options = {"compression": None, "max_size": None, "ping_interval": None, "select_subprotocol": choose}
    async with serve(echo, "127.0.0.1", 0, process_request=prepare, **options) as server:
        host, port = server.sockets[0].getsockname()[:2]
        print(f"listening on {host}:{port}", flush=True)
        await server.serve_forever()


asyncio.run(main())
