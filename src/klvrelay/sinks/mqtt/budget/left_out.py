"""The whole records that a budget left out: which ones, and as what output they follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from klvrelay.json_output import Numbers
from klvrelay.record import Record
from klvrelay.shape.marking import Limit
from klvrelay.shape.output import Output, is_whole
from klvrelay.shape.shaped_output import ShapedOutput
from klvrelay.shape.shaper import Shaper

LATER = "later"
"""Last level of their topics."""
PUBLISHED_MOST = 100_000
"""Maximum number of records that are known to be published: others may follow though they are."""

_Identity = tuple[str, str | None, int]


def as_later(output: Output) -> Output:
    """As what output the records that an output left out follow."""
    return replace(
        output, name=LATER, topic="{prefix}/{stream}/" + LATER, rate=None, on_change=False, batch=1, retain=False
    )


class LeftOut:
    """What an output of whole records left out.

    shaper   shapes what follows, with the same streams, format and limits
    """

    def __init__(self, output: Output, limit: Limit, numbers: Numbers) -> None:
        self.shaper = Shaper([as_later(output)], limit, numbers)
        self._whole = output.name
        self._published: dict[_Identity, None] = {}

    def has_whole(self, shaped: ShapedOutput) -> bool:
        """Does this output publish whole records at present?"""
        output = shaped.output
        is_usual = output.name == self._whole and output == shaped.configured
        return is_usual and is_whole(output) and not output.on_change

    def note(self, records: Iterable[Record]) -> None:
        """Remember whole records that were published."""
        for record in records:
            self._published[_identity(record)] = None
        while len(self._published) > PUBLISHED_MOST:
            del self._published[next(iter(self._published))]

    def take(self, record: Record) -> bool:
        """Must the record follow?"""
        identity = _identity(record)
        if identity not in self._published:
            return True
        del self._published[identity]
        return False


def _identity(record: Record) -> _Identity:
    return record.stream, record.boot, record.seq
