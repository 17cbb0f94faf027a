"""The verb `decode`: prints the records of a source as JSON Lines or CSV, and a summary."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, aclosing, closing
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from klvrelay.cli import loading
from klvrelay.cli.standard_streams import flush_output
from klvrelay.cli.stopping import on_loop, watch_signals
from klvrelay.config.choice import EVERYTHING, Choice
from klvrelay.config.names import stream_name
from klvrelay.config.url import Url
from klvrelay.core import LIMIT, Counters
from klvrelay.decoder import Decoder
from klvrelay.errors import ConfigError, NoKlv
from klvrelay.json_output import Numbers
from klvrelay.sources.files.blocking_file import BlockingFile, open_blocking
from klvrelay.text import counted

if TYPE_CHECKING:
    from klvrelay.sources.contract import Demux

Out = Callable[[Any], object]
"""A function that takes text: bytes, or (of a file) also buffers that are valid during the call only."""
Progress = Callable[[int], None]

PACKETS_PER_TURN = 32
"""Chunks of a file between two returns to the event loop."""


class DecodeOutcome(NamedTuple):
    """Counters of the source, the number of records, and why there are none although KLV was found."""

    counters: Counters
    records: int
    missed: str


def decode(
    url: Url, form: str, *, show_progress: bool, follow: bool = False, demux: Demux = "native",
    choice: Choice = EVERYTHING, numbers: Numbers = "exact", packet_limit: int = LIMIT,
) -> DecodeOutcome | None:  # fmt: skip
    """Print the records in the given format. Returns None if a signal stopped it."""
    if follow and form == "csv":
        raise ConfigError("--follow --format csv: CSV columns are known only at the end of the file; use json")
    loading.complete()
    with ExitStack() as stack:
        progress = stack.enter_context(_Progress(url)) if show_progress and not follow else None
        options: dict[str, Any] = {"choice": choice, "packet_limit": packet_limit}
        if form == "json":
            options["numbers"] = numbers
            return _decode(url, write_all, progress, follow, demux, options)
        from tempfile import SpooledTemporaryFile

        from klvrelay.exports.csv_rows import write_csv  # here, since JSON Lines do not need it

        spool = stack.enter_context(SpooledTemporaryFile(max_size=64 << 20))
        outcome = _decode(url, spool.write, progress, follow, demux, options)
        if outcome is not None:
            with watch_signals(interrupts=True):  # a signal must not leave a progress bar on the terminal
                write_csv(spool, write_all)
    return outcome


def _decode(
    url: Url, out: Out, progress: Progress | None, follow: bool, demux: Demux, options: dict[str, Any]
) -> DecodeOutcome | None:
    """Decode a file in a plain loop, anything else on asyncio: loading asyncio takes as long as decoding 100 MB."""
    file = open_blocking(url) if demux == "native" and not follow else None
    if file is not None:
        return decode_file(url, file, out, progress, **options)
    return on_loop(partial(decode_source, url, out, progress, follow=follow, demux=demux, **options))


def decode_file(
    url: Url, file: BlockingFile, out: Out, progress: Progress | None, **options: Any
) -> DecodeOutcome | None:
    """Read a file to its end and pass its records to `out` as JSON Lines, and the bytes read to `progress`.

    Returns None if a signal stopped it. `options` are those of `decode_source`.
    """
    with closing(file), watch_signals() as stopped:
        decoder = Decoder(stream_name(url), None, **options)
        for packet in file.packets():
            decoder.write_lines(packet, out)
            if progress is not None:
                progress(len(packet.data))
            if stopped():
                return None
    return _finish(decoder, out)


async def decode_source(
    url: Url,
    out: Out,
    progress: Progress | None,
    *,
    follow: bool = False,
    demux: Demux = "native",
    choice: Choice = EVERYTHING,
    numbers: Numbers = "exact",
    packet_limit: int = LIMIT,
) -> DecodeOutcome:
    """Like `decode_file` for any source; text is passed as bytes.

    A followed source has no end: cancellation ends it, which is not an error once there was a record.
    """
    import asyncio

    from klvrelay.cli.silence import hint_of_silence
    from klvrelay.sources.blocking import packets_blocking
    from klvrelay.sources.open import open_source

    decoder = Decoder(stream_name(url), None, choice=choice, numbers=numbers, packet_limit=packet_limit)
    source = open_source(url, follow=follow, demux=None if demux == "native" else demux)
    received = False
    try:
        silence = hint_of_silence(url, lambda: not received)
        async with silence, aclosing(packets_blocking(source, turn_every=PACKETS_PER_TURN)) as packets:
            async for packet in packets:
                received = True
                if text := decoder.lines(packet):
                    out(text)
                if progress is not None:
                    progress(len(packet.data))
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if not follow or task is None or not decoder.streams.records:
            raise
        task.uncancel()
    return _finish(decoder, out)


def _finish(decoder: Decoder, out: Out) -> DecodeOutcome:
    out(decoder.flush_lines())
    return DecodeOutcome(decoder.counters, decoder.streams.records, decoder.streams.missed)


def write_all(text: Any) -> None:
    """Write to standard output, which may accept only part of the data if it is unbuffered."""
    left = memoryview(text)
    with flush_output():  # records of a live stream must not wait in a buffer
        while left:
            left = left[sys.stdout.buffer.write(left) :]


def summary(outcome: DecodeOutcome) -> str:
    """The counters on one line."""
    c = outcome.counters
    gaps = c.discontinuities + c.sync_losses
    found = "" if outcome.records == c.packets else f" of {counted(c.packets, 'KLV packet')}"
    return (
        f"{counted(outcome.records, 'record')}{found}, {counted(c.bad_checksum, 'bad checksum')}, "
        f"{counted(c.unknown_items, 'unknown item')}, {c.damaged} damaged, {counted(c.passed_over, 'byte')} passed over"
        + (f", {c.too_large} larger than the packet limit (see --packet-limit)" if c.too_large else "")
        + (f", {counted(gaps, 'gap')} in the transport: packets may be missing" if gaps else "")
    )


def no_klv(url: Url, outcome: DecodeOutcome) -> NoKlv:
    """The error that explains why there is no record."""
    counters = outcome.counters
    if outcome.missed:
        return NoKlv(f"{url}: no matching KLV: {outcome.missed}")
    where = f" in its {counters.ts_packets:,} TS packets" if counters.ts_packets else ""
    from klvrelay.health import diagnosis

    return NoKlv(f"{url}: no KLV{where}: {diagnosis.no_klv(counters).sentence}")


class _Progress:
    """A progress bar on standard error if the size is known; else the bytes so far.

    It appears with the first bytes: until then a signal ends the process, and would leave the cursor hidden.
    """

    def __init__(self, url: Url) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        size = os.path.getsize(url.path) if url.scheme == "file" and os.path.isfile(url.path) else None
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("decoding", total=size)

    def __enter__(self) -> Callable[[int], None]:
        return self._advance

    def _advance(self, size: int) -> None:
        if not self._bar.live.is_started:
            self._bar.start()
        self._bar.advance(self._task, size)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
