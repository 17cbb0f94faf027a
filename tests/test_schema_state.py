"""The JSON Schemas of a record and of `state`, for any packet and for generated types."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packet_wrapping import local_set, packet
from payload_schemas import faults, record_of, state_of
from random_packets import packets
from test_schema import GOOD, good_record, raw_packets

from klvrelay.schema import payload_schema
from klvrelay.shape import state as merged
from native.spec import facts

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(deadline=None, max_examples=40, suppress_health_check=QUIET)
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


@settings(deadline=None, max_examples=100, suppress_health_check=QUIET)
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
