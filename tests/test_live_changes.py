"""Changes of outputs at run time: requests on `set`, their answers, and what is refused."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiomqtt
import orjson
import pytest
from brokers import Heard, Mosquitto, listening, until
from cases import each_case
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from latest_values import Keeping, keeping
from oracle_broker import OracleBroker
from records import record
from test_outputs import at, flight
from test_outputs_mqtt import TELEMETRY, of, seqs, sink_of
from test_relay_mqtt import quick, running, tape  # noqa: F401 (a fixture)

from klvrelay.config.json_request import ERROR_MOST
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.outputs import output_of
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings
from klvrelay.config.settings_file import load
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.relay.build import build_relay, shaper_of
from klvrelay.relay.reload import Reloader, Reloads
from klvrelay.shape.marking import NO_LIMIT
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.budget.left_out import LeftOut
from klvrelay.sinks.mqtt.failover import FailoverSink
from klvrelay.sinks.mqtt.outputs import live_changes
from klvrelay.sinks.mqtt.outputs.change_requests import PAYLOAD_MOST, answer
from klvrelay.sinks.mqtt.outputs.live_changes import LiveChanges
from klvrelay.sinks.mqtt.protocol.connection import Received
from klvrelay.sinks.mqtt.refused.publisher import Publisher

SET, RESULT = "klvrelay/uav1/set", "klvrelay/uav1/set/result"
ALL = ("*.items", "*.exclude", "*.rate", "*.on_change", "*.dead_band", "*.snapshot")
OUTPUTS = ({"preset": "telemetry"}, {"name": "position", "items": ("position",), "exclude": ("sensor_latitude",)})


def shaper(*outputs: dict[str, Any], changeable: Any = ALL) -> Shaper:
    return Shaper([output_of(each) for each in outputs or OUTPUTS], changeable=changeable)


def asked(shaper: Shaper, _stream: str = "uav1", **request: Any) -> dict[str, Any]:
    return answer(shaper, _stream, orjson.dumps(request), 0.0)


def published(shaper: Shaper, *records: Any) -> dict[str, list[dict[str, Any]]]:
    """The documents of each output."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in shaper.configured}
    for each in records:
        for due in shaper.offer(each, 0.0)[0]:
            for payload in due.payloads(0.0):
                found[payload.output.name].append(orjson.loads(payload.data))
    return found


# ---- requests and their answers ----


def test_a_change_is_for_one_output_of_one_stream():
    """The other stream and the other output are as before."""
    changed = shaper()
    result = asked(changed, output="telemetry", items=["slant_range", "platform_tail_number"], id="7")
    assert (result["ok"], result["id"], result["output"]) == (True, "7", "telemetry")
    assert result["values"]["items"] == ["slant_range", "platform_tail_number"]
    usual = published(shaper(), record(0))
    found, other = published(changed, record(0)), published(changed, record(0, "uav2"))
    assert [each["items"] for each in found["telemetry"]] == [{"platform_tail_number": "tail-0"}]
    assert found["position"] == usual["position"]
    assert other["telemetry"][0]["items"] == usual["telemetry"][0]["items"]


def test_changes_add_up_until_a_reset():
    """Each request changes what it names."""
    changed = shaper()
    asked(changed, output="telemetry", rate=2, on_change=True)
    assert asked(changed, output="telemetry", dead_band=True)["ok"]
    values = asked(changed, output="telemetry", snapshot="20s")["values"]
    assert values == {"items": [], "exclude": [], "rate": 2, "on_change": True, "dead_band": True, "snapshot": "20s"}
    assert asked(changed, output="telemetry")["values"] == values, "a request without values asks for them"
    assert asked(changed, output="telemetry", rate=None, on_change=False)["values"]["rate"] is None
    reset = asked(changed, output="telemetry", reset=True)
    assert reset["values"] == asked(shaper(), output="telemetry")["values"]
    assert changed.changes == 0
    assert published(changed, record(0)) == published(shaper(), record(0))


def test_a_change_is_reduced_by_a_budget_like_the_settings():
    """Also one that is made while the outputs are reduced; the result names the values without the reduction."""
    changed = shaper()
    changed.reduce(lambda outputs: [replace(each, items=("platform_tail_number",)) for each in outputs])
    assert asked(changed, output="telemetry", rate=2)["values"]["items"] == []
    changed.reduce(lambda outputs: [None if each.rate else each for each in outputs])
    assert published(changed, record(0))["telemetry"] == []
    assert len(published(changed, record(0, "uav2"))["telemetry"]) == 1
    changed.reduce(list)
    assert published(changed, record(1)) == published(shaper(), record(1))


