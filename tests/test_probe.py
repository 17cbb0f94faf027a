"""The report: real recordings, the text, the JSON, the exit codes."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import orjson
import pytest
from packet_wrapping import local_set
from probe_streams import Mux, asynchronous, findings_of, klv_only, noted, probed, raw, record, sample_file
from rich.console import Console
from test_cli import ran

from klvrelay.probe.analysis import Analysis
from klvrelay.probe.output.document import document
from klvrelay.probe.output.text import console_for, write
from klvrelay.record import Packet
from klvrelay.sources.open import open_source

GOLDEN = {
    "osh_sample_stream.ts": (
        r"Usable: 30\.0 records/s of ST 0601\.4 on PID 0x101, all 277 checksums right; but labels that contradict each"
        r" other: stream type 0x06 \(asynchronous\) with PES stream_id 0xFC, in all 277 PES packets",
        {"stream_id": "warning", "rare_pcr": "warning"}, {"old_vmti", "superseded"}, 6,
    ),
    "aphill_klv_10s.ts": (
        r"Usable: 30\.0 records/s of ST 0104 on PID 0x101, no checksums; but labels that contradict each other",
        {"stream_id": "warning", "rare_pcr": "warning", "rare_table": "warning"}, {"legacy_set"}, 6,
    ),
    "h264_klv.ts": (
        r"Usable: 30\.\d records/s of ST 0601\.17 on PID 0x101, all 30 checksums right; but ",
        {"item_length": "warning", "frame_centre": "warning", "corners": "warning"}, set(), 6,
    ),
    "h264_no_klv.ts": (
        r"No KLV in 32,148 bytes; the source contains: H\.264 video on PID 0x100\.", {"no_klv": "error"}, set(), 4,
    ),
    "day_flight.klv": (
        r"Usable: a record every 42\.1 s of ST 0601\.1, all 6 checksums right; but 1 gap in the records, the longest"
        r" 98\.5 s at second 111\.9",
        {"security_missing": "warning", "item_length": "warning", "rate_irregular": "warning"}, set(), 6,
    ),
    "DynamicConstantMISMMSPacketData.bin": (
        r"KLV found \(1 record of ST 0601\.6, 0 of 1 checksums right\), but the checksum is wrong in the only",
        {"checksum_bad": "error"}, set(), 7,
    ),
    "DynamicOnlyMISMMSPacketData.bin": (
        r"Usable: 1 record of ST 0601\.6, its checksum right; but 1 item of the minimum set not received",
        {"minimum_set": "warning", "security_missing": "warning", "frame_centre": "warning"}, set(), 6,
    ),
}  # fmt: skip
MAY_BE = {"item_length", "item_empty", "item_malformed", "remark", "not_ber_oid"}
"""Findings that may change as the decoder supports more items of real recordings."""

STREAM_KEYS = """
    pid set key versions records rate intervals gaps longest_at sizes checksum_ok checksum_bad checksum_absent
    checksum_partial damaged cut_off passed first_wrong last_wrong unversioned nested carriage times items remarks
    specials items_left_out remarks_left_out implausible"""
KEYS = {
    "": """schema klvrelay source live passage began seconds clock size bit_rate dropped skipped too_large ended
        nothing verdict findings transport klv records_left_out frames left_out""",
    "left_out": "programs streams pids klv items remarks findings",
    "verdict": "level text advice exit_code",
    "findings[]": "id severity what where count clause hint",
    "transport": "packet_size packets sync_losses skipped pat bad_tables programs pids programs_left_out",
    "transport.pat": "count interval longest late",
    "transport.programs[]": "number pmt_pid pcr_pid pmt pcr pcr_jumps changes streams streams_left_out",
    "transport.programs[].streams[]": """pid stream_type codec kind descriptors registration metadata_format
        metadata_std packets bit_rate""",
    "transport.pids[]": """pid kind label program packets bit_rate gaps lost duplicates scrambled transport_errors
        holds_klv carriage""",
    "klv[]": STREAM_KEYS,
    "klv[].intervals": "count low median mean high",
    "klv[].carriage": """declared found stream_type registration metadata_format metadata_std pes stream_ids with_pts
        with_dts cells cell_gaps bare continued unsized too_short too_long length_off content ahead
        against_video on_frame""",
    "klv[].implausible[]": "id what records first last",
    "klv[].times": """stamped missing first last first_us last_us unit repeated backwards jumps longest_jump
        pts_missing pts_wraps pts_backwards pts_jumps references""",
    "klv[].times.references[]": "clock offset varies drift_ppm drift_error_ppm over",
    "klv[].items[]": "path tag name units count rate share longest last no_number",
    "frames[]": "pid codec searched frames rate stamped first nanoseconds compared matched against beside",
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_verdict_on_each_recording(name: str, shared: Path, capfd: pytest.CaptureFixture[str]):
    """The first line, the findings that matter, the exit code."""
    line, wanted, notes, code = GOLDEN[name]

    got, out, said = ran(capfd, "probe", str(shared / "data" / name), "--json")

    report = orjson.loads(out)
    found = {f["id"]: f["severity"] for f in report["findings"] if f["severity"] != "note"}
    assert (got, said) == (code, "")
    assert re.match(line, report["verdict"]["text"])
    assert found.items() >= {key: value for key, value in wanted.items() if key not in MAY_BE}.items()
    assert found.keys() - wanted.keys() <= MAY_BE
    assert notes <= {f["id"] for f in report["findings"]}


def test_each_frame_has_the_time_of_a_record(shared: Path, capfd: pytest.CaptureFixture[str]):
    """All 277 frames of a real recording."""
    _, out, _ = ran(capfd, "probe", str(shared / "data" / "osh_sample_stream.ts"), "--json")
    (frames,) = orjson.loads(out)["frames"]

    assert (frames["frames"], frames["stamped"], frames["matched"]) == (277, 277, 277)
    assert frames["against"]["count"] == 277
    assert abs(frames["against"]["median"]) < 1e-6


@pytest.mark.parametrize("options", [{"carriage": "sync"}, {"carriage": "async", "codec": "h265"}], ids=str)
def test_the_sample_is_good(options: dict[str, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """The output of `klvrelay sample` passes: exit code 0, every frame has a record's time."""
    path = sample_file(tmp_path, **options)

    code, out, said = ran(capfd, "probe", str(path), "--json")

    report = orjson.loads(out)
    assert (code, said) == (0, "")
    assert re.fullmatch(r"Good: \d\d\.\d records/s of ST 0601\.19 on PID 0x101, all 60 checksums right\.",
                        report["verdict"]["text"])  # fmt: skip
    assert report["frames"][0]["stamped"] == report["frames"][0]["matched"] == 60


