"""Measures how many live streams of 5 Mbit/s one core relays without losing a record, and the cost of one stream.

The relay is bound to one core. The sender, and the broker with its subscriber if there is one, share another core and
may become the limit; the table shows it. Then 16 streams on two cores shared by all processes, and the cost of
receiving, compared with asyncio's datagrams and PyAV.
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
"""Number of streams with two cores shared by sender and relay."""
READ = 20
"""Number of streams for comparing the methods of receiving."""
LATE = 0.01
"""Seconds; a sender with a larger delay was overloaded."""


def run(*, quick: bool) -> None:
    process.require_linux()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise Skip("needs two cores, one of them for the relay only")
    seconds = 3 if quick else 6
    nowhere = _for_each_count("counted and discarded", live.to_nowhere, seconds, cores)
    try:
        _for_each_count("mosquitto", live.through_mosquitto, seconds, cores)
    except Skip as why:
        CONSOLE.print(f"[yellow]skipped[/]: {why}")
    together = _together(seconds)
    cost = _compare_methods(seconds, cores)
    most = max((count for count, outcome in nowhere.items() if outcome.lost == 0), default=0)
    largest = COUNTS[-1]
    goals(
        [
            Goal("streams on one core without a lost record, excluding the sink", 100, most, ""),
            Goal(f"{largest} streams, excluding the sink", 20, 100 * nowhere[largest].relay, "% CPU", at_most=True),
            Goal(f"{TOGETHER} streams on two cores: records lost", 0, together.lost, "", at_most=True),
            Goal("receiving: times cheaper than PyAV", 10, cost["PyAV"] / cost["klvrelay"], "x"),
        ]
    )


def _together(seconds: float) -> live.Outcome:
    """Run with the cores shared by all processes."""
    with CONSOLE.status(f"{TOGETHER} live streams for {seconds:g} s on two cores"):
        outcome = live.to_nowhere(live.Plan(TOGETHER, seconds))
    columns = ("streams", "records/s", "lost", "relay CPU", "per stream", "MiB", "others CPU", "sender late", "limit")
    table(f"{TOGETHER} streams, cores shared by all processes", columns, [_row(TOGETHER, outcome)])
    return outcome


def _compare_methods(seconds: float, cores: list[int]) -> dict[str, float]:
    """CPU share per stream of each method of receiving."""
    found = {}
    for method in readers.METHODS:
        with CONSOLE.status(f"{READ} live streams for {seconds:g} s, received by {method}"):
            found[method] = live.read_by(method, live.Plan(READ, seconds, relay_core=cores[-1], other_core=cores[0]))
    rows = [
        (method, f"{100 * o.relay / READ:.2f} %", f"{o.lost} of {o.sent}", f"{o.memory:.0f}", f"{1e3 * o.late:.1f} ms")
        for method, o in found.items()
    ]
    note = "PyAV loses the data that arrives while it probes."
    columns = ("received by", "CPU per stream", "lost", "MiB", "sender late")
    table(f"Receiving and demultiplexing {READ} streams, KLV not decoded", columns, rows, note)
    return {method: max(outcome.relay, 1e-6) / READ for method, outcome in found.items()}


def _for_each_count(
    sink: str, go: Callable[[live.Plan], live.Outcome], seconds: float, cores: list[int]
) -> dict[int, live.Outcome]:
    found: dict[int, live.Outcome] = {}
    for count in COUNTS:
        with CONSOLE.status(f"{count} live streams for {seconds:g} s, {sink}"):
            found[count] = go(live.Plan(count, seconds, relay_core=cores[-1], other_core=cores[0]))
    columns = ("streams", "records/s", "lost", "relay CPU", "per stream", "MiB", "others CPU", "sender late", "limit")
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
    """What limits the number of streams."""
    if outcome.late > LATE:
        return "the sender"
    if outcome.relay > 0.95:
        return "the relay"
    return "unknown" if outcome.lost else "none yet"
