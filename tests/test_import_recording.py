"""The transport streams that `klvrelay import` writes, through `probe`, other readers, and byte by byte."""

from __future__ import annotations

import json
import subprocess
from itertools import pairwise
from pathlib import Path

import av
import pytest
from av.bitstream import BitStreamFilterContext
from imported import (
    BRACKETS,
    FLAT,
    OLD,
    START_US,
    imported,
    latitude,
    longitude,
    make_video,
    probe_of,
    records_of,
    srt,
    yaw,
)
from test_sample_transport import VIDEO, packets_of
from tstrans.io import parse_file
from tstrans.klv import decode_uas_datalink
from tstrans.mpegts import DemuxerConfig, DemuxEvent, StrictMode

import klvrelay
from klvrelay.cli.main import main
from klvrelay.importing.derive import ImportSetup
from klvrelay.importing.prepared import prepare
from klvrelay.importing.recording import instants
from klvrelay.importing.request import ImportRequest, constants_of, security_of
from klvrelay.standards.spec import SETS

SHIPPED = Path(__file__).parent.parent / "samples" / "orbit.ts"
COMPLETE = security_of("unclassified", "dnk") | constants_of([], {"image_source_sensor": "EO"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A DJI flight: subtitles, and an mp4 with B-frames and sound; imported once."""
    folder = tmp_path_factory.mktemp("flight")
    (folder / "a.srt").write_text(srt(BRACKETS, 30))
    make_video(folder / "a.mp4", 30, created="2023-05-01T10:34:56Z", audio=True)
    imported(folder / "a.srt", folder / "a.mp4", folder / "a.ts", constants=COMPLETE)
    return folder


def step(key: str) -> float:
    """Half the distance between two codes of an item, in its unit."""
    item = next(item for item in SETS["ST0601"].values() if item.key == key)
    assert item.min is not None
    assert item.max is not None
    return (item.max - item.min) / (256 ** (item.len_max if item.mapping != "imapb" else 4) - 2) * 0.51


def units_of(path: Path) -> list[tuple[int, int, bytes]]:
    """PTS and DTS in milliseconds from the first, and the bytes of each frame in Annex B."""
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == "video")
        name = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}[stream.codec_context.name]
        convert = BitStreamFilterContext(name, stream)
        packets = [found for packet in container.demux(stream) if packet.size for found in convert.filter(packet)]
        base = packets[0].pts, packets[0].dts
        milliseconds = 1000 * stream.time_base
        times = [(round((p.pts - base[0]) * milliseconds), round((p.dts - base[1]) * milliseconds)) for p in packets]
        return [(*time, bytes(packet)) for time, packet in zip(times, packets, strict=True)]


def test_a_dji_flight_has_no_findings(folder):
    """What the telemetry does not have was given as options; all else follows from it."""
    report = probe_of(folder / "a.ts")
    assert [finding.what for finding in report.findings] == []


def test_without_options_only_what_dji_does_not_record_is_missing(folder, tmp_path):
    """The name of the sensor, and the security classification."""
    imported(folder / "a.srt", folder / "a.mp4", tmp_path / "a.ts")
    assert {finding.id: finding.what for finding in probe_of(tmp_path / "a.ts").findings} == {
        "minimum_set": "1 item of the minimum set not received: 11 Image Source Sensor",
        "security_missing": "No security metadata: the classification of the stream is missing",
    }


def test_every_record_has_the_values_of_its_cue(folder):
    """Within the resolution of each item, at the time and PTS of its frame."""
    records = records_of(folder / "a.ts")
    assert len(records) == 30
    for number, record in enumerate(records):
        items = record.items
        assert record.good
        assert record.time_us == pytest.approx(START_US + number * 1_001_000 / 30, abs=1000)
        assert items["sensor_latitude"] == pytest.approx(latitude(number), abs=6e-7)  # printed with six decimals
        assert items["sensor_longitude"] == pytest.approx(longitude(number), abs=6e-7)
        assert items["sensor_true_altitude"] == pytest.approx(620.4, abs=step("sensor_true_altitude"))
        azimuth = items["platform_heading_angle"] + items["sensor_relative_azimuth_angle"]
        assert azimuth % 360 == pytest.approx(round(yaw(number), 1) % 360, abs=step("platform_heading_angle") + 6e-4)
        assert items["sensor_relative_elevation_angle"] == pytest.approx(-60, abs=1e-6)
        assert items["slant_range"] == pytest.approx(100.1 / 0.8660254, abs=0.01)
        assert items["frame_center_elevation"] == pytest.approx(520.3, abs=step("frame_center_elevation"))


def test_records_are_in_order_although_frames_are_not(folder):
    """With B-frames the PTS of frames go back; those of records never do, and each is that of a frame."""
    frames = [pts for pts, _, _ in units_of(folder / "a.ts")]
    records = [record.pts for record in records_of(folder / "a.ts")]
    assert frames != sorted(frames)
    assert records == sorted(records)
    assert len(set(records)) == 30


def test_the_video_is_bit_identical(folder, tmp_path):
    """Each frame is that of the source in Annex B, with an access unit delimiter if it had none, at the same times."""
    imported(folder / "a.srt", folder / "a.mp4", tmp_path / "a.ts", stamp=False)
    ours, theirs = units_of(tmp_path / "a.ts"), units_of(folder / "a.mp4")
    delimiter = bytes.fromhex("0000000109f0")
    assert [frame.removeprefix(delimiter) for _, _, frame in ours] == [frame for _, _, frame in theirs]
    assert all(frame.startswith(delimiter) for _, _, frame in ours)
    assert [times for *times, _ in ours] == [times for *times, _ in theirs]


def test_frames_get_the_time_of_their_record(folder):
    """As SEI (ST 0604), not locked to a reference; nothing else in a frame changes."""
    stamps = {found.pts: found for found in klvrelay.frame_times(folder / "a.ts")}
    records = records_of(folder / "a.ts")
    assert {record.pts: record.time_us for record in records} == {pts: each.time_us for pts, each in stamps.items()}
    assert not any(found.stamp.locked or found.stamp.odd for found in stamps.values())


@pytest.mark.parametrize("name", ["a.mkv", "a.mov", "a.ts"])
def test_other_containers_give_the_same_frames(folder, tmp_path, name):
    """Where decoding times are missing at the start, as in mkv, they are filled in."""
    with av.open(str(folder / "a.mp4")) as source, av.open(str(tmp_path / name), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    imported(folder / "a.srt", tmp_path / name, tmp_path / "out.ts", constants=COMPLETE, offset_us=7_200_000_000)
    assert [finding.what for finding in probe_of(tmp_path / "out.ts").findings] == []
    pictures = [[frame for _, _, frame in units_of(path)] for path in (tmp_path / "out.ts", folder / "a.ts")]
    assert [len(frame) for frame in pictures[0]] == [len(frame) for frame in pictures[1]]


def test_h265_is_copied_too(tmp_path):
    """With its delimiters and time stamps."""
    (tmp_path / "a.srt").write_text(srt(BRACKETS, 12))
    make_video(tmp_path / "a.mp4", 12, codec="libx265", b_frames=0)
    imported(tmp_path / "a.srt", tmp_path / "a.mp4", tmp_path / "a.ts", constants=COMPLETE)
    assert [finding.what for finding in probe_of(tmp_path / "a.ts").findings] == []
    assert len(list(klvrelay.frame_times(tmp_path / "a.ts"))) == 12


def test_a_csv_of_a_recording_restores_it(tmp_path, capfdbinary):
    """`decode --format csv`, then `import` with its video: every record as before, its frames unchanged."""
    assert main(["decode", str(SHIPPED), "--format", "csv", "-q"]) == 0
    (tmp_path / "a.csv").write_bytes(capfdbinary.readouterr().out)
    imported(tmp_path / "a.csv", SHIPPED, tmp_path / "a.ts")
    before, after = records_of(SHIPPED), records_of(tmp_path / "a.ts")
    added = {"platform_pitch_angle_full", "platform_roll_angle_full", "target_width_extended"}

    assert [finding.what for finding in probe_of(tmp_path / "a.ts").findings] == []
    assert [record.time_us for record in after] == [record.time_us for record in before]
    for old, new in zip(before, after, strict=True):
        assert {key: value for key, value in new.items.items() if key not in added} == old.items
    assert [frame for _, _, frame in units_of(tmp_path / "a.ts")] == [frame for _, _, frame in units_of(SHIPPED)]


def test_a_strict_demultiplexer_reads_it(folder):
    """tstrans in its strictest mode finds nothing amiss, and reads the same values."""
    events = list(parse_file(folder / "a.ts", DemuxerConfig(strict_mode=StrictMode.FULL)))
    assert [e for e in events if isinstance(e, DemuxEvent.NonConformant | DemuxEvent.Discontinuity)] == []
    read = [decode_uas_datalink(e.payload) for e in events if isinstance(e, DemuxEvent.Metadata)]
    assert [one.timestamp_us for one in read] == [record.time_us for record in records_of(folder / "a.ts")]
    assert {one.field_errors for one in read} == {()}
    assert read[3].sensor_lat_deg == pytest.approx(latitude(3), abs=6e-7)


def test_stanag4609_verifies_its_carriage(folder):
    """Another implementation of ST 1402 and ST 0601 has no error about carriage or records."""
    from stanag4609.verifier import verify_fmv_file

    report = verify_fmv_file(folder / "a.ts")
    wrong = [finding.code for finding in report.findings if finding.status.name == "ERROR"]
    assert [check for check in wrong if check.startswith(("st1402", "st0601", "transport", "psi", "metadata"))] == []


@pytest.mark.needs("ffprobe")
def test_ffprobe_reads_it(folder):
    """Without a complaint: one H.264 and one KLV stream."""
    done = subprocess.run(
        ["ffprobe", "-v", "warning", "-of", "json", "-show_entries", "stream=codec_name", folder / "a.ts"],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    names = [stream["codec_name"] for stream in json.loads(done.stdout)["streams"]]
    assert names == ["h264", "klv"]
    assert done.stderr.replace("Unsupported codec with id 98311 for input stream 1\n", "") == ""


def test_a_gap_between_frames_keeps_the_clock(folder, tmp_path):
    """Variable frame rate: PCR and tables go on while there is no frame."""
    make_video(tmp_path / "a.mp4", 30, gaps={10: 1_700, 20: 450})
    imported(folder / "a.srt", tmp_path / "a.mp4", tmp_path / "a.ts", constants=COMPLETE)
    clocks = [packet.pcr for packet in packets_of(tmp_path / "a.ts") if packet.pcr is not None]
    assert max(later - clock for clock, later in pairwise(clocks)) <= 9000
    found = {finding.id for finding in probe_of(tmp_path / "a.ts").findings}
    assert found <= {"rate_irregular"}  # the records are as irregular as the frames
    last: dict[int, int] = {}
    for packet in packets_of(tmp_path / "a.ts"):
        expected = (last.get(packet.pid, packet.counter - 1) + bool(packet.payload)) % 16
        assert packet.counter == expected
        last[packet.pid] = packet.counter
    assert VIDEO in last


def test_one_cue_a_second_holds_for_each_frame_of_it(tmp_path):
    """The older subtitles; an altitude needs that of the take-off."""
    (tmp_path / "a.srt").write_text(srt(OLD, 2, 1000))
    make_video(tmp_path / "a.mp4", 45)
    setup = ImportSetup(takeoff_altitude=500)
    counts = imported(tmp_path / "a.srt", tmp_path / "a.mp4", tmp_path / "a.ts", setup=setup)
    records = records_of(tmp_path / "a.ts")
    assert counts.packets == 45
    assert records[0].items["sensor_true_altitude"] == pytest.approx(540.1, abs=0.2)
    assert len({record.items["sensor_latitude"] for record in records}) == 1  # four decimals
    assert len({record.time_us for record in records}) == 45


def test_interpolation_moves_between_cues(tmp_path):
    """Numbers change with each frame, and the newest value holds after the last cue."""
    (tmp_path / "a.srt").write_text(srt(BRACKETS, 3, 500))
    make_video(tmp_path / "a.mp4", 45)
    imported(tmp_path / "a.srt", tmp_path / "a.mp4", tmp_path / "a.ts", interpolate=True)
    found = [record.items["sensor_latitude"] for record in records_of(tmp_path / "a.ts")]
    assert found[:30] == sorted(set(found[:30]))
    assert found[15] == pytest.approx(latitude(0) + 15 * 1001 / 30 / 500 * 1e-5, abs=2e-7)
    assert found[-1] == pytest.approx(latitude(2), abs=6e-7)


def test_a_rate_selects_frames(folder, tmp_path):
    """Ten packets a second are every third frame."""
    imported(folder / "a.srt", folder / "a.mp4", tmp_path / "a.ts", rate=10)
    times = [record.time_us for record in records_of(tmp_path / "a.ts")]
    assert [round((time - times[0]) / 33_367) for time in times] == [*range(0, 30, 3)]


@pytest.mark.parametrize(("cues", "packets"), [(10, 30), (60, 30)])
def test_subtitles_may_be_shorter_or_longer_than_the_video(tmp_path, cues, packets):
    """The last values hold for --max-age; further cues are not used."""
    (tmp_path / "a.srt").write_text(srt(BRACKETS, cues))
    make_video(tmp_path / "a.mp4", 30)
    assert imported(tmp_path / "a.srt", tmp_path / "a.mp4", tmp_path / "a.ts").packets == packets
    counts = imported(tmp_path / "a.srt", tmp_path / "a.mp4", tmp_path / "b.ts", max_age=0.1)
    assert counts.packets + counts.bare == 30
    assert (counts.bare > 10) == (cues == 10)


def test_without_a_video_the_packets_are_bare(folder, tmp_path):
    """One for each row."""
    counts = imported(folder / "a.srt", None, tmp_path / "a.klv")
    assert (counts.frames, counts.packets) == (0, 30)
    assert counts.size == (tmp_path / "a.klv").stat().st_size
    first = records_of(tmp_path / "a.klv")[0]
    assert first.time_us == pytest.approx(START_US + 7_200_000_000, abs=1000)


def test_a_shift_moves_the_telemetry(folder, tmp_path):
    """By the seconds given, against the video."""
    imported(folder / "a.srt", folder / "a.mp4", tmp_path / "a.ts", shift_us=333_667)
    records = records_of(tmp_path / "a.ts")
    assert len(records) == 20
    assert records[0].items["sensor_latitude"] == pytest.approx(latitude(0), abs=6e-7)
    assert records[0].time_us == pytest.approx(START_US + 333_667, abs=1500)


def test_the_first_frame_has_the_given_start(tmp_path):
    """For telemetry without a date."""
    (tmp_path / "a.srt").write_text(srt(FLAT, 10))
    make_video(tmp_path / "a.mp4", 10)
    request = ImportRequest(tmp_path / "a.srt", tmp_path / "a.mp4", None, start_us=START_US)
    found = list(instants(prepare(request)))
    assert [instant.time_us for instant in found] == [
        START_US + round(number * 1001 * 1000 / 30) for number in range(10)
    ]
