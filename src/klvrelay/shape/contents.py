"""The payloads of one stream and set for an output: of records, of items, or of the latest values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import orjson

from klvrelay.core.shaping import Shape
from klvrelay.core.thinning import Base, Thinning, thin
from klvrelay.json_output import Numbers, dumps, rewrite_integers
from klvrelay.record import Record
from klvrelay.shape.home_assistant import KEYS, values
from klvrelay.shape.items import UNKNOWN
from klvrelay.shape.output import Output
from klvrelay.shape.payload import Payload
from klvrelay.shape.state import ROOT, StreamState, merged_unknown

_new = tuple.__new__  # a third of the time of calling the class


class Content(Protocol):
    """What an output publishes of one stream and set."""

    def note(self, record: Record) -> None:
        """A record was received, whether it is published or not."""

    def payloads(self, record: Record, at: int) -> list[Payload]:
        """The payloads of a record that is to be published at this time, in microseconds; may be empty."""

    def retune(self, output: Output, thinning: Thinning | None) -> None:
        """Publish other items, or other changes, from the next record on."""

    def reset(self) -> None:
        """Subscribers may not have what was published: the next payloads do not depend on it."""


class RecordContent:
    """One payload for each record: the record, its selected items, or what has changed of them."""

    def __init__(self, output: Output, thinning: Thinning | None, numbers: Numbers) -> None:
        self._output, self._numbers = output, numbers
        self._shape = Shape(
            thinning, output.format, on_change=output.on_change, safe=numbers == "safe", snapshot=output.snapshot
        )
        self._is_json = thinning is None and output.format == "json"

    def note(self, record: Record) -> None:
        """Nothing depends on earlier records that were not published."""

    def payloads(self, record: Record, at: int) -> list[Payload]:
        if self._is_json:
            data: bytes | None = record.json(numbers=self._numbers)  # other sinks may have made the same
        else:
            data = self._shape.write(record, at)
        return [] if data is None else [_new(Payload, (self._output, record, data, "", False, None))]

    def retune(self, output: Output, thinning: Thinning | None) -> None:
        self._output = output
        self._is_json = thinning is None and output.format == "json"
        self._shape.retune(thinning, on_change=output.on_change)

    def reset(self) -> None:
        self._shape.reset()


class ItemContent:
    """One payload for each item that has changed: its plain value."""

    def __init__(self, output: Output, thinning: Thinning | None, numbers: Numbers) -> None:
        assert thinning is not None, "such outputs are on change"
        self._output, self._thinning, self._numbers = output, thinning, numbers
        self._base = Base()
        self._known: dict[str, bytes] = {}
        self._unknown: dict[str, str] = {}  # the items that share the key `unknown`, of which a record may have some

    def note(self, record: Record) -> None:
        """Nothing depends on earlier records that were not published."""

    def payloads(self, record: Record, at: int) -> list[Payload]:
        thinned = thin(record.raw, self._thinning, self._base) if record.good else None
        if thinned is None:
            return []
        document = record._replace(raw=thinned.raw).json(numbers=self._numbers)
        prefix = "" if record.set in ROOT else f"{record.set.lower()}."
        items = orjson.loads(document)["items"]
        if UNKNOWN in items:
            self._unknown = merged_unknown(self._unknown, items[UNKNOWN])
            items[UNKNOWN] = dict(sorted(self._unknown.items()))
        found = []
        for key, value in items.items():
            data = plain(value)
            if self._known.get(key) != data:  # a set that cannot be compared item by item is full each time
                self._known[key] = data
                found.append(Payload(self._output, record, data, prefix + key))
        return found

    def retune(self, output: Output, thinning: Thinning | None) -> None:
        if thinning is not None:
            self._output, self._thinning = output, thinning

    def reset(self) -> None:
        self._known.clear()
        self._base.reset()


def plain(value: Any) -> bytes:
    """The payload of a topic for one item: text unchanged, other values as JSON."""
    if isinstance(value, str) and value:
        return value.encode()
    return dumps(value)  # an empty payload would remove the retained message


class StateContent:
    """The latest value of every item, merged."""

    def __init__(self, output: Output, thinning: Thinning | None, numbers: Numbers) -> None:
        self._output, self._thinning, self._numbers = output, thinning, numbers
        self._state = StreamState()
        self._last: bytes | None = None
        self._is_reset = False

    def note(self, record: Record) -> None:
        if self._thinning is not None:
            thinned = thin(record.raw, self._thinning)
            if thinned is None:
                return
            record = record._replace(raw=thinned.raw)
        self._state.add(record)

    def payloads(self, record: Record, at: int) -> list[Payload]:
        document = self._state.document()
        if document is not None:
            self._last = rewrite_integers(document, self._numbers)
        elif not self._is_reset:
            return []
        self._is_reset = False
        return [] if self._last is None else [Payload(self._output, record, self._last)]

    def retune(self, output: Output, thinning: Thinning | None) -> None:
        self._output, self._thinning = output, thinning

    def reset(self) -> None:
        self._is_reset = True


class HomeContent(StateContent):
    """The latest values for Home Assistant, announced before the first ones, and whenever there are further items."""

    def __init__(self, output: Output, thinning: Thinning | None, numbers: Numbers) -> None:
        super().__init__(output, thinning, numbers)
        self._announced: frozenset[str] = frozenset()
        self._is_new = True

    def payloads(self, record: Record, at: int) -> list[Payload]:
        found = []
        for payload in super().payloads(record, at):
            items = orjson.loads(payload.data)["items"]
            if self._is_new or not KEYS & items.keys() <= self._announced:
                self._is_new, self._announced = False, self._announced | (KEYS & items.keys())
                found.append(payload._replace(data=b"", announces=tuple(sorted(self._announced))))
            found.append(payload._replace(data=values(items, accuracy=self._output.coarse)))
        return found

    def reset(self) -> None:
        super().reset()
        self._is_new = True


CONTENTS: dict[str, Callable[[Output, Thinning | None, Numbers], Content]] = {
    "records": RecordContent,
    "items": ItemContent,
    "state": StateContent,
    "homeassistant": HomeContent,
}
