"""`klvrelay schema -c`: the AsyncAPI document describes what the outputs of a settings file publish."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from brokers import listening
from conftest import ROOT
from jsonschema import Draft202012Validator
from oracle_broker import OracleBroker
from payload_schemas import Described
from test_cli import ran
from test_live_changes import RESULT, answered_with, changeable, serving
from test_outputs import flight
from test_outputs_mqtt import of
from test_schema_asyncapi import invalid
from test_schema_payloads import references, target

from klvrelay.config.outputs import output_of
from klvrelay.config.settings import RelaySettings, SourceSettings
from klvrelay.config.settings_file import load
from klvrelay.config.url import Url
from klvrelay.relay.build import build_relay
from klvrelay.schema import asyncapi, payload_schema
from klvrelay.shape.shaper import Shaper

OUTPUTS = (
    {"preset": "telemetry"}, {"preset": "osd", "qos": 0}, {"preset": "state"}, {"preset": "items"},
    {"name": "changes", "on_change": True, "items": ("position", "vmti")},
    {"name": "link", "topic": "{stream}/x/{set}"},
    {"name": "packets", "format": "klv", "retain": True}, {"name": "lines", "batch": 5},
    {"name": "small", "format": "compact", "on_change": True, "batch": 2},
    {"name": "zipped", "compression": "zstd"}, {"preset": "homeassistant", "coarse": 100.0, "qos": 0},
)  # fmt: skip
FILE = """
[[sink]]
url = "mqtt://broker/site"
[[sink.output]]
preset = "osd"
[[sink.output]]
name = "changes"
on_change = true
[[source]]
url = "udp://:5000"
"""


@pytest.mark.timeout(120)
async def test_every_message_of_every_output_is_described(oracle: OracleBroker):
    """Topic, payload, QoS, retention, expiry, content type and user properties."""
    source = SourceSettings(Url.parse(ROOT / "samples" / "orbit.ts"), stream="an orbit/1")
    settings = of(oracle.port, *OUTPUTS, prefix="site/klv", expiry=30)
    await asyncio.wait_for(build_relay(RelaySettings((source,), (settings,))).run(), 60)

    described = Described.of(settings.mqtt, settings.outputs)
    assert invalid(described.document) == []
    found = dict[str, int]()
    for message in oracle.published:
        leaf = described.leaf(message.topic)
        assert leaf is not None, message.topic
        found[leaf] = found.get(leaf, 0) + 1
        assert described.differences(message, payload=found[leaf] <= 20) == {}, message.topic
    names = {*(output.name for output in settings.outputs), "availability", "status", "output-link", "discovery"}
    assert names <= found.keys() | {"gap", "rejected"}


def test_every_reference_leads_to_a_part_of_it():
    """With outputs too; without `state`, its schema is not in the document."""
    mqtt = of(1883).mqtt
    whole = asyncapi(mqtt, [output_of(each) for each in OUTPUTS])
    assert [reference for reference in references(whole) if target(whole, reference) is None] == []
    small = asyncapi(mqtt, [output_of({"name": "packets", "format": "klv"})])
    assert [*small["channels"]] == [
        "packets", "rejected", "gap", "link", "health", "alert", "availability", "status", "relay-health",
        "daily-report", "relay-alert", "uplink",
    ]
    assert "state" not in small["components"]["schemas"]
    assert asyncapi(mqtt, ()) == asyncapi(mqtt)


async def test_requests_and_answers_are_described(oracle: OracleBroker):
    """With `set`: both topics, what may change, and records that may become partial."""
    outputs = {"preset": "telemetry"}, {"name": "b"}
    settings = changeable(oracle.port, *outputs, set=("tele*.on_change", "b.rate"))
    described = Described.of(settings.mqtt, settings.outputs, settings.set)
    assert invalid(described.document) == []
    assert "Allowed: telemetry.on_change, b.rate" in described.document["channels"]["set"]["summary"]
    assert described.document["operations"]["read_set"]["action"] == "receive"
    good: list[dict[str, Any]] = [{"output": "telemetry", "on_change": True, "id": "1"}, {"output": "telemetry"},
                                  {"output": "b", "rate": None}, {"output": "telemetry", "reset": True}]  # fmt: skip
    bad: list[Any] = [{"rate": 2}, {"output": "b", "topic": "x"}, {"output": "b", "reset": False}, [], {"output": 1}]
    assert [each for each in good if described.faults("set", each)] == []
    assert [each for each in bad if not described.faults("set", each)] == []
    async with serving(settings) as keep, listening(oracle.port, RESULT, protocol=4) as heard:
        for request in (*good, *bad[:2]):
            await answered_with(oracle.port, request, heard)
            await keep.sink.deliver(flight(3, 1))
    found = {message.topic for message in oracle.published if described.leaf(message.topic) is not None}
    assert {RESULT, "klvrelay/uav1/telemetry"} <= found
    own = [message for message in oracle.published if message.user]
    assert [described.differences(message) for message in own if described.differences(message)] == []
    partial = [json.loads(payload).get("full") for payload in oracle.payloads("klvrelay/uav1/telemetry")]
    assert {None, True, False} == {*partial}


def test_without_the_setting_there_are_no_such_topics():
    """Nor if it allows nothing."""
    assert "set" not in asyncapi(of(1883).mqtt, [output_of({"preset": "telemetry"})])["channels"]
    assert {"set", "set_result", "telemetry", "state"} <= asyncapi(of(1883).mqtt, (), ("*.rate",))["channels"].keys()


def test_what_an_output_on_change_publishes_is_valid_by_its_schema():
    """Full and partial records; the schema refuses a document without `full`."""
    schema = Draft202012Validator(payload_schema("change"))
    shaper = Shaper([output_of({"name": "a", "on_change": True})])
    due = [each for record in flight(100, 1) for each in shaper.offer(record, 0.0)[0]]
    documents = [json.loads(payload.data) for each in due for payload in each.payloads(0.0)]
    assert {document["full"] for document in documents} == {True, False}
    assert any(document.get("removed") for document in documents)
    assert [error.message for document in documents for error in schema.iter_errors(document)] == []
    assert [*schema.iter_errors({key: value for key, value in documents[0].items() if key != "full"})]


def test_the_outputs_of_a_file_are_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Of its only sink, or of the one that is named."""
    path = tmp_path / "relay.toml"
    path.write_text(FILE)
    code, out, said = ran(capfd, "schema", "-c", str(path))
    assert (code, said) == (0, "")
    sink = load(path).sinks[0]
    assert json.loads(out) == asyncapi(sink.mqtt, sink.outputs, budget=False)
    assert json.loads(out)["channels"]["osd"]["address"] == "site/{stream}/osd"
    path.write_text(f'{FILE}[[sink]]\nname = "b"\nurl = "mqtt://c"\n')
    assert json.loads(ran(capfd, "schema", "-c", str(path), "--sink", "mqtt")[1]) == json.loads(out)
    assert "telemetry" in json.loads(ran(capfd, "schema", "-c", str(path), "--sink", "b")[1])["channels"]


