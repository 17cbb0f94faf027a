"""Names of the files of a sink.

{stream}/{output}/{stream}-20261122T181500.123456Z.jsonl               complete; UTC of the first record
                          ....jsonl.part                               JSON Lines or KLV that is being written
                          ....parquet.parquet.journal                  records of a file that is not made yet, and
                                                                       the name of its format
                          ....parquet.part                             is being made of a journal
                          ....parquet.torn                             cannot be completed
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from klvrelay.record import utc

PART, JOURNAL, TORN = ".part", ".journal", ".torn"
ZSTD = ".zst"

_TIME = "%Y%m%dT%H%M%S.%fZ"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(r".+-(\d{8}T\d{6}\.\d{6})Z(\.[a-z]+(?:\.zst)?)(\.[a-z-]+\.journal|\.part|\.torn)?", re.ASCII)


class FileName(NamedTuple):
    """A name that the sink gave.

    time_us   of the first record, microseconds since 1970 UTC
    suffix    ".jsonl.zst"
    stage     "": complete; ".part", ".torn", or ".FORMAT.journal"
    """

    time_us: int
    suffix: str
    stage: str

    @property
    def is_finished(self) -> bool:
        """Is nothing more done to the file?"""
        return self.stage in ("", TORN)

    @classmethod
    def of(cls, name: str) -> FileName | None:
        """Parse a name; None if the sink did not give it."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        try:
            time = datetime.strptime(found[1] + "Z", _TIME).replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls((time - _EPOCH) // timedelta(microseconds=1), found[2], found[3] or "")


def file_name(stream: str, time_us: int, suffix: str) -> str:
    """The name of a complete file."""
    return f"{stream}-{(utc(time_us) or _EPOCH).strftime(_TIME)}{suffix}"


def folder_of(topic: str, prefix: str) -> tuple[str, str]:
    """Folder of a topic below that of the sink, and the stream's part of file names.

    The levels of a topic are safe as names: see `config.names.safe_level`.
    """
    levels = topic.split("/")[prefix.count("/") + 1 :]
    return os.path.join(*levels), levels[0]


def journal_of(path: str, form: str) -> str:
    """The journal of a file."""
    return f"{path}.{form}{JOURNAL}"


def built_of(journal: str) -> tuple[str, str]:
    """The file that is made of a journal, and its format."""
    path, _, form = journal.removesuffix(JOURNAL).rpartition(".")
    return path, form


def files_in(root: str) -> Iterator[tuple[os.DirEntry[str], FileName]]:
    """All files of a sink, in no order. Raises OSError; folders that vanish meanwhile are left out."""
    for stream in _folders(root):
        for output in _folders(stream):
            with suppress(FileNotFoundError), os.scandir(output) as entries:
                for entry in entries:
                    if (name := FileName.of(entry.name)) is not None and entry.is_file(follow_symlinks=False):
                        yield entry, name


def _folders(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []
