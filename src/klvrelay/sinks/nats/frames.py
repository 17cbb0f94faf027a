r"""The protocol of NATS clients: lines, some with a payload.

    server to client  INFO {json}\r\n   MSG <subject> <sid> [reply] <bytes>\r\n<payload>\r\n
                      HMSG <subject> <sid> [reply] <bytes of headers> <bytes>\r\n<headers><payload>\r\n
                      PING\r\n   PONG\r\n   +OK\r\n   -ERR '<text>'\r\n
    client to server  HPUB <subject> [reply] <bytes of headers> <bytes>\r\n<headers><payload>\r\n
    headers           NATS/1.0[ <status>]\r\n<name>: <value>\r\n...\r\n\r\n
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

FRAME_MOST = 1 << 20
"""Maximum bytes of a line or payload: those that are used here have a few hundred."""
_WITHOUT_PAYLOAD = frozenset((b"INFO", b"PING", b"PONG", b"+OK", b"-ERR"))


class NoNats(Exception):
    """The bytes are not of a NATS server."""


class Frame(NamedTuple):
    """What the server sent.

    kind     INFO, MSG, HMSG, PING, PONG, +OK or -ERR
    subject  of a message; else the rest of the line
    status   of a message with headers, such as 503; 0: none
    """

    kind: bytes
    subject: bytes
    payload: bytes = b""
    status: int = 0


class NatsFrames:
    """Splits received bytes into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete now. Raises NoNats."""
        data = self._rest + data
        found, at = [], 0
        while (one := _parse(data, at)) is not None:
            frame, at = one
            found.append(frame)
        self._rest = data[at:]
        if len(self._rest) > FRAME_MOST:
            raise NoNats
        return found


def _parse(data: bytes, at: int) -> tuple[Frame, int] | None:
    """The frame at a position, and the position after it; None: it is not complete."""
    if (end := data.find(b"\r\n", at)) < 0:
        return None
    kind, _, rest = data[at:end].partition(b" ")
    start = end + 2
    kind = kind.upper()
    if kind in _WITHOUT_PAYLOAD:
        return Frame(kind, rest.strip()), start
    words = rest.split()
    try:
        headers = int(words[-2]) if kind == b"HMSG" else 0
        size, subject = int(words[-1]), words[0]
    except (ValueError, IndexError):
        raise NoNats from None
    if kind not in (b"MSG", b"HMSG") or not 0 <= headers <= size <= FRAME_MOST:
        raise NoNats
    stop = start + size
    if len(data) < stop + 2:
        return None
    status = _status_of(data[start : start + headers]) if headers else 0
    return Frame(kind, subject, data[start + headers : stop], status), stop + 2


def _status_of(headers: bytes) -> int:
    digits = headers[8:12].strip()
    return int(digits) if digits.isdigit() else 0


def published(subject: bytes, reply: bytes, headers: bytes, payload: bytes) -> bytes:
    """A message to the server. `headers`: as `header_block` makes them."""
    size = len(headers)
    return b"HPUB %b %b %d %d\r\n%b%b\r\n" % (subject, reply, size, size + len(payload), headers, payload)


def header_block(headers: Mapping[str, str]) -> bytes:
    """Headers as bytes. The values have no line ends."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"NATS/1.0\r\n{lines}\r\n".encode()
