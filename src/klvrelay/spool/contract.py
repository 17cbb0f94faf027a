"""The contract of a log between streams and sinks, in memory or on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from klvrelay.gap import Item
from klvrelay.outcome import Outcome, Sums
from klvrelay.record import Record


class Condition(NamedTuple):
    """The condition of a log on disk.

    name        its folder
    fault       why records cannot be written at present; None if they can
    failures    number of failed attempts to write
    waiting     number of records that are in memory only
    size        bytes of these records
    unreadable  number of attempts to read a segment that failed: a sink does not get its records
    """

    name: str
    fault: str | None
    failures: int
    waiting: int
    size: int
    unreadable: int


class LogCursor(Protocol):
    """The records and gaps still to be delivered to one sink. For the methods see `klvrelay.spool.cursor.Cursor`."""

    name: str
    """The sink, for messages."""

    @property
    def limit(self) -> int:
        """Maximum number of records in memory."""

    @property
    def size_limit(self) -> int:
        """Maximum bytes of records in memory."""

    @property
    def fill(self) -> float:
        """Share of the room for waiting records that this cursor takes: at 1 the oldest are shed."""

    @property
    def offered(self) -> int:
        """Number of records in flight."""

    @property
    def offered_size(self) -> int:
        """Bytes of the records in flight."""

    def sums(self) -> Sums: ...

    async def batch(self, most: int = ..., size: int = ...) -> Sequence[Item]: ...

    def begin_connection(self, is_suspicious: Callable[[], bool] = ...) -> None: ...

    def offer_at(self, least: int) -> None: ...

    def commit(self, batch: Sequence[Item], outcome: Outcome) -> None: ...

    def rewind(self) -> None: ...

    def set_aside(self) -> Item: ...

    async def wait_until_drained(self) -> None: ...


class Log(Protocol):
    """Keeps each record until every cursor has answered for it, within its limits."""

    @property
    def keeps(self) -> bool:
        """Do waiting records survive the end of the process?"""

    @property
    def condition(self) -> Condition | None:
        """The condition of the disk; None for a log in memory."""

    @property
    def owner(self) -> str | None:
        """Name of the relay to which a log on disk belongs; None for a log in memory."""

    def append(self, record: Record, *, waited: bool = False) -> None:
        """Append a record. If the log is full, shed an older one, unless the caller has `waited` for room."""

    async def wait_for_room(self, stream: str) -> None:
        """Return once a record of the stream can be appended without shedding. Do not `await` before appending."""

    def cursor(
        self, name: str, *, holds_sources: bool = True, file: str | None = None, replay_rate: float | None = None
    ) -> LogCursor:
        """A cursor for one sink. For the options see `MemoryLog.cursor`; `file`: see `DiskLog.cursor`."""

    def reorder(self, cursor: LogCursor, replay_rate: float | None) -> LogCursor:
        """Change the order of a cursor with nothing in flight. Returns the one that continues in its place."""

    def set_age(self, seconds: float | None) -> None:
        """Change the maximum age of a waiting record; None: any."""

    def remove(self, cursor: LogCursor) -> None:
        """Forget a cursor and its position: its sink was removed. What it has not delivered is discarded."""

    def set_limits(self, limit: int, size_limit: int) -> None:
        """Change the maximum number of records in memory, and of their bytes. The excess is shed."""
