"""The pipeline with scripted sources and sinks: order, counting, waiting, shedding, retry, stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

import feed
import orjson
import pytest
from brokers import until
from scripted_ends import TAPE, Ear, Tape, live

from klvrelay import backoff as repeats
from klvrelay.backoff import Backoff
from klvrelay.config.url import Url
from klvrelay.errors import NoKlv, NotMedia, SinkDown, SinkRefused, SourceDown
from klvrelay.record import Packet
from klvrelay.relay import opening as opening_module
from klvrelay.relay import sink_task as sink_task_module
from klvrelay.relay import stream as stream_module
from klvrelay.relay import tick as tick_module
from klvrelay.relay.relay import Relay
from klvrelay.relay.stream_input import StreamInput


def relay(*sources: Tape, sink: Ear | None = None, waiting: int = 10_000, stall: float = 5.0) -> Relay:
    feeds = [StreamInput(f"uav{n}", lambda s=source: s, str(source.url), stall) for n, source in enumerate(sources, 1)]
    return Relay(feeds, [("ear", Ear() if sink is None else sink)], boot="5f2c9a", waiting=waiting)  # type: ignore[list-item]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off and checks in milliseconds."""
    monkeypatch.setattr(tick_module, "TICK", 0.01)
    monkeypatch.setattr(tick_module, "STATES", 100)
    monkeypatch.setattr(repeats, "PACE", 0.0)
    for module in (stream_module, sink_task_module):
        monkeypatch.setattr(module, "Backoff", lambda **_: Backoff(first=0.002, cap=0.01))


@asynccontextmanager
async def running(pipeline: Relay) -> AsyncIterator[asyncio.Task[None]]:
    """The running relay; it must not end by itself, and stops in time."""
    task = asyncio.create_task(pipeline.run())
    try:
        yield task
    finally:
        ended = task.done()
        task.cancel()
        await asyncio.wait({task}, timeout=8)
        fault = None if task.cancelled() else task.exception()
    assert not ended, fault


async def test_every_record_of_a_file_is_delivered_in_order_and_the_relay_ends():
    """All of them, numbered from 0 without a gap, and the stream goes offline at the end."""
    ear = Ear()
    await asyncio.wait_for(relay(Tape(), sink=ear).run(), 5)
    assert [r.raw for r in ear.records] == TAPE.klv
    assert ear.seqs() == list(range(40))
    assert ear.availability()[-1] == b"offline"
    assert (ear.entered, ear.left) == (1, 1)
    state = orjson.loads([n.document for n in ear.published if n.kind == "state"][-1])
    assert state["items"]["mission_id"] == "39"


async def test_a_sink_that_fails_is_offered_the_same_batch_again():
    """After SinkDown: a new connection, nothing lost, nothing out of order."""
    ear = Ear(faults=[SinkDown("gone"), SinkDown("gone"), SinkRefused("not today")])
    await asyncio.wait_for(relay(Tape(), sink=ear).run(), 5)
    assert ear.seqs() == list(range(40))
    assert ear.entered == ear.left == 4


async def test_an_unreachable_sink_is_retried_and_logged_once(said: Callable[[], list[str]]):
    """Twenty attempts: one line for the outage, one for the connection."""
    ear = Ear(door=[SinkDown("mqtt://h:1883: connection refused")] * 20)
    await asyncio.wait_for(relay(Tape(), sink=ear).run(), 5)
    assert ear.seqs() == list(range(40))
    assert [m for m in said() if "refused" in m] == ["mqtt://h:1883: connection refused; retrying, records wait"]
    assert sum("connected" in m for m in said()) == 1


async def test_a_sink_that_refuses_at_the_first_attempt_ends_the_relay():
    """The operator must correct wrong credentials: no retry, and sources and sinks are closed."""
    source, ear = live(hang=True), Ear(door=[SinkRefused("mqtt://h:1883: wrong user or password")])
    with pytest.raises(SinkRefused, match="wrong user"):
        await asyncio.wait_for(relay(source, sink=ear).run(), 5)
    assert source.opened == source.closed


async def test_a_file_waits_for_capacity_and_sheds_nothing():
    """A sink slower than the disk, and capacity for three records: all arrive."""
    ear = Ear()
    pipeline = relay(Tape(TAPE.klv), sink=ear, waiting=3)
    ear.gate.clear()
    asyncio.get_running_loop().call_later(0.05, ear.gate.set)
    await asyncio.wait_for(pipeline.run(), 5)
    assert ear.seqs() == list(range(40))
    assert pipeline.sink_tasks[0].cursor.shed == 0


