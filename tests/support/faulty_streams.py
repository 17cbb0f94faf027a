"""The table of streams that the probe must diagnose: the fault, how to make it, the expected first line."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from probe_streams import METADATA, START_US, STD, Mux, asynchronous, good, klv_only, record
from stream_edits import (
    ERROR,
    SCRAMBLED,
    VIDEO_PID,
    as_type,
    carrying,
    drop,
    edited,
    freeze_counter,
    impaired,
    in_pes_head,
    longer,
    packets,
    relisted,
    sample,
    with_junk,
    without_klv,
)
from test_lane import ASYNC, KLV_PID, KLVA, NULL, PMT_PID, SYNC, Wire, cell

GOOD, NO_KLV, WARNINGS, ERRORS = 0, 4, 6, 7


class Row(NamedTuple):
    """One stream.

    fault what is wrong with the stream
    make     its bytes
    line regular expression for the start of the probe's first line
    advice start of its advice
    code     exit code of `probe`
    said error of `decode` and `replay` where there is no KLV; they exit with `code` too
    """

    fault: str
    make: Callable[[], bytes]
    line: str
    advice: str
    code: int
    said: str = ""


_THERE = r"30\.\d records/s of ST 0601\.19 on PID 0x101, all 60 checksums right"
_USABLE = rf"Usable: {_THERE}; but "
_ALL_THERE = rf"KLV found \({_THERE}\), but "
_SOME = r"KLV found \(.*\), but "


def _beside(*streams: tuple[int, int, bytes], make: Callable[[Wire, int], list[bytes]]) -> bytes:
    """A valid KLV stream without video, and another kind of data on another PID."""
    wire, parts = Wire(), []
    for number in range(60):
        if number % 3 == 0:
            parts += wire.tables((SYNC, KLV_PID, METADATA + STD), *streams)
        parts += wire.pes(cell(good(number), number), pts=900_000 + number * 3000, sid=0xFC) + make(wire, number)
    return b"".join(parts)


def _summed_wrong(number: int) -> bytes:
    packet = good(number)
    return packet[:-1] + bytes([packet[-1] ^ 0x55])


def _slow(*steps: int) -> bytes:
    seconds = [sum(steps[:n]) for n in range(len(steps) + 1)]
    return klv_only(record(n, time_us=START_US + at * 1_000_000) for n, at in enumerate(seconds))


_WIRE = Wire()


def _private_stream_2(number: int) -> list[bytes]:
    tables = _WIRE.tables((ASYNC, KLV_PID, KLVA)) if number % 3 == 0 else []
    data = good(number)
    return tables + _WIRE.carry(KLV_PID, b"\0\0\1\xbf" + len(data).to_bytes(2) + data)


def _id3(number: int) -> bytes:
    return b"ID3\x04\0\0\0\0\0\x12PRIV\0\0\0\x08\0\0com.x\0\0\0"


def _text(number: int) -> bytes:
    return f"lat 56.1{number:04} lon 9.4 alt 900".encode()


ID3 = b"\x26\x0d\xff\xffID3 \xffID3 \0\x0f"

ROWS = (
    # ---- healthy: no fault reported ----
    Row("nothing, synchronous", sample, rf"Good: {_THERE}\.$", "", GOOD),
    Row("nothing, asynchronous", lambda: sample("async"), rf"Good: {_THERE}\.$", "", GOOD),
    Row("nothing, packets of 192 bytes",
        lambda: b"".join(bytes(4) + packet for packet in packets(sample())), rf"Good: {_THERE}\.$", "", GOOD),
    Row("nothing, each KLV packet twice, as may be",
        lambda: edited(sample(), lambda packet: 2 * packet, KLV_PID), rf"Good: {_THERE}\.$", "", GOOD),
    Row("nothing, timed ID3 on a separate PID",
        lambda: _beside((SYNC, 0x102, ID3), make=lambda wire, n: wire.pes(_id3(n), 0x102, pts=n * 3000, sid=0xBD)),
        rf"{_USABLE}program 1 has no PCR", "Configure the multiplexer to send PCRs", WARNINGS),
    Row("nothing, bare KLV", lambda: klv_only(good(n) for n in range(60)),
        r"Good: 30\.0 records/s of ST 0601\.19, all 60 checksums right\.$", "", GOOD),
    Row("nothing, bare KLV that comes seldom", lambda: _slow(10, 12, 11, 9, 13, 33, 10, 7, 29, 20),
        r"Good: a record every 15\.4 s of ST 0601\.19, all 11 checksums right\.$", "", GOOD),
    Row("nothing, bare KLV once an hour", lambda: _slow(*[3600] * 8), r"Good: a record every", "", GOOD),
    Row("nothing, a burst too short for a rate",
        lambda: klv_only(record(n, time_us=START_US + 200 * n) for n in range(5)),
        r"Good: 5 records of ST 0601\.19, all 5 checksums right\.$", "", GOOD),
    # ---- no KLV comes out ----
    Row("KLV scrambled", lambda: edited(sample(), SCRAMBLED, KLV_PID),
        r"No KLV in [\d,]+ bytes: the KLV is scrambled \(all \d+ packets\)", "Send the metadata in the clear", NO_KLV,
        "the KLV is scrambled"),
    Row("all of it scrambled", lambda: edited(sample(), SCRAMBLED),
        r"No KLV in [\d,]+ bytes: the stream is scrambled", "Send the metadata in the clear", NO_KLV,
        "the stream is scrambled"),
    Row("every packet marked as damaged", lambda: edited(sample(), ERROR),
        r"No KLV in [\d,]+ bytes: all [\d,]+ TS packets are marked as damaged", "A receiver before this one", NO_KLV,
        "are marked as damaged (transport_error_indicator)"),
    Row("every KLV packet marked as damaged", lambda: edited(sample(), ERROR, KLV_PID),
        r"No KLV in [\d,]+ bytes: all \d+ KLV packets are marked as damaged", "A receiver before this one", NO_KLV,
        "are marked as damaged (transport_error_indicator)"),
    Row("video alone", lambda: relisted(edited(sample(), drop, KLV_PID), without_klv),
        r"No KLV in [\d,]+ bytes; the source contains: H\.264 video on PID 0x100\.$", "Switch metadata on", NO_KLV,
        "no KLV key is on any PID that may carry KLV. Switch metadata on"),
    Row("KLV announced, none sent", lambda: edited(sample(), drop, KLV_PID),
        r"No KLV in [\d,]+ bytes: the tables declare KLV on PID 0x101, but no packet was received",
        "Check that the encoder's metadata input", NO_KLV, "no KLV key is on any PID that may carry KLV"),
    Row("text under a KLVA label", lambda: carrying(sample("async"), _text),
        r"No KLV in [\d,]+ bytes: PID 0x101 is labelled as KLV but carries text", "Check that the encoder", NO_KLV,
        "no complete KLV packet on the PID that is labelled as KLV"),
    Row("JSON under a KLVA label", lambda: carrying(sample("async"), lambda n: b'{"lat": 56.1, "lon": 9.4}'),
        r"No KLV in [\d,]+ bytes: PID 0x101 is labelled as KLV but carries JSON", "Check that the encoder", NO_KLV,
        "no complete KLV packet on the PID that is labelled as KLV"),
    Row("timed ID3 under a KLVA label", lambda: carrying(sample("async"), _id3),
        r"No KLV in [\d,]+ bytes: PID 0x101 is labelled as KLV but carries ID3 tags", "Check that the encoder", NO_KLV,
        "no complete KLV packet on the PID that is labelled as KLV"),
    Row("zeros under a KLVA label", lambda: carrying(sample("async"), lambda n: bytes(60)),
        r"No KLV in [\d,]+ bytes: the tables declare KLV on PID 0x101, but no KLV packet was received",
        "Check that the encoder's metadata input", NO_KLV,
        "no complete KLV packet on the PID that is labelled as KLV"),
    Row("private data that is no KLV",
        lambda: relisted(carrying(sample("async"), lambda n: b"\x20\x00\x0f" + bytes(30)), as_type(ASYNC, b"")),
        r"No KLV in [\d,]+ bytes: the private data in it has no KLV key", "See what the encoder sends", NO_KLV,
        "the private data in it has no KLV key"),
    Row("a key in noise", lambda: bytes(range(256)) * 9 + good(0)[:4] + bytes(range(256)) * 9,
        r"No KLV in 4,612 bytes: 4,612 bytes received, but no complete KLV packet\.$", "See that it is KLV", NO_KLV,
        "4,612 bytes received, but no complete KLV packet"),
    Row("stuffing alone", lambda: NULL * 500, r"No KLV in 94,000 bytes: no PAT received", "Let the multiplexer", NO_KLV,
        "no PAT received"),
    Row("video without any table",
        lambda: b"".join(p for p in packets(sample()) if p[1:3] == b"\x41\x00" or p[1:3] == b"\x01\x00"),
        r"No KLV in [\d,]+ bytes: no PAT received", "Let the multiplexer send the PAT", NO_KLV, "no PAT received"),
    Row("PES packets that end within the key",
        lambda: edited(sample("async"), in_pes_head(4, lambda _: b"\0\x08", 2), KLV_PID),
        r"No KLV in [\d,]+ bytes: the PES_packet_length is too short by [\d,]+ bytes in all 60 PES packets",
        "The multiplexer writes a wrong PES_packet_length", NO_KLV, "no complete KLV packet"),
    # ---- labels and tables ----
    Row("no PAT", lambda: edited(sample(), drop, 0), rf"{_ALL_THERE}no PAT",
        "Configure the multiplexer to send the PAT", ERRORS),
    Row("no PMT", lambda: edited(sample(), drop, PMT_PID), rf"{_ALL_THERE}no PMT of program 1",
        "Configure the multiplexer to send the PMT", ERRORS),
    Row("PMT with a wrong CRC", lambda: relisted(sample(), list, crc=1), rf"{_ALL_THERE}no PMT of program 1",
        "Tables arrive damaged", ERRORS),
    Row("KLV that no PMT lists", lambda: relisted(sample(), without_klv),
        rf"{_ALL_THERE}KLV on PID 0x101, which is in no PMT", "Add the stream to the PMT", ERRORS),
    Row("KLV called SCTE-35", lambda: relisted(sample(), as_type(0x86)),
        rf"{_ALL_THERE}KLV on PID 0x101 is declared as stream type 0x86", "Declare it as stream type", ERRORS),
    Row("KLV called a private type", lambda: relisted(sample("async"), as_type(0xF0, b"")),
        rf"{_ALL_THERE}KLV on PID 0x101 is declared as stream type 0xF0", "Declare it as stream type", ERRORS),
    Row("KLV registered as something else", lambda: relisted(sample("async"), as_type(ASYNC, b"\x05\x04ABCD")),
        rf"{_ALL_THERE}KLV on PID 0x101 is declared as stream type 0x06 with registration ABCD",
        "Declare it as stream type", ERRORS),
    Row("no registration", lambda: relisted(sample("async"), as_type(ASYNC, b"")),
        rf"{_USABLE}no KLVA registration", "Add a registration_descriptor", WARNINGS),
    Row("0x15 without AU cells", lambda: relisted(sample("async"), as_type(SYNC, METADATA + STD)),
        rf"{_ALL_THERE}stream type 0x15 without AU cells", "With stream type 0x15", ERRORS),
    Row("0x06 with AU cells", lambda: relisted(sample(), as_type(ASYNC, KLVA)),
        rf"{_USABLE}labels that contradict each other", "Set the PES stream_id to 0xBD", WARNINGS),
    Row("KLV in private_stream_2, which has no PES header",
        lambda: b"".join(p for n in range(60) for p in _private_stream_2(n)),
        r"Usable: .*60 checksums right; but labels that contradict each other: .* PES stream_id 0xBF", "Set the PES",
        WARNINGS),
    # ---- PES lengths ----
    Row("PES lengths ten bytes short", lambda: edited(sample("async"), longer(-10), KLV_PID),
        rf"{_SOME}the PES_packet_length is too short by 10 bytes in (all 60|59 of 60) PES packets",
        "The multiplexer writes a wrong PES_packet_length", ERRORS),
    Row("PES lengths a byte short", lambda: edited(sample("async"), longer(-1), KLV_PID),
        rf"{_SOME}the PES_packet_length is too short by 1 byte in", "The multiplexer writes a wrong", ERRORS),
    Row("PES lengths ten bytes long", lambda: edited(sample("async"), longer(10), KLV_PID),
        rf"Good: {_THERE}\.$", "", GOOD),
    # ---- the link ----
    Row("datagrams lost", lambda: impaired(sample(), "loss=5%,seed=3"),
        r".*gaps? in KLV: at least \d+ packets? lost", "Packets were lost in transit", WARNINGS),
    Row("KLV packets lost", lambda: impaired(sample(), f"loss=20%,level=ts,pid={KLV_PID},seed=5"),
        rf"{_SOME}\d+ gaps in KLV", "Packets were lost in transit", ERRORS),
    Row("video packets lost", lambda: impaired(sample(), f"loss=2%,level=ts,pid={VIDEO_PID},seed=5"),
        rf"{_USABLE}\d+ gaps? in H\.264 video", "Packets were lost in transit", WARNINGS),
    Row("packets in another order", lambda: impaired(sample(), "reorder=5%,level=ts,seed=4"),
        r".*gaps? in", "Packets were lost", ERRORS),
    Row("bits flipped in KLV", lambda: impaired(sample(), f"flip=10%,bits=3,level=ts,pid={KLV_PID},seed=9"),
        r"KLV found .*the checksum is wrong in \d+ of \d+ records", "Bytes were changed in transit", ERRORS),
    Row("a fifth of the KLV marked as damaged", lambda: edited(sample(), ERROR, KLV_PID, every=5),
        rf"{_SOME}\d+ packets marked as damaged by an upstream receiver", "An upstream receiver", ERRORS),
    Row("junk between packets", lambda: with_junk(sample(), 38), r".*packet sync lost",
        "Bytes were lost or added", WARNINGS),
    Row("a KLV counter that stands", lambda: edited(sample(), freeze_counter, KLV_PID),
        r".*the continuity counter of KLV does not increment",
        "The multiplexer must increment the counter", ERRORS),
    # ---- the records ----
    Row("checksums of wrong bytes", lambda: Mux(packets=_summed_wrong).bytes(),
        r"KLV found \(.* 0 of 60 checksums right\), but the checksum is wrong in all 60 records",
        "The encoder computes the checksum", ERRORS),
    Row("a recording that ends within a packet", lambda: klv_only(good(n) for n in range(60))[:-20],
        r"Good: 30\.\d records/s of ST 0601\.19, all 59 checksums right, 1 damaged", "", GOOD),
    Row("one packet, cut short", lambda: good(0)[:-20],
        r"KLV found \(1 record of ST 0601, damaged\), but the recording ends within its only packet",
        "The last record is incomplete", ERRORS),
    Row("a packet cut short among others",
        lambda: klv_only([*(good(n) for n in range(30)), good(30)[:-20], *(good(n) for n in range(31, 60))]),
        r"Usable: 30\.\d records/s of ST 0601\.19, all 59 checksums right, 1 damaged; but 1 of 60 records truncated",
        "Bytes are missing inside", WARNINGS),
    Row("an encoder that cuts its packets",
        lambda: asynchronous(packets=lambda n: good(n)[: -20 if n % 5 == 4 else None]).bytes(),
        rf"{_SOME}11 of 60 records truncated or running into the next", "The transport lost nothing", ERRORS),
    Row("time in nanoseconds",
        lambda: Mux(packets=lambda n: record(n, time_us=(START_US + n * 33_333) * 1000)).bytes(),
        rf"{_ALL_THERE}item 2 is in nanoseconds", "Item 2 must be in microseconds", ERRORS),
    Row("no security set", lambda: asynchronous(packets=lambda n: record(n, {"security_local_set": None})).bytes(),
        rf"{_USABLE}no security metadata", "Every stream must carry", WARNINGS),
    Row("checksums wrong on a second PID",
        lambda: _beside((ASYNC, 0x201, KLVA), make=lambda wire, n: wire.pes(_summed_wrong(n), 0x201)),
        r"KLV found \(.* on PID 0x101, all 60 checksums right, and 1 other stream of records\), but the checksum is"
        r" wrong in all 60 records \(PID 0x201, ST 0601\)", "The encoder computes", ERRORS),
)  # fmt: skip
