"""The preset homeassistant: what a broker gets of it, and how a device is removed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import orjson
import pytest
from brokers import Mosquitto, listening, until
from conftest import ROOT
from latest_values import keeping
from oracle_broker import OracleBroker
from records import platform, record
from test_outputs import SECURITY, flight
from test_outputs_mqtt import of, sink_of
from test_retained import topics_of, verb

from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.outputs import OutputFault, output_of
from klvrelay.config.settings import RelaySettings, SourceSettings
from klvrelay.config.settings_file import load
from klvrelay.config.uniqueness import check_outputs
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.relay.build import build_relay
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.protocol.connection import Received
from klvrelay.sinks.mqtt.values.home_assistant import announces, discovery

CONFIG, VALUES = "homeassistant/device/klvrelay_uav1/config", "klvrelay/uav1/homeassistant"
HOME = {"preset": "homeassistant"}
USUAL = {"link", "platform_heading_angle", "platform_tail_number"}
"""The entities of a plain record."""
PLACE = (13, b"\x10\0\0\0"), (14, b"\x20\0\0\0")
"""A latitude and a longitude."""


def shown(oracle: OracleBroker, topic: str = CONFIG) -> list[set[str]]:
    """The entities of each announcement."""
    return [{*orjson.loads(payload)["components"]} for payload in oracle.payloads(topic)]


@pytest.mark.needs("mosquitto")
async def test_a_stream_becomes_a_device_at_a_real_broker(mosquitto: Mosquitto):
    """A later subscriber, as Home Assistant is, gets what announces it, its values and its availability."""
    source = SourceSettings(Url.parse(ROOT / "samples" / "orbit.ts"), stream="uav1")
    await asyncio.wait_for(build_relay(RelaySettings((source,), (of(mosquitto.port, HOME),))).run(), 20)
    async with listening(mosquitto.port, "homeassistant/#", "klvrelay/#") as later:
        (config,) = await later.count(1, CONFIG)
        (values,) = await later.count(1, VALUES)
        for topic in ("klvrelay/uav1/availability", "klvrelay/uav1/link", "klvrelay/status"):
            await later.count(1, topic)
    document, state = orjson.loads(config.payload), orjson.loads(values.payload)
    assert config.retain
    assert values.retain
    assert document["state_topic"] == VALUES
    assert document["components"].keys() - {"link"} == state.keys() > {"position", "slant_range"}
    assert later.on(document["availability"][0]["topic"]) == [b"offline"]
    assert orjson.loads(later.on(document["availability"][1]["topic"])[0])["state"] == "offline"
    assert orjson.loads(later.on(document["components"]["link"]["state_topic"])[0])["state"] == "ended"


async def test_a_stream_is_announced_again_with_further_items(oracle: OracleBroker):
    """Before the values that have them; not for items without a sensor, nor for known ones."""
    outputs = HOME | {"rate": 1000.0}
    async with sink_of(of(oracle.port, outputs)) as sink:
        for n, item in enumerate([(10, b"a"), (10, b"b"), (65, b"\x13"), (59, b"c"), (10, b"d"), (59, b"e")]):
            await sink.deliver([record(n, raw=platform(n, item), received_us=n * 1_000_000)])
    first = USUAL | {"platform_designation"}
    assert shown(oracle) == [first, first | {"platform_call_sign"}]
    order = [message.topic for message in oracle.published if message.topic in (CONFIG, VALUES)]
    assert order == [CONFIG, VALUES, VALUES, VALUES, CONFIG, *[VALUES] * 3]
    last = orjson.loads(oracle.payloads(VALUES)[-1])
    assert (last["platform_designation"], last["platform_call_sign"]) == ("d", "e")


async def test_a_stream_is_announced_on_each_connection(oracle: OracleBroker):
    """Though it pauses: the broker may have lost what it retained."""
    sink = sink_of(of(oracle.port, HOME))
    async with sink:
        await sink.deliver(flight(2, 5))
    for goal in (2, 3):
        async with sink, keeping(sink):
            await until(lambda goal=goal: len(oracle.payloads(CONFIG)) == goal and oracle.payloads(VALUES))
    assert len({*oracle.payloads(CONFIG)}) == 1


async def test_a_withheld_stream_is_not_announced(oracle: OracleBroker):
    """Neither its name, nor items that only withheld records have."""
    def named(seq: int, level: int, stream: str) -> Any:
        return record(seq, stream, raw=platform(seq, SECURITY[level], (10 if level == 1 else 59, b"secret")))

    async with sink_of(of(oracle.port, HOME | {"max_classification": "RESTRICTED", "rate": 1000.0})) as sink:
        await sink.deliver([named(0, 5, "uav2"), named(1, 3, "uav2"), record(2, "uav3")])
        await sink.deliver([named(0, 1, "uav1"), named(1, 5, "uav1")])
    announced = [message.topic for message in oracle.published if message.topic.startswith("homeassistant")]
    assert announced == [CONFIG]
    assert shown(oracle) == [USUAL | {"platform_designation"}]
    assert not oracle.payloads("klvrelay/uav2/homeassistant") + oracle.payloads("klvrelay/uav3/homeassistant")


async def test_a_rounded_position_has_its_accuracy(oracle: OracleBroker):
    exact = HOME | {"name": "exact", "topic": "x/{stream}"}
    async with sink_of(of(oracle.port, HOME | {"coarse": 500.0}, exact)) as sink:
        await sink.deliver([record(0, raw=platform(0, *PLACE))])
    assert orjson.loads(oracle.payloads(VALUES)[0])["position"]["gps_accuracy"] == 500.0
    assert "gps_accuracy" not in orjson.loads(oracle.payloads("x/uav1")[0])["position"]


async def test_another_topic_of_the_values_is_announced(oracle: OracleBroker):
    """And several streams are several devices."""
    async with sink_of(of(oracle.port, HOME | {"topic": "{prefix}/ha/{stream}"}, prefix="site/a")) as sink:
        await sink.deliver([record(0), record(0, "uav 2/x")])
    configs = [m for m in oracle.published if m.topic.startswith("homeassistant/device/")]
    topics = [orjson.loads(each.payload)["state_topic"] for each in configs]
    assert topics == ["site/a/ha/uav1", "site/a/ha/uav%202%2Fx"]
    assert len({each.topic for each in configs}) == 2
    assert {*topics} < {message.topic for message in oracle.published}


@pytest.mark.parametrize(
    ("values", "key"),
    [({"retain": False}, "retain"), ({"topic": "{prefix}/{stream}/{set}"}, "topic"), ({"on_change": True}, "on_change"),
     ({"format": "cbor"}, "format"), ({"batch": 2}, "batch"), ({"compression": "zstd"}, "compression")],
)  # fmt: skip
def test_what_home_assistant_cannot_read_is_refused(values: dict[str, Any], key: str):
    with pytest.raises(OutputFault) as found:
        output_of(HOME | values)
    assert found.value.key == key


def test_no_output_takes_the_topic_of_the_discovery(tmp_path: Path):
    path = tmp_path / "relay.toml"
    text = '[[sink]]\nurl = "mqtt://h"\n[[sink.output]]\npreset = "homeassistant"\n[[source]]\nurl = "udp://:5000"\n'
    path.write_text(text)
    load(path)
    other = '[[sink.output]]\nname = "a"\ntopic = "homeassistant/device/{stream}/config"\n'
    path.write_text(text.replace("[[source]]", f"{other}[[source]]"))
    with pytest.raises(ConfigError, match="is also that of discovery of Home Assistant"):
        load(path)


@pytest.mark.parametrize(
    ("one", "two", "is_valid"),
    [((), ("uav1",), False), (("uav*",), ("!uav2",), False), (("uav1", "b"), ("uav*",), False),
     (("uav*",), ("uav1*",), False), (("uav1",), ("uav2",), True), (("uav1",), ("!uav1",), True),
     (("uav*",), ("ship*",), True)],
)  # fmt: skip
def test_no_stream_is_announced_by_two_outputs(one: tuple[str, ...], two: tuple[str, ...], is_valid: bool):
    """Each stream is one device."""
    given = HOME | {"streams": one}, HOME | {"streams": two, "name": "b", "topic": "{prefix}/{stream}/b"}
    faults = check_outputs([output_of(values) for values in given], MqttSettings(host="h"))
    assert [(number, key) for number, key, _ in faults] == ([] if is_valid else [(1, "streams")])


# ---- klvrelay retained ----


def foreign() -> Iterator[tuple[str, bytes]]:
    """What announces other devices: of another program, of another prefix, and what only looks like ours."""
    yield "homeassistant/device/lamp/config", orjson.dumps({"origin": {"name": "zigbee"}, "device": {}})
    yield discovery("other", "uav1", [])
    topic, payload = discovery("klvrelay", "uav1", [])
    yield topic.replace("klvrelay_uav1", "x"), payload
    yield "homeassistant/device/y/config", b"[" * 200
    ours = {"origin": {"name": "klvrelay"}, "device": {"identifiers": ["z"]}}
    yield "homeassistant/device/z/config", orjson.dumps(ours)


def test_only_what_announces_streams_of_the_prefix_is_ours():
    assert announces(Received(*discovery("klvrelay", "uav1", []), True), "klvrelay")
    assert announces(Received(*discovery("a/b", "ü" * 50, []), True), "a/b")
    assert not any(announces(Received(*each, True), "klvrelay") for each in foreign())


@pytest.mark.parametrize("stream", ["uav1", None])
@pytest.mark.needs("mosquitto")
async def test_retained_clear_removes_the_devices(mosquitto: Mosquitto, stream: str | None):
    """Of one stream or of all, and no device of others."""
    async with sink_of(of(mosquitto.port, HOME)) as sink, keeping(sink) as keep:
        await sink.deliver([record(0), record(0, "uav2")])
        await keep.publish(Notice("availability", "uav1", b"online"))
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
        for topic, payload in foreign():
            await client.publish(topic, payload, 1, retain=True)
    words = ["--clear", "--yes", *(["--stream", stream] if stream else [])]
    assert CONFIG in (await verb(mosquitto, *words)).printed
    others = {topic for topic, _ in foreign()}
    kept = {"homeassistant/device/klvrelay_uav2/config", "klvrelay/uav2/homeassistant", "klvrelay/status"}
    assert await topics_of(mosquitto) == (others | kept if stream else others)
