"""The checks of the transport: what ISO/IEC 13818-1 and ETSI TR 101 290 call an error is counted, on each PID, and no
more.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from cases import each_case
from clocked_mux import (
    ASYNC,
    AUDIO_PID,
    EPOCH,
    KLV_PID,
    KLVA,
    STREAMS,
    SYNC,
    VIDEO_PID,
    Clocked,
    Slot,
    between,
    faults,
    fed,
)
from packet_wrapping import local_set, packet
from test_lane import NULL, PMT_PID, cell, klv_packet
from test_psi import pat, pmt, section

from klvrelay.core import Counters, Lane
from klvrelay.decoder import Decoder
from klvrelay.probe.transport.pcr import StreamClock
from klvrelay.probe.transport.pids import PidCounts, pids_of

BOTH = pytest.mark.parametrize("arrival", [True, False], ids=["by arrival", "by PCR"])
SECOND = 1_000_000


def packets(seconds: float = 1.0) -> list[bytes]:
    """A clean stream as TS packets."""
    return [packet for slot in Clocked().slots(0, int(seconds * SECOND)) for packet in slot.ts]


def lane_of(ts: Sequence[bytes], lane: Lane | None = None) -> Lane:
    lane = lane or Lane(ts=True)
    lane.packets(b"".join(ts))
    return lane


def pid_of(packet: bytes) -> int:
    return int.from_bytes(packet[1:3]) & 0x1FFF


def places(ts: Sequence[bytes], pid: int) -> list[int]:
    """The positions of packets with payload on a PID."""
    return [at for at, packet in enumerate(ts) if pid_of(packet) == pid and packet[3] & 0x10]


def flagged(packet: bytes, *, error: bool = False, scrambled: int = 0) -> bytes:
    return bytes([packet[0], packet[1] | error << 7, packet[2], packet[3] | scrambled << 6]) + packet[4:]


@BOTH
def test_a_clean_stream_has_no_errors(arrival: bool) -> None:
    """Twenty seconds: tables, clock, video, audio and KLV without errors."""
    entries, lane = fed(Clocked().slots(0, 20 * SECOND), arrival=arrival)
    assert faults(lane) == {}
    assert [entry[0] for entry in entries] == [klv_packet(number, 400) for number in range(200)]
    assert {entry[5] for entry in entries} == {"ok"}


def test_real_recordings_have_their_known_errors(shared: Path) -> None:
    """Real encoders: no loss, no missing table; two send their PCRs too rarely."""
    found = {}
    for name in ("osh_sample_stream", "h264_klv", "h264_no_klv", "aphill_klv_10s"):
        found[name] = faults(lane_of([(shared / "data" / f"{name}.ts").read_bytes()]))
    assert found == {
        "osh_sample_stream": {"pcr_repetition_errors": 27},
        "h264_klv": {},
        "h264_no_klv": {},
        "aphill_klv_10s": {"pcr_repetition_errors": 9},
    }


@pytest.mark.parametrize("pid", [VIDEO_PID, AUDIO_PID])
@pytest.mark.parametrize("run", [1, 2, 14])
def test_lost_packets_of_any_pid_are_one_continuity_error(pid: int, run: int) -> None:
    """Each run of packets in turn, on a PID without KLV: one error, and no discontinuity of KLV."""
    ts = packets()
    ours = places(ts, pid)
    for first in range(1, len(ours) - run, 7):
        lost = set(ours[first : first + run])
        lane = lane_of([packet for at, packet in enumerate(ts) if at not in lost])
        assert faults(lane) == {"continuity_errors": 1}
        assert lane.counters.packets == 10


def test_a_lost_packet_of_klv_is_counted_as_both() -> None:
    """As a transport error, and for KLV."""
    ts = packets()
    del ts[places(ts, KLV_PID)[7]]
    assert faults(lane_of(ts)) == {"continuity_errors": 1, "discontinuities": 1, "damaged": 1, "bad_checksum": 1}


def test_fifteen_lost_packets_of_klv_are_no_repetition() -> None:
    """The counter equals that of the packet before, its bytes do not: on KLV this is a loss."""
    ts = packets(3)
    ours = places(ts, KLV_PID)
    found = faults(lane_of([packet for at, packet in enumerate(ts) if at not in ours[8:23]]))
    assert (found["continuity_errors"], found["discontinuities"]) == (1, 1)


def test_a_packet_may_be_repeated_once() -> None:
    """Second ones are counted and no error (2.4.3.3); a third one is."""
    ts = packets()
    bearing = [packet for packet in ts if packet[3] & 0x10]
    lane = lane_of([packet for packet in ts for _ in range(2)])
    assert faults(lane) == {}
    assert lane.counters.duplicates == len(bearing)
    assert lane.counters.packets == 10

    at = places(ts, VIDEO_PID)[9]
    lane = lane_of(ts[:at] + [ts[at]] * 3 + ts[at:])
    assert faults(lane) == {"continuity_errors": 2}
    assert lane.counters.duplicates == 1


def test_a_packet_without_payload_is_no_step() -> None:
    """Whatever its counter, the next one continues from the last one with payload."""
    ts, chance = packets(), random.Random(1)
    empty = [bytes([0x47, pid >> 8, pid & 255, 0x20]) + b"\xb7\0".ljust(184, b"\xff") for pid in (VIDEO_PID, KLV_PID)]
    for _ in range(40):
        packet = chance.choice(empty)
        ts.insert(chance.randrange(2, len(ts)), packet[:3] + bytes([0x20 | chance.randrange(16)]) + packet[4:])
    lane = lane_of(ts)
    assert faults(lane) == {}
    assert lane.counters.packets == 10


@pytest.mark.parametrize("payload", [True, False])
@pytest.mark.parametrize("pid", [VIDEO_PID, KLV_PID])
def test_an_announced_jump_of_a_counter_is_no_error(pid: int, payload: bool) -> None:
    """discontinuity_indicator, in the packet that jumps or in one without payload before it."""
    wire = Clocked()
    ts = [packet for slot in wire.slots(0, SECOND) for packet in slot.ts]
    wire.counters[pid] += 5
    jump = bytes([0x47, pid >> 8, pid & 255, 0x20 | wire.counters[pid] & 15, 183, 0x80]) + b"\xff" * 182
    if payload:
        (short,) = wire._one(pid, b"\xff" * 150, False),
        jump = short[:5] + bytes([short[5] | 0x80]) + short[6:]
    ts += [jump, *(packet for slot in wire.slots(SECOND, 2 * SECOND) for packet in slot.ts)]
    assert faults(lane_of(ts)) == {}


def test_an_announced_jump_ends_an_incomplete_packet() -> None:
    """KLV around it is not valid: what lay between is unknown."""
    wire = Clocked()
    ts = wire.tables(*STREAMS)
    begun = wire.pes(klv_packet(1, 400))
    jump = bytes([0x47, KLV_PID >> 8, KLV_PID & 255, 0x2B, 183, 0x80]) + b"\xff" * 182
    behind = begun[2][:3] + bytes([begun[2][3] & 0xF0 | 0x0C]) + begun[2][4:]
    lane = Lane(ts=True)
    entries = lane.packets(b"".join([*ts, *begun[:2], jump, behind, *[NULL] * 5]))
    assert [entry[5] for entry in entries] == ["damaged"]
    assert "discontinuities" not in faults(lane)


def test_null_packets_have_no_counter() -> None:
    """Stuffing may have any counter."""
    ts, chance = packets(), random.Random(1)
    for _ in range(300):
        ts.insert(chance.randrange(len(ts)), NULL[:3] + bytes([0x10 | chance.randrange(16)]) + NULL[4:])
    assert faults(lane_of(ts)) == {}


@pytest.mark.parametrize("pid", [VIDEO_PID, 0, PMT_PID])
def test_a_packet_that_is_marked_as_damaged_is_counted_and_not_read(pid: int) -> None:
    """transport_error_indicator: one error, and none more for the missing data."""
    ts = packets()
    at = places(ts, pid)[3]
    ts[at] = flagged(ts[at], error=True)
    assert faults(lane_of(ts)) == {"transport_errors": 1}


@pytest.mark.parametrize("pid", [0x1FFF, 0x0777, AUDIO_PID])
def test_a_damaged_packet_may_belong_to_any_pid(pid: int) -> None:
    """A KLV packet with a damaged PID: its KLV packet is damaged, and no new stream is found."""
    ts = packets()
    at = places(ts, KLV_PID)[7]
    ts[at] = flagged(bytes([0x47, ts[at][1] & 0xE0 | pid >> 8, pid & 255]) + ts[at][3:], error=True)
    lane = Lane(ts=True)
    entries = lane.packets(b"".join(ts))
    assert [entry[5] for entry in entries] == ["ok"] * 2 + ["damaged"] + ["ok"] * 7
    assert faults(lane)["transport_errors"] == 1


def test_a_stream_is_not_found_by_a_damaged_packet() -> None:
    """A key in a packet that is marked as damaged, or scrambled, does not add its PID."""
    for marked in ({"error": True}, {"scrambled": 2}):
        wire = Clocked()
        ts = wire.tables((ASYNC, 0x300, b""), *STREAMS)
        ts += [flagged(packet, **marked) for packet in wire.pes(klv_packet(99), 0x300)]
        lane = Lane(ts=True)
        entries = lane.packets(b"".join([*ts, *wire.pes(klv_packet(1)), *[NULL] * 4]))
        assert [entry[0] for entry in entries] == [klv_packet(1)]


def test_scrambled_packets_are_counted() -> None:
    """On any PID; those of the PAT and a PMT are errors of these tables."""
    ts = packets()
    for pid, wanted in ((VIDEO_PID, {}), (0, {"pat_errors": 1}), (PMT_PID, {"pmt_errors": 1})):
        spoilt = list(ts)
        at = places(ts, pid)[3]
        spoilt[at] = flagged(spoilt[at], scrambled=2)
        assert faults(lane_of(spoilt)) == {"scrambled": 1, **wanted}


@pytest.mark.parametrize("pid", [VIDEO_PID, AUDIO_PID, KLV_PID])
def test_swapped_packets_are_continuity_errors(pid: int) -> None:
    """Two neighbours of one PID are swapped: detected, and never valid KLV."""
    ts = packets()
    for first, second in zip(places(ts, pid)[4:9], places(ts, pid)[5:10], strict=True):
        spoilt = list(ts)
        spoilt[first], spoilt[second] = ts[second], ts[first]
        lane = Lane(ts=True)
        entries = lane.packets(b"".join(spoilt))
        assert lane.counters.continuity_errors >= 2
        assert {entry[0] for entry in entries if entry[5] == "ok"} <= {klv_packet(n, 400) for n in range(10)}
        assert (lane.counters.damaged > 0) == (pid == KLV_PID)


@BOTH
def test_a_stream_may_be_joined_anywhere(arrival: bool) -> None:
    """From each TS packet on, and from the middle of it: nothing is an error before the lane is synchronised."""
    slots = Clocked().slots(0, SECOND)
    for at in range(0, len(slots[0].ts + slots[1].ts + slots[2].ts)):
        ts = [packet for slot in slots for packet in slot.ts][at:]
        ts[0] = ts[0][at * 37 % 188 :]
        whole, lane = b"".join(ts), Lane(ts=True)
        for begin in range(0, len(whole), 1316):
            lane.packets(whole[begin : begin + 1316], 10**15 + begin * 20 if arrival else None)
        assert faults(lane) == {}, at


@BOTH
def test_losses_at_a_break_are_no_errors(arrival: bool) -> None:
    """Datagrams lost, or a sender that restarts, as the source reports: counters, tables and clocks start again."""
    slots = Clocked().slots(0, 12 * SECOND)
    lane = Lane(ts=True)
    fed(slots[:150], arrival=arrival, lane=lane)
    lane.cut()
    fed(slots[190:], arrival=arrival, lane=lane)
    fed([], arrival=arrival, lane=lane)
    lane.cut()
    entries, _ = fed(Clocked().slots(0, 3 * SECOND), arrival=arrival, lane=lane)
    assert faults(lane) == {}
    assert len(entries) == 30


@BOTH
def test_where_sync_is_lost_nothing_else_is(arrival: bool) -> None:
    """Junk instead of a second of the stream: the loss is counted, and nothing that follows from it."""
    slots = Clocked().slots(0, 4 * SECOND)
    lane, junk = Lane(ts=True), random.Random(3).randbytes(5000).replace(b"\x47", b"\x48")
    fed(slots[:51], arrival=arrival, lane=lane)
    lane.packets(junk, 10**15 if arrival else None)
    fed(slots[100:], arrival=arrival, lane=lane)
    found = faults(lane)
    assert found.pop("sync_losses") == 1
    assert found.pop("discontinuities", 1) == 1
    assert found == {}


def test_a_wrong_sync_byte_costs_its_packet() -> None:
    """Counted as one sync error, and the unread packet as missing."""
    ts = packets()
    at = places(ts, VIDEO_PID)[9]
    ts[at] = b"\x46" + ts[at][1:]
    assert faults(lane_of(ts)) == {"sync_losses": 1, "sync_byte_errors": 1, "continuity_errors": 1}


@BOTH
@pytest.mark.parametrize("table", ["pat", "pmt"])
@pytest.mark.parametrize(("missing", "wanted"), [(300_000, 0), (500_000, 1), (3_000_000, 1)])
def test_a_table_that_is_missing_for_half_a_second_is_one_error(
    table: str, missing: int, wanted: int, arrival: bool
) -> None:
    """However long it is missing, and once more the next time; a repetition every 0.5 s is none."""
    first, second = (between(begin, begin + missing, table) for begin in (2 * SECOND, 8 * SECOND))
    slots = Clocked().slots(0, 12 * SECOND, leave=lambda us: [*first(us), *second(us)])
    _, lane = fed(slots, arrival=arrival)
    assert faults(lane) == ({f"{table}_errors": 2} if wanted else {})


@BOTH
def test_tables_at_the_limit_are_in_time(arrival: bool) -> None:
    """Every 0.5 s, as in the standard."""
    slots = Clocked().slots(0, 10 * SECOND, leave=lambda us: ("pat", "pmt") if us % 500_000 else ())
    assert faults(fed(slots, arrival=arrival)[1]) == {}


@BOTH
def test_a_missing_table_is_reported_while_it_is_missing(arrival: bool) -> None:
    """Not only when it returns: in a stream without any, too."""
    for table in ("pat", "pmt"):
        slots = Clocked().slots(0, 2 * SECOND, leave=lambda _: (table,))  # noqa: B023 - used at once
        assert faults(fed(slots, arrival=arrival)[1]) == {f"{table}_errors": 1}


def test_another_table_on_the_pats_pid_is_an_error() -> None:
    """With its CRC or without one; on a PMT's PID others are allowed."""
    for table in (section(0x42, b"\0\1\xc1\0\0abc"), b"\x70\x70\x0c" + b"x" * 12):
        for pid, wanted in ((0, {"pat_errors": 1}), (PMT_PID, {})):
            wire = Clocked()
            ts = wire.tables(*STREAMS) + wire.carry(pid, b"\0" + table) + wire.pes(klv_packet(1)) + [NULL] * 4
            lane = lane_of(ts)
            assert faults(lane) == wanted
            assert lane.counters.packets == 1


