"""Transport damage: whatever is lost, repeated, swapped or flipped, every valid record was sent."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from cases import each_case
from packet_wrapping import local_set, packet
from test_lane import ASYNC, KLV_PID, KLVA, NULL, SYNC, Wire, all_good, cell, decoded, klv_packet, raws

from klvrelay import decoder
from klvrelay.decoder import Decoder
from klvrelay.record import Packet, Record

SENT = [klv_packet(number, 560) for number in range(12)]
TABLES = 2


def stream(kind: int = ASYNC, sent: Sequence[bytes] = SENT) -> list[bytes]:
    """Tables, then each packet in four TS packets."""
    wire = Wire()
    payloads = [cell(s, n) if kind == SYNC else s for n, s in enumerate(sent)]
    return wire.tables((kind, KLV_PID, KLVA)) + [p for s in payloads for p in wire.pes(s, pts=9, sid=0xFC)]


def nothing_false(records: Sequence[Record], sent: Sequence[bytes] = SENT) -> list[int]:
    """The packets that came out valid: each as it was sent, in order, none twice."""
    good = [sent.index(raw) for raw in raws(r for r in records if r.good)]
    assert good == sorted(set(good))
    return good


def places() -> range:
    return range(TABLES, TABLES + 4 * len(SENT))


@pytest.mark.parametrize("kind", [SYNC, ASYNC])
def test_a_lost_ts_packet_damages_its_klv_packet_only(kind: int):
    """Each TS packet in turn is lost: all other KLV is valid, and a packet that spans the loss never is."""
    ts = stream(kind)
    for lost in places():
        good = nothing_false(decoded(ts[:lost] + ts[lost + 1 :]))
        assert good == [n for n in range(len(SENT)) if n != (lost - TABLES) // 4]


@each_case("kind", [SYNC, ASYNC])
@each_case("run", [2, 3, 5, 14, 15, 16, 17, 31])
def test_lost_runs_of_ts_packets_never_make_a_false_record(kind: int, run: int):
    """Even where the continuity counter wraps to its old value, which hides the loss."""
    ts = stream(kind)
    for lost in range(TABLES, len(ts) - run):
        good = nothing_false(decoded(ts[:lost] + ts[lost + run :]))
        touched = range((lost - TABLES) // 4, (lost + run - 1 - TABLES) // 4 + 1)
        assert set(range(len(SENT))) - set(good) <= {*touched, touched[-1] + 1}


def test_fifteen_lost_ts_packets_are_no_repetition():
    """A packet with the last one's counter but other bytes is no duplicate: a loss lies between.

    A set without a checksum (ST 0102 alone) would otherwise come out valid with another packet's end.
    """
    sent = [packet("ST0102", local_set([(2, bytes([65 + n]) * 90), (3, bytes([97 + n]) * 400)])) for n in range(12)]
    ts = stream(ASYNC, sent)
    for lost in range(TABLES, len(ts) - 15):
        for record in decoded(ts[:lost] + ts[lost + 15 :]):
            assert not record.good or record.raw in sent, lost


def unsummed(number: int, size: int) -> bytes:
    """A packet of ST 0102, which has no checksum, with its number in each byte."""
    half = size // 2
    return packet("ST0102", local_set([(2, bytes([65 + number]) * half), (3, bytes([97 + number]) * half)]))


@each_case("run", [16, 32])
@each_case("sizes", [(9_000,), (4_000, 4_000), (1_500, 1_500, 1_500, 1_500, 4_000)])
@each_case("kind", [SYNC, ASYNC])
def test_sixteen_lost_packets_of_one_pes_packet_are_detected_by_its_length(
    kind: int, sizes: tuple[int, ...], run: int
) -> None:
    """The counter wraps and there is no checksum: a complete length alone does not prove the packet."""
    sent = [unsummed(number, size) for number, size in enumerate(sizes * 3)]
    wire, ts, groups = Wire(), [NULL] * 4, len(sizes)
    ts += wire.tables((kind, KLV_PID, KLVA))
    for at in range(0, len(sent), groups):
        parts = sent[at : at + groups]
        payload = b"".join(cell(s, at + n) for n, s in enumerate(parts)) if kind == SYNC else b"".join(parts)
        ts += wire.pes(payload, pts=at, sid=0xFC)
    begins = [at for at, p in enumerate(ts) if p[1] & 0x40][2:]
    last = unsummed(20, 100)
    behind = [*wire.pes(cell(last, 99) if kind == SYNC else last, sid=0xFC), *[NULL] * 4]
    for lost in range(begins[1] + 1, begins[2] - run):
        good = raws(r for r in decoded(ts[:lost] + ts[lost + run :] + behind) if r.good)
        assert set(good) <= {*sent, last}, lost
        assert good[:groups] == sent[:groups]
        assert good[-groups - 1 :] == [*sent[2 * groups :], last]


def test_a_packet_without_a_checksum_is_output_after_the_end_of_its_pes_packet() -> None:
    """Not before, while more may follow in it; one with a checksum is output at once."""
    for sent, early in (([unsummed(1, 300), unsummed(2, 300)], 0), (SENT[:2], 1)):
        wire, decoder = Wire(), Decoder("uav1", None)
        decoder.feed(Packet(b"".join([*wire.tables((ASYNC, KLV_PID, KLVA)), *[NULL] * 4])))
        *begun, end = wire.pes(b"".join(sent))
        records = decoder.feed(Packet(b"".join(begun)))
        assert len(records) == early
        records += decoder.feed(Packet(end))
        assert early or not records
        assert raws(records + decoder.flush()) == sent


@pytest.mark.parametrize("sized", [True, False])
def test_a_pes_packet_longer_than_a_lane_holds_loses_nothing(sized: bool) -> None:
    """60,000 bytes of packets without a checksum, each at most 900 bytes: they are output once complete."""
    sent = [unsummed(number % 20, 2 * (60 + number)) for number in range(170)]
    wire, decoder = Wire(), Decoder("uav1", None, packet_limit=900)
    ts = [*wire.tables((ASYNC, KLV_PID, KLVA)), *wire.pes(b"".join(sent), sized=sized), *[NULL] * 4]
    records = decoder.feed(Packet(b"".join(ts))) + decoder.flush()
    assert raws(r for r in records if r.good) == sent


@pytest.mark.parametrize("kind", [SYNC, ASYNC])
def test_a_repeated_ts_packet_is_no_damage(kind: int):
    """ISO/IEC 13818-1, 2.4.3.3 allows each packet twice: all records are valid, and none is repeated."""
    ts = stream(kind)
    for twice in places():
        all_good(decoded(ts[: twice + 1] + ts[twice:]), SENT)
    all_good(decoded([packet for packet in ts for _ in range(2)]), SENT)


@pytest.mark.parametrize("kind", [SYNC, ASYNC])
def test_two_swapped_ts_packets_are_never_good(kind: int):
    """An additive checksum does not detect swapped blocks: the counter detects 50 of 50."""
    chance, passed = random.Random(50), 0
    for _ in range(50):
        ts, hit = stream(kind), chance.randrange(len(SENT))
        a, b = (TABLES + 4 * hit + place for place in sorted(chance.sample(range(4), 2)))
        ts[a], ts[b] = ts[b], ts[a]
        records = decoded(ts)
        assert hit not in nothing_false(records)
        passed += any(r.transport == "damaged" and r.checksum == "ok" for r in records)
        assert set(range(len(SENT))) - {hit, hit + 1} <= set(nothing_false(records))
    assert passed == 0


@pytest.mark.parametrize("kind", [SYNC, ASYNC])
def test_random_swaps_repetitions_and_losses_never_make_a_false_record(kind: int):
    """300 streams with a few faults each; most of their records still arrive."""
    arrived = 0
    for seed in range(300):
        chance, ts = random.Random(seed), stream(kind)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(TABLES, len(ts) - 1)
            match chance.randrange(3):
                case 0:
                    del ts[at]
                case 1:
                    ts.insert(at + chance.randrange(1, 3), ts[at])
                case _:
                    ts[at], ts[at + 1] = ts[at + 1], ts[at]
        arrived += len(nothing_false(decoded(ts)))
    assert arrived > 300 * len(SENT) / 2


def test_a_flipped_bit_in_the_klv_is_a_bad_checksum():
    """One bit of one KLV packet: it is bad or damaged, never valid, and all others are unchanged."""
    chance, ts = random.Random(7), stream()
    for _ in range(300):
        hit, place = chance.randrange(len(SENT)), chance.randrange(16 + 3, len(SENT[0]))
        spoilt = bytearray(SENT[hit])
        spoilt[place] ^= 1 << chance.randrange(8)
        records = decoder.decode(b"".join(bytes(spoilt) if n == hit else s for n, s in enumerate(SENT)))
        assert nothing_false(records) == [n for n in range(len(SENT)) if n != hit]
        assert records[hit].checksum == "bad"
    assert len(decoded(ts)) == len(SENT)


def test_a_flipped_bit_anywhere_in_the_transport_never_makes_a_false_record():
    """Headers, counters, PES lengths, cells: a bit of the stream flips, and what passes its checksum was sent."""
    for seed in range(600):
        chance = random.Random(seed)
        spoilt = bytearray(b"".join(stream(chance.choice((SYNC, ASYNC)))))
        place = chance.randrange(188 * (TABLES + 4), len(spoilt))
        spoilt[place] ^= 1 << chance.randrange(8)
        records = decoded(bytes(spoilt))
        assert len(nothing_false([r for r in records if r.checksum == "ok"])) >= len(SENT) - 3, (seed, place)


def test_a_packet_that_lost_its_checksum_item_is_not_good_where_all_others_have_one():
    """A flipped bit changes item 1 into another item: in a stream with checksums this is a fault."""
    spoilt = bytearray(SENT[5])
    spoilt[-4] ^= 0x40
    records = decoder.decode(b"".join([*SENT[:5], bytes(spoilt), *SENT[6:]]))
    assert nothing_false(records) == [n for n in range(len(SENT)) if n != 5]


def test_a_wrong_length_in_one_packet_does_not_delay_the_next_ones():
    """A packet that announces 60,000 bytes and has 600: the record of the next PES packet is output on arrival."""
    wire, decoder = Wire(), Decoder("uav1", None)
    decoder.feed(Packet(b"".join(wire.tables((ASYNC, KLV_PID, KLVA)))))
    decoder.feed(Packet(b"".join(wire.pes(SENT[0][:17] + b"\xea\x60" + SENT[0][19:]))))
    records = decoder.feed(Packet(b"".join(wire.pes(SENT[1]) + [NULL] * 4)))
    assert raws(r for r in records if r.good) == [SENT[1]]


def test_transport_error_indicator_makes_damage():
    """A TS packet that the receiver marked as damaged makes its KLV packet damaged, though the bytes may be correct."""
    for marked in places():
        ts = stream()
        ts[marked] = bytes([0x47, ts[marked][1] | 0x80]) + ts[marked][2:]
        assert nothing_false(decoded(ts)) == [n for n in range(len(SENT)) if n != (marked - TABLES) // 4]


def test_a_scrambled_ts_packet_is_not_read():
    """Scrambled payload is not taken for KLV."""
    ts = stream()
    ts[TABLES + 5] = ts[TABLES + 5][:3] + bytes([ts[TABLES + 5][3] | 0xC0]) + ts[TABLES + 5][4:]
    assert nothing_false(decoded(ts)) == [0, *range(2, len(SENT))]


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_stream_that_ends_inside_a_packet_outputs_it_as_damaged(missing: int):
    """The last packet is incomplete: it is output with that flag."""
    records = decoded(stream()[:-missing])
    assert nothing_false(records) == list(range(len(SENT) - 1))
    assert (records[-1].transport, records[-1].checksum) == ("damaged", "bad")
    assert SENT[-1].startswith(records[-1].raw[:100])


@pytest.mark.parametrize("left", [19, 40, 200, 599])
def test_truncated_bare_klv_does_not_swallow_the_next_packet(left: int):
    """A truncated packet with complete ones after it: they survive, and it is flagged damaged."""
    whole = [klv_packet(number) for number in range(3)]
    for behind in (whole, whole + [klv_packet(n, 700) for n in range(9)]):
        records = decoder.decode(klv_packet(99, 560)[:left] + b"".join(behind))
        assert raws(r for r in records if r.good) == behind
        assert [r.transport for r in records if not r.good] == ["damaged"]


def test_a_truncated_packet_without_a_checksum_does_not_swallow_the_next_one():
    """ST 0102 alone has no checksum to detect it: the key inside the packet does."""
    first = packet("ST0102", local_set([(1, b"\x01"), (3, b"//US" * 30)]))
    records = decoder.decode(first[:60] + b"".join(SENT[:3]))
    assert raws(r for r in records if r.set == "ST0601" and r.good) == SENT[:3]
    assert not [r for r in records if r.set == "ST0102" and r.good]


def test_a_truncated_packet_of_an_unknown_set_does_not_swallow_later_ones():
    """Nor does an unknown one that announces more than the file holds."""
    key = bytes.fromhex("060e2b34020b01010e0103017f7f7f00")
    records = decoder.decode(SENT[0] + key + b"\x82\xf0\x00" + b"x" * 50 + b"".join(SENT[1:]))
    assert raws(r for r in records if r.set == "ST0601" and r.good) == SENT


@each_case(
    "length", ["88ffffffffffffffff", "847fffffff", "8400100001", "80", "89000000000000000010", "ff"]
)
@each_case("carried", [False, True])
def test_an_impossible_length_costs_one_search(length: str, carried: bool):
    """A length beyond the limit, indefinite or of too many octets: the search for the next key starts at once."""
    bad = SENT[0][:16] + bytes.fromhex(length) + b"\x02\x08" + b"x" * 100
    sent = [*SENT[:3], bad, *SENT[3:]]
    if carried:
        wire, decoder = Wire(), Decoder("uav1", None)
        records = decoder.feed(Packet(b"".join(wire.tables((ASYNC, KLV_PID, KLVA)))))
        for s in sent:
            records += decoder.feed(Packet(b"".join([*wire.pes(s), *[NULL] * 4])))
    else:
        decoder = Decoder("uav1", None)
        records = decoder.feed(Packet(b"".join(sent), carriage="klv"))
    assert raws(records) == SENT
    assert decoder.counters.passed_over == len(bad)


def test_any_registry_version_is_the_same_key():
    """Octet 8 of a key is ignored."""
    for version in (0, 1, 2, 0x0D, 0xFF):
        body = SENT[3][:7] + bytes([version]) + SENT[3][8:]
        total = sum(b << (8 if n % 2 == 0 else 0) for n, b in enumerate(body[:-2])) & 0xFFFF
        (record,) = decoder.decode(body[:-2] + total.to_bytes(2))
        assert (record.set, record.checksum, record.raw[7]) == ("ST0601", "ok", version)


def test_a_packet_with_an_unknown_key_is_kept():
    """After another packet, an unknown key is a record of set "unknown", with its bytes."""
    strange = bytes.fromhex("060e2b34020b01010e0103017f7f7f00") + b"\x05hello"
    for records in (decoder.decode(SENT[0] + strange + SENT[1]), decoded(stream(ASYNC, [SENT[0], strange, SENT[1]]))):
        assert raws(records) == [SENT[0], strange, SENT[1]]
        assert [r.set for r in records] == ["ST0601", "unknown", "ST0601"]
        assert records[1].items == {"unknown": {strange[:16].hex(): b"hello".hex()}}


def test_damage_reported_by_a_source_is_kept():
    """A packet that libav calls corrupt, or that follows a loss of RTP, is never valid."""
    decoder = Decoder("uav1", None)
    records = [
        record
        for n, sent in enumerate(SENT)
        for record in decoder.feed(Packet(sent, None, "klv", 9, 257, damaged=n in (3, 7)))
    ] + decoder.flush()
    assert raws(records) == SENT
    assert [n for n, r in enumerate(records) if not r.good] == [3, 7]
    assert decoder.counters.damaged == 2


def test_the_counters_show_what_happened():
    """Packets, bad, damaged, skipped, TS packets, discontinuities."""
    ts = stream()
    spoilt = bytearray(ts[TABLES + 1])
    spoilt[100] ^= 4
    ts[TABLES + 1] = bytes(spoilt)
    del ts[TABLES + 9]
    decoder = Decoder("uav1", None)
    records = decoder.feed(Packet(b"".join(ts))) + decoder.flush()
    counters = decoder.counters
    assert counters.packets == len(records) == len(SENT)
    assert (counters.bad_checksum, counters.damaged, counters.discontinuities) == (2, 1, 1)
    assert counters.ts_packets == len(ts)
    assert counters.passed_over + sum(len(r.raw) for r in records) == sum(map(len, SENT)) - 184
