"""RTSP from unusual or distant cameras: loss, repetition and reordering by UDP, wrong labels."""

from __future__ import annotations

import time
from contextlib import nullcontext
from random import Random

import av
import feed
import pytest
from rtsp_camera import KLV, MP2T, Camera, fragments, rtp
from source_reading import records_of

from klvrelay.decoder import decode
from klvrelay.errors import NotMedia, SourceDown
from klvrelay.sources.libav import demuxer
from klvrelay.sources.open import open_source

TAPE = feed.recording(count=30, padding=400)
SECURITY_KEY = bytes.fromhex("060e2b34020301010e01030302000000")
H264 = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\n"
AUDIO = "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
NOT_KLV = b"<tt:MetadataStream/>"


async def good_of(datagrams, media=KLV, query="", **options):
    async with Camera(datagrams, media, **options) as camera:
        records = await records_of(open_source(camera.url(query), timeout=1), within=30)
    return [record.raw for record in records if record.good]


def unchecked(count: int, size: int, rng: Random) -> list[bytes]:
    """KLV units without a checksum, of an even size: a sum over 16-bit words could not detect their reordering anyway.
    """
    return [
        SECURITY_KEY + b"\x82" + size.to_bytes(2) + number.to_bytes(4) + rng.randbytes(size - 4)
        for number in range(count)
    ]


def impaired(datagrams, rng: Random, share: float = 0.05):
    """Some lost, some repeated, some swapped with one of the next three."""
    kept = []
    for datagram in datagrams:
        if rng.random() >= share:
            kept += [datagram] * (1 + (rng.random() < share))
    for at in range(len(kept)):
        if rng.random() < share:
            other = min(at + rng.randint(1, 3), len(kept) - 1)
            kept[at], kept[other] = kept[other], kept[at]
    return kept


@pytest.mark.parametrize("size", [100, 500, 2000])
async def test_an_impaired_connection_makes_no_false_record_of_a_klv_track(size):
    """By UDP with loss, repetition and reordering, and without checksums: each valid one was sent, once and in order.
    """
    seed = 5
    rng = Random(seed)
    units = unchecked(200, size, rng)
    datagrams = impaired(rtp(fragments(units, 200), pause=0.0001), rng)

    good = await good_of(datagrams, query="?transport=udp")

    assert good == [unit for unit in units if unit in set(good)], f"seed {seed}"
    assert len(units) * 0.95 ** (size / 200 + 1) * 0.85 < len(good) < len(units), f"seed {seed}"


async def test_an_impaired_connection_makes_no_false_record_of_mpeg_ts():
    """The same where the KLV is in MPEG-TS, each packet of it in several TS packets."""
    seed = 6
    tape = feed.recording(count=300, padding=1500)
    datagrams = impaired(rtp([(0, one) for one in feed.datagrams(tape.ts)], kind=33, pause=0.0001), Random(seed))

    good = await good_of(datagrams, MP2T, "?transport=udp")

    assert good == [packet for packet in tape.klv if packet in set(good)], f"seed {seed}"
    assert 150 < len(good) < 300, f"seed {seed}"


async def test_reordered_datagrams_are_put_back_in_order(monkeypatch: pytest.MonkeyPatch):
    """Datagrams that arrive out of order, but soon, are not lost."""
    monkeypatch.setitem(demuxer._UDP_OPTIONS, "max_delay", "1000000")  # a busy machine may stop the sender for 20 ms
    datagrams = rtp(fragments(TAPE.klv, 100))
    for at in range(10, len(datagrams) - 2, 9):
        datagrams[at], datagrams[at + 2] = datagrams[at + 2], datagrams[at]

    assert await good_of(datagrams, query="?transport=udp") == TAPE.klv


