"""Publishes the latest values of streams and relay: all messages of the MQTT sink that are retained."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.names import safe_level
from klvrelay.errors import SinkError
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.contract import AnswerRequest, LatestValues, Notice
from klvrelay.sinks.mqtt.budget.budget_outputs import BudgetOutputs
from klvrelay.sinks.mqtt.budget.budget_values import UPLINK
from klvrelay.sinks.mqtt.messages import Messages
from klvrelay.sinks.mqtt.outputs.live_changes import LiveChanges
from klvrelay.sinks.mqtt.outputs.outputs import Outputs
from klvrelay.sinks.mqtt.protocol.connection import Connection, Message
from klvrelay.sinks.mqtt.refused.publisher import Publisher
from klvrelay.sinks.mqtt.topics import status_topic
from klvrelay.sinks.mqtt.values.acknowledgements import Acknowledgements
from klvrelay.sinks.mqtt.values.retained import Correction

GOODBYE_TIMEOUT, LAST_WORDS = 1.0, 0.3
"""Seconds for the broker to confirm the last messages, and then for sending them at QoS 0."""
RETRY = 0.5
"""Seconds between two checks of the latest values that the broker refused."""
NOTICES_MOST = 100
"""Maximum number of latest values in flight."""


class PublishedValues:
    """The latest values that one sink publishes, over one connection after another.

    named    further members of the status
    outputs  of the sink, which publish the state of the streams themselves
    shaper   of these outputs, which subscribers may change
    answer_request   applies requests of subscribers to acknowledge incidents; None: they may not
    """

    def __init__(
        self,
        settings: MqttSettings,
        boot: str,
        messages: Messages,
        publisher: Publisher,
        named: dict[str, object],
        outputs: Outputs | BudgetOutputs | None = None,
        shaper: Shaper | None = None,
    ) -> None:
        self._settings = settings
        self._messages = messages
        self._publisher = publisher
        self._suspended, self._breaking = publisher.suspended, publisher.breaking
        self._named = named
        self._outputs, self._shaper = outputs, shaper
        self._online: set[str] = set()
        self._levels: dict[str, str] = {}  # of streams, by level
        self._refused: dict[str, Notice] = {}
        self._notices: LatestValues | None = None
        self._shown: Sequence[str] = ()
        self._owes_status = False
        self._acknowledgements = Acknowledgements(settings, boot, publisher)
        self.answer_request: AnswerRequest | None = None
        self._changes = None
        if shaper is not None and shaper.changeable:
            self._changes = LiveChanges(settings, boot, shaper, publisher, self._levels.get)
        self._correction = Correction(
            settings, boot, self._levels.__contains__, self._status, self._has_status
        )

    async def begin(self, connection: Connection) -> None:
        """Publish the status on a new connection; a brief one, or none yet, if it is withheld."""
        await self._correction.begin(connection)
        withholds = self._breaking.control.withholds
        choice = self._status(), self._messages.brief_status("online")
        status = next((each for each in choice if not withholds(each)), None)
        self._owes_status = status is None
        if status is not None:
            await self._publisher.publish_admitted(connection, [status])
        if connection.protocol == 4 and not min(self._settings.qos, connection.terms.qos):
            await connection.flush()

    async def keep(self, connection: Connection, notices: LatestValues) -> None:
        """Publish latest values until the connection is lost. Raises SinkDown."""
        self._notices = notices
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch(connection), name="watch")
                tasks.create_task(self._retry(connection), name="retry")
                if self._outputs is not None:
                    tasks.create_task(self._outputs.run(connection), name="outputs")
                if self._changes is not None:
                    tasks.create_task(self._changes.run(connection), name="changes")
                if self.answer_request is not None:  # after `changes`, whose requests it leaves alone
                    work = self._acknowledgements.run(connection, self.answer_request)
                    tasks.create_task(work, name="acknowledgements")
                await self._publish_values(connection, notices, tasks)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _publish_values(self, connection: Connection, notices: LatestValues, tasks: asyncio.TaskGroup) -> None:
        """Send each value without waiting for the answer to the one before it, since the round trip may be long.

        A value is done once it is sent: the broker answers in order, so the last messages are answered after it, and a
        new connection publishes every value again.
        """
        room = asyncio.Semaphore(NOTICES_MOST)
        while True:
            await room.acquire()
            notice = await notices.next()
            task = tasks.create_task(self._publish_notice(connection, notice), name="notice")
            task.add_done_callback(lambda _: room.release())
            notices.done(notice)

    async def _publish_notice(self, connection: Connection, notice: Notice) -> None:
        if notice.kind == "status":
            self._messages.add_facts(notice.document)
            await self._publisher.publish_admitted(connection, [self._status()])
        elif notice.kind != "state" or self._outputs is None:
            await self._publish_value(connection, notice)

    async def _publish_value(self, connection: Connection, notice: Notice) -> None:
        """Publish a latest value of a stream. If it is refused, keep it for another try."""
        message = self._messages.of_notice(notice)
        if notice.stream is not None:  # before it is sent, so that `Correction` does not overwrite it
            self._levels[safe_level(notice.stream)] = notice.stream
        if notice.kind == "availability" and notice.stream is not None:
            (self._online.add if notice.document == b"online" else self._online.discard)(notice.stream)
        self._refused.pop(message.topic, None)
        await self._publisher.publish_admitted(connection, [message])
        if message.topic in self._suspended:
            self._refused[message.topic] = notice

    async def _retry(self, connection: Connection) -> None:
        """Publish refused values again when their topics are due, and `status` when the suspended topics changed, a
        control needs another message, or the status is itself suspected to end the connections.
        """
        while True:
            await asyncio.sleep(RETRY)
            for notice in list(self._refused.values()):
                await self._publish_value(connection, notice)
            control = self._breaking.control
            is_suspect = control.is_running and control.suspects(self._messages.brief_status("online"))
            is_due = self._owes_status or control.lacks_answers or is_suspect or self._has_new_step
            if is_due or self._suspended.topics != self._shown:
                self._owes_status = False
                await self._publisher.publish_admitted(connection, [self._status()])

    def _status(self) -> Message:
        self._shown = self._suspended.topics
        status = self._messages.status("online", more=self._facts())
        return status if self._breaking.fits(status) else self._messages.brief_status("online")

    @property
    def _has_new_step(self) -> bool:
        return isinstance(self._outputs, BudgetOutputs) and self._outputs.values.owes_status

    def _has_status(self) -> bool:
        """Has this connection a status of this run, as far as known?"""
        return not self._owes_status and status_topic(self._settings.prefix) not in self._suspended

    def _facts(self) -> dict[str, object]:
        uplink = self._outputs.document() if isinstance(self._outputs, BudgetOutputs) else None
        counts = {} if self._shaper is None else self._shaper.withheld
        withheld = [{"output": name, "count": count} for name, count in counts.items()]
        more = {UPLINK: uplink, "withheld": withheld or None}
        found = {name: value for name, value in more.items() if value is not None}
        return {**self._named, **self._suspended.document(), **found}

    async def _watch(self, connection: Connection) -> None:
        """Correct retained topics of earlier runs, then wait until the connection is lost, which raises SinkDown."""
        await self._correction.run(connection)
        async for _ in connection.received():
            pass  # there is no subscription any more

    async def end(self, connection: Connection) -> None:
        """Publish the last messages. If they are not confirmed in time, e.g. in a full window, repeat them at QoS 0."""
        if self._notices is not None and (facts := self._notices.latest("status", None)) is not None:
            self._messages.add_facts(facts.document)  # `keep` may not have published them yet
        last = self._messages.goodbye(self._online, self._facts())
        if not self._breaking.fits(last[-1]):
            last[-1] = self._messages.brief_status("offline", "stopped")
        if isinstance(self._outputs, BudgetOutputs):
            last[-1:-1] = self._outputs.goodbye()
        goodbye = self._publisher.admitted(last)
        if self._outputs is not None:
            with contextlib.suppress(SinkError, TimeoutError):
                await asyncio.wait_for(self._outputs.finish(connection), LAST_WORDS)
        try:  # `wait_for`: before Python 3.11.3, asyncio.timeout in a cancelled task raises CancelledError
            await asyncio.wait_for(self._publisher.publish(connection, goodbye, ahead=True), GOODBYE_TIMEOUT)
        except TimeoutError:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(connection.publish_unconfirmed(goodbye), LAST_WORDS)
