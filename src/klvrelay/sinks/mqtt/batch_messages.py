"""The messages of a batch of records and gaps, and their outcome from the answers to the messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from klvrelay.gap import Gap
from klvrelay.outcome import Outcome
from klvrelay.sinks.mqtt.protocol.connection import REFUSED, TOO_LARGE, Message
from klvrelay.sinks.results import DELIVERED, GAP, LEFT_OUT, REJECTED, THINNED, UNWANTED, counted

if TYPE_CHECKING:
    from klvrelay.gap import Item

NOT_SENT = -1
"""In place of an answer: the message was not sent, because nothing had changed or a newer one displaced it."""


class BatchMessages:
    """The messages of a batch. The outcome of a record is that of its JSON, the first of its messages.

    admits   may a message be sent to this topic now? If not, it counts as refused
    """

    def __init__(
        self, batch: Sequence[Item], of_item: Callable[[Item], list[Message]], admits: Callable[[str], bool]
    ) -> None:
        self.messages: list[Message] = []
        self._ends: list[int] = []  # the end of each item's messages
        self._known: dict[int, int] = {}  # by place in the batch: outcome of gaps, and of records that are not sent
        for place, item in enumerate(batch):
            wanted = of_item(item)
            if len(wanted) == 1 and item.__class__ is not Gap and admits(wanted[0].topic):  # nearly all
                self.messages.append(wanted[0])
                self._ends.append(len(self.messages))
                continue
            if not wanted:
                self._known[place] = UNWANTED
            elif not admits(wanted[0].topic):
                self._known[place] = REJECTED
            else:
                self.messages.append(wanted[0])
            if item.__class__ is Gap:
                self._known[place] = GAP
            self.messages += [message for message in wanted[1:] if admits(message.topic)]
            self._ends.append(len(self.messages))

    def outcome(self, codes: Sequence[int | None]) -> Outcome:
        """The outcome of the leading items whose messages are all answered."""
        if not self._known and not any(codes) and None not in codes:
            return Outcome(len(self._ends)) if len(codes) == len(self.messages) else Outcome()
        return counted(self._results(codes))

    def _results(self, codes: Sequence[int | None]) -> Iterator[int]:
        start = 0
        for place, end in enumerate(self._ends):
            answers = codes[start:end]
            if len(answers) < end - start or None in answers:
                return
            yield self._known[place] if place in self._known else outcome_of(answers[0])
            start = end

    def answers_after(self, outcome: Outcome, codes: Sequence[int | None]) -> list[tuple[Message, int]]:
        """The answers to messages of records that the outcome does not count: these records are offered again."""
        begin = self._ends[outcome.answered - 1] if outcome.answered else 0
        answers = zip(self.messages[begin:], codes[begin:], strict=False)
        return [(message, code) for message, code in answers if code not in (None, TOO_LARGE)]


def outcome_of(code: int | None) -> int:
    """The result of a record from the answer to its JSON."""
    if code == TOO_LARGE:
        return LEFT_OUT
    if code == NOT_SENT:
        return THINNED
    return REJECTED if code is not None and code >= REFUSED else DELIVERED
