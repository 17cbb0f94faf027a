"""Messages in flight: up to the limit, in the order of the calls, each with its own timeout."""

from __future__ import annotations

import asyncio
import contextlib

import orjson
import pytest
from brokers import SAMPLE, listening, until
from latest_values import keeping
from oracle_broker import OracleBroker
from records import BOOT, record

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown
from klvrelay.outcome import Outcome
from klvrelay.relay import relay
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.native import connection as native_connection
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import Message, Unanswered
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sinks.mqtt.values import published_values

RECEIVE_MAXIMUM = 0x21
WILL = Message("kr/status", b"gone", retain=True)
TELEMETRY = "klvrelay/uav1/telemetry"


def to(broker, **settings):
    return MqttSettings.from_url(broker.url, **{"timeout": 2.0, **settings})


def sink_to(broker, **settings):
    return MqttSink(to(broker, **settings), boot=BOOT)


def seqs(oracle):
    return [orjson.loads(p)["seq"] for p in oracle.payloads(TELEMETRY)]


async def test_batches_are_sent_before_earlier_ones_are_answered_in_the_order_of_the_calls(oracle):
    """Ten calls at once, a window of 25: filled at once, and never more; messages are sent in order."""
    oracle.manners.limits[RECEIVE_MAXIMUM] = 25
    async with sink_to(oracle, timeout=30.0) as sink:
        oracle.manners.ack = False
        calls = [
            asyncio.create_task(sink.deliver([record(n) for n in range(start, start + 10)]), name=f"call {start}")
            for start in range(0, 100, 10)
        ]
        await until(lambda: len(seqs(oracle)) == 25)
        await asyncio.sleep(0)
        assert len(seqs(oracle)) == 25
        oracle.acknowledge()
        outcomes = await asyncio.gather(*calls)

    assert outcomes == [Outcome(delivered=10)] * 10
    assert seqs(oracle) == list(range(100))
    assert oracle.most_unacked <= 25


@pytest.mark.parametrize(("protocol", "most"), [(5, 1000), (4, 100)])
async def test_without_a_setting_the_window_is_that_of_the_protocol(oracle, protocol, most):
    """A broker of MQTT 5 without Receive Maximum accepts 65,535; the client sends 1,000 of them, and 100 with 3.1.1."""
    async with sink_to(oracle, timeout=30.0, protocol=protocol) as sink:
        oracle.manners.ack = False
        delivering = asyncio.create_task(sink.deliver([record(n) for n in range(1200)]), name="delivering")
        await until(lambda: len(seqs(oracle)) >= most)
        assert len(seqs(oracle)) == most
        oracle.acknowledge()
        assert await delivering == Outcome(delivered=1200)

    assert oracle.most_unacked == most


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("protocol", [5, 4])
@pytest.mark.parametrize("qos", [1, 2])
async def test_the_sample_configuration_allows_a_thousand_in_flight(mosquitto, protocol, qos):
    """1,500 records in 15 calls at once, each once and in order, over one connection."""
    assert "max_inflight_messages 1000" in SAMPLE.read_text()
    async with (
        listening(mosquitto.port, TELEMETRY) as heard,
        sink_to(mosquitto, protocol=protocol, qos=qos, timeout=20.0) as sink,
    ):
        assert sink._connection._outgoing.flight.most == {5: 1000, 4: 100}[protocol]
        batches = [[record(n) for n in range(start, start + 100)] for start in range(0, 1500, 100)]
        outcomes = await asyncio.gather(*(sink.deliver(batch) for batch in batches))
        messages = await heard.count(1500)

    assert outcomes == [Outcome(delivered=100)] * 15
    assert [orjson.loads(m.payload)["seq"] for m in messages] == list(range(1500))


async def test_a_cancelled_call_lets_the_next_one_go_on(oracle):
    """A call that waits for its turn or for capacity is cancelled: later calls are sent, in their order."""
    oracle.manners.limits[RECEIVE_MAXIMUM] = 10
    async with sink_to(oracle, timeout=30.0) as sink:
        oracle.manners.ack = False
        calls = [
            asyncio.create_task(sink.deliver([record(n) for n in range(start, start + 10)]), name=f"call {start}")
            for start in range(0, 50, 10)
        ]
        await until(lambda: len(seqs(oracle)) == 10)
        for number in (1, 3):
            calls[number].cancel()
        oracle.acknowledge()
        await asyncio.wait(calls)

    assert [call.cancelled() for call in calls] == [False, True, False, True, False]
    assert seqs(oracle) == [*range(10), *range(20, 30), *range(40, 50)]


