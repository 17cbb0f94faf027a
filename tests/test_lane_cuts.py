"""Losses: the output from the bytes before and after one, and its times."""

from __future__ import annotations

import pytest
from test_lane import ASYNC, KLV_PID, PMT_PID, SYNC, Wire, cell, klv_packet
from test_lane_states import unstarted
from test_lane_waits import CONFIRMATIONS, SECOND_PID, US, VIDEO_PID, Feed, unknown, unsummed

from klvrelay.core import ALONE, Lane


def test_a_gap_releases_a_waiting_packet_with_an_unknown_key_like_a_known_one() -> None:
    """Whole, but doubtful: as damaged. The packet after the gap is found by its length."""
    for first, second in ((unknown(1, 500), unknown(2, 500)), (unsummed(1), unsummed(2))):
        feed = Feed()
        assert feed(*feed.wire.pes(first, pts=9)) == []
        feed.wire.carry(KLV_PID, b"lost")

        found = feed.verdicts(*feed.wire.pes(second, pts=10), *feed.video(CONFIRMATIONS))

        assert found == [(first, "damaged"), (second, "ok")]
        assert feed.lane.counters.passed_over == 0


def test_a_part_of_a_packet_with_an_unknown_key_is_skipped_at_a_gap() -> None:
    """Its length shows that more of it was to come; the known key after it counts."""
    feed, sent = Feed(), klv_packet(1, 30)
    part = unknown(1, 500)[:300]
    ts = feed.wire.pes(part, sized=False)
    feed.wire.carry(KLV_PID, b"lost")

    assert feed.verdicts(*ts, *feed.wire.pes(sent), *feed.video(CONFIRMATIONS)) == [(sent, "ok")]
    assert feed.lane.counters.passed_over == len(part)


def test_packets_of_a_pes_packet_after_a_waiting_one_have_the_times_of_its_end() -> None:
    """Not those of the TS packet that ends the wait."""
    feed, waits, behind = Feed(), unsummed(1), [klv_packet(number, 60) for number in range(3)]
    feed.lane.packets(b"", US)
    ts = [(one, US) for one in feed.wire.pes(waits, pts=9)]
    ts += [(one, US + 1000) for one in feed.wire.pes(b"".join(behind), pts=10)]
    ts += [(one, US + 3000) for one in feed.video(CONFIRMATIONS)]

    found = [entry for one, us in ts for entry in feed.lane.packets(one, us)]

    assert [entry[0] for entry in found] == [waits, *behind]
    assert [(entry[1], entry[6]) for entry in found] == [(9, US), *[(10, US + 1000)] * 3]


def test_the_next_pes_packet_but_one_has_its_own_times() -> None:
    """The stored times belong to one PES packet only."""
    feed, waits, behind = Feed(), unsummed(1), [klv_packet(number, 60) for number in range(4)]
    ts = [(one, US) for one in feed.wire.pes(waits, pts=9)]
    ts += [(one, US + 1000) for one in feed.wire.pes(b"".join(behind[:2]), pts=10)]
    ts += [(one, US + 3000) for one in feed.video(CONFIRMATIONS)]
    ts += [(one, US + 4000) for one in feed.wire.pes(b"".join(behind[2:]), pts=11)]

    found = [entry for one, us in ts for entry in feed.lane.packets(one, us)]

    assert [entry[6] - US for entry in found] == [0, 1000, 1000, 4000, 4000]


def test_two_broken_cells_in_one_ts_packet_join_nothing() -> None:
    """Parts of two packets of one length, each in a cell whose neighbour is missing, make no usable packet."""
    wire, lane = Wire(), Lane(ts=True)
    one, other, whole = unsummed(1, 60), unsummed(2, 60), unsummed(3, 10)
    payload = cell(one[:40], 1, 2) + cell(other[40:], 5, 0) + cell(whole, 6)
    (packet,) = wire.pes(payload, sid=0xFC)

    found = lane.packets(b"".join([*wire.tables((SYNC, KLV_PID, b"")), packet]))
    lane.cut()
    found += lane.packets(b"")

    assert [(entry[0], entry[5]) for entry in found] == [(one[:40] + other[40:], "damaged"), (whole, "ok")]


