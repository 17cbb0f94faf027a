"""Compares two installs of klvrelay in one run: this one, and the one of another checkout's interpreter.

    python -m benchmarks versions --other ../before/.venv/bin/python [--file-mb 1000]

They take turns in alternating order, so that other load on the machine affects both; the first round is a warm-up.
Both keep their bytecode in the same new folder: an install without bytecode that cannot write any would compile its
modules in each process, which made equal versions differ by half.

Times are CPU times, user and system: of whole processes for commands, of the fastest call within a process for packets.
`measured.py` runs under each interpreter.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.progress import track

from benchmarks import process, recording
from benchmarks.packets import subjects
from benchmarks.show import CONSOLE, Goal, goals, number, table
from benchmarks.skip import Skip
from benchmarks.streams import LATE
from klvrelay import sample

PACKETS = 4096
"""Packets per buffer."""
STREAMS = 100
_MEASURED = str(Path(__file__).with_name("measured.py"))
_BARE, _PYAV = "a bare interpreter", "PyAV, data stream only, nothing decoded"
_VERSION, _SMALL, _LARGE = "klvrelay --version", "decode of a small TS file", "decode of the large TS file"

Measure = Callable[[str], float]
"""Seconds under one interpreter."""


@dataclass(frozen=True, slots=True)
class Row:
    """A measurement: number of rounds, display unit, and the row it is compared with."""

    measure: Measure
    rounds: int
    unit: str = "ms"
    scale: float = 1e3
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds per round of the old and the new install; the rounds correspond."""

    old: tuple[float, ...]
    new: tuple[float, ...]

    @property
    def faster(self) -> float:
        """Speed of the new one relative to the old one: median of the ratios."""
        return median(old / new for old, new in zip(self.old, self.new, strict=True))


def run(*, quick: bool, other: str | None = None, file_mb: int = 200) -> None:
    if other is None:
        raise Skip("needs the interpreter of another checkout: --other ../before/.venv/bin/python")
    CONSOLE.print(f"old: {_where(other)}\nnew: {_where(sys.executable)}", highlight=False)
    with tempfile.TemporaryDirectory() as folder, _bytecode(Path(folder)):
        rows = dict(_rows(Path(folder), 3 if quick else 15, file_mb))
        found = {
            name: _take_turns(row, other)
            for name, row in track(rows.items(), "measuring", console=CONSOLE, transient=True)
        }
        live = _live(other, seconds=3 if quick else 10)
    note = "CPU time: median (minimum). The last column applies to the new one."
    columns = ("", "old", "new", "old / new", "beside")
    table("Two installs", columns, [_row(name, rows[name], found) for name in rows], note)
    goals(_goals(found) + live)


