"""The sink that writes files: formats, limits, crashes, and disks that fail."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from cases import each_case
from conftest import ROOT
from records import BOOT, TIME_US, record, spoilt
from test_cli import COMMAND, ENVIRONMENT

from klvrelay.config.settings import SinkSettings
from klvrelay.config.sinks.files import FileFormatName, FilesSettings
from klvrelay.config.sinks.known import kind_of_url
from klvrelay.decoder import decode
from klvrelay.errors import ConfigError, SinkDown, SinkRefused
from klvrelay.exports.formats import FORMATS
from klvrelay.gap import Gap
from klvrelay.outcome import Outcome
from klvrelay.record import Record
from klvrelay.relay.build import shaper_of
from klvrelay.shape.encoding.compression import zstd_module
from klvrelay.shape.output import Output
from klvrelay.sinks.contract import Sink
from klvrelay.sinks.files import build, folder, lock, retention, segment
from klvrelay.sinks.files.disk import open_fault
from klvrelay.sinks.files.journal import frame_of, records_in
from klvrelay.sinks.files.names import FileName, file_name
from klvrelay.sinks.files.recovery import recover
from klvrelay.sinks.files.retention import Retention
from klvrelay.sinks.files.store import FileEntry, FileStore
from klvrelay.sinks.open import check_far_end, open_sink

ORBIT = ROOT / "samples" / "orbit.ts"


@pytest.fixture
def flights(tmp_path: Path) -> Path:
    return tmp_path / "flights"


def settings_of(path: Path, **settings: Any) -> FilesSettings:
    found = kind_of_url(str(path)).from_url(str(path), {"sync": 0.0, "timeout": 10.0, **settings})
    assert isinstance(found, FilesSettings)
    return found


def sink_to(path: Path, *outputs: Output, **settings: Any) -> Sink:
    made = SinkSettings("files", settings_of(path, **settings), outputs=outputs)
    return open_sink(made, shaper_of(made), BOOT)


def files_of(path: Path, pattern: str = "*") -> list[Path]:
    return sorted(found for found in path.glob(f"*/*/{pattern}") if found.is_file())


def numbers_in(files: Sequence[Path]) -> list[int]:
    return [json.loads(line)["seq"] for file in files for line in file.read_bytes().splitlines()]


# ---- files and their names ----


async def test_each_stream_and_output_has_files_named_by_time(flights: Path):
    """In folders of their own; a file has its name when it is complete."""
    outputs = (
        Output("telemetry", "{prefix}/{stream}/telemetry"),
        Output("position", "{prefix}/{stream}/position", items=("position", "platform_heading_angle")),
    )
    async with sink_to(flights, *outputs) as sink:
        assert await sink.deliver([record(0), record(0, "uav2"), record(1)]) == Outcome(delivered=3)
        assert {path.suffix for path in files_of(flights)} == {".part"}
    found = files_of(flights)
    assert [str(path.relative_to(flights)) for path in found] == [
        f"{stream}/{output}/{stream}-20120629T134513.123456Z.jsonl"
        for stream in ("uav1", "uav2") for output in ("position", "telemetry")
    ]  # fmt: skip
    assert numbers_in([found[1]]) == [0, 1]
    assert set(json.loads(found[0].read_bytes().splitlines()[0])["items"]) == {"platform_heading_angle"}


async def test_gaps_and_rejected_records_are_lines_in_files_of_their_own(flights: Path):
    """Other formats have no place for them."""
    batch = [record(0), spoilt(1), Gap("uav1", BOOT, 2, 4, "memory", None)]
    async with sink_to(flights) as sink:
        assert await sink.deliver(batch) == Outcome(delivered=2, gaps=1)
    assert [path.parent.name for path in files_of(flights)] == ["gap", "rejected", "telemetry"]
    async with sink_to(flights / "klv", file_format="klv") as sink:
        assert await sink.deliver(batch) == Outcome(delivered=1, unwanted=1, gaps=1)


def test_the_settings_have_all_formats_of_export():
    """A new one is missing here otherwise."""
    assert set(get_args(FileFormatName)) == set(FORMATS)


@pytest.mark.parametrize("name", sorted(FORMATS))
async def test_every_format_makes_complete_files(name: str, flights: Path):
    """With all records, and nothing else in the folder."""
    pytest.importorskip({"parquet": "pyarrow", "geoparquet": "pyarrow", "mcap": "mcap"}.get(name, "json"))
    records = decode(ORBIT.read_bytes())[:40]
    async with sink_to(flights, file_format=name) as sink:
        assert await sink.deliver([one._replace(stream="uav1", boot=BOOT) for one in records]) == Outcome(delivered=40)
    (found,) = files_of(flights)
    assert found.name.endswith(f"Z{FORMATS[name].suffix}")
    assert rows_of(name, found) >= 40


def rows_of(name: str, path: Path) -> int:
    """How many records a file has, or of formats with tracks, positions."""
    data = path.read_bytes()
    match name:
        case "parquet" | "geoparquet":
            import pyarrow.parquet as pq

            return int(pq.read_table(path).num_rows)
        case "mcap":
            from mcap.reader import make_reader

            with path.open("rb") as file:
                return sum(channel.topic.endswith("/record") for _, channel, _ in make_reader(file).iter_messages())
        case "klv":
            return len(decode(data))
        case "geojson":
            return max(one["properties"].get("positions", 0) for one in json.loads(data)["features"])
        case "czml":
            return len(json.loads(data)) * 40
        case "kml":
            return data.count(b"<when>")
        case "gpx":
            return data.count(b"<trkpt")
        case _:
            return len(data.splitlines())


async def test_finished_files_may_be_compressed(flights: Path):
    """JSON Lines through a journal, which is removed."""
    async with sink_to(flights, compress="zstd") as sink:
        await sink.deliver([record(number) for number in range(50)])
    (found,) = files_of(flights)
    assert found.name.endswith(".jsonl.zst")
    lines = zstd_module().decompress(found.read_bytes()).splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(50))


async def test_an_output_selects_the_items_of_every_format(flights: Path):
    """Of Parquet too: the columns of other items are empty."""
    pq = pytest.importorskip("pyarrow.parquet")
    output = Output("heading", "{prefix}/{stream}/heading", items=("platform_heading_angle",), format="klv")
    async with sink_to(flights, output, file_format="parquet") as sink:
        await sink.deliver([record(0)])
    row = pq.read_table(files_of(flights)[0]).to_pylist()[0]
    assert row["platform_heading_angle"] is not None
    assert row["platform_tail_number"] is None


@each_case("stream", ["../../etc/passwd", "a/b", "..", ".", "Ü é", "-", "x" * 96, "a\u202eb"])
def test_no_stream_name_leaves_the_folder(stream: str):
    """Names are encoded as in topics."""
    from klvrelay.config.names import safe_level
    from klvrelay.sinks.files.names import folder_of

    where, part = folder_of(f"klvrelay/{safe_level(stream)}/telemetry", "klvrelay")
    assert where == os.path.join(part, "telemetry")
    assert os.path.basename(part) == part not in ("", ".", "..")
    assert FileName.of(file_name(part, TIME_US, ".jsonl.zst")) == FileName(TIME_US, ".jsonl.zst", "")
    assert len(os.fsencode(file_name(part, TIME_US, ".parquet") + ".geoparquet.journal")) < 255


# ---- segments and limits ----


class Trial:
    """A store of a folder, without threads."""

    def __init__(self, path: Path, **settings: Any) -> None:
        path.mkdir(exist_ok=True)
        self.path = path
        self.settings = settings_of(path, **settings)
        self.retention = Retention(self.settings)
        self.retention.list_files()
        self.store = FileStore(self.settings, ".jsonl", self.retention)

    def append(self, number: int, stream: str = "uav1", *, received_us: int = TIME_US, size: int = 1000) -> None:
        line = json.dumps({"seq": number}).ljust(size - 1).encode() + b"\n"
        self.store.append([FileEntry(f"klvrelay/{stream}/telemetry", line, received_us)])
        self.store.sync()

    def sizes(self) -> int:
        return sum(path.stat().st_size for path in files_of(self.path))


def test_a_file_ends_at_its_size_and_its_time(flights: Path):
    """Records are not divided; a file without new records ends too."""
    trial = Trial(flights, segment_size=4096, segment=60.0)
    for number in range(12):
        trial.append(number)
    assert len(files_of(flights, "*.jsonl")) == 2
    (open_one,) = trial.store._open.values()
    open_one.begun -= 61
    trial.store.tick()
    found = files_of(flights, "*.jsonl")
    assert [path.stat().st_size for path in found] == [5000, 5000, 2000]
    assert numbers_in(found) == list(range(12))


def test_names_are_in_the_order_of_files_though_the_clock_steps_back(flights: Path):
    """A name that exists is not used again."""
    trial = Trial(flights, segment_size=4096)
    taken = flights / "uav1" / "telemetry" / file_name("uav1", TIME_US, ".jsonl")
    taken.parent.mkdir(parents=True)
    taken.write_bytes(b"")
    for number in range(20):
        trial.append(number, received_us=TIME_US - number * 1_000_000)
    trial.store.close()
    assert taken.read_bytes() == b""
    assert numbers_in(files_of(flights)) == list(range(20))


def test_the_oldest_files_are_deleted_beyond_the_total(flights: Path):
    """Of all streams together; the folder never has more."""
    trial = Trial(flights, segment_size=4096, total=65_536)
    for number in range(300):
        trial.append(number, f"uav{number // 100}", received_us=TIME_US + number)
        assert trial.sizes() <= 65_536
        trial.store.tick()
        if number % 100 == 99:
            trial.store.close()
    kept = numbers_in(files_of(flights))
    assert kept == list(range(300 - len(kept), 300))
    assert len(kept) > 40
    assert not (flights / "uav0").exists()


def test_many_streams_that_are_open_do_not_exceed_the_total(flights: Path):
    """The file without a record for longest is completed, so that it can be deleted."""
    trial = Trial(flights, segment_size=32_768, total=65_536)
    for number in range(120):
        trial.append(number, f"uav{number}")
        trial.store.tick()
        assert trial.sizes() <= 65_536


def test_files_beyond_their_age_are_deleted(flights: Path):
    """By the time in their names; other files are not touched, and a clock that is set makes none old."""
    now_us = time.time_ns() // 1000
    leaf = flights / "uav1" / "telemetry"
    leaf.mkdir(parents=True)
    for days in (9, 8, 2):
        (leaf / file_name("uav1", now_us - days * 86_400_000_000, ".jsonl")).write_bytes(b"x\n")
    (leaf / "notes.txt").write_text("mine")
    (flights / "uav1" / file_name("uav1", 0, ".jsonl")).write_text("not in the folder of an output")
    trial = Trial(flights, age=7 * 86400.0)
    trial.store.tick()
    assert [path.name for path in files_of(flights)] == [
        "notes.txt", file_name("uav1", now_us - 2 * 86_400_000_000, ".jsonl")
    ]  # fmt: skip
    assert (trial.retention.deleted, (flights / "uav1" / file_name("uav1", 0, ".jsonl")).exists()) == (2, True)


def test_a_clock_that_was_ahead_at_the_start_makes_no_file_old(flights: Path, monkeypatch: pytest.MonkeyPatch):
    """It is corrected meanwhile: what was written a minute ago is not ten years old."""
    leaf = flights / "uav1" / "telemetry"
    leaf.mkdir(parents=True)
    (leaf / file_name("uav1", time.time_ns() // 1000 - 60_000_000, ".jsonl")).write_bytes(b"x\n")
    now = time.time
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now() + 3650 * 86400)
        trial = Trial(flights, age=7 * 86400.0)
    trial.store.tick()
    assert (len(files_of(flights)), trial.retention.deleted) == (1, 0)


def test_little_free_space_deletes_old_files_and_keeps_the_newest(flights: Path, monkeypatch: pytest.MonkeyPatch):
    """Then records wait, with a remedy: another program may have filled the disk."""
    trial = Trial(flights, segment_size=4096, free=1 << 20)
    for number in range(45):
        trial.append(number)
    monkeypatch.setattr(retention, "free_bytes", lambda _: 1000)
    with pytest.raises(SinkDown, match=r"the disk has 1,000 bytes free, less than free = 1 MiB: free space, or lower"):
        trial.append(45)
    assert len(files_of(flights, "*.jsonl")) == retention.KEPT_WHEN_FULL
    monkeypatch.undo()
    trial.append(45)
    trial.store.close()
    assert numbers_in(files_of(flights))[-1] == 45


def test_journals_are_deleted_too_but_not_one_that_is_written(flights: Path, monkeypatch: pytest.MonkeyPatch):
    """On a full disk no file can be made of them."""
    trial = Trial(flights, segment_size=4096, file_format="csv")
    for number in range(43):
        trial.append(number)
    free = iter([0, 0, 0, 1 << 40])
    monkeypatch.setattr(retention, "free_bytes", lambda _: next(free))
    trial.store.tick()
    kept = [json.loads(line)["seq"] for path in files_of(flights) for line in path.read_bytes().splitlines()]
    assert kept == list(range(15, 43))


def test_only_some_files_are_open_at_a_time(flights: Path, monkeypatch: pytest.MonkeyPatch):
    """Streams come and go."""
    monkeypatch.setattr("klvrelay.sinks.files.store.OPEN_MOST", 3)
    trial = Trial(flights)
    for number in range(10):
        trial.append(number, f"uav{number}")
    assert len(files_of(flights, "*.part")) == 3


# ---- disks that fail ----


def full_after(size: int) -> Callable[[int, memoryview], int]:
    """os.write on a disk with so many bytes left."""
    left, write = [size], os.write

    def written(fd: int, data: memoryview) -> int:
        part = data[: left[0]]
        if data and not part:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left[0] -= len(part)
        return write(fd, part)

    return written


async def test_a_full_disk_divides_no_record_and_makes_them_wait(flights: Path, monkeypatch: pytest.MonkeyPatch):
    """After it has room again, they follow."""
    sink = sink_to(flights)
    async with sink:
        assert await sink.deliver([record(0)]) == Outcome(delivered=1)
        monkeypatch.setattr(segment.os, "write", full_after(700))
        with pytest.raises(SinkDown, match="the disk is full: free space, or lower total") as down:
            await sink.deliver([record(1), record(2)])
        assert (down.value.answered, down.value.traced) == (Outcome(), True)
        monkeypatch.undo()
    async with sink:
        assert await sink.deliver([record(1), record(2)]) == Outcome(delivered=2)
    assert numbers_in(files_of(flights)) == [0, 1, 2]


def test_a_full_disk_costs_the_oldest_files_first(flights: Path, monkeypatch: pytest.MonkeyPatch):
    """If there are more than a few."""
    trial = Trial(flights, segment_size=4096)
    for number in range(45):
        trial.append(number)
    fails = iter([True, True])

    def write(fd: int, data: memoryview, real: Callable[[int, memoryview], int] = os.write) -> int:
        if next(fails, False):
            raise OSError(errno.ENOSPC, "")
        return real(fd, data)

    monkeypatch.setattr(segment.os, "write", write)
    trial.append(45)
    assert trial.retention.deleted == 2
    assert numbers_in(files_of(flights)) == list(range(10, 46))


async def test_a_folder_that_is_removed_is_noticed_and_created_again(flights: Path, tmp_path: Path):
    """What is written to a file that was removed does not count as delivered."""
    sink = sink_to(flights)
    async with sink:
        await sink.deliver([record(0)])
        flights.rename(tmp_path / "moved")
        with pytest.raises(SinkDown, match="removed while it was written"):
            await sink.deliver([record(1)])
    async with sink:
        assert await sink.deliver([record(1)]) == Outcome(delivered=1)
    assert numbers_in(files_of(flights)) == [1]


async def test_a_disk_that_does_not_answer_is_down_and_can_be_left(flights: Path, monkeypatch: pytest.MonkeyPatch):
    """The event loop continues; the next attempt says that the last one still waits."""
    release = threading.Event()
    monkeypatch.setattr(segment.os, "fdatasync", lambda _: release.wait(20))
    monkeypatch.setattr(folder, "CLOSE", 0.1)
    sink = sink_to(flights, timeout=0.2)
    try:
        async with sink:
            with pytest.raises(SinkDown, match=r"does not answer within 0.2 s"):
                await sink.deliver([record(0)])
        with pytest.raises(SinkDown, match="still being completed"):
            async with sink:
                pass
    finally:
        release.set()


async def test_a_file_that_could_not_be_completed_confirms_nothing(flights: Path, monkeypatch: pytest.MonkeyPatch):
    """Its time may be over between the write and the confirmation."""
    async with sink_to(flights, sync=0.3) as sink:
        store = sink._far_end._store  # type: ignore[attr-defined]
        await sink.deliver([record(0)])
        waiting = asyncio.create_task(sink.deliver([record(1)]))
        (part,) = files_of(flights)
        size = part.stat().st_size
        await eventually(lambda: part.stat().st_size > size)

        def fail(_: int) -> None:
            raise OSError(errno.EIO, "")

        monkeypatch.setattr(segment.os, "fdatasync", fail)
        for one in store._open.values():
            one.begun -= 10_000
        with contextlib.suppress(OSError):
            store.tick()
        monkeypatch.undo()
        with pytest.raises(SinkDown, match="check the disk"):
            await waiting


def test_two_relays_do_not_share_a_folder(flights: Path):
    """The second one names the first, and the remedy; the lock ends with the process."""
    flights.mkdir()
    program = (
        "import sys; from klvrelay.sinks.files.lock import FolderLock; FolderLock(sys.argv[1]);"
        " print(1, flush=True); input()"
    )
    command = [sys.executable, "-c", program, str(flights)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(SinkRefused, match=rf"another relay writes there \(process {other.pid}\): give each"):
            lock.FolderLock(str(flights))
        other.kill()
        other.wait(10)
    lock.FolderLock(str(flights)).release()


@each_case(
    ("number", "refused", "text"),
    [
        (errno.EACCES, True, "let the user of the relay write there"),
        (errno.EROFS, True, "read-only: mount it for writing"),
        (errno.ENOTDIR, True, "not a folder: give the path"),
        (errno.ENOSPC, False, "full: free space"),
        (errno.EDQUOT, False, "quota"),
        (errno.EIO, False, "check the disk"),
        (errno.ENXIO, False, "can't be written: no such device"),
    ],
)
def test_each_fault_of_a_folder_has_a_remedy(number: int, refused: bool, text: str):
    """What the operator must change is refused, what may pass is tried again."""
    fault = open_fault("/flights", OSError(number, ""))
    assert isinstance(fault, SinkRefused) is refused
    assert text in str(fault)
    assert str(fault).startswith("/flights: ")


async def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path):
    """With the remedy."""
    (tmp_path / "flights").write_text("")
    with pytest.raises(SinkRefused, match="not a folder: give the path of a folder"):
        async with sink_to(tmp_path / "flights"):
            pass


# ---- what a killed relay left ----


def test_a_torn_line_or_packet_is_cut_off(flights: Path):
    """What is whole is completed; a file without anything whole is removed."""
    leaf = flights / "uav1" / "telemetry"
    leaf.mkdir(parents=True)
    raw = record(0).raw
    cases = {
        ".jsonl": (b'{"seq":0}\n{"seq":1}\n{"se', b'{"seq":0}\n{"seq":1}\n'),
        ".klv": (raw + raw + raw[:-1], raw + raw),
        ".parquet": (b"PAR1...", None),
    }
    for number, (suffix, (data, _)) in enumerate(cases.items()):
        (leaf / (file_name("uav1", TIME_US + number, suffix) + ".part")).write_bytes(data)
    (leaf / (file_name("uav1", TIME_US + 9, ".jsonl") + ".part")).write_bytes(b"{" * 100_000)
    (leaf / (file_name("uav1", TIME_US + 10, ".klv") + ".part")).write_bytes(bytes(5000))
    assert recover(str(flights)) == []
    found = {path.name: path.read_bytes() for path in files_of(flights)}
    assert found == {
        file_name("uav1", TIME_US, ".jsonl"): cases[".jsonl"][1],
        file_name("uav1", TIME_US + 1, ".klv"): cases[".klv"][1],
        file_name("uav1", TIME_US + 2, ".parquet") + ".torn": b"PAR1...",
    }


def test_a_journal_is_read_up_to_its_first_damage(tmp_path: Path):
    """At every length, and with any byte changed, the records before it are read as they were."""
    records = [record(number, "uav1", pts=5, pid=257, pcr=None, program=1) for number in range(3)]
    frames = [frame_of(one) for one in records]
    data = b"".join(frames)
    path = tmp_path / "journal"

    def read(content: bytes) -> list[Record]:
        path.write_bytes(content)
        with path.open("rb") as file:
            return list(records_in(file))

    assert read(data) == records
    ends = [len(frames[0]), len(frames[0]) * 2, len(data)]
    for cut in range(0, len(data), 7):
        assert read(data[:cut]) == records[: sum(end <= cut for end in ends)]
    for place in range(0, len(data), 11):
        changed = bytearray(data)
        changed[place] ^= 0x55
        assert read(bytes(changed)) == records[: sum(end <= place for end in ends)]


@pytest.mark.parametrize("name", ["jsonl", "klv", "parquet"])
def test_a_killed_relay_loses_nothing_that_it_wrote(name: str, flights: Path):
    """The next start completes its files."""
    pytest.importorskip("pyarrow" if name == "parquet" else "json")
    config = flights.parent / "relay.toml"
    config.write_text(
        f'[[sink]]\nurl = "{flights}"\nfile_format = "{name}"\nsync = 0\n'
        f'[[source]]\nurl = "{ORBIT}"\nstream = "uav1"\nspeed = 20\nloop = true\n'
    )
    with subprocess.Popen([*COMMAND, "run", "-c", str(config)], env=ENVIRONMENT, stderr=subprocess.DEVNULL) as relay:
        end = time.monotonic() + 20
        while sum(path.stat().st_size for path in files_of(flights)) < 30_000 and time.monotonic() < end:
            time.sleep(0.01)
        relay.send_signal(signal.SIGKILL)
        relay.wait(10)
    (left,) = files_of(flights)
    count = whole_records(name, left)
    assert count > 10

    async def start_again() -> None:
        async with sink_to(flights, file_format=name):
            pass

    asyncio.run(start_again())
    (found,) = files_of(flights)
    assert found.name.endswith(f"Z{FORMATS[name].suffix}")
    assert rows_of(name, found) == count


def whole_records(name: str, path: Path) -> int:
    data = path.read_bytes()
    if name == "jsonl":
        return data.count(b"\n")
    if name == "klv":
        return len([one for one in decode(data) if one.good])
    with path.open("rb") as file:
        return sum(1 for _ in records_in(file))


@pytest.mark.parametrize("stage", ["before", "during", "after"])
async def test_a_file_that_is_being_made_when_the_relay_is_killed_is_made_again(stage: str, flights: Path):
    """Before, while and after it gets its name: one file, and no journal."""
    async with sink_to(flights, file_format="csv") as sink:
        await sink.deliver([record(number) for number in range(5)])
    (made,) = files_of(flights)
    content = made.read_bytes()
    journal = Path(f"{made}.csv.journal")
    journal.write_bytes(b"".join(frame_of(record(number)) for number in range(5)))
    if stage != "after":
        made.unlink()
    if stage == "during":
        Path(f"{made}.part").write_bytes(content[:50])
    async with sink_to(flights):
        pass
    assert files_of(flights) == [made]
    assert made.read_bytes() == content


async def test_a_journal_of_which_no_file_can_be_made_is_set_aside(
    flights: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """It does not look complete, and the number of attempts is limited."""

    def fail(*_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(build, "open_writer", fail)
    async with sink_to(flights, file_format="csv") as sink:
        await sink.deliver([record(0)])
    monkeypatch.undo()
    assert any("file not made" in line for line in caplog.messages)
    await eventually(lambda: [path.suffix for path in files_of(flights)] == [".torn"])


async def test_a_journal_waits_for_the_package_of_its_format(flights: Path, monkeypatch: pytest.MonkeyPatch):
    """It is not set aside."""

    def fail(*_: object) -> None:
        raise ConfigError("csv needs a package")

    monkeypatch.setattr(build, "open_writer", fail)
    async with sink_to(flights, file_format="csv") as sink:
        await sink.deliver([record(0)])
    monkeypatch.undo()
    assert [path.suffix for path in files_of(flights)] == [".journal"]
    async with sink_to(flights):
        pass
    assert [path.suffix for path in files_of(flights)] == [".csv"]


async def test_a_file_that_cannot_be_written_is_made_later(flights: Path, monkeypatch: pytest.MonkeyPatch):
    """Its journal stays meanwhile, in this run and for the next."""
    monkeypatch.setattr(folder, "RETRY", 0.0)
    monkeypatch.setattr(folder, "TICK", 0.01)
    calls = []

    def fail(*_: object) -> bool:
        calls.append(1)
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr(build, "_make", fail)
    async with sink_to(flights, file_format="csv", segment_size=4096) as sink:
        for number in range(40):
            await sink.deliver([record(number)])
        watching = asyncio.create_task(sink._far_end.lost())  # type: ignore[attr-defined]
        await eventually(lambda: len(calls) > 3)
        assert files_of(flights, "*.csv") == []
        monkeypatch.undo()
        monkeypatch.setattr(folder, "TICK", 0.01)
        monkeypatch.setattr(folder, "RETRY", 0.0)
        await eventually(lambda: len(files_of(flights, "*.csv")) > 0)
        watching.cancel()
        await asyncio.wait({watching})
    assert sum(len(path.read_bytes().splitlines()) - 1 for path in files_of(flights, "*.csv")) == 40
    assert files_of(flights) == files_of(flights, "*.csv")


async def eventually(check: Callable[[], bool], within: float = 10.0) -> None:
    end = asyncio.get_running_loop().time() + within
    while not check():
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.005)


# ---- when a record counts as delivered ----


async def test_records_are_confirmed_when_they_are_forced_to_disk(flights: Path, monkeypatch: pytest.MonkeyPatch):
    """At an interval for all together; many at once are not held."""
    synced: list[float] = []
    loop = asyncio.get_running_loop()
    real = os.fdatasync

    def sync(fd: int) -> None:
        synced.append(loop.time())
        real(fd)

    monkeypatch.setattr(segment.os, "fdatasync", sync)
    async with sink_to(flights, sync=0.2) as sink:
        deliveries = [asyncio.create_task(sink.deliver([record(number)])) for number in range(20)]
        await asyncio.gather(*deliveries)
        assert len(synced) <= 3
        begin = loop.time()
        await sink.deliver([record(number) for number in range(20, 20 + folder.MANY)])
        assert loop.time() - begin < 0.2
    assert numbers_in(files_of(flights)) == list(range(20 + folder.MANY))


# ---- settings ----


@each_case(
    ("url", "settings", "text"),
    [
        ("file:///f", {"file_format": "parquet", "compress": "zstd"}, "compress: parquet compresses by itself"),
        ("/f", {"total": 1 << 20}, "total: must be at least two files of segment_size"),
        ("flights", {}, "must begin with a scheme"),
        ("file://flights", {}, "begins with /, ./ or ../"),
        ("/f?file_fromat=parquet", {}, "unknown option file_fromat; did you mean file_format"),
        ("/f?segment=soon", {}, "segment: must be"),
    ],
)
def test_settings_that_contradict_each_other_are_named(url: str, settings: dict[str, object], text: str):
    """With the key."""
    with pytest.raises(ConfigError, match=text):
        kind_of_url(url).from_url(url, settings)


@each_case("path", ["/var/flights", "./flights", "../flights", "file:///var/flights/"])
def test_a_folder_is_given_as_a_path_or_a_url(path: str):
    """A trailing slash does not matter."""
    assert settings_of(Path("/f")) == settings_of(Path("/f/"))
    made = kind_of_url(path).from_url(path, {})
    assert made.url == path.removeprefix("file://").rstrip("/")


def test_options_of_the_url_are_settings():
    """As of other sinks, so that the command line can choose the format. Those of the table override them."""
    made = kind_of_url("/f").from_url("/f/?file_format=klv&segment=1m", {"segment": 30.0})
    assert made == FilesSettings(path="/f", file_format="klv", segment=30.0)
    assert kind_of_url("file:///a%3Fb").from_url("file:///a%3Fb", {}).url == "/a?b"


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO, "klvrelay"):
        yield




@pytest.mark.parametrize(("name", "package"), [("parquet", "pyarrow"), ("mcap", "mcap.writer")])
def test_a_missing_package_is_named_before_anything_starts(name: str, package: str, monkeypatch: pytest.MonkeyPatch):
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, package, None)
    for module in ("parquet", "mcap_file"):
        monkeypatch.delitem(sys.modules, f"klvrelay.exports.{module}", raising=False)
    with pytest.raises(ConfigError, match=rf"pip install 'klvrelay\[{name}\]'"):
        check_far_end(settings_of(Path("/f"), file_format=name))


def test_a_relay_that_is_stopped_completes_its_files(flights: Path):
    """Within seconds; so does one whose source ends."""
    pytest.importorskip("pyarrow")
    config = flights.parent / "relay.toml"
    source = f'[[source]]\nurl = "{ORBIT}"\n'
    config.write_text(f'[[sink]]\nurl = "{flights}"\nfile_format = "parquet"\n{source}speed = 1\nloop = true\n')
    with subprocess.Popen([*COMMAND, "run", "-c", str(config)], env=ENVIRONMENT, stderr=subprocess.DEVNULL) as relay:
        end = time.monotonic() + 20
        while not files_of(flights, "*.journal") and time.monotonic() < end:
            time.sleep(0.01)
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(10) == 0
    (found,) = files_of(flights)
    assert found.suffix == ".parquet"
    config.write_text(f'[[sink]]\nurl = "{flights}"\nfile_format = "csv"\n{source}')
    subprocess.run([*COMMAND, "run", "-c", str(config)], env=ENVIRONMENT, stderr=subprocess.DEVNULL, check=True)
    (made,) = files_of(flights, "*.csv")
    assert len(made.read_bytes().splitlines()) == 361
