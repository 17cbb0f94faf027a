"""The maximum size of a packet: a setting, 1 MiB by default; larger packets are skipped and counted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cases import each_case
from klvrelay.core._core import ffi
from packet_wrapping import ber, item, local_set, packet, universal_key
from test_lane import ASYNC, KLV_PID, KLVA, NULL, Wire

import klvrelay
from klvrelay import core
from klvrelay.core import Lane
from klvrelay.decoder import Decoder
from klvrelay.errors import ConfigError
from klvrelay.record import Packet, Record

KEY = universal_key("ST0601") or b""
VMTI = universal_key("ST0903") or b""


def klv(number: int, size: int = 100) -> bytes:
    """A valid ST 0601 packet; the bytes of its text begin no key."""
    text = bytes(32 + (number + at) % 90 for at in range(size))
    return packet("ST0601", local_set([(2, number.to_bytes(8)), (3, text)]), checksum=True)


def chip(size: int, *, name: str = "ST0601", checksum: bool = True) -> bytes:
    """A packet with an image of so many bytes."""
    image = bytes(at * 7 % 251 for at in range(size))
    return packet(name, local_set([(4, b"\x06"), (3, image)] if name == "ST0903" else [(2, bytes(8)), (3, image)]),
                  checksum=checksum)  # fmt: skip


def fed(data: bytes, piece: int, **options: int) -> tuple[list[Record], Decoder]:
    decoder = Decoder("", None, **options)
    records = [
        record
        for at in range(0, len(data), piece)
        for record in decoder.feed(Packet(data[at : at + piece], carriage="klv"))
    ]
    return records, decoder


def carried(sent: list[bytes]) -> tuple[list[Record], Decoder]:
    """In MPEG-TS: each packet over as many PES packets as it needs."""
    line, decoder = Wire(), Decoder("", None)
    ts = [*line.tables((ASYNC, KLV_PID, KLVA))]
    for raw in sent:
        for at in range(0, len(raw), 60_000):
            ts += line.pes(raw[at : at + 60_000])
    return decoder.feed(Packet(b"".join([*ts, *[NULL] * 9]))) + decoder.flush(), decoder


@each_case("size", [64_000, 65_600, 80_000, 300_000, 1_040_000])
@each_case("name", ["ST0601", "ST0903"])
def test_a_packet_with_an_image_is_complete(name: str, size: int) -> None:
    """From a buffer, in pieces, and over many PES packets: up to 1 MiB."""
    sent = [klv(1), chip(size, name=name), klv(2)]

    assert [r.raw for r in klvrelay.decode(b"".join(sent)) if r.good] == sent
    for piece in (188, 1316, 70_000):
        records, decoder = fed(b"".join(sent), piece)
        assert [r.raw for r in records if r.good] == sent, piece
        assert decoder.counters.too_large == 0
    assert [r.raw for r in carried(sent)[0] if r.good] == sent


def test_a_large_packet_survives_encoding_and_decoding() -> None:
    """An image chip of 80,000 bytes in a VMTI target, encoded and decoded."""
    document = {
        "precision_time_stamp": 1_700_000_000_000_000,
        "vmti_local_set": {"vtarget_series": [{"target_id": 1, "vchip_series": [{"embedded_image": "ab" * 80_000}]}]},
    }
    raw = klvrelay.encode(document)

    (record,) = klvrelay.decode(raw)

    assert (record.raw, record.checksum) == (raw, "ok")
    assert record.items["vmti_local_set"] == document["vmti_local_set"]
    assert klvrelay.encode(record) == raw
    assert len(klvrelay.columns(raw * 3, ["precision_time_stamp"])["precision_time_stamp"]) == 3


@pytest.mark.parametrize("limit", [512, 4_000, 100_000, 2_000_000])
def test_the_configured_limit_applies(limit: int) -> None:
    """A value of so many bytes is read; one of a byte more is skipped and counted, and the next packet is read."""
    head = len(packet("ST0601", local_set([(2, bytes(8)), (3, bytes(limit))]), checksum=True)) - limit
    spare = head - (17 + len(ber(limit)) - 1)
    fits = next(raw for size in range(limit - spare - 4, limit) if value_size(raw := chip(size)) == limit)
    long = next(raw for size in range(limit - spare - 4, limit + 2) if value_size(raw := chip(size)) == limit + 1)

    for piece in (1316, 1 << 22):
        records, decoder = fed(fits + long + klv(1), piece, packet_limit=limit)
        assert [r.raw for r in records] == [fits, klv(1)]
        assert (decoder.counters.too_large, decoder.counters.passed_over) == (1, len(long))
    assert [r.raw for r in klvrelay.decode(fits, packet_limit=limit)] == [fits]
    assert klvrelay.decode(long, packet_limit=limit) == []


def value_size(raw: bytes) -> int:
    length, used = core.ber_length(raw[16:26])
    assert len(raw) == 16 + used + length
    return length


@pytest.mark.parametrize("limit", [0, -1, 511, (8 << 20) + 1])
def test_an_invalid_limit_is_refused(limit: int) -> None:
    """With the valid range."""
    with pytest.raises(ConfigError, match=r"packet_limit .*: must be 512 to 8388608 bytes"):
        klvrelay.decode(b"", packet_limit=limit)


PROMISES = (65_537, 70_000, 300_000, 1 << 20)


@each_case("promise", PROMISES)
@each_case("name", ["ST0601", "ST0903", "ST0806"])
@each_case("piece", [100, 1316, 1 << 22])
def test_a_damaged_length_affects_its_packet_only(name: str, promise: int, piece: int) -> None:
    """Back in sync within one clean packet, however the bytes arrive: the next key is where an item would begin."""
    spoilt = packet(name, local_set([(4, b"tail"), (3, b"x" * 150)]))
    spoilt = spoilt[:16] + b"\x84" + promise.to_bytes(4) + spoilt[18:]
    after = [klv(number) for number in range(3)]

    records, decoder = fed(klv(9) + spoilt + b"".join(after), piece)

    assert [r.raw for r in records if r.good] == [klv(9), *after]
    assert [r.raw for r in records if not r.good] == [spoilt]
    assert decoder.counters.too_large == 0


@each_case("promise", PROMISES)
@each_case("piece", [100, 1316, 1 << 22])
def test_a_damaged_length_with_damaged_items_affects_its_packet_only(promise: int, piece: int) -> None:
    """The packet after it is proved by its checksum."""
    spoilt = KEY + b"\x84" + promise.to_bytes(4) + b"\x02\x08" + b"\xff" * 100
    after = [klv(number) for number in range(3)]

    records, _ = fed(klv(9) + spoilt + b"".join(after), piece)

    assert [r.raw for r in records if r.good] == [klv(9), *after]
    assert [r.raw for r in records if not r.good] == [spoilt]


@pytest.mark.parametrize("promise", PROMISES)
def test_in_a_transport_stream_the_next_pes_packet_ends_it(promise: int) -> None:
    """It is output as damaged, and the next one is valid."""
    spoilt = KEY + b"\x84" + promise.to_bytes(4) + b"\x02\x08" + b"\xff" * 100
    sent = [klv(1), spoilt, klv(2), klv(3)]

    records, _ = carried(sent)

    assert [(r.raw, r.good) for r in records] == [(raw, raw != spoilt) for raw in sent]


def test_an_unknown_key_is_limited_to_64_kib() -> None:
    """Only its length could prove it."""
    strange = bytes.fromhex("060e2b34020b01010e0103017f7f7f00")
    fits, long = strange + ber(65_536) + bytes(65_536), strange + ber(65_537) + bytes(65_537)

    records, decoder = fed(klv(1) + fits + long + klv(2), 1 << 20)

    assert [r.raw for r in records] == [klv(1), fits, klv(2)]
    assert decoder.counters.too_large == 1


GROWTH = """
import resource, sys
sys.path[:0] = {path!r}
from test_packet_limit import klv
from klvrelay.core import Lane
import resource
def resident():
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * resource.getpagesize() // 1024
first = Lane(ts=True)
before = resident()
lanes = [Lane(ts=True, limit=1 << 20) for _ in range(50)] + [Lane(ts=False, limit=1 << 20) for _ in range(50)]
for lane in lanes[50:]:
    for number in range(200):
        lane.packets(klv(number) + klv(number)[:50])
        lane.packets(klv(number)[50:])
