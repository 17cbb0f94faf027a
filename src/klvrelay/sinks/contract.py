"""The contract of all sinks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from klvrelay.outcome import Outcome as Outcome

if TYPE_CHECKING:
    from klvrelay.gap import Item

NoticeKind = Literal["availability", "state", "link", "health", "alert", "status", "report/daily"]

AnswerRequest = Callable[[bytes], Awaitable[dict[str, Any]]]
"""Applies a request of a subscriber, and returns its answer. It raises nothing."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A value of which only the latest counts. A sink retains it for later subscribers, if it can.

    kind      of a stream: "availability" (`online` or `offline`), "state" (JSON: its items), "link" (JSON: its health);
              of a stream or of the relay: "health" and "alert" (JSON); of the relay: "status" (a JSON object, added to
              the status that the sink publishes) and "report/daily" (JSON)
    stream    name of the stream; None for the relay
    document  the value as published; empty: there is none any longer
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
        """Wait for a value that changed. Returns the same value until `done`."""

    def latest(self, kind: NoticeKind, stream: str | None) -> Notice | None:
        """The current value, published or not."""

    def done(self, notice: Notice) -> None:
        """The value was sent or refused: it is offered again only after a change or on a new connection."""


class Sink(AbstractAsyncContextManager["Sink"], Protocol):
    """Delivers records to one far end. Entering connects, leaving disconnects in bounded time. It can be entered again.

    A sink never retries, queues, sleeps or counts: the pipeline does so for all sinks. After SinkDown the connection is
    lost: leave, and enter again. A sink that can publish latest values has a second method,
    `async keep(notices: LatestValues) -> None`: it publishes them until the connection is lost, and raises SinkDown.

    Optional attributes:

    hold        `float`, seconds for which records may be gathered before they are delivered together
    takes_all   `bool`: the sink takes records at once, and decides which are delivered; many may be in flight
    hurry       method: no more records follow
    suspended   has `topics`, those that the far end refuses
    shaper      has `withheld`, the number of records withheld by output; None: it withholds none
    detail      `str`, added to the log line of a connection
    best_effort `bool`: what it does not deliver is no loss
    answer_requests   a method: pass requests of subscribers to acknowledge incidents to its argument
    restore     a method without arguments: the settings were read again, so changes made at run time end
    """

    async def deliver(self, batch: Sequence[Item]) -> Outcome:
        """Return once the far end has answered for each record and gap. Raise SinkDown if unsure.

        SinkDown contains the answers to the leading records of the batch. Calls may overlap: batches are sent in the
        order of the calls. Cancellation is safe.
        """