async def test_two_files_side_by_side_shed_nothing():
    """They share the capacity."""
    ear = Ear()
    pipeline = relay(Tape(TAPE.klv), Tape(TAPE.klv), Tape(TAPE.klv), sink=ear, waiting=1)
    await asyncio.wait_for(pipeline.run(), 5)
    assert [ear.seqs(f"uav{n}") for n in (1, 2, 3)] == [list(range(40))] * 3
    assert pipeline.sink_tasks[0].cursor.shed == 0


async def test_the_records_at_the_end_of_a_file_wait_for_capacity_too():
    """The incomplete last packet is damaged, and sheds none of the earlier ones."""
    ear = Ear()
    async def at_once() -> None:
        pass

    pipeline = relay(Tape([*TAPE.klv, TAPE.klv[0][:30]], between=at_once), sink=ear, waiting=1)
    await asyncio.wait_for(pipeline.run(), 5)
    assert ear.seqs() == list(range(41))
    assert ear.records[-1].transport == "damaged"


async def test_a_live_source_sheds_the_oldest_and_counts_them():
    """A live source never waits for a sink, and the number of lost records is reported."""
    ear = Ear()
    source = live(*TAPE.klv, hang=True)
    pipeline = relay(source, sink=ear, waiting=10)
    ear.gate.clear()
    async with running(pipeline):
        await until(lambda: pipeline.streams[0].health.records == 40)
        shed = pipeline.sink_tasks[0].cursor.shed
        ear.gate.set()
        await until(lambda: not pipeline.sink_tasks[0].cursor.waiting)
    assert 20 <= shed <= 30
    assert len(ear.records) + shed == 40
    assert ear.seqs()[-5:] == list(range(35, 40))
    assert f"{shed} shed" in pipeline.summary()


async def test_a_broken_live_source_is_reopened_and_logged_once(said: Callable[[], list[str]]):
    """Many attempts: one line; its sequence numbers continue afterwards."""
    broken = live(b"", fault=SourceDown("udp://127.0.0.1:5000: nobody listens there"))
    broken.data = ()
    ear, tries = Ear(), []

    def opener() -> Tape:
        tries.append(1)
        return broken if 1 < len(tries) < 15 else live(hang=len(tries) >= 15)

    pipeline = Relay([("uav1", opener, "udp://127.0.0.1:5000")], [("ear", ear)], boot="b")  # type: ignore[list-item]
    async with running(pipeline):
        await until(lambda: len(ear.records) == 80)
    assert ear.seqs() == list(range(80))
    assert broken.opened == broken.closed == 13
    assert sum("nobody listens" in m for m in said()) == 1
    assert sum(": back" in m for m in said()) == 1
    assert ear.availability()[-1] == b"offline"


async def test_one_bad_stream_affects_only_that_stream():
    """A source that fails for good, one that fails repeatedly, one that is not media: the fourth is complete."""
    bad = (
        Tape((), fault=NotMedia("paper.klv is empty")),
        live(fault=SourceDown("gone")),
        live(fault=NotMedia("tcp://h:1 sends neither MPEG-TS nor KLV")),
    )
    good, ear = Tape(TAPE.klv, hang=True), Ear()
    async with running(relay(*bad, good, sink=ear)):
        await until(lambda: len(ear.seqs("uav4")) == 40 and bad[1].opened > 3)
    assert ear.seqs("uav4") == list(range(40))


@pytest.mark.parametrize("fault", [RuntimeError("an internal error"), OSError(5, "disk"), ValueError("x")])
async def test_an_internal_error_in_one_stream_does_not_end_the_others(fault: Exception, said: Callable[[], list[str]]):
    """An unexpected exception is contained: it is logged, and the other stream continues."""
    ear, good = Ear(), live(*TAPE.klv, hang=True)
    async with running(relay(live(fault=fault), good, sink=ear)):
        await until(lambda: len(ear.seqs("uav2")) == 40, 2)
        await until(lambda: any("uav1" in m and "online" not in m for m in said()))
    assert ear.seqs("uav2") == list(range(40))


