"""Outputs at brokers: their topics and messages, the outcome of the records, and outages."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from brokers import Mosquitto, listening, until
from latest_values import answered, keeping
from oracle_broker import OracleBroker
from output_reader import Reader
from payload_schemas import faults
from records import BOOT, TIME_US, damaged, platform, record, spoilt
from test_outputs import FORMATS, SECURITY, at, flight, marked, position
from test_relay_mqtt import CONTENT_TYPE, EXPIRY, TAPE, running, tape

import klvrelay
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.outputs import output_of
from klvrelay.config.settings import RelaySettings, SinkSettings
from klvrelay.config.settings_file import load
from klvrelay.errors import SinkDown
from klvrelay.gap import Gap, Replay
from klvrelay.outcome import Outcome
from klvrelay.relay.build import build_relay, change_of, shaper_of
from klvrelay.shape.marking import Limit
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.failover import FailoverSink
from klvrelay.sinks.mqtt.sink import MqttSink

TELEMETRY = "klvrelay/uav1/telemetry"


def of(port: int, *outputs: dict[str, Any], limit: Limit | None = None, **mqtt: Any) -> SinkSettings:
    """The settings of a sink with these outputs."""
    batch = mqtt.pop("batch", None)
    settings = MqttSettings(host="127.0.0.1", port=port, **{"timeout": 5.0, **mqtt})
    made = tuple(output_of(each) for each in outputs)
    return SinkSettings("mqtt", settings, outputs=made, limit=limit or Limit(), batch=batch)


def sink_of(settings: SinkSettings) -> MqttSink:
    return MqttSink(settings.mqtt, boot=BOOT, batch=settings.batch, shaper=shaper_of(settings))


def seqs(payloads: Any) -> list[int]:
    return [orjson.loads(line)["seq"] for payload in payloads for line in payload.splitlines()]


async def relayed(settings: SinkSettings, folder: Path, **more: Any) -> Any:
    """A relay that has published the whole tape."""
    pipeline = build_relay(RelaySettings((tape(folder, **more),), (settings,)))
    await asyncio.wait_for(pipeline.run(), 20)
    return pipeline


# ---- topics and presets ----


@pytest.mark.needs("mosquitto")
async def test_each_preset_has_its_topic(mosquitto: Mosquitto, tmp_path: Path):
    """With a real broker: what is retained reaches a later subscriber, and the sums of the sink add up."""
    settings = of(mosquitto.port, *({"preset": preset} for preset in ("telemetry", "osd", "state", "items")))
    async with listening(mosquitto.port, "klvrelay/#") as heard:
        pipeline = await relayed(settings, tmp_path)
        await heard.count(150, TELEMETRY)
        await until(lambda: heard.on("klvrelay/uav1/items/mission_id")[-1:] == [b"149"])
    assert seqs(heard.on(TELEMETRY)) == list(range(150))
    assert 0 < len(heard.on("klvrelay/uav1/osd")) < 150
    (sums,) = [sums for _, sums in pipeline._counts._sums()]
    assert sums.delivered == sums.numbered == 150
    async with listening(mosquitto.port, "klvrelay/#") as later:
        await later.count(1, "klvrelay/uav1/state")
        await later.count(1, "klvrelay/uav1/items/mission_id")
    assert orjson.loads(later.on("klvrelay/uav1/state")[0])["items"]["mission_id"] == "149"
    assert later.on("klvrelay/uav1/items/mission_id") == [b"149"]
    assert later.on(TELEMETRY) + later.on("klvrelay/uav1/osd") == []
    assert later.on("klvrelay/uav1/availability") == [b"offline"]


async def test_without_telemetry_only_the_outputs_are_published(oracle: OracleBroker, tmp_path: Path):
    """And what the relay says of its streams; the records that no message has are counted as thinned."""
    pipeline = await relayed(of(oracle.port, {"name": "slow", "rate": 0.1}), tmp_path)
    topics = {message.topic for message in oracle.published}
    assert topics == {
        "klvrelay/uav1/slow", "klvrelay/uav1/availability", "klvrelay/uav1/link", "klvrelay/uav1/health",
        "klvrelay/status", "klvrelay/health",
    }  # fmt: skip
    ((_, sums),) = pipeline._counts._sums()
    assert (sums.numbered, sums.delivered, sums.thinned) == (150, 1, 149)
    assert seqs(oracle.payloads("klvrelay/uav1/slow")) == [0, 149], "the last one, at the end of the stream"
    assert not pipeline.lost
    assert "149 thinned" in pipeline.summary()
    status = [orjson.loads(payload) for payload in oracle.payloads("klvrelay/status")]
    assert next(each["records"]["thinned"] for each in reversed(status) if "records" in each) == 149


async def test_names_in_topics_are_safe_levels(oracle: OracleBroker):
    """Of the stream, the set and the item: none adds a level or a wildcard."""
    outputs = {"topic": "{prefix}/{set}/{output}/x-{stream}", "name": "o"}, {"preset": "items"}
    async with sink_of(of(oracle.port, *outputs)) as sink:
        await sink.deliver([record(0, "a/b+#")])
    topics = {message.topic for message in oracle.published}
    assert {"klvrelay/ST0601/o/x-a%2Fb%2B%23", "klvrelay/a%2Fb%2B%23/items/platform_tail_number"} <= topics


async def test_an_output_has_its_own_retention_and_quality(oracle: OracleBroker):
    """Retained messages do not expire, the others as the settings say."""
    outputs = {"name": "a", "qos": 0}, {"name": "b", "retain": True}
    async with sink_of(of(oracle.port, *outputs)) as sink:
        await sink.deliver([record(0)])
    found = {m.topic: (m.qos, m.retain) for m in oracle.published}
    assert found["klvrelay/uav1/a"] == (0, False)
    assert found["klvrelay/uav1/b"] == (1, True)


async def test_a_limit_alone_keeps_the_usual_topics(oracle: OracleBroker):
    """telemetry, state and raw, without what is above the limit; rejected records cannot be read."""
    settings = of(oracle.port, limit=Limit(2), raw=True)
    async with sink_of(settings) as sink, keeping(sink) as keep:
        batch = [marked(0, 1), marked(1, 3), spoilt(2), damaged(3), marked(4, 2)]
        assert await sink.deliver(batch) == Outcome(delivered=2, withheld=3)
        await keep.publish(Notice("state", "uav1", b'{"seq":1}'), Notice("availability", "uav1", b"online"))
    assert seqs(oracle.payloads(TELEMETRY)) == [0, 4]
    assert oracle.payloads("klvrelay/uav1/raw") == [marked(0, 1).raw, marked(4, 2).raw]
    states = [orjson.loads(payload) for payload in oracle.payloads("klvrelay/uav1/state")]
    assert [state["items"]["platform_tail_number"] for state in states] == ["tail-0", "tail-4"]
    assert oracle.payloads("klvrelay/uav1/rejected") == []


async def test_the_status_counts_what_each_output_withheld(oracle: OracleBroker):
    """Those that withheld nothing are not named."""
    async with sink_of(of(oracle.port, {"name": "a", "max_classification": "SECRET"}, {"name": "b"})) as sink:
        await sink.deliver([marked(0, 5), marked(1, 1), marked(2, 5)])
    statuses = [orjson.loads(payload) for payload in oracle.payloads("klvrelay/status")]
    assert [status.get("withheld") for status in statuses] == [None, [{"output": "a", "count": 2}]]
    assert [fault for status in statuses for fault in faults("status", status)] == []


async def test_a_withheld_stream_is_logged_once_for_each_output(oracle: OracleBroker, caplog: pytest.LogCaptureFixture):
    """With its marking and the limit; else it looks like a silent stream."""
    outputs = {"name": "a", "max_classification": "RESTRICTED"}, {"name": "b", "max_classification": "SECRET"}
    async with sink_of(of(oracle.port, *outputs)) as sink:
        await sink.deliver([marked(0, 3), marked(1, 4), marked(2, 5), marked(3, 1), marked(4, 5)])
    lines = [each.getMessage() for each in caplog.records if "withheld" in each.getMessage()]
    head = "records withheld because of their marking: sink=mqtt output="
    assert lines == [
        f"{head}a stream=uav1 marking='CONFIDENTIAL' limit='max_classification=RESTRICTED unmarked=withhold'",
        f"{head}b stream=uav1 marking='TOP SECRET' limit='max_classification=SECRET unmarked=withhold'",
    ]


async def test_rejected_records_and_gaps_have_their_topics(oracle: OracleBroker):
    """As without outputs; a dropped one leaves a gap, one that no output wants does not."""
    gap = Gap("uav1", BOOT, 5, 7, "memory", None)
    outputs = {"preset": "telemetry", "streams": ["uav1"]}
    async with sink_of(of(oracle.port, outputs)) as sink:
        assert await sink.deliver([spoilt(0), gap, record(1)]) == Outcome(delivered=2, gaps=1)
        other = await sink.deliver([record(0, "uav2")])
    assert (other, [*other.unpublished]) == (Outcome(unwanted=1), [])
    assert seqs(oracle.payloads("klvrelay/uav1/rejected")) == [0]
    assert oracle.payloads("klvrelay/uav1/gap") == [gap.json()]
    async with sink_of(of(oracle.port, outputs, publish_bad="drop")) as sink:
        dropped = await sink.deliver([spoilt(0)])
    assert [each.reason for each in dropped.unpublished] == ["excluded"]


@pytest.mark.parametrize(
    ("settings", "published", "outcome"),
    [([{"coarse": 1000.0}], [], Outcome(withheld=1)),
     ([{"max_classification": "SECRET"}], [], Outcome(withheld=1)),
     ([{"coarse": 1000.0}, {"name": "exact"}], [0], Outcome(delivered=1)),
     ([{"coarse": 1000.0}, {"name": "exact", "streams": ["uav2"]}], [], Outcome(withheld=1)),
     ([{"streams": ["!uav1"]}], [], Outcome(unwanted=1))],
)  # fmt: skip
@pytest.mark.parametrize("budget", [None, 1e6])
async def test_a_rejected_record_needs_an_output_of_exact_records(
    oracle: OracleBroker, settings: list[Any], published: list[int], outcome: Outcome, budget: float | None
):
    """It has all items as they are: the limits and the grid of each output of its stream would be without effect."""
    of_sink = of(oracle.port, *({"name": "out", **each} for each in settings))
    sink = MqttSink(of_sink.mqtt, boot=BOOT, shaper=shaper_of(of_sink), budget=budget)
    async with sink, keeping(sink):
        assert await sink.deliver([spoilt(0)]) == outcome
    assert seqs(oracle.payloads("klvrelay/uav1/rejected")) == published


async def test_replayed_records_have_their_age(oracle: OracleBroker):
    """In an output of records; what is retained is that of live records only."""
    async with sink_of(of(oracle.port, {"preset": "telemetry"}, {"preset": "state"})) as sink:
        assert await sink.deliver(Replay([record(0)])) == Outcome(delivered=1)
    (found,) = oracle.payloads(TELEMETRY)
    assert orjson.loads(found)["replayed_s"] > 0
    assert oracle.payloads("klvrelay/uav1/state") == []


async def test_a_backlog_beside_live_records_leaves_no_reader_wrong(oracle: OracleBroker):
    """Where they alternate, records are full."""
    records, reader = flight(40, 3), Reader()
    async with sink_of(of(oracle.port, {"preset": "telemetry", "on_change": True})) as sink:
        for live, old in zip(records[20:], records[:20], strict=True):
            await sink.deliver([live])
            await sink.deliver(Replay([old]))
    for payload in oracle.payloads(TELEMETRY):
        restored = reader.read(payload)
        assert restored is not None
        assert restored["items"] == records[restored["seq"]].items


# ---- several records in a message ----


async def test_a_batch_of_records_is_one_message(oracle: OracleBroker):
    """As JSON Lines, in order, of one stream; their outcome is that of the message."""
    async with sink_of(of(oracle.port, {"preset": "telemetry", "batch": 3})) as sink, keeping(sink):
        batch = [record(n // 2, f"uav{n % 2 + 1}") for n in range(12)]
        assert await sink.deliver(batch) == Outcome(delivered=12)
    for stream in ("uav1", "uav2"):
        found = [seqs([payload]) for payload in oracle.payloads(f"klvrelay/{stream}/telemetry")]
        assert found == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("compression", ["none", "zstd"])
async def test_a_compact_message_has_no_properties_but_its_expiry(oracle: OracleBroker, compression: str):
    """Stream, run and number of each record are in its topic and payload, also of a record that arrives twice."""
    settings = of(oracle.port, {"name": "a", "format": "compact", "on_change": True, "batch": 3,
                                "compression": compression}, expiry=30)  # fmt: skip
    async with sink_of(settings) as sink:
        await sink.deliver([record(seq) for seq in range(9)])
    messages = [each for each in oracle.published if each.topic == "klvrelay/uav1/a"]
    assert [(each.properties, each.user) for each in messages] == [({EXPIRY: 30}, ())] * 3
    restorer = klvrelay.Restorer()
    read = [each for message in (messages[0], *messages) for each in restorer.restore(message.payload, stream="uav1")]
    assert [*dict.fromkeys((each["stream"], each["boot"], each["seq"]) for each in read)] == [
        ("uav1", BOOT, seq) for seq in range(9)
    ]


async def test_a_replayed_compact_record_has_its_age_as_a_property(oracle: OracleBroker):
    """The payload does not have it."""
    async with sink_of(of(oracle.port, {"name": "a", "format": "compact"})) as sink:
        await sink.deliver(Replay([record(0), record(1, received_us=None)]))
    ages = [dict(message.user) for message in oracle.published if message.topic == "klvrelay/uav1/a"]
    assert [[*each] for each in ages] == [["replayed"], ["replayed"]]
    assert (float(ages[0]["replayed"]) > 0, ages[1]["replayed"]) == (True, "")


async def test_records_of_several_batches_share_a_message(oracle: OracleBroker):
    """The earlier ones are answered with the message, or after a second if nothing follows."""
    async with sink_of(of(oracle.port, {"preset": "telemetry", "batch": 3})) as sink, keeping(sink):
        first = asyncio.create_task(sink.deliver([record(0), record(1)]))
        await asyncio.sleep(0)
        assert not first.done()
        later = asyncio.create_task(sink.deliver([record(2), record(3)]))
        assert await first == Outcome(delivered=2)
        assert await later == Outcome(delivered=2)
    assert [seqs([payload]) for payload in oracle.payloads(TELEMETRY)] == [[0, 1, 2], [3]]


async def test_an_unfinished_message_is_offered_again_after_a_loss(oracle: OracleBroker):
    """No record in it counts as delivered; those before it do."""
    sink = sink_of(of(oracle.port, {"preset": "telemetry", "batch": 2}))
    async with sink:
        waiting = asyncio.create_task(sink.deliver([record(n) for n in range(5)]))
        await until(lambda: len(oracle.payloads(TELEMETRY)) == 2 and answered(sink))
        oracle.cut()
        with pytest.raises(SinkDown):
            await sink.deliver([record(5), record(6)])
        with pytest.raises(SinkDown) as down:
            await waiting
    assert down.value.answered == Outcome(delivered=4)
    async with sink, keeping(sink):
        assert await sink.deliver([record(4), record(5)]) == Outcome(delivered=2)
    assert seqs(oracle.payloads(TELEMETRY)[-1:]) == [4, 5]


async def test_records_gathered_by_the_sink_share_messages_of_each_output(oracle: OracleBroker):
    """With its `batch`: one message of each output and stream; retained values have their own."""
    outputs = {"preset": "telemetry"}, {"name": "b", "items": ["platform_tail_number"]}, {"preset": "state"}
    async with sink_of(of(oracle.port, *outputs, batch=0.1)) as sink:
        assert await sink.deliver([record(n) for n in range(5)]) == Outcome(delivered=5)
    for topic in (TELEMETRY, "klvrelay/uav1/b"):
        assert [seqs([payload]) for payload in oracle.payloads(topic)] == [[0, 1, 2, 3, 4]]
    assert len(oracle.payloads("klvrelay/uav1/state")) == 2, "the first, and the last one at the end"


# ---- rates ----


async def test_the_last_record_of_a_stream_that_pauses_arrives(oracle: OracleBroker):
    """After the interval, without another record."""
    async with sink_of(of(oracle.port, {"preset": "telemetry", "rate": 50})) as sink, keeping(sink):
        assert await sink.deliver([at(0, 0.0), at(1, 0.001), at(2, 0.002)]) == Outcome(delivered=1, thinned=2)
        await until(lambda: len(oracle.payloads(TELEMETRY)) == 2)
    assert seqs(oracle.payloads(TELEMETRY)) == [0, 2]


async def test_what_is_held_survives_a_lost_connection(oracle: OracleBroker):
    """The state of a stream that pauses reaches the next connection."""
    sink = sink_of(of(oracle.port, {"preset": "state"}))
    async with sink, keeping(sink):
        await sink.deliver([record(0), position(1, 77)])
        oracle.cut()
    before = len(oracle.payloads("klvrelay/uav1/state"))
    async with sink, keeping(sink):
        await until(lambda: len(oracle.payloads("klvrelay/uav1/state")) > before)
    last = orjson.loads(oracle.payloads("klvrelay/uav1/state")[-1])
    assert last["items"]["sensor_latitude"] == position(1, 77).items["sensor_latitude"]


async def test_a_late_record_that_was_not_answered_is_published_again(oracle: OracleBroker):
    """On the next connection: the last values before a pause arrive."""
    sink = sink_of(of(oracle.port, {"preset": "telemetry", "rate": 50}, timeout=0.3))
    async with sink:
        await sink.deliver([at(0, 0.0), at(1, 0.001)])
        oracle.manners.ack = False
        with pytest.raises(SinkDown):
            async with asyncio.timeout(5), keeping(sink) as keep:
                await keep.task
        oracle.cut()
    oracle.manners.ack = True
    before = len(oracle.payloads(TELEMETRY))
    async with sink, keeping(sink):
        await until(lambda: len(oracle.payloads(TELEMETRY)) > before)
    assert seqs(oracle.payloads(TELEMETRY)[before:]) == [1]


# ---- refusals, outages, numbers ----


async def test_a_refused_topic_affects_its_output_only(oracle: OracleBroker):
    """Its records count as delivered by the others; they are rejected where it is the only one."""
    oracle.manners.refuses = frozenset({"klvrelay/uav1/a", "klvrelay/uav2/a", "klvrelay/uav2/b"})
    async with sink_of(of(oracle.port, {"name": "a"}, {"name": "b"})) as sink:
        for seq in range(3):
            assert await sink.deliver([record(seq)]) == Outcome(delivered=1)
            assert await sink.deliver([record(seq, "uav2")]) == Outcome(rejected=1)
        assert {*sink.suspended.topics} == oracle.manners.refuses
    assert seqs(oracle.payloads("klvrelay/uav1/b")) == [0, 1, 2]


ACL = """\
persistence true
allow_anonymous true
listener 1883 127.0.0.1
acl_file {home}/acl
"""


@pytest.mark.needs("mosquitto")
async def test_a_topic_that_an_access_list_forbids_affects_its_output_only(mosquitto: Mosquitto, tmp_path: Path):
    """With a real broker, which says so with MQTT 5."""
    (tmp_path / "acl").write_text(
        "topic read #\ntopic write klvrelay/+/open\ntopic write klvrelay/status\n"
        "topic write klvrelay/+/link\ntopic write klvrelay/+/health\ntopic write klvrelay/health\n"
        "topic write klvrelay/+/availability\n"
    )
    await mosquitto.stop()
    mosquitto.configure(ACL.format(home=tmp_path))
    await mosquitto.start()
    async with listening(mosquitto.port, "klvrelay/#") as heard:
        pipeline = await relayed(of(mosquitto.port, {"name": "closed"}, {"name": "open"}), tmp_path)
        await heard.count(150, "klvrelay/uav1/open")
    ((_, sums),) = pipeline._counts._sums()
    assert (sums.numbered, sums.delivered) == (150, 150)
    assert not heard.on("klvrelay/uav1/closed")
    assert pipeline.sink_tasks[0].health.suspended() == ("klvrelay/uav1/closed",)


def break_at(oracle: OracleBroker, monkeypatch: pytest.MonkeyPatch, messages: dict[int, bool]) -> set[int]:
    """The broker stops at each of these telemetry messages, before it has answered: by FIN (false) or RST (true).

    Returns the set of those at which it has stopped so far.
    """
    publish, broke = oracle._publish, set[int]()

    def publish_or_break(guest: Any, flags: int, body: bytes) -> None:
        publish(guest, flags, body)
        at = len(oracle.payloads(TELEMETRY))
        if at in messages.keys() - broke:
            broke.add(at)
            oracle._server.close()
            oracle.cut(reset=messages[at])

    monkeypatch.setattr(oracle, "_publish", publish_or_break)
    return broke


async def test_a_broker_restart_leaves_no_reader_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Of an output on change; nothing is lost, and every document restores to its record."""
    records = [orjson.loads(each.json()) for each in _records_of_tape()]
    async with OracleBroker() as oracle:
        broke = break_at(oracle, monkeypatch, {30: False, 80: True})
        settings = of(oracle.port, {"preset": "telemetry", "on_change": True}, timeout=0.5)
        pipeline = build_relay(RelaySettings((tape(tmp_path, speed=10.0),), (settings,)))
        async with running(pipeline) as task:
            for at in (30, 80):
                await until(lambda at=at: at in broke)
                await oracle.stop()
                await until(lambda: not pipeline.sink_tasks[0].health.up)
                await oracle.start()
            await asyncio.wait_for(asyncio.shield(task), 20)
        reader, restored = Reader(), dict[int, Any]()
        for payload in oracle.payloads(TELEMETRY):
            document = reader.read(payload)
            assert document is not None, "each connection begins with a full record"
            restored[document["seq"]] = document["items"]
    assert restored == {seq: each["items"] for seq, each in enumerate(records)}
    ((_, sums),) = pipeline._counts._sums()
    assert (sums.numbered, sums.delivered) == (150, 150)


