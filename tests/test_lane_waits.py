"""A packet without a checksum waits for later TS packets, whose counters would show a loss; unknown keys must have the
form of keys, and count after a loss where they fill a PES packet.

`test_impaired.py` has random damage, `test_lane.py` the multiplexer.
"""

from __future__ import annotations

from itertools import product

import pytest
from cases import each_case
from packet_wrapping import ber, local_set, packet
from test_lane import ASYNC, KLV_PID, KLVA, NULL, PMT_PID, Wire, klv_packet, raws

from klvrelay.core import Lane
from klvrelay.decoder import Decoder
from klvrelay.record import Packet, Record

VIDEO_PID, SECOND_PID = 0x100, 0x102
US = 1_700_000_000_000_000
CONFIRMATIONS = 8


def unsummed(number: int, size: int = 500) -> bytes:
    return packet("ST0102", local_set([(1, bytes([number])), (200, bytes([97 + number]) * size)]))


def unknown(number: int, size: int = 30, key: str = "060e2b340203010f0102030405060708") -> bytes:
    return bytes.fromhex(key) + ber(size) + bytes([number]) * size


class Feed:
    """A lane after its tables, fed one TS packet at a time."""

    def __init__(self, *pids: int) -> None:
        self.wire, self.lane = Wire(), Lane(ts=True)
        ts = self.wire.tables(*[(ASYNC, pid, KLVA) for pid in pids or (KLV_PID,)], (0x1B, VIDEO_PID, b""))
        self.lane.packets(b"".join([*ts, *self.video(4)]))

    def video(self, count: int) -> list[bytes]:
        return self.wire.carry(VIDEO_PID, b"v" * 184 * count)

    def __call__(self, *ts: bytes, us: int | None = None) -> list[bytes]:
        return [entry[0] for one in ts for entry in self.lane.packets(one, us)]

    def verdicts(self, *ts: bytes) -> list[tuple[bytes, str]]:
        return [(entry[0], entry[5]) for one in ts for entry in self.lane.packets(one)]

    def rest(self) -> list[tuple[bytes, str]]:
        self.lane.cut()
        return self.verdicts(b"")


def test_it_is_output_with_the_eighth_packet_after_it() -> None:
    """Of any PID; stuffing does not count. A set with a checksum is output with its last one."""
    feed, sent = Feed(), unsummed(1)
    assert feed(*feed.wire.pes(sent, pts=9)) == []
    assert feed(*feed.video(CONFIRMATIONS - 2), *[NULL] * 20) == []
    assert feed(*feed.wire.carry(0, b"\xff" * 184)) == []
    assert feed(*feed.video(1)) == [sent]
    summed = klv_packet(1, 500)
    assert feed(*feed.wire.pes(summed, pts=10)) == [summed]


def test_a_set_in_one_ts_packet_does_not_wait() -> None:
    """No misplaced packet can be a part of it."""
    feed, sent = Feed(), unsummed(1, 90)
    assert feed(*feed.wire.pes(sent, pts=9)) == [sent]


def test_it_waits_no_longer_than_50_ms() -> None:
    """By arrival time, where known; the packet that arrives then does not count."""
    feed, sent = Feed(), unsummed(1)
    assert feed(*feed.wire.pes(sent, pts=9), us=US) == []
    assert feed(NULL, us=US + 50_000) == []
    assert feed(NULL, us=US + 50_001) == [sent]


def test_packets_of_its_own_pid_count_and_it_has_the_times_of_its_end() -> None:
    """A stream of KLV alone: each is output with its own PTS and the time of its last byte, in order."""
    feed, sent = Feed(), [unsummed(n) for n in range(6)]
    found = []
    for n, one in enumerate(sent):
        for part in feed.wire.pes(one, pts=100 * n):
            found += feed.lane.packets(part, US + 1000 * n)
    assert [entry[0] for entry in found] == sent[: len(found)]
    assert len(found) >= 3
    assert [(entry[1], entry[6]) for entry in found] == [(100 * n, US + 1000 * n) for n in range(len(found))]
    assert feed.rest() == [(one, "ok") for one in sent[len(found) :]]


@pytest.mark.parametrize("place", range(CONFIRMATIONS + 1))
def test_an_error_in_the_packets_after_it_makes_it_damaged(place: int) -> None:
    """On another PID, up to the eighth packet; a later fault belongs to the next one."""
    feed, sent = Feed(), unsummed(1)
    video = feed.video(CONFIRMATIONS + 4)
    found = feed.verdicts(*feed.wire.pes(sent, pts=9), *video[:place], *video[place + 2 :]) + feed.rest()
    assert found == [(sent, "damaged" if place < CONFIRMATIONS else "ok")]


