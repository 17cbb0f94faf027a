"""Counters that explain a stream without records: tables, KLV PIDs, private PIDs."""

from __future__ import annotations

import pytest
from test_lane import ASYNC, KLV_PID, KLVA, NULL, PMT_PID, SYNC, Wire, klv_packet
from test_lane_checks import flagged

from klvrelay.core import Counters, Lane

PRIVATE_PID = 0x1F0


def counted(*ts: bytes) -> Counters:
    lane = Lane(ts=True)
    lane.packets(b"".join([*ts, *[NULL] * 5]))
    return lane.counters


def test_tables_are_counted_each_time_they_come_whole() -> None:
    """A repetition counts, a section with a wrong CRC or of another table does not."""
    wire = Wire()
    pat, pmt = wire.tables((ASYNC, KLV_PID, KLVA))
    bad = bytearray(wire.tables((ASYNC, KLV_PID, KLVA))[1])
    bad[-1] ^= 1
    (other,) = wire.section(PMT_PID, 0x42, b"x" * 12)
    (again,) = wire.carry(0, pat[5:][pat[4] :])
    counters = counted(pat, pmt, again, bytes(bad), other)
    assert (counters.pat_sections, counters.pmt_sections) == (2, 1)


def test_a_table_in_a_repeated_ts_packet_is_counted_once() -> None:
    """It is a duplicate, not a repetition of the table (ISO/IEC 13818-1, 2.4.3.3)."""
    wire = Wire()
    pat, pmt = wire.tables((ASYNC, KLV_PID, KLVA))
    counters = counted(pat, pat, pmt, pmt, *wire.tables((ASYNC, KLV_PID, KLVA)))
    assert (counters.pat_sections, counters.pmt_sections, counters.duplicates) == (2, 2, 2)


def test_a_pmt_sent_before_the_pat_lists_it_is_read_when_it_is_repeated() -> None:
    """The first one was on a PID that no table had listed."""
    wire = Wire()
    pat, pmt = wire.tables((ASYNC, KLV_PID, KLVA))
    counters = counted(pmt, pat, pmt, *wire.pes(klv_packet(1)))
    assert (counters.pmt_sections, counters.duplicates, counters.unlisted_packets) == (1, 1, 0)


@pytest.mark.parametrize("kind", [SYNC, ASYNC])
def test_packets_of_a_klv_pid_and_their_errors_are_counted(kind: int) -> None:
    """Each TS packet of it, whatever its content: scrambled or marked as damaged."""
    wire = Wire()
    ts = wire.tables((kind, KLV_PID, KLVA), (0x1B, 0x100, b""))
    klv = [wire.pes(klv_packet(number))[0] for number in range(9)]
    klv[2:5] = [flagged(one, scrambled=2) for one in klv[2:5]]
    klv[6:8] = [flagged(one, error=True, scrambled=2 * n) for n, one in enumerate(klv[6:8])]
    counters = counted(*ts, *klv, *wire.carry(0x100, b"v" * 800))
    assert (counters.klv_packets, counters.klv_scrambled, counters.klv_transport_errors) == (9, 3, 2)
    assert (counters.unlisted_packets, counters.private_packets) == (0, 0)


def test_packets_of_a_private_stream_count_as_such_until_klv_is_seen_in_it() -> None:
    """From then on it is a KLV PID, listed by a table."""
    wire = Wire()
    ts = wire.tables((ASYNC, PRIVATE_PID, b""), (ASYNC, KLV_PID, KLVA))
    text = [wire.pes(b"subtitles", PRIVATE_PID)[0] for _ in range(4)]
    klv = [wire.pes(klv_packet(number), PRIVATE_PID)[0] for number in range(3)]
    counters = counted(*ts, *text, *klv)
    assert (counters.private_packets, counters.klv_packets, counters.unlisted_packets) == (4, 3, 0)
