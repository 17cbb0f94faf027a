"""The Redis commands of a publication.

    record   XADD klvrelay:uav1:telemetry MAXLEN ~ 20000 * payload ... content_type ... boot ... seq ... [age ...]
    latest   MULTI, DEL klvrelay:uav1:state, HSET klvrelay:uav1:state <item> <value> ..., EXEC
    item     HSET klvrelay:uav1:items <item> <value>
"""

from __future__ import annotations

from typing import NamedTuple

import orjson

from klvrelay.config.names import safe_level
from klvrelay.config.sinks.redis import RedisSettings
from klvrelay.shape.contents import plain
from klvrelay.sinks.publishing.publication import Publication
from klvrelay.sinks.redis.resp import argument, command

HEADS_MOST = 4096
"""Maximum number of beginnings of commands that are kept."""


class Commands(NamedTuple):
    """Commands as bytes, and the number of their replies."""

    data: bytes
    replies: int


class RedisCommands:
    """Makes the commands of publications for one database."""

    def __init__(self, settings: RedisSettings) -> None:
        self._max_length = b"%d" % settings.max_length
        self._heads: dict[tuple[str, str, bool], tuple[bytes, bytes]] = {}

    def of(self, publication: Publication) -> Commands:
        """The commands that publish it."""
        if not publication.retain:
            return Commands(self._entry(publication), 1)
        return _item(publication) if publication.key else _hash(publication)

    def _entry(self, publication: Publication) -> bytes:
        topic, data, content_type, item, _, _, age, _ = publication
        place = topic, content_type, bool(age)
        if (head := self._heads.get(place)) is None:
            if len(self._heads) >= HEADS_MOST:
                self._heads.clear()
            head = self._heads[place] = self._head(*place)
        boot, seq = (item.boot or "").encode(), b"%d" % item.seq
        return b"%b$%d\r\n%b\r\n%b$%d\r\n%b\r\n$3\r\nseq\r\n$%d\r\n%b\r\n%b" % (
            head[0], len(data), data, head[1], len(boot), boot, len(seq), seq, _age(age),
        )  # fmt: skip

    def _head(self, topic: str, content_type: str, has_age: bool) -> tuple[bytes, bytes]:
        """The bytes before the payload, and those before boot."""
        words = (b"XADD", key_of(topic), b"MAXLEN", b"~", self._max_length, b"*", b"payload")
        between = (b"content_type", content_type.encode(), b"boot")
        count = len(words) + 1 + len(between) + 1 + 2 + 2 * has_age
        return b"*%d\r\n%b" % (count, b"".join(map(argument, words))), b"".join(map(argument, between))


def _age(age: str) -> bytes:
    return b"$3\r\nage\r\n" + argument(age.encode()) if age else b""


def _item(publication: Publication) -> Commands:
    """The field of one item. Its key is the topic without the level of the item."""
    topic = publication.topic.removesuffix(f"/{safe_level(publication.key)}")
    return Commands(command(b"HSET", key_of(topic), publication.key.encode(), publication.data), 1)


def _hash(publication: Publication) -> Commands:
    """All fields at once, so that no field remains of an item that the new value has not."""
    key = key_of(publication.topic)
    steps = (
        command(b"MULTI"), command(b"DEL", key), command(b"HSET", key, *_fields(publication.data)), command(b"EXEC"),
    )  # fmt: skip
    return Commands(b"".join(steps), len(steps))


def _fields(document: bytes) -> list[bytes]:
    """The members of a record and its items: texts unchanged, other values as JSON."""
    members = orjson.loads(document)
    members |= members.pop("items", {})
    return [word for name, value in members.items() for word in (name.encode(), plain(value))]


def key_of(topic: str) -> bytes:
    """klvrelay/uav1/telemetry -> klvrelay:uav1:telemetry"""
    return topic.replace("/", ":").encode()
