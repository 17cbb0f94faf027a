"""The probe is bounded by the size of its input: its work, its memory, its reports, and how long a signal waits.

`probe_streams.py` makes the streams. Work is counted in calls of functions, which no load of the machine changes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import orjson
import pytest
from probe_streams import HOSTILE, KLV_PID, KLVA, VIDEO, Maker, Mux, item, klv
from probing import probed, sample_file
from rich.console import Console
from test_cli import ENVIRONMENT, ran

from klvrelay.probe import Report, inquire
from klvrelay.probe.tell.document import document
from klvrelay.probe.tell.page import page
from klvrelay.probe.tell.text import write
from klvrelay.sources import open_source

SIZE = 600_000
TEXT, JSON, HTML = 64 << 10, 1 << 20, 2 << 20


def text_of(report: Report, path: Path) -> str:
    """The report as it goes into a pipe."""
    with path.open("w+", encoding="utf-8") as file:
        write(report, Console(file=file, width=120, no_color=True, highlight=False))
        file.seek(0)
        return file.read()


def is_plain(text: str) -> bool:
    return all(letter.isprintable() or letter == "\n" for letter in text)


# ---- reports ----


@pytest.mark.parametrize("name", HOSTILE)
def test_reports_have_a_size_and_nothing_unprintable(name: str, tmp_path: Path):
    """Whatever a stream lists: text, JSON and HTML stay within what can be read, mailed and kept."""
    report = probed(HOSTILE[name](SIZE), tmp_path)

    text, made, html = text_of(report, tmp_path / "text"), document(report), page(report)

    assert len(text.encode()) <= TEXT
    assert len(made) <= JSON
    assert len(html.encode()) <= HTML
    assert is_plain(text)
    assert is_plain(html)
    assert orjson.loads(made)["verdict"]["exit_code"] == report.verdict.exit_code


def test_lists_say_how_much_is_not_in_them(tmp_path: Path):
    """Programs, PIDs: so many are shown, and the others are a number."""
    programs = probed(HOSTILE["many_programs"](1_000_000), tmp_path)
    assert programs.transport is not None
    assert len(programs.transport.programs) == 64
    assert programs.transport.programs_left_out > 900
    assert "more programs" in text_of(programs, tmp_path / "text")
    assert "more programs" in page(programs)

    pids = probed(HOSTILE["all_pids"](1_700_000), tmp_path)
    assert pids.transport is not None
    assert len(pids.transport.pids) == 8191
    told = orjson.loads(document(pids))
    assert len(told["transport"]["pids"]) + told["left_out"]["pids"] == 8191
    assert "and 8,127 more" in text_of(pids, tmp_path / "text")
    assert "more" in page(pids)


def test_distinct_items_and_remarks_are_counted_beyond_the_first(tmp_path: Path):
    """Ever new unknown tags: 512 rows, and how many others there are."""
    (stream,) = probed(HOSTILE["new_tags"](SIZE), tmp_path).klv
    assert len(stream.items) == 512
    assert stream.items_left_out > 1000


@pytest.mark.parametrize("options", [{}, {"carriage": "async"}], ids=str)
def test_of_a_normal_recording_nothing_is_left_out(options: dict[str, str], tmp_path: Path):
    """All records are looked into, all lists are whole."""
    report = asyncio.run(inquire(open_source(sample_file(tmp_path, **options))))

    told = orjson.loads(document(report))
    assert not any(told["left_out"].values())
    assert told["records_left_out"] == 0
    assert all((s["passed"], s["items_left_out"], s["remarks_left_out"]) == (0, 0, 0) for s in told["klv"])


# ---- what is counted, however much comes ----


def test_of_dense_klv_each_record_is_counted_and_some_are_looked_into(tmp_path: Path):
    """A record a TS packet: the number is right, and the rate; the report says how many were looked into."""
    data = HOSTILE["klv_pes"](6_000_000)
    report = probed(data, tmp_path)

    (stream,) = report.klv
    assert stream.records == stream.checksum_ok == data.count(b"\x05\x02\x10\x20")
    assert stream.passed > 0
    assert f"{stream.records - stream.passed:,} of them looked into" in text_of(report, tmp_path / "text")
    assert stream.rate == pytest.approx(30, rel=0.01)
    assert stream.intervals.median == pytest.approx(1 / 30, rel=0.1)
    assert {item.share for item in stream.items} == {1.0}
    assert report.verdict.level == "warnings"


def test_a_flood_hides_no_other_stream(tmp_path: Path):
    """Behind a flood of unknown keys and dense KLV, a record of VMTI that comes seldom is seen, and so is ST 0601."""
    flood = HOSTILE["new_keys"](1_000_000)
    dense = HOSTILE["smallest"](1_000_000)
    seldom = b"".join(klv(item(5, b"\x10\x20"), n, name="ST0903") + flood[-3000:] for n in range(10))
    report = probed(flood + dense + seldom, tmp_path)

    found = {stream.set: stream for stream in report.klv}
    assert found["ST0903"].records == 10
    assert found["ST0903"].passed == 0
    assert found["ST0601"].records == 1_000_000 // 17
    assert sum(stream.records for stream in report.klv) + report.records_left_out >= 1_000_000 // 17 + 40_000


def test_packets_are_counted_by_pid_whatever_the_tables_say(tmp_path: Path):
    """Counts are of all packets, though the maps change with each section."""
    data = HOSTILE["pmt_small_churn"](SIZE)
    report = probed(data, tmp_path)

    assert report.transport is not None
    assert sum(pid.packets for pid in report.transport.pids) == report.transport.packets == len(data) // 188
    (program,) = report.transport.programs
    assert program.changes == len(data) // 188 - 3


def test_a_new_map_replaces_the_streams_but_for_those_that_were_seen(tmp_path: Path):
    """A PID that no current table lists and that carried nothing is forgotten."""
    mux = Mux()
    first = [(VIDEO, 0x100, b""), (6, KLV_PID, KLVA), (6, 0x300, KLVA)]
    data = mux.pat([(1, 0x1000)]) + mux.pmt(first)
    data += b"".join(mux.pes(klv(item(5, b"\x10\x20"), n)) for n in range(20))
    data += mux.pmt([(VIDEO, 0x100, b""), (6, 0x301, KLVA)], version=1)
    data += b"".join(mux.pes(klv(item(5, b"\x10\x20"), n), 0x301) for n in range(20, 40))
    report = probed(data, tmp_path)

    assert report.transport is not None
    (program,) = report.transport.programs
    assert [stream.pid for stream in program.streams] == [0x100, 0x301, KLV_PID]
    assert (program.changes, program.streams_left_out) == (1, 0)
    assert "klv_not_listed" not in {finding.id for finding in report.findings}


def test_a_program_that_is_not_in_the_pat_any_more_and_never_came_is_forgotten(tmp_path: Path):
    """So that a PAT that changes each time does not fill the report."""
    mux = Mux()
    data = b"".join(mux.pat([(n + 1, 0x100 + n)], n) for n in range(3000))
    report = probed(data, tmp_path)

    assert report.transport is not None
    assert [program.number for program in report.transport.programs] == [3000]
    assert report.transport.programs_left_out == 2999


# ---- work ----


def calls_for(make: Maker, size: int, folder: Path) -> int:
    """How many functions are called for a stream of this size, report and all."""
    path = folder / f"stream.{size}"
    path.write_bytes(make(size))
    count = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        report = asyncio.run(inquire(open_source(path)))
        document(report)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize(
    "name",
    ["pmt_churn", "pat_small_churn", "many_programs", "starts_on_all_pids", "clocks", "many_videos", "random_packets",
     "amended", "remarks", "stamps", "discontinuities"],
)  # fmt: skip
def test_four_times_the_bytes_are_no_more_than_about_four_times_the_work(name: str, tmp_path: Path):
    """Nothing is gone through again for each thing that comes."""
    small, large = (calls_for(HOSTILE[name], size, tmp_path) for size in (150_000, 600_000))
    assert large < 6 * small


@pytest.mark.parametrize("name", ["pmt_churn", "pat_churn", "smallest", "new_tags", "empty_pes"])
def test_more_of_one_kind_than_equipment_sends_is_not_looked_at_each_time(name: str, tmp_path: Path):
    """Behind the first of it, a byte costs a tenth of what it did."""
    dear = {"pmt_churn": 4_000_000, "pat_churn": 4_000_000, "empty_pes": 6_000_000}.get(name, 3_000_000)
    first, all_ = (calls_for(HOSTILE[name], size, tmp_path) for size in (dear, dear * 3 // 2))
    assert all_ - first < first / 4


MEASURED = """
import sys
from klvrelay.cli import main
code = main(["probe", "-q", sys.argv[1]])
with open("/proc/self/status") as lines:
    print(next(line.split()[1] for line in lines if line.startswith("VmHWM")), file=sys.stderr)
