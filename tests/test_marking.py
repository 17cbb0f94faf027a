"""The marking of a packet is the highest of its security sets, and what can't be read is above every limit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cases import each_case
from hypothesis import given, settings
from hypothesis import strategies as st
from packet_wrapping import keyed_set, local_set, packet, series
from random_packets import packets
from test_thinning import FULL, HEADING, LATITUDE, SEEDS, recorded, sample, timed

import klvrelay
from klvrelay.core.marking import LEVELS, UNREADABLE, Marking, marking
from klvrelay.standards.spec import KEYED, UNIVERSAL_KEYS

LABELS = ["Unclassified", "Restricted", "Confidential", "Secret", "Top Secret"]
SECURITY_KEYS = {item.key: key for key, item in KEYED.items() if item.set == "ST0102"}
SET_KEY = UNIVERSAL_KEYS["ST0102"]


def security(level: int, caveats: str = "", releasing: str = "", control: str = "") -> bytes:
    texts = [(4, control), (5, caveats), (6, releasing)]
    return local_set([(1, bytes([level])), *((tag, text.encode()) for tag, text in texts if text)])


def expected(raw: bytes) -> Marking | None:
    """The marking by the record's JSON alone; None where it has no security set."""
    [record] = klvrelay.decode(raw)
    document = json.loads(record.json())
    found = [document["items"]] if record.set in ("ST0102", "ST0102-US") else list(inside(document["items"]))
    if not found:
        return None
    if any(one is None or one.get("security_classification") not in LABELS for one in found):
        return UNREADABLE
    caveats = {
        word
        for one in found
        for key in ("sci_shi_information", "caveats")
        for word in (one.get(key) or "").upper().replace("/", ",").split(",")
        if word
    }
    names = [set((one.get("releasing_instructions") or "").upper().replace("/", " ").split()) for one in found]
    level = max(LABELS.index(one["security_classification"]) + 1 for one in found)
    return Marking(level, frozenset(caveats), frozenset(set.intersection(*names)))


def inside(items: Any) -> Iterator[Any]:
    """The security sets of a document, in segments and amends too."""
    for key, one in items.items():
        if key == "security_local_set":
            yield one
        elif key in ("segment_local_set", "amend_local_set"):
            for part in one:
                yield from inside(part or {})


def random_set(rng: Random) -> bytes:
    texts = ["", "NOFORN", "orcon/FOUO", "A,B"]
    level = rng.randrange(1, 6) if rng.randrange(8) else rng.choice([0, 6, 255])
    releasing, control = rng.choice(["", "USA", "//USA GBR CAN", "gbr"]), rng.choice(["", "SI//TK"])
    return security(level, rng.choice(texts), releasing, control)


def random_packet(rng: Random, depth: int = 0) -> bytes:
    """The items of a set with security sets in it, at any depth."""
    items = [rng.choice([LATITUDE, HEADING, FULL, (74, local_set([(4, b"\6")]))]) for _ in range(rng.randrange(3))]
    if rng.randrange(2):
        items.append((48, random_set(rng)))
    if depth < 4:
        items += [(rng.choice([100, 101]), random_packet(rng, depth + 1)) for _ in range(rng.randrange(3))]
    rng.shuffle(items)
    return local_set(items)


@settings(deadline=None, max_examples=300)
@given(SEEDS)
def test_a_marking_is_that_of_the_record(rng: Random) -> None:
    """Read from its JSON: the highest level, all caveats, the countries that each set names."""
    raw = packet("ST0601", local_set([(2, bytes(8))]) + random_packet(rng), checksum=True)
    assert marking(raw) == expected(raw)


@settings(deadline=None)
@given(SEEDS)
def test_a_set_alone_marks_as_an_item_does(rng: Random) -> None:
    """As a packet of ST 0102, and as the value of its key in a universal set."""
    value = random_set(rng)
    wanted = marking(timed("ST0601", [(48, value)], 1))
    assert marking(packet("ST0102", value)) == wanted == expected(packet("ST0102", value))
    assert marking(packet("ST0104", keyed_set([(SET_KEY, value)]))) == wanted


@pytest.mark.parametrize("level", range(1, 6))
def test_a_universal_set_marks_by_the_name_of_the_classification(level: int) -> None:
    """In capitals or not, with slashes and padding after it."""
    for text in (LEVELS[level - 1], LEVELS[level - 1].lower(), LEVELS[level - 1] + "//\0", LABELS[level - 1] + " "):
        items = [("security_classification", text), ("caveats", "NOFORN"), ("releasing_instructions", "USA GBR")]
        value = keyed_set([(SECURITY_KEYS[key], one.encode()) for key, one in items])
        wanted = Marking(level, frozenset({"NOFORN"}), frozenset({"USA", "GBR"}))
        assert marking(packet("ST0102-US", value)) == wanted
        assert marking(packet("ST0104", value)) == wanted
    single = SECURITY_KEYS["security_classification"] + b"\6SECRET"
    assert marking(single) == Marking(4, frozenset(), frozenset())


