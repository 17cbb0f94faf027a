"""Sinks to NATS, against a real server: subjects, duplicates, refusals, full storage, first errors, logins, TLS."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import nats
import nkeys
import pytest
from brokers import until
from cases import each_case
from certificates import certified
from conftest import ROOT
from far_ends import settings_of
from queue_servers import NatsServer
from records import BOOT, platform, record, spoilt

from klvrelay.config.settings import SinkSettings
from klvrelay.errors import ConfigError, SinkDown, SinkRefused
from klvrelay.gap import Gap, Replay
from klvrelay.outcome import Outcome
from klvrelay.relay.build import shaper_of
from klvrelay.shape.output import Output
from klvrelay.shape.presets import preset_output
from klvrelay.sinks.contract import Notice, Sink
from klvrelay.sinks.nats import nats_subjects
from klvrelay.sinks.nats.faults import StoreAnswer, server_fault, verdict_of
from klvrelay.sinks.nats.frames import Frame, NatsFrames, NoNats
from klvrelay.sinks.nats.subjects import subject_of
from klvrelay.sinks.open import check_far_end, far_end, open_sink
from klvrelay.sinks.results import DELIVERED, LEFT_OUT, REJECTED
from klvrelay.text import Secret

TELEMETRY = (preset_output("telemetry"),)
PASSWORD = "c4n4ry-pa55"


@pytest.fixture
async def started(tmp_path: Path, free_port: int) -> AsyncIterator[Callable[[str], Awaitable[NatsServer]]]:
    """Starts a server with a configuration."""
    servers: list[NatsServer] = []

    async def start(config: str = "") -> NatsServer:
        servers.append(NatsServer(tmp_path, free_port, config))
        await servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        await server.close()


Start = Callable[..., Awaitable[NatsServer]]


def sink_to(url: str, outputs: tuple[Output, ...] = TELEMETRY, **settings: object) -> Sink:
    made = SinkSettings("nats", settings_of(url, **settings), outputs=outputs)
    return open_sink(made, shaper_of(made), BOOT)


async def fault_of(url: str, **settings: object) -> str:
    """Why a far end refuses the connection."""
    opened = far_end(settings_of(url, **{"timeout": 2.0, **settings}))
    with pytest.raises((SinkDown, SinkRefused)) as fault:
        await opened.open()
    await opened.close()
    assert PASSWORD not in str(fault.value)
    return f"{fault.type.__name__} {fault.value}"


async def add_stream(server: NatsServer, **settings: Any) -> None:
    client = await nats.connect(server.url, allow_reconnect=False)
    await client.jetstream().add_stream(**settings)
    await client.close()


async def last_of(server: NatsServer, subject: str) -> Any:
    """The last message of a subject."""
    client = await nats.connect(server.url, allow_reconnect=False)
    try:
        return await client.jetstream().get_last_msg("klvrelay", subject)
    finally:
        await client.close()


# ---- what is published ----


async def test_a_message_has_the_payload_and_its_identity(started: Start):
    """A subject for each stream and output; damaged records and gaps have their own."""
    server = await started()
    async with sink_to(server.url, create=True) as sink:
        batch = [record(0), record(1, "uav2"), spoilt(2), Gap("uav1", BOOT, 3, 5, "memory", None)]
        assert await sink.deliver(batch) == Outcome(delivered=3, gaps=1)
        await sink.deliver(Replay([record(6)]))
    subjects = sorted(subject for subject, _ in await server.messages())
    assert subjects == [
        "klvrelay.uav1.gap", "klvrelay.uav1.rejected", "klvrelay.uav1.telemetry", "klvrelay.uav1.telemetry",
        "klvrelay.uav2.telemetry",
    ]  # fmt: skip
    first = await last_of(server, "klvrelay.uav2.telemetry")
    assert first.data == record(1, "uav2").json()
    assert first.headers == {
        "Nats-Msg-Id": f"klvrelay.uav2.telemetry:{BOOT}-1", "Content-Type": "application/json"
    }  # fmt: skip
    replayed = await last_of(server, "klvrelay.uav1.telemetry")
    assert float(replayed.headers["Klvrelay-Age"]) == json.loads(replayed.data)["replayed_s"]


async def test_a_record_that_is_sent_twice_is_stored_once(started: Start):
    """The server recognises it, also on another connection, and confirms it."""
    server = await started()
    for _ in range(2):
        async with sink_to(server.url, create=True) as sink:
            assert await sink.deliver([record(0), record(1)]) == Outcome(delivered=2)
    assert len(await server.messages()) == 2


async def test_latest_values_are_the_last_messages_of_their_subjects(started: Start):
    """Of streams and of the relay."""
    server = await started()
    opened: Any = far_end(settings_of(server.url, create=True))
    await opened.open()
    await opened.put(Notice("availability", "udp-239.1.1.1", b"online"))
    await opened.put(Notice("status", None, b"{}"))
    await opened.close()
    assert (await last_of(server, "klvrelay.udp-239%2E1%2E1%2E1.availability")).data == b"online"
    assert (await last_of(server, "klvrelay.status")).data == b"{}"


async def test_without_jetstream_subscribers_of_the_moment_get_records(started: Start):
    """The server answers a ping after it has read them."""
    server = await started()
    client = await nats.connect(server.url, allow_reconnect=False)
    subscription = await client.subscribe("klvrelay.*.telemetry")
    await client.flush()
    async with sink_to(server.url, jetstream=False) as sink:
        assert await sink.deliver([record(0), record(1)]) == Outcome(delivered=2)
        got = [await subscription.next_msg(5) for _ in range(2)]
    assert [message.data for message in got] == [record(0).json(), record(1).json()]
    await client.close()


@each_case("topic, subject", [
    ("klvrelay/uav1/telemetry", "klvrelay.uav1.telemetry"), ("a/udp-1.2/b", "a.udp-1%2E2.b"),
    ("a/%C3%A4 b", "a.%C3%A4%20b"), ("a*/>b/ä%", "a%2A.%3Eb.%C3%A4%25"), ("site/klv/x", "site.klv.x"),
])  # fmt: skip
def test_a_subject_has_the_levels_of_the_topic(topic: str, subject: str):
    """What has a meaning in subjects is percent-encoded; what is encoded already stays."""
    assert subject_of(topic) == subject


# ---- refusals ----


async def test_without_a_stream_the_message_says_how_to_create_it(started: Start):
    """Its name follows from the prefix. Nothing is created unasked."""
    server = await started()
    text = await fault_of(server.url, prefix="site/klv")
    assert text.startswith(f"SinkRefused {server.url}: no JetStream stream has the subjects site.klv.>")
    assert "nats stream add site_klv --subjects 'site.klv.>'" in text
    assert "create = true" in text


async def test_a_created_stream_has_the_limits_of_the_settings(started: Start):
    """In a file, with a window for duplicates."""
    server = await started()
    async with sink_to(server.url, create=True, stream_name="KLV", max_size=1 << 24, max_age=3600.0):
        pass
    client = await nats.connect(server.url, allow_reconnect=False)
    config = (await client.jetstream().stream_info("KLV")).config
    await client.close()
    assert (config.subjects, config.max_bytes, config.max_age) == (["klvrelay.>"], 1 << 24, 3600)
    assert (config.storage, config.discard, config.duplicate_window) == ("file", "old", 120)


async def test_a_subject_without_a_stream_costs_only_its_own_records(
    started: Start, caplog: pytest.LogCaptureFixture
):
    """No stream has it, but others are stored."""
    server = await started()
    await add_stream(server, name="klvrelay", subjects=["klvrelay.uav1.>"])
    async with sink_to(server.url) as sink:
        assert await sink.deliver([record(0), record(0, "uav2"), record(1)]) == Outcome(delivered=2, rejected=1)
    [line] = [text for text in caplog.messages if "refused by" in text]
    assert "klvrelay.uav2.telemetry" in line
    assert "no JetStream stream has this subject" in line


async def test_records_wait_if_the_stream_was_removed(started: Start):
    """It is the server that is not ready, not the record."""
    server = await started()
    async with sink_to(server.url, create=True) as sink:
        client = await nats.connect(server.url, allow_reconnect=False)
        await client.jetstream().delete_stream("klvrelay")
        await client.close()
        with pytest.raises(SinkDown, match="no JetStream stream has this subject") as lost:
            await sink.deliver([record(0)])
    assert lost.value.answered == Outcome()


async def test_records_wait_while_the_stream_is_full(started: Start):
    """With discard = new. Those before are confirmed."""
    server = await started()
    await add_stream(server, name="klvrelay", subjects=["klvrelay.>"], max_msgs=2, discard="new")
    async with sink_to(server.url) as sink:
        with pytest.raises(SinkDown, match="the stream is full") as full:
            await sink.deliver([record(number) for number in range(4)])
    assert full.value.answered == Outcome(delivered=2)


async def test_a_message_that_is_too_large_is_left_out(started: Start):
    """For the server or for the stream; its neighbours are stored."""
    server = await started()
    await add_stream(server, name="klvrelay", subjects=["klvrelay.>"], max_msg_size=100_000)
    sizes = {1: 2 << 20, 2: 150_000}
    large = [record(number, raw=platform(number, (59, b"x" * size))) for number, size in sizes.items()]
    async with sink_to(server.url) as sink:
        assert await sink.deliver([record(0), *large, record(3)]) == Outcome(delivered=2, left_out=2)


LIMITED = f"""
authorization {{ users [ {{ user: relay, password: "{PASSWORD}", permissions: {{
  publish: ["klvrelay.uav1.>", "$JS.API.STREAM.NAMES"], subscribe: ["_INBOX.>"] }} }},
  {{ user: blind, password: "{PASSWORD}", permissions: {{ publish: ["klvrelay.>"], subscribe: ["x"] }} }},
  {{ user: writer, password: "{PASSWORD}", permissions: {{ publish: ["klvrelay.>"], subscribe: ["_INBOX.>"] }} }},
  {{ user: admin, password: admin }} ] }}
