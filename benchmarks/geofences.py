"""What comparing a stream with geofences costs per record: one test, one update of a watch, and many fences."""

from __future__ import annotations

import math
from itertools import count
from pathlib import Path

import orjson

from benchmarks.clock import Call, take_turns
from benchmarks.show import Goal, goals, number, table
from klvrelay import decoder, geofences

_SAMPLES = Path(__file__).parent.parent / "samples"
_HERE, _AWAY = (56.1203, 9.4306), (50.0, 9.4)
_GOALS = {"100 corners: away": 3.0, "100 corners: inside": 60.0}


def run(*, quick: bool) -> None:
    timings = take_turns({**_tests(), **_records()}, rounds=5 if quick else 15)
    rows = [(name, number(timing.median * 1e6), number(timing.least * 1e6)) for name, timing in timings.items()]
    table("CPU time", ("", "us, median", "us, least"), rows)
    goals([Goal(what, most, timings[what].median * 1e6, "us", at_most=True) for what, most in _GOALS.items()])


def _tests() -> dict[str, tuple[Call, int]]:
    found: dict[str, tuple[Call, int]] = {}
    for corners in (4, 100, 1000, 90_000):
        (fence,) = _fences(1, corners)
        for name, place in (("away", _AWAY), ("inside", _HERE)):
            found[f"{corners:,} corners: {name}"] = (lambda fence=fence, place=place: fence.contains(*place)), 1
        index = geofences.FenceIndex([fence])
        edge = _HERE[0] + 0.0112, _HERE[1]
        found[f"{corners:,} corners: border"] = (lambda index=index, edge=edge: index.is_near(0, *edge, 100)), 1
    return found


def _records() -> dict[str, tuple[Call, int]]:
    items = decoder.decode((_SAMPLES / "orbit.ts").read_bytes())[100].items
    found: dict[str, tuple[Call, int]] = {}
    for subject in ("platform", "frame_centre", "footprint", "target"):
        of = frozenset[geofences.Subject]({subject})
        found[f"{subject}: positions of a record"] = (lambda of=of: geofences.places_of(items, of)), 1
        places = geofences.places_of(items, of)
        for fences in (1, 900):
            watch = geofences.FenceWatch(geofences.FenceRule("rule", _fences(fences, 100), of=of))
            clock = count()
            found[f"{subject}: update, {fences} of 100 corners"] = (
                lambda watch=watch, places=places, clock=clock: watch.update(next(clock) / 30, places)
            ), 1
    return found


def _fences(many: int, corners: int) -> tuple[geofences.Fence, ...]:
    """Rough circles of 1.1 km in a grid; the first one is around the aircraft of the sample."""
    rings = [_circle(_HERE[1] + n % 30 * 0.03, _HERE[0] + n // 30 * 0.03, corners) for n in range(many)]
    features = [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}} for ring in rings]
    return geofences.parse_fences(orjson.dumps({"type": "FeatureCollection", "features": features}))


def _circle(lon: float, lat: float, corners: int) -> list[list[float]]:
    angles = [2 * math.pi * n / corners for n in range(corners)]
    heights = [0.01 + 0.001 * (n % 2) for n in range(corners)]
    ring = [[lon + 0.01 * math.cos(a), lat + high * math.sin(a)] for a, high in zip(angles, heights, strict=True)]
    return [*ring, ring[0]]
