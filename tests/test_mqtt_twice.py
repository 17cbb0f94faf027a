"""QoS 2: no message that the broker accepted is sent twice, and none is lost, wherever the connection breaks."""

from __future__ import annotations

import asyncio
import contextlib

import orjson
import pytest
from brokers import listening, until
from latest_values import publish
from records import BOOT, record

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown
from klvrelay.outcome import Outcome
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import Message
from klvrelay.sinks.mqtt.protocol.session import Session
from klvrelay.sinks.mqtt.refused import control
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sinks.mqtt.values import retained

TELEMETRY = "klvrelay/uav1/telemetry"
BATCH = [record(n) for n in range(30)]
STEPS = ("PUBLISH", "PUBREC", "PUBREL", "PUBCOMP")


def sink_to(broker, **settings):
    return MqttSink(MqttSettings.from_url(broker.url, **{"timeout": 2.0, "qos": 2, **settings}), boot=BOOT)


def seqs(published):
    return [orjson.loads(p.payload)["seq"] for p in published if p.topic == TELEMETRY]


async def offered_until_taken(sink, batch):
    """How many records are delivered; see `offered_until_answered`."""
    return (await offered_until_answered(sink, batch)).delivered


async def offered_until_answered(sink, batch):
    """As the pipeline does it: after each break a new connection, which is offered what was not answered."""
    batch, done, broken, connections = list(batch), Outcome(), True, 0
    while broken:
        connections += 1
        assert connections < 50
        try:
            async with sink:
                outcome = await delivered(sink, batch)
                broken = outcome.answered < len(batch) or sink._connection._fault is not None
                done = Outcome(*map(sum, zip(done, outcome, strict=True)))
                batch = batch[outcome.answered :]
        except SinkDown:
            broken = True
    return done


async def delivered(sink, batch):
    try:
        return await sink.deliver(batch)
    except SinkDown as down:
        return down.answered


@pytest.mark.parametrize("protocol", [5, 4])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("at", [2, 3, 17, 31])
@pytest.mark.parametrize("reset", [False, True])
async def test_each_message_is_released_once_wherever_the_connection_is_cut(oracle, protocol, step, at, reset):
    """After the n-th packet of any kind, by FIN or RST: each record once, none missing (the status is message 1)."""
    counts = dict.fromkeys(STEPS, 0)

    def cut(name):
        counts[name] += 1
        if name == step and counts[name] == at:
            oracle.cut(reset)

    oracle.on_step = cut
    done = await offered_until_taken(sink_to(oracle, protocol=protocol), BATCH)
    await until(lambda: len(seqs(oracle.released)) >= 30)

    assert done == 30
    assert sorted(seqs(oracle.released)) == list(range(30))
    assert counts[step] >= at


@pytest.mark.parametrize("step", STEPS)
async def test_repeatedly_broken_connections_repeat_nothing(oracle, step, monkeypatch):
    """Every tenth packet of a kind, even while the last break is being recovered."""
    for name in ("CONTROL", "CONTROL_MOST", "SILENT"):  # how long a record at which connections ended is withheld
        monkeypatch.setattr(control, name, 0.1)
    counts = dict.fromkeys(STEPS, 0)

    def cut(name):
        counts[name] += 1
        if name == step and counts[name] % 10 == 9:
            oracle.cut()

    oracle.on_step = cut
    batch = [record(n) for n in range(60)]
    assert await offered_until_taken(sink_to(oracle, window=7), batch) == 60
    oracle.on_step = lambda name: None
    await until(lambda: len(seqs(oracle.released)) >= 60)

    assert sorted(seqs(oracle.released)) == list(range(60))
    assert len(oracle.guests) >= 6


async def test_a_retransmission_has_the_dup_flag_and_its_identifier(oracle):
    """DUP and the same packet identifier, so that the broker recognises it; only PUBREL for an accepted one (MQTT 5,
    4.4).
    """
    oracle.on_step = lambda name: oracle.cut() if name == "PUBREC" and len(oracle.published) == 3 else None
    sink = sink_to(oracle)
    await offered_until_taken(sink, BATCH[:10])
    await until(lambda: len(seqs(oracle.released)) == 10)

    again = [p for p in oracle.published if p.dup]
    assert again
    assert set(seqs(again)).isdisjoint(seqs(oracle.published[:3]))
    assert [guest.clean for guest in oracle.guests] == [False, False]