"""


@pytest.mark.parametrize("jetstream", [True, False])
async def test_a_subject_that_is_not_permitted_costs_only_its_own_records(started: Start, jetstream: bool):
    """With JetStream and without."""
    server = await started(LIMITED)
    client = await nats.connect(server.url, user="admin", password="admin", allow_reconnect=False)
    await client.jetstream().add_stream(name="klvrelay", subjects=["klvrelay.>"])
    await client.close()
    url = server.url.replace("//", f"//relay:{PASSWORD}@")
    async with sink_to(url, jetstream=jetstream) as sink:
        batch = [record(0), record(0, "uav2"), record(1)]
        assert await sink.deliver(batch) == Outcome(delivered=2, rejected=1)
        assert await sink.deliver(batch[:2]) == Outcome(delivered=1, rejected=1)


async def test_a_user_that_may_only_publish_delivers(started: Start):
    """It may not ask for the stream, so this is not checked. Without a stream, records wait."""
    server = await started(LIMITED)
    url = server.url.replace("//", f"//writer:{PASSWORD}@")
    async with sink_to(url) as sink:
        with pytest.raises(SinkDown, match="no JetStream stream has this subject"):
            await sink.deliver([record(0)])
    client = await nats.connect(server.url, user="admin", password="admin", allow_reconnect=False)
    await client.jetstream().add_stream(name="klvrelay", subjects=["klvrelay.>"])
    await client.close()
    async with sink_to(url) as sink:
        assert await sink.deliver([record(0)]) == Outcome(delivered=1)


async def test_a_server_that_answers_pings_and_stores_nothing_is_left(free_port: int):
    """Within about the time limit; the records wait."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"headers":true}\r\n')
        while line := await reader.readline():
            if line.startswith(b"PING"):
                writer.write(b"PONG\r\n")
            elif b"STREAM.NAMES" in line:
                writer.write(b'MSG %b 1 17\r\n{"streams":["x"]}\r\n' % line.split()[2])
            else:
                writer.write(b"PING\r\n")
        writer.close()

    silent = await asyncio.start_server(serve, "127.0.0.1", free_port)
    async with silent, sink_to(f"nats://127.0.0.1:{free_port}", timeout=0.1) as sink:
        with pytest.raises(SinkDown, match="no longer answers"):
            await asyncio.wait_for(sink.deliver([record(0)]), 5)


