"""One test for a whole table of cases: pytest needs longer for a test than most cases take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def each_of(cases: Sequence[T], name: Callable[[T], str] = str) -> Callable[[Callable[[T], None]], Callable[[], None]]:
    """The test checks every case; a failure names the first case that fails."""

    def over(check: Callable[[T], None]) -> Callable[[], None]:
        def test() -> None:
            assert cases
            for case in cases:
                try:
                    check(case)
                except BaseException as fault:
                    fault.add_note(f"case: {name(case)}")
                    raise

        test.__name__, test.__doc__ = check.__name__, check.__doc__
        return test

    return over
