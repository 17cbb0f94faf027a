"""What earlier openings of a source gave the next one: how far its playlist was read, and whether it was live."""

from __future__ import annotations

from klvrelay.sources.web.position import Position


class Resume:
    """Whoever opens a source again hands it to each opening. One opening's thread may still end while the next begins.

    place      how far its playlist was read
    packed     the same, as the last process that read it gave it; nobody here looks into it
    was_live   a packet came of an opening in a process that was live
    """

    def __init__(self) -> None:
        self.place = Position()
        self.packed: bytes | None = None
        self.was_live = False

    @property
    def position(self) -> bytes:
        """For the next process."""
        return self.place.packed() if self.packed is None else self.packed
