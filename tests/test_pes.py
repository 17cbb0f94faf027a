"""PES packets and the AU cells in them: cut anywhere, of any length, with stuffing; the KLV is intact."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import pairwise, product

import pytest
from cases import each_case, each_of
from test_lane import ASYNC, KLV_PID, KLVA, NULL, SYNC, Wire, all_good, cell, decoded, klv_packet

SENT = [klv_packet(number, 60 * number) for number in range(4)]
NEXT = klv_packet(77, 20)
WHOLE = b"".join(SENT)


def pes(
    payload: bytes, *, pts: int | None = None, stuffing: int = 0, size: int | None = None, sid: int = 0xBD
) -> bytes:
    """A PES packet with stuffing in its header; `size` is the announced length where it differs."""
    stamp = b""
    if pts is not None:
        stamp = struct.pack(">BHH", 0x21 | pts >> 29 & 14, pts >> 14 & 0xFFFE | 1, pts << 1 & 0xFFFE | 1)
    head = bytes([0x84, 0x80 if stamp else 0, len(stamp) + stuffing]) + stamp + b"\xff" * stuffing
    return b"\0\0\1" + bytes([sid]) + (len(head + payload) if size is None else size).to_bytes(2) + head + payload


class Pes(Wire):
    """A multiplexer that cuts at chosen places."""

    def cut(self, data: bytes, at: Iterable[int] = ()) -> list[bytes]:
        edges = [0, *at, len(data)]
        return [self._one(KLV_PID, data[begin:end], begin == 0) for begin, end in pairwise(edges)]

    def stream(self, *packets: bytes, kind: int = ASYNC) -> list[bytes]:
        """Tables and whole PES packets, followed by another."""
        ts = self.tables((kind, KLV_PID, KLVA if kind == ASYNC else b""))
        return ts + [part for packet in packets for part in self.carry(KLV_PID, packet)] + self.end()

    def end(self) -> list[bytes]:
        """A correct packet, and enough after it to be synchronised."""
        return self.pes(NEXT) + [NULL] * 4


def split(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("kind", [ASYNC, SYNC])
def test_a_header_may_be_cut_anywhere(kind: int) -> None:
    """Over two TS packets at every place of PES and cell header, and one byte per packet: the PTS is read."""
    payload = SENT[0] if kind == ASYNC else cell(SENT[0], 0)
    whole = pes(payload, pts=0x123456789, stuffing=3)
    for cuts in [[at] for at in range(1, 40)] + [list(range(1, 60))]:
        wire = Pes()
        records = decoded(wire.tables((kind, KLV_PID, KLVA)) + wire.cut(whole, cuts) + wire.end())
        all_good(records, [SENT[0], NEXT])
        assert [record.pts for record in records] == [0x123456789, None]


@pytest.mark.parametrize("stuffing", [0, 1, 32, 170, 180, 250])
def test_stuffing_in_a_header_is_skipped(stuffing: int) -> None:
    """Up to the maximum of its length octet, 255 bytes, over two TS packets."""
    wire = Pes()
    records = decoded(wire.stream(*(pes(one, pts=9, stuffing=stuffing) for one in SENT)))
    all_good(records, [*SENT, NEXT])
    assert [record.pts for record in records] == [9] * len(SENT) + [None]


def test_a_pts_flag_without_space_for_a_pts_is_ignored() -> None:
    """PTS_DTS_flags with a header of fewer than five octets."""
    for size in range(5):
        head = bytes([0x84, 0x80, size]) + b"\xff" * size
        whole = b"\0\0\1\xbd" + (len(head) + len(SENT[0])).to_bytes(2) + head + SENT[0]
        records = decoded(Pes().stream(whole))
        all_good(records, [SENT[0], NEXT])
        assert records[0].pts is None


@each_of(range(1, 24))
def test_pes_packets_may_be_of_any_length(size: int) -> None:
    """Down to one byte of payload: it is one run of bytes."""
    all_good(decoded(Pes().stream(*(pes(part) for part in split(WHOLE, size)))), [*SENT, NEXT])


def fragments(size: int) -> list[bytes]:
    """Everything in cells of so many bytes, the last one of each packet shorter."""
    cells: list[bytes] = []
    for one in SENT:
        parts = split(one, size)
        for at, part in enumerate(parts):
            fragment = 2 * (at == 0) + (at == len(parts) - 1)  # 2 begins, 1 ends, 3 does both
            cells.append(cell(part, len(cells), fragment))
    return cells


@each_of(range(1, 24))
def test_cells_may_be_of_any_length(size: int) -> None:
    """A packet in fragments of a few bytes, each cell in a separate PES packet."""
    all_good(decoded(Pes().stream(*(pes(one, sid=0xFC) for one in fragments(size)), kind=SYNC)), [*SENT, NEXT])


@each_of(list(product(range(1, 24), [True, False])))
def test_many_cells_may_be_in_one_pes_packet(found: tuple[int, bool]) -> None:
    """With and without a length."""
    size, sized = found
    whole = pes(b"".join(fragments(size)), sid=0xFC, size=None if sized else 0)
    all_good(decoded(Pes().stream(whole, kind=SYNC)), [*SENT, NEXT])


@pytest.mark.parametrize("sized", [True, False])
def test_a_cell_header_may_be_cut_anywhere(sized: bool) -> None:
    """The second cell's, over two TS packets and one byte per packet."""
    whole = pes(cell(SENT[0], 0) + cell(SENT[1], 1), size=None if sized else 0)
    second = len(whole) - len(SENT[1]) - 5
    for cuts in [[at] for at in range(second - 1, second + 8)] + [list(range(second - 2, second + 9))]:
        wire = Pes()
        ts = wire.tables((SYNC, KLV_PID, b"")) + wire.cut(whole, cuts) + wire.end()
        all_good(decoded(ts), [*SENT[:2], NEXT])


