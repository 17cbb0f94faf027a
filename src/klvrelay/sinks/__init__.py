"""The sinks room: one file a far end, one contract, which this file holds.

Next door: `relay.py` is the corridor that offers batches, backs off and counts; `record.py` what it offers.
Here: `settings.py` says where the broker is, `mqtt.py` is the sink, `client.py` the port to an MQTT library.
"""

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
              "status" (JSON) of the relay
    stream    the stream it is about, None for "status"
    document  the value as it is published
    """

    kind: NoticeKind
    stream: str | None
    document: bytes


class Sink(AbstractAsyncContextManager["Sink"], Protocol):
    """A far end. Entering connects, leaving says goodbye within a bounded time; it may be entered again.

    It never retries, queues, sleeps or counts: the pipeline does that for all of them. After SinkDown the
    connection is gone: leave, and enter again. A sink that can publish latest values has a second method,
    `async keep(notices: NoticeCursor) -> None`: it publishes them until the connection is lost, which raises SinkDown.
    """

    async def deliver(self, batch: Sequence[Record]) -> Outcome:
        """Return once the far end has answered for each record; raise SinkDown if unsure.

        SinkDown says what was answered, of the leading records of the batch, before. May be called again before an
        earlier call has returned: batches go out in the order of the calls. Cancellation is safe.
        """
