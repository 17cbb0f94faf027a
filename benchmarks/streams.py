"""How many live streams of 5 Mbit/s one core carries without a lost record, and what one of them costs.

The relay is bound to a core of its own; the sender and, where there is one, the broker with its subscriber share
another, so that beyond some number it is they who can't keep up: the table tells. Then 16 streams on two cores that all
share, and what receiving alone costs beside asyncio's datagrams and PyAV.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from benchmarks import live, process, readers
from benchmarks.show import CONSOLE, Goal, goals, table
from benchmarks.skip import Skip
from benchmarks.stream import FRAMES

COUNTS = (20, 50, 100)
TOGETHER = 16
"""Streams that sender and relay share two cores for."""
READ = 20
"""Streams that the ways to receive are measured with."""
LATE = 0.01
"""Seconds: a sender later than this did not send what it should."""


def run(*, quick: bool) -> None:
    process.on_linux()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise Skip("needs two cores: one for the relay alone")
    seconds = 3 if quick else 6
    nowhere = _all("counted and dropped", live.to_nowhere, seconds, cores)
    try:
        _all("mosquitto", live.through_mosquitto, seconds, cores)
    except Skip as why:
        CONSOLE.print(f"[yellow]left out[/]: {why}")
    together = _together(seconds)
    cost = _ways(seconds, cores)
    most = max((count for count, outcome in nowhere.items() if outcome.lost == 0), default=0)
    goals(
        [
            Goal("streams on one core without a lost record, sink aside", 100, most, ""),
            Goal(f"{COUNTS[-1]} streams, sink aside", 20, 100 * nowhere[COUNTS[-1]].relay, "% of a core", at_most=True),
            Goal(f"{TOGETHER} streams on two cores: records lost", 0, together.lost, "", at_most=True),
            Goal("receiving: times cheaper than PyAV", 10, cost["PyAV"] / cost["klvrelay"], "x"),
        ]
    )


def _together(seconds: float) -> live.Outcome:
    """Nobody has a core of their own."""
    with CONSOLE.status(f"{TOGETHER} live streams for {seconds:g} s on two cores"):
        outcome = live.to_nowhere(live.Plan(TOGETHER, seconds))
    columns = ("streams", "records/s", "lost", "relay CPU", "a stream", "MiB", "others CPU", "sender late", "limit")
    table(f"{TOGETHER} streams, cores shared by all", columns, [_row(TOGETHER, outcome)])
    return outcome


def _ways(seconds: float, cores: list[int]) -> dict[str, float]:
    """What each way to receive uses of a core for a stream."""
    found = {}
    for way in readers.WAYS:
        with CONSOLE.status(f"{READ} live streams for {seconds:g} s, received by {way}"):
            found[way] = live.read_by(way, live.Plan(READ, seconds, relay_core=cores[-1], other_core=cores[0]))
    rows = [
        (way, f"{100 * o.relay / READ:.2f} %", f"{o.lost} of {o.sent}", f"{o.memory:.0f}", f"{1e3 * o.late:.1f} ms")
        for way, o in found.items()
    ]
    note = "PyAV loses what comes while it probes."
    columns = ("received by", "CPU a stream", "lost", "MiB", "sender late")
    table(f"Receiving {READ} streams, transport taken apart, nothing done with the KLV", columns, rows, note)
    return {way: max(outcome.relay, 1e-6) / READ for way, outcome in found.items()}


def _all(
    sink: str, go: Callable[[live.Plan], live.Outcome], seconds: float, cores: list[int]
) -> dict[int, live.Outcome]:
    found: dict[int, live.Outcome] = {}
    for count in COUNTS:
        with CONSOLE.status(f"{count} live streams for {seconds:g} s, {sink}"):
            found[count] = go(live.Plan(count, seconds, relay_core=cores[-1], other_core=cores[0]))
    columns = ("streams", "records/s", "lost", "relay CPU", "a stream", "MiB", "others CPU", "sender late", "limit")
    table(f"Records: {sink}", columns, [_row(*pair) for pair in found.items()])
    return found


def _row(count: int, outcome: live.Outcome) -> tuple[str, ...]:
    others = outcome.sender + outcome.broker
    return (
        f"{count}",
        f"{count * FRAMES:,}",
        f"{outcome.lost} of {outcome.sent}",
        f"{100 * outcome.relay:.0f} %",
        f"{100 * outcome.relay / count:.2f} %",
        f"{outcome.memory:.0f}",
        f"{100 * others:.0f} %",
        f"{1e3 * outcome.late:.1f} ms",
        _limit(outcome),
    )


def _limit(outcome: live.Outcome) -> str:
    """What can't take more."""
    if outcome.late > LATE:
        return "the sender"
    if outcome.relay > 0.95:
        return "the relay"
    return "not known" if outcome.lost else "none yet"
