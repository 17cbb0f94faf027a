"""The pipeline with a broker: the topics of all messages, and outages without loss."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import feed
import orjson
import pytest
from brokers import Mosquitto, listening, until
from cut_connections import cut_after
from oracle_broker import OracleBroker

from klvrelay.backoff import Backoff
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings
from klvrelay.config.url import Url
from klvrelay.encode import encode
from klvrelay.errors import SinkRefused
from klvrelay.relay import sink_task as sink_task_module
from klvrelay.relay import stream as stream_module
from klvrelay.relay.build import build_relay
from klvrelay.relay.relay import Relay
from klvrelay.sinks.mqtt.refused import control as control_module

TAPE = feed.recording(150)
TELEMETRY, REJECTED, RAW = (f"klvrelay/uav1/{leaf}" for leaf in ("telemetry", "rejected", "raw"))
EXPIRY, CONTENT_TYPE = 0x02, 0x03


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off in milliseconds."""
    for module in (stream_module, sink_task_module):
        monkeypatch.setattr(module, "Backoff", lambda **_: Backoff(first=0.01, cap=0.05))


def relay(port: int, *sources: SourceSettings, waiting: int = 10_000, **mqtt: Any) -> Relay:
    sink = SinkSettings("mqtt", MqttSettings(host="127.0.0.1", port=port, **mqtt))
    return build_relay(RelaySettings(sources, (sink,), waiting))


def tape(folder: Path, data: bytes = TAPE.ts, name: str = "uav1", **more: Any) -> SourceSettings:
    path = folder / f"{name}.ts"
    path.write_bytes(data)
    return SourceSettings(Url.parse(path), stream=name, **more)


@asynccontextmanager
async def running(pipeline: Relay) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(pipeline.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=10)
        if not task.cancelled():
            task.exception()


def seqs(oracle: OracleBroker, topic: str = TELEMETRY) -> list[int]:
    """Sequence numbers as they arrived, each once."""
    return list(dict.fromkeys(orjson.loads(p)["seq"] for p in oracle.payloads(topic)))


def spoilt(klv: bytes) -> bytes:
    return klv[:-1] + bytes([klv[-1] ^ 0xFF])


async def test_every_record_of_a_recording_is_telemetry(real_broker: Any, tmp_path: Path):
    """All, in order, at a subscriber of mosquitto, with the records' own JSON."""
    async with listening(real_broker.port, "klvrelay/#", protocol=4) as heard:
        await asyncio.wait_for(relay(real_broker.port, tape(tmp_path)).run(), 20)
        messages = await heard.count(150, TELEMETRY)
    records = [orjson.loads(m.payload) for m in messages]
    assert [r["seq"] for r in records] == list(range(150))
    assert [r["items"]["mission_id"] for r in records] == [str(n) for n in range(150)]
    assert {(r["stream"], r["schema"], r["quality"]["checksum"]) for r in records} == {("uav1", "klvrelay/1", "ok")}
    assert len({r["boot"] for r in records}) == 1
    assert all(r["received"] for r in records)


@pytest.mark.needs("mosquitto")
async def test_a_late_subscriber_gets_the_state_and_the_end_of_the_stream(mosquitto: Mosquitto, tmp_path: Path):
    """state, availability, link and status are retained; telemetry is not."""
    await asyncio.wait_for(relay(mosquitto.port, tape(tmp_path)).run(), 20)
    async with listening(mosquitto.port, "klvrelay/#") as heard:
        await heard.count(4)
    found = {str(m.topic): bytes(m.payload) for m in heard.messages}
    assert found["klvrelay/uav1/availability"] == b"offline"
    assert orjson.loads(found["klvrelay/status"])["state"] == "offline"
    state = orjson.loads(found["klvrelay/uav1/state"])
    assert (state["seq"], state["items"]["mission_id"]) == (149, "149")
    report = orjson.loads(found["klvrelay/uav1/link"])
    assert (report["schema"], report["state"], report["klv"]["records"]) == ("klvrelay/link/1", "ended", 150)
    leaves = ("availability", "state", "link", "health")
    assert set(found) == {"klvrelay/status", "klvrelay/health", *(f"klvrelay/uav1/{leaf}" for leaf in leaves)}


