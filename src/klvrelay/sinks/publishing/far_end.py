"""The contract of the far ends of a `PublishingSink`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from klvrelay.errors import SinkDown
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.publishing.publication import Publication


class Unconfirmed(SinkDown):
    """The connection was lost while publications were sent.

    results  of the leading ones, which were answered before
    traced   no record is the cause: the far end cannot take any, or it would have named the record
    wait     minimum seconds until a retry makes sense
    """

    def __init__(self, text: str, results: Sequence[int] = (), *, traced: bool = False, wait: float = 0.0) -> None:
        super().__init__(text, traced=traced)
        self.results, self.wait = results, wait


class FarEnd(Protocol):
    """One connection to a far end. It can be opened again after it was closed.

    A far end never retries, queues or counts. Each wait has a time limit.

    url     for messages, without credentials
    detail  added to the log line of a connection; may be ""
    """

    url: str
    detail: str

    async def open(self) -> None:
        """Connect. Raises SinkDown if a retry may help, SinkRefused if not, with a remedy."""

    async def send(self, publications: Sequence[Publication]) -> Sequence[int]:
        """Send publications in order, and return once the far end has answered for each: DELIVERED, REJECTED, LEFT_OUT
        (too large) or UNWANTED (it cannot carry such) of `sinks.results`.

        Raises Unconfirmed if the connection is lost. There is one call at a time. If it is cancelled, the connection is
        closed next.
        """

    async def lost(self) -> SinkDown:
        """Wait until the connection is lost, also while nothing is sent. Returns the cause. Without a connection that
        can be lost: wait until cancelled.
        """

    async def close(self) -> None:
        """Close the connection, within a second or two, whatever its state."""


class ValueKeeper(Protocol):
    """A far end that can keep latest values: availability, link and status."""

    async def put(self, notice: Notice) -> None:
        """Replace a value. Raises SinkDown. It may run beside `send`."""