async def test_an_internal_error_in_a_file_is_reported(said: Callable[[], list[str]]):
    """A file is not retried: the incomplete reading is logged, and is the relay's result."""
    ear = Ear()
    pipeline = relay(Tape(TAPE.klv, fault=RuntimeError("an internal error")), sink=ear)
    await asyncio.wait_for(pipeline.run(), 5)
    assert ear.seqs() == list(range(40))
    assert sum("RuntimeError" in m for m in said()) == 1
    assert pipeline.fault is not None


async def test_an_unreadable_file_is_the_relays_result_once_the_others_have_ended():
    """The other file is relayed completely; then the error sets the exit code."""
    ear = Ear()
    pipeline = relay(Tape((), fault=SourceDown("x.ts: no such file")), Tape(), sink=ear)
    await asyncio.wait_for(pipeline.run(), 5)
    assert ear.seqs("uav2") == list(range(40))
    assert isinstance(pipeline.fault, SourceDown)


async def test_a_recording_without_klv_is_an_error_of_the_relay():
    """It was read to its end without KLV."""
    pipeline = relay(Tape((b"no KLV",)))
    await asyncio.wait_for(pipeline.run(), 5)
    assert isinstance(pipeline.fault, NoKlv)


async def test_stopping_closes_sources_and_delivers_waiting_records():
    """Cancelled: sources are closed first, then their records delivered, then the sink is closed."""
    ear, sources = Ear(), [live(*TAPE.klv, hang=True) for _ in range(3)]
    pipeline = relay(*sources, sink=ear)
    ear.gate.clear()
    async with running(pipeline):
        await until(lambda: sum(s.health.records for s in pipeline.streams) == 120)
        asyncio.get_running_loop().call_later(0.05, ear.gate.set)
    assert [(s.opened, s.closed) for s in sources] == [(1, 1)] * 3
    assert len(ear.records) == 120
    assert ear.left == ear.entered == 1
    assert [ear.availability(f"uav{n}")[-1] for n in (1, 2, 3)] == [b"offline"] * 3


async def test_stopping_does_not_wait_for_a_disconnected_sink():
    """Nothing can be delivered: the relay ends at once, and reports what is left."""
    ear = Ear(door=[SinkDown("away")] * 10_000)
    pipeline = relay(live(*TAPE.klv, hang=True), sink=ear)
    async with running(pipeline):
        await until(lambda: ear.entered > 2 and pipeline.streams[0].health.records == 40)
        start = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - start < 1
    assert "40 waiting" in pipeline.summary()


async def test_latest_values_are_published_at_most_once_a_second():
    """A hundred and twenty records in a second: a handful of states, each with all earlier items."""
    tape, ear = feed.recording(120), Ear()
    source = live(*tape.klv, hang=True, between=lambda: asyncio.sleep(0.008))
    async with running(relay(source, sink=ear)):
        await until(lambda: len(ear.records) == 120, 10)
    states = [orjson.loads(n.document) for n in ear.published if n.kind == "state"]
    assert 1 <= len(states) <= 4
    assert states[-1]["items"]["mission_id"] == "119"
    assert states[-1]["seq"] == 119


async def test_a_stream_that_falls_silent_goes_offline_and_returns(said: Callable[[], list[str]]):
    """After the stall time without a packet; online again with the next one; each logged once."""
    gate, ear = asyncio.Event(), Ear()
    source = live(TAPE.klv[0], TAPE.klv[1], hang=True, between=gate.wait)
    async with running(relay(source, sink=ear, stall=0.3)) as _:
        await until(lambda: ear.availability()[-2:] == [b"online", b"offline"])
        assert ear.link()["state"] == "stale"
        gate.set()
        await until(lambda: ear.availability()[-1:] == [b"online"] and ear.link()["state"] == "live")
        assert ear.availability().count(b"online") == 2
        report = ear.link()
    assert (report["outages"]["count"], report["outages"]["recovered"]) == (1, 1)
    assert report["outages"]["last_s"] >= 0.3
    assert sum("uav1: stale: nothing received" in m for m in said()) == 1
    assert sum("uav1: live: back after" in m for m in said()) == 1


