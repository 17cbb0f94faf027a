"""What is judged: one small function a rule, over the frozen report; next door, `verdict.py` sums the findings up.

rule.py       what a rule is              transport.py  packets, tables, clocks of the stream
carriage.py   how KLV is carried          sets.py       what is in the records
remarks.py    the decoder's warnings      times.py      time stamps
source.py     the source itself, and whether there is KLV at all
"""

from __future__ import annotations

from klvrelay.probe.report import SEVERITIES, Finding, Report
from klvrelay.probe.rules import carriage, remarks, sets, source, times, transport

CHECKS = (
    *source.CHECKS, *transport.CHECKS, *carriage.CHECKS, *sets.CHECKS, *times.CHECKS, *remarks.CHECKS, *transport.MINOR
)  # fmt: skip
"""In the order of what an operator should look at first, among findings as bad as each other."""


def judged(report: Report) -> tuple[Finding, ...]:
    """All findings, the worst first."""
    found = [finding for check in CHECKS for finding in check(report)]
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))
