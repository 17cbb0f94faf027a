"""A disk that is full or fails: health, status and log say so in time, and live delivery goes on."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import feed
import orjson
import pytest
import virtual_time
from brokers import Mosquitto, listening, until
from forgetful_disk import ForgetfulFolder
from records import all_of, record, records_of
from scripted_ends import Ear
from test_record_process import tiny_disk  # noqa: F401
from test_relay_process import klvrelay
from test_spool_disk import committed, opened, taken
from test_spool_histories import AtOnce

from klvrelay.gap import Gap
from klvrelay.health.spool import LOG_EVERY, SpoolHealth
from klvrelay.outcome import Sums
from klvrelay.relay.relay import Relay
from klvrelay.spool.disk.cursor_file import OPEN_END
from klvrelay.spool.disk.loading import AWAY
from klvrelay.spool.disk.log import COMMIT, DiskLog
from klvrelay.spool.disk.store import Store
from klvrelay.spool.memory import MemoryLog

ALERT = 5.0
"""Maximum seconds from a fault to its report, and from its end to the report of that."""
TAPE = feed.recording(30)


def checks_of(relay):
    return relay.observation.keep_checking()


def faults(ear: Ear) -> list[str | None]:
    """The fault in each status that was published."""
    documents = [orjson.loads(notice.document) for notice in ear.published if notice.kind == "status"]
    return [document["spool"]["fault"] for document in documents if "spool" in document]


@dataclass
class Scene:
    """A relay without sources in virtual time, whose log the test fills: one sink answers, the other does not."""

    folder: ForgetfulFolder = field(default_factory=ForgetfulFolder)
    live: Ear = field(default_factory=Ear)
    stuck: Ear = field(default_factory=Ear)
    appended: int = 0

    def __post_init__(self) -> None:
        self.log = DiskLog(Store(self.folder, "test", 1 << 20), AtOnce("test"), limit=500)
        self.stuck.gate.clear()
        sinks: list[Any] = [("live", self.live), ("stuck", self.stuck)]
        self.relay = Relay([], sinks, boot="5f2c9a", log=self.log)

    async def live_for(self, seconds: float, rate: int = 30) -> None:
        for _ in range(int(seconds * rate)):
            self.log.append(record(self.appended, raw=bytes(3000)))
            self.appended += 1
            await asyncio.sleep(1 / rate)

    def end_fault(self) -> None:
        self.folder.size, self.folder.failing = 1 << 40, False


@contextlib.asynccontextmanager
async def running(scene: Scene) -> AsyncIterator[None]:
    """The relay runs; without sources it would end at once."""
    tasks = [asyncio.create_task(task.drain()) for task in scene.relay.sink_tasks]
    tasks.append(asyncio.create_task(checks_of(scene.relay)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        scene.end_fault()
        await scene.log.close()


def full(folder: ForgetfulFolder) -> None:
    folder.size = folder.used + 100


def failing(folder: ForgetfulFolder) -> None:
    folder.failing = True


@pytest.mark.parametrize(
    ("fail", "error"), [(full, "No space left on device"), (failing, "Input/output error")], ids=["full", "failing"]
)
def test_a_fault_of_the_disk_is_in_the_status_until_it_ends(fail: Any, error: str, caplog: pytest.LogCaptureFixture):
    """Within five seconds both times, logged once each, and the sink that answers gets every record meanwhile."""

    async def played(scene: Scene) -> None:
        async with running(scene):
            await scene.live_for(1)
            assert faults(scene.live) == [None]
            fail(scene.folder)
            await scene.live_for(ALERT)
            assert faults(scene.live)[-1] == faults(scene.stuck)[-1] == error
            assert scene.relay.board.spool.fault == error
            await scene.live_for(30)
            assert len(scene.live.records) >= scene.appended - 2
            scene.end_fault()
            await scene.live_for(ALERT)
            assert faults(scene.live)[-1] is None
            assert scene.relay.board.spool.fault is None

    caplog.set_level("INFO", "klvrelay.health")
    scenes: list[Scene] = []

    async def main() -> None:
        scenes.append(Scene())
        await played(scenes[0])

    virtual_time.run(main())
    assert [fault for fault, _ in groupby(faults(scenes[0].live))] == [None, error, None]
    lines = [line.message for line in caplog.records if "spool: " in line.message]
    assert [line.partition(":")[2].partition(":")[0] for line in lines] == [
        " cannot write, records wait in memory",
        " writing again",
    ], lines


def test_a_fault_ends_with_the_disks_though_no_record_waits(caplog: pytest.LogCaptureFixture):
    """The log writes something to see whether the disk works again; a full one stays a fault until then."""

    async def main() -> None:
        scene = Scene()
        async with running(scene):
            await scene.live_for(1)
            failing(scene.folder)
            await scene.live_for(2)
            scene.stuck.gate.set()
            await asyncio.sleep(10)
            assert scene.log.pending == 0
            assert scene.relay.board.spool.fault == "Input/output error"
            scene.end_fault()
            await asyncio.sleep(ALERT)
            assert scene.relay.board.spool.fault is None

    virtual_time.run(main())


async def test_records_that_are_durable_are_kept_at_a_stop_though_the_disk_is_full():
    """There was room for them in the segment: only further ones would find none."""
    folder = ForgetfulFolder()
    log = DiskLog(Store(folder, "test", 1 << 20), AtOnce("test"), commit=0.001)
    cursor = log.cursor("mqtt")
    log.append(record(0))
    await until(lambda: not log.pending)
    folder.size = folder.used
    log.fault = OSError(28, "No space left on device")
    log.append(record(1))
    await until(lambda: not log.pending)
    assert log.condition.fault == "No space left on device"
    await log.close()
    assert cursor.sums().waiting == 2
    assert log.keeps


async def test_a_relay_starts_with_its_backlog_though_the_disk_is_full():
    """It reads what is there, and delivers it; a new sink has a cursor in memory until there is room."""
    folder = ForgetfulFolder()
    store = Store(folder, "test", 1 << 20)
    store.commit({at: record(at) for at in range(20)}, {"mqtt": [(0, OPEN_END)]}, hurry=False)
    folder.size = folder.used
    log = DiskLog(Store(folder, "test", 1 << 20), AtOnce("test"), commit=0.001)
    old, new = log.cursor("mqtt"), log.cursor("new")
    log.append(record(20))
    assert await taken(old, 21) == list(range(21))
    assert await taken(new, 1) == [20]
    await log.close()


def test_a_disk_that_fails_for_a_while_costs_none_of_the_backlog():
    """Such as one that is disconnected: reading it waits, and the status says so."""

    async def main() -> None:
        folder = ForgetfulFolder()
        store = Store(folder, "test", 1 << 20)
        store.commit({at: record(at) for at in range(100)}, {"mqtt": [(0, OPEN_END)]}, hurry=False)
        log = DiskLog(Store(folder, "test", 1 << 20), AtOnce("test"))
        folder.failing = True
        cursor = log.cursor("mqtt")
        await asyncio.sleep(ALERT)
        assert log.condition.fault == "Input/output error"
        await asyncio.sleep(60)
        folder.failing = False
        assert await taken(cursor, 100) == list(range(100))
        assert log.condition.fault is None
        assert cursor.sums() == Sums(100, delivered=100)
        assert log.condition.unreadable == 0
        await log.close()

    virtual_time.run(main())


@pytest.mark.parametrize("rate", [None, 1e6], ids=["strict", "live-first"])
def test_a_disk_that_is_away_holds_back_no_live_record(rate: float | None):
    """Such as one that was unmounted: the fault is reported, memory takes over, and the backlog comes afterwards."""

    async def main() -> None:
        folder = ForgetfulFolder()
        store = Store(folder, "test", 1 << 20)
        store.commit({at: record(at) for at in range(100)}, {"mqtt": [(0, OPEN_END)]}, hurry=False)
        log = DiskLog(Store(folder, "test", 1 << 20), AtOnce("test"), limit=60)
        folder.failing = True
        cursor = log.cursor("mqtt", replay_rate=rate)
        cursor.begin_connection()
        log.append(record(100))
        await asyncio.sleep(2 * AWAY)
        assert log.condition.fault == "Input/output error"
        got: list[int] = []
        for seq in range(101, 400):
            log.append(record(seq))
            got += await taken(cursor, 1)
            assert got[-1] == seq
            await asyncio.sleep(0.05)
        folder.failing = False
        backlog = await taken(cursor, 400 - len(got))
        assert backlog == sorted(backlog)
        assert {*got, *backlog} == set(range(400))
        await asyncio.sleep(ALERT)
        assert log.condition.fault is None
        assert cursor.sums() == Sums(400, delivered=400)
        await log.close()

    virtual_time.run(main())


@pytest.mark.parametrize("rate", [None, 1e6], ids=["strict", "live-first"])
def test_records_in_flight_are_answered_though_the_disk_is_away_by_then(rate: float | None):
    """Their records belong to the backlog meanwhile."""

    async def main() -> None:
        folder = ForgetfulFolder()
        log = DiskLog(Store(folder, "test", 1 << 20), AtOnce("test"), limit=20)
        cursor = log.cursor("mqtt", replay_rate=rate)
        cursor.begin_connection()
        for seq in range(100):
            log.append(record(seq))
            await asyncio.sleep(0.1)
        folder.failing = True
        batch = await cursor.batch(2)
        log.append(record(100))
        await asyncio.sleep(3 * AWAY)
        log.append(record(101))
        cursor.commit(batch, all_of(batch))
        folder.failing = False
        got = await taken(cursor, 100)
        assert {*got, *(one.seq for one in batch)} == set(range(102))
        assert cursor.sums() == Sums(102, delivered=102)
        await log.close()

    virtual_time.run(main())


def test_a_stream_that_is_behind_is_delivered_from_memory_while_the_disk_fails():
    """More records than the window holds, and more than memory does: what is left comes in order, and a gap for it."""

    async def main() -> None:
        folder = ForgetfulFolder()
        log = DiskLog(Store(folder, "test", 1 << 20), AtOnce("test"), limit=20)
        cursor = log.cursor("mqtt")
        folder.failing = True
        for seq in range(100):
            log.append(record(seq))
        await asyncio.sleep(5)
        items: list[Any] = []
        while not cursor.is_done:
            batch = await asyncio.wait_for(cursor.batch(7), 5)
            cursor.commit(batch, all_of(batch))
            items += batch
        numbers = [seq for one in items for seq in range(one.seq, (one.last if isinstance(one, Gap) else one.seq) + 1)]
        assert numbers == list(range(100))
        assert [one.seq for one in records_of(items)][-20:] == list(range(80, 100))

    virtual_time.run(main())


async def test_a_segment_that_cannot_be_read_is_counted_and_costs_only_its_records(
    caplog: pytest.LogCaptureFixture,
):
    """Such as one on a bad sector: it is named in the log, and counted in the status."""
    folder = ForgetfulFolder()
    store = Store(folder, "test", 1 << 20)
    for at in range(0, 100, 10):
        records = {position: record(position, raw=bytes(3000)) for position in range(at, at + 10)}
        store.commit(records, {"mqtt": [(0, OPEN_END)]}, hurry=False)
    log = DiskLog(Store(folder, "test", 1 << 20), AtOnce("test"), commit=0.001)
    bad = folder.files["segment-002"]

    def failing_read(size: int, at: int) -> bytes:
        raise OSError(5, "Input/output error")

    bad.read = failing_read  # type: ignore[method-assign]
    cursor = log.cursor("mqtt")
    # A segment has room for 21 of them.
    assert await taken(cursor, 79) == [*range(42), *range(63, 100)]
    assert cursor.sums() == Sums(100, delivered=79, shed=21)
    health = SpoolHealth()
    assert health.check(*log.condition)
    assert health.document() == {"fault": None, "failures": 0, "unreadable": 1}
    assert [line.message for line in caplog.records if "cannot read" in line.message] == [
        "spool: cannot read a segment, its records are lost: file=segment-002 error='Input/output error'"
    ]
    await log.close()


async def test_a_folder_that_is_deleted_costs_its_records_and_stops_no_later_ones(tmp_path: Path):
    """They do not come back, so their stream does not wait for them."""
    log = await opened(tmp_path, commit=0.001, limit=20)
    cursor = log.cursor("mqtt")
    for seq in range(100):
        log.append(record(seq, raw=bytes(3000)))
        if seq % 10 == 9:
            await committed(log)
    shutil.rmtree(tmp_path / "spool")
    seqs: list[int] = []
    end = 100
    while max(seqs, default=0) < 100 or not cursor.is_done:
        if max(seqs, default=0) < 100:  # those in files that were deleted meanwhile do not arrive
            log.append(record(end))
            end += 1
        await asyncio.sleep(COMMIT / 5)
        if cursor.count:
            batch = await cursor.batch()
            cursor.commit(batch, all_of(batch))
            seqs += [one.seq for one in records_of(batch)]
    assert seqs[:20] == list(range(20))
    assert cursor.sums() == Sums(end, delivered=len(seqs), shed=end - len(seqs))
    with contextlib.suppress(OSError):  # the last record of a folder that is absent
        await log.close()


async def test_a_disk_that_is_unmounted_lazily_is_used_further(tiny_disk: Path):  # noqa: F811
    """Nothing is written below the mount point, and nothing waits for the disk or is lost."""
    log = await opened(tiny_disk, commit=0.001, limit=20)
    cursor = log.cursor("mqtt")
    for seq in range(100):
        log.append(record(seq))
        if seq % 10 == 9:
            await committed(log)
    subprocess.run(["umount", "-l", tiny_disk], check=True)
    for seq in range(100, 400):
        log.append(record(seq, raw=bytes(1000)))
        if seq % 10 == 9:
            await committed(log)
    assert await taken(cursor, 400) == list(range(400))
    assert log.condition.fault is None
    await log.close()
    assert not list(tiny_disk.iterdir())
    subprocess.run(["mount", "-t", "tmpfs", "none", tiny_disk], check=True)  # for the fixture


def test_a_log_in_memory_has_no_spool_in_the_status():
    """The member says that there is a spool."""

    async def main() -> None:
        ear = Ear()
        relay = Relay([], [("ear", ear)], boot="5f2c9a", log=MemoryLog())  # type: ignore[list-item]
        ticking = asyncio.create_task(checks_of(relay))
        await asyncio.sleep(3)
        ticking.cancel()
        relay.sink_tasks[0].put_sums()
        notice = relay.sink_tasks[0].notices.latest("status", None)
        assert notice is not None
        assert orjson.loads(notice.document).keys() == {"records"}

    virtual_time.run(main())


@dataclass
class Now:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_disk_that_fails_again_and_again_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture):
    """A fault that comes and goes each second does not flood the log, and is not forgotten either."""
    now, health = Now(), SpoolHealth()
    health.clock = now
    for second in range(600):
        now.seconds += 1
        health.check("/spool", "Input/output error" if second % 2 else None, second // 2, 1, 400, 0)
    lines = [line.message for line in caplog.records]
    begins = [line for line in lines if "cannot write" in line]
    assert 600 / LOG_EVERY - 1 <= len(begins) <= 600 / LOG_EVERY + 1
    assert len(lines) <= 2 * len(begins)
    assert begins[0] == (
        "spool: cannot write, records wait in memory: error='Input/output error' path=/spool waiting=1 failures=0"
    )


def test_a_lasting_fault_is_logged_each_minute(caplog: pytest.LogCaptureFixture):
    """With what waits in memory, and for how long it lasts; and the end of it at once."""
    now, health = Now(), SpoolHealth()
    health.clock = now
    for second in range(150):
        now.seconds += 1
        health.check("/spool", "No space left on device", second, 10, 4000, 0)
    health.check("/spool", None, 150, 0, 0, 0)
    assert [line.message.split(": ")[1] for line in caplog.records] == [
        "cannot write, records wait in memory",
        "still cannot write",
        "still cannot write",
        "writing again",
    ]
    assert health.document() == {"fault": None, "failures": 150, "unreadable": 0}


async def test_a_write_that_does_not_end_is_a_fault(monkeypatch: pytest.MonkeyPatch):
    """A file system that hangs raises no error."""
    log = DiskLog(Store(ForgetfulFolder(), "test", 1 << 20), AtOnce("test"), commit=0.001)
    log.cursor("mqtt")
    hanging: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    monkeypatch.setattr(log, "_worker", type("Hanging", (), {"run": lambda _, job: hanging})())
    log.append(record(0))
    await until(lambda: log._committing is hanging)
    assert log.condition.fault is None
    monkeypatch.setattr("klvrelay.spool.disk.log.STALLED", 0.0)
    assert log.condition.fault == "a write has not finished"


@pytest.mark.needs("mosquitto")
async def test_a_full_disk_is_reported_to_the_broker_and_so_is_its_end(
    tiny_disk: Path,  # noqa: F811
    tmp_path: Path,
    mosquitto: Mosquitto,
    free_port: int,
):
    """A real file system of 1 MiB: the log within five seconds, the status on the next connection, all records."""
    settings = tmp_path / "relay.toml"
    settings.write_text(
        f'[[source]]\nurl = "udp://127.0.0.1:{free_port}"\nstream = "uav1"\n[mqtt]\nurl = "{mosquitto.url}"\n'
        f'[spool]\npath = "{tiny_disk}/spool"\nsize = "1M"\n'
    )
    await mosquitto.stop()
    async with klvrelay("run", "-c", str(settings)) as command:
        await feed.listening(free_port)
        await until(lambda: "retrying" in command.said)
        filler = tiny_disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(bytes(1 << 14)):
                pass
        feed.send_udp(feed.datagrams(TAPE.ts), free_port)
        await until(lambda: "spool: cannot write, records wait in memory" in command.said, ALERT)
        await mosquitto.start()
        async with listening(mosquitto.port, "klvrelay/#") as heard:
            await until(lambda: said(heard)[-1:] == ["No space left on device"])
            filler.unlink()
            await until(lambda: said(heard)[-1:] == [None], ALERT)
            assert (await command.stop())[0] == 0, command.said
    assert re.search(rf"{len(TAPE.klv)} delivered to .*, 0 shed, 0 waiting", command.said), command.said
    assert command.said.count("spool: cannot write") == command.said.count("spool: writing again") == 1


def said(heard: Any) -> list[str | None]:
    """The fault in each status of the spool so far."""
    documents = map(orjson.loads, heard.on("klvrelay/status"))
    return [document["spool"]["fault"] for document in documents if "spool" in document]
