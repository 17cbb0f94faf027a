"""A recording's own time: bytes in slices, each with the second it is due at; next door, `replay.py`."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from klvrelay import wire
from klvrelay.klv import KEY

SYNC = 0x47
PCR_RATE = 90_000
PCR_MODULUS = 1 << 33
PCR_GAP = 10.0
"""Seconds between two clock stamps that are taken for a jump of the clock, not a pause of the stream."""
KLV_GAP = 60.0
HELD_MOST = 8 << 20
"""Bytes without a clock stamp after which they are sent unpaced."""

_SIZES = (188, 192, 204)
_LEAD = {188: 0, 192: 4, 204: 0}  # what stands before the sync byte: 192 is 188 behind a time code (M2TS)
_LOOK = 5

Slice = tuple[float, bytes]


class Clock(Protocol):
    """Bytes in any cut in, slices out, each with the seconds since the beginning at which it is due."""

    def cut(self, piece: bytes) -> Iterator[Slice]: ...
    def rest(self) -> Iterator[Slice]: ...


class Timeline:
    """Seconds since the first stamp, through wraps and jumps of the clock that made the stamps."""

    def __init__(self, rate: int, modulus: int, gap: float) -> None:
        self._rate, self._modulus, self._gap = rate, modulus, gap
        self._last: int | None = None
        self.seconds = 0.0

    def at(self, ticks: int) -> float:
        """When this stamp is due; a jump (backwards, or by more than `gap`) takes no time."""
        if self._last is not None:
            step = (ticks - self._last) % self._modulus / self._rate
            if step <= self._gap:
                self.seconds += step
        self._last = ticks
        return self.seconds


class TsClock:
    """MPEG-TS cut by its PCRs (ISO/IEC 13818-1, 2.4.3.5); between two of them time goes evenly."""

    def __init__(self, quantum: float) -> None:
        self._quantum = quantum
        self._line = Timeline(PCR_RATE, PCR_MODULUS, PCR_GAP)
        self._held = b""
        self._size = 0
        self._pid = -1
        self._each = 0.0  # seconds that a packet takes, by the last two stamps

    @property
    def ticks(self) -> bool:
        """Has it seen a clock stamp?"""
        return self._pid >= 0

    def plain(self, data: bytes) -> bytes:
        """The slice just given without what stands around packets of 188 bytes."""
        return _plain(data, self._size)

    def cut(self, piece: bytes) -> Iterator[Slice]:
        """Slices up to the last PCR so far; what follows waits for the next one."""
        data = self._held + piece
        at, data_end = 0, len(data)
        while True:
            if not self._size:
                start, self._size = _geometry(data, at)
                if start > at:
                    yield self._line.seconds, data[at:start]
                at = start
            if not self._size:
                break
            count = _in_step(data, at, self._size)
            end = at + count * self._size
            at = yield from self._by_stamps(data, at, end)
            if data_end - end < self._size:
                break
            yield self._line.seconds, data[at:end]  # sync is lost: look for it anew
            at, self._size = end, 0
        self._held = data[at:]
        if len(self._held) > HELD_MOST:
            self._pid = -1
            yield from self.rest()

    def rest(self) -> Iterator[Slice]:
        """What is held, at the pace of the last two stamps."""
        held, self._held = self._held, b""
        count = len(held) // self._size if self._size else 0
        if count and self._each:
            rows = self._line.seconds + self._each * np.arange(1, count + 1, dtype=np.float64)
            self._line.seconds = float(rows[-1])
            yield from self._slices(held, 0, rows)
            held = held[count * self._size :]
        if held:
            yield self._line.seconds, held

    def _by_stamps(self, data: bytes, at: int, end: int) -> Generator[Slice, None, int]:
        """Yield the packets of data[at:end] up to the last PCR; returns where the rest begins."""
        rows = np.frombuffer(data, np.uint8, end - at, at).reshape(-1, self._size)[:, _LEAD[self._size] :]
        where, stamps = self._stamps(rows)
        if not len(where):
            return at
        before = self._line.seconds
        dues = np.array([self._line.at(int(stamp)) for stamp in stamps])
        # The packet before the first one stood at the last stamp of the piece before.
        places = np.concatenate(([-1], where))
        due = np.interp(np.arange(where[-1] + 1), places, np.concatenate(([before], dues)))
        self._each = float(dues[-1] - before) / int(where[-1] + 1)
        yield from self._slices(data, at, due)
        return at + int(where[-1] + 1) * self._size

    def _stamps(self, rows: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        has = (rows[:, 3] & 0x20 != 0) & (rows[:, 4] >= 7) & (rows[:, 5] & 0x10 != 0)
        where = np.flatnonzero(has)
        pids = (rows[where, 1].astype(np.int64) & 0x1F) << 8 | rows[where, 2]
        if self._pid < 0 and len(where):
            self._pid = int(pids[0])
        where = where[pids == self._pid]
        octets = rows[where, 6:11].astype(np.int64)
        # 33 bits at 90 kHz; the extension of 27 MHz is finer than any clock here.
        octets <<= np.array([25, 17, 9, 1, 0])
        octets[:, 4] >>= 7
        return where, octets.sum(axis=1)

    def _slices(self, data: bytes, at: int, due: NDArray[np.float64]) -> Iterator[Slice]:
        """Packets from `at` on, one slice for those that are due within one quantum."""
        ends = np.flatnonzero(np.diff(np.floor(due / self._quantum))) + 1
        begin = 0
        for end in [*ends.tolist(), len(due)]:
            yield float(due[end - 1]), data[at + begin * self._size : at + end * self._size]
            begin = end


class RateClock:
    """MPEG-TS at an even rate, packet by packet, whatever its own clock says."""

    def __init__(self, rate: float) -> None:
        self._each = 8 / rate
        self._held = b""
        self._size = 0
        self._gone = 0

    def plain(self, data: bytes) -> bytes:
        """The slice just given without what stands around packets of 188 bytes."""
        return _plain(data, self._size)

    def cut(self, piece: bytes) -> Iterator[Slice]:
        """Every packet that is whole, due when its last byte is."""
        data, at = self._held + piece, 0
        if not self._size:
            at, self._size = _geometry(data, 0)
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
        self._gone += len(data)
        return self._gone * self._each, data


def _plain(data: bytes, size: int) -> bytes:
    """Packets of 192 or 204 bytes as packets of 188; other bytes as they are."""
    lead = _LEAD.get(size, 0)
    if size in (0, 188) or len(data) % size or data[lead::size] != bytes([SYNC]) * (len(data) // size):
        return data
    return b"".join(data[at + lead : at + lead + 188] for at in range(0, len(data), size))


def _geometry(data: bytes, at: int) -> tuple[int, int]:
    """Where packets begin in data[at:], and their size; (how far that can be ruled out, 0) where none do."""
    while (sync := data.find(SYNC, at)) >= 0:
        for size in _SIZES:
            begin = sync - _LEAD[size]
            if begin >= at and data[sync : sync + _LOOK * size : size] == b"G" * _LOOK:
                return begin, size
        if sync + _LOOK * _SIZES[-1] > len(data):
            return max(at, sync - 4), 0
        at = sync + 1
    return max(at, len(data) - 4), 0


def _in_step(data: bytes, at: int, size: int) -> int:
    """Packets from data[at] on before the first without its sync byte."""
    syncs = np.frombuffer(data, np.uint8, offset=at)[_LEAD[size] :: size]
    count = (len(data) - at) // size
    wrong = np.flatnonzero(syncs[:count] != SYNC)
    return int(wrong[0]) if len(wrong) else count


class KlvClock:
    """Bare KLV cut packet by packet, paced by item 2, the Precision Time Stamp (ST 0603)."""

    def __init__(self) -> None:
        self._line = Timeline(1_000_000, 1 << 64, KLV_GAP)
        self._held = b""

    def cut(self, piece: bytes) -> Iterator[Slice]:
        """Slices up to the last packet that is whole."""
        data = self._held + piece
        at = 0
        while (end := packet_end(data, at)) is not None and end <= len(data):
            yield self._slice(data[at:end])
            at = end
        self._held = data[at:]
        if len(self._held) > HELD_MOST:
            yield from self.rest()

    def rest(self) -> Iterator[Slice]:
        held, self._held = self._held, b""
        if held:
            yield self._slice(held)

    def _slice(self, packet: bytes) -> Slice:
        stamp = precision_time(packet)
        return (self._line.seconds if stamp is None else self._line.at(stamp)), packet


def packet_end(data: bytes, at: int) -> int | None:
    """Where the first KLV packet of data[at:] says it ends; None where that isn't known yet."""
    key = data.find(KEY, at)
    if key < 0 or len(data) < key + 17:
        return None
    size, value = _ber_length(data, key + 16)
    if value < 0:
        return None
    return value + size


def precision_time(packet: bytes) -> int | None:
    """Item 2 of the local set that begins in `packet`, in microseconds whatever unit it was sent in; or None."""
    key = packet.find(KEY)
    if key < 0:
        return None
    _, at = _ber_length(packet, key + 16)
    while 0 <= at < len(packet) - 1:
        tag = packet[at]
        size, value = _ber_length(packet, at + 1 + _more_octets(packet, at))
        if tag == 2 and size == 8 and value >= 0:
            return wire.micros(int.from_bytes(packet[value : value + 8]))
        at = value + size if value >= 0 else -1
    return None


def _more_octets(data: bytes, at: int) -> int:
    more = 0
    while at + more < len(data) and data[at + more] & 0x80:
        more += 1
    return more


def _ber_length(data: bytes, at: int) -> tuple[int, int]:
    """A BER length and where its value begins; the latter -1 where it is malformed or cut off."""
    if at >= len(data):
        return 0, -1
    first = data[at]
    if first < 0x80:
        return first, at + 1
    octets = first & 0x7F
    if not 0 < octets <= 8 or at + 1 + octets > len(data):
        return 0, -1
    return int.from_bytes(data[at + 1 : at + 1 + octets]), at + 1 + octets
