"""Real recordings: their known content, and klvdata as an independent decoder.

The recordings are not ours to ship: without the folder these tests are skipped.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from core_and_reference import disagreement
from klvdata.elementparser import MappedElementParser, StringElementParser
from klvdata.streamparser import StreamParser
from packet_wrapping import local_set, packet
from reference_sets import table
from reference_wire import ber_length, walk

import klvrelay

# Recording -> records of a kind: set, checksum, transport.
COUNTS = {
    "osh_sample_stream.ts": {("ST0601", "ok", "ok"): 277},
    "day_flight.klv": {("ST0601", "ok", "ok"): 6},
    "h264_klv.ts": {("ST0601", "ok", "ok"): 30},
    "h264_no_klv.ts": {},
    "aphill_klv_10s.ts": {("ST0104", "absent", "ok"): 300},
    "DynamicConstantMISMMSPacketData.bin": {("ST0601", "bad", "ok"): 1},
    "DynamicOnlyMISMMSPacketData.bin": {("ST0601", "ok", "ok"): 1},
}
# Items that klvdata fails on.
UNFIT = {74, *range(128, 144)}
# Recording -> how many values klvdata decodes, so that none is skipped.
COMPARED = {
    "osh_sample_stream.ts": 8033,
    "day_flight.klv": 144,
    "DynamicConstantMISMMSPacketData.bin": 21,
    "DynamicOnlyMISMMSPacketData.bin": 17,
}


def records(shared: Path, name: str) -> list[klvrelay.Record]:
    return klvrelay.decode((shared / "data" / name).read_bytes())


@pytest.mark.parametrize("name", COUNTS)
def test_a_recording_gives_its_known_records(shared: Path, name: str) -> None:
    """Every packet is output once, with the known checksum and transport verdicts."""
    found = Counter((record.set, record.checksum, record.transport) for record in records(shared, name))
    assert found == COUNTS[name]


def test_the_targets_of_a_recording_are_all_there(shared: Path) -> None:
    """37 records of the sample stream hold VMTI, with these 130 targets."""
    sets = [record.items.get("vmti_local_set") for record in records(shared, "osh_sample_stream.ts")]
    targets = [target for vmti in sets if vmti for target in vmti.get("vtarget_series", ())]
    assert sum(vmti is not None for vmti in sets) == 37
    assert len(targets) == 130
    assert all("target_id" in target for target in targets)


@pytest.mark.parametrize("name", [name for name, counts in COUNTS.items() if counts])
def test_a_recording_is_read_alike_by_core_and_reference(shared: Path, name: str) -> None:
    """Both return the same values for every packet."""
    for record in records(shared, name):
        assert disagreement(record.raw) == [], record.seq


@pytest.mark.parametrize("name", COMPARED)
def test_klvdata_reads_the_same_values(shared: Path, name: str) -> None:
    """Every number and text that klvdata decodes equals klvrelay's, to half a step of the item's code."""
    compared = 0
    for record in records(shared, name):
        assert "unknown" not in record.items
        for tag, value in klvdata_values(record.raw).items():
            assert close(tag, value, ours(record, tag)), (record.seq, tag, value, ours(record, tag))
            compared += 1
    assert compared == COMPARED[name]


def klvdata_values(raw: bytes) -> dict[int, Any]:
    """The values that klvdata decodes from a packet, by tag: floats and texts; not those it keeps as bytes.

    It does not get the items on which it fails: item 74, and tags of two bytes.
    """
    used = ber_length(raw[16:])[1]
    entries = [(entry.tag, entry.value) for entry in walk(raw[16 + used :])[0]]
    parsed = next(iter(StreamParser(packet("ST0601", local_set([e for e in entries if e[0] not in UNFIT])))))
    known = (MappedElementParser, StringElementParser)
    return {key[0]: item.value.value for key, item in parsed.items.items() if isinstance(item, known)}


def ours(record: klvrelay.Record, tag: int) -> Any:
    if tag == 65:
        return json.loads(record.json())["version"]
    return record.items.get(table("ST0601")[tag].key)


def close(tag: int, theirs: Any, value: Any) -> bool:
    if not isinstance(theirs, float):
        return bool(theirs == value)
    item = table("ST0601")[tag]
    assert item.min is not None
    assert item.max is not None
    step = float(item.max - item.min) / (2 ** (8 * item.len_max) - 1)
    return isinstance(value, int | float) and abs(theirs - value) <= step * 0.51