@contextmanager
def _bytecode(folder: Path) -> Iterator[None]:
    """Inside, all processes keep their bytecode below `folder`."""
    before = dict(os.environ)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _rows(folder: Path, rounds: int, file_mb: int) -> Iterator[tuple[str, Row]]:
    small = folder / "small.ts"
    sample.write(small, seconds=1)
    large = recording.make(folder, seconds=6, size=file_mb * 1_000_000)
    few = max(3, rounds // 3)
    yield _BARE, Row(_command("-I", "-c", "pass"), rounds)
    yield _VERSION, Row(_command("-m", "klvrelay", "--version"), rounds, beside=_BARE)
    yield _SMALL, Row(_command("-m", "klvrelay", "decode", "-q", str(small)), rounds, beside=_BARE)
    yield _PYAV, Row(_command(_MEASURED, "pyav", str(large)), few)
    yield _LARGE, Row(_command("-m", "klvrelay", "decode", "-q", str(large)), few, beside=_PYAV)
    for subject in subjects():
        size = len(subject.raw)
        path = folder / f"{size}.klv"
        path.write_bytes(b"".join(subject.several(PACKETS)))
        yield _lines(size), Row(_self_measured("lines", path), rounds, "us", 1e6)
        yield f"{size} bytes, decode() and json() one by one", Row(_self_measured("each", path), rounds, "us", 1e6)


def _lines(size: int) -> str:
    return f"{size} bytes, a buffer to JSON Lines"


def _take_turns(row: Row, other: str) -> Found:
    seconds: dict[str, list[float]] = {other: [], sys.executable: []}
    order = list(seconds)
    for _ in range(row.rounds + 1):
        for python in order:
            seconds[python].append(row.measure(python))
        order.reverse()
    old, new = (tuple(rounds[1:]) for rounds in seconds.values())
    return Found(old, new)


def _command(*words: str) -> Measure:
    """CPU time of a whole process."""
    return lambda python: process.cpu_of([python, *words])


def _self_measured(what: str, path: Path) -> Measure:
    """Time per packet as measured within a process."""
    return lambda python: float(_measured_line(python, what, str(path), str(PACKETS)))


def _measured_line(python: str, *words: str, folder: str | None = None) -> str:
    return process.last_line([python, _MEASURED, *words], folder=folder)


def _where(python: str) -> str:
    place: str = json.loads(_measured_line(python, "where"))
    return place


def _row(name: str, row: Row, found: dict[str, Found]) -> tuple[str, ...]:
    here = found[name]
    beside = "" if not row.beside else f"{_beside(here, found[row.beside])} x {row.beside.partition(',')[0]}"
    return name, _figure(here.old, row), _figure(here.new, row), f"{here.faster:.2f}", beside


def _figure(seconds: Sequence[float], row: Row) -> str:
    return f"{number(median(seconds) * row.scale)} ({number(min(seconds) * row.scale)}) {row.unit}"


def _beside(here: Found, base: Found) -> str:
    """Ratio of the new time to that of the base."""
    return f"{median(here.new) / median(base.new):.2f}"


def _goals(found: dict[str, Found]) -> list[Goal]:
    part = [
        Goal(f"{name}, of the old time", 60, 100 * median(found[name].new) / median(found[name].old), "%", at_most=True)
        for name in (_VERSION, _SMALL)
    ]
    times = median(found[_PYAV].new) / median(found[_LARGE].new)
    lines = [Goal(_lines(len(s.raw)), 1.3, found[_lines(len(s.raw))].faster, "x old") for s in subjects()]
    return [*part, Goal(_LARGE, 3, times, "x PyAV"), *lines]


def _live(other: str, seconds: float) -> list[Goal]:
    """Live streams to a sink that counts, with each install's own benchmarks: the better of two runs in turns."""
    cores = sorted(os.sched_getaffinity(0))
    if not os.path.exists("/proc/net/udp") or len(cores) < 2:
        CONSOLE.print("[yellow]skipped[/]: live streams need Linux and two cores")
        return []
    runs: dict[str, list[dict[str, float]]] = {other: [], sys.executable: []}
    words = "live", str(STREAMS), str(seconds), str(cores[-1]), str(cores[0])
    with CONSOLE.status(f"{STREAMS} live streams, four times {seconds:g} s"):
        for _ in range(2):
            for python, outcomes in runs.items():
                outcomes.append(json.loads(_measured_line(python, *words, folder=_where(python))))
    best = [min(outcomes, key=lambda run: (run["late"] > LATE, run["relay"])) for outcomes in runs.values()]
    rows = [
        (name, f"{100 * run['relay']:.1f} %", f"{run['lost']:,.0f}", f"{1e3 * run['late']:.1f} ms")
        for name, run in zip(("old", "new"), best, strict=True)
    ]
    table(f"{STREAMS} live streams to a sink that counts", ("", "CPU", "lost", "sender late"), rows)
    if max(run["late"] for run in best) > LATE:
        CONSOLE.print("[yellow]no result[/]: the sender was overloaded, so the streams were slower than intended")
        return []
    return [Goal(f"{STREAMS} live streams, counted", 20, 100 * best[1]["relay"], "% of a core", at_most=True)]
