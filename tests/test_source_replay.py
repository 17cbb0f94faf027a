"""A file with its original timing: due times, and the loop."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from itertools import pairwise

import feed
import pytest
from hypothesis import given
from hypothesis import strategies as st

from klvrelay.decoder import Decoder
from klvrelay.recordings import timeline, ts_clock
from klvrelay.sources.files import replay
from klvrelay.sources.open import open_source

TAPE = feed.recording(count=30, hz=30, filler=5)


def slices_of(clock, data, cuts=()):
    bounds = [0, *sorted(cuts), len(data)]
    slices = [found for begin, end in pairwise(bounds) for found in clock.cut(data[begin:end])]
    return slices + list(clock.rest())


def data_of(slices):
    return b"".join(data for _, data in slices)


def due_of(slices, wanted):
    """The due time of the slice with these bytes."""
    at, whole = data_of(slices).index(wanted), 0
    for due, data in slices:
        whole += len(data)
        if whole > at:
            return due
    raise AssertionError("not in the slices")


@pytest.mark.parametrize("first_pcr", [0, 900_000, (1 << 33) - 45_000], ids=["zero", "later", "wraps"])
def test_each_byte_is_due_at_its_clock_stamp(first_pcr):
    """Packets of 30 Hz are due 33 ms apart, past the wrap of the 33 bits too."""
    tape = feed.recording(first_pcr=first_pcr, filler=5)

    slices = slices_of(ts_clock.TsClock(0.005), tape.ts)

    dues = [due_of(slices, packet) for packet in tape.klv]
    assert dues == [pytest.approx(number / 30, abs=0.034) for number in range(30)]
    assert slices[-1][0] == pytest.approx(1.0, abs=0.04)


def test_between_two_stamps_time_is_interpolated():
    """A stream with rare clock stamps is not sent in bursts."""
    slices = slices_of(ts_clock.TsClock(0.005), feed.recording(count=2, hz=1, filler=400).ts)

    steps = [later - sooner for (sooner, _), (later, _) in pairwise(slices)]
    assert max(steps) < 0.02
    assert len(slices) > 150


@given(cuts=st.lists(st.integers(1, len(TAPE.ts) - 1), max_size=20))
def test_no_byte_is_lost_or_moved_however_the_file_is_read(cuts):
    """Joined, the slices are the file, and time never goes backwards."""
    slices = slices_of(ts_clock.TsClock(0.005), TAPE.ts, cuts)

    assert data_of(slices) == TAPE.ts
    assert all(sooner <= later for (sooner, _), (later, _) in pairwise(slices))


@given(st.binary(max_size=3000), st.integers(0, len(TAPE.ts)), st.lists(st.integers(0, len(TAPE.ts)), max_size=5))
def test_damage_in_the_file_is_passed_on_unchanged(junk, place, cuts):
    """Bytes that are no packets do not delay others, and none is dropped."""
    data = TAPE.ts[:place] + junk + TAPE.ts[place:]

    slices = slices_of(ts_clock.TsClock(0.005), data, cuts)

    assert data_of(slices) == data
    assert slices[-1][0] == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize("jump", [-90_000 * 3600, 90_000 * 3600, 1 << 32], ids=["back", "ahead", "far"])
def test_a_jump_of_the_clock_causes_no_pause(jump):
    """Recordings are often two that were joined: the second continues where the first ended."""
    second = feed.recording(first_pcr=(900_000 + 90_000 + jump) % (1 << 33), filler=5)

    slices = slices_of(ts_clock.TsClock(0.005), TAPE.ts + second.ts)

    assert slices[-1][0] == pytest.approx(2.0, abs=0.1)


def packets_188(data):
    return [data[at : at + 188] for at in range(0, len(data), 188)]


@pytest.mark.parametrize(("before", "behind"), [(4, 0), (0, 16)], ids=["192 bytes, M2TS", "204 bytes, Reed-Solomon"])
def test_other_packet_sizes_keep_their_timing_too(before, behind):
    """Recorders put a time code before each packet, or check bytes after it."""
    data = b"".join(bytes(before) + packet + bytes(behind) for packet in packets_188(TAPE.ts))

    slices = slices_of(ts_clock.TsClock(0.005), data)

    assert data_of(slices) == data
    assert len(slices) > 20
    assert slices[-1][0] == pytest.approx(1.0, abs=0.04)


def test_a_stream_without_a_clock_is_not_held(monkeypatch):
    """Where no packet has a time stamp, the bytes are output all the same, and memory is bounded."""
    monkeypatch.setattr(ts_clock, "CLOCKLESS", 100_000)
    clock = ts_clock.TsClock(0.005)
    null = b"\x47\x1f\xff\x10" + bytes(184)

    given_out = sum(len(data) for _ in range(10) for _, data in clock.cut(null * 100))

    assert given_out > 80_000
    assert data_of(clock.rest()) == null * ((188_000 - given_out) // 188)


@given(st.lists(st.integers(1, len(TAPE.bare) - 1), max_size=20))
def test_bare_klv_is_due_at_its_precision_time_stamp(cuts):
    """Without a container, item 2 of each packet is the clock."""
    slices = slices_of(timeline.KlvClock(), TAPE.bare, cuts)

    assert [data for _, data in slices] == TAPE.klv
    assert [due for due, _ in slices] == [pytest.approx(number / 30, abs=1e-4) for number in range(30)]


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_bytes_that_are_no_klv_are_passed_on(before, behind):
    """A damaged file is output unchanged, to be counted by the decoder."""
    data = before + TAPE.bare + b"\x06\x0e\x2b\x34" + behind

    assert data_of(slices_of(timeline.KlvClock(), data)) == data


def test_a_packet_that_announces_gigabytes_is_not_waited_for(monkeypatch):
    """A hostile length costs no memory."""
    monkeypatch.setattr(timeline, "HELD_MOST", 1000)
    data = feed.UAS_KEY + b"\x84\xff\xff\xff\xff" + bytes(2000)
    clock = timeline.KlvClock()

    assert data_of(clock.cut(data)) == data


class Clock:
    """A loop's clock that sleeping advances, so that an hour takes no time."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        self.slept = []
        monkeypatch.setattr(replay.asyncio, "sleep", self.sleep)
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


