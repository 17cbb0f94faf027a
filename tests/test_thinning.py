"""Thinned packets: what a subscriber restores from them, what they leave out, and that they are valid KLV."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import klvdata
import pytest
from cases import each_case
from hypothesis import given, settings
from hypothesis import strategies as st
from packet_wrapping import item, local_set, packet
from random_packets import items as items_of
from random_packets import packets, random_packet, value
from reference import SUMS
from thinned_reader import Groups, Reader, groups_of, lasting, value_of

import klvrelay
from klvrelay import core
from klvrelay.core.selection import Selection
from klvrelay.core.thinning import Base, Thinned, Thinning, thin
from klvrelay.errors import ConfigError
from klvrelay.standards.spec import CHECKSUM, SETS, TIME, UNIVERSAL_KEYS, VERSION

HERE = Path(__file__).parent
LOCAL = [name for name in SETS if name in UNIVERSAL_KEYS and name not in ("ST0903",)]
SOME = klvrelay.select("sensor_latitude", "sensor_longitude", "platform_heading_angle", "vmti_local_set", "unknown")
BANDS = {key.key: key.dead_band for key in SETS["ST0601"].values() if key.dead_band is not None}
RECORDINGS = ["osh_sample_stream.ts", "day_flight.klv"]
SEEDS = st.integers(0, 2**32).map(Random)


def timed(name: str, items: list[tuple[int, bytes]], time_us: int) -> bytes:
    """A packet with its time first and its checksum last."""
    stamp = [(TIME[name], time_us.to_bytes(8, "big"))] if name in TIME else []
    return packet(name, local_set([*stamp, *items]), checksum=True)


def history(rng: Random, name: str, count: int = 8) -> list[bytes]:
    """Packets of a set in a row, in which values change, items appear, repeat and disappear, and change places."""
    table = [one for one in items_of(name) if one.tag not in heads(name) and one.kind != "flp"]
    known = rng.sample(table, min(len(table), rng.randrange(1, 9)))
    values = {one.tag: [value(rng, one, 1)] for one in known}
    version = [(65, b"\x13")] if name == "ST0601" and rng.randrange(4) else []
    made = []
    for number in range(count):
        for one in known:
            roll = rng.randrange(12)
            if roll < 3:
                values[one.tag] = [value(rng, one, 1)]
            elif roll == 3:
                values.pop(one.tag, None)
            elif roll == 4:
                values[one.tag] = [*values.get(one.tag, []), value(rng, one, 1)]
        items = [(tag, each) for tag, many in values.items() for each in many] + version
        if rng.randrange(6) == 0:
            rng.shuffle(items)
        if rng.randrange(12) == 0:
            items.append((rng.choice([150, 191, 192, 300]), rng.randbytes(3)))
        made.append(timed(name, items, 1_700_000_000_000_000 + 33_333 * number))
    return made


def heads(name: str) -> set[int]:
    return {CHECKSUM.get(name, (0, ""))[0], TIME.get(name, 0), VERSION.get(name, 0)}


def chosen(name: str, raw: bytes, selection: Selection | None) -> Groups:
    """The items of a packet that a selection has, by the table alone."""
    table = SETS[name]
    keys = None if selection is None else selection.keys
    found = groups_of(name, raw)
    if keys is None:
        return found
    return {
        tag: values
        for tag, values in found.items()
        if (table[tag].key if tag in table else "unknown") in keys or tag in heads(name)
    }


@each_case("selection", [None, SOME], ids=["all", "some"])
@each_case("name", LOCAL)
def test_full_and_partial_packets_restore_each_record(name: str, selection: Selection | None) -> None:
    """Applied in order, to the byte; where nothing is published, nothing has changed."""
    thinning = Thinning(selection, on_change=True)
    for seed in range(40):
        rng = Random(f"{name} {seed}")
        base, reader = Base(), Reader(name)
        for raw in history(rng, name):
            thinned = thin(raw, thinning, base, full=rng.randrange(9) == 0)
            if thinned is not None:
                reader.apply(thinned)
            wanted = chosen(name, raw, selection)
            without_version = {tag: values for tag, values in wanted.items() if tag != VERSION.get(name)}
            restored = {tag: values for tag, values in reader.groups.items() if tag != VERSION.get(name)}
            assert lasting(restored) == lasting(without_version)


def test_marked_packets_restore_each_record_for_readers_of_klv() -> None:
    """By the version and the items of length 0 in the packets alone, without what comes beside them."""
    thinning = Thinning(on_change=True, marked=True)
    partial = 0
    for seed in range(200):
        rng = Random(seed)
        base, reader = Base(), Reader("ST0601")
        for raw in history(rng, "ST0601"):
            found = groups_of("ST0601", raw)
            if 65 not in found:
                break
            thinned = thin(raw, thinning, base)
            if thinned is not None:
                reader.apply_marked(thinned.raw)
                assert (65 in groups_of("ST0601", thinned.raw)) == thinned.full
                partial += not thinned.full
            assert lasting(reader.groups | {65: found[65]}) == lasting(found)
    assert partial > 200


@settings(deadline=None)
@given(st.lists(packets(), min_size=1, max_size=6), st.booleans(), st.booleans(), st.floats(0, 5000))
def test_any_packets_are_thinned_to_valid_packets(raws: list[bytes], marked: bool, some: bool, coarse: float) -> None:
    """Of any set, damaged or not: key and length are right, a checksum agrees, and a part is never larger by much."""
    thinning = Thinning(SOME if some else None, on_change=True, marked=marked, coarse_m=coarse)
    base = Base()
    for raw in raws:
        thinned = thin(raw, thinning, base)
        if thinned is None or thinned.raw == raw:
            continue
        assert thinned.raw[:16] == raw[:16]
        value_of(thinned.raw)
        assert len(thinned.raw) <= len(raw) + 600
        [record] = klvrelay.decode(thinned.raw)
        assert record.raw == thinned.raw
        assert record.checksum in ("ok", "absent")


@settings(deadline=None)
@given(SEEDS)
def test_restored_packets_decode_to_the_items_of_the_record(rng: Random) -> None:
    """As documents, with items that refer to others: an SDCC-FLP, a control command without a time."""
    thinning = Thinning(on_change=True)
    base, reader, raw = Base(), Reader("ST0601"), b""
    for _ in range(6):
        raw = edited(rng, raw) if raw and rng.randrange(3) else random_of(rng, "ST0601")
        thinned = thin(raw, thinning, base)
        if thinned is not None:
            reader.apply(thinned)
        if thinned is not None and thinned.full:
            continue  # the packet itself: only moved
        restored = klvrelay.decode(reader.packet(stamp(raw)))[0].items
        wanted = klvrelay.decode(raw)[0].items
        for one in (restored, wanted):
            one.pop("vmti_local_set", None)
        assert restored == wanted


def random_of(rng: Random, name: str) -> bytes:
    while True:
        raw = random_packet(rng)
        if raw[:16] == UNIVERSAL_KEYS[name] and klvrelay.decode(raw) and klvrelay.decode(raw)[0].good:
            return raw


def edited(rng: Random, raw: bytes) -> bytes:
    """The packet with one item changed, left out, or put elsewhere."""
    groups = [(tag, each) for tag, many in groups_of("ST0601", raw).items() for each in many]
    if groups:
        at = rng.randrange(len(groups))
        tag, _ = groups.pop(at)
        if rng.randrange(2):
            table = {one.tag: one for one in items_of("ST0601")}
            groups.insert(at, (tag, value(rng, table[tag], 1) if tag in table else rng.randbytes(2)))
    time = stamp(raw)
    return packet("ST0601", local_set([(2, time), *groups] if time else groups), checksum=True)


def stamp(raw: bytes) -> bytes | None:
    return {2: None, **{e[0]: e[1] for e in pairs(raw)}}[2]


def pairs(raw: bytes) -> list[tuple[int, bytes]]:
    from reference_wire import walk

    return [(entry.tag, entry.value) for entry in walk(value_of(raw))[0]]


# ---- recordings ----


def recorded(shared: Path, name: str) -> list[Any]:
    path = shared / "data" / name
    if not path.exists():
        pytest.skip(f"no {name}")
    return [record for record in klvrelay.decode(path.read_bytes()) if record.good and record.set == "ST0601"]


@pytest.mark.parametrize("keys", [(), ("sensor_latitude", "sensor_longitude", "vmti_local_set", "slant_range")])
@pytest.mark.parametrize("name", [*RECORDINGS, "orbit.ts"])
def test_a_recording_is_restored_from_its_changes(name: str, keys: tuple[str, ...], request: Any) -> None:
    """Each record's selected items, as in its JSON; the time of a VMTI set is that of its last change."""
    records = sample() if name == "orbit.ts" else recorded(request.getfixturevalue("shared"), name)
    selection = klvrelay.select(*keys) if keys else None
    base, reader, bytes_out = Base(), Reader("ST0601"), 0
    for record in records[:300]:
        thinned = thin(record.raw, Thinning(selection, on_change=True), base)
        if thinned is not None:
            reader.apply(thinned)
            bytes_out += len(thinned.raw)
        restored = klvrelay.decode(reader.packet(stamp(record.raw)))[0].items
        wanted = json.loads(record.json(items=selection))["items"]
        for one in (restored, wanted):
            one.get("vmti_local_set", {}).pop("precision_time_stamp", None)
        assert restored == wanted
    assert bytes_out < sum(len(record.raw) for record in records[:300])


