"""Makes incidents of the changes of health. One outage is one incident, whatever states it goes through.

    change                               no incident is open          one is open
    stale, down, stalled, failing        it begins                    its cause and message become more exact
    live, up, writing, running           -                            it ends: restored
    ended                                -                            it ends: ended, unless the relay itself stops
    connecting, waiting                  -                            it continues
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from klvrelay.health.changes import Change, Subject
from klvrelay.incidents.incident import MESSAGE_MOST, End, Incident, new_id
from klvrelay.incidents.losses import Cost, Costs, Measure
from klvrelay.incidents.moment import MachineClock, Moment

OUTAGES = frozenset(("stale", "down", "stalled", "failing", "hung"))
"""States that are outages."""
SETTLING = 2.0
"""Seconds after the end of an outage in which counters still add what it cost."""
KNOWN_MOST = 10_000
"""Maximum number of streams and sinks of which the last good moment is known, and of outages that have just ended."""

Key = tuple[Subject, str]
_RELAY: Key = ("relay", "relay")


@dataclass(slots=True)
class _Open:
    incident: Incident
    measure: Measure


@dataclass(slots=True)
class ClosedCounts:
    """Incidents that this run has seen end, by subject and cause: their number and their seconds."""

    closed: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: dict[tuple[str, str], float] = field(default_factory=dict)

    def add(self, incident: Incident) -> None:
        key = incident.subject, incident.cause
        self.closed[key] += 1
        self.seconds[key] = self.seconds.get(key, 0.0) + (incident.duration or 0.0)


class IncidentStore(Protocol):
    """Keeps incidents. Its methods return at once."""

    def save(self, incident: Incident) -> None:
        """Add or change an incident."""

    def discard(self, incident: Incident) -> None:
        """Forget an incident that has just been added."""


class Tracker:
    """The open incidents.

    run     the id of this run
    store   where each incident goes that begins or changes
    """

    def __init__(self, run: str, clock: MachineClock, store: IncidentStore, costs: Costs) -> None:
        self._run, self._clock, self._store, self._costs = run, clock, store, costs
        self._save = store.save
        self._open: dict[Key, _Open] = {}
        self._settling: deque[tuple[float, _Open, float]] = deque(maxlen=KNOWN_MOST)
        self._good: dict[Key, Moment] = {}
        self._is_stopping = False
        self.counts = ClosedCounts()

    def open(self) -> list[Incident]:
        """The open incidents."""
        return [each.incident for each in self._open.values()]

    def open_of(self, subject: Subject, name: str) -> Incident | None:
        """The open incident of a stream or sink."""
        found = self._open.get((subject, name))
        return None if found is None else found.incident

    def note(self, change: Change) -> None:
        """A state has changed."""
        key = change.subject, change.name
        if change.subject == "relay" and change.state == "stopping":
            self._is_stopping = True
        elif change.state in OUTAGES:
            self._begin_or_continue(key, change)
        elif change.state == "ended":
            self._note_end(key, change)
        elif change.ok:
            self._note_good(key, change)

    def _begin_or_continue(self, key: Key, change: Change) -> None:
        self._good.pop(key, None)
        earlier = self._open.get(key)
        cause, message = change.cause or "relay", change.reason[:MESSAGE_MOST]
        if earlier is None:
            self._begin(key, change)
        elif (earlier.incident.cause, earlier.incident.message) != (cause, message):
            earlier.incident = replace(earlier.incident, cause=cause, message=message)
            self._save(earlier.incident)

    def _begin(self, key: Key, change: Change) -> None:
        since = self._clock.moment(change.since, change.since_us)
        incident = Incident(
            new_id(), change.subject, change.name, change.cause or "relay", since.us, change.at_us,
            max(0.0, change.at - change.since), change.reason[:MESSAGE_MOST], self._run, since.boottime, since.boot_id,
        )  # fmt: skip
        self._open[key] = _Open(incident, self._costs.begin(change))
        self._save(incident)

    def _note_good(self, key: Key, change: Change) -> None:
        now = self._clock.moment(change.at, change.at_us)
        if len(self._good) < KNOWN_MOST:
            self._good[key] = now
        self._close(key, now, "restored")

    def _note_end(self, key: Key, change: Change) -> None:
        self._good.pop(key, None)
        if not self._is_stopping:
            self._close(key, self._clock.moment(change.at, change.at_us), "ended")

    def _close(self, key: Key, at: Moment, end: End) -> None:
        found = self._open.pop(key, None)
        if found is not None:
            self._finish(found, at, end)

    def _finish(self, found: _Open, at: Moment, end: End) -> None:
        began = Moment(found.incident.since_us, found.incident.began, found.incident.boot_id)
        seconds = at.seconds_since(began)
        found.incident = replace(found.incident, restored_us=at.us, duration=seconds, end=end)
        self._set_cost(found, found.measure(seconds))
        self.counts.add(found.incident)
        self._settling.append((self._clock.monotonic() + SETTLING, found, seconds))

    def _set_cost(self, found: _Open, cost: Cost) -> None:
        incident = found.incident
        found.incident = replace(
            incident, lost=cost.lost, estimated=cost.estimated, delayed=max(cost.delayed or 0, incident.delayed or 0)
            if cost.delayed is not None else incident.delayed,
        )  # fmt: skip
        self._save(found.incident)

    def check(self) -> None:
        """Count once more what the outages cost that ended a short time ago. Call it about once a second."""
        now = self._clock.monotonic()
        while self._settling and self._settling[0][0] <= now:
            _, found, seconds = self._settling.popleft()
            cost = found.measure(seconds)
            if (cost.lost, cost.estimated) != (found.incident.lost, found.incident.estimated):
                self._set_cost(found, replace(cost, delayed=found.incident.delayed))

    def adopt(self, incidents: Iterable[Incident]) -> None:
        """Continue open incidents of an earlier run. What is good already has ended them when it became so."""
        for incident in incidents:
            key = incident.subject, incident.name
            later = self._open.pop(key, None)
            measure = later.measure if later is not None else _unknown(incident)
            self._open[key] = _Open(incident, measure)
            if later is not None:  # the same outage, which this run has found too
                self._store.discard(later.incident)
            if (good := self._good.get(key)) is not None:
                self._close(key, good, "restored")

    def retire(self, kept: Callable[[Key], bool], at: Moment | None = None) -> None:
        """End the incidents of streams and sinks that there are no longer: `at` this moment, or now."""
        for key in [key for key in self._open if key[0] in ("stream", "sink") and not kept(key)]:
            self._close(key, at or self._clock.now(), "ended")

    def begin_relay(self, at: Moment, detected: Moment, message: str, rate: float) -> None:
        """The relay did not run from `at` on. The incident ends when it runs."""
        seconds = detected.seconds_since(at)
        incident = Incident(new_id(), "relay", "relay", "relay", at.us, detected.us, seconds, message[:MESSAGE_MOST],
                            self._run, at.boottime, at.boot_id)  # fmt: skip

        def measure(seconds: float) -> Cost:
            return Cost(round(rate * seconds), estimated=True) if rate > 0 else Cost()

        self._open[_RELAY] = _Open(incident, measure)
        self._save(incident)


    def continue_relay(self, incidents: Sequence[Incident], at: Moment) -> None:
        """Continue an incident of the relay itself, the first of these, if the relay has not run since.

        Without such an incident now, the earlier run ended in order before it was ready: its incidents end `at` then.
        """
        later = self._open.get(_RELAY)
        for incident in incidents[1 if later is not None else 0 :]:
            self._finish(_Open(incident, _unknown(incident)), at, "ended")
        if later is not None and incidents:
            self._store.discard(later.incident)
            self._open[_RELAY] = _Open(incidents[0], later.measure)

    def restore(self, key: Key) -> None:
        """End an incident whose part is good again, though no change said so: its run has not seen it fail."""
        self._close(key, self._clock.now(), "restored")


def _unknown(incident: Incident) -> Measure:
    """The counters before it began were those of an earlier run."""
    cost = Cost(incident.lost, incident.estimated, incident.delayed)
    return lambda _: cost
