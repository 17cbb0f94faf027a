"""Each byte of KLV is in an item, an unknown item, or a reported or counted fault.

The recordings are not ours to ship: without the folder these tests are skipped.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from byte_accounts import Lost, settle
from cases import each_case, each_of
from core_and_reference import core_json
from packet_wrapping import item, local_set, packet, series
from random_packets import random_packet
from test_lane import ASYNC, KLV_PID, KLVA, Wire
from test_lane_sets import private

from klvrelay.core.carriage import carriage_of
from klvrelay.decoder import Decoder
from klvrelay.record import Packet, Record

BARE = ["day_flight.klv", "DynamicConstantMISMMSPacketData.bin", "DynamicOnlyMISMMSPacketData.bin"]
STREAMS = ["osh_sample_stream.ts", "aphill_klv_10s.ts", "h264_klv.ts", "h264_no_klv.ts"]

SENT = [
    packet("ST0601", item(2, bytes(7) + bytes([n])) + item(4, b"tail" * 9) + item(200, b"?"), checksum=True)
    for n in range(8)
]


def decoded(data: bytes, decoder: Decoder) -> list[Record]:
    return decoder.feed(Packet(data, carriage=carriage_of(data) or "klv")) + decoder.flush()


def found(raw: bytes) -> Counter[str]:
    """How many bytes of a packet are accounted for as what."""
    ledger = settle(raw, json.loads(core_json(raw)))
    assert ledger.total == len(raw)
    return Counter(
        framing=ledger.framing, items=ledger.items, unknown=ledger.unknown, faults=ledger.faults, packets=1
    )


def klv_payload(ts: bytes, pids: set[int | None]) -> Iterator[bytes]:
    """The payload of the PES packets of these PIDs, by ISO/IEC 13818-1 alone."""
    for at in range(0, len(ts), 188):
        cell = ts[at : at + 188]
        assert cell[0] == 0x47
        if int.from_bytes(cell[1:3], "big") & 0x1FFF not in pids or not cell[3] & 0x10:
            continue
        body = cell[5 + cell[4] :] if cell[3] & 0x20 else cell[4:]
        yield body[9 + body[8] :] if cell[1] & 0x40 else body


@pytest.mark.parametrize("name", STREAMS)
def test_every_byte_of_a_recorded_stream_is_in_a_packet_or_skipped(shared: Path, name: str) -> None:
    """The whole payload of the KLV stream's PES packets, no more and no less."""
    ts, decoder = (shared / "data" / name).read_bytes(), Decoder("uav1", None)
    records = decoded(ts, decoder)
    carried = b"".join(klv_payload(ts, {record.pid for record in records}))
    assert sum(len(record.raw) for record in records) + decoder.counters.passed_over == len(carried)
    assert b"".join(record.raw for record in records) == carried


@pytest.mark.parametrize("name", BARE)
def test_every_byte_of_a_bare_recording_is_in_a_packet(shared: Path, name: str) -> None:
    """The packets follow each other without gaps."""
    data, decoder = (shared / "data" / name).read_bytes(), Decoder("uav1", None)
    assert b"".join(record.raw for record in decoded(data, decoder)) == data
    assert decoder.counters.passed_over == 0


@pytest.mark.parametrize("name", [*STREAMS[:3], *BARE])
def test_every_byte_of_a_recorded_packet_is_in_its_record(shared: Path, name: str) -> None:
    """Item by item, down through nested sets: all under their keys, none as hex, none reported missing."""
    records = decoded((shared / "data" / name).read_bytes(), Decoder("uav1", None))
    total = sum((found(record.raw) for record in records), Counter[str]())
    assert total["packets"] == len(records) > 0
    assert total["unknown"] == total["faults"] == 0


@each_case("seed", range(10))
def test_no_byte_of_a_random_packet_is_lost(seed: int) -> None:
    """200 packets of every set, whole and damaged: each kind of use occurs."""
    total = sum((found(random_packet(random.Random(f"{seed} {n}"))) for n in range(200)), Counter[str]())
    assert min(total.values()) > 0


