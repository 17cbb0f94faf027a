"""A budget with real brokers: TLS, IPv6, a kill, fail-over and a reload."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import feed
import orjson
import ports
import pytest
from brokers import Mosquitto, listening, until
from test_mqtt_tls import CANARY, papers, tls_broker  # noqa: F401
from test_relay_process import klvrelay
from test_reload_process import hang_up
from uplink_flight import packets

from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.outputs import output_of
from klvrelay.health import SinkHealth
from klvrelay.record import Record
from klvrelay.relay.notices import Notices
from klvrelay.relay.sink_task import SinkTask
from klvrelay.shape.budget.budget import BURST
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.mqtt.budget.uplink import ALERT_DEBT
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.spool.memory import MemoryLog
from klvrelay.text import Secret

pytestmark = pytest.mark.needs("mosquitto")

RATE = 64_000
SECONDS = 3.0
HZ = 60
TABLES = {"name": "position", "items": ["position"], "rate": 5.0}, {"preset": "telemetry"}


async def flown(settings: MqttSettings) -> SinkTask:
    """A sink that had records for some seconds, of ten times its budget."""
    loop = asyncio.get_running_loop()
    sink = MqttSink(settings, boot="5f2c9a", shaper=Shaper([output_of(table) for table in TABLES]), budget=RATE)
    log, notices = MemoryLog(), Notices()
    task = SinkTask(sink, log.cursor("uplink"), notices.cursor(), SinkHealth("uplink"))
    drain = asyncio.create_task(task.drain())
    await until(lambda: task.health.up)
    begin, raws = loop.time(), itertools.cycle(packets())
    for seq in range(round(SECONDS * HZ)):
        await asyncio.sleep(begin + seq / HZ - loop.time())
        log.append(Record(next(raws), "ST0601", "ok", "ok", None, None, None, "uav1", "5f2c9a", seq))
    used, seconds = sink.budget_outputs.uplink.budget.total * 8, loop.time() - begin
    assert 0.6 * RATE * seconds <= used <= 1.05 * RATE * (seconds + BURST + ALERT_DEBT)
    await asyncio.wait_for(task.settle(), 10)
    drain.cancel()
    await asyncio.gather(drain, return_exceptions=True)
    return task


def check(task: SinkTask, heard: Any) -> None:
    sums = task.sums()
    assert sums.delivered + sums.thinned == sums.numbered == round(SECONDS * HZ)
    assert len(heard.on("klvrelay/uav1/position")) >= 3 * SECONDS


@pytest.mark.needs("mosquitto_passwd", "openssl")
async def test_a_budget_is_kept_over_tls(papers: Path, tmp_path: Path):  # noqa: F811
    """With what TLS adds."""
    with ports.reserved() as port:
        async with tls_broker(papers, tmp_path, port) as broker:
            known = {"username": "relay", "password": Secret(CANARY), "ca_file": str(papers / "ca.pem")}
            task = await flown(MqttSettings.from_url(broker.url, **known))
            sums = task.sums()
            assert sums.delivered + sums.thinned == sums.numbered
            assert sums.delivered > 10


async def test_a_budget_is_kept_over_ipv6(tmp_path: Path):
    """Its headers are 20 bytes longer."""
    with ports.reserved() as port:
        broker = Mosquitto(tmp_path, port)
        both = (f"listener {port} {host}\nallow_anonymous true\n" for host in ("::1", "127.0.0.1"))
        broker.configure("".join(both))
        await broker.start()
        async with listening(port, "klvrelay/#") as heard:
            task = await flown(MqttSettings(host="::1", port=port))
            check(task, heard)
        await broker.kill()


# ---- as processes ----

TAPE = feed.recording(90)
BUDGET = """
[[sink]]
name = "uplink"
url = [{urls}]
budget = "{budget}"
budget_later = true
[[sink.output]]
preset = "telemetry"
[[source]]
url = "udp://127.0.0.1:{port}"
stream = "uav1"
[spool]
path = "{folder}/spool"
"""


def write_settings(folder: Path, port: int, *brokers: Mosquitto, budget: str = "128kbit/s") -> Path:
    path, urls = folder / "relay.toml", ", ".join(f'"{broker.url}"' for broker in brokers)
    path.write_text(BUDGET.format(urls=urls, port=port, folder=folder, budget=budget))
    return path


def numbers(*heard: Any) -> set[int]:
    """Those of the records that were published, live or later."""
    topics = "klvrelay/uav1/telemetry", "klvrelay/uav1/later"
    return {orjson.loads(data)["seq"] for each in heard for topic in topics for data in each.on(topic)}


def step_of(heard: Any) -> dict[str, Any]:
    """The last use of the budget."""
    return dict(orjson.loads(heard.on("klvrelay/uplink")[-1]))


async def test_what_a_budget_left_out_survives_a_kill(mosquitto: Mosquitto, tmp_path: Path):
    """The next run publishes it from the spool: each number arrives."""
    with ports.reserved() as port:
        path = write_settings(tmp_path, port, mosquitto, budget="384kbit/s")
        async with listening(mosquitto.port, "klvrelay/#") as heard:
            async with klvrelay("run", "-c", str(path)) as command:
                await feed.listening(port)
                feed.send_udp(feed.datagrams(TAPE.ts), port)
                await until(lambda: len(numbers(heard)) > 10)
                await asyncio.sleep(0.2)  # some commits of the spool
                command.process.kill()
                await command.process.wait()
            count = len(TAPE.klv) - 1  # the last packet is not complete
            assert len(numbers(heard)) < count
            async with klvrelay("run", "-c", str(path)) as command:
                await until(lambda: set(range(count)) <= numbers(heard))
                code, _ = await command.stop()
            assert code == 0


async def test_a_budget_follows_a_fail_over_and_a_reload(tmp_path: Path):
    """The next broker has the budget at once, and another one after SIGHUP. Nothing is lost."""
    with ports.reserved() as first, ports.reserved() as second, ports.reserved() as port:
        brokers = [Mosquitto(tmp_path / str(at), at) for at in (first, second)]
        for broker in brokers:
            broker.home.mkdir()
            broker.configure()
            await broker.start()
        path = write_settings(tmp_path, port, *brokers)
        async with (
            listening(first, "klvrelay/#") as one, listening(second, "klvrelay/#") as two,
            klvrelay("run", "-c", str(path)) as command,
        ):  # fmt: skip
            await feed.listening(port)
            parts = feed.datagrams(TAPE.ts)
            feed.send_udp(parts[: len(parts) // 2], port)
            await until(lambda: len(numbers(one)) > 10)
            await brokers[0].kill()
            feed.send_udp(parts[len(parts) // 2 :], port)
            await until(lambda: len(numbers(two)) > 10)
            assert step_of(two)["budget"] == "128kbit/s"
            write_settings(tmp_path, port, *brokers, budget="512kbit/s")
            await hang_up(command)
            await until(lambda: step_of(two)["budget"] == "512kbit/s")
            await until(lambda: set(range(len(TAPE.klv) - 1)) <= numbers(one, two))
            code, _ = await command.stop()
        assert code == 0, command.said
        await brokers[1].stop()
