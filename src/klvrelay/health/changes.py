"""Changes of state: each is one event, which the log, the ledger of incidents, the alerts and the topics receive."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from klvrelay.health.causes import Cause
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.health")

Subject = Literal["stream", "sink", "spool", "relay"]


@dataclass(frozen=True, slots=True)
class Change:
    """A stream, a sink, the spool or the relay entered another state.

    subject  what changed, and its `name`
    state    the new state; `before`: the earlier one
    ok       the new state is not an outage
    reason   why it is in this state
    cause    of an outage; None if there is none
    since    when the state began, monotonic seconds: of an outage, the last good record or answer before it
    at       when this was found, monotonic seconds; `at_us`: the same in microseconds since 1970 UTC
    line     the line that is logged, at `level`; "": none
    """

    subject: Subject
    name: str
    state: str
    before: str
    ok: bool
    reason: str
    cause: Cause | None
    since: float
    at: float
    at_us: int
    line: str = ""
    level: int = logging.INFO

    @property
    def since_us(self) -> int:
        """When the state began, microseconds since 1970 UTC."""
        return self.at_us - round((self.at - self.since) * 1e6)


Listener = Callable[[Change], None]
Contain = Callable[[Callable[[], object], str], Exception | None]


def log_change(change: Change) -> None:
    """Log a change on one line."""
    if change.line:
        named: dict[str, object] | None = None
        if change.subject in ("stream", "sink"):
            named = {change.subject: change.name}
        LOG.log(change.level, "%s", printable(change.line), extra=named)


class Changes:
    """Passes each change to all listeners, first of all to the log. A listener that fails hurts no other.

    contain   runs a step, and returns its fault or None
    """

    def __init__(self, contain: Contain) -> None:
        self._listeners: list[Listener] = [log_change]
        self._contain = contain
        self._failed: set[Listener] = set()

    def listen(self, listener: Listener) -> None:
        """Pass all further changes to this listener. It must return at once."""
        self._listeners.append(listener)

    def publish(self, change: Change) -> None:
        """Pass a change to all listeners."""
        for listener in self._listeners:
            fault = self._contain(partial(listener, change), change.name)
            if fault is not None and listener not in self._failed:
                self._failed.add(listener)
                LOG.error("%s: %s", change.name, fault)
