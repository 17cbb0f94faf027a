"""The payload of an output for one record, or for one of its items."""

from __future__ import annotations

from typing import NamedTuple

from klvrelay.record import Record
from klvrelay.shape.output import Output


class Payload(NamedTuple):
    """What an output publishes.

    record     the record, or the last one of several
    data       of compact: without what a message has around it, see `formats.message_of`
    item       the key of the item, if it is that of one item
    replayed   from the backlog of an outage, beside live records
    announces  keys of the items that Home Assistant is to show; it has no data then
    """

    output: Output
    record: Record
    data: bytes
    item: str = ""
    replayed: bool = False
    announces: tuple[str, ...] | None = None
