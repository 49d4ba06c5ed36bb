"""`wscat --check` against echo servers that others wrote."""

from __future__ import annotations

import asyncio
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from pathlib import Path

sys.dont_write_bytecode = True

from harness.programs import child, listening, program, run_script  # noqa: E402

SERVERS = Path(__file__).resolve().parent / "servers"
CHECK_LIMIT = 60.0

PEERS: dict[str, tuple[str, str]] = {
    "ws": (shutil.which("node") or "node", "ws.cjs"),
    "websockets": (sys.executable, "websockets_echo.py"),
}


async def check(name: str) -> bool:
    """Starts the peer and lets the client check itself against it."""
    interpreter, script = PEERS[name]
    async with listening([interpreter, str(SERVERS / script)]) as server:
        command = [program("wscat"), "--check", server.url]
        async with child(command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT) as client:
            try:
                out, _ = await asyncio.wait_for(client.communicate(), CHECK_LIMIT)
            except TimeoutError:
                print(f"FAIL {name}: no end within {CHECK_LIMIT:g} s")
                return False
    lines = out.decode(errors="replace").splitlines()
    for line in lines:
        print(f"  {name}: {line}")
    # Exit code 0 without a single check would prove nothing.
    passed = client.returncode == 0 and "PASS" in " ".join(lines) and "FAIL" not in " ".join(lines)
    print(f"{'PASS' if passed else 'FAIL'} {name}: exit code {client.returncode}", flush=True)
    return passed


async def main() -> int:
    names = sys.argv[1:] or list(PEERS)
    if unknown := set(names) - set(PEERS):
        print(f"no such peer: {' '.join(unknown)}; there are {' '.join(PEERS)}", file=sys.stderr)
        return 2
    verdicts = [await check(name) for name in names]
    print(f"{sum(verdicts)} passed, {len(verdicts) - sum(verdicts)} failed")
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    run_script(main)
