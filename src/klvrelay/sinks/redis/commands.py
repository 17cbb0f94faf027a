"""The Redis commands of a publication.

    record   XADD klvrelay:uav1:telemetry MAXLEN ~ 20000 * payload ... content_type ... boot ... seq ... [age ...]
    latest   MULTI, DEL klvrelay:uav1:state, HSET klvrelay:uav1:state <item> <value> ..., EXEC
    item     HSET klvrelay:uav1:items <item> <value>
"""

from __future__ import annotations

import orjson

from klvrelay.config.names import safe_level
from klvrelay.config.sinks.redis import RedisSettings
from klvrelay.shape.contents import plain
from klvrelay.sinks.publishing.publication import Publication

KEYS_MOST = 4096
"""Maximum number of keys that are kept."""
Command = tuple[bytes, ...]


class RedisCommands:
    """Makes the commands of publications for one database."""

    def __init__(self, settings: RedisSettings) -> None:
        self._max_length = b"%d" % settings.max_length
        self._keys: dict[str, bytes] = {}

    def of(self, publication: Publication) -> tuple[Command, ...]:
        """The commands that publish it."""
        if not publication.retain:
            return (self._entry(publication),)
        return _item(publication) if publication.key else _hash(publication)

    def _entry(self, publication: Publication) -> Command:
        topic, data, content_type, item, _, _, age, _ = publication
        if (key := self._keys.get(topic)) is None:
            if len(self._keys) >= KEYS_MOST:
                self._keys.clear()
            key = self._keys[topic] = key_of(topic)
        entry = (
            b"XADD", key, b"MAXLEN", b"~", self._max_length, b"*", b"payload", data,
            b"content_type", content_type.encode(), b"boot", (item.boot or "").encode(), b"seq", b"%d" % item.seq,
        )  # fmt: skip
        return (*entry, b"age", age.encode()) if age else entry


def _item(publication: Publication) -> tuple[Command, ...]:
    """The field of one item. Its key is the topic without the level of the item."""
    topic = publication.topic.removesuffix(f"/{safe_level(publication.key)}")
    return ((b"HSET", key_of(topic), publication.key.encode(), publication.data),)


def _hash(publication: Publication) -> tuple[Command, ...]:
    """All fields at once, so that no field remains of an item that the new value has not."""
    key = key_of(publication.topic)
    return (b"MULTI",), (b"DEL", key), (b"HSET", key, *_fields(publication.data)), (b"EXEC",)


def _fields(document: bytes) -> list[bytes]:
    """The members of a record and its items: texts unchanged, other values as JSON."""
    members = orjson.loads(document)
    members |= members.pop("items", {})
    return [word for name, value in members.items() for word in (name.encode(), plain(value))]


def key_of(topic: str) -> bytes:
    """klvrelay/uav1/telemetry -> klvrelay:uav1:telemetry"""
    return topic.replace("/", ":").encode()
