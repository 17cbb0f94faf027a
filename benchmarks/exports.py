"""What an export costs: CPU time and bytes of a record in each file format.

The records are those of a recording, repeated with increasing time stamps, so that what a file holds once does not
count. The time begins with records and ends with the whole file, in memory; footprints are a second apart.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from benchmarks.clock import Call, take_turns
from benchmarks.packets import with_time
from benchmarks.show import CONSOLE, table
from klvrelay import decoder
from klvrelay.errors import ConfigError
from klvrelay.exports.contract import WriterOptions
from klvrelay.exports.formats import FORMATS, open_writer
from klvrelay.record import Record

_HERE = Path(__file__).parent.parent
_RECORDINGS = {
    "osh, ST 0601": _HERE.parent / "shared" / "data" / "osh_sample_stream.ts",
    "orbit, ST 0601 with VMTI": _HERE / "samples" / "orbit.ts",
}
_RECORDS = 6000
_BEGIN, _STEP = 1_780_306_200_000_000, 33_333


def run(*, quick: bool) -> None:
    for name, path in _RECORDINGS.items():
        if not path.exists():
            CONSOLE.print(f"[yellow]skipped[/]: no {path.name} beside the project")
            continue
        _measure(name, _flight(path, _RECORDS // 4 if quick else _RECORDS), rounds=3 if quick else 7)


def _flight(path: Path, count: int) -> list[Record]:
    good = [record for record in decoder.decode(path.read_bytes()) if record.good]
    return [
        record._replace(raw=with_time(record.raw, _BEGIN + seq * _STEP), seq=seq)
        for seq, record in enumerate(islice(cycle(good), count))
    ]


def _measure(name: str, records: list[Record], rounds: int) -> None:
    forms = [form for form in [*FORMATS, "jsonl.zst", "klv.zst"] if _is_installed(form)]
    calls: dict[str, tuple[Call, int]] = {form: (partial(_export, form, records), len(records)) for form in forms}
    timings = take_turns(calls, rounds=rounds)
    rows = [
        (form, f"{timing.median * 1e6:.3g}", f"{timing.least * 1e6:.3g}", f"{_size(form, records):,.1f}")
        for form, timing in timings.items()
    ]
    table(f"{name}, {len(records):,} records", ("format", "us per record", "minimum", "bytes per record"), rows)


def _size(form: str, records: Sequence[Record]) -> float:
    """Bytes per record."""
    return len(_export(form, records)) / len(records)


def _is_installed(form: str) -> bool:
    try:
        _export(form, [])
    except ConfigError as why:
        CONSOLE.print(f"[yellow]skipped[/]: {why}")
        return False
    return True


def _export(form: str, records: Sequence[Record]) -> bytes:
    name, _, compressed = form.partition(".")
    file = io.BytesIO()
    writer = open_writer(name, file, WriterOptions(compress="zstd" if compressed else "none"))
    for record in records:
        writer.write(record)
    writer.finish()
    return file.getvalue()
