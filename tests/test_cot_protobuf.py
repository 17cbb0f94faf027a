"""Events as TAK protocol 1, read by takproto, an independent implementation; and what a TAK server sends."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence

import pytest
import takproto
from cases import each_case
from cot_cases import CASES, events_of
from hypothesis import given
from hypothesis import strategies as st

from klvrelay.sinks.cot.control_events import ping, pong, protocol_request
from klvrelay.sinks.cot.cot_event import CotEvent
from klvrelay.sinks.cot.event_protobuf import event_datagram, event_frame, varint
from klvrelay.sinks.cot.event_xml import event_xml
from klvrelay.sinks.cot.server_messages import EVENT_MOST, HEAD, ServerMessages

FIELDS = ("type", "access", "uid", "sendTime", "startTime", "staleTime", "how")
EVENTS = [event for case in CASES.values() for event in events_of(case)]


def details_of(xml: str) -> list[str]:
    return [ET.canonicalize(ET.tostring(one).decode()) for one in ET.fromstring(f"<detail>{xml}</detail>")]


@each_case("event", EVENTS, ids=lambda event: event.uid)
def test_takproto_reads_what_it_would_have_written_of_the_xml(event: CotEvent):
    """All fields and details, as a datagram and in a stream."""
    wanted = takproto.functions.xml2message(event_xml(event)).cotEvent
    for data in (event_datagram(event), event_frame(event)):
        found = takproto.parse_proto(bytearray(data)).cotEvent
        assert [getattr(found, name) for name in FIELDS] == [getattr(wanted, name) for name in FIELDS]
        for name in ("lat", "lon"):
            assert getattr(found, name) == pytest.approx(getattr(wanted, name), abs=5e-9)
        for name in ("hae", "ce", "le"):
            assert getattr(found, name) == pytest.approx(getattr(wanted, name), abs=0.0051)
        assert (found.detail.contact, found.detail.track) == (wanted.detail.contact, wanted.detail.track)
        assert details_of(found.detail.xmlDetail) == details_of(wanted.detail.xmlDetail)


def test_a_datagram_says_which_versions_are_understood():
    """As each device in a group must, once a minute."""
    control = takproto.parse_proto(bytearray(event_datagram(EVENTS[0]))).takControl
    assert (control.minProtoVersion, control.maxProtoVersion) == (1, 1)


@given(st.integers(0, 2**63))
def test_a_varint_has_seven_bits_per_byte(value: int):
    """Least significant first."""
    coded = varint(value)
    assert sum((byte & 0x7F) << 7 * at for at, byte in enumerate(coded)) == value
    assert [byte >> 7 for byte in coded] == [1] * (len(coded) - 1) + [0]


# ---- what a server sends ----

OFFER = (
    b"<?xml version='1.0'?>\n<event version='2.0' uid='proto-1' type='t-x-takp-v' how='m-g'><point lat='0'/><detail>"
    b'<TakControl><TakProtocolSupport version="2"/><TakProtocolSupport version="1"/></TakControl></detail></event>'
)
ACCEPTED, REFUSED = (
    b"<event uid='proto-1' type='t-x-takp-r' how='m-g'><detail><TakControl><TakResponse status=\"%s\"/></TakControl>"
    b"</detail></event>" % status for status in (b"true", b"false")
)  # fmt: skip
OTHERS = event_xml(EVENTS[0]) + event_xml(EVENTS[1])
PING = event_xml(ping("other"))


def notices(messages: ServerMessages, data: bytes, size: int = 1 << 20) -> Sequence[str]:
    parts = (data[at : at + size] for at in range(0, len(data), size))
    return [found.notice for part in parts for found in messages.feed(part)]


@each_case("size", [1, 2, 7, 100, 1 << 20])
def test_control_messages_are_found_among_the_events_of_others(size: int):
    """However the bytes are split, also across the change to protocol buffers."""
    messages = ServerMessages()
    assert notices(messages, OTHERS + OFFER + PING + REFUSED + ACCEPTED + OTHERS, size) == ["offer", "ping"]
    messages.request()
    frames = b"".join(event_frame(event) for event in (EVENTS[0], ping("x"), pong("x"), EVENTS[1], ping("x")))
    assert notices(messages, OTHERS + ACCEPTED + frames, size) == ["accepted", "ping", "ping"]


def test_an_offer_has_the_uid_of_the_negotiation():
    """The request repeats it."""
    (offer,) = ServerMessages().feed(OFFER)
    assert offer.uid == "proto-1"
    request = ET.fromstring(event_xml(protocol_request(offer.uid)))
    assert (request.get("uid"), request.get("type")) == ("proto-1", "t-x-takp-q")
    assert [one.get("version") for one in request.iter("TakRequest")] == ["1"]


def test_an_offer_of_other_versions_is_none():
    """Only version 1 is known."""
    assert notices(ServerMessages(), OFFER.replace(b'version="1"', b'version="3"')) == []


def test_a_refusal_leaves_xml():
    """A later answer without a request does not count."""
    messages = ServerMessages()
    messages.request()
    assert notices(messages, REFUSED + ACCEPTED + PING) == ["refused", "ping"]


def test_memory_is_bounded_whatever_the_server_sends():
    """An event without an end is discarded, and what follows it is read again."""
    messages = ServerMessages()
    for _ in range(100):
        assert notices(messages, b"<event type='t-x-c-t' " + b"x" * 10_000) == []
        assert len(messages._rest) <= EVENT_MOST + 10_100
    assert notices(messages, b"</event>" + PING) == ["ping"]


@each_case(
    "event",
    [
        b"<event " * 9000,
        b"<event type='t-x-takp-v'>" + b"<TakProtocolSupport " * 3000,
        b"<event type='t-x-takp-v'><TakProtocolSupport" + b" version" * 7000,
        b"<event type='t-x-takp-r'>" + b"<TakResponse " * 4500,
    ],
)
def test_an_event_of_repeated_tags_takes_no_longer_than_any_other(event: bytes):
    """The time is proportional to its size, which is that of the largest that is read."""
    messages = ServerMessages()
    messages.request()
    begin = time.process_time()
    notices(messages, event + b"</event>", 16 << 10)
    assert time.process_time() - begin < 0.5  # more than 2 s with quadratic time


def test_a_large_frame_is_skipped_without_being_kept():
    """Of 256 MiB, of which only the head counts."""
    messages = ServerMessages()
    messages.request()
    assert notices(messages, ACCEPTED + b"\xbf" + varint(256 << 20)) == ["accepted"]
    for _ in range(256):
        assert notices(messages, bytes(1 << 20)) == []
        assert len(messages._rest) <= HEAD
    assert notices(messages, event_frame(ping("x"))) == ["ping"]


@each_case("data", [b"<event>", b"\xbf\xff\xff\xff\xff\xff\xff", b"\x00"])
def test_bytes_that_are_no_frame_are_reported_once(data: bytes):
    """What follows is discarded."""
    messages = ServerMessages()
    messages.request()
    assert notices(messages, ACCEPTED + data + b"more" * 1000) == ["accepted", "garbled"]
    assert notices(messages, PING) == []
    assert not messages._rest


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_any_bytes_are_read_without_an_error(parts: list[bytes]):
    """In both states."""
    for begin in (b"", ACCEPTED):
        messages = ServerMessages()
        messages.request()
        for part in (begin, *parts):
            list(messages.feed(part))