async def test_a_user_that_may_not_read_answers_is_refused(started: Start):
    """With what to permit."""
    server = await started(LIMITED)
    text = await fault_of(server.url.replace("//", f"//blind:{PASSWORD}@"))
    assert "may not subscribe to _INBOX.>" in text


async def test_a_server_that_stops_answering_is_noticed_while_idle(started: Start, monkeypatch: pytest.MonkeyPatch):
    """Its kernel still accepts bytes."""
    monkeypatch.setattr(nats_subjects, "IDLE", 0.02)
    server = await started()
    opened: Any = far_end(settings_of(server.url, timeout=0.2, create=True))
    await opened.open()
    server.suspend()
    lost = await asyncio.wait_for(opened.lost(), 5)
    await opened.close()
    assert "no longer answers" in str(lost)


async def test_a_ping_of_the_server_is_answered(started: Start):
    """Otherwise it would close the connection."""
    server = await started("ping_interval: 50ms\nping_max: 2\n")
    opened: Any = far_end(settings_of(server.url, create=True))
    await opened.open()
    watching = asyncio.create_task(opened.lost())
    before = opened._connection.exchange.received
    await until(lambda: opened._connection.exchange.received > before + 10 * len(b"PING\r\n"))
    assert not watching.done()
    watching.cancel()
    await asyncio.wait({watching})
    await opened.close()


