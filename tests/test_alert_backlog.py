"""The backlog of a sink: its share of the room in memory or on disk, and the rule for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import feed
import pytest
from brokers import Mosquitto, until
from forgetful_disk import ForgetfulFolder
from observed_relay import observed
from records import record

from klvrelay.alerts import engine
from klvrelay.alerts.running import written_paths
from klvrelay.config.alerts import AlertEntry, AlertsSettings
from klvrelay.config.log import LogSettings
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings, SpoolSettings
from klvrelay.config.url import Url
from klvrelay.outcome import Outcome
from klvrelay.spool.disk.format import Codec, new_id
from klvrelay.spool.disk.segments import Segments
from klvrelay.spool.memory import MemoryLog

AT_ONCE = AlertsSettings(entries=(AlertEntry("backlog", hold=0.0),))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluations twenty times a second."""
    monkeypatch.setattr(engine, "EVERY_S", 0.05)


def rooms(tmp_path: Path) -> Iterator[tuple[str, RelaySettings]]:
    """300 records, or 200,000 bytes of them; and 1 MiB on disk."""
    yield "memory", RelaySettings(waiting=300)
    yield "bytes in memory", RelaySettings(waiting_size=200_000)
    yield "disk", RelaySettings(spool=SpoolSettings(tmp_path / "spool", size=1 << 20))


@pytest.mark.needs("mosquitto")
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("room", ["memory", "bytes in memory", "disk"])
async def test_a_stopped_broker_raises_the_backlog_and_its_return_clears_it(
    room: str, mosquitto: Mosquitto, free_port: int, tmp_path: Path
):
    """Beyond half of the room; nothing is shed by then. It is cleared once the records were delivered."""
    source = SourceSettings(Url.parse(f"udp://127.0.0.1:{free_port}"), stream="uav1")
    sink = SinkSettings("mqtt", MqttSettings(host="127.0.0.1", port=mosquitto.port))
    settings = replace(dict(rooms(tmp_path))[room], sources=(source,), sinks=(sink,), alerts=AT_ONCE)
    packets = feed.recording(60, padding=1500 if room != "memory" else 0).klv
    async with observed(settings) as running:
        await feed.listening(free_port)
        (health,) = running.relay.board.sinks()
        await until(lambda: health.up)
        await mosquitto.stop()
        await until(lambda: not health.up)
        async with asyncio.timeout(20):
            while not running.of("mqtt"):
                feed.send_udp(packets[:10], free_port)
                await asyncio.sleep(0.02)
        (raised,) = running.of("mqtt")
        assert (raised.rule, raised.event, raised.unit) == ("backlog", "raised", "share")
        assert 0.5 < raised.value < 0.9
        assert f"{raised.value:.0%}".rstrip("%") in raised.text
        assert health.sums.shed == 0

        await mosquitto.start()
        await until(lambda: "cleared backlog" in running.seen("mqtt"), 20)
        assert running.seen("mqtt") == ["raised backlog", "cleared backlog"]
        await until(lambda: health.sums.waiting < 0.25 * health.sums.numbered)


async def test_the_share_in_memory_is_that_of_records_or_of_bytes():
    """Whichever is more; also in the order live-first."""
    log = MemoryLog(10, 1 << 20)
    strict, live_first = log.cursor("a"), log.cursor("b", replay_rate=5.0)
    for number in range(4):
        log.append(record(number))
    assert (strict.fill, live_first.fill) == (0.4, 0.4)
    log.set_limits(10, 4 * strict.held.size // 4 + 1)  # type: ignore[union-attr]
    assert strict.fill == live_first.fill == pytest.approx(1.0, abs=0.01)
    batch = await strict.batch()
    strict.commit(batch, Outcome(len(batch)))
    assert (strict.fill, live_first.fill > 0.9) == (0.0, True)


def test_the_share_on_disk_counts_the_segments_with_what_waits():
    """Those before its first record belong to other sinks."""
    segments = Segments(ForgetfulFolder(), Codec(new_id()), size=4096, limit=10 * 4096)
    assert segments.fill_from(0) == 0.0
    segments.write({position: bytes(1000) for position in range(9)})  # three of them in a segment
    assert 0.26 < segments.fill_from(0) < 0.3
    assert segments.fill_from(0) - segments.fill_from(3) == pytest.approx(0.1)
    assert 0 < segments.fill_from(8) < 0.1


def test_the_disk_of_the_log_file_is_watched(tmp_path: Path):
    """And that of the spool."""
    settings = RelaySettings(
        spool=SpoolSettings(tmp_path / "spool"), log=LogSettings(file=str(tmp_path / "log" / "relay.log"))
    )
    assert written_paths(settings) == [tmp_path / "spool", tmp_path / "log"]
    assert written_paths(RelaySettings()) == []
