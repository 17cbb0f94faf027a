"""A relay as a service of systemd: ready, status, and a watchdog that is fed while every part makes progress."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, closing, suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import feed
import pytest
from brokers import until
from cases import each_case
from manual_clock import Clock
from scripted_ends import TAPE, Ear, live
from service_manager import ServiceManager, service_manager

from klvrelay.config.url import Url
from klvrelay.errors import SinkDown, SourceError
from klvrelay.health import SinkHealth, SpoolHealth, StreamHealth
from klvrelay.link_stats import LinkStats
from klvrelay.outcome import Sums
from klvrelay.record import Packet
from klvrelay.relay.relay import Relay
from klvrelay.relay.sink_input import SinkInput
from klvrelay.relay.stream_input import StreamInput
from klvrelay.relay.stuck import Stuck
from klvrelay.sources.files import file as file_source
from klvrelay.sources.files import growing
from klvrelay.sources.open import open_source
from klvrelay.sources.progress import progress
from klvrelay.systemd import service as service_module
from klvrelay.systemd.notify_socket import NotifySocket
from klvrelay.systemd.service import Service
from klvrelay.systemd.status import status_line
from klvrelay.systemd.watchdog import Watchdog
from klvrelay.threads import Pulse

LIMIT = 0.6
"""Seconds of the watchdog."""


@pytest.fixture
def manager(tmp_path: Path):
    with service_manager(tmp_path) as found:
        yield found


@pytest.fixture
def logged(monkeypatch, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    monkeypatch.setattr(logging.getLogger("klvrelay"), "propagate", True)
    caplog.set_level(logging.INFO, "klvrelay")
    return caplog


@asynccontextmanager
async def serving(relay: Relay, manager: ServiceManager, watchdog: float | None = LIMIT) -> AsyncIterator[Service]:
    """The relay and its service, until the end of the block."""
    notify = NotifySocket(manager.address, watchdog)
    service = Service(notify)
    running = asyncio.create_task(relay.run())
    beside = asyncio.create_task(service.run(relay))
    try:
        yield service
    finally:
        running.cancel()
        await asyncio.wait({running})
        beside.cancel()
        await asyncio.wait({beside})
        notify.close()


def input_of(source: Callable[[], Any], name: str = "uav1") -> StreamInput:
    return StreamInput(name, source, "udp://:5000")


def relay_of(sources: Sequence[StreamInput], *ears: Ear, **more: Any) -> Relay:
    return Relay(sources, [SinkInput(f"mqtt://{n}", ear, **more) for n, ear in enumerate(ears)], boot="5f2c9a")  # type: ignore[arg-type]


async def pinged(manager: ServiceManager, count: int = 2) -> None:
    """Wait for more signs of life."""
    before = len(manager.times("WATCHDOG"))
    await until(lambda: len(manager.times("WATCHDOG")) >= before + count)


async def unfed(manager: ServiceManager, seconds: float = 3 * LIMIT) -> None:
    """Wait until there was no sign of life for so long."""
    begin = time.monotonic()
    await until(lambda: time.monotonic() - max(manager.times("WATCHDOG"), default=begin) > seconds)


# ---- ready ----


async def test_ready_waits_for_every_sink(manager: ServiceManager):
    """Not before the last one was connected; the status says what is missing."""
    late = Ear(door=[SinkDown("away")] * 2)
    async with serving(relay_of([input_of(lambda: live(hang=True))], Ear(), late), manager):
        await until(lambda: manager.values("STATUS"))
        assert manager.states == []
        assert manager.values("STATUS")[0].startswith("starting: ")
        await until(lambda: manager.states)
        assert late.entered == 3
    await until(lambda: manager.states == ["READY", "STOPPING"])
    assert "1 of 1 stream live, mqtt connected, mqtt connected, " in manager.values("STATUS")[-2]


async def test_ready_waits_until_every_source_was_opened_or_tried(manager: ServiceManager):
    """A source that is still being opened holds it back, one that failed does not."""
    fifo = asyncio.Event()

    class Slow:
        url, live, fixed, dropped = Url.parse("udp://:5000"), True, False, 0
        link = LinkStats()

        async def packets(self):
            await fifo.wait()
            yield Packet(TAPE.bare, 1, "klv")
            await asyncio.get_running_loop().create_future()

    ear = Ear()
    failing = partial(live, fault=SinkDown("no sender"))
    async with serving(relay_of([input_of(Slow, "slow"), input_of(failing, "failing")], ear), manager):
        await until(lambda: ear.entered and manager.values("STATUS"))
        await pinged(manager)
        assert manager.states == []
        fifo.set()
        await until(lambda: manager.states == ["READY"])


async def test_a_broker_that_is_away_at_the_start_delays_ready_only_so_long(manager: ServiceManager, monkeypatch):
    """Otherwise systemd would end the service; the status says that the sink is not connected."""
    monkeypatch.setattr(service_module, "START_MOST", 0.3)
    monkeypatch.setattr(service_module, "STATUS_EVERY", 0.05)
    async with serving(relay_of([input_of(lambda: live(hang=True))], Ear(door=[SinkDown("away")] * 99)), manager):
        await until(lambda: manager.states == ["READY"])
        await until(lambda: manager.values("STATUS")[-1] == "1 of 1 stream live, mqtt not connected, 40 records wait")
        await pinged(manager)


async def test_udp_that_is_silent_counts_as_opened(manager: ServiceManager, free_port: int):
    """A source need not have data."""
    source = partial(open_source, f"udp://127.0.0.1:{free_port}")
    async with serving(relay_of([input_of(source)], Ear()), manager):
        await until(lambda: manager.states == ["READY"], 2)


async def test_the_status_changes_at_most_once_a_second(manager: ServiceManager):
    """However often the relay changes."""
    relay = relay_of([], Ear())
    with closing(NotifySocket(manager.address)) as notify:
        service = Service(notify)
        for waiting in range(40):
            relay.sink_tasks[0].health.set_sums(Sums(waiting=waiting))
            service._look(relay, time.monotonic())
        notify.send("END=1")
    await until(lambda: manager.times("END"))
    assert len(manager.values("STATUS")) == 1


async def test_what_a_full_socket_could_not_take_is_sent_later(manager: ServiceManager, monkeypatch):
    """READY, RELOADING and STOPPING arrive in their order; signs of life are not repeated."""
    relay = relay_of([], Ear())
    relay.sink_tasks[0].health.mark_connected()
    notify = NotifySocket(manager.address, 30.0)
    service = Service(notify)
    with monkeypatch.context() as patch:
        patch.setattr(notify, "send", lambda *lines: False)
        service._look(relay, 0.0)
        with service.reloading():
            pass
    service._look(relay, 0.0)
    await until(lambda: len(manager.states) == 3)
    notify.close()
    assert manager.states == ["READY", "RELOADING", "READY"]


async def test_systemd_waits_while_the_spool_is_opened(manager: ServiceManager, monkeypatch):
    """Again and again, until the relay runs, and no longer than a limit."""
    monkeypatch.setattr(service_module, "EXTEND_EVERY", 0.02)
    relay = relay_of([input_of(lambda: live(hang=True))], Ear())
    with closing(NotifySocket(manager.address)) as notify:
        service = Service(notify)
        async with service.starting():
            await until(lambda: len(manager.times("EXTEND_TIMEOUT_USEC")) > 3)
            beside = asyncio.create_task(service.run(relay))
            await until(lambda: any(status.startswith("starting: 0") for status in manager.values("STATUS")))
            count = len(manager.times("EXTEND_TIMEOUT_USEC"))
            await asyncio.sleep(0.1)
            assert len(manager.times("EXTEND_TIMEOUT_USEC")) == count
            beside.cancel()
            await asyncio.wait({beside})
        monkeypatch.setattr(service_module, "EXTEND_MOST", 0.1)
        other = Service(notify)
        async with other.starting():
            await until(lambda: all(task.get_name() != "extend" for task in asyncio.all_tasks()))
    assert set(manager.values("EXTEND_TIMEOUT_USEC")) == {"60000000"}


# ---- the watchdog ----


async def test_signs_of_life_come_at_a_third_of_the_limit(manager: ServiceManager):
    """While all is well, though no byte arrives."""
    async with serving(relay_of([input_of(lambda: live(hang=True))], Ear()), manager):
        await pinged(manager, 6)
    times = manager.times("WATCHDOG")
    pauses = [after - before for before, after in pairwise(times)]
    assert sorted(pauses)[len(pauses) // 2] < LIMIT / 2


async def test_a_blocked_loop_is_not_fed(manager: ServiceManager):
    """Here a listener blocks it; the sign of life stays away for that long, and the lag is measured."""
    relay = relay_of([input_of(lambda: live(hang=True))], Ear())
    async with serving(relay, manager):
        await pinged(manager)
        began = time.monotonic()
        relay.loop.on_beat.append(lambda: [relay.loop.on_beat.clear(), time.sleep(3 * LIMIT)])
        await until(lambda: not relay.loop.on_beat)
        await pinged(manager)
    pauses = [at for at in manager.times("WATCHDOG") if began + LIMIT / 2 < at < began + 3 * LIMIT]
    assert pauses == []
    assert relay.loop.lag_max_s >= 3 * LIMIT - 0.1


class Hanging:
    """A call to a file system that does not return until `release`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.hangs = threading.Event()
        self._released = threading.Event()
        call = getattr(os, name)

        def hang(*arguments: Any) -> Any:
            if threading.current_thread().name.startswith("klvrelay-"):
                self.hangs.set()
                self._released.wait(20)
            return call(*arguments)

        monkeypatch.setattr(os, name, hang)

    def release(self) -> None:
        self._released.set()


