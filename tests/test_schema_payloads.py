"""The JSON Schema of each payload: what it describes, and what it refuses."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import pytest
from cases import each_case
from conftest import ROOT
from jsonschema import Draft202012Validator
from payload_schemas import faults, record_of, state_of
from test_schema import GOOD, good_record, put, raw_packets

from klvrelay.core.counters import Counters
from klvrelay.health import StreamHealth
from klvrelay.health.report import counter_names, link_document
from klvrelay.health.stream import State
from klvrelay.link_stats import LinkStats
from klvrelay.outcome import Sums
from klvrelay.schema import PAYLOADS, payload_schema
from klvrelay.schema.incident import incident
from klvrelay.schema.link_terms import COUNTERS, STATES
from klvrelay.schema.relay_status import SUMS


@pytest.mark.parametrize(
    ("leaf", "numbers"), [*((leaf, "exact") for leaf in PAYLOADS), ("telemetry", "safe")]
)
def test_each_is_a_valid_schema(leaf: str, numbers: Any):
    """Of draft 2020-12, with a title and a description, and with no reference that leads nowhere."""
    schema = payload_schema(leaf, numbers)

    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"title", "description"} <= schema.keys()
    assert [fault for example in schema["examples"] for fault in faults(leaf, example, numbers)] == []
    assert [reference for reference in references(schema) if target(schema, reference) is None] == []


NAMED = (
    "Path of an item", "The sinks by name", "Time from arrival to confirmation, by sink",
    "When each of the listed topics", "Its outputs by name",
)  # fmt: skip


@pytest.mark.parametrize("leaf", PAYLOADS)
def test_no_object_may_have_other_keys(leaf: str):
    """At every depth: a key without a description makes a payload invalid. Only a few have names as keys."""
    described = [part for part in parts(payload_schema(leaf)) if part.get("type") == "object"]
    open_ones = [part for part in described if part.get("additionalProperties") is not False]

    assert described or leaf == "availability"
    assert [part["description"] for part in open_ones if not part["description"].startswith(NAMED)] == []


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from parts(inner)


def references(schema: Any) -> Iterator[str]:
    yield from (part["$ref"] for part in parts(schema) if isinstance(part.get("$ref"), str))


def target(schema: Any, reference: str) -> Any:
    found = schema
    for part in reference.removeprefix("#/").split("/"):
        found = found.get(part, {})
    return found or None


def documented() -> dict[str, dict[str, Any]]:
    """The complete documents in the pages, by their id."""
    texts = (page.read_text() for page in sorted((ROOT / "docs").glob("*.md")))
    found = (block for text in texts for block in re.findall(r"(?ms)^```json\n(.*?)^```", text) if "..." not in block)
    documents = (json.loads(block) for block in found if block.startswith('{"schema"'))
    return {document["schema"]: document for document in documents}


def test_the_complete_examples_of_the_pages_are_valid():
    """By the schemas that `klvrelay schema` prints."""
    examples = documented()

    assert faults("relay-health", examples["klvrelay/relay-health/1"]) == []
    assert faults("daily-report", examples["klvrelay/daily/1"]) == []
    assert faults("gap", examples["klvrelay/gap/1"]) == []
    assert [*Draft202012Validator(incident()).iter_errors(examples["klvrelay/incident/1"])] == []


def test_no_two_documents_share_an_id():
    """Those of the alerts have the same form."""
    ids = [
        payload_schema(leaf).get("properties", {}).get("schema", {}).get("const")
        for leaf in PAYLOADS
        if leaf not in ("rejected", "state", "relay-alert")
    ]
    known = [id for id in ids if id is not None]

    assert len(known) > 5
    assert len(known) == len({*known})


# ---- link ----


def test_every_counter_and_state_is_described() -> None:
    """Those of the relay, and no others."""
    schema = payload_schema("link")["properties"]

    assert [*schema["link"]["properties"]] == [*counter_names()]
    assert {*COUNTERS} == {*counter_names()}
    assert {"bytes", "dropped", "hls_lost", "pcr_jitter_us"} <= {*counter_names()}
    assert len(counter_names()) > len(Counters._fields)
    assert all(counter["description"] for counter in schema["link"]["properties"].values())
    assert {*STATES} == {*get_args(State)} == {*schema["state"]["enum"]} == {*schema["states"]["properties"]}


def test_every_counter_and_state_is_in_the_documentation() -> None:
    """A subscriber finds each name of `link` in docs/topics.md."""
    names = {*re.findall(r"[a-z0-9_]+", (ROOT / "docs" / "topics.md").read_text())}

    assert {*counter_names(), *get_args(State)} - names == set()


@cache
def good_link() -> dict[str, Any]:
    """A report of a stream with outages, clocks and a step of its time."""
    health = StreamHealth("uav1", "udp://0.0.0.0:5000", link=LinkStats(srt_rtt_ms=12.5))
    raws = raw_packets("packet")
    for raw in raws:
        if (record := record_of(raw)) is not None:
            health.add_record(record)
    health.mark_down("gone")
    return dict(json.loads(link_document(health, "5f2c9a")))


def test_a_report_with_measures_fits_the_schema() -> None:
    """Outages, clocks and a step of the KLV time."""
    jump = {"against": "wall", "seconds": -11.983, "time_us": 1340977512123456}
    report = good_link()

    assert report["outages"]["count"] == 1
    assert faults("link", report) == []
    assert faults("link", report | {"clock": report["clock"] | {"last_jump": jump}}) == []


# ---- status, availability, gap ----

STATUS = {
    "state": "offline",
    "boot": "5f2c9a",
    "client_id": "klvrelay-5f2c9a-01ab",
    "reason": "stopped",
    "at": "2026-11-22T04:32:46.101Z",
    "records": Sums()._asdict(),
    "suspended": ["klvrelay/uav1/state"],
    "suspended_topics": 1,
    "spool": {"fault": None, "failures": 0, "unreadable": 0},
    "reload": {"result": "applied", "time": "2026-11-22T04:32:46.101Z", "restart": ["spool.size"]},
}
GAP = {
    "schema": "klvrelay/gap/1",
    "stream": "uav1",
    "boot": "5f2c9a",
    "from": 1042,
    "to": 1099,
    "reason": "size",
    "since": "2026-11-22T04:32:46.101Z",
    "count": 58,
}


def test_the_counts_of_the_records_are_described() -> None:
    """Each of `Sums`."""
    assert {*SUMS} == {*Sums._fields}


# ---- what is refused ----

WRONG: dict[str, list[Any]] = {
    "telemetry": [put("colour", 1), put("quality/colour", 1), put("items/colour", 1), put("seq", "1")],
    "state": [
        put("colour", 1),
        put("items/colour", 1),
        put("items/checksum", 1),
        put("items/vmti_local_set/colour", 1),
        put("items/security_local_set/colour", 1),
        put("items/sensor_latitude", "34"),
        put("items/unknown/sensor", "0a"),
        put("set", "ST0903"),
        put("received", ...),
    ],
    "link": [
        put("colour", 1),
        put("boot", ...),
        put("state", "offline"),
        put("schema", "klvrelay/link/2"),
        put("link/colour", 1),
        put("link/bytes", ...),
        put("link/bytes", -1),
        put("link/datagrams", 1.5),
        put("link/hls_lost", 2**53),
        put("klv/rate_hz", None),
        put("states/asleep", {"entered": 1, "seconds": 0}),
        put("states/live/entered", ...),
        put("outages/mean_s", "1"),
        put("clock/gps", {}),
        put("clock/wall/offset_s", ...),
        put("clock/last_jump", {"against": "gps", "seconds": 1, "time_us": 1}),
        put("since", "2026-11-22 04:32:46"),
    ],
    "status": [
        put("colour", 1),
        put("state", "live"),
        put("reason", "crashed"),
        put("boot", ...),
        put("records/colour", 1),
        put("records/shed", ...),
        put("suspended", "klvrelay/uav1/state"),
        put("at", "today"),
        put("spool/colour", 1),
        put("spool/fault", 5),
        put("spool/failures", ...),
        put("reload/result", "done"),
    ],
    "gap": [put("colour", 1), put("from", -1), put("to", ...), put("count", "58"), put("reason", "")],
}


def good(leaf: str) -> dict[str, Any]:
    state = state_of([GOOD["ST0601"]()]) or {}
    found = {"telemetry": good_record(), "state": state, "link": good_link(), "status": STATUS, "gap": GAP}[leaf]
    return copy.deepcopy(found)


@each_case(("leaf", "number"), [(leaf, number) for leaf in WRONG for number in range(len(WRONG[leaf]))])
def test_one_wrong_member_is_enough(leaf: str, number: int) -> None:
    """A missing, unknown or wrong member makes a payload invalid."""
    document = good(leaf)
    assert faults(leaf, document) == []
    WRONG[leaf][number](document)
    assert faults(leaf, document)


def test_availability_is_one_of_two_words() -> None:
    """Plain text."""
    assert [faults("availability", word) for word in ("online", "offline")] == [[], []]
    assert faults("availability", "live")
