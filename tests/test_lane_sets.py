"""Several sets on one PID: each is judged separately, and a damaged key is detected."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from cases import each_case
from damaged_tapes import by_libav, by_native
from packet_wrapping import ber, item, keyed_set, local_set, packet
from test_lane import ASYNC, KLV_PID, KLVA, SYNC, Wire, cell, decoded, klv_packet

from klvrelay.decoder import Decoder
from klvrelay.record import Packet, Record

PRIVATE = bytes.fromhex("060e2b34020b01010f0f524159010000")
COUNT = 40


def st0601(number: int) -> bytes:
    return klv_packet(number, 40)


def rvt(number: int, *, checksum: bool = False) -> bytes:
    body = item(2, (1_340_977_512_000_000 + number).to_bytes(8)) + item(7, bytes([number]) * 2)
    return packet("ST0806", body, checksum=checksum)


def vmti(number: int, *, checksum: bool = False, size: int = 8) -> bytes:
    return packet("ST0903", item(2, number.to_bytes(8)) + item(3, b"s" * size), checksum=checksum)


def security(number: int, tail: bytes = b"", size: int = 4) -> bytes:
    return packet("ST0102", local_set([(1, b"\1"), (3, b"c" * size)]) + tail)


def st0104(number: int) -> bytes:
    key = bytes.fromhex("060e2b34010101010702010101050000")
    return packet("ST0104", keyed_set([(key, (1_340_977_512_000_000 + number).to_bytes(8)), (PRIVATE, b"\1\2ab")]))


def private(number: int, tail: bytes = b"\1\2\xab\xcd", size: int = 9) -> bytes:
    value = random.Random(number).randbytes(size) + tail
    return PRIVATE + ber(len(value)) + value


def ending(number: int) -> bytes:
    """A set without a checksum whose last item looks like one."""
    return security(number, b"\1\2" + random.Random(number).randbytes(2))


Make = Callable[[int], bytes]
SUMMED: dict[str, Make] = {
    "ST 0601": st0601,
    "RVT with CRC": lambda n: rvt(n, checksum=True),
    "VMTI with sum": lambda n: vmti(n, checksum=True),
}
PLAIN: dict[str, Make] = {
    "VMTI": vmti, "RVT": rvt, "ST 0102": security, "ST 0104": st0104, "ending in 01 02": ending, "private": private,
    "private, CRC-32": lambda n: private(n, b"\1\4wxyz"), "long VMTI": lambda n: vmti(n, size=400),
    "long private": lambda n: private(n, size=500), "long ST 0102": lambda n: security(n, size=500),
}  # fmt: skip


def carried(sent: Sequence[bytes], kind: int = ASYNC) -> bytes:
    wire = Wire()
    ts = wire.tables((kind, KLV_PID, KLVA), (0x1B, 0x100, b""))
    for number, one in enumerate(sent):
        ts += wire.pes(cell(one, number) if kind == SYNC else one, pts=3000 * number, sid=0xFC)
        ts += wire.carry(0x100, random.Random(number).randbytes(184 * 3))
    return b"".join(ts)


def bare(sent: Sequence[bytes]) -> list[Record]:
    decoder = Decoder("uav1", None)
    return decoder.feed(Packet(b"".join(sent), carriage="klv")) + decoder.flush()


def verdicts(records: Sequence[Record]) -> list[tuple[bytes, bool]]:
    return [(record.raw, record.good) for record in records]


PAIRS = [(a, b) for a, make in SUMMED.items() for b, other in PLAIN.items() if make(0)[:16] != other(0)[:16]]


@each_case(("summed", "plain"), PAIRS)
def test_a_set_without_a_checksum_is_good_beside_one_that_has_one(summed: str, plain: str) -> None:
    """In turn, on one PID, with and without cells and bare: every packet of both is output, and is valid."""
    sent = [(SUMMED[summed] if n % 2 == 0 else PLAIN[plain])(n) for n in range(COUNT)]
    wanted = [(one, True) for one in sent]
    assert verdicts(decoded(carried(sent))) == wanted
    assert verdicts(decoded(carried(sent, SYNC))) == wanted
    assert verdicts(bare(sent)) == wanted


@each_case("seed", range(20))
def test_sets_may_come_in_any_order(seed: int) -> None:
    """All kinds on one PID; a kind either has a checksum or not."""
    chance = random.Random(seed)
    kinds = [*SUMMED.values(), security, st0104, private] if seed % 2 else [st0601, *PLAIN.values()]
    sent = [chance.choice(kinds)(n) for n in range(COUNT)]
    assert verdicts(decoded(carried(sent))) == [(one, True) for one in sent]


async def test_unknown_keys_at_the_end_of_a_stream_are_not_lost() -> None:
    """Over several TS packets and at the very end: both demultiplexers return all of them."""
    sent = [one for n in range(30) for one in (st0601(n), private(n, size=400 + n))]
    wire = Wire()
    ts = wire.tables((ASYNC, KLV_PID, KLVA))
    ts += [part for n, one in enumerate(sent) for part in wire.pes(one, pts=3000 * n)]
    data = b"".join(ts)
    assert verdicts(by_native(data)) == [(one, True) for one in sent]
    assert verdicts(await by_libav(data)) == [(one, True) for one in sent]


def test_an_unknown_key_in_a_truncated_pes_packet_is_not_good() -> None:
    """The file ends within a PES packet: only its length could prove the first half."""
    wire = Wire()
    ts = wire.tables((ASYNC, KLV_PID, KLVA)) + wire.pes(st0601(1))
    ts += wire.pes(private(2, size=400) + private(3, size=400), pts=9)[:-1]
    assert verdicts(decoded(ts))[:2] == [(st0601(1), True), (private(2, size=400), False)]


# ---- a set that changes ----


def test_a_set_that_lost_its_checksum_is_not_good_until_that_is_usual() -> None:
    """Three records are damaged; from the fourth on, the sender counts as one without checksums."""
    sent = [vmti(n, checksum=n < 10 or n >= 60) for n in range(100)]
    good = [record.good for record in decoded(carried(sent))]
    assert good == [n < 10 or n >= 13 for n in range(100)]


def test_a_set_that_has_a_checksum_now_and_then_is_good_after_a_while() -> None:
    """Every second one, beside another set that always has one."""
    sent = [st0601(n) if n % 3 == 0 else rvt(n, checksum=n % 3 == 1) for n in range(120)]
    good = [record.good for record in decoded(carried(sent))]
    assert good.count(False) <= 4
    assert all(good[60:])


def test_a_lost_checksum_counts_again_once_the_set_has_had_one_for_a_while() -> None:
    """A period without any is forgotten."""
    sent = [vmti(n, checksum=not 10 <= n < 40 and n != 70) for n in range(80)]
    good = [record.good for record in decoded(carried(sent))]
    assert [n for n in range(80) if not good[n]] == [10, 11, 12, 70]


# ---- a damaged key ----


@pytest.mark.parametrize("name", SUMMED)
def test_a_flipped_bit_in_the_key_of_a_summed_set_makes_no_good_record(name: str) -> None:
    """Each bit of the key, and each two of its last eight octets: the record gets neither another set's name nor
    "unknown".
    """
    make, sent = SUMMED[name], [SUMMED[name](n) for n in range(6)]
    flips = [(bit,) for bit in range(128)] + [(a, b) for a in range(64, 128) for b in range(a + 1, 128)]
    for flip in flips:
        spoilt = bytearray(make(3))
        for bit in flip:
            spoilt[bit >> 3] ^= 0x80 >> (bit & 7)
        records = bare([*sent[:3], bytes(spoilt), *sent[4:]])
        assert {record.raw for record in records if record.good} <= {*sent}, flip


def test_a_private_key_close_to_a_known_one_is_good() -> None:
    """It differs in one bit from that of ST 0601, and its last item has the tag of a checksum."""
    key = bytearray(st0601(0)[:16])
    key[15] ^= 1
    value = [random.Random(n).randbytes(20) + b"\1\2" + random.Random(-n).randbytes(2) for n in range(COUNT)]
    sent = [one for n in range(COUNT) for one in (st0601(n), bytes(key) + ber(24) + value[n])]
    assert verdicts(decoded(carried(sent))) == [(one, True) for one in sent]
