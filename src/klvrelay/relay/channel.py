"""One KLV elementary stream of the relay: its health and latest values, and when they are published."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from klvrelay.health import StreamHealth
from klvrelay.health.board import Board
from klvrelay.health.report import link_members
from klvrelay.json_output import dumps
from klvrelay.record import Record
from klvrelay.relay.notices import Notices
from klvrelay.shape.state import StreamState
from klvrelay.sinks.contract import Notice

LINK_EVERY = 10.0
"""Maximum seconds between two reports of a link whose state does not change."""


class Channel:
    """Publishes the health and the latest values of one stream, as notices.

    count   updates the counts of `health`
    """

    def __init__(
        self, health: StreamHealth, boot: str, notices: Notices, board: Board, count: Callable[[], None]
    ) -> None:
        self.health = health
        self._boot = boot
        self._notices, self._board = notices, board
        self._count = count
        self._latest = StreamState()
        self._published: tuple[bool | None, str, str, float] = (None, "", "", 0.0)

    def add(self, record: Record) -> bool:
        """Count a record and keep its values. Returns true if the stream was not live before."""
        is_back = self.health.add_record(record)
        self._latest.add(record)
        return is_back

    def publish_health(self) -> None:
        """Publish availability when it changed, and the link report when the state changed or it is due."""
        health = self.health
        if not health.reported:
            return
        now = health.clock()
        online, state, reason, due = self._published
        if health.online != online or (health.state == "ended" and state != "ended"):
            self._notices.put(Notice("availability", health.name, b"online" if health.online else b"offline"))
        if (health.state, health.reason) != (state, reason) or now >= due:
            self._count()
            members = link_members(health, self._boot)
            self._notices.put(Notice("link", health.name, dumps(members)))
            self._notices.put(Notice("health", health.name, dumps(self._board.stream_document(health, members))))
            due = self._next_report(now)
        self._published = health.online, health.state, health.reason, due

    def _next_report(self, now: float) -> float:
        """Within LINK_EVERY, at a moment that depends on the name: those of many streams are spread over time."""
        phase = zlib.crc32(self.health.name.encode(errors="replace")) % 1000 / 1000 * LINK_EVERY
        return now + LINK_EVERY - (now - phase) % LINK_EVERY

    def publish_state(self) -> None:
        """Publish the latest value of every item, if any changed."""
        document = self._latest.document()
        if document is not None:
            self._notices.put(Notice("state", self.health.name, document))
