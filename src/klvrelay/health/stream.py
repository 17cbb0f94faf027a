"""Health of a stream: its state, and how often and how long it was interrupted.

    connecting   the source is opened, nothing has been received yet
    waiting      bytes are received, but no KLV yet
    live         KLV is received
    stale        nothing, or no KLV, has been received for `stall` seconds
    down         the source failed or ended, and is retried
    ended        a file was read to its end, or the relay has stopped
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from klvrelay.backoff import Repeats
from klvrelay.core import Counters
from klvrelay.health.causes import Cause
from klvrelay.health.changes import Change, log_change
from klvrelay.health.clocks import Clocks
from klvrelay.health.diagnosis import no_klv
from klvrelay.health.rhythm import Rhythm
from klvrelay.link_stats import LinkStats
from klvrelay.record import Record
from klvrelay.text import counted, printable

LOG = logging.getLogger("klvrelay.health")

State = Literal["connecting", "waiting", "live", "stale", "down", "ended"]

_DAMAGE = ("continuity_errors", "transport_errors", "sync_losses", "sync_byte_errors", "crc_errors", "scrambled")

STALL = 4.5
"""Seconds without bytes or KLV after which a stream is stale."""
SUDDEN = 2.0
"""A fault after a pause of this many usual intervals between records, and SUDDEN_LEAST seconds, ends a silence: a
time-out found it. A fault after a shorter pause began the outage."""
SUDDEN_LEAST = 0.25
TRANSPORT_SHARE = 0.05
"""Share of damaged TS packets above which the transport is the cause of a silence."""
RECENT = 1.0
"""Seconds since the last byte within which bytes count as being received."""


@dataclass(slots=True)
class StreamHealth:
    """State, counters, outages and clocks of one stream. Times are seconds of the monotonic clock.

    records       KLV packets decoded; of these `bad` by checksum, `damaged` in transit
    dropped       packets dropped by the source because the relay was too slow
    refused       KLV packets on PIDs beyond the maximum number of streams per source
    pid, program  PID and program of its KLV, once known
    link          transport counters, over all openings of the source
    openings      number of times the source was opened
    outages       number of times it stopped being live; `recovered` of them ended, `away` seconds in total
    changes       number of times each state was entered
    latest        the latest record
    expected      False: nothing is logged or published before its first record
    cause         of the present outage; None without one
    publish       is called with each change of state
    """

    name: str
    url: str
    stall: float = STALL
    clock: Callable[[], float] = time.monotonic
    publish: Callable[[Change], None] = log_change
    state: State = "connecting"
    reason: str = ""
    cause: Cause | None = None
    records: int = 0
    bad: int = 0
    damaged: int = 0
    unfit: int = 0
    dropped: int = 0
    link: LinkStats = field(default_factory=LinkStats)
    refused: int = 0
    pid: int | None = None
    program: int | None = None
    openings: int = 0
    outages: int = 0
    recovered: int = 0
    away: float = 0.0
    away_longest: float = 0.0
    away_last: float = 0.0
    changes: Counter[State] = field(default_factory=Counter)
    rhythm: Rhythm = field(default_factory=Rhythm)
    clocks: Clocks = field(init=False)
    latest: Record | None = None
    expected: bool = True
    since: float = 0.0
    since_us: int = 0
    last_bytes: float = 0.0
    last_record: float = 0.0
    _spent: dict[State, float] = field(default_factory=dict)
    _lost: float | None = None
    _good_lane: Counters = field(default_factory=Counters)
    _logged_cause: str = ""
    _size: int = 0
    _repeats: Repeats = field(init=False)
    _quiet: bool = False

    def __post_init__(self) -> None:
        self._repeats = Repeats(self.clock)
        self.clocks = Clocks(self.name)
        self.since = self.last_bytes = self.last_record = self.clock()
        self.since_us = time.time_ns() // 1000
        self.changes[self.state] += 1

    @property
    def reported(self) -> bool:
        """Is it logged and published?"""
        return self.expected or self.records > 0

    @property
    def without_klv(self) -> bool:
        """Are bytes received, but no KLV so far?"""
        return self.state == "waiting" and not self.records

    @property
    def is_pausing(self) -> bool:
        """Is it live, and is the next record late?"""
        return self.state == "live" and self.clock() - self.last_record > RECENT

    @property
    def online(self) -> bool:
        """Is KLV being received?"""
        return self.state == "live"

    def add_opening(self) -> None:
        """Count an opening of the source, and measure silence from now."""
        self.openings += 1
        self.hold()

    def hold(self) -> None:
        """The relay makes the source wait: measure silence from now."""
        self.last_bytes = self.last_record = self.clock()

    def set_size(self, size: int) -> None:
        """Set the number of bytes received. An increase shows that the source is active."""
        if size <= self._size:
            return
        self._size = size
        self.last_bytes = self.clock()
        if self.state in ("connecting", "down"):
            self._enter("waiting", f"receiving from {self.url}, no KLV yet")

    def add_record(self, record: Record) -> bool:
        """Count a record. Returns true if the stream was not live before."""
        now = self.last_record = self.last_bytes = self.clock()
        self.records += 1
        self.latest = record
        self.bad += record.checksum == "bad"
        self.damaged += record.transport != "ok"
        self.unfit += not record.good
        self.rhythm.add(now)
        if record.good:
            self.clocks.add(record, now)
        if self.state == "live":
            return False
        self._recover(now)
        return True

    def _recover(self, now: float) -> None:
        lost, self._lost = self._lost, None
        if lost is None:
            self._enter("live", self.url)
            return
        self.away_last = now - lost
        self.away += self.away_last
        self.away_longest = max(self.away_longest, self.away_last)
        self.recovered += 1
        self._enter("live", f"back after {self.away_last:.1f} s")

    def check(self, *, unselected: str | None = None) -> None:
        """Check for silence. Call it a few times per second.

        unselected   where KLV that is not selected was found; None: there is none; "": other streams of the source have
                     KLV, so missing KLV is not reported
        """
        self.clocks.settle()
        now = self.clock()
        silent, without_klv = now - self.last_bytes, now - self.last_record
        stalled = {"live": without_klv, "waiting": silent}.get(self.state, 0.0)
        if stalled >= self.stall:
            self._enter("stale", self._missing(silent), self._cause_of_silence(silent), level=logging.WARNING)
        elif self.state == "stale" and not self.records and silent < self.stall:
            self._enter("waiting", "receiving again, no KLV yet")
        elif self.reported and unselected != "" and max(silent, without_klv) >= self.stall and not self.records:
            self._log_silence(unselected)

    def note_link(self, link: LinkStats) -> None:
        """Set the transport counters."""
        self.link = link
        if self.state == "live" and self.clock() - self.last_record < RECENT:
            self._good_lane = link.lane

    def _cause_of_silence(self, silent: float) -> Cause:
        if silent > RECENT:
            return "source"
        now, before = self.link.lane, self._good_lane
        packets = now.ts_packets - before.ts_packets
        damaged = sum(getattr(now, name) - getattr(before, name) for name in _DAMAGE)
        return "transport" if packets > 0 and damaged >= TRANSPORT_SHARE * packets else "klv"

    def _missing(self, silent: float) -> str:
        if silent >= 0.8 * self.stall:  # the byte count is updated only occasionally
            return f"nothing received for {self.stall:g} s"
        if silent > RECENT:
            return f"no KLV for {self.stall:g} s, and nothing at all for {silent:.1f} s"
        return f"no KLV for {self.stall:g} s, though bytes are received"

    def _log_silence(self, unselected: str | None) -> None:
        """Log, once per cause, why there are no records so far."""
        if self.state == "connecting":
            cause, reason = "silent", f"nothing received yet from {self.url}; check that the sender is running"
        elif unselected is not None:
            cause, reason = "unwanted", f"no matching KLV so far: {unselected}"
        elif self.state == "waiting":
            found = no_klv(self.link.lane)
            cause = found.id
            reason = f"{self._size / 1e6:.1f} MB received and no KLV in it so far: {found.sentence}"
        else:
            return
        if cause != self._logged_cause:
            self._logged_cause, self.reason = cause, reason
            LOG.warning("%s: %s", self.name, printable(reason))

    def mark_down(self, fault: str, cause: Cause = "source", *, again: bool = True) -> None:
        """The source failed. The same fault is logged once, not at each retry, and less often if it is intermittent."""
        if not again:
            self._repeats.reset()
        summary = self._repeats.add(fault)
        level = logging.WARNING if summary is not None and self.reported else logging.DEBUG
        line = f"{summary or fault}{'; retrying' if again else ''}"
        if self.state != "down":
            self._enter("down", fault, cause, line=line, level=level)
            self._quiet = summary is None
        else:
            self.reason, self.cause = fault, cause
            self._quiet = self._quiet and summary is None
            LOG.log(level, "%s: %s", self.name, printable(line))

    def end(self, *, is_logged: bool, unselected: str | None = None) -> None:
        """The source has ended. Log a lack of KLV unless the reason `is_logged` already. `unselected`: see `check`."""
        if not is_logged and self.reported and not self.records and unselected != "":
            missing = f"it had no KLV: {no_klv(self.link.lane).sentence}"
            why = missing if unselected is None else f"it had no matching KLV: {unselected}"
            LOG.warning("%s: ended, and %s", self.name, printable(why))
        self._enter("ended", counted(self.records, "record"), level=logging.DEBUG if is_logged else logging.INFO)

    def _enter(
        self, state: State, reason: str, cause: Cause | None = None, *, line: str | None = None,
        level: int = logging.INFO,
    ) -> None:  # fmt: skip
        if self.state == state:
            return
        before, now, now_us = self.state, self.clock(), time.time_ns() // 1000
        began = self._begin_of_outage(now) if before == "live" and cause is not None else now
        if before == "live" and state != "ended":
            self.outages += 1
            self._lost = self.last_record
        self._spent[before] = self._spent.get(before, 0.0) + now - self.since
        self.state, self.reason, self.cause, self.since, self.since_us = state, reason, cause, now, now_us
        self.changes[state] += 1
        is_unlogged = self._quiet and state in ("waiting", "live")  # the end of an outage that was not logged
        if is_unlogged or not self.reported:
            level = logging.DEBUG
        change = Change("stream", self.name, state, before, state in ("live", "ended"), reason, cause, began, now,
                        now_us, f"{self.name}: {line or f'{state}: {reason}'}", level)  # fmt: skip
        (self.publish if self.reported else log_change)(change)
        if state in ("live", "stale", "ended"):
            self._quiet = False
            self._repeats.over()

    def _begin_of_outage(self, now: float) -> float:
        """When the outage that was found now began: the last record, unless records came until now."""
        usual = self.rhythm.usual or 0.0
        is_sudden = now - self.last_record < max(SUDDEN_LEAST, SUDDEN * usual)
        return now if is_sudden else self.last_record

    @property
    def away_so_far(self) -> float:
        """Seconds of all outages, including a current one."""
        return self.away + (0.0 if self._lost is None else self.clock() - self._lost)

    def spent(self) -> dict[State, float]:
        """Seconds spent in each state."""
        spent = dict(self._spent)
        spent[self.state] = spent.get(self.state, 0.0) + self.clock() - self.since
        return spent
