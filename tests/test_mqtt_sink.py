"""The MQTT sink: the contract of sinks, tested with every broker, and its topics."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from brokers import listening, until
from latest_values import publish
from records import BOOT, damaged, record, spoilt

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown
from klvrelay.outcome import Outcome
from klvrelay.relay.notices import Notices
from klvrelay.sinks.contract import Notice, Sink
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sinks.mqtt.values import published_values

ONLINE = Notice("availability", "uav1", b"online")


def sink_to(broker, **settings):
    return MqttSink(MqttSettings.from_url(broker.url, **{"timeout": 2.0, **settings}), boot=BOOT)


def seqs(payloads):
    return [orjson.loads(payload)["seq"] for payload in payloads]


async def test_it_is_a_sink(oracle):
    """It satisfies the protocol at run time: it enters as itself, and delivers."""
    sink: Sink = sink_to(oracle)

    async with sink as entered:
        assert entered is sink
        assert await sink.deliver([record(0)]) == Outcome(delivered=1)


async def test_a_delivered_batch_is_at_the_broker_in_order(broker):
    """deliver returns once the far end has the whole batch: 150 records of three streams, each in order."""
    batch = [record(seq, f"uav{seq % 3}") for seq in range(150)]
    async with listening(broker.port, "klvrelay/+/telemetry", protocol=4) as heard, sink_to(broker) as sink:
        await sink.deliver(batch)
        await heard.count(150)

    for n in range(3):
        assert seqs(heard.on(f"klvrelay/uav{n}/telemetry")) == list(range(n, 150, 3))
    assert heard.on("klvrelay/uav0/telemetry")[0] == batch[0].json()


async def test_large_integers_are_strings_in_every_document_if_that_is_wanted(oracle):
    """Records, states and link reports alike; the other sinks of the relay have them as numbers."""
    large = record(0)._replace(seq=1 << 60)
    state, link = (Notice(kind, "uav1", b'{"time_us":9007199254740992,"seq":1}') for kind in ("state", "link"))
    async with sink_to(oracle, numbers="safe") as sink:
        await sink.deliver([large])
        await publish(sink, state)
        await publish(sink, link)
        await publish(sink, ONLINE)

    assert seqs(oracle.payloads("klvrelay/uav1/telemetry")) == [str(1 << 60)]
    for kind in ("state", "link"):
        assert oracle.payloads(f"klvrelay/uav1/{kind}") == [b'{"time_us":"9007199254740992","seq":1}']
    assert b"online" in oracle.payloads("klvrelay/uav1/availability")
    async with sink_to(oracle) as sink:
        await sink.deliver([large])
    assert seqs(oracle.payloads("klvrelay/uav1/telemetry"))[-1] == 1 << 60


async def test_an_empty_batch_is_delivered(broker):
    """It is no error, and nothing is counted or sent."""
    async with sink_to(broker) as sink:
        assert await sink.deliver([]) == Outcome()


async def test_records_excluded_by_the_settings_are_not_sent(oracle):
    """They are counted and not sent; the others are delivered."""
    async with sink_to(oracle, publish_bad="drop") as sink:
        assert await sink.deliver([spoilt(0), record(1), damaged(2)]) == Outcome(delivered=1, unwanted=2)

    assert seqs(p.payload for p in oracle.published if p.topic != "klvrelay/status") == [1]


async def test_a_latest_value_that_is_too_large_blocks_nothing(oracle):
    """Not now and not at the next connection, and later values are published."""
    oracle.manners.limits[0x27] = 1000
    sink = sink_to(oracle)
    for _ in range(2):
        async with sink:
            await publish(sink, Notice("state", "uav1", bytes(2000).replace(b"\0", b" ")), ONLINE)

    assert oracle.payloads("klvrelay/uav1/availability").count(b"online") == 2
    assert not oracle.payloads("klvrelay/uav1/state")
    assert len(oracle.guests) == 2


async def test_a_batch_offered_twice_arrives_twice_and_in_order(oracle):
    """After a broken connection the same batch is sent again on a new one: duplicates, never a gap."""
    sink = sink_to(oracle, timeout=30.0, window=20)
    batch = [record(seq) for seq in range(60)]
    oracle.manners.ack = True
    async with sink:
        oracle.manners.ack = False
        offering = asyncio.create_task(sink.deliver(batch), name="offering")
        await until(lambda: len(oracle.payloads("klvrelay/uav1/telemetry")) == 20)
        oracle.cut()
        async with asyncio.timeout(1):
            await asyncio.wait({offering})
        assert isinstance(offering.exception(), SinkDown)
    oracle.acknowledge()
    async with sink:
        await sink.deliver(batch)

    assert seqs(oracle.payloads("klvrelay/uav1/telemetry")) == [*range(20), *range(60)]
    assert not any(p.dup for p in oracle.published)


async def test_each_entry_is_a_new_client_with_the_same_id(oracle):
    """No message of an old connection is sent again automatically; the client id stays the same."""
    sink = sink_to(oracle)
    async with sink:
        await sink.deliver([record(0)])
    async with sink:
        await sink.deliver([record(1)])

    assert len(oracle.guests) == 2
    assert len({guest.client_id for guest in oracle.guests}) == 1
    assert oracle.guests[0].client_id.startswith(f"klvrelay-{BOOT}-")
    await until(lambda: oracle.goodbyes == 2)


async def test_two_sinks_of_one_run_have_different_ids(oracle):
    """With one id they would disconnect each other without end."""
    async with sink_to(oracle), sink_to(oracle), sink_to(oracle, client_id="mine"):
        ids = [guest.client_id for guest in oracle.guests]

    assert len(set(ids)) == 3
    assert ids[2] == "mine"


async def test_outside_its_context_a_sink_is_down():
    """Before entering and after leaving."""
    sink = MqttSink(MqttSettings(host="127.0.0.1"), boot=BOOT)

    with pytest.raises(SinkDown, match="not connected"):
        await sink.deliver([record(0)])
    with pytest.raises(SinkDown, match="not connected"):
        await publish(sink, ONLINE)


async def test_the_relay_publishes_online_and_at_a_clean_end_offline(real_broker):
    """Status and availability are retained: a later subscriber reads them."""
    sink = sink_to(real_broker)
    async with sink:
        await publish(sink, ONLINE)
        await publish(sink, Notice("state", "uav1", b'{"items":{}}'))
        async with listening(real_broker.port, "klvrelay/#", protocol=4) as heard:
            await heard.count(3)
    async with listening(real_broker.port, "klvrelay/#", protocol=4) as after:
        await after.count(3)

    status = orjson.loads(heard.on("klvrelay/status")[0])
    assert (status["state"], status["boot"]) == ("online", BOOT)
    assert heard.on("klvrelay/uav1/availability")[0] == b"online"
    assert heard.on("klvrelay/uav1/state") == [b'{"items":{}}']
    status = orjson.loads(after.on("klvrelay/status")[0])
    assert (status["state"], status["reason"]) == ("offline", "stopped")
    assert after.on("klvrelay/uav1/availability")[0] == b"offline"
    assert all(m.retain for m in (*heard.messages[:3], *after.messages[:3]))


async def test_a_relay_that_dies_is_offline_by_its_will(real_broker):
    """Cut without DISCONNECT: the broker publishes the last will, retained."""
    sink = sink_to(real_broker)
    async with listening(real_broker.port, "klvrelay/status", protocol=4) as heard:
        await sink.__aenter__()
        assert sink._connection is not None
        sink._connection.abort()
        await heard.count(2)
        await sink.__aexit__(None, None, None)
    async with listening(real_broker.port, "klvrelay/status", protocol=4) as after:
        await after.count(1)

    will = orjson.loads(after.on("klvrelay/status")[0])
    assert (will["state"], will["reason"], will["boot"]) == ("offline", "lost", BOOT)


async def test_the_facts_of_the_relay_are_in_its_status(oracle):
    """A status notice adds to the sink's own document, at connect and at the end; the state stays the sink's."""
    sink = sink_to(oracle)
    async with sink:
        await publish(sink, Notice("status", None, b'{"state":"weird","streams":2}'))

    hello, status, goodbye = (orjson.loads(p) for p in oracle.payloads("klvrelay/status"))
    assert "streams" not in hello
    assert (status["state"], status["streams"], status["boot"]) == ("online", 2, BOOT)
    assert (goodbye["state"], goodbye["streams"]) == ("offline", 2)


async def test_latest_values_do_not_wait_for_each_others_acknowledgement(oracle):
    """All values of 40 streams are sent at once, where the broker answers none: a round trip each would delay the last.
    """
    async with sink_to(oracle, timeout=30.0) as sink:
        notices = Notices()
        for number in range(40):
            notices.put(Notice("availability", f"uav{number}", b"online"))
        oracle.manners.ack = False
        keeping = asyncio.create_task(sink.keep(notices.cursor()), name="keeping")
        await until(lambda: oracle.payloads().count(b"online") == 40)
        oracle.acknowledge()
        keeping.cancel()
        await asyncio.wait({keeping})


async def test_keep_ends_with_the_connection(oracle):
    """SinkDown at once, though there is nothing to publish."""
    async with sink_to(oracle, timeout=30.0) as sink:
        keeping = asyncio.create_task(sink.keep(Notices().cursor()), name="keeping")
        await asyncio.sleep(0)
        oracle.cut()
        async with asyncio.timeout(1):
            await asyncio.wait({keeping})

    assert isinstance(keeping.exception(), SinkDown)


@pytest.mark.parametrize(
    ("policy", "telemetry", "rejected"),
    [("rejected", [0], [1, 2]), ("telemetry", [0, 1], [2]), ("drop", [0], [])],
)
async def test_bad_records_go_to_the_configured_topic_and_damaged_ones_never_to_telemetry(
    oracle, policy, telemetry, rejected
):
    """A correct checksum proves nothing where the transport lost something."""
    async with sink_to(oracle, publish_bad=policy) as sink:
        await sink.deliver([record(0), spoilt(1), damaged(2)])

    assert seqs(oracle.payloads("klvrelay/uav1/telemetry")) == telemetry
    assert seqs(oracle.payloads("klvrelay/uav1/rejected")) == rejected
    assert oracle.payloads("klvrelay/uav1/raw") == []


async def test_raw_is_the_klv_of_telemetry_records(oracle):
    """Optional; the bytes of rejected records are only beside their JSON."""
    good = record(0)
    async with sink_to(oracle, raw=True) as sink:
        await sink.deliver([good, spoilt(1), damaged(2)])

    (raw,) = [p for p in oracle.published if p.topic == "klvrelay/uav1/raw"]
    assert raw.payload == good.raw
    assert raw.properties[0x03] == "application/smpte336m"


async def test_telemetry_has_its_stream_and_expiry(oracle):
    """MQTT 5: content type, expiry, stream, boot and seq; not retained, at the QoS of the settings."""
    async with sink_to(oracle, qos=1, expiry=90) as sink:
        await sink.deliver([record(41)])
        await publish(sink, ONLINE)

    (telemetry,) = [p for p in oracle.published if p.topic == "klvrelay/uav1/telemetry"]
    assert telemetry.properties == {0x03: "application/json", 0x02: 90}
    assert telemetry.user == (("stream", "uav1"), ("boot", BOOT), ("seq", "41"))
    assert (telemetry.qos, telemetry.retain) == (1, False)
    (status,) = [p for p in oracle.published if p.payload == b"online"]
    assert (status.properties, status.retain) == ({0x03: "text/plain"}, True)


async def test_expiry_zero_means_never_and_qos_zero_is_obeyed(oracle):
    """Both are settings."""
    async with sink_to(oracle, qos=0, expiry=0) as sink:
        await sink.deliver([record(0)])

        await until(lambda: oracle.payloads("klvrelay/uav1/telemetry"))
    assert {p.qos for p in oracle.published} == {0}
    assert all(0x02 not in p.properties for p in oracle.published)


@pytest.mark.parametrize("name", ["a/b", "+", "#", "$SYS", "ünï", "a\0b", "", "x" * 500, "a b\n"])
async def test_a_stream_name_can_make_no_level_and_no_wildcard(oracle, name):
    """Whatever the name, a record goes to prefix/one level/telemetry."""
    async with sink_to(oracle, prefix="site/klv") as sink:
        await sink.deliver([record(0, name)])

    (topic,) = [p.topic for p in oracle.published if p.topic.endswith("/telemetry")]
    assert topic.startswith("site/klv/")
    assert topic.count("/") == 3
    assert topic.isascii()
    assert not set("+#$\0 \n") & set(topic)


async def test_mqtt_3_1_1_of_the_embedded_broker_is_detected_at_once(embedded):
    """amqtt supports only the older version: the first attempt is refused at once, later ones begin with 3.1.1."""
    sink = sink_to(embedded, timeout=30.0)
    for _ in range(2):
        async with asyncio.timeout(1), sink:
            await sink.deliver([record(0)])
            assert sink.protocol == 4


async def test_the_protocol_version_is_remembered_after_a_refusal(oracle):
    """No second refusal at a reconnect; but after a mere silence MQTT 5 is tried again."""
    oracle.manners.speaks = (4,)
    sink = sink_to(oracle)
    for _ in range(2):
        async with sink:
            pass
    assert [guest.level for guest in oracle.guests] == [5, 4, 4]

    oracle.guests.clear()
    oracle.manners.stranger = "silent"
    sink = sink_to(oracle, timeout=0.4)
    for _ in range(2):
        async with sink:
            pass
    assert [guest.level for guest in oracle.guests] == [5, 4, 5, 4]


async def test_closing_takes_a_few_seconds_at_most_at_a_dead_broker(oracle, monkeypatch):
    """A broker that acknowledges nothing cannot delay the end of the relay."""
    assert published_values.GOODBYE_TIMEOUT <= 2
    monkeypatch.setattr(published_values, "GOODBYE_TIMEOUT", 0.2)
    sink = sink_to(oracle, timeout=60.0)
    async with asyncio.timeout(1):
        async with sink:
            oracle.manners.ack = False


async def test_a_cancelled_delivery_leaves_the_sink_usable(oracle):
    """Cancellation is safe: the batch may be offered again, in order, on the same connection."""
    async with sink_to(oracle, window=20) as sink:
        oracle.manners.ack = False
        offering = asyncio.create_task(sink.deliver([record(n) for n in range(50)]), name="offering")
        await until(lambda: len(oracle.payloads("klvrelay/uav1/telemetry")) == 20)
        offering.cancel()
        await asyncio.wait({offering})
        oracle.acknowledge()
        await sink.deliver([record(n) for n in range(50)])

    assert seqs(oracle.payloads("klvrelay/uav1/telemetry")) == [*range(20), *range(50)]


async def test_a_cancelled_connect_leaves_nothing_open(oracle):
    """Cancelled while it publishes "online", the sink closes the connection, and the will is published."""
    oracle.manners.ack = False
    sink = sink_to(oracle, timeout=60.0)
    entering = asyncio.create_task(sink.__aenter__(), name="entering")
    await until(lambda: oracle.published)
    entering.cancel()
    async with asyncio.timeout(1):
        await asyncio.wait({entering})
        await until(lambda: oracle.wills)

    assert entering.cancelled()
    with pytest.raises(SinkDown):
        await sink.deliver([record(0)])


async def test_the_password_is_in_nothing_that_is_published_or_printed(oracle):
    """A canary, searched for in the sink itself and in all that the broker received after CONNECT."""
    settings = MqttSettings.from_url(f"mqtt://relay:c4n4ry@127.0.0.1:{oracle.port}")
    sink = MqttSink(settings, boot=BOOT)
    async with sink:
        await sink.deliver([record(0)])
        await publish(sink, ONLINE)

    assert oracle.guests[0].username == "relay"
    assert "c4n4ry" not in f"{sink!r} {sink} {vars(sink)} {oracle.published} {oracle.guests[0].will}"
