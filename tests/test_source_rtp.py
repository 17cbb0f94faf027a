"""MPEG-TS or KLV in RTP: headers, order, gaps, units; in the core alone, and from a socket."""

from __future__ import annotations

import asyncio
import random
import struct
from contextlib import aclosing
from itertools import pairwise

import feed
import pytest
import rtp_order
from cases import each_case
from hypothesis import given
from hypothesis import strategies as st
from rtp_order import Order

from klvrelay.decoder import Decoder
from klvrelay.sources.open import open_source

TS = b"\x47" + bytes(187)
UNKNOWN_KEY = bytes.fromhex("060e2b34020b01017f7f7f7f7f7f7f7f")
TAPE = feed.recording(count=90, padding=300)


def datagram(first: int, *behind: bytes, kind: int = 33) -> bytes:
    return struct.pack(">BBHII", first, kind, 1, 5, 7) + b"".join(behind)


# ---- headers ----


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
def test_the_header_is_removed_whatever_it_contains(data):
    """Contributing sources, an extension and padding are no payload (RFC 3550, 5.1)."""
    found = rtp_order.parse(data)

    assert found is not None
    assert (found.payload, found.sequence, found.timestamp, found.ssrc) == (TS, 1, 5, 7)
    assert (found.kind, found.marker) == (data[1] & 0x7F, data[1] >> 7)


@each_case(
    "data",
    [
        b"",
        b"\x80",
        TS,
        datagram(0x40, TS),
        datagram(0x80),
        datagram(0x8F, bytes(59)),
        datagram(0x90, b"\xbe\xde"),
        datagram(0x90, b"\xbe\xde\xff\xff", TS),
        datagram(0xA0, b"\x01\x02\xff"),
        datagram(0xA0, b"\x01\x02\x03"),
        datagram(0x80, bytes(20), kind=72),
        datagram(0x80, bytes(20), kind=76),
    ],
    ids=[
        "nothing", "short", "bare TS", "version 1", "empty", "sources cut", "extension cut", "extension's bytes cut",
        "more padding than bytes", "all padding", "RTCP sender report", "RTCP application",
    ],
)  # fmt: skip
def test_other_datagrams_are_not_rtp(data):
    """A truncated datagram, another version, or RTCP, has no payload."""
    assert rtp_order.parse(data) is None


@given(st.binary(max_size=64))
def test_no_datagram_breaks_the_parser(data):
    """Any bytes either have a payload that is part of them, or have none."""
    found = rtp_order.parse(data)

    assert found is None or (found.payload and found.payload in data)


# ---- order ----


def ordered(sequences, order=None):
    order = order or Order()
    due = []
    for sequence in sequences:
        due += order.push(sequence, b"%d" % sequence)
    return [(int(payload), gap) for payload, gap in due + order.release()], order


@pytest.mark.parametrize("first", [0, 1000, 65_530])
def test_datagrams_in_order_are_output_at_once(first):
    """Nothing is held while nothing is missing, past the wrap of the 16 bits too."""
    order = Order()
    for sequence in range(first, first + 20):
        assert order.push(sequence, b"%d" % sequence) == [(b"%d" % sequence, False)]
        assert not order.waiting
    assert order.counts == (0, 0, 0, 0)


def test_a_gap_is_marked_once():
    """Only the datagram directly after the missing one is marked."""
    due, order = ordered([1, 2, 5, 6, 7])

    assert due == [(1, False), (2, False), (5, True), (6, False), (7, False)]
    assert order.counts == (2, 0, 0, 0)


def test_swapped_and_repeated_datagrams_are_no_gap():
    """The order of sending is restored, and each payload is output once; both are counted."""
    due, order = ordered([10, 12, 11, 11, 13, 10, 16, 16, 15, 14])

    assert due == [(sequence, False) for sequence in range(10, 17)]
    assert order.counts == (0, 3, 3, 0)


def test_the_wait_for_a_datagram_is_bounded():
    """Once HELD others wait the gap is reported, and a later arrival is dropped: it counts as lost, not as a duplicate.
    """
    sequences = [1, *range(3, 3 + rtp_order.HELD + 1), 2, 3]
    order = Order()
    due = [order.push(sequence, b"%d" % sequence) for sequence in sequences]

    assert all(len(each) == 0 for each in due[1 : rtp_order.HELD + 1])
    assert [payload for payload, _ in due[rtp_order.HELD + 1]] == [b"%d" % n for n in range(3, 3 + rtp_order.HELD + 1)]
    assert due[rtp_order.HELD + 1][0] == (b"3", True)
    assert due[-2:] == [[], []]
    assert order.counts == (1, 0, 1, 0)


