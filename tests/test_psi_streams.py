"""Programs and their PMTs: which streams are read as KLV, and for how long."""

from __future__ import annotations

import struct

import pytest
from test_lane import ASYNC, KLV_PID, KLVA, NULL, PMT_PID, SYNC, all_good, decoded, klv_packet
from test_psi import KLV, PAT, SENT, VIDEO, Tables, pat, pmt, section, version

from klvrelay.decoder import Decoder
from klvrelay.record import Packet


def test_klv_of_every_program_is_read() -> None:
    """Five programs, each with its PMT and its KLV; program 0 is the network's and no PMT."""
    wire, programs = Tables(), {number: 0x1000 + number for number in range(1, 6)}
    ts = wire.carry(0, b"\0" + pat((0, 0x10), *programs.items()))
    for number, pid in programs.items():
        ts += wire.carry(pid, b"\0" + pmt((ASYNC, 0x200 + number, KLVA), program=number))
    ts += wire.carry(0x10, b"\0" + pmt((ASYNC, 0x333, KLVA)))
    for number in programs:
        ts += wire.pes(klv_packet(number), 0x200 + number) + wire.pes(klv_packet(99), 0x333)
    records = decoded(ts)
    all_good(records, [klv_packet(number) for number in programs])
    assert [record.pid for record in records] == [0x200 + number for number in programs]


def test_programs_may_share_the_pid_of_their_pmts() -> None:
    """program_number distinguishes the PMTs, in separate packets or in one: none ends another's streams."""
    maps = [
        pmt((ASYNC, 0x201, KLVA), program=1),
        pmt(VIDEO, program=2),
        pmt((SYNC, 0x203, b""), program=3),
        pmt((ASYNC, 0x204, b""), program=4),
    ]
    for together in (False, True):
        wire, sent = Tables(), []
        ts = wire.carry(0, b"\0" + pat(*((number, PMT_PID) for number in range(1, 5))))
        for number in range(20):
            for table in [b"".join(maps)] if together else maps:
                ts += wire.carry(PMT_PID, b"\0" + table)
            sent.append(klv_packet(number, 200))
            ts += wire.pes(sent[-1], (0x201, 0x203, 0x204)[number % 3])
        all_good(decoded(ts), sent)


def test_the_streams_of_a_program_end_with_it() -> None:
    """A PAT without the program, and the next PMT of another: its KLV is not read any more, the other's is."""
    wire, moved = Tables(), version(1)
    ts = wire.carry(0, b"\0" + pat((1, PMT_PID), (2, 0x1234)))
    ts += wire.carry(PMT_PID, b"\0" + pmt(KLV)) + wire.carry(0x1234, b"\0" + pmt((ASYNC, 0x222, KLVA), program=2))
    ts += wire.klv(SENT[:2]) + wire.klv(SENT[2:3], 0x222)
    ts += wire.carry(0, b"\0" + pat((2, 0x1234), flags=moved))
    ts += wire.carry(0x1234, b"\0" + pmt((ASYNC, 0x222, KLVA), program=2, flags=moved))
    ts += wire.klv() + wire.klv(SENT[3:], 0x222)
    all_good(decoded(ts), SENT)


def test_of_twelve_programs_the_first_eight_are_followed() -> None:
    """More PMTs are ignored, and do no harm."""
    wire, numbers = Tables(), range(1, 13)
    ts = wire.carry(0, b"\0" + pat(*((number, 0x1000 + number) for number in numbers)))
    for number in numbers:
        ts += wire.carry(0x1000 + number, b"\0" + pmt((ASYNC, 0x200 + number, KLVA), program=number))
    ts += [packet for number in numbers for packet in wire.pes(klv_packet(number), 0x200 + number)]
    all_good(decoded(ts), [klv_packet(number) for number in range(1, 9)])


