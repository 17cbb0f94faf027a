"""Reports records that cannot be true; `klvrelay.plausibility` has the checks and their limits."""

from __future__ import annotations

from collections.abc import Iterator

from klvrelay.plausibility import CHECKS as IDS
from klvrelay.probe.report import Finding, ImplausibleReport, Report
from klvrelay.probe.rules.rule import Check, Rule, at_stream, plural

RULES = tuple(Rule(id_, "warning", check.clause, check.advice) for id_, check in IDS.items())


def _implausible(report: Report) -> Iterator[Finding]:
    for rule in RULES:
        for stream in report.klv:
            for found in stream.implausible:
                if found.id == rule.id:
                    read = stream.records - stream.passed
                    yield rule.finding(f"{found.what}; {_extent(found, read)}", at_stream(stream), found.records)


def _extent(found: ImplausibleReport, records: int) -> str:
    """How many records, and when."""
    if found.records == 1:
        return f"in 1 of {plural(records, 'record')}, at second {found.first:.1f}"
    return f"in {found.records:,} of {plural(records, 'record')}, second {found.first:.1f} to {found.last:.1f}"


CHECKS: tuple[Check, ...] = (_implausible,)
