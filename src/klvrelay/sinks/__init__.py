"""The sinks room: one file a far end, one contract, which this file holds.

Next door: `relay.py` is the corridor that offers batches, backs off and counts; `record.py` what it offers.
Here: `settings.py` says where the broker is, `mqtt.py` is the sink, `client.py` the port to an MQTT library.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from klvrelay.record import Record

NoticeKind = Literal["availability", "state", "link", "status"]


@dataclass(frozen=True, slots=True)
class Notice:
    """A fact of which only the latest value counts; a far end that can keeps it for those who come later.

    kind      "availability" (`online`/`offline`), "state" (JSON: its items) or "link" (JSON: its health) of a stream,
              "status" (JSON) of the relay
    stream    the stream it is about, None for "status"
    document  the value as it is published
    """

    kind: NoticeKind
    stream: str | None
    document: bytes


class Sink(AbstractAsyncContextManager["Sink"], Protocol):
    """A far end. Entering connects, leaving says goodbye within a bounded time; it may be entered again.

    It never retries, queues, sleeps or counts: the corridor does that for all of them. After SinkDown the
    connection is gone: leave, and enter anew.
    """

    async def deliver(self, batch: Sequence[Record]) -> None:
        """Return once the far end has the whole batch; raise SinkDown if unsure, SinkRefused for good.

        A batch may be offered twice, never out of order. Cancellation is safe.
        """

    async def tell(self, notice: Notice) -> None:
        """Publish a latest value; errors as for `deliver`. What was told is told again on each entry."""

    async def lost(self) -> None:
        """Wait until the connection is gone, which raises SinkDown: nobody may have anything to send meanwhile."""
