"""A source without KLV is reopened, and the log says so, with the reason."""

from __future__ import annotations

import asyncio
import logging

from scripted_ends import stream_of

from klvrelay.config.url import Url
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet
from klvrelay.relay import stream as stream_module


class Barren:
    """A source of bytes without KLV whose streams were fixed when it was opened."""

    url, live, fixed, dropped = Url.parse("rtsp://cam/live"), True, True, 0

    def __init__(self):
        self.link = LinkStats()

    async def packets(self):
        while True:
            self.link.size += 1
            yield Packet(b"", None)
            await asyncio.sleep(0.01)


async def test_a_reopening_is_logged_with_its_reason(monkeypatch, caplog):
    """Not only counted: the log explains why the session of the camera restarted."""
    monkeypatch.setattr(logging.getLogger("klvrelay"), "propagate", True)
    monkeypatch.setattr(stream_module.Backoff, "next", lambda self: 0.01)
    caplog.set_level(logging.INFO, "klvrelay")
    stream = stream_of(stream_module.Feed("cam", Barren, "rtsp://cam/live", 0.2))
    keeping = asyncio.create_task(stream.keep())
    async with asyncio.timeout(5):
        while stream.health.openings < 3:
            stream.look()
            await asyncio.sleep(0.02)
    keeping.cancel()
    await asyncio.wait([keeping])

    said = [message for message in caplog.messages if "opened again" in message]
    assert said[0] == "cam: opened again: no KLV for 0.2 s, and a track that begins later is seen only then"
    assert said[1].startswith("cam: opened again: no KLV for 0.4 s")