@pytest.mark.parametrize(("follow", "call"), [(False, "read"), (True, "pread")])
async def test_a_source_whose_thread_hangs_is_not_fed(
    follow: bool, call: str, manager: ServiceManager, tmp_path: Path, monkeypatch, logged: pytest.LogCaptureFixture
):
    """A disk does not answer: the log names the source, once; when it answers, the watchdog is fed again."""
    monkeypatch.setattr(file_source, "DISK", 0.2)
    monkeypatch.setattr(growing, "DISK", 0.2)
    (tape := tmp_path / "uav1.ts").write_bytes(feed.recording(40).ts)
    disk = Hanging(monkeypatch, call)
    relay = relay_of(
        [input_of(partial(open_source, str(tape), follow=follow)), input_of(lambda: live(hang=True), "uav2")], Ear()
    )
    try:
        async with serving(relay, manager):
            await until(disk.hangs.is_set)
            await unfed(manager)
            assert [one.name for one in relay.stuck()] == ["uav1"]
            await until(lambda: "no progress: uav1" in manager.values("STATUS")[-1])
            disk.release()
            await pinged(manager)
    finally:
        disk.release()
    lines = [line for line in logged.messages if line.startswith("watchdog")]
    assert lines[0] == "watchdog not fed: source=uav1 reason='reader does not return'"
    assert [line.partition(" seconds=")[0] for line in lines[1:]] == ["watchdog fed again: source=uav1"]