def test_exclusions_of_the_settings_stay_unless_they_are_replaced():
    """Who may change `items` cannot lift them."""
    values = {"preset": "telemetry", "exclude": ("platform_tail_number",)}
    changed = shaper(values, changeable=("telemetry.items",))
    asked(changed, output="telemetry", items=["platform_*", "!platform_heading_angle"])
    assert asked(changed, output="telemetry", items=["*"])["values"]["exclude"] == ["platform_tail_number"]
    assert "platform_tail_number" not in published(changed, record(0))["telemetry"][0]["items"]
    assert not asked(changed, output="telemetry", exclude=[])["ok"]
    lifted = shaper(values)
    assert asked(lifted, output="telemetry", exclude=[])["values"]["exclude"] == []
    assert "platform_tail_number" in published(lifted, record(0))["telemetry"][0]["items"]


@each_case(
    ("request_", "hint"),
    [({"output": "telemetrie"}, "did you mean telemetry?; outputs that can be changed: telemetry"),
     ({}, "output: must be the name of an output"), ({"output": ["telemetry"]}, "must be the name of an output"),
     ({"output": "telemetry", "rate": 0}, "rate: must be from 0.001 to 1000"),
     ({"output": "telemetry", "rate": True}, "rate: must be a number"),
     ({"output": "telemetry", "items": ["sensor_latitud"]}, "items: no item or group is named 'sensor_latitud'; did"),
     ({"output": "telemetry", "items": ["!*"]}, "items: select no item"),
     ({"output": "telemetry", "items": ["x"] * 101}, "items: must have at most 100 entries"),
     ({"output": "telemetry", "items": ["*a" * 41]}, "items: a text has at most 80 characters"),
     ({"output": "telemetry", "exclude": "*a" * 41}, "exclude: a text has at most 80 characters"),
     ({"output": "telemetry", "items": None}, "items: must be an array of texts"),
     ({"output": "telemetry", "snapshot": 5}, "snapshot: must be a time from"),
     ({"output": "telemetry", "dead_band": True, "on_change": False}, "dead_band: needs on_change = true"),
     ({"output": "telemetry", "topic": "x"}, "topic cannot be changed; allowed: items, exclude, rate, on_change"),
     ({"output": "telemetry", "coarse": 0}, "coarse cannot be changed; allowed: items"),
     ({"output": "telemetry", "max_classification": "SECRET"}, "max_classification cannot be changed; allowed:"),
     ({"output": "telemetry", "unmarked": "pass"}, "unmarked cannot be changed"),
     ({"output": "telemetry", "reset": 1}, "reset: must be true, without other values"),
     ({"output": "telemetry", "reset": True, "rate": 2}, "reset: must be true, without other values"),
     ({"output": "telemetry", "id": 7}, "id: must be a text of at most 200 characters"),
     ({"output": "telemetry", "id": "x" * 201}, "id: must be a text"),
     ({"output": "kept", "on_change": True}, "retain: must be false with on_change"),
     ({"output": "merged", "on_change": True}, "on_change: must be false with preset state"),
     ({"output": "uav9", "rate": 1}, "uav9 does not publish this stream")],
)  # fmt: skip
def test_a_wrong_request_is_refused_and_changes_nothing(request_: dict[str, Any], hint: str):
    """The answer says what is valid."""
    outputs = (
        {"preset": "telemetry"}, {"name": "kept", "retain": True}, {"name": "merged", "preset": "state"},
        {"name": "uav9", "streams": ("uav9",)},
    )  # fmt: skip
    changed = shaper(*outputs)
    found = asked(changed, **request_)
    assert not found["ok"]
    assert hint in found["error"]
    assert changed.changes == 0


def test_only_what_the_settings_allow_can_change():
    """Of each output."""
    changed = shaper(changeable=("pos*.rate", "*.dead_band"))
    assert asked(changed, output="position", rate=2)["ok"]
    refused = asked(changed, output="telemetry", rate=2)
    assert refused["error"] == "rate cannot be changed; allowed: dead_band"
    nothing = shaper(changeable=("position.rate",))
    assert asked(nothing, output="telemetry", rate=2)["error"] == "rate cannot be changed: nothing of this output can"
    assert not asked(nothing, output="telemetry", reset=True)["ok"]


