"""The first errors of sinks to NATS, TLS and settings."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from cases import each_case
from certificates import certified
from far_ends import settings_of
from queue_servers import NatsServer
from queue_trials import PASSWORD, StartNats, fault_of, sink_to
from records import record

from klvrelay.errors import ConfigError
from klvrelay.outcome import Outcome
from klvrelay.text import Secret


async def test_tls_with_a_client_certificate(start_nats: StartNats, tmp_path: Path):
    """And the errors of a connection without TLS, without trust, or without a certificate."""
    ca, pem = certified(tmp_path)
    server = await start_nats(
        f'tls {{ cert_file: "{pem}", key_file: "{pem}", ca_file: "{ca}", verify: true, timeout: 2 }}'
    )
    url = server.url.replace("nats://", "tls://")
    async with sink_to(url, ca_file=ca, cert_file=pem, key_file=pem, create=True) as sink:
        assert await sink.deliver([record(number) for number in range(300)]) == Outcome(delivered=300)
    assert "requires TLS: use tls://" in await fault_of(server.url)
    assert "certificate is not trusted" in await fault_of(url)
    assert "refused TLS" in await fault_of(url, ca_file=ca)


async def test_tls_to_a_server_without_tls_is_refused(start_nats: StartNats):
    """With the URL to use."""
    server = await start_nats()
    assert "has no TLS: configure it, or use nats://" in await fault_of(server.url.replace("nats://", "tls://"))


async def test_a_server_without_jetstream_is_refused(tmp_path: Path, free_port: int):
    """With both remedies."""
    server = NatsServer(tmp_path, free_port, jetstream=False)
    await server.start()
    text = await fault_of(server.url)
    await server.close()
    assert text.startswith(f"SinkRefused {server.url}: JetStream is not enabled")
    assert "jetstream = false" in text


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n", b"-NOAUTH\r\n", b"INFO {\r\n", b"INFO 1\r\n", b""])
async def test_another_server_on_the_port_is_named(answer: bytes, free_port: int):
    """HTTP, Redis, one that closes the connection or is silent."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await asyncio.wait({asyncio.ensure_future(reader.read(1))}, timeout=5)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", free_port):
        text = await fault_of(f"nats://127.0.0.1:{free_port}", timeout=0.2)
    assert "no NATS server answers there: check host and port" in text


@each_case("url, settings, says", [
    ("nats://h/x", {}, "url: has no path"), ("nats://h", {"token": Secret("x")}, "token: would be sent unencrypted"),
    (f"nats://relay:{PASSWORD}@example.org", {}, "the password would be sent unencrypted"),
    ("nats://relay@h", {"token": Secret("x"), "allow_plaintext": True}, "token: username is given too"),
    ("nats://h", {"create": True, "jetstream": False}, "create: has no effect with jetstream = false"),
    ("nats://h", {"stream_name": "a.b"}, "stream_name: must be"), ("nats://h", {"ca_file": "x"}, "used by TLS only"),
])  # fmt: skip
def test_wrong_settings_are_named(url: str, settings: dict[str, object], says: str):
    """By their key, and without a password."""
    with pytest.raises(ConfigError, match=re.escape(says)) as fault:
        settings_of(url, **settings)
    assert PASSWORD not in str(fault.value)
