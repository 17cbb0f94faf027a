"""The log file: rotation by size and count, disks that fail, files that are moved, and a process that is killed."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from logged import lines_of
from test_record_process import tiny_disk  # noqa: F401

from klvrelay.logs import queued
from klvrelay.logs.log_file import LogFile
from klvrelay.logs.queued import QueuedFile

WRITER = """\
import sys
from klvrelay.logs.log_file import LogFile
from klvrelay.logs.queued import QueuedFile
path, size, count, lines = sys.argv[1], *map(int, sys.argv[2:])
file = LogFile(path, size, count)
file.open()
log = QueuedFile(file, str.encode, print)
print("begins", flush=True)
number = 0
while number != lines:
    if number % 1000 == 0:
        log.flush(30)
    log.put(b"%08d %s end\\n" % (number, b"x" * (number % 200)))
    number += 1
log.flush(30)
log.close()
"""


def writer(path: Path, size: int, count: int, lines: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, path, *map(str, (size, count, lines))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def numbers_of(*paths: Path) -> list[int]:
    """The numbers of the lines, all of which are whole."""
    lines = [line for path in paths for line in lines_of(path)]
    assert all(line.endswith(" end") for line in lines)
    return [int(line[:8]) for line in lines]


class Reports(list[str]):
    """The reports of a log, which another thread appends."""

    def wait_for(self, count: int) -> None:
        end = time.monotonic() + 20
        while len(self) < count:
            assert time.monotonic() < end, self
            time.sleep(0.005)


def opened(path: Path, size: int = 1000, count: int = 2) -> tuple[QueuedFile, Reports]:
    file, reports = LogFile(str(path), size, count), Reports()
    file.open()
    return QueuedFile(file, lambda text: f"{text}\n".encode(), reports.append), reports


def test_rotation_under_load_bounds_the_total(tmp_path: Path):
    """While a process writes as fast as it can: each line once, in order, the newest are kept, and no more than size x
    (count + 1) bytes at any time.
    """
    path, size, count = tmp_path / "log", 50_000, 3
    with writer(path, size, count, 30_000) as process:
        totals = []
        while process.poll() is None:
            totals.append(sum(map(size_of, tmp_path.iterdir())))
    assert process.returncode == 0
    files = [tmp_path / name for name in ("log.3", "log.2", "log.1", "log")]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    found = numbers_of(*files)
    assert found == list(range(found[0], 30_000))
    assert all(file.stat().st_size <= size for file in files)
    assert max(totals) <= size * (count + 1) + size  # a file may be counted under two names


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def test_a_killed_process_leaves_whole_lines(tmp_path: Path):
    """SIGKILL while it writes; the next one appends."""
    path = tmp_path / "log"
    for _ in range(3):
        with writer(path, 1 << 30, 1, -1) as process:
            assert process.stdout is not None
            process.stdout.readline()
            before = size_of(path)
            end = time.monotonic() + 20
            while size_of(path) < before + 100_000:
                assert time.monotonic() < end
            process.send_signal(signal.SIGKILL)
    found = numbers_of(path)
    assert found.count(0) == 3


def test_a_line_without_an_end_gets_one(tmp_path: Path):
    """So that the first line of the next process is whole."""
    path = tmp_path / "log"
    path.write_text("cut")
    log, _ = opened(path)
    log.put(b"next\n")
    log.close()
    assert path.read_text() == "cut\nnext\n"


def test_a_new_file_has_mode_0640(tmp_path: Path):
    """Also after a rotation; the umask may take more away."""
    before = os.umask(0)
    try:
        log, _ = opened(tmp_path / "log", size=10)
        log.put(b"12345678\n")
        log.put(b"12345678\n")
        log.close()
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()] == [0o640, 0o640]


def test_fewer_files_are_kept_after_a_change(tmp_path: Path):
    """Files beyond the new count are deleted at the next rotation; others with similar names stay."""
    for name in ("log.1", "log.4", "log.12", "log.x", "log.1.gz", "other.9"):
        (tmp_path / name).write_text("old\n")
    log, reports = opened(tmp_path / "log", size=10, count=1)
    log.put(b"12345678\n")
    log.put(b"abcdefgh\n")
    log.close()
    assert {path.name for path in tmp_path.iterdir()} == {"log", "log.1", "log.x", "log.1.gz", "other.9"}
    assert (tmp_path / "log.1").read_text() == "12345678\n"
    assert reports == []


def test_no_rotated_file_may_be_kept(tmp_path: Path):
    """With count 0 the file begins again."""
    log, _ = opened(tmp_path / "log", size=10, count=0)
    log.put(b"12345678\n")
    log.put(b"abcdefgh\n")
    log.close()
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
    assert (tmp_path / "log").read_text() == "abcdefgh\n"


def test_a_full_disk_is_reported_once_and_leaves_whole_lines(
    tiny_disk: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
):
    """Lines wait, within bounds; writing resumes with what waits, and the number of lost lines, once there is space."""
    monkeypatch.setattr(queued, "SIZE_MOST", 200_000)
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(bytes(900 << 10))
    log, reports = opened(tiny_disk / "log", size=1 << 30)
    line = b"x" * 990 + b" end\n"
    for _ in range(3000):
        log.put(line)
    reports.wait_for(1)
    assert reports == [
        f"log file: can't write, retrying: reason='No space left on device' file={tiny_disk / 'log'}"
    ]
    ballast.write_bytes(b"")
    reports.wait_for(2)
    log.put(b"last\n")
    log.flush(20)
    log.close()
    assert reports[1:] == ["log file: writing again"]
    lines = lines_of(tiny_disk / "log")
    kept = lines.count(line.decode().strip())
    lost = [int(one.partition("count=")[2]) for one in lines if one.startswith("log lines lost: count=")]
    assert kept + sum(lost) == 3000
    assert len(lines) == kept + len(lost) + 1


def test_a_full_disk_never_stops_the_caller(tiny_disk: Path):  # noqa: F811
    """Every call returns at once, and the end too; what could not be written is reported."""
    (tiny_disk / "ballast").write_bytes(bytes(1 << 20))
    log, reports = opened(tiny_disk / "log")
    began = time.monotonic()
    for _ in range(10_000):
        log.put(b"x" * 999 + b"\n")
    reports.wait_for(1)
    log.close()
    assert time.monotonic() - began < 10
    assert reports[1:] == ["log lines lost: count=10000"]


def test_a_slow_disk_never_blocks_the_caller(tmp_path: Path):
    """A bounded number of bytes waits; further lines are counted, and the count is written when the disk is back."""
    log, _ = opened(tmp_path / "log", size=1 << 30)
    blocked, released = threading.Event(), threading.Event()
    write = log._file.write

    def slow(line: bytes) -> None:
        blocked.set()
        assert released.wait(20)
        write(line)

    log._file.write = slow  # type: ignore[method-assign]
    log.put(b"first\n")
    assert blocked.wait(20)
    most = queued.SIZE_MOST // 1000
    for _ in range(most + 50):
        log.put(b"x" * 999 + b"\n")
    assert len(log._lines) <= most + 1
    released.set()
    assert log.flush(20)
    log.close()
    lines = lines_of(tmp_path / "log")
    assert lines[0] == "first"
    assert lines[1] == f"log lines lost: count={most + 51 - (len(lines) - 1)}"


def test_a_removed_folder_is_reported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writing resumes once the folder is back."""
    monkeypatch.setattr(queued, "RETRY", 0.01)
    folder = tmp_path / "logs"
    folder.mkdir()
    log, reports = opened(folder / "log")
    (folder / "log").unlink()
    folder.rmdir()
    log.reopen()
    log.put(b"waits\n")
    reports.wait_for(1)
    folder.mkdir()
    reports.wait_for(2)
    assert log.flush(20)
    log.close()
    assert (folder / "log").read_text() == "waits\n"
    assert reports == [
        f"log file: can't write, retrying: reason='No such file or directory' file={folder / 'log'}",
        "log file: writing again",
    ]


