"""Frames as bytes, written by hand and not by an implementation under test, and cases made of them."""

from .rules import RULES

PEER_KEY = bytes.fromhex("37fa213d")  # of every frame that a server reads: the example of RFC 6455 5.7
EITHER = "either"  # a case of a large table is for one role, the next one for the other
OWN_KEY = bytes.fromhex("01020304")  # of every frame that a client writes


def masked(key, body):
    """RFC 6455 5.3, letter by letter."""
    return bytes(byte ^ key[i % 4] for i, byte in enumerate(body))


class Frame:
    """A frame as it is before anybody masks it."""

    def __init__(self, head, body=b"", verbatim=False):
        self.head = bytes(head)  # without mask bit and key
        self.body = body.encode() if isinstance(body, str) else bytes(body)
        self.verbatim = verbatim  # on the wire as it stands here

    def bytes(self, key):
        if self.verbatim or key is None:
            return self.head + self.body
        if len(self.head) < 2:
            return self.head
        head = bytes([self.head[0], self.head[1] | 0x80]) + self.head[2:] + key
        return head + masked(key, self.body)


def announce(first, length):
    """The header of a frame of `length` bytes, of which none follow."""
    if length < 126:
        return Frame([first, length])
    if length < 65536:
        return Frame([first, 126, *length.to_bytes(2, "big")])
    return Frame([first, 127, *length.to_bytes(8, "big")])


def frame(first, body=b""):
    body = body.encode() if isinstance(body, str) else bytes(body)
    return Frame(announce(first, len(body)).head, body)


def text(body=b""):
    return frame(0x81, body)


def binary(body=b""):
    return frame(0x82, body)


def ping(body=b""):
    return frame(0x89, body)


def pong(body=b""):
    return frame(0x8A, body)


def close(code=None, reason=b""):
    if code is None:
        return frame(0x88)
    reason = reason.encode() if isinstance(reason, str) else reason
    return frame(0x88, code.to_bytes(2, "big") + reason)


def exactly(*parts):
    """Bytes that go on the wire as they are."""
    return Frame(b"".join(parts), verbatim=True)


def pieces(data):
    """A byte string as parts: runs of 64 bytes or more, of a unit of 1 to 8 bytes, become `repeat`."""
    parts, plain, at = [], 0, 0

    def flush(end):
        if end > plain:
            parts.append({"hex": data[plain:end].hex()})

    while at < len(data):
        for unit in (1, 2, 4, 6, 8):
            end = at + unit
            while end < len(data) and data[end] == data[end - unit]:
                end += 1
            count = (end - at) // unit
            if count * unit >= 64:
                flush(at)
                parts.append({"repeat": [data[at : at + unit].hex(), count]})
                at = plain = at + count * unit
                break
        else:
            at += 1
    flush(len(data))
    return parts


def notation(chunks):
    """Byte strings in the notation of the corpus: hex, or a list of parts, one or more for each string."""
    parts = []
    for chunk in chunks:
        parts += [{"text": chunk}] if isinstance(chunk, str) else pieces(chunk)
    if not parts:
        return ""
    return parts[0]["hex"] if len(parts) == 1 and "hex" in parts[0] else parts


def data(kind, body):
    """The event of a message."""
    body = body.encode() if isinstance(body, str) else bytes(body)
    short = kind == "text" and len(body) < 200
    return {kind: body.decode() if short else notation([body])}


def payload(kind, body):
    """The event of a ping or a pong."""
    return {kind: notation([body.encode() if isinstance(body, str) else bytes(body)])}


def failed(rule, offset):
    number, answer = RULES[rule]
    event = {"rule": number, "name": rule, "offset": offset}
    if answer is not None:
        event["close_code" if answer >= 1000 else "status"] = answer
    return {"failed": event}


def fields(**given):
    """A case's fields in their order, without those that have their default."""
    order = [
        "name", "rules", "role", "config", "before", "input", "after", "eof",
        "events", "partial", "request", "response", "output", "transport", "closure",
    ]  # fmt: skip
    assert set(given) <= set(order), given
    return {key: given[key] for key in order if given.get(key) not in (None, [], {}, "")}


class Chapter:
    """The cases of a file about frames. The connection is open, and nothing has come on it."""

    starts = "frames"
    defaults = {"key": OWN_KEY.hex()}

    def __init__(self):
        self.cases = []
        self.turn = 0

    def add(self, name, frames=(), events=(), output=(), *, rules, roles=("server", "client"), fault=None,
            partial=None, config=None, before=(), after=(), closed=False, closure=None, transport=None):  # fmt: skip
        """A case for each role. `fault`: the rule and the byte that proves it, as (frame, byte of its header) or
        (frame, "end" of the header) or (frame, "body", byte); a
        Close goes out. `roles`: EITHER is one of the two in turn. `closed`: both Closes were
        exchanged. `closure`: how the connection ended, and then the stream ends behind the input."""
        if roles == EITHER:
            self.turn ^= 1
            roles = (("server", "client")[self.turn],)
        for role in roles:
            key = PEER_KEY if role == "server" else None
            own = OWN_KEY if role == "client" else None
            wire = [frame.bytes(key) for frame in frames]
            told = list(events)
            verdict = {"server": "shut", "client": "await_end"}[role] if closed else "keep"
            if fault:
                rule, place = fault
                told.append(failed(rule, sum(map(len, wire[: place[0]])) + self.offset(frames[place[0]], place, key)))
                verdict = "shut"
            self.cases.append(
                fields(
                    name=name,
                    rules=rules.split(),
                    role=role,
                    config=config,
                    before=list(before),
                    input=notation(wire),
                    after=list(after),
                    eof=closure is not None or None,
                    events=told,
                    partial=partial and {partial[0]: notation([bytes_of(partial[1])])},
                    output=notation([frame.bytes(own) for frame in output]),
                    transport=transport or verdict,
                    closure=closure,
                )
            )

    @staticmethod
    def offset(frame, place, key):
        head = len(frame.bytes(key)) - len(frame.body)
        if place[1] == "end":
            return head - 1
        if place[1] == "body":
            return head + place[2]
        return place[1]

    def fault(self, name, frames, rule, place, events=(), output=(), **more):
        """A case that fails: its Close goes out behind `output`."""
        output = [*output, close(RULES[rule][1])]
        self.add(name, frames, events, output, fault=(rule, place), **more)


def bytes_of(value):
    return value.encode() if isinstance(value, str) else bytes(value)


def closure(code, *, clean=False, cause=None, sent=None, received=None, first=None):
    return {"code": code, "clean": clean, "cause": cause, "sent": sent, "received": received, "first": first}
