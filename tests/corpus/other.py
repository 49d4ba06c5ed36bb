#!/usr/bin/env python3
"""A second reader of the corpus: runs it on `wsproto`, an implementation by other authors, and prints where that
differs. It shows how a reader is written, and keeps the corpus honest: what two implementations agree on is not the
fancy of one. A difference is not a fault, see docs/corpus.md; the exit code is 0 unless this reader itself fails.

    other.py [CHAPTER]...      for example: other.py close utf8

Pinned in requirements.txt and installed into target/corpus (or $CORPUS_CACHE) when it is not there yet.
"""

from __future__ import annotations

import base64
import filecmp
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent


def in_own_environment() -> None:
    """Goes on in a private environment with the pinned versions; made anew when the pins change."""
    venv = Path(os.environ.get("CORPUS_CACHE", HERE.parent.parent / "target" / "corpus")) / "venv"
    pins, installed, python = HERE / "requirements.txt", venv / "installed.txt", venv / "bin" / "python"
    if Path(sys.prefix).resolve() == venv.resolve():
        return
    if not (installed.exists() and filecmp.cmp(pins, installed, shallow=False)):
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", pins], check=True)
        shutil.copy(pins, installed)
    os.execv(python, [python, __file__, *sys.argv[1:]])


in_own_environment()

import wsproto.handshake  # noqa: E402
from wsproto import ConnectionType, WSConnection, events  # noqa: E402
from wsproto.connection import Connection, ConnectionState  # noqa: E402
from wsproto.extensions import Extension  # noqa: E402
from wsproto.frame_protocol import CloseReason  # noqa: E402
from wsproto.utilities import LocalProtocolError, RemoteProtocolError  # noqa: E402


class NotExpressible(Exception):
    """The implementation has no way to be told what the case says."""


# The corpus' notation.


def octets(value) -> bytes:
    """Bytes: hex, or a list of parts."""
    if value is None:
        return b""
    if isinstance(value, str):
        return bytes.fromhex(value)
    return b"".join(octets_of(part) for part in value)


def octets_of(part) -> bytes:
    if "hex" in part:
        return bytes.fromhex(part["hex"])
    if "text" in part:
        return part["text"].encode()
    unit, count = part["repeat"]
    return bytes.fromhex(unit) * count


def expected_events(case) -> list:
    """What a whole-message interface can tell of the events."""
    told = []
    for event in case.get("events", []):
        if "compressed" in event:
            raise NotExpressible("reserved bits")
        if "text" in event:
            body = event["text"].encode() if isinstance(event["text"], str) else octets(event["text"])
            told.append(("text", body))
        elif "failed" in event:
            failed = event["failed"]
            told.append(("failed", failed.get("close_code", failed.get("status"))))
        elif "close" in event:
            told.append(("close", *(event["close"] or [1005, ""])))
        elif "requested" in event:
            facts = event["requested"]
            told.append(("requested", facts["host"], facts["target"], tuple(facts.get("protocols", []))))
        elif "opened" in event:
            told.append(("opened", event["opened"].get("protocol")))
        elif "refused" in event:
            told.append(("refused", event["refused"], octets(event.get("body"))))
        else:
            ((sort, body),) = event.items()
            told.append((sort, octets(body)))
    # The refusal of an origin is the application's there, which is asked for none.
    return told


def frames(data: bytes) -> list:
    """Frames of sound form, unmasked: first byte, whether it was masked, payload; of a Close the code alone, since
    nothing is said about its reason."""
    found, at = [], 0
    while at < len(data):
        first, second = data[at], data[at + 1]
        at, size = at + 2, second & 127
        if size > 125:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
        key = bytes(4)
        if second & 128:
            key, at = data[at : at + 4], at + 4
        body = bytes(byte ^ key[i % 4] for i, byte in enumerate(data[at : at + size]))
        at += size
        found.append((f"{first:02x}", bool(second & 128), body[:2] if first == 0x88 else body))
    return found


# The implementation under test.


class Offer(Extension):
    """An extension that does nothing."""

    def __init__(self, offer: str) -> None:
        self.name, _, self.params = (part.strip() for part in offer.partition(";"))

    def offer(self):
        return self.params or True


