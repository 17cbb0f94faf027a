"""What an output costs: bytes and CPU time of a record in each format, thinned and as it is.

`osh` is a real recording beside the project, `orbit` the sample with VMTI in every frame. All formats write the same
records; times are CPU times and include thinning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.clock import Call, take_turns
from benchmarks.show import CONSOLE, Goal, goals, table
from klvrelay import core, decoder
from klvrelay.core.compact import compact, compact_record
from klvrelay.core.document import record_document
from klvrelay.core.selection import Selection, select
from klvrelay.core.thinning import Base, Thinned, Thinning, thin
from klvrelay.record import Record
from klvrelay.standards.spec import SETS

_HERE = Path(__file__).parent.parent
_RECORDINGS = {
    "osh": _HERE.parent / "shared" / "data" / "osh_sample_stream.ts",
    "orbit": _HERE / "samples" / "orbit.ts",
}
_BANDS = {item.key: item.dead_band for item in SETS["ST0601"].values() if item.dead_band is not None}
_MOST = 3  # us of a typical selection
_RATE = 30  # records a second

Writer = Callable[[Record, Thinned], bytes]


def run(*, quick: bool) -> None:
    found: list[Goal] = []
    for name, path in _RECORDINGS.items():
        if not path.exists():
            CONSOLE.print(f"[yellow]skipped[/]: no {path.name} beside the project")
            continue
        records = [record for record in decoder.decode(path.read_bytes()) if record.good]
        found += _measure(name, records, rounds=5 if quick else 15)
    goals(found)


def _measure(name: str, records: Sequence[Record], rounds: int) -> list[Goal]:
    ways = {
        f"{thinned}, {form}": (thinned, form, partial(_write, records, thinning, writer))
        for thinned, thinning in _thinnings().items()
        for form, writer in _WRITERS.items()
    }
    calls: dict[str, tuple[Call, int]] = {way: (call, len(records)) for way, (*_, call) in ways.items()}
    timings = take_turns(calls, rounds=rounds)
    rows, found = [], []
    for way, (thinned, form, call) in ways.items():
        sizes, us = call(), timings[way].median * 1e6
        kbit = sum(sizes) / len(records) * _RATE * 8 / 1000
        mean = sum(sizes) / max(1, len(sizes))
        rows.append((thinned, form, str(len(sizes)), f"{mean:.0f}", f"{kbit:.1f}", f"{us:.2f}"))
        if thinned == _POSITION:
            found.append(Goal(f"{name}: {way}", _MOST, us, "us", at_most=True))
    head = ("records", "format", "published", "bytes", f"kbit/s at {_RATE} Hz", "us per record")
    table(f"{name}: {len(records)} records", head, rows, note="without topics, MQTT and TCP/IP")
    return found


_POSITION = "position on change"


def _thinnings() -> dict[str, Thinning]:
    return {
        "all": Thinning(),
        "all on change": Thinning(on_change=True),
        "with dead bands": Thinning(on_change=True, dead_bands=_BANDS),
        _POSITION: Thinning(_position(), on_change=True),
    }


def _position() -> Selection:
    return select(*(item.key for item in SETS["ST0601"].values() if "position" in item.groups))


def _json(record: Record, thinned: Thinned) -> bytes:
    return core.record_json(thinned.raw, *_envelope(record))


def _cbor(record: Record, thinned: Thinned) -> bytes:
    return record_document("cbor", thinned.raw, *_envelope(record))


def _msgpack(record: Record, thinned: Thinned) -> bytes:
    return record_document("msgpack", thinned.raw, *_envelope(record))


def _envelope(record: Record) -> tuple[bytes, int, int | None, int | None, bool, int | None, int | None]:
    head = core.head(record.stream, record.boot)
    return head, record.seq, record.received_us, record.pts, False, record.pid, record.program


def _klv(record: Record, thinned: Thinned) -> bytes:
    return thinned.raw


def _compact(record: Record, thinned: Thinned) -> bytes:
    return compact([compact_record(thinned, record.seq, pts=record.pts, pid=record.pid, program=record.program)])


_WRITERS: dict[str, Writer] = {"json": _json, "cbor": _cbor, "msgpack": _msgpack, "klv": _klv, "compact": _compact}


def _write(records: Sequence[Record], thinning: Thinning, writer: Writer) -> list[int]:
    """Sizes of the messages of all records, from a subscriber that has nothing on."""
    return list(_sizes(records, thinning, writer, Base()))


def _sizes(records: Sequence[Record], thinning: Thinning, writer: Writer, base: Base) -> Iterator[int]:
    for record in records:
        thinned = thin(record.raw, thinning, base)
        if thinned is not None:
            yield len(writer(record, thinned))
