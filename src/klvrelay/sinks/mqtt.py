"""The MQTT sink: records to `telemetry` and `rejected`, notices to `state`, `availability` and `status`.

Next door: `client.py` is the connection it publishes on, `topics.py` names the topics, `relay.py` feeds it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from klvrelay.documents import dumps
from klvrelay.errors import SinkDown, SinkError, TooLarge
from klvrelay.integers import written
from klvrelay.names import safe_level
from klvrelay.shown import printable
from klvrelay.sinks import Notice
from klvrelay.sinks.client import Connection, Message, Terms, connect
from klvrelay.sinks.retained import Correction
from klvrelay.sinks.settings import MqttSettings
from klvrelay.sinks.topics import status_topic, stream_topic

if TYPE_CHECKING:
    from klvrelay.record import Record

JSON, KLV, TEXT = "application/json", "application/smpte336m", "text/plain"
GOODBYE_TIMEOUT = 2.0
NAME_MOST = 1000
"""Characters of a name in a user property."""

LOG = logging.getLogger("klvrelay")


class MqttSink:
    """One broker; contract: `Sink`. Each entry is a new connection and a new client.

    `{prefix}/{stream}/telemetry` gets good records, `/rejected` damaged ones and, as `publish_bad` says,
    those with a bad checksum, `/raw` on request the KLV bytes of what went to telemetry. Notices are
    retained. The last will says offline on `{prefix}/status`.
    """

    def __init__(self, settings: MqttSettings, *, boot: str) -> None:
        self._settings = settings
        self._boot = boot
        # Random, since two sinks of one run on one broker would throw each other out for ever.
        self._client_id = settings.client_id or f"klvrelay-{boot[:8]}-{secrets.token_hex(2)}"
        self._protocol = settings.protocol
        self._connection: Connection | None = None
        self._terms = Terms()
        self._said_retain = self._said_qos = False
        self._told: dict[tuple[str, str | None], Notice] = {}
        self._correction = Correction(settings, boot, self._publishes_on, self._hello)

    def __repr__(self) -> str:
        return f"MqttSink({self._settings.url})"

    @property
    def protocol(self) -> int:
        """5, or 4 for MQTT 3.1.1: what is spoken now, or will be tried next."""
        return self._connection.protocol if self._connection is not None else self._protocol

    async def __aenter__(self) -> Self:
        """Connect, say online and tell again what was told; SinkDown or SinkRefused says what to try."""
        fault: SinkDown | None = None
        # A broker of 3.1.1 that takes no retained message, or not this QoS, hangs up without saying why.
        for terms in (self._terms, self._terms, *self._terms.lesser()):
            connection = await self._connected(terms)
            try:
                await self._correction.begin(connection)
                hello = {("status", None): self._status("online")} | self._told
                await connection.publish([self._retained(notice) for notice in hello.values()])
                if connection.protocol == 4 and not min(self._settings.qos, connection.terms.qos):
                    await connection.settled()
            except SinkDown as down:
                connection.abort()
                if not (connection.protocol == 4 and connection.hung_up):
                    raise
                fault = down
            except BaseException:
                connection.abort()
                raise
            else:
                self._protocol = 4 if connection.older_only else self._protocol
                self._note(connection)
                self._connection = connection
                return self
        assert fault is not None
        raise fault

    async def _connected(self, terms: Terms) -> Connection:
        return await connect(
            self._settings,
            client_id=self._client_id,
            will=self._retained(self._status("offline", "lost")),
            protocol=self._protocol,
            terms=terms,
        )

    def _note(self, connection: Connection) -> None:
        """What the broker does not offer is said once."""
        terms, url = connection.terms, self._settings.url
        if connection.protocol == 4:
            self._terms = terms
        if not terms.retain and not self._said_retain:
            self._said_retain = True
            LOG.warning(
                "%s: the broker retains no messages: state, availability and link are published without that, so"
                " a subscriber sees them at their next change only", url,
            )  # fmt: skip
        if terms.qos < self._settings.qos and not self._said_qos:
            self._said_qos = True
            risk = ", so messages may be lost" if terms.qos == 0 else ""
            LOG.warning("%s: the broker takes QoS %d at most: messages go out with that%s", url, terms.qos, risk)

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say offline, for the relay and each stream told online, and disconnect, within a few seconds."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            with contextlib.suppress(SinkError, TimeoutError):
                async with asyncio.timeout(GOODBYE_TIMEOUT):
                    await connection.publish(self._goodbye())
        finally:
            await connection.close()

    async def deliver(self, batch: Sequence[Record]) -> None:
        """See `Sink.deliver`: confirmed by PUBACK at QoS 1; in order."""
        await self._publish([message for record in batch for message in self._messages(record)])

    async def tell(self, notice: Notice) -> None:
        """See `Sink.tell`: retained."""
        key = notice.kind, notice.stream
        self._told[key] = notice
        try:
            await self._publish([self._retained(notice)])
        except TooLarge:
            del self._told[key]  # or every new connection would fall over it again
            raise

    async def lost(self) -> None:
        """See `Sink.lost`."""
        if self._connection is not None:
            await self._correction.look(self._connection)
            async for _ in self._connection.received():
                pass  # nothing is subscribed to
        raise SinkDown(f"{self._settings.url}: not connected")

    def _hello(self) -> Message:
        return self._retained(self._status("online"))

    def _publishes_on(self, level: str) -> bool:
        """Is this the level of a stream of ours?"""
        return any(stream is not None and safe_level(stream) == level for _, stream in self._told)

    async def _publish(self, messages: Sequence[Message]) -> None:
        if self._connection is None:
            raise SinkDown(f"{self._settings.url}: not connected")
        await self._connection.publish(messages)

    def _messages(self, record: Record) -> list[Message]:
        """Where one record goes: telemetry, rejected or nowhere, and its raw bytes beside telemetry."""
        leaf = self._leaf(record)
        if leaf is None:
            return []
        messages = [self._message(record, leaf, record.json(numbers=self._settings.numbers), JSON)]
        if self._settings.raw and leaf == "telemetry":
            messages.append(self._message(record, "raw", record.raw, KLV))
        return messages

    def _leaf(self, record: Record) -> str | None:
        if record.good:
            return "telemetry"
        policy = self._settings.publish_bad
        if policy == "telemetry" and record.transport != "ok":
            return "rejected"
        return None if policy == "drop" else policy

    def _message(self, record: Record, leaf: str, payload: bytes, content_type: str) -> Message:
        settings = self._settings
        return Message(
            stream_topic(settings.prefix, record.stream, leaf),
            payload,
            qos=settings.qos,
            content_type=content_type,
            expiry=settings.expiry,
            user=(*_whose(record.stream, record.boot), ("seq", str(record.seq))),
        )

    def _retained(self, notice: Notice) -> Message:
        prefix, stream = self._settings.prefix, notice.stream
        topic = status_topic(prefix) if stream is None else stream_topic(prefix, stream, notice.kind)
        content_type, document = TEXT, notice.document
        if notice.kind != "availability":
            content_type, document = JSON, written(document, self._settings.numbers)
        user = _whose(stream, self._boot)
        return Message(topic, document, self._settings.qos, True, content_type, user=user)

    def _status(self, state: str, reason: str | None = None) -> Notice:
        document = {"state": state, "boot": self._boot, "client_id": self._client_id}
        if reason is not None:
            document["reason"] = reason
        if reason != "lost":
            document["at"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return Notice("status", None, dumps(document))

    def _goodbye(self) -> list[Message]:
        """Streams told online are so no longer; what was told stays remembered for the next entry."""
        gone = [told for told in self._told.values() if told.document == b"online"]
        offline = [Notice("availability", told.stream, b"offline") for told in gone]
        return [self._retained(notice) for notice in (*offline, self._status("offline", "stopped"))]


def _whose(stream: str | None, boot: str | None) -> tuple[tuple[str, str], ...]:
    """Whose message it is, as user properties: a broker hangs up at a control character (MQTT 5, 1.5.4)."""
    named = (("stream", stream), ("boot", boot))
    return tuple((name, printable(value)[:NAME_MOST]) for name, value in named if value is not None)
