"""Exports one flight: reads the recording, and writes the files of its streams."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing, closing
from dataclasses import dataclass
from functools import partial

from klvrelay.cli.stopping import on_loop, watch_signals
from klvrelay.cli.verbs.decode import PACKETS_PER_TURN, DecodeOutcome, no_klv
from klvrelay.cli.verbs.export_files import FlightFiles
from klvrelay.cli.verbs.export_settings import ExportSettings, ExportTarget
from klvrelay.config.choice import chosen
from klvrelay.config.url import Url
from klvrelay.decoder import Decoder
from klvrelay.errors import NoKlv
from klvrelay.sources.files.blocking_file import BlockingFile, open_blocking
from klvrelay.text import counted

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class FlightSummary:
    """What became of one flight: its files as (path, records written), and the records left out."""

    files: tuple[tuple[str, int], ...]
    skipped: int
    damaged: int
    bad_checksum: int
    thinned: int


def export_flight(
    url: Url, name: str, settings: ExportSettings, target: ExportTarget, progress: Progress
) -> FlightSummary:
    """Export one flight, whose first stream has this name. `progress` is given the numbers of bytes read.

    A signal raises KeyboardInterrupt. After that, and after an error, no file of this flight remains.
    """
    decoder = Decoder(
        name, None, packet_limit=settings.packet_limit, choice=chosen(settings.pids or None, settings.program)
    )
    with watch_signals() as stopped, FlightFiles(settings, target) as files:
        file = open_blocking(url)
        if file is not None:
            _read_file(file, decoder, files, progress, stopped)
        elif on_loop(partial(_read_source, url, decoder, files, progress)) is None:
            raise KeyboardInterrupt
        files.take(decoder.flush())
        _check_any(url, decoder, files, settings)
        with watch_signals(interrupts=True):  # to complete a large file takes a while
            _check(stopped)
            files.finish()
            return _summary(files)


def _check(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise KeyboardInterrupt


def _read_file(
    file: BlockingFile, decoder: Decoder, files: FlightFiles, progress: Progress, stopped: Callable[[], bool]
) -> None:
    with closing(file):
        for packet in file.packets():
            files.take(decoder.feed(packet))
            progress(len(packet.data))
            _check(stopped)


async def _read_source(url: Url, decoder: Decoder, files: FlightFiles, progress: Progress) -> bool:
    from klvrelay.sources.blocking import packets_blocking
    from klvrelay.sources.open import open_source

    source = open_source(url)
    async with aclosing(packets_blocking(source, turn_every=PACKETS_PER_TURN)) as packets:
        async for packet in packets:
            files.take(decoder.feed(packet))
            progress(len(packet.data))
    return True


def _check_any(url: Url, decoder: Decoder, files: FlightFiles, settings: ExportSettings) -> None:
    """Raise NoKlv if nothing was written, and say why."""
    records = decoder.streams.records
    if records == 0:
        raise no_klv(url, DecodeOutcome(decoder.counters, 0, decoder.streams.missed))
    if not files.streams:
        raise NoKlv(f"{url}: every record ({records}) is damaged or has a bad checksum; --bad includes them")
    if all(stream.records == stream.writer.skipped for stream in files.streams.values()):
        needed = f"the position or time that {settings.format} needs"
        raise NoKlv(f"{url}: none of {counted(records, 'record')} has {needed}")


def _summary(files: FlightFiles) -> FlightSummary:
    streams = files.streams.values()
    return FlightSummary(
        tuple((stream.path, stream.records - stream.writer.skipped) for stream in streams),
        sum(stream.writer.skipped for stream in streams),
        files.damaged,
        files.bad_checksum,
        sum(stream.thinned for stream in streams),
    )
