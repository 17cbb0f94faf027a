"""The timing of a recording whose clock is missing, late, stopped or wrong: PTS, item 2, a fixed rate."""

from __future__ import annotations

from itertools import pairwise

import feed
import pytest
from cases import each_case
from hypothesis import given, settings
from hypothesis import strategies as st
from test_source_replay import data_of, due_of, paced, slices_of

from klvrelay.decoder import Decoder
from klvrelay.recordings import timeline, ts_clock

TAPE = feed.recording(count=120, hz=30, filler=3)
SECURITY = bytes.fromhex("060e2b34020301010e01030302000000") + b"\x03\x01\x01\x01"


def packets_of(data):
    return [data[at : at + 188] for at in range(0, len(data), 188)]


def is_pcr(packet):
    return packet[3] & 0x20 and packet[4] > 6 and packet[5] & 0x10


def with_pcr(data, of):
    """The PCR packets changed by `of(number, ticks)`: other ticks, or None to remove them."""
    made, number = [], 0
    for packet in packets_of(data):
        if is_pcr(packet):
            ticks = of(number, int.from_bytes(packet[6:10]) << 1 | packet[10] >> 7)
            number += 1
            if ticks is None:
                continue
            packet = packet[:6] + (ticks >> 1).to_bytes(4) + bytes([(ticks & 1) << 7 | 0x7E]) + packet[11:]
        made.append(packet)
    return b"".join(made)


def without_pts(data):
    """The PTS become stuffing."""
    return data.replace(b"\x84\x80\x05", b"\x84\x00\x05")


def without_time(data):
    """Item 2 becomes an unknown item; the checksums are wrong then."""
    return data.replace(b"\x02\x08\x00\x04", b"\x7e\x08\x00\x04")


NO_PCR = with_pcr(TAPE.ts, lambda number, ticks: None)
CLOCKS = {
    "PCR": (TAPE.ts, "PCR"),
    "no PCR": (NO_PCR, "PTS"),
    "no PCR, no PTS": (without_pts(NO_PCR), "item 2"),
    "PCR comes late": (with_pcr(TAPE.ts, lambda number, ticks: ticks if number >= 60 else None), "PCR"),
    "PCR stops": (with_pcr(TAPE.ts, lambda number, ticks: ticks if number < 40 else None), "PTS"),
    "PCR stops, no PTS": (without_pts(with_pcr(TAPE.ts, lambda n, ticks: ticks if n < 40 else None)), "item 2"),
    "PCR pauses": (with_pcr(TAPE.ts, lambda number, ticks: ticks if not 30 < number < 90 else None), "PCR"),
    "PCR stands still": (with_pcr(TAPE.ts, lambda number, ticks: 900_000), "PTS"),
    "PCR stands still from a second on": (with_pcr(TAPE.ts, lambda n, ticks: min(ticks, 990_000)), "PTS"),
    "PCR leaps": (with_pcr(TAPE.ts, lambda number, ticks: (number * 0x1234_5678 * 7) % (1 << 33)), "PTS"),
    "PCR goes back": (with_pcr(TAPE.ts, lambda number, ticks: 90_000_000 - ticks), "PTS"),
}


@each_case("kind", CLOCKS)
@each_case("quantum", [0.0003, 0.005])
def test_a_recording_takes_its_duration_whatever_its_clock_does(quantum, kind):
    """Its four seconds, within half a second at each packet; nothing is lost, and time does not go back."""
    data, by = CLOCKS[kind]
    clock = ts_clock.TsClock(quantum)

    slices = slices_of(clock, data)

    assert data_of(slices) == data
    assert all(sooner <= later for (sooner, _), (later, _) in pairwise(slices))
    for number in range(0, 120, 10):
        assert due_of(slices, TAPE.klv[number]) == pytest.approx(number / 30, abs=0.5)
    assert slices[-1][0] == pytest.approx(4.0, abs=0.5)
    assert clock.by == by


