"""Pack slices of a recording into datagrams."""

from __future__ import annotations

from collections.abc import Iterator

from klvrelay.record import Carriage
from klvrelay.recordings.timeline import SYNC, Slice
from klvrelay.sending.discontinuity import DiscontinuityMarker
from klvrelay.sending.impair import TS_SIZE, Impairer, ts_packets

HOLD = 0.05
"""Maximum seconds of the recording that a datagram waits to be filled; on a slow stream, datagrams are shorter."""
UDP_MOST = 65_507
"""Maximum payload of a UDP datagram (RFC 768, IPv4)."""


class Packetizer:
    """Takes slices and returns datagram payloads, each with the second at which its last byte is due.

    carriage   "ts": as many whole packets of 188 bytes as fit into `size`; "klv": one KLV packet per datagram
    impairer   impairs TS packets before they are put into datagrams, or None
    marker     marks the first TS packets of a repetition, or None
    """

    def __init__(
        self, carriage: Carriage, size: int, impairer: Impairer | None = None, marker: DiscontinuityMarker | None = None
    ) -> None:
        self._is_ts = carriage == "ts"
        self._size = size // TS_SIZE * TS_SIZE if self._is_ts else UDP_MOST - 12
        self._impairer = impairer
        self._marker = marker
        self._pending = b""
        self._since = self._due = 0.0

    def push(self, due: float, data: bytes) -> Iterator[Slice]:
        """The payloads that are full or have waited long enough by the time of this slice."""
        if not (self._is_ts and _are_packets(data)):
            # Not packet-aligned: the bytes are sent unchanged, and the next packet starts a datagram.
            yield from self.rest()
            for at in range(0, len(data), self._size):
                yield due, data[at : at + self._size]
            return
        if self._marker is not None:
            data = self._marker.mark(data)
        if self._impairer is not None:
            data = b"".join(unit for packet in ts_packets(data) for _, unit in self._impairer.push(packet))
        if self._pending and due - self._since > HOLD:
            yield from self.rest()
        if not data:
            return
        if not self._pending:
            self._since = due
        self._pending, self._due = self._pending + data, due
        while len(self._pending) >= self._size:
            yield due, self._pending[: self._size]
            self._pending, self._since = self._pending[self._size :], due

    def rest(self) -> Iterator[Slice]:
        """The incomplete datagram."""
        held, self._pending = self._pending, b""
        if held:
            yield self._due, held

    def end(self) -> Iterator[Slice]:
        """The remaining payloads at the end of the recording, including delayed packets."""
        if self._impairer is not None:
            self._pending += b"".join(unit for _, unit in self._impairer.rest())
        while len(self._pending) > self._size:
            yield self._due, self._pending[: self._size]
            self._pending = self._pending[self._size :]
        yield from self.rest()


def _are_packets(data: bytes) -> bool:
    size, odd = divmod(len(data), TS_SIZE)
    return not odd and data[::TS_SIZE] == bytes([SYNC]) * size
