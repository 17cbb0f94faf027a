"""Incidents over MQTT: acknowledged by subscribers if that is enabled, and the report of the day before."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiomqtt
import orjson
import pytest
from brokers import Heard, Mosquitto, listening, until
from incident_clock import NOON
from jsonschema import Draft202012Validator
from outages import recorded
from test_incidents_ledger import incident
from test_relay_process import Command, klvrelay

from klvrelay.incidents import database
from klvrelay.incidents.opening import NAME, connect
from klvrelay.incidents.rows import RelayRun
from klvrelay.schema.incident import incident as incident_schema
from klvrelay.schema.payloads import payload_schema

pytestmark = pytest.mark.needs("mosquitto")
ASK, ANSWER = "klvrelay/incidents/acknowledge", "klvrelay/incidents/acknowledge/result"


@asynccontextmanager
async def relaying(broker: Mosquitto, state: Path, *, set: bool) -> AsyncIterator[tuple[Command, Heard]]:
    """A relay whose source refuses, and a subscriber."""
    words = ("run", "tcp://127.0.0.1:1", "--stream", "uav1", "--mqtt", broker.url, "--state", str(state))
    async with (
        listening(broker.port, "klvrelay/#") as heard,
        klvrelay(*words, KLVRELAY_INCIDENTS_SET=str(set).lower()) as command,
    ):
        await until(lambda: recorded(state) and heard.on("klvrelay/status"))
        yield command, heard


async def asked(broker: Mosquitto, heard: Heard, payload: bytes, *, ok: bool) -> dict[str, Any]:
    """The answer to a request; it is sent until the relay has subscribed."""

    def answers() -> list[dict[str, Any]]:
        return [answer for data in heard.on(ANSWER) if (answer := orjson.loads(data))["ok"] is ok]

    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        for _ in range(20):
            await client.publish(ASK, payload, qos=1)
            with suppress(AssertionError):
                await until(answers, 0.6)
                break
    return answers()[-1]


async def test_a_subscriber_acknowledges_an_incident(mosquitto: Mosquitto, tmp_path: Path):
    """The answer has the incident, and the ledger who acknowledged it; hostile requests are refused."""
    async with relaying(mosquitto, tmp_path, set=True) as (command, heard):
        (one,) = recorded(tmp_path)
        request = {"incident": one["id"][:6], "by": "A. Operator", "note": "on it", "id": "42"}
        answer = await asked(mosquitto, heard, json.dumps(request).encode(), ok=True)
        assert (answer["id"], answer["incident"]["note"]) == ("42", "on it")
        Draft202012Validator(incident_schema()).validate(answer["incident"])
        await until(lambda: recorded(tmp_path)[0]["acknowledged_by"] == "A. Operator")
        answer = await asked(mosquitto, heard, b"\xff" * 4000, ok=False)
        assert "JSON object" in answer["error"]
        assert (await command.stop())[0] == 0


async def test_without_the_setting_no_subscriber_can(mosquitto: Mosquitto, tmp_path: Path):
    """The relay does not subscribe."""
    async with relaying(mosquitto, tmp_path, set=False) as (command, heard):
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
            (one,) = recorded(tmp_path)
            await client.publish(ASK, json.dumps({"incident": one["id"], "by": "x"}), qos=1)
        await until(lambda: heard.on(ASK))
        await command.stop()
        assert heard.on(ANSWER) == []
        assert recorded(tmp_path)[0]["acknowledged_by"] is None


async def test_the_report_of_the_day_before_is_retained(mosquitto: Mosquitto, tmp_path: Path):
    """At the start, as its schema describes it; and the health names the open incident."""
    yesterday = (time.time_ns() // 1000 // 86_400_000_000) * 86_400_000_000 - 3_600_000_000
    shift = (yesterday - NOON) / 1e6
    with closing(connect(tmp_path / NAME)) as connection:
        runs = [RelayRun("run0", yesterday, yesterday + 1_000_000_000, "stopped")]
        database.write(connection, [replace(incident(shift + 100, 50), run="run0")], runs)
    async with relaying(mosquitto, tmp_path, set=False) as (_, heard):
        await until(lambda: heard.on("klvrelay/report/daily"))
        report = orjson.loads(heard.on("klvrelay/report/daily")[-1])
        Draft202012Validator(payload_schema("daily-report")).validate(report)
        found = {(one["name"], one["cause"]): one for one in report["figures"]}
        assert (found["uav1", None]["mttr_s"], found["uav1", None]["availability"]) == (50, 0.95)
        (still,) = [one for one in recorded(tmp_path, "stream") if one["end"] is None]
        named = {"id": still["id"], "since": still["since"]}
        topic = "klvrelay/uav1/health"
        await until(lambda: named in [orjson.loads(each)["incident"] for each in heard.on(topic)])
        async with listening(mosquitto.port, "klvrelay/report/#") as late:
            await until(lambda: late.on("klvrelay/report/daily"))
