"""The messages of a batch of records, and the outcome of the records from the answers to the messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from klvrelay.outcome import Outcome
from klvrelay.sinks.mqtt.connection import REFUSED, TOO_LARGE, Message

if TYPE_CHECKING:
    from klvrelay.record import Record

_DELIVERED, _REJECTED, _LEFT_OUT, _UNWANTED = range(4)


class BatchMessages:
    """The messages of a batch. The outcome of a record is that of its JSON, the first of its messages.

    admits   may a message be sent to this topic now? If not, it counts as refused
    """

    def __init__(
        self, batch: Sequence[Record], of_record: Callable[[Record], list[Message]], admits: Callable[[str], bool]
    ) -> None:
        self.messages: list[Message] = []
        self._ends: list[int] = []  # the end of each record's messages
        self._unsent: dict[int, int] = {}  # outcome of each record whose JSON is not sent, by its place in the batch
        for place, record in enumerate(batch):
            wanted = of_record(record)
            if not wanted:
                self._unsent[place] = _UNWANTED
            elif not admits(wanted[0].topic):
                self._unsent[place] = _REJECTED
            else:
                self.messages.append(wanted[0])
            self.messages += [message for message in wanted[1:] if admits(message.topic)]
            self._ends.append(len(self.messages))

    def outcome(self, codes: Sequence[int | None]) -> Outcome:
        """The outcome of the leading records whose messages are all answered."""
        if not self._unsent and not any(codes) and None not in codes:
            return Outcome(len(self._ends)) if len(codes) == len(self.messages) else Outcome()
        counts = [0, 0, 0, 0]
        start = 0
        for place, end in enumerate(self._ends):
            answers = codes[start:end]
            if len(answers) < end - start or None in answers:
                break
            counts[self._unsent[place] if place in self._unsent else _outcome_of(answers[0])] += 1
            start = end
        return Outcome(*counts)

    def answers_after(self, outcome: Outcome, codes: Sequence[int | None]) -> list[tuple[Message, int]]:
        """The answers to messages of records that the outcome does not count: these records are offered again."""
        begin = self._ends[outcome.answered - 1] if outcome.answered else 0
        answers = zip(self.messages[begin:], codes[begin:], strict=False)
        return [(message, code) for message, code in answers if code not in (None, TOO_LARGE)]


def _outcome_of(code: int | None) -> int:
    if code == TOO_LARGE:
        return _LEFT_OUT
    return _REJECTED if code is not None and code >= REFUSED else _DELIVERED
