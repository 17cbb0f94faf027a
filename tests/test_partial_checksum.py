"""A correct checksum that does not cover the whole packet: `partial`, never `ok`."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import combinations

import pytest
from core_and_reference import disagreement
from packet_wrapping import item, local_set, packet

import klvrelay
from klvrelay import core
from klvrelay.decoder import Decoder
from klvrelay.record import Packet

TIME, VERSION, LATITUDE = item(2, (1_700_000_000_000_000).to_bytes(8)), item(65, b"\x13"), item(13, b"\x00\x2a\xcf\xd5")


def summed(name: str, tag: int, before: bytes, behind: bytes, total: Callable[[bytes], int], size: int = 2) -> bytes:
    """A packet whose checksum follows `before`, and covers what precedes it."""
    head = before + bytes([tag, size])
    raw = packet(name, head + bytes(size) + behind)
    begin = len(raw) - len(behind) - size
    return raw[:begin] + total(raw[:begin]).to_bytes(size) + raw[begin + size :]


def st0601(before: bytes, behind: bytes) -> bytes:
    return summed("ST0601", 1, before, behind, core.checksum16)


def verdict(raw: bytes) -> str:
    """The verdict, equal for a single record, one from a stream, its JSON, and the reference decoder."""
    (record,) = klvrelay.decode(raw)
    decoder = Decoder("", None)
    among = [r for at in range(0, len(raw), 7) for r in decoder.feed(Packet(raw[at : at + 7], carriage="klv"))]
    among += decoder.flush()
    said = {record.checksum, *(r.checksum for r in among)}
    said |= {json.loads(text)["quality"]["checksum"] for text in (record.json(), klvrelay.json_lines(raw))}
    assert disagreement(raw) == []
    assert len(said) == 1
    return record.checksum


def test_a_flipped_bit_after_the_checksum_is_never_plainly_good() -> None:
    """The latitude is wrong and the checksum correct: the verdict is `partial`."""
    sound = st0601(TIME + VERSION, LATITUDE)
    flipped = sound[:-3] + bytes([sound[-3] ^ 8]) + sound[-2:]

    assert verdict(sound) == verdict(flipped) == "partial"
    (record,) = klvrelay.decode(flipped)
    assert record.good  # like one without a checksum
    assert len(klvrelay.columns(flipped, ["sensor_latitude"])["sensor_latitude"]) == 1


def test_a_flipped_bit_before_it_is_bad() -> None:
    """What it covers, it proves."""
    sound = st0601(TIME + VERSION, LATITUDE)
    assert verdict(sound[:22] + bytes([sound[22] ^ 1]) + sound[23:]) == "bad"


@pytest.mark.parametrize("place", range(3))
def test_the_checksum_covers_what_precedes_it(place: int) -> None:
    """First, in the middle, last: only there it covers everything."""
    items = [TIME, VERSION, LATITUDE]
    raw = st0601(b"".join(items[: place + 1][: place + (place > 0)]), b"".join(items[place + (place > 0) :]))
    assert verdict(raw) == ("ok" if place + (place > 0) == 3 else "partial")


def test_of_two_checksums_the_last_one_counts() -> None:
    """Last in the packet it covers the other; before other items it does not cover them."""
    first = st0601(TIME, b"")[17:]
    assert verdict(st0601(first + LATITUDE, b"")) == "ok"
    assert verdict(st0601(first + VERSION, LATITUDE)) == "partial"


def test_bytes_after_the_checksum_that_are_no_item_are_bad() -> None:
    """A part that cannot be parsed is not proved."""
    assert verdict(st0601(TIME + VERSION, b"\x00")) == "bad"


@pytest.mark.parametrize(
    ("name", "tag", "total", "size"),
    [("ST1002", 21, core.crc16, 2), ("ST1107", 45, core.crc16, 2), ("ST0806", 1, core.crc32, 4)],
)
def test_crcs_follow_the_same_rules(name: str, tag: int, total: Callable[[bytes], int], size: int) -> None:
    """Last it covers everything; before an item it does not cover that."""
    before, behind = item(2, bytes(8)), item(3, b"\x01")
    assert verdict(summed(name, tag, before + behind, b"", total, size)) == "ok"
    assert verdict(summed(name, tag, before, behind, total, size)) == "partial"


def test_it_is_reproduced_byte_for_byte() -> None:
    """`encode(record)` puts the checksum at its place, over what it covered."""
    for raw in (st0601(TIME + VERSION, LATITUDE), st0601(b"", TIME + VERSION)):
        (record,) = klvrelay.decode(raw)
        assert klvrelay.encode(record) == raw


def test_no_two_flipped_bits_make_a_packet_partial_without_items_after_the_checksum() -> None:
    """Any two bits of a short packet whose checksum is last: bad, or an undetected pair, but `partial` only if an item
    then follows a checksum.
    """
    raw = packet("ST0601", local_set([(65, b"\x13"), (3, b"ab")]), checksum=True)
    for one, other in combinations(range(17 * 8, len(raw) * 8), 2):
        spoilt = bytearray(raw)
        for bit in (one, other):
            spoilt[bit // 8] ^= 1 << bit % 8
        for record in klvrelay.decode(bytes(spoilt)):
            if record.checksum == "partial":
                assert b"\x01\x02" in record.raw[17:-4]
