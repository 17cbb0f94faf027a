"""A folder of files as a far end.

One thread writes, another makes files of journals; the event loop never waits for the disk. A record counts as
delivered when its bytes are forced to disk. That is done at an interval for all records since the last time, or at once
if many wait.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from klvrelay.backoff import Repeats
from klvrelay.config.sinks.files import FilesSettings
from klvrelay.errors import ConfigError, SinkDown, describe_bug
from klvrelay.exports.formats import format_named
from klvrelay.shape.encoding.content_types import CONTENT_TYPES
from klvrelay.sinks.files.build import build, set_aside
from klvrelay.sinks.files.disk import open_fault, write_fault
from klvrelay.sinks.files.journal import frame_of
from klvrelay.sinks.files.lock import FolderLock
from klvrelay.sinks.files.recovery import recover
from klvrelay.sinks.files.retention import Retention
from klvrelay.sinks.files.store import DIRECT, FileEntry, FileStore, make_folder
from klvrelay.sinks.publishing.publication import Publication
from klvrelay.sinks.results import DELIVERED, UNWANTED
from klvrelay.text import counted, printable
from klvrelay.threads import Worker

LOG = logging.getLogger("klvrelay.sinks")
T = TypeVar("T")

MANY = 100
"""Records for which files are forced to disk at once: then the time it takes is spread over many."""
TICK = 1.0
"""Seconds between two checks for files whose time is over."""
RETRY = 60.0
"""Seconds after which a file is made again of a journal, if it could not be written."""
CLOSE, LAST_FILES = 1.5, 30.0
"""Seconds in which the files must be closed, and made of journals."""


class FilesFarEnd:
    """One folder. Its contract is `FarEnd`."""

    def __init__(self, settings: FilesSettings) -> None:
        self._settings = settings
        self.url, self.detail = settings.url, ""
        self._content_type = CONTENT_TYPES[settings.output_format]
        self._writer: Worker | None = None
        self._builder = Worker("klvrelay-build")
        self._store: FileStore | None = None
        self._lock: FolderLock | None = None
        self._device: int | None = None
        self._synced = 0.0
        self._building: set[asyncio.Future[None]] = set()
        self._failed: dict[str, float] = {}  # journals of which no file could be written, and when
        self._has_lost = False
        self._faults = Repeats()

    async def open(self) -> None:
        """Create the folder, lock it, and complete what an earlier run left. Raises SinkDown or SinkRefused."""
        self._writer, self._builder = Worker("klvrelay-files"), Worker("klvrelay-build")
        self._has_lost = False
        try:
            journals = await self._on_writer(self._open_folder)
        except OSError as fault:
            raise open_fault(self.url, fault) from fault
        self._make_files(journals)

    def _open_folder(self) -> list[str]:
        """On the thread: open the folder, and return the journals that are there."""
        settings = self._settings
        if not os.path.isdir(settings.path):
            make_folder(os.path.abspath(settings.path))
        device = os.stat(settings.path).st_dev
        if self._device not in (None, device):
            raise SinkDown(f"{printable(self.url)}: another file system is mounted there: mount the one of before")
        self._device = device
        self._lock = FolderLock(settings.path)
        retention = Retention(settings)
        journals = recover(settings.path)
        retention.list_files()
        retention.enforce()
        retention.check_free()
        self._store = FileStore(settings, format_named(settings.file_format).suffix, retention)
        self.detail = ", " + counted(retention.count, "file")
        return journals

    async def send(self, publications: Sequence[Publication]) -> Sequence[int]:
        """Write, and return once all is forced to disk. Raises SinkDown."""
        entries = [self._entry(one) for one in publications]
        wanted = [entry for entry in entries if entry is not None]
        if wanted:
            store = self._opened()
            try:
                await self._write(store, wanted)
            except OSError as fault:
                raise write_fault(self.url, fault) from fault
            self._synced = asyncio.get_running_loop().time()
            self._make_files(store.take_full())
        return [UNWANTED if entry is None else DELIVERED for entry in entries]

    def _entry(self, publication: Publication) -> FileEntry | None:
        """None if the file cannot hold it: gaps and damaged records are JSON."""
        if publication.content_type != self._content_type:
            return None
        record, data = publication.record, publication.data
        if self._settings.file_format == "jsonl":
            data += b"\n"
        elif self._settings.file_format not in DIRECT and record is not None:
            data = frame_of(record)
        return FileEntry(publication.topic, data, None if record is None else record.received_us)

    async def _write(self, store: FileStore, entries: Sequence[FileEntry]) -> None:
        """Write, and force to disk at once if many wait, else when it is due."""
        pause = self._synced + self._settings.sync - asyncio.get_running_loop().time()
        if pause <= 0 or len(entries) >= MANY:
            return await self._on_writer(partial(store.append_synced, entries))
        await self._on_writer(partial(store.append, entries))
        await asyncio.sleep(pause)
        await self._on_writer(store.sync)

    async def lost(self) -> SinkDown:
        """Complete files whose time is over, and delete old ones, until that fails."""
        store = self._opened()
        while True:
            await asyncio.sleep(TICK)
            try:
                await self._on_writer(partial(self._tick, store))
            except OSError as fault:
                return write_fault(self.url, fault)
            except SinkDown as fault:
                return fault
            self._make_files(store.take_full())
            self._retry()

    def _tick(self, store: FileStore) -> None:
        """On the thread."""
        if self._lock is not None:
            self._lock.check()
        store.tick()

    async def close(self) -> None:
        """Complete all files. Files that are not made of journals within LAST_FILES are made at the next start."""
        writer, self._writer = self._writer, None
        store, self._store = self._store, None
        lock, self._lock = self._lock, None
        builder = self._builder
        if writer is None:
            return
        is_done = store is None
        try:
            if store is not None:
                is_done = await self._complete(writer, store)
        finally:
            if is_done and lock is not None:
                lock.release()
                lock = None
            # After the last job of both threads.
            writer.close(partial(builder.close, None if lock is None else lock.release))

    async def _complete(self, writer: Worker, store: FileStore) -> bool:
        """Complete all files. Returns whether neither thread has anything left to do."""
        try:
            async with asyncio.timeout(CLOSE):
                await writer.run(store.close)
        except TimeoutError:
            LOG.warning("%s: files not completed in %g s; the next start completes them", printable(self.url), CLOSE)
            return False
        self._make_files(store.take_full())
        if not self._building or self._has_lost:
            return not self._building
        await asyncio.wait(self._building, timeout=LAST_FILES)
        if self._building:
            LOG.info("%s: files that the next start completes: files=%d", printable(self.url), len(self._building))
        return not self._building

    # ---- the threads ----

    def _opened(self) -> FileStore:
        if self._store is None:
            raise SinkDown(f"{printable(self.url)}: not open")
        return self._store

    async def _on_writer(self, job: Callable[[], T]) -> T:
        """The result of a job on the thread that writes. Raises OSError, and SinkDown if the disk does not answer."""
        if self._writer is None:
            raise SinkDown(f"{printable(self.url)}: not open")
        limit = self._settings.timeout
        try:
            async with asyncio.timeout(limit):
                return await self._writer.run(job)
        except TimeoutError:
            self._has_lost = True
            text = f"{printable(self.url)}: the disk does not answer within {limit:g} s: check the disk"
            raise SinkDown(text, traced=True) from None
        except (OSError, SinkDown):
            self._has_lost = True
            raise

    def _make_files(self, journals: Iterable[str]) -> None:
        """Have files made of journals, one after another."""
        for journal in journals:
            job = self._builder.run(partial(build, journal, self._settings.numbers))
            self._building.add(job)
            job.add_done_callback(partial(self._end_build, journal))

    def _end_build(self, journal: str, job: asyncio.Future[None]) -> None:
        self._building.discard(job)
        fault = None if job.cancelled() else job.exception()
        if isinstance(fault, FileNotFoundError):
            return  # deleted meanwhile
        if isinstance(fault, OSError | ConfigError):
            self._failed[journal] = asyncio.get_running_loop().time()
            reason = str(fault) if isinstance(fault, ConfigError) else os.strerror(fault.errno or 0)
            if (line := self._faults.add(reason)) is not None:
                LOG.warning("%s: files not made of journals, tried again later: %s", printable(self.url), line)
        elif fault is not None:
            name = printable(os.path.basename(journal))
            LOG.error("file not made: journal=%s reason=%r", name, describe_bug(fault), exc_info=fault)
            self._builder.run(partial(set_aside, journal)).add_done_callback(lambda done: done.exception())

    def _retry(self) -> None:
        """Make files again of journals that failed some time ago."""
        now = asyncio.get_running_loop().time()
        due = [journal for journal, then in self._failed.items() if now - then >= RETRY]
        for journal in due:
            del self._failed[journal]
        self._make_files(due)
