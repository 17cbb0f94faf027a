"""Impaired connections between sockets: UDP and RTP through a proxy that loses, swaps, repeats and flips; TCP through
toxics.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing

import pytest
from feed import datagrams, listening, rtp_datagrams, send_udp, tcp_server
from impaired_streams import Stream, Verdict, judged, made
from impairing_proxies import ImpairedUdp, Toxics, ToxicTcp

from klvrelay.decoder import Decoder
from klvrelay.errors import SourceDown
from klvrelay.record import Record
from klvrelay.sources.contract import Source
from klvrelay.sources.open import open_source

STREAMS = {stream.name: stream for stream in made()}
QUIET = 0.25
"""Seconds without data after which the stream counts as complete."""


class Listener:
    """The records of a source, read by a separate task."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.records: list[Record] = []
        self._decoder = Decoder("uav1", None)

    async def run(self) -> None:
        async with aclosing(self.source.packets()) as packets:
            async for packet in packets:
                self.records += self._decoder.feed(packet)

    def end(self) -> list[Record]:
        return [*self.records, *self._decoder.flush()]


async def sent_through(stream: Stream, wish: str, port: int, *, rtp: bool) -> Verdict:
    """A stream by UDP or RTP, impaired, into a source."""
    listener = Listener(open_source(f"{'rtp' if rtp else 'udp'}://127.0.0.1:{port}", demux="native"))
    task = asyncio.create_task(listener.run())
    await listening(port)
    verdict = Verdict()
    async with ImpairedUdp(port, wish) as wire:
        units = datagrams(stream.ts)
        whole = rtp_datagrams(units) if rtp else units
        await _paced(whole, wire)
        wire.rest()
        before = -1
        while before != (before := len(listener.records)):
            await asyncio.sleep(QUIET)
        tally = wire.tally
    task.cancel()
    await asyncio.wait([task])
    verdict = judged(listener.end(), stream.klv)
    verdict.tally = tally
    assert listener.source.dropped == 0
    return verdict


async def _paced(whole: Sequence[bytes], wire: ImpairedUdp) -> None:
    """At the proxy's speed, so that only the proxy loses data."""
    for at in range(0, len(whole), 50):
        send_udp(whole[at : at + 50], wire.port)
        end = time.monotonic() + 5
        while wire.received < min(at + 50, len(whole)):
            assert time.monotonic() < end
            await asyncio.sleep(0)
        for _ in range(4):
            await asyncio.sleep(0)


WISHES = "loss=5%", "loss=20%", "reorder=5%,by=3", "duplicate=10%,apart=4", "loss=2%,reorder=5%,duplicate=5%,jitter=1"


@pytest.mark.parametrize("rtp", [False, True], ids=["udp", "rtp"])
@pytest.mark.parametrize("wish", WISHES)
async def test_a_socket_outputs_no_false_record(wish: str, rtp: bool, free_port: int) -> None:
    """Each record that the source outputs as good was sent."""
    verdict = await sent_through(STREAMS["sync, two cells"], f"{wish},seed=3", free_port, rtp=rtp)
    assert verdict.false == []
    assert verdict.good > verdict.sent // 2
    assert verdict.tally.lost + verdict.tally.reordered + verdict.tally.duplicated > 5


@pytest.mark.parametrize("rtp", [False, True], ids=["udp", "rtp"])
async def test_ts_packets_are_damaged_inside_the_datagrams(rtp: bool, free_port: int) -> None:
    """Damage before the datagrams were made: no sequence number shows it."""
    verdict = await sent_through(
        STREAMS["async, several TS packets"], "loss=2%,reorder=2%,level=ts,seed=4", free_port, rtp=rtp
    )
    assert verdict.false == []
    assert verdict.damaged > 5
    assert verdict.good > verdict.sent // 2


