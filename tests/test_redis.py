"""Sinks to Redis Streams, against a real server: keys, fields, refusals, full memory, the consumer of the page."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import orjson
import pytest
from brokers import until
from conftest import ROOT
from far_ends import settings_of
from queue_servers import RedisServer
from queue_trials import PASSWORD, TELEMETRY, fault_of, sink_to
from records import BOOT, platform, record, spoilt

from klvrelay.errors import SinkDown
from klvrelay.gap import Gap, Replay
from klvrelay.outcome import Outcome
from klvrelay.shape.presets import preset_output
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.open import far_end
from klvrelay.sinks.redis import redis_streams
from klvrelay.text import Secret

# ---- what is published ----


async def test_an_entry_has_the_payload_and_its_identity(redis_server: RedisServer):
    """One key for each stream and output; damaged records and gaps have their own."""
    async with sink_to(redis_server.url) as sink:
        batch = [record(0), record(1, "uav2"), spoilt(2), Gap("uav1", BOOT, 3, 5, "memory", None)]
        assert await sink.deliver(batch) == Outcome(delivered=3, gaps=1)
    with redis_server.client() as client:
        keys = ["klvrelay:uav1:gap", "klvrelay:uav1:rejected", "klvrelay:uav1:telemetry", "klvrelay:uav2:telemetry"]
        assert sorted(key.decode() for key in client.scan_iter()) == keys
        [(_, fields)] = client.xrange("klvrelay:uav1:telemetry")
        assert set(fields) == {b"payload", b"content_type", b"boot", b"seq"}
        assert (fields[b"content_type"], fields[b"boot"], fields[b"seq"]) == (b"application/json", BOOT.encode(), b"0")
        assert fields[b"payload"] == record(0).json()


async def test_a_replayed_entry_has_its_age(redis_server: RedisServer):
    """Beside live records, after an outage."""
    async with sink_to(redis_server.url) as sink:
        await sink.deliver(Replay([record(0)]))
    with redis_server.client() as client:
        [(_, fields)] = client.xrange("klvrelay:uav1:telemetry")
    assert float(fields[b"age"]) == orjson.loads(fields[b"payload"])["replayed_s"] > 1e6


async def test_the_state_is_a_hash_of_items_and_loses_those_that_are_gone(redis_server: RedisServer):
    """Text as it is, other values as JSON. What another run left does not stay."""
    with redis_server.client() as client:
        client.hset("klvrelay:uav1:state", "removed_item", "1")
    async with sink_to(redis_server.url, (preset_output("state"),)) as sink:
        await sink.deliver([record(7)])
    with redis_server.client() as client:
        fields = {name.decode(): value.decode() for name, value in client.hgetall("klvrelay:uav1:state").items()}
    assert "removed_item" not in fields
    assert (fields["platform_tail_number"], fields["seq"], fields["boot"]) == ("tail-7", "7", BOOT)
    assert float(fields["platform_heading_angle"]) == pytest.approx(159.974, abs=0.01)
    assert orjson.loads(fields["quality"])["checksum"] == "ok"


async def test_items_are_fields_of_one_hash(redis_server: RedisServer):
    """The preset items: a field for each item that has changed."""
    async with sink_to(redis_server.url, (preset_output("items"),)) as sink:
        await sink.deliver([record(0), record(1)])
    with redis_server.client() as client:
        assert client.keys() == [b"klvrelay:uav1:items"]
        assert client.hget("klvrelay:uav1:items", "platform_tail_number") == b"tail-1"


async def test_a_stream_is_bounded(redis_server: RedisServer):
    """About max_length entries: Redis removes whole nodes of 100."""
    async with sink_to(redis_server.url, max_length=500) as sink:
        for start in range(0, 3000, 500):
            await sink.deliver([record(number) for number in range(start, start + 500)])
    with redis_server.client() as client:
        assert 500 <= client.xlen("klvrelay:uav1:telemetry") < 700


async def test_latest_values_expire_unless_the_relay_refreshes_them(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    """The status of a killed relay expires; a relay that ends removes it."""
    monkeypatch.setattr(redis_streams, "IDLE", 0.02)
    opened: Any = far_end(settings_of(redis_server.url, value_expiry=15))
    await opened.open()
    watching = asyncio.create_task(opened.lost())
    await opened.put(Notice("availability", "uav1", b"online"))
    await opened.put(Notice("status", None, b'{"version":"1"}'))
    with redis_server.client() as client:
        assert client.get("klvrelay:uav1:availability") == b"online"
        assert orjson.loads(client.get("klvrelay:status")) == {"state": "online", "version": "1"}
        assert 10 < client.ttl("klvrelay:uav1:availability") <= 15
        client.flushdb()
        await until(lambda: client.get("klvrelay:uav1:availability") == b"online")
        watching.cancel()
        await asyncio.wait({watching})
        await opened.close()
        assert client.get("klvrelay:status") is None


async def test_the_status_is_removed_also_during_a_refresh(redis_server: RedisServer):
    """A request that is cancelled takes no reply from the next one."""
    opened: Any = far_end(settings_of(redis_server.url))
    await opened.open()
    await opened.put(Notice("status", None, b'{"version":"1"}'))
    putting = asyncio.create_task(opened.put(Notice("link", "uav1", b"{}")))
    await asyncio.sleep(0)
    putting.cancel()
    await asyncio.wait({putting})
    assert putting.cancelled()
    await opened.close()
    with redis_server.client() as client:
        assert client.keys() == [b"klvrelay:uav1:link"]


# ---- refusals ----


async def test_a_key_of_another_type_costs_only_its_own_records(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
):
    """The neighbours in the same pipeline are delivered. The log has the key and a remedy, once."""
    with redis_server.client() as client:
        client.set("klvrelay:uav2:telemetry", "x")
    async with sink_to(redis_server.url) as sink:
        batch = [record(0), record(0, "uav2"), record(1), record(1, "uav2"), record(2)]
        assert await sink.deliver(batch) == Outcome(delivered=3, rejected=2)
    with redis_server.client() as client:
        assert client.xlen("klvrelay:uav1:telemetry") == 3
    [line] = [text for text in caplog.messages if "refused by" in text]
    assert "klvrelay:uav2:telemetry" in line
    assert "another type" in line


async def test_a_hash_that_may_not_be_written_costs_only_itself(redis_server: RedisServer):
    """A transaction is refused as a whole; what follows it in the pipeline is not part of it."""
    with redis_server.client() as client:
        client.acl_setuser("relay", enabled=True, passwords=[f"+{PASSWORD}"], keys=["klvrelay:*:telemetry"],
                           commands=["+xadd", "+ping", "+select", "+multi", "+exec", "+hset", "+del"])  # fmt: skip
    login = {"username": "relay", "password": Secret(PASSWORD)}
    async with sink_to(redis_server.url, (preset_output("state"), *TELEMETRY), **login) as sink:
        assert await sink.deliver([record(0), record(1)]) == Outcome(delivered=2)
    with redis_server.client() as client:
        assert client.keys() == [b"klvrelay:uav1:telemetry"]
        assert client.xlen("klvrelay:uav1:telemetry") == 2


async def test_keys_that_the_acl_forbids_are_refused_one_by_one(redis_server: RedisServer):
    """NOPERM: only records of that stream are counted as refused."""
    with redis_server.client() as client:
        client.acl_setuser("relay", enabled=True, passwords=[f"+{PASSWORD}"], keys=["klvrelay:uav1:*"],
                           commands=["+xadd"])  # fmt: skip
    url = redis_server.url.replace("//", f"//relay:{PASSWORD}@")
    async with sink_to(url) as sink:
        assert await sink.deliver([record(0), record(0, "uav2"), record(1)]) == Outcome(delivered=2, rejected=1)


async def test_records_wait_while_the_memory_of_the_server_is_full(redis_server: RedisServer):
    """Nothing is lost: those before are confirmed, the others are offered again."""
    with redis_server.client() as client:
        async with sink_to(redis_server.url) as sink:
            assert await sink.deliver([record(0)]) == Outcome(delivered=1)
            client.config_set("maxmemory", "1")
            with pytest.raises(SinkDown, match="its memory is full") as full:
                await sink.deliver([record(1), record(2)])
            assert full.value.answered == Outcome()
        client.config_set("maxmemory", "0")
        async with sink_to(redis_server.url) as sink:
            assert await sink.deliver([record(1), record(2)]) == Outcome(delivered=2)
        assert [fields[b"seq"] for _, fields in client.xrange("klvrelay:uav1:telemetry")] == [b"0", b"1", b"2"]


async def test_a_record_that_exceeds_the_largest_argument_is_left_out(redis_server: RedisServer):
    """The server closes the connection; the record before is confirmed, and the one after follows on the next."""
    with redis_server.client() as client:
        client.config_set("proto-max-bulk-len", str(1 << 20))
    large = record(1, raw=platform(1, (59, b"x" * (1 << 20))))
    async with sink_to(redis_server.url) as sink:
        with pytest.raises(SinkDown) as lost:
            await sink.deliver([record(0), large, record(2)])
    assert lost.value.answered == Outcome(delivered=1, left_out=1)


async def test_a_server_that_becomes_a_replica_gets_no_more(redis_server: RedisServer, free_port: int):
    """READONLY: the records wait, and the message says what to do."""
    async with sink_to(redis_server.url) as sink:
        with redis_server.client() as client:
            client.replicaof("127.0.0.1", 1)
        with pytest.raises(SinkDown, match="read-only replica: give the address of the primary"):
            await sink.deliver([record(0)])
    assert "replica: give the address of the primary" in await fault_of(redis_server.url)


async def test_a_server_that_stops_answering_is_noticed_while_idle(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    """Its kernel still accepts bytes."""
    monkeypatch.setattr(redis_streams, "IDLE", 0.02)
    opened: Any = far_end(settings_of(redis_server.url, timeout=0.2))
    await opened.open()
    redis_server.suspend()
    lost = await asyncio.wait_for(opened.lost(), 5)
    await opened.close()
    assert "no longer answers" in str(lost)


# ---- the consumer of the page ----


async def test_the_consumer_of_the_page_reads_every_record_once(
    redis_server: RedisServer, capsys: pytest.CaptureFixture[str]
):
    """Including those that another consumer of the group took and did not confirm."""
    async with sink_to(redis_server.url) as sink:
        await sink.deliver([record(number) for number in range(5)])
        await sink.deliver([record(4)])  # a record that is delivered twice
    with redis_server.client() as client:
        client.xgroup_create("klvrelay:uav1:telemetry", "viewers", id="0")
        client.xreadgroup("viewers", "dead", {"klvrelay:uav1:telemetry": ">"}, count=2)
        exec(compile(consumer(redis_server.port), "docs/redis.md", "exec"), {})
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