def _records_of_tape() -> list[Any]:
    return klvrelay.decode(TAPE.ts)


@pytest.mark.needs("mosquitto")
async def test_a_new_subscriber_restores_after_a_restart_of_mosquitto(mosquitto: Mosquitto, tmp_path: Path):
    """From the first full document on, each one."""
    settings = of(mosquitto.port, {"preset": "telemetry", "on_change": True, "snapshot": 0.3})
    pipeline = build_relay(RelaySettings((tape(tmp_path, speed=2.0),), (settings,)))
    async with running(pipeline) as task:
        async with listening(mosquitto.port, TELEMETRY) as before:
            await before.count(5)
        await mosquitto.stop()
        await until(lambda: not pipeline.sink_tasks[0].health.up)
        await mosquitto.start()
        async with listening(mosquitto.port, TELEMETRY) as after:
            await asyncio.wait_for(asyncio.shield(task), 20)
            await until(lambda: after.messages and seqs([bytes(after.messages[-1].payload)]) == [149])
    reader = Reader()
    found = [reader.read(bytes(message.payload)) for message in after.messages]
    restored = [document for document in found if document is not None]
    assert len(restored) > 5
    assert found[-len(restored) :] == restored, "none is missed after the first"
    assert all(document["items"]["mission_id"] == str(document["seq"]) for document in restored)
    assert {len(document["items"]) for document in restored} == {len(_records_of_tape()[0].items)}


