"""Each row of the tables of states and events in `native/hold.c` and `native/wait.c` that no other test covers.

`test_lane_waits.py` has the common ones, `test_lane_unlisted.py` those of an unlisted PID.
"""

from __future__ import annotations

import pytest
from packet_wrapping import ber, universal_key
from test_lane import KLV_PID, NULL, klv_packet
from test_lane_waits import CONFIRMATIONS, US, VIDEO_PID, Feed, unknown, unsummed

from klvrelay.core import Lane

UNLISTED = 0x1AB
SPARE = 8192
HEAD = 9
"""Bytes of a PES packet before its payload, where it has no PTS."""
STEP = 3000
PTS_PACKETS = 4000


def steady(count: int = 6) -> Feed:
    """A lane that knows the usual step of the PTS, without arrival times: `count` sets, each of several TS packets."""
    feed = Feed()
    for n in range(count):
        feed(*feed.wire.pes(unsummed(n), pts=STEP * n), *feed.video(CONFIRMATIONS))
    return feed


def waiting(behind: int) -> tuple[Feed, bytes]:
    """The same plus one set, with so many TS packets after it."""
    feed, sent = steady(6), unsummed(6)
    assert feed(*feed.wire.pes(sent, pts=6 * STEP), *feed.video(behind)) == [unsummed(5)]
    return feed, sent


def lost(feed: Feed, pid: int = VIDEO_PID, count: int = 1) -> None:
    """So many TS packets of a PID are lost."""
    feed.wire.carry(pid, b"v" * 184 * count)


def test_in_a_file_it_waits_for_the_next_pts() -> None:
    """Where the step of the PTS is known, eight TS packets are not enough; the beginning of the next PES packet is."""
    feed, sent = waiting(5 * CONFIRMATIONS)
    first, *_ = feed.wire.pes(unsummed(7), pts=7 * STEP)
    assert feed.verdicts(first) == [(sent, "ok")]


def test_a_late_next_pts_makes_it_damaged() -> None:
    """Its end may have been lost with the PES packets between."""
    feed, sent = waiting(CONFIRMATIONS)
    first, *_ = feed.wire.pes(unsummed(7), pts=9 * STEP)
    assert feed.verdicts(first) == [(sent, "damaged")]


def test_it_waits_for_the_next_pts_for_so_many_ts_packets_and_no_more() -> None:
    """A stream that pauses is no reason to delay its last packet; null packets do not count."""
    feed, sent = waiting(CONFIRMATIONS)
    assert feed(*[NULL] * 100, *feed.video(PTS_PACKETS - 1), *[NULL] * 100) == []
    assert feed(*feed.video(1)) == [sent]


def test_a_loss_after_the_eighth_ts_packet_does_not_count() -> None:
    """While it waits for the next PTS."""
    feed, sent = waiting(CONFIRMATIONS)
    lost(feed)
    assert feed(*feed.video(3)) == []
    first, *_ = feed.wire.pes(unsummed(7), pts=7 * STEP)
    assert feed.verdicts(first) == [(sent, "ok")]


def test_with_arrival_times_it_does_not_wait_for_the_next_pts() -> None:
    """Live data is not delayed by a whole step."""
    feed, sent = waiting(0)
    assert feed(*feed.video(CONFIRMATIONS - 1), us=US) == []
    assert feed(*feed.video(1), us=US) == [sent]


def test_arrival_times_that_begin_end_the_wait_for_a_pts() -> None:
    """The next TS packet releases it."""
    feed, sent = waiting(2 * CONFIRMATIONS)
    assert feed(*feed.video(1), us=US) == [sent]


def test_a_pts_that_goes_back_makes_the_waiting_set_damaged() -> None:
    """In a stream whose PTS never did: TS packets of both PES packets may be mixed."""
    feed, sent = waiting(0)
    first, *_ = feed.wire.pes(unsummed(7), pts=2 * STEP)
    assert feed.verdicts(first, *feed.video(CONFIRMATIONS)) == [(sent, "damaged")]


