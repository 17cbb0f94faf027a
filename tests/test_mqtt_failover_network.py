"""A list of brokers over TLS, and with one behind a network that drops all packets."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from broker_proxy import BrokerProxy
from brokers import until
from certificates import certified
from oracle_broker import OracleBroker
from records import BOOT, record
from test_mqtt_failover import delivering, seqs

from klvrelay.config.mqtt import MqttSettings
from klvrelay.sinks.mqtt.failover import FailoverSink

pytestmark = pytest.mark.needs("openssl")

Said = Callable[[], list[str]]


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ssl.SSLContext]:
    """(certificates to trust, the TLS settings of the brokers)."""
    ca, server = certified(tmp_path_factory.mktemp("papers"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    return ca, context


@pytest.fixture(params=["mqtt", "mqtts"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def brokers(scheme: str, papers: tuple[str, ssl.SSLContext]) -> AsyncIterator[tuple[OracleBroker, OracleBroker]]:
    tls = papers[1] if scheme == "mqtts" else None
    async with OracleBroker(tls) as first, OracleBroker(tls) as second:
        yield first, second


@pytest.fixture
def sink_of(scheme: str, papers: tuple[str, ssl.SSLContext]) -> Callable[..., FailoverSink]:
    """Makes a sink with brokers on these ports."""

    def make(*ports: int, **settings: Any) -> FailoverSink:
        ca = {"ca_file": papers[0]} if scheme == "mqtts" else {}
        known = {"timeout": 1.0, **ca, **settings}
        return FailoverSink(
            [MqttSettings.from_url(f"{scheme}://127.0.0.1:{port}", **known) for port in ports], boot=BOOT
        )

    return make


@contextlib.contextmanager
def deaf() -> Iterator[int]:
    """A port whose queue of connections is full, so that the kernel drops each SYN."""
    with socket.socket() as listener, contextlib.ExitStack() as fillers:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        yield listener.getsockname()[1]


async def test_a_broker_that_dies_under_load_costs_nothing(brokers, sink_of):
    """Over both, no record is missing, and they are in order, over TLS too."""
    first, second = brokers
    async with delivering(sink_of(first.port, second.port)) as (sink_task, log):
        await until(lambda: sink_task.health.up)
        for seq in range(300):
            log.append(record(seq))
            if seq == 150:
                await until(lambda: len(seqs(first)) > 100)
                first.manners.ack = False
                await first.stop()
        await until(lambda: sink_task.sums().delivered == 300)
    before, after = seqs(first), seqs(second)
    assert before == list(range(len(before)))
    assert after == list(range(after[0], 300))
    assert after[0] <= len(before)  # those without an answer may be at both


@pytest.mark.parametrize("client", ["native", "aiomqtt"])
async def test_a_broker_whose_host_drops_all_packets_is_left_for_the_next(brokers, sink_of, client: str, said: Said):
    """The connection is never made."""
    _, second = brokers
    with deaf() as port:
        async with delivering(sink_of(port, second.port, timeout=0.4, client=client)) as (_, log):
            log.append(record(0))
            await until(lambda: seqs(second) == [0])
    (line,) = [line for line in said() if "broker in use" in line]
    assert f"127.0.0.1:{port}" in line


@pytest.mark.parametrize("client", ["native", "aiomqtt"])
async def test_a_broker_behind_a_proxy_that_never_answers_is_left_for_the_next(
    brokers, sink_of, client: str, said: Said
):
    """The connection is made, and with TLS the handshake is never answered."""
    first, second = brokers
    async with BrokerProxy(first.port) as proxy:
        proxy.stall(True)
        async with delivering(sink_of(proxy.port, second.port, timeout=0.4, client=client)) as (_, log):
            log.append(record(0))
            await until(lambda: seqs(second) == [0])
        assert proxy.connections > 0
    (line,) = [line for line in said() if "broker in use" in line]
    assert f"127.0.0.1:{proxy.port}: no MQTT connection within 0.4 s" in line


@pytest.mark.parametrize("client", ["native", "aiomqtt"])
async def test_a_network_that_drops_all_packets_of_a_connection_loses_no_record(brokers, sink_of, client: str):
    """The next broker gets those without an answer, and is used again after the first was tried in vain."""
    first, second = brokers
    async with (
        BrokerProxy(first.port) as proxy,
        delivering(sink_of(proxy.port, second.port, timeout=0.4, client=client)) as (sink_task, log),
    ):
        log.append(record(0))
        await until(lambda: sink_task.sums().delivered == 1)
        proxy.stall(True)
        for seq in range(1, 50):
            log.append(record(seq))
        await until(lambda: sink_task.sums().delivered == 50)
        assert seqs(second) == list(range(1, 50))
        second.cut()
        log.append(record(50))
        await until(lambda: sink_task.sums().delivered == 51)
        assert seqs(second)[-1] == 50
        assert seqs(first) == [0]


async def test_an_idle_connection_whose_packets_are_dropped_is_left_too(brokers, sink_of):
    """Its pings have no answer."""
    first, second = brokers
    async with (
        BrokerProxy(first.port) as proxy,
        delivering(sink_of(proxy.port, second.port, keepalive=1)) as (sink_task, log),
    ):
        await until(lambda: sink_task.health.up)
        proxy.stall(True)
        await until(lambda: len(second.guests) == 1)
        log.append(record(0))
        await until(lambda: seqs(second) == [0])
