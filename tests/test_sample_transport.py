"""The sample's transport stream, byte by byte and through other demultiplexers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import pytest
from tstrans import codec as codecs
from tstrans.io import parse_file
from tstrans.klv import decode_uas_datalink
from tstrans.mpegts import DemuxerConfig, DemuxEvent, StrictMode, VideoCodec

from klvrelay import sample

SMALL = {"size": (160, 90), "seed": 5}
PMT, VIDEO, KLV = 0x1000, 0x100, 0x101
WRAP = 1 << 33


@dataclass
class TsPacket:
    """The fields of one transport packet."""

    pid: int
    start: bool
    counter: int
    pcr: int | None
    key: bool
    payload: bytes


def packets_of(path: Path) -> list[TsPacket]:
    data = path.read_bytes()
    assert len(data) % 188 == 0
    return [parsed(data[at : at + 188]) for at in range(0, len(data), 188)]


def parsed(raw: bytes) -> TsPacket:
    """According to ISO/IEC 13818-1, 2.4.3.2."""
    assert raw[0] == 0x47
    assert raw[1] & 0x80 == 0
    at, pcr, key = 4, None, False
    if raw[3] & 0x20:
        length = raw[4]
        at = 5 + length
        if length:
            key = bool(raw[5] & 0x40)
            if raw[5] & 0x10:
                pcr = int.from_bytes(raw[6:12], "big") >> 15
            stuffing = raw[5 + 1 + 6 * (pcr is not None) : at]
            assert set(stuffing) <= {0xFF}
    payload = raw[at:] if raw[3] & 0x10 else b""
    pid = int.from_bytes(raw[1:3], "big") & 0x1FFF
    return TsPacket(pid, bool(raw[1] & 0x40), raw[3] & 15, pcr, key, payload)


def pes_of(packets: list[TsPacket], pid: int) -> list[bytes]:
    """The complete PES packets of a PID."""
    found: list[bytes] = []
    for packet in packets:
        if packet.pid == pid:
            if packet.start:
                found.append(b"")
            found[-1] += packet.payload
    return found


def pts_of(pes: bytes) -> int | None:
    if not pes[7] & 0x80:
        return None
    a, b, c = pes[9], int.from_bytes(pes[10:12], "big"), int.from_bytes(pes[12:14], "big")
    assert a & 0xF1 == 0x21
    assert b & c & 1
    return (a >> 1 & 7) << 30 | (b >> 1) << 15 | c >> 1


def payload_of(pes: bytes) -> bytes:
    return pes[9 + pes[8] :]


def crc_is_right(section: bytes) -> bool:
    """CRC-32/MPEG-2 over a section including its CRC is zero."""
    crc = 0xFFFFFFFF
    for byte in section:
        for bit in range(7, -1, -1):
            top = crc >> 31 ^ byte >> bit & 1
            crc = crc << 1 & 0xFFFFFFFF ^ (0x04C11DB7 if top else 0)
    return crc == 0


def record(path: Path, **settings) -> Path:
    sample.write(path, **{"seconds": 2, **SMALL, **settings})
    return path


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> dict[tuple[str, str], Path]:
    """Two seconds in each codec and carriage."""
    folder = tmp_path_factory.mktemp("recordings")
    return {
        (codec, carriage): record(folder / f"{codec}-{carriage}.ts", codec=codec, carriage=carriage)
        for codec in ("h264", "h265")
        for carriage in ("sync", "async")
    }


@pytest.fixture(params=[(c, k) for c in ("h264", "h265") for k in ("sync", "async")], ids="-".join)
def kind(request) -> tuple[str, str]:
    return request.param


def test_continuity_counters_run_through(recordings, kind):
    """Each PID counts its packets modulo 16 without a gap."""
    last: dict[int, int] = {}
    for packet in packets_of(recordings[kind]):
        if packet.pid in last:
            assert packet.counter == (last[packet.pid] + 1) % 16
        last[packet.pid] = packet.counter

    assert last.keys() == {0, PMT, VIDEO, KLV}


def test_the_clock_runs_evenly_ahead_of_the_frames(recordings, kind):
    """There is a PCR at least every 100 ms, a fixed time before its frame."""
    packets = packets_of(recordings[kind])
    clocks = [packet.pcr for packet in packets if packet.pcr is not None]
    frames = [pts_of(pes) for pes in pes_of(packets, VIDEO)]

    assert len(clocks) == len(frames) == 60
    assert {after - before for before, after in pairwise(clocks)} == {3000}
    assert {frame - clock for frame, clock in zip(frames, clocks, strict=True)} == {18000}
    assert all(packet.pid == VIDEO for packet in packets if packet.pcr is not None)


def test_the_tables_come_every_tenth_of_a_second(recordings, kind):
    """PAT and PMT are at the very start, before each key frame, and at most 100 ms apart."""
    packets = packets_of(recordings[kind])
    times, fresh = [], False
    for packet in packets:
        if packet.pid == 0:
            fresh = True
        elif packet.pcr is not None:
            assert fresh or not packet.key
            times += [packet.pcr] * fresh
            fresh = False

    assert [packet.pid for packet in packets[:2]] == [0, PMT]
    assert sum(packet.key for packet in packets) == 2
    assert max(after - before for before, after in pairwise(times)) <= 9000


def test_sections_are_whole_and_their_crc_is_right(recordings, kind):
    """PAT and PMT fit one packet each and have a correct CRC."""
    for packet in packets_of(recordings[kind]):
        if packet.pid in (0, PMT):
            length = 3 + (int.from_bytes(packet.payload[2:4], "big") & 0xFFF)
            assert packet.start
            assert packet.payload[0] == 0
            assert crc_is_right(packet.payload[1 : 1 + length])
            assert set(packet.payload[1 + length :]) == {0xFF}


def test_synchronous_klv_is_declared_and_carried_by_the_rule(recordings):
    """0x15 with metadata descriptors; stream id 0xFC, PTS of the frame, complete numbered cells."""
    packets = packets_of(recordings["h264", "sync"])
    table = next(packet.payload for packet in packets if packet.pid == PMT)
    frames = [pts_of(pes) for pes in pes_of(packets, VIDEO)]

    assert b"\x15\xe1\x01\xf0\x16\x26\x09\x01\x00\xffKLVA\x00\x0f\x27\x09" in table
    for number, pes in enumerate(pes_of(packets, KLV)):
        cell = payload_of(pes)
        assert pes[:4] == b"\0\0\1\xfc"
        assert int.from_bytes(pes[4:6], "big") == len(pes) - 6
        assert pts_of(pes) == frames[number]
        assert cell[:3] == bytes([0, number, 0xDF])
        assert int.from_bytes(cell[3:5], "big") == len(cell) - 5
        assert decode_uas_datalink(cell[5:]).uas_ls_version == 19


def test_asynchronous_klv_is_declared_and_carried_by_the_rule(recordings):
    """0x06 registered as KLVA; stream id 0xBD, no PTS, the packet unchanged."""
    packets = packets_of(recordings["h264", "async"])
    table = next(packet.payload for packet in packets if packet.pid == PMT)

    assert b"\x06\xe1\x01\xf0\x06\x05\x04KLVA" in table
    for pes in pes_of(packets, KLV):
        assert pes[:4] == b"\0\0\1\xbd"
        assert int.from_bytes(pes[4:6], "big") == len(pes) - 6
        assert pts_of(pes) is None
        assert decode_uas_datalink(payload_of(pes)).uas_ls_version == 19


def test_a_strict_demultiplexer_finds_nothing_amiss(recordings, kind):
    """tstrans in its strictest mode reads every frame and packet without an error."""
    events = list(parse_file(recordings[kind], DemuxerConfig(strict_mode=StrictMode.FULL)))

    assert [e for e in events if isinstance(e, DemuxEvent.NonConformant | DemuxEvent.Discontinuity)] == []
    assert sum(isinstance(e, DemuxEvent.Video) for e in events) == 60
    assert sum(isinstance(e, DemuxEvent.Metadata) for e in events) == 60


def test_each_frame_carries_the_time_of_its_packet(recordings, kind):
    """The ST 0604 time in the video is item 2 of the KLV packet that follows the frame."""
    codec = {"h264": VideoCodec.H264, "h265": VideoCodec.H265}[kind[0]]
    frames, times = [], []
    for event in parse_file(recordings[kind]):
        if isinstance(event, DemuxEvent.Video):
            frames.append(codecs.extract_misp_timestamp(event.raw, codec))
        elif isinstance(event, DemuxEvent.Metadata):
            times.append(decode_uas_datalink(event.payload).timestamp_us)

    assert [frame.value for frame in frames] == times
    assert {frame.time_status for frame in frames} == {0x1F}
    assert len(set(times)) == 60


def test_the_time_has_the_form_of_real_recordings(recordings, shared):
    """The SEI message equals that in a real stream, except for the time itself."""

    def first(path: Path) -> bytes:
        data = path.read_bytes()
        at = data.index(b"MISPmicrosectime")
        return data[at - 6 : at + 29]

    ours, theirs = first(recordings["h264", "sync"]), first(shared / "data" / "osh_sample_stream.ts")

    the_time = {23, 24, 26, 27, 29, 30, 32, 33}
    assert [b for at, b in enumerate(ours) if at not in the_time] == [
        b for at, b in enumerate(theirs) if at not in the_time
    ]


def test_libav_reads_the_same_klv(recordings, kind):
    """PyAV returns the generator's packets one by one, with the PTS of the frame if synchronous."""
    with av.open(str(recordings[kind])) as container:
        video, data = container.streams.video[0], container.streams.data[0]
        read = [(packet.stream_index, packet.pts, bytes(packet)) for packet in container.demux(video, data)]
        ours, theirs = data.index, video.index
    klv = [(pts, packet) for index, pts, packet in read if packet and index == ours]
    frames = [pts for index, pts, packet in read if packet and index == theirs]

    assert [packet for _, packet in klv] == list(sample.packets(seconds=2, **SMALL))
    if kind[1] == "sync":
        assert [pts for pts, _ in klv] == frames


