"""Cursor on Target events to TAK servers: taky and PyTAK, TLS, protocol 1, outages, pings."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from brokers import until
from certificates import certified, client_certificate
from cot_cases import TIME_US
from far_ends import settings_of
from ports import reserved
from tak_servers import EVERY, ScriptedTakServer, first_of_orbit, number_of, positioned, pytak_receiver, sink_to, taky
from test_cot_protobuf import ACCEPTED, OFFER, OTHERS, REFUSED
from test_sink_contract import Delivering

from klvrelay.errors import ConfigError, SinkDown, SinkRefused
from klvrelay.outcome import Outcome
from klvrelay.sinks.contract import Sink
from klvrelay.sinks.cot import tak_stream
from klvrelay.sinks.cot.control_events import ping
from klvrelay.sinks.cot.event_xml import event_xml
from klvrelay.sinks.open import check_far_end


async def test_taky_hands_the_events_on_to_pytak(free_port: int, tmp_path: Path):
    """A TAK server and a client, both of another make."""
    async with (
        taky(tmp_path / "taky", free_port),
        pytak_receiver(f"tcp://127.0.0.1:{free_port}") as following,
        sink_to(f"cot+tcp://127.0.0.1:{free_port}") as sink,
    ):
        assert await sink.deliver([first_of_orbit(), positioned(0)]) == Outcome(delivered=2)
        found = [(await following())[0] for _ in range(5)]
    kinds = ["platform.orbit", "spi.orbit", "footprint.orbit", "target.1.orbit", "platform.uav1"]
    assert found == [f"klvrelay.{kind}" for kind in kinds]


@pytest.mark.needs("openssl")
async def test_taky_over_tls_requires_the_client_certificate(free_port: int, tmp_path: Path):
    """With it, events arrive. Without it, or with an unknown authority, the message says what to do."""
    ca, server = certified(tmp_path)
    cert, key = client_certificate(tmp_path)
    url = f"cot+tls://127.0.0.1:{free_port}"
    secured = {"ca": ca, "cert": server, "key": server, "client_cert_required": "true"}
    with reserved() as monitor:
        async with (
            taky(tmp_path / "taky", free_port, mon_port=monitor, **secured),
            pytak_receiver(f"tcp://127.0.0.1:{monitor}") as following,
        ):
            async with sink_to(url, ca_file=ca, cert_file=cert, key_file=key) as sink:
                assert await sink.deliver([positioned(0)]) == Outcome(delivered=1)
                assert (await following())[0] == "klvrelay.platform.uav1"
            with pytest.raises(SinkRefused, match="certificate"):
                await sink_to(url, ca_file=ca).__aenter__()
            with pytest.raises(SinkRefused, match="not trusted"):
                await sink_to(url).__aenter__()
            with pytest.raises(SinkDown, match=r"closed the connection|connection lost"):
                await _deliver_until_lost(sink_to(f"cot+tcp://127.0.0.1:{free_port}", timeout=2.0))


async def _deliver_until_lost(sink: Sink) -> None:
    async with sink:
        for number in range(100):
            await sink.deliver([positioned(number)])
            await asyncio.sleep(0.02)


@pytest.mark.needs("openssl")
def test_a_pkcs12_file_is_refused_with_the_command_that_converts_it(tmp_path: Path):
    """TAK servers hand them out. The command does what it says."""
    import subprocess

    ca, _ = certified(tmp_path)
    cert, key = client_certificate(tmp_path)
    bundle = tmp_path / "relay.p12"
    words = ["openssl", "pkcs12", "-export", "-in", cert, "-inkey", key, "-certfile", ca, "-out", bundle]
    subprocess.run([*words, "-passout", "pass:"], check=True, capture_output=True, timeout=20)
    good = {"ca_file": ca, "cert_file": cert, "key_file": key}
    check_far_end(settings_of("cot+tls://127.0.0.1", **good))
    made = {}
    for name in good:
        with pytest.raises(ConfigError, match=f"{name} .*relay.p12: is PKCS#12") as refused:
            check_far_end(settings_of("cot+tls://127.0.0.1", **{**good, name: str(bundle)}))
        command = str(refused.value).split("`")[1].split()
        subprocess.run([*command, "-passin", "pass:"], check=True, capture_output=True, timeout=20, cwd=tmp_path)
        made[name] = str(tmp_path / command[-1])
    check_far_end(settings_of("cot+tls://127.0.0.1", **made))


class PositionedDelivery(Delivering):
    """Delivers records with positions, all of them."""

    def __init__(self, server: ScriptedTakServer) -> None:
        super().__init__(server, (EVERY,))  # type: ignore[arg-type]

    def append(self, numbers: Iterable[int], streams: Sequence[str] = ("uav1",)) -> None:
        for number in numbers:
            for stream in streams:
                self.log.append(positioned(number, stream))


async def test_an_outage_of_the_server_loses_nothing_that_was_not_acknowledged(free_port: int):
    """Records wait, and follow in order, with the same uids."""
    server = ScriptedTakServer(free_port)
    async with server:
        trial = PositionedDelivery(server)
        async with trial.running():
            trial.append(range(100))
            await trial.settled()
            await until(lambda: len(server.events) >= 100)
            await server.stop()
            await until(lambda: not trial.sink_task.health.up, 20)
            trial.append(range(100, 300))
            await server.start()
            await trial.settled()
            await until(lambda: len(set(map(number_of, server.events))) >= 300)
    assert list(dict.fromkeys(map(number_of, server.events))) == list(range(300))
    assert {event.get("uid") for event in server.events} == {"klvrelay.platform.uav1"}
    assert trial.sink_task.sums().delivered == 300


async def test_a_server_that_does_not_read_ends_the_connection_after_the_time_limit():
    """Nothing that it did not acknowledge counts as delivered."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.bind(("127.0.0.1", 0))
        server.listen()
        async with sink_to(f"cot+tcp://127.0.0.1:{server.getsockname()[1]}", timeout=0.3) as sink:
            with pytest.raises(SinkDown, match="the TAK server no longer answers") as lost:
                await sink.deliver([positioned(number) for number in range(20_000)])
    assert lost.value.answered.delivered < 20_000


