"""A sink with a budget over an emulated uplink, in virtual time: all that passes is counted at both ends."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any

import orjson
import pytest
import virtual_time
from payload_schemas import faults
from test_outputs import position
from uplink import Uplink
from uplink_flight import ALERTS, POSITION, STATE, TABLES, Flight, Subscriber, Trip, fly, trip

from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.outputs import output_of
from klvrelay.shape.budget.classes import Urgency
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.dialing import link as native_link
from klvrelay.sinks.mqtt.failover import FailoverSink
from klvrelay.sinks.mqtt.outputs.change_requests import answer
from klvrelay.sinks.mqtt.protocol.connection import Received

RATE = 64_000
WHOLE = {"preset": "telemetry", "format": "klv"}


@pytest.fixture(scope="module")
def flight() -> Flight:
    """Twenty seconds over 64 kbit/s with a round trip of 600 ms: four streams that need a megabit per second."""
    return virtual_time.run(fly(20, RATE))


def test_the_budget_is_kept_and_used(flight):
    """The link, which has its own counts, has carried what the sink's socket counts."""
    assert flight.wire * 8 <= 1.05 * RATE * flight.seconds
    assert flight.wire * 8 >= 0.8 * RATE * flight.seconds
    assert flight.link.sent.most(10) * 8 <= 1.05 * RATE * 10
    assert flight.kernel == pytest.approx(flight.wire, rel=0.05)


def test_positions_are_fresh_and_alerts_first(flight):
    assert max(flight.staleness("position", f"uav{number}", 5.0) for number in range(4)) <= 2.0
    assert flight.alerts == len(flight.of("urgent")) == 4
    assert max(each.age for each in flight.of("urgent")) <= 1.0


def test_each_record_is_counted(flight):
    """Also at the end: what could not be sent soon was thinned."""
    sums = flight.sums
    assert sums.numbered == 4 * 600 + 4
    assert sums.delivered + sums.thinned == sums.numbered
    assert sums.waiting == 0
    published = {(each.topic.split("/")[-2], dict(each.message.user).get("seq")) for each in flight.arrivals}
    assert len([stream for stream, seq in published if seq is not None]) == sums.delivered


def test_the_steps_are_published_with_their_reason(flight):
    steps = [document["step"] for document in flight.steps]
    assert steps == sorted(steps)
    assert steps[-1] >= 4
    last = flight.steps[-1]
    assert last["budget"] == "64kbit/s"
    assert "of the budget used in the last 5 s" in last["reason"]
    assert all(each.message.retain for each in flight.arrivals if each.topic == "klvrelay/uplink")
    assert [fault for document in flight.steps for fault in faults("uplink", document)] == []


def run(steps: Coroutine[Any, Any, None]) -> None:
    virtual_time.run(steps)


def test_without_counts_of_the_kernel_estimates_keep_the_budget(monkeypatch):
    """On other systems and old kernels."""
    monkeypatch.setattr(native_link, "tcp_info", lambda sock: None)
    flight = virtual_time.run(fly(10, RATE))
    assert 0.6 * RATE <= flight.wire * 8 / flight.seconds <= 1.1 * RATE


def test_a_budget_that_suffices_changes_nothing():
    """No step, and every record arrives."""

    async def steps() -> None:
        async with trip(512_000, [{"preset": "telemetry", "format": "klv"}]) as on:
            await on.feed(5, 1)
            await on.tasks[0].cursor.wait_until_drained()
            sums = on.tasks[0].sums()
            assert sums.delivered == sums.numbered == 151
            assert on.uplink.document()["step"] == 0
            assert on.uplink.left_out == 0

    run(steps())