def test_the_presentation_time_wraps(tmp_path):
    """A recording that begins just below 2**33 ticks continues from zero, clock and frames alike."""
    packets = packets_of(record(tmp_path / "wrap.ts", seconds=1, first_pts=WRAP - 30_000))
    frames = [pts_of(pes) for pes in pes_of(packets, VIDEO)]
    clocks = [packet.pcr for packet in packets if packet.pcr is not None]

    assert frames == [(WRAP - 30_000 + 3000 * number) % WRAP for number in range(30)]
    assert [pts_of(pes) for pes in pes_of(packets, KLV)] == frames
    assert clocks == [(frame - 18_000) % WRAP for frame in frames]


def test_klv_may_come_more_seldom_than_frames(tmp_path):
    """At 10 packets to 25 frames a second each packet has the PTS and the time of a frame."""
    packets = packets_of(record(tmp_path / "seldom.ts", seconds=1, fps=25, klv_rate=10))
    frames = [pts_of(pes) for pes in pes_of(packets, VIDEO)]
    klv = pes_of(packets, KLV)

    assert len(frames) == 25
    assert [frames.index(pts_of(pes)) for pes in klv] == [0, 3, 5, 8, 10, 13, 15, 18, 20, 23]
    first, second = (decode_uas_datalink(payload_of(pes)[5:]).timestamp_us for pes in klv[:2])
    assert second - first == 120_000


@pytest.mark.parametrize(("fps", "ticks", "microseconds"), [(29.97, 3003, 33367), (10, 9000, 100_000)])
def test_other_frame_rates_keep_time(tmp_path, fps, ticks, microseconds):
    """29.97 is 30000/1001; at 10 a second there are still enough PCRs."""
    packets = packets_of(record(tmp_path / "rate.ts", seconds=1, fps=fps))
    frames = [pts_of(pes) for pes in pes_of(packets, VIDEO)]
    first, second = (decode_uas_datalink(payload_of(pes)[5:]).timestamp_us for pes in pes_of(packets, KLV)[:2])

    assert {b - a for a, b in pairwise(frames)} == {ticks}
    assert second - first == microseconds
