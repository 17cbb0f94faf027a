"""`klvrelay spool`: what a spool contains, where it is damaged, and its records; and that it changes nothing."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import feed
import pytest
from records import record
from test_cli import COMMAND, ENVIRONMENT, ran

from klvrelay.cli import main as cli
from klvrelay.record import Record
from klvrelay.spool.disk.cursor_file import OPEN_END, Ranges
from klvrelay.spool.disk.files import OsFolder
from klvrelay.spool.disk.format import ENTRY_SIZE, unpack_record
from klvrelay.spool.disk.log import COMMIT
from klvrelay.spool.disk.opening import open_log
from klvrelay.spool.disk.reader import SpoolReader
from klvrelay.spool.disk.readonly import ReadOnlyFolder
from klvrelay.spool.disk.store import Store
from klvrelay.spool.disk.survey import SpoolSurvey, Surveyor

MIB = 1 << 20
SECOND = 1_000_000


def filled(folder: Path, records: Sequence[Record], cursors: dict[str, Ranges], size: int = MIB) -> Path:
    """A spool with these records from position 0 on, as a relay leaves it; segments of 64 KiB."""
    folder.mkdir()
    store = Store(OsFolder(folder), "klvrelay", size)
    for at in range(0, len(records), 100):
        some = records[at : at + 100]
        result = store.commit(dict(enumerate(some, at)), {"mqtt": [(0, OPEN_END)]}, hurry=False)
        assert result.fault is None
    store.commit({}, cursors, hurry=False)
    store.close()
    return folder


RECORDS = [
    *(record(seq, "uav1", boot="aaaaaa", received_us=(100 + seq) * SECOND) for seq in range(300)),
    *(record(seq, "uav2", boot="aaaaaa", received_us=None) for seq in range(300)),
    *(record(seq, "uav1", boot="bbbbbb", received_us=(1000 + seq) * SECOND) for seq in range(300)),
]
CURSORS: dict[str, Ranges] = {"mqtt": [(250, 260), (310, OPEN_END)], "other": [(900, OPEN_END)]}


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return filled(tmp_path / "spool", RECORDS, CURSORS)


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and time of the last change of each file, and of the folder."""
    files = {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}
    return files | {".": (b"", folder.stat().st_mtime_ns)}


def listed(capfd: pytest.CaptureFixture[str], folder: Path, *options: str, code: int = 0) -> dict[str, Any]:
    done = ran(capfd, "spool", str(folder), "--json", *options)
    assert (done[0], done[2]) == (code, "")
    document: dict[str, Any] = json.loads(done[1])
    return document


def test_the_listing_has_streams_sinks_and_segments(spool: Path, capfd: pytest.CaptureFixture[str]):
    """Per stream and run the records, numbers and times; per sink what it has yet to deliver."""
    found = listed(capfd, spool)
    assert {key: found[key] for key in ("schema", "version", "relay", "in_use", "records", "damage")} == {
        "schema": "klvrelay/spool/1", "version": 1, "relay": "klvrelay", "in_use": False, "records": 900, "damage": [],
    }  # fmt: skip
    streams = [
        (one["stream"], one["boot"], one["records"], one["waiting"], one["seq"], one["received"])
        for one in found["streams"]
    ]
    assert streams == [
        ("uav1", "aaaaaa", 300, 10, [0, 299], ["1970-01-01T00:01:40.000000Z", "1970-01-01T00:06:39.000000Z"]),
        ("uav1", "bbbbbb", 300, 300, [0, 299], ["1970-01-01T00:16:40.000000Z", "1970-01-01T00:21:39.000000Z"]),
        ("uav2", "aaaaaa", 300, 290, [0, 299], [None, None]),
    ]
    sinks = [(one["name"], one["waiting"], one["oldest"]) for one in found["sinks"]]
    assert sinks == [("mqtt", 600, "1970-01-01T00:05:50.000000Z"), ("other", 0, None)]
    files = sorted(spool.glob("segment-*"))
    assert [one["file"] for one in found["segments"]] == [file.name for file in files]
    assert sum(one["records"] for one in found["segments"]) == 900
    assert sum(one["waiting"] for one in found["segments"]) == 600
    assert found["bytes"] == sum(file.stat().st_size for file in files)


