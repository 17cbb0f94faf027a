"""The mosquitto.conf that klvrelay ships works with mosquitto as documented."""

from __future__ import annotations

import asyncio

import pytest
from brokers import SAMPLE, listening
from latest_values import publish
from records import BOOT, record

from klvrelay.config.mqtt import MqttSettings
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.sink import MqttSink

pytestmark = pytest.mark.needs("mosquitto")


async def test_the_sample_works_unchanged(mosquitto):
    """Its log has no complaint, except about the user that a test may run as."""
    await mosquitto.stop()
    lines = [line for line in mosquitto.log().splitlines() if "run as root" not in line]

    assert not [line for line in lines if "Error" in line or "Warning" in line]


def test_the_sample_accepts_this_machine_only_and_does_not_delay():
    """One open listener, on loopback; Nagle's algorithm off."""
    options = [line for line in SAMPLE.read_text().splitlines() if line and not line.startswith("#")]

    assert [option for option in options if option.startswith("listener")] == ["listener 1883 127.0.0.1"]
    assert "set_tcp_nodelay true" in options


async def test_retained_facts_survive_a_restart_of_the_sample_broker(mosquitto):
    """State and availability are saved to disk at a clean stop."""
    async with MqttSink(MqttSettings.from_url(mosquitto.url), boot=BOOT) as sink:
        await publish(sink, Notice("state", "uav1", b'{"items":{}}'))
    await mosquitto.stop()
    await mosquitto.start()

    async with listening(mosquitto.port, "klvrelay/+/state") as heard:
        await heard.count(1)
    assert heard.on("klvrelay/uav1/state") == [b'{"items":{}}']


@pytest.mark.needs("mosquitto_sub")
async def test_mosquitto_sub_prints_what_the_sink_publishes(mosquitto):
    """The command that the README shows."""
    words = ("-p", str(mosquitto.port), "-t", "klvrelay/+/state", "-C", "1", "-W", "5")
    state = record(0).json()
    async with MqttSink(MqttSettings.from_url(mosquitto.url), boot=BOOT) as sink:
        await publish(sink, Notice("state", "uav1", state))
        reader = await asyncio.create_subprocess_exec("mosquitto_sub", *words, stdout=asyncio.subprocess.PIPE)
        out, _ = await asyncio.wait_for(reader.communicate(), 8)

    assert out == state + b"\n"
