"""Datagrams that the network delivers twice, on plain udp://: in the core alone, and from a socket."""

from __future__ import annotations

import asyncio
import random
import struct
from contextlib import aclosing

import feed
import pytest
from klvrelay.core._core import ffi, lib

from klvrelay.decoder import Decoder
from klvrelay.sources.open import open_source

TAPE = feed.recording(count=360, padding=200)
DATAGRAMS = feed.datagrams(TAPE.ts)
NULL = b"\x47\x1f\xff\x10" + b"\xff" * 184
SECOND = 1_000_000


class Copies:
    """Whether the core detects a datagram as a copy, at a chosen time."""

    def __init__(self) -> None:
        self._bytes = ffi.new("uint8_t[]", lib.klv_copies_size())
        self._copies = ffi.cast("struct copies *", self._bytes)
        lib.klv_copies_init(self._copies)

    def ts(self, datagram: bytes, received_us: int = 0) -> bool:
        return bool(lib.klv_copies_take(self._copies, 1, datagram, len(datagram), received_us))

    def klv(self, datagram: bytes, received_us: int = 0) -> bool:
        return bool(lib.klv_copies_take(self._copies, 0, datagram, len(datagram), received_us))


def ts_packet(pid: int, counter: int, payload: bytes = b"", *, start: bool = False) -> bytes:
    return struct.pack(">BHB", 0x47, start << 14 | pid, 0x10 | counter & 15) + payload.ljust(184, b"\xff")


def doubled(datagrams, apart, share=0.05, seed=1):
    """Some of them twice: the copy `apart` datagrams after its original."""
    chance, late, sent, copies = random.Random(seed), {}, [], 0
    for at, datagram in enumerate(datagrams):
        sent.append(datagram)
        if chance.random() < share:
            late.setdefault(at + apart, []).append(datagram)
        due = late.pop(at, [])
        sent += due
        copies += len(due)
    return sent, copies


async def heard(url, sent, port, demux):
    """Records and link counters, once the last KLV packet of the recording was received."""
    source, decoder, found = open_source(url, demux=demux), Decoder("test", None), []
    asyncio.get_running_loop().call_soon(feed.send_udp, sent, port)
    async with asyncio.timeout(10), aclosing(source.packets()) as packets:
        async for packet in packets:
            found += decoder.feed(packet)
            if found and found[-1].raw == TAPE.klv[-1]:
                return found, source.link
    raise AssertionError("the source ended")


# ---- from a socket ----


@pytest.mark.parametrize("apart", [0, 1, 5, 40])
@pytest.mark.parametrize("carriage", ["ts", "klv"])
@pytest.mark.parametrize("demux", ["native", None])
async def test_a_repeated_datagram_is_read_once(demux, carriage, apart, free_port):
    """Each record once, none rejected, though the copy arrives dozens of datagrams later; and it is counted."""
    sent, copies = doubled(DATAGRAMS if carriage == "ts" else TAPE.klv, apart)

    found, link = await heard(f"udp://127.0.0.1:{free_port}", sent, free_port, demux)

    assert copies >= 10
    assert [record.raw for record in found] == TAPE.klv
    assert all(record.good for record in found)
    assert (link.udp_duplicates, link.datagrams, link.size) == (copies, len(sent), sum(map(len, sent)))


@pytest.mark.parametrize("before", [4, 0, 100], ids=["192 bytes, M2TS", "188 bytes", "cut anywhere"])
async def test_copies_are_detected_in_every_cut(before, free_port):
    """A time code before each packet, or datagrams that begin in the middle of one."""
    packets = [TAPE.ts[at : at + 188] for at in range(0, len(TAPE.ts), 188)]
    if before == 100:
        datagrams = feed.datagrams(TAPE.ts, 1000)
    else:
        datagrams = feed.datagrams(b"".join(bytes(before) + packet for packet in packets), 7 * (188 + before))
    sent, copies = doubled(datagrams, 5)

    found, link = await heard(f"udp://127.0.0.1:{free_port}", sent, free_port, "native")

    assert [record.raw for record in found] == TAPE.klv
    assert all(record.good for record in found)
    assert link.udp_duplicates == copies > 5


async def test_by_libav_copies_are_dropped_too(free_port):
    """The check comes before the demultiplexer."""
    tape = feed.recording(count=60, filler=30)
    sent, copies = doubled(feed.datagrams(tape.ts), 2)
    source, decoder, found = open_source(f"udp://127.0.0.1:{free_port}", demux="libav"), Decoder("test", None), []

    async def send():
        for at in range(0, len(sent), 20):
            feed.send_udp(sent[at : at + 20], free_port)
            await asyncio.sleep(0.005)

    async with asyncio.timeout(10), aclosing(source.packets()) as packets:
        sending = asyncio.create_task(send())
        async for packet in packets:
            found += decoder.feed(packet)
            if len(found) >= 50:
                break
        await sending

    assert len({record.raw for record in found}) == len(found)
    assert source.link.udp_duplicates <= copies
    assert source.link.udp_duplicates > 3


# ---- not copies ----


