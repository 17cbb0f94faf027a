"""The clocks of the transport: PCRs too far apart, clocks that jump, arrival jitter, and the clock of a record.

ISO/IEC 13818-1, 2.7.2; ETSI TR 101 290, 2.3.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from clocked_mux import AUDIO_PID, EPOCH, KLV_PID, STREAMS, VIDEO_PID, Clocked, Slot, between, faults, fed
from test_lane import ASYNC, KLVA, NULL, klv_packet
from test_psi import pat, pmt

from klvrelay.core import Lane
from klvrelay.decoder import Decoder
from klvrelay.record import Packet

SECOND = 1_000_000
WRAP_US = (1 << 33) * 300 // 27
BOTH = pytest.mark.parametrize("arrival", [True, False], ids=["by arrival", "by PCR"])


@BOTH
def test_pcrs_that_are_too_far_apart_are_counted(arrival: bool) -> None:
    """Each time it is more than 100 ms; exactly 100 ms is no error."""
    slots = Clocked().slots(0, 4 * SECOND, leave=lambda us: ("pcr",) if us % 100_000 else ())
    assert faults(fed(slots, arrival=arrival)[1]) == {}
    slots = Clocked().slots(0, 4 * SECOND, leave=lambda us: ("pcr",) if us % 200_000 else ())
    assert faults(fed(slots, arrival=arrival)[1]) == {"pcr_repetition_errors": 19}


@BOTH
@pytest.mark.parametrize("jump", [-WRAP_US // 2, -3600 * SECOND, -SECOND, -60_000, 15 * SECOND, WRAP_US // 2])
def test_a_clock_that_jumps_is_counted(jump: int, arrival: bool) -> None:
    """Forward or back, and once: it is a discontinuity, and neither a repetition nor elapsed time."""
    wire = Clocked()
    slots = wire.slots(0, 2 * SECOND) + wire.slots(2 * SECOND, 4 * SECOND, first_pcr=jump)
    assert faults(fed(slots, arrival=arrival)[1]) == {"pcr_discontinuity_errors": 1}


def test_by_arrival_a_jump_of_seconds_is_no_pause() -> None:
    """Two seconds of clock where a slot of time elapsed; without arrival times it may have been a pause."""
    wire = Clocked()
    slots = wire.slots(0, 2 * SECOND) + wire.slots(2 * SECOND, 4 * SECOND, first_pcr=2 * SECOND)
    assert faults(fed(slots, arrival=True)[1]) == {"pcr_discontinuity_errors": 1}
    assert faults(fed(slots, arrival=False)[1]) == {"pcr_repetition_errors": 1}


@BOTH
@pytest.mark.parametrize("payload", [True, False])
def test_an_announced_jump_of_the_clock_is_no_error(payload: bool, arrival: bool) -> None:
    """discontinuity_indicator in the packet of the PCR, or in one before it."""
    wire = Clocked()
    slots = wire.slots(0, 2 * SECOND)
    announced = [wire.pcr(502 * SECOND - 10_000, announced=True)]
    if payload:
        (short,) = (wire._one(VIDEO_PID, b"v" * 100, False),)
        announced = [short[:5] + b"\x80" + short[6:]]
    slots.append(Slot(2 * SECOND - 10_000, {"announced": announced}))
    slots += wire.slots(2 * SECOND, 4 * SECOND, first_pcr=500 * SECOND)
    assert faults(fed(slots, arrival=arrival)[1]) == {}


@BOTH
def test_the_wrap_of_the_clock_is_no_jump(arrival: bool) -> None:
    """After 26.5 hours it restarts at 0; records after it have the small values."""
    slots = Clocked().slots(0, 4 * SECOND, first_pcr=WRAP_US - 2 * SECOND)
    entries, lane = fed(slots, arrival=arrival)
    assert faults(lane) == {}
    clocks = [entry[7] or 0 for entry in entries]
    assert [abs((clock - clocks[0]) % (1 << 33) - 9000 * n) <= 1 for n, clock in enumerate(clocks)] == [True] * 40
    assert clocks[0] > clocks[-1]


@BOTH
def test_the_same_pcr_packet_twice_is_no_error(arrival: bool) -> None:
    """Any packet may be sent twice."""
    slots = Clocked().slots(0, 2 * SECOND)
    slots = [Slot(slot.us, {**slot.parts, "pcr": slot.parts["pcr"] * 2}) for slot in slots]
    assert faults(fed(slots, arrival=arrival)[1]) == {}


def test_a_clock_that_no_pmt_lists_is_not_checked() -> None:
    """PCRs on another PID, at random: the program has no error."""
    wire, chance = Clocked(), random.Random(1)
    slots = wire.slots(0, 4 * SECOND)
    wild = [Slot(slot.us, {**slot.parts, "wild": [wire.pcr(chance.randrange(WRAP_US), 0x0666)]}) for slot in slots]
    entries, lane = fed(wild, arrival=True)
    assert faults(lane) == {}
    assert [entry[7] for entry in entries] == [9000 * n for n in range(40)]


def test_another_clock_is_used_where_one_stops() -> None:
    """In a file: a stray PID's clock came first and ended; a table that is missing later is still detected."""
    wire = Clocked()
    slots = [Slot(us, {"stray": [wire.pcr(us, 0x0666)]}) for us in range(0, SECOND, 40_000)]
    slots += wire.slots(SECOND, 8 * SECOND, leave=between(6 * SECOND, 7 * SECOND, "pat"))
    assert faults(fed(slots, arrival=False)[1]) == {"pat_errors": 1}


