"""Measures the time from joining a live stream to the first record.

The sender is a separate process (`python -m benchmarks.joining FILE RATE PORT COUNT BEGIN`) with a constant rate, so
that the time of each table and KLV packet is known. Receivers join at random times: a relay with either demultiplexer
and a sink that records the time, and PyAV on `udp://`.
"""

from __future__ import annotations

import asyncio
import random
import socket
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from klvrelay.relay.feed import Feed

from benchmarks import process, skip
from benchmarks.null_relay import Null
from benchmarks.show import CONSOLE, Goal, goals, number, table
from klvrelay import sample
from klvrelay.core.carriage import KEY
from klvrelay.multiplex.tables import KLV_PID, PMT_PID, VIDEO_PID
from klvrelay.record import Record
from klvrelay.relay.relay import Relay
from klvrelay.sinks.contract import Outcome
from klvrelay.sources.contract import Demux
from klvrelay.sources.open import open_source

PATIENCE = 12.0
"""Seconds after which a receiver without a record counts as failed."""
SLACK = 0.05
"""Seconds, in addition to one KLV interval, that the first record may take."""

_PACKET = 188
_DATAGRAM = 7 * _PACKET
_NULL = bytes([0x47, 0x1F, 0xFF, 0x10]) + b"\xff" * 184
_OURS = "klvrelay, native"

Receiver = Callable[[int], float]
"""Joins the stream on this port and returns the monotonic time of the first record."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A stream to join.

    rate      bits per second
    hz        records per second
    every     seconds between two tables
    seconds   duration
    """

    title: str
    rate: int
    hz: float
    every: float
    seconds: float
    video: bool = True


PLANS = (
    Plan("5 Mbit/s, 30 records per second, tables every 100 ms", 5_000_000, 30.0, 0.1, 6.0),
    Plan("0.3 Mbit/s, 2 records and 1 table per second, no video packets", 300_000, 2.0, 1.0, 12.0, video=False),
)


@dataclass(frozen=True, slots=True)
class ConstantStream:
    """A stream of constant rate.

    rate      bits per second
    hz        KLV packets per second
    tables    offset in seconds of the end of each PMT
    seconds   duration; then it repeats
    """

    data: bytes
    rate: int
    hz: float
    tables: list[float]
    seconds: float

    def wait(self, at: float) -> float:
        """Seconds from a time in the stream to the end of the next PMT."""
        at %= self.seconds
        place = bisect_left(self.tables, at)
        return self.tables[place] - at if place < len(self.tables) else self.seconds - at + self.tables[0]


@dataclass(frozen=True, slots=True)
class Join:
    """Seconds from joining to the first record, and from the first PMT to it."""

    whole: float
    behind_tables: float


def run(*, quick: bool) -> None:
    process.require_linux()
    found: list[Goal] = []
    for plan in PLANS:
        with CONSOLE.status(f"joining {plan.title}"):
            stream = _line(plan)
            rows = _join_all(stream, 4 if quick else 10)
        _show(plan.title, stream, rows)
        most = max(PATIENCE if join is None else join.behind_tables for join in rows[_OURS])
        wanted = 1e3 * (1 / plan.hz + SLACK)
        found.append(Goal(f"after the first PMT, {plan.title}", wanted, 1e3 * most, "ms", at_most=True))
    goals(found)


