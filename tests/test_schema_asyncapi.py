"""The AsyncAPI document: valid by the schema of AsyncAPI, whole, and that of the given broker."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from jsonschema import Draft7Validator
from payload_schemas import Described
from test_schema_payloads import WRONG, good, parts, references, target

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import ConfigError
from klvrelay.schema import PAYLOADS, asyncapi, payload_schema

SPECIFICATION = Path(__file__).parent / "vectors" / "asyncapi" / "3.0.0.json"
URLS = ("mqtt://127.0.0.1", "mqtts://user@[::1]:8884/site/klv?qos=2&expiry=0&numbers=safe", "mqtt://h?protocol=3.1.1")


def document(url: str = URLS[0]) -> dict[str, Any]:
    return asyncapi(MqttSettings.from_url(url))


@cache
def specification() -> Draft7Validator:
    return Draft7Validator(json.loads(SPECIFICATION.read_text(encoding="utf-8")))


def invalid(found: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in specification().iter_errors(found)]


@pytest.mark.parametrize("url", URLS)
def test_it_is_valid(url: str):
    """By the JSON Schema that the AsyncAPI initiative publishes."""
    assert invalid(document(url)) == []


@pytest.mark.parametrize(
    "path",
    [
        "servers/broker/host", "operations/publish_link/action", "operations/publish_link/bindings/mqtt/retain",
        "components/messages/link/headers/type",
    ],
)  # fmt: skip
def test_the_specification_refuses_an_invalid_one(path: str):
    """The check above can fail."""
    found = document()
    *steps, last = path.split("/")
    inner = found
    for step in steps:
        inner = inner[step]
    inner[last] = 7
    assert invalid(found)


@pytest.mark.parametrize("url", URLS)
def test_every_reference_leads_to_a_part_of_it(url: str):
    """The document needs no other file."""
    found = document(url)
    everything = [*references(found)]

    assert len(everything) > 500
    assert [reference for reference in everything if target(found, reference) is None] == []


def test_nothing_is_lost_where_draft_7_ignores_what_is_beside_a_reference():
    """No `$ref` has another key beside it, and no keyword of a later draft remains."""
    text = json.dumps(document())

    assert "$defs" not in text
    assert [part for part in parts(document()) if "$ref" in part and len(part) > 1] == []


@pytest.mark.parametrize("leaf", WRONG)
def test_its_schemas_refuse_what_the_json_schemas_refuse(leaf: str):
    """The conversion to draft 7 loses no rule."""
    described = Described.of(MqttSettings.from_url(URLS[0]))
    assert described.faults(leaf, good(leaf)) == []
    for number, change in enumerate(WRONG[leaf]):
        payload = good(leaf)
        change(payload)
        assert described.faults(leaf, payload), number


def test_no_two_definitions_of_its_schemas_share_a_name():
    """The definitions of all payloads are in one place there."""
    named: dict[str, list[Any]] = {leaf: [] for leaf in PAYLOADS}
    for leaf in PAYLOADS:
        for name, schema in payload_schema(leaf).get("$defs", {}).items():
            if schema not in named.setdefault(name, []):
                named[name].append(schema)

    assert {name for name, found in named.items() if len(found) > 1} == set()
    assert [leaf for leaf in PAYLOADS if named[leaf]] == []


def test_its_topics_are_those_of_the_documentation():
    """Each topic in the table of docs/topics.md has a channel that is retained if the page says so."""
    page = (ROOT / "docs" / "topics.md").read_text()
    table = {line.split("`")[1]: "| yes |" in line for line in page.splitlines() if line.startswith("| `klvrelay/")}
    found = asyncapi(MqttSettings.from_url(URLS[0]), acknowledges=True)
    retained = {
        found["channels"][leaf]["address"]: operation["bindings"]["mqtt"]["retain"]
        for operation in found["operations"].values()
        for leaf in [operation["channel"]["$ref"].rpartition("/")[2]]
    }

    assert len(table) > 6
    assert table == retained


def test_a_relay_that_accepts_acknowledgements_has_their_topics():
    """The relay reads one and publishes the other; without the setting there is none."""
    found = asyncapi(MqttSettings.from_url(URLS[0]), acknowledges=True)

    assert invalid(found) == []
    assert found["operations"]["read_incidents-acknowledge"]["action"] == "receive"
    assert found["operations"]["publish_incidents-acknowledge-result"]["action"] == "send"
    assert found.keys() == document().keys()
    assert not [leaf for leaf in document()["channels"] if "acknowledge" in leaf]


def test_prefix_broker_and_settings_are_those_of_the_url():
    """TLS, port, QoS, expiry and the last will."""
    found = document("mqtts://user@broker:8884/site/klv?qos=2&expiry=5&keepalive=7")
    server = found["servers"]["broker"]
    binding = found["operations"]["publish_telemetry"]["bindings"]["mqtt"]

    assert (server["host"], server["protocol"], server["protocolVersion"]) == ("broker:8884", "secure-mqtt", "5.0")
    assert found["channels"]["telemetry"]["address"] == "site/klv/{stream}/telemetry"
    assert found["channels"]["status"]["address"] == "site/klv/status"
    assert (binding["qos"], binding["messageExpiryInterval"], binding["retain"]) == (2, 5, False)
    assert (server["bindings"]["mqtt"]["keepAlive"], server["bindings"]["mqtt"]["lastWill"]["qos"]) == (7, 2)


def test_a_prefix_that_it_cannot_express_is_refused():
    """Braces are parameters in the address of a channel."""
    with pytest.raises(ConfigError, match="prefix"):
        document("mqtt://h/{site}")
