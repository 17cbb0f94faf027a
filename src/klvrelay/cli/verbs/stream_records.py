"""The records of `klvrelay watch`: messages of outputs in any format, as full documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from klvrelay.errors import ConfigError, DecodeError
from klvrelay.shape.restoring.restore import Restorer
from klvrelay.sinks.mqtt.values.earlier_runs import object_of

LINES_MOST = 5000
"""Maximum number of records of a message that are read one by one."""
NAMES_MOST = 3
"""Number of streams that a note names."""

Document = dict[str, Any]


class StreamRecords:
    """Restores the messages of several outputs, by the last level of their topic."""

    def __init__(self, leaves: Sequence[str]) -> None:
        self._restorers = {leaf: Restorer() for leaf in leaves}
        self._waits: dict[str, str] = {}
        self._lacks = ""

    def documents(self, stream: str, leaf: str, payload: bytes) -> list[Document]:
        """The documents of a message; an empty one for each record that can't be read."""
        restorer = self._restorers[leaf]
        try:
            found = restorer.restore(payload, stream=stream)
        except DecodeError:
            return [document_of(line) for line in lines_of(payload)]
        except ConfigError as fault:
            self._lacks = str(fault)
            return []
        self._waits.pop(stream, None)
        if reason := restorer.waits_for(stream):
            self._waits[stream] = reason
        return found

    def learn(self, dictionary: bytes) -> bool:
        """Take a dictionary of zstd; False if it is none."""
        try:
            for restorer in self._restorers.values():
                restorer.learn(dictionary)
        except DecodeError:
            return False
        except ConfigError as fault:
            self._lacks = str(fault)
        return True

    def forget(self, stream: str) -> None:
        """The stream is no longer shown."""
        self._waits.pop(stream, None)

    def note(self) -> str:
        """What is missing to read the records; empty if nothing is."""
        if not self._waits:
            return self._lacks
        names = sorted(self._waits)
        shown = ", ".join(f"{name} waits for {self._waits[name]}" for name in names[:NAMES_MOST])
        more = len(names) - NAMES_MOST
        return "; ".join(filter(None, (self._lacks, shown + f" and {more} more" * (more > 0))))


def lines_of(payload: bytes) -> list[bytes]:
    """The documents of a payload that may be JSON Lines."""
    if b"\n" not in payload:
        return [payload]
    return [line for line in payload.split(b"\n", LINES_MOST)[:LINES_MOST] if line] or [payload]


def document_of(payload: bytes) -> Document:
    """The payload as a JSON object; empty if it is not one."""
    return object_of(payload, len(payload))
