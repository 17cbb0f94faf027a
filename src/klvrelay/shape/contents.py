"""The payloads of one stream and set for an output: of records, of items, or of the latest values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import orjson

from klvrelay.core.selection import Selection
from klvrelay.json_output import Numbers, dumps, rewrite_integers
from klvrelay.record import Record
from klvrelay.shape.formats import CONTENT_TYPES, JSON, TEXT
from klvrelay.shape.output import Output
from klvrelay.shape.payload import Payload
from klvrelay.shape.state import ROOT, StreamState


class Content(Protocol):
    """What an output publishes of one stream and set."""

    def note(self, record: Record) -> None:
        """A record was received, whether it is published or not."""

    def payloads(self, record: Record, at: int) -> list[Payload]:
        """The payloads of a record that is to be published at this time, in microseconds; may be empty."""

    def reset(self) -> None:
        """Subscribers may not have what was published: the next payloads do not depend on it."""


class RecordContent:
    """One payload for each record."""

    def __init__(self, output: Output, selection: Selection | None, numbers: Numbers) -> None:
        self._output, self._selection, self._numbers = output, selection, numbers

    def note(self, record: Record) -> None:
        """Nothing depends on earlier records that were not published."""

    def payloads(self, record: Record, at: int) -> list[Payload]:
        data = record.json(numbers=self._numbers, items=self._selection)
        return [Payload(self._output, record, data, CONTENT_TYPES[self._output.format])]

    def reset(self) -> None:
        pass


class ItemContent:
    """One payload for each item that changed: its plain value."""

    def __init__(self, output: Output, selection: Selection | None, numbers: Numbers) -> None:
        self._output, self._selection, self._numbers = output, selection, numbers
        self._known: dict[str, bytes] = {}

    def note(self, record: Record) -> None:
        """Nothing depends on earlier records that were not published."""

    def payloads(self, record: Record, at: int) -> list[Payload]:
        document = record.json(numbers=self._numbers, items=self._selection)
        prefix = "" if record.set in ROOT else f"{record.set.lower()}."
        found = []
        for key, value in orjson.loads(document)["items"].items():
            data, content_type = plain(value)
            if self._known.get(key) != data:
                self._known[key] = data
                found.append(Payload(self._output, record, data, content_type, prefix + key))
        return found

    def reset(self) -> None:
        self._known.clear()


def plain(value: Any) -> tuple[bytes, str]:
    """A value as the payload of its own topic, and its content type: text as it is, all else as JSON."""
    if isinstance(value, str):
        return value.encode(), TEXT
    return dumps(value), JSON


class StateContent:
    """The latest value of every item, merged."""

    def __init__(self, output: Output, selection: Selection | None, numbers: Numbers) -> None:
        self._output, self._selection, self._numbers = output, selection, numbers
        self._state = StreamState()
        self._last: bytes | None = None
        self._is_reset = False

    def note(self, record: Record) -> None:
        self._state.add(record)

    def payloads(self, record: Record, at: int) -> list[Payload]:
        document = self._state.document()
        if document is not None:
            self._last = rewrite_integers(document, self._numbers)
        elif not self._is_reset:
            return []
        self._is_reset = False
        return [] if self._last is None else [Payload(self._output, record, self._last, JSON)]

    def reset(self) -> None:
        self._is_reset = True


CONTENTS: dict[str, Callable[[Output, Selection | None, Numbers], Content]] = {"records": RecordContent, "items": ItemContent, "state": StateContent}
