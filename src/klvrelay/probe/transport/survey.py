"""The transport stream as it passes by: every packet counted, tables and PES heads read; next door, `inquiry.py`
gives the same bytes on to the decoder.

Counting is by numpy, a block at a time. Python sees packets of tables, the first of each PES packet that may carry
KLV, and the first few of each video frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from klvrelay.klv import KEY
from klvrelay.probe.transport.codes import STAMPED
from klvrelay.probe.transport.framer import Framer, Rows, Run
from klvrelay.probe.transport.frames import FrameTally, finder
from klvrelay.probe.transport.pcr import StreamClock
from klvrelay.probe.transport.pes import FoundCarriage, VideoTimes, head_of
from klvrelay.probe.transport.pids import NULL, PIDS, PidCounts, pids_of
from klvrelay.probe.transport.tables import Declared, Map, Tables

TRIES = 64
"""PES packets of a PID that nobody calls KLV in which a key is looked for."""
FRAME_START, KEY_FRAME_START = 6, 24
"""TS packets in which a frame's time stamp is looked for: in front of a key frame stand the encoder's own settings."""

_PASS, _TABLE, _PES, _FRAME = range(4)
_SI = range(0x01, 0x20)  # other tables of ISO/IEC 13818-1 and DVB

Places = NDArray[np.intp]


class Piece(NamedTuple):
    """Bytes for the decoder, and the stream's time where they begin: None without a clock."""

    data: memoryview
    at: float | None