async def test_messages_have_their_properties(oracle: OracleBroker, tmp_path: Path):
    """MQTT 5: content type, expiry, stream, seq and boot; QoS 1; not retained."""
    await asyncio.wait_for(relay(oracle.port, tape(tmp_path)).run(), 20)
    messages = [p for p in oracle.published if p.topic == TELEMETRY]
    for number, message in enumerate(messages):
        user = dict(message.user)
        assert (user["stream"], user["seq"]) == ("uav1", str(number))
        assert user["boot"] == orjson.loads(message.payload)["boot"]
        assert (message.qos, message.retain) == (1, False)
        assert (message.properties[CONTENT_TYPE], message.properties[EXPIRY]) == ("application/json", 60)


@pytest.mark.parametrize(
    ("policy", "telemetry", "rejected"),
    [("rejected", [0, 2], [1, 3]), ("telemetry", [0, 1, 2], [3]), ("drop", [0, 2], [])],
)
async def test_bad_and_damaged_records_go_to_the_configured_topic(
    policy: Any, telemetry: list[int], rejected: list[int], oracle: OracleBroker, tmp_path: Path
):
    """By default to `rejected`, flagged; a damaged one never to telemetry; none of them into the state."""
    data = TAPE.klv[0] + spoilt(TAPE.klv[1]) + TAPE.klv[2] + TAPE.klv[3][:30]
    await asyncio.wait_for(relay(oracle.port, tape(tmp_path, data), publish_bad=policy).run(), 20)
    assert (seqs(oracle), seqs(oracle, REJECTED)) == (telemetry, rejected)
    qualities = [orjson.loads(p)["quality"] for p in oracle.payloads(REJECTED)]
    kinds = {1: ("bad", "ok"), 3: ("bad", "damaged")}
    assert [(q["checksum"], q["transport"]) for q in qualities] == [kinds[seq] for seq in rejected]
    state = orjson.loads(oracle.payloads("klvrelay/uav1/state")[-1])
    assert (state["seq"], state["items"]["mission_id"]) == (2, "2")


async def test_raw_is_optional_and_is_the_klv(oracle: OracleBroker, tmp_path: Path):
    """The packet's bytes beside each telemetry record; not by default, nor for rejected ones."""
    source = tape(tmp_path, TAPE.klv[0] + spoilt(TAPE.klv[1]) + TAPE.klv[2])
    await asyncio.wait_for(relay(oracle.port, source).run(), 20)
    assert oracle.payloads(RAW) == []
    await asyncio.wait_for(relay(oracle.port, source, raw=True).run(), 20)
    assert oracle.payloads(RAW) == [TAPE.klv[0], TAPE.klv[2]]


@pytest.mark.parametrize("qos", [0, 1])
async def test_qos_is_that_of_the_setting(qos: int, oracle: OracleBroker, tmp_path: Path):
    """For each record; all arrive either way."""
    await asyncio.wait_for(relay(oracle.port, tape(tmp_path), qos=qos, protocol=4).run(), 20)
    assert seqs(oracle) == list(range(150))
    assert {p.qos for p in oracle.published if p.topic == TELEMETRY} == {qos}


async def test_prefix_and_hostile_stream_names_stay_in_their_level(oracle: OracleBroker, tmp_path: Path):
    """A name makes one topic level, whatever it contains."""
    source = tape(tmp_path)
    source = SourceSettings(source.url, stream="a/+/# $SYS")
    await asyncio.wait_for(relay(oracle.port, source, prefix="site/klv").run(), 20)
    topics = {p.topic for p in oracle.published}
    assert {t.rpartition("/")[2] for t in topics} == {"telemetry", "state", "availability", "link", "health", "status"}
    for topic in topics - {"site/klv/status", "site/klv/health"}:
        assert topic.startswith("site/klv/a%2F")
        assert len(topic.split("/")) == 4
        assert not set("+#\n") & set(topic)


async def test_a_stream_is_online_while_it_sends(oracle: OracleBroker, free_port: int):
    """Not before its first byte; offline once the relay stops."""
    availability = "klvrelay/uav1/availability"
    source = SourceSettings(Url.parse(f"udp://127.0.0.1:{free_port}"), stream="uav1")
    async with running(relay(oracle.port, source)):
        await until(lambda: oracle.payloads("klvrelay/status"))
        await feed.listening(free_port)
        assert b"online" not in oracle.payloads(availability)
        feed.send_udp(feed.datagrams(TAPE.ts), free_port)
        await until(lambda: len(seqs(oracle)) == 150)
        assert oracle.payloads(availability)[-1] == b"online"
        assert oracle.goodbyes == 0
    assert oracle.payloads(availability)[-1] == b"offline"
    assert orjson.loads(oracle.payloads("klvrelay/status")[-1])["state"] == "offline"
    assert (oracle.goodbyes, oracle.wills) == (1, [])


