"""The notices of a stream beside its records: changes of state, and a link report every ten seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest
import virtual_time
from records import BOOT, record

from klvrelay.health import SinkHealth, StreamHealth
from klvrelay.health.board import Board
from klvrelay.relay.channel import LINK_EVERY, Channel
from klvrelay.relay.notices import NoticeCursor, Notices
from klvrelay.relay.sink_task import SinkTask
from klvrelay.relay.supervise import contain
from klvrelay.sinks.contract import Notice
from klvrelay.spool.memory import MemoryLog


class Clock:
    """A monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Log(Notices):
    """Stores every notice."""

    def __init__(self) -> None:
        super().__init__()
        self.put_so_far: list[Notice] = []

    def put(self, notice: Notice) -> None:
        self.put_so_far.append(notice)
        super().put(notice)

    def take(self) -> list[tuple[str, str]]:
        """Kind, and state or value, of the notices since the last call."""
        taken, self.put_so_far = self.put_so_far, []
        return [(notice.kind, _value(notice)) for notice in taken]


def _value(notice: Notice) -> str:
    if notice.kind == "availability":
        return notice.document.decode()
    return str(orjson.loads(notice.document)["state"])


def channel(clock: Callable[[], float], notices: Notices) -> Channel:
    return Channel(StreamHealth("uav1", "udp://:5000", 5.0, clock), BOOT, notices, Board(BOOT, contain), lambda: None)


def test_the_link_is_reported_every_ten_seconds_where_nothing_changes():
    """A viewer sees counts that advance; there are no more reports than that. The first follows sooner."""
    clock, notices = Clock(), Log()
    stream = channel(clock, notices)
    stream.publish_health()
    first = notices.take()
    counts = []
    for _ in range(100):
        clock.now += LINK_EVERY / 20
        stream.publish_health()
        counts.append(len(notices.take()))

    assert first == [("availability", "offline"), ("link", "connecting"), ("health", "connecting")]
    places = [place + 1 for place, count in enumerate(counts) if count]
    assert places[0] <= 20
    assert places == [places[0] + 20 * number for number in range(5)]
    assert set(counts) == {0, 2}


def test_the_reports_of_many_streams_are_spread_over_ten_seconds():
    """Though all of them became live at once: no moment has many."""
    clock, notices = Clock(), Log()
    healths = [StreamHealth(f"uav{number}", "udp://:5000", 5.0, clock) for number in range(100)]
    streams = [Channel(health, BOOT, notices, Board(BOOT, contain), lambda: None) for health in healths]
    counts = []
    for _ in range(21):
        for stream in streams:
            stream.publish_health()
        counts.append(sum(kind == "health" for kind, _ in notices.take()))
        clock.now += LINK_EVERY / 20

    assert counts[0] == sum(counts[1:]) == 100
    assert max(counts[1:]) <= 15


def test_a_change_of_state_is_published_at_once():
    """The availability too, where it changes."""
    clock, notices = Clock(), Log()
    stream = channel(clock, notices)
    stream.publish_health()
    notices.take()
    stream.health.set_size(1000)
    stream.publish_health()
    waits = notices.take()
    stream.add(record(0))
    stream.publish_health()
    comes = notices.take()

    assert waits == [("link", "waiting"), ("health", "waiting")]
    assert comes == [("availability", "online"), ("link", "live"), ("health", "live")]


def test_the_end_of_a_stream_that_never_was_live_is_offline_once_more():
    """A retained value of an earlier run is replaced even where this run has published the same before."""
    clock, notices = Clock(), Log()
    stream = channel(clock, notices)
    stream.publish_health()
    notices.take()
    stream.health.end(is_logged=False)
    stream.publish_health()
    ends = notices.take()
    stream.publish_health()

    assert ends == [("availability", "offline"), ("link", "ended"), ("health", "ended")]
    assert notices.take() == []


class Deaf:
    """A connected sink that publishes no latest value."""

    async def __aenter__(self) -> Deaf:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def deliver(self, batch: Any) -> Any:
        raise NotImplementedError

    async def keep(self, notices: NoticeCursor) -> None:
        await asyncio.Event().wait()


@pytest.mark.parametrize(("is_up", "seconds"), [(True, 2.5), (False, 0.0)])
def test_the_wait_for_latest_values_of_a_sink_is_bounded(is_up: bool, seconds: float):
    """A sink that is disconnected is not waited for."""

    async def main() -> float:
        notices = Notices()
        cursor = notices.cursor()
        health = SinkHealth("deaf", "up" if is_up else "down")
        task = SinkTask(Deaf(), MemoryLog(10, 1 << 20).cursor("deaf"), cursor, health)
        notices.put(Notice("status", None, b"{}"))
        await asyncio.wait_for(task.publish_notices(2.5), 100)
        return virtual_time.now()

    assert virtual_time.run(main()) == seconds