def test_availability_and_changes_of_state_pass_records():
    """Other documents are late: of those that wait, only the latest is sent."""

    async def steps() -> None:
        async with trip(RATE) as on:
            feeding = asyncio.create_task(on.feed(12))
            await asyncio.sleep(8)
            on.notices.put(Notice("availability", "uav1", b"offline"))
            on.put_link("uav1", "stale", 99)
            begin = asyncio.get_running_loop().time()
            await asyncio.sleep(1.5)
            after = [each for each in on.oracle.arrivals if each.at >= begin]
            leaves = [each.topic for each in after if each.topic.endswith(("/availability", "/link"))]
            assert leaves == ["klvrelay/uav1/availability", "klvrelay/uav1/link"]
            await feeding

    run(steps())


def test_a_lost_connection_leaves_every_record_accounted_for():
    """What waited is offered again, and the next record of an output on change is full."""

    async def steps() -> None:
        tables = [POSITION | {"on_change": True}, {"preset": "telemetry", "on_change": True}]
        async with trip(RATE, tables) as on:
            await on.feed(6, 2)
            on.link.cut(reset=True)
            lost = asyncio.get_running_loop().time()
            await on.feed(8, 2)
            assert on.link.connections == 2
            await on.tasks[0].settle()
            sums = on.tasks[0].sums()
            assert sums.delivered + sums.thinned == sums.numbered
            after = [each for each in on.oracle.arrivals if each.at > lost + 0.7 and each.topic.endswith("/position")]
            assert orjson.loads(after[0].message.payload)["full"] is True
            _assert_chained(on)

    run(steps())


def _assert_chained(on: Trip) -> None:
    """Each partial position names the one before it, which was published."""
    for stream in ("uav0", "uav1"):
        documents = [
            orjson.loads(each.message.payload) for each in on.oracle.arrivals
            if each.topic == f"klvrelay/{stream}/position"
        ]  # fmt: skip
        published = {document["seq"] for document in documents}
        assert len(documents) > 10
        assert all(document["full"] or document["after"] in published for document in documents)


def test_what_the_budget_left_out_follows_when_the_link_is_idle():
    """Each record arrives once: live, or later as a whole. Both cursors count it."""

    async def steps() -> None:
        async with trip(RATE, [WHOLE], later=True) as on:
            await on.feed(4, 1, hz=60)
            live = {dict(each.message.user)["seq"] for each in on.oracle.arrivals if each.topic.endswith("/telemetry")}
            assert live
            await on.tasks[1].cursor.wait_until_drained()
            arrivals = [each for each in on.oracle.arrivals if each.topic.endswith("/later")]
            later = [(each.topic, dict(each.message.user)["seq"]) for each in arrivals]
            sums, left = on.tasks[0].sums(), on.tasks[1].sums()
            assert sums.thinned > 50
            assert left.delivered == len(later) == len(set(later)) >= sums.thinned - 1
            assert left.numbered == sums.numbered == left.delivered + left.thinned
            assert on.uplink.budget.total * 8 <= 1.05 * RATE * asyncio.get_running_loop().time()

    run(steps())


def test_each_broker_of_several_begins_with_its_own_step():
    """Their sinks share what shapes the records."""

    async def steps() -> None:
        async with trip(RATE) as on:
            shaper = on.sink.budget_outputs._shaper
            shaper.reduce(lambda outputs: [None] * len(outputs))  # as another broker's sink left it
            on.link.cut(reset=True)
            await asyncio.sleep(3)
            await on.feed(2, 1)
            assert any(each.topic == "klvrelay/uav0/position" for each in on.oracle.arrivals)

    run(steps())


def test_a_request_is_answered_at_once_and_what_it_changed_is_reduced_too():
    """Also over a link that is full: the answer has the class of alerts."""

    async def steps() -> None:
        async with trip(RATE, [WHOLE], changeable=("*.rate", "*.items")) as on:
            on.put_link("uav0", "live", 0)
            for _ in range(10):
                await on.feed(10)
                if on.uplink.ladder.rung.step > 0:
                    break
            assert on.uplink.ladder.rung.step > 0
            changes: Any = on.sink._values._changes
            request = b'{"output":"telemetry","rate":25,"id":"%d"}'
            sent = asyncio.get_running_loop().time()
            for number in range(3):
                assert changes._take(Received("klvrelay/uav0/set", request % number, False))
            await on.feed(3)
            found = [each for each in on.oracle.arrivals if each.topic == "klvrelay/uav0/set/result"]
            answers = [orjson.loads(each.message.payload) for each in found]
            assert [each["id"] for each in answers] == ["0", "1", "2"]
            assert max(each.at for each in found) - sent < 3
            shaper = on.sink.budget_outputs._shaper
            (own,) = shaper._of_stream["uav0"]
            assert own.configured.rate == 25
            assert own.output != own.configured, "reduced"
            await on.feed(10)
            assert on.link.sent.most(10) * 8 <= 1.05 * RATE * 10

    run(steps())


