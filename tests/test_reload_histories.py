"""Random histories of reloads, outages and records, held against a model of what must arrive."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

import pytest
from brokers import PATIENCE
from forgetful_disk import ForgetfulFolder
from hypothesis import given, settings
from hypothesis import strategies as st
from records import gaps_of, records_of
from reloading import Scene
from scripted_ends import TAPE, Ear, Tape

from klvrelay import threads
from klvrelay.backoff import Backoff
from klvrelay.config.url import Url
from klvrelay.errors import SinkDown
from klvrelay.outcome import Outcome
from klvrelay.record import Packet
from klvrelay.relay import sink_task as sink_task_module
from klvrelay.relay.change import difference
from klvrelay.spool.contract import Log
from klvrelay.spool.disk.log import DiskLog
from klvrelay.spool.disk.store import Store

STREAMS, SINKS = ("uav1", "uav2", "uav3"), ("a", "b", "c")
HISTORIES = 200


class Feed(Tape):
    """A live source that sends what it is given."""

    def __init__(self) -> None:
        super().__init__(live=True, url=Url.parse("udp://127.0.0.1:5000"))
        self.queue: asyncio.Queue[bytes] = asyncio.Queue()

    async def packets(self) -> AsyncGenerator[Packet, None]:
        self.opened += 1
        try:
            while True:
                yield Packet(await self.queue.get(), 1, "klv")
        finally:
            self.closed += 1


class Broker(Ear):
    """A sink that rejects each fifth record, and can be away. It keeps the gaps that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.gaps: list[tuple[str, int, int, str]] = []

    async def __aenter__(self) -> Any:
        if self.away:
            raise SinkDown("away")
        return await super().__aenter__()

    async def deliver(self, batch: Any) -> Outcome:
        if self.away:
            raise SinkDown("away")
        outcome = await super().deliver(batch)
        rejected = sum(record.seq % 5 == 4 for record in records_of(batch))
        self.gaps += gaps_of(batch)
        return Outcome(outcome.delivered - rejected, rejected, gaps=outcome.gaps)


class Step(NamedTuple):
    """Records that are sent while some sinks are away, perhaps with a limit, and then a reload.

    streams, sinks   versions by name: another version replaces the stream or sink
    """

    sent: dict[str, int]
    away: set[str]
    limit: int
    streams: dict[str, int]
    sinks: dict[str, int]


steps = st.builds(
    Step,
    st.dictionaries(st.sampled_from(STREAMS), st.integers(1, 8)),
    st.sets(st.sampled_from(SINKS)),
    st.sampled_from([10_000, 10_000, 10_000, 20, 3]),
    st.dictionaries(st.sampled_from(STREAMS), st.integers(0, 1), min_size=1),
    st.dictionaries(st.sampled_from(SINKS), st.integers(0, 1), min_size=1),
)


class Model:
    """What the relay must have: streams and sinks with their versions, and the numbers of each stream."""

    def __init__(self) -> None:
        self.streams, self.sinks = {"uav1": 0}, {"a": 0}
        self.sent: Counter[str] = Counter()  # records of each stream so far
        self.since: dict[str, Counter[str]] = {"a": Counter()}  # those before a sink was added
        self.may_shed = False


async def replay(history: list[Step], log: Log | None = None) -> None:
    model, it = Model(), Scene({"uav1": Feed()}, {"a": Broker()}, log)
    brokers: dict[str, list[Broker]] = {"a": [it.ears["a"]]}  # type: ignore[list-item]
    it.task = asyncio.create_task(it.relay.run())
    await asyncio.sleep(0)
    try:
        for step in history:
            await _take(step, model, it, brokers)
            _check(model, it)
        for broker in it.ears.values():
            broker.away = False  # type: ignore[attr-defined]
        await it.delivered()
        _check(model, it)
        for name, them in brokers.items():
            _check_arrivals(name, them, model)
    finally:
        it.task.cancel()
        await asyncio.wait({it.task}, timeout=8)
    assert it.task.cancelled()
    assert all(tape.opened == tape.closed == 1 for tape in it.tapes.values())
    assert all(each.entered == each.left for them in brokers.values() for each in them)