@pytest.mark.parametrize("breaks", [False, True])
def test_after_a_gap_or_a_break_no_access_unit_continues_in_cells(breaks: bool) -> None:
    """Incomplete cells are discarded: later data is read as it is, though its first bytes could be those of a cell that
    ends within the next packet.
    """
    feed, sent = Feed(), klv_packet(1, 30)
    feed(*feed.wire.pes(cell(klv_packet(0, 300)[:100], 1, 2)))
    if breaks:
        feed.rest()
    else:
        feed.wire.carry(KLV_PID, b"lost")
    like_a_cell = bytes([0, 2, 0x1F]) + (40).to_bytes(2) + b"junk"

    found = feed.verdicts(*feed.wire.pes(like_a_cell + sent), *feed.video(CONFIRMATIONS))

    assert (sent, "ok") in found


@pytest.mark.parametrize("ahead", [0, 5])
def test_a_packet_without_payload_that_announces_its_own_counter_cuts_nothing(ahead: int) -> None:
    """Only another counter shows that the sender continued with other payload."""
    feed, sent = Feed(), klv_packet(1, 300)
    first, *rest = feed.wire.pes(sent)
    empty = first[:3] + bytes([0x20 | (first[3] + ahead & 15), 183, 0x80]) + b"\xff" * 182
    rest = [one[:3] + bytes([one[3] & 0xF0 | (one[3] + ahead & 15)]) + one[4:] for one in rest]

    found = feed.verdicts(first, empty, *rest, *feed.video(CONFIRMATIONS)) + feed.rest()

    assert ((sent, "ok") in found) is (ahead == 0)


def test_payload_after_the_end_of_a_pes_packet_makes_it_damaged() -> None:
    """By its length it was complete: bytes were lost in it, and others were taken for its end."""
    feed, sent = Feed(), unsummed(1)
    ts = [*feed.wire.pes(sent), *map(unstarted, feed.wire.carry(KLV_PID, b"more"))]

    assert feed.verdicts(*ts, *feed.video(CONFIRMATIONS)) == [(sent, "damaged")]


def test_a_pes_packet_without_a_length_is_not_cut_by_the_next_one() -> None:
    """Its end is unknown, so nothing shows that bytes of it are missing."""
    feed, sent = Feed(), [unsummed(number) for number in range(3)]
    ts = [one for each in sent for one in feed.wire.pes(each, sized=False)]

    assert feed.verdicts(*ts, *feed.video(CONFIRMATIONS)) + feed.rest() == [(each, "ok") for each in sent]


def test_no_packet_continues_where_sync_was_lost() -> None:
    """Sixteen TS packets of the PID may have been lost there, which its counter does not show."""
    feed, one, other = Feed(), unsummed(1), unsummed(2)
    begun, rest = feed.wire.pes(one)[:1], feed.wire.pes(other)[1:]
    counters = [(begun[0][3] + 1 + n) & 15 for n in range(len(rest))]
    rest = [
        part[:3] + bytes([part[3] & 0xF0 | counter]) + part[4:] for part, counter in zip(rest, counters, strict=True)
    ]

    found = feed.verdicts(*begun, b"\0" * 1880, *feed.video(5), *rest, *feed.video(CONFIRMATIONS)) + feed.rest()

    assert feed.lane.counters.sync_losses == 1
    assert [verdict for _, verdict in found if verdict == "ok"] == []


def test_a_private_stream_is_found_by_the_beginning_of_a_key_at_the_end_of_a_ts_packet() -> None:
    """Its first four octets are enough."""
    wire, sent = Wire(), klv_packet(1, 30)
    first = wire.pes(b"j" * (184 - 9 - 4) + sent, 0x1F0)
    assert first[0].endswith(b"\x06\x0e\x2b\x34")

    found = Lane(ts=True).packets(
        b"".join([*wire.tables((ASYNC, 0x1F0, b"")), *first, *wire.carry(VIDEO_PID, b"v" * 900)])
    )

    assert [entry[0] for entry in found] == [sent]


@pytest.mark.parametrize("announced", [True, False])
def test_a_counter_that_repeats_is_out_of_place_unless_it_is_announced(announced: bool) -> None:
    """With a discontinuity_indicator the counter may take any value, also that of the previous packet."""
    feed, first, second = Feed(), klv_packet(1), klv_packet(2)
    (one,) = feed.wire.pes(first)
    (other,) = feed.wire.pes(second)
    other = other[:3] + bytes([other[3] & 0xF0 | one[3] & 0x0F, other[4], 0x80 * announced]) + other[6:]

    assert feed(one, other) == [first, second][: 1 + announced]


