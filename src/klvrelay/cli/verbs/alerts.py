"""The verb `alerts`: lists rules and raised alerts, and tests destinations."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from klvrelay import threads
from klvrelay.alerts.alert import Alert
from klvrelay.alerts.destinations.contract import Notification, NotifyFault
from klvrelay.alerts.destinations.open import open_destination
from klvrelay.alerts.rules import EVERY, rules_of
from klvrelay.cli.standard_streams import flush_output
from klvrelay.cli.verbs.relay_http import RelayHttp
from klvrelay.config.alert_rules import RULES, AlertSubject
from klvrelay.config.alerts import AlertsSettings
from klvrelay.config.kinds import did_you_mean
from klvrelay.config.settings_file import read_settings
from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.json_output import dumps
from klvrelay.text import printable

PATH = "/api/v1/alerts"
_COLUMNS = ("RULE", "FOR", "THRESHOLD", "CLEAR", "UNIT", "HOLD", "REARM", "SEVERITY", "FROM")


async def list_rules(path: str | None, stream: str | None, *, as_json: bool) -> int:
    """Print all rules with their values, and where these come from; with `stream`, as they apply to it."""
    settings = AlertsSettings() if path is None else read_settings(path).settings.alerts
    rows = rule_rows(settings, stream)
    if as_json:
        _print(dumps({"enabled": settings.enabled, "rules": rows}).decode())
        return 0
    _print(_table(_COLUMNS, [_cells(row) for row in rows]))
    if not settings.enabled:
        _print("alerts are switched off: alerts.enabled = false")
    return 0


def rule_rows(settings: AlertsSettings, stream: str | None = None) -> list[dict[str, Any]]:
    """A row for each rule, for each [[alert]] with values for some streams or sinks only, and for each geofence."""
    if stream is not None:
        return [rule.document() | {"for": stream} for rule in rules_of(settings, "stream", stream)]
    subjects: tuple[AlertSubject, ...] = ("stream", "sink", "relay")
    active = {rule.id: rule.document() | {"for": f"every {subject}" if subject != "relay" else "relay"}
              for subject in subjects for rule in rules_of(settings, subject, EVERY)}  # fmt: skip
    off = {"threshold": None, "clear": None, "hold_s": None, "rearm_s": None, "severity": "off", "origin": ""}
    rows = []
    for values in RULES:
        missing = {"rule": values.id, "for": f"every {values.subject}", "unit": values.unit, **off}
        rows += [active.pop(values.id, missing), *_special(settings, values.id)]
    return [*rows, *active.values(), *(row for fence in settings.geofences for row in _special(settings, fence.rule))]


def _special(settings: AlertsSettings, rule: str) -> Iterable[dict[str, Any]]:
    """The values of a rule for the streams or sinks of one [[alert]]."""
    for number, entry in enumerate(settings.entries):
        patterns = entry.sink or entry.stream
        if entry.rule != rule or not patterns:
            continue
        subject: AlertSubject = "sink" if entry.sink else "stream"
        place = settings.origins[number]
        found = next((one for one in rules_of(settings, subject, patterns[0]) if one.id == rule), None)
        shown = {"for": ",".join(patterns)}
        if found is None:
            yield {"rule": rule, "unit": "", "threshold": None, "clear": None, "hold_s": None, "rearm_s": None,
                   "severity": "off", "origin": place, **shown}  # fmt: skip
        else:
            yield found.document() | shown


def _cells(row: dict[str, Any]) -> list[str]:
    sign = "<" if row.get("below") else ">"
    threshold = "-" if row["threshold"] is None else f"{sign} {row['threshold']:g}"
    clear = "-" if row["clear"] is None else f"{row['clear']:g}"
    times = ["-" if row[key] is None else f"{row[key]:g} s" for key in ("hold_s", "rearm_s")]
    return [row["rule"], printable(row["for"]), threshold, clear, row["unit"], *times, row["severity"], row["origin"]]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows))
    return "\n".join(line.rstrip() for line in lines)


async def list_raised(relay: RelayHttp, *, as_json: bool) -> int:
    """Print what a running relay has raised. Raises as `RelayHttp.ask`."""
    raised: list[Any] = await threads.run(partial(relay.ask, PATH, list), "klvrelay-alerts")
    found = [one for one in raised if isinstance(one, dict)]
    if as_json:
        _print(dumps({"raised": found}).decode())
        return 0
    if not found:
        _print("nothing is raised")
        return 0
    head = ("SEVERITY", "ABOUT", "RULE", "SINCE", "TEXT", "WHAT TO DO")
    members = ("severity", "name", "rule", "since", "text", "advice")
    _print(_table(head, [[printable(str(one.get(key, ""))) for key in members] for one in found]))
    return 0


async def test(name: str, path: str | None, *, as_json: bool) -> int:
    """Send a test alert to a destination, once. Returns 0 if it was taken, else 1."""
    destinations = read_settings(path).settings.alerts.destinations
    settings = next((one for one in destinations if one.name == name), None)
    if settings is None:
        known = [one.name for one in destinations]
        hint = did_you_mean(name, known) or (f"; known: {', '.join(known)}" if known else "; the settings have none")
        raise ConfigError(f"no [[notify]] has the name {printable(name)}{hint}")
    try:
        destination = await threads.run(partial(open_destination, settings), "klvrelay-alerts")
        result, code = await destination.send(test_notification()), 0
    except (NotifyFault, KlvrelayError) as fault:
        result, code = str(fault), 1
    if as_json:
        _print(dumps({"notify": name, "kind": settings.kind, "sent": code == 0, "result": result}).decode())
    else:
        _print(f"{name} ({settings.kind}): {'sent' if code == 0 else 'not sent'}: {printable(result)}")
    return code


def test_notification() -> Notification:
    """An alert that is marked as a test."""
    now_us = time.time_ns() // 1000
    alert = Alert(
        f"test-{now_us}", "test", "relay", "relay", "critical", 1.0, 1.0, 0.0, "", now_us, now_us,
        "this is a test alert of klvrelay", "Nothing: it was sent by `klvrelay alerts test`.",
    )  # fmt: skip
    return Notification(alert, is_test=True)


def _print(text: str) -> None:
    with flush_output():
        sys.stdout.write(f"{text}\n")


