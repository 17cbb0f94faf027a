"""Deletes the oldest files: beyond an age or a total size, and so that the disk keeps some free space.

A journal that is full is deleted like a file: on a full disk no file can be made of it.
"""

from __future__ import annotations

import heapq
import logging
import math
import os
import time
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import NamedTuple

from klvrelay.config.sinks.files import FilesSettings
from klvrelay.config.units import size_text
from klvrelay.errors import SinkDown
from klvrelay.sinks.files.disk import free_bytes
from klvrelay.sinks.files.names import JOURNAL, files_in
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.sinks")

LISTED_MOST = 1024
"""Maximum number of the oldest files that are kept in memory."""
KEPT_WHEN_FULL = 4
"""The newest files, which are kept when the disk has too little free space: others may have filled it."""


LOG_EVERY = 600.0
"""Minimum seconds between two lines of the log about a full disk."""


class FinishedFile(NamedTuple):
    """A file that may be deleted, by the time in its name."""

    time_us: int
    path: str
    size: int


class Retention:
    """The files of one sink. Called on one thread.

    count    files that may be deleted at the last listing, less those deleted since
    size     bytes of all files: those at the last listing, and what was written since
    deleted  files deleted
    in_use   paths of files that are being written
    """

    def __init__(self, settings: FilesSettings) -> None:
        self._settings = settings
        self._oldest: deque[FinishedFile] = deque()
        self.count = self.size = self.deleted = 0
        # A clock that is set does not make files old.
        self._clock_begin = time.time() - time.monotonic()
        self.in_use: Callable[[], Collection[str]] = tuple
        self._logged = -math.inf

    def list_files(self) -> None:
        """Read the folder again. Raises OSError."""
        found: list[FinishedFile] = []
        self.count = self.size = 0
        in_use = self.in_use()
        for entry, name in files_in(self._settings.path):
            with suppress(FileNotFoundError):
                size = entry.stat(follow_symlinks=False).st_size
                self.size += size
                if name.is_finished or (name.stage.endswith(JOURNAL) and entry.path not in in_use):
                    self.count += 1
                    found.append(FinishedFile(name.time_us, entry.path, size))
            if len(found) > 8 * LISTED_MOST:
                found = heapq.nsmallest(LISTED_MOST, found)
        self._oldest = deque(heapq.nsmallest(LISTED_MOST, found))

    def enforce(self) -> bool:
        """Delete what is too old, or too much with one more file. Returns whether that is enough. Raises OSError."""
        limit = self._settings.total - self._settings.segment_size
        if self.size > limit:
            self.list_files()
        while self.size > limit and self._delete_oldest():
            pass
        while self._is_old(self._next()):
            self._delete_oldest()
        return self.size <= self._settings.total

    def check_free(self) -> None:
        """Delete files until the disk has the free space that it must keep.

        Raises OSError, and SinkDown if nothing more may be deleted.
        """
        while (free := free_bytes(self._settings.path)) < self._settings.free:
            if not self.make_room():
                raise SinkDown(
                    f"{printable(self._settings.path)}: the disk has {size_text(free)} free, less than free ="
                    f" {size_text(self._settings.free)}: free space, or lower free",
                    traced=True,
                )

    def make_room(self) -> bool:
        """The disk is full: delete the oldest file, unless it is one of the newest. Returns whether one was deleted."""
        if self.count <= KEPT_WHEN_FULL:
            self.list_files()
        if self.count <= KEPT_WHEN_FULL:
            return False
        if time.monotonic() - self._logged >= LOG_EVERY:
            self._logged = time.monotonic()
            LOG.warning("disk full, deleting the oldest files: folder=%s", printable(self._settings.path))
        return self._delete_oldest()

    def _is_old(self, file: FinishedFile | None) -> bool:
        now = min(time.time(), self._clock_begin + time.monotonic())
        return file is not None and self._settings.age is not None and now - file.time_us / 1e6 > self._settings.age

    def _next(self) -> FinishedFile | None:
        if not self._oldest and self.count:
            self.list_files()
        return self._oldest[0] if self._oldest else None

    def _delete_oldest(self) -> bool:
        if (file := self._next()) is None:
            return False
        self._oldest.popleft()
        self.count -= 1
        self.size -= file.size
        with suppress(FileNotFoundError):  # deleted by others
            os.unlink(file.path)
            self.deleted += 1
        with suppress(OSError):  # not empty
            os.rmdir(os.path.dirname(file.path))
            os.rmdir(os.path.dirname(os.path.dirname(file.path)))
        return True
