"""Packet boundaries in bare KLV: keys inside other packets, lost ends, and what proves a packet."""

from __future__ import annotations

import pytest
from cases import each_case
from packet_wrapping import ber, item, local_set, packet, universal_key
from test_lane import klv_packet, raws

from klvrelay import core, decoder
from klvrelay.decoder import Decoder
from klvrelay.record import Packet, Record

INNER = klv_packet(1, 40)
GOOD = [klv_packet(number) for number in range(3)]
KEY = INNER[:16]
LIMIT = 1000


def unsummed(inside: bytes, behind: bytes = b"") -> bytes:
    """A packet without a checksum (ST 0102) with these bytes in a text."""
    return packet("ST0102", local_set([(1, b"\x01"), (3, b"//" + inside + behind)]))


def at_once(data: bytes, *, limit: int = core.LIMIT) -> list[Record]:
    decoder = Decoder("", None, packet_limit=limit)
    return fed(decoder, data) + decoder.flush()


def fed(decoder: Decoder, data: bytes) -> list[Record]:
    return decoder.feed(Packet(data, carriage="klv"))


def in_pieces(data: bytes, at: int) -> list[tuple[bytes, str]]:
    """The output of a lane for the two parts in sequence."""
    lane = core.Lane(ts=False)
    entries = lane.packets(data[:at]) + lane.packets(data[at:])
    lane.cut()
    return [(entry[0], entry[5]) for entry in entries + lane.packets(b"")]


def verdicts(records: list[Record]) -> list[tuple[bytes, str]]:
    return [(record.raw, record.transport) for record in records]


NO_PACKETS = {
    "a key alone": KEY,
    "a key with an indefinite length": KEY + b"\x80" + bytes(40),
    "a key with nine octets of length": KEY + b"\x89" + bytes(40),
    "a packet past the limit": KEY + b"\x84\x7f\xff\xff\xff" + bytes(40),
    "a packet whose sum is wrong": INNER[:-1] + bytes([INNER[-1] ^ 1]),
    "a packet without a sum": KEY + ber(12) + item(3, b"ten octets"),
    "a packet whose sum is not its last item": KEY + ber(10) + item(1, b"\0\0") + item(3, b"four"),
    "a packet whose sum has three octets": KEY + ber(5) + item(1, b"\0\0\0"),
    "a packet that ends in a 1 but in no sum": KEY + ber(8) + item(3, b"ab\1\1\0\0"),
    "a packet of no items": KEY + b"\0",
    "a packet of three octets": KEY + b"\x03\x01\x01\0",
    "a packet that is summed by a CRC": packet("ST0806", local_set([(2, bytes(8))]), checksum=True),
    "a packet of a set without a sum": packet("ST1206", local_set([(1, bytes(4))])),
    "a packet that would go on for long": KEY + ber(400) + bytes(30),
}


@each_case("inside", NO_PACKETS.values(), ids=NO_PACKETS)
def test_a_packet_without_a_checksum_may_contain_keys(inside: bytes) -> None:
    """A key among its bytes does not end it: only a packet that its own checksum proves does."""
    outer = unsummed(inside, b"!" * 20)
    data = GOOD[0] + outer + GOOD[1]

    assert verdicts(at_once(data)) == [(GOOD[0], "ok"), (outer, "ok"), (GOOD[1], "ok")]
    assert all(in_pieces(data, at) == verdicts(at_once(data)) for at in range(len(data)))
    assert verdicts(decoder.decode(outer)) == [(outer, "ok")]


@pytest.mark.parametrize("lost", [1, 20, 60, 100])
def test_a_truncated_packet_without_a_checksum_does_not_lose_the_next(lost: int) -> None:
    """A packet proved by its checksum is found, wherever the bytes are cut; the packet that swallowed it is damaged."""
    outer = unsummed(b"x" * 100)[:-lost]
    data = GOOD[0] + outer + INNER + GOOD[1] + GOOD[2]
    expected = [(GOOD[0], "ok"), (outer, "damaged"), (INNER, "ok"), (GOOD[1], "ok"), (GOOD[2], "ok")]

    assert verdicts(at_once(data)) == expected
    assert all(in_pieces(data, at) == expected for at in range(len(data)))


