"""`klvrelay decode`: every record of a file as JSON Lines or CSV, with a summary; no error when its reader closes."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import feed
import orjson
import pytest
from conftest import ROOT
from test_cli import COMMAND, ENVIRONMENT, ran
from test_lane import klv_packet

import klvrelay
from klvrelay import sample
from klvrelay.cli import main as cli
from klvrelay.encode import encode

TAPE = feed.recording(40)
SUMMARY = re.compile(
    r"(\d+) packets?, (\d+) bad checksums?, (\d+) unknown items?, (\d+) damaged, (\d+) bytes? skipped\n"
)


def tape(folder: Path, data: bytes = TAPE.ts, name: str = "flight.ts") -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


def lines(out: str) -> list[dict[str, Any]]:
    assert out.endswith("\n")
    return [orjson.loads(line) for line in out.splitlines()]


def counts(said: str) -> list[int]:
    found = SUMMARY.fullmatch(said)
    assert found, said
    return [int(count) for count in found.groups()]


def test_decode_prints_a_json_line_per_record(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """In order, with the stream's name from the file; the summary is on standard error."""
    code, out, said = ran(capfd, "decode", tape(tmp_path))
    assert code == 0
    records = lines(out)
    assert [r["items"]["mission_id"] for r in records] == [str(n) for n in range(40)]
    assert [r["seq"] for r in records] == list(range(40))
    assert {(r["stream"], r["boot"], r["received"]) for r in records} == {("flight", None, None)}
    assert counts(said) == [40, 0, 0, 0, 0]


