"""The heartbeat of a relay. A step of the system clock explains the same step of the offset of each stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from klvrelay.health import LoopHealth
from klvrelay.health.wall_clock import ClockStep
from klvrelay.relay.stream import Stream
from klvrelay.relay.supervise import contain


def heartbeat_of(streams: Callable[[], Sequence[Stream]]) -> LoopHealth:
    """A heartbeat that passes steps of the system clock on to the streams, which a reload replaces."""

    def note(step: ClockStep) -> None:
        for stream in streams():
            for health in stream.healths:
                health.clocks.note_wall_step(step.seconds, step.at)

    heartbeat = LoopHealth(contain)
    heartbeat.wall.listeners.append(note)
    return heartbeat