@each_case("kind", CLOCKS)
def test_it_is_paced_evenly(kind):
    """No second of it is sent at once."""
    data, _ = CLOCKS[kind]
    slices = slices_of(ts_clock.TsClock(0.005), data)

    for begin in range(4):
        size = sum(len(part) for due, part in slices if begin <= due < begin + 1)
        assert size < 0.45 * len(data)


@pytest.mark.parametrize("kind", CLOCKS)
@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 90_000), max_size=8))
def test_the_pieces_do_not_affect_the_timing(kind, cuts):
    """Whatever their sizes."""
    data, _ = CLOCKS[kind]
    cuts = sorted({cut for cut in cuts if cut < len(data)})

    slices, at_once = slices_of(ts_clock.TsClock(0.005), data, cuts), slices_of(ts_clock.TsClock(0.005), data)

    assert data_of(slices) == data
    assert slices[-1][0] == pytest.approx(at_once[-1][0], abs=0.1)


def test_decoding_order_does_not_affect_the_timing():
    """B pictures have a PTS before that of the previous packet."""
    mux, ts = feed._Mux(), b""
    order = [0, 4, 2, 1, 3]
    for group in range(24):
        for place in order:
            ts += mux.tables() + mux.pes(SECURITY, 900_000 + 3000 * (5 * group + place)) + mux.null() * 5

    slices = slices_of(ts_clock.TsClock(0.005), ts)

    assert slices[-1][0] == pytest.approx(4.0, abs=0.3)


def test_pauses_of_the_whole_stream_stay_pauses():
    """Five seconds without data while the clock continues, repeatedly."""
    parts = [feed.recording(count=30, first_pcr=900_000 + 90_000 * 6 * number, filler=3).ts for number in range(6)]
    clock = ts_clock.TsClock(0.005)

    slices = slices_of(clock, b"".join(parts))

    assert slices[-1][0] == pytest.approx(31.0, abs=0.1)
    assert clock.by == "PCR"


