"""The ledger in SQLite: what it keeps, its limits, and files and disks that fail."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest
from brokers import until
from cases import each_case
from incident_clock import NOON, Machine

from klvrelay.errors import ConfigError
from klvrelay.incidents import database
from klvrelay.incidents.figures import Period
from klvrelay.incidents.incident import NOTE_MOST, Incident, acknowledged, new_id
from klvrelay.incidents.ledger import PENDING_MOST, Ledger
from klvrelay.incidents.ledger_file import LedgerFile
from klvrelay.incidents.opening import NAME, VERSION, connect
from klvrelay.incidents.query import Query
from klvrelay.incidents.reading import StoredLedger
from klvrelay.incidents.rows import CREATE, RelayRun

YEAR, SIZE = 365 * 86400.0, 64 << 20
DAY = 86_400_000_000


def incident(at: float = 0.0, seconds: float | None = 1.0, **other: object) -> Incident:
    """One that begins `at` seconds after noon."""
    us = NOON + round(at * 1e6)
    one = Incident(new_id(), "stream", "uav1", "source", us, us, 0.0, "nothing received for 5 s", "run1")
    if seconds is not None:
        one = replace(one, restored_us=us + round(seconds * 1e6), duration=seconds, end="restored", lost=3)
    return replace(one, **other)  # type: ignore[arg-type]


def opened(path: Path | None, machine: Machine | None = None, **limits: float) -> Ledger:
    clock = (machine or Machine()).clock()
    return Ledger(path, limits.get("age", YEAR), round(limits.get("size", SIZE)), "run1", clock)


@asynccontextmanager
async def running(ledger: Ledger) -> AsyncIterator[Ledger]:
    task = asyncio.create_task(ledger.run())
    try:
        yield ledger
    finally:
        task.cancel()
        await asyncio.wait({task})
        await ledger.close("stopped", 5)


@pytest.fixture(params=["file", "memory"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / NAME if request.param == "file" else None


async def test_what_is_saved_is_found(path: Path | None):
    """In a file and in memory alike, the latest first, by all conditions."""
    old, new = incident(1), incident(5, None, name="uav2", cause="network")
    async with running(opened(path)) as ledger:
        ledger.save(old)
        ledger.save(new)
        await until(lambda: not ledger.waiting)
        assert await ledger.select(Query()) == [new, old]
        assert await ledger.select(Query(stream="uav1")) == [old]
        assert await ledger.select(Query(cause="network")) == [new]
        assert await ledger.select(Query(open=True)) == [new]
        assert await ledger.select(Query(open=False)) == [old]
        assert await ledger.select(Query(since_us=NOON + 3_000_000)) == [new]
        assert await ledger.select(Query(before_us=NOON + 3_000_000)) == [old]
        assert await ledger.select(Query(limit=1)) == [new]
        assert await ledger.select(Query(stream="uav1", subject="sink")) == []


async def test_an_acknowledgement_stays_when_the_incident_changes(path: Path | None):
    """Whoever acknowledges it while it is open: its end does not overwrite that."""
    one = incident(1, None)
    async with running(opened(path)) as ledger:
        ledger.save(one)
        found = await ledger.acknowledge(one.id[:5], "operator", "on it")
        assert (found.acknowledged_by, found.note) == ("operator", "on it")
        ledger.save(replace(one, restored_us=NOON, duration=2.0, end="restored"))
        await until(lambda: not ledger.waiting)
        (now,) = await ledger.select(Query())
        assert (now.acknowledged_by, now.note, now.duration) == ("operator", "on it", 2.0)


async def test_an_earlier_acknowledgement_keeps_its_name(path: Path | None):
    """A second one replaces it, and what the first one said stays under the first name."""
    machine, one = Machine(), incident(1)
    async with running(opened(path, machine)) as ledger:
        ledger.save(one)
        await ledger.acknowledge(one.id, "A", "antenna exchanged")
        assert (await ledger.acknowledge(one.id, "A", None)).note == "antenna exchanged"
        found = await ledger.acknowledge(one.id, "B", None)
        assert (found.acknowledged_by, found.note) == ("B", "earlier: A, 2026-12-01T12:00:00.000Z: antenna exchanged")
        found = await ledger.acknowledge(one.id, "C", "x" * NOTE_MOST)
        assert len(found.note or "") == NOTE_MOST


def test_an_acknowledgement_without_a_note_is_kept_too():
    """Who and when, and after it what was noted before."""
    one = acknowledged(acknowledged(incident(1), "A", NOON, None), "B", NOON, "repaired")
    assert one.note == "repaired\nearlier: A, 2026-12-01T12:00:00.000Z"


async def test_an_id_must_be_known_and_clear(path: Path | None):
    """A wrong or an ambiguous one is refused, and changes nothing."""
    async with running(opened(path)) as ledger:
        ledger.save(replace(incident(), id="aa1111111111"))
        ledger.save(replace(incident(), id="aa2222222222"))
        for id, text in (("bb", "no incident"), ("aa", "several"), ("", "no incident"), ("%", "no incident")):
            with pytest.raises(ConfigError, match=text):
                await ledger.acknowledge(id, "x", None)


async def test_the_figures_are_those_of_the_ledger(path: Path | None):
    """The time of the run is observed."""
    machine = Machine()
    async with running(opened(path, machine)) as ledger:
        machine.seconds = 1000
        ledger.save(incident(100, 50))
        report = await ledger.report(Period(NOON, NOON + 1_000_000_000), [("stream", "uav1"), ("sink", "mqtt")])
        found = {(one.name, one.cause): one for one in report.figures}
        assert (found["uav1", None].mttr, found["uav1", None].availability) == (50, 0.95)
        assert found["mqtt", None].availability == 1


async def test_a_step_of_the_wall_clock_makes_no_observed_time(tmp_path: Path):
    """The relay ran for 1000 s by two wall clocks, a day apart: also for a reader, and when the run has ended."""
    machine = Machine()
    period = Period(NOON - 10 * DAY, NOON + 10 * DAY)
    async with running(opened(tmp_path / NAME, machine)) as ledger:
        machine.seconds = 400
        ledger.save(incident(100, 50))
        for step in (86400, -2 * 86400):
            machine.step(step)
            ledger.check_clock()
            machine.seconds += 300
        report = await ledger.report(period, [("stream", "uav1")])
        assert (report.figures[0].observed, report.figures[0].availability) == (1000, 0.95)
    (figures, *_) = StoredLedger(tmp_path).figures(period)["figures"]
    assert (figures["observed_s"], figures["availability"]) == (1000, 0.95)


async def test_a_reader_reads_while_the_relay_writes(tmp_path: Path):
    """And acknowledges, and reads after the relay has ended."""
    one = incident(1, None)
    stored = StoredLedger(tmp_path)
    async with running(opened(tmp_path / NAME)) as ledger:
        ledger.save(one)
        await until(lambda: not ledger.waiting)
        assert [each["id"] for each in stored.list(Query())] == [one.id]
        assert stored.acknowledge(one.id[:6], "operator", "seen")["note"] == "seen"
        ledger.save(replace(one, message="changed"))
        await until(lambda: not ledger.waiting)
    (found,) = stored.list(Query())
    assert (found["message"], found["acknowledged_by"]) == ("changed", "operator")
    assert not (tmp_path / f"{NAME}-wal").exists()
    assert {path.name for path in tmp_path.iterdir()} == {NAME}, "reading made no file"


@each_case("state", ["missing", "empty"])
def test_a_directory_without_a_ledger_is_an_error_with_advice(tmp_path: Path, state: str):
    """It is not made by reading."""
    folder = tmp_path / state
    if state == "empty":
        folder.mkdir(exist_ok=True)
    with pytest.raises(ConfigError, match="no ledger of incidents; give the directory"):
        StoredLedger(folder).list(Query())


async def test_a_ledger_that_cannot_be_written_keeps_incidents_in_memory(tmp_path: Path, said: Callable[[], list[str]]):
    """They are found meanwhile, can be acknowledged, and are written when it works again; each is logged once."""
    path, first, second = tmp_path / NAME, incident(1), incident(2, None)
    path.mkdir()
    async with running(opened(path)) as ledger:
        ledger.save(first)
        ledger.save(second)
        await until(lambda: ledger.fault is not None)
        assert await ledger.select(Query()) == [second, first]
        assert (await ledger.acknowledge(second.id, "operator", None)).acknowledged_by == "operator"
        await asyncio.sleep(0)
        path.rmdir()
        await until(lambda: ledger.fault is None)
        found = await ledger.select(Query())
        assert [(each.id, each.acknowledged_by) for each in found] == [(second.id, "operator"), (first.id, None)]
    texts = [line for line in said() if "ledger" in line]
    assert len(texts) == 2
    assert "cannot be written" in texts[0]
    assert "written again" in texts[1]


async def test_a_locked_ledger_is_written_when_the_lock_ends(tmp_path: Path):
    """Another process holds it for a time."""
    path, one = tmp_path / NAME, incident(1)
    connect(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        async with running(opened(path)) as ledger:
            ledger.save(one)
            await until(lambda: ledger.fault is not None)
            assert await ledger.select(Query()) == [one]
            other.execute("ROLLBACK")
            await until(lambda: not ledger.waiting)
            assert await ledger.select(Query()) == [one]


async def test_a_bug_does_not_end_the_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It is a fault as that of a disk: the incidents wait, and are written once it is over."""
    real, failing = LedgerFile.write, [True]

    def write(*arguments: object) -> None:
        if failing:
            failing.clear()
            raise RuntimeError("a bug")
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(LedgerFile, "write", write)
    monkeypatch.setattr("klvrelay.incidents.ledger.RETRY_LEAST", 0.01)
    async with running(opened(tmp_path / NAME)) as ledger:
        ledger.save(one := incident())
        await until(lambda: ledger.fault is not None)
        assert "RuntimeError" in str(ledger.fault)
        await until(lambda: not ledger.waiting)
        assert await ledger.select(Query()) == [one]


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
async def test_a_directory_without_permission_keeps_incidents_in_memory(tmp_path: Path):
    """Nothing raises."""
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        async with running(opened(tmp_path / NAME)) as ledger:
            ledger.save(one := incident())
            await until(lambda: ledger.fault is not None)
            assert await ledger.select(Query()) == [one]
    finally:
        tmp_path.chmod(stat.S_IRWXU)


