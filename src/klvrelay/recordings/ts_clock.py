"""MPEG-TS in slices of packets, timed by its own time stamps or at a given rate."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np
from numpy.typing import NDArray

from klvrelay.recordings import timeline
from klvrelay.recordings.timeline import SYNC, Slice
from klvrelay.recordings.ts_times import Anchor, TsTimes

RATE = 1e6
"""Bits per second of a recording without any time."""
CLOCKLESS = 1 << 20
"""Bytes without a time after which the recording counts as one without."""

_SIZES = (188, 192, 204)
_LEAD = {188: 0, 192: 4, 204: 0}  # bytes before the sync byte: 192 is 188 after a time code (M2TS)
_LOOK = 5


class TsClock:
    """MPEG-TS cut at its time stamps; between two of them, packets are spread evenly.

    quantum   seconds within which packets are due together
    """

    def __init__(self, quantum: float) -> None:
        self._quantum = quantum
        self._times = TsTimes()
        self._held = b""
        self._timed_packets = 0  # packets at the start of the held data whose times are known
        self._size = 0
        self._last_due = 0.0  # when the packet before the held ones was due
        self._each = 0.0  # seconds per packet, by the last two time stamps
        self._timeless = False

    @property
    def by(self) -> str | None:
        return "rate" if self._timeless else self._times.by

    def plain(self, data: bytes) -> bytes:
        """The last slice as packets of 188 bytes, without the bytes around them."""
        return _plain(data, self._size)

    def slices(self, piece: bytes) -> Iterator[Slice]:
        """Slices up to the last time stamp so far; later packets wait for the next one."""
        data = self._held + piece
        at, data_end = 0, len(data)
        while True:
            if not self._size:
                start, self._size = _find_packets(data, at)
                if start > at:
                    yield self._times.seconds, data[at:start]
                at, self._timed_packets = start, 0
            if not self._size:
                break
            count = _count_in_sync(data, at, self._size)
            end = at + count * self._size
            at = yield from self._by_times(data, at, end)
            if data_end - end < self._size:
                break
            yield self._times.seconds, data[at:end]  # sync lost: search for it
            self._times.skip(0.0)
            at, self._size = end, 0
        self._held = data[at:]
        clockless = self.by in (None, "rate") and not self._times.has_advanced
        if len(self._held) > (CLOCKLESS if clockless else timeline.HELD_MOST):
            yield from self._without_time()

    def rest(self) -> Iterator[Slice]:
        """The held packets: by their time stamps, then at the pace of the last two."""
        held, self._held = self._held, b""
        at, end = 0, len(held) // self._size * self._size if self._size else 0
        if end:
            at = yield from self._anchored(held, 0, self._times.end())
        self._held = held[at:]
        yield from self._without_time()
        if self._held:
            yield self._times.seconds, self._held
            self._held = b""

    def _by_times(self, data: bytes, at: int, end: int) -> Generator[Slice, None, int]:
        """Yield the packets of data[at:end] up to the last with a known time; returns the offset of the rest."""
        fresh = at + self._timed_packets * self._size
        anchors = self._times.feed(self._packets(data, fresh, end), self._timed_packets)
        self._timed_packets = (end - at) // self._size
        return (yield from self._anchored(data, at, anchors))

    def _packets(self, data: bytes, at: int, end: int) -> NDArray[np.uint8]:
        return np.frombuffer(data, np.uint8, end - at, at).reshape(-1, self._size)[:, _LEAD[self._size] :]

    def _anchored(self, data: bytes, at: int, anchors: list[Anchor]) -> Generator[Slice, None, int]:
        if not anchors:
            return at
        rows, dues = np.array([row for row, _ in anchors]), np.array([due for _, due in anchors])
        if self._timeless:  # packets before the first time stamp follow at its rate
            ahead = float(rows[0]) * self._size * 8 / RATE
            self._times.seconds += ahead
            dues += ahead
            self._timeless = False
        count = int(rows[-1]) + 1
        # The packet before the first one was at the last time stamp of the previous piece.
        due = np.interp(np.arange(count), [-1, *rows.tolist()], [self._last_due, *dues.tolist()])
        self._each = float(dues[-1] - self._last_due) / count
        self._last_due = float(dues[-1])
        yield from self._slices(data, at, due)
        self._timed_packets -= count
        self._times.shift(count)
        return at + count * self._size

    def _without_time(self) -> Iterator[Slice]:
        """The complete held packets, at the pace of the last two time stamps, or at a fixed rate."""
        held, count = self._held, len(self._held) // self._size if self._size else 0
        if not count:
            return
        self._timeless = self._timeless or not self._each
        each = self._each or self._size * 8 / RATE
        due = self._last_due + each * np.arange(1, count + 1, dtype=np.float64)
        self._times.skip(each * count)
        self._last_due = self._times.seconds
        self._held = held[count * self._size :]
        yield from self._slices(held, 0, due)
        self._timed_packets = 0

    def _slices(self, data: bytes, at: int, due: NDArray[np.float64]) -> Iterator[Slice]:
        """Packets from `at` on, one slice for all that are due within one quantum."""
        ends = np.flatnonzero(np.diff(np.floor(due / self._quantum))) + 1
        begin = 0
        for end in [*ends.tolist(), len(due)]:
            yield float(due[end - 1]), data[at + begin * self._size : at + end * self._size]
            begin = end


class RateClock:
    """MPEG-TS at a constant rate, packet by packet; its clock is ignored."""

    def __init__(self, rate: float) -> None:
        self._each = 8 / rate
        self._held = b""
        self._size = 0
        self._bytes = 0
        self.by: str | None = None

    def plain(self, data: bytes) -> bytes:
        """The last slice as packets of 188 bytes, without the bytes around them."""
        return _plain(data, self._size)

    def slices(self, piece: bytes) -> Iterator[Slice]:
        """Each complete packet, due when its last byte is."""
        data, at = self._held + piece, 0
        if not self._size:
            at, self._size = _find_packets(data, 0)
            if at:
                yield self._slice(data[:at])
        while self._size and len(data) - at >= self._size:
            yield self._slice(data[at : at + self._size])
            at += self._size
        self._held = data[at:]

    def rest(self) -> Iterator[Slice]:
        held, self._held = self._held, b""
        if held:
            yield self._slice(held)

    def _slice(self, data: bytes) -> Slice:
        self._bytes += len(data)
        return self._bytes * self._each, data


def _plain(data: bytes, size: int) -> bytes:
    """Packets of 192 or 204 bytes as packets of 188; other bytes unchanged."""
    lead = _LEAD.get(size, 0)
    if size in (0, 188) or len(data) % size or data[lead::size] != bytes([SYNC]) * (len(data) // size):
        return data
    return b"".join(data[at + lead : at + lead + 188] for at in range(0, len(data), size))


def _find_packets(data: bytes, at: int) -> tuple[int, int]:
    """Offset and size of the packets in data[at:]; (offset searched so far, 0) if there are none."""
    while (sync := data.find(SYNC, at)) >= 0:
        for size in _SIZES:
            begin = sync - _LEAD[size]
            if begin >= at and data[sync : sync + _LOOK * size : size] == b"G" * _LOOK:
                return begin, size
        if sync + _LOOK * _SIZES[-1] > len(data):
            return max(at, sync - 4), 0
        at = sync + 1
    return max(at, len(data) - 4), 0


def _count_in_sync(data: bytes, at: int, size: int) -> int:
    """Packets from data[at] on up to the first without a sync byte."""
    syncs = np.frombuffer(data, np.uint8, offset=at)[_LEAD[size] :: size]
    count = (len(data) - at) // size
    wrong = np.flatnonzero(syncs[:count] != SYNC)
    return int(wrong[0]) if len(wrong) else count
