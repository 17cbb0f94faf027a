"""Real recordings and the sample generator: nothing is found in what is right, and each fault by its check."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import orjson
import pytest
from cases import each_case
from conftest import ROOT
from plausible_flights import in_recording
from probe_streams import findings_of, probed

import klvrelay
from klvrelay import sample
from klvrelay.cli import sample as sample_options
from klvrelay.errors import ConfigError
from klvrelay.plausibility import Plausibility
from klvrelay.sample.faults import FAULTS

RECORDINGS = {
    "osh_sample_stream.ts": {},
    "aphill_klv_10s.ts": {},
    "day_flight.klv": {},
    "h264_no_klv.ts": {},
    "DynamicConstantMISMMSPacketData.bin": {},  # its checksum is wrong
    # Test values, not a flight: the frame centre in Africa, the sensor in Siberia; mirrored corners.
    "DynamicOnlyMISMMSPacketData.bin": {"frame_centre": 1},
    "h264_klv.ts": {"frame_centre": 30, "corners": 29},
}
FOUND_BY = {
    "frozen": "frozen", "frozen-time": "frozen", "past": "time", "jump": "position_step",
    "frame-centre": "frame_centre", "corners": "corners", "corner-order": "corners", "below-ground": "below_ground",
    "position-zero": "position_zero",
}  # fmt: skip
"""Faults of the generator and the check that finds them; `future` needs an arrival."""
BESIDE = {
    "frozen-time": {"time_repeated", "time_drift"}, "future": {"time_jumps", "time_future"},
    "past": {"time_implausible", "time_jumps", "time_backwards"},
}  # fmt: skip
"""What the rules of `klvrelay probe` about clocks find; `time_implausible` includes `time`."""
SECONDS, AT, RATE = 11, 3, 4


def faulty(fault: str | None) -> bytes:
    return b"".join(sample.packets(seconds=SECONDS, klv_rate=RATE, fault=fault, fault_at=fault and AT))


@pytest.mark.parametrize("name", RECORDINGS)
def test_only_test_values_are_implausible(name: str, shared: Path):
    """No real flight has a finding."""
    assert in_recording(shared / "data" / name) == RECORDINGS[name]


@each_case("key, value, id_", [
    ("slant_range", 9000.0, "frame_centre"), ("sensor_true_altitude", -700.0, "below_ground"),
    ("corner_longitude_point_1_full", 77.4, "corners"), ("sensor_latitude", 38.1, "position_step"),
])  # fmt: skip
def test_universal_sets_are_judged_too(key, value, id_, shared: Path):
    """EG/ST 0104 of a real flight, with one value changed in the second record."""
    before, after = list(klvrelay.open(shared / "data" / "aphill_klv_10s.ts"))[:2]
    checks, document = Plausibility(), orjson.loads(after.json())
    document["items"][key] = value

    assert checks.check(before, 0.0) == []
    assert id_ in {found.id for found in checks.check_document(after, document, 0.03)}


def test_the_shipped_sample_is_plausible():
    """samples/orbit.ts."""
    assert in_recording(ROOT / "samples" / "orbit.ts") == {}


@each_case("options", [
    {}, {"seed": 99}, {"klv_rate": 1}, {"klv_rate": 60, "seconds": 2}, {"klv_rate": 0.5}, {"size": (128, 72)},
    {"start": "2001-01-01T00:00:00Z", "seed": 2},
])  # fmt: skip
def test_generated_recordings_are_plausible(options, tmp_path: Path):
    """Several flights, rates, sizes and dates."""
    path = tmp_path / "sample.klv"
    path.write_bytes(b"".join(sample.packets(**{"seconds": 12, "klv_rate": 3, **options})))

    assert in_recording(path) == {}


@each_case("fault", [fault for fault in FAULTS if fault != "future"])
def test_each_fault_is_found_by_its_check_and_only_after_it_began(fault, tmp_path: Path):
    """From valid packets with right checksums, at their pace."""
    path = tmp_path / "faulty.klv"
    path.write_bytes(faulty(fault))
    checks, found = Plausibility(), []
    for number, record in enumerate(klvrelay.open(path)):
        assert (record.checksum, record.transport) == ("ok", "ok")
        found += [(number / RATE, each.id) for each in checks.check(record, number / RATE)]

    assert {id_ for _, id_ in found} == {FOUND_BY[fault]}
    assert AT <= found[0][0] <= AT + 5
    assert len(found) == 1 or fault != "jump"


def test_a_time_in_the_future_is_found_if_the_arrival_is_known(tmp_path: Path):
    """Each record arrives when its clock should say."""
    path = tmp_path / "future.klv"
    path.write_bytes(faulty("future"))
    right = tmp_path / "right.klv"
    right.write_bytes(faulty(None))
    true = [record.time_us for record in klvrelay.open(right)]
    checks = Plausibility()
    found = [
        checks.check(record._replace(received_us=time_us + 20_000), number / RATE)
        for number, (record, time_us) in enumerate(zip(klvrelay.open(path), true, strict=True))
    ]

    assert [bool(each) for each in found] == [number >= AT * RATE for number in range(SECONDS * RATE)]
    assert {each.id for findings in found for each in findings} == {"time"}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_probe_reports_each_fault_once(fault: str, tmp_path: Path):
    """As one warning, with the number of records and the time, beside what the rules about clocks report."""
    path = tmp_path / "faulty.ts"
    sample.write(path, seconds=SECONDS, size=(128, 72), fps=10, klv_rate=RATE, fault=fault, fault_at=AT)
    report = probed(path.read_bytes(), tmp_path)
    expected = {FOUND_BY[fault]} if fault in FOUND_BY else set()
    reported = expected - {"time"}

    assert findings_of(report).keys() == reported | BESIDE.get(fault, set())
    assert {findings_of(report)[id_] for id_ in reported} <= {"warning"}
    (stream,) = report.klv
    assert stream.checksum_ok == SECONDS * RATE
    assert {found.id for found in stream.implausible} == expected
    for found in stream.implausible:
        assert AT - 0.3 <= found.first <= AT + 5.3
        assert found.last == pytest.approx(AT if fault == "jump" else SECONDS - 1 / RATE, abs=0.3)
    for finding in report.findings:
        if finding.id in reported:
            assert f"{finding.count:,} of {SECONDS * RATE} records" in finding.what
            assert f"second {stream.implausible[0].first:.1f}" in finding.what
        if finding.id == "time_implausible":
            assert finding.what.startswith("The record time 1980-")


def test_a_frozen_recording_shows_the_same_picture(tmp_path: Path):
    """From the second on, all frames are equal, while time stamps in KLV and frames run on."""
    import av

    path = tmp_path / "frozen.ts"
    sample.write(path, seconds=3, size=(128, 72), fps=10, fault="frozen", fault_at=1.5, bit_rate=2_000_000)
    with av.open(path) as file:
        frames = [frame.to_ndarray().astype(int) for frame in file.decode(video=0)]
    differences = [abs(after - before).mean() for before, after in pairwise(frames)]
    stamps = {stamp.time_us for stamp in klvrelay.frame_times(path)}
    times = {record.time_us for record in klvrelay.open(path)}

    assert len(frames) == 30
    assert min(differences[:14]) > 5 * max(differences[17:])
    assert times == stamps
    assert len(times) == 30


@each_case("options, words", [
    ({"fault": "broken"}, "fault 'broken': give one of frozen,"),
    ({"fault": "jump", "fault_at": 30}, "fault_at 30: give a second of the recording, from 0 to below 30"),
    ({"fault": "jump", "fault_at": -1}, "fault_at -1"), ({"fault": "jump", "fault_at": float("nan")}, "fault_at nan"),
    ({"fault_at": 3}, "fault_at: give the fault too"),
])  # fmt: skip
def test_invalid_faults_are_refused(options, words):
    """With the valid ones."""
    with pytest.raises(ConfigError, match=words):
        next(sample.packets(**options))


def test_the_command_knows_the_faults_of_the_generator():
    """It lists them without loading the generator."""
    assert list(FAULTS) == [*sample_options.FAULTS]
