"""Which packets of a stream libav knows to be damaged."""

from __future__ import annotations

from typing import Any


class DamageMarks:
    """The marks of one stream. In MPEG-TS, libav marks the picture before the damaged one: a picture is complete, and
    gets the marks, when the packet with the next one has been read.
    """

    def __init__(self, container_format: str) -> None:
        self._is_ts = container_format == "mpegts"
        self._is_next_damaged = False

    def is_damaged(self, packet: Any) -> bool:
        """Did the transport lose part of this packet? Call it once for each packet of the stream, in order."""
        damaged: bool = packet.is_corrupt
        if self._is_ts:
            damaged, self._is_next_damaged = self._is_next_damaged, damaged
        return damaged
