"""The messages that the MQTT sink publishes: for a record, for a latest value, and the status of the relay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from klvrelay.config.mqtt import MqttSettings
from klvrelay.gap import Gap
from klvrelay.json_output import dumps, rewrite_integers
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.protocol.connection import Message
from klvrelay.sinks.mqtt.topics import stream_topic, value_topic
from klvrelay.sinks.publishing.ages import Ages, json_with_age
from klvrelay.sinks.publishing.leaf import leaf_of
from klvrelay.text import printable

if TYPE_CHECKING:
    from klvrelay.gap import Item
    from klvrelay.record import Record

JSON, KLV, TEXT = "application/json", "application/smpte336m", "text/plain"
NAME_MOST = 1000
"""Maximum characters of a name in a user property."""
_OWN = ("state", "boot", "client_id", "reason", "at")


class Messages:
    """Creates messages: topics, payloads and properties according to the settings."""

    def __init__(self, settings: MqttSettings, boot: str, client_id: str) -> None:
        self._settings = settings
        self._boot = boot
        self._client_id = client_id
        self._facts: dict[str, Any] = {}
        self.ages = Ages()

    def of_item(self, item: Item, *, replayed: bool = False) -> list[Message]:
        """The messages of a record or a gap. May be empty. `replayed`: it is from the backlog of an outage."""
        if isinstance(item, Gap):
            return [self.of_gap(item)]
        messages = self.of_record(item)
        return [with_age(message, self.ages.of(item)) for message in messages] if replayed else messages

    def of_gap(self, gap: Gap) -> Message:
        """The message of a gap, for `gap`. Its `seq` is that of the first record."""
        return self._message(gap, "gap", gap.json(numbers=self._settings.numbers), JSON)

    def of_record(self, record: Record) -> list[Message]:
        """The messages of a record: its JSON for `telemetry` or `rejected`, then its bytes for `raw`. May be empty."""
        leaf = self.leaf(record)
        if leaf is None:
            return []
        messages = [self._message(record, leaf, record.json(numbers=self._settings.numbers), JSON)]
        if self._settings.raw and leaf == "telemetry":
            messages.append(self._message(record, "raw", record.raw, KLV))
        return messages

    def leaf(self, record: Record) -> str | None:
        """The last level of its topic, telemetry or rejected; None: it is not published."""
        return leaf_of(record, self._settings.publish_bad)

    def _message(self, record: Item, leaf: str, payload: bytes, content_type: str) -> Message:
        settings = self._settings
        return Message(
            stream_topic(settings.prefix, record.stream, leaf),
            payload,
            settings.qos,
            False,
            content_type,
            settings.expiry,
            (*origin(record.stream, record.boot), ("seq", str(record.seq))),
        )

    def of_notice(self, notice: Notice) -> Message:
        """The retained message of a latest value."""
        stream = notice.stream
        topic = value_topic(self._settings.prefix, stream, notice.kind)
        content_type, document = TEXT, notice.document
        if notice.kind != "availability" and document:
            content_type, document = JSON, rewrite_integers(document, self._settings.numbers)
        user = origin(stream, self._boot)
        return Message(topic, document, self._settings.qos, True, content_type, user=user)

    def add_facts(self, document: bytes) -> None:
        """Set the members, a JSON object, that the relay adds to its status."""
        facts = orjson.loads(document)
        self._facts = {key: value for key, value in facts.items() if key not in _OWN}

    def status(self, state: str, reason: str | None = None, more: Mapping[str, object] | None = None) -> Message:
        """The status of the relay: its state, run and time, and further members (`more`)."""
        document = self._head(state, reason)
        if reason != "lost":
            document["at"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            document |= {**self._facts, **(more or {})}
        return self.of_notice(Notice("status", None, dumps(document)))

    def brief_status(self, state: str, reason: str | None = None) -> Message:
        """The status without its further members, for a broker with a small packet limit."""
        return self.of_notice(Notice("status", None, dumps(self._head(state, reason))))

    def _head(self, state: str, reason: str | None) -> dict[str, object]:
        document: dict[str, object] = {"state": state, "boot": self._boot, "client_id": self._client_id}
        return document if reason is None else {**document, "reason": reason}

    def will(self) -> Message:
        """The last will, which the broker publishes after a lost connection."""
        return self.status("offline", "lost")

    def goodbye(self, online: Iterable[str], more: Mapping[str, object]) -> list[Message]:
        """The last messages of a run: `offline` for each stream that is online, and for the relay."""
        offline = [self.of_notice(Notice("availability", stream, b"offline")) for stream in sorted(online)]
        return [*offline, self.status("offline", "stopped", more)]


def with_age(message: Message, age: str) -> Message:
    """The message with the age of its record, in a user property and in its JSON: MQTT 3.1.1 has no properties."""
    user = (*message.user, ("replayed", "" if age == "null" else age))
    if message.content_type != JSON:
        return message._replace(user=user)
    return message._replace(payload=json_with_age(message.payload, age), user=user)


@lru_cache(1024)
def origin(stream: str | None, boot: str | None) -> tuple[tuple[str, str], ...]:
    """Stream and run as user properties, without control characters: they are a protocol error (MQTT 5, 1.5.4)."""
    named = (("stream", stream), ("boot", boot))
    return tuple((name, printable(value)[:NAME_MOST]) for name, value in named if value is not None)
