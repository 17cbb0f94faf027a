"""The input's size bounds the probe: its reports, its memory and its work.

`probe_transport.py` and `probe_records.py` make the streams. Work is counted in function calls, which do not depend on
the machine's load.
"""

from __future__ import annotations

import asyncio
from cProfile import Profile
from pathlib import Path
from typing import Any

import orjson
import pytest
from hostile_mux import KLV_PID, KLVA, VIDEO, Maker, Mux, item, klv
from probe_records import RECORDS
from probe_streams import probed, sample_file
from probe_transport import TRANSPORT
from rich.console import Console

from klvrelay.probe import Report, analyse
from klvrelay.probe.metadata import items, sampler, telemetry
from klvrelay.probe.output.document import document
from klvrelay.probe.output.page import page
from klvrelay.probe.output.text import write
from klvrelay.probe.transport import survey, tables
from klvrelay.sources.open import open_source

HOSTILE = TRANSPORT | RECORDS
SIZE = 300_000
REPORTED = 150_000
TEXT, JSON, HTML = 64 << 10, 1 << 20, 2 << 20


def text_of(report: Report, path: Path) -> str:
    """The report as written to a pipe."""
    with path.open("w+", encoding="utf-8") as file:
        write(report, Console(file=file, width=120, no_color=True, highlight=False))
        file.seek(0)
        return file.read()


def is_plain(text: str) -> bool:
    return text.replace("\n", "").isprintable()


# ---- reports ----


@pytest.mark.parametrize("name", HOSTILE)
def test_reports_have_a_size_and_nothing_unprintable(name: str, tmp_path: Path):
    """Whatever a stream lists, text, JSON and HTML stay small enough to read and mail."""
    report = probed(HOSTILE[name](REPORTED), tmp_path)

    text, made, html = text_of(report, tmp_path / "text"), document(report), page(report)

    assert len(text.encode()) <= TEXT
    assert len(made) <= JSON
    assert len(html.encode()) <= HTML
    assert is_plain(text)
    assert is_plain(html)
    assert is_plain(made.decode())
    assert orjson.loads(made)["verdict"]["exit_code"] == report.verdict.exit_code


def test_lists_say_how_much_is_not_in_them(tmp_path: Path):
    """Programs and PIDs: some are shown, and the rest is a number."""
    programs = probed(HOSTILE["many_programs"](1_000_000), tmp_path)
    assert programs.transport is not None
    assert len(programs.transport.programs) == 64
    assert programs.transport.programs_left_out > 900
    assert "more programs" in text_of(programs, tmp_path / "text")
    assert "more programs" in page(programs)

    pids = probed(HOSTILE["all_pids"](1_700_000), tmp_path)
    assert pids.transport is not None
    assert len(pids.transport.pids) == 8191
    report_document = orjson.loads(document(pids))
    assert len(report_document["transport"]["pids"]) + report_document["left_out"]["pids"] == 8191
    assert "and 8,127 more" in text_of(pids, tmp_path / "text")
    assert "more" in page(pids)


def test_items_of_records_like_no_others_are_counted_one_by_one_in_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """No more items are inspected than all records of a normal recording have."""
    free, each, size = 64, 4096, 6_000_000
    monkeypatch.setattr(telemetry, "RECORDS", (free, each))
    monkeypatch.setattr(items, "LAYOUTS", 4)
    looked = 0
    saw = items._Tally.store

    def counted(tally: Any, *record: Any) -> None:
        nonlocal looked
        looked += 1
        saw(tally, *record)

    monkeypatch.setattr(items._Tally, "store", counted)
    (stream,) = probed(HOSTILE["unlike"](size), tmp_path).klv

    assert stream.records > 15_000
    assert 0 < looked < (free + size / each) * telemetry.ALONE


def test_distinct_items_and_remarks_are_counted_beyond_the_first(tmp_path: Path):
    """With ever new unknown tags: 512 rows, and the number of the others."""
    (stream,) = probed(HOSTILE["new_tags"](SIZE), tmp_path).klv
    assert len(stream.items) == 512
    assert stream.items_left_out > 500


@pytest.mark.parametrize("options", [{}, {"carriage": "async"}], ids=str)
def test_of_a_normal_recording_nothing_is_left_out(options: dict[str, str], tmp_path: Path):
    """All records are inspected, all lists are complete."""
    report = asyncio.run(analyse(open_source(sample_file(tmp_path, **options))))

    report_document = orjson.loads(document(report))
    assert not any(report_document["left_out"].values())
    assert report_document["records_left_out"] == 0
    assert all((s["passed"], s["items_left_out"], s["remarks_left_out"]) == (0, 0, 0) for s in report_document["klv"])


# ---- counts are exact, whatever the amount ----


