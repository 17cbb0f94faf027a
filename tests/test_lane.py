"""The transport lane: each way to carry KLV in MPEG-TS yields the packets that were sent, and no others.

The multiplexer here can also make deliberate errors; `test_decode_damage.py` and `test_decode_cuts.py` use it too.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache

import feed
import pytest
from cases import each_case

from klvrelay import decoder
from klvrelay.core.carriage import carriage_of
from klvrelay.decoder import Decoder
from klvrelay.encode import encode
from klvrelay.record import Packet, Record

KLVA = b"\x05\x04KLVA"
PMT_PID, KLV_PID = 0x1000, 0x101
SYNC, ASYNC = 0x15, 0x06
NULL = b"\x47\x1f\xff\x10" + b"\xff" * 184


@lru_cache(20_000)
def klv_packet(number: int, filler: int = 0) -> bytes:
    """A valid ST 0601 packet with its number; `filler` bytes make it long and are never the same."""
    items: dict[str | int, object] = {
        "precision_time_stamp": feed.FIRST_TIME + number * 33_333,
        "mission_id": str(number),
    }
    if filler:
        items[150] = random.Random(number).randbytes(filler).replace(b"\x06\x0e", b"\x07\x0f")
    return encode(items)


class Wire:
    """A minimal multiplexer; each method returns 188-byte packets."""

    def __init__(self) -> None:
        self.counters: dict[int, int] = {}

    def tables(self, *streams: tuple[int, int, bytes], version: int = 0, pmt: int = PMT_PID) -> list[bytes]:
        """PAT and PMT with streams of (type, PID, descriptors)."""
        head = 0xC1 | version << 1
        program = struct.pack(">HBBBHH", 1, head, 0, 0, 1, 0xE000 | pmt)
        body = struct.pack(">HBBBHH", 1, head, 0, 0, 0xE100, 0xF000)
        for kind, pid, descriptors in streams:
            body += struct.pack(">BHH", kind, 0xE000 | pid, 0xF000 | len(descriptors)) + descriptors
        return self.section(0, 0, program) + self.section(pmt, 2, body)

    def section(self, pid: int, table: int, body: bytes) -> list[bytes]:
        section = bytes([table]) + (0xB000 | len(body) + 4).to_bytes(2) + body
        section += feed._crc32(section).to_bytes(4)
        return self.carry(pid, b"\x00" + section)

    def pes(
        self, payload: bytes, pid: int = KLV_PID, *, pts: int | None = None, sid: int = 0xBD, sized: bool = True
    ) -> list[bytes]:
        """A PES packet, by default private data with its length."""
        stamp = b""
        if pts is not None:
            stamp = struct.pack(">BHH", 0x21 | pts >> 29 & 14, pts >> 14 & 0xFFFE | 1, pts << 1 & 0xFFFE | 1)
        head = bytes([0x84, 0x80 if stamp else 0, len(stamp)]) + stamp
        size = len(head) + len(payload) if sized else 0
        return self.carry(pid, b"\0\0\1" + bytes([sid]) + size.to_bytes(2) + head + payload)

    def carry(self, pid: int, data: bytes) -> list[bytes]:
        """Cut into TS packets; an adaptation field fills the last one."""
        return [self._one(pid, data[at : at + 184], at == 0) for at in range(0, len(data), 184)]

    def _one(self, pid: int, piece: bytes, start: bool) -> bytes:
        counter = self.counters[pid] = self.counters.get(pid, -1) + 1 & 15
        room = 184 - len(piece)
        field = bytes([room - 1]) + (b"\0".ljust(room - 1, b"\xff") if room > 1 else b"") if room else b""
        return struct.pack(">BHB", 0x47, start << 14 | pid, (0x30 if room else 0x10) | counter) + field + piece


def cell(data: bytes, number: int, fragment: int = 3) -> bytes:
    """A metadata AU cell: 3 is a whole one, 2 the first, 0 a middle, 1 the last part of one (ISO/IEC 13818-1, 2.12)."""
    return bytes([0, number & 255, fragment << 6 | 0x1F]) + len(data).to_bytes(2) + data


def decoded(ts: bytes | Iterable[bytes]) -> list[Record]:
    """The records of a transport stream decoded at once."""
    decoder = Decoder("uav1", "5f2c9a")
    return decoder.feed(Packet(ts if isinstance(ts, bytes) else b"".join(ts))) + decoder.flush()


def raws(records: Iterable[Record]) -> list[bytes]:
    return [record.raw for record in records]


def all_good(records: Sequence[Record], sent: Sequence[bytes]) -> None:
    assert raws(records) == list(sent)
    assert all(record.good and record.checksum == "ok" for record in records)
    for name in {record.stream for record in records}:
        numbers = [record.seq for record in records if record.stream == name]
        assert numbers == list(range(len(numbers)))


SENT = [klv_packet(number, filler) for number, filler in enumerate((0, 50, 130, 131, 132, 300, 600, 2400))]


def test_async_klv_with_registration_is_complete():
    """0x06 with KLVA: each packet, of any length, at any place in its TS packets; without PTS, with its PID."""
    wire = Wire()
    records = decoded(wire.tables((ASYNC, KLV_PID, KLVA)) + [p for s in SENT for p in wire.pes(s)])
    all_good(records, SENT)
    assert {(record.pts, record.pid) for record in records} == {(None, KLV_PID)}


def test_async_klv_needs_no_registration():
    """0x06 without a descriptor is inspected."""
    wire = Wire()
    all_good(decoded(wire.tables((ASYNC, KLV_PID, b"")) + [p for s in SENT for p in wire.pes(s)]), SENT)


def test_type_06_with_stream_id_fc_is_read():
    """The non-conformant mixture in every real recording: 0x06, PES stream id 0xFC, a PTS, no cells."""
    wire = Wire()
    ts = wire.tables((ASYNC, KLV_PID, KLVA))
    for number, sent in enumerate(SENT):
        ts += wire.pes(sent, pts=3000 * number, sid=0xFC)
    records = decoded(ts)
    all_good(records, SENT)
    assert [record.pts for record in records] == [3000 * number for number in range(len(SENT))]


@pytest.mark.parametrize("kind", [SYNC, ASYNC])
def test_au_cell_headers_are_removed(kind: int):
    """Cells are recognised by their bytes, under 0x15 and, wrongly labelled, under 0x06; each record has its PTS."""
    wire = Wire()
    ts = wire.tables((kind, KLV_PID, b""))
    for number, sent in enumerate(SENT):
        ts += wire.pes(cell(sent, number), pts=(1 << 33) - 9000 + 3000 * number & (1 << 33) - 1, sid=0xFC)
    records = decoded(ts)
    all_good(records, SENT)
    assert records[3].pts == 0


def test_type_15_without_cells_is_read():
    """0x15 whose payload is bare KLV: the label is not trusted."""
    wire = Wire()
    ts = wire.tables((SYNC, KLV_PID, b""))
    all_good(decoded(ts + [p for s in SENT for p in wire.pes(s, pts=1, sid=0xFC)]), SENT)


def test_several_cells_in_one_pes_packet():
    """The headers of the second and third cell are not part of the KLV."""
    wire = Wire()
    payload = b"".join(cell(sent, number) for number, sent in enumerate(SENT))
    all_good(decoded(wire.tables((SYNC, KLV_PID, b"")) + wire.pes(payload, pts=7, sid=0xFC)), SENT)


@pytest.mark.parametrize("together", [True, False])
def test_a_packet_in_fragmented_cells_is_reassembled(together: bool):
    """First, middle and last cell, in one PES packet or in one each."""
    wire, number, parts, packets = Wire(), 250, [], []
    ts = wire.tables((SYNC, KLV_PID, b""))
    for sent in SENT:
        third = len(sent) // 3
        for piece, fragment in ((sent[:third], 2), (sent[third : 2 * third], 0), (sent[2 * third :], 1)):
            parts.append(cell(piece, number, fragment))
            number += 1
    for part in [b"".join(parts)] if together else parts:
        packets += wire.pes(part, pts=9, sid=0xFC)
    all_good(decoded(ts + packets), SENT)


def test_a_lost_middle_cell_damages_its_packet_only():
    """A cell number is missing: no packet that spans the gap is valid, though no TS packet is lost."""
    wire = Wire()
    ts = wire.tables((SYNC, KLV_PID, b""))
    first, second = klv_packet(1, 400), klv_packet(2, 400)
    ts += wire.pes(cell(first[:100], 1, 2), sid=0xFC) + wire.pes(cell(first[300:], 3, 1), sid=0xFC)
    records = decoded(ts + wire.pes(cell(second, 4), sid=0xFC))
    assert raws(r for r in records if r.good) == [second]
    assert [r.transport for r in records] == ["damaged", "ok"]


@pytest.mark.parametrize("kind", [SYNC, ASYNC])
def test_pes_packets_without_a_length(kind: int):
    """PES_packet_length 0: a packet is output once complete, not when the next PES packet begins."""
    wire, decoder = Wire(), Decoder("uav1", None)
    decoder.feed(Packet(b"".join(wire.tables((kind, KLV_PID, KLVA)))))
    for number, sent in enumerate(SENT):
        payload = cell(sent, number) if kind == SYNC else sent
        records = decoder.feed(Packet(b"".join(wire.pes(payload, sized=False) + [NULL] * 4)))
        assert raws(records) == [sent]


def test_a_packet_over_several_pes_packets():
    """KLV that continues in the next PES packet has the PTS of the one in which it began."""
    wire, whole = Wire(), b"".join(SENT)
    ts, cuts = wire.tables((ASYNC, KLV_PID, KLVA)), range(0, len(whole), 333)
    for at in cuts:
        ts += wire.pes(whole[at : at + 333], pts=at)
    records = decoded(ts)
    all_good(records, SENT)
    begins = [sum(map(len, SENT[:number])) for number in range(len(SENT))]
    assert [record.pts for record in records] == [begin // 333 * 333 for begin in begins]


def test_several_packets_in_one_pes_packet():
    """All are output, each with that PES packet's PTS."""
    wire = Wire()
    records = decoded(wire.tables((ASYNC, KLV_PID, KLVA)) + wire.pes(b"".join(SENT), pts=5))
    all_good(records, SENT)
    assert {record.pts for record in records} == {5}


