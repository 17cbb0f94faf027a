"""Health of a sink: its state, outages and record counts.

    connecting   not connected so far
    up           connected, and it answers
    stalled      connected, but records are in flight and nothing is answered
    down         the connection was lost or refused, and is retried
    ended        the relay has stopped, or a reload removed the sink
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from klvrelay.backoff import Repeats
from klvrelay.gap import Item
from klvrelay.health.causes import Cause
from klvrelay.health.changes import Change, log_change
from klvrelay.health.lead_time import LeadTimes
from klvrelay.outcome import Outcome, Sums
from klvrelay.record import Record
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.health")

SinkState = Literal["connecting", "up", "stalled", "down", "ended"]

UNANSWERED = 4.5
"""Seconds without an answer, with records in flight, after which a sink is stalled."""
PATIENCE_MOST = 60.0
"""Maximum of this time: it is twice that of the last answer that came too late."""
SHED_EVERY = 60.0
"""Seconds between two reports while records are being shed."""
LASTING = 60.0
"""Seconds for which a connection must last before its next fault is logged at once: longer than the usual `timeout`,
after which a far end is left that accepts connections and answers nothing."""
SHED_QUIET = 10.0
"""Seconds without a shed record after which shedding has ended."""


@dataclass(slots=True)
class Shedding:
    """Logs when shedding of records starts, once a minute while it continues, and when it ends."""

    name: str
    clock: Callable[[], float] = time.monotonic
    _shed: int = 0
    _since: float | None = None
    _last: float = 0.0
    _reported: float = 0.0
    _before: int = 0

    def check(self, sums: Sums) -> None:
        """Log what is due. Call it a few times per second."""
        now = self.clock()
        if sums.shed > self._shed:
            self._continue(now, sums)
        elif self._since is not None and now - self._last >= SHED_QUIET:
            LOG.warning(
                "%s: records are no longer shed: shed=%d seconds=%.0f",
                self.name, self._shed - self._before, self._last - self._since,
            )  # fmt: skip
            self._since = None

    def _continue(self, now: float, sums: Sums) -> None:
        if self._since is None:
            self._since, self._before, self._reported = now, self._shed, now
            LOG.warning(
                "%s: too many records wait, the oldest are being shed: shed=%d waiting=%d",
                self.name, sums.shed - self._before, sums.waiting,
            )  # fmt: skip
        elif now - self._reported >= SHED_EVERY:
            self._reported = now
            LOG.warning(
                "%s: records are still being shed: shed=%d seconds=%.0f waiting=%d",
                self.name, sums.shed - self._before, now - self._since, sums.waiting,
            )  # fmt: skip
        self._shed, self._last = sums.shed, now


@dataclass(slots=True)
class SinkHealth:
    """The state of one sink, its outages, record counts and suspended topics. Times are monotonic seconds.

    name         its address, for messages
    key          its name in the settings
    reason       why it is in this state, and the `cause` of an outage
    lead_times   from the arrival of records to their confirmation
    fill         share of the room for waiting records that is taken: of memory, or of the spool
    withheld     records withheld because of their marking, by output
    suspended_since  microseconds since 1970 at which topics were suspended
    outputs      figures of its outputs by name
    uplink       the use of the budget; None without one
    last_answer  the last time at which it answered for records, or had none in flight
    publish      is called with each change of state
    """

    name: str
    state: SinkState = "connecting"
    ever_up: bool = False
    outages: int = 0
    sums: Sums = field(default_factory=Sums)
    clock: Callable[[], float] = time.monotonic
    suspended: Callable[[], Sequence[str]] = tuple
    fill: Callable[[], float] = float
    withheld: Callable[[], Mapping[str, int]] = dict
    suspended_since: Callable[[], Mapping[str, int]] = dict
    outputs: Callable[[], Mapping[str, Any]] = dict
    uplink: Callable[[], Mapping[str, Any] | None] = lambda: None
    key: str = ""
    publish: Callable[[Change], None] = log_change
    reason: str = ""
    cause: Cause | None = None
    since_us: int = 0
    last_answer: float = 0.0
    lead_times: LeadTimes = field(default_factory=LeadTimes)
    _shedding: Shedding = field(init=False)
    since: float = field(init=False)
    _lost: float = field(init=False)
    _patience: float = UNANSWERED
    _repeats: Repeats = field(init=False)

    def __post_init__(self) -> None:
        self._shedding = Shedding(self.name, self.clock, self.sums.shed)
        self.since = self._lost = self.last_answer = self.clock()
        self.since_us = time.time_ns() // 1000
        self._repeats = Repeats(self.clock, LASTING)

    @property
    def up(self) -> bool:
        """Is it connected?"""
        return self.state in ("up", "stalled")

    def mark_connected(self, detail: str = "") -> None:
        """The sink is connected. Logged, with the length of the outage if that was logged."""
        line, level = f"connected{detail}", logging.INFO
        if self.ever_up:
            line = f"reconnected after {self.clock() - self._lost:.1f} s{detail}"
            level = logging.INFO if self._repeats.logged else logging.DEBUG  # as the start of the outage
        self.ever_up = True
        self.last_answer, self._patience = self.clock(), UNANSWERED
        self._enter("up", f"connected{detail}", line=f"{self.name}: {line}", level=level)
        self._repeats.over()

    def mark_down(self, fault: str, cause: Cause = "broker") -> None:
        """The connection was lost or failed. Logged once per outage, and less often if it is intermittent."""
        if self.up:
            self._lost = self.clock()
            self.outages += self.state == "up"
        summary = self._repeats.add(fault)
        level = logging.DEBUG if summary is None else logging.WARNING
        line = f"{summary or fault}; retrying, records wait"
        if self.state == "down":
            self.reason, self.cause = fault, cause
            LOG.log(level, "%s", printable(line))
        else:
            since = self.since if self.state == "stalled" else None
            self._enter("down", fault, cause, since=since, line=line, level=level)

    def mark_ended(self) -> None:
        """The relay has stopped, or the sink was removed."""
        self._enter("ended", "stopped", level=logging.DEBUG)

    def note_answer(self, batch: Sequence[Item], outcome: Outcome) -> None:
        """The sink has answered for the leading records of a batch."""
        if not outcome.answered:
            return
        self.last_answer = self.clock()
        if outcome.delivered:
            self.lead_times.add(_delivered(batch, outcome), outcome.confirmed)
        if self.state == "stalled":
            took = self.last_answer - self.since
            self._patience = min(2 * took, PATIENCE_MOST)
            self._enter("up", "it answers again", line=f"{self.name}: answers again after {took:.1f} s")

    def check(self, in_flight: int) -> None:
        """Check for missing answers. Call it a few times per second. `in_flight`: number of records."""
        now = self.clock()
        if not in_flight:
            self.last_answer = now
        elif self.state == "up" and now - self.last_answer >= self._patience:
            self.outages += 1
            reason = f"no answer for {now - self.last_answer:.1f} s"
            self._enter("stalled", reason, "network", since=self.last_answer,
                        line=f"{self.name}: {reason}, records wait", level=logging.WARNING)  # fmt: skip

    def _enter(
        self, state: SinkState, reason: str, cause: Cause | None = None, *, since: float | None = None,
        line: str = "", level: int = logging.INFO,
    ) -> None:  # fmt: skip
        before, now = self.state, self.clock()
        self.state, self.reason, self.cause = state, reason, cause
        self.since = now if since is None else since
        line = line or f"{self.name}: {state}: {reason}"
        change = Change("sink", self.key or self.name, state, before, state in ("up", "ended"), reason, cause,
                        self.since, now, time.time_ns() // 1000, line, level)  # fmt: skip
        self.since_us = change.since_us
        self.publish(change)

    def set_sums(self, sums: Sums) -> None:
        """Set the record counts, and report shed records."""
        self.sums = sums
        self._shedding.check(sums)


def _delivered(batch: Sequence[Item], outcome: Outcome) -> Sequence[Record]:
    """The records of a batch that were delivered."""
    if outcome.delivered == len(batch):
        return cast(Sequence[Record], batch)  # gaps are not among the delivered
    places = range(outcome.answered) if outcome.places is None else outcome.places
    return [item for place in places if isinstance(item := batch[place], Record)]