def test_with_other_items_an_output_has_another_class_at_any_of_several_brokers():
    """The one in use notes a change at run time, whichever was made last."""

    async def steps() -> None:
        async with Subscriber() as oracle:
            brokers = [MqttSettings(host="127.0.0.1", port=oracle.port)] * 2
            shaper = Shaper([output_of(POSITION)], changeable=["*.items"])
            async with FailoverSink(brokers, boot="5f2c9a", shaper=shaper, budget=RATE) as sink:

                def urgency() -> Urgency:
                    [due] = shaper.offer(position(0, 1), 0.0)[0]
                    return sink.budget_outputs._urgencies.of(due.shaped.output)

                assert urgency() is Urgency.POSITION
                assert answer(shaper, "uav1", b'{"output":"position","items":[]}', 0.0)["ok"]
                assert urgency() is Urgency.OTHER

    run(steps())


def test_the_kernel_keeps_little_that_was_not_sent():
    async def steps() -> None:
        async with trip(RATE) as on:
            sock: socket.socket = on.sink._connection._link._sock  # type: ignore[union-attr]
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == 800

    run(steps())


def test_a_link_slower_than_the_budget_still_sends_what_is_urgent_first():
    """Few bytes are in flight, so that an alert does not wait behind what was sent before."""

    async def steps() -> None:
        async with trip(RATE, link_rate=RATE / 2) as on:
            await on.feed(20)
            ages = [each.age for each in on.oracle.arrivals if each.topic == f"klvrelay/{ALERTS}/urgent"]
            assert len(ages) == 4
            assert max(ages) < 3.0

    run(steps())


def test_the_last_values_and_the_end_of_the_relay_need_no_budget():
    """A stop publishes `offline` at once."""

    async def steps() -> None:
        async with trip(RATE, [*TABLES, STATE]) as on:
            on.notices.put(Notice("availability", "uav0", b"online"))
            await on.feed(5)
            stop = asyncio.get_running_loop().time()
            await on.tasks[0].settle()
        last = on.oracle.arrivals[-1]
        assert last.topic == "klvrelay/status"
        assert orjson.loads(last.message.payload)["state"] == "offline"
        assert orjson.loads(last.message.payload)["uplink"]["budget"] == "64kbit/s"
        assert faults("status", orjson.loads(last.message.payload)) == []
        assert last.at - stop < 3

    run(steps())


# ---- the emulated link ----


def test_the_emulated_link_has_a_rate_and_a_delay():
    async def steps() -> None:
        got: list[tuple[float, int]] = []

        async def far_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(1 << 16):
                got.append((asyncio.get_running_loop().time(), len(data)))
                writer.write(b"y" * 100)
            writer.close()

        server = await asyncio.start_server(far_end, "127.0.0.1", 0)
        async with server, Uplink(server.sockets[0].getsockname()[1], up=1000, down=1000, delay=0.5) as link:
            reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
            writer.write(bytes(10_000))
            await reader.read(1)
            while sum(size for _, size in got) < 10_000:
                await asyncio.sleep(0.1)
            assert link.sent.payload == 10_000
            assert link.sent.wire >= 10_000 + 8 * 52
            assert got[-1][0] == pytest.approx(link.sent.wire / 1000 + 0.5, abs=0.2)
            assert link.sent.most(3) <= 1000 * 3 + 1500
            writer.close()
            await asyncio.sleep(5)

    run(steps())


