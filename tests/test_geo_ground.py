"""Where rays meet the ground: level, or with the heights of a grid."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from cases import each_case
from hypothesis import given
from hypothesis import strategies as st

from klvrelay import geo
from klvrelay.errors import ConfigError

PLACE = geo.GeoPoint(56.3, 9.4, 2000.0)


def ray(azimuth: float, elevation: float, place: geo.GeoPoint = PLACE) -> geo.PinholeCamera:
    return geo.camera_at(place, geo.rotation(azimuth, elevation, 0), 10, 10)


def met(ground: geo.GroundModel, azimuth: float, elevation: float, place: geo.GeoPoint = PLACE):
    camera = ray(azimuth, elevation, place)
    return ground.meet(camera.eye, camera.ray())


@given(st.floats(-90, 90), st.floats(-180, 179), st.floats(-900, 9000), st.floats(10, 12_000),
       st.floats(0, 360), st.floats(-90, -4))  # fmt: skip
def test_level_ground_is_met_at_its_height(lat, lon, hae, above, azimuth, elevation):
    """The point has the height of the ground, to 2 cm, and lies on the ray at the stated distance."""
    camera = ray(azimuth, elevation, geo.GeoPoint(lat, lon, hae + above))

    hit = geo.FlatGround(hae).meet(camera.eye, camera.ray())

    assert isinstance(hit, geo.GroundHit)
    assert hit.position.hae == pytest.approx(hae, abs=0.02)
    point = geo.to_ecef(*hit.position)
    assert math.dist(point, camera.eye) == pytest.approx(hit.distance, abs=1e-3)
    assert camera.project(point) == pytest.approx((0.5, 0.5), abs=1e-5)


def test_straight_down_is_the_point_below():
    """At a distance of the height difference."""
    hit = met(geo.FlatGround(500.0), 0, -90)

    assert hit.position[:2] == pytest.approx((56.3, 9.4), abs=1e-8)
    assert hit.position.hae == pytest.approx(500, abs=0.02)
    assert hit.distance == pytest.approx(1500, abs=0.02)


def test_the_earth_is_curved():
    """At 10 degrees below the horizontal, 2 km above the ground, curvature adds 1.7 % to the distance."""
    flat = 2000 / math.sin(math.radians(10))

    assert met(geo.FlatGround(0.0), 45, -10).distance / flat == pytest.approx(1.0053, abs=0.001)


NO_GROUND = [
    (0.0, 5.0, 2000.0, "above the horizon"),
    (0.0, 0.0, 2000.0, "above the horizon"),
    (0.0, -1.4, 2000.0, "above the horizon"),  # the horizon is 1.43 degrees below the horizontal
    (0.0, -5.57, 30_000.0, "too far"),
    (100.0, -45.0, 50.0, "sensor below the ground"),
    (100.0, 45.0, 50.0, "sensor below the ground"),
]


@each_case("ground, elevation, height, reason", NO_GROUND)
def test_a_ray_that_meets_no_ground_has_a_reason(ground, elevation, height, reason):
    """Never a point behind the sensor, or beyond the horizon."""
    assert met(geo.FlatGround(ground), 200, elevation, PLACE._replace(hae=height)) == geo.NoGround(reason)


def test_just_below_the_horizon_the_ground_is_met():
    """1.45 degrees below the horizontal, from 2 km."""
    assert met(geo.FlatGround(0.0), 200, -1.45).distance < 161_000


def hills(lat, lon):
    """Smooth ridges, 160 m high."""
    return 80 * np.sin(np.radians(lat) * 6000) + 80 * np.cos(np.radians(lon) * 4000)


def grid(side: int = 601, datum="hae", heights=hills) -> geo.ElevationGrid:
    """Half a degree around 56.25 N 9.25 E, a point every 3 seconds of arc."""
    lat, lon = np.linspace(56.5, 56, side)[:, None], np.linspace(9, 9.5, side)[None, :]
    step = 0.5 / (side - 1)
    return geo.ElevationGrid(heights(lat, lon) + 0 * lat + 0 * lon, 56.5, 9, step, step, datum=datum)


@each_case("azimuth", range(0, 360, 30))
def test_a_ray_meets_the_hill_in_front(azimuth):
    """The height there is that of the grid, and everything before it lies below the ray."""
    ground = grid()
    camera = ray(azimuth, -12, geo.GeoPoint(56.25, 9.25, 2000))

    hit = ground.meet(camera.eye, camera.ray())

    assert isinstance(hit, geo.GroundHit)
    assert hit.position.hae == pytest.approx(hills(hit.position.lat, hit.position.lon), abs=0.5)
    sight = np.array(camera.ray()) / np.linalg.norm(camera.ray())
    for distance in np.linspace(0, hit.distance - 5, 400):
        lat, lon, hae = geo.from_ecef(tuple(np.array(camera.eye) + sight * distance))
        assert hae > ground.height(lat, lon) - 0.01


def test_a_plain_grid_is_level_ground():
    """The same point as with `FlatGround`, to a centimetre."""
    plain = grid(side=11, heights=lambda lat, lon: 120.0)

    for elevation in (-90, -40, -15):
        assert (
            math.dist(met(plain, 200, elevation).position[:2], met(geo.FlatGround(120.0), 200, elevation).position[:2])
            < 1e-7
        )


def test_heights_above_sea_level_are_raised_by_the_geoid():
    """A grid of MSL, the default, is 40 m higher here than one of HAE with the same numbers."""
    above_sea, above_ellipsoid = grid(datum="msl"), grid()

    difference = above_sea.height(56.2, 9.3) - above_ellipsoid.height(56.2, 9.3)

    assert difference == pytest.approx(geo.undulation(56.2, 9.3))
    hit = met(above_sea, 200, -30)
    assert hit.position.hae == pytest.approx(above_sea.height(*hit.position[:2]), abs=0.1)


def test_a_cliff_hides_what_is_behind_it():
    """A wall of one cell in front of a plain."""
    heights = np.zeros((601, 601))
    heights[420:422, :] = 1900.0
    ground = geo.ElevationGrid(heights, 56.5, 9, 0.5 / 600, 0.5 / 600, datum="hae")

    hit = met(ground, 180, -6)

    assert hit.position.hae > 200
    assert hit.position.lat == pytest.approx(56.5 - 420 * 0.5 / 600, abs=0.002)


NO_ELEVATION = [
    (0, -5, "no elevation", 56.4),  # leaves the grid in the north
    (0, 3, "above the horizon", 56.3),
    (0, -45, "no elevation", 57.2),  # outside
]


@each_case("azimuth, elevation, reason, lat", NO_ELEVATION)
def test_a_ray_outside_of_the_grid_has_a_reason(azimuth, elevation, reason, lat):
    """No height is invented beyond the last row."""
    assert met(grid(), azimuth, elevation, PLACE._replace(lat=lat)) == geo.NoGround(reason)


def test_a_sensor_inside_a_hill_has_a_reason():
    """Not the far side of the hill."""
    lat, lon = 56.3, 9.4
    place = geo.GeoPoint(lat, lon, float(hills(lat, lon)) - 3)

    assert met(grid(), 0, -1, place) == geo.NoGround("sensor below the ground")


def test_a_void_in_front_of_the_ground_has_a_reason():
    """The ground there may hide what is behind it."""
    heights = np.zeros((601, 601))
    heights[300:600] = np.nan

    assert met(geo.ElevationGrid(heights, 56.5, 9, 0.5 / 600, 0.5 / 600, datum="hae"), 180, -10) == geo.NoGround(
        "no elevation"
    )


def test_the_steps_along_a_ray_are_bounded():
    """A grid of tiny cells under a flat ray would take a million steps."""
    tiny = geo.ElevationGrid(np.zeros((2, 2)), 57, 9, 1e-6, 1e-6, datum="hae")

    assert met(tiny, 0, -2) == geo.NoGround("too far")


def test_a_grid_across_the_antimeridian():
    """Its longitudes go on beyond 180 degrees."""
    ground = geo.ElevationGrid(np.full((11, 11), 70.0), 10.5, 179.5, 0.1, 0.1, datum="hae")

    for lon in (179.6, -179.6, 180.0):
        assert ground.height(10.0, lon) == pytest.approx(70.0)
        assert met(ground, 90, -70, geo.GeoPoint(10.0, lon, 1000)).position.hae == pytest.approx(70, abs=0.02)
    assert ground.height(10.0, 178.0) is None


BAD_GRIDS = [
    (np.zeros(5), {}, "at least 2 rows"),
    (np.zeros((1, 9)), {}, "at least 2 rows"),
    (np.zeros((3, 3)), {"lat_step": -0.1}, "positive steps"),
    (np.zeros((3, 3)), {"north": 91.0}, "within -90 to 90"),
    (np.zeros((3, 3)), {"north": -89.9}, "within -90 to 90"),
    (np.full((3, 3), np.nan), {}, "no height"),
]


@each_case("heights, changes, message", BAD_GRIDS)
def test_what_is_no_grid_is_refused(heights, changes, message):
    """The message says what is expected."""
    terms = {"north": 50.0, "west": 9.0, "lat_step": 0.1, "lon_step": 0.1, **changes}
    with pytest.raises(ConfigError, match=message):
        geo.ElevationGrid(heights, **terms)


def tile(path: Path) -> Path:
    """Three seconds of arc: the row number, with a void."""
    heights = np.repeat(np.arange(1201, dtype=">i2")[:, None], 1201, axis=1)
    heights[100, 200] = -32768
    path.write_bytes(heights.tobytes())
    return path


def test_a_tile_of_srtm_is_read(tmp_path: Path):
    """Rows go from north to south, heights are above sea level, and next to a void there is none."""
    ground = geo.read_hgt(tile(tmp_path / "S23W044.hgt"))

    for row in (0, 600, 1200):
        lat = -22 - row / 1200
        assert ground.height(lat, -43.5) == pytest.approx(row + geo.undulation(lat, -43.5), abs=0.01)
    assert ground.height(-22 - 100.5 / 1200, -44 + 200.5 / 1200) is None
    assert ground.height(-21.9, -43.5) is None
    hit = met(ground, 180, -60, geo.GeoPoint(-22.5, -43.5, 3000))
    assert hit.position.hae == pytest.approx(ground.height(*hit.position[:2]), abs=0.1)


@each_case("name, size, message", [
    ("heights.hgt", 2 * 1201 * 1201, "as in N56E009.hgt"),
    ("N95E009.hgt", 2 * 1201 * 1201, "no such corner"),
    ("N56E009.hgt", 1000, "uncompressed"),
    ("N56E009.hgt", None, "can't be read"),
])  # fmt: skip
def test_a_file_that_is_no_tile_is_refused(name, size, message, tmp_path: Path):
    """The message says what is wrong."""
    path = tmp_path / str(size) / name
    path.parent.mkdir(exist_ok=True)
    if size is not None:
        path.write_bytes(bytes(size))
    with pytest.raises(ConfigError, match=message):
        geo.read_hgt(path)


def test_a_folder_of_tiles_is_one_ground(tmp_path: Path):
    """A ray that crosses from one tile to the next meets the ground there; beyond the last there is none."""
    for name in ("S23W044.hgt", "S23W043.hgt"):
        tile(tmp_path / name)
    ground = geo.ElevationTiles(tmp_path)

    hit = met(ground, 90, -20, geo.GeoPoint(-22.5, -43.02, 3000))

    assert -43 < hit.position.lon < -42.9
    assert hit.position.hae == pytest.approx(ground.height(*hit.position[:2]), abs=0.1)
    assert hit.position.hae == pytest.approx(600 + geo.undulation(-22.5, -43), abs=1)
    assert met(ground, 0, -45, geo.GeoPoint(-22.0001, -43.5, 3000)) == geo.NoGround("no elevation")
    assert ground.height(-21.5, -43.5) is None
    assert geo.derive({}, ground).frame_centre is None


def test_the_tiles_in_memory_are_bounded(tmp_path: Path):
    """The least recently used is read again; one that is not in the folder is remembered in the same way."""
    for lon in range(40, 44):
        tile(tmp_path / f"S23W0{lon}.hgt")
    ground = geo.ElevationTiles(tmp_path, most=2)

    found = [ground.height(-22.5, -lon + 0.5) for lon in (40, 41, 42, 43, 40, 99)]

    assert [one is None for one in found] == [False] * 5 + [True]
    assert len(ground._tiles) == 2
    for lon in (42, 43, 40, 41, 40, 42):
        ground.height(-22.5, -lon + 0.5)
    assert list(ground._tiles) == [(-23, -40), (-23, -42)]


def test_a_tile_that_is_no_tile_has_no_heights(tmp_path: Path, said):
    """The fault is kept for the caller to report, and logged once."""
    (tmp_path / "N56E009.hgt").write_bytes(b"zip")
    (tmp_path / "N56E010.hgt").write_bytes(b"zip")
    ground = geo.ElevationTiles(tmp_path, most=1)

    assert [ground.height(56.5, lon) for lon in (9.5, 10.5, 9.5)] == [None] * 3
    assert [line.partition(":")[0] for line in said()] == ["elevation tile not used"] * 2
    assert "uncompressed" in ground.faults["N56E009.hgt"]


def test_a_folder_without_tiles_is_refused(tmp_path: Path):
    """Also one that does not exist."""
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(ConfigError, match=r"expected files such as N56E009\.hgt"):
            geo.ElevationTiles(folder)
