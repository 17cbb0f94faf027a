"""Compact messages: any CBOR reader restores from them the packets that were thinned."""

from __future__ import annotations

from random import Random
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packet_wrapping import item, local_set, packet
from random_packets import packets, random_packet
from records import record as record_of
from reference_wire import walk
from test_thinning import BANDS, FULL, HEADING, LATITUDE, SEEDS, history, recorded, sample, timed
from thinned_reader import value_of

import klvrelay
from klvrelay import core
from klvrelay.core.compact import compact
from klvrelay.core.shaping import Shape
from klvrelay.core.thinning import Base, Thinning, thin
from klvrelay.shape.encoding.formats import message_of
from klvrelay.standards.spec import CHECKSUM, SETS, TIME, UNIVERSAL_KEYS

NAMES = {key: name for name, key in UNIVERSAL_KEYS.items()}
LOCAL = [name for name in SETS if name in UNIVERSAL_KEYS]


def restored(record: dict[int, Any], before_us: int | None = None) -> bytes:
    """The packet of one record."""
    if -3 in record:
        return record[-3]  # type: ignore[no-any-return]
    key = record[-1][1] if -1 in record else record.get(-4)
    name = "ST0601" if key is None else NAMES[key]
    items = []
    for tag, values in record.items():
        if tag <= 0:
            continue
        if isinstance(values, int):
            assert tag == TIME[name]
            assert before_us is not None
            values = (before_us + values).to_bytes(8, "big")
        items += [(tag, one) for one in (values if isinstance(values, list) else [values])]
    return packet(name, local_set(items), checksum=name in CHECKSUM)


def on_change() -> Shape:
    """An output of one stream and set."""
    return Shape(Thinning(on_change=True), "compact", on_change=True, snapshot=60.0)


def whole(raw: bytes, seq: int = 7, **fields: Any) -> dict[int, Any]:
    """The full record of a packet, as cbor2 reads it."""
    written = Shape(None, "compact").write(record_of(seq, raw=raw, **fields), 0)
    assert written is not None
    record = cbor2.loads(written)
    assert record[0] == seq
    return record  # type: ignore[no-any-return]


def second(first: bytes, raw: bytes) -> dict[int, Any]:
    """The record of the packet after the first one."""
    shape = on_change()
    assert shape.write(record_of(0, raw=first), 0)
    written = shape.write(record_of(1, raw=raw), 0)
    assert written is not None
    return cbor2.loads(written)  # type: ignore[no-any-return]


def plain(raw: bytes) -> list[tuple[int, bytes]]:
    """The items but the checksum, which depends on their order; those of a tag in order."""
    name = NAMES[raw[:16]]
    found = [(entry.tag, entry.value) for entry in walk(value_of(raw))[0] if entry.tag != CHECKSUM.get(name, (0,))[0]]
    return sorted(found, key=lambda pair: pair[0])


@pytest.mark.parametrize("name", [name for name in LOCAL if name != "ST0903"])
def test_thinned_packets_are_restored(name: str) -> None:
    """Full and partial, to the byte; what repeats comes together."""
    partial = 0
    for seed in range(30):
        rng = Random(seed)
        base, shape, before = Base(), on_change(), None
        for seq, raw in enumerate(history(rng, name)):
            thinned = thin(raw, Thinning(on_change=True), base)
            written = shape.write(record_of(seq, raw=raw, set=name), 0)
            assert (written is None) == (thinned is None)
            if thinned is None or written is None:
                continue
            record = cbor2.loads(written)
            assert (-1 in record) == thinned.full
            assert tuple(record.get(-2, ())) == (() if thinned.full else thinned.removed)
            assert plain(restored(record, before)) == plain(thinned.raw)
            before = core.time_us(raw)
            partial += not thinned.full
    assert partial > 20


@settings(deadline=None)
@given(packets())
def test_any_packet_is_restored(raw: bytes) -> None:
    """Of any set, damaged or not, and from each of its cuts: what a map would not restore is kept as it is."""
    for data in (raw, *(raw[:end] for end in range(0, len(raw), 7))):
        record = whole(data)
        if -3 in record:
            assert record[-3] == data
        else:
            assert plain(restored(record)) == plain(data)
            assert klvrelay.decode(restored(record))[0].items.keys() == klvrelay.decode(data)[0].items.keys()