@pytest.mark.parametrize("size", [100, 1000, 5000], ids=["some fit", "one fits", "none fits"])
def test_a_full_buffer_ends_the_wait(size):
    """The memory for held datagrams is bounded: when it is full the gap is reported, and no byte is lost."""
    order = Order(room=1500)
    payloads = {sequence: bytes([sequence]) * size for sequence in (1, *range(3, 40))}

    due = [each for sequence, payload in payloads.items() for each in order.push(sequence, payload)] + order.release()

    assert [payload for payload, _ in due] == list(payloads.values())
    assert [gap for _, gap in due] == [False, True] + [False] * 36


def test_freed_places_are_used_again():
    """Data that waits behind two gaps is moved together, unchanged."""
    order = Order(room=4 * 400)
    payload = {sequence: random.Random(sequence).randbytes(400) for sequence in range(1, 12)}
    due = []
    for sequence in (1, 3, 4, 6, 2, 7, 8, 9, 5, 10, 11):
        due += order.push(sequence, payload[sequence])

    assert due == [(payload[sequence], False) for sequence in range(1, 12)]
    assert order.counts == (0, 2, 0, 0)


@pytest.mark.parametrize("ssrc", [8, 7])
def test_a_sender_that_restarts_is_followed(ssrc):
    """Another source, or another count, is followed at once, marked, since the earlier data has a torn end."""
    order = Order()
    order.push(5, b"a")
    order.push(7, b"c")

    assert order.push(30_000, b"b", ssrc) == [(b"c", True), (b"b", True)]
    assert order.push(30_001, b"c", ssrc) == [(b"c", False)]
    assert order.counts == (1, 0, 0, 1)


@pytest.mark.parametrize(("ahead", "restarts"), [(rtp_order.NEAR, 0), (rtp_order.NEAR + 1, 1)])
def test_the_maximum_jump_of_a_sender(ahead, restarts):
    """A burst of plausible length is a loss; beyond that the number of missing datagrams is unknown."""
    order = Order()
    order.push(65_500, b"a")
    due = order.push(65_501 + ahead, b"b") + order.release()

    assert due == [(b"b", True)]
    assert order.counts == ((0, 0, 0, 1) if restarts else (ahead, 0, 0, 0))


@given(st.integers(0, 0xFFFF), st.lists(st.booleans(), max_size=60), st.randoms(use_true_random=False))
def test_loss_and_small_reordering_never_make_a_false_order(first, kept, chance):
    """Received data is output once and in order, with a mark wherever something is missing."""
    sent = [first] + [first + 1 + place for place, keep in enumerate(kept) if keep]
    arrived = [sent[0], *sorted(sent[1:], key=lambda sequence: sequence + chance.uniform(0, 8))]

    due, order = ordered(arrived)

    assert [sequence for sequence, _ in due] == sent
    assert [gap for _, gap in due[1:]] == [b - a > 1 for a, b in pairwise(sent)]
    assert order.counts[0] == sent[-1] - first + 1 - len(sent)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 2), st.integers(1, 900)), max_size=120))
def test_for_any_numbers_no_payload_is_repeated_or_changed(pushed):
    """Any sequence numbers, sources and sizes: each output was an input, at most once."""
    order, due = Order(room=4000), []
    for count, (sequence, ssrc, size) in enumerate(pushed):
        due += order.push(sequence * 7, count.to_bytes(2) * size, ssrc)
    due += order.release()

    wanted = {count.to_bytes(2) * size for count, (_, _, size) in enumerate(pushed)}
    assert len({payload for payload, _ in due}) == len(due)
    assert {payload for payload, _ in due} <= wanted
    assert not order.waiting


# ---- from a socket ----


async def heard(url, send, enough, demux="native", within=5.0):
    """Records and link counters, once `enough(records)`; `send` is called when the port is bound."""
    source, decoder, found = open_source(url, demux=demux), Decoder("test", None), []
    asyncio.get_running_loop().call_soon(send)
    async with asyncio.timeout(within), aclosing(source.packets()) as packets:
        async for packet in packets:
            found += decoder.feed(packet)
            if enough(found):
                return found, source.link
    raise AssertionError("the source ended")


