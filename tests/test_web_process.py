"""The command with a web server: metrics and API of a running relay, reload, stop, bad addresses."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp
import feed
import pytest
from brokers import until
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from oracle_broker import OracleBroker
from prometheus_client.parser import text_string_to_metric_families
from settings_file import written
from test_relay_process import Command, klvrelay

TAPE = feed.recording(30)
FIRST, SECOND = "first-token-0123456789", "second-token-0123456789"


async def address(command: Command) -> str:
    """The URL of the web server, from the log."""
    await until(lambda: "web server listens" in command.said)
    found = re.search(r"web server listens: url=(\S+) ", command.said)
    assert found is not None
    return found[1]


@asynccontextmanager
async def running(oracle: OracleBroker, port: int) -> AsyncIterator[tuple[Command, str]]:
    """A relay of one stream with a web server at a free port, after its records."""
    words = ("run", f"udp://127.0.0.1:{port}", "--stream", "uav1", "--mqtt", oracle.url, "--http", "127.0.0.1:0")
    async with klvrelay(*words) as command:
        url = await address(command)
        await feed.listening(port)
        feed.send_udp(feed.datagrams(TAPE.ts), port)
        await until(lambda: len(oracle.payloads("klvrelay/uav1/telemetry")) >= len(TAPE.klv) - 1)
        yield command, url


async def status(url: str, token: str | None = None) -> int:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status


async def test_a_running_relay_is_scraped_and_asked(oracle: OracleBroker, free_port: int):
    """The counts are those of the records; each answer is as the description of the running relay says."""
    async with running(oracle, free_port) as (command, url), aiohttp.ClientSession(url) as session:

        async def text(path: str) -> str:
            async with session.get(path) as response:
                assert response.status == 200, await response.text()
                return await response.text()

        async def counted() -> bool:
            values: dict[str, float] = {}
            for family in text_string_to_metric_families(await text("/metrics")):
                values |= {one.name: one.value for one in family.samples if one.labels.get("stream", "uav1") == "uav1"}
            return min(values["klvrelay_stream_records_total"], values["klvrelay_lead_time_seconds_count"]) >= 29

        async with asyncio.timeout(10):
            while not await counted():
                await asyncio.sleep(0.02)
        assert await status(f"{url}/readyz") == 200
        async with session.get("/api/v1/openapi.json") as response:
            document = await response.json()
        validate(document)
        known = {"{stream}": "uav1", "{sink}": "mqtt"}
        for path, operations in document["paths"].items():
            if "get" in operations and "{id}" not in path:
                async with session.get(re.sub(r"\{\w+\}", lambda found: known[found[0]], path)) as response:
                    answer = await response.json()
                assert _faults(operations["get"], answer) == [], path
        code, seconds = await command.stop()
    assert (code, seconds < 5) == (0, True), command.said


def _faults(operation: Any, answer: Any) -> list[str]:
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return [fault.message for fault in Draft202012Validator(schema).iter_errors(answer)]


async def test_a_stop_waits_for_none_of_fifty_clients(oracle: OracleBroker, free_port: int):
    """Some are idle, some in a request, some never read."""
    async with running(oracle, free_port) as (command, url):
        port = int(url.rpartition(":")[2])
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(50)]
        for number, (_, writer) in enumerate(held):
            full = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 100
            writer.write((b"", full[:20], full)[number % 3])
        assert await status(f"{url}/healthz") == 200
        code, seconds = await command.stop()
        for _, writer in held:
            writer.close()
    assert (code, seconds < 5) == (0, True), command.said


@pytest.mark.parametrize("listen", ["127.0.0.1:{port}", "192.0.2.1:1", "0.0.0.0:{port}"])
async def test_an_address_that_cannot_be_used_ends_the_start(listen: str, oracle: OracleBroker):
    """Exit code 2 and one line, before anything starts: the broker sees no connection."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = listen.format(port=taken.getsockname()[1])
        words = ("run", "tcp://127.0.0.1:9", "--mqtt", oracle.url, "--http", listen)
        async with klvrelay(*words, KLVRELAY_HTTP_TOKEN="" if "127" in listen else FIRST) as command:
            code = await asyncio.wait_for(command.process.wait(), 10)
            await until(lambda: "http" in command.said)
    assert code == 2
    assert command.said.count("\n") == 1
    assert "cannot be used" in command.said
    assert oracle.payloads("klvrelay/status") == []


