"""Topic aliases: numbers in place of the topics that are published most (MQTT 5, 3.3.2.3.4). Valid for one connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_TOPIC_ALIAS = b"\x23"
_BUSIER = 2
"""A topic takes over the alias of another one if it had more than so many times its messages."""


@dataclass(slots=True)
class Alias:
    """`data`: the property of a PUBLISH. `is_known`: the broker has received it together with the topic."""

    data: bytes
    is_known: bool = False


class Aliases:
    """The aliases of one connection. `most`: their maximum number, which the broker announced."""

    def __init__(self) -> None:
        self.most = 0
        self._of_topics: dict[str, Alias] = {}

    def of(self, topic: str) -> Alias | None:
        """The alias of a topic, or a free one. None if there is none."""
        if topic not in self._of_topics and len(self._of_topics) < self.most:
            number = len(self._of_topics) + 1
            self._of_topics[topic] = Alias(_TOPIC_ALIAS + number.to_bytes(2, "big"))
        return self._of_topics.get(topic)

    def forget(self, topic: str) -> None:
        """The broker refused a message of this topic, and may not know its alias: send the topic again."""
        if (alias := self._of_topics.get(topic)) is not None:
            alias.is_known = False

    def rank(self, counts: Mapping[str, int]) -> None:
        """Give the aliases to the topics that had the most messages."""
        for topic in sorted(counts, key=counts.__getitem__, reverse=True)[: self.most]:
            if self.of(topic) is not None:
                continue
            rarest = min(self._of_topics, key=lambda known: counts.get(known, 0))
            if counts[topic] <= _BUSIER * counts.get(rarest, 0):
                return
            self._of_topics[topic] = Alias(self._of_topics.pop(rarest).data)