async def test_an_idle_connection_that_the_server_closes_is_noticed(free_port: int):
    """Without anything to send."""
    async with ScriptedTakServer(free_port) as server, sink_to(server.url) as sink:
        await until(lambda: len(server.clients) == 1)
        await server.stop()
        lost = await asyncio.wait_for(sink._far_end.lost(), 5)  # type: ignore[attr-defined]
    assert "the TAK server closed the connection" in str(lost)


async def test_an_idle_connection_is_checked_with_pings(free_port: int, monkeypatch: pytest.MonkeyPatch):
    """And a ping of the server is answered. Its other events are discarded."""
    monkeypatch.setattr(tak_stream, "PING", 0.05)
    server = ScriptedTakServer(free_port, greeting=OTHERS * 50 + event_xml(ping("server")))
    async with server, sink_to(server.url) as sink:
        watching = asyncio.create_task(sink._far_end.lost())  # type: ignore[attr-defined]
        await until(lambda: server.types.count("t-x-c-t") >= 2)
        assert not watching.done()
        watching.cancel()
        await asyncio.wait({watching})
    assert server.types.count("t-x-c-t-r") == 1


async def test_a_flood_of_pings_is_answered_once_a_second(free_port: int):
    """And events are delivered beside it: answers do not pile up."""
    server = ScriptedTakServer(free_port, greeting=event_xml(ping("server")) * 5000)
    async with server, sink_to(server.url) as sink:
        await until(lambda: "t-x-c-t-r" in server.types)
        assert await sink.deliver([positioned(0)]) == Outcome(delivered=1)
        await until(lambda: "a-f-A-M-F-Q" in server.types)
        assert server.types.count("t-x-c-t-r") < 20  # 5000 without the limit