def test_null_packets_alone_are_never_a_copy():
    """Stuffing is always equal, and proves nothing."""
    copies = Copies()

    assert not any(copies.ts(NULL * 7, 1000 * number) for number in range(200))


def test_repeated_tables_are_no_copy():
    """A table in a separate datagram has the same bytes every sixteenth time, and its counter is due."""
    copies, seen = Copies(), []
    for number in range(200):
        table = ts_packet(0, number, b"\x00table") if number % 3 else ts_packet(0x1000, number // 3, b"\x00map")
        seen.append(copies.ts(table, 20_000 * number))

    assert not any(seen)


def test_filler_of_a_constant_rate_is_no_copy():
    """Filler within a frame repeats after sixteen datagrams, with continuing counters."""
    copies = Copies()
    packets = [ts_packet(0x100, number, bytes(184)) for number in range(420)]
    datagrams = [b"".join(packets[at : at + 7]) for at in range(0, 420, 7)]

    assert not any(copies.ts(datagram, 2000 * number) for number, datagram in enumerate(datagrams))


def test_after_a_loss_tables_continue():
    """A counter that jumped ahead does not make later data old."""
    copies = Copies()
    kept = [number for number in range(100) if number % 23]

    assert not any(copies.ts(ts_packet(0, number, b"\x00table"), 100_000 * number) for number in kept)


@pytest.mark.parametrize("later", [1, 5, 8])
def test_a_copy_without_a_time_in_it_lags_in_its_counters(later):
    """A part of a PES packet has no time stamp: its counter shows that it is old, however slow the stream."""
    copies = Copies()
    for number in range(40 + later):
        assert not copies.ts(ts_packet(0x101, number, number.to_bytes(2) + b"part of KLV"), SECOND // 4 * number)

    assert copies.ts(ts_packet(0x101, 40, (40).to_bytes(2) + b"part of KLV"), SECOND // 4 * (40 + later))


@pytest.mark.parametrize(
    "pes",
    [
        b"\x00\x00\x01\xbd\x00\x20\x84\x80\x05\x21\x00\x01\x00\x01",
        b"\x00\x00\x01\xbd\x00\x60\x84\x00\x00" + feed.klv_packet(7, feed.FIRST_TIME),
    ],
    ids=["PTS", "item 2"],
)
def test_a_copy_with_a_time_in_it_is_detected_at_any_counter(pes):
    """Sixteen packets later the counter would match; no time is sent twice."""
    copies = Copies()
    copies.ts(ts_packet(0x101, 3, pes, start=True))
    for number in range(15):
        copies.ts(ts_packet(0x101, 4 + number, bytes([number]) * 20))

    assert copies.ts(ts_packet(0x101, 3, pes, start=True), 1000)
    assert not copies.ts(ts_packet(0x101, 3, pes, start=True), 3 * SECOND)


def test_a_set_without_a_time_may_be_sent_again():
    """A security set is the same each time: only within 10 ms is it a copy."""
    security = bytes.fromhex("060e2b34020301010e01030302000000") + b"\x03\x01\x01\x01"
    copies = Copies()
    assert not copies.klv(security)

    assert copies.klv(security, 9_000)
    assert not any(copies.klv(security, 33_000 * number) for number in range(1, 20))


def test_any_packet_of_a_datagram_may_have_the_time():
    """A security set before an ST 0601 set: the datagram has a time."""
    security = bytes.fromhex("060e2b34020301010e01030302000000") + b"\x03\x01\x01\x01"
    copies = Copies()
    assert not copies.klv(security + TAPE.klv[0])

    assert copies.klv(security + TAPE.klv[0], 200_000)


def test_equal_parts_of_a_large_packet_are_no_copies():
    """A blank part of an image chip: two such parts are no copies of each other; others are."""
    copies = Copies()

    assert not copies.klv(bytes(1400))
    assert not copies.klv(bytes(1400), 10)
    assert not copies.klv(bytes(range(256)) * 4, 20)
    assert copies.klv(bytes(range(256)) * 4, 30)


@pytest.mark.parametrize("period", [1, 5, 30])
def test_a_sender_that_repeats_itself_is_accepted_within_half_a_second(period):
    """A stopped clock, a short recording in a loop: after 0.5 s all of it is accepted."""
    copies, taken = Copies(), []
    for number in range(300):
        taken.append(not copies.klv(TAPE.klv[number % period], 33_333 * number))

    held_back = taken.index(False) if period < 23 else 300
    assert taken[:period] == [True] * period
    assert all(taken[held_back + 17 :])
    assert taken.count(False) <= 17


def test_copies_in_a_loop_are_still_detected():
    """A datagram that comes sooner than a round of the loop is a copy; and after new ones, any of the last few dozen
    is.
    """
    copies, time_us = Copies(), iter(range(0, 100 * SECOND, 20_000))
    for number in range(60):
        copies.klv(TAPE.klv[number % 10], next(time_us))

    assert copies.klv(TAPE.klv[8], next(time_us))
    assert not copies.klv(TAPE.klv[0], next(time_us))
    for number in range(100, 170):
        assert not copies.klv(TAPE.klv[number], next(time_us))
    assert copies.klv(TAPE.klv[150], next(time_us))


def test_only_the_last_few_dozen_are_stored():
    """Memory is bounded: earlier ones are not recognised any more."""
    copies = Copies()
    for number in range(lib.COPIES_MOST + 1):
        assert not copies.klv(TAPE.klv[number], number)

    assert copies.klv(TAPE.klv[1], 100)
    assert not copies.klv(TAPE.klv[0], 100)


def test_any_bytes_are_checked_within_their_bounds():
    """Datagrams too short for their headers are handled."""
    chance, copies = random.Random(3), Copies()
    for number in range(3000):
        head = chance.choice([b"", b"\x47", NULL, DATAGRAMS[0], TAPE.klv[0], feed.UAS_KEY + b"\x84\xff\xff\xff\xff"])
        data = (head + chance.randbytes(chance.randrange(420)))[: chance.randrange(1, 600)]
        for _ in range(2):
            copies.ts(data, number)
            copies.klv(data, number)


@pytest.mark.parametrize("rate", [1.5, 2, 3, 5, 7, 10, 30])
def test_constant_bare_klv_is_not_a_copy_of_itself(rate: float) -> None:
    """A parked aircraft whose clock has stopped: the same packet at any rate costs a few, then none."""
    copies, packet = Copies(), feed.klv_packet(0, feed.FIRST_TIME)
    left_out = [copies.klv(packet, int(number * SECOND / rate)) for number in range(200)]
    assert sum(left_out) <= 24
    assert not any(left_out[50:])


def packet_with_field(counter: int, field: bytes, payload: bytes) -> bytes:
    """A TS packet with an adaptation field."""
    head = struct.pack(">BHBB", 0x47, 0x101, 0x30 | counter & 15, len(field)) + field
    return head + payload.ljust(188 - len(head), b"\xff")


@pytest.mark.parametrize(("field", "is_copy"), [(b"\x10" + bytes(6), True), (b"\x10", False), (b"\x00" * 7, False)])
def test_a_pcr_is_a_time(field: bytes, is_copy: bool) -> None:
    """Whatever the counters are; not a flag without space for a PCR after it, nor a field without the flag."""
    copies, one = Copies(), packet_with_field(3, field, b"part")
    copies.ts(one)
    for number in range(15):
        copies.ts(ts_packet(0x101, 4 + number, bytes([number]) * 20))

    assert copies.ts(one, 1000) == is_copy


@pytest.mark.parametrize(
    "head",
    [b"\x00\x00\x01\xbd\x00\x20\x84\x00\x00", b"\x00\x00\x01\xbd\x00\x20\x0f\xff\xff"],
    ids=["no PTS", "no flags"],
)
def test_a_pes_packet_without_a_time_in_it_goes_by_its_counter(head: bytes) -> None:
    """No PTS and no key: sixteen packets later the same bytes are due again, and are no copy."""
    copies, one = Copies(), ts_packet(0x101, 3, head + b"no key", start=True)
    copies.ts(one)
    for number in range(15):
        copies.ts(ts_packet(0x101, 4 + number, bytes([number]) * 20))

    assert not copies.ts(one, 1000)


@pytest.mark.parametrize(("age", "is_copy"), [(SECOND // 2, True), (SECOND // 2 + 1, False)])
def test_a_counter_ten_behind_means_a_copy_for_half_a_second(age: int, is_copy: bool) -> None:
    """It may as well be six ahead, after a loss: later than that the packet counts as new."""
    copies, one = Copies(), ts_packet(0x101, 3, b"part of KLV")
    copies.ts(one)
    for number in range(9):
        copies.ts(ts_packet(0x101, 4 + number, bytes([number]) * 20))

    assert copies.ts(one, age) == is_copy


@pytest.mark.parametrize("length", ["8f", "8401000000", "20"])
def test_an_incomplete_packet_is_not_searched_for_a_time(length: str) -> None:
    """A wrong length, and one past the datagram: the bytes after them may be anything."""
    copies = Copies()
    broken = bytes.fromhex("060e2b34020301010e01030302000000" + length) + b"\x03\x01\x01"
    assert not copies.klv(broken)

    assert not copies.klv(broken, 200_000)
    assert copies.klv(broken, 205_000)


def test_a_time_is_searched_for_in_sixteen_packets() -> None:
    """The work per datagram is bounded."""
    security = bytes.fromhex("060e2b34020301010e01030302000000") + b"\x03\x01\x01\x01"
    for count, is_copy in ((15, True), (16, False)):
        copies = Copies()
        assert not copies.klv(security * count + TAPE.klv[0])
        assert copies.klv(security * count + TAPE.klv[0], 200_000) == is_copy


def test_the_same_bytes_seconds_later_are_new() -> None:
    """And what follows at once is a copy of them."""
    copies = Copies()
    for number in range(5):
        assert not copies.klv(TAPE.klv[0], 4 * SECOND * number)
        assert copies.klv(TAPE.klv[0], 4 * SECOND * number + 5000)