@pytest.mark.parametrize("pid", [0, PMT_PID])
def test_a_table_whose_crc_is_wrong_is_counted_each_time(pid: int) -> None:
    """A flipped bit anywhere in it, even where the table itself is known: it is ignored, and the next one is read."""
    for place in range(9):
        wire = Clocked()
        good, again, last = (wire.tables(*STREAMS) for _ in range(3))
        at = 0 if pid == 0 else 1
        spoilt = bytearray(again[at])
        spoilt[len(spoilt) - 4 - place] ^= 0x10
        again[at] = bytes(spoilt)
        lane = lane_of(good + again + last + wire.pes(klv_packet(1)) + [NULL] * 4)
        assert faults(lane) == {"crc_errors": 1}, place
        assert lane.counters.packets == 1


@BOTH
@pytest.mark.parametrize("name", ["audio", "klv"])
@pytest.mark.parametrize(("missing", "wanted"), [(4_800_000, 0), (5_300_000, 1), (9_000_000, 1)])
def test_a_missing_listed_pid_is_one_error(
    name: str, missing: int, wanted: int, arrival: bool
) -> None:
    """For more than five seconds, however long; and it may return."""
    slots = Clocked().slots(0, 13 * SECOND, leave=between(2 * SECOND, 2 * SECOND + missing, name))
    assert faults(fed(slots, arrival=arrival)[1]) == ({"pid_errors": 1} if wanted else {})


