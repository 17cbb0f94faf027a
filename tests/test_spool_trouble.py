"""What made comparable products lose records, refuse to start, or fill up: a spool goes through it unharmed."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import ROOT
from forgetful_disk import ForgetfulFile, ForgetfulFolder
from records import record
from test_cli import ENVIRONMENT, ran
from test_record_process import tiny_disk  # noqa: F401
from test_spool_disk import committed, opened, taken, until
from test_spool_histories import AtOnce

from klvrelay.errors import ConfigError
from klvrelay.outcome import Outcome
from klvrelay.record import Record
from klvrelay.spool.disk.cursor_file import OPEN_END, Ranges
from klvrelay.spool.disk.files import OsFile, OsFolder
from klvrelay.spool.disk.log import DiskLog
from klvrelay.spool.disk.opening import open_log
from klvrelay.spool.disk.store import LEAST_SEGMENT, Store

# ---- crashes within a commit ----


class Crash(BaseException):
    """The process ends at this call."""


class CrashingFolder(ForgetfulFolder):
    """Ends the process before its `left`th change; the call itself may have happened in part."""

    def __init__(self) -> None:
        super().__init__()
        self.left = sys.maxsize
        self.changes: list[str] = []

    def change(self, what: str) -> None:
        self.left -= 1
        self.changes.append(what)
        if self.left < 0:
            raise Crash

    def open(self, name: str, *, create: bool = False) -> CrashingFile:
        if create:
            self.change("create")
            self.files[name] = CrashingFile(self)
        return super().open(name)  # type: ignore[return-value]

    def remove(self, name: str) -> None:
        self.change("remove")
        super().remove(name)

    def sync(self) -> None:
        self.change("sync folder")
        super().sync()

    def rename(self, old: str, new: str) -> None:
        self.change("rename")
        super().rename(old, new)


class CrashingFile(ForgetfulFile):
    _folder: CrashingFolder

    def write(self, data: bytes, at: int) -> None:
        try:
            self._folder.change("write")
        except Crash:
            super().write(data[: len(data) // 2], at)
            raise
        super().write(data, at)

    def sync(self) -> None:
        self._folder.change("sync")
        super().sync()


class Script:
    """Commits of large records, so that segments begin, are released, kept for reuse and removed."""

    def __init__(self, folder: CrashingFolder) -> None:
        self.folder = folder
        self.accepted: dict[int, Record] = {}
        self.floor = 0

    def play(self, seed: int = 1) -> None:
        chance = Random(seed)
        store, position = Store(self.folder, "test", 1 << 20), 0
        for step in range(24):
            size = 100_000 if step == 10 else 6000
            records = {position + at: record(position + at, raw=chance.randbytes(size)) for at in range(4)}
            position += 4
            # Nothing is answered for a while, then all at once: several segments are released in one commit.
            self.floor = position - 2 if step in (9, 17, 23) else self.floor
            ranges: Mapping[str, Ranges] = {"mqtt": [(self.floor, OPEN_END)]}
            assert store.commit(records, ranges, hurry=False).fault is None
            self.accepted |= records


def total() -> list[str]:
    folder = CrashingFolder()
    Script(folder).play()
    return folder.changes


def delivered(folder: ForgetfulFolder) -> dict[int, Record]:
    """What the next run delivers, by position."""
    store = Store(folder, "test", 1 << 20)
    ranges = store.saved.get("mqtt") or [(0, OPEN_END)]
    found: dict[int, Record] = {}
    position = 0
    while (loaded := store.read("mqtt", position, 50)) is not None and loaded.end > position:
        position = loaded.end
        for place, _, one in loaded.records:
            if any(low <= place < high for low, high in ranges):
                found[place] = one
    store.commit({store.segments.next: record(0)}, {"mqtt": [(0, OPEN_END)]}, hurry=False)  # it goes on
    return found


@pytest.mark.parametrize("power", [False, True], ids=["killed", "power lost"])
def test_a_crash_at_any_change_of_the_disk_loses_nothing_and_the_next_run_starts(power: bool):
    """Also between the write of a cursor and the removal of a segment, and half-way through a write."""
    changes = total()
    assert {"create", "write", "sync", "sync folder", "rename", "remove"} <= set(changes)
    for crash in range(len(changes)):
        folder = CrashingFolder()
        folder.left = crash
        script = Script(folder)
        with pytest.raises(Crash):
            script.play()
        folder.left = sys.maxsize
        if power:
            folder.lose_power(Random(crash))
        found = delivered(folder)
        owed = {place for place in script.accepted if place >= script.floor}
        assert owed <= found.keys(), (crash, changes[crash])
        assert all(script.accepted[place] == one for place, one in found.items() if place in script.accepted)


# ---- sizes ----

LARGE = 15 * LEAST_SEGMENT


async def test_a_record_that_is_larger_than_a_segment_is_kept(tmp_path: Path):
    """It gets a segment with its size; those before and after it are in order; its disk space is free afterwards."""
    log = await opened(tmp_path)
    cursor = log.cursor("mqtt")
    for seq in range(30):
        log.append(record(seq, raw=bytes([seq]) * (LARGE if seq == 10 else 1000)))
    await committed(log)
    await log.close()
    log = await opened(tmp_path)
    cursor = log.cursor("mqtt")
    got: list[Record] = []
    while len(got) < 30:
        batch = await asyncio.wait_for(cursor.batch(100), 5)
        cursor.commit(batch, Outcome(len(batch)))
        got += batch
    assert [(one.seq, one.raw[:1], len(one.raw)) for one in got] == [
        (seq, bytes([seq]), LARGE if seq == 10 else 1000) for seq in range(30)
    ]
    log.append(record(30))
    await log.close()
    assert max(file.stat().st_size for file in (tmp_path / "spool").glob("segment-*")) < LARGE


async def test_a_record_that_is_larger_than_the_spool_sheds_others_and_stops_none(tmp_path: Path):
    """The next ones are written as before."""
    log = await open_log(tmp_path / "spool", "relay", 1 << 20, commit=0.001)
    cursor = log.cursor("mqtt")
    for seq in range(20):
        log.append(record(seq, raw=bytes(2 << 20) if seq == 10 else bytes(1000)))
        await committed(log)
    assert log.condition.fault is None
    assert (await taken(cursor, cursor.waiting))[-9:] == list(range(11, 20))
    assert cursor.sums().waiting == 0
    await log.close()


async def test_a_record_that_the_spool_cannot_hold_stops_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Such as one with an impossible time stamp: it is delivered from memory, and named once."""
    log = await opened(tmp_path, commit=0.001)
    cursor = log.cursor("mqtt")
    for seq in range(10):
        log.append(record(seq, pts=-1 if seq in (3, 9) else 5))
    await committed(log)
    assert log.condition.fault is None
    assert await taken(cursor, 10) == list(range(10))
    await log.close()
    assert [line.message.partition(": stream")[2] for line in caplog.records if "cannot hold" in line.message] == [
        "=uav1 seq=3",
        "=uav1 seq=9",
    ]


