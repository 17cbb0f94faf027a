"""When a relay is ready: every sink was connected, and every source opened or tried; or it has run for some time."""

from __future__ import annotations

from klvrelay.relay.relay import Relay

START_MOST = 20.0
"""Maximum seconds until it is ready: a broker may be away for longer, and records wait."""


def unready_parts(relay: Relay) -> list[str]:
    """What is not ready yet, in a few words each, however long the relay has run."""
    sinks = [f"sink {task.health.name}: not connected yet" for task in relay.sink_tasks if not task.health.ever_up]
    return sinks + [f"source {stream.name}: not opened yet" for stream in relay.streams if not stream.was_opened]


def reasons_unready(relay: Relay) -> list[str]:
    """Why the relay is not ready; empty: it is."""
    if relay.is_stopping:
        return ["the relay is stopping"]
    health = relay.board.relay
    return [] if health.clock() - health.began >= START_MOST else unready_parts(relay)
