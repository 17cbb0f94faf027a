"""Reads tables: delimiters, units, times, mappings; and tables with faults."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from cases import each_case

from klvrelay.errors import ConfigError, KlvrelayError, SourceError
from klvrelay.importing.clock import VideoClock, length_note, start_of
from klvrelay.importing.csv_cells import unescape
from klvrelay.importing.csv_table import read_csv
from klvrelay.importing.mapping import wishes_of
from klvrelay.importing.telemetry import FlightTelemetry
from klvrelay.importing.times import read_date, start_time, utc_offset

US = 1_700_000_000_000_000


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str, *maps: str, encoding: str = "utf-8") -> FlightTelemetry:
        path = tmp_path / "a.csv"
        path.write_bytes(text.encode(encoding))
        return read_csv(path, wishes_of(maps))

    return read


def only(found: FlightTelemetry) -> dict:
    (row,) = found.rows
    return dict(row.items())


@each_case(
    "text",
    [
        "time_us,sensor_latitude,sensor_true_altitude\n1700000000000000,48.5,120.25\n",
        "Precision Time Stamp,Sensor Latitude,Sensor True Altitude\n1700000000000000,48.5,120.25\n",
        "UNIX Time Stamp;SensorLatitude;Sensor Altitude\n1700000000000000;48,5;120,25\n",
        "timestamp\tlatitude\tsensor_true_altitude (ft)\n1700000000\t48,5\t394.520997375328\n",
        "time|lat|sensor_true_altitude [cm]\n2023-11-14T22:13:20Z|48.5|12025\n",
        "epoch_ms,LAT,SENSOR_TRUE_ALTITUDE\n1700000000000,48.5,120.25\n",
        "datetime(utc),lat,sensor_true_altitude\n2023-11-14 22:13:20.000,48.5,120.25\n",
        "sep=;\n\n# a log\ntime;lat;sensor_true_altitude\n1700000000;48.5;120.25\n",
        '"time","lat","sensor_true_altitude"\r\n"2023-11-14T23:13:20+01:00","48.5","120.25"\r\n',
    ],
)  # fmt: skip
def test_headings_units_delimiters_and_times_are_recognised(read, text: str):
    """klvrelay's, those of ArcGIS, and those with a unit; a decimal comma where the comma delimits nothing."""
    found = read(text)
    assert found.rows[0].at_us == US
    values = only(found)
    assert values["sensor_latitude"] == 48.5
    assert values["sensor_true_altitude"] == pytest.approx(120.25)


@each_case(
    ("unit", "number", "item", "expected"),
    [
        ("ft", 1000, "sensor_true_altitude", 304.8), ("km", 1.5, "slant_range", 1500), ("nmi", 1, "slant_range", 1852),
        ("knots", 10, "platform_ground_speed", 5.144444), ("km/h", 36, "platform_ground_speed", 10),
        ("ft/min", 600, "platform_vertical_speed", 3.048), ("rad", math.pi, "platform_heading_angle", 180),
        ("mrad", 1000, "sensor_relative_elevation_angle", 57.29578), ("degE7", 485000000, "sensor_latitude", 48.5),
        ("degF", 212, "outside_air_temperature", 100), ("K", 273.15, "outside_air_temperature", 0),
        ("inHg", 29.92, "static_pressure", 1013.2076), ("hPa", 1013, "static_pressure", 1013),
    ],
)  # fmt: skip
def test_units_are_converted_to_those_of_the_item(read, unit: str, number: float, item: str, expected: float):
    """In the mapping, or in the heading."""
    mapped = only(read(f"t,x\n1700000000,{number}\n", f"time=t,{item}=x:{unit}"))
    stated = only(read(f"time,{item} ({unit})\n1700000000,{number}\n"))
    assert mapped[item] == stated[item] == pytest.approx(expected, abs=1e-4)


@each_case(
    ("text", "unit", "us"),
    [
        ("1.5", "s", 1_500_000), ("1500", "ms", 1_500_000), ("1500000", "us", 1_500_000),
        ("1500000000", "ns", 1_500_000),
        ("0", "s", 0), ("-1.25", "s", -1_250_000),
    ],
)  # fmt: skip
def test_small_times_are_relative_to_the_first_frame(read, text: str, unit: str, us: int):
    """In the unit that is stated."""
    found = read(f"t,lat\n{text},48.5\n", f"time=t:{unit}")
    assert (found.relative, found.rows[0].at_us) == (True, us)


def test_a_mapping_overrides_headings_and_names_by_number(read):
    """The heading of a mapped item no longer counts; a column may be named by its number."""
    found = read("time,sensor_latitude,mine,yaw\n1,1,2,3\n", "latitude=mine", "gimbal_yaw=4")
    assert only(found) == {"sensor_latitude": 2, "gimbal_yaw": 3}
    assert found.ignored == ["sensor_latitude"]


