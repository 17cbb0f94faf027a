"""KLV that the tables do not list is read too: no PAT, no PMT, a PID missing in it, private stream types, and
private_stream_2.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from cases import each_case
from test_lane import ASYNC, KLV_PID, KLVA, NULL, PMT_PID, SYNC, Wire, cell, klv_packet
from test_lane_sets import private
from test_psi import pat, pmt, version

from klvrelay.core import Counters, Lane
from klvrelay.decoder import Decoder
from klvrelay.record import Packet, Record

VIDEO_PID = 0x100
SENT = [klv_packet(number, 97 * number % 700) for number in range(30)]


class Mux(Wire):
    """A sender with any tables."""

    def stream(
        self, sent: Sequence[bytes] = SENT, tables: Sequence[bytes] = (), *, kind: int = ASYNC, sid: int = 0xBD
    ) -> list[bytes]:
        """Video before each KLV packet; these sections, one TS packet each, every ten packets."""
        ts: list[bytes] = []
        for number, one in enumerate(sent):
            if number % 10 == 0:
                for table in tables:
                    ts += self.carry(0 if table[0] == 0 else PMT_PID, b"\0" + table)
            ts += self.carry(VIDEO_PID, b"\0\0\1\xe0\0\0\x84\0\0" + random.Random(number).randbytes(900))
            payload = cell(one, number) if kind == SYNC else one
            ts += self.flagless(payload) if sid == 0xBF else self.pes(payload, pts=3000 * number, sid=sid)
        return ts

    def flagless(self, payload: bytes) -> list[bytes]:
        """A PES packet of private_stream_2, which has no header after its length."""
        return self.carry(KLV_PID, b"\0\0\1\xbf" + len(payload).to_bytes(2) + payload)


def read(ts: Sequence[bytes], size: int = 1316) -> tuple[list[Record], Counters]:
    data, decoder = b"".join(ts), Decoder("uav1", None)
    records = [record for at in range(0, len(data), size) for record in decoder.feed(Packet(data[at : at + size]))]
    return records + decoder.flush(), decoder.counters


def all_of(records: Sequence[Record], sent: Sequence[bytes] = SENT) -> None:
    assert [(record.raw, record.good, record.pid) for record in records] == [(one, True, KLV_PID) for one in sent]


NO_KLV = pmt((0x1B, VIDEO_PID, b""))
TABLES = {"no PAT": [], "no PMT": [pat((1, PMT_PID))], "not in the PMT": [pat((1, PMT_PID)), NO_KLV]}


@pytest.mark.parametrize("kind", [ASYNC, SYNC])
@pytest.mark.parametrize("tables", TABLES)
def test_klv_that_no_table_lists_is_read(tables: str, kind: int) -> None:
    """From the first packet on, with its PTS, and counted as unlisted."""
    records, counters = read(Mux().stream(tables=TABLES[tables], kind=kind))
    all_of(records)
    assert [record.pts for record in records] == [3000 * number for number in range(30)]
    assert counters.unlisted_packets == counters.klv_packets > 30


def test_private_keys_that_no_table_lists_are_read() -> None:
    """Sets without a checksum, over several TS packets and in one."""
    sent = [private(number, size=10 + 67 * number % 500) for number in range(30)]
    all_of(read(Mux().stream(sent))[0], sent)


@each_case("kind", [0x05, 0x0B, 0x0D, 0x14, 0x16, 0x19, 0x26, 0x7F, 0x80, 0x81, 0x86, 0xC0, 0xFF])
@each_case("celled", [False, True])
def test_klv_of_another_private_stream_type_is_read(kind: int, celled: bool) -> None:
    """It is listed, as neither video nor audio."""
    tables = [pat((1, PMT_PID)), pmt((0x1B, VIDEO_PID, b""), (kind, KLV_PID, b""))]
    records, counters = read(Mux().stream(tables=tables, kind=SYNC if celled else ASYNC))
    all_of(records)
    assert counters.unlisted_packets == 0


@pytest.mark.parametrize("kind", [0x01, 0x02, 0x03, 0x0F, 0x11, 0x1B, 0x24, 0x33])
def test_video_and_audio_are_not_searched(kind: int) -> None:
    """Whatever they contain."""
    tables = [pat((1, PMT_PID)), pmt((kind, KLV_PID, b""))]
    records, counters = read(Mux().stream(tables=tables))
    assert (records, counters.klv_packets, counters.private_packets) == ([], 0, 0)


@pytest.mark.parametrize("kind", [ASYNC, 0x81, 0xF0])
def test_klv_that_is_registered_as_something_else_is_read(kind: int) -> None:
    """The bytes count, not the label: PES packets that begin with a key. A later version of the PMT loses nothing."""
    tables = [pat((1, PMT_PID)), pmt((kind, KLV_PID, b"\x05\x04ABCD"))]
    wire = Mux()
    ts = wire.stream(tables=tables) + wire.stream(tables=[pmt((kind, KLV_PID, b"\x05\x04ABCD"), flags=version(1))])
    records, counters = read(ts)
    all_of(records, 2 * SENT)
    assert counters.unlisted_packets == 0


def test_a_stream_registered_as_something_else_is_not_searched_inside() -> None:
    """AC-3 under type 0x81, say: a key in the middle of it does not count."""
    wire = Mux()
    ts = wire.tables((0x81, KLV_PID, b"\x05\x04AC-3"))
    ts += [part for one in SENT for part in wire.pes(b"\x0b\x77" + one)]
    assert read(ts)[0] == []


@pytest.mark.parametrize("tables", [[], [pat((1, PMT_PID)), pmt((ASYNC, KLV_PID, KLVA))],
                                    [pat((1, PMT_PID)), pmt((0x80, KLV_PID, b""))]])  # fmt: skip
@pytest.mark.parametrize("celled", [False, True])
def test_private_stream_2_is_read(tables: list[bytes], celled: bool) -> None:
    """Its PES packets have no flags and no PTS; with and without cells."""
    records, _ = read(Mux().stream(tables=tables, sid=0xBF, kind=SYNC if celled else ASYNC))
    all_of(records)
    assert {record.pts for record in records} == {None}


def test_a_stream_id_of_private_stream_2_with_flags_is_read_too() -> None:
    """From a sender that wrote the header of private_stream_1."""
    wire = Mux()
    ts = wire.tables((ASYNC, KLV_PID, KLVA))
    ts += [part for number, one in enumerate(SENT) for part in wire.pes(one, pts=3000 * number, sid=0xBF)]
    records, _ = read(ts)
    all_of(records)
    assert records[7].pts == 21000


@each_case("size", range(1, 40))
def test_private_stream_2_of_any_length(size: int) -> None:
    """Down to one byte per PES packet: their payload is one run of bytes."""
    wire, whole = Mux(), b"".join(SENT[:4])
    ts = wire.tables((ASYNC, KLV_PID, KLVA))
    for at in range(0, len(whole), size):
        ts += wire.flagless(whole[at : at + size])
    all_of(read([*ts, *wire.flagless(SENT[4])])[0], SENT[:5])


def test_a_later_table_does_not_change_the_packets_read() -> None:
    """KLV before its tables, then with them, then in a PMT that drops it: every packet once, on its PID."""
    wire = Mux()
    ts = wire.stream(SENT[:7])
    ts += wire.stream(SENT[7:12], [pat((1, PMT_PID)), pmt((ASYNC, KLV_PID, KLVA))])
    begun = wire.pes(SENT[12])
    other = pmt((0x1B, VIDEO_PID, b""), (SYNC, KLV_PID, b""), flags=0xC3)
    ts += [*begun[:1], *wire.carry(PMT_PID, b"\0" + other), *begun[1:]]
    ts += wire.stream(SENT[13:20], [pat((1, PMT_PID)), pmt((0x1B, VIDEO_PID, b""), flags=0xC5)])
    records, _ = read(ts)
    all_of(records, SENT[:20])


def test_a_pid_with_a_bit_error_makes_no_stream() -> None:
    """A single KLV packet on an unlisted PID waits for a second one; the loss shows on its own PID."""
    wire, lane = Mux(), Lane(ts=True)
    ts = wire.tables((ASYNC, KLV_PID, KLVA))
    klv = [wire.pes(klv_packet(number, 20))[0] for number in range(40)]
    klv[20] = klv[20][:1] + bytes([klv[20][1] ^ 0x02]) + klv[20][2:]
    entries = lane.packets(b"".join([*ts, *klv, *[NULL] * 4]))
    assert {entry[2] for entry in entries} == {KLV_PID}
    assert len(entries) == 39


def test_listed_streams_have_priority_over_unlisted_ones() -> None:
    """Eight places: earlier unlisted streams give theirs up, and their data is counted."""
    wire, lane = Mux(), Lane(ts=True)
    listed, others = range(0x201, 0x207), range(0x301, 0x309)
    unlisted = [part for n in range(3) for pid in others for part in wire.pes(klv_packet(n), pid)]
    entries = lane.packets(b"".join([*unlisted, *wire.tables(*((ASYNC, pid, KLVA) for pid in listed))]))
    assert len(entries) == 24
    entries = lane.packets(b"".join([*(part for pid in listed for part in wire.pes(klv_packet(9), pid)), *[NULL] * 4]))
    assert [entry[2] for entry in entries] == [*listed]


def test_data_that_is_no_klv_takes_no_place() -> None:
    """PES packets of other data on twenty unlisted PIDs, with keys inside: none is followed."""
    wire, chance = Mux(), random.Random(1)
    ts = []
    for number in range(400):
        body = chance.randbytes(40) + klv_packet(number)
        ts += wire.pes(body, 0x400 + number % 20)
    records, counters = read(ts)
    assert (records, counters.klv_packets) == ([], 0)


def test_a_pid_listed_and_struck_by_one_ts_packet_gives_nothing() -> None:
    """Two versions of the PMT in one TS packet: the first proves the waiting PID, the second removes it.

    Its packet is discarded with it, and nothing is read from its buffer.
    """
    wire, lane = Wire(), Lane(ts=True)
    tables = wire.carry(0, b"\0" + pat((1, PMT_PID))) + wire.carry(PMT_PID, b"\0" + NO_KLV)
    listed = pmt((0x1B, VIDEO_PID, b""), (ASYNC, KLV_PID, KLVA), flags=version(1))
    struck = pmt((0x1B, VIDEO_PID, b""), flags=version(2))
    both = wire.carry(PMT_PID, b"\0" + listed + struck)
    video = [wire.carry(VIDEO_PID, b"v" * 184 * 8) for _ in range(2)]
    ts = [*tables, *video[0], *wire.pes(SENT[0], pts=9), *both, *video[1]]

    found = lane.packets(b"".join(ts))
    lane.cut()

    assert len(both) == 1
    assert [*found, *lane.packets(b"")] == []
    assert lane.counters.passed_over == len(SENT[0])