def test_more_clocks_than_places_do_no_harm() -> None:
    """Twenty stray PIDs with PCRs first: the one in the PMT has its place."""
    wire = Clocked()
    stray = [wire.pcr(us, 0x0600 + us) for us in range(20)]
    slots = [Slot(0, {"stray": stray}), *wire.slots(20_000, 4 * SECOND)]
    slots = [Slot(slot.us, {**slot.parts, "stray": stray}) for slot in slots]
    entries, lane = fed(slots, arrival=True)
    assert faults(lane) == {}
    assert [entry[7] for entry in entries][1:] == [9000 * n for n in range(2, 40)]


@pytest.mark.parametrize("extension", [0, 299, 300, 511])
def test_an_extension_of_300_and_more_has_no_meaning(extension: int) -> None:
    """It counts 300ths of a tick of the base: it never adds a whole one."""
    wire, base = Clocked(), 90_000
    stamp = (base << 15 | 0x7E00 | extension).to_bytes(6)
    clock = wire.pcr(0)
    ts = [*wire.tables(*STREAMS), clock[:6] + stamp + clock[12:], *wire.pes(klv_packet(1)), *[NULL] * 4]
    (record,) = Decoder("uav1", None).feed(Packet(b"".join(ts)))
    assert record.pcr == base


# ---- the clock of a record ----


def test_a_record_has_the_clock_as_last_seen_before_its_end() -> None:
    """Not the one after it, and none before the first; with the clock in its own packets, that of the last."""
    wire = Clocked()
    tables = wire.tables(*STREAMS)
    long = wire.pes(klv_packet(2, 400))
    ts = [*tables, *wire.pes(klv_packet(1)), wire.pcr(1_000), long[0], wire.pcr(2_000), *long[1:], wire.pcr(3_000)]
    decoder = Decoder("uav1", None)
    records = decoder.feed(Packet(b"".join([*ts, *[NULL] * 4])))
    assert [record.pcr for record in records] == [None, 180]

    wire = Clocked()
    tables = wire.carry(0, b"\0" + pat((1, 0x1000))) + wire.carry(0x1000, b"\0" + on_its_own())
    (short,) = wire.pes(klv_packet(1))
    stamp = wire.pcr(7_000)[5:12]
    assert short[4] >= 7
    ts = [*tables, short[:5] + stamp + short[12:], *[NULL] * 4]
    assert [record.pcr for record in decoder.feed(Packet(b"".join(ts)))] == [630]


def on_its_own() -> bytes:
    """A PMT whose PCR PID is the PID of its KLV."""
    table = bytearray(pmt((ASYNC, KLV_PID, KLVA))[:-4])
    table[8:10] = (0xE000 | KLV_PID).to_bytes(2)
    return _with_crc(bytes(table))


def _with_crc(table: bytes) -> bytes:
    from feed import _crc32

    return table + _crc32(table).to_bytes(4)


def program(number: int, pcr_pid: int, klv_pid: int, descriptors: bytes = KLVA) -> bytes:
    table = bytearray(pmt((ASYNC, klv_pid, descriptors), program=number)[:-4])
    table[8:10] = (0xE000 | pcr_pid).to_bytes(2)
    return _with_crc(bytes(table))


