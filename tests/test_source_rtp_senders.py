"""RTP where several senders, or several kinds of datagrams, use a port; and further rules of the socket."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import aclosing

import feed
import pytest
from test_source_rtp import MODES, TAPE, heard, with_last

from klvrelay.decoder import Decoder
from klvrelay.sources.open import open_source

# ---- whose packets are read ----


def audio(count, *, ssrc=77, kind=97, first=9):
    """RTP packets of neither MPEG-TS nor KLV."""
    heads = [struct.pack(">BBHII", 0x80, kind, (first + n) & 0xFFFF, 160 * n, ssrc) for n in range(count)]
    return [head + bytes([n & 255]) * 160 for n, head in enumerate(heads)]


def sender_report(ssrc=7):
    """RTCP on the same port (RFC 5761)."""
    return struct.pack(">BBHI", 0x80, 200, 6, ssrc) + bytes(20)


def between(datagrams, others, every, run=1):
    """Insert `run` of the others after each `every` datagrams; returns their number too."""
    others, sent, count = iter(others), [], 0
    for at, datagram in enumerate(datagrams, 1):
        sent.append(datagram)
        if at % every == 0 and at < len(datagrams):
            found = [other for other, _ in zip(others, range(run), strict=False)]
            sent += found
            count += len(found)
    return sent, count


OTHER_TAPE = feed.recording(count=90, padding=310, first_pcr=20_000_000)
FOREIGN = {
    "another SSRC": feed.rtp_datagrams(feed.datagrams(OTHER_TAPE.ts), ssrc=99, first=40_000),
    "another SSRC, numbers near": feed.rtp_datagrams(feed.datagrams(OTHER_TAPE.ts), ssrc=99, first=65_531),
    "the same SSRC, numbers far": feed.rtp_datagrams(feed.datagrams(OTHER_TAPE.ts), ssrc=7, first=20_000),
    "audio": audio(2000),
    "audio under the same SSRC": audio(2000, ssrc=7, first=65_530),
}


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("demux", MODES)
async def test_packets_of_another_sender_are_ignored(demux, foreign, free_port):
    """One foreign packet in three: every record once, valid, and none of the other's; they are counted."""
    sent, count = between(feed.rtp_datagrams(feed.datagrams(TAPE.ts)), FOREIGN[foreign], 2)

    found, link = await heard(f"rtp://127.0.0.1:{free_port}", lambda: feed.send_udp(sent, free_port), with_last, demux)

    assert [record.raw for record in found] == TAPE.klv
    assert all(record.good for record in found)
    assert (link.rtp_foreign, link.rtp_restarts, link.rtp_lost) == (count, 0, 0)
    assert count > 20


@pytest.mark.parametrize("others", [audio(400), [sender_report()] * 400, feed.datagrams(OTHER_TAPE.ts)])
async def test_a_flood_of_other_data_changes_nothing(others, free_port):
    """Long runs of audio, of RTCP, or a few of MPEG-TS without RTP, between two packets."""
    run = 3 if others[0][:1] == b"\x47" else 10
    sent, _ = between(feed.rtp_datagrams(feed.datagrams(TAPE.ts)), others, 3, run)

    found, link = await heard(f"rtp://127.0.0.1:{free_port}", lambda: feed.send_udp(sent, free_port), with_last)

    assert [record.raw for record in found] == TAPE.klv
    assert all(record.good for record in found)
    assert link.rtp_restarts == 0


@pytest.mark.parametrize(
    "others", [audio(400), feed.rtp_datagrams(feed.datagrams(OTHER_TAPE.ts)), [sender_report()] * 99]
)
async def test_rtp_between_plain_datagrams_is_ignored(others, free_port):
    """MPEG-TS without RTP continues, whatever RTP arrives at the same port."""
    sent, count = between(feed.datagrams(TAPE.ts), others, 2)

    found, _ = await heard(f"udp://127.0.0.1:{free_port}", lambda: feed.send_udp(sent, free_port), with_last)

    assert count > 10
    assert [record.raw for record in found] == TAPE.klv
    assert all(record.good for record in found)


