"""The contract of all sinks, each against a real far end: outage, order, restart, long round trips, gaps, clear errors.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import far_ends
import pytest
from brokers import until
from delaying_proxy import slow_line
from far_ends import FAR_ENDS, TrialFarEnd
from records import BOOT, platform, record, spoilt

from klvrelay.config.settings import SinkSettings
from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.config.sinks.known import kind_of_url
from klvrelay.errors import SinkDown
from klvrelay.health import SinkHealth
from klvrelay.relay.build import shaper_of
from klvrelay.relay.notices import Notices
from klvrelay.relay.sink_task import SinkTask
from klvrelay.shape.output import Output
from klvrelay.sinks.open import open_sink
from klvrelay.spool.memory import MemoryLog

PATIENCE = 20.0
GAPPED = [name for name in FAR_ENDS if name != "cot"]
"""They have a place for gaps."""
CONNECTED = [name for name in FAR_ENDS if name != "udp"]
"""A sink notices that they are away."""
ANSWERING = ["mqtt", "tcp", "redis", "nats", "http"]
"""They confirm over a network."""
LIMITED = ["mqtt", "udp", "nats"]
"""The sink knows the largest record that they take."""


def only(names: Sequence[str]) -> pytest.MarkDecorator:
    """Far ends of these names only."""
    return pytest.mark.parametrize("far", sorted(names), indirect=True)


@pytest.fixture(params=sorted(FAR_ENDS))
async def far(request: pytest.FixtureRequest, tmp_path: Path, free_port: int) -> AsyncIterator[TrialFarEnd]:
    """A running far end of each kind."""
    far_end = FAR_ENDS[request.param](tmp_path, free_port)
    await far_end.start()
    yield far_end
    await far_end.close()


class Delivering:
    """A sink that delivers from a log, as in a relay."""

    def __init__(
        self, far_end: TrialFarEnd, outputs: tuple[Output, ...] = (), *, limit: int = 10_000,
        settings: FarEndSettings | None = None,
    ) -> None:  # fmt: skip
        settings = settings or far_end.settings()
        self._record = getattr(far_end, "record", record)
        self.settings = SinkSettings("trial", settings, outputs=outputs or getattr(far_end, "outputs", ()))
        self.log = MemoryLog(limit)
        self._cursor = self.log.cursor("trial")
        self.sink_task = self._make()

    def _make(self) -> SinkTask:
        sink = open_sink(self.settings, shaper_of(self.settings), BOOT)
        return SinkTask(sink, self._cursor, Notices().cursor(), SinkHealth("trial"))

    def append(self, numbers: Iterable[int], streams: Sequence[str] = ("uav1",)) -> None:
        for number in numbers:
            for stream in streams:
                self.log.append(self._record(number, stream))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Connected, until the end of the block; entered again, it continues."""
        self.sink_task = self._make()
        task = asyncio.create_task(self.sink_task.drain())
        try:
            await until(lambda: self.sink_task.health.up or task.done(), PATIENCE)
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def settled(self) -> None:
        """Everything is answered, and the sums add up."""
        await asyncio.wait_for(self.sink_task.settle(), PATIENCE)
        sums = self.sink_task.sums()
        assert sums.numbered == sum(sums) - sums.numbered
        assert sums.waiting == 0


async def until_arrived(far: TrialFarEnd, count: int) -> list[far_ends.Arrived]:
    """The records that arrived, once there are so many different ones; what is there after a while, if fewer."""
    loop = asyncio.get_running_loop()
    end = loop.time() + 5.0
    while len(set(found := await far_ends.arrived(far))) < count and loop.time() < end:
        await asyncio.sleep(0.01)
    return found


def firsts(found: Sequence[far_ends.Arrived], stream: str) -> list[int]:
    """The numbers of a stream in the order of their first arrival."""
    return list(dict.fromkeys(seq for name, boot, seq in found if (name, boot) == (stream, BOOT)))


async def test_every_record_arrives_once_and_in_order(far: TrialFarEnd):
    """Of several streams; each has the order of its numbers."""
    trial = Delivering(far)
    async with trial.running():
        trial.append(range(300), ("uav1", "uav2"))
        await trial.settled()
        found = await until_arrived(far, 600)
    assert trial.sink_task.sums().delivered == 600
    assert len(found) == len(set(found)) == 600
    assert [firsts(found, stream) for stream in ("uav1", "uav2")] == [list(range(300))] * 2


@only(CONNECTED)
async def test_an_outage_loses_nothing_that_was_not_confirmed(far: TrialFarEnd):
    """Records wait while the far end is away, and follow in order. Those in flight may arrive twice."""
    trial = Delivering(far)
    async with trial.running():
        trial.append(range(100))
        await trial.settled()
        await until_arrived(far, 100)
        await far.stop()
        await until(lambda: not trial.sink_task.health.up, PATIENCE)
        trial.append(range(100, 300))
        await far.start()
        await trial.settled()
        found = await until_arrived(far, 300)
    assert firsts(found, "uav1") == list(range(300))


