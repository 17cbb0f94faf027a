"""Records of generated flights, beside the truth that they were made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import Any

from klvrelay import decode, geo, sample
from klvrelay.sample.flight import Flight, Instant

SENDERS_GEOID = 39.0
"""Undulation that the generator assumes; EGM96 has 40.05 m there."""


@dataclass(frozen=True)
class Shot:
    """One record's items and the instant that it describes."""

    items: dict[str, Any]
    truth: Instant
    time_us: int
    width: int
    height: int


@cache
def flight(seed: int, width: int = 640, height: int = 360, seconds: int = 40) -> list[Shot]:
    """One record a second."""
    scene = Flight(seed, width, height)
    packets = sample.packets(seconds=seconds, klv_rate=1, seed=seed, size=(width, height))
    records = [decode(packet)[0] for packet in packets]
    return [Shot(r.items, scene.at(n), r.clock_us, width, height) for n, r in enumerate(records)]


def without(items: Mapping[str, Any], *prefixes: str) -> dict[str, Any]:
    """The items whose keys do not begin like this."""
    return {key: value for key, value in items.items() if not key.startswith(prefixes)}


def metres(one: Any, other: Any) -> float:
    """Horizontal distance of two positions: pairs, or anything with `lat` and `lon`."""
    (a, b), (c, d) = ((p.lat, p.lon) if hasattr(p, "lat") else p[:2] for p in (one, other))
    return geo.between(a, b, c, d).distance


def spread(values: Iterable[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    found = sorted(values)
    return median(found), found[int(0.95 * (len(found) - 1))]


def seen(shots: list[Shot]) -> Iterator[tuple[Shot, tuple[float, float]]]:
    """Those whose vehicle is in the picture, with its position there."""
    for shot in shots:
        if (target := shot.truth.target) is not None:
            yield shot, (target.column / shot.width, target.row / shot.height)
