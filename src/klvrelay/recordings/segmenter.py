"""Decides where segments end: at a program association table (PAT), so that each segment can be read separately."""

from __future__ import annotations

from collections.abc import Iterator

from klvrelay.record import Carriage
from klvrelay.recordings.limits import RecordingLimits

GRACE = 2.0
"""Seconds past its limit that a segment waits for a PAT; ten times the maximum interval of ETSI TR 101 290."""
SLACK = 4
"""A segment that waits for a PAT may exceed its size limit by one part in `SLACK`."""
KEY = b"\x06\x0e\x2b\x34"

_SIZES = {188: 0, 192: 4, 204: 0}  # packet sizes, and the bytes before the sync byte
_LOOK = 5
_CONTEXT = _LOOK * 204
_PATS = (b"G\x40\x00", b"G\x60\x00")  # start of a section on PID 0, of either transport priority


class Segmenter:
    """Takes bytes in pieces of any size, and returns bytes and cuts; joined, the bytes are unchanged."""

    def __init__(self, limits: RecordingLimits) -> None:
        self._limits = limits
        self._size = 0  # of the segment so far
        self._since = 0.0
        self._tail = b""  # the last bytes before the piece, to recognise packets

    def feed(self, data: bytes, carriage: Carriage, now: float) -> Iterator[bytes | None]:
        """Pieces of `data`, with None where a segment ends; `now` is in seconds, monotonic."""
        context, self._tail = self._tail, (self._tail + data if len(data) < _CONTEXT else data)[-_CONTEXT:]
        if self._size and now - self._since < self._limits.seconds and self._size + len(data) < self._limits.size:
            self._size += len(data)  # no segment ends here: the usual case
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
                self.end()
                yield None

    def overdue(self, now: float) -> bool:
        """Has a segment exceeded its time while no data arrives in which to find an end?"""
        return self._size > 0 and now - self._since > self._limits.seconds + GRACE

    def end(self) -> None:
        """End the segment here, for any reason."""
        self._size = 0

    def _end(self, data: bytes, at: int, carriage: Carriage, now: float) -> int:
        """Where the segment that continues with data[at:] ends; the end of the data if not in it."""
        age = now - self._since - self._limits.seconds
        full = at + self._limits.size - self._size
        most = full + self._limits.size // SLACK
        begin = max(at if age >= 0 else full, at + (not self._size))
        if begin >= len(data):
            return len(data)
        size, phase = _packet_grid(data, begin) or (1, 0)
        found = data.find(KEY, begin) if carriage == "klv" else _find_pat(data, begin, size, phase)
        if begin <= found <= max(most, begin):
            return found
        last = max(begin, begin if age >= GRACE else most)
        return min(last + (phase - last) % size, len(data))


def _packet_grid(data: bytes, near: int) -> tuple[int, int] | None:
    """Packet size near an offset, and the offset of one packet; None if there are no packets."""
    base = max(0, min(near, len(data)) - _CONTEXT)
    for size, lead in _SIZES.items():
        for sync in range(base + lead, base + lead + size):
            column = data[sync : sync + _LOOK * size : size]
            if column == b"G" * _LOOK:
                return size, sync - lead
    return None


def _find_pat(data: bytes, begin: int, size: int, phase: int) -> int:
    """The offset of the first packet from `begin` on that starts a PAT (ISO/IEC 13818-1, 2.4.4.3), or -1."""
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
