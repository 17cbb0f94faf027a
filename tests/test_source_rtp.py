"""RTP in front of MPEG-TS: headers, order, gaps."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klvrelay.sources import rtp

TS = b"\x47" + bytes(187)


def datagram(first: int, *behind: bytes, kind: int = 33) -> memoryview:
    return memoryview(struct.pack(">BBHII", first, kind, 1, 0, 7) + b"".join(behind))


@pytest.mark.parametrize(
    "data",
    [
        datagram(0x80, TS),
        datagram(0x80, TS, kind=33 | 0x80),
        datagram(0x80, TS, kind=96),
        datagram(0x82, bytes(8), TS),
        datagram(0x90, b"\xbe\xde\x00\x02", bytes(8), TS),
        datagram(0xA0, TS, b"\x00\x00\x03"),
        datagram(0xB1, bytes(4), b"\xbe\xde\x00\x01", bytes(4), TS, b"\x01"),
    ],
    ids=["plain", "marker", "dynamic type", "two sources", "extension", "padding", "all of them"],
)
def test_the_header_comes_off_whatever_is_in_it(data):
    """Contributing sources, an extension and padding are no payload (RFC 3550, 5.1)."""
    found = rtp.parse(data)

    assert found is not None
    assert (found.payload, found.sequence, found.ssrc) == (TS, 1, bytes([0, 0, 0, 7]))
    assert rtp.looks_like(data)


@pytest.mark.parametrize(
    "data",
    [
        memoryview(b"\x80"),
        memoryview(TS),
        datagram(0x40, TS),
        datagram(0x80),
        datagram(0x8F, bytes(59)),
        datagram(0x90, b"\xbe\xde\xff\xff", TS),
        datagram(0xA0, b"\x01\x02\xff"),
        datagram(0x80, bytes(20), kind=72),
    ],
    ids=["short", "bare TS", "version 1", "empty", "sources cut", "extension cut", "all padding", "RTCP"],
)
def test_what_is_no_rtp_is_let_be(data):
    """A datagram cut short, of another version, or of RTCP, has no payload."""
    assert rtp.parse(data) is None
    assert not rtp.looks_like(data)


@given(st.binary(max_size=64))
def test_no_datagram_breaks_the_parser(data):
    """Any bytes either have a payload that is part of them, or have none."""
    found = rtp.parse(memoryview(data))

    assert found is None or (found.payload and found.payload in data)


def ordered(sequences, order=None):
    order = order or rtp.Order()
    due = []
    for sequence in sequences:
        due += order.push(rtp.Datagram(sequence & 0xFFFF, b"\0\0\0\7", b"%d" % sequence))
    return [(int(payload), damaged) for payload, damaged in due + order.release()], order


@pytest.mark.parametrize("first", [0, 1000, 65_530])
def test_datagrams_in_order_come_out_at_once(first):
    """Nothing is held while nothing is missing, past the wrap of the 16 bits too."""
    order = rtp.Order()
    for sequence in range(first, first + 20):
        assert order.push(rtp.Datagram(sequence & 0xFFFF, b"", b"%d" % sequence)) == [(b"%d" % sequence, False)]
        assert not order.waiting


def test_a_gap_is_told_once():
    """Only the datagram right behind what is missing is marked."""
    due, order = ordered([1, 2, 5, 6, 7])

    assert due == [(1, False), (2, False), (5, True), (6, False), (7, False)]
    assert order.lost == 2


def test_swapped_and_doubled_datagrams_are_no_gap():
    """The order of sending is restored, and each payload comes once."""
    due, order = ordered([10, 12, 11, 11, 13, 10, 16, 15, 14])

    assert due == [(sequence, False) for sequence in range(10, 17)]
    assert order.lost == 0


def test_a_datagram_is_not_waited_for_for_ever():
    """After PATIENCE others the gap is told, and what comes later than that is dropped."""
    sequences = [1, *range(3, 3 + rtp.PATIENCE + 1), 2]
    order = rtp.Order()
    due = [order.push(rtp.Datagram(sequence, b"", b"%d" % sequence)) for sequence in sequences]

    assert all(len(each) == 0 for each in due[1 : rtp.PATIENCE + 1])
    assert due[rtp.PATIENCE + 1][0] == (b"3", True)
    assert due[-1] == []


@pytest.mark.parametrize("ssrc", [b"new", b"old"])
def test_a_sender_that_begins_anew_is_followed(ssrc):
    """Another source, or a count from elsewhere, goes on at once, marked, since what came before has a torn end."""
    order = rtp.Order()
    order.push(rtp.Datagram(5, b"old", b"a"))

    assert order.push(rtp.Datagram(30_000, ssrc, b"b")) == [(b"b", True)]
    assert order.push(rtp.Datagram(30_001, ssrc, b"c")) == [(b"c", False)]


@given(st.integers(0, 0xFFFF), st.lists(st.booleans(), max_size=60), st.randoms(use_true_random=False))
def test_loss_and_small_disorder_never_make_a_false_order(first, kept, random):
    """What arrives comes out once and in order, and a mark stands wherever something is missing."""
    sent = [first] + [first + 1 + place for place, keep in enumerate(kept) if keep]
    arrived = [sent[0], *sorted(sent[1:], key=lambda sequence: sequence + random.uniform(0, 8))]

    due, order = ordered(arrived)

    assert [sequence for sequence, _ in due] == sent
    assert [damaged for _, damaged in due[1:]] == [b - a > 1 for a, b in pairwise(sent)]
    assert order.lost == sent[-1] - first + 1 - len(sent)
