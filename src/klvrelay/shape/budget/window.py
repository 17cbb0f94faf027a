"""How many bytes may be unanswered on an uplink, so that no queue grows in the network: learned from the delays."""

from __future__ import annotations

TARGET = 0.6
"""Seconds of queueing that the window grows to."""
LEAST = 1500
"""Bytes that may be unanswered in any case: about one message."""
STEP = 1400
"""Bytes by which the window may grow in one round trip."""
BASE_FOR = 60.0
"""Seconds after which a shortest delay is forgotten, for a route that has become longer."""


class Window:
    """Grows while answers come as early as the shortest one, and shrinks as they come later, as LEDBAT (RFC 6817) does.

    The network may acknowledge bytes long before they arrive: a proxy does, as on satellite links. The broker's answers
    are those of the far end.

    rate   bytes per second of the budget: more is never unanswered than it sends in the shortest delay and TARGET
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._bases: list[float] = []  # shortest delays: of this period, and of the one before
        self._base_until = 0.0
        self._size = self._most

    @property
    def size(self) -> float:
        """Bytes that may be unanswered."""
        return max(LEAST, self._size)

    @property
    def _base(self) -> float:
        return min(self._bases, default=1.0)

    @property
    def _most(self) -> float:
        return self._rate * (self._base + TARGET)

    def answered(self, size: float, delay: float, now: float) -> None:
        """A message of `size` bytes was answered after `delay` seconds."""
        delay = max(0.0, delay - size / self._rate)  # the time that its own bytes take
        if now >= self._base_until:
            self._base_until = now + BASE_FOR
            self._bases = [delay, *self._bases[:1]]
        self._bases[0] = min(self._bases[0], delay)
        off_target = (TARGET - (delay - self._base)) / TARGET
        self._size += off_target * STEP * size / self.size
        self._size = min(max(LEAST, self._size), self._most)
