"""The KLV elementary streams of one source, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from klvrelay.errors import KlvrelayError
from klvrelay.health import StreamHealth
from klvrelay.health.board import Board
from klvrelay.health.causes import cause_of
from klvrelay.link_stats import LinkStats
from klvrelay.record import Record
from klvrelay.relay.channel import Channel
from klvrelay.relay.notices import Notices
from klvrelay.relay.stream_input import StreamInput


class Channels:
    """The streams of one source: the first, those that the settings name, and others as they appear.

    count   updates the counts of all of them; see `note_counts`
    """

    def __init__(
        self, source_input: StreamInput, boot: str, notices: Notices, board: Board, count: Callable[[], None]
    ) -> None:
        self._input, self._boot, self._notices, self._board, self._count = source_input, boot, notices, board, count
        self._channels: dict[str, Channel] = {}
        self._named = source_input.choice.names.values()
        for name in dict.fromkeys((source_input.name, *self._named)):
            self.add(name)
        self.health.expected = not self._named or source_input.name in self._named

    def add(self, name: str) -> Channel:
        """Add a stream."""
        health = StreamHealth(name, self._input.url, self._input.stall, publish=self._board.changes.publish)
        if self._channels:  # the openings of the source count for each of its streams
            health.openings = self.health.openings
        channel = self._channels[name] = Channel(health, self._boot, self._notices, self._board, self._count)
        return channel

    @property
    def names(self) -> list[str]:
        return list(self._channels)

    @property
    def found(self) -> set[str]:
        """Names of the streams that were named after their PIDs."""
        return self._channels.keys() - {self._input.name, *self._named}

    @property
    def health(self) -> StreamHealth:
        """The health of the first stream."""
        return self._channels[self._input.name].health

    @property
    def healths(self) -> list[StreamHealth]:
        return [channel.health for channel in self._channels.values()]

    def add_record(self, record: Record) -> bool:
        """Count a record. Returns true if its stream was not live before."""
        channel = self._channels.get(record.stream) or self.add(record.stream)
        return channel.add(record)

    def mark_down(self, fault: KlvrelayError, *, again: bool = True) -> None:
        """The source failed; `again`: it is retried."""
        for health in self.healths:
            health.mark_down(str(fault), cause_of(fault, "source"), again=again)

    def note_counts(self, link: LinkStats, dropped: int, places: Mapping[str, tuple[int | None, int | None]]) -> None:
        """Set the counts of all openings of the source, and the PID and program of each stream."""
        for name, channel in self._channels.items():
            health = channel.health
            health.note_link(link)
            health.dropped = dropped
            health.pid, health.program = places.get(name, (None, None))

    def publish_health(self) -> None:
        """Publish availability and link of each stream, where they changed."""
        for channel in self._channels.values():
            channel.publish_health()

    def publish_state(self) -> None:
        """Publish the latest values of each stream, where they changed."""
        for channel in self._channels.values():
            channel.publish_state()