async def test_every_time_limit_of_a_source_is_below_30_s(tmp_path: Path, free_port: int):
    """With the default time-out: what each kind of reader expects of its calls, as it is opened and read."""
    (tape := tmp_path / "uav1.ts").write_bytes(feed.recording(40).ts)
    (clip := tmp_path / "uav1.mp4").write_bytes(b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(1 << 16))
    rtsp, web = (f"{scheme}://127.0.0.1:{free_port}/live" for scheme in ("rtsp", "http"))
    taped: list[dict[str, Any]] = [{}, {"follow": True}, {"demux": "libav"}]
    for url, more in [*((tape, more) for more in taped), (clip, {}), (rtsp, {}), (web, {})]:
        limits = await limits_of(str(url), more)
        assert limits, url
        assert 0 < max(limits) <= 30, (url, limits)


async def limits_of(url: str, more: dict[str, Any]) -> list[float]:
    """The time limits that the threads of a source have while it is read."""
    limits: list[float] = []
    expect = Pulse.expect

    def note(pulse: Pulse, seconds: float) -> None:
        limits.append(seconds)
        expect(pulse, seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pulse, "expect", note)
        with suppress(SourceError, TimeoutError):
            async with asyncio.timeout(1), aclosing(open_source(url, isolate=False, **more).packets()) as packets:
                async for _ in packets:
                    pass
    return limits


async def test_a_hang_that_the_relay_ends_stops_the_watchdog_only_so_long(
    manager: ServiceManager, logged: pytest.LogCaptureFixture, monkeypatch
):
    """A live source that hangs in libav is abandoned, and read in a separate process."""
    monkeypatch.setattr("klvrelay.relay.stream.Backoff.next", lambda self: 0.01)
    opened: list[str] = []
    pulses: list[Pulse] = []

    class Hangs:
        url, live, fixed, dropped = Url.parse("rtsp://cam/live"), True, True, 0
        link = LinkStats()

        async def packets(self):
            opened.append("thread")
            pulses.append(progress().pulse())
            pulses[-1].expect(LIMIT)
            yield Packet(TAPE.bare, 1, "klv")
            await asyncio.get_running_loop().create_future()

    def isolated() -> Any:
        opened.append("process")
        return live(hang=True)

    relay = relay_of([StreamInput("cam", Hangs, "rtsp://cam/live", open_isolated=isolated)], Ear())
    async with serving(relay, manager):
        await until(lambda: opened == ["thread", "process"])
        assert relay.stuck() == []
        await pinged(manager)
        assert pulses[0].due < time.monotonic()  # the thread hangs still
    times = manager.times("WATCHDOG")
    assert max(after - before for before, after in pairwise(times)) < LIMIT + 1
    assert "cam: reader hangs, source moved to a separate process" in logged.messages


