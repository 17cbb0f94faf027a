"""The lane's buffers: packets longer than its ring buffer, cut by losses, and incomplete at the end."""

from __future__ import annotations

import pytest
from cases import each_case
from packet_wrapping import ber, item, local_set, packet
from test_lane import ASYNC, KLV_PID, KLVA, NULL, Wire, all_good, decoded, klv_packet, raws
from test_pes import pes

from klvrelay.decoder import Decoder
from klvrelay.record import Packet, Record

LIMIT = 900
STRANGE = bytes.fromhex("060e2b34020b01010e0103017f7f7f00")
LONG = [klv_packet(number, 300 + 7 * number) for number in range(60)]


def small(ts: list[bytes]) -> tuple[list[Record], Decoder]:
    """The records of a stream from a decoder of short packets: it holds 9 KiB, so its memory wraps."""
    decoder = Decoder("uav1", None, packet_limit=LIMIT)
    return decoder.feed(Packet(b"".join([*ts, *[NULL] * 4]))) + decoder.flush(), decoder


def never_at_a_boundary() -> list[list[bytes]]:
    """60 KLV packets in PES packets that end in the middle of one, so that there is always a partial packet."""
    wire, whole = Wire(), b"".join(LONG)
    edges = [sum(map(len, LONG[:number])) + 20 + number * 5 for number in range(len(LONG))]
    parts = [whole[begin:end] for begin, end in zip([0, *edges], [*edges, len(whole)], strict=True)]
    return [wire.tables((ASYNC, KLV_PID, KLVA)), *(wire.pes(part, pts=at) for at, part in enumerate(parts))]


def test_a_stream_that_never_pauses_keeps_its_times() -> None:
    """Each record has the PTS of the PES packet in which it began, however often the memory has wrapped."""
    records, _ = small([p for part in never_at_a_boundary() for p in part])
    all_good(records, LONG)
    assert [record.pts for record in records] == list(range(len(LONG)))


def test_a_loss_anywhere_in_it_affects_only_its_packet() -> None:
    """Each TS packet is lost in turn: the other KLV packets are valid, with their times."""
    parts = never_at_a_boundary()
    ts = [p for part in parts for p in part]
    for lost in range(2, len(ts)):
        records, _ = small(ts[:lost] + ts[lost + 1 :])
        good = [LONG.index(record.raw) for record in records if record.good]
        assert good == sorted(set(good))
        assert len(good) >= len(LONG) - 3, lost
        assert [record.pts for record in records if record.good] == good


@pytest.mark.parametrize("size", [1, 3, 4, 15])
def test_parts_of_keys_do_not_accumulate(size: int) -> None:
    """PES packets that each begin a key and end in it: skipped exactly, and the next packet is read."""
    wire, piece, count = Wire(), b"\x06\x0e\x2b\x34\x02\x0b\x01\x01\x0e\x01\x03\x01\x01\x00\x00"[:size], 20_000 // size
    ts = wire.tables((ASYNC, KLV_PID, KLVA)) + [p for _ in range(count) for p in wire.pes(piece)]
    records, decoder = small(ts + [p for sent in LONG[:3] for p in wire.pes(sent)])
    assert raws(record for record in records if record.good)[-2:] == LONG[1:3]
    given = sum(len(record.raw) for record in records)
    assert decoder.counters.passed_over + given == count * size + sum(map(len, LONG[:3]))


@pytest.mark.parametrize(
    "begun",
    [STRANGE + b"\x60" + b"x" * 20, LONG[0][:16] + b"\x88\0\0\0", LONG[0][:16] + b"\x82", LONG[0][:10], LONG[0][:17]],
)
def test_an_incomplete_packet_is_output_or_counted(begun: bytes) -> None:
    """A packet of an unknown key, one cut in its length or its key: the next PES packet begins with a key."""
    wire = Wire()
    ts = wire.tables((ASYNC, KLV_PID, KLVA)) + [p for part in (LONG[1], begun, *LONG[2:4]) for p in wire.pes(part)]
    records, decoder = small(ts)
    assert raws(record for record in records if record.good) == LONG[1:4]
    assert raws(record for record in records if not record.good) == []
    assert decoder.counters.passed_over == len(begun)


