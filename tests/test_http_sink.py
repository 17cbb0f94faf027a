"""The sink that posts to a web server: what is sent, what each answer means, and servers that misbehave."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import hmac
import json
import re
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import feed
import pytest
from brokers import until
from cases import each_case
from certificates import certified
from conftest import ROOT
from http_far_end import PostReceiver, PostRequest, answer_of
from records import BOOT, platform, record, spoilt

from klvrelay.config.settings import SinkSettings
from klvrelay.config.sinks.http import HttpSettings
from klvrelay.config.sinks.known import kind_of_url
from klvrelay.decoder import decode
from klvrelay.errors import ConfigError, SinkDown, SinkRefused
from klvrelay.gap import Gap
from klvrelay.outcome import Outcome
from klvrelay.relay.build import shaper_of
from klvrelay.shape.output import Output
from klvrelay.sinks.contract import Sink
from klvrelay.sinks.http.server import WebServer
from klvrelay.sinks.open import check_far_end, open_sink
from klvrelay.sinks.publishing.publication import Publication
from klvrelay.sinks.results import DELIVERED
from klvrelay.text import Secret
from klvrelay.transports.http.signature import signature

Answering = Callable[[PostRequest], bytes | None]


@asynccontextmanager
async def serving(answering: Answering = lambda _: answer_of(204)) -> AsyncIterator[PostReceiver]:
    """A server that answers so."""
    receiver = PostReceiver(None, 0, answering)
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.close()


def sink_to(receiver: PostReceiver, *outputs: Output, **settings: object) -> Sink:
    made = SinkSettings("http", receiver.settings(**settings), outputs=outputs)
    return open_sink(made, shaper_of(made), BOOT)


def numbers_of(request: PostRequest) -> list[int]:
    return [json.loads(line)["seq"] for line in request.body.splitlines()]


def refusing(status: int, *numbers: int) -> Answering:
    """Refuses every POST with one of these records."""
    return lambda request: answer_of(status if set(numbers) & set(numbers_of(request)) else 200)


# ---- what is sent ----


async def test_a_post_has_the_records_of_one_stream_as_json_lines():
    """With a header that says which they are, and a key by which a server recognises the same POST."""
    async with serving() as server, sink_to(server) as sink:
        outcome = await sink.deliver([record(0), record(0, "uav2"), record(1), record(1, "uav2")])
    assert outcome == Outcome(delivered=4)
    assert [numbers_of(one) for one in server.requests] == [[0, 1], [0, 1]]
    first = server.requests[0]
    assert first.target == "/records"
    assert first.fields["content-type"] == "application/x-ndjson"
    named = {key: value for key, value in first.fields.items() if key.startswith("klvrelay-")}
    assert named == {
        "klvrelay-stream": "uav1", "klvrelay-output": "telemetry", "klvrelay-boot": BOOT,
        "klvrelay-first": "0", "klvrelay-last": "1", "klvrelay-records": "2",
    }  # fmt: skip
    assert len({one.fields["idempotency-key"] for one in server.requests}) == 2


async def test_the_same_records_have_the_same_idempotency_key():
    """Also after a new connection; other records have another."""
    async with serving() as server:
        for batch in ([record(0), record(2)], [record(0), record(2)], [record(0), record(1), record(2)]):
            async with sink_to(server) as sink:
                await sink.deliver(batch)
    keys = [one.fields["idempotency-key"] for one in server.requests]
    assert keys[0] == keys[1] != keys[2]
    assert keys[0].startswith(f'"{BOOT}-0-2-')


async def test_all_posts_share_a_connection():
    """It is kept alive."""
    async with serving() as server, sink_to(server) as sink:
        for number in range(5):
            await sink.deliver([record(number)])
        assert server.connections == 1


async def test_klv_packets_follow_each_other():
    """Gaps and damaged records are JSON, in POSTs of their own type."""
    async with serving() as server, sink_to(server, Output("klv", "{prefix}/{stream}/klv", format="klv")) as sink:
        await sink.deliver([record(0), Gap("uav1", BOOT, 1, 3, "memory", None), record(4), spoilt(5)])
    packets, gap, *_ = server.requests
    assert packets.fields["content-type"] == "application/smpte336m"
    assert [each.raw for each in decode(packets.body)] == [record(0).raw, record(4).raw]
    assert (gap.fields["klvrelay-first"], gap.fields["klvrelay-last"]) == ("1", "3")
    assert json.loads(gap.body)["schema"] == "klvrelay/gap/1"


async def test_a_post_has_a_maximum_size_and_number():
    """What is more follows in the next one; a record that is larger is alone."""
    large = record(3, raw=platform(3, (59, b"x" * 5000)))
    async with serving() as server:
        async with sink_to(server, post_records=2) as sink:
            await sink.deliver([record(number) for number in range(5)])
        assert [numbers_of(one) for one in server.requests] == [[0, 1], [2, 3], [4]]
        server.requests.clear()
        async with sink_to(server, post_size=4096) as sink:
            await sink.deliver([record(0), record(1), large, record(4)])
        assert [numbers_of(one) for one in server.requests] == [[0, 1], [3], [4]]


async def test_gzip_and_the_signature_are_of_the_body_as_sent():
    """A server verifies first, and decompresses then."""
    async with serving() as server, sink_to(server, gzip=True, sign_key=Secret("key")) as sink:
        await sink.deliver([record(0), record(1)])
    request = server.requests[0]
    assert request.fields["content-encoding"] == "gzip"
    assert len(gzip.decompress(request.body).splitlines()) == 2
    time, given = (part.partition("=")[2] for part in request.fields["klvrelay-signature"].split(","))
    expected = hmac.new(b"key", time.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert given == expected


def test_a_signature_depends_on_key_body_and_time():
    """A known value, and others for other inputs."""
    known = signature(Secret("key"), b"body", 1)
    expected = hmac.new(b"key", b"1.body", "sha256").hexdigest()
    assert known == f"t=1,v1={expected}"
    inputs = [("k", b"body", 1), ("key", b"b", 1), ("key", b"body", 2)]
    assert len({signature(Secret(key), body, time) for key, body, time in inputs} - {known}) == 3


async def test_login_with_a_token_or_a_password():
    """In the field Authorization; no message shows it."""
    async with serving() as server:
        async with sink_to(server, token=Secret("t0ken")) as sink:
            await sink.deliver([record(0)])
        async with sink_to(server, username="relay", password=Secret("pässword")) as sink:
            await sink.deliver([record(0)])
    sent = [one.fields["authorization"] for one in server.requests]
    assert sent == ["Bearer t0ken", "Basic " + base64.b64encode("relay:pässword".encode()).decode()]


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch):
    """They are for browsers."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with serving() as server, sink_to(server) as sink:
        assert await sink.deliver([record(0)]) == Outcome(delivered=1)


