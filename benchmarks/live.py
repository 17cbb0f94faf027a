"""One live run: a sender, a relay and its destination in separate processes, and the results."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypedDict

from benchmarks import process
from benchmarks.broker import arrivals, mosquitto, subscriber
from benchmarks.skip import Skip
from benchmarks.stream import FRAMES

WARM_UP = 1.0
"""Seconds at the start whose delays and CPU time are not counted: names are resolved, buffers grow."""
SETTLE = 1.0
"""Seconds to wait for the last records."""


class Report(TypedDict):
    """What the sender prints: first time stamp per stream, its CPU share, and the delay of its datagrams (p99, s)."""

    first_us: list[int]
    cpu: float
    late: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a run.

    sent, arrived           records
    delays                  seconds from the datagram to the subscriber, sorted; empty without a broker
    relay, broker, sender   CPU time of each as a share of one core
    memory                  peak memory of the relay, MiB
    late                    delay of the sender's datagrams, p99 in seconds
    """

    sent: int
    arrived: int
    delays: list[float]
    relay: float
    broker: float
    sender: float
    memory: float
    late: float

    @property
    def lost(self) -> int:
        return self.sent - self.arrived

    def delay(self, share: float) -> float:
        """The delay in milliseconds that this share of the records did not exceed."""
        return 1e3 * self.delays[min(len(self.delays) - 1, int(share * len(self.delays)))]


@dataclass(frozen=True, slots=True)
class Plan:
    """Number of streams, duration in seconds, and the cores of the relay and of all other processes, if fixed."""

    streams: int
    seconds: float
    relay_core: int | None = None
    other_core: int | None = None

    @property
    def frames(self) -> int:
        return int((WARM_UP + self.seconds) * FRAMES)


def through_mosquitto(plan: Plan) -> Outcome:
    """Sender -> klvrelay run -> mosquitto -> subscriber. Raises Skip if a program is missing."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        written = Path(folder) / "received"
        port, broker = stack.enter_context(mosquitto(Path(folder), core=plan.other_core))
        stack.enter_context(subscriber(port, written, core=plan.other_core))
        first = stack.enter_context(process.free_ports(plan.streams))
        relay = stack.enter_context(started(plan, first, ["-m", "klvrelay", *_run(plan, first, port)]))
        time.sleep(0.5)  # for the subscription and the connection, which are not reported
        report, shares = send(plan, first, [relay.pid, broker])
        time.sleep(SETTLE)
        first_us = {f"s{n}": stamp for n, stamp in enumerate(report["first_us"])}
        came = {(stream, at): then - at / 1e6 for stream, at, then in arrivals(written)}
        delays = sorted(delay for (stream, at), delay in came.items() if at >= first_us[stream])
        return _outcome(plan, report, shares, len(came), delays, process.resident_mib(relay.pid))


def _run(plan: Plan, first: int, port: int) -> list[str]:
    sources = [f"udp://127.0.0.1:{first + n}" for n in range(plan.streams)]
    names = [part for n in range(plan.streams) for part in ("--stream", f"s{n}")]
    return ["run", "-q", *sources, *names, "--mqtt", f"mqtt://127.0.0.1:{port}"]


def to_nowhere(plan: Plan) -> Outcome:
    """Sender -> a relay with a sink that only counts."""
    return _through_counter(plan, "benchmarks.null_relay")


def read_by(method: str, plan: Plan) -> Outcome:
    """Sender -> a process that only receives, by one of the methods of `readers.py`."""
    return _through_counter(plan, "benchmarks.readers", method)


def _through_counter(plan: Plan, module: str, *words: str) -> Outcome:
    """Sender -> a module that prints the number of records per stream when it ends."""
    with process.free_ports(plan.streams) as first, tempfile.TemporaryFile() as out:
        command = ["-m", module, *words, str(first), str(plan.streams)]
        with started(plan, first, command, out) as relay:
            report, shares = send(plan, first, [relay.pid])
            time.sleep(SETTLE)
            memory = process.resident_mib(relay.pid)
        out.seek(0)
        arrived = sum(json.loads(out.read().splitlines()[-1]).values())
    return _outcome(plan, report, [*shares, 0.0], arrived, [], memory)


def _outcome(
    plan: Plan, report: Report, shares: Sequence[float], arrived: int, delays: list[float], memory: float
) -> Outcome:
    relay, broker = shares
    return Outcome(
        plan.streams * plan.frames, arrived, delays, relay, broker, report["cpu"], memory, report["late"]
    )  # fmt: skip


@contextmanager
def started(
    plan: Plan, first: int, command: Sequence[str], out: IO[bytes] | int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the relay; it is ready once all its ports are bound."""
    with process.run_process([sys.executable, *command], out=out, core=plan.relay_core) as relay:
        wanted = set(range(first, first + plan.streams))
        process.wait_until(lambda: wanted <= process.bound_udp_ports() or relay.poll() is not None, "the relay listens")
        if relay.poll() is not None:
            raise Skip(f"the relay exited at start with code {relay.returncode}")
        yield relay


def send(plan: Plan, first: int, watched: Sequence[process.Pid]) -> tuple[Report, list[float]]:
    """Send all frames. Also returns the CPU shares of the watched processes after the warm-up."""
    options = {"port": first, "streams": plan.streams, "frames": plan.frames, "warm-up": int(WARM_UP * FRAMES)}
    command = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    with tempfile.TemporaryFile() as out:
        python = [sys.executable, "-m", "benchmarks.sender"]
        with process.run_process([*python, *command], out=out, core=plan.other_core) as sender:
            time.sleep(WARM_UP)
            begin, before = time.perf_counter(), [process.cpu_seconds(pid) for pid in watched]
            sender.wait()
            wall, after = time.perf_counter() - begin, [process.cpu_seconds(pid) for pid in watched]
        if sender.returncode:
            raise Skip("the relay exited during the transmission")
        out.seek(0)
        report: Report = json.loads(out.read())
    return report, [(late - early) / wall for early, late in zip(before, after, strict=True)]
