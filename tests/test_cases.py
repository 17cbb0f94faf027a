"""Many cases in one test: all run, and each that fails is named."""

from __future__ import annotations

import re

import pytest
from cases import each_case, each_of


def test_all_cases_run_and_those_that_fail_are_named():
    """Named as by pytest: by the case itself, by a list, or by a function; products of two lists too."""
    seen = []

    @each_case("b", [1, 2], ids=["one", "two"])
    @each_case(("a", "c"), [(1, 1), pytest.param(2, 2, id="equal"), (2, 3)])
    def check(a: int, b: int, c: int) -> None:
        seen.append((a, b, c))
        assert a != c or a != b
        if c == 3:
            pytest.fail("no")

    with pytest.raises(BaseExceptionGroup) as fault:
        check()

    assert seen == [(1, 1, 1), (2, 1, 2), (2, 1, 3), (1, 2, 1), (2, 2, 2), (2, 2, 3)]
    named = [notes(one) for one in fault.value.exceptions]
    assert named == [["case one"], ["case two"]]
    assert [notes(one) for one in fault.value.exceptions[0].exceptions] == [["case 1-1"], ["case 2-3"]]
    assert [notes(one) for one in fault.value.exceptions[1].exceptions] == [["case equal"], ["case 2-3"]]


def test_a_single_failure_is_raised_as_it_is():
    """So that pytest shows its assertion; the note names the case."""

    @each_case("number", range(9), ids=lambda number: f"<{number}>")
    def check(number: int, least: int) -> None:
        assert number != least

    check(least=9)
    with pytest.raises(AssertionError, match="5 != 5") as fault:
        check(least=5)
    assert notes(fault.value) == ["case <5>"]


@pytest.mark.parametrize("cases", [[], [pytest.param(1, marks=pytest.mark.long)]], ids=["none", "marked"])
def test_cases_that_can_not_run_are_refused(cases: list[object]):
    """No case, or one with a mark."""
    with pytest.raises(AssertionError, match=r"no case|must be a separate test"):
        each_case("number", cases)


def test_one_case_after_another():
    """`each_of` stops at the first that fails."""
    check = each_of([1, 2, 3])(lambda case: pytest.fail("no") if case > 1 else None)
    with pytest.raises(pytest.fail.Exception, match=re.escape("no")) as fault:
        check()
    assert notes(fault.value) == ["case: 2"]


def notes(fault: BaseException) -> list[str]:
    return fault.__notes__