def test_the_number_of_changes_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """Those that exist can still be changed, and be reset."""
    monkeypatch.setattr("klvrelay.sinks.mqtt.outputs.change_requests.CHANGES_MOST", 2)
    changed = shaper()
    assert all(asked(changed, stream, output="telemetry", rate=1)["ok"] for stream in ("a", "b"))
    assert "2 outputs of streams are changed" in asked(changed, "c", output="telemetry", rate=1)["error"]
    assert asked(changed, "a", output="telemetry", rate=3)["ok"]
    assert asked(changed, "a", output="telemetry", reset=True)["ok"]
    assert asked(changed, "c", output="telemetry", rate=1)["ok"]


SCALARS = st.sampled_from((None, True, False, 0, -1, 10**400, 1e400, -0.5)) | st.integers() | st.text(max_size=8)
LISTS = st.lists(SCALARS | st.just([[]]), max_size=3)
JSON = SCALARS | LISTS | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2)
KEYS = st.sampled_from(("output", "id", "reset", *(each[2:] for each in ALL), "topic", "coarse", "limit", "x"))
WORDS = st.sampled_from(("telemetry", "position", "*", "!*", "sensor_*", "vmti", "10s", "[", "[!", "?" * 50, "**" * 30))
REQUESTS = st.dictionaries(KEYS, JSON | WORDS | st.lists(WORDS, max_size=3), max_size=4)


@given(st.binary(max_size=200) | REQUESTS.map(lambda each: json.dumps(each).encode()))
def test_any_payload_has_an_answer_and_lifts_no_limit(payload: bytes):
    """Short, as JSON; topic, markings and grid of every output are as configured, and records are still published."""
    changed = shaper({"preset": "telemetry", "coarse": 100.0, "max_classification": "SECRET", "unmarked": "pass"})
    found = answer(changed, "uav1", payload, 0.0)
    assert isinstance(orjson.loads(orjson.dumps(found)), dict)
    assert len(found.get("error", "")) <= ERROR_MOST
    (usual,) = changed.configured.values()
    for shaped in changed._every:
        output = shaped.output
        assert (output.topic, output.limit, output.coarse, output.qos, output.retain, output.streams) == (
            usual.topic, usual.limit, usual.coarse, usual.qos, usual.retain, usual.streams
        )  # fmt: skip
    published(changed, record(0))


LEVELS = st.text(max_size=30) | st.sampled_from(("uav1", "a/b", "+", ""))


@given(st.lists(st.tuples(LEVELS, st.booleans()), max_size=30))
def test_any_topic_is_taken_only_if_it_is_that_of_requests(seen: list[tuple[str, bool]]):
    """Few wait, each of a stream of the relay, and nothing else is taken from those who read messages too."""

    async def take() -> None:
        levels = {"uav1": "uav1"}
        publisher = Publisher("mqtt://h", lambda answers: None)
        changes = LiveChanges(MqttSettings(host="h"), "b", shaper(), publisher, levels.get)
        for level, is_retained in seen:
            topic = f"klvrelay/{level}/set"
            assert changes._take(Received(topic, b"{}", is_retained)) == ("/" not in level)
            assert not changes._take(Received(f"klvrelay/{level}/sets", b"{}", False))
            assert not changes._take(Received(f"x/{level}/set", b"{}", False))
        assert {stream for stream, _ in changes._waiting} <= {"uav1"}
        assert len(changes._waiting) <= live_changes.BURST

    asyncio.run(take())


def test_a_request_has_at_most_4_kib():
    """One byte more is refused; it is not parsed."""
    request = orjson.dumps({"output": "telemetry", "rate": 2})
    assert answer(shaper(), "uav1", request.ljust(PAYLOAD_MOST), 0.0)["ok"]
    assert answer(shaper(), "uav1", request.ljust(PAYLOAD_MOST + 1), 0.0)["error"] == "a request has at most 4096 bytes"