async def test_a_broken_connection_counts_only_messages_whose_exchange_is_complete(oracle):
    """Of the leading records. The other messages are unanswered."""

    def stop_answering(name):
        oracle.manners.ack = len(oracle.published) < 11

    oracle.on_step = stop_answering
    sink = sink_to(oracle, timeout=30.0)
    async with sink:
        delivering = asyncio.create_task(delivered(sink, BATCH), name="delivering")
        await until(lambda: len(oracle.published) == 31 and len(seqs(oracle.released)) == 9)
        oracle.cut()
        outcome = await delivering

    assert outcome == Outcome(delivered=9)


async def test_a_message_without_pubcomp_is_not_delivered_yet(oracle):
    """Many brokers hand a message on at PUBREL only. If the relay stops before that, no subscriber gets it."""
    steps = []

    def cut(name):
        steps.append(name)
        if steps.count("PUBREC") == 11:
            oracle.cut()

    sink = sink_to(oracle, timeout=30.0)
    async with sink:
        oracle.on_step = cut
        outcome = await delivered(sink, BATCH)
        taken = len(sink._session._taken)
    oracle.on_step = lambda name: None

    assert taken > 0
    assert outcome.answered <= steps.count("PUBCOMP") < 11
    async with sink:
        assert await sink.deliver(BATCH[outcome.answered :]) == Outcome(delivered=30 - outcome.delivered)
    assert seqs(oracle.released) == list(range(30))


@pytest.mark.parametrize("protocol", [5, 4])
@pytest.mark.parametrize("at", range(2, 8))
async def test_a_record_of_two_messages_repeats_neither(oracle, protocol, at):
    """The connection breaks between the answers to its JSON and to its raw bytes."""
    counts = dict.fromkeys(STEPS, 0)

    def cut(name):
        counts[name] += 1
        if name == "PUBCOMP" and counts[name] == at:
            oracle.cut()

    oracle.on_step = cut
    batch = [record(n) for n in range(6)]
    assert await offered_until_taken(sink_to(oracle, protocol=protocol, raw=True), batch) == 6
    oracle.on_step = lambda name: None
    await until(lambda: len(seqs(oracle.released)) >= 6)

    assert sorted(seqs(oracle.released)) == list(range(6))
    assert sum(p.topic == "klvrelay/uav1/raw" for p in oracle.released) == 6


@pytest.mark.parametrize("protocol", [5, 4])
@pytest.mark.parametrize("answered", [0, 15, 30])
async def test_a_delivery_that_is_cancelled_and_repeated_publishes_nothing_twice(oracle, protocol, answered):
    """On the same connection, whether the broker answers before or after the repetition."""
    async with sink_to(oracle, protocol=protocol, timeout=30.0) as sink:
        await half_delivered(sink, oracle, answered)
        again = asyncio.create_task(sink.deliver(BATCH), name="again")
        await asyncio.sleep(0)
        oracle.acknowledge()
        assert await again == Outcome(delivered=30)

    assert sorted(seqs(oracle.published)) == list(range(30))
    assert sorted(seqs(oracle.released)) == list(range(30))


@pytest.mark.parametrize("answered", [0, 15, 30])
async def test_a_cancelled_delivery_publishes_nothing_twice_on_the_next_connection(oracle, answered):
    """The session completes what was in flight, and the repetition finds its answers."""
    sink = sink_to(oracle, timeout=30.0)
    async with sink:
        await half_delivered(sink, oracle, answered)
        oracle.cut()
        oracle.acknowledge()
    assert await offered_until_taken(sink, BATCH) == 30
    await until(lambda: len(seqs(oracle.released)) >= 30)

    assert sorted(seqs(oracle.released)) == list(range(30))


async def test_equal_messages_are_no_repetitions(oracle):
    """Two records with the same bytes have the same raw message in MQTT 3.1.1; each goes out once."""
    batch = [record(0)._replace(seq=seq) for seq in range(4)]
    async with sink_to(oracle, protocol=4, raw=True, timeout=30.0) as sink:
        await half_delivered(sink, oracle, 0, batch)
        again = asyncio.create_task(sink.deliver(batch), name="again")
        await asyncio.sleep(0)
        oracle.acknowledge()
        assert await again == Outcome(delivered=4)

    assert sum(p.topic == "klvrelay/uav1/raw" for p in oracle.released) == 4


