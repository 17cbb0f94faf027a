"""Figures of incidents, and the worked example of docs/incidents.md."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from klvrelay.incidents.figures import Figures, Period, report
from klvrelay.incidents.incident import Incident

DAY = 86400
PAGE = Path(__file__).parent.parent / "docs" / "incidents.md"


def outage(start: float, seconds: float | None, *, detection: float = 0.0, **other: object) -> Incident:
    """An incident of uav1 that begins `start` seconds after 1970."""
    us = round(start * 1e6)
    one = Incident(f"{us:x}", "stream", "uav1", "source", us, us + round(detection * 1e6), detection, "")
    if seconds is not None:
        one = replace(one, restored_us=us + round(seconds * 1e6), duration=float(seconds), end="restored")
    return replace(one, **other)  # type: ignore[arg-type]


Span = tuple[float, float]


def of(incidents: list[Incident], runs: list[Span], period: Span, *key: object) -> Figures:
    """The figures of `key`: subject, name, cause."""
    spans = [(round(a * 1e6), round(b * 1e6)) for a, b in runs]
    found = report(incidents, spans, Period(round(period[0] * 1e6), round(period[1] * 1e6)))
    (one,) = [each for each in found.figures if (each.subject, each.name, each.cause) == key]
    return one


STREAM = ("stream", "uav1", None)


def test_the_figures_of_two_outages_of_a_day():
    """300 s and 100 s of 86400 s."""
    incidents = [outage(1000, 300, detection=5, lost=9000, estimated=True), outage(5000, 100, detection=1, lost=7)]
    found = of(incidents, [(0, DAY)], (0, DAY), *STREAM)
    assert (found.count, found.open, found.mttr, found.detection, found.longest) == (2, 0, 200, 3, 300)
    assert (found.downtime, found.observed, found.mtbf) == (400, DAY, 43000)
    assert found.availability == (DAY - 400) / DAY
    assert (found.lost, found.estimated) == (9007, True)


def test_time_in_which_the_relay_did_not_run_is_not_observed():
    """A planned stop, and a time before the first start, count neither as operation nor as an outage."""
    found = of([outage(100, 100)], [(0, 1000), (5000, 6000)], (0, DAY), *STREAM)
    assert (found.observed, found.downtime, found.availability) == (2000, 100, 0.95)


def test_an_outage_of_a_stream_counts_while_the_relay_ran():
    """It lasted through 50 s in which the relay was down: that time is the relay's, but the repair took all of it."""
    incidents = [
        outage(100, 200),
        outage(150, 50, subject="relay", name="relay", cause="relay"),
    ]
    runs = [(0, 150), (200, 1000)]
    stream = of(incidents, runs, (0, 1000), *STREAM)
    relay = of(incidents, runs, (0, 1000), "relay", "relay", None)
    assert (stream.mttr, stream.downtime, stream.observed) == (200, 150, 950)
    assert (relay.downtime, relay.observed, relay.availability) == (50, 1000, 0.95)


def test_overlapping_incidents_count_once_as_downtime():
    """Two entries for the same time make no more downtime than one."""
    found = of([outage(100, 100), outage(150, 100)], [(0, 1000)], (0, 1000), *STREAM)
    assert (found.count, found.downtime, found.mttr) == (2, 150, 100)


def test_an_incident_counts_in_the_period_in_which_it_began():
    """Its repair counts where it ended, its downtime where it was."""
    incidents = [outage(900, 200)]
    first = of(incidents, [(0, 2000)], (0, 1000), *STREAM)
    second = of(incidents, [(0, 2000)], (1000, 2000), *STREAM)
    assert (first.count, first.open, first.mttr, first.downtime) == (1, 1, None, 100)
    assert (second.count, second.open, second.mttr, second.downtime, second.mtbf) == (0, 0, 200, 100, None)


def test_an_open_incident_lasts_to_the_end_of_the_period():
    """It has no repair yet."""
    found = of([outage(600, None)], [(0, 1000)], (0, 1000), *STREAM)
    assert (found.open, found.mttr, found.downtime, found.longest) == (1, None, 400, 400)