# ---- first errors, logins, TLS ----


async def test_a_wrong_login_is_named_and_not_shown(started: Start):
    """Also a missing one, and a token."""
    server = await started('authorization { token: "another" }')
    assert "refuses the login" in await fault_of(server.url)
    assert "refuses the login" in await fault_of(server.url, token=Secret(PASSWORD))
    assert "refuses the login" in await fault_of(server.url.replace("//", f"//relay:{PASSWORD}@"))
    async with sink_to(server.url, create=True, token=Secret("another")) as sink:
        assert await sink.deliver([record(0)]) == Outcome(delivered=1)


async def test_a_login_by_nkey(started: Start, tmp_path: Path):
    """The seed is in a file; the server has the public key."""
    seed, public = user_keys()
    server = await started(f"authorization {{ users [ {{ nkey: {public} }} ] }}")
    path = tmp_path / "relay.nk"
    path.write_text(f"{seed}\n")
    async with sink_to(server.url, create=True, credentials_file=str(path)) as sink:
        assert await sink.deliver([record(0)]) == Outcome(delivered=1)
    path.write_text(f"{user_keys()[0]}\n")
    assert "refuses the login" in await fault_of(server.url, credentials_file=str(path))


async def test_a_login_by_jwt(started: Start, tmp_path: Path):
    """A .creds file: a JWT that the account has signed, and the seed of the user."""
    operator, account, system, user = (keys_of(kind) for kind in "OAAU")
    owners = (account, True), (system, False)
    jwts = [(name_of(keys), jwt_of(operator, keys, "account", has_storage=has_storage)) for keys, has_storage in owners]
    resolved = "\n".join(f"{name}: {jwt}" for name, jwt in jwts)
    server = await started(
        f"operator: {jwt_of(operator, operator, 'operator')}\nresolver: MEMORY\nsystem_account: {name_of(system)}\n"
        f"resolver_preload {{\n{resolved}\n}}\n"
    )
    path = tmp_path / "relay.creds"
    path.write_text(
        f"-----BEGIN NATS USER JWT-----\n{jwt_of(account, user, 'user')}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
    )
    async with sink_to(server.url, create=True, credentials_file=str(path)) as sink:
        assert await sink.deliver([record(0)]) == Outcome(delivered=1)