def test_the_printed_listing_shows_the_same(spool: Path, capfd: pytest.CaptureFixture[str]):
    """As aligned text, without a terminal."""
    code, out, said = ran(capfd, "spool", str(spool))
    assert (code, said) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert out.startswith(f"{spool}: 900 records in ")
    assert ["topic", "prefix", "klvrelay"] in rows
    assert ["damage", "none"] in rows
    assert ["uav1", "aaaaaa", "300", "10", "0", "to", "299"] in [row[:7] for row in rows]
    assert ["mqtt", "600"] in [row[:2] for row in rows]
    assert ["segment-000"] in [row[:1] for row in rows]


@pytest.mark.parametrize("damage", [False, True], ids=["whole", "damaged"])
@pytest.mark.parametrize(
    "options", [[], ["--json"], ["--verify"], ["--export", "-"], ["--export", "-", "--sink", "mqtt"]], ids=" ".join
)
def test_nothing_is_changed(spool: Path, options: list[str], damage: bool, capfd: pytest.CaptureFixture[str]):
    """No byte, no file, no time of change: not even of what a start of the relay would repair."""
    if damage:
        (spool / "spool.json").write_bytes(b"")
        (spool / "mqtt.cursor").write_bytes(bytes(100))
        file = spool / "segment-000"
        file.write_bytes(file.read_bytes()[:30_000])
    before = state(spool)
    ran(capfd, "spool", str(spool), *options)
    assert state(spool) == before


