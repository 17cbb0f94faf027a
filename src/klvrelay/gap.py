"""What a subscriber gets in place of records that are not published."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from klvrelay.json_output import Numbers, dumps, rewrite_integers
from klvrelay.outcome import Reason
from klvrelay.record import Record, utc

_SHED = ("memory", "size", "age")


@dataclass(frozen=True, slots=True)
class Gap:
    """Consecutive records of one stream and run that are not published: what a subscriber gets in their place.

    first, last  their numbers (`Record.seq`)
    reason       why, for the last of them
    since_us     arrival of the first, microseconds since 1970 UTC, or None if it was never live
    """

    stream: str
    boot: str | None
    first: int
    last: int
    reason: Reason
    since_us: int | None
    raw: ClassVar[bytes] = b""

    @classmethod
    def of(cls, record: Record, reason: Reason) -> Gap:
        """The gap that one record leaves."""
        return cls(record.stream, record.boot, record.seq, record.seq, reason, record.received_us)

    @property
    def seq(self) -> int:
        return self.first

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    def joined(self, later: Gap) -> Gap | None:
        """One gap for both, if no record lies between them. All that is shed makes one gap, so their number is bounded.
        """
        if (later.stream, later.boot, later.first) != (self.stream, self.boot, self.last + 1):
            return None
        if later.reason != self.reason and not {later.reason, self.reason} <= set(_SHED):
            return None
        return replace(self, last=later.last, reason=later.reason)

    def json(self, *, numbers: Numbers = "exact") -> bytes:
        """The gap as one JSON document of schema `klvrelay/gap/1`, UTF-8, without a line end."""
        since = utc(self.since_us)
        document = {
            "schema": "klvrelay/gap/1",
            "stream": self.stream,
            "boot": self.boot,
            "from": self.first,
            "to": self.last,
            "count": self.count,
            "reason": self.reason,
            "since": None if since is None else since.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        return rewrite_integers(dumps(document), numbers)


Item = Record | Gap
"""What a log passes to a sink."""


class Replay(list[Item]):
    """A batch from the backlog of an outage, delivered beside live records."""