def test_a_changed_output_begins_with_a_full_record():
    """And no value that is now excluded remains in a merged state."""
    changed = shaper({"preset": "telemetry", "on_change": True}, {"preset": "state", "rate": 1000})
    records = flight(6, 3)
    first = published(changed, *records[:3])["telemetry"]
    assert {each["full"] for each in first[1:]} == {not first[0]["full"]} == {False}
    asked(changed, output="telemetry", exclude=["platform_heading_angle"])
    asked(changed, output="state", exclude=["platform_heading_angle"])
    found = published(changed, *records[3:])
    assert [each["full"] for each in found["telemetry"][:2]] == [True, False]
    assert "platform_heading_angle" in records[3].items
    assert all("platform_heading_angle" not in each["items"] for each in (*found["telemetry"], *found["state"]))
    asked(changed, output="telemetry", reset=True)
    assert published(changed, flight(7, 3)[6])["telemetry"][0]["full"]


def test_what_is_held_is_published_by_the_changed_output():
    """The last record before a pause, and what is retained, as it is now wanted."""
    changed = shaper({"preset": "telemetry", "rate": 1}, {"preset": "state"})
    published(changed, at(0, 0.0), at(1, 0.001))
    asked(changed, output="telemetry", items=["platform_tail_number"])
    asked(changed, output="state", items=["platform_tail_number"])
    late = [payload for due in changed.take_late(100.0) for payload in due.payloads(100.0)]
    assert {payload.output.name for payload in late} == {"telemetry", "state"}
    documents = [orjson.loads(payload.data) for payload in late]
    assert [(each["seq"], [*each["items"]]) for each in documents] == [(1, ["platform_tail_number"])] * 2
    assert not changed.holds


# ---- settings ----

FILE = """
[[sink]]
url = "mqtt://h"
set = {set}
[[sink.output]]
name = "position"
[[sink.output]]
name = "packets"
format = "klv"
[[source]]
url = "udp://:5000"
"""


def test_the_setting_allows_patterns_of_outputs(tmp_path: Path):
    """One text or several."""
    path = tmp_path / "relay.toml"
    path.write_text(FILE.format(set='["pos*.rate", "packets.rate"]'))
    assert load(path).sinks[0].set == ("pos*.rate", "packets.rate")
    path.write_text(FILE.format(set='"*.items"'))
    assert shaper_of(load(path).sinks[0]).changeable == ("*.items",)
    assert load(path).sinks[0].set == ("*.items",)


@pytest.mark.parametrize(
    ("value", "hint"),
    [('["telemetry.rate"]', "telemetry.rate matches no output; outputs: position, packets"),
     ('["position.topic"]', "position.topic: must be an output, a dot, and one of items, exclude, rate"),
     ('["position.coarse"]', "must be an output, a dot"), ('["*.max_classification"]', "must be an output, a dot"),
     ('["*.*"]', "wildcards are for the output only: name each setting, such as *.rate"),
     ('["p.*"]', "p.*: wildcards are for the output only: name each setting, such as p.rate"),
     ('["positon.rate"]', "positon.rate matches no output; did you mean position?; outputs: position, packets"),
     ('["rate"]', "must be an output, a dot"),
     ('["position.rat"]', "did you mean rate?"), ("7", "must be an array of texts")],
)  # fmt: skip
def test_a_wrong_setting_is_refused(value: str, hint: str, tmp_path: Path):
    path = tmp_path / "relay.toml"
    path.write_text(FILE.format(set=value))
    with pytest.raises(ConfigError, match=r"set") as found:
        load(path)
    assert hint in str(found.value)


def test_without_the_setting_nothing_is_shaped():
    """The fast path of a sink without outputs remains."""
    assert shaper_of(of(1883)) is None
    assert shaper_of(SinkSettings("mqtt", of(1883).mqtt, set=("telemetry.rate",))) is not None


# ---- brokers ----


def changeable(port: int, *outputs: dict[str, Any], set: Any = ALL, **mqtt: Any) -> SinkSettings:
    made = of(port, *outputs, **mqtt)
    return SinkSettings("mqtt", made.mqtt, outputs=made.outputs, limit=made.limit, batch=made.batch, set=set)


@contextlib.asynccontextmanager
async def serving(settings: SinkSettings, *streams: str) -> AsyncIterator[Keeping]:
    """A connected sink that knows the streams."""
    async with sink_of(settings) as sink, keeping(sink) as keep:
        await keep.publish(*(Notice("availability", stream, b"online") for stream in streams or ("uav1",)))
        yield keep


