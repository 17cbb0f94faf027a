"""The ages of records that are replayed from the backlog of an outage, beside live records."""

from __future__ import annotations

import time

from klvrelay.record import Record

AGES_MOST = 2000
"""Maximum number of records of a backlog whose ages are kept: more than can be in flight."""
Identity = tuple[str, str | None, int]


class Ages:
    """The ages of replayed records as JSON. An age is the same if the record is offered again, so its message is, too.
    """

    def __init__(self) -> None:
        self._ages: dict[Identity, str] = {}

    def of(self, record: Record) -> str:
        identity = record.stream, record.boot, record.seq
        if (age := self._ages.get(identity)) is None:
            age = self._ages[identity] = _age_of(record)
            if len(self._ages) > AGES_MOST:
                del self._ages[next(iter(self._ages))]
        return age


def _age_of(record: Record) -> str:
    if record.received_us is None:
        return "null"
    return f"{max(0, time.time_ns() // 1000 - record.received_us) / 1e6:.3f}"


def json_with_age(document: bytes, age: str) -> bytes:
    """A record's JSON with its age in seconds, or null, as `replayed_s`."""
    return b'%s,"replayed_s":%s}' % (document[:-1], age.encode())
