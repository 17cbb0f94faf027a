"""The JSON Schema of each payload: what it describes, what it refuses, and what it is for generated types."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from packet_wrapping import local_set, packet
from payload_schemas import faults
from random_packets import packets
from test_schema import GOOD, good_record, put, raw_packets

from klvrelay.core.counters import Counters
from klvrelay.health import StreamHealth
from klvrelay.health.report import counter_names, link_document
from klvrelay.health.stream import State
from klvrelay.link_stats import LinkStats
from klvrelay.outcome import Sums
from klvrelay.record import Record
from klvrelay.relay import state as merged
from klvrelay.relay.state import StreamState
from klvrelay.schema import PAYLOADS, payload_schema
from klvrelay.schema.link_terms import COUNTERS, STATES
from klvrelay.schema.relay_status import SUMS
from native.spec import facts

NUMBERS = ("exact", "safe")


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("leaf", PAYLOADS)
def test_each_is_a_valid_schema(leaf: str, numbers: Any):
    """Of draft 2020-12, with a title and a description, and with no reference that leads nowhere."""
    schema = payload_schema(leaf, numbers)

    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"title", "description"} <= schema.keys()
    assert [reference for reference in references(schema) if target(schema, reference) is None] == []


def references(schema: Any) -> Iterator[str]:
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from references(inner)
    if isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
        yield schema["$ref"]


def target(schema: Any, reference: str) -> Any:
    found = schema
    for part in reference.removeprefix("#/").split("/"):
        found = found.get(part, {})
    return found or None


# ---- records and state ----


def record_of(raw: bytes) -> Record | None:
    from klvrelay.decoder import decode

    records = decode(raw, stream="uav1", boot="5f2c9a")
    return records[0] if records else None


def state_of(raws: list[bytes]) -> dict[str, Any] | None:
    latest = StreamState()
    for record in filter(None, map(record_of, raws)):
        latest.add(record)
    document = latest.document()
    return None if document is None else dict(json.loads(document))


@settings(deadline=None, max_examples=60)
@given(st.lists(packets(), min_size=1, max_size=6))
def test_the_state_of_any_packets_fits_the_schema(raws: list[bytes]) -> None:
    """Whatever sets a stream contains, in whatever order."""
    state = state_of(raws)
    if state is not None:
        assert faults("state", state) == []


def test_the_state_of_each_set_fits_the_schema() -> None:
    """Received alone, and beside ST 0601, which contains some of them too."""
    alone = [state_of([GOOD[name]()]) for name in GOOD]
    together = state_of([make() for make in GOOD.values()] + raw_packets("packet"))

    assert [found for state in [*alone, together] if state for found in faults("state", state)] == []


def test_two_forms_of_a_set_in_one_stream_fit_the_schema() -> None:
    """ST 0102 as a local and as a universal set are merged: under the key in ST 0601, then under their own name."""
    local = packet("ST0102", local_set([(1, b"\x01"), (22, b"\x00\x0c"), (150, b"\x01")]))
    universal = packet("ST0102-US", bytes.fromhex("060e2b34010101030208020103000000") + b"\x01A" + bytes(16) + b"\x00")
    mixed, moved = state_of([local, universal]), state_of([local, universal, GOOD["ST0601"]()])

    assert mixed is not None
    assert moved is not None
    assert {len(key) for key in mixed["items"]["security_local_set"]["unknown"]} == {3, 32}
    assert "st0102-us" in moved["items"]
    assert faults("state", mixed) + faults("state", moved) == []


def test_every_item_of_the_tables_occurs_in_the_state() -> None:
    """At the root, or in a set under its key or its name."""
    schema = payload_schema("state")
    root = schema["properties"]["items"]["properties"]
    lifted = {"checksum", "uas_datalink_ls_version_number"}

    assert {item.key for item in facts.items("ST0601")} - root.keys() == lifted
    assert {item.key for _, item in facts.keyed()} - root.keys() == set()
    for name in facts.DECODED:
        assert {item.key for item in facts.items(name)} - schema["$defs"][name]["properties"].keys() == set()
    sets = {key.set for key in facts.universal_keys()} - {*merged.ROOT}
    assert {name.lower() for name in sets} | {*merged.NESTED.values()} <= root.keys()


@pytest.mark.parametrize(("numbers", "types"), [("exact", "integer"), ("safe", ["integer", "string"])])
def test_integers_are_strings_in_the_schema_only_if_the_relay_writes_them(numbers: Any, types: Any) -> None:
    """A generated type of an integer is not a union by default."""
    schema = payload_schema("telemetry", numbers)

    assert schema["properties"]["seq"]["type"] == types
    large = good_record() | {"time_us": "18446744073709551615"}
    assert bool(faults("telemetry", large, numbers)) == (numbers == "exact")


@settings(deadline=None, max_examples=100)
@given(packets())
def test_a_record_with_safe_numbers_fits_the_schema(raw: bytes) -> None:
    """Whatever a packet contains: an item with too many bytes may be a large integer too."""
    record = record_of(raw)
    if record is not None:
        assert faults("telemetry", json.loads(record.json(numbers="safe")), "safe") == []


def test_a_type_generator_sees_the_sets_without_the_conditions() -> None:
    """`items` names the form of every set; generators ignore `if` and `then`."""
    schema = payload_schema("telemetry")
    named = {form["$ref"].rpartition("/")[2] for form in schema["properties"]["items"]["anyOf"]}

    assert named == {key.set for key in facts.universal_keys() if key.set in facts.DECODED} | {"keyed"}


@pytest.mark.parametrize("page", ["README.md", "docs/records.md"])
def test_the_record_in_the_documentation_fits_the_schema(page: str) -> None:
    """The example is a record that could be published."""
    blocks = re.findall(r"(?ms)^```json\n(.*?)^```", (ROOT / page).read_text())
    records = [json.loads(block) for block in blocks if '"klvrelay/1"' in block]

    assert records
    assert [found for record in records for found in faults("telemetry", record)] == []


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
    "spool": {"fault": None, "failures": 0},
    "reload": {"result": "applied", "time": "2026-11-22T04:32:46.101Z"},
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


@pytest.mark.parametrize(("leaf", "number"), [(leaf, number) for leaf in WRONG for number in range(len(WRONG[leaf]))])
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
