"""Sends within a budget while the message is sought at which the broker closes each connection.

Over a thin link most connections are lost for other reasons, and a position must not wait for the search. So
positions are exempt on topics on which the broker has answered one before. Other messages are sent one by one beside
them, at first and while there is a suspect, and withheld as `control.py` has it. A connection that ends is the fault
of the other message, if one is in flight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from klvrelay.shape.budget.classes import Urgency
from klvrelay.sinks.mqtt.budget.unsent import Ready, Unsent
from klvrelay.sinks.mqtt.protocol.connection import REFUSED, Connection
from klvrelay.sinks.mqtt.protocol.inflight import ALONE
from klvrelay.sinks.mqtt.refused.breaking import Breaking

_OTHERS = frozenset(Urgency) - {Urgency.POSITION}
_NONE: frozenset[Urgency] = frozenset()
_VALUES = (Urgency.ALERT, Urgency.AVAILABILITY, Urgency.STATE)
VALUES_MOST, RECORDS_MOST = 100, 4
"""Maximum number of messages of a class that are withheld: of alerts and latest values, and of other records. With so
many, nothing of the class is sent."""

TOPICS_MOST = 4096
"""Maximum number of topics of positions that are remembered."""


def _most(urgency: Urgency) -> int:
    return VALUES_MOST if urgency in _VALUES else RECORDS_MOST


class Caution:
    """The messages of one connection that are in flight, other than positions, and those that are withheld.

    clock  seconds, monotonic
    """

    def __init__(self, breaking: Breaking, clock: Callable[[], float]) -> None:
        self._breaking, self._clock = breaking, clock
        self._withheld: list[Ready] = []
        self._in_flight: list[Ready] = []
        self._since = clock()
        self._answered: set[str] = set()  # topics of positions

    def begin(self) -> None:
        """A new connection."""
        self._in_flight.clear()
        self._since = self._clock()

    @property
    def blocked(self) -> frozenset[Urgency]:
        """The classes of which nothing may be sent now."""
        if self._is_busy:
            return _OTHERS
        if not self._withheld:
            return _NONE
        counts = Counter(each.urgency for each in self._withheld if each.urgency is not Urgency.POSITION)
        return frozenset(each for each, count in counts.items() if count >= _most(each))

    @property
    def _is_busy(self) -> bool:
        """Must others wait for the message that is in flight? At first, and while there are suspects."""
        if not self._in_flight or not self._breaking.one_by_one:
            return False
        return self._breaking.control.is_running or self._clock() - self._since < ALONE

    def admits(self, ready: Ready) -> bool:
        """May the messages be sent now? Otherwise they are to be withheld."""
        return self._is_exempt(ready) or not (self._is_busy or self._is_withheld(ready))

    def withhold(self, ready: Ready) -> Unsent | None:
        """Keep the messages until they are `ready`. Returns what they displace: an earlier position on their topics."""
        earlier = None
        if ready.urgency is Urgency.POSITION:
            topics = [message.topic for message in ready.messages]
            same = (each for each in self._withheld if [message.topic for message in each.messages] == topics)
            earlier = next(same, None)
        if earlier is not None:
            self._withheld.remove(earlier)
        self._withheld.append(ready)
        return None if earlier is None else earlier.entry

    def ready(self) -> Ready | None:
        """The most urgent of what was withheld and may be sent now: see `take`."""
        return min(filter(self.admits, self._withheld), key=lambda ready: ready.urgency, default=None)

    def take(self, ready: Ready) -> None:
        """It is withheld no longer."""
        self._withheld.remove(ready)

    def _is_exempt(self, ready: Ready) -> bool:
        is_position = ready.urgency is Urgency.POSITION
        return is_position and all(message.topic in self._answered for message in ready.messages)

    def _is_withheld(self, ready: Ready) -> bool:
        control = self._breaking.control
        alone = ready.urgency is Urgency.POSITION
        return control.is_running and any(control.withholds(message, alone=alone) for message in ready.messages)

    def note_sent(self, ready: Ready) -> None:
        """The messages are sent."""
        if not self._is_exempt(ready):
            self._in_flight.append(ready)

    def note_answered(self, ready: Ready, codes: Sequence[int | None]) -> None:
        """The messages are answered, or were not sent."""
        if ready in self._in_flight:
            self._in_flight.remove(ready)
        if ready.urgency is Urgency.POSITION:
            if len(self._answered) >= TOPICS_MOST:
                self._answered.clear()
            answered = zip(ready.messages, codes, strict=True)
            self._answered.update(message.topic for message, code in answered if code is not None and code < REFUSED)

    def blame(self, connection: Connection) -> None:
        """Correct at which message the connection has ended: not at a position, if another one was in flight."""
        if connection.broke is None or not self._in_flight:
            return
        others = [message for ready in self._in_flight for message in ready.messages]
        if connection.broke not in others:
            connection.broke = others[0]
        connection.broke_alone = len(self._in_flight) == 1

    def clear(self) -> list[Unsent]:
        """The connection is lost: what was withheld."""
        left, self._withheld = [each.entry for each in self._withheld], []
        return left