async def test_a_broker_that_starts_later_gets_everything(free_port: int, tmp_path: Path):
    """The relay starts first; records read meanwhile wait."""
    broker = OracleBroker()
    broker.port = free_port
    pipeline = relay(free_port, tape(tmp_path))
    async with running(pipeline) as task:
        await until(lambda: pipeline.sink_tasks[0].cursor.waiting == 150)
        async with broker:
            await asyncio.wait_for(asyncio.shield(task), 10)
            assert seqs(broker) == list(range(150))


@pytest.mark.parametrize("way", ["stop", "reset", "unacknowledged"])
async def test_a_broker_restart_loses_nothing(way: str, tmp_path: Path):
    """What was read before and during an outage arrives after it, in order; at most a window is duplicated."""
    async with OracleBroker() as oracle:
        pipeline = relay(oracle.port, tape(tmp_path, speed=10.0), timeout=0.5)
        async with running(pipeline) as task:
            for outage in range(1, 4):
                await until(lambda goal=outage * 30: len(seqs(oracle)) >= goal)
                if way == "unacknowledged":
                    oracle.manners.ack = False
                    await until(lambda: oracle.payloads(TELEMETRY))
                    oracle.cut(reset=True)
                    oracle.manners.ack = True
                else:
                    oracle.cut(reset=way == "reset")
                    await oracle.stop()
                    await until(lambda: not pipeline.sink_tasks[0].health.up)
                    await oracle.start()
            await asyncio.wait_for(asyncio.shield(task), 10)
        sent = [orjson.loads(p)["seq"] for p in oracle.payloads(TELEMETRY)]
        assert seqs(oracle) == list(range(150))
        assert pipeline.sink_tasks[0].cursor.shed == 0
        assert pipeline.sink_tasks[0].health.outages >= 1
        assert len(sent) - 150 <= 20 * pipeline.sink_tasks[0].health.outages


async def test_an_outage_during_a_backlog_duplicates_at_most_a_window(tmp_path: Path, monkeypatch: Any):
    """Of a backlog that is half delivered, confirmed records are not sent again."""
    async with OracleBroker() as oracle:
        publish = oracle._publish

        def cut_after_90(*args: Any) -> None:
            publish(*args)
            if len(oracle.payloads(TELEMETRY)) == 90 and len(oracle.guests) == 1:
                oracle.cut()

        monkeypatch.setattr(oracle, "_publish", cut_after_90)
        await asyncio.wait_for(relay(oracle.port, tape(tmp_path, TAPE.bare), window=20).run(), 10)
        assert seqs(oracle) == list(range(150))
        assert len(oracle.guests) == 2
        assert len(oracle.payloads(TELEMETRY)) - 150 <= 20


