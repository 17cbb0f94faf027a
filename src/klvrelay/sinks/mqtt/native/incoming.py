"""Splits the bytes of a broker into packets, and checks each by its first bytes, before memory is allocated for it.

    bits 7 to 4   packet type
    bits 3 to 0   flags
    1 to 4 bytes  remaining length, 7 bits each, least significant first                        (MQTT 5, 2.1)
"""

from __future__ import annotations

from typing import Protocol

from klvrelay.sinks.mqtt.connection import REFUSED, Received
from klvrelay.sinks.mqtt.incoming_publish import Violation, read_publish
from klvrelay.sinks.mqtt.native import decode
from klvrelay.sinks.mqtt.packet_types import (
    ANSWER_MOST,
    CONNACK,
    DISCONNECT,
    DOCUMENT_MOST,
    NAMES,
    PINGRESP,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    RETAINED,
    SUBACK,
    UNSUBACK,
)
from klvrelay.sinks.mqtt.topics import matches

UNASKED_MOST, UNASKED_BYTES = 10_000, 8 << 20
"""Maximum discarded retained messages, and their bytes: amqtt and old versions of aedes send them to every client."""

_ANSWERS = (PUBACK, PUBREC, PUBCOMP)
_PUBACKS = {4: {b"\x40\x02": 4}, 5: {b"\x40\x02": 4, b"\x40\x03": 5}}
"""First bytes and size of a short PUBACK, by protocol: nearly all packets. The longer one has a reason code."""


class Dialogue(Protocol):
    """What the packets of a broker are passed to. The methods that return a boolean return false for an answer without
    a request that waits for it.

    pings_expected      may a PINGRESP arrive?
    subacks, unsubacks  number of answers that may arrive
    """

    @property
    def pings_expected(self) -> bool: ...

    @property
    def subacks(self) -> int: ...

    @property
    def unsubacks(self) -> int: ...

    def on_connack(self, connack: decode.Connack) -> None: ...

    def on_puback(self, number: int, code: int) -> bool: ...

    def on_pubrec(self, number: int, code: int) -> bool: ...

    def on_pubcomp(self, number: int, code: int) -> bool: ...

    def on_suback(self, number: int, code: int) -> bool: ...

    def on_unsuback(self, number: int) -> bool: ...

    def on_pingresp(self) -> None: ...

    def on_disconnect(self, code: int) -> None: ...

    def on_message(self, message: Received) -> None: ...

    def acknowledge(self, number: int) -> None: ...