# ---- answers ----


@pytest.mark.parametrize("status", [400, 413, 415, 422])
async def test_a_record_that_is_refused_costs_only_itself(status: int):
    """Its POST is halved until it is alone; a record that is too large is left out, any other rejected."""
    async with serving(refusing(status, 3, 8)) as server, sink_to(server) as sink:
        outcome = await sink.deliver([record(number) for number in range(10)])
    assert outcome == (Outcome(delivered=8, left_out=2) if status == 413 else Outcome(delivered=8, rejected=2))
    assert sorted(number for one in server.requests for number in numbers_of(one)) == [0, 1, 2, 4, 5, 6, 7, 9]


async def test_a_server_that_refuses_every_record_is_a_fault_of_the_settings():
    """A few are counted as refused; the rest waits, and the message names the remedy."""
    async with serving(lambda _: answer_of(400)) as server, sink_to(server) as sink:
        with pytest.raises(SinkDown, match=r"refuses every record \(400\): check the path") as down:
            await sink.deliver([record(number) for number in range(100)])
    assert down.value.answered == Outcome(rejected=20)
    assert (down.value.traced, down.value.wait) == (True, 30.0)


@pytest.mark.parametrize("count", [1, 100])
async def test_a_server_that_still_refuses_every_record_costs_no_more(count: int):
    """On later connections all wait, however few are offered. Once one is accepted, refusals count again."""
    async with serving(lambda _: answer_of(413)) as server:
        sink = sink_to(server)
        async with sink:
            with pytest.raises(SinkDown, match=r"refuses every record \(413\): raise the size"):
                await sink.deliver([record(number) for number in range(21)])
        for _ in range(3):
            async with sink:
                with pytest.raises(SinkDown, match=r"refuses every record \(413\)") as down:
                    await sink.deliver([record(number) for number in range(20, 20 + count)])
            assert down.value.answered == Outcome()
        server.answering = refusing(400, 20)
        async with sink:
            assert await sink.deliver([record(20), record(21)]) == Outcome(delivered=1, rejected=1)


