"""Retained topics of earlier runs: streams that a run left `online` when it was killed are corrected to `offline`.

The last will of a run is published on `{prefix}/status` and names its boot id. Each `availability` and `link` has the
boot id of its run as a user property, which needs MQTT 5. One that says `online`, or a state other than `ended`, is
corrected where a status says that its run is over, and where no stream of this relay has its topic. Without such a
status the run may be alive: its topics are left alone.

After a loss of power the broker notices that a run is over by its keepalive only, and its last will takes the place of
the status of the run that has begun meanwhile. That is published again.
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
from klvrelay.sinks.mqtt.connection import REFUSED, Connection, Message, Received
from klvrelay.sinks.mqtt.properties import user_properties
from klvrelay.sinks.mqtt.topics import LEAVES, split_topic, status_topic
from klvrelay.text import printable

LOOK = 4.0
"""Seconds of a look at the retained topics: what a broker has retained comes within a round trip."""
LATE = 2.0
"""Keepalives for which a last will may still come: a broker waits for one and a half (MQTT 5, 3.1.2.10)."""
ANSWER = 2.0
"""Seconds that the answer to the first subscription may delay the first status of a run."""
TRIES = 2
"""Connections that a look may spoil: some brokers hang up at a subscription that is not allowed."""
LATE_MOST = 600.0
"""Seconds of that wait at most."""
QUIET = 0.2
"""Seconds without a message after which what is wrong is corrected, all in one go."""
TURN = 0.05
"""Seconds between two looks whether a request was answered."""
MESSAGES_MOST, BYTES_MOST = 20_000, 8 << 20
"""What is taken in a look; more ends it."""
RUNS_MOST = 1000
BOOT_MOST = 64
"""Characters of a boot id."""
STATUS_MOST, LINK_MOST = 4 << 10, 8 << 10
"""Bytes of a status, and of the report of a link."""

T = TypeVar("T")

_LOG = logging.getLogger("klvrelay.sinks")


class EarlierRuns:
    """Which topics say of a run that is over that its streams are there: messages in, those to be corrected out.

    prefix  levels before those of the streams
    boot    of the run that asks, whose topics are right
    """

    def __init__(self, prefix: str, boot: str) -> None:
        self._prefix = prefix
        self._boot = boot
        self._over: set[str] = set()
        self._boots: dict[str, str] = {}  # of the topics that would be wrong
        self._present: dict[str, dict[str, Received]] = {}  # the same by boot id, then by topic

    def take(self, message: Received) -> list[Received]:
        """Take a status, an availability or a link in; what the result says is wrong."""
        topic = message.topic
        if topic == status_topic(self._prefix):
            return self._ended(boot_that_is_over(message.payload))
        level, leaf = split_topic(topic, self._prefix)
        if level is None:
            return []
        if topic in self._boots:
            del self._present[self._boots.pop(topic)][topic]
        boot = boot_of(message)
        if boot is None or boot == self._boot or not _is_present(leaf, message.payload):
            return []
        if boot in self._over:
            return [message]
        if len(self._boots) < MESSAGES_MOST:
            self._boots[topic] = boot
            self._present.setdefault(boot, {})[topic] = message
        return []

    def _ended(self, boot: str | None) -> list[Received]:
        if boot is None or boot == self._boot or len(self._over) >= RUNS_MOST:
            return []
        self._over.add(boot)
        wrong = self._present.pop(boot, {})
        for topic in wrong:
            del self._boots[topic]
        return list(wrong.values())

    def hides_ours(self, message: Received) -> bool:
        """Is it the last will of another run, in the place of our status?"""
        if message.retained or message.topic != status_topic(self._prefix):
            return False
        return boot_that_is_over(message.payload) not in (None, self._boot)


class Correction:
    """Looks at the retained topics once in a run, over a connection of the sink, and corrects those of earlier runs.

    is_ours  does the sink itself publish on this level?
    hello    the status of this run
    """

    def __init__(
        self, settings: MqttSettings, boot: str, is_ours: Callable[[str], bool], hello: Callable[[], Message]
    ) -> None:
        self._settings = settings
        self._boot = boot
        self._is_ours = is_ours
        self._hello = hello
        self._tries = TRIES
        self._connection: Connection | None = None
        self._topics = status_topic(settings.prefix), *(f"{settings.prefix}/+/{leaf}" for leaf in LEAVES)

    async def begin(self, connection: Connection) -> None:
        """Ask for the status that an earlier run left: to be called before that of this run takes its place."""
        self._connection = None
        if not self._tries:
            return
        if connection.protocol == 4 or not connection.terms.retain:
            self._tries = 0  # no boot ids, or nothing is retained
            return
        self._tries -= 1
        if await self._may_read(connection, self._topics[0]):
            self._connection = connection

    async def look(self, connection: Connection) -> None:
        """Take in what the broker has retained, and correct it, for a few seconds; then wait for late last wills.

        It takes what `connection.received()` gives meanwhile. Raises SinkDown where the connection ends.
        """
        if self._connection is not connection:
            return
        self._connection = None
        runs = EarlierRuns(self._settings.prefix, self._boot)
        status, *others = self._topics
        heard = await self._beside(self._ask(connection, others), self._hear(connection, runs, LOOK))
        await self._leave(connection, others)
        if not heard and self._tries:
            self._unreadable()
        self._tries = 0
        await self._hear(connection, runs, min(LATE_MOST, LATE * self._settings.keepalive))
        await self._leave(connection, [status])

    async def _beside(self, request: Coroutine[Any, Any, None], taking: Coroutine[Any, Any, T]) -> T:
        """Take messages while a request waits for its answer: what waits here would keep the answer from being read."""
        asking = asyncio.create_task(request, name="mqtt retained")
        try:
            return await taking
        finally:
            asking.cancel()
            await asyncio.wait({asking})

    async def _ask(self, connection: Connection, topics: Sequence[str]) -> None:
        with contextlib.suppress(SinkDown):  # of which who takes the messages hears
            for topic in topics:
                if not await self._may_read(connection, topic):
                    return

    async def _leave(self, connection: Connection, topics: Sequence[str]) -> None:
        over = asyncio.Event()
        await self._beside(self._unsubscribe(connection, topics, over), _drop(connection, over))

    async def _unsubscribe(self, connection: Connection, topics: Sequence[str], over: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await connection.unsubscribe(topics)
        except (SinkError, TimeoutError):
            pass  # of a lost connection who takes the messages hears
        finally:
            over.set()

    async def _hear(self, connection: Connection, runs: EarlierRuns, seconds: float) -> bool:
        """Take messages for a while, and correct what is wrong whenever none comes; whether any came."""
        loop = asyncio.get_running_loop()
        end, size, heard = loop.time() + seconds, 0, 0
        wrong: list[Received] = []
        hidden = False
        while (left := end - loop.time()) > 0 and heard < MESSAGES_MOST and size < BYTES_MOST:
            message = await _next(connection, min(left, QUIET) if wrong or hidden else left)
            if message is None:
                await self._correct(connection, wrong, hidden=hidden)
                wrong, hidden = [], False
                continue
            heard, size = heard + 1, size + len(message.topic) + len(message.payload) + len(message.properties)
            hidden = hidden or runs.hides_ours(message)
            wrong += runs.take(message)
        await self._correct(connection, wrong, hidden=hidden)
        return heard > 0

    async def _correct(self, connection: Connection, wrong: Sequence[Received], *, hidden: bool) -> None:
        url, prefix = self._settings.url, self._settings.prefix
        mine = [message for message in wrong if not self._is_ours(split_topic(message.topic, prefix)[0] or "")]
        messages = [*([self._hello()] * hidden), *(_corrected(m, self._settings.qos) for m in mine)]
        codes = await connection.publish(messages, ahead=True)
        if (refused := next((code for code in codes if code >= REFUSED), None)) is not None:
            _LOG.info("retained topics of earlier runs not corrected url=%s reason_code=0x%02x", url, refused)
            return
        if hidden:
            _LOG.info("status published again reason=late_will url=%s", url)
        for boot, count in Counter(boot_of(message) for message in mine).items():
            _LOG.info("retained topics corrected url=%s run=%s topics=%d", url, printable(boot or ""), count)

    async def _may_read(self, connection: Connection, topic: str) -> bool:
        try:
            async with asyncio.timeout(self._patience):
                await connection.subscribe([topic])
        except (SinkRefused, TimeoutError):
            self._tries = 0
            self._unreadable()
            return False
        return True

    @property
    def _patience(self) -> float:
        """Less than what makes the connection give up an answer."""
        return min(ANSWER, self._settings.timeout / 2)

    def _unreadable(self) -> None:
        _LOG.info(
            "retained topics of earlier runs not checked reason=unreadable url=%s topics=%s",
            self._settings.url, ",".join(self._topics),
        )  # fmt: skip


async def _drop(connection: Connection, over: asyncio.Event) -> None:
    """Take messages until it is over."""
    while not over.is_set():
        await _next(connection, TURN)


async def _next(connection: Connection, seconds: float) -> Received | None:
    """What comes next, or None where nothing does in that time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds), contextlib.aclosing(connection.received()) as messages:
            return await anext(messages)
    return None


