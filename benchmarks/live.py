"""One live run: a sender, a relay and its far end, each in a separate process, and the result."""

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
"""Seconds at the beginning whose delays and CPU time don't count: names are looked up, buffers grow."""
SETTLE = 1.0
"""Seconds that the last records get to arrive."""


class Report(TypedDict):
    """What the sender prints: a time a stream, its share of a core, and how late its datagrams were (p99, s)."""

    first_us: list[int]
    cpu: float
    late: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run took and gave.

    sent, arrived           records
    delays                  seconds from the datagram to the subscriber, sorted; empty without a broker
    relay, broker, sender   the share of a core that each used
    memory                  the most that the relay had, MiB
    late                    how late the sender's datagrams were, p99 in seconds
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
        """The delay in milliseconds that this share of the records kept."""
        return 1e3 * self.delays[min(len(self.delays) - 1, int(share * len(self.delays)))]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many streams for how long, and which cores the relay and all others are bound to, if any."""

    streams: int
    seconds: float
    relay_core: int | None = None
    other_core: int | None = None

    @property
    def frames(self) -> int:
        return int((WARM_UP + self.seconds) * FRAMES)


def through_mosquitto(plan: Plan) -> Outcome:
    """Sender -> klvrelay run -> mosquitto -> subscriber. Raises Skip where a program is missing."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        written = Path(folder) / "received"
        port, broker = stack.enter_context(mosquitto(Path(folder), core=plan.other_core))
        stack.enter_context(subscriber(port, written, core=plan.other_core))
        first = stack.enter_context(process.free_ports(plan.streams))
        relay = stack.enter_context(_relay(plan, first, ["-m", "klvrelay", *_run(plan, first, port)]))
        time.sleep(0.5)  # the subscription and the connection, which neither tells of
        report, shares = _send(plan, first, [relay.pid, broker])
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
    """Sender -> a relay whose sink only counts."""
    return _counted(plan, "benchmarks.null_relay")


def read_by(way: str, plan: Plan) -> Outcome:
    """Sender -> a process that does nothing but receive, in one of the ways of `readers.py`."""
    return _counted(plan, "benchmarks.readers", way)


def _counted(plan: Plan, module: str, *words: str) -> Outcome:
    """Sender -> a module that prints at its end how many records of each stream it saw."""
    with process.free_ports(plan.streams) as first, tempfile.TemporaryFile() as out:
        command = ["-m", module, *words, str(first), str(plan.streams)]
        with _relay(plan, first, command, out) as relay:
            report, shares = _send(plan, first, [relay.pid])
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
def _relay(
    plan: Plan, first: int, command: Sequence[str], out: IO[bytes] | int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    """It is ready once all its ports are bound."""
    with process.running([sys.executable, *command], out=out, core=plan.relay_core) as relay:
        wanted = set(range(first, first + plan.streams))
        process.until(lambda: wanted <= process.bound_udp_ports() or relay.poll() is not None, "the relay listens")
        if relay.poll() is not None:
            raise Skip(f"the relay ended at once, with exit code {relay.returncode}")
        yield relay


def _send(plan: Plan, first: int, watched: Sequence[process.Pid]) -> tuple[Report, list[float]]:
    """Send all, and see which share of a core the others used meanwhile, but for the warm-up."""
    options = {"port": first, "streams": plan.streams, "frames": plan.frames, "warm-up": int(WARM_UP * FRAMES)}
    command = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    with tempfile.TemporaryFile() as out:
        python = [sys.executable, "-m", "benchmarks.sender"]
        with process.running([*python, *command], out=out, core=plan.other_core) as sender:
            time.sleep(WARM_UP)
            begin, before = time.perf_counter(), [process.cpu_seconds(pid) for pid in watched]
            sender.wait()
            wall, after = time.perf_counter() - begin, [process.cpu_seconds(pid) for pid in watched]
        if sender.returncode:
            raise Skip("the relay ended while it was sent to")
        out.seek(0)
        report: Report = json.loads(out.read())
    return report, [(late - early) / wall for early, late in zip(before, after, strict=True)]