@pytest.mark.parametrize(
    ("words", "hint"),
    [(("-c", "FILE"), "give --sink with one of mqtt, b"), (("-c", "FILE", "--sink", "c"), "valid names: mqtt, b"),
     (("--sink", "b"), "needs -c FILE"), (("state", "-c", "FILE"), "applies to the document asyncapi only"),
     (("-c", "FILE", "--prefix", "x"), "--prefix: the settings file has it"), (("-c", "/none"), "No such file")],
)  # fmt: skip
def test_options_that_do_not_fit_are_refused(
    words: tuple[str, ...], hint: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """With exit code 2."""
    path = tmp_path / "relay.toml"
    path.write_text(f'{FILE}[[sink]]\nname = "b"\nurl = "mqtt://c"\n')
    code, out, said = ran(capfd, "schema", *(str(path) if word == "FILE" else word for word in words))
    assert (code, out) == (2, "")
    assert hint in said


BUDGET = '[[sink]]\nurl = "mqtt://c"\nbudget = "64kbit/s"\n{}[[source]]\nurl = "udp://127.0.0.1:5000"\n'
ALERT = '[[sink.output]]\nname = "urgent"\nclass = "alert"\n'
COMPACT_OUTPUT = f'[[sink.output]]\npreset = "telemetry"\nformat = "compact"\n{ALERT}'


@pytest.mark.parametrize(
    ("text", "telemetry", "later"),
    [
        ("", "either", None),
        ("budget_later = true\n", "either", "telemetry"),
        (f"budget_later = true\n{COMPACT_OUTPUT}", "compact", "compact"),
    ],
)
def test_the_topics_of_a_budget_are_printed_if_there_is_one(tmp_path, capfd, text, telemetry, later):
    """`uplink`, what follows later, and records that a step may make partial."""
    path = tmp_path / "relay.toml"
    path.write_text(BUDGET.format(text))
    document = json.loads(ran(capfd, "schema", "-c", str(path))[1])
    assert invalid(document) == []
    channels, messages = document["channels"], document["components"]["messages"]
    assert channels["uplink"]["address"] == "klvrelay/uplink"
    assert messages["telemetry"]["payload"]["$ref"].endswith(f"/{telemetry}")
    assert ("later" in channels) is (later is not None)
    if later is not None:
        assert channels["later"]["address"] == "klvrelay/{stream}/later"
        assert messages["later"]["payload"]["$ref"].endswith(f"/{later}")
    if "urgent" in messages:
        assert messages["urgent"]["payload"]["$ref"].endswith("/telemetry")
    path.write_text(BUDGET.format("").replace('budget = "64kbit/s"\n', ""))
    assert not {"uplink", "later"} & json.loads(ran(capfd, "schema", "-c", str(path))[1])["channels"].keys()
