"""Finds the record that breaks every connection, if neither the far end nor the sink reports which one it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from klvrelay.gap import Item

LOSSES = 2
"""Consecutive connections lost with records in flight and none answered, before fewer records are offered."""
ALONE = 3
"""Consecutive connections that one record must break, each after a steady period, before it is set aside."""
STEADY, STEADY_MOST, LONGER = 1.0, 10.0, 1.5
"""Seconds for which a connection must last before it gets a record that is suspected to break it, at least and at most.
In between, LONGER than the connection before it lasted."""
DOUBTS_MOST = 5
"""Maximum number of additional connections."""
FULL = 20
"""Records in a batch."""


@dataclass(slots=True)
class Halving:
    """How many records may be in flight at once, learned from lost connections. A loss is a lost connection.

    state      `most`   transitions
    normal     None     LOSSES consecutive losses with none answered: halving
    halving    20 to 2  a loss: half as many; an answer: twice as many; normal once all suspects are answered
    alone      1        ALONE consecutive losses with the same record: it must be set aside; an answer: as for halving

    Suspects are the records that were in flight at the loss that began halving. A loss with nothing in flight is not
    caused by a record: then a record alone must break one connection more, and the count begins again. The steady
    period is longer than the last connection lasted: otherwise connections that all last equally long would end at the
    same record. A connection whose cause the sink itself finds is not reported here.
    """

    most: int | None = None
    _suspects: int = 0
    _losses: int = 0
    _alone: int = 0
    _suspect: tuple[str, int] | None = None
    _doubts: int = 0
    _lasted: float = 0.0

    @property
    def pause(self) -> float:
        """Seconds for which a connection must last before it gets a record."""
        return min(max(STEADY, LONGER * self._lasted), STEADY_MOST) if self.most == 1 else 0.0

    def answered(self, count: int) -> None:
        """A batch of `count` records was answered: these records do not break the connection."""
        self._losses = self._alone = 0
        if self.most is None:
            return
        self._suspects -= count
        self.most = min(2 * self.most, FULL) if self._suspects > 0 else None
        if self.most is None:
            self._doubts = 0

    def lost(self, offered: Sequence[Item], lasted: float = 0.0) -> bool:
        """The connection was lost after `lasted` seconds, with these records unanswered. Returns true if the only one
        must be set aside.
        """
        self._lasted = lasted
        if not offered:
            if self.most == 1:
                self._alone, self._doubts = 0, min(self._doubts + 1, DOUBTS_MOST)
            return False
        if self.most == 1:
            return self._lost_alone(offered[0])
        self._losses += 1
        if self.most is None:
            self._suspects = len(offered)
        if self.most is not None or self._losses >= LOSSES:
            self.most = max(1, min(len(offered), FULL) // 2)
        return False

    def _lost_alone(self, record: Item) -> bool:
        suspect = record.stream, record.seq
        self._alone = self._alone + 1 if suspect == self._suspect else 1
        self._suspect = suspect
        if self._alone < ALONE + self._doubts:
            return False
        self._alone = self._suspects = 0
        return True
