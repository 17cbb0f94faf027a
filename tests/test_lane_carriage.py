"""All ways to carry KLV, combined: whatever is declared, the actual content is read, and a record is output with the TS
packet that ends it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

import pytest
from cases import each_case
from test_lane import ASYNC, KLV_PID, KLVA, NULL, SYNC, Wire, all_good, cell, decoded, klv_packet, raws

from klvrelay.decoder import Decoder
from klvrelay.record import Packet

SENT = [klv_packet(number, filler) for number, filler in enumerate((0, 300, 131, 2400, 0, 77))]
METADATA = b"\x26\x09\x01\x00\xffKLVA\x00\x0f"


def fragments(data: bytes, count: int, first: int) -> list[bytes]:
    """One packet in so many cells, numbered from `first`."""
    size = -(-len(data) // count)
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return [cell(part, first + n, 2 * (n == 0) + (n == len(parts) - 1)) for n, part in enumerate(parts)]


MIXTURES = list(product((SYNC, ASYNC), (b"", KLVA, METADATA), (0xBD, 0xFC), (True, False), (None, 7), (188, 192, 204)))


@pytest.mark.parametrize("cells", [0, 1, 3])
def test_every_mixture_of_labels_is_read(cells: int) -> None:
    """Type, descriptors, stream id, length or none, PTS or none, packet size; bare, in cells, in fragments of them."""
    for kind, descriptors, sid, sized, pts, size in MIXTURES:
        wire, number = Wire(), 253
        ts = [NULL, *wire.tables((0x1B, 0x100, b""), (kind, KLV_PID, descriptors))]
        for sent in SENT:
            parts = fragments(sent, cells, number) if cells else [sent]
            number += cells
            ts += [p for part in parts for p in wire.pes(part, pts=pts, sid=sid, sized=sized)] + [NULL]
        records = decoded(b"".join(packet.ljust(size, b"\xa5") for packet in ts))
        all_good(records, SENT)
        assert {record.pts for record in records} == {pts}


@pytest.mark.parametrize("kind", [SYNC, ASYNC])
@pytest.mark.parametrize("sequence", ["running", "from 0 in each PES packet", "always 0"])
def test_cells_may_be_numbered_in_any_way(sequence: str, kind: int) -> None:
    """Some begin at 0 with each PES packet, some never count: whole cells are whole, fragments count within their
    packet.
    """
    wire, number = Wire(), 200
    ts = wire.tables((kind, KLV_PID, b""))
    for one, two in zip(SENT[::2], SENT[1::2], strict=True):
        if sequence != "running":
            number = 0
        second = 0 if sequence == "always 0" else number + 1
        ts += wire.pes(cell(one, number) + cell(two, second), pts=1, sid=0xFC)
        number += 2
    all_good(decoded(ts), SENT)

    if sequence != "always 0":
        wire, number = Wire(), 200
        ts = wire.tables((kind, KLV_PID, b""))
        for sent in SENT:
            number = number if sequence == "running" else 0
            parts = fragments(sent, 4, number)
            number += len(parts)
            ts += wire.pes(b"".join(parts), pts=1, sid=0xFC)
        all_good(decoded(ts), SENT)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_a_lost_cell_damages_its_packet_only(lost: int, together: bool) -> None:
    """First, middle or last of four, in one PES packet or in one each, while no TS packet is lost."""
    wire, number, parts = Wire(), 0, []
    sent = [klv_packet(n, 300) for n in range(5)]
    for n, one in enumerate(sent):
        cells = fragments(one, 4, number)
        number += 4
        if n == 2:
            del cells[lost]
        parts += [b"".join(cells)] if together else cells
    ts = wire.tables((SYNC, KLV_PID, METADATA))
    records = decoded(ts + [p for part in parts for p in wire.pes(part, pts=1, sid=0xFC)])
    assert raws(record for record in records if record.good) == sent[:2] + sent[3:]
    assert [record.transport for record in records if not record.good] in ([], ["damaged"])


@pytest.mark.parametrize("first", [ASYNC, SYNC])
def test_a_pid_that_changes_its_type_is_read_on(first: int) -> None:
    """0x06 to 0x15 on the same PID and back, at once, and with the PMT some packets late or early."""
    kinds = (first, SYNC if first == ASYNC else ASYNC)
    for late in (-1, 0, 1):
        wire, version = Wire(), 0
        ts = wire.tables((kinds[0], KLV_PID, KLVA))
        for n in range(12):
            if n % 3 == 0:
                version += 1
                ts += wire.tables((kinds[n // 3 % 2], KLV_PID, KLVA), version=version % 32)
            in_cells = kinds[max(0, n + late) // 3 % 2] == SYNC
            one = klv_packet(n, 200)
            ts += wire.pes(cell(one, n) if in_cells else one, pts=n, sid=0xFC if in_cells else 0xBD)
        records = decoded(ts)
        all_good(records, [klv_packet(n, 200) for n in range(12)])
        assert [record.pts for record in records] == list(range(12))


def test_a_pmt_in_the_middle_of_a_packet_does_not_cut_it() -> None:
    """The next version comes between its TS packets, and gives its PID the other type: the packet was begun under the
    old one.
    """
    for kind, other in ((ASYNC, SYNC), (SYNC, ASYNC)):
        wire = Wire()
        ts = wire.tables((kind, KLV_PID, KLVA))
        begin, *rest = wire.pes(cell(SENT[3], 0) if kind == SYNC else SENT[3], pts=1, sid=0xFC)
        ts += [begin, *wire.tables((other, KLV_PID, KLVA), version=1), *rest, *wire.pes(SENT[1])]
        all_good(decoded(ts), [SENT[3], SENT[1]])


@each_case("size", [188, 192, 204])
@each_case("sized", [True, False])
@each_case("cells", [0, 1, 3])
def test_a_record_is_output_with_the_ts_packet_that_ends_it(cells: int, sized: bool, size: int) -> None:
    """No following data is needed: no byte after its last one, and no PES packet where the length is not announced."""
    wire, decoder = Wire(), Decoder("uav1", None)
    kind = SYNC if cells else ASYNC
    tables = [NULL] * 4 + wire.tables((kind, KLV_PID, KLVA))
    decoder.feed(Packet(b"".join(packet.ljust(size, b"\xa5") for packet in tables)))
    for number, sent in enumerate(SENT):
        payload = b"".join(fragments(sent, cells, 3 * number)) if cells else sent
        *before, last = wire.pes(payload, pts=3000 * number, sized=sized)
        for packet in before:
            assert decoder.feed(Packet(packet.ljust(size, b"\xa5"))) == []
        (record,) = decoder.feed(Packet(last))
        assert (record.raw, record.pts, record.good) == (sent, 3000 * number, True)
        if size > 188:
            decoder.feed(Packet(b"\xa5" * (size - 188)))


def joined(streams: int) -> Iterator[tuple[int, list[bytes]]]:
    """A stream with tables before each KLV packet: the number of whole KLV packets after each TS packet, and their
    bytes.
    """
    wire, ts, sent = Wire(), [], [klv_packet(n, 150 * n) for n in range(8)]
    pids = range(KLV_PID, KLV_PID + streams)
    begins = []
    for n, one in enumerate(sent):
        begins.append(len(ts))
        ts += wire.tables(*((ASYNC, pid, KLVA) for pid in pids)) + wire.carry(0x100, b"v" * 400)
        ts += wire.pes(one, pids[n % streams], pts=n)
    for at in range(len(ts)):
        yield sum(begin >= at for begin in begins), ts[at:]


@pytest.mark.parametrize("streams", [1, 3])
def test_a_joined_stream_outputs_every_packet_after_its_tables(streams: int) -> None:
    """From the middle of each TS packet on: no incomplete packet is valid, no whole one is missed."""
    sent = [klv_packet(n, 150 * n) for n in range(8)]
    for whole, ts in joined(streams):
        for inside in (0, 1, 100):
            records = decoded(b"".join(ts)[inside:] + b"".join([NULL] * 4))
            good = raws(record for record in records if record.good)  # in order within each stream
            assert sorted(good, key=sent.index) == sent[len(sent) - len(good) :]
            assert len(good) >= whole - (inside > 0), (whole, inside)


@pytest.mark.parametrize("kind", [SYNC, ASYNC])
def test_a_pid_that_is_silent_at_first_is_read_once_it_starts(kind: int) -> None:
    """Listed from the start, or only in a later PMT; ten thousand packets of video before it."""
    video = (0x1B, 0x100, b"")
    for tables in ([(video, (kind, KLV_PID, KLVA))] * 2, [(video,), (video, (kind, KLV_PID, KLVA))]):
        wire = Wire()
        ts = wire.tables(*tables[0]) + wire.carry(0x100, b"v" * 184 * 10_000) + wire.tables(*tables[1], version=1)
        for number, sent in enumerate(SENT):
            ts += wire.pes(cell(sent, number) if kind == SYNC else sent, sid=0xFC)
        all_good(decoded(ts), SENT)


def test_times_wrap_in_the_middle_of_a_packet() -> None:
    """A PES packet with a PTS just below 2^33, its KLV continuing in one with a PTS of 0: each has its own."""
    wire, last = Wire(), (1 << 33) - 1
    ts = wire.tables((ASYNC, KLV_PID, KLVA)) + wire.pes(SENT[1][:100], pts=last)
    ts += wire.pes(SENT[1][100:] + SENT[2], pts=0)
    records = decoded(ts)
    all_good(records, SENT[1:3])
    assert [record.pts for record in records] == [last, 0]


def test_any_cut_into_fragments_and_pes_packets_is_reassembled() -> None:
    """200 streams: packets in 1 to 6 cells, any number of cells in a PES packet, some without a length."""
    for seed in range(200):
        chance, wire, number, cells = random.Random(seed), Wire(), random.Random(seed).randrange(256), []
        for sent in SENT:
            cells += (found := fragments(sent, chance.randrange(1, 7), number))
            number += len(found)
        ts = wire.tables((SYNC, KLV_PID, METADATA))
        while cells:
            taken = chance.randrange(1, 5)
            ts += wire.pes(b"".join(cells[:taken]), pts=1, sid=0xFC, sized=chance.random() < 0.7)
            del cells[:taken]
        all_good(decoded(ts), SENT)
