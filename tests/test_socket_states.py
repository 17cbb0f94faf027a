"""The states of `native/socket.c` with a scripted kernel: each limit from both sides."""

from __future__ import annotations

import ctypes
import struct
import time

import feed
import pytest
import scripted_socket
from scripted_socket import ALL, EXPECTED, FULL, HOLDS, NEWS, OVERDUE, RTP, US, Socket

TAPE = feed.recording(count=120, padding=60)
DATAGRAMS = feed.datagrams(TAPE.ts)
OVER_RTP = feed.rtp_datagrams(DATAGRAMS, first=100)
ODD = [bytes([0x11, n]) * 50 for n in range(20)]
"""Neither MPEG-TS nor KLV nor RTP."""


@pytest.fixture(scope="module")
def lib(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return scripted_socket.built(tmp_path_factory.mktemp("scripted"))


def accepted(socket: Socket, *datagrams: bytes) -> list[bool]:
    """Which of these are accepted, one by one."""
    found = []
    for datagram in datagrams:
        socket.send(datagram)
        found.append(bool(b"".join(run.data for run in socket.look())))
    return found


def unit(number: int, data: bytes, *, ticks: int = 0, marker: bool = True) -> bytes:
    """A datagram of KLV in RTP (RFC 6597)."""
    return struct.pack(">BBHII", 0x80, 97 | marker << 7, number, ticks, 9) + data


# ---- times and runs ----


@pytest.mark.parametrize(("apart", "runs"), [(0, 1), (5000, 1), (5001, 2)])
def test_datagrams_within_five_milliseconds_are_one_run(lib: ctypes.CDLL, apart: int, runs: int) -> None:
    """Its time is that of the last one."""
    socket = Socket(lib)
    socket.send(DATAGRAMS[0], 7)
    socket.send(DATAGRAMS[1], 7 + apart)

    found = socket.look()

    assert len(found) == runs
    assert found[-1].us == 7 + apart
    assert b"".join(run.data for run in found) == DATAGRAMS[0] + DATAGRAMS[1]


@pytest.mark.parametrize(
    ("back", "us"), [(1, 5_000_000), (999_999, 5_000_000), (1_000_000, 4_000_000), (3_000_000, 2_000_000)]
)
def test_times_of_rtp_go_back_only_where_the_clock_was_set(lib: ctypes.CDLL, back: int, us: int) -> None:
    """An arrival time that is a little earlier is replaced by the previous one; no RTP is held for a second."""
    socket = Socket(lib)
    socket.send(OVER_RTP[0], 5_000_000)
    socket.look()
    socket.send(OVER_RTP[1], 5_000_000 - back)

    assert [run.us for run in socket.look()] == [us]


def test_without_a_kernel_time_stamp_the_time_is_now(lib: ctypes.CDLL) -> None:
    """As for a datagram that arrived before the socket asked for time stamps."""
    socket = Socket(lib)
    before = time.time_ns() // 1000
    socket.send(DATAGRAMS[0], -US)

    (run,) = socket.look()

    assert before <= run.us + US <= time.time_ns() // 1000


# ---- losses ----


def test_a_drop_by_the_kernel_is_a_gap_once(lib: ctypes.CDLL) -> None:
    """Where its count changes, not where it is repeated."""
    socket = Socket(lib)
    found = []
    for datagram, drops in zip(DATAGRAMS, (0, 0, 3, 3, 0, 3, 4), strict=False):
        socket.send(datagram, drops=drops)
        found += [run.damaged for run in socket.look()]

    assert found == [False, False, True, False, False, False, True]


def test_a_drop_by_the_kernel_is_no_gap_in_rtp(lib: ctypes.CDLL) -> None:
    """Its sequence numbers show the gap at its place, or that other datagrams were dropped."""
    socket = Socket(lib)
    for number, datagram in enumerate(OVER_RTP[:6]):
        socket.send(datagram, drops=number)

    assert [run.damaged for run in socket.look()] == [False]


def test_a_truncated_datagram_is_a_gap_before_the_next(lib: ctypes.CDLL) -> None:
    """Its own bytes are accepted."""
    socket = Socket(lib)
    for data in (TAPE.ts[:2049], DATAGRAMS[5], DATAGRAMS[6]):
        socket.send(data)
        socket.send(DATAGRAMS[0][:0])

    found = socket.look()

    assert [(run.damaged, len(run.data)) for run in found] == [(False, 2048), (True, 1316), (False, 1316)]
    assert socket.counts == {"truncated": 1}


# ---- the format ----


def test_three_datagrams_of_another_format_change_nothing(lib: ctypes.CDLL) -> None:
    """Nor three more after one of the socket's own, nor of two formats in turn."""
    socket, klv = Socket(lib), TAPE.klv
    strays = [*klv[:3], DATAGRAMS[1], *klv[3:6], OVER_RTP[9], *klv[6:9]]

    found = accepted(socket, DATAGRAMS[0], *strays, DATAGRAMS[2])

    assert found == [True, *[False] * 3, True, *[False] * 7, True]
    assert socket.counts == {"unknown": 10}


def test_the_fourth_in_a_row_is_accepted_and_earlier_data_is_cut(lib: ctypes.CDLL) -> None:
    """From then on the socket has that format."""
    socket = Socket(lib)
    assert accepted(socket, DATAGRAMS[0], *TAPE.klv[:3]) == [True, False, False, False]
    socket.send(TAPE.klv[3])

    found = socket.look()

    assert [(run.data, run.ts, run.damaged) for run in found] == [(b"", False, True), (TAPE.klv[3], False, False)]
    assert accepted(socket, TAPE.klv[4], DATAGRAMS[1]) == [True, False]


def test_the_first_format_follows_no_loss(lib: ctypes.CDLL) -> None:
    """Whichever it is."""
    for datagram in (DATAGRAMS[0], TAPE.klv[0], OVER_RTP[0]):
        socket = Socket(lib)
        socket.send(datagram)
        assert [run.damaged for run in socket.look()] == [False]


def test_datagrams_without_a_format_are_accepted_from_the_fourth_in_a_row_on(lib: ctypes.CDLL) -> None:
    """A sender whose datagrams begin anywhere; three may be of something else, and three again after a regular one."""
    socket = Socket(lib)

    assert accepted(socket, DATAGRAMS[0], *ODD[:3], DATAGRAMS[1], *ODD[3:6]) == [True, *[False] * 3, True, *[False] * 3]
    assert accepted(socket, *ODD[6:9]) == [True] * 3
    assert socket.counts == {"unknown": 6}


def test_a_datagram_that_begins_inside_a_packet_is_accepted_at_once(lib: ctypes.CDLL) -> None:
    """The next packet is found further in."""
    at = next(at for at in range(1, 188) if DATAGRAMS[1][at] >> 6 != 2)  # not the start of an RTP header

    assert accepted(Socket(lib), DATAGRAMS[0], DATAGRAMS[1][at:], ODD[0]) == [True] * 3


def test_the_rest_of_a_klv_packet_has_no_format(lib: ctypes.CDLL) -> None:
    """And a stray TS datagram before it is not the first of four."""
    socket = Socket(lib)
    strays = DATAGRAMS[:6]
    sent = [TAPE.klv[0], *strays[:3], ODD[0], *strays[3:], ODD[1]]

    assert accepted(socket, *sent) == [True, *[False] * 3, True, *[False] * 3, True]


def test_counts_of_rtp_continue_where_its_format_ends(lib: ctypes.CDLL) -> None:
    """Lost, reordered and repeated ones, and those of a sender that was never followed."""
    socket = Socket(lib)
    foreign = feed.rtp_datagrams(DATAGRAMS, ssrc=99, first=40_000)
    for datagram in [*OVER_RTP[:2], OVER_RTP[3], OVER_RTP[2], OVER_RTP[2], OVER_RTP[5], *foreign[:2]]:
        socket.send(datagram)
    socket.look()
    socket.look(OVERDUE)
    before = socket.counts
    accepted(socket, *TAPE.klv[:5])

    assert before == {"rtp_lost": 1, "rtp_reordered": 1, "rtp_duplicates": 1, "rtp_foreign": 2}
    assert socket.counts == before | {"unknown": 3}


# ---- RTP ----


def test_each_held_datagram_is_released_at_its_own_deadline(lib: ctypes.CDLL) -> None:
    """The wait for the second one begins when the first is over."""
    socket = Socket(lib)
    first, late, second, third, last = OVER_RTP[:5]
    socket.send(first)
    socket.send(second)
    assert len(socket.look()) == 1
    assert socket.status == HOLDS | NEWS
    socket.send(late)
    socket.send(last)
    socket.look()
    assert socket.status == HOLDS | NEWS

    assert socket.look(OVERDUE) == []
    assert socket.status == HOLDS
    assert socket.counts == {"rtp_reordered": 1}

    assert [run.damaged for run in socket.look(OVERDUE)] == [True]
    assert socket.status == NEWS
    assert socket.counts == {"rtp_reordered": 1, "rtp_lost": 1}
    assert third not in (first, last)


def test_a_call_for_overdue_data_receives_nothing(lib: ctypes.CDLL) -> None:
    """The missing datagram may be in the kernel's buffer."""
    socket = Socket(lib)
    socket.send(OVER_RTP[0])

    assert socket.look(OVERDUE) == []
    assert socket.waiting == 1


@pytest.mark.parametrize("count", [1, 3, 4])
def test_a_sender_is_followed_from_its_fourth_packet_in_a_row_on(lib: ctypes.CDLL, count: int) -> None:
    """Then its first three are accepted too; before that they count as foreign."""
    socket = Socket(lib)
    other = feed.rtp_datagrams(DATAGRAMS, ssrc=99, first=40_000)
    found = []
    for datagram in [*OVER_RTP[:2], *other[:count]]:
        socket.send(datagram)
        found.append(sum(len(run.data) for run in socket.look()) // 1316)

    assert found == [1, 1, *[0] * min(count, 3), *[4] * (count == 4)]
    assert socket.counts == ({"rtp_restarts": 1} if count == 4 else {"rtp_foreign": count})


@pytest.mark.parametrize(("steady", "needed"), [(1023, 8), (1024, 4)])
def test_senders_that_alternate_need_more_packets_in_a_row(lib: ctypes.CDLL, steady: int, needed: int) -> None:
    """When the first one is followed again after the other was read for less than 1,024 packets."""
    socket, null = Socket(lib), b"\x47\x1f\xff\x10" + b"\xff" * 184

    def read(ssrc: int, first: int, count: int) -> int:
        """How many of these are accepted."""
        sent = feed.rtp_datagrams([null] * count, ssrc=ssrc, first=first)
        return sum(accepted(socket, *sent))

    assert read(1, 0, 2) == 2
    assert read(2, 20_000, 4) == 1  # the fourth, and with it the earlier ones
    assert read(2, 20_004, steady) == steady
    assert read(1, 40_000, 4) == 1
    assert read(2, 60_000, needed - 1) == 0
    assert read(2, 60_000 + needed - 1, 1) == 1


def test_a_unit_of_klv_after_a_gap_is_whole_where_it_begins_with_a_key(lib: ctypes.CDLL) -> None:
    """The gap is recorded before it; the rest of a unit is unusable."""
    socket = Socket(lib, RTP)
    whole, other, parted = TAPE.klv[0], TAPE.klv[1], TAPE.klv[2]
    found = []
    for datagram in (unit(0, whole), unit(2, other, ticks=3000), unit(4, parted[40:], ticks=6000)):
        socket.send(datagram)
        found += socket.look() + socket.look(OVERDUE)

    expected = [(whole, False, 0), (b"", True, -1), (other, False, 3000), (parted[40:], True, 6000)]
    assert [(run.data, run.damaged, run.pts) for run in found] == expected


@pytest.mark.parametrize(
    ("stamps", "pts"), [((2**32 - 1, 0, 5), (2**32 - 1, 2**32, 2**32 + 5)), ((10, 2**32 - 6), (10, 2**33 - 6))]
)
def test_the_time_of_a_unit_has_33_bits(lib: ctypes.CDLL, stamps: tuple[int, ...], pts: tuple[int, ...]) -> None:
    """Forwards over the wrap of RTP's 32 bits, and back over 0."""
    socket = Socket(lib)
    for number, (ticks, one) in enumerate(zip(stamps, TAPE.klv, strict=False)):
        socket.send(unit(number, one, ticks=ticks))

    assert tuple(run.pts for run in socket.look()) == pts


# ---- capacity and budget ----


def test_data_beyond_the_capacity_is_returned_by_the_next_call(lib: ctypes.CDLL) -> None:
    """Capacity to the byte is enough; nothing is lost or repeated."""
    socket = Socket(lib)
    for datagram in DATAGRAMS[:3]:
        socket.send(datagram)

    assert [len(run.data) for run in socket.look(room=2 * 1316)] == [2 * 1316]
    assert socket.status == FULL
    assert socket.look(room=1315) == []
    assert socket.status == FULL
    assert [run.data for run in socket.look(room=1316)] == [DATAGRAMS[2]]
    assert socket.status == NEWS


def test_a_payload_may_need_two_runs(lib: ctypes.CDLL) -> None:
    """With one place left it waits for the next call."""
    socket = Socket(lib)
    socket.send(DATAGRAMS[0])

    assert socket.look(most=1) == []
    assert socket.status == FULL
    assert [run.data for run in socket.look(most=2)] == [DATAGRAMS[0]]


@pytest.mark.parametrize(("count", "left"), [(256, 0), (257, 1), (600, 344)])
def test_a_call_reads_256_datagrams_at_most(lib: ctypes.CDLL, count: int, left: int) -> None:
    """So that a flood does not delay other sockets; the result says that there may be more."""
    socket = Socket(lib)
    for number in range(count):
        socket.send(DATAGRAMS[number % len(DATAGRAMS)], number)
    socket.look()

    assert socket.waiting == left
    assert lib.scripted_spent() == 1


@pytest.mark.parametrize(("came", "takes"), [(0, 1), (1, 1), (5, 5), (31, 31), (32, 32), (40, 32)])
def test_as_many_datagrams_are_read_as_the_last_time(lib: ctypes.CDLL, came: int, takes: int) -> None:
    """At least one, and no more than one call of recvmmsg returns."""
    socket = Socket(lib)
    for number in range(came):
        socket.send(DATAGRAMS[number], number)
    socket.look(ALL)
    for number in range(100):
        socket.send(DATAGRAMS[number % len(DATAGRAMS)], 100 + number)
    socket.look(EXPECTED)

    assert socket.waiting == 100 - takes


def test_datagrams_of_another_host_are_foreign(lib: ctypes.CDLL) -> None:
    """Where the sender is fixed; they do not change the format."""
    socket = Socket(lib, sender=0x0A000001)
    socket.send(TAPE.klv[0], sender=0x0A000002)
    socket.send(DATAGRAMS[0], sender=0x0A000001)

    assert [run.data for run in socket.look()] == [DATAGRAMS[0]]
    assert socket.counts == {"strangers": 1}