async def paced(path, monkeypatch, *, most=10_000, busy=0.0, **settings):
    """(seconds since the beginning, packet) of a replay, on a virtual clock."""
    clock = Clock(monkeypatch)
    got = []
    async with aclosing(open_source(str(path), **settings).packets()) as packets:
        async for packet in packets:
            got.append((clock.now - 1000.0, packet))
            clock.now += busy
            if len(got) == most:
                break
    return got


@pytest.mark.parametrize("speed", [0.5, 1, 8])
async def test_speed_is_a_factor_on_the_original_timing(speed, tmp_path, monkeypatch):
    """Half speed takes twice as long."""
    (tmp_path / "tape.ts").write_bytes(TAPE.ts)

    got = await paced(tmp_path / "tape.ts", monkeypatch, speed=speed)

    assert got[-1][0] == pytest.approx(1.0 / speed, rel=0.1)
    assert b"".join(packet.data for _, packet in got) == TAPE.ts


async def test_a_delayed_reader_gets_no_burst(tmp_path, monkeypatch):
    """A delay of more than a second is not caught up; afterwards the timing is the file's."""
    (tmp_path / "tape.klv").write_bytes(TAPE.bare)

    got = await paced(tmp_path / "tape.klv", monkeypatch, speed=1, busy=3.0)

    assert got[-1][0] == pytest.approx(29 * 3.0, abs=0.1)


@pytest.mark.parametrize("name", ["tape.ts", "tape.klv"])
async def test_a_loop_loses_nothing_and_flags_nothing(name, tmp_path, monkeypatch):
    """Each round yields every record again, and its beginning is no damage, though all counters restart."""
    (tmp_path / name).write_bytes(TAPE.ts if name == "tape.ts" else TAPE.bare)
    decoder, found = Decoder("test", None), []

    got = await paced(tmp_path / name, monkeypatch, most=600, loop=True)
    for _, packet in got:
        found += decoder.feed(packet)

    marks = [number for number, (_, packet) in enumerate(got) if not packet.data]
    assert len(marks) >= 2
    assert not any(packet.damaged for _, packet in got)
    assert [record.raw for record in found] == (TAPE.klv * 30)[: len(found)]
    assert len(found) > 60
    assert all(record.good for record in found)
    assert decoder.counters.discontinuities == 0


async def test_a_loop_of_a_file_without_time_is_no_flood(tmp_path, monkeypatch):
    """One KLV packet in a loop is output once a second."""
    (tmp_path / "one.klv").write_bytes(TAPE.klv[0])

    got = await paced(tmp_path / "one.klv", monkeypatch, most=7, loop=True)

    assert [round(when, 3) for when, packet in got if packet.data] == [0, 1, 2, 3]


async def test_the_stamps_are_the_times_of_output(tmp_path):
    """A replay looks live: each packet is stamped when it is output."""
    (tmp_path / "tape.ts").write_bytes(TAPE.ts)
    got = []

    async with aclosing(open_source(str(tmp_path / "tape.ts"), speed=5).packets()) as packets:
        async for packet in packets:
            got.append(packet.received_us)

    assert got == sorted(got)
    assert 0.15e6 < got[-1] - got[0] < 1e6
