"""What a file format is, and the writer of one file. Formats are listed in `formats.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol

from klvrelay.json_output import Numbers
from klvrelay.record import Record

Compress = Literal["none", "zstd"]
GeoParquetVersion = Literal["1.1", "2.0"]


@dataclass(frozen=True, slots=True)
class WriterOptions:
    """How a file is written. A format ignores what does not apply to it.

    name                name of the track or data set: the stream
    footprint_every     seconds between two footprints of geojson, kml, czml and mcap; 0: one per record
    points              geojson: also a Point for each record
    compress            "zstd": the whole file; not for formats that compress by themselves
    items               keys of the items that become columns of csv, parquet and geoparquet; empty: all
    numbers             jsonl and mcap: "safe" writes integers beyond 2^53 - 1 as strings
    video               mcap: `klvrelay export` writes the pictures of a recording too (`PictureWriter`)
    geoparquet_version  "1.1": WKB columns and `geo` metadata; "2.0": geometry as a logical type of Parquet too
    elevation           folder of SRTM tiles, with which frame centres and footprints are derived; None: level ground
    folder              where temporary files are created: the folder of the file, which has room for it; None: that
                        of the system
    """

    name: str = "flight"
    footprint_every: float = 1.0
    points: bool = False
    compress: Compress = "none"
    items: tuple[str, ...] = ()
    numbers: Numbers = "exact"
    video: bool = True
    geoparquet_version: GeoParquetVersion = "1.1"
    elevation: str | None = None
    folder: str | None = None


class Writer(Protocol):
    """Writes records of one stream, in order, to one file. Not thread-safe. The caller owns and closes the file.

    Memory is bounded whatever the number of records: what a format needs again at its end goes to a temporary file.
    Raises OSError if the file, or the temporary one, cannot be written; the file is then incomplete.
    """

    @property
    def skipped(self) -> int:
        """Records that the format cannot hold: without position, without time, or of another set."""
        ...

    def write(self, record: Record) -> None:
        """Add a record. Some formats buffer it until `finish`, or until a block is full."""
        ...

    def finish(self) -> None:
        """Complete the file: buffered blocks, footers, closing brackets. Nothing is written after it.

        Without it, a file of an appendable format is still valid.
        """
        ...

    def abandon(self) -> None:
        """Release buffers and temporary files of a file that is not completed. Writes nothing."""
        ...


class PictureWriter(Writer, Protocol):
    """A writer of a format that takes `video`: its files can hold pictures."""

    def write_picture(self, name: str, form: str, data: bytes, time_us: int) -> None:
        """Add a picture at its time, to a channel whose name begins with "video" or "image".

        form   "h264", "h265": one access unit (Annex B), without B-frames, key frames with their parameter sets; "jpeg"

        A picture without a time that viewers show is left out.
        """
        ...


@dataclass(frozen=True, slots=True)
class FileFormat:
    """One file format.

    name           "geojson"
    suffix         of file names: ".geojson"
    text           one line for --help and documentation
    is_appendable  every prefix of the file that ends after a record is a valid file
    extra          extra of klvrelay that installs what it needs; None: nothing
    open           create the writer of a file that is open for writing; imports what the format needs.
                   The file need not be seekable. Call `open_writer` instead: it reports a missing extra
    takes          fields of `WriterOptions` that have an effect, besides `name` and `folder`
    """

    name: str
    suffix: str
    text: str
    is_appendable: bool
    extra: str | None
    open: Callable[[BinaryIO, WriterOptions], Writer]
    takes: frozenset[str] = frozenset({"compress"})

    @property
    def compresses(self) -> bool:
        """The format compresses by itself: `WriterOptions.compress` is refused."""
        return "compress" not in self.takes
