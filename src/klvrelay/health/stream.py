"""One stream's health: its state, each change of it said and counted once, and what it cost.

    connecting   asked for, nothing has come yet
    waiting      bytes come, no KLV in them yet
    live         KLV comes
    stale        it was there, and nothing (or no KLV) has come for `stall` seconds
    down         its source failed or ended, and is tried again
    ended        a file was read to its end, or the relay stops

Next door: `intake.py` tells it what happened; `report.py` makes a document of it.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from klvrelay.health.clocks import Clocks
from klvrelay.health.diagnosis import no_klv
from klvrelay.health.repeats import Repeats
from klvrelay.health.rhythm import Rhythm
from klvrelay.link_stats import LinkStats
from klvrelay.record import Record
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay")

State = Literal["connecting", "waiting", "live", "stale", "down", "ended"]

STALL = 5.0
"""Seconds without bytes, or without KLV, after which a stream counts as stale."""
RECENT = 1.0
"""Seconds since the last byte within which bytes count as coming."""


@dataclass(slots=True)
class StreamHealth:
    """One stream's state, counters, outages and clocks; all its times are of the monotonic clock.

    records       KLV packets decoded; of these `bad` by checksum, `damaged` on the way
    dropped       what the source had to let go because the relay was too slow
    refused       KLV packets of more PIDs than one source may have streams
    pid, program  where its KLV comes from, once that is known
    link          what the line told, over all openings of the source
    openings      times that its source was opened
    outages       times that it was live and then was not; `recovered` of them ended, `away` seconds in all
    changes       how often each state was entered
    """

    name: str
    url: str
    stall: float = STALL
    clock: Callable[[], float] = time.monotonic
    state: State = "connecting"
    reason: str = ""
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
    since: float = 0.0
    since_us: int = 0
    last_bytes: float = 0.0
    last_record: float = 0.0
    _spent: dict[State, float] = field(default_factory=dict)
    _lost: float | None = None
    _told_silence: str = ""
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
    def barren(self) -> bool:
        """Do bytes come, and no KLV came in them yet?"""
        return self.state == "waiting" and not self.records

    @property
    def online(self) -> bool:
        """Does KLV come?"""
        return self.state == "live"

    def opened(self) -> None:
        """Its source is asked for (again): silence counts from here."""
        self.openings += 1
        self.last_bytes = self.last_record = self.clock()

    def heard(self, size: int) -> None:
        """How many bytes have come by now; new ones are a sign of life."""
        if size <= self._size:
            return
        self._size = size
        self.last_bytes = self.clock()
        if self.state in ("connecting", "down"):
            self._enter("waiting", f"bytes come from {self.url}, no KLV yet")

    def decoded(self, record: Record) -> bool:
        """Count a record: KLV comes. True where it did not before."""
        now = self.last_record = self.last_bytes = self.clock()
        self.records += 1
        self.bad += record.checksum == "bad"
        self.damaged += record.transport != "ok"
        self.unfit += not record.good
        self.rhythm.beat(now)
        if record.good:
            self.clocks.add(record, now)
        if self.state == "live":
            return False
        self._back(now)
        return True

    def _back(self, now: float) -> None:
        lost, self._lost = self._lost, None
        if lost is None:
            self._enter("live", self.url)
            return
        self.away_last = now - lost
        self.away += self.away_last
        self.away_longest = max(self.away_longest, self.away_last)
        self.recovered += 1
        self._enter("live", f"back after {self.away_last:.1f} s")

    def look(self, *, beside: str | None = None) -> None:
        """A few times a second: has anything that should come stayed away too long?

        beside   where KLV comes instead, that is not wanted; "": other streams of its source have KLV, so that there
                 is none here need not be said
        """
        self.clocks.settle()
        now = self.clock()
        silent, barren = now - self.last_bytes, now - self.last_record
        stalled = {"live": barren, "waiting": silent}.get(self.state, 0.0)
        if stalled >= self.stall:
            self._enter("stale", self._missing(silent), level=logging.WARNING)
        elif self.state == "stale" and not self.records and silent < self.stall:
            self._enter("waiting", "bytes come again, no KLV yet")
        elif beside != "" and max(silent, barren) >= self.stall and not self.records:
            self._tell_silence(beside)

    def _missing(self, silent: float) -> str:
        if silent >= 0.8 * self.stall:  # the line is only looked at now and then
            return f"nothing received for {self.stall:g} s"
        if silent > RECENT:
            return f"no KLV for {self.stall:g} s, and nothing at all for {silent:.1f} s"
        return f"no KLV for {self.stall:g} s, though bytes come"

    def _tell_silence(self, beside: str | None) -> None:
        """Each cause is said once: whoever set it up is to know why nothing usable came so far."""
        if self.state == "connecting":
            cause, reason = "silent", f"nothing received yet from {self.url}: is anything sent there?"
        elif beside is not None:
            cause, reason = "unwanted", f"no KLV so far of what was asked for: {beside}"
        elif self.state == "waiting":
            found = no_klv(self.link.lane)
            cause = found.id
            reason = f"{self._size / 1e6:.1f} MB received and no KLV in it so far: {found.sentence}"
        else:
            return
        if cause != self._told_silence:
            self._told_silence, self.reason = cause, reason
            LOG.warning("%s: %s", self.name, printable(reason))

    def down(self, fault: str, *, again: bool = True) -> None:
        """The source is gone. The same fault is said once, not at each try, and seldom where it comes and goes."""
        if not again:
            self._repeats.reset()
        said = self._repeats.add(fault)
        level = logging.DEBUG if said is None else logging.WARNING
        line = f"{said or fault}{'; trying again' if again else ''}"
        if self.state != "down":
            self._enter("down", fault, said=line, level=level)
            self._quiet = said is None
        else:
            self.reason = fault
            self._quiet = self._quiet and said is None
            LOG.log(level, "%s: %s", self.name, printable(line))

    def ended(self, *, said: bool, beside: str | None = None) -> None:
        """No more will come; what is wrong with that is said unless it was before. `beside`: see `look`."""
        if not said and not self.records and beside != "":
            missing = f"no KLV was in it: {no_klv(self.link.lane).sentence}"
            why = missing if beside is None else f"no KLV came of what was asked for: {beside}"
            LOG.warning("%s: ended, and %s", self.name, printable(why))
        self._enter("ended", f"{self.records} records", level=logging.DEBUG if said else logging.INFO)

    def _enter(self, state: State, reason: str, *, said: str | None = None, level: int = logging.INFO) -> None:
        if self.state == state:
            return
        now = self.clock()
        if self.state == "live" and state != "ended":
            self.outages += 1
            self._lost = self.last_record
        self._spent[self.state] = self._spent.get(self.state, 0.0) + now - self.since
        self.state, self.reason, self.since, self.since_us = state, reason, now, time.time_ns() // 1000
        self.changes[state] += 1
        if self._quiet and state in ("waiting", "live"):  # an outage that was not logged ends without a line too
            level = logging.DEBUG
        LOG.log(level, "%s: %s", self.name, printable(said or f"{state}: {reason}"))
        if state in ("live", "stale", "ended"):
            self._quiet = False
            self._repeats.over()

    @property
    def away_so_far(self) -> float:
        """Seconds of all outages, one that is still on included."""
        return self.away + (0.0 if self._lost is None else self.clock() - self._lost)

    def spent(self) -> dict[State, float]:
        """Seconds in each state so far."""
        spent = dict(self._spent)
        spent[self.state] = spent.get(self.state, 0.0) + self.clock() - self.since
        return spent