@pytest.mark.parametrize("demux", MODES)
@pytest.mark.parametrize("ssrc", [7, 8], ids=["the same SSRC", "another"])
async def test_a_new_sender_loses_nothing(ssrc, demux, free_port):
    """The packets that identify it are read too: each of its records is output, from the first on."""
    first = feed.rtp_datagrams(feed.datagrams(TAPE.ts)[:20])
    second = feed.rtp_datagrams(feed.datagrams(OTHER_TAPE.ts), ssrc=ssrc, first=3000)

    found, link = await heard(
        f"rtp://127.0.0.1:{free_port}",
        lambda: feed.send_udp(first + second, free_port),
        lambda records: records and records[-1].raw == OTHER_TAPE.klv[-1],
        demux,
    )

    good = [record.raw for record in found if record.good]
    assert good[-len(OTHER_TAPE.klv) :] == OTHER_TAPE.klv
    assert set(good) <= set(TAPE.klv + OTHER_TAPE.klv)
    assert (link.rtp_restarts, link.rtp_foreign) == (1, 0)


async def test_two_alternating_senders_are_not_both_read(free_port):
    """In bursts longer than the switch takes, soon only one of them is read; no false record is output."""
    one = feed.rtp_datagrams(feed.datagrams(TAPE.ts * 6))
    other = feed.rtp_datagrams(feed.datagrams(OTHER_TAPE.ts * 6), ssrc=99, first=5)
    turns = [each for at in range(0, len(one), 10) for each in one[at : at + 10] + other[at : at + 10]]

    async def send():
        for at in range(0, len(turns), 40):
            feed.send_udp(turns[at : at + 40], free_port)
            await asyncio.sleep(0.002)

    tasks = []
    found, link = await heard(
        f"rtp://127.0.0.1:{free_port}",
        lambda: tasks.append(asyncio.create_task(send())),
        lambda found: len(found) >= 480,
    )
    await asyncio.wait(tasks)

    good = [record.raw for record in found if record.good]
    assert set(good) <= set(TAPE.klv + OTHER_TAPE.klv)
    assert link.rtp_restarts <= 4
    assert link.rtp_foreign > 300
    assert len(found) - len(good) <= 2 * (link.rtp_restarts + 6)


async def test_another_sender_is_logged_once(free_port, said, monkeypatch):
    """A second encoder on a group: the log explains why part of the data is not read."""
    sent, _ = between(feed.rtp_datagrams(feed.datagrams(TAPE.ts)), FOREIGN["another SSRC"], 2)
    source = open_source(f"rtp://127.0.0.1:{free_port}", demux="native", timeout=0.05)

    async with asyncio.timeout(5), aclosing(source.packets()) as packets:
        asyncio.get_running_loop().call_soon(feed.send_udp, sent, free_port)
        await anext(packets)
        while not said():
            await asyncio.sleep(0.01)
        for _ in range(3):
            feed.send_udp(sent, free_port)
            await asyncio.sleep(0.1)

    assert len(said()) == 1
    assert f"rtp://127.0.0.1:{free_port}" in said()[0]
    assert "another SSRC or payload type" in said()[0]


# ---- further rules of the socket ----


async def test_one_unusual_datagram_changes_nothing(free_port):
    """Only four in a row of another kind count as another sender."""
    odd = feed.rtp_datagrams(feed.datagrams(OTHER_TAPE.ts))[:1] + TAPE.klv[50:52]
    sent, count = between(feed.datagrams(TAPE.ts), odd * 100, 4, 3)

    found, link = await heard(f"udp://127.0.0.1:{free_port}", lambda: feed.send_udp(sent, free_port), with_last)

    assert count > 20
    assert [record.raw for record in found] == TAPE.klv
    assert link.lane.continuity_errors == 0


