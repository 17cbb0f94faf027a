"""Measures the share of health, lead times, incidents, alerts, heartbeat and metrics in the relay's CPU time.

100 live streams on one core, as `streams` sends them. Runs with everything take turns with runs in which a part is
switched off. The table has medians of the differences between a run and the one with everything beside it.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import live, process
from benchmarks.broker import mosquitto
from benchmarks.show import CONSOLE, Goal, goals, table
from benchmarks.skip import Skip

STREAMS = 100
SCRAPE_EVERY = 15.0
"""Seconds between two requests of a usual Prometheus."""
PARTS = ("alerts", "documents", "lead", "incidents", "heartbeat")
NONE = ",".join(PARTS)
SCRAPED = "metrics every second"
"""A run with the web server and a request each second: its cost is divided by SCRAPE_EVERY."""


@dataclass(frozen=True, slots=True)
class HealthRun:
    """CPU time of the relay as a share of a core; its peak memory in MiB; the longest delay of its loop, seconds."""

    relay: float
    memory: float
    lag: float


def run(*, quick: bool) -> None:
    process.require_linux()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise Skip("needs two cores, one of them for the relay only")
    plan = live.Plan(STREAMS, 10 if quick else 20, relay_core=cores[-1], other_core=cores[0])
    _show_parts()
    shares = [_compare("counted and discarded", plan, 3 if quick else 5, has_broker=False)]
    try:
        shares.append(_compare("mosquitto", plan, 3 if quick else 5, has_broker=True))
    except Skip as why:
        CONSOLE.print(f"[yellow]skipped[/]: {why}")
    names = "excluding the sink", "through mosquitto"
    goals([Goal(f"everything, with metrics, {name}", 5, 100 * share, "% of the relay", at_most=True)
           for name, share in zip(names, shares, strict=False)])  # fmt: skip


def _show_parts() -> None:
    with CONSOLE.status("each part by itself"):
        command = [sys.executable, "-m", "benchmarks.health_parts"]
        found: dict[str, float] = json.loads(process.last_line(command))
    rows = [(name, f"{us:,.2f} us") for name, us in found.items()]
    table("CPU time of each part by itself, caches warm", ("part", "CPU time"), rows)


def _compare(sink: str, plan: live.Plan, rounds: int, *, has_broker: bool) -> float:
    """Print the share of each part. Returns that of everything, with metrics as often as usual."""
    kinds = ("-", NONE, *PARTS, SCRAPED)
    found: dict[str, list[HealthRun]] = {kind: [] for kind in kinds}
    for number in range(rounds):
        for kind in kinds if number % 2 == 0 else reversed(kinds):
            with CONSOLE.status(f"{sink}: round {number + 1} of {rounds}, {kind}"):
                found[kind].append(_run(kind, plan, has_broker=has_broker))
    _show_inside(plan, has_broker=has_broker)
    whole = _median(found["-"])
    costs = {kind: statistics.median(all_.relay - one.relay for all_, one in zip(found["-"], runs, strict=True))
             for kind, runs in found.items()}  # fmt: skip
    scrapes = -costs.pop(SCRAPED) / SCRAPE_EVERY
    rows = [_row(kind, costs[kind], whole, found[kind]) for kind in costs]
    rows.append(_row(f"metrics every {SCRAPE_EVERY:g} s", scrapes, whole, found[SCRAPED]))
    columns = ("part", "CPU", "share", "CPU of the run", "MiB of the run", "longest delay of the loop")
    table(f"{plan.streams} streams: {sink}", columns, rows)
    return (costs[NONE] + scrapes) / (whole + scrapes)


def _show_inside(plan: live.Plan, *, has_broker: bool) -> None:
    """Print the CPU time inside each part, and the longest calls of the event loop, of one run."""
    with CONSOLE.status("CPU time inside the parts"):
        report = _report("-", plan, has_broker=has_broker, window=f"{live.WARM_UP:g},{plan.seconds - 1:g}")[2]
    parts, whole = report["parts"], report["all"]
    rows = [(part, f"{spent:.2f} ms/s", f"{100 * spent / whole:.2f} %") for part, spent in sorted(parts.items())]
    longest = ", ".join(f"{name} {spent:.1f} ms" for name, spent in report["longest"].items())
    table(
        "CPU time inside each part", ("part", "CPU", "share"), rows, f"Longest calls of the loop: {longest or 'none'}"
    )


def _row(kind: str, cost: float, whole: float, runs: list[HealthRun]) -> tuple[str, ...]:
    name = {"-": "nothing switched off", NONE: "all but metrics", "lead": "lead times"}.get(kind, kind)
    return (
        name,
        f"{1e3 * cost:.2f} ms/s",
        f"{100 * cost / whole:.2f} %",
        f"{100 * _median(runs):.2f} %",
        f"{statistics.median(one.memory for one in runs):.1f}",
        f"{1e3 * statistics.median(one.lag for one in runs):.1f} ms",
    )


def _median(runs: list[HealthRun]) -> float:
    return statistics.median(one.relay for one in runs)


def _run(kind: str, plan: live.Plan, *, has_broker: bool) -> HealthRun:
    share, memory, report = _report(kind, plan, has_broker=has_broker)
    return HealthRun(share, memory, report["lag"])


def _report(kind: str, plan: live.Plan, *, has_broker: bool, window: str = "") -> tuple[float, float, dict[str, Any]]:
    """CPU share and memory of the relay, and what it reports at the end."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        broker = stack.enter_context(mosquitto(Path(folder), core=plan.other_core))[0] if has_broker else 0
        first = stack.enter_context(process.free_ports(plan.streams))
        out = stack.enter_context(tempfile.TemporaryFile())
        http = f"127.0.0.1:{process.free_tcp_port()}" if kind == SCRAPED else ""
        off = "-" if kind == SCRAPED else kind
        words = [off, str(first), str(plan.streams), str(broker), folder, http, window]
        with live.started(plan, first, ["-m", "benchmarks.health_relay", *words], out) as relay, _scraped(http):
            _, (share,) = live.send(plan, first, [relay.pid])
            memory = process.resident_mib(relay.pid)
        out.seek(0)
        return share, memory, json.loads(out.read().splitlines()[-1])


@contextmanager
def _scraped(address: str) -> Iterator[None]:
    """Inside, the metrics are requested each second, if there is an address."""
    ended = threading.Event()

    def scrape() -> None:
        while not ended.wait(1.0):
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
                answer.read()

    reader = threading.Thread(target=scrape, daemon=True)
    if address:
        reader.start()
    yield
    ended.set()
    if address:
        reader.join()