def keys_of(value: object, at: str = "") -> dict[str, str]:
    """The keys of every object, by path."""
    found: dict[str, str] = {}
    if isinstance(value, dict):
        found[at] = " ".join(value)
        for key, inner in value.items():
            found |= keys_of(inner, f"{at}.{key}".strip("."))
    elif isinstance(value, list):
        for inner in value:
            found |= keys_of(inner, f"{at}[]")
    return found


def test_the_json_has_these_keys(tmp_path: Path):
    """Schema klvrelay/probe/1: scripts rely on it, so keys may be added, but not removed or renamed."""

    def faulty(number: int) -> bytes:
        return record(number, {150: b"1", "slant_range": 9000.0})

    told_keys = keys_of(orjson.loads(document(probed(Mux(packets=faulty).bytes(), tmp_path))))

    for place, keys in KEYS.items():
        assert told_keys[place].split() == keys.split(), place


def test_the_json_has_the_figures_of_the_stream(tmp_path: Path):
    """Some figures of a known stream."""
    report = orjson.loads(document(probed(asynchronous(count=90).bytes(), tmp_path)))

    assert report["schema"] == "klvrelay/probe/1"
    (program,), (stream,) = report["transport"]["programs"], report["klv"]
    assert [(s["pid"], s["stream_type"], s["kind"]) for s in program["streams"]] == [
        (0x100, 0x1B, "video"), (0x101, 0x06, "klv"),
    ]  # fmt: skip
    assert program["pcr"]["interval"] == pytest.approx(1 / 30, abs=1e-4)
    assert stream["carriage"]["stream_ids"] == {"0xBD": 90}
    assert (stream["records"], stream["checksum_ok"], stream["versions"]) == (90, 90, [19])
    assert stream["rate"] == pytest.approx(30, rel=0.02)
    heading = next(item for item in stream["items"] if item["path"] == "platform_heading_angle")
    assert (heading["tag"], heading["count"], heading["share"], heading["last"]) == (5, 90, 1.0, "9.998")
    inner = next(item for item in stream["items"] if item["path"] == "security_local_set.security_classification")
    assert inner["last"] == "Unclassified"


