"""When a rule is raised and cleared: entering, leaving, dwelling, margins, gaps, jumps, targets."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from cases import each_case
from fence_files import area, fences, point, polygon, square, tangle

from klvrelay import geo
from klvrelay.errors import ConfigError
from klvrelay.geofences import Altitudes, Fence, FenceRule, FenceStatus, FenceWatch, Place, Places

NORTH = area(9.0, 56.1, 9.2, 56.2, name="North")
SOUTH = area(9.0, 56.0, 9.2, 56.1, name="South")
METRE = 1 / 111_350  # degrees of latitude


def watch(*some: Fence, of: str = "platform", **settings: Any) -> FenceWatch:
    return FenceWatch(FenceRule("rule", some or (NORTH,), of=frozenset(of.split()), **settings))


def platform(lat: float, lon: float = 9.1, **altitudes: float) -> Places:
    return Places(platform=Place(lat, lon, Altitudes(**altitudes)))


def changes(status: FenceStatus) -> list[tuple[str, str]]:
    return [(event.kind, event.fence) for event in status.events]


def test_a_rule_is_raised_inside_and_cleared_outside():
    """With the position seen, the fence, and since when."""
    one = watch(margin=0)

    assert one.update(100.0, platform(56.05)) == (False, None, ())
    raised = one.update(101.0, platform(56.15))
    later = one.update(102.0, platform(56.16, hae=900))
    cleared = one.update(103.0, platform(56.21))

    assert raised.condition
    assert raised.events == (("entered", "platform", None, "North", 101.0),)
    assert later.seen == ("inside", "platform", None, "North", Place(56.16, 9.1, Altitudes(900)), 101.0, None)
    assert later.seen.describe() == "platform at 56.160000, 9.100000, 900 m HAE: inside North"
    assert later.events == ()
    assert (cleared.condition, cleared.seen, changes(cleared)) == (False, None, [("left", "North")])


def test_outside_is_raised_outside_all_fences():
    """From one fence into the next is not outside; the fence left last is named."""
    one = watch(NORTH, SOUTH, when="outside")

    assert not one.update(0, platform(56.05)).condition
    crossing = one.update(1, platform(56.1 + METRE))
    assert (crossing.condition, changes(crossing)) == (False, [("left", "South"), ("entered", "North")])
    raised = one.update(2, platform(56.3))
    assert raised.seen[:4] == ("outside", "platform", None, "North")
    assert raised.seen.since == 2
    assert one.update(3, platform(56.4)).seen.since == 2


def test_outside_is_raised_by_the_first_position():
    """A platform that was never inside: the text names no fence."""
    assert watch(when="outside").update(5, platform(50)).seen.describe().endswith("outside North")
    assert watch(NORTH, SOUTH, when="outside").update(5, platform(50)).seen.describe().endswith("outside all fences")


@each_case("when, step", [("inside", 1), ("outside", -1)])
def test_near_the_border_nothing_flickers(when, step):
    """Raised at the border, cleared only beyond the margin of 10 metres on the other side."""
    one = watch(when=when, margin=10)
    at = [one.update(n, platform(56.1 + step * metres * METRE)).condition
          for n, metres in enumerate((-50, 1, -1, 2, -9, 1, -9.5, -10.5, -9, -1, 1))]  # fmt: skip

    assert at == [False, True, True, True, True, True, True, False, False, False, True]


def test_dwelling_is_raised_after_the_time_inside():
    """Once, by monotonic time since entering; leaving begins a new count."""
    one = watch(when="dwell", dwell=10, margin=0)
    path = [(0, 56.15), (9.9, 56.15), (10, 56.16), (11, 56.15), (12, 56.3), (13, 56.15), (22, 56.15), (23, 56.15)]
    found = [one.update(at, platform(lat)) for at, lat in path]

    assert [status.condition for status in found] == [False, False, True, True, False, False, False, True]
    assert [changes(status) for status in found[2:5]] == [[("dwelled", "North")], [], [("left", "North")]]
    assert found[7].seen.since == 13


def test_a_short_stay_beyond_the_margin_does_not_end_dwelling():
    """Within the margin the count goes on."""
    one = watch(when="dwell", dwell=10, margin=20)

    one.update(0, platform(56.1 + METRE))
    one.update(5, platform(56.1 - 15 * METRE))
    assert one.update(10, platform(56.1 + METRE)).condition


@each_case("when, raised", [("inside", True), ("outside", False), ("dwell", True)])
def test_a_gap_keeps_the_state(when, raised):
    """Records without a position, and silence, change nothing."""
    one = watch(when=when, dwell=5)

    one.update(0, platform(56.15))
    assert one.update(6, platform(56.15)).condition is raised
    assert one.update(7, Places()).condition is raised
    late = one.update(5000, Places(frame_centre=Place(0.5, 0.5)))
    assert late.condition is raised
    assert one.update(5001, platform(56.15)).events == ()


def test_a_jump_from_fence_to_fence_is_two_events():
    """However far; the rule stays raised, and names the other fence."""
    far = area(-70, -30, -69, -29, name="Far")
    one = watch(NORTH, far)

    one.update(0, platform(56.15))
    jumped = one.update(0.03, platform(-29.5, -69.5))

    assert jumped.condition
    assert changes(jumped) == [("left", "North"), ("entered", "Far")]
    assert jumped.seen.fence == "Far"


def test_the_oldest_stay_is_named():
    """With overlapping fences."""
    wide = area(8, 55, 10, 57, name="Wide")
    one = watch(NORTH, wide)

    one.update(0, platform(55.5))
    both = one.update(1, platform(56.15))
    assert (both.seen.fence, changes(both)) == ("Wide", [("entered", "North")])
    assert {sighting.fence for sighting in one.sightings()} == {"North", "Wide"}


BANDED = area(9.0, 56.1, 9.2, 56.2, name="Block", min_altitude=300, max_altitude=1000)


def test_a_band_limits_the_fence_of_a_platform():
    """Above and below it is outside; with the margin."""
    one = watch(BANDED, margin=10)
    heights = 1200, 1001, 1000, 1009, 1011, 1005, 299, 300, 291, 289

    found = [one.update(n, platform(56.15, hae=hae)).condition for n, hae in enumerate(heights)]

    assert found == [False, False, True, True, False, False, False, True, True, False]


def test_a_low_band_has_a_margin_of_a_quarter_of_its_height():
    """Of 8 metres from 100 to 108: back inside at 102, although the margin is 10 metres."""
    low = area(9.0, 56.1, 9.2, 56.2, min_altitude=100, max_altitude=108)
    one = watch(low, when="outside", margin=10)

    found = [one.update(n, platform(56.15, hae=hae)).condition for n, hae in enumerate((104, 99, 101, 102.5, 100, 109))]
    assert found == [False, True, True, False, False, True]


def test_the_last_altitude_counts_while_there_is_none():
    """Without any altitude a band has no effect."""
    one = watch(BANDED)
    assert one.update(0, platform(56.15)).condition
    assert not one.update(1, platform(56.15, hae=2000)).condition
    assert not one.update(2, platform(56.15)).condition
    assert one.update(3, platform(56.15, hae=500)).condition


def test_a_band_applies_to_platforms_only():
    """The ground in the picture is under the band."""
    ground = Places(frame_centre=Place(56.15, 9.1, Altitudes(20, 10)))

    assert watch(BANDED, of="frame_centre").update(0, ground).condition


def test_altitude_is_raised_outside_the_band_within_the_area():
    """With the margin; beyond the area the altitude is free."""
    one = watch(BANDED, when="altitude", margin=10)
    found = [one.update(n, platform(56.15, hae=hae)).condition for n, hae in enumerate((900, 1001, 995, 989, 299, 311))]

    assert found == [False, True, True, False, True, False]
    assert not one.update(9, platform(56.3, hae=5000)).condition
    assert one.update(10, platform(56.15, hae=5000)).seen.describe().endswith(
        "5000 m HAE: outside the altitudes of Block (300 to 1000 m HAE)"
    )


@each_case("datum, raised", [("hae", False), ("msl", True), ("agl", True)])
def test_a_band_has_a_datum(datum, raised):
    """1,005 m HAE, 960 m MSL, 700 m above ground."""
    block = area(9.0, 56.1, 9.2, 56.2, max_altitude=1000, altitude_datum=datum)

    assert watch(block).update(0, platform(56.15, hae=1005, msl=960, agl=700)).condition is raised


def sees(targets: dict[int, tuple[float, float]]) -> Places:
    return Places(targets={number: Place(*at) for number, at in targets.items()})


def test_each_target_has_its_state():
    """The rule is raised while one is inside; each has events and a sighting."""
    one = watch(of="target")

    one.update(0, sees({1: (56.15, 9.1), 2: (56.05, 9.1)}))
    both = one.update(1, sees({1: (56.15, 9.1), 2: (56.15, 9.1)}))
    second = one.update(2, sees({1: (56.05, 9.1), 2: (56.15, 9.1)}))

    assert [(event.kind, event.target) for event in (*both.events, *second.events)] == [("entered", 2), ("left", 1)]
    assert second.seen.target == 2
    assert [sighting.target for sighting in one.sightings()] == [2]


def test_a_target_that_is_not_seen_any_more_leaves():
    """After ten seconds with records; silence of the stream does not count."""
    one = watch(of="target")
    one.update(0, sees({1: (56.15, 9.1)}))

    assert one.update(3600, sees({})).condition
    assert [one.update(3600 + n, sees({})).condition for n in (4, 8, 8.5)] == [True, True, True]
    for n in range(9, 20):
        last = one.update(3600 + n, sees({}))
    assert not last.condition


def test_the_number_of_targets_is_limited():
    """256, of which those in the newest record stay: no target flickers, and memory is bounded."""
    one = watch(of="target")
    crowd = one.update(0, sees(dict.fromkeys(range(1000), (56.15, 9.1))))
    same = one.update(1, sees(dict.fromkeys(range(1000), (56.15, 9.1))))
    others = one.update(2, sees(dict.fromkeys(range(5000, 5100), (56.15, 9.1))))

    assert (len(crowd.events), len(same.events)) == (256, 0)
    assert sorted(event.kind for event in others.events) == ["entered"] * 100 + ["left"] * 100
    for n in range(200):
        one.update(2 + n / 30, sees({n * 100 + k: (56.15, 9.1) for k in range(100)}))
    assert len(list(one.sightings())) == 256


JUNCTION = fences(point(56.15, 9.1), name="Junction")


def test_looking_at_a_point_is_within_a_radius():
    """By the length of the geodesic, with the margin."""
    one = watch(*JUNCTION, of="frame_centre", when="looks_at", radius=100, margin=10)
    found = []
    for n, metres in enumerate((500, 101, 99, 109, 111, 101, 50)):
        at = geo.destination(56.15, 9.1, 40 * n, metres)
        found.append(one.update(n, Places(frame_centre=Place(*at))).condition)

    assert found == [False, False, True, True, False, False, True]


def test_looking_at_a_point_has_it_in_the_footprint():
    """Without shapely; across the antimeridian too."""
    date_line = fences(point(0, -179.999))
    view = (0.01, 179.98), (0.01, 180.02), (-0.01, 180.02), (-0.01, 179.98)

    assert watch(*date_line, of="footprint", when="looks_at").update(0, Places(footprint=view)).condition
    assert watch(*date_line, of="footprint", when="looks_at").update(
        0, Places(footprint=tuple((lat, lon - 360) for lat, lon in view))
    ).condition
    away = tuple((lat + 0.02, lon) for lat, lon in view)
    assert not watch(*date_line, of="footprint", when="looks_at").update(0, Places(footprint=away)).condition


def frame(lat: float, lon: float, size: float = 0.01) -> Places:
    return Places(footprint=((lat + size, lon - size), (lat + size, lon + size), (lat - size, lon + size),
                             (lat - size, lon - size)))  # fmt: skip


def test_a_footprint_overlaps_a_polygon():
    """By an edge, around it, or inside it; not inside a hole."""
    (holed,) = fences(polygon(square(9, 56, 9.2, 56.2), square(9.05, 56.05, 9.15, 56.15)))

    def overlaps(places: Places) -> bool:
        return watch(holed, of="footprint", margin=0).update(0, places).condition

    assert overlaps(frame(56.1, 8.995))
    assert overlaps(frame(56.1, 9.1, 1.0))
    assert overlaps(frame(56.02, 9.02))
    assert not overlaps(frame(56.1, 9.1))
    assert not overlaps(frame(56.1, 8.98))


def test_a_footprint_has_the_margin_too():
    """The ground in the picture is taken as larger until it is cleared."""
    one = watch(of="footprint", margin=100)
    views = [frame(56.1 - 0.01 + metres * METRE, 9.1) for metres in (-9, 1, -99, -101, -99)]
    found = [one.update(n, view).condition for n, view in enumerate(views)]

    assert found == [False, True, True, False, False]


def test_a_footprint_overlaps_across_the_antimeridian():
    """Of a polygon on either side, written in either form."""
    for ring in (square(179.5, 0, 180.5, 1), square(-180.5, 0, -179.5, 1)):
        fence = fences(polygon(ring))
        for lon in (179.7, 180.3, -179.7, -180.3, 180):
            assert watch(*fence, of="footprint").update(0, frame(0.5, lon)).condition
        assert not watch(*fence, of="footprint").update(0, frame(0.5, 178)).condition


def test_corners_and_rings_that_cross_themselves_overlap():
    """Neither a twisted footprint nor a bow tie is an error."""
    (tie,) = fences(polygon([[9, 56], [9.2, 56.2], [9.2, 56], [9, 56.2], [9, 56]]))
    twisted = Places(footprint=((56.19, 9.0), (56.11, 9.02), (56.19, 9.02), (56.11, 9.0)))
    flat = Places(footprint=((56.1, 9.0), (56.1, 9.02), (56.1, 9.04), (56.1, 9.06)))

    assert watch(tie, of="footprint").update(0, twisted).condition
    assert watch(tie, of="footprint").update(0, flat).condition
    assert not watch(tie, of="footprint", margin=1).update(0, Places(footprint=((56.1, 8),) * 4)).condition


MISFITS = [
    ({"of": frozenset()}, "of: expected one or more of footprint, frame_centre, platform, target"),
    ({"of": frozenset({"pilot"})}, "of: expected one or more of"),
    ({"when": "near"}, "when: unknown value; valid: inside, outside, dwell, looks_at, altitude"),
    ({"dwell": -1}, "dwell: expected 0 to 86400"),
    ({"radius": float("nan")}, "radius: expected 1 to 100000"),
    ({"margin": 1e5}, "margin: expected 0 to 10000"),
    ({"when": "looks_at"}, 'of: "looks_at" is for frame_centre and footprint'),
    ({"when": "looks_at", "of": frozenset({"footprint"})}, 'when: "looks_at" needs a Point in the file of fences'),
    ({"fences": JUNCTION}, 'when: "inside" needs a Polygon in the file of fences; for points, use "looks_at"'),
    ({"when": "altitude"}, 'when: "altitude" needs a polygon with min_altitude or max_altitude'),
    ({"when": "altitude", "fences": (BANDED,), "of": frozenset({"target"})}, 'of: "altitude" is for platform'),
]


@each_case("settings, message", MISFITS)
def test_settings_that_do_not_fit_are_refused(settings, message):
    """With the key of the table."""
    with pytest.raises(ConfigError) as raised:
        FenceRule(**{"name": "rule", "fences": (NORTH,), **settings})
    assert str(raised.value).startswith(message)


def test_a_large_tangle_is_refused_for_footprints():
    """Repairing its crossings would take minutes; other rules use it as it is."""
    dice = Random(1)
    (mess,) = fences(polygon(tangle(dice, 9, 56, 0.5, 5000)), name="Mess")

    assert watch(mess).update(0, platform(56.9)) == (False, None, ())
    with pytest.raises(ConfigError, match=r"^file: Mess: borders of more than 30 positions cross or touch each other"):
        watch(mess, of="footprint")
    assert not watch(*fences(polygon(tangle(dice, 9, 56, 0.1, 25))), of="footprint").update(0, frame(50, 9)).condition


def test_the_margin_reaches_across_the_antimeridian():
    """Of a polygon that ends near it."""
    one = watch(*fences(polygon(square(170, 0, 179.9999, 1))), margin=50)

    path = 179.99, 179.99999, -179.9999, -179.99
    found = [one.update(n, platform(0.5, lon)).condition for n, lon in enumerate(path)]

    assert found == [True, True, True, False]
