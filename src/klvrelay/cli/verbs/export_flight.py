"""Exports one flight: reads the recording, and writes the files of its streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, aclosing, closing, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from klvrelay.cli.stopping import on_loop, watch_signals
from klvrelay.cli.verbs.decode import PACKETS_PER_TURN, DecodeOutcome, no_klv
from klvrelay.cli.verbs.export_files import FlightFiles
from klvrelay.cli.verbs.export_settings import ExportSettings, ExportTarget
from klvrelay.config.choice import chosen
from klvrelay.config.url import Url
from klvrelay.decoder import Decoder
from klvrelay.errors import NoKlv
from klvrelay.record import Packet
from klvrelay.sources.files.blocking_file import BlockingFile, open_blocking
from klvrelay.text import counted

if TYPE_CHECKING:
    from klvrelay.video.recording import RecordingPictures

PART = 8 * 188
"""Bytes of MPEG-TS whose records count as sent with one picture: KLV without presentation times gets that of the video
beside it.
"""

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class FlightSummary:
    """What became of one flight: its files as (path, records, pictures, those that are JPEG), and what was left out."""

    files: tuple[tuple[str, int, int, int], ...]
    skipped: int
    damaged: int
    bad_checksum: int
    thinned: int
    pictures: int = 0


def export_flight(
    url: Url, name: str, settings: ExportSettings, target: ExportTarget, progress: Progress
) -> FlightSummary:
    """Export one flight, whose first stream has this name. `progress` is given the numbers of bytes read.

    A signal raises KeyboardInterrupt. After that, and after an error, no file of this flight remains.
    """
    decoder = Decoder(
        name, None, packet_limit=settings.packet_limit, choice=chosen(settings.pids or None, settings.program)
    )
    with watch_signals() as stopped, FlightFiles(settings, target) as files, _video(url, settings) as video:
        intake = _Intake(decoder, files, video, progress, stopped)
        file = open_blocking(url)
        if file is not None:
            _read_file(file, intake)
        elif on_loop(partial(_read_source, url, intake)) is None:
            raise KeyboardInterrupt
        intake.end()
        _check_any(url, decoder, files, settings)
        with watch_signals(interrupts=True):  # to complete a large file takes a while
            _check(stopped)
            files.finish()
            return _summary(files, 0 if video is None else video.left_out)


def _video(url: Url, settings: ExportSettings) -> AbstractContextManager[RecordingPictures | None]:
    if not settings.shows_video:
        return nullcontext()
    from klvrelay.video.recording import RecordingPictures

    return RecordingPictures(url)


@dataclass(frozen=True, slots=True)
class _Intake:
    """Puts what is read into the files: records, and pictures in step with them."""

    decoder: Decoder
    files: FlightFiles
    video: RecordingPictures | None
    progress: Progress
    stopped: Callable[[], bool]

    def take(self, packet: Packet) -> None:
        if self.video is None:
            self.files.take(self.decoder.feed(packet))
        else:
            for part in _parts(packet):
                self.files.take(self.decoder.feed(part), self.video.size)
                self.files.take_pictures(self.video.after(part))
                _check(self.stopped)
        self.progress(len(packet.data))

    def end(self) -> None:
        self.files.take(self.decoder.flush())
        if self.video is not None:
            self.files.take_pictures(self.video.rest())


def _parts(packet: Packet) -> Iterator[Packet]:
    """Transport bytes in small parts."""
    if packet.carriage != "ts" or len(packet.data) <= PART:
        yield packet
        return
    data = memoryview(packet.data)
    for at in range(0, len(data), PART):
        yield packet._replace(data=data[at : at + PART], damaged=packet.damaged and at == 0)


def _check(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise KeyboardInterrupt


def _read_file(file: BlockingFile, intake: _Intake) -> None:
    with closing(file):
        for packet in file.packets():
            intake.take(packet)
            _check(intake.stopped)


async def _read_source(url: Url, intake: _Intake) -> bool:
    from klvrelay.sources.blocking import packets_blocking
    from klvrelay.sources.open import open_source

    source = open_source(url)
    async with aclosing(packets_blocking(source, turn_every=PACKETS_PER_TURN)) as packets:
        async for packet in packets:
            intake.take(packet)
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


def _summary(files: FlightFiles, no_pictures: int) -> FlightSummary:
    streams = files.streams.values()
    return FlightSummary(
        tuple(
            (one.path, one.records - one.writer.skipped, *(one.pictures.counts if one.pictures else (0, 0)))
            for one in streams
        ),
        sum(stream.writer.skipped for stream in streams),
        files.damaged,
        files.bad_checksum,
        sum(stream.thinned for stream in streams),
        no_pictures + sum(stream.pictures.untimed for stream in streams if stream.pictures),
    )
