"""Cost of a record on its way through the spool on disk, and the time to open one with a large backlog."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.show import Goal, goals, number, table
from klvrelay.outcome import Outcome
from klvrelay.record import Record
from klvrelay.spool.disk.cursor_file import OPEN_END
from klvrelay.spool.disk.files import OsFolder
from klvrelay.spool.disk.flows import DiskFlows
from klvrelay.spool.disk.log import DiskLog
from klvrelay.spool.disk.opening import open_log
from klvrelay.spool.disk.store import Store

_GROUPS = {"240/s": 12, "3,000/s": 150, "flat out": 1000}
"""Records per commit, with one commit each 50 ms."""
_SIZES = {"250 B": 250, "1.5 kB": 1500}
_CURSORS = (1, 4)
_PROTOTYPE = {
    ("250 B", 1): (22.9, 3.8, 1.8),
    ("250 B", 4): (28.6, 5.1, 4.3),
    ("1.5 kB", 4): (31.1, 10.6, 9.0),
}
"""Microseconds per record of a prototype without asyncio and without a thread, from the design of the spool."""
_LIMIT = 1 << 30
_PENDING, _OPEN_MOST = 1_000_000, 100.0  # ms


@dataclass(frozen=True, slots=True)
class Way:
    """How many cursors read how large records, and whether they read them from memory or from disk."""

    size: str
    cursors: int
    from_disk: bool

    @property
    def name(self) -> str:
        read = "disk" if self.from_disk else "memory"
        return f"{self.size}, {self.cursors} cursor{'s' * (self.cursors > 1)}, read from {read}"


def run(*, quick: bool) -> None:
    ways = [Way(size, count, disk) for size in _SIZES for count in _CURSORS for disk in (False, True)]
    rounds = 3 if quick else 7
    costs = {way: [_cost(way, group, rounds) for group in _GROUPS.values()] for way in ways}
    rows = [
        (way.name, *map(number, found), " / ".join(map(str, _PROTOTYPE.get((way.size, way.cursors), ()))))
        for way, found in costs.items()
    ]
    note = "append, durable commit, read by each cursor, answer: CPU time of all threads"
    table("One record (us)", ("", *_GROUPS, "prototype"), rows, note)
    _open(_PENDING // 10 if quick else _PENDING)


def _cost(way: Way, group: int, rounds: int) -> float:
    """Microseconds per record: median of the rounds."""
    return median(asyncio.run(_round(way, group)) for _ in range(rounds)) * 1e6


async def _round(way: Way, group: int) -> float:
    groups = max(5, 2000 // group)
    with tempfile.TemporaryDirectory(prefix="klvrelay-") as folder:
        # A window that is full leaves all later records to the disk.
        limit = 1 if way.from_disk else 100_000
        log = await open_log(Path(folder), "bench", _LIMIT, commit=0.0, limit=limit)
        log._limit = 100_000  # what may wait for a commit
        cursors = [log.cursor(f"sink{at}") for at in range(way.cursors)]
        record = _records(_SIZES[way.size])
        await _pass(log, cursors, record, group, 1, from_disk=way.from_disk)  # creates the first segment
        begin = time.process_time()
        await _pass(log, cursors, record, group, groups, from_disk=way.from_disk)
        spent = time.process_time() - begin
        await log.close()
    return spent / (group * groups)


async def _pass(
    log: DiskLog, cursors: list[DiskFlows], record: Callable[[], Record], group: int, groups: int, *, from_disk: bool
) -> None:
    """Append groups, each with its commit; cursors answer after each one, or (`from_disk`) at the end."""
    for _ in range(groups):
        for _ in range(group):
            log.append(record())
        await _commit(log)
        if not from_disk:
            await _answer(cursors)
    await _answer(cursors)


async def _commit(log: DiskLog) -> None:
    """Wait for the commit, which begins once the loop runs. Polling would be measured, too."""
    while log.pending:
        await asyncio.sleep(0)
        if log._committing is not None:
            await asyncio.wait({log._committing})


async def _answer(cursors: list[DiskFlows]) -> None:
    for cursor in cursors:
        while cursor.waiting:
            batch = await cursor.batch(1000)
            cursor.commit(batch, Outcome(len(batch)))


def _records(size: int) -> Callable[[], Record]:
    """Creates records with this size of packet."""
    raw, seq = bytes(size), 0

    def record() -> Record:
        nonlocal seq
        seq += 1
        return Record(raw, "ST0601", "ok", "ok", 90_000, 257, 1_800_000_000_000_000, "uav1", "5f2c9a", seq)

    return record


def _open(pending: int) -> None:
    with tempfile.TemporaryDirectory(prefix="klvrelay-") as folder:
        _fill(Path(folder), pending)
        found = [_opened(folder) for _ in range(5)]
    opened, first, grown = (median(each[at] for each in found) for at in range(3))
    rows = [("open", f"{opened:.1f} ms"), ("open, then the first batch", f"{first:.1f} ms"),
            ("memory", f"{grown:.1f} MiB")]  # fmt: skip
    table(f"A spool with {pending:,} records that wait", ("", ""), rows)
    goals([Goal("open, then the first batch", _OPEN_MOST, first, "ms", at_most=True),
           Goal("memory that this needs", 32.0, grown, "MiB", at_most=True)])  # fmt: skip


def _fill(folder: Path, count: int) -> None:
    store, record = Store(OsFolder(folder), "bench", _LIMIT), _records(_SIZES["250 B"])
    for at in range(0, count, 5000):
        store.commit({at + each: record() for each in range(5000)}, {"sink1": [(0, OPEN_END)]}, hurry=False)
    store.close()


_OPEN = """
import asyncio, json, re, sys, time
from pathlib import Path
from klvrelay.spool.disk.opening import open_log

def peak():  # not ru_maxrss, which includes the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

async def main():
    before, begin = peak(), time.perf_counter()
    log = await open_log(Path(sys.argv[1]), "bench", 1 << 30)
    cursor = log.cursor("sink1")
    opened = time.perf_counter()
    await cursor.batch(100)
    print(json.dumps([1e3 * (opened - begin), 1e3 * (time.perf_counter() - begin), peak() - before]))
    cursor.rewind()
    await log.close()

asyncio.run(main())
"""


def _opened(folder: str) -> list[float]:
    """In a separate process: milliseconds to open, milliseconds to the first batch, MiB of memory."""
    done = subprocess.run([sys.executable, "-c", _OPEN, folder], capture_output=True, check=True)
    found: list[float] = json.loads(done.stdout)
    return found