def test_the_text_in_a_pipe_is_plain(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """No colour, no trailing blanks; verdict first, then tables, then findings, the worst first."""
    path = tmp_path / "odd.ts"
    path.write_bytes(Mux(cells=False, descriptors=b"").bytes())

    code, out, said = ran(capfd, "probe", str(path))

    lines = out.splitlines()
    assert (code, said) == (7, "")
    assert lines[0].startswith("KLV found (30.0 records/s of ST 0601.19 on PID 0x101, all 60 checksums right), but")
    assert any(line.startswith("Do this: ") for line in lines[1:4])
    assert not re.search(r"\x1b| $", out, re.M)
    places = [out.index(word) for word in ("Program 1:", "ST 0601.19 on PID 0x101\n", "Findings: 1 error, 1 warning")]
    assert places == sorted(places)
    severities = re.findall(r"(?m)^(error|warning|note) ", out)
    assert severities == sorted(severities, key=("error", "warning", "note").index)
    assert "MISB ST 1402, synchronous carriage" in out


def shown(report, width: int = 100, height: int = 50) -> str:  # type: ignore[no-untyped-def]
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, highlight=False)
    write(report, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_text_fits_a_terminal(width: int, tmp_path: Path):
    """No line is wider; a report longer than the screen repeats its verdict at the end."""
    out = shown(probed(Mux(packets=lambda n: record(n, {150: b"\1" * 90})).bytes(), tmp_path), width)
    plain = re.sub(r"\x1b\[[\d;]*m", "", out)

    assert "\x1b[" in out
    assert max(map(len, plain.splitlines())) <= width
    assert plain.count("Good: 30.0") == 2


def test_no_text_from_the_aircraft_controls_the_terminal(tmp_path: Path):
    """Escapes, line ends and rich's markup in names stay text."""
    evil = "\x1b[31m[red]\r\n\x07\u202e[/red]"
    report = probed(Mux(packets=lambda n: record(n, {"platform_designation": evil})).bytes(), tmp_path)

    out = shown(report, 200)
    assert "\x1b[31m" not in out
    assert not set("\r\x07\u202e") & set(out)
    assert r"\x1b[31m[red]\r\n\x07\u202e[/red]" in out


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: Mux().bytes(), 0),
        (lambda: Mux(stream_id=0xBD).bytes(), 6),
        (lambda: Mux(cells=False).bytes(), 7),
        (lambda: Mux(count=9, listed=False).bytes(), 7),
        (lambda: Mux(packets=lambda n: b"").bytes(), 4),
        (lambda: klv_only([record(n) for n in range(9)]), 0),
        (lambda: b"This is a text, and no stream at all.\n" * 20_000, 3),
        (lambda: b"", 3),
        (lambda: b"G" * 100, 3),
        (lambda: bytes(3_000_000), 3),
    ],
)
def test_exit_codes(make, code: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """By severity; 3 where nothing could be read, with one line that names the file, and no traceback."""
    path = tmp_path / "some.ts"
    path.write_bytes(make())

    got, out, said = ran(capfd, "probe", str(path))

    assert got == code
    assert "Traceback" not in said + out
    assert (out == "") == (code == 3)
    if code == 3:
        assert re.fullmatch(rf"klvrelay: .*{re.escape(str(path))}.*\n", said)


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["probe"], "SOURCE"),
        (["probe", "a.ts", "--seconds", "0"], "seconds"),
        (["probe", "a.ts", "--seconds", "nan"], "seconds"),
        (["probe", "a.ts", "--html", "/nowhere/r.html"], "folder"),
        (["probe", "a.ts", "--html", "/"], "not a file"),
        (["probe", "gopher://h"], "not a supported source"),
        (["probe", "udp://h"], "port is missing"),
        (["probe", "udp://h:1", "--source-timeout", "0"], "timeout"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_wrong_options_are_exit_code_2(args: list[str], hint: str, capfd: pytest.CaptureFixture[str]):
    """Before anything is opened."""
    code, out, said = ran(capfd, *args)
    assert (code, out) == (2, "")
    assert hint in said


def test_a_missing_file_is_exit_code_3(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """One line."""
    code, out, said = ran(capfd, "probe", str(tmp_path / "none.ts"))
    assert (code, out) == (3, "")
    assert re.fullmatch(r"klvrelay: .*none\.ts: no such file.*\n", said)


def test_help_lists_the_exit_codes(capfd: pytest.CaptureFixture[str]):
    """Those of severity too."""
    _, out, _ = ran(capfd, "probe", "--help")
    assert "6 probe found warnings, 7 probe found errors" in out
    assert "klvrelay probe udp://0.0.0.0:5000 --html report.html" in out


def test_seconds_of_a_file_are_in_stream_time(tmp_path: Path):
    """The first two seconds of a recording, not two seconds of processing."""
    data = Mux(count=900).bytes() * 3
    report = probed(data, tmp_path, seconds=2.0)

    assert report.ended == "time"
    assert 2 <= report.seconds < 30
    assert report.size < len(data)


def test_packets_of_192_bytes_and_bare_klv_are_the_same_records(tmp_path: Path):
    """M2TS, and bare KLV: the same items, and no finding that the plain stream lacks."""
    ts = Mux().bytes()
    m2ts = b"".join(bytes(4) + ts[at : at + 188] for at in range(0, len(ts), 188))
    plain, long = probed(ts, tmp_path), probed(m2ts, tmp_path)
    bare = probed(klv_only([record(n) for n in range(60)]), tmp_path)

    assert long.transport is not None
    assert long.transport.packet_size == 192
    assert plain.klv == long.klv
    assert findings_of(long) == findings_of(bare) == {}
    assert [item.path for item in bare.klv[0].items] == [item.path for item in plain.klv[0].items]
    assert (bare.clock, bare.transport) == ("item 2", None)


def test_noise_between_bare_packets_is_counted(tmp_path: Path):
    """The bytes outside packets."""
    report = probed(b"".join(record(n) + b"noise" for n in range(9)), tmp_path)
    assert findings_of(report)["passed_over"] == "warning"


def test_a_report_in_a_pipe_equals_one_without_colours():
    """The output of `console_for` where standard output is no terminal."""
    console = console_for(io.StringIO())
    assert (console.is_terminal, console.width) == (False, 120)


def test_notes_alone_leave_the_exit_code_at_0(tmp_path: Path):
    """A stream without stamped frames is valid."""
    report = probed(Mux().bytes(), tmp_path)
    assert "frames_unstamped" in noted(report)
    assert report.verdict.exit_code == 0


def test_the_report_is_the_same_in_each_process(tmp_path: Path):
    """Of several faults in each record the first is named, whatever Python's hash seed."""
    faults = {3: b"", 10: b"", 11: b"", 15: b"\x01", 16: b"\x01", 21: b"\x01"}
    (tmp_path / "faults.klv").write_bytes(klv_only(raw(local_set([*faults.items()])) for _ in range(20)))

    def findings(seed: int) -> object:
        command = [sys.executable, "-m", "klvrelay", "probe", "--json", "-q", str(tmp_path / "faults.klv")]
        done = subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": str(seed)}, capture_output=True, timeout=50)
        report = orjson.loads(done.stdout)
        return report["verdict"], report["findings"], report["klv"]

    first = findings(0)
    assert all(findings(seed) == first for seed in range(1, 4))


def rounded(value: object) -> object:
    """The same with its floats rounded to a microsecond: a tick of the stream's clock is 11."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list | tuple) else value


def inquired(path: Path, size: int) -> object:
    """The report on a file read in pieces of this size."""
    inquiry, data = Analysis(open_source(path)), path.read_bytes()
    for at in range(0, len(data), size):
        inquiry.take(Packet(data[at : at + size]))
    inquiry.finish()
    return rounded(asdict(replace(inquiry.report(), began="")))


@pytest.mark.parametrize("size", [188, 1316, 10_000, 1 << 16])
def test_the_report_is_the_same_in_pieces_of_any_size(size: int, tmp_path: Path):
    """The due time of a packet is known at the next PCR, so data after the last one waits for it."""
    path = sample_file(tmp_path)

    assert inquired(path, size) == inquired(path, 1 << 20)
