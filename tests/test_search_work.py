"""The cost of a search is linear in its bytes, whatever they are; the verdict stays with the packet."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from cases import each_case
from klvrelay.core._core import ffi, lib
from packet_wrapping import universal_key

from klvrelay import json_lines
from klvrelay.core import Lane, checksum16

KEY = universal_key("ST0601") or b""
SECURITY = universal_key("ST0102") or b""
IMAGE = universal_key("ST1002") or b""
ROOM = 1 << 19


def promising(key: bytes, promise: int, inside: bytes, behind: bytes = b"", room: int = ROOM) -> bytes:
    """Half a MiB, or `room`, of keys, each with a length that reaches over the later ones."""
    one = key + b"\x84" + promise.to_bytes(4) + inside
    many = one * (promise // len(one)) + behind
    return (many * (room // len(many) + 1))[:room]


def converging(key: bytes, reach: int, room: int = ROOM) -> bytes:
    """Keys that all end in the same checksum, each inside an item of the previous one."""
    made = key + b"\x83" + (4).to_bytes(3) + b"\x01\x02\x00\x00"
    while len(made) < reach:
        made = key + b"\x83" + (2 + len(made)).to_bytes(3) + b"\x05\x14" + made
    return made * (room // len(made))


ATTACKS = {
    "hidden in items": promising(KEY, 65_280, b"\x05\x00" * 9 + b"\x05\x15"),
    "a walk of empty items": promising(KEY, 60_000, b"\x05\x00" * 30 + b"\x05\x15"),
    "right at the end": promising(KEY, 65_000, b"\x05\x15", b"\x01\x02\x00\x00" * 8),
    "without a sum": promising(SECURITY, 65_000, b"\x03\x15"),
    "proofs inside": promising(SECURITY, 65_000, (KEY + b"\x82\xea\x60\x05\x05") * 7 + b"\x01\x02\x00\x00"),
    "a CRC": promising(IMAGE, 65_000, b"\x05\x15"),
    "above 64 KiB": promising(KEY, 300_000, b"\x05\x15"),
    "above 64 KiB, without a sum": promising(universal_key("ST0903") or b"", 300_000, b"\x05\x02ab\x05\x15"),
    "a MiB": promising(KEY, 1 << 20, b"\x05\x15")[: 1 << 19],
    "to one end": converging(KEY, 65_000),
    "to one end, a CRC": converging(IMAGE, 65_000),
    "keys alone": KEY * (ROOM // 16),
}


def whole(data: bytes) -> None:
    Lane(ts=False).packets(data)


def in_pieces(data: bytes, size: int) -> None:
    lane = Lane(ts=False)
    for at in range(0, len(data), size):
        lane.packets(data[at : at + size])


def fastest(call: Callable[[bytes], object], data: bytes) -> float:
    """CPU seconds of the best of three."""
    taken = []
    for _ in range(3):
        began = time.thread_time()
        call(data)
        taken.append(time.thread_time() - began)
    return min(taken)


@each_case("name", ATTACKS)
@each_case("way", [whole, partial(in_pieces, size=1316), json_lines], ids=["whole", "pieces", "lines"])
def test_keys_within_promised_lengths_cost_no_more_than_their_bytes(name: str, way: Callable[[bytes], object]) -> None:
    """Four times the bytes take about four times as long."""
    data = ATTACKS[name]
    quarter, all_ = fastest(way, data[: len(data) // 4]), fastest(way, data)
    assert all_ < 12 * quarter + 0.02, (quarter, all_)


def test_a_packet_without_a_sum_is_not_searched_beyond_its_end():
    """Small packets of an unknown set cost about as much as those of a known one, whose next key is near."""
    known, strange = (key + b"\x04abcd" for key in (SECURITY, SECURITY[:8] + b"\x7f" * 8))

    assert fastest(whole, strange * 40_000) < 2.5 * fastest(whole, known * 40_000)


def sealed(items: bytes) -> bytes:
    """A packet of ST 0601 with a correct checksum as its last item."""
    packet = KEY + b"\x83" + (len(items) + 4).to_bytes(3) + items + b"\x01\x02"
    return packet + checksum16(packet).to_bytes(2)


LARGE = sealed(b"\x05\x81\x40" + bytes(64) + b"\x05\x00" * 35_000)
"""70 KB: a search over its budget accepts no packet of this size."""


def found(pieces: list[bytes]) -> list[bytes]:
    """The packets of bare KLV that arrives in these pieces."""
    lane = Lane(ts=False)
    entries = [entry for piece in pieces for entry in lane.packets(piece)]
    lane.cut()
    return [bytes(entry[0]) for entry in [*entries, *lane.packets(b"")]]


def test_the_cost_of_a_search_does_not_depend_on_how_many_bytes_had_come() -> None:
    """A length of 900 KB over another packet: how far its items were followed beyond that one makes no difference."""
    inner = sealed(b"\x05\x02\x11\x11")
    long = KEY + b"\x83" + (900_000).to_bytes(3) + b"\x05" + bytes([len(inner)]) + inner
    rest = b"\x05\x83" + (800_000).to_bytes(3) + LARGE

    assert found([long, rest]) == found([long + rest]) == [long[: -len(inner)], inner, LARGE]


def test_bytes_that_are_no_klv_repay_the_budget_once() -> None:
    """The bytes before a key that begins nothing are not counted again with the later ones."""
    data = bytes(1000) + KEY + b"\x84\xff\xff\xff\xff" + bytes(100)
    search, view = ffi.new("struct klv_search *", {"debt": 100_000}), ffi.new("struct klv_view *")

    assert lib.klv_next(data, len(data), 1 << 20, 0, search, view) == lib.KLV_MORE
    assert view.at == len(data)
    assert search.debt == 100_000 - 8 * len(data)