def test_decode_prints_the_librarys_json_lines(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """The same bytes as `klvrelay.json_lines`."""
    _, out, _ = ran(capfd, "decode", tape(tmp_path))
    assert out.encode() == klvrelay.json_lines(TAPE.ts, stream="flight")


def test_quiet_prints_records_only(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """-q hides the summary."""
    code, out, said = ran(capfd, "decode", "-q", tape(tmp_path))
    assert (code, len(lines(out)), said) == (0, 40, "")


def test_the_summary_counts_faults(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Bad checksums, unknown items, damage, bytes that are no KLV; the records are flagged, none is hidden."""
    bad = TAPE.klv[1][:-1] + bytes([TAPE.klv[1][-1] ^ 1])
    strange = encode({"precision_time_stamp": 1, 150: b"ab", 151: b"c"})
    data = b"junk!" + TAPE.klv[0] + bad + strange + TAPE.klv[2][:30]
    code, out, said = ran(capfd, "decode", tape(tmp_path, data, "odd.klv"))
    assert code == 0
    qualities = [(r["quality"]["checksum"], r["quality"]["transport"]) for r in lines(out)]
    assert qualities == [("ok", "ok"), ("bad", "ok"), ("ok", "ok"), ("bad", "damaged")]
    assert lines(out)[2]["items"]["unknown"] == {"150": "6162", "151": "63"}
    assert counts(said) == [4, 2, 2, 1, 5]


@pytest.mark.parametrize("data", [TAPE.ts, TAPE.bare], ids=["ts", "klv"])
@pytest.mark.parametrize("form", ["json", "csv"])
def test_decode_reads_standard_input(data: bytes, form: str):
    """`-`: from a pipe, the format recognised from the bytes."""
    done = subprocess.run(
        [*COMMAND, "decode", "--format", form, "-"], input=data, capture_output=True, timeout=20, env=ENVIRONMENT
    )
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 40 + (form == "csv")
    assert counts(done.stderr.decode())[0] == 40


@pytest.mark.parametrize("data", [b"", b"no stream\n" * 40_000])
def test_standard_input_without_klv_is_one_line(data: bytes):
    """Empty, or another format."""
    done = subprocess.run([*COMMAND, "decode", "-"], input=data, capture_output=True, timeout=20, env=ENVIRONMENT)
    assert done.returncode == 3
    assert done.stdout == b""
    assert re.fullmatch(rb"klvrelay: standard input .*\n", done.stderr)


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_reader_that_closes_early_is_no_error(form: str, tmp_path: Path):
    """`| head -1`: exit code 0 or the signal's, and no message."""
    path = tape(tmp_path, b"".join(klv_packet(n, 300) for n in range(4000)), "long.klv")
    command = f"{shlex.join([*COMMAND, 'decode', '--format', form, str(path)])} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=20, env=ENVIRONMENT)
    first, code = done.stdout.splitlines()
    assert first.startswith('{"schema"' if form == "json" else "stream,seq")
    assert code in ("0", "141")
    assert done.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_whole_line(number: signal.Signals, tmp_path: Path):
    """In the middle of a file, while its reader is slow: exit code 0, and no message."""
    long = b"".join(TAPE.ts for _ in range(1 + (12 << 20) // len(TAPE.ts)))
    command = [*COMMAND, "decode", tape(tmp_path, long)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()  # it decodes, and soon waits until its pipe has space
        process.send_signal(number)
        text, said = first + process.stdout.read(), process.stderr.read()

    records = text.splitlines(keepends=True)
    assert (process.returncode, said) == (0, b"")
    assert all(orjson.loads(line) for line in records)
    assert text.endswith(b"}\n")
    assert len(records) < long.count(TAPE.ts) * 40


class Narrow(io.RawIOBase):
    """sys.stdout.buffer under PYTHONUNBUFFERED: a write may be partial, as a pipe's is at a signal."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.taken += bytes(data[:1000])
        return min(len(data), 1000)


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_partial_write_loses_nothing(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    """All records are printed, however few bytes a write accepts."""
    command, narrow = ["decode", "-q", "--format", form, tape(tmp_path, TAPE.ts)], Narrow()
    whole = ran(capfd, *command)[1]
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(narrow, write_through=True))
    assert cli.main(command) == 0
    assert narrow.taken.decode() == whole


@pytest.mark.parametrize("form", ["json", "csv"])
def test_output_is_utf_8_in_any_locale(form: str, tmp_path: Path):
    """Text of other scripts in a locale whose encoding cannot represent it."""
    path = tape(tmp_path, encode({"precision_time_stamp": 5, "mission_id": "é😀"}))
    environment = {**ENVIRONMENT, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = subprocess.run(
        [*COMMAND, "decode", "--format", form, path], capture_output=True, timeout=20, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "é😀" in done.stdout.decode()


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_full_disk_is_one_line(form: str, tmp_path: Path):
    """Full standard output is an error line, not a traceback."""
    path = tape(tmp_path, TAPE.bare * 50, "long.klv")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "decode", "--format", form, path],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=20, env=ENVIRONMENT,
        )  # fmt: skip
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert re.search(r"(?m)^klvrelay: .*[Nn]o space", done.stderr)


def test_a_terminal_sees_a_progress_bar_and_a_pipe_does_not(tmp_path: Path):
    """The bar is on standard error; standard output has only records."""
    main, terminal = os.openpty()
    environment = {**ENVIRONMENT, "TERM": "xterm"}
    with os.fdopen(main, "rb", 0) as screen:
        done = subprocess.run(
            [*COMMAND, "decode", tape(tmp_path)], stdout=subprocess.PIPE, stderr=terminal, timeout=20, env=environment
        )
        os.close(terminal)
        seen = screen.read(65536).decode()
    assert done.returncode == 0
    assert len(lines(done.stdout.decode())) == 40
    assert "decoding" in seen
    assert "40 packets" in seen


@pytest.fixture
def csv_rows(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Callable[[bytes], list[dict[str, str]]]:
    def rows(data: bytes) -> list[dict[str, str]]:
        code, out, _ = ran(capfd, "decode", "--format", "csv", tape(tmp_path, data))
        assert code == 0
        return list(csv.DictReader(io.StringIO(out), strict=True))

    return rows


def test_csv_has_a_row_per_record_and_a_column_per_item(csv_rows: Any):
    """One header for all rows, though records differ; a missing item is empty."""
    data = TAPE.klv[0] + encode({"precision_time_stamp": 5, "platform_heading_angle": 90.0})
    first, second = csv_rows(data)
    assert list(first)[:8] == ["stream", "seq", "time", "time_us", "pts", "pid", "program", "set"]
    assert (first["mission_id"], first["platform_heading_angle"]) == ("0", "")
    assert (second["mission_id"], second["seq"], second["checksum"]) == ("", "1", "ok")
    assert float(second["platform_heading_angle"]) == pytest.approx(90, abs=0.01)
    assert second["time"] == "1970-01-01T00:00:00.000005Z"


def test_csv_names_nested_items_by_their_path_and_writes_lists_as_json(csv_rows: Any):
    """Nested sets have dotted names, booleans are true and false."""
    values = {
        "precision_time_stamp": 5,
        "security_local_set": {"security_classification": "Secret"},
        "vmti_local_set": {"vtarget_series": [{"target_id": 1, "target_centroid": 409600}]},
    }
    (row,) = csv_rows(encode(values))
    assert row["security_local_set.security_classification"] == "Secret"
    targets = json.loads(row["vmti_local_set.vtarget_series"])
    assert targets == [{"target_id": 1, "target_centroid": 409600}]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|'/c'!A1", '=HYPERLINK("x")'])
def test_csv_contains_no_formula(text: str, csv_rows: Any):
    """Text from the aircraft that a spreadsheet would run is marked as text; `hostile/` tests more of it."""
    (row,) = csv_rows(encode({"precision_time_stamp": 5, "mission_id": text}))
    assert row["mission_id"] == "'" + text.replace("\t", r"\u0009").replace("\r", r"\u000d")


@pytest.mark.parametrize("text", ['a,b"c', "é😀", "'quoted'"])
def test_csv_keeps_any_text(text: str, csv_rows: Any):
    """Commas, quotes and other scripts."""
    (row,) = csv_rows(encode({"precision_time_stamp": 5, "mission_id": text}))
    assert row["mission_id"] == text


def test_negative_numbers_stay_numbers_in_csv(csv_rows: Any):
    """Only text is marked."""
    (row,) = csv_rows(encode({"precision_time_stamp": 5, "sensor_latitude": -33.5}))
    assert float(row["sensor_latitude"]) == pytest.approx(-33.5)


def test_a_stream_without_klv_is_reported(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Only video: exit code 4, and what the stream has instead."""
    ts = b"".join(TAPE.ts[at : at + 188] for at in range(0, len(TAPE.ts), 188) if TAPE.ts[at + 2] != feed.KLV_PID & 255)
    for form in ("json", "csv"):
        code, out, said = ran(capfd, "decode", "--format", form, tape(tmp_path, ts, "video.ts"))
        assert (code, len(out.splitlines())) == (4, form == "csv")
        assert re.fullmatch(r"klvrelay: .*video\.ts: no KLV in its \d+ TS packets.*\n", said)


def test_a_sample_decodes_to_its_values(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """`sample` then `decode`: a record per frame, all valid, nothing unknown, nothing skipped."""
    path = str(tmp_path / "orbit.ts")
    code, out, said = ran(capfd, "sample", path, "--seconds", "1", "--size", "160x96", "--fps", "10", "--seed", "3")
    assert (code, out) == (0, "")
    assert "10 KLV packets" in said
    code, out, said = ran(capfd, "decode", path)
    assert code == 0
    assert counts(said) == [10, 0, 0, 0, 0]
    records = lines(out)
    assert all(r["quality"] == {"checksum": "ok", "transport": "ok"} for r in records)
    written = list(sample.packets(seconds=1, klv_rate=10, seed=3, size=(160, 96)))
    assert [r["time_us"] for r in records] == [klvrelay.decode(p)[0].time_us for p in written]
    assert [r["items"] for r in records] == [klvrelay.decode(p)[0].items for p in written]


def test_every_record_fits_the_published_schema(tmp_path: Path, capfd: pytest.CaptureFixture[str], shared: Path):
    """The output for a real recording conforms to the JSON Schema."""
    import jsonschema

    schema = json.loads((ROOT / "src/klvrelay/record.schema.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    _, out, _ = ran(capfd, "decode", str(shared / "data" / "osh_sample_stream.ts"))
    for record in lines(out)[::20]:
        validator.validate(record)


REAL = {
    "osh_sample_stream.ts": (277, 0),
    "day_flight.klv": (6, 0),
    "DynamicConstantMISMMSPacketData.bin": (1, 1),
    "DynamicOnlyMISMMSPacketData.bin": (1, 0),
    "h264_klv.ts": (30, 0),
    "aphill_klv_10s.ts": (300, 0),
}


@pytest.mark.parametrize("name", REAL)
def test_real_recordings_give_their_known_records(name: str, shared: Path, capfd: pytest.CaptureFixture[str]):
    """The numbers of packets and of wrong checksums are known."""
    code, out, said = ran(capfd, "decode", str(shared / "data" / name))
    assert code == 0
    records, (packets, bad, _, damaged, _) = lines(out), counts(said)
    assert (len(records), packets, bad, damaged) == (REAL[name][0], *REAL[name], 0)
    expected = "absent" if name.startswith("aphill") else "bad" if REAL[name][1] else "ok"
    assert {r["quality"]["checksum"] for r in records} == {expected}
    if not name.startswith("aphill"):
        assert {r["set"] for r in records} == {"ST0601"}


def test_vmti_of_a_real_recording(shared: Path, capfd: pytest.CaptureFixture[str]):
    """37 records with VMTI, 130 targets in them."""
    _, out, _ = ran(capfd, "decode", str(shared / "data" / "osh_sample_stream.ts"))
    vmti = [r["items"]["vmti_local_set"] for r in lines(out) if "vmti_local_set" in r["items"]]
    assert len(vmti) == 37
    assert sum(len(v.get("vtarget_series", [])) for v in vmti) == 130


def test_a_real_video_without_klv(shared: Path, capfd: pytest.CaptureFixture[str]):
    """No record, one message, and exit code 4."""
    code, out, said = ran(capfd, "decode", str(shared / "data" / "h264_no_klv.ts"))
    assert (code, out) == (4, "")
    assert "no KLV in its 171 TS packets" in said


@pytest.mark.parametrize("name", REAL)
def test_real_recordings_as_csv(name: str, shared: Path, capfd: pytest.CaptureFixture[str]):
    """One row per record, each with all columns."""
    code = cli.main(["decode", "-q", "--format", "csv", str(shared / "data" / name)])
    head, *rows = csv.reader(io.StringIO(capfd.readouterr().out), strict=True)
    assert (code, len(rows)) == (0, REAL[name][0])
    assert {len(row) for row in rows} == {len(head)}