def test_later_bytes_may_prove_a_packet() -> None:
    """A packet that begins inside another waits for its end: then it is a packet, or the outer one keeps its bytes."""
    for reach in range(1, len(INNER)):
        outer = unsummed(b"x" * 50 + INNER[:reach])
        begin = len(outer) - reach
        data = outer + INNER[reach:] + GOOD[0]
        proven = [(outer[:begin], "damaged"), (INNER, "ok"), (GOOD[0], "ok")]
        wrong = data.replace(INNER[-4:], INNER[-4:-1] + bytes([INNER[-1] ^ 1]))
        for split in range(max(1, len(outer) - 2), len(data)):
            assert in_pieces(data, split) == proven, (reach, split)
            assert in_pieces(wrong, split) == verdicts(at_once(wrong)), (reach, split)
        assert verdicts(at_once(wrong))[0] == (outer if reach < len(INNER) - 1 else wrong[: len(outer)], "ok")


def test_a_packet_that_would_end_past_the_limit_of_its_outer_one_does_not_count() -> None:
    """Otherwise a key at the end of each packet would make the next one wait for a whole limit."""
    inner = klv_packet(2, 100)
    to_the_byte = LIMIT - len(inner) - 3
    for size in (LIMIT - 120, LIMIT - 60, LIMIT - len(INNER), LIMIT - 1, to_the_byte, to_the_byte + 1):
        outer = packet("ST0102", bytes(size - 16) + inner[:16])
        data = outer + inner[16:] + GOOD[0]
        cut = len(outer) - 16 + len(inner) <= LIMIT
        first = (outer[:-16], "damaged") if cut else (outer, "ok")
        assert verdicts(at_once(data, limit=LIMIT))[0] == first, size
        decoder = Decoder("", None, packet_limit=LIMIT)
        records = [record for at in range(0, len(data), 40) for record in fed(decoder, data[at : at + 40])]
        assert verdicts(records + decoder.flush())[0] == first, size


@pytest.mark.parametrize("size", [4, 5, 65_536, 65_537])
def test_a_packet_of_up_to_64_kib_is_recovered_by_its_checksum(size: int) -> None:
    """Within a truncated packet: a larger one would cost too much to sum for each key."""
    filler = b"" if size < 7 else item(3, b"x" * (size - 8))
    value = filler.ljust(size - 4, b"\x80")
    begun = KEY + ber(size) + value + b"\x01\x02"
    inner = begun + core.checksum16(begun).to_bytes(2)
    outer = unsummed(b"x" * 100)[:-20]

    records = at_once(outer + inner + GOOD[0])

    proven = [(outer, "damaged"), (inner, "ok"), (GOOD[0], "ok")]
    assert (verdicts(records) == proven) is (size <= 65_536)


@each_case("keys", range(1, 12))
def test_eight_keys_inside_a_packet_are_checked(keys: int) -> None:
    """Otherwise a sender could have the same bytes summed without end: after eight unproved ones the search stops."""
    outer = unsummed(KEY * (keys - 1) + b"x" * 200)[:-150]

    records = at_once(outer + INNER + b"\0" * 150)

    if keys <= 8:
        assert verdicts(records) == [(outer, "damaged"), (INNER, "ok")]
    else:
        assert records[0].raw == outer + (INNER + b"\0" * 150)[:150]


@pytest.mark.parametrize("name", ["ST0806", "ST1002", "ST1107", "ST1108"])
def test_a_truncated_packet_with_a_crc_does_not_lose_the_next(name: str) -> None:
    """The truncated packet is bad and damaged; complete, it is valid, whatever keys it holds."""
    whole = packet(name, local_set([(200, b"x" * 90)]), checksum=True)
    records = at_once(whole[:-30] + GOOD[0] + whole + GOOD[1])

    assert verdicts(records) == [(whole[:-30], "damaged"), (GOOD[0], "ok"), (whole, "ok"), (GOOD[1], "ok")]
    assert [record.checksum for record in records] == ["bad", "ok", "ok", "ok"]