def with_last(records):
    """Is the last packet of the recording there?"""
    return bool(records) and records[-1].raw == TAPE.klv[-1]


MODES = ("native", None)


@pytest.mark.parametrize("demux", MODES)
async def test_order_is_restored_and_duplicates_are_dropped(demux, free_port):
    """Reordered and repeated datagrams yield every record once, valid, and are counted."""
    datagrams = feed.rtp_datagrams(feed.datagrams(TAPE.ts))
    for at in range(4, len(datagrams) - 2, 5):
        datagrams[at], datagrams[at + 1] = datagrams[at + 1], datagrams[at]
    doubled = [each for at, one in enumerate(datagrams) for each in [one] * (1 + (at % 7 == 0))]

    found, link = await heard(
        f"rtp://127.0.0.1:{free_port}", lambda: feed.send_udp(doubled, free_port), with_last, demux
    )

    assert [record.raw for record in found] == TAPE.klv
    assert all(record.good for record in found)
    assert link.rtp_reordered == len(range(4, len(datagrams) - 2, 5))
    assert (link.rtp_lost, link.rtp_duplicates, link.rtp_restarts) == (0, len(doubled) - len(datagrams), 0)
    assert (link.datagrams, link.size) == (len(doubled), sum(map(len, doubled)))


@pytest.mark.parametrize("demux", MODES)
async def test_no_record_spans_a_loss(demux, free_port):
    """Whatever is lost, a record is complete or marked; and all those without a loss are output."""
    chance = random.Random(5)
    datagrams = feed.rtp_datagrams(feed.datagrams(TAPE.ts))
    kept = [one for at, one in enumerate(datagrams) if at < 2 or at > len(datagrams) - 3 or chance.random() > 0.1]

    found, link = await heard(f"rtp://127.0.0.1:{free_port}", lambda: feed.send_udp(kept, free_port), with_last, demux)

    good = [record.raw for record in found if record.good]
    lost = len(datagrams) - len(kept)
    assert set(good) <= set(TAPE.klv)
    assert lost > 3
    assert link.rtp_lost == lost
    assert len(TAPE.klv) - 4 * lost < len(good) < len(TAPE.klv)


async def test_each_late_datagram_is_waited_for_in_full(free_port, monkeypatch):
    """The time for one gap does not reduce that for the next."""
    monkeypatch.setattr("klvrelay.sources.datagrams.reader.REORDER", 0.2)
    null = b"\x47\x1f\xff\x10" + b"\xff" * 184  # so that the first gap is not filled
    sent = feed.rtp_datagrams([*[null * 7] * 3, *feed.datagrams(TAPE.ts)])

    async def send():
        for wait, places in ((0, [0, 2]), (0.05, [1]), (0.1, [4]), (0.1, [3])):
            await asyncio.sleep(wait)
            feed.send_udp([sent[place] for place in places], free_port)
        feed.send_udp(sent[5:], free_port)

    tasks = []
    found, link = await heard(
        f"rtp://127.0.0.1:{free_port}", lambda: tasks.append(asyncio.create_task(send())), with_last
    )
    await asyncio.wait(tasks)

    assert [record.raw for record in found if record.good] == TAPE.klv
    assert (link.rtp_lost, link.rtp_reordered) == (0, 2)


async def test_a_restarted_sender_is_followed(free_port):
    """Another SSRC and another count: its records are output at once, and none is joined to earlier data."""
    first = feed.rtp_datagrams(feed.datagrams(TAPE.ts)[:10], ssrc=1)
    second = feed.rtp_datagrams(feed.datagrams(TAPE.ts), ssrc=2, first=100)

    found, link = await heard(
        f"rtp://127.0.0.1:{free_port}", lambda: feed.send_udp(first + second, free_port), with_last
    )

    assert link.rtp_restarts == 1
    assert link.rtp_lost == 0
    good = [record.raw for record in found if record.good]
    assert good[-len(TAPE.klv) :] == TAPE.klv
    assert {record.raw for record in found if record.good} <= set(TAPE.klv)


# ---- KLV in RTP without MPEG-TS (RFC 6597) ----


