"""The cost of a packet's JSON is linear in its bytes, whatever they are.

See also: `test_text_bound.py` bounds the text, `test_search_work.py` the search, `native/fuzz_work.c` counts the steps
of random packets.
"""

from __future__ import annotations

import json

from cases import each_case
from core_and_reference import core_json
from packet_wrapping import item, local_set, oid, packet
from test_search_work import fastest
from test_text_bound import CASES

NAMED = local_set([(tag, b"") for tag in range(3, 142)])
MATRIX = item(102, oid(143) + b"\x00")  # no numbers: five bytes name the 143 items before it
REPEATED = [name for name, (set_, _) in CASES.items() if set_ == "ST0601"]


@each_case("name", REPEATED)
def test_four_times_the_items_take_about_four_times_as_long(name: str) -> None:
    """Of each kind that expands to much text."""
    value = CASES[name][1]
    one, four = (fastest(core_json, packet("ST0601", value * times)) for times in (1, 4))
    assert four < 12 * one + 0.02, (one, four)


def test_matrices_that_repeat_the_same_names_cost_no_more_than_their_bytes() -> None:
    """Once the names are used up, a matrix costs its own bytes and no search of all items before it."""
    quarter, all_ = (fastest(core_json, packet("ST0601", NAMED + MATRIX * count)) for count in (8_000, 32_000))
    assert all_ < 10 * quarter + 0.02, (quarter, all_)


def test_the_first_of_many_matrices_are_named_and_the_rest_is_counted() -> None:
    """An attack removes no names from earlier matrices."""
    record = json.loads(core_json(packet("ST0601", NAMED + MATRIX * 8_000)))
    named = [len(matrix["items"]) for matrix in record["items"]["sdcc_flp"] if matrix]

    assert named[4:8] == [143] * 4, "the first four have fewer items before them"
    assert named[-1] == 0
    assert "too many" in str(record["quality"]["warnings"])