@pytest.mark.parametrize(
    ("status", "text", "wait"),
    [
        (401, "check token_file", 30.0),
        (403, "forbidden: check the rights", 30.0),
        (404, "not found: check the path", 30.0),
        (405, "does not take POST", 30.0),
        (500, "internal error: see the log", 0.0),
        (501, "does not support POST", 0.0),
        (504, "gateway got no response in time", 0.0),
        (599, "internal error: see the log", 0.0),
        (429, "too many requests", 0.0),
        (304, "redirects to another address", 30.0),
    ],
)
async def test_a_server_that_takes_nothing_is_down_for_a_reason(status: int, text: str, wait: float):
    """No record is suspected: all wait, and are offered again."""
    async with serving(lambda _: answer_of(status)) as server, sink_to(server) as sink:
        with pytest.raises(SinkDown, match=text) as down:
            await sink.deliver([record(0)])
    assert (down.value.wait, down.value.traced, down.value.answered) == (wait, True, Outcome())


@pytest.mark.parametrize(("field", "wait"), [("7", 7.0), ("99999", 600.0), ("soon", 0.0), ("-1", 0.0)])
async def test_retry_after_is_respected_within_bounds(field: str, wait: float):
    """With 429 and 503; a malformed one is ignored."""
    async with serving(lambda _: answer_of(503, f"Retry-After: {field}")) as server, sink_to(server) as sink:
        with pytest.raises(SinkDown, match="overloaded") as down:
            await sink.deliver([record(0)])
    assert down.value.wait == wait


async def test_what_was_delivered_before_a_fault_is_not_sent_again():
    """The leading answers are reported with it."""
    answers = iter([answer_of(200), answer_of(200), answer_of(503)])
    async with serving(lambda _: next(answers)) as server, sink_to(server, post_records=2) as sink:
        with pytest.raises(SinkDown) as down:
            await sink.deliver([record(number) for number in range(7)])
    assert down.value.answered == Outcome(delivered=4)


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_on_the_same_server_is_followed_once(status: int):
    """With the whole body and login."""

    def answer(request: PostRequest) -> bytes:
        return answer_of(200) if request.target == "/new?a=b" else answer_of(status, "Location: /new?a=b")

    async with serving(answer) as server, sink_to(server, token=Secret("t0ken")) as sink:
        assert await sink.deliver([record(0)]) == Outcome(delivered=1)
    assert server.requests[0].fields["authorization"] == "Bearer t0ken"
    assert numbers_of(server.requests[0]) == [0]


@pytest.mark.parametrize(
    "location", ["http://localhost:1/", "https://127.0.0.1/", "//other/", "http://[", "", "/records"]
)
async def test_other_redirects_are_refused(location: str):
    """The login is for one server only; nor is a redirect followed twice."""
    async with serving(lambda _: answer_of(307, f"Location: {location}")) as server, sink_to(server) as sink:
        with pytest.raises(SinkDown, match="redirects to another address, or twice"):
            await sink.deliver([record(0)])


# ---- servers that misbehave ----


async def test_a_server_that_closes_idle_connections_is_no_outage():
    """The next POST makes a new connection."""
    async with serving() as server, sink_to(server) as sink:
        await sink.deliver([record(0)])
        server.cut()
        await asyncio.sleep(0)
        assert await sink.deliver([record(1)]) == Outcome(delivered=1)
        assert server.connections == 2


