"""Settings from the environment: every one, in precedence to the file, and with a warning for a mistyped name."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from far_ends import settings_of

from klvrelay.config.outputs import LIMIT_KEYS, limit_values
from klvrelay.config.settings import RelaySettings
from klvrelay.config.settings_file import Reading, read_settings
from klvrelay.config.tables import ALERTS, HTTP, INCIDENTS, LOG, RELAY, SINK, SOURCE, SPOOL, Table
from klvrelay.config.url import Url
from klvrelay.config.variables import variable_of
from klvrelay.errors import ConfigError
from klvrelay.text import Secret

FILE = """
[relay]
waiting = 50
[spool]
path = "/spool"
[http]
listen = "127.0.0.1:8080"
[[sink]]
url = "mqtts://of-file:pw@broker/site"
qos = 2
[[source]]
url = "udp://:5000"
stream = "uav-1"
stall = 3
"""
VALUES = {
    "waiting": "77", "waiting_size": "99", "coalesce": "4ms", "path": "/other", "size": "4G", "commit": "1s",
    "age": "48h",
    "name": "far", "url": "srt://cam:9000", "host": "h", "port": "1884", "tls": "yes", "username": "u",
    "password": "pw", "client_id": "c", "qos": "0", "prefix": "p", "protocol": "4", "keepalive": "9",
    "ca_file": "/ca", "cert_file": "/c", "key_file": "/k", "allow_plaintext": "1", "raw": "true",
    "publish_bad": "drop", "numbers": "safe", "window": "5", "timeout": "2.5", "expiry": "0", "order": "live-first",
    "replay_rate": "10", "batch": "100ms", "client": "native", "stream": "x", "interface": "lo", "sender": "::1",
    "speed": "2", "loop": "TRUE",
    "follow": "false", "stall": "0.5", "demux": "libav", "isolate": "no", "passphrase": "0123456789",
    "packet_limit": "4096", "program": "2", "pids": "[0x101, 513]", "watch": "true",
    "token": "t0k3n-of-enough-length", "hosts": '["relay.example.org"]',
}  # fmt: skip
"""A valid text of each setting; of others the last of the valid values, the example or the default is taken."""


def value_of(table: Table, key: str) -> str:
    setting = table.setting_of(key)[0]
    if key in VALUES or "enum" in setting.kind.schema:
        return VALUES.get(key) or str(setting.kind.schema["enum"][-1])
    return str(tomllib.loads(f"value = {setting.example or setting.default_shown}")["value"])


NAMES = {RELAY: "", SPOOL: "", LOG: "", HTTP: "", INCIDENTS: "", ALERTS: "", SINK: "MQTT", SOURCE: "UAV_1"}


@pytest.fixture(autouse=True)
def none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MQTT_PASSWORD", "SOURCE_PASSWORD", "SRT_PASSPHRASE"):
        monkeypatch.delenv(f"KLVRELAY_{name}", raising=False)


def reading(folder: Path, text: str = FILE) -> Reading:
    path = folder / "relay.toml"
    path.write_text(text)
    path.chmod(0o600)
    return read_settings(path)


SETTINGS = [(table, setting.name) for table in NAMES for setting in table.settings]


@pytest.mark.parametrize(("table", "key"), SETTINGS, ids=lambda part: part if isinstance(part, str) else part.name)
def test_every_setting_has_a_variable(table: Table, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its value is read like that of the file, and replaces it."""
    variable = variable_of(table, key, NAMES[table])
    monkeypatch.setenv(variable, value_of(table, key))
    for other in ("cert_file", "key_file") if key in ("cert_file", "key_file") else ():
        monkeypatch.setenv(variable_of(table, other, NAMES[table]), VALUES[other])
    if variable == "KLVRELAY_ALERTS_ZONE":
        monkeypatch.setenv("KLVRELAY_ALERTS_QUIET", "22:00-06:00")  # without it, a warning
    if variable == "KLVRELAY_SINK_MQTT_URL":
        monkeypatch.setenv(variable, "mqtt://elsewhere")

    found = reading(tmp_path, _file_for(table, key))

    entry = found.entries_of(table)[0]
    assert entry.origin_of(key).place == variable
    assert found.warnings == ()
    assert _typed(found.settings, table, key) == _expected(table, key)


URLS = {
    "lines": "udp://127.0.0.1:9", "redis": "redis://127.0.0.1", "nats": "nats://127.0.0.1", "files": "/flights",
    "http": "http://127.0.0.1", "cot": "cot+udp://127.0.0.1:9",
}  # fmt: skip
"""A URL of each kind of sink beside MQTT."""


def _file_for(table: Table, key: str) -> str:
    """A file in which the setting may be set: passwords need a user, and some URLs take none."""
    if table is SINK and "mqtt" not in ((only := table.setting_of(key)[0].only) or ("mqtt",)):
        return FILE.replace('"mqtts://of-file:pw@broker/site"\nqos = 2', f'"{URLS[only[0]]}"\nname = "mqtt"')
    if table is SINK:
        return FILE.replace("of-file:pw@", "u@" if key == "password" else "")
    urls = {"username": "rtsp://cam/live", "password": "rtsp://u@cam/live", "passphrase": "srt://cam:1"}
    return FILE.replace("udp://:5000", urls.get(key, "udp://:5000"))


