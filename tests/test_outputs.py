"""What outputs publish of records: which, when, which items, in which form. Without a broker."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import orjson
import pytest
from cases import each_case
from hypothesis import given
from hypothesis import strategies as st
from output_reader import Reader
from records import TIME_US, packet, platform, record, security, spoilt, targets

import klvrelay
from klvrelay.config.outputs import output_of
from klvrelay.errors import ConfigError
from klvrelay.record import Record
from klvrelay.shape import items
from klvrelay.shape.encoding.formats import message_of
from klvrelay.shape.marking import PIDS_MOST, Limit
from klvrelay.shape.output import Output, matches
from klvrelay.shape.payload import Payload
from klvrelay.shape.rates import Pace
from klvrelay.shape.shaped_output import Decision
from klvrelay.shape.shaper import Shaper
from klvrelay.standards.spec import KEYED


def output(**settings: Any) -> Output:
    return output_of({"name": "out", **settings})


def at(seq: int, seconds: float, **fields: Any) -> Record:
    """A record that arrived so many seconds after the first."""
    return record(seq, received_us=TIME_US + round(1e6 * seconds), **fields)


def offered(shaper: Shaper, records: Sequence[Record], now: float = 0.0) -> list[Payload]:
    return [payload for each in records for due in shaper.offer(each, now)[0] for payload in due.payloads(now)]


def late(shaper: Shaper, now: float) -> list[Payload]:
    return [payload for due in shaper.take_late(now) for payload in due.payloads(now)]


def documents(payloads: Sequence[Payload]) -> list[Any]:
    return [orjson.loads(payload.data) for payload in payloads]


def seqs(payloads: Sequence[Payload]) -> list[int]:
    return [payload.record.seq for payload in payloads]


def position(seq: int, latitude: int, longitude: int = 5, *more: tuple[int, bytes]) -> Record:
    codes = [(13, struct.pack("!i", latitude)), (14, struct.pack("!i", longitude)), *more]
    return record(seq, raw=platform(seq, *codes), received_us=TIME_US + 33_333 * seq)


# ---- streams and items ----


@pytest.mark.parametrize(
    ("patterns", "wanted"),
    [((), {"a1", "a2", "b"}), (("a*",), {"a1", "a2"}), (("!a1",), {"a2", "b"}), (("a*", "!a1"), {"a2"}),
     (("A*",), set()), (("a[1]", "b"), {"a1", "b"}), (("c",), set())],
)  # fmt: skip
def test_streams_are_chosen_by_patterns(patterns: tuple[str, ...], wanted: set[str]):
    """In the case of the name; an exclusion wins."""
    assert {name for name in ("a1", "a2", "b") if matches(name, patterns)} == wanted


def test_items_are_chosen_by_keys_groups_wildcards_and_exclusions():
    """As in the README of the tables; exclusions alone leave all others."""
    chosen = items.chosen_keys(["position", "platform_*_angle", "unknown", "!sensor_true_altitude"])
    assert {"sensor_latitude", "platform_heading_angle", "platform_pitch_angle", "unknown"} <= chosen
    assert not {"sensor_true_altitude", "slant_range"} & chosen
    others = items.chosen_keys(["!vmti", "!unknown"])
    assert items.keys() - others == items.groups()["vmti"] | {"unknown"}
    assert items.selection_of(["*", "unknown"]) is None, "all items need no selection"


@pytest.mark.parametrize(
    ("expression", "hint"),
    [("positon", "did you mean position?"), ("sensor_latitud", "did you mean sensor_latitude?"),
     ("!positon", "did you mean position?"), ("qqq*", "no item matches 'qqq*'"), ("zzzzzz", "groups are ")],
)  # fmt: skip
def test_a_mistyped_item_names_the_nearest(expression: str, hint: str):
    """Of keys and groups; no item is selected silently."""
    with pytest.raises(ConfigError) as refused:
        items.selection_of([expression])
    assert hint in str(refused.value)


def test_exclusions_that_leave_nothing_are_refused():
    with pytest.raises(ConfigError, match="select no item"):
        items.selection_of(["position", "!*"])


def test_a_record_has_the_selected_items_only():
    """And its time and version; a record without any of them, or of a set that cannot have them, is not published."""
    shaper = Shaper([output(items=["position", "!sensor_longitude"])])
    (found,) = documents(offered(shaper, [position(0, 1 << 20)]))
    assert found["items"].keys() == {"sensor_latitude"}
    assert (found["seq"], found["version"], found["time_us"]) == (0, 19, TIME_US)
    assert offered(shaper, [record(1)]) == []
    assert shaper.offer(security(2), 0.0) == ([], Decision.UNWANTED)


# ---- rates ----


def test_the_first_record_of_each_interval_is_published():
    """Of 30 a second: 10 a second, although the times of arrival vary."""
    shaper = Shaper([output(rate=10)])
    chance = random.Random(1)
    records = [at(n, n / 30 + chance.uniform(0, 0.02)) for n in range(300)]
    found = seqs(offered(shaper, records))
    assert 99 <= len(found) <= 101
    assert max(after - before for before, after in pairwise(found)) <= 4


def test_a_held_record_is_published_if_nothing_newer_comes():
    """Once, after a whole interval; the newest, so that the last values of a stream that pauses arrive."""
    shaper = Shaper([output(rate=1)])
    assert seqs(offered(shaper, [at(0, 0.0), at(1, 0.2), at(2, 0.4)], now=100.0)) == [0]
    assert shaper.holds
    assert late(shaper, 101.0) == []
    assert seqs(late(shaper, 102.0)) == [2]
    assert not shaper.holds
    assert late(shaper, 200.0) == []


def test_after_a_late_record_a_new_interval_begins():
    """So that a late record and the next one are not published together."""
    shaper = Shaper([output(rate=1)])
    offered(shaper, [at(0, 0.0), at(1, 0.5)], now=100.0)
    assert seqs(late(shaper, 102.0)) == [1]
    assert seqs(offered(shaper, [at(2, 2.5)], now=102.5)) == []
    assert seqs(offered(shaper, [at(3, 3.1)], now=103.1)) == [3]


def test_a_newer_record_takes_the_place_of_a_held_one():
    """The held one is never published then."""
    shaper = Shaper([output(rate=1)])
    assert seqs(offered(shaper, [at(0, 0.0), at(1, 0.5), at(2, 1.0)], now=5.0)) == [0, 2]
    assert not shaper.holds


def test_streams_and_sets_have_their_own_turns():
    """A stream with many records does not delay another, nor do stand-alone sets delay those of the platform."""
    shaper = Shaper([output(rate=1)])
    batch = [at(0, 0.0), at(0, 0.0, stream="uav2"), security(1)._replace(received_us=TIME_US)]
    assert len(offered(shaper, batch)) == 3


@given(
    rate=st.floats(0.1, 200),
    gaps=st.lists(st.one_of(st.integers(0, 3_000_000), st.integers(-10_000_000, -1)), min_size=1, max_size=60),
)
def test_a_rate_is_never_exceeded(rate: float, gaps: list[int]):
    """In the time of the records, whatever it does, in each period without a step of the clock."""
    pace, now, period = Pace(rate), 0, list[int]()
    for gap in gaps:
        if gap < 0:
            period.clear()
        now += gap
        if pace.is_due(now):
            period.append(now)
            assert len(period) <= (period[-1] - period[0]) * rate / 1e6 + 2


@given(steps=st.lists(st.integers(-5_000_000, 5_000_000), min_size=1, max_size=40))
def test_a_record_is_published_soon_after_a_step_of_the_clock(steps: list[int]):
    """A clock that is set back does not stop an output."""
    pace, now = Pace(1), 1 << 50
    for step in steps:
        now += step
        pace.is_due(now)
    assert pace.is_due(now + 3_000_000) or pace.is_due(now + 4_000_000)


# ---- on change ----


def flight(count: int, seed: int) -> list[Record]:
    """Records whose items change, come and go; some repeat each other."""
    chance, found = random.Random(seed), []
    latitude, extra, heading = 1 << 20, True, 0
    for seq in range(count):
        latitude += chance.choice((0, 0, 1, 5000))
        heading = (heading + chance.choice((0, 7))) % 65536
        extra = extra if chance.random() < 0.8 else not extra
        more = [(21, b"\0\0\1\0"), (8, b"\7"), (150, bytes([chance.randrange(2)]))] if extra else []
        raw = platform(0, (13, struct.pack("!i", latitude)), *more, heading=heading)
        stamp = struct.pack("!Q", TIME_US + 33_333 * seq)
        raw = reread(raw, stamp)
        found.append(record(seq, raw=raw, received_us=TIME_US + 33_333 * seq))
    return found


def reread(raw: bytes, stamp: bytes) -> bytes:
    """The packet with another time stamp and its checksum."""
    body = raw[:19] + stamp + raw[27:-2]
    total = (sum(body[::2]) << 8) + sum(body[1::2])
    return body + (total & 0xFFFF).to_bytes(2, "big")


@pytest.mark.parametrize("seed", range(8))
def test_what_changed_restores_to_the_records(seed: int):
    """Each published document, with those before it, is the record; and records that are not published add nothing."""
    records = flight(400, seed)
    shaper, reader = Shaper([output(on_change=True, snapshot=2.0)]), Reader()
    published = offered(shaper, records)
    for payload in published:
        restored = reader.read(payload.data)
        assert restored is not None
        whole = orjson.loads(records[restored["seq"]].json())
        assert restored["items"] == whole["items"]
        assert restored["time_us"] == whole["time_us"]
    full = [document for document in documents(published) if document["full"]]
    assert 6 <= len(full) <= 8, "the first, and one every 2 s of 13 s"
    assert len(published) < len(records)
    left_out = {each.seq for each in records} - set(seqs(published))
    assert all(records[seq].items == records[seq - 1].items for seq in left_out)


FORMATS = ("json", "cbor", "msgpack", "klv", "compact")


def messages(payloads: Sequence[Payload], form: Any, batch: int) -> list[bytes]:
    """The payloads in messages of several records."""
    groups = [payloads[at : at + batch] for at in range(0, len(payloads), batch)]
    return [message_of([p.data for p in group], seqs(group), form)[0] for group in groups]


@each_case("batch", [1, 3])
@each_case("on_change", [False, True])
@each_case("form", FORMATS)
def test_every_format_restores_to_the_records(form: Any, on_change: bool, batch: int):
    """With the reader that klvrelay offers; also where records are thinned by a rate, and with several in a message."""
    records = [*flight(120, 5), *(each._replace(seq=each.seq + 200) for each in flight(60, 6))]
    for rate in (None, 5):
        change = {"on_change": True, "snapshot": 1.0} if on_change else {}
        shaper = Shaper([output(format=form, rate=rate, items=["!slant_range"], **change)])
        reader, published = klvrelay.Restorer(), offered(shaper, records)
        sent = messages(published, form, batch)
        restored = [each for data in sent for each in reader.restore(data, stream="uav1", format=form)]
        assert len(restored) == len(published)
        assert reader.skipped == 0
        for found, payload in zip(restored, published, strict=True):
            whole = payload.record
            items = {key: value for key, value in whole.items.items() if key != "slant_range"}
            assert found["items"] == items
            assert found["time_us"] == whole.time_us
            assert form == "klv" or (found["seq"], found["boot"]) == (whole.seq, whole.boot)


@pytest.mark.parametrize("form", ["json", "cbor", "msgpack", "compact"])
def test_several_sets_of_a_stream_restore(form: Any):
    """Each continues the last record of the same set, whatever comes in between. Streams do not mix either."""
    platforms = flight(60, 3)
    records = list[Record]()
    for n in range(60):
        records.append(platforms[n]._replace(seq=3 * n))
        records.append(targets(3 * n + 1, n // 5)._replace(received_us=platforms[n].received_us))
        records.append(security(3 * n + 2, 1 + n // 20)._replace(received_us=platforms[n].received_us))
    both = [each._replace(stream=stream) for each in records for stream in ("uav1", "uav2")]
    shaper, reader = Shaper([output(format=form, on_change=True)]), klvrelay.Restorer()
    published = offered(shaper, both)
    assert 60 < len(published) < len(both)
    for payload in published:
        (data,) = messages([payload], form, 1)
        whole = payload.record
        (found,) = reader.restore(data, stream=whole.stream, format=form)
        assert (found["stream"], found["seq"], found["set"]) == (whole.stream, whole.seq, whole.set)
        assert found["items"] == whole.items


def test_after_a_lost_connection_the_next_record_is_full():
    """Subscribers may lack what was not confirmed."""
    shaper = Shaper([output(on_change=True)])
    offered(shaper, [position(0, 1)])
    assert [d["full"] for d in documents(offered(shaper, [position(1, 2)]))] == [False]
    shaper.reset(0.0)
    assert [d["full"] for d in documents(offered(shaper, [position(2, 2)]))] == [True]


def test_records_that_come_again_are_full():
    """All of them, also after a lost connection: the session of QoS 2 may still have their messages."""
    records = [position(n, n) for n in range(4)]
    shaper = Shaper([output(on_change=True)])
    assert [d["full"] for d in documents(offered(shaper, records[:3]))] == [True, False, False]
    shaper.reset(0.0)
    assert [d["full"] for d in documents(offered(shaper, records[1:]))] == [True, True, False]
    assert [d["full"] for d in documents(offered(shaper, records[:1]))] == [True]


@pytest.mark.parametrize("form", ["json", "klv"])
def test_a_bad_packet_is_never_made_a_good_one(form: str):
    """With publish_bad = "telemetry" it is published as it is, or not at all; what follows does not build on it."""
    sent = [position(0, 1), spoilt(1), position(2, 1)]
    found = offered(Shaper([output(on_change=True, format=form)]), sent)
    assert seqs(found) == [0, 1, 2]
    if form == "klv":
        assert found[1].data == spoilt(1).raw
        assert found[2].data == sent[2].raw
    else:
        assert [document["full"] for document in documents(found)] == [True, True, True]
        assert documents(found)[1]["quality"]["checksum"] == "bad"
    assert seqs(offered(Shaper([output(items=["position", "platform"], format=form)]), sent)) == [0, 2]
    assert seqs(offered(Shaper([output_of({"preset": "items"})]), sent[1:2])) == []


def test_unknown_items_share_a_value_which_keeps_all_of_them():
    """A record may have some of them only, as may what changed of it."""
    codes = [(150, b"a"), (151, b"b")], [(150, b"c"), (151, b"b")], [(151, b"b"), (150, b"c")], [(152, b"d")]
    sent = [position(seq, 1, 5, *more) for seq, more in enumerate(codes)]
    payloads = offered(Shaper([output_of({"preset": "items"})]), sent)
    found = [payload.data for payload in payloads if payload.item == "unknown"]
    assert found == [
        b'{"150":"61","151":"62"}', b'{"150":"63","151":"62"}', b'{"150":"63","151":"62","152":"64"}'
    ]  # fmt: skip


def test_changes_within_the_dead_band_are_none():
    """That of the tables, or of the settings."""
    small = [position(n, 1_000_000 + 20 * n) for n in range(10)]  # 0.0000008 degrees each
    for bands, count in ((False, 10), (True, 1), ({"sensor_latitude": 0.000002}, 4)):
        shaper = Shaper([output(on_change=True, dead_band=bands, items=["position"])])
        assert len(offered(shaper, small)) == count


def test_positions_are_rounded_to_the_grid():
    """The altitude is not."""
    (found,) = documents(offered(Shaper([output(coarse=10_000.0)]), [position(0, 700_000_000, 3, (15, b"\x12\x34"))]))
    exact = position(0, 700_000_000, 3, (15, b"\x12\x34")).items
    assert found["items"]["sensor_latitude"] != exact["sensor_latitude"]
    assert found["items"]["sensor_latitude"] == pytest.approx(exact["sensor_latitude"], abs=0.1)
    assert found["items"]["sensor_true_altitude"] == exact["sensor_true_altitude"]


# ---- presets ----


def test_the_state_is_merged_at_most_once_a_second():
    """The latest value of every item; the last one arrives although the stream pauses."""
    shaper = Shaper([output_of({"preset": "state"})])
    records = [position(0, 1 << 20), record(1, received_us=TIME_US + 33_333), position(2, 1 << 21)]
    found = offered(shaper, records, now=0.0)
    assert seqs(found) == [0]
    assert found[0].output.retain
    (last,) = documents(late(shaper, 3.0))
    assert last["seq"] == 2
    assert last["items"]["sensor_latitude"] == records[2].items["sensor_latitude"]
    assert last["items"].keys() >= {"platform_heading_angle", "sensor_longitude"}
    assert late(shaper, 10.0) == []
    shaper.reset(20.0)
    assert documents(late(shaper, 20.0)) == [last], "a new connection gets it again"


def test_each_item_has_a_payload_when_it_changes():
    """A number or a text as it is; sets as JSON."""
    shaper = Shaper([output_of({"preset": "items"})])
    found = {p.item: p.data for p in offered(shaper, [position(0, 1 << 20)])}
    assert found["platform_tail_number"] == b"tail-0"
    assert found["sensor_latitude"] == orjson.dumps(position(0, 1 << 20).items["sensor_latitude"])
    again = {p.item for p in offered(shaper, [position(1, 1 << 20)])}
    assert again == {"platform_tail_number"}
    (alone,) = offered(shaper, [security(2)])[:1]
    assert (alone.item, alone.data) == ("st0102.security_classification", b"Unclassified")
    shaper.reset(0.0)
    assert {p.item for p in late(shaper, 0.0)} >= {"sensor_latitude", "platform_tail_number"}


def test_the_digest_has_the_items_of_a_display_once_a_second():
    shaper = Shaper([output_of({"preset": "osd"})])
    found = offered(shaper, [position(n, n << 8) for n in range(90)])
    assert len(found) == 3
    assert documents(found)[0]["items"].keys() == {
        "platform_heading_angle", "platform_tail_number", "sensor_latitude", "sensor_longitude"
    }  # fmt: skip


def test_only_the_latest_value_counts_for_retained_outputs():
    """A backlog does not replace newer values."""
    shaper = Shaper([output_of({"preset": "state"}), output()])
    assert seqs([p for d in shaper.offer(position(5, 1), 0.0, replayed=True)[0] for p in d.payloads(0.0)]) == [5]
    assert late(shaper, 100.0) == []


# ---- markings ----

SECURITY = {level: (48, bytes([1, 1, level])) for level in range(1, 6)}


def marked(seq: int, level: int | None, **fields: Any) -> Record:
    return record(seq, raw=platform(seq, *([] if level is None else [SECURITY[level]])), **fields)


@given(
    levels=st.lists(
        st.tuples(st.sampled_from(["in", "alone", "none", "bad"]), st.integers(1, 5)), min_size=1, max_size=30
    ),
    limit=st.integers(1, 5), unmarked=st.sampled_from([None, "pass", "withhold"]),
    order=st.randoms(use_true_random=False), preset=st.sampled_from(["telemetry", "state", "items", "osd"]),
)  # fmt: skip
def test_no_record_above_the_marking_of_its_output_leaves(levels, limit, unmarked, order, preset):
    """Its own marking, or that of the stand-alone set before it; also if records come again after a lost connection."""
    sent, level = [], None
    true: list[int | None] = []
    for seq, (kind, number) in enumerate(levels):
        if kind == "in":
            sent.append(marked(seq, number))
        elif kind == "alone":
            sent.append(security(seq, number))
        else:
            sent.append(spoilt(seq) if kind == "bad" else marked(seq, None))
        level = number if kind in ("in", "alone") else level
        true.append(level)
    shaped = output_of({"preset": preset})
    shaper = Shaper([type(shaped)(**{**_fields(shaped), "limit": Limit(limit, unmarked=unmarked), "rate": None})])
    again = order.randrange(len(sent))
    for now, each in enumerate([*sent, *sent[again:]]):
        due, decision = shaper.offer(each, float(now))
        is_above = (true[each.seq] or 0) > limit
        if is_above or not each.good or (true[each.seq] is None and unmarked != "pass"):
            assert not due
            assert decision is Decision.WITHHELD or (preset == "osd" and each.set == "ST0102")
        published = [p for one in (*due, *shaper.take_late(float(now))) for p in one.payloads(float(now))]
        named = {int(number) for p in published for number in re.findall(rb"tail-(\d+)", p.data)}
        assert all((true[seq] or 0) <= limit for seq in named | {p.record.seq for p in published})


def _fields(one: Output) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Output.__slots__}


def test_a_missing_record_may_have_had_the_marking():
    """Where unmarked records are withheld, so are those after a hole, until the next security set."""
    for unmarked, count in (("withhold", 2), ("pass", 3)):
        shaper = Shaper([output(max_classification="SECRET", unmarked=unmarked)])
        sent = [security(0, 2), marked(1, None), marked(5, None), marked(6, 1), marked(7, None)]
        assert len(offered(shaper, sent[:3])) == count
        assert len(offered(shaper, sent[3:])) == 2


@given(
    kinds=st.lists(st.tuples(st.integers(0, 2), st.one_of(st.none(), st.integers(1, 5))), min_size=1, max_size=30),
    limit=st.integers(1, 5), unmarked=st.sampled_from([None, "pass", "withhold"]), again=st.integers(0, 29),
)  # fmt: skip
def test_a_record_has_the_marking_of_its_pid(kinds, limit, unmarked, again):
    """Also if several PIDs are one stream. Before the first of its PID, it has the highest one of the others too."""
    shaper = Shaper([replace(output(), limit=Limit(limit, unmarked=unmarked))])
    own: dict[int, int] = {}
    records, levels = [], []
    for seq, (pid, level) in enumerate(kinds):
        records.append(marked(seq, level, pid=pid))
        if level is not None:
            own[pid] = level
        levels.append((own.get(pid), max(own.values(), default=0)))
    for each in (*records, *records[again:]):
        mine, highest = levels[each.seq]
        passes = mine <= limit if mine is not None else unmarked == "pass" and highest <= limit
        assert (shaper.offer(each, 0.0)[1] is Decision.DUE) is passes


def test_too_many_pids_are_above_every_limit():
    """Unless a record has a marking itself."""
    shaper = Shaper([output(max_classification="SECRET", unmarked="pass")])
    sent = [marked(pid, None, pid=pid) for pid in range(PIDS_MOST + 4)]
    assert len(offered(shaper, sent)) == PIDS_MOST
    assert len(offered(shaper, [marked(100, 1, pid=100), marked(101, None, pid=100)])) == 1


def test_caveats_and_countries_limit_an_output():
    """A record with another caveat is withheld, and one that does not name all countries."""

    def sent(seq: int, caveats: bytes, releasing: bytes) -> Record:
        parts = [(1, b"\1"), (5, caveats), (6, releasing)]
        value = b"".join(bytes([tag, len(data)]) + data for tag, data in parts if data)
        return record(seq, raw=platform(seq, (48, value)))

    shaper = Shaper([output(caveats=["FOUO"], releasable_to=["usa", "CAN"])])
    records = [
        sent(0, b"FOUO", b"USA CAN GBR"), sent(1, b"FOUO//HCS", b"USA CAN"), sent(2, b"", b"USA"),
        sent(3, b"", b"CAN USA"),
    ]  # fmt: skip
    assert seqs(offered(shaper, records)) == [0, 3]


def test_a_marking_that_cannot_be_read_is_above_every_limit():
    """A code without a meaning, a set without a classification, a packet with a bad checksum; also as `unmarked`."""
    for unmarked in ("pass", "withhold"):
        shaper = Shaper([output(max_classification="TOP SECRET", unmarked=unmarked)])
        bad = [record(0, raw=platform(0, (48, b"\1\1\x09"))), record(1, raw=platform(1, (48, b"\2\1\1")))]
        assert offered(shaper, [*bad, spoilt(2)]) == []


def test_the_limit_of_the_sink_holds_for_all_outputs():
    shaper = Shaper([output(), output(name="b", max_classification="SECRET")], Limit(2))
    assert shaper.offer(marked(0, 3), 0.0) == ([], Decision.WITHHELD)
    assert len(offered(shaper, [marked(1, 2)])) == 2
    assert not shaper.admits(spoilt(2))


def test_a_packet_that_is_no_local_set_is_published_whole():
    """A universal set has no items that could be left out."""
    key = next(key for key, item in KEYED.items() if item.key == "caveats")
    universal = packet("ST0102-US", [], checksum=False)[:16] + bytes([18]) + key + b"\1A"
    whole = record(0, set="ST0102-US", raw=universal)
    shaper = Shaper([output(on_change=True)])
    (found,) = documents(offered(shaper, [whole, whole._replace(seq=1)]))
    assert found.pop("full") is True
    assert found == orjson.loads(whole.json())
