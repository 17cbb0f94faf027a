"""The messages between an isolated source and the relay: any cut is reassembled; invalid ones are refused."""

from __future__ import annotations

import random
import struct
from dataclasses import fields, replace
from operator import itemgetter

import feed
import orjson
import pytest
from cases import each_of

from klvrelay.core import Counters, Lane
from klvrelay.errors import ConfigError, NotMedia, SourceDown, SourceError
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet, Units
from klvrelay.sources.isolated.messages import MOST, SMALL, UNITS_MOST, End, MalformedMessage, Status
from klvrelay.sources.isolated.pack import pack, pack_end, pack_status
from klvrelay.sources.isolated.unpack import PIDS_MOST, Unpacker

TAPE = feed.recording(40)
ENTRIES = Lane(ts=True).packets(TAPE.ts, 1_700_000_000_000_000)
PACKETS = [
    Packet(TAPE.ts, 1_700_000_000_000_001),
    Packet(b"", None, damaged=True),
    Packet(TAPE.klv[0], None, "klv", (1 << 33) - 1, 0),
    Packet(TAPE.klv[1], 0, "klv", 0, (1 << 31) - 1, True, 65535, 3),
    Packet(random.Random(1).randbytes(3 * SMALL)),
    Units(ENTRIES),
    Units([]),
    Units([(TAPE.klv[0][:30], None, None, "ST0601", "bad", "damaged", None, None, 7, 5)]),
    Packet(memoryview(b"end"), 5),
]


def sent(packets) -> bytes:
    return b"".join(piece for packet in packets for piece in pack(packet))


def received(unpacker: Unpacker, data: bytes, cut=lambda: SMALL) -> list[Packet | Units]:
    """All packets of `data`, passed in pieces of at most `cut()` octets."""
    found, at = [], 0
    while at < len(data):
        room = unpacker.buffer()
        piece = data[at : at + min(len(room), cut())]
        room[: len(piece)] = piece
        at += len(piece)
        found += unpacker.unpack(len(piece))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_messages_are_reassembled_from_any_cut(seed):
    """Every field of packets and units, and their order."""
    choice = random.Random(seed)
    most = 10 ** (1 + seed)

    found = received(Unpacker(), sent(PACKETS), lambda: choice.randint(1, most))

    assert len(ENTRIES) == 40
    assert found == PACKETS


def test_bytes_of_more_than_a_message_come_in_several():
    """A loss that was marked is marked once."""
    data = random.Random(2).randbytes(MOST + 5)

    found = received(Unpacker(), sent([Packet(data, 7, damaged=True)]))

    assert b"".join(packet.data for packet in found) == data
    assert [packet.damaged for packet in found] == [True, False]
    assert {packet.received_us for packet in found} == {7}


def test_many_units_come_in_several_messages():
    """No message of units is larger than the other side takes."""
    entries = ENTRIES * 200
    data = sent([Units(entries)])

    found = received(Unpacker(), data)

    assert len(data) > 2 * UNITS_MOST
    assert [entry for units in found for entry in units.entries] == entries


def test_a_status_is_transferred_with_every_count():
    """All counters of a link and its lane."""
    counted = {name: number for number, name in enumerate(Counters._fields, 1)}
    link = LinkStats(lane=Counters(**counted), srt_rtt_ms=1.5)
    for number, f in enumerate(fields(LinkStats), 100):
        if isinstance(getattr(link, f.name), int):
            link = replace(link, **{f.name: number})
    status = Status(True, False, 1 << 40, link)
    unpacker = Unpacker()

    assert received(unpacker, pack_status(Status(False, True, 0, LinkStats())) + pack_status(status)) == []

    assert unpacker.status == status


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(SourceDown, SourceDown), (NotMedia, NotMedia), (ConfigError, ConfigError), (SourceError, SourceDown)],
)
def test_the_end_has_its_reason(fault, kind):
    """With the kind of error, and a text on one line and of bounded length."""
    unpacker = Unpacker()

    received(unpacker, pack_end(fault("it\nbroke\x1b[2J" + "x" * 5000)))

    assert type(unpacker.end.fault) is kind
    assert str(unpacker.end.fault).startswith("it\\nbroke\\x1b[2Jxxx")
    assert len(str(unpacker.end.fault)) <= 1000


def test_a_clean_end_has_no_error():
    unpacker = Unpacker()

    received(unpacker, sent(PACKETS[:2]) + pack_end(None))

    assert unpacker.end == End(None)


def test_data_after_the_end_is_ignored():
    """However much arrives: it is neither stored nor parsed."""
    unpacker = Unpacker()
    received(unpacker, pack_end(None))

    assert received(unpacker, sent(PACKETS) + bytes(3 * SMALL)) == []
    assert len(unpacker.buffer()) == SMALL


def message(kind: bytes, payload: bytes) -> bytes:
    return struct.pack("<cI", kind, len(payload)) + payload


def unit(*, raw: bytes = TAPE.klv[0], size: int | None = None, pts: int = 0, pid: int = 1, received: int = 5,
         pcr: int = 0, program: int = 1, checksum: int = 1, transport: int = 0,
         name: bytes = b"ST0601") -> bytes:  # fmt: skip
    length = len(raw) if size is None else size
    fixed = struct.pack(
        "<IqqqqqBBBB", length, pts, pid, received, pcr, program, checksum, transport, 0, len(name)
    )  # fmt: skip
    return message(b"U", fixed + name + raw)


def status(**changes: object) -> bytes:
    plain = orjson.loads(pack_status(Status(True, False, 0, LinkStats()))[5:])
    return message(b"S", orjson.dumps(plain | changes))


def link(**changes: object) -> dict[str, object]:
    return orjson.loads(orjson.dumps(LinkStats(), default=Counters._asdict)) | changes