class Slow(OracleBroker):
    """A broker that acknowledges one message, the oldest, at a time: `answer()`."""

    async def answer(self, count=1):
        for _ in range(count):
            await until(lambda: self._owed)
            self._owed.pop(0)()


async def test_the_timeout_applies_to_each_confirmation():
    """Five answers, each after a quarter of the timeout: all are waited for, longer than the timeout in sum."""
    async with Slow() as broker:
        connection = await connect(to(broker, timeout=1.6), client_id="kr", will=WILL)
        broker.manners.ack = False
        sending = asyncio.create_task(connection.publish([Message("kr/a", b"%d" % n) for n in range(5)]), name="all")
        for _ in range(5):
            await asyncio.wait({sending}, timeout=0.4)
            await broker.answer()
        assert await sending == [0] * 5
        await connection.close()


async def test_a_message_without_an_answer_fails_though_others_are_answered(oracle):
    """The oldest one counts: later answers do not help it. It fails at the timeout, neither sooner nor much later."""
    connection = await connect(to(oracle, timeout=1.0), client_id="kr", will=WILL)
    oracle.manners.ack = False
    loop = asyncio.get_running_loop()
    start = loop.time()
    lost = asyncio.create_task(connection.publish([Message("kr/a", b"lost")]), name="lost")
    await until(lambda: oracle._owed)
    oracle._owed.clear()
    oracle.manners.ack = True
    while not lost.done():
        try:
            await connection.publish([Message("kr/a", b"x")])
        except SinkDown:
            break
        assert loop.time() - start < 4
    await asyncio.wait({lost}, timeout=1)

    assert 1.0 <= loop.time() - start < 1.9
    assert "no confirmation within 1 s" in str(lost.exception())


async def test_a_full_window_is_waited_for_with_the_same_timeout(oracle):
    """Where nothing is answered, the call ends at the timeout, not at twice that."""
    connection = await connect(to(oracle, timeout=1.0, window=2), client_id="kr", will=WILL)
    oracle.manners.ack = False
    start = asyncio.get_running_loop().time()
    with pytest.raises(Unanswered):
        await connection.publish([Message("kr/a", b"x")] * 5)

    assert asyncio.get_running_loop().time() - start < 1.9
    await connection.close()


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (0x95, "larger than it allows"),
        (0x99, "payload format"),
        (0x97, "quota"),
        (0x93, "smaller window"),
        (0x82, "protocol error"),
    ],
)
async def test_a_disconnect_in_flight_reports_earlier_answers(oracle, code, says):
    """The leading records; the reason is in the text."""
    publish = oracle._publish

    def dismiss_at(guest, flags, body):
        publish(guest, flags, body)
        if len(seqs(oracle)) == 12:
            # PUBACKs are sent a turn of the loop later: the DISCONNECT follows eleven of twelve.
            oracle._owed.clear()
            asyncio.get_running_loop().call_soon(oracle.dismiss, code)

    oracle._publish = dismiss_at
    sink = sink_to(oracle)
    async with sink:
        with pytest.raises(SinkDown, match=says) as down:
            await sink.deliver([record(n) for n in range(20)])

    assert down.value.answered.delivered in (11, 12)
    assert down.value.answered == Outcome(delivered=down.value.answered.delivered)


async def test_each_of_several_calls_reports_its_own_answers(oracle):
    """The connection breaks after the 15th record: one call is complete, one half, one has none."""
    broker = oracle
    async with sink_to(broker, timeout=30.0, publish_bad="drop") as sink:
        broker.manners.ack = False
        calls = [
            asyncio.create_task(sink.deliver([record(n) for n in range(start, start + 10)]), name=f"call {start}")
            for start in (0, 10, 20)
        ]
        await until(lambda: len(broker._owed) == 30)
        for _ in range(15):
            broker._owed.pop(0)()
        await until(lambda: calls[0].done())
        await until(lambda: len(sink._connection._outgoing.flight.messages) == 15)
        broker.cut()
        await asyncio.wait(calls)

    assert calls[0].result() == Outcome(delivered=10)
    assert [call.exception().answered for call in calls[1:]] == [Outcome(delivered=5), Outcome()]


# ---- latest values, and the last status ----------------------------------------------------------------------


def states(oracle):
    return [orjson.loads(document)["state"] for document in oracle.payloads("klvrelay/status")]


