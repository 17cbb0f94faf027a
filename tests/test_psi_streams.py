"""What a program's map says of its streams: which of them are read as KLV, and for how long.

Next door: `test_psi.py` has the tables as such, `test_lane.py` the muxer.
"""

from __future__ import annotations

import struct

import pytest
from test_lane import ASYNC, KLV_PID, KLVA, NULL, PMT_PID, all_good, decoded, klv_packet
from test_psi import KLV, PAT, SENT, VIDEO, Tables, pmt, section, version

from klvrelay.klv import Decoder
from klvrelay.record import Packet


@pytest.mark.parametrize(
    "others",
    [b"\x0a\x04eng\0", b"\x05\x03KLV", b"\x05\x00", b"\x09\x04\x06\x00\xe3\x00\x05\x04KLVA"[:6], b"\xff\x00"],
)
def test_a_registration_may_stand_behind_other_descriptors(others: bytes) -> None:
    """Language, a registration too short to be one, an empty one: KLVA behind them counts."""
    all_good(Tables().good(pmt(VIDEO, (ASYNC, KLV_PID, others + KLVA))), SENT)


@pytest.mark.parametrize("registration", [b"\x05\x04AC-3", b"\x05\x06Opus\0\0", b"\x05\x04klva"])
def test_what_is_registered_as_something_else_is_not_looked_into(registration: bytes) -> None:
    """Audio under type 0x06, though a key may be seen in it."""
    assert Tables().good(pmt((ASYNC, KLV_PID, registration))) == []


@pytest.mark.parametrize("descriptors", [b"\x05\x05KLVA", b"\x05\xffKLVA", b"\x0a\x09eng\0\x05\x04KLVA", b"\x05"])
def test_a_descriptor_that_is_cut_off_names_nothing(descriptors: bytes) -> None:
    """One that says more bytes than its stream has: a private stream like any other, known by the key in it."""
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


def test_program_descriptors_are_passed_over() -> None:
    """Whatever they are, KLVA among them; if they run past the table, it names nothing."""
    all_good(Tables().good(pmt(KLV, info=b"\x05\x04KLVA\x0e\x03\xc0\0\0")), SENT)
    whole = pmt(KLV)
    assert Tables().good(section(2, whole[3:10] + b"\xf0\xff" + whole[12:-4])) == []


def test_of_nine_klv_streams_eight_are_read() -> None:
    """The ninth is, in the map that follows the one that drops another."""
    wire, pids = Tables(), range(0x201, 0x20A)
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt(*((ASYNC, pid, KLVA) for pid in pids)))
    ts += [packet for pid in pids for packet in wire.pes(klv_packet(pid), pid)]
    for number, kept in enumerate((pids[1:8], pids[1:]), start=1):
        ts += wire.carry(PMT_PID, b"\0" + pmt(*((ASYNC, pid, KLVA) for pid in kept), flags=version(number)))
    ts += [packet for pid in pids for packet in wire.pes(klv_packet(pid), pid)]
    records = decoded(ts)
    all_good(records, [klv_packet(pid) for pid in [*pids[:8], *pids[1:]]])


def test_a_ninth_private_stream_with_a_key_in_it_is_not_read() -> None:
    """Streams that nobody called KLV have the same eight places."""
    wire, pids = Tables(), range(0x201, 0x20A)
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt(*((ASYNC, pid, b"") for pid in pids)))
    records = decoded(ts + [packet for pid in pids for packet in wire.pes(klv_packet(pid), pid)])
    all_good(records, [klv_packet(pid) for pid in pids[:8]])


def test_a_private_stream_known_by_its_key_stays_known() -> None:
    """A new version of the map that says as little of it as before: its packet in the middle is not cut."""
    wire = Tables()
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt((ASYNC, KLV_PID, b"")))
    begin, *rest = wire.pes(klv_packet(1, 600))
    ts += [begin, *wire.carry(PMT_PID, b"\0" + pmt(VIDEO, (ASYNC, KLV_PID, b""), flags=version(1))), *rest]
    all_good(decoded(ts + wire.klv()), [klv_packet(1, 600), *SENT])


def test_what_a_dropped_stream_held_is_counted() -> None:
    """The map drops KLV in the middle of a packet: its bytes are passed over, to the byte."""
    wire, decoder = Tables(), Decoder("uav1", None)
    begin = wire.pes(klv_packet(1, 600))[0]
    ts = wire.carry(0, b"\0" + PAT) + wire.carry(PMT_PID, b"\0" + pmt(KLV)) + [begin]
    ts += wire.carry(PMT_PID, b"\0" + pmt(VIDEO, flags=version(1))) + wire.klv() + [NULL] * 4

    assert decoder.feed(Packet(b"".join(ts))) + decoder.flush() == []
    assert decoder.counters.passed_over == len(begin) - 4 - 9