async def test_incidents_in_memory_are_bounded(tmp_path: Path):
    """The oldest closed ones are discarded; open ones stay."""
    (tmp_path / NAME).mkdir()
    ledger = opened(tmp_path / NAME)
    ledger.save(still := incident(0, None))
    for at in range(PENDING_MOST + 10):
        ledger.save(incident(at + 1))
    assert ledger.waiting == PENDING_MOST
    assert await ledger.select(Query(open=True)) == [still]
    await ledger.close("stopped", 1)


def test_old_incidents_are_deleted(tmp_path: Path):
    """Those that were closed longer ago than the maximum age; open ones stay."""
    machine = Machine()
    file = LedgerFile(tmp_path / NAME, 86400.0, SIZE, machine.clock())
    still, old, new = incident(0, None), incident(0, 5), incident(86390, 20)
    file.write([old, still], [RelayRun("run1", NOON, NOON)])
    machine.seconds = 86400 + 10
    file.write([new] + [replace(new, message=str(n)) for n in range(300)], [])
    assert {one.id for one in file.use(lambda c: database.select(c, Query()))} == {still.id, new.id}
    file.close()


def test_the_size_is_bounded(tmp_path: Path):
    """Flaps beyond the limit: the newest and the open incidents are kept, and the file does not grow."""
    size, path = 1 << 20, tmp_path / NAME
    file = LedgerFile(path, YEAR, size, Machine().clock())
    still = incident(-1, None)
    file.write([still], [])
    for start in range(0, 20_000, 1000):
        file.write([incident(at) for at in range(start, start + 1000)], [])
        assert path.stat().st_size <= 1.3 * size, "the last batch is written first"
        assert Path(f"{path}-wal").stat().st_size < 6 << 20
    kept = file.use(lambda connection: database.select(connection, Query(limit=10_000)))
    assert 3000 < len(kept) < 8000
    assert kept[0].since_us == NOON + 19_999_000_000
    assert kept[-1] == still
    file.close()