async def test_a_connection_that_does_not_end_is_not_fed(manager: ServiceManager, logged: pytest.LogCaptureFixture):
    """An attempt to connect beyond its time limit; one that fails in time is progress."""
    gate = asyncio.Event()

    class Door(Ear):
        async def __aenter__(self):
            await gate.wait()
            return await super().__aenter__()

    away = Ear(door=[SinkDown("away")] * 99)
    relay = relay_of([input_of(lambda: live(hang=True))], Door(), away, patience=0.2)
    async with serving(relay, manager):
        await unfed(manager)
        gate.set()
        await pinged(manager)
    assert "watchdog not fed: sink=mqtt://0 reason='connecting does not end'" in logged.messages
    assert "mqtt://1" not in " ".join(line for line in logged.messages if line.startswith("watchdog"))


async def test_a_source_whose_task_died_is_not_fed(manager: ServiceManager, monkeypatch):
    """An internal error that nothing contained: only a new process helps."""
    relay = relay_of([input_of(lambda: live(hang=True)), input_of(lambda: live(hang=True), "uav2")], Ear())

    async def die() -> None:
        raise KeyError

    monkeypatch.setattr(relay.streams[0], "keep", die)
    async with serving(relay, manager):
        await until(relay.stuck)
        assert [(one.name, one.reason) for one in relay.stuck()] == [("uav1", "its task ended")]


def test_what_is_stuck_is_logged_once(logged: pytest.LogCaptureFixture):
    """And the watchdog is fed again as soon as it has recovered."""
    clock, parts = Clock(), list[Stuck]()
    watchdog = Watchdog(30.0, lambda: parts, clock)
    assert watchdog.is_due()
    assert not watchdog.is_due()
    clock.now += 10
    assert watchdog.is_due()
    parts.append(Stuck("source", "uav1", "reader does not return", clock.now))
    for _ in range(60):
        clock.now += 1
        assert not watchdog.is_due()
    parts.clear()
    clock.now += 1
    assert watchdog.is_due()
    assert [line.partition(" reason")[0] for line in logged.messages] == [
        "watchdog not fed: source=uav1", "watchdog fed again: source=uav1 seconds=61.0"
    ]  # fmt: skip


# ---- the status line ----


def a_stream(state: str) -> SimpleNamespace:
    return SimpleNamespace(healths=[StreamHealth(state, "udp://:1", state=state)])  # type: ignore[arg-type]


def a_sink(name: str, up: bool, waiting: int = 0) -> SimpleNamespace:
    return SimpleNamespace(health=SinkHealth(name, "up" if up else "down", sums=Sums(waiting, waiting=waiting)))


def line(streams: Sequence[str], sinks: Sequence[SimpleNamespace], fault: str | None = None) -> str:
    relay: Any = SimpleNamespace(
        streams=[a_stream(state) for state in streams], sink_tasks=sinks,
        board=SimpleNamespace(spool=SpoolHealth(fault=fault)),
    )
    return status_line(relay, ())


@each_case("streams, sinks, fault, text", [
    (["live", "live", "live", "stale"], [a_sink("mqtt://b", True)], None,
     "3 of 4 streams live, mqtt connected, 0 records wait"),
    (["down"], [a_sink("mqtts://user@b", False, 1)], None, "0 of 1 stream live, mqtts not connected, 1 record waits"),
    ([], [a_sink("/tapes", True), a_sink("-", True)], "No space left on device",
     "0 of 0 streams live, files connected, standard output connected, 0 records wait, the spool cannot write"),
    (["live"], [a_sink(f"mqtt://{n}", n > 5, 1200) for n in range(10)], None,
     "1 of 1 stream live, 4 of 10 sinks connected (not mqtt, mqtt, mqtt and 3 more), 1200 records wait"),
])  # fmt: skip
def test_the_status_is_one_line(streams, sinks, fault, text):
    """It names kinds of sinks, and no address."""
    assert line(streams, sinks, fault) == text