print(resident() - before)
"""


def test_a_hundred_lanes_take_no_more_memory_than_their_packets() -> None:
    """Buffers for packets of 1 MiB on eight PIDs each are not touched before there are such packets."""
    tests = Path(__file__).parent
    path = [str(tests), str(tests / "support"), str(tests / "native"), *(part for part in sys.path if part)]
    done = subprocess.run(
        [sys.executable, "-c", GROWTH.format(path=path)], capture_output=True, text=True, timeout=50, check=True
    )
    assert int(done.stdout) < 100 * 400  # KiB: a lane's own tables are 100


def test_a_lane_stays_at_the_front_of_its_memory() -> None:
    """Data that arrives without a pause, with packets across all pieces, is moved back before it goes far."""
    lane = Lane(ts=False)
    stream = b"".join(klv(number) for number in range(3000))
    memory = ffi.buffer(lane._memory)
    memory[:] = b"\x55" * len(memory)
    found = []
    for at in range(0, len(stream), 997):
        found += lane.packets(stream[at : at + 997])
    assert b"".join(entry[0] for entry in found) == stream
    assert set(memory[1 << 16 :]) == {0x55}


def test_a_key_inside_an_image_is_no_end() -> None:
    """Inside a value a key is data: only where an item would begin does it show that the packet ended before."""
    image = bytes(1000) + VMTI + b"\x04\x00\x00\x00\x00" + bytes(80_000)
    raw = packet("ST0601", local_set([(2, bytes(8)), (3, image)]), checksum=True)

    for piece in (188, 1 << 20):
        records, _ = fed(klv(1) + raw + klv(2), piece)
        assert [r.raw for r in records if r.good] == [klv(1), raw, klv(2)]


def test_items_alone_are_as_large_as_packets() -> None:
    """One item of 70,000 bytes."""
    raw = packet("ST0601", item(3, b"a" * 70_000), checksum=True)
    (record,) = klvrelay.decode(raw)
    assert record.items == {"mission_id": "a" * 70_000}
