"""Have a sink publish latest values, as the relay does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from brokers import until

from klvrelay.errors import SinkDown
from klvrelay.relay.notices import NoticeCursor, Notices
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.sink import MqttSink


def answered(sink: MqttSink) -> bool:
    """Has the broker answered everything that was sent?"""
    connection: Any = sink._connection
    return connection is None or not connection._outgoing.flight.messages


@dataclass
class Keeping:
    """A sink that publishes latest values continuously, in `task`."""

    sink: MqttSink
    notices: Notices
    cursor: NoticeCursor
    task: asyncio.Task[None]

    async def publish(self, *values: Notice) -> None:
        """Return once the broker has answered the values."""
        for value in values:
            self.notices.put(value)
        await asyncio.wait_for(self.cursor.wait_until_published(), 5)
        await until(lambda: answered(self.sink))


@contextlib.asynccontextmanager
async def keeping(sink: MqttSink) -> AsyncIterator[Keeping]:
    """The sink, already entered, publishing latest values as in the relay."""
    notices = Notices()
    cursor = notices.cursor()
    task = asyncio.create_task(sink.keep(cursor), name="keep")
    try:
        yield Keeping(sink, notices, cursor, task)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)  # a lost connection is what some tests are about


async def publish(sink: MqttSink, *values: Notice, within: float = 5.0) -> None:
    """Return once the sink has published the values or they were refused; SinkDown where the connection ends first."""
    for value in values:
        await _tell(sink, value, within)


async def _tell(sink: MqttSink, value: Notice, within: float) -> None:
    notices = Notices()
    cursor = notices.cursor()
    notices.put(value)
    keeping = asyncio.create_task(sink.keep(cursor), name="keeping")
    settling = asyncio.create_task(cursor.wait_until_published(), name="settling")
    await asyncio.wait({keeping, settling}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    await until(lambda: keeping.done() or answered(sink), within)
    await asyncio.sleep(0)  # what waited for the answer sees it
    down = keeping.exception() if keeping.done() else None
    assert settling.done() or down is not None
    for task in (keeping, settling):
        task.cancel()
    await asyncio.gather(keeping, settling, return_exceptions=True)
    if down is not None:
        assert isinstance(down, SinkDown)
        raise down