async def test_rtp_repairs_what_it_can(free_port: int) -> None:
    """Datagrams out of order or repeated do no harm: sequence numbers show it, and nothing is output twice."""
    wish = "reorder=10%,by=3,duplicate=10%,apart=5,seed=5"
    verdict = await sent_through(STREAMS["async, several TS packets"], wish, free_port, rtp=True)
    assert (verdict.good, verdict.damaged, verdict.twice, verdict.late) == (verdict.sent, 0, 0, 0)
    assert verdict.tally.reordered > 10
    assert verdict.tally.duplicated > 10


@pytest.mark.parametrize("rtp", [False, True], ids=["udp", "rtp"])
async def test_rtp_detects_each_loss_in_a_set_without_a_checksum(rtp: bool, free_port: int) -> None:
    """Loss, reordering and repetition of datagrams, where only the transport vouches for a packet."""
    wish = "loss=5%,burst=3,seed=6" if not rtp else "loss=5%,burst=3,reorder=5%,by=2,duplicate=5%,apart=2,seed=6"
    verdict = await sent_through(STREAMS["async, no checksum"], wish, free_port, rtp=rtp)
    assert verdict.false == []
    assert verdict.good > verdict.sent // 2


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("level", ["datagram", "ts"])
async def test_ten_minutes_of_impairment_make_no_false_record(level: str, free_port: int) -> None:
    """Every carriage over UDP and RTP, impairment after impairment, seed after seed, for five minutes a level."""
    total, seed, end = Verdict(), 0, time.monotonic() + 300
    summed = [stream for stream in STREAMS.values() if stream.name != "async, no checksum"]
    while time.monotonic() < end:
        for wish in ("loss=1%", "loss=5%", "loss=20%", "reorder=5%,by=2", "duplicate=5%,apart=3"):
            stream = summed[seed % len(summed)]
            text = f"{wish},level={level},seed={seed}"
            verdict = await sent_through(stream, text, free_port, rtp=seed % 2 == 1)
            assert verdict.false == [], f"{stream.name}: {text}"
            total.add(verdict)
            seed += 1
    assert total.good > 10_000
    assert total.damaged > 1000


# ---- TCP ----


async def heard(source: Source) -> tuple[list[Record], str]:
    """The records of a source to its end, and its log lines."""
    listener, reason = Listener(source), ""
    try:
        await listener.run()
    except SourceDown as fault:
        reason = str(fault)
    return listener.end(), reason


@pytest.mark.parametrize(
    "toxics",
    [Toxics(slicer=97), Toxics(latency=0.001, slicer=3000), Toxics(bandwidth=3e6), Toxics(slow_close=0.2)],
    ids=["slicer", "latency", "bandwidth", "slow_close"],
)
async def test_a_slow_or_sliced_connection_loses_nothing(toxics: Toxics) -> None:
    """However the bytes are split, the records are those that were sent."""
    stream = STREAMS["sync, fragments"]
    short = Stream(stream.name, stream.ts[: 188 * 700], [])
    async with tcp_server(short.ts) as port, ToxicTcp(port, toxics) as proxy:
        records, reason = await heard(open_source(f"tcp://127.0.0.1:{proxy.port}"))
    verdict = judged(records, stream.klv)
    assert (verdict.false, verdict.twice, verdict.late, reason) == ([], 0, 0, "")
    assert verdict.good > 60


@pytest.mark.parametrize("how", ["close", "reset_peer", "timeout"])
@pytest.mark.parametrize("after", [188 * 300, 188 * 301 + 77])
async def test_a_connection_that_breaks_outputs_no_partial_packet_as_good(how: str, after: int) -> None:
    """FIN, RST, silence, in the middle of a packet: the incomplete packet is damaged, and the end is reported."""
    stream = STREAMS["async, several TS packets"]
    toxics = Toxics(limit_data=after, how=how)
    async with tcp_server(stream.ts, hang=True) as port, ToxicTcp(port, toxics) as proxy:
        records, reason = await heard(open_source(f"tcp://127.0.0.1:{proxy.port}", timeout=0.3))
    verdict = judged(records, stream.klv)
    assert (verdict.false, verdict.twice) == ([], 0)
    if how != "reset_peer":  # which may discard unread data
        assert verdict.good > 30
    assert bool(reason) == (how != "close")