@pytest.mark.parametrize("verb", ["run -c", "check"])
async def test_a_certificate_that_cannot_be_used_ends_the_start(verb: str, tmp_path: Path):
    """Exit code 2 with file, line and key; `check` finds it too."""
    path = settings(tmp_path, "mqtt://127.0.0.1:9", 'listen = "127.0.0.1:0"\ncert_file = "/nowhere/relay.pem"')
    async with klvrelay(*verb.split(), path) as command:
        assert await asyncio.wait_for(command.process.wait(), 10) == 2
        await until(lambda: "cert_file" in command.said)
    assert "relay.toml: line 3: http.cert_file: /nowhere/relay.pem: no such file or directory" in command.said


def settings(folder: Path, broker: str, http: str) -> str:
    source = '[[source]]\nurl = "tcp://127.0.0.1:9"\nstream = "uav1"\n'  # nothing is there: that is no matter
    return written(folder, f'[http]\n{http}\n[[sink]]\nurl = "{broker}"\n{source}')


def save(path: Path, token: str) -> None:
    path.write_text(token)
    path.chmod(0o600)


async def reloaded(command: Command, *wanted: str) -> None:
    """Send SIGHUP, and wait until the log has these texts since then."""
    before = len(command.said)
    command.process.send_signal(signal.SIGHUP)
    await until(lambda: all(text in command.said[before:] for text in wanted))


async def test_a_reload_replaces_the_token_and_keeps_the_address(oracle: OracleBroker, tmp_path: Path):
    """The earlier token is refused from the next request on. Another address needs a restart, and is named."""
    token = tmp_path / "token"
    save(token, FIRST)
    path = settings(tmp_path, oracle.url, f'listen = "127.0.0.1:0"\ntoken_file = "{token}"')
    async with klvrelay("run", "-c", path) as command:
        url = f"{await address(command)}/api/v1/streams"
        assert [await status(url, one) for one in (FIRST, SECOND, None)] == [200, 401, 401]
        save(token, SECOND)
        await reloaded(command, "settings reloaded: settings=http.token")
        assert [await status(url, one) for one in (FIRST, SECOND, None)] == [401, 200, 401]
        settings(tmp_path, oracle.url, f'listen = "127.0.0.1:1"\ntoken_file = "{token}"')
        await reloaded(command, "settings need a restart to take effect: keys=http.listen")
        assert await status(url, SECOND) == 200
    assert FIRST not in command.said + command.printed
    assert SECOND not in command.said + command.printed


async def test_a_reload_never_opens_the_server_to_others(oracle: OracleBroker, tmp_path: Path):
    """Without a token it may listen on loopback only; the address stays until a restart, and so does the token."""
    token = tmp_path / "token"
    save(token, FIRST)
    path = settings(tmp_path, oracle.url, f'listen = "0.0.0.0:0"\ntoken_file = "{token}"')
    async with klvrelay("run", "-c", path) as command:
        url = f"{await address(command)}/api/v1/streams"
        settings(tmp_path, oracle.url, 'listen = "127.0.0.1:0"')
        await reloaded(command, "settings need a restart to take effect: keys=http.listen,http.token")
        assert [await status(url, one) for one in (FIRST, None)] == [200, 401]
        settings(tmp_path, oracle.url, f'listen = "0.0.0.0:0"\ntoken_file = "{token}"')
        save(token, "short")
        await reloaded(command, "settings not reloaded")
        assert [await status(url, one) for one in (FIRST, None)] == [200, 401]


async def test_an_address_that_others_reach_needs_a_token(oracle: OracleBroker):
    """Exit code 2, and what to do."""
    async with klvrelay("run", "tcp://127.0.0.1:9", "--mqtt", oracle.url, "--http", ":0") as command:
        assert await asyncio.wait_for(command.process.wait(), 10) == 2
        await until(lambda: "token_file" in command.said)


async def test_ipv6_is_served(oracle: OracleBroker):
    """At its loopback address, in brackets."""
    with closing(socket.socket(socket.AF_INET6)) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6 loopback address")
    async with klvrelay("run", "tcp://127.0.0.1:9", "--mqtt", oracle.url, "--http", "[::1]:0") as command:
        url = await address(command)
        assert re.fullmatch(r"http://\[::1\]:\d+", url)
        assert await status(f"{url}/metrics") == 200
