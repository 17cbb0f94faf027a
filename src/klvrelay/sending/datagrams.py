"""From slices of a recording to what one datagram holds; next door, `reel.py` has the slices, `udp.py` the lines."""

from __future__ import annotations

from collections.abc import Iterator

from klvrelay.record import Carriage
from klvrelay.recordings.timeline import SYNC, Slice
from klvrelay.sending.impair import TS_SIZE, Impairer, ts_packets

HOLD = 0.05
"""Seconds of the recording that a datagram waits at most to be full: on a slow stream it goes out short."""
UDP_MOST = 65_507
"""Bytes that one datagram can hold at all (RFC 768, IPv4)."""


class Packetizer:
    """Slices in, payloads of datagrams out, each with the second it is due at: that of the last byte in it.

    carriage   "ts": so many whole packets of 188 bytes as `size` holds; "klv": a KLV packet a datagram
    wire       what TS packets suffer before they are put into datagrams, or None
    """

    def __init__(self, carriage: Carriage, size: int, wire: Impairer | None = None) -> None:
        self._is_ts = carriage == "ts"
        self._size = size // TS_SIZE * TS_SIZE if self._is_ts else UDP_MOST - 12
        self._wire = wire
        self._held = b""
        self._since = self._due = 0.0

    def push(self, due: float, data: bytes) -> Iterator[Slice]:
        """The payloads that are full, or have waited long enough, now that this is due."""
        if not (self._is_ts and _are_packets(data)):
            # No packets in step: they go out as they are, and what comes behind begins a datagram.
            yield from self.rest()
            for at in range(0, len(data), self._size):
                yield due, data[at : at + self._size]
            return
        if self._wire is not None:
            data = b"".join(unit for packet in ts_packets(data) for _, unit in self._wire.push(packet))
        if self._held and due - self._since > HOLD:
            yield from self.rest()
        if not data:
            return
        if not self._held:
            self._since = due
        self._held, self._due = self._held + data, due
        while len(self._held) >= self._size:
            yield due, self._held[: self._size]
            self._held, self._since = self._held[self._size :], due

    def rest(self) -> Iterator[Slice]:
        """What has not filled a datagram."""
        held, self._held = self._held, b""
        if held:
            yield self._due, held

    def end(self) -> Iterator[Slice]:
        """The same at the end of all, with the packets that are late."""
        if self._wire is not None:
            self._held += b"".join(unit for _, unit in self._wire.rest())
        while len(self._held) > self._size:
            yield self._due, self._held[: self._size]
            self._held = self._held[self._size :]
        yield from self.rest()


def _are_packets(data: bytes) -> bool:
    size, odd = divmod(len(data), TS_SIZE)
    return not odd and data[::TS_SIZE] == bytes([SYNC]) * size
