"""A fault affects only its own component: a sink, a source, the counters of a stream, a certificate file."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import feed
import pytest
from brokers import Mosquitto, until
from certificates import certified
from oracle_broker import OracleBroker
from scripted_ends import TAPE, Ear, Tape, live
from test_mqtt_tls import papers, tls_broker, to  # noqa: F401 (a fixture)

from klvrelay.backoff import Backoff
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError, SinkDown, SinkRefused
from klvrelay.link_stats import LinkStats
from klvrelay.relay import sink_task as sink_task_module
from klvrelay.relay import stream as stream_module
from klvrelay.relay import tick as tick_module
from klvrelay.relay.relay import Relay
from klvrelay.relay.stream_input import StreamInput
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sources.open import open_source

Said = Callable[[], list[str]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off and checks in milliseconds, and no rate limit of the log."""
    monkeypatch.setattr(tick_module, "TICK", 0.01)
    monkeypatch.setattr("klvrelay.backoff.PACE", 0.0, raising=False)
    for module in (stream_module, sink_task_module):
        monkeypatch.setattr(module, "Backoff", lambda **_: Backoff(first=0.01, cap=0.03))


def relay(*sources: Any, sinks: dict[str, Any]) -> Relay:
    """Each source is an object, or what opens one."""
    openers = [source if callable(source) else partial(lambda s: s, source) for source in sources]
    feeds = [StreamInput(f"uav{n}", opener, "udp://127.0.0.1:5000") for n, opener in enumerate(openers, 1)]
    return Relay(feeds, list(sinks.items()), boot="5f2c9a")


@asynccontextmanager
async def running(it: Relay) -> AsyncIterator[None]:
    """The running relay: it must not end by itself, and stops in time."""
    task = asyncio.create_task(it.run())
    try:
        yield
    finally:
        ended = task.done()
        task.cancel()
        await asyncio.wait({task}, timeout=8)
    assert not ended, task.exception()


def endless() -> Tape:
    return live(*TAPE.klv, hang=True)


@pytest.mark.parametrize("error", [KeyError("x"), OSError(errno.EMFILE, "x"), ValueError("x")],
                         ids=["KeyError", "EMFILE", "ValueError"])  # fmt: skip
@pytest.mark.parametrize("where", ["door", "faults"])
async def test_an_unexpected_error_in_one_sink_ends_nothing(where: str, error: Exception, said: Said):
    """At its first connection or in a delivery: it reconnects, the other sink continues, no record is lost."""
    broken, sound = Ear(**{where: [error] * 3}), Ear()  # type: ignore[arg-type]
    async with running(relay(endless(), sinks={"broken": broken, "sound": sound})):
        await until(lambda: len(broken.records) == len(sound.records) == 40)
    assert broken.seqs() == sound.seqs() == list(range(40))
    assert (broken.entered, sound.entered) == (4, 1)
    assert len([line for line in said() if type(error).__name__ in line or "too many open files" in line]) <= 3


async def test_a_refusal_or_a_missing_file_is_final_at_the_first_connection_only():
    """Later it may be a temporary fault of the far end, or a certificate that is being renewed."""
    faults = [ConfigError("mqtt ca_file: can't be read: no such file"), SinkRefused("wrong password")]
    for fault in faults:
        with pytest.raises(type(fault)):
            await asyncio.wait_for(relay(endless(), sinks={"ear": Ear(door=[fault])}).run(), 5)
    ear = Ear(faults=[SinkDown("gone")])
    enter = ear.__aenter__

    @dataclass
    class Later:
        left = 2

        async def __aenter__(self) -> Any:
            if ear.entered and self.left:
                self.left -= 1
                raise faults[self.left]
            return await enter()

        def __getattr__(self, name: str) -> Any:
            return getattr(ear, name)

        async def __aexit__(self, *_: object) -> None: ...

    async with running(relay(endless(), sinks={"ear": Later()})):
        await until(lambda: len(ear.records) == 40)


