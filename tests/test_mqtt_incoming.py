"""The decoder of the broker's packets: any bytes, in any pieces, with bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cases import each_case
from hostile_broker import (
    CONNACK,
    DISCONNECT,
    KEEPALIVE,
    PACKET_MOST,
    PINGRESP,
    PUBACK,
    PUBCOMP,
    PUBREC,
    REASON,
    RECEIVE_MOST,
    SUBACK,
    UNSUBACK,
    USER_PROPERTY,
    connack,
    packet,
    publish,
    text,
)
from hypothesis import example, given
from hypothesis import strategies as st

from klvrelay.sinks.mqtt.native.decode import Connack
from klvrelay.sinks.mqtt.native.incoming import Incoming
from klvrelay.sinks.mqtt.native.link import CHUNK
from klvrelay.sinks.mqtt.protocol.connection import Received
from klvrelay.sinks.mqtt.protocol.incoming_publish import Violation
from klvrelay.sinks.mqtt.protocol.packet_types import ANSWER_MOST, DOCUMENT_MOST
from klvrelay.sinks.mqtt.protocol.subscriptions import Subscriptions


class Notes:
    """What was passed on. Each answer has a request."""

    pings_expected, subacks, unsubacks = True, 1, 1

    def __init__(self) -> None:
        self.found: list[tuple[Any, ...]] = []

    def on_connack(self, found: Connack) -> None:
        self.found.append(("CONNACK", found.code, found.session_present, found.limits))

    def on_puback(self, number: int, code: int) -> bool:
        self.found.append(("PUBACK", number, code))
        return True

    def on_pubrec(self, number: int, code: int) -> bool:
        self.found.append(("PUBREC", number, code))
        return True

    def on_pubcomp(self, number: int, code: int) -> bool:
        self.found.append(("PUBCOMP", number, code))
        return True

    def on_suback(self, number: int, code: int) -> bool:
        self.found.append(("SUBACK", number, code))
        return True

    def on_unsuback(self, number: int) -> bool:
        self.found.append(("UNSUBACK", number))
        return True

    def on_pingresp(self) -> None:
        self.found.append(("PINGRESP",))

    def on_disconnect(self, code: int) -> None:
        self.found.append(("DISCONNECT", code))

    def on_message(self, message: Received) -> None:
        self.found.append(("PUBLISH", message.topic, message.payload))

    def acknowledge(self, number: int) -> None:
        self.found.append(("ack", number))


def read(pieces: list[bytes], protocol: int = 5, *, subscribed: bool = True) -> tuple[list[tuple[Any, ...]], Incoming]:
    """What was passed on, until the first violation, which is the last element."""
    notes = Notes()
    subscriptions = Subscriptions()
    if subscribed:
        subscriptions.add("#")
    incoming = Incoming(notes, protocol, subscriptions)
    try:
        for piece in pieces:
            incoming.feed(piece)
            assert len(incoming._held) <= DOCUMENT_MOST + CHUNK
    except Violation as fault:
        notes.found.append(("violation", str(fault)))
    assert all(what[1].isprintable() and len(what[1]) < 200 for what in notes.found if what[0] == "violation")
    return notes.found, incoming


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """The data in pieces of these sizes, again and again."""
    pieces, at = [], 0
    while at < len(data):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[at : at + size])
        at += size
    return pieces


_PLAIN: dict[str, Callable[[int], bytes]] = {
    "PUBACK": lambda v: packet(PUBACK, b"\1\2"),
    "PUBREC": lambda v: packet(PUBREC, b"\1\2"),
    "PUBCOMP": lambda v: packet(PUBCOMP, b"\1\2"),
    "PINGRESP": lambda v: packet(PINGRESP),
    "SUBACK": lambda v: packet(SUBACK, b"\0\7" + b"\0" * (v == 5) + b"\1"),
    "UNSUBACK": lambda v: packet(UNSUBACK, b"\0\7" + b"\0\0" * (v == 5)),
    "PUBLISH": lambda v: publish(v, "kr/a", b"payload"),
    "PUBLISH 1": lambda v: publish(v, "kr/a", b"payload", 1, 9),
}
_MORE = {
    "PUBACK and code": packet(PUBACK, b"\1\2\x10"),
    "PUBACK and no properties": packet(PUBACK, b"\1\2\x87\0"),
    "PUBACK and properties": packet(PUBACK, b"\1\2\x87\x06" + REASON + text("abc")),
    "DISCONNECT and code": packet(DISCONNECT, b"\x8e"),
    "CONNACK again": connack(5),
}

pieces = st.lists(st.integers(1, 40), min_size=1, max_size=5)
whole_packets = st.lists(st.sampled_from(sorted(_PLAIN)), max_size=12)


@given(st.binary(max_size=300), pieces, st.sampled_from([4, 5]), st.booleans(), st.booleans())
@example(b"\x40\x02\0\1\x40", [1], 5, True, True)
@example(b"\x31\x09\0\1a\0\x40\x02\0\1\x40", [3], 5, True, False)
def test_any_bytes_are_packets_or_one_violation(data, sizes, protocol, greeted, subscribed):
    """Never another exception, and the same in whatever pieces they arrive."""
    data = (connack(protocol) if greeted else b"") + data

    found, _ = read(cut(data, sizes), protocol, subscribed=subscribed)

    assert found == read([data], protocol, subscribed=subscribed)[0]
    assert [name for name, *_ in found].count("violation") <= 1


@given(whole_packets, st.sampled_from([*_MORE, None]), st.integers(0, 60), st.integers(0, 255), pieces)
def test_packets_with_a_changed_byte_are_packets_or_one_violation(names, last, at, octet, sizes):
    """Nearly valid data goes deeper into the decoder."""
    data = bytearray(connack(5) + b"".join(_PLAIN[name](5) for name in names) + (_MORE[last] if last else b""))
    data[at % len(data)] = octet

    found, _ = read(cut(bytes(data), sizes))

    assert found == read([bytes(data)])[0]


@given(whole_packets, pieces, st.sampled_from([4, 5]))
def test_valid_packets_arrive_whatever_their_pieces(names, sizes, protocol):
    """In order, and nothing is held at the end."""
    names = [name for at, name in enumerate(names) if name != "PUBREC" or name not in names[:at]]
    data = connack(protocol) + b"".join(_PLAIN[name](protocol) for name in names)

    found, incoming = read(cut(data, sizes), protocol)

    assert [name for name, *_ in found if name != "ack"] == ["CONNACK", *(name.split()[0] for name in names)]
    assert not incoming._held


def test_what_the_packets_say():
    """Packet identifiers, reason codes and limits."""
    properties = RECEIVE_MOST + b"\0\5" + PACKET_MOST + b"\0\0\x10\0" + KEEPALIVE + b"\0\x1e"
    properties += (USER_PROPERTY + text("a") + text("b")) * 2
    found, _ = read([connack(5, properties, present=1) + b"".join(_MORE[name] for name in list(_MORE)[:3])])

    assert found == [
        ("CONNACK", 0, True, {0x21: 5, 0x27: 4096, 0x13: 30}),
        ("PUBACK", 0x0102, 0x10), ("PUBACK", 0x0102, 0x87), ("PUBACK", 0x0102, 0x87),
    ]  # fmt: skip


@pytest.mark.parametrize(("code", "means"), [(0, 0), (1, 0x84), (2, 0x85), (3, 0x88), (4, 0x86), (5, 0x87), (9, 0x80)])
def test_a_code_of_mqtt_3_is_that_of_mqtt_5(code, means):
    """MQTT 3.1.1, 3.2.2.3."""
    assert read([packet(CONNACK, bytes([0, code]))], 4)[0] == [("CONNACK", means, False, {})]


@each_case(
    "malformed",
    [
        packet(CONNACK, b"\2\0\0"),
        connack(5, b"\x24\2"),
        connack(5, REASON + text("a\0b")),
        connack(5) + packet(PUBACK, b"\0\1\0\3" + REASON + b"\0\1"),
        connack(5) + packet(PUBACK, b"\0\1\0\2\0"),
        connack(5) + packet(PUBREC, b"\0\1\0\1\x21"),
        connack(5) + packet(SUBACK, b"\0\1\0"),
        connack(5) + packet(SUBACK, b"\0\1\0\0\0"),
        connack(5) + packet(SUBACK, b"\0\1\xff\xff\xff\xff"),
        connack(5) + packet(UNSUBACK, b"\0\1\0"),
        connack(5) + packet(PINGRESP, b"\0"),
        connack(5) + packet(DISCONNECT, b"\0\1"),
        connack(5) + packet(DISCONNECT, b"\x8e\x03" + RECEIVE_MOST + b"\0\1"),
    ],
)
def test_a_malformed_packet_is_named(malformed):
    """Reserved flags, values out of range, properties of another packet, too many or too few codes."""
    *_, (name, what) = read([malformed])[0]

    assert name == "violation"
    assert what.startswith("a malformed packet (")


@pytest.mark.parametrize("kind", [CONNACK, PUBACK, SUBACK])
def test_a_packet_of_the_limit_is_read_and_no_larger_one(kind):
    """Of the limit for answers, whose rest has not arrived; one byte more is refused at its length."""
    greeting = b"" if kind == CONNACK else connack(5)
    head = packet(kind, bytes(ANSWER_MOST))[: 1 + 2]
    larger = packet(kind, bytes(ANSWER_MOST + 1))[: 1 + 2]

    assert read([greeting + head])[0][1 if greeting else 0 :] == []
    assert "the limit is 8192" in read([greeting + larger])[0][-1][1]


def test_a_message_of_the_limit_is_collected_from_its_pieces():
    """8 MiB in chunks."""
    payload = bytes(range(256)) * ((DOCUMENT_MOST - 7) // 256)

    found, incoming = read([connack(5), *cut(publish(5, "kr/a", payload), [CHUNK])])

    assert found[1:] == [("PUBLISH", "kr/a", payload)]
    assert not incoming._held


def test_bytes_of_a_discarded_message_are_no_packets():
    """A message without a subscription is discarded as it arrives, though it contains the bytes of a PUBACK."""
    retained = b"\x31" + publish(5, "a", b"\x40\x02\0\1" * 5)[1:]
    for size in range(1, len(retained) + 1):
        found, _ = read([connack(5), *cut(retained + _PLAIN["PUBACK"](5), [size])], subscribed=False)
        assert found[1:] == [("PUBACK", 0x0102, 0)]


def test_after_the_end_nothing_is_passed_on():
    """A DISCONNECT ends the connection; later packets of the same data are dropped."""
    notes = Notes()
    incoming = Incoming(notes, 5, Subscriptions())
    notes.on_disconnect = lambda code: incoming.end()  # type: ignore[method-assign]
    incoming.feed(connack(5) + packet(DISCONNECT, b"\0") + _PLAIN["PUBACK"](5) * 3 + b"\x40")

    assert [name for name, *_ in notes.found] == ["CONNACK"]
    assert not incoming._held