def test_several_klv_pids_side_by_side():
    """Records of three PIDs in one stream, interleaved by TS packet, each with its PID."""
    wire, pids = Wire(), (0x101, 0x102, 0x1F0)
    ts = wire.tables((0x1B, 0x100, b""), *((ASYNC, pid, KLVA) for pid in pids))
    for number in range(0, 30, 3):
        each = [wire.pes(klv_packet(number + i, 500), pid) for i, pid in enumerate(pids)]
        ts += [packet for row in zip(*each, strict=True) for packet in row]
    records = decoded(ts)
    all_good(records, [klv_packet(number, 500) for number in range(30)])
    assert [record.pid for record in records] == list(pids) * 10


def test_a_pid_that_appears_in_a_later_pmt_is_read():
    """KLV that the first PMT does not list is read from the PMT that lists it."""
    wire = Wire()
    ts = wire.tables((0x1B, 0x100, b"")) + [NULL] * 20
    ts += wire.tables((0x1B, 0x100, b""), (ASYNC, 0x200, KLVA), version=1)
    all_good(decoded(ts + [p for s in SENT for p in wire.pes(s, 0x200)]), SENT)


@pytest.mark.parametrize("kinds", [(ASYNC, ASYNC), (ASYNC, SYNC), (SYNC, ASYNC)])
def test_a_pid_that_changes_in_the_stream_is_followed(kinds: tuple[int, int]):
    """The PMT moves KLV to another PID, and back, and changes its carriage."""
    wire, ts = Wire(), []
    for turn, (pid, sent) in enumerate(zip((0x101, 0x201) * 4, SENT, strict=True)):
        ts += wire.tables((kinds[turn % 2], pid, KLVA), version=turn)
        ts += wire.pes(cell(sent, 1) if kinds[turn % 2] == SYNC else sent, pid, sid=0xFC)
    all_good(decoded(ts), SENT)