@only(CONNECTED)
async def test_a_far_end_that_goes_away_under_load_gets_the_rest_later(far: TrialFarEnd):
    """Without a hole, if it keeps what it confirms; in order in any case."""
    trial = Delivering(far)
    async with trial.running():
        for part in range(30):
            trial.append(range(part * 20, part * 20 + 20))
            if part == 15:
                await far.stop()
                await far.start()
            await asyncio.sleep(0.002)
        await trial.settled()
        found = await until_arrived(far, 600)
    numbers = firsts(found, "uav1")
    assert numbers == sorted(numbers)
    assert numbers[-1] == 599
    if far.confirms:
        assert numbers == list(range(600))


async def test_a_restart_of_the_sink_continues_where_it_was(far: TrialFarEnd):
    """The log keeps its position."""
    trial = Delivering(far)
    async with trial.running():
        trial.append(range(50))
        await trial.settled()
    trial.append(range(50, 80))
    async with trial.running():
        trial.append(range(80, 100))
        await trial.settled()
        found = await until_arrived(far, 100)
    assert firsts(found, "uav1") == list(range(100))


@only(GAPPED)
async def test_what_was_shed_is_a_gap(far: TrialFarEnd):
    """The numbers of records that waited too long are named, so that a reader finds no hole."""
    trial = Delivering(far, limit=50)
    trial.append(range(80))
    async with trial.running():
        await trial.settled()
        found = await until_arrived(far, 50)
        numbers = set(firsts(found, "uav1"))
        there = {seq for first, last in await far_ends.gaps(far) for seq in range(first, last + 1)}
    assert numbers.isdisjoint(there)
    assert numbers | there == set(range(80))


async def test_a_damaged_record_spoils_only_itself(far: TrialFarEnd):
    """It is published as rejected, or counted; its neighbours are delivered."""
    trial = Delivering(far)
    async with trial.running():
        trial.append(range(7))
        trial.log.append(spoilt(7))
        trial.append(range(8, 20))
        await trial.settled()
        found = await until_arrived(far, 19)
    assert set(firsts(found, "uav1")) | {7} == set(range(20))


async def test_the_newest_record_of_an_interval_arrives(far: TrialFarEnd):
    """An output with a rate publishes what is late, also when nothing follows, and at the latest at the end."""
    trial = Delivering(far, (trial_output(far, rate=2.0),))
    async with trial.running():
        trial.append(range(30))
        await trial.settled()
    found = await until_arrived(far, 2)
    assert firsts(found, "uav1")[-1] == 29
    assert len(found) < 15


def trial_output(far: TrialFarEnd, rate: float) -> Output:
    """The first default output of its kind, with a rate."""
    return replace(SinkSettings("trial", far.settings()).published[0], rate=rate)


@only(CONNECTED)
async def test_a_far_end_that_is_not_there_is_named_with_a_remedy(far: TrialFarEnd):
    """At once or within the time limit, and a second attempt succeeds."""
    await far.stop()
    settings = SinkSettings("trial", far.settings())
    sink = open_sink(settings, shaper_of(settings), BOOT)
    with pytest.raises(SinkDown) as refused:
        await sink.__aenter__()
    assert str(refused.value).startswith(settings.url)
    assert ": " in str(refused.value).removeprefix(settings.url).strip(": ")
    await far.start()
    async with sink:
        pass


@only(ANSWERING)
async def test_a_long_round_trip_does_not_make_a_backlog(far: TrialFarEnd):
    """Many records are in flight at once, in order: 400 round trips of 0.2 s would take longer than the test waits."""
    port = int(re.search(r":(\d+)", far.url)[1])  # type: ignore[index]
    async with slow_line(port, 0.1) as near:
        settings = kind_of_url(far.url).from_url(
            far.url.replace(f":{port}", f":{near}"), {"timeout": 8.0, **({"create": True} if "nats" in far.url else {})}
        )
        trial = Delivering(far, settings=settings)
        async with trial.running():
            trial.append(range(400))
            await trial.settled()
            found = await until_arrived(far, 400)
    assert firsts(found, "uav1") == list(range(400))


@only(LIMITED)
async def test_a_record_that_is_too_large_costs_only_itself(far: TrialFarEnd):
    """It is left out and counted; its neighbours arrive, on the same connection."""
    assert far.largest is not None
    trial = Delivering(far)
    async with trial.running():
        for number in range(20):
            large = platform(number, (59, b"x" * far.largest))
            trial.log.append(record(number, raw=large) if number == 9 else record(number))
        await trial.settled()
        found = await until_arrived(far, 19)
    sums = trial.sink_task.sums()
    assert (sums.delivered, sums.left_out, trial.sink_task.health.outages) == (19, 1, 0)
    assert firsts(found, "uav1") == [number for number in range(20) if number != 9]


async def test_a_stop_during_a_delivery_leaves_the_sums_right(far: TrialFarEnd):
    """Cancelled at any moment; what was not answered waits."""
    trial = Delivering(far)
    for pause in (0.0, 0.001, 0.005, 0.02):
        async with trial.running():
            first = trial.sink_task.sums().numbered
            trial.append(range(first, first + 50))
            await asyncio.sleep(pause)
        sums = trial.sink_task.sums()
        assert sums.numbered == sum(sums) - sums.numbered
    async with trial.running():
        await trial.settled()
        found = await until_arrived(far, 200)
    assert firsts(found, "uav1") == list(range(200))
