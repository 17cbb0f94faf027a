"""RTP in front of MPEG-TS (RFC 3550, RFC 2250): headers off, order restored, gaps told; next door, `udp.py`.

| V=2 |P|X|  CC   |M|    PT     |        sequence number        |
|                           timestamp                           |
|           synchronization source (SSRC) identifier            |
|       contributing sources, CC of them; extension if X        |
|       payload; padding if P, its last octet says how much     |
"""

from __future__ import annotations

from typing import NamedTuple

from klvrelay.klv import KEY

MP2T = 33
"""The payload type that RFC 3551 gives to MPEG-TS."""
SYNC = 0x47
PATIENCE = 32
"""Datagrams that are held for one that is late; a sender that is further off than this began anew."""

_RTCP = range(72, 77)


class Datagram(NamedTuple):
    """One RTP datagram without its header."""

    sequence: int
    ssrc: bytes
    payload: bytes


def parse(data: memoryview) -> Datagram | None:
    """The parts of an RTP datagram; None where it is no RTP, is RTCP, or is empty."""
    if len(data) < 12 or data[0] >> 6 != 2 or data[1] & 0x7F in _RTCP:
        return None
    start, stop = 12 + 4 * (data[0] & 0x0F), len(data)
    if data[0] & 0x10:
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
    if data[0] & 0x20:
        stop -= data[-1]
    if start >= stop:
        return None
    return Datagram(int.from_bytes(data[2:4]), bytes(data[8:12]), bytes(data[start:stop]))


def looks_like(data: memoryview) -> bool:
    """Is this datagram RTP that carries MPEG-TS or KLV, rather than either of them bare?"""
    if data[0] == SYNC or (found := parse(data)) is None:
        return False
    return found.payload[0] == SYNC or found.payload[:4] == KEY


class Order:
    """Payloads in the order they were sent in; a gap that nothing fills is told.

    A payload comes out at once unless one before it is missing: then it is held until that arrives, until
    PATIENCE others are held, or until `release`.
    """

    def __init__(self) -> None:
        self._next = -1
        self._ssrc = b""
        self._held: dict[int, bytes] = {}
        self.lost = 0

    @property
    def waiting(self) -> bool:
        return bool(self._held)

    def push(self, datagram: Datagram) -> list[tuple[bytes, bool]]:
        """Payloads that are due, each with whether something is missing before it."""
        ahead = (datagram.sequence - self._next) & 0xFFFF
        if self._next < 0 or datagram.ssrc != self._ssrc or PATIENCE * 4 < ahead < 0x10000 - PATIENCE * 4:
            return self._begin(datagram)
        if ahead >= 0x8000:
            return []  # a duplicate, or later than we waited
        self._held[datagram.sequence] = datagram.payload
        due = self._in_step(damaged=False)
        return due + self.release() if len(self._held) > PATIENCE else due

    def release(self) -> list[tuple[bytes, bool]]:
        """All that is held, gaps told."""
        due: list[tuple[bytes, bool]] = []
        while self._held:
            nearest = min(self._held, key=lambda sequence: (sequence - self._next) & 0xFFFF)
            self.lost += (nearest - self._next) & 0xFFFF
            self._next = nearest
            due += self._in_step(damaged=True)
        return due

    def _in_step(self, *, damaged: bool) -> list[tuple[bytes, bool]]:
        due = []
        while (payload := self._held.pop(self._next, None)) is not None:
            due.append((payload, damaged))
            damaged = False
            self._next = (self._next + 1) & 0xFFFF
        return due

    def _begin(self, datagram: Datagram) -> list[tuple[bytes, bool]]:
        """The first datagram of a sender: nothing is known of what came before, unless another sent it."""
        due = self.release()
        first = self._next < 0
        self._ssrc, self._next = datagram.ssrc, (datagram.sequence + 1) & 0xFFFF
        return [*due, (datagram.payload, not first)]
