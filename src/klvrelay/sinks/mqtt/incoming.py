"""What a broker sends, packet by packet, judged by its fixed header before memory is taken for the rest.

paho believes every length and answers whatever comes. It reads from an `Incoming` in the socket's place, which hands
it whole packets that were asked for and no others; a PUBLISH is read here. Of paho it needs only that it calls `recv`
and `send` of a socket. `pump.py` has it read, `received.py` keeps the messages.

    bit 7..4  kind     bit 3..0  flags     1 to 4 bytes: length, 7 bits each, the least first     (MQTT 5, 2.1)
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

from klvrelay.sinks.mqtt.connection import REFUSED, Received

CHUNK = 16 << 10
"""Bytes read at a time; a TLS record has no more."""
ANSWER_MOST = 8 << 10
"""Bytes of a packet that is no PUBLISH: an answer is a few bytes, and the words of an operator at the broker."""
DOCUMENT_MOST = 8 << 20
"""Bytes of a PUBLISH: a KLV packet of the default limit can become a document of 4 MiB."""
UNASKED_MOST, UNASKED_BYTES = 10_000, 8 << 20
"""Retained messages that are dropped: amqtt and old versions of aedes send them to whoever connects."""

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
"""Bytes of acknowledgements that may wait for a broker to read them."""
PROPERTIES_MOST = 4 << 10
"""Bytes of the properties of a retained message that are kept; the name of a stream is most of it."""
_RETAINED = 0x31
"""The first byte of a retained message of QoS 0."""


class Violation(Exception):
    """What the broker sent against the protocol: "a PUBLISH that was not asked for"."""


class Incoming:
    """A connected socket, for paho to use as one.

    protocol  5, or 4 for MQTT 3.1.1
    is_sent   whether a packet identifier is of a message that waits for its answer
    took      is called for a message of QoS 2 that the broker has taken
    deliver   takes a message of a subscription
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
        self._halfway: set[int] = set()
        self._settled: set[int] = set()
        self._pings = 0
        self._answers = bytearray()
        self._within = False  # a packet of paho's is sent in part
        self._unasked = self._unasked_bytes = self._to_drop = 0
        self.greeted = self._connected = self.unsubscribed = self.over = False
        self.filters: list[list[str]] = []
        self.requests = 0
        self.violation: str | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    @property
    def waiting(self) -> bool:
        """Whether paho has something to read: packets, or that there will be no more."""
        return bool(self._ready) or self.over

    @property
    def subscribed(self) -> bool:
        return bool(self.filters)

    def take(self) -> None:
        """Read once from the socket; paho has taken all of the time before."""
        self._settled.clear()
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
        """Nothing more is taken from this broker; `what` it did is kept."""
        self.violation = self.violation or what
        self.over, self._end = True, ConnectionAbortedError("protocol error")
        self._bytes.clear()

    def recv(self, n: int) -> bytes:
        """For paho: the next bytes of what is ready, as a non-blocking socket gives them."""
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
        """For paho: a packet, or what is left of one; a PINGREQ is noted, since its answer may come."""
        self._answer()
        if self._answers and not self._within:  # one of them may be sent in part
            raise BlockingIOError
        sent = self._sock.send(data)
        self._within = sent < len(data)
        self._pings += data == _PINGREQ
        return sent

    def _answer(self) -> None:
        """Send acknowledgements, as many as the socket takes, between two packets of paho's."""
        try:
            while self._answers and not self._within:
                del self._answers[: self._sock.send(self._answers)]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass

    def _split(self) -> None:
        """Take the whole packets off the front."""
        at, data = 0, self._bytes
        try:
            while at < len(data):
                if self._to_drop:
                    dropped = min(self._to_drop, len(data) - at)
                    at, self._to_drop = at + dropped, self._to_drop - dropped
                    continue
                kind, body, size = self._header(at)
                if body and kind == _PUBLISH and not self.subscribed:
                    self._drop(size)
                    at = body
                    continue
                if body == 0 or body + size > len(data):
                    break
                self._pass_on(kind, at, body, body + size)
                at = body + size
        finally:
            del data[:at]

    def _header(self, at: int) -> tuple[int, int, int]:
        """Kind, where the body begins (0: not known yet) and its size; Violation as early as one is seen."""
        data, first = self._bytes, self._bytes[at]
        self._judge(first)
        size = 0
        for n in range(4):
            if at + 1 + n == len(data):
                return first >> 4, 0, 0
            octet = data[at + 1 + n]
            size |= (octet & 0x7F) << 7 * n
            if octet < 0x80:
                most = DOCUMENT_MOST if first >> 4 == _PUBLISH else ANSWER_MOST
                if size > most:
                    raise Violation(f"{_NAMES[first >> 4]} of {size} bytes, and at most {most} are taken")
                return first >> 4, at + n + 2, size
        raise Violation(f"{_NAMES[first >> 4]} whose length is malformed")

    def _judge(self, first: int) -> None:
        """May a packet begin with this byte, now?"""
        kind, flags = first >> 4, first & 15
        name = _NAMES.get(kind)
        if name is None or (kind != _PUBLISH and flags != (2 if kind == _PUBREL else 0)):
            raise Violation(f"a packet of a kind or with flags that no broker sends (0x{first:02x})")
        self.greeted = self.greeted or kind == _CONNACK
        if not self._connected and kind != _CONNACK:
            raise Violation(f"{name} before its CONNACK")
        if not self._is_asked(kind) and first != _RETAINED:
            raise Violation(f"{name} that was not asked for")
        if kind == _PUBLISH and flags & 4:  # QoS 1 is what amqtt sends retained messages with
            raise Violation(f"a PUBLISH of QoS {flags >> 1 & 3}, and QoS 0 was asked for")

    def _is_asked(self, kind: int) -> bool:
        if kind in _ACKS:  # judged once their message is known; nearly all that comes
            return True
        asked = {
            _CONNACK: not self._connected,
            _PUBLISH: self.subscribed or self.unsubscribed,
            _SUBACK: self.requests > 0,
            _UNSUBACK: self.requests > 0,
            _PINGRESP: self._pings > 0,
            _DISCONNECT: self._protocol == 5,
        }
        return asked.get(kind, False)

    def _drop(self, size: int) -> None:
        """A message that was not asked for, or no longer: its body is passed over as it comes."""
        self._count_unasked(size)
        self._to_drop = size

    def _count_unasked(self, size: int) -> None:
        self._unasked, self._unasked_bytes = self._unasked + 1, self._unasked_bytes + size
        if self._unasked > UNASKED_MOST or self._unasked_bytes > UNASKED_BYTES:
            raise Violation("too many messages that were not asked for")

    def _is_wanted(self, topic: str) -> bool:
        """Does a subscription ask for this topic (MQTT 5, 4.7)?"""
        levels = topic.split("/")
        return any(_matches(levels, wanted) for wanted in self.filters)

    def _pass_on(self, kind: int, start: int, body: int, end: int) -> None:
        """A whole packet: a PUBLISH to the inbox, all else to paho."""
        if kind == _PUBLISH:
            message = self._message(self._bytes[start], self._bytes[body:end])
            if self._is_wanted(message.topic):
                self._deliver(message)
            elif self._bytes[start] == _RETAINED or self.unsubscribed:
                self._count_unasked(end - body)
            else:
                raise Violation(f"{_NAMES[kind]} that was not asked for")
            self._answer()
            return
        if kind in _ACKS and self._settle(kind, self._bytes[body:end]):
            # paho would go on with PUBREL; as the answer to a message of QoS 1 it takes the refusal for what it is.
            self._bytes[start] = _PUBACK << 4
        self._connected = self._connected or kind == _CONNACK
        self.requests -= kind in (_SUBACK, _UNSUBACK)
        self._pings -= kind == _PINGRESP
        self._ready += self._bytes[start:end]

    def _settle(self, kind: int, body: bytearray) -> bool:
        """Check an answer to a PUBLISH: each may arrive once (MQTT 5, 4.3). True if it is a PUBREC with a refusal."""
        number = int.from_bytes(body[:2], "big")
        if len(body) < 2 or number in self._settled or not self._is_sent(number):
            raise Violation(f"{_NAMES[kind]} for no message that waits for one")
        refused = len(body) > 2 and body[2] >= REFUSED
        if kind != _PUBREC or refused:
            self._halfway.discard(number)
            self._settled.add(number)
        elif number in self._halfway:
            raise Violation("a PUBREC twice for one message")
        else:
            self._halfway.add(number)
            self._took(number)
        return refused and kind == _PUBREC

    def _message(self, first: int, body: bytearray) -> Received:
        """Topic, payload, and the properties between them (MQTT 5, 3.3.2). QoS 1 is acknowledged."""
        at = 2 + int.from_bytes(body[:2], "big")
        try:
            topic = body[2:at].decode()
        except UnicodeDecodeError:
            raise Violation("a PUBLISH whose topic is no UTF-8") from None
        number = body[at : at + 2] if first & 2 else b""
        begin = at = at + (2 if first & 2 else 0)
        if self._protocol == 5:
            begin, at = _properties(body, at)
        if at > len(body) or len(body) < 2:
            raise Violation("a PUBLISH that ends too early")
        self._answers += _PUBACK_HEAD + number if number else b""
        if len(self._answers) > ACKS_MOST:
            raise Violation("messages of QoS 1, and it takes no acknowledgements")
        kept = first & 1 and at - begin <= PROPERTIES_MOST
        return Received(topic, bytes(body[at:]), bool(first & 1), bytes(body[begin:at]) if kept else b"")


def _matches(levels: list[str], wanted: list[str]) -> bool:
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        levels = levels[: len(wanted)]
    return len(levels) == len(wanted) and all(two in ("+", one) for one, two in zip(levels, wanted, strict=True))


def _properties(body: bytearray, at: int) -> tuple[int, int]:
    """Where they begin and end."""
    size = 0
    for n, octet in enumerate(body[at : at + 4]):
        size |= (octet & 0x7F) << 7 * n
        if octet < 0x80:
            return at + n + 1, at + n + 1 + size
    return at, len(body) + 1
