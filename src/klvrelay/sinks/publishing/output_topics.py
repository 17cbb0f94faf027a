"""The topics of outputs, with the names of a record in place of those of their templates."""

from __future__ import annotations

from klvrelay.config.names import safe_level
from klvrelay.config.topic_template import filled
from klvrelay.shape.payload import Payload

TOPICS_MOST = 4096
"""Maximum number of topics that are kept."""


class OutputTopics:
    """The topics of the outputs of one sink. No name in them adds a level or a wildcard."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._topics: dict[tuple[str, str, str, str], str] = {}

    def of(self, payload: Payload) -> str:
        """The topic of a payload."""
        output, record = payload.output, payload.record
        place = output.name, record.stream, record.set, payload.item
        if (found := self._topics.get(place)) is None:
            levels = {"stream": record.stream, "set": record.set, "item": payload.item, "output": output.name}
            values = {name: safe_level(text) for name, text in levels.items()}
            if len(self._topics) >= TOPICS_MOST:
                self._topics.clear()
            found = self._topics[place] = filled(output.topic, {"prefix": self._prefix, **values})
        return found
