"""Which parts of a running relay make no progress: readers of sources, connections of sinks, tasks that died.

A silent network, a far end that is away and a source in back-off are no lack of progress. Neither is a disk of the
spool that hangs: memory takes its place, and the health of the spool reports it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from klvrelay.relay.running import Running
from klvrelay.relay.sink_task import SinkTask
from klvrelay.relay.stream import Stream

HANGS = "reader does not return"
CONNECTS = "connecting does not end"
DIED = "its task ended"


class Stuck(NamedTuple):
    """A part that makes no progress.

    since   when it should have, in seconds of the monotonic clock
    """

    kind: Literal["source", "sink"]
    name: str
    reason: str
    since: float


def stuck_parts(streams: Sequence[Stream], sinks: Sequence[SinkTask], running: Running) -> list[Stuck]:
    """Those that are overdue now."""
    now = time.monotonic()
    overdue = [Stuck("source", one.name, HANGS, one.due) for one in streams if one.due < now]
    overdue += [Stuck("sink", one.health.name, CONNECTS, one.due) for one in sinks if one.due < now]
    died = [Stuck("source", name, DIED, now) for name in _died(running.streams)]
    return [*overdue, *died]


def _died(tasks: Mapping[str, asyncio.Task[None]]) -> list[str]:
    """Tasks that ended by an internal error. That of a file which was read to its end returns."""
    return [name for name, task in tasks.items() if task.done() and not task.cancelled() and task.exception()]