def test_eight_other_private_streams_do_not_hide_the_klv():
    """Type 0x06 is also subtitles and audio: a PID announced as KLV after eight of these is still read."""
    wire = Wire()
    others = [(ASYNC, 0x300 + n, b"\x59\x08deu\x10\0\1\0\1") for n in range(8)]
    ts = wire.tables(*others, (ASYNC, KLV_PID, KLVA))
    for n in range(8):
        ts += wire.pes(b"\x20\x00subtitles" * 9, 0x300 + n)
    all_good(decoded(ts + [p for s in SENT for p in wire.pes(s)]), SENT)


@pytest.mark.parametrize(("size", "lead"), [(192, 4), (204, 0)])
def test_packets_of_192_and_204_bytes(size: int, lead: int):
    """Time codes before (M2TS) and check bytes after each packet are skipped."""
    wire = Wire()
    ts = [NULL] * 3 + wire.tables((ASYNC, KLV_PID, KLVA)) + [p for s in SENT for p in wire.pes(s)]
    noise = random.Random(2)
    long = b"".join(noise.randbytes(lead) + p + noise.randbytes(size - 188 - lead) for p in ts)
    all_good(decoded(long), SENT)
    all_good(decoder.decode(long), SENT)


@each_case("whole", [False, True])
@each_case("junk", [1, 100, 187, 188, 1000, 5000])
def test_junk_before_the_first_packet_is_skipped(junk: int, whole: bool):
    """A stream joined anywhere, by the lane and (`whole`) by `decode`, which distinguishes TS from KLV."""
    wire = Wire()
    ts = random.Random(junk).randbytes(junk) + b"".join(
        wire.tables((ASYNC, KLV_PID, KLVA)) + [p for s in SENT for p in wire.pes(s)] + [NULL] * 4
    )
    all_good(decoder.decode(ts) if whole else decoded(ts), SENT)


