"""The age limit: records that wait too long are shed, oldest first, with a gap in their place."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from brokers import until
from forgetful_disk import ForgetfulFolder
from records import all_of, gaps_of, record, records_of

from klvrelay import threads
from klvrelay.gap import Item
from klvrelay.outcome import Sums
from klvrelay.record import Record
from klvrelay.spool import age as age_module
from klvrelay.spool.age import AgeLimit
from klvrelay.spool.contract import LogCursor
from klvrelay.spool.disk import segments
from klvrelay.spool.disk.cursor_file import OPEN_END
from klvrelay.spool.disk.log import DiskLog
from klvrelay.spool.disk.opening import open_log
from klvrelay.spool.disk.store import Store
from klvrelay.spool.memory import MemoryLog

HOUR = 3600.0


def aged(seq: int, hours: float, stream: str = "uav1", *, raw: bytes | None = None) -> Record:
    """A record that arrived so many hours ago."""
    return record(seq, stream, raw=raw, received_us=int((time.time() - hours * HOUR) * 1e6))


async def taken(cursor: LogCursor) -> list[Item]:
    """The next batch, which is answered."""
    batch = await asyncio.wait_for(cursor.batch(100), 5)
    cursor.commit(batch, all_of(batch))
    return list(batch)


def seqs(items: Sequence[Item]) -> list[int]:
    return [one.seq for one in records_of(items)]


@pytest.mark.parametrize("kind", ["memory", "disk"])
async def test_records_that_are_too_old_are_shed_though_none_arrives(kind: str):
    """They count as shed, and a gap takes their place; younger ones and those without a time of arrival stay."""
    worker = threads.Worker("spool of a test")
    disk = DiskLog(Store(ForgetfulFolder(), "test", 1 << 20), worker, age=2 * HOUR)
    log = MemoryLog(age=2 * HOUR) if kind == "memory" else disk
    cursor = log.cursor("mqtt")
    for seq, hours in enumerate((5, 4, 3, 1, 0)):
        log.append(aged(seq, hours))
    log.append(record(0, "file", received_us=None))
    await until(lambda: cursor.sums().shed)
    batch = await taken(cursor)
    assert gaps_of(batch) == [("uav1", 0, 2, "age")]
    assert seqs(batch) == [0, 3, 4]
    assert cursor.sums() == Sums(6, delivered=3, shed=3)
    await disk.close()


async def test_records_of_an_earlier_run_that_are_too_old_are_not_delivered(tmp_path: Path):
    """Those on disk that are too old at the start, or when they are loaded, leave a gap."""
    log = await open_log(tmp_path / "spool", "relay", 4 << 20)
    log.cursor("mqtt")
    for seq in range(50):
        log.append(aged(seq, 50 - seq))
    await log.close()

    log = await open_log(tmp_path / "spool", "relay", 4 << 20, age=10.5 * HOUR)
    cursor = log.cursor("mqtt")
    await until(lambda: cursor.sums().shed == 40)
    batch = await taken(cursor)
    assert gaps_of(batch) == [("uav1", 0, 39, "age")]
    assert seqs(batch) == list(range(40, 50))
    await log.close()


async def test_segments_whose_records_are_too_old_are_discarded(monkeypatch: pytest.MonkeyPatch):
    """The disk does not keep what will not be delivered; the time is that of the last entry of each segment."""
    store, waits = Store(ForgetfulFolder(), "test", 1 << 20), {"mqtt": [(0, OPEN_END)]}
    for hour in range(4):
        monkeypatch.setattr(segments, "_now_us", lambda hour=hour: hour + 1)
        store.commit({hour: record(hour, raw=bytes(60_000))}, waits, hurry=False)
    assert store.segments.bounds() == [(0, 1), (1, 2), (2, 3), (3, 4)]
    committed = store.commit({}, waits, hurry=False, before_us=3)
    assert [(shed.end, shed.reason) for shed in committed.sheds] == [(1, "age")]
    committed = store.commit({}, waits, hurry=False, before_us=6)
    assert [[one.record.seq for one in shed.records] for shed in committed.sheds] == [[1], [2], [3]]
    assert store.segments.bounds() == []


class SetClock:
    """The two clocks of an age limit; `step` sets the system clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monotonic, self.offset = 1000.0, 1e9
        monkeypatch.setattr(age_module.time, "monotonic", lambda: self.monotonic)
        monkeypatch.setattr(age_module.time, "time_ns", lambda: round((self.monotonic + self.offset) * 1e9))

    @property
    def now_us(self) -> int:
        return round((self.monotonic + self.offset) * 1e6)


def test_a_clock_that_is_set_forward_makes_no_waiting_record_old(monkeypatch: pytest.MonkeyPatch):
    """By ten years: what waits at that moment keeps its time, and the limit is that of the new clock afterwards."""
    clock = SetClock(monkeypatch)
    limit = AgeLimit(HOUR, lambda before_us: None)
    before = clock.now_us
    clock.monotonic += 1800
    clock.offset += 10 * 365 * 24 * HOUR
    after = clock.now_us
    assert limit.before_us < before
    clock.monotonic += 1799
    assert limit.before_us < before
    clock.monotonic += 2
    assert before < limit.before_us < after
    clock.monotonic += 1800
    assert limit.before_us < after  # since the step was noticed
    clock.monotonic += 10
    assert clock.now_us - HOUR * 1e6 == pytest.approx(limit.before_us, abs=2)


def test_a_clock_that_is_set_back_and_forth_makes_no_record_old(monkeypatch: pytest.MonkeyPatch):
    """An hour back makes records younger for that long; then forward again."""
    clock = SetClock(monkeypatch)
    limit = AgeLimit(HOUR, lambda before_us: None)
    before = clock.now_us
    for step in (-10 * HOUR, 10 * HOUR):
        clock.monotonic += 60
        clock.offset += step
        assert limit.before_us < before