def sample() -> list[Any]:
    return [r for r in klvrelay.decode((HERE.parent / "samples" / "orbit.ts").read_bytes()) if r.good]


@pytest.mark.parametrize("name", [*RECORDINGS, "orbit.ts"])
def test_thinned_packets_are_read_by_another_decoder(name: str, request: Any) -> None:
    """klvdata finds in each the items that are in it, and their checksum."""
    records = sample() if name == "orbit.ts" else recorded(request.getfixturevalue("shared"), name)
    faulty = (74, 104)  # it can't read these
    selection = klvrelay.select(*(one.key for one in SETS["ST0601"].values() if one.tag not in faulty))
    thinning, base = Thinning(selection, on_change=True, dead_bands=BANDS, marked=True), Base()
    for record in records[:60]:
        thinned = thin(record.raw, thinning, base)
        if thinned is None:
            continue
        [found] = list(klvdata.StreamParser(thinned.raw))
        tags = [int.from_bytes(key, "big") for key in found.items]
        assert tags == [tag for tag in dict(pairs(thinned.raw)) if tag < 128]
        size, total = SUMS["ST0601"]
        assert thinned.raw[-size:] == total(thinned.raw[:-size]).to_bytes(size, "big")


# ---- dead bands ----


@settings(deadline=None)
@given(SEEDS, st.sampled_from(sorted(BANDS)))
def test_a_restored_value_is_within_its_dead_band(rng: Random, key: str) -> None:
    """Of each item that has one, and a step of rounding: however long it drifts."""
    one = next(one for one in SETS["ST0601"].values() if one.key == key)
    band, width = BANDS[key], one.len_max if one.mapping != "imapb" else 4
    base, restored = Base(), None
    code = rng.randrange(1 << (8 * width - 1))
    step = abs(read(one.tag, 101, width) - read(one.tag, 100, width))
    for _ in range(30):
        code = max(0, min((1 << (8 * width - 1)) - 1, code + int(rng.gauss(0, 2) * band / step)))
        raw = timed("ST0601", [(one.tag, code.to_bytes(width, "big")), (65, b"\x13")], 0)
        thinned = thin(raw, Thinning(on_change=True, dead_bands={key: band}), base)
        true = read(one.tag, code, width)
        if thinned is not None:
            restored = klvrelay.decode(thinned.raw)[0].items[key]
            assert restored == true
        assert restored is not None
        assert abs(restored - true) <= band * 1.000001 + step