async def test_at_qos_2_each_connection_begins_with_full_records(oracle: OracleBroker, tmp_path: Path):
    """Records may arrive twice after a lost connection, but no reader is wrong, and none is missing."""
    settings = of(oracle.port, {"preset": "telemetry", "on_change": True}, qos=2, timeout=0.5)
    pipeline = build_relay(RelaySettings((tape(tmp_path, speed=10.0),), (settings,)))
    async with running(pipeline) as task:
        await until(lambda: len(oracle.payloads(TELEMETRY)) >= 50)
        oracle.cut(reset=True)
        await asyncio.wait_for(asyncio.shield(task), 20)
    reader = Reader()
    found = [reader.read(message.payload) for message in oracle.released if message.topic == TELEMETRY]
    assert {document["seq"] for document in found if document is not None} == set(range(150))
    assert all(document["items"]["mission_id"] == str(document["seq"]) for document in found if document is not None)


async def test_a_hundred_outputs_each_get_every_record(oracle: OracleBroker, tmp_path: Path):
    """In order, each with its own items; the sums count each record once."""
    outputs = [{"name": f"o{n}", "on_change": bool(n % 2)} for n in range(100)]
    pipeline = await relayed(of(oracle.port, *outputs), tmp_path)
    for n in range(100):
        assert seqs(oracle.payloads(f"klvrelay/uav1/o{n}")) == list(range(150))
    ((_, sums),) = pipeline._counts._sums()
    assert (sums.numbered, sums.delivered, sums.waiting) == (150, 150, 0)