async def send(
    port: int, payload: Any, topic: str = SET, *, retain: bool = False, username: str | None = None
) -> None:
    """With MQTT 3.1.1, which every broker of the tests supports."""
    version = aiomqtt.ProtocolVersion.V311
    async with aiomqtt.Client("127.0.0.1", port, username=username, protocol=version) as client:
        data = payload if isinstance(payload, bytes) else orjson.dumps(payload)
        await client.publish(topic, data, 1, retain)


async def answered_with(port: int, payload: Any, heard: Heard, username: str | None = None) -> dict[str, Any]:
    """Send a request until it is answered: the relay may not have subscribed yet."""
    before = len(heard.on(RESULT))
    for _ in range(100):
        await send(port, payload, username=username)
        with contextlib.suppress(AssertionError):
            await until(lambda: len(heard.on(RESULT)) > before, within=0.2)
            return dict(orjson.loads(heard.on(RESULT)[before]))
    raise AssertionError("no answer")


@pytest.mark.parametrize("client", ["native", "aiomqtt"])
@pytest.mark.parametrize("protocol", [5, 4])
async def test_a_subscriber_changes_an_output_of_a_running_relay(
    real_broker: Any, client: Any, protocol: int
):
    """The whole way: the answer, the records that follow it, and a reset."""
    settings = changeable(real_broker.port, {"preset": "telemetry"}, protocol=protocol, client=client)
    source = SourceSettings(Url.parse(ROOT / "samples" / "orbit.ts"), stream="uav1", speed=1.0, loop=True)
    pipeline = build_relay(RelaySettings((source,), (settings,)))
    async with listening(real_broker.port, "klvrelay/#", protocol=4) as heard, running(pipeline):
        request = {"output": "telemetry", "items": ["slant_range"], "id": "a-1"}
        found = await answered_with(real_broker.port, request, heard)
        assert (found["ok"], found["id"], found["values"]["items"]) == (True, "a-1", ["slant_range"])

        def last() -> set[str]:
            return set(orjson.loads(heard.on(TELEMETRY)[-1])["items"])

        await until(lambda: last() == {"slant_range"})
        await answered_with(real_broker.port, {"output": "telemetry", "reset": True}, heard)
        await until(lambda: last() > {"slant_range", "sensor_latitude"})
    (result,) = [message for message in heard.messages if str(message.topic) == RESULT][:1]
    assert (result.retain, result.qos) == (False, 1)


async def test_an_answer_has_the_quality_of_the_sink_and_describes_itself(oracle: OracleBroker):
    """JSON, with the user properties of its stream; not retained."""
    async with serving(changeable(oracle.port, qos=2)), listening(oracle.port, "klvrelay/#", protocol=4) as heard:
        await answered_with(oracle.port, {"output": "telemetry", "rate": 2}, heard)
    result = next(message for message in oracle.published if message.topic == RESULT)
    assert (result.qos, result.retain, result.properties[0x03]) == (2, False, "application/json")
    assert dict(result.user)["stream"] == "uav1"


async def test_what_is_not_a_request_of_a_stream_is_ignored(
    oracle: OracleBroker, caplog: pytest.LogCaptureFixture
):
    """An unknown stream, wherever it is; each kind is logged once, and what is logged is short and printable."""
    caplog.set_level(logging.INFO, "klvrelay")
    settings = changeable(oracle.port)
    async with serving(settings, "uav1"), listening(oracle.port, "klvrelay/#", protocol=4) as heard:
        await answered_with(oracle.port, {"output": "telemetry"}, heard)
        for topic in ("klvrelay/uav2/set", "klvrelay/uav3/set", "klvrelay//set", "klvrelay/\x1b[2J/set"):
            await send(oracle.port, {"output": "telemetry", "rate": 1}, topic)
        for payload in (b"", b"{", b"\xff" * 100, b"[]", b" " * 5000):
            await asyncio.sleep(0.6)
            await send(oracle.port, payload)
        await until(lambda: len(heard.on(RESULT)) == 6)
    errors = [orjson.loads(payload) for payload in heard.on(RESULT)[1:]]
    assert all(not each["ok"] and "a request" in each["error"] for each in errors)
    topics = {str(message.topic) for message in heard.messages if str(message.topic).endswith("result")}
    assert topics == {RESULT}
    ignored = [each.getMessage() for each in caplog.records if "outputs not changed" in each.getMessage()]
    assert len(ignored) == 1
    assert "no stream of this name" in ignored[0]
    assert not any("output changed" in each.getMessage() for each in caplog.records), "nothing was"