def test_a_loss_releases_the_waiting_set_at_once() -> None:
    """As damaged, and whole; the set after it is the next one."""
    feed, sent = Feed(), [unsummed(1), unsummed(2)]
    assert feed(*feed.wire.pes(sent[0], pts=1)) == []
    lost(feed, KLV_PID)
    found = feed.verdicts(*feed.wire.pes(sent[1], pts=2), *feed.video(CONFIRMATIONS))
    assert [verdict for _, verdict in found] == ["damaged", "ok"]
    assert [raw for raw, _ in found] == sent


def test_a_loss_while_a_pid_is_not_proven_makes_the_waiting_set_damaged() -> None:
    """It then waits for the proof: another PES packet of the PID that begins with a key."""
    feed, sent, unlisted = Feed(), [unsummed(1), unsummed(2)], 0x1AB
    first, second = (feed.wire.pes(one, unlisted, pts=n) for n, one in enumerate(sent))
    assert feed(*first) == []
    lost(feed)
    assert feed(*feed.video(CONFIRMATIONS)) == []
    assert feed.verdicts(*second, *feed.video(CONFIRMATIONS)) == [(sent[0], "damaged"), (sent[1], "ok")]


def test_a_bad_sync_byte_before_a_packet_of_the_pid_makes_the_waiting_set_damaged() -> None:
    """The lost packet may have been of the PID. The wait continues."""
    feed, sent = Feed(), [unsummed(1), unsummed(2)]
    assert feed(*feed.wire.pes(sent[0], pts=1)) == []
    first, *rest = feed.wire.pes(sent[1], pts=2)
    assert feed(b"\0" + NULL[1:] + first, rest[0]) == []
    assert feed.verdicts(*rest[1:], *feed.video(2 * CONFIRMATIONS)) == [(sent[0], "damaged"), (sent[1], "ok")]


def pieces(feed: Feed, data: bytes, *, delay: int = 0, at: int, n: int) -> list[tuple[bytes, str]]:
    """A PES packet, its TS packets at one time, except those after a delay in the middle."""
    parts = feed.wire.pes(data, pts=STEP * n)
    half = len(parts) // 2
    entries = [entry for part in parts[:half] for entry in feed.lane.packets(part, at)]
    entries += [entry for part in parts[half:] for entry in feed.lane.packets(part, at + delay)]
    entries += [entry for part in feed.video(CONFIRMATIONS) for entry in feed.lane.packets(part, at + delay)]
    return [(entry[0], entry[5]) for entry in entries]


def test_a_pause_within_a_pes_packet_makes_it_damaged() -> None:
    """In a stream whose PES packets arrive at once, a pause of a whole step: sixteen TS packets may be missing, which
    no counter shows.

    A pause of the usual length shows nothing.
    """
    feed, gap = Feed(), 33_333
    sent = [unsummed(n % 9, 4000) for n in range(12)]
    for n, one in enumerate(sent[:10]):
        assert pieces(feed, one, at=US + n * gap, n=n) == [(one, "ok")]
    assert pieces(feed, sent[10], delay=2 * gap, at=US + 10 * gap, n=10) == [(sent[10], "damaged")]
    assert pieces(feed, sent[11], at=US + 13 * gap, n=11) == [(sent[11], "ok")]


def test_the_second_pes_packet_after_it_releases_it() -> None:
    """The times of one following packet are stored, not of two: each is output with its own."""
    feed, sent = Feed(), [unsummed(n, 200) for n in range(4)]
    entries = []
    for n, one in enumerate(sent[:3]):
        entries += [entry for part in feed.wire.pes(one, pts=n) for entry in feed.lane.packets(part, US + n)]
    assert [(entry[0], entry[1], entry[6]) for entry in entries] == [(sent[0], 0, US)]


def test_the_buffer_of_an_unproven_pid_is_bounded() -> None:
    """An unlisted PID began with a key once, and continues with other bytes: they are skipped, not stored."""
    feed, sent = Feed(), klv_packet(1)
    unlisted = 0x1AB
    parts = [*feed.wire.pes(sent, unlisted), *feed.wire.carry(unlisted, b"\0\0\1\xbd\0\0\x84\0\0" + b"n" * 3_000_000)]
    assert feed(*parts) == [sent]
    assert feed.lane.counters.passed_over > 1_000_000