async def test_a_source_with_fixed_streams_is_reopened_when_its_klv_stops():
    """libav never outputs a PID that appears later: bytes without KLV, and it is reopened, at growing intervals."""
    openings: list[Tape] = []

    def opener() -> Tape:
        with_klv = len(openings) % 2 == 0
        openings.append(live(TAPE.klv[0] if with_klv else b"video", hang=True, fixed=True))
        return openings[-1]

    ear = Ear()
    pipeline = Relay([StreamInput("uav1", opener, "rtsp://h/1", 0.05)], [("ear", ear)], boot="b")  # type: ignore[list-item]
    async with running(pipeline):
        await until(lambda: len(openings) >= 4 and len(ear.records) >= 2)
    assert [tape.opened for tape in openings] == [tape.closed for tape in openings] == [1] * len(openings)
    assert pipeline.streams[0].health.openings == len(openings)
    assert ear.seqs() == list(range(len(ear.records)))


async def test_a_source_that_follows_stream_changes_is_not_reopened():
    """Datagrams without KLV: the socket stays, for the lane finds KLV whenever it comes."""
    source, ear = live(b"video", hang=True), Ear()
    async with running(relay(source, sink=ear, stall=0.02)):
        await until(lambda: ear.published and ear.link()["state"] == "stale")
        await asyncio.sleep(0.3)
    assert source.opened == 1


async def test_a_source_that_does_not_end_is_abandoned(
    monkeypatch: pytest.MonkeyPatch, said: Callable[[], list[str]]
):
    """It hangs while it is closed: the stream continues with a new opening, and so do the other streams."""
    monkeypatch.setattr(opening_module, "CLOSING", 0.05)
    stuck, openings, ear = asyncio.Event(), [], Ear()

    class Stuck(Tape):
        async def packets(self) -> AsyncGenerator[Packet, None]:
            try:
                yield Packet(TAPE.klv[0], 1, "klv")
                await asyncio.get_running_loop().create_future()
            finally:
                await stuck.wait()

    def opener() -> Tape:
        openings.append(1)
        first = Stuck(live=True, fixed=True, url=Url.parse("rtsp://h/1"))
        return first if len(openings) == 1 else live(hang=True)

    feeds = [StreamInput("uav1", opener, "rtsp://h/1", 0.05), StreamInput("uav2", lambda: live(hang=True), "udp://:5001")]
    pipeline = Relay(feeds, [("ear", ear)], boot="b")  # type: ignore[list-item]
    async with running(pipeline):
        await until(lambda: len(ear.seqs("uav1")) >= 41 and len(ear.seqs("uav2")) >= 40)
        stuck.set()
    assert sum("does not close, abandoned" in m for m in said()) == 1


async def test_a_source_that_hangs_is_moved_to_a_separate_process(said: Callable[[], list[str]]):
    """libav returned nothing for longer than all its timeouts: its thread is abandoned, and a process reads on."""
    ear, plain = Ear(), live(hang=True, fixed=True)
    plain.data = ()
    apart = live(*TAPE.klv, hang=True, fixed=True)
    feed_ = StreamInput("uav1", lambda: plain, "rtsp://h/1", 5.0, lambda: apart, 0.05)
    async with running(Relay([feed_], [("ear", ear)], boot="b")):  # type: ignore[arg-type,list-item,return-value]
        await until(lambda: len(ear.records) == 40)
    assert (plain.opened, plain.closed) == (1, 1)
    assert sum("moved to a separate process" in m for m in said()) == 1


async def test_transport_counters_are_summed_over_all_openings():
    """Bytes, drops and lane counts of every opening are in the report; a record's damage too."""
    ear, tries = Ear(), []

    def opener() -> Tape:
        tries.append(1)
        tape = live(TAPE.klv[0], dropped=3, hang=len(tries) == 4)
        tape.link.rtp_lost = 2
        return tape

    pipeline = Relay([StreamInput("uav1", opener, "udp://:5000")], [("ear", ear)], boot="b")  # type: ignore[list-item]
    async with running(pipeline):
        await until(lambda: len(ear.records) == 4)
    report = ear.link()
    assert (report["state"], report["openings"], report["klv"]["records"]) == ("ended", 4, 4)
    assert (report["link"]["rtp_lost"], report["link"]["dropped"]) == (8, 12)
    assert report["link"]["bytes"] == 4 * len(TAPE.klv[0])


async def test_a_thousand_failed_openings_leave_no_task():
    """Each attempt frees its resources."""
    source, ear = live(fault=SourceDown("gone")), Ear()
    source.data = ()
    before = asyncio.all_tasks()
    async with running(relay(source, sink=ear)):
        await until(lambda: source.opened > 100, 10)
        assert len(asyncio.all_tasks() - before) < 12
    assert source.opened == source.closed
