"""Live streams through `klvrelay run` and a real mosquitto: how long from the datagram to the subscriber.

The sender writes the time into each KLV packet as it sends it; sender, relay, broker and subscriber share this
machine's cores.
"""

from __future__ import annotations

from benchmarks import live, process
from benchmarks.show import CONSOLE, Goal, goals, table

STREAMS = 16


def run(*, quick: bool) -> None:
    process.on_linux()
    found: dict[int, live.Outcome] = {}
    for count in (1, STREAMS):
        plan = live.Plan(count, 3 if quick else 15)
        with CONSOLE.status(f"{count} live streams for {plan.seconds:g} s"):
            found[count] = live.through_mosquitto(plan)
    columns = ("streams", "p50 ms", "p90", "p99", "most", "lost", "relay CPU", "MiB", "mosquitto CPU")
    note = (
        "5 Mbit/s and 30 records a second each. CPU of one core. "
        f"With {STREAMS} streams the sender itself was {1e3 * found[STREAMS].late:.2f} ms late (p99), not counted."
    )
    table("From datagram sent to message received", columns, [_row(*pair) for pair in found.items()], note)
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
