"""The alerts over the API and in the metrics."""

from __future__ import annotations

from dataclasses import replace

import pytest
from served_relay import alerting, board_of, connected, flown, serving

from klvrelay.alerts.alert import Alert
from klvrelay.alerts.running import Alerting
from klvrelay.web.observed import Observed

PATH = "/api/v1/alerts"
ALERT = Alert(
    "5f2c9a-1", "no_klv", "stream", "uav1", "critical", 12.0, 12.0, 10.0, "s", 1, 2, "no KLV for 12 s", "look"
)  # fmt: skip


def raise_and_clear(found: Alerting, alert: Alert) -> None:
    """Pass it to the listeners, as the evaluation does: first raised, then cleared."""
    (rule,) = [rule for rule in found.alerts.rules() if rule.id == "no_klv"]
    for event in (alert, replace(alert, cleared_us=3)):
        for listener in found.alerts.listeners:
            listener(event, rule)


def lines(text: str, name: str) -> dict[str, float]:
    found = (line.rpartition(" ") for line in text.splitlines() if line.startswith(f"{name}{{"))
    return {labels.removeprefix(name): float(value) for labels, _, value in found}


async def test_alerts_that_are_raised_are_listed_and_filtered(monkeypatch: pytest.MonkeyPatch):
    """By subject, name and severity."""
    board = board_of([flown()], [connected()])
    found = alerting(board)
    monkeypatch.setattr(found.alerts, "raised", lambda: [ALERT, replace(ALERT, name="uav2", severity="warning")])
    async with serving(Observed(board, alerting=found)) as served:
        assert [each["name"] for each in await served.json(PATH)] == ["uav1", "uav2"]
        assert [each["name"] for each in await served.json(f"{PATH}?severity=warning")] == ["uav2"]
        assert [each["name"] for each in await served.json(f"{PATH}?name=uav1&subject=stream")] == ["uav1"]
        assert await served.json(f"{PATH}?subject=relay") == []
        text = await (await served.ask("/metrics")).text()
    labels = '{subject="stream",rule="no_klv",severity="%s"}'
    raised = lines(text, "klvrelay_raised_alerts")
    assert (raised[labels % "critical"], raised[labels % "warning"]) == (1, 1)


async def test_the_rules_are_those_that_apply():
    """All by default; or those of a stream."""
    async with serving(Observed(board := board_of([flown()]), alerting=alerting(board))) as served:
        every = await served.json(f"{PATH}/rules")
        of_stream = await served.json(f"{PATH}/rules?subject=stream&name=uav1")
        assert {each["subject"] for each in every} == {"stream", "sink", "relay"}
        assert {each["subject"] for each in of_stream} == {"stream"}
        assert {"no_klv", "frozen"} <= {each["rule"] for each in of_stream}
        assert (await served.ask(f"{PATH}/rules?name=uav1")).status == 400


async def test_each_alert_is_counted_once():
    """When it is raised, not when it is cleared; other rules are 0."""
    board = board_of([flown()])
    found = alerting(board)
    async with serving(Observed(board, alerting=found)) as served:
        raise_and_clear(found, ALERT)
        raise_and_clear(found, ALERT)
        counts = lines(await (await served.ask("/metrics")).text(), "klvrelay_alerts_total")
    assert counts['{subject="stream",rule="no_klv",severity="critical"}'] == 2
    assert sum(counts.values()) == 2
    assert len(counts) > 10


async def test_notifications_are_counted_by_destination():
    """Sent, failed and dropped; in the API and in the metrics."""
    board = board_of([flown()])
    found = alerting(board)
    found.notifier.counts()["script"].sent = 3
    found.notifier.counts()["script"].attempts_failed = 2
    async with serving(Observed(board, alerting=found)) as served:
        assert await served.json(f"{PATH}/destinations") == {
            "script": {"sent": 3, "failed": 0, "dropped": 0, "failed_attempts": 2}
        }
        text = await (await served.ask("/metrics")).text()
    assert lines(text, "klvrelay_notifications_total")['{destination="script",outcome="sent"}'] == 3
    assert lines(text, "klvrelay_notification_failed_attempts_total") == {'{destination="script"}': 2}


async def test_a_relay_without_alerts_has_no_such_path():
    """404, and nothing in the description."""
    async with serving(Observed(board_of())) as served:
        assert (await served.ask(PATH)).status == 404
        assert not any("alerts" in path for path in (await served.json("/api/v1/openapi.json"))["paths"])


