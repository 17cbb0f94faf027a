"""Reads DJI subtitles: dialects, clocks, order, and files that are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import each_case
from imported import BRACKETS, DRONE, FLAT, OLD, OLD_METRES, START_US, cue_text, srt

from klvrelay.errors import ConfigError, SourceError
from klvrelay.importing.clock import VideoClock, start_of
from klvrelay.importing.dji_srt import read_dji_srt
from klvrelay.importing.dji_text import clock_of, values_of
from klvrelay.importing.telemetry import FOCAL_LENGTH, HEIGHT, FlightTelemetry

LOCAL_US = START_US + 7_200_000_000


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str | bytes) -> FlightTelemetry:
        path = tmp_path / "a.srt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_dji_srt(path)

    return read


@each_case(
    ("form", "expected"),
    [
        (BRACKETS, {"sensor_latitude": 48.20001, "sensor_longitude": 11.49999, "sensor_true_altitude": 620.4,
                    HEIGHT: 100.1, "gimbal_yaw": -175.3, "gimbal_pitch": -60.0, "gimbal_roll": 0.0,
                    FOCAL_LENGTH: 24.0}),
        (DRONE, {"sensor_latitude": 48.20001, "sensor_longitude": 11.49999, "sensor_true_altitude": 620.4,
                 "platform_heading_angle": 90.4, "platform_pitch_angle": 0.8, "platform_roll_angle": -1.6,
                 FOCAL_LENGTH: 24.0}),
        (OLD, {"sensor_latitude": 48.2, "sensor_longitude": 11.5, HEIGHT: 40.1}),
        (OLD_METRES, {"sensor_latitude": 48.2, "sensor_longitude": 11.5, HEIGHT: 40.1}),
        (FLAT, {"sensor_latitude": 48.2, "sensor_longitude": 11.5, HEIGHT: 40.1, "platform_ground_speed": 3.6,
                "platform_vertical_speed": -0.5, "platform_pitch_angle": 1.0, "platform_roll_angle": -0.3,
                "platform_heading_angle": 60.0, "gimbal_pitch": -20.0, "gimbal_roll": 0.5, "gimbal_yaw": 61.0}),
    ],
    ids=["brackets", "drone", "old", "old metres", "flat"],
)  # fmt: skip
def test_every_dialect_gives_its_values(form: str, expected: dict[str, float]):
    """Names, orders and units of each, and nothing else."""
    assert values_of(cue_text(form, 1)) == expected


@each_case(
    ("text", "focal_length"),
    [
        ("[focal_len: 284.80] [dzoom_ratio: 1.77]", 284.8),
        ("[focal_len : 240] [dzoom_ratio: 10000, delta:0]", 24.0),
        ("[focal_len : 240] [dzoom_ratio: 20000, delta:0]", 48.0),
    ],
)
def test_a_focal_length_is_in_millimetres_and_includes_the_zoom(text: str, focal_length: float):
    """Integers are tenths of millimetres without the zoom; decimals include it."""
    assert values_of(text) == {FOCAL_LENGTH: focal_length}


@each_case(
    ("text", "us", "fine"),
    [
        ("2023-05-01 12:34:56,789,123", LOCAL_US + 123, True),
        ("2023-05-01 12:34:56.789", LOCAL_US, True),
        ("2023-05-01 12:34:56", LOCAL_US - 789_000, False),
        ("HOME(11.5,48.2) 2023.5.1 12:34:56", LOCAL_US - 789_000, False),
    ],
)
def test_the_clock_of_a_cue_is_read_in_each_form(text: str, us: int, fine: bool):
    """Milliseconds, microseconds, or whole seconds."""
    assert clock_of(text) == (us, fine)


@each_case("text", ["2023-13-01 12:34:56", "0000-01-01 00:00:00", "12:34:56", "2023-02-30 12:00:00"])
def test_an_impossible_date_is_no_clock(text: str):
    """The cue counts without it."""
    assert clock_of(text) is None


@each_case(
    ("order", "position"),
    [("latlon", (11.5, 48.2)), ("lonlat", (48.2, 11.5)), (None, (48.2, 11.5))],
    ids=str,
)  # fmt: skip
def test_the_order_of_a_position_may_be_stated(order, position: tuple[float, float]):
    """By default longitude is first in the older dialects."""
    values = values_of("GPS(11.5000,48.2000,17)", order)
    assert (values["sensor_latitude"], values["sensor_longitude"]) == position


def test_a_number_beyond_90_is_no_latitude():
    """The order follows from it."""
    assert values_of("GPS(-33.9,151.2,12)")["sensor_longitude"] == 151.2


def test_a_position_of_zero_is_no_fix(read):
    """It is left out, and the note counts the cues without a position."""
    found = read(srt(BRACKETS.replace("{lat:.6f}", "0.0").replace("{lon:.6f}", "0.0"), 3))
    assert "sensor_latitude" not in found.rows[0].keys
    assert found.notes == ["no position in 3 of 3 cues (no GPS fix?)"]


def test_cues_are_at_their_times_with_their_lines(read):
    """Relative to the first frame, in microseconds."""
    found = read(srt(BRACKETS, 3))
    assert [(row.at_us, row.line) for row in found.rows] == [(0, 2), (33_000, 8), (66_000, 14)]
    assert found.relative
    assert found.is_local


@each_case("form", [BRACKETS, OLD, OLD_METRES, DRONE], ids=["brackets", "old", "old metres", "drone"])
def test_the_clock_at_the_start_is_that_of_all_cues_together(read, form: str):
    """With whole seconds too, it is right to a frame."""
    found = read(srt(form, 90))
    assert found.clock_us == pytest.approx(LOCAL_US, abs=34_000)


@each_case("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_subtitles_are_read_in_any_encoding(read, encoding: str):
    """With and without a byte order mark, with any line ends."""
    text = srt(FLAT, 2).replace("\n", "\r\n")
    assert read(text.encode(encoding)).rows[1].items()["gimbal_yaw"] == 61.0


def test_cues_out_of_order_are_sorted(read):
    """With a note."""
    cues = srt(BRACKETS, 4).split("\n\n")
    found = read("\n\n".join([cues[0], cues[2], cues[1], cues[3]]))
    assert [row.at_us for row in found.rows] == [0, 33_000, 66_000, 100_000]
    assert found.notes == ["1 cue out of order in time; they were sorted"]


def test_empty_lines_and_numbers_between_cues_may_be_missing(read):
    """A cue ends where the next one begins."""
    assert len(read(srt(BRACKETS, 3).replace("\n\n", "\n")).rows) == 3


def test_a_cue_without_telemetry_is_skipped_and_named(read):
    """The others count."""
    found = read(srt(BRACKETS, 2) + "\n3\n00:00:00,066 --> 00:00:00,100\nHello\n")
    assert len(found.rows) == 2
    assert found.notes == ["1 cue skipped: line 14: no telemetry in this cue"]


@each_case(
    ("text", "complaint"),
    [
        ("1\n00:00:00,000 --> 00:00:01,000\nHello\n", "no DJI telemetry in 1 cue; are these ordinary subtitles?"),
        ("", "is empty"), ("\n\n", "is empty"), ("\0" * 50, "is empty"),
        (b"\0\0\0\x18ftypisom" + bytes(range(256)) * 4, "is not a text file: give the telemetry"),
    ],
    ids=repr,
)  # fmt: skip
def test_a_file_without_telemetry_is_refused(read, text: str | bytes, complaint: str):
    """The error says what it may be."""
    with pytest.raises(SourceError, match=complaint.replace("?", r"\?")):
        read(text)


def test_a_missing_file_is_a_wrong_argument(tmp_path: Path):
    """And so is a folder."""
    with pytest.raises(ConfigError, match="no such file"):
        read_dji_srt(tmp_path / "none.srt")
    with pytest.raises(ConfigError, match="not a file"):
        read_dji_srt(tmp_path)


def test_huge_lines_and_numbers_do_no_harm(read):
    """What is beyond a limit is ignored, and takes no time."""
    long = "[latitude: " + "9" * 5_000_000 + "] " + "[a: 1] " * 500_000
    found = read(srt(BRACKETS, 2) + f"\n3\n00:00:01,000 --> 00:00:02,000\n{long}\n")
    assert len(found.rows) == 2


def test_not_a_number_is_no_value():
    """The other values of the cue count."""
    assert values_of("[latitude: nan] [longitude: inf] [rel_alt: 5.0 abs_alt: NaN]") == {HEIGHT: 5.0}


def test_a_time_lapse_is_noted(read):
    """Its clock runs faster than its cues."""
    cues = [f"{n}\n00:00:{n:02},000 --> 00:00:{n + 1:02},000\n{cue_text(BRACKETS, n, 10_000)}\n" for n in range(12)]
    assert read("\n".join(cues)).notes == [
        "the clock in the cues runs 10 times as fast as the video (time lapse?); times follow the video"
    ]


@each_case(
    ("video", "start", "offset", "expected", "said"),
    [
        (VideoClock(), None, None, LOCAL_US, "taken as UTC"),
        (VideoClock(), None, 7_200_000_000, START_US, ""),
        (VideoClock(created_us=START_US - 2_000_000), None, None, START_US, "UTC offset \\+02:00"),
        (VideoClock(created_us=START_US + 600_000_000, seconds=599.0), None, None, START_US, "UTC offset \\+02:00"),
        (VideoClock(created_us=START_US + 400_000_000), None, None, LOCAL_US, "taken as UTC"),
        (VideoClock(created_us=1, stamp_us=2), 1_000, None, 1_000, ""),
    ],
    ids=str,
)  # fmt: skip
def test_local_time_becomes_utc(read, video: VideoClock, start, offset, expected: int, said: str):
    """By --utc-offset, or the container's creation time at the start or end; otherwise with a warning."""
    found = start_of(read(srt(BRACKETS, 90)), video, start, offset, 0)
    assert found.us == pytest.approx(expected, abs=1000)
    text = " ".join((*found.notes, *found.warnings))
    assert said.replace("\\", "") in text
    assert bool(text) == bool(said)


def test_without_any_date_the_start_is_asked_for(read):
    """The video's creation time is used if there is one."""
    found = read(srt(FLAT, 2))
    with pytest.raises(ConfigError, match="--start 2026-06-01T09:30:00Z"):
        start_of(found, VideoClock(), None, None, 0)
    assert start_of(found, VideoClock(created_us=START_US), None, None, 0).us == START_US
