"""Finds the retained topics of earlier runs that are out of date: streams that a killed run left `online`.

The last will of a run is published on `{prefix}/status` and contains its boot id. Each `availability`, `link`, `health`
and `alert` has the boot id of its run as a user property, which needs MQTT 5. A value `online`, an alert, or a state
other than `ended`, is out of date if a status shows that its run has ended. Without such a status the run may still be
active.
"""

from __future__ import annotations

from typing import Any

from klvrelay.sinks.mqtt.protocol.connection import Received
from klvrelay.sinks.mqtt.protocol.properties import user_properties
from klvrelay.sinks.mqtt.topics import split_topic, status_topic

MESSAGES_MOST = 20_000
"""Maximum number of topics of runs that may have ended."""
RUNS_MOST = 1000
"""Maximum number of ended runs."""
BOOT_MOST = 64
"""Maximum characters of a boot id."""
STATUS_MOST, LINK_MOST = 4 << 10, 32 << 10
"""Maximum bytes of a status, and of the health of a stream."""


class EarlierRuns:
    """Takes the retained messages one by one, and returns those that are out of date.

    prefix  first levels of all topics
    boot    boot id of this run
    """

    def __init__(self, prefix: str, boot: str) -> None:
        self._prefix = prefix
        self._boot = boot
        self._ended: set[str] = set()  # boot ids
        self._boots: dict[str, str] = {}  # by topic, of messages that are out of date if their run has ended
        self._active: dict[str, dict[str, Received]] = {}  # these messages, by boot id and topic

    def take(self, message: Received) -> list[Received]:
        """Take the message of one of these topics. Returns the messages that are now known to be out of date."""
        topic = message.topic
        if topic == status_topic(self._prefix):
            return self._end(ended_boot(message.payload))
        level, leaf = split_topic(topic, self._prefix)
        if level is None:
            return []
        if topic in self._boots:
            del self._active[self._boots.pop(topic)][topic]
        boot = boot_of(message)
        if boot is None or boot == self._boot or not _is_active(leaf, message.payload):
            return []
        if boot in self._ended:
            return [message]
        if len(self._boots) < MESSAGES_MOST:
            self._boots[topic] = boot
            self._active.setdefault(boot, {})[topic] = message
        return []

    def _end(self, boot: str | None) -> list[Received]:
        if boot is None or boot == self._boot or len(self._ended) >= RUNS_MOST:
            return []
        self._ended.add(boot)
        outdated = self._active.pop(boot, {})
        for topic in outdated:
            del self._boots[topic]
        return list(outdated.values())

    def hides_ours(self, message: Received) -> bool:
        """Is it the last will of another run, which has replaced our status?"""
        if message.retained or message.topic != status_topic(self._prefix):
            return False
        return ended_boot(message.payload) not in (None, self._boot)


def _is_active(leaf: str, payload: bytes) -> bool:
    """Does the message report that its stream is active?"""
    if leaf == "availability":
        return payload == b"online"
    if leaf == "alert":
        return bool(payload)
    return bool(object_of(payload, LINK_MOST).get("state", "ended") != "ended")


def ended_boot(payload: bytes) -> str | None:
    """The boot id in a status `offline`: that of a run that stopped or was lost."""
    document = object_of(payload, STATUS_MOST)
    boot = document.get("boot")
    return boot if document.get("state") == "offline" and isinstance(boot, str) and len(boot) <= BOOT_MOST else None


def object_of(payload: bytes, most: int) -> dict[str, Any]:
    """The JSON object in a payload of at most `most` bytes; empty for any other payload."""
    if len(payload) > most:
        return {}
    import orjson  # here, since it loads many modules; it limits the nesting depth itself

    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def boot_of(message: Received) -> str | None:
    """The boot id in the user properties of a message."""
    boot = user_properties(message.properties).get("boot", "")
    return boot if 0 < len(boot) <= BOOT_MOST else None
