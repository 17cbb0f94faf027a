"""Bad networks with real sockets: the rule of their losses is raised once, and cleared once when the network heals."""

from __future__ import annotations

import asyncio
import itertools

import feed
import pytest
from brokers import Mosquitto, until
from live_sample import sending
from observed_relay import ObservedRelay, observed
from srt_peers import sequence, transmitter, wire

from klvrelay.alerts import engine, link_sample
from klvrelay.config.alerts import AlertEntry, AlertsSettings
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings
from klvrelay.config.url import Url

OFF = tuple(AlertEntry(rule, enabled=False) for rule in ("loop_lag", "memory"))
TAPE = feed.recording(count=420, filler=7, padding=200)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluations ten times a second, of the losses of the last two seconds."""
    monkeypatch.setattr(engine, "EVERY_S", 0.1)
    monkeypatch.setattr(link_sample, "SPAN", 2.0)


def settings(broker: Mosquitto, url: str, rule: str) -> RelaySettings:
    """A relay of one source, which reports losses at once."""
    source = SourceSettings(Url.parse(url), stream="uav1")
    sink = SinkSettings("mqtt", MqttSettings(host="127.0.0.1", port=broker.port))
    return RelaySettings((source,), (sink,), alerts=AlertsSettings(entries=(AlertEntry(rule, hold=0.0), *OFF)))


async def check_cleared(running: ObservedRelay, rule: str) -> None:
    """It was raised once and is cleared once, and nothing else was raised."""
    await until(lambda: f"cleared {rule}" in running.seen("uav1"), 15)
    assert running.seen() == [f"raised {rule}", f"cleared {rule}"]
    raised, cleared = running.events
    assert raised.value > raised.threshold
    assert cleared.worst >= raised.value
    assert raised.since_us <= raised.raised_us < (cleared.cleared_us or 0)
    assert raised.advice


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize(("scheme", "rule"), [("udp", "transport"), ("rtp", "rtp_loss")])
async def test_impaired_datagrams_raise_the_rule_of_their_losses(
    mosquitto: Mosquitto, free_port: int, scheme: str, rule: str
):
    """`klvrelay send --impair`, then without."""
    url = f"{scheme}://127.0.0.1:{free_port}"
    async with observed(settings(mosquitto, url, rule)) as running:
        await feed.listening(free_port)
        async with sending(url, "--speed", "4", "--impair", "loss=10%,seed=7"):
            await until(lambda: running.seen("uav1"), 15)
        async with sending(url, "--speed", "2"):
            await check_cleared(running, rule)


@pytest.mark.needs("mosquitto", "libsrt", "srt-live-transmit")
async def test_srt_packets_that_come_too_late_raise_their_rule(mosquitto: Mosquitto, free_port: int):
    """One in twenty is lost, and its repetitions too, until the network heals."""
    is_bad = True
    url = f"srt://127.0.0.1:{free_port}?mode=listener&latency=60"

    def loses(datagram: bytes) -> bool:
        number = sequence(datagram)
        return is_bad and number is not None and number % 20 == 0

    pieces = itertools.cycle(feed.datagrams(TAPE.ts))
    async with observed(settings(mosquitto, url, "srt_loss")) as running:
        await feed.listening(free_port)
        async with (
            wire(free_port, loses) as (near, _),
            transmitter(f"srt://127.0.0.1:{near}?latency=60", pieces, pause=0.003),
        ):
            await until(lambda: running.seen("uav1"), 15)
            is_bad = False
            await check_cleared(running, "srt_loss")


@pytest.mark.needs("mosquitto")
async def test_a_full_socket_buffer_raises_the_rule_of_kernel_drops(mosquitto: Mosquitto, free_port: int):
    """Datagrams arrive while the relay gets no processor time, and more than its socket buffer can hold."""
    url = f"udp://127.0.0.1:{free_port}"
    data = feed.datagrams(TAPE.ts)
    async with observed(settings(mosquitto, url, "kernel_drops")) as running:
        await feed.listening(free_port)
        feed.send_udp(data[:20], free_port)
        await until(lambda: any(one.records for one in running.relay.board.streams()))
        async with asyncio.timeout(15):
            while not running.seen("uav1"):
                for _ in range(40):
                    feed.send_udp(data, free_port)  # the relay shares this thread
                await asyncio.sleep(0.05)
        for _ in range(600):
            if "cleared kernel_drops" in running.seen("uav1"):
                break
            feed.send_udp(data[:5], free_port)
            await asyncio.sleep(0.02)
        await check_cleared(running, "kernel_drops")
