"""The live table: the content of each row; no text from an aircraft or a broker controls the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import sys
from datetime import UTC, datetime

import orjson
import pytest
from brokers import until
from cases import each_case
from hypothesis import given, settings
from hypothesis import strategies as st
from latest_values import publish
from records import BOOT, record, spoilt
from reference_output import ReferenceOutput
from rich.console import Console

from klvrelay.cli.verbs.stream_table import LONG_OFFLINE, SETTLED, StreamTable, sanitize
from klvrelay.cli.verbs.watch import line, table, watch
from klvrelay.config.choice import chosen
from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown
from klvrelay.shape.encoding.compression import Compressor
from klvrelay.shape.encoding.dictionary import DictionaryTrainer
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import Message, Received
from klvrelay.sinks.mqtt.sink import MqttSink

WALL = 1_800_000_000.0

ITEMS = {
    "sensor_latitude": 34.72136412,
    "sensor_longitude": -86.6900453,
    "sensor_true_altitude": 3047.84,
    "platform_heading_angle": 159.974,
    "platform_pitch_angle": 0.4315,
    "platform_roll_angle": -3.405,
    "sensor_relative_azimuth_angle": 283.49645992,
    "sensor_relative_elevation_angle": -43.06143563,
    "sensor_horizontal_field_of_view": 13.005,
}


def said(leaf, items=None, stream="uav1", retained=False, **head):
    document = {"set": "ST0601", "items": ITEMS if items is None else items, **head}
    return Received(f"kr/{stream}/{leaf}", orjson.dumps(document), retained)


def board_of(*messages, now=100.0):
    board = StreamTable("kr")
    for message in messages:
        board.take(message, now, WALL)
    return board


def row_of(*messages, now=100.0):
    (row,) = board_of(*messages, now=now).rows(now)
    return row


def shown(rows, width=200):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(table(rows, width))
    return console.file.getvalue()


def test_a_row_shows_where_the_aircraft_and_its_sensor_point():
    """Position to a tenth of a metre, angles to a hundredth of a degree."""
    row = row_of(Received("kr/uav1/availability", b"online", True), said("telemetry"))

    assert (row["stream"], row["state"], row["set"]) == ("uav1", "online", "ST0601")
    assert (row["lat"], row["lon"], row["alt"]) == ("34.721364", "-86.690045", "3047.8")
    assert (row["heading"], row["pitch"], row["roll"]) == ("159.97", "0.43", "-3.40")
    assert (row["azimuth"], row["elevation"], row["fov"]) == ("283.50", "-43.06", "13.01")


def test_an_unknown_value_is_a_dash_and_the_last_value_stays():
    """Senders omit items; a null removes a value."""
    row = row_of(said("telemetry"), said("telemetry", {"sensor_latitude": None, "platform_roll_angle": 1}))

    assert (row["lat"], row["roll"], row["pitch"]) == ("-", "1.00", "0.43")
    assert row_of(Received("kr/uav1/availability", b"online", True))["lat"] == "-"


def test_the_full_angles_and_the_ellipsoid_height_are_used_instead():
    """Items 90, 91, 104 and 75 where 6, 7 and 15 are not sent."""
    row = row_of(said("telemetry", {"platform_pitch_angle_full": 95.5, "sensor_ellipsoid_height": 12.0}))

    assert (row["pitch"], row["alt"]) == ("95.50", "12.0")


def test_rate_and_age_are_measured_here():
    """Records a second over the last five, seconds since the last one."""
    board = StreamTable("kr")
    for n in range(300):
        board.take(said("telemetry"), 100 + n / 30, WALL)

    (row,) = board.rows(110.5)
    assert row["rate"] == "27.0"
    assert row["age"] == "0.5"
    (row,) = board.rows(130.0)
    assert (row["rate"], row["age"]) == ("0.0", "20.0")


def lead_times(**sinks):
    keys = ("p50_ms", "p95_ms", "p99_ms")
    found = {name: {"last_minute": dict(zip(keys, quantiles, strict=True))} for name, quantiles in sinks.items()}
    return Received("kr/uav1/health", orjson.dumps({"lead_time": found}), True)


def test_the_lead_time_is_that_of_the_slowest_sink():
    """Half, 95 % and 99 % of the records of the last minute, in milliseconds."""
    assert row_of(lead_times(mqtt=(0.351, 1.2, 14.71)))["lead"] == "0.351/1.2/14.7"
    assert row_of(lead_times(mqtt=(1, 2, 3), redis=(0.5, 0.6, 30), idle=(None, None, None)))["lead"] == "0.5/0.6/30"
    assert row_of(lead_times(idle=(None, None, None)))["lead"] == "-"


FIGURES = {"p50_ms": 1, "p95_ms": 2, "p99_ms": 3}


@each_case(
    "lead_time",
    [
        *(None, 5, [], {}, {"a": 5}, {"a": [1]}, {"a": {}}, {"a": {"last_minute": 5}}, {"a": {"last_minute": {}}}),
        *({"a": {"last_minute": {**FIGURES, "p99_ms": bad}}} for bad in ("\x1b[2J", True, None, -1, 1e300, "3")),
    ],
)
def test_a_health_of_another_form_shows_no_lead_time(lead_time):
    """It may be that of another version, or of another program."""
    assert row_of(Received("kr/uav1/health", orjson.dumps({"lead_time": lead_time}), True))["lead"] == "-"


def test_a_health_that_is_deleted_has_no_lead_time():
    """Its other values stay."""
    deleted = Received("kr/uav1/health", b"", False)
    online = Received("kr/uav1/availability", b"online", True)
    row = row_of(online, lead_times(mqtt=(1, 2, 3)), deleted)
    assert (row["state"], row["lead"]) == ("online", "-")


def test_the_first_table_is_the_retained_state_with_its_true_age():
    """Before the first live record: the retained values, and their age."""
    row = row_of(said("state", retained=True, received="2027-01-15T07:59:50.000000Z"))

    assert (row["lat"], row["age"], row["rate"]) == ("34.721364", "10.0", "0.0")


def test_rejected_records_and_unreadable_ones_are_counted_as_bad():
    """Their items are not shown."""
    row = row_of(
        said("telemetry", {}),
        said("rejected", {"sensor_latitude": 1.0}),
        Received("kr/uav1/telemetry", b"\xff{", False),
        Received("kr/uav1/telemetry", b"[1]", False),
        Received("kr/uav1/telemetry", b'{"items": 3}', False),
    )

    assert (row["bad"], row["lat"]) == ("5", "-")


def test_an_offline_relay_makes_its_streams_offline():
    """The last will applies to all of them; telemetry cannot be current then."""
    online = Received("kr/uav1/availability", b"online", True)
    gone = Received("kr/status", b'{"state":"offline","reason":"lost"}', True)
    back = Received("kr/status", b'{"state":"online"}', True)

    assert row_of(online, gone)["state"] == "offline"
    assert row_of(online, gone, back)["state"] == "online"


def test_the_state_is_the_links_where_it_is_known():
    """`stale` is more specific than `offline`; an invalid report changes nothing."""
    offline = Received("kr/uav1/availability", b"offline", True)
    stale = Received("kr/uav1/link", b'{"schema":"klvrelay/link/1","state":"stale"}', True)

    assert row_of(stale, offline)["state"] == "stale"
    assert row_of(offline, Received("kr/uav1/link", b"{", True))["state"] == "offline"


@pytest.mark.parametrize(
    "topic", ["kr/uav1/raw", "kr/uav1", "kr", "other/uav1/telemetry", "kr/a/b/telemetry", "kr/uav1/telemetry/x"]
)
def test_other_topics_make_no_row(topic):
    """Only the four of a stream."""
    assert board_of(Received(topic, b"{}", False)).rows(0) == []


def test_a_flood_of_names_is_bounded():
    """A thousand rows are enough for any screen."""
    board = board_of(*(said("telemetry", stream=f"s{n}") for n in range(1500)))

    assert len(board.rows(100.0)) == 1000


def test_rows_are_sorted_by_name_and_a_narrow_terminal_gets_fewer_columns():
    """All columns from 120 characters on; below that, the nine most important ones."""
    rows = board_of(said("telemetry", stream="b"), said("telemetry", stream="a")).rows(100.0)
    wide, narrow = shown(rows, 160), shown(rows, 80)

    assert [text.split()[0] for text in wide.splitlines()[1:]] == ["a", "b"]
    assert "elevation" in wide
    assert "elevation" not in narrow
    assert "34.721364" in narrow
    assert max(len(text.rstrip()) for text in narrow.splitlines()) <= 80


def test_a_line_is_plain_key_value_text():
    """For pipes and logs."""
    text = line(row_of(Received("kr/uav1/availability", b"online", True), said("telemetry")))

    assert text.startswith("uav1 online lat=34.721364 lon=-86.690045 alt=3047.8 heading=159.97 pitch=0.43")
    assert text.endswith("fov=13.01 set=ST0601 rate=1.0 age=0.0 bad=0 lead=-")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_no_text_can_control_the_terminal(text):
    """Escape sequences, line ends, bell, bidi overrides: any cell is short and printable."""
    assert sanitize(text).isprintable()
    assert len(sanitize(text)) <= 48


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.binary(max_size=40), st.one_of(st.text(), st.floats(), st.none(), st.booleans()))
def test_hostile_messages_leave_rows_printable(name, payload, value):
    """In the topic, the payload and every displayed item."""
    board = board_of(
        Received(f"kr/{name}/availability", payload, False),
        Received(f"kr/{name}/telemetry", payload, False),
        said("telemetry", dict.fromkeys(ITEMS, value), stream=name, set=name),
    )

    for row in board.rows(100.0):
        assert all(cell.isprintable() and len(cell) <= 48 for cell in row.values())
    assert "\x1b" not in shown(board.rows(100.0))


def test_markup_in_a_name_is_shown_as_text():
    """Square brackets are text."""
    assert "[red]x" in shown(board_of(said("telemetry", stream="[red]x")).rows(100.0))


ONLINE = Received("kr/uav1/availability", b"online", True)


def deleted(*leaves, stream="uav1"):
    return [Received(f"kr/{stream}/{leaf}", b"", False) for leaf in leaves]


def test_a_stream_whose_retained_topics_are_deleted_is_dropped():
    """With the last of them, in whatever order; a deletion makes no row for an unknown stream."""
    known = [ONLINE, Received("kr/uav1/link", b'{"state":"live"}', True), said("state", retained=True)]
    board = board_of(*known, *deleted("availability", "state"))
    assert [(row["state"], row["lat"]) for row in board.rows(100.0)] == [("live", "-")]
    for message in deleted("link", "availability", "state"):
        board.take(message, 100.0, WALL)
    assert board.rows(100.0) == []


def test_topics_deleted_while_the_connection_was_lost_are_dropped():
    """Seconds after the new subscription, when a broker has sent all its retained messages; the rest stays."""
    board = board_of(ONLINE, Received("kr/uav2/availability", b"online", True))
    board.begin_subscription(200.0)
    board.take(Received("kr/uav2/availability", b"online", True), 200.1, WALL)
    assert [row["stream"] for row in board.rows(200.0 + SETTLED)] == ["uav1", "uav2"]
    assert [row["stream"] for row in board.rows(200.1 + SETTLED)] == ["uav2"]


def offline_for(seconds, **options):
    """A board with a stream whose last record, and last change, were so long ago."""
    board = StreamTable("kr", **options)
    when = datetime.fromtimestamp(WALL - seconds, UTC).isoformat()
    board.take(Received("kr/uav1/availability", b"offline", True), 100.0, WALL)
    board.take(said("state", retained=True, received=when), 100.0, WALL)
    board.take(Received("kr/uav1/link", orjson.dumps({"state": "down", "since": when}), True), 100.0, WALL)
    return board


def test_a_stream_is_shown_offline_for_an_hour():
    """Not a second longer, and the note counts those left out; a selected stream stays."""
    board = offline_for(LONG_OFFLINE - 1)
    assert [row["state"] for row in board.rows(100.0)] == ["down"]
    assert (board.rows(101.5), board.note(101.5)) == ([], "not shown: 1 stream offline for over an hour")
    assert len(offline_for(LONG_OFFLINE + 9, keep=True).rows(100.0)) == 1


def test_a_stream_that_returns_after_a_long_time_is_shown_at_once():
    """Unless its relay has gone offline since, and left its retained topics."""
    board = offline_for(LONG_OFFLINE + 9)
    assert board.rows(100.0) == []
    board.take(ONLINE, 100.0, WALL)
    assert len(board.rows(100.0)) == 1
    board.take(Received("kr/status", b'{"state":"offline"}', True), 100.0, WALL)
    assert board.rows(100.0) == []


def test_a_stream_that_has_just_gone_offline_is_shown_whatever_its_age():
    """The change is recent, though the last record is old."""
    board = offline_for(LONG_OFFLINE + 9)
    board.take(Received("kr/uav1/availability", b"offline", False), 100.0, WALL)
    assert len(board.rows(100.0)) == 1


@pytest.mark.parametrize(
    ("messages", "note"),
    [
        ([], "nothing published yet"),
        ([Received("kr/status", b'{"state":"online"}', True)], "the relay is online, no stream yet"),
        ([Received("kr/status", b'{"state":"off\\u001bline"}', True)], "the relay is off?line, no stream yet"),
        ([ONLINE], ""),
    ],
    ids=["nothing", "relay", "hostile", "stream"],
)  # fmt: skip
def test_it_reports_why_there_is_no_row(messages, note):
    """Nothing published, or a relay without a stream."""
    assert board_of(*messages).note(100.0) == note


@pytest.mark.parametrize(
    ("spool", "note"),
    [
        (b'{"fault":"No space left on device"}', "the spool of the relay has a fault: No space left on device"),
        (b'{"fault":"\\u001b[31m"}', "the spool of the relay has a fault: ?[31m"),
        (b'{"fault":null}', ""),
        (b'"full"', ""),
    ],
)
def test_it_reports_a_fault_of_the_spool(spool: bytes, note: str):
    """Beside the rows, until it ends."""
    board = board_of(ONLINE, Received("kr/status", b'{"state":"online","spool":%s}' % spool, True))
    assert len(board.rows(100.0)) == 1
    assert board.note(100.0) == note
    board.take(Received("kr/status", b'{"state":"online"}', True), 100.0, WALL)
    assert board.note(100.0) == ""


def test_it_reports_that_no_stream_has_the_selected_pid():
    """There are streams, of other PIDs."""
    board = StreamTable("kr", chosen([257], None))
    board.take(said("telemetry", pid=513), 100.0, WALL)
    assert (board.rows(100.0), board.note(100.0)) == ([], "no matching stream yet")


FORMS = ("json", "cbor", "msgpack", "klv", "compact")


@pytest.mark.parametrize("form", FORMS)
def test_records_of_any_format_are_shown(form):
    """Partial ones too, from the first full one on; a note says what is missing before."""
    output = ReferenceOutput(form, 4)
    messages = [Received("kr/uav1/telemetry", output.message([record(seq)]), False) for seq in range(5)]
    board = board_of(ONLINE, messages[1], messages[2])
    assert (board.rows(100.0)[0]["heading"], board.note(100.0)) == ("-", "uav1 waits for a full record")

    board.take(messages[4], 100.0, WALL)
    row = board.rows(100.0)[0]
    assert (row["heading"], row["rate"], row["bad"], board.note(100.0)) == ("159.97", "1.0", "0", "")


def test_compressed_records_wait_for_their_dictionary():
    """It is retained, so it normally comes first."""
    trainer = DictionaryTrainer()
    for seq in range(100):
        trainer.add(record(seq).json())
    dictionary = trainer.train()
    frame = Received("kr/uav1/telemetry", Compressor(dictionary).compress(record(200).json()), False)

    board = board_of(ONLINE, frame)
    assert re.fullmatch(r"uav1 waits for dictionary \d+", board.note(100.0))
    board.take(Received("kr/uav1/dictionary", dictionary, True), 100.0, WALL)
    assert board.rows(100.0)[0]["heading"] == "-"
    board.take(frame, 100.0, WALL)
    row = board.rows(100.0)[0]
    assert (row["heading"], row["bad"], board.note(100.0)) == ("159.97", "0", "")

    board.take(Received("kr/uav1/dictionary", b"none", True), 100.0, WALL)
    assert board.rows(100.0)[0]["bad"] == "1"


def test_the_note_names_few_of_many_streams_that_wait():
    """Three, and the number of the others; one that is removed is not named."""
    output = ReferenceOutput("compact", 9)
    output.message([record(0)])
    partial = output.message([record(1)])
    board = board_of(*(Received(f"kr/uav{n}/telemetry", partial, False) for n in range(5)))
    assert board.note(100.0).endswith("uav1 waits for a full record, uav2 waits for a full record and 2 more")

    board.begin_subscription(200.0)
    board.rows(201.0 + SETTLED)
    assert board.note(201.0 + SETTLED) == "nothing published yet"


def test_other_outputs_are_shown_instead():
    """By the last level of their topics; each output has its own records."""
    board = StreamTable("kr", outputs=("position", "attitude"))
    one, two = ReferenceOutput("compact", 9), ReferenceOutput("compact", 9)
    for seq in range(4):
        board.take(Received("kr/uav1/telemetry", b"{", False), 100.0, WALL)
        board.take(Received("kr/uav1/position", one.message([record(seq)]), False), 100.0, WALL)
        board.take(Received("kr/uav1/attitude", two.message([record(seq)]), False), 100.0, WALL)

    row = board.rows(100.0)[0]
    assert (row["rate"], row["bad"], board.note(100.0)) == ("8.0", "0", "")


def test_a_missing_package_is_named(monkeypatch):
    """Once, below the rows."""
    monkeypatch.setitem(sys.modules, "msgpack", None)
    board = board_of(ONLINE, Received("kr/uav1/telemetry", ReferenceOutput("msgpack").message([record(1)]), False))

    assert board.note(100.0) == "MessagePack needs the package msgpack: pip install 'klvrelay[msgpack]'"
    assert board.rows(100.0)[0]["bad"] == "0"


@contextlib.asynccontextmanager
async def watching(broker, stream=None, terminal=False, **settings):
    """`watch` on a console in memory; yields its output so far."""
    out = io.StringIO()
    console = Console(file=out, width=160, height=40, force_terminal=terminal)
    task = asyncio.create_task(
        watch(MqttSettings.from_url(broker.url, **settings), stream, console=console), name="watching"
    )
    try:
        yield out, task
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture(autouse=True)
def brisk(monkeypatch):
    """No test waits a second for a line."""
    monkeypatch.setattr("klvrelay.cli.verbs.watch.PLAIN_INTERVAL", 0.02)
    monkeypatch.setattr("klvrelay.cli.verbs.watch.REFRESH", 0.02)
    monkeypatch.setattr("klvrelay.cli.verbs.watch.FIRST_PAUSE", 0.02)


@pytest.mark.parametrize("terminal", [False, True])
async def test_it_shows_what_a_sink_publishes(real_broker, terminal):
    """Live, from a real sink through mosquitto: the stream, its state, its heading and its bad records."""
    async with MqttSink(MqttSettings.from_url(real_broker.url), boot=BOOT) as sink:
        await publish(sink, Notice("availability", "uav1", b"online"))
        async with watching(real_broker, terminal=terminal) as (out, _):
            await until(lambda: "online" in out.getvalue())
            await sink.deliver([record(0), record(1), spoilt(2)])
            await until(lambda: re.search(r"uav1.*online.*159\.97.*1 \s*(lead=)?-\s*$", out.getvalue(), re.M))

    assert ("\x1b" in out.getvalue()) is terminal


@pytest.mark.parametrize("terminal", [False, True])
async def test_it_reports_at_once_that_there_is_nothing_yet(embedded, terminal, capsys):
    """On the terminal, or on standard error beside the lines, once."""
    said_so = ""

    def saying():
        nonlocal said_so
        said_so += capsys.readouterr().err
        return "nothing published yet" in said_so + out.getvalue()

    async with watching(embedded, terminal=terminal) as (out, _):
        await until(saying)
        async with MqttSink(MqttSettings.from_url(embedded.url), boot=BOOT) as sink:
            await publish(sink, Notice("availability", "uav1", b"online"))
            await until(lambda: "uav1" in out.getvalue())

    assert (said_so + capsys.readouterr().err).count("nothing published") == (not terminal)


async def test_a_row_is_removed_when_its_topics_are_deleted(real_broker):
    """As `mosquitto_sub --remove-retained` deletes them."""
    async with MqttSink(MqttSettings.from_url(real_broker.url), boot=BOOT) as sink:
        for stream in ("uav1", "uav2"):
            await publish(sink, Notice("availability", stream, b"online"))
        async with watching(real_broker) as (out, _):
            await until(lambda: "uav1 online" in out.getvalue() and "uav2 online" in out.getvalue())
            connection = await connect(MqttSettings.from_url(real_broker.url), client_id="cleaner")
            await connection.publish([Message("klvrelay/uav1/availability", b"", retain=True)])
            await connection.close()
            await until(lambda: re.fullmatch(r"(uav2 online .*\n){3}", "".join(out.getvalue().splitlines(True)[-3:])))


async def test_one_stream_can_be_selected(embedded):
    """The others are not even subscribed to."""
    async with MqttSink(MqttSettings.from_url(embedded.url), boot=BOOT) as sink:
        await publish(sink, Notice("availability", "uav1", b"online"))
        await publish(sink, Notice("availability", "uav2", b"online"))
        async with watching(embedded, "uav2") as (out, _):
            await until(lambda: out.getvalue().count("uav2") > 3)

    assert "uav1" not in out.getvalue()


async def test_a_lost_connection_is_reported_once_and_recovers(oracle, capsys):
    """However many attempts it takes: one line at the loss, one at the recovery, on stderr."""
    async with watching(oracle) as (_, task):
        await until(lambda: len(oracle.guests) == 1 and len(oracle.guests[0].filters) == 8)
        await oracle.stop()
        await until(lambda: "reconnecting" in capsys.readouterr().err)
        await asyncio.wait({task}, timeout=0.15)
        await oracle.start()
        await until(lambda: len(oracle.guests) > 1 and len(oracle.guests[-1].filters) == 8)
        assert not task.done()

    assert capsys.readouterr().err.count("reconnected") == 1


async def test_an_unreachable_broker_is_an_error_at_once(free_port):
    """The first connection is not retried: a mistyped port must be visible."""
    with pytest.raises(SinkDown, match="check that a broker is running"):
        await watch(MqttSettings(host="127.0.0.1", port=free_port))


@pytest.mark.parametrize("terminal", [False, True])
async def test_ctrl_c_ends_it_cleanly(embedded, terminal):
    """Cancelled, it shows the terminal's cursor again, and leaves no connection, task or thread."""
    async with watching(embedded, terminal=terminal) as (out, task):
        await until(lambda: out.getvalue() or not terminal)
        task.cancel()
        async with asyncio.timeout(1):
            await asyncio.wait({task})

    assert task.cancelled()
    if terminal:
        assert out.getvalue().rfind("\x1b[?25h") > out.getvalue().rfind("\x1b[?25l")