ODD = {
    "no kind": message(b"X", b""),
    "too large a packet": struct.pack("<cI", b"P", MOST + 1),
    "too large a unit": struct.pack("<cI", b"U", MOST),
    "too large a status": struct.pack("<cI", b"S", SMALL),
    "an incomplete packet": message(b"P", bytes(24)),
    "a flag that is none": message(b"P", struct.pack("<qqqqBB", -1, -1, -1, -1, 4, 0)),
    "a pts of 34 bits": message(b"P", struct.pack("<qqqqBB", -1, 1 << 33, -1, -1, 0, 0)),
    "a unit of a pid of 14 bits": message(b"U", unit(pid=1 << 13)),
    "a pid of 32 bits": message(b"P", struct.pack("<qqqqBB", -1, -1, 1 << 31, -1, 0, 0)),
    "a program of 17 bits": message(b"P", struct.pack("<qqqqBB", -1, -1, -1, 1 << 16, 0, 0)),
    "a listing that is none": message(b"P", struct.pack("<qqqqBB", -1, -1, -1, -1, 0, 8)),
    "an arrival after the year 9999": message(b"P", struct.pack("<qqqqBB", 1 << 60, -1, -1, -1, 0, 0)),
    "an arrival before 1970": message(b"P", struct.pack("<qqqqBB", -2, -1, -1, -1, 0, 0)),
    "more streams than there are": b"".join(
        message(b"P", struct.pack("<qqqqBB", -1, -1, pid, -1, 1, 0)) for pid in range(PIDS_MOST + 1)
    ),
    "an incomplete unit": message(b"U", bytes(10)),
    "a unit that is cut": unit(size=len(TAPE.klv[0]) + 1),
    "a unit without a length": unit(raw=TAPE.klv[0][:16]),
    "a unit of an odd length": unit(raw=TAPE.klv[0][:16] + b"\x80" + bytes(9)),
    "a unit larger than any": unit(raw=TAPE.klv[0][:16] + bytes(1_100_000)),
    "a set that is none": unit(name=b"../../etc"),
    "a checksum that is none": unit(checksum=4),
    "a transport that is none": unit(transport=2),
    "a clock of 34 bits": unit(pcr=1 << 33),
    "a status that is not JSON": message(b"S", b"{"),
    "a status that is a bomb": message(b"S", b"[" * 60_000),
    "a status of another form": message(b"S", b"[]"),
    "a status with more": status(more=1),
    "dropped is a text": status(dropped="1"),
    "dropped is a truth": status(dropped=True),
    "dropped is huge": status(dropped=(1 << 64) - 1),
    "dropped is larger than JSON keeps": status(dropped=1 << 53),
    "dropped is less than nothing": status(dropped=-1),
    "a count that is larger than JSON keeps": status(link=link(rtp_lost=1 << 53)),
    "a count that is less than nothing": status(link=link(size=-1)),
    "a count of the lane that is": status(link=link(lane=link()["lane"] | {"packets": 1 << 53})),
    "a count with a fraction": status(link=link(size=0.5)),
    "a measure that is less than nothing": status(link=link(srt_rtt_ms=-0.5)),
    "a measure beyond all": status(link=link(srt_rtt_ms=1e300)),
    "a measure that is a truth": status(link=link(srt_rtt_ms=True)),
    "too long a mark": struct.pack("<cI", b"M", SMALL),
    "live is a number": status(live=1),
    "no link": status(link=None),
    "a link with more": status(link=link(more=1)),
    "a count that is a text": status(link=link(size="1")),
    "a measure that is a list": status(link=link(srt_rtt_ms=[1])),
    "no lane": status(link=link(lane=5)),
    "an end of no kind": message(b"E", b"Zwhy"),
    "an end without a text": message(b"E", b"D"),
    "a clean end with a text": message(b"E", b".why"),
}


@each_of(list(ODD.items()), itemgetter(0))
def test_messages_that_no_source_sends_are_refused(odd):
    """A compromised process cannot make the relay store, believe or run such a message."""
    good = Unpacker()
    received(good, unit() + status() + sent(PACKETS))
    assert good.status is not None

    with pytest.raises(MalformedMessage):
        received(Unpacker(), odd[1])


def test_an_invalid_size_is_refused_before_memory_is_allocated_for_it():
    """The room for the next octets never grows beyond one message."""
    unpacker = Unpacker()

    received(unpacker, struct.pack("<cI", b"P", MOST))

    assert len(unpacker.buffer()) <= MOST


@each_of(range(200))
def test_damaged_messages_are_rejected_or_packets(seed):
    """Whatever octets come, there are packets of the right types, or MalformedMessage, and never another error."""
    choice = random.Random(seed)
    data = bytearray(sent(PACKETS[1:4] + PACKETS[5:]) + status() + pack_end(NotMedia("why")))
    for _ in range(choice.randint(1, 8)):
        data[choice.randrange(len(data))] = choice.randrange(256)
    unpacker = Unpacker()

    try:
        found = received(unpacker, bytes(data), lambda: choice.randint(1, 2000))
    except MalformedMessage:
        return
    assert all(isinstance(packet, Packet | Units) for packet in found)


def test_the_end_has_the_time_to_wait():
    """A server's Retry-After is passed through the process; at most ten minutes."""
    for wait, heard in ((0.0, 0), (7.0, 7), (9e9, 600)):
        unpacker = Unpacker()
        data = pack_end(SourceDown("busy", wait=wait))
        unpacker.buffer()[: len(data)] = data
        unpacker.unpack(len(data))
        assert unpacker.end is not None
        assert isinstance(unpacker.end.fault, SourceDown)
        assert (str(unpacker.end.fault), unpacker.end.fault.wait) == ("busy", heard)
