"""Sinks to NATS, against a real server: subjects, duplicates, latest values, refusals, full storage."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import nats
import pytest
from brokers import until
from conftest import ROOT
from far_ends import settings_of
from queue_servers import NatsServer
from queue_trials import PASSWORD, StartNats, fault_of, sink_to
from records import BOOT, platform, record, spoilt

from klvrelay.errors import SinkDown
from klvrelay.gap import Gap, Replay
from klvrelay.outcome import Outcome
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.nats import connection
from klvrelay.sinks.open import far_end


async def last_of(server: NatsServer, subject: str) -> Any:
    """The last message of a subject."""
    client = await nats.connect(server.url, allow_reconnect=False)
    try:
        return await client.jetstream().get_last_msg("klvrelay", subject)
    finally:
        await client.close()


async def add_stream(server: NatsServer, **settings: Any) -> None:
    client = await nats.connect(server.url, allow_reconnect=False)
    await client.jetstream().add_stream(**settings)
    await client.close()


# ---- what is published ----


async def test_a_message_has_the_payload_and_its_identity(start_nats: StartNats):
    """A subject for each stream and output; damaged records and gaps have their own."""
    server = await start_nats()
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


async def test_a_record_that_is_sent_twice_is_stored_once(start_nats: StartNats):
    """The server recognises it, also on another connection, and confirms it."""
    server = await start_nats()
    for _ in range(2):
        async with sink_to(server.url, create=True) as sink:
            assert await sink.deliver([record(0), record(1)]) == Outcome(delivered=2)
    assert len(await server.messages()) == 2


async def test_latest_values_are_the_last_messages_of_their_subjects(start_nats: StartNats):
    """Of streams and of the relay."""
    server = await start_nats()
    opened: Any = far_end(settings_of(server.url, create=True))
    await opened.open()
    await opened.put(Notice("availability", "udp-239.1.1.1", b"online"))
    await opened.put(Notice("status", None, b"{}"))
    await opened.close()
    assert (await last_of(server, "klvrelay.udp-239%2E1%2E1%2E1.availability")).data == b"online"
    assert (await last_of(server, "klvrelay.status")).data == b"{}"


async def test_without_jetstream_subscribers_of_the_moment_get_records(start_nats: StartNats):
    """The server answers a ping after it has read them."""
    server = await start_nats()
    client = await nats.connect(server.url, allow_reconnect=False)
    subscription = await client.subscribe("klvrelay.*.telemetry")
    await client.flush()
    async with sink_to(server.url, jetstream=False) as sink:
        assert await sink.deliver([record(0), record(1)]) == Outcome(delivered=2)
        got = [await subscription.next_msg(5) for _ in range(2)]
    assert [message.data for message in got] == [record(0).json(), record(1).json()]
    await client.close()


# ---- refusals ----


async def test_without_a_stream_the_message_says_how_to_create_it(start_nats: StartNats):
    """Its name follows from the prefix. Nothing is created unasked."""
    server = await start_nats()
    text = await fault_of(server.url, prefix="site/klv")
    assert text.startswith(f"SinkRefused {server.url}: no JetStream stream has the subjects site.klv.>")
    assert "nats stream add site_klv --subjects 'site.klv.>'" in text
    assert "create = true" in text


async def test_a_created_stream_has_the_limits_of_the_settings(start_nats: StartNats):
    """In a file, with a window for duplicates."""
    server = await start_nats()
    async with sink_to(server.url, create=True, stream_name="KLV", max_size=1 << 24, max_age=3600.0):
        pass
    client = await nats.connect(server.url, allow_reconnect=False)
    config = (await client.jetstream().stream_info("KLV")).config
    await client.close()
    assert (config.subjects, config.max_bytes, config.max_age) == (["klvrelay.>"], 1 << 24, 3600)
    assert (config.storage, config.discard, config.duplicate_window) == ("file", "old", 120)


async def test_a_subject_without_a_stream_costs_only_its_own_records(
    start_nats: StartNats, caplog: pytest.LogCaptureFixture
):
    """No stream has it, but others are stored."""
    server = await start_nats()
    await add_stream(server, name="klvrelay", subjects=["klvrelay.uav1.>"])
    async with sink_to(server.url) as sink:
        assert await sink.deliver([record(0), record(0, "uav2"), record(1)]) == Outcome(delivered=2, rejected=1)
    [line] = [text for text in caplog.messages if "refused by" in text]
    assert "klvrelay.uav2.telemetry" in line
    assert "no JetStream stream has this subject" in line


async def test_records_wait_if_the_stream_was_removed(start_nats: StartNats):
    """It is the server that is not ready, not the record."""
    server = await start_nats()
    async with sink_to(server.url, create=True) as sink:
        client = await nats.connect(server.url, allow_reconnect=False)
        await client.jetstream().delete_stream("klvrelay")
        await client.close()
        with pytest.raises(SinkDown, match="no JetStream stream has this subject") as lost:
            await sink.deliver([record(0)])
    assert lost.value.answered == Outcome()


async def test_records_wait_while_the_stream_is_full(start_nats: StartNats):
    """With discard = new. Those before are confirmed."""
    server = await start_nats()
    await add_stream(server, name="klvrelay", subjects=["klvrelay.>"], max_msgs=2, discard="new")
    async with sink_to(server.url) as sink:
        with pytest.raises(SinkDown, match="the stream is full") as full:
            await sink.deliver([record(number) for number in range(4)])
    assert full.value.answered == Outcome(delivered=2)


async def test_a_message_that_is_too_large_is_left_out(start_nats: StartNats):
    """For the server or for the stream; its neighbours are stored."""
    server = await start_nats()
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
async def test_a_subject_that_is_not_permitted_costs_only_its_own_records(start_nats: StartNats, jetstream: bool):
    """With JetStream and without."""
    server = await start_nats(LIMITED)
    client = await nats.connect(server.url, user="admin", password="admin", allow_reconnect=False)
    await client.jetstream().add_stream(name="klvrelay", subjects=["klvrelay.>"])
    await client.close()
    url = server.url.replace("//", f"//relay:{PASSWORD}@")
    async with sink_to(url, jetstream=jetstream) as sink:
        batch = [record(0), record(0, "uav2"), record(1)]
        assert await sink.deliver(batch) == Outcome(delivered=2, rejected=1)
        assert await sink.deliver(batch[:2]) == Outcome(delivered=1, rejected=1)


async def test_a_user_that_may_only_publish_delivers(start_nats: StartNats):
    """It may not ask for the stream, so this is not checked. Without a stream, records wait."""
    server = await start_nats(LIMITED)
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


async def test_a_user_that_may_not_read_answers_is_refused(start_nats: StartNats):
    """With what to permit."""
    server = await start_nats(LIMITED)
    text = await fault_of(server.url.replace("//", f"//blind:{PASSWORD}@"))
    assert "may not subscribe to _INBOX.>" in text


async def test_a_server_that_stops_answering_is_noticed_while_idle(
    start_nats: StartNats, monkeypatch: pytest.MonkeyPatch
):
    """Its kernel still accepts bytes."""
    monkeypatch.setattr(connection, "IDLE", 0.02)
    server = await start_nats()
    opened: Any = far_end(settings_of(server.url, timeout=0.2, create=True))
    await opened.open()
    server.suspend()
    lost = await asyncio.wait_for(opened.lost(), 5)
    await opened.close()
    assert "no longer answers" in str(lost)


async def test_a_ping_of_the_server_is_answered(start_nats: StartNats):
    """Otherwise it would close the connection."""
    server = await start_nats("ping_interval: 50ms\nping_max: 2\n")
    opened: Any = far_end(settings_of(server.url, create=True))
    await opened.open()
    watching = asyncio.create_task(opened.lost())
    before = opened._connection.stream.received
    await until(lambda: opened._connection.stream.received > before + 10 * len(b"PING\r\n"))
    assert not watching.done()
    watching.cancel()
    await asyncio.wait({watching})
    await opened.close()


# ---- the consumer of the page ----


async def test_the_consumer_of_the_page_reads_every_record_once(
    start_nats: StartNats, capsys: pytest.CaptureFixture[str]
):
    """It is durable: it continues where it was."""
    server = await start_nats()
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
