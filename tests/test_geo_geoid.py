"""Heights above the geoid EGM96."""

from __future__ import annotations

import csv
import math

import pytest
from cases import each_case
from conftest import HERE
from hypothesis import given
from hypothesis import strategies as st

from klvrelay import geo

NGA = [  # the test points that the NGA publishes with its interpolation program
    (38.6281550, 269.7791550, -31.628),
    (-14.6212170, 305.0211140, -2.969),
    (46.8743190, 102.4487290, -43.575),
    (-23.6174460, 133.8747120, 15.871),
    (38.6254730, 359.9995000, 50.066),
    (-0.4667440, 0.0023000, 17.329),
]


@each_case("lat, lon, metres", NGA)
def test_the_published_points_of_the_nga(lat, lon, metres):
    """Within 0.3 m, whether the longitude is written to 360 or to 180."""
    assert geo.undulation(lat, lon) == pytest.approx(metres, abs=0.3)
    assert geo.undulation(lat, (lon + 180) % 360 - 180) == pytest.approx(geo.undulation(lat, lon))


def test_the_error_of_the_small_grid_is_the_stated_one():
    """Points of the full grid between those of the small one, evenly over the earth: 0.2 m rms, 0.45 m for 95 %.

    Over all points of the full grid it is less: a quarter of them are in both.
    """
    with (HERE / "vectors" / "egm96.csv").open() as lines:
        points = [tuple(map(float, row.values())) for row in csv.DictReader(lines)]
    errors = sorted(abs(geo.undulation(lat, lon) - metres) for lat, lon, metres in points)

    assert len(errors) == 400
    assert math.sqrt(sum(error**2 for error in errors) / len(errors)) < 0.2
    assert errors[int(0.95 * len(errors))] < 0.45
    assert errors[-1] < 2


def test_the_geoid_at_the_poles_and_the_antimeridian():
    """The poles have one height, and there is no step at 180 degrees."""
    for lon in (-180, 0, 77.7, 359.9):
        assert geo.undulation(90, lon) == pytest.approx(13.61, abs=0.06)
        assert geo.undulation(-90, lon) == pytest.approx(-29.53, abs=0.06)
    assert geo.undulation(10, 180 - 1e-9) == pytest.approx(geo.undulation(10, -180), abs=1e-6)
    assert geo.undulation(10, -1e-18) == pytest.approx(geo.undulation(10, 0))


@given(st.floats(-90, 90), st.floats(-720, 720), st.floats(-1000, 40_000))
def test_heights_are_converted_both_ways(lat, lon, height):
    """MSL and HAE differ by the undulation, which is between -107 and 86 m everywhere."""
    hae = geo.msl_to_hae(height, lat, lon)

    assert geo.hae_to_msl(hae, lat, lon) == pytest.approx(height, abs=1e-9)
    assert -107.1 < hae - height < 85.5


@each_case("lat", [90.001, -91, math.nan, math.inf])
def test_a_latitude_that_does_not_exist_is_refused(lat):
    """The message has the valid range."""
    with pytest.raises(ValueError, match="expected -90 to 90"):
        geo.undulation(lat, 0)
