"""Cursor on Target events as datagrams, and what of records they have: groups, limits, counts, outputs."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
import takproto
from conftest import ROOT
from cot_cases import CENTRE, POSITION, RESTRICTED, packet, record_of
from far_ends import settings_of
from records import damaged, record, spoilt
from tak_servers import EVERY, ORBIT, first_of_orbit, number_of, positioned, pytak_receiver, sink_to
from test_cli import COMMAND

from klvrelay.config.settings import SinkSettings
from klvrelay.gap import Gap, Replay
from klvrelay.outcome import Outcome
from klvrelay.relay.build import shaper_of
from klvrelay.shape.marking import Limit
from klvrelay.shape.output import Output
from klvrelay.sinks.open import open_sink

GROUP = "239.2.3.1"


class Member:
    """A member of a group, on the loopback interface."""

    def __init__(self) -> None:
        self.sock = socket.socket(type=socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.bind((GROUP, 0))
        group = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton("127.0.0.1"))
        self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        self.sock.settimeout(5)
        self.url = f"cot+udp://{GROUP}:{self.sock.getsockname()[1]}?interface=lo"

    def __enter__(self) -> Member:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def next(self) -> bytes:
        return self.sock.recv(65536)

    def rest(self) -> list[bytes]:
        """What has arrived."""
        self.sock.setblocking(False)
        found = []
        try:
            while True:
                found.append(self.sock.recv(65536))
        except BlockingIOError:
            return found


# ---- datagrams ----


async def test_each_event_is_a_datagram_to_the_group():
    """As XML: aircraft, point of interest, footprint and target of a record."""
    with Member() as member:
        async with sink_to(member.url) as sink:
            first = first_of_orbit()
            assert await sink.deliver([first]) == Outcome(delivered=1)
        found = [ET.fromstring(member.next()).get("type") for _ in range(4)]
        assert found == ["a-f-A-M-F-Q", "b-m-p-s-p-i", "u-d-f", "a-u-G"]
        assert member.rest() == []


async def test_datagrams_of_protocol_1_are_read_by_takproto():
    """With `tak_protocol = "protobuf"`."""
    with Member() as member:
        async with sink_to(member.url, tak_protocol="protobuf") as sink:
            await sink.deliver([positioned(0)])
        found = takproto.parse_proto(bytearray(member.next())).cotEvent
    assert (found.uid, found.lat) == ("klvrelay.platform.uav1", pytest.approx(POSITION["sensor_latitude"], abs=1e-7))


async def test_pytak_receives_the_events_of_a_group(free_port: int):
    """A client of another make."""
    async with pytak_receiver(f"udp+ro://{GROUP}:{free_port}") as following:
        async with sink_to(f"cot+udp://{GROUP}:{free_port}?interface=lo") as sink:
            await sink.deliver([positioned(0)])
        assert await following() == ["klvrelay.platform.uav1", "a-f-A-M-F-Q"]


async def test_the_datagrams_of_a_record_are_bounded_in_size_and_number():
    """Of 200 targets, 50 by default; no event is larger than 2 kB, whatever the texts are."""
    series = [{"target_id": n, "target_location": {"latitude": 1.0, "longitude": 2.0, "hae": 0}} for n in range(200)]
    texts = {"platform_call_sign": "&" * 127, "platform_designation": "<" * 127, "mission_id": "'" * 127,
             "platform_tail_number": '"' * 127}  # fmt: skip
    with Member() as member:
        async with sink_to(member.url, uid_from="mission", video="rtsp://media/{stream}") as sink:
            await sink.deliver([record_of(packet({**POSITION, **texts, "vmti_local_set": {"vtarget_series": series}}))])
        found = [member.next() for _ in range(51)]
        assert member.rest() == []
    assert max(map(len, found)) < 4000


async def test_what_has_no_event_is_counted_and_costs_nothing_else():
    """Records without a position, with a bad checksum, damaged; gaps."""
    with Member() as member:
        async with sink_to(member.url) as sink:
            batch = [positioned(0), record(1), spoilt(2), damaged(3), Gap("uav1", "5f2c9a", 4, 5, "memory", None),
                     positioned(6)]  # fmt: skip
            assert await sink.deliver(batch) == Outcome(delivered=2, unwanted=3, gaps=1)
        found = [number_of(ET.fromstring(member.next())) for _ in range(2)]
    assert found == [0, 6]


# ---- what outputs publish ----


async def test_by_default_each_stream_has_one_record_per_second():
    """Of 25 per second, over four seconds; another rate is that of an output."""
    for outputs, count in (((), 4), ((replace(EVERY, rate=5.0),), 20)):
        made = SinkSettings("cot", settings_of("cot+udp://127.0.0.1:9"), outputs=outputs)
        with Member() as member:
            far_end = settings_of(member.url)
            async with open_sink(replace(made, far_end=far_end), shaper_of(made), "5f2c9a") as sink:
                outcome = await sink.deliver([positioned(n, stream) for n in range(100) for stream in ("a", "b")])
            assert outcome.delivered == 2 * count
            assert outcome.thinned == 200 - 2 * count
            assert len(member.rest()) in range(2 * count, 2 * count + 3)  # the last ones at the end


async def test_events_have_only_what_the_output_publishes():
    """Its items, its rounding of positions, its limit of markings."""
    whole = record_of(packet({**POSITION, **CENTRE, "platform_call_sign": "SECRET 1"}))
    marked = record_of(packet({**POSITION, **RESTRICTED}))
    cases: list[tuple[Output, Callable[[list[ET.Element]], None]]] = [
        (replace(EVERY, items=("frame",)), _only_the_frame),
        (replace(EVERY, coarse=1000.0), _coarse),
        (replace(EVERY, items=("!platform_call_sign",)), _without_callsign),
    ]
    for output, check in cases:
        with Member() as member:
            async with sink_to(member.url, output) as sink:
                assert await sink.deliver([whole]) == Outcome(delivered=1)
            check([ET.fromstring(data) for data in member.rest()])
    with Member() as member:
        async with sink_to(member.url, replace(EVERY, limit=Limit(level=1))) as sink:
            assert await sink.deliver([marked]) == Outcome(withheld=1)
        assert member.rest() == []


def _only_the_frame(events: list[ET.Element]) -> None:
    assert [event.get("type") for event in events] == ["b-m-p-s-p-i"]


def _coarse(events: list[ET.Element]) -> None:
    point = events[0].find("point")
    assert point is not None
    distance = abs(float(point.get("lat", "")) - POSITION["sensor_latitude"])
    assert 1e-5 < distance < 0.01


def _without_callsign(events: list[ET.Element]) -> None:
    assert "SECRET" not in "".join(ET.tostring(event).decode() for event in events)


async def test_records_of_an_outage_that_are_replayed_beside_live_ones_have_no_event():
    """They would move the markers back. With the usual order, all have events."""
    with Member() as member:
        async with sink_to(member.url) as sink:
            assert await sink.deliver(Replay([positioned(0), positioned(1)])) == Outcome(unwanted=2)
            assert await sink.deliver([positioned(2)]) == Outcome(delivered=1)
        found = [number_of(ET.fromstring(data)) for data in member.rest()]
    assert found == [2]


async def test_the_program_of_the_page_reads_what_is_sent(free_port: int):
    """The example in docs/cot.md runs as it stands, but for its port and interface."""
    (program,) = re.findall(r"(?ms)^```python\n(.*?)^```", (ROOT / "docs" / "cot.md").read_text())
    assert '6969, "0.0.0.0"' in program
    program = program.replace('6969, "0.0.0.0"', f'{free_port}, "127.0.0.1"')
    reader = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-c", program, stdout=asyncio.subprocess.PIPE
    )
    assert reader.stdout is not None
    try:
        printed = asyncio.create_task(reader.stdout.readline())
        async with asyncio.timeout(20), sink_to(f"cot+udp://{GROUP}:{free_port}?interface=lo") as sink:
            while not printed.done():  # until it has joined the group
                await sink.deliver([positioned(0)])
                await asyncio.sleep(0.05)
        assert printed.result().split() == [
            b"klvrelay.platform.uav1", b"a-f-A-M-F-Q", b"uav1", b"56.11973201", b"9.43048999", b"9999999.0",
        ]  # fmt: skip
    finally:
        reader.kill()
        await reader.wait()


async def test_a_recording_is_replayed_to_a_group():
    """By the command, as of now, with the sums at its end."""
    with Member() as member:
        words = ("replay", str(ORBIT), "--speed", "20", "--sink", f"{member.url}&event_time=received")
        replay = await asyncio.create_subprocess_exec(*COMMAND, *words, stderr=asyncio.subprocess.PIPE)
        before = time.time()
        _, said = await asyncio.wait_for(replay.communicate(), 30)
        found = [ET.fromstring(data) for data in member.rest()]
    assert replay.returncode == 0, said.decode()
    assert re.search(rb"\d delivered to cot\+udp://239\.2\.3\.1:\d+, 3\d\d thinned, 0 shed, 0 waiting", said)
    assert {event.get("type") for event in found} == {"a-f-A-M-F-Q", "b-m-p-s-p-i", "u-d-f", "a-u-G"}
    assert all(abs(datetime.fromisoformat(event.get("time", "")).timestamp() - before) < 30 for event in found)
