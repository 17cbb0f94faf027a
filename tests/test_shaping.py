"""Records as outputs publish them: written in one call, whatever their size, and in the order of each run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from records import platform, record

import klvrelay
from klvrelay.config.outputs import output_of
from klvrelay.record import Record
from klvrelay.shape.output import Output
from klvrelay.shape.shaper import Shaper

UNKNOWN = 190
LARGE = bytes(range(256)) * 400


def payloads(shaper: Shaper, one: Record) -> list[bytes]:
    due, _ = shaper.offer(one, 0.0)
    return [payload.data for each in due for payload in each.payloads(0.0)]


def output(form: str, **values: Any) -> Output:
    return output_of({"name": "x", "format": form, **values})


@pytest.mark.parametrize("form", ["json", "cbor", "msgpack"])
def test_a_record_larger_than_any_before_is_whole_and_the_next_ones_continue_it(form: str):
    """What it is written to grows; what subscribers have is noted once."""
    shaper, reader = Shaper([output(form, on_change=True)]), klvrelay.Restorer()
    records = [record(seq, raw=platform(seq, (UNKNOWN, LARGE[: 10 + 50_000 * (seq == 1)]))) for seq in range(4)]
    for each in records:
        (data,) = payloads(shaper, each)
        (found,) = reader.restore(data, stream="uav1", format=form)
        assert found["seq"] == each.seq
        assert found["items"] == each.items
    assert reader.skipped == 0


def test_a_record_as_klv_is_its_packet_whatever_its_size():
    shaper = Shaper([output("klv")])
    for seq, size in enumerate((10, 100_000, 10)):
        raw = platform(seq, (UNKNOWN, LARGE[:size]))
        assert payloads(shaper, record(seq, raw=raw)) == [raw]


@pytest.mark.parametrize("form", ["json", "cbor", "msgpack", "klv", "compact"])
def test_a_large_record_is_as_if_there_had_been_room_from_the_start(form: str):
    """Two outputs with the same settings, in a thread that has no memory yet: the second has what the first needed."""
    records = [record(seq, raw=platform(seq, (UNKNOWN, LARGE[: seq * 30_000]))) for seq in (0, 3, 1, 2)]

    def published() -> list[list[bytes]]:
        shaper = Shaper([output(form, on_change=True)])
        return [payloads(shaper, each) for each in records]

    with ThreadPoolExecutor(1) as thread:
        first, second = thread.submit(published), thread.submit(published)
        assert first.result() == second.result()


def test_partial_records_begin_again_with_each_run():
    """A record of another run is full, also if its number is higher; and so is one that comes again."""
    shaper = Shaper([output("json", on_change=True)])
    runs = [("a", 0), ("a", 1), ("b", 2), ("b", 3), ("b", 3), ("b", 4)]
    found = [orjson.loads(payloads(shaper, record(seq, boot=boot))[0]) for boot, seq in runs]
    assert [each["full"] for each in found] == [True, False, True, False, True, False]
    assert [each.get("after") for each in found] == [None, 0, None, 2, None, 3]


def test_a_removed_item_without_a_definition_is_named_by_its_tag():
    shaper = Shaper([output("json", on_change=True)])
    records = [record(0, raw=platform(0, (UNKNOWN, b"x"), (48, b"\1\1\1"))), record(1, raw=platform(1))]
    *_, last = [orjson.loads(payloads(shaper, each)[0]) for each in records]
    assert sorted(last["removed"]) == ["security_local_set", f"unknown.{UNKNOWN}"]
