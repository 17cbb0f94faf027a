"""What a sink is: the contract that all far ends keep."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from klvrelay.outcome import Outcome as Outcome

if TYPE_CHECKING:
    from klvrelay.record import Record

NoticeKind = Literal["availability", "state", "link", "status"]


@dataclass(frozen=True, slots=True)
class Notice:
    """A fact of which only the latest value counts; a far end that can keeps it for those who come later.

    kind      "availability" (`online`/`offline`), "state" (JSON: its items) or "link" (JSON: its health) of a stream,
              "status" (a JSON object that is added to the sink's own status) of the relay
    stream    the stream it is about, None for "status"
    document  the value as it is published
    """

    kind: NoticeKind
    stream: str | None
    document: bytes


class LatestValues(Protocol):
    """The latest values that one sink has not published yet."""

    @property
    def due(self) -> bool:
        """Is there any?"""

    async def next(self) -> Notice:
        """A value that changed, which may be the same until `done`; waits for one."""

    def latest(self, kind: NoticeKind, stream: str | None) -> Notice | None:
        """The value as it is now, published or not."""

    def done(self, notice: Notice) -> None:
        """It is on its way, or refused: it is not offered again until it changes, or the connection is a new one."""


class Sink(AbstractAsyncContextManager["Sink"], Protocol):
    """A far end. Entering connects, leaving says goodbye within a bounded time; it may be entered again.

    It never retries, queues, sleeps or counts: the pipeline does that for all of them. After SinkDown the
    connection is gone: leave, and enter again. A sink that can publish latest values has a second method,
    `async keep(notices: LatestValues) -> None`: it publishes them until the connection is lost, which raises SinkDown.
    """

    async def deliver(self, batch: Sequence[Record]) -> Outcome:
        """Return once the far end has answered for each record; raise SinkDown if unsure.

        SinkDown says what was answered, of the leading records of the batch, before. May be called again before an
        earlier call has returned: batches go out in the order of the calls. Cancellation is safe.
        """
