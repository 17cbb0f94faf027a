"""A source with several KLV PIDs, relayed: each is a stream with its own topics, state, availability, link and numbers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import feed
import orjson
import pytest
from brokers import Mosquitto, listening, until
from scripted_ends import Ear
from several_programs import FIRST, SECOND, Air, aircraft, mixed, two
from test_lane import NULL
from test_relay import quick, running  # noqa: F401  # a fixture

from klvrelay.cli.verbs.stream_table import StreamTable
from klvrelay.config.choice import Choice
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings
from klvrelay.config.url import Url
from klvrelay.elementary_streams.assignment import MOST
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet
from klvrelay.relay.build import build_relay
from klvrelay.relay.relay import Relay
from klvrelay.sinks.mqtt.protocol.connection import Received

WAYS = [{}, {"demux": "libav"}, {"isolate": True}, {"demux": "libav", "isolate": True}]


def heard(ear: Ear, name: str, kind: str) -> list[Any]:
    documents = [n.document for n in ear.published if (n.stream, n.kind) == (name, kind)]
    return documents if kind == "availability" else [orjson.loads(document) for document in documents]


def to_ear(ear: Ear, *sources: SourceSettings) -> Relay:
    """A relay of these sources to a scripted sink."""
    relay = build_relay(RelaySettings(sources, (SinkSettings("mqtt", MqttSettings(host="127.0.0.1")),)))
    feeds = [stream._input for stream in relay.streams]
    return Relay(feeds, [("ear", ear)], boot="5f2c9a")  # type: ignore[list-item]


def tape(folder: Path, ts: bytes, **more: Any) -> SourceSettings:
    path = folder / "cam.ts"
    path.write_bytes(ts)
    return SourceSettings(Url.parse(path), **{"stream": "cam", **more})


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_two_aircraft_of_one_source_are_two_streams(way: dict[str, Any], tmp_path: Path):
    """Their states are separate; each has its own availability, link, and numbers."""
    ear = Ear()
    await asyncio.wait_for(to_ear(ear, tape(tmp_path, two(program=2), **way)).run(), 20)
    for name, aircraft_, place in (("cam", "ALPHA", (FIRST, 1)), ("cam.513", "BRAVO", (SECOND, 2))):
        assert ear.seqs(name) == list(range(20))
        state = heard(ear, name, "state")[-1]
        assert (state["stream"], state["items"]["mission_id"]) == (name, aircraft_)
        assert (state["pid"], state["program"]) == place
        assert heard(ear, name, "availability")[-1] == b"offline"
        link = heard(ear, name, "link")[-1]
        assert (link["stream"], link["state"], link["pid"], link["program"], link["klv"]["records"]) == (
            name, "ended", *place, 20,
        )  # fmt: skip
        assert link["link"]["bytes"] == len(two(program=2))
        assert link["openings"] == 1
    assert {n.stream for n in ear.published if n.stream is not None} == {"cam", "cam.513"}


@pytest.mark.parametrize("higher_first", [False, True])
async def test_topics_of_two_aircraft_at_a_real_broker(real_broker: Any, tmp_path: Path, higher_first: bool):
    """`{stream}` and `{stream}.{pid}`, each with telemetry and retained state; or the names in the settings."""
    source = tape(tmp_path, two(higher_first=higher_first))
    named = tape(tmp_path, two(higher_first=higher_first), pids={SECOND: "uav2"})
    for each, names in ((source, ("cam", "cam.513")), (named, ("cam", "uav2"))):
        sink = SinkSettings("mqtt", MqttSettings(host="127.0.0.1", port=real_broker.port))
        async with listening(real_broker.port, "klvrelay/#", protocol=4) as ears:
            await asyncio.wait_for(build_relay(RelaySettings((each,), (sink,))).run(), 20)
            for name, aircraft_ in zip(names, ("ALPHA", "BRAVO"), strict=True):
                records = [orjson.loads(m.payload) for m in await ears.count(20, f"klvrelay/{name}/telemetry")]
                assert {r["items"]["mission_id"] for r in records} == {aircraft_}
                assert [r["seq"] for r in records] == list(range(20))
                await until(lambda name=name: ears.on(f"klvrelay/{name}/state"))
                assert orjson.loads(ears.on(f"klvrelay/{name}/state")[-1])["items"]["mission_id"] == aircraft_


async def test_only_the_silent_one_of_two_goes_offline(free_port: int):
    """The other stays online; the silent one is stale, and live again when it returns, under its name."""
    ear, air = Ear(), Air()
    source = SourceSettings(Url.parse(f"udp://127.0.0.1:{free_port}"), stream="cam", stall=0.3)

    async def send(stop: Callable[[], object], *pids: int) -> None:
        while not stop():
            packets = [p for pid in pids for p in air.at(send.number / 50, pid, aircraft(str(pid), send.number))]
            feed.send_udp([b"".join(packets)], free_port)
            send.number += 1
            await asyncio.sleep(0.02)

    send.number = 0  # type: ignore[attr-defined]
    async with running(to_ear(ear, source)):
        await feed.listening(free_port)
        feed.send_udp([b"".join(air.map(p1=[FIRST, SECOND]))], free_port)
        await asyncio.wait_for(send(lambda: heard(ear, "cam.513", "availability"), FIRST, SECOND), 10)
        await asyncio.wait_for(send(lambda: heard(ear, "cam.513", "availability")[-1] == b"offline", FIRST), 10)
        assert heard(ear, "cam", "availability")[-1] == b"online"
        await asyncio.wait_for(
            send(lambda: heard(ear, "cam.513", "availability")[-1] == b"online", FIRST, SECOND), 10
        )  # fmt: skip
        link = heard(ear, "cam.513", "link")[-1]
    assert link["outages"]["recovered"] == 1
    assert heard(ear, "cam", "link")[-1]["outages"]["count"] == 0
    assert {r.stream for r in ear.records} == {"cam", "cam.513"}


async def test_the_first_record_is_not_late_where_a_lower_pid_stays_silent(free_port: int, monkeypatch):
    """A live source: after a moment of system time it is published, though no other record arrives."""
    monkeypatch.setattr("klvrelay.elementary_streams.assignment.WAIT_SECONDS", 0.1)
    ear, air = Ear(), Air()
    source = SourceSettings(Url.parse(f"udp://127.0.0.1:{free_port}"), stream="cam")
    async with running(to_ear(ear, source)):
        await feed.listening(free_port)
        ts = air.map(p1=[FIRST, SECOND]) + air.at(0, SECOND, aircraft("BRAVO", 1)) + [NULL] * 8
        feed.send_udp(feed.datagrams(b"".join(ts)), free_port)
        await until(lambda: ear.records)
        await until(lambda: heard(ear, "cam", "availability")[-1:] == [b"online"])
    assert [(r.stream, r.pid) for r in ear.records] == [("cam", SECOND)]


async def test_streams_that_the_settings_name_are_published_before_their_klv_comes(
    tmp_path: Path, said: Callable[[], list[str]]
):
    """A subscriber sees at once which there are. The source's own name has no KLV: it is not a stream."""
    ear = Ear()
    source = tape(tmp_path, two(), pids={FIRST: "uav1", SECOND: "uav2", 0x301: "uav3"})
    await asyncio.wait_for(to_ear(ear, source).run(), 20)
    assert heard(ear, "uav1", "link")[-1]["klv"]["records"] == 20
    assert set(heard(ear, "uav3", "availability")) == {b"offline"}
    assert heard(ear, "uav3", "link")[-1]["klv"]["records"] == 0
    assert {r.stream for r in ear.records} == {"uav1", "uav2"}
    assert {n.stream for n in ear.published if n.stream is not None} == {"uav1", "uav2", "uav3"}
    assert not [line for line in said() if line.startswith("cam:")]