def test_a_few_bytes_before_a_loss_are_no_packet() -> None:
    """A PES packet of which a part is lost, after an incomplete one: the data of both is damaged, or counted."""
    for came in range(1, 40):
        wire = Wire()
        ts = wire.tables((ASYNC, KLV_PID, KLVA)) + wire.pes(LONG[0][:100])
        whole = pes(LONG[1])
        ts.append(wire._one(KLV_PID, whole[: 9 + came], True))
        wire._one(KLV_PID, b"", False)  # lost
        ts += [p for sent in LONG[2:4] for p in wire.pes(sent)]
        records, decoder = small(ts)
        assert raws(record for record in records if record.good) == LONG[2:4]
        given = sum(len(record.raw) for record in records if not record.good)
        assert given + decoder.counters.passed_over == 100 + came


def test_a_loss_after_the_first_bytes_of_a_pes_packet_costs_two_packets() -> None:
    """The one that it began, and the incomplete one before it; the data after the loss belongs to neither."""
    for came in range(1, 40):
        wire = Wire()
        ts = wire.tables((ASYNC, KLV_PID, KLVA)) + wire.pes(LONG[0][:100])
        whole = pes(LONG[1])
        ts.append(wire._one(KLV_PID, whole[: 9 + came], True))
        wire._one(KLV_PID, b"", False)  # lost
        ts.append(wire._one(KLV_PID, whole[100:250], False))
        records, _ = small(ts + [p for sent in LONG[2:4] for p in wire.pes(sent)])
        assert raws(record for record in records if record.good) == LONG[2:4], came


def test_an_announced_discontinuity_is_no_fault() -> None:
    """discontinuity_indicator: the counter may jump without a loss, and no loss is counted."""
    wire = Wire()
    ts = wire.tables((ASYNC, KLV_PID, KLVA)) + [p for sent in LONG[:3] for p in wire.pes(sent)]
    wire.counters[KLV_PID] += 7
    (jump,) = wire.pes(klv_packet(99))
    ts += [jump[:5] + b"\x80" + jump[6:], *(p for sent in LONG[3:6] for p in wire.pes(sent))]
    records, decoder = small(ts)
    all_good(records, [*LONG[:3], klv_packet(99), *LONG[3:6]])
    assert decoder.counters.discontinuities == 0


def test_a_packet_around_an_announced_discontinuity_is_not_good() -> None:
    """What began before the jump is never completed."""
    wire = Wire()
    ts = wire.tables((ASYNC, KLV_PID, KLVA)) + wire.pes(LONG[0])[:-1]
    wire.counters[KLV_PID] += 7
    (jump,) = wire.pes(klv_packet(99))
    records, _ = small([*ts, jump[:5] + b"\x80" + jump[6:]])
    assert [record.transport for record in records] == ["damaged", "ok"]
    assert raws(records)[1] == klv_packet(99)


def test_a_last_packet_without_its_sync_byte_is_not_read() -> None:
    """At the end of a recording, no later data shows that only the byte is wrong."""
    wire, decoder = Wire(), Decoder("uav1", None)
    ts = wire.tables((ASYNC, KLV_PID, KLVA)) + [p for sent in LONG[:3] for p in wire.pes(sent)]
    last = wire.pes(klv_packet(99))[0]
    records = decoder.feed(Packet(b"".join(ts) + b"\x46" + last[1:])) + decoder.flush()
    all_good(records, LONG[:3])
    assert decoder.counters.passed_over == 188


@pytest.mark.parametrize("count", range(1, 5))
def test_a_recording_of_a_few_ts_packets_gives_its_records(count: int) -> None:
    """Too few to be synchronised before the end."""
    wire, sent = Wire(), [klv_packet(number) for number in range(count)]
    records = decoded(
        wire.tables((ASYNC, KLV_PID, KLVA)) + [p for n, one in enumerate(sent) for p in wire.pes(one, pts=n)]
    )
    all_good(records, sent)
    assert [record.pts for record in records] == list(range(count))


