"""Counters that wrap and clocks that step, as read by a source or a recording: from both sides of each limit."""

from __future__ import annotations

import pytest
from cases import each_case

from klvrelay.recordings.timeline import KLV_GAP, MODULUS, TICKS, Timeline, packet_end
from klvrelay.recordings.ts_times import PCR_GAP, REORDER, _Track
from klvrelay.sources.libav.rfc6597 import Track
from klvrelay.sources.srt import source as srt_source
from klvrelay.sources.srt.source import CLOCK_STEP_US, MOST, TOGETHER_US, _ReceivedMessages
from klvrelay.transports.libsrt import SrtMessage

KEY = bytes.fromhex("060e2b34020b01010e01030101000000")


# ---- the times of a recording ----


@each_case("begin", [0, 1, MODULUS - 1, MODULUS - TICKS // 2])
@each_case(
    ("step", "seconds"),
    [(TICKS, 1.0), (round(PCR_GAP * TICKS), PCR_GAP), (round(PCR_GAP * TICKS) + 1, 0.0), (-1, 0.0), (-TICKS, 0.0)],
    ids=["a second", "the longest pause", "a jump", "a tick back", "a second back"],
)
def test_a_pcr_continues_through_its_wrap(begin: int, step: int, seconds: float):
    """Every 26.5 hours; and a jump takes no time, forwards or backwards."""
    track = _Track(0)
    track.step(begin)

    assert track.step((begin + step) % MODULUS) == seconds
    assert track.step((begin + step + TICKS) % MODULUS) == 1.0


@pytest.mark.parametrize("back", [REORDER, REORDER + 1])
def test_a_pts_may_be_before_an_earlier_one(back: int):
    """Pictures arrive in decoding order: up to a second back changes nothing."""
    for begin in (5 * TICKS, TICKS // 2):
        track = _Track(1)
        track.step(begin)

        assert track.step((begin - back) % MODULUS) == 0.0
        later = TICKS if back <= REORDER else TICKS - back
        assert track.step((begin + later) % MODULUS) == 1.0


@pytest.mark.parametrize(("step", "seconds"), [(KLV_GAP, KLV_GAP), (KLV_GAP + 0.001, 0.0), (-0.001, 0.0)])
def test_a_timeline_continues_after_a_pause_and_ignores_a_jump(step: float, seconds: float):
    """A minute at most; after a jump it continues as before."""
    timeline = Timeline(1000, 1 << 20, KLV_GAP)
    timeline.at(500_000)
    timeline.at(500_000 + round(step * 1000))

    assert timeline.seconds == seconds
    assert timeline.at(500_000 + round(step * 1000) + 1000) == seconds + 1.0


def test_a_timeline_wraps():
    """The stamp after the last one is 0."""
    timeline = Timeline(1000, 1 << 20, KLV_GAP)
    timeline.at((1 << 20) - 1000)

    assert [timeline.at(0), timeline.at(1000)] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("length", "size"),
    [(b"\x00", 17), (b"\x7f", 144), (b"\x81\x80", 146), (b"\x82\x01\x00", 275), (b"\x88" + bytes(7) + b"\x05", 30)],
)
def test_a_length_in_each_form_gives_the_end_of_a_packet(length: bytes, size: int):
    """One octet, or up to eight after their number (SMPTE ST 336)."""
    data = b"junk" + KEY + length

    assert packet_end(data + bytes(300), 0) == 4 + size
    assert packet_end(data[:-1], 0) is None


def test_a_packet_without_a_value_ends_after_its_length():
    """It is complete as soon as that has arrived."""
    assert packet_end(KEY + b"\0", 0) == 17


@pytest.mark.parametrize("length", [b"\x80", b"\x89" + bytes(9), b"\xff" + bytes(200)])
def test_a_malformed_length_ends_no_packet(length: bytes):
    """No number of octets, or more than eight."""
    assert packet_end(KEY + length + bytes(300), 0) is None


@pytest.mark.parametrize("octets", [1, 4, 5, 8])
def test_a_unit_of_an_rtp_track_has_up_to_eight_octets_of_length(octets: int):
    """However many are needed."""
    unit = KEY + bytes([0x80 | octets]) + (3).to_bytes(octets) + b"abc"

    assert [(each.data, each.damaged) for each in Track().units(unit, 0)] == [(unit, False)]


@pytest.mark.parametrize("length", [b"\x80", b"\x89" + bytes(9)])
def test_a_unit_of_an_rtp_track_with_a_malformed_length_is_lost(length: bytes):
    """It is output as damaged, so that it is counted."""
    unit = KEY + length + b"abc"

    assert [(each.data, each.damaged) for each in Track().units(unit, 0)] == [(unit, True)]


# ---- SRT ----


class FakeSocket:
    """libsrt's line, with messages that were received and a clock that a test sets."""

    def __init__(self, *messages: SrtMessage, now_us: int = 0) -> None:
        self.messages = list(messages)
        self.now_us = now_us

    def receive(self) -> SrtMessage | None:
        return self.messages.pop(0) if self.messages else None


def received_by(sock: FakeSocket) -> _ReceivedMessages:
    return _ReceivedMessages(sock)  # type: ignore[arg-type]


def test_slowly_arriving_messages_make_no_long_packet():
    """Each is due soon after the one before, the last a long time after the first."""
    step = TOGETHER_US // 2
    received = received_by(FakeSocket(*(SrtMessage(b"x", number, number * step) for number in range(7))))
    received.fetch()

    assert [len(piece.data) for piece in received.pieces()] == [3, 3, 1]


@pytest.mark.parametrize(("count", "dropped"), [(MOST, 0), (MOST + 1, 1)])
def test_the_newest_messages_win_where_too_many_wait(count: int, dropped: int):
    """Dropped ones are counted, and the gap that they leave is marked."""
    messages = SrtMessage(b"a", 0, 0), *(SrtMessage(b"x", number, 0) for number in range(1, count))
    received = received_by(FakeSocket(*messages))
    first = received.fetch()
    pieces = list(received.pieces())

    assert (first, received.dropped) == (count, dropped)
    assert sum(len(piece.data) for piece in pieces) == MOST


def test_the_gap_of_dropped_messages_is_marked():
    """The number after the last output message is missing."""
    sock = FakeSocket(SrtMessage(b"a", 0, 0))
    received = received_by(sock)
    received.fetch()
    before = [piece.damaged for piece in received.pieces()]
    sock.messages = [SrtMessage(b"x", number, 0) for number in range(1, MOST + 2)]
    received.fetch()
    behind = [piece.damaged for piece in received.pieces()]

    dropped = [received.dropped]
    received.fetch()
    dropped.append(received.dropped)

    assert (before, behind) == ([False], [True, False])
    assert dropped == [1, 0]


@pytest.mark.parametrize(("step", "moves"), [(CLOCK_STEP_US, False), (CLOCK_STEP_US + 1, True), (-CLOCK_STEP_US, False),
                                             (-CLOCK_STEP_US - 1, True)])  # fmt: skip
def test_the_time_of_arrival_follows_a_clock_that_was_set(step: int, moves: bool, monkeypatch: pytest.MonkeyPatch):
    """Less than a step is local delay, and changes nothing."""
    wall = [1_700_000_000_000_000]
    monkeypatch.setattr(srt_source, "now_us", lambda: wall[0])
    sock = FakeSocket(SrtMessage(b"a", 0, 0))
    received = received_by(sock)
    received.fetch()
    [first] = received.pieces()
    wall[0] += step
    sock.messages = [SrtMessage(b"b", 1, 0)]
    received.fetch()
    [second] = received.pieces()

    assert first.received_us == 1_700_000_000_000_000
    assert second.received_us == first.received_us + (step if moves else 0)
