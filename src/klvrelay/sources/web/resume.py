"""State that a connection of a source passes to the next: the position in its playlist, and whether it was live."""

from __future__ import annotations

from klvrelay.sources.web.position import Position


class Resume:
    """The state passed to each connection of a source. The thread of one connection may still be ending when the next
    begins.

    position   the position in its playlist
    reported   the position as reported by the last isolated process, not parsed here
    was_live   a packet arrived in an isolated connection that was live
    """

    def __init__(self) -> None:
        self.position = Position()
        self.reported: bytes | None = None
        self.was_live = False

    @property
    def packed_position(self) -> bytes:
        """The position to pass to the next process."""
        return self.position.pack() if self.reported is None else self.reported