def keys_of(kind: str) -> Any:
    """NKeys of an operator (O), account (A) or user (U)."""
    prefix = {"O": nkeys.PREFIX_BYTE_OPERATOR, "A": nkeys.PREFIX_BYTE_ACCOUNT, "U": nkeys.PREFIX_BYTE_USER}[kind]
    raw = bytearray(nkeys.encode_seed(os.urandom(32), prefix))
    return nkeys.from_seed(raw)


def name_of(keys: Any) -> str:
    return keys.public_key.decode()


def user_keys() -> tuple[str, str]:
    """Seed and public key of a user."""
    keys = keys_of("U")
    return keys.seed.decode(), name_of(keys)


def jwt_of(issuer: Any, subject: Any, kind: str, *, has_storage: bool = True) -> str:
    """A JWT of NATS, version 2: without limits, with JetStream."""
    limits = {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": True, "conn": -1,
              "leaf": -1, "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}  # fmt: skip
    own: dict[str, Any] = {"type": kind, "version": 2}
    if kind == "account":
        own["limits"] = limits if has_storage else {name: limits[name] for name in list(limits)[:8]}
    if kind == "user":
        own |= {"subs": -1, "data": -1, "payload": -1, "pub": {}, "sub": {}}
    claims = {"jti": "x", "iat": 1, "iss": name_of(issuer), "name": kind, "sub": name_of(subject), "nats": own}
    head = {"typ": "JWT", "alg": "ed25519-nkey"}
    text = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
    return f"{text}.{_encoded(issuer.sign(text.encode()))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@each_case("text, says", [
    ("", "contains no NKey seed of a user"), (f"SU{'A' * 56}", "the NKey seed is damaged"),
    (PASSWORD, "contains no NKey seed of a user"),
])  # fmt: skip
def test_a_file_without_credentials_is_named(text: str, says: str, tmp_path: Path):
    """Before anything connects, and without a part of it."""
    path = tmp_path / "relay.creds"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"credentials_file: {says}") as fault:
        check_far_end(settings_of("nats://h", credentials_file=str(path)))
    assert not text or text not in str(fault.value)