async def test_a_server_that_closes_without_an_answer_is_down():
    """Its records wait."""
    async with serving(lambda _: None) as server, sink_to(server) as sink:
        with pytest.raises(SinkDown, match="closed the connection without a response") as down:
            await sink.deliver([record(0)])
    assert down.value.answered == Outcome()


async def test_a_server_that_does_not_answer_is_down_after_the_time_limit():
    """The sink can be closed at once."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    async with await asyncio.start_server(swallow, "127.0.0.1", 0) as server:
        receiver = PostReceiver(None, 0)
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with sink_to(receiver, timeout=0.2) as sink:
            with pytest.raises(SinkDown, match=r"no response within 0.2 s"):
                await sink.deliver([record(0)])


@pytest.mark.parametrize(
    "answer",
    [
        answer_of(200, body=b"x" * 1000),
        answer_of(200, version="1.0"),
        b"HTTP/1.0 200 OK\r\n\r\nto the end",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbye",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=range(6),
)
async def test_every_form_of_an_answer_is_understood(answer: bytes):
    """With HTTP/1.0, in chunks, up to the end of the connection, and after an interim answer."""
    async with serving(lambda _: answer) as server, sink_to(server) as sink:
        for number in range(3):
            assert await sink.deliver([record(number)]) == Outcome(delivered=1)


async def test_a_huge_answer_is_not_read():
    """The next POST uses another connection."""
    async with serving(lambda _: answer_of(200, body=b"x" * (1 << 20))) as server, sink_to(server) as sink:
        for number in range(2):
            assert await sink.deliver([record(number)]) == Outcome(delivered=1)
        assert server.connections == 2


@pytest.mark.parametrize("head", ["", "Content-Length: 9\r\n", "Transfer-Encoding: chunked\r\n"])
async def test_an_answer_without_its_end_counts_by_its_status(head: str, monkeypatch: pytest.MonkeyPatch):
    """The body is not waited for, beyond a moment."""
    monkeypatch.setattr("klvrelay.sinks.http.connection.BODY_SECONDS", 0.05)
    answer = f"HTTP/1.1 200 OK\r\n{head}\r\n1".encode()
    async with serving(lambda _: answer) as server, sink_to(server) as sink:
        for number in range(2):
            assert await sink.deliver([record(number)]) == Outcome(delivered=1)
        assert server.connections == 2


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 60_000 + b"\r\n", "not HTTP|header is larger"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "not HTTP"),
    ],
    ids=range(2),
)
async def test_what_is_no_answer_is_named(answer: bytes, text: str):
    """A header without an end, and another protocol. There, no record is suspected."""
    async with serving(lambda _: answer) as server, sink_to(server) as sink:
        with pytest.raises(SinkDown, match=text) as down:
            await sink.deliver([record(0)])
    assert down.value.traced == ("not HTTP" in str(down.value))


async def test_an_answer_before_the_whole_body_counts():
    """A server that refuses a large body answers, and closes the connection, before it has read it."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer_of(413, "Connection: close"))
        await writer.drain()
        writer.write_eof()
        await reader.read(-1)
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        receiver = PostReceiver(None, 0)
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with sink_to(receiver) as sink:
            large = record(0, raw=platform(0, (59, b"x" * 3_000_000)))
            assert await sink.deliver([large]) == Outcome(left_out=1)


# ---- TLS and settings ----


async def test_tls_with_a_private_authority(tmp_path: Path):
    """`ca_file` names it; without it the certificate is refused, with the remedy."""
    ca, pem = certified(tmp_path)
    receiver = PostReceiver(None, 0)
    receiver.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    receiver.context.load_cert_chain(pem)
    await receiver.start()
    try:
        async with sink_to(receiver, ca_file=ca, token=Secret("t0ken")) as sink:
            for number in range(2):
                assert await sink.deliver([record(number)]) == Outcome(delivered=1)
        assert receiver.connections == 1
        with pytest.raises(SinkRefused, match="set ca_file"):
            async with sink_to(receiver):
                pass
    finally:
        await receiver.close()