HOUR = 3600 * 90_000
AGAINST_WRAP = (1 << 33) - 1000


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (20 * HOUR, 20 * HOUR - 1, "damaged"),
        (20 * HOUR, 20 * HOUR - 7 * HOUR, "damaged"),
        (20 * HOUR, 20 * HOUR - 13 * HOUR, "damaged"),
        (5 * HOUR, 5 * HOUR + 7 * HOUR, "ok"),
        (5 * HOUR, 5 * HOUR + 13 * HOUR, "ok"),
        (AGAINST_WRAP, 2000, "ok"),
        (2000, AGAINST_WRAP, "damaged"),
    ],
)
def test_after_a_gap_a_pts_is_older_where_back_is_the_shorter_distance(before: int, after: int, verdict: str) -> None:
    """PTS wrap at 33 bits (26.5 hours): up to half of that behind is out of order."""
    feed, sent = Feed(), unsummed(2)
    ts = [*feed.wire.pes(unsummed(1), pts=before), *feed.video(CONFIRMATIONS)]
    feed.wire.carry(KLV_PID, b"lost")

    found = feed.verdicts(*ts, *feed.wire.pes(sent, pts=after), *feed.video(CONFIRMATIONS))

    assert found == [(unsummed(1), "ok"), (sent, verdict)]


@pytest.mark.parametrize(
    ("pid", "verdict"), [(0, "ok"), (PMT_PID, "ok"), (VIDEO_PID, "ok"), (SECOND_PID, "ok"), (0x1FE, "damaged")]
)
def test_one_loss_that_several_pids_show_is_one(pid: int, verdict: str) -> None:
    """After a gap of KLV, the next gap of another listed PID, or of a table, is that same loss: data in between is not
    doubtful.

    A gap of a PID that no table lists is another loss.
    """
    feed, sent = Feed(KLV_PID, SECOND_PID), unsummed(1)
    feed(*feed.wire.carry(0x1FE, b"x"), *feed.wire.pes(klv_packet(0), SECOND_PID), *feed.wire.pes(klv_packet(1)))
    for lost in (KLV_PID, pid):
        feed.wire.carry(lost, b"lost")
    feed(*feed.wire.pes(klv_packet(2)))
    assert feed(*feed.wire.pes(sent)) == []
    assert feed.verdicts(*feed.wire.carry(pid, b"x"), *feed.video(CONFIRMATIONS)) == [(sent, verdict)]


def test_a_pts_that_goes_back_without_a_gap_is_no_sign_of_reordering() -> None:
    """Video in decoding order does so all the time."""
    feed, sent = Feed(), [unsummed(number) for number in range(4)]
    found = []
    for one, pts in zip(sent, (9000, 6000, 12_000, 10_000), strict=True):
        found += feed.verdicts(*feed.wire.pes(one, pts=pts), *feed.video(CONFIRMATIONS))

    assert found + feed.rest() == [(one, "ok") for one in sent]


def test_directly_after_a_cut_an_unknown_key_does_not_count() -> None:
    """Though a whole packet ends there: bytes are missing between, and it does not fill its PES packet."""
    feed, sent = Feed(), unsummed(1)
    assert feed(*feed.wire.pes(sent)) == []
    feed.wire.carry(KLV_PID, b"lost")

    found = feed.verdicts(*feed.wire.pes(unknown(2) + b"xxxxx"), *feed.video(CONFIRMATIONS)) + feed.rest()

    assert found == [(sent, "damaged")]


def test_a_pes_packet_that_is_complete_only_after_the_wait_has_the_time_of_its_end() -> None:
    """It had begun behind the one that waited."""
    feed, waits, sent = Feed(), unsummed(1), klv_packet(1, 300)
    first, *rest = feed.wire.pes(sent)
    ts = [(one, US) for one in feed.wire.pes(waits)]
    counter = ts[-1][0][3]
    numbered = [
        one[:3] + bytes([one[3] & 0xF0 | (counter + 1 + n & 15)]) + one[4:] for n, one in enumerate((first, *rest))
    ]
    ts += [(numbered[0], US + 1000), *((one, US + 1000) for one in feed.video(CONFIRMATIONS))]
    ts += [(one, US + 5000) for one in numbered[1:]]

    found = [entry for one, us in ts for entry in feed.lane.packets(one, us)]

    assert [(entry[0], entry[6] - US) for entry in found] == [(waits, 0), (sent, 5000)]


def test_the_listing_of_other_pids_comes_with_the_first_256_packets() -> None:
    """By then the stream of each PID is decided."""
    feed = Feed()
    found = [
        entry[9]
        for number in range(258)
        for one in feed.wire.pes(klv_packet(number))
        for entry in feed.lane.packets(one)
    ]

    assert found == [ALONE] * 256 + [0] * 2
