"""What is published of a record: an address, the bytes, and the record."""

from __future__ import annotations

from typing import NamedTuple

from klvrelay.gap import Gap, Item
from klvrelay.record import Record


class Publication(NamedTuple):
    """What an output publishes of one record, or of a gap.

    topic         levels joined by `/`, as an MQTT sink has them: `klvrelay/uav1/telemetry`. No name in it adds a level
    data          the bytes, in the format of the output
    content_type  of the bytes
    item          the record or gap that it is of
    output        name of the output; "" for gaps and damaged records
    retain        only the latest one of its topic counts
    age           seconds for which the record waited, as JSON, if it is replayed beside live records; else ""
    key           the item's key, if it is that of one item
    """

    topic: str
    data: bytes
    content_type: str
    item: Item
    output: str = ""
    retain: bool = False
    age: str = ""
    key: str = ""

    @property
    def record(self) -> Record | None:
        """The record as published, if the format is `klv`: without the items that the output leaves out. Else the
        whole one. None for a gap.
        """
        if isinstance(self.item, Gap):
            return None
        return self.item._replace(raw=self.data) if self.content_type == KLV else self.item

    @property
    def identity(self) -> str:
        """The same for each attempt to deliver it, and for no other publication of its topic: run and number."""
        return f"{self.item.boot or ''}-{self.item.seq}{f'-{self.key}' if self.key else ''}"


KLV = "application/smpte336m"
