"""Several brokers of one sink, of which one is used at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from klvrelay.backoff import Repeats
from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import ConfigError, KlvrelayError, SinkDown, SinkError, SinkRefused
from klvrelay.outcome import Outcome
from klvrelay.shape.marking import Limit
from klvrelay.shape.output import Output
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.contract import AnswerRequest, LatestValues
from klvrelay.sinks.mqtt.budget.budget_outputs import BudgetOutputs
from klvrelay.sinks.mqtt.refused.suspended import Suspended
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sinks.mqtt.takeover import client_id_of

if TYPE_CHECKING:
    from klvrelay.gap import Item

LOG = logging.getLogger("klvrelay.sinks")


class FailoverSink:
    """A list of brokers. Its contract is `Sink`; each entry tries the brokers in turn, and uses the first that accepts.

    An entry begins with the first broker of the list. The broker whose connection was just lost is tried last, so that
    one that accepts connections and ends them, or no longer answers, does not keep the records from the others. A
    broker in use is not left while it works. Each broker has at most its `timeout` for the whole connection attempt.

    What a broker refuses, what breaks its connections and its session of QoS 2 are known per broker (`MqttSink`).
    Records without an answer are offered to the next broker, whether the one before it has them or not: at-least-once.
    The incomplete messages of a session are not completed later, since the next broker gets them.
    """

    def __init__(
        self, brokers: Sequence[MqttSettings], *, boot: str, batch: float | None = None, shaper: Shaper | None = None,
        budget: float | None = None,
    ) -> None:  # fmt: skip
        client_id = client_id_of(brokers[0], boot)
        self._brokers = brokers
        self._sinks = [
            MqttSink(
                each, boot=boot, batch=batch, shaper=shaper, budget=budget, client_id=client_id, names_broker=True
            )
            for each in brokers
        ]
        self.shaper = shaper
        self.hold = batch or 0.0
        self.takes_all = budget is not None
        self._used = self._sinks[0]
        self._last: MqttSink | None = None  # the broker whose connection ended
        self._changes = Repeats()

    def __repr__(self) -> str:
        return f"FailoverSink({', '.join(each.url for each in self._brokers)})"

    @property
    def suspended(self) -> Suspended:
        """The topics that the broker in use refuses."""
        return self._used.suspended

    @property
    def budget_outputs(self) -> BudgetOutputs:
        """The outputs at the broker in use, with a budget."""
        return self._used.budget_outputs

    def hurry(self) -> None:
        """See `MqttSink.hurry`."""
        self._used.hurry()

    def answer_requests(self, answer: AnswerRequest) -> None:
        """See `MqttSink.answer_requests`."""
        for sink in self._sinks:
            sink.answer_requests(answer)

    def send_later(self, output: Output, limit: Limit) -> None:
        """See `BudgetOutputs.send_later`."""
        for sink in self._sinks:
            sink.budget_outputs.send_later(output, limit)

    @property
    def detail(self) -> str:
        """The broker in use, for messages."""
        return f": broker={self._used.url}"

    def _in_turn(self) -> Iterator[MqttSink]:
        yield from (sink for sink in self._sinks if sink is not self._last)
        if self._last is not None:
            yield self._last

    async def __aenter__(self) -> Self:
        """Connect to the first broker that accepts. Raises SinkDown, or SinkRefused if all refuse."""
        faults: list[KlvrelayError] = []
        for sink in self._in_turn():
            try:
                await _enter(sink)
            except (SinkError, ConfigError) as fault:
                faults.append(fault)
            else:
                self._use(sink, faults)
                return self
        raise _combined(faults)

    def _use(self, sink: MqttSink, faults: Sequence[KlvrelayError]) -> None:
        before, self._used = self._used, sink
        for other in self._sinks:
            if other is not sink:
                other.forget_session()
        if sink is before and not faults:
            return
        reason = "; ".join(map(str, faults)) or "connection lost"
        text = f"{sink.url}: broker in use: previous={before.url} reason={reason!r}"
        if (line := self._changes.add(text)) is not None:
            LOG.warning("%s", line)
        self._changes.over()

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._last = self._used
        await self._used.__aexit__(kind, fault, trace)

    async def deliver(self, batch: Sequence[Item]) -> Outcome:
        """Deliver to the broker in use."""
        return await self._used.deliver(batch)

    def restore(self) -> None:
        """End the changes of outputs that subscribers made."""
        self._used.restore()

    async def keep(self, notices: LatestValues) -> None:
        """Publish latest values to the broker in use."""
        await self._used.keep(notices)


async def _enter(sink: MqttSink) -> None:
    """Connect within the timeout of the broker, which limits each response only."""
    try:
        async with asyncio.timeout(sink.timeout) as limit:
            await sink.__aenter__()
    except TimeoutError:
        if not limit.expired():
            raise
        raise SinkDown(f"{sink.url}: no MQTT connection within {sink.timeout:g} s") from None


def _combined(faults: Sequence[KlvrelayError]) -> KlvrelayError:
    """One fault of all brokers. It may pass, unless none of them can."""
    if len(faults) == 1:
        return faults[0]
    lasting = all(isinstance(fault, SinkRefused | ConfigError) for fault in faults)
    return (SinkRefused if lasting else SinkDown)("; ".join(map(str, faults)))
