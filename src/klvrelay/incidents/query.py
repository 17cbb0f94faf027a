"""Which incidents are wanted."""

from __future__ import annotations

from dataclasses import dataclass

from klvrelay.health.causes import Cause
from klvrelay.health.changes import Subject
from klvrelay.incidents.incident import Incident

LIMIT, LIMIT_MOST = 100, 10_000
"""Default and maximum number of incidents of one answer."""


@dataclass(frozen=True, slots=True)
class Query:
    """Conditions, all of which hold; None: any.

    stream     the name of the stream; with `subject`, that of the sink
    since_us   only incidents that were open at this time or began after it, microseconds since 1970 UTC
    before_us  only incidents that began before it
    id         the beginning of the id, hex digits
    after      first sign (microseconds since 1970 UTC) and id of an incident: only those that follow it in the list
    open       only open ones, or only closed ones
    limit      at most this number, the latest first
    """

    stream: str | None = None
    subject: Subject | None = None
    cause: Cause | None = None
    since_us: int | None = None
    before_us: int | None = None
    open: bool | None = None
    limit: int = LIMIT
    id: str | None = None
    after: tuple[int, str] | None = None

    @property
    def effective_subject(self) -> Subject | None:
        """The wanted subject: a stream if only `stream` is given."""
        return self.subject or (None if self.stream is None else "stream")

    def matches(self, incident: Incident) -> bool:
        """Do all conditions hold, apart from the limit?"""
        subject = self.effective_subject
        return (
            (self.stream is None or incident.name == self.stream)
            and (subject is None or incident.subject == subject)
            and (self.cause is None or incident.cause == self.cause)
            and (self.since_us is None or incident.restored_us is None or incident.restored_us >= self.since_us)
            and (self.before_us is None or incident.since_us < self.before_us)
            and (self.open is None or incident.is_open == self.open)
            and (self.id is None or incident.id.startswith(self.id))
            and (self.after is None or (-self.after[0], self.after[1]) < (-incident.since_us, incident.id))
        )
