"""Compares the time stamps inside video frames (MISB ST 0603, ST 0604) with those of the records."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from klvrelay.probe import report
from klvrelay.probe.metadata.series import Spread, rate_of

REMEMBERED = 2000
"""Maximum number of times that wait for a match."""
STREAMS = 32

Find = Callable[[bytes, str], Any]


def find_function() -> Find | None:
    """The function that finds a stamp in the first bytes of a frame; None if this build has none."""
    try:
        from klvrelay.frames.frame_times import find
    except ImportError:
        return None
    return find


class Recent(OrderedDict[int, int]):
    """The most recent values by key, up to a limit."""

    def put(self, key: int, value: int) -> None:
        self[key] = value
        if len(self) > REMEMBERED:
            self.popitem(last=False)


class Pairing:
    """Matches the records of one KLV stream with the frames of one video, in any order."""

    def __init__(self) -> None:
        self.compared = self.matched = 0
        self.against = Spread()
        self._times, self._by_pts = Recent(), Recent()  # of records whose frame has not arrived yet

    def frame(self, time_us: int, pts: int | None) -> None:
        self.matched += self._times.pop(time_us, 0)
        if pts is not None and (record_us := self._by_pts.pop(pts, None)) is not None:
            self.against.add((record_us - time_us) / 1e6)

    def record(self, time_us: int, pts: int | None, times: Recent, by_pts: Recent) -> None:
        """Add a record; `times` and `by_pts` hold the earlier frames."""
        self.compared += 1
        if time_us in times:
            self.matched += 1
        else:
            self._times.put(time_us, self._times.get(time_us, 0) + 1)
        if pts is None:
            return
        if (frame_us := by_pts.get(pts)) is not None:
            self.against.add((time_us - frame_us) / 1e6)
        else:
            self._by_pts.put(pts, time_us)

    def freeze(self, pid: int | None, set_name: str) -> report.Paired:
        return report.Paired(pid, set_name, self.compared, self.matched, self.against.freeze())


class FrameTally:
    """Statistics of one video PID."""

    def __init__(self, pid: int, codec: str, stamped_codec: str | None, find: Find | None) -> None:
        self.pid = pid
        self.codec = codec
        self.frames = 0
        self.stamped = 0
        self.nanoseconds = 0
        self.first: int | None = None
        self.pairings: dict[tuple[int | None, str], Pairing] = {}
        self._find = find if stamped_codec else None
        self._codec = stamped_codec or ""
        self._times, self._by_pts = Recent(), Recent()

    def frame(self, start: bytes, pts: int | None) -> None:
        """Add a frame: its first bytes and its PTS."""
        self.frames += 1
        stamp = self._find(start, self._codec) if self._find else None
        if stamp is None:
            return
        self.stamped += 1
        self.nanoseconds += bool(stamp.nanoseconds)
        self.first = stamp.time_us if self.first is None else self.first
        self._times.put(stamp.time_us, 0)
        if pts is not None:
            self._by_pts.put(pts, stamp.time_us)
        for pairing in self.pairings.values():
            pairing.frame(stamp.time_us, pts)

    def record(self, stream: tuple[int | None, str], time_us: int, pts: int | None) -> None:
        """Add a record of a KLV stream (PID and set) of the same program: its time and PTS."""
        pairing = self.pairings.get(stream)
        if pairing is None:
            if len(self.pairings) >= STREAMS:
                return
            pairing = self.pairings[stream] = Pairing()
        pairing.record(time_us, pts, self._times, self._by_pts)

    def freeze(self, seconds: float) -> report.Frames:
        from klvrelay.probe.metadata.clocks import iso

        beside = tuple(pairing.freeze(*stream) for stream, pairing in self.pairings.items())
        main = max(beside, key=lambda each: each.matched, default=Pairing().freeze(None, ""))
        return report.Frames(
            self.pid, self.codec, self._find is not None, self.frames,
            rate_of(self.frames, seconds), self.stamped, iso(self.first), self.nanoseconds,
            sum(each.compared for each in beside), sum(each.matched for each in beside), main.against, beside,
        )  # fmt: skip