async def test_a_spool_that_a_relay_uses_is_listed(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """It says so, and the relay goes on."""
    log = await open_log(tmp_path / "spool", "klvrelay", MIB)
    cursor = log.cursor("mqtt")
    for seq in range(20):
        log.append(record(seq))
    async with asyncio.timeout(10):
        while log.pending:
            await asyncio.sleep(COMMIT / 5)
    found = listed(capfd, tmp_path / "spool", "--verify")
    assert (found["in_use"], found["records"], found["sinks"][0]["waiting"]) == (True, 20, 20)
    assert "by a running relay" in ran(capfd, "spool", str(tmp_path / "spool"))[1]
    log.append(record(20))
    assert [one.seq for one in await asyncio.wait_for(cursor.batch(100), 5)] == list(range(21))
    await log.close()


async def test_a_relay_starts_while_its_spool_is_read(spool: Path):
    """The reader looks for the relay's lock, and may hold it for a moment; it holds none while it reads."""
    folder = ReadOnlyFolder(spool)
    reader = SpoolReader(folder)
    assert not reader.in_use
    log = await open_log(spool, "klvrelay", MIB)
    content = reader.read(reader.segments[0][0])
    assert content is not None
    assert content.entries
    await log.close()
    folder.close()


def test_a_segment_that_is_used_again_meanwhile_is_left_out(spool: Path):
    """Its records were delivered; those that replace them were not there at the start."""
    folder = ReadOnlyFolder(spool)
    reader = SpoolReader(folder)
    surveyor = Surveyor(reader)
    names = [name for name, _ in reader.segments]
    assert len(names) > 1
    (spool / names[0]).unlink()
    for name in names:
        surveyor.add(reader.read(name))
    assert surveyor.survey.changed == 1
    assert [part.file for part in surveyor.survey.segments] == names[1:]
    folder.close()


def test_a_spool_that_changes_all_the_time_shows_no_damage(tmp_path: Path):
    """A relay writes, releases and reuses segments meanwhile: what is read is whole, in order, and waits or waited."""
    folder = tmp_path / "spool"
    store = Store(OsFolder(filled(folder, [], {})), "klvrelay", MIB)
    stop, written = threading.Event(), [0]

    def write() -> None:
        chance = Random(1)
        while not stop.is_set():
            some = {at: record(at, raw=bytes(chance.randrange(3000))) for at in range(written[0], written[0] + 20)}
            store.commit(some, {"mqtt": [(max(0, written[0] - 100), OPEN_END)]}, hurry=False)
            written[0] += 20

    writer = threading.Thread(target=write)
    writer.start()
    changed = 0
    try:
        while written[0] < 6000 or not changed:
            survey, seqs = surveyed(folder)
            changed += survey.changed
            assert survey.damage == []
            assert seqs == sorted(set(seqs))
    finally:
        stop.set()
        writer.join()
        store.close()
    assert at_rest(folder) == list(range(written[0] - 120, written[0]))


def surveyed(folder: Path) -> tuple[SpoolSurvey, list[int]]:
    """The survey of a spool, and the numbers of its records in the order in which they are read."""
    opened = ReadOnlyFolder(folder)
    surveyor = Surveyor(reader := SpoolReader(opened))
    seqs: list[int] = []
    for name, _ in reader.segments:
        surveyor.add(content := reader.read(name))
        if content is not None:
            payloads = (content.data[entry.start + ENTRY_SIZE : entry.end] for entry in content.entries)
            seqs += [unpack_record(payload).seq for payload in payloads]
    opened.close()
    return surveyor.survey, seqs


def at_rest(folder: Path) -> list[int]:
    """The numbers of the records that wait, at rest."""
    survey, seqs = surveyed(folder)
    assert survey.changed == 0
    return seqs[-survey.sinks["mqtt"].records :]


def used(data: bytes) -> int:
    """The end of the entries of a new segment, whose rest is zeros."""
    return len(data.rstrip(b"\0"))


def test_each_flipped_bit_is_found(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Whatever it is in: header, length, mark, payload, also of the last record; with its file and place."""
    spool = filled(tmp_path / "spool", RECORDS[:200], {"mqtt": [(0, OPEN_END)]})
    file = spool / "segment-000"
    whole, chance = file.read_bytes(), Random(4)
    end = used(whole)
    last = whole.rindex(whole[64:68], 0, end)
    assert ran(capfd, "spool", str(spool), "--verify")[0] == 0
    for at in [*(chance.randrange(end) for _ in range(150)), *range(last, last + 30)]:
        data = bytearray(whole)
        data[at] ^= 1 << chance.randrange(8)
        file.write_bytes(data)
        damage = listed(capfd, spool, "--verify", code=1)["damage"]
        assert any(
            one["file"] == file.name and one["offset"] <= at < one["offset"] + one["bytes"] for one in damage
        ), (at, damage)
        assert sum(one["lost"] or 0 for one in damage) <= 1
    file.write_bytes(whole)
    assert ran(capfd, "spool", str(spool), "--verify")[0] == 0


def test_damage_is_shown_with_file_and_offset(spool: Path, capfd: pytest.CaptureFixture[str]):
    """Where, how much is lost, and what to do; without --verify only how many places."""
    file = spool / "segment-000"
    data = bytearray(file.read_bytes())
    data[20_000:21_000] = bytes(1000)
    file.write_bytes(data)
    code, out, said = ran(capfd, "spool", str(spool))
    assert (code, said) == (0, "")
    assert "1 damaged place, at most " in out
    assert "--verify shows where the damage is" in out
    code, out, said = ran(capfd, "spool", str(spool), "--verify")
    assert (code, said) == (1, "")
    row = next(line.split() for line in out.splitlines() if "damaged records" in line)
    assert row[0] == "segment-000"
    assert 19_500 < int(row[1]) <= 20_000
    assert "start it as usual" in out


def test_a_reused_segment_is_not_damaged(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """It has old entries behind its new ones, and so have most segments of a spool that is in use."""
    folder = tmp_path / "spool"
    folder.mkdir()
    store = Store(OsFolder(folder), "klvrelay", MIB)
    chance, position = Random(7), 0
    for _ in range(120):
        some = {position + at: record(position + at, raw=bytes(chance.randrange(50, 900))) for at in range(30)}
        position += 30
        store.commit(some, {"mqtt": [(max(0, position - 40), OPEN_END)]}, hurry=False)
        if chance.random() < 0.2:
            found = listed(capfd, folder)
            assert found["damage"] == []
            assert found["sinks"][0]["waiting"] == min(40, position)
    store.close()
    assert ran(capfd, "spool", str(folder), "--verify")[0] == 0


@pytest.mark.parametrize(
    ("file", "content", "what"),
    [
        ("spool.json", b"{", "damaged or absent"),
        ("mqtt.cursor", b"KLVCURSR" * 1024, "cursor is damaged"),
    ],
)
def test_damage_of_other_files_is_found(
    spool: Path, file: str, content: bytes, what: str, capfd: pytest.CaptureFixture[str]
):
    """The records are readable without them; a sink without its cursor has yet to deliver all."""
    (spool / file).write_bytes(content)
    found = listed(capfd, spool, "--verify", code=1)
    assert {(one["file"], one["what"]) for one in found["damage"]} == {(file, what)}
    assert found["records"] == 900
    assert found["sinks"][0]["waiting"] == (900 if file == "mqtt.cursor" else 600)


def test_bytes_that_cannot_be_read_are_damage(spool: Path, monkeypatch: pytest.MonkeyPatch):
    """A bad sector costs what is in it; all other segments are listed."""
    pread = os.pread

    def bad(fd: int, size: int, at: int) -> bytes:
        if size > 4096 and os.readlink(f"/proc/self/fd/{fd}").endswith("segment-000"):
            raise OSError(5, "Input/output error")
        return pread(fd, size, at)

    monkeypatch.setattr(os, "pread", bad)
    folder = ReadOnlyFolder(spool)
    surveyor = Surveyor(reader := SpoolReader(folder))
    for name, _ in reader.segments:
        surveyor.add(reader.read(name))
    folder.close()
    assert [one[:4] for one in surveyor.survey.damage] == [
        ("segment-000", 0, 65536, "cannot be read: Input/output error")
    ]
    assert 0 < surveyor.survey.records < 900


def lines(records: Sequence[Record]) -> str:
    return "".join(f"{one.json().decode()}\n" for one in records)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ([], RECORDS),
        (["--stream", "uav2"], RECORDS[300:600]),
        (["--sink", "mqtt"], [*RECORDS[250:260], *RECORDS[310:]]),
        (["--sink", "mqtt", "--stream", "uav2"], RECORDS[310:600]),
        (["--sink", "other"], []),
        (["--stream", "none"], []),
    ],
    ids=lambda value: " ".join(value) if value and isinstance(value[0], str) else "",
)
def test_an_export_has_the_json_of_the_records(
    spool: Path, tmp_path: Path, options: list[str], wanted: list[Record], capfd: pytest.CaptureFixture[str]
):
    """In order, as `decode` and `telemetry` write it: to a file, and to standard output."""
    target = tmp_path / "records.jsonl"
    target.write_text("before")
    code, out, said = ran(capfd, "spool", str(spool), "--export", str(target), *options)
    assert (code, out) == (0, "")
    assert said == f"exported {len(wanted)} record{'s' * (len(wanted) != 1)}\n"
    assert target.read_text() == lines(wanted)
    assert ran(capfd, "spool", str(spool), "--export", "-", "-q", *options) == (0, lines(wanted), "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["records.jsonl", "spool"]


def test_an_export_of_a_damaged_spool_says_that_records_may_be_missing(
    spool: Path, capfd: pytest.CaptureFixture[str]
):
    """All others are written; exit code 1."""
    file = spool / "segment-000"
    data = bytearray(file.read_bytes())
    data[20_000] ^= 1
    file.write_bytes(data)
    code, out, said = ran(capfd, "spool", str(spool), "--export", "-", "-q")
    assert (code, len(out.splitlines())) == (1, 899)
    assert said == f"klvrelay: {spool}: 1 damaged place, records may be missing; --verify shows where\n"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--sink", "mqtt"], "--sink: has an effect with --export only"),
        (["--stream", "uav1"], "--stream: has an effect with --export only"),
        (["--export", "-", "--json"], "--export: not together with --json"),
        (["--export", "-", "--verify"], "--export: not together with --verify"),
        (["--export", "-", "--sink", "mqtts"], "--sink mqtts: unknown sink; valid sinks: mqtt, other"),
        (["--export", "spool/records.jsonl"], "not into the folder of the spool; choose another one"),
        (["--export", "none/records.jsonl"], "not a file in an existing folder"),
        (["--export", "."], "not a file in an existing folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_options_are_refused(
    spool: Path, options: list[str], reason: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """Exit code 2, one line, and nothing is written."""
    monkeypatch.chdir(spool.parent)
    before = state(spool)
    code, out, said = ran(capfd, "spool", "spool", *options)
    assert (code, out) == (2, "")
    assert reason in said
    assert len(said.splitlines()) == 1
    assert state(spool) == before


def absent(folder: Path) -> None:
    pass


def a_file(folder: Path) -> None:
    folder.write_text("")


def empty(folder: Path) -> None:
    folder.mkdir()


def of_another_version(folder: Path) -> None:
    filled(folder, RECORDS[:1], {})
    identity = folder / "spool.json"
    identity.write_text(json.dumps(json.loads(identity.read_text()) | {"version": 99}))


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (absent, "no such folder; give the folder of `run --spool`, or of [spool] path"),
        (a_file, "not a folder; give the folder of `run --spool`, or of [spool] path"),
        (empty, "not a spool: no spool.json, and no segments; give the folder of `run --spool`, or of [spool] path"),
        (of_another_version, "spool of version 99, this klvrelay reads 1: use the klvrelay that wrote it"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--verify"], ["--export", "-"]], ids=" ".join)
def test_a_folder_that_is_no_spool_is_refused(
    tmp_path: Path, made: Any, reason: str, options: list[str], capfd: pytest.CaptureFixture[str]
):
    """Exit code 2, the path, what is wrong, and what to do."""
    made(tmp_path / "spool")
    code, out, said = ran(capfd, "spool", str(tmp_path / "spool"), *options)
    assert (code, out, said) == (2, "", f"klvrelay: {tmp_path / 'spool'}: {reason}\n")


@pytest.mark.parametrize("refused", ["spool", "segment-000"])
def test_a_spool_without_permission_is_refused(
    spool: Path, refused: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """With the remedy. Root may read everything, so the refusal is simulated."""
    open_really = os.open

    def opened(path: Any, *args: Any, **more: Any) -> int:
        if Path(path).name == refused:
            raise PermissionError(13, "Permission denied")
        return open_really(path, *args, **more)

    monkeypatch.setattr(os, "open", opened)
    code, out, said = ran(capfd, "spool", str(spool))
    assert (code, out) == (2, "")
    assert said == f"klvrelay: {spool}: no permission to read it; run this as the user of the relay, or as root\n"


def test_an_export_to_a_full_disk_is_exit_code_1(spool: Path, capfd: pytest.CaptureFixture[str]):
    """Named, and without a traceback."""
    code, out, said = ran(capfd, "spool", str(spool), "--export", "/dev/full")
    assert (code, out) == (1, "")
    assert said == "klvrelay: --export /dev/full: can't be written: No space left on device\n"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """96 MiB in segments of 6 MiB."""
    raw = feed.klv_packet(1, 1_700_000_000_000_000, padding=60_000)
    records = [record(seq, raw=raw) for seq in range(1500)]
    folder = filled(tmp_path_factory.mktemp("large") / "spool", records, {"mqtt": [(0, OPEN_END)]}, 96 * MIB)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("options", [["--verify"], ["--export", "/dev/null"]], ids=" ".join)
def test_memory_is_bounded(large: Path, spool: Path, options: list[str]):
    """One segment at a time: a spool that is larger than memory can be read."""
    small, peak = (peak_of(folder, options) for folder in (spool, large))
    assert sum(file.stat().st_size for file in large.iterdir()) > 80 * MIB
    assert peak - small < 40 * MIB


PEAK = """
import re, sys
from pathlib import Path
from klvrelay.cli.main import main
code = main(sys.argv[1:])
# Not ru_maxrss, which includes the process that started this one.
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1], file=sys.stderr)
sys.exit(code)
"""


def peak_of(folder: Path, options: list[str]) -> int:
    """Peak resident bytes of the command."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, "spool", str(folder), *options, "-q"], env=ENVIRONMENT, capture_output=True,
        text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stderr) << 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_an_export(large: Path, number: signal.Signals):
    """Exit code 130 and one word, also while the reader of the pipe does not read."""
    process = subprocess.Popen(
        [*COMMAND, "spool", str(large), "--export", "-"], env=ENVIRONMENT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert process.stdout.read(1) == b"{"
        process.send_signal(number)
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, said) == (130, b"klvrelay: stopped\n")