def read(tag: int, code: int, width: int) -> float:
    [(_, number)] = klvrelay.decode(timed("ST0601", [(tag, code.to_bytes(width, "big"))], 0))[0].items.items()
    assert isinstance(number, int | float)
    return number


def test_what_is_no_number_is_outside_every_dead_band() -> None:
    """From a number to "reserved" and back, and to length 0."""
    base, thinning = Base(), Thinning(on_change=True, dead_bands={"sensor_latitude": 1e9})
    for code in ("00000001", "80000000", "00000001", "", "00000001"):
        assert thin(timed("ST0601", [(13, bytes.fromhex(code))], 0), thinning, base) is not None
    assert thin(timed("ST0601", [(13, b"\0\0\1\0")], 0), thinning, base) is None


# ---- rules ----

LATITUDE, HEADING, FULL = (13, b"\1\2\3\4"), (5, b"\1\2"), (65, b"\x13")


def test_a_change_of_time_alone_is_none() -> None:
    """Neither of the packet nor of its VMTI set nor of its checksum."""
    thinning, base = Thinning(on_change=True), Base()
    for number in range(3):
        vmti = local_set([(2, number.to_bytes(8, "big")), (5, b"\2")])
        raw = timed("ST0601", [LATITUDE, (74, vmti), FULL], number)
        assert (thin(raw, thinning, base) is None) == (number > 0)
    vmti = local_set([(2, bytes(8)), (5, b"\3")])
    assert thin(timed("ST0601", [LATITUDE, (74, vmti), FULL], 9), thinning, base) == Thinned(
        timed("ST0601", [(74, vmti)], 9), False
    )


