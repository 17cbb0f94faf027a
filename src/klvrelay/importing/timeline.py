"""The values that hold at a time: the newest ones, or interpolated between two rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from klvrelay.importing.item_names import item_at
from klvrelay.importing.telemetry import GIMBAL, MEASURES, TelemetryRow

AHEAD = 8
"""Rows after the current one that are searched for the next value of an item."""

_CIRCLES = {"gimbal_yaw": (0.0, 360.0), "gimbal_roll": (-180.0, 180.0)}


class ValueTimeline:
    """The rows of a file, asked at increasing times.

    max_age_us   a value that is older is no longer given
    interpolate  numbers between two rows, angles the short way, if the rows are at most `max_age_us` apart
    """

    def __init__(self, rows: Sequence[TelemetryRow], max_age_us: int, *, interpolate: bool = False) -> None:
        self._rows = rows
        self._max_age_us = max_age_us
        self._interpolate = interpolate
        self._next = 0
        self._newest: dict[str, tuple[int, Any]] = {}

    def at(self, us: int) -> dict[str, Any]:
        """The values at a time, empty if there are none; `us` is at least that of the previous call."""
        while self._next < len(self._rows) and self._rows[self._next].at_us <= us:
            row = self._rows[self._next]
            for key, value in zip(row.keys, row.values, strict=True):
                self._newest[key] = row.at_us, value
            self._next += 1
        fresh = {key: known for key, known in self._newest.items() if us - known[0] <= self._max_age_us}
        if not self._interpolate:
            return {key: value for key, (_, value) in fresh.items()}
        return {key: self._between(key, at_us, value, us) for key, (at_us, value) in fresh.items()}

    def _between(self, key: str, at_us: int, value: Any, us: int) -> Any:
        if us == at_us or not is_continuous(key) or not isinstance(value, int | float):
            return value
        for row in self._rows[self._next : self._next + AHEAD]:
            if key in row.keys:
                later = row.values[row.keys.index(key)]
                if row.at_us - at_us > self._max_age_us or not isinstance(later, int | float):
                    return value
                return blend(key, value, later, (us - at_us) / (row.at_us - at_us))
        return value


@lru_cache(4096)
def is_continuous(key: str) -> bool:
    """Whether values between two values make sense: measured numbers, but no counts, codes or texts."""
    if key in MEASURES:
        return True
    item = item_at(key)
    return item is not None and item.mapping.startswith(("linear", "imapb"))


@lru_cache(4096)
def circle_of(key: str) -> tuple[float, float] | None:
    """The range of an angle that continues at its other end; None for other values."""
    if key in _CIRCLES:
        return _CIRCLES[key]
    item = None if key in GIMBAL else item_at(key)
    if item is None or item.units != "deg" or item.min is None or item.max is None or item.max - item.min != 360:
        return None
    return item.min, item.max


def blend(key: str, value: float, later: float, share: float) -> float:
    """A value between two; angles go the short way round."""
    circle = circle_of(key)
    if circle is None:
        return value + (later - value) * share
    step = (later - value + 180) % 360 - 180
    return (value + step * share - circle[0]) % 360 + circle[0]