@BOTH
def test_the_time_that_a_pid_may_be_missing_is_configurable(arrival: bool) -> None:
    """Half a second; a PID that never came is missing too, from when it was listed."""
    slots = Clocked().slots(0, 3 * SECOND, leave=lambda _: ("audio",))
    for absent, wanted in ((500_000, {"pid_errors": 1}), (4_000_000, {}), (2**62, {})):
        _, lane = fed(slots, arrival=arrival, lane=Lane(ts=True, absent_us=absent))
        assert faults(lane) == wanted


@pytest.mark.parametrize("versions", [1, 8])
def test_a_pid_for_the_clock_alone_is_monitored(versions: int) -> None:
    """PCR_PID without a stream: missing like any other, even where the PMT changes meanwhile."""
    wire = Clocked()
    slots = []
    for us in range(0, 8 * SECOND, 20_000):
        version = us // SECOND % versions
        parts = {"tables": wire.tables(STREAMS[2], version=version)} if us % 100_000 == 0 else {}
        parts["klv"] = wire.pes(klv_packet(us))
        if us < SECOND:
            parts["pcr"] = [wire.pcr(us)]
        slots.append(Slot(us, parts))
    assert faults(fed(slots, arrival=True)[1]) == {"pid_errors": 1}


def silent(line: list[Slot], at: int, long: int) -> list[Slot]:
    """No data for a while; then the stream continues."""
    return [slot if slot.us < at else Slot(slot.us + long, slot.parts) for slot in line]