@each_of(range(50))
def test_every_byte_of_a_damaged_stream_is_in_a_packet_or_skipped(seed: int) -> None:
    """Junk between packets, cuts and flipped bits: bytes outside packets are counted exactly."""
    chance, decoder = random.Random(seed), Decoder("uav1", None)
    data = bytearray(b"".join(junk(chance) + sent for sent in SENT))
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(data))
        if chance.randrange(2):
            data[at] ^= 1 << chance.randrange(8)
        else:
            del data[at : at + chance.randrange(1, 80)]
    records = decoded(bytes(data), decoder)
    assert sum(len(record.raw) for record in records) + decoder.counters.passed_over == len(data)
    assert len(records) > 1


def junk(chance: random.Random) -> bytes:
    """Often nothing, or the beginning of a key."""
    return chance.choice((b"", b"", b"\x06\x0e\x2b", b"\x06\x0e\x2b\x34" * 3, bytes(chance.randrange(60))))


def test_unknown_items_are_counted_where_text_is_made() -> None:
    """As many as in the records, where none is repeated."""
    decoder, shown = Decoder("uav1", None), 0
    for seed in range(600):
        raw = random_packet(random.Random(seed))
        if b"repeated, last kept" not in core_json(raw):
            lines = decoder.lines(Packet(raw, carriage="klv"))
            shown += sum(unknowns(json.loads(line)["items"]) for line in lines.splitlines())
            decoder.flush()
    assert decoder.counters.unknown_items == shown > 100


def test_the_unknown_items_of_the_last_packet_are_counted_too() -> None:
    """A packet at the end of the source is output then, and its items count like those of any other."""
    data = _multiplexed([SENT[0], private(1, size=600), private(2, size=600)])
    decoder = Decoder("uav1", None)
    at_once = decoder.lines(Packet(data))
    text = at_once + decoder.flush_lines()
    assert len(text) > len(at_once)
    assert [json.loads(line)["set"] for line in text.splitlines()] == ["ST0601", "unknown", "unknown"]
    assert decoder.counters.unknown_items == sum(unknowns(json.loads(line)["items"]) for line in text.splitlines())


def _multiplexed(sent: list[bytes]) -> bytes:
    wire = Wire()
    ts = wire.tables((ASYNC, KLV_PID, KLVA))
    for number, one in enumerate(sent):
        ts += wire.pes(one, pts=3000 * number, sid=0xFC)
    return b"".join(ts)


def unknowns(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(unknowns, value))
    if not isinstance(value, dict):
        return 0
    return sum(len(each) if key == "unknown" else unknowns(each) for key, each in value.items())


TARGETS = packet(
    "ST0903",
    item(101, series([b"\x01" + local_set([(4, b"\x02"), (200, b"??")]), b"\x02" + local_set([(5, b"\x03")])])),
    checksum=True,
)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda items: items["vtarget_series"].pop(),
        lambda items: items["vtarget_series"][0].pop("target_priority"),
        lambda items: items["vtarget_series"][1].update(target_confidence_level=None),
        lambda items: items["vtarget_series"][0].pop("unknown"),
        lambda items: items["vtarget_series"][0].update(unknown={"200": "3f"}),
        lambda items: items["vtarget_series"][0].update(target_id=3),
        lambda items: items.update(frame_width=640),
        lambda items: items.clear(),
    ],
)
def test_the_ledger_does_not_balance_where_something_is_missing(spoil: Any) -> None:
    """The check can fail: with a target, an item, a value or a byte less, or one item too many."""
    record = json.loads(core_json(TARGETS))
    assert settle(TARGETS, record).total == len(TARGETS)
    spoil(record["items"])
    with pytest.raises((Lost, KeyError)):
        settle(TARGETS, record)
