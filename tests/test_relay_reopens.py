"""A source that shows no KLV is opened again, and the log says that, and why."""

from __future__ import annotations

import asyncio
import logging

from papers import stream_of

from klvrelay.config.url import Url
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet
from klvrelay.relay import stream as stream_module
from klvrelay.relay.stream_input import StreamInput


class Barren:
    """Bytes come, and no KLV in them; what is in it was settled when it was opened."""

    url, live, fixed, dropped = Url.parse("rtsp://cam/live"), True, True, 0

    def __init__(self):
        self.link = LinkStats()

    async def packets(self):
        while True:
            self.link.size += 1
            yield Packet(b"", None)
            await asyncio.sleep(0.01)


async def test_a_reopening_is_said_with_its_reason(monkeypatch, caplog):
    """Not only counted: who reads the log knows why the session of the camera began again."""
    monkeypatch.setattr(logging.getLogger("klvrelay"), "propagate", True)
    monkeypatch.setattr(stream_module.Backoff, "next", lambda self: 0.01)
    caplog.set_level(logging.INFO, "klvrelay")
    stream = stream_of(StreamInput("cam", Barren, "rtsp://cam/live", 0.2))
    keeping = asyncio.create_task(stream.keep())
    async with asyncio.timeout(5):
        while stream.health.openings < 3:
            stream.check()
            await asyncio.sleep(0.02)
    keeping.cancel()
    await asyncio.wait([keeping])

    said = [message for message in caplog.messages if "reopened" in message]
    reason = "no KLV for 0.2 s, and a track that begins later is found only then"
    assert said[0] == f"cam: source reopened: reason={reason!r}"
    assert said[1].startswith("cam: source reopened: reason='no KLV for 0.4 s")
