"""Publishes latest values within the budget of an uplink: changes of state first, other documents late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from klvrelay.config.mqtt import MqttSettings
from klvrelay.json_output import dumps
from klvrelay.shape.budget.classes import Urgency
from klvrelay.sinks.mqtt.budget.uplink import Unsent, Uplink
from klvrelay.sinks.mqtt.messages import JSON
from klvrelay.sinks.mqtt.outputs.pending import Pending, answers
from klvrelay.sinks.mqtt.protocol.connection import Message, Unanswered

UPLINK = "uplink"
"""Level of the topic with the use of the budget, and its member in the status."""
SCHEMA = "klvrelay/uplink/1"
GUESS = 200
"""Bytes that a message has beyond its payload, before one was sent."""


class BudgetValues:
    """The latest values of one sink, and the use of its budget.

    uplink   from the first connection on
    """

    uplink: Uplink

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = settings
        self._states: dict[str, Any] = {}

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish latest values, and answers to requests, when it is their turn. Raises Unanswered."""
        parts = [
            self.put(message, self._urgency(message)) if message.retain else self._put_answer(message)
            for message in messages
        ]
        await answers(parts)
        if any(part.code.cancelled() for part in parts):
            raise Unanswered(f"{self._settings.url}: connection lost")

    def show(self, document: Mapping[str, Any]) -> None:
        """Publish the use of the budget."""
        data = dumps({"schema": SCHEMA, **document})
        message = Message(f"{self._settings.prefix}/{UPLINK}", data, self._settings.qos, True, JSON)
        self.put(message, Urgency.AVAILABILITY)

    def put(self, message: Message, urgency: Urgency) -> Pending:
        """Let a message wait for its turn, in place of an earlier one on its topic."""
        entry = Unsent(lambda: [message], Pending(), len(message.payload) + GUESS)
        self.uplink.put(urgency, message.topic, entry, newest=True)
        return entry.part

    def _put_answer(self, message: Message) -> Pending:
        entry = Unsent(lambda: [message], Pending(), len(message.payload) + GUESS)
        self.uplink.put(Urgency.ALERT, message.topic, entry, newest=False)
        return entry.part

    def _urgency(self, message: Message) -> Urgency:
        """A change of state is urgent; other changes of a document are not."""
        if message.content_type != JSON:
            return Urgency.AVAILABILITY
        state = orjson.loads(message.payload).get("state")
        before = self._states.setdefault(message.topic, state)
        self._states[message.topic] = state
        return Urgency.STATE if state == before else Urgency.AVAILABILITY
