"""How often an output publishes: at most once in each interval, in the time of the records."""

from __future__ import annotations


class Pace:
    """Decides which records of one stream and set are published, at `rate` per second.

        interval   |----------|----------|----------|
        records    a  b  c  d   e  f  g      h
        published  a            e            h          d and g, if nothing newer came for a whole interval

    The intervals follow each other while records arrive, so that the mean rate is kept although records arrive at
    other times. After a pause, or if the clock was set back, a new interval begins. `interval` is in microseconds; 0:
    every record is published.
    """

    __slots__ = ("_next", "interval")

    def __init__(self, rate: float | None) -> None:
        self.interval = 0 if rate is None else max(1, round(1e6 / rate))
        self._next: int | None = None

    def change(self, rate: float | None) -> None:
        """Publish at another rate from the next record on."""
        self.interval = 0 if rate is None else max(1, round(1e6 / rate))
        self._next = None

    def is_due(self, at: int) -> bool:
        """May a record of this time, in microseconds, be published? If so, the next interval begins."""
        if not self.interval:
            return True
        if self._next is not None and 0 < self._next - at <= 2 * self.interval:
            return False
        if self._next is None or not 0 <= at - self._next < self.interval:
            self._next = at
        self._next += self.interval
        return True

    def skip(self) -> None:
        """A record was published after `wait`: the next interval begins there."""
        if self._next is not None:
            self._next += 2 * self.interval

    def wait(self, at: int) -> float:
        """Seconds until a record of this time, which was not due, is published if nothing newer comes."""
        return (max(0, (self._next or at) - at) + self.interval) / 1e6
