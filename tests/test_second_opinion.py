"""The C core compared with the Python reference decoder: no difference is allowed on random packets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from multiprocessing import get_context
from operator import itemgetter
from random import Random

import pytest
from cases import each_case, each_of
from core_and_reference import FINEST, core_json, differences, disagreement, exact
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packet_wrapping import item as one_item
from packet_wrapping import packet, wrapped
from random_packets import FOLDER, packets, random_packet, sets
from reference import decode
from reference_sets import OFFSETS
from reference_values import Real, imapb, linear

from native.spec import facts

calm = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SEEDS = 1_000
MANY_SEEDS = 980_000
CHUNK = 5_000


@calm
@given(packets())
def test_any_packet_is_read_alike_by_core_and_reference(raw: bytes) -> None:
    """Values, labels, specials, warnings, checksum and time of a random packet."""
    assert disagreement(raw) == []


@pytest.mark.parametrize("name", ["ST0903", "ST1601", "ST1002", "ST0806"])
@settings(calm, max_examples=45)
@given(data=st.data())
def test_any_set_inside_st0601_is_read_alike(name: str, data: st.DataObject) -> None:
    """Targets with old and new maps, arrays, sections, user data: no difference where they are nested either."""
    tag = next(item.tag for item in facts.items("ST0601") if item.kind == f"local_set:{name}")
    value = data.draw(sets(name))
    assert disagreement(packet("ST0601", one_item(tag, value), checksum=True)) == []


def test_seeded_packets_are_read_alike_by_core_and_reference() -> None:
    """A thousand packets that are the same in every run."""
    assert disagreements(range(SEEDS)) == []


@pytest.mark.long
@pytest.mark.timeout(4500)
@settings(calm, max_examples=20_000)
@given(packets())
def test_very_many_packets_are_read_alike_by_core_and_reference(raw: bytes) -> None:
    """More packets, with hypothesis to reduce a failure."""
    assert disagreement(raw) == []


@pytest.mark.long
@pytest.mark.timeout(4500)
def test_a_million_packets_are_read_alike_by_core_and_reference() -> None:
    """With the 20,000 above, a million: no difference in any."""
    chunks = [range(at, at + CHUNK) for at in range(SEEDS, SEEDS + MANY_SEEDS, CHUNK)]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        assert [found for chunk in pool.map(disagreements, chunks) for found in chunk] == []


def disagreements(seeds: range) -> list[str]:
    """The differences on the packets of these seeds: each with its seed and bytes."""
    packets = ((seed, random_packet(Random(seed))) for seed in seeds)
    return [f"seed {seed}: {found} in {raw.hex()}" for seed, raw in packets if (found := disagreement(raw))]


def odd_packets() -> dict[str, bytes]:
    """Packets on which the two have differed, or that are error-prone, by their peculiarity."""
    lines = (FOLDER / "odd.jsonl").read_text(encoding="utf-8").splitlines()
    return {odd["what"]: bytes.fromhex(odd["hex"]) for odd in map(json.loads, lines)}


@each_of(list(odd_packets().items()), itemgetter(0))
def test_an_unusual_packet_is_read_alike_by_core_and_reference(odd: tuple[str, bytes]) -> None:
    """Where the standards leave a choice, both make the same one."""
    assert disagreement(odd[1]) == []


def mapped_items() -> list[facts.Item]:
    """Every item whose number is a map of its code."""
    items = [item for name in facts.DECODED for item in facts.items(name)]
    return [item for item in items if item.mapping in ("linear_uint", "linear_int", "imapb")]


def lengths(item: facts.Item) -> range:
    """IMAPB in every length that a code can have, linear maps in their own; offsets not in those of older maps."""
    if item.mapping != "imapb":
        return range(item.len_max, item.len_max + 1)
    return range(3 if item.set == "VTarget" and item.tag in OFFSETS else 1, 9)


def codes(size: int) -> Iterator[bytes]:
    """The ends, the middle, their neighbours, each single bit, and a few in between."""
    top = 2 ** (8 * size)
    chosen = {0, 1, 2, top // 2 - 2, top // 2 - 1, top // 2, top // 2 + 1, top - 2, top - 1}
    chosen |= {1 << bit for bit in range(0, 8 * size, 3)} | {top * part // 41 for part in range(41)}
    return (code.to_bytes(size, "big") for code in sorted(chosen) if 0 <= code < top)


@each_case("item", mapped_items(), ids=lambda item: f"{item.set}-{item.tag}-{item.key}")
def test_a_printed_number_parses_back_to_its_code(item: facts.Item) -> None:
    """Of all codes, the sent one is nearest to the printed decimals, and no decimal is superfluous."""
    for size in lengths(item):
        for code in codes(size):
            expected = number(item, code)
            if expected is None or expected.step < FINEST:
                continue
            printed = printed_number(item, code)
            # Nearer to its own code than to the neighbours above and below.
            assert abs(Fraction(printed) - expected.value) * 2 < expected.step, (code.hex(), printed)
            if on_steps(item, expected.step):
                assert decimals(printed) <= needed(expected.step), (code.hex(), printed)


def on_steps(item: facts.Item, step: Fraction) -> bool:
    """Are the values multiples of the step? Otherwise each has the extra decimals of the start of the range."""
    assert item.min is not None
    assert item.max is not None
    return item.mapping != "imapb" or item.min < 0 < item.max or (item.min / step).denominator == 1


def number(item: facts.Item, code: bytes) -> Real | None:
    assert item.min is not None
    assert item.max is not None
    if item.mapping != "imapb":
        special = int.from_bytes(code, "big") in item.special
        return None if special else linear(item.mapping, code, item.min, item.max)
    value = imapb(code, item.min, item.max)
    return value if isinstance(value, Real) else None


def printed_number(item: facts.Item, code: bytes) -> str:
    raw, _ = wrapped(item.set, one_item(item.tag, code))
    found = re.search(rf'"{item.key}":(-?[0-9.]+)', core_json(raw).decode())
    assert found, (item.key, code.hex(), core_json(raw))
    return found[1]


def decimals(printed: str) -> int:
    return len(printed.partition(".")[2])


def needed(step: Fraction) -> int:
    """The fewest decimals that distinguish one step from the next, and one more."""
    count = 0
    while Fraction(1, 10**count) > step:
        count += 1
    return count + 1


def test_the_comparison_detects_a_difference() -> None:
    """A record that is off by one code differs from the correct one."""
    raw = packet("ST0601", one_item(13, bytes.fromhex("5595b66d")))
    other = packet("ST0601", one_item(13, bytes.fromhex("5595b66e")))
    assert disagreement(raw) == []
    apart = list(differences(decode(raw)["items"], exact(core_json(other))["items"]))
    assert len(apart) == 1
    assert "sensor_latitude" in apart[0]
