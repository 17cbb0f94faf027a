"""Publishes the health of the relay: when a state changes, and at intervals."""

from __future__ import annotations

import time
from collections.abc import Callable

from klvrelay.health.board import Board
from klvrelay.health.changes import Change
from klvrelay.json_output import dumps
from klvrelay.relay.notices import Notices
from klvrelay.sinks.contract import Notice

EVERY = 10.0
"""Seconds between two reports if nothing changes."""
LEAST = 0.5
"""Minimum seconds between two reports."""


class HealthReport:
    """The health of the relay as a notice. Streams publish their own; see `Channel`."""

    def __init__(self, board: Board, notices: Notices, clock: Callable[[], float] = time.monotonic) -> None:
        self._board, self._notices, self._clock = board, notices, clock
        self._next = 0.0
        board.changes.listen(self._note)

    def _note(self, change: Change) -> None:
        self._next = min(self._next, self._clock() + LEAST)

    def check(self) -> None:
        """Publish a report if it is due. Call it a few times per second."""
        if self._clock() >= self._next:
            self.publish()

    def publish(self) -> None:
        self._next = self._clock() + EVERY
        self._notices.put(Notice("health", None, dumps(self._board.relay_document())))