@pytest.mark.needs("mosquitto", "mosquitto_passwd", "openssl")
async def test_a_ca_file_that_is_missing_while_the_broker_restarts_is_waited_for(
    papers: Path, tmp_path: Path, free_port: int, said: Said  # noqa: F811
):  # fmt: skip
    """It is being renewed: the relay logs it, and connects once the file exists again."""
    ca = tmp_path / "renewed.pem"
    ca.write_bytes((papers / "ca.pem").read_bytes())
    async with tls_broker(papers, tmp_path, free_port) as broker:
        sink = MqttSink(to(broker, papers, ca_file=str(ca)), boot="5f2c9a")
        it = relay(endless(), sinks={"broker": sink})
        async with running(it):
            await until(lambda: it.sink_tasks[0].health.up)
            ca.unlink()
            await broker.stop()
            await broker.start()
            await until(lambda: any("ca_file" in line and "retrying" in line for line in said()))
            ca.write_bytes((papers / "ca.pem").read_bytes())
            await until(lambda: it.sink_tasks[0].health.up)


@pytest.mark.needs("openssl")
async def test_a_ca_file_of_one_source_that_is_missing_costs_that_source_only(tmp_path: Path, said: Said):
    """The file existed at the start and is missing when the source is opened: the source is retried, and the fault
    logged.
    """
    ca, _ = certified(tmp_path)
    opener = partial(open_source, "https://127.0.0.1:1/live.ts", timeout=1.0, ca_file=ca)
    opener()
    Path(ca).rename(tmp_path / "elsewhere")
    ear, it = Ear(), None
    it = relay(opener, endless(), sinks={"ear": ear})
    async with running(it):
        await until(lambda: len(ear.seqs("uav2")) == 40)
        await until(lambda: any("uav1" in line and "ca_file" in line for line in said()))
        (tmp_path / "elsewhere").rename(ca)
        await until(lambda: any("uav1" in line and "connection refused" in line for line in said()))
    assert not [line for line in said() if "internal error" in line]


class Uncounted(Tape):
    """A source whose counters cannot be read for a while."""

    reads = 0

    @property
    def link(self) -> LinkStats:
        self.reads += 1
        if 3 < self.reads < 60:
            raise OSError(errno.EIO, "counters")
        return self._link

    @link.setter
    def link(self, link: LinkStats) -> None:
        self._link = link


@pytest.mark.parametrize("hang", [True, False], ids=["in the tick", "at its end"])
async def test_counters_of_one_stream_that_fail_cost_no_record_of_any(hang: bool, said: Said):
    """At a check, and at the end of an opening: the other streams continue, and so does that one."""
    ear = Ear()
    broken = Uncounted((TAPE.bare,), live=True, url=Url.parse("udp://127.0.0.1:5000"), hang=hang)
    async with running(relay(broken, endless(), sinks={"ear": ear})):
        await until(lambda: broken.reads > 80)
        await until(lambda: len(ear.seqs("uav1")) >= 40 and len(ear.seqs("uav2")) == 40)
        assert hang or broken.opened > 1
    assert 1 <= len([line for line in said() if "OSError" in line]) <= 4


async def test_no_descriptor_for_the_second_handle_of_a_connection_is_waited_out(
    oracle: OracleBroker, monkeypatch: pytest.MonkeyPatch, said: Said
):
    """EMFILE when a socket is duplicated: then it is connected, and all is delivered."""
    dup, short = socket.dup, [0]  # type: ignore[attr-defined]

    def refuse(fd: int) -> int:
        short[0] += 1
        if short[0] <= 3:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        made: int = dup(fd)
        return made

    monkeypatch.setattr(socket, "dup", refuse)
    sink = MqttSink(MqttSettings(host="127.0.0.1", port=oracle.port), boot="5f2c9a")
    async with running(relay(endless(), sinks={"broker": sink})):
        await until(lambda: len(oracle.payloads("klvrelay/uav1/telemetry")) == 40)
    if short[0]:  # otherwise the connection needs no second descriptor
        assert sum("too many open files" in line for line in said()) == 1


