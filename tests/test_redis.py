"""Sinks to Redis Streams, against a real server: keys, fields, refusals, full memory, first errors, TLS."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from brokers import until
from cases import each_case
from certificates import certified
from conftest import ROOT
from far_ends import settings_of
from queue_servers import RedisServer
from records import BOOT, platform, record, spoilt

from klvrelay.config.settings import SinkSettings
from klvrelay.errors import ConfigError, SinkDown, SinkRefused
from klvrelay.gap import Gap, Replay
from klvrelay.outcome import Outcome
from klvrelay.relay.build import shaper_of
from klvrelay.shape.output import Output
from klvrelay.shape.presets import preset_output
from klvrelay.sinks.contract import Notice, Sink
from klvrelay.sinks.open import far_end, open_sink
from klvrelay.sinks.redis import redis_streams
from klvrelay.sinks.redis.faults import error_of, login_fault, result_of
from klvrelay.sinks.redis.resp import ErrorReply, NoRedis, Replies, command
from klvrelay.sinks.results import DELIVERED, LEFT_OUT, REJECTED
from klvrelay.text import Secret

TELEMETRY = (preset_output("telemetry"),)
PASSWORD = "c4n4ry-pa55"


@pytest.fixture
async def server(tmp_path: Path, free_port: int) -> AsyncIterator[RedisServer]:
    started = RedisServer(tmp_path, free_port)
    await started.start()
    yield started
    await started.close()


def sink_to(url: str, outputs: tuple[Output, ...] = TELEMETRY, **settings: object) -> Sink:
    made = SinkSettings("redis", settings_of(url, **settings), outputs=outputs)
    return open_sink(made, shaper_of(made), BOOT)


async def fault_of(url: str, **settings: object) -> str:
    """Why a far end refuses the connection."""
    opened = far_end(settings_of(url, **{"timeout": 2.0, **settings}))
    with pytest.raises((SinkDown, SinkRefused)) as fault:
        await opened.open()
    await opened.close()
    assert PASSWORD not in str(fault.value)
    return f"{fault.type.__name__} {fault.value}"


# ---- what is published ----


async def test_an_entry_has_the_payload_and_its_identity(server: RedisServer):
    """One key for each stream and output; damaged records and gaps have their own."""
    async with sink_to(server.url) as sink:
        batch = [record(0), record(1, "uav2"), spoilt(2), Gap("uav1", BOOT, 3, 5, "memory", None)]
        assert await sink.deliver(batch) == Outcome(delivered=3, gaps=1)
    with server.client() as client:
        keys = ["klvrelay:uav1:gap", "klvrelay:uav1:rejected", "klvrelay:uav1:telemetry", "klvrelay:uav2:telemetry"]
        assert sorted(key.decode() for key in client.scan_iter()) == keys
        [(_, fields)] = client.xrange("klvrelay:uav1:telemetry")
        assert set(fields) == {b"payload", b"content_type", b"boot", b"seq"}
        assert (fields[b"content_type"], fields[b"boot"], fields[b"seq"]) == (b"application/json", BOOT.encode(), b"0")
        assert fields[b"payload"] == record(0).json()


async def test_a_replayed_entry_has_its_age(server: RedisServer):
    """Beside live records, after an outage."""
    async with sink_to(server.url) as sink:
        await sink.deliver(Replay([record(0)]))
    with server.client() as client:
        [(_, fields)] = client.xrange("klvrelay:uav1:telemetry")
    assert float(fields[b"age"]) == orjson.loads(fields[b"payload"])["replayed_s"] > 1e6


async def test_the_state_is_a_hash_of_items_and_loses_those_that_are_gone(server: RedisServer):
    """Text as it is, other values as JSON. What another run left does not stay."""
    with server.client() as client:
        client.hset("klvrelay:uav1:state", "removed_item", "1")
    async with sink_to(server.url, (preset_output("state"),)) as sink:
        await sink.deliver([record(7)])
    with server.client() as client:
        fields = {name.decode(): value.decode() for name, value in client.hgetall("klvrelay:uav1:state").items()}
    assert "removed_item" not in fields
    assert (fields["platform_tail_number"], fields["seq"], fields["boot"]) == ("tail-7", "7", BOOT)
    assert float(fields["platform_heading_angle"]) == pytest.approx(159.974, abs=0.01)
    assert orjson.loads(fields["quality"])["checksum"] == "ok"


async def test_items_are_fields_of_one_hash(server: RedisServer):
    """The preset items: a field for each item that has changed."""
    async with sink_to(server.url, (preset_output("items"),)) as sink:
        await sink.deliver([record(0), record(1)])
    with server.client() as client:
        assert client.keys() == [b"klvrelay:uav1:items"]
        assert client.hget("klvrelay:uav1:items", "platform_tail_number") == b"tail-1"


async def test_a_stream_is_bounded(server: RedisServer):
    """About max_length entries: Redis removes whole nodes of 100."""
    async with sink_to(server.url, max_length=500) as sink:
        for start in range(0, 3000, 500):
            await sink.deliver([record(number) for number in range(start, start + 500)])
    with server.client() as client:
        assert 500 <= client.xlen("klvrelay:uav1:telemetry") < 700


async def test_latest_values_expire_unless_the_relay_refreshes_them(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    """A relay that was killed is not online for ever; one that ends removes its status."""
    monkeypatch.setattr(redis_streams, "IDLE", 0.02)
    opened: Any = far_end(settings_of(server.url, value_expiry=15))
    await opened.open()
    watching = asyncio.create_task(opened.lost())
    await opened.put(Notice("availability", "uav1", b"online"))
    await opened.put(Notice("status", None, b'{"version":"1"}'))
    with server.client() as client:
        assert client.get("klvrelay:uav1:availability") == b"online"
        assert orjson.loads(client.get("klvrelay:status")) == {"state": "online", "version": "1"}
        assert 10 < client.ttl("klvrelay:uav1:availability") <= 15
        client.flushdb()
        await until(lambda: client.get("klvrelay:uav1:availability") == b"online")
        watching.cancel()
        await asyncio.wait({watching})
        await opened.close()
        assert client.get("klvrelay:status") is None


# ---- refusals ----


async def test_a_key_of_another_type_costs_only_its_own_records(server: RedisServer, caplog: pytest.LogCaptureFixture):
    """The neighbours in the same pipeline are delivered. The log has the key and a remedy, once."""
    with server.client() as client:
        client.set("klvrelay:uav2:telemetry", "x")
    async with sink_to(server.url) as sink:
        batch = [record(0), record(0, "uav2"), record(1), record(1, "uav2"), record(2)]
        assert await sink.deliver(batch) == Outcome(delivered=3, rejected=2)
    with server.client() as client:
        assert client.xlen("klvrelay:uav1:telemetry") == 3
    [line] = [text for text in caplog.messages if "refused by" in text]
    assert "klvrelay:uav2:telemetry" in line
    assert "another type" in line


async def test_a_hash_that_may_not_be_written_costs_only_itself(server: RedisServer):
    """A transaction is refused as a whole; what follows it in the pipeline is not part of it."""
    with server.client() as client:
        client.acl_setuser("relay", enabled=True, passwords=[f"+{PASSWORD}"], keys=["klvrelay:*:telemetry"],
                           commands=["+xadd", "+ping", "+select", "+multi", "+exec", "+hset", "+del"])  # fmt: skip
    login = {"username": "relay", "password": Secret(PASSWORD)}
    async with sink_to(server.url, (preset_output("state"), *TELEMETRY), **login) as sink:
        assert await sink.deliver([record(0), record(1)]) == Outcome(delivered=2)
    with server.client() as client:
        assert client.keys() == [b"klvrelay:uav1:telemetry"]
        assert client.xlen("klvrelay:uav1:telemetry") == 2


async def test_keys_that_the_acl_forbids_are_refused_one_by_one(server: RedisServer):
    """NOPERM: only records of that stream are counted as refused."""
    with server.client() as client:
        client.acl_setuser("relay", enabled=True, passwords=[f"+{PASSWORD}"], keys=["klvrelay:uav1:*"],
                           commands=["+xadd"])  # fmt: skip
    url = server.url.replace("//", f"//relay:{PASSWORD}@")
    async with sink_to(url) as sink:
        assert await sink.deliver([record(0), record(0, "uav2"), record(1)]) == Outcome(delivered=2, rejected=1)


async def test_records_wait_while_the_memory_of_the_server_is_full(server: RedisServer):
    """Nothing is lost: those before are confirmed, the others are offered again."""
    with server.client() as client:
        async with sink_to(server.url) as sink:
            assert await sink.deliver([record(0)]) == Outcome(delivered=1)
            client.config_set("maxmemory", "1")
            with pytest.raises(SinkDown, match="its memory is full") as full:
                await sink.deliver([record(1), record(2)])
            assert full.value.answered == Outcome()
        client.config_set("maxmemory", "0")
        async with sink_to(server.url) as sink:
            assert await sink.deliver([record(1), record(2)]) == Outcome(delivered=2)
        assert [fields[b"seq"] for _, fields in client.xrange("klvrelay:uav1:telemetry")] == [b"0", b"1", b"2"]


async def test_a_record_that_exceeds_the_largest_argument_is_left_out(server: RedisServer):
    """The server closes the connection; the record before is confirmed, and the one after follows on the next."""
    with server.client() as client:
        client.config_set("proto-max-bulk-len", str(1 << 20))
    large = record(1, raw=platform(1, (59, b"x" * (1 << 20))))
    async with sink_to(server.url) as sink:
        with pytest.raises(SinkDown) as lost:
            await sink.deliver([record(0), large, record(2)])
    assert lost.value.answered == Outcome(delivered=1, left_out=1)


async def test_a_server_that_becomes_a_replica_gets_no_more(server: RedisServer, free_port: int):
    """READONLY: the records wait, and the message says what to do."""
    async with sink_to(server.url) as sink:
        with server.client() as client:
            client.replicaof("127.0.0.1", 1)
        with pytest.raises(SinkDown, match="read-only replica: give the address of the primary"):
            await sink.deliver([record(0)])
    assert "replica: give the address of the primary" in await fault_of(server.url)


async def test_a_server_that_stops_answering_is_noticed_while_idle(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    """Its kernel still accepts bytes."""
    monkeypatch.setattr(redis_streams, "IDLE", 0.02)
    opened: Any = far_end(settings_of(server.url, timeout=0.2))
    await opened.open()
    server.suspend()
    lost = await asyncio.wait_for(opened.lost(), 5)
    await opened.close()
    assert "no longer answers" in str(lost)


# ---- first errors ----


async def test_a_wrong_password_is_named_and_not_shown(tmp_path: Path, free_port: int):
    """Also a missing one, and one that the server does not require."""
    server = RedisServer(tmp_path, free_port, "--requirepass", "another")
    await server.start()
    try:
        for user in ("", "relay"):
            wrong = server.url.replace("//", f"//{user}:{PASSWORD}@")
            assert "refuses user name or password" in await fault_of(wrong)
        assert "SinkRefused" in (text := await fault_of(server.url))
        assert "requires a login" in text
        right = server.url.replace("//", "//:another@")
        async with sink_to(right) as sink:
            assert await sink.deliver([record(0)]) == Outcome(delivered=1)
    finally:
        await server.close()


async def test_a_database_that_does_not_exist_is_named(server: RedisServer):
    """And one that exists is used."""
    assert "no such database: give a lower number" in await fault_of(f"{server.url}/99")
    async with sink_to(f"{server.url}/3") as sink:
        await sink.deliver([record(0)])
    with server.client() as client:
        client.select(3)
        assert client.xlen("klvrelay:uav1:telemetry") == 1


async def test_too_many_clients_are_named(server: RedisServer):
    """The server says so without being asked, and closes the connection."""
    with server.client() as client:
        client.config_set("maxclients", 1)
        assert "too many clients (maxclients)" in await fault_of(server.url)


@pytest.mark.parametrize(("words", "says"), [
    (("--cluster-enabled", "yes"), "a Redis Cluster is not supported: give the address of a single server"),
    (("--sentinel",), "a Redis Sentinel is not supported: give the address of the primary itself"),
])  # fmt: skip
async def test_a_server_of_another_mode_is_refused(
    words: tuple[str, ...], says: str, tmp_path: Path, free_port: int
):
    """At the first connection, with a remedy."""
    server = RedisServer(tmp_path, free_port, *words)
    await server.start()
    assert f"SinkRefused {server.url}: {says}" == await fault_of(server.url)
    await server.close()


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
    server = RedisServer(tmp_path, free_port, "--port", "0", "--tls-port", str(free_port), *files)
    await server.start()
    try:
        url = f"rediss://127.0.0.1:{free_port}"
        async with sink_to(url, ca_file=ca, cert_file=pem, key_file=pem) as sink:
            assert await sink.deliver([record(number) for number in range(300)]) == Outcome(delivered=300)
        assert "certificate is not trusted" in await fault_of(url)
        assert "refused TLS" in await fault_of(url, ca_file=ca)
        assert "no Redis server answers there" in await fault_of(f"redis://127.0.0.1:{free_port}")
    finally:
        await server.close()


async def test_tls_to_a_plain_port_is_named(server: RedisServer):
    """With the URL to try."""
    assert "try redis://" in await fault_of(server.url.replace("redis://", "rediss://"))


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


# ---- replies ----


@each_case("text, result", [
    ("WRONGTYPE Operation against a key", REJECTED), ("NOPERM No permissions", REJECTED), ("ERR syntax", REJECTED),
    ("OOM command not allowed", None), ("LOADING Redis is loading", None), ("READONLY You can't", None),
    ("MASTERDOWN Link", None), ("NOREPLICAS Not enough", None), ("MISCONF Redis", None), ("MOVED 1 a:1", None),
    ("ERR Protocol error: invalid bulk length", LEFT_OUT),
])  # fmt: skip
def test_an_error_reply_is_of_the_publication_or_of_the_server(text: str, result: int | None):
    """Those of the server cost no record."""
    assert result_of(ErrorReply(text)) == result
    assert error_of([b"OK", [b"QUEUED", ErrorReply(text)]]) == ErrorReply(text)
    assert result_of(error_of([b"OK", 3, None, [1]])) == DELIVERED


def test_the_text_of_an_error_is_not_repeated():
    """An old server repeats the arguments of an unknown command, and so the password."""
    for text in (f"ERR unknown command 'HELLO', with args: {PASSWORD}", f"ODD {PASSWORD}", f"LOADING {PASSWORD}"):
        assert PASSWORD not in str(login_fault("redis://h:6379", ErrorReply(text)))


def test_replies_are_found_however_they_are_split():
    """At each byte."""
    data = b"+OK\r\n-ERR no\r\n:-12\r\n$4\r\na\r\nb\r\n$-1\r\n*3\r\n:1\r\n$0\r\n\r\n*-1\r\n*0\r\n"
    wanted = [b"OK", ErrorReply("ERR no"), -12, b"a\r\nb", None, [1, b"", None], []]
    for cut in range(len(data) + 1):
        replies = Replies()
        assert replies.feed(data[:cut]) + replies.feed(data[cut:]) == wanted
    replies = Replies()
    assert [one for byte in data for one in replies.feed(bytes([byte]))] == wanted


@each_case("data", [
    b"HTTP/1.1 200 OK\r\n", b"$x\r\n", b"$9999999\r\n", b"*9999999\r\n", b"*1\r\n" * 9 + b":1\r\n",
    b"+" + b"x" * (1 << 20) + b"y" * 9,
])  # fmt: skip
def test_bytes_that_are_no_replies_are_refused(data: bytes):
    """Within bounded memory."""
    with pytest.raises(NoRedis):
        Replies().feed(data)


def test_a_command_is_an_array_of_arguments():
    """Arguments may contain line ends."""
    assert command(b"SET", b"a", b"\r\n") == b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\n\r\n\r\n"


# ---- the consumer of the page ----


async def test_the_consumer_of_the_page_reads_every_record_once(
    server: RedisServer, capsys: pytest.CaptureFixture[str]
):
    """Including those that another consumer of the group took and did not confirm."""
    async with sink_to(server.url) as sink:
        await sink.deliver([record(number) for number in range(5)])
        await sink.deliver([record(4)])  # a record that is delivered twice
    with server.client() as client:
        client.xgroup_create("klvrelay:uav1:telemetry", "viewers", id="0")
        client.xreadgroup("viewers", "dead", {"klvrelay:uav1:telemetry": ">"}, count=2)
        exec(compile(consumer(server.port), "docs/redis.md", "exec"), {})
        assert client.xpending("klvrelay:uav1:telemetry", "viewers")["pending"] == 0
    seen = capsys.readouterr().out.splitlines()
    assert sorted(seen) == [f"b'{BOOT}' {number} tail-{number}" for number in range(5)]


def consumer(port: int) -> str:
    """The program of the page, with the port of the test, at once, and for three rounds."""
    page = (ROOT / "docs" / "redis.md").read_text()
    [code] = [block for block in re.findall(r"(?ms)^```python\n(.*?)^```", page) if "xautoclaim" in block]
    for old, new in (("6379", str(port)), ("60_000", "0"), ("while True", "for _ in range(3)"), ("5000", "50")):
        assert code.count(old) == 1
        code = code.replace(old, new)
    return code
