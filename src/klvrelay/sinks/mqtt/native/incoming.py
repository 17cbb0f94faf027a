"""Splits the bytes of a broker into packets, and checks each by its first bytes, before memory is allocated for it."""

from __future__ import annotations

from typing import Protocol

from klvrelay.sinks.mqtt.native import decode
from klvrelay.sinks.mqtt.protocol.connection import REFUSED, Received
from klvrelay.sinks.mqtt.protocol.incoming_header import ACKS, HeaderCheck
from klvrelay.sinks.mqtt.protocol.incoming_publish import Violation, read_publish
from klvrelay.sinks.mqtt.protocol.packet_types import (
    CONNACK,
    NAMES,
    PINGRESP,
    PUBACK,
    PUBLISH,
    PUBREC,
    SUBACK,
    UNSUBACK,
)
from klvrelay.sinks.mqtt.protocol.subscriptions import Subscriptions

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

    protocol  5, or 4 for MQTT 3.1.1
    """

    def __init__(self, dialogue: Dialogue, protocol: int, subscriptions: Subscriptions) -> None:
        self._dialogue = dialogue
        self._protocol = protocol
        self._subscriptions = subscriptions
        self._header_check = HeaderCheck(protocol, self._is_requested)
        self._pubacks: dict[bytes, int] = {}  # until CONNACK
        self._held = bytearray()  # the first bytes of a packet
        self._needed = 0  # bytes of that packet, as far as known
        self._taken: set[int] = set()  # PUBREC was received
        self._to_discard = 0
        self._over = False

    @property
    def greeted(self) -> bool:
        """Has a CONNACK begun?"""
        return self._header_check.greeted

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
            if body and kind == PUBLISH and not self._subscriptions.filters:
                self._subscriptions.discard(size)
                at, self._to_discard = body, size
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
        self._header_check.check_first(first)
        kind = first >> 4
        try:
            size, body = decode.read_length(data, at + 1)
        except decode.Malformed:
            if len(data) < at + 5:
                return kind, 0, 0
            raise Violation(f"{NAMES[kind]} whose length is malformed") from None
        self._header_check.check_size(kind, size)
        return kind, body, size

    def _is_requested(self, kind: int) -> bool:
        if kind == PUBLISH:
            return self._subscriptions.permit_messages
        dialogue = self._dialogue
        return (
            (kind == SUBACK and dialogue.subacks > 0)
            or (kind == UNSUBACK and dialogue.unsubacks > 0)
            or (kind == PINGRESP and dialogue.pings_expected)
        )

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
        if self._subscriptions.wants(message, first, len(body)):
            self._dialogue.on_message(message)

    def _pass_answer_on(self, kind: int, body: bytes) -> bool:
        """Returns false for an answer without a request. Raises Malformed."""
        dialogue, protocol = self._dialogue, self._protocol
        if kind in ACKS:
            return self._pass_confirmation_on(kind, body)
        if kind == CONNACK:
            dialogue.on_connack(decode.read_connack(body, protocol))
            self._header_check.is_connected = True
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
    what = "without a message that waits for it" if kind in ACKS else "that was not requested"
    return Violation(f"{NAMES[kind]} {what}")
