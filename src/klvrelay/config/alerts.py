"""Settings of alerts: [alerts], [[alert]], [[geofence]] and [[notify]]."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from klvrelay.config import kinds
from klvrelay.config.alert_rules import BY_ID, GEOFENCE, RULE_IDS, SEVERITIES, Severity
from klvrelay.config.quiet_hours import QUIET, ZONE, QuietHours
from klvrelay.config.setting import Setting, described, setting
from klvrelay.config.sinks.http import HttpSettings
from klvrelay.errors import ConfigError
from klvrelay.text import Secret

FenceSubject = Literal["platform", "frame_centre", "footprint", "target"]
FenceWhen = Literal["inside", "outside", "dwell", "looks_at", "altitude"]
SUBJECTS = ("platform", "frame_centre", "footprint", "target")
WHENS = ("inside", "outside", "dwell", "looks_at", "altitude")
COMMAND_MOST = 64
"""Maximum number of words of a command."""

_SEVERITY = kinds.one_of(*SEVERITIES)
_HOLD = kinds.duration("100ms", "1d", or_zero=True)
_VALUE = kinds.number(-1e6)


def texts(valid: str, check: Any = None, *, or_one: bool = True, least: int = 0, most: int = 1000) -> kinds.Kind:
    """An array of `least` to `most` texts, or one text if `or_one`."""

    def read(value: Any) -> tuple[str, ...]:
        found = [value] if or_one and isinstance(value, str) else value
        if not isinstance(found, list) or len(found) < least or not all(isinstance(one, str) and one for one in found):
            raise ConfigError(f"must be {valid}")
        if len(found) > most:
            raise ConfigError(f"must have at most {most} entries")
        for one in found:
            if check is not None:
                check(one)
        return tuple(found)

    array: dict[str, Any] = {"type": "array", "items": {"type": "string", "minLength": 1}}
    array |= {"minItems": least} if least else {}
    return kinds.compound(read, valid, {"anyOf": [{"type": "string"}, array]} if or_one else array)


def _check_rule(name: str) -> None:
    if name not in BY_ID and not name.startswith(f"{GEOFENCE}:"):
        hint = kinds.did_you_mean(name, RULE_IDS)
        raise ConfigError(f"unknown rule{hint or '; valid rules: ' + ', '.join(RULE_IDS)}")


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][\w-]{0,31}", name, re.ASCII):
        raise ConfigError("must be a name of at most 32 letters, digits, - and _, such as ops")


def _check_subject(name: str) -> None:
    if name not in SUBJECTS:
        raise ConfigError(f"must be one of {', '.join(SUBJECTS)}{kinds.did_you_mean(name, SUBJECTS)}")


_NAMES = texts('names of [[notify]], ["ops"]', _check_name)
_NAME = kinds.text(_check_name, "letters, digits, - and _")
_AREAS = texts('names of areas or points of the file, ["Range"]')
_PATTERNS = texts('a name or pattern, "uav*", or an array of them')


def _needed(kind: kinds.Kind, text: str, **others: Any) -> Any:
    return field(metadata=described(kind, text, **others))


@dataclass(frozen=True, slots=True)
class AlertEntry:
    """Values of one rule, for all streams and sinks or for some. None: the default."""

    rule: str = _needed(
        kinds.text(_check_rule, f"one of {', '.join(RULE_IDS)}, or {GEOFENCE}:NAME"),
        "the rule; for a stream or sink, the first entry that applies counts", example='"no_klv"',
    )  # fmt: skip
    stream: tuple[str, ...] = setting(
        (), _PATTERNS, "only streams with such names; * stands for any characters; without: all", example='"uav*"'
    )
    sink: tuple[str, ...] = setting((), _PATTERNS, "only sinks with such names", example='"mqtt"')
    enabled: bool = setting(True, kinds.FLAG, "false: the rule is off")
    threshold: float | None = setting(
        None, _VALUE, "the value beyond which the alert is pending, in the unit of the rule", note="see alerts.md",
        example="10.0",
    )  # fmt: skip
    clear: float | None = setting(
        None, _VALUE, "the value at which a raised alert is cleared: up to it, or from it on for rules with <",
        note="in the same ratio as by default", example="5.0",
    )  # fmt: skip
    hold: float | None = setting(
        None, _HOLD, "time for which the value must stay beyond the threshold: shorter blips stay silent",
        note="see alerts.md", example='"10s"',
    )  # fmt: skip
    rearm: float | None = setting(
        None, _HOLD, "time after a clear in which it is not raised again", note="1m", example='"5m"'
    )
    severity: Severity | None = setting(None, _SEVERITY, "its severity", note="see alerts.md", example='"critical"')
    quiet: bool = setting(True, kinds.FLAG, "false: destinations are notified in quiet hours too")
    notify: tuple[str, ...] | None = setting(None, _NAMES, "names of the destinations", note="all", example='["ops"]')

    def applies_to(self, subject: str, name: str) -> bool:
        """Does it apply to this stream or sink, or to the relay?"""
        patterns, others = (self.sink, self.stream) if subject == "sink" else (self.stream, self.sink)
        if subject == "relay" or (others and not patterns):
            return not patterns and not others
        return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class GeofenceSettings:
    """A rule about areas or points on the ground."""

    name: str = _needed(_NAME, "its name; the rule is geofence:NAME", example='"keep-out"')
    file: str = _needed(
        kinds.text(wanted="the name of a file"), "GeoJSON (RFC 7946) with polygons, or points for looks_at",
        example='"/etc/klvrelay/zones.geojson"',
    )  # fmt: skip
    areas: tuple[str, ...] = setting(
        (), _AREAS, "only the areas or points of the file with these names; without: all", example='["Range"]'
    )
    stream: tuple[str, ...] = setting((), _PATTERNS, "only streams with such names", example='"uav*"')
    of: tuple[str, ...] = setting(
        ("platform",),
        texts(f"one or more of {', '.join(SUBJECTS)}", _check_subject, least=1, most=4),
        "what is compared",
    )  # fmt: skip
    when: FenceWhen = setting(
        "inside", kinds.one_of(*WHENS), "inside, outside all, dwell inside, looks_at a point, or outside the altitudes"
        " of the area that it is above",
    )  # fmt: skip
    dwell: float = setting(60.0, kinds.duration("1s", "1d"), "with dwell: time inside")
    radius: float = setting(
        100.0, kinds.number(1, 100_000), "with looks_at: metres between the point and the frame centre"
    )
    margin: float = setting(10.0, kinds.number(0, 10_000), "metres beyond the border at which the alert is cleared")
    severity: Severity = setting("warning", _SEVERITY, "its severity")
    hold: float = setting(0.0, _HOLD, "time for which it must hold")
    rearm: float = setting(0.0, _HOLD, "time after a clear in which it is not raised again")
    quiet: bool = setting(True, kinds.FLAG, "false: destinations are notified in quiet hours too")
    notify: tuple[str, ...] | None = setting(None, _NAMES, "names of the destinations", note="all", example='["ops"]')

    @property
    def rule(self) -> str:
        return f"{GEOFENCE}:{self.name}"

    def applies_to(self, stream: str) -> bool:
        return not self.stream or any(fnmatchcase(stream, pattern) for pattern in self.stream)


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """One destination: a webhook, an Apprise service or a command.

    web   the web server of a webhook
    """

    name: str = _needed(_NAME, "its name", example='"ops"')
    web: HttpSettings | None = None
    apprise: Secret | None = setting(
        None, kinds.SECRET, "URL of an Apprise service; needs klvrelay[alerts]", elsewhere=True,
        example='"mailto://user:...@example.org"',
    )  # fmt: skip
    command: tuple[str, ...] = setting(
        (), texts("an array of words, the first a program", or_one=False, most=COMMAND_MOST),
        "a program and its arguments, without a shell; it gets the alert as JSON on standard input",
        example='["/usr/local/bin/page", "--now"]',
    )  # fmt: skip
    severity: Severity = setting("warning", _SEVERITY, "least severity of the alerts that it gets")
    secret: Secret | None = setting(
        None, kinds.SECRET, "with url: key of the HMAC-SHA256 in Klvrelay-Signature", elsewhere=True, example='"..."'
    )
    timeout: float = setting(10.0, kinds.number(0.1, 300), "seconds for one attempt")
    retries: int = setting(5, kinds.whole(0, 20), "attempts after the first, with growing pauses")

    @property
    def kind(self) -> str:
        return "webhook" if self.web is not None else "apprise" if self.apprise is not None else "command"


WEBHOOK = Setting(
    "url",
    kinds.text(wanted=None),
    "http:// or https:// address to which each alert is posted as JSON",
    example='"https://example.org/hook"',
    elsewhere=True,
)
"""The address of a webhook: it is read into `NotifySettings.web`."""


@dataclass(frozen=True, slots=True)
class AlertsSettings:
    """All settings of alerts.

    entries   of [[alert]], geofences of [[geofence]], destinations of [[notify]]
    origins   where these entries are, for messages
    """

    enabled: bool = setting(True, kinds.FLAG, "evaluate the rules of alerts.md, and those of [[geofence]]")
    startup: float = setting(
        30.0, _HOLD, "time after the start in which a stream or sink that was never connected is not reported"
    )
    hold: float = setting(0.0, _HOLD, "least hold of all rules that have none in [[alert]] or [[geofence]]")
    quiet: QuietHours | None = setting(
        None, QUIET, "hours in which destinations get critical alerts only", note="none", example='"22:00-06:00"'
    )
    zone: str | None = setting(
        None, ZONE, "time zone of the quiet hours (IANA)", note="that of the machine", example='"Europe/Berlin"'
    )
    entries: tuple[AlertEntry, ...] = ()
    geofences: tuple[GeofenceSettings, ...] = ()
    destinations: tuple[NotifySettings, ...] = ()
    origins: tuple[str, ...] = field(default=(), compare=False)

    def entry_of(self, rule: str, subject: str, name: str) -> tuple[AlertEntry, str] | None:
        """The entry that applies to a rule for this stream or sink, and where it is; None: the defaults."""
        for number, entry in enumerate(self.entries):
            if entry.rule == rule and entry.applies_to(subject, name):
                return entry, self.origins[number] if number < len(self.origins) else "[[alert]]"
        return None


def unknown_names(names: Sequence[str] | None, known: Sequence[str]) -> str:
    """What is wrong with names of destinations; "" if nothing."""
    for name in names or ():
        if name not in known:
            hint = kinds.did_you_mean(name, known)
            return f"no [[notify]] has the name {name}{hint}"
    return ""
