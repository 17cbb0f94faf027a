"""The classes in which latest values wait for the budget of an uplink."""

from __future__ import annotations

from typing import Any, cast

from klvrelay.config.mqtt import MqttSettings
from klvrelay.shape.budget.classes import Urgency
from klvrelay.sinks.mqtt.budget.budget_values import BudgetValues
from klvrelay.sinks.mqtt.budget.unsent import Unsent
from klvrelay.sinks.mqtt.budget.uplink import Uplink
from klvrelay.sinks.mqtt.messages import JSON
from klvrelay.sinks.mqtt.protocol.connection import Message


class _Order:
    """Sends at once, and keeps the class of each topic."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Urgency]] = []

    def put(self, urgency: Urgency, topic: str, entry: Unsent, *, newest: bool) -> None:
        self.seen.append((topic, urgency))
        entry.part.answer(0)


async def test_alerts_come_before_all_other_latest_values():
    """Each of them: at the first document and at a change. A link of the same state waits behind the records."""
    values, order = BudgetValues(MqttSettings.from_url("mqtt://broker")), _Order()
    values.uplink = cast("Uplink", cast("Any", order))
    raised = b'{"schema":"klvrelay/alert/1","raised":[{"rule":"no_klv"}]}'
    for topic, payload in (("k/uav1/alert", raised), ("k/alert", raised), ("k/uav1/link", b'{"state":"live"}')):
        for _ in range(2):
            await values.publish([Message(topic, payload, 1, True, JSON)])
    assert order.seen == [
        ("k/uav1/alert", Urgency.ALERT), ("k/uav1/alert", Urgency.ALERT),
        ("k/alert", Urgency.ALERT), ("k/alert", Urgency.ALERT),
        ("k/uav1/link", Urgency.STATE), ("k/uav1/link", Urgency.STATE),
    ]  # fmt: skip