def test_without_on_change_every_packet_is_full() -> None:
    """With a base or without."""
    raw = timed("ST0601", [LATITUDE, HEADING], 1)
    assert thin(raw, Thinning(), Base()) == thin(raw, Thinning()) == Thinned(raw, True)
    some, base = Thinning(SOME), Base()
    assert [thin(raw, some, base) for _ in range(2)] == [Thinned(raw, True)] * 2


def test_removed_items_are_named_and_marked() -> None:
    """Beside the packet, and for readers of KLV in it, also those with a tag of two bytes."""
    first, second = timed("ST0601", [LATITUDE, HEADING, (135, b"x"), FULL], 1), timed("ST0601", [HEADING, FULL], 2)
    for marked in (False, True):
        base = Base()
        thin(first, Thinning(on_change=True, marked=marked), base)
        thinned = thin(second, Thinning(on_change=True, marked=marked), base)
        assert thinned is not None
        assert thinned.removed == (13, 135)
        assert pairs(thinned.raw)[1:-1] == ([(13, b""), (135, b"")] if marked else [])


def test_a_changed_version_makes_a_packet_full() -> None:
    """Since that decides what other items mean; a version that is not in each packet does not."""
    base, thinning = Base(), Thinning(on_change=True)
    fulls = []
    for version in (b"\x13", None, b"\x13", b"\x12"):
        items = [LATITUDE, (5, bytes([len(fulls), 1])), *([(65, version)] if version else [])]
        thinned = thin(timed("ST0601", items, 1), thinning, base)
        assert thinned is not None
        fulls.append(thinned.full)
    assert fulls == [True, False, False, True]


def test_packets_that_readers_of_klv_could_not_tell_apart_are_full() -> None:
    """Without a version; with an item that itself has length 0; of another set."""
    thinning = Thinning(on_change=True, marked=True)
    for name, items in [("ST0601", [HEADING]), ("ST0601", [(13, b""), FULL]), ("ST0806", [(5, b"\1\2\3\4")])]:
        base = Base()
        for number in range(3):
            thinned = thin(timed(name, [*items, (4, bytes([number]))], number), thinning, base)
            assert thinned is not None
            assert thinned.full


def test_a_packet_of_nothing_selected_is_not_published() -> None:
    """But one that no longer has what it had is."""
    selection = klvrelay.select("sensor_latitude")
    thinning, base = Thinning(selection, on_change=True), Base()
    none, some = timed("ST0601", [HEADING, FULL], 1), timed("ST0601", [LATITUDE, FULL], 2)
    assert thin(none, Thinning(selection)) is None
    assert thin(none, thinning, base) == Thinned(timed("ST0601", [FULL], 1), True), "it may have some from before"
    assert thin(none, thinning, base) is None
    assert thin(none, thinning, base, full=True) is None
    assert thin(some, thinning, base) == Thinned(timed("ST0601", [LATITUDE], 2), False)
    assert thin(none, thinning, base) == Thinned(timed("ST0601", [], 1), False, (13,))
    assert thin(none, thinning, base) is None


