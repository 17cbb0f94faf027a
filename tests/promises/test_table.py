"""The table of promises names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from promises import ELSEWHERE, PROMISES

TESTS = Path(__file__).parents[1]


def test_every_promise_is_proved_by_tests_that_exist() -> None:
    """By a mark in tests/promises, or by a module or test that the table names."""
    texts = "".join(path.read_text() for path in Path(__file__).parent.glob("*.py"))
    marked = {int(number) for marks in re.findall(r"mark\.promise\(([\d, ]+)\)", texts) for number in marks.split(",")}
    assert marked | set(ELSEWHERE) == set(PROMISES)
    for place in (place for places in ELSEWHERE.values() for place in places):
        module, _, test = place.partition("::")
        assert f"def {test}(" in TESTS.joinpath(module).read_text() if test else TESTS.joinpath(module).is_file(), place
