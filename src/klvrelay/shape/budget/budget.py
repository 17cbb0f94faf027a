"""The budget of an uplink: what a message costs on the wire, and when the next one may be sent.

The kernel's counts are the truth. The estimate holds from the moment a message is passed on until they contain it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

BURST = 0.1
"""Seconds of the rate that may be sent at once after a pause."""
WINDOW, SAMPLE = 5.0, 0.25
"""Seconds over which the rate in use is measured, and between two of its samples."""
TLS_RECORD, TLS_HEADER = 16 << 10, 22
"""Maximum bytes of a TLS record, and what TLS 1.3 adds to each: header, type and tag (RFC 8446, 5.2)."""
_PUBREL = 4


class Wire(NamedTuple):
    """How a connection carries messages.

    header    bytes of IP and TCP headers of each segment
    segment   maximum payload bytes of a segment
    tls       is each write a TLS record?
    """

    header: int = 52
    segment: int = 1448
    tls: bool = False

    def cost(self, size: int, qos: int = 0) -> int:
        """Bytes on the wire of a packet of `size` bytes that is sent alone, with our answers to the far end's answers.
        """
        if not size:
            return 0
        if self.tls:
            size += -(-size // TLS_RECORD) * TLS_HEADER
        cost = size + -(-size // self.segment) * self.header
        if qos == 2:
            cost += self.cost(_PUBREL)
        return cost + qos * self.header


class Budget:
    """A token bucket of bytes on the wire, which outlives connections.

    A message may be sent while there are tokens, whatever its size: the debt delays the next one. So the rate is kept
    over every period but for one message and the burst.

    rate    bits per second
    clock   seconds, monotonic
    """

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self.rate = rate
        self._clock = clock
        self._per_second = rate / 8
        self._most = self._per_second * BURST
        self._tokens = self._most
        self._filled = clock()
        self._counted = 0.0  # bytes of this connection for which tokens were taken
        self._total = self._spare = 0.0
        self._samples: deque[tuple[float, float]] = deque([(self._filled, 0.0)])

    @property
    def total(self) -> float:
        """Bytes for which tokens were taken so far."""
        return self._total

    def begin_connection(self) -> None:
        """A new connection, whose counts begin at 0."""
        self._counted = 0.0

    def spend(self, size: float, *, spare: bool = False) -> None:
        """Bytes were passed to the connection. `spare`: they would not have been without idle time."""
        self._counted += size
        self._spare += size if spare else 0.0
        self._take(size)

    def settle(self, size: float) -> None:
        """The connection has sent, or is about to send, so many bytes since it began: correct the estimates."""
        difference, self._counted = size - self._counted, size
        self._take(difference)

    @property
    def wait(self) -> float:
        """Seconds until the next message may be sent; 0: now."""
        self._fill()
        return max(0.0, -self._tokens / self._per_second)

    @property
    def is_idle(self) -> bool:
        """Has nothing been sent for so long that the burst is whole?"""
        self._fill()
        return self._tokens >= self._most

    @property
    def used(self) -> float:
        """Bits per second over the last seconds, without those that were to spare."""
        self._sample()
        (since, before), now = self._samples[0], self._clock()
        return 8 * max(0.0, self._total - self._spare - before) / max(now - since, SAMPLE)

    def _take(self, size: float) -> None:
        self._fill()
        self._tokens -= size
        self._total += size
        self._sample()

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self._most, self._tokens + (now - self._filled) * self._per_second)
        self._filled = now

    def _sample(self) -> None:
        now, samples = self._clock(), self._samples
        if now - samples[-1][0] >= SAMPLE:
            samples.append((now, self._total - self._spare))
        while len(samples) > 1 and now - samples[1][0] >= WINDOW:
            samples.popleft()
