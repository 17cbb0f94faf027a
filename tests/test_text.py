"""Text items as JSON strings: valid text is unchanged, invalid text is replaced with a warning."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from cases import each_case
from core_and_reference import core_json, disagreement
from packet_wrapping import item, packet

import klvrelay
from klvrelay.encode import encode
from klvrelay.errors import EncodeError

REPLACED = "text is not valid, replaced in part"
EDGES = [0x00, 0x1F, 0x20, 0x22, 0x5C, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFD, 0xFFFF, 0x10000, 0x10FFFF]


def read(raw: bytes, key: str) -> tuple[Any, bool]:
    """A text item, and whether there is a warning that it is invalid."""
    record = json.loads(core_json(raw))
    warnings = record["quality"].get("warnings", [])
    assert all(text.endswith(REPLACED) for text in warnings)
    return record["items"][key], bool(warnings)


def utf8(data: bytes) -> tuple[Any, bool]:
    return read(packet("ST0601", item(3, data)), "mission_id")


def utf16(data: bytes) -> tuple[Any, bool]:
    return read(packet("ST0102", item(13, data)), "object_country_codes")


def test_every_character_is_unchanged() -> None:
    """The first and the last of each form, controls, quotes and backslashes, alone and among others."""
    for text in [*map(chr, EDGES[1:]), "".join(map(chr, EDGES)), *map(chr, range(1, 0x80))]:
        assert utf8(text.encode()) == (text, False)
        assert utf8(f"a{text}z".encode()) == (f"a{text}z", False)


@each_case(
    "wrong",
    [
        b"\x80", b"\xbf", b"\xc0\x80", b"\xc1\xbf", b"\xc2", b"\xdf", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xe2\x82",
        b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xef\xbf", b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf", b"\xf0\x9f\x98",
        b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfe", b"\xff",
    ],
    ids=bytes.hex,
)  # fmt: skip
def test_octets_that_are_no_character_are_replaced_one_by_one(wrong: bytes) -> None:
    """Overlong forms, surrogates, values past the last character, and truncated ones (RFC 3629)."""
    for before, behind in (("", ""), ("a", ""), ("", "z"), ("é", "€"), ("\U0001f600", "\U0001f600")):
        raw = before.encode() + wrong + behind.encode()
        assert utf8(raw) == (before + "\ufffd" * len(wrong) + behind, True)
        assert disagreement(packet("ST0601", item(3, raw))) == []


@pytest.mark.parametrize("place", range(1, 4))
def test_an_invalid_continuation_makes_its_character_invalid(place: int) -> None:
    """In each place of each form, below and above the range of a continuation."""
    for character in ("é", "€", "\U0001f600"):
        whole = character.encode()
        if place < len(whole):
            for octet in (0x7F, 0x21):
                raw = whole[:place] + bytes([octet]) + whole[place + 1 :]
                kept = "\ufffd" * place + chr(octet) + "\ufffd" * (len(whole) - place - 1)
                assert utf8(raw) == (kept, True)
            assert utf8(whole[:place] + b"\xc3" + whole[place + 1 :])[1]


def test_a_zero_byte_alone_is_no_text() -> None:
    """Some senders write it for the empty string; before and between others it is a character."""
    assert utf8(b"\0") == ("", False)
    assert utf8(b"\0a") == ("\0a", False)
    assert utf8(b"a\0\0z") == ("a\0\0z", False)


@each_case(
    ("set_", "tag", "value", "text"),
    [
        ("ST0601", 3, b"MISSION\0\0\0", "MISSION"),
        ("ST0601", 3, b"a\0b\0", "a\0b"),
        ("ST0601", 3, b"\0\0\0", ""),
        ("ST0601", 3, "é€\0".encode(), "é€"),
        ("ST0102", 13, "USA;CAN\0\0".encode("utf-16-be"), "USA;CAN"),
        ("ST0102", 13, "統一\0".encode("utf-16-be"), "統一"),
        ("ST0102", 13, "\0\0".encode("utf-16-be"), ""),
        ("ST0102", 13, b"USA\0", "USA"),
        ("ST0102", 13, b"US;CA\0\0\0", "US;CA"),
        ("ST0102", 13, b"US\0", "US"),
    ],
)
def test_zero_bytes_that_pad_a_text_are_no_text(set_: str, tag: int, value: bytes, text: str) -> None:
    """Fields of a fixed size are padded with zeros: they are removed with a warning, and encoding restores them."""
    raw = packet(set_, item(tag, value), checksum=set_ == "ST0601")
    (record,) = klvrelay.decode(raw)

    assert list(record.items.values()) == [text]
    assert json.loads(record.json())["quality"]["warnings"] == [f"item {tag}: NUL padding removed"]
    assert disagreement(raw) == []
    assert encode(record) == raw


def test_a_padded_text_in_a_record_of_a_pack_is_named_with_its_record() -> None:
    """The names of payloads are texts as well, each with a separate length."""
    raw = packet("ST0601", item(138, b"\x02" + b"\x04\0\0\x01A" + b"\x07\1\0\x04BC\0\0"), checksum=True)
    (record,) = klvrelay.decode(raw)

    assert [each["name"] for each in record.items["payload_list"]["records"]] == ["A", "BC"]
    assert json.loads(record.json())["quality"]["warnings"] == ["item 138[1]: NUL padding removed"]
    assert encode(record) == raw


def test_a_longer_text_in_a_padded_layout_takes_the_space_that_it_needs() -> None:
    """A field keeps its size where the new text is shorter, and grows where it is longer."""
    layout = packet("ST0601", item(3, b"AB\0\0"), checksum=True)

    for text, value in (("C", b"C\0\0\0"), ("LONGER", b"LONGER")):
        assert item(3, value) in encode({"mission_id": text}, like=layout)


def test_a_text_with_a_zero_byte_at_its_end_is_refused() -> None:
    """It could not be read back: a reader takes it for padding."""
    with pytest.raises(EncodeError, match="padding"):
        encode({"mission_id": "AB\0"})


def test_every_character_of_utf16_is_unchanged() -> None:
    """Those of one unit and of two, and those that JSON escapes."""
    for text in ["A" + chr(edge) for edge in EDGES[1:]] + ["A" + "".join(map(chr, EDGES))]:
        assert utf16(text.encode("utf-16-be")) == (text, False)
        assert utf16((text + text).encode("utf-16-be")) == (text + text, False)


def test_half_a_pair_is_replaced() -> None:
    """A surrogate without its other half, at every place of three units, whatever is beside it."""
    units = (0x0041, 0x00E9, 0x20AC, 0xD7FF, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xE000, 0xFFFF)
    for three in product(units, repeat=3):
        raw = b"\0A" + b"".join(unit.to_bytes(2) for unit in three)
        text = raw.decode("utf-16-be", "replace")
        assert utf16(raw) == (text, "\ufffd" in text)
        assert utf16(raw[:-2])[0] == raw[:-2].decode("utf-16-be", "replace")


@pytest.mark.parametrize("data", [b"US", b"USA", b"USCA", "é".encode(), b"\0", b"A\0B"])
def test_invalid_utf16_is_read_as_utf8(data: bytes) -> None:
    """An odd number of octets, or no zero among them: some senders write ASCII where UTF-16 is required."""
    assert utf16(data) == (data.decode() if data != b"\0" else "", False)