def test_a_read_only_file_system_is_reported_once(tiny_disk: Path, monkeypatch: pytest.MonkeyPatch):  # noqa: F811
    """Writing resumes once it can be written again."""
    monkeypatch.setattr(queued, "RETRY", 0.01)
    subprocess.run(["mount", "-o", "remount,ro", tiny_disk], check=True)
    reports = Reports()
    log = QueuedFile(LogFile(str(tiny_disk / "log"), 1000, 2), str.encode, reports.append)
    log.put(b"waits\n")
    reports.wait_for(1)
    subprocess.run(["mount", "-o", "remount,rw", tiny_disk], check=True)
    reports.wait_for(2)
    assert log.flush(20)
    log.close()
    assert (tiny_disk / "log").read_text() == "waits\n"
    assert "Read-only file system" in reports[0]


def test_a_file_that_was_moved_away_is_opened_again(tmp_path: Path):
    """As logrotate does before it sends SIGHUP: earlier lines stay in the moved file."""
    path = tmp_path / "log"
    log, _ = opened(path)
    log.put(b"one\n")
    assert log.flush(20)
    path.rename(tmp_path / "moved")
    log.reopen()
    log.put(b"two\n")
    log.close()
    assert ((tmp_path / "moved").read_text(), path.read_text()) == ("one\n", "two\n")


def test_a_second_writer_is_refused(tmp_path: Path):
    """While the first has the file, also after a rotation; not after it has ended."""
    path = tmp_path / "log"
    log, _ = opened(path, size=10)
    for _ in range(3):
        log.put(b"12345678\n")
    assert log.flush(20)
    with pytest.raises(OSError, match="another process writes to it"):
        LogFile(str(path), 1000, 2).open()
    log.close()
    end = time.monotonic() + 20
    while True:
        try:
            return LogFile(str(path), 1000, 2).open()
        except OSError:
            assert time.monotonic() < end


@pytest.mark.parametrize("kind", ["folder", "fifo", "device"])
def test_only_a_regular_file_is_a_log(kind: str, tmp_path: Path):
    """Opening another one fails at once."""
    path = tmp_path / "log"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path = Path(os.devnull)
    with pytest.raises(OSError, match=r"directory|not a regular file"):
        LogFile(str(path), 1000, 2).open()
