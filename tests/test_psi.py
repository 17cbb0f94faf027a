"""The tables of a transport stream (PAT, PMT): whatever is unusual in them, the KLV that they list is read.

Data that is no table, or an incomplete one, is ignored.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import feed
import pytest
from test_lane import ASYNC, KLV_PID, KLVA, PMT_PID, SYNC, Wire, all_good, decoded, klv_packet, raws

from klvrelay.record import Record

SENT = [klv_packet(number, 100 * number) for number in range(4)]
VIDEO = (0x1B, 0x100, b"")
KLV = (ASYNC, KLV_PID, KLVA)
CURRENT = 0xC1

Stream = tuple[int, int, bytes]


def section(table: int, body: bytes, *, size: int | None = None) -> bytes:
    """With its CRC; `size` is the announced length where it differs."""
    whole = bytes([table]) + (0xB000 | (len(body) + 4 if size is None else size)).to_bytes(2) + body
    return whole + feed._crc32(whole).to_bytes(4)


def pat(*programs: tuple[int, int], flags: int = CURRENT) -> bytes:
    """Programs of (number, PID of the PMT)."""
    body = b"".join(struct.pack(">HH", number, 0xE000 | pid) for number, pid in programs)
    return section(0, struct.pack(">HBBB", 1, flags, 0, 0) + body)


def pmt(*streams: Stream, flags: int = CURRENT, info: bytes = b"", program: int = 1) -> bytes:
    """Streams of (type, PID, descriptors), after the descriptors of the program."""
    body = struct.pack(">HBBBHH", program, flags, 0, 0, 0xE100, 0xF000 | len(info)) + info
    for kind, pid, descriptors in streams:
        body += struct.pack(">BHH", kind, 0xE000 | pid, 0xF000 | len(descriptors)) + descriptors
    return section(2, body)


def version(number: int) -> int:
    return CURRENT | number << 1


PAT = pat((1, PMT_PID))


class Tables(Wire):
    """A multiplexer that puts sections at chosen places; only tables lead to its KLV, which begins no PES packet."""

    def pes(self, payload: bytes, pid: int = KLV_PID, **options: Any) -> list[bytes]:
        return super().pes(b"\0" + payload, pid, **options)

    def unit(self, pid: int, data: bytes, *, at: Iterable[int] = (), pointer: int = 0) -> list[bytes]:
        """Payload that begins with a pointer field, cut into packets at these places."""
        data = bytes([pointer]) + data
        edges = [0, *at, len(data)]
        return [self._one(pid, data[begin:end], begin == 0) for begin, end in pairwise(edges)]

    def klv(self, sent: Iterable[bytes] = SENT, pid: int = KLV_PID) -> list[bytes]:
        return [packet for one in sent for packet in self.pes(one, pid)]

    def good(self, *tables: bytes) -> list[Record]:
        """The output where a PAT and these sections, one packet each, precede the KLV."""
        ts = self.carry(0, b"\0" + PAT)
        for table in tables:
            ts += self.carry(PMT_PID, b"\0" + table)
        return [record for record in decoded(ts + self.klv()) if record.good]


@pytest.mark.parametrize("pid", [0, PMT_PID])
def test_a_table_may_be_cut_anywhere(pid: int) -> None:
    """PAT and PMT over two packets at every place, and one byte per packet."""
    places = range(2, len(PAT if pid == 0 else pmt(VIDEO, KLV)) + 1)
    for cuts in [[at] for at in places] + [list(places)]:
        wire = Tables()
        parts = {0: wire.unit(0, PAT, at=cuts if pid == 0 else ())}
        parts[PMT_PID] = wire.unit(PMT_PID, pmt(VIDEO, KLV), at=cuts if pid else ())
        all_good(decoded(parts[0] + parts[PMT_PID] + wire.klv()), SENT)


def test_a_table_may_begin_after_the_end_of_another() -> None:
    """The pointer field skips the end of the first to the beginning of the next, in the same packet."""
    long = pmt(VIDEO, *((0x0F, 0x400 + n, b"\x0a\x04deu\0") for n in range(12)))
    table = pmt(VIDEO, KLV, flags=version(1))
    for cut in range(1, len(long)):
        wire, rest = Tables(), long[cut:]
        ts = wire.carry(0, b"\0" + PAT) + wire.unit(PMT_PID, long[:cut])
        ts += wire.unit(PMT_PID, rest + table, pointer=len(rest), at=[184] if len(rest + table) > 183 else [])
        all_good(decoded(ts + wire.klv()), SENT)


def test_tables_may_follow_each_other_in_one_packet() -> None:
    """The pointer field says where the first begins, and each next one follows the previous, up to a byte FF."""
    wire = Tables()
    others = section(0xC0, b"private") + section(0xC1, b"five!") + section(0x40, b"\0\1\xc1\0\0")
    ts = wire.carry(0, b"\0" + section(0, b"\0\1\xc1\0\0") + PAT)
    ts += wire.unit(PMT_PID, (others + pmt(KLV)).ljust(183, b"\xff"))
    all_good(decoded(ts + wire.klv()), SENT)


@pytest.mark.parametrize("size", [1, 30, 184])
def test_a_table_whose_packets_are_repeated_is_read(size: int) -> None:
    """Each of its packets twice (ISO/IEC 13818-1, 2.4.3.3), even where another begins in them."""
    wire = Tables()
    long = pmt(*((0x0F, 0x400 + n, b"\x0a\x04deu\0") for n in range(30)), KLV)
    ts = wire.carry(0, b"\0" + PAT) + wire.unit(PMT_PID, long, at=range(2, len(long), size)) + wire.klv()
    all_good(decoded([packet for packet in ts for _ in range(2)]), SENT)

    first, second = pmt(VIDEO, flags=version(1)), pmt(KLV, flags=version(2))
    ts = wire.carry(0, b"\0" + PAT) + wire.unit(PMT_PID, first[:20])
    ts += wire.unit(PMT_PID, first[20:] + second, pointer=len(first) - 20) + wire.klv()
    all_good(decoded([packet for packet in ts for _ in range(2)]), SENT)


def test_stuffing_after_a_table_is_no_table() -> None:
    """A packet filled up with FF, and one that holds nothing else."""
    wire = Tables()
    ts = wire.unit(0, PAT.ljust(183, b"\xff")) + wire.unit(PMT_PID, b"\xff" * 183)
    ts += wire.unit(PMT_PID, pmt(KLV).ljust(183, b"\xff")) + wire.unit(PMT_PID, b"\xff" * 183)
    all_good(decoded(ts + wire.klv()), SENT)


@pytest.mark.parametrize("pointer", [183, 184, 255])
def test_a_pointer_past_the_packet_is_ignored(pointer: int) -> None:
    """To its very end, or beyond: no table begins there, and the next one is read."""
    wire = Tables()
    ts = wire.carry(0, b"\0" + PAT) + wire.unit(PMT_PID, pmt((SYNC, 0x222, b"")).ljust(183, b"\xff"), pointer=pointer)
    ts += wire.klv(SENT[:1], 0x222) + wire.carry(PMT_PID, b"\0" + pmt(KLV))
    all_good(decoded(ts + wire.klv()), SENT)


def test_a_flipped_bit_anywhere_in_a_table_makes_it_invalid() -> None:
    """Each bit of a PMT that would move the KLV: the earlier KLV is still read, and nothing else."""
    moved = pmt((ASYNC, 0x222, KLVA), flags=version(1))
    for bit in range(8 * len(moved)):
        spoilt = bytearray(moved)
        spoilt[bit // 8] ^= 1 << bit % 8
        assert raws(Tables().good(pmt(KLV), bytes(spoilt))) == SENT, bit


def test_a_table_that_is_not_yet_in_force_waits() -> None:
    """current_next_indicator 0 announces a future table; KLV moves once it is 1."""
    moved = (ASYNC, 0x222, KLVA)
    wire = Tables()
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt(KLV))
    ts += wire.carry(PMT_PID, b"\0" + pmt(moved, flags=0xC2)) + wire.carry(0, b"\0" + pat((1, 0x1234), flags=0xC2))
    ts += wire.klv(SENT[:2]) + wire.carry(PMT_PID, b"\0" + pmt(moved, flags=0xC3)) + wire.klv(SENT[2:], 0x222)
    all_good(decoded(ts), SENT)


def test_a_program_that_moves_its_pmt_is_followed() -> None:
    """A new PAT names another PID: tables on the old one are ignored."""
    wire = Tables()
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt(KLV)) + wire.klv(SENT[:2])
    ts += wire.carry(0, b"\0" + pat((1, 0x1234), flags=version(1)))
    ts += wire.carry(PMT_PID, b"\0" + pmt((ASYNC, 0x222, KLVA), flags=version(1)))
    ts += wire.carry(0x1234, b"\0" + pmt(KLV, flags=version(2))) + wire.klv(SENT[2:]) + wire.klv(SENT[:1], 0x222)
    all_good(decoded(ts), SENT)


@pytest.mark.parametrize("pid", [0, KLV_PID])
def test_a_pmt_on_a_pid_in_use_is_ignored(pid: int) -> None:
    """A PAT that names its own PID, or that of KLV, as a program's PMT: the other programs are read."""
    wire = Tables()
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt(KLV)) + wire.klv(SENT[:2])
    ts += wire.carry(0, b"\0" + pat((7, pid), (1, PMT_PID), flags=version(1)))
    ts += wire.carry(PMT_PID, b"\0" + pmt(KLV, flags=version(1))) + wire.klv(SENT[2:])
    all_good(decoded(ts), SENT)