@each_case("name", ["ST0102", "ST0104", "ST0806", "ST1107"])
@each_case("tail", [b"\x06", b"\x06\x0e", b"\x06\x0e\x2b", b"\x06\x0e\x2b\x34"])
def test_a_packet_that_ends_like_a_key_begins_is_whole(tail: bytes, name: str) -> None:
    """The next PES packet begins with a key, and so does the source's next packet: nothing is damaged."""
    sent = [packet(name, item(200, bytes([number]) * 20 + tail)) for number in range(5)]
    wire, decoder = Wire(), Decoder("uav1", None)
    records = decoded(wire.tables((ASYNC, KLV_PID, KLVA)) + [p for one in sent for p in wire.pes(one)])
    assert [(record.raw, record.transport) for record in records] == [(one, "ok") for one in sent]
    records = [record for one in sent for record in decoder.feed(Packet(one, carriage="klv"))] + decoder.flush()
    assert [(record.raw, record.transport) for record in records] == [(one, "ok") for one in sent]


def test_a_crc_may_end_in_any_byte() -> None:
    """Of 600 packets with a CRC, one per PES packet, none is damaged: not even those that end in 06."""
    sent = [packet("ST0806", item(2, number.to_bytes(8)), checksum=True) for number in range(600)]
    assert any(one[-1] == 6 for one in sent)
    wire = Wire()
    all_good(decoded(wire.tables((ASYNC, KLV_PID, KLVA)) + [p for one in sent for p in wire.pes(one)]), sent)


def test_the_content_of_eight_streams_is_output_at_the_end() -> None:
    """Eight incomplete packets of 60,000 bytes: each is output as damaged, as far as it was received."""
    wire, pids = Wire(), range(0x201, 0x209)
    ts = wire.tables(*((ASYNC, pid, KLVA) for pid in pids))
    begun = packet("ST0601", local_set([(150, b"x" * 60_000)]), checksum=True)[:-1]
    data = b"".join(ts + [p for pid in pids for p in wire.pes(begun, pid)])
    decoder = Decoder("uav1", None)
    assert [record for at in range(0, len(data), 1316) for record in decoder.feed(Packet(data[at : at + 1316]))] == []
    records = decoder.flush()
    assert sorted((record.pid or 0, record.raw == begun, record.transport) for record in records) == [
        (pid, True, "damaged") for pid in pids
    ]


@pytest.mark.parametrize("size", [0, 1, 127, 128, LIMIT - 1, LIMIT])
def test_a_packet_as_long_as_the_limit_is_read_and_no_longer_one(size: int) -> None:
    """The limit applies to the value, whatever the form of its length."""
    fits = STRANGE[:13] + bytes(3)
    for form in (ber(size), b"\x82" + size.to_bytes(2), b"\x88" + size.to_bytes(8)):
        decoder = Decoder("uav1", None, packet_limit=LIMIT)
        records = decoder.feed(Packet(LONG[0] + fits + form + bytes(size) + LONG[1], carriage="klv")) + decoder.flush()
        assert raws(records) == [LONG[0], fits + form + bytes(size), LONG[1]]
    decoder = Decoder("uav1", None, packet_limit=LIMIT)
    long = fits + ber(LIMIT + 1) + bytes(LIMIT + 1)
    assert raws(decoder.feed(Packet(LONG[0] + long + LONG[1], carriage="klv")) + decoder.flush()) == LONG[:2]


@pytest.mark.parametrize("left", range(1, 5))
def test_the_last_records_have_their_times(left: int) -> None:
    """Sync was lost a few TS packets before the end: each record of them has the PTS of its own PES packet."""
    wire, sent = Wire(), [klv_packet(number) for number in range(6 + left)]
    parts = [b"".join(wire.pes(one, pts=at)) for at, one in enumerate(sent)]
    before, behind = wire.tables((ASYNC, KLV_PID, KLVA)) + parts[:6], parts[6:]
    records = decoded(b"".join(before) + b"junk" + b"".join(behind))
    all_good(records, sent)
    assert [record.pts for record in records] == list(range(len(sent)))
