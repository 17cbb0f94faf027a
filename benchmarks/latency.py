"""Measures the delay from the datagram to the subscriber, through `klvrelay run` and mosquitto.

The sender writes the current time into each KLV packet. Sender, relay, broker and subscriber share the cores of this
machine.
"""

from __future__ import annotations

from benchmarks import live, process
from benchmarks.show import CONSOLE, Goal, goals, table

STREAMS = 16


def run(*, quick: bool) -> None:
    process.require_linux()
    found: dict[int, live.Outcome] = {}
    for count in (1, STREAMS):
        plan = live.Plan(count, 3 if quick else 15)
        with CONSOLE.status(f"{count} live streams for {plan.seconds:g} s"):
            found[count] = live.through_mosquitto(plan)
    columns = ("streams", "p50 ms", "p90", "p99", "maximum", "lost", "relay CPU", "MiB", "mosquitto CPU")
    note = (
        "5 Mbit/s and 30 records per second each. CPU: share of one core. "
        f"With {STREAMS} streams the sender was {1e3 * found[STREAMS].late:.2f} ms late (p99), which is not counted."
    )
    table("From sending the datagram to receiving the message", columns, [_row(*pair) for pair in found.items()], note)
    _goals(found[STREAMS])


def _row(count: int, outcome: live.Outcome) -> tuple[str, ...]:
    return (
        f"{count}",
        *(f"{outcome.delay(share):.2f}" for share in (0.5, 0.9, 0.99, 1)),
        f"{outcome.lost} of {outcome.sent}",
        f"{100 * outcome.relay:.1f} %",
        f"{outcome.memory:.0f}",
        f"{100 * outcome.broker:.1f} %",
    )


def _goals(outcome: live.Outcome) -> None:
    streams = f"{STREAMS} streams"
    goals(
        [
            Goal(f"{streams}: median delay", 2, outcome.delay(0.5), "ms", at_most=True),
            Goal(f"{streams}: p99 of the delay", 10, outcome.delay(0.99), "ms", at_most=True),
            Goal(f"{streams}: records lost", 0, outcome.lost, "", at_most=True),
            Goal(f"{streams}: the relay's memory", 60 + STREAMS, outcome.memory, "MiB", at_most=True),
        ]
    )