def test_two_waiting_packets_are_released_by_the_same_packet() -> None:
    """Of two PIDs."""
    feed = Feed(KLV_PID, SECOND_PID)
    sent = [unsummed(1), unsummed(2)]
    parts = [feed.wire.pes(one, pid, pts=9) for one, pid in zip(sent, (KLV_PID, SECOND_PID), strict=True)]
    mixed = [part for both in zip(*parts, strict=True) for part in both]
    video = feed.video(CONFIRMATIONS)
    assert feed(*mixed, *video[:-2]) == []
    assert sorted(feed(*video[-2:])) == sorted(sent)


def test_several_of_one_pes_packet_come_together() -> None:
    """They wait once, not one after the other, and all have its PTS."""
    feed, sent = Feed(), [unsummed(n, 300) for n in range(5)]
    assert feed(*feed.wire.pes(b"".join(sent), pts=7), *feed.video(CONFIRMATIONS - 1)) == []
    entries = feed.lane.packets(feed.video(1)[0])
    assert [(entry[0], entry[1]) for entry in entries] == [(one, 7) for one in sent]


def test_a_pid_that_is_no_longer_listed_stops_waiting() -> None:
    """Its packet is discarded, and later data on the PID is new."""
    feed, sent = Feed(), unsummed(2)
    assert feed(*feed.wire.pes(unsummed(1), pts=9)) == []
    other = feed.wire.tables((0x1B, VIDEO_PID, b""), version=1)
    back = feed.wire.tables((ASYNC, KLV_PID, KLVA), (0x1B, VIDEO_PID, b""), version=2)
    assert feed(*other, *feed.video(20), *back, *feed.wire.pes(sent, pts=10)) == []
    assert feed(*feed.video(CONFIRMATIONS)) == [sent]


def test_a_pes_packet_older_than_the_one_before_a_gap_is_damaged() -> None:
    """It was late or repeated: its bytes may be of two packets. The wrap of the PTS is no step back."""
    feed = Feed()
    old = feed.wire.pes(unsummed(0), pts=(1 << 33) - 10)
    new = feed.wire.pes(unsummed(1), pts=5)
    assert feed.verdicts(*old, *feed.video(9)) == [(unsummed(0), "ok")]
    assert feed.verdicts(*new, *feed.video(9)) == [(unsummed(1), "ok")]
    assert feed.verdicts(*old, *feed.video(9)) == [(unsummed(0), "damaged")]


CATEGORIES = {"0203": True, "0201": True, "0205": True, "0253": True, "0101": True, "0302": True, "0401": True}
NONE = {"0206": False, "020f": False, "0200": False, "0001": False, "0501": False, "0100": False, "8203": False}


@each_case(("designator", "counts"), [*CATEGORIES.items(), *NONE.items()])
def test_an_unknown_key_must_have_the_form_of_a_key(designator: str, counts: bool) -> None:
    """SMPTE ST 336: a category, and for a group its coding; no high bit in these octets."""
    sent = [klv_packet(1), unknown(7, key=f"060e2b34{designator}01010102030405060708"), klv_packet(2)]
    decoder = Decoder("uav1", None)
    found = raws(decoder.feed(Packet(b"".join(sent), carriage="klv")) + decoder.flush())
    assert found == (sent if counts else [sent[0], sent[2]])


@each_case("head", range(4, 16))
def test_a_key_cut_off_by_a_stray_packet_is_no_unknown_one(head: int) -> None:
    """The TS packet ends within a key, and an old one with a matching counter continues: in text, one in thousands has
    a matching length.
    """
    feed = Feed()
    first = klv_packet(1)
    body = first + klv_packet(2)[:head]
    *_, part = feed.wire.carry(KLV_PID, b"\0\0\1\xbd\0\0\x84\0\0".ljust(193 - len(body), b"\0") + body)[:1]
    stray = feed.wire.carry(KLV_PID, b"\x0fTitle of a mission, page 2 of 20".ljust(184, b"\x20"))[0]
    stray = stray[:1] + bytes([stray[1] & 0xBF]) + stray[2:]
    good = [raw for raw, verdict in feed.verdicts(part, stray, *feed.video(20)) + feed.rest() if verdict == "ok"]
    assert set(good) <= {first}