async def test_klv_without_a_name_in_the_settings_makes_a_stream_of_the_source(tmp_path: Path):
    """It is published with its first record."""
    ear = Ear()
    await asyncio.wait_for(to_ear(ear, tape(tmp_path, two(), pids={FIRST: "uav1"})).run(), 20)
    assert heard(ear, "cam", "availability") == [b"online", b"offline"]
    assert heard(ear, "cam", "link")[-1]["klv"]["records"] == 20


async def test_the_name_of_another_source_is_not_used(tmp_path: Path):
    """`cam.513` is a source: the second PID of `cam` is published as `cam.513-2`."""
    ear = Ear()
    other = tmp_path / "other.ts"
    other.write_bytes(feed.recording(5).ts)
    sources = tape(tmp_path, two()), SourceSettings(Url.parse(other), stream="cam.513")
    await asyncio.wait_for(to_ear(ear, *sources).run(), 20)
    assert {name: len(ear.seqs(name)) for name in {r.stream for r in ear.records}} == {
        "cam": 20, "cam.513": 5, "cam.513-2": 20,
    }  # fmt: skip


async def test_unselected_klv_is_reported_where_nothing_else_comes(tmp_path: Path, said: Callable[[], list[str]]):
    """The selected program does not exist: the error lists where there is KLV."""
    relay = to_ear(Ear(), tape(tmp_path, two(program=2), program=7))
    await asyncio.wait_for(relay.run(), 20)
    expected = "program 7 was selected; KLV is on PID 0x101 (program 1), PID 0x201 (program 2)"
    assert any(expected in line for line in said())
    assert expected in str(relay.fault)
    assert not any("no MISB metadata" in line for line in said())


