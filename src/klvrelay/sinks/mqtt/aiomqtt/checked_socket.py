"""A connected socket for paho, which checks the header of each packet before paho allocates memory for the rest.

    bits 7 to 4   packet type
    bits 3 to 0   flags
    1 to 4 bytes  remaining length, 7 bits each, least significant first                        (MQTT 5, 2.1)
"""

from __future__ import annotations

import socket
import ssl
from typing import Any

CHUNK = 16 << 10
"""Maximum bytes of one read, that of a TLS record."""
ANSWER_MOST = 8 << 10
"""Maximum bytes of a packet other than PUBLISH: an answer has a few bytes, and perhaps a reason text."""
DOCUMENT_MOST = 8 << 20
"""Maximum bytes of a PUBLISH: the JSON of a KLV packet of the default limit can have 4 MiB."""

_CONNACK, _PUBLISH, _DISCONNECT = 2, 3, 14
_NAMES = {
    _CONNACK: "a CONNACK", _PUBLISH: "a PUBLISH", 4: "a PUBACK", 5: "a PUBREC", 7: "a PUBCOMP", 9: "a SUBACK",
    11: "an UNSUBACK", 13: "a PINGRESP", _DISCONNECT: "a DISCONNECT",
}  # fmt: skip
"""What a broker may send to a client that receives nothing at QoS 2."""


class CheckedSocket:
    """A socket with the methods that paho calls. It belongs to one connection.

    greeted    a CONNACK has begun
    over       the broker has closed the connection
    violation  how the broker violated the protocol: "a PUBLISH of 300000000 bytes; the limit is 8388608"
    """

    def __init__(self, sock: socket.socket, protocol: int) -> None:
        self._sock = sock
        self._protocol = protocol
        self._bytes = bytearray()
        self._may_read = False
        self._header = bytearray()
        self._left = 0  # bytes of the packet after its header
        self.greeted = self.over = False
        self.violation: str | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    @property
    def alert(self) -> OSError | None:
        """The TLS alert that ended the connection."""
        return getattr(self._sock, "alert", None)

    def allow_read(self) -> None:
        """Let the next `recv` read once from the socket: a busy broker must not keep the event loop."""
        self._may_read = True

    def pending(self) -> int:
        """Bytes read from the socket that paho has not fetched."""
        return len(self._bytes)

    def recv(self, most: int) -> bytes:
        """For paho: the next bytes of a packet, as from a non-blocking socket. Of its header, one at a time."""
        if not self._bytes:
            self._fill()
        size = min(most, self._left or 1)
        data = bytes(self._bytes[:size])
        del self._bytes[:size]
        if self._left:
            self._left -= len(data)
        elif data:
            self._check(data[0])
        return data

    def close(self) -> None:
        """For paho: nothing, since the end of the connection is still read; see `release`."""

    def release(self) -> socket.socket | None:
        """The connection as a plain socket, once; this one is closed."""
        family, kind, fd = self._sock.family, self._sock.type, self._sock.detach()
        return None if fd < 0 else socket.socket(family, kind, fileno=fd)

    def violate(self, what: str) -> None:
        """End the connection because of `what` the broker sent."""
        self.violation = self.violation or what
        raise ConnectionAbortedError("protocol error")

    def _fill(self) -> None:
        if self.over:
            return
        if not self._may_read:
            raise BlockingIOError
        self._may_read = False
        try:
            data = self._sock.recv(CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError:
            self.over = True
            raise
        self.over = not data
        self._bytes += data

    def _check(self, octet: int) -> None:
        """Check one more byte of a header."""
        self._header.append(octet)
        if len(self._header) == 1:
            self._check_type(octet >> 4, octet & 15)
        elif octet < 0x80:
            self._check_size(self._header[0] >> 4)
            self._header.clear()
        elif len(self._header) > 4:
            self.violate("a packet whose length is malformed")

    def _check_type(self, kind: int, flags: int) -> None:
        name = _NAMES.get(kind)
        if name is None or (kind != _PUBLISH and flags) or (kind == _DISCONNECT and self._protocol == 4):
            self.violate(f"a packet with an invalid type or flags (0x{kind << 4 | flags:02x})")
        if kind == _PUBLISH and flags & 4:  # QoS 1 is allowed: amqtt sends retained messages with it
            self.violate(f"a PUBLISH of QoS {flags >> 1 & 3}, though QoS 0 was requested")
        if (kind == _CONNACK) == self.greeted:
            self.violate("a second CONNACK" if self.greeted else f"{name} before its CONNACK")
        self.greeted = True

    def _check_size(self, kind: int) -> None:
        self._left = sum((octet & 0x7F) << 7 * n for n, octet in enumerate(self._header[1:]))
        most = DOCUMENT_MOST if kind == _PUBLISH else ANSWER_MOST
        if self._left > most:
            self.violate(f"{_NAMES[kind]} of {self._left} bytes; the limit is {most}")
