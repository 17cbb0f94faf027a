"""Decodes ST 0601 packets in memory to JSON, dict and columns, compared with klvdata and tstrans.

All decode the same packets; times are CPU times.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from operator import attrgetter
from typing import Any

from benchmarks import skip
from benchmarks.clock import Call, Timing, take_turns
from benchmarks.packets import Subject, subjects
from benchmarks.show import CONSOLE, Goal, goals, table
from klvrelay import decoder
from klvrelay.record import Record

_LINES, _JSON = "klvrelay json_lines(buffer)", "klvrelay decode(), json() one by one"
_BATCH, _ITEMS = "klvrelay decode(buffer), json()", "klvrelay record.items"
_BOTH, _CORE = "klvrelay decode(), items one by one", "klvrelay decode() one by one"
_COLUMNS, _FOUR = "klvrelay columns, all numbers", "klvrelay columns, 4 items"
_KLVDATA, _LIST = "klvdata decode", "klvdata decode, MetadataList"
_TSTRANS, _DICT = "tstrans decode", "tstrans decode, dict"
_PLACE = ("precision_time_stamp", "sensor_latitude", "sensor_longitude", "sensor_true_altitude")
_WANTED = (
    (_KLVDATA, _LINES, 50),
    (_KLVDATA, _JSON, 20),
    (_KLVDATA, _COLUMNS, 400),
    (_KLVDATA, _ITEMS, 15),
    (_DICT, _ITEMS, 10),
)
"""(library, klvrelay function, required speed ratio)."""


def run(*, quick: bool) -> None:
    found: list[Goal] = []
    for subject in subjects():
        found += _measure(subject, rounds=5 if quick else 25)
    goals(found)


def _measure(subject: Subject, rounds: int) -> list[Goal]:
    packets = subject.several(2048)
    many = b"".join(subject.several(4096))
    calls = _ours(subject, packets, many) | _klvdata(packets) | _tstrans(packets)
    timings = take_turns(calls, rounds=rounds)
    base = timings.get(_KLVDATA)
    rows = [_row(name, timing, base, len(subject.raw)) for name, timing in timings.items()]
    table(subject.name, ("", "us per packet", "minimum", "x klvdata", "GB/s of KLV"), rows)
    return _goals(subject, timings)


def _ours(subject: Subject, packets: list[bytes], many: bytes) -> dict[str, tuple[Call, int]]:
    one_by_one, count = len(packets), len(many) // len(subject.raw)
    records = decoder.decode(b"".join(packets))
    return {
        _LINES: (lambda: decoder.json_lines(many), count),
        _BATCH: (lambda: call_each(Record.json, decoder.decode(many)), count),
        _JSON: (lambda: call_each(lambda raw: decoder.decode(raw)[0].json(), packets), one_by_one),
        _CORE: (lambda: call_each(decoder.decode, packets), one_by_one),
        _ITEMS: (lambda: call_each(attrgetter("items"), records), one_by_one),
        _BOTH: (lambda: call_each(lambda raw: decoder.decode(raw)[0].items, packets), one_by_one),
        _COLUMNS: (partial(decoder.columns, many, subject.numeric), count),
        _FOUR: (partial(decoder.columns, many, _PLACE), count),
    }


def _klvdata(packets: Sequence[bytes]) -> dict[str, tuple[Call, int]]:
    try:
        parser = skip.module("klvdata").StreamParser
    except skip.Skip as why:
        CONSOLE.print(f"[yellow]skipped[/]: {why}")
        return {}
    return {
        _KLVDATA: (lambda: call_each(lambda raw: next(parser(raw)), packets), len(packets)),
        _LIST: (lambda: call_each(lambda raw: next(parser(raw)).MetadataList(), packets), len(packets)),
    }


def _tstrans(packets: Sequence[bytes]) -> dict[str, tuple[Call, int]]:
    try:
        peer = skip.module("tstrans.klv")
    except skip.Skip as why:
        CONSOLE.print(f"[yellow]skipped[/]: {why}")
        return {}
    decode, names = peer.decode_uas_datalink, [field.name for field in fields(peer.UasDatalinkLs)]

    def as_dict(raw: bytes) -> dict[str, Any]:
        record = decode(raw)
        return {name: value for name in names if (value := getattr(record, name)) is not None}

    return {
        _TSTRANS: (lambda: call_each(decode, packets), len(packets)),
        _DICT: (lambda: call_each(as_dict, packets), len(packets)),
    }


def call_each(work: Callable[[Any], object], things: Sequence[Any]) -> None:
    """Call `work` for each element and discard the results."""
    deque(map(work, things), maxlen=0)


def _row(name: str, timing: Timing, base: Timing | None, size: int) -> tuple[str, ...]:
    ratio = f"{timing.times_faster(base):,.1f}" if base else "-"
    median, least = (f"{seconds * 1e6:.3g}" for seconds in (timing.median, timing.least))
    return name, median, least, ratio, f"{size / timing.median / 1e9:.3g}"


def _goals(subject: Subject, timings: dict[str, Timing]) -> list[Goal]:
    size = subject.name.partition(",")[0]
    found = []
    if _is_full(subject):
        found.append(Goal(f"{size}: columns", 1, len(subject.raw) / timings[_COLUMNS].median / 1e9, "GB/s"))
    for peer, ours, wanted in _WANTED:
        if peer in timings:
            ratio = timings[ours].times_faster(timings[peer])
            found.append(Goal(f"{size}: {ours.removeprefix('klvrelay ')}", wanted, ratio, f"x {peer}"))
    return found


def _is_full(subject: Subject) -> bool:
    """Whether the packet has many items: the goal in GB/s applies to such packets."""
    return len(subject.numeric) > 40