def test_an_empty_cell_holds_nothing() -> None:
    """Before, between or after others of its PES packet, or alone in it."""
    first, empty, second = cell(SENT[0], 0), cell(b"", 1), cell(SENT[1], 2)
    all_good(decoded(Pes().stream(pes(first + empty + second), kind=SYNC)), [*SENT[:2], NEXT])
    all_good(decoded(Pes().stream(pes(first + empty), pes(second), kind=SYNC)), [*SENT[:2], NEXT])
    all_good(decoded(Pes().stream(pes(empty), pes(first), kind=SYNC)), [SENT[0], NEXT])
    for many in range(1, 4):
        short = b"".join(cell(b"\xff" * (size % 4), size) for size in range(many))
        all_good(decoded(Pes().stream(pes(short + first), kind=SYNC)), [SENT[0], NEXT])


@pytest.mark.parametrize("rest", range(1, 5))
def test_bytes_after_the_last_cell_are_no_cell(rest: int) -> None:
    """Fewer bytes than a cell header, at the end of a PES packet: they are skipped, and the next PES packet is read."""
    first, second = pes(cell(SENT[0], 0) + b"\0\1\xdf\0"[:rest]), pes(cell(SENT[1], 1))
    all_good(decoded(Pes().stream(first, second, kind=SYNC)), [*SENT[:2], NEXT])


def test_a_cell_longer_than_its_pes_packet_ends_with_it() -> None:
    """As a second one it is truncated there; as the first it is no cell, and the key in it is found all the same."""
    long = cell(SENT[1], 1)[:3] + (len(SENT[1]) + 50).to_bytes(2) + SENT[1]
    all_good(decoded(Pes().stream(pes(cell(SENT[0], 0) + long), kind=SYNC)), [*SENT[:2], NEXT])
    all_good(decoded(Pes().stream(pes(long), kind=SYNC)), [SENT[1], NEXT])


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_payload_without_a_pes_start_code_is_not_read(at: int) -> None:
    """A payload start without 00 00 01: nothing is read up to the next that has one."""
    whole = bytearray(pes(SENT[0]))
    whole[at] ^= 2
    all_good(decoded(Pes().stream(bytes(whole), pes(SENT[1]))), [SENT[1], NEXT])


@pytest.mark.parametrize("sid", [0xBC, 0xBE, 0xF0, 0xF1, 0xF2, 0xF8, 0xFF])
def test_streams_whose_packets_have_no_flags_are_not_read(sid: int) -> None:
    """Program stream maps, padding, ECM, EMM ...: their payload begins in place of the flags."""
    payload = b"\xff" * 90 if sid == 0xBE else SENT[0]
    bare = b"\0\0\1" + bytes([sid]) + len(payload).to_bytes(2) + payload
    all_good(decoded(Pes().stream(bare, pes(SENT[1]))), [SENT[1], NEXT])


@pytest.mark.parametrize("sid", [0xBD, 0xC0, 0xE0, 0xFA, 0xFC, 0xFD])
def test_the_stream_id_is_not_trusted(sid: int) -> None:
    """Whatever stream_id a packet with flags has, its KLV is read."""
    all_good(decoded(Pes().stream(*(pes(one, sid=sid) for one in SENT))), [*SENT, NEXT])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
def test_a_pes_packet_shorter_than_its_header_holds_nothing(size: int) -> None:
    """The bytes after the header are no payload then."""
    whole = pes(SENT[0], pts=5, size=size)
    all_good(decoded(Pes().stream(whole, pes(SENT[1]))), [SENT[1], NEXT])


@each_case("kind", [ASYNC, SYNC])
@each_case("size", [*range(1, 16), 100])
def test_data_after_the_end_of_a_pes_packet_is_not_read(size: int, kind: int) -> None:
    """PES_packet_length ends it, though its TS packet continues, with one byte or many."""
    parts = fragments(size) if kind == SYNC else split(WHOLE, size)
    packets = [pes(part + SENT[0], size=3 + len(part)) for part in parts]
    all_good(decoded(Pes().stream(*packets, kind=kind)), [*SENT, NEXT])