async def test_losses_of_rtp_stay_counted_when_rtp_ends(free_port):
    """The counters continue when the stream continues without RTP."""
    first = feed.rtp_datagrams(feed.datagrams(TAPE.ts)[:60])
    del first[5:8]

    found, link = await heard(
        f"udp://127.0.0.1:{free_port}",
        lambda: feed.send_udp(first + feed.datagrams(OTHER_TAPE.ts), free_port),
        lambda records: records and records[-1].raw == OTHER_TAPE.klv[-1],
    )

    assert link.rtp_lost == 3
    assert {record.raw for record in found if record.good} <= set(TAPE.klv + OTHER_TAPE.klv)


@pytest.mark.parametrize("demux", MODES)
async def test_the_pts_of_klv_in_rtp_wraps_at_33_bits(demux, free_port):
    """RTP has 32 bits, PTS 33: it continues from 2^33 - 1 to 0."""
    klv = TAPE.klv[:9]
    stamps = [(0xE000_0000 + n * 0x4000_0000) & 0xFFFF_FFFF for n in range(9)]
    sent = [struct.pack(">BBHII", 0x80, 97 | 0x80, n, stamps[n], 9) + klv[n] for n in range(9)]

    found, _ = await heard(
        f"rtp://127.0.0.1:{free_port}", lambda: feed.send_udp(sent, free_port), lambda got: len(got) == 9, demux
    )

    assert [record.pts for record in found] == [(0xE000_0000 + n * 0x4000_0000) % (1 << 33) for n in range(9)]
    assert found[-1].pts < 1 << 33


@pytest.mark.parametrize("demux", MODES)
async def test_a_kernel_drop_of_other_data_is_no_gap_in_rtp(demux, free_port):
    """Where RTP's numbers are consecutive, nothing is missing, whatever the kernel dropped."""
    sent = feed.rtp_datagrams(feed.datagrams(TAPE.ts, 188))
    source = open_source(f"rtp://127.0.0.1:{free_port}?buffer_size=4096&sender=127.0.0.1", demux=demux)
    decoder, records = Decoder("test", None), []

    async def send_all():
        for at, datagram in enumerate(sent):
            feed.send_udp([datagram], free_port)
            if at == 3:  # the first of two packets of a record
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                    stranger.bind(("127.0.0.2", 0))
                    for _ in range(50):
                        stranger.sendto(bytes(1400), ("127.0.0.1", free_port))
            while source.link.datagrams <= at:
                await asyncio.sleep(0)

    async with asyncio.timeout(5), aclosing(source.packets()) as packets:
        sending = asyncio.create_task(send_all())
        while len(records) < len(TAPE.klv):
            records += decoder.feed(await anext(packets))
        await sending

    assert source.link.kernel_drops > 0
    assert source.link.rtp_lost == 0
    assert [record.raw for record in records if record.good] == TAPE.klv


async def test_each_missing_datagram_has_its_own_wait(free_port, monkeypatch):
    """A late one arrives together with one after a second gap: that gap is waited for in full too."""
    monkeypatch.setattr("klvrelay.sources.datagrams.reader.REORDER", 0.2)
    sent = feed.rtp_datagrams([*[b"\x47\x1f\xff\x10" + b"\xff" * 184] * 3, *feed.datagrams(TAPE.ts)])

    async def send():
        for wait, places in ((0, [0, 2]), (0.12, [1, 4]), (0.13, [3])):
            await asyncio.sleep(wait)
            feed.send_udp([sent[place] for place in places], free_port)
        feed.send_udp(sent[5:], free_port)

    tasks = []
    found, link = await heard(
        f"rtp://127.0.0.1:{free_port}", lambda: tasks.append(asyncio.create_task(send())), with_last
    )
    await asyncio.wait(tasks)

    assert [record.raw for record in found if record.good] == TAPE.klv
    assert (link.rtp_lost, link.rtp_reordered) == (0, 2)
