"""When to reopen a source whose tracks are fixed at its opening: libav never delivers a track that begins later."""

from __future__ import annotations

from klvrelay.health import StreamHealth

LONGEST = 60.0
"""Maximum seconds without KLV before a source is reopened, unless its stall is longer. After so many seconds of KLV it
is the stall again."""
HANGS = "it hangs"
"""The reason if no byte was received."""


class ReopenPolicy:
    """The time without KLV before a source is reopened. It doubles with each opening: KLV may begin late, and each
    opening takes a session of the camera.

    stall         seconds without KLV before the first time
    hang_timeout  seconds without a byte after which a reader that has timeouts hangs
    """

    def __init__(self, stall: float, hang_timeout: float) -> None:
        self._stall = self._seconds = stall
        self._hang_timeout = hang_timeout

    def reason(self, health: StreamHealth) -> str:
        """Why the source must be reopened, or "". `health`: of its stream with the latest record."""
        now = health.clock()
        if now - health.last_bytes >= self._hang_timeout:
            return HANGS
        if health.online and now - health.since >= LONGEST:
            self._seconds = self._stall
        if health.state not in ("waiting", "stale") or now - health.last_record < self._seconds:
            return ""
        waited = self._seconds
        self._seconds = min(2 * self._seconds, max(LONGEST, self._stall))
        return f"no KLV for {waited:g} s, and a track that begins later is found only then"
