"""Marks where a recording is repeated, so that receivers count no loss there."""

from __future__ import annotations

from klvrelay.sending.impair import TS_SIZE, ts_packets

_NULL_PID = 0x1FFF
_ADAPTATION, _PAYLOAD = 0x20, 0x10
_DISCONTINUITY = bytes([TS_SIZE - 5, 0x80]) + b"\xff" * (TS_SIZE - 6)


class DiscontinuityMarker:
    """Inserts a TS packet before the first packet of each PID: no payload, discontinuity_indicator set.

    It declares the continuity_counter and the PCR of the packet behind it (ISO/IEC 13818-1, 2.4.3.5).
    """

    def __init__(self) -> None:
        self._seen = {_NULL_PID}

    def mark(self, data: bytes) -> bytes:
        """Whole TS packets of 188 bytes, with the packets to insert."""
        return b"".join(part for packet in ts_packets(data) for part in (self._before(packet), packet))

    def _before(self, packet: bytes) -> bytes:
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        if pid in self._seen:
            return b""
        self._seen.add(pid)
        counter = packet[3] - 1 if packet[3] & _PAYLOAD else packet[3]  # it counts packets with a payload only
        return bytes([packet[0], packet[1] & 0x1F, packet[2], _ADAPTATION | counter & 0x0F]) + _DISCONTINUITY