@pytest.mark.parametrize("pid", [0, PMT_PID])
@pytest.mark.parametrize("kind", [SYNC, ASYNC])
def test_klv_on_a_pid_of_tables_is_not_read(kind: int, pid: int) -> None:
    """A PMT that calls the PAT's PID or its own KLV; its other streams are read, and so are the tables."""
    moved = (ASYNC, 0x222, KLVA)
    wire = Tables()
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt((kind, pid, KLVA), KLV)) + wire.klv(SENT[:2])
    ts += wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt((kind, pid, b""), moved, flags=version(1)))
    all_good(decoded(ts + wire.klv(SENT[2:], 0x222)), SENT)


@pytest.mark.parametrize("table", [0x00, 0x01, 0x03, 0x42, 0xC0])
def test_a_table_of_another_kind_is_not_a_pmt(table: int) -> None:
    """On the PMT's PID; a PMT on the PID of the PAT is none either."""
    body = pmt((ASYNC, 0x222, KLVA), flags=version(1))[3:-4]
    wire = Tables()
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt(KLV))
    ts += wire.carry(PMT_PID, b"\0" + section(table, body)) + wire.carry(0, b"\0" + section(2, body))
    ts += wire.carry(0, b"\0" + section(0xC0, PAT[3:-4]))
    all_good(decoded(ts + wire.klv(SENT[:1], 0x222) + wire.klv()), SENT)


