"""The core's output buffer: at any size, a document is complete or absent, and nothing is written past the end. And the
capacity for warnings.

These tests call the core directly, because the buffers of `klvrelay.core` are large.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from cases import each_case
from core_and_reference import core_json
from klvrelay.core._core import ffi, lib
from packet_wrapping import item, keyed_set, local_set, oid, packet, series
from test_framing import KEY
from test_lane import klv_packet

from klvrelay import core

HEAD = core.head("uav1", None)
GUARD = b"\xa5"
TEXT = 'h\u00e4"\\\n\u20ac'

PACKETS = {
    "no items": packet("ST0601", b""),
    "items": klv_packet(1),
    "text": packet("ST0601", local_set([(3, 9 * TEXT.encode()), (4, b"\xff" * 9)])),
    "text in UTF-16": packet("ST0102", local_set([(13, (9 * TEXT).encode("utf-16-be"))])),
    "unknown items": packet("ST0601", local_set([(150, bytes(40)), (16_400, b"x"), (5, b"")])),
    "specials and warnings": packet("ST0601", local_set([(6, b"\x80\0"), (13, b"\x80\0\0\0"), (15, b"\0")])),
    "sets in sets": packet("ST0601", item(48, item(1, b"\x01") + item(22, b"\0\x05")) + item(100, item(94, bytes(34)))),
    "targets": packet("ST0903", item(101, series([oid(number) + item(1, b"\7") for number in range(5)]))),
    "an array": packet("ST1303", oid(2) + oid(2) + oid(3) + oid(1) + oid(1) + bytes(6)),
    "a matrix": packet("ST0601", local_set([(3, b"a"), (4, b"b"), (102, oid(2) + b"\x21" + bytes(5))])),
    "an identifier": packet("ST1204", b"\x01\x60" + bytes(range(16))),
    "items by key": packet("ST0104", keyed_set([(KEY, b"x"), (KEY, b"y")])),
    "an unknown key": KEY[:13] + b"\x7f\x7f\x7f" + b"\x03abc",
}  # fmt: skip


def written(raw: bytes, room: int) -> bytes:
    """A record in so many bytes; nothing where it does not fit. The bytes after them stay unchanged."""
    out = ffi.new("char[]", GUARD * (room + 8))
    envelope = 7, -1, -1, -1, -1, 0, -1, 0, core.EVERYTHING
    size = lib.klv_record(raw, len(raw), HEAD, len(HEAD), *envelope, out, room, ffi.new("uint64_t *"))
    text: bytes = ffi.buffer(out)[:]
    assert text[room : room + 8] == GUARD * 8
    assert 0 <= size <= room
    return text[:size]


@each_case("raw", PACKETS.values(), ids=PACKETS)
def test_a_record_is_complete_or_absent(raw: bytes) -> None:
    """At every buffer size from none to more than enough."""
    whole = written(raw, 20_000)
    assert json.loads(whole)["seq"] == 7
    for room in range(len(whole)):
        assert written(raw, room) == b""
    ample = len(whole) + 6 * len(raw) + 100
    assert {written(raw, room) for room in range(len(whole), ample)} <= {whole, b""}
    assert written(raw, ample) == whole


def lines(raws: bytes, room: int) -> bytes:
    """JSON Lines of bare packets, through a buffer that is emptied whenever it is full, and enlarged if necessary."""
    lane = core.Lane(ts=False)
    envelope = ffi.new("struct klv_envelope *")
    envelope.head, envelope.head_size = ffi.from_buffer(HEAD), len(HEAD)
    used, size, found, status = ffi.new("size_t *"), ffi.new("size_t *"), b"", lib.KLV_FULL
    while status == lib.KLV_FULL:
        out = ffi.new("char[]", room)
        status = lib.klv_lane_lines(lane._lane, raws, len(raws), used, envelope, ffi.NULL, out, room, size)
        found += ffi.buffer(out)[: size[0]]
        room += 0 if size[0] else 1
    assert envelope.seq == found.count(b"\n")
    return found


@pytest.mark.parametrize("name", ["no items", "an unknown key", "items"])
def test_lines_are_the_same_through_any_buffer(name: str) -> None:
    """Even one that a line fills to its last byte."""
    raws = PACKETS["no items"] + PACKETS[name] * 3 + PACKETS["no items"]
    whole = lines(raws, 100_000)
    longest = max(map(len, whole.splitlines(keepends=True)))
    for room in range(longest, 2 * longest + 3):
        assert lines(raws, room) == whole, room


def remarks(raw: bytes) -> tuple[dict[str, str], list[str], int]:
    """Specials, warnings, and how many more of both were left out, as the last warning says."""
    quality: dict[str, Any] = json.loads(core_json(raw))["quality"]
    said: list[str] = quality.get("warnings", [])
    left_out = 0
    if said and said[-1].endswith(" more remarks left out"):
        left_out = int(said[-1].split()[0])
        said = said[:-1]
    return quality.get("special", {}), said, left_out


def targets(count: int, *items: bytes) -> bytes:
    return item(101, series([oid(number) + b"".join(items) for number in range(count)]))


@pytest.mark.parametrize("count", [1, 20, 120, 300])
def test_warnings_beyond_the_capacity_are_counted(count: int) -> None:
    """Targets that each have an odd length and a special: each is listed or counted."""
    raw = packet("ST0903", targets(count, item(1, bytes(7)), item(10, b"\xd0\0\0")))
    special, warnings, left_out = remarks(raw)
    assert len(special) + len(warnings) + left_out == 2 * count
    assert (left_out > 0) == (count > 20)


def test_specials_alone_may_be_too_many() -> None:
    """Then their count is the one warning."""
    raw = packet("ST0903", targets(100, item(10, b"\xd0\0\0")))
    special, warnings, left_out = remarks(raw)
    assert (len(special) + left_out, warnings) == (100, [])
    assert left_out > 0


@pytest.mark.parametrize("broken", [b"\xff" * 6, b"\x03\x05abc"])
def test_a_truncation_after_many_warnings_is_counted_too(broken: bytes) -> None:
    """A malformed tag or length: its warning exceeds the capacity too."""
    good = packet("ST0903", targets(150, item(1, bytes(7))))
    bad = packet("ST0903", targets(150, item(1, bytes(7))) + item(102, series([broken])))
    _, warnings, left_out = remarks(good)
    assert len(warnings) + left_out == 150
    assert remarks(bad) == ({}, warnings, left_out + 1)


def test_the_core_handles_arguments_that_its_callers_never_pass() -> None:
    """A set without a number is the unknown one; a BER-OID number of more than 64 bits is none."""
    assert ffi.string(lib.klv_set_name(-1)) == ffi.string(lib.klv_set_name(1000)) == b"unknown"
    value, used = ffi.new("uint64_t *"), ffi.new("size_t *")
    for octets, fits in ((b"\x81" + b"\xff" * 8 + b"\x7f", True), (b"\x83" + b"\xff" * 8 + b"\x7f", False)):
        status = lib.klv_ber_oid(octets, len(octets), 10, value, used)
        assert status == (lib.KLV_OK if fits else lib.KLV_BAD_TAG)
    assert lib.klv_tags(KEY + b"\x80", 17, ffi.new("uint64_t[3]")) == 0