class Incoming:
    """The packets of one connection.

    protocol      5, or 4 for MQTT 3.1.1
    greeted       was the first packet a CONNACK?
    filters       the subscriptions, as levels
    unsubscribed  messages of ended subscriptions may arrive; they are discarded
    """

    def __init__(self, dialogue: Dialogue, protocol: int) -> None:
        self._dialogue = dialogue
        self._protocol = protocol
        self._pubacks: dict[bytes, int] = {}  # until CONNACK
        self._held = bytearray()  # the first bytes of a packet
        self._needed = 0  # bytes of that packet, as far as known
        self._taken: set[int] = set()  # PUBREC was received
        self._unasked = self._unasked_bytes = self._to_discard = 0
        self.greeted = self._connected = self.unsubscribed = self._over = False
        self.filters: list[list[str]] = []

    def end(self) -> None:
        """Pass on no more packets."""
        self._over = True
        self._held.clear()

    def feed(self, data: bytes) -> None:
        """Pass on the packets that are complete with this data. Raises Violation."""
        if self._held:
            self._held += data
            if len(self._held) < self._needed:
                return
            data = bytes(self._held)
            self._held.clear()
        at = self._split(data)
        if at < len(data) and not self._over:
            self._held += memoryview(data)[at:]

    def _split(self, data: bytes) -> int:
        """Pass on the whole packets. Returns where the rest begins."""
        at, end = 0, len(data)
        confirm = self._dialogue.on_puback
        while at < end and not self._over:
            if self._to_discard:
                discarded = min(self._to_discard, end - at)
                at, self._to_discard = at + discarded, self._to_discard - discarded
                continue
            size = self._pubacks.get(data[at : at + 2], 0)
            if size and at + size <= end:
                if not confirm(data[at + 2] << 8 | data[at + 3], data[at + 4] if size > 4 else 0):
                    raise _unanswerable(PUBACK)
                at += size
                continue
            kind, body, size = self._header(data, at)
            if body and kind == PUBLISH and not self.filters:
                self._discard(size)
                at = body
                continue
            if body == 0 or body + size > end:
                self._needed = body + size - at if body else 0
                break
            self._pass_on(data[at], data[body : body + size])
            at = body + size
        return at

    def _header(self, data: bytes, at: int) -> tuple[int, int, int]:
        """Packet type, start of the body (0: not known yet), and its size. Raises Violation as early as possible."""
        first = data[at]
        self._check_first(first)
        kind = first >> 4
        try:
            size, body = decode.read_length(data, at + 1)
        except decode.Malformed:
            if len(data) < at + 5:
                return kind, 0, 0
            raise Violation(f"{NAMES[kind]} whose length is malformed") from None
        most = DOCUMENT_MOST if kind == PUBLISH else ANSWER_MOST
        if size > most:
            raise Violation(f"{NAMES[kind]} of {size} bytes; the limit is {most}")
        return kind, body, size

    def _check_first(self, first: int) -> None:
        """Raise Violation unless a packet may begin with this byte now."""
        kind, flags = first >> 4, first & 15
        name = NAMES.get(kind)
        if name is None or (kind != PUBLISH and flags != (2 if kind == PUBREL else 0)):
            raise Violation(f"a packet with an invalid type or flags (0x{first:02x})")
        self.greeted = self.greeted or kind == CONNACK
        if not self._connected and kind != CONNACK:
            raise Violation(f"{name} before its CONNACK")
        if not self._is_asked(kind) and first != RETAINED:
            raise Violation(f"{name} that was not requested")
        if kind == PUBLISH and flags & 4:  # QoS 1 is allowed: amqtt sends retained messages with it
            raise Violation(f"a PUBLISH of QoS {flags >> 1 & 3}, though QoS 0 was requested")

    def _is_asked(self, kind: int) -> bool:
        if kind in _ANSWERS:  # checked once their message is known
            return True
        asked = {
            CONNACK: not self._connected,
            PUBLISH: bool(self.filters) or self.unsubscribed,
            SUBACK: self._dialogue.subacks > 0,
            UNSUBACK: self._dialogue.unsubacks > 0,
            PINGRESP: self._dialogue.pings_expected,
            DISCONNECT: self._protocol == 5,
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

    def _pass_on(self, first: int, body: bytes) -> None:
        """Pass on a whole packet."""
        kind = first >> 4
        if kind == PUBLISH:
            self._pass_message_on(first, body)
            return
        try:
            is_asked = self._pass_answer_on(kind, body)
        except decode.Malformed:
            raise Violation(f"a malformed packet ({NAMES[kind].split()[1]})") from None
        if not is_asked:
            raise _unanswerable(kind)

    def _pass_message_on(self, first: int, body: bytes) -> None:
        message, number = read_publish(first, body, self._protocol)
        if number:
            self._dialogue.acknowledge(int.from_bytes(number, "big"))
        if any(matches(message.topic, wanted) for wanted in self.filters):
            self._dialogue.on_message(message)
        elif first == RETAINED or self.unsubscribed:
            self._count_unasked(len(body))
        else:
            raise Violation("a PUBLISH that was not requested")

    def _pass_answer_on(self, kind: int, body: bytes) -> bool:
        """Returns false for an answer without a request. Raises Malformed."""
        dialogue, protocol = self._dialogue, self._protocol
        if kind in _ANSWERS:
            return self._pass_confirmation_on(kind, body)
        if kind == CONNACK:
            dialogue.on_connack(decode.read_connack(body, protocol))
            self._connected = True
            self._pubacks = _PUBACKS[protocol]
        elif kind == SUBACK:
            return dialogue.on_suback(*decode.read_suback(body, protocol))
        elif kind == UNSUBACK:
            return dialogue.on_unsuback(decode.read_unsuback(body, protocol))
        elif kind == PINGRESP:
            if body:
                raise decode.Malformed
            dialogue.on_pingresp()
        else:
            dialogue.on_disconnect(decode.read_disconnect(body))
        return True

    def _pass_confirmation_on(self, kind: int, body: bytes) -> bool:
        """Each answer to a PUBLISH may arrive once (MQTT 5, 4.3)."""
        if len(body) < 2:
            return False
        number, code = decode.read_answer(body, self._protocol)
        if kind == PUBREC and code < REFUSED:
            if number in self._taken:
                raise Violation("a second PUBREC for one message")
            self._taken.add(number)
        else:
            self._taken.discard(number)
        if kind == PUBREC:
            return self._dialogue.on_pubrec(number, code)
        return (self._dialogue.on_puback if kind == PUBACK else self._dialogue.on_pubcomp)(number, code)


def _unanswerable(kind: int) -> Violation:
    what = "without a message that waits for it" if kind in _ANSWERS else "that was not requested"
    return Violation(f"{NAMES[kind]} {what}")