async def test_another_broker_continues_the_outputs(oracle: OracleBroker):
    """The state is that of all records, whichever broker had them; an output on change begins with a full record."""
    async with OracleBroker() as spare:
        settings = of(oracle.port, {"preset": "state"}, {"preset": "telemetry", "on_change": True})
        second = of(spare.port).mqtt
        sink = FailoverSink([settings.mqtt, second], boot=BOOT, shaper=shaper_of(settings))
        async with sink:
            await sink.deliver([position(0, 77)])
        await oracle.stop()
        async with sink, asyncio.timeout(5):
            await sink.deliver([record(1, received_us=TIME_US + 5_000_000)])
        assert [orjson.loads(each)["full"] for each in spare.payloads(TELEMETRY)] == [True]
        state = orjson.loads(spare.payloads("klvrelay/uav1/state")[-1])
        assert {"sensor_latitude", "platform_tail_number"} <= state["items"].keys()


# ---- reload ----


async def test_outputs_change_at_run_time(oracle: OracleBroker, tmp_path: Path):
    """As by SIGHUP: only the sink reconnects, and no record is lost or counted twice."""
    source = tape(tmp_path, speed=5.0)
    old = RelaySettings((source,), (of(oracle.port, {"name": "a"}),))
    new = RelaySettings((source,), (of(oracle.port, {"name": "b", "on_change": True}),))
    pipeline = build_relay(old)
    async with running(pipeline) as task:
        await until(lambda: len(oracle.payloads("klvrelay/uav1/a")) > 20)
        change = change_of(old, new, pipeline.boot)
        assert not change.streams
        assert [each.key for each in change.sinks] == ["mqtt"]
        await pipeline.apply(change)
        await asyncio.wait_for(asyncio.shield(task), 20)
    first, later = (seqs(oracle.payloads(f"klvrelay/uav1/{name}")) for name in ("a", "b"))
    assert sorted({*first, *later}) == list(range(150))
    ((_, sums),) = pipeline._counts._sums()
    assert (sums.numbered, sums.delivered) == (150, 150)