@pytest.mark.parametrize("body", [b"", b"\0\1", b"\0\1\xc1\0", b"\0\1\xc1\0\0", b"\0\1\xc1\0\0\xe1\0\xf0"])
def test_a_table_too_short_to_be_one_names_nothing(body: bytes) -> None:
    """A PMT that ends before its streams begin, a PAT without a program."""
    wire = Tables()
    ts = wire.carry(0, b"\0" + section(0, body[:4])) + wire.carry(0, b"\0" + PAT)
    ts += wire.carry(PMT_PID, b"\0" + section(2, body)) + wire.carry(PMT_PID, b"\0" + pmt(KLV))
    all_good(decoded(ts + wire.klv()), SENT)


@pytest.mark.parametrize("size", [0, 1, 8, 1025, 2048, 4095])
def test_a_table_of_an_impossible_length_is_skipped(size: int) -> None:
    """Shorter than its head or longer than 1,024 bytes: the next one is read, where it begins."""
    wire = Tables()
    ts = wire.carry(0, b"\0" + PAT)
    ts += wire.carry(PMT_PID, b"\0" + section(2, bytes(600), size=size)) + wire.carry(PMT_PID, b"\0" + pmt(KLV))
    all_good(decoded(ts + wire.klv()), SENT)


def test_a_table_as_long_as_tables_may_be_is_read() -> None:
    """1,024 bytes, over six packets."""
    streams = [KLV, *((0x0F, 0x400 + n, b"") for n in range(197))]
    table = pmt(*streams, info=b"\x0e\x0a" + bytes(10))
    assert len(table) == 1024
    all_good(Tables().good(table), SENT)


@pytest.mark.parametrize("lost", range(1, 5))
def test_a_table_that_lost_a_packet_is_ignored(lost: int) -> None:
    """It is assembled at its next repetition."""
    wire, many = Tables(), [(0x0F, 0x400 + n, b"\x0a\x04deu\0") for n in range(80)]
    ts = wire.carry(0, b"\0" + PAT)
    first, second = (wire.carry(PMT_PID, b"\0" + pmt(*many, KLV)) for _ in range(2))
    del first[lost]
    ts += first + wire.pes(klv_packet(9)) + second
    all_good(decoded(ts + wire.klv()), SENT)


def test_a_table_damaged_in_transit_is_ignored() -> None:
    """transport_error_indicator: the packet is ignored, though its CRC may be correct."""
    wire = Tables()
    (marked,) = wire.carry(PMT_PID, b"\0" + pmt((ASYNC, 0x222, KLVA)))
    ts = [*wire.carry(0, b"\0" + PAT), marked[:1] + bytes([marked[1] | 0x80]) + marked[2:]]
    ts += wire.klv(SENT[:1], 0x222) + wire.carry(PMT_PID, b"\0" + pmt(KLV))
    all_good(decoded(ts + wire.klv()), SENT)


@pytest.mark.parametrize("field", [b"\x20\xb7", b"\x00", b"\x30\xb7", b"\x30\xff", b"\x20\x00"])
def test_a_packet_without_payload_is_no_part_of_a_table(field: bytes) -> None:
    """Only an adaptation field, or one without space for payload: between the two parts of a table it changes nothing.
    """
    wire = Tables()
    one, two = wire.unit(PMT_PID, pmt(VIDEO, KLV), at=[20])
    empty = struct.pack(">BH", 0x47, PMT_PID) + bytes([field[0] | one[3] & 15]) + field[1:]
    ts = [*wire.carry(0, b"\0" + PAT), one, empty.ljust(188, b"\0"), two]
    all_good(decoded(ts + wire.klv()), SENT)
