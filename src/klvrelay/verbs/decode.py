"""The verb `decode`: a file's records to standard output as JSON Lines or CSV, and a summary; next door, `cli.py`."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, aclosing
from typing import IO, Any, NamedTuple

import orjson

from klvrelay import diagnosis
from klvrelay.elementary import EVERYTHING, Choice
from klvrelay.errors import ConfigError, NoKlv
from klvrelay.integers import Numbers
from klvrelay.klv import Decoder
from klvrelay.names import Url, stream_name
from klvrelay.sources import Demux, open_source
from klvrelay.sources.straight import packets_straight
from klvrelay.standard import written
from klvrelay.verbs.cells import cell
from klvrelay.wire import LIMIT, Counters

HEAD = (
    "stream", "seq", "time", "time_us", "pts", "pid", "program", "set", "version", "checksum", "transport", "special",
    "warnings",
)  # fmt: skip
"""Columns of the CSV that every record has; its items follow."""
CSV_PIECE = 1 << 16
BREATH = 32
"""Pieces of a file between two looks at the loop."""


class Outcome(NamedTuple):
    """What a source held: what went through in all, how many records came out, why none did where KLV was there."""

    counters: Counters
    records: int
    missed: str


async def decode_source(
    url: Url,
    out: Callable[[bytes], object],
    progress: Callable[[int], None] | None,
    *,
    follow: bool = False,
    demux: Demux = "native",
    choice: Choice = EVERYTHING,
    numbers: Numbers = "exact",
    packet_limit: int = LIMIT,
) -> Outcome:
    """Read a source to its end, handing its records to `out` as JSON Lines; `progress` gets the bytes read.

    One that is followed has no end: a cancellation ends it, and is no error once there was a record.
    """
    decoder = Decoder(stream_name(url), None, choice=choice, numbers=numbers, packet_limit=packet_limit)
    source = open_source(url, follow=follow, demux=None if demux == "native" else demux)
    try:
        async with aclosing(packets_straight(source, breath=BREATH)) as packets:
            async for packet in packets:
                if text := decoder.lines(packet):
                    out(text)
                if progress is not None:
                    progress(len(packet.data))
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if not follow or task is None or not decoder.streams.records:
            raise
        task.uncancel()
    out(decoder.flush_lines())
    return Outcome(decoder.counters, decoder.streams.records, decoder.streams.missed)


async def decode(
    url: Url, form: str, *, show_progress: bool, follow: bool = False, demux: Demux = "native",
    choice: Choice = EVERYTHING, numbers: Numbers = "exact", packet_limit: int = LIMIT,
) -> Outcome:  # fmt: skip
    """The whole verb: records to standard output in the given form."""
    if follow and form == "csv":
        raise ConfigError("--follow --format csv: a CSV's columns are known at its end, which this has none: take json")
    with ExitStack() as stack:
        progress = stack.enter_context(_Progress(url)) if show_progress and not follow else None
        if form == "json":
            outcome = await decode_source(
                url, write_all, progress, follow=follow, demux=demux, choice=choice, numbers=numbers,
                packet_limit=packet_limit,
            )  # fmt: skip
        else:
            spool = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=64 << 20))
            outcome = await decode_source(
                url, spool.write, progress, demux=demux, choice=choice, packet_limit=packet_limit
            )
            write_csv(spool, write_all)
    return outcome


def write_all(text: bytes) -> None:
    """To standard output, which unbuffered may take a part at a time."""
    left = memoryview(text)
    with written():  # a live stream's records are wanted now
        while left:
            left = left[sys.stdout.buffer.write(left) :]


def summary(outcome: Outcome) -> str:
    """What went through, on one line."""
    c = outcome.counters
    gaps = c.discontinuities + c.sync_losses
    chosen = "" if outcome.records == c.packets else f"{outcome.records} records of "
    return (
        f"{chosen}{c.packets} packets, {c.bad_checksum} bad checksums, {c.unknown_items} unknown items, "
        f"{c.damaged} damaged, {c.passed_over} bytes passed over"
        + (f", {c.too_large} larger than the packet limit: see --packet-limit" if c.too_large else "")
        + (f", {gaps} gaps in the transport: packets may be missing" if gaps else "")
    )


def no_klv(url: Url, outcome: Outcome) -> NoKlv:
    """There was nothing to decode: say why."""
    counters = outcome.counters
    if outcome.missed:
        return NoKlv(f"{url}: no KLV of what was asked for: {outcome.missed}")
    where = f" in its {counters.ts_packets:,} TS packets" if counters.ts_packets else ""
    return NoKlv(f"{url}: no KLV{where}: {diagnosis.no_klv(counters).sentence}")


def write_csv(lines: IO[bytes], out: Callable[[bytes], object]) -> None:
    """JSON Lines as CSV (RFC 4180, UTF-8): a row for each record, a column for each item, lists as JSON."""
    columns: dict[str, None] = {}
    lines.seek(0)
    for line in lines:
        columns |= dict.fromkeys(_flat(orjson.loads(line)["items"]))
    names = [*HEAD, *columns]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, restval="")
    writer.writerow({name: cell(name) for name in names})
    lines.seek(0)
    for line in lines:
        record = orjson.loads(line)
        head = {key: cell(value) for key, value in (record | record["quality"]).items() if key in HEAD}
        writer.writerow(head | _flat(record["items"]))
        if text.tell() > CSV_PIECE:
            out(text.getvalue().encode())
            text.seek(0)
            text.truncate()
    out(text.getvalue().encode())


def _flat(items: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in items.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = cell(value)
    return flat


class _Progress:
    """A bar on standard error, for a file whose size is known; else the bytes so far."""

    def __init__(self, url: Url) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        size = os.path.getsize(url.path) if url.scheme == "file" and os.path.isfile(url.path) else None
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("decoding", total=size)

    def __enter__(self) -> Callable[[int], None]:
        self._bar.start()
        return lambda size: self._bar.advance(self._task, size)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