def test_packets_without_a_security_set_are_unmarked() -> None:
    """Of any known set."""
    assert marking(timed("ST0601", [LATITUDE, (74, local_set([(4, b"\6")])), (300, b"x"), FULL], 1)) is None
    assert marking(packet("ST0104", keyed_set([(next(iter(KEYED)), b"\1")]))) is None
    assert marking(timed("ST0806", [(4, b"\1")], 1)) is None
    assert marking(packet("ST1204", b"\1\2")) is None


GOOD = timed("ST0601", [(48, security(1)), FULL], 1)


@each_case(
    "raw",
    {
        "not a packet": b"\1\2\3",
        "nothing": b"",
        "cut": GOOD[:-1],
        "bad checksum": GOOD[:-1] + bytes([GOOD[-1] ^ 1]),
        "a key without a table": bytes.fromhex("060e2b34010101010e02030405060708") + b"\1x",
        "a set without a table": packet("ST0808", local_set([(1, b"x")])),
        "level 0": timed("ST0601", [(48, security(0))], 1),
        "level 6": timed("ST0601", [(48, security(6))], 1),
        "level of nine bytes": timed("ST0601", [(48, local_set([(1, bytes(8) + b"\1")]))], 1),
        "no length": UNIVERSAL_KEYS["ST0601"] + b"\x80",
        "no level": timed("ST0601", [(48, local_set([(5, b"NOFORN")]))], 1),
        "unknown level": timed("ST0601", [(48, local_set([(1, b"")]))], 1),
        "unknown set": timed("ST0601", [(48, b"")], 1),
        "malformed set": timed("ST0601", [(48, security(1) + b"\5\x09x")], 1),
        "malformed amend": timed("ST0601", [(48, security(1)), (101, b"\5\x09x")], 1),
        "caveats twice": timed("ST0601", [(48, security(1, "A") + security(1, "B"))], 1),
        "too many": timed("ST0601", [(48, security(1))] * 17, 1),
        "a name that is none": packet("ST0102-US", keyed_set([(SECURITY_KEYS["security_classification"], b"SECRE")])),
        "no name": packet("ST0102-US", keyed_set([(SECURITY_KEYS["caveats"], b"NOFORN")])),
        "malformed universal set": packet("ST0104", keyed_set([(SET_KEY, security(1))]) + b"\6"),
        "many keys": packet("ST0104", keyed_set([(SET_KEY, security(1))] * 17)),
        "a text too long": timed("ST0601", [(48, security(1, "A" * 65536))], 1),
    }.items(),
    ids=lambda pair: pair[0],
)
def test_what_can_not_be_read_is_above_every_limit(raw: tuple[str, bytes]) -> None:
    """Although other parts of the packet could be read."""
    assert marking(raw[1]) == UNREADABLE


def test_the_highest_counts_where_sets_and_items_repeat() -> None:
    """A record shows the last of them."""
    twice = timed("ST0601", [(48, security(4)), (48, security(2, "X"))], 1)
    assert marking(twice) == Marking(4, frozenset({"X"}), frozenset())
    assert marking(timed("ST0601", [(48, security(5) + security(1))], 1)) == Marking(5, frozenset(), frozenset())


def test_a_set_nested_too_deep_is_unreadable() -> None:
    """Beyond the depth that a record shows; up to that it is found."""
    value = local_set([(48, security(5))])
    results = []
    for _ in range(12):
        results.append(marking(packet("ST0601", value, checksum=True)))
        value = local_set([(100, value)])
    assert results == [Marking(5, frozenset(), frozenset())] * 9 + [UNREADABLE] * 3


@settings(deadline=None)
@given(packets(), st.integers(0, 60))
def test_no_cut_of_any_packet_lowers_its_marking(raw: bytes, cut: int) -> None:
    """It is unreadable then, or what it was."""
    whole, part = marking(raw), marking(raw[: max(0, len(raw) - cut)])
    assert part == UNREADABLE or (cut == 0 and part == whole)


@settings(deadline=None)
@given(packets())
def test_any_packet_is_read(raw: bytes) -> None:
    """And where its JSON has a security set, it is marked."""
    records = klvrelay.decode(raw)
    found = marking(raw)
    if len(records) == 1 and records[0].raw == raw and records[0].good and expected(raw) is not None:
        assert found is not None
        assert not found.readable or expected(raw) == found or found.level >= expected(raw).level  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["osh_sample_stream.ts", "orbit.ts"])
def test_recordings_are_unclassified(name: str, request: Any) -> None:
    """As their records say."""
    records = sample() if name == "orbit.ts" else recorded(request.getfixturevalue("shared"), name)
    for record in records[:100]:
        assert marking(record.raw) == expected(record.raw) == Marking(1, frozenset(), frozenset())


def test_a_large_packet_of_security_sets_is_read(tmp_path: Path) -> None:
    """Of a mebibyte of them, and of nested ones."""
    assert marking(timed("ST0601", [(48, security(1))] * 150_000, 1)) == UNREADABLE
    nested = local_set([(100, local_set([(48, security(1))]))] * 20)
    assert marking(packet("ST0601", nested * 5000, checksum=True)) == UNREADABLE
    assert series([b""]) == b"\0"
