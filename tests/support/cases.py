"""One test for a whole table of cases: pytest needs longer for a test than most cases take."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, TypeVar

import pytest

T = TypeVar("T")
Test = Callable[..., None]


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



def each_case(names: str | tuple[str, ...], cases: Iterable[Any], ids: Any = None) -> Callable[[Test], Test]:
    """As `pytest.mark.parametrize`, in a single test. All cases run, whichever fail, and each failure names its case.

    For a test that leaves nothing behind: its fixtures, such as `tmp_path`, are set up once for all cases.
    """
    keys = tuple(name.strip() for name in names.split(",")) if isinstance(names, str) else names
    alone = isinstance(names, str) and len(keys) == 1
    rows = [(None, (case,)) if alone and not _has_id(case) else _row(case) for case in cases]
    given = None if ids is None or callable(ids) else list(ids)
    assert rows, "no case"
    assert given is None or len(given) == len(rows)

    def around(test: Test) -> Test:
        @wraps(test)
        def all_cases(**fixtures: Any) -> None:
            faults = []
            for number, (own, values) in enumerate(rows):
                assert len(values) == len(keys)
                try:
                    test(**dict(zip(keys, values, strict=True)), **fixtures)
                except (Exception, pytest.fail.Exception, BaseExceptionGroup) as fault:  # noqa: BLE001 (it is raised below)
                    fault.add_note(f"case {own or _name(values, given[number] if given else ids)}")
                    faults.append(fault)
            _raise(faults, len(rows))

        signature = inspect.signature(test)
        left = [one for name, one in signature.parameters.items() if name not in keys]
        assert len(left) + len(keys) == len(signature.parameters), f"{test.__name__}: unknown argument"
        all_cases.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
        return all_cases

    return around


def _has_id(case: Any) -> bool:
    return hasattr(case, "id") and hasattr(case, "marks")


def _row(case: Any) -> tuple[str | None, tuple[Any, ...]]:
    if not _has_id(case):
        return None, tuple(case)
    assert not case.marks, "a case with a mark must be a separate test"
    return case.id, tuple(case.values)


def _name(values: tuple[Any, ...], ids: Any) -> str:
    if callable(ids):
        return "-".join(_shown(value, ids) for value in values)
    return str(ids) if ids is not None else "-".join(map(_shown, values))


def _shown(value: Any, name: Callable[[Any], object] = lambda _: None) -> str:
    text = name(value)
    return repr(value)[:100] if text is None else str(text)


def _raise(faults: list[BaseException], cases: int) -> None:
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise BaseExceptionGroup(f"{len(faults)} of {cases} cases", faults)
