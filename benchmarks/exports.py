"""What an export costs: CPU time and bytes of a record in each file format.

The records are those of a recording, repeated with increasing time stamps, so that what a file holds once does not
count. The time begins with records and ends with the whole file, in memory; footprints are a second apart. For the
video in MCAP, the time begins with the bytes of the recording.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import cast

from benchmarks.clock import Call, take_turns
from benchmarks.packets import with_time
from benchmarks.show import CONSOLE, table
from klvrelay import decoder
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.exports.contract import PictureWriter, WriterOptions
from klvrelay.exports.formats import FORMATS, open_writer
from klvrelay.record import Record
from klvrelay.video.access_units import AccessUnit, PushedUnits
from klvrelay.video.jpeg import JpegTranscoder
from klvrelay.video.pictures import PictureStream
from klvrelay.video.recording import PUSHED

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
        _measure_video(name, path, rounds=3 if quick else 7)


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


def _measure_video(name: str, path: Path, rounds: int) -> None:
    """The pictures of a recording in MCAP: as they are, and as JPEG."""
    data = path.read_bytes()
    units = _units(data)
    calls: dict[str, tuple[Call, int]] = {
        "demultiplexed": (partial(_units, data), len(units)),
        "mcap": (partial(_filmed, units), len(units)),
        "mcap, JPEG": (partial(_filmed_as_jpeg, units), len(units)),
    }
    sizes = {
        "demultiplexed": sum(len(unit.data) for unit in units),
        "mcap": len(_filmed(units)),
        "mcap, JPEG": len(_filmed_as_jpeg(units)),
    }
    rows = [
        (form, f"{timing.median * 1e6:.3g}", f"{timing.least * 1e6:.3g}", f"{sizes[form] / len(units):,.0f}")
        for form, timing in take_turns(calls, rounds=rounds).items()
    ]
    table(f"{name}, {len(units):,} pictures", ("video", "us per picture", "minimum", "bytes per picture"), rows)


def _units(data: bytes) -> list[AccessUnit]:
    pushed = PushedUnits(Url("bytes"))
    found = [unit for at in range(0, len(data), PUSHED) for unit in pushed.push(data[at : at + PUSHED])]
    found += pushed.push(b"")
    pushed.close()
    return found


def _filmed(units: Sequence[AccessUnit]) -> bytes:
    stream = PictureStream(units[0].codec)
    pictures = [picture for unit in units for picture in stream.take(unit)]
    return _written([(picture.form, picture.data) for picture in (*pictures, *stream.rest())])


def _filmed_as_jpeg(units: Sequence[AccessUnit]) -> bytes:
    made = JpegTranscoder(units[0].codec)
    return _written([("jpeg", data) for unit in (*units, None) for _, data in made.pictures(unit)])


def _written(pictures: Sequence[tuple[str, bytes]]) -> bytes:
    file = io.BytesIO()
    writer = open_writer("mcap", file, WriterOptions())
    for number, (form, data) in enumerate(pictures):
        name = "image" if form == "jpeg" else "video"
        cast("PictureWriter", writer).write_picture(name, form, data, _BEGIN + number * _STEP)
    writer.finish()
    return file.getvalue()


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
