"""The status line of a relay, as `systemctl status` shows it."""

from __future__ import annotations

from collections.abc import Sequence

from klvrelay.health import SinkHealth, StreamHealth
from klvrelay.relay.relay import Relay
from klvrelay.relay.stuck import Stuck
from klvrelay.text import counted, printable

NAMED_MOST = 3
"""Maximum number of names in a part of the line."""


def status_line(relay: Relay, stuck: Sequence[Stuck]) -> str:
    """For example `3 of 4 streams live, mqtt connected, 0 records wait`."""
    streams = [health for stream in relay.streams for health in stream.healths if health.reported]
    sinks = [task.health for task in relay.sink_tasks]
    waiting = max((health.sums.waiting for health in sinks), default=0)
    parts = [_live(streams), *_connected(sinks), f"{counted(waiting, 'record')} wait{'s' if waiting == 1 else ''}"]
    if relay.board.spool.fault is not None:
        parts.append("the spool cannot write")
    if stuck:
        parts.append(f"no progress: {_names([one.name for one in stuck])}")
    return ", ".join(parts)


def _live(streams: Sequence[StreamHealth]) -> str:
    noun = "stream" if len(streams) == 1 else "streams"
    return f"{sum(health.online for health in streams)} of {len(streams)} {noun} live"


def _connected(sinks: Sequence[SinkHealth]) -> list[str]:
    """Each sink by its kind; of many, those that are not connected."""
    kinds = [(_kind(health), health.up) for health in sinks]
    if len(kinds) <= NAMED_MOST:
        return [f"{kind} {'connected' if up else 'not connected'}" for kind, up in kinds]
    down = [kind for kind, up in kinds if not up]
    summary = f"{len(kinds) - len(down)} of {len(kinds)} sinks connected"
    return [f"{summary} (not {_names(down)})" if down else summary]


def _kind(health: SinkHealth) -> str:
    """The scheme of its URL; a folder has none."""
    scheme, separator, _ = health.name.partition("://")
    return printable(scheme) if separator else "standard output" if health.name == "-" else "files"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED_MOST} more" if len(names) > NAMED_MOST else ""
    return printable(", ".join(names[:NAMED_MOST])) + more
