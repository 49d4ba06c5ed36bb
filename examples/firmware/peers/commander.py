"""A server by PyPI `websockets` for `client`: commander.py PORT first|second.

The first asks for 1000 echoes and 1000 pongs while readings come, says `done` and waits to be killed; the second waits
for a reading and dismisses the client.
"""

from __future__ import annotations

import asyncio
import json
import sys

from websockets.asyncio.server import ServerConnection, serve


async def first(connection: ServerConnection) -> None:
    asked, readings = 0, []
    await connection.send("command 0")
    async for message in connection:
        if message == f"command {asked}":
            asked += 1
            await (await connection.ping(f"ping {asked}"))
            if asked < 1000:
                await connection.send(f"command {asked}")
        else:
            readings.append(json.loads(message)["reading"])
        if asked == 1000 and len(readings) >= 2:
            assert readings == list(range(len(readings))), readings
            print("done", len(readings), flush=True)


async def second(connection: ServerConnection) -> None:
    print("again", json.loads(await connection.recv())["reading"], flush=True)
    await connection.close(1000)
    print("closed", connection.close_code, flush=True)


async def main() -> None:
    handler = first if sys.argv[2] == "first" else second
    async with serve(handler, "127.0.0.1", int(sys.argv[1]), compression=None) as server:
        print("listening", flush=True)
        await server.serve_forever()


asyncio.run(main())
