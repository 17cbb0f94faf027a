"""The messages of a batch of records and gaps, and their outcome from the answers to the messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from klvrelay.gap import Gap
from klvrelay.outcome import Outcome, Reason, Unpublished
from klvrelay.sinks.mqtt.connection import REFUSED, TOO_LARGE, Message

if TYPE_CHECKING:
    from klvrelay.gap import Item

_DELIVERED, _REJECTED, _LEFT_OUT, _UNWANTED, _GAP = range(5)
_REASONS: dict[int, Reason] = {_REJECTED: "refused", _LEFT_OUT: "too_large", _UNWANTED: "excluded"}


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
            if not wanted:
                self._known[place] = _UNWANTED
            elif not admits(wanted[0].topic):
                self._known[place] = _REJECTED
            else:
                self.messages.append(wanted[0])
            if item.__class__ is Gap:
                self._known[place] = _GAP
            self.messages += [message for message in wanted[1:] if admits(message.topic)]
            self._ends.append(len(self.messages))

    def outcome(self, codes: Sequence[int | None]) -> Outcome:
        """The outcome of the leading items whose messages are all answered."""
        if not self._known and not any(codes) and None not in codes:
            return Outcome(len(self._ends)) if len(codes) == len(self.messages) else Outcome()
        counts = [0, 0, 0, 0, 0]
        unpublished: list[Unpublished] = []
        start = 0
        for place, end in enumerate(self._ends):
            answers = codes[start:end]
            if len(answers) < end - start or None in answers:
                break
            result = self._known[place] if place in self._known else _outcome_of(answers[0])
            counts[result] += 1
            if (reason := _REASONS.get(result)) is not None:
                unpublished.append(Unpublished(place, reason))
            start = end
        outcome = Outcome(*counts)
        outcome.unpublished = unpublished
        return outcome

    def answers_after(self, outcome: Outcome, codes: Sequence[int | None]) -> list[tuple[Message, int]]:
        """The answers to messages of records that the outcome does not count: these records are offered again."""
        begin = self._ends[outcome.answered - 1] if outcome.answered else 0
        answers = zip(self.messages[begin:], codes[begin:], strict=False)
        return [(message, code) for message, code in answers if code not in (None, TOO_LARGE)]


def _outcome_of(code: int | None) -> int:
    if code == TOO_LARGE:
        return _LEFT_OUT
    return _REJECTED if code is not None and code >= REFUSED else _DELIVERED