@pytest.mark.parametrize("junk", [1, 47, 188, 1000])
def test_junk_between_packets_costs_only_the_packet_it_breaks(junk: int):
    """Bytes between two TS packets: all KLV before and after them is output, and their number is counted."""
    wire = Wire()
    tables = wire.tables((ASYNC, KLV_PID, KLVA))
    before, behind = ([p for s in half for p in wire.pes(s)] for half in (SENT[:4], SENT[4:]))
    decoder, noise = Decoder("uav1", None), random.Random(junk).randbytes(junk).replace(b"\x47", b"\x48")
    records = decoder.feed(Packet(b"".join(tables + before) + noise + b"".join(behind + [NULL] * 4)))
    all_good(records + decoder.flush(), SENT)
    assert decoder.counters.passed_over == junk
    assert decoder.counters.sync_losses == 1


def test_a_recording_of_three_ts_packets_gives_its_record():
    """Tables and one packet are a whole recording."""
    wire = Wire()
    ts = b"".join(wire.tables((ASYNC, KLV_PID, KLVA)) + wire.pes(SENT[0]))
    assert len(ts) == 3 * 188
    all_good(decoder.decode(ts), SENT[:1])


def test_one_bad_sync_byte_does_not_hide_the_format():
    """MPEG-TS with a flipped bit in one of its first sync bytes is still MPEG-TS."""
    wire = Wire()
    sent = [klv_packet(number, 300) for number in range(10)]
    ts = bytearray(b"".join(wire.tables((ASYNC, KLV_PID, KLVA)) + [p for s in sent for p in wire.pes(s)]))
    ts[4 * 188] ^= 0x10
    good = [record for record in decoder.decode(bytes(ts)) if record.good]
    assert raws(good)[-8:] == sent[-8:]


def test_klv_with_sync_bytes_at_ts_distance_is_klv():
    """Bare KLV with a `G` every 188 bytes still begins with its key."""
    sent = encode({"precision_time_stamp": 1, "mission_id": "G" * 127, "platform_designation": "G" * 127})
    assert carriage_of(sent) == "klv"
    assert raws(decoder.decode(sent)) == [sent]


def test_tables_in_several_packets_and_repeated():
    """A PMT of 900 bytes over five TS packets, repeated between the KLV."""
    wire = Wire()
    many = [(0x0F, 0x400 + n, b"\x0a\x04deu\0") for n in range(80)]
    ts = [p for s in SENT for p in wire.tables(*many, (ASYNC, KLV_PID, KLVA)) + wire.pes(s)]
    all_good(decoded(ts), SENT)


def test_a_table_with_a_wrong_crc_is_ignored():
    """A flipped bit in a PMT neither ends a stream nor adds one."""
    wire = Wire()
    ts = wire.tables((ASYNC, KLV_PID, KLVA)) + wire.pes(SENT[1])
    broken = [bytearray(p) for p in wire.tables((ASYNC, 0x222, KLVA), version=1)]
    for packet_ in broken:
        packet_[-6] ^= 1
    all_good(decoded(ts + [bytes(b) for b in broken] + wire.pes(SENT[2])), SENT[1:3])
