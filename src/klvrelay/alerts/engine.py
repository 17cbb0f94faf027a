"""Evaluates the rules once a second; raises each alert once, and clears it once."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from klvrelay.alerts.alert import Alert
from klvrelay.alerts.disks import DiskWatch
from klvrelay.alerts.downtime import Downtime
from klvrelay.alerts.fence_checks import FenceRules
from klvrelay.alerts.log_lines import log_alert
from klvrelay.alerts.relay_sample import RelaySample
from klvrelay.alerts.resuming import RESUME, Resuming
from klvrelay.alerts.rule import AlertRule
from klvrelay.alerts.rules import EVERY, rules_of
from klvrelay.alerts.sink_sample import SinkSample
from klvrelay.alerts.stream_watch import StreamWatch
from klvrelay.alerts.subjects import Watched
from klvrelay.alerts.tracking import RuleTrack, Transition
from klvrelay.config.alert_rules import AlertSubject, Severity
from klvrelay.config.alerts import AlertsSettings
from klvrelay.health.board import Board
from klvrelay.health.sink import SinkHealth
from klvrelay.health.stream import StreamHealth

LOG = logging.getLogger("klvrelay.alerts")

EVERY_S = 1.0
"""Seconds between two evaluations."""
TOGETHER = 16
"""Streams that are evaluated at once; then other tasks run."""
FAULTS_MOST = 20
"""Maximum number of different internal errors that are logged."""
COUNT_EVERY = 5
"""Evaluations between two readings of the transport counters of a stream: they cost as much as all rules. Each reads
those of a fifth of the streams.
"""

AlertListener = Callable[[Alert, AlertRule], None]
"""Is called with each alert that was raised, cleared or ended, or continues, and the rule with which it was."""


class Alerts:
    """The alerts of a relay.

    board      the health of its parts
    listeners  of alerts; a failing one hurts no other
    checked    functions that are called after each evaluation
    totals     number of alerts raised since the start, by rule and severity
    """

    def __init__(
        self, board: Board, settings: AlertsSettings, *, fences: FenceRules | None = None,
        disks: DiskWatch | None = None, downtime: Downtime | None = None, kept: Iterable[Alert] = (),
        clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """`downtime`: before this start. `kept`: what an earlier run had raised, and did not end."""
        self.settings = settings
        self.listeners: list[AlertListener] = [log_alert]
        self.checked: list[Callable[[], None]] = []
        self.totals: Counter[tuple[str, Severity]] = Counter()
        self._board, self._clock, self._wall = board, clock, wall
        self._fences: FenceRules = fences or {}
        self._disks = DiskWatch(()) if disks is None else disks
        self._numbers = itertools.count(1)
        self._turns = itertools.count()
        self._streams: dict[int, StreamWatch] = {}
        self._sinks: dict[int, Watched] = {}
        sample = RelaySample(board, self._disks, clock(), wall, downtime)
        self._earlier = Resuming(kept, self._publish, self._publish_end, clock() + settings.startup + RESUME)
        self._contain = board.contain
        self._relay = Watched("relay", "relay", sample, rules_of(settings, "relay", "relay"), board.contain)
        self._failed: set[AlertListener] = set()
        self._faults: set[str] = set()

    # ---- what others read ----

    def raised(self) -> list[Alert]:
        """The raised alerts, the oldest first."""
        found = (alert for watched in self._all() for alert in watched.present())
        return sorted(found, key=lambda alert: alert.raised_us)

    def raised_of(self, subject: AlertSubject, name: str) -> list[Alert]:
        """Those of a stream, a sink or the relay."""
        found = (watched for watched in self._all() if watched.name == name and watched.subject == subject)
        return sorted((alert for each in found for alert in each.present()), key=lambda alert: alert.raised_us)

    def rules(self, subject: AlertSubject | None = None, name: str = EVERY) -> list[AlertRule]:
        """The active rules as they apply to a stream, a sink or the relay; without arguments, all by default."""
        if not self.settings.enabled:
            return []
        subjects: Iterable[AlertSubject] = ("stream", "sink", "relay") if subject is None else (subject,)
        return [rule for one in subjects for rule in rules_of(self.settings, one, name)]

    # ---- the task ----

    async def run(self) -> None:
        """Evaluate once a second, until cancelled."""
        due = self._clock() + EVERY_S
        while True:
            await asyncio.sleep(max(0.0, due - self._clock()))
            late = self._clock() - due
            due = max(due + EVERY_S, self._clock())
            for part in self._parts(late):
                self._call(part)
                await asyncio.sleep(0)

    def check(self, late: float = 0.0) -> None:
        """Evaluate all rules once. `late`: seconds by which this check is late."""
        for part in self._parts(late):
            self._call(part)

    def _call(self, part: Callable[[], None]) -> None:
        """Run a part. A bug in it is logged once, and ends nothing else."""
        fault = self._contain(part, "alerts")
        if fault is not None and (line := str(fault)) not in self._faults and len(self._faults) < FAULTS_MOST:
            self._faults.add(line)
            LOG.error("evaluation of alerts failed: error=%r", line)

    def _parts(self, late: float) -> Iterable[Callable[[], None]]:
        if not self.settings.enabled:
            yield lambda: self._earlier.end("alerts are switched off")
            yield from self.checked
            return
        yield lambda: self._check_relay(late)
        yield self._check_sinks
        yield self._follow_streams
        watches = list(self._streams.values())
        for begin in range(0, len(watches), TOGETHER):
            part = watches[begin : begin + TOGETHER]
            yield lambda part=part: self._check_streams(part)  # type: ignore[misc]
        yield lambda: self._earlier.end_unknown(self._clock())
        yield from self.checked

    def _check_relay(self, late: float) -> None:
        self._board.refresh(next(self._turns) % COUNT_EVERY, COUNT_EVERY)
        now = self._clock()
        sample: RelaySample = self._relay.sample
        self._earlier.resume(self._relay)
        sample.take(now, late)
        if sample.is_wall_stepped:
            for stream in self._streams.values():
                stream.sample.clock.note_wall_step(now)
        self._evaluate(self._relay, now)

    def _check_sinks(self) -> None:
        now = self._clock()
        present = {id(health): health for health in self._board.sinks() if not health.name.endswith(" later")}
        for key in [key for key in self._sinks if key not in present]:
            self._drop(self._sinks.pop(key), now)
        for key, health in present.items():
            watched = self._sinks.get(key) or self._add_sink(key, health, now)
            watched.sample.take(now)
            self._settle(watched, now)

    def _add_sink(self, key: int, health: SinkHealth, now: float) -> Watched:
        sample = SinkSample(health, now)
        sample.startup = self.settings.startup
        self._sinks[key] = Watched("sink", sample.name, sample, rules_of(self.settings, "sink", sample.name),
                                   self._contain)  # fmt: skip
        self._earlier.resume(self._sinks[key])
        return self._sinks[key]

    def _follow_streams(self) -> None:
        now = self._clock()
        present = {id(health): health for health in self._board.streams()}
        for key in [key for key in self._streams if key not in present]:
            self._drop(self._streams.pop(key), now)
        for key, health in present.items():
            if key not in self._streams:
                self._streams[key] = self._add_stream(health, now)

    def _add_stream(self, health: StreamHealth, now: float) -> StreamWatch:
        watch = StreamWatch(health, now, self.settings, self._fences, self._contain, len(self._streams))
        self._earlier.resume(watch)
        return watch

    def _check_streams(self, watches: Iterable[StreamWatch]) -> None:
        now = self._clock()
        for step in (lambda watched: watched.sample.take(now), lambda watched: watched.check_record(now),
                     lambda watched: self._settle(watched, now)):  # in turn for all: this saves cache misses
            for watched in watches:
                step(watched)

    def _settle(self, watched: Watched, now: float) -> None:
        if watched.sample.ended:
            self._drop(watched, now)
        else:
            self._evaluate(watched, now)

    # ---- raise and clear ----

    def _evaluate(self, watched: Watched, now: float) -> None:
        for rule, transition, value, track in watched.check(now):
            self._change(watched, rule, transition, value, track, now)
        if watched.raised:
            self._update(watched, now)
        for rule_id in [one for one in watched.raised if not watched.is_tracked(one)]:
            self._end(watched, rule_id, "the rule is switched off")  # by a reload or a fault

    def _change(
        self, watched: Watched, rule: AlertRule, transition: Transition, value: float, track: RuleTrack, now: float
    ) -> None:
        if transition == "cleared":
            self._clear(watched, rule, value, track.worst)
            return
        now_us = round(self._wall() * 1e6)
        alert = Alert(
            f"{self._board.boot}-{next(self._numbers)}", rule.id, watched.subject, watched.name, rule.severity, value,
            track.worst, rule.threshold, rule.unit, now_us - round((now - track.since) * 1e6), now_us,
            rule.meaning.text(watched.sample, value), rule.meaning.advice(watched.sample, value),
        )  # fmt: skip
        self.totals[rule.id, rule.severity] += 1
        watched.raised[rule.id], watched.raised_by[rule.id] = alert, rule
        self._publish(alert, rule)

    def _clear(self, watched: Watched, rule: AlertRule, value: float, worst: float) -> None:
        """The value is back in its normal range."""
        alert = watched.raised.pop(rule.id, None)
        watched.raised_by.pop(rule.id, None)
        if alert is not None:
            ago = max(0.0, rule.meaning.over(watched.sample))
            cleared_us = max(alert.raised_us, round((self._wall() - ago) * 1e6))
            self._publish(replace(alert, cleared_us=cleared_us, cleared_value=value, worst=worst), rule)

    def _update(self, watched: Watched, now: float) -> None:
        """Publish the alerts of geofences that hold for another area too."""
        for rule in watched.changed_areas(now):
            alert, text = watched.raised[rule.id], rule.meaning.text(watched.sample, 1.0)
            watched.raised[rule.id] = replace(alert, text=text, updates=alert.updates + 1)
            self._publish(replace(watched.raised[rule.id], news="updated"), rule)

    def _end(self, watched: Watched, rule_id: str, reason: str) -> None:
        """The value is not measured any longer."""
        self._publish_end(*watched.release(rule_id), reason)

    def _publish_end(self, alert: Alert, rule: AlertRule, reason: str) -> None:
        self._publish(replace(alert, cleared_us=round(self._wall() * 1e6), ended=reason), rule)

    def _drop(self, watched: Watched, now: float, reason: str = "") -> None:
        """The stream or sink ended, or was removed: nothing of it is raised any longer."""
        watched.clear(now)
        if self._board.relay.state == "stopping":
            reason = "the relay stops"
        for rule_id in list(watched.raised):
            self._end(watched, rule_id, reason or f"the {watched.subject} ended, or was removed")

    def _publish(self, alert: Alert, rule: AlertRule) -> None:
        for listener in self.listeners:
            fault = self._contain(partial(listener, alert, rule), "alerts")
            if fault is not None and listener not in self._failed:
                self._failed.add(listener)
                LOG.error("a listener of alerts failed: rule=%s error=%r", alert.rule, str(fault))

    # ---- settings and end ----

    def apply(self, settings: AlertsSettings, fences: FenceRules | None = None) -> None:
        """Replace the settings. What is raised stays so if its rule still holds."""
        self.settings, self._fences = settings, fences or {}
        for watched in self._all():
            watched.set_rules(rules_of(settings, watched.subject, watched.name))
        for stream in self._streams.values():
            stream.set_fences(settings, self._fences)
        if not settings.enabled:
            self.stop("alerts are switched off")

    def set_disks(self, disks: Iterable[Any]) -> None:
        """Watch other paths."""
        self._disks.paths = tuple(disks)

    def stop(self, reason: str = "the relay stops") -> None:
        """End everything."""
        now = self._clock()
        self._disks.stop()
        self._earlier.end(reason)
        for watched in self._all():
            self._drop(watched, now, reason)

    def _all(self) -> Iterable[Watched]:
        return (self._relay, *self._sinks.values(), *self._streams.values())