class Survey:
    """Takes the bytes of a transport stream in any cut."""

    def __init__(self) -> None:
        self.framer = Framer()
        self.counts = PidCounts()
        self.clock = StreamClock()
        self.tables = Tables()
        self.found: dict[int, FoundCarriage] = {}
        self.frames: dict[int, FrameTally] = {}
        self.packets = 0
        self._find = finder()
        self._look = np.full(PIDS, _PES, np.uint8)
        self._look[[0]] = _TABLE
        self._look[[NULL, *_SI]] = _PASS
        self._owed: dict[int, int] = {}
        self._open: dict[int, tuple[bytearray, int, int | None]] = {}
        self._video: dict[int | None, VideoTimes] = {}
        self._streams: dict[int, tuple[Map, Declared]] = {}
        self._cuts: list[tuple[int, float | None]] = []

    @property
    def seconds(self) -> float:
        """Stream time so far, by its PCRs; 0 without."""
        return self.clock.at(self.packets) or 0.0

    def feed(self, data: bytes | bytearray | memoryview, *, last: bool = False) -> Iterator[Piece]:
        """The same bytes (some with the next call), cut where a PES packet begins that may carry KLV."""
        block, runs = self.framer.cut(data, last=last)
        self._cuts = [(0, self.clock.at(self.packets))]
        for run in runs:
            self._run(run)
        view = memoryview(block)
        ends = [place for place, _ in self._cuts[1:]] + [len(block)]
        for (begin, at), end in zip(self._cuts, ends, strict=True):
            if end > begin:
                yield Piece(view[begin:end], at)

    def finish(self) -> Iterator[Piece]:
        """No more will come."""
        yield from self.feed(b"", last=True)
        for pid in list(self._open):
            self._close_frame(pid)
        for pid, found in self.found.items():
            found.settle(self._video_beside(pid))
            found.lengths.finish()

    def record(self, pid: int | None, set_name: str, time_us: int, pts: int | None) -> None:
        """A record came on a PID: it is held against the frames of its program, or of all where no map lists it."""
        program = self._program_of(pid)
        for video, frames in self.frames.items():
            if program is None or self._program_of(video) == program:
                frames.record((pid, set_name), time_us, pts)

    def _program_of(self, pid: int | None) -> int | None:
        listed = self._streams.get(pid) if pid is not None else None
        return listed[0].number if listed is not None else None

    def _run(self, run: Run) -> None:
        pids = pids_of(run.rows)
        self.counts.take(run.rows, pids)
        self.clock.take(run.rows, pids, self.packets)
        good = (run.rows[:, 1] & 0x80 == 0) & (run.rows[:, 3] & 0xC0 == 0) & (run.rows[:, 3] & 0x10 != 0)
        self._tables_in(run, pids, good)
        starts = good & (run.rows[:, 1] & 0x40 != 0)
        for place in self._wanted(run.rows, pids, good, starts).tolist():
            pid = int(pids[place])
            if self._look[pid] == _FRAME:
                self._frame(run, pid, place, bool(starts[place]))
            else:
                self._pes(run, pid, place)
        for pid, found in self.found.items():
            if found.holds_klv:
                found.lengths.take(run.rows[pids == pid])
        self.packets += len(pids)

    def _wanted(self, rows: Rows, pids: Places, good: NDArray[np.bool_], starts: NDArray[np.bool_]) -> Places:
        """Packets with the head of a PES packet, and for video a few more, in their order."""
        wanted = [np.flatnonzero(starts & (self._look[pids] == _PES))]
        for pid in self.frames:
            mine = np.flatnonzero(good & (pids == pid))
            take = np.zeros(len(mine), bool)
            end = self._owed.get(pid, 0)
            take[:end] = True
            for place in np.flatnonzero(starts[mine]).tolist():
                end = place + _reach(rows[mine[place]])
                take[place:end] = True
            self._owed[pid] = max(0, end - len(mine))
            wanted.append(mine[take])
        return np.sort(np.concatenate(wanted))

    def _payload(self, run: Run, place: int) -> bytes:
        row = run.rows[place]
        skip = 5 + int(row[4]) if row[3] & 0x20 else 4
        payload: bytes = row[skip:].tobytes()
        return payload

    # ---- tables ----

    def _tables_in(self, run: Run, pids: Places, good: NDArray[np.bool_]) -> None:
        """All packets of tables; one that names further tables has them looked for from there on."""
        begin, known = 0, None
        while known != (known := self.tables.pids):
            for place in (begin + np.flatnonzero(good[begin:] & (self._look[pids[begin:]] == _TABLE))).tolist():
                self._table(run, int(pids[place]), place)
                begin = place + 1
                if known != self.tables.pids:
                    break

    def _table(self, run: Run, pid: int, place: int) -> None:
        row = run.rows[place]
        at = self.clock.at(self.packets + place)
        if self.tables.take(pid, self._payload(run, place), bool(row[1] & 0x40), int(row[3]) & 15, at):
            self._learn()

    def _learn(self) -> None:
        """Look at each PID as the tables now have it."""
        self._look[list(self.tables.pids)] = _TABLE
        self._streams = self.tables.streams
        for pid, (map_, stream) in self._streams.items():
            if stream.kind == "video" and pid not in self.frames:
                self.frames[pid] = FrameTally(pid, stream.codec, STAMPED.get(stream.stream_type), self._find)
            if pid not in self.tables.pids:
                self._look[pid] = {"video": _FRAME, "audio": _PASS}.get(stream.kind, _PES)
            if map_.pcr_pid is not None and self.clock.pid != map_.pcr_pid and not self.clock.ticking:
                self.clock.follow(map_.pcr_pid)

    # ---- PES ----

    def _pes(self, run: Run, pid: int, place: int) -> None:
        data = self._payload(run, place)
        pes = head_of(data)
        found = self.found.get(pid)
        if found is None and len(self.found) < PIDS:
            found = self.found[pid] = FoundCarriage()
        if found is None or pes is None:
            self._look[pid] = _PES if self._announced(pid) else _PASS
            return
        index = self.packets + place
        found.take(pes, self.clock.ticks(index), self._video_beside(pid))
        if not found.holds_klv and found.pes > TRIES and KEY not in data and not self._announced(pid):
            self._look[pid] = _PASS
        self._cuts.append((run.at + place * run.stride, self.clock.at(index)))

    def _announced(self, pid: int) -> bool:
        """Does a table say that this may be KLV?"""
        listed = self._streams.get(pid)
        return listed is not None and listed[1].kind in ("klv", "metadata", "private")

    def _video_beside(self, pid: int) -> VideoTimes | None:
        """The video of the same program; for a PID in no table, of any."""
        program = self._program_of(pid)
        return self._video.get(next(iter(self._video), None) if program is None else program)

    # ---- frames ----

    def _frame(self, run: Run, pid: int, place: int, begins: bool) -> None:
        data = self._payload(run, place)
        if begins:
            self._close_frame(pid)
            if (pes := head_of(data)) is not None:
                self._open[pid] = bytearray(pes.payload), _reach(run.rows[place]) - 1, pes.pts
                if pes.pts is not None:
                    self._video.setdefault(self._program_of(pid), VideoTimes()).add(pes.pts)
        elif pid in self._open:
            start, left, pts = self._open[pid]
            start += data
            self._open[pid] = start, left - 1, pts
            if left <= 1:
                self._close_frame(pid)

    def _close_frame(self, pid: int) -> None:
        if (frame := self._open.pop(pid, None)) is not None:
            self.frames[pid].frame(bytes(frame[0]), frame[2])


def _reach(row: NDArray[np.uint8]) -> int:
    """How many packets are looked at of the frame that begins in this one (random_access_indicator: a key frame)."""
    key = row[3] & 0x20 and row[4] and row[5] & 0x40
    return KEY_FRAME_START if key else FRAME_START
