"""A kill at any moment: what the next run publishes fits what the sink has already got."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Sequence
from itertools import count, cycle
from random import Random

import pytest
import virtual_time
from forgetful_disk import ForgetfulFolder
from records import all_of, gaps_of, record, records_of
from test_spool_histories import AtOnce
from test_spool_trouble import Crash, CrashingFolder

from klvrelay.gap import Gap, Item
from klvrelay.outcome import Outcome, Unpublished
from klvrelay.record import Record
from klvrelay.spool.disk.cursor_file import OPEN_END
from klvrelay.spool.disk.flows import DiskFlows
from klvrelay.spool.disk.gap_file import SLOT, GapFile, read_gaps
from klvrelay.spool.disk.log import COMMIT, DiskLog
from klvrelay.spool.disk.missing import PlacedGap
from klvrelay.spool.disk.store import Store

LIMIT = 40
TEN_YEARS = 10 * 365 * 86_400 * 10**9


def opened(folder: ForgetfulFolder, size: int = 1 << 20) -> DiskLog:
    """The log of the next run; the one before it was killed, or closed."""
    return DiskLog(Store(folder, "test", size), AtOnce("test"), limit=LIMIT)


async def append(log: DiskLog, first: int, end: int, size: int = 3000) -> None:
    """Append records, none of which finds memory full."""
    for seq in range(first, end):
        log.append(record(seq, raw=bytes(size)))
        if seq % 10 == 9:
            await asyncio.sleep(4 * COMMIT)


async def drained(log: DiskLog) -> list[Item]:
    """All that the sink `mqtt` gets."""
    cursor, got = log.cursor("mqtt"), []
    while not cursor.is_done:
        batch = await asyncio.wait_for(cursor.batch(), 5)
        cursor.commit(batch, all_of(batch))
        got += batch
    return got


async def shed_in_flight(folder: ForgetfulFolder) -> tuple[DiskFlows, Sequence[Item]]:
    """Shed segments while the sink `mqtt` has 8 records in flight. Returns its cursor, and these records."""
    log = opened(folder)
    cursor = log.cursor("mqtt")
    await append(log, 0, 20)
    flying = await cursor.batch(8)
    await append(log, 20, 600)
    return cursor, flying


def numbers(items: Sequence[Item]) -> tuple[list[int], list[int]]:
    """Those of the records, and those that the gaps name."""
    named = [seq for _, first, last, _ in gaps_of(items) for seq in range(first, last + 1)]
    return [one.seq for one in records_of(items)], named


def test_a_gap_names_no_record_that_was_delivered_before_a_kill():
    """The spool is full: segments are shed while the sink takes records from memory, and has some in flight."""

    async def main() -> None:
        folder = ForgetfulFolder()
        cursor, flying = await shed_in_flight(folder)
        assert cursor.sums().shed > 100
        cursor.commit(flying, all_of(flying))
        more = await cursor.batch(10)
        cursor.commit(more, all_of(more))
        got = numbers([*flying, *more])[0]
        await cursor.batch(3)  # delivered, perhaps
        later, gap = numbers(await drained(opened(folder)))
        assert got[:8] == list(range(8))
        assert not set(gap) & set(got)
        assert {*got, *later, *gap} == set(range(600))

    virtual_time.run(main())


def test_records_in_flight_stay_on_disk_when_their_segment_is_shed():
    """A kill before they are answered: they are delivered again, and no gap names them."""

    async def main() -> None:
        folder = ForgetfulFolder()
        await shed_in_flight(folder)
        items = await drained(opened(folder))
        later, gap = numbers(items)
        assert later[:8] == list(range(8))
        assert not set(gap) & set(later)
        assert {*later, *gap} == set(range(600))

        files = [name for name in folder.files if name.startswith("segment")]
        assert sum(len(folder.files[name].data) for name in files) <= (1 << 20) + (2 << 16)

    virtual_time.run(main())


def test_what_was_shed_stays_shed_after_several_kills():
    """Though records before it wait: they were in flight when their segment was shed."""

    async def main() -> None:
        folder = ForgetfulFolder()
        await shed_in_flight(folder)
        for _ in range(3):
            log = opened(folder)
            cursor = log.cursor("mqtt")
            cursor.commit(first := await cursor.batch(1), all_of(first))
            await asyncio.sleep(4 * COMMIT)
            assert len(log._store.saved["mqtt"]) == 2
        items = await drained(opened(folder))
        seqs = [seq for one in items for seq in range(one.seq, (one.last if isinstance(one, Gap) else one.seq) + 1)]
        assert seqs == list(range(3, 600))

    virtual_time.run(main())


def test_gaps_of_a_backlog_come_before_those_of_the_records_after_it():
    """With live-first, both were shed before a kill: the next run publishes them in the order of their numbers."""

    async def main() -> None:
        folder = ForgetfulFolder()
        log = opened(folder)
        cursor = log.cursor("mqtt", replay_rate=1e6)
        await append(log, 0, 20)
        cursor.begin_connection()
        await append(log, 20, 600)
        assert cursor.sums().shed > 100
        items = await drained(opened(folder))
        seqs = [seq for one in items for seq in range(one.seq, (one.last if isinstance(one, Gap) else one.seq) + 1)]
        assert seqs == list(range(600))

    virtual_time.run(main())


def test_a_full_disk_has_room_for_gaps():
    """Memory overflows while nothing can be written; after a kill, no number is missing before the next record."""

    async def main() -> None:
        folder = ForgetfulFolder()
        log = opened(folder)
        log.cursor("mqtt")
        await append(log, 0, 10, size=100)
        folder.size = folder.used
        for seq in range(10, 200):
            log.append(record(seq, raw=bytes(70_000)))
        await asyncio.sleep(3)
        gap = numbers([gap for _, gap in read_gaps(folder, "mqtt")])[1]
        assert len(gap) > 100
        folder.size = 1 << 40
        await asyncio.sleep(3)  # the others are written
        later, named = numbers(await drained(opened(folder, size=1 << 26)))
        assert sorted([*later, *named]) == list(range(200))

    virtual_time.run(main())


def placed(first: int, end: int) -> list[PlacedGap]:
    """Gaps that cannot be joined."""
    return [PlacedGap(seq, Gap.of(record(seq), "memory")) for seq in range(first, end, 2)]


def test_gaps_need_no_room_until_they_are_many():
    """A larger file is made once, and the stored gaps stay if there is no room for it."""
    folder = ForgetfulFolder()
    file = GapFile(folder, "mqtt")
    few, many = placed(0, 200), placed(0, 4000)
    folder.size = folder.used
    file.save(few)
    with pytest.raises(OSError, match="No space left"):
        file.save(many)
    assert read_gaps(folder, "mqtt") == few
    folder.size = 1 << 40
    file.save(many)
    assert read_gaps(folder, "mqtt") == many
    assert folder.files["mqtt.gaps"].size() > 2 * SLOT
    GapFile(folder, "mqtt").save(few)
    assert read_gaps(folder, "mqtt") == few
    assert not [name for name in folder.files if name.endswith(".new")]


@pytest.mark.parametrize("seed", range(6))
def test_a_torn_save_of_gaps_leaves_those_before(seed: int):
    """Also in a file that was just made larger."""
    folder = ForgetfulFolder()
    file = GapFile(folder, "mqtt")
    before, after = placed(0, 2 * 10 ** (seed % 4)), placed(1, 500)
    file.save(before)
    data = folder.files["mqtt.gaps"].data
    whole = bytes(data)
    file.save(after)
    changed = [at for at in range(len(whole)) if data[at] != whole[at]]
    data[changed[len(changed) // 2] :] = whole[changed[len(changed) // 2] :]
    assert read_gaps(folder, "mqtt") == before


def test_a_crash_in_the_first_commit_skips_no_record():
    """At each change of the disk: what is found on it is delivered by the next run."""

    async def main() -> None:
        found = set()
        for crash in count():
            folder = CrashingFolder()
            store = Store(folder, "test", 1 << 20)
            folder.left = crash
            try:
                store.commit({at: record(at) for at in range(10)}, {"mqtt": [(0, OPEN_END)]}, hurry=False)
            except Crash:
                pass
            else:
                break
            folder.left = sys.maxsize
            again = opened(folder)
            there = again._store.segments.next
            found.add(there)
            assert numbers(await drained(again))[0] == list(range(there)), folder.changes[-1]
        assert found >= {0, 10}

    virtual_time.run(main())


def test_a_spool_without_any_cursor_is_delivered_to_each_sink():
    """Such as one whose disk had no room for cursors."""

    async def main() -> None:
        folder = ForgetfulFolder()
        store = Store(folder, "test", 1 << 20)
        store.commit({at: record(at) for at in range(20)}, {"mqtt": [(0, OPEN_END)]}, hurry=False)
        folder.remove("mqtt.cursor")
        assert numbers(await drained(opened(folder)))[0] == list(range(20))

    virtual_time.run(main())


def is_refused(one: Record) -> bool:
    return (7 * one.seq + ord(one.stream)) % 3 == 0


class Broker:
    """It refuses some records, and counts what it got in all runs.

    refuses  otherwise it accepts all
    """

    def __init__(self) -> None:
        self.refuses = True
        self.delivered: set[tuple[str, str | None, int]] = set()
        self.named: set[tuple[str, str | None, int]] = set()

    def answer(self, batch: Sequence[Item]) -> Outcome:
        gaps = [one for one in batch if isinstance(one, Gap)]
        records = [(at, one) for at, one in enumerate(batch) if not isinstance(one, Gap)]
        refused = [at for at, one in records if self.refuses and is_refused(one)]
        self.delivered |= {(one.stream, one.boot, one.seq) for at, one in records if at not in refused}
        self.named |= {(gap.stream, gap.boot, seq) for gap in gaps for seq in range(gap.first, gap.last + 1)}
        outcome = Outcome(delivered=len(records) - len(refused), rejected=len(refused), gaps=len(gaps))
        outcome.unpublished = [Unpublished(at, "refused") for at in refused]
        return outcome


async def flown_until_killed(
    folder: ForgetfulFolder, broker: Broker, boot: str, random: Random, *, with_gaps: bool
) -> None:
    """One run of two streams, in which batches are answered in any order, or the connection is lost.

    with_gaps  batches with gaps are answered too
    """
    log = opened(folder, 1 << 24)
    cursor, seqs, flying = log.cursor("mqtt"), Counter[str](), list[Sequence[Item]]()
    for _ in range(random.randrange(5, 50)):
        match random.choice(("append", "append", "wait", "offer", "offer", "answer", "answer", "lose")):
            case "append":
                stream = random.choice("aab")
                for _ in range(random.choice((1, 3, 15))):
                    log.append(record(seqs[stream], stream=stream, boot=boot, raw=bytes(random.choice((50, 3000)))))
                    seqs[stream] += 1
                await asyncio.sleep(4 * COMMIT)
            case "wait":
                await asyncio.sleep(random.choice((0.3, 1.2)))
            case "offer" if cursor.count:
                flying.append(await asyncio.wait_for(cursor.batch(random.choice((1, 3, 10))), 1))
            case "answer" if flying:
                batch = flying.pop(random.randrange(len(flying)))
                if with_gaps or not any(isinstance(one, Gap) for one in batch):
                    cursor.commit(batch, broker.answer(batch))
                    continue
                cursor.rewind()
                flying.clear()
            case "lose":
                cursor.rewind()
                flying.clear()
    log._closed = True  # killed: nothing is written any more
    if log._timer is not None:
        log._timer.cancel()


@pytest.mark.parametrize("stays", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_a_gap_of_refused_records_names_none_that_is_delivered_over_several_kills(seed: int, stays: bool):
    """Not before the kill, and not after it, when records are offered again and gaps are read from the disk. Also not
    if the broker accepts them then, and has not got the gaps before.
    """

    async def main() -> None:
        folder, broker, random = ForgetfulFolder(), Broker(), Random(seed)
        for run in range(random.randrange(2, 5)):
            await flown_until_killed(folder, broker, f"{run:06d}", random, with_gaps=stays)
        cursor = opened(folder, 1 << 24).cursor("mqtt")
        broker.refuses = stays
        while not cursor.is_done:
            batch = await asyncio.wait_for(cursor.batch(), 5)
            cursor.commit(batch, broker.answer(batch))
        assert broker.named & broker.delivered == set()

    virtual_time.run(main())


def test_a_stop_takes_no_longer_if_the_clock_jumps(monkeypatch: pytest.MonkeyPatch):
    """By ten years, forth and back, while the spool is closed: nothing waits for that clock, and nothing is lost."""

    async def main() -> None:
        folder = ForgetfulFolder()
        log = opened(folder)
        log.cursor("mqtt")
        await append(log, 0, 30)
        jumps, real = cycle((TEN_YEARS, -TEN_YEARS, 0)), time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: real() + next(jumps))
        monkeypatch.setattr(time, "time", lambda: time.time_ns() / 1e9)
        await asyncio.wait_for(log.close(), 1.0)
        assert numbers(await drained(opened(folder))) == (list(range(30)), [])

    virtual_time.run(main())
