"""A relay with a sink that only counts: `python -m benchmarks.null_relay PORT COUNT`. It prints the counts at the end.

This separates the cost of a stream from the cost of publishing.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Self

from klvrelay.config.settings import SourceSettings
from klvrelay.config.url import Url
from klvrelay.gap import Gap
from klvrelay.record import Record
from klvrelay.relay.build import open_input
from klvrelay.relay.relay import Relay
from klvrelay.sinks.contract import Outcome


class Null:
    """A sink that is always available, accepts every record, and creates its JSON as other sinks do."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def deliver(self, batch: Sequence[Record]) -> Outcome:
        for record in batch:
            record.json()
            self.seen[record.stream] += isinstance(record, Record) and record.good
        gaps = sum(isinstance(record, Gap) for record in batch)
        return Outcome(len(batch) - gaps, gaps=gaps)


async def main(port: int, count: int) -> None:
    sink = Null()
    settings = [SourceSettings(Url.parse(f"udp://127.0.0.1:{port + n}")) for n in range(count)]
    streams = [(f"s{n}", partial(open_input, one), str(one.url)) for n, one in enumerate(settings)]
    task = asyncio.ensure_future(Relay(streams, [("null", sink)], boot="000000").run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await asyncio.wait({task})
    print(json.dumps(sink.seen))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
