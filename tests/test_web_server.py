"""The web server: who may use it, and that no client can hurt the relay."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from pathlib import Path

import aiohttp
import pytest
from certificates import certified, openssl
from served_relay import Served, board_of, connected, flown, serving

from klvrelay.config.web import WebSettings
from klvrelay.errors import ConfigError
from klvrelay.health import SinkHealth
from klvrelay.text import Secret
from klvrelay.web import connections
from klvrelay.web.observed import Observed
from klvrelay.web.server import TOGETHER, RelayServer, listen

TOKEN = "0123456789abcdef"
GUARDED = WebSettings("127.0.0.1:0", Secret(TOKEN))
PATHS = ("/metrics", "/api/v1/", "/api/v1/streams/uav1", "/api/v1/config", "/api/v1/openapi.json", "/nothing")


def observed() -> Observed:
    return Observed(board_of([flown()], [connected()]))


@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer x", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer \xff"])
async def test_without_its_token_a_guarded_server_says_nothing(given: str | None):
    """But that it lives, and whether it is ready."""
    headers = {} if given is None else {"Authorization": given}
    async with serving(observed(), GUARDED) as served:
        for path in PATHS:
            response = await served.ask(path, headers=headers)
            assert response.status == 401
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
            assert "uav1" not in await response.text()
        assert (await served.ask("/healthz", headers=headers)).status == 200
        assert (await served.ask("/readyz", headers=headers)).status == 200


async def test_the_token_opens_it():
    """The scheme may be in any case (RFC 9110, 11.1)."""
    async with serving(observed(), GUARDED) as served:
        for scheme in ("Bearer", "bearer"):
            response = await served.ask("/api/v1/streams", headers={"Authorization": f"{scheme} {TOKEN}"})
            assert response.status == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200), ("localhost:8080", 200), ("[::1]:8080", 200), ("127.9.9.9", 200), ("relay.example", 200),
        ("evil.example", 421), ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421), ("", 421),
        ("192.0.2.1", 421), ("[", 421),
    ],
)  # fmt: skip
async def test_without_a_token_other_host_names_are_refused(host: str, status: int):
    """A page of another site could reach this machine by a name that resolves to it (DNS rebinding)."""
    async with serving(observed(), WebSettings("127.0.0.1:0", hosts=("Relay.Example",))) as served:
        response = await served.ask("/metrics", headers={"Host": host})
        assert response.status == status


async def test_a_request_that_changes_something_comes_from_no_other_site():
    """And is JSON, which a form cannot send."""
    async with serving(observed()) as served:
        path, json = "/api/v1/streams", {"Content-Type": "application/json"}
        foreign = await served.ask(path, "POST", {**json, "Origin": "http://evil.example"}, data=b"{}")
        form = await served.ask(path, "POST", {"Content-Type": "text/plain"}, data=b"{}")
        own = await served.ask(path, "POST", {**json, "Origin": served.url}, data=b"{}")
    assert (foreign.status, form.status, own.status) == (403, 415, 405)
    assert own.headers["Allow"] == "GET,HEAD"


@pytest.mark.parametrize("path", [*PATHS, "/healthz", "/readyz"])
async def test_every_answer_is_protected_in_browsers(path: str):
    """It is not stored, not guessed at and not framed; errors are problem details."""
    async with serving(observed()) as served:
        response = await served.ask(path)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    if response.status >= 400:
        assert response.content_type == "application/problem+json"
        assert (await response.json())["status"] == response.status


async def test_readiness_says_what_is_missing():
    """For an orchestrator, by its status; for an operator, by its reasons."""
    reasons = ["sink mqtt: not connected yet"]
    async with serving(Observed(board_of(), unready=lambda: reasons)) as served:
        waiting = await served.ask("/readyz")
        assert (waiting.status, (await waiting.json())["reasons"]) == (503, reasons)
        assert (await waiting.json())["status"] == "not ready"
        reasons = []
        ready = await served.ask("/readyz")
        assert (ready.status, (await ready.json())["status"]) == (200, "ready")


async def test_a_relay_is_ready_while_a_sink_is_down_and_names_it():
    """A restart would not help: records wait."""
    good, lost, never = connected(), connected("nats"), SinkHealth("redis://h", key="redis")
    lost.mark_down("gone")
    async with serving(Observed(board_of([], [good, lost, never]))) as served:
        response = await served.ask("/readyz")
        assert response.status == 200
        assert (await response.json())["degraded"] == ["sink nats: down", "sink redis: connecting"]


async def test_readiness_shows_names_only_with_the_token():
    """Anyone may ask a server that has one; its status is enough for an orchestrator."""
    async with serving(Observed(board_of(), unready=lambda: ["sink mqtt: not connected yet"]), GUARDED) as served:
        without = await served.ask("/readyz")
        trusted = await served.ask("/readyz", headers={"Authorization": f"Bearer {TOKEN}"})
        assert (without.status, await without.json()) == (503, {"status": "not ready"})
        assert (await trusted.json())["reasons"] == ["sink mqtt: not connected yet"]


@pytest.mark.parametrize("path", ["/", "/api/v1"])
async def test_the_root_says_where_to_go(path: str):
    """Each path that it names answers."""
    async with serving(observed()) as served:
        document = await (await served.ask(path)).json()
        for named in (document["api"], document["description"], document["metrics"], *document["health"]):
            assert (await served.ask(named)).status == 200


async def test_an_internal_error_ends_one_request_only(caplog: pytest.LogCaptureFixture):
    """The answer names file and line, and no data."""
    board = board_of([flown()])

    async def fail() -> str:
        return {}["secret"]

    broken = Observed(board, config=fail)
    async with serving(broken) as served:
        response = await served.ask("/api/v1/config")
        assert response.status == 500
        assert "secret" not in await response.text()
        assert (await served.ask("/api/v1/streams")).status == 200
    assert "request failed" in caplog.text


async def test_a_body_is_bounded():
    """64 KiB suffice for a note."""
    async with serving(observed()) as served:
        headers = {"Content-Type": "application/json"}
        response = await served.ask("/api/v1/streams", "POST", headers, data=b"x" * 200_000)
        assert response.status in (405, 413)


async def raw(served: Served, data: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(data)
    return reader, writer


@pytest.mark.parametrize("data", [b"", b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "])
async def test_a_client_that_sends_no_complete_request_is_closed(data: bytes, monkeypatch: pytest.MonkeyPatch):
    """However slowly it sends: it cannot hold a connection."""
    monkeypatch.setattr(connections, "IDLE", 0.2)
    async with serving(observed()) as served:
        reader, writer = await raw(served, data)
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        writer.close()


async def test_connections_beyond_the_limit_are_closed_without_a_trace(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """While all others are being answered, a further one is closed, and nothing is logged."""
    monkeypatch.setattr(connections, "MOST", 3)
    gate = asyncio.Event()

    async def config() -> str:
        await gate.wait()
        return ""

    async with serving(Observed(board_of(), config=config)) as served:
        request = b"GET /api/v1/config HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        held = [await raw(served, request) for _ in range(3)]
        while len(served.busy()) < 3:
            await asyncio.sleep(0)
        reader, writer = await raw(served, request)
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        gate.set()
        for reader, _ in held:
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        for _, each in [*held, (reader, writer)]:
            each.close()
    assert [one for one in caplog.records if one.levelname != "INFO"] == []


async def test_many_idle_connections_shut_no_one_out(monkeypatch: pytest.MonkeyPatch):
    """The one that is idle for the longest time makes room."""
    monkeypatch.setattr(connections, "MOST", 20)
    async with serving(observed()) as served:
        held = [await raw(served) for _ in range(60)]
        assert (await served.ask("/healthz")).status == 200
        for _, writer in held:
            writer.close()


GARBAGE = (b"\x00" * 1000, b"GET / HTTP/9.9", b"G" * 100_000, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000)


async def test_garbage_is_refused_and_hurts_no_one():
    """Binary data, and headers without end."""
    async with serving(observed()) as served:
        for data in GARBAGE:
            reader, writer = await raw(served, data + b"\r\n\r\n")
            async with asyncio.timeout(10):
                with contextlib.suppress(ConnectionResetError):
                    assert (await reader.read(12)).partition(b" ")[2] in (b"400", b"431", b"505")
            writer.close()
        assert (await served.ask("/healthz")).status == 200


async def test_a_stop_waits_for_no_client():
    """Not for one that is idle, nor for one that does not read its answer."""
    async with serving(observed()) as served:
        held = [await raw(served, b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 50) for _ in range(5)]
        began = time.monotonic()
        served.task.cancel()
        await asyncio.wait({served.task})
        assert time.monotonic() - began < 3
        for _, writer in held:
            writer.close()


def test_an_address_in_use_is_an_error_at_once():
    """It names the setting."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"http.listen: 127.0.0.1:{port} cannot be used: address already in use"):
            listen(WebSettings(f"127.0.0.1:{port}"))


