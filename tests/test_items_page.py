"""The page of items lists every item of every set, with figures from the vectors."""

from __future__ import annotations

import re
from functools import cache

import pytest
from cases import each_case
from conftest import ROOT

from native.generate import clauses, coverage, items_page
from native.spec import facts

PAGE = ROOT / "native" / "spec" / "ITEMS.md"


@cache
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def cells(title: str) -> list[list[str]]:
    """The cells of the table under a heading, row by row."""
    part = re.split(r"(?m)^##+ ", page().split(f"\n## {title}\n")[1])[0]
    return [re.split(r" ?\| ?", line)[1:-1] for line in part.splitlines() if line.startswith("| ")][2:]


@each_case("name", facts.DECODED)
def test_every_item_of_a_set_is_on_the_page(name: str) -> None:
    """Tag, name, key and units, in the order of the tags, decoded and encoded."""
    found = cells(items_page.words(name))
    assert [(int(row[0]), row[2].strip("`"), row[3]) for row in found] == [
        (item.tag, item.key, item.units) for item in facts.items(name)
    ]
    assert all(row[1].startswith(item.name) for row, item in zip(found, facts.items(name), strict=True))
    assert {tuple(row[5:7]) for row in found} == {("yes", "yes")}


def test_every_16_byte_key_is_on_the_page() -> None:
    """In one of the tables of universal forms, each once."""
    found = [row for title in ("EG 0104", "ST 0102-US", "Other items by 16-byte key") for row in cells(title)]
    assert sorted(row[0].strip("`")[:14] + row[0].strip("`")[16:] for row in found) == sorted(
        key.hex()[:14] + key.hex()[16:] for key, _ in facts.keyed()
    )
    assert {tuple(row[5:7]) for row in found} == {("yes", "yes")}


def test_items_marked_as_encoded_can_be_encoded() -> None:
    """Each item by tag, and each in universal form: from bytes, which encoding copies."""
    room = pytest.importorskip("klvrelay.encode", reason="no room to encode")
    value = b"\x01\x02"
    for name in facts.DECODED:
        given = {item.key: [value] if item.repeats else value for item in facts.items(name)}
        assert [key for key, what in given.items() if room.encode_item(name, key, what) != value] == []
    packet = room.encode({item.key: value for _, item in facts.keyed()}, set="ST0104", checksum=False)
    assert [item.key for key, item in facts.keyed() if key + b"\x02" + value not in packet] == []


@each_case("name", facts.DECODED)
def test_vectors_are_counted_where_they_hold_an_item(name: str) -> None:
    """At least those of the item itself; at most as many as there are texts that name it."""
    own = [v for v in coverage.vectors() if v["type"] == "item" and v["set"] == name]
    for row in cells(items_page.words(name)):
        tag, count = int(row[0]), int(row[7])
        assert sum(v["tag"] == tag for v in own) <= count <= len(coverage.vectors())


def test_items_in_nested_sets_are_counted() -> None:
    """By hand: a target in the series of a VMTI set in a packet, a metric in a set, a security set in an item."""
    one = {"type": "packet", "set": "ST0601", "expected": {"74": {"101": [{"target_id": 1, "items": {"12": 9.0}}]}}}
    assert set(coverage.held(one)) == {("ST0601", 74), ("ST0903", 101), ("VTarget", 12)}
    two = {"type": "set", "set": "ST1108", "expected": {"4": [{"1": "GSD"}, {"2": "3.0"}], "99": {"unknown": "00"}}}
    assert set(coverage.held(two)) == {("ST1108", 4), ("ST1108Metric", 1), ("ST1108Metric", 2)}
    three = {"type": "item", "set": "ST0601", "tag": 101, "expected": {"48": {"1": 2}, "3": None}}
    assert set(coverage.held(three)) == {("ST0601", 101), ("ST0601", 48), ("ST0102", 1), ("ST0601", 3)}


def test_the_totals_are_the_sums_of_the_sets() -> None:
    """And no set is missing from the table of coverage."""
    *sets, by_tag, everything = cells("Coverage")
    assert len(sets) == len(facts.DECODED) + len(facts.UNIVERSAL)
    figures = [[int(cell) for cell in row[2:6]] for row in sets]
    local = figures[: len(facts.DECODED)]
    assert [cell.strip("*") for cell in by_tag[2:6]] == [str(sum(column)) for column in zip(*local, strict=True)]
    assert [cell.strip("*") for cell in everything[2:6]] == [str(sum(column)) for column in zip(*figures, strict=True)]
    assert sum(row[0] for row in local) == sum(len(facts.items(name)) for name in facts.DECODED)


def test_the_page_has_no_outside_links() -> None:
    """Its links go to its own headings, each of which exists once; and its lines have a readable length."""
    headings = [line.lstrip("# ").lower().replace(" ", "-") for line in page().splitlines() if line.startswith("#")]
    links = re.findall(r"\]\(([^)]*)\)", page())
    assert {link.removeprefix("#") for link in links} <= set(headings)
    assert len(set(headings)) == len(headings)
    assert "http" not in page()
    assert max(map(len, page().splitlines())) < 200


def test_every_document_is_named_with_its_revision() -> None:
    """Each set names its standard."""
    assert {*clauses.STANDARDS} == {*facts.DECODED, *(key.set for key in facts.universal_keys())}
    for name in facts.DECODED:
        text = page().split(f"\n## {items_page.words(name)}\n")[1].split("\n|")[0]
        assert f"({clauses.STANDARDS[name][0]})" in text


def test_the_generated_files_are_current() -> None:
    """Neither the page nor the module of clauses is older than its source."""
    assert page() == items_page.items_page()
    module = ROOT / "src" / "klvrelay" / "standards" / "clauses.py"
    assert module.read_text(encoding="utf-8") == clauses.clauses()


def test_which_items_are_preferred_is_as_the_notes_of_the_table_say() -> None:
    """`item 90 preferred`, `items 104 then 75 preferred`."""
    better = {item: group[: group.index(item)] for group in clauses.PREFERRED for item in group}
    for item in facts.items("ST0601"):
        noted = re.search(r"items? ([\d then]+) preferred", item.notes)
        if noted and "over" not in item.notes:
            assert tuple(map(int, noted[1].split(" then "))) == better[item.tag], item
    assert clauses.PREFERRED[-8:] == tuple((82 + n, 26 + n) for n in range(8))
