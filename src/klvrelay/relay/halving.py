"""Finds the record that breaks every connection, if neither the far end nor the sink reports which one it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from klvrelay.gap import Item

LOSSES = 2
"""Consecutive connections lost with records in flight and none answered, before fewer records are offered."""
ALONE, SILENT_MORE = 3, 2
"""Connections that one record must break before it is set aside, and how many more if one of them had no answers
before. Each but the first lasted without it."""
STEADY, STEADY_MOST, LONGER = 1.0, 10.0, 1.5
"""Seconds for which a connection must last before it gets a record that is suspected to break it, at least and at most.
In between, LONGER than the connection before it lasted."""
ANSWERS, SILENT = 10, 3.0
"""Maximum number of answers to other records that it must have had before, and seconds to wait for them at least."""
DOUBTS_MOST = 5
"""Maximum number of additional connections."""
FULL = 20
"""Records in a batch."""


@dataclass(slots=True)
class _BreakingRecord:
    """A record, the connections that it broke, and whether one of these had no answers to others."""

    seq: int
    strikes: int = 1
    is_silent: bool = False


@dataclass(slots=True)
class Halving:
    """How many records may be in flight at once, learned from lost connections. A loss is a lost connection.

    state      `most`   transitions
    normal     None     LOSSES consecutive losses with none answered: halving
    halving    20 to 2  a loss: half as many; an answer: twice as many; normal once all of them are answered
    alone      1        a loss: the record is a suspect, and must break ALONE connections; its answer: as for halving

    Each connection begins without the streams of the suspects: that is the control. It gets more records of the others
    answered than the connection before it. Then a suspect is sent.

    The control is lost with another record in flight: both are suspects. The next control is without either. If that is
    lost too, no record is the cause. If it has too few answers, a single suspect is sent after SILENT seconds; of two,
    none is the cause. A loss with nothing in flight is not caused by a record either. Each time that no record is
    the cause, a suspect must break one connection more.

    With one stream alone nothing else can be sent. A far end that cuts each connection at its first record, whichever
    that is, looks the same as a record that breaks each connection: only another order of the records would show it.

    A control is longer than the last connection: otherwise connections that all last equally long would end at the same
    record. A connection whose cause the sink itself finds is not reported here.
    """

    most: int | None = None
    _unknown: int = 0  # records in flight at the loss that began halving, less those answered
    _losses: int = 0
    _suspects: dict[str, _BreakingRecord] = field(default_factory=dict)  # by stream, at most two
    _doubts: int = 0
    _lasted: float = 0.0
    _least: int = 1

    @property
    def pause(self) -> float:
        """Seconds for which a connection must last before it gets a record that may break it."""
        return min(max(STEADY, LONGER * self._lasted), STEADY_MOST) if self.most == 1 else 0.0

    @property
    def withheld(self) -> frozenset[str]:
        """The streams of the suspects."""
        return frozenset(self._suspects)

    def must_control(self, lasted: float, answers: int) -> bool:
        """Must the streams of the suspects still wait? The connection has `lasted` seconds, with so many answers."""
        return lasted < self.pause or (answers < self._least and lasted < SILENT)

    def end_control(self, answers: int) -> None:
        """The connection has lasted without the suspects."""
        if len(self._suspects) > 1 and answers < self._least and self._doubts < DOUBTS_MOST:
            self._acquit()

    def answered(self, batch: Sequence[Item]) -> None:
        """A batch was answered: these records do not break the connection."""
        self._losses = 0
        if self.most is None:
            return
        for item in batch:
            self._suspects.pop(item.stream, None)
        if self._suspects:
            return
        self._unknown -= len(batch)
        self._least = 1
        self.most = min(2 * self.most, FULL) if self._unknown > 0 else None
        if self.most is None:
            self._doubts = 0

    def lost(self, offered: Sequence[Item], lasted: float = 0.0, answers: int = 0) -> bool:
        """The connection was lost after `lasted` seconds and so many answers, with these records unanswered.

        Returns true if the only one must be set aside.
        """
        self._lasted = lasted
        if not offered:
            if self.most == 1:
                self._acquit()
            return False
        if self.most == 1:
            return self._lost_alone(offered[0], answers)
        self._losses += 1
        if self.most is None:
            self._unknown = len(offered)
        if self.most is not None or self._losses >= LOSSES:
            self.most = max(1, min(len(offered), FULL) // 2)
        return False

    def _acquit(self) -> None:
        """No record is the cause."""
        self._suspects.clear()
        self._least = 1
        self._doubts = min(self._doubts + 1, DOUBTS_MOST)

    def _lost_alone(self, record: Item, answers: int) -> bool:
        suspect = self._suspects.get(record.stream)
        if suspect is None and len(self._suspects) > 1:
            self._acquit()
            return False
        self._least = max(self._least, min(answers + 1, ANSWERS))
        if suspect is None or suspect.seq != record.seq:
            for other in self._suspects.values():
                other.strikes = 1
            self._suspects[record.stream] = _BreakingRecord(record.seq)
            return False
        suspect.strikes += 1
        suspect.is_silent |= not answers
        if suspect.strikes < ALONE + SILENT_MORE * suspect.is_silent + self._doubts:
            return False
        del self._suspects[record.stream]
        self._unknown = 0
        return True