def test_a_missing_library_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Only NKeys need it."""
    path = tmp_path / "relay.nk"
    path.write_text(user_keys()[0])
    monkeypatch.setitem(sys.modules, "nkeys", None)
    with pytest.raises(ConfigError, match=re.escape("pip install 'klvrelay[nats]'")):
        check_far_end(settings_of("nats://h", credentials_file=str(path)))
    check_far_end(settings_of("nats://h"))


async def test_tls_with_a_client_certificate(started: Start, tmp_path: Path):
    """And the errors of a connection without TLS, without trust, or without a certificate."""
    ca, pem = certified(tmp_path)
    server = await started(
        f'tls {{ cert_file: "{pem}", key_file: "{pem}", ca_file: "{ca}", verify: true, timeout: 2 }}'
    )
    url = server.url.replace("nats://", "tls://")
    async with sink_to(url, ca_file=ca, cert_file=pem, key_file=pem, create=True) as sink:
        assert await sink.deliver([record(number) for number in range(300)]) == Outcome(delivered=300)
    assert "requires TLS: use tls://" in await fault_of(server.url)
    assert "certificate is not trusted" in await fault_of(url)
    assert "refused TLS" in await fault_of(url, ca_file=ca)


async def test_tls_to_a_server_without_tls_is_refused(started: Start):
    """With the URL to use."""
    server = await started()
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


# ---- answers ----


@each_case("payload, status, result", [
    (b'{"stream":"klvrelay","seq":12}', 0, DELIVERED), (b'{"seq":1,"duplicate":true}', 0, DELIVERED),
    (b"", 503, None), (b"", 408, REJECTED), (b"x", 0, None), (b"[]", 0, None), (b'{"error":1}', 0, None),
    (b'{"error":{"code":400,"err_code":10054,"description":"d"}}', 0, LEFT_OUT),
    (b'{"error":{"code":400,"err_code":10109,"description":"sealed"}}', 0, REJECTED),
    (b'{"error":{"code":503,"err_code":10077,"description":"full"}}', 0, None),
    (b'{"error":{"code":429,"err_code":10167,"description":"too many"}}', 0, None),
])  # fmt: skip
def test_an_answer_is_of_the_message_or_of_the_server(payload: bytes, status: int, result: int | None):
    """Those of the server cost no record."""
    found = verdict_of(Frame(b"MSG", b"", payload, status))
    assert isinstance(found, StoreAnswer)
    assert found.result == result


@each_case("text, says", [
    ("User Authentication Expired", "the credentials have expired"), ("Authentication Timeout", "in time"),
    ("maximum connections exceeded", "max_connections"), ("Stale Connection", "its pings"), ("Unknown: c4n4ry-pa55", "see its log"),
    ("Secure Connection - TLS Required", "use tls://"),
])  # fmt: skip
def test_what_ends_a_connection_is_named(text: str, says: str):
    """By the line that the server sends before."""
    fault = str(server_fault("nats://h:4222", text))
    assert says in fault
    assert PASSWORD not in fault


def test_frames_are_found_however_they_are_split():
    """At each byte."""
    headers = b"NATS/1.0 503\r\n\r\n"
    data = (
        b"INFO {}\r\n+OK\r\nPING\r\nMSG a 1 3\r\na\r\n\r\nMSG a 1 r 0\r\n\r\n"
        b"HMSG b 1 %d %d\r\n%b\r\n-ERR 'x y'\r\nPONG\r\n" % (len(headers), len(headers), headers)
    )
    wanted = [
        Frame(b"INFO", b"{}"), Frame(b"+OK", b""), Frame(b"PING", b""), Frame(b"MSG", b"a", b"a\r\n"),
        Frame(b"MSG", b"a", b""), Frame(b"HMSG", b"b", b"", 503), Frame(b"-ERR", b"'x y'"), Frame(b"PONG", b""),
    ]  # fmt: skip
    for cut in range(len(data) + 1):
        frames = NatsFrames()
        assert frames.feed(data[:cut]) + frames.feed(data[cut:]) == wanted


@each_case("data", [
    b"HTTP/1.1 200 OK\r\n", b"MSG a\r\n", b"MSG a 1 x\r\n", b"MSG a 1 -1\r\n", b"HMSG a 1 9 3\r\n", b"X a 1 3\r\n",
    b"MSG a 1 9999999\r\n", b"\r\n", b"x" * ((1 << 20) + 1),
])  # fmt: skip
def test_bytes_that_are_no_frames_are_refused(data: bytes):
    """Within bounded memory."""
    with pytest.raises(NoNats):
        NatsFrames().feed(data)


# ---- the consumer of the page ----


async def test_the_consumer_of_the_page_reads_every_record_once(
    started: Start, capsys: pytest.CaptureFixture[str]
):
    """It is durable: it continues where it was."""
    server = await started()
    page = (ROOT / "docs" / "nats.md").read_text()
    [code] = [block for block in re.findall(r"(?ms)^```python\n(.*?)^```", page) if "pull_subscribe" in block]
    for old, new in (("4222", str(server.port)), ("while True", "for _ in range(1)"), ("timeout=5", "timeout=0.2")):
        assert code.count(old) == 1
        code = code.replace(old, new)
    code = code.replace("asyncio.run(main())", "")
    for first in (0, 3):
        async with sink_to(server.url, create=True) as sink:
            await sink.deliver([record(number) for number in range(first, first + 3)])
        names: dict[str, Any] = {}
        exec(compile(code, "docs/nats.md", "exec"), names)
        await names["main"]()
        seen = capsys.readouterr().out.splitlines()
        assert seen == [f"klvrelay.uav1.telemetry {BOOT} {number} tail-{number}" for number in range(first, first + 3)]
