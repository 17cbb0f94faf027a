"""The files that are being written: one for each stream and output."""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from klvrelay.config.sinks.files import FilesSettings
from klvrelay.errors import SinkDown
from klvrelay.sinks.files.disk import FULL, sync_folder
from klvrelay.sinks.files.names import JOURNAL, PART, TORN, ZSTD, file_name, folder_of, journal_of
from klvrelay.sinks.files.retention import Retention
from klvrelay.sinks.files.segment import OpenSegment
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.sinks")

OPEN_MOST = 256
"""Maximum number of files that are written at a time; then the one that was longest without a record is completed."""
TIMES_MOST = 4096
"""Maximum number of folders whose last name is kept."""
FOLDER_MODE = 0o750
DIRECT = ("jsonl", "klv")
"""Formats that are written directly."""


class FileEntry(NamedTuple):
    """What is added to a file.

    topic        decides the file
    data         a line, a packet, or the frame of a journal
    received_us  arrival of the record; None: it was never live
    """

    topic: str
    data: bytes
    received_us: int | None


class FileStore:
    """All files of one sink. Called on one thread. All methods raise OSError, and SinkDown for too little free space.

    full    journals of which a file can be made, since they were taken last
    begun   files begun
    """

    def __init__(self, settings: FilesSettings, suffix: str, retention: Retention) -> None:
        self._settings, self._retention = settings, retention
        self._suffix = suffix + (ZSTD if settings.compress == "zstd" else "")
        self._is_direct = settings.file_format in DIRECT and settings.compress == "none"
        self._open: dict[str, OpenSegment] = {}  # the one with the newest record is the last
        self._last_us: dict[str, int] = {}
        self.full: list[str] = []
        self.begun = 0
        self._fault: OSError | None = None
        retention.in_use = lambda: {segment.path for segment in self._open.values()}

    def append(self, entries: Sequence[FileEntry]) -> None:
        """Write all. Afterwards they survive the end of the process; after `sync`, that of the machine."""
        self._retention.check_free()
        touched: dict[str, OpenSegment] = {}
        for entry in entries:
            segment = self._segment_for(entry)
            segment.add(entry.data)
            touched[segment.path] = segment
        for segment in touched.values():
            self._write(segment)

    def append_synced(self, entries: Sequence[FileEntry]) -> None:
        """Write all, and force it to disk."""
        self.append(entries)
        self.sync()

    def sync(self) -> None:
        """Force all that was written to disk. Raises the fault of a file that could not be completed meanwhile, too."""
        if self._fault is not None:
            raise self._fault
        for segment in self._open.values():
            segment.sync()

    def tick(self) -> None:
        """Complete files whose time is over, and delete old ones. Call it about once a second."""
        for folder, segment in list(self._open.items()):
            if self._is_over(segment):
                self._complete(folder)
        while not self._retention.enforce() and self._open:
            self._complete(next(iter(self._open)))
        with suppress(SinkDown):  # it is raised when something is to be written
            self._retention.check_free()

    def close(self) -> None:
        """Complete all files. What waits in memory is discarded: it is not confirmed."""
        for segment in self._open.values():
            segment.discard()
        for folder in list(self._open):
            with suppress(OSError):  # logged
                self._complete(folder)

    # ---- one file ----

    def _segment_for(self, entry: FileEntry) -> OpenSegment:
        folder, stream = folder_of(entry.topic, self._settings.prefix)
        segment = self._open.pop(folder, None)
        if segment is not None and self._is_full(segment):
            self._open[folder] = segment
            self._complete(folder)
            segment = None
        if segment is None:
            segment = self._begin(folder, stream, entry.received_us)
        self._open[folder] = segment
        if len(self._open) > OPEN_MOST:
            self._complete(next(iter(self._open)))
        return segment

    def _is_over(self, segment: OpenSegment) -> bool:
        return time.monotonic() - segment.begun >= self._settings.segment

    def _is_full(self, segment: OpenSegment) -> bool:
        return segment.size >= self._settings.segment_size or self._is_over(segment)

    def _begin(self, folder: str, stream: str, received_us: int | None) -> OpenSegment:
        self._retention.enforce()
        path = os.path.join(self._settings.path, folder)
        if not os.path.isdir(path):
            make_folder(path)
        wanted = time.time_ns() // 1000 if received_us is None else received_us
        final = self._free_name(path, stream, max(wanted, self._last_us.get(folder, 0) + 1), folder)
        self.begun += 1
        return OpenSegment(final + PART if self._is_direct else self._journal(final), final)

    def _free_name(self, path: str, stream: str, time_us: int, folder: str) -> str:
        while True:
            final = os.path.join(path, file_name(stream, time_us, self._suffix))
            if not any(os.path.lexists(final + stage) for stage in ("", PART, TORN)) and not os.path.lexists(
                self._journal(final)
            ):
                break
            time_us += 1
        if len(self._last_us) >= TIMES_MOST:
            self._last_us.clear()
        self._last_us[folder] = time_us
        return final

    def _journal(self, final: str) -> str:
        return journal_of(final, self._settings.file_format)

    def _write(self, segment: OpenSegment) -> None:
        while True:
            try:
                self._retention.size += segment.write()
            except OSError as fault:
                if fault.errno not in FULL or not self._retention.make_room():
                    raise
            else:
                return

    def _complete(self, folder: str) -> None:
        """Complete a file. If that fails, its name stays; the next opening of the folder completes it."""
        segment = self._open.pop(folder)
        try:
            self._write(segment)
            if segment.close():
                self._name(segment)
        except OSError as fault:
            self._fault = fault
            name = printable(os.path.basename(segment.path))
            LOG.warning("file not completed: name=%s reason=%r", name, os.strerror(fault.errno or 0))
            raise

    def _name(self, segment: OpenSegment) -> None:
        if segment.path.endswith(JOURNAL):
            self.full.append(segment.path)
            return
        rename_new(segment.path, segment.final)
        self._retention.count += 1

    def take_full(self) -> Iterator[str]:
        """Journals of which a file can be made, each once."""
        while self.full:
            yield self.full.pop()


def make_folder(path: str) -> None:
    """Create a folder and its missing parents, on disk. Raises OSError."""
    parent = os.path.dirname(path) or "."
    if not os.path.isdir(parent):
        make_folder(parent)
    with suppress(FileExistsError):
        os.mkdir(path, FOLDER_MODE)
    sync_folder(parent)


def rename_new(path: str, final: str) -> None:
    """Give a file its final name, on disk. Raises OSError, also if there is such a file."""
    if os.path.lexists(final):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    os.rename(path, final)
    sync_folder(os.path.dirname(final))
