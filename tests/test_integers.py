"""`numbers = "safe"`: integers that a double cannot hold are strings, and nothing else changes."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packet_wrapping import item, oid, packet, series
from random_packets import packets, random_packet
from test_schema import faults
from test_second_opinion import calm

import klvrelay
from klvrelay import core
from klvrelay.config.mqtt import mqtt_settings
from klvrelay.config.settings_file import load
from klvrelay.errors import ConfigError
from klvrelay.json_output import MOST, rewrite_integers, safe
from native.generate.schema_values import beyond

EDGES = [0, MOST - 1, MOST, MOST + 1, MOST + 2, 1 << 63, (1 << 64) - 1]


def record(value: int, key: str = "take_off_time") -> klvrelay.Record:
    """A record with this integer in eight bytes."""
    (found,) = klvrelay.decode(klvrelay.encode({key: value}, checksum=True))
    return found


def large_integers(document: bytes) -> list[int]:
    """Integers of a document that a double cannot hold."""
    found: list[int] = []

    def whole(text: str) -> int:
        if abs(int(text)) > MOST:
            found.append(int(text))
        return int(text)

    json.loads(document, parse_int=whole)
    return found


def texts_as_numbers(exact: Any, safe_: Any) -> None:
    """Both are equal, except that integers beyond the largest safe one are strings of digits."""
    if isinstance(exact, dict):
        assert list(exact) == list(safe_)
        for key in exact:
            texts_as_numbers(exact[key], safe_[key])
    elif isinstance(exact, list):
        assert len(exact) == len(safe_)
        for one, other in zip(exact, safe_, strict=True):
            texts_as_numbers(one, other)
    elif isinstance(exact, int) and abs(exact) > MOST:
        assert safe_ == str(exact) or (isinstance(safe_, float) and safe_ == exact)
    else:
        assert type(safe_) is type(exact)
        assert safe_ == exact


def both(raw: bytes) -> tuple[bytes, bytes]:
    """A packet's record in the two forms."""
    known = core.head("uav1", None), (1 << 60) + 1, None, None, False
    return core.record_json(raw, *known), core.record_json(raw, *known, safe=True)


@pytest.mark.parametrize("value", EDGES)
def test_an_integer_beyond_the_largest_safe_one_is_its_digits(value: int) -> None:
    """2^53 - 1 is the last number; from 2^53 on it is a string."""
    found = orjson.loads(record(value).json(numbers="safe"))["items"]["take_off_time"]

    assert found == (value if value <= MOST else str(value))
    assert orjson.loads(record(value).json())["items"]["take_off_time"] == value


def test_signed_integers_are_safe_on_both_sides() -> None:
    """User data of eight bytes is the one item with smaller values."""
    for value in (-MOST, -MOST - 1, -(1 << 63), MOST + 1):
        items = {"numeric_id": {"data_type": "Signed Integer", "id": 1}, "user_value": value}
        (found,) = klvrelay.decode(klvrelay.encode({"user_defined_local_set": [items]}, set="ST0806"))
        shown = orjson.loads(found.json(numbers="safe"))["items"]["user_defined_local_set"][0]["user_value"]
        assert shown == (value if abs(value) <= MOST else str(value))


def test_the_time_as_sent_is_a_string_too() -> None:
    """Nanoseconds of today are beyond 2^53: `time_us` is a string then, `time` is unchanged."""
    found = orjson.loads(record(1_340_977_512_123_456_789, "precision_time_stamp").json(numbers="safe"))

    assert (found["time_us"], found["time"]) == ("1340977512123456789", "2012-06-29T13:45:12.123456Z")


def test_elements_of_arrays_and_packs_are_strings_too() -> None:
    """Every place of a 64-bit integer: packs, series, targets, arrays and values computed from them."""
    large = oid((1 << 62) + 1)
    array = b"\x01\x01\x08\x01" + b"\x7f" + b"\xff" * 7
    biased = b"\x01\x01\x01\x04" + large + b"\x05"
    raws = [
        packet("ST0601", item(127, large + large), checksum=True),
        packet("ST0601", item(115, b"\x01\x01A" + b"\xff" * 8) + item(116, large), checksum=True),
        packet("ST0903", item(101, series([large + item(4, b"\x01")]))),
        packet("ST1303", array),
        packet("ST1303", biased),
    ]
    for raw in raws:
        exact, other = both(raw)
        assert len(large_integers(exact)) > 1, exact  # seq is the one in each document
        assert large_integers(other) == []
        texts_as_numbers(orjson.loads(exact), orjson.loads(other))