async def _take(step: Step, model: Model, it: Scene, brokers: dict[str, list[Broker]]) -> None:
    it.relay.set_limits(step.limit, 1 << 20, None, 0.001)
    model.may_shed |= step.limit < 10_000
    for name in model.sinks:
        it.ears[name].away = name in step.away  # type: ignore[attr-defined]
    for name in step.sent.keys() & model.streams:
        await _send(name, step.sent[name], model, it)
    await _reload(step.streams, step.sinks, model, it, brokers)


async def _send(name: str, count: int, model: Model, it: Scene) -> None:
    for _ in range(count):
        it.tapes[name].queue.put_nowait(TAPE.klv[0])
    model.sent[name] += count
    last = model.sent[name]
    async with asyncio.timeout(PATIENCE):
        while it.stream(name).decoder.streams.seqs().get(name) != last:
            await asyncio.sleep(0)


async def _reload(
    streams: dict[str, int], sinks: dict[str, int], model: Model, it: Scene, brokers: dict[str, list[Broker]]
) -> None:
    """Reload, and check that what did not change is as before."""
    new, other = difference(model.streams, streams), difference(model.sinks, sinks)
    kept = {name: it.stream(name) for name in streams if name not in new.all_new}
    kept_sinks = {name: it.sink(name) for name in sinks if name not in other.all_new}
    ears = {name: Broker() for name in other.all_new}
    for name in other.changed:
        ears[name].away = it.ears[name].away  # type: ignore[attr-defined]
    for name in other.removed:
        del model.since[name], brokers[name]
    for name in other.added:
        model.since[name], brokers[name] = model.sent.copy(), []
    for name, broker in ears.items():
        brokers[name].append(broker)
    model.streams, model.sinks = streams, sinks
    await it.change({name: Feed() for name in new.all_new}, ears, new.removed, other.removed)  # type: ignore[arg-type]
    assert all(it.stream(name) is stream and it.tapes[name].closed == 0 for name, stream in kept.items())
    assert all(it.sink(name) is sink for name, sink in kept_sinks.items())


def _check(model: Model, it: Scene) -> None:
    """Streams and sinks are those of the settings, and each number is accounted for."""
    assert {stream.name for stream in it.relay.streams} == model.streams.keys()
    assert {task.name for task in it.relay.sink_tasks} == model.sinks.keys()
    assert it.relay.summary().startswith(f"{model.sent.total()} record")
    for task in it.relay.sink_tasks:
        numbered, *parts = task.sums()
        assert numbered == sum(parts) == (model.sent - model.since[task.name]).total()
    for sums in it.relay._counts._removed.sinks.values():
        assert sums.numbered == sum(sums[1:])


def _check_arrivals(name: str, brokers: list[Broker], model: Model) -> None:
    """A sink and its successors together have each record since it was added, once and in order, or its gap."""
    for stream, end in model.sent.items():
        wanted = list(range(model.since[name][stream], end))
        seqs = [seq for broker in brokers for seq in broker.seqs(stream)]
        gaps = [gap for broker in brokers for gap in broker.gaps if gap[0] == stream]
        assert seqs == sorted(seqs)
        assert model.may_shed or not gaps
        missing = [seq for _, first, last, _ in gaps for seq in range(first, last + 1)]
        assert sorted(seqs + missing) == wanted


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink_task_module, "Backoff", lambda **_: Backoff(first=0.001, cap=0.002))
    monkeypatch.setattr("klvrelay.relay.relay.LAST_DELIVERY", 0.01)
    monkeypatch.setattr("klvrelay.relay.tick.TICK", 0.01)


@settings(max_examples=HISTORIES, deadline=None)
@given(st.lists(steps, min_size=1, max_size=6))
def test_each_record_is_accounted_for_in_any_history(history: list[Step]) -> None:
    """Whatever is added, replaced and removed, and whichever sink is away meanwhile."""
    asyncio.run(replay(history))


@settings(max_examples=HISTORIES // 4, deadline=None)
@given(st.lists(steps, min_size=1, max_size=6))
def test_each_record_is_accounted_for_with_a_spool(history: list[Step]) -> None:
    """On disk too, where cursors have files."""

    async def replay_on_disk() -> None:
        worker = threads.Worker("spool of a test")
        log = DiskLog(Store(ForgetfulFolder(), "test", 1 << 20), worker, commit=0.002)
        try:
            await replay(history, log)
        finally:
            await log.close()

    asyncio.run(replay_on_disk())
