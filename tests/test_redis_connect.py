"""The first errors of sinks to Redis, its modes, logins, TLS and settings."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from cases import each_case
from certificates import certified
from far_ends import settings_of
from queue_servers import RedisServer
from queue_trials import PASSWORD, fault_of, sink_to
from records import record

from klvrelay.errors import ConfigError
from klvrelay.outcome import Outcome


async def test_a_wrong_password_is_named_and_not_shown(tmp_path: Path, free_port: int):
    """Of the default user and of another; so is a missing one. The right one is accepted."""
    redis_server = RedisServer(tmp_path, free_port, "--requirepass", "another")
    await redis_server.start()
    try:
        for user in ("", "relay"):
            wrong = redis_server.url.replace("//", f"//{user}:{PASSWORD}@")
            assert "refuses user name or password" in await fault_of(wrong)
        assert "SinkRefused" in (text := await fault_of(redis_server.url))
        assert "requires a login" in text
        right = redis_server.url.replace("//", "//:another@")
        async with sink_to(right) as sink:
            assert await sink.deliver([record(0)]) == Outcome(delivered=1)
    finally:
        await redis_server.close()


async def test_a_database_that_does_not_exist_is_named(redis_server: RedisServer):
    """And one that exists is used."""
    assert "no such database: give a lower number" in await fault_of(f"{redis_server.url}/99")
    async with sink_to(f"{redis_server.url}/3") as sink:
        await sink.deliver([record(0)])
    with redis_server.client() as client:
        client.select(3)
        assert client.xlen("klvrelay:uav1:telemetry") == 1


async def test_too_many_clients_are_named(redis_server: RedisServer):
    """The server says so without being asked, and closes the connection."""
    with redis_server.client() as client:
        client.config_set("maxclients", 1)
        assert "too many clients (maxclients)" in await fault_of(redis_server.url)


@pytest.mark.parametrize(("words", "says"), [
    (("--cluster-enabled", "yes"), "a Redis Cluster is not supported: give the address of a single server"),
    (("--sentinel",), "a Redis Sentinel is not supported: give the address of the primary itself"),
])  # fmt: skip
async def test_a_server_of_another_mode_is_refused(
    words: tuple[str, ...], says: str, tmp_path: Path, free_port: int
):
    """At the first connection, with a remedy."""
    redis_server = RedisServer(tmp_path, free_port, *words)
    await redis_server.start()
    assert f"SinkRefused {redis_server.url}: {says}" == await fault_of(redis_server.url)
    await redis_server.close()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n", b"INFO {}\r\n", b"\x15\x03\x01\x00\x02", b""])
async def test_another_server_on_the_port_is_named(answer: bytes, free_port: int):
    """HTTP, NATS, TLS, or one that closes the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", free_port):
        text = await fault_of(f"redis://127.0.0.1:{free_port}")
    assert "no Redis server answers there: check rediss://, if it is a TLS port" in text


async def test_tls_with_a_client_certificate(tmp_path: Path, free_port: int):
    """And the errors of TLS and plain text on the wrong port."""
    ca, pem = certified(tmp_path)
    files = ("--tls-cert-file", pem, "--tls-key-file", pem, "--tls-ca-cert-file", ca)
    redis_server = RedisServer(tmp_path, free_port, "--port", "0", "--tls-port", str(free_port), *files)
    await redis_server.start()
    try:
        url = f"rediss://127.0.0.1:{free_port}"
        async with sink_to(url, ca_file=ca, cert_file=pem, key_file=pem) as sink:
            assert await sink.deliver([record(number) for number in range(300)]) == Outcome(delivered=300)
        assert "certificate is not trusted" in await fault_of(url)
        assert "refused TLS" in await fault_of(url, ca_file=ca)
        assert "no Redis server answers there" in await fault_of(f"redis://127.0.0.1:{free_port}")
    finally:
        await redis_server.close()


async def test_tls_to_a_plain_port_is_named(redis_server: RedisServer):
    """With the URL to try."""
    assert "try redis://" in await fault_of(redis_server.url.replace("redis://", "rediss://"))


@each_case("url, settings, says", [
    ("redis://h/x", {}, "url: the path is the number of a database"),
    ("redis://h?max_length=0", {}, "url: max_length: must be"),
    ("redis://h", {"client_name": "a b"}, "client_name: must be"),
    (f"redis://:{PASSWORD}@example.org", {}, "the password would be sent unencrypted"),
    ("redis://h", {"ca_file": "x"}, "ca_file: used by TLS only"),
    ("rediss://h", {"cert_file": "x"}, "a client certificate requires both"),
    ("redis://h?db=1", {}, "url: "),
])  # fmt: skip
def test_wrong_settings_are_named(url: str, settings: dict[str, object], says: str):
    """By their key, and without a password."""
    with pytest.raises(ConfigError, match=re.escape(says)) as fault:
        settings_of(url, **settings)
    assert PASSWORD not in str(fault.value)