@pytest.mark.parametrize("protocol", [5, 4])
async def test_what_a_broker_lost_with_its_session_is_neither_sent_again_nor_delivered(oracle, protocol, caplog):
    """Messages with PUBREC only may be lost: they count as rejected. The others are sent as new messages."""
    oracle.on_step = lambda name: oracle.cut() if name == "PUBREC" and len(oracle.published) == 6 else None
    oracle.manners.sessions = False
    sink = sink_to(oracle, protocol=protocol)
    outcome = await offered_until_answered(sink, BATCH)
    sent, released = seqs(oracle.published), seqs(oracle.released)

    assert outcome.answered == 30
    assert outcome.rejected > 0
    assert outcome.delivered == len(released) == 30 - outcome.rejected
    assert set(sent) == set(range(30))
    assert all(sent.count(seq) == 1 for seq in range(5))
    assert not any(p.dup for p in oracle.published)
    assert not sink.suspended.topics
    assert caplog.text.count("the broker lost its session") == 1
    assert f"may be lost: count={outcome.rejected}" in caplog.text


@pytest.mark.parametrize("protocol", [5, 4])
async def test_a_session_of_an_earlier_run_is_not_resumed(oracle, protocol):
    """It was killed with incomplete messages: the same client id starts with the same packet identifiers again."""
    earlier = sink_to(oracle, protocol=protocol, client_id="relay-1", timeout=30.0)
    oracle.on_step = lambda name: oracle.cut() if name == "PUBREC" and len(oracle.published) == 6 else None
    with contextlib.suppress(SinkDown):
        async with earlier:
            await earlier.deliver(BATCH)
    assert oracle._sessions["relay-1"]
    oracle.on_step = lambda name: None
    oracle.published.clear()

    later = [record(n) for n in range(100, 120)]
    done = await offered_until_taken(sink_to(oracle, protocol=protocol, client_id="relay-1"), later)
    await until(lambda: len(seqs(oracle.released)) >= 20)

    assert done == 20
    assert [seq for seq in seqs(oracle.released) if seq >= 100] == list(range(100, 120))


async def test_a_clean_end_leaves_no_session(oracle):
    """With MQTT 5 the DISCONNECT ends it; with QoS 1 there is none."""
    async with sink_to(oracle) as sink:
        await sink.deliver(BATCH[:3])
        assert oracle._sessions
    await until(lambda: oracle.goodbyes == 1)
    assert not oracle._sessions

    async with sink_to(oracle, qos=1) as sink:
        await sink.deliver(BATCH[:3])
        assert not oracle._sessions


async def test_a_refused_message_of_qos_2_is_answered_by_its_pubrec(oracle):
    """No PUBREL follows (MQTT 5, 4.3.3), its identifier is free, and the other messages arrive."""
    oracle.manners.refuses = frozenset({"klvrelay/uav2/telemetry"})
    steps = []
    oracle.on_step = steps.append
    async with sink_to(oracle) as sink:
        outcome = await sink.deliver([record(n, f"uav{n % 2 + 1}") for n in range(10)])

    assert outcome == Outcome(delivered=5, rejected=5)
    assert steps.count("PUBREL") == 5 + 2


async def test_a_value_that_is_published_again_is_a_new_message(oracle):
    """A latest value may equal an earlier one: it is sent all the same."""
    online, offline = (Notice("availability", "uav1", text) for text in (b"online", b"offline"))
    sink = sink_to(oracle)
    oracle.on_step = lambda name: oracle.cut() if name == "PUBREC" and len(oracle.published) == 2 else None
    with contextlib.suppress(SinkDown):
        async with sink:
            await publish(sink, online)
    async with sink:
        for value in (online, offline, online):
            await publish(sink, value)

    values = [p.payload for p in oracle.released if p.topic.endswith("availability")]
    assert values == [b"online", b"online", b"offline", b"online", b"offline"]


