"""A relay stops within five seconds, whatever hangs; a running one spreads its work."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from itertools import islice
from typing import Any

import pytest
from brokers import until
from scripted_ends import TAPE, Ear, Tape, live

from klvrelay.backoff import Backoff
from klvrelay.config.url import Url
from klvrelay.errors import SinkDown
from klvrelay.outcome import Outcome
from klvrelay.record import Packet, Record
from klvrelay.relay import opening as opening_module
from klvrelay.relay import relay as relay_module
from klvrelay.relay import tasks as tasks_module
from klvrelay.relay import tick as tick_module
from klvrelay.relay.notices import NoticeCursor
from klvrelay.relay.relay import Relay
from klvrelay.relay.sink_task import SinkTask
from klvrelay.relay.stream_input import StreamInput
from klvrelay.relay.supervise import Standing, supervise
from klvrelay.relay.turns import turns

BRIEF = {"LAST_SOURCES": 0.2, "LAST_DELIVERY": 0.3, "LAST_SINKS": 0.2}


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each second takes a tenth."""
    for name, seconds in BRIEF.items():
        monkeypatch.setattr(relay_module, name, seconds)
    monkeypatch.setattr(tasks_module, "LAST_TASKS", 0.05)
    monkeypatch.setattr(opening_module, "LAST_CLOSING", 0.15)


def relay(source: Any, ear: Ear) -> Relay:
    return Relay([StreamInput("uav1", lambda: source, "udp://127.0.0.1:5000")], [("ear", ear)], boot="b")


async def seconds_to_stop(it: Relay, once: Callable[[], object]) -> float:
    task = asyncio.create_task(it.run())
    await until(once)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    task.cancel()
    _, left = await asyncio.wait({task}, timeout=5)
    assert not left, "it does not stop"
    assert task.cancelled()
    return loop.time() - begun


async def test_a_sink_that_confirms_nothing_does_not_delay_a_stop(brief: None):
    """It gets its final time, and no more."""
    ear = Ear()
    ear.gate.clear()
    it = relay(live(*TAPE.klv, hang=True), ear)
    took = await seconds_to_stop(it, lambda: it.streams[0].health.records == 40 and it.sink_tasks[0].health.up)
    assert BRIEF["LAST_DELIVERY"] <= took < 1
    assert ear.left == 1


async def test_a_connection_that_fails_at_the_moment_of_a_stop_is_closed_in_order(
    brief: None, monkeypatch: pytest.MonkeyPatch
):
    """The last counts are put, then the sink closes: the fault does not replace the stop."""
    events: list[str] = []

    class Lost(Ear):
        async def keep(self, notices: NoticeCursor) -> None:
            try:
                await super().keep(notices)
            except asyncio.CancelledError as stop:
                events.append("lost")
                raise SinkDown("ear: the connection was lost") from stop

        async def __aexit__(self, *_: object) -> None:
            await asyncio.sleep(0)
            events.append("closed")

    put = SinkTask.put_sums
    monkeypatch.setattr(SinkTask, "put_sums", lambda task: (events.append("counts"), put(task)))
    it = relay(live(*TAPE.klv, hang=True), Lost())
    await seconds_to_stop(it, lambda: it.streams[0].health.records == 40 and it.sink_tasks[0].health.up)
    assert events[-3:] == ["lost", "counts", "closed"]


async def steps(number: int) -> None:
    """Let the loop run this many times."""
    for _ in range(number):
        await asyncio.sleep(0)


async def run_until_cut_off(steps_to_stop: int, steps_to_exit: int) -> None:
    """A sink fails; the relay is stopped this many steps of the loop later, and the program ends that many after this,
    without waiting.
    """
    failing = asyncio.Event()

    class Failing(Ear):
        async def deliver(self, batch: Sequence[Record]) -> Outcome:
            await failing.wait()
            raise SinkDown("ear: the connection was lost")

        async def keep(self, notices: NoticeCursor) -> None:
            await failing.wait()
            raise SinkDown("ear: the connection was lost")

    it = relay(live(*TAPE.klv, hang=True), Failing())
    running = asyncio.create_task(it.run())
    await until(lambda: it.sink_tasks[0].cursor.sums().waiting == 40 and it.sink_tasks[0].health.up)
    failing.set()
    await steps(steps_to_stop)
    running.cancel()
    await steps(steps_to_exit)


