"""What follows from the table of settings: --print-config, the JSON Schema, the reference page and the sample."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from bad_settings import BAD
from cases import each_case
from conftest import ROOT
from settings_file import written

from klvrelay.cli import main as cli
from klvrelay.config.explain import explained, origins_of
from klvrelay.config.faults import InvalidSettings
from klvrelay.config.incidents import IncidentSettings
from klvrelay.config.log import LogSettings
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.reference import reference
from klvrelay.config.schema import settings_schema
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings, SpoolSettings
from klvrelay.config.settings_file import read_settings
from klvrelay.config.tables import INCIDENTS, LOG, RELAY, SINK, SOURCE, SPOOL, TABLES, Table

SAMPLE = ROOT / "samples" / "relay.toml"
CANARY = "c4n4ry-s3cret"
FILE = f"""\
[relay]
waiting = 77
[spool]
path = "/spool"
commit = "1s"
[[sink]]
url = "mqtts://relay:{CANARY}@broker/site?qos=2"
raw = true
[[source]]
url = "rtsp://viewer@cam/live?token={CANARY}"
password = "{CANARY}"
stream = "uav1"
pids = {{0x101 = "eo"}}
[[source]]
url = "udp://:5000"
program = 2
[http]
listen = "127.0.0.1:8080"
[[alert]]
rule = "no_klv"
[[geofence]]
name = "zone"
file = "zone.geojson"
[[notify]]
name = "ops"
url = "https://example.org/{CANARY}"
secret = "{CANARY}"
"""


def printed(path: str) -> str:
    reading = read_settings(path)
    return explained(reading.settings, origins_of(reading.entries))


def lines_of(text: str) -> dict[str, str]:
    """Origin by value."""
    parts = (line.partition(" # ") for line in text.splitlines())
    return {value.strip(): origin for value, mark, origin in parts if mark}


def test_every_value_is_printed_with_its_origin(tmp_path: Path):
    """The line of the file, the URL, or the default."""
    path = written(tmp_path, FILE)
    found = lines_of(printed(path))
    expected = {
        "waiting = 77": f"{path}:2", "waiting_size = 67108864": "default", 'commit = "1s"': f"{path}:5",
        'url = "mqtts://broker:8883"': f"{path}:7", "raw = true": f"{path}:8", "qos = 2": f"{path}:7 (url)",
        'prefix = "site"': f"{path}:7 (url)", 'url = "rtsp://***@cam/live?token=***"': f"{path}:10",
        'stream = "uav1"': f"{path}:12", 'stream = "udp-5000"': "default", 'pids = {0x101 = "eo"}': f"{path}:13",
        "program = 2": f"{path}:16", "# interface": "not set",
    }  # fmt: skip
    assert {key: found.get(key) for key in expected} == expected
    assert CANARY not in printed(path)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_setting_is_printed(table: Table, tmp_path: Path):
    """Also those that are not set; the address of a broker as its URL."""
    part = next(part for part in printed(written(tmp_path, FILE)).split("\n\n") if part.startswith(table.header))
    keys = re.findall(r"(?m)^(?:# )?(\w+)", part.partition("\n")[2])
    of_mqtt = [one.name for one in table.settings if not one.only or "mqtt" in one.only]
    assert keys == [name for name in of_mqtt if not (table is SINK and name in ("host", "port", "tls"))]


def test_what_is_printed_is_valid_toml(tmp_path: Path):
    """Which gives the same settings, apart from secrets and origins."""
    text = printed(written(tmp_path, FILE))
    assert tomllib.loads(text)["relay"]["waiting"] == 77
    public = re.sub(r"(?m)^.*= \"\*{3}\".*\n", "", text).replace("***@", "").replace("?token=***", "")
    again = printed(written(tmp_path, public))
    assert {*lines_of(again)} == {
        re.sub(r"^((?:user|pass|secret)\w*) = .*", r"# \1", line.replace("***@", "").replace("?token=***", ""))
        for line in lines_of(text)
    }


def test_options_and_variables_are_named_as_origins(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    """Of `run --print-config`, which starts nothing."""
    monkeypatch.setenv("KLVRELAY_RELAY_WAITING", "5")
    monkeypatch.setenv("KLVRELAY_MQTT_PASSWORD", CANARY)
    argv = ["udp://127.0.0.1:5000", "--stream", "uav1", "--stall", "3", "--mqtt", "mqtt://me@127.0.0.1", "--qos", "0"]
    assert cli.main(["run", *argv, "--spool", str(tmp_path), "--pid", "0x101", "--print-config"]) == 0
    out, said = capsys.readouterr()
    found = lines_of(out)
    expected = {
        "waiting = 5": "KLVRELAY_RELAY_WAITING", f'path = "{tmp_path}"': "--spool", "qos = 0": "--qos",
        'url = "mqtt://127.0.0.1:1883"': "--mqtt", 'password = "***"': "KLVRELAY_MQTT_PASSWORD", "stall = 3": "--stall",
        'stream = "uav1"': "--stream", 'url = "udp://127.0.0.1:5000"': "the command line", "pids = [257]": "--pid",
    }  # fmt: skip
    assert {key: found.get(key) for key in expected} == expected
    assert CANARY not in out + said


def test_the_page_and_the_schema_are_up_to_date():
    """`make tables` makes them again."""
    assert (ROOT / "docs" / "configuration.md").read_text() == reference()
    assert (ROOT / "samples" / "relay.schema.json").read_text() == settings_schema()


def test_every_field_of_the_settings_is_a_setting():
    """Or is made of several; and each has a description."""
    fields = {
        RELAY: ((RelaySettings,), {"sources", "sinks", "spool", "log", "http", "incidents", "alerts"}),
        LOG: ((LogSettings,), set()), SPOOL: ((SpoolSettings,), set()), INCIDENTS: ((IncidentSettings,), set()),
        SINK: ((SinkSettings, MqttSettings), {"far_end", "fallbacks", "outputs", "limit"}),
        SOURCE: ((SourceSettings,), {"only"}),
    }  # fmt: skip
    for table, (classes, others) in fields.items():
        names = {field.name for one in classes for field in dataclasses.fields(one)}
        assert names - others <= {setting.name for setting in table.settings}, table.name
    for table in (*TABLES, *SINK.inner):
        assert all(setting.text and setting.kind.valid for setting in table.settings)
        assert len(table.keys) == len(set(table.keys)), "each key once"


def test_every_default_is_valid():
    """The reader accepts what the reference says."""
    for table in (*TABLES, *SINK.inner):
        for setting in table.settings:
            if setting.default is not None:
                shown = tomllib.loads(f"value = {setting.default_shown}")["value"]
                assert setting.kind.read(shown) == setting.default, setting.name
            if setting.example:
                setting.kind.read(tomllib.loads(f"value = {setting.example}")["value"])


SCHEMA = json.loads(settings_schema())


def complaints(text: str) -> list[Any]:
    checker = jsonschema.Draft202012Validator(SCHEMA)
    return list(checker.iter_errors(tomllib.loads(text)))


def test_the_schema_accepts_the_sample_and_a_full_file():
    """And is itself valid."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert complaints(SAMPLE.read_text()) == []
    assert complaints(FILE) == []
    assert SAMPLE.read_text().startswith("#:schema ./relay.schema.json\n")