@contextlib.asynccontextmanager
async def stuck(oracle, count=30, **settings):
    """A sink whose window of five is full, since the broker answers nothing, with more waiting records."""
    sink = sink_to(oracle, timeout=30.0, window=5, **settings)
    async with sink, keeping(sink) as work:
        await work.publish(Notice("availability", "uav1", b"online"))
        oracle.manners.ack = False
        records = [record(n) for n in range(count)]
        calls = [asyncio.create_task(sink.deliver(records[n : n + 10]), name="call") for n in range(0, count, 10)]
        await until(lambda: len(seqs(oracle)) == 5)
        try:
            yield work
        finally:
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)


async def test_latest_values_do_not_wait_for_waiting_records(oracle):
    """The first message that may be sent is theirs; the records follow, in order."""
    async with stuck(oracle) as work:
        work.notices.put(Notice("state", "uav1", b'{"a":1}'))
        await asyncio.wait_for(work.cursor.wait_until_published(), 5)
        oracle._owed.pop(0)()
        await until(lambda: oracle.payloads("klvrelay/uav1/state"))
        assert len(seqs(oracle)) == 5
        oracle.acknowledge()
        await until(lambda: len(seqs(oracle)) == 30)
        assert seqs(oracle) == list(range(30))


async def test_latest_values_are_sent_in_order(oracle):
    """Even where each waits for capacity, one after the other."""
    async with stuck(oracle) as work:
        for n in range(10):
            work.notices.put(Notice("state", f"s{n}", b"{}"))
        await asyncio.wait_for(work.cursor.wait_until_published(), 5)
        oracle.acknowledge()
        await until(lambda: len(seqs(oracle)) == 30)
    topics = [p.topic for p in oracle.published if p.topic.endswith("/state")]
    assert topics == [f"klvrelay/s{n}/state" for n in range(10)]


@pytest.mark.parametrize("qos", [1, 2])
async def test_the_last_status_is_sent_though_no_message_is_answered(oracle, qos, monkeypatch):
    """Neither the window nor waiting records delay it: streams and relay are offline, with the final facts."""
    monkeypatch.setattr(published_values, "GOODBYE_TIMEOUT", 0.2)
    async with asyncio.timeout(10):
        async with stuck(oracle, qos=qos) as work:
            work.notices.put(Notice("status", None, b'{"records":{"waiting":30}}'))
        await until(lambda: oracle.goodbyes == 1)
    assert oracle.payloads("klvrelay/uav1/availability") == [b"online", b"offline"]
    status = orjson.loads(oracle.payloads("klvrelay/status")[-1])
    assert (status["state"], status["reason"], status["records"]) == ("offline", "stopped", {"waiting": 30})


def test_the_last_status_takes_less_than_the_time_for_it():
    """Otherwise it would be cut off before it is sent unconfirmed, and the broker would publish the will."""
    goodbye = published_values.GOODBYE_TIMEOUT + published_values.LAST_WORDS + native_connection.LAST_READ
    assert goodbye < relay.LAST_SINKS


async def test_the_last_status_has_the_final_facts_though_earlier_ones_are_unanswered(oracle, monkeypatch):
    """More latest values than may be in flight have no answer: later facts are in the last status."""
    monkeypatch.setattr(published_values, "GOODBYE_TIMEOUT", 0.2)
    sink = sink_to(oracle, timeout=30.0)
    async with sink, keeping(sink) as work:
        oracle.manners.ack = False
        for n in range(published_values.NOTICES_MOST):
            work.notices.put(Notice("state", f"s{n}", b"{}"))
        await until(lambda: len(oracle._owed) == published_values.NOTICES_MOST)
        work.notices.put(Notice("status", None, b'{"records":{"waiting":7}}'))
    assert states(oracle)[-1] == "offline"
    assert orjson.loads(oracle.payloads("klvrelay/status")[-1])["records"] == {"waiting": 7}


async def test_waiting_for_its_turn_does_not_reduce_a_messages_timeout(oracle):
    """Its timeout begins when it is sent: behind others, each answered in time, it may wait longer."""
    async with sink_to(oracle, timeout=1.0, window=1) as sink:
        oracle.manners.ack = False
        call = asyncio.create_task(sink.deliver([record(n) for n in range(5)]), name="call")
        began = asyncio.get_running_loop().time()
        for n in range(5):
            await until(lambda n=n: len(seqs(oracle)) == n + 1)
            await asyncio.wait({call}, timeout=0.25)  # a quarter of its timeout
            oracle._owed.pop(0)()
        assert await call == Outcome(delivered=5)
        assert asyncio.get_running_loop().time() - began > 1.0
        oracle.manners.ack = True
