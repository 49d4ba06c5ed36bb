"""permessage-deflate in the client: what it offers, which answers it takes, and what it reads then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from .cases import Case, rules
from .client_handshake import refused
from .client_run import Run, connecting
from .compressed import AGAIN, FAULTS, HELLO, PASSES, RSV1, Fault, Passes, deflate, inflate, marked
from .wire import CLOSE, TEXT, close_body, expect, frame

PMD = "permessage-deflate"
Options = tuple[str, ...]
ASKS: Options = ("--deflate", "10/12,no-takeover")
USUAL = "client_no_context_takeover"

# Options, the parameters offered; `None`: nothing.
OFFERS: list[tuple[Options, set[str] | None]] = [
    ((), {USUAL, "client_max_window_bits"}),
    (("--no-deflate",), None),
    (("--deflate", "/"), {"client_max_window_bits"}),
    (("--deflate", "8/8"), {"client_max_window_bits=8", "server_max_window_bits=8"}),
    (ASKS, {"client_max_window_bits=10", "server_max_window_bits=12", "server_no_context_takeover"}),
]

# Name, rules, options, answers: each must be taken.
TAKEN: list[tuple[str, str, Options, str]] = [
    ("a plain answer", "W161", (), PMD),
    ("takeover forgone that nobody asked to forgo", "W120", (), f"{PMD}; server_no_context_takeover"),
    *(
        (f"a window of {bits} bits for the server, unasked", "W120 W121", (), f"{PMD}; server_max_window_bits={bits}")
        for bits in range(8, 16)
    ),
    *(
        (f"a window of {bits} bits for the client", "W161 W121", (), f"{PMD}; client_max_window_bits={bits}")
        for bits in range(8, 16)
    ),
    ("a value in quotes", "W106", (), f'{PMD}; server_max_window_bits="10"'),
    ("what it asked for", "W162", ASKS, f"{PMD}; server_no_context_takeover; server_max_window_bits=12"),
    (
        "less than it asked for",
        "W162",
        ASKS,
        f"{PMD}; server_max_window_bits=9; client_max_window_bits=9; server_no_context_takeover; client_no_context_takeover",
    ),
]

# Each must fail the connection.
BAD: list[tuple[str, str, Options, str | list[str]]] = [
    ("an unknown parameter", "W120", (), f"{PMD}; x-never"),
    *((f"{name} with a value", "W120", (), f"{PMD}; {name}=1") for name in ("server_no_context_takeover", USUAL)),
    *(
        (f"{name} twice", "W120", (), f"{PMD}; {name}; {name}")
        for name in ("server_no_context_takeover", USUAL, "server_max_window_bits=9", "client_max_window_bits=9")
    ),
    *(
        (f"{name} without a value", "W120", (), f"{PMD}; {name}")
        for name in ("server_max_window_bits", "client_max_window_bits")
    ),
    *(
        (f"{side}_max_window_bits={value}", "W120 W121", (), f"{PMD}; {side}_max_window_bits={value}")
        for side in ("server", "client")
        for value in ("0", "7", "16", "08", "010", "+9", "1e1", "0xa", "264", "4294967306")
    ),
    ("the extension twice", "W119 W120", (), f"{PMD}, {PMD}"),
    ("the extension twice, on two lines", "W119 W120", (), [PMD, f"{PMD}; server_no_context_takeover"]),
    ("the extension beside another", "W119", (), f"{PMD}, x-never-offered"),
    ("an older extension", "W119", (), "x-webkit-deflate-frame"),
    ("compression that was not offered", "W119", ("--no-deflate",), PMD),
    ("the server's takeover, which it asked to forgo", "W163", ASKS, f"{PMD}; server_max_window_bits=12"),
    ("no window for the server, where it asked for one", "W163", ASKS, f"{PMD}; server_no_context_takeover"),
    (
        "a window for the server above the one it asked for",
        "W120",
        ASKS,
        f"{PMD}; server_no_context_takeover; server_max_window_bits=13",
    ),
    (
        "a window for itself above the one it offered",
        "W120 W161",
        ASKS,
        f"{PMD}; server_no_context_takeover; server_max_window_bits=12; client_max_window_bits=11",
    ),
]


async def offers(options: Options, params: set[str] | None) -> None:
    async with connecting(options=options) as run:
        lines = run.request.all("Sec-WebSocket-Extensions")
        if params is None:
            expect(lines == [], "no offer", lines)
            return
        name, *offered = (word.strip() for word in run.request.one("Sec-WebSocket-Extensions").split(";"))
        expect(name == PMD and "," not in "".join(offered), f"{PMD} once", lines)
        expect(sorted(offered) == sorted(params), params, offered)


def _answer(run: Run, extensions: str | list[str]) -> bytes:
    return run.answer(("Sec-WebSocket-Extensions", extensions))


async def taken(options: Options, answer: str) -> None:
    """Compressed messages go both ways, of text that comes again."""
    words = b"so many words, " * 200
    async with connecting(options=options) as run:
        await run.peer.send(_answer(run, answer) + marked(TEXT, deflate(words, 9), None))
        await run.printed(words)
        await _typed(run, words)
        await _ends(run)


async def _typed(run: Run, line: bytes) -> None:
    await run.type(line)
    came = await run.peer.frame()
    expect((came.opcode, came.fin, came.rsv) == (TEXT, True, RSV1), "a compressed text", came)
    data = inflate(came.payload)
    expect(data == line, line[:40], data[:40])


async def _ends(run: Run) -> None:
    run.end_input()
    await run.close_frame(1000)
    await run.peer.send(frame(CLOSE, close_body(1000)))
    run.peer.shut()
    await run.exits(0)


async def bad(names: tuple[str, ...], options: Options, answer: str | list[str]) -> None:
    async with connecting(options=options) as run:
        await run.type(b"must not be sent")
        await refused(run, _answer(run, answer) + frame(TEXT, b"hello"))
        await run.fails(names)


async def passes(item: Passes) -> None:
    async with connecting() as run:
        await run.peer.send(_answer(run, PMD) + item.make(None))
        for message in item.messages:
            await run.printed(message)
        await _ends(run)


async def takeover(kept: bool) -> None:
    """The second message refers to the first, which only a server that keeps its window may do."""
    async with connecting() as run:
        answer = PMD if kept else f"{PMD}; server_no_context_takeover"
        await run.peer.send(_answer(run, answer) + marked(TEXT, HELLO, None) + marked(TEXT, AGAIN, None))
        await run.printed(b"Hello")
        if kept:
            await run.printed(b"Hello")
            await _ends(run)
        else:
            await _failed(run, 1007, ())


async def fault(item: Fault) -> None:
    async with connecting() as run:
        await run.peer.send(_answer(run, PMD) + item.make(None))
        if item.first is not None:
            await run.printed(item.first)
        await _failed(run, item.code, rules(item.rules) if item.code == 1002 else ())


async def _failed(run: Run, code: int, names: tuple[str, ...]) -> None:
    await run.close_frame(code)
    run.peer.shut()
    if names:
        await run.fails(names)
    else:
        _, err = await run.exits(1)
        expect(bool(err.strip()), "a message on standard error", "none")


def cases() -> Iterator[Case]:
    def case(name: str, names: str, check: Callable[..., Awaitable[None]], *args: object) -> Case:
        return Case(name, rules(names), lambda: check(*args))

    for options, params in OFFERS:
        yield case(
            f"offers {'nothing' if params is None else '; '.join(sorted(params))}", "W161 W162", offers, options, params
        )
    for name, names, options, answer in TAKEN:
        yield case(f"takes compression with {name}", names, taken, options, answer)
    for name, names, options, answers in BAD:
        yield case(f"refuses compression with {name}", names, bad, rules(names), options, answers)
    for item in PASSES:
        yield case(f"inflates {item.name}", item.rules, passes, item)
    yield case("inflates by the message before", "W135", takeover, True)
    yield case("fails a reference to the message before, where that is ruled out", "W135 W140", takeover, False)
    for item in FAULTS:
        yield case(f"fails {item.name}", item.rules, fault, item)