SEMANTIC = (
    "not the scheme of a sink",
    "looks like a URL", "topic levels", "printable", "letters", "both", "mqtts://", "user name", "can't be read",
    "KLVRELAY_", "LoadCredential", "CREDENTIALS_DIRECTORY", "unset or empty", "URL", "begin or end", "U+", "at most",
    "empty", "srt://", "only", "8190", "0x101", "twice", "another stream", "mqtt://", "missing", "65535", "host",
    "WebSocket", "unencrypted", "own name", "port", "supported", "10", "no such file", "two sources",
    "did you mean qos", "broker or prefix", "same prefix", "must contain", "without +", "did you mean stream",
    "has a {",    "not begin", "needs ", "that of", "named", "mean position", "mean sensor", "no item", "not a number",
    "country codes", "with preset", "must be false with", "must be 1 with", "give a name", "two outputs", "item 13",
    "groups are", "has no effect with", "the name of a file", "it is a preset", 'format = "klv"', "own streams",
)  # fmt: skip
"""Parts of messages about the meaning of a text, or about several settings: the schema cannot say that."""


BEYOND = ('coalesce = "0.4ms"', 'size = "10K"', 'size = "999999999T"', "qos = 1.0", '["!"]', 'coarse = "0.1m"')
"""Limits of times and sizes, and a number that JSON takes for whole: the schema cannot say that either."""


def structural() -> list[str]:
    """The bad files that are refused for their structure, types and limits."""
    found = []
    for bad in BAD:
        if bad.key and not any(part in bad.hint for part in SEMANTIC) and not bad.text.endswith(BEYOND):
            found.append(bad.text)
    return found


@each_case("text", structural(), ids=lambda text: text.replace("\n", " ")[-50:])
def test_the_schema_refuses_what_the_reader_refuses(text: str):
    """For unknown settings, wrong types and limits."""
    if "nan" in text or "inf" in text or r"\u0000" in text:
        return  # JSON has no such numbers, and no editor writes such a name
    assert complaints(text)


def test_most_bad_files_are_structural():
    """So that the test above covers something."""
    assert len(structural()) > 100


HEADS = {"spool": 'path = "/x"\n', "sink": 'url = "mqtt://h"\n', "source": 'url = "a"\n'}


def test_the_schema_refuses_no_file_that_the_reader_accepts(tmp_path: Path):
    """Each setting, with a valid value."""
    for line in re.findall(r"(?m)^# (\w+ = .*)$", SAMPLE.read_text()):
        key = line.split(" ")[0]
        for table in TABLES:
            head = HEADS.get(table.name, "")
            text = f"{table.header}\n{'' if head.startswith(key) else head}{line}\n"
            if key not in table.keys:
                continue
            try:
                read_settings(written(tmp_path, text))
            except InvalidSettings:
                continue
            assert complaints(text) == [], text