@pytest.mark.parametrize("long", [600_000, 4 * SECOND, 3600 * SECOND, -2 * SECOND, -3600 * SECOND])
def test_silence_or_a_clock_that_was_set_is_no_table_error(long: int) -> None:
    """No bytes for a while, or the system clock was set, forward or back."""
    slots = silent(Clocked().slots(0, 6 * SECOND), 3 * SECOND, long)
    entries, lane = fed(slots, arrival=True)
    assert faults(lane) == {}
    assert len(entries) == 60


def test_bursts_are_no_table_error() -> None:
    """All of each second at its end, as over TCP."""
    slots = [Slot(slot.us // SECOND * SECOND + SECOND, slot.parts) for slot in Clocked().slots(0, 10 * SECOND)]
    assert faults(fed(slots, arrival=True)[1]) == {}


MOVED = (*STREAMS[:2], (ASYNC, 0x201, KLVA))
RETYPED = ((0x24, VIDEO_PID, b""), (0x11, AUDIO_PID, b""), (SYNC, KLV_PID, b""))
DROPPED = (STREAMS[0], STREAMS[2])


@BOTH
@pytest.mark.parametrize("streams", [MOVED, RETYPED, DROPPED], ids=["moved", "retyped", "dropped"])
def test_a_new_pmt_is_no_error(streams: tuple[tuple[int, int, bytes], ...], arrival: bool) -> None:
    """KLV on another PID, another codec on each, audio that ends: new streams may begin with any counter."""
    wire = Clocked()
    slots = wire.slots(0, 2 * SECOND)
    if streams is not DROPPED:
        wire.counters |= {VIDEO_PID: 11, AUDIO_PID: 3} if streams is RETYPED else {0x201: 9}
    slots += wire.slots(2 * SECOND, 10 * SECOND, streams=streams)
    entries, lane = fed(slots, arrival=arrival)
    assert faults(lane) == {}
    assert len(entries) == 100


def test_a_pmt_that_moves_is_no_error() -> None:
    """To another PID: the old one is no longer expected."""
    wire = Clocked()
    slots = wire.slots(0, 2 * SECOND)
    for slot in wire.slots(2 * SECOND, 8 * SECOND, leave=lambda _: ("pat", "pmt")):
        tables = wire.tables(*STREAMS, version=1, pmt=0x1234) if slot.us % 100_000 == 0 else []
        slots.append(Slot(slot.us, {"tables": tables, **slot.parts}))
    entries, lane = fed(slots, arrival=True)
    assert faults(lane) == {}
    assert len(entries) == 80


def test_pmts_with_more_streams_than_are_monitored_do_no_harm() -> None:
    """A hundred streams in a PMT, twelve programs: the first ones are monitored."""
    wire = Clocked()
    many = pmt(*((0x0F, 0x400 + n, b"") for n in range(100)), STREAMS[2])
    ts = wire.carry(0, b"\0" + pat((1, PMT_PID), *((n, 0x1100 + n) for n in range(2, 14))))
    ts += wire.carry(PMT_PID, b"\0" + many) + wire.pes(klv_packet(1))
    for n in range(2, 14):
        ts += wire.carry(0x1100 + n, b"\0" + pmt((0x1B, 0x600 + n, b""), program=n))
    slots = [Slot(us, {"ts": ts if us == 0 else [NULL] * 7}) for us in range(0, 6 * SECOND, 20_000)]
    found = faults(fed(slots, arrival=True)[1])
    assert found == {"pat_errors": 1, "pmt_errors": 8, "pid_errors": 64}


def test_a_pmt_has_half_a_second_after_the_pat_lists_it() -> None:
    """Even late in a stream."""
    wire = Clocked()
    slots = wire.slots(0, 2 * SECOND)
    for slot in wire.slots(2 * SECOND, 3 * SECOND, leave=lambda _: ("pat", "pmt")):
        tables = wire.tables(*STREAMS, version=1, pmt=0x1234) if slot.us % 100_000 == 0 else []
        slots.append(Slot(slot.us, {"tables": tables[: 1 + (slot.us >= 2_300_000)], **slot.parts}))
    assert faults(fed(slots, arrival=True)[1]) == {}


def test_a_stream_of_two_programs_stays_listed_until_both_pmts_drop_it() -> None:
    """A private one is searched for KLV meanwhile."""
    wire, private = Clocked(), (ASYNC, 0x1F0, b"")
    ts = wire.carry(0, b"\0" + pat((1, PMT_PID), (2, 0x1200)))
    ts += wire.carry(PMT_PID, b"\0" + pmt(private)) + wire.carry(0x1200, b"\0" + pmt(private, program=2))
    found = []
    for number, (pid, program) in enumerate(((0x1200, 2), (PMT_PID, 1)), 1):
        ts += wire.carry(pid, b"\0" + pmt((0x1B, 0x600, b""), program=program, flags=0xC1 | 2 * number))
        ts += wire.pes(b"text", 0x1F0) + [NULL] * 4
        found.append(lane_of(ts).counters.private_packets)
    assert found == [1, 1]


def test_a_program_that_ends_is_not_missing() -> None:
    """A PAT without it: neither its PMT nor its streams are expected any more."""
    wire = Clocked()
    second = wire.carry(0x1200, b"\0" + pmt((0x1B, 0x500, b""), program=2))
    slots = [Slot(0, {"ts": wire.carry(0, b"\0" + pat((1, PMT_PID), (2, 0x1200))) + second})]
    slots += wire.slots(20_000, 9 * SECOND)
    assert faults(fed(slots, arrival=True)[1]) == {}


@pytest.mark.parametrize("kind", [ASYNC, SYNC])
def test_klv_without_a_checksum_is_not_good_where_others_lost_packets(kind: int) -> None:
    """Sixteen lost packets wrap the counter: the video shows it, where no checksum does."""

    def sent(number: int) -> bytes:
        return packet("ST0102", local_set([(2, bytes([65 + number]) * 90), (3, bytes([97 + number]) * 500)]))

    wire, ts, chance = Clocked(), [], random.Random(kind)
    for number in range(20):
        ts += wire.tables((0x1B, VIDEO_PID, b""), (kind, KLV_PID, KLVA))
        payload = cell(sent(number), number) if kind == SYNC else sent(number)
        for part in wire.pes(payload, sid=0xFC):
            ts += [*wire.carry(VIDEO_PID, b"v" * 184 * chance.randrange(1, 6)), part]
    whole = {sent(number) for number in range(20)}
    ours = places(ts, KLV_PID)
    hidden = 0
    for first in range(1, len(ours) - 20):
        begin, end = ours[first], ours[first + 16]
        behind = end - chance.randrange(1, 3)  # one video packet is left before the KLV
        if sum(pid_of(part) == VIDEO_PID for part in ts[begin:behind]) % 16 == 0:
            continue  # its counter shows no loss either
        lane = Lane(ts=True)
        entries = lane.packets(b"".join([*ts[:begin], *ts[behind:]]))
        lane.cut()
        entries += lane.packets(b"")
        assert {entry[0] for entry in entries if entry[5] == "ok"} <= whole, first
        hidden += any(entry[5] == "damaged" for entry in entries)
        assert len([entry for entry in entries if entry[5] == "ok"]) >= 14
    assert hidden > 10


def repeated(*, stuffing: bool, lost: int, wide: int = 0) -> tuple[str, Counters]:
    """A set without a checksum, after which so many video packets are missing: its verdict and the counters.

    wide packets of another PID between the video before and after the gap
    """
    wire, chance = Clocked(), random.Random(lost)
    ts = wire.tables((0x1B, VIDEO_PID, b""), (0x0F, AUDIO_PID, b""), (ASYNC, KLV_PID, KLVA))
    video = wire.carry(VIDEO_PID, b"\xff" * 184 * 60 if stuffing else chance.randbytes(184 * 60))
    klv = wire.pes(packet("ST0102", local_set([(3, b"c" * 700)])), pts=9)
    ts += [*video[:20], *klv, *wire.carry(AUDIO_PID, chance.randbytes(184 * wide) or b"a"), *video[20 + lost :]]
    lane = Lane(ts=True)
    (entry,) = lane.packets(b"".join(ts))
    return entry[5], lane.counters


@each_case("wide", [0, 4])
@each_case("stuffing", [False, True])
@each_case("lost", [1, 14, 15, 31])
def test_a_number_that_repeats_hides_no_loss(lost: int, stuffing: bool, wide: int) -> None:
    """Fifteen lost packets of video wrap its counter to the last value: the bytes differ, or do not show it."""
    verdict, counters = repeated(stuffing=stuffing, lost=lost, wide=wide)
    assert verdict == "damaged"
    assert counters.continuity_errors == (0 if stuffing and lost % 16 == 15 else 1)
    assert counters.discontinuities == 0


@pytest.mark.parametrize("apart", [0, 1, 5, 14, 15, 16])
def test_a_video_packet_repeated_within_16_packets_casts_no_doubt(apart: int) -> None:
    """In one piece or in many, even with another PCR in it; a later repetition is a continuity error."""
    twice = apart < 16
    for size in (188, 500, 10**6):
        wire, chance = Clocked(), random.Random(apart)
        ts = wire.tables((0x1B, VIDEO_PID, b""), (0x0F, AUDIO_PID, b""), (ASYNC, KLV_PID, KLVA))
        ts += wire.pes(packet("ST0102", local_set([(3, b"c" * 700)])), pts=9)
        (first,) = wire.carry(VIDEO_PID, chance.randbytes(120))
        clock = first[:4] + bytes([first[4], 0x10]) + chance.randbytes(6) + first[12:]
        again = first[:4] + bytes([first[4], 0x10]) + chance.randbytes(6) + first[12:]
        ts += [clock, *wire.carry(AUDIO_PID, chance.randbytes(184 * apart)), again]
        ts += wire.carry(VIDEO_PID, chance.randbytes(184 * 9))
        data, lane = b"".join(ts), Lane(ts=True)
        entries = [entry for at in range(0, len(data), size) for entry in lane.packets(data[at : at + size])]
        assert [entry[5] for entry in entries] == ["ok"]
        assert (lane.counters.duplicates, lane.counters.continuity_errors) == (twice, not twice)


def test_counters_of_two_lanes_are_combined() -> None:
    """Counts are added; the larger of two measures is kept."""
    one = Counters(packets=3, continuity_errors=2, pcr_jitter_us=40, pcr_jitter_max_us=900)
    two = Counters(packets=4, pat_errors=1, pcr_jitter_us=70, pcr_jitter_max_us=100)
    assert one + two == two + one
    assert one + two == Counters(7, continuity_errors=2, pat_errors=1, pcr_jitter_us=70, pcr_jitter_max_us=900)


# ---- the numpy counts of `klvrelay probe` as a reference ----


def opinion(ts: bytes) -> dict[str, int]:
    """The same counts by the probe's own code, for streams without repetitions."""
    rows = np.frombuffer(ts, np.uint8).reshape(-1, 188)
    pids, counts, clock = pids_of(rows), PidCounts(), StreamClock()
    counts.take(rows, pids)
    clock.take(rows, pids, 0)
    repeats = [stats.freeze() for stats in clock.stats.values()]
    found = {
        "continuity_errors": counts.gaps.sum(),
        "transport_errors": counts.errors.sum(),
        "scrambled": counts.scrambled.sum(),
        "pcr_repetition_errors": sum(r.late for r in repeats),
        "pcr_discontinuity_errors": sum(stats.jumps for stats in clock.stats.values()),
    }
    return {name: int(count) for name, count in found.items() if count}


@pytest.mark.parametrize("name", ["osh_sample_stream", "h264_klv", "h264_no_klv", "aphill_klv_10s"])
def test_the_probe_counts_the_same_in_real_recordings(name: str, shared: Path) -> None:
    """Whole, and twenty times with a hundredth of its packets scrambled and another one lost."""
    data = (shared / "data" / f"{name}.ts").read_bytes()
    ts = [data[at : at + 188] for at in range(0, len(data), 188)]
    assert faults(lane_of(ts)) == opinion(data)
    ours = {"discontinuities", "damaged", "bad_checksum", "pat_errors", "pmt_errors", "pid_errors"}
    compared = 0
    for seed in range(20):
        chance = random.Random(seed)
        spoilt = [flagged(p, scrambled=2) if n > 12 and chance.random() < 0.01 else p for n, p in enumerate(ts)]
        lossy = spoilt[:12] + [p for p in spoilt[12:] if pid_of(p) == 0x1FFF or chance.random() > 0.01]
        if not {0, 15} & set(hidden_runs(spoilt, lossy)):
            found = {key: count for key, count in faults(lane_of(lossy)).items() if key not in ours}
            assert found == opinion(b"".join(lossy)), seed
            compared += "continuity_errors" in found and "scrambled" in found
    assert compared > 10


def hidden_runs(ts: Sequence[bytes], lossy: Sequence[bytes]) -> list[int]:
    """How many packets with payload were lost in a row, on any PID, modulo 16: what the counter cannot show."""
    kept, runs = {id(p) for p in lossy}, []
    lost: dict[int, int] = {}
    for p in ts:
        if not p[3] & 0x10:
            continue
        if id(p) in kept:
            runs.append(lost.pop(pid_of(p), 1) % 16)
        else:
            lost[pid_of(p)] = lost.get(pid_of(p), 0) + 1
    return runs


def test_json_lines_count_as_packets_do() -> None:
    """The direct way to text passes arrival times to the lane, too."""
    lanes = Lane(ts=True), Lane(ts=True)
    for slot in Clocked().slots(0, 3 * SECOND, leave=between(SECOND, 2 * SECOND, "pat", "audio")):
        lanes[0].packets(b"".join(slot.ts), EPOCH + slot.us)
        lanes[1].lines(b"".join(slot.ts), Decoder("uav1", None), EPOCH + slot.us)
    assert faults(lanes[0]) == {"pat_errors": 1}
    assert faults(lanes[1]) == {"pat_errors": 1, "unknown_items": 30}  # known where text is made
    assert lanes[0].counters.pcr_jitter_max_us == lanes[1].counters.pcr_jitter_max_us
