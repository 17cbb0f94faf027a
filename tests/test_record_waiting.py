"""The bounded buffer for bytes that wait for a full disk; and cuts of a stream whose PAT has priority."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from test_record import TAPE, Pieces, Tape, joined, recording, until

from klvrelay.record import Packet
from klvrelay.recording import Recorder, recorder
from klvrelay.recordings import segmenter
from klvrelay.recordings.limits import RecordingLimits
from klvrelay.recordings.segment_store import SegmentStore
from klvrelay.recordings.segmenter import Segmenter

NULL = b"\x47\x1f\xff\x10" + bytes(184)
PIECE = NULL * 50
PIECES = 100


class Disk:
    """A disk that refuses all writes until it is repaired."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full, self.refusals = True, 0
        self.meanwhile: Callable[[], None] = lambda: None
        self._put = SegmentStore._put
        monkeypatch.setattr(SegmentStore, "_put", lambda store, data: self.put(store, data))

    def put(self, store: SegmentStore, data: memoryview) -> int:
        self.meanwhile()
        if self.full:
            self.refusals += 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._put(store, data)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr(recorder, "RETRY", 0.01)
    monkeypatch.setattr(recorder, "PAUSE", 0.001)
    monkeypatch.setattr(recorder, "MOST_WAITING", 10 * len(PIECE))
    return Disk(monkeypatch)


async def test_a_pipe_waits_where_the_bound_is_reached_and_nothing_is_lost(disk: Disk, tmp_path: Path):
    """One piece more than the bound was already read; in the end all of them are recorded, in order."""
    source = Tape(*(Packet(PIECE) for _ in range(PIECES)), None)
    made = Recorder(lambda: source, str(tmp_path), "uav1", RecordingLimits())
    running = asyncio.create_task(made.run())
    await until(lambda: disk.refusals > 20)

    taken = source.link.size
    disk.full = False
    await asyncio.wait_for(running, 10)

    assert taken == 11 * len(PIECE)
    assert (made.size, made.lost) == (PIECES * len(PIECE), 0)
    assert joined(tmp_path) == PIECE * PIECES


async def test_a_live_source_does_not_wait_for_a_full_disk(disk: Disk, tmp_path: Path):
    """Refused data is lost and counted, and frees the buffer for later data."""
    source = Pieces(*(Packet(PIECE) for _ in range(PIECES)), live=True)
    async with recording(lambda: source, tmp_path) as made:
        await until(lambda: made.lost == PIECES * len(PIECE))
        disk.full = False
        source.put(Packet(PIECE))
        await until(lambda: made.size == len(PIECE))

    assert made.lost == PIECES * len(PIECE)
    assert joined(tmp_path) == PIECE


async def test_data_received_while_the_disk_refuses_keeps_its_order(disk: Disk, tmp_path: Path):
    """The bytes are written in the order of arrival."""
    pieces = [bytes([0x47, 0x1F, 0xFF, 0x10, number]) + bytes(183) for number in range(5)]
    source, loop = Tape(Packet(pieces[0])), asyncio.get_running_loop()
    left = iter(pieces[1:])

    def another_comes() -> None:
        """Called in the writing thread."""
        if (piece := next(left, None)) is not None:
            asyncio.run_coroutine_threadsafe(_taken(source, piece), loop).result(5)

    disk.meanwhile = another_comes
    made = Recorder(lambda: source, str(tmp_path), "uav1", RecordingLimits())
    running = asyncio.create_task(made.run())
    await until(lambda: disk.refusals > len(pieces))
    disk.full = False
    source.put(None)
    await asyncio.wait_for(running, 10)

    assert joined(tmp_path) == b"".join(pieces)


async def _taken(source: Tape, piece: bytes) -> None:
    wanted = source.link.size + len(piece)
    source.put(Packet(piece))
    await until(lambda: source.link.size == wanted)


async def test_waiting_data_keeps_its_order(disk: Disk, tmp_path: Path):
    """Waiting bytes of another format are another piece."""
    calls = iter([True, False])
    disk.meanwhile = lambda: setattr(disk, "full", next(calls, False))
    source = Tape(Packet(PIECE), Packet(TAPE.bare, carriage="klv"), None)

    await asyncio.wait_for(Recorder(lambda: source, str(tmp_path), "uav1", RecordingLimits()).run(), 10)

    assert disk.refusals == 1
    assert joined(tmp_path) == PIECE + TAPE.bare


# ---- cuts ----


@pytest.mark.parametrize("flags", [0x40, 0x60], ids=["usual", "with priority"])
def test_a_segment_begins_with_a_pat_of_either_priority(flags: int):
    """The transport_priority of a packet has no relation to its content (ISO/IEC 13818-1, 2.4.3.3)."""
    pat = bytes([0x47, flags, 0x00, 0x10]) + bytes(184)
    data = (pat + NULL * 9) * 40
    cut, at, places = Segmenter(RecordingLimits(size=10_000, keep_size=1e9)), 0, []
    for piece in cut.feed(data, "ts", 0.0):
        if piece is None:
            places.append(at)
        at += len(piece or b"")

    assert at == len(data)
    assert len(places) >= 5
    assert all(place % (10 * 188) == 0 for place in places)
    assert all(10_000 <= end - begin < 12_500 for begin, end in pairwise([0, *places]))


@pytest.mark.parametrize(("age", "is_overdue"), [(-0.1, False), (0.1, True)])
def test_an_open_segment_is_overdue_after_its_grace(age: float, is_overdue: bool):
    """Not at its limit: a PAT may still come."""
    cut = Segmenter(RecordingLimits(seconds=5.0))
    list(cut.feed(NULL, "ts", 100.0))

    assert cut.overdue(105.0 + segmenter.GRACE + age) is is_overdue


def test_a_segment_that_is_not_open_is_not_overdue():
    """Neither before its first byte nor after its cut."""
    cut = Segmenter(RecordingLimits(seconds=5.0))
    before = cut.overdue(1000.0)
    list(cut.feed(NULL, "ts", 100.0))
    cut.end()

    assert (before, cut.overdue(1000.0)) == (False, False)
