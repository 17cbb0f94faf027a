"""What deriving positions costs per record, and how accurate it is: against the truth of generated flights, and against
what recordings report.

Distances are horizontal, in metres: median / 95th percentile. The generated flights look down from about 1.4 km.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clock import Call, Timing, take_turns
from benchmarks.show import CONSOLE, Goal, goals, number, table
from klvrelay import decoder, geo
from klvrelay.record import Record

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
from geo_truth import Shot, flight, metres, seen, spread, without

_HERE = Path(__file__).parent.parent
_DATA = _HERE.parent / "shared" / "data"
_RECORDINGS = {
    "osh_sample_stream.ts": "ST 0601, simulator, 3.6 km",
    "aphill_klv_10s.ts": "EG 0104, real flight, 3.4 km",
}
_FLIGHTS = {
    "seed 1": (1, 640, 360),
    "seed 2": (2, 640, 360),
    "seed 7, 720p": (7, 1280, 720),
    "seed 3, 1080p": (3, 1920, 1080),
}
_NO_CORNERS = "corner_", "offset_"
_ANGLES_ONLY = *_NO_CORNERS, "frame_center_l"
_MOST = 100.0  # us

Metres = tuple[float, float]


def run(*, quick: bool) -> None:
    found = [_cost(rounds=5 if quick else 15)]
    found += _generated(20 if quick else 60)
    found += _recorded()
    goals(found)


def _cost(rounds: int) -> Goal:
    """CPU time of each derivation from the items of one record."""
    records = decoder.decode((_HERE / "samples" / "orbit.ts").read_bytes())[:100]
    timings = take_turns(_calls(records), rounds=rounds)
    rows = [(name, number(timing.median * 1e6), number(timing.least * 1e6)) for name, timing in timings.items()]
    table("CPU time", ("per record", "us, median", "us, least"), rows)
    return Goal("all derivations of a record", _MOST, _total(timings), "us", at_most=True)


def _total(timings: dict[str, Timing]) -> float:
    return 1e6 * sum(timings[name].median for name in ("derive: angles only", "track", "targets"))


def _calls(records: Sequence[Record]) -> dict[str, tuple[Call, int]]:
    whole = [record.items for record in records]
    angles = [without(items, *_ANGLES_ONLY) for items in whole]
    corners = [without(items, *_NO_CORNERS) for items in whole]
    situations = [geo.derive(items) for items in whole]
    picture = geo.PictureGround(situations[0])
    by_corners = geo.PictureGround(geo.derive(without(whole[0], "sensor_")))
    on_grid = geo.PictureGround(situations[0], _grid(situations[0]))
    return {
        "items of a record": (_each(lambda record: record.items, records), len(records)),
        "derive: all reported": (_each(geo.derive, whole), len(records)),
        "derive: no corners": (_each(geo.derive, corners), len(records)),
        "derive: angles only": (_each(geo.derive, angles), len(records)),
        "track": (_tracked(records, whole, situations), len(records)),
        "targets": (_each(lambda pair: geo.targets(*pair), list(zip(whole, situations, strict=True))), len(records)),
        "pixel to level ground": (lambda: picture.to_ground(0.3, 0.7), 1),
        "pixel to ground by corners": (lambda: by_corners.to_ground(0.3, 0.7), 1),
        "pixel to a grid of heights": (lambda: on_grid.to_ground(0.3, 0.7), 1),
        "ground to pixel": (lambda: picture.to_picture(56.12, 9.41), 1),
        "geoid": (lambda: geo.undulation(56.12, 9.41), 1),
    }


def _each(call: Callable[[Any], object], things: Sequence[Any]) -> Call:
    return lambda: [call(thing) for thing in things]


def _tracked(records: Sequence[Record], whole: Sequence[geo.Items], situations: Sequence[geo.Situation]) -> Call:
    history, times = geo.TrackHistory(), cycle(range(0, 10**12, 33_333))

    def track() -> None:
        for items, situation in zip(whole, situations, strict=True):
            history.follow("uav", items, next(times), situation.platform)

    return track


def _grid(situation: geo.Situation) -> geo.ElevationGrid:
    """A plain with cells of one second of arc, around the frame centre."""
    centre = situation.frame_centre
    assert centre is not None
    return geo.ElevationGrid(np.full((361, 361), 68.0), centre.lat + 0.05, centre.lon - 0.05, 1 / 3600, 1 / 3600)


def _generated(seconds: int) -> list[Goal]:
    """The truth of the generator, which assumes a geoid 1 m lower than EGM96."""
    ways: dict[str, Callable[[list[Shot]], Iterable[float]]] = {
        "pixel: angles, true height": lambda shots: _pixels(shots, _ANGLES_ONLY, true_height=True),
        "pixel: true height": lambda shots: _pixels(shots, (), true_height=True),
        "pixel: level ground": lambda shots: _pixels(shots, ()),
        "pixel: angles, level ground": lambda shots: _pixels(shots, (*_ANGLES_ONLY, "slant_range")),
        "pixel: level picture": lambda shots: _pixels(shots, ("platform_pitch", *_NO_CORNERS)),
        "pixel: four corners": lambda shots: _pixels(shots, ("sensor_",)),
        "centre: slant range": lambda shots: _centres(shots, ()),
        "centre: item 25": lambda shots: _centres(shots, ("slant_range",)),
        "centre: target width": lambda shots: _centres(shots, ("slant_range", "frame_center")),
        "corners: level ground": _corners,
    }
    flights = [flight(*which, seconds) for which in _FLIGHTS.values()]
    found = {way: [spread(errors(shots)) for shots in flights] for way, errors in ways.items()}
    rows = [(way, *map(_shown, spreads)) for way, spreads in found.items()]
    table("Accuracy: generated flights, metres", ("", *_FLIGHTS), rows)
    return [
        _goal("pixel at the true height, by angles", 0.7, found["pixel: angles, true height"]),
        _goal("pixel on level ground", 2.5, found["pixel: level ground"]),
        _goal("pixel by four corners", 12.0, found["pixel: four corners"]),
    ]


def _pixels(shots: list[Shot], drop: tuple[str, ...], *, true_height: bool = False) -> Iterable[float]:
    for shot, image in seen(shots):
        ground = geo.FlatGround(shot.truth.vehicle.place.hae) if true_height else None
        picture = geo.PictureGround(geo.derive(without(shot.items, *drop)), ground)
        yield metres(picture.to_ground(*image), shot.truth.vehicle.place)


def _centres(shots: list[Shot], drop: tuple[str, ...]) -> Iterable[float]:
    for shot in shots:
        yield metres(geo.derive(without(shot.items, *_ANGLES_ONLY, *drop)).frame_centre, shot.truth.centre)


def _corners(shots: list[Shot]) -> Iterable[float]:
    for shot in shots:
        found = geo.derive(without(shot.items, *_NO_CORNERS)).footprint
        assert found is not None
        yield from map(metres, found.corners, shot.truth.corners)


def _recorded() -> list[Goal]:
    """What is derived without a reported value, compared with that value."""
    rows, found = [], []
    for name, what in _RECORDINGS.items():
        if not (_DATA / name).exists():
            CONSOLE.print(f"[yellow]skipped[/]: no {name} beside the project")
            continue
        records = [record.items for record in decoder.decode((_DATA / name).read_bytes())]
        centre, aligned, corners = _differences(records)
        rows.append((f"{name}: {what}", str(len(records)), _shown(centre), _shown(aligned), _shown(corners)))
        found.append(_goal(f"corners of {name}", 3.0, [aligned]))
    if rows:
        columns = "", "records", "frame centre by angles", "corners around the frame centre", "corners by angles alone"
        table("Derived and reported positions of recordings, metres", columns, rows)
    return found


def _differences(records: Sequence[geo.Items]) -> tuple[Metres, Metres, Metres]:
    centres, aligned, alone = [], [], []
    for items in records:
        reported = geo.derive(items)
        by_angles, around = geo.derive(without(items, *_ANGLES_ONLY)), geo.derive(without(items, *_NO_CORNERS))
        assert reported.footprint is not None
        assert by_angles.footprint is not None
        assert around.footprint is not None
        centres.append(metres(by_angles.frame_centre, reported.frame_centre))
        aligned += map(metres, around.footprint.corners, reported.footprint.corners)
        alone += map(metres, by_angles.footprint.corners, reported.footprint.corners)
    return spread(centres), spread(aligned), spread(alone)


def _goal(what: str, most: float, spreads: Iterable[Metres]) -> Goal:
    return Goal(f"{what}: median", most, max(found[0] for found in spreads), "m", at_most=True)


def _shown(found: Metres) -> str:
    return f"{found[0]:.2f} / {found[1]:.2f}"