async def test_a_spool_that_was_full_and_is_answered_is_empty_after_a_crash(tmp_path: Path):
    """The crash came before its segments were released: new records find room, and none is shed or delivered again."""
    folder = tmp_path / "spool"
    folder.mkdir()
    store = Store(OsFolder(folder), "relay", 1 << 20)
    position = 0
    while store.segments.allocated + store.segments.size <= 1 << 20:
        store.commit({position: record(position, raw=bytes(20_000))}, {"mqtt": [(0, OPEN_END)]}, hurry=False)
        position += 1
    store._sinks._cursor("mqtt").save([(position, OPEN_END)])
    store.close()  # as it is: nothing was released

    log = await open_log(folder, "relay", 1 << 20, commit=0.001)
    cursor = log.cursor("mqtt")
    assert cursor.waiting == 0
    for seq in range(30):
        log.append(record(seq, raw=bytes(20_000)))
        await committed(log)
    assert await taken(cursor, 30) == list(range(30))
    assert cursor.sums().shed == 0
    await log.close()


async def test_a_full_disk_is_not_worn_by_attempts_to_write():
    """Without room for a segment, not one of its bytes is written: attempts are made every few seconds."""
    folder = CrashingFolder()
    store = Store(folder, "test", 1 << 20)
    store.commit({}, {"mqtt": [(0, OPEN_END)]}, hurry=False)  # the files of the cursor
    folder.size = folder.used + LEAST_SEGMENT // 2
    folder.changes.clear()
    for _ in range(3):
        result = store.commit({0: record(0)}, {"mqtt": [(0, OPEN_END)]}, hurry=False, probe=True)
        assert result.fault is not None
        assert result.fault.errno == errno.ENOSPC
    assert folder.changes == ["write", "sync", "create", "remove"] * 3  # the first two are of the cursor
    folder.size = 1 << 40
    assert store.commit({0: record(0)}, {"mqtt": [(0, OPEN_END)]}, hurry=False, probe=True).fault is None