@pytest.mark.parametrize("descriptors", [KLVA, b""], ids=["registered", "known by its key"])
def test_each_program_has_its_own_clock(descriptors: bytes) -> None:
    """Three of them, hours apart; their KLV has the clock of the program whose PMT lists it."""
    wire, numbers = Clocked(), (1, 2, 3)
    ts = wire.carry(0, b"\0" + pat(*((number, 0x1000 + number) for number in numbers)))
    for number in numbers:
        ts += wire.carry(0x1000 + number, b"\0" + program(number, 0x500 + number, 0x200 + number, descriptors))
    for us in range(0, 400_000, 40_000):
        ts += [wire.pcr(number * 3600 * SECOND + us, 0x500 + number) for number in numbers]
        ts += [packet for number in numbers for packet in wire.pes(klv_packet(us + number), 0x200 + number)]
    lane = Lane(ts=True)
    entries = lane.packets(b"".join([*ts, *[NULL] * 4]))
    assert [(entry[2], entry[7]) for entry in entries] == [
        (0x200 + number, (number * 3600 * 90_000 + us * 9 // 100) % (1 << 33))
        for us in range(0, 400_000, 40_000)
        for number in numbers
    ]
    assert faults(lane) == {}


def test_programs_may_share_a_clock() -> None:
    """One PCR PID for both is no fault, and each program has it."""
    wire = Clocked()
    ts = wire.carry(0, b"\0" + pat((1, 0x1001), (2, 0x1002)))
    ts += [p for n in (1, 2) for p in wire.carry(0x1000 + n, b"\0" + program(n, 0x500, 0x200 + n))]
    ts += [wire.pcr(1000, 0x500), *wire.pes(klv_packet(1), 0x201), *wire.pes(klv_packet(2), 0x202), *[NULL] * 4]
    assert [entry[7] for entry in Lane(ts=True).packets(b"".join(ts))] == [90, 90]


@BOTH
def test_a_clock_that_moves_to_another_pid_is_followed(arrival: bool) -> None:
    """The PMT names another PCR PID: the old one's values are ignored, and nothing is an error."""
    wire = Clocked()
    slots = wire.slots(0, 2 * SECOND)
    table = bytearray(pmt(*STREAMS, flags=0xC3)[:-4])
    table[8:10] = (0xE000 | AUDIO_PID).to_bytes(2)
    for slot in wire.slots(2 * SECOND, 4 * SECOND, leave=lambda _: ("pmt", "pcr")):
        tables = wire.carry(0x1000, b"\0" + _with_crc(bytes(table))) if slot.us % 100_000 == 0 else []
        clock = [wire.pcr(slot.us + 900 * SECOND, AUDIO_PID)]
        slots.append(Slot(slot.us, {"tables": tables, "clock": clock, **slot.parts}))
    entries, lane = fed(slots, arrival=arrival)
    assert faults(lane) == {}
    assert [entry[7] for entry in entries] == [9000 * n + (81_000_000 if n >= 20 else 0) for n in range(40)]


def test_a_program_without_a_clock_has_none() -> None:
    """PCR_PID 0x1FFF: its KLV has no clock, though another program has one."""
    wire = Clocked()
    ts = wire.carry(0, b"\0" + pat((1, 0x1001), (2, 0x1002))) + wire.carry(0x1001, b"\0" + program(1, 0x501, 0x201))
    ts += wire.carry(0x1002, b"\0" + program(2, 0x1FFF, 0x202))
    ts += [wire.pcr(1000, 0x501), *wire.pes(klv_packet(1), 0x201), *wire.pes(klv_packet(2), 0x202), *[NULL] * 4]
    assert [entry[7] for entry in Lane(ts=True).packets(b"".join(ts))] == [90, None]


def test_after_a_break_the_clock_is_unknown() -> None:
    """The source restarted: the old value does not apply to the new stream."""
    lane = Lane(ts=True)
    fed(Clocked().slots(0, SECOND), arrival=True, lane=lane)
    lane.cut()
    wire = Clocked()
    entries = lane.packets(b"".join([*wire.tables(*STREAMS), *wire.pes(klv_packet(1)), *[NULL] * 4]))
    assert [entry[7] for entry in entries] == [None]


# ---- arrival jitter ----


def jitter(delays: Sequence[float], *, drift: float = 0.0) -> tuple[int, int]:
    """(smoothed, largest) of PCRs every 20 ms that arrive so many microseconds late; `drift`: in parts per million."""
    wire, lane = Clocked(), Lane(ts=True)
    lane.packets(b"".join(wire.tables(*STREAMS) + [NULL] * 4), EPOCH)
    for number, delay in enumerate(delays):
        us = 20_000 * number
        lane.packets(wire.pcr(us), EPOCH + round(us * (1 + drift * 1e-6) + delay))
    counters = lane.counters
    assert counters.pcr_discontinuity_errors == counters.pcr_repetition_errors == 0
    return counters.pcr_jitter_us, counters.pcr_jitter_max_us


@pytest.mark.parametrize("drift", [0.0, 30.0, -30.0, 500.0])
@pytest.mark.parametrize("delay", [0, 250_000])
def test_an_even_clock_has_no_jitter(drift: float, delay: int) -> None:
    """However late it is, and however fast: the fitted line follows both."""
    assert max(jitter([delay] * 2000, drift=drift)) <= 1


@pytest.mark.parametrize("spread", [500, 5_000, 19_000])
def test_jitter_is_the_distance_of_pcrs_from_the_fitted_line(spread: int) -> None:
    """Delays between 0 and `spread`: about a quarter of it on average, about half of it at most."""
    chance = random.Random(spread)
    smoothed, largest = jitter([chance.uniform(0, spread) for _ in range(3000)], drift=30)
    assert smoothed == pytest.approx(spread / 4, rel=0.5)
    assert largest == pytest.approx(spread / 2, rel=0.35)


def test_one_late_pcr_is_the_largest_jitter() -> None:
    """By its delay; the smoothed measure forgets it."""
    delays = [100.0] * 3000
    delays[1000] += 40_000
    smoothed, largest = jitter(delays)
    assert largest == pytest.approx(40_000, rel=0.01)
    assert smoothed < 20


@pytest.mark.parametrize(("before", "seen"), [(63, False), (64, True)])
def test_jitter_is_measured_after_64_pcrs(before: int, seen: bool) -> None:
    """A late one among them has no effect."""
    assert (jitter([0] * before + [5000])[1] > 0) is seen


def test_without_arrival_there_is_no_jitter() -> None:
    """A file has no arrival times."""
    _, lane = fed(Clocked().slots(0, 10 * SECOND), arrival=False)
    assert (lane.counters.pcr_jitter_us, lane.counters.pcr_jitter_max_us) == (0, 0)


def test_a_break_or_a_clock_that_was_set_is_no_jitter() -> None:
    """After each the fitted line starts again."""
    lane = Lane(ts=True)
    for start in (0, 3600 * SECOND, -5 * SECOND, 7 * SECOND):
        slots = [Slot(slot.us + start, slot.parts) for slot in Clocked().slots(0, 3 * SECOND)]
        fed(slots, arrival=True, lane=lane)
        if start == 3600 * SECOND:
            lane.cut()
    assert lane.counters.pcr_jitter_max_us <= 1


def test_arrival_that_begins_in_the_stream_is_no_jitter() -> None:
    """The first bytes had no arrival time."""
    lane, slots = Lane(ts=True), Clocked().slots(0, 6 * SECOND)
    fed(slots[:100], arrival=False, lane=lane)
    fed(slots[100:200], arrival=True, lane=lane)
    fed(slots[200:], arrival=False, lane=lane)
    assert faults(lane) == {}
    assert lane.counters.pcr_jitter_max_us <= 1


def test_of_two_programs_the_worse_clock_is_reported() -> None:
    """One even, one that arrives up to 10 ms late."""
    wire, lane, chance = Clocked(), Lane(ts=True), random.Random(1)
    ts = wire.carry(0, b"\0" + pat((1, 0x1001), (2, 0x1002)))
    ts += [p for n in (1, 2) for p in wire.carry(0x1000 + n, b"\0" + program(n, 0x500 + n, 0x200 + n))]
    lane.packets(b"".join(ts + [NULL] * 4), EPOCH)
    for us in range(0, 20 * SECOND, 20_000):
        lane.packets(wire.pcr(us, 0x501), EPOCH + us)
        lane.packets(wire.pcr(us, 0x502), EPOCH + us + chance.randrange(10_000))
    assert 1_500 < lane.counters.pcr_jitter_us < 4_000
    assert 4_000 < lane.counters.pcr_jitter_max_us < 10_000
