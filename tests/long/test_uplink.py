"""Acceptance of a budget: ten minutes over an emulated uplink, with a relay, a broker and a subscriber."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import orjson
import pytest
from brokers import Mosquitto, until
from test_relay_process import klvrelay
from uplink import Uplink

BUDGET = 64_000
SECONDS = 600.0
HALF_TRIP = 0.3
STREAMS = [f"uav{n}" for n in range(4)]
SAMPLE = Path(__file__).parents[2] / "samples" / "orbit.ts"
SETTLED = 10.0
"""Seconds after the first message: the connection begins with documents of all streams."""
SETTINGS = """
[[sink]]
name = "uplink"
url = "{url}"
budget = "64kbit/s"
timeout = 30.0

[[sink.output]]
preset = "telemetry"

[[sink.output]]
topic = "{{prefix}}/{{stream}}/position"
items = ["position"]
rate = 2

[[sink.output]]
topic = "{{prefix}}/{{stream}}/alert"
streams = ["uav0"]
items = ["mission_id", "position"]
rate = 0.2
class = "alert"
"""
SOURCE = """
[[source]]
url = "{path}"
stream = "{stream}"
speed = 1.0
loop = true
"""


@dataclass
class Subscriber:
    """What arrives at the command post, and when."""

    heard: list[tuple[float, str, bytes]] = field(default_factory=list)
    counts: list[tuple[int, int]] = field(default_factory=list)
    """What the relay says that it has sent, and what the link has carried by then."""

    async def listen(self, port: int, link: Uplink) -> None:
        async with aiomqtt.Client("127.0.0.1", port) as client:
            await client.subscribe("klvrelay/#")
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                self.heard.append((time.time(), str(message.topic), message.payload))
                if str(message.topic) == "klvrelay/uplink":
                    self.counts.append((orjson.loads(message.payload)["bytes"], link.sent.wire))

    def documents(self, topic: str) -> Iterator[tuple[float, dict[str, Any]]]:
        return ((at, orjson.loads(data)) for at, name, data in self.heard if name == topic)

    def ages(self, topic: str) -> list[tuple[float, float]]:
        """Arrival and age of each record."""
        return [(at, at - _stamp(document["received"])) for at, document in self.documents(topic)]

    def staleness(self, topic: str, begin: float, end: float) -> float:
        """The greatest age of the newest value that the subscriber had."""
        worst, newest = 0.0, None
        for at, age in self.ages(topic):
            if newest is not None and begin < at < end:
                worst = max(worst, at - newest)
            newest = max(newest or 0.0, at - age)
        return worst


def _stamp(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


@pytest.mark.long
@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.needs("mosquitto")
async def test_a_thin_uplink_is_used_well_for_ten_minutes(mosquitto: Mosquitto, tmp_path: Path):
    """64 kbit/s and a round trip of 600 ms: the budget is kept, positions are fresh, alerts are first, all counted."""
    subscriber, path = Subscriber(), tmp_path / "relay.toml"
    rate = BUDGET / 8
    async with Uplink(mosquitto.port, up=1.02 * rate, down=1.02 * rate, delay=HALF_TRIP) as link:
        listening = asyncio.create_task(subscriber.listen(mosquitto.port, link))
        sources = "".join(SOURCE.format(path=SAMPLE, stream=stream) for stream in STREAMS)
        path.write_text(SETTINGS.format(url=link.url) + sources)
        async with klvrelay("run", "-c", str(path)) as command:
            await until(lambda: any(topic.endswith("/position") for _, topic, _ in subscriber.heard))
            begin = time.time()
            wire = link.sent.wire
            await asyncio.sleep(SECONDS)
            end, flown = time.time(), link.sent.wire - wire
            await command.stop()
        await until(lambda: _status(subscriber)["state"] == "offline")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)

    records = _status(subscriber)["records"]
    stale = [subscriber.staleness(f"klvrelay/{name}/position", begin + SETTLED, end) for name in STREAMS]
    alerts = [age for at, age in subscriber.ages("klvrelay/uav0/alert") if begin + SETTLED < at < end]
    kbits = flown * 8 / (end - begin), link.sent.most(10) * 0.8, link.returned.wire * 8 / SECONDS
    print("\nbit/s up, most in 10 s, down:", *map(round, kbits))
    print(f"sent and carried {subscriber.counts[-1]}, connections {link.connections}, records {records}")
    print(f"stale {[round(each, 2) for each in stale]}, alerts {len(alerts)}, oldest {max(alerts):.2f} s")
    for at, document in subscriber.documents("klvrelay/uplink"):
        print(f"{at - begin:6.1f} s", document)
    for topic in sorted({name for _, name, _ in subscriber.heard}):
        print(topic, sum(name == topic for _, name, _ in subscriber.heard))

    assert flown * 8 <= 1.05 * BUDGET * (end - begin)
    assert link.sent.most(10) * 8 <= 1.05 * BUDGET * 10
    assert subscriber.counts[-1][0] == pytest.approx(subscriber.counts[-1][1], rel=0.05)
    assert max(stale) <= 2.0
    assert len(alerts) >= SECONDS / 5 - 5
    assert max(alerts) <= 1.0
    assert records["numbered"] == sum(records.values()) - records["numbered"] > 4 * 25 * SECONDS
    assert records["waiting"] == records["shed"] == records["rejected"] == 0


def _status(subscriber: Subscriber) -> dict[str, Any]:
    *_, (_, last) = [(0.0, {"state": "unknown"}), *subscriber.documents("klvrelay/status")]
    return last