@pytest.mark.parametrize("to_stop", range(6))
def test_a_sink_that_fails_while_the_program_ends_shows_no_traceback(to_stop: int, caplog: pytest.LogCaptureFixture):
    """asyncio logs each task that raises while the loop closes."""
    for to_exit in range(8):
        asyncio.run(run_until_cut_off(to_stop, to_exit))
    gc.collect()  # asyncio also logs a fault that nothing has retrieved
    assert [line.message for line in caplog.records if line.name == "asyncio"] == []


async def wait() -> None:
    await asyncio.Event().wait()


async def attempt() -> None:
    await supervise(
        lambda up: wait(), name="x", backoff=Backoff(), standing=lambda: Standing.LASTING, down=lambda fault: None
    )


async def begin(work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
    """Returns at once: the loop closes when the work has begun, and a task that it started has not."""
    return asyncio.create_task(work())


@pytest.mark.parametrize("work", [attempt, lambda: tasks_module.wait_all([wait], [])], ids=["attempt", "wait"])
def test_a_program_that_ends_before_a_task_begins_shows_no_warning(work, recwarn: pytest.WarningsRecorder):
    """Python would warn of a coroutine that was never awaited."""
    asyncio.run(begin(work))
    gc.collect()
    assert [str(warning.message) for warning in recwarn] == []


async def test_a_sink_that_hangs_at_its_exit_does_not_delay_a_stop(brief: None, said: Callable[[], list[str]]):
    """It is cancelled once more, then abandoned."""
    over = asyncio.Event()

    class Clinging(Ear):
        async def __aexit__(self, *_: object) -> None:
            while not over.is_set():
                try:
                    await over.wait()
                except asyncio.CancelledError:
                    continue

    ear = Clinging()
    it = relay(live(*TAPE.klv, hang=True), ear)
    try:
        assert await seconds_to_stop(it, lambda: len(ear.records) == 40) < 1
    finally:
        over.set()
    assert sum("abandoned" in line for line in said()) == 1


async def test_a_source_that_hangs_at_its_end_does_not_delay_a_stop(brief: None, said: Callable[[], list[str]]):
    """It is abandoned, and its earlier records are delivered."""
    over = asyncio.Event()

    class Stuck(Tape):
        async def packets(self) -> AsyncGenerator[Packet, None]:
            try:
                for data in TAPE.klv:
                    yield Packet(data, 1, "klv")
                await asyncio.get_running_loop().create_future()
            finally:
                await over.wait()

    ear = Ear()
    it = relay(Stuck(live=True, url=Url.parse("udp://127.0.0.1:5000")), ear)
    try:
        assert await seconds_to_stop(it, lambda: it.streams[0].health.records == 40) < 1
    finally:
        over.set()
    assert ear.seqs() == list(range(40))
    assert ear.availability()[-1] == b"offline"
    assert sum("abandoned" in line for line in said()) == 1


async def test_a_stop_in_the_middle_of_a_packet_publishes_no_damaged_record(brief: None):
    """The unfinished packet is dropped; those before it are delivered."""
    ear = Ear()
    it = relay(live(*TAPE.klv, TAPE.klv[0][:30], hang=True), ear)
    await seconds_to_stop(it, lambda: it.streams[0].health.records == 40)
    assert ear.seqs() == list(range(40))
    assert all(record.good for record in ear.records)
    assert it.summary().startswith("40 records, 0 bad or damaged")


async def test_a_source_that_is_reopened_in_the_middle_of_a_packet_gives_a_damaged_record(brief: None):
    """Bytes are lost between the two openings."""
    ear = Ear()
    source = live(*TAPE.klv, TAPE.klv[0][:30], hang=True)
    it = relay(source, ear)
    task = asyncio.create_task(it.run())
    stream = it.streams[0]
    await until(lambda: stream.health.records == 40)
    assert stream._opening is not None
    stream._opening.reopen("test")
    await until(lambda: len(ear.records) == 41)
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert [record.seq for record in ear.records if not record.good] == [40]


def test_all_that_a_stop_waits_for_is_less_than_five_seconds():
    """In sequence, in the worst case; a source is closed before its stream is abandoned."""
    whole = relay_module.LAST_DELIVERY + relay_module.LAST_SINKS + 2 * tasks_module.LAST_TASKS
    assert opening_module.LAST_CLOSING < relay_module.LAST_SOURCES < relay_module.LAST_DELIVERY < whole <= 4.6


@pytest.mark.parametrize(("count", "slots"), [(1, 1), (7, 1), (16, 2), (100, 5), (103, 5)])
def test_the_checks_of_many_streams_and_their_states_are_spread_evenly(count: int, slots: int):
    """Each stream is checked once a tick, its state is due once in four; no moment has much more than its share."""
    seen = list(islice(turns(count, slots, 4), 4 * slots))
    looks = Counter(number for turn in seen for number, _ in turn)
    states = Counter(number for turn in seen for number, is_due in turn if is_due)
    assert looks == dict.fromkeys(range(count), 4)
    assert states == dict.fromkeys(range(count), 1)
    for share, sizes in (
        (count / slots, [len(turn) for turn in seen]),
        (count / slots / 4, [sum(is_due for _, is_due in turn) for turn in seen]),
    ):
        assert max(sizes) <= share + 1


async def test_a_hundred_streams_do_not_publish_their_states_at_once(monkeypatch: pytest.MonkeyPatch):
    """In any one turn of the tick at most a tenth of them; each of them within about a second."""
    monkeypatch.setattr(tick_module, "TICK", 0.05)
    feeds = [StreamInput(f"uav{n}", lambda: live(*TAPE.klv[:1], hang=True), "udp://127.0.0.1:5000") for n in range(100)]
    ear = Ear()
    it = Relay(feeds, [("ear", ear)], boot="b")  # type: ignore[list-item,arg-type]
    made: list[list[str]] = []
    sleep = asyncio.sleep

    async def counting(seconds: float) -> None:
        if seconds == 0.05 / tick_module.SLOTS:
            made.append([])
        await sleep(seconds)

    for stream in it.streams:
        tell = stream.publish_state

        def counted_state(name: str = stream.name, tell: Callable[[], None] = tell) -> None:
            if made:
                made[-1].append(name)
            tell()

        monkeypatch.setattr(stream, "publish_state", counted_state)
    monkeypatch.setattr(tick_module.asyncio, "sleep", counting)
    task = asyncio.create_task(it.run())
    await until(lambda: len(made) > 45)
    turns_seen = [list(turn) for turn in made[1:41]]
    task.cancel()
    await asyncio.wait({task})
    assert max(map(len, turns_seen)) <= 10
    assert Counter(name for turn in turns_seen for name in turn) == {f"uav{n}": 2 for n in range(100)}


async def test_a_goodbye_that_hangs_is_broken_off(brief: None, said: Callable[[], list[str]]):
    """The second cancellation ends it: the connection is closed, and nothing is left behind."""

    class Slow(Ear):
        async def __aexit__(self, *_: object) -> None:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self.left += 1

    ear = Slow()
    it = relay(live(hang=True), ear)
    took = await seconds_to_stop(it, lambda: it.streams[0].health.records == 40 and it.sink_tasks[0].health.up)
    assert ear.left == 1
    assert not any("abandoned" in line for line in said())
    assert took < 1
