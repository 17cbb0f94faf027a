"""The limits of the probe's rules, from both sides; rate, span and gap of slow streams."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cases import each_case
from probe_streams import (
    ITEMS,
    METADATA,
    START_US,
    STD,
    Mux,
    asynchronous,
    findings_of,
    good,
    klv_only,
    noted,
    pcr,
    probed,
    record,
)
from test_lane import ASYNC, KLV_PID, KLVA, SYNC, Wire, cell

from klvrelay.probe import Report
from klvrelay.probe.report import Against
from klvrelay.probe.rules import judge
from klvrelay.probe.transport_report import SpreadReport


@cache
def plain() -> Report:
    """The findings for a valid stream."""
    with TemporaryDirectory() as folder:
        return probed(Mux().bytes(), Path(folder))


def found(report: Report) -> set[str]:
    return {finding.id for finding in judge(report)}


def with_times(**changes: Any) -> Report:
    report = plain()
    (stream,) = report.klv
    return replace(report, klv=(replace(stream, times=replace(stream.times, **changes)),))


def with_carriage(**changes: Any) -> Report:
    report = plain()
    (stream,) = report.klv
    assert stream.carriage is not None
    return replace(report, klv=(replace(stream, carriage=replace(stream.carriage, **changes)),))


def with_pid(pid: int, **changes: Any) -> Report:
    report = plain()
    assert report.transport is not None
    pids = tuple(replace(each, **changes) if each.pid == pid else each for each in report.transport.pids)
    return replace(report, transport=replace(report.transport, pids=pids))


def median(number: float) -> SpreadReport:
    return SpreadReport(60, number, number, number, number)


def wall(offset: float) -> tuple[Against, ...]:
    return (Against("wall clock", median(offset), 0.0, None, None, 2.0),)


@pytest.mark.parametrize(("days", "is_future"), [(0.99, False), (1.01, True)])
def test_a_recording_of_tomorrow_is_not_yet_the_future(days: float, is_future: bool):
    """A clock may be of another time zone; a day is more than any."""
    began = datetime.fromisoformat(plain().began).timestamp()
    report = with_times(references=(), last_us=round((began + days * 86_400) * 1e6))
    assert ("time_future" in found(report)) is is_future


@each_case(
    ("offset", "said"),
    [(15.1, "time_scale"), (20.9, "time_scale"), (21.1, "time_off_wall"), (14.9, "time_off_wall"), (26.1, "time_scale"),
     (34.1, "time_scale"), (39.9, "time_scale"), (40.1, "time_off_wall"), (4.9, None), (5.1, "time_off_wall"),
     (-4.9, None), (-5.1, "time_off_wall")],
)  # fmt: skip
def test_clocks_that_are_ahead_are_known_by_whole_seconds(offset: float, said: str | None):
    """GPS time, MISP time and TAI within 3 s; anything else is a wrong clock from 5 s on."""
    assert found(with_times(references=wall(offset))) & {"time_scale", "time_off_wall"} == ({said} if said else set())


@pytest.mark.parametrize(
    ("packets", "duplicates", "stands"), [(8, 7, False), (9, 8, True), (100, 50, False), (100, 51, True)]
)
def test_a_counter_is_frozen_from_nine_packets_and_half_of_them_on(packets: int, duplicates: int, stands: bool):
    """Packets may be repeated, and a few prove nothing."""
    report = with_pid(KLV_PID, packets=packets, duplicates=duplicates)
    assert ("counter_stands" in found(report)) is stands


@pytest.mark.parametrize(
    ("ahead", "said"), [(-0.099, False), (-0.101, True), (9.9, False), (10.1, True)]
)  # fmt: skip
def test_klv_is_late_or_early_beyond_these_seconds(ahead: float, said: bool):
    """A tenth after its PTS, ten before it."""
    assert ("klv_late" in found(with_carriage(ahead=median(ahead)))) is said


@pytest.mark.parametrize(("beside", "said"), [(0.99, False), (1.01, True), (-0.99, False), (-1.01, True)])
def test_klv_is_apart_from_its_picture_from_a_second_on(beside: float, said: bool):
    """On either side."""
    assert ("klv_beside_video" in found(with_carriage(against_video=median(beside)))) is said


@pytest.mark.parametrize(("gaps", "errors", "said"), [(3, 3, False), (4, 3, True), (1, 0, True)])
def test_a_packet_that_is_marked_as_damaged_is_no_loss_too(gaps: int, errors: int, said: bool):
    """It is missing in the counter of its PID."""
    assert ("continuity" in found(with_pid(KLV_PID, gaps=gaps, lost=gaps, transport_errors=errors))) is said


@pytest.mark.parametrize(("damaged", "severity"), [(3, "warning"), (4, "error")])
def test_the_cause_of_many_damaged_records_is_an_error_too(damaged: int, severity: str):
    """So the cause precedes its consequence: more than a twentieth of 60."""
    report = with_pid(KLV_PID, gaps=9, lost=9)
    report = replace(report, klv=(replace(report.klv[0], damaged=damaged),))

    first, second = judge(report)[:2]

    assert [(each.id, each.severity) for each in (first, second)] == [
        ("continuity", severity), ("records_damaged", severity),
    ]  # fmt: skip


# ---- slow and fast ----


def stepped(*steps: float, first: int = START_US) -> list[bytes]:
    """Packets so many seconds apart."""
    seconds = [sum(steps[:n]) for n in range(len(steps) + 1)]
    return [record(n, time_us=first + round(at * 1e6)) for n, at in enumerate(seconds)]


@pytest.mark.parametrize(
    "steps", [[7, 33, 9, 12, 28, 7, 30], [15] * 9, [33.0, 7.0, 7.0], [120] * 6, [3600] * 5, [0.5, 12, 0.5, 11, 0.5]]
)
def test_slow_klv_has_its_true_rate_span_and_gap(steps: list[float], tmp_path: Path):
    """Whatever the steps: in bare KLV nothing else measures the time."""
    report = probed(klv_only(stepped(*steps)), tmp_path)

    (stream,) = report.klv
    assert report.seconds == pytest.approx(sum(steps))
    assert stream.rate == pytest.approx(len(steps) / sum(steps))
    assert stream.intervals.high == pytest.approx(max(steps))
    assert stream.times.jumps == 0
    assert "time_jumps" not in findings_of(report)


@pytest.mark.parametrize(("unit", "count"), [(1000, 30), (1_000_000_000, 30), (1_000_000, 30)])
def test_bare_klv_is_measured_by_item_2_in_any_unit(unit: int, count: int, tmp_path: Path):
    """Milliseconds, nanoseconds, and the correct microseconds: 10 records a second each."""
    packets = [record(n, time_us=START_US // 1_000_000 * unit + n * unit // 10) for n in range(count)]
    report = probed(klv_only(packets), tmp_path)

    assert report.klv[0].rate == pytest.approx(10)
    assert report.seconds == pytest.approx(2.9)


def test_slow_klv_in_a_transport_stream_without_a_clock_is_measured_by_its_pts(tmp_path: Path):
    """KLV alone, a packet every 20 s: neither PTS nor time jumps."""
    wire, parts = Wire(), []
    for number, packet in enumerate(stepped(*[20] * 8)):
        parts += wire.tables((ASYNC, KLV_PID, KLVA)) + wire.pes(packet, pts=900_000 + number * 20 * 90_000)
    report = probed(b"".join(parts), tmp_path)

    assert (report.clock, report.seconds) == ("PTS", pytest.approx(160))
    assert report.klv[0].rate == pytest.approx(1 / 20)
    assert (report.klv[0].times.pts_jumps, report.klv[0].times.jumps) == (0, 0)


def test_slow_klv_with_a_clock_as_slow_is_no_jump(tmp_path: Path):
    """A PCR with each packet, 15 s apart."""
    wire, parts = Wire(), []
    for number, packet in enumerate(stepped(*[15] * 8)):
        parts += wire.tables((SYNC, KLV_PID, METADATA + STD), pmt=0x1000)
        parts += [pcr(900_000 + number * 15 * 90_000, wire.counters.get(0x100, 0))]
        parts += wire.pes(cell(packet, number), pts=909_000 + number * 15 * 90_000, sid=0xFC)
    report = probed(b"".join(parts), tmp_path)

    assert (report.clock, report.seconds) == ("PCR", pytest.approx(120, abs=10))
    assert not {"pcr_jump", "pts_jumps", "time_jumps"} & findings_of(report).keys()


def test_a_fast_stream_that_leaps_has_jumped(tmp_path: Path):
    """30 records a second, and an hour between two: two recordings in one file, each of 2 s."""
    packets = [good(n) for n in range(60)] + [good(n + 30 * 3600) for n in range(60)]
    report = probed(klv_only(packets), tmp_path)

    assert report.klv[0].times.jumps == 1
    assert report.seconds == pytest.approx(4, abs=0.1)
    assert findings_of(report)["time_jumps"] == "warning"


@pytest.mark.parametrize(("step_us", "has_rate"), [(200, False), (100_000, False), (130_000, True)])
def test_a_rate_needs_half_a_second(step_us: int, has_rate: bool, tmp_path: Path):
    """Five records 0.2 ms apart are no 5,000 a second: this is reported, and no other rate either."""
    report = probed(klv_only(record(n, time_us=START_US + n * step_us) for n in range(5)), tmp_path)

    assert (report.klv[0].rate is not None, report.bit_rate is not None) == (has_rate, has_rate)
    assert all((item.rate is not None) is has_rate for item in report.klv[0].items)
    assert ("a second" in report.verdict.text or "records/s" in report.verdict.text) is has_rate


# ---- several KLV streams ----


def two(first: Any, second: Any, count: int = 60, every: int = 1) -> bytes:
    """KLV on 0x101 and 0x201, each in a program with its own video; the first every so many steps."""
    wire, parts = Wire(), []
    for number in range(count):
        if number % 3 == 0:
            parts += wire.section(0, 0, bytes.fromhex("0001c100000001e1f00002e1f1"))
            for program, klv, video in ((1, KLV_PID, 0x100), (2, 0x201, 0x200)):
                body = program.to_bytes(2) + b"\xc1\0\0" + (0xE000 | video).to_bytes(2) + b"\xf0\0"
                for kind, pid, said in ((0x1B, video, b""), (ASYNC, klv, KLVA)):
                    body += bytes([kind]) + (0xE000 | pid).to_bytes(2) + (0xF000 | len(said)).to_bytes(2) + said
                parts += wire.section(0x1EF + program, 2, body)
        parts.append(pcr(891_000 + number * 3000, wire.counters.get(0x100, 0)))
        for video in (0x100, 0x200):
            parts += wire.pes(b"\0\0\0\1\x09\xf0" + bytes(100), video, pts=900_000 + number * 3000, sid=0xE0)
        if number % every == 0:
            parts += wire.pes(first(number))
        parts += wire.pes(second(number), 0x201)
    return b"".join(parts)


def poor(number: int) -> bytes:
    """Little but a time."""
    return record(number, dict.fromkeys(list(ITEMS)[3:-1]))


def bad(number: int) -> bytes:
    return good(number)[:-1] + bytes([good(number)[-1] ^ 1])


def private(number: int) -> bytes:
    """An unknown set."""
    return bytes.fromhex("060e2b34020b01010e0103017f000000") + b"\x01x"


@pytest.mark.parametrize("other", [poor, bad, private])
def test_the_richer_stream_makes_the_headline(other: Any, tmp_path: Path):
    """Though the other has twice as many records; wherever it is."""
    for data, pid in ((two(good, other, every=2), "0x101"), (two(other, good), "0x201")):
        report = probed(data, tmp_path)
        assert f"of ST 0601.19 on PID {pid}, all" in report.verdict.text
        assert "and 1 other stream of records" in report.verdict.text
        assert report.klv[0].pid == int(pid, 16)


def test_each_stream_is_counted_beside_the_video_of_its_own_program(tmp_path: Path):
    """60 records each: no section has the 120 of both."""
    report = probed(two(good, good), tmp_path)

    assert {(frames.pid, pair.pid, pair.compared) for frames in report.frames for pair in frames.beside} == {
        (0x100, KLV_PID, 60), (0x200, 0x201, 60),
    }  # fmt: skip
    assert [frames.compared for frames in report.frames] == [60, 60]


def test_a_finding_of_another_stream_names_it(tmp_path: Path):
    """Its figures are not those of the headline."""
    report = probed(two(good, bad), tmp_path)
    assert "all 60 checksums right, and 1 other stream" in report.verdict.text
    assert "but the checksum is wrong in all 60 records (PID 0x201, ST 0601) (" in report.verdict.text


# ---- wording ----


def test_nested_items_are_named_by_all_their_tags(tmp_path: Path):
    """`74.7`, not `7`, which is another item of the outer set; in the VMTI itself it is 7."""
    old = {"vmti_local_set": {"frame_number": 5, "vmti_ls_version": 6, "vmti_horizontal_fov": 10.0}}
    report = probed(Mux(packets=lambda n: record(n, old)).bytes(), tmp_path)

    deprecated = [finding.what for finding in report.findings if finding.id in ("deprecated", "no_number")]
    assert deprecated
    assert all("74.7 " in what for what in deprecated)


def test_one_cause_gives_one_finding(tmp_path: Path):
    """A scrambled KLV stream is not reported as silent too."""
    report = probed(asynchronous(change=lambda n, ts: [bytes([*t[:3], t[3] | 0x80, *t[4:]]) if t[1:3] == b"\x41\x01"
                                                       else t for t in ts]).bytes(), tmp_path)  # fmt: skip
    assert findings_of(report) == {"no_klv": "error", "scrambled": "error"}
    assert "klv_silent" not in noted(report)
