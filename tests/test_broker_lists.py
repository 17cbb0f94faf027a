"""Several brokers of one sink in the settings: in an array, or with a repeated option."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from oracle_broker import OracleBroker
from test_settings_explained import CANARY, lines_of, printed, written

from klvrelay.cli import main as cli
from klvrelay.cli.relay_settings import relay_settings
from klvrelay.cli.verbs.check import check
from klvrelay.config.mqtt import mqtt_brokers
from klvrelay.config.settings import RelaySettings
from klvrelay.config.settings_file import load, read_settings
from klvrelay.errors import ConfigError
from klvrelay.relay.build import build_relay
from klvrelay.sinks.mqtt.failover import FailoverSink
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.text import Secret

SOURCE = '[[source]]\nurl = "udp://127.0.0.1:5000"\n'


def of_file(folder: Path, sink: str) -> RelaySettings:
    return load(Path(written(folder, f"[[sink]]\n{sink}\n{SOURCE}")))


def of_command(*argv: str) -> RelaySettings:
    return relay_settings(cli.parser().parse_args(["run", *argv]))


def urls(settings: RelaySettings) -> list[list[str]]:
    return [[broker.url for broker in sink.brokers] for sink in settings.sinks]


def test_a_sink_has_one_broker_or_several(tmp_path: Path):
    """In their order; an array of one is one."""
    one, two = "mqtt://a:1883", "mqtts://b:8883"
    assert urls(of_file(tmp_path, 'url = "mqtt://a"')) == [[one]]
    assert urls(of_file(tmp_path, 'url = ["mqtt://a"]')) == [[one]]
    settings = of_file(tmp_path, 'url = ["mqtts://b", "mqtt://a"]')
    assert urls(settings) == [[two, one]]
    (task,) = build_relay(settings).sink_tasks
    assert isinstance(task.sink, FailoverSink)
    assert task.health.name == f"{two},{one}"
    (task,) = build_relay(of_file(tmp_path, 'url = "mqtt://a"')).sink_tasks
    assert isinstance(task.sink, MqttSink)


def test_an_option_that_is_repeated_gives_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A comma would be ambiguous: passwords and options may contain one. It replaces those of a file."""
    two = ["mqtt://a:1883", "mqtt://b:1884"]
    options = "--mqtt", "mqtt://a", "--mqtt", "mqtt://b:1884", "--qos", "0"
    settings = of_command("flight.ts", *options)
    assert urls(settings) == [two]
    assert [broker.qos for broker in settings.sinks[0].brokers] == [0, 0]
    path = written(tmp_path, f'[[sink]]\nurl = ["mqtt://c", "mqtt://d"]\nkeepalive = 7\n{SOURCE}')
    settings = of_command("-c", path, *options)
    assert urls(settings) == [two]
    assert [(broker.qos, broker.keepalive) for broker in settings.sinks[0].brokers] == [(0, 7)] * 2
    assert [broker.qos for broker in of_command("-c", path, "--qos", "2").sinks[0].brokers] == [2, 2]
    monkeypatch.setenv("KLVRELAY_SINK_MQTT_URL", '["mqtt://a", "mqtt://b:1884"]')
    assert urls(of_command("-c", path)) == [two]


def test_the_login_and_the_certificates_are_common(tmp_path: Path):
    """Unless a URL has another login; TLS keys apply to the brokers with TLS."""
    ca_file = tmp_path / "ca.pem"
    common = {"username": "relay", "password": Secret("common"), "ca_file": str(ca_file), "keepalive": 9}
    first, second, third = mqtt_brokers(["mqtts://a", f"mqtts://me:{CANARY}@b", "mqtt://127.0.0.1"], common)
    assert [broker.username for broker in (first, second, third)] == ["relay", "me", "relay"]
    passwords = [broker.password for broker in (first, second, third)]
    assert passwords == [Secret("common"), Secret(CANARY), Secret("common")]
    assert [broker.ca_file for broker in (first, second, third)] == [str(ca_file), str(ca_file), None]
    assert [broker.keepalive for broker in (first, second, third)] == [9, 9, 9]


def test_a_common_password_is_not_sent_without_tls():
    """To no broker of the list."""
    with pytest.raises(ConfigError, match="mqtt://b:1883: the password would be sent unencrypted"):
        mqtt_brokers(["mqtts://u@a", "mqtt://u@b"], {"password": Secret("p")})


def test_the_brokers_are_printed_without_their_secrets(tmp_path: Path):
    """With their origin; a file that others can read is warned of."""
    text = f'[[sink]]\nurl = ["mqtts://u:{CANARY}@a", "mqtts://b"]\n{SOURCE}'
    path = written(tmp_path, text)
    assert lines_of(printed(path))['url = ["mqtts://a:8883", "mqtts://b:8883"]'] == f"{path}:2"
    assert CANARY not in printed(path)
    Path(path).chmod(0o644)
    (warning,) = read_settings(path).warnings
    assert "chmod" in warning


async def test_check_tries_each_broker(oracle: OracleBroker, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """One that cannot be reached is a fault, although the relay would use the other."""
    async with OracleBroker() as down:
        await down.stop()
        path = written(tmp_path, f'[[sink]]\nurl = ["{down.url}", "{oracle.url}"]\n{SOURCE}')
        assert await asyncio.wait_for(check(path, connects=True, seconds=0.1, as_json=True), 20) == 3
    trials = json.loads(capfd.readouterr().out)["tried"]
    sinks = [(trial["url"], trial["ok"]) for trial in trials if trial["kind"] == "sink"]
    assert sinks == [(down.url, False), (oracle.url, True)]