def test_a_thousand_flaps_are_a_thousand_rows_with_the_true_mean(tmp_path: Path):
    """Count, MTTR and size of the file."""
    file = LedgerFile(tmp_path / NAME, YEAR, SIZE, Machine().clock())
    flaps = [incident(10 * at, 1 + at % 7) for at in range(1000)]
    for one in flaps:
        file.write([replace(one, restored_us=None, duration=None, end=None)], [])
        file.write([one], [])
    file.close()
    period = Period(NOON, NOON + 10_000_000_000)
    (all_causes, _) = StoredLedger(tmp_path).figures(period)["figures"]
    assert all_causes["count"] == 1000
    assert all_causes["mttr_s"] == round(sum(1 + at % 7 for at in range(1000)) / 1000, 3)
    assert (tmp_path / NAME).stat().st_size < 600_000


async def test_a_disk_that_hangs_delays_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Saving returns at once, the end of the run waits for its time only."""
    import threading

    hangs = threading.Event()
    monkeypatch.setattr("klvrelay.incidents.ledger_file.connect", lambda _: hangs.wait(30))
    try:
        ledger = opened(tmp_path / NAME)
        task = asyncio.create_task(ledger.run())
        ledger.save(incident())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        start = asyncio.get_running_loop().time()
        await ledger.close("stopped", 0.05)
        assert asyncio.get_running_loop().time() - start < 2
    finally:
        hangs.set()


def test_the_tables_are_those_of_this_version():
    """A change of the tables needs another version."""
    import hashlib

    assert (VERSION, hashlib.sha256(CREATE.encode()).hexdigest()[:12]) == (1, "b40346e3643f")


