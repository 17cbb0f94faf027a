"""The ledger of a running relay: incidents wait in memory until its only writer thread has written them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Set
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from klvrelay.errors import KlvrelayError, describe_bug
from klvrelay.incidents import database
from klvrelay.incidents.alive import LastBeat, RunEnd
from klvrelay.incidents.earlier_run import Earlier, read_earlier
from klvrelay.incidents.figures import FigureReport, Period
from klvrelay.incidents.incident import Incident, acknowledged
from klvrelay.incidents.ledger_file import LedgerFile
from klvrelay.incidents.moment import MachineClock
from klvrelay.incidents.opening import LedgerDamaged, LedgerUnusable
from klvrelay.incidents.parts import PARTS_MOST, Part
from klvrelay.incidents.query import Query
from klvrelay.incidents.run_spans import RunSpans
from klvrelay.incidents.stored_figures import stored_report
from klvrelay.text import printable
from klvrelay.threads import Worker

LOG = logging.getLogger("klvrelay.incidents")

PENDING_MOST = 10_000
"""Maximum number of incidents that wait in memory; beyond that the oldest closed ones are discarded."""
SEEN_EVERY = 30.0
"""Seconds between two notes in the ledger that the relay runs."""
RETRY_LEAST, RETRY_MOST = 1.0, 30.0
"""Seconds until the next attempt to write after a failure: doubled at each, up to RETRY_MOST."""
READS_MOST, READ_TIMEOUT = 8, 5.0
"""Maximum number of concurrent reads, and the seconds of each."""
_UNREADABLE = (sqlite3.Error, OSError, LedgerUnusable, LedgerDamaged)
_FAULTS = (sqlite3.Error, OSError, KlvrelayError)
T = TypeVar("T")


class Ledger:
    """Keeps incidents. `save` and `discard` return at once; nothing here raises for a disk that fails, except reads.

    on_earlier  is called once, with what earlier runs left
    on_new      is called when the file was made again: all open incidents must be saved once more
    last        the end of the run before, if it is known
    """

    def __init__(
        self, path: Path | None, age: float, size: int, run: str, clock: MachineClock, last: LastBeat | None = None
    ) -> None:
        self._name = "memory" if path is None else printable(str(path))
        self._file, self._clock, self._last = LedgerFile(path, age, size, clock), clock, last
        self._run, self._spans = run, RunSpans(run, clock)
        self._worker = Worker("klvrelay-incidents")
        self._pending: dict[str, Incident] = {}
        self._parts, self._new_parts = set[Part](), set[Part]()
        self._due = asyncio.Event()
        self._is_recovered = False
        self._writing = asyncio.Lock()
        self._fault: str | None = None
        self._discarded = 0
        self._reads = 0
        self.recovered = asyncio.Event()
        self.on_earlier: Callable[[Earlier], None] = lambda _: None
        self.on_new: Callable[[], None] = lambda: None

    @property
    def fault(self) -> str | None:
        """Why it cannot be written at present; None if it can."""
        return self._fault

    @property
    def waiting(self) -> int:
        """Number of incidents that are in memory only."""
        return len(self._pending)

    def save(self, incident: Incident) -> None:
        """Add or change an incident."""
        earlier = self._pending.pop(incident.id, None)
        if earlier is not None and earlier.is_acknowledged and not incident.is_acknowledged:
            incident = with_acknowledgement(incident, earlier)
        self._pending[incident.id] = incident
        if len(self._pending) > PENDING_MOST:
            oldest = next((each.id for each in self._pending.values() if not each.is_open), next(iter(self._pending)))
            del self._pending[oldest]
            self._discarded += 1
        self._due.set()

    def note_parts(self, parts: Set[Part]) -> None:
        """The relay has these streams and sinks now: they have figures."""
        new = parts - self._parts
        if new and len(self._parts) < PARTS_MOST:
            self._parts |= new
            self._new_parts |= new
            self._due.set()

    def discard(self, incident: Incident) -> None:
        """Forget an incident that has just been saved."""
        self._pending.pop(incident.id, None)

    def check_clock(self) -> None:
        """Note whether the wall clock stepped. Call it about once a second."""
        if self._spans.note():
            self._due.set()

    async def run(self) -> None:
        """Write what is saved, until cancelled. A failure is logged once, and retried."""
        pause = RETRY_LEAST
        self._due.set()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SEEN_EVERY):
                    await self._due.wait()
            self._due.clear()
            try:
                await self._flush()
                pause = RETRY_LEAST
            except Exception as fault:  # noqa: BLE001 (a bug must not end the ledger)
                self._note_fault(fault)
                await asyncio.sleep(pause)
                pause = min(2 * pause, RETRY_MOST)
                self._due.set()

    async def close(self, how: RunEnd, timeout: float) -> None:
        """Write what is left, and how the run ended, within `timeout` seconds. Call it after the end of `run`."""
        self._spans.end(how)
        try:
            async with asyncio.timeout(timeout):
                await self._flush()
                await self._worker.run(self._file.close)
        except TimeoutError:
            LOG.error("incidents: the last incidents were not written in time: path=%s", self._name)
        except _FAULTS as fault:
            self._note_fault(fault)
        self._worker.close()

    async def _flush(self) -> None:
        """Write all that waits. Raises sqlite3.Error, OSError, KlvrelayError."""
        async with self._writing:
            if not self._is_recovered:
                await self._recover()
            await self._write()
        self._note_success()

    async def _recover(self) -> None:
        """Read what earlier runs left, before the first write."""
        work = partial(read_earlier, run=self._run, last=self._last)
        earlier = await self._worker.run(partial(self._file.use, work))
        self._is_recovered = True
        self._file.is_new = False
        self.on_earlier(earlier)
        self.recovered.set()

    async def _write(self) -> None:
        batch, parts, runs = list(self._pending.values()), set(self._new_parts), self._spans.rows()
        await self._worker.run(partial(self._file.write, batch, runs, parts))
        self._spans.note_written(runs)
        self._new_parts -= parts
        for incident in batch:
            if self._pending.get(incident.id) is incident:
                del self._pending[incident.id]
        if self._file.is_new:
            self._file.is_new = False
            self._new_parts |= self._parts
            self.on_new()
            self._due.set()

    def _note_fault(self, fault: Exception) -> None:
        text = printable(str(fault) if isinstance(fault, _FAULTS) else describe_bug(fault))
        if self._fault is None:
            LOG.error("incidents: the ledger cannot be written, incidents wait in memory: error=%r path=%s",
                      text, self._name)  # fmt: skip
        self._fault = text

    def _note_success(self) -> None:
        if self._fault is not None:
            LOG.warning("incidents: the ledger is written again: path=%s discarded=%d", self._name, self._discarded)
        self._fault, self._discarded = None, 0

    async def select(self, query: Query) -> list[Incident]:
        """The wanted incidents, the latest first; if the file cannot be read, those in memory."""
        try:
            found = await self._read(lambda connection: database.select(connection, query))
        except _UNREADABLE:
            found = []
        known = {each.id: each for each in found}
        for incident in self._pending.values():
            if query.matches(incident):
                known[incident.id] = with_acknowledgement(incident, known.get(incident.id, incident))
            else:
                known.pop(incident.id, None)
        return sorted(known.values(), key=lambda each: (-each.since_us, each.id))[: query.limit]

    async def report(self, period: Period, parts: Set[Part]) -> FigureReport:
        """The figures of a period: of these parts, and of those that its runs had. Raises KlvrelayError if it cannot
        be read.
        """
        own = self._spans.rows()

        def work(connection: sqlite3.Connection) -> FigureReport:
            return stored_report(connection, period, [*database.select_runs(connection), *own], parts)

        await self._try_to_write()
        try:
            return await self._read(work)
        except _UNREADABLE as fault:
            raise KlvrelayError(f"{self._name}: the ledger cannot be read: {fault}") from fault

    async def totals(self) -> list[tuple[str, str, int, float]]:
        """Number and seconds of the closed incidents by subject and cause; none if the file cannot be read."""
        try:
            return await self._read(database.totals)
        except _FAULTS:
            return []

    async def acknowledge(self, id: str, by: str, note: str | None) -> Incident:
        """Acknowledge an incident; while the file cannot be written, one in memory. Raises ConfigError."""
        await self._try_to_write()
        us = self._clock.wall_us()
        try:
            return await self._read(lambda connection: database.acknowledge(connection, id, by, note, us))
        except _UNREADABLE:
            waiting = [each for each in self._pending.values() if id and each.id.startswith(id)]
            found = database.only_one(id, waiting)
            found = acknowledged(found, by, us, note)
            self.save(found)
            return found

    async def _try_to_write(self) -> None:
        """What waits in memory is to be found in the file."""
        if self._pending or not self._is_recovered:
            with contextlib.suppress(*_FAULTS, TimeoutError):
                async with asyncio.timeout(READ_TIMEOUT):
                    await self._flush()

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Raises KlvrelayError if the disk does not answer, sqlite3.Error, OSError, and what `work` raises."""
        if self._reads >= READS_MOST:
            raise KlvrelayError("too many requests to the ledger at the same time: try again later")
        self._reads += 1
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                return await self._worker.run(partial(self._file.use, work))
        except TimeoutError as fault:
            raise KlvrelayError(f"{self._name}: the disk of the ledger does not answer") from fault
        finally:
            self._reads -= 1


def with_acknowledgement(incident: Incident, other: Incident) -> Incident:
    """The incident, acknowledged as `other` is."""
    if not other.is_acknowledged or incident.is_acknowledged:
        return incident
    by, us, note = other.acknowledged_by, other.acknowledged_us, other.note
    return replace(incident, acknowledged_by=by, acknowledged_us=us, note=note)