def _typed(settings: RelaySettings, table: Table, key: str) -> object:
    """The value that the relay uses."""
    source, sink = settings.sources[0], settings.sinks[0]
    if table is SOURCE:
        login = {"username": source.url.user, "password": source.url.password}
        pids = (source.pids, source.only)
        return login[key] if key in login else pids if key == "pids" else getattr(source, key)
    if table is SINK:
        if key in LIMIT_KEYS:
            return limit_values(sink.limit)[key]
        return sink.far_end.url if key == "url" else getattr(sink if hasattr(sink, key) else sink.far_end, key)
    parts = {
        SPOOL: settings.spool, LOG: settings.log, HTTP: settings.http, INCIDENTS: settings.incidents,
        ALERTS: settings.alerts,
    }  # fmt: skip
    return getattr(parts.get(table, settings), key)


def _expected(table: Table, key: str) -> object:
    if key == "url":
        return "mqtt://elsewhere:1883" if table is SINK else Url.parse(value_of(table, key))
    setting = table.setting_of(key)[0]
    return setting.kind.read(setting.kind.from_text(value_of(table, key)))


def test_no_file_is_needed(monkeypatch: pytest.MonkeyPatch):
    """A URL in the environment adds a source, and a sink, under the name of its variable."""
    monkeypatch.setenv("KLVRELAY_SOURCE_UAV_1_URL", "udp://:5000")
    monkeypatch.setenv("KLVRELAY_SOURCE_UAV_1_PIDS", '{0x101 = "eo"}')
    monkeypatch.setenv("KLVRELAY_SINK_FAR_URL", "mqtt://broker")
    settings = read_settings(None).settings
    assert [(source.stream, source.pids) for source in settings.sources] == [("uav_1", {257: "eo"})]
    assert [(sink.name, sink.mqtt.host) for sink in settings.sinks] == [("far", "broker")]


def test_a_url_of_another_name_adds_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Those of the file stay."""
    monkeypatch.setenv("KLVRELAY_SOURCE_CAM_URL", "udp://:5001")
    assert [source.stream for source in reading(tmp_path).settings.sources] == ["uav-1", "cam"]


def test_a_url_of_the_environment_replaces_the_address_and_the_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Other settings of the broker stay; a password never goes to another user."""
    monkeypatch.setenv("KLVRELAY_SINK_MQTT_URL", "mqtts://other@elsewhere")
    text = FILE.replace("of-file:pw@", "").replace("qos = 2", 'qos = 2\nusername = "a"\npassword = "b"')
    (sink,) = reading(tmp_path, text).settings.sinks
    assert (sink.mqtt.url, sink.mqtt.username, sink.mqtt.password, sink.mqtt.qos) == (
        "mqtts://elsewhere:8883", "other", None, 2
    )  # fmt: skip


def test_a_secret_of_the_environment_replaces_one_that_the_file_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The file that it named is not read."""
    monkeypatch.setenv("KLVRELAY_SOURCE_UAV_1_PASSWORD", "of the environment")
    text = FILE.replace('"udp://:5000"', '"rtsp://u@cam/live"\npassword_file = "/none"')
    (source,) = reading(tmp_path, text).settings.sources
    assert source.url.password == Secret("of the environment")


def test_a_credential_of_systemd_is_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`password_credential`, `passphrase_credential` and `url_credential` name it."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    for name, text in (("broker", "pw"), ("srt", "0123456789"), ("camera.url", "rtsp://u:pw@cam/live")):
        (tmp_path / name).write_text(f"{text}\n")
        (tmp_path / name).chmod(0o440)
    text = (
        '[[sink]]\nurl = "mqtts://u@h"\npassword_credential = "broker"\n'
        '[[source]]\nurl = "srt://cam:1"\npassphrase_credential = "srt"\n'
        '[[source]]\nurl_credential = "camera.url"\n'
    )
    settings = reading(tmp_path, text).settings
    assert settings.sinks[0].mqtt.password == Secret("pw")
    assert settings.sources[0].passphrase == Secret("0123456789")
    assert settings.sources[1].url.password == Secret("pw")


def test_an_option_overrides_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Which overrides the file."""
    monkeypatch.setenv("KLVRELAY_SPOOL_PATH", "/of-environment")
    path = tmp_path / "relay.toml"
    path.write_text(FILE)
    path.chmod(0o600)
    options = {("spool", "path"): ("/of-option", "--spool")}
    for given, expected in (({}, "/of-environment"), (options, "/of-option")):
        spool = read_settings(path, options=given).settings.spool
        assert spool is not None
        assert str(spool.path) == expected