async def test_connections_that_break_leave_no_exception_in_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Forty resets, each after another number of messages: no traceback from asyncio, and nothing lost."""
    for name in ("CONTROL", "CONTROL_MOST", "SILENT"):
        monkeypatch.setattr(control_module, name, 0.1)
    escaped: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(str(context)))
    async with OracleBroker() as oracle:
        cut_after(oracle, monkeypatch, lambda number: number % 8 if number < 40 else None)
        async with running(relay(oracle.port, tape(tmp_path, speed=4.0))) as task:
            await asyncio.wait_for(asyncio.shield(task), 40)
        assert seqs(oracle) == list(range(150))
        assert not oracle.payloads("klvrelay/uav1/gap")
        assert len(oracle.guests) > 40
    assert escaped == []


async def test_each_broker_gets_every_record(tmp_path: Path):
    """One that is away at first delays no other, and gets what it missed."""
    async with OracleBroker() as near, OracleBroker() as far:
        sinks = [
            SinkSettings(name, MqttSettings(host="127.0.0.1", port=broker.port, prefix=name))
            for name, broker in (("near", near), ("far", far))
        ]
        await far.stop()
        async with running(build_relay(RelaySettings((tape(tmp_path),), tuple(sinks)))) as task:
            await until(lambda: len(seqs(near, "near/uav1/telemetry")) == 150)
            await far.start()
            await asyncio.wait_for(asyncio.shield(task), 20)
        assert seqs(near, "near/uav1/telemetry") == seqs(far, "far/uav1/telemetry") == list(range(150))


async def test_a_broker_that_refuses_at_the_first_attempt_ends_the_relay(oracle: OracleBroker, tmp_path: Path):
    """Wrong credentials: SinkRefused, which is exit code 5, and one line that says what to check."""
    oracle.manners.connack = 0x86
    with pytest.raises(SinkRefused, match="user name or password") as refused:
        await asyncio.wait_for(relay(oracle.port, tape(tmp_path)).run(), 10)
    assert refused.value.exit_code == 5


@pytest.mark.needs("mosquitto")
async def test_a_topic_that_the_access_list_forbids_starves_no_other_stream(mosquitto: Mosquitto, tmp_path: Path):
    """Two streams, all topics of one forbidden: every record of the other arrives, over one connection."""
    rules = mosquitto.home / "acl"
    rules.write_text("topic read #\ntopic write klvrelay/status\ntopic write klvrelay/uav1/#\n")
    await mosquitto.stop()
    mosquitto.configure(f"listener 1 127.0.0.1\nallow_anonymous true\nacl_file {rules}\n")
    await mosquitto.start()
    pipeline = relay(mosquitto.port, tape(tmp_path), tape(tmp_path, name="uav2"))
    async with listening(mosquitto.port, "klvrelay/#", protocol=4) as heard:
        await asyncio.wait_for(pipeline.run(), 20)
        await heard.count(150, TELEMETRY)

    assert [orjson.loads(p)["seq"] for p in heard.on(TELEMETRY)] == list(range(150))
    assert {str(m.topic).split("/")[1] for m in heard.messages} == {"status", "uav1"}
    (sink_task,) = pipeline.sink_tasks
    assert (sink_task.cursor.delivered, sink_task.cursor.rejected, sink_task.cursor.waiting) == (150, 150, 0)
    assert "klvrelay/uav2/telemetry" in sink_task.health.suspended()
    assert mosquitto.log().count("as klvrelay-") == 1


async def test_a_record_larger_than_the_broker_accepts_blocks_no_later_one(tmp_path: Path):
    """The broker's Maximum Packet Size is obeyed: the record is dropped and reported, the others arrive."""
    large = encode({"precision_time_stamp": 1, 150: bytes(3000)})
    async with OracleBroker() as oracle:
        oracle.manners.limits = {0x27: 3000}
        source = tape(tmp_path, b"".join([*TAPE.klv[:5], large, *TAPE.klv[5:10]]))
        async with running(relay(oracle.port, source)):
            await until(lambda: len(seqs(oracle)) == 10, 3)
        assert seqs(oracle) == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]
        assert len(oracle.guests) <= 2


async def test_two_sources_side_by_side_one_of_which_fails(oracle: OracleBroker, free_port: int, tmp_path: Path):
    """The second one's far end is closed, and the third is no stream: the first arrives completely."""
    text = tape(tmp_path, b"no stream at all\n" * 9000, "text")
    nobody = SourceSettings(Url.parse(f"tcp://127.0.0.1:{free_port}"), stream="nobody")
    async with running(relay(oracle.port, tape(tmp_path), nobody, text)) as task:
        await until(lambda: len(seqs(oracle)) == 150)
        await until(lambda: oracle.payloads("klvrelay/uav1/availability")[-1:] == [b"offline"])
        assert not task.done()
    assert oracle.payloads("klvrelay/nobody/availability")[-1] == b"offline"


@pytest.mark.long
async def test_stopping_takes_five_seconds_at_most_with_a_broker_that_stalls(oracle: OracleBroker, free_port: int):
    """Nothing is acknowledged any more: the relay still ends in time."""
    source = SourceSettings(Url.parse(f"udp://127.0.0.1:{free_port}"), stream="uav1")
    pipeline = relay(oracle.port, source)
    task = asyncio.create_task(pipeline.run())
    await until(lambda: oracle.payloads("klvrelay/status"))
    await feed.listening(free_port)
    oracle.manners.ack = False
    feed.send_udp(feed.datagrams(TAPE.ts), free_port)
    await until(lambda: oracle.payloads(TELEMETRY))
    start = asyncio.get_running_loop().time()
    task.cancel()
    await asyncio.wait({task}, timeout=20)
    assert asyncio.get_running_loop().time() - start <= 5
