"""Publishes records as the outputs of a sink with a budget: like `outputs.py`, but what is due waits for its turn in
`uplink.py`, and becomes a message when it is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown
from klvrelay.gap import Gap, Replay
from klvrelay.outcome import Outcome
from klvrelay.record import Record
from klvrelay.shape.budget.classes import Urgency
from klvrelay.shape.budget.ladder import HALVINGS, Ladder, Rung, rungs_of
from klvrelay.shape.budget.reduction import reduced_all, rungs_for
from klvrelay.shape.marking import Limit
from klvrelay.shape.output import BATCH_HELD, Output
from klvrelay.shape.shaped_output import Decision, Due
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.mqtt.batch_messages import NOT_SENT
from klvrelay.sinks.mqtt.budget.budget_values import GUESS, STOPPED, BudgetValues
from klvrelay.sinks.mqtt.budget.left_out import LeftOut
from klvrelay.sinks.mqtt.budget.unsent import Unsent, is_live
from klvrelay.sinks.mqtt.budget.uplink import Uplink
from klvrelay.sinks.mqtt.budget.urgencies import Urgencies
from klvrelay.sinks.mqtt.joined_messages import JOINED_MOST
from klvrelay.sinks.mqtt.messages import Messages
from klvrelay.sinks.mqtt.outputs.output_messages import OutputMessages
from klvrelay.sinks.mqtt.outputs.outputs import NOT_DUE, leading
from klvrelay.sinks.mqtt.outputs.pending import Pending, answers, confirmations
from klvrelay.sinks.mqtt.protocol.connection import REFUSED, Connection, Message
from klvrelay.sinks.mqtt.refused.publisher import Publisher
from klvrelay.sinks.results import GAP, UNCHOSEN, UNWANTED, counted

if TYPE_CHECKING:
    from klvrelay.gap import Item

SHOW_EVERY = 60.0
"""Seconds after which the use of the budget is published again, though the step is the same."""
DICTIONARIES_EVERY = 0.5
"""Seconds between two checks if a dictionary is to be published."""


@dataclass(slots=True)
class _Group:
    """Records that share a message, and their answer."""

    part: Pending
    dues: list[Due] = field(default_factory=list)


class BudgetOutputs:
    """The outputs of one sink with a budget, over all its connections. For the methods see `Outputs`."""

    def __init__(
        self, shaper: Shaper, settings: MqttSettings, messages: Messages, publisher: Publisher, rate: float
    ) -> None:
        self._shaper, self._settings, self._publisher = shaper, settings, publisher
        self._messages, self._rate = messages, rate
        self._made = OutputMessages(settings, messages.ages, shaper.is_open)
        self._rungs = rungs_of(halvings=HALVINGS) if shaper.changeable else rungs_for(shaper.outputs)
        self._uplink: Uplink | None = None
        self._groups: dict[Hashable, _Group] = {}
        self._urgencies = Urgencies()
        self._sizes: dict[str, int] = {}
        self.values = BudgetValues(settings)
        self._shown = 0.0
        self._largest = JOINED_MOST
        self.connected = asyncio.Event()
        self._left_out: LeftOut | None = None

    def send_later(self, output: Output, limit: Limit) -> None:
        """Let what this output left out follow."""
        self._left_out = LeftOut(output, limit, self._settings.numbers)

    @property
    def uplink(self) -> Uplink:
        """Sends what waits. It exists from the first connection on."""
        assert self._uplink is not None
        return self._uplink

    def document(self) -> dict[str, Any] | None:
        """The use of the budget; None before the first connection."""
        return None if self._uplink is None else self._uplink.document()

    def goodbye(self) -> list[Message]:
        """The use of the budget, for the last messages of a run."""
        return [self.values.message(self.uplink.document() | STOPPED)]

    def begin(self, connection: Connection) -> None:
        """See `Outputs.begin`."""
        if self._uplink is None:
            ladder = partial(Ladder, self._rungs)
            self._uplink = Uplink(self._rate, self._publisher, ladder, self._reduce, tls=self._settings.tls)
            self._uplink.on_tick = self._put_late
            self._uplink.shown = lambda: self.values.note_step(self.uplink.document())
            self.values.uplink = self._uplink
        self._reduce(self._uplink.ladder.rung)  # with several brokers, another one may have been on another rung
        self._shaper.reset(_now())
        self._largest = min(JOINED_MOST, connection.largest)
        self._made.compression.begin()
        if self._settings.qos:
            connection.widen()  # the uplink sends one by one itself, where that is needed
        self._uplink.begin(connection)
        self._shown = 0.0
        self.connected.set()

    def blame(self, connection: Connection) -> None:
        """See `Caution.blame`."""
        self.uplink.caution.blame(connection)

    async def deliver(self, batch: Sequence[Item], connection: Connection) -> Outcome:
        """See `Outputs.deliver`."""
        replayed = isinstance(batch, Replay)
        return await self._answered([self._add(item, replayed=replayed) for item in batch])

    async def deliver_later(self, batch: Sequence[Item]) -> Outcome:
        """As `deliver`, of the records of the second cursor: when nothing else waits."""
        if not self.connected.is_set():
            raise SinkDown(f"{self._settings.url}: not connected")
        return await self._answered([self._add_later(item) for item in batch])

    async def _answered(self, results: Sequence[tuple[int, list[Pending]]]) -> Outcome:
        """The outcome of records, once they are answered. Raises SinkDown, with that of the leading ones."""
        await answers(part for _, parts in results for part in parts)
        outcome = counted(leading(results))
        outcome.confirmed = confirmations(results, outcome)
        if outcome.answered < len(results):
            text = f"{self._settings.url}: connection lost"
            raise SinkDown(text, answered=outcome, traced=self.uplink.is_traced)
        return outcome

    async def run(self, connection: Connection) -> None:
        """Send within the budget, also the latest values, until cancelled. Raises SinkDown."""
        self._publisher.route = self.values.publish
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._publish_dictionaries(), name="dictionaries")
                await self.uplink.run(connection)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            self._publisher.route = None

    async def _publish_dictionaries(self) -> None:
        compression = self._made.compression
        while True:
            await asyncio.sleep(DICTIONARIES_EVERY)
            for stream, message in await compression.due() if compression.is_due else ():
                part = self.values.put(message, Urgency.OTHER)
                await answers([part])
                if not part.code.cancelled() and part.code.result() != NOT_SENT:
                    compression.answered(stream, part.code.result())

    async def finish(self, connection: Connection) -> None:
        """See `Outputs.finish`. Nothing is held back that could be sent in the last moment."""

    def end(self) -> None:
        """See `Outputs.end`."""
        self.connected.clear()
        for group in self._groups.values():
            group.part.answer(None)
        self._groups.clear()
        self.uplink.end()

    def hurry(self) -> None:
        """No more records follow: what cannot be sent soon is not sent."""
        if self._uplink is not None:
            self._uplink.hurry()

    def _show(self) -> None:
        self._shown = _now()
        self.values.show(self.uplink.document())

    # ---- records ----

    def _add(self, item: Item, *, replayed: bool) -> tuple[int, list[Pending]]:
        """Let the messages of an item wait. Returns its result if it has none, or whatever they are; and its parts."""
        if isinstance(item, Gap):
            return GAP, [self._put_made(Urgency.AVAILABILITY, "gap", item, partial(self._gap, item))]
        if self._messages.leaf(item) != "telemetry":
            return self._add_rejected(item, replayed=replayed)
        due, decision = self._shaper.offer(item, _now(), replayed=replayed)
        return NOT_DUE[decision], [self._put(each) for each in due]

    def _add_rejected(self, record: Record, *, replayed: bool) -> tuple[int, list[Pending]]:
        decision = self._shaper.decide_rejected(record)
        if decision is not Decision.DUE:
            return NOT_DUE[decision], []
        if self._messages.leaf(record) is None:
            return UNWANTED, []
        make = partial(self._messages.of_item, record, replayed=replayed)
        return UNWANTED, [self._put_made(Urgency.OTHER, "rejected", record, make)]

    def _gap(self, gap: Gap) -> list[Message]:
        return [self._messages.of_gap(gap)]

    def _put_made(self, urgency: Urgency, kind: str, item: Item, make: Any) -> Pending:
        size = GUESS if isinstance(item, Gap) else GUESS + 4 * len(item.raw)
        entry = Unsent(make, Pending(), size)
        self.uplink.put(urgency, (kind, item.stream), entry, newest=False)
        return entry.part

    def _put(self, due: Due) -> Pending:
        """Let a record of an output wait, alone or with others of its message."""
        output = due.shaped.output
        if output.batch == 1 or due.replayed:
            part = Pending()
            self._put_group([due], part)
            return part
        key = output.name, due.record.stream, due.record.set, due.record.boot
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(Pending(_now() + BATCH_HELD))
        group.dues.append(due)
        if len(group.dues) >= output.batch:
            self._put_group(self._groups.pop(key).dues, group.part)
        return group.part

    def _put_group(self, dues: Sequence[Due], part: Pending) -> None:
        output, record = dues[0].shaped.output, dues[0].record
        size = len(dues) * self._sizes.get(output.name, GUESS + len(record.raw))
        entry = Unsent(partial(self._make, dues, part), part, size, is_live(record))
        newest = output.retain or (output.rate is not None and not dues[0].replayed)
        key = output.name, record.stream, record.set, dues[0].replayed
        self.uplink.put(self._urgencies.of(output), key, entry, newest=newest)

    def _put_late(self, now: float) -> None:
        """Let what was held for its interval, or for others, wait for its turn."""
        for key in [key for key, group in self._groups.items() if group.part.due <= now]:
            group = self._groups.pop(key)
            self._put_group(group.dues, group.part)
        for due in self._shaper.take_late(now):
            self._put(due)
        if now - self._shown >= SHOW_EVERY:
            self._show()

    def _add_later(self, item: Item) -> tuple[int, list[Pending]]:
        if isinstance(item, Gap):
            return GAP, []  # the other cursor reports what is not published
        assert self._left_out is not None
        if self._messages.leaf(item) != "telemetry":
            self._left_out.shaper.admits(item)  # it may have marked those after it
            return UNCHOSEN, []
        due, decision = self._left_out.shaper.offer(item, _now())
        parts = []
        for each in due:
            entry = Unsent(partial(self._make_later, each), Pending())
            self.uplink.put_later(entry)
            parts.append(entry.part)
        return NOT_DUE[decision], parts

    def _make_later(self, due: Due) -> list[Message]:
        if self._left_out is not None and not self._left_out.take(due.record):
            return []
        return [self._made.of([payload]) for payload in due.payloads(_now())]

    def _make(self, dues: Sequence[Due], part: Pending) -> list[Message]:
        """The messages of records, now that they are sent."""
        payloads = [payload for due in dues for payload in due.payloads(_now())]
        if not payloads:
            return []
        if payloads[0].replayed:
            return [self._made.aged(payload) for payload in payloads]
        joins = sum(len(payload.data) + 1 for payload in payloads) <= self._largest
        if len(dues) > 1 and joins and len({self._made.topic(payload) for payload in payloads}) == 1:
            messages = [self._made.of(payloads)]
        else:
            messages = [self._made.of([payload]) for payload in payloads]
        if self._left_out is not None and self._left_out.has_whole(dues[0].shaped):
            part.code.add_done_callback(partial(self._note_whole, dues))
        name = dues[0].shaped.output.name
        size = sum(len(message.payload) + GUESS // 2 for message in messages) // len(dues)
        self._sizes[name] = (3 * self._sizes.get(name, size) + size) // 4
        return messages

    def _note_whole(self, dues: Sequence[Due], code: asyncio.Future[int]) -> None:
        """Whole records were published, if the broker has accepted them."""
        if self._left_out is not None and not code.cancelled() and 0 <= code.result() < REFUSED:
            self._left_out.note(due.record for due in dues)

    def _reduce(self, rung: Rung) -> None:
        """Publish what a rung leaves of the outputs."""
        self._shaper.reduce(partial(reduced_all, rung=rung))
        self._urgencies.clear()
        self._sizes.clear()


def _now() -> float:
    return asyncio.get_running_loop().time()
