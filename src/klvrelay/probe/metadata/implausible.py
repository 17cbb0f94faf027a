"""Counts the records of one stream that cannot be true, by check."""

from __future__ import annotations

from typing import Any

from klvrelay.plausibility import Plausibility
from klvrelay.probe.report import ImplausibleReport
from klvrelay.record import Record


class ImplausibleTally:
    """The findings of `klvrelay.plausibility`, the first of each check in full."""

    __slots__ = ("_checks", "_found")

    def __init__(self) -> None:
        self._checks = Plausibility()
        self._found: dict[str, ImplausibleReport] = {}

    def add(self, record: Record, document: dict[str, Any], at: float) -> None:
        """Check a record, whose JSON this is, at second `at` of the probe."""
        for found in self._checks.check_document(record, document, at):
            before = self._found.get(found.id)
            if before is None:
                self._found[found.id] = ImplausibleReport(found.id, found.what, 1, at, at)
            else:
                self._found[found.id] = ImplausibleReport(found.id, before.what, before.records + 1, before.first, at)

    def freeze(self) -> tuple[ImplausibleReport, ...]:
        return tuple(self._found.values())
