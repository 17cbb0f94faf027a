"""The outputs of a sink, its refused topics and its budget in the health of the relay."""

from __future__ import annotations

from typing import Any

import feed
import jsonschema
from brokers import until
from observed_relay import ObservedRelay, observed
from oracle_broker import OracleBroker

from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings
from klvrelay.config.url import Url
from klvrelay.schema.health import relay_health, sink_schema
from klvrelay.shape.output import Output

TAPE = feed.recording(61)
WHOLE = "{prefix}/{stream}/telemetry"


def settings(broker: OracleBroker, port: int, *outputs: Output, **more: Any) -> RelaySettings:
    source = SourceSettings(Url.parse(f"udp://127.0.0.1:{port}"), stream="uav1")
    sink = SinkSettings("mqtt", MqttSettings(host="127.0.0.1", port=broker.port), outputs=outputs, **more)
    return RelaySettings((source,), (sink,))


def sink_of(running: ObservedRelay) -> dict[str, Any]:
    document = running.relay.board.relay_document()
    jsonschema.validate(document, relay_health())
    found: dict[str, Any] = document["sinks"]["mqtt"]
    return found


async def test_each_output_is_listed_with_what_it_published(oracle: OracleBroker, free_port: int):
    """All records by the one, one in many by the other; the sums are those of the records."""
    outputs = Output("whole", WHOLE), Output("slow", "{prefix}/{stream}/slow", rate=0.1)
    async with observed(settings(oracle, free_port, *outputs)) as running:
        await feed.listening(free_port)
        await until(lambda: oracle.guests)
        feed.send_udp(feed.datagrams(TAPE.ts), free_port)
        await until(lambda: sink_of(running)["outputs"]["whole"]["published"] >= 60)
        found = sink_of(running)["outputs"]
    count = found["whole"]["published"]
    assert found["whole"] == {"published": count, "thinned": 0, "withheld": 0, "left": "all"}
    assert found["slow"] == {"published": 1, "thinned": count - 1, "withheld": 0, "left": "all"}


async def test_a_refused_topic_has_the_time_of_its_refusal(oracle: OracleBroker, free_port: int):
    """In UTC, while it is suspended."""
    oracle.manners.refuses = frozenset({"klvrelay/uav1/telemetry"})
    async with observed(settings(oracle, free_port)) as running:
        await feed.listening(free_port)
        await until(lambda: oracle.guests)
        feed.send_udp(feed.datagrams(TAPE.ts), free_port)
        await until(lambda: sink_of(running)["suspended"])
        found = sink_of(running)
    assert found["suspended"] == ["klvrelay/uav1/telemetry"]
    assert found["suspended_since"]["klvrelay/uav1/telemetry"] >= found["since"]
    assert (found["outputs"], found["budget"]) == ({}, None)


async def test_a_budget_is_part_of_the_health_of_its_sink(oracle: OracleBroker, free_port: int):
    """With the step that it is at."""
    async with observed(settings(oracle, free_port, Output("whole", WHOLE), budget=64_000.0)) as running:
        await until(lambda: oracle.guests)
        await until(lambda: sink_of(running)["budget"])
        found = sink_of(running)
    assert found["budget"]["budget"] == "64kbit/s"
    assert found["budget"]["step"] == 0
    jsonschema.validate(found, sink_schema())
