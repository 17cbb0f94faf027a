"""The log on disk through any history of appends, answers, kills, losses of power and full disks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from random import Random
from typing import Any

import hypothesis.strategies as st
import pytest
from forgetful_disk import ForgetfulFolder
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from records import TIME_US, all_of, record, records_of
from virtual_time import VirtualLoop

from klvrelay import threads
from klvrelay.gap import Gap, Item, Replay
from klvrelay.record import Record
from klvrelay.spool.age import NEVER_AGED
from klvrelay.spool.disk import segments
from klvrelay.spool.disk.log import COMMIT, DiskLog
from klvrelay.spool.disk.store import Store
from klvrelay.spool.flows import PULSE

LIMIT = 6
STREAMS = "abc"
SINKS = ("mqtt", "other")

Key = tuple[str, str, int]
"""Stream, boot and seq."""


def key(record: Record) -> Key:
    return record.stream, record.boot or "", record.seq


def keys(items: Iterable[Item]) -> list[Key]:
    """Those of the records, and of the records that the gaps name."""
    return [(one.stream, one.boot or "", seq) for one in items for seq in range(one.seq, last_of(one) + 1)]


def last_of(item: Item) -> int:
    return item.last if isinstance(item, Gap) else item.seq


class Age:
    """The age limit, under control of the test."""

    before_us = NEVER_AGED

    def start(self) -> None:
        pass

    stop = start


class AtOnce(threads.Worker):
    """Runs each job when it is asked to, in this thread."""

    def _put(self, job) -> None:
        if job is not None:
            job()


class Histories(RuleBasedStateMachine):
    """One relay with two sinks, started again and again on one disk, which has room for everything."""

    disk = 1 << 20
    rate: float | None = None

    def __init__(self) -> None:
        super().__init__()
        self.loop, self.folder, self.random = VirtualLoop(), ForgetfulFolder(), Random(0)
        self.now_us, self._clock = TIME_US, segments._now_us
        segments._now_us = lambda: self.now_us
        self.boots = 0
        self.aged = False
        self.appended: set[Key] = set()
        self.owed: dict[str, set[Key]] = {name: set() for name in SINKS}
        """Durable records that were not answered, by sink."""
        self.answered: dict[str, set[Key]] = {name: set() for name in SINKS}
        self.gapped: dict[str, set[Key]] = {name: set() for name in SINKS}
        """Records that answered gaps name, by sink."""
        self.offered: dict[str, set[Key]] = {}
        """Records of this run that a sink may have delivered, answered or not."""
        self.kept: dict[str, set[Key]] = {name: set() for name in SINKS}
        """Records that are on disk, or in a gap on disk: each must be answered, or in an answered gap."""
        self.sheds = dict.fromkeys(SINKS, 0)
        self.start()

    @initialize(seed=st.integers(0, 1 << 32))
    def begin(self, seed: int) -> None:
        self.random = Random(seed)

    def start(self) -> None:
        self.boot, self.boots = str(self.boots), self.boots + 1
        self.seqs = dict.fromkeys(STREAMS, 0)
        self.unsure: set[Key] = set()  # appended, and not durable
        self.flying: dict[str, list[Sequence[Item]]] = {name: [] for name in SINKS}
        self.last: dict[str, dict[tuple[str, int], int]] = {name: {} for name in SINKS}
        self.loop.run_until_complete(self._open())

    async def _open(self) -> None:
        store = Store(self.folder, "test", self.disk)
        self.log = DiskLog(store, AtOnce("test"), limit=LIMIT)
        self.log._age = self.age = Age()  # type: ignore[assignment]
        for name in SINKS:  # what the disk holds no more was shed
            gaps = [gap for _, gap in store.gaps.get(name, ()) if gap.reason != "damaged"]
            # A record that was sent is shed all the same once it is too old.
            delivered = self.offered.get(name, set()) & (self.answered[name] if self.aged else self.appended)
            assert not set(keys(gaps)) & delivered, "in a gap, and delivered"
            self.offered[name] = set()
            self.kept[name] |= set(keys(gap for _, gap in store.gaps.get(name, ())))
            for low, high in store.saved.get(name) or [(0, store.segments.first)]:
                self.sheds[name] += max(0, min(high, store.segments.first) - low)
        self.cursors: dict[str, Any] = {name: self.log.cursor(name, replay_rate=self.rate) for name in SINKS}

    def do(self, action) -> None:
        """Run an action in the loop, and all that follows from it at once."""

        async def acted() -> None:
            action()

        self.loop.run_until_complete(acted())
        self.settle(0.0)

    def settle(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    @rule(stream=st.sampled_from(STREAMS), count=st.integers(1, 12), size=st.sampled_from((100, 1000)))
    def append(self, stream: str, count: int, size: int) -> None:
        for _ in range(count):
            if len(self.log._tail.records) == LIMIT:
                self.commit()
            self.now_us += 1
            raw = self.random.randbytes(size)
            one = record(self.seqs[stream], stream, boot=self.boot, raw=raw, received_us=self.now_us)
            self.seqs[stream] += 1
            self.appended.add(key(one))
            self.unsure.add(key(one))
            self.do(partial(self.log.append, one))
            # If memory is full, the others will not become durable.
            self.unsure &= set(map(key, self.log._tail.records.values()))

    @rule()
    def commit(self) -> None:
        """The commit interval passes."""
        self.settle(2 * COMMIT)
        if self.log.fault is None:
            for name in SINKS:
                self.owed[name] |= self.unsure - self.answered[name]
            self.unsure.clear()

    @rule(name=st.sampled_from(SINKS), most=st.integers(1, 5))
    def offer(self, name: str, most: int) -> None:
        cursor = self.cursors[name]
        if cursor.count:
            batch = self.loop.run_until_complete(cursor.batch(most))
            self.settle(0.0)
            self.flying[name].append(batch)
            self.offered[name] |= {one for one in keys(records_of(batch)) if one[1] == self.boot}
            for one in batch:
                assert set(keys([one])) <= self.appended
                boot, last = int(one.boot or 0), self.last[name]
                flow = f"{one.stream} {isinstance(batch, Replay)}"
                # A record that was too old is still on disk: the next run loads it again, and its gap.
                if not (self.aged and isinstance(one, Gap) and boot != int(self.boot)):
                    assert one.seq > last.get((flow, boot), -1), "out of order or twice"
                    last[flow, boot] = last_of(one)
                if isinstance(one, Record):  # a gap of an earlier run may follow after a loss of power
                    assert boot >= last.get((flow, -1), -1), "a record of an earlier run"
                    last[flow, -1] = boot
                self.check_gap(name, one)

    @rule(name=st.sampled_from(SINKS), whole=st.booleans())
    def answer(self, name: str, whole: bool) -> None:
        if not self.flying[name]:
            return
        batch = self.flying[name][0]
        count = len(batch) if whole else self.random.randrange(len(batch) + 1)
        self.do(lambda: self.cursors[name].commit(batch, all_of(batch[:count])))
        records = set(keys(records_of(batch[:count])))
        gapped = set(keys(batch[:count])) - records
        assert not records & {one for one in self.gapped[name] if one[1] == self.boot}, "both in a gap and delivered"
        self.answered[name] |= records
        self.owed[name] -= records
        self.gapped[name] |= gapped
        if count == len(batch):
            self.flying[name].pop(0)
        else:
            self.rewind(name)

    @rule(name=st.sampled_from(SINKS))
    def rewind(self, name: str) -> None:
        """The connection is lost, and there is another."""
        self.do(self.cursors[name].rewind)
        self.do(self.cursors[name].begin_connection)
        self.flying[name].clear()
        self.last[name].clear()

    @rule()
    def kill(self) -> None:
        for name, cursor in self.cursors.items():
            self.sheds[name] += cursor.sums().shed
            if cursor.has_new_gaps:  # not stored yet
                self.kept[name].clear()
        for timer in self.loop._scheduled:
            timer.cancel()
        self.start()

    @rule()
    def lose_power(self) -> None:
        self.folder.lose_power(self.random)
        self.kill()

    @rule()
    def stop(self) -> None:
        """A clean stop: everything becomes durable."""
        if self.folder.size == 1 << 40 and not self.folder.failing:
            self.loop.run_until_complete(self.log.close())
            for name in SINKS:
                self.owed[name] |= self.unsure - self.answered[name]
                self.kept[name] |= self.of_this_run() - self.answered[name] - self.gapped[name]
            self.kill()

    def of_this_run(self) -> set[Key]:
        return {(stream, self.boot, seq) for stream, count in self.seqs.items() for seq in range(count)}

    def check_gap(self, name: str, one: Item) -> None:
        """Nothing that is durable is lost: only a loss of power may leave a hole between records."""
        if isinstance(one, Gap):
            assert one.reason == "damaged"
            assert not set(keys([one])) & self.owed[name]

    @invariant()
    def sums_add_up(self) -> None:
        for cursor in self.cursors.values():
            numbered, *parts = cursor.sums()
            assert numbered == sum(parts), cursor.sums()
            assert min(parts) >= 0, cursor.sums()

    def teardown(self) -> None:
        """What is owed and was not shed is delivered in the end."""
        try:
            self.settle(10.0)
            for name, cursor in self.cursors.items():
                self.drain(name, cursor)
        finally:
            self.loop.close()
            segments._now_us = self._clock

    def drain(self, name: str, cursor: Any) -> None:
        self.rewind(name)
        cursor._is_draining = True
        for _ in range(1000):
            if cursor._empty.is_set():
                break
            self.offer(name, 100)
            while self.flying[name]:
                self.answer(name, True)
            self.settle(1.0)
        assert len(self.owed[name] - self.gapped[name]) <= self.durable_sheds(name)
        assert (cursor.waiting, cursor.count, cursor._empty.is_set()) == (0, 0, True), "never offered"
        there = self.answered[name] | self.gapped[name]
        assert self.of_this_run() <= there, "neither delivered nor in a gap"
        assert self.kept[name] <= there, "neither delivered nor in a gap after a restart"

    def durable_sheds(self, name: str) -> int:
        """How many durable records the disk had no room for."""
        return 0


class Cramped(Histories):
    """The disk is small, and others fill it up and fail it now and then: the oldest records are shed."""

    disk = 128 << 10

    @rule(stream=st.sampled_from(STREAMS), count=st.integers(1, 12))
    def append_large(self, stream: str, count: int) -> None:
        self.append(stream, count, 9000)

    @rule(count=st.integers(0, 30))
    def pass_time(self, count: int) -> None:
        """All that is older than the last `count` records is too old."""
        self.age.before_us = self.now_us - count
        self.aged = True
        self.do(lambda: self.log._shed_aged(self.age.before_us))

    @rule(room=st.integers(0, 1 << 14))
    def fill_up(self, room: int) -> None:
        self.folder.size = self.folder.used + room

    @rule()
    def make_room(self) -> None:
        self.folder.size = 1 << 40

    @rule(failing=st.booleans())
    def fail(self, failing: bool) -> None:
        self.folder.failing = failing
        for kept in self.kept.values():  # a segment that cannot be read is passed over
            kept.clear()

    def check_gap(self, name: str, one: Item) -> None:
        """Records are shed."""

    @rule()
    def kill(self) -> None:
        self.folder.failing = False
        super().kill()

    def durable_sheds(self, name: str) -> int:
        return self.sheds[name] + self.cursors[name].sums().shed

    def teardown(self) -> None:
        self.folder.failing = False
        self.make_room()
        super().teardown()


class LiveFirst(Histories):
    """Live records come at once, and the backlog of each connection beside them: in order within both."""

    rate = 1000.0

    @rule()
    def replay(self) -> None:
        """The next part of the backlog is due."""
        self.settle(PULSE)


class CrampedLiveFirst(Cramped):
    """As with live-first, on a small disk."""

    rate = 1000.0


@pytest.mark.parametrize("count", [25, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
@pytest.mark.parametrize(
    "machine", [Histories, Cramped, LiveFirst, CrampedLiveFirst], ids=["roomy", "cramped", "live-first", "cramped-live"]
)
def test_whatever_happens_what_is_owed_is_delivered_in_order(machine: type[Histories], count: int) -> None:
    """Through kills, losses of power, full and failing disks; and each record is accounted for."""
    run_state_machine_as_test(machine, settings=settings(max_examples=count, stateful_step_count=50, deadline=None))
