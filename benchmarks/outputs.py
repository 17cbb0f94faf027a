"""What an output costs: bytes and CPU time of a record in each format, and kbit/s on a real connection.

`osh` is a real recording beside the project, `orbit` the sample with VMTI in every frame. All formats publish the same
records; times are CPU times from the offer of a record to its payload, as in a sink.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from benchmarks import uplink
from benchmarks.clock import Call, take_turns
from benchmarks.show import CONSOLE, Goal, goals, table
from klvrelay import decoder
from klvrelay.config.outputs import output_of
from klvrelay.record import Record
from klvrelay.shape.marking import Limit
from klvrelay.shape.output import Output
from klvrelay.shape.shaper import Shaper

_HERE = Path(__file__).parent.parent
_RECORDINGS = {
    "osh": _HERE.parent / "shared" / "data" / "osh_sample_stream.ts",
    "orbit": _HERE / "samples" / "orbit.ts",
}
_MOST = 3  # us of a typical selection
_RATE = 30  # records a second
_RECORDS = 2000  # the recordings are repeated, so that the set-up of an output does not count
_BEGIN = 1_700_000_000_000_000
_POSITION = "position on change"
_THINNED: dict[str, dict[str, object]] = {
    "all": {},
    "all on change": {"on_change": True},
    "with dead bands": {"on_change": True, "dead_band": True},
    _POSITION: {"on_change": True, "items": ["position"]},
}
_FORMATS = ("json", "cbor", "msgpack", "klv", "compact")


def run(*, quick: bool) -> None:
    found: list[Goal] = []
    flights: dict[str, list[Record]] = {}
    for name, path in _RECORDINGS.items():
        if not path.exists():
            CONSOLE.print(f"[yellow]skipped[/]: no {path.name} beside the project")
            continue
        good = [record for record in decoder.decode(path.read_bytes()) if record.good]
        flights[name] = [_live(record, name, seq) for seq, record in enumerate(islice(cycle(good), _RECORDS))]
        found += _measure(name, flights[name], rounds=5 if quick else 15)
    goals([*found, *uplink.measure(flights, _RATE)])


def _live(record: Record, stream: str, seq: int) -> Record:
    return record._replace(stream=stream, boot="5f2c9a", seq=seq, received_us=_BEGIN + seq * 1_000_000 // _RATE)


def _measure(name: str, records: Sequence[Record], rounds: int) -> list[Goal]:
    outputs = {
        (thinned, form): output_of({"name": "output", **settings, "format": form})
        for thinned, settings in _THINNED.items()
        for form in _FORMATS
    }
    outputs["at 1 Hz", "compact"] = output_of({"name": "output", "rate": 1, "format": "compact"})
    outputs["with a limit", "json"] = replace(output_of({"name": "output"}), limit=Limit(5, unmarked="pass"))
    ways = {" ".join(way): partial(_sizes, records, output) for way, output in outputs.items()}
    calls: dict[str, tuple[Call, int]] = {way: (call, len(records)) for way, call in ways.items()}
    timings = take_turns(calls, rounds=rounds)
    rows, found = [], []
    for thinned, form in outputs:
        way = f"{thinned} {form}"
        sizes, us = ways[way](), timings[way].median * 1e6
        kbit = sum(sizes) / len(records) * _RATE * 8 / 1000
        mean = sum(sizes) / max(1, len(sizes))
        rows.append((thinned, form, str(len(sizes)), f"{mean:.0f}", f"{kbit:.1f}", f"{us:.2f}"))
        if thinned == _POSITION:
            found.append(Goal(f"{name}: {thinned}, {form}", _MOST, us, "us", at_most=True))
    head = ("records", "format", "published", "bytes", f"kbit/s at {_RATE} Hz", "us per record")
    table(f"{name}: {len(records)} records", head, rows, note="bytes without topics, MQTT and TCP/IP")
    return found


def _sizes(records: Sequence[Record], output: Output) -> list[int]:
    """Sizes of the payloads of all records, from a subscriber that has nothing on."""
    offer = Shaper([output]).offer
    return [len(payload.data) for record in records for due in offer(record, 0.0)[0] for payload in due.payloads(0.0)]
