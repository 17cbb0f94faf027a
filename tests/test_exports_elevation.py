"""`klvrelay export --elevation`: what is derived with the heights of the ground."""

from __future__ import annotations

import json
from array import array
from pathlib import Path
from typing import Any

import pytest
from exported import export, flight
from test_cli import ran

from klvrelay import geo
from klvrelay.exports.formats import FORMATS

SEEN: dict[str, Any] = {
    "sensor_true_altitude": 1500.0, "platform_heading_angle": 90.0, "platform_pitch_angle": 0.0,
    "platform_roll_angle": 0.0, "sensor_relative_azimuth_angle": 0.0, "sensor_relative_elevation_angle": -30.0,
    "sensor_relative_roll_angle": 0.0, "sensor_horizontal_field_of_view": 10.0, "sensor_vertical_field_of_view": 6.0,
}  # fmt: skip
RECORDS = flight([(9.5 + n / 1000, 56.5) for n in range(3)], **SEEN)
NEEDS_NOTHING = [form.name for form in FORMATS.values() if "elevation" in form.takes and form.extra is None]
WITHOUT = sorted(form.name for form in FORMATS.values() if "elevation" not in form.takes)


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with one tile of three seconds of arc, whose ground rises to the east from 0 m to 1200 m."""
    folder = tmp_path_factory.mktemp("tiles")
    row = array("h", range(1201))
    row.byteswap()
    (folder / "N56E009.hgt").write_bytes(row.tobytes() * 1201)
    return str(folder)


def features(form: bytes, kind: str) -> list[Any]:
    return [one for one in json.loads(form)["features"] if one["properties"]["kind"] == kind]


def test_frame_centres_and_footprints_are_on_the_ground_of_the_tiles(tiles: str):
    """Their height is that of the tile there; without tiles nothing is derived, since nothing gives a height."""
    found = export("geojson", RECORDS, elevation=tiles, footprint_every=0)
    [track] = features(found, "frame_center")
    footprints = features(found, "footprint")

    for lon, lat, hae in track["geometry"]["coordinates"]:
        assert hae - geo.undulation(lat, lon) == pytest.approx((lon - 9) * 1200, abs=0.5)
        assert lon > 9.505
    assert [one["properties"]["source"] for one in footprints] == ["derived"] * 3
    assert {"frame_center", "footprint"}.isdisjoint(
        one["properties"]["kind"] for one in json.loads(export("geojson", RECORDS))["features"]
    )


def test_corners_are_those_of_the_ground_and_not_of_a_level(tiles: str):
    """As `geo.derive` gives them; on level ground the far edge would be farther away."""
    [first, *_] = features(export("geojson", RECORDS, elevation=tiles, footprint_every=0), "footprint")
    situation = geo.derive(RECORDS[0].items, geo.ElevationTiles(tiles))
    assert situation.footprint is not None
    assert situation.frame_centre is not None
    assert situation.frame_centre.hae is not None
    corners = {(round(lon, 8), round(lat, 8)) for lat, lon in situation.footprint.corners}
    level = geo.derive(RECORDS[0].items, geo.FlatGround(situation.frame_centre.hae.value)).footprint
    assert level is not None

    assert {tuple(point[:2]) for point in first["geometry"]["coordinates"][0]} == corners
    assert level.corners[0][1] - situation.footprint.corners[0][1] > 0.0001


@pytest.mark.parametrize("form", NEEDS_NOTHING)
def test_each_format_with_positions_takes_it(form: str, tiles: str):
    """The file differs from that without."""
    assert export(form, RECORDS, elevation=tiles) != export(form, RECORDS)


@pytest.mark.parametrize("form", WITHOUT)
def test_other_formats_refuse_it(form: str, tiles: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """It would have no effect."""
    (tape := tmp_path / "flight.klv").write_bytes(b"".join(record.raw for record in RECORDS))
    code, _, said = ran(capfd, "export", str(tape), "--to", form, "--elevation", tiles, str(tmp_path / "out"))
    assert code == 2
    assert f"--elevation has no effect with {form}; it applies to geojson" in said


def test_a_folder_without_tiles_is_refused_before_anything_is_read(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """The message says what is expected there; no file is written."""
    out = tmp_path / "out.geojson"
    for folder in (tmp_path, tmp_path / "none"):
        code, _, said = ran(capfd, "export", "no.ts", "--elevation", str(folder), str(out))
        assert code == 2
        assert f"{folder}: no " in said
        assert "expected files such as N56E009.hgt" in said
    assert not out.exists()


def test_flights_exported_at_the_same_time_take_it_too(
    tiles: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """Their processes get the folder."""
    for name in "ab":
        (tmp_path / f"{name}.klv").write_bytes(b"".join(record.raw for record in RECORDS))
    (out := tmp_path / "out").mkdir()
    words = [str(tmp_path / "a.klv"), str(tmp_path / "b.klv"), "--to", "geojson", "--elevation", tiles, "--jobs", "2"]
    assert ran(capfd, "export", "-q", *words, f"{out}/") == (0, "", "")
    assert all(features(path.read_bytes(), "footprint") for path in out.iterdir())
    assert len(list(out.iterdir())) == 2