def test_a_truncated_fill_item_is_skipped() -> None:
    """A packet inside it proves that it ends there: it is counted in bytes, not as Fill. The packet is output."""
    feed, sent = Feed(), klv_packet(2)
    fill = bytes.fromhex("060e2b34010101020301021001000000") + ber(600) + b"\0" * 300
    found = feed.verdicts(*feed.wire.pes(fill + sent + b"\0" * 400, pts=1), *feed.video(CONFIRMATIONS))
    assert found == [(sent, "ok")]
    counters = feed.lane.counters
    assert (counters.fill, counters.fill_bytes, counters.passed_over >= len(fill)) == (0, 0, True)


@pytest.mark.parametrize("last", [b"b", b"\x06", b"\x06\x0e\x2b"])
def test_a_damaged_unit_of_bare_klv_is_the_one_that_was_marked(last: bytes) -> None:
    """The end of a unit that may begin a key is held until the next unit, which has its own mark."""
    unit = (universal_key("ST0102") or b"") + bytes([2 + len(last), 3, len(last)]) + last
    lane = Lane(ts=False)
    entries = []

    for damaged in (False, True, False):
        lane.mark(None, None, None, 0, damaged)
        entries += lane.packets(unit)
    lane.cut()
    entries += lane.packets(b"")

    assert [bytes(entry[0]) for entry in entries] == [unit] * 3
    assert [entry[5] for entry in entries] == ["ok", "damaged", "ok"]


def test_a_hold_that_is_full_to_the_last_byte_waits_for_nothing() -> None:
    """The rest of a PES packet cannot be awaited then: the set is output once its PID is proven, without that end."""
    feed, sent, limit = Feed(), unsummed(1, 300), 1000
    feed.lane = Lane(ts=True, limit=limit)
    feed(*feed.wire.tables((0x1B, VIDEO_PID, b"")), *feed.video(4))
    assert feed(*feed.wire.pes(sent, UNLISTED)) == []
    room = limit + limit // 8 + SPARE + 1 - len(sent)
    assert feed(*feed.wire.pes(b"\xff" * (room - (184 - HEAD)), UNLISTED)) == []

    proof, *_ = feed.wire.pes(unknown(2, 900), UNLISTED)
    assert feed.verdicts(proof) == [(sent, "ok")]


def test_hundreds_of_pes_packets_after_a_waiting_one_change_no_time() -> None:
    """A set behind it came when its own PES packet was complete, however many follow that begin without a whole key and
    so do not prove their PID.
    """
    feed, sets = Feed(), [unsummed(n, 300) for n in range(3)]
    feed.lane = Lane(ts=True)
    feed(*feed.wire.tables((0x1B, VIDEO_PID, b"")), *feed.video(4), *feed.wire.pes(sets[0], UNLISTED), us=US)
    second = b"\0\0\1\xbd" + (HEAD - 6 + len(sets[1])).to_bytes(2) + b"\x84\0\0" + sets[1]
    head, rest = second[: HEAD + 5], second[HEAD + 5 :]
    parts = feed.wire.carry(UNLISTED, head) + [unstarted(part) for part in feed.wire.carry(UNLISTED, rest)]
    assert feed(*parts, us=US + 1000) == []
    for _ in range(300):
        assert feed(*feed.wire.pes(b"\xff" * 20, UNLISTED), us=US + 2000) == []

    last = [*feed.wire.pes(sets[2], UNLISTED), *feed.video(CONFIRMATIONS)]
    found = [entry for one in last for entry in feed.lane.packets(one, US + 3000)][:2]
    assert [(entry[0], entry[6]) for entry in found] == [(sets[0], US), (sets[1], US + 1000)]


def unstarted(packet: bytes) -> bytes:
    """The same TS packet without payload_unit_start_indicator."""
    return packet[:1] + bytes([packet[1] & ~0x40]) + packet[2:]
