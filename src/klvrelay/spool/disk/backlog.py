"""Whether a spool has something to deliver, found without changing it."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from klvrelay.errors import ConfigError
from klvrelay.spool.disk.gap_file import read_gaps
from klvrelay.spool.disk.reader import SpoolReader
from klvrelay.spool.disk.readonly import ReadOnlyFolder
from klvrelay.spool.disk.survey import slices


def has_backlog(path: Path, sinks: Collection[str]) -> bool:
    """Has the spool in this folder records or gaps for one of these sinks? False if it is not a readable spool."""
    try:
        with closing(ReadOnlyFolder(path)) as folder:
            return _has_records(SpoolReader(folder), sinks) or any(read_gaps(folder, sink) for sink in sinks)
    except (OSError, ConfigError):
        return False


def _has_records(reader: SpoolReader, sinks: Collection[str]) -> bool:
    waiting = [ranges for sink, ranges in reader.cursors.items() if sink in sinks]
    for name, _ in reader.segments if waiting else ():
        content = reader.read(name)
        if content is not None and any(slices(content.entries, ranges) for ranges in waiting):
            return True
    return False
