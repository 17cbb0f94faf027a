"""The health of all parts of the relay in one place, for those that observe it: topics, metrics, alerts, the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from klvrelay.health.changes import Changes, Contain
from klvrelay.health.documents import relay_document, stream_document
from klvrelay.health.loop import LoopHealth
from klvrelay.health.relay import RelayHealth
from klvrelay.health.sink import SinkHealth
from klvrelay.health.spool import SpoolHealth
from klvrelay.health.stream import StreamHealth

StreamDetails = Callable[[StreamHealth], Mapping[str, Any]]
RelayDetails = Callable[[], Mapping[str, Any]]


class Board:
    """The health of the relay, and its changes.

    contain          runs a step, and returns its fault or None; see `Changes`
    streams, sinks   those of the relay at present; a reload changes them
    loop             heartbeat of the event loop, and steps of the system clock; None before the relay is made
    refresh          updates the counters, which are otherwise updated with each report; with two numbers, those of one
                     part of so many parts of the streams and sinks
    latest           the latest values of the items of a stream as JSON; None if there are none
    stream_details   add members to the document of a stream
    relay_details    add members to the document of the relay
    ending           functions that are called before the last values of a run are published
    """

    def __init__(self, boot: str, contain: Contain) -> None:
        self.contain = contain
        self.changes = Changes(contain)
        self.relay = RelayHealth(boot, publish=self.changes.publish)
        self.spool = SpoolHealth(publish=self.changes.publish)
        self.has_spool = False
        self.loop: LoopHealth | None = None
        self.streams: Callable[[], Sequence[StreamHealth]] = tuple
        self.sinks: Callable[[], Sequence[SinkHealth]] = tuple
        self.refresh: Callable[..., None] = lambda part=0, parts=1: None
        self.latest: Callable[[str], bytes | None] = lambda _: None
        self.stream_details: list[StreamDetails] = []
        self.relay_details: list[RelayDetails] = []
        self.ending: list[Callable[[], None]] = []

    @property
    def boot(self) -> str:
        return self.relay.boot

    def stream_document(self, health: StreamHealth, link: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The health of a stream, as published on `{prefix}/{stream}/health`. `link`: members that are known."""
        document = stream_document(health, self.boot, link) | {"lead_time": self._lead_times(health.name)}
        for details in self.stream_details:
            document |= details(health)
        return document

    def _lead_times(self, stream: str) -> dict[str, Any]:
        """The lead times of a stream by sink; of those that have confirmed records of it."""
        sinks = ((sink.key or sink.name, sink.lead_times.of(stream)) for sink in self.sinks())
        return {name: times.document() for name, times in sinks if times is not None}

    def relay_document(self) -> dict[str, Any]:
        """The health of the relay, as published on `{prefix}/health`."""
        spool = self.spool if self.has_spool else None
        document = relay_document(self.relay, list(self.streams()), list(self.sinks()), spool)
        for details in self.relay_details:
            document |= details()
        return document