@pytest.mark.parametrize(
    "others",
    [b"\x0a\x04eng\0", b"\x05\x03KLV", b"\x05\x00", b"\x09\x04\x06\x00\xe3\x00\x05\x04KLVA"[:6], b"\xff\x00"],
)
def test_a_registration_may_follow_other_descriptors(others: bytes) -> None:
    """Language, a registration that is too short, an empty one: KLVA after them counts."""
    all_good(Tables().good(pmt(VIDEO, (ASYNC, KLV_PID, others + KLVA))), SENT)


@pytest.mark.parametrize("registration", [b"\x05\x04AC-3", b"\x05\x06Opus\0\0", b"\x05\x04klva"])
def test_a_stream_registered_as_something_else_is_not_searched(registration: bytes) -> None:
    """Audio under type 0x06, though it may contain a key."""
    assert Tables().good(pmt((ASYNC, KLV_PID, registration))) == []


@pytest.mark.parametrize("descriptors", [b"\x05\x05KLVA", b"\x05\xffKLVA", b"\x0a\x09eng\0\x05\x04KLVA", b"\x05"])
def test_a_truncated_descriptor_is_ignored(descriptors: bytes) -> None:
    """A descriptor longer than its stream's loop: a private stream like any other, recognised by the key in it."""
    wire = Tables()
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt((ASYNC, KLV_PID, descriptors), VIDEO))
    ts += wire.pes(b"\x06" * 170) + wire.pes(b"\x06\x0e\x2b" * 9)
    all_good(decoded(ts + wire.klv()), SENT)


def test_a_stream_whose_descriptors_run_past_the_table_ends_the_table() -> None:
    """The streams before it are read."""
    broken = struct.pack(">BHH", ASYNC, 0xE000 | 0x222, 0xF000 | 20) + KLVA
    for rest in (broken, broken[:4], b"\x06"):
        table = pmt(KLV)
        all_good(Tables().good(section(2, table[3:-4] + rest)), SENT)


def test_program_descriptors_are_skipped() -> None:
    """Whatever they are, KLVA among them; if they exceed the table, it lists nothing."""
    all_good(Tables().good(pmt(KLV, info=b"\x05\x04KLVA\x0e\x03\xc0\0\0")), SENT)
    whole = pmt(KLV)
    assert Tables().good(section(2, whole[3:10] + b"\xf0\xff" + whole[12:-4])) == []


def test_of_nine_klv_streams_eight_are_read() -> None:
    """The ninth is, once a PMT drops another."""
    wire, pids = Tables(), range(0x201, 0x20A)
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt(*((ASYNC, pid, KLVA) for pid in pids)))
    ts += [packet for pid in pids for packet in wire.pes(klv_packet(pid), pid)]
    ts += wire.carry(PMT_PID, b"\0" + pmt(*((ASYNC, pid, KLVA) for pid in pids[1:]), flags=version(1)))
    ts += [packet for pid in pids for packet in wire.pes(klv_packet(pid), pid)]
    records = sorted(decoded(ts), key=lambda record: record.pid or 0)  # a new PID may wait for the others
    all_good(records, [klv_packet(pid) for pid in (pids[0], *(pid for pid in pids[1:8] for _ in range(2)), pids[8])])


def test_a_ninth_private_stream_with_a_key_in_it_is_not_read() -> None:
    """Unlabelled streams have the same eight places."""
    wire, pids = Tables(), range(0x201, 0x20A)
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt(*((ASYNC, pid, b"") for pid in pids)))
    records = decoded(ts + [packet for pid in pids for packet in wire.pes(klv_packet(pid), pid)])
    all_good(records, [klv_packet(pid) for pid in pids[:8]])


def test_a_private_stream_known_by_its_key_stays_known() -> None:
    """A new version of the PMT with as little about it as before: its incomplete packet is not cut."""
    wire = Tables()
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt((ASYNC, KLV_PID, b"")))
    begin, *rest = wire.pes(klv_packet(1, 600))
    ts += [begin, *wire.carry(PMT_PID, b"\0" + pmt(VIDEO, (ASYNC, KLV_PID, b""), flags=version(1))), *rest]
    all_good(decoded(ts + wire.klv()), [klv_packet(1, 600), *SENT])


