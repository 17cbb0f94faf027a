"""A recording's own time: bytes in slices, each with the second it is due at; next door, `replay.py`.

    pace.py       what a clock is; bare KLV, by item 2
    ts_clock.py   MPEG-TS, by the times in it, or at a rate that is given
    ts_times.py   which of these times: PCR, else PTS, else item 2, else a fixed rate
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from klvrelay import core
from klvrelay.core.carriage import KEY

SYNC = 0x47
TICKS = 90_000
"""Of PCR and PTS in a second; they have 33 bits."""
MODULUS = 1 << 33
KLV_GAP = 60.0
"""Seconds between two time stamps of KLV that are taken for a jump of the clock, not a pause of the stream."""
HELD_MOST = 8 << 20
"""Bytes without a time that are held, to learn when they are due."""
KLV_HZ = 30.0
"""Packets a second of bare KLV whose time stamps are missing or stand still."""
STILL = 8
"""So many packets in a row without another time than the one before."""

Slice = tuple[float, bytes]

PACED_BY = {
    "PTS": "no clock (PCR) in it: paced by its presentation times (PTS)",
    "item 2": "no clock (PCR) and no PTS in it: paced by the time stamps of its KLV (item 2)",
    "rate": "no time in it that goes on: paced at a fixed rate",
}
"""What is to be said of a recording that is paced so; nothing of a PCR, nor of bare KLV with time stamps."""


class Clock(Protocol):
    """Bytes in any cut in, slices out, each with the seconds since the beginning at which it is due.

    by   what it goes by at the moment: "PCR", or a key of PACED_BY; None for what needs no word
    """

    @property
    def by(self) -> str | None: ...
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


class KlvClock:
    """Bare KLV cut packet by packet, paced by item 2, the Precision Time Stamp (ST 0603).

    Packets without one come with the one before. Where STILL in a row have no other time, they come KLV_HZ a second.
    """

    def __init__(self) -> None:
        self._line = Timeline(1_000_000, 1 << 64, KLV_GAP)
        self._held = b""
        self._still = 0
        self._ahead = 0.0  # seconds that were given to packets without a time of their own

    @property
    def by(self) -> str | None:
        return "rate" if self._still > STILL else None

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
        stamp, before = precision_time(packet), self._line.seconds
        due = before if stamp is None else self._line.at(stamp)
        if due > before:
            self._still, self._ahead = 0, max(0.0, self._ahead - (due - before))
        else:
            self._still += 1
            self._ahead += 1 / KLV_HZ if self._still > STILL else 0.0
        return due + self._ahead, packet


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
        if tag == 2 and size == 8 and 0 <= value <= len(packet) - 8:
            return core.micros(int.from_bytes(packet[value : value + 8]))
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
