"""Topics that the broker refuses: nothing is sent to them until it is time for another try."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from klvrelay.sinks.mqtt import faults

FIRST, CAP = 1.0, 60.0
"""Seconds to the next try: at first, and at most; each refusal doubles them."""
HUNG_UP, HUNG_UP_FIRST, HUNG_UP_CAP = 0x100, 60.0, 3600.0
"""No reason code: the broker closes the connection at each message. A try costs the connection, so they are rare."""
SHOWN = 20
"""Topics that are named in a document."""
PAYLOAD_FORMAT = 0x99
"""It is the message that is refused, not its topic (MQTT 5, 3.4.2.1)."""

LOG = logging.getLogger("klvrelay.sinks")


@dataclass(slots=True)
class _Topic:
    """`pause` in seconds; `trying` while a message that was sent as a try has no answer."""

    pause: float
    next_try: float
    trying: bool = False


class Suspended:
    """The refused topics of one broker, each with its own back-off; they last over its connections.

    A topic is suspended by a reason code of 0x80 and above, and no longer once a message on it was taken. A broker of
    MQTT 3.1.1 can refuse nothing, so none is suspended there.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._topics: dict[str, _Topic] = {}
        self._reported: set[str] = set()

    def __len__(self) -> int:
        return len(self._topics)

    def __contains__(self, topic: object) -> bool:
        return topic in self._topics

    @property
    def topics(self) -> Sequence[str]:
        """All of them, the longest suspended first."""
        return tuple(self._topics)

    def document(self) -> dict[str, object]:
        """For a status document: the first of them by name, and how many there are; empty where there are none."""
        if not self._topics:
            return {}
        return {"suspended": [*self._topics][:SHOWN], "suspended_topics": len(self._topics)}

    def admits(self, topic: str) -> bool:
        """May a message go to this topic now? Where one is due as a try, the next must wait again."""
        if (found := self._topics.get(topic)) is None:
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
                LOG.warning("mqtt payload format refused url=%s topic=%s", self._url, topic)
            return
        now = self._clock()
        found = self._topics.get(topic)
        first, cap = (HUNG_UP_FIRST, HUNG_UP_CAP) if code == HUNG_UP else (FIRST, CAP)
        if found is None:
            self._topics[topic] = _Topic(first, now + first)
            LOG.error(
                "mqtt topic suspended url=%s topic=%s reason=%r advice=%r", self._url, topic, *faults.refusal(code)
            )
        elif found.trying:  # else it was sent before the topic was suspended
            found.pause = min(max(2 * found.pause, first), cap)
            found.next_try, found.trying = now + found.pause, False

    def accept(self, topic: str) -> None:
        """The broker took a message on this topic."""
        if self._topics.pop(topic, None) is not None:
            LOG.warning("mqtt topic accepted again url=%s topic=%s", self._url, topic)