async def test_a_value_whose_publication_was_cancelled_is_published_again(oracle):
    """The latest value counts: an equal one in flight may be followed by another value."""
    online, offline = (Message("klvrelay/uav1/availability", text, 2, True) for text in (b"online", b"offline"))
    async with sink_to(oracle, timeout=30.0) as sink:
        oracle.manners.ack = False
        publishing = asyncio.create_task(sink._connection.publish([offline, online]), name="publishing")
        await until(lambda: oracle.unanswered == 2)
        publishing.cancel()
        await asyncio.wait({publishing})
        again = asyncio.create_task(sink._connection.publish([offline]), name="again")
        await until(lambda: oracle.unanswered == 3)
        oracle.acknowledge()
        assert await again == [0]

    values = [p.payload for p in oracle.released if p.topic.endswith("availability")]
    assert values == [b"offline", b"online", b"offline"]


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("protocol", [5, 4])
async def test_mosquitto_forwards_each_record_once(mosquitto, protocol):
    """A connection is cut ten times while records are in flight: a subscriber gets each once."""
    sink = sink_to(mosquitto, protocol=protocol)
    left, cuts, connections = [record(n) for n in range(400)], 0, 0
    async with listening(mosquitto.port, TELEMETRY) as heard:
        while left or cuts < 10:
            connections += 1
            assert connections < 50
            with contextlib.suppress(SinkDown):
                async with sink:
                    delivering = asyncio.create_task(delivered(sink, left), name="delivering")
                    if cuts < 10:
                        cuts += 1
                        await cut_in_flight(sink, turns=cuts)
                    outcome = await delivering
                    left = left[outcome.answered :]
        async with sink:
            await heard.count(400)

    assert sorted(orjson.loads(m.payload)["seq"] for m in heard.messages) == list(range(400))


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("protocol", [5, 4])
async def test_a_real_broker_hands_each_record_of_a_cancelled_delivery_on_once(mosquitto, protocol):
    """mosquitto, and deliveries that are cancelled in flight and repeated, each time a little later."""
    batch, cancelled = [record(n) for n in range(400)], 0
    async with listening(mosquitto.port, TELEMETRY) as heard, sink_to(mosquitto, protocol=protocol, window=50) as sink:
        while (outcome := await cancelled_delivery(sink, batch, turns=cancelled + 1)) is None:
            cancelled += 1
        await heard.count(400)

    assert outcome == Outcome(delivered=400)
    assert cancelled > 0
    assert sorted(orjson.loads(m.payload)["seq"] for m in heard.messages) == list(range(400))


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("protocol", [5, 4])
async def test_a_real_broker_keeps_the_session_over_a_restart(mosquitto, protocol):
    """It saves the session, so that messages with PUBREC only are completed afterwards and not lost."""
    await mosquitto.stop()
    mosquitto.configure(f"listener {mosquitto.port} 127.0.0.1\nallow_anonymous true\npersistence true\n")
    await mosquitto.start()
    settings = MqttSettings.from_url(mosquitto.url, timeout=4.0, qos=2, protocol=protocol)
    session, will = Session(), Message("klvrelay/status", b"{}", retain=True)
    first = await connect(settings, client_id="kr", will=will, session=session)
    assert await first.publish([Message("klvrelay/a", b"x", qos=2)]) == [0]
    await mosquitto.stop()
    first.abort()
    await mosquitto.start()
    second = await connect(settings, client_id="kr", will=will, session=session)
    is_kept = second.session_present
    await second.close()

    assert not first.session_present
    assert is_kept


@pytest.mark.needs("mosquitto")
async def test_a_subscription_of_an_earlier_connection_does_not_disturb_the_next(mosquitto):
    """The broker's session still has it: its messages are dropped, and the next connection ends it."""
    sink = sink_to(mosquitto)
    for _ in range(retained.TRIES):
        with contextlib.suppress(SinkDown):
            async with sink:
                assert sink._connection._subscriptions.filters
                sink._connection.abort()
    async with sink:
        assert not sink._connection._subscriptions.filters
        assert await sink.deliver(BATCH) == Outcome(delivered=30)
        await until(lambda: not sink._connection._requests.ending)
        await publish(sink, Notice("status", None, b"{}"))
        assert await sink.deliver(BATCH[:1]) == Outcome(delivered=1)


async def half_delivered(sink, oracle, answered, batch=BATCH):
    """Deliver, and cancel once so many messages are answered; with none, once the broker has them all."""
    outgoing, sent = sink._connection._outgoing, len(oracle.published)
    answer, answers = outgoing.answer, []

    def count(number, code):
        answer(number, code)
        answers.append(number)
        if len(answers) == answered:
            delivering.cancel()

    def hold(name):
        oracle.manners.ack = len(oracle.published) <= sent + answered

    outgoing.answer, oracle.on_step = count, hold
    delivering = asyncio.create_task(sink.deliver(batch), name="delivering")
    if not answered:
        await until(lambda: oracle.unanswered >= len(batch) * (2 if sink._settings.raw else 1))
        delivering.cancel()
    await asyncio.wait({delivering}, timeout=5)
    outgoing.answer, oracle.on_step = answer, lambda name: None
    assert delivering.cancelled()


async def cancelled_delivery(sink, batch, turns):
    """Deliver, and cancel some turns of the loop later. Returns the outcome if the delivery is complete before."""
    delivering = asyncio.create_task(sink.deliver(batch), name="delivering")
    for _ in range(turns):
        await asyncio.sleep(0)
    delivering.cancel()
    await asyncio.wait({delivering})
    return None if delivering.cancelled() else delivering.result()


async def cut_in_flight(sink, turns):
    """Cut the connection some turns of the loop after the first messages were sent."""
    for _ in range(turns * 3):
        await asyncio.sleep(0)
    sink._connection.abort()