def test_the_time_comes_first_and_the_checksum_last() -> None:
    """Wherever they were, and once each."""
    raw = packet("ST0601", local_set([LATITUDE, (1, b"\0\0"), (2, bytes(8)), HEADING, (2, b"\1" * 8)]), checksum=True)
    thinned = thin(raw, Thinning(on_change=True), Base())
    assert thinned is not None
    assert [tag for tag, _ in pairs(thinned.raw)] == [2, 13, 5, 1]
    assert klvrelay.decode(thinned.raw)[0].time_us == int.from_bytes(b"\1" * 8, "big")


def test_an_absent_checksum_is_not_made() -> None:
    """The record says that it is absent."""
    raw = packet("ST0102", local_set([(1, b"\1"), (4, b"x")]))
    thinned = thin(raw, Thinning(klvrelay.select("security_classification")))
    assert thinned == Thinned(packet("ST0102", local_set([(1, b"\1")])), True)


def test_a_bad_checksum_is_not_mended() -> None:
    """The packet is published as it is; where only a part of it may be, not at all."""
    good = timed("ST0601", [LATITUDE, FULL], 1)
    bad = good[:-1] + bytes([good[-1] ^ 1])
    assert thin(bad, Thinning(on_change=True), Base()) == Thinned(bad, True)
    assert thin(bad, Thinning(SOME), Base()) is None
    assert thin(bad, Thinning(coarse_m=10), Base()) is None


def test_after_what_is_not_compared_the_next_packet_is_full() -> None:
    """Damaged, too large for a base, with tags beyond those of the tables; and after a reset."""
    good, large = timed("ST0601", [LATITUDE, FULL], 1), timed("ST0601", [LATITUDE, (10, bytes(16384)), FULL], 1)
    high = timed("ST0601", [LATITUDE, (192, b"x"), FULL], 1)
    for odd in (good[:-1] + bytes([good[-1] ^ 1]), large, high):
        base = Base()
        assert [thin(raw, Thinning(on_change=True), base) is None for raw in (good, odd)] == [False, False]
        assert thin(good, Thinning(on_change=True), base) == Thinned(good, True)
    base = Base()
    thin(good, Thinning(on_change=True), base)
    base.reset()
    assert thin(good, Thinning(on_change=True), base) == Thinned(good, True)


def test_a_base_is_bounded() -> None:
    """16 KiB at most, whatever the packets."""
    assert core.thinning.ffi.sizeof("struct klv_base") <= 16 << 10


def test_universal_sets_are_full_with_their_selected_items() -> None:
    """And single items by key are published whole, if they are selected."""
    rng = Random(104)
    seen = 0
    for _ in range(3000):
        raw = random_packet(rng)
        record = klvrelay.decode(raw)[0] if klvrelay.decode(raw) else None
        if record is None or record.set not in ("ST0104", "ST0102-US", "ST1303", "ST1010", "ST1204", "unknown"):
            continue
        selection = klvrelay.select("sensor_latitude", "array", "caveats", "unknown")
        wanted = json.loads(record.json(items=selection))["items"]
        thinned = thin(record.raw, Thinning(selection, on_change=True), Base())
        if thinned is not None and record.transport == "ok":
            assert thinned.full
            assert json.loads(klvrelay.decode(thinned.raw)[0].json(items=selection))["items"] == wanted
            seen += 1
    assert seen > 100


def test_packets_that_are_not_compared_by_item_are_published_when_their_bytes_differ() -> None:
    """Universal sets, sets without a table; single items by key, up to the size that a base holds."""
    thinning = Thinning(on_change=True)
    for name in ("ST0104", "ST0808", "ST1204"):
        base, first, second = Base(), packet(name, b"first one"), packet(name, b"second one")
        seen = [thin(raw, thinning, base) for raw in (first, first, second, second[:-1] + b"f")]
        assert [one is None for one in seen] == [False, True, False, False]
        assert thin(second[:-1] + b"f", thinning, base, full=True) is not None
        large = packet(name, bytes(20_000))
        assert [thin(large, thinning, base) for _ in range(2)] == [Thinned(large, True)] * 2
        assert thin(first, thinning) == Thinned(first, True)


