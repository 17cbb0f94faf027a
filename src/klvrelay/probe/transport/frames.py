"""Video frames and the time stamps inside them (MISB ST 0603, ST 0604), held against the records' own times.

Next door: `survey.py` shows it the beginning of each frame, `telemetry.py` each record.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from klvrelay.probe import report
from klvrelay.probe.metadata.series import Spread

REMEMBERED = 2000
"""Times that wait for a partner."""

Find = Callable[[bytes, str], Any]


def finder() -> Find | None:
    """What finds a stamp in a frame's first bytes; None where this build has none."""
    try:
        from klvrelay.stamps import find
    except ImportError:
        return None
    return find


class Pairs:
    """Keys of two sides, in any order: says of each whether the other side has it too, as far as it remembers."""

    def __init__(self) -> None:
        self._sides: tuple[OrderedDict[int, int], OrderedDict[int, int]] = (OrderedDict(), OrderedDict())

    def match(self, side: int, key: int, value: int) -> int | None:
        """The other side's value of this key; None as long as it has none."""
        other = self._sides[1 - side].pop(key, None)
        if other is None:
            mine = self._sides[side]
            mine[key] = value
            if len(mine) > REMEMBERED:
                mine.popitem(last=False)
        return other


class FrameTally:
    """One video PID."""

    def __init__(self, pid: int, codec: str, stamped_codec: str | None, find: Find | None) -> None:
        self.pid = pid
        self.codec = codec
        self.frames = 0
        self.stamped = 0
        self.nanoseconds = 0
        self.first: int | None = None
        self.matched = 0
        self.compared = 0
        self.against = Spread()
        self._find = find if stamped_codec else None
        self._codec = stamped_codec or ""
        self._times, self._by_pts = Pairs(), Pairs()

    def frame(self, start: bytes, pts: int | None) -> None:
        """Take a frame: its first bytes and its PTS."""
        self.frames += 1
        stamp = self._find(start, self._codec) if self._find else None
        if stamp is None:
            return
        self.stamped += 1
        self.nanoseconds += bool(stamp.nanoseconds)
        self.first = stamp.time_us if self.first is None else self.first
        self.matched += self._times.match(0, stamp.time_us, 0) is not None
        if pts is not None and (record_us := self._by_pts.match(0, pts, stamp.time_us)) is not None:
            self.against.add((record_us - stamp.time_us) / 1e6)

    def record(self, time_us: int, pts: int | None) -> None:
        """Take a record: its time and its PTS."""
        self.compared += 1
        self.matched += self._times.match(1, time_us, 0) is not None
        if pts is not None and (frame_us := self._by_pts.match(1, pts, time_us)) is not None:
            self.against.add((time_us - frame_us) / 1e6)

    def frozen(self, seconds: float) -> report.Frames:
        from klvrelay.probe.metadata.clocks import iso

        return report.Frames(
            self.pid, self.codec, self._find is not None, self.frames,
            self.frames / seconds if seconds > 0 else None, self.stamped, iso(self.first), self.nanoseconds,
            self.compared, self.matched, self.against.frozen(),
        )  # fmt: skip