async def test_klv_on_ever_new_pids_makes_few_topics(said: Callable[[], list[str]]):
    """A hostile PMT in each packet: at most 16 streams, the rest is counted in the first one's link, and logged once.
    """
    air, ear = Air(), Ear()

    class Hostile:
        url, live, fixed, dropped = Url.parse("udp://127.0.0.1:5000"), False, False, 0
        link = LinkStats()

        async def packets(self):
            for number in range(60):
                ts = air.map(**{f"p{number + 1}": [0x120 + number]})
                ts += mixed(air.flight(0x120 + number, f"N{number}", 2, begin=number)) + [NULL] * 5
                yield Packet(b"".join(ts), 1)

    await asyncio.wait_for(
        Relay([("cam", Hostile, "udp://h:1")], [("ear", ear)], boot="b").run(), 20  # type: ignore[list-item]
    )  # fmt: skip
    assert len({n.stream for n in ear.published if n.stream is not None}) == MOST
    assert heard(ear, "cam", "link")[-1]["klv"]["refused"] == 120 - len(ear.records) > 80
    assert sum("more than 16 PIDs" in line for line in said()) == 1


@pytest.mark.needs("mosquitto")
async def test_watch_shows_a_row_for_each_stream(mosquitto: Mosquitto, tmp_path: Path):
    """With --pid or --program only the selected ones."""
    sink = SinkSettings("mqtt", MqttSettings(host="127.0.0.1", port=mosquitto.port))
    await asyncio.wait_for(build_relay(RelaySettings((tape(tmp_path, two(program=2)),), (sink,))).run(), 20)
    async with listening(mosquitto.port, "klvrelay/#", protocol=4) as ears:
        await until(lambda: len(ears.messages) >= 7)
        for choice, names in (
            (Choice(), ["cam", "cam.513"]), (Choice(frozenset({SECOND})), ["cam.513"]), (Choice(program=1), ["cam"]),
            (Choice(program=3), []),
        ):  # fmt: skip
            board = StreamTable("klvrelay", choice)
            for message in ears.messages:
                board.take(Received(str(message.topic), bytes(message.payload), True), 1.0, 1.0)
            assert [row["stream"] for row in board.rows(2.0)] == names
