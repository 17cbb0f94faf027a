"""The progress of one source, as it is read: was it opened, and do its threads return from their calls in time?

The reader of a stream makes one `Progress` for each opening of its source, and calls `use`. Sources report to that of
their task: so it needs no place in their contract, and a source inside another one reports too.
"""

from __future__ import annotations

import math
from contextvars import ContextVar
from weakref import WeakSet

from klvrelay.threads import Pulse

DISK = 10.0
"""Seconds in which one call to a file system must return."""
BESIDE = 5.0
"""Seconds beyond the time limits of a library, within which its call must return."""


class Progress:
    """Of one opening of a source.

    opened   the source is open: it receives, or waits for a far end or a file
    """

    def __init__(self) -> None:
        self.opened = False
        self._pulses: WeakSet[Pulse] = WeakSet()  # a thread that hangs holds its own

    def use(self) -> None:
        """Sources that are opened by this task, or by tasks that it starts later, report here."""
        _current.set(self)

    def pulse(self) -> Pulse:
        """The pulse of another thread of the source. It counts until its last user has gone."""
        pulse = Pulse()
        self._pulses.add(pulse)
        return pulse

    @property
    def due(self) -> float:
        """When the first of its threads must have returned; infinite if none is in a call with a time limit."""
        return min((pulse.due for pulse in self._pulses), default=math.inf)


_current: ContextVar[Progress | None] = ContextVar("progress", default=None)


def progress() -> Progress:
    """That of the current task; outside of a relay, one that no other code reads."""
    return _current.get() or Progress()