async def test_repeated_datagrams_are_output_once_and_counted():
    """A network that sends all of it twice."""
    datagrams = [datagram for datagram in rtp(fragments(TAPE.klv, 100)) for _ in range(2)]
    async with Camera(datagrams) as camera:
        source = open_source(camera.url("?transport=udp"), timeout=1)
        records = await records_of(source)

    assert [record.raw for record in records] == TAPE.klv
    assert source.link.rtp_duplicates == len(datagrams) // 2


async def test_data_after_a_loss_is_held_for_a_moment_only():
    """libav waits for the missing one; most are received sooner than after its default of 100 ms."""
    sent = {}

    class Clocked(Camera):
        def _send(self, writer, data, track, *, control=False):
            sent.setdefault(data[12:], time.time_ns() // 1000)
            super()._send(writer, data, track, control=control)

    datagrams = rtp(fragments(TAPE.klv, 1000), pause=0.01)
    del datagrams[5::6]
    async with Clocked(datagrams) as camera:
        records = await records_of(open_source(camera.url("?transport=udp"), timeout=1))

    late = sorted(record.received_us - sent[record.raw] for record in records)
    assert len(late) == 25
    assert late[2 * len(late) // 3] < 40_000
    assert late[-1] < 1_000_000


LABELS = [
    "m=application 0 RTP/AVP 97\r\na=rtpmap:97 smpte336m/90000\r\n",
    "m=application 0 RTP/AVP 97\r\na=rtpmap:97 smtpe336m/90000\r\n",
    "m=application 0 RTP/AVP 97\r\na=rtpmap:97 KLV/1000\r\n",
    "m=application 0 RTP/AVP 97\r\na=rtpmap:97 vnd.onvif.metadata/90000\r\n",
    "m=application 0 RTP/SAVP 97\r\na=rtpmap:97 SMPTE336M/90000\r\n",
    "m=application 0 RTP/AVP 97\r\n",
    "m=video 0 RTP/AVP 97\r\na=rtpmap:97 SMPTE336M/90000\r\n",
]


@pytest.mark.parametrize("media", LABELS, ids=lambda media: media.replace("\r\n", " "))
async def test_klv_is_known_by_its_bytes_whatever_its_label(media):
    """The name in any case or misspelt, another one or none, under another medium."""
    assert await good_of(rtp(fragments(TAPE.klv, 100)), media) == TAPE.klv


@pytest.mark.parametrize(
    ("media", "track", "kind"),
    [
        (H264 + KLV, 1, 97),
        (KLV + H264, 0, 97),
        (H264 + AUDIO + KLV, 2, 97),
        (H264 + "m=application 0 RTP/AVP 96\r\na=rtpmap:96 smtpe336m/90000\r\n", 1, 96),
    ],
    ids=["behind video", "before video", "behind audio", "with the payload type of the video"],
)
async def test_klv_among_other_tracks_is_found(media, track, kind):
    """Even where the other tracks are silent, and where the payload type is used twice."""
    assert await good_of(rtp(fragments(TAPE.klv, 100), track=track, kind=kind), media) == TAPE.klv


async def test_two_klv_tracks_do_not_mix():
    """Each has a separate number and separate fragments."""
    other = feed.recording(count=30, padding=410)
    both = zip(rtp(fragments(TAPE.klv, 100)), rtp(fragments(other.klv, 100), track=1, first=7), strict=True)
    datagrams = [datagram for pair in both for datagram in pair]
    async with Camera(datagrams, KLV + KLV) as camera:
        records = await records_of(open_source(camera.url(), timeout=1))

    assert [record.raw for record in records if record.pid == 0] == TAPE.klv
    assert [record.raw for record in records if record.pid == 1] == other.klv


OTHER_TYPE = MP2T.replace("33", "97")


@pytest.mark.parametrize("media", [MP2T, OTHER_TYPE, OTHER_TYPE.replace("video", "application")])
async def test_mpeg_ts_is_demultiplexed_whatever_its_payload_type(media):
    """33 is the registered one; a server may choose its own, and call it video or application."""
    payloads = [(0, datagram) for datagram in feed.datagrams(TAPE.ts)]

    assert await good_of(rtp(payloads, kind=97 if "97" in media else 33), media) == TAPE.klv


def sparse(ts: bytes) -> bytes:
    """A recording that starts between its tables, with tables every 15th time only, and every 30th KLV packet."""
    packets, counters = [], {0: 0, 0x1000: 0, feed.KLV_PID: 0}
    met = dict.fromkeys(counters, 5)
    for at in range(len(ts) // 3 // 188 * 188, len(ts), 188):
        packet = bytearray(ts[at : at + 188])
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        if pid in counters:
            met[pid] += packet[1] >> 6 & 1
            if met[pid] % (30 if pid == feed.KLV_PID else 15):
                continue
            packet[3] = packet[3] & 0xF0 | counters[pid] & 0x0F
            counters[pid] += 1
        packets.append(bytes(packet))
    return b"".join(packets)


async def test_klv_that_is_rare_is_found_before_the_tables_are(shared):
    """A receiver that joins between two tables, half a second apart, beside video and with KLV once a second, gets all
    of it.
    """
    ts = sparse((shared / "data" / "osh_sample_stream.ts").read_bytes())
    sent = [record.raw for record in decode(ts)]
    payloads = [(0, datagram) for datagram in feed.datagrams(ts)]
    async with Camera(rtp(payloads, kind=33, pause=0.001), MP2T) as camera:
        records = await records_of(open_source(camera.url(), timeout=2))

    assert len(sent) == 6
    assert [record.raw for record in records] == sent[-len(records) :]
    assert len(records) >= 5


async def test_a_pid_that_appears_is_a_reason_to_reopen():
    """libav outputs no stream that was not there at first: PyAV 18 fails on it, 19 is silent; the earlier data is
    complete.
    """
    payloads = [(0, datagram) for datagram in feed.datagrams(TAPE.ts + feed.recording(pid=0x201).ts)]
    stumbles = int(av.__version__.partition(".")[0]) < 19
    records = []
    async with Camera(rtp(payloads, kind=33), MP2T) as camera:
        with pytest.raises(SourceDown, match="after reopening") if stumbles else nullcontext():
            await records_of(open_source(camera.url(), timeout=20), into=records, within=40)

    assert [record.raw for record in records] == TAPE.klv


async def test_metadata_that_is_no_klv_is_ignored():
    """XML beside the KLV makes no record."""
    xml = rtp([(3000 * number, NOT_KLV) for number in range(30)], track=1)
    klv = rtp(fragments(TAPE.klv, 1000))
    media = KLV + "m=application 0 RTP/AVP 97\r\na=rtpmap:97 vnd.onvif.metadata/90000\r\n"

    assert await good_of([one for pair in zip(klv, xml, strict=True) for one in pair], media) == TAPE.klv


async def test_a_server_that_grants_neither_transport_is_reported():
    """461 to both."""
    async with Camera([], transport="carrier pigeon") as camera:
        with pytest.raises(SourceDown, match="neither transport=tcp nor transport=udp"):
            await records_of(open_source(camera.url(), timeout=1))

    assert camera.transports == ["tcp", "udp"]


async def test_a_firewall_that_stops_udp_is_suggested_as_the_cause():
    """The session is open and no data arrives: the message says what to try."""
    async with Camera(rtp([(0, b"late")], pause=0.8)) as camera:
        with pytest.raises(SourceDown, match=r"transport=tcp"):
            await records_of(open_source(camera.url("?transport=udp"), timeout=0.4))


async def test_video_without_klv_is_no_source():
    """Only video is announced: the error lists it at once."""
    async with Camera(rtp([(3000 * number, b"\x65" + bytes(50)) for number in range(30)], kind=96), H264) as camera:
        with pytest.raises(NotMedia, match="only video"):
            await records_of(open_source(camera.url(), timeout=0.5))