def test_a_certificate_that_cannot_be_used_is_an_error_at_once(tmp_path: Path):
    """Missing, not a certificate, no file, or with a passphrase, for which no one is asked."""
    bad, locked = tmp_path / "bad.pem", tmp_path / "locked.pem"
    bad.write_text("no certificate")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-keyout", locked, "-out", tmp_path / "x", "-subj", "/CN=x",
            "-passout", "pass:secret")  # fmt: skip
    locked.write_text(locked.read_text() + (tmp_path / "x").read_text())
    cases = {tmp_path / "none.pem": "no such file or directory", bad: "not a certificate",
             locked: "without a passphrase", Path("/dev/zero"): "not a file"}  # fmt: skip
    for path, reason in cases.items():
        settings = WebSettings("127.0.0.1:0", cert_file=str(path))
        with listen(settings) as sock, pytest.raises(ConfigError, match=reason):
            RelayServer(settings, observed(), sock)


async def test_many_clients_are_answered_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch):
    """Otherwise live records would wait for all of them; health checks do not wait."""
    running, most = 0, 0
    gate = asyncio.Event()

    async def config() -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await gate.wait()
        running -= 1
        return ""

    async with serving(Observed(board_of([flown()]), config=config)) as served:
        asked = [asyncio.create_task(served.ask("/api/v1/config")) for _ in range(20)]
        async with asyncio.timeout(10):
            while running < TOGETHER:
                await asyncio.sleep(0)
            assert (await served.ask("/healthz")).status == 200
            assert (await served.ask("/metrics")).status == 200
            gate.set()
            assert {(await one).status for one in asked} == {200}
    assert most == TOGETHER


async def test_https_with_a_certificate(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Checked by the client; without its authority it is refused. A reload reads another one, if it can be used."""
    authority, certificate = certified(tmp_path)
    settings = WebSettings("127.0.0.1:0", cert_file=certificate)
    async with serving(observed(), settings) as served:
        url = f"https://127.0.0.1:{served.port}/healthz"
        context = ssl.create_default_context(cafile=authority)
        async with served.session.get(url, ssl=context) as response:
            assert response.status == 200
        other = tmp_path / "other"
        other.mkdir()
        renewed, replacement = certified(other)
        Path(certificate).write_text(Path(replacement).read_text())
        await served.server.apply(settings)
        async with aiohttp.ClientSession() as session:
            async with session.get(url, ssl=ssl.create_default_context(cafile=renewed)) as response:
                assert response.status == 200
            Path(certificate).write_text("no certificate")
            await served.server.apply(settings)
            assert "certificate not reloaded" in caplog.text
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, ssl=ssl.create_default_context(cafile=renewed)) as response,
        ):
            assert response.status == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await served.session.get(url)
        with pytest.raises(aiohttp.ClientError):
            await served.session.get(url.replace("https", "http"))
