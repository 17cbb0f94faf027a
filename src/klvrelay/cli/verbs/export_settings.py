"""What the verb `export` is to do: flights, format, and where the files go."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from klvrelay.config.mistyped import file_name
from klvrelay.config.names import distinct_names, name_candidates, safe_level
from klvrelay.config.url import Url
from klvrelay.core import LIMIT
from klvrelay.errors import ConfigError
from klvrelay.exports.contract import FileFormat, WriterOptions
from klvrelay.exports.formats import FORMATS, ZSTD, format_named, format_of
from klvrelay.text import printable


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """How flights are exported. Everything can be written as JSON.

    options   fields of `WriterOptions` that differ from the defaults
    every     seconds: at most one record per interval; 0: all
    bad       include damaged records, and those with a bad checksum
    pids, program, packet_limit   as for `klvrelay.decode`
    """

    format: str
    options: Mapping[str, Any] = field(default_factory=dict)
    every: float = 0.0
    bad: bool = False
    force: bool = False
    pids: tuple[int, ...] = ()
    program: int | None = None
    packet_limit: int = LIMIT

    @property
    def shows_video(self) -> bool:
        """The files get the video of the recordings."""
        return "video" in FORMATS[self.format].takes and bool(self.options.get("video", True))

    def writer_options(self, stream: str, folder: str | None) -> WriterOptions:
        """The options for the writer of one stream."""
        known = {**self.options, "items": tuple(self.options.get("items", ()))}
        return WriterOptions(name=stream, folder=folder, **known)


@dataclass(frozen=True, slots=True)
class ExportTarget:
    """Where the files of a flight go: one file ("-" is standard output), or a folder with a file for each stream."""

    path: str
    is_folder: bool

    @property
    def is_output(self) -> bool:
        return self.path == "-" and not self.is_folder

    def file_of(self, stream: str, settings: ExportSettings) -> Path:
        """The file for the records of a stream."""
        if not self.is_folder:
            return Path(self.path)
        suffix = FORMATS[settings.format].suffix + (ZSTD if settings.options.get("compress") == "zstd" else "")
        return Path(self.path) / f"{safe_level(stream)}{suffix}"


def format_for(name: str | None, out: str) -> FileFormat:
    """The format of that name, else by the suffix of OUT. Raises ConfigError."""
    if name is not None:
        return format_named(name)
    found = format_of(out)
    if found is None:
        raise ConfigError(f"OUT {printable(out)}: no format has this suffix; use --to: {', '.join(FORMATS)}")
    return found


def flights_of(paths: Sequence[str]) -> list[tuple[Url, str]]:
    """The recordings, each with a distinct stream name. Raises ConfigError for a live source."""
    urls = [Url.parse(path) for path in paths]
    for url in urls:
        if url.scheme not in ("file", "stdin"):
            raise ConfigError(f"{url}: export reads recordings; record the source first: klvrelay record {url} tapes/")
    if [url.scheme for url in urls].count("stdin") > 1:
        raise ConfigError("-: standard input can be read only once")
    return list(zip(urls, distinct_names([name_candidates(url) for url in urls]), strict=True))


def target_of(out: str, flights: Sequence[tuple[Url, str]], suffix: str) -> ExportTarget:
    """Where OUT is.

    Raises ConfigError for one file for several flights, and where a recording could be replaced: if OUT is one, or the
    folder of one.
    """
    path = file_name(out, "OUT")
    is_folder = path.endswith("/") or os.path.isdir(path)
    if len(flights) > 1 and not is_folder:
        raise ConfigError(
            f"OUT {printable(path)}: {len(flights)} flights need a folder: end its name with /"
        )
    places = [url.path for url, _ in flights if url.scheme == "file"]
    if any(_is_same(place, path) for place in places):
        raise ConfigError(f"OUT {printable(path)} is one of the recordings; give another name")
    if is_folder and any(place.endswith(suffix) and _is_same(os.path.dirname(place) or ".", path) for place in places):
        raise ConfigError(f"OUT {printable(path)} holds recordings that end with {suffix}; give another folder")
    return ExportTarget(path, is_folder)


def _is_same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
