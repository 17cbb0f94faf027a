"""The classes of outputs, each computed once."""

from __future__ import annotations

from klvrelay.shape.budget.classes import Urgency
from klvrelay.shape.budget.reduction import urgency_of
from klvrelay.shape.output import Output

MOST = 1000
"""Maximum number of classes that are kept."""


class Urgencies:
    """The classes of outputs by name and items, which subscribers may change."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, tuple[str, ...]], Urgency] = {}

    def of(self, output: Output) -> Urgency:
        """The class of an output; with other items it is another."""
        key = output.name, output.items
        if (found := self._known.get(key)) is None:
            if len(self._known) >= MOST:
                self._known.clear()
            found = self._known[key] = urgency_of(output)
        return found

    def clear(self) -> None:
        """Compute each again: the outputs were changed in another way."""
        self._known.clear()