@pytest.mark.parametrize("count", [1, 2])
def test_after_a_loss_an_unknown_key_counts_where_it_fills_its_pes_packet(count: int) -> None:
    """A stream without known keys is not lost for good; where it has more than one key, none counts."""
    feed = Feed()
    sent = [unknown(n, 300) for n in range(6)]
    pes = [feed.wire.pes(one * count, pts=9 * n) for n, one in enumerate(sent)]
    del pes[1][1]
    found = feed.verdicts(*[part for parts in pes for part in [*parts, *feed.video(9)]]) + feed.rest()
    good = [raw for raw, verdict in found if verdict == "ok"]
    assert good == ([sent[0], *sent[2:]] if count == 1 else sent[:1] * 2)


@pytest.mark.parametrize("length", ["80", "8f", "8500000001", "84ffffffff", "8400200000", "830100"])
def test_after_a_loss_an_impossible_length_does_not_count(length: str) -> None:
    """Indefinite, of too many bytes, beyond the limits, or truncated: the following bytes are searched again."""
    feed = Feed()
    sent = [unknown(n, 300) for n in range(4)]
    wrong = bytes.fromhex("060e2b340203010f0102030405060708" + length)
    pes = [feed.wire.pes(one, pts=9 * n) for n, one in enumerate([*sent[:2], wrong, *sent[2:]])]
    del pes[1][1]
    found = feed.verdicts(*[part for parts in pes for part in [*parts, *feed.video(9)]]) + feed.rest()
    assert [raw for raw, verdict in found if verdict == "ok"] == [sent[0], *sent[2:]]


def test_a_unit_after_a_damaged_one_may_arrive_byte_by_byte() -> None:
    """Its key and its length too: the beginning of the next one shows whether it is filled."""
    lane, sent = Lane(ts=False), unknown(1, 600)
    lane.mark(9, 1, None, 0, True)
    lane.packets(unknown(2, 40)[:30])
    lane.mark(9, 1, None, 0, False)
    assert [lane.packets(sent[at : at + 1]) for at in range(len(sent))] == [[]] * len(sent)

    lane.mark(9, 1, None, 0, False)
    assert [(entry[0], entry[5]) for entry in lane.packets(sent)] == [(sent, "ok")] * 2


def unit(data: bytes, *, damaged: bool = False) -> Packet:
    return Packet(data, carriage="klv", pts=9, pid=1, damaged=damaged)


def test_after_a_damaged_unit_an_unknown_key_counts_where_it_fills_the_next() -> None:
    """RTP carries one unit per packet: the next one is valid, whatever its key; a short or long one is not."""
    decoder = Decoder("uav1", None)
    sent = [unknown(n, 6000) for n in range(5)]
    short, long = sent[2][:-1], sent[3] + b"\0"
    units = [unit(sent[0]), unit(sent[1][:400], damaged=True), unit(short), unit(long), unit(sent[4]), unit(sent[0])]
    records: list[Record] = [record for one in units for record in decoder.feed(one)] + decoder.flush()
    assert [record.raw for record in records if record.good] == [sent[0], sent[4], sent[0]]


def test_no_unit_of_other_bytes_counts_after_a_damaged_one() -> None:
    """Every beginning of a key but a whole one, and lengths off by one."""
    for off, octet in product((-1, 0, 1), range(16)):
        decoder = Decoder("uav1", None)
        data = bytearray(unknown(1, 40))
        data[octet] ^= 0x80
        data[16] += off
        records = [r for one in (unit(b"\0" * 9, damaged=True), unit(bytes(data))) for r in decoder.feed(one)]
        records += decoder.flush()
        whole = off == 0 and octet >= 8
        assert [record.raw for record in records if record.good] == [bytes(data)] * whole, (off, octet)


def test_the_pmt_pid_is_no_stream_of_klv() -> None:
    """Tables between parts of a set count as any other TS packets, and their own gap is counted once."""
    feed, sent = Feed(), [unsummed(1), unsummed(2)]
    first, second = feed.wire.pes(sent[0], pts=1), feed.wire.pes(sent[1], pts=2)
    feed.wire.counters[PMT_PID] += 3
    late = feed.wire.tables((ASYNC, KLV_PID, KLVA), (0x1B, VIDEO_PID, b""))
    del first[1]
    video = feed.video(9)
    found = feed.verdicts(*first, *second, *late, *video) + feed.rest()
    assert [raw for raw, verdict in found if verdict == "ok"] == [sent[1]]