def test_an_empty_variable_is_unset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As a container's template leaves it."""
    monkeypatch.setenv("KLVRELAY_RELAY_WAITING", "")
    assert reading(tmp_path).settings.waiting == 50


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("KLVRELAY_RELAY_WAITING", "many", "must be a whole number"),
        ("KLVRELAY_SINK_MQTT_RAW", "maybe", "must be true or false"),
        ("KLVRELAY_SINK_MQTT_URL", "amqp://h", "amqp:// is not the scheme of a sink"),
        ("KLVRELAY_SOURCE_UAV_1_STALL", "0", "must be at least 0.1"),
        ("KLVRELAY_SOURCE_UAV_1_PIDS", "0x101", "must be a table of names"),
        ("KLVRELAY_SPOOL_SIZE", "1K", "must be a size of at least 1 MiB, such as 512M"),
        ("KLVRELAY_SINK_MQTT_CLIENT_ID", "\udcff", "is not UTF-8 text"),
    ],
)
def test_a_fault_names_the_variable(name: str, value: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """In place of the file and the line."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as refused:
        reading(tmp_path)
    assert str(refused.value).startswith(f"{name}: {said}")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("KLVRELAY_SPOL_PATH", "; did you mean KLVRELAY_SPOOL_PATH?"),
        ("KLVRELAY_SINK_MQTT_QOSS", "; did you mean KLVRELAY_SINK_MQTT_QOS?"),
        ("KLVRELAY_SOURCE_UAV1_STALL", "; did you mean KLVRELAY_SOURCE_UAV_1_STALL?"),
        ("KLVRELAY_RELAY_ZZZZZZZZZZZZZZZZZZZZ", ""),
        ("KLVRELAY_SPOOL_ZZZZZZZZZZZZZZZZZZZZ", ""),
        ("KLVRELAY_MQTT_PASWORD", "; did you mean KLVRELAY_MQTT_PASSWORD?"),
        ("KLVRELAY_OTHER_PROGRAM_COLOUR", None),
    ],
)
def test_an_unknown_variable_gives_a_warning(
    name: str, hint: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It suggests the closest valid name, and shows no value; a name unlike any setting gets no warning."""
    monkeypatch.setenv(name, "c4n4ry")
    expected = () if hint is None else (f"{name}: unknown variable{hint}",)
    assert reading(tmp_path).warnings == expected


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("KLVRELAY_SPOL_PATH", "KLVRELAY_SPOOL_PATH"), ("KLVRELAY_SINK_MQTT_PREFX", "KLVRELAY_SINK_MQTT_PREFIX"),
        ("KLVRELAY_RELAY_WAITNG", "KLVRELAY_RELAY_WAITING"),
    ],
)  # fmt: skip
def test_a_mistyped_variable_is_found_without_a_file(name: str, near: str, monkeypatch: pytest.MonkeyPatch):
    """Though no table has its setting yet."""
    monkeypatch.setenv(name, "1")
    assert read_settings(None).warnings == (f"{name}: unknown variable; did you mean {near}?",)


def test_a_variable_of_an_absent_sink_gives_a_warning(monkeypatch: pytest.MonkeyPatch):
    """Without its URL it has no effect."""
    monkeypatch.setenv("KLVRELAY_SINK_MQTT_QOS", "2")
    (warning,) = read_settings(None).warnings
    assert warning.startswith("KLVRELAY_SINK_MQTT_QOS: has no effect: ")


def test_a_variable_of_two_sources_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Their names differ only in characters that names of variables do not have."""
    text = FILE + '[[source]]\nurl = "udp://:5001"\nstream = "uav_1"\n'
    assert len(reading(tmp_path, text).settings.sources) == 2
    monkeypatch.setenv("KLVRELAY_SOURCE_UAV_1_STALL", "2")
    with pytest.raises(ConfigError, match=r"^KLVRELAY_SOURCE_UAV_1_STALL: is that of several tables"):
        reading(tmp_path, text)


def test_a_spool_needs_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An unknown variable makes no spool; a known one names what is missing."""
    monkeypatch.setenv("KLVRELAY_SPOOL_ZZZ", "1")
    assert reading(tmp_path, "").settings.spool is None
    monkeypatch.setenv("KLVRELAY_SPOOL_SIZE", "4G")
    with pytest.raises(ConfigError, match=r"^KLVRELAY_SPOOL_SIZE: has no effect without KLVRELAY_SPOOL_PATH"):
        reading(tmp_path, "")


def test_a_variable_that_the_settings_name_is_no_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Even if its name would be one."""
    monkeypatch.setenv("KLVRELAY_SOURCE_NEW_URL", "udp://:5001")
    found = reading(tmp_path, '[[source]]\nurl_env = "KLVRELAY_SOURCE_NEW_URL"\n')
    assert [str(source.url) for source in found.settings.sources] == ["udp://:5001"]


def test_a_sink_without_a_name_has_the_variables_of_its_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """KLVRELAY_SINK_LINES_... for a socket."""
    monkeypatch.setenv("KLVRELAY_SINK_LINES_FRAMING", "klv")
    found = reading(tmp_path, '[[sink]]\nurl = "tcp://h:5"\n')
    assert found.warnings == ()
    assert found.settings.sinks[0].far_end == settings_of("tcp://h:5", framing="klv", timeout=10.0)
