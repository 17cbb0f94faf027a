"""Corrects retained topics that earlier runs left out of date (`earlier_runs.py`): streams become `offline`, without
alerts.

A topic of a stream of this relay is not corrected: the relay publishes it itself. After a power failure the broker
detects the end of a run by the keepalive only. The late last will then replaces the status of the run that has begun
meanwhile, so this run publishes its status again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.json_output import dumps
from klvrelay.sinks.mqtt.protocol.connection import REFUSED, Connection, Message, Received
from klvrelay.sinks.mqtt.protocol.properties import user_properties
from klvrelay.sinks.mqtt.topics import LEAVES, split_topic, status_topic
from klvrelay.sinks.mqtt.values.earlier_runs import LINK_MOST, MESSAGES_MOST, EarlierRuns, boot_of, object_of
from klvrelay.text import printable

READING = 4.0
"""Seconds of reading the retained topics. A broker sends them within a round trip."""
LATE = 2.0
"""Keepalives during which a last will may still arrive: a broker waits for one and a half (MQTT 5, 3.1.2.10)."""
LATE_MOST = 600.0
"""Maximum seconds of this wait."""
ANSWER = 2.0
"""Maximum seconds by which the answer to the first subscription may delay the first status of a run."""
TRIES = 2
"""Maximum connections lost to reading: some brokers close the connection at a subscription that is not allowed."""
QUIET = 0.2
"""Seconds without a message after which the topics found so far are corrected together."""
TURN = 0.05
"""Seconds between two checks if a request was answered."""
BYTES_MOST = 8 << 20
"""Maximum bytes read; so are MESSAGES_MOST messages."""
T = TypeVar("T")

LOG = logging.getLogger("klvrelay.sinks")


class Correction:
    """Reads the retained topics once per run, over a connection of the sink, and corrects those of earlier runs.

    is_ours     does the sink itself publish on this level?
    status      the current status of this run
    has_status  was it published, and not refused? Then whoever may read it receives it
    """

    def __init__(
        self,
        settings: MqttSettings,
        boot: str,
        is_ours: Callable[[str], bool],
        status: Callable[[], Message],
        has_status: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._boot = boot
        self._is_ours = is_ours
        self._status = status
        self._has_status = has_status
        self._tries = TRIES
        self._reported = False
        self._connection: Connection | None = None
        self._topics = status_topic(settings.prefix), *(f"{settings.prefix}/+/{leaf}" for leaf in LEAVES)

    async def begin(self, connection: Connection) -> None:
        """Subscribe to the status of earlier runs. Call it before the status of this run replaces it."""
        self._connection = None
        if not self._tries:
            return
        if connection.protocol == 4 or not connection.terms.retain:
            self._tries = 0  # no boot ids, or no retained messages
            return
        self._tries -= 1
        if await self._may_read(connection, self._topics[0]):
            self._connection = connection

    async def run(self, connection: Connection) -> None:
        """Read the retained topics and correct them, for a few seconds. Then wait for late last wills.

        It consumes the messages of `connection.received()` meanwhile. Raises SinkDown if the connection is lost.
        """
        if self._connection is not connection:
            return
        self._connection = None
        runs = EarlierRuns(self._settings.prefix, self._boot)
        status, *others = self._topics
        is_due = self._has_status()
        found = await self._read_during(self._subscribe(connection, others), self._read(connection, runs, READING))
        await self._unsubscribe(connection, others)
        if is_due and not found and self._has_status():
            self._log_unreadable()
        self._tries = 0
        await self._read(connection, runs, min(LATE_MOST, LATE * self._settings.keepalive))
        await self._unsubscribe(connection, [status])

    async def _read_during(self, request: Coroutine[Any, Any, None], reading: Coroutine[Any, Any, T]) -> T:
        """Read messages while a request waits for its answer, which arrives only after them."""
        requesting = asyncio.create_task(request, name="mqtt retained")
        try:
            return await reading
        finally:
            requesting.cancel()
            await asyncio.wait({requesting})

    async def _subscribe(self, connection: Connection, topics: Sequence[str]) -> None:
        with contextlib.suppress(SinkDown):  # the reader of the messages raises it too
            for topic in topics:
                if not await self._may_read(connection, topic):
                    return

    async def _unsubscribe(self, connection: Connection, topics: Sequence[str]) -> None:
        done = asyncio.Event()
        await self._read_during(self._request_end(connection, topics, done), _discard(connection, done))

    async def _request_end(self, connection: Connection, topics: Sequence[str], done: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await connection.unsubscribe(topics)
        except (SinkError, TimeoutError):
            pass  # the reader of the messages raises it if the connection is lost
        finally:
            done.set()

    async def _read(self, connection: Connection, runs: EarlierRuns, seconds: float) -> bool:
        """Read messages for some seconds, and correct topics whenever none arrives. Returns true if any arrived."""
        loop = asyncio.get_running_loop()
        end, size, count = loop.time() + seconds, 0, 0
        outdated: list[Received] = []
        hidden = False
        while (left := end - loop.time()) > 0 and count < MESSAGES_MOST and size < BYTES_MOST:
            message = await _next(connection, min(left, QUIET) if outdated or hidden else left)
            if message is None:
                await self._correct(connection, outdated, hidden=hidden)
                outdated, hidden = [], False
                continue
            count, size = count + 1, size + len(message.topic) + len(message.payload) + len(message.properties)
            hidden = hidden or runs.hides_ours(message)
            outdated += runs.take(message)
        await self._correct(connection, outdated, hidden=hidden)
        return count > 0

    async def _correct(self, connection: Connection, outdated: Sequence[Received], *, hidden: bool) -> None:
        """Publish the corrected messages, and our status again if it is `hidden` by a late last will."""
        url, prefix = self._settings.url, self._settings.prefix
        others = [message for message in outdated if not self._is_ours(split_topic(message.topic, prefix)[0] or "")]
        messages = [*([self._status()] * hidden), *(_corrected(m, self._settings.qos) for m in others)]
        codes = await connection.publish(messages, ahead=True)
        if (refused := next((code for code in codes if code >= REFUSED), None)) is not None:
            LOG.info("%s: retained topics of earlier runs not corrected: reason_code=0x%02x", url, refused)
            return
        if hidden:
            LOG.info("%s: status published again: reason=late_will", url)
        for boot, count in Counter(boot_of(message) for message in others).items():
            LOG.info("%s: retained topics corrected: run=%s topics=%d", url, printable(boot or ""), count)

    async def _may_read(self, connection: Connection, topic: str) -> bool:
        """Subscribe. An answer that is late says nothing: if the topic may be read, its messages arrive."""
        try:
            async with asyncio.timeout(self._timeout):
                await connection.subscribe([topic])
        except SinkRefused:
            self._tries = 0
            self._log_unreadable()
            return False
        except TimeoutError:
            pass
        return True

    @property
    def _timeout(self) -> float:
        """Less than the timeout of the connection, which would end it."""
        return min(ANSWER, self._settings.timeout / 2)

    def _log_unreadable(self) -> None:
        if self._reported:
            return
        self._reported = True
        LOG.info(
            "%s: retained topics of earlier runs not checked: topics=%s advice=%r",
            self._settings.url, ",".join(self._topics), "allow this user to read these topics",
        )  # fmt: skip


async def _discard(connection: Connection, done: asyncio.Event) -> None:
    """Read and discard messages until `done`."""
    while not done.is_set():
        await _next(connection, TURN)


async def _next(connection: Connection, seconds: float) -> Received | None:
    """The next message, or None if none arrives within `seconds`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds), contextlib.aclosing(connection.received()) as messages:
            return await anext(messages)
    return None


def _corrected(message: Received, qos: int) -> Message:
    """The corrected message, still with the boot id of its run."""
    known = user_properties(message.properties)
    user = tuple((name, printable(known[name])) for name in ("stream", "boot") if name in known)
    if message.topic.endswith("/alert"):
        return Message(message.topic, b"", qos, True, "application/json", user=user)
    if message.payload == b"online":
        return Message(message.topic, b"offline", qos, True, "text/plain", user=user)
    document = object_of(message.payload, LINK_MOST) | {"state": "ended", "reason": "the relay was lost"}
    return Message(message.topic, dumps(document), qos, True, "application/json", user=user)