@each_case(
    ("url", "settings", "text"),
    [
        ("http://example.org/", {"token": Secret("t0ken")}, "token would be sent unencrypted: use https://"),
        ("http://relay@example.org/", {"password": Secret("t0ken")}, "password would be sent unencrypted"),
        ("https://relay@example.org/", {"token": Secret("t0ken")}, "either a token or a user name"),
        ("https://example.org/", {"token": Secret("t0\nken")}, "printable ASCII"),
        ("https://example.org/", {"password": Secret("t0ken")}, "a password needs a user name"),
        ("http://example.org/", {"ca_file": "ca.pem"}, "ca_file: used by TLS only"),
        ("https://example.org/", {"cert_file": "a.pem"}, "requires both"),
        ("https:///records", {}, "host"),
    ],
)
def test_settings_that_contradict_each_other_are_named(url: str, settings: dict[str, object], text: str):
    """Without their values."""
    with pytest.raises(ConfigError, match=text) as fault:
        kind_of_url(url).from_url(url, settings)
    assert "t0ken" not in str(fault.value)


def test_the_query_belongs_to_the_server_and_is_not_shown():
    """It may contain a token."""
    made = kind_of_url("https://h/p").from_url("https://h/in gest?token=s3cret&x=1", {})
    assert isinstance(made, HttpSettings)
    assert made.target.reveal() == "/in%20gest?token=s3cret&x=1"
    assert "s3cret" not in f"{made.url} {made!r}"
    assert made.url.startswith("https://h")


async def test_the_server_of_the_page_verifies_and_reads_what_is_sent(free_port: int):
    """The example in docs/http.md runs as it stands, but for its port; a wrong key is refused."""
    (program,) = re.findall(r"(?ms)^```python\n(.*?)^```", (ROOT / "docs" / "http.md").read_text())
    assert "8080" in program
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-c", program.replace("8080", str(free_port)),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await feed.listening(free_port, "tcp")
        receiver = PostReceiver(None, free_port)
        async with sink_to(receiver, sign_key=Secret("...")) as sink:
            assert await sink.deliver([record(0), record(1)]) == Outcome(delivered=2)
        assert server.stdout is not None
        assert await asyncio.wait_for(server.stdout.readline(), 10) == b"uav1 0 None\n"
        async with sink_to(receiver, sign_key=Secret("wrong")) as sink:
            with pytest.raises(SinkDown, match="check token_file"):
                await sink.deliver([record(2)])
    finally:
        server.kill()
        await server.wait()


async def test_a_server_that_closes_an_idle_connection_is_looked_for_once(monkeypatch: pytest.MonkeyPatch):
    """While it is there, nothing happens; when it is gone, the sink is down without a POST."""
    monkeypatch.setattr("klvrelay.sinks.http.server.CHECK", 0.01)
    async with serving() as server:
        far_end = WebServer(server.settings())  # type: ignore[arg-type]
        await far_end.open()
        watching = asyncio.create_task(far_end.lost())
        try:
            await until(lambda: server.connections == 1, 5)
            server.cut()
            await until(lambda: server.connections == 2, 5)
            server.cut()
            await until(lambda: far_end._connection is None, 5)
            assert (server.connections, watching.done()) == (2, False)

            publication = Publication("klvrelay/uav1/telemetry", b"{}", "application/json", record(0))
            assert await far_end.send([publication]) == [DELIVERED]
            await server.stop()
            assert "connection refused" in str(await asyncio.wait_for(watching, 5))
            await server.start()
        finally:
            watching.cancel()
            await asyncio.wait({watching})
            await far_end.close()


def test_certificates_are_checked_before_anything_starts(tmp_path: Path):
    """A missing file is a fault of the settings."""
    made = kind_of_url("https://h").from_url("https://h", {"ca_file": str(tmp_path / "none.pem")})
    with pytest.raises(ConfigError, match=r"ca_file .*none\.pem"):
        check_far_end(made)
    check_far_end(kind_of_url("https://h").from_url("https://h", {}))
    check_far_end(kind_of_url("http://h").from_url("http://h", {}))