def test_the_mapping_in_the_documentation_is_accepted(tmp_path: Path):
    """Its items and units are valid."""
    page = (Path(__file__).parent.parent / "docs" / "import.md").read_text()
    (tmp_path / "map.toml").write_text(page.partition("```text\n")[2].partition("```")[0])
    assert [wish.path for wish in wishes_of([str(tmp_path / "map.toml")])] == [
        "time", "sensor_latitude", "sensor_longitude", "sensor_true_altitude",
    ]  # fmt: skip


def test_a_mapping_may_be_a_file(read, tmp_path: Path):
    """TOML, with units."""
    file = tmp_path / "map.toml"
    file.write_text(
        'time = { column = "t", unit = "ms" }\n[items]\n14 = "x"\naltitude = { column = "h", unit = "ft" }\n'
    )
    found = read("t,x,h\n500,11.5,100\n", str(file))
    assert found.rows[0].at_us == 500_000
    assert only(found) == {"sensor_longitude": 11.5, "sensor_true_altitude": pytest.approx(30.48)}


@each_case(
    ("mapping", "complaint"),
    [
        ("sensor_lattitude=x", "unknown item sensor_lattitude; did you mean sensor_latitude?"),
        ("x", "--map"),
        ("lat=x,lat=y", "sensor_latitude is mapped twice"), ("lat=", "write ITEM=COLUMN"),
        ("time=t:ft", "unit ft of the time: give one of s, ms, us, ns, iso"),
        ("lat=x:ft", "unit ft: give one of deg, rad, mrad, mil, degE7"),
        ("mission_id=x:ft", "this item has no unit; leave the unit out"),
        ("precision_time_stamp=x", "map the time with time=COLUMN"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_is_refused_with_what_is_valid(mapping: str, complaint: str):
    """Before anything is read; an unknown name with the nearest one."""
    with pytest.raises(ConfigError) as caught:
        wishes_of([mapping])
    assert complaint in str(caught.value)


@each_case(
    ("text", "complaint"),
    [
        ("a,b\n1,2\n", "which column is the time? Give --map time=COLUMN; its columns are a, b"),
        ("time,b\n", "no usable row: only headings"),
        ("hello\nworld\n", "the first line is no row of headings"),
        ("time,lat\nx,1\ny,2\n", "2 rows skipped: line 2: time 'x' is neither ISO 8601 nor a number"),
        ("time,lat\n1,\n", "line 2: no value"),
        ("", "is empty"),
    ],
)  # fmt: skip
def test_a_table_without_telemetry_is_refused(read, text: str, complaint: str):
    """The error has the reason, and the lines."""
    with pytest.raises(KlvrelayError) as caught:
        read(text)
    assert complaint in str(caught.value)


def test_a_missing_column_is_named_with_those_that_exist(read):
    """So that a typing error shows."""
    with pytest.raises(ConfigError, match="has no column alt; it has time, height"):
        read("time,height\n1,2\n", "altitude=alt")


def test_a_bad_row_or_value_spoils_only_itself(read):
    """Each is counted, with its line."""
    found = read(
        "time,lat,lon\n1,48,11\n2,NaN,12\n3,north,13\n,48,14\n5,48\n2023-01-01,48,1\n6,inf,15\n7,48,1e400\n" + "x\n"
    )
    assert [(row.at_us // 1_000_000, dict(row.items())) for row in found.rows] == [
        (1, {"sensor_latitude": 48, "sensor_longitude": 11}), (2, {"sensor_longitude": 12}),
        (3, {"sensor_longitude": 13}), (5, {"sensor_latitude": 48}), (6, {"sensor_longitude": 15}),
        (7, {"sensor_latitude": 48}),
    ]  # fmt: skip
    rows, values = found.notes
    assert rows.startswith("3 rows skipped: line 5: no time; line 7: ")
    assert values.startswith("3 values skipped: line 4: sensor_latitude: 'north' is not a number; line 8: ")


def test_huge_lines_and_quotes_spoil_only_themselves(read):
    """A line is bounded, a missing quotation mark ends within bounds, and the rows around them count."""
    long = "3," + "9" * 3_000_000
    found = read(f"time,lat\n1,48\n{long}\n2,49\n" + '4,"50\n' + "5,51\n" * 40_000)
    assert [row.at_us for row in found.rows[:2]] == [1_000_000, 2_000_000]
    assert found.rows[-1].at_us == 5_000_000
    assert len(found.rows) > 10_000
    assert "line 3: the line is too long" in found.notes[0]


def test_rows_out_of_order_are_sorted(read):
    """With a note."""
    found = read("time,lat\n2,2\n1,1\n3,3\n")
    assert [row.at_us // 1_000_000 for row in found.rows] == [1, 2, 3]
    assert found.notes == ["1 row out of order in time; they were sorted"]


@each_case("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_a_table_is_read_in_any_encoding(read, encoding: str):
    """Headings with marks too."""
    found = read("time,Höhe,lat\n1,100,48.5\n2,100,48.5\n3,100,48.5\n", "altitude=Höhe:ft", encoding=encoding)
    assert dict(found.rows[2].items())["sensor_true_altitude"] == pytest.approx(30.48)


def test_damaged_and_other_records_of_klvrelay_are_skipped(read):
    """Of its CSV, undamaged records of ST 0601 count."""
    head = "time_us,set,checksum,transport,sensor_latitude\n"
    states = ("ST0601,ok,ok,1", "ST0601,bad,ok,2", "ST0903,ok,ok,3", "ST0601,ok,damaged,4")
    found = read(head + "".join(f"{US + number},{state}\n" for number, state in enumerate(states)))
    assert only(found) == {"sensor_latitude": 1}
    assert "line 3: a damaged record; line 4: a record of ST0903; line 5: a damaged record" in found.notes[0]


@each_case(
    ("cell", "text"),
    [("plain", "plain"), ("a\\\\b", "a\\b"), ("\\u001b[2J", "\x1b[2J"), ("'=1+1", "=1+1"), ("'tis", "'tis")],
)
def test_texts_of_klvrelay_are_restored(cell: str, text: str):
    """Escapes, and the mark before a formula."""
    assert unescape(cell) == text


@each_case(
    ("created", "stamp", "expected", "said"),
    [
        (None, None, US, "is taken as the first frame"), (US + 1_500_000, None, US, "is taken as the first frame"),
        (US + 30_000_000, None, US + 30_000_000, "the video begins at its creation time"),
        (US + 90_000_000, None, US, "2023-11-14T22:14:50.000Z, +90 s from that"),
        (US + 30_000_000, US + 5, US + 5, "times are those in the video's frames"),
    ],
    ids=str,
)  # fmt: skip
def test_a_log_of_the_whole_flight_is_joined_with_a_later_video(read, created, stamp, expected: int, said: str):
    """By the time in its frames, by its creation time if the log covers it, or else by the first row."""
    found = read("time,lat\n1700000000,48\n1700000060,48\n")
    start = start_of(found, VideoClock(stamp, created), None, None, 0)
    assert start.us == expected
    assert said in " ".join(start.notes)


@each_case(
    ("shift", "notes"),
    [
        (0.0, ("the telemetry ends 20.0 s after the video",)), (-20.0, ()),
        (-50.0, ("the telemetry ends 30.0 s before the video",)),
        (5.0, ("the telemetry begins 5.0 s after the video", "the telemetry ends 25.0 s after the video")),
    ],
)  # fmt: skip
def test_telemetry_that_does_not_fit_the_video_is_noted(read, shift: float, notes: tuple[str, ...]):
    """Where it begins and ends, with the shift."""
    found = read("t,lat\n0,48\n60,48\n", "time=t:s")
    start = start_of(found, VideoClock(), US, None, round(shift * 1e6))
    assert length_note(found, start, 40.0) == notes


@each_case(
    ("text", "us"),
    [
        ("2023-11-14T22:13:20Z", US), ("2023-11-14T22:13:20.5+00:00", US + 500_000), ("1700000000", US),
        ("1700000000000", US), ("2023-11-14 22:13:20", US), ("2023/11/14 22:13:20,250", US + 250_000),
    ],
)  # fmt: skip
def test_the_start_is_read_in_each_form(text: str, us: int):
    """Without a zone it is UTC."""
    assert start_time(text) == us


@each_case("text", ["yesterday", "12", "", "1969-01-01", "nan", "9" * 400])
def test_a_wrong_start_is_refused(text: str):
    """With a valid example."""
    with pytest.raises(ConfigError, match="2026-06-01T09:30:00Z"):
        start_time(text)


@each_case(("text", "minutes"), [("+02:00", 120), ("-0330", -210), ("+1", 60), ("Z", 0)])
def test_an_offset_is_read_in_each_form(text: str, minutes: int):
    """Hours, or hours and minutes."""
    assert utc_offset(text) == minutes * 60_000_000


@each_case("text", ["2", "+15:00", "+02:75", "CET", ""])
def test_a_wrong_offset_is_refused(text: str):
    """With a valid example."""
    with pytest.raises(ConfigError, match=r"such as \+02:00, or Z"):
        utc_offset(text)


def test_a_date_without_a_zone_is_local():
    """And one with a zone is not."""
    assert read_date("2023-11-14 22:13:20").is_local
    assert not read_date("2023-11-14T22:13:20Z").is_local


def test_a_table_with_too_many_columns_is_refused(read):
    """Instead of mapping thousands."""
    with pytest.raises(SourceError, match="no row of headings"):
        read(",".join(f"c{n}" for n in range(2000)) + "\n1\n")
