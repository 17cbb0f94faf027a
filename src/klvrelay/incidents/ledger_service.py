"""The incidents of a running relay, as the web API, metrics and topics use them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from klvrelay import threads
from klvrelay.errors import ConfigError
from klvrelay.health import StreamHealth
from klvrelay.health.board import Board
from klvrelay.health.causes import Cause
from klvrelay.health.changes import Subject
from klvrelay.health.report import utc
from klvrelay.incidents.alive import HUNG, Alive, LastBeat, RunEnd
from klvrelay.incidents.daily import DailyReport
from klvrelay.incidents.earlier_run import Earlier, message_of
from klvrelay.incidents.figures import FigureReport, Period
from klvrelay.incidents.incident import BY_MOST, NOTE_MOST, Incident
from klvrelay.incidents.ledger import Ledger
from klvrelay.incidents.losses import BoardCosts
from klvrelay.incidents.moment import MachineClock
from klvrelay.incidents.opening import NAME
from klvrelay.incidents.query import LIMIT, Query
from klvrelay.incidents.requests import answer_request
from klvrelay.incidents.tracker import Key, Tracker

LOG = logging.getLogger("klvrelay.incidents")

AGE, SIZE, MEMORY_SIZE = 365 * 86400.0, 64 << 20, 8 << 20
"""Default limits: seconds, and bytes of the file, or of the ledger in memory."""
CHECK_EVERY = 1.0
"""Seconds between two counts of what outages cost."""
SPOOL_PROVEN = 5.0
"""Seconds after the start in which a disk that still fails has been found."""
HANG = "the relay did not run: its process was stopped, or had no processor"
OPENING = 2.0
"""Maximum seconds for which the start of the relay waits for the ledger, which is continued later too."""
LAST_WRITES, LAST_BEAT = 0.12, 0.08
"""Seconds in which the last incidents must be written at the end; and further ones for how the run ended."""


@dataclass(frozen=True, slots=True)
class IncidentCounts:
    """Numbers for metrics, of this run and, for the totals, of all that the ledger has.

    open      open incidents by subject and cause
    closed    number of closed incidents by subject and cause; `seconds`: their durations together
    waiting   incidents that are in memory only, since the file cannot be written; `fault`: why
    """

    open: dict[tuple[str, str], int]
    closed: dict[tuple[str, str], int]
    seconds: dict[tuple[str, str], float]
    waiting: int
    fault: str | None

    def mttr(self, subject: str) -> float | None:
        """Mean duration of the closed incidents of a subject, seconds; None without any."""
        count = sum(number for (of, _), number in self.closed.items() if of == subject)
        return sum(value for (of, _), value in self.seconds.items() if of == subject) / count if count else None


class Incidents:
    """The ledger of a running relay. Nothing here blocks the loop or raises for a disk that fails, except reads.

    board         the health of the relay; its changes make incidents
    folder        the state directory, reserved for this relay; None: incidents are in memory only
    last          the end of the run before, from `read_alive`
    names         streams and sinks of the settings, beside those of the board
    publish_report   is called with the report of the day before, once a day and at the start
    """

    def __init__(
        self, board: Board, folder: Path | None = None, *, age: float = AGE, size: int = SIZE,
        last: LastBeat | None = None, names: Callable[[], set[Key]] = set, clock: MachineClock | None = None,
    ) -> None:  # fmt: skip
        self._clock = clock or MachineClock()
        self._board, self._names, self._last = board, names, last
        path = None if folder is None else folder / NAME
        size = min(size, MEMORY_SIZE) if path is None else size
        self.ledger = Ledger(path, age, size, board.boot, self._clock, last)
        self.tracker = Tracker(board.boot, self._clock, self.ledger, BoardCosts(board))
        self._alive = None if folder is None else Alive(folder, board.boot, self._clock)
        self._totals: list[tuple[str, str, int, float]] = []
        self._writing: asyncio.Task[None] | None = None
        self._next_check = 0.0
        self._last_beat: float | None = None
        self._records: tuple[int, float] | None = None
        self.publish_report: Callable[[dict[str, Any]], None] = lambda _: None
        self._daily = DailyReport(board.boot, self._clock.wall_us, self.figures, lambda each: self.publish_report(each))
        self._reporting: asyncio.Task[None] | None = None
        self.ledger.on_earlier = self._continue
        self.ledger.on_new = self._save_open
        board.changes.listen(self.tracker.note)
        board.stream_details.append(self._stream_details)
        board.relay_details.append(self._relay_details)

    async def begin(self) -> None:
        """Continue what earlier runs left, and write from now on. It takes OPENING seconds at most."""
        if self._last is not None and (message := message_of(self._last)) is not None:
            self.tracker.begin_relay(self._last.at, self._clock.now(), message, self._last.rate)
        self.beat()
        self._writing = asyncio.create_task(self.ledger.run(), name="incidents")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OPENING):
                await self.ledger.recovered.wait()
                self._totals = await self.ledger.totals()
        self._reporting = asyncio.create_task(self._daily.run(), name="daily report")
        self._last_beat = None  # until the relay runs

    def beat(self) -> None:
        """The relay runs. Call it every 50 ms on the loop; it returns at once."""
        now = self._clock.monotonic()
        if self._alive is not None:
            self._alive.beat()
        self._note_hang(now)
        if now >= self._next_check:
            self._next_check = now + CHECK_EVERY
            self.ledger.check_clock()
            self.ledger.note_parts(self._parts())
            self.tracker.check()
            self.tracker.retire(self._is_known)
            self._check_spool(now)
            self._measure_rate(now)

    def _note_hang(self, now: float) -> None:
        """The relay itself did not run since the last beat, if that is HUNG seconds ago."""
        last, self._last_beat = self._last_beat, now
        if last is None or now - last < HUNG or self.tracker.open_of("relay", "relay") is not None:
            return
        at = self._clock.moment(last, self._clock.wall_us() - round((now - last) * 1e6))
        self.tracker.begin_relay(at, self._clock.now(), HANG, 0.0)
        self.tracker.restore(("relay", "relay"))

    def _check_spool(self, now: float) -> None:
        """End the incident of an earlier run if the disk works: the health of this run has seen no fault."""
        if now - self._board.relay.began > SPOOL_PROVEN and self._board.spool.state == "writing":
            self.tracker.restore(("spool", "spool"))

    async def end(self, how: RunEnd) -> None:
        """The run ends: write what is left, in a fifth of a second."""
        tasks = {task for task in (self._writing, self._reporting) if task is not None}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._alive is not None:
            self._alive.close(how)
        await self.ledger.close(how, LAST_WRITES)
        if self._alive is not None and not self._alive.is_written.is_set():
            await threads.run(partial(self._alive.is_written.wait, LAST_BEAT), "klvrelay-alive-end")

    def _measure_rate(self, now: float) -> None:
        """Records per second of all streams, by which the next start estimates what was lost."""
        records = sum(health.records for health in self._board.streams())
        if self._alive is not None and self._records is not None:
            before, at = self._records
            self._alive.rate = max(0, records - before) / (now - at) if now > at else 0.0
        self._records = records, now

    def _continue(self, earlier: Earlier) -> None:
        """Continue the open incidents of earlier runs, or end them when their run ended."""
        self.tracker.adopt(earlier.others)
        at = self._clock.now() if self._last is None else self._last.at
        self.tracker.retire(self._is_known, at)
        self.tracker.continue_relay(earlier.of_relay, at)

    def _save_open(self) -> None:
        for incident in self.tracker.open():
            self.ledger.save(incident)

    def _is_known(self, key: Key) -> bool:
        """Is there such a stream or sink? Streams that are named after their PIDs appear with their KLV."""
        subject, name = key
        known = self._known()
        return key in known or (subject == "stream" and ("stream", name.rpartition(".")[0]) in known)

    def _known(self) -> set[Key]:
        streams: set[Key] = {("stream", health.name) for health in self._board.streams()}
        sinks: set[Key] = {("sink", health.key or health.name) for health in self._board.sinks()}
        return streams | sinks | self._names()

    async def list(
        self, *, stream: str | None = None, subject: Subject | None = None, since_us: int | None = None,
        cause: Cause | None = None, open: bool | None = None, limit: int = LIMIT, id: str | None = None,
        after: tuple[int, str] | None = None,
    ) -> list[Incident]:  # fmt: skip
        """Incidents, the latest first; see `Query`. Raises KlvrelayError if the disk does not answer."""
        return await self.ledger.select(Query(stream, subject, cause, since_us, None, open, limit, id, after))

    async def figures(self, period: Period) -> FigureReport:
        """The figures of a period, up to now. Raises KlvrelayError if the disk does not answer."""
        now = self._clock.wall_us()
        period = Period(min(period.start_us, now), min(period.end_us, now))
        return await self.ledger.report(period, self._parts())

    def _parts(self) -> set[Key]:
        streams: set[Key] = {("stream", health.name) for health in self._board.streams() if health.reported}
        sinks: set[Key] = {("sink", health.key or health.name) for health in self._board.sinks()}
        spool: set[Key] = {("spool", "spool")} if self._board.has_spool else set()
        return streams | sinks | spool | {("relay", "relay")}

    async def acknowledge(self, id: str, by: str, note: str | None = None) -> Incident:
        """Acknowledge the incident whose id begins with `id`, and keep a note. Raises ConfigError for an unknown or
        ambiguous id and for long texts, KlvrelayError if the disk does not answer.
        """
        check_acknowledgement(by, note)
        found = await self.ledger.acknowledge(id, by, note)
        LOG.info("incident acknowledged: id=%s by=%r note=%r", found.id, by, note or "")
        return found

    async def answer_request(self, payload: bytes) -> dict[str, Any]:
        """Apply a request of a subscriber to acknowledge an incident, and return its answer."""
        return await answer_request(payload, self.acknowledge)

    def counts(self) -> IncidentCounts:
        """Numbers for metrics."""
        closed, seconds = dict[tuple[str, str], int](), dict[tuple[str, str], float]()
        for subject, cause, number, total in self._totals:
            closed[subject, cause], seconds[subject, cause] = number, total
        for key, number in self.tracker.counts.closed.items():
            closed[key] = closed.get(key, 0) + number
            seconds[key] = seconds.get(key, 0.0) + self.tracker.counts.seconds[key]
        opened = dict[tuple[str, str], int]()
        for incident in self.tracker.open():
            key = incident.subject, incident.cause
            opened[key] = opened.get(key, 0) + 1
        return IncidentCounts(opened, closed, seconds, self.ledger.waiting, self.ledger.fault)

    def _stream_details(self, health: StreamHealth) -> dict[str, Any]:
        return {"incident": brief(self.tracker.open_of("stream", health.name))}

    def _relay_details(self) -> dict[str, Any]:
        incidents = self.tracker.open()
        return {"incidents": {"open": len(incidents), "ledger": self.ledger.fault}}


def brief(incident: Incident | None) -> dict[str, Any] | None:
    """Id and first sign of an open incident."""
    return None if incident is None else {"id": incident.id, "since": utc(incident.since_us)}


def check_acknowledgement(by: str, note: str | None) -> None:
    """Raise ConfigError for a name or a note that is too long or not printable."""
    if not by or len(by) > BY_MOST or not by.isprintable():
        raise ConfigError(f"by: must be a name of at most {BY_MOST} printable characters")
    if note is not None and (len(note) > NOTE_MOST or not note.replace("\n", "").isprintable()):
        raise ConfigError(f"note: must be a text of at most {NOTE_MOST} printable characters")
