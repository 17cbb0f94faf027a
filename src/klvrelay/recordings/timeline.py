"""The time of a recording: its bytes in slices, each with the second at which it is due."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from klvrelay import core
from klvrelay.core.carriage import KEY

SYNC = 0x47
TICKS = 90_000
"""Ticks of PCR and PTS per second; both have 33 bits."""
MODULUS = 1 << 33
KLV_GAP = 60.0
"""Seconds between two KLV time stamps that count as a step of the clock, not as a pause of the stream."""
HELD_MOST = 8 << 20
"""Maximum bytes without a time that are held until their due time is known."""
KLV_HZ = 30.0
"""Packets per second of bare KLV whose time stamps are missing or do not change."""
STILL = 8
"""Consecutive packets without a new time stamp after which the fixed rate applies."""

Slice = tuple[float, bytes]

PACED_BY = {
    "PTS": "no clock (PCR) in it: paced by its presentation times (PTS)",
    "item 2": "no clock (PCR) and no PTS in it: paced by the time stamps of its KLV (item 2)",
    "rate": "no usable time stamps in it: paced at a fixed rate",
}
"""What to report about the pacing of a recording; nothing for PCR, nor for bare KLV with time stamps."""


class Clock(Protocol):
    """Takes bytes in pieces of any size and returns slices, each with the seconds since the beginning at which it is
    due.

    by   the time in use: "PCR", or a key of PACED_BY; None if nothing needs to be reported
    """

    @property
    def by(self) -> str | None: ...
    def slices(self, piece: bytes) -> Iterator[Slice]: ...
    def rest(self) -> Iterator[Slice]: ...


class Timeline:
    """Seconds since the first time stamp, across wraps and steps of the clock that made them."""

    def __init__(self, rate: int, modulus: int, gap: float) -> None:
        self._rate, self._modulus, self._gap = rate, modulus, gap
        self._last: int | None = None
        self.seconds = 0.0

    def at(self, ticks: int) -> float:
        """When this time stamp is due; a step (backwards, or by more than `gap`) takes no time."""
        if self._last is not None:
            step = (ticks - self._last) % self._modulus / self._rate
            if step <= self._gap:
                self.seconds += step
        self._last = ticks
        return self.seconds


class KlvClock:
    """Bare KLV in packets, paced by item 2, the Precision Time Stamp (ST 0603).

    Packets without one are due with the previous one; after STILL in a row, at KLV_HZ per second.
    """

    def __init__(self) -> None:
        self._timeline = Timeline(1_000_000, 1 << 64, KLV_GAP)
        self._held = b""
        self._still = 0
        self._ahead = 0.0  # seconds assigned to packets without a time stamp

    @property
    def by(self) -> str | None:
        return "rate" if self._still > STILL else None

    def slices(self, piece: bytes) -> Iterator[Slice]:
        """Slices up to the last complete packet."""
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
        stamp, before = precision_time(packet), self._timeline.seconds
        due = before if stamp is None else self._timeline.at(stamp)
        if due > before:
            self._still, self._ahead = 0, max(0.0, self._ahead - (due - before))
        else:
            self._still += 1
            self._ahead += 1 / KLV_HZ if self._still > STILL else 0.0
        return due + self._ahead, packet


def packet_end(data: bytes, at: int) -> int | None:
    """Where the first KLV packet of data[at:] ends, by its length; None if that is not known yet."""
    key = data.find(KEY, at)
    if key < 0 or len(data) < key + 17:
        return None
    size, value = _ber_length(data, key + 16)
    if value < 0:
        return None
    return value + size


def precision_time(packet: bytes) -> int | None:
    """Item 2 of the local set at the start of `packet`, converted to microseconds; None if it has none."""
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
    """A BER length and the offset of its value; the offset is -1 if the length is malformed or cut off."""
    if at >= len(data):
        return 0, -1
    first = data[at]
    if first < 0x80:
        return first, at + 1
    octets = first & 0x7F
    if not 0 < octets <= 8 or at + 1 + octets > len(data):
        return 0, -1
    return int.from_bytes(data[at + 1 : at + 1 + octets]), at + 1 + octets
