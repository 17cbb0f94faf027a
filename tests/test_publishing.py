"""A sink that publishes to any far end: groups, answers to some of them, late records and latest values."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

import orjson
import pytest
from records import BOOT, record

from klvrelay.config.sinks.lines import LinesSettings
from klvrelay.errors import SinkDown
from klvrelay.gap import Gap, Item, Replay
from klvrelay.outcome import Outcome
from klvrelay.relay.notices import Notices
from klvrelay.shape.output import Output
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.publishing.far_end import Unconfirmed
from klvrelay.sinks.publishing.outbox import GROUP_MOST, Outbox
from klvrelay.sinks.publishing.publication import Publication
from klvrelay.sinks.publishing.publishing_sink import PublishingSink
from klvrelay.sinks.results import DELIVERED, LEFT_OUT, REJECTED

SETTINGS = LinesSettings(carrier="stdout")
TELEMETRY = Output("telemetry", "{prefix}/{stream}/telemetry")


class Scripted:
    """A far end that answers as `answer` says, once `open_gate` is set."""

    url: ClassVar[str] = "scripted://far"
    detail: ClassVar[str] = ""

    def __init__(self) -> None:
        self.groups: list[list[Publication]] = []
        self.answer: Callable[[Sequence[Publication]], Sequence[int]] = lambda group: [DELIVERED] * len(group)
        self.gate = asyncio.Event()
        self.gate.set()
        self.end: asyncio.Future[SinkDown] = asyncio.get_running_loop().create_future()
        self.opened = self.closed = 0
        self.values: list[Notice] = []

    async def open(self) -> None:
        self.opened += 1

    async def send(self, publications: Sequence[Publication]) -> Sequence[int]:
        self.groups.append(list(publications))
        await self.gate.wait()
        return self.answer(publications)

    async def lost(self) -> SinkDown:
        return await asyncio.shield(self.end)

    async def close(self) -> None:
        self.closed += 1

    async def put(self, notice: Notice) -> None:
        self.values.append(notice)


@pytest.fixture
async def far() -> Scripted:
    return Scripted()


def sink_to(far: Scripted, *outputs: Output) -> PublishingSink:
    return PublishingSink(far, SETTINGS, Shaper(outputs or (TELEMETRY,)))


def one(number: int, size: int = 10) -> Publication:
    return Publication("klvrelay/uav1/telemetry", b"x" * size, "application/json", record(number))


async def test_calls_that_wait_are_sent_as_one_group(far: Scripted):
    """While one group is under way; each call gets its own results, in order."""
    far.gate.clear()
    far.answer = lambda group: [REJECTED if each.item.seq == 3 else DELIVERED for each in group]
    outbox = Outbox(far)
    calls = [asyncio.create_task(outbox.send([one(number)])) for number in range(5)]
    await asyncio.sleep(0)
    far.gate.set()
    assert await asyncio.gather(*calls) == [[DELIVERED], [DELIVERED], [DELIVERED], [REJECTED], [DELIVERED]]
    assert [[each.item.seq for each in group] for group in far.groups] == [[0], [1, 2, 3, 4]]


async def test_a_group_is_bounded(far: Scripted):
    """A single call may be larger: it is sent alone."""
    far.gate.clear()
    outbox = Outbox(far)
    sizes = [1, GROUP_MOST - 1, 2, GROUP_MOST + 5, 1]
    calls = [asyncio.create_task(outbox.send([one(0)] * size)) for size in sizes]
    await asyncio.sleep(0)
    far.gate.set()
    await asyncio.gather(*calls)
    assert [len(group) for group in far.groups] == [1, GROUP_MOST - 1, 2, GROUP_MOST + 5, 1]


async def test_a_lost_connection_answers_the_leading_ones_and_nothing_more_is_sent(far: Scripted):
    """The call in the middle gets its part; later calls are offered again."""
    far.gate.clear()

    def lose(group: Sequence[Publication]) -> Sequence[int]:
        raise Unconfirmed("scripted://far: gone", [DELIVERED] * (len(group) - 3))

    outbox = Outbox(far)
    calls = [asyncio.create_task(outbox.send([one(0), one(1)])) for _ in range(4)]
    await asyncio.sleep(0)
    far.gate.set()
    await asyncio.sleep(0)
    far.answer = lose
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert results[:2] == [[DELIVERED] * 2] * 2
    partly, none = results[2:]
    assert isinstance(partly, Unconfirmed)
    assert partly.results == [DELIVERED]
    assert isinstance(none, Unconfirmed)
    assert none.results == []
    with pytest.raises(Unconfirmed, match="gone"):
        await outbox.send([one(9)])
    assert len(far.groups) == 2


async def test_a_cancelled_delivery_ends_the_connection_for_the_others(far: Scripted):
    """What was half sent must not be followed by anything."""
    far.gate.clear()
    outbox = Outbox(far)
    first, second = (asyncio.create_task(outbox.send([one(number)])) for number in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(Unconfirmed, match="stopped"):
        await second
    assert len(far.groups) == 1


async def test_the_outcome_counts_each_record_once(far: Scripted):
    """One with two outputs counts as delivered if one of them was; gaps count as gaps."""
    two = Output("position", "{prefix}/{stream}/position", items=("platform_heading_angle",))
    far.answer = lambda group: [
        LEFT_OUT if each.item.seq == 2 else REJECTED if each.item.seq == 1 and each.output == "telemetry" else DELIVERED
        for each in group
    ]
    batch: list[Item] = [record(0), record(1), record(2), Gap("uav1", BOOT, 3, 9, "memory", None), record(10)]
    async with sink_to(far, TELEMETRY, two) as sink:
        outcome = await sink.deliver(batch)
    assert outcome == Outcome(delivered=3, left_out=1, gaps=1)
    assert [(each.place, each.reason) for each in outcome.unpublished] == [(2, "too_large")]


async def test_the_answers_before_a_loss_are_reported(far: Scripted):
    """So that these records are not offered again."""

    def lose(group: Sequence[Publication]) -> Sequence[int]:
        raise Unconfirmed("scripted://far: gone", [DELIVERED, DELIVERED])

    far.answer = lose
    async with sink_to(far) as sink:
        with pytest.raises(SinkDown) as lost:
            await sink.deliver([record(number) for number in range(5)])
    assert lost.value.answered == Outcome(delivered=2)


async def test_a_late_record_is_published_again_if_the_connection_was_lost(far: Scripted):
    """The newest of an interval is not forgotten with the connection."""

    def lose(group: Sequence[Publication]) -> Sequence[int]:
        raise Unconfirmed("scripted://far: gone")

    sink = sink_to(far, Output("slow", "{prefix}/{stream}/slow", rate=10.0))
    async with sink:
        await sink.deliver([record(0), record(1)])
        far.answer = lose
        with pytest.raises(ExceptionGroup):
            await asyncio.wait_for(sink.keep(Notices().cursor()), 5)
    far.answer = lambda group: [DELIVERED] * len(group)
    far.groups.clear()
    async with sink:
        pass
    assert [[each.item.seq for each in group] for group in far.groups] == [[1]]


async def test_replayed_records_have_their_age(far: Scripted):
    """In the JSON, and beside it."""
    async with sink_to(far) as sink:
        await sink.deliver(Replay([record(0)]))
    ((published,),) = far.groups
    assert float(published.age) > 0
    assert orjson.loads(published.data)["replayed_s"] == float(published.age)


async def test_latest_values_are_kept_but_for_the_state(far: Scripted):
    """An output publishes the state."""
    notices = Notices()
    cursor = notices.cursor()
    notices.put(Notice("availability", "uav1", b"online"))
    notices.put(Notice("state", "uav1", b"{}"))
    async with sink_to(far) as sink:
        task = asyncio.create_task(sink.keep(cursor))
        await asyncio.wait_for(cursor.wait_until_published(), 5)
        far.end.set_result(SinkDown("scripted://far: closed"))
        with pytest.raises(ExceptionGroup) as ended:
            await task
    assert ended.group_contains(SinkDown, match="closed")
    assert [(each.kind, each.document) for each in far.values] == [("availability", b"online")]
    assert far.opened == far.closed == 1


async def test_a_publication_of_klv_is_the_record_as_the_output_leaves_it(far: Scripted):
    """A sink that works on records gets no item that the output leaves out."""
    output = Output("klv", "{prefix}/{stream}/klv", items=("platform_heading_angle",), format="klv")
    async with sink_to(far, output) as sink:
        await sink.deliver([record(0)])
    ((published,),) = far.groups
    assert published.record is not None
    assert "platform_tail_number" in record(0).items
    assert "platform_tail_number" not in published.record.items
    assert "platform_heading_angle" in published.record.items
    assert published.identity == f"{BOOT}-0"
