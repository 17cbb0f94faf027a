"""Subjects of NATS, and what answers mean."""

from __future__ import annotations

from cases import each_case
from queue_trials import PASSWORD

from klvrelay.sinks.nats.faults import StoreAnswer, server_fault, verdict_of
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
    (b'{"stream":"klvrelay","seq":12}', "", DELIVERED), (b'{"seq":1,"duplicate":true}', "", DELIVERED),
    (b"", "503", None), (b"", "408", REJECTED), (b"x", "", None), (b"[]", "", None), (b'{"error":1}', "", None),
    (b'{"error":{"code":400,"err_code":10054,"description":"d"}}', "", LEFT_OUT),
    (b'{"error":{"code":400,"err_code":10109,"description":"sealed"}}', "", REJECTED),
    (b'{"error":{"code":503,"err_code":10077,"description":"full"}}', "", None),
    (b'{"error":{"code":429,"err_code":10167,"description":"too many"}}', "", None),
])  # fmt: skip
def test_an_answer_is_of_the_message_or_of_the_server(payload: bytes, status: str, result: int | None):
    """Those of the server cost no record."""
    found = verdict_of(payload, status)
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