@calm
@given(packets())
def test_no_integer_of_any_packet_is_beyond_the_largest_safe_one(raw: bytes) -> None:
    """Whatever a sender sends; and the rest of its record equals that without the option."""
    exact, other = both(raw)

    assert large_integers(other) == []
    texts_as_numbers(orjson.loads(exact), orjson.loads(other))


def test_the_integers_of_a_thousand_packets_are_safe() -> None:
    """The same in every run; hundreds of them hold unsafe integers."""
    found = [both(random_packet(Random(seed))) for seed in range(1000)]

    assert sum(len(large_integers(exact)) > 1 for exact, _ in found) > 100
    assert [other for _, other in found if large_integers(other)] == []
    assert [other for _, other in found[::20] if faults(orjson.loads(other))] == []


def test_a_document_with_strings_for_integers_can_be_encoded() -> None:
    """It encodes to the same bytes as its record."""
    found = [record for seed in range(400) for record in klvrelay.decode(random_packet(Random(seed)))]
    large = [record for record in found if record.json() != record.json(numbers="safe")]

    assert len(large) > 20
    for each in large:
        document = json.loads(each.json(numbers="safe"), parse_float=Decimal)
        assert klvrelay.encode(document, like=each) == klvrelay.encode(each)


PLAIN = st.integers() | st.floats() | st.booleans() | st.text()


@given(st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_written_by_python_is_safe_in_the_same_way(value: Any) -> None:
    """States and link reports are merged in Python."""
    assert large_integers(json.dumps(safe(value)).encode()) == []


def test_a_document_without_the_option_is_as_it_was() -> None:
    """No byte changes."""
    assert rewrite_integers(b'{"a": 18446744073709551615}', "exact") == b'{"a": 18446744073709551615}'
    assert rewrite_integers(b'{"a": 18446744073709551615}', "safe") == b'{"a":"18446744073709551615"}'


def test_lines_of_a_file_are_safe_too(tmp_path: Path) -> None:
    """From the library, and from `decode --numbers safe`."""
    raw = record(1 << 63).raw + record(1).raw
    file = tmp_path / "flight.klv"
    file.write_bytes(raw)
    lines = klvrelay.json_lines(raw, stream="flight", numbers="safe")
    printed = subprocess.run(
        [sys.executable, "-m", "klvrelay", "decode", file, "--numbers", "safe", "-q"],
        check=True, capture_output=True, timeout=30,
    ).stdout  # fmt: skip

    assert lines == printed
    assert [orjson.loads(line)["items"]["take_off_time"] for line in lines.splitlines()] == [str(1 << 63), 1]


def test_the_option_is_in_the_url_or_the_settings(tmp_path: Path) -> None:
    """as `numbers = "safe"` in a [[sink]], or after the `?` of the broker's URL; anything else is refused."""
    file = tmp_path / "relay.toml"
    file.write_text('[[sink]]\nurl = "mqtt://localhost"\nnumbers = "safe"\n')
    settings = load(file).sinks[0].mqtt

    assert settings.numbers == mqtt_settings("mqtt://localhost?numbers=safe", {}).numbers == "safe"
    file.write_text('[[sink]]\nurl = "mqtt://localhost"\nnumbers = "strings"\n')
    with pytest.raises(ConfigError, match=r"line 3: sink\.numbers: .*must be one of exact, safe"):
        load(file)


def test_the_schema_names_the_items_that_can_be_that_large() -> None:
    """Those of eight bytes or without a maximum; a time stamp is one, though no time of today is that large."""
    assert {"take_off_time", "event_start_time", "sensor_frame_rate_pack"} <= {item.key for item in beyond("ST0601")}
    assert "platform_heading_angle" not in {item.key for item in beyond("ST0601")}
