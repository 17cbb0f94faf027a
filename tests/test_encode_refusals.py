"""The refusals of `klvrelay.encode`: each names the item by its path, the value, and what would be valid."""

from __future__ import annotations

import pytest
from cases import each_case

import klvrelay
from klvrelay.encode import encode
from klvrelay.errors import EncodeError


@each_case(
    ("items", "complaint"),
    [
        ({"sensor_latitude": 91.0}, r"ST0601 sensor_latitude: 91\.0 can't be written; the range is -90 to 90 deg"),
        ({"sensor_latitude": "north"}, r"ST0601 sensor_latitude: 'north' can't be written; expected a number"),
        ({"sensor_latitude": True}, "expected a number"),
        ({"sensor_latitude": {"special": "error"}}, "special codes: reserved"),
        ({"slant_range": {"special": "error"}}, "it has no special codes"),
        ({"mission_id": "x" * 128}, r"ST0601 mission_id: .* it takes 128 bytes, 0 to 127 allowed"),
        ({"mission_id": "\0"}, "a single zero byte means empty text"),
        ({"mission_id": "\ud800"}, "a lone surrogate is not text"),
        ({"mission_id": 5}, "expected text"),
        ({"platform_ground_speed": 300}, "the range is 0 to 255"),
        ({"platform_ground_speed": 1.5}, "expected an integer"),
        ({"laser_prf_code": 9999}, "the range is 111 to 8888"),
        ({"operational_mode": "Asleep"}, "expected one of Other, Operational, Training.*, or a code"),
        ({"generic_flag_data": {"laser": True}}, r"generic_flag_data: 'laser' .*did you mean laser_range"),
        ({"generic_flag_data": {"laser_range": 2}}, "it does not fit into 1 bit"),
        ({"sensor_lattitude": 1}, r"ST0601: 'sensor_lattitude' .*did you mean sensor_latitude or"),
        ({"no_such_item": 1}, r"ST0601: 'no_such_item' can't be written; no such key"),
        ({150: 1}, "expected bytes for an unknown item"),
        ({-1: b""}, "tags range from 0"),
        ({"uas_datalink_ls_version_number": None}, "length 0 is not legal here"),
        ({"checksum": 5}, "the encoder computes the checksum"),
        ({"sdcc_flp": [1]}, r"ST0601 sdcc_flp\[0\]: 1 can't be written; expected a mapping"),
        ({"sdcc_flp": [{"sigma": [1.0], "rho": [1.0]}]}, r"sdcc_flp\[0\]\.rho: 1 .*expected 0 values or none"),
        ({"sdcc_flp": [{"sigma": [1.0, 2.0], "rho": [1.5]}]}, r"rho\[0\]: 1\.5 can't be written; the range is -1 to 1"),
        ({"vmti_local_set": {"vtarget_series": [{"target_hae": 0.0}]}}, r"vtarget_series\[0\]\.target_id: None"),
        (
            {"vmti_local_set": {"vtarget_series": [{"target_id": 1, "target_hae": -1e4}]}},
            r"vmti_local_set\.vtarget_series\[0\]\.target_hae: -10000\.0 can't be written; the range is -900 to",
        ),
        (
            {"vmti_local_set": {"vtarget_series": [{"target_id": 1, "target_location": {"latitude": 1.0}}]}},
            "longitude is missing; only trailing elements may be omitted",
        ),
        ({"waypoint_list": [{"waypoint_id": 1, "prosecution_order": 1, "latitude": 1.0}]}, "info is missing"),
        ({"airbase_locations": {"takeoff_longitude": 1.0}}, "takeoff_latitude is missing"),
        ({"view_domain": {"azimuth_start": 1.0}}, "must be given together"),
        ({"miis_core_identifier": "0140:BC76-CFEF"}, "expected version, usage, identifiers and check digits"),
        (
            {"miis_core_identifier": "0140:BC76-CFEF-0BEE-41A4-9618-EB4B-010D-2F08:B7"},
            "its check digits must be B6",
        ),
        ({"miis_core_identifier": {"usage": 64}}, "with usage 64, sensor_id is required"),
        ({"active_payloads": [5000]}, "the range is 0 to 4095"),
        ({"security_local_set": 5}, "expected a mapping of items, or pairs"),
        ([("mission_id", "a", 1)], "expected a mapping of items, or pairs"),
        (5, "expected a mapping of items, or pairs"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_with_a_reason(items, complaint):
    """The refusal names the item by its path, the value, and what would be valid."""
    with pytest.raises(EncodeError, match=complaint):
        encode(items)


def test_a_refusal_has_the_reason_in_its_attributes():
    """Path, value and valid input are attributes; it is a klvrelay error, for exit code 2."""
    with pytest.raises(klvrelay.KlvrelayError) as caught:
        encode({"sensor_latitude": 91.0})

    fault = caught.value
    assert isinstance(fault, klvrelay.EncodeError)
    assert (fault.path, fault.value, fault.exit_code) == ("ST0601 sensor_latitude", 91.0, 2)


@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [value]], ids=["alone", "in a list"])
def test_an_integer_beyond_the_digits_that_python_writes_is_refused_with_its_size(wrap):
    """The same text from every version of Python."""
    with pytest.raises(EncodeError, match=r"an integer of 16610 bits.? can't be written"):
        encode({"platform_ground_speed": wrap(10**5000)})


def test_an_unknown_set_is_refused():
    """The refusal suggests similar names."""
    with pytest.raises(EncodeError, match=r"set: 'ST0602' can't be written; no such key; did you mean .*ST0601"):
        encode({}, set="ST0602")
    with pytest.raises(EncodeError, match="the document is of ST0601"):
        encode({"set": "ST0601", "items": {}}, set="ST0903")


def test_a_set_without_a_key_is_no_packet():
    """A set without a universal key cannot be framed."""
    with pytest.raises(EncodeError, match="VTarget: 'VTarget' can't be written; it has no universal key"):
        encode({}, set="VTarget")


def test_a_layout_of_another_set_is_refused():
    """So are bytes that are no packet."""
    with pytest.raises(EncodeError, match="expected a packet of ST0601"):
        encode({}, like=encode({}, set="ST0102"))
    with pytest.raises(EncodeError, match="expected a KLV packet or its record"):
        encode({}, like=b"abc")


def test_the_depth_of_nested_sets_is_limited():
    """A decoder follows eight levels; more are refused."""
    items: dict = {"mission_id": "deep"}
    for _ in range(9):
        items = {"segment_local_set": [items]}

    with pytest.raises(EncodeError, match="sets may be nested at most 8 deep"):
        encode(items)
    assert klvrelay.decode(encode(items["segment_local_set"][0]))[0].json().count(b"segment_local_set") == 8