async def test_a_flood_of_requests_is_bounded(oracle: OracleBroker, caplog: pytest.LogCaptureFixture):
    """Few are read and answered, one line is logged, and the records flow."""
    async with (
        serving(changeable(oracle.port)) as keep,
        listening(oracle.port, "klvrelay/#", protocol=4) as heard,
        aiomqtt.Client("127.0.0.1", oracle.port) as client,
    ):
        await answered_with(oracle.port, {"output": "telemetry"}, heard)
        begin = asyncio.get_running_loop().time()
        for _ in range(2000):
            await client.publish(SET, b'{"output":"telemetry","rate":5}', 0)
        await client.publish("klvrelay/uav1/other", b"", 1)
        assert (await keep.sink.deliver([record(0)])).delivered == 1
        await until(lambda: sum("more than 2 requests" in each.getMessage() for each in caplog.records) == 1)
        spent = asyncio.get_running_loop().time() - begin
        assert len(heard.on(RESULT)) <= live_changes.BURST + live_changes.RATE * spent + 2
    assert sum("outputs not changed" in each.getMessage() for each in caplog.records) == 1


@pytest.mark.needs("mosquitto")
async def test_a_retained_request_is_ignored(mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture):
    """It would be applied again at each connection, long after it was sent."""
    await send(mosquitto.port, {"output": "telemetry", "rate": 1}, retain=True)
    async with listening(mosquitto.port, RESULT) as heard, serving(changeable(mosquitto.port)) as keep:
        await until(lambda: any("a retained request" in each.getMessage() for each in caplog.records))
        found = await answered_with(mosquitto.port, {"output": "telemetry"}, heard)
        assert found["values"]["rate"] is None
        assert keep.sink.shaper.changes == 0


ACL = """\
persistence true
allow_anonymous true
listener 1883 127.0.0.1
acl_file {home}/acl
"""


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if "outputs not changed" in each.getMessage()]


@pytest.mark.parametrize("protocol", [5, 4])
@pytest.mark.needs("mosquitto")
async def test_an_access_list_decides_who_may_change_outputs(mosquitto: Mosquitto, tmp_path: Path, protocol: int):
    """mosquitto discards the request of a client that may not write it; the records flow."""
    (tmp_path / "acl").write_text("topic read #\ntopic write klvrelay/+/telemetry\nuser pilot\ntopic readwrite #\n")
    await mosquitto.stop()
    mosquitto.configure(ACL.format(home=tmp_path))
    await mosquitto.start()
    settings = changeable(mosquitto.port, protocol=protocol, username="pilot")
    async with serving(settings) as keep, listening(mosquitto.port, "klvrelay/#") as heard:
        await asyncio.sleep(0.2)
        await send(mosquitto.port, {"output": "telemetry", "rate": 1})
        found = await answered_with(mosquitto.port, {"output": "telemetry"}, heard, username="pilot")
        assert found["values"]["rate"] is None
        assert len(heard.on(RESULT)) == 1
        assert (await keep.sink.deliver([record(0)])).delivered == 1


@pytest.mark.parametrize("protocol", [5, 4])
@pytest.mark.parametrize("client", ["native", "aiomqtt"])
async def test_a_refused_subscription_is_logged_once_and_records_flow(
    oracle: OracleBroker, protocol: int, client: Any, caplog: pytest.LogCaptureFixture
):
    """Over several connections."""
    oracle.manners.subscribe = 0x87 if protocol == 5 else 0x80
    sink = sink_of(changeable(oracle.port, protocol=protocol, client=client))
    for seq in range(3):
        before = oracle.subscriptions.count("klvrelay/+/set")
        async with sink, keeping(sink) as keep:
            await until(lambda before=before: oracle.subscriptions.count("klvrelay/+/set") > before)
            await keep.publish(Notice("availability", "uav1", b"online"))
            assert (await sink.deliver([record(seq)])).delivered == 1
            await until(lambda: warned(caplog))
    assert len(warned(caplog)) == 1
    assert "no right to read" in warned(caplog)[0]
    assert "klvrelay/+/set" in warned(caplog)[0]