def klv_datagrams(units, *, size=150, first=65_530, ticks=3000, marker=True):
    """Each unit in RTP of at most `size` bytes: one time stamp, the marker on its last."""
    sequence, made = first, []
    for count, unit in enumerate(units):
        pieces = [unit[at : at + size] for at in range(0, len(unit), size)]
        for piece in pieces:
            kind = 97 | (0x80 if marker and piece is pieces[-1] else 0)
            stamp = (0xFFFF_F000 + count * ticks) & 0xFFFF_FFFF
            made.append(struct.pack(">BBHII", 0x80, kind, sequence & 0xFFFF, stamp, 9) + piece)
            sequence += 1
    return made


@pytest.mark.parametrize("marker", [True, False], ids=["marked", "never marked"])
@pytest.mark.parametrize("demux", MODES)
async def test_fragments_of_klv_become_units(demux, marker, free_port):
    """A unit of several datagrams is one record, with its time stamp as PTS; it is extended past 32 bits."""
    datagrams = klv_datagrams(TAPE.klv, marker=marker)

    found, link = await heard(
        f"rtp://127.0.0.1:{free_port}", lambda: feed.send_udp(datagrams, free_port), with_last, demux
    )

    assert len(datagrams) > 2 * len(TAPE.klv)
    assert [record.raw for record in found] == TAPE.klv
    assert all(record.good for record in found)
    assert [record.pts for record in found] == [0xFFFF_F000 + count * 3000 for count in range(len(TAPE.klv))]
    assert link.rtp_lost == 0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("demux", MODES)
async def test_a_unit_with_a_loss_is_never_valid(demux, seed, free_port):
    """Units of which any datagram is lost are damaged or missing; every other one is valid."""
    chance = random.Random(seed)
    pieces = [klv_datagrams([unit], first=3 * n, ticks=0) for n, unit in enumerate(TAPE.klv)]
    assert {len(unit) for unit in pieces} == {3}
    datagrams = klv_datagrams(TAPE.klv)
    lost = {at for at in range(3, len(datagrams) - 6) if chance.random() < 0.15}
    hit = {TAPE.klv[at // 3] for at in lost}

    kept = [one for at, one in enumerate(datagrams) if at not in lost]
    found, link = await heard(f"rtp://127.0.0.1:{free_port}", lambda: feed.send_udp(kept, free_port), with_last, demux)

    assert [record.raw for record in found if record.good] == [unit for unit in TAPE.klv if unit not in hit]
    assert link.rtp_lost == len(lost) > 5


@pytest.mark.parametrize("demux", MODES)
async def test_the_content_of_a_unit_with_a_loss_is_no_record(demux, free_port):
    """A set may contain others with separate keys: after a loss within its unit none of them is output as good."""
    inside = UNKNOWN_KEY + b"\x82\x02\x00" + bytes(512 - len(TAPE.klv[5])) + TAPE.klv[5]
    datagrams = klv_datagrams([TAPE.klv[0], inside, TAPE.klv[1]])
    del datagrams[3]

    found, link = await heard(
        f"rtp://127.0.0.1:{free_port}",
        lambda: feed.send_udp(datagrams, free_port),
        lambda records: bool(records) and records[-1].raw == TAPE.klv[1],
        demux,
    )

    assert link.rtp_lost == 1
    assert [record.raw for record in found if record.good] == [TAPE.klv[0], TAPE.klv[1]]


async def test_a_unit_that_ends_early_is_not_completed_by_the_next(free_port):
    """A truncated unit affects only itself: the next begins at its own time stamp, whatever its key."""
    unknown = UNKNOWN_KEY + b"\x04abcd"
    units = [TAPE.klv[0], TAPE.klv[1][:-40], unknown * 4, TAPE.klv[2]]
    datagrams = klv_datagrams(units)

    found, _ = await heard(
        f"rtp://127.0.0.1:{free_port}",
        lambda: feed.send_udp(datagrams, free_port),
        lambda records: bool(records) and records[-1].raw == TAPE.klv[2],
    )

    assert [record.raw for record in found if record.good] == [TAPE.klv[0], TAPE.klv[2]]
    assert [record.transport for record in found] == ["ok", "damaged", "ok"]


async def test_klv_in_rtp_is_recognised_in_the_middle_of_a_unit(free_port):
    """A receiver that joins late begins with the next unit."""
    datagrams = klv_datagrams(TAPE.klv)[1:]

    found, _ = await heard(f"udp://127.0.0.1:{free_port}", lambda: feed.send_udp(datagrams, free_port), with_last)

    assert [record.raw for record in found] == TAPE.klv[1:]
    assert all(record.good for record in found)