async def test_a_flood_is_read_at_a_limited_rate(free_port: int, monkeypatch: pytest.MonkeyPatch):
    """And all of it in the end; so the kernel slows the server down."""
    monkeypatch.setattr(tak_stream, "READ_MOST", 1 << 16)
    monkeypatch.setattr(tak_stream, "READ_PERIOD", 0.1)
    monkeypatch.setattr(tak_stream, "PONG", 0.0)
    server = ScriptedTakServer(free_port, greeting=OTHERS * 400 + event_xml(ping("server")))
    loop = asyncio.get_running_loop()
    begin = loop.time()
    async with server, sink_to(server.url):
        await until(lambda: "t-x-c-t-r" in server.types)
    assert loop.time() - begin >= (len(server.greeting) // (1 << 17)) * 0.1


# ---- TAK protocol 1 ----


async def test_protocol_1_begins_once_the_server_accepts_it(free_port: int):
    """Before, events are XML; after the request, none is sent until the answer."""
    server = ScriptedTakServer(free_port, greeting=OFFER, answer=OTHERS + ACCEPTED, accepts=True)
    async with server, sink_to(server.url, tak_protocol="protobuf") as sink:
        await until(lambda: "t-x-takp-q" in server.types)
        assert await sink.deliver([positioned(0), positioned(1)]) == Outcome(delivered=2)
        await until(lambda: len(server.frames) == 2)
    assert server.types == ["t-x-takp-q"]
    assert [frame.cotEvent.sendTime for frame in server.frames] == [TIME_US // 1000, TIME_US // 1000 + 40]


async def test_a_refusal_or_no_offer_leaves_xml(free_port: int):
    """Nothing is lost by asking."""
    server = ScriptedTakServer(free_port, answer=REFUSED)
    for server.greeting in (OFFER, b""):
        server.events.clear()
        async with server, sink_to(server.url, tak_protocol="protobuf") as sink:
            assert await sink.deliver([positioned(0)]) == Outcome(delivered=1)
            await until(lambda: "a-f-A-M-F-Q" in server.types)
        assert server.frames == []


async def test_a_server_that_offers_again_after_it_refused_is_asked_once(free_port: int):
    """It could otherwise keep the connection busy without end."""
    server = ScriptedTakServer(free_port, greeting=OFFER, answer=REFUSED + OFFER)
    async with server, sink_to(server.url, tak_protocol="protobuf") as sink:
        await until(lambda: "t-x-takp-q" in server.types)
        assert await sink.deliver([positioned(0)]) == Outcome(delivered=1)
        await until(lambda: "a-f-A-M-F-Q" in server.types)
    assert server.types.count("t-x-takp-q") == 1


async def test_an_offer_is_ignored_with_xml(free_port: int):
    """The default: no request."""
    async with ScriptedTakServer(free_port, greeting=OFFER) as server, sink_to(server.url) as sink:
        await sink.deliver([positioned(0)])
        await until(lambda: bool(server.events))
    assert [event.get("uid") for event in server.events] == ["klvrelay.platform.uav1"]


async def test_a_server_that_does_not_answer_the_request_ends_the_connection(
    free_port: int, monkeypatch: pytest.MonkeyPatch
):
    """Meanwhile nothing is sent."""
    monkeypatch.setattr(tak_stream, "ANSWER", 0.1)
    async with ScriptedTakServer(free_port, greeting=OFFER) as server:
        async with sink_to(server.url, tak_protocol="protobuf") as sink:
            await until(lambda: bool(server.events))
            with pytest.raises(SinkDown, match="no longer answers") as lost:
                await sink.deliver([positioned(0)])
        assert lost.value.answered == Outcome()
        assert server.types == ["t-x-takp-q"]


async def test_a_server_that_breaks_the_protocol_is_left(free_port: int):
    """The message says what was wrong."""
    server = ScriptedTakServer(free_port, greeting=OFFER, answer=ACCEPTED + b"<event/>", accepts=True)
    async with server, sink_to(server.url, tak_protocol="protobuf") as sink:
        lost = await asyncio.wait_for(sink._far_end.lost(), 5)  # type: ignore[attr-defined]
    assert "neither XML nor TAK protocol 1" in str(lost)


async def test_a_server_that_acknowledges_no_ping_is_left(monkeypatch: pytest.MonkeyPatch):
    """Also while no record is due."""
    monkeypatch.setattr(tak_stream, "PING", 0.001)
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        server.bind(("127.0.0.1", 0))
        server.listen()
        async with sink_to(f"cot+tcp://127.0.0.1:{server.getsockname()[1]}", timeout=0.3) as sink:
            lost = await asyncio.wait_for(sink._far_end.lost(), 20)  # type: ignore[attr-defined]
            assert "the TAK server no longer answers" in str(lost)
            with pytest.raises(SinkDown, match="no longer answers"):
                await sink.deliver([positioned(0)])