@pytest.mark.parametrize("name", ["osh_sample_stream.ts", "orbit.ts"])
def test_a_recording_is_restored(name: str, request: Any) -> None:
    """Each thinned packet, with its time as the difference to the one before, in messages of three."""
    records = sample() if name == "orbit.ts" else recorded(request.getfixturevalue("shared"), name)
    thinning = Thinning(on_change=True, dead_bands=BANDS)
    shape = Shape(thinning, "compact", on_change=True, snapshot=60.0)
    base, before, waiting, size = Base(), None, [], 0
    for record in records[:120]:
        thinned, written = thin(record.raw, thinning, base), shape.write(record, 0)
        if thinned is None or written is None:
            continue
        waiting.append((written, record.seq, thinned, before))
        before = record.time_us
        if len(waiting) == 3:
            message, _ = message_of([each for each, *_ in waiting], [seq for _, seq, *_ in waiting], "compact")
            size += len(message)
            for found, (_, _, wanted, earlier) in zip(cbor2.loads(message), waiting, strict=True):
                assert restored(found, earlier) == wanted.raw
            waiting = []
    assert size < sum(len(record.raw) for record in records[:120]) * 0.6


def test_a_full_record_has_what_is_known_of_it() -> None:
    """And null where nothing is."""
    raw = timed("ST0601", [LATITUDE, FULL], 5)
    known = {"boot": "5f2c9a", "received_us": 2**62, "pts": 2**33 - 1, "pid": 0, "program": 65535}
    assert whole(raw, 2**40, **known)[-1] == ["5f2c9a", None, 2**62, 2**33 - 1, 0, 65535]
    other = whole(timed("ST0806", [(4, b"\1")], 5), set="ST0806", boot=None, received_us=None)
    assert other[-1] == [None, UNIVERSAL_KEYS["ST0806"], *[None] * 4]
    assert whole(raw).keys() == {0, -1, 2, 13, 65}


def test_a_time_is_a_difference_where_the_one_before_is_known_and_earlier() -> None:
    """Of partial records; a full one can be read without any other."""
    raw = timed("ST0601", [HEADING], 1_000_000)
    sent = raw[19:27]
    other = (5, b"\7\7")
    for before in (999_000, 1_000_000, 0):
        assert second(timed("ST0601", [other], before), raw)[2] == 1_000_000 - before
    for record in (
        second(packet("ST0601", local_set([other]), checksum=True), raw),
        second(timed("ST0601", [other], 1_000_001), raw),
        second(timed("ST0601", [other], 2**64 - 1), raw),
    ):
        assert -1 not in record
        assert record[2] == sent
    assert whole(raw)[2] == sent


def test_a_partial_record_of_another_set_names_it() -> None:
    """ST 0601 is the usual one."""
    items = [(4, b"\1"), (5, b"\1"), (6, b"\1")]
    record = second(timed("ST0806", items, 5), timed("ST0806", [(4, b"\2")], 6))
    assert record[-4] == UNIVERSAL_KEYS["ST0806"]
    assert record[-2] == [5, 6]
    usual = second(timed("ST0601", [LATITUDE], 5), timed("ST0601", [HEADING], 6))
    assert -1 not in usual
    assert -4 not in usual


def test_items_that_repeat_are_arrays() -> None:
    """Each value in order, where the first of them is."""
    raw = timed("ST0601", [(100, b"a"), HEADING, (100, b"b"), (100, b"")], 5)
    record = whole(raw)
    assert record[100] == [b"a", b"b", b""]
    assert [key for key in record if key > 0] == [2, 100, 5]


def test_what_a_map_would_not_restore_is_kept_as_it_is() -> None:
    """Items whose order counts, tags beyond the tables, many that repeat, a checksum that is wrong or missing."""
    good = timed("ST0601", [LATITUDE], 5)
    odd = [
        timed("ST0601", [LATITUDE, (102, b"\1\x80\x10\0")], 5),
        timed("ST0601", [(192, b"x")], 5),
        timed("ST0601", [(0, b"x")], 5),
        timed("ST0601", [(tag, b"") for tag in range(20, 30)] * 2, 5),
        good[:-1] + bytes([good[-1] ^ 1]),
        packet("ST0601", local_set([LATITUDE])),
        packet("ST0104", b""),
        packet("ST0808", item(1, b"x")),
        b"",
        b"no packet",
    ]
    for raw in odd:
        record = whole(raw)
        assert record.keys() == {0, -1, -3}
        assert record[-3] == raw


@pytest.mark.parametrize("count", [0, 1, 23, 24, 255, 256, 1000])
def test_a_message_is_an_array_of_records(count: int) -> None:
    """Of any number."""
    record = cbor2.dumps(whole(timed("ST0601", [HEADING], 5)))
    message = compact([record] * count)
    assert cbor2.loads(message) == [cbor2.loads(record)] * count
    assert count == 0 or 0x81 <= message[0] <= 0x9B


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.integers(0, 40))
def test_large_packets_are_written(rng: Random, doublings: int) -> None:
    """Beyond the memory that there is at first, as many small items and as a large one."""
    raw = timed("ST0601", [(rng.randrange(3, 8), rng.randbytes(rng.randrange(3))) for _ in range(500 * doublings)], 5)
    assert plain(restored(whole(raw))) == plain(raw)
    odd = random_packet(rng) + bytes(1000 * doublings + 1)
    assert whole(odd)[-3] == odd