class Driver:
    """Drives one case: what is told, and what goes out behind the handshake."""

    def __init__(self, chapter, case) -> None:
        self.case = case
        self.config = {**{k: v for k, v in chapter["defaults"].items() if k != "responses"}, **case.get("config", {})}
        self.told: list = []
        self.out = b""
        self.status = None  # of the answer that a server gave
        self.message: tuple | None = None
        self.body: tuple = ()  # of a refusal
        self.sending = None
        self.over = False
        client = case["role"] == "client"
        known = {"key", "nonce", "uri", "protocols", "extensions", "protocol", "respond"}
        own = set(self.config) - known - ({"origin"} if self.config.get("origin") == "any" else set())
        if own:
            raise NotExpressible(f"options {sorted(own)}")
        kind = ConnectionType.CLIENT if client else ConnectionType.SERVER
        self.machine = Connection(kind) if chapter["starts"] == "frames" else WSConnection(kind)
        if chapter["starts"] != "frames" and client:
            self.request()
        elif "extensions" in self.config:
            raise NotExpressible("extensions of a server")
        self.act("before")

    def request(self) -> None:
        if self.config["uri"] != "ws://server.example.com/chat":
            raise NotExpressible("URIs")
        nonce = base64.b64encode(bytes.fromhex(self.config["nonce"]))
        wsproto.handshake.generate_nonce = lambda: nonce
        request = events.Request(
            host="server.example.com",
            target="/chat",
            subprotocols=self.config.get("protocols", []),
            extensions=[Offer(offer) for offer in self.config.get("extensions", [])],
        )
        head = self.machine.send(request).decode()
        asked = self.case.get("request")
        names = [offer.partition(";")[0] for offer in self.config.get("extensions", [])]
        if asked and len(set(names)) < len(names):
            raise NotExpressible("offers of one name")
        if asked:
            lines = head.split("\r\n")
            given = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
            wrong = [name for name, value in asked["required"].items() if given.get(name.lower()) != value]
            wrong += [name for name in asked["forbidden"] if name.lower() in given]
            self.told += [("request", lines[0], *wrong)] if wrong else []

    def act(self, when: str) -> None:
        for action in self.case.get(when, []):
            event = self.event(action)
            refused = action.get("refused", False)
            try:
                sent = self.machine.send(event)
            except (LocalProtocolError, ValueError, TypeError, AssertionError):
                # Whether a second close is an error or nothing is a matter of taste: nothing goes out.
                if not refused and "close" not in action:
                    self.told.append(("refused", str(action)))
            else:
                self.out += sent
                if refused:
                    self.told.append(("sent", *frames(sent)))

    def event(self, action):
        if "text" in action:
            body, last, first = action["text"], True, "text"
        elif "binary" in action:
            body, last, first = bytes.fromhex(action["binary"]), True, "binary"
        elif "fragment" in action:
            first, body, last = action["fragment"], bytes.fromhex(action["payload"]), action["fragment"] == "last"
        elif "ping" in action:
            return events.Ping(bytes.fromhex(action["ping"]))
        elif "pong" in action:
            return events.Pong(bytes.fromhex(action["pong"]))
        elif action["close"] is None:
            return events.CloseConnection(code=CloseReason.NO_STATUS_RCVD)
        else:
            return events.CloseConnection(code=action["close"][0], reason=action["close"][1])
        # A message is one sort of call there, and what it begins or continues is not said.
        going_on = first in ("next", "last")
        if self.sending is not None and not going_on or self.sending is None and going_on:
            raise NotExpressible("fragments out of order")
        kind = self.sending if going_on else first
        self.sending = None if last else kind
        if kind == "text":
            try:
                body = body if isinstance(body, str) else body.decode()
            except UnicodeDecodeError:
                raise NotExpressible("text that is not UTF-8") from None
            return events.TextMessage(data=body, message_finished=last)
        return events.BytesMessage(data=body, message_finished=last)

    def feed(self, data: bytes) -> None:
        if self.over:
            return
        try:
            self.machine.receive_data(data)
            for event in self.machine.events():
                self.note(event)
        except RemoteProtocolError as error:
            self.over = True
            if self.case["role"] == "server" and isinstance(error.event_hint, events.RejectConnection):
                self.answer(error.event_hint)
                self.told.append(("failed", self.status))
            else:
                self.told.append(("failed", None))

    def note(self, event) -> None:
        if isinstance(event, events.Message):
            kind = "text" if isinstance(event, events.TextMessage) else "binary"
            body = event.data.encode() if kind == "text" else bytes(event.data)
            self.message = (kind, (self.message[1] if self.message else b"") + body)
            if event.message_finished:
                self.told.append(self.message)
                self.message = None
        elif isinstance(event, (events.Ping, events.Pong)):
            self.told.append(("ping" if isinstance(event, events.Ping) else "pong", bytes(event.payload)))
            if isinstance(event, events.Ping):
                self.reply(event.response())
        elif isinstance(event, events.CloseConnection):
            machine = self.machine if isinstance(self.machine, Connection) else self.machine.connection
            # A fault of the peer is told as a Close too, and the state does not change with it.
            theirs = machine.state in (ConnectionState.REMOTE_CLOSING, ConnectionState.CLOSED)
            self.told.append(("close", int(event.code), event.reason or "") if theirs else ("failed", int(event.code)))
            self.over = True
            if machine.state is not ConnectionState.CLOSED:
                self.reply(event.response())
        elif isinstance(event, events.Request):
            self.told.append(("requested", event.host, event.target, tuple(event.subprotocols)))
            if "respond" in self.config:
                self.answer(events.RejectConnection(status_code=self.config["respond"]))
                self.over = True
            else:
                self.answer(events.AcceptConnection(subprotocol=self.config.get("protocol")))
        elif isinstance(event, events.AcceptConnection):
            self.told.append(("opened", event.subprotocol))
        elif isinstance(event, events.RejectConnection):
            self.body = ("refused", event.status_code, b"")
            if not event.has_body:
                self.told.append(self.body)
        elif isinstance(event, events.RejectData):
            self.body = (*self.body[:2], self.body[2] + bytes(event.data))
            if event.body_finished:
                self.told.append(self.body)

    def reply(self, event) -> None:
        try:
            self.out += self.machine.send(event)
        except LocalProtocolError:
            pass  # its state forbids it: nothing goes out

    def answer(self, event) -> None:
        self.status = int(self.machine.send(event).split(b" ")[1])


