"""How many live streams of 5 Mbit/s one core carries without a lost record, and what one of them costs.

The relay is bound to a core of its own; the sender and, where there is one, the broker with its subscriber share
another, so that beyond some number it is they who can't keep up: the table tells. Next door: `live.py` makes the runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from benchmarks import live, process
from benchmarks.show import CONSOLE, Goal, goals, table
from benchmarks.skip import Skip
from benchmarks.stream import FRAMES

COUNTS = (20, 50, 100)
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
    most = max((count for count, outcome in nowhere.items() if outcome.lost == 0), default=0)
    goals([Goal("streams on one core without a lost record, sink aside", 100, most, "")])


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
