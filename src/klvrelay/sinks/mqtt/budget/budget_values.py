"""Publishes latest values within the budget of an uplink: changes of state first, other documents late."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from klvrelay.config.mqtt import MqttSettings
from klvrelay.json_output import dumps
from klvrelay.shape.budget.classes import Urgency
from klvrelay.shape.budget.ladder import Reduction
from klvrelay.sinks.mqtt.budget.unsent import Unsent
from klvrelay.sinks.mqtt.budget.uplink import Uplink
from klvrelay.sinks.mqtt.messages import JSON
from klvrelay.sinks.mqtt.outputs.pending import Pending, answers
from klvrelay.sinks.mqtt.protocol.connection import Message, Unanswered
from klvrelay.sinks.mqtt.topics import status_topic

UPLINK = "uplink"
"""Level of the topic with the use of the budget, and its member in the status."""
SCHEMA = "klvrelay/uplink/1"
GUESS = 200
"""Bytes that a message has beyond its payload, before one was sent."""
STOPPED = {"step": 0, "name": Reduction.CONFIGURED.label, "halvings": 0, "reason": "the relay is stopped", "used": 0}
"""What the use of the budget becomes at a stop."""
STATUS_EVERY = 10.0
"""Seconds between two status that are published for a change of step, at least: a status is large."""
HEALTH_EVERY = 60.0
"""Seconds between two publications of a health whose state does not change."""
LOG = logging.getLogger("klvrelay.sinks")


class BudgetValues:
    """The latest values of one sink, and the use of its budget.

    uplink   from the first connection on
    """

    uplink: Uplink

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = settings
        self._states: dict[str, Any] = {}
        self._latest: dict[str, Message] = {}  # by topic
        self._healths: dict[str, tuple[Any, float]] = {}  # state and time of the last one, by topic
        self._has_new_step, self._status_at = False, -STATUS_EVERY

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish latest values, and answers to requests, when it is their turn. Raises Unanswered."""
        parts = [
            self.put(message, self._urgency(message)) if message.retain else self._put_answer(message)
            for message in messages
            if self._is_due(message)
        ]
        await answers(parts)
        if any(part.code.cancelled() for part in parts):
            raise Unanswered(f"{self._settings.url}: connection lost")

    def _is_due(self, message: Message) -> bool:
        """A health whose state does not change is published once in HEALTH_EVERY seconds: it is large."""
        if not message.topic.endswith("/health") or not message.payload:
            return True
        state = orjson.loads(message.payload).get("state")
        before, at = self._healths.get(message.topic, (None, 0.0))
        if state == before and _now() - at < HEALTH_EVERY:
            return False
        self._healths[message.topic] = state, _now()
        return True

    def note_step(self, document: Mapping[str, Any]) -> None:
        """Log a change of step, and let it be published, also in the status."""
        self._has_new_step = True
        LOG.info(
            "%s: budget: step changed: step=%d name=%r halvings=%d reason=%r", self._settings.url,
            document["step"], document["name"], document["halvings"], document["reason"],
        )  # fmt: skip
        self.show(document)

    @property
    def owes_status(self) -> bool:
        """Must the status be published, since it has another step?"""
        return self._has_new_step and _now() - self._status_at >= STATUS_EVERY

    def show(self, document: Mapping[str, Any]) -> None:
        """Publish the use of the budget."""
        self.put(self.message(document), Urgency.AVAILABILITY)

    def message(self, document: Mapping[str, Any]) -> Message:
        """The use of the budget."""
        data = dumps({"schema": SCHEMA, **document})
        return Message(f"{self._settings.prefix}/{UPLINK}", data, self._settings.qos, True, JSON)

    def put(self, message: Message, urgency: Urgency) -> Pending:
        """Let a message wait for its turn, in place of an earlier one on its topic."""
        self._latest[message.topic] = message
        entry = Unsent(lambda: self._if_latest(message), Pending(), len(message.payload) + GUESS)
        self.uplink.put(urgency, message.topic, entry, newest=True)
        return entry.part

    def _if_latest(self, message: Message) -> list[Message]:
        """A later one on its topic, in a more urgent class, may have been sent before it."""
        return [message] if self._latest[message.topic] is message else []

    def _put_answer(self, message: Message) -> Pending:
        entry = Unsent(lambda: [message], Pending(), len(message.payload) + GUESS)
        self.uplink.put(Urgency.ALERT, message.topic, entry, newest=False)
        return entry.part

    def _urgency(self, message: Message) -> Urgency:
        """Alerts come first. A change of state is urgent; other changes of a document are not."""
        if message.topic.endswith("/alert"):
            return Urgency.ALERT
        if message.content_type != JSON:
            return Urgency.AVAILABILITY
        state = orjson.loads(message.payload).get("state")
        before = self._states.setdefault(message.topic, state)
        self._states[message.topic] = state
        if self.owes_status and message.topic == status_topic(self._settings.prefix):
            self._has_new_step, self._status_at = False, _now()
            return Urgency.AVAILABILITY
        return Urgency.STATE if state == before else Urgency.AVAILABILITY


def _now() -> float:
    return asyncio.get_running_loop().time()
