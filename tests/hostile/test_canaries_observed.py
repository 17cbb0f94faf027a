"""No secret leaves by what observes a relay: logs, ledger, alerts, notifications, metrics, the API, and their commands.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import ports
import pytest
from brokers import until
from canaries import ANSWERS, LOGIN, PASSWORD, TOKEN, USER, hits, in_folder, parrot
from test_cli import COMMAND, ENVIRONMENT

SETTINGS = """\
[relay]
state = "{state}"
[[source]]
url = "http://{login}@127.0.0.1:{camera}/live.ts?token={token}"
stream = "cam"
[[source]]
url = "rtsp://{user}:{password}@127.0.0.1:1/user={user}&password={password}/live?token={token}"
stream = "gone"
[[sink]]
url = "mqtt://{user}:{password}@127.0.0.1:{broker}"
allow_plaintext = true
[[sink]]
url = "http://{login}@127.0.0.1:{hooks}/records?token={token}"
name = "web"
allow_plaintext = true
[http]
listen = "127.0.0.1:{http}"
token = "{token}"
[alerts]
startup = "100ms"
[[alert]]
rule = "no_klv"
threshold = 0.1
hold = 0
[[alert]]
rule = "sink_down"
threshold = 0.1
hold = 0
[[notify]]
name = "ops"
url = "http://{login}@127.0.0.1:{hooks}/hook/{token}?key={token}"
secret = "{password}"
retries = 1
[[notify]]
name = "mail"
apprise = "json://{login}@127.0.0.1:{hooks}/{token}/?-X-Key={token}"
retries = 1
"""
GETS = (
    "/healthz", "/readyz", "/metrics", "/api/v1/", "/api/v1/openapi.json", "/api/v1/health", "/api/v1/streams",
    "/api/v1/streams/cam", "/api/v1/sinks", "/api/v1/sinks/web", "/api/v1/spool", "/api/v1/config", "/api/v1/alerts",
    "/api/v1/alerts/rules", "/api/v1/alerts/destinations", "/api/v1/incidents", "/api/v1/incidents/figures",
    f"/api/v1/streams/{TOKEN}x", f"/{PASSWORD}",
)  # fmt: skip
"""What is asked of the web server. The last two have secrets in their paths: no answer may repeat them."""


@dataclass
class ObservedProcess:
    """A relay with secrets in all of its settings, and folders that may contain none."""

    folder: Path
    http: int
    output: bytes = b""
    found: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Path:
        return self.folder / "keys" / "relay.toml"

    def search(self, place: str, what: bytes | str) -> None:
        if hits(what):
            text = what.decode("latin-1") if isinstance(what, bytes) else what
            self.found.append(f"{place}: {text[-400:]}")

    async def call(self, *words: str, **environment: str) -> bytes:
        """Run a command, and search its output."""
        process = await asyncio.create_subprocess_exec(
            *COMMAND, *words, cwd=self.folder, env={**ENVIRONMENT, **environment}, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await asyncio.wait_for(process.communicate(), 30)
        self.search(" ".join(words[:2]), said)
        return said


@contextlib.asynccontextmanager
async def observed(
    tmp_path: Path, broker: int, camera: int, hooks: int, *options: str
) -> AsyncIterator[ObservedProcess]:
    """Run it until the end of the block. `broker`, `camera`, `hooks`: the ports of its far ends."""
    for name in ("keys", "state", "log"):
        (tmp_path / name).mkdir()
    with ports.reserved() as http:
        relay = ObservedProcess(tmp_path, http)
        relay.settings.write_text(
            SETTINGS.format(state=tmp_path / "state", login=LOGIN, user=USER, password=PASSWORD, token=TOKEN,
                            camera=camera, broker=broker, hooks=hooks, http=http)
        )  # fmt: skip
        relay.settings.chmod(0o600)
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "run", "-c", str(relay.settings), *options, cwd=tmp_path, env=ENVIRONMENT,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        assert process.stdout is not None
        reading = asyncio.create_task(process.stdout.read())
        try:
            yield relay
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 10)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            relay.output = await reading
            relay.search("output", relay.output)


async def ask_everything(relay: ObservedProcess) -> dict[str, int]:
    """All answers, with the token, with a wrong one, and without; the status of those with it."""
    statuses = {}
    async with aiohttp.ClientSession() as session:
        for path in GETS:
            for token in (TOKEN, f"{TOKEN}x", None):
                headers = {} if token is None else {"Authorization": f"Bearer {token}"}
                async with session.get(f"http://127.0.0.1:{relay.http}{path}", headers=headers) as answer:
                    body = await answer.read()
                    relay.search(f"GET {path}", body)
                    relay.search(f"GET {path}, head", repr(answer.headers))
                if token == TOKEN:
                    statuses[path] = answer.status
    return statuses


def alerts_on(oracle: Any, topic: str) -> list[str]:
    documents = [orjson.loads(payload) for payload in oracle.payloads(topic) if payload]
    return [event["rule"] for document in documents for event in document["events"]]


@pytest.mark.parametrize("options", [
    ("--log-format", "text", "--log-file", "log/relay.log"), ("--log-format", "json", "--log-file", "log/relay.log"),
    ("--log-format", "json"), ("--log-format", "text"),
])  # fmt: skip
async def test_what_observes_a_relay_shows_no_secret(options, oracle, tmp_path):
    """Its far ends refuse, fail and repeat what they got: outages, incidents, alerts and notifications about them."""
    with parrot(ANSWERS["http"]["refused"]) as camera, parrot(ANSWERS["http"]["broken"]) as hooks:
        async with observed(tmp_path, oracle.port, camera.port, hooks.port, *options) as relay:
            await until(lambda: {"no_klv"} <= {*alerts_on(oracle, "klvrelay/cam/alert")}, 20)
            await until(lambda: {"no_klv"} <= {*alerts_on(oracle, "klvrelay/gone/alert")}, 20)
            await until(lambda: len(hooks.logins) >= 2, 20)
            statuses = await ask_everything(relay)
            url = f"http://127.0.0.1:{relay.http}"
            (relay.folder / "keys" / "token").write_text(TOKEN)
            (relay.folder / "keys" / "token").chmod(0o600)
            config = ("-c", str(relay.settings))
            said = [
                await relay.call("alerts", "list", *config),
                await relay.call("alerts", "list", "--url", url, "--token-file", "keys/token"),
                await relay.call("alerts", "test", "ops", *config),
                await relay.call("alerts", "test", "mail", *config),
                await relay.call("check", *config),
                await relay.call("run", *config, "--print-config"),
            ]
        ledger = [
            await relay.call("incidents", *config),
            await relay.call("incidents", "--state", "state", "--json"),
            await relay.call("incidents", "--state", "state", "--csv"),
            await relay.call("incidents", "--state", "state", "--figures", "--json"),
        ]
    relay.found += [name for part in ("state", "log") for name in in_folder(tmp_path / part)]
    for one in oracle.published:
        relay.search(one.topic, f"{one.topic} {one.user} {one.properties}")
        relay.search(one.topic, one.payload)
    assert not relay.found, "\n".join(relay.found)
    assert statuses["/api/v1/config"] == statuses["/metrics"] == statuses["/api/v1/health"] == 200
    assert all(b"no_klv" in one for one in said[:1])
    assert b"cam" in ledger[0]
    assert b"cam" in ledger[1]
    written = relay.output + b"".join(path.read_bytes() for path in (tmp_path / "log").iterdir())
    assert b"alert raised" in written
    assert list((tmp_path / "state").iterdir())


TO_A_JOURNAL = """
import sys
from klvrelay.logs import journal
journal.SOCKET = sys.argv.pop(1)
from klvrelay.cli.main import main
sys.exit(main())
"""


async def test_the_journal_gets_no_secret(tmp_path):
    """Entries of `--log-format journal`, with all their fields."""
    (tmp_path / "state").mkdir()
    settings = tmp_path / "relay.toml"
    places = dict.fromkeys(("camera", "broker", "hooks"), 1)
    with ports.reserved() as http, journal_of(tmp_path / "journal") as entries:
        settings.write_text(
            SETTINGS.format(state="state", login=LOGIN, user=USER, password=PASSWORD, token=TOKEN, http=http, **places)
        )
        settings.chmod(0o600)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", TO_A_JOURNAL, str(tmp_path / "journal"), "run", "-c", str(settings),
            "--log-format", "journal", cwd=tmp_path, env=ENVIRONMENT, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            await until(lambda: sum(b"alert raised" in entry for entry in entries) >= 3, 20)
            await until(lambda: any(b"alert not sent" in entry for entry in entries), 20)
        finally:
            process.terminate()
            said, _ = await asyncio.wait_for(process.communicate(), 20)

    assert not [entry for entry in entries if hits(entry)]
    assert not hits(said)


@contextlib.contextmanager
def journal_of(path: Path) -> Iterator[list[bytes]]:
    """A socket in place of journald's, and the entries that it gets."""
    entries: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(path))

        def receive() -> None:
            while entry := sock.recv(1 << 16):
                entries.append(entry)

        thread = threading.Thread(target=receive, name="journal")
        thread.start()
        try:
            yield entries
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
                last.sendto(b"", str(path))
            thread.join()
