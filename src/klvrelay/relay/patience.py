"""When to reopen a source that found its tracks at its opening: libav never delivers a track that begins later."""

from __future__ import annotations

from klvrelay.health import StreamHealth

LONGEST = 60.0
"""Seconds without KLV at most, unless its stall is longer; and seconds of KLV after which the next time is short."""
HANGS = "it hangs"
"""The reason if no byte came."""


class Patience:
    """Doubles with each opening without KLV: KLV may begin late, and each opening takes a session of the camera.

    stall   seconds without KLV at first
    hung    seconds without a byte after which a reader that has timeouts hangs
    """

    def __init__(self, stall: float, hung: float) -> None:
        self._stall = self._seconds = stall
        self._hung = hung

    def ended(self, health: StreamHealth) -> str:
        """Why the source must be reopened, or ""; `health` belongs to the stream with the latest record."""
        now = health.clock()
        if now - health.last_bytes >= self._hung:
            return HANGS
        if health.online and now - health.since >= LONGEST:
            self._seconds = self._stall
        if health.state not in ("waiting", "stale") or now - health.last_record < self._seconds:
            return ""
        waited = self._seconds
        self._seconds = min(2 * self._seconds, max(LONGEST, self._stall))
        return f"no KLV for {waited:g} s, and a track that begins later is seen only then"
