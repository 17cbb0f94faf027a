"""`klvrelay run --spool`: what waits for a broker survives a crash, a stop and a restart."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import feed
import orjson
import pytest
from brokers import Mosquitto, until
from oracle_broker import OracleBroker
from records import all_of, record
from test_relay_process import Command, klvrelay

from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings, SpoolSettings
from klvrelay.config.settings_file import load
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError, SourceDown
from klvrelay.relay.build import build_relay, run_relay
from klvrelay.spool.disk.opening import open_log

TAPE = feed.recording(30)
SOURCE = '[[source]]\nurl = "udp://:5000"\n'


@contextlib.asynccontextmanager
async def relay(broker: Mosquitto, port: int, spool: Path) -> AsyncIterator[Command]:
    """A relay of one stream; entered once it receives datagrams."""
    source = "run", f"udp://127.0.0.1:{port}", "--stream", "uav1"
    async with klvrelay(*source, "--mqtt", broker.url, "--spool", str(spool)) as command:
        await feed.listening(port)
        yield command


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
async def test_records_that_wait_are_delivered_by_the_next_run(
    ending: signal.Signals, mosquitto: Mosquitto, free_port: int, tmp_path: Path
):
    """In order, before those of the next run; a stop with records that are kept is no loss."""
    spool = tmp_path / "spool"
    await mosquitto.stop()
    async with relay(mosquitto, free_port, spool) as command:
        await until(lambda: "retrying" in command.said)
        feed.send_udp(feed.datagrams(TAPE.ts), free_port)
        await until(lambda: "uav1: live" in command.said)
        await asyncio.sleep(0.5)  # the commit interval has passed
        command.process.send_signal(ending)
        code = await asyncio.wait_for(command.process.wait(), 10)
    assert code == (0 if ending is signal.SIGTERM else -signal.SIGKILL), command.said

    await mosquitto.start()
    async with broker_records(mosquitto) as records, relay(mosquitto, free_port, spool) as command:
        await until(lambda: len(records) >= len(TAPE.klv) - 1, 20)
        first = list(records)
        feed.send_udp(feed.datagrams(TAPE.ts), free_port)
        await until(lambda: len(records) >= 2 * (len(TAPE.klv) - 1), 20)
        assert (await command.stop())[0] == 0, command.said
    boots = [boot for boot, _ in records]
    assert len(set(boots)) == 2
    assert boots == sorted(boots, key=boots.index)  # no record of the second run before the last of the first
    assert [seq for _, seq in first] == list(range(len(first)))


@contextlib.asynccontextmanager
async def broker_records(broker: Mosquitto) -> AsyncIterator[list[tuple[str, int]]]:
    """Boot and seq of each telemetry message, as it arrives."""
    records: list[tuple[str, int]] = []
    process = await asyncio.create_subprocess_exec(
        "mosquitto_sub", "-p", str(broker.port), "-t", "klvrelay/uav1/telemetry", "-q", "1",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None

    async def listen(lines: asyncio.StreamReader) -> None:
        async for line in lines:
            document = orjson.loads(line)
            records.append((document["boot"], document["seq"]))

    listening = asyncio.create_task(listen(process.stdout))
    await asyncio.sleep(0.3)  # the subscription is not reported
    try:
        yield records
    finally:
        process.terminate()
        await process.wait()
        await listening


@pytest.mark.needs("mosquitto")
async def test_a_second_relay_on_one_spool_is_refused(tmp_path: Path, mosquitto: Mosquitto, free_port: int):
    """Exit code 2 and the reason, before anything starts."""
    async with relay(mosquitto, free_port, tmp_path / "spool"), klvrelay(
        "run", "udp://127.0.0.1:1", "--mqtt", mosquitto.url, "--spool", str(tmp_path / "spool")
    ) as second:
        assert await asyncio.wait_for(second.process.wait(), 10) == 2
    assert "another klvrelay uses this spool; give each its own folder" in second.said


@pytest.mark.parametrize("source", ["none.ts", "udp://:5000"], ids=["missing", "invalid"])
async def test_a_source_that_is_refused_leaves_no_spool_behind(source: str, tmp_path: Path):
    """Sources are checked before the folder of the spool is made."""
    spool = tmp_path / "spool"
    entry = SourceSettings(Url.parse(source), stall=10 if source == "none.ts" else 0)

    with pytest.raises((SourceDown, ConfigError), match=r"no such file|stall"):
        await run_relay(RelaySettings((entry,), spool=SpoolSettings(spool)))

    assert not spool.exists()


async def spool_of(folder: Path, sink: str, count: int = 5) -> None:
    """A spool of an earlier run, with records that this sink has not delivered."""
    log = await open_log(folder, "klvrelay", 1 << 20)
    log.cursor("an earlier run", file=sink)
    for seq in range(count):
        log.append(record(seq))
    await log.close()


async def test_a_backlog_is_delivered_though_no_source_exists(oracle: OracleBroker, tmp_path: Path):
    """The file is missing, as on a drive that is not mounted: the relay delivers what waits, and then reports it."""
    await spool_of(tmp_path, "mqtt")
    settings = RelaySettings(
        (SourceSettings(Url.parse("none.ts")),), (SinkSettings("mqtt", MqttSettings.from_url(oracle.url)),),
        spool=SpoolSettings(tmp_path),
    )  # fmt: skip

    assert await asyncio.wait_for(run_relay(settings), 20) == SourceDown.exit_code
    assert len(oracle.payloads("klvrelay/uav1/telemetry")) == 5
    with pytest.raises(SourceDown, match="no such file"):  # nothing is left to deliver
        await run_relay(settings)


@pytest.mark.parametrize("sink", ["mqtt", None], ids=["nothing waits", "of another sink"])
async def test_without_a_source_a_spool_with_nothing_to_deliver_is_refused(sink: str | None, tmp_path: Path):
    """The records of a sink that is not configured would not be delivered either."""
    await spool_of(tmp_path, sink or "other", 0 if sink else 5)
    sinks = (SinkSettings("mqtt", MqttSettings(host="127.0.0.1")),)
    with pytest.raises(SourceDown, match="no such file"):
        await run_relay(RelaySettings((SourceSettings(Url.parse("none.ts")),), sinks, spool=SpoolSettings(tmp_path)))


async def test_a_sink_that_was_renamed_is_reported_at_the_start(
    oracle: OracleBroker, tmp_path: Path, said: Callable[[], list[str]]
):
    """Once, with its cursor, the number of records, and what to do."""
    await spool_of(tmp_path / "spool", "old")
    (tmp_path / "flight.ts").write_bytes(TAPE.ts)
    settings = RelaySettings(
        (SourceSettings(Url.parse(tmp_path / "flight.ts")),),
        (SinkSettings("new", MqttSettings.from_url(oracle.url)),), spool=SpoolSettings(tmp_path / "spool"),
    )  # fmt: skip

    assert await asyncio.wait_for(run_relay(settings), 20) == 0
    assert [line for line in said() if "without a sink" in line] == [
        "spool: cursor without a sink, its records are discarded: cursor=old records_at_most=5"
        f" advice='name the sink old to deliver them, or delete {tmp_path}/spool/old.cursor'"
    ]


async def test_a_cursor_without_a_sink_holds_back_no_segment(tmp_path: Path):
    """Otherwise the disk would fill."""
    log = await open_log(tmp_path, "klvrelay", 1 << 20)
    log.cursor("old")
    for seq in range(40):
        log.append(record(seq, raw=bytes(10_000)))
    await log.close()

    log = await open_log(tmp_path, "klvrelay", 1 << 20)
    cursor = log.cursor("new")
    assert log._store.segments.first == 0
    for seq in range(40, 60):
        log.append(record(seq, raw=bytes(10_000)))
    await until(lambda: not log.pending)
    batch = await cursor.batch(100)
    cursor.commit(batch, all_of(batch))
    await until(lambda: log._store.segments.first >= 40)
    await log.close()


async def test_a_relay_that_cannot_be_built_leaves_its_spool_to_the_next(tmp_path: Path):
    """The folder is not reserved any longer once the settings are refused."""
    settings = RelaySettings((SourceSettings(Url.parse("udp://:5000"), stall=0),), spool=SpoolSettings(tmp_path))
    for _ in range(2):
        with pytest.raises(ConfigError, match="stall 0"):
            await run_relay(settings)


def test_the_settings_of_a_spool(tmp_path: Path):
    """Path, size and commit interval; none without the table."""
    path = tmp_path / "relay.toml"
    path.write_text(SOURCE)
    assert load(path).spool is None
    path.write_text(SOURCE + '[spool]\npath = "/var/spool/klvrelay"\nsize = "4G"\ncommit = "1s"\nage = "2h"\n')
    spool = load(path).spool
    assert spool is not None
    assert (str(spool.path), spool.size, spool.commit, spool.age) == ("/var/spool/klvrelay", 4 << 30, 1.0, 7200.0)
    assert load(path).age is None
    path.write_text(SOURCE + '[relay]\nage = "24h"\n')
    assert load(path).age == 86400.0


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ('size = "1G"', "spool.path: missing: give the path of a folder"),
        ('path = "a"\nsize = "10K"', "spool.size: must be a size of at least 1 MiB"),
        ('path = "a"\nsize = "many"', "spool.size: must be a size"),
        ('path = "a"\ncommit = "1m"', "spool.commit: must be a time from"),
        ('path = "a"\nage = 1', "spool.age: must be a time"),
        ('path = "a"\nage = "0.5s"', "spool.age: must be a time"),
        ('path = "a"\nages = "1h"', "spool.ages"),
    ],
)
def test_a_wrong_setting_of_a_spool_is_refused(lines: str, reason: str, tmp_path: Path):
    """With the key, and what is valid."""
    path = tmp_path / "relay.toml"
    path.write_text(f"{SOURCE}[spool]\n{lines}\n")
    with pytest.raises(ConfigError, match=reason):
        load(path)


async def test_the_order_of_sinks_does_not_matter_to_their_spool(free_port: int, tmp_path: Path):
    """A spool belongs to the relay of any of the prefixes; a relay without its prefix is refused."""
    (tmp_path / "empty.ts").write_bytes(bytes(188))
    spool = SpoolSettings(tmp_path / "spool", 8 << 20)

    async def run(*prefixes: str) -> None:
        source = SourceSettings(Url.parse(str(tmp_path / "empty.ts")))
        brokers = (MqttSettings(host="127.0.0.1", port=free_port, prefix=prefix) for prefix in prefixes)
        sinks = tuple(SinkSettings(broker.prefix, broker) for broker in brokers)
        await asyncio.wait_for(run_relay(RelaySettings((source,), sinks, spool=spool)), 10)

    await run("near", "far")
    await run("far", "near")
    await run("far")
    with pytest.raises(ConfigError, match="spool of a relay with topic prefix 'far', this one has 'near'"):
        await run("near")
    await run("near", "far", "another")


async def test_the_position_of_a_sink_is_kept_under_its_name(tmp_path: Path):
    """A broker that moves finds its position again; each sink has its own."""
    log = await open_log(tmp_path, "klvrelay", 8 << 20)
    sinks = SinkSettings("mqtt", MqttSettings(host="a")), SinkSettings("far", MqttSettings(host="b"))
    build_relay(RelaySettings((), sinks), log)
    log.append(record(0))
    await log.close()

    assert sorted(path.name for path in tmp_path.glob("*.cursor")) == ["far.cursor", "mqtt.cursor"]