"""


def memory_for(path: Path) -> int:
    """KiB of a whole command, at most."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, env=ENVIRONMENT, check=True,
        timeout=50,
    )  # fmt: skip
    return int(done.stderr.split()[-1])


@cache
def memory_of_a_sample(folder: Path) -> int:
    path = folder / "normal.ts"
    one = sample_file(folder).read_bytes()
    path.write_bytes((one * (8_000_000 // len(one) + 1))[:8_000_000])
    return memory_for(path)


@pytest.mark.parametrize("name", ["pmt_churn", "starts_on_all_pids", "new_keys", "smallest", "long_texts", "clocks"])
def test_the_memory_is_not_twice_that_of_a_normal_recording(
    name: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    """Of 8 MB, whatever they are."""
    path = tmp_path / "hostile.ts"
    path.write_bytes(HOSTILE[name](8_000_000))
    assert memory_for(path) < 2 * memory_of_a_sample(tmp_path_factory.getbasetemp())


# ---- signals ----


@pytest.fixture
def fed() -> Iterator[subprocess.Popen[bytes]]:
    """A probe that reads standard input, which stays open."""
    command = [sys.executable, "-m", "klvrelay", "probe", "-", "--json"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=ENVIRONMENT) as process:
        yield process
        process.kill()


def feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    """Write it, and wait until it was taken out of the pipe."""
    assert process.stdin is not None
    process.stdin.write(data)
    process.stdin.flush()


def test_a_signal_ends_the_look_at_a_stream_that_never_ends(fed: subprocess.Popen[bytes]):
    """The report is of what came until then; the exit code is that of the verdict."""
    data = HOSTILE["pmt_churn"](3_000_000)
    feed(fed, data)
    fed.send_signal(signal.SIGTERM)

    out, _ = fed.communicate(timeout=20)

    told = orjson.loads(out)
    assert told["ended"] == "stopped"
    assert 0 < told["size"] <= len(data)
    assert fed.returncode == told["verdict"]["exit_code"] == 4


def test_a_second_signal_ends_a_process_that_waits_for_its_reader(fed: subprocess.Popen[bytes]):
    """The report is larger than a pipe, and nobody reads: one signal is not enough, the next one is."""
    feed(fed, HOSTILE["pmt_churn"](2_000_000))
    assert fed.stdin is not None
    assert fed.stdout is not None
    fed.send_signal(signal.SIGTERM)
    assert os.read(fed.stdout.fileno(), 1) == b"{"
    fed.send_signal(signal.SIGTERM)

    assert fed.wait(20) == -signal.SIGTERM


# ---- the file of the page ----


def test_the_page_is_not_for_everybody(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Mode 0640, whatever the file had; nothing else is left in the folder, and a link is followed."""
    source, real = sample_file(tmp_path), tmp_path / "kept" / "report.html"
    real.parent.mkdir()
    real.write_text("old")
    real.chmod(0o666)
    link = tmp_path / "link.html"
    link.symlink_to(real)
    before = os.umask(0)
    try:
        ran(capfd, "probe", "-q", str(source), "--html", str(link))
    finally:
        os.umask(before)

    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert real.read_text().startswith("<!DOCTYPE html>")
    assert [path.name for path in real.parent.iterdir()] == ["report.html"]


def test_a_page_goes_to_a_device_too(capfd: pytest.CaptureFixture[str], tmp_path: Path):
    """What is no file is written to, not replaced."""
    code, _, said = ran(capfd, "probe", "-q", str(sample_file(tmp_path)), "--html", "/dev/null")
    assert (code, said) == (0, "")
    assert Path("/dev/null").is_char_device()
