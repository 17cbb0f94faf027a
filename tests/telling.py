"""Has a sink publish latest values, as the relay does it."""

from __future__ import annotations

import asyncio

from klvrelay.errors import SinkDown
from klvrelay.notices import Notices
from klvrelay.sinks import Notice
from klvrelay.sinks.mqtt import MqttSink


async def tell(sink: MqttSink, *values: Notice, within: float = 5.0) -> None:
    """Return once the sink has published the values, or been refused; SinkDown where the connection ends first."""
    for value in values:
        notices = Notices()
        cursor = notices.cursor()
        notices.put(value)
        keeping = asyncio.create_task(sink.keep(cursor), name="keeping")
        settling = asyncio.create_task(cursor.settled(), name="settling")
        await asyncio.wait({keeping, settling}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        down = keeping.exception() if keeping.done() else None
        assert settling.done() or down is not None
        for task in (keeping, settling):
            task.cancel()
        await asyncio.gather(keeping, settling, return_exceptions=True)
        if down is not None:
            assert isinstance(down, SinkDown)
            raise down
