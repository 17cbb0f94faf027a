"""SIGHUP to the command as a process while alerts are raised: rules, geofences and destinations change."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import feed
import orjson
import ports
import pytest
from brokers import Heard, Mosquitto, listening, until
from conftest import ROOT
from http_far_end import PostReceiver
from observed_relay import published_events
from test_relay_process import klvrelay as relay_process
from test_reload_process import hang_up

import klvrelay

SOURCES = """
[[source]]
url = "udp://127.0.0.1:{silent}"
stream = "silent"
[[source]]
url = "udp://127.0.0.1:{flying}"
stream = "flying"
[[sink]]
url = "{broker}"
[alerts]
startup = "200ms"
"""
AT_ONCE = '[[alert]]\nrule = "no_klv"\nthreshold = 0.3\nhold = 0\n'
LATER = '[[alert]]\nrule = "no_klv"\nthreshold = 0.3\nhold = "1h"\nseverity = "info"\n'
NEVER = '[[alert]]\nrule = "no_klv"\nenabled = false\n'
LOW = '[[alert]]\nrule = "altitude_above"\nthreshold = 100\nhold = 0\n'


def fence(name: str, file: Path) -> str:
    return f'[[geofence]]\nname = "{name}"\nfile = "{file}"\n'


def notify(name: str, url: str) -> str:
    return f'[[notify]]\nname = "{name}"\nurl = "{url}"\nseverity = "info"\n'


def area(path: Path, name: str) -> Path:
    """A file with one area of the sample of fences."""
    whole = json.loads((ROOT / "samples" / "zones.geojson").read_text())
    found = [each for each in whole["features"] if each["properties"]["name"] == name]
    path.write_text(json.dumps(whole | {"features": found}))
    return path


@asynccontextmanager
async def flight(port: int) -> AsyncIterator[None]:
    """The part of the sample's flight over the Range, again and again."""
    records = klvrelay.decode((ROOT / "samples" / "orbit.ts").read_bytes())[100:240]

    async def fly() -> None:
        for record in itertools.cycle(records):
            feed.send_udp([record.raw], port)
            await asyncio.sleep(1 / 30)

    task = asyncio.create_task(fly())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def events(heard: Heard, stream: str) -> list[tuple[str, str]]:
    return published_events(heard.on(f"klvrelay/{stream}/alert"))


def raised(heard: Heard, stream: str) -> dict[str, Any]:
    """What the last message says: the alerts by rule."""
    documents = [orjson.loads(payload) for payload in heard.on(f"klvrelay/{stream}/alert") if payload]
    return {alert["rule"]: alert for alert in documents[-1]["raised"]} if documents else {}


def posted(receiver: PostReceiver) -> list[tuple[str, str]]:
    found = (orjson.loads(request.body) for request in receiver.requests)
    return [(one["event"], one["alert"]["rule"]) for one in found]


@pytest.mark.needs("mosquitto")
async def test_a_reload_changes_rules_fences_and_destinations_while_alerts_are_raised(
    mosquitto: Mosquitto, tmp_path: Path
):
    """What still holds stays raised with its id; what is gone is cleared; what is new is raised. A wrong file changes
    nothing.
    """
    path = tmp_path / "relay.toml"
    range_, airspace = area(tmp_path / "range.geojson", "Range"), area(tmp_path / "airspace.geojson", "Airspace")
    first, second = PostReceiver(None, 0), PostReceiver(None, 0)
    await first.start()
    await second.start()
    with ports.reserved() as silent, ports.reserved() as flying:
        sources = SOURCES.format(silent=silent, flying=flying, broker=mosquitto.url)
        before = AT_ONCE + fence("range", range_) + notify("ops", first.url)
        path.write_text(sources + before)
        async with (
            listening(mosquitto.port, "klvrelay/#") as heard,
            relay_process("run", "-c", str(path)) as command,
            flight(flying),
        ):
            await until(lambda: raised(heard, "silent") and raised(heard, "flying"), 15)
            ids = raised(heard, "silent")["no_klv"]["id"], raised(heard, "flying")["geofence:range"]["id"]
            await until(lambda: len(posted(first)) == 2)

            broken = tmp_path / "broken.geojson"
            broken.write_text('{"type": "Polygon", "coordinates": [[[9, 56], [10, 56], [10, 57]]]}')
            for wrong, said in (
                (fence("range", tmp_path / "absent.geojson"), "geofence.file: can't be read"),
                (fence("range", broken), "not closed"),
                (before.replace("threshold = 0.3", "threshold = 0.3\nclear = 5"), "clear"),
                (before.replace(first.url, "nowhere"), "notify.url"),
            ):
                path.write_text(sources + wrong)
                await hang_up(command)
                assert "stay in effect" in command.said.splitlines()[-1], command.said
                assert said in command.said.splitlines()[-1]
            await asyncio.sleep(1.2)  # more than an evaluation
            assert events(heard, "silent") == [("raised", "no_klv")]
            assert events(heard, "flying") == [("raised", "geofence:range")]

            path.write_text(sources + LATER + LOW + fence("airspace", airspace) + notify("pager", second.url))
            await hang_up(command)
            await until(lambda: raised(heard, "flying").keys() == {"geofence:airspace", "altitude_above"})
            assert sorted(events(heard, "flying")) == sorted(
                [("raised", "geofence:range"), ("ended", "geofence:range"), ("raised", "geofence:airspace"),
                 ("raised", "altitude_above")]
            )  # fmt: skip
            assert raised(heard, "silent")["no_klv"]["id"] == ids[0]
            await until(lambda: len(posted(second)) >= 2)

            path.write_text(sources + NEVER + LOW + fence("airspace", airspace) + notify("pager", second.url))
            await hang_up(command)
            await until(lambda: ("ended", "no_klv") in events(heard, "silent"))
            assert raised(heard, "flying").keys() == {"geofence:airspace", "altitude_above"}
            code, _ = await command.stop()
    assert code == 0, command.said
    assert events(heard, "silent") == [("raised", "no_klv"), ("ended", "no_klv")]
    assert posted(first)[:2] == [("raised", "no_klv"), ("raised", "geofence:range")] or len(posted(first)) == 2
    assert {("raised", "geofence:airspace"), ("raised", "altitude_above")} <= set(posted(second))
    await first.close()
    await second.close()