async def test_no_descriptor_for_a_source_is_waited_out(
    free_port: int, monkeypatch: pytest.MonkeyPatch, said: Said
):  # fmt: skip
    """A temporary shortage is logged once with its cause; the other stream continues."""
    from klvrelay.sources.datagrams import source as datagrams

    socket_for, short = datagrams.socket_for, [0]

    def refuse(host: Any) -> Any:
        short[0] += 1
        if short[0] <= 3:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return socket_for(host)

    monkeypatch.setattr(datagrams, "socket_for", refuse)
    ear = Ear()
    async with running(relay(partial(open_source, f"udp://127.0.0.1:{free_port}"), endless(), sinks={"ear": ear})):
        await until(lambda: len(ear.seqs("uav2")) == 40)
        await feed.listening(free_port)
        feed.send_udp(feed.datagrams(TAPE.ts), free_port)
        await until(lambda: len(ear.seqs("uav1")) == 40)
    lines = [line for line in said() if "open files" in line]
    assert lines == ["uav1: too many open files: raise the limit of open files (ulimit -n, LimitNOFILE=); retrying"]


async def test_a_file_is_read_once_a_descriptor_is_available(said: Said):
    """Nothing of it has been read, so nothing is repeated; the fault is not the relay's result."""
    ear, tries = Ear(), []

    def opener() -> Tape:
        tries.append(1)
        short = OSError(errno.EMFILE, "x")
        return Tape((), fault=short) if len(tries) < 4 else Tape(TAPE.klv)

    it = Relay([StreamInput("uav1", opener, "paper.klv")], [("ear", ear)], boot="b")  # type: ignore[list-item]
    await asyncio.wait_for(it.run(), 5)
    assert (ear.seqs(), it.fault, len(tries)) == (list(range(40)), None, 4)
    assert sum("too many open files" in line for line in said()) == 1


async def test_a_file_that_breaks_off_for_want_of_a_descriptor_is_not_read_twice():
    """Its records would be repeated: it has failed."""
    ear = Ear()
    it = relay(lambda: Tape(TAPE.klv, fault=OSError(errno.EMFILE, "x")), sinks={"ear": ear})
    await asyncio.wait_for(it.run(), 5)
    assert ear.seqs() == list(range(40))
    assert it.fault is not None


async def test_a_live_source_does_not_end_when_a_server_announces_a_recording():
    """An error page, or a proxy that answers for the camera: it is opened again."""
    ear, tries = Ear(), []

    def opener() -> Tape:
        tries.append(1)
        url = Url.parse("http://h/live.ts")
        return Tape(TAPE.klv, live=True, url=url) if len(tries) == 1 else Tape((), url=url)

    it = relay(opener, sinks={"ear": ear})
    async with running(it):
        await until(lambda: len(tries) > 3)
    never_live = relay(lambda: Tape(TAPE.klv, url=Url.parse("http://h/old.ts")), sinks={"ear": Ear()})
    await asyncio.wait_for(never_live.run(), 5)
    assert never_live.fault is None


@pytest.mark.needs("mosquitto")
async def test_two_relays_with_one_client_id_do_not_flood_the_log(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch, said: Said
):
    """They take over each other's session repeatedly: a few log lines for fifty connections."""
    monkeypatch.setattr("klvrelay.backoff.PACE", 1.0, raising=False)
    monkeypatch.setattr(sink_task_module, "Backoff", lambda **_: Backoff(first=0.01, cap=0.05))
    settings = MqttSettings(host="127.0.0.1", port=mosquitto.port, client_id="same")
    two = [relay(endless(), sinks={name: MqttSink(settings, boot="5f2c9a")}) for name in ("one", "two")]
    async with running(two[0]), running(two[1]):
        await until(lambda: sum(it.sink_tasks[0].health.outages for it in two) >= 50, 20)
    lines = [line for line in said() if "uav1" not in line and "records," not in line]
    assert len([line for line in lines if "retrying" in line or "connected" in line]) < 30