def _line(plan: Plan) -> ConstantStream:
    """A sample with fewer tables, padded to a constant rate."""
    rate, hz, every, seconds = plan.rate, plan.hz, plan.every, plan.seconds
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.ts"
        sample.write(path, seconds=seconds, bit_rate=int(rate * 0.8), klv_rate=hz, carriage="async")
        raw = path.read_bytes()
    size = int(rate / 8 * seconds) // _DATAGRAM * _DATAGRAM
    packets = [raw[at : at + _PACKET] for at in range(0, len(raw), _PACKET)]
    if not plan.video:
        packets = [_NULL if _pid(packet) == VIDEO_PID and packet[3] & 0x10 else packet for packet in packets]
    packets = _pad(_thin_out(packets, int(len(packets) * every / seconds)), size // _PACKET)
    tables = [(at + 1) * _PACKET * 8 / rate for at, packet in enumerate(packets) if _pid(packet) == PMT_PID]
    return ConstantStream(b"".join(packets), rate, hz, tables, len(packets) * _PACKET * 8 / rate)


def _pid(packet: bytes) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def _thin_out(packets: Sequence[bytes], apart: int) -> list[bytes]:
    """Remove tables less than `apart` packets after the last one, and renumber the continuity counters."""
    kept: list[bytes] = []
    counters, last = {0: 0, PMT_PID: 0}, {0: -apart, PMT_PID: -apart}
    for at, packet in enumerate(packets):
        pid = _pid(packet)
        if pid in counters:
            if at - last[pid] < apart:
                continue
            last[pid] = at
            packet = packet[:3] + bytes([packet[3] & 0xF0 | counters[pid] & 15]) + packet[4:]
            counters[pid] += 1
        kept.append(packet)
    return kept


def _pad(packets: Sequence[bytes], count: int) -> list[bytes]:
    """Insert null packets evenly, up to `count` packets."""
    if len(packets) > count:
        raise skip.Skip(f"the sample is larger than its rate: {len(packets)} packets for {count}")
    places = [at * count // len(packets) for at in range(len(packets))]
    stream = [_NULL] * count
    for place, packet in zip(places, packets, strict=True):
        stream[place] = packet
    return stream


def _join_all(stream: ConstantStream, rounds: int) -> dict[str, list[Join | None]]:
    """Run all receivers concurrently, each on a separate port, joining at random times."""
    receivers = dict(_receivers())
    jobs = [name for name in receivers for _ in range(rounds)]
    with (
        process.free_ports(len(jobs)) as first,
        tempfile.TemporaryDirectory() as folder,
        ThreadPoolExecutor(len(jobs)) as pool,
    ):
        path = Path(folder) / "line.ts"
        path.write_bytes(stream.data)
        begin = time.monotonic() + 1.0
        options = (path, stream.rate, first, len(jobs), begin)
        command = [sys.executable, "-m", "benchmarks.joining", *map(str, options)]
        with process.run_process(command):
            chance = random.Random(stream.rate)
            moments = [begin + 0.2 + 2 * chance.random() for _ in range(rounds)] * len(receivers)
            ports = range(first, first + len(jobs))
            joins = pool.map(partial(_join, stream, begin), (receivers[name] for name in jobs), ports, moments)
            rows: dict[str, list[Join | None]] = {}
            for name, join in zip(jobs, joins, strict=True):
                rows.setdefault(name, []).append(join)
    return rows


def _join(stream: ConstantStream, begin: float, receiver: Receiver, port: int, at: float) -> Join | None:
    time.sleep(max(0.0, at - time.monotonic()))
    joined = time.monotonic()
    try:
        first_at = receiver(port)
    except TimeoutError:
        return None
    if first_at - joined > PATIENCE:
        return None
    return Join(first_at - joined, first_at - joined - stream.wait(joined - begin))


def _receivers() -> list[tuple[str, Receiver]]:
    found: list[tuple[str, Receiver]] = [(_OURS, partial(_by_relay, demux="native"))]
    try:
        skip.module("av")
    except skip.Skip as why:
        CONSOLE.print(f"[yellow]skipped[/]: {why}")
        return found
    tuned = {"probesize": "32768", "analyzeduration": "0"}
    return [
        *found,
        ("klvrelay, --demux libav", partial(_by_relay, demux="libav")),
        ("PyAV udp://, tuned", partial(_by_pyav, options=tuned)),
        ("PyAV udp://, defaults", partial(_by_pyav, options={})),
    ]


class _First(Null):
    """A sink that records the time of its first record."""

    def __init__(self) -> None:
        super().__init__()
        self.first_at: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def deliver(self, batch: Sequence[Record]) -> Outcome:
        if batch and not self.first_at.done():
            self.first_at.set_result(time.monotonic())
        return Outcome(len(batch))


def _by_relay(port: int, demux: Demux) -> float:
    async def first() -> float:
        url, sink = f"udp://127.0.0.1:{port}", _First()
        relay = Relay([Feed("s", lambda: open_source(url, demux=demux), url)], [("first", sink)], boot="000000")
        running = asyncio.create_task(relay.run())
        try:
            return await asyncio.wait_for(asyncio.shield(sink.first_at), PATIENCE)
        finally:
            running.cancel()
            await asyncio.wait({running})

    return asyncio.run(first())


def _by_pyav(port: int, options: dict[str, str]) -> float:
    import av

    end = time.monotonic() + PATIENCE
    with av.open(f"udp://127.0.0.1:{port}", format="mpegts", options=options, timeout=(PATIENCE + 1, 2.0)) as container:
        for packet in container.demux():
            if packet.stream.id == KLV_PID and KEY in bytes(packet):
                return time.monotonic()
            if time.monotonic() > end:
                break
    raise TimeoutError


def _show(title: str, stream: ConstantStream, rows: dict[str, list[Join | None]]) -> None:
    shown = []
    for name, joins in rows.items():
        had = [join for join in joins if join is not None]
        if not had:
            shown.append((name, f"> {PATIENCE:g}", "-", "-", "-", f"{len(joins)}"))
            continue
        whole = median(join.whole for join in had)
        shown.append(
            (
                name,
                f"{whole:.3f}",
                f"{max(join.whole for join in had):.3f}",
                f"{median(join.behind_tables for join in had):.3f}",
                number(whole * stream.rate / 8192),
                f"{len(joins) - len(had)}",
            )
        )
    columns = ("", "median s", "maximum s", "after the first PMT", "KiB read", "failed")
    table(title, columns, shown, f"KLV every {1e3 / stream.hz:.0f} ms; KiB: received in the median time.")


def _send(path: str, rate: str, port: str, count: str, begin: str) -> None:
    """Send the file repeatedly at a constant rate to `count` ports, starting at monotonic time `begin`."""
    data, step = Path(path).read_bytes(), _DATAGRAM * 8 / int(rate)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    places = [("127.0.0.1", int(port) + n) for n in range(int(count))]
    due, at = float(begin), 0
    while True:
        due += step
        time.sleep(max(0.0, due - time.monotonic()))
        piece = memoryview(data)[at : at + _DATAGRAM]
        for place in places:
            sock.sendto(piece, place)
        at = (at + _DATAGRAM) % len(data)


if __name__ == "__main__":
    _send(*sys.argv[1:])