def _is_present(leaf: str, payload: bytes) -> bool:
    """Does it say that a stream is there?"""
    if leaf == "availability":
        return payload == b"online"
    return bool(object_of(payload, LINK_MOST).get("state", "ended") != "ended")


def _corrected(message: Received, qos: int) -> Message:
    """What is right, which keeps saying of which run it is."""
    known = user_properties(message.properties)
    user = tuple((name, printable(known[name])) for name in ("stream", "boot") if name in known)
    if message.payload == b"online":
        return Message(message.topic, b"offline", qos, True, "text/plain", user=user)
    document = object_of(message.payload, LINK_MOST) | {"state": "ended", "reason": "the relay was lost"}
    return Message(message.topic, dumps(document), qos, True, "application/json", user=user)


def boot_that_is_over(payload: bytes) -> str | None:
    """The boot id in a status that says `offline`: of a run that stopped, or was lost."""
    document = object_of(payload, STATUS_MOST)
    boot = document.get("boot")
    return boot if document.get("state") == "offline" and isinstance(boot, str) and len(boot) <= BOOT_MOST else None


def object_of(payload: bytes, most: int) -> dict[str, Any]:
    """A JSON object of at most so many bytes; empty for any other payload."""
    if len(payload) > most:
        return {}
    import orjson  # here, since it loads many modules; it bounds the depth itself

    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def boot_of(message: Received) -> str | None:
    """The boot id that a message bears as a user property."""
    boot = user_properties(message.properties).get("boot", "")
    return boot if 0 < len(boot) <= BOOT_MOST else None
