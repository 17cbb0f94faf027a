"""Checks a report: each rule is a small function that yields findings.

rule.py       the rule type               transport.py  packets, tables, clocks of the stream
carriage.py   how KLV is carried          sets.py       contents of the records
remarks.py    warnings of the decoder     times.py      time stamps
source.py     the source, and whether it holds KLV
"""

from __future__ import annotations

from klvrelay.probe.report import SEVERITIES, Finding, Report
from klvrelay.probe.rules import carriage, remarks, sets, source, times, transport

CHECKS = (
    *source.CHECKS, *transport.CHECKS, *carriage.CHECKS, *sets.CHECKS, *times.CHECKS, *remarks.CHECKS, *transport.MINOR
)  # fmt: skip
"""In order of importance to an operator, among findings of equal severity."""


def judge(report: Report) -> tuple[Finding, ...]:
    """All findings, the most severe first."""
    found = [finding for check in CHECKS for finding in check(report)]
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))
