"""Finds the video streams, where their frames start, and the first packets of each frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from klvrelay.probe.allowance import Allowance
from klvrelay.probe.transport.codes import STAMPED
from klvrelay.probe.transport.framer import Rows
from klvrelay.probe.transport.frames import FrameTally, find_function
from klvrelay.probe.transport.pes import VideoTimes, head_of
from klvrelay.probe.transport.pids import Groups
from klvrelay.probe.transport.pmt_stream import PmtStream

VIDEOS = 16
"""Maximum number of video PIDs listed, and of programs with video."""
FRAMES = 32_768, 1024
"""Allowance of frames to inspect: at the start, and bytes per further frame."""
FRAME_START, KEY_FRAME_START = 6, 24
"""TS packets searched for a frame's time stamp; a key frame starts with the encoder settings."""

Places = NDArray[np.intp]


class Videos:
    """All video PIDs; `program_of` returns the program of a PID."""

    def __init__(self, program_of: Callable[[int | None], int | None]) -> None:
        self.frames: dict[int, FrameTally] = {}
        self.allowance = Allowance(*FRAMES)
        self._program_of = program_of
        self._find = find_function()
        self._remaining: dict[int, int] = {}
        self._open: dict[int, tuple[bytearray, int, int | None]] = {}
        self._times: dict[int | None, VideoTimes] = {}

    def follow(self, stream: PmtStream) -> bool:
        """Add a stream; false if there are too many. Streams that carried nothing are replaced first."""
        if stream.pid not in self.frames and len(self.frames) >= VIDEOS:
            for pid in [pid for pid, tally in self.frames.items() if not tally.frames and pid not in self._open]:
                del self.frames[pid]
        if stream.pid not in self.frames and len(self.frames) < VIDEOS:
            codec = STAMPED.get(stream.stream_type)
            self.frames[stream.pid] = FrameTally(stream.pid, stream.codec, codec, self._find)
        return stream.pid in self.frames

    def select_packets(
        self, rows: Rows, groups: Groups, good: NDArray[np.bool_], starts: NDArray[np.bool_]
    ) -> Iterator[Places]:
        """The packets of each video in which a frame starts, and some after each."""
        for pid, tally in self.frames.items():
            if len(places := groups.of(pid)):
                yield self._of(tally, rows, places[good[places]], starts)

    def _of(self, tally: FrameTally, rows: Rows, mine: Places, starts: NDArray[np.bool_]) -> Places:
        take = np.zeros(len(mine), bool)
        end = self._remaining.get(tally.pid, 0)
        take[:end] = True
        begins, most = np.flatnonzero(starts[mine]), self.allowance.left
        for place in begins[:most].tolist():
            end = place + _reach(rows[mine[place]])
            take[place:end] = True
        tally.frames += max(0, len(begins) - most)
        self.allowance.take(min(len(begins), most))
        self._remaining[tally.pid] = max(0, end - len(mine))
        return mine[take]

    def take(self, pid: int, row: NDArray[np.uint8], data: bytes, begins: bool) -> None:
        """Take one of these packets and its payload."""
        if begins:
            self._close(pid)
            if (pes := head_of(data)) is not None:
                self._open[pid] = bytearray(pes.payload), _reach(row) - 1, pes.pts
                self._add_time(pid, pes.pts)
        elif pid in self._open:
            start, left, pts = self._open[pid]
            start += data
            self._open[pid] = start, left - 1, pts
            if left <= 1:
                self._close(pid)

    def _add_time(self, pid: int, pts: int | None) -> None:
        program = self._program_of(pid)
        if pts is not None and (program in self._times or len(self._times) < VIDEOS):
            self._times.setdefault(program, VideoTimes()).add(pts)

    def finish(self) -> None:
        """End of data."""
        for pid in list(self._open):
            self._close(pid)

    def _close(self, pid: int) -> None:
        if (frame := self._open.pop(pid, None)) is not None:
            self.frames[pid].frame(bytes(frame[0]), frame[2])

    def beside(self, program: int | None) -> VideoTimes | None:
        """Video times of a program; without a program, of any video."""
        return self._times.get(next(iter(self._times), None) if program is None else program)

    def of_program(self, program: int | None) -> Iterable[FrameTally]:
        """The videos of a program; without a program, all videos."""
        return [
            tally for pid, tally in self.frames.items() if program is None or self._program_of(pid) == program
        ]  # fmt: skip


def _reach(row: NDArray[np.uint8]) -> int:
    """Packets to inspect of the frame that starts in this one (random_access_indicator: a key frame)."""
    key = row[3] & 0x20 and row[4] and row[5] & 0x40
    return KEY_FRAME_START if key else FRAME_START