def test_unknown_sets_and_items_are_published_as_unknown_items_are() -> None:
    """Where those are selected, and never on a grid."""
    private = bytes.fromhex("060e2b34010101010e02030405060708") + b"\1x"
    table = [packet("ST0808", item(1, b"x")), private, packet("ST0104", private)]
    for raw in table:
        assert thin(raw, Thinning(klvrelay.select("unknown")), Base()) == Thinned(raw, True)
        assert thin(raw, Thinning(klvrelay.select("sensor_latitude"))) is None
        assert thin(raw, Thinning(coarse_m=10), Base()) is None
        assert thin(raw, Thinning(klvrelay.select("unknown"), coarse_m=10)) is None


def test_a_wrong_key_or_number_is_refused() -> None:
    """With what is wrong."""
    with pytest.raises(ConfigError, match="no item has the key 'sensor_lat'"):
        Thinning(dead_bands={"sensor_lat": 1})
    for arguments in ({"coarse_m": -1}, {"coarse_m": float("nan")}, {"dead_bands": {"sensor_latitude": -1}}):
        with pytest.raises(ConfigError, match="must not be negative"):
            Thinning(**arguments)  # type: ignore[arg-type]


# ---- hostile input ----


def test_every_cut_of_a_packet_is_published_as_it_is_or_not_at_all() -> None:
    """At each byte."""
    raw = sample()[0].raw
    for end in range(len(raw)):
        assert thin(raw[:end], Thinning(on_change=True), Base()) == Thinned(raw[:end], True)
        assert thin(raw[:end], Thinning(SOME), Base()) is None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(sorted(UNIVERSAL_KEYS.values())))
def test_random_bytes_in_a_set_are_thinned(data: bytes, key: bytes) -> None:
    """Without a fault, and twice the same is nothing."""
    raw = key + b"\x82" + len(data).to_bytes(2, "big") + data
    thinning, base = Thinning(on_change=True), Base()
    first = thin(raw, thinning, base)
    assert first is not None
    second = thin(raw, thinning, base)
    assert second is None or second.full


def test_a_large_packet_is_thinned() -> None:
    """Of a mebibyte, of the smallest items, of one tag and of many."""
    for items in ([(5, b"")] * 200_000, [(tag % 140 + 3, b"") for tag in range(200_000)], [(300, b"")] * 100_000):
        raw = timed("ST0601", items, 1)
        thinned = thin(raw, Thinning(on_change=True), Base())
        assert thinned is not None
        assert thinned.full
        assert len(thinned.raw) <= len(raw)


# ---- positions on a grid ----

POSITIONS = [(13, 14), (23, 24), (40, 41), (67, 68), (82, 83), (84, 85), (86, 87), (88, 89)]


@settings(deadline=None)
@given(st.integers(-(2**31) + 1, 2**31 - 1), st.integers(-(2**31) + 1, 2**31 - 1), st.floats(1, 1e6))
def test_all_positions_of_a_cell_become_its_middle(latitude: int, longitude: int, grid: float) -> None:
    """So that the result shows no more than the cell: it is half a cell away at most, and stays as it is."""
    codes = [code.to_bytes(4, "big", signed=True) for code in (latitude, longitude)]
    rounded = coarse(codes, grid)
    north = int.from_bytes(rounded[0], "big", signed=True)
    metres = abs(north - latitude) * 90 / (2**31 - 1) * 110_574
    assert metres <= grid / 2 + 0.01
    assert coarse(rounded, grid) == rounded
    if abs(north) > 2**31 - 1 - grid / 110_574 * (2**31 - 1) / 90:
        return  # a cell that the pole cuts
    rng = Random(latitude)
    for _ in range(5):  # others in the cell
        near = north + int(rng.uniform(-0.49, 0.49) * grid / 110_574 * (2**31 - 1) / 90)
        assert coarse([near.to_bytes(4, "big", signed=True), codes[1]], grid) == rounded


def coarse(codes: list[bytes], grid: float) -> list[bytes]:
    thinned = thin(timed("ST0601", [(13, codes[0]), (14, codes[1])], 0), Thinning(coarse_m=grid))
    assert thinned is not None
    found = dict(pairs(thinned.raw))
    return [found[13], found[14]]