def plain(value) -> str:
    text = json.dumps(value, default=lambda body: body.decode("latin-1"))
    return text if len(text) <= 70 else text[:67] + "..."


def run(chapter, case):
    """Where the case differs, as what was expected and what came, or None."""
    if case.get("request") == "refused":
        raise NotExpressible("URIs")
    if any("plain" in event.get("requested", {}) for event in case.get("events", [])):
        raise NotExpressible("requests for something else")
    wanted = expected_events(case)
    replies = frames(octets(case.get("output")))
    status = case.get("response", {}).get("status")  # of a fault it is in the event
    data = octets(case.get("input"))
    for pieces in [[data], [data[i : i + 1] for i in range(len(data))]]:
        if len(pieces) > 20_000:
            continue
        driver = Driver(chapter, case)
        try:
            for piece in pieces:
                if piece:
                    driver.feed(piece)
            driver.act("after")
        except NotExpressible:
            raise
        except Exception as error:  # noqa: BLE001: what an implementation raises is what came
            return wanted, f"{type(error).__name__}: {error}"
        if "eof" in case and isinstance(driver.machine, WSConnection) and case["closure"]["cause"] == "refused":
            driver.feed(None)
        if driver.told != wanted:
            extra = next((i for i, (a, b) in enumerate(zip(driver.told, wanted)) if a != b), None)
            if extra is None:
                extra = min(len(driver.told), len(wanted))
            return wanted[extra : extra + 2], driver.told[extra : extra + 2]
        sent = frames(driver.out)
        if sent != replies:
            return {"sent": replies}, {"sent": sent}
        if status and driver.status != status:
            return {"status": status}, {"status": driver.status}
    return None


def main() -> None:
    chapters = sorted(path.stem for path in HERE.glob("*.json"))
    asked = sys.argv[1:] or chapters
    unknown = set(asked) - set(chapters)
    if unknown:
        sys.exit(f"no such chapter: {', '.join(sorted(unknown))}")
    agree = differ = inexpressible = 0
    print("| rule | case | expected | got |\n|---|---|---|---|")
    for name in asked:
        chapter = json.loads((HERE / f"{name}.json").read_text())
        for case in chapter["cases"]:
            try:
                difference = run(chapter, case)
            except NotExpressible:
                inexpressible += 1
                continue
            if difference is None:
                agree += 1
                continue
            differ += 1
            cells = [" ".join(case["rules"]), f"{name}, {case['role']}: {case['name']}", *map(plain, difference)]
            print("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    print(f"\n{agree} agree, {differ} differ, {inexpressible} not expressible")


if __name__ == "__main__":
    main()
