"""The files of one flight: one for each stream of KLV in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, cast

from klvrelay.cli.verbs.decode import write_all
from klvrelay.cli.verbs.export_pictures import HeldPictures, PictureTrack
from klvrelay.cli.verbs.export_settings import ExportSettings, ExportTarget
from klvrelay.errors import ConfigError, KlvrelayError, OutputLost
from klvrelay.exports.contract import PictureWriter, Writer
from klvrelay.exports.formats import open_writer
from klvrelay.exports.part_file import complete_file
from klvrelay.exports.sightings import Thinner
from klvrelay.record import Record
from klvrelay.text import printable

if TYPE_CHECKING:
    from klvrelay.video.pictures import VideoPicture

PIECE = 1 << 18


@dataclass(slots=True)
class StreamFile:
    """The file of one stream, and counts of its records.

    records   given to the writer
    thinned   left out by --every
    pictures  writes the video of the recording; None: without it
    """

    path: str
    pid: int | None
    writer: Writer
    thinner: Thinner
    pictures: PictureTrack | None = None
    records: int = 0
    thinned: int = 0


class OutputFile:
    """Standard output, written in pieces."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        if len(self._held) >= PIECE:
            self.flush()
        return len(data)

    def flush(self) -> None:
        held, self._held = self._held, bytearray()
        write_all(held)


class FlightFiles:
    """Writes the records of one flight. Within `with`; afterwards the files are complete, or absent after an exception.

    damaged, bad_checksum   records left out
    """

    def __init__(self, settings: ExportSettings, target: ExportTarget) -> None:
        self._settings, self._target = settings, target
        self._stack = ExitStack()
        self.streams: dict[str, StreamFile] = {}
        self.damaged = self.bad_checksum = 0
        self._early = HeldPictures()

    def __enter__(self) -> FlightFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in self.streams.values():
            stream.writer.abandon()
        with _naming(self._target.path):
            self._stack.__exit__(kind, fault, trace)

    def take(self, records: Sequence[Record], at: int = 0) -> None:
        """Write records, read at this byte of MPEG-TS.

        Raises ConfigError for a second stream that has no file, and KlvrelayError for a full disk.
        """
        for record in records:
            if not self._settings.bad and not record.good:
                self._count_bad(record)
                continue
            stream = self.streams.get(record.stream) or self._opened(record)
            if stream.pictures is not None:
                with _naming(stream.path):
                    stream.pictures.note(record, at)
            if self._settings.every and not stream.thinner.is_due(record.clock_us):
                stream.thinned += 1
                continue
            with _naming(stream.path):
                stream.writer.write(record)
            stream.records += 1

    def take_pictures(self, pictures: Iterable[VideoPicture]) -> None:
        """Write pictures of the recording to each file."""
        for picture in pictures:
            if not self.streams:
                self._early.add(picture)
            for stream in self.streams.values():
                if stream.pictures is not None:
                    with _naming(stream.path):
                        stream.pictures.take(picture)

    def _count_bad(self, record: Record) -> None:
        if record.transport != "ok":
            self.damaged += 1
        else:
            self.bad_checksum += 1

    def _opened(self, record: Record) -> StreamFile:
        if self.streams and not self._target.is_folder:
            first = next(iter(self.streams.values()))
            raise ConfigError(
                f"there is KLV on several PIDs ({_pid(first.pid)}, {_pid(record.pid)}): select one with --pid, or"
                " export all to a folder: end OUT with /"
            )
        path = self._target.file_of(record.stream, self._settings)
        with _naming(str(path)):
            file, folder = self._file(path)
        options = self._settings.writer_options(record.stream, folder)
        with _naming(str(path)):
            writer = open_writer(self._settings.format, file, options)
        made = StreamFile(str(path), record.pid, writer, Thinner(self._settings.every), self._track(writer))
        self.streams[record.stream] = made
        return made

    def _track(self, writer: Writer) -> PictureTrack | None:
        """For a new file, with the pictures before it."""
        if not self._settings.shows_video:
            return None
        track = PictureTrack(cast("PictureWriter", writer).write_picture)
        for picture in self._early.all():
            track.take(picture)
        return track

    def _file(self, path: Path) -> tuple[BinaryIO, str | None]:
        """A file to write, and where its temporary files may be."""
        if self._target.is_output:
            output = OutputFile()
            self._stack.callback(output.flush)
            return cast("BinaryIO", output), None
        if self._target.is_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        return self._stack.enter_context(complete_file(path, force=self._settings.force)), str(path.parent)

    def finish(self) -> None:
        """Complete the contents. The files get their names at the end of the `with` block."""
        for stream in self.streams.values():
            with _naming(stream.path):
                if stream.pictures is not None:
                    stream.pictures.finish()
                stream.writer.finish()


def _pid(pid: int | None) -> str:
    return "none" if pid is None else f"{pid:#x}"


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """Name the file in errors of the system."""
    try:
        yield
    except (BrokenPipeError, KlvrelayError):
        raise
    except (NotADirectoryError, FileNotFoundError) as fault:
        raise ConfigError(f"{printable(path)}: can't be written: {fault.strerror}; create its folder first") from fault
    except OSError as fault:
        kind = OutputLost if path == "-" else KlvrelayError
        raise kind(f"{printable(path)}: can't be written: {fault.strerror or fault}") from fault
