"""Topics that the broker refuses: nothing is published there until the next try.

Topics of latest values that are too large are held: `breaking.py` decides when.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from klvrelay.sinks.mqtt import faults

FIRST, CAP = 1.0, 60.0
"""Seconds until the next try, initially and at most. Each refusal doubles them."""
HUNG_UP, HUNG_UP_FIRST, HUNG_UP_CAP = 0x101, 60.0, 3600.0
"""Not a reason code: the broker closes the connection at each message. Tries are rare: each costs a connection."""
SHOWN = 20
"""Maximum number of topics named in a document."""
PAYLOAD_FORMAT = 0x99
"""The message is refused, not its topic (MQTT 5, 3.4.2.1)."""

LOG = logging.getLogger("klvrelay.sinks")


@dataclass(slots=True)
class _Topic:
    """`pause` in seconds; `trying`: a message was sent as a try and is not answered yet; `hangs_up`: see HUNG_UP."""

    pause: float
    next_try: float
    trying: bool = False
    hangs_up: bool = False


class Suspended:
    """The suspended topics of one broker, over all connections. Each topic that is `refused` has a separate back-off.

    A reason code of 0x80 and above suspends a topic, until a message on it is accepted. MQTT 3.1.1 has no way to refuse
    a message: `breaking.py` finds the topics at which such a broker closes the connection.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self.refused: dict[str, _Topic] = {}
        self._reported: set[str] = set()
        self.held: dict[str, int] = {}
        self.since: dict[str, int] = {}
        """Topics, and the microseconds since 1970 at which they were suspended."""

    def __len__(self) -> int:
        return len(self.refused) + len(self.held)

    def __contains__(self, topic: object) -> bool:
        return topic in self.refused or topic in self.held

    @property
    def topics(self) -> Sequence[str]:
        """All suspended topics, in the order of their suspension."""
        return (*self.refused, *self.held)

    def document(self) -> dict[str, object]:
        """Members for the status document: the first SHOWN topics, and the number of all. Empty if there are none."""
        if not self:
            return {}
        return {"suspended": [*self.topics][:SHOWN], "suspended_topics": len(self)}

    def admits(self, topic: str) -> bool:
        """May a message be sent to this topic now? A try that is due is admitted once, then the next pause begins."""
        if (found := self.refused.get(topic)) is None:
            return True
        now = self._clock()
        if now < found.next_try:
            return False
        found.next_try, found.trying = now + found.pause, True
        return True

    def refuse(self, topic: str, code: int) -> None:
        """The broker refused a message on this topic."""
        if code == PAYLOAD_FORMAT:
            if topic not in self._reported:
                self._reported.add(topic)
                LOG.warning("%s: payload format refused: topic=%s", self._url, topic)
            return
        now = self._clock()
        found = self.refused.get(topic)
        first, cap = (HUNG_UP_FIRST, HUNG_UP_CAP) if code == HUNG_UP else (FIRST, CAP)
        if found is None:
            self.refused[topic] = _Topic(first, now + first, hangs_up=code == HUNG_UP)
            self.since.setdefault(topic, time.time_ns() // 1000)
            self.held.pop(topic, None)
            LOG.error(
                "%s: topic suspended: topic=%s reason=%r advice=%r", self._url, topic, *faults.refusal(code)
            )
        elif found.trying:  # otherwise it was sent before the topic was suspended
            found.pause = min(max(2 * found.pause, first), cap)
            found.next_try, found.trying, found.hangs_up = now + found.pause, False, code == HUNG_UP

    def fail_tries(self) -> bool:
        """The broker closed the connection. Were there tries of topics at which it does so? They have failed."""
        tried = [topic for topic, found in self.refused.items() if found.trying and found.hangs_up]
        for topic in tried:
            self.refuse(topic, HUNG_UP)
        return bool(tried)

    def hold(self, topic: str, size: int, reason: str, advice: str) -> None:
        """Suspend a topic for messages of this size and above."""
        if topic in self.refused:
            return
        if topic not in self.held:
            LOG.error("%s: topic suspended: topic=%s reason=%r advice=%r", self._url, topic, reason, advice)
        self.held[topic] = size
        self.since.setdefault(topic, time.time_ns() // 1000)

    def held_size(self, topic: str) -> float:
        """The size from which messages on this topic are held."""
        return self.held.get(topic, math.inf)

    def release(self) -> None:
        """Hold no topic any longer."""
        for topic in [*self.held]:
            self.accept(topic)

    def accept(self, topic: str) -> None:
        """The broker accepted a message on this topic."""
        self.since.pop(topic, None)
        if self.refused.pop(topic, None) is not None or self.held.pop(topic, None) is not None:
            LOG.warning("%s: topic accepted again: topic=%s", self._url, topic)