@pytest.mark.parametrize("every", [1, 7])
def test_a_clock_that_leaps_ahead_is_dropped(every):
    """By five seconds at once, while PTS continues normally: after three leaps it is ignored."""
    data = with_pcr(TAPE.ts, lambda number, ticks: ticks + 450_000 * (number // every))
    clock = ts_clock.TsClock(0.005)

    slices = slices_of(clock, data)

    assert data_of(slices) == data
    assert slices[-1][0] == pytest.approx(4.0 + 3 * 5.0, abs=1.0)
    assert clock.by == "PTS"


def test_a_clock_with_rare_stamps_is_used():
    """Every other second: it advances by as much as the other clocks together."""
    data = with_pcr(
        TAPE.ts + feed.recording(count=600, first_pcr=900_000 + 360_000, filler=3).ts,
        lambda number, ticks: ticks if number % 60 == 0 else None,
    )
    clock = ts_clock.TsClock(0.005)

    slices = slices_of(clock, data)

    assert slices[-1][0] == pytest.approx(24.0, abs=0.5)
    assert clock.by == "PCR"


def test_mpeg_ts_without_any_time_goes_at_a_fixed_rate():
    """Neither a flood nor a stop."""
    data = without_time(without_pts(NO_PCR)) * 20
    clock = ts_clock.TsClock(0.005)

    slices = slices_of(clock, data, range(65_536, len(data), 65_536))

    assert data_of(slices) == data
    assert slices[-1][0] == pytest.approx(len(data) * 8 / ts_clock.RATE, rel=0.01)
    assert clock.by == "rate"


def test_a_time_that_comes_after_a_megabyte_is_followed():
    """The fixed rate ends at the first time that advances."""
    null = b"\x47\x1f\xff\x10" + bytes(184)
    clock = ts_clock.TsClock(0.005)

    slices = slices_of(clock, null * 12_000 + TAPE.ts, range(65_536, 12_000 * 188, 65_536))

    begin = due_of(slices, TAPE.klv[0])
    assert begin == pytest.approx(12_000 * 188 * 8 / ts_clock.RATE, rel=0.02)
    assert slices[-1][0] - begin == pytest.approx(4.0, abs=0.5)
    assert clock.by == "PCR"


@pytest.mark.parametrize("packet", [SECURITY, TAPE.klv[0]], ids=["no item 2", "item 2 stands still"])
def test_bare_klv_without_an_advancing_time_is_no_flood(packet):
    """Thirty a second, except for the first few."""
    clock = timeline.KlvClock()

    slices = slices_of(clock, packet * 308)

    assert slices[-1][0] == pytest.approx(10.0, abs=0.1)
    assert clock.by == "rate"


def test_packets_without_a_time_do_not_affect_the_timing():
    """A security set after each ST 0601 set."""
    clock = timeline.KlvClock()

    slices = slices_of(clock, b"".join(packet + SECURITY for packet in TAPE.klv))

    assert slices[-1][0] == pytest.approx(119 / 30, abs=0.01)
    assert clock.by is None


def test_a_truncated_time_stamp_is_ignored():
    """Its last bytes are in the next TS packet."""
    whole = TAPE.klv[0]

    assert timeline.precision_time(whole) == feed.FIRST_TIME
    assert timeline.precision_time(whole[: whole.index(b"\x02\x08") + 9]) is None


@pytest.mark.parametrize(
    ("name", "data", "line"),
    [
        ("a.ts", NO_PCR, "no clock (PCR) in it: paced by its presentation times (PTS)"),
        ("b.ts", without_pts(NO_PCR), "no clock (PCR) and no PTS in it: paced by the time stamps of its KLV (item 2)"),
        ("c.ts", without_time(without_pts(NO_PCR)), "no usable time stamps in it: paced at a fixed rate"),
        ("d.klv", SECURITY * 30, "no usable time stamps in it: paced at a fixed rate"),
        ("e.ts", TAPE.ts, None),
        ("f.klv", TAPE.bare, None),
    ],
)
async def test_a_replacement_clock_is_logged_once(name, data, line, tmp_path, monkeypatch, said):
    """Only where the recording's own clock is not used; not in each round of a loop."""
    path = tmp_path / name
    path.write_bytes(data)

    got = await paced(path, monkeypatch, most=3000, loop=True)

    assert sum(not packet.data for _, packet in got) >= 1
    assert said() == ([f"{path}: {line}"] if line else [])


async def test_klvonly_is_replayed_in_two_seconds(shared, monkeypatch):
    """A TS of KLV alone, without PCR and PTS, whose records are 33 ms apart."""
    got = await paced(shared / "cases" / "klvonly.ts", monkeypatch, speed=1)
    decoder = Decoder("test", None)
    when = [at for at, packet in got for _ in decoder.feed(packet)]

    assert len(when) >= 58
    assert when[-1] - when[0] == pytest.approx(2.0, abs=0.2)
    assert max(later - sooner for sooner, later in pairwise(when)) < 0.1


@pytest.mark.parametrize("name", ["aphill_klv_10s.ts", "h264_klv.ts", "osh_sample_stream.ts"])
def test_real_recordings_are_paced_by_their_clock(name, shared):
    """From its first value to its last, whatever else they contain."""
    data = (shared / "data" / name).read_bytes()
    clock = ts_clock.TsClock(0.005)
    clocked = [packet for packet in packets_of(data) if is_pcr(packet)]
    first, last = (int.from_bytes(packet[6:10]) << 1 | packet[10] >> 7 for packet in (clocked[0], clocked[-1]))

    slices = slices_of(clock, data, range(65_536, len(data), 65_536))

    assert clock.by == "PCR"
    assert due_of(slices, clocked[-1]) == pytest.approx((last - first) / 90_000, abs=0.01)