def test_an_export_that_is_interrupted_leaves_no_file(
    spool: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """And the earlier file of that name as it was."""
    target = tmp_path / "records.jsonl"
    target.write_text("before")
    read = SpoolReader.read

    def interrupted(self: SpoolReader, name: str) -> Any:
        if name == "segment-001":
            assert len(list(tmp_path.glob(".records.jsonl.*"))) == 1
            raise KeyboardInterrupt
        return read(self, name)

    monkeypatch.setattr(SpoolReader, "read", interrupted)
    assert cli.main(["spool", str(spool), "--export", str(target)]) == 130
    assert target.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["records.jsonl", "spool"]


def test_a_terminal_sees_a_progress_bar_and_a_pipe_does_not(spool: Path):
    """The bar is on standard error; standard output has only the listing."""
    main, terminal = os.openpty()
    with os.fdopen(main, "rb", 0) as screen:
        done = subprocess.run(
            [*COMMAND, "spool", str(spool), "--verify"], stdout=subprocess.PIPE, stderr=terminal, timeout=20,
            env={**ENVIRONMENT, "TERM": "xterm"},
        )  # fmt: skip
        os.close(terminal)
        seen = screen.read(65536).decode()
    assert done.returncode == 0
    assert done.stdout.decode().startswith(f"{spool}: 900 records in ")
    assert "verifying" in seen
    assert "\x1b[?25h" in seen  # the cursor is visible again
