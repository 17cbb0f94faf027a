"""Defaults for omitted bytes: they are in the record, and encoding omits them again."""

from __future__ import annotations

from typing import Any

import pytest
from core_and_reference import disagreement
from packet_wrapping import item, packet

import klvrelay
from klvrelay.encode import encode
from klvrelay.record import Record

TIME = 1_340_977_512_123_456
STAMP = item(2, TIME.to_bytes(8, "big"))
COMMAND = b"\x05\x03Go!"
PLACE = bytes.fromhex("0b406bc20919bda554070e00")
ELSEWHERE = bytes.fromhex("0b40783cb819a2927407c600")


def read(raw: bytes) -> dict[str, Any]:
    """The items of a packet; both decoders agree, and encoding reproduces it byte for byte."""
    (record,) = klvrelay.decode(raw)
    assert disagreement(raw) == []
    assert encode(record) == raw
    return record.items


def platform(*items: bytes) -> dict[str, Any]:
    return read(packet("ST0601", b"".join(items), checksum=True))


@pytest.mark.parametrize(("pack", "denominator"), [(b"\x1e", 1), (b"\x1e\x01", 1), (b"\x83\x60\x87\x69", 1001)])
def test_a_frame_rate_without_a_denominator_is_a_whole_number(pack: bytes, denominator: int) -> None:
    """ST 0601 item 127: 30 is 30/1, whether the 1 was sent or not."""
    assert platform(item(127, pack))["sensor_frame_rate_pack"]["denominator"] == denominator


def test_a_command_without_a_time_has_that_of_its_packet() -> None:
    """ST 0601 item 115, wherever item 2 is; one with a time keeps it."""
    later = (TIME + 7).to_bytes(8, "big")

    for order in ([STAMP, item(115, COMMAND)], [item(115, COMMAND), STAMP]):
        assert platform(*order)["control_command"][0]["command_time"] == TIME
    assert platform(STAMP, item(115, COMMAND + later))["control_command"][0]["command_time"] == TIME + 7
    assert platform(STAMP, item(115, COMMAND + later[:0] + TIME.to_bytes(8, "big")))["control_command"][0][
        "command_time"
    ] == TIME


def test_a_command_of_a_packet_without_a_time_has_none() -> None:
    """No time is made up: not where item 2 is absent, nor where it is empty."""
    assert "command_time" not in platform(item(115, COMMAND))["control_command"][0]
    assert "command_time" not in platform(item(2, b""), item(115, COMMAND))["control_command"][0]


def test_a_command_in_a_segment_has_the_time_of_that_or_of_the_packet() -> None:
    """A segment (ST 1607) replaces the packet's item where it has its own."""
    own = item(2, (TIME + 40).to_bytes(8, "big"))
    segments = [item(100, item(115, COMMAND)), item(100, own + item(115, COMMAND))]

    found = platform(STAMP, *segments)["segment_local_set"]

    assert [one["control_command"][0]["command_time"] for one in found] == [TIME, TIME + 40]


def test_a_command_of_a_packet_in_nanoseconds_has_microseconds() -> None:
    """As in `time`, another unit is converted."""
    stamp = item(2, (TIME * 1000).to_bytes(8, "big"))

    assert platform(stamp, item(115, COMMAND))["control_command"][0]["command_time"] == TIME


@pytest.mark.parametrize("pack", [PLACE, PLACE[:1].replace(b"\x0b", b"\x08") + PLACE[1:9], b"\x00"])
def test_a_recovery_place_that_is_left_out_is_where_it_took_off(pack: bytes) -> None:
    """ST 0601 item 130, with and without a height, and where the place itself is unknown."""
    places = platform(item(130, pack))["airbase_locations"]

    takeoff = {key.partition("_")[2]: value for key, value in places.items() if key.startswith("takeoff")}
    recovery = {key.partition("_")[2]: value for key, value in places.items() if key.startswith("recovery")}
    assert takeoff == recovery
    assert len(takeoff) in (2, 3)


def test_a_recovery_place_that_is_there_is_kept() -> None:
    """Another one, the same one in full, and an unknown one."""
    assert platform(item(130, PLACE + ELSEWHERE))["airbase_locations"]["recovery_hae"] == 95.0
    assert platform(item(130, PLACE + PLACE))["airbase_locations"]["recovery_hae"] == 3.0
    assert platform(item(130, PLACE + b"\x00"))["airbase_locations"]["recovery_hae"] is None


def test_a_code_that_is_no_number_is_named_at_both_places() -> None:
    """The height of the recovery place is null for the same reason as the other one."""
    odd = PLACE[:9] + bytes.fromhex("e00000")
    (record,) = klvrelay.decode(packet("ST0601", item(130, odd), checksum=True))

    assert read(record.raw)["airbase_locations"]["recovery_hae"] is None
    assert b'"airbase_locations.recovery_hae":"below_min"' in record.json()


def test_an_item_that_is_not_in_its_set_is_not_made_up() -> None:
    """Though ST 1202 and ST 1602 define a default: a record has only the items that were sent."""
    one = item(1, bytes.fromhex("3f800000"))

    assert read(packet("ST1202", one)) == {"x_equation_numerator_x_factor": 1.0}
    assert read(packet("ST1602", item(2, b"\x01"))) == {"document_version": 1}


def test_another_value_is_written_over_one_that_was_left_out() -> None:
    """In the layout of a packet without it, a value other than the default takes bytes."""
    short = packet("ST0601", STAMP + item(127, b"\x1e") + item(130, PLACE) + item(115, COMMAND), checksum=True)
    (record,) = klvrelay.decode(short)
    items = record.items
    items["sensor_frame_rate_pack"]["denominator"] = 2
    items["airbase_locations"]["recovery_hae"] = 95.0
    items["control_command"][0]["command_time"] = TIME + 1
    (again,) = klvrelay.decode(encode(items | {"precision_time_stamp": TIME}, like=record))

    assert again.items == items


def test_a_document_without_a_layout_is_written_in_full() -> None:
    """Each value of the document is written, default or not."""
    raw = encode({"sensor_frame_rate_pack": {"numerator": 30, "denominator": 1}})

    assert item(127, b"\x1e\x01") in raw
    assert item(127, b"\x1e") in encode({"sensor_frame_rate_pack": {"numerator": 30}})
    assert isinstance(klvrelay.decode(raw)[0], Record)
