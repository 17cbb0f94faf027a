"""Where one segment ends and the next begins: at a table of programmes, so that each can be read alone; next door,
`recorder.py` feeds it and `shelf.py` writes what comes out.
"""

from __future__ import annotations

from collections.abc import Iterator

from klvrelay.record import Carriage
from klvrelay.recording.limits import RecordingLimits

GRACE = 2.0
"""Seconds past its limit that a segment goes on in search of a PAT; ten times what ETSI TR 101 290 lets one be away."""
SLACK = 4
"""A segment may be larger than its limit by the limit's `SLACK`th part, in search of a PAT."""
KEY = b"\x06\x0e\x2b\x34"

_SIZES = {188: 0, 192: 4, 204: 0}  # of packets; and what stands before the sync byte
_LOOK = 5
_CONTEXT = _LOOK * 204
_PATS = (b"G\x40\x00", b"G\x60\x00")  # a section of PID 0 begins, of either transport priority


class Segmenter:
    """Bytes in any cut in, bytes and cuts out; joined, the bytes are the same."""

    def __init__(self, limits: RecordingLimits) -> None:
        self._limits = limits
        self._size = 0  # of the segment so far
        self._since = 0.0
        self._tail = b""  # the last of the bytes before, to know packets by

    def feed(self, data: bytes, carriage: Carriage, now: float) -> Iterator[bytes | None]:
        """Pieces of `data`, and None where a segment ends; `now` in seconds, monotonic."""
        context, self._tail = self._tail, (self._tail + data if len(data) < _CONTEXT else data)[-_CONTEXT:]
        if self._size and now - self._since < self._limits.seconds and self._size + len(data) < self._limits.size:
            self._size += len(data)  # nothing ends here, as nearly always
            yield data
            return
        joined, at = context + data, len(context)
        while at < len(joined):
            if not self._size:
                self._since = now
            end = self._end(joined, at, carriage, now)
            if end > at:
                yield joined[at:end]
            self._size += end - at
            at = end
            if end < len(joined):
                self.cut()
                yield None

    def overdue(self, now: float) -> bool:
        """Has a segment been open for longer than it may, with nothing coming to find an end in?"""
        return self._size > 0 and now - self._since > self._limits.seconds + GRACE

    def cut(self) -> None:
        """The segment ends here, for whatever reason."""
        self._size = 0

    def _end(self, data: bytes, at: int, carriage: Carriage, now: float) -> int:
        """Where the segment that data[at:] goes on with ends; the end of the data where that isn't yet."""
        age = now - self._since - self._limits.seconds
        full = at + self._limits.size - self._size
        most = full + self._limits.size // SLACK
        begin = max(at if age >= 0 else full, at + (not self._size))
        if begin >= len(data):
            return len(data)
        size, phase = _grid(data, begin) or (1, 0)
        found = data.find(KEY, begin) if carriage == "klv" else _pat(data, begin, size, phase)
        if begin <= found <= max(most, begin):
            return found
        last = max(begin, begin if age >= GRACE else most)
        return min(last + (phase - last) % size, len(data))


def _grid(data: bytes, near: int) -> tuple[int, int] | None:
    """Size of the packets around a place, and where any of them begins; None where there are none."""
    base = max(0, min(near, len(data)) - _CONTEXT)
    for size, lead in _SIZES.items():
        for sync in range(base + lead, base + lead + size):
            column = data[sync : sync + _LOOK * size : size]
            if column == b"G" * _LOOK:
                return size, sync - lead
    return None


def _pat(data: bytes, begin: int, size: int, phase: int) -> int:
    """Where the first packet from `begin` on begins that itself begins a PAT (ISO/IEC 13818-1, 2.4.4.3); or -1."""
    if size not in _SIZES:
        return -1
    lead = _SIZES[size]
    places = []
    for mark in _PATS:
        at = data.find(mark, begin + lead)
        while at >= 0 and (at - lead - phase) % size:
            at = data.find(mark, at + 1)
        places += [at - lead] if at >= 0 else []
    return min(places, default=-1)
