"""A relay in a separate process with short time-outs: `flapping_relay.py FLAPPING_URL TIMEOUT STALL STEADY_PORT
[isolate]`.

Two streams into a sink that checks the steady one against `feed.recording(2000)` and stores nothing. It writes its
state to stdout as a line of JSON ten times a second.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import feed
from records import all_of, records_of
from scripted_ends import Ear

from klvrelay.backoff import Backoff
from klvrelay.config.settings import SourceSettings
from klvrelay.config.url import Url
from klvrelay.outcome import Outcome
from klvrelay.record import Record
from klvrelay.relay import relay, tick
from klvrelay.relay import sink_task as sink_task
from klvrelay.relay import stream as stream_module
from klvrelay.relay.build import open_input
from klvrelay.relay.stream_input import StreamInput

PAGE = os.sysconf("SC_PAGE_SIZE")


class Checked(Ear):
    """Checks each record of the steady stream when it arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.expected = feed.recording(2000).klv
        self.steady = self.wrong = 0

    async def deliver(self, batch: Sequence[Record]) -> Outcome:
        self.published.clear()
        for record in records_of(batch):
            if record.stream == "steady":
                self.wrong += record.raw != self.expected[self.steady % len(self.expected)] or not record.good
                self.steady += 1
        return all_of(batch)


def status(pipeline: relay.Relay, ear: Checked) -> dict[str, object]:
    gc.collect()
    flapping, steady = (stream.health for stream in pipeline.streams)
    return {
        "fds": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "tasks": len(asyncio.all_tasks()),
        "rss": int(Path("/proc/self/statm").read_text().split()[1]) * PAGE,
        "flapped": flapping.records,
        "openings": flapping.openings,
        "changes": dict(flapping.changes),
        "steady": ear.steady,
        "wrong": ear.wrong + steady.outages + steady.damaged,
    }


async def main(url: str, timeout: float, stall: float, port: int, *, isolate: bool) -> None:
    flapping = SourceSettings(Url.parse(url), timeout=timeout, stall=stall, isolate=isolate)
    steady = SourceSettings(Url.parse(f"udp://127.0.0.1:{port}"), stall=60)
    ear = Checked()
    feeds = [
        StreamInput(name, partial(open_input, settings), str(settings.url), settings.stall)
        for name, settings in (("flapping", flapping), ("steady", steady))
    ]
    pipeline = relay.Relay(feeds, [("ear", ear)], boot="b")
    task = asyncio.create_task(pipeline.run())
    while not task.done():
        await asyncio.sleep(0.1)
        print(json.dumps(status(pipeline, ear)), flush=True)
    task.result()


if __name__ == "__main__":
    logging.getLogger("klvrelay").setLevel(logging.CRITICAL)
    stream_module.Backoff = sink_task.Backoff = partial(Backoff, first=0.001, cap=0.02)  # type: ignore[misc,assignment]
    tick.TICK = 0.01
    url, timeout, stall, port, *more = sys.argv[1:]
    asyncio.run(main(url, float(timeout), float(stall), int(port), isolate="isolate" in more))
