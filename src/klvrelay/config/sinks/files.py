"""Settings of a sink that writes files to a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self, get_args

from klvrelay.config import kinds
from klvrelay.config.setting import setting
from klvrelay.config.sinks.address import options_of
from klvrelay.config.sinks.far_end import PublishBad
from klvrelay.config.sinks.kind import Fault, SinkKind
from klvrelay.config.sinks.shared import NUMBERS, PUBLISH_BAD, TIMEOUT
from klvrelay.config.units import size_text
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.json_output import Numbers
from klvrelay.shape.encoding.content_types import Format
from klvrelay.shape.output import Output
from klvrelay.text import Secret

FileFormatName = Literal[
    "jsonl", "klv", "csv", "geojson", "kml", "gpx", "czml", "esri-csv", "parquet", "geoparquet", "mcap"
]
Compress = Literal["none", "zstd"]

_FORM = "file:///var/lib/klvrelay/flights, /var/lib/klvrelay/flights or ./flights"
_COMPRESSED = ("parquet", "geoparquet", "mcap")
"""Formats that compress by themselves."""
PATHS = ("/", "./", "../")
"""How the path of a folder begins: any other text is more likely a mistyped URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesSettings:
    """A folder of files.

    path   of the folder
    """

    prefix: ClassVar[str] = "klvrelay"
    path: str
    file_format: FileFormatName = setting(
        "jsonl", kinds.one_of(*get_args(FileFormatName)), "format of the files, as of klvrelay export"
    )
    compress: Compress = setting(
        "none", kinds.one_of(*get_args(Compress)), "zstd: compress finished files of formats that are not compressed"
    )
    segment: float = setting(600.0, kinds.duration("1s", "1d"), "time after which the next file of a stream begins")
    segment_size: int = setting(64 << 20, kinds.size(4096), "bytes after which the next file of a stream begins")
    age: float | None = setting(
        None, kinds.duration("1m", "3650d"), "maximum age of files: older ones are deleted", note="not limited",
        example='"30d"',
    )  # fmt: skip
    total: int = setting(
        10 << 30, kinds.size(1 << 16), "maximum bytes of all files together: the oldest are deleted first"
    )
    free: int = setting(
        256 << 20, kinds.size(4096), "bytes of the disk that stay free: the oldest files are deleted first"
    )
    sync: float = setting(
        1.0, kinds.duration("10ms", "1m", or_zero=True), "interval at which records are forced to disk, and confirmed"
    )
    timeout: float = field(default=10.0, metadata=TIMEOUT)
    publish_bad: PublishBad = field(default="rejected", metadata=PUBLISH_BAD)
    numbers: Numbers = field(default="exact", metadata=NUMBERS)

    def __post_init__(self) -> None:
        if self.compress != "none" and self.file_format in _COMPRESSED:
            raise ConfigError(f"compress: {self.file_format} compresses by itself: leave it out")
        if self.total < 2 * self.segment_size:
            raise ConfigError(
                f"total: must be at least two files of segment_size ({size_text(self.segment_size)}): give more, or a"
                " smaller segment_size"
            )

    @property
    def url(self) -> str:
        """The folder, for messages."""
        return self.path

    @property
    def output_format(self) -> Format:
        """The format of its outputs: all but JSON Lines are made of packets."""
        return "json" if self.file_format == "jsonl" else "klv"

    @classmethod
    def from_url(cls, text: str, settings: Mapping[str, Any]) -> Self:
        """Settings from a path or URL, with options as of other sinks; `settings` override them. Raises ConfigError.

        A ? in the name of a folder is written as %3F in a file:// URL.
        """
        place, _, query = text.partition("?")
        path = Url.parse(place).path
        if not path.startswith(PATHS):
            raise ConfigError(f"url: not the path of a folder: it begins with /, ./ or ../: {_FORM}")
        options = options_of(Url("file", query=Secret(query)), cls)
        return cls(path=path.rstrip("/") or "/", **{**options, **settings})


def _outputs(settings: FilesSettings) -> tuple[Output, ...]:
    return (Output("telemetry", "{prefix}/{stream}/telemetry", format=settings.output_format),)


def _faults(settings: FilesSettings, outputs: Sequence[Output]) -> list[Fault]:
    wanted = settings.output_format
    return [
        (number, "format", f'must be "{wanted}": files of {settings.file_format} are made of it')
        for number, output in enumerate(outputs)
        if output.format != wanted
    ]


FILES = SinkKind(
    name="files",
    schemes=("file",),
    form=_FORM,
    text="files in a folder, of any format of klvrelay export",
    settings=FilesSettings,
    from_url=FilesSettings.from_url,
    outputs=_outputs,
    module="klvrelay.sinks.files",
    formats=("json", "klv"),
    check=_faults,
)
