"""One stream with its sample, its rules, and the checks of its metadata."""

from __future__ import annotations

import logging
from collections.abc import Callable

from klvrelay.alerts.fence_checks import FenceChecks, FenceRules
from klvrelay.alerts.metadata_checks import Findings, MetadataCheck, load_checks
from klvrelay.alerts.rules import rules_of
from klvrelay.alerts.stream_sample import StreamSample
from klvrelay.alerts.subjects import Watched
from klvrelay.config.alerts import AlertsSettings
from klvrelay.errors import describe_bug
from klvrelay.health.stream import StreamHealth
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.alerts")

METADATA_EVERY = 3
"""Seconds between two checked records of a stream: a check costs as much as all other rules of 20 streams."""
METADATA_RULES = frozenset(
    ("frozen", "frame_centre", "position_step", "corners", "below_ground", "time", "position_zero")
)


class MetadataSample(StreamSample):
    """The values of a stream, and those of its latest record.

    findings  of the checks of its metadata; None without checks
    fences    its geofences
    """

    def __init__(self, health: StreamHealth, now: float) -> None:
        super().__init__(health, now)
        self.findings: Findings | None = None
        self.fences = FenceChecks({})


class StreamWatch(Watched):
    """One stream."""

    sample: MetadataSample

    def __init__(
        self, health: StreamHealth, now: float, settings: AlertsSettings, fences: FenceRules, number: int = 0
    ) -> None:
        """`number`: spreads the checks of many streams."""
        sample = MetadataSample(health, now)
        sample.startup = settings.startup
        self._next_check = now + number % METADATA_EVERY
        super().__init__("stream", health.name, sample, rules_of(settings, "stream", health.name))
        self.set_fences(settings, fences)

    def set_fences(self, settings: AlertsSettings, fences: FenceRules) -> None:
        """Use the geofences that apply to it. Those that are unchanged continue."""
        names = [one.name for one in settings.geofences if one.applies_to(self.name) and one.name in fences]
        rules = {name: fences[name] for name in names}
        if rules != self.sample.fences.rules:
            self.sample.fences = FenceChecks(rules)

    def take(self, now: float) -> None:
        """Take the present values, and check the latest record."""
        self.sample.take(now)
        if self.sample.record is None:
            return
        try:
            self._check_record(now)
        except Exception as error:  # noqa: BLE001 (a record that breaks the checks must not end the other rules)
            self.sample.findings, self.sample.fences = Findings(NoChecks()), FenceChecks({})
            LOG.error("checks of metadata disabled: stream=%s error=%r", printable(self.name), describe_bug(error))

    def _check_record(self, now: float) -> None:
        sample = self.sample
        if sample.findings is None and any(rule.id in METADATA_RULES for rule in self.rules):
            sample.findings = Findings(_checks()())
        if sample.findings is not None and now >= self._next_check:
            self._next_check = now + METADATA_EVERY - 0.5
            sample.findings.take(sample.record, sample.health.last_record, now)
        sample.fences.take(sample.record, now)


def _checks() -> Callable[[], MetadataCheck]:
    try:
        return load_checks()
    except ModuleNotFoundError:
        return NoChecks


class NoChecks:
    """No checks: they are not installed."""

    def check(self, record: object, arrival_s: float | None = None) -> list[object]:
        return []