async def test_a_broker_that_does_not_answer_the_subscription_gets_records(
    oracle: OracleBroker, caplog: pytest.LogCaptureFixture
):
    """The connection stays."""
    oracle.manners.subscribe = -1
    async with serving(changeable(oracle.port, timeout=1.0)) as keep:
        await until(lambda: any("no answer to the subscription" in each.getMessage() for each in caplog.records))
        assert (await keep.sink.deliver([record(0)])).delivered == 1
        assert not keep.task.done()


async def test_a_broker_that_closes_at_the_subscription_is_spared(
    oracle: OracleBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """After three connections it is not asked again; nothing is lost."""
    usual = oracle._subscribe

    def subscribe(guest: Any, body: bytes) -> None:
        if b"/set" in body:
            guest.gone = True
            guest.writer.close()
        else:
            usual(guest, body)

    monkeypatch.setattr(oracle, "_subscribe", subscribe)
    pipeline = build_relay(RelaySettings((tape(tmp_path),), (changeable(oracle.port),)))
    await asyncio.wait_for(pipeline.run(), 20)
    assert {*range(150)} == {*seqs(oracle.payloads(TELEMETRY))}
    assert len(oracle.guests) <= live_changes.LOSSES_MOST + 2


@pytest.mark.parametrize(("client", "qos"), [("native", 1), ("native", 2), ("aiomqtt", 1)])
async def test_a_change_holds_over_a_new_connection(oracle: OracleBroker, client: Any, qos: int):
    """The relay subscribes again; a session of QoS 2 may still have the subscription."""
    sink = sink_of(changeable(oracle.port, client=client, qos=qos))
    for turn in range(3):
        async with (
            sink, keeping(sink) as keep, listening(oracle.port, "klvrelay/#", protocol=4) as heard
        ):  # fmt: skip
            await keep.publish(Notice("availability", "uav1", b"online"))
            request = {"output": "telemetry"} | ({"rate": 3} if turn == 0 else {})
            assert (await answered_with(oracle.port, request, heard))["values"]["rate"] == 3
            oracle.cut()


async def test_a_change_holds_at_another_broker(oracle: OracleBroker):
    """The outputs of a list of brokers are the same; a subscriber of the other one sees and resets it."""
    async with OracleBroker() as spare:
        settings = changeable(oracle.port)
        sink = FailoverSink([settings.mqtt, of(spare.port).mqtt], boot="b", shaper=shaper_of(settings))
        for each in (oracle, spare):
            async with (
                sink, keeping(sink) as keep, listening(each.port, "klvrelay/#", protocol=4) as heard  # type: ignore[arg-type]
            ):  # fmt: skip
                keep.notices.put(Notice("availability", "uav1", b"online"))
                request = {"output": "telemetry"} | ({"rate": 3} if each is oracle else {})
                assert (await answered_with(each.port, request, heard))["values"]["rate"] == 3
                if each is oracle:
                    await oracle.stop()
                    await asyncio.gather(keep.task, return_exceptions=True)


@pytest.mark.parametrize("is_changed", [True, False])
async def test_a_reload_ends_the_changes(oracle: OracleBroker, tmp_path: Path, is_changed: bool):
    """Whether the sink has other settings or not."""
    source = tape(tmp_path, speed=1.0, loop=True)
    old = RelaySettings((source,), (changeable(oracle.port, {"preset": "telemetry"}),))
    new = RelaySettings((source,), (changeable(oracle.port, {"preset": "telemetry", "qos": 0}),)) if is_changed else old
    pipeline = build_relay(old)
    async with running(pipeline), listening(oracle.port, RESULT, protocol=4) as heard:
        await answered_with(oracle.port, {"output": "telemetry", "rate": 3}, heard)
        await Reloader(pipeline, old, Reloads(lambda: (new, {}))).reload()
        values = (await answered_with(oracle.port, {"output": "telemetry"}, heard))["values"]
        assert values["rate"] is None


def test_what_a_changed_output_leaves_out_still_follows_later():
    """With a budget, its records do not count as whole ones."""
    changed = shaper({"preset": "telemetry"})
    (usual,) = changed.configured.values()
    left_out = LeftOut(usual, NO_LIMIT, "exact")
    assert left_out.has_whole(changed.offer(record(0), 0.0)[0][0].shaped)
    asked(changed, output="telemetry", items=["platform_tail_number"])
    assert not left_out.has_whole(changed.offer(record(1), 0.0)[0][0].shaped)
    assert left_out.has_whole(changed.offer(record(1, "uav2"), 0.0)[0][0].shaped)
