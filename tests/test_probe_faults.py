"""Each deliberate fault of a sender or a link: the probe reports that one, and no other."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from probe_streams import (
    HZ,
    ITEMS,
    KLVA,
    METADATA,
    START_US,
    STD,
    VIDEO_PID,
    Mux,
    asynchronous,
    findings_of,
    good,
    klv_only,
    noted,
    probed,
    raw,
    record,
)
from test_lane import ASYNC, KLV_PID, NULL, SYNC, Wire, cell

CODES = {"error": 7, "warning": 6}


def pid_of(ts: bytes) -> int:
    return int.from_bytes(ts[1:3]) & 0x1FFF


def on(pid: int, edit, every: int = 1):  # type: ignore[no-untyped-def]
    """A change of each (or every so-many-th) packet of one PID; one that becomes None is lost."""
    seen = [0]

    def change(number: int, packets: list[bytes]) -> list[bytes]:
        out = []
        for ts in packets:
            if pid_of(ts) == pid:
                seen[0] += 1
                ts = edit(ts) if seen[0] % every == 0 else ts
            out += [ts] if ts is not None else []
        return out

    return change


def marked(byte: int, bits: int):  # type: ignore[no-untyped-def]
    return lambda ts: ts[:byte] + bytes([ts[byte] | bits]) + ts[byte + 1 :]


def spoilt(packet: bytes) -> bytes:
    return packet[:-1] + bytes([packet[-1] ^ 0x55])


CARRIAGE = {
    "type 0x06 with stream id 0xFC": (asynchronous(stream_id=0xFC, pts=True), {"stream_id": "warning"}),
    "type 0x15 with stream id 0xBD": (Mux(stream_id=0xBD), {"stream_id": "warning"}),
    "type 0x15 without cells": (Mux(cells=False), {"cells_missing": "error"}),
    "type 0x06 with cells": (asynchronous(cells=True), {"cells_unexpected": "warning"}),
    "no registration": (asynchronous(descriptors=b""), {"not_registered": "warning"}),
    "another registration": (asynchronous(descriptors=b"\x05\x04ABCD"),
                             {"klv_mislabelled": "error", "not_registered": "warning"}),
    "no metadata descriptor": (Mux(descriptors=STD), {"not_described": "warning"}),
    "another metadata format": (Mux(descriptors=METADATA.replace(b"KLVA", b"ABCD") + STD),
                                {"not_described": "warning"}),
    "no metadata std descriptor": (Mux(descriptors=METADATA), {}),
    "no PTS in synchronous": (Mux(pts=False), {"pts_missing": "warning"}),
    "a PTS in asynchronous": (asynchronous(pts=True), {}),
    "PES without length": (asynchronous(sized=False), {"pes_unsized": "warning"}),
    "KLV in no PMT": (Mux(listed=False), {"klv_not_listed": "error"}),
    "KLV called SCTE-35": (Mux(kind=0x86), {"klv_mislabelled": "error"}),
    "KLV behind its PTS": (Mux(klv_ahead=-45_000), {"klv_late": "warning"}),
    "KLV two seconds before its picture": (Mux(klv_ahead=180_000), {"klv_beside_video": "warning"}),
    "KLV a minute before its PTS": (Mux(klv_ahead=20 * 90_000), {"klv_late": "warning", "klv_beside_video": "warning"}),
    "scrambled KLV": (
        Mux(change=on(KLV_PID, marked(3, 0x80))),
        {"no_klv": "error", "scrambled": "error"},
    ),
    "a lost cell": (Mux(skip=(), packets=good, change=lambda n, ts: [t for t in ts if n != 20 or pid_of(t) != KLV_PID]),
                    {"cell_gap": "warning", "continuity": "warning"}),
}  # fmt: skip

TRANSPORT = {
    "no PAT": (Mux(pat=False), {"no_pat": "error", "klv_not_listed": "error"}),
    "no PMT": (Mux(pmt=False), {"no_pmt": "error", "klv_not_listed": "error"}),
    "rare tables": (Mux(count=90, tables_every=20), {"rare_table": "warning"}),
    "no PCR": (Mux(pcr_every=1000, change=on(VIDEO_PID, lambda ts: None if ts[3] & 0x30 == 0x20 else ts)),
               {"no_pcr": "warning"}),
    "rare PCR": (Mux(pcr_every=6), {"rare_pcr": "warning"}),
    "lost video": (Mux(change=on(VIDEO_PID, lambda ts: None if ts[3] & 0x10 else ts, 20)), {"continuity": "warning"}),
    "packets marked as damaged": (Mux(change=on(VIDEO_PID, marked(1, 0x80), 50)),
                                  {"transport_error": "warning"}),
    "a counter that stands": (Mux(change=on(VIDEO_PID, lambda ts: ts[:3] + bytes([ts[3] & 0xF0]) + ts[4:])),
                              {"counter_stands": "warning"}),
    "junk between packets": (Mux(change=lambda n, ts: [*ts, b"\0junk"] if n == 30 else ts), {"sync_lost": "warning"}),
    "tables with a wrong CRC": (Mux(change=on(0, lambda ts: ts[:-1] + bytes([ts[-1] ^ 1]), 7)),
                                {"bad_table": "warning"}),
}  # fmt: skip

CONTENT = {
    "every checksum wrong": (lambda n: spoilt(good(n)), {"checksum_bad": "error"}),
    "one checksum wrong of many": (lambda n: spoilt(good(n)) if n == 40 else good(n), {"checksum_bad": "error"}),
    "no checksum": (lambda n: raw(b"\x02\x08" + bytes(8) + b"\x41\x01\x13", checksum=False),
                    {"checksum_missing": "error", "minimum_set": "warning", "security_missing": "warning",
                     "time_implausible": "error", "time_repeated": "warning"}),
    "no time": (lambda n: record(n, {"precision_time_stamp": None}), {"time_missing": "error"}),
    "no version": (lambda n: record(n, {"uas_datalink_ls_version_number": None}), {"version_missing": "warning"}),
    "version 200": (lambda n: record(n, {"uas_datalink_ls_version_number": 200}), {"version_odd": "warning"}),
    "no security set": (lambda n: record(n, {"security_local_set": None}), {"security_missing": "warning"}),
    "no frame center": (lambda n: record(n, {"frame_center_latitude": None}), {"minimum_set": "warning"}),
    "position 0, 0": (lambda n: record(n, {"sensor_latitude": 0, "sensor_longitude": 0}), {"position_zero": "warning"}),
    "position never known": (lambda n: record(n, {"sensor_latitude": b"\x80\0\0\0"}), {"no_number": "warning"}),
    "a text as number": (lambda n: record(n, {"slant_range": b"\1\2\3"}), {"item_length": "warning"}),
    "a broken set": (lambda n: record(n, {"security_local_set": b"\x01\x20\x01"}), {"set_malformed": "error"}),
    "time in nanoseconds": (lambda n: record(n, time_us=(START_US + n * 33_333) * 1000), {"time_unit": "error"}),
    "time in milliseconds": (lambda n: record(n, time_us=(START_US + n * 33_333) // 1000), {"time_unit": "error"}),
    "time in seconds": (lambda n: record(n, time_us=START_US // 1_000_000),
                        {"time_unit": "error", "time_repeated": "warning"}),
    "a clock that was never set": (lambda n: record(n, time_us=5_000_000 + n * 33_333), {"time_implausible": "error"}),
    "a clock of the year 2060": (lambda n: record(n, time_us=2_840_140_800_000_000 + n * 33_333),
                                 {"time_future": "warning"}),
    "a clock that is set": (lambda n: record(n, time_us=START_US + n * 33_333 + (3_000_000 if n > 30 else 0)),
                            {"time_jumps": "warning"}),
    "a clock that is set back": (lambda n: record(n, time_us=START_US + n * 33_333 - (3_000_000 if n > 30 else 0)),
                                 {"time_jumps": "warning", "time_backwards": "warning"}),
    "two records of each instant": (lambda n: good(n // 2 * 2), {}),
}  # fmt: skip


def judged(data: bytes, wanted: dict[str, str], folder: Path) -> None:
    report = probed(data, folder)

    assert findings_of(report) == wanted
    worst = "error" if "error" in wanted.values() else "warning" if wanted else None
    expected = 4 if "no_klv" in wanted else CODES.get(worst or "", 0)
    assert report.verdict.exit_code == expected
    assert all(finding.hint and finding.what and finding.where for finding in report.findings)
    assert all(finding.clause for finding in report.findings if finding.id not in ("broke_off", "dropped_here"))


@pytest.mark.parametrize("name", CARRIAGE)
def test_each_fault_of_carriage_is_found(name: str, tmp_path: Path):
    """What is declared compared with what is sent; no other finding."""
    mux, wanted = CARRIAGE[name]
    judged(mux.bytes(), wanted, tmp_path)


@pytest.mark.parametrize("name", TRANSPORT)
def test_each_fault_of_the_transport_is_found(name: str, tmp_path: Path):
    """Packets, tables, clocks."""
    mux, wanted = TRANSPORT[name]
    data = mux.bytes()
    if name == "a counter that stands":
        assert probed(data, tmp_path).verdict.exit_code == 6
        assert findings_of(probed(data, tmp_path)).keys() == wanted.keys()
        return
    judged(data, wanted, tmp_path)


@pytest.mark.parametrize("name", CONTENT)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_each_fault_of_the_records_is_found(name: str, kind: str, tmp_path: Path):
    """In every carriage."""
    packets, wanted = CONTENT[name]
    mux = Mux(packets=packets) if kind == "sync" else asynchronous(packets=packets)
    judged(mux.bytes(), wanted, tmp_path)


@pytest.mark.parametrize("mux", [Mux(), asynchronous()], ids=["sync", "async"])
def test_a_good_stream_has_nothing_worse_than_notes(mux: Mux, tmp_path: Path):
    """Both carriages, exit code 0, and the first line says all of it."""
    report = probed(mux.bytes(), tmp_path)

    assert findings_of(report) == {}
    assert report.verdict.level == "good"
    assert report.verdict.text == "Good: 30.0 records/s of ST 0601.19 on PID 0x101, all 60 checksums right."


def test_notes_do_not_change_the_exit_code(tmp_path: Path):
    """They are information only."""
    changes = {150: b"\1", "platform_pitch_angle": 1.0, "platform_pitch_angle_full": None}
    report = probed(asynchronous(pts=True, packets=lambda n: record(n, changes)).bytes(), tmp_path)

    assert {"pts_in_async", "unknown_items", "superseded", "frames_unstamped"} <= noted(report)
    assert report.verdict.exit_code == 0


def test_a_few_bad_checksums_in_many_are_a_warning(tmp_path: Path):
    """One in 300: the link, not the encoder; the hint says so."""
    report = probed(Mux(count=300, packets=lambda n: spoilt(good(n)) if n == 7 else good(n)).bytes(), tmp_path)

    finding = next(finding for finding in report.findings if finding.id == "checksum_bad")
    assert (finding.severity, finding.count) == ("warning", 1)
    assert "in transit" in finding.hint


def test_order_of_items_1_and_2(tmp_path: Path):
    """Item 2 after others, item 1 before one: both are reported, and the checksum is still checked."""
    items = b"".join(bytes([tag, 2, 1, 1]) for tag in (5, 16, 17))
    odd = raw(items + b"\x02\x08" + START_US.to_bytes(8) + b"\x41\x01\x13")
    report = probed(klv_only([odd] * 5), tmp_path)
    assert findings_of(report)["time_not_first"] == "warning"

    body = b"\x02\x08" + START_US.to_bytes(8) + b"\x41\x01\x13\x01\x02\0\0\x05\x02\1\1"
    report = probed(klv_only([raw(body, checksum=False)] * 5), tmp_path)
    assert {"checksum_not_last", "checksum_bad"} <= findings_of(report).keys() | {"checksum_bad"}


def test_repeated_items(tmp_path: Path):
    """An item twice in one packet."""
    body = b"\x02\x08" + START_US.to_bytes(8) + b"\x05\x02\1\1\x05\x02\2\2\x41\x01\x13"
    report = probed(klv_only([raw(body)] * 3), tmp_path)
    assert findings_of(report)["item_repeated"] == "warning"


def test_gaps_in_the_records(tmp_path: Path):
    """A second without records, twice, by PTS and by arrival: how long, and when."""
    skip = (*range(60, 90), *range(150, 200))
    for mux in (Mux(count=240, skip=skip), asynchronous(count=240, skip=skip[:30])):
        report = probed(mux.bytes(), tmp_path)
        finding = next(finding for finding in report.findings if finding.id == "rate_irregular")
        assert finding.severity == "warning"
        assert report.klv[0].gaps == (2 if mux.kind == SYNC else 1)
        assert report.klv[0].intervals.high == pytest.approx(51 / HZ if mux.kind == SYNC else 31 / HZ, abs=0.05)


def test_a_drift_between_picture_and_metadata(tmp_path: Path):
    """Records that gain 500 ppm on their PTS over 20 s; 20 ppm is a crystal, and no finding."""

    def stream(ppm: float) -> bytes:
        def packet(number: int) -> bytes:
            return record(number, time_us=START_US + round(number * 1_000_000 / HZ * (1 + ppm * 1e-6)))

        return Mux(count=20 * HZ, packets=packet).bytes()

    drifting, steady = probed(stream(500), tmp_path), probed(stream(20), tmp_path)

    assert findings_of(drifting) == {"time_drift": "warning"}
    assert drifting.klv[0].times.references[0].drift_ppm == pytest.approx(500, abs=1)
    assert findings_of(steady) == {}
    assert steady.klv[0].times.references[0].drift_ppm == pytest.approx(20, abs=1)


def test_a_pts_that_wraps_is_no_jump(tmp_path: Path):
    """33 bits wrap in the middle: the count continues, with a note."""
    report = probed(Mux(first_pts=(1 << 33) - 90_000).bytes(), tmp_path)

    assert findings_of(report) == {}
    assert "pts_wrap" in noted(report)
    assert report.klv[0].times.pts_wraps == 1
    assert report.seconds == pytest.approx(2, abs=0.1)


def test_a_recording_joined_from_two(tmp_path: Path):
    """Clock, PTS and time jump together: each is reported, and the duration is that of both."""
    report = probed(Mux().bytes() + Mux(first_pts=50_000_000, packets=lambda n: record(n + 90_000)).bytes(), tmp_path)

    assert {"pcr_jump", "pts_jumps"} <= findings_of(report).keys()
    assert report.seconds == pytest.approx(4, abs=0.2)


def test_two_klv_streams_are_separate(tmp_path: Path):
    """A second PID with other records: both are in the report, each finding at its place."""
    wire, parts = Wire(), []
    for number in range(30):
        parts += wire.tables((SYNC, KLV_PID, METADATA + STD), (ASYNC, 0x201, b"")) if number % 5 == 0 else []
        parts += wire.pes(cell(record(number), number), pts=number * 3000, sid=0xFC)
        parts += wire.pes(spoilt(record(number)), 0x201)
    report = probed(b"".join(parts), tmp_path)

    assert {stream.pid for stream in report.klv} == {KLV_PID, 0x201}
    places = {finding.id: finding.where for finding in report.findings}
    assert places["checksum_bad"] == "PID 0x201, ST 0601"
    assert places["not_registered"] == "PID 0x201"


def test_a_record_above_the_packet_limit_is_reported(tmp_path: Path):
    """The decoder skips it, and only this finding explains why. With a larger limit it is accepted."""
    huge = raw(b"\x02\x08" + START_US.to_bytes(8), checksum=False)[:16] + b"\x83\x01\x80\x00" + bytes(98_304)
    wire = Wire()
    ts = wire.tables((ASYNC, KLV_PID, KLVA))
    for number in range(5):
        ts += wire.pes(record(number)) + wire.pes(huge, sized=False)
    assert findings_of(probed(b"".join(ts), tmp_path, packet_limit=65_536))["too_large"] == "error"
    assert "too_large" not in findings_of(probed(b"".join(ts), tmp_path))


def test_records_damaged_in_transit(tmp_path: Path):
    """A TS packet is lost inside long records: their number, and an error since they are many."""

    def long(number: int) -> bytes:
        return record(number, {150: bytes(range(200)) * 2})

    report = probed(Mux(packets=long, change=on(KLV_PID, lambda ts: None, 12)).bytes(), tmp_path)

    assert findings_of(report)["records_damaged"] == "error"
    assert report.klv[0].damaged > 5
    assert "continuity" in findings_of(report)


def test_unknown_and_legacy_sets_are_notes(tmp_path: Path):
    """An unknown key, and EG 0104."""
    strange = bytes.fromhex("060e2b34020b01010e0103017f000000")
    data = klv_only([record(n) + raw(b"\1\1\1", key=strange, checksum=False) for n in range(5)])
    report = probed(data, tmp_path)

    assert "unknown_set" in noted(report)
    assert {stream.set for stream in report.klv} == {"ST0601", f"key {strange.hex()}"}


def test_items_that_come_too_seldom(tmp_path: Path):
    """Every 40 s, where 30 is the maximum."""
    rare: dict[str | int, object] = {"platform_call_sign": "K1"}
    packets = [record(n, rare if n % 40 == 0 else None, time_us=START_US + n * 1_000_000) for n in range(90)]
    report = probed(klv_only(packets), tmp_path)

    assert "slow_items" in noted(report)
    assert "Call Sign" in next(f.what for f in report.findings if f.id == "slow_items")
    assert report.clock == "item 2"


def test_a_stream_of_stuffing_and_noise_is_no_klv(tmp_path: Path):
    """Null packets only: exit code 4, and the line says what the stream has."""
    report = probed(NULL * 500, tmp_path)

    assert report.verdict.exit_code == 4
    assert "only tables and stuffing" in report.verdict.text


@pytest.mark.parametrize("seed", range(6))
def test_garbage_raises_no_error(seed: int, tmp_path: Path):
    """Bits flipped, packets lost, repeated, truncated: always a report."""
    noise = random.Random(seed)
    data = bytearray(Mux(count=40).bytes())
    for _ in range(noise.choice((10, 200, 3000))):
        data[noise.randrange(len(data))] ^= 1 << noise.randrange(8)
    del data[noise.randrange(len(data)) :: noise.choice((1000, 50_000))]

    report = probed(bytes(data), tmp_path)

    assert report.verdict.exit_code in (0, 4, 6, 7)


def test_every_item_of_st_0902_is_checked(tmp_path: Path):
    """Each missing item of the minimum set is reported."""
    kept = {"uas_datalink_ls_version_number", "security_local_set"}
    packets = [record(n, {key: None for key in ITEMS if key not in kept}) for n in range(5)]
    report = probed(klv_only(packets), tmp_path)

    finding = next(finding for finding in report.findings if finding.id == "minimum_set")
    assert finding.count == 16
