"""Decodes a TS file in the page cache to JSON Lines, compared with plain reading, PyAV and tstrans.

Times are CPU times of all threads and child processes, because elapsed time includes other load on the machine.
The first round is a warm-up. `recording.py` creates the file.
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from rich.progress import track

from benchmarks import recording, skip
from benchmarks.show import CONSOLE, Goal, goals, number, table
from klvrelay.cli.verbs.decode import decode_source
from klvrelay.config.url import Url

_READ = "plain reading, pieces of 1 MiB"
_OURS = "klvrelay decode, to JSON Lines"
_PROCESS = "klvrelay decode, as a separate process"
_DEMUX = "PyAV, data stream only, nothing decoded"
_DISCARD = "PyAV, the same, video discarded"
_TSTRANS = "tstrans, to typed ST 0601"
_WANTED = ((_TSTRANS, 4), (_DEMUX, 3))
_PIECE = 1 << 20

Reader = Callable[[Path], int]


@dataclass(slots=True)
class Row:
    """CPU seconds of one reader per round; `found`: number of KLV packets."""

    read: Reader
    cpu: list[float] = field(default_factory=list)
    found: int = 0


def run(*, quick: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        CONSOLE.print("creating a recording ...", end="\r")
        path = recording.make(Path(folder), seconds=2 if quick else 6, size=(50 if quick else 200) * _PIECE)
        rows = dict(_readers())
        for _ in track(range(3 if quick else 10), "reading it", console=CONSOLE, transient=True):
            for row in rows.values():
                _measure(row, path)
        for row in rows.values():
            del row.cpu[0]
        _show(rows, path.stat().st_size)


def _readers() -> Iterator[tuple[str, Row]]:
    yield _READ, Row(_read_plainly)
    yield _OURS, Row(_decode_in_process)
    yield _PROCESS, Row(_as_process)
    peers = (
        (_DEMUX, "av", partial(_with_pyav, discard=False)),
        (_DISCARD, "av", partial(_with_pyav, discard=True)),
        (_TSTRANS, "tstrans.io", _with_tstrans),
    )
    for name, package, reader in peers:
        try:
            skip.module(package)
        except skip.Skip as why:
            CONSOLE.print(f"[yellow]skipped[/]: {why}")
        else:
            yield name, Row(reader)


def _measure(row: Row, path: Path) -> None:
    before = _cpu()
    row.found = row.read(path)
    row.cpu.append(_cpu() - before)


def _cpu() -> float:
    """CPU seconds used by this process and by its finished child processes."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _read_plainly(path: Path) -> int:
    with path.open("rb", buffering=0) as file:
        while file.read(_PIECE):
            pass
    return 0


def _decode_in_process(path: Path) -> int:
    outcome = asyncio.run(decode_source(Url.parse(path), lambda text: None, None))
    return outcome.counters.packets


def _as_process(path: Path) -> int:
    with open(os.devnull, "wb") as nowhere:
        subprocess.run([sys.executable, "-m", "klvrelay", "decode", "-q", str(path)], stdout=nowhere, check=True)
    return -1


def _with_pyav(path: Path, *, discard: bool) -> int:
    import av
    from av.stream import Discard

    found = 0
    options = {"probesize": "32768", "analyzeduration": "0"}
    with av.open(str(path), format="mpegts", options=options) as container:
        for stream in container.streams:
            if discard and stream.type != "data":
                stream.discard = Discard.all
        for packet in container.demux(container.streams.data):
            found += packet.size > 0
    return found


def _with_tstrans(path: Path) -> int:
    from tstrans.io import iter_uas_datalink

    return sum(1 for _ in iter_uas_datalink(path))


def _show(rows: dict[str, Row], size: int) -> None:
    shown = [
        (
            name,
            number(size / median(row.cpu) / 1e6),
            number(size / min(row.cpu) / 1e6),
            number(_ratio(rows[_READ], row)),
            "-" if row.found <= 0 else f"{row.found:,}",
        )
        for name, row in rows.items()
    ]
    columns = ("", "MB per CPU second", "maximum", "x plain reading", "KLV packets")
    table(f"A file of {size / 1e6:,.0f} MB", columns, shown)
    counts = Counter(row.found for row in rows.values() if row.found > 0)
    if len(counts) > 1:
        CONSOLE.print("[red]The readers found different numbers of packets.[/]")
    ours = rows[_OURS]
    found = [Goal("klvrelay decode", 0.5, _ratio(rows[_READ], ours), "x plain reading")]
    for peer, wanted in _WANTED:
        if peer in rows:
            found.append(Goal("klvrelay decode", wanted, _ratio(rows[peer], ours), f"x {peer.partition(',')[0]}"))
    goals(found)


def _ratio(base: Row, row: Row) -> float:
    """Speed relative to `base`: median over the rounds."""
    return median(theirs / ours for theirs, ours in zip(base.cpu, row.cpu, strict=True))