def test_equal_outputs_are_no_change(tmp_path: Path):
    """A reload of the same file leaves the sink connected."""
    path = tmp_path / "relay.toml"
    path.write_text(
        '[[sink]]\nurl = "mqtt://h"\nmax_classification = "SECRET"\n[[sink.output]]\npreset = "osd"\n'
        'on_change = true\ndead_band = {sensor_latitude = 0.1}\n[[source]]\nurl = "udp://:5000"\nstream = "uav1"\n'
    )
    change = change_of(load(path), load(path), BOOT)
    assert not change.sinks
    assert not change.streams


# ---- formats ----

DICTIONARY = "klvrelay/uav1/dictionary"


@pytest.mark.parametrize("form", FORMATS)
async def test_compressed_outputs_restore_with_the_dictionary_of_their_stream(form: str, oracle: OracleBroker):
    """It is published, retained, before a frame uses it, and again on each connection."""
    records = flight(400, 7)
    outputs = {"preset": "telemetry", "format": form, "compression": "zstd", "on_change": form != "klv"}
    sink = sink_of(of(oracle.port, outputs))
    async with sink, keeping(sink):
        for at_once in range(0, 200, 20):
            await sink.deliver(records[at_once : at_once + 20])
        await until(lambda: oracle.payloads(DICTIONARY))
        await sink.deliver(records[200:300])
    async with sink, keeping(sink):
        await until(lambda: len(oracle.payloads(DICTIONARY)) == 2)
        await until(lambda: answered(sink))
        await sink.deliver(records[300:])
    reader, restored, sizes = klvrelay.Restorer(), [], []
    for message in oracle.published:
        if message.topic == DICTIONARY:
            assert message.retain
            reader.learn(message.payload)
        if message.topic == TELEMETRY:
            sizes.append(len(message.payload))
            kind = message.properties.get(CONTENT_TYPE)
            assert (kind is None) == (form == "compact")
            restored += reader.restore(message.payload, stream="uav1", format=kind)
    assert (reader.unreadable, reader.skipped) == (0, 0)
    assert len(restored) == len(sizes) > 300
    by_time = {each.time_us: each for each in records}
    assert all(found["items"] == by_time[found["time_us"]].items for found in restored)


