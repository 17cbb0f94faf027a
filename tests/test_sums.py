"""Every numbered record is accounted for at every stop: delivered, rejected, shed, left out or waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import feed
import orjson
import pytest
from brokers import until
from mqtt_wire import read_publish
from oracle_broker import OracleBroker
from records import records_of
from scripted_ends import TAPE, Ear, Tape, live

from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings
from klvrelay.config.url import Url
from klvrelay.errors import SinkDown
from klvrelay.outcome import Outcome, Sums
from klvrelay.record import Record
from klvrelay.relay import relay as relay_module
from klvrelay.relay.build import LOST, build_relay, run_relay
from klvrelay.relay.notices import NoticeCursor
from klvrelay.relay.relay import Relay
from klvrelay.relay.stream_input import StreamInput
from klvrelay.sinks.mqtt.values import published_values

SPOILT = TAPE.klv[1][:-1] + bytes([TAPE.klv[1][-1] ^ 0xFF])


class Picky(Ear):
    """A sink that rejects each third record, and leaves out each seventh."""

    async def deliver(self, batch: Sequence[Record]) -> Outcome:
        await super().deliver(batch)
        records = records_of(batch)
        left_out = sum(each.seq % 7 == 0 for each in records)
        rejected = sum(each.seq % 3 == 0 and each.seq % 7 != 0 for each in records)
        return Outcome(len(records) - rejected - left_out, rejected, left_out, gaps=len(batch) - len(records))


def relay(*sources: Tape, sinks: Sequence[tuple[str, Any]], waiting: int = 10_000) -> Relay:
    feeds = [StreamInput(f"uav{n}", lambda s=source: s, str(source.url)) for n, source in enumerate(sources, 1)]  # type: ignore[misc]
    return Relay(feeds, sinks, boot="5f2c9a", waiting=waiting)


async def stopped(pipeline: Relay, when: Any) -> None:
    """Run it until `when()` holds, and stop it."""
    task = asyncio.create_task(pipeline.run())
    try:
        await until(lambda: task.done() or when())
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=8)


def accounted(pipeline: Relay) -> list[Sums]:
    """The sums of each sink: they equal the number of decoded records."""
    decoded = sum(health.records for stream in pipeline.streams for health in stream.healths)
    for sink_task in pipeline.sink_tasks:
        numbered, *parts = sink_task.sums()
        assert numbered == sum(parts) == decoded
        assert sink_task.health.sums == sink_task.sums()
    return [sink_task.sums() for sink_task in pipeline.sink_tasks]


async def test_a_file_that_is_stopped_while_it_waits_for_capacity_keeps_its_counts():
    """One piece of it had 40 records, capacity was three: all are reported as left, none as delivered."""
    ear = Ear()
    ear.gate.clear()
    pipeline = relay(Tape(hang=True), sinks=[("ear", ear)], waiting=3)
    await stopped(pipeline, lambda: pipeline.lost == 3)
    assert accounted(pipeline) == [Sums(40, 0, 0, 0, 0, 40)]
    assert pipeline.summary() == (
        "40 records, 0 bad or damaged, 0 packets dropped; 0 delivered to ear, 0 shed, 40 waiting"
    )
    assert pipeline.lost == 40


async def test_the_last_record_of_a_stopped_file_sheds_nothing():
    """It is stopped in a packet, which is dropped: the log is full, and a file sheds none of its records."""
    ear = Ear()
    ear.gate.clear()
    pipeline = relay(Tape((TAPE.bare + TAPE.klv[0][:30],), hang=True), sinks=[("ear", ear)], waiting=3)
    await stopped(pipeline, lambda: pipeline.lost == 3)
    assert accounted(pipeline) == [Sums(40, 0, 0, 0, 0, 40)]


async def test_shedding_is_reported_while_the_relay_runs(said: Any):
    """Not only when it stops."""
    ear = Ear()
    ear.gate.clear()
    pipeline = relay(live(*TAPE.klv, hang=True), sinks=[("ear", ear)], waiting=10)
    await stopped(pipeline, lambda: any("ear: too many records wait" in line for line in said()))


async def test_a_live_stream_that_is_stopped_keeps_its_counts(monkeypatch: pytest.MonkeyPatch):
    """Before a blocked sink: some were shed, some are left."""
    monkeypatch.setattr(relay_module, "LAST_DELIVERY", 0.05)
    ear = Ear()
    ear.gate.clear()
    pipeline = relay(live(*TAPE.klv, hang=True), sinks=[("ear", ear)], waiting=10)
    await stopped(pipeline, lambda: pipeline.streams[0].health.records == 40)
    assert accounted(pipeline) == [Sums(40, 0, 0, 30, 0, 10)]
    assert "0 delivered to ear, 30 shed, 10 waiting" in pipeline.summary()


async def test_a_record_that_no_sink_accepted_is_not_delivered():
    """Refused records, and those never offered, are reported as such."""
    pipeline = relay(Tape(), sinks=[("picky", Picky()), ("ear", Ear())])
    await asyncio.wait_for(pipeline.run(), 5)
    assert accounted(pipeline) == [Sums(40, 22, 12, 0, 6, 0), Sums(40, 40, 0, 0, 0, 0)]
    picky, ear = pipeline.summary().split("; ")[1:]
    assert picky == "22 delivered to picky, 12 rejected, 6 left out, 0 shed, 0 waiting"
    assert ear == "40 delivered to ear, 0 shed, 0 waiting"
    assert pipeline.lost == 18
    assert pipeline.losses == "sink=picky shed=0 rejected=12 left_out=6 waiting=0"


async def test_a_record_excluded_by_the_settings_is_not_lost():
    """It is counted separately."""

    class Choosy(Ear):
        async def deliver(self, batch: Sequence[Record]) -> Outcome:
            return Outcome((await super().deliver(batch)).delivered - 1, unwanted=1)

    pipeline = relay(Tape(), sinks=[("choosy", Choosy())])
    await asyncio.wait_for(pipeline.run(), 5)
    (sums,) = accounted(pipeline)
    assert sums.unwanted > 0
    choosy = pipeline.summary().split("; ")[1]
    assert choosy == f"{40 - sums.unwanted} delivered to choosy, {sums.unwanted} unwanted, 0 shed, 0 waiting"
    assert (pipeline.lost, pipeline.losses) == (0, "")


async def test_two_sinks_of_which_one_is_blocked():
    """The blocked one sheds, the other one has all; each is accounted for separately."""
    stuck, ear = Ear(), Ear()
    stuck.gate.clear()
    pipeline = relay(live(*TAPE.klv, hang=True), sinks=[("stuck", stuck), ("ear", ear)], waiting=10)
    await stopped(pipeline, lambda: len(ear.records) == 40)
    assert accounted(pipeline) == [Sums(40, 0, 0, 30, 0, 10), Sums(40, 40, 0, 0, 0, 0)]
    assert ear.seqs() == list(range(40))


async def test_a_damaged_record_with_a_bad_checksum_counts_once():
    """It is bad and damaged; it is one record."""
    source = Tape((TAPE.klv[0] + SPOILT + TAPE.klv[2] + TAPE.klv[3][:30],))
    pipeline = relay(source, sinks=[("ear", Ear())])
    await asyncio.wait_for(pipeline.run(), 5)
    health = pipeline.streams[0].health
    assert (health.records, health.bad, health.damaged) == (4, 2, 1)
    assert pipeline.summary().startswith("4 records, 2 bad or damaged,")


def settings(oracle: OracleBroker, folder: Path, **mqtt: Any) -> RelaySettings:
    path = folder / "uav1.ts"
    path.write_bytes(TAPE.klv[0] + SPOILT + b"".join(TAPE.klv[2:]))
    source = SourceSettings(Url.parse(path), stream="uav1")
    sink = SinkSettings("mqtt", MqttSettings(host="127.0.0.1", port=oracle.port, **mqtt))
    return RelaySettings((source,), (sink,))


async def test_the_last_status_has_the_sums(oracle: OracleBroker, tmp_path: Path):
    """At the end of a file with one record that the settings exclude."""
    pipeline = build_relay(settings(oracle, tmp_path, publish_bad="drop"))
    await asyncio.wait_for(pipeline.run(), 10)
    assert accounted(pipeline) == [Sums(40, 39, unwanted=1)]
    status = orjson.loads(oracle.payloads("klvrelay/status")[-1])
    assert (status["state"], status["reason"]) == ("offline", "stopped")
    assert status["records"] == accounted(pipeline)[0]._asdict()


async def test_records_that_are_too_large_for_the_broker_are_lost(oracle: OracleBroker, tmp_path: Path, said: Any):
    """The last line of the log counts them, and the exit code reports it."""
    oracle.manners.limits[0x27] = 300
    assert await asyncio.wait_for(run_relay(settings(oracle, tmp_path)), 10) == LOST
    assert said()[-1].endswith("shed=0 rejected=0 left_out=40 waiting=0")


async def test_records_excluded_by_the_settings_are_no_loss(oracle: OracleBroker, tmp_path: Path, said: Any):
    """Exit code 0."""
    assert await asyncio.wait_for(run_relay(settings(oracle, tmp_path, publish_bad="drop")), 10) == 0
    assert "1 unwanted, 0 shed, 0 waiting" in said()[-1]


async def test_the_last_status_of_a_relay_that_is_stopped_has_the_sums(
    oracle: OracleBroker, free_port: int, monkeypatch: pytest.MonkeyPatch
):
    """The broker acknowledges no record: none is delivered, all are waiting."""
    publish = oracle._publish

    def publish_unless_record(guest: Any, flags: int, body: bytes) -> None:
        if b"/telemetry" in body[:60]:
            oracle.published.append(read_publish(guest, flags, body)[0])
        else:
            publish(guest, flags, body)

    monkeypatch.setattr(oracle, "_publish", publish_unless_record)
    monkeypatch.setattr(relay_module, "LAST_DELIVERY", 0.3)
    monkeypatch.setattr(relay_module, "LAST_SINKS", 10.0)  # a busy machine takes longer
    monkeypatch.setattr(published_values, "GOODBYE_TIMEOUT", 5.0)
    source = SourceSettings(Url.parse(f"udp://127.0.0.1:{free_port}"), stream="uav1")
    sink = SinkSettings("mqtt", MqttSettings(host="127.0.0.1", port=oracle.port, window=100))
    pipeline = build_relay(RelaySettings((source,), (sink,)))
    task = asyncio.create_task(pipeline.run())
    await feed.listening(free_port)
    feed.send_udp(feed.datagrams(TAPE.ts), free_port)
    await until(lambda: oracle.payloads("klvrelay/uav1/telemetry") and pipeline.lost == 40)
    task.cancel()
    await asyncio.wait({task}, timeout=20)
    await until(lambda: b"offline" in oracle.payloads("klvrelay/status")[-1])

    assert accounted(pipeline) == [Sums(40, 0, 0, 0, 0, 40)]
    status = orjson.loads(oracle.payloads("klvrelay/status")[-1])
    assert (status["state"], status["records"]) == ("offline", accounted(pipeline)[0]._asdict())


async def test_a_record_that_the_broker_has_taken_but_not_released_is_waiting(oracle: OracleBroker, tmp_path: Path):
    """QoS 2: the broker goes away after a PUBREC, and the relay stops. Only released messages count as delivered."""
    steps: list[str] = []

    def leave(step: str) -> None:
        steps.append(step)
        if steps.count("PUBREC") == 12:
            assert oracle._server is not None
            oracle._server.close()
            oracle.cut()

    oracle.on_step = leave
    pipeline = build_relay(settings(oracle, tmp_path, qos=2))
    await stopped(pipeline, lambda: pipeline.sink_tasks[0].health.outages)

    (sums,) = accounted(pipeline)
    released = [message for message in oracle.released if not message.retain]
    assert sums.delivered <= len(released) < steps.count("PUBREC")
    assert sums.waiting == 40 - sums.delivered


class Belated(Ear):
    """Answers once it has published a status; keeps the one that is the latest when it leaves."""

    last: dict[str, object]

    async def keep(self, notices: NoticeCursor) -> None:
        self.notices = notices
        while True:
            notice = await notices.next()
            notices.done(notice)
            if notice.kind == "status":
                self.gate.set()

    async def __aexit__(self, *_: object) -> None:
        status = self.notices.latest("status", None)
        self.last = {} if status is None else orjson.loads(status.document)


async def test_the_goodbye_counts_the_answers_that_came_after_the_last_sums(monkeypatch: pytest.MonkeyPatch):
    """The far end answers slowly: some answers come while the sink stops."""
    monkeypatch.setattr(relay_module, "LAST_DELIVERY", 0.05)
    ear = Belated()
    ear.gate.clear()
    pipeline = relay(live(*TAPE.klv, hang=True), sinks=[("ear", ear)])
    await stopped(pipeline, lambda: pipeline.streams[0].health.records == 40)
    (sums,) = accounted(pipeline)
    assert sums.delivered >= 20
    assert ear.last == {"records": sums._asdict()}


async def test_a_connection_that_is_lost_publishes_no_sums():
    """They are of the end of the relay."""
    ear = Belated()
    ear.faults = [SinkDown("gone")]
    pipeline = relay(live(*TAPE.klv, hang=True), sinks=[("ear", ear)])
    task = asyncio.create_task(pipeline.run())
    await until(lambda: hasattr(ear, "last"))
    assert ear.last == {}
    task.cancel()
    await asyncio.wait({task}, timeout=8)


async def test_a_source_that_can_not_be_read_decides_the_exit_code(oracle: OracleBroker, tmp_path: Path, said: Any):
    """Records are lost, too, and the last line of the log counts them."""
    oracle.manners.limits[0x27] = 300
    base = settings(oracle, tmp_path)
    missing = SourceSettings(Url.parse(tmp_path / "missing.ts"), stream="uav2")
    assert await asyncio.wait_for(run_relay(replace(base, sources=(*base.sources, missing))), 10) == 3
    assert "left_out=40" in said()[-1]
