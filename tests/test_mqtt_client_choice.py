"""Which MQTT client connects: aiomqtt for everything that subscribes, the chosen one for the sink."""

from __future__ import annotations

import gc

import pytest
from brokers import until
from records import BOOT, record

from klvrelay.cli import main as options
from klvrelay.cli.relay_settings import relay_settings
from klvrelay.cli.verbs import demo, retained, watch
from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import ConfigError
from klvrelay.outcome import Outcome
from klvrelay.sinks.mqtt.aiomqtt.connection import AiomqttConnection
from klvrelay.sinks.mqtt.sink import MqttSink

CLIENTS = ("native", "aiomqtt")


@pytest.mark.parametrize("client", CLIENTS)
def test_the_client_can_be_chosen_in_the_url_or_by_an_option(client):
    """The default is native."""
    assert MqttSettings.from_url(f"mqtt://h?client={client}").client == client
    for verb in ("run", "replay"):
        args = options.parser().parse_args([verb, "flight.ts", "--mqtt", "mqtt://h", "--mqtt-client", client])
        assert [sink.mqtt.client for sink in relay_settings(args).sinks] == [client]
    assert MqttSettings.from_url("mqtt://h").client == "native"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mqtt://h?client=paho", "mqtt client: must be one of native, aiomqtt"),
        ("mqtt://h?client=aiomqtt&qos=2", "mqtt client: aiomqtt supports QoS 0 and 1 only"),
    ],
)
def test_a_client_that_is_unknown_or_too_simple_is_refused(url, says):
    """Before anything connects."""
    with pytest.raises(ConfigError, match=says):
        MqttSettings.from_url(url)


@pytest.mark.parametrize("client", CLIENTS)
async def test_the_sink_uses_the_chosen_client(oracle, client):
    """The records arrive with either."""
    async with MqttSink(MqttSettings.from_url(oracle.url, client=client), boot=BOOT) as sink:
        assert await sink.deliver([record(n) for n in range(30)]) == Outcome(30)
        assert isinstance(sink._connection, AiomqttConnection) is (client == "aiomqtt")

    assert len(oracle.payloads("klvrelay/uav1/telemetry")) == 30


@pytest.mark.parametrize("qos", [1, 2])
async def test_what_subscribes_uses_aiomqtt(oracle, qos, monkeypatch):
    """`watch`, `retained` and `demo`, whatever the client and the QoS of the settings."""
    made = []

    class Enough(Exception):
        pass

    async def opened(settings, *args, **more):
        made.append(settings.client)
        raise Enough

    monkeypatch.setattr(AiomqttConnection, "open", opened)
    settings = MqttSettings.from_url(oracle.url, qos=qos)
    with pytest.raises(Enough):
        await watch.watch(settings)
    with pytest.raises(Enough):
        await retained.list_retained(settings, None)
    with pytest.raises(Enough):
        await demo.demo("udp://127.0.0.1:5000", f"{oracle.url}?qos={qos}")

    assert made == ["native"] * 3


@pytest.mark.parametrize("client", CLIENTS)
async def test_the_demo_publishes_with_the_chosen_client(client, monkeypatch):
    """To its embedded broker too."""
    found = []

    class Enough(Exception):
        pass

    def build(settings):
        found.extend(sink.mqtt.client for sink in settings.sinks)
        raise Enough

    monkeypatch.setattr(demo, "build_relay", build)
    with pytest.raises(Enough):
        await demo.demo("udp://127.0.0.1:5000", None, {"client": client}, port=0)

    assert found == [client]


async def test_a_lost_connection_leaves_nothing_behind(oracle, caplog):
    """However it ends: no task, no thread, no socket, and no exception that asyncio logs as never retrieved."""
    settings = MqttSettings.from_url(oracle.url, client="aiomqtt")
    for end in (oracle.cut, lambda: oracle.cut(reset=True), lambda: oracle.dismiss(0x8B)):
        sink = MqttSink(settings, boot=BOOT)
        async with sink:
            await sink.deliver([record(0)])
            end()
            await until(lambda: not oracle._here)
        del sink
        gc.collect()

    assert [log.getMessage() for log in caplog.records if log.name == "asyncio"] == []
