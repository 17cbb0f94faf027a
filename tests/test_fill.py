"""KLV Fill items (SMPTE ST 336) are skipped and counted everywhere; they produce no record and no item."""

from __future__ import annotations

import orjson
import pytest
from damaged_tapes import by_libav, by_native
from packet_wrapping import ber, keyed_set, packet
from test_lane import ASYNC, KLV_PID, KLVA, NULL, SYNC, Wire, cell, klv_packet, raws
from test_lane_sets import PRIVATE, private

import klvrelay
from klvrelay.decoder import Decoder
from klvrelay.record import Packet

KEYS = ["060e2b34010101020301021001000000", "060e2b34010101010301021001000000"]
TIME = bytes.fromhex("060e2b34010101010702010101050000")


def fill(size: int, key: str = KEYS[0], long: bool = False) -> bytes:
    return bytes.fromhex(key) + (b"\x83" + size.to_bytes(3) if long else ber(size)) + bytes(size)


def between(sent: list[bytes], sizes: tuple[int, ...] = (0, 1, 20, 444, 3000)) -> list[bytes]:
    """A Fill item before each packet, and one at the end."""
    fills = [fill(sizes[n % len(sizes)], KEYS[n % 2], n % 3 == 0) for n in range(len(sent) + 1)]
    return [part for pair in zip(fills, [*sent, b""], strict=True) for part in pair if part]


SENT = [klv_packet(n, 30) if n % 3 else private(n, size=300) for n in range(1, 31)]
ITEMS = between(SENT)
BARE = b"".join(ITEMS)
FILLS = len(SENT) + 1


def carried(kind: int = ASYNC, together: bool = False) -> bytes:
    wire = Wire()
    ts = wire.tables((kind, KLV_PID, KLVA))
    units = [b"".join(ITEMS[at : at + 3]) for at in range(0, len(ITEMS), 3)] if together else ITEMS
    for number, one in enumerate(units):
        ts += wire.pes(cell(one, number) if kind == SYNC else one, pts=3000 * number, sid=0xFC)
    return b"".join(ts)


WAYS = {
    "bare": lambda: BARE, "async": carried, "sync": lambda: carried(SYNC), "several": lambda: carried(together=True),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_fill_is_skipped_and_counted(way: str) -> None:
    """Both versions, short and long lengths, empty ones, and one at the end: all other packets are output, valid."""
    data = WAYS[way]()
    decoder = Decoder("uav1", None)
    records = decoder.feed(Packet(data, carriage="klv" if way == "bare" else "ts")) + decoder.flush()
    assert raws(records) == SENT
    assert all(record.good for record in records)
    sizes = sum(len(one) for one in ITEMS) - sum(len(one) for one in SENT)
    counters = decoder.counters
    assert (counters.fill, counters.fill_bytes, counters.passed_over, counters.packets) == (FILLS, sizes, 0, len(SENT))


@pytest.mark.parametrize("way", WAYS)
def test_no_function_returns_fill(way: str) -> None:
    """`decode`, `json_lines` and `columns`."""
    data = WAYS[way]()
    assert raws(klvrelay.decode(data)) == SENT
    lines = [orjson.loads(line) for line in klvrelay.json_lines(data).splitlines()]
    assert [line["set"] for line in lines] == ["ST0601" if n % 3 else "unknown" for n in range(1, 31)]
    assert len(klvrelay.columns(data, ["precision_time_stamp"])["precision_time_stamp"]) == 20


def test_a_buffer_of_fill_has_no_record() -> None:
    """One Fill item, or a few of them."""
    assert klvrelay.decode(fill(30)) == []
    assert klvrelay.decode(fill(30) + fill(3)) == []
    assert klvrelay.json_lines(fill(30)) == b""


@pytest.mark.parametrize("way", ["async", "sync"])
async def test_both_demultiplexers_skip_fill(way: str) -> None:
    """The same records from both."""
    data = WAYS[way]() + b"".join([NULL] * 4)
    assert raws(by_native(data)) == raws(await by_libav(data)) == SENT


def test_fill_after_a_loss_is_fill() -> None:
    """Its key is known, so the packet after it counts as aligned."""
    wire = Wire()
    ts = wire.tables((ASYNC, KLV_PID, KLVA)) + wire.pes(klv_packet(1, 500))[:2]
    wire.counters[KLV_PID] += 3
    ts += wire.pes(fill(300) + private(2)) + wire.pes(klv_packet(3))
    records = klvrelay.decode(b"".join([*ts, *[NULL] * 5]))
    assert raws(record for record in records if record.good) == [private(2), klv_packet(3)]
    assert [record.set for record in records] == ["ST0601", "unknown", "ST0601"]


def test_truncated_fill_swallows_no_packet() -> None:
    """The part of the next packet that it took is returned, and nothing of it is a record."""
    sent = [klv_packet(n, 30) for n in range(4)]
    records = klvrelay.decode(sent[0] + fill(300)[:100] + b"".join(sent[1:]))
    assert raws(record for record in records if record.good) == sent
    assert len(records) == 4


def test_fill_in_a_universal_set_is_no_item() -> None:
    """Between its items, twice: no unknown item, no warning."""
    time = (1_340_977_512_000_000).to_bytes(8)
    fills = [(bytes.fromhex(key), bytes(size)) for key, size in zip(KEYS, (9, 0), strict=True)]
    sent = packet("ST0104", keyed_set([fills[0], (TIME, time), fills[1]]))
    (record,) = klvrelay.decode(sent)
    document = orjson.loads(record.json())
    assert (document["items"], document["time_us"]) == ({}, 1_340_977_512_000_000)
    assert "warnings" not in document["quality"]
    (other,) = klvrelay.decode(packet("ST0104", keyed_set([(TIME, time), (PRIVATE, b"x")])))
    assert "unknown" in orjson.loads(other.json())["items"]
