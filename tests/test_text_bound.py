"""The text of a packet is limited to 64 x its bytes and 4 KiB, whatever it contains; more is kept as hex."""

from __future__ import annotations

import json
from collections.abc import Iterator

from cases import each_case, each_of
from packet_wrapping import item, local_set, oid, packet, series

import klvrelay
from klvrelay import json_lines
from klvrelay.sample import packets
from klvrelay.standards.spec import SETS

FLAGS = item(47, b"\x3f") + item(124, b"\x00")  # booleans with names: the items with the most text
LABELS = item(34, b"\x02") + item(63, b"\x01") + item(77, b"\x05")


def nested(inner: bytes, count: int) -> bytes:
    return item(100, inner) * count


def dear() -> Iterator[tuple[str, bytes]]:
    """The items of each kind with the most text for their bytes."""
    for name, table in SETS.items():
        for tag, one in table.items():
            for value in (b"", b"\x00", b"\xff", b"\x80\x00", b"\xff" * 4, b"\x01" * 8):
                yield f"{name} {one.key} {value.hex()}", item(tag, value)
    yield "names", b"".join(item(tag, b"") for tag in range(3, 142))


HEAD_OF_MATRIX = {"matrix_size", "mode", "sparse", "sigma", "rho"}
CASES = {
    "flags in segments": ("ST0601", nested(FLAGS, 3000)),
    "labels in segments": ("ST0601", nested(LABELS, 3000)),
    "flags in targets": ("ST0903", item(101, series([oid(1) + item(11, b"\xff")] * 3000))),
    "empty items in segments": ("ST0601", nested(b"".join(item(tag, b"") for tag in range(3, 100)), 300)),
    "empty sets": ("ST0903", item(101, series([b""] * 60_000))),
    "empty targets": ("ST0903", item(101, series([oid(1)] * 30_000))),
    "unknown items in targets": ("ST0903", item(101, series([oid(1) + item(120, b"")] * 10_000))),
    "sets within sets": ("ST0601", nested(nested(nested(b"", 9), 9), 400)),
    "booleans": ("ST1303", oid(1) + oid(400_000) + oid(1) + oid(3) + bytes(50_000)),
    "biased": ("ST1303", oid(1) + oid(50_000) + oid(1) + oid(4) + b"\x81" + b"\xff" * 7 + b"\x7f" + bytes(50_000)),
    "IMAPB of one byte": ("ST1303", oid(1) + oid(50_000) + oid(1) + oid(2)
                          + bytes.fromhex("bff0000000000001400921fb54442d18") + b"\x55" * 50_000),
    "run lengths": ("ST1601", item(8, bytes.fromhex("0183ff7f0805800fffffffffffff"))),
    "runs": ("ST1303", oid(1) + oid(200) + oid(1) + oid(5) + b"\x07" + b"\xff\x00\x01" * 20_000),
    "runs over rows": ("ST1601", item(9, oid(2) + oid(6) + oid(1) + oid(1) + oid(5)
                       + b"\x07" + b"\x55\x00\x00\x06\x01" * 10_000)),
    "matrices of no numbers": ("ST0601", b"".join(item(tag, b"") for tag in range(3, 142)) * 2
                               + item(102, oid(143) + b"\x00") * 5000),
    "sparse matrices": ("ST0601", item(102, oid(143) + b"\x09" + bytes(1270)) * 40),
    "text": ("ST0601", item(3, b"\x01" * 60_000)),
    "wide text": ("ST0102", item(13, b"\x00\x01" * 30_000)),
    "bits": ("ST0903", item(101, series([oid(1) + item(102, item(1, b"\xff" * 500))] * 50))),
    "remarks": ("ST0601", local_set([(tag, b"\x01" * 9) for tag in range(5, 64)])),
    "special values": ("ST0601", nested(local_set([(tag, b"\x80\x00") for tag in (6, 7, 50, 51, 52)]), 2000)),
    "a long path": ("ST0601", nested(nested(nested(nested(item(6, b"\x80\x00") * 2, 3), 3), 3), 3)),
}  # fmt: skip


@each_of(range(1, 61))
def test_matrices_that_reach_the_bound_leave_valid_json(count: int) -> None:
    """The bound may be reached anywhere in a matrix: it is written whole, or kept raw, and the record stays JSON."""
    names = b"".join(item(tag, b"") for tag in (56, 82, 83, 16, 24, 91, 104, 129)) * 3
    raw = packet("ST0601", item(100, names + item(102, oid(27) + b"\x00") * count), checksum=True)

    (segment,) = json.loads(text_of(raw))["items"]["segment_local_set"]

    matrices = segment["sdcc_flp"]
    assert len(matrices) == count
    assert all(matrix is None or matrix.keys() == {*HEAD_OF_MATRIX, "items"} for matrix in matrices)


def text_of(raw: bytes) -> bytes:
    """The line of the one record, checked to be JSON."""
    (line,) = json_lines(raw).splitlines()
    json.loads(line)
    return line


def most(raw: bytes) -> int:
    return 64 * len(raw) + 4096


@each_case("name", CASES)
def test_the_text_of_a_record_is_bounded_by_its_bytes(name: str) -> None:
    """For large packets, and for small ones, where the 4 KiB count."""
    set_, value = CASES[name]
    raw = packet(set_, value)
    assert len(text_of(raw)) <= most(raw)
    for size in (10, 40, 200, 900):
        short = packet(set_, value[:size])
        assert len(text_of(short)) <= most(short), size


def test_the_text_of_each_repeated_item_is_bounded_too() -> None:
    """Every item of ST 0601 in as many segments as make some thousand bytes, and of the other sets alone."""
    for name, one in dear():
        set_ = name.split()[0]
        if set_ == "ST0601":
            raw = packet("ST0601", nested(one, 300))
        else:
            raw = packet(set_ if set_.startswith("ST") else "ST0601", one)
        assert len(text_of(raw)) <= most(raw), name


def test_an_ordinary_packet_is_far_from_the_bound() -> None:
    """No item of a sample flight is kept raw."""
    for packet_ in packets(seconds=1):
        (record,) = klvrelay.decode(packet_)
        assert b"kept raw" not in record.json()
        assert len(record.json()) < 20 * len(record.raw) + 2000


def test_a_buffer_that_grows_stops_at_the_bound() -> None:
    """A record of 50 KB that becomes 2.4 MB of text is the same in one call and in a stream."""
    raw = packet("ST1303", oid(1) + oid(400_000) + oid(1) + oid(3) + bytes(50_000))
    (record,) = klvrelay.decode(raw)
    assert record.json() == text_of(raw)
    assert len(record.json()) > 40 * len(raw)