async def test_a_refused_dictionary_leaves_frames_without_one(oracle: OracleBroker):
    """Readers are never sent a frame that they cannot read."""
    oracle.manners.refuses = frozenset({DICTIONARY})
    sink = sink_of(of(oracle.port, {"preset": "telemetry", "compression": "zstd"}))
    async with sink, keeping(sink):
        await sink.deliver(flight(150, 7))
        await until(lambda: DICTIONARY in sink.suspended.topics)
        await sink.deliver([record(500)])
    reader = klvrelay.Restorer()
    assert len([each for data in oracle.payloads(TELEMETRY) for each in reader.restore(data)]) == 151
    assert reader.unreadable == 0


async def test_a_dictionary_has_nothing_above_the_limit_of_an_output_that_uses_it(oracle: OracleBroker):
    """Its samples are payloads that all compressed outputs may publish."""
    outputs = {"name": "a", "compression": "zstd"}, {"name": "b", "compression": "zstd", "max_classification": "SECRET"}

    def with_note(seq: int, level: int, note: bytes) -> Any:
        return record(seq, raw=platform(seq, SECURITY[level], (10, note + b"-%d" % (seq % 7)), (11, note)))

    sink = sink_of(of(oracle.port, *outputs))
    async with sink, keeping(sink):
        notes = (1, b"an open designation"), (5, b"canary-of-top-secret")
        await sink.deliver([with_note(n, *notes[n % 2]) for n in range(400)])
        await until(lambda: oracle.payloads(DICTIONARY))
    (dictionary,) = oracle.payloads(DICTIONARY)
    assert b"open designation" in dictionary
    assert b"canary" not in dictionary


async def test_a_dictionary_has_no_positions_that_an_output_rounds(oracle: OracleBroker):
    """Of outputs with several grids, the samples are those of the largest."""
    outputs = {"name": "exact", "compression": "zstd"}, {"name": "rough", "compression": "zstd", "coarse": 1000.0}
    sink = sink_of(of(oracle.port, *outputs))
    async with sink, keeping(sink):
        await sink.deliver([position(n, 123456789, 987654321) for n in range(400)])
        await until(lambda: oracle.payloads(DICTIONARY))
    (dictionary,) = oracle.payloads(DICTIONARY)
    assert b"5.17300629" in dictionary
    assert b"5.17401426" not in dictionary, "the exact latitude"
