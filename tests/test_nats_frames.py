"""The protocol of NATS: frames, subjects, and what answers mean."""

from __future__ import annotations

import pytest
from cases import each_case
from queue_trials import PASSWORD

from klvrelay.sinks.nats.faults import StoreAnswer, server_fault, verdict_of
from klvrelay.sinks.nats.frames import Frame, NatsFrames, NoNats
from klvrelay.sinks.nats.subjects import subject_of
from klvrelay.sinks.results import DELIVERED, LEFT_OUT, REJECTED


@each_case("topic, subject", [
    ("klvrelay/uav1/telemetry", "klvrelay.uav1.telemetry"), ("a/udp-1.2/b", "a.udp-1%2E2.b"),
    ("a/%C3%A4 b", "a.%C3%A4%20b"), ("a*/>b/ä%", "a%2A.%3Eb.%C3%A4%25"), ("site/klv/x", "site.klv.x"),
])  # fmt: skip
def test_a_subject_has_the_levels_of_the_topic(topic: str, subject: str):
    """What has a meaning in subjects is percent-encoded; what is encoded already stays."""
    assert subject_of(topic) == subject


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
    ("maximum connections exceeded", "max_connections"), ("Stale Connection", "its pings"),
    ("Secure Connection - TLS Required", "use tls://"), (f"Unknown: {PASSWORD}", "see its log"),
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
