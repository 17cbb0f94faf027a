"""The rules that apply to a stream, a sink or the relay, by the settings."""

from __future__ import annotations

from functools import lru_cache

from klvrelay.alerts.alert import Alert
from klvrelay.alerts.meanings import MEANINGS
from klvrelay.alerts.rule import AlertRule, RuleMeaning, clear_for
from klvrelay.config.alert_rules import RULES, AlertSubject, RuleValues
from klvrelay.config.alerts import AlertEntry, AlertsSettings, FenceWhen, GeofenceSettings

SHARED_MOST = 512
"""Maximum number of different rules that are kept for sharing."""
EVERY = "*"
"""In place of the name of a stream or sink: the rules of those that no entry names."""


def rules_of(settings: AlertsSettings, subject: AlertSubject, name: str) -> list[AlertRule]:
    """The active rules of a stream, a sink or the relay, with their values."""
    found = [rule for values in RULES if values.subject == subject and (rule := _rule(settings, values, name))]
    if subject == "stream":
        fences = (fence for fence in settings.geofences if fence.applies_to(name))
        found += [rule for fence in fences if (rule := _fence(settings, fence, name))]
    return found


def _rule(settings: AlertsSettings, values: RuleValues, name: str) -> AlertRule | None:
    found = settings.entry_of(values.id, values.subject, name)
    entry, origin = (AlertEntry(values.id), "default") if found is None else found
    threshold = values.threshold if entry.threshold is None else entry.threshold
    if not entry.enabled or threshold is None:
        return None
    is_default = entry.threshold is None and values.clear is not None
    clear = (values.clear if is_default else clear_for(values, threshold)) if entry.clear is None else entry.clear
    hold = max(values.hold, settings.hold) if entry.hold is None else entry.hold
    return _made(values, entry, origin, threshold, threshold if clear is None else clear, hold)


@lru_cache(SHARED_MOST)
def _made(
    values: RuleValues, entry: AlertEntry, origin: str, threshold: float, clear: float, hold: float
) -> AlertRule:
    """The same object for all streams with the same values: with many streams, this saves cache misses."""
    return AlertRule(
        values.id, values.subject, values.unit, threshold, clear, hold=hold,
        rearm=values.rearm if entry.rearm is None else entry.rearm,
        severity=entry.severity or values.severity, below=values.below, meaning=MEANINGS[values.id],
        quiet=entry.quiet, notify=entry.notify, origin=origin,
    )  # fmt: skip


def _fence(settings: AlertsSettings, fence: GeofenceSettings, name: str) -> AlertRule | None:
    """A geofence as a rule: its value is 1 while it holds."""
    found = settings.entry_of(fence.rule, "stream", name)
    entry, origin = (AlertEntry(fence.rule), f"[[geofence]] {fence.name}") if found is None else found
    if not entry.enabled:
        return None
    return AlertRule(
        fence.rule, "stream", "", 0.0, 0.0, hold=fence.hold if entry.hold is None else entry.hold,
        rearm=fence.rearm if entry.rearm is None else entry.rearm, severity=entry.severity or fence.severity,
        below=False, meaning=_meaning_of(fence.name, fence.when), quiet=fence.quiet and entry.quiet,
        notify=fence.notify if entry.notify is None else entry.notify, origin=origin,
    )  # fmt: skip


def past_rule(alert: Alert) -> AlertRule:
    """A rule in place of one that raised an alert in an earlier run, and that does not apply any longer."""
    return AlertRule(
        alert.rule, alert.subject, alert.unit, alert.threshold, alert.threshold, hold=0.0, rearm=0.0,
        severity=alert.severity, below=False, meaning=MEANINGS["no_klv"],
    )  # fmt: skip


_FENCE_ADVICE: dict[FenceWhen, str] = {
    "outside": "Inform the pilot that the platform left its area, or enlarge the area.",
    "looks_at": "The camera looks at this point: inform those who watch it, or change `radius`.",
    "altitude": "Inform the pilot of the altitudes of this area, or change them in the file.",
}


def _meaning_of(name: str, when: FenceWhen) -> RuleMeaning:
    return RuleMeaning(
        lambda sample: sample.fences.value(name),
        lambda sample, value: sample.fences.text(name),
        lambda sample, value: _FENCE_ADVICE.get(when, "Inform those responsible for the area, or change the geofence."),
        lambda sample, value: sample.fences.age(name, sample.now),
        areas=lambda sample: sample.fences.areas(name),
    )