# ---- the operating system ----


def test_space_is_reserved_or_refused_without_writing(tiny_disk: Path):  # noqa: F811
    """On a real file system of 1 MiB."""
    file = OsFile(tiny_disk / "file", create=True)
    file.reserve(500_000)
    with pytest.raises(OSError, match="No space left"):
        file.reserve(2 << 20)
    file.close()


@pytest.mark.parametrize("most", [1, 3, 1000])
def test_a_write_that_the_system_does_in_parts_is_completed(
    most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """And one that writes nothing is an error, not an endless loop."""
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: pwrite(fd, bytes(data[:most]), at))
    file = OsFile(tmp_path / "file", create=True)
    data = Random(1).randbytes(2000)
    file.write(data, 5)
    assert file.read(3000, 5) == data
    monkeypatch.setattr(os, "pwrite", lambda *_: 0)
    with pytest.raises(OSError, match="nothing was written"):
        file.write(data, 5)
    file.close()


def python(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests" / "support")])
    return subprocess.run(
        [sys.executable, "-c", code, *words], env={**ENVIRONMENT, "PYTHONPATH": path}, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip


BACKLOG = """
import asyncio, re, sys
from pathlib import Path
from records import record
from klvrelay.errors import ConfigError
from klvrelay.outcome import Outcome
from klvrelay.spool.disk.opening import open_log

COUNT, RAW = 24_000, bytes(3000)

def peak():
    # Not ru_maxrss, which includes the process that started this one.
    return int(re.search("VmHWM: +([0-9]+)", Path("/proc/self/status").read_text().replace("\\t", " "))[1]) >> 10

async def main():
    limits = {"limit": 1000, "size_limit": 4 << 20, "commit": 0.001}
    for _ in range(2):
        log = await open_log(Path(sys.argv[1]), "relay", 256 << 20, **limits)
        cursor = log.cursor("mqtt")
        print(cursor.waiting, peak())
        if not cursor.waiting:
            for seq in range(COUNT):
                log.append(record(seq, raw=RAW))
                while seq % 200 == 199 and log.pending:
                    await asyncio.sleep(0.001)
        else:
            got = []
            while len(got) < COUNT:
                batch = await cursor.batch(100)
                got += [one.seq for one in batch]
                cursor.commit(batch, Outcome(len(batch)))
            assert got == list(range(COUNT))
        await log.close()
        print(cursor.sums().shed, peak())

asyncio.run(main())
"""


def test_a_backlog_that_is_larger_than_memory_needs_no_more_memory(tmp_path: Path):
    """72 MB wait: the relay that writes them and the one that starts with them grow by little."""
    done = python(BACKLOG, str(tmp_path / "spool"))
    shutil.rmtree(tmp_path / "spool")
    assert done.returncode == 0, done.stderr
    (none, begin), (shed, written), (waiting, _), (shed_later, end) = (
        map(int, line.split()) for line in done.stdout.splitlines()
    )
    assert (none, shed, waiting, shed_later) == (0, 0, 24_000, 0)
    assert end - begin < 45, (begin, written, end)


MANY = """
import resource, sys
from klvrelay.spool.disk.files import OsFolder
from klvrelay.spool.disk.format import Codec
from klvrelay.spool.disk.segments import Segments
from pathlib import Path

resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
folder = OsFolder(Path(sys.argv[1]))
def opened():
    return Segments(folder, Codec(b"0123456789abcdef"), size=4096, limit=1 << 20)
segments = opened()
segments.write({position: bytes(3000) for position in range(200)})
segments.sync()
segments.close()
segments = opened()
found, position = 0, 0
while items := list(segments.read(position)):
    found += len(items)
    position = items[-1].position + 1
segments.release(200)
print(found, len(segments.bounds()))
"""


def test_a_spool_may_have_more_segments_than_a_process_may_open_files(tmp_path: Path):
    """A spool of many gibibytes has thousands; the limit of open files is often 1024."""
    done = python(MANY, str(tmp_path))
    assert (done.stdout, done.stderr) == ("200 1\n", "")


async def test_a_shortage_of_descriptors_delays_a_backlog_and_loses_none_of_it():
    """A segment that cannot be opened now is not one that cannot be read."""
    folder = ForgetfulFolder()
    store = Store(folder, "test", 1 << 20)
    store.commit({at: record(at) for at in range(50)}, {"mqtt": [(0, OPEN_END)]}, hurry=False)
    log = DiskLog(Store(folder, "test", 1 << 20), AtOnce("test"), commit=0.001)
    open_really, refused = folder.open, []

    def short(name: str, *, create: bool = False) -> Any:
        refused.append(name)
        raise OSError(errno.EMFILE, "Too many open files")

    folder.open = short  # type: ignore[method-assign]
    cursor = log.cursor("mqtt")
    await until(lambda: refused)
    folder.open = open_really  # type: ignore[method-assign]
    assert await taken(cursor, 50) == list(range(50))
    assert cursor.sums().shed == 0
    await log.close()


# ---- refusals of `run --spool` ----


def spool_of(folder: Path, **change: object) -> None:
    Store(OsFolder(folder_made(folder)), "klvrelay", 1 << 20).close()
    identity = folder / "spool.json"
    identity.write_text(json.dumps(json.loads(identity.read_text()) | change))


def folder_made(folder: Path) -> Path:
    folder.mkdir()
    return folder


REFUSALS: dict[str, tuple[Callable[[Path], object], str]] = {
    "version": (
        lambda folder: spool_of(folder, version=99),
        "spool of version 99, this klvrelay uses 1: choose another folder, or deliver its records with the klvrelay"
        " that wrote it",
    ),
    "prefix": (
        lambda folder: spool_of(folder, relay="site-b"),
        "spool of a relay with topic prefix 'site-b', this one has 'klvrelay': choose another folder, or use that"
        " prefix",
    ),
    "file": (lambda folder: folder.write_text(""), "not a folder: choose another path for the spool"),
    "in use": (
        lambda folder: OsFolder(folder_made(folder)),
        "another klvrelay uses this spool; give each its own folder",
    ),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_spool_that_cannot_be_used_is_refused_with_a_remedy(
    kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """Exit code 2 and one line, before anything starts."""
    make, reason = REFUSALS[kind]
    spool = tmp_path / "spool"
    kept = make(spool)
    code, out, said = ran(capfd, "run", "udp://127.0.0.1:1", "--mqtt", "mqtt://127.0.0.1:1", "--spool", str(spool))
    assert (code, out) == (2, "")
    option = "--spool: " if kind == "file" else ""  # found with the settings, before the spool is opened
    faults = [line for line in said.splitlines() if line.startswith("klvrelay: ")]
    assert faults == [f"klvrelay: {option}{spool}: {reason}"]
    if isinstance(kept, OsFolder):
        kept.close()


async def test_a_cursor_of_another_spool_is_named_and_costs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Such as one that was copied: all records are delivered again."""
    for name in ("one", "other"):
        log = await open_log(tmp_path / name, "relay", 1 << 20)
        log.cursor("mqtt")
        for seq in range(10):
            log.append(record(seq))
        await log.close()
    shutil.copy(tmp_path / "other" / "mqtt.cursor", tmp_path / "one" / "mqtt.cursor")
    log = await open_log(tmp_path / "one", "relay", 1 << 20)
    assert await taken(log.cursor("mqtt"), 10) == list(range(10))
    await log.close()
    assert [line.message for line in caplog.records] == [
        "spool: cursor is damaged or of another spool, all records are delivered again:"
        f" file={tmp_path}/one/mqtt.cursor"
    ]


async def test_a_file_of_the_spool_that_cannot_be_opened_is_named(tmp_path: Path):
    """A folder in its place, here; or one of another user."""
    (tmp_path / "spool" / "mqtt.cursor").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"spool/mqtt\.cursor: cannot be used as a spool: Is a directory"):
        await open_log(tmp_path / "spool", "relay", 1 << 20)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EACCES, "no permission to use it as a spool: make it writable for the user of the relay, or"),
        (errno.EROFS, "cannot be used as a spool: Read-only file system: choose another folder, or make this one"),
    ],
)
def test_a_folder_without_permission_is_refused_with_a_remedy(
    number: int, reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """Root may write everywhere, so the refusal is simulated."""
    open_really = os.open

    def refusing(path: Any, flags: int, *args: Any, **more: Any) -> int:
        if more.get("dir_fd") is not None and flags & os.O_CREAT:  # a file of the spool
            raise OSError(number, os.strerror(number), path)
        return open_really(path, flags, *args, **more)

    monkeypatch.setattr(os, "open", refusing)
    spool = str(tmp_path / "spool")
    code, out, said = ran(capfd, "run", "udp://127.0.0.1:1", "--mqtt", "mqtt://127.0.0.1:1", "--spool", spool)
    assert (code, out) == (2, "")
    assert f"klvrelay: {spool}/spool.json.new: {reason}" in said
    assert "Traceback" not in said