def test_an_open_incident_lasts_until_the_relay_was_last_seen():
    """A relay that is stopped observes nothing: its figures do not grow. What was open still is."""
    found = of([outage(600, None)], [(0, 700)], (0, 5000), *STREAM)
    assert (found.open, found.downtime, found.longest, found.observed) == (1, 100, 100, 700)
    later = of([outage(600, None)], [(0, 700)], (1000, 5000), *STREAM)
    assert (later.open, later.downtime, later.longest, later.observed) == (1, 0, None, 0)


def test_losses_that_are_not_known_are_not_zero():
    """None while no incident has a number; without incidents nothing was lost."""
    unknown, known = outage(100, None), outage(10, 5, lost=0, delayed=7)
    found = [of(incidents, [(0, 1000)], (0, 1000), *STREAM) for incidents in ([unknown], [known, unknown])]
    assert [(each.lost, each.delayed) for each in found] == [(None, None), (0, 7)]
    (without,) = report([], [(0, 1)], Period(0, 1), [("stream", "uav9")]).figures
    assert (without.lost, without.delayed) == (0, 0)


def test_an_incident_of_a_removed_stream_has_no_repair():
    """It ended, but nothing was restored."""
    found = of([outage(100, 50, end="ended")], [(0, 1000)], (0, 1000), *STREAM)
    assert (found.mttr, found.downtime) == (None, 50)


def test_each_cause_has_figures():
    """Those of all causes are their sums."""
    incidents = [outage(100, 10), outage(200, 30, cause="network")]
    assert of(incidents, [(0, 1000)], (0, 1000), "stream", "uav1", "network").mttr == 30
    assert of(incidents, [(0, 1000)], (0, 1000), "stream", "uav1", "source").mttr == 10
    assert of(incidents, [(0, 1000)], (0, 1000), *STREAM).mttr == 20


def test_parts_without_incidents_have_figures():
    """They were always available."""
    found = report([], [(0, 1_000_000)], Period(0, 1_000_000), [("stream", "uav9")])
    assert [(each.name, each.availability, each.mttr, each.mtbf) for each in found.figures] == [("uav9", 1, None, None)]


def test_nothing_is_divided_by_zero():
    """An empty period, and a period in which the relay did not run."""
    for runs, period in (([], (0, 1000)), ([(0, 1000)], (500, 500))):
        found = report([], runs, Period(*period), [("stream", "uav9")])
        assert found.figures[0].availability is None


def test_a_period_cannot_end_before_it_starts():
    """It would make negative times."""
    with pytest.raises(ValueError, match="before"):
        Period(2, 1)


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading of the page."""
    text = PAGE.read_text().partition(heading)[2]
    lines = re.search(r"(\n\|[^\n]*)+", text)
    assert lines is not None
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[0].strip().splitlines()]
    return table[2:]


def clock_time(text: str) -> float:
    return datetime.fromisoformat(f"2026-11-30T{text}").replace(tzinfo=UTC).timestamp()


def test_the_worked_example_of_the_page_is_true():
    """The incidents and the figures of docs/incidents.md."""
    incidents, runs, start = [], [], clock_time("00:00:00")
    for what, first, detected, restored, lost in rows("The relay ran"):
        subject, _, name = what.partition(" ")
        begin = clock_time(first)
        incidents.append(
            outage(
                begin, clock_time(restored) - begin, detection=clock_time(detected) - begin, subject=subject,
                name=name or subject, cause="relay" if subject == "relay" else "source", lost=int(lost),
            )
        )  # fmt: skip
    runs = [(start, clock_time("12:00:00")), (clock_time("12:01:00"), start + DAY)]
    incidents.sort(key=lambda one: one.since_us)
    found = of(incidents, runs, (start, start + DAY), *STREAM)
    shown = {row[0]: row[-1] for row in rows("So the figures")}
    assert shown == {
        "count": str(found.count),
        "MTTR": f"{found.mttr:g} s",
        "MTBF": f"{found.mtbf:g} s",
        "time to detect": f"{found.detection:g} s",
        "availability": f"{100 * found.availability:.3f} %",
        "longest": f"{found.longest:g} s",
    }
