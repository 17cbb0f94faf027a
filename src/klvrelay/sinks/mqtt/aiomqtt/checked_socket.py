"""A connected socket for paho, which checks the header of each packet before paho allocates memory for the rest.

paho trusts every length, and ignores or answers what was not requested.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from typing import Any, NoReturn

from klvrelay.sinks.mqtt.protocol.incoming_header import HeaderCheck
from klvrelay.sinks.mqtt.protocol.incoming_publish import Violation
from klvrelay.sinks.mqtt.protocol.packet_types import (
    NAMES,
    PINGREQ,
    PINGRESP,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    SUBACK,
    SUBSCRIBE,
    UNSUBACK,
    UNSUBSCRIBE,
)
from klvrelay.sinks.mqtt.protocol.subscriptions import Subscriptions

LAST_READ = 0.3
"""Seconds in which the broker must close the connection after our DISCONNECT."""
CHUNK = 16 << 10
"""Maximum bytes of one read, that of a TLS record."""

_ANSWERS = {SUBSCRIBE: SUBACK, UNSUBSCRIBE: UNSUBACK, PINGREQ: PINGRESP}


class CheckedSocket:
    """A socket with the methods that paho calls. It belongs to one connection.

    is_sent    is this the packet identifier of an unanswered message of QoS 1?
    over       the broker has closed the connection
    violation  how the broker violated the protocol: "a PUBLISH that was not requested"
    """

    def __init__(
        self, sock: socket.socket, protocol: int, subscriptions: Subscriptions, is_sent: Callable[[int], bool]
    ) -> None:
        self._sock = sock
        self._subscriptions = subscriptions
        self._header_check = HeaderCheck(protocol, self._is_requested)
        self._is_sent = is_sent
        self._bytes = bytearray()
        self._may_read = False
        self._header = bytearray()
        self._left = 0  # bytes of the packet after its header
        self._answer: bytearray | None = None  # the packet after its header, if it acknowledges a message
        self._expected: Counter[int] = Counter()  # answers, by packet type
        self._sent_in_part = self.over = False
        self.violation: str | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    @property
    def greeted(self) -> bool:
        """Has a CONNACK begun?"""
        return self._header_check.greeted

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
        data = bytes(self._bytes[: min(most, self._left or 1)])
        del self._bytes[: len(data)]
        if self._left:
            self._left -= len(data)
            self._check_answer(data)
        elif data:
            self._check(data[0])
        return data

    def send(self, data: bytes) -> int:
        """For paho: send a packet, or the rest of one."""
        sent = self._sock.send(data)
        if not self._sent_in_part and (answer := _ANSWERS.get(data[0] >> 4)) is not None:
            self._expected[answer] += 1
        self._sent_in_part = sent < len(data)
        return sent

    def close(self) -> None:
        """For paho: nothing, since the connection ends with `shut` or `read_to_end`."""

    def shut(self) -> None:
        """End the connection in both directions, unless it has ended."""
        if (sock := self._released()) is not None:
            with sock, contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    async def read_to_end(self) -> None:
        """Wait until the broker closes the connection after our DISCONNECT, and close it.

        Unread data would reset the connection, perhaps before the broker reads DISCONNECT. FIN follows after half of
        the time: amqtt may take it for a lost connection if it follows DISCONNECT at once.
        """
        if (sock := self._released()) is None:
            return
        with sock, contextlib.suppress(OSError):
            sock.setblocking(False)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(_read_all(sock), LAST_READ / 2)
                return
            sock.shutdown(socket.SHUT_WR)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(_read_all(sock), LAST_READ / 2)

    def _released(self) -> socket.socket | None:
        """The connection as a plain socket, once; this one is closed."""
        family, kind, fd = self._sock.family, self._sock.type, self._sock.detach()
        return None if fd < 0 else socket.socket(family, kind, fileno=fd)

    def violate(self, what: str) -> NoReturn:
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
        try:
            self._check_header(octet)
        except Violation as fault:
            self.violate(str(fault))

    def _check_header(self, octet: int) -> None:
        self._header.append(octet)
        kind = self._header[0] >> 4
        if len(self._header) == 1:
            self._header_check.check_first(octet)
            self._header_check.is_connected = True
            self._expected[kind] -= kind in _ANSWERS.values()
        elif octet < 0x80:
            self._check_size(kind)
            self._header.clear()
        elif len(self._header) > 4:
            raise Violation(f"{NAMES[kind]} whose length is malformed")

    def _is_requested(self, kind: int) -> bool:
        return self._subscriptions.permit_messages if kind == PUBLISH else self._expected[kind] > 0

    def _check_size(self, kind: int) -> None:
        self._left = sum((octet & 0x7F) << 7 * n for n, octet in enumerate(self._header[1:]))
        self._header_check.check_size(kind, self._left)
        if kind in (PUBREC, PUBCOMP) or (kind == PUBACK and self._left < 2):
            raise Violation(f"{NAMES[kind]} without a message that waits for it")
        self._answer = bytearray() if kind == PUBACK else None

    def _check_answer(self, data: bytes) -> None:
        """Check more of a PUBACK: each message has one (MQTT 5, 4.3.2)."""
        if self._answer is None:
            return
        self._answer += data
        if len(self._answer) >= 2:
            number, self._answer = int.from_bytes(self._answer[:2], "big"), None
            if not self._is_sent(number):
                self.violate("a PUBACK without a message that waits for it")


async def _read_all(sock: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(sock, 64 << 10):
        pass
