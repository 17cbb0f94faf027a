"""Finds the record that breaks every connection, where the far end does not say which record it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from klvrelay.record import Record
from klvrelay.relay.barred import Barred

FALLS = 2
"""Connections in a row that fall over records, with none answered, before fewer are offered."""
ALONE = 3
"""Connections in a row that one record must break, each proved steady before, until it is set aside."""
FULL = 20
"""Records in a batch."""


@dataclass(slots=True)
class Halving:
    """How many records may be on their way at once, learned from the connections that fell.

    state      `most`   what changes it
    normal     None     FALLS falls in a row with none answered: halving
    halving    20 to 2  a fall: half as many; an answer: twice as many; normal again once all suspects were answered
    alone      1        ALONE falls in a row over the same record: it is to be set aside; an answer: as for halving

    Suspects are the records that were on their way at the fall that began it.

    A connection that falls with nothing on its way proves nothing, and changes nothing.
    """

    most: int | None = None
    barred: Barred = field(default_factory=Barred)
    _suspects: int = 0
    _falls: int = 0
    _alone: int = 0
    _suspect: tuple[str, int] | None = None

    def answered(self, count: int) -> None:
        """A batch of so many was answered: what was in it breaks nothing."""
        self._falls = self._alone = 0
        if self.most is None:
            return
        self._suspects -= count
        self.most = min(2 * self.most, FULL) if self._suspects > 0 else None

    def fell(self, offered: Sequence[Record]) -> bool:
        """The connection fell with these on their way, unanswered; is the only one of them to be set aside?"""
        if not offered:
            return False
        if self.most == 1:
            return self._fell_alone(offered[0])
        self._falls += 1
        if self.most is None:
            self._suspects = len(offered)
        if self.most is not None or self._falls >= FALLS:
            self.most = max(1, min(len(offered), FULL) // 2)
        return False

    def _fell_alone(self, record: Record) -> bool:
        suspect = record.stream, record.seq
        self._alone = self._alone + 1 if suspect == self._suspect else 1
        self._suspect = suspect
        if self._alone < ALONE:
            return False
        self._alone = self._suspects = 0
        return True