@settings(deadline=None)
@given(SEEDS, st.sampled_from([10.0, 100.0, 5000.0]))
def test_no_position_finer_than_the_grid_is_published(rng: Random, grid: float) -> None:
    """Of any packet of any set: each latitude is a multiple of the grid's step, and nothing is nested or unknown."""
    raw = random_packet(rng)
    thinned = thin(raw, Thinning(coarse_m=grid), Base())
    if thinned is None:
        return
    [record] = klvrelay.decode(thinned.raw)
    items = record.items
    step = grid / 110_574
    for key, number in items.items():
        if "latitude" in key and number is not None and record.set != "ST0104":
            assert abs(number) == 90 or abs(number / step - round(number / step)) * step < 1e-6, key
        assert key == "security_local_set" or not isinstance(number, dict) or "atitude" not in json.dumps(number), key
        assert not any(word in key for word in ("offset_corner", "mgrs", "ecef_position")), key
    for tag in items.get("unknown", {}):
        assert len(tag) == 32 or int(tag) in SETS[record.set], "a known item that could not be read"
    assert {"vmti_local_set", "rvt_local_set", "segment_local_set", "waypoint_list"} & set(items) == set()


def test_other_items_are_exact_on_a_grid() -> None:
    """Altitudes, angles, and positions that are none."""
    items = [(13, b"\x80\0\0\0"), (14, b"\x80\0\0\0"), (15, b"\1\2"), HEADING, (26, b"\1\2"), (23, b""), FULL]
    thinned = thin(timed("ST0601", items, 1), Thinning(coarse_m=100))
    assert thinned == Thinned(timed("ST0601", [one for one in items if one[0] != 26], 1), True)


def test_a_longitude_without_its_latitude_is_left_out() -> None:
    """The width of its cell is not known; a latitude that is not selected is enough."""
    alone = timed("ST0601", [(14, b"\1\2\3\4"), HEADING], 1)
    assert thin(alone, Thinning(coarse_m=100)) == Thinned(timed("ST0601", [HEADING], 1), True)
    both = timed("ST0601", [(13, b"\1\2\3\4"), (14, b"\1\2\3\4")], 1)
    thinned = thin(both, Thinning(klvrelay.select("sensor_longitude"), coarse_m=100))
    assert thinned is not None
    assert list(dict(pairs(thinned.raw))) == [2, 14, 1]


def test_positions_of_other_widths_are_left_out() -> None:
    """They would be read as positions where their number fits."""
    raw = timed("ST0601", [(13, b"\0\1\2\3\4"), (23, b"\1\2"), HEADING], 1)
    assert thin(raw, Thinning(coarse_m=100)) == Thinned(timed("ST0601", [HEADING], 1), True)


def test_an_sdcc_flp_is_left_out_with_the_items_that_it_refers_to() -> None:
    """It counts the items before it."""
    sdcc = (102, bytes.fromhex("02") + b"\x80\x10" + bytes(8))
    items = [LATITUDE, HEADING, sdcc, FULL]
    assert thin(timed("ST0601", items, 1), Thinning(on_change=True), Base()) == Thinned(timed("ST0601", items, 1), True)
    thinned = thin(timed("ST0601", items, 1), Thinning(klvrelay.select("sensor_latitude", "sdcc_flp")))
    assert thinned == Thinned(timed("ST0601", [LATITUDE, FULL], 1), True)
    assert item(1, b"") == b"\1\0"


SMALL_BASES = """
import sys
from pathlib import Path
from klvrelay.core.thinning import Base, Thinning, thin

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

raw, wanted = bytes.fromhex(sys.argv[1]), Thinning(on_change=True)
kept, before = [], resident()
for _ in range(4000):
    kept.append(Base())
    assert thin(raw, wanted, kept[-1]).full
    assert thin(raw, wanted, kept[-1]) is None
print((resident() - before) // 4000)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_what_a_subscriber_has_takes_about_the_memory_of_its_items() -> None:
    """Not the 16 KiB that it may take: there is one for each output, stream and set."""
    raw = timed("ST0601", [HEADING, LATITUDE], 1)
    found = subprocess.run([sys.executable, "-c", SMALL_BASES, raw.hex()], capture_output=True, text=True, check=True)
    assert int(found.stdout) < 10_000
