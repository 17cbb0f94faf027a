"""Measures the cost of probing hostile streams (from `tests/hostile`), relative to a recording of the same size."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.progress import track

from benchmarks.show import CONSOLE, Goal, goals, number, table
from klvrelay import sample

TIMES, MEMORY = 3.0, 2.0
"""Maximum time and memory for a hostile stream, relative to the normal recording."""
_MEASURED = """
import sys
from klvrelay.cli.main import main
main(["probe", "-q", "--html", sys.argv[1] + ".html", sys.argv[1]])
with open("/proc/self/status") as lines:
    print(next(line.split()[1] for line in lines if line.startswith("VmHWM")), file=sys.stderr)
"""


@dataclass(frozen=True, slots=True)
class _Cost:
    """CPU seconds, MiB of memory, and KiB of text."""

    seconds: float
    memory: float
    text: float


def run(*, quick: bool) -> None:
    size = 10_000_000 if quick else 100_000_000
    with tempfile.TemporaryDirectory() as folder:
        normal = _cost(_normal(Path(folder), size))
        found = {}
        for name, make in track(_streams().items(), "hostile streams", console=CONSOLE, transient=True):
            path = Path(folder) / "hostile"
            path.write_bytes(make(size))
            found[name] = _cost(path)
    rows = [(name, *_row(cost)) for name, cost in {"normal recording": normal, **found}.items()]
    table(f"Probes of {size // 1_000_000} MB", ("", "CPU s", "MiB", "KiB of text"), rows)
    slowest = max(cost.seconds for cost in found.values()) / normal.seconds
    largest = max(cost.memory for cost in found.values()) / normal.memory
    goals([
        Goal("the slowest, relative to a normal recording", TIMES, slowest, "x", at_most=True),
        Goal("the largest", MEMORY, largest, "x", at_most=True),
    ])  # fmt: skip


def _row(cost: _Cost) -> tuple[str, str, str]:
    return number(cost.seconds), number(cost.memory), number(cost.text)


def _normal(folder: Path, size: int) -> Path:
    """A sample, repeated up to `size` bytes."""
    one = folder / "sample.ts"
    sample.write(one, seconds=20)
    path, data = folder / "normal.ts", one.read_bytes()
    path.write_bytes((data * (size // len(data) + 1))[:size])
    return path


def _streams() -> dict[str, Callable[[int], bytes]]:
    sys.path.append(str(Path(__file__).parents[1] / "tests" / "hostile"))
    from probe_records import RECORDS
    from probe_transport import TRANSPORT

    return {**TRANSPORT, **RECORDS}


def _cost(path: Path) -> _Cost:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", _MEASURED, str(path)], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _Cost(seconds, int(done.stderr.split()[-1]) / 1024, len(done.stdout) / 1024)
