"""Publishes records as the outputs of a sink: what of each record, when, and in which messages.

record --> Shaper: is it due? --> payloads --> Pending: one message of one or several records --> broker
                |                                  ^
                +--> held --> late, if nothing newer came
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown
from klvrelay.gap import Gap, Replay
from klvrelay.outcome import Outcome
from klvrelay.record import Record
from klvrelay.shape.output import BATCH_HELD
from klvrelay.shape.payload import Payload
from klvrelay.shape.shaped_output import Decision, Due
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.mqtt.joined_messages import JOINED_MOST
from klvrelay.sinks.mqtt.messages import Messages
from klvrelay.sinks.mqtt.outputs.output_messages import OutputMessages
from klvrelay.sinks.mqtt.outputs.pending import Pending, Sending, answers, confirmations, result_of
from klvrelay.sinks.mqtt.protocol.connection import REFUSED, Connection, Message, Unanswered
from klvrelay.sinks.mqtt.refused.publisher import Publisher
from klvrelay.sinks.results import GAP, THINNED, UNCHOSEN, UNWANTED, WITHHELD, counted

if TYPE_CHECKING:
    from klvrelay.gap import Item

NOT_DUE = {Decision.UNWANTED: UNCHOSEN, Decision.THINNED: THINNED, Decision.WITHHELD: WITHHELD, Decision.DUE: THINNED}
"""The result of a record without messages."""
CHECK = 0.05
"""Seconds between two checks for records that are late."""
REFUSED_HERE = REFUSED
"""The code of a message that is not sent, since its topic is suspended."""

Key = tuple[str, str | None, bool]


class Outputs:
    """The outputs of one sink at one broker, over all its connections.

    hold   seconds in which records are gathered: those of one batch share a message
    """

    def __init__(
        self, shaper: Shaper, settings: MqttSettings, messages: Messages, publisher: Publisher, hold: float
    ) -> None:
        self._shaper, self._settings, self._publisher = shaper, settings, publisher
        self._messages = messages
        self._made = OutputMessages(settings, messages.ages, shaper.is_open)
        self._hold = hold
        self._open: dict[Key, Pending] = {}
        self._waits = asyncio.Event()  # set while records may be held
        self._largest = JOINED_MOST

    def begin(self, connection: Connection) -> None:
        """A new connection: nothing that was published on the last one counts."""
        self._drop_open()
        self._largest = min(JOINED_MOST, connection.largest)
        self._shaper.reset(_now())
        self._made.compression.begin()
        self._shaper.on_change = self._waits.set
        self._waits.set()

    async def deliver(self, batch: Sequence[Item], connection: Connection) -> Outcome:
        """Publish a batch; see `MqttSink.deliver`. Raises SinkDown, with the outcome of the leading records."""
        sending, replayed = Sending(), isinstance(batch, Replay)
        results = [self._add(item, sending, replayed=replayed) for item in batch]
        if self._hold:
            self._close(list(self._open), sending)
        if self._has_work:
            self._waits.set()
        fault = await self._send(connection, sending)
        parts = [part for result in results for part in result[1]]
        differ = fault is None and await answers(parts)
        outcome = counted(leading(results))
        if differ:  # else all were answered together, just now
            outcome.confirmed = confirmations(results, outcome)
        if fault is not None or outcome.answered < len(batch):
            text = str(fault) if fault is not None else f"{self._settings.url}: connection lost"
            raise SinkDown(text, answered=outcome, traced=fault is not None and self._is_traced(fault))
        return outcome

    async def run(self, connection: Connection) -> None:
        """Publish what is late, until cancelled. Raises SinkDown."""
        while True:
            await self._waits.wait()
            await asyncio.sleep(CHECK)
            await self._publish_late(connection)
            await self._publish_dictionaries(connection)
            if not self._has_work:
                self._waits.clear()

    @property
    def _has_work(self) -> bool:
        """Is there anything for `run`?"""
        return bool(self._open) or self._shaper.holds or self._made.compression.is_due

    async def _publish_dictionaries(self, connection: Connection) -> None:
        compression = self._made.compression
        if not compression.is_due:
            return
        due = await compression.due()
        if not due:
            return
        codes = await self._publisher.publish(connection, [message for _, message in due], ahead=True)
        for (stream, _), code in zip(due, codes, strict=True):
            compression.answered(stream, code)

    async def finish(self, connection: Connection) -> None:
        """Publish everything that is held: the connection is about to be closed."""
        self._shaper.release()
        for part in self._open.values():
            part.due = 0.0
        await self._publish_late(connection)

    def end(self) -> None:
        """The connection has ended."""
        self._drop_open()

    async def _publish_late(self, connection: Connection) -> None:
        sending, now = Sending(), _now()
        late = self._shaper.take_late(now)
        for due in late:
            self._add_due(due, sending, now)
        self._close([key for key, part in self._open.items() if part.due <= now], sending)
        if (fault := await self._send(connection, sending)) is not None:
            for due in late:
                due.shaped.hold(due.record, now)
            raise SinkDown(str(fault), traced=self._is_traced(fault))

    def _is_traced(self, fault: Unanswered) -> bool:
        return fault.broke is not None or self._publisher.breaking.control.is_running

    async def _send(self, connection: Connection, sending: Sending) -> Unanswered | None:
        """Send messages and pass on their answers. Returns what ended the connection."""
        codes: Sequence[int | None] = ()
        if not sending.messages:
            return None
        try:
            codes = await self._publisher.publish(connection, sending.messages)
        except Unanswered as fault:
            codes = fault.codes
            return fault
        finally:
            sending.answered(codes)
            if len(codes) < len(sending.messages):
                self._drop_open()
        return None

    def _add(self, item: Item, sending: Sending, *, replayed: bool) -> tuple[int, list[Pending]]:
        """Add the messages of an item. Returns its result if it has none, or whatever they are; and its messages."""
        if isinstance(item, Gap):
            return GAP, self._put([self._messages.of_gap(item)], sending)
        if self._messages.leaf(item) != "telemetry":
            return self._add_rejected(item, sending, replayed=replayed)
        now = _now()
        due, verdict = self._shaper.offer(item, now, replayed=replayed)
        return NOT_DUE[verdict], [part for each in due for part in self._add_due(each, sending, now)]

    def _add_rejected(self, record: Record, sending: Sending, *, replayed: bool) -> tuple[int, list[Pending]]:
        decision = self._shaper.decide_rejected(record)
        if decision is not Decision.DUE:
            return NOT_DUE[decision], []
        return UNWANTED, self._put(self._messages.of_item(record, replayed=replayed), sending)

    def _put(self, messages: Iterable[Message], sending: Sending) -> list[Pending]:
        """Send each message, joined with no other."""
        return [self._sent(message, Pending(), sending) for message in messages]

    def _sent(self, message: Message, part: Pending, sending: Sending) -> Pending:
        if self._publisher.suspended.admits(message.topic):
            sending.add(message, part)
        else:
            part.answer(REFUSED_HERE)
        return part

    def _add_due(self, due: Due, sending: Sending, now: float) -> list[Pending]:
        return [self._add_payload(payload, sending, now) for payload in due.payloads(now)]

    def _add_payload(self, payload: Payload, sending: Sending, now: float) -> Pending:
        output = payload.output
        if payload.replayed:
            return self._sent(self._made.aged(payload), Pending(), sending)
        if output.batch == 1 and (not self._hold or output.retain):
            return self._sent(self._made.of([payload]), Pending(), sending)
        key = self._made.topic(payload), payload.record.boot, output.retain
        part = self._open.get(key)
        if part is not None and part.size + len(payload.data) > self._largest:
            self._close([key], sending)
            part = None
        if part is None:
            part = self._open[key] = Pending(now + (BATCH_HELD if output.batch > 1 else self._hold))
        part.add(payload)
        if output.batch > 1 and len(part.payloads) >= output.batch:
            self._close([key], sending)
        return part

    def _close(self, keys: Iterable[Key], sending: Sending) -> None:
        """Send messages as they are."""
        for key in keys:
            part = self._open.pop(key)
            self._sent(self._made.of(part.payloads), part, sending)

    def _drop_open(self) -> None:
        """The connection is lost: the records in unfinished messages are offered again."""
        for part in self._open.values():
            part.answer(None)
        self._open.clear()


def leading(results: Sequence[tuple[int, list[Pending]]]) -> Iterable[int]:
    for known, parts in results:
        found = result_of(parts) if parts else known
        if found is None:
            return
        yield GAP if known == GAP else found


def _now() -> float:
    return asyncio.get_running_loop().time()