def test_the_data_of_a_dropped_stream_is_counted() -> None:
    """The PMT drops KLV in the middle of a packet: its bytes are counted as skipped, exactly."""
    wire, decoder = Tables(), Decoder("uav1", None)
    begin = wire.pes(klv_packet(1, 600))[0]
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt(KLV)) + [begin]
    ts += wire.carry(PMT_PID, b"\0" + pmt(VIDEO, flags=version(1))) + wire.klv() + [NULL] * 4

    assert decoder.feed(Packet(b"".join(ts))) + decoder.flush() == []
    assert decoder.counters.passed_over == len(begin) - 4 - 9


@pytest.mark.parametrize("kind", [0x1B, 0x24, 0x0F, 0x03])
def test_a_pid_that_becomes_something_else_is_not_read_any_more(kind: int) -> None:
    """Video or audio where KLV was: none of it is searched."""
    wire, decoder = Tables(), Decoder("uav1", None)
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt(KLV)) + wire.klv(SENT[:2])
    ts += wire.carry(PMT_PID, b"\0" + pmt((kind, KLV_PID, b""), (ASYNC, 0x222, KLVA), flags=version(1)))
    ts += wire.pes(b"picture" * 99 + SENT[0]) + wire.klv(SENT[2:], 0x222) + [NULL] * 4
    all_good(decoder.feed(Packet(b"".join(ts))) + decoder.flush(), SENT)
    assert decoder.counters.passed_over == len(SENT)  # the byte before each


def test_a_stream_that_is_registered_as_something_else_later_is_not_read_any_more() -> None:
    """A private stream recognised by its key, which a new PMT calls audio."""
    wire = Tables()
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt((ASYNC, KLV_PID, b""))) + wire.klv()
    ts += wire.carry(PMT_PID, b"\0" + pmt((ASYNC, KLV_PID, b"\x05\x04AC-3"), flags=version(1))) + wire.klv(SENT[:1])
    all_good(decoded(ts), SENT)


def test_a_private_stream_that_becomes_video_is_not_searched() -> None:
    """A key in it does not count then."""
    wire = Tables()
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt((ASYNC, 0x300, b""), KLV))
    ts += wire.carry(PMT_PID, b"\0" + pmt((0x1B, 0x300, b""), KLV, flags=version(1)))
    all_good(decoded(ts + wire.klv(SENT[:1], 0x300) + wire.klv()), SENT)


@pytest.mark.parametrize("kind", [ASYNC, 0x1B])
def test_a_pmt_may_move_to_the_pid_of_a_private_stream(kind: int) -> None:
    """A program whose PMT has the PID of earlier private data, or video, is followed."""
    wire = Tables()
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt((kind, 0x300, b""), KLV)) + wire.klv(SENT[:2])
    ts += wire.carry(0, b"\0" + pat((1, 0x300), flags=version(1)))
    ts += wire.carry(0x300, b"\0" + pmt((ASYNC, 0x222, KLVA), flags=version(1))) + wire.klv(SENT[2:], 0x222)
    all_good(decoded(ts), SENT)


MEDIA = {
    *range(0x01, 0x05), *range(0x0F, 0x12), 0x1B, 0x1C, *range(0x1E, 0x26), *range(0x27, 0x2C), 0x2D, 0x2E,
    *range(0x31, 0x37), 0x42,
}  # fmt: skip
"""The stream_types of video and audio (ISO/IEC 13818-1, table 2-34)."""


@pytest.mark.parametrize("first", range(0, 0x100, 0x40))
def test_video_and_audio_are_never_searched(first: int) -> None:
    """PES packets that begin with a key are KLV under any other stream_type, whatever its registration."""
    read = set()
    for kind in range(first, first + 0x40):
        wire = Tables()
        ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt((kind, 0x300, b""), KLV))
        if decoded(ts + wire.klv(SENT[:2], 0x300)):
            read.add(kind)

    assert read == set(range(first, first + 0x40)) - MEDIA
