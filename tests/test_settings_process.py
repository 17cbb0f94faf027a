"""The command with settings of the environment only, as in a container."""

from __future__ import annotations

import asyncio
from pathlib import Path

import feed
from oracle_broker import OracleBroker
from test_relay_process import klvrelay

TAPE = feed.recording(30)
CANARY = "c4n4ry-s3cret"


async def test_a_relay_runs_without_a_file(oracle: OracleBroker, tmp_path: Path):
    """Source, sink and limits are variables; so is the login, and no output shows its password."""
    (tmp_path / "flight.ts").write_bytes(TAPE.ts)
    environment = {
        "KLVRELAY_SOURCE_UAV1_URL": "flight.ts",
        "KLVRELAY_SINK_MQTT_URL": f"mqtt://relay@127.0.0.1:{oracle.port}/site",
        "KLVRELAY_SINK_MQTT_PASSWORD": CANARY,
        "KLVRELAY_SINK_MQTT_QOS": "2",
        "KLVRELAY_RELAY_WAITING": "50",
    }
    async with klvrelay("run", cwd=tmp_path, **environment) as command:
        assert await asyncio.wait_for(command.process.wait(), 20) == 0, command.said
    assert len(oracle.payloads("site/uav1/telemetry")) == 30
    assert {each.qos for each in oracle.published if each.topic == "site/uav1/telemetry"} == {2}
    assert oracle.guests[0].username == "relay"


async def test_a_fault_of_a_variable_ends_the_command_with_exit_code_2(tmp_path: Path):
    """Each on a line, with its name and what is valid."""
    environment = {"KLVRELAY_RELAY_WAITING": CANARY, "KLVRELAY_SINK_MQTT_URL": f"mqtt://u:{CANARY}@h:port"}
    async with klvrelay("run", cwd=tmp_path, **environment) as command:
        assert await asyncio.wait_for(command.process.wait(), 20) == 2
    assert "KLVRELAY_RELAY_WAITING: must be a whole number\n" in command.said
    assert "KLVRELAY_SINK_MQTT_URL: mqtt://: the port is not a number" in command.said


async def test_the_relay_warns_of_a_mistyped_variable(oracle: OracleBroker, tmp_path: Path):
    """With the nearest name; it runs nevertheless."""
    (tmp_path / "flight.ts").write_bytes(TAPE.ts)
    async with klvrelay("run", "flight.ts", "--mqtt", oracle.url, cwd=tmp_path, KLVRELAY_SPOL_PATH=CANARY) as command:
        assert await asyncio.wait_for(command.process.wait(), 20) == 0, command.said
    assert "KLVRELAY_SPOL_PATH: unknown variable; did you mean KLVRELAY_SPOOL_PATH?" in command.said