@pytest.mark.parametrize("name", ["ST0806", "ST1002", "ST1107", "ST1108"])
def test_a_packet_with_a_crc_that_ends_between_two_items_is_bad(name: str) -> None:
    """Its items can be read, but its checksum is lost: it does not count as a set without one."""
    whole = packet(name, local_set([(100, b"x" * 90), (101, b"y" * 40)]), checksum=True)
    part = whole[: whole.index(b"y" * 40) - 2]
    for behind in (GOOD[:1], GOOD):  # too few bytes for its length, and enough bytes
        records = at_once(part + b"".join(behind))

        assert verdicts(records) == [(part, "damaged"), *((good, "ok") for good in behind)]
        assert [record.checksum for record in records] == ["bad", *["ok"] * len(behind)]


@each_case("name", ["ST0102", "ST0806", "ST1206"])
@each_case("tail", [b"\x06", b"\x06\x0e", b"\x06\x0e\x2b\x34", KEY[:15]])
def test_a_packet_may_end_like_a_key_begins(tail: bytes, name: str) -> None:
    """The bytes after it show that no packet began there, or that there are no more."""
    for last in range(256):
        whole = packet(name, local_set([(200, bytes([last]) * 5 + tail)]), checksum=name != "ST0806")
        data = GOOD[0] + whole + whole + GOOD[1]
        assert raws(at_once(data)) == [GOOD[0], whole, whole, GOOD[1]]
        assert raws(at_once(whole)) == raws(decoder.decode(whole)) == [whole]
        if last % 64 == 0:
            assert all(in_pieces(data, at) == verdicts(at_once(data)) for at in range(len(data)))


def test_one_packet_is_read_like_a_stream_of_it() -> None:
    """`decode` handles a buffer of one packet separately; the result equals that after another packet."""
    for name in ("ST0601", "ST0102", "ST0806", "ST0104", "ST1204", "ST1303", "ST0903"):
        whole = packet(name, b"\x02\x01\x05", checksum=True)
        (alone,) = decoder.decode(whole)
        behind = decoder.decode(whole + GOOD[0])[0]
        assert alone == behind
        assert alone.good


@each_case("size", range(18))
def test_less_than_a_key_and_a_length_is_no_packet(size: int) -> None:
    """Neither in a stream nor where one packet is expected."""
    assert decoder.decode(INNER[:size]) == []
    assert core.tags(INNER[:size]) is None or size == 17
    assert core.time_us(INNER[:size]) is None


def held(value: bytes, name: str = "ST0601") -> bytes | None:
    """The fingerprint of the items in a packet."""
    key = universal_key(name)
    assert key is not None
    (record,) = decoder.decode(GOOD[0] + key + ber(len(value)) + value)[1:]
    return record.item_set


def test_packets_with_the_same_items_have_the_same_fingerprint() -> None:
    """Whatever their values and order; another item, or one less, gives another fingerprint."""
    mark = held(local_set([(2, bytes(8)), (3, b"a"), (65, b"\x13"), (191, b"")]))
    assert mark is not None
    assert mark == held(local_set([(191, b"x"), (65, b"\x11"), (2, b"\0" * 7 + b"\1"), (3, b"long"), (3, b"")]))
    assert mark != held(local_set([(2, bytes(8)), (3, b"a"), (65, b"\x13"), (190, b"")]))
    assert mark != held(local_set([(2, bytes(8)), (3, b"a"), (65, b"\x13")]))
    assert len({held(local_set([(tag, b"")])) for tag in range(192)}) == 192


def test_a_packet_of_unknown_items_has_no_fingerprint() -> None:
    """Unknown tags, truncated items, sets by key and sets whose items stay raw."""
    for value in (item(192, b""), item(16_384, b""), b"\x03\x05abc", b"\x03", b"\xff" * 6, b"\x03\x80"):
        assert held(value) is None, value
        assert held(item(2, bytes(8)) + value) is None, value
    for name in ("ST0104", "ST0808", "ST1902", "ST1303"):
        assert held(local_set([(2, bytes(8))]), name) is None
