"""Checks the packets of a broker, by their fixed header, before memory is allocated for the rest.

paho trusts every length and answers every packet. Instead of a socket it uses an `Incoming`, which passes on only whole
packets that were requested. A PUBLISH is read here (`incoming_publish.py`). It depends on paho only in that paho calls
`recv` and `send` of its socket.

    bits 7 to 4   packet type
    bits 3 to 0   flags
    1 to 4 bytes  remaining length, 7 bits each, least significant first                        (MQTT 5, 2.1)
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

from klvrelay.sinks.mqtt.connection import REFUSED, Received
from klvrelay.sinks.mqtt.incoming_publish import Violation, read_publish
from klvrelay.sinks.mqtt.topics import matches

CHUNK = 16 << 10
"""Maximum bytes of one read, that of a TLS record."""
ANSWER_MOST = 8 << 10
"""Maximum bytes of a packet other than PUBLISH: an answer has a few bytes, and perhaps a reason text."""
DOCUMENT_MOST = 8 << 20
"""Maximum bytes of a PUBLISH: the JSON of a KLV packet of the default limit can have 4 MiB."""
UNASKED_MOST, UNASKED_BYTES = 10_000, 8 << 20
"""Maximum discarded retained messages, and their bytes: amqtt and old versions of aedes send them to every client."""

_CONNACK, _PUBLISH, _PUBACK, _PUBREC, _PUBREL, _PUBCOMP = 2, 3, 4, 5, 6, 7
_SUBACK, _UNSUBACK, _PINGRESP, _DISCONNECT, _AUTH = 9, 11, 13, 14, 15
_NAMES = {
    _CONNACK: "a CONNACK", _PUBLISH: "a PUBLISH", _PUBACK: "a PUBACK", _PUBREC: "a PUBREC", _PUBREL: "a PUBREL",
    _PUBCOMP: "a PUBCOMP", _SUBACK: "a SUBACK", _UNSUBACK: "an UNSUBACK", _PINGRESP: "a PINGRESP",
    _DISCONNECT: "a DISCONNECT", _AUTH: "an AUTH",
}  # fmt: skip
_ACKS = (_PUBACK, _PUBREC, _PUBCOMP)
_PINGREQ = b"\xc0\x00"
_PUBACK_HEAD = b"\x40\x02"
ACKS_MOST = 64 << 10
"""Maximum bytes of acknowledgements that wait for the broker to read."""
_RETAINED = 0x31
"""The first byte of a retained message of QoS 0."""


class Incoming:
    """A connected socket, which paho uses as a socket.

    protocol  5, or 4 for MQTT 3.1.1
    is_sent   is this the packet identifier of an unanswered message?
    took      is called with the packet identifier of each PUBREC
    deliver   is called with each message of a subscription
    """

    def __init__(
        self,
        sock: socket.socket,
        protocol: int,
        is_sent: Callable[[int], bool],
        took: Callable[[int], None],
        deliver: Callable[[Received], None],
    ) -> None:
        self._sock = sock
        self._protocol = protocol
        self._is_sent = is_sent
        self._took = took
        self._deliver = deliver
        self._bytes = bytearray()
        self._ready = bytearray()
        self._end: OSError | None = None
        self._taken: set[int] = set()  # PUBREC was received
        self._answered: set[int] = set()  # paho has not processed the answer yet
        self._pings = 0
        self._acks = bytearray()
        self._sent_in_part = False  # a packet of paho
        self._unasked = self._unasked_bytes = self._to_discard = 0
        self.greeted = self._connected = self.unsubscribed = self.over = False
        self.filters: list[list[str]] = []
        self._requests = {_SUBACK: 0, _UNSUBACK: 0}
        self.violation: str | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    @property
    def waiting(self) -> bool:
        """Can paho read something: packets, or the end?"""
        return bool(self._ready) or self.over

    @property
    def subscribed(self) -> bool:
        return bool(self.filters)

    def expect_messages(self, topic: str) -> None:
        """A SUBSCRIBE is about to be sent."""
        self.filters.append(topic.split("/"))
        self._requests[_SUBACK] += 1

    def expect_unsuback(self, topic: str) -> None:
        """An UNSUBSCRIBE is about to be sent. Messages of the topic may still arrive, and are discarded."""
        self._requests[_UNSUBACK] += 1
        self.filters = [wanted for wanted in self.filters if wanted != topic.split("/")]
        self.unsubscribed = True

    def take(self) -> None:
        """Read once from the socket. Call it when paho has read everything."""
        self._answered.clear()
        try:
            data = self._sock.recv(CHUNK)
            self.over = not data
            self._bytes += data
            self._split()
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError as fault:
            self.over, self._end = True, fault
        except Violation as fault:
            self.violate(str(fault))

    def violate(self, what: str) -> None:
        """End the connection because of `what` the broker did."""
        self.violation = self.violation or what
        self.over, self._end = True, ConnectionAbortedError("protocol error")
        self._bytes.clear()

    def recv(self, n: int) -> bytes:
        """For paho: the next bytes of the checked packets, as from a non-blocking socket."""
        if self._ready:
            part = bytes(self._ready[:n])
            del self._ready[:n]
            return part
        if self._end is not None:
            raise self._end
        if self.over:
            return b""
        raise BlockingIOError

    def send(self, data: bytes) -> int:
        """For paho: send a packet, or the rest of one. A PINGREQ is counted, to allow its answer."""
        self._send_acks()
        if self._acks and not self._sent_in_part:  # an acknowledgement may be sent in part
            raise BlockingIOError
        sent = self._sock.send(data)
        self._sent_in_part = sent < len(data)
        self._pings += data == _PINGREQ
        return sent

    def _send_acks(self) -> None:
        """Send acknowledgements, as many as the socket accepts, between two packets of paho."""
        try:
            while self._acks and not self._sent_in_part:
                del self._acks[: self._sock.send(self._acks)]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass

    def _split(self) -> None:
        """Pass on the whole packets."""
        at, data = 0, self._bytes
        try:
            while at < len(data):
                if self._to_discard:
                    discarded = min(self._to_discard, len(data) - at)
                    at, self._to_discard = at + discarded, self._to_discard - discarded
                    continue
                kind, body, size = self._header(at)
                if body and kind == _PUBLISH and not self.subscribed:
                    self._discard(size)
                    at = body
                    continue
                if body == 0 or body + size > len(data):
                    break
                self._pass_on(kind, at, body, body + size)
                at = body + size
        finally:
            del data[:at]

    def _header(self, at: int) -> tuple[int, int, int]:
        """Packet type, begin of the body (0: not known yet), and its size. Raises Violation as early as possible."""
        data, first = self._bytes, self._bytes[at]
        self._check_first(first)
        size = 0
        for n in range(4):
            if at + 1 + n == len(data):
                return first >> 4, 0, 0
            octet = data[at + 1 + n]
            size |= (octet & 0x7F) << 7 * n
            if octet < 0x80:
                most = DOCUMENT_MOST if first >> 4 == _PUBLISH else ANSWER_MOST
                if size > most:
                    raise Violation(f"{_NAMES[first >> 4]} of {size} bytes; the limit is {most}")
                return first >> 4, at + n + 2, size
        raise Violation(f"{_NAMES[first >> 4]} whose length is malformed")

    def _check_first(self, first: int) -> None:
        """Raise Violation unless a packet may begin with this byte now."""
        kind, flags = first >> 4, first & 15
        name = _NAMES.get(kind)
        if name is None or (kind != _PUBLISH and flags != (2 if kind == _PUBREL else 0)):
            raise Violation(f"a packet with an invalid type or flags (0x{first:02x})")
        self.greeted = self.greeted or kind == _CONNACK
        if not self._connected and kind != _CONNACK:
            raise Violation(f"{name} before its CONNACK")
        if not self._is_asked(kind) and first != _RETAINED:
            raise Violation(f"{name} that was not requested")
        if kind == _PUBLISH and flags & 4:  # QoS 1 is allowed: amqtt sends retained messages with it
            raise Violation(f"a PUBLISH of QoS {flags >> 1 & 3}, though QoS 0 was requested")

    def _is_asked(self, kind: int) -> bool:
        if kind in _ACKS:  # nearly all packets; checked once their message is known
            return True
        if kind in self._requests:
            return self._requests[kind] > 0
        asked = {
            _CONNACK: not self._connected,
            _PUBLISH: self.subscribed or self.unsubscribed,
            _PINGRESP: self._pings > 0,
            _DISCONNECT: self._protocol == 5,
        }
        return asked.get(kind, False)

    def _discard(self, size: int) -> None:
        """Discard the body of a message without a subscription, as it arrives."""
        self._count_unasked(size)
        self._to_discard = size

    def _count_unasked(self, size: int) -> None:
        self._unasked, self._unasked_bytes = self._unasked + 1, self._unasked_bytes + size
        if self._unasked > UNASKED_MOST or self._unasked_bytes > UNASKED_BYTES:
            raise Violation("too many messages that were not requested")

    def _is_wanted(self, topic: str) -> bool:
        """Does a subscription match this topic?"""
        return any(matches(topic, wanted) for wanted in self.filters)

    def _pass_on(self, kind: int, start: int, body: int, end: int) -> None:
        """Pass on a whole packet: a PUBLISH to `deliver`, others to paho."""
        if kind == _PUBLISH:
            message, number = read_publish(self._bytes[start], self._bytes[body:end], self._protocol)
            self._acknowledge(number)
            if self._is_wanted(message.topic):
                self._deliver(message)
            elif self._bytes[start] == _RETAINED or self.unsubscribed:
                self._count_unasked(end - body)
            else:
                raise Violation(f"{_NAMES[kind]} that was not requested")
            self._send_acks()
            return
        if kind in _ACKS and self._check_answer(kind, self._bytes[body:end]):
            # paho would send PUBREL. It handles a refusal correctly as the answer to a message of QoS 1.
            self._bytes[start] = _PUBACK << 4
        self._connected = self._connected or kind == _CONNACK
        if kind in self._requests:
            self._requests[kind] -= 1
        self._pings -= kind == _PINGRESP
        self._ready += self._bytes[start:end]

    def _acknowledge(self, number: bytes) -> None:
        """Acknowledge a message of QoS 1."""
        self._acks += _PUBACK_HEAD + number if number else b""
        if len(self._acks) > ACKS_MOST:
            raise Violation("messages of QoS 1, and it reads no acknowledgements")

    def _check_answer(self, kind: int, body: bytearray) -> bool:
        """Check the answer to a PUBLISH: each may arrive once (MQTT 5, 4.3). Returns true for a PUBREC that refuses."""
        number = int.from_bytes(body[:2], "big")
        if len(body) < 2 or number in self._answered or not self._is_sent(number):
            raise Violation(f"{_NAMES[kind]} without a message that waits for it")
        refused = len(body) > 2 and body[2] >= REFUSED
        if kind != _PUBREC or refused:
            self._taken.discard(number)
            self._answered.add(number)
        elif number in self._taken:
            raise Violation("a second PUBREC for one message")
        else:
            self._taken.add(number)
            self._took(number)
        return refused and kind == _PUBREC
