"""What the settings of a relay become: times of silence, and how datagrams are read."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest
from oracle_broker import OracleBroker
from scripted_ends import Tape

from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.outputs import output_of
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.relay.build import SEGMENT_MOST, build_relay, run_relay
from klvrelay.relay.relay import Relay
from klvrelay.relay.stream_input import StreamInput
from klvrelay.sources.datagrams import schedule


def of(url: str, **more: Any) -> Relay:
    source = SourceSettings(Url.parse(url), stream="uav1", **more)
    return build_relay(RelaySettings((source,), (SinkSettings("mqtt", MqttSettings(host="127.0.0.1")),)))


@pytest.mark.parametrize("stall", [0.0, -1.0, math.nan])
def test_a_stall_that_is_no_time_is_refused(stall: float):
    """Before anything starts."""
    with pytest.raises(ConfigError, match=f"^stall {stall:g}: must be more than 0 seconds$"):
        of("udp://127.0.0.1:5000", stall=stall)


@pytest.mark.parametrize(
    ("url", "longer"),
    [
        ("http://h/a.m3u8", SEGMENT_MOST),
        ("https://h/a.m3u?x=1", SEGMENT_MOST),
        ("http://h/a.ts", 0),
        ("udp://h:5000", 0),
    ],
)
def test_a_playlist_may_be_silent_for_a_segment_longer(url: str, longer: float):
    """Its segments come one at a time."""
    assert of(url, stall=4.0).streams[0].health.stall == 4.0 + longer


async def test_the_sources_are_read_as_often_as_the_settings_say():
    """The source sees it when it is opened."""
    seen = []

    def opened() -> Tape:
        seen.append(schedule._coalesce.get().seconds)
        return Tape()

    await asyncio.wait_for(Relay([StreamInput("uav1", opened, "flight.klv")], [], boot="b", coalesce=0.003).run(), 5)
    assert seen == [0.003]


def test_what_coarse_leaves_out_is_logged_at_the_start(caplog: pytest.LogCaptureFixture):
    """One line for each sink with such an output."""
    outputs = tuple(map(output_of, ({"name": "a"}, {"name": "b", "coarse": 100.0}, {"name": "c", "coarse": 50.0})))
    sinks = tuple(SinkSettings(name, MqttSettings(host="127.0.0.1"), outputs=outputs[:at]) for name, at in SINKS)
    with caplog.at_level("INFO"):
        build_relay(RelaySettings((SourceSettings(Url.parse("udp://127.0.0.1:5000"), stream="uav1"),), sinks))
    (line,) = [each.getMessage() for each in caplog.records if "coarse" in each.getMessage()]
    assert line.endswith(": sink=x outputs=b,c")
    assert all(part in line for part in ("offsets of corners", "EG 0104"))


SINKS = ("x", 3), ("y", 1)


async def test_a_part_beside_the_relay_that_fails_is_logged(
    oracle: OracleBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """The relay goes on without it."""
    recording = tmp_path / "one.klv"
    recording.write_bytes(b"\0" * 188)
    settings = RelaySettings(
        (SourceSettings(Url.parse(str(recording))),), (SinkSettings("mqtt", MqttSettings.from_url(oracle.url)),)
    )

    async def fail(relay: Relay) -> None:
        raise ConfigError("http.listen: gone")

    await asyncio.wait_for(run_relay(settings, fail), 20)

    assert "a part of the relay ended: http.listen: gone" in caplog.text