@pytest.mark.parametrize("few", [0, 64])
def test_of_dense_klv_each_record_is_counted_and_some_are_looked_into(
    few: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """One record per TS packet: the number and the rate are exact; the report says how many were inspected."""
    monkeypatch.setattr(telemetry, "RECORDS", (2000, 2048))
    monkeypatch.setattr(survey, "HEADS", (1000, 4096))
    monkeypatch.setattr(sampler, "FEW", few)
    data = HOSTILE["one_a_packet"](2_500_000)
    report = probed(data, tmp_path)

    (stream,) = report.klv
    assert stream.records == stream.checksum_ok == data.count(b"\x05\x02\x10\x20")
    assert stream.passed > 0
    assert f"{stream.records - stream.passed:,} of them inspected" in text_of(report, tmp_path / "text")
    assert stream.rate == pytest.approx(30, rel=0.01)
    assert stream.intervals.median == pytest.approx(1 / 30, rel=0.1)
    assert {item.share for item in stream.items} == {1.0}
    assert report.verdict.level == "warnings"


def test_a_flood_hides_no_other_stream(tmp_path: Path):
    """After a flood of unknown keys and dense KLV, a rare record of VMTI is found, and so is ST 0601."""
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
    """Counts include all packets, though the PMT changes with each section."""
    data = HOSTILE["pmt_small_churn"](SIZE)
    report = probed(data, tmp_path)

    assert report.transport is not None
    assert sum(pid.packets for pid in report.transport.pids) == report.transport.packets == len(data) // 188
    (program,) = report.transport.programs
    assert program.changes == len(data) // 188 - 2


def test_a_new_pmt_replaces_the_streams_except_those_with_packets(tmp_path: Path):
    """A PID that no current table lists and that carried nothing is removed."""
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


def test_a_document_is_cut_until_it_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Lists are shortened; the rest is counted."""
    report = probed(HOSTILE["many_programs"](SIZE), tmp_path)
    whole = document(report)
    monkeypatch.setattr("klvrelay.probe.output.document.LIMIT", len(whole) // 2)

    less = document(report)

    assert len(less) <= len(whole) // 2
    assert orjson.loads(less)["left_out"]["programs"] > orjson.loads(whole)["left_out"]["programs"]


def test_of_a_pmt_with_very_many_streams_the_first_are_listed(tmp_path: Path):
    """As many again as it had before, if packets of them arrived, are kept; the rest is counted."""
    mux, data = Mux(), b""
    for version in range(4):
        pids = range(0x200 + 0x100 * version, 0x264 + 0x100 * version)
        data += mux.pat([(1, 0x1000)]) + mux.pmt([(6, pid, b"") for pid in pids], version=version)
        data += b"".join(mux.pes(b"x", pid) for pid in pids)
    report = probed(data, tmp_path)

    assert report.transport is not None
    (program,) = report.transport.programs
    assert len(program.streams) == 2 * tables.STREAMS
    assert [stream.pid for stream in program.streams][: tables.STREAMS] == [*range(0x500, 0x540)]
    assert program.streams_left_out == 36


def test_a_program_removed_from_the_pat_without_packets_is_dropped(tmp_path: Path):
    """So a PAT that changes each time does not fill the report."""
    mux = Mux()
    data = b"".join(mux.pat([(n + 1, 0x100 + n)], n) for n in range(3000))
    report = probed(data, tmp_path)

    assert report.transport is not None
    assert [program.number for program in report.transport.programs] == [3000]
    assert report.transport.programs_left_out == 2999


# ---- work ----


def calls_for(make: Maker, size: int, folder: Path) -> int:
    """The number of function calls for a stream of this size, report included."""
    path = folder / f"stream.{size}"
    path.write_bytes(make(size))
    profile = Profile()
    with profile:
        report = asyncio.run(analyse(open_source(path)))
        document(report)
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.parametrize(
    "name",
    ["pmt_churn", "pat_small_churn", "many_programs", "starts_on_all_pids", "clocks", "many_videos", "random_packets",
     "amended", "remarks", "stamps", "discontinuities"],
)  # fmt: skip
def test_four_times_the_bytes_are_no_more_than_about_four_times_the_work(name: str, tmp_path: Path):
    """No data is processed again for each new item."""
    # Work grows with the number of PIDs until every one has begun.
    size = 120_000 if name == "starts_on_all_pids" else 60_000
    small, large = (calls_for(HOSTILE[name], size, tmp_path) for size in (size, 4 * size))
    assert large < 6 * small


@pytest.mark.parametrize("name", ["pmt_churn", "pat_churn", "smallest", "new_tags", "one_a_packet", "tiny_pes"])
def test_more_of_one_kind_than_equipment_sends_is_not_looked_at_each_time(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """After the first of it, a byte costs a small part of the first ones."""
    for module, limit, free in (
        (telemetry, "RECORDS", 500), (survey, "HEADS", 500), (survey, "PACKETS", 500), (survey, "LENGTHS", 500),
        (tables, "MAPS", 500),
    ):  # fmt: skip
        monkeypatch.setattr(module, limit, (free, getattr(module, limit)[1]))

    first, all_ = (calls_for(HOSTILE[name], size, tmp_path) for size in (200_000, 600_000))

    assert all_ - first < first
