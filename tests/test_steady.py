"""How soon a stream, a sink and the recorder retry, on a clock that only they advance."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from manual_clock import Enough, Time, unjittered
from scripted_ends import TAPE, Ear, Tape, live, sink_task_of, stream_of

from klvrelay.errors import SinkDown, SourceDown
from klvrelay.health import StreamHealth
from klvrelay.recording import Recorder, recorder
from klvrelay.recordings.limits import RecordingLimits
from klvrelay.relay import sink_task
from klvrelay.relay import stream as stream_module
from klvrelay.relay.notices import NoticeCursor
from klvrelay.relay.reopen_policy import HANGS, ReopenPolicy
from klvrelay.relay.stream_input import StreamInput
from klvrelay.relay.supervise import supervise

Keep = Callable[[], Awaitable[None]]


def kept(monkeypatch: pytest.MonkeyPatch, module: Any, time: Time) -> None:
    """The module's supervisor runs on that clock, and without jitter."""
    monkeypatch.setattr(module, "supervise", partial(supervise, clock=time.clock, sleep=time.sleep))
    monkeypatch.setattr(module, "Backoff", unjittered)


def lasting(time: Time, seconds: float) -> Tape:
    """A live source that breaks after so many seconds."""

    async def wait() -> None:
        time.now += seconds

    return live(TAPE.klv[0], fault=SourceDown("gone"), between=wait)


class Falling(Ear):
    """A sink whose connection breaks after so many seconds."""

    def __init__(self, time: Time, seconds: float) -> None:
        super().__init__()
        self.time, self.seconds = time, seconds

    async def keep(self, notices: NoticeCursor) -> None:
        self.time.now += self.seconds
        raise SinkDown("gone")


def stream(monkeypatch: pytest.MonkeyPatch, time: Time, seconds: float, folder: Path) -> Keep:
    kept(monkeypatch, stream_module, time)
    return stream_of(StreamInput("uav1", lambda: lasting(time, seconds), "udp://:5000")).keep


def sink(monkeypatch: pytest.MonkeyPatch, time: Time, seconds: float, folder: Path) -> Keep:
    kept(monkeypatch, sink_task, time)
    return sink_task_of(Falling(time, seconds))[0].drain


def recording(monkeypatch: pytest.MonkeyPatch, time: Time, seconds: float, folder: Path) -> Keep:
    kept(monkeypatch, recorder, time)
    limits = RecordingLimits(size=1 << 20, keep_size=1 << 30)
    return Recorder(lambda: lasting(time, seconds), str(folder), "uav1", limits)._record_supervised


@pytest.mark.parametrize(
    ("made", "seconds", "pauses"),
    [
        (stream, 0.0, [0.5, 1, 2, 4, 8, 16, 30, 30]),
        (stream, 9.9, [0.5, 1, 2, 4, 8, 16, 30, 30]),
        (stream, 10.1, [0.5] * 8),
        (sink, 0.0, [0.5, 1, 2, 3, 3, 3, 3, 3]),
        (sink, 9.9, [0.5, 1, 2, 3, 3, 3, 3, 3]),
        (sink, 10.1, [0.5] * 8),
        (recording, 0.0, [0.5, 1, 2, 4, 8, 16, 30, 30]),
        (recording, 9.9, [0.5, 1, 2, 4, 8, 16, 30, 30]),
        (recording, 10.1, [0.5] * 8),
    ],
)
async def test_repeated_faults_are_retried_more_rarely_and_at_once_after_a_steady_period(
    made: Any, seconds: float, pauses: list[float], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """From both sides of ten seconds; a broker that returns is noticed within three seconds."""
    time = Time(len(pauses))
    with pytest.raises(Enough):
        await asyncio.wait_for(made(monkeypatch, time, seconds, tmp_path)(), 20)
    assert time.pauses == pauses


async def test_a_broker_that_accepts_and_closes_gets_few_connections(monkeypatch: pytest.MonkeyPatch):
    """Nine connections in 21 s, not fifty: it breaks as soon as it is up."""
    time = Time(1000)
    kept(monkeypatch, sink_task, time)
    ear = Falling(time, 0.0)
    begun: list[float] = []
    enter = ear.__aenter__

    async def entered() -> Any:
        begun.append(time.now - 1000)
        if time.now > 1021:
            raise Enough
        return await enter()

    monkeypatch.setattr(Falling, "__aenter__", lambda self: entered())
    with pytest.raises(Enough):
        await asyncio.wait_for(sink_task_of(ear)[0].drain(), 20)
    assert begun == [0, 0.5, 1.5, 3.5, 6.5, 9.5, 12.5, 15.5, 18.5, 21.5]


def waiting(stall: float) -> tuple[ReopenPolicy, StreamHealth, Time]:
    """A stream on that clock with bytes, but without KLV."""
    time = Time(0)
    health = StreamHealth("cam", "rtsp://h/1", stall, time.clock)
    health.state = "waiting"
    return ReopenPolicy(stall, hang_timeout=600.0), health, time


def waits(patience: ReopenPolicy, health: StreamHealth, time: Time) -> float:
    """Seconds without KLV after which the source is reopened; bytes arrive all the time."""
    begun = health.last_record = time.now
    while not patience.reason(health):
        time.now += 0.25
        health.last_bytes = time.now
    return time.now - begun


def test_a_source_without_klv_gets_ever_more_time_up_to_a_minute():
    """Its KLV may begin late, and each opening costs the camera a session."""
    one = waiting(5.0)
    assert [waits(*one) for _ in range(6)] == [5, 10, 20, 40, 60, 60]


@pytest.mark.parametrize(("online", "next_wait"), [(59.75, 20), (60.0, 5)])
def test_a_minute_of_klv_makes_the_wait_short_again(online: float, next_wait: float):
    """From both sides of it."""
    patience, health, time = waiting(5.0)
    waits(patience, health, time)
    waits(patience, health, time)
    health.state, health.since = "live", time.now
    time.now += online
    health.last_bytes = health.last_record = time.now
    assert patience.reason(health) == ""
    health.state = "stale"
    assert waits(patience, health, time) == next_wait


def test_a_longer_configured_stall_is_kept():
    """A stall of two minutes is not reduced to one."""
    one = waiting(120.0)
    assert [waits(*one) for _ in range(2)] == [120, 120]


@pytest.mark.parametrize(("silent", "why"), [(599.75, ""), (600.0, HANGS)])
def test_a_reader_silent_for_longer_than_its_timeouts_hangs(silent: float, why: str):
    """From both sides of the limit, in whatever state the stream is."""
    patience, health, time = waiting(5.0)
    health.state = "connecting"
    time.now += silent
    assert patience.reason(health) == why
