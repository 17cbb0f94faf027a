"""One stream with its sample, its rules, and the checks of its metadata."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib import import_module

from klvrelay.alerts.fence_checks import FenceChecks, FenceRules
from klvrelay.alerts.metadata_checks import Findings, MetadataCheck, load_checks
from klvrelay.alerts.rule import AlertRule
from klvrelay.alerts.rules import rules_of
from klvrelay.alerts.stream_sample import StreamSample
from klvrelay.alerts.subjects import Watched
from klvrelay.config.alerts import AlertsSettings
from klvrelay.health.changes import Contain
from klvrelay.health.stream import StreamHealth
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.alerts")

METADATA_EVERY = 3
"""Seconds between two checked records of a stream: a check costs as much as all other rules of 20 streams."""
METADATA_RULES = frozenset(
    ("frozen", "frame_centre", "position_step", "corners", "below_ground", "time", "position_zero")
)
LINK_RULES = frozenset(("transport", "rtp_loss", "srt_loss", "kernel_drops", "scrambled", "packet_too_large"))


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
        self, health: StreamHealth, now: float, settings: AlertsSettings, fences: FenceRules, contain: Contain,
        number: int = 0,
    ) -> None:  # fmt: skip
        """`number`: spreads the checks of many streams."""
        sample = MetadataSample(health, now)
        sample.startup = settings.startup
        self._next_check = now + number % METADATA_EVERY
        self._due_rules: dict[tuple[bool, bool], list[AlertRule]] = {}
        self._due_of: list[AlertRule] | None = None
        super().__init__("stream", health.name, sample, rules_of(settings, "stream", health.name), contain)
        self.set_fences(settings, fences)

    def set_fences(self, settings: AlertsSettings, fences: FenceRules) -> None:
        """Use the geofences that apply to it. Those that are unchanged continue."""
        names = [one.name for one in settings.geofences if one.applies_to(self.name) and one.name in fences]
        rules = {name: fences[name] for name in names}
        if rules != self.sample.fences.rules:
            self.sample.fences = FenceChecks(rules, self.sample.fences)

    def _due(self) -> Sequence[AlertRule]:
        """Without the rules whose values are all 0 or unknown, unless 0 exceeds their threshold."""
        if self._tracks:
            return self.rules
        if self._due_of is not self.rules:
            self._due_of, self._due_rules = self.rules, {}
        sample = self.sample
        key = sample.findings is not None and not sample.findings.latest, sample.link.is_at_rest
        found = self._due_rules.get(key)
        if found is None:
            resting = (METADATA_RULES if key[0] else frozenset()) | (LINK_RULES if key[1] else frozenset())
            found = [rule for rule in self.rules if rule.id not in resting or rule.exceeds(0.0)]
            self._due_rules[key] = found
        return found

    def check_record(self, now: float) -> None:
        """Check the latest record. Call it after the present values were taken."""
        if self.sample.record is None:
            return
        if (fault := self._contain(lambda: self._check_record(now), self.name)) is not None:
            self.sample.findings, self.sample.fences = Findings(NoChecks()), FenceChecks({})
            LOG.error("checks of metadata disabled: stream=%s error=%r", printable(self.name), str(fault))

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


def load_metadata_checks() -> None:
    """Import the checks and what they compute with. It may take a while: not for the event loop."""
    _checks()()
    import_module("klvrelay.geo.geoid").undulation(0.0, 0.0)  # reads its grid


class NoChecks:
    """No checks: they are not installed."""

    def check(self, record: object, arrival_s: float | None = None) -> list[object]:
        return []
